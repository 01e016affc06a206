/* cmd_state.c: `state`: the stores of topologies, and the rows of one, decoded. Another process may be writing.
 *
 * (1) Everything is read from the log: a store's changelog, or the topic that fills a global one; of each key the last record
 *     counts. So it is what the last commit held, whoever runs, and no state folder is opened.
 * (2) The rows of one partition at a time are in memory.
 */
#include <stdlib.h>

#include "framework/json/json.h"
#include "framework/main/commands.h"

enum { CALL_MS = 5000, SUFFIX = 12 }; /* start and number after a window's key */

struct row {
    int64_t           timestamp;
    struct weir_bytes key, value; /* as the topic has them */
    char              bytes[];
};

struct state {
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    const struct weir__store_plan *plan;
    struct weir__topic_codecs      codecs;
    int32_t                        partition;
    struct weir__map               rows; /* by key */
    struct weir_arena              arena;
    struct weir_json_out           json;
    bool                           gone; /* nobody reads our output any more */
};

static int64_t call_by(const struct state *state) { return state->engine->now(state->log) + CALL_MS; }

static const char *topic_of(const struct weir__store_plan *plan)
{
    return plan->global ? plan->source_topic : plan->changelog;
}

static bool is_windows(const struct weir__store_plan *plan) { return plan->store.kind == WEIR__STORE_WINDOWS; }

static int fail_read(const char *topic, int code, struct weir_error *reterr)
{
    return weir__fail(reterr, code, topic, "the topic cannot be read: %s", weir_code_text(code));
}

/* ---- rows ---- */

static void drop_row(struct state *state, struct weir_bytes key) { weir__free(weir__map_remove(&state->rows, key)); }

static int keep(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct state *state = arg;
    struct row   *row;

    if (raw->key.data == NULL)
        return WEIR_OK;
    drop_row(state, raw->key);
    if (raw->value.data == NULL)
        return WEIR_OK;
    row = weir__alloc(sizeof(*row) + raw->key.size + raw->value.size);
    if (row != NULL) {
        *row = (struct row){ .timestamp = raw->timestamp,
                             .key = BYTES(row->bytes, raw->key.size),
                             .value = BYTES(row->bytes + raw->key.size, raw->value.size) };
        memcpy(row->bytes, raw->key.data, raw->key.size);
        memcpy(row->bytes + raw->key.size, raw->value.data, raw->value.size);
    }
    if (row == NULL || weir__map_put(&state->rows, row->key, row) < 0) {
        weir__free(row);
        return weir__fail(reterr, WEIR_NO_MEMORY, raw->topic, "out of memory");
    }
    return WEIR_OK;
}

static void forget(struct state *state)
{
    struct weir__map_slot *slot;

    for (size_t i = 0; (slot = weir__map_next(&state->rows, &i)) != NULL;)
        weir__free(slot->value);
    weir__map_clear(&state->rows);
}

static int by_key(const void *a, const void *b)
{
    return weir__bytes_compare((*(struct row *const *)a)->key, (*(struct row *const *)b)->key);
}

/* NULL: out of memory. */
static struct row **sorted(const struct state *state)
{
    struct row           **list = weir__zalloc(sizeof(struct row *) * (state->rows.count + 1));
    struct weir__map_slot *slot;
    size_t                 count = 0;

    for (size_t i = 0; list != NULL && (slot = weir__map_next(&state->rows, &i)) != NULL;)
        list[count++] = slot->value;
    if (count > 0)
        qsort(list, count, sizeof(*list), by_key);
    return list;
}

/* ---- printing ---- */

/* A window's key, start and end; false: it is no window, but what is known of its key. */
static bool take_window(const struct state *state, struct weir_bytes *key, struct weir_bytes *value, int64_t *start,
                        int64_t *end)
{
    if (key->size < SUFFIX)
        return false;
    key->size -= SUFFIX;
    *start = (int64_t)weir__get_be64((const char *)key->data + key->size);
    *end = weir__time_add(*start, state->plan->store.window_size);
    if (state->plan->store.keyed && *start == WEIR__HEAD_START)
        return false;
    if (state->plan->store.ends && value->size >= sizeof(int64_t)) {
        *end = (int64_t)weir__get_be64(value->data);
        *value = BYTES((const char *)value->data + sizeof(int64_t), value->size - sizeof(int64_t));
    }
    return true;
}

