/* test_topology_faults.c: what is refused when a topology is loaded: each fault by its node, code and words. */
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

static int key(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    (void)ret_key;
    return process(ctx, rec);
}

static int fold(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    (void)state;
    return process(ctx, rec);
}

static int join(struct weir_context *ctx, const void *at, const void *left, const void *right, void *ret)
{
    (void)ctx, (void)at, (void)left, (void)right, (void)ret;
    return WEIR_OK;
}

/* ---- helpers ---- */

/* Compiling gives that code, and somewhere "<node>: ...<words>...". */
static void refused(const struct weir_topology *topology, int code, const char *line)
{
    AUTO(weir__buf_fini) struct weir__buf faults = { 0 };
    struct weir__plan_config              config = { .explicit_names = true };
    struct weir__plan                    *plan = NULL;
    struct weir_error                     err = { 0 };
    int                                   ret = weir__plan_new(topology, &config, &plan, &faults, &err);

    weir__buf_putc(&faults, '\0');
    ck_assert_msg(strstr(faults.data, line) != NULL, "no \"%s\" in:\n%s", line, faults.data);
    ck_assert_msg(ret == code, "%s instead of %s:\n%s", weir_code_name(ret), weir_code_name(code), faults.data);
    ck_assert_int_eq(err.code, code);
    ck_assert_ptr_null(plan);
}

/* A topology of one path. */
#define PLAIN(...)       (&(const struct weir_topology){ .name = "t", .paths = PATHS(PATH(__VA_ARGS__)) })
#define NODE_OF(id, ...) (&(const struct weir_node){ .name = id, __VA_ARGS__ })

/* clang-format off */
SOURCE(in,   "in", weir_string, weir_string);
SOURCE(in2,  "in2", weir_string, weir_int64);
KEEP  (keep, test);
MERGE (both);
SINK  (out,  "out", NULL, NULL);
KEYS  (rows, weir_string, weir_int64);
COUNT (count, rows);
TABLE (table, "t", NULL, .key = weir_string, .value = weir_string);
GLOBAL(global, "g", rows);
/* clang-format on */

/* ---- shape ---- */

START_TEST(a_shape_that_leads_nowhere)
{
    const struct weir_node *leg = NODE_OF("leg", .kind = WEIR_LEG, .test = test);
    const struct weir_node *split = NODE_OF("split", .kind = WEIR_SPLIT, .legs = NODES(leg));

    refused(&(struct weir_topology){ .name = "t" }, WEIR_BAD_TOPOLOGY, "t: the topology is empty");
    refused(PLAIN(keep, out), WEIR_BAD_TOPOLOGY, "keep: nothing leads to this KEEP");
    refused(PLAIN(in, out, keep), WEIR_BAD_TOPOLOGY, "out: nothing comes out of a SINK");
    refused(PLAIN(in, in2), WEIR_BAD_TOPOLOGY, "in2: a SOURCE takes from a topic");
    refused(PLAIN(in, keep, keep), WEIR_BAD_TOPOLOGY, "keep: takes from itself");
    refused(PLAIN(in, leg, out), WEIR_BAD_TOPOLOGY, "leg: a LEG is the first node");
    refused(PLAIN(leg, out), WEIR_BAD_TOPOLOGY, "leg: no SPLIT has this leg");
    refused(PLAIN(in, split, out), WEIR_BAD_TOPOLOGY, "split: a SPLIT is the last node");
    refused(PLAIN(in, NODE_OF("odd", .kind = 99)), WEIR_BAD_TOPOLOGY, "odd: its .kind is 99");
}
END_TEST

START_TEST(circles_and_crossed_orders)
{
    const struct weir_node *again = NODE_OF("again", .kind = WEIR_MERGE);
    struct weir_topology    circle = { .name = "t", .paths = PATHS(PATH(in, both, again), PATH(again, both)) };
    struct weir_topology order = { .name = "t", .paths = PATHS(PATH(in, keep, out)), .order = NODES(in, out, keep) };
    struct weir_topology missing = { .name = "t", .paths = PATHS(PATH(in, keep, out)), .order = NODES(in, keep) };

    refused(&circle, WEIR_BAD_TOPOLOGY, "the paths lead in a circle");
    refused(&order, WEIR_BAD_TOPOLOGY, "out: is built before keep");
    refused(&missing, WEIR_BAD_TOPOLOGY, "out: is missing in .order");
}
END_TEST

