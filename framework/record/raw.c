/* raw.c: records as bytes: copied, packed, printed and read back. */
#include "framework/json/json.h"
#include "framework/record/record.h"

/* ---- copying ---- */

static int copy_bytes(struct weir_bytes from, struct weir_arena *arena, struct weir_bytes *ret)
{
    *ret = NO_BYTES;
    if (from.data == NULL)
        return WEIR_OK;
    *ret = BYTES(weir__arena_copy(arena, from.data, from.size), from.size);
    return ret->data != NULL ? WEIR_OK : WEIR_LIMIT;
}

static int copy_headers(const struct weir__raw *raw, struct weir_arena *arena, struct weir__raw *ret)
{
    struct weir_header *headers;

    ret->headers = NULL;
    if (raw->header_count == 0)
        return WEIR_OK;
    headers = weir_arena_alloc(arena, sizeof(*headers) * raw->header_count);
    if (headers == NULL)
        return WEIR_LIMIT;
    for (size_t i = 0; i < raw->header_count; i++) {
        headers[i].name = weir__arena_copy(arena, raw->headers[i].name, strlen(raw->headers[i].name) + 1);
        if (headers[i].name == NULL || copy_bytes(raw->headers[i].value, arena, &headers[i].value) < 0)
            return WEIR_LIMIT;
    }
    ret->headers = headers;
    return WEIR_OK;
}

int weir__raw_copy(const struct weir__raw *raw, struct weir_arena *arena, struct weir__raw *ret)
{
    struct weir__raw copy = *raw;
    int              err = copy_bytes(raw->key, arena, &copy.key);

    if (raw->topic != NULL)
        copy.topic = weir__arena_copy(arena, raw->topic, strlen(raw->topic) + 1);
    if (err == WEIR_OK)
        err = copy_bytes(raw->value, arena, &copy.value);
    if (err == WEIR_OK)
        err = copy_headers(raw, arena, &copy);
    if (err < 0 || (raw->topic != NULL && copy.topic == NULL))
        return WEIR_LIMIT;
    *ret = copy;
    return WEIR_OK;
}

/* ---- packing: int64 timestamp, key, value, int32 headers, each int32 name size (with its NUL), name, value.
 * Bytes: int32 size (-1 = null), bytes. ---- */

static void pack_bytes(struct weir__buf *buf, struct weir_bytes bytes)
{
    weir__buf_be32(buf, bytes.data != NULL ? (uint32_t)bytes.size : UINT32_MAX);
    if (bytes.data != NULL)
        weir__buf_add(buf, bytes.data, bytes.size);
}

int weir__raw_pack(const struct weir__raw *raw, struct weir__buf *ret)
{
    if (raw->key.size > INT32_MAX || raw->value.size > INT32_MAX)
        return WEIR_TOO_LARGE;
    weir__buf_be64(ret, (uint64_t)raw->timestamp);
    pack_bytes(ret, raw->key);
    pack_bytes(ret, raw->value);
    weir__buf_be32(ret, (uint32_t)raw->header_count);
    for (size_t i = 0; i < raw->header_count; i++) {
        if (raw->headers[i].value.size > INT32_MAX)
            return WEIR_TOO_LARGE;
        pack_bytes(ret, BYTES(raw->headers[i].name, strlen(raw->headers[i].name) + 1));
        pack_bytes(ret, raw->headers[i].value);
    }
    return weir__buf_ok(ret) ? WEIR_OK : WEIR_NO_MEMORY;
}

struct unpacking {
    const char *at, *end;
};

static bool unpack_32(struct unpacking *in, uint32_t *ret)
{
    if (in->end - in->at < (ptrdiff_t)sizeof(*ret))
        return false;
    *ret = weir__get_be32(in->at);
    in->at += sizeof(*ret);
    return true;
}

static bool unpack_bytes(struct unpacking *in, struct weir_bytes *ret)
{
    uint32_t size;

    *ret = NO_BYTES;
    if (!unpack_32(in, &size))
        return false;
    if (size == UINT32_MAX)
        return true;
    if ((size_t)(in->end - in->at) < size)
        return false;
    *ret = BYTES(in->at, size);
    in->at += size;
    return true;
}

static int unpack_headers(struct unpacking *in, struct weir_arena *arena, struct weir__raw *ret)
{
    struct weir_header *headers;
    uint32_t            count;

    if (!unpack_32(in, &count) || count > (size_t)(in->end - in->at) / (2 * sizeof(uint32_t)))
        return WEIR_CORRUPT;
    if (count == 0)
        return WEIR_OK;
    headers = weir_arena_alloc(arena, sizeof(*headers) * count);
    if (headers == NULL)
        return WEIR_LIMIT;
    for (uint32_t i = 0; i < count; i++) {
        struct weir_bytes name;

        if (!unpack_bytes(in, &name) || name.size == 0 || ((const char *)name.data)[name.size - 1] != '\0' ||
            !unpack_bytes(in, &headers[i].value))
            return WEIR_CORRUPT;
        headers[i].name = name.data;
    }
    ret->headers = headers;
    ret->header_count = count;
    return WEIR_OK;
}

