/* lower_joins.c: joins of every two sides, and cogroups.
 *
 * (1) The sides tell the kind: stream with table, with global table, with stream; table with table, by foreign key.
 * (2) A stream whose key may have changed goes through a topic first; joins on one stream share it as upstream's do.
 */
#include "framework/topology/internal.h"

/* The repartition of a join's stream side, or the stream itself. */
static struct weir__graph *for_join(struct weir__compiler *compiler, const struct weir__made *made,
                                    struct weir__made *side, const char *base)
{
    struct weir__shared *shared = &side->for_join;
    struct weir__graph  *graph = NULL;

    if (!side->rekeyed)
        return side->graph;
    if (base == NULL)
        base = side->name;
    if (shared->graph == NULL || strcmp(base, side->name) != 0) {
        graph = weir__graph_new(compiler);
        weir__graph_below(compiler, graph, side->graph);
    }
    weir__repartition(compiler, graph, made, side, base);
    if (graph != NULL)
        *shared = (struct weir__shared){ .graph = graph, .base = base };
    return shared->graph;
}

static const char *base_of(const struct weir__compiler *compiler, const struct weir__made *made)
{
    return made->eff.grouped != NULL ? made->eff.grouped : weir__called(compiler, made);
}

/* ---- with a table ---- */

static void join_types(struct weir__made *made)
{
    made->key = made->inputs[0]->key;
    made->value = made->eff.value != NULL ? made->eff.value : made->inputs[0]->value;
}

static void add_join(struct weir__compiler *compiler, struct weir__made *made, struct weir__graph *parent,
                     enum weir__op op)
{
    join_types(made);
    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, parent);
    made->graph->keeps_null_keys = made->eff.side == WEIR_LEFT;
    made->node = weir__add(compiler, made->graph, made->name, op, made);
    weir__types(made->node, made->inputs[0], made->key, made->value);
}

static void join_table(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__made  *from = made->inputs[0], *table = made->right;
    struct weir__graph *parent = for_join(compiler, made, from, base_of(compiler, made));

    made->name = weir__name_or(compiler, made, made->eff.side == WEIR_LEFT ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
    weir__same_type(compiler, made, weir__phrase(compiler, "the key of %s", table->eff.name), from->key, table->key);
    add_join(compiler, made, parent, WEIR__JOIN_TABLE);
    made->node->with = table->node;
    weir__read_rows(compiler, table, made->node);
    if (made->eff.grace == 0)
        return;
    weir__refuse(made->node, "a stream-table join with grace");
    made->store = weir__keep_own(compiler, made, weir__phrase(compiler, "%s-Buffer", made->name),
                                 !weir__called(compiler, made));
    weir__connect(compiler, made->node, made->store);
    if (table->store != NULL && table->store->eff.kind != WEIR_VERSIONED)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, made->eff.name,
                    "a join with .grace needs a table with a VERSIONED store");
    else if (table->store != NULL && table->store->eff.history < made->eff.grace)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, made->eff.name, "the history of %s is shorter than .grace",
                    table->store->plan->name);
}

static void join_global(struct weir__compiler *compiler, struct weir__made *made)
{
    made->name = weir__name_or(compiler, made, "KSTREAM-LEFTJOIN-");
    made->rekeyed = made->inputs[0]->rekeyed;
    add_join(compiler, made, made->inputs[0]->graph, WEIR__JOIN_GLOBAL);
    made->node->global = made->right->store->plan;
}

/* ---- of streams ---- */

static const char *own_store(struct weir__compiler *compiler, const struct weir__made *made, const char *suffix,
                             const char *generated)
{
    if (made->eff.stores_called != NULL)
        return weir__phrase(compiler, "%s%s-store", made->eff.stores_called, suffix);
    if (!compiler->kafka)
        return weir__phrase(compiler, "%s%s-store", weir__called(compiler, made), suffix);
    return weir__phrase(compiler, "%s-store", generated);
}

