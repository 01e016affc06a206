/* test_content.c: which content of a tick counts, from raw events to bars and latest prices, through all four topologies.
 *
 * (1) Each topology has a driver of its own; what comes out of one goes into the next, headers and all.
 * (2) Nothing here knows how the topologies do it: raw events in, records of their topics out.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "framework/driver.h"
#include "statestores/engines.h"
#include "test/run.h"
#include "topologies/topologies.h"

#define OK(call) ck_assert_msg((call) == WEIR_OK, "%s: %s", error.where, error.text)
#define BEGIN    INT64_C(1740787200000000) /* 2025-03-01, us */
#define SECOND   INT64_C(1000000)
#define HOUR     (3600 * SECOND)

static struct weir_error error;
static uint64_t          random_state;

static int dice(int sides)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (int)(random_state >> 33) % sides;
}

/* ---- what is said of an instrument in the end ---- */

struct last {
    char    name[80]; /* "1m 1740787200000000", "latest" */
    int64_t epoch, revision;
    char    text[400];
};
static struct last lasts[20000];
static size_t      last_count;

/* ---- the chain ---- */

static const struct weir_topology *const chain[] = { &normalization, &enrichment, &aggregation, &projection };
enum { STAGES = ARRAY_SIZE(chain) };
static struct weir_driver *drivers[STAGES];
static size_t              dead_letters;
static bool                alone;    /* what leaves normalization goes no further */
static bool                loaded;   /* it bears the header of load, not that of backfill */
static const char         *backfill; /* number of the one that what is piped is of; NULL: of none */

/* settings: of normalization, "key=value", NULL-ended. */
static void open_chain_with(const char *const *settings)
{
    struct weir_driver_config config = { .wall_clock = BEGIN / 1000 + DAYS(30), .settings = settings };

    for (size_t i = 0; i < STAGES; i++) {
        OK(weir_driver_open(chain[i], &config, weir_engines, &drivers[i], &error));
        config.settings = NULL;
    }
    dead_letters = last_count = 0;
    backfill = NULL;
    alone = loaded = false;
}

static void open_chain(void) { open_chain_with(NULL); }

static void close_chain(void)
{
    for (size_t i = 0; i < STAGES; i++)
        weir_driver_free(drivers[i]);
}

static struct last *last_of(const char *name)
{
    for (size_t i = 0; i < last_count; i++)
        if (strcmp(lasts[i].name, name) == 0)
            return &lasts[i];
    ck_assert_uint_lt(last_count, ARRAY_SIZE(lasts));
    lasts[last_count] = (struct last){ 0 };
    snprintf(lasts[last_count].name, sizeof(lasts[0].name), "%s", name);
    return &lasts[last_count++];
}

static const char *decimal(struct market_decimal value)
{
    static char texts[8][32];
    static int  turn;

    turn = (turn + 1) % 8;
    snprintf(texts[turn], sizeof(texts[0]), value.given ? "%" PRId64 : "null", value.units / 1000000);
    return texts[turn];
}

static void say_bar(char *text, size_t size, int64_t open, int64_t high, int64_t low, int64_t close,
                    struct market_decimal volume, int64_t count)
{
    snprintf(text, size, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " volume %s count %" PRId64, open / 1000000,
             high / 1000000, low / 1000000, close / 1000000, decimal(volume), count);
}

static void say_latest(char *text, size_t size, int64_t time, int64_t price, struct market_decimal volume,
                       struct market_decimal bid, struct market_decimal ask)
{
    snprintf(text, size, "%" PRId64 " %" PRId64 " volume %s bid %s ask %s", time, price / 1000000, decimal(volume),
             decimal(bid), decimal(ask));
}

static void take_bar(struct weir_bytes value)
{
    struct weir_arena     arena;
    struct market_bar     bar = { 0 };
    struct market_decimal volume;
    struct last          *last;
    char                  name[80];

    weir__arena_init(&arena, 0);
    ck_assert_int_eq(market_bar->decode(market_bar, &arena, value, &bar), WEIR_OK);
    snprintf(name, sizeof(name), "%.*s %" PRId64, (int)bar.interval.size, bar.interval.data, bar.window_start);
    last = last_of(name);
    /* read one after the other, each is greater than the one before */
    ck_assert(bar.epoch > last->epoch || (bar.epoch == last->epoch && bar.revision > last->revision));
    last->epoch = bar.epoch;
    last->revision = bar.revision;
    volume = (struct market_decimal){ .units = (int64_t)bar.volume.units, .given = bar.volume.given };
    say_bar(last->text, sizeof(last->text), bar.open, bar.high, bar.low, bar.close, volume, bar.trade_count);
    weir__arena_fini(&arena);
}

static void take_latest(struct weir_bytes value)
{
    struct weir_arena    arena;
    struct market_latest latest = { 0 };
    struct last         *last = last_of("latest");

    weir__arena_init(&arena, 0);
    ck_assert_int_eq(market_latest->decode(market_latest, &arena, value, &latest), WEIR_OK);
    say_latest(last->text, sizeof(last->text), latest.event_time, latest.price, latest.volume, latest.bid_price,
               latest.ask_price);
    weir__arena_fini(&arena);
}

static uint32_t flags; /* of the last tick that left normalization */

static void take_tick(struct weir_bytes value)
{
    struct weir_arena  arena;
    struct market_tick tick = { 0 };

    weir__arena_init(&arena, 0);
    ck_assert_int_eq(market_tick->decode(market_tick, &arena, value, &tick), WEIR_OK);
    flags = tick.quality_flags;
    weir__arena_fini(&arena);
}

static void pass_on(size_t stage, const struct weir_output *output)
{
    if (strstr(output->topic, "deadletter") != NULL) {
        dead_letters++;
        return;
    }
    if (strncmp(output->topic, "normalized", 10) == 0)
        take_tick(output->value);
    if (alone)
        return;
    if (strncmp(output->topic, "aggregated.market.bars", 22) == 0)
        take_bar(output->value);
    if (strncmp(output->topic, "served.market.latest_prices", 27) == 0)
        take_latest(output->value);
    for (size_t next = stage + 1; next < STAGES; next++) {
        int err = weir_driver_pipe(drivers[next], output->topic, output->key, output->value, output->timestamp,
                                   output->headers, output->header_count, &error);

        ck_assert_msg(err == WEIR_OK || err == WEIR_NOTFOUND, "%s", error.text);
    }
}

