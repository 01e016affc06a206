/* graph.c: operators' graphs, their physical nodes, and the order in which these enter the plan.
 *
 * (1) The lowest priority among the graphs whose parents are all written goes first.
 * (2) A node's children are in that order too: it is the order in which records reach them.
 */
#include <ctype.h>

#include "framework/topology/internal.h"

#define SUFFIX "-repartition"

struct weir__graph *weir__graph_new(struct weir__compiler *compiler)
{
    struct weir__graph *graph = weir__take(compiler, sizeof(*graph));

    ADD(compiler, compiler->graphs, compiler->graph_count, graph);
    return graph;
}

void weir__graph_below(struct weir__compiler *compiler, struct weir__graph *graph, struct weir__graph *parent)
{
    graph->priority = compiler->priority++;
    for (size_t i = 0; i < graph->parent_count; i++)
        if (graph->parents[i] == parent)
            return;
    if (parent != NULL)
        ADD(compiler, graph->parents, graph->parent_count, parent);
}

static void add_parent(struct weir__compiler *compiler, struct weir__node *node, struct weir__node *parent)
{
    for (size_t i = 0; i < node->parent_count; i++)
        if (node->parents[i] == parent)
            return;
    ADD(compiler, node->parents, node->parent_count, parent);
}

struct weir__node *weir__add(struct weir__compiler *compiler, struct weir__graph *graph, const char *name,
                             enum weir__op op, const struct weir__made *made)
{
    struct weir__node *node = weir__take(compiler, sizeof(*node));

    node->name = name;
    node->op = op;
    node->spec = made->spec;
    node->options = made->options;
    if (graph->out != NULL)
        add_parent(compiler, node, graph->out);
    else
        for (size_t i = 0; i < graph->parent_count; i++)
            add_parent(compiler, node, graph->parents[i]->out);
    ADD(compiler, graph->nodes, graph->node_count, node);
    graph->out = node;
    return node;
}

void weir__set_parents(struct weir__compiler *compiler, struct weir__node *node, struct weir__node *first,
                       struct weir__node *second)
{
    node->parents = NULL;
    node->parent_count = 0;
    if (first != NULL)
        add_parent(compiler, node, first);
    if (second != NULL)
        add_parent(compiler, node, second);
}

void weir__refuse(struct weir__node *node, const char *what)
{
    node->op = WEIR__REFUSED;
    node->refused = what;
}

/* ---- through a topic ---- */

static const char *const *one_topic(struct weir__compiler *compiler, const char *topic)
{
    const char **topics = weir__take(compiler, 2 * sizeof(*topics));

    topics[0] = topic;
    return topics;
}

static void internal_topic(struct weir__compiler *compiler, struct weir__node *node, const char *topic)
{
    node->topics = one_topic(compiler, topic);
    node->topic_count = 1;
    node->internal = true;
    node->reset = WEIR_EARLIEST;
}

void weir__through_topic(struct weir__compiler *compiler, struct weir__graph *graph, const struct weir__made *made,
                         const char *sink, const char *topic, const char *source)
{
    struct weir__node *node = weir__add(compiler, graph, sink, WEIR__SINK, made);

    internal_topic(compiler, node, topic);
    node = weir__add(compiler, graph, source, WEIR__SOURCE, made);
    weir__set_parents(compiler, node, NULL, NULL);
    internal_topic(compiler, node, topic);
}

/* Upstream's pattern KSTREAM.*-[0-9]{10}: names that it has made itself. */
static bool is_generated(const char *base)
{
    size_t size = strlen(base);

    if (strncmp(base, "KSTREAM", 7) != 0 || size < 18 || base[size - 11] != '-')
        return false;
    for (size_t i = size - 10; i < size; i++)
        if (!isdigit((unsigned char)base[i]))
            return false;
    return true;
}

static const char *topic_of(struct weir__compiler *compiler, const char *base)
{
    size_t size = strlen(base), suffix = strlen(SUFFIX);

    if (size >= suffix && strcmp(base + size - suffix, SUFFIX) == 0)
        return base;
    return weir__phrase(compiler, "%s" SUFFIX, base);
}

