/* internal.h: the inside of an application, shared by the files of this folder.
 *
 * Words: a seat is a task with its place: input partitions, folder, restore. A thread owns its seats, consumer and
 * producer; `mutex` guards what the section "shared" of each struct lists, and nothing else is touched from outside.
 */
#ifndef WEIR_RUNTIME_INTERNAL_H
#define WEIR_RUNTIME_INTERNAL_H

#include <pthread.h>

#include "framework/outlet.h"
#include "framework/runtime/runtime.h"

/* How long one call of the log may take before we look around, ms. */
#define WEIR__CALL_MS 1000

/* The usual transaction.timeout.ms. */
#define WEIR__TRANSACTION_MS 10000

/* ---- settings.c ---- */

struct weir__app_settings {
    size_t  threads;
    bool    exactly_once;
    int64_t commit_interval, flush_interval, purge_interval, shutdown_timeout; /* ms */
    int64_t task_idle, close_interval;                                         /* ms */
    size_t  buffered;                                                          /* records per partition */
    size_t  cache_bytes;                                                       /* of all threads */
    int64_t memory;                                                            /* of the process */
    size_t  record_memory;
    int64_t max_record_bytes, least_time; /* of what the log takes */
    int64_t outlet_timeout;               /* ms */
    int64_t transaction_us; /* an older transaction is ended by the log itself, which looks like a fencing */
    bool    checks_topics;
    enum weir__handler on_unreadable, on_failure, on_refused;
    int64_t            letters_per_second; /* beyond it dead letters fold; 0 = never */
    int32_t            partitions;         /* of topics we create */
    const char        *instance;           /* configured; NULL = none */
};
/* gauges.c: bytes of memory that the process has; 0 = it cannot be told. Any thread. */
double weir__resident(void);

/* ---- memory.c ---- */

/* An application's parts of memory.max, bytes. */
struct weir__memory_parts {
    size_t buffers; /* of a task's database */
    size_t held;    /* committed rows of a task that are not written yet */
    size_t dirty;   /* uncommitted rows of a task, before a commit is brought forward */
    size_t cache;   /* the same, for those that a cache gathers; 0 = there is no cache */
    size_t queued;  /* records of an input partition, before its reading pauses */
    size_t unsent;  /* records of a thread's transaction, before a commit is brought forward */
    size_t record;  /* what one record may take */
    size_t outlet;  /* what was put into one outlet of a thread and is not acknowledged */
};
void weir__memory_divide(struct weir__app *app); /* its topics are known */
/* Gives back what is freed and kept, where the process has come near memory.max. Any thread, after each commit. */
void weir__memory_ease(const struct weir__app *app);

void weir__app_settings_read(const struct weir__config *config, const struct weir__log_engine *engine,
                             struct weir__app_settings *ret);

/* ---- topics.c ---- */

/* One topic that the application reads or writes. */
struct weir__topic_use {
    const char        *name; /* real */
    int32_t            partitions;
    int32_t            declared;       /* by .partitions; 0 = none */
    int                reader, writer; /* sub-topologies; -1 = none of ours */
    bool               user;           /* may exist already, whatever its count */
    bool               written;        /* by us */
    int64_t            deletions_kept; /* ms: a changelog's delete.retention.ms */
    const char *const *settings;
};
struct weir__topics {
    struct weir__topic_use *items;
    size_t                  count, capacity;
};
/* Works out all topics and their partition counts, makes what is absent, compares what is there. */
int                           weir__topics_ensure(struct weir__app *app, struct weir_error *reterr);
const struct weir__topic_use *weir__topics_find(const struct weir__topics *topics, const char *name);
/* An internal topic has another count than what stands in `kept`: WEIR_BAD_CONFIG names the input that decides it. */
int weir__topics_fail_count(const struct weir__app *app, const struct weir__topic_use *use, int32_t before,
                            const char *kept, struct weir_error *reterr);
/* The real name of a node's topic, in the app's arena. NULL: out of memory. */
const char *weir__topic_name(struct weir__app *app, const struct weir__node *node, const char *topic);

/* ---- state_dir.c ---- */

struct weir__state_dir {
    char *path; /* <state_dir>/<topology>; NULL = in memory */
    int   lock; /* descriptor; -1 = not locked */
    char  instance[64];
};
int weir__state_dir_open(struct weir__app *app, struct weir_error *reterr);
/* State of another identity is removed, and the folder takes this one. */
int  weir__state_dir_identify(struct weir__state_dir *state, const struct weir__control *control,
                              struct weir_error *reterr);
