/* renamed.c: the topics of nodes as configuration has them, for commands that read and write what topologies do. */
#include "topologies/commands.h"

int market_topics_open(const struct weir__program *program, const struct weir_topology *topology,
                       struct weir__plans *ret, struct weir_error *reterr)
{
    return weir__plans_make(program, &topology, 1, ret, reterr);
}

const char *market_topic_of(const struct weir__plans *plans, const char *node)
{
    const struct weir__node *found = weir__plan_node(plans->items[0], node);

    CHECK(found != NULL && found->topic_count == 1);
    return found->topics[0];
}
