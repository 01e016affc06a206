/* embedded.h: the inside of the embedded log, shared by its files.
 *
 * (1) All is kept in one ordered store of bytes: in memory, or RocksDB with a write-ahead log, synced at each commit.
 *     Rows, by first byte (names end with NUL, integers big-endian):
 *       T topic                        -> int32 partitions, settings as "name=value", each with a NUL at its end
 *       E topic partition              -> int64 low, end, records, bytes, clean (struct partition)
 *       R topic partition int64 offset -> a chunk: the records from that offset on that were committed together
 *       O group topic partition        -> int64 offset, metadata
 * (2) Sends wait in their producer; a commit gives them offsets and writes chunks, ends and offsets as one batch. After a
 *     crash a commit is there whole or not at all, and offsets of transactions that died are given again.
 * (3) The mutex guards everything but what a producer gathers. Whoever changes rows is the writer, one at a time, and lets
 *     go of the mutex while the disk writes; ends move after that. Only a compaction, which moves records from row to row,
 *     keeps it: readers never meet a row in between.
 * (4) A topic lives until the log is closed, also a removed one: readers and producers may still hold it.
 * (5) A group's members hand over by turns: a member is told REVOKED, may commit until it polls again, and a new
 *     generation is dealt out once every member has polled. A member that is silent for too long is out, whoever looks first.
 * (6) With quirks a transaction leaves a marker behind in each partition that it wrote to. Until a partition's marker has
 *     landed, who reads committed records goes no further than where the transaction began there; so do open transactions
 *     hold up those that end before them. All of this is a view in memory: rows are of decided transactions alone, and a log
 *     that is opened has no marker on its way.
 */
#ifndef WEIR_EMBEDDED_H
#define WEIR_EMBEDDED_H

#include <pthread.h>
#include <stdatomic.h>

#include "statestores/embedded_chunk.h"
#include "statestores/statestores.h"

#define SESSION_MS   10000  /* how long a member may be silent where others wait for it, */
#define SILENT_MS    300000 /* and where they do not; how long a transaction may be open */
#define POLL_RECORDS 1000   /* of a partition, about */
#define POLL_BYTES   ((size_t)1 << 20)
#define NAME_MOST    249 /* bytes of a topic's or group's name */

struct partition {
    int64_t  low, end;       /* first offset; next to be written */
    int64_t  records, bytes; /* in its chunks */
    int64_t  clean;          /* records with distinct keys at its last compaction */
    int64_t  cleaned;        /* keys of records before this offset are distinct, as far as we know */
    uint32_t rewritten;      /* compactions' writes since the log was opened */
    int64_t  unstable;       /* where committed reading ends, plus 1; 0 = at the end */
};

struct topic {
    char             *name;
    char            **settings; /* "name=value", NULL-ended */
    struct partition *partitions;
    atomic_int        count;
    atomic_bool       removed;
    bool              compact;
    int64_t           retention_ms, retention_bytes; /* -1 = none */
    int64_t           delete_retention_ms;           /* how long a compaction keeps deletions */
};

struct position {
    struct topic *topic;
    int32_t       partition;
    int64_t       next;
    bool          held, told_end;
    bool          at_chunk; /* next is where a chunk begins, as of: */
    uint32_t      rewritten;
};

enum member_state { MEMBER_JOINING, MEMBER_ASSIGNED, MEMBER_REVOKING, MEMBER_READY, MEMBER_OUT };

struct group;
struct lease;

struct weir__consumer {
    struct weir__log      *log;
    struct group          *group; /* NULL = a reader without group */
    char                  *id;
    char                 **topics;      /* subscription, NULL-ended */
    bool                   uncommitted; /* reads to the end, not to the stable one */
    enum member_state      state;
    int64_t                token, last_poll;
    struct weir__tp       *assigned;
    size_t                 assigned_count, assigned_capacity;
    struct position       *positions;
    size_t                 position_count, turn;
    bool                   woken, polling; /* who waits in a poll is not silent */
    struct weir__log_event event;
    struct weir__tp        end_tp;
    struct lease          *spare; /* for the next poll */
};

