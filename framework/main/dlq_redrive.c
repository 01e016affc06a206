/* dlq_redrive.c: `dlq redrive`: the records of dead letters once more, to where they came from.
 *
 * (1) A record is as it was: key, value, timestamp, headers, and one header more that names the letter. Of bytes that are not in the
 *     letter its source is read again, exactly at the offsets that were refused.
 * (2) Records and the note of them are one transaction: killed, it goes on where it was; run again, it sends nothing twice. A record
 *     with several letters is sent once.
 * (3) One process sends the letters of a topic again at a time: a second one fences the first before it reads the notes.
 */
#include "framework/main/dlq.h"

#include <inttypes.h>

#define RECORDS_AT_ONCE 1000
#define BYTES_AT_ONCE   ((size_t)4 << 20)

/* One that is to be sent. */
struct record {
    struct weir__raw raw;
    struct weir__tp  source;
    int64_t          offset;
    bool             refused;
};

struct counts {
    uint64_t letters, sent, before, gone, refused, none;
};

struct redrive {
    struct weir__dlq      *dlq;
    const char            *topic, *notes; /* of dead letters, of what was sent again */
    const char            *id;            /* of the producer */
    struct weir__producer *producer;      /* NULL: a dry run */
    bool                   dry, again;
    struct weir__dlq_done  done, ours; /* before, and by this call */
    int64_t               *read;       /* of each partition of the letters: up to where they are looked at */
    size_t                 read_count;
    struct record         *records; /* of the transaction under way */
    size_t                 record_count, record_capacity, bytes;
    struct weir_arena      batch; /* of them */
    struct counts          counts, all;
    struct weir_error      refusal; /* the first one */
    struct weir_arena      arena;
    /* the letter at work */
    const struct weir__raw         *at;
    const struct weir__read_letter *letter;
    struct weir__runs               wanted; /* offsets to be read again */
    uint64_t                        found;
    bool                            past; /* all of them were read */
};

/* ---- a transaction ---- */

static int fail_commit(const struct redrive *redrive, int code, struct weir_error *reterr)
{
    if (code == WEIR_FENCED)
        return weir__fail(reterr, code, redrive->topic,
                          "another process has begun to send its letters again: let it finish, then do this again");
    return weir__fail(reterr, code, redrive->topic,
                      "the records cannot be committed: %s; do it again: what was sent before is known",
                      weir_code_text(code));
}

/* It stays where it is, counted; the others go on. */
static void refuse(struct redrive *redrive, struct record *record, int code)
{
    record->refused = true;
    if (redrive->counts.refused++ + redrive->all.refused == 0)
        weir__fail(&redrive->refusal, code, redrive->topic, "%s:%d:%" PRId64 " is refused: %s", record->source.topic,
                   record->source.partition, record->offset, weir_code_text(code));
}

static int send_records(struct redrive *redrive, struct weir_error *reterr)
{
    for (size_t i = 0; i < redrive->record_count; i++) {
        struct record *record = &redrive->records[i];
        int            err =
            record->refused ? WEIR_OK : redrive->dlq->looked.engine->send(redrive->producer, &record->raw, i + 1);

        if (err < 0 && weir_code_scope(err) == WEIR_SCOPE_RECORD)
            refuse(redrive, record, err);
        else if (err == WEIR_NOTFOUND)
            return weir__fail(reterr, err, record->raw.topic,
                              "there is no such topic or partition: make it, or send elsewhere by --to");
        else if (err < 0)
            return fail_commit(redrive, err, reterr);
    }
    return WEIR_OK;
}

static int send_note(struct redrive *redrive, const struct weir__dlq_sent *sent)
{
    struct weir__buf value = { 0 };
    int64_t          now = redrive->dlq->looked.engine->now(redrive->dlq->looked.log);
    struct weir__raw raw = { .topic = redrive->notes, .partition = 0, .timestamp = now };
    int              err = weir__dlq_done_print(sent, now, &value);

    raw.value = BYTES(value.data, value.size);
    if (err == WEIR_OK)
        err = redrive->dlq->looked.engine->send(redrive->producer, &raw, 0);
    weir__buf_fini(&value);
    return err;
}

static int note(const struct redrive *redrive, const struct record *record, struct weir__dlq_done *done)
{
    struct weir__run  run = { record->offset, record->offset };
    struct weir__runs runs = { .items = &run, .count = 1 };

    return weir__dlq_done_add(done, record->source, redrive->dlq->filter.to, runs, redrive->read,
                              redrive->read_count);
}