START_TEST(two_ways_into_one_node)
{
    struct weir_topology two = { .name = "t", .paths = PATHS(PATH(in, keep, out), PATH(in2, keep)) };
    struct weir_topology types = { .name = "t", .paths = PATHS(PATH(in, both, out), PATH(in2, both)) };

    refused(&two, WEIR_BAD_TOPOLOGY, "keep: a KEEP takes from one node, and 2 lead to it: MERGE them");
    refused(&types, WEIR_BAD_TYPE, "both: the value from in2 is int64, but string is needed");
}
END_TEST

/* ---- fields, verbs, numbers ---- */

START_TEST(fields_that_mean_nothing_and_fields_that_miss)
{
    refused(PLAIN(in, NODE_OF("k", .kind = WEIR_KEEP, .test = test, .grouped = "x"), out), WEIR_BAD_TOPOLOGY,
            "k: .grouped means nothing for a KEEP");
    refused(PLAIN(in, NODE_OF("k", .kind = WEIR_KEEP), out), WEIR_BAD_TOPOLOGY, "k: a KEEP needs .test");
    refused(PLAIN(in, NODE_OF("s", .kind = WEIR_SINK, .topics = TOPICS("o"), .uses = STORES(rows))),
            WEIR_BAD_TOPOLOGY, "s: .uses means nothing for a SINK");
    refused(PLAIN(in, NODE_OF("k", .kind = WEIR_KEEP, .test = test, .settings = LIST(char, "a=b")), out),
            WEIR_BAD_TOPOLOGY, "k: .settings means nothing for a KEEP");
    refused(PLAIN(in, NODE_OF("s", .kind = WEIR_SINK, .topics = TOPICS("o"), .settings = LIST(char, "=b"))),
            WEIR_BAD_ARGUMENT, "s: \"=b\" of .settings is no \"name=value\"");
    refused(PLAIN(in, NODE_OF("r", .kind = WEIR_REKEY), out), WEIR_BAD_TOPOLOGY, "r: a REKEY needs either .select");
    refused(PLAIN(in, NODE_OF("s", .kind = WEIR_SINK, .topics = TOPICS("o", "p"))), WEIR_BAD_TOPOLOGY,
            "s: a SINK has one topic, unless a .route chooses");
    refused(PLAIN(in, NODE_OF("j", .kind = WEIR_JOIN, .join = join), out), WEIR_BAD_TOPOLOGY,
            "j: a JOIN needs .with");
}
END_TEST

START_TEST(numbers_out_of_range)
{
    refused(PLAIN(in, NODE_OF("r", .kind = WEIR_REPARTITION, .partitions = -1), out), WEIR_BAD_ARGUMENT,
            "r: .partitions is negative");
    refused(PLAIN(in, NODE_OF("c", .kind = WEIR_COUNT, .emit = 7), out), WEIR_BAD_ARGUMENT, "c: .emit is 7");
    refused(PLAIN(in, NODE_OF("c", .kind = WEIR_COUNT, .emit = WEIR_ON_CLOSE), out), WEIR_BAD_ARGUMENT,
            "c: .emit is WEIR_ON_CLOSE, but nothing closes");
    refused(PLAIN(in, NODE_OF("j", .kind = WEIR_JOIN, .with = in2, .join = join, .before = -1), out),
            WEIR_BAD_ARGUMENT, "j: .before and .after make a negative window");
}
END_TEST

START_TEST(all_faults_are_found_at_once)
{
    const struct weir_node *bad = NODE_OF("bad", .kind = WEIR_KEEP, .test = test, .grouped = "x");
    const struct weir_node *sink =
        NODE_OF("sink", .kind = WEIR_SINK, .topics = TOPICS("no topic"), .value = weir_int64);
    const struct weir_topology *topology = PLAIN(in, bad, sink);

    refused(topology, WEIR_BAD_TOPOLOGY, "bad: .grouped");
    refused(topology, WEIR_BAD_TOPOLOGY, "sink: the value that it writes is int64, but string is needed");
    refused(topology, WEIR_BAD_TOPOLOGY, "sink: \"no topic\" is no legal name of a topic");
}
END_TEST

/* ---- windows and stores ---- */

static void windows_refused(const struct weir_windows *windows, int emit, const char *line)
{
    struct weir_store store = {
        .name = "w", .kind = WEIR_WINDOWS, .key = weir_string, .value = weir_int64, .windows = windows
    };
    struct weir_node node = { .name = "c", .kind = WEIR_COUNT, .into = &store, .emit = emit };

    refused(PLAIN(in, &node, out), WEIR_BAD_ARGUMENT, line);
}

