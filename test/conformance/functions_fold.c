/* functions_fold.c: functions of two values: joiners, reducers, aggregators, session mergers. */
#include "test/conformance/conformance.h"

static int concat(const struct conf_call *call, bool with_key, struct value *ret)
{
    struct weir_text text = conf_arg_text(call->args, 1);
    struct weir__buf buf = { 0 };

    if (with_key) {
        conf_print(&buf, call->key);
        weir__buf_putc(&buf, ':');
    }
    conf_print(&buf, call->other);
    weir__buf_add(&buf, text.data, text.size);
    conf_print(&buf, call->value);
    return conf_give_buf(call->ctx, &buf, ret);
}

static int fold_concat(const struct conf_call *call, struct value *ret) { return concat(call, false, ret); }

static int fold_key_concat(const struct conf_call *call, struct value *ret) { return concat(call, true, ret); }

static double real(struct value value)
{
    if (!value.at)
        return 0;
    return value.codec == weir_double ? *(const double *)value.at : (double)conf_long(value);
}

/* other + sign * value; null is 0. */
static int add(const struct conf_call *call, int sign, struct value *ret)
{
    bool doubles = conf_is(call->other, weir_double) || conf_is(call->value, weir_double);

    if (conf_is(call->other, weir_string) || conf_is(call->value, weir_string))
        return WEIR_BAD_TYPE;
    if (doubles)
        return conf_give_double(call->ctx, real(call->other) + sign * real(call->value), ret);
    return conf_give_long(
        call->ctx,
        (int64_t)((uint64_t)conf_long(call->other) + (uint64_t)(int64_t)sign * (uint64_t)conf_long(call->value)),
        ret);
}

static int fold_sum(const struct conf_call *call, struct value *ret) { return add(call, 1, ret); }

static int fold_sub(const struct conf_call *call, struct value *ret) { return add(call, -1, ret); }

static int fold_sum_null_at(const struct conf_call *call, struct value *ret)
{
    int err = add(call, 1, ret);

    if (err >= 0 && conf_is(*ret, weir_int64) && conf_long(*ret) == conf_arg_number(call->args, 1))
        *ret = (struct value){ 0 };
    return err;
}

static int order(struct value a, struct value b)
{
    if (a.codec == weir_string || a.codec == weir_blob)
        return weir__bytes_compare(BYTES(conf_text(a).data, conf_text(a).size),
                                   BYTES(conf_text(b).data, conf_text(b).size));
    if (a.codec == weir_double)
        return (real(a) > real(b)) - (real(a) < real(b));
    return (conf_long(a) > conf_long(b)) - (conf_long(a) < conf_long(b));
}

/* The one of the two on that side; null gives the other one. */
static int extreme(const struct conf_call *call, int side, struct value *ret)
{
    if (!call->other.at || !call->value.at)
        *ret = call->other.at ? call->other : call->value;
    else
        *ret = order(call->other, call->value) * side >= 0 ? call->other : call->value;
    return 0;
}

static int fold_min(const struct conf_call *call, struct value *ret) { return extreme(call, -1, ret); }

static int fold_max(const struct conf_call *call, struct value *ret) { return extreme(call, 1, ret); }

static int fold_other(const struct conf_call *call, struct value *ret)
{
    *ret = call->other;
    return 0;
}

static int fold_value(const struct conf_call *call, struct value *ret)
{
    *ret = call->value;
    return 0;
}

static int fold_null_on(const struct conf_call *call, struct value *ret)
{
    struct weir_text text = conf_arg_text(call->args, 1);
    struct weir__buf buf = { 0 };

    if (conf_same(call->value, (struct value){ weir_string, &text }))
        return 0;
    conf_print(&buf, call->other);
    weir__buf_putc(&buf, '+');
    conf_print(&buf, call->value);
    return conf_give_buf(call->ctx, &buf, ret);
}

static int fold_count(const struct conf_call *call, struct value *ret)
{
    return conf_give_long(call->ctx, (int64_t)((uint64_t)conf_long(call->other) + 1), ret);
}

static int fold_uncount(const struct conf_call *call, struct value *ret)
{
    return conf_give_long(call->ctx, (int64_t)((uint64_t)conf_long(call->other) - 1), ret);
}

#define ALL (CONF_JOINER | CONF_REDUCER | CONF_AGGREGATOR | CONF_MERGER)
const struct conf_known conf_folds[] = {
    { "concat", ALL, false, fold_concat, 1 },
    { "key_concat", CONF_JOINER, false, fold_key_concat, 1 },
    { "sum", ALL, false, fold_sum, 0 },
    { "left", CONF_JOINER, false, fold_other, 0 },
    { "right", CONF_JOINER, false, fold_value, 0 },
    { "sub", CONF_REDUCER | CONF_AGGREGATOR, false, fold_sub, 0 },
    { "min", CONF_REDUCER | CONF_AGGREGATOR | CONF_MERGER, false, fold_min, 0 },
    { "max", CONF_REDUCER | CONF_AGGREGATOR | CONF_MERGER, false, fold_max, 0 },
    { "last", CONF_REDUCER | CONF_AGGREGATOR, false, fold_value, 0 },
    { "first", CONF_REDUCER, false, fold_other, 0 },
    { "null_on", CONF_REDUCER, false, fold_null_on, 1 },
    { "sum_null_at", CONF_AGGREGATOR, false, fold_sum_null_at, 1 },
    { "count", CONF_AGGREGATOR, false, fold_count, 0 },
    { "uncount", CONF_AGGREGATOR, false, fold_uncount, 0 },
    { 0 },
};
