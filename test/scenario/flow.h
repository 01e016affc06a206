/* flow.h: stories on a fake clock: records in, time forward, records out. A story is a file NAME.flow, a line a step:
 *
 *     topology word_count              which one: of topologies/, or an example; needed
 *     clock    2025-01-02T14:30:00Z    the wall clock at the start, else 0
 *     set      KEY = VALUE             a line of configuration
 *
 *     watch    NODE                    what reaches this outlet's node is told too
 *
 *     in       TOPIC KEY VALUE         a record comes, with the clock's time; what follows from it is done at once
 *     pass     90s                     the wall clock moves on
 *     crash                            the process dies, its disk too: state comes back from the changelogs
 *     epoch    2                       a rebuild that keeps state: the process is started again under that epoch
 *     finish                           the end of a bounded run: open windows of ON_CLOSE nodes close
 *     close                            the end
 *     fails    CODE words              the step before failed so; and with these words, if any
 *
 *     out      TOPIC KEY VALUE         the next record that came out
 *     put      NODE KEY VALUE          the next record that reached this node of an outlet, which is watched
 *     nothing                          none came, of both
 *     sent     TOPIC KEY VALUE         the next record of a changelog or repartition topic
 *     store    NAME KEY VALUE          a row (null: there is none)
 *     rows     NAME N                  how many there are
 *     expect   METRIC == N             a counter; METRIC{label="value"} for one series
 *     describe                         and below it, each after "| ", the lines of the topology's description
 *
 *     no-crash REASON                  the story does not bear a crash after each step, and why
 *
 * (1) All that comes out is told: an output or put that no line takes before the next step fails the story there. What is put
 *     while a failure is ordered may come again, and earlier attempts may have put more: then the puts told are among them, in order.
 * (2) A record may be followed by `at TIME` and `with NAME=TEXT ...` (its headers, all of them; NAME alone: null).
 *     Where they are left out nothing is asked of an output, and an input has none.
 * (3) KEY and VALUE are JSON, or a bare word, which is itself as text. {"a": 1, ...}: other members may follow.
 *     KEY@TIME is the key of a window that starts then. hex:00ff and text:{} are raw bytes.
 * (4) TIME is 2025-01-02T14:30:00Z, or a duration since 1970 (90s, 1500).
 * (5) Each story is told four times: as it is, with a crash after each step, on RocksDB, and on RocksDB with crashes
 *     that leave the disk. What comes out is the same.
 */
#ifndef WEIR_TEST_FLOW_H
#define WEIR_TEST_FLOW_H

#include "framework/base/base.h"
#include "framework/driver.h"

/* ---- topologies: one row each ---- */

/* clang-format off */
#define FLOW_TOPOLOGIES(X)                                                                          \
    X(word_count) X(minute_bars) X(copying) X(sifting) X(mapping) X(peeking) X(splitting)           \
    X(narrowing) X(siding) X(routing) X(stamping) X(two_topics) X(table) X(table_views) X(to_table) \
    X(table_join) X(view_join) X(global_join) X(global_process) X(counting) X(counting_each)        \
    X(reducing) X(summing) X(rekeying) X(repartitioning) X(tumbling) X(hopping) X(unlimited)        \
    X(closing) X(in_memory) X(notebook) X(recently) X(window_store) X(stream_clock) X(wall_clock)   \
    X(cancelling) X(gathering) X(refusing) X(timed) X(growing) X(keeping) X(swallowing) X(careless) X(opening)   \
    X(hopping_sums) X(stream_join) X(tables_join) X(foreign_join) X(sessions) X(sliding) X(cogroup) \
    X(suppression) X(calendar) X(versions) X(table_group) X(key_minutes) X(key_days) X(key_notes)   \
    X(normalization) X(enrichment) X(aggregation) X(projection)
/* clang-format on */
#define FLOW__DECLARE(name) extern const struct weir_topology *const flow_##name;
FLOW_TOPOLOGIES(FLOW__DECLARE)
#undef FLOW__DECLARE
/* In the file that declares a topology: FLOW(word_count) makes it known by its name. */
#define FLOW(name) const struct weir_topology *const flow_##name = &name
const struct weir_topology *flow_topology(const char *name, const char **ret_near); /* NULL; near may be NULL too */

/* ---- read.c: a file as steps ---- */

struct flow_step {
    size_t line;
    char  *verb, *words[4]; /* as many as the verb has */
    char  *rest;            /* what follows them; "" = nothing */
};

struct flow {
    const char       *path;
    struct flow_step *steps;
    size_t            count, capacity;
    struct weir_arena arena;
};

/* False: complaint says why. */
bool flow_read(const char *path, struct flow *ret, struct weir__buf *complaint);
void flow_free(struct flow *flow);

/* ---- words.c: what words mean ---- */

bool flow_time(const char *word, int64_t *ret);
void flow_print_time(int64_t time, struct weir__buf *ret);

/* `at TIME with NAME=TEXT ...` */
struct flow_extras {
    bool                timed, headed;
    int64_t             time;
    struct weir_header *headers;
    size_t              header_count;
};
bool flow_extras(const char *text, struct weir_arena *arena, struct flow_extras *ret);
/* The JSON text of a word for weir_driver_pipe_json. */
const char *flow_json(const char *word, struct weir_arena *arena);
/* Whether a word stands for a key or value, given as JSON and as bytes. */
bool flow_matches(const char *word, const char *json, struct weir_bytes bytes);
/* JSON as the word that stands for it. */
void flow_print_word(const char *json, struct weir__buf *ret);

/* ---- puts.c: what reached outlets ---- */

struct flow_put {
    const char *node, *key, *value; /* as JSON */
    int64_t     time;
    bool        told;
};
struct flow_puts {
    const char      **nodes; /* that are watched */
    struct flow_put  *items;
    size_t            node_count, node_capacity, count, capacity;
    struct weir_arena arena;
};
void flow_puts_watch(struct flow_puts *puts, const char *node); /* node is borrowed */
/* The driver's put; arg: a struct flow_puts. */
int flow_puts_take(void *arg, const struct weir_node *node, const struct weir_record *rec);
/* The next that is told, of a node; node NULL: of any. NULL: there are no more. */
const struct flow_put *flow_puts_next(struct flow_puts *puts, const char *node);
void                   flow_puts_fini(struct flow_puts *puts);

/* ---- play.c ---- */

/* How a story is told. */
struct flow_mode {
    const char                *name;
    const struct weir_engines *engines;
    const char                *dir;     /* of durable stores; NULL = memory */
    bool                       crashes; /* after each step; with a dir, which then stays */
    const char                *setting; /* before the story's own; NULL = none */
    /* Around each call of the driver; NULL = none. after: whether a failure that was ordered was carried out. */
    void (*before)(void);
    bool (*after)(void);
};

/* Plays the whole story. False: complaint says where and why. */
bool flow_play(const struct flow *flow, const struct flow_mode *mode, struct weir__buf *complaint);
/* Whether the story bears crashes. */
bool flow_crashes(const struct flow *flow);

#endif