START_TEST(windows_that_cannot_be)
{
    windows_refused(TUMBLING(0, 0), 0, "w: the size is not above 0");
    windows_refused(TUMBLING(10, -1), 0, "w: the grace is negative");
    windows_refused(HOPPING(10, 11, 0), 0, "w: the step of hopping windows");
    windows_refused(HOPPING(10, -1, 0), 0, "w: the step of hopping windows");
    windows_refused(TUMBLING(10, 5, .retention = 12), 0, "w: the retention is shorter");
    windows_refused(TUMBLING(10, 5, .retention = -1), 0, "w: the retention is negative");
    windows_refused(UNLIMITED(.start = -1), 0, "w: the start of UNLIMITED windows is negative");
    windows_refused(UNLIMITED(), WEIR_ON_CLOSE, "c: .emit is WEIR_ON_CLOSE, but UNLIMITED windows never close");
}
END_TEST

START_TEST(stores_that_do_not_fit)
{
    const struct weir_store *other =
        &(struct weir_store){ .name = "rows", .kind = WEIR_KEYS, .key = weir_string, .value = weir_blob };
    const struct weir_node *step =
        NODE_OF("step", .kind = WEIR_STEP, .process = process, .uses = STORES(rows, other));
    const struct weir_node  *again = NODE_OF("again", .kind = WEIR_COUNT, .into = rows);
    const struct weir_node  *wrong = NODE_OF("wrong", .kind = WEIR_COUNT, .into = other);
    const struct weir_store *lru =
        &(struct weir_store){ .name = "lru", .kind = WEIR_LRU, .key = weir_string, .value = weir_int64 };
    const struct weir_node *borrower =
        NODE_OF("borrower", .kind = WEIR_STEP, .process = process, .uses = STORES(rows));
    struct weir_topology borrowed = { .name = "t", .paths = PATHS(PATH(in, borrower, out), PATH(global)) };
    struct weir_store    told = {
           .name = "told", .kind = WEIR_KEYS, .key = weir_string, .value = weir_int64, .settings = TOPICS("nonsense")
    };
    struct weir_topology twice = { .name = "t", .paths = PATHS(PATH(in, count, out), PATH(in, again)) };

    refused(&twice, WEIR_BAD_TOPOLOGY, "again: its store \"rows\" holds the rows of count");
    refused(PLAIN(in, step, out), WEIR_BAD_TOPOLOGY, "rows: two stores have this name");
    refused(PLAIN(in, wrong, out), WEIR_BAD_TYPE,
            "wrong: the value of its store \"rows\" is blob, but int64 is needed");
    refused(PLAIN(in, NODE_OF("c", .kind = WEIR_COUNT, .into = lru), out), WEIR_BAD_ARGUMENT,
            "lru: an LRU store needs .max");
    refused(&borrowed, WEIR_BAD_TOPOLOGY,
            "borrower: \"rows\" is the store of GLOBAL global, which alone writes it: name global in .looks_up");
    refused(PLAIN(in, NODE_OF("c", .kind = WEIR_COUNT, .into = &told), out), WEIR_BAD_ARGUMENT,
            "told: \"nonsense\" of .settings is no \"name=value\"");
    refused(PLAIN(in, NODE_OF("a", .kind = WEIR_AGGREGATE, .fold = fold), out), WEIR_BAD_TYPE,
            "a: its state has no type");
}
END_TEST

/* ---- streams and tables, names and topics ---- */

START_TEST(streams_where_tables_belong)
{
    const struct weir_node *outer =
        NODE_OF("outer", .kind = WEIR_JOIN, .with = table, .join = join, .side = WEIR_OUTER);
    const struct weir_node *blind = NODE_OF("blind", .kind = WEIR_JOIN, .with = global, .join = join);

    refused(PLAIN(table, NODE_OF("p", .kind = WEIR_PEEK, .process = process), out), WEIR_BAD_TOPOLOGY,
            "p: a PEEK cannot take a table, which table gives: put an AS_STREAM between");
    refused(PLAIN(in, NODE_OF("s", .kind = WEIR_AS_STREAM), out), WEIR_BAD_TOPOLOGY,
            "s: a AS_STREAM cannot take a stream, which in gives: put an AS_TABLE between");
    refused(PLAIN(in, outer, out), WEIR_BAD_TOPOLOGY, "outer: a stream has no outer join with a table");
    refused(PLAIN(in, blind, out), WEIR_BAD_TOPOLOGY, "blind: a join with a global table needs .select");
    refused(PLAIN(table, NODE_OF("g", .kind = WEIR_REKEY, .select = key), out), WEIR_BAD_TOPOLOGY,
            "g: a table is grouped by .map");
}
END_TEST

