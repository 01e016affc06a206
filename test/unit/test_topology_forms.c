/* test_topology_forms.c: what describe prints beyond Kafka's text: pictures, types, stores, what configuration set. */
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

static int key(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    (void)ret_key;
    return process(ctx, rec);
}

static int join(struct weir_context *ctx, const void *at, const void *left, const void *right, void *ret)
{
    (void)ctx, (void)at, (void)left, (void)right, (void)ret;
    return WEIR_OK;
}

/* clang-format off */
SOURCE (in,       "in", weir_string, weir_string);
KEYS   (places_s, weir_string, weir_string);
GLOBAL (places,   "places", places_s);
KEYS   (names_s,  weir_string, weir_string);
TABLE  (names,    "names", names_s);
KEYS   (loose,    weir_string, weir_int64);
KEYS   (routed,   weir_string, weir_int64, .routed_by = key);
STEP   (step,     process, .uses = STORES(loose, routed), .looks_up = NODES(places));
REKEY  (moved,    key, weir_string);
JOIN   (named,    LEFT, names, join, weir_string);
WINDOWS(counts,   weir_string, weir_int64, HOPPING(MINUTES(2), MINUTES(1), SECONDS(5)));
COUNT  (count,    counts, .emit = WEIR_ON_CLOSE);
WINDOWS(visits,   weir_string, weir_int64, SESSION(MINUTES(30), 0));
COUNT  (visit,    visits);
SINK   (out,      "out", weir_string, weir_string);
SINK   (counted,  "counted", WINDOWED(weir_string, MINUTES(2)), weir_int64);
SINK   (visited,  "visited", SESSIONED(weir_string), weir_int64);
static TOPOLOGY(shop, .paths = PATHS(
    PATH(in, step, moved, named, out),
    PATH(names),
    PATH(          moved, count, counted),
    PATH(in, visit, visited)));

SOURCE (lines,  "in", weir_string, weir_string);
KEYS   (words,  weir_string, weir_int64, .in_memory = WEIR_ON, .log = WEIR_OFF);
COUNT  (word,   words);
SINK   (result, "result", weir_string, weir_int64);
static TOPOLOGY(tiny, .paths = PATHS(PATH(lines, word, result)));
/* clang-format on */

/* ---- helpers ---- */

static struct weir__buf text;

static const char *print(const struct weir_topology *topology, struct weir__config *settings, enum weir__form form)
{
    struct weir__plan_config config = { .config = settings, .cache = true };
    struct weir__plan       *plan = NULL;
    struct weir_error        err = { 0 };

    ck_assert_msg(weir__plan_new(topology, &config, &plan, NULL, &err) == WEIR_OK, "%s", err.text);
    weir__buf_reset(&text);
    ck_assert_int_eq(weir__plan_print(plan, form, &text), WEIR_OK);
    weir__buf_putc(&text, '\0');
    ck_assert(weir__buf_ok(&text));
    weir__plan_free(plan);
    return text.data;
}

static void has(const char *printed, const char *piece)
{
    ck_assert_msg(strstr(printed, piece) != NULL, "no \"%s\" in:\n%s", piece, printed);
}

static struct weir__config *configure(const char *name, const char *value)
{
    static const char *const topologies[] = { "shop", "tiny", NULL };
    struct weir__config     *config = NULL;

    ck_assert_int_eq(weir__config_new(topologies, NULL, &config, NULL), WEIR_OK);
    ck_assert_int_eq(weir__config_set(config, name, value, "here", NULL), WEIR_OK);
    return config;
}

/* ---- text ---- */

START_TEST(text_is_kafkas_where_there_is_nothing_to_add)
{
    struct weir__plan_config config = { .cache = true };
    struct weir__plan       *plan = NULL;
    struct weir__buf         kafkas = { 0 };

    ck_assert_int_eq(weir__plan_new(&shop, &config, &plan, NULL, NULL), WEIR_OK);
    ck_assert_int_eq(weir__plan_describe(plan, &kafkas), WEIR_OK);
    weir__plan_free(plan);
    ck_assert_uint_eq(strncmp(print(&shop, NULL, WEIR__AS_TEXT), kafkas.data, kafkas.size), 0);
    ck_assert_str_eq(text.data + kafkas.size,
                     "Cannot move when partitions are added (.routed_by would say whose its rows are):\n   loose\n");
    weir__buf_fini(&kafkas);
    ck_assert_ptr_null(strstr(print(&tiny, NULL, WEIR__AS_TEXT), "Cannot move"));
    ck_assert_ptr_null(strstr(text.data, "Set by"));
}
END_TEST

