/* text.c: records as JSON: what `cat` prints and `try` reads, and dead letters.
 *
 * (1) What is printed reads back as the same bytes, whatever the codec makes of them.
 * (2) Bytes that were read live in the arena, none in the text.
 */
#include "framework/json/json.h"
#include "framework/record/letters.h"

/* ---- written as text ---- */

static void put_base64(struct weir_bytes bytes, struct weir_json_out *json)
{
    struct weir__buf *buf;

    if (!bytes.data) {
        weir_json_put_null(json);
        return;
    }
    buf = weir__json_put_raw(json);
    weir__buf_putc(buf, '"');
    weir__base64_encode(bytes, buf);
    weir__buf_putc(buf, '"');
}

static size_t count_replacements(const char *text, size_t size)
{
    size_t count = 0;

    for (const char *at = text, *end = text + size; (at = memchr(at, 0xef, (size_t)(end - at))); at++)
        count += end - at >= 3 && memcmp(at, "\xef\xbf\xbd", 3) == 0;
    return count;
}

/* Whether the text that a codec wrote reads back as something else: null for what is not null (a NaN), U+FFFD for what is
 * no UTF-8, an object that looks as bytes do. */
static bool is_lossy(struct weir_bytes text, struct weir_bytes bytes)
{
    static const char as_bytes[] = "{\"base64\":";

    return weir__bytes_equal(text, BYTES("null", 4)) ||
           weir__bytes_starts(text, BYTES(as_bytes, sizeof(as_bytes) - 1)) ||
           count_replacements(text.data, text.size) > count_replacements(bytes.data, bytes.size);
}

static bool put_decoded(const struct weir_codec *codec, struct weir_bytes bytes, struct weir_arena *arena,
                        struct weir_json_out *json)
{
    size_t      begin = json->buf.size;
    const void *value;

    if (!codec || weir__decode(codec, arena, bytes, &value) < 0 || weir__print(codec, value, json) < 0)
        return false;
    return !weir__buf_ok(&json->buf) || !is_lossy(BYTES(json->buf.data + begin, json->buf.size - begin), bytes);
}

int weir__bytes_print(const struct weir_codec *codec, struct weir_bytes bytes, struct weir_arena *arena,
                      struct weir_json_out *json)
{
    unsigned depth = json->depth;
    bool     comma = json->comma;
    size_t   begin = json->buf.size;

    if (!bytes.data) {
        weir_json_put_null(json);
    } else if (!put_decoded(codec, bytes, arena, json)) {
        json->buf.size = begin;
        json->depth = depth;
        json->comma = comma;
        weir_json_begin_object(json);
        weir_json_name(json, "base64");
        put_base64(bytes, json);
        weir_json_end_object(json);
    }
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}

static void put_side(const char *name, const struct weir_codec *codec, struct weir_bytes bytes,
                     struct weir_arena *arena, struct weir_json_out *json)
{
    weir_json_name(json, name);
    (void)weir__bytes_print(codec, bytes, arena, json); /* failure is kept in the buffer */
}

static void put_headers(const struct weir__raw *raw, struct weir_json_out *json)
{
    weir_json_name(json, "headers");
    weir_json_begin_array(json);
    for (size_t i = 0; i < raw->header_count; i++) {
        weir_json_begin_array(json);
        weir_json_put_string(json, raw->headers[i].name);
        put_base64(raw->headers[i].value, json);
        weir_json_end_array(json);
    }
    weir_json_end_array(json);
}

static void put_number(const char *name, int64_t number, struct weir_json_out *json)
{
    weir_json_name(json, name);
    weir_json_put_int64(json, number);
}

static void put_words(const char *name, const char *words, struct weir_json_out *json)
{
    weir_json_name(json, name);
    weir_json_put_string(json, words);
}

int weir__raw_print(const struct weir__raw *raw, const struct weir_codec *key, const struct weir_codec *value,
                    struct weir_arena *arena, struct weir_json_out *json)
{
    weir_json_begin_object(json);
    put_words("topic", raw->topic, json);
    put_number("partition", raw->partition, json);
    put_number("offset", raw->offset, json);
    put_side("key", key, raw->key, arena, json);
    put_number("timestamp", raw->timestamp, json);
    put_headers(raw, json);
    put_side("value", value, raw->value, arena, json);
    weir_json_end_object(json);
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}

