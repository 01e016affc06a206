/* functions_flat.c: flat functions of a case, which forward any number of records, and timestamp extractors. */
#define _GNU_SOURCE /* memmem */
#include "test/conformance/conformance.h"

static int flat_repeat(const struct conf_call *call, struct value *ret)
{
    int64_t times = conf_arg_number(call->args, 1);
    int     err = 0;

    (void)ret;
    for (int64_t i = 0; i < times && err >= 0; i++)
        err = weir_forward(call->ctx, call->key.at, call->value.at);
    return err;
}

/* Forwards one part: as the value, or as the key of the whole value. */
static int forward_part(const struct conf_call *call, const char *data, size_t size, bool as_key)
{
    struct value part;
    int          err;

    if (size == 0)
        return 0;
    err = conf_give_text(call->ctx, data, size, &part);
    if (err < 0)
        return err;
    return as_key ? weir_forward(call->ctx, part.at, call->value.at) : weir_forward(call->ctx, call->key.at, part.at);
}

static int cut(const struct conf_call *call, bool as_key)
{
    struct weir_text by = conf_arg_text(call->args, 1), text;
    const char      *at, *end;
    int              err = 0;

    if (call->value.codec != weir_string || by.size == 0)
        return WEIR_BAD_TYPE;
    text = conf_text(call->value);
    for (at = text.data; err >= 0; at = end + by.size) {
        size_t rest = text.size - (size_t)(at - text.data);

        end = memmem(at, rest, by.data, by.size);
        if (!end)
            return forward_part(call, at, rest, as_key);
        err = forward_part(call, at, (size_t)(end - at), as_key);
    }
    return err;
}

static int flat_split(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    return cut(call, false);
}

static int flat_words(const struct conf_call *call, struct value *ret)
{
    (void)ret;
    return cut(call, true);
}

static int flat_chars(const struct conf_call *call, struct value *ret)
{
    struct weir_text text;
    int              err = 0;

    (void)ret;
    if (call->value.codec != weir_string)
        return WEIR_BAD_TYPE;
    text = conf_text(call->value);
    for (size_t at = 0, end; at < text.size && err >= 0; at = end) {
        for (end = at + 1; end < text.size && ((unsigned char)text.data[end] & 0xc0) == 0x80;)
            end++;
        err = forward_part(call, text.data + at, end - at, false);
    }
    return err;
}

const struct conf_known conf_flats[] = {
    { "repeat", CONF_FLAT | CONF_FLAT_VALUES, false, flat_repeat, 1 },
    { "split", CONF_FLAT | CONF_FLAT_VALUES, true, flat_split, 1 },
    { "words", CONF_FLAT, true, flat_words, 1 },
    { "chars", CONF_FLAT_VALUES, true, flat_chars, 0 },
    { 0 },
};

/* What the record says; what a negative time means then. */
static int64_t time_of_value(const struct conf_call *call)
{
    struct weir_text text;
    const char      *at;
    int64_t          number;

    if (conf_is(call->value, weir_int64))
        return conf_long(call->value);
    if (!conf_is(call->value, weir_string))
        return -1;
    text = conf_text(call->value);
    at = text.size ? memchr(text.data, '@', text.size) : NULL;
    if (at)
        text = (struct weir_text){ at + 1, text.size - (size_t)(at + 1 - text.data) };
    return conf_parse_long(text, &number) ? number : -1;
}

static int give_time(const struct conf_call *call, int64_t time, bool partition_time, struct value *ret)
{
    if (time < 0 && partition_time) {
        time = weir_partition_time(call->ctx);
        if (time < 0)
            return WEIR_FATAL;
    }
    return conf_give_long(call->ctx, time, ret);
}

static int time_record(const struct conf_call *call, struct value *ret)
{
    return call->rec->timestamp < 0 ? WEIR_FATAL : give_time(call, call->rec->timestamp, false, ret);
}

static int time_skip(const struct conf_call *call, struct value *ret)
{
    return give_time(call, call->rec->timestamp, false, ret);
}

static int time_partition(const struct conf_call *call, struct value *ret)
{
    return give_time(call, call->rec->timestamp, true, ret);
}

static int time_value(const struct conf_call *call, struct value *ret)
{
    return give_time(call, time_of_value(call), false, ret);
}

static int time_value_partition(const struct conf_call *call, struct value *ret)
{
    return give_time(call, time_of_value(call), true, ret);
}

const struct conf_known conf_extractors[] = {
    { "record", CONF_EXTRACTOR, false, time_record, 0 },
    { "log_and_skip", CONF_EXTRACTOR, false, time_skip, 0 },
    { "use_partition_time", CONF_EXTRACTOR, false, time_partition, 0 },
    { "from_value", CONF_EXTRACTOR, false, time_value, 0 },
    { "from_value_skip", CONF_EXTRACTOR, false, time_value, 0 },
    { "from_value_partition_time", CONF_EXTRACTOR, false, time_value_partition, 0 },
    { 0 },
};
