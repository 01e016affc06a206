/* conformance.h: the runner of conformance cases: a case as JSON becomes a topology, is played and compared.
 *
 * (1) A case's topology is made of declare.h's public structs on the heap; nothing is compiled by the runner itself.
 * (2) All that a case needs lives in the case's arena and in its JSON, until conf_case_fini.
 * (3) Functions and processors of a case are verbs that find their parameters through weir_arg.
 * (4) What weir cannot run yet is left out by kind; all else that goes wrong is a difference.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <jansson.h>

#include "framework/base/base.h"
#include "framework/declare.h"
#include "framework/driver.h"

/* ---- a case (case.c) ---- */

struct conf_case {
    json_t           *json;
    const char       *category, *id;
    const json_t     *config, *topics, *types, *expect;
    struct weir_arena arena;
};

/* Reads one file; what is wrong goes to reterr. */
int   conf_case_init(struct conf_case *c, const char *path, struct weir_error *reterr);
void  conf_case_fini(struct conf_case *c);
void *conf_new(struct weir_arena *arena, size_t size); /* zeroed, never NULL */
/* Member of an object as text, number or truth; the default when absent or null. */
const char *conf_string(const json_t *object, const char *name, const char *otherwise);
int64_t     conf_number(const json_t *object, const char *name, int64_t otherwise);
bool        conf_has(const json_t *object, const char *name);
/* Adds "a" to the list in memory of weir__alloc; the array is always NULL-ended. */
struct conf_list {
    const void **items;
    size_t       count, capacity;
};
void conf_add(struct conf_list *list, const void *item);

/* ---- types and their values (types.c) ---- */

struct value {
    const struct weir_codec *codec;
    const void              *at; /* NULL = null */
};

/* The codec of "string", "time_windowed(string,10)"...; NULL when unknown. */
const struct weir_codec *conf_codec(struct weir_arena *arena, const char *text);
bool                     conf_sessioned(const struct weir_codec *codec);
/* Codecs of a topic and of an operator's results; false = the case does not say. */
bool conf_topic_types(struct conf_case *c, const char *topic, const struct weir_codec **ret_key,
                      const struct weir_codec **ret_value);
bool conf_node_types(struct conf_case *c, const char *name, const struct weir_codec **ret_key,
                     const struct weir_codec **ret_value);
/* Bytes of a JSON value of that type; codec NULL = the type that the JSON looks like. */
struct weir_bytes conf_bytes(struct weir_arena *arena, const struct weir_codec *codec, const json_t *json);
struct weir_bytes conf_unhex(struct weir_arena *arena, const char *hex);
/* A value in memory; WEIR_BAD_TYPE when the JSON is of another type. */
int conf_from_json(struct weir_arena *arena, const struct weir_codec *codec, const json_t *json, const void **ret);
/* Appends text(value). */
void conf_print(struct weir__buf *buf, struct value value);
/* Appends bytes so that a human can tell them: quoted text, a number, or x'hex'. */
void conf_show(struct weir__buf *buf, const struct weir_codec *codec, struct weir_bytes bytes);
void conf_show_hex(struct weir__buf *buf, struct weir_bytes bytes);

/* ---- functions of a case (functions*.c) ---- */

enum conf_family {
    CONF_MAPPER = 1,
    CONF_PREDICATE = 2,
    CONF_FLAT = 4,
    CONF_FLAT_VALUES = 8,
    CONF_JOINER = 16,
    CONF_REDUCER = 32,
    CONF_AGGREGATOR = 64,
    CONF_MERGER = 128,
    CONF_EXTRACTOR = 256
};

struct conf_call {
    struct weir_context      *ctx;
    const json_t             *args;              /* the function: its name, then its arguments */
    struct value              key, other, value; /* other: left side of a join, or the aggregate so far */
    const struct weir_record *rec;               /* flat functions and extractors */
};
/* Gives a result in *ret (predicates: returns 1 or 0; extractors: an int64), or a code of WEIR_ERRORS. */
typedef int conf_apply(const struct conf_call *call, struct value *ret);

struct conf_known {
    const char *name;
    unsigned    families;    /* enum conf_family */
    bool        needs_value; /* null for a null value, without a call */
    conf_apply *apply;
    size_t      args; /* at least */
};
struct conf_function {
    const struct conf_known *known;
    const json_t            *args;
};

