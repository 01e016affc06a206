/* aggregation.c: enriched ticks become bars of one minute, five minutes, an hour and a market's day.
 *
 * (1) A tick is its tick id. Of several contents one counts, by a fixed order, whatever order they come in.
 * (2) The minute of a tick decides once whether it is accepted: the minute's end + 48 h > the instrument's own time.
 * (3) A longer bar is folded from its stored children: when it closes, and when a child that has closed changes.
 * (4) A backfill's tick is accepted whatever its age. Windows that are there go on; others begin anew on a line of the
 *     backfill's own, with a time of its own, under the instrument's next epoch. The live time does not move. What load brings
 *     too late is of a backfill too.
 * (5) So the last bar of each window is a function of the set of accepted ticks, and of nothing else.
 */
#include "topologies/aggregation.h"

/* clang-format off */

/* where ticks come from, what can still change, and where bars go */
SOURCE (ticks,    "enriched.market.ticks.v1", market_key, market_enriched);
KEYS   (ticks_s,  market_row_key, market_content);   /* of markets that correct: a window's ticks */
KEYS   (recent_s, market_line,    weir_blob);        /* of the others: the last ticks of an instrument */
KEYS   (epochs_s, market_key,     market_backfilled);
/* Rows stay as long as the day they are of, which is 25 h long at most, and 48 h more: so a day's windows are all there, or
 * all gone. */
#define TAKEN    HOURS(48)
#define KEPT     (TAKEN + HOURS(26))
#define BY_KEY(kept) .fixed = true, .time = WEIR_PER_KEY, .idle = MINUTES(5), .retention = kept
WINDOWS(minute_s, market_line, market_window, TUMBLING(MINUTES(1), MINUTES(5), BY_KEY(KEPT)));
WINDOWS(five_s,   market_line, market_window, TUMBLING(MINUTES(5), MINUTES(5), BY_KEY(KEPT)));
WINDOWS(hour_s,   market_line, market_window, TUMBLING(HOURS(1),   MINUTES(5), BY_KEY(KEPT)));
WINDOWS(day_s,    market_line, market_window, CALENDAR(market_days, HOURS(25), MINUTES(5), BY_KEY(TAKEN)));
SINK   (bars_1m,  "aggregated.market.bars.1m.v1", market_key, market_bar);
SINK   (bars_5m,  "aggregated.market.bars.5m.v1", market_key, market_bar);
SINK   (bars_1h,  "aggregated.market.bars.1h.v1", market_key, market_bar);
SINK   (bars_1d,  "aggregated.market.bars.1d.v1", market_key, market_bar);
SINK   (rejects,  "processing.deadletter.aggregation.v1", weir_blob, weir_blob);

/* what happens on the way */
static weir_process take;
static weir_open    begin;
static weir_final   close_window;
static int          check_days(const char *text, struct weir_error *reterr);
STEP(bars, take, .open = begin, .final = close_window, .state = sizeof(struct market_days), .key = market_key, .value = market_bar,
     .options = OPTIONS({ "days", WEIR_OPTION_TEXT, "", check_days }),
     .uses = STORES(ticks_s, recent_s, epochs_s, minute_s, five_s, hour_s, day_s));

TOPOLOGY(aggregation, .dead_letters = rejects, .tenant = market_tenant_of_key, .port = 8082, .settings = market_settings,
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

static int check_days(const char *text, struct weir_error *reterr)
{
    struct market_days days;

    return market_days_read(text, &days, reterr);
}

static int sweep(struct weir_context *ctx, int64_t time)
{
    (void)time;
    return market_ledger_sweep(ctx, &ledger, minute_s);
}

static int begin(struct weir_context *ctx)
{
    int64_t handle = weir_schedule(ctx, DAYS(1), WEIR_WALL_TIME, sweep);

    return handle < 0 ? (int)handle : market_days_read(weir_option_text(ctx, "days"), weir_state(ctx), NULL);
}

/* Whether a window of a level has left the line. 1, 0 or a code. */
static int has_left(struct weir_context *ctx, const struct market_arrival *arrival, const struct market_level *level)
{
    struct weir_span span = market_span(ctx, level, arrival->tick);
    int              standing = weir_window_standing(ctx, level->store, &arrival->line, span.end);

    return standing < 0 ? standing : standing == WEIR_PAST;
}

/* The epoch of the tick's backfill: the instrument's next one with the first tick of each. */
static int give_epoch(struct weir_context *ctx, struct market_arrival *arrival)
{
    const struct market_backfilled *known;
    struct market_backfilled        last = { .epoch = arrival->epoch };
    int                             err = weir_get(ctx, epochs_s, &arrival->line.key, (const void **)&known);

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK && known->epoch >= arrival->epoch) /* else it is of an earlier rebuild */
        last = *known;
    arrival->epoch = last.epoch;
    if (arrival->backfill == last.number)
        return WEIR_OK;
    if (market_is_first_epoch(last.epoch + 1))
        return WEIR_OVERFLOW;
    last = (struct market_backfilled){ .number = arrival->backfill, .epoch = last.epoch + 1 };
    arrival->epoch = last.epoch;
    return weir_put(ctx, epochs_s, &arrival->line.key, &last);
}

/* A tick of a backfill goes to the live line while that has the tick's day, and else to the backfill's own. */
static int choose_line(struct weir_context *ctx, struct market_arrival *arrival)
{
    int left = has_left(ctx, arrival, &levels[ladder.count - 1]), err = WEIR_OK;

    if (left == 0)
        left = has_left(ctx, arrival, &levels[0]);
    if (left == 1 || (left == 0 && !arrival->corrects && !arrival->replayed))
        err = give_epoch(ctx, arrival);
    if (left == 1)
        arrival->line.epoch = arrival->epoch;
    return left < 0 ? left : err;
}

