/* nodes_table.c: tables: sources, filters, maps, and the joins that look values up in them. */
#include "framework/task/internal.h"

/* Writes the row where the node has a store, and forwards unless the store's flush will. */
static int materialize(struct weir__live *live, const struct weir__event *event)
{
    int err;

    if (live->node->materialized) {
        err = weir__store_value(live->stores[0], event->rec.key, event->rec.value, event->rec.timestamp, &event->rec);
        if (err == WEIR_NOTFOUND) /* past the store's retention: not put, so not forwarded */
            return WEIR_OK;
        if (err < 0)
            return err;
        if (live->stores[0]->forwards)
            return WEIR_OK;
    }
    return weir__emit(live, event);
}

int weir__run_table_source(struct weir__live *live, const struct weir__event *event)
{
    struct weir__event out = { .rec = event->rec, .closed = event->closed };
    int                err;

    if (event->rec.key == NULL) {
        weir__drop_record(live->task, "null key");
        return WEIR_OK;
    }
    if (live->node->materialized && live->node->send_old) {
        err = weir__fetch_value(live->stores[0], event->rec.key, &out.old, NULL);
        if (err < 0 && err != WEIR_NOTFOUND)
            return err;
    }
    return materialize(live, &out);
}

/* The value the filter lets through, NULL = none. */
static int filtered(struct weir__live *live, const struct weir_record *rec, const void *value, const void **ret)
{
    struct weir_record seen = *rec;
    int                pass;

    *ret = NULL;
    if (value == NULL)
        return WEIR_OK;
    seen.value = value;
    pass = live->node->spec->test(&live->task->ctx, &seen);
    if (pass < 0)
        return pass;
    if ((pass != 0) != (live->node->spec->kind == WEIR_DROP))
        *ret = value;
    return WEIR_OK;
}

static int mapped(struct weir__live *live, const struct weir_record *rec, const void *value, const void **ret)
{
    struct weir_record seen = *rec, result;
    int                err;

    *ret = NULL;
    if (value == NULL)
        return WEIR_OK;
    seen.value = value;
    result = seen;
    err = live->node->spec->map(&live->task->ctx, &seen, &result);
    if (err < 0)
        return err;
    *ret = err == WEIR_NOTHING ? NULL : result.value;
    return WEIR_OK;
}

/* What a filter or map of a table gave before: its own row, else what it makes of the old value it is given. */
static int value_before(struct weir__live *live, const struct weir__event *event,
                        int (*fn)(struct weir__live *, const struct weir_record *, const void *, const void **),
                        const void **ret)
{
    int err;

    if (!live->node->materialized)
        return fn(live, &event->rec, event->old, ret);
    err = weir__fetch_value(live->stores[0], event->rec.key, ret, NULL);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* A filter or map of a table: the same function on the new and, where asked, the old value. */
static int run_values(struct weir__live *live, const struct weir__event *event,
                      int (*fn)(struct weir__live *, const struct weir_record *, const void *, const void **))
{
    struct weir__event out = { .rec = event->rec, .closed = event->closed };
    int                err = fn(live, &event->rec, event->rec.value, &out.rec.value);

    if (err == WEIR_OK && live->node->send_old)
        err = value_before(live, event, fn, &out.old);
    if (err < 0)
        return err;
    if (fn == filtered && live->node->send_old && out.old == NULL && out.rec.value == NULL)
        return WEIR_OK; /* never passed: no tombstone is due */
    return materialize(live, &out);
}

int weir__run_table_filter(struct weir__live *live, const struct weir__event *event)
{
    return run_values(live, event, filtered);
}

int weir__run_table_map(struct weir__live *live, const struct weir__event *event)
{
    return run_values(live, event, mapped);
}

/* The value a table's node has for key: from its own store, or its parent's through its verb. */
static int value_of(struct weir__live *live, const struct weir_record *rec, const void *key, const void **ret)
{
    struct weir_context *ctx = &live->task->ctx;
    struct weir__live   *asking = ctx->live;
    struct weir_record   seen = *rec;
    const void          *value;
    int                  err;

    *ret = NULL;
    if (live->store_count > 0 && live->node->materialized) {
        err = weir__fetch_value(live->stores[0], key, ret, NULL);
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    err = value_of(live->task->by_index[live->node->parents[0]->index], rec, key, &value);
    if (err < 0 || value == NULL)
        return err;
    if (live->node->op != WEIR__TABLE_FILTER && live->node->op != WEIR__TABLE_MAP) {
        *ret = value;
        return WEIR_OK;
    }
    seen.key = key;
    ctx->live = live;
    err = (live->node->op == WEIR__TABLE_FILTER ? filtered : mapped)(live, &seen, value, ret);
    ctx->live = asking;
    return err;
}

static int join(struct weir__live *live, const struct weir__event *event, const void *right)
{
    const struct weir__node *node = live->node;
    struct weir__event       out = { .rec = event->rec, .closed = event->closed };
    void                    *result = weir_arena_alloc(&live->task->record, node->value_out->bytes);
    int                      err;

    if (result == NULL)
        return WEIR_LIMIT;
    err = node->spec->join(&live->task->ctx, event->rec.key, event->rec.value, right, result);
    if (err < 0)
        return err;
    out.rec.value = err == WEIR_NOTHING ? NULL : result;
    return weir__emit(live, &out);
}

/* Source: KStreamKTableJoinProcessor and KIP-962: a left join keeps a record without a key. */
static int join_or_drop(struct weir__live *live, const struct weir__event *event, const void *key,
                        int (*look_up)(struct weir__live *, const struct weir_record *, const void *, const void **))
{
    bool        left = live->node->spec->side == WEIR_LEFT;
    const void *right = NULL;
    int         err;

    if (event->rec.value == NULL || (key == NULL && !left)) {
        weir__drop_record(live->task, "null key or value in a join");
        return WEIR_OK;
    }
    if (key != NULL) {
        err = look_up(live, &event->rec, key, &right);
        if (err < 0)
            return err;
    }
    return right != NULL || left ? join(live, event, right) : WEIR_OK;
}

static int look_up_table(struct weir__live *live, const struct weir_record *rec, const void *key, const void **ret)
{
    return value_of(live->with, rec, key, ret);
}

static int look_up_global(struct weir__live *live, const struct weir_record *rec, const void *key, const void **ret)
{
    (void)rec;
    int err = weir__fetch_value(live->global, key, ret, NULL);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int weir__run_join_table(struct weir__live *live, const struct weir__event *event)
{
    return join_or_drop(live, event, event->rec.key, look_up_table);
}

int weir__run_join_global(struct weir__live *live, const struct weir__event *event)
{
    const void *key = NULL;
    int         err = live->node->spec->select(&live->task->ctx, &event->rec, &key);

    if (err < 0)
        return err;
    return join_or_drop(live, event, err == WEIR_NOTHING ? NULL : key, look_up_global);
}
