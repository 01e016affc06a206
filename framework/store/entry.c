/* entry.c: the dirty map: one entry per key that was read or written since it was last needed. */
#include "framework/store/internal.h"

static size_t entry_bytes(const struct entry *entry)
{
    return sizeof(*entry) + entry->key_size + entry->now.capacity + entry->settled.capacity;
}

static int version_set(struct version *version, const struct weir__value *value)
{
    if (value->bytes.size > version->capacity || version->data == NULL) {
        size_t capacity = MAX(value->bytes.size, (size_t)32);
        char  *data = weir__realloc(version->data, capacity);

        if (data == NULL)
            return WEIR_NO_MEMORY;
        version->data = data;
        version->capacity = capacity;
    }
    if (value->bytes.size > 0)
        memcpy(version->data, value->bytes.data, value->bytes.size);
    version->size = value->bytes.size;
    version->exists = value->bytes.data != NULL;
    version->timestamp = value->timestamp;
    return WEIR_OK;
}

struct weir__value weir__version_value(const struct weir__store *store, const struct version *version)
{
    struct weir__value value = { .timestamp = store->spec->timestamped ? version->timestamp : -1 };

    if (version->exists)
        value.bytes = BYTES(version->data, version->size);
    return value;
}

struct entry *weir__entry_find(const struct weir__store *store, struct weir_bytes key)
{
    return weir__map_get(&store->map, key);
}

static struct entry *entry_new(struct weir__store *store, struct weir_bytes key)
{
    struct entry *entry = weir__zalloc(sizeof(*entry) + key.size);

    if (entry == NULL)
        return NULL;
    entry->key_size = key.size;
    if (key.size > 0)
        memcpy(entry->key, key.data, key.size);
    entry->same = true;
    if (weir__map_put(&store->map, BYTES(entry->key, key.size), entry) < 0) {
        weir__free(entry);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&store->clean, entry, life);
    store->clean_bytes += entry_bytes(entry);
    return entry;
}

struct entry *weir__entry_load(struct weir__store *store, struct weir_bytes key, int *ret_err)
{
    struct entry      *entry = weir__entry_find(store, key);
    struct weir__value value = { .timestamp = -1 };
    struct weir_bytes  bytes;

    *ret_err = WEIR_OK;
    if (entry != NULL)
        return entry;
    *ret_err =
        store->engine->get(store->db, store->family, weir__engine_key(&store->key, DATA_ROW, key, NO_BYTES), &bytes);
    if (*ret_err == WEIR_OK)
        *ret_err = weir__engine_value(store, bytes, &value);
    if (*ret_err < 0 && *ret_err != WEIR_NOTFOUND)
        return NULL;
    *ret_err = WEIR_NO_MEMORY;
    entry = entry_new(store, key);
    if (entry == NULL)
        return NULL;
    store->clean_bytes -= entry_bytes(entry);
    if (version_set(&entry->now, &value) < 0) {
        store->clean_bytes += entry_bytes(entry);
        weir__entry_free(store, entry);
        return NULL;
    }
    store->clean_bytes += entry_bytes(entry);
    entry->in_engine = entry->now.exists;
    *ret_err = WEIR_OK;
    return entry;
}

void weir__entry_free(struct weir__store *store, struct entry *entry)
{
    if (entry->dirty) {
        TAILQ_REMOVE(&store->dirty, entry, life);
        store->dirty_bytes -= entry_bytes(entry);
    } else {
        TAILQ_REMOVE(&store->clean, entry, life);
        store->clean_bytes -= entry_bytes(entry);
    }
    if (entry->unflushed)
        TAILQ_REMOVE(&store->unflushed, entry, flush);
    (void)weir__map_remove(&store->map, BYTES(entry->key, entry->key_size));
    weir__free(entry->now.data);
    weir__free(entry->settled.data);
    weir__free(entry->headers);
    weir__free(entry);
}

void weir__entries_clear(struct weir__store *store, struct entries *entries)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(entries)) != NULL)
        weir__entry_free(store, entry);
}

