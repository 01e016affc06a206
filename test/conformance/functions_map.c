/* functions_map.c: mappers and predicates of a case. Strings are UTF-8; long arithmetic wraps. */
#define _GNU_SOURCE /* memmem */
#include <limits.h>
#include <wchar.h>
#include <wctype.h>

#include "test/conformance/conformance.h"

static int map_const(const struct conf_call *call, struct value *ret)
{
    const json_t *json = json_array_get(call->args, 1);

    if (json_is_integer(json))
        return conf_give_long(call->ctx, json_integer_value(json), ret);
    if (json_is_real(json))
        return conf_give_double(call->ctx, json_real_value(json), ret);
    if (json_is_null(json))
        return 0;
    return conf_give_text(call->ctx, json_string_value(json), json_string_length(json), ret);
}

static int map_key(const struct conf_call *call, struct value *ret)
{
    *ret = call->key;
    return 0;
}

static int map_value(const struct conf_call *call, struct value *ret)
{
    *ret = call->value;
    return 0;
}

static int map_null(const struct conf_call *call, struct value *ret)
{
    (void)call;
    *ret = (struct value){ 0 };
    return 0;
}

static int map_key_colon_value(const struct conf_call *call, struct value *ret)
{
    struct weir__buf buf = { 0 };

    conf_print(&buf, call->key);
    weir__buf_putc(&buf, ':');
    conf_print(&buf, call->value);
    return conf_give_buf(call->ctx, &buf, ret);
}

static int give_print(const struct conf_call *call, struct value value, struct value *ret)
{
    struct weir__buf buf = { 0 };

    conf_print(&buf, value);
    return conf_give_buf(call->ctx, &buf, ret);
}

static int map_to_text(const struct conf_call *call, struct value *ret) { return give_print(call, call->value, ret); }

static int map_key_text(const struct conf_call *call, struct value *ret) { return give_print(call, call->key, ret); }

/* UTF-8 in, UTF-8 out, a character for a character (main sets the locale). */
static void add_upper(struct weir__buf *buf, const char *data, size_t size)
{
    mbstate_t in = { 0 }, out = { 0 };
    char      bytes[MB_LEN_MAX];
    wchar_t   wide;

    for (size_t i = 0, used; i < size; i += used) {
        used = mbrtowc(&wide, data + i, size - i, &in);
        if (used == 0 || used > size - i) { /* a zero, or no character */
            used = 1;
            in = (mbstate_t){ 0 };
            weir__buf_putc(buf, data[i]);
        } else {
            weir__buf_add(buf, bytes, wcrtomb(bytes, (wchar_t)towupper((wint_t)wide), &out));
        }
    }
}

static int upper(const struct conf_call *call, struct value value, struct value *ret)
{
    struct weir__buf buf = { 0 };

    if (!value.at)
        return 0;
    if (value.codec != weir_string)
        return WEIR_BAD_TYPE;
    add_upper(&buf, conf_text(value).data, conf_text(value).size);
    return conf_give_buf(call->ctx, &buf, ret);
}

static int map_upper(const struct conf_call *call, struct value *ret) { return upper(call, call->value, ret); }

static int map_key_upper(const struct conf_call *call, struct value *ret) { return upper(call, call->key, ret); }