/* The rows of one side: the n-th of .uses, or a store made here. */
static struct weir__kept *side_rows(struct weir__compiler *compiler, const struct weir__made *made, size_t n,
                                    const char *suffix, const char *generated)
{
    const struct weir_store *const *uses = made->eff.uses;
    struct weir__kept              *kept;

    if (uses != NULL && uses[0] != NULL && uses[1] != NULL)
        return weir__kept_of(compiler, uses[n]);
    kept =
        weir__keep_own(compiler, made, own_store(compiler, made, suffix, generated), made->eff.stores_called == NULL);
    kept->plan->type = "window";
    kept->eff.plain = true;
    kept->eff.duplicates = true;
    kept->eff.kind = WEIR_WINDOWS;
    kept->windows.size = weir__time_add(made->eff.before, made->eff.after);
    kept->windows.grace = made->eff.grace;
    kept->windows.kind = WEIR_TUMBLING;
    kept->eff.windows = &kept->windows;
    return kept;
}

/* Rows without a partner yet. */
static struct weir__kept *shared_rows(struct weir__compiler *compiler, const struct weir__made *made,
                                      const struct weir__kept *this, const char                *generated)
{
    const char *suffix = made->eff.side == WEIR_OUTER ? "-outer-shared-join" : "-left-shared-join";
    size_t      prefix = made->eff.side == WEIR_OUTER ? strlen("KSTREAM-OUTERTHIS-") : strlen("KSTREAM-JOINTHIS-");
    const char *name;

    if (this->spec != NULL)
        name = weir__phrase(compiler, "%s%s-store", this->plan->name, suffix);
    else
        name =
            own_store(compiler, made, suffix, weir__phrase(compiler, "KSTREAM-OUTERSHARED-%s", generated + prefix));
    return weir__keep_own(compiler, made, name, made->eff.stores_called == NULL);
}

static struct weir__node *windowed(struct weir__compiler *compiler, struct weir__made *made,
                                   const struct weir__made *side, struct weir__graph *parent, const char *name)
{
    struct weir__graph *graph = weir__graph_new(compiler);
    struct weir__node  *node;

    weir__graph_below(compiler, graph, parent);
    node = weir__add(compiler, graph, name, WEIR__REFUSED, made);
    weir__types(node, side, side->key, side->value);
    weir__refuse(node, "a join of streams");
    return node;
}

static struct weir__node *side_join(struct weir__compiler *compiler, struct weir__made *made,
                                    const struct weir__made *side, struct weir__node *parent, const char *name)
{
    struct weir__node *node = weir__add(compiler, made->graph, name, WEIR__REFUSED, made);

    weir__set_parents(compiler, node, parent, NULL);
    weir__types(node, side, made->key, made->value);
    weir__refuse(node, "a join of streams");
    return node;
}

/* Names of a join of streams; numbers are taken in this order. */
struct names {
    const char *this_windowed, *other_windowed, *this, *other, *merge;
    const char *this_generated, *other_generated;
};

static struct names name_stream_join(struct weir__compiler *compiler, struct weir__made *made)
{
    bool         left = made->eff.side != WEIR_INNER, outer = made->eff.side == WEIR_OUTER;
    const char  *called = weir__called(compiler, made);
    struct names names;

    names.this_windowed = weir__suffix_or(compiler, made, "-this-windowed", "KSTREAM-WINDOWED-");
    names.other_windowed = weir__suffix_or(compiler, made, "-other-windowed", "KSTREAM-WINDOWED-");
    names.this = names.this_generated = weir__generate(compiler, outer ? "KSTREAM-OUTERTHIS-" : "KSTREAM-JOINTHIS-");
    names.other = names.other_generated =
        weir__generate(compiler, left ? "KSTREAM-OUTEROTHER-" : "KSTREAM-JOINOTHER-");
    if (called != NULL) {
        names.this = weir__phrase(compiler, "%s%s", called, outer ? "-outer-this-join" : "-this-join");
        names.other = weir__phrase(compiler, "%s%s", called, left ? "-outer-other-join" : "-other-join");
    }
    names.merge = weir__suffix_or(compiler, made, "-merge", "KSTREAM-MERGE-");
    return names;
}