/* Clean rows are a cache: the oldest go. An LRU store's rows are all here and stay. */
void weir__entries_trim(struct weir__store *store)
{
    while (store->spec->kind != WEIR__STORE_LRU && store->clean_bytes > store->keep_bytes)
        weir__entry_free(store, TAILQ_FIRST(&store->clean));
}

static void mark_dirty(struct weir__store *store, struct entry *entry)
{
    if (entry->dirty)
        return;
    TAILQ_REMOVE(&store->clean, entry, life);
    TAILQ_INSERT_TAIL(&store->dirty, entry, life);
    store->clean_bytes -= entry_bytes(entry);
    store->dirty_bytes += entry_bytes(entry);
    entry->dirty = true;
}

static int keep_headers(struct entry *entry, const struct weir__value *value)
{
    size_t              size = sizeof(*entry->headers) * value->header_count;
    struct weir_header *block;
    char               *at;

    weir__free(entry->headers);
    entry->headers = NULL;
    entry->header_count = 0;
    if (value->header_count == 0)
        return WEIR_OK;
    for (size_t i = 0; i < value->header_count; i++)
        size += strlen(value->headers[i].name) + 1 + value->headers[i].value.size;
    block = weir__alloc(size);
    if (block == NULL)
        return WEIR_NO_MEMORY;
    at = (char *)(block + value->header_count);
    for (size_t i = 0; i < value->header_count; i++) {
        const struct weir_header *header = &value->headers[i];
        size_t                    length = strlen(header->name) + 1;

        block[i].name = memcpy(at, header->name, length);
        at += length;
        block[i].value = NO_BYTES;
        if (header->value.data != NULL)
            block[i].value = BYTES(memcpy(at, header->value.data, header->value.size), header->value.size);
        at += header->value.size;
    }
    entry->headers = block;
    entry->header_count = value->header_count;
    return WEIR_OK;
}

static void mark_unflushed(struct weir__store *store, struct entry *entry)
{
    if (entry->unflushed)
        TAILQ_REMOVE(&store->unflushed, entry, flush);
    TAILQ_INSERT_TAIL(&store->unflushed, entry, flush);
    entry->unflushed = true;
}

/* Sets the new value; what was told before stays known as `settled`. */
static int replace(struct weir__store *store, struct entry *entry, const struct weir__value *value)
{
    size_t before = entry_bytes(entry);
    int    err;

    if (entry->same) {
        struct version swap = entry->settled;

        entry->settled = entry->now;
        entry->now = swap;
        entry->same = false;
    }
    err = version_set(&entry->now, value);
    if (err < 0) {
        struct version swap = entry->settled;

        entry->settled = entry->now;
        entry->now = swap;
        entry->same = true;
        return err;
    }
    if (entry->dirty)
        store->dirty_bytes += entry_bytes(entry) - before;
    else
        store->clean_bytes += entry_bytes(entry) - before;
    mark_dirty(store, entry);
    return WEIR_OK;
}

int weir__entry_tell(struct weir__store *store, struct entry *entry, bool expired)
{
    struct weir__change change = {
        .key = BYTES(entry->key, entry->key_size),
        .now = { .timestamp = entry->now.timestamp, .headers = entry->headers, .header_count = entry->header_count },
        .before = weir__version_value(store, &entry->settled),
        .expired = expired
    };

    if (entry->now.exists)
        change.now.bytes = BYTES(entry->now.data, entry->now.size);
    if (store->spec->kind == WEIR__STORE_WINDOWS)
        change.start = weir__row_start(change.key);
    if (entry->unflushed) {
        TAILQ_REMOVE(&store->unflushed, entry, flush);
        entry->unflushed = false;
    }
    entry->same = true;
    if (store->on_change == NULL)
        return WEIR_OK;
    return store->on_change(store->on_change_arg, &change);
}

int weir__entry_put(struct weir__store *store, struct entry *entry, const struct weir__value *value)
{
    int err = replace(store, entry, value);

    if (err < 0)
        return err;
    err = keep_headers(entry, value);
    if (err < 0)
        return err;
    if (store->spec->cached) {
        mark_unflushed(store, entry);
        return WEIR_OK;
    }
    return weir__entry_tell(store, entry, false);
}
