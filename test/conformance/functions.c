/* functions.c: finding the functions of a case, and the help that all of them lean on. */
#include "test/conformance/conformance.h"

static const struct conf_known *const tables[] = { conf_mappers, conf_predicates, conf_flats, conf_folds,
                                                   conf_extractors };

static const char *function_name(const json_t *json)
{
    return json_is_array(json) ? json_string_value(json_array_get(json, 0)) : json_string_value(json);
}

bool conf_function_find(enum conf_family family, const json_t *json, struct conf_function *ret)
{
    const char *name = function_name(json);
    size_t      count = json_is_array(json) ? json_array_size(json) - 1 : 0;

    for (size_t i = 0; name && i < ARRAY_SIZE(tables); i++) {
        for (const struct conf_known *known = tables[i]; known->name; known++) {
            if (!(known->families & family) || strcmp(known->name, name) != 0 || count < known->args)
                continue;
            *ret = (struct conf_function){ known, json };
            return true;
        }
    }
    return false;
}

int conf_function_call(const struct conf_function *fn, struct conf_call *call, struct value *ret)
{
    *ret = (struct value){ 0 };
    if (!fn->known)
        return WEIR_FATAL;
    if (fn->known->needs_value && !call->value.at)
        return 0;
    call->args = fn->args;
    return fn->known->apply(call, ret);
}

struct weir_text conf_arg_text(const json_t *args, size_t n)
{
    const json_t *json = json_array_get(args, n);

    return (struct weir_text){ json_string_value(json), json_string_length(json) };
}

int64_t conf_arg_number(const json_t *args, size_t n) { return json_integer_value(json_array_get(args, n)); }

int conf_give_text(struct weir_context *ctx, const char *data, size_t size, struct value *ret)
{
    struct weir_text *text = weir_alloc(ctx, sizeof(*text) + size + 1);
    char             *to = (char *)(text + 1);

    if (!text)
        return WEIR_LIMIT;
    if (size)
        memcpy(to, data, size);
    to[size] = '\0';
    *text = (struct weir_text){ to, size };
    *ret = (struct value){ weir_string, text };
    return 0;
}

int conf_give_buf(struct weir_context *ctx, struct weir__buf *buf, struct value *ret)
{
    int err = weir__buf_ok(buf) ? conf_give_text(ctx, buf->data, buf->size, ret) : WEIR_NO_MEMORY;

    weir__buf_fini(buf);
    return err;
}

int conf_give_long(struct weir_context *ctx, int64_t number, struct value *ret)
{
    int64_t *at = weir_alloc(ctx, sizeof(*at));

    if (!at)
        return WEIR_LIMIT;
    *at = number;
    *ret = (struct value){ weir_int64, at };
    return 0;
}

int conf_give_double(struct weir_context *ctx, double number, struct value *ret)
{
    double *at = weir_alloc(ctx, sizeof(*at));

    if (!at)
        return WEIR_LIMIT;
    *at = number;
    *ret = (struct value){ weir_double, at };
    return 0;
}

bool conf_is(struct value value, const struct weir_codec *codec) { return value.at && value.codec == codec; }

struct weir_text conf_text(struct value value) { return *(const struct weir_text *)value.at; }

int64_t conf_long(struct value value) { return value.at ? *(const int64_t *)value.at : 0; }

bool conf_parse_long(struct weir_text text, int64_t *ret)
{
    bool     minus = text.size && text.data[0] == '-';
    size_t   i = minus || (text.size && text.data[0] == '+');
    uint64_t number = 0, most = (uint64_t)INT64_MAX + minus;

    if (i == text.size)
        return false;
    for (; i < text.size; i++) {
        unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';

        if (digit > 9 || number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret = (int64_t)(minus ? 0 - number : number);
    return true;
}

bool conf_same(struct value a, struct value b)
{
    struct weir__buf left = { 0 }, right = { 0 };
    bool             same;

    if (!a.at || !b.at)
        return !a.at && !b.at;
    conf_print(&left, a);
    conf_print(&right, b);
    same = weir__bytes_equal(BYTES(left.data, left.size), BYTES(right.data, right.size));
    weir__buf_fini(&left);
    weir__buf_fini(&right);
    return same;
}