static int print_bytes(struct state *state, const char *name, const struct weir_codec *codec, struct weir_bytes bytes)
{
    weir_json_name(&state->json, name);
    return weir__bytes_print(codec, bytes, &state->arena, &state->json);
}

static int print_row(struct state *state, const struct row *row, struct weir_error *reterr)
{
    struct weir_json_out *json = &state->json;
    struct weir_bytes     key = row->key, value = row->value;
    int64_t               start = 0, end = 0;
    int                   err;

    weir__json_out_reset(json);
    weir__arena_reset(&state->arena);
    if (is_windows(state->plan) && !take_window(state, &key, &value, &start, &end))
        return WEIR_OK;
    weir_json_begin_object(json);
    weir__json_member_text(json, "store", state->plan->name);
    weir__json_member_int(json, "partition", state->partition);
    err = print_bytes(state, "key", state->plan->key, key);
    if (is_windows(state->plan)) {
        weir__json_member_int(json, "start", start);
        weir__json_member_int(json, "end", end);
    }
    weir__json_member_int(json, "timestamp", row->timestamp);
    if (err == WEIR_OK)
        err = print_bytes(state, "value", state->codecs.value, value);
    weir_json_end_object(json);
    weir__buf_putc(&json->buf, '\n');
    if (err < 0 || !weir__buf_ok(&json->buf))
        return weir__fail(reterr, WEIR_NO_MEMORY, state->plan->name, "out of memory");
    state->gone = fwrite(json->buf.data, 1, json->buf.size, stdout) < json->buf.size;
    return WEIR_OK;
}

static int print_partition(struct state *state, struct weir_error *reterr)
{
    struct weir__tp tp = { topic_of(state->plan), state->partition };
    struct row    **list;
    int             err = weir__read_partition(state->engine, state->log, tp, 0, keep, state, reterr);

    list = err == WEIR_OK ? sorted(state) : NULL;
    if (err == WEIR_OK && list == NULL)
        err = weir__fail(reterr, WEIR_NO_MEMORY, tp.topic, "out of memory");
    for (size_t i = 0; err == WEIR_OK && !state->gone && i < state->rows.count; i++)
        err = print_row(state, list[i], reterr);
    weir__free(list);
    forget(state);
    return err;
}

static int print_store(struct state *state, const struct weir__args *args, struct weir_error *reterr)
{
    const char *only = weir__args_value(args, "partition", NULL), *topic = topic_of(state->plan);
    int64_t     partition = -1;
    int32_t     count = 0;
    int         err;

    if (topic == NULL)
        return weir__fail(reterr, WEIR_UNSUPPORTED, state->plan->name,
                          "it has no changelog: what it holds is known to its task alone");
    err = state->engine->partitions(state->log, topic, call_by(state), &count);
    if (err < 0 && err != WEIR_NOTFOUND)
        return fail_read(topic, err, reterr);
    if (only != NULL && (weir__parse_int64(only, &partition) < 0 || partition < 0 || partition >= MAX(count, 1)))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--partition", "\"%.40s\" is none of %s: they go from 0 to %d",
                          only, state->plan->name, MAX(count, 1) - 1);
    err = WEIR_OK;
    for (int32_t i = 0; err == WEIR_OK && !state->gone && i < count; i++)
        if (only == NULL || i == partition) {
            state->partition = i;
            err = print_partition(state, reterr);
        }
    return err;
}

/* ---- all stores ---- */

/* Records of a topic that are there; -1 = there is no such topic. */
static int count_records(const struct state *state, const char *topic, int32_t *ret_partitions, int64_t *ret,
                         struct weir_error *reterr)
{
    struct weir__ends ends;
    int               err = state->engine->partitions(state->log, topic, call_by(state), ret_partitions);

    *ret = err == WEIR_NOTFOUND ? -1 : 0;
    for (int32_t i = 0; err == WEIR_OK && i < *ret_partitions; i++) {
        err = state->engine->ends(state->log, (struct weir__tp){ topic, i }, call_by(state), &ends);
        *ret += err == WEIR_OK ? MAX(ends.stable - ends.low, 0) : 0;
    }
    return err < 0 && err != WEIR_NOTFOUND ? fail_read(topic, err, reterr) : WEIR_OK;
}

