/* test_aggregation.c: bars, statistics and spreads are a function of the accepted ticks: whatever order, repetitions, revisions
 * and crashes.
 *
 * (1) Random ticks go through the topology; the last bar of each window is compared with one computed here in the
 *     plainest way: all ticks that count, sorted, read from first to last. So are the statistics of each window.
 * (2) Spreads are computed here from the bars that came out, each of which (1) holds.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "framework/driver.h"
#include "statestores/engines.h"
#include "test/run.h"
#include "topologies/topologies.h"

#define TICKS 400
#define BEGIN INT64_C(1740787200000000) /* 2025-03-01: PJM's clock change of the 9th is in */

struct spec {
    int     instrument;
    int64_t event_time, sequence, price, volume, revision; /* volume < 0: none */
    int64_t polled;                                        /* so long after the event, us */
};

static const struct {
    const char *market, *instrument, *zone;
    bool        corrects;
} instruments[] = { { "PJM", "PJM.WESTERN.HUB.RT1H", "America/New_York", true },
                    { "MISO", "MISO.ILLINOIS.HUB", "EST", true },
                    { "COMEX", "GC.201312", "UTC", false },
                    { "NYSE", "GC.201312", "America/New_York", false } }; /* only where a test says so */
enum { INSTRUMENTS = ARRAY_SIZE(instruments) - 1 };

static struct weir_driver *driver;
static struct weir_error   error;
static struct spec         specs[TICKS];
static size_t              spec_count;
static uint64_t            random_state;
static char                dir[64];

#define OK(call) ck_assert_msg((call) == WEIR_OK, "%s: %s", error.where, error.text)
#define TEXT(s)  ((struct weir_text){ (s), strlen(s) })

static int dice(int sides)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (int)(random_state >> 33) % sides;
}

/* ---- ticks in ---- */

static struct market_tick tick_of(const struct spec *spec)
{
    struct market_tick tick = {
        .tenant_id = TEXT("default"),
        .instrument_id = TEXT(instruments[spec->instrument].instrument),
        .market = TEXT(instruments[spec->instrument].market),
        .kind = instruments[spec->instrument].corrects ? MARKET_KIND_PRICE : MARKET_KIND_TRADE,
        .event_time = spec->event_time,
        .sequence = spec->sequence,
        .revision = spec->revision,
        .ingested_at = spec->event_time + spec->polled,
        .price = MARKET_DECIMAL(spec->price),
        .volume = spec->volume < 0 ? MARKET_NULL_DECIMAL : MARKET_DECIMAL(spec->volume),
    };
    struct market_tick_identity identity = { .tenant = tick.tenant_id,
                                             .market = tick.market,
                                             .instrument = tick.instrument_id,
                                             .event_time = tick.event_time,
                                             .sequence = tick.sequence };

    ck_assert_int_eq(market_tick_id(&identity, tick.tick_id), WEIR_OK);
    return tick;
}

static int try_pipe(const struct market_tick *tick)
{
    struct market_enriched enriched = { .tick = *tick };
    struct market_key      key = { .tenant = tick->tenant_id, .instrument = tick->instrument_id };
    struct weir_arena      arena;
    struct weir_bytes      key_bytes, value;
    int                    err;

    weir__arena_init(&arena, 0);
    ck_assert_int_eq(market_key->encode(market_key, &arena, &key, &key_bytes), WEIR_OK);
    ck_assert_int_eq(market_enriched->encode(market_enriched, &arena, &enriched, &value), WEIR_OK);
    err = weir_driver_pipe(driver, "enriched.market.ticks.v1", key_bytes, value, tick->event_time / 1000, NULL, 0,
                           &error);
    weir__arena_fini(&arena);
    return err;
}

static void pipe_spec(const struct spec *spec)
{
    struct market_tick tick = tick_of(spec);

    OK(try_pipe(&tick));
}

/* Another content of a tick, or one that it had, polled again earlier or later. */
static struct spec say_again(const struct spec *known, const struct spec *fresh)
{
    struct spec spec = dice(2) ? *known : *fresh;

    spec.revision = 1 + dice(3) / 2;
    spec.polled = dice(5);
    return spec;
}