void weir__state_dir_close(struct weir__state_dir *dir);
/* Compares the partition counts that state was made with, and keeps new ones. WEIR_BAD_CONFIG with both counts. */
int weir__state_dir_check_counts(struct weir__app *app, struct weir_error *reterr);

/* ---- threads ---- */

/* One input partition of a seat. */
struct weir__input {
    struct weir__tp   tp;
    int64_t           position; /* next offset to come */
    struct weir_bytes metadata; /* as committed, in the seat's arena */
    bool              held, internal;
    int64_t           committed; /* last committed offset; -1 = not by us */
    int64_t           begin;     /* where it began when it was last taken */
    bool              put;       /* outlets have something of it that they have not acknowledged */

    struct weir__series *consumed;
};

/* One changelog partition being read back. */
struct weir__restore {
    struct weir__store *store;
    struct weir__tp     tp;
    int64_t             begin, next, target;
    int64_t             asked;    /* log's clock, ms: when the target was the end */
    int64_t             waits_at; /* the stable end below the target that was last said; 0 = none */
    int64_t             trusted;  /* ms: for so long after it was in step a store may miss deletions safely */
    bool                whole;    /* from the changelog's start */
    bool                done;
};

/* What others may see of a seat (shown.c). */
struct weir__shown_store {
    const struct weir__store_plan *plan;
    size_t                         index;  /* in the plan */
    struct weir__store            *store;  /* the task's thread alone */
    bool                           shared; /* each commit writes; the task's thread alone */
    struct weir__peek              peek;
    atomic_bool                    open; /* to readers */
};
struct weir__shown_input {
    struct weir__tp     tp;
    atomic_int_fast64_t position, settled; /* next to come; before it all is done and committed */
    atomic_int_fast64_t oldest;            /* that outlets have not acknowledged; -1 = none */
};
struct weir__shown {
    const char               *name; /* of the task, for people */
    int                       sub;  /* -1: the global stores */
    int32_t                   partition;
    size_t                    thread;
    struct weir__shown_store *stores;
    size_t                    store_count;
    struct weir__shown_input *inputs;
    size_t                    input_count;
    atomic_bool               running;
    atomic_int_fast64_t       stream_time;                /* as of the last commit */
    atomic_int_fast64_t       uncommitted, held;          /* bytes: when last committed, since */
    atomic_int_fast64_t       restore_left, restore_read; /* offsets, records */
    atomic_uint_fast64_t      records, commits, queued;   /* processed, made, waiting at the last one */
};

struct weir__seat {
    int                   sub;
    int32_t               partition;
    const char           *topic; /* the one input of a task without state; NULL = all of the sub-topology's */
    struct weir__task    *task;
    struct weir__shown   *shown; /* NULL = not yet */
    struct weir__input   *inputs;
    size_t                input_count;
    struct weir__restore *restores;
    size_t                restore_count;
    struct weir_arena     arena;
    char                 *dir;
    bool                  running;       /* restored and started */
    bool                  unflushed;     /* committed since the engine's last flush */
    int64_t               restore_began; /* monotonic us */
    uint64_t              restored;
};

/* One partition of a global store's topic. */
struct weir__followed {
    struct weir__tp tp;
    int64_t         next, target;
};

enum weir__request_kind { WEIR__CHECK_QUIET, WEIR__CLOSE_WINDOWS };

/* What a thread's time goes to. */
enum weir__work { WEIR__POLLING, WEIR__RESTORING, WEIR__WORKING, WEIR__COMMITTING, WEIR__WORKS };

/* An outlet of a thread (outlets.c). */
enum weir__outlet_standing { WEIR__OUTLET_OFF, WEIR__OUTLET_DOWN, WEIR__OUTLET_UP };
struct weir__opened {
    const struct weir_outlet *outlet;
    void                     *open; /* NULL = not open, or not configured */
    uint64_t                  puts; /* since all was acknowledged */
    size_t                    bytes;
    int64_t                   since;          /* monotonic us: when it was first looked at, or stopped to answer */
    int64_t              served_at, unserved; /* when last; us since then in which the thread had no time for it */
    bool                 told;                /* that it does not answer; when, and why it was said to */
    int64_t              told_at;
    char                 told_why[300];
    struct weir__series *metric_up, *metric_bytes, *metric_puts, *metric_seconds, *metric_outages;

