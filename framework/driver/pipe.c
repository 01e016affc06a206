/* pipe.c: records into the driver, and its loop: take, process, commit, let records in again. */
#include "framework/driver/internal.h"

bool weir__driver_is_input(const struct weir_driver *driver, const char *topic)
{
    for (size_t i = 0; i < weir__task_inputs(driver->task); i++)
        if (strcmp(weir__task_input(driver->task, i), topic) == 0)
            return true;
    return false;
}

bool weir__driver_is_global(const struct weir_driver *driver, const char *topic)
{
    const char *name;

    for (size_t i = 0; driver->globals != NULL && (name = weir__globals_topic(driver->globals, i)) != NULL; i++)
        if (strcmp(name, topic) == 0)
            return true;
    return false;
}

/* ---- in ---- */

int weir__driver_apply_global(struct weir_driver *driver, const struct weir__raw *raw, struct weir_error *reterr)
{
    return weir__globals_apply(driver->globals, raw,
                               driver->on_unreadable == WEIR__CONTINUE ? WEIR__CONTINUE : WEIR__FAIL, reterr);
}

/* Kept first: what cannot be applied now is in the topic all the same. */
static int follow(struct weir_driver *driver, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct weir__raw *copy = weir_arena_alloc(&driver->arena, sizeof(*copy));

    if (copy == NULL || weir__raw_copy(raw, &driver->arena, copy) < 0 ||
        GROW(driver->followed, driver->followed_capacity, driver->followed_count) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, raw->topic, "no memory for a record");
    driver->followed[driver->followed_count++] = copy;
    return weir__driver_apply_global(driver, copy, reterr);
}

int weir__driver_enter(struct weir_driver *driver, const struct weir__raw *raw, struct weir_error *reterr)
{
    if (weir__driver_is_global(driver, raw->topic))
        return follow(driver, raw, reterr);
    if (!weir__driver_is_input(driver, raw->topic))
        return WEIR_OK;
    if (weir__task_add(driver->task, raw, 1) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, raw->topic, "no memory for a record");
    return WEIR_OK;
}

/* Records just sent to topics that are also read. */
static int reenter(struct weir_driver *driver, struct weir_error *reterr)
{
    while (driver->entered < driver->sent_count) {
        const struct weir__sent *sent = driver->sent[driver->entered++];
        int                      err = WEIR_OK;

        if (sent->as != WEIR__TO_CHANGELOG)
            err = weir__driver_enter(driver, &sent->raw, reterr);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static int64_t sent_to(void *arg, struct weir__tp tp)
{
    const struct weir__driver_topic *topic = weir__driver_topic_of(arg, tp.topic, true, false);

    return topic != NULL ? (int64_t)topic->count : -1;
}

/* Makes the other list of offsets, which counts once the commit is made. It outlives the task. */
static int list_offsets(struct weir_driver *driver, struct weir__kept *next)
{
    weir__arena_reset(&next->arena);
    next->items = weir__arena_take(&next->arena, sizeof(*next->items) * (weir__task_inputs(driver->task) + 1));
    if (next->items == NULL || weir__task_offsets(driver->task, &next->arena, next->items, &next->count) < 0)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < next->count; i++) {
        const char *topic = next->items[i].tp.topic;

        next->items[i].tp.topic = weir__arena_copy(&next->arena, topic, strlen(topic) + 1);
        if (next->items[i].tp.topic == NULL)
            return WEIR_NO_MEMORY;
    }
    return WEIR_OK;
}

/* As the log would: sends and offsets are one thing, and the stores' batch comes after it. */
static int commit(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = weir__task_flush(driver->task, reterr);

    if (err < 0)
        return err;
    if (list_offsets(driver, &driver->kept[!driver->now_kept]) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, driver->plan->topology->name, "no memory for a commit");
    driver->now_kept = !driver->now_kept;
    driver->visible = driver->sent_count;
    return weir__task_committed(driver->task, sent_to, driver, false, reterr);
}

int weir__driver_run(struct weir_driver *driver, struct weir_error *reterr)
{
    size_t done = 1;
    int    err = WEIR_OK;

    while (err == WEIR_OK && done > 0) {
        err = weir__task_process(driver->task, 1, &done, reterr);
        if (err == WEIR_OK)
            err = commit(driver, reterr);
        if (err == WEIR_OK)
            err = reenter(driver, reterr);
    }
    return err;
}

/* A failure ends the driver's run: as a task that failed, it takes no more records. */
int weir__driver_end(struct weir_driver *driver, int err)
{
    if (err == WEIR_OK)
        return WEIR_OK;
    driver->failed = true;
    if (driver->config.exactly_once)
        weir__driver_forget_uncommitted(driver);
    return err;
}

bool weir_driver_failed(const struct weir_driver *driver) { return driver->failed; }

static int check_open(const struct weir_driver *driver, struct weir_error *reterr)
{
    if (!driver->closed && !driver->failed)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_STATE, driver->plan->topology->name, "the driver has %s",
                      driver->closed ? "been closed: open another one" : "failed: only weir_driver_crash goes on");
}