/* Ticks of a few days: minutes with several ticks, and with none. */
static void make_specs(unsigned seed)
{
    random_state = seed * 7919u + 1;
    spec_count = 0;
    for (int i = 0; i < TICKS; i++) {
        int     instrument = dice(INSTRUMENTS);
        int64_t minute = dice(36 * 60) / (1 + dice(30)), time = BEGIN + MARKET_MINUTES(minute + 8 * 24 * 60 - 600);
        struct spec        spec = { .instrument = instrument,
                                    .event_time = time + dice(3) * MARKET_SECONDS(7),
                                    .sequence = dice(3),
                                    .price = (int64_t)(dice(4000) - 500) * 1000000,
                                    .volume = dice(5) ? (int64_t)dice(100) * 100000000 : -1,
                                    .revision = 1 };
        const struct spec *known = NULL;

        if (spec_count > 0 && dice(3) == 0) { /* of a tick that was polled before */
            const struct spec *before = &specs[dice((int)spec_count)];

            spec.instrument = instrument = before->instrument;
            spec.event_time = before->event_time;
            spec.sequence = before->sequence;
        }
        for (size_t j = 0; j < spec_count; j++)
            if (specs[j].instrument == instrument && specs[j].event_time == spec.event_time &&
                specs[j].sequence == spec.sequence && (known == NULL || dice(2)))
                known = &specs[j];
        if (known == NULL)
            specs[spec_count++] = spec;
        else if (instruments[instrument].corrects)
            specs[spec_count++] = say_again(known, &spec);
    }
}

static void shuffle(void)
{
    for (size_t i = spec_count; i > 1; i--) {
        size_t      j = (size_t)dice((int)i);
        struct spec spare = specs[i - 1];

        specs[i - 1] = specs[j];
        specs[j] = spare;
    }
}

/* ---- bars out: the last one of each window, and no (window, revision) twice ---- */

struct seen {
    struct market_bar bar;
    char              instrument[64], interval[8];
};
static struct seen seen[100000];
static size_t      seen_count, open_bars;

static struct seen *find_seen(const struct market_bar *bar)
{
    for (size_t i = 0; i < seen_count; i++)
        if (seen[i].bar.window_start == bar->window_start && strlen(seen[i].interval) == bar->interval.size &&
            memcmp(seen[i].interval, bar->interval.data, bar->interval.size) == 0 &&
            strlen(seen[i].instrument) == bar->instrument_id.size &&
            memcmp(seen[i].instrument, bar->instrument_id.data, bar->instrument_id.size) == 0)
            return &seen[i];
    return NULL;
}

static void take_bar(const struct market_bar *bar)
{
    struct seen *at = find_seen(bar);

    if (bar->state == MARKET_BAR_OPEN) {
        ck_assert_ptr_null(at); /* what has closed is never open again */
        ck_assert_int_eq(bar->revision, 0);
        open_bars++;
        return;
    }
    if (at == NULL) {
        at = &seen[seen_count++];
        ck_assert_int_eq(bar->state, MARKET_BAR_FINAL);
        ck_assert_int_eq(bar->revision, 1);
    } else {
        ck_assert_int_eq(bar->state, MARKET_BAR_CORRECTION);
        ck_assert_int_eq(bar->revision, at->bar.revision + 1);
    }
    at->bar = *bar;
    snprintf(at->instrument, sizeof(at->instrument), "%.*s", (int)bar->instrument_id.size, bar->instrument_id.data);
    snprintf(at->interval, sizeof(at->interval), "%.*s", (int)bar->interval.size, bar->interval.data);
}

/* ---- statistics and spreads out: the last of each ---- */

struct seen_stats {
    struct market_stats stats;
    char                instrument[64], window[16];
};
static struct seen_stats seen_stats[200000];
static size_t            stats_count;

static void take_stats(const struct market_stats *stats)
{
    struct seen_stats *at = NULL;

    for (size_t i = 0; i < stats_count && at == NULL; i++)
        if (market_text_same(TEXT(seen_stats[i].instrument), stats->instrument_id) &&
            market_text_same(TEXT(seen_stats[i].window), stats->window) &&
            (stats->state == MARKET_BAR_OPEN || seen_stats[i].stats.window_start == stats->window_start))
            at = &seen_stats[i];
    if (at == NULL) {
        at = &seen_stats[stats_count++];
        snprintf(at->instrument, sizeof(at->instrument), "%.*s", (int)stats->instrument_id.size,
                 stats->instrument_id.data);
        snprintf(at->window, sizeof(at->window), "%.*s", (int)stats->window.size, stats->window.data);
        if (stats->state != MARKET_BAR_OPEN)
            ck_assert_int_eq(stats->state, MARKET_BAR_FINAL);
    } else {
        ck_assert_int_gt(stats->revision, at->stats.revision);
        ck_assert_int_ne(stats->state, MARKET_BAR_FINAL);
    }
    at->stats = *stats;
}