static int print_line(const struct state *state, const struct weir__store_plan *plan, struct weir_error *reterr)
{
    const char *topic = topic_of(plan);
    int32_t     partitions = 0;
    int64_t     records = -1;
    int         err = topic != NULL ? count_records(state, topic, &partitions, &records, reterr) : WEIR_OK;

    if (err < 0)
        return err;
    printf("  %-16s %-24s", plan->name, plan->global ? "global" : plan->type);
    if (topic == NULL)
        printf(" no changelog\n");
    else if (records < 0)
        printf(" %s: not there yet\n", topic);
    else
        printf(" %s: %d partitions, %lld offsets\n", topic, partitions, (long long)records);
    return WEIR_OK;
}

static int print_plan(const struct state *state, const struct weir__plan *plan, struct weir_error *reterr)
{
    int err = WEIR_OK;

    printf("%s (application %s): %zu stores\n", plan->topology->name, plan->application, plan->store_count);
    for (size_t i = 0; err == WEIR_OK && i < plan->store_count; i++)
        err = print_line(state, plan->stores[i], reterr);
    return err;
}

/* ---- the command ---- */

static int find_store(struct state *state, const struct weir__plan *plan, const char *name, struct weir_error *reterr)
{
    const char *names[128], *near;
    size_t      count = MIN(plan->store_count, ARRAY_SIZE(names));

    state->plan = weir__plan_store(plan, name);
    if (state->plan != NULL) {
        if (topic_of(state->plan) != NULL)
            (void)weir__plan_codecs(plan, topic_of(state->plan), &state->codecs);
        return WEIR_OK;
    }
    for (size_t i = 0; i < count; i++)
        names[i] = plan->stores[i]->name;
    near = weir__suggest(name, names, count);
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "state", "%s has no store \"%.80s\": %s%s%s", plan->topology->name,
                      name, near != NULL ? "did you mean \"" : "\"state ", near != NULL ? near : plan->topology->name,
                      near != NULL ? "\"?" : "\" lists them");
}

static int print_all(struct state *state, const struct weir__plans *plans, const struct weir__args *args,
                     struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (args->word_count == 2) {
        err = find_store(state, plans->items[0], args->words[1], reterr);
        return err < 0 ? err : print_store(state, args, reterr);
    }
    for (size_t i = 0; err == WEIR_OK && i < plans->count; i++)
        err = print_plan(state, plans->items[i], reterr);
    return err;
}

static int look(struct state *state, const struct weir__program *program, const struct weir__plans *plans,
                const struct weir__args *args, struct weir_error *reterr)
{
    struct weir__looked looked;
    int                 err = weir__looked_open(program, args, &looked, reterr);

    state->engine = looked.engine;
    state->log = looked.log;
    if (err == WEIR_OK)
        err = print_all(state, plans, args, reterr);
    weir__looked_close(&looked);
    return err;
}

static int run_with(const struct weir__program *program, const struct weir__args *args, struct weir_error *reterr)
{
    struct state                 state = { 0 };
    const struct weir_topology **topologies = NULL;
    struct weir__plans           plans = { 0 };
    size_t                       count;
    int                          err;

    if (args->word_count > 2)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "state",
                          "name one topology and one store: state TOPOLOGY STORE");
    if (weir__args_has(args, "partition") && args->word_count < 2)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--partition", "it is of one store: state TOPOLOGY STORE");
    err = weir__choose_topologies(program, args->words, MIN(args->word_count, 1), &topologies, &count, reterr);
    if (err == WEIR_OK)
        err = weir__plans_make(program, topologies, count, &plans, reterr);
    if (err == WEIR_OK)
        err = look(&state, program, &plans, args, reterr);
    forget(&state);
    weir__map_fini(&state.rows);
    weir__json_out_fini(&state.json);
    weir__arena_fini(&state.arena);
    weir__plans_fini(&plans);
    weir__free(topologies);
    return err;
}

static int run_state(struct weir__program *program, const struct weir__args *args)
{
    struct weir_error words = { 0 };
    int               err = run_with(program, args, &words);

    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = "partition", .value = "N", .meaning = "the rows of this partition only" },
    { .name = NULL },
};
const struct weir__command weir__command_state = {
    .name = "state",
    .usage = "state [TOPOLOGY [STORE]] [--partition N] [--dir DIR]",
    .meaning =
        "Lists state stores, or prints the rows of one as the last commit left them, decoded, one JSON object a line; from Kafka "
        "where kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_state,
    .audited = "data_access",
};