START_TEST(what_configuration_set_is_shown)
{
    struct weir__config *config = configure("shop.count.grace", "10m");

    has(print(&shop, config, WEIR__AS_TEXT), "Set by configuration:\n   count.grace = 10m\n");
    has(print(&shop, config, WEIR__AS_FULL), "size 2m, advance 1m, grace 10m");
    weir__config_free(config);
    config = configure("shop.count.time", "per_key");
    ck_assert_int_eq(weir__config_set(config, "shop.count.emit", "on_commit", "here", NULL), WEIR_OK);
    has(print(&shop, config, WEIR__AS_FULL), ", time per key, late records correct, ");
    weir__config_free(config);
    config = configure("tiny.result.partitions", "3");
    has(print(&tiny, config, WEIR__AS_FULL), " SINK            written  string to int64, 3 partitions when made\n");
    weir__config_free(config);
    config = configure("tiny.words.in_memory", "false");
    has(print(&tiny, config, WEIR__AS_FULL), "words  string to int64, on disk, cached, no changelog\n");
    weir__config_free(config);
}
END_TEST

START_TEST(the_full_form_tells_streams_tables_types_and_stores)
{
    const char *printed = print(&shop, NULL, WEIR__AS_FULL);

    has(printed, " SOURCE          stream   string to string\n");
    has(printed, " TABLE           table    string to string\n");
    has(printed, " COUNT           table    windowed(string,120000) to int64, emits on close\n");
    has(printed, " COUNT           no runtime yet");
    has(printed, "HOPPING, size 2m, advance 1m, grace 5s, retention 125s");
    has(printed, "string to string, on disk, all of places\n");
    has(printed, "changelog shop-loose-changelog\n");
}
END_TEST

/* ---- pictures ---- */

START_TEST(a_picture_for_graphviz)
{
    ck_assert_str_eq(print(&tiny, NULL, WEIR__AS_DOT),
                     "digraph \"tiny\" {\n"
                     "    rankdir=LR;\n"
                     "    node [shape=box, style=rounded];\n"
                     "    t0 [label=\"in\", shape=cds, style=solid];\n"
                     "    t1 [label=\"result\", shape=cds, style=solid];\n"
                     "    subgraph cluster_0 {\n"
                     "        label=\"sub-topology 0\";\n"
                     "        n0 [label=\"lines\\nSOURCE\"];\n"
                     "        n1 [label=\"word\\nCOUNT\"];\n"
                     "        n2 [label=\"result\\nSINK\"];\n"
                     "    }\n"
                     "    s0 [label=\"words\\nstring to int64\\nin memory\\ncached\\nno changelog\", shape=cylinder, "
                     "style=solid];\n"
                     "    t0 -> n0;\n"
                     "    n0 -> n1;\n"
                     "    n1 -> n2 [style=bold];\n"
                     "    n1 -> s0 [style=dashed, dir=none];\n"
                     "    n2 -> t1;\n"
                     "}\n");
}
END_TEST

START_TEST(a_picture_for_mermaid)
{
    ck_assert_str_eq(print(&tiny, NULL, WEIR__AS_MERMAID),
                     "---\n"
                     "title: \"tiny\"\n"
                     "---\n"
                     "flowchart LR\n"
                     "    t0[/\"in\"/]\n"
                     "    t1[/\"result\"/]\n"
                     "    subgraph g0[\"sub-topology 0\"]\n"
                     "        n0[\"lines<br>SOURCE\"]\n"
                     "        n1[\"word<br>COUNT\"]\n"
                     "        n2[\"result<br>SINK\"]\n"
                     "    end\n"
                     "    s0[(\"words<br>string to int64<br>in memory<br>cached<br>no changelog\")]\n"
                     "    t0 --> n0\n"
                     "    n0 --> n1\n"
                     "    n1 ==> n2\n"
                     "    n1 -.- s0\n"
                     "    n2 --> t1\n");
}
END_TEST

/* Every arrow ends at something that is drawn. */
START_TEST(pictures_show_all_that_is_connected)
{
    const char *printed = print(&shop, NULL, WEIR__AS_DOT);

    for (const char *at = printed; (at = strstr(at, " -> ")) != NULL; at += 4) {
        char from[24], to[24], drawn[40];

        ck_assert_int_eq(sscanf(at - 3, "%*[ ]%23[a-z0-9]", from) == 1 || sscanf(at - 2, "%23[a-z0-9]", from) == 1,
                         1);
        ck_assert_int_eq(sscanf(at + 4, "%23[a-z0-9]", to), 1);
        snprintf(drawn, sizeof(drawn), " %s [label=", to);
        has(printed, drawn);
    }
    has(printed, "label=\"shop-counts-repartition\"");
    has(printed, "label=\"counts-repartition-sink\\nREPARTITION\"");
    has(printed, "label=\"names-source\\nSOURCE\"");
    has(printed, "no runtime yet");
    has(printed,
        "loose\\nstring to int64\\non disk\\nchangelog shop-loose-changelog\\ncannot move when partitions are added\"");
    ck_assert_ptr_nonnull(strstr(printed, "[style=dashed];"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology_forms");
    TCase *tests = tcase_create("topology_forms");

    tcase_add_test(tests, text_is_kafkas_where_there_is_nothing_to_add);
    tcase_add_test(tests, what_configuration_set_is_shown);
    tcase_add_test(tests, the_full_form_tells_streams_tables_types_and_stores);
    tcase_add_test(tests, a_picture_for_graphviz);
    tcase_add_test(tests, a_picture_for_mermaid);
    tcase_add_test(tests, pictures_show_all_that_is_connected);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
