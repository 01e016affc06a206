/* keys.c: rows as the engine keeps them, and what goes into a batch. */
#include "framework/store/internal.h"

struct weir_bytes weir__engine_key(struct weir__buf *buf, int type, struct weir_bytes a, struct weir_bytes b)
{
    weir__buf_reset(buf);
    weir__buf_putc(buf, (char)type);
    weir__buf_add(buf, a.data, a.size);
    weir__buf_add(buf, b.data, b.size);
    return weir__buf_ok(buf) ? BYTES(buf->data, buf->size) : NO_BYTES;
}

struct weir_bytes weir__index_key(struct weir__buf *buf, struct weir_bytes row_key)
{
    const char *suffix = (const char *)row_key.data + row_key.size - WINDOW_SUFFIX;

    weir__buf_reset(buf);
    weir__buf_putc(buf, INDEX_ROW);
    weir__buf_add(buf, suffix, sizeof(int64_t));
    weir__buf_add(buf, row_key.data, row_key.size - WINDOW_SUFFIX);
    weir__buf_add(buf, suffix + sizeof(int64_t), sizeof(int32_t));
    return weir__buf_ok(buf) ? BYTES(buf->data, buf->size) : NO_BYTES;
}

int weir__index_to_row(struct weir__buf *buf, struct weir_bytes index_key, struct weir_bytes *ret)
{
    const char *start = (const char *)index_key.data + 1, *plain = start + sizeof(int64_t);
    size_t      size;

    if (index_key.size < 1 + WINDOW_SUFFIX)
        return WEIR_CORRUPT;
    size = index_key.size - 1 - WINDOW_SUFFIX;
    weir__buf_reset(buf);
    weir__buf_add(buf, plain, size);
    weir__buf_add(buf, start, sizeof(int64_t));
    weir__buf_add(buf, plain + size, sizeof(int32_t));
    if (!weir__buf_ok(buf))
        return WEIR_NO_MEMORY;
    *ret = BYTES(buf->data, buf->size);
    return WEIR_OK;
}

/* Takes an integer off the front. */
static int take_be64(struct weir_bytes *bytes, int64_t *ret)
{
    if (bytes->size < sizeof(*ret))
        return WEIR_CORRUPT;
    *ret = (int64_t)weir__get_be64(bytes->data);
    *bytes = BYTES((const char *)bytes->data + sizeof(*ret), bytes->size - sizeof(*ret));
    return WEIR_OK;
}

int weir__logged_value(const struct weir__store *store, struct weir_bytes bytes, struct weir__value *ret)
{
    int err = WEIR_OK;

    if (store->spec->ends && bytes.data != NULL)
        err = take_be64(&bytes, &ret->end);
    ret->bytes = bytes;
    return err;
}

int weir__engine_value(const struct weir__store *store, struct weir_bytes bytes, struct weir__value *ret)
{
    int err = WEIR_OK;

    *ret = (struct weir__value){ .timestamp = -1 };
    if (store->spec->timestamped)
        err = take_be64(&bytes, &ret->timestamp);
    return err == WEIR_OK ? weir__logged_value(store, bytes, ret) : err;
}

/* Source: AbstractRocksDBSegmentedBytesStore; a time-ordered store keeps the edge. */
int64_t weir__oldest_shown(const struct weir__store *store)
{
    if (store->spec->uncut || store->spec->keyed)
        return 0;
    return weir__time_sub(store->observed, store->spec->retention) + !store->spec->closes;
}

int64_t weir__expiry_bound(const struct weir__store *store)
{
    const struct weir__store_spec *spec = store->spec;
    int64_t                        oldest = weir__time_sub(store->observed, spec->retention);

    if (spec->keyed)
        return 0;
    if (spec->in_memory)
        return oldest < 0 ? 0 : oldest + 1;
    return oldest < 0 ? 0 : oldest / spec->segment * spec->segment;
}

bool weir__start_expired(const struct weir__store *store, int64_t start) { return start < weir__expiry_bound(store); }

int weir__batch_add(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key,
                    struct weir_bytes value)
{
    struct weir__write *write;

    if (key.data == NULL || GROW(batch->writes, batch->capacity, batch->count) < 0)
        return WEIR_NO_MEMORY;
    write = &batch->writes[batch->count];
    *write = (struct weir__write){ .family = store->family };
    write->key = BYTES(weir__arena_copy(&batch->arena, key.data, key.size), key.size);
    if (write->key.data == NULL)
        return WEIR_NO_MEMORY;
    if (value.data != NULL) {
        write->value = BYTES(weir__arena_copy(&batch->arena, value.data, value.size), value.size);
        if (write->value.data == NULL)
            return WEIR_NO_MEMORY;
    }
    batch->count++;
    return WEIR_OK;
}

static int add_value(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key,
                     const struct weir__value *value)
{
    size_t before = sizeof(int64_t) * (size_t)(store->spec->timestamped + store->spec->ends);
    char  *stamped;
    int    err;

    if (value->bytes.data == NULL)
        return weir__batch_add(store, batch, key, NO_BYTES);
    if (before == 0)
        return weir__batch_add(store, batch, key, value->bytes);
    stamped = weir__arena_take(&batch->arena, before + value->bytes.size);
    if (stamped == NULL)
        return WEIR_NO_MEMORY;
    if (store->spec->timestamped)
        weir__put_be64(stamped, (uint64_t)value->timestamp);
    if (store->spec->ends)
        weir__put_be64(stamped + before - sizeof(int64_t), (uint64_t)value->end);
    memcpy(stamped + before, value->bytes.data, value->bytes.size);
    err = weir__batch_add(store, batch, key, NO_BYTES);
    if (err == WEIR_OK)
        batch->writes[batch->count - 1].value = BYTES(stamped, before + value->bytes.size);
    return err;
}

int weir__batch_row(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key,
                    const struct weir__value *value)
{
    return add_value(store, batch, weir__engine_key(&store->key, weir__row_type(store, key), key, NO_BYTES), value);
}

int weir__batch_index(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key, bool exists)
{
    return weir__batch_add(store, batch, weir__index_key(&store->key, key), exists ? BYTES("", 0) : NO_BYTES);
}

int weir__meta_write(struct weir__store *store, struct weir__batch *batch)
{
    char meta[META_BYTES], type = META_ROW;

    weir__put_be64(meta, (uint64_t)store->standing.offset);
    meta[sizeof(int64_t)] = FORMAT_VERSION;
    weir__put_be64(meta + META_OBSERVED, (uint64_t)store->observed);
    weir__put_be32(meta + META_SEQ, (uint32_t)store->seq);
    weir__put_be64(meta + META_SYNCED, (uint64_t)store->standing.synced);
    meta[META_MARKED] = store->standing.marked;
    return weir__batch_add(store, batch, BYTES(&type, 1), BYTES(meta, sizeof(meta)));
}