static void pump(void)
{
    struct weir_output output;

    for (size_t i = 0; i < STAGES; i++)
        while (weir_driver_read(drivers[i], &output) == WEIR_OK)
            pass_on(i, &output);
}

static void finish_chain(void)
{
    for (size_t i = 0; i < STAGES; i++) {
        pump();
        OK(weir_driver_finish(drivers[i], &error));
    }
    pump();
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct last *)a)->name, ((const struct last *)b)->name);
}

/* All that is said in the end as one text; the caller frees it. */
static char *told(void)
{
    char  *text = NULL;
    size_t size = 0;
    FILE  *file = open_memstream(&text, &size);

    qsort(lasts, last_count, sizeof(lasts[0]), by_name);
    for (size_t i = 0; i < last_count; i++)
        fprintf(file, "%s: %s\n", lasts[i].name, lasts[i].text);
    fclose(file);
    return text;
}

/* ---- polls of one price ---- */

/* Prices and volumes in hundredths; INT64_MIN: null. */
struct poll {
    int     hour;
    int64_t revision, ingested; /* seconds after the event */
    int64_t price, volume, bid, ask;
};
#define NONE INT64_MIN

static void put_number(FILE *file, const char *name, int64_t value)
{
    if (value != NONE)
        fprintf(file, ",\"%s\":%s%" PRId64 ".%02d", name, value < 0 ? "-" : "", (value < 0 ? -value : value) / 100,
                (int)((value < 0 ? -value : value) % 100));
}

static void pipe_raw(const char *topic, const char *text, int64_t time)
{
    struct weir_header header = { .name = loaded ? MARKET_HEADER_REPLAY : MARKET_HEADER_BACKFILL };

    if (backfill != NULL)
        header.value = BYTES(backfill, strlen(backfill));
    OK(weir_driver_pipe(drivers[0], topic, NO_BYTES, BYTES(text, strlen(text)), time / 1000, &header,
                        backfill != NULL, &error));
    pump();
}

static void pipe_poll(const struct poll *poll)
{
    char    text[1000];
    FILE   *file = fmemopen(text, sizeof(text), "w");
    int64_t time = BEGIN + poll->hour * HOUR;

    fprintf(
        file,
        "{\"envelope\":{\"event_id\":\"e\",\"tenant_id\":\"acme\",\"source\":\"s\",\"timestamp\":%" PRId64
        "},\"payload\":{\"market\":\"PJM\",\"instrument_id\":\"PJM.WESTERN.HUB.RT1H\",\"raw_data\":{\"timestamp\":"
        "%" PRId64 ",\"revision\":%" PRId64,
        time + poll->ingested * SECOND, time, poll->revision);
    put_number(file, "price", poll->price);
    put_number(file, "volume", poll->volume);
    put_number(file, "bid", poll->bid);
    put_number(file, "ask", poll->ask);
    fprintf(file, "}}}");
    fclose(file);
    pipe_raw("ingestion.pjm.raw.v1", text, time);
}

/* ---- the plain computation ---- */

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

/* By revision, ingestion, price, volume, bid, ask; null is the least number there is. */
static int compare_polls(const struct poll *a, const struct poll *b)
{
    const int64_t parts[][2] = { { a->revision, b->revision }, { a->ingested, b->ingested }, { a->price, b->price },
                                 { a->volume, b->volume },     { a->bid, b->bid },           { a->ask, b->ask } };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i][0] != parts[i][1])
            return compare(parts[i][0], parts[i][1]);
    return 0;
}

static const struct poll *greatest(const struct poll *polls, size_t count, int hour)
{
    const struct poll *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (polls[i].hour == hour && polls[i].price != NONE && (best == NULL || compare_polls(&polls[i], best) > 0))
            best = &polls[i];
    return best;
}

static struct market_decimal of_hundredths(int64_t value)
{
    return value == NONE ? MARKET_NULL_DECIMAL : MARKET_DECIMAL(value * 1000000);
}

/* An hour's price is alone in its minute, its five minutes and its hour; the day's bar is left out. */
static void expect(const struct poll *polls, size_t count, int hours, const char *said)
{
    static const char *const intervals[] = { "1m", "5m", "1h" };
    char                     line[500], text[400];
    const struct poll       *best = NULL;

    for (int hour = 0; hour < hours; hour++) {
        const struct poll *found = greatest(polls, count, hour);

        for (size_t i = 0; found != NULL && i < ARRAY_SIZE(intervals); i++) {
            int64_t price = found->price * 1000000;

            say_bar(text, sizeof(text), price, price, price, price, of_hundredths(found->volume), 1);
            snprintf(line, sizeof(line), "%s %" PRId64 ": %s\n", intervals[i], BEGIN + hour * HOUR, text);
            ck_assert_msg(strstr(said, line) != NULL, "not said: %s", line);
        }
        best = found != NULL ? found : best;
    }
    say_latest(text, sizeof(text), BEGIN + best->hour * HOUR, best->price * 1000000, of_hundredths(best->volume),
               of_hundredths(best->bid), of_hundredths(best->ask));
    snprintf(line, sizeof(line), "latest: %s\n", text);
    ck_assert_msg(strstr(said, line) != NULL, "not said: %s", line);
}

/* Pipes them in their order through new topologies; what is said in the end. */
static char *run_polls(const struct poll *polls, size_t count)
{
    char *said;

    open_chain();
    for (size_t i = 0; i < count; i++)
        pipe_poll(&polls[i]);
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    said = told();
    close_chain();
    return said;
}

static void shuffle(struct poll *polls, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t      j = (size_t)dice((int)i);
        struct poll spare = polls[i - 1];

        polls[i - 1] = polls[j];
        polls[j] = spare;
    }
}

/* ---- tests ---- */

