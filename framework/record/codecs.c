/* codecs.c: the codecs that come with weir, and what can be asked of any. Source: Kafka's built-in serdes,
 * TimeWindowedSerializer, SessionWindowedSerializer. */
#include <inttypes.h>

#include "framework/record/record.h"

/* ---- text and bytes ---- */

static int text_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    (void)codec;
    (void)arena;
    *(struct weir_text *)ret = (struct weir_text){ .data = in.data, .size = in.size };
    return WEIR_OK;
}

static int text_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                       struct weir_bytes *ret)
{
    const struct weir_text *text = value;

    (void)codec;
    (void)arena;
    *ret = BYTES(text->data != NULL ? text->data : "", text->size);
    return WEIR_OK;
}

static int string_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    (void)codec;
    weir_json_put_text(json, *(const struct weir_text *)value);
    return WEIR_OK;
}

static int string_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    (void)codec;
    return weir_json_text(json, ret);
}

static int blob_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct weir_text *text = value;
    struct weir__buf        hex = { 0 };

    (void)codec;
    for (size_t i = 0; i < text->size; i++)
        weir__buf_printf(&hex, "%02x", (unsigned char)text->data[i]);
    weir_json_put_text(json, (struct weir_text){ .data = hex.data != NULL ? hex.data : "", .size = hex.size });
    weir__buf_fini(&hex);
    return WEIR_OK;
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static int blob_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct weir_text hex;
    char            *bytes;
    int              err = weir_json_text(json, &hex);

    (void)codec;
    if (err < 0 || hex.size % 2 != 0)
        return WEIR_UNREADABLE;
    bytes = weir__arena_take(json->arena, hex.size / 2);
    if (bytes == NULL)
        return WEIR_LIMIT;
    for (size_t i = 0; i < hex.size; i += 2) {
        int high = hex_digit(hex.data[i]), low = hex_digit(hex.data[i + 1]);

        if (high < 0 || low < 0)
            return WEIR_UNREADABLE;
        bytes[i / 2] = (char)(high * 16 + low);
    }
    *(struct weir_text *)ret = (struct weir_text){ .data = bytes, .size = hex.size / 2 };
    return WEIR_OK;
}

/* ---- numbers ---- */

static int eight_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    uint64_t bits;

    (void)codec;
    (void)arena;
    if (in.size != sizeof(bits))
        return WEIR_UNREADABLE;
    bits = weir__get_be64(in.data);
    memcpy(ret, &bits, sizeof(bits));
    return WEIR_OK;
}

static int eight_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                        struct weir_bytes *ret)
{
    uint64_t bits;
    char    *bytes = weir__arena_take(arena, sizeof(bits));

    (void)codec;
    if (bytes == NULL)
        return WEIR_LIMIT;
    memcpy(&bits, value, sizeof(bits));
    weir__put_be64(bytes, bits);
    *ret = BYTES(bytes, sizeof(bits));
    return WEIR_OK;
}

static int int64_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    (void)codec;
    weir_json_put_int64(json, *(const int64_t *)value);
    return WEIR_OK;
}

static int int64_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    (void)codec;
    return weir_json_int64(json, ret);
}

static int double_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    (void)codec;
    weir_json_put_double(json, *(const double *)value);
    return WEIR_OK;
}

static int double_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    (void)codec;
    return weir_json_double(json, ret);
}

const struct weir_codec weir_string[1] = { { .name = "string",
                                             .bytes = sizeof(struct weir_text),
                                             .decode = text_decode,
                                             .encode = text_encode,
                                             .print = string_print,
                                             .parse = string_parse } };
const struct weir_codec weir_blob[1] = { { .name = "blob",
                                           .bytes = sizeof(struct weir_text),
                                           .decode = text_decode,
                                           .encode = text_encode,
                                           .print = blob_print,
                                           .parse = blob_parse } };
const struct weir_codec weir_int64[1] = { { .name = "int64",
                                            .bytes = sizeof(int64_t),
                                            .decode = eight_decode,
                                            .encode = eight_encode,
                                            .print = int64_print,
                                            .parse = int64_parse } };
const struct weir_codec weir_double[1] = { { .name = "double",
                                             .bytes = sizeof(double),
                                             .decode = eight_decode,
                                             .encode = eight_encode,
                                             .print = double_print,
                                             .parse = double_parse } };

/* ---- windowed keys ---- */

static int decode_plain(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, size_t suffix,
                        const void **ret)
{
    if (in.size < suffix)
        return WEIR_UNREADABLE;
    return weir__decode(codec->inner, arena, BYTES(in.data, in.size - suffix), ret);
}