    /* shared */
    atomic_int           standing;
    atomic_uint_fast64_t waiting, outages;
    char                 why[300]; /* under the mutex */
};

/* Records sent to one topic since the last commit. */
struct weir__sent {
    uint64_t             count;
    struct weir__series *series; /* NULL = not asked for yet */
};

/* When records came that are not committed yet (waits.c). */
struct weir__arrival {
    uint64_t upto; /* records that had come by then */
    int64_t  at;   /* monotonic us */
};
struct weir__waits {
    struct weir__arrival arrivals[64]; /* a ring */
    size_t               first, count;
    uint64_t             come, told; /* records; told: observed at their commit */
};

struct weir__thread {
    struct weir__app      *app;
    size_t                 index;
    pthread_t              id;
    bool                   started;
    struct weir__producer *producer;
    struct weir__consumer *restorer, *follower; /* changelogs; topics of global stores */
    bool                   read_anew;           /* the restorer's positions no longer are the restores' */
    struct weir__globals  *globals;
    struct weir__followed *followed;
    size_t                 followed_count, followed_capacity;
    bool                   follows_anew; /* the ends are to be asked for */
    struct weir__tp       *assigned;     /* as the last ASSIGNED; topic names are the app's */
    size_t                 assigned_count;
    int64_t                token;
    bool                   has_token;
    bool                   must_poll; /* a wait has heard of the generation's end */
    int                    refusal;   /* the code of a record that the log has refused since the last recovery */
    struct weir__seat    **seats;
    size_t                 seat_count, seat_capacity;
    struct weir_arena      commit_arena;
    uint64_t               sends;      /* since the last commit */
    size_t                 sent_bytes; /* the same */
    struct weir__sent     *sent;       /* one for each of the app's topics */
    size_t                 sent_last;  /* the topic of the last one */
    struct weir__waits     waits;
    int64_t                last_commit, last_flush, last_purge; /* log's clock, ms */
    int                    failures;                            /* in a row, without a commit between */
    int64_t                last_failure;                        /* monotonic us */
    int                    refusals;                            /* the same, of records that the log refused */
    size_t                 room;            /* most records in a transaction (refused.c); 0 = no limit */
    int64_t                last_fence;      /* monotonic us; 0 = never */
    uint64_t               answered;        /* last request */
    unsigned               wants;           /* of the app, as last seen */
    struct weir__shown     shown;           /* its copy of the global stores */
    bool                   worked;          /* this round did something */
    size_t                 at_once;         /* records of a task at one look, less one */
    int64_t                commit_interval; /* ms: the setting's, or more where an outlet asks for it */
    struct weir__opened   *outlets;
    size_t                 outlet_count;
    struct weir_error      unsettled; /* why a commit was aborted before it reached the log; code 0 = it was not */

    /* shared */
    struct weir__consumer *consumer; /* changed by the thread, under the mutex */
    uint64_t               answer;   /* last request answered */
    bool                   quiet;    /* the answer */
    atomic_uint_fast64_t   activity, records, commits;
    atomic_int_fast64_t    committing; /* monotonic us: since when the log is asked to commit; 0 = it is not */
    atomic_size_t          tasks, restoring;
    atomic_bool            holds_assignment; /* with a task for each part of it, restored or not */
    atomic_bool            parted;           /* inputs of a task with state were given to another member */
    atomic_bool            ended;
    atomic_int_fast64_t    restore_all, restore_left; /* offsets of the changelogs of its tasks */
    atomic_int_fast64_t    last_beat, committed;      /* monotonic us; the second: when nothing was left to commit */

    struct weir__series *metric_records, *metric_commits, *metric_commit_seconds, *metric_waits,
        *metric_restore_seconds, *metric_restored, *metric_remaining, *metric_failures, *metric_work[WEIR__WORKS];
};

/* What a task has last told of a thing (told.c). */
struct weir__telling {
    const struct weir__task *task;
    const char              *name;
    char                     words[300]; /* empty = it is well */
};