struct group {
    char                   *name;
    struct weir__consumer **members;
    size_t                  count, capacity;
    int64_t                 generation; /* being dealt or dealt */
    bool                    dealt;
};

/* What waits for one partition, and where the last commit left it. */
struct outgoing {
    struct chunk *chunks; /* `count` of them in use, `made` ever */
    size_t        count, made, capacity;
    uint64_t     *cookies;
    size_t        cookie_capacity;
    atomic_llong  records; /* others may ask how many */
    int64_t       told;    /* of them told by failed() */
    int64_t       sent;    /* next offset after the last commit; -1 = it brought nothing here */
    int64_t       held;    /* where it holds up others, plus 1; 0 = nobody ended before it */
};

struct destination {
    struct topic    *topic;
    struct outgoing *partitions;
    int32_t          count;
};

struct weir__producer {
    struct weir__log      *log;
    char                  *id;
    atomic_bool            fenced;
    atomic_llong           opened;       /* when its open transaction began, ticks; 0 = it has none */
    struct destination    *destinations; /* topics that were sent to; lists change under the mutex */
    size_t                 count, capacity, last;
    int64_t                keyless, pending; /* records since the last commit: without key and partition; all */
    struct weir__batch     batch;
    struct weir__producer *next; /* of the log's */
};

/* A marker on its way to a partition. */
struct marker {
    struct topic *topic; /* NULL = to the offsets */
    int32_t       partition;
    int64_t       first; /* where the transaction began there */
    bool          landed;
};

struct place {
    const struct topic *topic;
    int32_t             partition;
};

/* A transaction that is decided, and not known everywhere. */
struct decision {
    char            *producer, *group; /* whose; of whose offsets, NULL = of nobody's */
    struct place    *places;           /* that the offsets are of */
    size_t           place_count;
    int64_t          at; /* ticks */
    struct marker   *markers;
    size_t           count, landed, first; /* first: the one to land first */
    struct decision *next;
};

/* What a compaction has done of its partition. */
struct compaction {
    struct topic     *topic; /* NULL = there is none */
    int32_t           partition;
    bool              rewriting;  /* first the last offset of each key is noted */
    int64_t           at, end;    /* next to look at; not beyond */
    int64_t           from, last; /* where noting began; where the partition ended then */
    size_t            noted;      /* bytes of memory */
    int64_t           seen, kept; /* records */
    struct weir__map  latest;     /* key to offset, both in arena */
    struct weir_arena arena;
    struct chunk     *chunks; /* being made of what is kept */
    size_t            chunk_count, chunk_capacity;
};

struct weir__log {
    pthread_mutex_t            mutex;
    pthread_cond_t             changed; /* what a poll may wait for */
    pthread_cond_t             written; /* the writer is done */
    bool                       writing;
    const struct weir__engine *engine;
    struct weir__db           *db;
    char                      *dir; /* of the writer of a durable one */
    uint32_t                   family;
    bool                       quirks, read_only;
    int                        lock_fd;
    int64_t (*clock)(void *arg);
    void                  *clock_arg;
    int64_t                max_bytes;
    size_t                 memory; /* 0 = as much as is of use */
    struct topic         **topics, **removed;
    size_t                 topic_count, topic_capacity, removed_count, removed_capacity;
    struct group         **groups;
    size_t                 group_count, group_capacity;
    struct weir__producer *producers;
    struct decision       *decisions; /* oldest first */
    size_t                 decision_count, decided;
    int64_t                marker_delay, session_ms, transaction_ms;
    int64_t                opened, next_member, next_retention;
    struct compaction      compaction;
};

/* All below with the mutex held, unless it says otherwise. */

/* ---- embedded_log.c: time and turns ---- */

