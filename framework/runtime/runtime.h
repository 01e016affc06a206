/* runtime.h: an application: one compiled topology over one log, worked by threads.
 *
 * (1) Each partition of the input has one task at a time; a task is worked by the thread its partition was assigned
 *     to.
 * (2) Outputs, changelogs and offsets of a commit are one transaction; stores follow only when it is known to stand.
 * (3) A graceful stop commits all that was processed and makes it durable: the next start replays nothing.
 * (4) The state folder belongs to one process at a time.
 */
#ifndef WEIR_RUNTIME_H
#define WEIR_RUNTIME_H

#include "framework/config/config.h"
#include "framework/task/task.h"

struct weir__app;

/* All is borrowed until weir__app_free. */
struct weir__app_config {
    const struct weir_topology    *topology;
    const char                    *application; /* id; NULL = the topology's name */
    const struct weir__config     *settings;
    const struct weir_engines     *engines;
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    struct weir__metrics          *metrics;
    const char *state_dir;  /* of all topologies; ours is <state_dir>/<topology>. NULL = in memory */
    size_t      neighbours; /* applications that share memory.max in this process, this one included */
    bool (*goes_on)(
        void *arg); /* asked while making waits for the log; false ends it with WEIR_AGAIN. NULL: it waits */
    void *goes_on_arg;
};

/* memory.c: what the process may use, bytes (0 = 60 % of the container's limit); the part of it that is the log's. */
int64_t weir__memory_total(int64_t configured);
size_t  weir__memory_of_log(int64_t total);
void    weir__memory_be_thrifty(int64_t total); /* of the whole process: for a main, before its threads */

/* Compiles the topology, locks the state folder, compares and makes the topics. Faults of the topology are all
 * in reterr's text. WEIR_BUSY: another process holds the state folder. */
int  weir__app_new(const struct weir__app_config *config, struct weir__app **ret, struct weir_error *reterr);
void weir__app_free(struct weir__app *app); /* after stop; NULL is fine */
const struct weir__plan *weir__app_plan(const struct weir__app *app);

int weir__app_start(struct weir__app *app, struct weir_error *reterr);
/* Asks the threads to finish within shutdown.timeout.ms; does not wait. Any thread, more than once: the first time counts. */
void weir__app_close(struct weir__app *app);
/* As weir__app_close, with all the time that they need, until weir__app_close says otherwise. */
void weir__app_finish(struct weir__app *app);
/* Whether the threads have come to their end. */
bool weir__app_ended(const struct weir__app *app);
/* Closes and waits, shutdown.timeout.ms at most. What made a thread stop earlier is the answer; WEIR_FENCED: a twin runs
 * under the same name; WEIR_FATAL: a thread has not come back (weir__app_stuck): it uses the application until the
 * process ends, which therefore must not be freed. */
int  weir__app_stop(struct weir__app *app, struct weir_error *reterr);
bool weir__app_stuck(const struct weir__app *app);
/* Whether a thread has stopped by a failure. Any thread. */
bool weir__app_failed(struct weir__app *app);

/* The task that a view found to be in another process. */
struct weir__elsewhere {
    const struct weir__app *app; /* NULL = none was asked for */
    int                     sub;
    int32_t                 partition;
};
/* The applications that framework/query.h reads. Borrowed. */
struct weir_apps {
    struct weir__app *const *items;
    size_t                   count;
    struct weir__elsewhere  *elsewhere; /* filled in by views that are opened through it; NULL = nobody asks */
};

/* ---- where the application's other processes answer (members.c) ---- */

struct weir__members;
struct weir__member_at {
    char name[300];                          /* "host:port" */
    _Alignas(16) unsigned char address[128]; /* a struct sockaddr of size bytes */
    unsigned size;
};
/* Tells the others that this process answers at address, "host:port", and which tasks it has; learns the same of them. *ret NULL:
 * the log has no other processes. To be closed before the application is freed. */
int  weir__members_open(struct weir__app *app, const char *address, struct weir__members **ret,
                        struct weir_error *reterr);
void weir__members_close(struct weir__members *members); /* NULL is fine */
/* Who had the task, when last heard of. WEIR_NOTFOUND: nobody that is known, or we. Any thread. */
int weir__members_owner(struct weir__members *members, int sub, int32_t partition, struct weir__member_at *ret);

/* How an application stands, for people and probes. Any thread. */
struct weir__app_state {
    const char *topology;
    size_t      threads, tasks, restoring; /* of the threads, those with an assignment; tasks; of these, restoring */
    uint64_t    records, commits;
    bool        assigned, failed, closing;
    bool        parted; /* inputs of a task with state were given to another member: it is not worked */
};
void weir__app_state(struct weir__app *app, struct weir__app_state *ret);

