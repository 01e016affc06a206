/* topologies.c: topologies by name. */
#include "test/scenario/flow.h"

const struct weir_topology *flow_topology(const char *name, const char **ret_near)
{
#define NAME(name) #name,
    static const char *const names[] = { FLOW_TOPOLOGIES(NAME) };
#undef NAME
#define AT(name) flow_##name,
    const struct weir_topology *const topologies[] = { FLOW_TOPOLOGIES(AT) };
#undef AT

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0)
            return topologies[i];
    *ret_near = weir__suggest(name, names, ARRAY_SIZE(names));
    return NULL;
}
