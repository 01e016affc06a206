/* lower.c: declared nodes to graphs of physical ones: sources, sinks and what works on one record of a stream. */
#include "framework/outlet.h"
#include "framework/topology/internal.h"

/* ---- shared ---- */

static struct weir__graph *below_inputs(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__graph *graph = weir__graph_new(compiler);

    for (size_t i = 0; i < made->input_count; i++)
        weir__graph_below(compiler, graph, made->inputs[i]->graph);
    return graph;
}

struct weir__node *weir__lower_one(struct weir__compiler *compiler, struct weir__made *made, const char *name,
                                   enum weir__op op)
{
    const struct weir__made *from = made->inputs[0];

    weir__same_inputs(compiler, made);
    made->graph = below_inputs(compiler, made);
    made->node = weir__add(compiler, made->graph, name, op, made);
    made->name = name;
    made->key = made->eff.key != NULL ? made->eff.key : from->key;
    made->value = made->eff.value != NULL ? made->eff.value : from->value;
    for (size_t i = 0; i < made->input_count; i++)
        made->rekeyed = made->rekeyed || made->inputs[i]->rekeyed;
    weir__types(made->node, from, made->key, made->value);
    return made->node;
}

/* One node hears of a store's windows as they close. */
static bool hears(struct weir__compiler *compiler, const struct weir__made *made, struct weir__kept *kept)
{
    if (kept->closer != NULL && kept->closer != made)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name,
                    "the windows of its store \"%s\" close in %s: .final in one node only", kept->plan->name,
                    kept->closer->eff.name);
    kept->closer = made;
    return true;
}

static void use_stores(struct weir__compiler *compiler, struct weir__made *made)
{
    bool told = false;

    for (size_t i = 0; made->eff.uses != NULL && made->eff.uses[i] != NULL; i++) {
        struct weir__kept *kept = weir__kept_of(compiler, made->eff.uses[i]);
        const char        *lack = weir__unsupported_store(kept);

        weir__connect(compiler, made->node, kept);
        if (lack != NULL)
            weir__refuse(made->node, lack);
        if (made->eff.final != NULL && kept->windows.time == WEIR_PER_KEY)
            told = hears(compiler, made, kept);
    }
    if (made->eff.final != NULL && !told)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name,
                    ".final means nothing: none of its .uses is a store of WINDOWS with .time = WEIR_PER_KEY");
}

/* ---- sources ---- */

static bool reads(const struct weir__made *made, const char *topic)
{
    for (size_t i = 0; made->eff.topics[i] != NULL; i++)
        if (strcmp(made->eff.topics[i], topic) == 0)
            return true;
    return false;
}

static bool same_topics(const struct weir__made *a, const struct weir__made *b)
{
    for (size_t i = 0; a->eff.topics[i] != NULL; i++)
        if (!reads(b, a->eff.topics[i]))
            return false;
    for (size_t i = 0; b->eff.topics[i] != NULL; i++)
        if (!reads(a, b->eff.topics[i]))
            return false;
    return true;
}

/* The source that reads one of made's topics already, or NULL. */
static struct weir__made *reader_of(const struct weir__compiler *compiler, const struct weir__made *made)
{
    for (size_t i = 0; i < compiler->topic_count; i++)
        if (reads(made, compiler->topics[i].topic))
            return compiler->topics[i].made;
    return NULL;
}

static void check_reader(struct weir__compiler *compiler, const struct weir__made *made,
                         const struct weir__made *reader)
{
    const char *name = made->eff.name, *other = reader->eff.name;

    if (made->eff.kind != WEIR_SOURCE || reader->eff.kind != WEIR_SOURCE)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name, "%s reads its topic already: a topic is read by one node",
                    other);
    else if (!same_topics(made, reader))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name, "reads some but not all topics of %s: read the same, or none",
                    other);
    else if (made->eff.reset != reader->eff.reset)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name, "reads the topics of %s with another .reset", other);
    else if (!compiler->kafka && (made->eff.extract != reader->eff.extract || made->eff.arg != reader->eff.arg))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, name, "reads the topics of %s with another .extract or .arg", other);
    weir__same_type(compiler, made, weir__phrase(compiler, "the key of its topic, read by %s too,", other), made->key,
                    reader->key);
    weir__same_type(compiler, made, weir__phrase(compiler, "the value of its topic, read by %s too,", other),
                    made->value, reader->value);
}

