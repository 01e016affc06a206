/* stores.c: a task's stores as its nodes see them: typed reads and writes, changelog records, flush forwards. */
#include "framework/task/internal.h"

struct weir__binding *weir__binding_of(struct weir__task *task, const struct weir__store_plan *plan)
{
    for (size_t i = 0; i < task->binding_count; i++)
        if (task->bindings[i].plan == plan)
            return &task->bindings[i];
    return NULL;
}

/* The store's key for a typed key, and for windows its start. */
static int store_key(struct weir__binding *binding, const void *key, struct weir_bytes *ret, int64_t *ret_start)
{
    const struct weir_windowed *windowed = key;

    if (binding->plan->store.kind == WEIR__STORE_WINDOWS) {
        *ret_start = windowed->start;
        key = windowed->key;
    }
    if (key == NULL)
        return WEIR_NULL_GIVEN;
    return weir__encode(binding->plan->key, &binding->task->record, key, ret);
}

int weir__fetch_value(struct weir__binding *binding, const void *key, const void **ret_value, int64_t *ret_time)
{
    struct weir__value value;
    struct weir_bytes  bytes;
    int64_t            start = 0;
    int                err = store_key(binding, key, &bytes, &start);

    if (err < 0)
        return err;
    if (binding->plan->store.kind == WEIR__STORE_WINDOWS)
        err = weir__store_get_window(binding->store, bytes, start, &value);
    else
        err = weir__store_get(binding->store, bytes, &value);
    if (err == WEIR_OK) {
        if (ret_time != NULL)
            *ret_time = value.timestamp;
        /* borrowed from the store until its next call: keep a copy */
        const void *copy = weir__arena_copy(&binding->task->record, value.bytes.data, value.bytes.size);
        if (copy == NULL)
            return WEIR_LIMIT;
        return weir__decode(binding->plan->value, &binding->task->record, BYTES(copy, value.bytes.size), ret_value);
    }
    if (err == WEIR_NOTFOUND)
        *ret_value = NULL;
    return err;
}

/* A row's value as the changelog has it. */
static int logged(struct weir__binding *binding, const struct weir__value *value, struct weir_bytes *ret)
{
    char *bytes;

    *ret = value->bytes;
    if (!binding->spec->ends || value->bytes.data == NULL)
        return WEIR_OK;
    bytes = weir__arena_take(&binding->task->record, sizeof(int64_t) + value->bytes.size);
    if (bytes == NULL)
        return WEIR_LIMIT;
    weir__put_be64(bytes, (uint64_t)value->end);
    memcpy(bytes + sizeof(int64_t), value->bytes.data, value->bytes.size);
    *ret = BYTES(bytes, sizeof(int64_t) + value->bytes.size);
    return WEIR_OK;
}

static int log_change(struct weir__binding *binding, const struct weir__change *change)
{
    struct weir__task *task = binding->task;
    struct weir__raw   raw = { .topic = binding->plan->changelog,
                               .partition = task->config.partition,
                               .timestamp = change->now.timestamp,
                               .key = change->key };
    int                err = logged(binding, &change->now, &raw.value);

    return err < 0 ? err : task->config.send(task->config.send_arg, &raw, WEIR__TO_CHANGELOG);
}

/* Upstream logs a row also where its segment has expired and nothing is stored. */
static int log_expired(struct weir__binding *binding, struct weir_bytes key, int64_t start,
                       const struct weir__value *row)
{
    char                suffix[sizeof(int64_t) + sizeof(int32_t)] = { 0 };
    struct weir__change change = { .now = *row };
    char               *bytes = weir__arena_take(&binding->task->record, key.size + sizeof(suffix));

    if (bytes == NULL)
        return WEIR_LIMIT;
    weir__put_be64(suffix, (uint64_t)start);
    weir__put_be32(suffix + sizeof(int64_t), (uint32_t)weir__store_seq(binding->store));
    memcpy(bytes, key.data, key.size);
    memcpy(bytes + key.size, suffix, sizeof(suffix));
    change.key = BYTES(bytes, key.size + sizeof(suffix));
    return log_change(binding, &change);
}

static int put_window(struct weir__binding *binding, struct weir_bytes key, int64_t start,
                      const struct weir__value *row)
{
    int err = weir__store_put_window(binding->store, key, start, row);

    if (err != WEIR_NOTFOUND || binding->plan->changelog == NULL || !binding->task->config.upstream_expiry)
        return err;
    err = log_expired(binding, key, start, row);
    return err == WEIR_OK ? WEIR_NOTFOUND : err;
}