/* Tables, each ended by a NULL name. */
extern const struct conf_known conf_mappers[], conf_predicates[], conf_flats[], conf_folds[], conf_extractors[];

/* Finds what json names; false = the runner does not know it. */
bool conf_function_find(enum conf_family family, const json_t *json, struct conf_function *ret);
int  conf_function_call(const struct conf_function *fn, struct conf_call *call, struct value *ret);

/* An argument of the function, from 1. */
struct weir_text conf_arg_text(const json_t *args, size_t n);
int64_t          conf_arg_number(const json_t *args, size_t n);
/* Results in the record's memory. WEIR_LIMIT when there is none. */
int              conf_give_text(struct weir_context *ctx, const char *data, size_t size, struct value *ret);
int              conf_give_buf(struct weir_context *ctx, struct weir__buf *buf, struct value *ret); /* frees buf */
int              conf_give_long(struct weir_context *ctx, int64_t number, struct value *ret);
int              conf_give_double(struct weir_context *ctx, double number, struct value *ret);
bool             conf_is(struct value value, const struct weir_codec *codec); /* of that type and not null */
struct weir_text conf_text(struct value value);                               /* of a string */
int64_t          conf_long(struct value value);                               /* null = 0 */
bool             conf_parse_long(struct weir_text text, int64_t *ret);
bool             conf_same(struct value a, struct value b);

/* ---- verbs (verbs.c): what nodes call ---- */

struct conf_verbs {                               /* a node's .arg */
    const struct weir_codec *key, *value;         /* received; of a join: the left side's */
    const struct weir_codec *right;               /* of a join */
    const struct weir_codec *state;               /* of an aggregate */
    const struct weir_codec *out_key, *out_value; /* NULL = not checked */
    struct conf_function     fn, key_fn, value_fn, subtract, merger, foreign, extractor;
    const json_t            *init;
    struct conf_case        *c;
    const json_t            *processor; /* its array */
    const struct weir_store *store;
    bool                     connected; /* the node may use the store */
    const struct weir_node  *global, *children[2];
};

weir_test    conf_test;
weir_map     conf_map, conf_map_values, conf_regroup;
weir_select  conf_select, conf_select_key, conf_foreign;
weir_process conf_flat, conf_nothing;
weir_init    conf_begin;
weir_fold    conf_fold, conf_subtract;
weir_unite   conf_unite;
weir_join    conf_join;
weir_extract conf_extract;
weir_route   conf_route;

/* ---- processors (processors.c, commands.c) ---- */

enum conf_result { CONF_SAME, CONF_TEXT, CONF_LONG };
struct conf_processor {
    const char      *name;
    weir_process    *process;
    weir_open       *open;
    size_t           state;
    enum conf_result result;  /* type of the values it forwards */
    const char      *missing; /* what weir lacks for it; NULL = nothing */
    bool             store;   /* its first argument names a store of its own */
};
const struct conf_processor *conf_processor_find(const json_t *json);
weir_process                 conf_kv_command, conf_window_command;
int conf_forward_text(struct weir_context *ctx, const struct weir_record *rec, struct weir__buf *buf); /* frees buf */

/* ---- building (build*.c) ---- */

struct conf_handle { /* what an operator's name stands for */
    const char              *name;
    struct weir_node        *node; /* the node whose results it is */
    const struct weir_codec *key, *value;
    bool                     table, global, grouped_table;
    const char              *group; /* name of the grouping */
    const json_t            *window;
    int                      emit;
    struct weir_arm         *arms; /* of a cogroup */
    size_t                   arm_count;
    const struct weir_codec *state; /* of a cogroup */
};

struct conf_build {
    struct conf_case    *c;
    struct weir_topology topology;
    struct conf_list     nodes, paths, stores, handles, idle; /* idle: stores that no node has */
    const char          *need;                                /* first kind used that may have no runtime; NULL */
    const char          *lack;                                /* what declare.h or weir.h cannot say; NULL */
    struct weir_error    error;
};

/* A negative code with words in build->error: a reference to nothing (WEIR_BAD_TOPOLOGY), or something that the
 * runner does not know (WEIR_FATAL). */
int  conf_build_init(struct conf_build *build, struct conf_case *c);
void conf_build_fini(struct conf_build *build);

/* Shared by the build's files. */
typedef int   conf_operator(struct conf_build *build, const json_t *op, struct conf_handle *from,
                            struct conf_handle *ret);