static void set_topics(struct weir__node *node, const struct weir__made *made)
{
    node->topics = made->eff.topics;
    while (node->topics[node->topic_count] != NULL)
        node->topic_count++;
    node->reset = made->eff.reset;
    node->partitions = made->eff.partitions;
}

/* The source's graph and node; a second source of the same topics joins the first. */
static void read_topics(struct weir__compiler *compiler, struct weir__made *made, const char *name)
{
    struct weir__made *reader = reader_of(compiler, made);

    if (reader != NULL)
        check_reader(compiler, made, reader);
    if (reader != NULL && made->eff.kind == WEIR_SOURCE && reader->eff.kind == WEIR_SOURCE) {
        made->graph = reader->graph;
        made->node = reader->node;
        return;
    }
    for (size_t i = 0; made->eff.topics[i] != NULL; i++)
        ADD(compiler, compiler->topics, compiler->topic_count,
            ((struct weir__registered){ .topic = made->eff.topics[i], .made = made }));
    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, NULL);
    made->node = weir__add(compiler, made->graph, name, WEIR__SOURCE, made);
    weir__types(made->node, made, made->key, made->value);
    set_topics(made->node, made);
}

static void lower_source(struct weir__compiler *compiler, struct weir__made *made)
{
    made->name = weir__name_or(compiler, made, "KSTREAM-SOURCE-");
    made->key = made->eff.key;
    made->value = made->eff.value;
    read_topics(compiler, made, made->name);
}

/* What a table or global table is made of: as its store says, or the node. */
static void table_types(struct weir__compiler *compiler, struct weir__made *made)
{
    const struct weir_store *into = made->eff.into;

    made->key = made->eff.key != NULL ? made->eff.key : into != NULL ? into->key : NULL;
    made->value = made->eff.value != NULL ? made->eff.value : into != NULL ? into->value : NULL;
    if (into == NULL && (made->key == NULL || made->value == NULL))
        weir__fault(compiler, WEIR_BAD_TYPE, made->eff.name,
                    "its records have no type: give .key and .value, or a store");
}

/* Store, source and the node that makes a table of it. */
static void lower_from_topic(struct weir__compiler *compiler, struct weir__made *made, enum weir__op op)
{
    struct weir__kept *kept = weir__keep(compiler, made, weir__phrase(compiler, "%s-", made->eff.topics[0]));
    const char        *source = weir__suffix_or(compiler, made, "-source", "KSTREAM-SOURCE-");

    made->name = weir__name_or(compiler, made, "KTABLE-SOURCE-");
    table_types(compiler, made);
    read_topics(compiler, made, made->eff.grouped != NULL ? made->eff.grouped : source);
    made->node = weir__add(compiler, made->graph, made->name, op, made);
    weir__types(made->node, made, made->key, made->value);
    if (made->eff.process == NULL)
        weir__rows_are(compiler, made, kept, made->key, made->value);
}

static void lower_table(struct weir__compiler *compiler, struct weir__made *made)
{
    made->flow = WEIR__TABLE;
    lower_from_topic(compiler, made, WEIR__TABLE_SOURCE);
    made->node->table = true;
    made->node->emit = made->eff.emit;
    if (weir__store_named(compiler, made))
        weir__materialize(compiler, made);
}

