/* json_difference.h: whether our JSON reader and jansson's take a text alike, for the fuzzer and the unit test.
 *
 * (1) Both accept the same texts, but for three differences that are meant: we nest 64 deep at most (jansson 2048); we
 *     keep numbers as text, so that one out of range is no fault of the text; we allow \u0000 in keys. And one that is
 *     jansson's alone: it overlooks a NUL byte behind a number or a word.
 * (2) What both accept has the same values, and jansson reads what our writer makes of it as the same values.
 */
#ifndef WEIR_TEST_JSON_DIFFERENCE_H
#define WEIR_TEST_JSON_DIFFERENCE_H

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

#include "framework/json/json.h"

#define JANSSON_STRICT (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)

static bool same_value(const struct weir_json *ours, json_t *theirs);

static bool same_number(const struct weir_json *ours, json_t *theirs)
{
    int64_t whole;
    double  value, real = json_real_value(theirs);

    if (json_is_integer(theirs))
        return weir_json_int64(ours, &whole) == WEIR_OK && whole == json_integer_value(theirs);
    return json_is_real(theirs) && weir_json_int64(ours, &whole) == WEIR_UNREADABLE &&
           weir_json_double(ours, &value) == WEIR_OK && memcmp(&value, &real, sizeof(value)) == 0;
}

static bool same_string(const struct weir_json *ours, json_t *theirs)
{
    struct weir_text text;

    return json_is_string(theirs) && weir_json_text(ours, &text) == WEIR_OK &&
           text.size == json_string_length(theirs) && memcmp(text.data, json_string_value(theirs), text.size) == 0;
}

static bool same_elements(const struct weir_json *ours, json_t *theirs)
{
    const struct weir_json *element = ours->child;
    size_t                  count = 0;

    for (; element; element = element->next)
        if (!same_value(element, json_array_get(theirs, count++)))
            return false;
    return json_is_array(theirs) && json_array_size(theirs) == count;
}

static bool same_members(const struct weir_json *ours, json_t *theirs)
{
    const struct weir_json *member = ours->child;
    size_t                  count = 0;

    for (; member; member = member->next, count++)
        if (!same_value(member, json_object_getn(theirs, member->name.data, member->name.size)))
            return false;
    return json_is_object(theirs) && json_object_size(theirs) == count;
}

static bool same_value(const struct weir_json *ours, json_t *theirs)
{
    switch (ours->type) {
    case WEIR_JSON_NULL: return json_is_null(theirs);
    case WEIR_JSON_FALSE: return json_is_false(theirs);
    case WEIR_JSON_TRUE: return json_is_true(theirs);
    case WEIR_JSON_NUMBER: return same_number(ours, theirs);
    case WEIR_JSON_STRING: return same_string(ours, theirs);
    case WEIR_JSON_ARRAY: return same_elements(ours, theirs);
    case WEIR_JSON_OBJECT: return same_members(ours, theirs);
    }
    return false;
}

static size_t depth_of(json_t *theirs)
{
    size_t      deepest = 0, depth, i;
    const char *key;
    json_t     *value;

    json_array_foreach(theirs, i, value)
    {
        depth = depth_of(value);
        deepest = MAX(deepest, depth);
    }
    json_object_foreach(theirs, key, value)
    {
        depth = depth_of(value);
        deepest = MAX(deepest, depth);
    }
    return deepest + (json_is_array(theirs) || json_is_object(theirs));
}

static bool out_of_range(const struct weir_json *number)
{
    int64_t whole;
    double  value;
    int     code = weir_json_int64(number, &whole);

    return code == WEIR_OVERFLOW || (code == WEIR_UNREADABLE && weir_json_double(number, &value) == WEIR_OVERFLOW);
}

