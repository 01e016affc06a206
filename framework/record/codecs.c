/* codecs.c: the codecs that come with weir, and what can be asked of any. Source: Kafka's built-in serdes,
 * TimeWindowedSerializer, SessionWindowedSerializer. */
#include <inttypes.h>

#include "framework/json/json.h"
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
    *ret = BYTES(text->data ? text->data : "", text->size);
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

/* Whether our reader and writer make the same text of it again: 1, 0 or WEIR_NO_MEMORY. */
static int reads_back(const struct weir_text *text)
{
    AUTO(weir__arena_fini) struct weir_arena       arena = { 0 };
    AUTO(weir__json_out_fini) struct weir_json_out out = { 0 };
    const struct weir_json                        *parsed;

    if (weir_json_parse(&arena, *text, &parsed, NULL) < 0)
        return arena.starved ? WEIR_NO_MEMORY : 0;
    weir_json_put(&out, parsed);
    if (!weir__buf_ok(&out.buf))
        return WEIR_NO_MEMORY;
    return weir__bytes_equal(BYTES(out.buf.data, out.buf.size), BYTES(text->data, text->size));
}

static int put_hex(const struct weir_text *text, struct weir__buf *buf)
{
    static const char digits[] = "0123456789abcdef";

    weir__buf_putc(buf, '"');
    for (size_t i = 0; i < text->size; i++) {
        weir__buf_putc(buf, digits[(unsigned char)text->data[i] >> 4]);
        weir__buf_putc(buf, digits[(unsigned char)text->data[i] & 15]);
    }
    weir__buf_putc(buf, '"');
    return WEIR_OK;
}

/* In input, where a value stands, this is said of bytes that no codec prints. */
static bool is_reserved(const struct weir_text *text)
{
    static const char begin[] = "{\"base64\":";

    return text->size >= strlen(begin) && memcmp(text->data, begin, strlen(begin)) == 0;
}

/* An object or array that reads back as it is stands for itself; digits for all else. */
static int blob_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct weir_text *text = value;
    int                     plain = 0;

    (void)codec;
    if (text->size > 0 && (text->data[0] == '{' || text->data[0] == '[') && !is_reserved(text))
        plain = reads_back(text);
    if (plain < 0)
        return plain;
    if (plain == 0)
        return put_hex(text, weir__json_put_raw(json));
    weir__buf_add(weir__json_put_raw(json), text->data, text->size);
    return WEIR_OK;
}

/* Lower-case only: one text for any bytes. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int json_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct weir_json_out out = { 0 };
    struct weir_text    *text = ret;

    (void)codec;
    weir_json_put(&out, json);
    text->size = out.buf.size;
    text->data = weir__buf_ok(&out.buf) ? weir__arena_copy(json->arena, out.buf.data, out.buf.size) : NULL;
    weir__json_out_fini(&out);
    return text->data ? WEIR_OK : WEIR_LIMIT;
}

static int blob_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct weir_text hex;
    char            *bytes;
    int              err = weir_json_text(json, &hex);

    if (json->type == WEIR_JSON_OBJECT || json->type == WEIR_JSON_ARRAY)
        return json_parse(codec, json, ret);
    if (err < 0 || hex.size % 2)
        return WEIR_UNREADABLE;
    bytes = weir__arena_take(json->arena, hex.size / 2);
    if (!bytes)
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

/* Only text that reads back as it is: what our writer wrote. */
static int json_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct weir_text *text = value;
    int                     plain = reads_back(text);

    (void)codec;
    if (plain <= 0)
        return plain < 0 ? plain : WEIR_UNREADABLE;
    weir__buf_add(weir__json_put_raw(json), text->data, text->size);
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
    if (!bytes)
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
const struct weir_codec weir__json_text[1] = { { .name = "json",
                                                 .bytes = sizeof(struct weir_text),
                                                 .decode = text_decode,
                                                 .encode = text_encode,
                                                 .print = json_print,
                                                 .parse = json_parse } };
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

/* ---- windowed keys: the key's bytes, then one or two times ---- */

static int decode_key(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in,
                      int64_t *ret_times, size_t count, const void **ret_key)
{
    size_t      suffix = count * sizeof(*ret_times);
    const char *times;

    if (in.size < suffix)
        return WEIR_UNREADABLE;
    times = (const char *)in.data + in.size - suffix;
    for (size_t i = 0; i < count; i++)
        ret_times[i] = (int64_t)weir__get_be64(times + i * sizeof(*ret_times));
    return weir__decode(codec->inner, arena, BYTES(in.data, in.size - suffix), ret_key);
}

static int encode_key(const struct weir_codec *codec, struct weir_arena *arena, const void *key, const int64_t *times,
                      size_t count, struct weir_bytes *ret)
{
    size_t            suffix = count * sizeof(*times);
    struct weir_bytes plain;
    char             *bytes;
    int               err;

    if (!key)
        return WEIR_NULL_GIVEN;
    err = weir__encode(codec->inner, arena, key, &plain);
    if (err < 0)
        return err;
    bytes = weir__arena_take(arena, plain.size + suffix);
    if (!bytes)
        return WEIR_LIMIT;
    if (plain.size)
        memcpy(bytes, plain.data, plain.size);
    for (size_t i = 0; i < count; i++)
        weir__put_be64(bytes + plain.size + i * sizeof(*times), (uint64_t)times[i]);
    *ret = BYTES(bytes, plain.size + suffix);
    return WEIR_OK;
}

