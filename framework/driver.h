/* driver.h: runs a topology in a test: records in, time forward, records out; no broker, no threads, no sleeping.
 *
 * (1) One task with one queue per source topic runs the whole topology; a piped record is processed to the end, all that
 *     it caused in repartition topics too, with a commit after each processed record (Kafka Streams' TopologyTestDriver).
 * (2) The wall clock moves only by weir_driver_advance.
 * (3) A failure ends the driver's run, as that of a task: only weir_driver_crash goes on, from the last commit. Where
 *     delivery is exactly once, nothing that the failed record sent is seen.
 * (4) All calls on one thread. What is handed out is borrowed until the driver's next call.
 */
#ifndef WEIR_DRIVER_H
#define WEIR_DRIVER_H

#include "declare.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weir_driver;
struct weir_engines;

enum weir_on_failure { WEIR_FAIL, WEIR_CONTINUE }; /* CONTINUE: the record is counted as dropped */

struct weir_driver_config {
    const char        *application;         /* application.id; NULL = the topology's name */
    int64_t            cache_bytes;         /* statestore.cache.max.bytes; 0 = none */
    bool               exactly_once;        /* sends become visible with the commit */
    bool               upstream_cleanup;    /* changelog.cleanup=kafka-streams */
    bool               explicit_names;      /* generated names of internal topics and stores are an error */
    int                on_unreadable;       /* enum weir_on_failure */
    int                on_verb_failure;     /* enum weir_on_failure */
    int64_t            wall_clock;          /* at the start, ms */
    int64_t            close_emit_interval; /* throttle of ON_CLOSE, ms of wall clock */
    int64_t            join_emit_interval;  /* throttle of late results of outer stream joins */
    weir_extract      *extract; /* for sources without their own; NULL = the record's timestamp, negative fails */
    const void        *extract_arg;
    const char        *dir;         /* of durable stores; NULL = all stores in memory */
    const char        *config_file; /* NULL = none */
    const char *const *settings;    /* "key=value", NULL-ended, stronger than the file; NULL = none */
    /* What reaches a node of an outlet (node->outlet); a code of record scope refuses the record. NULL: it ends there. */
    int (*put)(void *put_arg, const struct weir_node *node, const struct weir_record *rec);
    void *put_arg;
};
/* File and settings are an application's configuration (docs/configuration.md): what they say of delivery, caches,
 * handlers, intervals, names, limits and log.quirks is stronger than the fields, and overrides are laid over the
 * topology; what is not for a single task (threads, commit intervals) has no meaning here. */

/* One record that left the topology. */
struct weir_output {
    const char               *topic;
    int32_t                   partition;
    struct weir_bytes         key, value; /* data NULL = null */
    int64_t                   timestamp;
    const struct weir_header *headers;
    size_t                    header_count;
};

/* engines: weir_engines of <weir/engines.h>. WEIR_BAD_TOPOLOGY and the other codes of loading; WEIR_UNSUPPORTED: a kind without runtime. */
WEIR_API int weir_driver_open(const struct weir_topology *topology, const struct weir_driver_config *config,
                              const struct weir_engines *engines, struct weir_driver **ret, struct weir_error *reterr)
    WEIR_MUST_CHECK;
/* The end of a bounded run: windows of ON_CLOSE nodes that are still open close, each once. */
WEIR_API int weir_driver_finish(struct weir_driver *driver, struct weir_error *reterr) WEIR_MUST_CHECK;
/* Flushes and closes; what closing still sent can be read before weir_driver_free. */
WEIR_API int  weir_driver_close(struct weir_driver *driver, struct weir_error *reterr);
WEIR_API void weir_driver_free(struct weir_driver *driver); /* NULL is fine */

/* Pipes one record as bytes and runs until nothing is left to do. WEIR_NOTFOUND: no source reads the topic. */
WEIR_API int weir_driver_pipe(struct weir_driver *driver, const char *topic, struct weir_bytes key,
                              struct weir_bytes value, int64_t timestamp, const struct weir_header *headers,
                              size_t header_count, struct weir_error *reterr) WEIR_MUST_CHECK;