struct weir__thread_state {
    bool     alive, assigned;
    size_t   tasks, restoring;
    uint64_t records, commits;
    int64_t  last_beat;   /* monotonic us: when it last came around, or waited for the log */
    int64_t  last_commit; /* monotonic us: when all it had done was last committed */
    int64_t  committing;  /* monotonic us: since when the log has been asked to commit; 0 = it is not */
};
/* The n-th stream thread; false past the end. Any thread. */
bool weir__app_thread(struct weir__app *app, size_t n, struct weir__thread_state *ret);
/* The n-th thing outside of the log that tasks have told of (weir_tell); false past the end. Any thread. */
struct weir__app_told {
    const char *name;
    char        words[300]; /* empty = it is well */
};
bool weir__app_told(struct weir__app *app, size_t n, struct weir__app_told *ret);
/* How a thread's outlet stands, the n-th that is configured; false past the end. Any thread. */
struct weir__app_outlet {
    const char *name;
    size_t      thread;
    bool        up;
    uint64_t    bytes, outages; /* bytes: put, and not acknowledged */
    char        why[300];       /* not up: in words */
};
bool        weir__app_outlet(struct weir__app *app, size_t n, struct weir__app_outlet *ret);
const char *weir__app_instance(const struct weir__app *app);
int64_t     weir__app_epoch(const struct weir__app *app); /* of rebuilds */
/* Gauges of applications as they are now, in Prometheus' text form. Any thread; asks the log for its ends. */
void weir__apps_gauges(struct weir__app *const *apps, size_t count, struct weir__buf *ret);
/* An array of what the application's tasks of this process are and have. The same. */
void weir__app_put_tasks(struct weir__app *app, struct weir_json_out *json);
/* An array of its outlets. */
void weir__app_put_outlets(struct weir__app *app, struct weir_json_out *json);
/* Whether the log answers, asked now. WEIR_AGAIN: not within ms. Any thread. */
int weir__app_ask_log(struct weir__app *app, int64_t ms);

/* End of a bounded run over applications that share a log: waits until all inputs are read to their end and
 * nothing is buffered, closes all windows, upstream first, and waits again. goes_on (may be NULL) is asked often;
 * false ends the wait with WEIR_AGAIN. A failed application ends it with WEIR_BAD_STATE: its stop has the words. */
int weir__apps_drain(struct weir__app *const *apps, size_t count, bool (*goes_on)(void *arg), void *arg,
                     struct weir_error *reterr);

/* transaction.timeout.ms of the log's client, us. */
int64_t weir__transaction_us(const struct weir__config *config);
/* How many partitions a topic gets when it is made: topics.partitions, or what the engine takes. */
int32_t weir__topics_partitions(const struct weir__config *config, const struct weir__log_engine *engine);
/* Settings of a user's topic that we make, and of one that a global table is read from: NULL-ended. */
extern const char *const weir__user_topic_settings[];
extern const char *const weir__table_topic_settings[];
/* A warning. */
void weir__topic_say_differs(const char *topic, const char *setting, const char *wanted, const char *found);
/* WEIR_BAD_CONFIG, in words; may: topics.check may allow it. */
int weir__topic_fail_losing(const char *topic, const char *setting, const char *wanted, const char *found, bool may,
                            struct weir_error *reterr);

/* ---- what all processes of an application agree on (control.c) ---- */

#define WEIR__EPOCH_MOST       1000000000
#define WEIR__CONTROL_NAME_MAX 256

struct weir__control {
    int64_t epoch;        /* of rebuilds; 1 = nothing was rebuilt */
    char    identity[24]; /* of the state: another one, other state */
    bool    unfinished;   /* a reset has begun and not ended */
};
/* Where it is: an application id and its log. */
struct weir__control_at {
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    const char                    *application;
    bool (*goes_on)(void *arg); /* asked between tries: then they go on while no broker answers. NULL: for a while */
    void *goes_on_arg;
};
/* The topic it is kept in. */
void weir__control_topic(const char *application, char *ret, size_t size);
/* WEIR_NOTFOUND: none of the application's processes has started yet. WEIR_CORRUPT; the log's codes. */
int weir__control_read(const struct weir__control_at *at, struct weir__control *ret, struct weir_error *reterr);
/* The same, made where there is none. */
int weir__control_make(const struct weir__control_at *at, struct weir__control *ret, struct weir_error *reterr);
/* Lets change have what stands (epoch 0: nothing) and keeps what it makes of it. It may be called again. */
typedef int weir__control_change(void *arg, struct weir__control *control, struct weir_error *reterr);
int         weir__control_change_by(const struct weir__control_at *at, weir__control_change *change, void *arg,
                                    struct weir__control *ret, struct weir_error *reterr);