int weir__raw_unpack(struct weir_bytes packed, struct weir_arena *arena, struct weir__raw *ret)
{
    struct unpacking in = { .at = packed.data, .end = (const char *)packed.data + packed.size };
    struct weir__raw raw = { .partition = -1, .offset = -1 };
    int              err;

    if (packed.size < sizeof(int64_t))
        return WEIR_CORRUPT;
    raw.timestamp = (int64_t)weir__get_be64(in.at);
    in.at += sizeof(int64_t);
    if (!unpack_bytes(&in, &raw.key) || !unpack_bytes(&in, &raw.value))
        return WEIR_CORRUPT;
    err = unpack_headers(&in, arena, &raw);
    if (err < 0)
        return err;
    if (in.at != in.end)
        return WEIR_CORRUPT;
    *ret = raw;
    return WEIR_OK;
}

/* ---- text ---- */

static void put_base64(struct weir_bytes bytes, struct weir_json_out *json)
{
    struct weir__buf text = { 0 };

    if (bytes.data == NULL) {
        weir_json_put_null(json);
        return;
    }
    weir__base64_encode(bytes, &text);
    weir_json_put_text(json, (struct weir_text){ .data = text.data != NULL ? text.data : "", .size = text.size });
    weir__buf_fini(&text);
}

static void put_raw_bytes(struct weir_bytes bytes, struct weir_json_out *json)
{
    weir_json_begin_object(json);
    weir_json_name(json, "base64");
    put_base64(bytes, json);
    weir_json_end_object(json);
}

static int put_side(const struct weir_codec *codec, struct weir_bytes bytes, struct weir_arena *arena,
                    struct weir_json_out *json)
{
    const void *value;

    if (bytes.data == NULL) {
        weir_json_put_null(json);
        return WEIR_OK;
    }
    if (codec == NULL || codec->print == NULL || weir__decode(codec, arena, bytes, &value) < 0) {
        put_raw_bytes(bytes, json);
        return WEIR_OK;
    }
    return codec->print(codec, value, json);
}

static void put_headers(const struct weir__raw *raw, struct weir_json_out *json)
{
    weir_json_begin_array(json);
    for (size_t i = 0; i < raw->header_count; i++) {
        weir_json_begin_array(json);
        weir_json_put_string(json, raw->headers[i].name);
        put_base64(raw->headers[i].value, json);
        weir_json_end_array(json);
    }
    weir_json_end_array(json);
}

int weir__raw_print(const struct weir__raw *raw, const struct weir_codec *key, const struct weir_codec *value,
                    struct weir_arena *arena, struct weir_json_out *json)
{
    int err;

    weir_json_begin_object(json);
    weir_json_name(json, "topic");
    weir_json_put_string(json, raw->topic);
    weir_json_name(json, "partition");
    weir_json_put_int64(json, raw->partition);
    weir_json_name(json, "offset");
    weir_json_put_int64(json, raw->offset);
    weir_json_name(json, "key");
    err = put_side(key, raw->key, arena, json);
    weir_json_name(json, "timestamp");
    weir_json_put_int64(json, raw->timestamp);
    weir_json_name(json, "headers");
    put_headers(raw, json);
    weir_json_name(json, "value");
    if (err == WEIR_OK)
        err = put_side(value, raw->value, arena, json);
    else
        weir_json_put_null(json);
    weir_json_end_object(json);
    if (err < 0)
        return err;
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}

static int parse_side(const struct weir_json *json, const char *name, const struct weir_codec *codec,
                      struct weir_arena *arena, struct weir_bytes *ret, struct weir_error *reterr)
{
    const struct weir_json *side = weir_json_get(json, name), *base64 = weir_json_get(side, "base64");
    struct weir_text        text;
    void                   *value;
    int                     err = WEIR_OK;

    *ret = NO_BYTES;
    if (side == NULL || side->type == WEIR_JSON_NULL)
        return WEIR_OK;
    if (base64 != NULL && side->child == base64 && base64->next == NULL && weir_json_text(base64, &text) == WEIR_OK) {
        err = weir__base64_decode(text, arena, ret);
        return err < 0 ? weir__fail(reterr, err, name, "its base64 cannot be read") : WEIR_OK;
    }
    value = weir_arena_alloc(arena, codec->bytes);
    err = value != NULL ? codec->parse(codec, side, value) : WEIR_LIMIT;
    if (err == WEIR_OK)
        err = weir__encode(codec, arena, value, ret);
    return err < 0 ? weir__fail(reterr, err, name, "it is not what codec \"%s\" reads", codec->name) : WEIR_OK;
}

