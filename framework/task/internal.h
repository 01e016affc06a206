/* internal.h: the inside of a task, shared by the files of this folder. */
#ifndef WEIR_TASK_INTERNAL_H
#define WEIR_TASK_INTERNAL_H

#include "framework/record/letters.h"
#include "framework/task/task.h"

/* Why a record is dropped before a repartition topic; upstream does not count it. */
#define WEIR__NO_KEY  "null key before a repartition"
#define WEIR__UNKNOWN INT64_C(-1) /* a time or offset not known yet */

/* What travels along an edge: a record and, between tables, the value it replaces. */
struct weir__event {
    struct weir_record rec;
    const void        *old;    /* NULL = none, or nobody asked */
    bool               closed; /* the result of a window that has closed, by key time */
};

struct weir__live;
typedef int weir__process_event(struct weir__live *live, const struct weir__event *event);

/* When to look at a key again by the wall clock: never later than there is something to do. */
struct weir__timer {
    int64_t due; /* ms */
    size_t  at;  /* in the heap */
    size_t  key_size;
    char    key[];
};
struct weir__timers {
    struct weir__timer **heap; /* the first is due first */
    size_t               count, capacity;
    struct weir__map     by_key;
};

/* What a task keeps of a window store by key time besides its rows. */
struct weir__keyed {
    struct weir__binding *binding;
    int64_t               grace, retention, longest; /* of its windows */
    bool                  even;                      /* all windows are of one length, the longest */
    int64_t               idle, ttl;                 /* ttl: INT64_MAX = keys stay */
    bool                  refuses;                   /* records of closed windows */
    struct weir__live    *closer; /* told of windows that close: a fold that emits on close, or a STEP with .final */
    struct weir__timers   timers; /* one for each head, once `scanned` */
    bool                 scanned; /* the heads were read since the start, or since what was uncommitted was dropped */
    struct weir__series *closed, *closed_idle, *corrected, *left; /* how many windows; keys that left */
};

/* One store as this task holds it. */
struct weir__binding {
    struct weir__task             *task;
    const struct weir__store_plan *plan;
    struct weir__store            *store;
    struct weir__store_spec       *spec;     /* the plan's, with what this task knows */
    struct weir__live             *owner;    /* the node that materializes into it; NULL = processors' */
    struct weir__keyed            *keyed;    /* windows by key time; else NULL */
    bool                           forwards; /* a flush forwards: cached and ON_COMMIT */
    bool                           holds;    /* the commit under way leaves its rows in memory */
};

/* One node as this task runs it. */
struct weir__live {
    struct weir__task       *task;
    const struct weir__node *node;
    weir__process_event     *process;
    struct weir__live      **children;
    size_t                   child_count;
    struct weir__binding   **stores; /* as node->stores */
    size_t                   store_count;
    struct weir__binding    *global;        /* JOIN_GLOBAL */
    struct weir__live       *with;          /* JOIN_TABLE */
    void                    *state;         /* spec->state bytes */
    const char              *topic;         /* SINK: real name */
    bool                     opened, holds; /* holds: wants no records */
    uint64_t                 taken;         /* GLOBAL: records */
    int64_t                  observed;      /* windows: greatest time seen, ms */
    int64_t                  last_close;    /* ON_CLOSE: close time of the last emission, ms */
    int64_t                  next_look;     /* ON_CLOSE: wall time of the next one, ms */
};

/* Records of one input topic, waiting. */
struct weir__queue {
    struct weir__live *source;
    const char        *topic;
    struct weir__buf   waiting; /* entries from `at` on */
    size_t             at, count;
    struct weir_arena  arena;           /* of the head */
    bool               has_head, fresh; /* fresh: in task->fresh */
    struct weir__raw   head;            /* as read */
    struct weir__event event;           /* decoded, with the extracted time */
    int64_t            partition_time;
    int64_t            begun;    /* by a reset, there; UNKNOWN = not */
    int64_t            replayed; /* what lies before it was processed once before; UNKNOWN = nothing was */
    int64_t            next;     /* offset to commit when nothing waits; UNKNOWN = nothing read yet */
    int64_t            lag;      /* < 0: unknown */
    bool               moved;    /* offset to commit has changed since the last commit */
};

