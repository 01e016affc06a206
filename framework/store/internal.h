/* internal.h: the inside of a store: entries of the dirty map, and keys as the engine has them.
 *
 * Rows in the engine's column family, by first byte:
 *   0x00                                the reserved row: int64 changelog offset, byte format, int64 observed time,
 *                                       int32 last seq, int64 when it was in step with the changelog, byte whether its
 *                                       own marker stands at the offset
 *   0x01 key                            a row; windows: key, int64 start, int32 seq as in the changelog
 *   0x02 start key seq                  windows: the index by (start, key), empty; not of windows by key time
 *   0x03 key, int64 -1, int32 0         windows by key time: the key's head, apart so that a restart reads heads alone
 * Values: timestamped stores int64 timestamp, value; plain ones the value. Windows that keep their end: int64 end before
 * the value, in the changelog too (a head's is 0). Integers big-endian.
 */
#ifndef WEIR_STORE_INTERNAL_H
#define WEIR_STORE_INTERNAL_H

#include <sys/queue.h>

#include "framework/store/store.h"

enum { META_ROW = 0x00, DATA_ROW = 0x01, INDEX_ROW = 0x02, HEAD_ROW = 0x03 };
#define FORMAT_VERSION 1
#define WINDOW_SUFFIX  (sizeof(int64_t) + sizeof(int32_t)) /* start and seq after the plain key */
/* Places in the reserved row. */
enum { META_FORMAT = 8, META_OBSERVED = 9, META_SEQ = 17, META_SYNCED = 21, META_MARKED = 29, META_BYTES = 30 };
#define META_LEAST META_SYNCED /* as it was written before it had the rest */

struct version {
    char   *data;
    size_t  size, capacity;
    bool    exists;
    int64_t timestamp, end;
};

struct entry {
    struct version      now;       /* what reads see */
    struct version      settled;   /* what the listener was last told; meaningful unless `same` */
    struct version      committed; /* of a row that was held when it became dirty: what an abort brings back */
    bool                same;      /* settled equals now */
    bool                dirty, unflushed, in_engine;
    bool                unwritten; /* the engine does not have it as it is: dirty or held */
    bool                held;      /* committed, unwritten; dirty as well: see `committed` */
    bool                used;      /* in store->used */
    bool                stale;     /* now is to be read from the engine again */
    unsigned            lent;      /* how many listeners hold this entry's memory */
    uint64_t            serial;    /* when it became unwritten, among the store's entries */
    struct weir_header *headers;   /* of the last unflushed update; one block */
    size_t              header_count, header_bytes;
    TAILQ_ENTRY(entry)  life;   /* in store->unwritten, store->clean or store->dead */
    TAILQ_ENTRY(entry)  change; /* in store->dirty */
    TAILQ_ENTRY(entry)  flush;  /* in store->unflushed */
    TAILQ_ENTRY(entry)  use;    /* LRU: in store->used while it has a row */
    size_t              key_size;
    char                key[];
};
TAILQ_HEAD(entries, entry);

/* The unwritten entries in one order, brought up to date only when somebody reads a range (view.c). */
enum { BY_KEY, BY_START, VIEWS };
enum { CHUNK_ITEMS = 256 };
struct chunk {
    size_t        count;
    struct entry *items[CHUNK_ITEMS];
};
struct view {
    struct chunk **chunks;
    size_t         count, capacity; /* of chunks */
    struct entry **fresh;           /* room for what came since */
    size_t         fresh_capacity;
    uint64_t       serial;  /* of the last of store->unwritten that is in */
    uint64_t       changes; /* moves with each change of the chunks */
};

/* Between two items of a view, or at one of its ends. */
struct place {
    size_t chunk, item;
};

struct weir__store {
    const struct weir__store_spec *spec;
    const struct weir__engine     *engine;
    struct weir__db               *db;
    bool                           own_db;
    uint32_t                       family;
    struct weir__map               map;
    struct entries                 unwritten, dirty, clean; /* unwritten, dirty: in the order they became so */
    struct entries                 dead; /* left the map without ever being in the engine; a view may know them */
    struct entries                 unflushed, used; /* used: LRU, least used first */
    struct view                    views[VIEWS];
    uint64_t                       serial; /* of the last entry to become unwritten */
    size_t                         dirty_bytes, held_bytes, clean_bytes, keep_bytes;
    size_t                         dead_count, rows; /* rows: LRU */
    bool                           shared;           /* others read the engine: nothing is held back */
    weir__on_change               *on_change;
    void                          *on_change_arg;
    unsigned                       lending; /* listeners under way */
    void                         **parked;  /* memory that a listener may still hold; freed when none is under way */
    size_t                         parked_count, parked_capacity;
    struct weir__standing          standing, written;                 /* as committed; as the engine has it */
    int64_t           observed, committed_observed, written_observed; /* greatest start put; of the engine's rows */
    int64_t           expired_to;                                     /* starts below it are gone */
    int32_t           seq, committed_seq;
    struct weir__buf  key;   /* scratch */
    struct weir_bytes after; /* rows that are opened begin after this row's key; data NULL = at their beginning */
};

