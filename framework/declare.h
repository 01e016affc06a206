/* declare.h: the vocabulary topologies are declared in: verbs, nouns, then the picture as PATHS.
 *
 * (1) A topology is constant data at file scope: nothing runs before main. Not inside a function: the
 *     compound literals would end with it.
 * (2) A topology made at run time is the same structs on the heap, kept by the caller until the
 *     application is freed; identity of nodes, stores and verbs is by pointer.
 * (3) What the compiler cannot see (types that do not meet, fields that mean nothing for their kind,
 *     cycles, legs without a split) is found when the topology is loaded, all at once, by node name.
 */
#ifndef WEIR_DECLARE_H
#define WEIR_DECLARE_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

enum weir_tri { WEIR_DEFAULT, WEIR_ON, WEIR_OFF };

/* clang-format off */
/* X(kind, word that people write): the nodes. */
#define WEIR_NODE_KINDS(X)                                                                         \
    X(WEIR_SOURCE, "SOURCE") X(WEIR_TABLE, "TABLE") X(WEIR_GLOBAL, "GLOBAL") X(WEIR_SINK, "SINK")  \
    X(WEIR_STEP, "STEP") X(WEIR_STEP_VALUES, "STEP_VALUES") X(WEIR_KEEP, "KEEP")                   \
    X(WEIR_DROP, "DROP") X(WEIR_MAP, "MAP") X(WEIR_MAP_VALUES, "MAP_VALUES")                       \
    X(WEIR_FLAT_MAP, "FLAT_MAP") X(WEIR_FLAT_MAP_VALUES, "FLAT_MAP_VALUES") X(WEIR_PEEK, "PEEK")   \
    X(WEIR_FOREACH, "FOREACH") X(WEIR_REKEY, "REKEY") X(WEIR_REPARTITION, "REPARTITION")           \
    X(WEIR_SPLIT, "SPLIT") X(WEIR_LEG, "LEG") X(WEIR_MERGE, "MERGE") X(WEIR_COUNT, "COUNT")        \
    X(WEIR_REDUCE, "REDUCE") X(WEIR_AGGREGATE, "AGGREGATE") X(WEIR_COGROUP, "COGROUP")             \
    X(WEIR_AS_TABLE, "AS_TABLE") X(WEIR_AS_STREAM, "AS_STREAM") X(WEIR_JOIN, "JOIN")               \
    X(WEIR_SUPPRESS, "SUPPRESS") X(WEIR_OUTLET, "OUTLET")
#define WEIR__KIND(kind, word) kind,
enum weir_node_kind { WEIR__NO_NODE, WEIR_NODE_KINDS(WEIR__KIND) };

/* X(kind, word): the stores. */
#define WEIR_STORE_KINDS(X)                                                                        \
    X(WEIR_KEYS, "KEYS") X(WEIR_VERSIONED, "VERSIONED") X(WEIR_WINDOWS, "WINDOWS") X(WEIR_LRU, "LRU")
enum weir_store_kind { WEIR__NO_STORE, WEIR_STORE_KINDS(WEIR__KIND) };

/* X(kind, word): the windows. */
#define WEIR_WINDOW_KINDS(X)                                                                       \
    X(WEIR_TUMBLING, "TUMBLING") X(WEIR_HOPPING, "HOPPING") X(WEIR_SLIDING, "SLIDING")             \
    X(WEIR_SESSION, "SESSION") X(WEIR_UNLIMITED, "UNLIMITED") X(WEIR_CALENDAR, "CALENDAR")
enum weir_window_kind { WEIR__NO_WINDOW, WEIR_WINDOW_KINDS(WEIR__KIND) };
#undef WEIR__KIND
/* clang-format on */

enum weir_window_time { WEIR_PER_PARTITION, WEIR_PER_KEY };
enum weir_late { WEIR_CORRECT, WEIR_REFUSE };
enum weir_emit { WEIR_ON_COMMIT, WEIR_EACH, WEIR_ON_CLOSE };
enum weir_side { WEIR_INNER, WEIR_LEFT, WEIR_OUTER };
enum weir_reset { WEIR_EARLIEST, WEIR_LATEST, WEIR_NONE };
enum weir_when_full { WEIR_EMIT_EARLY, WEIR_SHUT_DOWN, WEIR_UNBOUNDED };

/* .until of SUPPRESS: hold back until the window closes. */
#define UNTIL_CLOSE INT64_C(-1)