/* The same with key and value as JSON text, read by the source's codecs, or {"base64": "..."}; NULL = null. */
WEIR_API int weir_driver_pipe_json(struct weir_driver *driver, const char *topic, const char *key, const char *value,
                                   int64_t timestamp, const struct weir_header *headers, size_t header_count,
                                   struct weir_error *reterr) WEIR_MUST_CHECK;
/* Moves the wall clock by ms at once, then runs due wall-clock punctuation (each once) and closes what is idle, commits. */
WEIR_API int weir_driver_advance(struct weir_driver *driver, int64_t ms, struct weir_error *reterr) WEIR_MUST_CHECK;

/* The next output over all user topics in the order sent; WEIR_NOTFOUND: none left. */
WEIR_API int weir_driver_read(struct weir_driver *driver, struct weir_output *ret);
/* The next record of one topic, internal topics (changelogs, repartition) too. Independent of weir_driver_read. */
WEIR_API int weir_driver_read_topic(struct weir_driver *driver, const char *topic, struct weir_output *ret);
/* The n-th topic, internal or user's, that anything was sent to; NULL past the end. */
WEIR_API const char *weir_driver_topic(struct weir_driver *driver, size_t n, bool *ret_internal);

/* Key and value of an output as JSON text, by the codecs of its topic; where these cannot read the bytes, and where
 * none are known, {"base64": "..."}. WEIR_NO_MEMORY. */
WEIR_API int weir_driver_print(struct weir_driver *driver, const struct weir_output *output, const char **ret_key,
                               const char **ret_value) WEIR_MUST_CHECK;

/* The n-th store: its name and type ("timestamped_key_value", "window", ...); NULL past the end. */
WEIR_API const char *weir_driver_store(struct weir_driver *driver, size_t n, const char **ret_type);
/* Reads all rows of a store in the engine's order, as bytes; key is the plain key. Another result than WEIR_OK of visit
 * ends it and is returned. WEIR_NOTFOUND: no such store; WEIR_BAD_STATE: a crash has failed. */
struct weir_stored {
    struct weir_bytes key, value;
    int64_t           timestamp, start, end; /* -1 where there is none */
};
WEIR_API int weir_driver_visit(struct weir_driver *driver, const char                       *store,
                               int (*visit)(void *arg, const struct weir_stored *row), void *arg);
/* The same row as JSON text, by the store's codecs, as weir_driver_print. WEIR_NOTFOUND: no such store. */
WEIR_API int weir_driver_print_row(struct weir_driver *driver, const char *store, const struct weir_stored *row,
                                   const char **ret_key, const char **ret_value) WEIR_MUST_CHECK;
/* The process dies and is started again: all that was not committed is gone, stores are restored from their changelogs
 * (lose_dir: the folder is empty; else from where the durable stores are), inputs are read on from the committed
 * offsets. Of a topology that keeps what it knows in stores nothing may change. Counters go on. Also after a failure. */
WEIR_API int weir_driver_crash(struct weir_driver *driver, bool lose_dir, struct weir_error *reterr) WEIR_MUST_CHECK;
/* The same, folder kept, under another epoch (weir_epoch). replaying: what is piped from now on, until this is called again, was
 * processed before and is read again (weir_replayed). */
WEIR_API int weir_driver_rebuild(struct weir_driver *driver, int64_t epoch, bool replaying, struct weir_error *reterr)
    WEIR_MUST_CHECK;
/* Whether a failure has ended the run. Where a call failed and this is false, it has done nothing and may be repeated. */
WEIR_API bool weir_driver_failed(const struct weir_driver *driver);

WEIR_API uint64_t weir_driver_dropped(const struct weir_driver *driver); /* records dropped so far, all reasons */
/* Value of a counter such as weir_records_dropped_total, summed over its series; label NULL = all, else those with that
 * value of the label ("reason", "null key"). 0 when unknown. */
WEIR_API double weir_driver_metric(struct weir_driver *driver, const char *name, const char *label,
                                   const char *value);
/* Kafka's Topology.describe() text of a topology, without running it; owned by the caller (weir_text_free). */
WEIR_API int  weir_describe(const struct weir_topology *topology, const struct weir_driver_config *config, char **ret,
                            struct weir_error *reterr) WEIR_MUST_CHECK;
WEIR_API void weir_text_free(char *text);

#ifdef __cplusplus
}
#endif

#endif
