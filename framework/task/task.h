/* task.h: one partition's share of a topology: its queues, clock, stores and nodes.
 *
 * (1) A task takes records and a collector; it never sees a log. Driver, simulator and production run this code.
 * (2) Records are taken in timestamp order over the task's partitions; a record goes through the nodes depth first.
 * (3) Nothing of a record is durable before weir__task_committed; weir__task_drop takes all back to the last commit.
 * (4) A task belongs to one thread at a time.
 *
 * Life: new, [restore each store], [seek], start, { add, process, punctuate, flush, offsets, committed | drop, seek,
 *       start }, close.
 */
#ifndef WEIR_TASK_H
#define WEIR_TASK_H

#include "framework/config/config.h"
#include "framework/logging/logging.h"
#include "framework/metrics/metrics.h"
#include "framework/task/engines.h"
#include "framework/topology/topology.h"

struct weir__task;

enum weir__sent_as { WEIR__TO_USER, WEIR__TO_REPARTITION, WEIR__TO_CHANGELOG, WEIR__TO_DEAD_LETTERS };

/* Where a task's records go. raw->partition < 0: by murmur2 of the key; changelogs: always the task's own.
 * Borrowed until it returns. Codes as weir__log_engine.send's; WEIR_FULL never (the collector waits). */
typedef int weir__send(void *arg, const struct weir__raw *raw, enum weir__sent_as as);

enum weir__handler { WEIR__DEAD_LETTER, WEIR__FAIL, WEIR__CONTINUE };
enum weir__handler weir__handler_of(const char *word); /* of the settings: dead_letter, fail, continue */

/* Global stores of one thread: a full copy of their topics, filled before the first record and followed after. */
struct weir__globals;
int  weir__globals_new(const struct weir__plan *plan, const struct weir_engines *engines,
                       struct weir__metrics *metrics, struct weir__globals **ret, struct weir_error *reterr);
void weir__globals_free(struct weir__globals *globals);
/* One record of a global store's topic. A record that cannot be read is counted and left out (WEIR_OK) unless the
 * handler is WEIR__FAIL. */
int weir__globals_apply(struct weir__globals *globals, const struct weir__raw *raw, enum weir__handler on_unreadable,
                        struct weir_error *reterr);
struct weir__store *weir__globals_store(const struct weir__globals *globals, const char *name); /* NULL = unknown */
/* Real topic names to follow, all partitions of each; NULL past the end. */
const char *weir__globals_topic(const struct weir__globals *globals, size_t n);

/* What reaches a node of an outlet. A code of record scope refuses the record; others are failures. */
typedef int weir__put(void *arg, struct weir_context *ctx, const struct weir_node *node,
                      const struct weir_record *rec);

struct weir__task_config {
    const struct weir__plan   *plan;
    const struct weir__config *settings; /* for verbs; NULL: they may not ask */
    const int                 *subs;     /* sub_count sub-topologies: one in production, all in the driver */
    size_t                     sub_count;
    int32_t                    partition;
    const char                *dir; /* of its database; NULL = all stores in memory */
    const struct weir_engines *engines;
    struct weir__globals      *globals; /* the thread's; NULL when the plan has none */
    struct weir__metrics      *metrics;
    weir__send                *send;
    void                      *send_arg;
    weir__put                 *put; /* NULL: outlets have no effect */
    void                      *put_arg;
    int64_t (*now)(void *arg); /* wall clock, ms */
    void              *now_arg;
    bool               transactional; /* the log marks the end of each commit with a record of its own */
    enum weir__handler on_unreadable, on_failure, on_refused; /* reading, verbs, sending; DEAD_LETTER without dead
                                                                letters means FAIL */
    int64_t            letters_per_second; /* dead letters of a stage and code beyond that fold; 0 = never */
    weir_extract      *extract;            /* default extractor; NULL = record's timestamp, negative fails */
    const void        *extract_arg;
    size_t             cache_bytes;       /* dirty bytes at which the task asks for a commit; 0 = no cache */
    size_t             dirty_bytes;       /* the same for stores without a cache; 0 = 16 MiB */
    size_t             hold_bytes;        /* committed rows kept in memory before they are written; 0 = none */
    size_t             record_memory;     /* ceiling of the record arena */
    int64_t max_record_bytes, least_time; /* of what the log takes: a row that its changelog would refuse is
                                                        refused before it changes; 0 = no bound */
    size_t  db_memory;                    /* of the database; 0 = the engine's choice */
    int64_t close_interval;               /* throttle of ON_CLOSE, ms of wall clock */
    bool    upstream_expiry;              /* ON_CLOSE does not see windows past the store's retention, as upstream */
    int64_t idle;                         /* max.task.idle.ms */
    int64_t epoch;                        /* of rebuilds; 0 = the first */
    void (*refresh)(void *arg);           /* weir_refresh, weir_fresh; NULL: the globals are always at their end */
    bool (*fresh)(void *arg);
    /* weir_tell; name NULL: the task tells no more. NULL: nobody listens. */
    void (*tell)(void *arg, const struct weir__task *task, const char *name, const char *words);
    void              *waits_arg; /* of these three */
    const char *const *topics;    /* real names of the topics that have this partition; NULL = all sources' */
};