START_TEST(a_content_polled_again_stands_before_what_came_in_between)
{
    static const int  orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    const struct poll given[] = {
        { .revision = 1, .ingested = 1, .price = 2000, .volume = NONE, .bid = NONE, .ask = NONE },
        { .revision = 1, .ingested = 3, .price = 3000, .volume = NONE, .bid = NONE, .ask = NONE },
        { .revision = 1, .ingested = 5, .price = 2000, .volume = NONE, .bid = NONE, .ask = NONE },
    };
    struct poll polls[3];
    char       *said;

    for (size_t i = 0; i < 3; i++)
        polls[i] = given[orders[_i][i]];
    said = run_polls(polls, 3);
    expect(polls, 3, 1, said);
    free(said);
}
END_TEST

enum { POLLS = 160, HOURS_LONG = 30 };

static void make_polls(struct poll polls[POLLS])
{
    for (size_t i = 0; i < POLLS; i++) {
        const struct poll *like = &polls[i > 0 ? dice((int)i) : 0];

        polls[i] = (struct poll){ .hour = dice(HOURS_LONG),
                                  .price = dice(5) * 1000 - 1000,
                                  .volume = dice(2) ? dice(2) * 100 : NONE,
                                  .bid = dice(2) ? dice(2) * 100 : NONE,
                                  .ask = NONE };
        if (i > 0 && dice(2))
            polls[i] = *like;
        if (dice(10) == 0) { /* a quote of the same hour, which is no price */
            polls[i].price = NONE;
            polls[i].ask = 100 + dice(3) * 100;
        }
        polls[i].revision = 1 + dice(8) / 7;
        polls[i].ingested = dice(6);
    }
}

START_TEST(polls_in_any_order_say_what_a_plain_computation_says)
{
    struct poll polls[POLLS];
    char       *first, *said;

    random_state = (uint64_t)_i * 7919 + 1;
    make_polls(polls);
    first = run_polls(polls, POLLS);
    expect(polls, POLLS, HOURS_LONG, first);
    for (int again = 0; again < 3; again++) {
        shuffle(polls, POLLS);
        said = run_polls(polls, POLLS);
        ck_assert_msg(strcmp(said, first) == 0, "another order, another end");
        free(said);
    }
    free(first);
}
END_TEST

/* Polls of one content are sent on once, whenever they come: aggregation is not asked about each. */
START_TEST(a_poll_that_changes_nothing_is_not_sent_on)
{
    struct poll poll = { .revision = 1, .price = 2000, .volume = NONE, .bid = NONE, .ask = NONE };

    open_chain();
    for (poll.ingested = 0; poll.ingested < 10; poll.ingested++)
        pipe_poll(&poll);
    poll.ingested = 4;
    poll.price = 3000;
    pipe_poll(&poll);
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_dropped_total", "reason", "duplicate"), 9);
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_dropped_total", "reason", "superseded"), 1);
    finish_chain();
    free(told());
    close_chain();
}
END_TEST

START_TEST(another_bid_is_another_content)
{
    struct poll polls[] = {
        { .revision = 1, .price = 2000, .volume = NONE, .bid = 1900, .ask = 2100 },
        { .revision = 1, .price = 2000, .volume = NONE, .bid = 1950, .ask = 2100 },
        { .revision = 1, .price = 2000, .volume = NONE, .bid = 1950, .ask = 2050 },
    };
    struct poll turned[] = { polls[2], polls[1], polls[0] };
    char       *said = run_polls(polls, 3), *other = run_polls(turned, 3);

    ck_assert_ptr_nonnull(strstr(said, " bid 1950 ask 2100\n"));
    ck_assert_str_eq(said, other);
    free(said);
    free(other);
}
END_TEST

/* ---- backfill ---- */

/* What is said of an hour's price, and under which epoch. */
static void expect_hour(int hour, int64_t price, int64_t epoch)
{
    static const char *const intervals[] = { "1m", "5m", "1h" };
    char                     name[80], text[400];

    for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
        int64_t units = price * 1000000;

        snprintf(name, sizeof(name), "%s %" PRId64, intervals[i], BEGIN + hour * HOUR);
        say_bar(text, sizeof(text), units, units, units, units, MARKET_NULL_DECIMAL, 1);
        ck_assert_str_eq(last_of(name)->text, text);
        ck_assert_int_eq(last_of(name)->epoch, epoch);
    }
}

static void pipe_hour(int hour, int64_t price, int64_t revision)
{
    pipe_poll(&(struct poll){
        .hour = hour, .price = price, .revision = revision, .volume = NONE, .bid = NONE, .ask = NONE });
}

/* 00:00 in New York of the n-th day is hour 24 n + 5. */
enum { NIGHT = 5, DAYS_LONG = 8 };

static void pipe_days(void)
{
    for (int hour = NIGHT; hour < NIGHT + 24 * DAYS_LONG; hour++)
        pipe_hour(hour, 1000 + hour, 1);
}

static void expect_day(int day, int64_t open, int64_t close, int64_t count, int64_t epoch)
{
    char name[80], begin[80];

    snprintf(name, sizeof(name), "1d %" PRId64, BEGIN + (24 * day + NIGHT) * HOUR);
    ck_assert_int_eq(last_of(name)->epoch, epoch);
    snprintf(begin, sizeof(begin), "%" PRId64 " ", open);
    ck_assert_int_eq(strncmp(last_of(name)->text, begin, strlen(begin)), 0);
    snprintf(begin, sizeof(begin), " %" PRId64 " volume null count %" PRId64, close, count);
    ck_assert_msg(strstr(last_of(name)->text, begin) != NULL, "day %d: %s", day, last_of(name)->text);
}

START_TEST(a_backfill_begins_windows_anew_that_have_left)
{
    open_chain();
    pipe_days();
    backfill = "1";
    for (int hour = NIGHT + 24; hour < NIGHT + 72; hour++) /* two days, one hour of them revised */
        pipe_hour(hour, hour == 50 ? 7 : 1000 + hour, hour == 50 ? 2 : 1);
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    for (int hour = NIGHT; hour < NIGHT + 24 * DAYS_LONG; hour++)
        expect_hour(hour, hour == 50 ? 7 : 1000 + hour, hour >= NIGHT + 24 && hour < NIGHT + 72 ? 2 : 1);
    expect_day(0, 1000 + NIGHT, 1000 + NIGHT + 23, 24, 1);
    expect_day(1, 1000 + NIGHT + 24, 1000 + NIGHT + 47, 24, 2);
    expect_day(2, 1000 + NIGHT + 48, 1000 + NIGHT + 71, 24, 2);
    expect_day(3, 1000 + NIGHT + 72, 1000 + NIGHT + 95, 24, 1);
    close_chain();
}
END_TEST

