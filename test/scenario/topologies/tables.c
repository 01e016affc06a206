/* tables.c: tables and what looks things up in them. */
#include "test/scenario/flow.h"
#include "test/scenario/topologies/verbs.h"

static weir_process greet, keep_known;

/* clang-format off */
SOURCE(lines, "lines", weir_string, weir_string);
SINK  (out,   "out",   weir_string, weir_string);

/* ---- tables ---- */

KEYS  (towns_s, weir_string, weir_string);
TABLE (towns,   "towns", towns_s);
static TOPOLOGY(table, .paths = PATHS(PATH(towns, out)));

TABLE     (bare,   "towns", NULL, .key = weir_string, .value = weir_string);
KEYS      (long_s, weir_string, weir_string);
KEEP      (longer, flow_is_long, .into = long_s);
MAP_VALUES(loud,   flow_upper);
AS_STREAM (changes);
static TOPOLOGY(table_views, .paths = PATHS(PATH(bare, longer, loud, changes, out)));

KEYS    (latest_s, weir_string, weir_string);
AS_TABLE(latest,   latest_s);
static TOPOLOGY(to_table, .paths = PATHS(PATH(lines, latest, changes, out)));

/* ---- joins with a table ---- */

JOIN(located, INNER, towns, flow_pair, weir_string);
JOIN(maybe,   LEFT,  towns, flow_pair, weir_string);
SINK(maybe_out, "maybe", weir_string, weir_string);
static TOPOLOGY(table_join, .paths = PATHS(PATH(towns), PATH(lines, located, out), PATH(lines, maybe, maybe_out)));

/* The right side is a view without a store: its value is asked for through the verbs. */
KEEP      (only_long, flow_is_long);
MAP_VALUES(in_capitals, flow_upper);
JOIN      (viewed, LEFT, in_capitals, flow_pair, weir_string);
static TOPOLOGY(view_join, .paths = PATHS(PATH(towns, only_long, in_capitals), PATH(lines, viewed, out)));

/* ---- global tables ---- */

KEYS  (people_s, weir_string, weir_string);
GLOBAL(people,   "people", people_s);
JOIN  (known,   INNER, people, flow_pair, weir_string, .select = flow_by_value);
JOIN  (guessed, LEFT,  people, flow_pair, weir_string, .select = flow_by_letter);
STEP  (greeted, greet, .looks_up = NODES(people), .value = weir_string);
SINK  (guess_out, "guesses", weir_string, weir_string);
SINK  (greet_out, "greetings", weir_string, weir_string);
SINK  (dead,      "dead", NULL, NULL);
static TOPOLOGY(global_join, .dead_letters = dead, .paths = PATHS(
    PATH(people), PATH(lines, known, out), PATH(lines, guessed, guess_out), PATH(lines, greeted, greet_out)));

KEYS  (chosen_s, weir_string, weir_string);
GLOBAL(chosen,   "people", chosen_s, .process = keep_known);
JOIN  (picked, LEFT, chosen, flow_pair, weir_string, .select = flow_by_value);
static TOPOLOGY(global_process, .paths = PATHS(PATH(chosen), PATH(lines, picked, out)));
/* clang-format on */

FLOW(table);
FLOW(table_views);
FLOW(to_table);
FLOW(table_join);
FLOW(view_join);
FLOW(global_join);
FLOW(global_process);

/* "hello " and who the value names. */
static int greet(struct weir_context *ctx, const struct weir_record *rec)
{
    static const struct weir_text hello = { .data = "hello", .size = 5 };
    const void                   *name;
    struct weir_text              text;
    int                           err = WEIR_NOTFOUND;

    if (rec->value != NULL)
        err = weir_lookup(ctx, people, rec->value, &name);
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err == WEIR_OK)
        err = flow_join_texts(ctx, hello, " ", *(const struct weir_text *)name, &text);
    return err < 0 ? err : weir_forward(ctx, rec->key, &text);
}

/* Fills the global table with all but "nobody". */
static int keep_known(struct weir_context *ctx, const struct weir_record *rec)
{
    return flow_is(rec->key, "nobody") ? WEIR_OK : weir_put(ctx, chosen_s, rec->key, rec->value);
}
