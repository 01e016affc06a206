/* aggregation.c: enriched ticks become bars of one minute, five minutes, an hour and a market's day; rolling statistics, bid-ask
 * spreads; and bars become spreads of pairs and forward curves.
 *
 * (1) A tick is its tick id. Of several contents one counts, by a fixed order, whatever order they come in.
 * (2) The minute of a tick decides once whether it is accepted: the minute's end + 48 h, or what configuration says, > the
 *     instrument's own time.
 * (3) A longer bar is folded from its stored children: when it closes, and when a child that has closed changes.
 * (4) A backfill's tick is accepted whatever its age. Windows that are there go on; others begin anew on a line of the
 *     backfill's own, with a time of its own, under the instrument's next epoch. The live time does not move. What load brings
 *     too late is of a backfill too.
 * (5) So the last bar of each window is a function of the set of accepted ticks, and of nothing else.
 */
#include <stdlib.h>

#include "topologies/aggregation.h"
#include "topologies/members.h"

/* clang-format off */

/* where ticks come from, what can still change, and where bars go */
SOURCE (ticks,    "enriched.market.ticks.v1", market_key, market_enriched);
/* Of what every tick writes only the last one is logged, when a commit is due. */
#define OFTEN .cache = WEIR_ON
KEYS   (ticks_s,  market_row_key, market_content);   /* of markets that correct: a window's ticks */
KEYS   (recent_s, market_line,    weir_blob, OFTEN);      /* of the others: the last ticks of an instrument */
KEYS   (epochs_s, market_key,     market_backfilled);
/* Rows stay as long as the day they are of, which is 25 h long at most, and 48 h more: so a day's windows are all there, or
 * all gone. */
#define TAKEN    HOURS(48)
#define KEPT     (TAKEN + HOURS(26))
#define BY_KEY(kept) .fixed = true, .time = WEIR_PER_KEY, .idle = MINUTES(5), .retention = kept
WINDOWS(minute_s, market_line, market_window, TUMBLING(MINUTES(1), MINUTES(5), BY_KEY(KEPT)), OFTEN);
WINDOWS(five_s,   market_line, market_window, TUMBLING(MINUTES(5), MINUTES(5), BY_KEY(KEPT)));
WINDOWS(hour_s,   market_line, market_window, TUMBLING(HOURS(1),   MINUTES(5), BY_KEY(KEPT)));
WINDOWS(day_s,    market_line, market_window, CALENDAR(market_days, HOURS(25), MINUTES(5), BY_KEY(TAKEN)));
WINDOWS(rolling_s, market_line, market_window, HOPPING(MINUTES(5), MINUTES(1), MINUTES(5), BY_KEY(KEPT)));
WINDOWS(other_s,  market_wide, market_window, CALENDAR(market_days, HOURS(12), MINUTES(5), BY_KEY(TAKEN))); /* of other intervals */
KEYS   (drops_s,  market_key, market_dropped);
KEYS   (last_s,   market_key, weir_blob);            /* the last ticks of an instrument, for statistics */
WINDOWS(quotes_s, market_key, market_quote, TUMBLING(MINUTES(1), MINUTES(5), BY_KEY(TAKEN)), OFTEN);
SINK   (bars_1m,  "aggregated.market.bars.1m.v1", market_key, market_bar);
SINK   (bars_5m,  "aggregated.market.bars.5m.v1", market_key, market_bar);
SINK   (bars_1h,  "aggregated.market.bars.1h.v1", market_key, market_bar);
SINK   (bars_1d,  "aggregated.market.bars.1d.v1", market_key, market_bar);
SINK   (bars_other, "aggregated.market.bars.other.v1", market_key, market_bar);
SINK   (stats,    "aggregated.market.stats.v1",   market_key, market_stats);
SINK   (spreads,  "aggregated.market.spreads.v1", market_key, market_spread);
SINK   (bid_asks, "aggregated.market.spreads.v1", market_key, market_spread); /* of its own: it is of the ticks' task */
SINK   (updates,  "pricing.curve.updates.v1",     market_key, market_curve_update);
SINK   (rejects,  "processing.deadletter.aggregation.v1", weir_blob, weir_blob);

/* which bars meet: definitions, and the windows of each */
KEYS   (pairs_s,  market_key, market_defined);
KEYS   (curves_s, market_key, market_defined);
GLOBAL (pairs,  "reference.pairs.v1",  pairs_s,  .key = market_key, .value = market_pair,  .process = market_define,
        .arg = ARG(struct market_defining, .store = pairs_s));
GLOBAL (curves, "reference.curves.v1", curves_s, .key = market_key, .value = market_curve, .process = market_define,
        .arg = ARG(struct market_defining, .store = curves_s, .curves = true));