static int64_t end_of(int64_t start, int64_t width)
{
    int64_t end;

    return __builtin_add_overflow(start, width, &end) ? INT64_MAX : end;
}

int weir_windowed_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct weir_windowed windowed;
    int                  err = decode_key(codec, arena, in, &windowed.start, 1, &windowed.key);

    if (err < 0)
        return err;
    windowed.end = end_of(windowed.start, codec->width);
    *(struct weir_windowed *)ret = windowed;
    return WEIR_OK;
}

int weir_windowed_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                         struct weir_bytes *ret)
{
    const struct weir_windowed *windowed = value;

    return encode_key(codec, arena, windowed->key, &windowed->start, 1, ret);
}

int weir_sessioned_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct weir_windowed windowed;
    int64_t              times[2];
    int                  err = decode_key(codec, arena, in, times, 2, &windowed.key);

    if (err < 0)
        return err;
    windowed.end = times[0];
    windowed.start = times[1];
    if (windowed.end < windowed.start)
        return WEIR_UNREADABLE;
    *(struct weir_windowed *)ret = windowed;
    return WEIR_OK;
}

int weir_sessioned_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                          struct weir_bytes *ret)
{
    const struct weir_windowed *windowed = value;
    const int64_t               times[] = { windowed->end, windowed->start };

    return encode_key(codec, arena, windowed->key, times, 2, ret);
}

int weir_windowed_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct weir_windowed *windowed = value;
    int                         err = WEIR_OK;

    weir_json_begin_object(json);
    weir_json_name(json, "key");
    if (windowed->key)
        err = weir__print(codec->inner, windowed->key, json);
    else
        weir_json_put_null(json);
    weir_json_name(json, "start");
    weir_json_put_int64(json, windowed->start);
    weir_json_name(json, "end");
    weir_json_put_int64(json, windowed->end);
    weir_json_end_object(json);
    return err;
}

/* The end of a window is not in the bytes, so it may be left out; that of a session is. */
static int parse_times(const struct weir_codec *codec, const struct weir_json *json, struct weir_windowed *ret)
{
    const struct weir_json *end = weir_json_get(json, "end");
    int                     err = weir_json_int64(weir_json_get(json, "start"), &ret->start);

    if (err < 0)
        return err;
    if (!end && codec->width > 0) {
        ret->end = end_of(ret->start, codec->width);
        return WEIR_OK;
    }
    err = weir_json_int64(end, &ret->end);
    if (err < 0)
        return err;
    return ret->end >= ret->start ? WEIR_OK : WEIR_UNREADABLE;
}

int weir_windowed_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    const struct weir_json *key = weir_json_get(json, "key");
    struct weir_windowed    windowed;
    void                   *inner;
    int                     err = parse_times(codec, json, &windowed);

    if (err < 0)
        return err;
    if (!key)
        return WEIR_UNREADABLE;
    inner = weir_arena_alloc(json->arena, codec->inner->bytes);
    if (!inner)
        return WEIR_LIMIT;
    err = weir__parse(codec->inner, key, inner);
    if (err < 0)
        return err;
    windowed.key = inner;
    *(struct weir_windowed *)ret = windowed;
    return WEIR_OK;
}

/* ---- any codec ---- */

bool weir__codec_same(const struct weir_codec *a, const struct weir_codec *b)
{
    if (a == b || !a || !b)
        return a == b;
    return strcmp(a->name, b->name) == 0 && a->width == b->width && weir__codec_same(a->inner, b->inner);
}

void weir__codec_describe(const struct weir_codec *codec, struct weir__buf *ret)
{
    weir__buf_puts(ret, codec ? codec->name : "unknown");
    if (!codec || !codec->inner)
        return;
    weir__buf_putc(ret, '(');
    weir__codec_describe(codec->inner, ret);
    if (codec->width > 0)
        weir__buf_printf(ret, ",%" PRId64, codec->width);
    weir__buf_putc(ret, ')');
}

int weir__decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, const void **ret)
{
    void *value = NULL;
    int   err;

    if (in.data) {
        if (codec->bytes > WEIR__VALUE_MAX)
            return WEIR_TOO_LARGE;
        value = weir_arena_alloc(arena, codec->bytes);
        if (!value)
            return WEIR_LIMIT;
        err = codec->decode(codec, arena, in, value);
        if (err < 0)
            return err;
    }
    *ret = value;
    return WEIR_OK;
}

int weir__encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value, struct weir_bytes *ret)
{
    if (value)
        return codec->encode(codec, arena, value, ret);
    *ret = NO_BYTES;
    return WEIR_OK;
}

int weir__print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    return codec->print != NULL ? codec->print(codec, value, json) : WEIR_UNREADABLE;
}

int weir__parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    return codec->parse != NULL ? codec->parse(codec, json, ret) : WEIR_UNREADABLE;
}