struct seen_spread {
    int64_t  start, revision;
    __int128 value;
    bool     stale;
};
static struct seen_spread seen_spreads[100000];
static size_t             spread_count;

static struct seen_spread *find_spread(int64_t start)
{
    for (size_t i = 0; i < spread_count; i++)
        if (seen_spreads[i].start == start)
            return &seen_spreads[i];
    return NULL;
}

static void take_spread(const struct market_spread *spread)
{
    struct seen_spread *at = find_spread(spread->window_start);

    if (at == NULL) {
        at = &seen_spreads[spread_count++];
        ck_assert_int_eq(spread->state, MARKET_BAR_FINAL);
        ck_assert_int_eq(spread->revision, 1);
    } else {
        ck_assert_int_eq(spread->state, MARKET_BAR_CORRECTION);
        ck_assert_int_eq(spread->revision, at->revision + 1);
    }
    ck_assert(spread->value.given);
    *at = (struct seen_spread){ spread->window_start, spread->revision, spread->value.units, spread->stale };
}

static size_t dead_letters;

static void read_output(const struct weir_output *output)
{
    struct weir_arena arena;
    union {
        struct market_bar    bar;
        struct market_stats  stats;
        struct market_spread spread;
    } value;
    const struct weir_codec *codec = strstr(output->topic, ".stats.")     ? market_stats
                                     : strstr(output->topic, ".spreads.") ? market_spread
                                                                          : market_bar;

    weir__arena_init(&arena, 0);
    memset(&value, 0, sizeof(value));
    ck_assert_int_eq(codec->decode(codec, &arena, output->value, &value), WEIR_OK);
    if (codec == market_bar)
        take_bar(&value.bar);
    else if (codec == market_stats)
        take_stats(&value.stats);
    else
        take_spread(&value.spread);
    weir__arena_fini(&arena);
}

static void read_all(void)
{
    struct weir_output output;

    while (weir_driver_read(driver, &output) == WEIR_OK) {
        if (strstr(output.topic, "deadletter") != NULL)
            dead_letters++;
        else
            read_output(&output);
    }
}

/* ---- the plain computation ---- */

static const struct spec *best_of(const struct spec *spec)
{
    const struct spec *best = spec;

    for (size_t i = 0; i < spec_count; i++) {
        const struct spec    *other = &specs[i];
        struct market_tick    a, b;
        struct market_content content_a, content_b;
        int                   by;

        if (other->instrument != spec->instrument || other->event_time != spec->event_time ||
            other->sequence != spec->sequence)
            continue;
        a = tick_of(other);
        b = tick_of(best);
        content_a = market_content_of(&a);
        content_b = market_content_of(&b);
        by = market_content_compare(&content_a, &content_b);
        if (by > 0 || (by == 0 && other < best))
            best = other;
    }
    return best;
}

static int by_order(const void *a, const void *b)
{
    struct market_tick tick_a = tick_of(*(const struct spec *const *)a),
                       tick_b = tick_of(*(const struct spec *const *)b);
    struct market_order order_a = market_order_of(&tick_a), order_b = market_order_of(&tick_b);

    return market_order_compare(&order_a, &order_b);
}

