/* internal.h: a topology while it is compiled: declared nodes, the graph of operators, stores, faults.
 *
 * (1) Everything lives in the plan's arena. What finds no memory there leaves by longjmp to weir__plan_new, which
 *     owns the few things outside the arena: no function in between may hold any.
 * (2) A fault is one line, and compiling goes on, so that all are found at once; `broken` says that the shape itself
 *     is wrong and nothing can be made of it.
 * (3) A declared node is lowered once, after all that it takes from. An operator writes a graph: one or several
 *     physical nodes that enter the plan together, in the order of their priority (GraphNode.buildPriority upstream).
 * (4) Every operator takes the numbers that upstream's takes, used or not.
 */
#ifndef WEIR_TOPOLOGY_INTERNAL_H
#define WEIR_TOPOLOGY_INTERNAL_H

#include <setjmp.h>

#include "framework/topology/topology.h"

struct weir__graph {
    struct weir__graph **parents;
    size_t               parent_count;
    struct weir__node  **nodes; /* in the order in which they are added */
    size_t               node_count;
    struct weir__node   *out; /* children hang below it */
    int                  priority;
    bool                 written;
    bool                 keeps_null_keys; /* a join that takes records without a key, here or below */
    struct weir__node   *filter;          /* before a repartition sink */
};

/* A store on its way into the plan. */
struct weir__kept {
    const struct weir_store *spec; /* NULL: made by the compiler */
    struct weir_store        eff;  /* its copy, with overrides */
    struct weir_windows      windows;
    struct weir__store_plan *plan;
    const struct weir__made *owner;     /* whose rows it holds; NULL = processors' */
    const struct weir__made *closer;    /* whose .final hears of windows that close */
    bool                     generated; /* its name has a number in it */
    bool                     attached;  /* some physical node has it */
};

/* A repartition that another operator on the same stream may share. */
struct weir__shared {
    struct weir__graph *graph;
    const char         *base;
};

enum weir__flow { WEIR__STREAM, WEIR__TABLE, WEIR__GROUPED, WEIR__GLOBAL_TABLE, WEIR__NOTHING };

/* A declared node on its way into the plan. */
struct weir__made {
    const struct weir_node  *spec;
    struct weir_node         eff; /* its copy, with overrides */
    struct weir__option     *options;
    struct weir__made      **inputs;
    size_t                   input_count, output_count;
    struct weir__made       *right; /* .with */
    struct weir__made       *split; /* LEG: whose */
    bool                     in_path, visiting, placed, lowered;
    enum weir__flow          flow;
    bool                     rekeyed;     /* the key may have changed since the last partitioning */
    const struct weir_codec *key, *value; /* of its results; NULL = unknown because of a fault */
    const char              *name;        /* of its results */
    struct weir__graph      *graph;
    struct weir__node       *node; /* whose results they are: the table's, where it is one */
    struct weir__kept       *store;
    bool                     queryable; /* store holds the rows */
    bool                     send_old;
    struct weir__shared      for_join, for_fold;
};

struct weir__registered {
    const char        *topic;
    struct weir__made *made;
};

struct weir__compiler {
    const struct weir_topology     *topology;
    const struct weir__plan_config *config;
    struct weir__plan              *plan;
    struct weir__buf               *faults;
    int                             code; /* of the first fault */
    bool                            broken, kafka;
    unsigned                        number; /* next generated name's */
    int                             priority;
    struct weir__map                by_spec; /* pointer to struct weir__made */
    struct weir__made             **made;    /* as found */
    size_t                          made_count;
    struct weir__made             **order; /* of building */
    size_t                          order_count;
    struct weir__kept             **kept;
    size_t                          kept_count;
    struct weir__graph            **graphs;
    size_t                          graph_count;
    struct weir__registered        *topics; /* that sources read */
    size_t                          topic_count;
    jmp_buf                         out_of_memory;
};

/* ---- compiler.c: memory and faults ---- */

void *weir__take(struct weir__compiler *compiler, size_t size); /* zeroed; never NULL */
char *weir__phrase(struct weir__compiler *compiler, const char *format, ...) WEIR_PRINTF(2, 3);
void *weir__enlarge(struct weir__compiler *compiler, void *items, size_t count, size_t size);
/* Adds item to an array of the arena; arrays grow at powers of two. */
#define ADD(compiler, array, count, item) \
    ((array) = weir__enlarge((compiler), (array), (count), sizeof(*(array))), (array)[(count)++] = (item))
void weir__fault(struct weir__compiler *compiler, int code, const char *where, const char *format, ...)
    WEIR_PRINTF(4, 5);
/* The same, for a shape that cannot be compiled any further. */
void weir__broken(struct weir__compiler *compiler, const char *where, const char *format, ...) WEIR_PRINTF(3, 4);
/* "windowed(string,60000)" */
const char *weir__type_word(struct weir__compiler *compiler, const struct weir_codec *codec);
const char *weir__store_label(const struct weir_store *store); /* as people know it */

/* ---- collect.c: nodes, edges, order of building ---- */

void               weir__collect(struct weir__compiler *compiler);
struct weir__made *weir__made_of(const struct weir__compiler *compiler,
                                 const struct weir_node      *spec); /* NULL = none */

/* ---- overrides.c ---- */