/* entry.c */
struct entry *weir__entry_find(const struct weir__store *store, struct weir_bytes key);
/* Finds, or loads from the engine (also the absence). NULL on failure with *ret_err. */
struct entry *weir__entry_load(struct weir__store *store, struct weir_bytes key, int *ret_err);
int           weir__entry_put(struct weir__store *store, struct entry *entry, const struct weir__value *value);
/* Hands the change to the listener (to nobody where that is NULL). */
int weir__entry_tell(struct weir__store *store, struct entry *entry, bool expired);
/* Deletes without forwarding; the changelog hears of it where the store writes tombstones. */
int weir__entry_expire(struct weir__store *store, struct entry *entry, int64_t timestamp);
/* Forgets that there is something to tell. */
void weir__entry_settle(struct weir__store *store, struct entry *entry);
void weir__entry_used(struct weir__store *store, struct entry *entry);
/* Written, or taken back: the engine has it as it is. */
void weir__entry_clean(struct weir__store *store, struct entry *entry);
/* Committed but not written. A row that came and went is let go. */
void weir__entry_hold(struct weir__store *store, struct entry *entry);
/* Back to the committed value that was held. */
void weir__entry_revert(struct weir__store *store, struct entry *entry);
void weir__entry_free(struct weir__store *store, struct entry *entry);
/* Lets clean entries go, the oldest first, but not `spare` (may be NULL). */
void               weir__entries_trim(struct weir__store *store, const struct entry *spare);
void               weir__entries_clear(struct weir__store *store, struct entries *entries);
void               weir__entries_bury(struct weir__store *store); /* frees the dead ones */
struct weir__value weir__version_value(const struct weir__store *store, const struct version *version);

/* heads.c: whether the head of the row's key, where that is in memory, says that there is no such row. */
bool weir__head_rules_out(const struct weir__store *store, struct weir_bytes row_key);

/* store.c: a window's row key, written to `to`. */
struct weir_bytes weir__window_key(char *to, struct weir_bytes key, int64_t start, int32_t seq);
/* The entry of a window's row, as weir__entry_load. */
struct entry *weir__window_load(struct weir__store *store, struct weir_bytes key, int64_t start, int32_t seq,
                                int *ret_err);
void          weir__store_init(struct weir__store *store, const struct weir__store_spec *spec,
                               const struct weir__engine *engine);
void          weir__store_fini(struct weir__store *store); /* all but the database */
int           weir__meta_take(struct weir__store *store, struct weir_bytes bytes, struct weir_error *reterr);

/* rows.c: the row's key that was shown last. */
struct weir_bytes weir__rows_place(const struct weir__rows *rows);

/* view.c */
int  weir__view_refresh(struct weir__store *store, int which); /* WEIR_NO_MEMORY */
void weir__views_reset(struct weir__store *store);             /* nothing is unwritten any more */
void weir__views_bury(struct weir__store *store);              /* takes out what is in store->dead */
void weir__views_fini(struct weir__store *store);
bool weir__view_has(const struct view *view, const struct entry *entry);
/* Before the first item that is not before key (nor at it, when `at` is set). */
struct place weir__view_seek(const struct view *view, int which, struct weir_bytes key, bool at);
struct place weir__view_end(const struct view *view);
/* The item after or before a place, which stays; NULL = none. Step over it by item++ or item--. */
struct entry *weir__view_next(const struct view *view, struct place *place);
struct entry *weir__view_previous(const struct view *view, struct place *place);
/* The order of row keys in a view: by bytes, or by start, plain key, bytes. */
int weir__row_compare(int which, struct weir_bytes a, struct weir_bytes b);

/* Parts of a window row's key. */
static inline int64_t weir__row_start(struct weir_bytes key)
{
    return (int64_t)weir__get_be64((const char *)key.data + key.size - WINDOW_SUFFIX);
}
static inline int32_t weir__row_seq(struct weir_bytes key)
{
    return (int32_t)(weir__get_be32((const char *)key.data + key.size - sizeof(int32_t)) & INT32_MAX);
}
static inline struct weir_bytes weir__row_plain(struct weir_bytes key)
{
    return BYTES(key.data, key.size - WINDOW_SUFFIX);
}
static inline bool weir__row_is_head(const struct weir__store *store, struct weir_bytes key)
{
    return store->spec->keyed && weir__row_start(key) == WEIR__HEAD_START;
}
static inline int weir__row_type(const struct weir__store *store, struct weir_bytes key)
{
    return weir__row_is_head(store, key) ? HEAD_ROW : DATA_ROW;
}
/* Whether rows are found by (start, key) too. */
static inline bool weir__indexed(const struct weir__store *store)
{
    return store->spec->kind == WEIR__STORE_WINDOWS && !store->spec->keyed;
}
static inline struct weir_bytes weir__entry_key(const struct entry *entry)
{
    return BYTES(entry->key, entry->key_size);
}
/* An engine key: type byte and two parts, in the buffer. NO_BYTES without memory. */
struct weir_bytes weir__engine_key(struct weir__buf *buf, int type, struct weir_bytes a, struct weir_bytes b);
struct weir_bytes weir__index_key(struct weir__buf *buf, struct weir_bytes row_key);
/* The row key that an index key stands for, in the buffer. WEIR_CORRUPT, WEIR_NO_MEMORY. */
int weir__index_to_row(struct weir__buf *buf, struct weir_bytes index_key, struct weir_bytes *ret);
/* Engine value to value, and the part of it that the changelog has too. WEIR_CORRUPT. */
int  weir__engine_value(const struct weir__store *store, struct weir_bytes bytes, struct weir__value *ret);
int  weir__logged_value(const struct weir__store *store, struct weir_bytes bytes, struct weir__value *ret);
bool weir__start_expired(const struct weir__store *store, int64_t start);
/* Starts below it are not shown. */
int64_t weir__oldest_shown(const struct weir__store *store);
/* Starts below it belong to expired segments. */
int64_t weir__expiry_bound(const struct weir__store *store);
int     weir__meta_write(struct weir__store *store, struct weir__batch *batch); /* as it stands */
int     weir__batch_add(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key,
                        struct weir_bytes value);
/* Writes a row, or deletes it (value->bytes.data NULL); windows: the same for its place in the index. */
int weir__batch_row(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key,
                    const struct weir__value *value);
int weir__batch_index(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key, bool exists);

#endif
