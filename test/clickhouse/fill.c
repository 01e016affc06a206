/* fill.c: puts rows through ClickHouse's outlet, as a topology would: what was put is settled before it counts.
 *   fill URL one                  one record of each kind, with all that a field can be
 *   fill URL many ROWS FROM TO    ROWS minutes of bars, each in revisions FROM to TO, a commit every 1000; says what is settled
 *   fill URL bad                  bars of which one is not to be had; ends with what is said of it
 * URL's user, password and CA: WEIR_CLICKHOUSE_...
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "framework/config/config.h"
#include "schemas/market.h"
#include "topologies/clickhouse/clickhouse.h"
#include "topologies/topologies.h"

extern char **environ;

#define TEXT(s) ((struct weir_text){ s, sizeof(s) - 1 })
static const int64_t noon = INT64_C(1735732800123456); /* 2025-01-01T12:00:00.123456Z */

static _Noreturn void stop(const struct weir_error *words)
{
    printf("%s: %s (%s)\n", words->where, words->text, weir_code_name(words->code));
    exit(1);
}

static void put(void *outlet, const struct market_clickhouse_table *table, const void *value)
{
    int err = market_clickhouse_add(outlet, table, value, 7);

    if (err < 0) {
        printf("%s: not taken: %s\n", table->name, weir_code_name(err));
        exit(1);
    }
}

/* Until all is acknowledged; says why not, where that is something new. */
static void settle(void *outlet)
{
    struct weir_error           words;
    struct weir_outlet_standing standing;
    char                        said[640] = "";
    int                         err;

    while ((err = market_clickhouse->settle(outlet, 200, &words)) == WEIR_AGAIN) {
        market_clickhouse->look(outlet, &standing);
        if (standing.up || strcmp(said, standing.why) == 0)
            continue;
        snprintf(said, sizeof(said), "%s", standing.why);
        printf("away: %s\n", said);
        fflush(stdout);
    }
    if (err < 0)
        stop(&words);
}

/* ---- one ---- */

static const struct market_entry entries[] = { { TEXT("a\"b"), TEXT("\xe2\x82\xac\n\t\\") } };
static const struct weir_text    tags[] = { TEXT("x"), TEXT("") };

static struct market_enriched tick(void)
{
    struct market_enriched enriched = { .tick = { .tick_id = { 0xff, 0x01 },
                                                  .tenant_id = TEXT("t"),
                                                  .instrument_id = TEXT("PJM.HUB"),
                                                  .market = TEXT("PJM"),
                                                  .kind = MARKET_KIND_PRICE,
                                                  .event_time = noon,
                                                  .sequence = -1,
                                                  .interval = 300000000,
                                                  .revision = 2,
                                                  .ingested_at = noon + 1,
                                                  .normalized_at = noon + 2,
                                                  .price = MARKET_DECIMAL(INT64_MIN + 1),
                                                  .bid_price = MARKET_DECIMAL(INT64_MAX),
                                                  .ask_price = MARKET_DECIMAL(0),
                                                  .currency = TEXT("USD"),
                                                  .symbol = TEXT("it's"),
                                                  .quality_flags = MARKET_PRICE_NEGATIVE | MARKET_STALE,
                                                  .metadata = { entries, 1 },
                                                  .tags = { tags, 2 } },
                                        .taxonomy = { .commodity = TEXT("electricity"),
                                                      .confidence = MARKET_DECIMAL(95000000) },
                                        .reference_version = 3 };
    return enriched;
}

static struct market_bar bar(const char *interval)
{
    return (struct market_bar){ .tenant_id = TEXT("t"),
                                .instrument_id = TEXT("PJM.HUB"),
                                .interval = { interval, strlen(interval) },
                                .window_start = noon / 60000000 * 60000000,
                                .window_end = noon / 60000000 * 60000000 + 60000000,
                                .open = 1,
                                .high = INT64_MAX,
                                .low = -INT64_MAX,
                                .close = 0,
                                .volume = { (market_sum_units)INT64_MAX * 1000, true },
                                .vwap = { 0.1, true },
                                .trade_count = 2,
                                .first_event_time = noon,
                                .last_event_time = noon,
                                .state = MARKET_BAR_FINAL,
                                .epoch = 2000001,
                                .revision = 1 };
}