START_TEST(of_two_backfills_the_later_one_wins)
{
    open_chain();
    pipe_days();
    backfill = "1";
    for (int hour = NIGHT; hour < NIGHT + 24; hour++)
        pipe_hour(hour, 7, 2);
    backfill = "2";
    for (int hour = NIGHT; hour < NIGHT + 23; hour++) /* the last hour is gone: it is not of this backfill's day */
        pipe_hour(hour, 8, 1);
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    for (int hour = NIGHT; hour < NIGHT + 23; hour++)
        expect_hour(hour, 8, 3);
    expect_hour(NIGHT + 23, 7, 2);
    expect_day(0, 8, 8, 23, 3);
    close_chain();
}
END_TEST

START_TEST(windows_that_are_there_go_on_under_a_backfill)
{
    const int last = NIGHT + 24 * DAYS_LONG - 1;

    open_chain();
    pipe_days();
    backfill = "1";
    for (int hour = last - 60; hour <= last; hour++) /* the last days: their windows have not left */
        pipe_hour(hour, hour % 2 ? 1000 + hour : 9, 2);
    pipe_hour(last, 5, 1); /* and this counts less */
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    for (int hour = last - 60; hour <= last; hour++)
        expect_hour(hour, hour % 2 ? 1000 + hour : 9, 1);
    close_chain();
}
END_TEST

/* A backfill may be cut anywhere: a day of which some minutes are too old for live ticks is there, and goes on. */
START_TEST(a_backfill_across_the_edge_of_what_is_there)
{
    open_chain();
    pipe_days();
    backfill = "1";
    for (int hour = NIGHT; hour < NIGHT + 24 * DAYS_LONG; hour++) {
        pipe_hour(hour, 3000 + hour, 2);
        if (hour % 17 == 0)
            OK(weir_driver_crash(drivers[2], true, &error));
    }
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    for (int hour = NIGHT; hour < NIGHT + 24 * DAYS_LONG; hour++)
        expect_hour(hour, 3000 + hour, hour < NIGHT + 24 * (DAYS_LONG - 3) ? 2 : 1);
    for (int day = 0; day < DAYS_LONG; day++)
        expect_day(day, 3000 + NIGHT + 24 * day, 3000 + NIGHT + 24 * day + 23, 24, day < DAYS_LONG - 3 ? 2 : 1);
    close_chain();
}
END_TEST

START_TEST(a_backfill_moves_no_time_and_refuses_nothing)
{
    open_chain();
    pipe_hour(1000, 1, 1);
    backfill = "1";
    pipe_hour(5000, 2, 1); /* long after the instrument's time, and after its ingestion, as `load` sends it */
    pipe_hour(10, 2, 1);
    backfill = NULL;
    pipe_hour(999, 3, 1); /* taken: the time is that of hour 1000 still */
    ck_assert_uint_eq(dead_letters, 0);
    pipe_hour(900, 3, 1); /* too late, as before */
    ck_assert_uint_eq(dead_letters, 1);
    finish_chain();
    expect_hour(999, 3, 1);
    expect_hour(5000, 2, 1);
    expect_hour(10, 2, 2);
    close_chain();
}
END_TEST

/* What load brings too late is a backfill, under the instrument's next epoch whatever the number. */
START_TEST(what_is_loaded_too_late_goes_as_backfill)
{
    open_chain();
    loaded = true;
    backfill = "3";
    pipe_hour(1000, 1, 1);
    backfill = "5";
    pipe_hour(10, 2, 1);
    pipe_hour(999, 3, 1); /* not too late */
    pipe_hour(1001, 4, 1);
    backfill = "9";
    pipe_hour(10, 5, 1);
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    expect_hour(10, 5, 3);
    expect_hour(999, 3, 1);
    expect_hour(1000, 1, 1);
    expect_hour(1001, 4, 1);
    close_chain();
}
END_TEST

START_TEST(an_old_price_of_a_backfill_is_not_the_latest)
{
    open_chain();
    pipe_hour(1000, 1, 1);
    backfill = "1";
    pipe_hour(10, 2, 1);
    finish_chain();
    ck_assert_ptr_nonnull(strstr(last_of("latest")->text, " 1 volume null"));
    close_chain();
}
END_TEST

/* ---- trades ---- */

static void pipe_trade(int64_t second, int64_t number, int64_t price, int64_t volume)
{
    char    text[600];
    int64_t time = BEGIN + second * SECOND;

    snprintf(text, sizeof(text),
             "{\"event_id\":\"e\",\"tenant_id\":\"acme\",\"producer\":\"p\",\"occurred_at\":%" PRId64
             ",\"ingested_at\":%" PRId64
             ",\"payload\":{\"source_system\":\"s\",\"market\":\"CME\",\"symbol\":\"SYM\",\"sequence\":%" PRId64
             ",\"raw_payload\":\"{\\\"last_price\\\":%" PRId64 ",\\\"volume\\\":%" PRId64 "}\"}}",
             time, time, number, price, volume);
    pipe_raw("ingestion.market.ticks.raw.v1", text, time);
}

static void expect_minute(int64_t second, const char *text, int64_t epoch)
{
    char name[80];

    snprintf(name, sizeof(name), "1m %" PRId64, BEGIN + second * SECOND);
    ck_assert_str_eq(last_of(name)->text, text);
    ck_assert_int_eq(last_of(name)->epoch, epoch);
}

static void expect_hour_of_trades(const char *text, int64_t epoch)
{
    char name[80];

    snprintf(name, sizeof(name), "1h %" PRId64, BEGIN);
    ck_assert_str_eq(last_of(name)->text, text);
    ck_assert_int_eq(last_of(name)->epoch, epoch);
}