static int send_notes(struct redrive *redrive)
{
    struct weir__dlq_done sent = { 0 };
    int                   err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < redrive->record_count; i++)
        if (!redrive->records[i].refused)
            err = note(redrive, &redrive->records[i], &sent);
    for (size_t i = 0; err == WEIR_OK && i < sent.count; i++)
        err = send_note(redrive, &sent.items[i]);
    weir__dlq_done_fini(&sent);
    return err;
}

static int commit_log(struct redrive *redrive)
{
    int err;

    do
        err = redrive->dlq->looked.engine->commit(redrive->producer, redrive->id, NULL, 0, NULL, 0,
                                                  weir__dlq_call_by(redrive->dlq));
    while (err == WEIR_AGAIN);
    return err;
}

/* Whether a transaction failed by records that the log refuses: then they are marked. */
static bool refused_some(struct redrive *redrive)
{
    uint64_t cookie;
    int      code;
    bool     some = false;

    while (redrive->dlq->looked.engine->failed(redrive->producer, &cookie, &code) == WEIR_OK)
        if (cookie > 0 && cookie <= redrive->record_count && weir_code_scope(code) == WEIR_SCOPE_RECORD &&
            !redrive->records[cookie - 1].refused) {
            refuse(redrive, &redrive->records[cookie - 1], code);
            some = true;
        }
    return some;
}

static int abort_log(struct redrive *redrive)
{
    int err;

    do
        err = redrive->dlq->looked.engine->abort(redrive->producer, weir__dlq_call_by(redrive->dlq));
    while (err == WEIR_AGAIN);
    return err;
}

/* Until the log takes what is left of it. */
static int send_transaction(struct redrive *redrive, struct weir_error *reterr)
{
    int  err;
    bool again;

    do {
        again = false;
        err = send_records(redrive, reterr);
        if (err < 0)
            return err;
        err = send_notes(redrive);
        weir__crash_at(WEIR__BEFORE_LOAD);
        if (err == WEIR_OK)
            err = commit_log(redrive);
        if (err == WEIR_ABORT && refused_some(redrive)) {
            err = abort_log(redrive);
            again = err == WEIR_OK;
        }
    } while (again);
    weir__crash_at(WEIR__AFTER_LOAD);
    return err < 0 ? fail_commit(redrive, err, reterr) : WEIR_OK;
}

static int commit(struct redrive *redrive, struct weir_error *reterr)
{
    int err = redrive->dry || redrive->record_count == 0 ? WEIR_OK : send_transaction(redrive, reterr);

    if (err < 0)
        return err;
    for (size_t i = 0; i < redrive->record_count; i++)
        redrive->counts.sent += !redrive->records[i].refused;
    redrive->record_count = redrive->bytes = 0;
    weir__arena_reset(&redrive->batch);
    return WEIR_OK;
}

/* ---- a record ---- */

static struct weir__tp source_of(const struct redrive *redrive)
{
    return (struct weir__tp){ redrive->letter->source.topic, redrive->letter->source.partition };
}

static bool is_done(const struct redrive *redrive, int64_t offset)
{
    const char     *to = redrive->dlq->filter.to;
    struct weir__tp source = source_of(redrive);

    return weir__dlq_done_has(&redrive->ours, redrive->at, source, offset, false, to) ||
           (!redrive->again && weir__dlq_done_has(&redrive->done, redrive->at, source, offset, false, to));
}

/* With where it goes to, and one header more. */
static int copy_record(struct redrive *redrive, const struct weir__raw *raw, struct weir__raw *ret)
{
    size_t              count = raw->header_count;
    struct weir_header *headers = weir_arena_alloc(&redrive->batch, sizeof(*headers) * (count + 1));
    char *at = weir__arena_printf(&redrive->batch, "%s:%d:%" PRId64, redrive->at->topic, redrive->at->partition,
                                  redrive->at->offset);
    struct weir__raw record = *raw;

    if (headers == NULL || at == NULL)
        return WEIR_NO_MEMORY;
    if (count > 0)
        memcpy(headers, raw->headers, sizeof(*headers) * count);
    headers[count] = (struct weir_header){ .name = WEIR__REDRIVEN_HEADER, .value = BYTES(at, strlen(at)) };
    record.headers = headers;
    record.header_count = count + 1;
    record.topic = redrive->dlq->filter.to != NULL ? redrive->dlq->filter.to : redrive->letter->source.topic;
    record.partition = redrive->dlq->filter.to != NULL ? -1 : redrive->letter->source.partition;
    return weir__raw_copy(&record, &redrive->batch, ret);
}

