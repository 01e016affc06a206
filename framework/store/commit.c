/* commit.c: how changes leave the dirty map: told at flush, held or written after the commit, or dropped; and how they
 * come back from the changelog.
 *
 * (1) A held row is in the changelog and not in the engine: the engine's offset stands before it, so a crash replays it.
 * (2) The engine is given all that is unwritten at once, in the order of keys, with the offset that it stands for.
 */
#include "framework/store/internal.h"

int weir__store_flush(struct weir__store *store)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(&store->unflushed)) != NULL) {
        int err;

        if (!store->spec->unseen && !entry->now.exists && !entry->same && !entry->settled.exists) {
            weir__entry_settle(store, entry);
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

/* A row of the engine that is gone already, or one with news for the listener, is left alone. */
static bool may_expire(const struct weir__store *store, struct weir_bytes key)
{
    const struct entry *entry = weir__entry_find(store, key);

    return entry == NULL || (entry->now.exists && !entry->unflushed);
}

/* Row keys of index rows that start below bound. Those before expired_to have gone: no look over their tombstones. */
static int collect_indexed(struct weir__store *store, int64_t bound, struct keys *keys)
{
    char               from[1 + sizeof(int64_t)] = { INDEX_ROW }, to[1 + sizeof(int64_t)] = { INDEX_ROW };
    struct weir__iter *iter;
    struct weir_bytes  key, value;
    struct weir__buf   row = { 0 };
    int                err;

    weir__put_be64(from + 1, (uint64_t)store->expired_to);
    weir__put_be64(to + 1, (uint64_t)bound);
    err = store->engine->iterate(store->db, store->family, BYTES(from, sizeof(from)), BYTES(to, sizeof(to)),
                                 WEIR_ASCENDING, &iter);
    if (err < 0)
        return err;
    while (keys->count < keys->max && (err = store->engine->next(iter, &key, &value)) == WEIR_OK) {
        err = weir__index_to_row(&row, key, &key);
        if (err == WEIR_OK && may_expire(store, key))
            err = keep_key(keys, key);
        if (err < 0)
            break;
    }
    store->engine->iter_close(iter);
    weir__buf_fini(&row);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* The rows that are not in the engine yet. *ret_left: some must wait for the flush. */
static int collect_unwritten(const struct weir__store *store, int64_t bound, struct keys *keys, bool *ret_left)
{
    struct entry *entry;
    int           err = WEIR_OK;

    TAILQ_FOREACH(entry, &store->unwritten, life) {
        if (!entry->now.exists || weir__row_start(weir__entry_key(entry)) >= bound)
            continue;
        if (entry->unflushed)
            *ret_left = true;
        else if (!entry->in_engine && keys->count < keys->max)
            err = keep_key(keys, weir__entry_key(entry));
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

int weir__entry_expire(struct weir__store *store, struct entry *entry, int64_t timestamp)
{
    struct weir__value nothing = { .timestamp = timestamp };
    weir__on_change   *listener = store->on_change;
    int                err;

    store->on_change = NULL;
    err = weir__entry_put(store, entry, &nothing);
    store->on_change = store->spec->tombstones ? listener : NULL;
    if (err == WEIR_OK)
        err = weir__entry_tell(store, entry, true);
    store->on_change = listener;
    return err;
}

static int expire_row(struct weir__store *store, struct weir_bytes key)
{
    int           err;
    struct entry *entry = weir__entry_load(store, key, &err);

    if (entry == NULL)
        return err;
    return entry->now.exists ? weir__entry_expire(store, entry, store->observed) : WEIR_OK;
}

int weir__store_expire(struct weir__store *store, size_t max)
{
    int64_t     bound = weir__expiry_bound(store);
    struct keys keys = { .max = max };
    bool        left = false;
    int         err;

    if (bound <= store->expired_to)
        return WEIR_OK;
    err = collect_indexed(store, bound, &keys);
    if (err == WEIR_OK)
        err = collect_unwritten(store, bound, &keys, &left);
    for (size_t i = 0; err == WEIR_OK && i < keys.count; i++)
        err = expire_row(store, keys.items[i]);
    if (err == WEIR_OK && keys.count < max && !left)
        store->expired_to = bound;
    weir__free(keys.items);
    weir__arena_fini(&keys.arena);
    return err;
}

/* ---- the batch ---- */

static int add_row(struct weir__store *store, const struct entry *entry, struct weir__batch *batch)
{
    struct weir__value value = weir__version_value(store, &entry->now);

    if (!entry->unwritten || (!entry->now.exists && !entry->in_engine))
        return WEIR_OK;
    return weir__batch_row(store, batch, weir__entry_key(entry), &value);
}

static int add_index(struct weir__store *store, const struct entry *entry, struct weir__batch *batch)
{
    if (!entry->unwritten || entry->now.exists == entry->in_engine)
        return WEIR_OK;
    return weir__batch_index(store, batch, weir__entry_key(entry), entry->now.exists);
}

/* In order: the engine's own list takes neighbours at a fraction of the cost. */
static int collect_sorted(struct weir__store *store, int which,
                          int (*add)(struct weir__store *, const struct entry *, struct weir__batch *),
                          struct weir__batch *batch)
{
    const struct view  *view = &store->views[which];
    struct place        place = { 0 };
    const struct entry *entry;
    int                 err = weir__view_refresh(store, which);

    for (; err == WEIR_OK && (entry = weir__view_next(view, &place)) != NULL; place.item++)
        err = add(store, entry, batch);
    return err;
}

static int collect_entries(struct weir__store *store, struct weir__batch *batch)
{
    int err = collect_sorted(store, BY_KEY, add_row, batch);

    if (err == WEIR_OK && weir__indexed(store))
        err = collect_sorted(store, BY_START, add_index, batch);
    return err;
}

/* A commit that brought nothing to the changelog says still that nobody else did. */
static void stand(struct weir__store *store, const struct weir__standing *now)
{
    if (now == NULL)
        return;
    if (now->offset >= 0)
        store->standing = *now;
    else
        store->standing.synced = now->synced;
}

static bool is_written(const struct weir__store *store)
{
    return TAILQ_EMPTY(&store->unwritten) && store->standing.offset == store->written.offset &&
           store->standing.synced - store->written.synced < WEIR__RENEW_MS;
}

int weir__store_collect(struct weir__store *store, const struct weir__standing *now, struct weir__batch *batch)
{
    struct weir__batch own = { 0 };
    int                err;

    stand(store, now);
    if (is_written(store))
        return WEIR_OK;
    err = collect_entries(store, store->own_db ? &own : batch);
    if (err == WEIR_OK)
        err = weir__meta_write(store, store->own_db ? &own : batch);
    if (err == WEIR_OK && store->own_db)
        err = store->engine->write(store->db, own.writes, own.count);
    weir__free(own.writes);
    weir__arena_fini(&own.arena);
    return err;
}

void weir__store_committed(struct weir__store *store)
{
    bool          lru = store->spec->kind == WEIR__STORE_LRU;
    struct entry *entry;

    weir__views_reset(store);
    weir__entries_bury(store);
    while ((entry = TAILQ_FIRST(&store->unwritten)) != NULL) {
        entry->in_engine = entry->now.exists;
        weir__entry_clean(store, entry);
        if (lru && !entry->now.exists)
            weir__entry_free(store, entry);
    }
    store->committed_observed = store->written_observed = store->observed;
    store->committed_seq = store->seq;
    if (!is_written(store))
        store->written = store->standing;
    weir__entries_trim(store, NULL);
}

bool weir__store_may_hold(const struct weir__store *store)
{
    return store->spec->logged && store->spec->kind != WEIR__STORE_LRU && !store->shared;
}

void weir__store_hold(struct weir__store *store, const struct weir__standing *now)
{
    struct entry *entry;

    stand(store, now);
    while ((entry = TAILQ_FIRST(&store->dirty)) != NULL)
        weir__entry_hold(store, entry);
    store->committed_observed = store->observed;
    store->committed_seq = store->seq;
    weir__entries_trim(store, NULL);
}

/* All rows of an LRU store stay entries: what was changed or let go is read again when it is wanted. */
static void take_back(struct weir__store *store, struct entry *entry)
{
    weir__entry_settle(store, entry);
    weir__entry_clean(store, entry);
    entry->now.exists = entry->stale = true;
    if (entry->used)
        return;
    TAILQ_INSERT_HEAD(&store->used, entry, use);
    entry->used = true;
    store->rows++;
}

void weir__store_drop(struct weir__store *store)
{
    struct entry *entry;

    weir__views_reset(store);
    weir__entries_bury(store);
    while ((entry = TAILQ_LAST(&store->dirty, entries)) != NULL) {
        if (entry->held)
            weir__entry_revert(store, entry);
        else if (store->spec->kind == WEIR__STORE_LRU && entry->in_engine)
            take_back(store, entry);
        else
            weir__entry_free(store, entry);
    }
    store->observed = store->committed_observed;
    store->seq = store->committed_seq;
    store->expired_to = 0;
}

/* ---- back from the changelog ---- */

/* The batch's greatest start counts first, so that rows which have expired since need not be written. Source:
 * AbstractRocksDBSegmentedBytesStore. */
static int observe(struct weir__store *store, const struct weir__raw *records, size_t count)
{
    for (size_t i = 0; i < count && store->spec->kind == WEIR__STORE_WINDOWS; i++) {
        struct weir_bytes key = records[i].key;

        if (key.data == NULL)
            continue;
        if (key.size < WINDOW_SUFFIX)
            return WEIR_CORRUPT;
        store->observed = MAX(store->observed, weir__row_start(key));
        store->seq = MAX(store->seq, weir__row_seq(key));
    }
    return WEIR_OK;
}

/* A row that leaves by a tombstone and has none is still to be looked at, however old. */
static bool gone(const struct weir__store *store, struct weir_bytes key)
{
    return store->spec->kind == WEIR__STORE_WINDOWS && !store->spec->tombstones &&
           weir__start_expired(store, weir__row_start(key));
}

static int restore_record(struct weir__store *store, const struct weir__raw *raw, struct weir__batch *batch)
{
    struct weir__value value = { .timestamp = raw->timestamp };
    struct entry      *entry;
    int                err;

    if (raw->key.data == NULL || gone(store, raw->key))
        return WEIR_OK;
    if (weir__logged_value(store, raw->value, &value) < 0)
        return WEIR_CORRUPT;
    if (store->spec->kind == WEIR__STORE_LRU) /* its order of use is that of the changelog */
        return weir__store_put(store, raw->key, &value);
    entry = weir__entry_find(store, raw->key);
    if (entry != NULL)
        weir__entry_free(store, entry);
    err = weir__batch_row(store, batch, raw->key, &value);
    if (err == WEIR_OK && weir__indexed(store))
        err = weir__batch_index(store, batch, raw->key, value.bytes.data != NULL);
    return err;
}

static int restore_batch(struct weir__store *store, const struct weir__raw *records, size_t count,
                         struct weir__batch *batch)
{
    int err = observe(store, records, count);

    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = restore_record(store, &records[i], batch);
    if (err == WEIR_OK)
        err = weir__store_flush(store); /* LRU: nobody listens */
    if (err == WEIR_OK && store->spec->kind == WEIR__STORE_LRU)
        err = weir__store_collect(store, NULL, batch);
    else if (err == WEIR_OK)
        err = weir__meta_write(store, batch);
    return err == WEIR_OK ? store->engine->write(store->db, batch->writes, batch->count) : err;
}

int weir__store_restore(struct weir__store *store, const struct weir__raw *records, size_t count, int64_t next)
{
    struct weir__batch    batch = { 0 };
    struct weir__standing before = store->standing;
    weir__on_change      *listener = store->on_change;
    int                   err;

    if (!TAILQ_EMPTY(&store->unwritten))
        return WEIR_BAD_STATE;
    store->standing.offset = next;
    store->standing.marked = false;
    store->on_change = NULL;
    err = restore_batch(store, records, count, &batch);
    store->on_change = listener;
    weir__free(batch.writes);
    weir__arena_fini(&batch.arena);
    if (err < 0) {
        weir__store_drop(store);
        store->standing = before;
        return err;
    }
    weir__store_committed(store);
    store->expired_to = 0;
    return WEIR_OK;
}

#define WIPE_AT_ONCE 10000 /* rows */

/* The next rows after *from, which moves on. *ret_count 0: there are none. */
static int wipe_some(struct weir__store *store, struct weir__buf *from, size_t *ret_count)
{
    struct weir__batch batch = { 0 };
    struct weir__iter *iter;
    struct weir_bytes  key, value;
    int                err;

    err = store->engine->iterate(store->db, store->family, BYTES(from->data, from->size), NO_BYTES, WEIR_ASCENDING,
                                 &iter);
    if (err < 0)
        return err;
    while (err == WEIR_OK && batch.count < WIPE_AT_ONCE && (err = store->engine->next(iter, &key, &value)) == WEIR_OK)
        err = weir__batch_add(store, &batch, key, NO_BYTES);
    store->engine->iter_close(iter);
    if (err == WEIR_NOTFOUND)
        err = WEIR_OK;
    if (err == WEIR_OK && batch.count > 0) {
        key = batch.writes[batch.count - 1].key;
        weir__buf_reset(from);
        weir__buf_add(from, key.data, key.size);
        err = weir__buf_ok(from) ? store->engine->write(store->db, batch.writes, batch.count) : WEIR_NO_MEMORY;
    }
    *ret_count = batch.count;
    weir__free(batch.writes);
    weir__arena_fini(&batch.arena);
    return err;
}

/* The store's own row goes first: a crash on the way leaves a store without an offset, which is emptied again. */
int weir__store_wipe(struct weir__store *store)
{
    struct weir__buf   from = { 0 };
    char               type = META_ROW;
    struct weir__write meta = { .family = store->family, .key = BYTES(&type, 1) };
    size_t             count;
    int                err;

    weir__views_reset(store);
    weir__entries_bury(store);
    weir__entries_clear(store, &store->unwritten);
    weir__entries_clear(store, &store->clean);
    weir__buf_putc(&from, DATA_ROW);
    err = store->engine->write(store->db, &meta, 1);
    if (err == WEIR_OK)
        store->standing = store->written = WEIR__NOWHERE;
    for (count = 1; err == WEIR_OK && count > 0;)
        err = weir__buf_ok(&from) ? wipe_some(store, &from, &count) : WEIR_NO_MEMORY;
    weir__buf_fini(&from);
    if (err < 0)
        return err;
    store->observed = store->committed_observed = store->written_observed = -1;
    store->seq = store->committed_seq = 0;
    store->expired_to = 0;
    return WEIR_OK;
}