START_TEST(a_backfill_folds_trades_anew)
{
    open_chain();
    for (int i = 0; i < 240; i++) /* four minutes, a trade a second */
        pipe_trade(i, i, 100, 1);
    pipe_trade(600, 600, 100, 1);
    pipe_trade(30, 30, 500, 1); /* cannot be taken out of a fold */
    ck_assert_uint_eq(dead_letters, 1);
    backfill = "1";
    for (int i = 0; i < 120; i++) { /* two of the minutes, one trade another price, each sent twice */
        pipe_trade(i, i, i == 30 ? 500 : 100, 1);
        pipe_trade(i, i, i == 30 ? 500 : 100, 1);
    }
    finish_chain();
    ck_assert_uint_eq(dead_letters, 1);
    expect_minute(0, "10000 50000 10000 10000 volume 6000 count 60", 2);
    expect_minute(60, "10000 10000 10000 10000 volume 6000 count 60", 2);
    expect_minute(120, "10000 10000 10000 10000 volume 6000 count 60", 1);
    expect_hour_of_trades("10000 50000 10000 10000 volume 24100 count 241", 1);
    close_chain();
}
END_TEST

START_TEST(a_backfill_brings_trades_back_that_have_left)
{
    const int64_t far = 10 * 86400;

    open_chain();
    for (int i = 0; i < 120; i++)
        pipe_trade(i, i, 100, 1);
    pipe_trade(far, far, 100, 1);
    for (int run = 1; run < 3; run++) {
        backfill = run == 1 ? "1" : "2";
        for (int i = 0; i < 120; i++)
            pipe_trade(i, i, 100 * run, run);
    }
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    expect_minute(0, "20000 20000 20000 20000 volume 12000 count 60", 3);
    expect_minute(far, "10000 10000 10000 10000 volume 100 count 1", 1);
    expect_hour_of_trades("20000 20000 20000 20000 volume 24000 count 120", 3);
    close_chain();
}
END_TEST

/* ---- rebuilds ---- */

enum { SECOND_EPOCH = 1000001 };

/* Normalization and enrichment forget all: what is piped comes to aggregation once more. */
static void forget_upstream(void)
{
    struct weir_driver_config config = { .wall_clock = BEGIN / 1000 + DAYS(30) };

    for (size_t i = 0; i < 2; i++) {
        weir_driver_free(drivers[i]);
        OK(weir_driver_open(chain[i], &config, weir_engines, &drivers[i], &error));
    }
}

/* What is piped now comes to aggregation and projection as a replay that supersedes. */
static void supersede(void)
{
    for (size_t i = 2; i < STAGES; i++)
        OK(weir_driver_rebuild(drivers[i], 2, true, &error));
    forget_upstream();
}

START_TEST(epochs_of_a_rebuild_go_before_all_of_the_one_before_it)
{
    ck_assert_int_eq(market_first_epoch(1), 1);
    ck_assert_int_eq(market_first_epoch(2), SECOND_EPOCH);
    ck_assert(market_is_first_epoch(1) && market_is_first_epoch(SECOND_EPOCH));
    ck_assert(!market_is_first_epoch(2) && !market_is_first_epoch(1000000));
    open_chain();
    for (size_t i = 2; i < STAGES; i++) /* before the first record: as after a reset */
        OK(weir_driver_rebuild(drivers[i], 2, false, &error));
    pipe_days();
    backfill = "1";
    for (int hour = NIGHT; hour < NIGHT + 24; hour++)
        pipe_hour(hour, 7, 1);
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    expect_hour(NIGHT, 7, SECOND_EPOCH + 1);
    expect_day(0, 7, 7, 24, SECOND_EPOCH + 1);
    expect_hour(NIGHT + 24, 1000 + NIGHT + 24, SECOND_EPOCH);
    expect_day(1, 1000 + NIGHT + 24, 1000 + NIGHT + 47, 24, SECOND_EPOCH);
    close_chain();
}
END_TEST

/* The rows of prices are all there: each window that a known price comes to is said again, whole. */
START_TEST(prices_that_are_replayed_say_their_windows_again)
{
    const int last = NIGHT + 24 * (DAYS_LONG - 1);

    open_chain();
    pipe_days();
    supersede();
    for (int hour = last; hour < last + 24; hour += 2)
        pipe_hour(hour, 1000 + hour, 1);
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    for (int hour = NIGHT; hour < last + 23; hour++)
        expect_hour(hour, 1000 + hour, hour >= last && (hour - last) % 2 == 0 ? SECOND_EPOCH : 1);
    expect_day(DAYS_LONG - 2, 1000 + last - 24, 1000 + last - 1, 24, 1);
    expect_day(DAYS_LONG - 1, 1000 + last, 1000 + last + 23, 24, SECOND_EPOCH);
    close_chain();
}
END_TEST

START_TEST(what_was_backfilled_and_is_replayed_is_of_a_greater_epoch_too)
{
    open_chain();
    pipe_days();
    for (int run = 0; run < 2; run++) {
        backfill = "1";
        for (int hour = NIGHT; hour < NIGHT + 24; hour++)
            pipe_hour(hour, 7, 2);
        if (run == 0)
            supersede();
    }
    finish_chain();
    expect_hour(NIGHT, 7, SECOND_EPOCH + 1);
    expect_day(0, 7, 7, 24, SECOND_EPOCH + 1);
    expect_hour(NIGHT + 24, 1000 + NIGHT + 24, 1);
    close_chain();
}
END_TEST

/* Of trades a fold is all there is: it holds what is replayed, and is said again. */
START_TEST(trades_that_are_replayed_say_their_windows_again)
{
    open_chain();
    for (int i = 0; i < 240; i++)
        pipe_trade(i, i, 100, 1);
    pipe_trade(600, 600, 100, 1);
    supersede();
    for (int i = 60; i < 120; i++)
        pipe_trade(i, i, 100, 1);
    pipe_trade(600, 600, 100, 1);
    for (size_t i = 2; i < STAGES; i++) /* the end of the replay */
        OK(weir_driver_rebuild(drivers[i], 2, false, &error));
    pipe_trade(601, 601, 100, 1);
    pipe_trade(190, 1000, 100, 1);
    finish_chain();
    ck_assert_uint_eq(dead_letters, 0);
    expect_minute(0, "10000 10000 10000 10000 volume 6000 count 60", 1);
    expect_minute(60, "10000 10000 10000 10000 volume 6000 count 60", SECOND_EPOCH);
    expect_minute(120, "10000 10000 10000 10000 volume 6000 count 60", 1);
    expect_minute(180, "10000 10000 10000 10000 volume 6100 count 61", SECOND_EPOCH);
    expect_minute(600, "10000 10000 10000 10000 volume 200 count 2", SECOND_EPOCH);
    expect_hour_of_trades("10000 10000 10000 10000 volume 24300 count 243", SECOND_EPOCH);
    close_chain();
}
END_TEST

