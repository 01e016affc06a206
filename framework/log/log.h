/* log.h: what a task's thread asks of a log, and what every engine of logs promises.
 *
 * (1) Threads: S = the stream thread that owns the handle, R = a restore thread that owns its reader,
 *     any = any thread. weir__log_wake is the only call that crosses threads on one handle.
 * (2) No call blocks past its deadline (ms of the engine's clock; 0 = do not wait).
 * (3) Records handed out are borrowed until released; later use needs a copy.
 * (4) Answers: WEIR_OK; WEIR_AGAIN (same call again); WEIR_FULL (serve and retry); WEIR_NOTFOUND; a record's code
 *     (WEIR_TOO_LARGE, WEIR_BAD_TIME); WEIR_ABORT (abort, rewind); WEIR_FENCED (reopen); WEIR_LOST (membership gone);
 *     WEIR_DISK_FULL (nothing was written); WEIR_BAD_STATE (the log is read only); WEIR_BAD_NAME; WEIR_NO_MEMORY; WEIR_IO,
 *     WEIR_CORRUPT, WEIR_FATAL.
 * (5) A call that fails has changed nothing, unless it says otherwise.
 * (6) Functions that are called back must not call the log.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include "framework/metrics/families.h"
#include "framework/record/record.h"

struct weir__log;      /* an open log: shared by threads */
struct weir__consumer; /* a member of a group, or a group-less reader; owned by one thread */
struct weir__producer; /* owned by one thread */
struct weir__batch_of; /* records handed out together */

struct weir__log_config {
    const char *dir;             /* embedded: folder; NULL = in memory */
    bool        quirks;          /* embedded: behave like Kafka where it is awkward */
    bool        read_only;       /* embedded: another process may be writing (RocksDB secondary) */
    int64_t (*clock)(void *arg); /* NULL = the wall clock */
    void   *clock_arg;
    int64_t message_max_bytes; /* 0 = 1 MiB */
    size_t  memory;            /* bytes for its buffers, queues and for compaction; 0 = as much as is of use */
    int     replication;       /* kafka: copies of topics that are made; 0 = as the broker has it */
    int64_t retention_bytes;   /* kafka: of each partition of topics that are made and do not say; 0 = no bound */
    /* embedded with quirks: ms of its clock until a transaction's last marker has landed; 0 = one with each look at the log;
     * below 0 = by weir__embedded_land alone */
    int64_t marker_delay;
    /* embedded: a member that does not poll for longer is out; 0 = 10 s where others wait, else 5 min */
    int64_t session_ms;
    /* embedded with quirks: a transaction that is open for longer is aborted, its producer fenced; 0 = 5 min */
    int64_t transaction_ms;
    /* key=value pairs of kafka.*, NULL-ended; the embedded engine takes none */
    const char *const *settings;
};

/* A topic as we want it. settings: "name=value", NULL-ended. */
struct weir__topic {
    const char        *name;
    int32_t            partitions;
    const char *const *settings;
};
/* A negative code ends the comparison, and the ensure with it. loses: the topic would delete or refuse records for it. */
typedef int weir__on_difference(void *arg, const char *topic, const char *setting, bool loses, const char *wanted,
                                const char *found);
/* By what a topic that is there deletes records; "" = not told. */
struct weir__cleanup {
    const char *policy, *retention_ms, *retention_bytes; /* cleanup.policy, retention.ms, retention.bytes */
};
/* Whether a setting that is found instead of the one wanted deletes or refuses records (loses.c). */
bool weir__loses(const char *setting, const char *wanted, const char *found, const struct weir__cleanup *kept);

struct weir__ends {
    int64_t low, stable, end; /* first offset; last stable offset; next offset to be written */
};

struct weir__offset {
    struct weir__tp   tp;
    int64_t           offset;   /* next to read; -1 = none committed */
    struct weir_bytes metadata; /* borrowed */
};

enum weir__event_kind {
    WEIR__ASSIGNED, /* token, tps: this generation's */
    WEIR__REVOKED,  /* tps: still ours to commit until the call returns to poll */
    WEIR__LOST_TPS, /* tps: no longer ours */
    WEIR__END       /* tps[0] read up to `next` = its stable end now */
};
struct weir__log_event {
    enum weir__event_kind  kind;
    int64_t                token; /* generation's copy for commits; valid() tells whether it still counts */
    const struct weir__tp *tps;
    size_t                 count;
    int64_t                next;
};