static void lower_global(struct weir__compiler *compiler, struct weir__made *made)
{
    bool own = made->eff.process != NULL;

    made->flow = WEIR__GLOBAL_TABLE;
    lower_from_topic(compiler, made, own ? WEIR__GLOBAL_PROCESS : WEIR__GLOBAL);
    weir__materialize(compiler, made);
    made->node->materialized = !own;
    made->store->plan->global = true;
    made->store->plan->source_topic = made->eff.topics[0];
    if (weir__unsupported_store(made->store) != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, "a global table's store is KEYS or LRU");
}

/* ---- one record at a time ---- */

static const struct simple {
    enum weir__op op;
    const char   *prefix;
    bool          rekeys, unnumbered; /* a name of its own takes no number */
} simple[] = {
    [WEIR_KEEP] = { WEIR__FILTER, "KSTREAM-FILTER-", false, false },
    [WEIR_DROP] = { WEIR__FILTER, "KSTREAM-FILTER-", false, false },
    [WEIR_MAP] = { WEIR__MAP, "KSTREAM-MAP-", true, false },
    [WEIR_MAP_VALUES] = { WEIR__MAP, "KSTREAM-MAPVALUES-", false, false },
    [WEIR_FLAT_MAP] = { WEIR__PROCESS, "KSTREAM-FLATMAP-", true, false },
    [WEIR_FLAT_MAP_VALUES] = { WEIR__PROCESS, "KSTREAM-FLATMAPVALUES-", false, false },
    [WEIR_PEEK] = { WEIR__PROCESS, "KSTREAM-PEEK-", false, false },
    [WEIR_FOREACH] = { WEIR__PROCESS, "KSTREAM-FOREACH-", false, false },
    [WEIR_STEP] = { WEIR__PROCESS, "KSTREAM-PROCESSOR-", true, true },
    [WEIR_STEP_VALUES] = { WEIR__PROCESS, "KSTREAM-PROCESSVALUES-", false, true },
    [WEIR_REKEY] = { WEIR__SELECT, "KSTREAM-KEY-SELECT-", true, false },
    [WEIR_MERGE] = { WEIR__PASS, "KSTREAM-MERGE-", false, false },
};

static void lower_simple(struct weir__compiler *compiler, struct weir__made *made)
{
    const struct simple *rule = &simple[made->eff.kind];
    const char          *called = weir__called(compiler, made);
    const char *name = rule->unnumbered && called != NULL ? called : weir__name_or(compiler, made, rule->prefix);

    weir__lower_one(compiler, made, name, rule->op);
    made->rekeyed = made->rekeyed || rule->rekeys;
    if (made->eff.kind == WEIR_FOREACH)
        made->flow = WEIR__NOTHING;
    use_stores(compiler, made);
}

static void lower_rekey(struct weir__compiler *compiler, struct weir__made *made)
{
    if (made->inputs[0]->flow == WEIR__TABLE)
        weir__lower_regroup(compiler, made);
    else
        lower_simple(compiler, made);
}

static void lower_filter_or_map(struct weir__compiler *compiler, struct weir__made *made)
{
    if (made->inputs[0]->flow == WEIR__TABLE) {
        weir__lower_values(compiler, made);
        return;
    }
    if (made->eff.into != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, ".into means nothing on a stream: leave it out");
    lower_simple(compiler, made);
}

static void lower_leg(struct weir__compiler *compiler, struct weir__made *made, const struct weir__made *split,
                      const char *prefix, size_t number)
{
    const char *called = weir__called(compiler, made);

    if (made->lowered)
        return;
    made->lowered = true;
    weir__generate(compiler, "");
    made->name = called != NULL ? weir__phrase(compiler, "%s%s", prefix, called)
                                : weir__phrase(compiler, "%s%zu", prefix, number);
    made->graph = weir__graph_new(compiler);
    weir__graph_below(compiler, made->graph, split->graph);
    made->node = weir__add(compiler, made->graph, made->name, WEIR__PASS, made);
    made->key = split->key;
    made->value = split->value;
    made->rekeyed = split->rekeyed;
    weir__types(made->node, split, made->key, made->value);
}

