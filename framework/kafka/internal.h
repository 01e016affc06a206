/* internal.h: the inside of the Kafka engine, shared by the files of this folder.
 *
 * (1) No call of librdkafka that may block for ever runs on the caller's thread: transactions run on the producer's own
 *     thread, closing runs aside; either may be left behind when the deadline has come.
 * (2) A group's membership and the reading of partitions are two handles: the member subscribes and reads nothing, the
 *     reader has no group. So what is taken, held and rewound never meets the group's own state.
 * (3) What is read from a partition comes through a queue made when it was taken: what an earlier taking fetched went
 *     into another queue, which is gone.
 */
#ifndef WEIR_KAFKA_INTERNAL_H
#define WEIR_KAFKA_INTERNAL_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "framework/kafka/kafka.h"

enum client { CLIENT_LOOKING, CLIENT_MEMBER, CLIENT_READER, CLIENT_PRODUCER };

/* What a handle has last told of itself (statistics.c). */
struct statistics {
    enum client        kind;
    struct weir__log  *log;  /* NULL = it has told nothing yet */
    char              *text; /* the library's */
    size_t             size;
    struct statistics *next;
};

/* Of a topic that is known to be there: its partitions, as last told. */
struct known {
    char   *name;
    int32_t count;
    bool    doubted;      /* the next question asks the broker */
    int64_t missed_since; /* a broker first said that it is not there; 0 = none did */
};

/* A handle that bears a group's name and asks for what it has committed; never its member. */
struct asker {
    struct asker *next;
    rd_kafka_t   *rk;
    atomic_bool   forbidden; /* it was told that our user may not ask, and nothing else since */
    char          group[];
};

struct weir__log {
    rd_kafka_t *any;    /* read uncommitted: administration, look-ups, ends */
    rd_kafka_t *stable; /* read committed: last stable offsets */
    char      **settings;
    int64_t (*clock)(void *arg);
    void   *clock_arg;
    int64_t max_bytes;
    size_t  memory;      /* of the library's queues; 0 = as much as is of use */
    int     replication; /* of topics that are made; 0 = as the broker has it */
    int64_t retention;   /* bytes of a partition of those that do not say; 0 = no bound */

    /* shared */
    pthread_mutex_t        mutex;
    struct known          *known;
    size_t                 known_count, known_capacity;
    struct weir__producer *opening;               /* producers whose opening was not finished at its deadline */
    size_t                 partitions, producers; /* expected: read by tasks, of all threads */
    struct asker          *askers;
    atomic_bool            one_bound;    /* the brokers know message.timestamp.difference.max.ms alone */
    pthread_mutex_t        client_mutex; /* of what follows; taken within the other one */
    rd_kafka_t           **clients;      /* all handles */
    size_t                 client_count, client_capacity;
    struct secrets        *secrets; /* NULL: none is a file */
    atomic_int             verdict; /* OpenSSL's, on a broker's certificate */
    int                    hung_up; /* times in a row that a broker ended the connection at the first question */
    struct weir_error      refusal; /* why brokers do not let us in; code 0: they do, or none was asked */
};

/* ---- client.c: handles, settings, codes ---- */

/* transaction.timeout.ms where the user gives none. */
#define TRANSACTION_MS 10000

struct pair {
    const char *name, *value;
};
/* A handle by the defaults of its kind, those of its queues (may be NULL), the user's settings and then our own (lists
 * ended by a NULL name). prepare (may be NULL) adds callbacks. */
int weir__kafka_client(struct weir__log *log, enum client kind, const struct pair *queues, const struct pair *own,
                       void (*prepare)(rd_kafka_conf_t *conf, void *arg), void *arg, rd_kafka_t **ret,
                       struct weir_error *reterr);
/* The value of one of "name=value", NULL-ended; NULL = it is not given. */
const char *weir__kafka_value_of(const char *const *settings, const char *name);
int         weir__kafka_check_settings(const char *const *settings, struct weir_error *reterr);
/* A number of the user's settings; otherwise where it is not given. */
int weir__kafka_given(const struct weir__log *log, const char *name, int otherwise);
/* Our code for an answer of the broker or the library: what is worth the same call again is WEIR_AGAIN. */
int weir__kafka_code(rd_kafka_resp_err_t err);
/* Milliseconds until a deadline, at least 1. */
int     weir__kafka_left(const struct weir__log *log, int64_t deadline);
int64_t weir__kafka_now(struct weir__log *log);
/* The deadline as pthread_cond_timedwait takes it. */
struct timespec weir__kafka_until(const struct weir__log *log, int64_t deadline);
/* A little later, before the same question again. false: the deadline has come. */
bool weir__kafka_later(struct weir__log *log, int64_t deadline);
/* Calls run(arg) on a thread of its own and waits for it until the deadline; then it is left to end by itself.
 * WEIR_AGAIN: it was. */