/* Without another epoch nothing is said that was said, and nothing is refused that was taken. */
START_TEST(a_replay_changes_nothing_that_state_knows)
{
    char *before, *after;

    open_chain();
    pipe_days();
    for (int i = 0; i < 240; i++)
        pipe_trade(i, i, 100, 1);
    pump();
    before = told();
    for (size_t i = 2; i < STAGES; i++)
        OK(weir_driver_rebuild(drivers[i], 1, true, &error));
    forget_upstream();
    pipe_days();
    for (int i = 0; i < 240; i++)
        pipe_trade(i, i, 100, 1);
    after = told();
    ck_assert_str_eq(before, after);
    ck_assert_uint_eq(dead_letters, 0);
    free(before);
    free(after);
    close_chain();
}
END_TEST

/* ---- quality flags ---- */

static const char *node = "HB NORTH";

/* A connector's price of a hub at an hour. */
static void pipe_lmp(int hour, const char *price, int64_t ingested)
{
    char    text[600];
    int64_t time = BEGIN + hour * HOUR;

    snprintf(text, sizeof(text),
             "{\"event_id\":\"e\",\"tenant_id\":\"acme\",\"producer\":\"p\",\"ingested_at\":%" PRId64
             ",\"payload\":{\"market\":\"ERCOT\",\"data_type\":\"dam\",\"node\":\"%s\",\"timestamp\":%" PRId64
             ",\"lmp_usd_per_mwh\":%s,\"mcc_usd_per_mwh\":-3}}",
             time + ingested * SECOND, node, time, price);
    pipe_raw("ingestion.ercot.raw.v1", text, time);
}

/* Of the price: its component comes behind it. */
static uint32_t flags_of_lmp(int hour, const char *price, int64_t ingested)
{
    struct weir_output output;

    pipe_lmp(hour, price, ingested);
    while (weir_driver_read_topic(drivers[0], "normalized.market.ticks.v1", &output) == WEIR_OK)
        if (memcmp((const char *)output.key.data + output.key.size - 4, ".MCC", 4) != 0)
            take_tick(output.value);
    return flags;
}

START_TEST(a_tick_is_flagged_by_itself)
{
    open_chain();
    alone = true;
    ck_assert_uint_eq(flags_of_lmp(0, "20.5", 0), MARKET_VALID);
    pipe_lmp(1, "21", 0); /* and of its component the sign is free */
    ck_assert_uint_eq(flags, MARKET_VALID);
    ck_assert_uint_eq(flags_of_lmp(2, "-0.01", 0), MARKET_PRICE_NEGATIVE);
    ck_assert_uint_eq(flags_of_lmp(3, "-100.01", 0), MARKET_PRICE_NEGATIVE | MARKET_OUT_OF_RANGE);
    ck_assert_uint_eq(flags_of_lmp(4, "10000", 0), MARKET_VALID);
    ck_assert_uint_eq(flags_of_lmp(5, "10000.01", 0), MARKET_OUT_OF_RANGE);
    ck_assert_uint_eq(flags_of_lmp(6, "20", 3600 + 300), MARKET_VALID);
    ck_assert_uint_eq(flags_of_lmp(7, "20", 3600 + 301), MARKET_LATE_ARRIVAL);
    pipe_hour(8, 2000, 1); /* an envelope that says neither where its instrument is, nor a volume */
    ck_assert_uint_eq(flags & ~(uint32_t)MARKET_LATE_ARRIVAL, MARKET_MISSING_METADATA | MARKET_MISSING_VOLUME);
    pipe_trade(1, 1, 100, 1);
    ck_assert_uint_eq(flags, MARKET_VALID);
    close_chain();
}
END_TEST

START_TEST(a_price_that_stands_out_is_a_spike)
{
    open_chain();
    alone = true;
    for (int hour = 0; hour < 9; hour++)
        ck_assert_uint_eq(flags_of_lmp(hour, hour % 2 ? "21" : "20", 0), MARKET_VALID);
    ck_assert_uint_eq(flags_of_lmp(9, "90", 0), MARKET_VALID); /* too few to tell */
    for (int hour = 10; hour < 100; hour++)
        (void)flags_of_lmp(hour, hour % 2 ? "21" : "20", 0);
    ck_assert_uint_eq(flags_of_lmp(100, "24", 0), MARKET_VALID);
    ck_assert_uint_eq(flags_of_lmp(101, "90", 0), MARKET_PRICE_SPIKE);
    ck_assert_uint_eq(flags_of_lmp(101, "20", 1), MARKET_CORRECTION);
    ck_assert_uint_eq(flags_of_lmp(10, "20", 1), MARKET_UNVERIFIED); /* more than 48 h ago */
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_noted_total", "what", "price_spike"), 1);
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_noted_total", "what", "unverified"),
                        2); /* its component */
    backfill = "1";
    ck_assert_uint_eq(flags_of_lmp(100, "24", 0), MARKET_DUPLICATE);
    backfill = NULL;
    for (int i = 0; i < 50; i++)
        pipe_trade(i, i, 100, 10 + i % 3);
    ck_assert_uint_eq(flags, MARKET_VALID);
    pipe_trade(50, 50, 100, 500);
    ck_assert_uint_eq(flags, MARKET_VOLUME_SPIKE);
    close_chain();
}
END_TEST

START_TEST(limits_and_components_are_configuration)
{
    static const char *const settings[] = { "normalization.decoded.limits= pjm=-1..1, ERCOT = -5 .. 20.5",
                                            "normalization.decoded.components=off", NULL };

    open_chain_with(settings);
    ck_assert_uint_eq(flags_of_lmp(0, "20.5", 0), MARKET_VALID);
    ck_assert_uint_eq(flags_of_lmp(1, "20.51", 0), MARKET_OUT_OF_RANGE);
    ck_assert_uint_eq(flags_of_lmp(2, "-5", 0), MARKET_PRICE_NEGATIVE);
    pipe_lmp(3, "-6", 0); /* its component would come behind it */
    ck_assert_uint_eq(flags, MARKET_PRICE_NEGATIVE | MARKET_OUT_OF_RANGE);
    close_chain();
}
END_TEST

