/* msgpack.c: a MessagePack document from a stranger as the tree that a JSON text gives. Source: the MessagePack format.
 *
 * (1) No size that the document claims is believed: memory is taken for what is there, so a short document is cheap.
 * (2) Integers become their decimal text; a double becomes the shortest text that reads back as it; NaN and infinities
 *     become texts that are no numbers. Texts are UTF-8; bytes are as they are. Keys are texts, extensions are refused.
 */
#include <math.h>

#include "schemas/feeds/internal.h"

enum { DEPTH = 64 };

struct unpacker {
    struct weir_arena *arena;
    const uint8_t     *begin, *at, *end;
    unsigned           depth;
    int                code;
    const char        *fault;
};

static bool fault(struct unpacker *unpacker, const char *what)
{
    unpacker->code = MARKET_MALFORMED;
    unpacker->fault = what;
    return false;
}

static bool limit(struct unpacker *unpacker)
{
    unpacker->code = WEIR_LIMIT;
    unpacker->fault = "it takes more memory than one record may";
    return false;
}

/* size bytes, most significant first. */
static bool take_uint(struct unpacker *unpacker, size_t size, uint64_t *ret)
{
    if ((size_t)(unpacker->end - unpacker->at) < size)
        return fault(unpacker, "it ends inside a value");
    *ret = 0;
    for (size_t i = 0; i < size; i++)
        *ret = *ret << 8 | *unpacker->at++;
    return true;
}

static bool put_text(struct unpacker *unpacker, enum weir_json_type type, const char *text, struct weir_json *node)
{
    size_t size = strlen(text);

    node->type = type;
    node->text = (struct weir_text){ .data = weir__arena_copy(unpacker->arena, text, size), .size = size };
    return node->text.data ? true : limit(unpacker);
}

static bool put_signed(struct unpacker *unpacker, int64_t value, struct weir_json *node)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)value);
    return put_text(unpacker, WEIR_JSON_NUMBER, text, node);
}

static bool read_unsigned(struct unpacker *unpacker, size_t size, struct weir_json *node)
{
    char     text[24];
    uint64_t value;

    if (!take_uint(unpacker, size, &value))
        return false;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return put_text(unpacker, WEIR_JSON_NUMBER, text, node);
}

static bool read_signed(struct unpacker *unpacker, size_t size, struct weir_json *node)
{
    unsigned unused = 64 - 8 * (unsigned)size;
    uint64_t value;

    return take_uint(unpacker, size, &value) && put_signed(unpacker, (int64_t)(value << unused) >> unused, node);
}

static bool put_double(struct unpacker *unpacker, double value, struct weir_json *node)
{
    struct weir_json_out out = { 0 };
    bool                 ok;

    if (!isfinite(value))
        return put_text(unpacker, WEIR_JSON_NUMBER,
                        isnan(value) ? "NaN"
                        : value < 0  ? "-Infinity"
                                     : "Infinity",
                        node);
    weir_json_put_double(&out, value);
    weir__buf_putc(&out.buf, '\0');
    ok = weir__buf_ok(&out.buf) ? put_text(unpacker, WEIR_JSON_NUMBER, out.buf.data, node) : limit(unpacker);
    weir__json_out_fini(&out);
    return ok;
}

static bool read_double(struct unpacker *unpacker, struct weir_json *node)
{
    uint64_t bits;
    double   value;

    if (!take_uint(unpacker, sizeof(bits), &bits))
        return false;
    memcpy(&value, &bits, sizeof(value));
    return put_double(unpacker, value, node);
}

/* The shortest text of a single is that of the single, not of the double it widens to. */
static bool read_float(struct unpacker *unpacker, struct weir_json *node)
{
    char     text[40];
    uint64_t bits;
    uint32_t low;
    float    value;

    if (!take_uint(unpacker, sizeof(low), &bits))
        return false;
    low = (uint32_t)bits;
    memcpy(&value, &low, sizeof(value));
    if (!isfinite(value))
        return put_double(unpacker, (double)value, node);
    for (int digits = 6; digits <= 9; digits++) {
        struct weir_json number = { .type = WEIR_JSON_NUMBER, .text.data = text };
        double           back;

        number.text.size = (size_t)snprintf(text, sizeof(text), "%.*g", digits, (double)value);
        if (weir_json_double(&number, &back) == WEIR_OK && (float)back == value)
            break;
    }
    return put_text(unpacker, WEIR_JSON_NUMBER, text, node);
}