/* Bytes of the first character. */
static size_t first_size(struct weir_text text)
{
    size_t size = text.size ? 1 : 0;

    while (size && size < text.size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size++;
    return size;
}

static int first_char(const struct conf_call *call, struct value value, struct value *ret)
{
    if (!value.at)
        return 0;
    if (value.codec != weir_string)
        return WEIR_BAD_TYPE;
    return conf_give_text(call->ctx, conf_text(value).data, first_size(conf_text(value)), ret);
}

static int map_first_char(const struct conf_call *call, struct value *ret)
{
    return first_char(call, call->value, ret);
}

static int map_key_first_char(const struct conf_call *call, struct value *ret)
{
    return first_char(call, call->key, ret);
}

static int map_unwindow(const struct conf_call *call, struct value *ret)
{
    const struct weir_windowed *windowed = call->key.at;

    if (!windowed)
        return 0;
    if (!call->key.codec->inner)
        return WEIR_BAD_TYPE;
    *ret = (struct value){ call->key.codec->inner, windowed->key };
    return 0;
}

static int map_append(const struct conf_call *call, struct value *ret)
{
    struct weir_text text = conf_arg_text(call->args, 1);
    struct weir__buf buf = { 0 };

    conf_print(&buf, call->value);
    weir__buf_add(&buf, text.data, text.size);
    return conf_give_buf(call->ctx, &buf, ret);
}

static int map_prepend(const struct conf_call *call, struct value *ret)
{
    struct weir_text text = conf_arg_text(call->args, 1);
    struct weir__buf buf = { 0 };

    weir__buf_add(&buf, text.data, text.size);
    conf_print(&buf, call->value);
    return conf_give_buf(call->ctx, &buf, ret);
}

/* Where the argument is first found in the value; NULL = nowhere. */
static const char *find(const struct conf_call *call)
{
    struct weir_text part = conf_arg_text(call->args, 1), text = conf_text(call->value);

    return part.size ? memmem(text.data, text.size, part.data, part.size) : text.data;
}

static int map_before(const struct conf_call *call, struct value *ret)
{
    const char *at;

    if (call->value.codec != weir_string)
        return WEIR_BAD_TYPE;
    at = find(call);
    if (!at)
        return map_value(call, ret);
    return conf_give_text(call->ctx, conf_text(call->value).data, (size_t)(at - conf_text(call->value).data), ret);
}

static int after(const struct conf_call *call, struct value otherwise, struct value *ret)
{
    struct weir_text text;
    const char      *at;

    if (call->value.codec != weir_string)
        return WEIR_BAD_TYPE;
    text = conf_text(call->value);
    at = find(call);
    if (!at) {
        *ret = otherwise;
        return 0;
    }
    at += conf_arg_text(call->args, 1).size;
    return conf_give_text(call->ctx, at, text.size - (size_t)(at - text.data), ret);
}

static int map_after(const struct conf_call *call, struct value *ret) { return after(call, call->value, ret); }

static int map_after_or_null(const struct conf_call *call, struct value *ret)
{
    return after(call, (struct value){ 0 }, ret);
}

/* Whether the text of value is that of the n-th argument. */
static bool equals_arg(const struct conf_call *call, struct value value, size_t n)
{
    const json_t    *json = json_array_get(call->args, n);
    int64_t          number = json_integer_value(json);
    struct weir_text text = conf_arg_text(call->args, n);
    struct value     arg = { json_is_integer(json) ? weir_int64 : weir_string, &text };

    if (json_is_integer(json))
        arg.at = &number;
    return value.at && conf_same(value, arg);
}

static int map_null_if(const struct conf_call *call, struct value *ret)
{
    *ret = equals_arg(call, call->value, 1) ? (struct value){ 0 } : call->value;
    return 0;
}

static int map_to_long(const struct conf_call *call, struct value *ret)
{
    int64_t number;

    if (call->value.codec == weir_int64)
        return map_value(call, ret);
    if (call->value.codec != weir_string)
        return WEIR_BAD_TYPE;
    if (!conf_parse_long(conf_text(call->value), &number))
        return WEIR_VERB_FAILED;
    return conf_give_long(call->ctx, number, ret);
}

/* Characters as UTF-16 counts them. */
static int64_t length(struct weir_text text)
{
    int64_t count = 0;

    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        count += (byte & 0xc0) != 0x80;
        count += byte >= 0xf0;
    }
    return count;
}

static int map_length(const struct conf_call *call, struct value *ret)
{
    if (call->value.codec != weir_string)
        return WEIR_BAD_TYPE;
    return conf_give_long(call->ctx, length(conf_text(call->value)), ret);
}

/* The value as a long, and the first argument. */
static int numbers(const struct conf_call *call, uint64_t *ret_value, uint64_t *ret_arg)
{
    if (call->value.codec != weir_int64)
        return WEIR_BAD_TYPE;
    *ret_value = (uint64_t)conf_long(call->value);
    *ret_arg = (uint64_t)conf_arg_number(call->args, 1);
    return 0;
}

static int map_add(const struct conf_call *call, struct value *ret)
{
    uint64_t value, arg;
    int      err = numbers(call, &value, &arg);

    return err < 0 ? err : conf_give_long(call->ctx, (int64_t)(value + arg), ret);
}

static int map_negate(const struct conf_call *call, struct value *ret)
{
    uint64_t value, arg;
    int      err = numbers(call, &value, &arg);

    return err < 0 ? err : conf_give_long(call->ctx, (int64_t)(0 - value), ret);
}

static int map_mul(const struct conf_call *call, struct value *ret)
{
    uint64_t value, arg;
    int      err = numbers(call, &value, &arg);

    return err < 0 ? err : conf_give_long(call->ctx, (int64_t)(value * arg), ret);
}

static int map_mod(const struct conf_call *call, struct value *ret)
{
    uint64_t value, arg;
    int      err = numbers(call, &value, &arg);
    int64_t  rest;

    if (err < 0)
        return err;
    if ((int64_t)arg <= 0)
        return WEIR_VERB_FAILED;
    rest = (int64_t)value % (int64_t)arg;
    return conf_give_long(call->ctx, rest < 0 ? rest + (int64_t)arg : rest, ret);
}

static int map_to_double(const struct conf_call *call, struct value *ret)
{
    char            *end;
    struct weir_text text;
    double           number;

    if (call->value.codec == weir_double)
        return map_value(call, ret);
    if (call->value.codec == weir_int64)
        return conf_give_double(call->ctx, (double)conf_long(call->value), ret);
    if (call->value.codec != weir_string ||
        conf_give_text(call->ctx, conf_text(call->value).data, conf_text(call->value).size, ret) < 0)
        return WEIR_BAD_TYPE;
    text = conf_text(*ret);
    number = strtod(text.data, &end);
    if (text.size == 0 || *end)
        return WEIR_VERB_FAILED;
    return conf_give_double(call->ctx, number, ret);
}

