/* others.c: bars of intervals that configuration asks for, besides those that are always folded.
 *
 * (1) They share one store, each with a time of its own per instrument, and one topic.
 * (2) A window is folded from the longest of the ladder's windows that fit into it, when it closes and when a tick or one of those
 *     windows changes it after that: the clock may have closed it before them.
 */
#include "schemas/derived.h"
#include "topologies/aggregation.h"

/* ---- what is asked for ---- */

static int bad(const char *item, size_t size, const char *what, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_BAD_CONFIG, "intervals", "\"%.*s\": %s", (int)MIN(size, 20), item, what);
}

static int add(struct market_intervals *to, const char *item, size_t size, struct weir_error *reterr)
{
    int64_t minutes = market_minutes_of((struct weir_text){ item, size });

    if (minutes == 0)
        return bad(item, size, "intervals are 1d, or so many minutes (15m) or hours (4h) that a day is made of them",
                   reterr);
    if (to->count == MARKET_OTHERS_MOST)
        return bad(item, size, "these are more intervals than there may be", reterr);
    to->others[to->count].width = MINUTES(minutes);
    snprintf(to->others[to->count].name, sizeof(to->others[0].name), "%.*s", (int)size, item);
    to->count++;
    return WEIR_OK;
}

static int read_item(const char *item, size_t size, const struct market_ladder *ladder, struct market_intervals *ret,
                     struct weir_error *reterr)
{
    for (size_t i = 0; i < ladder->count; i++)
        if (strlen(ladder->levels[i].interval) == size && memcmp(ladder->levels[i].interval, item, size) == 0) {
            ret->sent |= 1u << i;
            return WEIR_OK;
        }
    for (size_t i = 0; i < ret->count; i++)
        if (strlen(ret->others[i].name) == size && memcmp(ret->others[i].name, item, size) == 0)
            return WEIR_OK;
    return add(ret, item, size, reterr);
}

int market_intervals_read(const char *text, const struct market_ladder *ladder, struct market_intervals *ret,
                          struct weir_error *reterr)
{
    int err = WEIR_OK;

    *ret = (struct market_intervals){ 0 };
    while (err == WEIR_OK && *text != '\0') {
        size_t size;

        text += strspn(text, ", ");
        size = strcspn(text, ", ");
        err = size > 0 ? read_item(text, size, ladder, ret, reterr) : WEIR_OK;
        text += size;
    }
    return err;
}

/* ---- windows ---- */

static size_t child_of(const struct market_ladder *ladder, int64_t width)
{
    size_t child = 0;

    for (size_t i = 1; i < ladder->count && ladder->levels[i].width > 0; i++)
        if (ladder->levels[i].width < width && width % ladder->levels[i].width == 0)
            child = i;
    return child;
}

static struct market_wide key_of(const struct market_line *line, const struct market_other *other)
{
    return (struct market_wide){ .line = *line, .width = other->width };
}

static const char *name_of(const struct market_intervals *intervals, int64_t width)
{
    for (size_t i = 0; i < intervals->count; i++)
        if (intervals->others[i].width == width)
            return intervals->others[i].name;
    return NULL; /* it was asked for before */
}

/* The next revision, where the window says something else than before. */
static int say(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
               const struct market_wide *key, const struct weir_span *span, struct market_window *window)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    int64_t                        epoch = market_line_epoch(ctx, &key->line);
    const char                    *name = name_of(intervals, key->width);
    struct market_fold             fold;
    int err = market_ladder_fold(ctx, ladder, child_of(ladder, key->width), &key->line, span, &fold);

    if (err < 0 || fold.count == 0 || name == NULL ||
        (window->revision > 0 && window->epoch >= epoch && market_fold_same(&fold, &window->fold)))
        return err;
    window->fold = fold;
    window->revision = window->epoch < epoch ? 1 : window->revision + 1;
    window->epoch = MAX(window->epoch, epoch);
    err = weir_put_span(ctx, store, key, window, span);
    return err < 0 ? err : market_bar_send(ctx, ladder, ladder->others, name, &key->line, span, window);
}

static int change(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                  const struct market_wide *key, int64_t time)
{
    struct weir_span            span = { .start = time - time % key->width };
    const struct market_window *known;
    struct market_window        window = { .epoch = market_line_epoch(ctx, &key->line) };
    int                         standing, err;

    span.end = span.start + key->width;
    standing = weir_window_standing(ctx, store, key, span.end);
    if (standing < 0 || standing == WEIR_PAST)
        return MIN(standing, WEIR_OK);
    err = weir_get_window(ctx, store, key, span.start, (const void **)&known);
    if (err == WEIR_OK)
        window = *known;
    else if (err == WEIR_NOTFOUND && standing == WEIR_OPEN)
        err = weir_put_span(ctx, store, key, &window, &span);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    return standing == WEIR_CLOSED ? say(ctx, ladder, store, key, &span, &window) : WEIR_OK;
}

int market_others_changed(struct weir_context *ctx, const struct market_ladder *ladder,
                          const struct weir_store *store, const struct market_arrival *arrival)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    int                            err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < intervals->count; i++) {
        struct market_wide key = key_of(&arrival->line, &intervals->others[i]);

        err = change(ctx, ladder, store, &key, arrival->time);
    }
    return err;
}

int market_others_look(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                       const struct weir_row *row)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    int                            err = WEIR_OK;

    for (size_t i = 0; err >= 0 && i < intervals->count; i++) {
        struct market_wide key = key_of(row->key, &intervals->others[i]);

        if (key.width <= row->end - row->start)
            continue;
        err = weir_window_standing(ctx, store, &key, row->start - row->start % key.width + key.width);
        if (err == WEIR_CLOSED)
            err = change(ctx, ladder, store, &key, row->start);
    }
    return MIN(err, WEIR_OK);
}

int market_others_advance(struct weir_context *ctx, const struct weir_store *store,
                          const struct market_arrival *arrival)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    int                            err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < intervals->count; i++) {
        struct market_wide key = key_of(&arrival->line, &intervals->others[i]);

        err = weir_advance(ctx, store, &key, arrival->time);
    }
    return err;
}

int market_others_closed(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                         const struct weir_row *row)
{
    struct market_window window = *(const struct market_window *)row->value;
    struct weir_span     span = { .start = row->start, .end = row->end };

    return say(ctx, ladder, store, row->key, &span, &window);
}
