/* early.c: bars of windows that have not closed yet, at a set rate.
 *
 * (1) What has changed is remembered in memory alone: a window that is forgotten by a crash is told with its next tick, or when it
 *     closes.
 * (2) Such a bar has the state `open` and revision 0, so that any other of its window and epoch goes before it. Nothing that is kept
 *     changes by it.
 */
#include "topologies/aggregation.h"

#define BYTES_MOST ((size_t)4 << 20) /* of one look; the rest waits for the next */

struct market_early_window {
    STAILQ_ENTRY(market_early_window) place;
    struct weir_span                  span;
    size_t                            level; /* of the ladder; from its count on: of the other intervals */
    size_t                            line_size;
    struct weir_bytes                 key; /* the line, the level, the start */
    char                              bytes[];
};

/* ---- what has changed ---- */

static struct market_early_window *window_new(struct weir_bytes line, size_t level, const struct weir_span *span)
{
    size_t                      size = line.size + 1 + sizeof(span->start);
    struct market_early_window *window = weir__alloc(sizeof(*window) + size);

    if (window == NULL)
        return NULL;
    *window = (struct market_early_window){ .span = *span, .level = level, .line_size = line.size };
    memcpy(window->bytes, line.data, line.size);
    window->bytes[line.size] = (char)level;
    memcpy(window->bytes + line.size + 1, &span->start, sizeof(span->start));
    window->key = BYTES(window->bytes, size);
    return window;
}

static int note(struct market_early *early, struct weir_bytes line, size_t level, const struct weir_span *span)
{
    struct market_early_window *window = window_new(line, level, span);

    if (window == NULL)
        return WEIR_NO_MEMORY;
    if (weir__map_get(&early->windows, window->key) != NULL) {
        weir__free(window);
        return WEIR_OK;
    }
    if (weir__map_put(&early->windows, window->key, window) < 0) {
        weir__free(window);
        return WEIR_NO_MEMORY;
    }
    STAILQ_INSERT_TAIL(&early->in_order, window, place);
    return WEIR_OK;
}

int market_early_changed(struct weir_context *ctx, const struct market_ladder *ladder, struct market_early *early,
                         const struct market_arrival *arrival)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    const unsigned                 sent = market_intervals_of(intervals, arrival->line.key.instrument);
    struct weir_bytes              line;
    int err = market_line->encode(market_line, weir_record_arena(ctx), &arrival->line, &line);

    for (size_t i = 0; err == WEIR_OK && i < ladder->count; i++) {
        struct weir_span span = market_span(ctx, &ladder->levels[i], arrival->tick);

        if (sent >> i & 1)
            err = note(early, line, i, &span);
    }
    for (size_t i = 0; err == WEIR_OK && i < intervals->count; i++) {
        int64_t          width = intervals->others[i].width, start = arrival->time - arrival->time % width;
        struct weir_span span = { .start = start, .end = start + width };

        if (sent >> (ladder->count + i) & 1)
            err = note(early, line, ladder->count + i, &span);
    }
    return err;
}

static void forget_first(struct market_early *early)
{
    struct market_early_window *window = STAILQ_FIRST(&early->in_order);

    STAILQ_REMOVE_HEAD(&early->in_order, place);
    (void)weir__map_remove(&early->windows, window->key);
    weir__free(window);
}

void market_early_begin(struct market_early *early)
{
    *early = (struct market_early){ 0 };
    STAILQ_INIT(&early->in_order);
}

void market_early_end(struct market_early *early)
{
    while (early->in_order.stqh_last != NULL && !STAILQ_EMPTY(&early->in_order))
        forget_first(early);
    weir__map_fini(&early->windows);
}

/* ---- telling ---- */

static int standing_of(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *others,
                       const struct market_early_window *window, const struct market_line *line)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    struct market_wide             wide = { .line = *line };

    if (window->level < ladder->count)
        return weir_window_standing(ctx, ladder->levels[window->level].store, line, window->span.end);
    wide.width = intervals->others[window->level - ladder->count].width;
    return weir_window_standing(ctx, others, &wide, window->span.end);
}

/* As the window would close now. */
static int fold_now(struct weir_context *ctx, const struct market_ladder *ladder,
                    const struct market_early_window *window, const struct market_line *line, struct market_fold *ret)
{
    struct market_window row;
    int                  err;

    if (window->level > 0)
        return market_ladder_fold(ctx, ladder, MIN(window->level, ladder->count - 1) - 1, line, &window->span, ret);
    err = market_window_read(ctx, &ladder->levels[0], line, window->span.start, &row);
    *ret = row.fold;
    return MIN(err, WEIR_OK);
}

static int tell(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *others,
                const struct market_early_window *window)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    bool                           usual = window->level < ladder->count;
    struct market_line             line;
    struct market_window           now = { 0 };
    struct market_bar              bar;
    struct weir_record             rec = { .key = &line.key, .value = &bar, .timestamp = window->span.start };
    int                            err =
        market_line->decode(market_line, weir_record_arena(ctx), BYTES(window->bytes, window->line_size), &line);

    if (err == WEIR_OK)
        err = standing_of(ctx, ladder, others, window, &line);
    if (err != WEIR_OPEN)
        return MIN(err, WEIR_OK);
    err = fold_now(ctx, ladder, window, &line, &now.fold);
    if (err < 0 || now.fold.count == 0)
        return err;
    now.epoch = market_line_epoch(ctx, &line);
    bar = market_bar_of(usual ? ladder->levels[window->level].interval
                              : intervals->others[window->level - ladder->count].name,
                        &line, &window->span, &now);
    bar.state = MARKET_BAR_OPEN;
    return weir_forward_to(ctx, usual ? ladder->levels[window->level].sink : ladder->others, &rec);
}

int market_early_tell(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *others,
                      struct market_early *early)
{
    int err = WEIR_OK;

    while (err == WEIR_OK && !STAILQ_EMPTY(&early->in_order) && weir_record_arena(ctx)->used < BYTES_MOST) {
        err = tell(ctx, ladder, others, STAILQ_FIRST(&early->in_order));
        forget_first(early);
    }
    return err;
}