/* A backfill's tick on the live line: it is taken whatever its age, and does not move the time. */
static bool fills_live(const struct market_arrival *arrival)
{
    return arrival->backfill > 0 && arrival->line.epoch == MARKET_LIVE;
}

/* Whether the line takes no more of the minute. 1, 0 or a code. */
static int is_late(struct weir_context *ctx, const struct market_arrival *arrival, const struct weir_span *span)
{
    int64_t time = weir_key_time(ctx, minute_s, &arrival->line);
    int     left = has_left(ctx, arrival, &levels[0]);

    if (left < 0 || (time < 0 && time != WEIR_NOTFOUND))
        return left < 0 ? left : (int)time;
    return left == 1 || (time != WEIR_NOTFOUND && span->end + TAKEN <= time);
}

/* 1 = the tick is taken; 0 = refused. What load brings too late is a backfill. */
static int accept(struct weir_context *ctx, struct market_arrival *arrival, const struct weir_span *span)
{
    int late = arrival->backfill == 0 ? is_late(ctx, arrival, span) : 0, err = WEIR_OK;

    if (late == 1)
        arrival->backfill = arrival->load;
    if (late >= 0 && arrival->backfill > 0) {
        err = choose_line(ctx, arrival);
        late = err < 0 ? err : fills_live(arrival) ? 0 : is_late(ctx, arrival, span);
    }
    if (late <= 0)
        return late < 0 ? late : 1;
    if (arrival->replayed) {
        weir_drop(ctx, "replayed");
        return 0;
    }
    return weir_refuse(ctx, "too_late", "the tick's minute ended 48 h or more before the instrument's own time");
}

/* A backfill has come to a window that is a fold of ticks nobody knows any more: only its own count from now on. */
static void begin_anew(struct weir_context *ctx, const struct market_arrival *arrival, struct market_window *window)
{
    for (int64_t i = 0; i < window->fold.count; i++)
        weir_drop(ctx, "superseded");
    *window = (struct market_window){ .epoch = arrival->epoch };
}

/* A tick that counts has come: its minute is folded anew, and what has closed is corrected. */
static int fold_in(struct weir_context *ctx, const struct market_arrival *arrival, const struct weir_span *span)
{
    struct market_window window;
    int                  err = market_window_read(ctx, &levels[0], &arrival->line, span->start, &window);

    if (!arrival->corrects && arrival->backfill > 0 && arrival->epoch > window.epoch)
        begin_anew(ctx, arrival, &window);
    if (err == 0)
        err = market_open_parents(ctx, &ladder, arrival);
    if (err >= 0)
        err = market_ledger_fold(ctx, &ledger, arrival, span, &window.fold);
    return err < 0 ? err : market_window_changed(ctx, &ladder, arrival, &window);
}

/* A tick that is known already has come to a window of an earlier epoch: it is said again, where there are rows folded anew. */
static int renew(struct weir_context *ctx, struct market_arrival *arrival, const struct weir_span *span)
{
    struct market_window window;
    int                  err = market_window_read(ctx, &levels[0], &arrival->line, span->start, &window);

    if (err <= 0 || window.epoch >= market_line_epoch(ctx, &arrival->line))
        return err < 0 ? err : WEIR_OK;
    window.epoch = market_line_epoch(ctx, &arrival->line);
    window.revision = 0;
    arrival->replaces = true;
    err = arrival->corrects ? market_ledger_fold(ctx, &ledger, arrival, span, &window.fold) : WEIR_OK;
    return err < 0 ? err : market_window_changed(ctx, &ladder, arrival, &window);
}

/* Longest interval first: after a gap longer than rows are kept, its windows are still there for those above. */
static int advance(struct weir_context *ctx, const struct market_arrival *arrival)
{
    int64_t before = weir_key_time(ctx, minute_s, &arrival->line);
    int     err = WEIR_OK;

    if (before < 0 && before != WEIR_NOTFOUND)
        return (int)before;
    for (size_t i = ARRAY_SIZE(levels); err == WEIR_OK && i-- > 0;)
        err = weir_advance(ctx, levels[i].store, &arrival->line, arrival->time);
    if (err == WEIR_OK && before >= 0 && arrival->corrects && arrival->time / MINUTES(1) > before / MINUTES(1))
        err = market_ledger_forget(ctx, &ledger, &arrival->line, arrival->time - KEPT - MINUTES(1));
    return err;
}

static int take_counting(struct weir_context *ctx, struct market_arrival *arrival)
{
    struct weir_span span = market_span(ctx, &levels[0], arrival->tick);
    int              err = accept(ctx, arrival, &span);

    if (err <= 0)
        return err;
    err = market_ledger_enter(ctx, &ledger, arrival);
    if (err <= 0) /* a duplicate, superseded or refused */
        return err < 0 ? err : renew(ctx, arrival, &span);
    err = fold_in(ctx, arrival, &span);
    return err < 0 || fills_live(arrival) ? err : advance(ctx, arrival);
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
    arrival = market_arrival_of(rec, &enriched->tick, market_first_epoch(weir_epoch(ctx)));
    arrival.replayed = weir_replayed(ctx);
    return take_counting(ctx, &arrival);
}

static int close_window(struct weir_context *ctx, const struct weir_store *store, const struct weir_row *row)
{
    return market_window_closed(ctx, &ladder, store, row);
}