/* What a poll gives: records per partition in order, and at most one event. */
struct weir__polled {
    const struct weir__raw       *records;
    size_t                        count;
    const struct weir__log_event *event; /* NULL = none; comes before the records */
    void                         *lease; /* for release */
};

enum weir__isolation { WEIR__READ_COMMITTED, WEIR__READ_UNCOMMITTED };

/* A number that a client of the log has last told of itself; labels as the family has them. */
typedef void weir__take_client(void *arg, enum weir__family_id family, const char *const *labels, double value);

struct weir__log_engine {
    const char *name;             /* "embedded", "kafka" */
    int32_t     usual_partitions; /* of topics whose number nothing else decides */
    /* Whether the end of a transaction takes an offset of each partition that it wrote to. */
    bool (*marks)(struct weir__log *log);
    const char *(*library)(
        void); /* "librdkafka 2.0.2": what it runs on, where that does not tell its version otherwise; or NULL */

    /* any */
    int (*open)(const struct weir__log_config *config, struct weir__log **ret, struct weir_error *reterr);
    void (*close)(struct weir__log *log); /* after all handles; NULL is fine */
    int (*partitions)(struct weir__log *log, const char *topic, int64_t deadline, int32_t *ret);
    /* Creates what is absent, all or none; calls on_difference for each setting of an existing topic that differs, and for
     * "partitions". WEIR_BAD_NAME, WEIR_BAD_ARGUMENT, WEIR_BAD_CONFIG name the topic. */
    int (*ensure)(struct weir__log *log, const struct weir__topic *topics, size_t count, int64_t deadline,
                  weir__on_difference *on_difference, void *arg, struct weir_error *reterr);
    int (*grow)(struct weir__log *log, const char *topic, int32_t partitions, int64_t deadline,
                struct weir_error *reterr); /* WEIR_BAD_ARGUMENT: it has more */
    /* Records before that offset go, also in parts when it fails; past the end = all. */
    int (*trim)(struct weir__log *log, struct weir__tp tp, int64_t before, int64_t deadline);
    int (*ends)(struct weir__log *log, struct weir__tp tp, int64_t deadline, struct weir__ends *ret);
    /* First offset with timestamp >= time; the end when there is none. */
    int (*offset_at)(struct weir__log *log, struct weir__tp tp, int64_t time, int64_t deadline, int64_t *ret);
    /* Fills offset and metadata (allocated in arena) for each tp given. AGAIN while unstable. */
    int (*committed)(struct weir__log *log, const char *group, struct weir__offset *offsets, size_t count,
                     struct weir_arena *arena, int64_t deadline);
    /* How many members a group has; none where there is no such group. */
    int (*group_members)(struct weir__log *log, const char *group, int64_t deadline, int32_t *ret);
    /* WEIR_BUSY while the group has members; WEIR_NOTFOUND. Offset -1 takes back what was committed. */
    int (*set_committed)(struct weir__log *log, const char *group, const struct weir__offset *offsets, size_t count,
                         int64_t deadline);
    /* With all offsets that were committed for them. WEIR_NOTFOUND: one was not there; the others are gone. */
    int (*remove)(struct weir__log *log, const char *const *topics, size_t count, int64_t deadline);
    /* Calls on_setting for each setting in force, defaults too. */
    int (*settings)(struct weir__log *log, const char *topic, int64_t deadline,
                    void (*on_setting)(void *arg, const char *name, const char *value), void *arg);
    /* Names of all topics, for people. */
    int (*topics)(struct weir__log *log, int64_t deadline, void (*on_topic)(void *arg, const char *name), void *arg);
    /* Hands out what its clients tell of brokers and of themselves, asking nobody. NULL: it has none. */
    void (*clients)(struct weir__log *log, weir__take_client *take, void *arg);
    /* Whether brokers do not answer because they let us not in, or are not to be believed, and why; NULL: it never is so. */
    bool (*refused)(struct weir__log *log, struct weir_error *ret);
    int64_t (*now)(struct weir__log *log);
    /* An application will use the log, before its first join: so many partitions are read by its tasks, by so many threads
     * with a producer each. What queues may take is divided by the sums. NULL: there are none. */
    void (*expect)(struct weir__log *log, size_t partitions, size_t producers);