/* ---- read from text ---- */

/* The text of {"base64": "..."}, of which nothing else is a member. */
static bool is_base64(const struct weir_json *json, struct weir_text *ret)
{
    const struct weir_json *only = weir_json_get(json, "base64");

    return only && json->child == only && !only->next && weir_json_text(only, ret) == WEIR_OK;
}

static int parse_by_codec(const struct weir_json *json, const struct weir_codec *codec, struct weir_arena *arena,
                          struct weir_bytes *ret)
{
    struct weir_bytes bytes = NO_BYTES;
    void             *value;
    int               err;

    if (codec->bytes > WEIR__VALUE_MAX)
        return WEIR_TOO_LARGE;
    value = weir_arena_alloc(arena, codec->bytes);
    if (!value)
        return WEIR_LIMIT;
    err = weir__parse(codec, json, value);
    if (err == WEIR_OK)
        err = weir__encode(codec, arena, value, &bytes);
    if (err < 0)
        return err;
    /* What was encoded may be borrowed from the text. */
    *ret = bytes.data ? BYTES(weir__arena_copy(arena, bytes.data, bytes.size), bytes.size) : NO_BYTES;
    return bytes.data && !ret->data ? WEIR_LIMIT : WEIR_OK;
}

int weir__bytes_parse(const char *side, const struct weir_json *json, const struct weir_codec *codec,
                      struct weir_arena *arena, struct weir_bytes *ret, struct weir_error *reterr)
{
    struct weir_text base64;
    int              err;

    if (!json || json->type == WEIR_JSON_NULL) {
        *ret = NO_BYTES;
        return WEIR_OK;
    }
    if (is_base64(json, &base64)) {
        err = weir__base64_decode(base64, arena, ret);
        return err < 0 ? weir__fail(reterr, err, side, "it is no base64: %s", weir_code_text(err)) : WEIR_OK;
    }
    if (!codec)
        return weir__fail(reterr, WEIR_UNREADABLE, side, "its codec is not known: write it as {\"base64\": \"...\"}");
    err = parse_by_codec(json, codec, arena, ret);
    return err < 0
               ? weir__fail(reterr, err, side,
                            "it is no text of codec %s (%s): see how cat prints it, or write {\"base64\": \"...\"}",
                            codec->name, weir_code_text(err))
               : WEIR_OK;
}

/* A C string: a NUL inside cannot be kept. */
static int parse_name(const struct weir_json *json, struct weir_arena *arena, const char **ret)
{
    struct weir_text name;
    char            *copy;

    if (weir_json_text(json, &name) < 0 || (name.size && memchr(name.data, '\0', name.size)))
        return WEIR_UNREADABLE;
    copy = weir__arena_take(arena, name.size + 1);
    if (!copy)
        return WEIR_LIMIT;
    memcpy(copy, name.data, name.size);
    copy[name.size] = '\0';
    *ret = copy;
    return WEIR_OK;
}

static int parse_header(const struct weir_json *json, struct weir_arena *arena, struct weir_header *ret)
{
    const struct weir_json *name = json->type == WEIR_JSON_ARRAY ? json->child : NULL;
    const struct weir_json *value = name ? name->next : NULL;
    struct weir_text        base64;
    int                     err;

    if (!value || value->next)
        return WEIR_UNREADABLE;
    err = parse_name(name, arena, &ret->name);
    if (err < 0)
        return err;
    ret->value = NO_BYTES;
    if (value->type == WEIR_JSON_NULL)
        return WEIR_OK;
    err = weir_json_text(value, &base64);
    return err < 0 ? err : weir__base64_decode(base64, arena, &ret->value);
}