void weir__override_nodes(struct weir__compiler *compiler);
/* The topic of a sink for dead letters, which stands in no path. */
const char *weir__override_dead_letters(struct weir__compiler *compiler, const struct weir_node *sink);
void        weir__override_store(struct weir__compiler *compiler, struct weir__kept *kept, const char *element);
void        weir__override_rest(struct weir__compiler *compiler); /* those that nothing took are faults */

/* ---- check.c: each node and store by itself ---- */

void weir__check_nodes(struct weir__compiler *compiler);
bool weir__has_field(const struct weir_node *node, const char *field); /* whether it means something for its kind */
void weir__check_endpoints(struct weir__compiler *compiler);           /* endpoints.c */
void weir__check_store(struct weir__compiler *compiler, const struct weir__kept *kept);
void weir__check_uses(struct weir__compiler *compiler); /* after all stores are known */

/* ---- names.c ---- */

const char *weir__called(const struct weir__compiler *compiler, const struct weir__made *made); /* NULL = nothing */
const char *weir__generate(struct weir__compiler *compiler, const char *prefix);
/* What the node is called, else a generated name; takes a number either way. */
const char *weir__name_or(struct weir__compiler *compiler, const struct weir__made *made, const char *prefix);
const char *weir__suffix_or(struct weir__compiler *compiler, const struct weir__made *made, const char *suffix,
                            const char *prefix);
void        weir__check_names(struct weir__compiler *compiler); /* of the finished plan */

/* ---- stores.c ---- */

struct weir__kept *weir__kept_of(struct weir__compiler *compiler, const struct weir_store *spec);
/* The store of a node's results. prefix: of its generated name, for which a number is taken. */
struct weir__kept *weir__keep(struct weir__compiler *compiler, struct weir__made *made, const char *prefix);
/* A store that only operators made by the compiler have. */
struct weir__kept *weir__keep_own(struct weir__compiler *compiler, const struct weir__made *made, const char *name,
                                  bool generated);
bool               weir__store_named(const struct weir__compiler *compiler, const struct weir__made *made);
/* Says of what type its rows are; a store declared with others is a fault of the node. */
void weir__rows_are(struct weir__compiler *compiler, const struct weir__made *made, struct weir__kept *kept,
                    const struct weir_codec *key, const struct weir_codec *value);
void weir__connect(struct weir__compiler *compiler, struct weir__node *node, struct weir__kept *kept);
void weir__finish_stores(struct weir__compiler *compiler);

/* ---- codecs.c ---- */

void weir__types(struct weir__node *node, const struct weir__made *from, const struct weir_codec *key,
                 const struct weir_codec *value);
bool weir__same_type(struct weir__compiler *compiler, const struct weir__made *made, const char *what,
                     const struct weir_codec *expected, const struct weir_codec *found);
/* That all inputs carry the same types. */
void                     weir__same_inputs(struct weir__compiler *compiler, const struct weir__made *made);
const struct weir_codec *weir__windowed_key(struct weir__compiler *compiler, const struct weir_windows *windows,
                                            const struct weir_codec *key);

/* ---- graph.c ---- */

struct weir__graph *weir__graph_new(struct weir__compiler *compiler);
void                weir__graph_below(struct weir__compiler *compiler, struct weir__graph *graph,
                                      struct weir__graph *parent); /* NULL = the root */
/* A physical node at the end of the graph: below what the graph is below, or below the graph's last node. */
struct weir__node *weir__add(struct weir__compiler *compiler, struct weir__graph *graph, const char *name,
                             enum weir__op op, const struct weir__made *made);
void weir__set_parents(struct weir__compiler *compiler, struct weir__node *node, struct weir__node *first,
                       struct weir__node *second); /* NULL = none */
void weir__refuse(struct weir__node *node, const char *what);
/* An internal topic: sink below the node's last, and source. Gives the source's name. */
void weir__through_topic(struct weir__compiler *compiler, struct weir__graph *graph, const struct weir__made *made,
                         const char *sink, const char *topic, const char *source);
/* Numbers, names and, unless graph is NULL, nodes of a repartition; gives the source's name. */
const char *weir__repartition(struct weir__compiler *compiler, struct weir__graph *graph,
                              const struct weir__made *made, const struct weir__made *from, const char *base);
/* Puts the graphs' nodes into the plan and links them. */
void weir__write(struct weir__compiler *compiler);

/* ---- lower*.c ---- */

void             weir__lower(struct weir__compiler *compiler);
typedef void     weir__lower_kind(struct weir__compiler *compiler, struct weir__made *made);
weir__lower_kind weir__lower_as_table, weir__lower_fold, weir__lower_regroup, weir__lower_values,
    weir__lower_as_stream, weir__lower_suppress, weir__lower_join, weir__lower_cogroup;
/* A graph below all inputs, with one node; types as declared or received. */
struct weir__node *weir__lower_one(struct weir__compiler *compiler, struct weir__made *made, const char *name,
                                   enum weir__op op);
/* The table's rows are kept; `node` reads them; its old values are wanted, if need be by keeping rows (force). */
void        weir__materialize(struct weir__compiler *compiler, struct weir__made *made);
void        weir__read_rows(struct weir__compiler *compiler, struct weir__made *made, struct weir__node *node);
bool        weir__want_old(struct weir__compiler *compiler, struct weir__made *made, bool force);
const char *weir__unsupported_store(const struct weir__kept *kept); /* NULL = has a runtime */

/* ---- subtopologies.c ---- */

void weir__cut(struct weir__compiler *compiler);

#endif
