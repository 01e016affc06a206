/* aggregation.c: enriched ticks become bars of one minute, five minutes, an hour and a market's day.
 *
 * (1) A tick is its tick id. Of several contents one counts, by a fixed order, whatever order they come in.
 * (2) The minute of a tick decides once whether it is accepted: the minute's end + 48 h > the instrument's own time.
 * (3) A longer bar is folded from its stored children: when it closes, and when a child that has closed changes.
 * (4) So the last bar of each window is a function of the set of accepted ticks, and of nothing else.
 */
#include "topologies/aggregation.h"

/* clang-format off */

/* where ticks come from, what can still change, and where bars go */
SOURCE (ticks,    "enriched.market.ticks.v1", market_key, market_enriched);
KEYS   (ticks_s,  market_row_key, market_content);   /* of markets that correct: a window's ticks */
KEYS   (recent_s, market_key,     weir_blob);        /* of the others: the last ticks of an instrument */
/* Rows stay as long as a longer window may be folded from them: 48 h after that one's end. */
#define BY_KEY(kept) .time = WEIR_PER_KEY, .idle = MINUTES(5), .retention = kept
WINDOWS(minute_s, market_key, market_window, TUMBLING(MINUTES(1), MINUTES(5), BY_KEY(HOURS(48) + MINUTES(5))));
WINDOWS(five_s,   market_key, market_window, TUMBLING(MINUTES(5), MINUTES(5), BY_KEY(HOURS(49))));
WINDOWS(hour_s,   market_key, market_window, TUMBLING(HOURS(1),   MINUTES(5), BY_KEY(HOURS(73))));
WINDOWS(day_s,    market_key, market_window, CALENDAR(market_days, HOURS(25), MINUTES(5), BY_KEY(HOURS(48))));
SINK   (bars_1m,  "aggregated.market.bars.1m.v1", market_key, market_bar);
SINK   (bars_5m,  "aggregated.market.bars.5m.v1", market_key, market_bar);
SINK   (bars_1h,  "aggregated.market.bars.1h.v1", market_key, market_bar);
SINK   (bars_1d,  "aggregated.market.bars.1d.v1", market_key, market_bar);
SINK   (rejects,  "processing.deadletter.aggregation.v1", weir_blob, weir_blob);

/* what happens on the way */
static weir_process take;
static weir_open    begin;
static weir_final   close_window;
STEP(bars, take, .open = begin, .final = close_window, .key = market_key, .value = market_bar,
     .uses = STORES(ticks_s, recent_s, minute_s, five_s, hour_s, day_s));

TOPOLOGY(aggregation, .dead_letters = rejects, .tenant = market_tenant_of_key, .port = 8082,
    .paths = PATHS(
        PATH(ticks, bars, bars_1m),
        PATH(       bars, bars_5m),
        PATH(       bars, bars_1h),
        PATH(       bars, bars_1d)));

static const struct market_level levels[] = {
    { "1m", minute_s, bars_1m, MINUTES(1) },
    { "5m", five_s,   bars_5m, MINUTES(5) },
    { "1h", hour_s,   bars_1h, HOURS(1) },
    { "1d", day_s,    bars_1d, 0 },
};

/* clang-format on */

static const struct market_ladder ladder = { .levels = levels, .count = ARRAY_SIZE(levels) };
static const struct market_ledger ledger = { .ticks = ticks_s, .recent = recent_s };

/* How much longer minutes stay than a tick of them is taken. */
#define FOR_PARENT MINUTES(5)

static int sweep(struct weir_context *ctx, int64_t time)
{
    (void)time;
    return market_ledger_sweep(ctx, &ledger, minute_s);
}

static int begin(struct weir_context *ctx)
{
    int64_t handle = weir_schedule(ctx, DAYS(1), WEIR_WALL_TIME, sweep);

    return handle < 0 ? (int)handle : market_days_check();
}

/* 1 = the tick is taken; 0 = refused. */
static int accept(struct weir_context *ctx, const struct market_arrival *arrival, const struct weir_span *span)
{
    int standing = weir_window_standing(ctx, minute_s, arrival->key, span->end - FOR_PARENT);

    if (standing != WEIR_PAST)
        return standing < 0 ? standing : 1;
    return weir_refuse(ctx, "too_late", "the tick's minute ended 48 h or more before the instrument's own time");
}

/* A tick that counts has come: its minute is folded anew, and what has closed is corrected. */
static int fold_in(struct weir_context *ctx, const struct market_arrival *arrival, const struct weir_span *span)
{
    struct market_window window;
    int                  err = market_window_read(ctx, &levels[0], arrival->key, span->start, &window);

    if (err == 0)
        err = market_open_parents(ctx, &ladder, arrival);
    if (err >= 0)
        err = market_ledger_fold(ctx, &ledger, arrival, span, &window.fold);
    return err < 0 ? err : market_window_changed(ctx, &ladder, arrival, &window);
}

/* Longest interval first: after a gap longer than rows are kept, its windows are still there for those above. */
static int advance(struct weir_context *ctx, const struct market_arrival *arrival)
{
    int64_t before = weir_key_time(ctx, minute_s, arrival->key);
    int     err = WEIR_OK;

    if (before < 0 && before != WEIR_NOTFOUND)
        return (int)before;
    for (size_t i = ARRAY_SIZE(levels); err == WEIR_OK && i-- > 0;)
        err = weir_advance(ctx, levels[i].store, arrival->key, arrival->time);
    if (err == WEIR_OK && before >= 0 && arrival->corrects && arrival->time / MINUTES(1) > before / MINUTES(1))
        err = market_ledger_forget(ctx, &ledger, arrival->key, arrival->time - HOURS(48) - 2 * MINUTES(1));
    return err;
}

static int take_counting(struct weir_context *ctx, struct market_arrival *arrival)
{
    struct weir_span span = market_span(&levels[0], arrival->tick);
    int              err = accept(ctx, arrival, &span);

    if (err <= 0)
        return err;
    err = market_ledger_enter(ctx, &ledger, arrival);
    if (err <= 0) /* a duplicate, superseded or refused */
        return err;
    err = fold_in(ctx, arrival, &span);
    return err < 0 ? err : advance(ctx, arrival);
}

static int take(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_enriched *enriched = rec->value;
    struct market_arrival         arrival;

    if (rec->key == NULL || enriched == NULL)
        return market_reject_null(ctx, rec);
    if (!market_in_bars(&enriched->tick)) {
        weir_drop(ctx, enriched->tick.kind == MARKET_KIND_QUOTE ? "quote" : "fallback");
        return WEIR_OK;
    }
    if (enriched->tick.event_time < 0)
        return weir_reject(ctx, WEIR_BAD_TIME, "the tick's time is before 1970");
    arrival = market_arrival_of(rec->key, &enriched->tick);
    return take_counting(ctx, &arrival);
}

static int close_window(struct weir_context *ctx, const struct weir_store *store, const struct weir_row *row)
{
    return market_window_closed(ctx, &ladder, store, row);
}