/* Times are ms. */
#define SECONDS(n) (INT64_C(1000) * (n))
#define MINUTES(n) (INT64_C(60000) * (n))
#define HOURS(n)   (INT64_C(3600000) * (n))
#define DAYS(n)    (INT64_C(86400000) * (n))

struct weir_windows {
    int          kind, time;                                   /* enum weir_window_kind, enum weir_window_time */
    int64_t      size, advance, grace, retention, idle, start; /* size: width, gap or difference; start: UNLIMITED */
    weir_assign *assign;                                       /* CALENDAR */
    /* By key time. late: what becomes of a record of a closed window. retention counts from the window's end, 0 = the
     * grace. idle: wall time after which a window closes though no record comes, 0 = never. ttl: wall time after which a
     * key without records leaves, 0 = 7 days. */
    int     late; /* enum weir_late */
    int64_t ttl;
    bool    fixed; /* size, time, retention and late are no settings: the verbs count on them, or decide themselves */
};

struct weir_store {
    const char                *name, *called; /* called NULL and Kafka Streams' names on: generated */
    int                        kind;          /* enum weir_store_kind */
    const struct weir_codec   *key, *value;
    const struct weir_windows *windows; /* a session store too; processors' stores: size and retention */
    int64_t                    history, segment, max; /* VERSIONED: ms, ms (0 = as Kafka Streams); LRU: rows */
    enum weir_tri              cache, log, in_memory;
    bool                       plain, duplicates; /* no timestamp in the value; several rows per key and start */
    bool                       served;            /* read by other threads (framework/query.h) from the start */
    weir_select               *routed_by;
    const char *const         *settings; /* of the changelog topic: "name=value" */
};

/* A setting of a node's own, "<topology>.<node>.<name>" in the configuration; verbs ask weir_option. */
enum weir_option_type { WEIR_OPTION_TEXT, WEIR_OPTION_SWITCH, WEIR_OPTION_DURATION };
struct weir_option {
    const char *name;
    int         type;     /* enum weir_option_type */
    const char *standard; /* what is in force where nobody says otherwise, as one would write it */
    int (*check)(const char        *text,
                 struct weir_error *reterr); /* TEXT: negative, with words: it cannot be taken; NULL = any */
};
#define OPTIONS(...) ((const struct weir_option[]){ __VA_ARGS__, { NULL, 0, NULL, NULL } })

struct weir_outlet;

struct weir_arm { /* one input of a cogroup; weir_arg in its fold: the arm's, NULL = the node's */
    const struct weir_node *from;
    weir_fold              *fold;
    const void             *arg;
};

struct weir_node {
    const char              *name, *called; /* C word; name in describe */
    const char              *grouped; /* base of its repartition topic; GLOBAL: name of its source in describe */
    int                      kind, side, emit, reset, partitions, when_full;
    const char *const       *topics;   /* SINK with .route: all that it may give */
    const char *const       *settings; /* SINK: of its topic where we make it, "name=value" */
    const struct weir_codec *key, *value;
    const struct weir_store *into, *const *uses; /* JOIN of streams: .uses = STORES(this, other) */
    const char             *stores_called;       /* JOIN of streams: base name of both */
    const struct weir_node *with, *const *looks_up, *const *legs;
    const struct weir_arm    *arms;
    const void               *arg;
    const struct weir_option *options; /* OPTIONS(...), ended by one without a name */
    int64_t                   before, after, grace, until, max_bytes, max_records;
    enum weir_tri             log, in_memory; /* SUPPRESS, JOIN */
    size_t                    state;          /* bytes per task, zeroed: weir_state(ctx) */
    weir_open                *open;
    weir_process             *process; /* STEP, GLOBAL; weir_schedule in open */
    weir_close               *close;
    weir_flush               *flush; /* STEP: before each commit */
    weir_final               *final; /* STEP: a window of a store by key time in .uses has closed */
    weir_test                *test;
    weir_map                 *map;
    weir_select              *select, *foreign;
    weir_init                *init;
    weir_fold                *fold, *subtract;
    weir_unite               *unite;
    weir_join                *join;
    weir_extract             *extract;
    weir_route               *route;
    const struct weir_outlet *outlet; /* OUTLET: outlet.h */
};

struct weir_setting;

