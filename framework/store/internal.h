/* internal.h: the inside of a store: entries of the dirty map, and keys as the engine has them.
 *
 * Rows in the engine's column family, by first byte:
 *   0x00                                the reserved row: int64 changelog offset, byte format, int64 observed time
 *   0x01 key                            a row; windows: key, int64 start, int32 seq as in the changelog
 *   0x02 start key seq                  windows: the index by (start, key), empty
 * Values: timestamped stores int64 timestamp, value; plain ones the value. Integers big-endian.
 */
#ifndef WEIR_STORE_INTERNAL_H
#define WEIR_STORE_INTERNAL_H

#include <sys/queue.h>

#include "framework/store/store.h"

enum { META_ROW = 0x00, DATA_ROW = 0x01, INDEX_ROW = 0x02 };
#define FORMAT_VERSION 1
#define WINDOW_SUFFIX  (sizeof(int64_t) + sizeof(int32_t)) /* start and seq after the plain key */

struct version {
    char   *data;
    size_t  size, capacity;
    bool    exists;
    int64_t timestamp;
};

struct entry {
    struct version      now;     /* what reads see */
    struct version      settled; /* what the listener was last told; meaningful unless `same` */
    bool                same;    /* settled equals now */
    bool                dirty, unflushed, in_engine;
    struct weir_header *headers; /* of the last unflushed update; one block */
    size_t              header_count;
    TAILQ_ENTRY(entry)  life;  /* in store->dirty or store->clean */
    TAILQ_ENTRY(entry)  flush; /* in store->unflushed */
    size_t              key_size;
    char                key[];
};
TAILQ_HEAD(entries, entry);

struct weir__store {
    const struct weir__store_spec *spec;
    const struct weir__engine     *engine;
    struct weir__db               *db;
    bool                           own_db;
    uint32_t                       family;
    struct weir__map               map;
    struct entries                 dirty, clean, unflushed;
    size_t                         dirty_bytes, clean_bytes, keep_bytes, rows; /* rows: LRU */
    weir__on_change               *on_change;
    void                          *on_change_arg;
    int64_t                        offset;
    int64_t                        observed, committed_observed;
    int64_t                        expired_to; /* starts below it are gone */
    int32_t                        seq;
    struct weir__buf               key; /* scratch */
};

/* entry.c */
struct entry *weir__entry_find(const struct weir__store *store, struct weir_bytes key);
/* Finds, or loads from the engine (also the absence). NULL on failure with *ret_err. */
struct entry      *weir__entry_load(struct weir__store *store, struct weir_bytes key, int *ret_err);
int                weir__entry_put(struct weir__store *store, struct entry *entry, const struct weir__value *value);
int                weir__entry_tell(struct weir__store *store, struct entry *entry, bool expired);
void               weir__entry_free(struct weir__store *store, struct entry *entry);
void               weir__entries_trim(struct weir__store *store);
void               weir__entries_clear(struct weir__store *store, struct entries *entries);
struct weir__value weir__version_value(const struct weir__store *store, const struct version *version);

/* Parts of a window row's key. */
static inline int64_t weir__row_start(struct weir_bytes key)
{
    return (int64_t)weir__get_be64((const char *)key.data + key.size - WINDOW_SUFFIX);
}
static inline struct weir_bytes weir__row_plain(struct weir_bytes key)
{
    return BYTES(key.data, key.size - WINDOW_SUFFIX);
}
/* An engine key: type byte and up to three parts, in the buffer. NO_BYTES without memory. */
struct weir_bytes weir__engine_key(struct weir__buf *buf, int type, struct weir_bytes a, struct weir_bytes b);
struct weir_bytes weir__index_key(struct weir__buf *buf, struct weir_bytes row_key);
/* Engine value to value. WEIR_CORRUPT. */
int  weir__engine_value(const struct weir__store *store, struct weir_bytes bytes, struct weir__value *ret);
bool weir__start_expired(const struct weir__store *store, int64_t start);
/* Starts below it are not shown. */
int64_t weir__oldest_shown(const struct weir__store *store);
/* Starts below it belong to expired segments. */
int64_t weir__expiry_bound(const struct weir__store *store);
int     weir__meta_write(struct weir__store *store, struct weir__batch *batch, int64_t offset);
int     weir__batch_add(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key,
                        struct weir_bytes value);
/* Writes data and index of a row, or deletes both. */
int weir__batch_row(struct weir__store *store, struct weir__batch *batch, struct weir_bytes key,
                    const struct weir__value *value, bool index);

#endif
