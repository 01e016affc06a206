/* projection.c: what is served: the latest price of each instrument, its bars, statistics and bid-ask spread; spreads of pairs and
 * forward curves; over HTTP, by Redis and by ClickHouse.
 *
 * (1) The latest price is the greatest by (epoch, event time, sequence, tick id): a late tick never takes it back.
 * (2) An entry that is asked for goes, or is served once more under the epoch of now, in all places; nothing else does.
 * (3) Redis has what is latest; ClickHouse every tick and every bar, of which readers take the greatest version (FINAL).
 */
#include "framework/logging/logging.h"
#include "topologies/clickhouse/clickhouse.h"
#include "topologies/redis/redis.h"
#include "topologies/serving.h"

/* clang-format off */

static weir_process keep_latest;
static weir_answer  answer_latest;

/* where ticks and bars come from, rest, and go */
SOURCE (enriched, "enriched.market.ticks.v1",     market_key, market_enriched);
SOURCE (bars_1m,  "aggregated.market.bars.1m.v1", market_key, market_bar);
SOURCE (bars_5m,  "aggregated.market.bars.5m.v1", market_key, market_bar);
SOURCE (bars_1h,  "aggregated.market.bars.1h.v1", market_key, market_bar);
SOURCE (bars_1d,  "aggregated.market.bars.1d.v1", market_key, market_bar);
SOURCE (bars_other, "aggregated.market.bars.other.v1", market_key, market_bar);
SOURCE (stats,    "aggregated.market.stats.v1",   market_key, market_stats);
SOURCE (spreads,  "aggregated.market.spreads.v1", market_key, market_spread);
SOURCE (invalid,  MARKET_INVALIDATION_TOPIC,      market_key, market_invalidation);
SOURCE (updates,  "pricing.curve.updates.v1",     market_key, market_curve_update);
/* Of what every tick changes only the last one is logged, when a commit is due. */
#define OFTEN .served = true, .cache = WEIR_ON
KEYS   (stats_s,    market_key, market_rolling_stats,       OFTEN);
KEYS   (bid_asks_s, market_key, market_spread_msgpack,      OFTEN);
KEYS   (spreads_s,  market_key, market_spread_msgpack,      .served = true);
KEYS   (curves_s,   market_key, market_curve_update_msgpack, .served = true);
KEYS   (latest_s, market_key, market_latest_msgpack, OFTEN);
KEYS   (drops_s,  market_key, market_dropped);
/* Bars are served for as long as their interval is of use, by the instrument's own time. */
#define SERVED(width, kept) TUMBLING(width, 0, .time = WEIR_PER_KEY, .retention = kept), .served = true
WINDOWS(served_1m_s, market_key, market_bar_msgpack, SERVED(MINUTES(1), DAYS(7)));
WINDOWS(served_5m_s, market_key, market_bar_msgpack, SERVED(MINUTES(5), DAYS(30)));
WINDOWS(served_1h_s, market_key, market_bar_msgpack, SERVED(HOURS(1),   DAYS(366)));
WINDOWS(served_1d_s, market_key, market_bar_msgpack, SERVED(HOURS(25),  DAYS(3660)));
WINDOWS(served_other_s, market_wide, market_bar_msgpack, SERVED(HOURS(12), DAYS(366)));
SINK   (prices,  "served.market.latest_prices.v1", market_key, market_latest, .settings = LIST(char, "cleanup.policy=compact"));
SINK   (rejects, "processing.deadletter.projection.v1", weir_blob, weir_blob);