int64_t         weir__embedded_now(struct weir__log *log);   /* without the mutex, too */
int64_t         weir__embedded_ticks(struct weir__log *log); /* the same, but steps of the wall clock; ms */
struct timespec weir__embedded_until(struct weir__log *log, int64_t deadline);
/* Waits until nobody writes. WEIR_AGAIN: the deadline has come. */
int weir__embedded_settled(struct weir__log *log, int64_t deadline);
/* The same, and makes the caller the writer until end. WEIR_BAD_STATE: the log is read only. */
int  weir__embedded_begin(struct weir__log *log, int64_t deadline);
void weir__embedded_end(struct weir__log *log);
/* One batch, by the writer; lets go of the mutex meanwhile where it can. WEIR_IO, WEIR_NO_MEMORY, WEIR_DISK_FULL. */
int weir__embedded_write(struct weir__log *log, const struct weir__batch *batch);
int weir__embedded_write_held(struct weir__log *log, const struct weir__batch *batch); /* keeps the mutex */

/* ---- embedded_rows.c: keys and rows ---- */

struct row_key {
    char   data[2 * NAME_MOST + 24];
    size_t size;
};
/* Absent parts: group NULL, topic NULL, partition < 0, offset < 0. */
struct weir_bytes weir__embedded_key(struct row_key *key, char type, const char *group, const char *topic,
                                     int32_t partition, int64_t offset);
struct weir_bytes weir__embedded_key_after(struct row_key *key); /* the least key that has not this one as a prefix */
bool              weir__embedded_legal_group(const char *name);
/* Writes into a batch: value data NULL deletes. They copy the key and borrow the value. WEIR_NO_MEMORY. */
int  weir__embedded_put(struct weir__log *log, struct weir__batch *batch, struct weir_bytes key,
                        struct weir_bytes value);
int  weir__embedded_erase(struct weir__log *log, struct weir__batch *batch, struct weir_bytes from,
                          struct weir_bytes to);
int  weir__embedded_put_ends(struct weir__log *log, struct weir__batch *batch, const struct topic *topic,
                             int32_t partition, const struct partition *ends);
int  weir__embedded_put_offset(struct weir__log *log, struct weir__batch *batch, const char *group,
                               const struct weir__offset *offset);
void weir__embedded_batch_reset(struct weir__batch *batch);
void weir__embedded_batch_fini(struct weir__batch *batch);
/* Topics and ends as they are stored; of a reader, with what the writing process did since. WEIR_CORRUPT. */
int weir__embedded_load(struct weir__log *log, struct weir_error *reterr);
int weir__embedded_refresh(struct weir__log *log); /* load, where another process writes */

/* ---- embedded_topic.c, embedded_topics.c ---- */

struct topic *weir__embedded_topic(struct weir__log *log, const char *name); /* NULL = unknown */
/* The same where another process may have written since. WEIR_NOTFOUND; codes of a load. */
int weir__embedded_look_up(struct weir__log *log, const char *name, struct topic **ret);
/* NULL = there is no such partition. */
struct topic *weir__embedded_topic_of(struct weir__log *log, struct weir__tp tp);
struct topic *weir__embedded_topic_new(const struct weir__topic *as, struct weir_error *reterr);
void          weir__embedded_topic_free(struct topic *topic);
int weir__embedded_topic_room(struct topic *topic, int32_t partitions);  /* memory for them; the count stays */
int weir__embedded_topic_widen(struct topic *topic, int32_t partitions); /* never fewer */
int weir__embedded_compare(const struct topic *topic, const struct weir__topic *wanted,
                           weir__on_difference *on_difference, void *arg);
int weir__embedded_partitions(struct weir__log *log, const char *name, int64_t deadline, int32_t *ret);
int weir__embedded_ensure(struct weir__log *log, const struct weir__topic *topics, size_t count, int64_t deadline,
                          weir__on_difference *on_difference, void *arg, struct weir_error *reterr);
