/* store.c: opening, reading and writing a store. */
#include "framework/store/internal.h"

/* Clean rows kept for reading when nobody says otherwise, bytes. */
#define KEEP_BYTES ((size_t)1 << 20)

int weir__meta_take(struct weir__store *store, struct weir_bytes bytes, struct weir_error *reterr)
{
    const char *meta = bytes.data;

    if (bytes.size != META_BYTES && bytes.size != META_LEAST)
        return weir__fail(reterr, WEIR_CORRUPT, store->spec->name, "the store's own row has %zu bytes", bytes.size);
    if (meta[META_FORMAT] != FORMAT_VERSION)
        return weir__fail(reterr, WEIR_UNSUPPORTED, store->spec->name,
                          "the store was written in format %d, this version reads %d: use a newer one",
                          meta[META_FORMAT], FORMAT_VERSION);
    store->standing.offset = (int64_t)weir__get_be64(meta);
    store->observed = store->written_observed = (int64_t)weir__get_be64(meta + META_OBSERVED);
    store->seq = (int32_t)(weir__get_be32(meta + META_SEQ) & INT32_MAX);
    if (bytes.size == META_LEAST)
        return WEIR_OK;
    store->standing.synced = (int64_t)weir__get_be64(meta + META_SYNCED);
    store->standing.marked = meta[META_MARKED] != 0;
    return WEIR_OK;
}

static int read_meta(struct weir__store *store, struct weir_error *reterr)
{
    struct weir_bytes bytes;
    char              type = META_ROW;
    int               err = store->engine->get(store->db, store->family, BYTES(&type, 1), &bytes);

    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err < 0)
        return weir__fail(reterr, err, store->spec->name, "the store's own row cannot be read");
    return weir__meta_take(store, bytes, reterr);
}

static int open_engine(struct weir__store *store, struct weir__db *db, struct weir_error *reterr)
{
    int err = WEIR_OK;

    store->db = db;
    store->own_db = db == NULL;
    if (store->own_db)
        err = store->engine->open(NULL, 0, &store->db, reterr);
    if (err == WEIR_OK)
        err = store->engine->family(store->db, store->spec->name, &store->family, reterr);
    return err == WEIR_OK ? read_meta(store, reterr) : err;
}

void weir__store_init(struct weir__store *store, const struct weir__store_spec *spec,
                      const struct weir__engine *engine)
{
    store->spec = spec;
    store->engine = engine;
    store->keep_bytes = KEEP_BYTES;
    store->standing = store->written = WEIR__NOWHERE;
    store->observed = store->written_observed = -1;
    TAILQ_INIT(&store->unwritten);
    TAILQ_INIT(&store->dirty);
    TAILQ_INIT(&store->clean);
    TAILQ_INIT(&store->dead);
    TAILQ_INIT(&store->unflushed);
    TAILQ_INIT(&store->used);
}

int weir__store_open(const struct weir__store_spec *spec, const struct weir__engine *engine, struct weir__db *db,
                     struct weir__store **ret, struct weir_error *reterr)
{
    struct weir__store *store = weir__zalloc(sizeof(*store));
    int                 err;

    if (store == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, spec->name, "no memory for the store");
    weir__store_init(store, spec, engine);
    err = open_engine(store, db, reterr);
    if (err < 0) {
        weir__store_close(store);
        return err;
    }
    store->committed_observed = store->observed;
    store->committed_seq = store->seq;
    store->written = store->standing;
    *ret = store;
    return WEIR_OK;
}

void weir__store_fini(struct weir__store *store)
{
    weir__entries_bury(store);
    weir__entries_clear(store, &store->unwritten);
    weir__entries_clear(store, &store->clean);
    weir__views_fini(store);
    weir__map_fini(&store->map);
    weir__free(store->parked);
    weir__buf_fini(&store->key);
}

void weir__store_close(struct weir__store *store)
{
    if (store == NULL)
        return;
    weir__store_fini(store);
    if (store->own_db && store->db != NULL)
        store->engine->close(store->db);
    weir__free(store);
}

const struct weir__store_spec *weir__store_spec(const struct weir__store *store) { return store->spec; }

void weir__store_listen(struct weir__store *store, weir__on_change *on_change, void *arg)
{
    store->on_change = on_change;
    store->on_change_arg = arg;
}

int64_t weir__store_observed(const struct weir__store *store) { return store->observed; }

int32_t weir__store_seq(const struct weir__store *store) { return store->spec->duplicates ? store->seq : 0; }

struct weir__standing weir__store_standing(const struct weir__store *store) { return store->standing; }

void weir__store_sync(struct weir__store *store, int64_t at) { store->standing.synced = at; }

size_t weir__store_dirty_bytes(const struct weir__store *store) { return store->dirty_bytes; }

size_t weir__store_held_bytes(const struct weir__store *store) { return store->held_bytes; }

void weir__store_share(struct weir__store *store) { store->shared = true; }

void weir__store_keep(struct weir__store *store, size_t keep_bytes)
{
    store->keep_bytes = keep_bytes;
    weir__entries_trim(store, NULL);
}

