/* types.c: the types of a case as codecs, and their values to and from JSON and text. */
#include <ctype.h>
#include <inttypes.h>

#include "test/conformance/conformance.h"

/* Reads "inner" or "inner,width" of a windowed type's parentheses. */
static const struct weir_codec *windowed_codec(struct weir_arena *arena, const char *text, bool session)
{
    const char        *open = strchr(text, '('), *end = strrchr(text, ')');
    const char        *comma = session ? end : strrchr(text, ',');
    struct weir_codec *codec = conf_new(arena, sizeof(*codec));
    char              *inner;

    if (!open || !end || !comma || comma < open)
        return NULL;
    inner = conf_new(arena, (size_t)(comma - open));
    memcpy(inner, open + 1, (size_t)(comma - open) - 1);
    *codec = session ? *SESSIONED(NULL) : *WINDOWED(NULL, 0);
    codec->inner = conf_codec(arena, inner);
    if (!session)
        codec->width = strtoll(comma + 1, NULL, 10);
    return codec->inner ? codec : NULL;
}

const struct weir_codec *conf_codec(struct weir_arena *arena, const char *text)
{
    if (strcmp(text, "string") == 0)
        return weir_string;
    if (strcmp(text, "long") == 0)
        return weir_int64;
    if (strcmp(text, "double") == 0)
        return weir_double;
    if (strcmp(text, "bytes") == 0)
        return weir_blob;
    if (strncmp(text, "time_windowed(", 14) == 0)
        return windowed_codec(arena, text, false);
    if (strncmp(text, "session_windowed(", 17) == 0)
        return windowed_codec(arena, text, true);
    return NULL;
}

bool conf_sessioned(const struct weir_codec *codec)
{
    return codec && codec->inner && codec->decode == weir_sessioned_decode;
}

bool conf_topic_types(struct conf_case *c, const char *topic, const struct weir_codec **ret_key,
                      const struct weir_codec **ret_value)
{
    const json_t *types = json_object_get(c->topics, topic);

    if (!types)
        return false;
    *ret_key = conf_codec(&c->arena, conf_string(types, "key", ""));
    *ret_value = conf_codec(&c->arena, conf_string(types, "value", ""));
    return *ret_key && *ret_value;
}

bool conf_node_types(struct conf_case *c, const char *name, const struct weir_codec **ret_key,
                     const struct weir_codec **ret_value)
{
    const json_t *types = name ? json_object_get(c->types, name) : NULL;
    const char   *key = json_string_value(json_array_get(types, 0));
    const char   *value = json_string_value(json_array_get(types, 1));

    if (!key || !value)
        return false;
    *ret_key = conf_codec(&c->arena, key);
    *ret_value = conf_codec(&c->arena, value);
    return *ret_key && *ret_value;
}

struct weir_bytes conf_unhex(struct weir_arena *arena, const char *hex)
{
    size_t         size = strlen(hex) / 2;
    unsigned char *data = conf_new(arena, size + 1);

    for (size_t i = 0; i < size; i++) {
        char digits[3] = { hex[2 * i], hex[2 * i + 1], 0 };

        data[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return BYTES(data, size);
}

static struct weir_bytes big_endian(struct weir_arena *arena, uint64_t bits)
{
    unsigned char *data = conf_new(arena, sizeof(bits));

    weir__put_be64(data, bits);
    return BYTES(data, sizeof(bits));
}

static struct weir_bytes double_bytes(struct weir_arena *arena, double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof(bits));
    return big_endian(arena, bits);
}

/* A windowed key: the inner key, then its times. */
static struct weir_bytes windowed_bytes(struct weir_arena *arena, const struct weir_codec *codec, const json_t *json)
{
    struct weir_bytes inner = conf_bytes(arena, codec ? codec->inner : NULL, json_object_get(json, "key"));
    bool              session = conf_sessioned(codec);
    size_t            size = inner.size + (session ? 16 : 8);
    char             *data = conf_new(arena, size);
    char             *at = data + inner.size;