static int add_record(struct redrive *redrive, const struct weir__raw *raw, int64_t offset)
{
    struct record *record;
    char          *topic = weir__arena_printf(&redrive->batch, "%s", redrive->letter->source.topic);

    if (topic == NULL || GROW(redrive->records, redrive->record_capacity, redrive->record_count) < 0)
        return WEIR_NO_MEMORY;
    record = &redrive->records[redrive->record_count];
    *record = (struct record){ .source = { topic, redrive->letter->source.partition }, .offset = offset };
    if (copy_record(redrive, raw, &record->raw) < 0)
        return WEIR_NO_MEMORY;
    redrive->record_count++;
    redrive->bytes += raw->key.size + raw->value.size;
    return note(redrive, record, &redrive->ours);
}

static int give(struct redrive *redrive, const struct weir__raw *raw, int64_t offset, struct weir_error *reterr)
{
    int err = add_record(redrive, raw, offset);

    if (err < 0)
        return weir__fail(reterr, err, redrive->topic, "out of memory");
    if (redrive->record_count < RECORDS_AT_ONCE && redrive->bytes < BYTES_AT_ONCE)
        return WEIR_OK;
    return commit(redrive, reterr);
}

/* ---- records that are read again ---- */

static int take_source(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct redrive *redrive = arg;

    if (raw->offset > redrive->wanted.items[redrive->wanted.count - 1].last) {
        redrive->past = true;
        return weir__fail(reterr, WEIR_AGAIN, raw->topic, "that is all"); /* ends the reading */
    }
    if (!weir__runs_has(&redrive->wanted, raw->offset))
        return WEIR_OK;
    redrive->found++;
    return give(redrive, raw, raw->offset, reterr);
}

static int read_source(struct redrive *redrive, struct weir_error *reterr)
{
    struct weir__tp tp = source_of(redrive);
    int32_t         count;
    int             err = weir__dlq_partitions(redrive->dlq, tp.topic, &count, reterr);

    redrive->found = 0;
    redrive->past = false;
    if (err == WEIR_OK && tp.partition < count)
        err = weir__read_partition(redrive->dlq->looked.engine, redrive->dlq->looked.log, tp,
                                   redrive->wanted.items[0].first, take_source, redrive, reterr);
    if (err == WEIR_AGAIN && redrive->past)
        err = WEIR_OK;
    if (err == WEIR_OK)
        redrive->counts.gone += (uint64_t)weir__runs_total(&redrive->wanted) - redrive->found;
    return err;
}

/* ---- a letter ---- */

/* Of its offsets those that were not sent yet. */
static int find_wanted(struct redrive *redrive, struct weir_error *reterr)
{
    const struct weir__runs *runs = &redrive->letter->offsets;
    int                      err = WEIR_OK;

    redrive->wanted.count = 0;
    for (size_t i = 0; err == WEIR_OK && i < runs->count; i++)
        for (int64_t offset = runs->items[i].first; err == WEIR_OK && offset <= runs->items[i].last; offset++) {
            if (is_done(redrive, offset))
                redrive->counts.before++;
            else
                err = weir__runs_add(&redrive->wanted, offset, offset);
        }
    return err < 0 ? weir__fail(reterr, err, redrive->topic, "out of memory") : WEIR_OK;
}

static int take_letter(void *arg, const struct weir__raw *at, struct weir__read_letter *letter,
                       struct weir_error *reterr)
{
    struct redrive *redrive = arg;
    int             err;

    if ((size_t)at->partition >= redrive->read_count || at->offset >= redrive->read[at->partition])
        return WEIR_OK; /* it came while we were at work */
    redrive->counts.letters += (uint64_t)letter->count;
    if (letter->none) {
        redrive->counts.none++;
        return WEIR_OK;
    }
    redrive->at = at;
    redrive->letter = letter;
    err = find_wanted(redrive, reterr);
    if (err < 0 || redrive->wanted.count == 0)
        return err;
    return letter->bare ? read_source(redrive, reterr)
                        : give(redrive, &letter->source, letter->source.offset, reterr);
}

/* ---- a topic ---- */

static int find_ends(struct redrive *redrive, struct weir_error *reterr)
{
    const struct weir__dlq *dlq = redrive->dlq;
    int32_t                 count;
    int                     err = weir__dlq_partitions(dlq, redrive->topic, &count, reterr);

    if (err < 0)
        return err;
    redrive->read = weir_arena_alloc(&redrive->arena, sizeof(*redrive->read) * ((size_t)count + 1));
    if (redrive->read == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, redrive->topic, "out of memory");
    redrive->read_count = (size_t)count;
    for (int32_t i = 0; i < count; i++) {
        struct weir__ends ends;

        err = dlq->looked.engine->ends(dlq->looked.log, (struct weir__tp){ redrive->topic, i },
                                       weir__dlq_call_by(dlq), &ends);
        if (err < 0)
            return weir__fail(reterr, err, redrive->topic, "the topic does not tell its ends: %s",
                              weir_code_text(err));
        redrive->read[i] = ends.stable;
    }
    return WEIR_OK;
}

