/* store.h: what a state store promises to the task that owns it, and what an engine promises to a store.
 *
 * A store keeps bytes by key for one task. Writes gather in its dirty map. A commit lets them be held there, as the
 * changelog has them, or moves all that is held, with the offset of the changelog it stands for, into the engine in
 * one atomic batch. What is written again or expires meanwhile never costs the engine anything.
 *
 * (1) A read after a write by the same task returns what was written.
 * (2) The engine never holds anything uncommitted: dropping the dirty map is all that an abort needs.
 * (3) Data and changelog offset are one batch in one column family: a crash keeps both or neither.
 * (4) All calls run on the task's thread, but for those of "reading by other threads".
 */
#ifndef WEIR_STORE_H
#define WEIR_STORE_H

#include "framework/record/record.h"
#include "framework/window/window.h"

/* ---- engines: ordered bytes in column families, one database per task ---- */

struct weir__db;   /* an engine's open database */
struct weir__iter; /* an engine's open iterator */

struct weir__write {
    uint32_t          family;
    bool              range;      /* deletes all keys from `key` up to, but without, `value` */
    struct weir_bytes key, value; /* value.data NULL deletes */
};

struct weir__figures {
    uint64_t rows;         /* about */
    uint64_t disk, memory; /* bytes; memory: not yet on disk, without caches */
    /* of an engine that flushes and compacts: */
    bool     compacts;
    uint64_t index;       /* bytes of memory that say where on disk rows are */
    uint64_t pending;     /* bytes still to be compacted */
    uint64_t files;       /* flushed, not compacted yet */
    uint64_t tables;      /* full, not flushed yet */
    uint64_t compactions; /* that run now, of the whole database; errors: so far, the same */
    uint64_t errors;
    bool     stalled; /* writes are slowed down or stopped */
};

struct weir__engine {
    const char *name; /* "rocksdb", "memory" */
    bool        durable;

    /* Opens or creates. dir NULL or ignored where not durable. May block on disk. WEIR_IO, WEIR_CORRUPT,
     * WEIR_BUSY. memory: bytes the database may use for buffers, 0 = the engine's choice. */
    int (*open)(const char *dir, size_t memory, struct weir__db **ret, struct weir_error *reterr);
    /* What all databases of the process together may keep of what they read, bytes. Any thread. NULL: nothing is kept. */
    void (*cache)(size_t bytes);
    /* The column family of a store, made when absent. The same name gives the same number while open. */
    int (*family)(struct weir__db *db, const char *name, uint32_t *ret, struct weir_error *reterr);
    /* WEIR_NOTFOUND, WEIR_STORE_FAILED. *ret is borrowed until the next call on this db. */
    int (*get)(struct weir__db *db, uint32_t family, struct weir_bytes key, struct weir_bytes *ret);
    /* Keys with from <= key < to in byte order, or the reverse; data NULL = open. Sees the state of its
     * making, or later writes: callers do not write while they iterate. A durable engine may be read by one
     * thread while another writes. */
    int (*iterate)(struct weir__db *db, uint32_t family, struct weir_bytes from, struct weir_bytes to,
                   enum weir_order order, struct weir__iter **ret);
    /* WEIR_NOTFOUND at the end. Both borrowed until the next step. */
    int (*next)(struct weir__iter *iter, struct weir_bytes *ret_key, struct weir_bytes *ret_value);
    void (*iter_close)(struct weir__iter *iter); /* NULL is fine */
    /* All or nothing, over all families; in order. Not durable before flush (or the engine's own flush).
     * WEIR_STORE_FAILED; WEIR_DISK_FULL: nothing was written, and may be once there is room. */
    int (*write)(struct weir__db *db, const struct weir__write *writes, size_t count);
    /* Makes all that was written durable. The only call expected to be slow. */
    int (*flush)(struct weir__db *db);
    /* Restore mode: many writes, few reads. Off before the task runs. */
    int (*bulk)(struct weir__db *db, bool on);
    /* How large a family is. Between enter and leave. */
    void (*figures)(struct weir__db *db, uint32_t family, struct weir__figures *ret);
    /* Other threads than the task's read between these two: nothing they read changes or goes meanwhile. iterate, next,
     * iter_close, copy and figures are theirs too then. Where the engine cannot read and write at once, writes wait. */
    void (*enter)(struct weir__db *db);
    void (*leave)(struct weir__db *db);
    /* As get, copied into the arena. WEIR_LIMIT: it is full. */
    int (*copy)(struct weir__db *db, uint32_t family, struct weir_bytes key, struct weir_arena *arena,
                struct weir_bytes *ret);
    void (*close)(struct weir__db *db); /* always succeeds, does not flush; NULL is fine */
    /* Sees what another process has written since. NULL: no other process writes. */
    int (*refresh)(struct weir__db *db);
};