struct weir__app {
    struct weir__app_config   config;
    struct weir__app_settings settings;
    struct weir__memory_parts memory; /* once the topics are known */
    struct weir__plan        *plan;
    struct weir_arena         arena;
    struct weir__topics       topics;
    struct weir__state_dir    state;
    struct weir__control      control;     /* as it was at the start */
    atomic_int_fast64_t       control_end; /* its topic's end, when last looked at */
    const char              **inputs;      /* subscription, real names */
    size_t                    input_count;
    int                      *input_subs;
    struct weir__thread      *threads;
    size_t                    thread_count;
    atomic_bool               closing, failed;
    bool                      made;                        /* config.goes_on is asked no more */
    atomic_int_fast64_t       close_by;                    /* log's clock, ms, when closing */
    atomic_int_fast64_t       restore_began, restore_told; /* monotonic us; 0 = nothing is restored */

    /* shared */
    pthread_mutex_t         mutex;
    pthread_cond_t          answered;
    atomic_uint_fast64_t    request; /* number of the present one */
    enum weir__request_kind request_kind;
    int                     request_sub;
    struct weir_error       error; /* the first failure */
    int                     code;
    struct weir__telling   *told;
    size_t                  told_count, told_capacity;

    /* shown to other threads (shown.c) */
    pthread_rwlock_t     shown_lock; /* of the list */
    struct weir__shown **shown;
    size_t               shown_count, shown_capacity;
    atomic_bool         *wanted; /* stores of the plan that readers have asked for */
    atomic_uint          wants;  /* moves when one more is wanted */
};

/* Says that the thread is not stuck: once a round, and where it waits for the log. */
static inline void weir__thread_beat(struct weir__thread *thread)
{
    atomic_store(&thread->last_beat, weir__monotonic_us());
}

static inline int64_t weir__app_now(const struct weir__app *app) { return app->config.engine->now(app->config.log); }

/* app.c */
/* Asks until it is told. thread: whose time it takes; NULL = none's. */
int  weir__app_ends(struct weir__app *app, struct weir__thread *thread, struct weir__tp tp, struct weir__ends *ret);
int  weir__thread_check_control(struct weir__thread *thread, struct weir_error *reterr);
bool weir__app_must_end(struct weir__app *app); /* closing, and its time is up; or told to stop while it is made */
void weir__app_wake(struct weir__app *app);     /* all threads leave their poll */

/* thread.c */
void *weir__thread_main(void *arg);
int   weir__thread_join(struct weir__thread *thread, struct weir_error *reterr);
bool  weir__thread_hears_end(struct weir__thread *thread); /* its generation, or will be at its next poll */
bool  weir__thread_again(struct weir__thread *thread, int *err);
int   weir__thread_tail(struct weir__thread *thread, const struct weir__offset *from, size_t count,
                        struct weir__consumer **ret, struct weir_error *reterr);

/* seats.c: seats by assignment */
int  weir__seats_assign(struct weir__thread *thread, const struct weir__log_event *event, struct weir_error *reterr);
int  weir__seats_open(struct weir__thread *thread,
                      struct weir_error   *reterr); /* what the assignment asks for and is not there */
void weir__seats_close(struct weir__thread *thread);
int  weir__seats_rewind(struct weir__thread *thread, struct weir_error *reterr); /* to the committed offsets */
int  weir__seats_take(struct weir__thread *thread, struct weir_error *reterr);   /* tells the consumer */
int  weir__seat_seek(struct weir__seat *seat,
                     struct weir_error *reterr); /* its task, to where its inputs are; reterr may be NULL */
struct weir__input *weir__seats_input(struct weir__thread *thread, const char *topic, int32_t partition,
                                      struct weir__seat **ret_seat);

/* restore.c */
int  weir__restore_begin(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr);
int  weir__restore_read(struct weir__thread *thread,
                        struct weir_error   *reterr); /* opens the reader over all that is left */
int  weir__restore_step(struct weir__thread *thread, int64_t deadline, struct weir_error *reterr);
bool weir__restore_pending(const struct weir__thread *thread);
void weir__restore_stop(struct weir__thread *thread);

/* renew.c: whether a store of the seat has a new time of being in step, which is to be written. */
bool weir__renew(struct weir__thread *thread, struct weir__seat *seat);

/* progress.c: how far restores are, as a metric, a bar on a terminal or lines of the log. */
void weir__progress_tell(struct weir__thread *thread);

/* follow.c: global stores */
int  weir__follow_open(struct weir__thread *thread, struct weir_error *reterr);
int  weir__follow_step(struct weir__thread *thread, struct weir_error *reterr);
void weir__follow_close(struct weir__thread *thread);
bool weir__follow_at_end(struct weir__thread *thread);
void weir__follow_anew(void *thread);  /* to what is the end when next asked whether that is done */
bool weir__follow_fresh(void *thread); /* whether it is */

