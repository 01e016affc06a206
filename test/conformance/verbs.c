/* verbs.c: the verbs of a case's nodes: each calls the function that its node's .arg holds. */
#include "test/conformance/conformance.h"

/* Gives the result's memory when it is of the type the node declares. */
static int take(struct value value, const struct weir_codec *codec, const void **ret)
{
    if (value.at && codec && value.codec != codec)
        return WEIR_BAD_TYPE;
    *ret = value.at;
    return WEIR_OK;
}

static struct conf_call call_of(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return (struct conf_call){
        .ctx = ctx,
        .key = { verbs->key, rec->key },
        .value = { verbs->value, rec->value },
        .rec = rec,
    };
}

/* Calls a mapper on the record. */
static int map_with(struct weir_context *ctx, const struct weir_record *rec, const struct conf_function *fn,
                    const struct weir_codec *codec, const void **ret)
{
    struct conf_call call = call_of(ctx, rec);
    struct value     value;
    int              err = conf_function_call(fn, &call, &value);

    return err < 0 ? err : take(value, codec, ret);
}

int conf_test(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct conf_call         call = call_of(ctx, rec);
    struct value             ignored;

    return conf_function_call(&verbs->fn, &call, &ignored);
}

int conf_map_values(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return map_with(ctx, rec, &verbs->fn, verbs->out_value, &ret->value);
}

int conf_map(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    const void              *key, *value;
    int                      err = map_with(ctx, rec, &verbs->key_fn, verbs->out_key, &key);

    if (err < 0)
        return err;
    err = map_with(ctx, rec, &verbs->value_fn, verbs->out_value, &value);
    if (err < 0)
        return err;
    ret->key = key;
    ret->value = value;
    return WEIR_OK;
}

int conf_regroup(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret)
{
    return conf_map(ctx, rec, ret);
}

int conf_select(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return map_with(ctx, rec, &verbs->fn, verbs->out_key, ret_key);
}

int conf_select_key(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return map_with(ctx, rec, &verbs->key_fn, NULL, ret_key);
}

int conf_foreign(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return map_with(ctx, rec, &verbs->foreign, NULL, ret_key);
}

int conf_flat(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct conf_call         call = call_of(ctx, rec);
    struct value             ignored;

    return conf_function_call(&verbs->fn, &call, &ignored);
}

int conf_nothing(struct weir_context *ctx, const struct weir_record *rec)
{
    (void)ctx, (void)rec;
    return WEIR_OK;
}

int conf_begin(struct weir_context *ctx, void *ret)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    const void              *value;
    int                      err = conf_from_json(&verbs->c->arena, verbs->state, verbs->init, &value);

    if (err < 0)
        return err;
    if (!value)
        return WEIR_NOTHING;
    memcpy(ret, value, verbs->state->bytes);
    return WEIR_OK;
}

/* Calls a function of two values and keeps its result in state. */
static int fold_with(const struct conf_function *fn, struct conf_call *call, const struct weir_codec *codec,
                     void *state)
{
    const void  *at;
    struct value value;
    int          err = conf_function_call(fn, call, &value);

    if (err >= 0)
        err = take(value, codec, &at);
    if (err < 0)
        return err;
    if (!at)
        return WEIR_NOTHING;
    memmove(state, at, codec->bytes);
    return WEIR_OK;
}

static int fold(struct weir_context *ctx, const struct conf_function *fn, const struct weir_record *rec, void *state)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct conf_call         call = call_of(ctx, rec);

    call.other = (struct value){ verbs->state, weir_absent(ctx) ? NULL : state };
    return fold_with(fn, &call, verbs->state, state);
}

int conf_fold(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return fold(ctx, &verbs->fn, rec, state);
}

int conf_subtract(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return fold(ctx, &verbs->subtract, rec, state);
}

int conf_unite(struct weir_context *ctx, const void *key, const void *other, void *state)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct conf_call         call = {
                .ctx = ctx,
                .key = { verbs->key, key },
                .other = { verbs->state, state },
                .value = { verbs->state, other },
    };

    return fold_with(&verbs->merger, &call, verbs->state, state);
}

int conf_join(struct weir_context *ctx, const void *key, const void *left, const void *right, void *ret)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct conf_call         call = {
                .ctx = ctx,
                .key = { verbs->key, key },
                .other = { verbs->value, left },
                .value = { verbs->right, right },
    };

    return fold_with(&verbs->fn, &call, verbs->out_value, ret);
}

int conf_extract(struct weir_context *ctx, const struct weir_record *rec, int64_t *ret_ms)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    const struct weir_codec *key, *value;
    struct conf_call         call = { .ctx = ctx, .rec = rec };
    struct value             time;
    int                      err;

    if (rec->topic && conf_topic_types(verbs->c, rec->topic, &key, &value))
        call.value = (struct value){ value, rec->value };
    err = conf_function_call(&verbs->extractor, &call, &time);
    if (err < 0)
        return err;
    *ret_ms = conf_long(time);
    return WEIR_OK;
}

int conf_route(struct weir_context *ctx, const struct weir_record *rec, const char **ret_topic,
               int32_t *ret_partition)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    const void              *topic = NULL;
    struct value             text;
    int                      err = map_with(ctx, rec, &verbs->fn, weir_string, &topic);

    (void)ret_partition;
    if (err < 0)
        return err;
    if (!topic)
        return WEIR_BAD_ARGUMENT;
    text = (struct value){ weir_string, topic };
    err = conf_give_text(ctx, conf_text(text).data, conf_text(text).size, &text);
    if (err < 0)
        return err;
    *ret_topic = conf_text(text).data;
    return WEIR_OK;
}
