/* words.c: what the words of a story mean: times, headers, keys and values. */
#define _GNU_SOURCE
#include "framework/json/json.h"
#include "framework/record/record.h"
#include "test/scenario/flow.h"

#include <inttypes.h>
#include <time.h>

/* ---- times ---- */

bool flow_time(const char *word, int64_t *ret)
{
    struct tm   tm = { 0 };
    const char *end = strptime(word, "%Y-%m-%dT%H:%M:%S", &tm);
    int         ms = 0, size = 0;

    if (end == NULL)
        return weir__parse_duration(word, ret) == WEIR_OK;
    if (sscanf(end, ".%3dZ%n", &ms, &size) != 1)
        size = end[0] == 'Z';
    *ret = (int64_t)timegm(&tm) * 1000 + ms;
    return size > 0 && end[size] == '\0';
}

/* A date where it is one, else a duration. */
void flow_print_time(int64_t time, struct weir__buf *ret)
{
    time_t    seconds = time / 1000;
    char      text[32];
    struct tm tm;

    if (time >= DAYS(365)) {
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
        weir__buf_puts(ret, text);
        if (time % 1000 != 0)
            weir__buf_printf(ret, ".%03d", (int)(time % 1000));
        weir__buf_putc(ret, 'Z');
    } else if (time > 0 && time % 60000 == 0) {
        weir__buf_printf(ret, "%" PRId64 "m", time / 60000);
    } else if (time > 0 && time % 1000 == 0) {
        weir__buf_printf(ret, "%" PRId64 "s", time / 1000);
    } else {
        weir__buf_printf(ret, "%" PRId64, time);
    }
}

/* ---- headers ---- */

static char *next_word(char **rest)
{
    char *word;

    do
        word = strsep(rest, " ");
    while (word != NULL && word[0] == '\0');
    return word;
}

static void add_header(struct flow_extras *extras, char *word)
{
    struct weir_header *header = &extras->headers[extras->header_count++];
    char               *equals = strchr(word, '=');

    *header = (struct weir_header){ .name = word };
    if (equals == NULL)
        return;
    *equals = '\0';
    header->value = BYTES(equals + 1, strlen(equals + 1));
}

bool flow_extras(const char *text, struct weir_arena *arena, struct flow_extras *ret)
{
    char *rest = weir__arena_copy(arena, text, strlen(text) + 1), *word = next_word(&rest);

    *ret = (struct flow_extras){ .headers = weir__arena_take(arena, sizeof(*ret->headers) * strlen(text)) };
    if (word != NULL && strcmp(word, "at") == 0) {
        word = next_word(&rest);
        ret->timed = word != NULL && flow_time(word, &ret->time);
        if (!ret->timed)
            return false;
        word = next_word(&rest);
    }
    if (word == NULL)
        return true;
    ret->headed = strcmp(word, "with") == 0;
    while (ret->headed && (word = next_word(&rest)) != NULL)
        add_header(ret, word);
    return ret->headed && ret->header_count > 0;
}

/* ---- keys and values ---- */

static const struct weir_json *parse(const char *text, struct weir_arena *arena)
{
    const struct weir_json *json;

    return weir_json_parse(arena, (struct weir_text){ .data = text, .size = strlen(text) }, &json, NULL) == WEIR_OK
               ? json
               : NULL;
}

/* "hex:00ff" and "text:{}" as bytes. */
static bool read_bytes(const char *word, struct weir_arena *arena, struct weir_bytes *ret)
{
    size_t size;
    char  *bytes;

    if (strncmp(word, "text:", 5) == 0) {
        *ret = BYTES(word + 5, strlen(word + 5));
        return true;
    }
    if (strncmp(word, "hex:", 4) != 0)
        return false;
    word += 4;
    size = strlen(word) / 2;
    bytes = weir_arena_alloc(arena, size + 1);
    for (size_t i = 0; i < size; i++) {
        unsigned byte;

        if (sscanf(word + 2 * i, "%2x", &byte) != 1)
            return false;
        bytes[i] = (char)byte;
    }
    *ret = BYTES(bytes, size);
    return strlen(word) % 2 == 0;
}

static const char *keep(struct weir_json_out *out, struct weir_arena *arena)
{
    const char *text = weir__arena_printf(arena, "%.*s", (int)out->buf.size, out->buf.data);

    weir__json_out_fini(out);
    return text;
}

static const char *base64_json(struct weir_bytes bytes, struct weir_arena *arena)
{
    struct weir_json_out out = { 0 };
    struct weir__buf     text = { 0 };

    weir__base64_encode(bytes, &text);
    weir_json_begin_object(&out);
    weir_json_name(&out, "base64");
    weir_json_put_text(&out, (struct weir_text){ .data = text.data, .size = text.size });
    weir_json_end_object(&out);
    weir__buf_fini(&text);
    return keep(&out, arena);
}

const char *flow_json(const char *word, struct weir_arena *arena)
{
    struct weir_json_out out = { 0 };
    struct weir_bytes    bytes;

    if (read_bytes(word, arena, &bytes))
        return base64_json(bytes, arena);
    if (parse(word, arena) != NULL)
        return word;
    weir_json_put_string(&out, word);
    return keep(&out, arena);
}

