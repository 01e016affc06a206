/* names.c: names of nodes, given or with upstream's running number, and whether they may be. */
#include "framework/topology/internal.h"

const char *weir__called(const struct weir__compiler *compiler, const struct weir__made *made)
{
    if (made->eff.called != NULL || compiler->kafka)
        return made->eff.called;
    return made->eff.name;
}

const char *weir__generate(struct weir__compiler *compiler, const char *prefix)
{
    return weir__phrase(compiler, "%s%010u", prefix, compiler->number++);
}

const char *weir__name_or(struct weir__compiler *compiler, const struct weir__made *made, const char *prefix)
{
    return weir__suffix_or(compiler, made, "", prefix);
}

const char *weir__suffix_or(struct weir__compiler *compiler, const struct weir__made *made, const char *suffix,
                            const char *prefix)
{
    const char *called = weir__called(compiler, made);
    const char *generated = weir__generate(compiler, prefix);

    return called != NULL ? weir__phrase(compiler, "%s%s", called, suffix) : generated;
}

/* ---- of the finished plan ---- */

static void check_node_name(struct weir__compiler *compiler, const struct weir__node *node)
{
    const struct weir__plan *plan = compiler->plan;

    if (!weir__legal_name(node->name))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->spec->name,
                    "\"%.80s\" is no legal name of a node: letters, digits, . _ - and at most 249 of them",
                    node->name);
    for (int i = 0; i < node->index; i++)
        if (strcmp(plan->nodes[i]->name, node->name) == 0)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->spec->name,
                        "a node is called \"%s\" already (made for %s): give one of them another .called", node->name,
                        plan->nodes[i]->spec->name);
}

static void check_topics(struct weir__compiler *compiler, const struct weir__node *node)
{
    for (size_t i = 0; i < node->topic_count; i++)
        if (!weir__legal_name(node->topics[i]))
            weir__fault(compiler, WEIR_BAD_NAME, node->spec->name,
                        "\"%.80s\" is no legal name of a topic: letters, digits, . _ - and at most 249 of them",
                        node->topics[i]);
}

/* A store that nothing needs has a name all the same, except those of filters, maps and joins. Source:
 * MaterializedInternal, KTableImpl. */
static bool names_in_vain(const struct weir__kept *kept)
{
    switch (kept->owner->eff.kind) {
    case WEIR_KEEP:
    case WEIR_DROP:
    case WEIR_MAP_VALUES:
    case WEIR_JOIN: return true;
    default: return false;
    }
}

static void check_store_name(struct weir__compiler *compiler, size_t n)
{
    const struct weir__kept *kept = compiler->kept[n];
    const char              *name = kept->plan->name;

    if (compiler->config->explicit_names && kept->generated && (kept->attached || !names_in_vain(kept)))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, kept->owner->eff.name,
                    "its store's name \"%s\" is generated: give it a store with a name", name);
    if (kept->spec == NULL && !kept->attached)
        return;
    if (!weir__legal_name(name))
        weir__fault(compiler, WEIR_BAD_NAME, name,
                    "is no legal name of a store: letters, digits, . _ - and at most 249");
    for (size_t i = 0; i < n; i++)
        if (compiler->kept[i]->plan != NULL && strcmp(compiler->kept[i]->plan->name, name) == 0)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, name,
                        "two stores have this name: give one of them another .called");
}

static void check_repartition_name(struct weir__compiler *compiler, const struct weir__node *node)
{
    for (int i = 0; i < node->index; i++) {
        const struct weir__node *other = compiler->plan->nodes[i];

        if (other->op == WEIR__SINK && other->internal && strcmp(other->topics[0], node->topics[0]) == 0)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->spec->name,
                        "its topic \"%s\" is already that of %s: give one of them another .grouped or .called",
                        node->topics[0], other->spec->name);
    }
}

void weir__check_names(struct weir__compiler *compiler)
{
    for (size_t i = 0; i < compiler->plan->node_count; i++) {
        const struct weir__node *node = compiler->plan->nodes[i];

        check_node_name(compiler, node);
        check_topics(compiler, node);
        if (node->op == WEIR__SINK && node->internal)
            check_repartition_name(compiler, node);
    }
    for (size_t i = 0; i < compiler->kept_count; i++)
        check_store_name(compiler, i);
}