/* From here on nobody else sends letters of the topic again. */
static int open_producer(struct redrive *redrive, struct weir_error *reterr)
{
    const struct weir__dlq  *dlq = redrive->dlq;
    const struct weir__topic notes = { .name = redrive->notes,
                                       .partitions = 1,
                                       .settings = weir__user_topic_settings };
    int                      err;

    if (redrive->dry)
        return WEIR_OK;
    err = dlq->looked.engine->ensure(dlq->looked.log, &notes, 1, weir__dlq_call_by(dlq), NULL, NULL, reterr);
    while (err == WEIR_OK) {
        err = dlq->looked.engine->producer(dlq->looked.log, redrive->id, weir__dlq_call_by(dlq), &redrive->producer,
                                           reterr);
        if (err != WEIR_AGAIN)
            break;
        err = WEIR_OK;
    }
    return err;
}

static int redrive_topic(struct redrive *redrive, struct weir_error *reterr)
{
    int err;

    redrive->notes = weir__dlq_done_topic(redrive->topic, &redrive->arena);
    redrive->id = redrive->notes;
    if (redrive->notes == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, redrive->topic, "out of memory");
    if (!weir__legal_name(redrive->notes))
        return weir__fail(reterr, WEIR_BAD_NAME, redrive->notes, "the name is too long for a topic");
    err = open_producer(redrive, reterr);
    if (err == WEIR_OK)
        err = weir__dlq_done_read(redrive->dlq, redrive->topic, &redrive->done, reterr);
    if (err == WEIR_OK)
        err = find_ends(redrive, reterr);
    if (err == WEIR_OK)
        err = weir__dlq_read(redrive->dlq, redrive->topic, take_letter, redrive, reterr);
    return err == WEIR_OK ? commit(redrive, reterr) : err;
}

static void add_counts(struct counts *all, const struct counts *counts)
{
    all->letters += counts->letters;
    all->sent += counts->sent;
    all->before += counts->before;
    all->gone += counts->gone;
    all->refused += counts->refused;
    all->none += counts->none;
}

static void end_topic(struct redrive *redrive)
{
    redrive->dlq->looked.engine->producer_close(redrive->producer);
    redrive->producer = NULL;
    weir__dlq_done_fini(&redrive->done);
    weir__dlq_done_fini(&redrive->ours);
    redrive->done = redrive->ours = (struct weir__dlq_done){ 0 };
    add_counts(&redrive->all, &redrive->counts);
    redrive->counts = (struct counts){ 0 };
    redrive->record_count = redrive->bytes = 0;
    weir__arena_reset(&redrive->batch);
    weir__arena_reset(&redrive->arena);
}

/* ---- the whole ---- */

static void print_summary(const struct redrive *redrive)
{
    const struct counts *all = &redrive->all;

    printf("%" PRIu64 " dead letters: %" PRIu64 " records %s%s%s, %" PRIu64 " were before, %" PRIu64
           " are no longer there, %" PRIu64 " are refused, %" PRIu64 " letters are of no record\n",
           all->letters, all->sent, redrive->dry ? "would be sent again" : "sent again",
           redrive->dlq->filter.to != NULL ? " to " : "",
           redrive->dlq->filter.to != NULL ? redrive->dlq->filter.to : "", all->before, all->gone, all->refused,
           all->none);
    if (redrive->dlq->strange > 0)
        printf("note: %" PRIu64 " records of the topics are no dead letters\n", redrive->dlq->strange);
    if (all->refused > 0)
        printf("note: %s\n", redrive->refusal.text);
}

int weir__dlq_redrive(struct weir__dlq *dlq, const struct weir__args *args, uint64_t *ret_left,
                      struct weir_error *reterr)
{
    struct redrive redrive = { .dlq = dlq,
                               .dry = weir__args_has(args, "dry-run"),
                               .again = weir__args_has(args, "again") };
    int            err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < dlq->topics.count; i++) {
        redrive.topic = dlq->topics.names[i];
        err = redrive_topic(&redrive, reterr);
        end_topic(&redrive);
    }
    if (err == WEIR_OK)
        print_summary(&redrive);
    *ret_left = redrive.all.gone + redrive.all.refused;
    weir__runs_fini(&redrive.wanted);
    weir__arena_fini(&redrive.batch);
    weir__arena_fini(&redrive.arena);
    weir__free(redrive.records);
    return err;
}