START_TEST(limits_that_are_none_are_said)
{
    static const char *const bad[][2] = {
        { "normalization.decoded.limits=ERCOT", "MARKET=LEAST..GREATEST" },
        { "normalization.decoded.limits=ERCOT=1", "MARKET=LEAST..GREATEST" },
        { "normalization.decoded.limits=ERCOT=2..1", "MARKET=LEAST..GREATEST" },
        { "normalization.decoded.limits=ERKOT=1..2", "ERKOT=1..2" },
        { "normalization.decoded.fallback=maybe", "on or off" },
        { "normalization.judged.fallback_age=soon", "a duration" },
        { "normalization.decoded.limit=x", "did you mean \"limits\"" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *const         settings[] = { bad[i][0], NULL };
        struct weir_driver_config config = { .settings = settings };

        ck_assert_int_eq(weir_driver_open(&normalization, &config, weir_engines, &drivers[0], &error),
                         WEIR_BAD_CONFIG);
        ck_assert_msg(strstr(error.text, bad[i][1]) != NULL, "%s", error.text);
    }
}
END_TEST

/* How far ahead of its ingestion an event may lie is its product's. */
static bool is_taken(const char *topic, const char *payload, int64_t ahead)
{
    size_t before = dead_letters;
    char   text[700];

    snprintf(text, sizeof(text),
             "{\"event_id\":\"e\",\"ingested_at\":%" PRId64 ",\"occurred_at\":%" PRId64
             ",\"payload\":{%s,\"timestamp\":%" PRId64 "}}",
             (int64_t)BEGIN, (int64_t)BEGIN + ahead, payload, (int64_t)BEGIN + ahead);
    pipe_raw(topic, text, BEGIN);
    return before == dead_letters;
}

START_TEST(what_lies_too_far_ahead_is_refused)
{
#define RAW(topic)        "ingestion." topic ".raw.v1"
#define HUB(market, type) "\"market\":\"" market "\",\"data_type\":\"" type "\",\"node\":\"N" type "\",\"lmp\":5"
#define TRADE_OF(symbol) \
    "\"market\":\"CME\",\"source_system\":\"s\",\"symbol\":\"" symbol "\",\"raw_payload\":\"{\\\"price\\\":1}\""
    open_chain();
    ck_assert(is_taken(RAW("pjm"), HUB("PJM", "rtm_lmp"), 300 * SECOND));
    ck_assert(!is_taken(RAW("pjm"), HUB("PJM", "rtm_lmp"), 300 * SECOND + 1));
    ck_assert(is_taken(RAW("pjm"), HUB("PJM", "lmp"), 72 * HOUR));
    ck_assert(!is_taken(RAW("pjm"), HUB("PJM", "lmp"), 72 * HOUR + 1));
    ck_assert(!is_taken(RAW("market.ticks"), TRADE_OF("SPY"), 301 * SECOND));
    ck_assert(is_taken(RAW("market.ticks"), TRADE_OF("GC/201312"), 9000 * HOUR));
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_dropped_total", "reason", "too_far_ahead"), 3);
    loaded = true;
    backfill = "7";
    ck_assert(is_taken(RAW("pjm"), HUB("PJM", "rtm_lmp"), 400 * HOUR));
    loaded = false;
    ck_assert(is_taken(RAW("pjm"), HUB("PJM", "rtm_lmp"), 500 * HOUR));
    backfill = NULL;
    close_chain();
}
END_TEST

/* ---- fallback ---- */

START_TEST(a_missing_price_is_refused_unless_it_may_fall_back)
{
    open_chain();
    pipe_lmp(0, "20", 0);
    pipe_lmp(1, "\"\"", 0);
    ck_assert_uint_eq(dead_letters, 1);
    close_chain();
}
END_TEST

START_TEST(a_missing_price_falls_back_on_the_last_one)
{
    static const char *const settings[] = { "normalization.decoded.fallback=on",
                                            "normalization.decoded.components=off",
                                            "normalization.judged.fallback_age=4h", NULL };
    char                     name[80];

    open_chain_with(settings);
    pipe_lmp(0, "\"\"", 0); /* there is none before */
    ck_assert_uint_eq(dead_letters, 1);
    pipe_lmp(1, "20", 0);
    pipe_lmp(5, "null", 0);
    ck_assert_uint_eq(flags, MARKET_FALLBACK);
    ck_assert_ptr_nonnull(strstr(last_of("latest")->text, " 2000 volume null"));
    pipe_lmp(6, "\"\"", 0); /* five hours after the last own price */
    ck_assert_uint_eq(dead_letters, 2);
    snprintf(name, sizeof(name), "%" PRId64 " 2000", BEGIN + 5 * HOUR);
    ck_assert_ptr_nonnull(strstr(last_of("latest")->text, name));
    pipe_lmp(5, "21", -1); /* its own price after all, though ingested before */
    ck_assert_ptr_nonnull(strstr(last_of("latest")->text, " 2100 volume null"));
    ck_assert_uint_eq(flags, MARKET_VALID);
    pipe_lmp(5, "\"\"", 9);
    ck_assert_ptr_nonnull(strstr(last_of("latest")->text, " 2100 volume null"));
    finish_chain();
    ck_assert_uint_eq(dead_letters, 2);
    expect_hour(1, 2000, 1);
    expect_hour(5, 2100, 1);
    ck_assert_double_eq(weir_driver_metric(drivers[2], "weir_records_dropped_total", "reason", "fallback"), 2);
    close_chain();
}
END_TEST

/* Two names of one feed would be one instrument: the second one is refused, the price and its component, and enters nothing. */
START_TEST(two_names_of_one_instrument_are_a_clash)
{
    open_chain();
    pipe_lmp(0, "20", 0);
    node = "HB.NORTH";
    pipe_lmp(0, "30", 1);
    pipe_lmp(1, "30", 0);
    ck_assert_uint_eq(dead_letters, 4);
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_dropped_total", "reason", "name_clash"), 4);
    node = "HB NORTH";
    alone = true;
    ck_assert_uint_eq(flags_of_lmp(1, "20", 0), MARKET_VALID);
    OK(weir_driver_crash(drivers[0], true, &error));
    node = "HB.NORTH";
    pipe_lmp(2, "30", 0);
    ck_assert_uint_eq(dead_letters, 6);
    close_chain();
}
END_TEST

/* PJM has locations of one name that differ in equipment alone. */
START_TEST(two_pieces_of_equipment_of_one_name_are_a_clash)
{
    static const char *const rows[] = { "\"voltage\":\"230 KV\",\"equipment\":\"T-10\"",
                                        "\"voltage\":\"230 KV\",\"equipment\":\"T-20\"",
                                        "\"equipment\":\"T-10\",\"voltage\":\"230 KV\"",
                                        "\"voltage\":\"\",\"equipment\":null" };

    open_chain();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[400];

        snprintf(text, sizeof(text),
                 "{\"event_id\":\"e\",\"tenant_id\":\"acme\",\"ingested_at\":%" PRId64
                 ",\"payload\":{\"market\":\"PJM\",\"data_type\":\"da_hrl_lmps\",\"datetime_beginning_utc\":%" PRId64
                 ",\"pnode_name\":\"ALDENE\",%s,\"total_lmp_da\":\"1\"}}",
                 (int64_t)BEGIN, (int64_t)BEGIN, rows[i]);
        pipe_raw("ingestion.pjm.raw.v1", text, BEGIN);
    }
    ck_assert_uint_eq(dead_letters, 2);
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_dropped_total", "reason", "name_clash"), 2);
    close_chain();
}
END_TEST