/* The legs are made with their split: with upstream's names they are numbered there, one without a test as 0. */
static void lower_split(struct weir__compiler *compiler, struct weir__made *made)
{
    const char *name = weir__name_or(compiler, made, "KSTREAM-BRANCH-");

    weir__lower_one(compiler, made, name, WEIR__BRANCH);
    made->flow = WEIR__NOTHING;
    for (size_t i = 0; made->eff.legs[i] != NULL; i++) {
        struct weir__made *leg = weir__made_of(compiler, made->eff.legs[i]);

        lower_leg(compiler, leg, made, compiler->kafka ? name : "", leg->eff.test != NULL ? i + 1 : 0);
    }
}

static void lower_repartition(struct weir__compiler *compiler, struct weir__made *made)
{
    const char *called = weir__called(compiler, made);
    const char *base = called != NULL ? called : weir__generate(compiler, "KSTREAM-REPARTITION-");

    made->graph = below_inputs(compiler, made);
    made->key = made->inputs[0]->key;
    made->value = made->inputs[0]->value;
    made->name = weir__repartition(compiler, made->graph, made, made->inputs[0], base);
    made->node = made->graph->out;
}

static void lower_sink(struct weir__compiler *compiler, struct weir__made *made)
{
    const struct weir__made *from = made->inputs[0];

    weir__lower_one(compiler, made, weir__name_or(compiler, made, "KSTREAM-SINK-"), WEIR__SINK);
    made->flow = WEIR__NOTHING;
    set_topics(made->node, made);
    weir__same_type(compiler, made, "the key that it writes", from->key, made->eff.key);
    weir__same_type(compiler, made, "the value that it writes", from->value, made->eff.value);
}

/* Its name stands for it in settings, metrics and health. */
static void check_outlet_name(struct weir__compiler *compiler, const struct weir__made *made)
{
    for (size_t i = 0; i < compiler->made_count; i++) {
        const struct weir_node *other = compiler->made[i]->spec;

        if (other->kind == WEIR_OUTLET && other->outlet != NULL && other->outlet != made->eff.outlet &&
            strcmp(other->outlet->name, made->eff.outlet->name) == 0)
            weir__fault(compiler, WEIR_BAD_NAME, made->eff.name, "node %s has another outlet of the name \"%s\"",
                        other->name, other->outlet->name);
    }
}

static void lower_outlet(struct weir__compiler *compiler, struct weir__made *made)
{
    const struct weir__made *from = made->inputs[0];

    weir__lower_one(compiler, made, weir__name_or(compiler, made, "KSTREAM-OUTLET-"), WEIR__OUTLET);
    made->flow = WEIR__NOTHING;
    weir__same_type(compiler, made, "the key that it takes", from->key, made->eff.key);
    weir__same_type(compiler, made, "the value that it takes", from->value, made->eff.value);
    check_outlet_name(compiler, made);
}

/* ---- all kinds ---- */

enum takes { STREAM = 1, TABLE = 2, GROUPED = 4, ANY = STREAM | TABLE };

