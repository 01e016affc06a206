/* dlq_list.c: `dlq list`: dead letters by stage and code, then each of them.
 *
 * (1) A topic is read twice, for it may hold more letters than memory does: what comes in between is in the second half alone.
 */
#include "framework/main/dlq.h"
#include "framework/main/explain.h"

#include <inttypes.h>

struct kind {
    char   *stage, *code, *message;
    int64_t letters, records, folded, redriven;
    int64_t first, last;
};

struct totals {
    int64_t letters, records;
};

struct listing {
    struct weir__dlq     *dlq;
    const char           *topic;
    struct weir__dlq_done done;
    struct kind          *kinds;
    size_t                kind_count, kind_capacity;
    bool                  json;
    struct weir__buf      line;
};

/* ---- by stage and code ---- */

static bool is_text(const char *text, struct weir_text other)
{
    return strlen(text) == other.size && (other.size == 0 || memcmp(text, other.data, other.size) == 0);
}

static char *copy_text(struct weir_text text)
{
    char *copy = weir__alloc(text.size + 1);

    if (copy == NULL)
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static struct kind *kind_of(struct listing *listing, const struct weir__read_letter *letter)
{
    struct kind *kind;

    for (size_t i = 0; i < listing->kind_count; i++)
        if (is_text(listing->kinds[i].code, letter->code) && is_text(listing->kinds[i].stage, letter->stage))
            return &listing->kinds[i];
    if (GROW(listing->kinds, listing->kind_capacity, listing->kind_count) < 0)
        return NULL;
    kind = &listing->kinds[listing->kind_count++];
    *kind = (struct kind){
        .stage = copy_text(letter->stage), .code = copy_text(letter->code), .first = INT64_MAX, .last = INT64_MIN
    };
    return kind->stage != NULL && kind->code != NULL ? kind : NULL;
}

static int64_t count_redriven(const struct listing *listing, const struct weir__raw *at,
                              const struct weir__read_letter *letter)
{
    struct weir__tp source = { letter->source.topic, letter->source.partition };
    int64_t         count = 0;

    for (size_t i = 0; listing->done.count > 0 && i < letter->offsets.count; i++)
        for (int64_t offset = letter->offsets.items[i].first; offset <= letter->offsets.items[i].last; offset++)
            count += weir__dlq_done_has(&listing->done, at, source, offset, true, NULL);
    return count;
}

static int count_letter(void *arg, const struct weir__raw *at, struct weir__read_letter *letter,
                        struct weir_error *reterr)
{
    struct listing *listing = arg;
    struct kind    *kind = kind_of(listing, letter);
    char           *message = copy_text(letter->message);

    if (kind == NULL || message == NULL) {
        weir__free(message);
        return weir__fail(reterr, WEIR_NO_MEMORY, "dlq", "out of memory");
    }
    kind->letters += letter->count;
    kind->folded += letter->folded ? letter->count : 0;
    kind->records += weir__runs_total(&letter->offsets);
    kind->redriven += count_redriven(listing, at, letter);
    kind->first = MIN(kind->first, letter->first_failed);
    if (letter->last_failed >= kind->last) {
        char *before = kind->message;

        kind->last = letter->last_failed;
        kind->message = message;
        message = before;
    }
    weir__free(message);
    return WEIR_OK;
}

/* ---- printed ---- */

static int print_line(struct listing *listing, struct weir_error *reterr)
{
    bool good = weir__buf_ok(&listing->line);

    if (good)
        fwrite(listing->line.data, 1, listing->line.size, stdout);
    weir__buf_reset(&listing->line);
    return good ? WEIR_OK : weir__fail(reterr, WEIR_NO_MEMORY, "dlq", "out of memory");
}

static void end_json(struct listing *listing, struct weir_json_out *json)
{
    weir_json_end_object(json);
    weir__buf_add(&listing->line, json->buf.data, json->buf.size);
    weir__buf_putc(&listing->line, '\n');
    listing->line.failed |= !weir__buf_ok(&json->buf);
    weir__json_out_fini(json);
}

static void put_kind_json(struct listing *listing, const struct kind *kind)
{
    struct weir_json_out json = { 0 };

    weir_json_begin_object(&json);
    weir__json_member_text(&json, "topic", listing->topic);
    weir__json_member_text(&json, "stage", kind->stage);
    weir__json_member_text(&json, "code", kind->code);
    weir__json_member_int(&json, "letters", kind->letters);
    weir__json_member_int(&json, "folded", kind->folded);
    weir__json_member_int(&json, "records", kind->records);
    weir__json_member_int(&json, "redriven", kind->redriven);
    weir__json_member_int(&json, "first_failed", kind->first);
    weir__json_member_int(&json, "last_failed", kind->last);
    weir__json_member_text(&json, "message", kind->message);
    end_json(listing, &json);
}

static void put_kind(struct listing *listing, const struct kind *kind)
{
    struct weir__buf *line = &listing->line;

    weir__buf_printf(line, "  %" PRId64 " %s at %s", kind->letters, kind->code, kind->stage);
    if (kind->folded > 0)
        weir__buf_printf(line, " (%" PRId64 " of them folded)", kind->folded);
    weir__buf_printf(line, ", of %" PRId64 " records, %" PRId64 " of them sent again; from ", kind->records,
                     kind->redriven);
    weir__explain_time(kind->first, line);
    weir__buf_puts(line, " to ");
    weir__explain_time(kind->last, line);
    weir__buf_printf(line, "; the last one says: %s\n", kind->message);
}

static int print_kinds(struct listing *listing, struct totals *totals, struct weir_error *reterr)
{
    int64_t letters = 0, records = 0;

    for (size_t i = 0; i < listing->kind_count; i++) {
        letters += listing->kinds[i].letters;
        records += listing->kinds[i].records;
    }
    totals->letters += letters;
    totals->records += records;
    if (!listing->json)
        weir__buf_printf(&listing->line, "%s: %" PRId64 " dead letters of %" PRId64 " records, %zu kinds\n",
                         listing->topic, letters, records, listing->kind_count);
    for (size_t i = 0; i < listing->kind_count; i++)
        (listing->json ? put_kind_json : put_kind)(listing, &listing->kinds[i]);
    return print_line(listing, reterr);
}

static void put_letter_json(struct listing *listing, const struct weir__raw *at,
                            const struct weir__read_letter *letter)
{
    struct weir_json_out json = { 0 };

    weir_json_begin_object(&json);
    weir__json_member_text(&json, "topic", at->topic);
    weir__json_member_int(&json, "partition", at->partition);
    weir__json_member_int(&json, "offset", at->offset);
    weir__json_member_int(&json, "redriven", count_redriven(listing, at, letter));
    weir_json_name(&json, "letter");
    weir__buf_add(weir__json_put_raw(&json), at->value.data, at->value.size);
    end_json(listing, &json);
}

static void put_source(struct weir__buf *line, const struct weir__read_letter *letter)
{
    const struct weir__runs *runs = &letter->offsets;

    if (runs->count == 0) {
        weir__buf_puts(line, "of no record");
        return;
    }
    weir__buf_printf(line, "of %s:%d:%" PRId64, letter->source.topic, letter->source.partition, runs->items[0].first);
    if (letter->folded)
        weir__buf_printf(line, "-%" PRId64 " (%" PRId64 " records)", runs->items[runs->count - 1].last,
                         weir__runs_total(runs));
}

static void put_letter(struct listing *listing, const struct weir__raw *at, const struct weir__read_letter *letter)
{
    struct weir__buf *line = &listing->line;
    int64_t           redriven = count_redriven(listing, at, letter);

    weir__buf_printf(line, "    %d:%" PRId64 " ", at->partition, at->offset);
    put_source(line, letter);
    weir__buf_puts(line, " at ");
    weir__explain_time(letter->last_failed, line);
    weir__buf_printf(line, " %.*s at %.*s", (int)letter->code.size, letter->code.data, (int)letter->stage.size,
                     letter->stage.data);
    if (letter->tenant.data != NULL)
        weir__buf_printf(line, ", tenant %.*s", (int)letter->tenant.size, letter->tenant.data);
    if (redriven > 0)
        weir__buf_printf(line, ", %" PRId64 " sent again", redriven);
    weir__buf_printf(line, ": %.*s\n", (int)letter->message.size,
                     letter->message.data != NULL ? letter->message.data : "");
}

static int print_letter(void *arg, const struct weir__raw *at, struct weir__read_letter *letter,
                        struct weir_error *reterr)
{
    struct listing *listing = arg;

    (listing->json ? put_letter_json : put_letter)(listing, at, letter);
    return print_line(listing, reterr);
}

/* ---- the whole ---- */

static int list_topic(struct listing *listing, bool each, struct totals *totals, struct weir_error *reterr)
{
    int err = weir__dlq_done_read(listing->dlq, listing->topic, &listing->done, reterr);

    if (err == WEIR_OK)
        err = weir__dlq_read(listing->dlq, listing->topic, count_letter, listing, reterr);
    if (err == WEIR_OK)
        err = print_kinds(listing, totals, reterr);
    if (err == WEIR_OK && each)
        err = weir__dlq_read(listing->dlq, listing->topic, print_letter, listing, reterr);
    return err;
}

static void fini(struct listing *listing)
{
    for (size_t i = 0; i < listing->kind_count; i++) {
        weir__free(listing->kinds[i].stage);
        weir__free(listing->kinds[i].code);
        weir__free(listing->kinds[i].message);
    }
    weir__free(listing->kinds);
    weir__dlq_done_fini(&listing->done);
    weir__buf_fini(&listing->line);
}

int weir__dlq_list(struct weir__dlq *dlq, const struct weir__args *args, struct weir_error *reterr)
{
    struct totals totals = { 0 };
    bool          json = weir__args_has(args, "json");
    int           err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < dlq->topics.count; i++) {
        struct listing listing = { .dlq = dlq, .topic = dlq->topics.names[i], .json = json };

        err = list_topic(&listing, !weir__args_has(args, "summary"), &totals, reterr);
        fini(&listing);
    }
    if (err == WEIR_OK && !json && dlq->topics.count > 1)
        printf("%zu topics: %" PRId64 " dead letters of %" PRId64 " records\n", dlq->topics.count, totals.letters,
               totals.records);
    return err;
}