/* ---- texts ---- */

static bool is_utf8(struct weir_bytes bytes)
{
    const char *data = bytes.data;

    for (size_t at = 0; at < bytes.size;) {
        uint32_t c;
        size_t   size = (unsigned char)data[at] < 0x80 ? 1 : weir__utf8_take(BYTES(data + at, bytes.size - at), &c);

        if (!size)
            return false;
        at += size;
    }
    return true;
}

static bool take_bytes(struct unpacker *unpacker, size_t size, struct weir_text *ret)
{
    if ((size_t)(unpacker->end - unpacker->at) < size)
        return fault(unpacker, "it ends inside a text");
    *ret = (struct weir_text){ .data = (const char *)unpacker->at, .size = size };
    unpacker->at += size;
    return true;
}

static bool take_utf8(struct unpacker *unpacker, size_t size, struct weir_text *ret)
{
    return take_bytes(unpacker, size, ret) &&
           (is_utf8(BYTES(ret->data, size)) ? true : fault(unpacker, "a text that is no UTF-8"));
}

static bool read_text(struct unpacker *unpacker, uint64_t size, struct weir_json *node)
{
    node->type = WEIR_JSON_STRING;
    return take_utf8(unpacker, size, &node->text);
}

static bool read_long_text(struct unpacker *unpacker, size_t size_bytes, struct weir_json *node)
{
    uint64_t size;

    return take_uint(unpacker, size_bytes, &size) && read_text(unpacker, size, node);
}

static bool read_bytes(struct unpacker *unpacker, size_t size_bytes, struct weir_json *node)
{
    uint64_t size;

    if (!take_uint(unpacker, size_bytes, &size) || !take_bytes(unpacker, size, &node->text))
        return false;
    node->type = is_utf8(BYTES(node->text.data, size)) ? WEIR_JSON_STRING : WEIR_JSON_ARRAY;
    return true;
}

/* ---- arrays and maps ---- */

static struct weir_json *read_value(struct unpacker *unpacker);

static bool read_key(struct unpacker *unpacker, struct weir_text *ret)
{
    uint64_t size = 0;
    uint8_t  first;

    if (unpacker->at == unpacker->end)
        return fault(unpacker, "it ends where a key is expected");
    first = *unpacker->at++;
    if ((first & 0xe0) == 0xa0)
        size = first & 0x1f;
    else if (first < 0xd9 || first > 0xdb)
        return fault(unpacker, "a key that is no text");
    else if (!take_uint(unpacker, (size_t)1 << (first - 0xd9), &size))
        return false;
    return take_utf8(unpacker, size, ret);
}

static bool has_member(const struct weir_json *object, struct weir_text name)
{
    for (const struct weir_json *member = object->child; member; member = member->next)
        if (member->name.size == name.size && memcmp(member->name.data, name.data, name.size) == 0)
            return true;
    return false;
}

static bool read_elements(struct unpacker *unpacker, uint64_t count, struct weir_json *node)
{
    const struct weir_json **link = &node->child;
    bool                     map = node->type == WEIR_JSON_OBJECT;

    for (uint64_t i = 0; i < count; i++) {
        struct weir_text  name = { 0 };
        struct weir_json *value;

        if (map && !read_key(unpacker, &name))
            return false;
        /* Maps of records are small; of more members than these a repeated name is no longer looked for. */
        if (map && i < 256 && has_member(node, name))
            return fault(unpacker, "a key that its map already has");
        value = read_value(unpacker);
        if (!value)
            return false;
        value->name = name;
        *link = value;
        link = &value->next;
    }
    return true;
}