/* Next offset to commit: the head's, as it is not processed yet. */
static inline int64_t weir__next_offset(const struct weir__queue *queue)
{
    return queue->has_head ? queue->head.offset : queue->next;
}

struct weir__timed {
    int64_t time, rank; /* of equal times the least rank goes first */
    void   *item;
};
struct weir__heap {
    struct weir__timed *items; /* the earliest first */
    size_t              count, capacity;
};

/* A series of the registry, found by the words that were counted. */
struct weir__counted {
    int                  family; /* enum weir__family_id */
    const char          *words[2];
    struct weir__series *series;
};

struct weir__schedule {
    int64_t            handle, time, every;
    enum weir_time     kind;
    weir_punctuate    *fn;
    struct weir__live *live;
    bool               cancelled;
};

/* Rows of one key that are asked for one by one, where its head says that they may be. */
struct weir__steps {
    struct weir_bytes key;
    int64_t           start, last, step; /* of the next row, of the last one; between them */
};

struct weir_rows {
    struct weir_context  *ctx;
    struct weir__binding *binding;
    struct weir__rows    *rows; /* NULL: by steps */
    struct weir__steps    steps;
    struct weir_rows     *next; /* opened before */
};

struct weir_context {
    struct weir__task        *task;
    struct weir__live        *live;
    const struct weir__event *event;
    const void               *arg; /* of the running verb; NULL = the node's */
    bool                      absent, closed;
    int64_t                   partition_time;
    struct weir_rows         *rows; /* open ones, newest first */
};

struct weir__task {
    struct weir__task_config   config;
    struct weir_arena          arena;  /* the task's life */
    struct weir_arena          record; /* one record's life */
    struct weir_context        ctx;
    bool                       replayed; /* the record at work was processed once before */
    struct weir__live         *lives;
    size_t                     live_count;
    struct weir__live        **by_index; /* plan->nodes index to live; NULL = not of this task */
    struct weir__binding      *bindings;
    size_t                     binding_count;
    struct weir__db           *db;
    const struct weir__engine *engine;
    struct weir__queue        *queues;
    size_t                     queue_count;
    struct weir__heap          heads; /* queues with a head, by its time */
    struct weir__queue       **fresh; /* queues that have records again and no head yet, in the order of that */
    size_t                     fresh_count;
    struct weir__heap          due[2];    /* schedules by their next firing: stream time, wall time */
    struct weir__schedule    **schedules; /* all that may still fire */
    size_t                     schedule_count, schedule_capacity;
    int64_t                    next_handle;
    int64_t                    stream_time;
    int64_t                    idle_since; /* wall ms, UNKNOWN = not waiting */
    const struct weir__raw    *current;    /* the record being processed; NULL in punctuation and flush */
    bool                       commit_asked, dirty;
    size_t                     taken;   /* records begun since the last commit */
    int64_t                    flushed; /* wall ms: when it last began to be committed */
    struct weir__queue        *last;    /* whose the last one of them was */
    int64_t                    last_offset;
    struct {
        struct weir__queue *queue; /* NULL = none */
        int64_t             offset;
        int                 code, times;
        char                words[512];
    } refused;                         /* what the log would not take of it */
    bool                  bare_letter; /* without the record's bytes */
    struct weir__folds   *folds;       /* of dead letters; NULL = there was none yet */
    bool                  closing;     /* its nodes' close verbs run: nothing is sent any more */
    int                   depth;       /* of visits */
    size_t                holders;     /* nodes that hold it */
    bool                  sent;        /* a record has left, to an outlet too, since this was last looked at */
    bool                  failing;     /* a failure is on its way up: no handler looks at it again */
    struct weir_error     error;       /* its words */
    struct weir__batch    batch;
    struct weir__counted *counts;
    size_t                count_count, count_capacity;
};

/* refused.c: what becomes of the head of a queue that is the refused record; *ret_done false: it is another one. */
int weir__refuse_head(struct weir__task *task, struct weir__queue *queue, bool *ret_done);