OUTLET (cached,     market_redis,      market_key, market_latest,   .arg = market_served_latest);
OUTLET (latest_row, market_clickhouse, market_key, market_latest,   .arg = market_clickhouse_latest);
OUTLET (stats_row,    market_clickhouse, market_key, market_stats,          .arg = market_clickhouse_stats);
OUTLET (spread_row,   market_clickhouse, market_key, market_spread,         .arg = market_clickhouse_spreads);
OUTLET (curve_row,    market_clickhouse, market_key, market_curve_update,   .arg = market_clickhouse_curves);
OUTLET (snapshot_row, market_clickhouse, market_key, market_curve_snapshot, .arg = market_clickhouse_curve_snapshots);
OUTLET (stats_in,     market_redis, market_key, market_stats,          .arg = market_served_stats);
OUTLET (spread_in,    market_redis, market_key, market_spread,         .arg = market_served_spread);
OUTLET (curve_in,     market_redis, market_key, market_curve_snapshot, .arg = market_served_curve);
OUTLET (tick_row,   market_clickhouse, market_key, market_enriched, .arg = market_clickhouse_ticks);
OUTLET (row_1m,     market_clickhouse, market_key, market_bar,      .arg = market_clickhouse_bars_1m);
OUTLET (row_5m,     market_clickhouse, market_key, market_bar,      .arg = market_clickhouse_bars_5m);
OUTLET (row_1h,     market_clickhouse, market_key, market_bar,      .arg = market_clickhouse_bars_1h);
OUTLET (row_1d,     market_clickhouse, market_key, market_bar,      .arg = market_clickhouse_bars_1d);
OUTLET (row_other,  market_clickhouse, market_key, market_bar,      .arg = market_clickhouse_bars_other);

