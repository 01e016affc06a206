/* packed_in.c: records from MessagePack, without a tree and without memory but for lists and maps.
 *
 * (1) The cursor never looks at `end` or beyond; a count is believed only as far as there are bytes for it.
 * (2) What is skipped is skipped without recursion, however deep it nests.
 */
#include <math.h>
#include <msgpack/sysdep.h>

#include "schemas/schema.h"

struct packed {
    const char *at, *end;
};

enum kind { NIL, BOOL, INT, BIG, FLOAT, STR, BIN, ARRAY, MAP, EXT, BROKEN };

/* One item; of an array or map, its head. */
struct item {
    enum kind kind;
    union {
        int64_t          number; /* INT, BOOL; BIG: an int above the greatest int64 */
        double           real;   /* FLOAT */
        struct weir_text bytes;  /* STR, BIN, EXT */
        uint32_t         count;  /* ARRAY: items; MAP: pairs */
    };
};

/* ---- items ---- */

/* The big-endian number of `size` bytes at the cursor. False = there are not so many. */
static inline bool take_number(struct packed *in, unsigned size, uint64_t *ret)
{
    uint64_t value = 0;

    if ((size_t)(in->end - in->at) < size)
        return false;
    switch (size) {
    case 1: value = (uint8_t)in->at[0]; break;
    case 2: {
        uint16_t two;

        _msgpack_load16(uint16_t, in->at, &two);
        value = two;
        break;
    }
    case 4: {
        uint32_t four;

        _msgpack_load32(uint32_t, in->at, &four);
        value = four;
        break;
    }
    default: _msgpack_load64(uint64_t, in->at, &value); break;
    }
    in->at += size;
    *ret = value;
    return true;
}

static inline struct item take_bytes(struct packed *in, enum kind kind, uint64_t size)
{
    struct item item = { .kind = kind, .bytes = { in->at, size } };

    if ((uint64_t)(in->end - in->at) < size)
        return (struct item){ .kind = BROKEN };
    in->at += size;
    return item;
}

static struct item take_sized(struct packed *in, enum kind kind, unsigned width, unsigned more)
{
    uint64_t size;

    return take_number(in, width, &size) ? take_bytes(in, kind, size + more) : (struct item){ .kind = BROKEN };
}

static struct item take_counted(struct packed *in, enum kind kind, unsigned width)
{
    uint64_t count;

    return take_number(in, width, &count) ? (struct item){ .kind = kind, .count = (uint32_t)count }
                                          : (struct item){ .kind = BROKEN };
}

static struct item take_unsigned(struct packed *in, unsigned width)
{
    uint64_t value;

    if (!take_number(in, width, &value))
        return (struct item){ .kind = BROKEN };
    return (struct item){ .kind = value > INT64_MAX ? BIG : INT, .number = (int64_t)value };
}

static struct item take_signed(struct packed *in, unsigned width)
{
    unsigned shift = 64 - 8 * width;
    uint64_t value;

    if (!take_number(in, width, &value))
        return (struct item){ .kind = BROKEN };
    return (struct item){ .kind = INT, .number = (int64_t)(value << shift) >> shift };
}

static struct item take_float(struct packed *in, unsigned width)
{
    struct item item = { .kind = FLOAT };
    uint64_t    bits;
    uint32_t    half;
    float       real;

    if (!take_number(in, width, &bits))
        return (struct item){ .kind = BROKEN };
    if (width == 8) {
        memcpy(&item.real, &bits, sizeof(item.real));
    } else {
        half = (uint32_t)bits;
        memcpy(&real, &half, sizeof(real));
        item.real = real;
    }
    return item;
}