/* nodes.c: which function runs an op. */
weir__process_event *weir__process_of(const struct weir__node *node);
/* Hands an event to one node, and handles what fails there. */
int weir__visit(struct weir__live *live, const struct weir__event *event);
/* A record leaves the task. WEIR_BAD_STATE: its nodes are being closed. */
int weir__send_off(struct weir__task *task, const struct weir__raw *raw, enum weir__sent_as as);
/* To all children in order. */
int weir__emit(struct weir__live *live, const struct weir__event *event);

/* nodes_table.c, nodes_fold.c, nodes_keyed.c */
weir__process_event weir__run_table_source, weir__run_table_filter, weir__run_table_map, weir__run_join_table,
    weir__run_join_global, weir__run_fold, weir__run_fold_windows, weir__run_fold_keyed;
int weir__close_due(struct weir__live *live, const struct weir__event *event, int64_t close_time);

/* One state on its way through a fold. */
struct weir__folding {
    const void *old;   /* decoded before the fold; NULL = none */
    void       *state; /* what the verb works on */
    int64_t     time;  /* of the result */
    bool        nothing;
};
/* Folds the record into the row of key (a struct weir_windowed for windows) and puts it. */
int weir__fold_into(struct weir__live *live, const struct weir_record *rec, const void *key,
                    struct weir__folding *folding);
int weir__forward_folded(struct weir__live *live, const struct weir_record *rec, const void *key,
                         const struct weir__folding *folding, bool closed);

/* timers.c */
int  weir__timers_set(struct weir__timers *timers, struct weir_bytes key, int64_t due); /* WEIR_NO_MEMORY */
void weir__timers_remove(struct weir__timers *timers, struct weir_bytes key);
void weir__timers_clear(struct weir__timers *timers);
void weir__timers_fini(struct weir__timers *timers);

/* keyed.c: windows by key time */
int  weir__keyed_open(struct weir__binding *binding);
void weir__keyed_close(struct weir__keyed *keyed);
/* What is known of a key; of a new one, nothing. */
int weir__keyed_head(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head *ret);
/* before: as it was loaded. */
int weir__keyed_save(struct weir__keyed *keyed, struct weir_bytes key, const struct weir__key_head *before,
                     const struct weir__key_head *head);
enum weir_standing weir__keyed_standing(const struct weir__keyed *keyed, const struct weir__key_head *head,
                                        int64_t end);
/* Takes into account that a row of a window was put. */
void weir__keyed_put(const struct weir__keyed *keyed, struct weir__key_head *head, int64_t end);
/* The rows of a key that start in [from, to], row by row. WEIR_AGAIN: these are better read as a range. */
int weir__steps_open(struct weir__keyed *keyed, struct weir_bytes key, int64_t from, int64_t to,
                     struct weir__steps *ret);
int weir__steps_next(struct weir__keyed *keyed, struct weir__steps *steps, struct weir__row *ret); /* WEIR_NOTFOUND */
/* Closes and deletes what the key's time makes due; head: as it was saved. */
int weir__keyed_look(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head head);
/* Closes and lets go what the wall clock makes due, where the task's input is at its end. */
int weir__keyed_tick(struct weir__task *task);
/* Closes all windows that are open, by key. */
int weir__keyed_close_all(struct weir__keyed *keyed);
/* A STEP's put. The window's end is worked out where all are of one length. */
int weir__keyed_put_row(struct weir_context *ctx, struct weir__binding *binding, const void *value,
                        struct weir_windowed *window);
/* Counts a record's share of a window; the record as a whole goes to the dead letters, where there are any. */
int weir__keyed_refuse(struct weir__live *live, const char *format, ...) WEIR_PRINTF(2, 3);

/* failures.c */
int weir__fail_here(struct weir__live *live, int code, const char *format, ...) WEIR_PRINTF(3, 4);
/* Whether this process is short of memory: then a failure is not the record's. */
bool weir__starved(const struct weir__task *task);
/* The words of a failure that leaves the task, made up where nobody had any. Returns code. */
int weir__tell_failure(struct weir__task *task, int code, struct weir_error *reterr);
int weir__handle_failure(struct weir__live *live, int code, enum weir__handler handler);
int weir__dead_letter(struct weir__task *task, const char *node, int code, const char *reason, const char *text);

