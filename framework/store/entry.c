/* entry.c: the dirty map: one entry per key that was read or written since it was last needed.
 *
 * (1) An entry of the map is unwritten (dirty: not committed; held: committed; or both) or clean. Where both, the
 *     committed value is kept beside, for an abort.
 * (2) A put swaps the buffers of `now` and `settled`, so rewriting a key of steady size takes no memory.
 * (3) What a listener was lent stays as it is until the outermost listener returns, whatever is put meanwhile.
 */
#include "framework/store/internal.h"

static size_t entry_bytes(const struct entry *entry)
{
    return sizeof(*entry) + 2 * sizeof(struct weir__map_slot) + entry->key_size + entry->now.capacity +
           entry->settled.capacity + entry->committed.capacity + entry->header_bytes;
}

/* Which sum an entry's bytes are in. */
static size_t *bytes_of(struct weir__store *store, const struct entry *entry)
{
    return entry->dirty ? &store->dirty_bytes : entry->unwritten ? &store->held_bytes : &store->clean_bytes;
}

/* The entry had `before` bytes and has changed. */
static void account(struct weir__store *store, const struct entry *entry, size_t before)
{
    *bytes_of(store, entry) += entry_bytes(entry) - before;
}

static int version_set(struct version *version, const struct weir__value *value)
{
    size_t size = value->bytes.size;

    if (size > version->capacity || version->data == NULL) {
        size_t capacity = size <= 64 ? 64 : size + size / 8;
        char  *data = weir__realloc(version->data, capacity);

        if (data == NULL)
            return WEIR_NO_MEMORY;
        version->data = data;
        version->capacity = capacity;
    }
    if (size > 0) /* what was lent may come back */
        memmove(version->data, value->bytes.data, size);
    version->size = size;
    version->exists = value->bytes.data != NULL;
    version->timestamp = value->timestamp;
    version->end = value->end;
    return WEIR_OK;
}

struct weir__value weir__version_value(const struct weir__store *store, const struct version *version)
{
    struct weir__value value = { .timestamp = store->spec->timestamped ? version->timestamp : -1,
                                 .end = version->end };

    if (version->exists)
        value.bytes = BYTES(version->data, version->size);
    return value;
}

/* ---- in and out of the map ---- */

struct entry *weir__entry_find(const struct weir__store *store, struct weir_bytes key)
{
    return weir__map_get(&store->map, key);
}

static struct entry *entry_new(struct weir__store *store, struct weir_bytes key, const struct weir__value *value)
{
    struct entry *entry = weir__zalloc(sizeof(*entry) + key.size);

    if (entry == NULL)
        return NULL;
    entry->key_size = key.size;
    if (key.size > 0)
        memcpy(entry->key, key.data, key.size);
    entry->same = true;
    if ((value->bytes.data != NULL && version_set(&entry->now, value) < 0) ||
        weir__map_put(&store->map, weir__entry_key(entry), entry) < 0) {
        weir__free(entry->now.data);
        weir__free(entry);
        return NULL;
    }
    entry->in_engine = entry->now.exists;
    TAILQ_INSERT_TAIL(&store->clean, entry, life);
    store->clean_bytes += entry_bytes(entry);
    return entry;
}

/* Whether a row is known to be absent from the engine without a look: a window newer than all that it has, or where its key has
 * none. That is where most windows begin. */
static bool is_absent(const struct weir__store *store, struct weir_bytes key)
{
    if (store->spec->kind != WEIR__STORE_WINDOWS)
        return false;
    return weir__row_start(key) > store->written_observed ||
           (store->spec->keyed && !weir__row_is_head(store, key) && weir__head_rules_out(store, key));
}

