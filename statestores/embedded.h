/* embedded.h: the inside of the embedded log, shared by its files.
 *
 * (1) All is kept in one ordered store of bytes: in memory, or RocksDB with a write-ahead log, synced at each commit.
 *     Rows, by first byte (names end with NUL, integers big-endian):
 *       T topic            -> int32 partitions, settings as "name=value" lines
 *       E topic partition  -> int64 low, int64 end
 *       R topic partition int64 offset -> packed record
 *       O group topic partition -> int64 offset, metadata
 * (2) Sends wait in their producer; a commit gives them offsets and writes records, ends and offsets as one batch. After a
 *     crash a commit is there whole or not at all, and offsets of transactions that died are given again.
 * (3) One mutex guards everything; the log's users are threads of one process. Nobody waits while holding it but for the disk.
 * (4) A group's members hand over by turns: a member is told REVOKED, may commit until it polls again, and a new
 *     generation is dealt out once every member has polled or has been silent for the session time-out.
 */
#ifndef WEIR_EMBEDDED_H
#define WEIR_EMBEDDED_H

#include <pthread.h>

#include "statestores/statestores.h"

#define SESSION_MS    10000
#define POLL_RECORDS  1000
#define POLL_BYTES    ((size_t)1 << 20)
#define COMPACT_AFTER 10000 /* records of a partition between two looks for garbage, at least */

struct partition {
    int64_t low, end, since_compaction;
};

struct topic {
    char             *name;
    char            **settings; /* "name=value", NULL-ended */
    struct partition *partitions;
    int32_t           count;
    bool              compact;
    int64_t           retention_ms, retention_bytes; /* -1 = none */
};

struct position {
    struct topic *topic;
    int32_t       partition;
    int64_t       next;
    bool          held, told_end;
};

enum member_state { MEMBER_JOINING, MEMBER_ASSIGNED, MEMBER_REVOKING, MEMBER_READY, MEMBER_OUT };

struct group;

struct weir__consumer {
    struct weir__log      *log;
    struct group          *group; /* NULL = a reader without group */
    char                  *id;
    char                 **topics; /* subscription, NULL-ended */
    enum member_state      state;
    int64_t                token, last_poll;
    struct weir__tp       *assigned;
    size_t                 assigned_count;
    struct position       *positions;
    size_t                 position_count, turn;
    bool                   woken;
    struct weir__log_event event;
    struct weir__tp        end_tp;
};

struct group {
    char                   *name;
    struct weir__consumer **members;
    size_t                  count, capacity;
    int64_t                 generation; /* being dealt or dealt */
    bool                    dealt;
};

struct pending {
    struct weir__raw raw;
    struct topic    *topic;
};

struct sent_to {
    struct topic *topic;
    int32_t       partition;
    int64_t       next;
};

struct weir__producer {
    struct weir__log      *log;
    char                  *id;
    bool                   fenced;
    struct pending        *pending;
    size_t                 count, capacity;
    struct weir_arena      arena;
    struct sent_to        *sent;
    size_t                 sent_count, sent_capacity;
    struct weir__producer *next; /* of the log's */
};

struct weir__log {
    pthread_mutex_t            mutex;
    pthread_cond_t             changed;
    const struct weir__engine *engine;
    struct weir__db           *db;
    uint32_t                   family;
    bool                       quirks, read_only;
    int                        lock_fd;
    int64_t (*clock)(void *arg);
    void                  *clock_arg;
    int64_t                max_bytes;
    struct topic         **topics;
    size_t                 topic_count, topic_capacity;
    struct group         **groups;
    size_t                 group_count, group_capacity;
    struct weir__producer *producers;
    int64_t                next_member;
    struct weir__buf       key;
};

/* embedded_rows.c: all with the mutex held. */
int               weir__embedded_load(struct weir__log *log, struct weir_error *reterr); /* topics and ends */
struct topic     *weir__embedded_topic(struct weir__log *log, const char *name);         /* NULL = unknown */
struct weir_bytes weir__embedded_key(struct weir__buf *buf, char type, const char *group, const char *topic,
                                     int32_t partition, int64_t offset);
int               weir__embedded_create(struct weir__log *log, const struct weir__topic *topic);
int               weir__embedded_save_topic(struct weir__log *log, const struct topic *topic);
int               weir__embedded_forget(struct weir__log *log, struct topic *topic);
int               weir__embedded_trim(struct weir__log *log, struct topic *topic, int32_t partition, int64_t before);
void weir__embedded_tidy(struct weir__log *log, struct topic *topic, int32_t partition); /* compaction, retention */
void weir__embedded_free_topic(struct topic *topic);
int64_t weir__embedded_now(struct weir__log *log);

/* embedded_consumer.c, embedded_producer.c: parts of the engine's table. */
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