/* Heads from 0xc0 to 0xdf. */
static struct item take_long(struct packed *in, uint8_t head)
{
    switch (head) {
    case 0xc0: return (struct item){ .kind = NIL };
    case 0xc2:
    case 0xc3: return (struct item){ .kind = BOOL, .number = head & 1 };
    case 0xc4:
    case 0xc5:
    case 0xc6: return take_sized(in, BIN, 1u << (head - 0xc4), 0);
    case 0xc7:
    case 0xc8:
    case 0xc9: return take_sized(in, EXT, 1u << (head - 0xc7), 1);
    case 0xca: return take_float(in, 4);
    case 0xcb: return take_float(in, 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: return take_unsigned(in, 1u << (head - 0xcc));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: return take_signed(in, 1u << (head - 0xd0));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8: return take_bytes(in, EXT, 1 + (UINT64_C(1) << (head - 0xd4)));
    case 0xd9:
    case 0xda:
    case 0xdb: return take_sized(in, STR, 1u << (head - 0xd9), 0);
    case 0xdc:
    case 0xdd: return take_counted(in, ARRAY, 2u << (head - 0xdc));
    case 0xde:
    case 0xdf: return take_counted(in, MAP, 2u << (head - 0xde));
    default: return (struct item){ .kind = BROKEN }; /* 0xc1 is never used */
    }
}

static inline struct item take(struct packed *in)
{
    uint8_t head;

    if (in->at == in->end)
        return (struct item){ .kind = BROKEN };
    head = (uint8_t)*in->at++;
    if (head < 0x80)
        return (struct item){ .kind = INT, .number = head };
    if (head >= 0xe0)
        return (struct item){ .kind = INT, .number = (int8_t)head };
    if (head >= 0xc0)
        return take_long(in, head);
    if (head >= 0xa0)
        return take_bytes(in, STR, head & 0x1f);
    return (struct item){ .kind = head < 0x90 ? MAP : ARRAY, .count = head & 0x0f };
}

/* Goes past what an item holds. Each item takes a byte at least: counts larger than that end at the end of the bytes. */
static bool skip_inside(struct packed *in, const struct item *head)
{
    uint64_t left = head->kind == ARRAY ? head->count : head->kind == MAP ? 2 * (uint64_t)head->count : 0;

    while (left--) {
        struct item item = take(in);

        if (item.kind == BROKEN)
            return false;
        left += item.kind == ARRAY ? item.count : item.kind == MAP ? 2 * (uint64_t)item.count : 0;
    }
    return true;
}

/* ---- fields ---- */

static int wrong_type(const struct market_place *place, const struct item *item, const char *what)
{
    return item->kind == BROKEN
               ? market_bad(place, MARKET_MALFORMED, "the bytes end inside it, or are no MessagePack")
               : market_bad(place, MARKET_BAD_TYPE, what);
}

static int set_int(const struct market_place *place, const struct item *item, int64_t *to)
{
    if (item->kind == BIG)
        return market_bad(place, MARKET_OVERFLOW, "a number that does not fit");
    if (item->kind != INT)
        return wrong_type(place, item, "a whole number is expected");
    *to = item->number;
    return WEIR_OK;
}

static int set_sum(const struct market_place *place, const struct item *item, market_sum_units *to)
{
    if (item->kind == INT) {
        *to = item->number;
        return WEIR_OK;
    }
    if (item->kind != BIN || item->bytes.size != sizeof(*to))
        return wrong_type(place, item, "a whole number or 16 bytes are expected");
    *to = (market_sum_units)((unsigned __int128)weir__get_be64(item->bytes.data) << 64 |
                             weir__get_be64(item->bytes.data + 8));
    return WEIR_OK;
}

static int set_double(const struct market_place *place, const struct item *item, struct market_double *to)
{
    if (item->kind != FLOAT || !isfinite(item->real))
        return wrong_type(place, item, "a finite float is expected");
    *to = (struct market_double){ .value = item->real, .given = true };
    return WEIR_OK;
}

static int set_tick_id(const struct market_place *place, const struct item *item, uint8_t *to)
{
    if (item->kind != BIN || item->bytes.size != MARKET_TICK_ID_BYTES)
        return wrong_type(place, item, "32 bytes are expected");
    memcpy(to, item->bytes.data, MARKET_TICK_ID_BYTES);
    return WEIR_OK;
}

/* Flags of a later version are left out, as are labels that are not known. */
static int set_flags(const struct market_place *place, const struct item *item, uint32_t *to)
{
    if (item->kind != INT || item->number < 0)
        return wrong_type(place, item, "a set of flags is expected");
    *to = (uint32_t)(item->number & ((INT64_C(1) << MARKET_FLAG_COUNT) - 1));
    return WEIR_OK;
}

static int set_word(const struct market_place *place, const struct item *item, void *record)
{
    if (item->kind == STR)
        return market_set_word(place->reader, place->schema, place->field, item->bytes, record);
    if (item->kind != INT || item->number < 0 || item->number >= place->field->max)
        return wrong_type(place, item, "a word or its number is expected");
    *MARKET_AT(int, record, place->field) = (int)item->number;
    return WEIR_OK;
}

static int set_bool(const struct market_place *place, const struct item *item, bool *to)
{
    if (item->kind != BOOL)
        return wrong_type(place, item, "true or false is expected");
    *to = item->number;
    return WEIR_OK;
}

/* ---- lists and maps ---- */

static int take_entry(const struct market_place *place, struct packed *in, struct weir_text *ret)
{
    struct item item = take(in);

    if (item.kind != STR)
        return wrong_type(place, &item, "a text is expected in it");
    return market_check_entry(place->reader, place->schema, place->field, item.bytes, ret);
}

static int check_count(const struct market_place *place, const struct packed *in, const struct item *item)
{
    if (item->count > place->field->max)
        return market_bad(place, MARKET_TOO_LONG, "it has more entries than it may");
    return item->count > (size_t)(in->end - in->at) ? market_bad(place, MARKET_MALFORMED, "the bytes end inside it")
                                                    : WEIR_OK;
}

static int set_list(const struct market_place *place, struct packed *in, const struct item *item,
                    struct market_list *to)
{
    struct weir_text *texts;
    int               err;

