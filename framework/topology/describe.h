/* describe.h: a sub-topology's nodes in the order in which Topology.describe() prints them and their links. */
#ifndef WEIR_TOPOLOGY_DESCRIBE_H
#define WEIR_TOPOLOGY_DESCRIBE_H

#include "framework/topology/topology.h"

/* A successor or predecessor: an entry of a Java TreeSet. */
struct weir__link {
    struct weir__view *view;
    struct weir__link *left, *right, *up;
    bool               red;
};

struct weir__view {
    const struct weir__node *node;
    int64_t                  size;               /* so far: itself and what is below it, by every path */
    struct weir__link       *parents, *children; /* roots of trees; NULL = none */
};

/* The nodes of a sub-topology as they are printed, in the arena. WEIR_NO_MEMORY. */
int weir__views(const struct weir__plan *plan, const struct weir__subtopology *sub, struct weir_arena *arena,
                struct weir__view ***ret);
const struct weir__link *weir__first_link(const struct weir__link *root); /* NULL = none */
const struct weir__link *weir__next_link(const struct weir__link *link);
/* describe_json.c; at the end of ret. WEIR_NO_MEMORY. */
int weir__plan_json(const struct weir__plan *plan, struct weir__buf *ret);
/* The place of a string in a Java hash table of that size. */
uint32_t weir__bucket(const char *name, size_t size);

#endif
