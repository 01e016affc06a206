/* lower_tables.c: folds and tables: what has rows, who reads them, and who wants to know the old value.
 *
 * (1) A table made from a topic or a stream has rows only when its store has a name or somebody needs them; a fold
 *     always has; a filter or map of a table only when its store has a name.
 * (2) Who reads the rows of a filter or map without any reads those of its nearest ancestor that has some.
 * Source: KTableImpl.valueGetterSupplier, enableSendingOldValues.
 */
#include "framework/topology/internal.h"

const char *weir__unsupported_store(const struct weir__kept *kept)
{
    if (kept->eff.kind == WEIR_VERSIONED)
        return "a VERSIONED store";
    if (kept->eff.kind != WEIR_WINDOWS)
        return NULL;
    switch (kept->windows.kind) {
    case WEIR_SLIDING: return "SLIDING windows";
    case WEIR_SESSION: return "SESSION windows";
    case WEIR_CALENDAR: return kept->windows.time == WEIR_PER_KEY ? NULL : "CALENDAR windows by partition time";
    default: return NULL;
    }
}

/* ---- rows ---- */

void weir__materialize(struct weir__compiler *compiler, struct weir__made *made)
{
    const char *lack = weir__unsupported_store(made->store);

    if (made->queryable)
        return;
    made->queryable = true;
    weir__connect(compiler, made->node, made->store);
    made->node->materialized = true;
    if (lack != NULL)
        weir__refuse(made->node, lack);
}

/* A table that gets rows as soon as somebody needs them. */
static bool rows_on_demand(const struct weir__made *made)
{
    return made->eff.kind == WEIR_TABLE || made->eff.kind == WEIR_AS_TABLE ||
           (made->eff.kind == WEIR_JOIN && made->eff.foreign != NULL);
}

void weir__read_rows(struct weir__compiler *compiler, struct weir__made *made, struct weir__node *node)
{
    if (rows_on_demand(made))
        weir__materialize(compiler, made);
    if (made->queryable || made->eff.kind == WEIR_SUPPRESS)
        weir__connect(compiler, node, made->store);
    if (made->queryable || made->flow != WEIR__TABLE)
        return;
    weir__read_rows(compiler, made->inputs[0], node);
    if (made->eff.kind == WEIR_JOIN)
        weir__read_rows(compiler, made->right, node);
}

/* ---- old values ---- */

static bool inputs_want_old(struct weir__compiler *compiler, struct weir__made *made, bool force)
{
    switch (made->eff.kind) {
    case WEIR_KEEP:
    case WEIR_DROP:
    case WEIR_MAP_VALUES:
        return made->queryable || weir__want_old(compiler, made->inputs[0], force) || made->send_old;
    case WEIR_SUPPRESS: return weir__want_old(compiler, made->inputs[0], force);
    case WEIR_JOIN:
        weir__want_old(compiler, made->inputs[0], true);
        weir__want_old(compiler, made->right, true);
        return true;
    default: return true;
    }
}

bool weir__want_old(struct weir__compiler *compiler, struct weir__made *made, bool force)
{
    if (made->send_old)
        return true;
    if (rows_on_demand(made)) {
        if (!force && !made->queryable)
            return false;
        weir__materialize(compiler, made);
    } else if (!inputs_want_old(compiler, made, force)) {
        return false;
    }
    made->send_old = made->node->send_old = true;
    return true;
}

/* ---- filters, maps, streams of tables ---- */

void weir__lower_values(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__made *from = made->inputs[0];
    const char        *prefix = made->eff.kind == WEIR_MAP_VALUES ? "KTABLE-MAPVALUES-" : "KTABLE-FILTER-";
    bool               map = made->eff.kind == WEIR_MAP_VALUES, named = weir__store_named(compiler, made);

    made->flow = WEIR__TABLE;
    if (made->eff.into != NULL)
        weir__keep(compiler, made, prefix);
    weir__lower_one(compiler, made, weir__name_or(compiler, made, prefix),
                    map ? WEIR__TABLE_MAP : WEIR__TABLE_FILTER);
    made->node->table = true;
    made->node->emit = made->eff.emit;
    if (map && made->eff.value == NULL && made->eff.into != NULL)
        made->value = made->node->value_out = made->eff.into->value;
    if (made->eff.into != NULL)
        weir__rows_are(compiler, made, made->store, made->key, made->value);
    if (named)
        weir__materialize(compiler, made);
    if (!map && weir__want_old(compiler, from, false))
        made->send_old = made->node->send_old = true;
}

void weir__lower_as_stream(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__made  *from = made->inputs[0];
    const char         *called = weir__called(compiler, made);
    struct weir__graph *parent;

    weir__lower_one(compiler, made, weir__name_or(compiler, made, "KTABLE-TOSTREAM-"), WEIR__TO_STREAM);
    made->rekeyed = made->eff.select != NULL;
    if (made->eff.select == NULL)
        return;
    weir__types(made->node, from, from->key, from->value);
    parent = made->graph;
    made->name = weir__generate(compiler, "KSTREAM-KEY-SELECT-");
    if (!compiler->kafka)
        made->name = weir__phrase(compiler, "%s-select", called);
    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, parent);
    made->node = weir__add(compiler, made->graph, made->name, WEIR__SELECT, made);
    weir__types(made->node, from, made->key, made->value);
}