/* Refused here, the row is as it was, and so is the changelog. */
static int check_loggable(const struct weir__binding *binding, struct weir_bytes key, const struct weir__value *row)
{
    const struct weir__task_config *config = &binding->task->config;
    size_t                          suffix = 0;

    if (binding->plan->changelog == NULL)
        return WEIR_OK;
    if (binding->plan->store.kind == WEIR__STORE_WINDOWS)
        suffix = sizeof(int64_t) + sizeof(int32_t) + (binding->spec->ends ? sizeof(int64_t) : 0);
    if (row->timestamp < config->least_time)
        return weir__fail_here(binding->task->ctx.live, WEIR_BAD_TIME,
                               "a row of store %s has time %lld, which its changelog would refuse",
                               binding->plan->name, (long long)row->timestamp);
    if (config->max_record_bytes > 0 && key.size + suffix + row->bytes.size > (size_t)config->max_record_bytes)
        return weir__fail_here(binding->task->ctx.live, WEIR_TOO_LARGE,
                               "a row of store %s has %zu bytes, more than max.record.bytes", binding->plan->name,
                               key.size + suffix + row->bytes.size);
    return WEIR_OK;
}

int64_t weir__row_end(const struct weir__binding *binding, int64_t start, const struct weir__value *value)
{
    return binding->spec->ends ? value->end : weir__time_add(start, binding->spec->window_size);
}

int weir__store_value(struct weir__binding *binding, const void *key, const void *value, int64_t time,
                      const struct weir_record *rec)
{
    struct weir__value row = { .timestamp = time, .headers = rec->headers, .header_count = rec->header_count };
    struct weir_bytes  bytes;
    int64_t            start = 0;
    int                err = store_key(binding, key, &bytes, &start);

    if (err == WEIR_OK)
        err = weir__encode(binding->plan->value, &binding->task->record, value, &row.bytes);
    if (err == WEIR_OK)
        err = check_loggable(binding, bytes, &row);
    if (err < 0)
        return err;
    binding->task->dirty = true;
    if (binding->plan->store.kind != WEIR__STORE_WINDOWS)
        return weir__store_put(binding->store, bytes, &row);
    row.end = binding->spec->ends ? ((const struct weir_windowed *)key)->end : 0;
    return put_window(binding, bytes, start, &row);
}

static int change_key(struct weir__binding *binding, const struct weir__change *change, const void **ret)
{
    const struct weir__store_plan *plan = binding->plan;
    struct weir_arena             *arena = &binding->task->record;
    struct weir_windowed          *windowed;
    struct weir_bytes              key = change->key;
    int                            err;

    if (plan->store.kind != WEIR__STORE_WINDOWS)
        return weir__decode(plan->key, arena, key, ret);
    windowed = weir_arena_alloc(arena, sizeof(*windowed));
    if (windowed == NULL)
        return WEIR_LIMIT;
    key.size -= sizeof(int64_t) + sizeof(int32_t);
    err = weir__decode(plan->key, arena, key, &windowed->key);
    windowed->start = change->start;
    windowed->end = weir__row_end(binding, change->start, &change->now);
    *ret = windowed;
    return err;
}

/* Whether the changed window has closed by now. */
static int change_closed(struct weir__binding *binding, const struct weir__change *change, bool *ret)
{
    struct weir_bytes     key = BYTES(change->key.data, change->key.size - sizeof(int64_t) - sizeof(int32_t));
    struct weir__key_head head;
    int                   err;

    *ret = false;
    if (binding->keyed == NULL)
        return WEIR_OK;
    err = weir__keyed_head(binding->keyed, key, &head);
    if (err == WEIR_OK)
        *ret = weir__keyed_standing(binding->keyed, &head, weir__row_end(binding, change->start, &change->now)) !=
               WEIR_OPEN;
    return err;
}

static int forward_change(struct weir__binding *binding, const struct weir__change *change)
{
    struct weir__task *task = binding->task;
    struct weir__event event = { .rec = { .timestamp = change->now.timestamp,
                                          .headers = change->now.headers,
                                          .header_count = change->now.header_count,
                                          .partition = -1,
                                          .offset = -1 } };
    int                err = change_key(binding, change, &event.rec.key);

    if (err == WEIR_OK)
        err = change_closed(binding, change, &event.closed);
    if (err == WEIR_OK)
        err = weir__decode(binding->plan->value, &task->record, change->now.bytes, &event.rec.value);
    if (err == WEIR_OK && binding->owner->node->send_old)
        err = weir__decode(binding->plan->value, &task->record, change->before.bytes, &event.old);
    return err < 0 ? err : weir__emit(binding->owner, &event);
}