/* ---- stores ---- */

enum weir__store_kind { WEIR__STORE_KEYS = 1, WEIR__STORE_WINDOWS, WEIR__STORE_LRU };

struct weir__store_spec {
    const char           *name; /* as in topics and folders */
    enum weir__store_kind kind;
    bool                  timestamped; /* rows are int64 timestamp + value; else value alone */
    bool                  cached;      /* changelog and ON_COMMIT forwards gather until flush; else one per put */
    bool                  logged;      /* has a changelog */
    bool                  in_memory;   /* memory engine whatever the task's is; expiry by exact retention */
    bool                  duplicates;  /* windows: several rows per key and start */
    bool                  tombstones;  /* expiry is written to the changelog too */
    bool                  closes;      /* of an ON_CLOSE node: rows at observed time - retention still show */
    bool                  unseen;      /* a flush tells also of rows that came and went since the last one */
    bool                  uncut;       /* shows rows past the retention, as upstream's cache does */
    bool                  keyed;       /* windows by key time: rows go when they are told to; a key may have a head */
    bool                  ends;        /* windows: rows keep their own end */
    int64_t               retention;   /* windows, ms */
    int64_t               segment;     /* windows: expiry works by segments of this width, ms */
    int64_t               window_size; /* for readers */
    int64_t               max;         /* LRU: rows */
    bool                  partings;    /* LRU: the listener hears of rows that are let go */
};

/* A value of a store and what came with it. */
struct weir__value {
    struct weir_bytes         bytes;     /* data NULL = no row */
    int64_t                   timestamp; /* -1 in plain stores */
    int64_t                   end;       /* of the window, where rows keep it (spec.ends) */
    const struct weir_header *headers;   /* of the record that wrote it; only in changes, not in reads */
    size_t                    header_count;
};

/* One changed key on its way out of the dirty map. Borrowed for the call. */
struct weir__change {
    struct weir_bytes  key;     /* as in the changelog: windows: key, start, seq */
    int64_t            start;   /* windows; WEIR__HEAD_START: a head */
    struct weir__value now;     /* bytes NULL: deleted */
    struct weir__value before;  /* bytes NULL: there was none, before the first change since the last flush */
    bool               expired; /* past retention: for the changelog only, not to be forwarded */
};
/* Sends a change to the changelog and forwards it. Returns a code; an error stops the flush. */
typedef int weir__on_change(void *arg, const struct weir__change *change);

struct weir__store;

/* Opens a store in a task's database. The store keeps spec. engine/db: the task's, or a memory one of its own
 * for in_memory (then db NULL and the store opens and owns it). Reads the durable changelog offset. */
int  weir__store_open(const struct weir__store_spec *spec, const struct weir__engine *engine, struct weir__db *db,
                      struct weir__store **ret, struct weir_error *reterr);
void weir__store_close(struct weir__store *store); /* drops what is dirty; NULL is fine */
const struct weir__store_spec *weir__store_spec(const struct weir__store *store);

/* Who hears of changes: per put when not cached, at flush when cached. */
void weir__store_listen(struct weir__store *store, weir__on_change *on_change, void *arg);

