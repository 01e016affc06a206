/* raw.c: records as bytes: copied, packed and unpacked. */
#include "framework/record/record.h"

/* ---- copying ---- */

static int copy_bytes(struct weir_bytes from, struct weir_arena *arena, struct weir_bytes *ret)
{
    *ret = from.data ? BYTES(weir__arena_copy(arena, from.data, from.size), from.size) : NO_BYTES;
    return from.data && !ret->data ? WEIR_LIMIT : WEIR_OK;
}

static int copy_text(const char *from, struct weir_arena *arena, const char **ret)
{
    *ret = from ? weir__arena_copy(arena, from, strlen(from) + 1) : NULL;
    return from && !*ret ? WEIR_LIMIT : WEIR_OK;
}

static int copy_headers(const struct weir__raw *raw, struct weir_arena *arena, const struct weir_header **ret)
{
    struct weir_header *headers = weir__arena_take(arena, sizeof(*headers) * raw->header_count);

    if (!headers)
        return WEIR_LIMIT;
    for (size_t i = 0; i < raw->header_count; i++)
        if (copy_text(raw->headers[i].name, arena, &headers[i].name) < 0 ||
            copy_bytes(raw->headers[i].value, arena, &headers[i].value) < 0)
            return WEIR_LIMIT;
    *ret = headers;
    return WEIR_OK;
}

int weir__raw_copy(const struct weir__raw *raw, struct weir_arena *arena, struct weir__raw *ret)
{
    struct weir__raw copy = *raw;

    if (copy_text(raw->topic, arena, &copy.topic) < 0 || copy_bytes(raw->key, arena, &copy.key) < 0 ||
        copy_bytes(raw->value, arena, &copy.value) < 0 ||
        (raw->header_count && copy_headers(raw, arena, &copy.headers) < 0))
        return WEIR_LIMIT;
    *ret = copy;
    return WEIR_OK;
}

/* ---- packing ----
 *
 * int64 timestamp, key, value, int32 count of headers, and of each its name and value. Bytes are an int32 size, -1 for
 * null, and then themselves; a name's include its NUL. All big-endian. */

static bool pack_bytes(struct weir__buf *buf, struct weir_bytes bytes)
{
    if (bytes.data && bytes.size > INT32_MAX)
        return false;
    weir__buf_be32(buf, bytes.data ? (uint32_t)bytes.size : UINT32_MAX);
    if (bytes.data)
        weir__buf_add(buf, bytes.data, bytes.size);
    return true;
}

static bool pack_headers(struct weir__buf *buf, const struct weir__raw *raw)
{
    if (raw->header_count > INT32_MAX)
        return false;
    weir__buf_be32(buf, (uint32_t)raw->header_count);
    for (size_t i = 0; i < raw->header_count; i++) {
        const struct weir_header *header = &raw->headers[i];

        if (!pack_bytes(buf, BYTES(header->name, strlen(header->name) + 1)) || !pack_bytes(buf, header->value))
            return false;
    }
    return true;
}

int weir__raw_pack(const struct weir__raw *raw, struct weir__buf *ret)
{
    size_t before = ret->size;
    bool   fits;

    weir__buf_be64(ret, (uint64_t)raw->timestamp);
    fits = pack_bytes(ret, raw->key) && pack_bytes(ret, raw->value) && pack_headers(ret, raw);
    if (fits && weir__buf_ok(ret))
        return WEIR_OK;
    ret->size = before;
    return fits ? WEIR_NO_MEMORY : WEIR_TOO_LARGE;
}

struct unpacking {
    const char *at;
    size_t      left;
};

static const char *unpack_some(struct unpacking *in, size_t size)
{
    const char *at = in->at;

    if (in->left < size)
        return NULL;
    in->at += size;
    in->left -= size;
    return at;
}

static bool unpack_32(struct unpacking *in, uint32_t *ret)
{
    const char *at = unpack_some(in, sizeof(*ret));

    if (at)
        *ret = weir__get_be32(at);
    return at;
}

static bool unpack_bytes(struct unpacking *in, struct weir_bytes *ret)
{
    uint32_t size;

    if (!unpack_32(in, &size))
        return false;
    if (size == UINT32_MAX) {
        *ret = NO_BYTES;
        return true;
    }
    *ret = BYTES(unpack_some(in, size), size);
    return ret->data;
}

static bool unpack_name(struct unpacking *in, const char **ret)
{
    struct weir_bytes name;

    if (!unpack_bytes(in, &name) || !name.size)
        return false;
    *ret = name.data;
    return memchr(*ret, '\0', name.size) == *ret + name.size - 1;
}

static int unpack_headers(struct unpacking *in, struct weir_arena *arena, struct weir__raw *ret)
{
    struct weir_header *headers;
    uint32_t            count;

    /* A header takes two sizes at least: no count makes us take memory that is not in proportion to the bytes. */
    if (!unpack_32(in, &count) || count > in->left / (2 * sizeof(uint32_t)))
        return WEIR_CORRUPT;
    if (!count)
        return WEIR_OK;
    headers = weir__arena_take(arena, sizeof(*headers) * count);
    if (!headers)
        return WEIR_LIMIT;
    for (uint32_t i = 0; i < count; i++)
        if (!unpack_name(in, &headers[i].name) || !unpack_bytes(in, &headers[i].value))
            return WEIR_CORRUPT;
    ret->headers = headers;
    ret->header_count = count;
    return WEIR_OK;
}

int weir__raw_unpack(struct weir_bytes packed, struct weir_arena *arena, struct weir__raw *ret)
{
    struct unpacking in = { .at = packed.data, .left = packed.data ? packed.size : 0 };
    struct weir__raw raw = { .partition = -1, .offset = -1 };
    const char      *timestamp = in.left ? unpack_some(&in, sizeof(int64_t)) : NULL;
    int              err;

    if (!timestamp)
        return WEIR_CORRUPT;
    raw.timestamp = (int64_t)weir__get_be64(timestamp);
    if (!unpack_bytes(&in, &raw.key) || !unpack_bytes(&in, &raw.value))
        return WEIR_CORRUPT;
    err = unpack_headers(&in, arena, &raw);
    if (err < 0)
        return err;
    if (in.left)
        return WEIR_CORRUPT;
    *ret = raw;
    return WEIR_OK;
}