static int on_change(void *arg, const struct weir__change *change)
{
    struct weir__binding *binding = arg;
    int                   err = WEIR_OK;

    if (binding->plan->changelog != NULL)
        err = log_change(binding, change);
    if (err == WEIR_OK && binding->forwards && !change->expired && change->start != WEIR__HEAD_START)
        err = forward_change(binding, change);
    if (binding->task->depth == 0)
        weir__arena_reset(&binding->task->record);
    return err;
}

static int open_store(struct weir__task *task, struct weir__binding *binding, struct weir_error *reterr)
{
    struct weir__store_spec   *spec = weir__arena_copy(&task->arena, &binding->plan->store, sizeof(*spec));
    const struct weir__engine *memory = task->config.engines->memory;
    int                        err;

    if (spec == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, binding->plan->name, "no memory for the store");
    binding->spec = spec;
    spec->uncut = spec->cached && task->config.cache_bytes > 0 && task->config.upstream_expiry;
    spec->cached = spec->cached && task->config.cache_bytes > 0;
    spec->unseen = true; /* until a node forwards from it: CachingKeyValueStore without a flush listener */
    if (binding->plan->global)
        spec->logged = spec->cached = false;
    if (spec->in_memory || spec->kind == WEIR__STORE_LRU)
        err = weir__store_open(spec, memory, NULL, &binding->store, reterr);
    else
        err = weir__store_open(spec, task->engine, task->db, &binding->store, reterr);
    if (err < 0)
        return err;
    weir__store_listen(binding->store, on_change, binding);
    if (spec->keyed && weir__keyed_open(binding) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, binding->plan->name, "no memory for the times of its keys");
    return WEIR_OK;
}

static size_t count_stores(const struct weir__task *task)
{
    size_t count = 0;

    for (size_t i = 0; i < task->config.sub_count; i++)
        count += task->config.plan->subs[task->config.subs[i]].store_count;
    return count;
}

int weir__bind_stores(struct weir__task *task, struct weir_error *reterr)
{
    const struct weir__task_config *config = &task->config;

    task->bindings = weir_arena_alloc(&task->arena, sizeof(*task->bindings) * (count_stores(task) + 1));
    if (task->bindings == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, config->plan->topology->name, "no memory for the stores");
    for (size_t i = 0; i < config->sub_count; i++) {
        const struct weir__subtopology *sub = &config->plan->subs[config->subs[i]];

        for (size_t j = 0; j < sub->store_count; j++) {
            struct weir__binding *binding = &task->bindings[task->binding_count];
            int                   err;

            if (weir__binding_of(task, sub->stores[j]) != NULL)
                continue;
            *binding = (struct weir__binding){ .task = task, .plan = sub->stores[j] };
            err = open_store(task, binding, reterr);
            if (err < 0)
                return err;
            task->binding_count++;
        }
    }
    return WEIR_OK;
}

/* ---- what verbs call ---- */

struct weir__binding *weir__used(struct weir_context *ctx, const struct weir_store *store, bool windows)
{
    for (size_t i = 0; i < ctx->live->store_count; i++) {
        struct weir__binding *binding = ctx->live->stores[i];

        if (binding->plan->spec == store)
            return (binding->plan->store.kind == WEIR__STORE_WINDOWS) == windows ? binding : NULL;
    }
    return NULL;
}

int weir__not_used(struct weir_context *ctx, const struct weir_store *store)
{
    return weir__fail_here(ctx->live, WEIR_BAD_ARGUMENT,
                           "store \"%s\" is not among the node's .uses, or is of another kind than the call is for",
                           store != NULL ? store->name : "(null)");
}

int weir_get(struct weir_context *ctx, const struct weir_store *store, const void *key, const void **ret_value)
{
    struct weir__binding *binding = weir__used(ctx, store, false);

    return binding != NULL ? weir__fetch_value(binding, key, ret_value, NULL) : weir__not_used(ctx, store);
}

int weir_put(struct weir_context *ctx, const struct weir_store *store, const void *key, const void *value)
{
    struct weir__binding *binding = weir__used(ctx, store, false);

    if (binding == NULL)
        return weir__not_used(ctx, store);
    return weir__store_value(binding, key, value, ctx->event->rec.timestamp, &ctx->event->rec);
}