static void check_join_rows(struct weir__compiler *compiler, const struct weir__made *made,
                            const struct weir__kept *rows)
{
    int64_t size = weir__time_add(made->eff.before, made->eff.after);

    if (rows->spec == NULL)
        return;
    if (!rows->eff.duplicates)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, made->eff.name, "its store %s must keep .duplicates",
                    rows->plan->name);
    if (rows->eff.windows == NULL || rows->windows.size != size ||
        rows->windows.retention != weir__time_add(size, made->eff.grace))
        weir__fault(compiler, WEIR_BAD_ARGUMENT, made->eff.name,
                    "its store %s needs windows of .size = before + after and .retention = size + grace",
                    rows->plan->name);
}

static const char *side_base(struct weir__compiler *compiler, const struct weir__made *made, const char *suffix)
{
    const char *base = base_of(compiler, made);

    return base != NULL ? weir__phrase(compiler, "%s%s", base, suffix) : NULL;
}

/* The three nodes that join, and who has which rows. */
static void join_rows(struct weir__compiler *compiler, struct weir__made *made, const struct names *names,
                      struct weir__node *windowed_sides[2])
{
    bool               left = made->eff.side != WEIR_INNER, outer = made->eff.side == WEIR_OUTER;
    struct weir__kept *rows[2], *shared;
    struct weir__node *join[2];

    rows[0] = side_rows(compiler, made, 0, outer ? "-outer-this-join" : "-this-join", names->this_generated);
    rows[1] = side_rows(compiler, made, 1, left ? "-outer-other-join" : "-other-join", names->other_generated);
    join[0] = side_join(compiler, made, made->inputs[0], windowed_sides[0], names->this);
    join[1] = side_join(compiler, made, made->right, windowed_sides[1], names->other);
    made->node = weir__add(compiler, made->graph, names->merge, WEIR__PASS, made);
    weir__set_parents(compiler, made->node, join[0], join[1]);
    for (int i = 0; i < 2; i++) {
        check_join_rows(compiler, made, rows[i]);
        weir__rows_are(compiler, made, rows[i], made->key, i == 0 ? made->inputs[0]->value : made->right->value);
        weir__connect(compiler, windowed_sides[i], rows[i]);
        weir__connect(compiler, join[1 - i], rows[i]);
    }
    if (!left)
        return;
    shared = shared_rows(compiler, made, rows[0], names->this_generated);
    weir__connect(compiler, join[0], shared);
    weir__connect(compiler, join[1], shared);
}

static void join_streams(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__made  *from = made->inputs[0], *other = made->right;
    struct weir__graph *sides[2];
    struct weir__node  *windowed_sides[2];
    struct names        names;

    weir__same_type(compiler, made, weir__phrase(compiler, "the key of %s", other->eff.name), from->key, other->key);
    join_types(made);
    sides[0] = for_join(compiler, made, from, side_base(compiler, made, "-left"));
    sides[1] = for_join(compiler, made, other, side_base(compiler, made, "-right"));
    names = name_stream_join(compiler, made);
    made->name = names.merge;
    windowed_sides[0] = windowed(compiler, made, from, sides[0], names.this_windowed);
    windowed_sides[1] = windowed(compiler, made, other, sides[1], names.other_windowed);
    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, sides[0]);
    weir__graph_below(compiler, made->graph, sides[1]);
    made->graph->keeps_null_keys = made->eff.side != WEIR_INNER;
    join_rows(compiler, made, &names, windowed_sides);
    weir__types(made->node, made, made->key, made->value);
    made->rekeyed = false;
}

/* ---- of tables ---- */

#define TABLES "a join of tables"

static struct weir__node *table_side(struct weir__compiler *compiler, struct weir__made *made,
                                     struct weir__made *side, const char *name)
{
    struct weir__node *node = weir__add(compiler, made->graph, name, WEIR__REFUSED, made);

    weir__set_parents(compiler, node, side->node, NULL);
    weir__types(node, side, made->key, made->value);
    weir__refuse(node, TABLES);
    node->table = true;
    return node;
}