int weir__kafka_aside(struct weir__log *log, void (*run)(void *arg), void *arg, int64_t deadline);

/* ---- statistics.c ---- */

/* How often a producer that nobody uses is looked after, ms; handles tell as often, where the user does not say. */
#define STATISTICS_MS 5000
/* Takes the text; the answer is the callback's. Any thread. */
int  weir__kafka_statistics_keep(struct weir__log *log, struct statistics *statistics, char *text, size_t size);
void weir__kafka_statistics_drop(struct statistics *statistics);
void weir__kafka_clients(struct weir__log *log, weir__take_client *take, void *arg);

/* Ends a handle that weir__kafka_client has made. flags: of rd_kafka_destroy_flags. One that may outlive the log is forgotten
 * first, and ended by itself. */
void weir__kafka_client_forget(struct weir__log *log, const rd_kafka_t *rk);
void weir__kafka_client_close(struct weir__log *log, rd_kafka_t *rk, int flags);

/* ---- refusal.c: who we are is not believed, or they are not who they should be ---- */

void weir__kafka_refusal_heed(rd_kafka_conf_t *conf, void *log); /* of the handle `any` */
/* After a question that nobody has answered. */
void weir__kafka_refusal_look(struct weir__log *log);
void weir__kafka_refusal_forget(struct weir__log *log);
/* Whether it is why nobody answers; why not, in words. */
bool weir__kafka_refused(struct weir__log *log, struct weir_error *ret);

/* ---- secrets.c: a password that is given as a file, read again when that changes ---- */

int  weir__kafka_secrets_open(struct weir__log *log, struct weir_error *reterr);
void weir__kafka_secrets_close(struct weir__log *log);
/* All handles get the password that the file has later. Where there is no memory the handle is ended, and NULL. */
int weir__kafka_secrets_add(struct weir__log *log, rd_kafka_t **rk, struct weir_error *reterr);

/* ---- queues.c: what the library's queues may take ---- */

struct queues {
    size_t      count;
    char        values[4][24];
    struct pair pairs[5];
};
void weir__kafka_expect(struct weir__log *log, size_t partitions, size_t producers);
/* partitions: of one that reads beside the tasks; 0 = of tasks. */
void weir__kafka_reader_queues(struct weir__log *log, size_t partitions, struct queues *ret);
void weir__kafka_producer_queues(struct weir__log *log, bool transactions, struct queues *ret);

/* ---- admin.c: one request of the administration ---- */

struct call {
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t        *queue;
    rd_kafka_event_t        *event;
    struct weir__log        *log;
    int64_t                  deadline;
};
int weir__kafka_call(struct call *ret, struct weir__log *log, rd_kafka_admin_op_t op, int64_t deadline);
/* Waits for the answer to what was sent with the call's options to its queue. */
int  weir__kafka_call_wait(struct call *call);
void weir__kafka_call_end(struct call *call);

/* ---- topics.c ---- */

/* The partitions of a topic, asked now. WEIR_NOTFOUND, WEIR_AGAIN. */
int weir__kafka_look_up(struct weir__log *log, const char *topic, int64_t deadline, int32_t *ret);
/* The same from what is known, where it has such a partition (-1: any). */
int  weir__kafka_count(struct weir__log *log, const char *topic, int32_t partition, int64_t deadline, int32_t *ret);
void weir__kafka_doubt(struct weir__log *log, const char *topic);
/* Is there such a partition? WEIR_NOTFOUND, WEIR_AGAIN. */
int weir__kafka_check_tp(struct weir__log *log, struct weir__tp tp, int64_t deadline);
int weir__kafka_partitions(struct weir__log *log, const char *topic, int64_t deadline, int32_t *ret);
int weir__kafka_topics(struct weir__log *log, int64_t deadline, void (*on_topic)(void *arg, const char *name),
                       void *arg);
int weir__kafka_grow(struct weir__log *log, const char *topic, int32_t partitions, int64_t deadline,
                     struct weir_error *reterr);
int weir__kafka_remove(struct weir__log *log, const char *const *topics, size_t count, int64_t deadline);

/* ---- ensure.c ---- */