int weir_delete(struct weir_context *ctx, const struct weir_store *store, const void *key)
{
    return weir_put(ctx, store, key, NULL);
}

int weir_get_window(struct weir_context *ctx, const struct weir_store *store, const void *key, int64_t start,
                    const void **ret_value)
{
    struct weir__binding *binding = weir__used(ctx, store, true);
    struct weir_windowed  windowed = { .key = key, .start = start };

    return binding != NULL ? weir__fetch_value(binding, &windowed, ret_value, NULL) : weir__not_used(ctx, store);
}

int weir_put_window(struct weir_context *ctx, const struct weir_store *store, const void *key, const void *value,
                    int64_t start)
{
    struct weir__binding *binding = weir__used(ctx, store, true);
    struct weir_windowed  windowed = { .key = key, .start = start };
    int                   err;

    if (binding == NULL)
        return weir__not_used(ctx, store);
    if (binding->spec->ends)
        return weir__fail_here(ctx->live, WEIR_BAD_ARGUMENT,
                               "windows of store \"%s\" differ in length: use weir_put_span", store->name);
    if (binding->keyed != NULL)
        return weir__keyed_put_row(ctx, binding, value, &windowed);
    err = weir__store_value(binding, &windowed, value, ctx->event->rec.timestamp, &ctx->event->rec);
    if (err != WEIR_NOTFOUND)
        return err;
    weir__drop_record(ctx->task, "expired window");
    return WEIR_OK;
}

static int open_rows(struct weir_context *ctx, struct weir__binding *binding, struct weir_rows **ret)
{
    struct weir_rows *rows = weir_arena_alloc(&ctx->task->record, sizeof(*rows));

    if (rows == NULL)
        return WEIR_LIMIT;
    *rows = (struct weir_rows){ .ctx = ctx, .binding = binding, .next = ctx->rows };
    *ret = rows;
    return WEIR_OK;
}

/* Links rows that opened well, so that the end of the verb closes them. */
static int keep_rows(struct weir_context *ctx, struct weir_rows *rows, int err, struct weir_rows **ret)
{
    if (err < 0)
        return err;
    ctx->rows = rows;
    *ret = rows;
    return WEIR_OK;
}

void weir__close_rows(struct weir_context *ctx, struct weir_rows *until)
{
    for (; ctx->rows != until; ctx->rows = ctx->rows->next)
        weir__rows_close(ctx->rows->rows);
}

/* Both ends of a range of keys; NULL = open. */
static int key_ends(struct weir__binding *binding, const void *from, const void *to, struct weir_bytes ends[2])
{
    int err = weir__encode(binding->plan->key, &binding->task->record, from, &ends[0]);

    return err < 0 ? err : weir__encode(binding->plan->key, &binding->task->record, to, &ends[1]);
}

int weir_range(struct weir_context *ctx, const struct weir_store *store, const void *from, const void *to,
               enum weir_order order, struct weir_rows **ret)
{
    struct weir__binding *binding = weir__used(ctx, store, false);
    struct weir_bytes     ends[2];
    struct weir_rows     *rows;
    int                   err;

    if (binding == NULL)
        return weir__not_used(ctx, store);
    err = open_rows(ctx, binding, &rows);
    if (err == WEIR_OK)
        err = key_ends(binding, from, to, ends);
    if (err == WEIR_OK)
        err = weir__store_range(binding->store, ends[0], ends[1], order, &rows->rows);
    return keep_rows(ctx, rows, err, ret);
}

int weir_prefix(struct weir_context *ctx, const struct weir_store *store, struct weir_bytes prefix,
                struct weir_rows **ret)
{
    struct weir__binding *binding = weir__used(ctx, store, false);
    struct weir_rows     *rows;
    int                   err;

    if (binding == NULL)
        return weir__not_used(ctx, store);
    err = open_rows(ctx, binding, &rows);
    if (err == WEIR_OK)
        err = weir__store_prefix(binding->store, prefix, &rows->rows);
    return keep_rows(ctx, rows, err, ret);
}

int weir_fetch_keys(struct weir_context *ctx, const struct weir_store *store, const void *key_from,
                    const void *key_to, int64_t from, int64_t to, enum weir_order order, struct weir_rows **ret)
{
    struct weir__binding *binding = weir__used(ctx, store, true);
    struct weir_bytes     ends[2];
    struct weir_rows     *rows;
    int                   err;

    if (binding == NULL)
        return weir__not_used(ctx, store);
    err = open_rows(ctx, binding, &rows);
    if (err == WEIR_OK)
        err = key_ends(binding, key_from, key_to, ends);
    if (err == WEIR_OK)
        err = weir__store_fetch(binding->store, ends[0], ends[1], from, to, order, &rows->rows);
    return keep_rows(ctx, rows, err, ret);
}

