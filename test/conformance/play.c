/* play.c: a built case on the test driver, step by step, with all that can be seen of it written down. */
#include "statestores/engines.h"
#include "test/conformance/conformance.h"

const char *conf_error_kind(int code)
{
    switch (code) {
    case WEIR_UNREADABLE: return "deserialization";
    case WEIR_VERB_FAILED: return "function";
    case WEIR_BAD_TOPOLOGY: return "topology";
    case WEIR_BAD_ARGUMENT:
    case WEIR_BAD_TIME: return "argument";
    case WEIR_BAD_NAME: return "name";
    case WEIR_BAD_CONFIG: return "config";
    case WEIR_NULL_GIVEN: return "null";
    case WEIR_STORE_FAILED: return "store";
    case WEIR_BAD_TYPE: return "type";
    case WEIR_UNSUPPORTED: return "unsupported";
    case WEIR_BAD_STATE: return "state";
    default: return "streams";
    }
}

static int fail(struct conf_run *run, const char *stage, size_t step, int code)
{
    run->code = code;
    run->stage = stage;
    run->step = step;
    return code;
}

/* ---- configuration ---- */

static int on_failure(const struct conf_case *c, const char *name)
{
    return strcmp(conf_string(c->config, name, "fail"), "continue") == 0 ? WEIR_CONTINUE : WEIR_FAIL;
}

static bool truth(const json_t *json)
{
    return json_is_true(json) || (json_is_string(json) && strcmp(json_string_value(json), "true") == 0);
}

static struct weir_driver_config read_config(struct conf_case *c)
{
    const json_t             *extractor = json_object_get(c->config, "default_timestamp_extractor");
    struct conf_verbs        *verbs = conf_new(&c->arena, sizeof(*verbs));
    struct weir_driver_config config = {
        .application = conf_string(c->config, "application.id", NULL),
        .cache_bytes = conf_number(c->config, "statestore.cache.max.bytes", 0),
        .exactly_once = strcmp(conf_string(c->config, "processing.guarantee", ""), "exactly_once_v2") == 0,
        .upstream_cleanup = true,
        .explicit_names = truth(json_object_get(c->config, "ensure.explicit.internal.resource.naming")),
        .on_unreadable = on_failure(c, "deserialization_handler"),
        .on_verb_failure = on_failure(c, "processing_handler"),
        .wall_clock = conf_number(c->config, "wall_clock_start", 0),
        .close_emit_interval = conf_number(c->config, "window_close_emit_interval_ms", 0),
        .join_emit_interval = conf_number(c->config, "outer_join_emit_interval_ms", 0),
    };

    verbs->c = c;
    if (extractor && conf_function_find(CONF_EXTRACTOR, extractor, &verbs->extractor)) {
        config.extract = conf_extract;
        config.extract_arg = verbs;
    }
    return config;
}

/* ---- what came out ---- */

static struct weir_bytes copy_bytes(struct weir_arena *arena, struct weir_bytes bytes)
{
    char *data;

    if (!bytes.data)
        return NO_BYTES;
    data = conf_new(arena, bytes.size + 1);
    if (bytes.size)
        memcpy(data, bytes.data, bytes.size);
    return BYTES(data, bytes.size);
}

static const char *keep_buf(struct weir_arena *arena, struct weir__buf *buf)
{
    struct weir_bytes bytes = copy_bytes(arena, BYTES(buf->data ? buf->data : "", buf->size));

    weir__buf_fini(buf);
    return bytes.data;
}

static const char *header_text(struct weir_arena *arena, const struct weir_output *output)
{
    struct weir__buf buf = { 0 };

    for (size_t i = 0; i < output->header_count; i++) {
        weir__buf_printf(&buf, "%s=", output->headers[i].name);
        conf_show_hex(&buf, output->headers[i].value);
        weir__buf_putc(&buf, ',');
    }
    return keep_buf(arena, &buf);
}

static void keep_record(struct conf_run *run, struct conf_list *list, size_t step, const struct weir_output *output)
{
    struct conf_record *record = conf_new(run->arena, sizeof(*record));

    record->topic = copy_bytes(run->arena, BYTES(output->topic, strlen(output->topic))).data;
    record->step = step;
    record->key = copy_bytes(run->arena, output->key);
    record->value = copy_bytes(run->arena, output->value);
    record->timestamp = output->timestamp;
    record->headers = header_text(run->arena, output);
    conf_add(list, record);
}

static void read_outputs(struct conf_run *run, struct weir_driver *driver, size_t step)
{
    struct weir_output output;
    const char        *topic;
    bool               internal;

    while (weir_driver_read(driver, &output) >= 0)
        keep_record(run, &run->outputs, step, &output);
    for (size_t n = 0; (topic = weir_driver_topic(driver, n, &internal)); n++)
        while (internal && weir_driver_read_topic(driver, topic, &output) >= 0)
            keep_record(run, &run->internal, step, &output);
}

struct visit {
    struct conf_run   *run;
    struct conf_store *store;
};