void weir__lower_as_table(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__made  *from = made->inputs[0];
    struct weir__graph *parent = from->graph;
    struct weir__kept  *kept;

    made->flow = WEIR__TABLE;
    made->name = weir__name_or(compiler, made, "KSTREAM-TOTABLE-");
    kept = weir__keep(compiler, made, "KSTREAM-TOTABLE-");
    made->key = from->key;
    made->value = from->value;
    if (from->rekeyed) {
        parent = weir__graph_new(compiler);
        weir__graph_below(compiler, parent, from->graph);
        weir__repartition(compiler, parent, made, from, made->name);
    }
    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, parent);
    made->node = weir__add(compiler, made->graph, made->name, WEIR__TABLE_SOURCE, made);
    made->node->table = true;
    made->node->emit = made->eff.emit;
    weir__types(made->node, from, made->key, made->value);
    weir__rows_are(compiler, made, kept, made->key, made->value);
    if (weir__store_named(compiler, made))
        weir__materialize(compiler, made);
}

/* ---- folds ---- */

static struct weir__graph *group(struct weir__compiler *compiler, struct weir__made *made, struct weir__made *from,
                                 const char *base)
{
    struct weir__shared *shared = &from->for_fold;
    bool share = made->eff.grouped != NULL && shared->graph != NULL && strcmp(shared->base, made->eff.grouped) == 0;
    struct weir__graph *graph = share ? shared->graph : weir__graph_new(compiler);

    if (!share)
        weir__graph_below(compiler, graph, from->graph);
    weir__repartition(compiler, share ? NULL : graph, made, from, base);
    if (share)
        weir__graph_below(compiler, graph, from->graph);
    *shared = (struct weir__shared){ .graph = graph, .base = base };
    return graph;
}

static const struct weir_codec *state_type(const struct weir__made *made, const struct weir__made *from)
{
    switch (made->eff.kind) {
    case WEIR_COUNT: return weir_int64;
    case WEIR_REDUCE: return from->value;
    default: break;
    }
    if (made->eff.value != NULL)
        return made->eff.value;
    return made->eff.into != NULL ? made->eff.into->value : NULL;
}

static void check_emit(struct weir__compiler *compiler, const struct weir__made *made)
{
    const struct weir_store *into = &made->store->eff;

    if (made->eff.emit != WEIR_ON_CLOSE)
        return;
    if (into->windows == NULL)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, made->eff.name,
                    ".emit is WEIR_ON_CLOSE, but nothing closes: its store has no windows");
    else if (into->windows->kind == WEIR_UNLIMITED)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, made->eff.name,
                    ".emit is WEIR_ON_CLOSE, but UNLIMITED windows never close");
}

/* Types of the state and of the results. */
static void fold_types(struct weir__compiler *compiler, struct weir__made *made, const struct weir__made *from)
{
    const struct weir_windows *windows = made->store->eff.windows;

    made->key = from->key;
    made->value = state_type(made, from);
    if (made->value == NULL)
        weir__fault(compiler, WEIR_BAD_TYPE, made->eff.name, "its state has no type: give a store, or .value");
    weir__rows_are(compiler, made, made->store, made->key, made->value);
    if (windows != NULL && made->key != NULL)
        made->key = weir__windowed_key(compiler, windows, made->key);
}

static void check_verbs(struct weir__compiler *compiler, const struct weir__made *made, bool grouped)
{
    const struct weir_windows *windows = made->store->eff.windows;
    bool                       session = windows != NULL && windows->kind == WEIR_SESSION;

    if (!grouped && made->eff.subtract != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name,
                    ".subtract means nothing but after a REGROUP of a table");
    if (grouped && made->eff.kind != WEIR_COUNT && made->eff.subtract == NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, "after a REGROUP it needs .subtract");
    if (grouped && windows != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, "a grouped table has no windows: its store is KEYS");
    if (session && made->eff.kind == WEIR_AGGREGATE && made->eff.unite == NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, "sessions that meet need .unite");
    if (!session && made->eff.unite != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, ".unite means nothing but for SESSION windows");
}

static void add_fold(struct weir__compiler *compiler, struct weir__made *made, const struct weir__made *from,
                     struct weir__graph *parent)
{
    bool windows = made->store->eff.windows != NULL;

    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, parent);
    made->node = weir__add(compiler, made->graph, made->name, windows ? WEIR__FOLD_WINDOWS : WEIR__FOLD, made);
    made->node->table = true;
    made->node->emit = made->eff.emit;
    made->node->windows = made->store->eff.windows;
    weir__types(made->node, from, made->key, made->value);
    weir__materialize(compiler, made);
}