int weir_fetch(struct weir_context *ctx, const struct weir_store *store, const void *key, int64_t from, int64_t to,
               enum weir_order order, struct weir_rows **ret)
{
    struct weir__binding *binding = weir__used(ctx, store, true);
    struct weir_bytes     bytes;
    struct weir_rows     *rows;
    int                   err;

    if (binding == NULL)
        return weir__not_used(ctx, store);
    if (binding->keyed == NULL || key == NULL || order != WEIR_ASCENDING)
        return weir_fetch_keys(ctx, store, key, key, from, to, order, ret);
    err = open_rows(ctx, binding, &rows);
    if (err == WEIR_OK)
        err = weir__encode(binding->plan->key, &ctx->task->record, key, &bytes);
    if (err == WEIR_OK)
        err = weir__steps_open(binding->keyed, bytes, MAX(from, 0), to, &rows->steps);
    if (err == WEIR_AGAIN)
        err = weir__store_fetch(binding->store, bytes, bytes, from, to, order, &rows->rows);
    return keep_rows(ctx, rows, err, ret);
}

/* Whether the running node may read a global table. */
static int check_seen(struct weir_context *ctx, const struct weir_node *global)
{
    const struct weir_node *const *seen = ctx->live->node->spec->looks_up;

    while (ctx->task->config.globals != NULL && seen != NULL && *seen != NULL)
        if (*seen++ == global)
            return WEIR_OK;
    return weir__fail_here(ctx->live, WEIR_BAD_ARGUMENT, "global table \"%s\" is not among the node's .looks_up",
                           global != NULL ? global->name : "(null)");
}

uint64_t weir_taken(struct weir_context *ctx, const struct weir_node *global)
{
    CHECK(check_seen(ctx, global) == WEIR_OK);
    return weir__globals_taken(ctx->task->config.globals, global);
}

int weir_scan(struct weir_context *ctx, const struct weir_node *global, const void *from, struct weir_rows **ret)
{
    struct weir__binding *view;
    struct weir_bytes     ends[2];
    struct weir_rows     *rows = NULL;
    int                   err = check_seen(ctx, global);

    if (err == WEIR_OK)
        err = weir__globals_rows(ctx->task, global, &view);
    if (err == WEIR_OK)
        err = open_rows(ctx, view, &rows);
    if (err == WEIR_OK)
        err = key_ends(view, from, NULL, ends);
    if (err == WEIR_OK)
        err = weir__store_range(view->store, ends[0], ends[1], WEIR_ASCENDING, &rows->rows);
    return keep_rows(ctx, rows, err, ret);
}

int weir_next(struct weir_rows *rows, struct weir_row *ret)
{
    struct weir__binding *binding = rows->binding;
    struct weir_arena    *arena = &binding->task->record;
    struct weir__row      row;
    struct weir_bytes     copy[2];
    int                   err =
        rows->rows != NULL ? weir__rows_next(rows->rows, &row) : weir__steps_next(binding->keyed, &rows->steps, &row);

    if (err != WEIR_OK)
        return err;
    copy[0] = BYTES(weir__arena_copy(arena, row.key.data, row.key.size), row.key.size);
    copy[1] = BYTES(weir__arena_copy(arena, row.value.bytes.data, row.value.bytes.size), row.value.bytes.size);
    if (copy[0].data == NULL || copy[1].data == NULL)
        return WEIR_LIMIT;
    *ret = (struct weir_row){ .timestamp = row.value.timestamp, .start = row.start, .end = row.start };
    if (binding->plan->store.kind == WEIR__STORE_WINDOWS)
        ret->end = weir__row_end(binding, row.start, &row.value);
    err = weir__decode(binding->plan->key, arena, copy[0], &ret->key);
    return err < 0 ? err : weir__decode(binding->plan->value, arena, copy[1], &ret->value);
}

int weir_lookup(struct weir_context *ctx, const struct weir_node *global, const void *key, const void **ret_value)
{
    int err = check_seen(ctx, global);

    *ret_value = NULL;
    return err == WEIR_OK ? weir__globals_fetch(ctx->task->config.globals, ctx->task, global, key, ret_value) : err;
}
