/* ladder.c: windows of one interval, folded into the next longer one.
 *
 * (1) A window's row has its fold from its ticks (the shortest) or, once it has closed, from its children.
 * (2) Revision 0 says that no bar was sent: its fold is not read, but made from below.
 * (3) Whoever changes or closes looks at those above: the clock may have closed them before.
 * (4) What is sent is of the line's present epoch, or of a later one: after a rebuild that keeps state, windows of an earlier
 *     epoch begin with revision 1 again when they are sent next.
 */
#include "topologies/aggregation.h"

struct weir_span market_span(struct weir_context *ctx, const struct market_level *level,
                             const struct market_tick *tick)
{
    int64_t time = tick->event_time / 1000, start;

    if (level->width == 0)
        return market_day_of(weir_state(ctx), tick->market, time);
    start = time - time % level->width;
    return (struct weir_span){ .start = start, .end = start + level->width };
}

int64_t market_line_epoch(struct weir_context *ctx, const struct market_line *line)
{
    return line->epoch == MARKET_LIVE ? market_first_epoch(weir_epoch(ctx)) : line->epoch;
}

int market_window_read(struct weir_context *ctx, const struct market_level *level, const struct market_line *line,
                       int64_t start, struct market_window *ret)
{
    const struct market_window *known;
    int                         err = weir_get_window(ctx, level->store, line, start, (const void **)&known);

    *ret = (struct market_window){ .epoch = market_line_epoch(ctx, line) };
    if (err == WEIR_NOTFOUND)
        return 0;
    if (err < 0)
        return err;
    *ret = *known;
    return 1;
}

static int put(struct weir_context *ctx, const struct market_level *level, const struct market_line *line,
               const struct weir_span *span, const struct market_window *window)
{
    if (level->width == 0)
        return weir_put_span(ctx, level->store, line, window, span);
    return weir_put_window(ctx, level->store, line, window, span->start);
}

int market_open_parents(struct weir_context *ctx, const struct market_ladder *ladder,
                        const struct market_arrival *arrival)
{
    int err = WEIR_OK;

    for (size_t i = 1; err >= 0 && i < ladder->count; i++) {
        const struct market_level *level = &ladder->levels[i];
        struct weir_span           span = market_span(ctx, level, arrival->tick);
        struct market_window       window;

        err = market_window_read(ctx, level, &arrival->line, span.start, &window);
        if (err == 0)
            err = put(ctx, level, &arrival->line, &span, &window);
    }
    return err;
}

/* ---- folding upwards ---- */

static int fold_children(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                         const struct market_line *line, const struct weir_span *span, struct market_fold *ret);

/* What a child's row stands for. */
static int fold_of(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                   const struct market_line *line, const struct weir_row *row, struct market_fold *ret)
{
    const struct market_window *window = row->value;
    const struct weir_span      span = { .start = row->start, .end = row->end };

    if (n > 0 && window->revision == 0)
        return fold_children(ctx, ladder, n, line, &span, ret);
    *ret = window->fold;
    return WEIR_OK;
}

/* The longest level below n whose windows fill the span: a day that begins at half past is not made of hours. */
static size_t child_of(const struct market_ladder *ladder, size_t n, const struct weir_span *span)
{
    size_t child = n - 1;

    while (child > 0 &&
           (span->start % ladder->levels[child].width != 0 || span->end % ladder->levels[child].width != 0))
        child--;
    return child;
}