/* told.c: what tasks tell of things outside of the log (weir__task_config.tell) */
void weir__told(void *thread, const struct weir__task *task, const char *name, const char *words);

/* shown.c */
void weir__shown_init(struct weir__app *app);
int  weir__shown_prepare(struct weir__app *app); /* the plan is there */
void weir__shown_fini(struct weir__app *app);
int  weir__seat_show(struct weir__thread *thread, struct weir__seat *seat);
void weir__seat_runs(struct weir__app *app, struct weir__seat *seat); /* its stores may be read */
void weir__seat_tell(struct weir__seat *seat);                        /* positions and times, after a commit */
void weir__seat_written(struct weir__seat *seat); /* its task's stores have written all that is committed */
int  weir__globals_show(struct weir__thread *thread);
void weir__hide(struct weir__app *app, const struct weir__shown *shown); /* waits for readers */
/* Where an input's topic partition ends now; -1: the log does not say in time. Any thread. */
int64_t weir__shown_end(struct weir__app *app, const struct weir__shown_input *input);
/* From now on readers may read the plan's n-th store. Whether that is news. Any thread. */
bool weir__want_store(struct weir__app *app, size_t store);
int  weir__share_wanted(struct weir__thread *thread, struct weir_error *reterr);

/* send.c: the collector of a thread's tasks */
weir__send weir__thread_send;
void       weir__thread_count_sent(struct weir__thread *thread); /* tells the metrics */
int64_t    weir__thread_sent(void *arg, struct weir__tp tp);

/* waits.c: how long records wait for the commit of what came of them */
void weir__waits_come(struct weir__waits *waits, size_t count, int64_t now);
void weir__waits_committed(struct weir__thread *thread);
void weir__waits_anew(struct weir__thread *thread); /* what its tasks still have counts as come now */

/* commit.c */
bool weir__commit_due(struct weir__thread *thread, int64_t now);
/* all: of every task, whether it says it has work or not. */
int weir__commit(struct weir__thread *thread, bool all, bool durable, struct weir_error *reterr);
int weir__commit_flush_states(struct weir__thread *thread, struct weir_error *reterr);
/* Repartition topics keep nothing that was read and committed. Failure costs space, no more. */
void weir__commit_purge(struct weir__thread *thread);

/* outlets.c */
static inline size_t weir__count_outlets(const struct weir__plan *plan)
{
    size_t count = 0;

    while (weir__plan_outlet(plan, count) != NULL)
        count++;
    return count;
}
int  weir__outlets_prepare(struct weir__app *app, struct weir_error *reterr); /* its threads are made */
int  weir__outlets_open(struct weir__thread *thread, struct weir_error *reterr);
void weir__outlets_close(struct weir__thread *thread);
int  weir__outlets_serve(struct weir__thread *thread, struct weir_error *reterr);
bool weir__outlets_take(struct weir__thread *thread);       /* records may be taken */
bool weir__outlets_full(const struct weir__thread *thread); /* a commit is due */
/* All that was put is acknowledged. WEIR_ABORT: it is not, or a record is refused: thread->unsettled says why. */
int       weir__outlets_settle(struct weir__thread *thread, struct weir_error *reterr);
void      weir__outlets_forget(struct weir__thread *thread);
weir__put weir__outlets_put;

/* refused.c: records that the log or an outlet refuses at the commit */
/* The log has said so of a record, of any scope. */
void weir__refused_note(struct weir__thread *thread, int code);
/* An abort was for that, and the next try will be another one. *ret_by_log: the log has refused a record. */
bool   weir__refused(struct weir__thread *thread, bool *ret_by_log);
size_t weir__refused_room(const struct weir__thread *thread); /* records that the transaction may still take */
void   weir__refused_shrink(struct weir__thread *thread); /* the next transaction takes fewer records than this one */
void   weir__refused_passed(struct weir__thread *thread); /* a commit stands */

/* recover.c: after a failure of task scope, by its code. WEIR_OK: go on. */
int weir__recover(struct weir__thread *thread, int code, struct weir_error *reterr);
int weir__open_producer(struct weir__thread *thread, struct weir_error *reterr);

/* quiet.c */
int weir__answer_request(struct weir__thread *thread, struct weir_error *reterr);

/* crash.c */
size_t weir__crash_room(size_t max); /* records that may be processed before the next look */
void   weir__crash_records(size_t done);

#endif