static void expect_bar(const struct seen *got)
{
    const struct spec *inside[TICKS];
    size_t             count = 0;
    int64_t            high = INT64_MIN, low = INT64_MAX;
    __int128           volume = 0, notional = 0;
    bool               any_volume = false;

    for (size_t i = 0; i < spec_count; i++)
        if (strcmp(instruments[specs[i].instrument].instrument, got->instrument) == 0 &&
            specs[i].event_time >= got->bar.window_start && specs[i].event_time < got->bar.window_end &&
            best_of(&specs[i]) == &specs[i])
            inside[count++] = &specs[i];
    ck_assert_uint_gt(count, 0);
    qsort(inside, count, sizeof(inside[0]), by_order);
    for (size_t i = 0; i < count; i++) {
        high = MAX(high, inside[i]->price);
        low = MIN(low, inside[i]->price);
        if (inside[i]->volume < 0)
            continue;
        any_volume = true;
        volume += inside[i]->volume;
        notional += (__int128)inside[i]->price * inside[i]->volume;
    }
    ck_assert_int_eq(got->bar.open, inside[0]->price);
    ck_assert_int_eq(got->bar.close, inside[count - 1]->price);
    ck_assert_int_eq(got->bar.high, high);
    ck_assert_int_eq(got->bar.low, low);
    ck_assert_int_eq(got->bar.trade_count, (int64_t)count);
    ck_assert_int_eq(got->bar.volume.given, any_volume);
    ck_assert(got->bar.volume.units == volume);
    ck_assert_int_eq(got->bar.vwap.given, any_volume && volume != 0);
    if (got->bar.vwap.given)
        ck_assert_double_eq_tol(got->bar.vwap.value, (double)notional / (double)volume / 1e8, 1e-9);
}

/* How many windows of a width hold ticks; width 0: the market's day, of which the bars say how long it is. */
static size_t count_windows(int64_t width)
{
    size_t count = 0;

    for (size_t i = 0; i < spec_count; i++) {
        bool first = true;

        for (size_t j = 0; j < i && first; j++)
            first = specs[j].instrument != specs[i].instrument ||
                    specs[j].event_time / width != specs[i].event_time / width;
        count += first;
    }
    return count;
}

/* The plain statistics of ticks in order. */
static void expect_numbers(const struct market_stats *got, const struct spec **inside, size_t count)
{
    __int128    sum = 0, volume = 0;
    int64_t     high = INT64_MIN, low = INT64_MAX;
    bool        any_volume = false;
    long double squares = 0;

    ck_assert_int_eq(got->count, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        sum += inside[i]->price;
        high = MAX(high, inside[i]->price);
        low = MIN(low, inside[i]->price);
        any_volume |= inside[i]->volume >= 0;
        volume += MAX(inside[i]->volume, 0);
    }
    for (size_t i = 0; i < count; i++) {
        long double off = (long double)inside[i]->price / 1e8L - (long double)sum / (long double)count / 1e8L;

        squares += off * off;
    }
    ck_assert(got->min == low && got->max == high && got->range.units == (__int128)high - low);
    ck_assert(got->volume.given == any_volume && got->volume.units == volume);
    ck_assert_double_eq(got->mean.value, (double)((long double)sum / (long double)count / 1e8L));
    ck_assert_double_eq_tol(got->standard_deviation.value, sqrt((double)(squares / (long double)count)), 1e-12);
    ck_assert_int_eq(got->first_event_time, inside[0]->event_time);
    ck_assert_int_eq(got->last_event_time, inside[count - 1]->event_time);
}

static size_t ticks_of(const char *instrument, int64_t from, int64_t to, const struct spec **ret)
{
    size_t count = 0;

    for (size_t i = 0; i < spec_count; i++)
        if (strcmp(instruments[specs[i].instrument].instrument, instrument) == 0 && specs[i].event_time >= from &&
            specs[i].event_time < to && best_of(&specs[i]) == &specs[i])
            ret[count++] = &specs[i];
    qsort(ret, count, sizeof(ret[0]), by_order);
    return count;
}

static void expect_stats(const struct seen_stats *got)
{
    const struct spec *inside[TICKS];
    size_t             count, last = 0;

    if (strcmp(got->window, "5m") == 0) {
        ck_assert_int_eq(got->stats.window_end - got->stats.window_start, MARKET_MINUTES(5));
        count = ticks_of(got->instrument, got->stats.window_start, got->stats.window_end, inside);
        expect_numbers(&got->stats, inside, count);
        return;
    }
    ck_assert_int_eq(sscanf(got->window, "last_%zu", &last), 1);
    count = ticks_of(got->instrument, 0, INT64_MAX, inside);
    ck_assert_uint_ge(count, last);
    expect_numbers(&got->stats, inside + count - last, last);
}