/* The next epoch. WEIR_OVERFLOW. */
int weir__control_raise(struct weir__control *control, const char *application, struct weir_error *reterr);
/* Removes the state in a topology's folder: all but its lock, the instance's name and the identity. Its lock is held. */
int weir__state_dir_wipe(const char *dir, struct weir_error *reterr);
/* Sixteen random digits. what: whom it is for, for people. */
int weir__random_name(char *ret, size_t size, const char *what, struct weir_error *reterr);

/* ---- loading files into topics (load.c) ---- */

/* One file for one topic. Lines are JSON as `cat` prints them, or (lines) each the value of a record without key. */
struct weir__load {
    const char              *topic, *path;
    const struct weir_codec *key, *value; /* of the topic's source */
    bool                     lines;
};
struct weir__load_config {
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    struct weir__metrics          *metrics;
    atomic_bool                   *stop;           /* set: ends after the present batch, WEIR_AGAIN */
    int64_t                        transaction_us; /* see weir__transaction_us */
};
/* Loads a file, plain or gzip, from where an earlier load of the same content ended; progress is committed with the
 * records. *ret_rows: rows sent now. WEIR_NOTFOUND: no such file; WEIR_UNREADABLE, WEIR_BAD_TIME, WEIR_TOO_LARGE: a
 * line, named as file:line; lines before it are loaded, those from it on are not. A pipe's rows are all new. */
int weir__load_file(const struct weir__load_config *config, const struct weir__load *load, uint64_t *ret_rows,
                    struct weir_error *reterr);

/* ---- lines of a file, plain or gzip by its content, or of a pipe ("-" = standard input) (lines.c) ---- */

struct weir__lines;

/* How far a file was read: bytes (unpacked), their hash (stable between versions), lines. */
struct weir__place {
    int64_t  bytes;
    uint64_t hash, lines;
};
int  weir__lines_open(const char *path, struct weir__lines **ret, struct weir_error *reterr); /* WEIR_NOTFOUND */
void weir__lines_close(struct weir__lines *lines);                                            /* NULL is fine */
bool weir__lines_piped(const struct weir__lines *lines);       /* it can be read once, and only forwards */
const char *weir__lines_name(const struct weir__lines *lines); /* for people */
/* The next line without its end, in ret; WEIR_NOTFOUND at the end of the file; WEIR_UNREADABLE: over 64 MiB;
 * WEIR_AGAIN: a pipe has nothing now, the same call with the same ret goes on. */
int weir__lines_next(struct weir__lines *lines, struct weir__buf *ret, struct weir_error *reterr);
/* Reads on to an offset, for its hash. WEIR_NOTFOUND: the file is shorter. */
int  weir__lines_pass(struct weir__lines *lines, int64_t bytes, struct weir_error *reterr);
int  weir__lines_seek(struct weir__lines *lines, const struct weir__place *place, struct weir_error *reterr);
void weir__lines_count(struct weir__lines *lines, uint64_t count); /* says how many lines lie behind */
bool weir__lines_inside(const struct weir__lines *lines);          /* the last byte read is not a line's end */
struct weir__place weir__lines_place(const struct weir__lines *lines);
int64_t            weir__lines_packed(const struct weir__lines *lines); /* bytes on disk that were read */

/* ---- a door for tests (crash.c) ---- */

/* WEIR_CRASH_AT="point:n": the process kills itself at the n-th passage of that point; "point:n:stop": it stops itself
 * there, once, until it is continued. */
#define WEIR__CRASH_VARIABLE "WEIR_CRASH_AT"
/* Reads the variable. WEIR_BAD_CONFIG: no such point. Before threads are started. */
int weir__crash_setup(const char *text, struct weir_error *reterr);
enum weir__crash_point {
    WEIR__AT_RECORD,
    WEIR__BEFORE_COMMIT,
    WEIR__AFTER_FLUSH,
    WEIR__AFTER_SETTLE,
    WEIR__MID_COMMIT,
    WEIR__AFTER_COMMIT,
    WEIR__MID_RESTORE,
    WEIR__BEFORE_LOAD,
    WEIR__AFTER_LOAD,
    WEIR__AT_REVOKE,
    WEIR__AT_STOP,
    WEIR__AT_RESET,
    WEIR__CRASH_POINTS
};
void weir__crash_at(enum weir__crash_point point);

#endif