/* A window closes when the definition's bars have gone so far beyond it, or one minute of quiet by the clock. */
#define MEETING(late) \
    CALENDAR(market_days, HOURS(25), late, .fixed = true, .time = WEIR_PER_KEY, .idle = MINUTES(1), .retention = DAYS(2))
#define MEETINGS(name)                                                    \
    KEYS   (name##_bars_s,  market_member_key, market_member_bar);        \
    KEYS   (name##_told_s,  market_member_key, market_told);              \
    KEYS   (name##_drops_s, market_key, market_dropped);                  \
    WINDOWS(name##_opens_s, market_key, weir_int64, MEETING(MINUTES(5))); \
    WINDOWS(name##_after_s, market_key, weir_int64, MEETING(0))
MEETINGS(pair);
MEETINGS(curve);

/* what happens on the way */
static weir_process take, lead, meet;
static weir_open    begin, begin_meeting;
static weir_close   end;
static weir_flush   say_lately;
static weir_final   close_window, close_meeting;
static int          check_days(const char *text, struct weir_error *reterr),
                    check_intervals(const char *text, struct weir_error *reterr), check_least(const char *text, struct weir_error *reterr),
                    check_accepts(const char *text, struct weir_error *reterr);
static const struct market_board pair_board, curve_board;
STEP(bars, take, .open = begin, .close = end, .flush = say_lately, .final = close_window, .state = sizeof(struct market_setup), .key = market_key, .value = market_bar,
     .looks_up = NODES(pairs, curves),
     .uses = STORES(ticks_s, recent_s, epochs_s, minute_s, five_s, hour_s, day_s, other_s, rolling_s, last_s, quotes_s, drops_s),
     .options = OPTIONS({ "days", WEIR_OPTION_TEXT, "", check_days },
                        { "intervals", WEIR_OPTION_TEXT, "1m,5m,1h,1d", check_intervals },
                        { "early", WEIR_OPTION_DURATION, "0", NULL },
                        { "accepts", WEIR_OPTION_TEXT, "48h", check_accepts },
                        { "rolling_least", WEIR_OPTION_TEXT, "2", check_least }));
/* what bars sends besides bars: each has a node that says its type */
STEP(rolled, market_pass, .key = market_key, .value = market_stats);
STEP(quoted, market_pass, .key = market_key, .value = market_spread);
STEP(led, lead, .looks_up = NODES(pairs, curves), .key = market_key, .value = market_bar_msgpack);
REPARTITION(by_definition);
STEP(spread, meet, .open = begin_meeting, .final = close_meeting, .arg = &pair_board, .looks_up = NODES(pairs),
     .key = market_key, .value = market_spread, .uses = STORES(pair_bars_s, pair_told_s, pair_opens_s, pair_after_s, pair_drops_s));
STEP(curve, meet, .open = begin_meeting, .final = close_meeting, .arg = &curve_board, .looks_up = NODES(curves),
     .key = market_key, .value = market_curve_update,
     .uses = STORES(curve_bars_s, curve_told_s, curve_opens_s, curve_after_s, curve_drops_s));

TOPOLOGY(aggregation, .dead_letters = rejects, .tenant = market_tenant_of_key, .port = 8082, .settings = market_settings,
    .paths = PATHS(
        PATH(pairs),
        PATH(curves),
        PATH(ticks, bars, bars_1m),
        PATH(       bars, bars_5m),
        PATH(       bars, bars_1h),
        PATH(       bars, bars_1d),
        PATH(       bars, bars_other),
        PATH(       bars, rolled, stats),
        PATH(       bars, quoted, bid_asks),
        PATH(       bars, led, by_definition, spread, spreads),
        PATH(                  by_definition, curve,  updates)));

static const struct market_level levels[] = {
    { "1m", minute_s, bars_1m, MINUTES(1) },
    { "5m", five_s,   bars_5m, MINUTES(5) },
    { "1h", hour_s,   bars_1h, HOURS(1) },
    { "1d", day_s,    bars_1d, 0 },
};

/* clang-format on */

static const struct market_ladder ladder = {
    .levels = levels, .count = ARRAY_SIZE(levels), .led = led, .others = bars_other
};
static const struct market_ledger  ledger = { .ticks = ticks_s, .recent = recent_s, .drops = drops_s };
static const struct market_rolling rolling = { .last = last_s,
                                               .minutes = minute_s,
                                               .hops = rolling_s,
                                               .node = rolled,
                                               .width = MINUTES(5),
                                               .step = MINUTES(1),
                                               .window = "5m" };
static const struct market_quoting quoting = { .minutes = quotes_s, .drops = drops_s, .node = quoted };

static market_tell               tell_spread, tell_curve;
static const struct market_board pair_board = { .global = pairs,
                                                .bars = pair_bars_s,
                                                .told = pair_told_s,
                                                .drops = pair_drops_s,
                                                .opens = pair_opens_s,
                                                .after = pair_after_s,
                                                .codec = market_spread,
                                                .make = market_make_spread,
                                                .tell = tell_spread };
static const struct market_board curve_board = { .global = curves,
                                                 .curves = true,
                                                 .bars = curve_bars_s,
                                                 .told = curve_told_s,
                                                 .drops = curve_drops_s,
                                                 .opens = curve_opens_s,
                                                 .after = curve_after_s,
                                                 .codec = market_curve_update,
                                                 .make = market_make_curve,
                                                 .tell = tell_curve };

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

static int tell_early(struct weir_context *ctx, int64_t time)
{
    struct market_setup *setup = weir_state(ctx);

    (void)time;
    return market_early_tell(ctx, &ladder, other_s, &setup->early);
}

static int begin(struct weir_context *ctx)
{
    struct market_setup *setup = weir_state(ctx);
    int64_t              handle = weir_schedule(ctx, DAYS(1), WEIR_WALL_TIME, sweep);
    int                  err = (int)MIN(handle, 0);

    market_early_begin(&setup->early);
    setup->unmet = (struct market_unmet){ .pairs = pairs, .curves = curves };
    if (err == WEIR_OK && weir_option(ctx, "early") > 0)
        err = (int)MIN(weir_schedule(ctx, weir_option(ctx, "early"), WEIR_WALL_TIME, tell_early), 0);
    if (err == WEIR_OK)
        err = weir__parse_duration(weir_option_text(ctx, "accepts"), &setup->accepts);
    if (err == WEIR_OK)
        err = market_intervals_read(weir_option_text(ctx, "intervals"), &ladder, &setup->intervals, NULL);
    return err < 0 ? err : market_days_read(weir_option_text(ctx, "days"), &setup->days, NULL);
}

static struct market_lately *lately_of(struct weir_context *ctx)
{
    struct market_setup *setup = weir_state(ctx);

    return &setup->lately;
}

static int end(struct weir_context *ctx)
{
    struct market_setup *setup = weir_state(ctx);

    market_early_end(&setup->early);
    market_rolling_forget(&setup->lately);
    return WEIR_OK;
}

static int say_lately(struct weir_context *ctx)
{
    struct market_setup *setup = weir_state(ctx);
    int                  err = market_unmet_look(ctx, &setup->unmet, &ladder, &setup->intervals);

    return err < 0 ? err : market_rolling_flush(ctx, &rolling, &setup->lately);
}

static int check_intervals(const char *text, struct weir_error *reterr)
{
    struct market_intervals intervals;

    return market_intervals_read(text, &ladder, &intervals, reterr);
}

static int check_least(const char *text, struct weir_error *reterr)
{
    int64_t number = strtoll(text, NULL, 10);

    return number >= 1 && number <= 1000000
               ? WEIR_OK
               : weir__fail(reterr, WEIR_BAD_CONFIG, "rolling_least", "a number from 1 on is expected");
}

static int check_accepts(const char *text, struct weir_error *reterr)
{
    int64_t ms;

    return weir__parse_duration(text, &ms) == WEIR_OK && ms >= 0 && ms <= TAKEN
               ? WEIR_OK
               : weir__fail(reterr, WEIR_BAD_CONFIG, "accepts", "a duration up to 48h is expected");
}

static int64_t rolling_least(struct weir_context *ctx)
{
    return strtoll(weir_option_text(ctx, "rolling_least"), NULL, 10);
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
    const struct market_setup *setup = weir_state(ctx);
    int64_t                    time = weir_key_time(ctx, minute_s, &arrival->line);
    int                        left = has_left(ctx, arrival, &levels[0]);

    if (left < 0 || (time < 0 && time != WEIR_NOTFOUND))
        return left < 0 ? left : (int)time;
    return left == 1 || (time != WEIR_NOTFOUND && span->end + setup->accepts <= time);
}

static int refuse_late(struct weir_context *ctx)
{
    char text[120];

    snprintf(text, sizeof(text), "the tick's minute ended %s or more before the instrument's own time",
             weir_option_text(ctx, "accepts"));
    return weir_refuse(ctx, "too_late", text);
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
    if (arrival->replayed)
        return market_drop(ctx, drops_s, &arrival->line.key, "replayed", arrival->tick->event_time);
    return refuse_late(ctx);
}

/* A backfill has come to a window that is a fold of ticks nobody knows any more: only its own count from now on. */
static int begin_anew(struct weir_context *ctx, const struct market_arrival *arrival, struct market_window *window)
{
    int err = market_drop_many(ctx, drops_s, &arrival->line.key, "superseded", arrival->tick->event_time,
                               window->fold.count);

    *window = (struct market_window){ .epoch = arrival->epoch };
    return err;
}

/* The minute has another fold: it is kept, and what has closed says so. */
static int change(struct weir_context *ctx, const struct market_arrival *arrival, const struct weir_span *span,
                  struct market_window *window)
{
    int64_t count = window->fold.count;
    int     err = market_window_changed(ctx, &ladder, arrival, window);

    if (err >= 0)
        err = market_others_changed(ctx, &ladder, other_s, arrival);
    if (err >= 0 && weir_option(ctx, "early") > 0)
        err = market_early_changed(ctx, &ladder, &((struct market_setup *)weir_state(ctx))->early, arrival);
    return err < 0 ? err
                   : market_rolling_changed(ctx, &rolling, &arrival->line, span->start, count, rolling_least(ctx));
}

/* A tick that counts has come: its minute is folded anew, and what has closed is corrected. */
static int fold_in(struct weir_context *ctx, const struct market_arrival *arrival, const struct weir_span *span)
{
    struct market_window window;
    int                  err = market_window_read(ctx, &levels[0], &arrival->line, span->start, &window);

    if (err >= 0 && !arrival->corrects && arrival->backfill > 0 && arrival->epoch > window.epoch) {
        int begun = begin_anew(ctx, arrival, &window);

        err = begun < 0 ? begun : err;
    }
    if (err == 0)
        err = market_open_parents(ctx, &ladder, arrival);
    if (err >= 0)
        err = market_ledger_fold(ctx, &ledger, arrival, span, &window.fold);
    return err < 0 ? err : change(ctx, arrival, span, &window);
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
    return err < 0 ? err : change(ctx, arrival, span, &window);
}

/* Longest interval first: after a gap longer than rows are kept, its windows are still there for those above. */
static int advance(struct weir_context *ctx, const struct market_arrival *arrival)
{
    int64_t before = weir_key_time(ctx, minute_s, &arrival->line);
    int     err = WEIR_OK;

    if (before < 0 && before != WEIR_NOTFOUND)
        return (int)before;
    err = weir_advance(ctx, rolling_s, &arrival->line, arrival->time);
    if (err == WEIR_OK)
        err = market_others_advance(ctx, other_s, arrival);
    for (size_t i = ARRAY_SIZE(levels); err == WEIR_OK && i-- > 0;)
        err = weir_advance(ctx, levels[i].store, &arrival->line, arrival->time);
    if (err == WEIR_OK && before >= 0 && arrival->corrects && arrival->time / MINUTES(1) > before / MINUTES(1))
        err = market_ledger_forget(ctx, &ledger, &arrival->line, arrival->time - KEPT - MINUTES(1));
    return err;
}

/* Where the tick's minute has closed before it, nothing else will say so. */
static int say_if_closed(struct weir_context *ctx, const struct market_arrival *arrival, const struct weir_span *span)
{
    int standing = weir_window_standing(ctx, minute_s, &arrival->line, span->end);

    if (standing <= WEIR_OPEN)
        return standing;
    return market_rolling_due(ctx, &rolling, lately_of(ctx), &arrival->line.key);
}

/* Of a live tick that comes when its minute has closed: what is said is said again. */
static int note_late(struct weir_context *ctx, const struct market_arrival *arrival, const struct weir_span *span)
{
    int standing =
        arrival->backfill == 0 ? weir_window_standing(ctx, minute_s, &arrival->line, span->end) : WEIR_OPEN;

    if (standing == WEIR_CLOSED)
        weir_note(ctx, "late");
    return MIN(standing, WEIR_OK);
}

static int take_counting(struct weir_context *ctx, struct market_arrival *arrival)
{
    struct weir_span span = market_span(ctx, &levels[0], arrival->tick);
    int              err = accept(ctx, arrival, &span);

    if (err <= 0)
        return err;
    err = market_ledger_enter(ctx, &ledger, arrival);
    if (err == 0) { /* a duplicate, superseded or refused */
        err = renew(ctx, arrival, &span);
        return err < 0 ? err : say_if_closed(ctx, arrival, &span);
    }
    if (err >= 0)
        err = note_late(ctx, arrival, &span);
    if (err >= 0)
        err = fold_in(ctx, arrival, &span);
    if (err >= 0)
        err = market_rolling_enter(ctx, &rolling, lately_of(ctx), arrival);
    if (err >= 0 && !fills_live(arrival))
        err = advance(ctx, arrival);
    return err < 0 ? err : say_if_closed(ctx, arrival, &span);
}

static int take(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_enriched *enriched = rec->value;
    struct market_arrival         arrival;
    int                           err;

    if (rec->key == NULL || enriched == NULL)
        return market_reject_null(ctx, rec);
    if (enriched->tick.event_time < 0)
        return weir_reject(ctx, WEIR_BAD_TIME, "the tick's time is before 1970");
    err = market_quote_take(ctx, &quoting, rec->key, &enriched->tick);
    if (err < 0)
        return err;
    if (!market_in_bars(&enriched->tick))
        return market_drop(ctx, drops_s, rec->key, enriched->tick.kind == MARKET_KIND_QUOTE ? "quote" : "fallback",
                           enriched->tick.event_time);
    arrival = market_arrival_of(rec, &enriched->tick, market_first_epoch(weir_epoch(ctx)));
    arrival.replayed = weir_replayed(ctx);
    return take_counting(ctx, &arrival);
}

static int close_window(struct weir_context *ctx, const struct weir_store *store, const struct weir_row *row)
{
    const struct market_line *line = row->key;
    int                       err;

    if (store == quotes_s)
        return market_quote_closed(ctx, &quoting, row);
    if (store == other_s)
        return market_others_closed(ctx, &ladder, store, row);
    if (store == rolling_s)
        return market_rolling_closed(ctx, &rolling, row, rolling_least(ctx));
    err = market_window_closed(ctx, &ladder, store, row);
    if (err >= 0)
        err = market_others_look(ctx, &ladder, other_s, row);
    return err < 0 || store != minute_s ? err : market_rolling_due(ctx, &rolling, lately_of(ctx), &line->key);
}

/* ---- pairs and curves ---- */

/* To each definition of one table that the bar's instrument is a member of, under its id. */
static int lead_to(struct weir_context *ctx, const struct weir_node *global, bool curves_of,
                   const struct weir_record *rec)
{
    const struct market_key     *key = rec->key;
    const struct market_bar     *bar = rec->value;
    const struct market_defined *row;
    int                          err = weir_lookup(ctx, global, key, (const void **)&row);

    for (size_t i = 0; err == WEIR_OK && i < row->used_by.count; i++) {
        struct market_key     id = { key->tenant, row->used_by.texts[i] };
        struct weir_record    to = *rec;
        struct market_meeting meeting;

        to.key = &id;
        err = market_meeting_of(ctx, global, curves_of, &id, &meeting);
        if (err == WEIR_OK && market_text_same(meeting.interval, bar->interval))
            err = weir_forward_record(ctx, &to);
        err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int lead(struct weir_context *ctx, const struct weir_record *rec)
{
    int err = lead_to(ctx, pairs, false, rec);

    return err < 0 ? err : lead_to(ctx, curves, true, rec);
}

static int meet(struct weir_context *ctx, const struct weir_record *rec)
{
    return market_board_take(ctx, weir_arg(ctx), rec);
}

static int close_meeting(struct weir_context *ctx, const struct weir_store *store, const struct weir_row *row)
{
    return market_board_closed(ctx, weir_arg(ctx), store, row);
}

static int sweep_meetings(struct weir_context *ctx, int64_t time)
{
    (void)time;
    return market_board_sweep(ctx, weir_arg(ctx));
}

static int begin_meeting(struct weir_context *ctx)
{
    return (int)MIN(weir_schedule(ctx, DAYS(1), WEIR_WALL_TIME, sweep_meetings), 0);
}

static int tell_spread(struct weir_context *ctx, const struct market_meeting *meeting, const struct weir_span *span,
                       const void *value, enum market_bar_state state, int64_t epoch, int64_t revision)
{
    struct market_spread told = *(const struct market_spread *)value;
    struct weir_record   rec = { .key = &meeting->key, .value = &told, .timestamp = span->start };

    told.state = state;
    told.epoch = epoch;
    told.revision = revision;
    return weir_forward_record(ctx, &rec);
}

static int tell_curve(struct weir_context *ctx, const struct market_meeting *meeting, const struct weir_span *span,
                      const void *value, enum market_bar_state state, int64_t epoch, int64_t revision)
{
    struct market_curve_update update = *(const struct market_curve_update *)value;
    struct weir_record         rec = { .key = &meeting->key, .value = &update, .timestamp = span->start };

    update.state = state;
    update.epoch = epoch;
    update.revision = revision;
    return weir_forward_record(ctx, &rec);
}
