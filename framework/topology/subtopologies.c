/* subtopologies.c: the plan cut into what one task runs.
 *
 * (1) Nodes belong together by edges and by shared stores, not by topics.
 * (2) Sub-topologies are numbered by their first node.
 */
#include "framework/topology/internal.h"

static int root_of(const int *roots, int n)
{
    while (roots[n] != n)
        n = roots[n];
    return n;
}

/* The lower number becomes the root: it is the first node. */
static void unite(int *roots, int a, int b)
{
    a = root_of(roots, a);
    b = root_of(roots, b);
    roots[MAX(a, b)] = MIN(a, b);
}

static void unite_edges(const struct weir__plan *plan, int *roots)
{
    for (size_t i = 0; i < plan->node_count; i++)
        for (size_t j = 0; j < plan->nodes[i]->parent_count; j++)
            unite(roots, (int)i, plan->nodes[i]->parents[j]->index);
}

/* A store's subtopology holds its first node's index until the cutting. */
static void unite_stores(const struct weir__plan *plan, int *roots)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        for (size_t j = 0; j < plan->nodes[i]->store_count; j++) {
            struct weir__store_plan *store = plan->nodes[i]->stores[j];

            if (store->subtopology < 0)
                store->subtopology = (int)i;
            else
                unite(roots, (int)i, store->subtopology);
        }
    }
}

static bool is_stateful(const struct weir__node *node)
{
    return node->store_count > 0 || node->op == WEIR__JOIN_TABLE;
}

static void add_store(struct weir__compiler *compiler, struct weir__subtopology *sub, struct weir__store_plan *store)
{
    for (size_t i = 0; i < sub->store_count; i++)
        if (sub->stores[i] == store)
            return;
    store->subtopology = (int)(sub - compiler->plan->subs);
    ADD(compiler, sub->stores, sub->store_count, store);
    ADD(compiler, compiler->plan->stores, compiler->plan->store_count, store);
}

static void add_node(struct weir__compiler *compiler, struct weir__subtopology *sub, struct weir__node *node)
{
    ADD(compiler, sub->nodes, sub->node_count, node);
    node->subtopology = (int)(sub - compiler->plan->subs);
    if (node->op == WEIR__GLOBAL || node->op == WEIR__GLOBAL_PROCESS)
        sub->global = true;
    if (is_stateful(node) && !sub->stateful) {
        sub->stateful = true;
        sub->folder = node->name;
    }
    if (sub->folder == NULL)
        sub->folder = node->name;
    for (size_t i = 0; i < node->store_count; i++)
        add_store(compiler, sub, node->stores[i]);
}

static void cut(struct weir__compiler *compiler, const int *roots)
{
    struct weir__plan *plan = compiler->plan;
    int               *number = weir__take(compiler, plan->node_count * sizeof(*number));

    for (size_t i = 0; i < plan->node_count; i++)
        if (roots[i] == (int)i)
            number[i] = (int)plan->sub_count++;
    plan->subs = weir__take(compiler, (plan->sub_count + 1) * sizeof(*plan->subs));
    for (size_t i = 0; i < plan->node_count; i++)
        add_node(compiler, &plan->subs[number[root_of(roots, (int)i)]], plan->nodes[i]);
    for (size_t i = 0; i < plan->sub_count; i++)
        plan->stateful = plan->stateful || (plan->subs[i].stateful && !plan->subs[i].global);
}

static const struct weir__node *reader_of(const struct weir__plan *plan, const char *topic)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct weir__node *node = plan->nodes[i];

        if (node->op == WEIR__SOURCE && node->internal && strcmp(node->topics[0], topic) == 0)
            return node;
    }
    return NULL;
}

static void list_repartitions(struct weir__compiler *compiler)
{
    struct weir__plan *plan = compiler->plan;

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct weir__node *sink = plan->nodes[i], *source;

        if (sink->op != WEIR__SINK || !sink->internal)
            continue;
        source = reader_of(plan, sink->topics[0]);
        ADD(compiler, plan->repartitions, plan->repartition_count,
            ((struct weir__repartition){ .topic = weir__phrase(compiler, "%s-%s", plan->application, sink->topics[0]),
                                         .partitions = sink->partitions,
                                         .writer = sink->subtopology,
                                         .reader = source->subtopology }));
    }
}

void weir__cut(struct weir__compiler *compiler)
{
    struct weir__plan *plan = compiler->plan;
    int               *roots = weir__take(compiler, (plan->node_count + 1) * sizeof(*roots));

    for (size_t i = 0; i < plan->node_count; i++)
        roots[i] = (int)i;
    unite_edges(plan, roots);
    unite_stores(plan, roots);
    cut(compiler, roots);
    list_repartitions(compiler);
}