/* Keeps the record for a crash, and gives it its place in its topic. */
static int take_in(struct weir_driver *driver, const struct weir__raw *raw)
{
    struct weir__driver_topic *topic = weir__driver_topic_of(driver, raw->topic, false, true);

    driver->piped.topic = NULL;
    weir__arena_reset(&driver->piped_arena);
    if (topic == NULL || weir__raw_copy(raw, &driver->piped_arena, &driver->piped) < 0)
        return WEIR_NO_MEMORY;
    driver->piped.offset = topic->next_offset++;
    return WEIR_OK;
}

int weir_driver_pipe(struct weir_driver *driver, const char *topic, struct weir_bytes key, struct weir_bytes value,
                     int64_t timestamp, const struct weir_header *headers, size_t header_count,
                     struct weir_error *reterr)
{
    struct weir__raw raw = { .topic = topic,
                             .timestamp = timestamp,
                             .key = key,
                             .value = value,
                             .headers = headers,
                             .header_count = header_count };
    int              err = check_open(driver, reterr);

    if (err < 0)
        return err;
    if (!weir__driver_is_input(driver, topic) && !weir__driver_is_global(driver, topic))
        return weir__fail(reterr, WEIR_NOTFOUND, topic, "no source of topology %s reads this topic",
                          driver->plan->topology->name);
    if (take_in(driver, &raw) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, topic, "no memory for a record: it was not taken");
    err = weir__driver_enter(driver, &driver->piped, reterr);
    return weir__driver_end(driver, err == WEIR_OK ? weir__driver_run(driver, reterr) : err);
}

/* ---- as JSON ---- */

static const struct weir__node *source_of(const struct weir_driver *driver, const char *topic)
{
    for (size_t i = 0; i < driver->plan->node_count; i++) {
        const struct weir__node *node = driver->plan->nodes[i];

        for (size_t j = 0; node->op == WEIR__SOURCE && !node->internal && j < node->topic_count; j++)
            if (strcmp(node->topics[j], topic) == 0)
                return node;
    }
    return NULL;
}

static int parse_side(const char *side, const struct weir_codec *codec, const char *text, struct weir_arena *arena,
                      struct weir_bytes *ret, struct weir_error *reterr)
{
    const struct weir_json *json;
    int                     err;

    *ret = NO_BYTES;
    if (text == NULL)
        return WEIR_OK;
    err = weir_json_parse(arena, (struct weir_text){ .data = text, .size = strlen(text) }, &json, reterr);
    return err < 0 ? err : weir__bytes_parse(side, json, codec, arena, ret, reterr);
}

int weir_driver_pipe_json(struct weir_driver *driver, const char *topic, const char *key, const char *value,
                          int64_t timestamp, const struct weir_header *headers, size_t header_count,
                          struct weir_error *reterr)
{
    AUTO(weir__arena_fini) struct weir_arena arena = { 0 };
    const struct weir__node                 *source = source_of(driver, topic);
    struct weir_bytes                        sides[2];
    int                                      err;

    if (source == NULL)
        return weir__fail(reterr, WEIR_NOTFOUND, topic, "no source of topology %s reads this topic",
                          driver->plan->topology->name);
    err = parse_side("key", source->key_out, key, &arena, &sides[0], reterr);
    if (err == WEIR_OK)
        err = parse_side("value", source->value_out, value, &arena, &sides[1], reterr);
    return err < 0 ? err
                   : weir_driver_pipe(driver, topic, sides[0], sides[1], timestamp, headers, header_count, reterr);
}

/* ---- time and end ---- */

/* Commits what was done between records, and goes on from it. */
static int settle(struct weir_driver *driver, int err, struct weir_error *reterr)
{
    if (err == WEIR_OK)
        err = commit(driver, reterr);
    if (err == WEIR_OK)
        err = reenter(driver, reterr);
    return weir__driver_end(driver, err == WEIR_OK ? weir__driver_run(driver, reterr) : err);
}

/* What is uncommitted bounds how much is done at once. */
static int punctuate(struct weir_driver *driver, struct weir_error *reterr)
{
    int err;

    for (size_t i = 0; i < weir__task_inputs(driver->task); i++)
        weir__task_lag(driver->task, weir__task_input(driver->task, i), 0);
    err = weir__task_punctuate(driver->task, reterr);
    while (err == WEIR_OK && weir__task_ticks(driver->task)) {
        err = commit(driver, reterr);
        if (err == WEIR_OK)
            err = weir__task_punctuate(driver->task, reterr);
    }
    return err;
}

int weir_driver_advance(struct weir_driver *driver, int64_t ms, struct weir_error *reterr)
{
    int err = check_open(driver, reterr);

    if (err < 0)
        return err;
    if (ms < 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "weir_driver_advance", "time goes forward only, not by %lld ms",
                          (long long)ms);
    driver->now = weir__time_add(driver->now, ms);
    return settle(driver, punctuate(driver, reterr), reterr);
}

int weir_driver_finish(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = check_open(driver, reterr);

    return err < 0 ? err : settle(driver, weir__task_close_windows(driver->task, reterr), reterr);
}

int weir_driver_close(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (driver->closed)
        return WEIR_OK;
    if (!driver->failed)
        err = weir__driver_end(driver, commit(driver, reterr));
    driver->closed = err == WEIR_OK;
    return err;
}