static void join_tables(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__made *from = made->inputs[0], *other = made->right;
    const char        *this_name, *other_name;
    struct weir__node *sides[2];

    made->flow = WEIR__TABLE;
    weir__same_type(compiler, made, weir__phrase(compiler, "the key of %s", other->eff.name), from->key, other->key);
    join_types(made);
    if (made->eff.into != NULL)
        weir__keep(compiler, made, "KTABLE-MERGE-");
    made->name = weir__name_or(compiler, made, "KTABLE-MERGE-");
    if (made->eff.side != WEIR_INNER)
        weir__want_old(compiler, from, true);
    if (made->eff.side == WEIR_OUTER)
        weir__want_old(compiler, other, true);
    this_name = weir__suffix_or(compiler, made, "-join-this", "KTABLE-JOINTHIS-");
    other_name = weir__suffix_or(compiler, made, "-join-other", "KTABLE-JOINOTHER-");
    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, from->graph);
    weir__graph_below(compiler, made->graph, other->graph);
    sides[0] = table_side(compiler, made, from, this_name);
    sides[1] = table_side(compiler, made, other, other_name);
    made->node = weir__add(compiler, made->graph, made->name, WEIR__REFUSED, made);
    weir__set_parents(compiler, made->node, sides[0], sides[1]);
    weir__types(made->node, made, made->key, made->value);
    weir__refuse(made->node, TABLES);
    made->node->table = true;
    weir__read_rows(compiler, other, sides[0]);
    weir__read_rows(compiler, from, sides[1]);
    if (made->store == NULL)
        return;
    weir__rows_are(compiler, made, made->store, made->key, made->value);
    weir__materialize(compiler, made);
}

/* ---- by foreign key ---- */

#define FOREIGN "a join by foreign key"

static struct weir__node *foreign_step(struct weir__compiler *compiler, struct weir__made *made,
                                       struct weir__graph *parent, const char *name, enum weir__op op)
{
    struct weir__node *node;

    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, parent);
    node = weir__add(compiler, made->graph, name, op, made);
    weir__types(node, made, made->key, made->value);
    if (op == WEIR__REFUSED)
        weir__refuse(node, FOREIGN);
    return node;
}

static void through(struct weir__node *node, const char *const *topic)
{
    node->topics = topic;
    node->topic_count = 1;
    node->internal = true;
}

/* Sink and source of one of its two topics, as graphs of their own. */
static struct weir__graph *foreign_topic(struct weir__compiler *compiler, struct weir__made *made,
                                         struct weir__graph *first, struct weir__graph *second, const char *word,
                                         const char *topic)
{
    const char **topics = weir__take(compiler, 2 * sizeof(*topics));
    const char  *sink =
        weir__suffix_or(compiler, made, weir__phrase(compiler, "-subscription-%s-sink", word), "KTABLE-SINK-");
    const char *source =
        weir__suffix_or(compiler, made, weir__phrase(compiler, "-subscription-%s-source", word), "KTABLE-SOURCE-");
    struct weir__node  *node;
    struct weir__graph *graph;

    topics[0] = topic;
    node = foreign_step(compiler, made, first, sink, WEIR__SINK);
    through(node, topics);
    graph = made->graph;
    if (second != NULL) {
        weir__graph_below(compiler, graph, second);
        weir__set_parents(compiler, node, first->out, second->out);
    }
    node = foreign_step(compiler, made, graph, source, WEIR__SOURCE);
    weir__set_parents(compiler, node, NULL, NULL);
    through(node, topics);
    return made->graph;
}

/* Left side: sends its foreign key to the other's partition. Gives the graph that receives it there. */
static struct weir__graph *subscribe(struct weir__compiler *compiler, struct weir__made *made,
                                     struct weir__kept **ret_rows)
{
    static const char  registration[] = "KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-";
    const char        *topic = weir__suffix_or(compiler, made, "-subscription-registration", registration);
    const char        *name, *store;
    struct weir__node *node;

    topic = weir__phrase(compiler, "%s-topic", topic);
    name = weir__suffix_or(compiler, made, "-subscription-registration-processor", registration);
    foreign_step(compiler, made, made->inputs[0]->graph, name, WEIR__REFUSED);
    foreign_topic(compiler, made, made->graph, NULL, "registration", topic);
    store = weir__suffix_or(compiler, made, "-subscription-store", "KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-");
    *ret_rows = weir__keep_own(compiler, made, store, false); /* nobody asks for its name */
    name = weir__suffix_or(compiler, made, "-subscription-receive", "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-");
    node = foreign_step(compiler, made, made->graph, name, WEIR__REFUSED);
    weir__connect(compiler, node, *ret_rows);
    return made->graph;
}