/* The engine's row, lent until its next call; no row is no error. */
static int read_engine(struct weir__store *store, struct weir_bytes key, struct weir__value *ret)
{
    struct weir_bytes row, bytes;
    int               err;

    *ret = (struct weir__value){ .timestamp = -1 };
    if (is_absent(store, key))
        return WEIR_OK;
    row = weir__engine_key(&store->key, weir__row_type(store, key), key, NO_BYTES);
    if (row.data == NULL)
        return WEIR_NO_MEMORY;
    err = store->engine->get(store->db, store->family, row, &bytes);
    if (err == WEIR_OK)
        return weir__engine_value(store, bytes, ret);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int reload(struct weir__store *store, struct entry *entry)
{
    size_t             before = entry_bytes(entry);
    struct weir__value value;
    int                err = read_engine(store, weir__entry_key(entry), &value);

    if (err == WEIR_OK)
        err = version_set(&entry->now, &value);
    account(store, entry, before);
    entry->stale = err < 0;
    return err;
}

/* Found again: of the clean ones the last to go. */
static struct entry *found(struct weir__store *store, struct entry *entry, int *ret_err)
{
    if (!entry->unwritten && TAILQ_NEXT(entry, life) != NULL) {
        TAILQ_REMOVE(&store->clean, entry, life);
        TAILQ_INSERT_TAIL(&store->clean, entry, life);
    }
    *ret_err = entry->stale ? reload(store, entry) : WEIR_OK;
    return *ret_err < 0 ? NULL : entry;
}

struct entry *weir__entry_load(struct weir__store *store, struct weir_bytes key, int *ret_err)
{
    struct entry      *entry = weir__entry_find(store, key);
    struct weir__value value;

    if (entry != NULL)
        return found(store, entry, ret_err);
    *ret_err = read_engine(store, key, &value);
    if (*ret_err < 0)
        return NULL;
    entry = entry_new(store, key, &value);
    if (entry == NULL)
        *ret_err = WEIR_NO_MEMORY;
    return entry;
}

static void forget_headers(struct weir__store *store, struct entry *entry)
{
    size_t before = entry_bytes(entry);

    if (entry->headers == NULL)
        return;
    weir__free(entry->headers);
    entry->headers = NULL;
    entry->header_count = entry->header_bytes = 0;
    account(store, entry, before);
}

static void not_unflushed(struct weir__store *store, struct entry *entry)
{
    if (entry->unflushed)
        TAILQ_REMOVE(&store->unflushed, entry, flush);
    entry->unflushed = false;
}

static void not_used(struct weir__store *store, struct entry *entry)
{
    if (!entry->used)
        return;
    TAILQ_REMOVE(&store->used, entry, use);
    entry->used = false;
    store->rows--;
}

void weir__entry_used(struct weir__store *store, struct entry *entry)
{
    if (store->spec->kind != WEIR__STORE_LRU)
        return;
    not_used(store, entry);
    if (!entry->now.exists)
        return;
    TAILQ_INSERT_TAIL(&store->used, entry, use);
    entry->used = true;
    store->rows++;
}

static void not_dirty(struct weir__store *store, struct entry *entry)
{
    if (entry->dirty)
        TAILQ_REMOVE(&store->dirty, entry, change);
    entry->dirty = false;
}

void weir__entry_clean(struct weir__store *store, struct entry *entry)
{
    *bytes_of(store, entry) -= entry_bytes(entry);
    TAILQ_REMOVE(&store->unwritten, entry, life);
    TAILQ_INSERT_TAIL(&store->clean, entry, life);
    not_dirty(store, entry);
    entry->unwritten = entry->held = false;
    store->clean_bytes += entry_bytes(entry);
}

static void release(struct entry *entry)
{
    weir__free(entry->now.data);
    weir__free(entry->settled.data);
    weir__free(entry->committed.data);
    weir__free(entry->headers);
    weir__free(entry);
}

/* Out of all lists and sums, and out of the map. */
static void take_out(struct weir__store *store, struct entry *entry)
{
    *bytes_of(store, entry) -= entry_bytes(entry);
    TAILQ_REMOVE(entry->unwritten ? &store->unwritten : &store->clean, entry, life);
    not_dirty(store, entry);
    not_unflushed(store, entry);
    not_used(store, entry);
    (void)weir__map_remove(&store->map, weir__entry_key(entry));
    entry->unwritten = entry->held = false;
}

void weir__entry_free(struct weir__store *store, struct entry *entry)
{
    take_out(store, entry);
    release(entry);
}

void weir__entries_bury(struct weir__store *store)
{
    struct entry *entry;

    weir__views_bury(store);
    while ((entry = TAILQ_FIRST(&store->dead)) != NULL) {
        TAILQ_REMOVE(&store->dead, entry, life);
        release(entry);
    }
    store->dead_count = 0;
}

/* Views let dead entries go together: one pass over them for many. */
static void die(struct weir__store *store, struct entry *entry)
{
    take_out(store, entry);
    TAILQ_INSERT_TAIL(&store->dead, entry, life);
    if (++store->dead_count > 1000 && store->dead_count > store->map.count / 4)
        weir__entries_bury(store);
}

void weir__entry_hold(struct weir__store *store, struct entry *entry)
{
    if (!entry->now.exists && !entry->in_engine) {
        die(store, entry);
        return;
    }
    *bytes_of(store, entry) -= entry_bytes(entry);
    not_dirty(store, entry);
    entry->held = true;
    store->held_bytes += entry_bytes(entry);
}

void weir__entry_revert(struct weir__store *store, struct entry *entry)
{
    struct version spare = entry->now;

    weir__entry_settle(store, entry);
    *bytes_of(store, entry) -= entry_bytes(entry);
    not_dirty(store, entry);
    entry->now = entry->committed;
    entry->committed = spare;
    store->held_bytes += entry_bytes(entry);
}

void weir__entries_clear(struct weir__store *store, struct entries *entries)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(entries)) != NULL)
        weir__entry_free(store, entry);
}