static bool read_nested(struct unpacker *unpacker, enum weir_json_type type, uint64_t count, struct weir_json *node)
{
    if (unpacker->depth == DEPTH)
        return fault(unpacker, "arrays and maps are nested deeper than 64");
    unpacker->depth++;
    node->type = type;
    if (!read_elements(unpacker, count, node))
        return false;
    unpacker->depth--;
    return true;
}

static bool read_long_nested(struct unpacker *unpacker, enum weir_json_type type, size_t size, struct weir_json *node)
{
    uint64_t count;

    return take_uint(unpacker, size, &count) && read_nested(unpacker, type, count, node);
}

/* ---- values ---- */

static bool put_word(enum weir_json_type type, struct weir_json *node)
{
    node->type = type;
    return true;
}

static bool read_tagged(struct unpacker *unpacker, uint8_t first, struct weir_json *node)
{
    switch (first) {
    case 0xc0: return put_word(WEIR_JSON_NULL, node);
    case 0xc2: return put_word(WEIR_JSON_FALSE, node);
    case 0xc3: return put_word(WEIR_JSON_TRUE, node);
    case 0xc4 ... 0xc6: return read_bytes(unpacker, (size_t)1 << (first - 0xc4), node);
    case 0xca: return read_float(unpacker, node);
    case 0xcb: return read_double(unpacker, node);
    case 0xcc ... 0xcf: return read_unsigned(unpacker, (size_t)1 << (first - 0xcc), node);
    case 0xd0 ... 0xd3: return read_signed(unpacker, (size_t)1 << (first - 0xd0), node);
    case 0xd9 ... 0xdb: return read_long_text(unpacker, (size_t)1 << (first - 0xd9), node);
    case 0xdc ... 0xdd: return read_long_nested(unpacker, WEIR_JSON_ARRAY, (size_t)2 << (first - 0xdc), node);
    case 0xde ... 0xdf: return read_long_nested(unpacker, WEIR_JSON_OBJECT, (size_t)2 << (first - 0xde), node);
    default: return fault(unpacker, "an extension, which no record has");
    }
}

static bool read_into(struct unpacker *unpacker, struct weir_json *node)
{
    uint8_t first;

    if (unpacker->at == unpacker->end)
        return fault(unpacker, "it ends where a value is expected");
    first = *unpacker->at++;
    switch (first) {
    case 0x00 ... 0x7f: return put_signed(unpacker, first, node);
    case 0x80 ... 0x8f: return read_nested(unpacker, WEIR_JSON_OBJECT, first & 0x0f, node);
    case 0x90 ... 0x9f: return read_nested(unpacker, WEIR_JSON_ARRAY, first & 0x0f, node);
    case 0xa0 ... 0xbf: return read_text(unpacker, first & 0x1f, node);
    case 0xe0 ... 0xff: return put_signed(unpacker, (int8_t)first, node);
    default: return read_tagged(unpacker, first, node);
    }
}

/* NULL = a fault. */
static struct weir_json *read_value(struct unpacker *unpacker)
{
    struct weir_json *node = weir__arena_take(unpacker->arena, sizeof(*node));

    if (!node) {
        limit(unpacker);
        return NULL;
    }
    *node = (struct weir_json){ .arena = unpacker->arena };
    return read_into(unpacker, node) ? node : NULL;
}

int market__unpack(struct weir_arena *arena, struct weir_bytes bytes, const struct weir_json **ret,
                   struct weir_error *reterr)
{
    const uint8_t    *begin = bytes.data;
    struct unpacker   unpacker = { .arena = arena, .begin = begin, .at = begin, .end = begin + bytes.size };
    struct weir_json *value = read_value(&unpacker);

    if (value && unpacker.at != unpacker.end)
        fault(&unpacker, "something follows the value");
    if (unpacker.fault)
        return weir__fail(reterr, unpacker.code, "MessagePack", "MessagePack, at byte %zu: %s",
                          (size_t)(unpacker.at - begin), unpacker.fault);
    *ret = value;
    return WEIR_OK;
}
