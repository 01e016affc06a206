/* folds.c: counts, sums and texts over nothing and over windows. */
#include "test/scenario/flow.h"
#include "test/scenario/topologies/verbs.h"

static weir_init from_hundred;

/* clang-format off */
SOURCE(lines, "lines", weir_string, weir_string);
FLAT_MAP_VALUES(words, flow_words);
SINK  (counts_out, "counts", weir_string, weir_int64);
SINK  (out,        "out",    weir_string, weir_string);
SINK  (dead,       "dead",   NULL, NULL);

/* ---- over nothing ---- */

KEYS (counts_s, weir_string, weir_int64);
COUNT(counted,  counts_s);
static TOPOLOGY(counting, .paths = PATHS(PATH(lines, words, counted, counts_out)));

KEYS (each_s, weir_string, weir_int64);
COUNT(each,   each_s, .emit = WEIR_EACH);
static TOPOLOGY(counting_each, .paths = PATHS(PATH(lines, words, each, counts_out)));

KEYS  (texts_s, weir_string, weir_string);
REDUCE(reduced, texts_s, flow_concat);
static TOPOLOGY(reducing, .paths = PATHS(PATH(lines, reduced, out)), .dead_letters = dead);

KEYS     (sums_s, weir_string, weir_int64);
AGGREGATE(summed, sums_s, from_hundred, flow_add);
static TOPOLOGY(summing, .paths = PATHS(PATH(lines, summed, counts_out)), .dead_letters = dead);

/* ---- with a new key: over a repartition topic ---- */

REKEY(by_letter, flow_by_letter, weir_string);
static TOPOLOGY(rekeying, .paths = PATHS(PATH(lines, by_letter, counted, counts_out)), .dead_letters = dead);

REKEY(by_value, flow_by_value, weir_string);
REPARTITION(spread, .partitions = 3);
static TOPOLOGY(repartitioning, .paths = PATHS(PATH(lines, by_value, spread, out)));

/* ---- over windows ---- */

WINDOWS(minutes_s, weir_string, weir_int64, TUMBLING(MINUTES(1), SECONDS(30)));
COUNT  (minutes,   minutes_s);
SINK   (minutes_out, "minutes", WINDOWED(weir_string, MINUTES(1)), weir_int64);
static TOPOLOGY(tumbling, .paths = PATHS(PATH(lines, words, minutes, minutes_out)));

WINDOWS(hops_s, weir_string, weir_int64, HOPPING(MINUTES(2), MINUTES(1), 0));
COUNT  (hops,   hops_s);
SINK   (hops_out, "hops", WINDOWED(weir_string, MINUTES(2)), weir_int64);
static TOPOLOGY(hopping, .paths = PATHS(PATH(lines, hops, hops_out)));

WINDOWS(ages_s, weir_string, weir_string, UNLIMITED(.start = MINUTES(1)));
REDUCE (ages,   ages_s, flow_concat);
SINK   (ages_out, "ages", WINDOWED(weir_string, INT64_MAX), weir_string);
static TOPOLOGY(unlimited, .paths = PATHS(PATH(lines, ages, ages_out)));

WINDOWS(closed_s, weir_string, weir_string, TUMBLING(MINUTES(1), SECONDS(30)));
REDUCE (closed,   closed_s, flow_concat, .emit = WEIR_ON_CLOSE);
SINK   (closed_out, "closed", WINDOWED(weir_string, MINUTES(1)), weir_string);
static TOPOLOGY(closing, .paths = PATHS(PATH(lines, closed, closed_out)), .dead_letters = dead);

WINDOWS(hours_s, weir_string, weir_int64, TUMBLING(MINUTES(1), 0, .retention = MINUTES(5)), .in_memory = WEIR_ON);
COUNT  (hours,   hours_s);
static TOPOLOGY(in_memory, .paths = PATHS(PATH(lines, hours, minutes_out)));
/* clang-format on */

FLOW(counting);
FLOW(counting_each);
FLOW(reducing);
FLOW(summing);
FLOW(rekeying);
FLOW(repartitioning);
FLOW(tumbling);
FLOW(hopping);
FLOW(unlimited);
FLOW(closing);
FLOW(in_memory);

static int from_hundred(struct weir_context *ctx, void *ret)
{
    (void)ctx;
    *(int64_t *)ret = 100;
    return WEIR_OK;
}
