/* test_topology.c: declared topologies as they are described: names, numbers, sub-topologies, order. */
#include "framework/base/base.h"

#include <check.h>
#include <stdlib.h>

#include "framework/topology/topology.h"

/* ---- verbs: nothing is run here ---- */

static int process(struct weir_context *ctx, const struct weir_record *rec)
{
    (void)ctx, (void)rec;
    return WEIR_OK;
}

static int test(struct weir_context *ctx, const struct weir_record *rec) { return process(ctx, rec); }

static int map(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret)
{
    (void)ret;
    return process(ctx, rec);
}

static int key(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    (void)ret_key;
    return process(ctx, rec);
}

static int begin(struct weir_context *ctx, void *ret)
{
    (void)ctx, (void)ret;
    return WEIR_OK;
}

static int fold(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    (void)state;
    return process(ctx, rec);
}

static int unite(struct weir_context *ctx, const void *at, const void *other, void *state)
{
    (void)ctx, (void)at, (void)other, (void)state;
    return WEIR_OK;
}

static int join(struct weir_context *ctx, const void *at, const void *left, const void *right, void *ret)
{
    (void)right;
    return unite(ctx, at, left, ret);
}

static int route(struct weir_context *ctx, const struct weir_record *rec, const char **ret_topic, int32_t *ret_partition)
{
    (void)ret_topic, (void)ret_partition;
    return process(ctx, rec);
}

/* ---- helpers ---- */

static struct weir__plan *compile(const struct weir_topology *topology)
{
    struct weir__plan_config config = { .application = "app", .cache = true };
    struct weir__plan       *plan = NULL;
    struct weir_error        err = { 0 };

    ck_assert_msg(weir__plan_new(topology, &config, &plan, NULL, &err) == WEIR_OK, "%s", err.text);
    return plan;
}

static void described_as(const struct weir_topology *topology, const char *text)
{
    struct weir__plan               *plan = compile(topology);
    AUTO(weir__buf_fini) struct weir__buf buf = { 0 };

    ck_assert_int_eq(weir__plan_describe(plan, &buf), WEIR_OK);
    weir__buf_putc(&buf, '\0');
    ck_assert_str_eq(buf.data, text);
    weir__plan_free(plan);
}

static void refused_for(const struct weir_topology *topology, const char *what)
{
    struct weir__plan *plan = compile(topology);
    struct weir_error  err = { 0 };

    ck_assert_int_eq(weir__plan_check_runnable(plan, &err), WEIR_UNSUPPORTED);
    ck_assert_msg(strstr(err.text, what) != NULL, "%s", err.text);
    weir__plan_free(plan);
}

/* ---- the hard cases of the vocabulary ---- */

/* clang-format off */
SOURCE  (lines,   "lines", weir_string, weir_string);
FLAT_MAP(words,   process);
REKEY   (by_word, key, weir_string);
KEYS    (counts,  weir_string, weir_int64);
COUNT   (counted, counts);
SINK    (out,     "counts", NULL, NULL);
TOPOLOGY(word_count, .paths = PATHS(PATH(lines, words, by_word, counted, out)));

SOURCE  (clicks,  "clicks", weir_string, weir_string);
SOURCE  (buys,    "buys", weir_string, weir_string);
JOIN    (matched, LEFT, buys, join, weir_string, .before = MINUTES(5), .after = MINUTES(10), .grace = SECONDS(30));
SINK    (pairs,   "pairs", weir_string, weir_string);
TOPOLOGY(pairing, .paths = PATHS(PATH(clicks, matched, pairs), PATH(buys)));

KEYS    (orders_s, weir_string, weir_string);
TABLE   (orders,    "orders", orders_s);
TABLE   (customers, "customers", NULL, .key = weir_int64, .value = weir_string);
KEYS    (placed_s,  weir_string, weir_string);
JOIN    (placed,    INNER, customers, join, weir_string, .foreign = key, .into = placed_s);
TOPOLOGY(placing, .paths = PATHS(PATH(orders, placed, pairs)));

