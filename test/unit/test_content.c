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

/* ---- the chain ---- */

static const struct weir_topology *const chain[] = { &normalization, &enrichment, &aggregation, &projection };
enum { STAGES = ARRAY_SIZE(chain) };
static struct weir_driver *drivers[STAGES];
static size_t              dead_letters;

static void open_chain(void)
{
    const struct weir_driver_config config = { .wall_clock = BEGIN / 1000 + DAYS(30) };

    for (size_t i = 0; i < STAGES; i++)
        OK(weir_driver_open(chain[i], &config, weir_engines, &drivers[i], &error));
    dead_letters = 0;
}

static void close_chain(void)
{
    for (size_t i = 0; i < STAGES; i++)
        weir_driver_free(drivers[i]);
}

/* ---- what is said of an instrument in the end ---- */

struct last {
    char    name[80]; /* "1m 1740787200000000", "latest" */
    int64_t epoch, revision;
    char    text[400];
};
static struct last lasts[20000];
static size_t      last_count;

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

static void pass_on(size_t stage, const struct weir_output *output)
{
    if (strstr(output->topic, "deadletter") != NULL) {
        dead_letters++;
        return;
    }
    if (strncmp(output->topic, "aggregated", 10) == 0)
        take_bar(output->value);
    if (strncmp(output->topic, "served", 6) == 0)
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
    last_count = 0;
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
    OK(weir_driver_pipe(drivers[0], "ingestion.pjm.raw.v1", NO_BYTES, BYTES(text, strlen(text)), time / 1000, NULL, 0,
                        &error));
    pump();
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

int main(void)
{
    Suite *suite = suite_create("content");
    TCase *tests = tcase_create("content");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_content_polled_again_stands_before_what_came_in_between, 0, 6);
    tcase_add_loop_test(tests, polls_in_any_order_say_what_a_plain_computation_says, 1, 6);
    tcase_add_test(tests, a_poll_that_changes_nothing_is_not_sent_on);
    tcase_add_test(tests, another_bid_is_another_content);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