conf_operator conf_build_source, conf_build_table, conf_build_global_table, conf_build_global_store;
conf_operator conf_build_filter, conf_build_map, conf_build_select_key, conf_build_flat, conf_build_watch;
conf_operator conf_build_merge, conf_build_split, conf_build_sink, conf_build_repartition, conf_build_process;
conf_operator conf_build_to_table, conf_build_to_stream, conf_build_group_by_key, conf_build_group_by;
conf_operator conf_build_window, conf_build_cogroup, conf_build_count, conf_build_reduce, conf_build_aggregate;
conf_operator conf_build_join, conf_build_suppress, conf_build_add_store;
conf_operator conf_build_api_source, conf_build_api_processor, conf_build_api_sink, conf_build_api_connect;
conf_operator conf_build_api_global, conf_build_api_read_only;

struct weir_node   *conf_node(struct conf_build *build, const json_t *op, int kind);
struct conf_verbs  *conf_verbs(struct conf_build *build, struct weir_node *node, const struct conf_handle *from);
void                conf_path(struct conf_build *build, const struct weir_node *from, const struct weir_node *to);
struct conf_handle *conf_handle(struct conf_build *build, const char *name); /* NULL = none of that name */
/* The handle that a member of op names. */
int  conf_reference(struct conf_build *build, const json_t *op, const char *member, struct conf_handle **ret);
void conf_result(struct conf_build *build, const json_t *op, struct weir_node *node, const struct weir_codec *key,
                 const struct weir_codec *value, struct conf_handle *ret);
int  conf_function(struct conf_build *build, enum conf_family family, const json_t *op, const char *member,
                   struct conf_function *ret);
int  conf_refuse(struct conf_build *build, const json_t *op, const char *format, ...) WEIR_PRINTF(3, 4);
void conf_need(struct conf_build *build, const char *kind);
/* Gives a processor a store, or all that a list names. */
int                conf_use(struct conf_build *build, struct weir_node *node, const char *name);
int                conf_use_all(struct conf_build *build, struct weir_node *node, const json_t *names);
int                conf_process_into(struct conf_build *build, const json_t *op, struct weir_node *node,
                                     const struct conf_handle *from);
const char *const *conf_topics(struct conf_build *build, const json_t *op);
int                conf_set_extractor(struct conf_build *build, const json_t *op, struct weir_node *node);
/* The store of a materialization ("store" of op; absent: a generated one), and one of the processor API. */
const struct weir_store *conf_materialized(struct conf_build *build, const json_t *op, const struct weir_codec *key,
                                           const struct weir_codec *value, const json_t *window);
struct weir_store       *conf_declared(struct conf_build *build, const json_t *spec);
const struct weir_store *conf_join_store(struct conf_build *build, const json_t *spec, const struct weir_codec *key,
                                         const struct weir_codec *value);
const struct weir_store *conf_store_named(const struct conf_build *build, const char *name);
struct weir_windows     *conf_windows(struct conf_build *build, const json_t *window);

/* ---- playing (play.c) ---- */

struct conf_record { /* sent by the topology */
    const char       *topic;
    size_t            step;
    struct weir_bytes key, value;
    int64_t           timestamp; /* negative = none */
    const char       *headers;   /* "name=hex," each */
};
struct conf_row {
    struct weir_bytes key, value;
    int64_t           timestamp, start, end;
};
struct conf_store {
    const char      *name, *type;
    struct conf_list rows; /* struct conf_row */
};

struct conf_run {
    struct weir_arena *arena;
    int                code; /* WEIR_OK: played to the end */
    const char        *stage;
    size_t             step; /* of a failure while running */
    struct weir_error  error;
    const char        *describe;
    struct conf_list   outputs, internal; /* struct conf_record; step = number of steps: at close */
    struct conf_list   stores;            /* struct conf_store */
    uint64_t           dropped;
};
void conf_run_init(struct conf_run *run, struct conf_build *build);
void conf_run_fini(struct conf_run *run);
/* The word of the case format for a code: "argument", "function"... */
const char *conf_error_kind(int code);

/* ---- comparing (compare.c) ---- */

/* What differs, one line each part ("outputs: step 1: expected ... got ..."), and in full (verbose). */
struct conf_difference {
    struct weir__buf line, full;
};
bool conf_compare(struct conf_case *c, const struct conf_build *build, const struct conf_run *run,
                  struct conf_difference *ret); /* true = the same */

#endif