/* A share of New York, and one of the same name elsewhere: one name, two instruments. */
START_TEST(one_name_in_markets_of_other_days_is_a_clash)
{
    static const char *const markets[] = { "NASDAQ", "XLON", "ARCA", "XLON" };

    open_chain();
    for (size_t i = 0; i < ARRAY_SIZE(markets); i++) {
        char text[400];

        snprintf(
            text, sizeof(text),
            "{\"event_id\":\"e\",\"tenant_id\":\"acme\",\"occurred_at\":%" PRId64 ",\"payload\":{\"market\":\"%s\","
            "\"source_system\":\"%s\",\"symbol\":\"SPY\",\"sequence\":%zu,\"raw_payload\":\"{\\\"price\\\":1}\"}}",
            (int64_t)BEGIN, markets[i], markets[i], i);
        pipe_raw("ingestion.market.ticks.raw.v1", text, BEGIN);
    }
    ck_assert_uint_eq(dead_letters, 2);
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_dropped_total", "reason", "name_clash"), 2);
    close_chain();
}
END_TEST

/* A hub of one operator, and what another one, whose days are the same, calls so: two places, one name. */
START_TEST(one_name_of_two_operators_is_a_clash)
{
    static const char *const markets[] = { "pjm", "nyiso", "PJM", "iso-ne" };

    open_chain();
    for (size_t i = 0; i < ARRAY_SIZE(markets); i++) {
        char text[400];

        snprintf(text, sizeof(text),
                 "{\"envelope\":{\"event_id\":\"e\",\"tenant_id\":\"acme\",\"source\":\"s\",\"timestamp\":%" PRId64
                 "},"
                 "\"payload\":{\"market\":\"%s\",\"instrument_id\":\"HUB\",\"raw_data\":{\"timestamp\":%" PRId64
                 ",\"price\":%zu}}}",
                 (int64_t)BEGIN, markets[i], (int64_t)BEGIN, i + 1);
        pipe_raw("ingestion.market.raw.v1", text, BEGIN);
    }
    ck_assert_uint_eq(dead_letters, 2);
    ck_assert_double_eq(weir_driver_metric(drivers[0], "weir_records_dropped_total", "reason", "name_clash"), 2);
    close_chain();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("content");
    TCase *tests = tcase_create("content");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_content_polled_again_stands_before_what_came_in_between, 0, 6);
    tcase_add_loop_test(tests, polls_in_any_order_say_what_a_plain_computation_says, 1, 6);
    tcase_add_test(tests, a_poll_that_changes_nothing_is_not_sent_on);
    tcase_add_test(tests, another_bid_is_another_content);
    tcase_add_test(tests, a_backfill_begins_windows_anew_that_have_left);
    tcase_add_test(tests, of_two_backfills_the_later_one_wins);
    tcase_add_test(tests, windows_that_are_there_go_on_under_a_backfill);
    tcase_add_test(tests, a_backfill_across_the_edge_of_what_is_there);
    tcase_add_test(tests, a_backfill_moves_no_time_and_refuses_nothing);
    tcase_add_test(tests, what_is_loaded_too_late_goes_as_backfill);
    tcase_add_test(tests, an_old_price_of_a_backfill_is_not_the_latest);
    tcase_add_test(tests, a_backfill_folds_trades_anew);
    tcase_add_test(tests, a_backfill_brings_trades_back_that_have_left);
    tcase_add_test(tests, epochs_of_a_rebuild_go_before_all_of_the_one_before_it);
    tcase_add_test(tests, prices_that_are_replayed_say_their_windows_again);
    tcase_add_test(tests, what_was_backfilled_and_is_replayed_is_of_a_greater_epoch_too);
    tcase_add_test(tests, trades_that_are_replayed_say_their_windows_again);
    tcase_add_test(tests, a_replay_changes_nothing_that_state_knows);
    tcase_add_test(tests, a_tick_is_flagged_by_itself);
    tcase_add_test(tests, a_price_that_stands_out_is_a_spike);
    tcase_add_test(tests, limits_and_components_are_configuration);
    tcase_add_test(tests, limits_that_are_none_are_said);
    tcase_add_test(tests, what_lies_too_far_ahead_is_refused);
    tcase_add_test(tests, a_missing_price_is_refused_unless_it_may_fall_back);
    tcase_add_test(tests, a_missing_price_falls_back_on_the_last_one);
    tcase_add_test(tests, two_names_of_one_instrument_are_a_clash);
    tcase_add_test(tests, two_pieces_of_equipment_of_one_name_are_a_clash);
    tcase_add_test(tests, one_name_in_markets_of_other_days_is_a_clash);
    tcase_add_test(tests, one_name_of_two_operators_is_a_clash);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