/* Keys and LRU. WEIR_NOTFOUND, WEIR_STORE_FAILED. *ret is borrowed until the next call on the store. */
int weir__store_get(struct weir__store *store, struct weir_bytes key, struct weir__value *ret);
int weir__store_put(struct weir__store *store, struct weir_bytes key, const struct weir__value *value);

/* Windows: key is the plain key. A row before observed time - retention + 1 is not found; a put into an
 * expired segment is refused with WEIR_NOTFOUND and counted by the caller as dropped. */
int weir__store_get_window(struct weir__store *store, struct weir_bytes key, int64_t start, struct weir__value *ret);
int weir__store_put_window(struct weir__store *store, struct weir_bytes key, int64_t start,
                           const struct weir__value *value);
/* The number that the last put has among duplicates; a get finds no other. 0 where there are none. */
int32_t weir__store_seq(const struct weir__store *store);
/* Greatest start ever put, ms; -1 = none. */
int64_t weir__store_observed(const struct weir__store *store);

/* Reading many rows, the dirty map and the engine merged. */
struct weir__row {
    struct weir_bytes  key; /* plain key */
    int64_t            start;
    struct weir__value value;
};
struct weir__rows;
/* from <= key <= to, data NULL = open. */
int weir__store_range(struct weir__store *store, struct weir_bytes from, struct weir_bytes to, enum weir_order order,
                      struct weir__rows **ret);
int weir__store_prefix(struct weir__store *store, struct weir_bytes prefix, struct weir__rows **ret);
/* Rows of keys key_from..key_to (data NULL = open) with from <= start <= to, live ones only, by (key, start). */
int weir__store_fetch(struct weir__store *store, struct weir_bytes key_from, struct weir_bytes key_to, int64_t from,
                      int64_t to, enum weir_order order, struct weir__rows **ret);
/* Rows with from <= start < to in (start, key) order, expired or not: what emit-on-close looks at. */
int  weir__store_due(struct weir__store *store, int64_t from, int64_t to, struct weir__rows **ret);
int  weir__rows_next(struct weir__rows *rows,
                     struct weir__row  *ret); /* WEIR_NOTFOUND at the end; borrowed until next */
void weir__rows_close(struct weir__rows *rows);

/* ---- windows by key time: what is known of a key besides its rows ---- */

/* Kept as one more row of the key, in the changelog too, with this for its start. */
#define WEIR__HEAD_START INT64_C(-1)
#define WEIR__NO_END     INT64_MAX /* of what there is none of */

struct weir__key_head {
    int64_t time;      /* greatest event time of its records, ms; -1 = none yet */
    int64_t touched;   /* wall time of the last one, ms */
    int64_t open_end;  /* no window that ends before it is still to be closed; NO_END = none is */
    int64_t rows_end;  /* no row ends before it; NO_END = there are no rows */
    int64_t last_end;  /* no row ends after it */
    int64_t step;      /* between all ends of rows and last_end lie multiples of it; 0 = no row ends elsewhere */
    int64_t closed_to; /* windows that end by then were closed by the clock; 0 = none */
    int64_t gone_to;   /* windows that end by then have left with their key; 0 = none */
};
/* WEIR_NOTFOUND; WEIR_CORRUPT. */
int weir__store_head(struct weir__store *store, struct weir_bytes key, struct weir__key_head *ret);
int weir__store_put_head(struct weir__store *store, struct weir_bytes key,
                         const struct weir__key_head *head); /* NULL: none */
/* All heads by key: rows whose value weir__key_head_read reads. */
int weir__store_heads(struct weir__store *store, struct weir__rows **ret);
int weir__key_head_read(struct weir_bytes value, struct weir__key_head *ret);
/* Deletes a window's row for good: the listener first hears what is new in it, then, with spec.tombstones, that it has
 * expired. No row is no error. */
int weir__store_forget(struct weir__store *store, struct weir_bytes key, int64_t start, int64_t timestamp);

/* ---- the commit cycle ---- */

/* Hands every unflushed change to the listener, in order of last update. Changes that the listener itself
 * makes are handed out too. */