static int parse_header(const struct weir_json *json, struct weir_arena *arena, struct weir_header *ret)
{
    struct weir_text name, text;

    if (json->type != WEIR_JSON_ARRAY || json->child == NULL || weir_json_text(json->child, &name) < 0)
        return WEIR_UNREADABLE;
    ret->name = weir__arena_printf(arena, "%.*s", (int)name.size, name.data);
    ret->value = NO_BYTES;
    if (ret->name == NULL)
        return WEIR_LIMIT;
    if (json->child->next == NULL || json->child->next->type == WEIR_JSON_NULL)
        return WEIR_OK;
    if (weir_json_text(json->child->next, &text) < 0)
        return WEIR_UNREADABLE;
    return weir__base64_decode(text, arena, &ret->value);
}

static int parse_headers(const struct weir_json *list, struct weir_arena *arena, struct weir__raw *ret)
{
    struct weir_header *headers;
    size_t              count = 0;

    if (list == NULL || list->type == WEIR_JSON_NULL)
        return WEIR_OK;
    if (list->type != WEIR_JSON_ARRAY)
        return WEIR_UNREADABLE;
    for (const struct weir_json *at = list->child; at != NULL; at = at->next)
        count++;
    headers = weir_arena_alloc(arena, sizeof(*headers) * (count + 1));
    if (headers == NULL)
        return WEIR_LIMIT;
    ret->headers = headers;
    for (const struct weir_json *at = list->child; at != NULL; at = at->next) {
        int err = parse_header(at, arena, &headers[ret->header_count++]);

        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

int weir__raw_parse(const struct weir_json *json, const struct weir_codec *key, const struct weir_codec *value,
                    struct weir_arena *arena, int64_t now, struct weir__raw *ret, struct weir_error *reterr)
{
    struct weir__raw        raw = { .partition = -1, .offset = -1, .timestamp = now };
    const struct weir_json *time = weir_json_get(json, "timestamp");
    int                     err;

    if (json->type != WEIR_JSON_OBJECT)
        return weir__fail(reterr, WEIR_UNREADABLE, "record", "it is no JSON object");
    if (time != NULL && weir_json_int64(time, &raw.timestamp) < 0)
        return weir__fail(reterr, WEIR_UNREADABLE, "timestamp", "it is no whole number of ms");
    err = parse_side(json, "key", key, arena, &raw.key, reterr);
    if (err == WEIR_OK)
        err = parse_side(json, "value", value, arena, &raw.value, reterr);
    if (err < 0)
        return err;
    err = parse_headers(weir_json_get(json, "headers"), arena, &raw);
    if (err < 0)
        return weir__fail(reterr, err, "headers", "they are no list of [name, base64 or null]");
    *ret = raw;
    return WEIR_OK;
}

/* ---- dead letters ---- */

static void put_source(const struct weir__raw *source, struct weir_json_out *json)
{
    weir_json_name(json, "source_topic");
    weir_json_put_string(json, source->topic);
    weir_json_name(json, "partition");
    weir_json_put_int64(json, source->partition);
    weir_json_name(json, "offset");
    weir_json_put_int64(json, source->offset);
    weir_json_name(json, "timestamp");
    weir_json_put_int64(json, source->timestamp);
    weir_json_name(json, "key_base64");
    put_base64(source->key, json);
    weir_json_name(json, "value_base64");
    put_base64(source->value, json);
    weir_json_name(json, "headers");
    put_headers(source, json);
}

int weir__dead_letter_print(const struct weir__dead_letter *letter, struct weir_json_out *json)
{
    char stage[520];

    snprintf(stage, sizeof(stage), "%s/%s", letter->topology, letter->node);
    weir_json_begin_object(json);
    put_source(letter->source, json);
    weir_json_name(json, "stage");
    weir_json_put_string(json, stage);
    weir_json_name(json, "code");
    weir_json_put_string(json, weir_code_name(letter->code));
    weir_json_name(json, "message");
    weir_json_put_string(json, letter->message);
    weir_json_name(json, "attempts");
    weir_json_put_int64(json, letter->attempts);
    weir_json_name(json, "tenant");
    weir_json_put_null(json);
    weir_json_name(json, "first_failed");
    weir_json_put_int64(json, letter->first_failed);
    weir_json_name(json, "last_failed");
    weir_json_put_int64(json, letter->last_failed);
    weir_json_end_object(json);
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}