int weir__embedded_grow(struct weir__log *log, const char *name, int32_t partitions, int64_t deadline,
                        struct weir_error *reterr);
int weir__embedded_remove(struct weir__log *log, const char *const *names, size_t count, int64_t deadline);
int weir__embedded_settings(struct weir__log *log, const char *name, int64_t deadline,
                            void (*on_setting)(void *arg, const char *name, const char *value), void *arg);
int weir__embedded_topics(struct weir__log *log, int64_t deadline, void (*on_topic)(void *arg, const char *name),
                          void *arg);

/* ---- embedded_walk.c: chunks of a partition ---- */

/* The offset at which to begin reading so that `offset` is met: that of its chunk, or itself. */
int weir__embedded_chunk_of(struct weir__log *log, const struct topic *topic, int32_t partition, int64_t offset,
                            int64_t *ret);
/* Chunks that begin in [from, to). */
int weir__embedded_walk(struct weir__log *log, const struct topic *topic, int32_t partition, int64_t from, int64_t to,
                        struct weir__iter **ret);
/* WEIR_NOTFOUND at the end. Borrowed until the next step. WEIR_CORRUPT. */
int weir__embedded_step(struct weir__log *log, struct weir__iter *iter, struct chunk_reader *ret);
int weir__embedded_ends(struct weir__log *log, struct weir__tp tp, int64_t deadline, struct weir__ends *ret);
int weir__embedded_offset_at(struct weir__log *log, struct weir__tp tp, int64_t time, int64_t deadline, int64_t *ret);

/* ---- embedded_upkeep.c, embedded_compact.c: by the writer ---- */

int  weir__embedded_trim(struct weir__log *log, struct weir__tp tp, int64_t before, int64_t deadline); /* no mutex */
void weir__embedded_upkeep(struct weir__log *log,
                           int64_t           budget);      /* does what is due, about `budget` records of it */
void weir__embedded_tidy(struct weir__log *log); /* all of it, at open */
void weir__embedded_compact(struct weir__log *log, int64_t budget); /* what is due, a part of it */
void weir__embedded_compact_all(struct weir__log *log);             /* at open */
void weir__embedded_give_up(struct weir__log *log);                 /* a compaction under way */

/* ---- embedded_markers.c: transactions that are open, or not yet known everywhere ---- */

bool weir__embedded_marks(const struct weir__producer *producer); /* its transactions leave markers */
/* Where committed reading ends. */
int64_t weir__embedded_stable(const struct partition *ends);
/* Records of open transactions that wait for a partition. */
int64_t weir__embedded_open_records(const struct weir__log *log, const struct topic *topic, int32_t partition);
/* Before a partition's end moves: open transactions of others hold up what comes. */
void weir__embedded_hold_up(const struct weir__producer *producer, struct topic *topic, int32_t partition);
/* A producer's transaction has ended, or it is fenced: it holds up nobody. */
void weir__embedded_unhold(const struct weir__producer *producer);
/* What a commit or abort of the producer will have decided; by the writer, before it writes. WEIR_NO_MEMORY. */
int  weir__embedded_prepare(struct weir__producer *producer, const char *group, const struct weir__offset *offsets,
                            size_t count, struct decision **ret);
void weir__embedded_decide(struct weir__log *log,
                           struct decision  *decision); /* it is, and takes it over; NULL is fine */
void weir__embedded_decision_free(struct decision *decision);
/* A look at the log, with which markers land, and transactions whose time is up are aborted. May let go of the mutex. */
void weir__embedded_look(struct weir__log *log);
/* After a look: waits until another one may find more. false: the deadline has come. */
bool weir__embedded_wait(struct weir__log *log, int64_t deadline);
/* Waits until the decisions of a producer's id are known everywhere. WEIR_AGAIN: the deadline has come. */
int weir__embedded_resolve(struct weir__log *log, const char *id, int64_t deadline);
/* The same for a group's offsets. */
int  weir__embedded_await_offsets(struct weir__log *log, const char *group, const struct weir__offset *offsets,
                                  size_t count, int64_t deadline);