static const struct kind {
    weir__lower_kind *lower;
    enum takes        takes;
} kinds[] = {
    [WEIR_SOURCE] = { lower_source, 0 },
    [WEIR_TABLE] = { lower_table, 0 },
    [WEIR_GLOBAL] = { lower_global, 0 },
    [WEIR_SINK] = { lower_sink, ANY },
    [WEIR_STEP] = { lower_simple, STREAM },
    [WEIR_STEP_VALUES] = { lower_simple, STREAM },
    [WEIR_KEEP] = { lower_filter_or_map, ANY },
    [WEIR_DROP] = { lower_filter_or_map, ANY },
    [WEIR_MAP] = { lower_simple, STREAM },
    [WEIR_MAP_VALUES] = { lower_filter_or_map, ANY },
    [WEIR_FLAT_MAP] = { lower_simple, STREAM },
    [WEIR_FLAT_MAP_VALUES] = { lower_simple, STREAM },
    [WEIR_PEEK] = { lower_simple, STREAM },
    [WEIR_FOREACH] = { lower_simple, STREAM },
    [WEIR_REKEY] = { lower_rekey, ANY },
    [WEIR_REPARTITION] = { lower_repartition, STREAM },
    [WEIR_SPLIT] = { lower_split, STREAM },
    [WEIR_LEG] = { NULL, 0 },
    [WEIR_MERGE] = { lower_simple, STREAM },
    [WEIR_COUNT] = { weir__lower_fold, STREAM | GROUPED },
    [WEIR_REDUCE] = { weir__lower_fold, STREAM | GROUPED },
    [WEIR_AGGREGATE] = { weir__lower_fold, STREAM | GROUPED },
    [WEIR_COGROUP] = { weir__lower_cogroup, STREAM },
    [WEIR_AS_TABLE] = { weir__lower_as_table, STREAM },
    [WEIR_AS_STREAM] = { weir__lower_as_stream, TABLE },
    [WEIR_JOIN] = { weir__lower_join, ANY },
    [WEIR_SUPPRESS] = { weir__lower_suppress, TABLE },
    [WEIR_OUTLET] = { lower_outlet, ANY },
};

static const char *remedy(enum weir__flow given, enum takes takes)
{
    if (given == WEIR__GROUPED)
        return "a REGROUP is followed by a COUNT, REDUCE or AGGREGATE";
    if (given == WEIR__TABLE && (takes & GROUPED))
        return "put a REGROUP (of the table) or an AS_STREAM between";
    return given == WEIR__TABLE ? "put an AS_STREAM between" : "put an AS_TABLE between";
}

static bool takes_flow(enum takes takes, enum weir__flow flow)
{
    switch (flow) {
    case WEIR__STREAM: return takes & STREAM;
    case WEIR__TABLE: return takes & TABLE;
    case WEIR__GROUPED: return takes & GROUPED;
    default: return false;
    }
}

static const char *flow_word(enum weir__flow flow)
{
    switch (flow) {
    case WEIR__STREAM: return "a stream";
    case WEIR__TABLE: return "a table";
    case WEIR__GROUPED: return "a grouped table";
    case WEIR__GLOBAL_TABLE: return "a global table";
    case WEIR__NOTHING: break;
    }
    return "nothing";
}

static bool check_flows(struct weir__compiler *compiler, const struct weir__made *made)
{
    enum takes takes = kinds[made->eff.kind].takes;

    for (size_t i = 0; i < made->input_count; i++) {
        enum weir__flow flow = made->inputs[i]->flow;

        if (takes_flow(takes, flow))
            continue;
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, "a %s cannot take %s, which %s gives: %s",
                    weir__kind_word(made->eff.kind), flow_word(flow), made->inputs[i]->eff.name, remedy(flow, takes));
        return false;
    }
    return true;
}

/* What takes the wrong thing is still compiled, as if it passed everything on: the faults after it are found too. */
static void lower(struct weir__compiler *compiler, struct weir__made *made)
{
    if (made->lowered || made->eff.kind == WEIR_LEG)
        return;
    made->lowered = true;
    if (check_flows(compiler, made) || made->eff.kind == WEIR_SPLIT)
        kinds[made->eff.kind].lower(compiler, made);
    else
        weir__lower_one(compiler, made, made->eff.name, WEIR__PASS);
}

void weir__lower(struct weir__compiler *compiler)
{
    for (size_t i = 0; i < compiler->order_count; i++)
        lower(compiler, compiler->order[i]);
    for (size_t i = 0; compiler->topology->stores != NULL && compiler->topology->stores[i] != NULL; i++)
        weir__kept_of(compiler, compiler->topology->stores[i]);
}