/* ---- matching ---- */

static bool same_text(struct weir_text a, struct weir_text b)
{
    return weir__bytes_equal(BYTES(a.data, a.size), BYTES(b.data, b.size));
}

static bool same(const struct weir_json *expected, const struct weir_json *actual, bool open);

/* Members in any order; open: the actual object may have more of them. */
static bool same_members(const struct weir_json *expected, const struct weir_json *actual, bool open)
{
    size_t counts[2] = { 0 };

    for (const struct weir_json *member = actual->child; member != NULL; member = member->next)
        counts[1]++;
    for (const struct weir_json *member = expected->child; member != NULL; member = member->next) {
        const struct weir_json *other = actual->child;

        while (other != NULL && !same_text(other->name, member->name))
            other = other->next;
        if (other == NULL || !same(member, other, false))
            return false;
        counts[0]++;
    }
    return open || counts[0] == counts[1];
}

static bool same_elements(const struct weir_json *expected, const struct weir_json *actual)
{
    const struct weir_json *a = expected->child, *b = actual->child;

    for (; a != NULL && b != NULL; a = a->next, b = b->next)
        if (!same(a, b, false))
            return false;
    return a == NULL && b == NULL;
}

static bool same(const struct weir_json *expected, const struct weir_json *actual, bool open)
{
    if (expected->type != actual->type)
        return false;
    if (expected->type == WEIR_JSON_OBJECT)
        return same_members(expected, actual, open);
    if (expected->type == WEIR_JSON_ARRAY)
        return same_elements(expected, actual);
    return same_text(expected->text, actual->text);
}

/* "{"a": 1, ...}" without the dots. */
static const char *close_object(const char *word, struct weir_arena *arena, bool *ret_open)
{
    size_t size = strlen(word);

    *ret_open = size > 4 && word[0] == '{' && strcmp(word + size - 4, "...}") == 0;
    if (!*ret_open)
        return word;
    for (size -= 4; size > 0 && strchr(" ,", word[size - 1]) != NULL;)
        size--;
    return weir__arena_printf(arena, "%.*s}", (int)size, word);
}

static bool matches_window(const char *word, const struct weir_json *json, struct weir_arena *arena)
{
    const struct weir_json *key = weir_json_get(json, "key");
    const char             *at = strrchr(word, '@');
    int64_t                 start, expected;
    struct weir_json_out    out = { 0 };

    if (at == NULL || key == NULL || weir_json_int64(weir_json_get(json, "start"), &start) < 0 ||
        !flow_time(at + 1, &expected) || start != expected)
        return false;
    weir_json_put(&out, key);
    return flow_matches(weir__arena_printf(arena, "%.*s", (int)(at - word), word), keep(&out, arena), NO_BYTES);
}

static bool matches(const char *word, const char *text, struct weir_bytes bytes, struct weir_arena *arena)
{
    const struct weir_json *json = parse(text, arena), *expected;
    struct weir_bytes       raw;
    bool                    open;

    if (read_bytes(word, arena, &raw))
        return weir__bytes_equal(raw, bytes);
    expected = parse(close_object(word, arena, &open), arena);
    if (expected != NULL)
        return same(expected, json, open);
    if (json->type == WEIR_JSON_STRING)
        return same_text(json->text, (struct weir_text){ .data = word, .size = strlen(word) });
    if (weir_json_get(json, "base64") != NULL)
        return weir__bytes_equal(bytes, BYTES(word, strlen(word)));
    return matches_window(word, json, arena);
}

bool flow_matches(const char *word, const char *json, struct weir_bytes bytes)
{
    struct weir_arena arena = { 0 };
    bool              good = matches(word, json, bytes, &arena);

    weir__arena_fini(&arena);
    return good;
}

/* ---- printing ---- */

static bool is_bare(const char *json, struct weir_text text, struct weir_arena *arena)
{
    const char *word = weir__arena_printf(arena, "%.*s", (int)text.size, text.data);

    return text.size > 0 && strlen(word) == text.size && strpbrk(word, " {}[]\"@\\") == NULL &&
           strlen(json) == text.size + 2 && parse(word, arena) == NULL;
}

static void print_json(const struct weir_json *json, struct weir__buf *ret)
{
    struct weir_json_out out = { 0 };

    weir_json_put(&out, json);
    weir__buf_add(ret, out.buf.data, out.buf.size);
    weir__json_out_fini(&out);
}

void flow_print_word(const char *text, struct weir__buf *ret)
{
    struct weir_arena       arena = { 0 };
    const struct weir_json *json = parse(text, &arena), *key = weir_json_get(json, "key");
    struct weir_json_out    out = { 0 };
    int64_t                 start;

    if (json->type == WEIR_JSON_STRING && is_bare(text, json->text, &arena)) {
        weir__buf_add(ret, json->text.data, json->text.size);
    } else if (key != NULL && weir_json_int64(weir_json_get(json, "start"), &start) == WEIR_OK) {
        weir_json_put(&out, key);
        flow_print_word(keep(&out, &arena), ret);
        weir__buf_putc(ret, '@');
        flow_print_time(start, ret);
    } else {
        print_json(json, ret);
    }
    weir__arena_fini(&arena);
}
