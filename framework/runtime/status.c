/* status.c: the tasks of an application as JSON: inputs, restore, stores. */
#include "framework/runtime/internal.h"

static void put_text(struct weir_json_out *json, const char *name, const char *value)
{
    weir_json_name(json, name);
    weir_json_put_string(json, value);
}

static void put_int(struct weir_json_out *json, const char *name, int64_t value)
{
    weir_json_name(json, name);
    weir_json_put_int64(json, value);
}

/* Unknown is null. */
static void put_known(struct weir_json_out *json, const char *name, int64_t value)
{
    weir_json_name(json, name);
    if (value < 0)
        weir_json_put_null(json);
    else
        weir_json_put_int64(json, value);
}

static void put_codec(struct weir_json_out *json, const char *name, const struct weir_codec *codec)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };

    weir__codec_describe(codec, &text);
    weir__buf_putc(&text, '\0');
    put_text(json, name, weir__buf_ok(&text) ? text.data : NULL);
}

static void put_input(struct weir_json_out *json, struct weir__app *app, const struct weir__shown_input *input)
{
    int64_t settled = atomic_load(&input->settled), end = weir__shown_end(app, input);

    weir_json_begin_object(json);
    put_text(json, "topic", input->tp.topic);
    put_int(json, "partition", input->tp.partition);
    put_known(json, "read_to", atomic_load(&input->position));
    put_known(json, "done_to", settled);
    put_known(json, "end", end);
    put_known(json, "lag", end < 0 || settled < 0 ? -1 : MAX(end - settled, 0));
    weir_json_end_object(json);
}

static void put_store(struct weir_json_out *json, const struct weir__shown_store *store)
{
    struct weir__figures figures;

    weir__peek_figures(&store->peek, &figures);
    weir_json_begin_object(json);
    put_text(json, "store", store->plan->name);
    put_text(json, "type", store->plan->type);
    put_codec(json, "key", store->plan->key);
    put_codec(json, "value", store->plan->value);
    put_text(json, "engine", store->peek.engine->name);
    put_text(json, "changelog", store->plan->changelog);
    put_int(json, "rows", (int64_t)figures.rows);
    put_int(json, "disk_bytes", (int64_t)figures.disk);
    put_int(json, "memory_bytes", (int64_t)figures.memory);
    weir_json_end_object(json);
}

static void put_task(struct weir_json_out *json, struct weir__app *app, const struct weir__shown *shown)
{
    bool running = atomic_load(&shown->running);

    weir_json_begin_object(json);
    put_text(json, "task", shown->name);
    put_int(json, "thread", (int64_t)shown->thread);
    put_text(json, "state", running ? "running" : "restoring");
    put_known(json, "stream_time_ms", atomic_load(&shown->stream_time));
    put_int(json, "restored_records", atomic_load(&shown->restore_read));
    put_int(json, "restore_remaining", running ? 0 : atomic_load(&shown->restore_left));
    weir_json_name(json, "inputs");
    weir_json_begin_array(json);
    for (size_t i = 0; i < shown->input_count; i++)
        put_input(json, app, &shown->inputs[i]);
    weir_json_end_array(json);
    weir_json_name(json, "stores");
    weir_json_begin_array(json);
    for (size_t i = 0; i < shown->store_count; i++)
        put_store(json, &shown->stores[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
}

void weir__app_put_tasks(struct weir__app *app, struct weir_json_out *json)
{
    weir_json_begin_array(json);
    pthread_rwlock_rdlock(&app->shown_lock);
    for (size_t i = 0; i < app->shown_count; i++)
        put_task(json, app, app->shown[i]);
    pthread_rwlock_unlock(&app->shown_lock);
    weir_json_end_array(json);
}
