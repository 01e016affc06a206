/* pipe.c: records into the driver, and its loop: take, process, commit, let records in again. */
#include "framework/driver/internal.h"

static bool is_input(const struct weir_driver *driver, const char *topic)
{
    for (size_t i = 0; i < weir__task_inputs(driver->task); i++)
        if (strcmp(weir__task_input(driver->task, i), topic) == 0)
            return true;
    return false;
}

static bool is_global(const struct weir_driver *driver, const char *topic)
{
    const char *name;

    for (size_t i = 0; driver->globals != NULL && (name = weir__globals_topic(driver->globals, i)) != NULL; i++)
        if (strcmp(name, topic) == 0)
            return true;
    return false;
}

static int enter(struct weir_driver *driver, const struct weir__raw *raw, struct weir_error *reterr)
{
    if (is_global(driver, raw->topic))
        return weir__globals_apply(driver->globals, raw,
                                   driver->config.on_unreadable == WEIR_CONTINUE ? WEIR__CONTINUE : WEIR__FAIL,
                                   reterr);
    if (!is_input(driver, raw->topic))
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
            err = enter(driver, &sent->raw, reterr);
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

static int keep_offsets(struct weir_driver *driver)
{
    if (driver->offsets == NULL)
        driver->offsets = weir__alloc(sizeof(*driver->offsets) * (weir__task_inputs(driver->task) + 1));
    if (driver->offsets == NULL)
        return WEIR_NO_MEMORY;
    weir__arena_reset(&driver->offset_arena);
    driver->offset_count = weir__task_offsets(driver->task, &driver->offset_arena, driver->offsets);
    return WEIR_OK;
}

static int commit(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = weir__task_flush(driver->task, reterr);

    if (err == WEIR_OK && keep_offsets(driver) < 0)
        err = weir__fail(reterr, WEIR_NO_MEMORY, "commit", "no memory for the offsets");
    if (err == WEIR_OK)
        err = weir__task_committed(driver->task, sent_to, driver, false, reterr);
    if (err == WEIR_OK)
        driver->visible = driver->sent_count;
    return err;
}

static int run(struct weir_driver *driver, struct weir_error *reterr)
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
static int end(struct weir_driver *driver, int err)
{
    if (err == WEIR_OK)
        return WEIR_OK;
    driver->failed = true;
    if (driver->config.exactly_once)
        weir__driver_forget_uncommitted(driver);
    return err;
}

static int check_open(const struct weir_driver *driver, struct weir_error *reterr)
{
    if (!driver->closed && !driver->failed)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_STATE, driver->plan->topology->name, "the driver has %s: open another one",
                      driver->closed ? "been closed" : "failed");
}

int weir_driver_pipe(struct weir_driver *driver, const char *topic, struct weir_bytes key, struct weir_bytes value,
                     int64_t timestamp, const struct weir_header *headers, size_t header_count,
                     struct weir_error *reterr)
{
    struct weir__raw           raw = { .topic = topic,
                                       .timestamp = timestamp,
                                       .key = key,
                                       .value = value,
                                       .headers = headers,
                                       .header_count = header_count };
    struct weir__driver_topic *book;
    int                        err = check_open(driver, reterr);

    if (err < 0)
        return err;
    if (!is_input(driver, topic) && !is_global(driver, topic))
        return weir__fail(reterr, WEIR_NOTFOUND, topic, "no source of topology %s reads this topic",
                          driver->plan->topology->name);
    book = weir__driver_topic_of(driver, topic, false, true);
    if (book == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, topic, "no memory for a record");
    raw.topic = book->name;
    raw.offset = book->next_offset++;
    err = enter(driver, &raw, reterr);
    return end(driver, err == WEIR_OK ? run(driver, reterr) : err);
}

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

static int parse_side(const struct weir_codec *codec, const char *text, struct weir_arena *arena,
                      struct weir_bytes *ret, struct weir_error *reterr)
{
    const struct weir_json *json;
    void                   *value;
    int                     err;

    *ret = NO_BYTES;
    if (text == NULL)
        return WEIR_OK;
    err = weir_json_parse(arena, (struct weir_text){ .data = text, .size = strlen(text) }, &json, reterr);
    if (err < 0 || json->type == WEIR_JSON_NULL)
        return err;
    value = weir_arena_alloc(arena, codec->bytes);
    err = value != NULL ? codec->parse(codec, json, value) : WEIR_LIMIT;
    if (err == WEIR_OK)
        err = weir__encode(codec, arena, value, ret);
    return err < 0 ? weir__fail(reterr, err, codec->name, "%s: %s", weir_code_text(err), text) : WEIR_OK;
}

int weir_driver_pipe_json(struct weir_driver *driver, const char *topic, const char *key, const char *value,
                          int64_t timestamp, struct weir_error *reterr)
{
    const struct weir__node *source = source_of(driver, topic);
    struct weir_arena        arena;
    struct weir_bytes        sides[2];
    int                      err;

    if (source == NULL)
        return weir__fail(reterr, WEIR_NOTFOUND, topic, "no source of topology %s reads this topic",
                          driver->plan->topology->name);
    weir__arena_init(&arena, 0);
    err = parse_side(source->key_out, key, &arena, &sides[0], reterr);
    if (err == WEIR_OK)
        err = parse_side(source->value_out, value, &arena, &sides[1], reterr);
    if (err == WEIR_OK)
        err = weir_driver_pipe(driver, topic, sides[0], sides[1], timestamp, NULL, 0, reterr);
    weir__arena_fini(&arena);
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
    driver->now += ms;
    err = weir__task_punctuate(driver->task, reterr);
    if (err == WEIR_OK)
        err = commit(driver, reterr);
    if (err == WEIR_OK)
        err = reenter(driver, reterr);
    return end(driver, err == WEIR_OK ? run(driver, reterr) : err);
}

int weir_driver_close(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (driver->closed)
        return WEIR_OK;
    if (!driver->failed)
        err = end(driver, commit(driver, reterr));
    driver->closed = true;
    return err;
}

int weir_driver_crash(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = check_open(driver, reterr);

    if (err < 0)
        return err;
    weir__task_close(driver->task);
    driver->task = NULL;
    if (driver->dir != NULL)
        err = weir__remove_tree(driver->dir, reterr);
    if (err == WEIR_OK && driver->dir != NULL)
        err = weir__make_dirs(driver->dir, reterr);
    if (err == WEIR_OK)
        err = weir__driver_make_task(driver, reterr);
    if (err == WEIR_OK)
        err = weir__driver_restore(driver, reterr);
    if (err == WEIR_OK)
        err = weir__task_start(driver->task, reterr);
    return end(driver, err);
}
