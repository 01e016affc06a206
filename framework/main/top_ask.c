/* top_ask.c: what `top` learns of services: their /status and /metrics, asked now.
 *
 * A service that does not answer in time is told as such; the next one is asked all the same.
 */
#include "framework/json/json.h"
#include "framework/main/top.h"

#include <stdlib.h>

#define ASK_MS 1000

static int64_t int_of(const struct weir_json *json, const char *name)
{
    int64_t value;

    return weir_json_int64(weir_json_get(json, name), &value) == WEIR_OK ? value : 0;
}

static bool is_true(const struct weir_json *json, const char *name)
{
    const struct weir_json *member = weir_json_get(json, name);

    return member != NULL && member->type == WEIR_JSON_TRUE;
}

static void copy_text(const struct weir_json *json, const char *name, char *to, size_t size)
{
    struct weir_text text = { 0 };

    (void)weir_json_text(weir_json_get(json, name), &text);
    snprintf(to, size, "%.*s", (int)MIN(text.size, size - 1), text.data != NULL ? text.data : "");
}

static const struct weir_json *first(const struct weir_json *json, const char *name)
{
    const struct weir_json *array = weir_json_get(json, name);

    return array != NULL && array->type == WEIR_JSON_ARRAY ? array->child : NULL;
}

/* ---- a topology of /status ---- */

static void add_threads(const struct weir_json *topology, struct weir__top_row *row)
{
    bool alive = true, assigned = true;

    for (const struct weir_json *thread = first(topology, "threads"); thread != NULL; thread = thread->next) {
        alive = alive && is_true(thread, "alive");
        assigned = assigned && is_true(thread, "assigned");
        row->tasks += int_of(thread, "tasks");
        row->restoring += int_of(thread, "restoring");
        row->records += int_of(thread, "records");
        row->commits += int_of(thread, "commits");
    }
    row->state = !alive ? "ended" : !assigned ? "waiting" : row->restoring > 0 ? "restoring" : "running";
}

static void add_lag(const struct weir_json *topology, struct weir__top_row *row)
{
    for (const struct weir_json *task = first(topology, "tasks"); task != NULL; task = task->next)
        for (const struct weir_json *input = first(task, "inputs"); input != NULL; input = input->next) {
            const struct weir_json *lag = weir_json_get(input, "lag");

            row->lag_known = row->lag_known && lag != NULL && lag->type == WEIR_JSON_NUMBER;
            row->lag += int_of(input, "lag");
        }
}

static int add_topology(struct weir__top_sample *sample, size_t service, const struct weir_json *topology)
{
    struct weir__top_row row = { .service = service, .lag_known = true };

    copy_text(topology, "topology", row.topology, sizeof(row.topology));
    add_threads(topology, &row);
    add_lag(topology, &row);
    if (GROW(sample->rows, sample->capacity, sample->count) < 0)
        return WEIR_NO_MEMORY;
    sample->rows[sample->count++] = row;
    return WEIR_OK;
}

/* ---- a service ---- */

static int read_status(struct weir__top_sample *sample, size_t service, const struct weir__buf *text)
{
    struct weir_arena       arena;
    const struct weir_json *json;
    int                     err;

    weir__arena_init(&arena, (size_t)256 << 20);
    err = weir_json_parse(&arena, (struct weir_text){ text->data, text->size }, &json, NULL);
    if (err == WEIR_OK && first(json, "topologies") == NULL)
        err = WEIR_UNREADABLE;
    for (const struct weir_json *at = err == WEIR_OK ? first(json, "topologies") : NULL; at != NULL && err == WEIR_OK;
         at = at->next)
        err = add_topology(sample, service, at);
    weir__arena_fini(&arena);
    return err;
}

/* The value of a metric without labels. */
static double metric(const struct weir__buf *text, const char *name)
{
    size_t      size = strlen(name);
    const char *at = text->data, *end = text->data + text->size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t      line = (size_t)((newline != NULL ? newline : end) - at);

        if (line > size && memcmp(at, name, size) == 0 && at[size] == ' ')
            return strtod(at + size, NULL);
        at += line + 1;
    }
    return -1;
}

static void ask_service(const struct weir__http_caller *caller, struct weir__top_sample *sample, size_t n)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    struct weir__top_service             *service = &sample->services[n];
    int err = weir__http_ask(caller, service->at, "/status", ASK_MS, &text, &service->words);

    service->asked = weir__monotonic_us();
    if (err == WEIR_OK) {
        err = read_status(sample, n, &text);
        if (err < 0)
            weir__fail(&service->words, err, service->at, "what answers there is no service of ours");
    }
    service->answered = err == WEIR_OK;
    service->memory = service->cpu = -1;
    if (err < 0 || weir__http_ask(caller, service->at, "/metrics", ASK_MS, &text, &service->words) < 0)
        return;
    weir__buf_putc(&text, '\0');
    if (!weir__buf_ok(&text))
        return;
    service->memory = metric(&text, "process_resident_memory_bytes");
    service->cpu = metric(&text, "process_cpu_seconds_total");
}

int weir__top_ask(const struct weir__http_caller *caller, const char *const *urls, size_t count,
                  struct weir__top_sample *ret)
{
    *ret = (struct weir__top_sample){ .services = weir__zalloc(sizeof(*ret->services) * (count + 1)) };
    if (ret->services == NULL)
        return WEIR_NO_MEMORY;
    ret->service_count = count;
    for (size_t i = 0; i < count; i++) {
        ret->services[i].at = urls[i];
        ask_service(caller, ret, i);
    }
    return WEIR_OK;
}

void weir__top_fini(struct weir__top_sample *sample)
{
    weir__free(sample->services);
    weir__free(sample->rows);
    *sample = (struct weir__top_sample){ 0 };
}
