/* loading.c: published market files into the raw topics, each row once.
 *
 * (1) How far each file is loaded is committed with its rows, as a record of MARKET_LOAD_PROGRESS_TOPIC: a kill leaves
 *     both or neither, a file loaded twice adds nothing, one that has grown sends what is new.
 * (2) One process loads at a time, since files are sent in the order of their times: a second one fences the first
 *     before it reads how far that one has come.
 */
#include "topologies/commands.h"

#include <stdlib.h>

#define PRODUCER_ID    "market-load"
#define EVENTS_AT_ONCE 2000
#define BYTES_AT_ONCE  ((size_t)4 << 20)
#define CALL_MS        10000

struct sending {
    const struct weir__load_config *config;
    const char *const              *paths;
    size_t                          count;
    struct market_load             *load;
    struct weir__producer          *producer;
    bool                            dry;
    bool                           *touched; /* files with events that are not committed */
    size_t                          events, bytes;
    uint64_t                        sent;
    int                             shown; /* per cent */
};

static int64_t call_by(const struct sending *sending)
{
    return sending->config->engine->now(sending->config->log) + CALL_MS;
}

static bool must_stop(const struct sending *sending)
{
    return sending->config->stop != NULL && atomic_load(sending->config->stop);
}

/* ---- topics ---- */

struct checking {
    bool               warns;
    struct weir_error *reterr;
    int                err;
};

/* A raw topic that is there with settings by which it would delete or refuse events of other years. */
static int check_topic(void *arg, const char *topic, const char *setting, bool loses, const char *wanted,
                       const char *found)
{
    struct checking *checking = arg;

    if (checking->err < 0 || !loses)
        return WEIR_OK;
    if (!checking->warns)
        checking->err = weir__topic_fail_losing(topic, setting, wanted, found, true, checking->reterr);
    else
        weir__topic_say_differs(topic, setting, wanted, found);
    return WEIR_OK;
}

/* One topic for each market's raw events, and the progress. */
static int ensure_topics(const struct sending *sending, const struct weir__config *settings,
                         struct weir_error *reterr)
{
    static const char *const compacted[] = { "cleanup.policy=compact", NULL };
    int32_t                  partitions = weir__topics_partitions(settings, sending->config->engine);
    struct weir__topic       topics[64] = {
              { .name = MARKET_LOAD_PROGRESS_TOPIC, .partitions = 1, .settings = compacted }
    };
    struct checking checking = { .warns = strcmp(weir__config_text(settings, "topics.check"), "warn") == 0,
                                 .reterr = reterr };
    size_t          count = 1;
    int             err;

    for (size_t i = 0; market_rules_at(i) != NULL && count < ARRAY_SIZE(topics); i++) {
        bool known = false;

        for (size_t j = 1; j < count; j++)
            known = known || strcmp(topics[j].name, market_rules_at(i)->topic) == 0;
        if (!known)
            topics[count++] = (struct weir__topic){ .name = market_rules_at(i)->topic,
                                                    .partitions = partitions,
                                                    .settings = weir__user_topic_settings };
    }
    err = sending->config->engine->ensure(sending->config->log, topics, count, call_by(sending), check_topic,
                                          &checking, reterr);
    return err == WEIR_OK ? checking.err : err;
}

/* ---- what was loaded before ---- */

static int take_known(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct sending *sending = arg;
    int             err = raw->value.data != NULL ? market_load_known(sending->load, raw->value) : WEIR_OK;

    if (err < 0)
        return weir__fail(reterr, err, MARKET_LOAD_PROGRESS_TOPIC,
                          "what was loaded before cannot be read at offset %lld: %s", (long long)raw->offset,
                          market_reason_text(err));
    return WEIR_OK;
}

static int learn_known(struct sending *sending, struct weir_error *reterr)
{
    struct weir__tp tp = { .topic = MARKET_LOAD_PROGRESS_TOPIC, .partition = 0 };
    int32_t         count = 0;
    int             err = WEIR_NOTFOUND;

    if (sending->config->log != NULL)
        err = sending->config->engine->partitions(sending->config->log, tp.topic, call_by(sending), &count);
    if (err == WEIR_NOTFOUND && sending->dry)
        return WEIR_OK;
    if (err < 0)
        return weir__fail(reterr, err, tp.topic, "the topic cannot be read: %s", weir_code_text(err));
    return weir__read_partition(sending->config->engine, sending->config->log, tp, 0, take_known, sending, reterr);
}