static void set_types(struct weir__graph *graph, const struct weir__made *made, const struct weir__made *from)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        weir__types(graph->nodes[i], from, from->key, from->value);
        if (made->eff.kind == WEIR_REPARTITION)
            graph->nodes[i]->partitions = made->eff.partitions;
    }
}

const char *weir__repartition(struct weir__compiler *compiler, struct weir__graph *graph,
                              const struct weir__made *made, const struct weir__made *from, const char *base)
{
    const char *topic = topic_of(compiler, base);
    const char *sink = weir__generate(compiler, "KSTREAM-SINK-");
    const char *filter = weir__generate(compiler, "KSTREAM-FILTER-");
    const char *source = weir__generate(compiler, "KSTREAM-SOURCE-");

    if (!is_generated(base)) {
        sink = weir__phrase(compiler, "%s-sink", topic);
        filter = weir__phrase(compiler, "%s-filter", topic);
        source = weir__phrase(compiler, "%s-source", topic);
    } else if (compiler->config->explicit_names && graph != NULL) {
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, "its topic's name \"%s\" is generated: give a name",
                    topic);
    }
    if (graph == NULL)
        return source;
    graph->filter = weir__add(compiler, graph, filter, WEIR__NOT_NULL, made);
    weir__through_topic(compiler, graph, made, sink, topic, source);
    set_types(graph, made, from);
    return source;
}

/* ---- writing ---- */

static bool is_ready(const struct weir__graph *graph)
{
    for (size_t i = 0; i < graph->parent_count; i++)
        if (!graph->parents[i]->written)
            return false;
    return !graph->written;
}

static struct weir__graph *next_graph(const struct weir__compiler *compiler)
{
    struct weir__graph *next = NULL;

    for (size_t i = 0; i < compiler->graph_count; i++) {
        struct weir__graph *graph = compiler->graphs[i];

        if (is_ready(graph) && (next == NULL || graph->priority < next->priority))
            next = graph;
    }
    return next;
}

static void write_node(struct weir__compiler *compiler, struct weir__node *node)
{
    struct weir__plan *plan = compiler->plan;

    node->index = (int)plan->node_count;
    ADD(compiler, plan->nodes, plan->node_count, node);
    for (size_t i = 0; i < node->parent_count; i++)
        ADD(compiler, node->parents[i]->children, node->parents[i]->child_count, node);
}

/* A record without a key passes a repartition on its way to a join that takes it. */
static void spread_null_keys(struct weir__compiler *compiler)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (size_t i = 0; i < compiler->graph_count; i++) {
            struct weir__graph *graph = compiler->graphs[i];

            for (size_t j = 0; graph->keeps_null_keys && j < graph->parent_count; j++) {
                changed = changed || !graph->parents[j]->keeps_null_keys;
                graph->parents[j]->keeps_null_keys = true;
            }
        }
    }
    for (size_t i = 0; i < compiler->graph_count; i++)
        if (compiler->graphs[i]->keeps_null_keys && compiler->graphs[i]->filter != NULL)
            compiler->graphs[i]->filter->op = WEIR__PASS;
}

/* Descendants are counted by every path to them, as upstream does; children come after their parents. */
static void count_descendants(struct weir__plan *plan)
{
    for (size_t i = plan->node_count; i-- > 0;) {
        struct weir__node *node = plan->nodes[i];

        node->descendants = 1;
        for (size_t j = 0; j < node->child_count; j++)
            if (__builtin_add_overflow(node->descendants, node->children[j]->descendants, &node->descendants))
                node->descendants = SIZE_MAX;
    }
}

void weir__write(struct weir__compiler *compiler)
{
    struct weir__graph *graph;

    spread_null_keys(compiler);
    while ((graph = next_graph(compiler)) != NULL) {
        graph->written = true;
        for (size_t i = 0; i < graph->node_count; i++)
            write_node(compiler, graph->nodes[i]);
    }
    count_descendants(compiler->plan);
}
