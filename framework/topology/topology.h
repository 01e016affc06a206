/* topology.h: a declared topology, compiled: checked, named, cut into sub-topologies, ready for tasks.
 *
 * (1) A plan is made once and never changes; every task of the application reads the same one.
 * (2) Its nodes are the physical ones (Kafka Streams' processors): a repartition is a filter, a sink and a source.
 * (3) Numbers and order are those of the build, so names and describe text come out as upstream's.
 */
#ifndef WEIR_TOPOLOGY_H
#define WEIR_TOPOLOGY_H

#include "framework/config/config.h"
#include "framework/store/store.h"

enum weir__op {
    WEIR__SOURCE = 1,   /* reads topics; user's or repartition */
    WEIR__SINK,         /* writes a topic; user's or repartition */
    WEIR__OUTLET,       /* puts into spec->outlet */
    WEIR__PROCESS,      /* STEP, STEP_VALUES, FLAT_MAP, FLAT_MAP_VALUES, PEEK, FOREACH: spec->process */
    WEIR__FILTER,       /* stream: spec->test, negated for DROP */
    WEIR__MAP,          /* stream: spec->map; MAP, MAP_VALUES */
    WEIR__SELECT,       /* stream: spec->select gives the key */
    WEIR__BRANCH,       /* to the first child leg whose test holds */
    WEIR__PASS,         /* a leg, a merge: forwards */
    WEIR__NOT_NULL,     /* the filter before a repartition sink: drops null keys */
    WEIR__TABLE_SOURCE, /* stream to table: null keys drop; stores[0] when materialized */
    WEIR__TABLE_FILTER,
    WEIR__TABLE_MAP,
    WEIR__TO_STREAM,    /* table to stream: new values; spec->select may give another key */
    WEIR__FOLD,         /* COUNT, REDUCE, AGGREGATE over nothing, into stores[0] */
    WEIR__FOLD_WINDOWS, /* the same over windows */
    WEIR__JOIN_TABLE,   /* stream with table: looks up `with`, see there */
    WEIR__JOIN_GLOBAL,
    WEIR__GLOBAL,         /* feeds a global store from its source, no processor of the user */
    WEIR__GLOBAL_PROCESS, /* global store with the user's process */
    WEIR__REFUSED         /* a kind that has no runtime yet: described, refused at start */
};

struct weir__store_plan {
    const struct weir_store   *spec;        /* NULL: made by the compiler (.into NULL) */
    const char                *name;        /* in topics, folders, describe */
    const char                *changelog;   /* "<application.id>-<name>-changelog"; NULL = not logged */
    const struct weir_codec   *key, *value; /* of the rows; plain key for windows */
    struct weir__store_spec    store;       /* for weir__store_open */
    const struct weir_windows *windows;     /* after overrides; NULL */
    bool                       global;
    const char                *source_topic; /* global: what it is filled from */
    int                        subtopology;
    const char                *type;     /* FORMAT.md's word: "timestamped_key_value"... */
    const char *const         *settings; /* changelog topic's: defaults and the declared ones */
};

/* A node's option in force. */
struct weir__option {
    const char *name, *text;
    int64_t     number; /* of a switch or duration */
};

struct weir__node {
    const char                *name; /* in describe */
    enum weir__op              op;
    const struct weir_node    *spec;  /* the declared node it comes from; may be shared by several */
    int                        index; /* in plan->nodes, in order of adding */
    int                        subtopology;
    struct weir__node        **parents, **children; /* in order */
    size_t                     parent_count, child_count;
    struct weir__store_plan  **stores; /* stores[0]: what it materializes into or looks up */
    size_t                     store_count;
    const struct weir_codec   *key_in, *value_in;   /* of what it receives */
    const struct weir_codec   *key_out, *value_out; /* of what it forwards; sink: of the wire */
    bool                       table;               /* forwards changes (new, old) */
    bool                       send_old;            /* children want the old value */
    bool                       materialized;        /* stores[0] is written by this node */
    const struct weir__option *options;             /* in force, as many as declared; ended by a NULL name */
    int                        emit;                /* enum weir_emit, after overrides */
    const struct weir_windows *windows;             /* after overrides; NULL */
    struct weir__node         *with;   /* JOIN_TABLE: the table's node on the right. Its value for a key: the row of
                                         stores[0] when materialized; else what the verbs of the TABLE_FILTER and
                                         TABLE_MAP nodes (parents[0] each), from the first materialized ancestor down
                                         to it, make of that one's row. The join's `stores` are those it reads so. */
    struct weir__store_plan   *global; /* JOIN_GLOBAL: the store */
    const char *const         *topics; /* SOURCE and SINK, without the application's prefix */
    size_t                     topic_count;
    bool        internal;    /* topics are repartition topics: the application's id goes before the real name */
    int32_t     partitions;  /* of its topic when it is made; 0 = as upstream */
    int         reset;       /* SOURCE */
    size_t      descendants; /* itself included, by every path to them */
    const char *refused;     /* REFUSED: what has no runtime, in words */
};