/* ---- sending ---- */

static int send_raw(struct sending *sending, const struct weir__raw *raw)
{
    return sending->config->engine->send(sending->producer, raw, 0);
}

/* How far a file is, behind its events. */
static int send_progress(struct sending *sending, size_t file)
{
    struct weir__buf key = { 0 }, value = { 0 };
    int              err = market_load_progress(sending->load, file, &key, &value);
    struct weir__raw raw = { .topic = MARKET_LOAD_PROGRESS_TOPIC,
                             .partition = 0,
                             .timestamp = sending->config->engine->now(sending->config->log),
                             .key = BYTES(key.data, key.size),
                             .value = BYTES(value.data, value.size) };

    if (err == WEIR_OK)
        err = send_raw(sending, &raw);
    weir__buf_fini(&key);
    weir__buf_fini(&value);
    return err;
}

static int fail_commit(int code, struct weir_error *reterr)
{
    if (code == WEIR_FENCED)
        return weir__fail(reterr, code, "load",
                          "another process has begun to load market files: let it finish, then load these again");
    return weir__fail(reterr, code, "load", "the events cannot be committed: %s; load the files again",
                      weir_code_text(code));
}

static int commit(struct sending *sending, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < sending->count; i++) {
        if (sending->touched[i])
            err = send_progress(sending, i);
        sending->touched[i] = false;
    }
    weir__crash_at(WEIR__BEFORE_LOAD);
    while (err == WEIR_OK) {
        err = sending->config->engine->commit(sending->producer, PRODUCER_ID, NULL, 0, NULL, 0, call_by(sending));
        if (err != WEIR_AGAIN)
            break;
        err = WEIR_OK;
    }
    if (err < 0)
        return fail_commit(err, reterr);
    weir__crash_at(WEIR__AFTER_LOAD);
    sending->sent += sending->events;
    sending->events = sending->bytes = 0;
    return WEIR_OK;
}

static int fail_row(const struct sending *sending, const struct market_raw *event, int code,
                    struct weir_error *reterr)
{
    char where[160];

    snprintf(where, sizeof(where), "%.120s: row %llu", sending->paths[event->file], (unsigned long long)event->row);
    if (code == WEIR_TOO_LARGE)
        return weir__fail(reterr, code, where,
                          "the event of %zu bytes is more than max.record.bytes: raise that, or mend the row",
                          event->value.size);
    return weir__fail(reterr, code, where, "the log refuses the event: %s", weir_code_text(code));
}

static int send_event(struct sending *sending, const struct market_raw *event, struct weir_error *reterr)
{
    struct weir__raw raw = { .topic = event->topic,
                             .partition = -1,
                             .timestamp = event->timestamp,
                             .key = event->key.size > 0 ? event->key : NO_BYTES,
                             .value = event->value,
                             .headers = event->headers,
                             .header_count = event->header_count };
    int              err = send_raw(sending, &raw);

    if (err < 0)
        return err == WEIR_FENCED ? fail_commit(err, reterr) : fail_row(sending, event, err, reterr);
    sending->touched[event->file] = true;
    sending->events++;
    sending->bytes += raw.key.size + raw.value.size;
    return WEIR_OK;
}

static int send_all(struct sending *sending, struct weir_error *reterr)
{
    struct market_raw event;
    int               err = WEIR_OK;

    while (!must_stop(sending) && (err = market_load_next(sending->load, &event, reterr)) == WEIR_OK) {
        err = send_event(sending, &event, reterr);
        if (err == WEIR_OK && (sending->events >= EVENTS_AT_ONCE || sending->bytes >= BYTES_AT_ONCE))
            err = commit(sending, reterr);
        if (err < 0)
            return err;
    }
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    err = commit(sending, reterr);
    return err == WEIR_OK && must_stop(sending) ? WEIR_AGAIN : err;
}

/* What would be sent: the first reading of the files has said it. */
static void count_all(struct sending *sending)
{
    struct market_load_file file;

    for (size_t i = 0; i < sending->count; i++) {
        market_load_file(sending->load, i, &file);
        sending->sent += file.refused ? 0 : file.events;
    }
}

