/* status.c: the tasks of an application as JSON: inputs, restore, stores. */
#include "framework/json/json.h"
#include "framework/runtime/internal.h"

static void put_codec(struct weir_json_out *json, const char *name, const struct weir_codec *codec)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };

    weir__codec_describe(codec, &text);
    weir__buf_putc(&text, '\0');
    weir__json_member_text(json, name, weir__buf_ok(&text) ? text.data : NULL);
}

/* *silent: the log has not answered in time, and is not asked for the others of the page. */
static void put_input(struct weir_json_out *json, struct weir__app *app, const struct weir__shown_input *input,
                      bool *silent)
{
    int64_t settled = atomic_load(&input->settled), end = *silent ? -1 : weir__shown_end(app, input);

    *silent = end < 0;
    weir_json_begin_object(json);
    weir__json_member_text(json, "topic", input->tp.topic);
    weir__json_member_int(json, "partition", input->tp.partition);
    weir__json_member_known(json, "read_to", atomic_load(&input->position));
    weir__json_member_known(json, "done_to", settled);
    weir__json_member_known(json, "end", end);
    weir__json_member_known(json, "lag", end < 0 || settled < 0 ? -1 : MAX(end - settled, 0));
    weir_json_end_object(json);
}

static void put_store(struct weir_json_out *json, const struct weir__shown_store *store)
{
    struct weir__figures figures;

    weir__peek_figures(&store->peek, &figures);
    weir_json_begin_object(json);
    weir__json_member_text(json, "store", store->plan->name);
    weir__json_member_text(json, "type", store->plan->type);
    put_codec(json, "key", store->plan->key);
    put_codec(json, "value", store->plan->value);
    weir__json_member_text(json, "engine", store->peek.engine->name);
    weir__json_member_text(json, "changelog", store->plan->changelog);
    weir__json_member_int(json, "rows", (int64_t)figures.rows);
    weir__json_member_int(json, "disk_bytes", (int64_t)figures.disk);
    weir__json_member_int(json, "memory_bytes", (int64_t)figures.memory);
    weir_json_end_object(json);
}

static void put_task(struct weir_json_out *json, struct weir__app *app, const struct weir__shown *shown, bool *silent)
{
    bool running = atomic_load(&shown->running);

    weir_json_begin_object(json);
    weir__json_member_text(json, "task", shown->name);
    weir__json_member_int(json, "thread", (int64_t)shown->thread);
    weir__json_member_text(json, "state", running ? "running" : "restoring");
    weir__json_member_known(json, "stream_time_ms", atomic_load(&shown->stream_time));
    weir__json_member_int(json, "restored_records", atomic_load(&shown->restore_read));
    weir__json_member_int(json, "restore_remaining", running ? 0 : atomic_load(&shown->restore_left));
    weir_json_name(json, "inputs");
    weir_json_begin_array(json);
    for (size_t i = 0; i < shown->input_count; i++)
        put_input(json, app, &shown->inputs[i], silent);
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
    bool silent = false;

    weir_json_begin_array(json);
    pthread_rwlock_rdlock(&app->shown_lock);
    for (size_t i = 0; i < app->shown_count; i++)
        put_task(json, app, app->shown[i], &silent);
    pthread_rwlock_unlock(&app->shown_lock);
    weir_json_end_array(json);
}