/* How many windows have statistics. */
static size_t count_stats(void)
{
    const struct spec *inside[TICKS];
    size_t             count = 0;

    for (size_t n = 0; n < INSTRUMENTS; n++) {
        size_t  ticks = ticks_of(instruments[n].instrument, 0, INT64_MAX, inside);
        int64_t before = -1;

        count += (ticks >= 10) + (ticks >= 50) + (ticks >= 100);
        for (size_t i = 0; i < ticks; i++)
            for (int64_t start = inside[i]->event_time / MARKET_MINUTES(1) * MARKET_MINUTES(1) - MARKET_MINUTES(4);
                 start <= inside[i]->event_time; start += MARKET_MINUTES(1)) {
                const struct spec *within[TICKS];

                if (start <= before)
                    continue;
                before = start;
                count += ticks_of(instruments[n].instrument, start, start + MARKET_MINUTES(5), within) >= 2;
            }
    }
    return count;
}

static void expect_all(void)
{
    size_t minutes = 0, fives = 0, hours = 0;

    for (size_t i = 0; i < seen_count; i++) {
        expect_bar(&seen[i]);
        minutes += strcmp(seen[i].interval, "1m") == 0;
        fives += strcmp(seen[i].interval, "5m") == 0;
        hours += strcmp(seen[i].interval, "1h") == 0;
    }
    ck_assert_uint_eq(minutes, count_windows(MARKET_MINUTES(1)));
    ck_assert_uint_eq(fives, count_windows(MARKET_MINUTES(5)));
    ck_assert_uint_eq(hours, count_windows(MARKET_HOURS(1)));
    for (size_t i = 0; i < stats_count; i++)
        expect_stats(&seen_stats[i]);
    ck_assert_uint_eq(stats_count, count_stats());
}

static const char *const *settings; /* of the next driver; NULL = none */