/* ---- keys and LRU ---- */

int weir__store_get(struct weir__store *store, struct weir_bytes key, struct weir__value *ret)
{
    bool          lru = store->spec->kind == WEIR__STORE_LRU;
    int           err;
    struct entry *entry;

    if (lru && weir__entry_find(store, key) == NULL) /* all its rows are entries */
        return WEIR_NOTFOUND;
    entry = weir__entry_load(store, key, &err);
    if (entry == NULL)
        return err;
    weir__entries_trim(store, entry);
    if (!entry->now.exists)
        return WEIR_NOTFOUND;
    weir__entry_used(store, entry);
    *ret = weir__version_value(store, &entry->now);
    return WEIR_OK;
}

static int let_go(struct weir__store *store, struct entry *entry, int64_t timestamp)
{
    struct weir__value nothing = { .timestamp = timestamp };
    int                err = weir__entry_put(store, entry, &nothing);

    if (err == WEIR_OK && entry->unflushed && !store->spec->partings)
        err = weir__entry_tell(store, entry, false);
    if (err == WEIR_OK)
        weir__entry_used(store, entry);
    return err;
}

/* For one row more. What goes untold stays in the changelog: a restore lets it go again. Source: MemoryLRUCache. */
static int make_room(struct weir__store *store, int64_t timestamp)
{
    weir__on_change *listener = store->on_change;
    int              err = WEIR_OK;

    if (!store->spec->partings)
        store->on_change = NULL;
    while (err == WEIR_OK && store->rows > 0 && (int64_t)store->rows >= store->spec->max)
        err = let_go(store, TAILQ_FIRST(&store->used), timestamp);
    store->on_change = listener;
    return err;
}

int weir__store_put(struct weir__store *store, struct weir_bytes key, const struct weir__value *value)
{
    int           err;
    struct entry *entry = weir__entry_load(store, key, &err);

    if (entry == NULL)
        return err;
    if (store->spec->kind == WEIR__STORE_LRU && value->bytes.data != NULL && !entry->now.exists)
        err = make_room(store, value->timestamp);
    if (err == WEIR_OK)
        err = weir__entry_put(store, entry, value);
    if (err == WEIR_OK)
        weir__entry_used(store, entry);
    weir__entries_trim(store, entry);
    return err;
}

/* ---- windows ---- */

struct weir_bytes weir__window_key(char *to, struct weir_bytes key, int64_t start, int32_t seq)
{
    if (key.size > 0)
        memcpy(to, key.data, key.size);
    weir__put_be64(to + key.size, (uint64_t)start);
    weir__put_be32(to + key.size + sizeof(int64_t), (uint32_t)seq);
    return BYTES(to, key.size + WINDOW_SUFFIX);
}

struct entry *weir__window_load(struct weir__store *store, struct weir_bytes key, int64_t start, int32_t seq,
                                int *ret_err)
{
    char          small[256];
    char         *to = key.size + WINDOW_SUFFIX <= sizeof(small) ? small : weir__alloc(key.size + WINDOW_SUFFIX);
    struct entry *entry;

    *ret_err = WEIR_NO_MEMORY;
    if (to == NULL)
        return NULL;
    entry = weir__entry_load(store, weir__window_key(to, key, start, seq), ret_err);
    if (to != small)
        weir__free(to);
    return entry;
}

int weir__store_get_window(struct weir__store *store, struct weir_bytes key, int64_t start, struct weir__value *ret)
{
    struct entry *entry;
    int           err;

    if (start < weir__oldest_shown(store))
        return WEIR_NOTFOUND;
    if (store->spec->duplicates && store->spec->in_memory) /* Source: InMemoryWindowStore */
        return WEIR_NOTFOUND;
    entry = weir__window_load(store, key, start, weir__store_seq(store), &err);
    if (entry == NULL)
        return err;
    weir__entries_trim(store, entry);
    if (!entry->now.exists)
        return WEIR_NOTFOUND;
    *ret = weir__version_value(store, &entry->now);
    return WEIR_OK;
}

/* A deletion among duplicates names no row: it is told and does nothing more. Source: RocksDBWindowStore. */
static bool nothing_to_delete(const struct weir__store *store, const struct weir__value *value)
{
    return store->spec->duplicates && !store->spec->in_memory && value->bytes.data == NULL;
}

int weir__store_put_window(struct weir__store *store, struct weir_bytes key, int64_t start,
                           const struct weir__value *value)
{
    struct entry *entry;
    int           err;

    if (start < 0)
        return WEIR_BAD_TIME;
    if (store->spec->duplicates)
        store->seq = (store->seq + 1) & INT32_MAX;
    if (!nothing_to_delete(store, value)) {
        store->observed = MAX(store->observed, start);
        if (weir__start_expired(store, start))
            return WEIR_NOTFOUND;
    }
    entry = weir__window_load(store, key, start, weir__store_seq(store), &err);
    if (entry == NULL)
        return err;
    err = weir__entry_put(store, entry, value);
    weir__entries_trim(store, entry);
    return err;
}
