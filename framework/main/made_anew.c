/* made_anew.c: which topics of a program get their records once more when some of its topologies begin anew or read again.
 *
 * (1) What a named topology writes, and what passes on what it writes, is made anew.
 */
#include "framework/main/commands.h"

static bool is_named(const struct weir__anew *anew, const struct weir__plan *plan)
{
    for (size_t i = 0; i < anew->named->count; i++)
        if (anew->named->items[i]->topology == plan->topology)
            return true;
    return false;
}

static bool writes(const struct weir__plan *plan, const char *topic)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct weir__node *node = plan->nodes[i];

        for (size_t j = 0; node->op == WEIR__SINK && !node->internal && j < node->topic_count; j++)
            if (strcmp(node->topics[j], topic) == 0)
                return true;
    }
    return false;
}

static const struct weir__plan *maker_of(const struct weir__anew *anew, const char *topic, size_t hops);

/* Whether an application that is not named passes on what is made anew. */
static bool takes(const struct weir__anew *anew, const struct weir__plan *plan, size_t hops)
{
    for (size_t i = 0; i < plan->node_count; i++)
        for (size_t j = 0; weir__is_input(plan, plan->nodes[i]) && j < plan->nodes[i]->topic_count; j++)
            if (maker_of(anew, plan->nodes[i]->topics[j], hops + 1) != NULL)
                return true;
    return false;
}

static const struct weir__plan *maker_of(const struct weir__anew *anew, const char *topic, size_t hops)
{
    for (size_t i = 0; hops <= anew->all->count && i < anew->all->count; i++) {
        const struct weir__plan *plan = anew->all->items[i];

        if (writes(plan, topic) && (is_named(anew, plan) || takes(anew, plan, hops)))
            return plan;
    }
    return NULL;
}

const struct weir__plan *weir__maker_of(const struct weir__anew *anew, const char *topic)
{
    return maker_of(anew, topic, 0);
}

void weir__print_readers(const struct weir__anew *anew)
{
    for (size_t i = 0; i < anew->all->count; i++) {
        const struct weir__plan *plan = anew->all->items[i];

        if (!is_named(anew, plan) && plan->stateful && takes(anew, plan, 0))
            printf(
                "note: %s keeps its state and takes what is made anew as more of the same: \"reset\" it in one call with "
                "%s, to rebuild it\n",
                plan->topology->name, anew->named->items[0]->topology->name);
    }
}