static int keep_row(void *arg, const struct weir_stored *stored)
{
    struct visit    *visit = arg;
    struct conf_row *row = conf_new(visit->run->arena, sizeof(*row));

    *row = (struct conf_row){ .key = copy_bytes(visit->run->arena, stored->key),
                              .value = copy_bytes(visit->run->arena, stored->value),
                              .timestamp = stored->timestamp,
                              .start = stored->start,
                              .end = stored->end };
    conf_add(&visit->store->rows, row);
    return WEIR_OK;
}

static int read_stores(struct conf_run *run, struct weir_driver *driver)
{
    const char *name, *type = "";
    int         err = WEIR_OK;

    for (size_t n = 0; err >= 0 && (name = weir_driver_store(driver, n, &type)); n++) {
        struct conf_store *store = conf_new(run->arena, sizeof(*store));
        struct visit       visit = { run, store };

        store->name = weir__arena_printf(run->arena, "%s", name);
        store->type = weir__arena_printf(run->arena, "%s", type ? type : "?");
        conf_add(&run->stores, store);
        if (strcmp(store->type, "opaque") != 0)
            err = weir_driver_visit(driver, store->name, keep_row, &visit);
    }
    return err;
}

/* ---- steps ---- */

static struct weir_header *read_headers(struct weir_arena *arena, const json_t *list)
{
    size_t              count = json_array_size(list);
    struct weir_header *headers = conf_new(arena, (count + 1) * sizeof(*headers));

    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(list, i);

        headers[i].name = json_string_value(json_array_get(pair, 0));
        headers[i].value = conf_bytes(arena, weir_string, json_array_get(pair, 1));
    }
    return headers;
}

static struct weir_bytes side(struct conf_case *c, const json_t *step, const char *name, const char *hex,
                              const struct weir_codec *codec)
{
    if (conf_has(step, hex))
        return conf_unhex(&c->arena, conf_string(step, hex, ""));
    return conf_bytes(&c->arena, codec, json_object_get(step, name));
}

static int pipe_record(struct conf_case *c, struct weir_driver *driver, const json_t *step, struct weir_error *reterr)
{
    const char              *topic = conf_string(step, "topic", "");
    const json_t            *headers = json_object_get(step, "headers");
    const struct weir_codec *key = NULL, *value = NULL;

    conf_topic_types(c, topic, &key, &value);
    return weir_driver_pipe(driver, topic, side(c, step, "key", "key_hex", key),
                            side(c, step, "value", "value_hex", value), conf_number(step, "ts", 0),
                            read_headers(&c->arena, headers), json_array_size(headers), reterr);
}

static int play_step(struct conf_case *c, struct weir_driver *driver, const json_t *step, struct weir_error *reterr)
{
    int err;

    if (conf_has(step, "advance_ms"))
        return weir_driver_advance(driver, conf_number(step, "advance_ms", 0), reterr);
    err = pipe_record(c, driver, step, reterr);
    return err == WEIR_NOTFOUND ? WEIR_BAD_ARGUMENT : err;
}

static int play_steps(struct conf_run *run, struct conf_case *c, struct weir_driver *driver)
{
    const json_t *steps = json_object_get(c->json, "steps");
    size_t        count = json_array_size(steps);
    int           err;

    for (size_t i = 0; i < count; i++) {
        err = play_step(c, driver, json_array_get(steps, i), &run->error);
        read_outputs(run, driver, i);
        if (err < 0)
            return fail(run, "run", i, err);
    }
    err = read_stores(run, driver);
    if (err < 0)
        return fail(run, "run", count, err);
    err = weir_driver_close(driver, &run->error);
    read_outputs(run, driver, count);
    return err < 0 ? fail(run, "close", count, err) : WEIR_OK;
}

static int describe(struct conf_run *run, struct conf_build *build, const struct weir_driver_config *config)
{
    char *text = NULL;
    int   err = weir_describe(&build->topology, config, &text, &run->error);

    if (err < 0)
        return fail(run, "build", 0, err);
    run->describe = weir__arena_printf(run->arena, "%s", text);
    weir_text_free(text);
    return WEIR_OK;
}

void conf_run_init(struct conf_run *run, struct conf_build *build)
{
    struct weir_driver_config config = read_config(build->c);
    struct weir_driver       *driver;
    int                       err;

    *run = (struct conf_run){ .arena = &build->c->arena };
    if (describe(run, build, &config) < 0)
        return;
    err = weir_driver_open(&build->topology, &config, weir_engines, &driver, &run->error);
    if (err < 0) {
        fail(run, "start", 0, err);
        return;
    }
    play_steps(run, build->c, driver);
    /* upstream does not count what has no key before a repartition */
    run->dropped =
        weir_driver_dropped(driver) -
        (uint64_t)weir_driver_metric(driver, "weir_records_dropped_total", "reason", "null key before a repartition");
    weir_driver_free(driver);
}

void conf_run_fini(struct conf_run *run)
{
    for (size_t i = 0; i < run->stores.count; i++)
        weir__free(((struct conf_store *)run->stores.items[i])->rows.items);
    weir__free(run->outputs.items);
    weir__free(run->internal.items);
    weir__free(run->stores.items);
    *run = (struct conf_run){ 0 };
}