    if (item->kind != ARRAY)
        return wrong_type(place, item, "a list is expected");
    err = check_count(place, in, item);
    if (err < 0 || !item->count)
        return err;
    texts = weir__arena_take(place->reader->arena, sizeof(*texts) * item->count);
    if (!texts)
        return WEIR_LIMIT;
    for (uint32_t i = 0; i < item->count; i++) {
        err = take_entry(place, in, &texts[i]);
        if (err < 0)
            return err;
    }
    *to = (struct market_list){ texts, item->count };
    return WEIR_OK;
}

static bool has_name(const struct market_entry *pairs, size_t count, struct weir_text name)
{
    for (size_t i = 0; i < count; i++)
        if (pairs[i].name.size == name.size && memcmp(pairs[i].name.data, name.data, name.size) == 0)
            return true;
    return false;
}

static int take_pair(const struct market_place *place, struct packed *in, struct market_entry *pairs, size_t at)
{
    int err = take_entry(place, in, &pairs[at].name);

    if (err == WEIR_OK && has_name(pairs, at, pairs[at].name))
        return market_bad(place, MARKET_BAD_TYPE, "a name stands twice in it");
    return err < 0 ? err : take_entry(place, in, &pairs[at].value);
}

static int set_map(const struct market_place *place, struct packed *in, const struct item *item,
                   struct market_map *to)
{
    struct market_entry *pairs;
    int                  err;

    if (item->kind != MAP)
        return wrong_type(place, item, "a map is expected");
    err = check_count(place, in, item);
    if (err < 0 || !item->count)
        return err;
    pairs = weir__arena_take(place->reader->arena, sizeof(*pairs) * item->count);
    if (!pairs)
        return WEIR_LIMIT;
    for (uint32_t i = 0; i < item->count; i++) {
        err = take_pair(place, in, pairs, i);
        if (err < 0)
            return err;
    }
    *to = (struct market_map){ pairs, item->count };
    return WEIR_OK;
}

/* ---- records ---- */

static int read_record(struct market_reader *reader, const struct market_schema *schema, struct packed *in,
                       const struct item *head, void *record);

static int set_record(const struct market_place *place, struct packed *in, const struct item *item, void *to)
{
    if (item->kind != ARRAY && item->kind != MAP)
        return wrong_type(place, item, "a record is expected");
    return read_record(place->reader, place->field->inner, in, item, to);
}

static int set_rows(const struct market_place *place, struct packed *in, const struct item *item,
                    struct market_records *to)
{
    const struct market_schema *inner = place->field->inner;
    char                       *row;
    int                         err;