START_TEST(topics_read_twice)
{
    const struct weir_node *same =
        NODE_OF("same", .kind = WEIR_TABLE, .topics = TOPICS("in"), .key = weir_string, .value = weir_string);
    const struct weir_node *overlap = NODE_OF("overlap", .kind = WEIR_SOURCE, .topics = TOPICS("in", "x"),
                                              .key = weir_string, .value = weir_string);
    const struct weir_node *latest = NODE_OF("latest", .kind = WEIR_SOURCE, .topics = TOPICS("in"),
                                             .key = weir_string, .value = weir_string, .reset = WEIR_LATEST);
    struct weir_topology    table_too = { .name = "t", .paths = PATHS(PATH(in, out), PATH(same)) };
    struct weir_topology    overlaps = { .name = "t", .paths = PATHS(PATH(in, out), PATH(overlap)) };
    struct weir_topology    resets = { .name = "t", .paths = PATHS(PATH(in, out), PATH(latest)) };

    refused(&table_too, WEIR_BAD_TOPOLOGY, "same: in reads its topic already");
    refused(&overlaps, WEIR_BAD_TOPOLOGY, "overlap: reads some but not all topics of in");
    refused(&resets, WEIR_BAD_TOPOLOGY, "latest: reads the topics of in with another .reset");
}
END_TEST

START_TEST(names_that_cannot_be)
{
    char              long_name[260];
    struct weir_node  odd = { .name = "odd", .called = long_name, .kind = WEIR_KEEP, .test = test };
    struct weir_store store = {
        .name = "s", .called = "a b", .kind = WEIR_KEYS, .key = weir_string, .value = weir_int64
    };
    struct weir_node        unnamed = { .name = "unnamed", .kind = WEIR_COUNT };
    struct weir_topology    generated = { .name = "t", .kafka_names = true, .paths = PATHS(PATH(in, &unnamed, out)) };
    const struct weir_node *twin = NODE_OF("out", .kind = WEIR_KEEP, .test = test);

    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    refused(PLAIN(in, &odd, out), WEIR_BAD_TOPOLOGY, "odd: \"xxxx");
    refused(PLAIN(in, NODE_OF("c", .kind = WEIR_COUNT, .into = &store), out), WEIR_BAD_NAME,
            "a b: is no legal name of a store");
    refused(&(struct weir_topology){ .name = "../up", .paths = PATHS(PATH(in, out)) }, WEIR_BAD_NAME,
            "../up: is no legal name of a topology");
    refused(PLAIN(in, twin, out), WEIR_BAD_TOPOLOGY, "out: a node is called \"out\" already");
    refused(&generated, WEIR_BAD_TOPOLOGY,
            "unnamed: its store's name \"KSTREAM-AGGREGATE-STATE-STORE-0000000002\" is generated");
}
END_TEST

START_TEST(dead_letters_that_go_nowhere)
{
    const struct weir_node *two = NODE_OF("two", .kind = WEIR_SINK, .topics = TOPICS("a", "b"));
    struct weir_topology    topology = { .name = "t", .paths = PATHS(PATH(in, out)), .dead_letters = two };

    refused(&topology, WEIR_BAD_TOPOLOGY, "two: dead letters go to one topic");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology_faults");
    TCase *tests = tcase_create("topology_faults");

    tcase_add_test(tests, a_shape_that_leads_nowhere);
    tcase_add_test(tests, circles_and_crossed_orders);
    tcase_add_test(tests, two_ways_into_one_node);
    tcase_add_test(tests, fields_that_mean_nothing_and_fields_that_miss);
    tcase_add_test(tests, numbers_out_of_range);
    tcase_add_test(tests, all_faults_are_found_at_once);
    tcase_add_test(tests, windows_that_cannot_be);
    tcase_add_test(tests, stores_that_do_not_fit);
    tcase_add_test(tests, streams_where_tables_belong);
    tcase_add_test(tests, topics_read_twice);
    tcase_add_test(tests, names_that_cannot_be);
    tcase_add_test(tests, dead_letters_that_go_nowhere);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