/* Right side: joins what was sent, and what changes, and answers. Gives the graph of the answers' source. */
static struct weir__graph *answer(struct weir__compiler *compiler, struct weir__made *made,
                                  struct weir__graph *received, struct weir__kept *rows)
{
    const char *name =
        weir__suffix_or(compiler, made, "-subscription-join-foreign", "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-");
    const char         *topic;
    struct weir__graph *joined;
    struct weir__node  *node = foreign_step(compiler, made, received, name, WEIR__REFUSED);

    joined = made->graph;
    weir__read_rows(compiler, made->right, node);
    name = weir__suffix_or(compiler, made, "-foreign-join-subscription", "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-");
    node = foreign_step(compiler, made, made->right->graph, name, WEIR__REFUSED);
    weir__connect(compiler, node, rows);
    topic = weir__suffix_or(compiler, made, "-subscription-response", "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-");
    return foreign_topic(compiler, made, joined, made->graph, "response", weir__phrase(compiler, "%s-topic", topic));
}

static void join_foreign(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__made  *from = made->inputs[0];
    struct weir__kept  *rows;
    struct weir__graph *graph;
    struct weir__node  *node;
    const char         *name;

    made->flow = WEIR__TABLE;
    join_types(made);
    weir__want_old(compiler, made->right, true);
    weir__want_old(compiler, from, true);
    graph = subscribe(compiler, made, &rows);
    graph = answer(compiler, made, graph, rows);
    name = weir__suffix_or(compiler, made, "-subscription-response-resolver",
                           "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-");
    node = foreign_step(compiler, made, graph, name, WEIR__REFUSED);
    weir__read_rows(compiler, from, node);
    made->name = weir__suffix_or(compiler, made, "-result", "KTABLE-FK-JOIN-OUTPUT-");
    weir__keep(compiler, made, "KTABLE-FK-JOIN-OUTPUT-");
    made->node = foreign_step(compiler, made, made->graph, made->name, WEIR__REFUSED);
    made->node->table = true;
    weir__rows_are(compiler, made, made->store, made->key, made->value);
    if (weir__store_named(compiler, made))
        weir__materialize(compiler, made);
}

/* ---- which one ---- */

static void check_join(struct weir__compiler *compiler, const struct weir__made *made, bool tables, bool streams)
{
    const struct weir_node *eff = &made->eff;
    const char             *name = eff->name;
    bool                    global = made->right->flow == WEIR__GLOBAL_TABLE;

    if (global != (eff->select != NULL))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name,
                    global ? "a join with a global table needs .select: which key to look up"
                           : ".select means nothing but in a join with a global table: leave it out");
    if (!tables && (eff->into != NULL || eff->foreign != NULL))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name, ".into and .foreign mean nothing but in a join of tables");
    if (!streams && (eff->before != 0 || eff->after != 0 || eff->uses != NULL || eff->stores_called != NULL))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name,
                    ".before, .after, .uses and .stores_called mean nothing but in a join of streams");
    if (!streams && !tables && eff->side == WEIR_OUTER)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name, "a stream has no outer join with a table: INNER or LEFT");
    if (tables && eff->foreign != NULL && eff->side == WEIR_OUTER)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name, "there is no outer join by foreign key: INNER or LEFT");
    if ((tables || global) && eff->grace != 0)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name, ".grace means nothing in this join: leave it out");
}

void weir__lower_join(struct weir__compiler *compiler, struct weir__made *made)
{
    enum weir__flow left = made->inputs[0]->flow, right = made->right->flow;
    bool            tables = left == WEIR__TABLE && right == WEIR__TABLE;
    bool            streams = left == WEIR__STREAM && right == WEIR__STREAM;

    check_join(compiler, made, tables, streams);
    if (streams) {
        join_streams(compiler, made);
    } else if (tables && made->eff.foreign != NULL) {
        join_foreign(compiler, made);
    } else if (tables) {
        join_tables(compiler, made);
    } else if (left == WEIR__STREAM && right == WEIR__TABLE) {
        join_table(compiler, made);
    } else if (left == WEIR__STREAM && right == WEIR__GLOBAL_TABLE) {
        join_global(compiler, made);
    } else {
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name,
                    "%s cannot be joined so with %s: streams join streams and tables, tables join tables",
                    made->inputs[0]->eff.name, made->right->eff.name);
        weir__lower_one(compiler, made, made->eff.name, WEIR__PASS);
    }
}