    if (inner.size)
        memcpy(data, inner.data, inner.size);
    if (session) {
        weir__put_be64(at, (uint64_t)conf_number(json, "end", 0));
        at += 8;
    }
    weir__put_be64(at, (uint64_t)conf_number(json, "start", 0));
    return BYTES(data, size);
}

struct weir_bytes conf_bytes(struct weir_arena *arena, const struct weir_codec *codec, const json_t *json)
{
    if (!json || json_is_null(json))
        return NO_BYTES;
    if (json_is_object(json))
        return windowed_bytes(arena, codec, json);
    if (codec == weir_blob)
        return conf_unhex(arena, json_string_value(json));
    if (json_is_string(json))
        return BYTES(json_string_value(json), json_string_length(json));
    if (codec == weir_double || json_is_real(json))
        return double_bytes(arena, json_number_value(json));
    return big_endian(arena, (uint64_t)json_integer_value(json));
}

static int long_from_json(struct weir_arena *arena, const json_t *json, const void **ret)
{
    int64_t *number = conf_new(arena, sizeof(*number));

    if (!json_is_integer(json))
        return WEIR_BAD_TYPE;
    *number = json_integer_value(json);
    *ret = number;
    return WEIR_OK;
}

static int double_from_json(struct weir_arena *arena, const json_t *json, const void **ret)
{
    double *number = conf_new(arena, sizeof(*number));

    if (!json_is_number(json))
        return WEIR_BAD_TYPE;
    *number = json_number_value(json);
    *ret = number;
    return WEIR_OK;
}

int conf_from_json(struct weir_arena *arena, const struct weir_codec *codec, const json_t *json, const void **ret)
{
    struct weir_text *text;
    struct weir_bytes bytes;

    *ret = NULL;
    if (!json || json_is_null(json))
        return WEIR_OK;
    if (codec == weir_int64)
        return long_from_json(arena, json, ret);
    if (codec == weir_double)
        return double_from_json(arena, json, ret);
    if (!json_is_string(json) || (codec != weir_string && codec != weir_blob))
        return WEIR_BAD_TYPE;
    bytes = conf_bytes(arena, codec, json);
    text = conf_new(arena, sizeof(*text));
    *text = (struct weir_text){ .data = bytes.data, .size = bytes.size };
    *ret = text;
    return WEIR_OK;
}

static void print_hex(struct weir__buf *buf, const void *data, size_t size)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < size; i++)
        weir__buf_printf(buf, "%02x", at[i]);
}

static void print_windowed(struct weir__buf *buf, struct value value)
{
    const struct weir_windowed *windowed = value.at;

    conf_print(buf, (struct value){ value.codec->inner, windowed->key });
    weir__buf_printf(buf, "@%" PRId64 "-%" PRId64, windowed->start, windowed->end);
}

void conf_print(struct weir__buf *buf, struct value value)
{
    const struct weir_text *text = value.at;

    if (!value.at)
        weir__buf_puts(buf, "null");
    else if (value.codec == weir_string)
        weir__buf_add(buf, text->data, text->size);
    else if (value.codec == weir_blob)
        print_hex(buf, text->data, text->size);
    else if (value.codec == weir_int64)
        weir__buf_printf(buf, "%" PRId64, *(const int64_t *)value.at);
    else if (value.codec == weir_double)
        weir__buf_printf(buf, "%.17g", *(const double *)value.at);
    else
        print_windowed(buf, value);
}

/* Bytes of the UTF-8 sequence that begins with lead; 0 = none does, or it is a control character. */
static size_t sequence_size(unsigned char lead)
{
    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7f;
    return lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

static bool printable(struct weir_bytes bytes)
{
    const unsigned char *at = bytes.data;

    for (size_t i = 0, size; i < bytes.size; i += size) {
        size = sequence_size(at[i]);
        if (size == 0 || size > bytes.size - i)
            return false;
        for (size_t n = 1; n < size; n++)
            if ((at[i + n] & 0xc0) != 0x80)
                return false;
    }
    return true;
}

void conf_show_hex(struct weir__buf *buf, struct weir_bytes bytes)
{
    if (bytes.data)
        print_hex(buf, bytes.data, bytes.size);
    else
        weir__buf_puts(buf, "null");
}

void conf_show(struct weir__buf *buf, const struct weir_codec *codec, struct weir_bytes bytes)
{
    size_t times = conf_sessioned(codec) ? 16 : 8;

    if (!bytes.data)
        weir__buf_puts(buf, "null");
    else if (codec == weir_int64 && bytes.size == 8)
        weir__buf_printf(buf, "%" PRId64, (int64_t)weir__get_be64(bytes.data));
    else if (codec && codec->inner && bytes.size >= times) {
        const char *at = (const char *)bytes.data + bytes.size - times;

        conf_show(buf, codec->inner, BYTES(bytes.data, bytes.size - times));
        weir__buf_printf(buf, "@%" PRId64, (int64_t)weir__get_be64(at + times - 8));
        if (times == 16)
            weir__buf_printf(buf, "-%" PRId64, (int64_t)weir__get_be64(at));
    } else if (codec != weir_blob && printable(bytes))
        weir__buf_printf(buf, "\"%.*s\"", (int)bytes.size, (const char *)bytes.data);
    else if (!codec && bytes.size == 8)
        weir__buf_printf(buf, "%" PRId64, (int64_t)weir__get_be64(bytes.data));
    else {
        weir__buf_puts(buf, "x'");
        print_hex(buf, bytes.data, bytes.size);
        weir__buf_putc(buf, '\'');
    }
}