/* folds.c */
/* 1: the letter is one too many, and is folded. 0: it is to be sent. WEIR_NO_MEMORY; weir__send_off's codes. */
int  weir__fold_letter(struct weir__task *task, const struct weir__dead_letter *letter);
int  weir__folds_send(struct weir__task *task); /* with the commit */
void weir__folds_drop(struct weir__task *task);
void weir__folds_fini(struct weir__task *task);

/* counts.c */
void weir__drop_record(struct weir__task *task, const char *reason);
void weir__note_record(struct weir__task *task, const char *what);
void weir__count_letter(struct weir__task *task, const char *node, const char *code);
void weir__count_punctuation(struct weir__task *task, enum weir_time kind);

/* stores.c: typed access. Decoded values live in the record arena. */
int                   weir__bind_stores(struct weir__task *task, struct weir_error *reterr);
struct weir__binding *weir__binding_of(struct weir__task *task, const struct weir__store_plan *plan);
/* WEIR_NOTFOUND; *ret_value then NULL. ret_time may be NULL. A windows store takes a struct weir_windowed key. */
int weir__fetch_value(struct weir__binding *binding, const void *key, const void **ret_value, int64_t *ret_time);
int weir__store_value(struct weir__binding *binding, const void *key, const void *value, int64_t time,
                      const struct weir_record *rec);
/* The end of a stored window. */
int64_t weir__row_end(const struct weir__binding *binding, int64_t start, const struct weir__value *value);
/* The store as the running node may use it; NULL: not one of its .uses, or of another kind: then say so. */
struct weir__binding *weir__used(struct weir_context *ctx, const struct weir_store *store, bool windows);
int                   weir__not_used(struct weir_context *ctx, const struct weir_store *store);
void                  weir__close_rows(struct weir_context *ctx, struct weir_rows *until);

/* globals.c: the value of a global table, decoded into the asking task's record arena. WEIR_NOTFOUND. */
int      weir__globals_fetch(struct weir__globals *globals, struct weir__task *asking, const struct weir_node *global,
                             const void *key, const void **ret_value);
uint64_t weir__globals_taken(const struct weir__globals *globals, const struct weir_node *global);
/* The store of a global table, for rows whose memory is the asking task's record. WEIR_NOTFOUND, WEIR_LIMIT. */
int weir__globals_rows(struct weir__task *asking, const struct weir_node *global, struct weir__binding **ret);
/* A global store as a task reads it: what is decoded lives as long as that task's record. */
int weir__globals_view(struct weir__task *asking, const struct weir__store_plan *plan, struct weir__binding **ret);

/* hold.c */
void weir__let_go(struct weir__live *live);

/* task.c */
/* A record's memory apart, until it is back as it was: what was allocated in between is gone then. */
void weir__record_aside(struct weir__task *task, struct weir_arena *ret_kept);
void weir__record_back(struct weir__task *task, const struct weir_arena *kept);
int  weir__task_make(const struct weir__task_config *config, struct weir__task **ret, struct weir_error *reterr);

/* queue.c */
int   weir__queues_init(struct weir__task *task);
void  weir__queues_fini(struct weir__task *task);
int   weir__queue_add(struct weir__task *task, struct weir__queue *queue, const struct weir__raw *raw);
int   weir__queue_refill(struct weir__task *task, struct weir__queue *queue); /* makes a head where records wait */
void  weir__queue_clear(struct weir__queue *queue);
int   weir__heap_offer(struct weir__heap *heap, struct weir__timed item);
void *weir__heap_poll(struct weir__heap *heap); /* the earliest; NULL = empty */
void  weir__heap_fini(struct weir__heap *heap);

/* punctuate.c */
int  weir__punctuate_stream(struct weir__task *task);
int  weir__flush_nodes(struct weir__task *task); /* runs .flush of nodes that have one */
void weir__schedules_fini(struct weir__task *task);

/* task.c: runs the close verbs of the nodes that are open. */
void weir__close_nodes(struct weir__task *task);

/* metadata.c: times in committed offsets' metadata. */
int weir__metadata_encode(struct weir__task *task, const struct weir__queue *queue, struct weir_arena *arena,
                          struct weir_bytes *ret);
int weir__metadata_apply(struct weir__task *task, struct weir__queue *queue,
                         struct weir_bytes metadata); /* WEIR_NO_MEMORY */

#endif