    /* consumer: S (join) or R (tail) */
    int (*join)(struct weir__log *log, const char *group, const char *instance, const char *const *topics,
                size_t count, struct weir__consumer **ret, struct weir_error *reterr);
    int (*tail)(struct weir__log *log, const struct weir__offset *from, size_t count, enum weir__isolation isolation,
                struct weir__consumer **ret, struct weir_error *reterr);
    int (*members)(struct weir__consumer *consumer, int32_t *ret); /* a hint */
    /* WEIR_AGAIN: nothing came before the deadline, or woken. */
    int (*poll)(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret);
    void (*release)(struct weir__consumer *consumer, void *lease);
    /* Replaces the whole set read from; nothing from before is delivered after it returns. Offset -1, or one that is no longer
     * there: from the first. WEIR_NOTFOUND: the set is as before. */
    int (*take)(struct weir__consumer *consumer, const struct weir__offset *from, size_t count);
    int (*hold)(struct weir__consumer *consumer, struct weir__tp tp, bool on);
    bool (*valid)(struct weir__consumer *consumer, int64_t token);
    /* For whoever waits between two polls: whether the generation is no longer valid, or the next poll will say that it is revoked. */
    bool (*over)(struct weir__consumer *consumer, int64_t token);
    int (*leave)(struct weir__consumer *consumer, int64_t deadline); /* and frees it */
    void (*wake)(struct weir__consumer *consumer);                   /* any thread */

    /* producer: S. id NULL = idempotent only; else fences and resolves the predecessor */
    int (*producer)(struct weir__log *log, const char *id, int64_t deadline, struct weir__producer **ret,
                    struct weir_error *reterr);
    void (*producer_close)(struct weir__producer *producer); /* drops what is uncommitted; NULL is fine */
    /* Copies. partition < 0: by murmur2 of the key (null key: any). raw->offset is ignored. cookie comes back in
     * failed(). WEIR_FULL, WEIR_TOO_LARGE, WEIR_BAD_TIME, WEIR_NOTFOUND (no such topic or partition), WEIR_FENCED. */
    int (*send)(struct weir__producer *producer, const struct weir__raw *raw, uint64_t cookie);
    /* Waits for all sends; then offsets with the group's, atomically where the producer has an id. consumer and
     * token: the membership whose offsets they are; NULL = no offsets or a group-less caller (group names it).
     * WEIR_ABORT too where a send failed, or an offset is of no partition. */
    int (*commit)(struct weir__producer *producer, const char *group, struct weir__consumer *consumer, int64_t token,
                  const struct weir__offset *offsets, size_t count, int64_t deadline);
    int (*abort)(struct weir__producer *producer, int64_t deadline); /* may be repeated */
    /* The next asynchronous failure since the last commit. WEIR_NOTFOUND: none. */
    int (*failed)(struct weir__producer *producer, uint64_t *ret_cookie, int *ret_code);
    /* After a commit: last delivered offset + 1 of tp, or -1 when nothing was sent to it. */
    int64_t (*sent)(struct weir__producer *producer, struct weir__tp tp);
};

/* ---- on top of any engine (read.c) ---- */

/* An error ends the reading and is its answer. */
typedef int weir__take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr);
/* Hands out a partition's committed records from an offset (or the first that is there) to the end as it is now.
 * WEIR_IO: nothing came for seconds; the engine's codes; take's. */
int weir__read_partition(const struct weir__log_engine *engine, struct weir__log *log, struct weir__tp tp,
                         int64_t from, weir__take_record *take, void *arg, struct weir_error *reterr);
/* The same of all partitions of a topic from the beginning, each in its order, by one reader. */
int weir__read_topic(const struct weir__log_engine *engine, struct weir__log *log, const char *topic,
                     int32_t partitions, weir__take_record *take, void *arg, struct weir_error *reterr);

#endif
