/* letters.c: dead letters as they are read. */
#include "framework/record/letters.h"

static int read_int(const struct weir_json *json, const char *name, int64_t *ret)
{
    return weir_json_int64(weir_json_get(json, name), ret);
}

static struct weir_text text_of(const struct weir_json *json, const char *name)
{
    struct weir_text text = { 0 };

    (void)weir_json_text(weir_json_get(json, name), &text);
    return text;
}

static int read_bytes(const struct weir_json *json, const char *name, struct weir_arena *arena,
                      struct weir_bytes *ret)
{
    struct weir_text text = text_of(json, name);

    *ret = NO_BYTES;
    return text.data != NULL ? weir__base64_decode(text, arena, ret) : WEIR_OK;
}

/* Where the record was read, and when it failed. */
static int read_common(const struct weir_json *json, const char *offset, struct weir_arena *arena,
                       struct weir__read_letter *ret)
{
    struct weir_text topic = text_of(json, "source_topic");
    int64_t          partition;

    ret->stage = text_of(json, "stage");
    ret->code = text_of(json, "code");
    ret->message = text_of(json, "message");
    ret->tenant = text_of(json, "tenant");
    if (ret->stage.data == NULL || ret->code.data == NULL || read_int(json, "partition", &partition) < 0 ||
        partition < -1 || partition > INT32_MAX || read_int(json, offset, &ret->source.offset) < 0 ||
        read_int(json, "first_failed", &ret->first_failed) < 0 ||
        read_int(json, "last_failed", &ret->last_failed) < 0)
        return WEIR_UNREADABLE;
    ret->none = topic.data == NULL || partition < 0 || ret->source.offset < 0;
    ret->source.partition = (int32_t)partition;
    ret->source.topic = weir__arena_printf(arena, "%.*s", (int)topic.size, topic.data != NULL ? topic.data : "");
    return ret->source.topic != NULL ? WEIR_OK : WEIR_LIMIT;
}

static int read_plain(const struct weir_json *json, struct weir_arena *arena, struct weir__read_letter *ret)
{
    const struct weir_json *bare = weir_json_get(json, "bytes_left_out");
    int                     err = read_common(json, "offset", arena, ret);

    ret->count = 1;
    ret->bare = bare != NULL && bare->type == WEIR_JSON_TRUE;
    if (err == WEIR_OK)
        err = read_int(json, "timestamp", &ret->source.timestamp);
    if (err == WEIR_OK)
        err = read_bytes(json, "key_base64", arena, &ret->source.key);
    if (err == WEIR_OK)
        err = read_bytes(json, "value_base64", arena, &ret->source.value);
    if (err == WEIR_OK)
        err = weir__headers_parse(weir_json_get(json, "headers"), arena, &ret->source);
    if (err == WEIR_OK && !ret->none)
        err = weir__runs_add(&ret->offsets, ret->source.offset, ret->source.offset);
    return err;
}

/* Each of them is looked at: a number that nobody wrote must not keep us for ever. */
#define RECORDS_MOST INT64_C(100000000)

static int read_folded(const struct weir_json *json, struct weir_arena *arena, struct weir__read_letter *ret)
{
    int err = read_common(json, "first_offset", arena, ret);

    ret->folded = ret->bare = true;
    if (err == WEIR_OK)
        err = read_int(json, "count", &ret->count);
    if (err == WEIR_OK)
        err = weir__runs_parse(text_of(json, "offsets"), &ret->offsets);
    if (err == WEIR_OK && weir__runs_total(&ret->offsets) > MIN(ret->count, RECORDS_MOST))
        err = WEIR_UNREADABLE;
    return err;
}

int weir__letter_read(struct weir_bytes value, struct weir_arena *arena, struct weir__read_letter *ret)
{
    const struct weir_json *json;
    int                     err;

    *ret = (struct weir__read_letter){ 0 };
    if (value.data == NULL)
        return WEIR_UNREADABLE;
    err = weir_json_parse(arena, (struct weir_text){ value.data, value.size }, &json, NULL);
    if (err == WEIR_OK && json->type != WEIR_JSON_OBJECT)
        err = WEIR_UNREADABLE;
    if (err == WEIR_OK)
        err = weir_json_get(json, "offsets") != NULL ? read_folded(json, arena, ret) : read_plain(json, arena, ret);
    if (err < 0)
        weir__read_letter_fini(ret);
    return err == WEIR_OVERFLOW ? WEIR_UNREADABLE : err;
}

void weir__read_letter_fini(struct weir__read_letter *letter) { weir__runs_fini(&letter->offsets); }