static int fold_children(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                         const struct market_line *line, const struct weir_span *span, struct market_fold *ret)
{
    const size_t      child = child_of(ladder, n, span);
    struct weir_rows *rows;
    struct weir_row   row;
    int err = weir_fetch(ctx, ladder->levels[child].store, line, span->start, span->end - 1, WEIR_ASCENDING, &rows);

    *ret = (struct market_fold){ 0 };
    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK) {
        struct market_fold fold;

        err = fold_of(ctx, ladder, child, line, &row, &fold);
        if (err == WEIR_OK && fold.count > 0)
            err = market_weir_code(market_fold_merge(ret, &fold));
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_ladder_fold(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                       const struct market_line *line, const struct weir_span *span, struct market_fold *ret)
{
    return fold_children(ctx, ladder, n + 1, line, span, ret);
}

int market_windows_fold(struct weir_context *ctx, const struct weir_store *store, const struct market_line *line,
                        int64_t from, int64_t to, struct market_fold *ret)
{
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_fetch(ctx, store, line, MAX(from, 0), to - 1, WEIR_ASCENDING, &rows);

    *ret = (struct market_fold){ 0 };
    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK)
        err = market_weir_code(market_fold_merge(ret, &((const struct market_window *)row.value)->fold));
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* ---- sending ---- */

struct market_bar market_bar_of(const char *interval, const struct market_line *line, const struct weir_span *span,
                                const struct market_window *window)
{
    struct market_bar bar = { .tenant_id = line->key.tenant,
                              .instrument_id = line->key.instrument,
                              .interval = { interval, strlen(interval) },
                              .window_start = span->start * 1000,
                              .window_end = span->end * 1000,
                              .state = window->revision > 1 ? MARKET_BAR_CORRECTION : MARKET_BAR_FINAL,
                              .epoch = window->epoch,
                              .revision = window->revision };

    market_bar_fill(&bar, &window->fold);
    return bar;
}

int market_bar_send(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_node *to,
                    const char *interval, const struct market_line *line, const struct weir_span *span,
                    const struct market_window *window)
{
    struct market_bar  bar = market_bar_of(interval, line, span, window);
    struct weir_record rec = { .key = &line->key, .value = &bar, .timestamp = span->start };
    int                err = to != NULL ? weir_forward_to(ctx, to, &rec) : WEIR_OK;

    return err < 0 ? err : weir_forward_to(ctx, ladder->led, &rec);
}

/* A window that nobody asked bars of is folded for those above it, and for pairs and curves. */
static int send(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                const struct market_line *line, const struct weir_span *span, const struct market_window *window)
{
    const struct market_setup *setup = weir_state(ctx);
    const struct market_level *level = &ladder->levels[n];
    bool                       asked = market_intervals_of(&setup->intervals, line->key.instrument) >> n & 1;

    return market_bar_send(ctx, ladder, asked ? level->sink : NULL, level->interval, line, span, window);
}

/* The next revision of a window that has closed; the first where the epoch has risen. One that closes when its row is due to
 * leave is sent only. */
static int send_next(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                     const struct market_line *line, const struct weir_span *span, struct market_window *window)
{
    const struct market_level *level = &ladder->levels[n];
    int64_t                    epoch = market_line_epoch(ctx, line);
    int                        err = weir_window_standing(ctx, level->store, line, span->end);

    window->revision = window->epoch < epoch ? 1 : window->revision + 1;
    window->epoch = MAX(window->epoch, epoch);
    if (err >= 0 && err != WEIR_PAST)
        err = put(ctx, level, line, span, window);
    return err < 0 ? err : send(ctx, ladder, n, line, span, window);
}

/* Whether the last bar of a window says all that is to be said. */
static bool is_said(struct weir_context *ctx, const struct market_line *line, const struct market_window *window,
                    const struct market_fold *fold)
{
    return window->revision > 0 && window->epoch >= market_line_epoch(ctx, line) &&
           market_fold_same(fold, &window->fold);
}

/* Something inside a window that has closed has changed: it says so. */
static int correct_window(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                          const struct market_line *line, const struct weir_span *span, struct market_window *window)
{
    struct market_fold fold;
    int                err = fold_children(ctx, ladder, n, line, span, &fold);

    if (err < 0 || is_said(ctx, line, window, &fold))
        return err;
    window->fold = fold;
    return send_next(ctx, ladder, n, line, span, window);
}

/* The window that holds a time: it has a row since its first tick, unless it has left. *ret_open: it has not closed. */
static int correct_even(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                        const struct market_line *line, int64_t time, bool *ret_open)
{
    const struct market_level *level = &ladder->levels[n];
    struct weir_span           span = { .start = time - time % level->width };
    struct market_window       window;
    int                        err;

    span.end = span.start + level->width;
    err = weir_window_standing(ctx, level->store, line, span.end);
    *ret_open = err == WEIR_OPEN;
    if (err != WEIR_CLOSED)
        return err < 0 ? err : WEIR_OK;
    err = market_window_read(ctx, level, line, span.start, &window);
    return err == 1 ? correct_window(ctx, ladder, n, line, &span, &window) : err;
}

/* Days are found by their rows. Where two markets name one symbol, two of them hold a time. */
static int correct_days(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                        const struct market_line *line, int64_t time)
{
    const struct weir_store *store = ladder->levels[n].store;
    struct weir_rows        *rows;
    struct weir_row          row;
    int err = weir_fetch(ctx, store, line, MAX(time - HOURS(25) + 1, 0), time, WEIR_DESCENDING, &rows);

    while (err >= 0 && (err = weir_next(rows, &row)) == WEIR_OK) {
        struct market_window window = *(const struct market_window *)row.value;
        struct weir_span     span = { .start = row.start, .end = row.end };

        if (row.end > time && (err = weir_window_standing(ctx, store, line, span.end)) == WEIR_CLOSED)
            err = correct_window(ctx, ladder, n, line, &span, &window);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* Up to the first that is open: when that closes it looks at those above it. */
static int correct_above(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                         const struct market_line *line, int64_t time)
{
    bool open = false;
    int  err = WEIR_OK;

    while (err >= 0 && !open && ++n < ladder->count)
        err = ladder->levels[n].width > 0 ? correct_even(ctx, ladder, n, line, time, &open)
                                          : correct_days(ctx, ladder, n, line, time);
    return err;
}

int market_window_changed(struct weir_context *ctx, const struct market_ladder *ladder,
                          const struct market_arrival *arrival, struct market_window *window)
{
    const struct market_level *shortest = &ladder->levels[0];
    struct weir_span           span = market_span(ctx, shortest, arrival->tick);
    int                        err = weir_window_standing(ctx, shortest->store, &arrival->line, span.end);

    if (err == WEIR_OPEN)
        err = put(ctx, shortest, &arrival->line, &span, window);
    else if (err >= 0)
        err = send_next(ctx, ladder, 0, &arrival->line, &span, window);
    if (err < 0 || window->revision == 0) /* those above hear of it when it closes */
        return err;
    return correct_above(ctx, ladder, 0, &arrival->line, span.start);
}

int market_window_closed(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                         const struct weir_row *row)
{
    struct market_window window = *(const struct market_window *)row->value;
    struct weir_span     span = { .start = row->start, .end = row->end };
    size_t               n = 0;
    int                  err = WEIR_OK;

    while (ladder->levels[n].store != store)
        n++;
    if (n > 0)
        err = fold_children(ctx, ladder, n, row->key, &span, &window.fold);
    if (err < 0 || window.fold.count == 0)
        return err;
    err = send_next(ctx, ladder, n, row->key, &span, &window);
    return err < 0 ? err : correct_above(ctx, ladder, n, row->key, span.start);
}