const struct conf_known conf_mappers[] = {
    { "const", CONF_MAPPER, false, map_const, 1 },
    { "key", CONF_MAPPER, false, map_key, 0 },
    { "value", CONF_MAPPER, false, map_value, 0 },
    { "identity", CONF_MAPPER, false, map_value, 0 },
    { "key_colon_value", CONF_MAPPER, false, map_key_colon_value, 0 },
    { "to_text", CONF_MAPPER, false, map_to_text, 0 },
    { "key_text", CONF_MAPPER, false, map_key_text, 0 },
    { "key_upper", CONF_MAPPER, false, map_key_upper, 0 },
    { "key_first_char", CONF_MAPPER, false, map_key_first_char, 0 },
    { "unwindow", CONF_MAPPER, false, map_unwindow, 0 },
    { "null_key", CONF_MAPPER, false, map_null, 0 },
    { "upper", CONF_MAPPER, true, map_upper, 0 },
    { "append", CONF_MAPPER, true, map_append, 1 },
    { "prepend", CONF_MAPPER, true, map_prepend, 1 },
    { "before", CONF_MAPPER, true, map_before, 1 },
    { "after", CONF_MAPPER, true, map_after, 1 },
    { "after_or_null", CONF_MAPPER, true, map_after_or_null, 1 },
    { "first_char", CONF_MAPPER, true, map_first_char, 0 },
    { "null_if", CONF_MAPPER, true, map_null_if, 1 },
    { "to_long", CONF_MAPPER, true, map_to_long, 0 },
    { "length", CONF_MAPPER, true, map_length, 0 },
    { "to_string", CONF_MAPPER, true, map_to_text, 0 },
    { "add", CONF_MAPPER, true, map_add, 1 },
    { "negate", CONF_MAPPER, true, map_negate, 0 },
    { "mul", CONF_MAPPER, true, map_mul, 1 },
    { "mod", CONF_MAPPER, true, map_mod, 1 },
    { "to_double", CONF_MAPPER, true, map_to_double, 0 },
    { 0 },
};

static int test_true(const struct conf_call *call, struct value *ret)
{
    (void)call, (void)ret;
    return 1;
}

static int test_false(const struct conf_call *call, struct value *ret)
{
    (void)call, (void)ret;
    return 0;
}

static int test_value_null(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    return !call->value.at;
}

static int test_key_not_null(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    return call->key.at != NULL;
}

static int test_key_eq(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    return equals_arg(call, call->key, 1);
}

static int test_value_eq(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    return equals_arg(call, call->value, 1);
}

/* -1, 0, 1: the value against the first argument; 2 = no number. */
static int compare_number(const struct conf_call *call)
{
    double  real;
    int64_t arg = conf_arg_number(call->args, 1), number = 0;

    if (call->value.codec == weir_double) {
        real = *(const double *)call->value.at;
        return (real > (double)arg) - (real < (double)arg);
    }
    if (call->value.codec != weir_int64)
        return 2;
    number = conf_long(call->value);
    return (number > arg) - (number < arg);
}

static int test_value_gt(const struct conf_call *call, struct value *ret)
{
    int order = compare_number(call);

    (void)ret;
    return order == 2 ? WEIR_BAD_TYPE : order > 0;
}

static int test_value_lt(const struct conf_call *call, struct value *ret)
{
    int order = compare_number(call);

    (void)ret;
    return order == 2 ? WEIR_BAD_TYPE : order < 0;
}

static int test_value_even(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    return call->value.codec == weir_int64 ? conf_long(call->value) % 2 == 0 : WEIR_BAD_TYPE;
}

static int test_value_contains(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    return call->value.codec == weir_string ? find(call) != NULL : WEIR_BAD_TYPE;
}

static int test_value_longer(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    if (call->value.codec != weir_string)
        return WEIR_BAD_TYPE;
    return length(conf_text(call->value)) > conf_arg_number(call->args, 1);
}

const struct conf_known conf_predicates[] = {
    { "true", CONF_PREDICATE, false, test_true, 0 },
    { "false", CONF_PREDICATE, false, test_false, 0 },
    { "value_not_null", CONF_PREDICATE, true, test_true, 0 },
    { "value_null", CONF_PREDICATE, false, test_value_null, 0 },
    { "key_not_null", CONF_PREDICATE, false, test_key_not_null, 0 },
    { "key_eq", CONF_PREDICATE, false, test_key_eq, 1 },
    { "value_eq", CONF_PREDICATE, false, test_value_eq, 1 },
    { "value_gt", CONF_PREDICATE, true, test_value_gt, 1 },
    { "value_lt", CONF_PREDICATE, true, test_value_lt, 1 },
    { "value_even", CONF_PREDICATE, true, test_value_even, 0 },
    { "value_contains", CONF_PREDICATE, true, test_value_contains, 1 },
    { "value_longer", CONF_PREDICATE, true, test_value_longer, 1 },
    { 0 },
};
