/* keyed_calls.c: what verbs ask of window stores by key time, and the refusal of what comes too late. */
#include "framework/task/internal.h"

int weir__keyed_refuse(struct weir__live *live, const char *format, ...)
{
    struct weir__task *task = live->task;
    char               text[256];
    va_list            args;
    int                err;

    if (task->config.plan->dead_letters == NULL || task->config.on_failure == WEIR__CONTINUE)
        return WEIR_OK;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    err = weir__dead_letter(task, live->node->name, WEIR_TOO_LATE, weir_code_name(WEIR_TOO_LATE), text);
    if (err < 0)
        weir__fail_here(live, err, "%s", weir_code_text(err));
    return err;
}

/* A store by key time and a key's bytes; negative, with words. */
static int keyed_key(struct weir_context *ctx, const struct weir_store *store, const void *key,
                     struct weir__keyed **ret, struct weir_bytes *ret_key)
{
    struct weir__binding *binding = weir__used(ctx, store, true);

    if (binding == NULL)
        return weir__not_used(ctx, store);
    if (binding->keyed == NULL)
        return weir__fail_here(ctx->live, WEIR_BAD_ARGUMENT,
                               "store \"%s\" takes time per partition: give its windows .time = WEIR_PER_KEY",
                               store->name);
    if (key == NULL)
        return weir__fail_here(ctx->live, WEIR_NULL_GIVEN, "store \"%s\" was asked about a null key", store->name);
    *ret = binding->keyed;
    return weir__encode(binding->plan->key, &ctx->task->record, key, ret_key);
}

/* Only records touch a key: what a closing puts must not keep it. */
static void touch(struct weir_context *ctx, struct weir__key_head *head)
{
    if (ctx->task->current != NULL || head->touched == WEIR__UNKNOWN)
        head->touched = weir_wall_time(ctx);
}

int weir_advance(struct weir_context *ctx, const struct weir_store *store, const void *key, int64_t time)
{
    struct weir__keyed   *keyed;
    struct weir_bytes     bytes;
    struct weir__key_head head, before;
    int                   err = keyed_key(ctx, store, key, &keyed, &bytes);

    if (err == WEIR_OK && time < 0)
        err = weir__fail_here(ctx->live, WEIR_BAD_TIME, "store \"%s\" was advanced to the negative time %lld",
                              store->name, (long long)time);
    if (err == WEIR_OK)
        err = weir__keyed_head(keyed, bytes, &head);
    if (err < 0)
        return err;
    before = head;
    head.time = MAX(head.time, time);
    touch(ctx, &head);
    err = weir__keyed_save(keyed, bytes, &before, &head);
    return err < 0 ? err : weir__keyed_look(keyed, bytes, head);
}

static int read_head(struct weir_context *ctx, const struct weir_store *store, const void *key,
                     struct weir__keyed **ret_keyed, struct weir__key_head *ret)
{
    struct weir_bytes bytes;
    int               err = keyed_key(ctx, store, key, ret_keyed, &bytes);

    return err < 0 ? err : weir__keyed_head(*ret_keyed, bytes, ret);
}

int64_t weir_key_time(struct weir_context *ctx, const struct weir_store *store, const void *key)
{
    struct weir__keyed   *keyed;
    struct weir__key_head head;
    int                   err = read_head(ctx, store, key, &keyed, &head);

    if (err < 0)
        return err;
    return head.time != WEIR__UNKNOWN ? head.time : WEIR_NOTFOUND;
}

int weir_window_standing(struct weir_context *ctx, const struct weir_store *store, const void *key, int64_t end)
{
    struct weir__keyed   *keyed;
    struct weir__key_head head;
    int                   err = read_head(ctx, store, key, &keyed, &head);

    return err < 0 ? err : (int)weir__keyed_standing(keyed, &head, end);
}

/* The end that the row has, or is to get: as given, or start + size where all windows are of one length. */
static int find_end(struct weir__binding *binding, struct weir_bytes key, struct weir_windowed *window)
{
    struct weir__value value;
    int                err;

    if (!binding->spec->ends) {
        window->end = weir__time_add(window->start, binding->spec->window_size);
        return WEIR_OK;
    }
    err = weir__store_get_window(binding->store, key, window->start, &value);
    if (err == WEIR_OK)
        window->end = value.end;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int weir__keyed_put_row(struct weir_context *ctx, struct weir__binding *binding, const void *value,
                        struct weir_windowed *window)
{
    struct weir__keyed   *keyed;
    struct weir_bytes     key;
    struct weir__key_head head, before;
    int                   err = keyed_key(ctx, binding->plan->spec, window->key, &keyed, &key);

    if (err == WEIR_OK)
        err = find_end(binding, key, window);
    if (err == WEIR_OK)
        err = weir__keyed_head(keyed, key, &head);
    if (err < 0)
        return err;
    if (weir__keyed_standing(keyed, &head, window->end) == WEIR_PAST) {
        weir__drop_record(ctx->task, "past retention");
        return WEIR_OK;
    }
    err = weir__store_value(binding, window, value, ctx->event->rec.timestamp, &ctx->event->rec);
    if (err < 0)
        return err;
    before = head;
    weir__keyed_put(keyed, &head, window->end);
    touch(ctx, &head);
    return weir__keyed_save(keyed, key, &before, &head);
}

int weir_put_span(struct weir_context *ctx, const struct weir_store *store, const void *key, const void *value,
                  const struct weir_span *span)
{
    struct weir__binding *binding = weir__used(ctx, store, true);
    struct weir_windowed  window = { .key = key, .start = span->start, .end = span->end };

    if (binding == NULL)
        return weir__not_used(ctx, store);
    if (binding->keyed == NULL || !binding->spec->ends)
        return weir__fail_here(ctx->live, WEIR_BAD_ARGUMENT,
                               "all windows of store \"%s\" are of one length: use weir_put_window", store->name);
    if (span->start < 0 || span->end <= span->start || span->end - span->start > binding->keyed->longest)
        return weir__fail_here(
            ctx->live, WEIR_BAD_ARGUMENT,
            "the window [%lld, %lld) of store \"%s\" must begin at 0 or later and be at most %lld ms long",
            (long long)span->start, (long long)span->end, store->name, (long long)binding->keyed->longest);
    return weir__keyed_put_row(ctx, binding, value, &window);
}