/* Upstream's count takes a number for a store's name that it then does not use. */
static void take_old_number(struct weir__compiler *compiler, const struct weir__made *made)
{
    const struct weir_store *into = made->eff.into;
    bool                     sliding = into != NULL && into->windows != NULL && into->windows->kind == WEIR_SLIDING;

    if (made->eff.kind == WEIR_COUNT && !sliding && !weir__store_named(compiler, made))
        weir__generate(compiler, "");
}

/* ---- of grouped tables ---- */

#define GROUPED "an aggregation of a grouped table"

void weir__lower_regroup(struct weir__compiler *compiler, struct weir__made *made)
{
    if (made->eff.map == NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name,
                    "a table is grouped by .map, which gives key and value: use REGROUP");
    weir__lower_one(compiler, made, weir__name_or(compiler, made, "KTABLE-SELECT-"), WEIR__REFUSED);
    weir__refuse(made->node, GROUPED);
    made->flow = WEIR__GROUPED;
    made->node->table = true;
    weir__want_old(compiler, made->inputs[0], true);
}

static struct weir__graph *group_table(struct weir__compiler *compiler, struct weir__made *made, const char *sink,
                                       const char *source)
{
    struct weir__made   *from = made->inputs[0];
    struct weir__shared *shared = &from->for_fold;
    bool                 share = made->eff.grouped != NULL && shared->graph != NULL;
    struct weir__graph  *graph = share ? shared->graph : weir__graph_new(compiler);
    const char          *base = made->eff.grouped != NULL ? made->eff.grouped : made->store->plan->name;

    weir__graph_below(compiler, graph, from->graph);
    if (share)
        return graph;
    weir__through_topic(compiler, graph, made, sink, weir__phrase(compiler, "%s-repartition", base), source);
    for (size_t i = 0; i < graph->node_count; i++)
        weir__types(graph->nodes[i], from, from->key, from->value);
    *shared = (struct weir__shared){ .graph = graph, .base = base };
    return graph;
}

static void lower_fold_table(struct weir__compiler *compiler, struct weir__made *made)
{
    const char *prefix = made->eff.kind == WEIR_REDUCE ? "KTABLE-REDUCE-" : "KTABLE-AGGREGATE-";
    const char *sink, *source;

    weir__keep(compiler, made, "KTABLE-AGGREGATE-");
    sink = weir__suffix_or(compiler, made, "-sink", "KSTREAM-SINK-");
    source = weir__suffix_or(compiler, made, "-source", "KSTREAM-SOURCE-");
    made->name = weir__name_or(compiler, made, prefix);
    check_emit(compiler, made);
    check_verbs(compiler, made, true);
    fold_types(compiler, made, made->inputs[0]);
    add_fold(compiler, made, made->inputs[0], group_table(compiler, made, sink, source));
    weir__refuse(made->node, GROUPED);
}

/* ---- of streams, and of either ---- */

static void lower_fold_stream(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__made  *from = made->inputs[0];
    const char         *prefix = made->eff.kind == WEIR_REDUCE ? "KSTREAM-REDUCE-" : "KSTREAM-AGGREGATE-";
    struct weir__graph *parent = from->graph;
    struct weir__kept  *kept;

    take_old_number(compiler, made);
    kept = weir__keep(compiler, made, prefix);
    made->name = weir__name_or(compiler, made, prefix);
    check_emit(compiler, made);
    check_verbs(compiler, made, false);
    fold_types(compiler, made, from);
    if (from->rekeyed)
        parent = group(compiler, made, from, made->eff.grouped != NULL ? made->eff.grouped : kept->plan->name);
    add_fold(compiler, made, from, parent);
}

void weir__lower_fold(struct weir__compiler *compiler, struct weir__made *made)
{
    made->flow = WEIR__TABLE;
    if (made->inputs[0]->flow == WEIR__GROUPED)
        lower_fold_table(compiler, made);
    else
        lower_fold_stream(compiler, made);
}

/* ---- suppress ---- */

void weir__lower_suppress(struct weir__compiler *compiler, struct weir__made *made)
{
    const char *called = weir__called(compiler, made);
    const char *name = called != NULL ? called : weir__generate(compiler, "KTABLE-SUPPRESS-");
    const char *store = called != NULL ? weir__phrase(compiler, "%s-store", called)
                                       : weir__generate(compiler, "KTABLE-SUPPRESS-STATE-STORE-");

    weir__want_old(compiler, made->inputs[0], true);
    weir__lower_one(compiler, made, name, WEIR__REFUSED);
    weir__refuse(made->node, "SUPPRESS");
    made->flow = WEIR__TABLE;
    made->node->table = true;
    made->store = weir__keep_own(compiler, made, store, called == NULL);
    made->store->eff.key = made->key;
    made->store->eff.value = made->value;
    weir__connect(compiler, made->node, made->store);
}