/* Opens the stores. Codes: WEIR_IO, WEIR_CORRUPT, WEIR_BUSY, WEIR_NO_MEMORY, WEIR_UNSUPPORTED. */
int weir__task_new(const struct weir__task_config *config, struct weir__task **ret, struct weir_error *reterr);
/* Runs the nodes' open verbs. After restore. */
int weir__task_start(struct weir__task *task, struct weir_error *reterr);
/* Runs the nodes' close verbs (if started), closes stores; nothing is sent or flushed. NULL is fine. */
void weir__task_close(struct weir__task *task);

/* ---- restore ---- */

/* The n-th store of the task; NULL past the end. ret_changelog: its topic's real name, NULL = not logged. */
struct weir__store *weir__task_store(struct weir__task *task, size_t n, const char **ret_changelog);
int                 weir__task_restore_done(struct weir__task *task); /* leaves bulk mode; before start */
int                 weir__task_restore_begin(struct weir__task *task);

/* ---- input ---- */

/* Number of input partitions, and the n-th one's topic. */
size_t      weir__task_inputs(const struct weir__task *task);
const char *weir__task_input(const struct weir__task *task, size_t n);
/* Copies records of the task's partition into their queues. WEIR_NOTFOUND: not an input. */
int    weir__task_add(struct weir__task *task, const struct weir__raw *records, size_t count);
size_t weir__task_buffered(const struct weir__task *task, const char *topic); /* records waiting */
size_t weir__task_buffered_bytes(const struct weir__task *task, const char *topic);
/* What the log still holds beyond what was added: 0 = read to the end; < 0 = unknown (the start). */
void weir__task_lag(struct weir__task *task, const char *topic, int64_t lag);
/* Sets where input begins: offset and metadata as committed (times, close times). Before add. WEIR_NOTFOUND: not an
 * input; WEIR_NO_MEMORY. */
int weir__task_seek(struct weir__task *task, const char *topic, int64_t offset, struct weir_bytes metadata);

/* What lies before an offset of inputs that are others' was processed once before. For drivers: metadata says it, too. */
void weir__task_replayed(struct weir__task *task, int64_t until);

/* ---- work ---- */

/* Processes up to max records; *ret_done says how many. WEIR_OK; WEIR_AGAIN: held back, waiting for a partition's
 * records (design, Runtime 2); other codes: failed by a handler or store, with words. */
int    weir__task_process(struct weir__task *task, size_t max, size_t *ret_done, struct weir_error *reterr);
bool   weir__task_holds(const struct weir__task *task); /* a node wants no records now */
size_t weir__task_taken(const struct weir__task *task); /* records begun since the last commit, or drop */
/* The log, or an outlet, has refused what came of the only record taken: the next time it is not processed, but handled as the
 * config's on_refused says; the second time, where that is a dead letter, without its bytes. words: of the dead letter. False:
 * no record was taken, or it was refused twice already. */
bool weir__task_refuse_last(struct weir__task *task, int code, const char *words);
/* Due wall-clock punctuation, and windows and keys by key time that the clock closes or lets go. */
int  weir__task_punctuate(struct weir__task *task, struct weir_error *reterr);
bool weir__task_ticks(
    struct weir__task *task); /* punctuate again: the clock has made more due than was done at once */
bool weir__task_wants_commit(const struct weir__task *task); /* a verb asked, or the dirty maps are full */
bool weir__task_has_work(const struct weir__task *task);     /* something to commit */
/* End of a bounded run: every window that an ON_CLOSE node or a .final waits for is closed, each once: in (start, key)
 * order; by key time in (key, start) order. */
int weir__task_close_windows(struct weir__task *task, struct weir_error *reterr);

/* ---- commit ---- */

/* Flushes the caches: forwards and changelog records go to the collector. */
int weir__task_flush(struct weir__task *task, struct weir_error *reterr);
/* The offset to commit for each input that has one: next to read, metadata (allocated in arena). Writes at most
 * weir__task_inputs entries. WEIR_NO_MEMORY: without its metadata no offset may be committed. */
int weir__task_offsets(struct weir__task *task, struct weir_arena *arena, struct weir__offset *ret,
                       size_t *ret_count);
/* The log has committed: writes the stores' batch. sent(arg, topic, partition): next offset of a changelog partition
 * after what was delivered, -1 = nothing was sent. durable: the engine flushes now. */
int weir__task_committed(struct weir__task *task, int64_t (*sent)(void *arg, struct weir__tp tp), void *arg,
                         bool durable, struct weir_error *reterr);
/* Abort: forgets what was not committed and empties the queues; nodes are closed, with their schedules and what they kept
 * in memory of their own. The caller seeks, starts and adds again. */
void weir__task_drop(struct weir__task *task);

size_t  weir__task_dirty_bytes(const struct weir__task *task); /* memory of uncommitted changes */
size_t  weir__task_held_bytes(const struct weir__task *task);  /* of committed rows that are not written */
int64_t weir__task_stream_time(const struct weir__task *task); /* -1 = none yet */

#endif