static void open_driver(bool disk, int64_t cache)
{
    struct weir_driver_config config = { .wall_clock = BEGIN / 1000 + DAYS(20),
                                         .cache_bytes = cache,
                                         .settings = settings };

    strcpy(dir, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    if (disk)
        config.dir = dir;
    OK(weir_driver_open(&aggregation, &config, weir_engines, &driver, &error));
    open_bars = seen_count = stats_count = spread_count = dead_letters = 0;
}

static void close_driver(void)
{
    weir_driver_free(driver);
    (void)weir__remove_tree(dir, NULL);
}

static void finish_run(void)
{
    OK(weir_driver_finish(driver, &error));
    read_all();
}

/* ---- tests ---- */

/* With bars of open windows or without them. */
START_TEST(bars_equal_the_plain_computation)
{
    static const char *const early[] = { "aggregation.bars.early=2m", NULL };

    make_specs((unsigned)_i);
    shuffle();
    settings = _i % 3 == 1 ? early : NULL;
    open_driver(_i % 2 == 1, _i % 3 == 0 ? 0 : 1 << 20);
    settings = NULL;
    for (size_t i = 0; i < spec_count; i++) {
        pipe_spec(&specs[i]);
        if (dice(4) == 0)
            pipe_spec(&specs[i - (size_t)dice((int)MIN(i + 1, 100))]); /* again, while a trade is still known */
        if (dice(40) == 0)
            OK(weir_driver_advance(driver, MINUTES(dice(20)), &error));
        read_all();
        if (dice(60) == 0)
            OK(weir_driver_crash(driver, dice(2) == 0, &error));
    }
    finish_run();
    ck_assert_uint_eq(dead_letters, 0);
    expect_all();
    ck_assert_int_eq(open_bars > 0, _i % 3 == 1);
    close_driver();
}
END_TEST

/* ---- spreads ---- */

#define MAX_AGE MARKET_MINUTES(7)

static void define(const char *pair)
{
    char key[32], value[400];

    snprintf(key, sizeof(key), "default/%s", pair);
    snprintf(value, sizeof(value),
             "{\"tenant_id\":\"default\",\"pair_id\":\"%s\",\"kind\":\"inter_market\",\"max_age_ms\":%d,\"legs\":"
             "[{\"instrument_id\":\"%s\",\"weight\":1},{\"instrument_id\":\"%s\",\"weight\":-2.5}]}",
             pair, (int)(MAX_AGE / 1000), instruments[0].instrument, instruments[1].instrument);
    OK(weir_driver_pipe(driver, "reference.pairs.v1", (struct weir_bytes){ key, strlen(key) },
                        (struct weir_bytes){ value, strlen(value) }, BEGIN / 1000, NULL, 0, &error));
}

/* The close of an instrument's last minute bar up to a window, no older than it may be. */
static const struct market_bar *last_bar(int instrument, int64_t start)
{
    const struct market_bar *last = NULL;

    for (size_t i = 0; i < seen_count; i++)
        if (strcmp(seen[i].interval, "1m") == 0 &&
            strcmp(seen[i].instrument, instruments[instrument].instrument) == 0 &&
            seen[i].bar.window_start <= start && seen[i].bar.window_start >= start - MAX_AGE &&
            (last == NULL || seen[i].bar.window_start > last->window_start))
            last = &seen[i].bar;
    return last;
}

static void expect_spreads(void)
{
    size_t count = 0;

    for (size_t i = 0; i < seen_count; i++) {
        int64_t                   start = seen[i].bar.window_start;
        const struct market_bar  *a = last_bar(0, start), *b = last_bar(1, start);
        const struct seen_spread *got = find_spread(start);

        if (strcmp(seen[i].interval, "1m") != 0 || strcmp(seen[i].instrument, instruments[2].instrument) == 0)
            continue;
        if (a == NULL || b == NULL) {
            ck_assert_ptr_null(got);
            continue;
        }
        ck_assert_ptr_nonnull(got);
        ck_assert(got->value == (__int128)a->close - (__int128)b->close * 5 / 2); /* prices are whole cents */
        ck_assert_int_eq(got->stale, a->window_start < start || b->window_start < start);
        count += !(a->window_start == start && b->window_start == start) || seen[i].instrument[0] == 'P';
    }
    ck_assert_uint_eq(spread_count, count);
    ck_assert_uint_gt(count, 20);
}

START_TEST(spreads_equal_the_plain_computation)
{
    make_specs((unsigned)_i);
    shuffle();
    open_driver(_i % 2 == 1, _i % 3 == 0 ? 0 : 1 << 20);
    define("PAIR");
    for (size_t i = 0; i < spec_count; i++) {
        pipe_spec(&specs[i]);
        if (dice(40) == 0)
            OK(weir_driver_advance(driver, MINUTES(dice(20)), &error));
        read_all();
        if (dice(60) == 0)
            OK(weir_driver_crash(driver, dice(2) == 0, &error));
    }
    finish_run();
    ck_assert_uint_eq(dead_letters, 0);
    expect_spreads();
    close_driver();
}
END_TEST

/* Whichever of two contents comes first, one is in the bar and one is counted. */
START_TEST(what_is_superseded_is_counted)
{
    struct spec spec = { .event_time = BEGIN, .price = 100000000, .revision = 2 };

    open_driver(false, 0);
    pipe_spec(&spec);
    spec.revision += _i == 0 ? 1 : -1;
    pipe_spec(&spec);
    finish_run();
    ck_assert_double_eq(weir_driver_metric(driver, "weir_records_dropped_total", "reason", "superseded"), 1);
    for (size_t i = 0; i < seen_count; i++)
        ck_assert_int_eq(seen[i].bar.trade_count, 1);
    close_driver();
}
END_TEST

/* The day that holds the clock change has 23 hours in New York, and 24 for MISO, which keeps EST. */
START_TEST(days_are_those_of_the_market)
{
    struct spec noon = { .event_time = BEGIN + MARKET_DAYS(8) + MARKET_HOURS(17), .price = 100000000, .revision = 1 };

    open_driver(false, 0);
    pipe_spec(&noon);
    noon.instrument = 1;
    pipe_spec(&noon);
    finish_run();
    for (size_t i = 0; i < seen_count; i++)
        if (strcmp(seen[i].interval, "1d") == 0)
            ck_assert_int_eq(seen[i].bar.window_end - seen[i].bar.window_start,
                             strncmp(seen[i].instrument, "PJM", 3) == 0 ? MARKET_HOURS(23) : MARKET_HOURS(24));
    ck_assert_uint_eq(seen_count, 8);
    close_driver();
}
END_TEST

/* PJM's day from six in the morning, MISO's in Chicago. */
START_TEST(days_are_configuration)
{
    static const char *const said[] = { "aggregation.bars.days=PJM=America/New_York+06:00, miso=America/Chicago",
                                        NULL };
    struct spec              early = { .event_time = BEGIN + MARKET_HOURS(9), .price = 100000000, .revision = 1 };

    settings = said;
    open_driver(false, 0);
    settings = NULL;
    pipe_spec(&early);
    early.instrument = 1;
    pipe_spec(&early);
    finish_run();
    ck_assert_uint_eq(seen_count, 8);
    for (size_t i = 0; i < seen_count; i++) {
        bool    pjm = strncmp(seen[i].instrument, "PJM", 3) == 0;
        int64_t hour = seen[i].bar.window_start / MARKET_HOURS(1) % 24;

        if (strcmp(seen[i].interval, "1d") == 0)
            ck_assert_int_eq(hour, pjm ? 11 : 6); /* 6 o'clock in New York, midnight in Chicago, in winter */
    }
    close_driver();
}
END_TEST

/* No hour begins when the day does: its bar has the ticks of the day all the same, each in one day. */
START_TEST(days_begin_at_any_minute)
{
    static const char *const said[] = { "aggregation.bars.days=PJM=America/New_York+06:30, MISO=EST+00:03", NULL };
    int64_t                  minutes = 0, days = 0;

    make_specs((unsigned)_i);
    shuffle();
    settings = said;
    open_driver(false, 0);
    settings = NULL;
    for (size_t i = 0; i < spec_count; i++)
        pipe_spec(&specs[i]);
    finish_run();
    for (size_t i = 0; i < seen_count; i++) {
        bool day = strcmp(seen[i].interval, "1d") == 0;

        expect_bar(&seen[i]);
        minutes += strcmp(seen[i].interval, "1m") == 0 ? seen[i].bar.trade_count : 0;
        days += day ? seen[i].bar.trade_count : 0;
        if (day && strncmp(seen[i].instrument, "PJM", 3) == 0)
            ck_assert_int_eq(seen[i].bar.window_start % MARKET_HOURS(1), MARKET_MINUTES(30));
    }
    ck_assert_int_eq(days, minutes);
    close_driver();
}
END_TEST

START_TEST(days_that_are_none_are_said)
{
    static const char *const bad[][2] = {
        { "aggregation.bars.days=PJM", "no market" },
        { "aggregation.bars.days=PIM=UTC", "not in the table" },
        { "aggregation.bars.days=PJM=Mars/North", "no time zone" },
        { "aggregation.bars.days=PJM=UTC+25:00", "no time of day" },
        { "aggregation.bars.days=PJM=UTC+06:61", "no time of day" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *const         said[] = { bad[i][0], NULL };
        struct weir_driver_config config = { .settings = said };

        ck_assert_int_eq(weir_driver_open(&aggregation, &config, weir_engines, &driver, &error), WEIR_BAD_CONFIG);
        ck_assert_msg(strstr(error.text, bad[i][1]) != NULL, "%s", error.text);
    }
}
END_TEST

/* What steps do not ask for is no setting; how late ticks may be is one of the step. */
START_TEST(lateness_that_is_none_is_said)
{
    static const char *const bad[][2] = {
        { "aggregation.bars.accepts=49h", "a duration up to 48h" },
        { "aggregation.bars.accepts=soon", "a duration up to 48h" },
        { "aggregation.minute_s.late=refuse", "late" },
        { "aggregation.minute_s.retention=1h", "retention" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *const         said[] = { bad[i][0], NULL };
        struct weir_driver_config config = { .settings = said };

        ck_assert_int_eq(weir_driver_open(&aggregation, &config, weir_engines, &driver, &error), WEIR_BAD_CONFIG);
        ck_assert_msg(strstr(error.text, bad[i][1]) != NULL || strstr(error.where, bad[i][1]) != NULL, "%s: %s",
                      error.where, error.text);
    }
}
END_TEST

/* Two markets name one symbol: their days overlap, and each has all that lies in it, in whatever order it came. */
START_TEST(days_of_two_markets_overlap)
{
    make_specs((unsigned)_i);
    for (size_t i = 0; i < spec_count; i++) {
        specs[i].instrument = 2 + dice(2);
        specs[i].sequence = (int64_t)i; /* none twice */
    }
    shuffle();
    open_driver(_i % 2 == 1, 1 << 20);
    for (size_t i = 0; i < spec_count; i++)
        pipe_spec(&specs[i]);
    finish_run();
    for (size_t i = 0; i < seen_count; i++)
        expect_bar(&seen[i]);
    close_driver();
}
END_TEST

START_TEST(what_is_too_old_is_a_dead_letter)
{
    struct spec spec = { .event_time = BEGIN, .price = 100000000, .revision = 1 };

    open_driver(false, 0);
    spec.event_time += MARKET_HOURS(48) + MARKET_MINUTES(1);
    pipe_spec(&spec);
    spec.event_time = BEGIN; /* its minute ends 48 h before that: no more */
    pipe_spec(&spec);
    read_all();
    ck_assert_uint_eq(dead_letters, 1);
    spec.event_time = BEGIN + MARKET_MINUTES(1);
    pipe_spec(&spec);
    finish_run();
    ck_assert_uint_eq(dead_letters, 1);
    ck_assert_double_eq(weir_driver_metric(driver, "weir_records_dropped_total", "reason", "too_late"), 1);
    close_driver();
}
END_TEST

/* The clocks of all intervals jump at once: what the longer ones are folded from must still be there. */
START_TEST(a_gap_longer_than_the_retention_loses_no_bar)
{
    struct spec spec = { .instrument = _i, .event_time = BEGIN, .price = 100000000, .revision = 1 };

    open_driver(true, _i > 0 ? 1 << 20 : 0);
    spec_count = 0;
    for (int i = 0; i < 40; i++) {
        spec.event_time += i % 8 == 7 ? MARKET_DAYS(i) : MARKET_MINUTES(i);
        specs[spec_count++] = spec;
        pipe_spec(&spec);
        read_all();
    }
    finish_run();
    expect_all();
    ck_assert_double_eq(weir_driver_metric(driver, "weir_records_dropped_total", NULL, NULL), 0);
    close_driver();
}
END_TEST

START_TEST(a_trade_is_not_corrected)
{
    struct spec spec = { .instrument = 2, .event_time = BEGIN, .price = 100000000, .volume = 1, .revision = 1 };

    open_driver(false, 0);
    pipe_spec(&spec);
    pipe_spec(&spec);
    spec.price++;
    pipe_spec(&spec);
    finish_run();
    ck_assert_uint_eq(dead_letters, 1);
    ck_assert_double_eq(weir_driver_metric(driver, "weir_records_dropped_total", "reason", "uncorrectable"), 1);
    ck_assert_double_eq(weir_driver_metric(driver, "weir_records_dropped_total", "reason", "duplicate"), 1);
    for (size_t i = 0; i < seen_count; i++)
        ck_assert_int_eq(seen[i].bar.trade_count, 1);
    close_driver();
}
END_TEST

START_TEST(quotes_and_fallbacks_are_in_no_bar)
{
    struct spec        spec = { .event_time = BEGIN, .price = 100000000, .revision = 1 };
    struct market_tick tick = tick_of(&spec);

    open_driver(false, 0);
    tick.quality_flags = MARKET_FALLBACK;
    OK(try_pipe(&tick));
    tick = tick_of(&spec);
    tick.kind = MARKET_KIND_QUOTE;
    tick.price = MARKET_NULL_DECIMAL;
    tick.bid_price = MARKET_DECIMAL(1);
    OK(try_pipe(&tick));
    finish_run();
    ck_assert_uint_eq(seen_count, 0);
    ck_assert_double_eq(weir_driver_metric(driver, "weir_records_dropped_total", "reason", "fallback"), 1);
    ck_assert_double_eq(weir_driver_metric(driver, "weir_records_dropped_total", "reason", "quote"), 1);
    close_driver();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("aggregation");
    TCase *tests = tcase_create("aggregation");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, bars_equal_the_plain_computation, 1, 7);
    tcase_add_loop_test(tests, spreads_equal_the_plain_computation, 1, 7);
    tcase_add_loop_test(tests, what_is_superseded_is_counted, 0, 2);
    tcase_add_test(tests, days_are_those_of_the_market);
    tcase_add_test(tests, days_are_configuration);
    tcase_add_loop_test(tests, days_begin_at_any_minute, 1, 4);
    tcase_add_test(tests, days_that_are_none_are_said);
    tcase_add_test(tests, lateness_that_is_none_is_said);
    tcase_add_loop_test(tests, days_of_two_markets_overlap, 0, 4);
    tcase_add_test(tests, what_is_too_old_is_a_dead_letter);
    tcase_add_loop_test(tests, a_gap_longer_than_the_retention_loses_no_bar, 0, 3);
    tcase_add_test(tests, a_trade_is_not_corrected);
    tcase_add_test(tests, quotes_and_fallbacks_are_in_no_bar);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