/* ---- what is said ---- */

static void show_progress(void *arg, int64_t done, int64_t total)
{
    struct sending *sending = arg;
    int             percent = total > 0 ? (int)(done * 100 / total) : 100;
    char            line[120], bar[WEIR__BAR_BYTES];

    if (!weir__shows() || percent == sending->shown)
        return;
    sending->shown = percent;
    snprintf(line, sizeof(line), "load %s  %llu events", weir__bar(done, total, bar),
             (unsigned long long)sending->sent);
    weir__show(line);
}

static void say_file(const struct sending *sending, const struct market_load_file *file)
{
    if (file->refused)
        weir__say(WEIR__WARN, "file-refused", "file", "s", file->path, "code", "s",
                  market_reason_name(file->refusal->code), "why", "s", file->refusal->text, NULL);
    else
        weir__say(WEIR__INFO, sending->dry ? "file-to-load" : "file-loaded", "file", "s", file->path, "market", "s",
                  file->market, "feed", "s", file->data_type != NULL ? file->data_type : file->kind, "rows", "u",
                  file->rows, "events", "u", sending->dry ? file->events : file->sent, "before", "u", file->before,
                  NULL);
}

/* WEIR_REJECTED: some were refused, each was said. WEIR_NOTFOUND: none is there. */
static int say_files(const struct sending *sending, size_t refused, struct weir_error *reterr)
{
    struct market_load_file  file;
    const struct weir_error *first = NULL;

    weir__show(NULL);
    for (size_t i = 0; i < sending->count; i++) {
        market_load_file(sending->load, i, &file);
        say_file(sending, &file);
        if (file.refused && first == NULL)
            first = file.refusal;
    }
    if (refused == 0)
        return WEIR_OK;
    if (refused == sending->count)
        return weir__fail(reterr, first->code == WEIR_NOTFOUND ? WEIR_NOTFOUND : WEIR_REJECTED, first->where,
                          "%s (no file is loaded)", first->text);
    return weir__fail(reterr, WEIR_REJECTED, first->where, "%s (%zu of %zu files refused, the others %s loaded)",
                      first->text, refused, sending->count, sending->dry ? "would be" : "are");
}

/* ---- the whole ---- */

static int open_producer(struct sending *sending, struct weir_error *reterr)
{
    int err;

    do
        err = sending->config->engine->producer(sending->config->log, PRODUCER_ID, call_by(sending),
                                                &sending->producer, reterr);
    while (err == WEIR_AGAIN && !must_stop(sending));
    return err;
}

static int open_all(struct sending *sending, const struct weir__config *settings, size_t *ret_refused,
                    struct weir_error *reterr)
{
    int err = sending->dry ? WEIR_OK : ensure_topics(sending, settings, reterr);

    if (err == WEIR_OK && !sending->dry)
        err = open_producer(sending, reterr);
    if (err == WEIR_OK)
        err = learn_known(sending, reterr);
    if (err == WEIR_OK)
        err = market_load_open(sending->load, sending->paths, sending->count, ret_refused, reterr);
    return err;
}

int market_load_files(const struct weir__load_config *config, const struct weir__config *settings,
                      struct market_load_options *options, const char *const *paths, size_t count, bool dry,
                      uint64_t *ret_sent, struct weir_error *reterr)
{
    struct sending sending = { .config = config, .paths = paths, .count = count, .dry = dry, .shown = -1 };
    size_t         refused = 0;
    int            err;

    options->progress = show_progress;
    options->arg = &sending;
    sending.touched = weir__zalloc(sizeof(*sending.touched) * (count + 1));
    if (sending.touched == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "load", "out of memory");
    err = market_load_new(options, &sending.load, reterr);
    if (err == WEIR_OK)
        err = open_all(&sending, settings, &refused, reterr);
    if (err == WEIR_OK && dry)
        count_all(&sending);
    else if (err == WEIR_OK)
        err = send_all(&sending, reterr);
    if (err == WEIR_OK)
        err = say_files(&sending, refused, reterr);
    *ret_sent = sending.sent;
    config->engine->producer_close(sending.producer);
    market_load_free(sending.load);
    weir__free(sending.touched);
    return err;
}