int weir__headers_parse(const struct weir_json *list, struct weir_arena *arena, struct weir__raw *ret)
{
    struct weir_header *headers;
    size_t              count = 0;

    if (!list || list->type == WEIR_JSON_NULL)
        return WEIR_OK;
    if (list->type != WEIR_JSON_ARRAY)
        return WEIR_UNREADABLE;
    for (const struct weir_json *header = list->child; header; header = header->next)
        count++;
    if (!count)
        return WEIR_OK;
    headers = weir__arena_take(arena, sizeof(*headers) * count);
    if (!headers)
        return WEIR_LIMIT;
    ret->headers = headers;
    for (const struct weir_json *header = list->child; header; header = header->next) {
        int err = parse_header(header, arena, &headers[ret->header_count++]);

        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

int weir__raw_parse(const struct weir_json *json, const struct weir_codec *key, const struct weir_codec *value,
                    struct weir_arena *arena, int64_t now, struct weir__raw *ret, struct weir_error *reterr)
{
    struct weir__raw        raw = { .partition = -1, .offset = -1, .timestamp = now };
    const struct weir_json *timestamp = weir_json_get(json, "timestamp");
    int                     err;

    if (json->type != WEIR_JSON_OBJECT)
        return weir__fail(reterr, WEIR_UNREADABLE, "record", "it is no JSON object");
    if (timestamp && weir_json_int64(timestamp, &raw.timestamp) < 0)
        return weir__fail(reterr, WEIR_UNREADABLE, "timestamp", "it is no whole number of ms");
    err = weir__bytes_parse("key", weir_json_get(json, "key"), key, arena, &raw.key, reterr);
    if (err == WEIR_OK)
        err = weir__bytes_parse("value", weir_json_get(json, "value"), value, arena, &raw.value, reterr);
    if (err < 0)
        return err;
    err = weir__headers_parse(weir_json_get(json, "headers"), arena, &raw);
    if (err < 0)
        return weir__fail(reterr, err, "headers", "they are no list of [name, base64 or null]: %s",
                          weir_code_text(err));
    *ret = raw;
    return WEIR_OK;
}

/* ---- dead letters ---- */

static void put_stage(const char *topology, const char *node, struct weir_json_out *json)
{
    struct weir__buf stage = { 0 };

    weir__buf_printf(&stage, "%s/%s", topology, node);
    weir_json_name(json, "stage");
    weir_json_put_text(json, (struct weir_text){ .data = stage.data, .size = stage.size });
    json->buf.failed |= stage.failed;
    weir__buf_fini(&stage);
}

static void put_tenant(struct weir_text tenant, struct weir_json_out *json)
{
    weir_json_name(json, "tenant");
    if (tenant.data != NULL)
        weir_json_put_text(json, tenant);
    else
        weir_json_put_null(json);
}

int weir__dead_letter_print(const struct weir__dead_letter *letter, struct weir_json_out *json)
{
    const struct weir__raw *source = letter->source;

    weir_json_begin_object(json);
    put_words("source_topic", source->topic, json);
    put_number("partition", source->partition, json);
    put_number("offset", source->offset, json);
    put_number("timestamp", source->timestamp, json);
    weir_json_name(json, "key_base64");
    put_base64(source->key, json);
    weir_json_name(json, "value_base64");
    put_base64(source->value, json);
    put_headers(source, json);
    if (letter->bare) {
        weir_json_name(json, "bytes_left_out");
        weir_json_put_bool(json, true);
    }
    put_stage(letter->topology, letter->node, json);
    put_words("code", letter->code, json);
    put_words("message", letter->message, json);
    put_number("attempts", letter->attempts, json);
    put_tenant(letter->tenant, json);
    put_number("first_failed", letter->first_failed, json);
    put_number("last_failed", letter->last_failed, json);
    weir_json_end_object(json);
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}

static void put_runs(const struct weir__runs *runs, struct weir_json_out *json)
{
    struct weir__buf *buf;

    weir_json_name(json, "offsets");
    buf = weir__json_put_raw(json);
    weir__buf_putc(buf, '"');
    weir__runs_print(runs, buf);
    weir__buf_putc(buf, '"');
}

int weir__folded_letter_print(const struct weir__folded_letter *letter, struct weir_json_out *json)
{
    const struct weir__runs *runs = &letter->offsets;

    weir_json_begin_object(json);
    put_words("source_topic", letter->source.topic, json);
    put_number("partition", letter->source.partition, json);
    put_number("first_offset", runs->items[0].first, json);
    put_number("last_offset", runs->items[runs->count - 1].last, json);
    put_runs(runs, json);
    put_number("count", letter->count, json);
    put_stage(letter->topology, letter->node, json);
    put_words("code", letter->code, json);
    put_words("message", letter->message, json);
    put_tenant(letter->tenant, json);
    put_number("first_failed", letter->first_failed, json);
    put_number("last_failed", letter->last_failed, json);
    weir_json_end_object(json);
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}