/* An LRU store's rows are all entries, and stay. */
void weir__entries_trim(struct weir__store *store, const struct entry *spare)
{
    while (store->spec->kind != WEIR__STORE_LRU && store->clean_bytes > store->keep_bytes) {
        struct entry *entry = TAILQ_FIRST(&store->clean);

        if (entry == spare)
            entry = TAILQ_NEXT(entry, life);
        if (entry == NULL)
            return;
        weir__entry_free(store, entry);
    }
}

/* ---- changing ---- */

static void mark_dirty(struct weir__store *store, struct entry *entry)
{
    if (entry->dirty)
        return;
    *bytes_of(store, entry) -= entry_bytes(entry);
    if (!entry->unwritten) {
        TAILQ_REMOVE(&store->clean, entry, life);
        TAILQ_INSERT_TAIL(&store->unwritten, entry, life);
        entry->serial = ++store->serial;
    }
    TAILQ_INSERT_TAIL(&store->dirty, entry, change);
    entry->unwritten = entry->dirty = true;
    store->dirty_bytes += entry_bytes(entry);
}

/* The first change of a held row keeps what was committed. */
static int keep_committed(struct weir__store *store, struct entry *entry)
{
    size_t             before = entry_bytes(entry);
    struct weir__value value = { .timestamp = entry->now.timestamp, .end = entry->now.end };
    int                err;

    if (!entry->held || entry->dirty)
        return WEIR_OK;
    if (entry->now.exists)
        value.bytes = BYTES(entry->now.data, entry->now.size);
    err = version_set(&entry->committed, &value);
    account(store, entry, before);
    return err;
}

static void mark_unflushed(struct weir__store *store, struct entry *entry)
{
    not_unflushed(store, entry);
    TAILQ_INSERT_TAIL(&store->unflushed, entry, flush);
    entry->unflushed = true;
}

/* Puts memory aside that a listener may be reading. */
static int park(struct weir__store *store, void *memory)
{
    if (GROW(store->parked, store->parked_capacity, store->parked_count) < 0)
        return WEIR_NO_MEMORY;
    store->parked[store->parked_count++] = memory;
    return WEIR_OK;
}

static void unpark(struct weir__store *store)
{
    while (store->parked_count > 0)
        weir__free(store->parked[--store->parked_count]);
}

/* Sets the new value; what was told before stays known as `settled`. */
static int replace(struct weir__store *store, struct entry *entry, const struct weir__value *value)
{
    int            err = keep_committed(store, entry);
    size_t         before = entry_bytes(entry);
    struct version spare = entry->settled;
    bool           swapped = entry->same;

    if (err < 0)
        return err;
    if (swapped && entry->lent > 0) {
        if (spare.data != NULL && park(store, spare.data) < 0)
            return WEIR_NO_MEMORY;
        spare = (struct version){ 0 };
    }
    if (swapped) {
        entry->settled = entry->now;
        entry->now = spare;
    }
    err = version_set(&entry->now, value);
    if (err < 0 && swapped) {
        spare = entry->now;
        entry->now = entry->settled;
        entry->settled = spare;
    }
    account(store, entry, before);
    if (err < 0)
        return err;
    entry->same = entry->stale = false;
    mark_dirty(store, entry);
    return WEIR_OK;
}