/* A path of the process's HTTP port and who answers it. */
struct weir_endpoint {
    const char  *path; /* "/projections/latest_price" */
    weir_answer *answer;
    const void  *arg; /* weir_request_arg */
};

struct weir_topology {
    const char                           *name;
    const struct weir_node *const *const *paths, *const *order, *dead_letters; /* order: as built; NULL = by paths */
    const struct weir_store *const *stores;                                    /* used by no node */
    weir_tenant                    *tenant; /* fills the dead letters' field; NULL = it is null */
    bool                            kafka_names;
    int                             port;      /* of HTTP, where settings say nothing; 0 = none */
    const struct weir_endpoint     *endpoints; /* ended by a NULL path */
    const struct weir_setting *settings; /* settings.h: of the program's own, ended by a NULL name; NULL = none */
};

#ifdef __cplusplus
}
#endif

/* clang-format off */
#define LIST(type, ...)   ((type const *const[]){ __VA_ARGS__, NULL })
#define TOPICS(...)       LIST(char, __VA_ARGS__)
#define STORES(...)       LIST(struct weir_store, __VA_ARGS__)
#define NODES(...)        LIST(struct weir_node, __VA_ARGS__)
#define PATH              NODES
#define PATHS(...)        ((const struct weir_node *const *const[]){ __VA_ARGS__, NULL })
#define ARM(source, add, ...) { .from = source, .fold = add, ##__VA_ARGS__ }    /* one input of a cogroup */
#define ARMS(...)         ((const struct weir_arm[]){ __VA_ARGS__, { NULL, NULL, NULL } })
#define ENDPOINTS(...)    ((const struct weir_endpoint[]){ __VA_ARGS__, { NULL, NULL, NULL } })
#define ENDPOINT(at, fn, ...) { .path = at, .answer = fn, ##__VA_ARGS__ }
#define ARG(type, ...)    (&(const type){ __VA_ARGS__ })       /* .arg = ARG(struct limits, .lo = -500) */
#define NODE(id, ...)     static const struct weir_node  id[1] = {{ .name = #id, __VA_ARGS__ }}
#define STORE(id, ...)    static const struct weir_store id[1] = {{ .name = #id, __VA_ARGS__ }}
#define TOPOLOGY(id, ...) const struct weir_topology id = { .name = #id, __VA_ARGS__ }
/* .called = "any-legal-topic-name" overrides what topics and stores are named after; .name stays the C word */
#define WINDOW(...)                      (&(const struct weir_windows){ __VA_ARGS__ })
#define TUMBLING(width, late, ...)       WINDOW(.kind = WEIR_TUMBLING, .size = width, .grace = late, ##__VA_ARGS__)
#define HOPPING(width, step, late, ...)  WINDOW(.kind = WEIR_HOPPING,  .size = width, .advance = step, .grace = late, ##__VA_ARGS__)
#define SLIDING(width, late, ...)        WINDOW(.kind = WEIR_SLIDING,  .size = width, .grace = late, ##__VA_ARGS__)
#define SESSION(gap, late, ...)          WINDOW(.kind = WEIR_SESSION,  .size = gap, .grace = late, ##__VA_ARGS__)
#define CALENDAR(fn, longest, late, ...) WINDOW(.kind = WEIR_CALENDAR, .assign = fn, .size = longest, .grace = late, ##__VA_ARGS__)
#define UNLIMITED(...)                   WINDOW(.kind = WEIR_UNLIMITED, ##__VA_ARGS__)
/* any of them takes .time = WEIR_PER_KEY, .retention = HOURS(48), .idle = MINUTES(2); grace is a parameter, never a default */
#define KEYS(id, k, ...)       STORE(id, .kind = WEIR_KEYS,      .key = k, .value = __VA_ARGS__)
#define VERSIONED(id, k, ...)  STORE(id, .kind = WEIR_VERSIONED, .key = k, .value = __VA_ARGS__)
#define WINDOWS(id, k, v, ...) STORE(id, .kind = WEIR_WINDOWS,   .key = k, .value = v, .windows = __VA_ARGS__)
#define SOURCE(id, from, k, ...)  NODE(id, .kind = WEIR_SOURCE, .topics = TOPICS(from), .key = k, .value = __VA_ARGS__)
#define SOURCES(id, list, k, ...) NODE(id, .kind = WEIR_SOURCE, .topics = list, .key = k, .value = __VA_ARGS__)  /* TOPICS("a", "b") */
#define TABLE(id, from, st, ...)  NODE(id, .kind = WEIR_TABLE,  .topics = TOPICS(from), .into = st, ##__VA_ARGS__)
#define GLOBAL(id, from, st, ...) NODE(id, .kind = WEIR_GLOBAL, .topics = TOPICS(from), .into = st, ##__VA_ARGS__)
#define SINK(id, to, k, ...)      NODE(id, .kind = WEIR_SINK,   .topics = TOPICS(to),   .key = k, .value = __VA_ARGS__)
#define OUTLET(id, to, k, ...)    NODE(id, .kind = WEIR_OUTLET, .outlet = to,            .key = k, .value = __VA_ARGS__)  /* outlet.h */
#define STEP(id, ...)        NODE(id, .kind = WEIR_STEP,        .process = __VA_ARGS__)   /* .uses = STORES(..), .looks_up = NODES(..) */
#define STEP_VALUES(id, ...) NODE(id, .kind = WEIR_STEP_VALUES, .process = __VA_ARGS__)   /* keeps the key */
#define KEEP(id, ...)        NODE(id, .kind = WEIR_KEEP,        .test = __VA_ARGS__)      /* filter */
#define DROP(id, ...)        NODE(id, .kind = WEIR_DROP,        .test = __VA_ARGS__)      /* filter_not */
#define MAP(id, ...)         NODE(id, .kind = WEIR_MAP,         .map = __VA_ARGS__)
#define MAP_VALUES(id, ...)  NODE(id, .kind = WEIR_MAP_VALUES,  .map = __VA_ARGS__)
#define FLAT_MAP(id, ...)    NODE(id, .kind = WEIR_FLAT_MAP,    .process = __VA_ARGS__)
#define FLAT_MAP_VALUES(id, ...) NODE(id, .kind = WEIR_FLAT_MAP_VALUES, .process = __VA_ARGS__)
#define PEEK(id, ...)        NODE(id, .kind = WEIR_PEEK,        .process = __VA_ARGS__)
#define FOREACH(id, ...)     NODE(id, .kind = WEIR_FOREACH,     .process = __VA_ARGS__)
#define REKEY(id, by, ...)   NODE(id, .kind = WEIR_REKEY,       .select = by, .key = __VA_ARGS__)  /* group_by, select_key */
#define REGROUP(id, fn, k, ...) NODE(id, .kind = WEIR_REKEY, .map = fn, .key = k, .value = __VA_ARGS__)   /* group_by of a table */
#define REPARTITION(id, ...) NODE(id, .kind = WEIR_REPARTITION, ##__VA_ARGS__)
#define LEG(id, ...)         NODE(id, .kind = WEIR_LEG,         .test = __VA_ARGS__)      /* NULL = otherwise; in order, first match */
#define SPLIT(id, ...)       NODE(id, .kind = WEIR_SPLIT,       .legs = NODES(__VA_ARGS__))
#define MERGE(id, ...)       NODE(id, .kind = WEIR_MERGE, ##__VA_ARGS__)
#define COUNT(id, ...)                NODE(id, .kind = WEIR_COUNT,     .into = __VA_ARGS__)
#define REDUCE(id, st, ...)           NODE(id, .kind = WEIR_REDUCE,    .into = st, .fold = __VA_ARGS__)     /* table: .subtract = */
#define AGGREGATE(id, st, begin, ...) NODE(id, .kind = WEIR_AGGREGATE, .into = st, .init = begin, .fold = __VA_ARGS__) /* sessions: .unite = */
#define COGROUP(id, st, begin, ...)   NODE(id, .kind = WEIR_COGROUP,   .into = st, .init = begin, .arms = __VA_ARGS__)
#define AS_TABLE(id, ...)    NODE(id, .kind = WEIR_AS_TABLE,    .into = __VA_ARGS__)
#define AS_STREAM(id, ...)   NODE(id, .kind = WEIR_AS_STREAM, ##__VA_ARGS__)
#define JOIN(id, how, right, fn, ...) NODE(id, .kind = WEIR_JOIN, .side = WEIR_##how, .with = right, .join = fn, .value = __VA_ARGS__)
#define SUPPRESS(id, ...)    NODE(id, .kind = WEIR_SUPPRESS, __VA_ARGS__)                 /* .until = UNTIL_CLOSE or a time; .max_bytes, .when_full */
/* clang-format on */

#endif