struct weir__repartition {
    const char *topic;          /* real name */
    int32_t     partitions;     /* declared; 0 = derived */
    int         writer, reader; /* sub-topologies */
};

struct weir__subtopology {
    struct weir__node       **nodes; /* in order of adding */
    size_t                    node_count;
    struct weir__store_plan **stores; /* in order of first use */
    size_t                    store_count;
    bool                      global;   /* fills a global store: makes no tasks */
    bool                      stateful; /* has a store or a join: a task per partition number, equal counts */
    const char               *folder;   /* names the state folder: first stateful node, else first source */
};

/* What the configuration set. */
struct weir__override {
    const char *element, *field, *value;
};

struct weir__plan {
    const struct weir_topology *topology;
    const char                 *application; /* id */
    struct weir_arena           arena;
    struct weir__node         **nodes;
    size_t                      node_count;
    struct weir__store_plan   **stores;
    size_t                      store_count;
    struct weir__subtopology   *subs; /* in describe's order */
    size_t                      sub_count;
    struct weir__repartition   *repartitions;
    size_t                      repartition_count;
    const char                 *dead_letters; /* topic; NULL = none */
    struct weir__override      *overrides;    /* in the order in which they were asked for */
    size_t                      override_count;
    bool                        stateful;
    int                         port;       /* of HTTP: declared or set for this topology; -1 = none */
    bool                        port_given; /* set, so that it goes before http.port */
};

/* What a compilation needs to know besides the topology. */
struct weir__plan_config {
    const char                *application;      /* NULL = the topology's name */
    bool                       cache;            /* statestore.cache.max.bytes > 0 */
    bool                       upstream_cleanup; /* changelog.cleanup=kafka-streams */
    bool                       explicit_names;   /* ensure.explicit.internal.resource.naming */
    const struct weir__config *config;           /* overrides "<topology>.<node or store>.<field>"; NULL = none */
};

/* Loads, checks and compiles; overrides that nothing takes are faults too. All are found at once: one text, a line each. WEIR_BAD_TOPOLOGY, _ARGUMENT,
 * _NAME, _TYPE, _CONFIG: the code of the first. A kind without runtime is compiled into WEIR__REFUSED. */
int  weir__plan_new(const struct weir_topology *topology, const struct weir__plan_config *config,
                    struct weir__plan **ret, struct weir__buf *faults, struct weir_error *reterr);
void weir__plan_free(struct weir__plan *plan);
/* WEIR_UNSUPPORTED with the node's and kind's name when a node has no runtime. Called at start. */
int weir__plan_check_runnable(const struct weir__plan *plan, struct weir_error *reterr);
/* Kafka's Topology.describe(), byte for byte. */
int weir__plan_describe(const struct weir__plan *plan, struct weir__buf *ret);
/* TEXT: Kafka's, and after it what configuration set and which stores cannot move, if any; FULL: all types and stores
 * between them; DOT: Graphviz; JSON: one object, on a line. */
enum weir__form { WEIR__AS_TEXT, WEIR__AS_FULL, WEIR__AS_DOT, WEIR__AS_MERMAID, WEIR__AS_JSON };
#define WEIR__FORMS "text, full, dot, mermaid or json"
bool weir__form_read(const char *name, enum weir__form *ret);
int  weir__plan_print(const struct weir__plan *plan, enum weir__form form, struct weir__buf *ret);
/* The n-th outlet that its nodes put into; NULL past the end. */
const struct weir_outlet *weir__plan_outlet(const struct weir__plan *plan, size_t n);
struct weir__node        *weir__plan_node(const struct weir__plan *plan, const char *name);
struct weir__store_plan  *weir__plan_store(const struct weir__plan *plan, const char *name);
/* How the records of a topic are read: as its source, sink or store has them. A dead letter is JSON, its key is the
 * failed record's. WEIR_NOTFOUND: the topology knows no such topic; ret then zeroed. */
struct weir__topic_codecs {
    const struct weir_codec *key, *value; /* NULL = not known */
    size_t            tail; /* bytes after the key that are not the codec's: sequence numbers of window stores */
    struct weir_codec made; /* key may point here */
};
int weir__plan_codecs(const struct weir__plan *plan, const char *topic, struct weir__topic_codecs *ret);
/* The word of a kind ("REKEY"), for messages; "?" when unknown. */
const char *weir__kind_word(int kind);

#endif