/* Whether something in it excuses jansson's refusal for that reason. */
static bool excuses(const struct weir_json *ours, enum json_error_code reason)
{
    if (reason == json_error_numeric_overflow && ours->type == WEIR_JSON_NUMBER && out_of_range(ours))
        return true;
    if (reason == json_error_null_byte_in_key && ours->name.size && memchr(ours->name.data, '\0', ours->name.size))
        return true;
    for (const struct weir_json *child = ours->child; child; child = child->next)
        if (excuses(child, reason))
            return true;
    return false;
}

static void write_value(const struct weir_json *json, struct weir_json_out *out)
{
    bool is_object = json->type == WEIR_JSON_OBJECT;
    char name[256];

    switch (json->type) {
    case WEIR_JSON_NULL: weir_json_put_null(out); return;
    case WEIR_JSON_FALSE:
    case WEIR_JSON_TRUE: weir_json_put_bool(out, json->type == WEIR_JSON_TRUE); return;
    case WEIR_JSON_NUMBER: weir_json_put_number(out, json->text); return;
    case WEIR_JSON_STRING: weir_json_put_text(out, json->text); return;
    case WEIR_JSON_ARRAY: weir_json_begin_array(out); break;
    case WEIR_JSON_OBJECT: weir_json_begin_object(out); break;
    }
    for (const struct weir_json *child = json->child; child; child = child->next) {
        if (is_object) {
            char *copy = child->name.size < sizeof(name) ? name : weir__alloc(child->name.size + 1);

            CHECK(copy);
            memcpy(copy, child->name.data, child->name.size);
            copy[child->name.size] = '\0';
            weir_json_name(out, copy);
            if (copy != name)
                weir__free(copy);
        }
        write_value(child, out);
    }
    (is_object ? weir_json_end_object : weir_json_end_array)(out);
}

static bool survives_writing(const struct weir_json *ours, json_t *theirs)
{
    struct weir_json_out out = { 0 };
    json_t              *again;
    bool                 same;

    write_value(ours, &out);
    again = json_loadb(out.buf.data, out.buf.size, JANSSON_STRICT, NULL);
    same = weir__buf_ok(&out.buf) && again && json_equal(again, theirs);
    json_decref(again);
    weir__json_out_fini(&out);
    return same;
}

/* Whether what we refused excuses that jansson did not. */
static bool may_refuse(struct weir_bytes text, const struct weir_error *err, json_t *theirs)
{
    const char *byte = text.data;
    size_t      at = 0;

    if (strstr(err->text, "deeper than 64"))
        return depth_of(theirs) > 64;
    return sscanf(err->text, "at byte %zu", &at) == 1 && at > 0 && at < text.size && byte[at] == '\0' &&
           isalnum((unsigned char)byte[at - 1]);
}

/* NULL = none, else what it is, for 512 bytes of said. */
static const char *json_difference(const char *text, size_t size, char said[static 512])
{
    char                   *copy = weir__memdup(text, size); /* ends where the text ends, for the address sanitizer */
    const struct weir_json *ours = NULL;
    struct weir_error       err = { 0 };
    struct weir_arena       arena;
    json_error_t            error = { 0 };
    json_t                 *theirs = json_loadb(text, size, JANSSON_STRICT, &error);
    const char             *difference = NULL;
    int                     code;

    CHECK(copy);
    weir__arena_init(&arena, 0);
    code = weir_json_parse(&arena, (struct weir_text){ .data = copy, .size = size }, &ours, &err);
    if (code == WEIR_OK && theirs)
        difference = !same_value(ours, theirs)         ? "the values differ"
                     : !survives_writing(ours, theirs) ? "what the writer makes of it differs"
                                                       : NULL;
    else if (code == WEIR_OK)
        difference = excuses(ours, json_error_code(&error)) ? NULL : error.text;
    else if (theirs)
        difference = may_refuse(BYTES(copy, size), &err, theirs) ? NULL : err.text;
    if (difference)
        snprintf(said, 512, "%.400s; we: %d, jansson: %d", difference, code, theirs != NULL);
    weir__arena_fini(&arena);
    json_decref(theirs);
    weir__free(copy);
    return difference ? said : NULL;
}

#endif