WINDOWS (visits_s, weir_string, weir_string, SESSION(MINUTES(30), MINUTES(5)));
COGROUP (visits,   visits_s, begin, ARMS(ARM(clicks, fold), ARM(buys, fold)), .unite = unite);
SINK    (visited,  "visits", SESSIONED(weir_string), weir_string);
TOPOLOGY(visiting, .paths = PATHS(PATH(clicks, visits, visited), PATH(buys, visits)));

SOURCE  (trades, "trades", weir_string, weir_string);
LEG     (power,  test);
LEG     (gas,    test);
LEG     (rest,   NULL);
SPLIT   (by_kind, power, gas, rest);
MAP_VALUES(mwh,   map);
MAP_VALUES(mmbtu, map);
MERGE   (all);
PEEK    (regional, process);
SINK    (spread,  "spread", NULL, NULL);
SINK    (other,   "other", NULL, NULL);
TOPOLOGY(splitting, .paths = PATHS(PATH(trades, by_kind), PATH(power, mwh, all, regional, spread),
                                   PATH(gas, mmbtu, all), PATH(rest, other)));

SOURCE  (ticks,   "ticks", weir_string, weir_double);
WINDOWS (minutes_s, weir_string, weir_double, TUMBLING(MINUTES(1), MINUTES(5)));
AGGREGATE(minute, minutes_s, begin, fold);
SUPPRESS(final,   .until = UNTIL_CLOSE, .max_bytes = 64 << 20, .when_full = WEIR_SHUT_DOWN);
SINK    (bars,    "bars", WINDOWED(weir_string, MINUTES(1)), weir_double);
TOPOLOGY(closing, .paths = PATHS(PATH(ticks, minute, final, bars)));
/* clang-format on */

START_TEST(a_count_goes_through_a_topic_named_after_its_store)
{
    described_as(&word_count, "Topologies:\n"
                              "   Sub-topology: 0\n"
                              "    Source: lines (topics: [lines])\n"
                              "      --> words\n"
                              "    Processor: words (stores: [])\n"
                              "      --> by_word\n"
                              "      <-- lines\n"
                              "    Processor: by_word (stores: [])\n"
                              "      --> counts-repartition-filter\n"
                              "      <-- words\n"
                              "    Processor: counts-repartition-filter (stores: [])\n"
                              "      --> counts-repartition-sink\n"
                              "      <-- by_word\n"
                              "    Sink: counts-repartition-sink (topic: counts-repartition)\n"
                              "      <-- counts-repartition-filter\n"
                              "\n"
                              "  Sub-topology: 1\n"
                              "    Source: counts-repartition-source (topics: [counts-repartition])\n"
                              "      --> counted\n"
                              "    Processor: counted (stores: [counts])\n"
                              "      --> out\n"
                              "      <-- counts-repartition-source\n"
                              "    Sink: out (topic: counts)\n"
                              "      <-- counted\n"
                              "\n");
}
END_TEST

START_TEST(legs_and_merges_keep_their_names)
{
    described_as(&splitting, "Topologies:\n"
                             "   Sub-topology: 0\n"
                             "    Source: trades (topics: [trades])\n"
                             "      --> by_kind\n"
                             "    Processor: by_kind (stores: [])\n"
                             "      --> gas, power, rest\n"
                             "      <-- trades\n"
                             "    Processor: gas (stores: [])\n"
                             "      --> mmbtu\n"
                             "      <-- by_kind\n"
                             "    Processor: power (stores: [])\n"
                             "      --> mwh\n"
                             "      <-- by_kind\n"
                             "    Processor: mmbtu (stores: [])\n"
                             "      --> all\n"
                             "      <-- gas\n"
                             "    Processor: mwh (stores: [])\n"
                             "      --> all\n"
                             "      <-- power\n"
                             "    Processor: all (stores: [])\n"
                             "      --> regional\n"
                             "      <-- mmbtu, mwh\n"
                             "    Processor: regional (stores: [])\n"
                             "      --> spread\n"
                             "      <-- all\n"
                             "    Processor: rest (stores: [])\n"
                             "      --> other\n"
                             "      <-- by_kind\n"
                             "    Sink: other (topic: other)\n"
                             "      <-- rest\n"
                             "    Sink: spread (topic: spread)\n"
                             "      <-- regional\n"
                             "\n");
}
END_TEST

