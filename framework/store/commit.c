/* commit.c: how changes leave the dirty map: told at flush, written after the commit, or dropped; and how they come
 * back from the changelog. */
#include "framework/store/internal.h"

int weir__store_flush(struct weir__store *store)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(&store->unflushed)) != NULL) {
        int err;

        if (!entry->now.exists && !entry->same && !entry->settled.exists) { /* came and went unseen */
            TAILQ_REMOVE(&store->unflushed, entry, flush);
            entry->unflushed = false;
            entry->same = true;
            continue;
        }
        err = weir__entry_tell(store, entry, false);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

/* ---- expiry ---- */

struct keys {
    struct weir_bytes *items;
    size_t             count, capacity, max;
    struct weir_arena  arena;
};

static int keep_key(struct keys *keys, struct weir_bytes key)
{
    void *copy = weir__arena_copy(&keys->arena, key.data, key.size);

    if (copy == NULL || GROW(keys->items, keys->capacity, keys->count) < 0)
        return WEIR_NO_MEMORY;
    keys->items[keys->count++] = BYTES(copy, key.size);
    return WEIR_OK;
}

/* Row keys of index rows that start below bound. */
static int collect_indexed(struct weir__store *store, int64_t bound, struct keys *keys)
{
    char               from[1 + sizeof(int64_t)] = { INDEX_ROW }, to[1 + sizeof(int64_t)] = { INDEX_ROW };
    struct weir__iter *iter;
    struct weir_bytes  key, value;
    struct weir__buf   row = { 0 };
    int                err;

    weir__put_be64(from + 1, 0);
    weir__put_be64(to + 1, (uint64_t)bound);
    err = store->engine->iterate(store->db, store->family, BYTES(from, sizeof(from)), BYTES(to, sizeof(to)),
                                 WEIR_ASCENDING, &iter);
    if (err < 0)
        return err;
    while (keys->count < keys->max && (err = store->engine->next(iter, &key, &value)) == WEIR_OK) {
        const char *at = key.data;
        size_t      plain = key.size - 1 - WINDOW_SUFFIX;

        weir__buf_reset(&row);
        weir__buf_add(&row, at + 1 + sizeof(int64_t), plain);
        weir__buf_add(&row, at + 1, sizeof(int64_t));
        weir__buf_add(&row, at + 1 + sizeof(int64_t) + plain, sizeof(int32_t));
        err = weir__buf_ok(&row) ? keep_key(keys, BYTES(row.data, row.size)) : WEIR_NO_MEMORY;
        if (err < 0)
            break;
    }
    store->engine->iter_close(iter);
    weir__buf_fini(&row);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int collect_dirty(struct weir__store *store, int64_t bound, struct keys *keys)
{
    struct entry *entry;

    TAILQ_FOREACH(entry, &store->dirty, life) {
        struct weir_bytes key = BYTES(entry->key, entry->key_size);
        int               err = WEIR_OK;

        if (keys->count >= keys->max)
            return WEIR_OK;
        if (!entry->in_engine && entry->now.exists && weir__row_start(key) < bound)
            err = keep_key(keys, key);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

/* Deletes without forwarding; the changelog hears of it where the store writes tombstones. */
static int expire_row(struct weir__store *store, struct weir_bytes key)
{
    struct weir__value nothing = { .timestamp = store->observed };
    weir__on_change   *listener = store->on_change;
    int                err;
    struct entry      *entry = weir__entry_load(store, key, &err);

    if (entry == NULL)
        return err;
    if (!entry->now.exists)
        return WEIR_OK;
    store->on_change = NULL;
    err = weir__entry_put(store, entry, &nothing);
    store->on_change = store->spec->tombstones ? listener : NULL;
    if (err == WEIR_OK)
        err = weir__entry_tell(store, entry, true);
    store->on_change = listener;
    return err;
}

int weir__store_expire(struct weir__store *store, size_t max)
{
    int64_t     bound = weir__expiry_bound(store);
    struct keys keys = { .max = max };
    int         err;

    if (bound <= store->expired_to)
        return WEIR_OK;
    err = collect_indexed(store, bound, &keys);
    if (err == WEIR_OK)
        err = collect_dirty(store, bound, &keys);
    for (size_t i = 0; err == WEIR_OK && i < keys.count; i++)
        err = expire_row(store, keys.items[i]);
    if (err == WEIR_OK && keys.count < max)
        store->expired_to = bound;
    weir__free(keys.items);
    weir__arena_fini(&keys.arena);
    return err;
}

/* ---- the batch ---- */

static int collect_entries(struct weir__store *store, struct weir__batch *batch)
{
    struct entry *entry;

    TAILQ_FOREACH(entry, &store->dirty, life) {
        struct weir__value value = weir__version_value(store, &entry->now);
        int                err;

        if (!entry->now.exists && !entry->in_engine)
            continue;
        err = weir__batch_row(store, batch, BYTES(entry->key, entry->key_size), &value,
                              !entry->in_engine || !entry->now.exists);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

int weir__store_collect(struct weir__store *store, int64_t offset, struct weir__batch *batch)
{
    struct weir__batch own = { 0 };
    int                err;

    if (TAILQ_EMPTY(&store->dirty) && offset < 0)
        return WEIR_OK;
    if (offset >= 0)
        store->offset = offset;
    err = collect_entries(store, store->own_db ? &own : batch);
    if (err == WEIR_OK)
        err = weir__meta_write(store, store->own_db ? &own : batch, store->offset);
    if (err == WEIR_OK && store->own_db)
        err = store->engine->write(store->db, own.writes, own.count);
    weir__free(own.writes);
    weir__arena_fini(&own.arena);
    return err;
}

void weir__store_committed(struct weir__store *store)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(&store->dirty)) != NULL) {
        size_t bytes = sizeof(*entry) + entry->key_size + entry->now.capacity + entry->settled.capacity;

        TAILQ_REMOVE(&store->dirty, entry, life);
        TAILQ_INSERT_TAIL(&store->clean, entry, life);
        store->dirty_bytes -= bytes;
        store->clean_bytes += bytes;
        entry->dirty = false;
        entry->in_engine = entry->now.exists;
    }
    store->committed_observed = store->observed;
    weir__entries_trim(store);
}

void weir__store_drop(struct weir__store *store)
{
    struct entry *entry;

    weir__entries_clear(store, &store->dirty);
    store->observed = store->committed_observed;
    store->rows = 0;
    TAILQ_FOREACH(entry, &store->clean, life)
        store->rows += entry->now.exists;
}

/* ---- back from the changelog ---- */

static int restore_record(struct weir__store *store, const struct weir__raw *raw, struct weir__batch *batch)
{
    struct weir__value value = { .bytes = raw->value, .timestamp = raw->timestamp };

    if (raw->key.data == NULL)
        return WEIR_OK;
    if (store->spec->kind == WEIR__STORE_WINDOWS) {
        if (raw->key.size < WINDOW_SUFFIX)
            return WEIR_CORRUPT;
        store->observed = MAX(store->observed, weir__row_start(raw->key));
        if (weir__start_expired(store, weir__row_start(raw->key)))
            return WEIR_OK;
    }
    if (store->spec->kind == WEIR__STORE_LRU) /* its order of use is that of the changelog */
        return weir__store_put(store, raw->key, &value);
    return weir__batch_row(store, batch, raw->key, &value, true);
}

int weir__store_restore(struct weir__store *store, const struct weir__raw *records, size_t count, int64_t next)
{
    struct weir__batch batch = { 0 };
    weir__on_change   *listener = store->on_change;
    int                err = WEIR_OK;

    store->on_change = NULL;
    if (store->spec->kind != WEIR__STORE_LRU)
        weir__entries_clear(store, &store->clean);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = restore_record(store, &records[i], &batch);
    if (err == WEIR_OK)
        err = weir__meta_write(store, &batch, next);
    if (err == WEIR_OK)
        err = store->engine->write(store->db, batch.writes, batch.count);
    weir__free(batch.writes);
    weir__arena_fini(&batch.arena);
    store->on_change = listener;
    if (err < 0)
        return err;
    if (store->spec->kind == WEIR__STORE_LRU &&
        (weir__store_flush(store) < 0 || weir__store_collect(store, next, NULL) < 0))
        return WEIR_STORE_FAILED;
    weir__store_committed(store);
    store->offset = next;
    return WEIR_OK;
}

int weir__store_wipe(struct weir__store *store)
{
    struct weir__batch batch = { 0 };
    struct weir__iter *iter;
    struct weir_bytes  key, value;
    int                err;

    weir__entries_clear(store, &store->dirty);
    weir__entries_clear(store, &store->clean);
    err = store->engine->iterate(store->db, store->family, NO_BYTES, NO_BYTES, WEIR_ASCENDING, &iter);
    if (err < 0)
        return err;
    while ((err = store->engine->next(iter, &key, &value)) == WEIR_OK)
        if ((err = weir__batch_add(store, &batch, key, NO_BYTES)) < 0)
            break;
    store->engine->iter_close(iter);
    if (err == WEIR_NOTFOUND)
        err = store->engine->write(store->db, batch.writes, batch.count);
    weir__free(batch.writes);
    weir__arena_fini(&batch.arena);
    store->offset = store->observed = store->committed_observed = -1;
    store->expired_to = 0;
    store->rows = 0;
    return err;
}
