/* test_topology.c: declared topologies as they are described: names, numbers, sub-topologies, order. */
#include "framework/topology/topology.h"
#include "test/run.h"

#include <check.h>
#include <stdlib.h>

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

static int route(struct weir_context *ctx, const struct weir_record *rec, const char **ret_topic,
                 int32_t *ret_partition)
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
    struct weir__plan                    *plan = compile(topology);
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
                             "      --> gas, rest, power\n"
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
                             "      <-- mwh, mmbtu\n"
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
TOPOLOGY(k_word_count, .kafka_names = true,
         .paths = PATHS(PATH(k_lines, k_words, k_group, k_count, k_stream, k_out)));

KEYS    (k_named_s, weir_string, weir_int64, .called = "named");
COUNT   (k_named,   k_named_s, .grouped = "by-word");
TOPOLOGY(k_grouped, .kafka_names = true, .paths = PATHS(PATH(k_lines, k_words, k_group, k_named, k_stream, k_out)));
/* clang-format on */

START_TEST(generated_names_carry_upstreams_numbers)
{
    described_as(
        &k_word_count,
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

START_TEST(names_given_take_the_place_of_generated_ones_and_their_numbers)
{
    struct weir__plan *plan = compile(&k_grouped);

    ck_assert_ptr_nonnull(weir__plan_node(plan, "by-word-repartition-source"));
    ck_assert_ptr_nonnull(weir__plan_node(plan, "KSTREAM-AGGREGATE-0000000003"));
    ck_assert_ptr_nonnull(weir__plan_node(plan, "KTABLE-TOSTREAM-0000000007"));
    ck_assert_str_eq(weir__plan_node(plan, "by-word-repartition-sink")->topics[0], "by-word-repartition");
    ck_assert_str_eq(weir__plan_store(plan, "named")->changelog, "app-named-changelog");
    weir__plan_free(plan);
}
END_TEST

/* clang-format off */
KEYS    (g_s,      weir_string, weir_string);
GLOBAL  (g_table,  "g", g_s);
SOURCES (g_in,     TOPICS("b", "a"), weir_string, weir_string);
JOIN    (g_joined, LEFT, g_table, join, weir_string, .select = key);
SINK    (g_out,    "even", NULL, NULL, .route = route);
TOPOLOGY(g_topology, .kafka_names = true, .paths = PATHS(PATH(g_in, g_joined, g_out)));
TOPOLOGY(g_own, .paths = PATHS(PATH(g_in, g_joined, g_out)));
/* clang-format on */

START_TEST(a_global_table_makes_no_tasks)
{
    described_as(&g_topology, "Topologies:\n"
                              "   Sub-topology: 0\n"
                              "    Source: KSTREAM-SOURCE-0000000000 (topics: [a, b])\n"
                              "      --> KSTREAM-LEFTJOIN-0000000004\n"
                              "    Processor: KSTREAM-LEFTJOIN-0000000004 (stores: [])\n"
                              "      --> KSTREAM-SINK-0000000005\n"
                              "      <-- KSTREAM-SOURCE-0000000000\n"
                              "    Sink: KSTREAM-SINK-0000000005 (extractor class: topic_fn)\n"
                              "      <-- KSTREAM-LEFTJOIN-0000000004\n"
                              "\n"
                              "  Sub-topology: 1 for global store (will not generate tasks)\n"
                              "    Source: KSTREAM-SOURCE-0000000002 (topics: [g])\n"
                              "      --> KTABLE-SOURCE-0000000003\n"
                              "    Processor: KTABLE-SOURCE-0000000003 (stores: [g-STATE-STORE-0000000001])\n"
                              "      --> none\n"
                              "      <-- KSTREAM-SOURCE-0000000002\n");
}
END_TEST

START_TEST(a_global_table_by_its_own_name)
{
    struct weir__plan *plan = compile(&g_own);
    struct weir__node *joined = weir__plan_node(plan, "g_joined");

    ck_assert_ptr_nonnull(weir__plan_node(plan, "g_table-source"));
    ck_assert_int_eq(weir__plan_node(plan, "g_table")->op, WEIR__GLOBAL);
    ck_assert_int_eq(joined->op, WEIR__JOIN_GLOBAL);
    ck_assert_ptr_eq(joined->global, weir__plan_store(plan, "g_s"));
    ck_assert(joined->global->global);
    ck_assert_str_eq(joined->global->source_topic, "g");
    ck_assert_ptr_null(joined->global->changelog);
    ck_assert(!plan->stateful);
    weir__plan_free(plan);
}
END_TEST

/* ---- order, and links ---- */

/* clang-format off */
SOURCE  (o_first,  "in", weir_string, weir_string);
SOURCE  (o_second, "in", weir_string, weir_string);
KEEP    (o_keep,   test);
SINK    (o_one,    "one", NULL, NULL);
SINK    (o_two,    "two", NULL, NULL);
TOPOLOGY(o_topology, .kafka_names = true, .order = NODES(o_first, o_one, o_second, o_keep, o_two),
         .paths = PATHS(PATH(o_second, o_keep, o_two), PATH(o_first, o_one)));
/* clang-format on */

START_TEST(a_second_source_of_a_topic_joins_the_first_and_takes_a_number)
{
    described_as(&o_topology, "Topologies:\n"
                              "   Sub-topology: 0\n"
                              "    Source: KSTREAM-SOURCE-0000000000 (topics: [in])\n"
                              "      --> KSTREAM-FILTER-0000000003, KSTREAM-SINK-0000000001\n"
                              "    Processor: KSTREAM-FILTER-0000000003 (stores: [])\n"
                              "      --> KSTREAM-SINK-0000000004\n"
                              "      <-- KSTREAM-SOURCE-0000000000\n"
                              "    Sink: KSTREAM-SINK-0000000001 (topic: one)\n"
                              "      <-- KSTREAM-SOURCE-0000000000\n"
                              "    Sink: KSTREAM-SINK-0000000004 (topic: two)\n"
                              "      <-- KSTREAM-FILTER-0000000003\n"
                              "\n");
}
END_TEST

START_TEST(children_are_in_the_order_of_building)
{
    struct weir__plan *plan = compile(&o_topology);
    struct weir__node *source = plan->nodes[0];

    ck_assert_uint_eq(source->child_count, 2);
    ck_assert_ptr_eq(source->children[0]->spec, o_one);
    ck_assert_ptr_eq(source->children[1]->spec, o_keep);
    ck_assert_uint_eq(source->descendants, 4);
    weir__plan_free(plan);
}
END_TEST

/* ---- tables: who keeps rows, who sends old values ---- */

/* clang-format off */
KEYS    (t_s,      weir_string, weir_string);
TABLE   (t_named,  "t", t_s);
TABLE   (t_plain,  "u", NULL, .key = weir_string, .value = weir_string);
KEEP    (t_keep,   test);
MAP_VALUES(t_map,  map, .value = weir_int64);
KEEP    (t_alone,  test);
AS_STREAM(t_alone_stream);
SINK    (t_alone_out, "alone", NULL, NULL);
SOURCE  (t_in,     "in", weir_string, weir_string);
REKEY   (t_rekey,  key, weir_string);
JOIN    (t_left,   LEFT, t_map, join, weir_string);
JOIN    (t_inner,  INNER, t_map, join, weir_string);
SINK    (t_out,    "out", NULL, NULL);
TOPOLOGY(t_left_topology, .paths = PATHS(PATH(t_named, t_keep, t_map), PATH(t_in, t_rekey, t_left, t_out),
                                         PATH(t_plain, t_alone, t_alone_stream, t_alone_out)));
TOPOLOGY(t_inner_topology, .paths = PATHS(PATH(t_named, t_keep, t_map), PATH(t_in, t_rekey, t_inner, t_out)));
/* clang-format on */

START_TEST(a_join_reads_the_rows_of_the_nearest_ancestor_that_has_some)
{
    struct weir__plan *plan = compile(&t_left_topology);
    struct weir__node *left = weir__plan_node(plan, "t_left"), *map_node = weir__plan_node(plan, "t_map");

    ck_assert_ptr_eq(left->with, map_node);
    ck_assert(!map_node->materialized);
    ck_assert_uint_eq(left->store_count, 1);
    ck_assert_ptr_eq(left->stores[0], weir__plan_store(plan, "t_s"));
    ck_assert(weir__plan_node(plan, "t_named")->materialized);
    ck_assert_int_eq(left->subtopology, weir__plan_node(plan, "t_named")->subtopology);
    weir__plan_free(plan);
}
END_TEST

START_TEST(a_filter_asks_for_old_values_where_there_are_rows)
{
    struct weir__plan *plan = compile(&t_left_topology);

    ck_assert(weir__plan_node(plan, "t_named")->send_old);
    ck_assert(weir__plan_node(plan, "t_keep")->send_old);
    ck_assert(!weir__plan_node(plan, "t_map")->send_old);
    ck_assert(!weir__plan_node(plan, "t_plain")->materialized);
    ck_assert(!weir__plan_node(plan, "t_plain")->send_old);
    ck_assert(!weir__plan_node(plan, "t_alone")->send_old);
    weir__plan_free(plan);
}
END_TEST

START_TEST(a_left_join_lets_null_keys_through_its_repartition)
{
    struct weir__plan *plan = compile(&t_left_topology);

    ck_assert_int_eq(weir__plan_node(plan, "t_left-repartition-filter")->op, WEIR__PASS);
    weir__plan_free(plan);
    plan = compile(&t_inner_topology);
    ck_assert_int_eq(weir__plan_node(plan, "t_inner-repartition-filter")->op, WEIR__NOT_NULL);
    weir__plan_free(plan);
}
END_TEST

START_TEST(types_follow_the_edges)
{
    struct weir__plan *plan = compile(&t_inner_topology);
    struct weir__node *sink = weir__plan_node(plan, "t_out"), *map_node = weir__plan_node(plan, "t_map");

    ck_assert_ptr_eq(map_node->value_in, weir_string);
    ck_assert_ptr_eq(map_node->value_out, weir_int64);
    ck_assert_ptr_eq(sink->key_out, weir_string);
    ck_assert_ptr_eq(sink->value_out, weir_string);
    weir__plan_free(plan);
}
END_TEST

/* ---- memory ---- */

START_TEST(no_memory_is_an_error_and_leaks_nothing)
{
    struct weir__plan_config config = { 0 };
    int                      err = WEIR_NO_MEMORY;

    for (uint64_t n = 1; err == WEIR_NO_MEMORY; n++) {
        struct weir__plan *plan = NULL;

        weir__fail_allocation(n);
        err = weir__plan_new(&splitting, &config, &plan, NULL, NULL);
        weir__fail_allocation(0);
        ck_assert(err == WEIR_OK || plan == NULL);
        weir__plan_free(plan);
        ck_assert_uint_lt(n, 1000);
    }
    ck_assert_int_eq(err, WEIR_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology");
    TCase *tests = tcase_create("topology");

    tcase_add_test(tests, a_count_goes_through_a_topic_named_after_its_store);
    tcase_add_test(tests, legs_and_merges_keep_their_names);
    tcase_add_test(tests, kinds_without_runtime_load_and_are_refused_by_name);
    tcase_add_test(tests, a_runnable_topology_is_runnable);
    tcase_add_test(tests, generated_names_carry_upstreams_numbers);
    tcase_add_test(tests, names_given_take_the_place_of_generated_ones_and_their_numbers);
    tcase_add_test(tests, a_global_table_makes_no_tasks);
    tcase_add_test(tests, a_global_table_by_its_own_name);
    tcase_add_test(tests, a_second_source_of_a_topic_joins_the_first_and_takes_a_number);
    tcase_add_test(tests, children_are_in_the_order_of_building);
    tcase_add_test(tests, a_join_reads_the_rows_of_the_nearest_ancestor_that_has_some);
    tcase_add_test(tests, a_filter_asks_for_old_values_where_there_are_rows);
    tcase_add_test(tests, a_left_join_lets_null_keys_through_its_repartition);
    tcase_add_test(tests, types_follow_the_edges);
    tcase_add_test(tests, no_memory_is_an_error_and_leaks_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