int    weir__store_flush(struct weir__store *store);
size_t weir__store_dirty_bytes(const struct weir__store *store); /* uncommitted rows, bytes of memory */
/* Deletes rows whose segment has expired (dirty, so the next batch carries it); with spec.tombstones the
 * listener hears of each. At most `max` rows a call. */
int weir__store_expire(struct weir__store *store, size_t max);
/* How much older than the truth the written time of being in step may get, ms. */
#define WEIR__RENEW_MS INT64_C(3600000)

/* How a store stands to its changelog. */
struct weir__standing {
    int64_t offset; /* next to read; -1 = none */
    int64_t synced; /* wall clock, ms: nothing that the store lacks was appended before; 0 = not known */
    bool    marked; /* what stands at `offset` is the marker of the store's own transaction */
};
#define WEIR__NOWHERE ((struct weir__standing){ .offset = -1 })

/* After the commit: adds this store's changes and standing to the batch. now: NULL = as before; offset -1 = the commit
 * brought nothing to the changelog. After the batch is written: committed. */
struct weir__batch {
    struct weir__write *writes;
    size_t              count, capacity;
    struct weir_arena   arena;
};
int  weir__store_collect(struct weir__store *store, const struct weir__standing *now, struct weir__batch *batch);
void weir__store_committed(struct weir__store *store); /* rows stay as clean ones, up to keep_bytes of memory */
/* After the commit, instead of both: the changes are held in memory until a later collect. A crash replays them from
 * the changelog, so only where weir__store_may_hold. */
void   weir__store_hold(struct weir__store *store, const struct weir__standing *now);
bool   weir__store_may_hold(const struct weir__store *store);   /* logged, not LRU, not shared */
size_t weir__store_held_bytes(const struct weir__store *store); /* committed rows not yet written, bytes of memory */
void   weir__store_share(struct weir__store *store); /* others read the engine: each commit writes from now on */
void   weir__store_keep(struct weir__store *store, size_t keep_bytes);
void   weir__store_drop(struct weir__store *store); /* abort: forgets what was not committed */
struct weir__standing weir__store_standing(const struct weir__store *store); /* as committed */
/* All that was appended to the changelog before `at` is in the store. */
void weir__store_sync(struct weir__store *store, int64_t at);

/* Applies changelog records (key and value as in the changelog, timestamp the record's) straight to the engine,
 * with `next` as the new offset. `into` as weir__store_collect's batch; written by the caller. */
int weir__store_restore(struct weir__store *store, const struct weir__raw *records, size_t count, int64_t next);
/* Empties a store and forgets its offset (the changelog no longer covers it). */
int weir__store_wipe(struct weir__store *store);

/* ---- reading by other threads (peek.c) ---- */

/* What another thread needs to read what is written of a store: good until the store closes, which somebody above us
 * keeps from happening during a call. */
struct weir__peek {
    struct weir__store_spec    spec;
    const struct weir__engine *engine;
    struct weir__db           *db;
    uint32_t                   family;
};
void weir__store_peek(const struct weir__store *store, struct weir__peek *ret); /* the task's thread */
/* start: windows. WEIR_NOTFOUND; copied into the arena. */
int weir__peek_get(const struct weir__peek *peek, struct weir_bytes key, int64_t start, struct weir_arena *arena,
                   struct weir__value *ret);

struct weir__peek_range {
    struct weir_bytes from, to;             /* plain keys, inclusive; data NULL = open */
    int64_t           start_from, start_to; /* windows, inclusive */
    enum weir_order   order;
};
struct weir__peeked {
    struct weir_bytes place; /* the row's key as the engine orders it */
    struct weir__row  row;
};
/* The rows after the place `after` (data NULL: the first ones), at most max and about as many as make a page, copied
 * into the arena; one moment's. *ret_count 0: there are no more. */
int  weir__peek_page(const struct weir__peek *peek, const struct weir__peek_range *range, struct weir_bytes after,
                     struct weir_arena *arena, struct weir__peeked *rows, size_t max, size_t *ret_count);
void weir__peek_figures(const struct weir__peek *peek, struct weir__figures *ret);

#endif