void weir__embedded_forget(struct weir__log *log, const struct topic *topic); /* it was removed */
void weir__embedded_decisions_free(struct weir__log *log);

/* ---- embedded_producer.c, embedded_poll.c ---- */

/* Nothing waits any more. committed: what waited is in the log. */
void weir__embedded_reset(struct weir__producer *producer, bool committed);
/* Its open transaction is aborted; by the writer. */
void weir__embedded_lapse(struct weir__producer *producer);
/* Calls fn for every partition that records wait for. */
int  weir__embedded_for_outgoing(struct weir__producer *producer,
                                 int (*fn)(struct weir__producer *producer, struct topic *topic, int32_t partition,
                                          struct outgoing *out));
void weir__embedded_lease_free(struct lease *lease);

/* ---- embedded_group.c ---- */

int  weir__embedded_enter(struct weir__consumer *consumer, const char *group);
void weir__embedded_exit(struct weir__consumer *consumer);
void weir__embedded_expire(struct weir__log *log, struct group *group); /* silent members are out */
/* What the group has for this member. WEIR_OK: an event; WEIR_NOTFOUND: nothing, records may flow; WEIR_AGAIN: wait. */
int  weir__embedded_group_event(struct weir__consumer *consumer, struct weir__polled *ret);
void weir__embedded_redeal(struct weir__log *log, const char *topic); /* among groups that subscribe to it */
bool weir__embedded_has_members(const struct weir__log *log, const char *group);
void weir__embedded_groups_free(struct weir__log *log);

/* ---- parts of the engine's table, without the mutex ---- */

int     weir__embedded_committed(struct weir__log *log, const char *group, struct weir__offset *offsets, size_t count,
                                 struct weir_arena *arena, int64_t deadline);
int     weir__embedded_group_members(struct weir__log *log, const char *name, int64_t deadline, int32_t *ret);
int     weir__embedded_set_committed(struct weir__log *log, const char *group, const struct weir__offset *offsets,
                                     size_t count, int64_t deadline);
int     weir__embedded_join(struct weir__log *log, const char *group, const char *instance, const char *const *topics,
                            size_t count, struct weir__consumer **ret, struct weir_error *reterr);
int     weir__embedded_tail(struct weir__log *log, const struct weir__offset *from, size_t count,
                            enum weir__isolation isolation, struct weir__consumer **ret, struct weir_error *reterr);
int     weir__embedded_members(struct weir__consumer *consumer, int32_t *ret);
int     weir__embedded_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret);
void    weir__embedded_release(struct weir__consumer *consumer, void *lease);
int     weir__embedded_take(struct weir__consumer *consumer, const struct weir__offset *from, size_t count);
int     weir__embedded_hold(struct weir__consumer *consumer, struct weir__tp tp, bool on);
bool    weir__embedded_valid(struct weir__consumer *consumer, int64_t token);
bool    weir__embedded_over(struct weir__consumer *consumer, int64_t token);
int     weir__embedded_leave(struct weir__consumer *consumer, int64_t deadline);
void    weir__embedded_wake(struct weir__consumer *consumer);
int     weir__embedded_producer(struct weir__log *log, const char *id, int64_t deadline, struct weir__producer **ret,
                                struct weir_error *reterr);
void    weir__embedded_producer_close(struct weir__producer *producer);
int     weir__embedded_send(struct weir__producer *producer, const struct weir__raw *raw, uint64_t cookie);
int     weir__embedded_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                              int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline);
int     weir__embedded_abort(struct weir__producer *producer, int64_t deadline);
int     weir__embedded_failed(struct weir__producer *producer, uint64_t *ret_cookie, int *ret_code);
int64_t weir__embedded_sent(struct weir__producer *producer, struct weir__tp tp);

#endif