/* A copy of the headers in one block; *ret_bytes 0 and NULL for none. */
static int copy_headers(const struct weir__value *value, struct weir_header **ret, size_t *ret_bytes)
{
    size_t              size = sizeof(**ret) * value->header_count;
    struct weir_header *block = NULL;
    char               *at;

    for (size_t i = 0; i < value->header_count; i++)
        size += strlen(value->headers[i].name) + 1 + value->headers[i].value.size;
    *ret = NULL;
    *ret_bytes = 0;
    if (size == 0)
        return WEIR_OK;
    block = weir__alloc(size);
    if (block == NULL)
        return WEIR_NO_MEMORY;
    at = (char *)(block + value->header_count);
    for (size_t i = 0; i < value->header_count; i++) {
        const struct weir_header *header = &value->headers[i];
        size_t                    length = strlen(header->name) + 1;

        block[i].name = memcpy(at, header->name, length);
        at += length;
        block[i].value = header->value;
        if (header->value.data != NULL)
            block[i].value.data = memcpy(at, header->value.data, header->value.size);
        at += header->value.size;
    }
    *ret = block;
    *ret_bytes = size;
    return WEIR_OK;
}

/* Takes the block. */
static int set_headers(struct weir__store *store, struct entry *entry, struct weir_header *block, size_t count,
                       size_t bytes)
{
    size_t before = entry_bytes(entry);

    if (entry->lent > 0 && entry->headers != NULL && park(store, entry->headers) < 0)
        return WEIR_NO_MEMORY;
    if (entry->lent == 0)
        weir__free(entry->headers);
    entry->headers = block;
    entry->header_count = count;
    entry->header_bytes = bytes;
    account(store, entry, before);
    return WEIR_OK;
}

/* ---- telling ---- */

static int lend(struct weir__store *store, struct entry *entry, const struct weir__change *change)
{
    int err = WEIR_OK;

    entry->lent++;
    store->lending++;
    if (store->on_change != NULL)
        err = store->on_change(store->on_change_arg, change);
    entry->lent--;
    if (--store->lending == 0)
        unpark(store);
    return err;
}

static int tell(struct weir__store *store, struct entry *entry, bool expired, const struct weir_header *headers,
                size_t header_count)
{
    struct weir__change change = { .key = weir__entry_key(entry),
                                   .now = { .timestamp = entry->now.timestamp,
                                            .end = entry->now.end,
                                            .headers = headers,
                                            .header_count = header_count },
                                   .before = weir__version_value(store, &entry->settled),
                                   .expired = expired };

    if (entry->now.exists)
        change.now.bytes = BYTES(entry->now.data, entry->now.size);
    if (store->spec->kind == WEIR__STORE_WINDOWS)
        change.start = weir__row_start(change.key);
    entry->same = true;
    return lend(store, entry, &change);
}

int weir__entry_tell(struct weir__store *store, struct entry *entry, bool expired)
{
    bool was_unflushed = entry->unflushed;
    int  err;

    not_unflushed(store, entry);
    err = tell(store, entry, expired, entry->headers, entry->header_count);
    if (err < 0 && was_unflushed && entry->same) { /* not heard: first in the next flush */
        entry->same = false;
        entry->unflushed = true;
        TAILQ_INSERT_HEAD(&store->unflushed, entry, flush);
    }
    if (!entry->unflushed && entry->lent == 0)
        forget_headers(store, entry);
    return err;
}

void weir__entry_settle(struct weir__store *store, struct entry *entry)
{
    not_unflushed(store, entry);
    if (entry->lent == 0)
        forget_headers(store, entry);
    entry->same = true;
}

static int put_cached(struct weir__store *store, struct entry *entry, const struct weir__value *value)
{
    struct weir_header *block;
    size_t              bytes;
    int                 err = copy_headers(value, &block, &bytes);

    if (err == WEIR_OK && (err = replace(store, entry, value)) < 0)
        weir__free(block);
    if (err < 0)
        return err;
    mark_unflushed(store, entry);
    err = set_headers(store, entry, block, value->header_count, bytes);
    if (err < 0)
        weir__free(block);
    return err;
}

int weir__entry_put(struct weir__store *store, struct entry *entry, const struct weir__value *value)
{
    int err;

    if (store->spec->cached || weir__row_is_head(store, weir__entry_key(entry))) /* a head is told once a commit */
        return put_cached(store, entry, value);
    err = replace(store, entry, value);
    return err < 0 ? err : tell(store, entry, false, value->headers, value->header_count);
}