/* ---- cogroups ---- */

#define COGROUP_WORD "COGROUP"

static void check_arms(struct weir__compiler *compiler, const struct weir__made *made)
{
    for (const struct weir_arm *arm = made->eff.arms; arm->from != NULL; arm++) {
        const struct weir__made *from = weir__made_of(compiler, arm->from);

        if (arm->fold == NULL)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, "its arm from %s has no fold", from->eff.name);
        weir__same_type(compiler, made, weir__phrase(compiler, "the key from %s", from->eff.name),
                        made->inputs[0]->key, from->key);
    }
}

static void cogroup_types(struct weir__compiler *compiler, struct weir__made *made)
{
    const struct weir_windows *windows = made->store->eff.windows;

    made->key = made->inputs[0]->key;
    made->value = made->eff.value != NULL ? made->eff.value : made->store->eff.value;
    weir__rows_are(compiler, made, made->store, made->key, made->value);
    if (windows != NULL && made->key != NULL)
        made->key = weir__windowed_key(compiler, windows, made->key);
}

/* Where the n-th arm's records come from: each arm has its own repartition. */
static struct weir__graph *arm_graph(struct weir__compiler *compiler, struct weir__made *made,
                                     struct weir__made *from)
{
    const char         *base = made->eff.grouped != NULL ? made->eff.grouped : made->store->plan->name;
    struct weir__graph *graph;

    if (!from->rekeyed)
        return from->graph;
    graph = weir__graph_new(compiler);
    weir__graph_below(compiler, graph, from->graph);
    weir__repartition(compiler, graph, made, from, base);
    return graph;
}

static size_t count_arms(const struct weir__made *made)
{
    size_t count = 0;

    while (made->eff.arms[count].from != NULL)
        count++;
    return count;
}

static void add_arm(struct weir__compiler *compiler, struct weir__made *made, size_t n, struct weir__graph *parent,
                    struct weir__graph *merge)
{
    const char *name =
        weir__suffix_or(compiler, made, weir__phrase(compiler, "-cogroup-agg-%zu", n), "COGROUPKSTREAM-AGGREGATE-");
    struct weir__graph      *graph = weir__graph_new(compiler);
    const struct weir__made *from = weir__made_of(compiler, made->eff.arms[n].from);
    struct weir__node       *node;

    weir__graph_below(compiler, graph, parent);
    node = weir__add(compiler, graph, name, WEIR__REFUSED, made);
    weir__types(node, from, made->key, made->value);
    weir__connect(compiler, node, made->store);
    weir__refuse(node, COGROUP_WORD);
    node->table = true;
    ADD(compiler, merge->parents, merge->parent_count, graph);
}

void weir__lower_cogroup(struct weir__compiler *compiler, struct weir__made *made)
{
    size_t               count = count_arms(made);
    struct weir__graph **parents = weir__take(compiler, (count + 1) * sizeof(struct weir__graph *));

    made->flow = WEIR__TABLE;
    check_arms(compiler, made);
    weir__keep(compiler, made, "COGROUPKSTREAM-AGGREGATE-");
    cogroup_types(compiler, made);
    for (size_t i = 0; i < count; i++)
        parents[i] = arm_graph(compiler, made, weir__made_of(compiler, made->eff.arms[i].from));
    made->graph = weir__graph_new(compiler);
    for (size_t i = 0; i < count; i++)
        add_arm(compiler, made, i, parents[i], made->graph);
    made->name = weir__suffix_or(compiler, made, "-cogroup-merge", "COGROUPKSTREAM-MERGE-");
    made->graph->priority = compiler->priority++;
    made->node = weir__add(compiler, made->graph, made->name, WEIR__PASS, made);
    weir__types(made->node, made, made->key, made->value);
    made->node->table = true;
    made->queryable = true;
}