    if (item->kind != ARRAY)
        return wrong_type(place, item, "a list is expected");
    err = check_count(place, in, item);
    if (err < 0 || !item->count)
        return err;
    row = weir_arena_alloc(place->reader->arena, inner->bytes * item->count);
    if (!row)
        return WEIR_LIMIT;
    *to = (struct market_records){ row, item->count };
    for (uint32_t i = 0; err == WEIR_OK && i < item->count; i++, row += inner->bytes) {
        struct item head = take(in);

        err = set_record(place, in, &head, row);
    }
    return err;
}

static int set_decimal(const struct market_place *place, const struct item *item, struct market_decimal *to)
{
    to->given = true;
    return set_int(place, item, &to->units);
}

static int set_field(const struct market_place *place, struct packed *in, const struct item *item, void *record)
{
    const struct market_field *field = place->field;
    void                      *to = (char *)record + field->offset;

    switch ((enum market_type)field->type) {
    case MARKET_TYPE_TEXT:
    case MARKET_TYPE_TENANT:
    case MARKET_TYPE_INSTRUMENT:
        if (item->kind != STR)
            return wrong_type(place, item, "a text is expected");
        return market_set_text(place->reader, place->schema, field, item->bytes, record);
    case MARKET_TYPE_INT:
    case MARKET_TYPE_UNITS: return set_int(place, item, to);
    case MARKET_TYPE_DECIMAL: return set_decimal(place, item, to);
    case MARKET_TYPE_SUM: ((struct market_sum *)to)->given = true; return set_sum(place, item, to);
    case MARKET_TYPE_RAW_SUM: return set_sum(place, item, to);
    case MARKET_TYPE_DOUBLE: return set_double(place, item, to);
    case MARKET_TYPE_TICK_ID: return set_tick_id(place, item, to);
    case MARKET_TYPE_FLAGS: return set_flags(place, item, to);
    case MARKET_TYPE_WORD: return set_word(place, item, record);
    case MARKET_TYPE_BOOL: return set_bool(place, item, to);
    case MARKET_TYPE_MAP: return set_map(place, in, item, to);
    case MARKET_TYPE_LIST: return set_list(place, in, item, to);
    case MARKET_TYPE_RECORD: return set_record(place, in, item, to);
    case MARKET_TYPE_RECORDS: return set_rows(place, in, item, to);
    }
    return WEIR_UNREADABLE;
}

static int read_field(struct market_place *place, struct packed *in, uint64_t *seen, void *record)
{
    struct item item = take(in);

    if (item.kind == NIL)
        return WEIR_OK;
    *seen |= UINT64_C(1) << (place->field - place->schema->fields);
    return set_field(place, in, &item, record);
}

static int cut_off(struct market_reader *reader, const struct market_schema *schema)
{
    return weir__fail(reader->reterr, MARKET_MALFORMED, schema->name,
                      "malformed: the bytes end inside the record, or are no MessagePack");
}

static int skip_item(struct market_reader *reader, const struct market_schema *schema, struct packed *in)
{
    struct item item = take(in);

    return item.kind != BROKEN && skip_inside(in, &item) ? WEIR_OK : cut_off(reader, schema);
}

/* Fields by position. */
static int read_array(struct market_reader *reader, const struct market_schema *schema, struct packed *in,
                      uint32_t count, void *record)
{
    struct market_place place = { reader, schema, schema->fields };
    uint64_t            seen = 0;
    uint32_t            known = (uint32_t)MIN(count, schema->count);
    int                 err = WEIR_OK;

    for (uint32_t i = 0; i < known && err == WEIR_OK; i++, place.field++)
        err = read_field(&place, in, &seen, record);
    for (uint32_t i = known; i < count && err == WEIR_OK; i++)
        err = skip_item(reader, schema, in);
    return err < 0 ? err : market_finish(reader, schema, seen, record);
}

/* Fields by name. */
static int read_map(struct market_reader *reader, const struct market_schema *schema, struct packed *in,
                    uint32_t count, void *record)
{
    struct market_place place = { .reader = reader, .schema = schema };
    uint64_t            seen = 0;
    size_t              next = 0;
    int                 err = WEIR_OK;

    for (uint32_t i = 0; i < count && err == WEIR_OK; i++) {
        struct item name = take(in);

        if (name.kind == BROKEN || !skip_inside(in, &name))
            return cut_off(reader, schema);
        place.field = name.kind == STR ? market_find_field(schema, name.bytes, next) : NULL;
        if (!place.field) {
            err = skip_item(reader, schema, in);
            continue;
        }
        next = (size_t)(place.field - schema->fields) + 1;
        if (seen >> (next - 1) & 1)
            return market_bad(&place, MARKET_MALFORMED, "it stands twice");
        err = read_field(&place, in, &seen, record);
    }
    return err < 0 ? err : market_finish(reader, schema, seen, record);
}

static int read_record(struct market_reader *reader, const struct market_schema *schema, struct packed *in,
                       const struct item *head, void *record)
{
    return (head->kind == ARRAY ? read_array : read_map)(reader, schema, in, head->count, record);
}

/* The version that a record of its own begins with. A later one is read as far as it is known. */
static int read_version(struct market_reader *reader, const struct market_schema *schema, struct packed *in,
                        struct item *head)
{
    struct item version;

    if (head->kind != ARRAY)
        return WEIR_OK;
    version = take(in);
    if (head->count == 0 || version.kind != INT || version.number < 1)
        return weir__fail(reader->reterr, MARKET_MALFORMED, schema->name,
                          "malformed: the array does not begin with its schema version");
    head->count--;
    return WEIR_OK;
}

int market_read_packed(struct market_reader *reader, const struct market_schema *schema, struct weir_bytes bytes,
                       void *record)
{
    struct packed in = { bytes.data, (const char *)bytes.data + bytes.size };
    struct item   head = take(&in);
    int           err;

    if (head.kind != ARRAY && head.kind != MAP)
        return weir__fail(reader->reterr, MARKET_MALFORMED, schema->name,
                          "malformed: neither a JSON object nor a MessagePack array or map");
    err = read_version(reader, schema, &in, &head);
    if (err == WEIR_OK)
        err = read_record(reader, schema, &in, &head, record);
    if (err == WEIR_OK && in.at != in.end)
        return weir__fail(reader->reterr, MARKET_MALFORMED, schema->name, "malformed: bytes follow the record");
    return err;
}