START_TEST(kinds_without_runtime_load_and_are_refused_by_name)
{
    refused_for(&pairing, "a join of streams has no runtime yet");
    refused_for(&placing, "a join by foreign key has no runtime yet");
    refused_for(&visiting, "COGROUP has no runtime yet");
    refused_for(&closing, "SUPPRESS has no runtime yet");
}
END_TEST

START_TEST(a_runnable_topology_is_runnable)
{
    struct weir__plan *plan = compile(&word_count);

    ck_assert_int_eq(weir__plan_check_runnable(plan, NULL), WEIR_OK);
    ck_assert(plan->stateful);
    ck_assert_uint_eq(plan->sub_count, 2);
    ck_assert_str_eq(plan->subs[0].folder, "lines");
    ck_assert_str_eq(plan->subs[1].folder, "counted");
    ck_assert_uint_eq(plan->repartition_count, 1);
    ck_assert_str_eq(plan->repartitions[0].topic, "app-counts-repartition");
    ck_assert_int_eq(plan->repartitions[0].writer, 0);
    ck_assert_int_eq(plan->repartitions[0].reader, 1);
    weir__plan_free(plan);
}
END_TEST

/* ---- upstream's names and numbers ---- */

/* clang-format off */
SOURCE  (k_lines,  "in", weir_string, weir_string);
FLAT_MAP_VALUES(k_words, process);
REKEY   (k_group,  key, weir_string);
COUNT   (k_count,  NULL);
AS_STREAM(k_stream);
SINK    (k_out,    "out", NULL, NULL);
TOPOLOGY(k_word_count, .kafka_names = true, .paths = PATHS(PATH(k_lines, k_words, k_group, k_count, k_stream, k_out)));

KEYS    (k_named_s, weir_string, weir_int64, .called = "named");
COUNT   (k_named,   k_named_s, .grouped = "by-word");
TOPOLOGY(k_grouped, .kafka_names = true, .paths = PATHS(PATH(k_lines, k_words, k_group, k_named, k_stream, k_out)));

GLOBAL  (k_global,  "g", k_global_s);
/* clang-format on */

START_TEST(generated_names_carry_upstreams_numbers)
{
    described_as(&k_word_count,
                 "Topologies:\n"
                 "   Sub-topology: 0\n"
                 "    Source: KSTREAM-SOURCE-0000000000 (topics: [in])\n"
                 "      --> KSTREAM-FLATMAPVALUES-0000000001\n"
                 "    Processor: KSTREAM-FLATMAPVALUES-0000000001 (stores: [])\n"
                 "      --> KSTREAM-KEY-SELECT-0000000002\n"
                 "      <-- KSTREAM-SOURCE-0000000000\n"
                 "    Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])\n"
                 "      --> KSTREAM-FILTER-0000000007\n"
                 "      <-- KSTREAM-FLATMAPVALUES-0000000001\n"
                 "    Processor: KSTREAM-FILTER-0000000007 (stores: [])\n"
                 "      --> KSTREAM-SINK-0000000006\n"
                 "      <-- KSTREAM-KEY-SELECT-0000000002\n"
                 "    Sink: KSTREAM-SINK-0000000006 (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000004-repartition)\n"
                 "      <-- KSTREAM-FILTER-0000000007\n"
                 "\n"
                 "  Sub-topology: 1\n"
                 "    Source: KSTREAM-SOURCE-0000000008 (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000004-repartition])\n"
                 "      --> KSTREAM-AGGREGATE-0000000005\n"
                 "    Processor: KSTREAM-AGGREGATE-0000000005 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000004])\n"
                 "      --> KTABLE-TOSTREAM-0000000009\n"
                 "      <-- KSTREAM-SOURCE-0000000008\n"
                 "    Processor: KTABLE-TOSTREAM-0000000009 (stores: [])\n"
                 "      --> KSTREAM-SINK-0000000010\n"
                 "      <-- KSTREAM-AGGREGATE-0000000005\n"
                 "    Sink: KSTREAM-SINK-0000000010 (topic: out)\n"
                 "      <-- KTABLE-TOSTREAM-0000000009\n"
                 "\n");
}
END_TEST