int weir__kafka_ensure(struct weir__log *log, const struct weir__topic *topics, size_t count, int64_t deadline,
                       weir__on_difference *on_difference, void *arg, struct weir_error *reterr);
int weir__kafka_settings(struct weir__log *log, const char *topic, int64_t deadline,
                         void (*on_setting)(void *arg, const char *name, const char *value), void *arg);

typedef int weir__on_entry(void *arg, const char *name, const char *value);
/* The settings in force, in the order of names. */
int weir__kafka_describe(struct weir__log *log, rd_kafka_ResourceType_t kind, const char *name, int64_t deadline,
                         weir__on_entry *on_entry, void *arg);

/* ---- copies.c ---- */

/* "replication", "min.insync.replicas" and "unclean.leader.election.enable" of a topic that is there, where a broker that dies
 * could take records with it. */
int weir__kafka_compare_copies(struct weir__log *log, const char *topic, int64_t deadline,
                               weir__on_difference *on_difference, void *arg);
/* As the log's topics are to be: "-1" and nothing, or as many copies as its settings say. */
int weir__kafka_copies(const struct weir__log *log);
int weir__kafka_needs_two(struct weir__log *log, int64_t deadline, bool *ret);

/* ---- ends.c ---- */

int weir__kafka_ends(struct weir__log *log, struct weir__tp tp, int64_t deadline, struct weir__ends *ret);
int weir__kafka_low(struct weir__log *log, struct weir__tp tp, int64_t deadline, int64_t *ret_low, int64_t *ret_end);
int weir__kafka_offset_at(struct weir__log *log, struct weir__tp tp, int64_t time, int64_t deadline, int64_t *ret);
int weir__kafka_trim(struct weir__log *log, struct weir__tp tp, int64_t before, int64_t deadline);

/* ---- offsets.c ---- */

void weir__kafka_askers_close(struct weir__log *log);
int  weir__kafka_group_members(struct weir__log *log, const char *group, int64_t deadline, int32_t *ret);
int  weir__kafka_committed(struct weir__log *log, const char *group, struct weir__offset *offsets, size_t count,
                           struct weir_arena *arena, int64_t deadline);
int  weir__kafka_set_committed(struct weir__log *log, const char *group, const struct weir__offset *offsets,
                               size_t count, int64_t deadline);
/* Offsets with their metadata as librdkafka takes them. NULL: out of memory. */
rd_kafka_topic_partition_list_t *weir__kafka_offset_list(const struct weir__offset *offsets, size_t count);
/* Is each of a partition that is there? WEIR_NOTFOUND, WEIR_AGAIN. */
int weir__kafka_check_offsets(struct weir__log *log, const struct weir__offset *offsets, size_t count,
                              int64_t deadline);

/* ---- consumers ---- */

struct lease;

/* A partition that is read. */
struct part {
    rd_kafka_topic_t *topic;
    int32_t           partition;
    rd_kafka_queue_t *queue;
    bool              held, ended;    /* ended: its end is to be told */
    bool              asleep;         /* its queue is empty, and the library may think that it is full */
    int64_t           next;           /* after what was handed out last */
    int64_t           records, bytes; /* read since its queue was last found empty */
    int64_t           dry_since;      /* ms: when it was found asleep */
};

enum member_state { MEMBER_OUT, MEMBER_ASSIGNED, MEMBER_REVOKING };

struct weir__consumer {
    struct weir__log *log;
    rd_kafka_t       *reader;
    struct part      *parts;
    size_t            part_count, turn;
    struct lease     *leases, *spare;           /* handed out; one to be used again */
    unsigned          unserved;                 /* polls since the reader's own callbacks were asked for */
    int               unread;                   /* a failure to be told by the next poll */
    int64_t           most_records, most_bytes; /* with so much in a partition's queue the library stops fetching */
    struct statistics reads, groups;            /* of the reader, of the member */

    /* of a member */
    rd_kafka_t            *member; /* NULL: without a group */
    char                  *group;
    enum member_state      state;
    struct weir__tp       *assigned;
    size_t                 assigned_count;
    int64_t                token;      /* generation */
    void                  *membership; /* as the assign callback found it, in librdkafka's own form */
    size_t                 membership_size;
    bool                   has_event, closing;
    int                    failed; /* it cannot go on */
    int64_t                broken; /* monotonic us: when its connection last failed; 0 = never */
    struct weir__log_event event;
    struct weir__tp        end_tp;

    /* shared */
    pthread_mutex_t mutex;
    pthread_cond_t  changed;
    bool            stirred, woken; /* a queue has something; wake was called */
};

