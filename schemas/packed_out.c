/* packed_out.c: records to MessagePack, by msgpack-c's packer, into memory of an arena. */
#include <msgpack/pack.h>

#include "schemas/schema.h"

enum { FIRST_ROOM = 512 };

struct out {
    struct weir_arena *arena;
    char              *data;
    size_t             size, room;
};

/* Room for so many more bytes. -1 = the arena is at its ceiling. */
static int widen(struct out *out, size_t size)
{
    size_t room = MAX(out->room * 2, out->size + size + FIRST_ROOM);
    char  *more = weir__arena_take(out->arena, room);

    if (!more)
        return -1;
    if (out->size)
        memcpy(more, out->data, out->size);
    out->data = more;
    out->room = room;
    return 0;
}

/* The packer's sink. Most that it is given is one byte: not worth a call. */
static int add(void *data, const char *bytes, size_t size)
{
    struct out *out = data;

    if (size > out->room - out->size && widen(out, size) < 0)
        return -1;
    if (size == 1)
        out->data[out->size] = *bytes;
    else
        memcpy(out->data + out->size, bytes, size);
    out->size += size;
    return 0;
}

/* ---- values ---- */

static int put_text(msgpack_packer *packer, struct weir_text text)
{
    int err;

    if (!text.data)
        return msgpack_pack_nil(packer);
    err = msgpack_pack_str(packer, text.size);
    return err || !text.size ? err : msgpack_pack_str_body(packer, text.data, text.size);
}

static int put_bytes(msgpack_packer *packer, const void *bytes, size_t size)
{
    int err = msgpack_pack_bin(packer, size);

    return err ? err : msgpack_pack_bin_body(packer, bytes, size);
}

static int put_sum(msgpack_packer *packer, market_sum_units sum)
{
    char bytes[16];

    if (sum >= INT64_MIN && sum <= INT64_MAX)
        return msgpack_pack_int64(packer, (int64_t)sum);
    weir__put_be64(bytes, (uint64_t)((unsigned __int128)sum >> 64));
    weir__put_be64(bytes + 8, (uint64_t)sum);
    return put_bytes(packer, bytes, sizeof(bytes));
}

static int put_list(msgpack_packer *packer, const struct market_list *list)
{
    int err = msgpack_pack_array(packer, list->count);

    for (size_t i = 0; i < list->count && !err; i++)
        err = put_text(packer, list->texts[i]);
    return err;
}

static int put_map(msgpack_packer *packer, const struct market_map *map)
{
    int err = msgpack_pack_map(packer, map->count);

    for (size_t i = 0; i < map->count && !err; i++) {
        err = put_text(packer, map->pairs[i].name);
        if (!err)
            err = put_text(packer, map->pairs[i].value);
    }
    return err;
}

/* ---- fields ---- */

static int put_fields(msgpack_packer *packer, const struct market_schema *schema, const void *record);

static int put_rows(msgpack_packer *packer, const struct market_schema *inner, const struct market_records *records)
{
    const char *row = records->rows;
    int         err = msgpack_pack_array(packer, records->count);

    for (size_t i = 0; i < records->count && !err; i++, row += inner->bytes)
        err = put_fields(packer, inner, row);
    return err;
}

static int put_nullable(msgpack_packer *packer, const struct market_field *field, const void *from)
{
    const struct market_decimal *decimal = from;
    const struct market_sum     *sum = from;
    const struct market_double  *real = from;

    switch ((enum market_type)field->type) {
    case MARKET_TYPE_DECIMAL:
        return decimal->given ? msgpack_pack_int64(packer, decimal->units) : msgpack_pack_nil(packer);
    case MARKET_TYPE_SUM: return sum->given ? put_sum(packer, sum->units) : msgpack_pack_nil(packer);
    default: return real->given ? msgpack_pack_double(packer, real->value) : msgpack_pack_nil(packer);
    }
}

static int put_field(msgpack_packer *packer, const struct market_field *field, const void *record)
{
    const void *from = (const char *)record + field->offset;

    switch ((enum market_type)field->type) {
    case MARKET_TYPE_TEXT:
    case MARKET_TYPE_TENANT:
    case MARKET_TYPE_INSTRUMENT: return put_text(packer, *(const struct weir_text *)from);
    case MARKET_TYPE_INT:
    case MARKET_TYPE_UNITS: return msgpack_pack_int64(packer, *(const int64_t *)from);
    case MARKET_TYPE_DECIMAL:
    case MARKET_TYPE_SUM:
    case MARKET_TYPE_DOUBLE: return put_nullable(packer, field, from);
    case MARKET_TYPE_RAW_SUM: return put_sum(packer, *(const market_sum_units *)from);
    case MARKET_TYPE_TICK_ID: return put_bytes(packer, from, MARKET_TICK_ID_BYTES);
    case MARKET_TYPE_FLAGS: return msgpack_pack_uint32(packer, *(const uint32_t *)from);
    case MARKET_TYPE_WORD: return msgpack_pack_int(packer, *(const int *)from);
    case MARKET_TYPE_BOOL: return *(const bool *)from ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
    case MARKET_TYPE_MAP: return put_map(packer, from);
    case MARKET_TYPE_LIST: return put_list(packer, from);
    case MARKET_TYPE_RECORD: return put_fields(packer, field->inner, from);
    case MARKET_TYPE_RECORDS: return put_rows(packer, field->inner, from);
    }
    return -1;
}

static int put_fields(msgpack_packer *packer, const struct market_schema *schema, const void *record)
{
    int err = msgpack_pack_array(packer, schema->count + (schema->version > 0));

    if (!err && schema->version > 0)
        err = msgpack_pack_int(packer, schema->version);
    for (size_t i = 0; i < schema->count && !err; i++)
        err = put_field(packer, &schema->fields[i], record);
    return err;
}

int market_write_packed(const struct market_schema *schema, struct weir_arena *arena, const void *record,
                        struct weir_bytes *ret)
{
    struct out     out = { .arena = arena };
    msgpack_packer packer;

    msgpack_packer_init(&packer, &out, add);
    if (put_fields(&packer, schema, record) != 0)
        return WEIR_LIMIT;
    *ret = BYTES(out.data, out.size);
    return WEIR_OK;
}
