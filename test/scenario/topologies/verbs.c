/* verbs.c: verbs that several topologies of the stories share. */
#include "test/scenario/topologies/verbs.h"

#include <ctype.h>

int flow_is_long(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *text = rec->value;

    (void)ctx;
    if (flow_is(text, "bad"))
        return WEIR_VERB_FAILED;
    return text != NULL && text->size > 3;
}

int flow_upper(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret)
{
    const struct weir_text *in = rec->value;
    struct weir_text       *out;
    char                   *data;

    if (in == NULL)
        return WEIR_NOTHING;
    if (flow_is(in, "bad"))
        return WEIR_VERB_FAILED;
    out = weir_alloc(ctx, sizeof(*out));
    data = weir_alloc(ctx, in->size);
    if (out == NULL || data == NULL)
        return WEIR_LIMIT;
    for (size_t i = 0; i < in->size; i++)
        data[i] = (char)toupper((unsigned char)in->data[i]);
    *out = (struct weir_text){ .data = data, .size = in->size };
    ret->value = out;
    return WEIR_OK;
}

int flow_swap(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret)
{
    (void)ctx;
    ret->key = rec->value;
    ret->value = rec->key;
    return WEIR_OK;
}

int flow_words(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *in = rec->value;
    int                     err = WEIR_OK;

    for (size_t at = 0; err == WEIR_OK && in != NULL && at < in->size;) {
        const char      *end = memchr(in->data + at, ' ', in->size - at);
        struct weir_text word = { .data = in->data + at,
                                  .size = end != NULL ? (size_t)(end - in->data) - at : in->size - at };

        if (word.size > 0)
            err = weir_forward(ctx, rec->key, &word);
        at += word.size + 1;
    }
    return err;
}

int flow_by_value(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    (void)ctx;
    *ret_key = rec->value;
    return WEIR_OK;
}

int flow_by_letter(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    const struct weir_text *in = rec->value;
    struct weir_text       *key = weir_alloc(ctx, sizeof(*key));

    if (flow_is(in, "bad"))
        return WEIR_VERB_FAILED;
    if (in == NULL || in->size == 0)
        return WEIR_NOTHING;
    if (key == NULL)
        return WEIR_LIMIT;
    *key = (struct weir_text){ .data = in->data, .size = 1 };
    *ret_key = key;
    return WEIR_OK;
}

int flow_join_texts(struct weir_context *ctx, struct weir_text a, const char *between, struct weir_text b,
                    struct weir_text *ret)
{
    size_t middle = strlen(between);
    char  *data = weir_alloc(ctx, a.size + middle + b.size);

    if (data == NULL)
        return WEIR_LIMIT;
    if (a.size > 0)
        memcpy(data, a.data, a.size);
    memcpy(data + a.size, between, middle);
    if (b.size > 0)
        memcpy(data + a.size + middle, b.data, b.size);
    *ret = (struct weir_text){ .data = data, .size = a.size + middle + b.size };
    return WEIR_OK;
}

int flow_concat(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    const struct weir_text *in = rec->value;
    struct weir_text       *text = state;

    if (flow_is(in, "bad"))
        return WEIR_VERB_FAILED;
    if (in == NULL || flow_is(in, "gone"))
        return WEIR_NOTHING;
    return flow_join_texts(ctx, *text, weir_absent(ctx) ? "" : "+", *in, text);
}

int flow_add(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    const struct weir_text *in = rec->value;

    (void)ctx;
    if (flow_is(in, "bad"))
        return WEIR_VERB_FAILED;
    *(int64_t *)state += in != NULL ? (int64_t)in->size : 0;
    return WEIR_OK;
}

int flow_subtract(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    const struct weir_text *in = rec->value;

    (void)ctx;
    *(int64_t *)state -= in != NULL ? (int64_t)in->size : 0;
    return WEIR_OK;
}

int flow_pair(struct weir_context *ctx, const void *key, const void *left, const void *right, void *ret)
{
    static const struct weir_text none = { .data = "none", .size = 4 };

    (void)key;
    if (flow_is(left, "bad"))
        return WEIR_VERB_FAILED;
    return flow_join_texts(ctx, left != NULL ? *(const struct weir_text *)left : none, "/",
                           right != NULL ? *(const struct weir_text *)right : none, ret);
}