static void put_derived(void *outlet)
{
    const struct market_leg_price legs[] = { { TEXT("A"), -MARKET_UNIT, 5, noon, 60000000, true } };
    const struct market_point     points[] = { { .instrument_id = TEXT("GC.201312"),
                                                 .contract_month = TEXT("2013-12"),
                                                 .delivery = noon,
                                                 .days = 30,
                                                 .price = 7,
                                                 .window_start = noon,
                                                 .confidence = { 0.5, true } } };
    const struct market_horizon   horizons[] = {
          { .horizon = TEXT("3m"), .date = noon, .days = 90, .reason = TEXT("outside_points") }
    };
    struct market_stats          stats = { .tenant_id = TEXT("t"),
                                           .instrument_id = TEXT("PJM.HUB"),
                                           .window = TEXT("last_10"),
                                           .window_start = noon,
                                           .window_end = noon + 1,
                                           .count = 10,
                                           .mean = { 1.5, true },
                                           .min = -1,
                                           .max = 2,
                                           .revision = 1,
                                           .epoch = 1 };
    struct market_spread         spread = { .tenant_id = TEXT("t"),
                                            .pair_id = TEXT("A-B"),
                                            .kind = MARKET_INTER_MARKET,
                                            .interval = TEXT("1m"),
                                            .window_start = noon,
                                            .window_end = noon + 1,
                                            .value = { -5, true },
                                            .legs = { legs, 1 },
                                            .stale = true,
                                            .revision = 1,
                                            .epoch = 1 };
    struct market_curve_update   curve = { .tenant_id = TEXT("t"),
                                           .curve_id = TEXT("GC"),
                                           .interval = TEXT("1m"),
                                           .window_start = noon,
                                           .window_end = noon + 1,
                                           .as_of = TEXT("2025-01-01"),
                                           .method = MARKET_CUBIC,
                                           .points = { points, 1 },
                                           .horizons = { horizons, 1 },
                                           .revision = 1,
                                           .epoch = 1 };
    struct market_curve_snapshot snapshot = { .tenant_id = TEXT("t"),
                                              .curve_id = TEXT("GC"),
                                              .horizon = TEXT("3m"),
                                              .window_start = noon,
                                              .window_end = noon + 1,
                                              .as_of = TEXT("2025-01-01"),
                                              .method = MARKET_LINEAR,
                                              .price = { 1.25, true },
                                              .points = { points, 1 },
                                              .revision = 1,
                                              .epoch = 1 };

    put(outlet, market_clickhouse_stats, &stats);
    put(outlet, market_clickhouse_spreads, &spread);
    put(outlet, market_clickhouse_curves, &curve);
    put(outlet, market_clickhouse_curve_snapshots, &snapshot);
}

static void put_one(void *outlet)
{
    static const struct {
        const char                           *name;
        const struct market_clickhouse_table *table;
    } bars[] = { { "1m", market_clickhouse_bars_1m },
                 { "5m", market_clickhouse_bars_5m },
                 { "1h", market_clickhouse_bars_1h },
                 { "1d", market_clickhouse_bars_1d },
                 { "15m", market_clickhouse_bars_other } };
    struct market_enriched enriched = tick();
    struct market_latest   latest = market_latest_of(&enriched.tick, 3000001), late = latest;

    put(outlet, market_clickhouse_ticks, &enriched);
    for (size_t i = 0; i < ARRAY_SIZE(bars); i++) {
        struct market_bar one = bar(bars[i].name);

        put(outlet, bars[i].table, &one);
    }
    put_derived(outlet);
    put(outlet, market_clickhouse_latest, &latest);
    settle(outlet);
    late.event_time--; /* comes later, and is of before */
    late.price = 1;
    late.revision = 9;
    put(outlet, market_clickhouse_latest, &late);
    settle(outlet);
}

/* ---- many ---- */

/* Revision r of a bar closes at r. */
static void put_many(void *outlet, int64_t rows, int64_t from, int64_t to)
{
    int64_t put_now = 0;

    for (int64_t revision = from; revision <= to; revision++)
        for (int64_t i = 0; i < rows; i++) {
            struct market_bar one = bar("1m");
            char              name[32];

            snprintf(name, sizeof(name), "I.%" PRId64, i % 100);
            one.instrument_id = (struct weir_text){ name, strlen(name) };
            one.window_start = INT64_C(1735689600000000) + i / 100 * 60000000;
            one.window_end = one.window_start + 60000000;
            one.state = revision == 1 ? MARKET_BAR_FINAL : MARKET_BAR_CORRECTION;
            one.revision = revision;
            one.close = revision * MARKET_UNIT;
            put(outlet, market_clickhouse_bars_1m, &one);
            market_clickhouse->serve(outlet);
            if (++put_now % 1000 == 0) {
                settle(outlet);
                printf("settled %" PRId64 "\n", put_now);
                fflush(stdout);
            }
        }
    settle(outlet);
    printf("all %" PRId64 "\n", put_now);
}

/* ---- bad ---- */

static void put_bad(void *outlet)
{
    struct market_bar one = bar("1m");

    put(outlet, market_clickhouse_bars_1m, &one);
    one.volume.units = ~((market_sum_units)1 << 127); /* more digits than a column has */
    put(outlet, market_clickhouse_bars_1m, &one);
    settle(outlet);
}

/* ---- main ---- */

static void *open_outlet(struct weir__config *config, const char *url)
{
    struct weir_error words = { 0 };
    void             *outlet;

    if (weir__config_read_env(config, environ, &words) < 0 ||
        weir__config_set(config, "clickhouse.url", url, "argument", &words) < 0 ||
        market_clickhouse->open(market_clickhouse, weir__config_public(config), (size_t)4 << 20, &outlet, &words) < 0)
        stop(&words);
    return outlet;
}

int main(int argc, char **argv)
{
    static const struct weir_setting *const own[] = { market_settings, NULL };
    static const char *const                names[] = { NULL };
    struct weir__config                    *config;
    struct weir_error                       words = { 0 };
    void                                   *outlet;

    signal(SIGPIPE, SIG_IGN); /* as weir_main does */
    if (argc < 3 || weir__config_new(names, own, &config, &words) < 0)
        return 2;
    outlet = open_outlet(config, argv[1]);
    if (strcmp(argv[2], "one") == 0)
        put_one(outlet);
    else if (strcmp(argv[2], "bad") == 0)
        put_bad(outlet);
    else if (argc == 6)
        put_many(outlet, atoll(argv[3]), atoll(argv[4]), atoll(argv[5]));
    market_clickhouse->close(outlet);
    weir__config_free(config);
    return 0;
}