static int encode_suffixed(const struct weir_codec *codec, struct weir_arena *arena, const void *key,
                           const int64_t *times, size_t count, struct weir_bytes *ret)
{
    struct weir_bytes plain;
    char             *bytes;
    int               err = weir__encode(codec->inner, arena, key, &plain);

    if (err < 0)
        return err;
    bytes = weir__arena_take(arena, plain.size + count * sizeof(*times));
    if (bytes == NULL)
        return WEIR_LIMIT;
    if (plain.size > 0)
        memcpy(bytes, plain.data, plain.size);
    for (size_t i = 0; i < count; i++)
        weir__put_be64(bytes + plain.size + i * sizeof(*times), (uint64_t)times[i]);
    *ret = BYTES(bytes, plain.size + count * sizeof(*times));
    return WEIR_OK;
}

static int64_t end_of(int64_t start, int64_t width)
{
    int64_t end;

    return __builtin_add_overflow(start, width, &end) ? INT64_MAX : end;
}

int weir_windowed_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct weir_windowed *windowed = ret;
    int                   err = decode_plain(codec, arena, in, sizeof(int64_t), &windowed->key);

    if (err < 0)
        return err;
    windowed->start = (int64_t)weir__get_be64((const char *)in.data + in.size - sizeof(int64_t));
    windowed->end = end_of(windowed->start, codec->width);
    return WEIR_OK;
}

int weir_windowed_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                         struct weir_bytes *ret)
{
    const struct weir_windowed *windowed = value;

    return encode_suffixed(codec, arena, windowed->key, &windowed->start, 1, ret);
}

int weir_sessioned_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct weir_windowed *windowed = ret;
    const char           *suffix = (const char *)in.data + in.size - 2 * sizeof(int64_t);
    int                   err = decode_plain(codec, arena, in, 2 * sizeof(int64_t), &windowed->key);

    if (err < 0)
        return err;
    windowed->end = (int64_t)weir__get_be64(suffix);
    windowed->start = (int64_t)weir__get_be64(suffix + sizeof(int64_t));
    return WEIR_OK;
}

int weir_sessioned_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                          struct weir_bytes *ret)
{
    const struct weir_windowed *windowed = value;
    const int64_t               times[] = { windowed->end, windowed->start };

    return encode_suffixed(codec, arena, windowed->key, times, 2, ret);
}

int weir_windowed_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct weir_windowed *windowed = value;
    int                         err = WEIR_OK;

    weir_json_begin_object(json);
    weir_json_name(json, "key");
    if (windowed->key != NULL)
        err = codec->inner->print(codec->inner, windowed->key, json);
    else
        weir_json_put_null(json);
    weir_json_name(json, "start");
    weir_json_put_int64(json, windowed->start);
    weir_json_name(json, "end");
    weir_json_put_int64(json, windowed->end);
    weir_json_end_object(json);
    return err;
}

int weir_windowed_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct weir_windowed   *windowed = ret;
    const struct weir_json *key = weir_json_get(json, "key");
    void                   *inner;
    int                     err = weir_json_int64(weir_json_get(json, "start"), &windowed->start);

    if (err < 0 || key == NULL)
        return WEIR_UNREADABLE;
    inner = weir_arena_alloc(json->arena, codec->inner->bytes);
    if (inner == NULL)
        return WEIR_LIMIT;
    err = codec->inner->parse(codec->inner, key, inner);
    if (err < 0)
        return err;
    windowed->key = inner;
    if (weir_json_int64(weir_json_get(json, "end"), &windowed->end) < 0)
        windowed->end = end_of(windowed->start, codec->width);
    return WEIR_OK;
}

/* ---- any codec ---- */

bool weir__codec_same(const struct weir_codec *a, const struct weir_codec *b)
{
    if (a == b || a == NULL || b == NULL)
        return a == b;
    return strcmp(a->name, b->name) == 0 && a->width == b->width && weir__codec_same(a->inner, b->inner);
}

void weir__codec_describe(const struct weir_codec *codec, struct weir__buf *ret)
{
    weir__buf_puts(ret, codec != NULL ? codec->name : "unknown");
    if (codec == NULL || codec->inner == NULL)
        return;
    weir__buf_putc(ret, '(');
    weir__codec_describe(codec->inner, ret);
    if (codec->width > 0)
        weir__buf_printf(ret, ",%" PRId64, codec->width);
    weir__buf_putc(ret, ')');
}

int weir__decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, const void **ret)
{
    void *value;
    int   err;

    *ret = NULL;
    if (in.data == NULL)
        return WEIR_OK;
    if (codec->bytes > WEIR__VALUE_MAX)
        return WEIR_TOO_LARGE;
    value = weir_arena_alloc(arena, codec->bytes);
    if (value == NULL)
        return WEIR_LIMIT;
    err = codec->decode(codec, arena, in, value);
    if (err < 0)
        return err;
    *ret = value;
    return WEIR_OK;
}

int weir__encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value, struct weir_bytes *ret)
{
    *ret = NO_BYTES;
    if (value == NULL)
        return WEIR_OK;
    return codec->encode(codec, arena, value, ret);
}