/* consumer.c */
int  weir__kafka_tail(struct weir__log *log, const struct weir__offset *from, size_t count,
                      enum weir__isolation isolation, struct weir__consumer **ret, struct weir_error *reterr);
int  weir__kafka_join(struct weir__log *log, const char *group, const char *instance, const char *const *topics,
                      size_t count, struct weir__consumer **ret, struct weir_error *reterr);
int  weir__kafka_leave(struct weir__consumer *consumer, int64_t deadline);
int  weir__kafka_take(struct weir__consumer *consumer, const struct weir__offset *from, size_t count);
int  weir__kafka_hold(struct weir__consumer *consumer, struct weir__tp tp, bool on);
void weir__kafka_drop_parts(struct weir__consumer *consumer);
int  weir__kafka_restart_part(struct weir__consumer *consumer, struct part *part, int64_t from);
void weir__kafka_stir(rd_kafka_t *rk, void *consumer); /* a queue is no longer empty */

/* member.c */
void weir__kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                              void *consumer);
void weir__kafka_on_error(rd_kafka_t *rk, int err, const char *words, void *consumer);
int  weir__kafka_serve_member(struct weir__consumer *consumer);
int  weir__kafka_members(struct weir__consumer *consumer, int32_t *ret);
bool weir__kafka_valid(struct weir__consumer *consumer, int64_t token);
bool weir__kafka_over(struct weir__consumer *consumer, int64_t token);
/* The code of a member whose instance.id another one has. */
int  weir__kafka_member_fenced(struct weir__consumer *consumer);
void weir__kafka_member_fini(struct weir__consumer *consumer);

/* poll.c */
int  weir__kafka_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret);
void weir__kafka_release(struct weir__consumer *consumer, void *lease);
void weir__kafka_wake(struct weir__consumer *consumer);
void weir__kafka_leases_fini(struct weir__consumer *consumer);

/* ---- producers ---- */

/* A topic that is written to. */
struct destination {
    char             *name;
    rd_kafka_topic_t *topic;
    int32_t           count;
    int64_t          *delivered, *sent; /* next offset by partition: of this transaction, of the last commit; -1 */
};
struct failure {
    uint64_t cookie;
    int      code;
};
enum job { JOB_NONE, JOB_INIT, JOB_COMMIT, JOB_ABORT, JOB_CLOSE };

struct weir__producer {
    struct weir__log      *log;
    rd_kafka_t            *rk;
    char                  *id; /* NULL: idempotent only */
    struct destination   **destinations;
    size_t                 destination_count, destination_capacity, last;
    uint64_t               keyless, unserved; /* records without a key; sends since delivery reports were asked for */
    bool                   open;              /* a transaction has begun */
    struct weir__producer *next;              /* in log->opening */
    struct statistics      statistics;

    /* shared with its thread and with delivery reports */
    pthread_mutex_t                     mutex;
    pthread_cond_t                      changed;
    struct failure                     *failures;
    size_t                              failure_count, failure_capacity, told;
    bool                                forgot; /* a failure for which there was no memory */
    enum job                            job;
    bool                                done, stop, ended;
    int                                 result, users; /* users: the owner, the thread */
    rd_kafka_topic_partition_list_t    *offsets;       /* of JOB_COMMIT */
    rd_kafka_consumer_group_metadata_t *membership;
};

/* producer.c */
int     weir__kafka_producer(struct weir__log *log, const char *id, int64_t deadline, struct weir__producer **ret,
                             struct weir_error *reterr);
void    weir__kafka_producer_close(struct weir__producer *producer);
void    weir__kafka_opening_close(struct weir__log *log);
int     weir__kafka_send(struct weir__producer *producer, const struct weir__raw *raw, uint64_t cookie);
int     weir__kafka_failed(struct weir__producer *producer, uint64_t *ret_cookie, int *ret_code);
int64_t weir__kafka_sent(struct weir__producer *producer, struct weir__tp tp);

/* transaction.c */
int weir__kafka_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                       int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline);
int weir__kafka_abort(struct weir__producer *producer, int64_t deadline);
/* Has the thread do it, and waits. WEIR_AGAIN: the same call waits on. */
int   weir__kafka_job(struct weir__producer *producer, enum job job, int64_t deadline);
void  weir__kafka_job_close(struct weir__producer *producer, int64_t deadline);
void *weir__kafka_work(void *producer); /* the thread */
void  weir__kafka_producer_unuse(struct weir__producer *producer);
/* The code of an error, which is freed. */
int weir__kafka_outcome(rd_kafka_error_t *error);

#endif