/* what happens on the way */
static weir_process invalidate;
struct unsaid { /* invalidations that hit nothing */
    int64_t  said_at; /* wall ms */
    uint64_t count;
};
static weir_test    is_bid_ask;
static weir_open    open_latest;
static int          check_move(const char *text, struct weir_error *reterr);
/* Of each sort: what comes is kept; what is asked for goes or is served once more, and goes on to the same places. */
#define REFRESH { "refresh", WEIR_OPTION_DURATION, "30m", NULL }
#define SHELF(name, form, kept, sort)                                                                                  \
    STEP(name##_served, market_pass, .key = market_key, .value = form);                                                       \
    STEP(name##_again,  market_pass, .key = market_key, .value = form);                                                       \
    static const struct market_shelf name##_shelf[1] = {{ kept, name##_served, sort, drops_s }};                         \
    STEP(name##_kept,    market_shelf_keep, .uses = STORES(kept, drops_s), .arg = name##_shelf, .key = market_key,        \
         .value = form, .open = market_shelf_open, .state = sizeof(struct market_again), .options = OPTIONS(REFRESH))
SHELF(stat,    market_stats,          stats_s,    market_shelf_stats);
SHELF(bid_ask, market_spread,         bid_asks_s, market_shelf_spread);
SHELF(pair,    market_spread,         spreads_s,  market_shelf_spread);
SHELF(curve,   market_curve_snapshot, curves_s,   market_shelf_curve);
/* The same entries from nodes that send several sorts on; those of an instrument are first. */
enum { OF_INSTRUMENT = 2 };
static const struct market_shelf again[] = {
    { stats_s,   stat_again, market_shelf_stats,  drops_s }, { bid_asks_s, bid_ask_again, market_shelf_spread, drops_s },
    { spreads_s, pair_again, market_shelf_spread, drops_s }, { curves_s,   curve_again,   market_shelf_curve,  drops_s } };
STEP(latest,  keep_latest, .open = open_latest, .state = sizeof(struct market_again), .uses = STORES(latest_s, stats_s, bid_asks_s, drops_s), .key = market_key, .value = market_latest,
     .options = OPTIONS(REFRESH, { "move", WEIR_OPTION_TEXT, "1%", check_move }));
STEP(invalidated, invalidate, .uses = STORES(latest_s, stats_s, bid_asks_s, spreads_s, curves_s), .state = sizeof(struct unsaid),
     .key = market_key, .value = market_latest);
STEP(priced,        market_pass, .key = market_key, .value = market_latest);
STEP(priced_again,  market_pass, .key = market_key, .value = market_latest);
KEEP(of_ticks, is_bid_ask);
DROP(of_pairs, is_bid_ask);
STEP(kept_1m, market_bars_keep, .uses = STORES(served_1m_s), .arg = served_1m_s);
STEP(kept_5m, market_bars_keep, .uses = STORES(served_5m_s), .arg = served_5m_s);
STEP(kept_1h, market_bars_keep, .uses = STORES(served_1h_s), .arg = served_1h_s);
STEP(kept_1d, market_bars_keep, .uses = STORES(served_1d_s), .arg = served_1d_s);
STEP(kept_other, market_bars_keep_other, .uses = STORES(served_other_s), .arg = served_other_s);
static const struct market_bars_shelf bars_shelf[1] = {{
    { { "1m", served_1m_s }, { "5m", served_5m_s }, { "1h", served_1h_s }, { "1d", served_1d_s } }, served_other_s }};

TOPOLOGY(projection, .dead_letters = rejects, .tenant = market_tenant_of_key, .port = 8083, .settings = market_settings,
    .endpoints = ENDPOINTS(
        { "/projections/latest_price", answer_latest, NULL },
        { "/projections/bars",         market_answer_bars, bars_shelf },
        { "/projections/curve_snapshot", market_answer_curve,  curve_shelf },
        { "/projections/custom",         market_answer_custom, ARG(struct market_custom, pair_shelf, bid_ask_shelf, stat_shelf) }),
    .paths = PATHS(
        PATH(enriched, latest, priced, prices),
        PATH(                  priced, cached),
        PATH(                  priced, latest_row),
        PATH(          latest, priced_again, cached),
        PATH(          latest, stat_again,    stat_served),
        PATH(          latest, bid_ask_again, bid_ask_served),
        PATH(invalid, invalidated, prices),
        PATH(         invalidated, cached),
        PATH(         invalidated, latest_row),
        PATH(         invalidated, stat_again),
        PATH(         invalidated, bid_ask_again),
        PATH(         invalidated, pair_again,  pair_served),
        PATH(         invalidated, curve_again, curve_served),
        PATH(enriched, tick_row),
        PATH(stats,   stats_row),
        PATH(spreads, spread_row),
        PATH(updates, curve_row),
        PATH(stats,             stat_kept,    stat_served,    stats_in),
        PATH(spreads, of_ticks, bid_ask_kept, bid_ask_served, spread_in),
        PATH(spreads, of_pairs, pair_kept,    pair_served,    spread_in),
        PATH(updates,           curve_kept,   curve_served,   curve_in),
        PATH(                                 curve_served,   snapshot_row),
        PATH(bars_1m, kept_1m), PATH(bars_1m, row_1m),
        PATH(bars_5m, kept_5m), PATH(bars_5m, row_5m),
        PATH(bars_1h, kept_1h), PATH(bars_1h, row_1h),
        PATH(bars_1d, kept_1d), PATH(bars_1d, row_1d),
        PATH(bars_other, kept_other), PATH(bars_other, row_other)));

/* clang-format on */

/* ---- latest price ---- */

/* A share, "1%" or "0.01", in units of 1e-8; "off": none. */
static int read_move(const char *text, int64_t *ret)
{
    size_t size = strlen(text);
    bool   percent = size > 0 && text[size - 1] == '%';
    int    err;

    *ret = INT64_MAX;
    if (strcmp(text, "off") == 0)
        return WEIR_OK;
    err = market_decimal_read((struct weir_text){ text, size - percent }, ret);
    *ret = percent ? *ret / 100 : *ret;
    return err < 0 || *ret < 0 ? WEIR_BAD_CONFIG : WEIR_OK;
}

static int check_move(const char *text, struct weir_error *reterr)
{
    int64_t move;

    return read_move(text, &move) == WEIR_OK
               ? WEIR_OK
               : weir__fail(reterr, WEIR_BAD_CONFIG, "move", "a share of the price is expected, such as 1%%, or off");
}

static int64_t move_of(struct weir_context *ctx)
{
    int64_t move = INT64_MAX;

    (void)read_move(weir_option_text(ctx, "move"), &move); /* it was checked */
    return move;
}

/* By that share of the price before, whatever its sign; from 0 by anything. */
static bool moved(int64_t before, int64_t now, int64_t share)
{
    market_sum_units by = (market_sum_units)now - before, whole = before;

    return share != INT64_MAX && by != 0 && (by < 0 ? -by : by) * MARKET_UNIT >= (whole < 0 ? -whole : whole) * share;
}

static int keep_latest(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_enriched *in = rec->value;
    const struct market_latest   *served;
    struct market_latest          now;
    struct weir_record            to = *rec;
    bool                          has_moved;
    int                           err;

    if (rec->key == NULL || in == NULL)
        return market_reject_null(ctx, rec);
    if (!in->tick.price.given)
        return market_drop(ctx, drops_s, rec->key, "quote", in->tick.event_time);
    now = market_latest_of(&in->tick, market_first_epoch(weir_epoch(ctx)));
    err = weir_get(ctx, latest_s, rec->key, (const void **)&served);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK && market_latest_compare(&now, served) <= 0)
        return market_drop(ctx, drops_s, rec->key, "not_latest", now.event_time);
    has_moved = err == WEIR_OK && !served->deleted && market_load_of(rec) == 0 &&
                moved(served->price, now.price, move_of(ctx));
    err = weir_put(ctx, latest_s, rec->key, &now);
    to.value = &now;
    if (err == WEIR_OK)
        err = weir_forward_to(ctx, priced, &to);
    for (size_t i = 0; err == WEIR_OK && has_moved && i < OF_INSTRUMENT; i++)
        err = market_shelf_serve(ctx, &again[i], rec->key);
    return err;
}

static int serve_price(struct weir_context *ctx, const struct weir_row *row)
{
    struct weir_record rec = { .key = row->key, .value = row->value, .timestamp = MAX(row->timestamp, 0) };

    return ((const struct market_latest *)row->value)->deleted ? WEIR_OK : weir_forward_to(ctx, priced_again, &rec);
}

/* All prices once more, so that none gets old where others keep it. */
static int refresh(struct weir_context *ctx, int64_t time)
{
    (void)time;
    return market_serve_rows(ctx, latest_s, serve_price);
}

static int serve_again(struct weir_context *ctx, int64_t time)
{
    (void)time;
    return market_serve_again(ctx, latest_s, serve_price);
}

static int open_latest(struct weir_context *ctx) { return market_refresh_every(ctx, refresh, serve_again); }

/* ---- invalidation ---- */

/* To all places where it is served, and the store. The topic has a null where it is taken away. */
static int say_price(struct weir_context *ctx, const struct weir_record *rec, const struct market_latest *now)
{
    struct weir_record to = *rec, topic;
    int                err = weir_put(ctx, latest_s, rec->key, now);

    to.timestamp = now->event_time / 1000;
    to.value = now;
    topic = to;
    topic.value = now->deleted ? NULL : now;
    if (err == WEIR_OK)
        err = weir_forward_to(ctx, prices, &topic);
    if (err == WEIR_OK)
        err = weir_forward_to(ctx, latest_row, &to);
    return err < 0 ? err : weir_forward_to(ctx, cached, &to);
}

static int invalidate_price(struct weir_context *ctx, const struct weir_record *rec, bool *hit)
{
    const struct market_invalidation *asked = rec->value;
    const struct market_latest       *served;
    struct market_latest              now;
    int                               err;

    if (asked->projection_type != MARKET_LATEST_PRICE)
        return WEIR_OK;
    err = weir_get(ctx, latest_s, rec->key, (const void **)&served);
    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    if (served->deleted || !market_is_meant(ctx, asked, served->event_time, served->ingested_at))
        return WEIR_OK;
    *hit = true;
    now = *served;
    if (asked->action == MARKET_INVALIDATE_DROP)
        now.deleted = true;
    else
        now.epoch = MAX(now.epoch, market_first_epoch(weir_epoch(ctx)));
    return say_price(ctx, rec, &now);
}

/* The first at once, then one a second with how many there were: a rebuild of all may ask for many that are not there. */
static void say_unhit(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_invalidation *asked = rec->value;
    const struct market_key          *key = rec->key;
    struct unsaid                    *unsaid = weir_state(ctx);
    char                              name[MARKET_TENANT_MAX + MARKET_INSTRUMENT_MAX + 2];

    weir_drop(ctx, "nothing_invalid");
    unsaid->count++;
    if (weir_wall_time(ctx) < unsaid->said_at + SECONDS(1))
        return;
    snprintf(name, sizeof(name), "%.*s/%.*s", (int)key->tenant.size, key->tenant.data, (int)key->instrument.size,
             key->instrument.data);
    weir__say(WEIR__INFO, "nothing-invalid", "key", "s", name, "projection", "s",
              market_projection_words[asked->projection_type], "custom_type", "s",
              market_custom_words[asked->custom_type], "count", "u", unsaid->count, NULL);
    *unsaid = (struct unsaid){ .said_at = weir_wall_time(ctx) };
}

/* The record is about what its key says. */
static int invalidate(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_invalidation *asked = rec->value;
    bool                              hit = false;
    int                               err;

    if (rec->key == NULL || asked == NULL)
        return market_reject_null(ctx, rec);
    if (asked->custom_type != MARKET_CUSTOM_ANY && asked->projection_type != MARKET_CUSTOM)
        return weir_reject(ctx, WEIR_REJECTED, "custom_type: it is of projection_type custom alone");
    if (asked->projection_type == MARKET_BARS) {
        weir_drop(ctx, "not_served");
        return WEIR_OK;
    }
    err = invalidate_price(ctx, rec, &hit);
    for (size_t i = 0; err == WEIR_OK && i < ARRAY_SIZE(again); i++)
        err = market_shelf_invalidate(ctx, &again[i], rec, &hit);
    if (err == WEIR_OK && !hit)
        say_unhit(ctx, rec);
    return err;
}

/* ---- over HTTP ---- */

/* The key that the request is about; names: the parameters it may have. */
int market_request_key(const struct weir_request *request, struct weir_reply *reply, const char *names,
                       struct market_key *ret)
{
    const char *tenant, *instrument;
    int         err = weir_request_takes(request, reply, names);

    if (err == WEIR_OK)
        err = weir_request_need(request, reply, "instrument_id", &instrument);
    if (err == WEIR_OK)
        err = weir_request_need(request, reply, "tenant_id", &tenant);
    if (err < 0)
        return err;
    *ret =
        (struct market_key){ .tenant = { tenant, strlen(tenant) }, .instrument = { instrument, strlen(instrument) } };
    return WEIR_OK;
}

static int answer_latest(struct weir_request *request, struct weir_reply *reply)
{
    struct weir_view *view;
    struct market_key key;
    struct weir_row   row;
    int               err = market_request_key(request, reply, "instrument_id|tenant_id", &key);

    if (err == WEIR_OK)
        err = weir_request_view(request, latest_s->name, &view);
    if (err == WEIR_OK)
        err = weir_view_get(view, weir_request_arena(request), &key, &row);
    if (err == WEIR_NOTFOUND || (err == WEIR_OK && ((const struct market_latest *)row.value)->deleted))
        return weir_reply_fail(reply, 404, "Projection not found");
    return err < 0 ? err : latest_s->value->print(latest_s->value, row.value, weir_reply_json(reply));
}

/* ---- statistics, spreads, curves (serving.c) ---- */

/* A null is refused behind it. */
static int is_bid_ask(struct weir_context *ctx, const struct weir_record *rec)
{
    (void)ctx;
    return rec->value != NULL && ((const struct market_spread *)rec->value)->kind == MARKET_BID_ASK;
}
