/* rows.c: reading many rows: the engine's and the dirty map's, merged in order.
 *
 * (1) A key that is dirty is read from the map alone; the engine's row of it is passed over.
 * (2) The dirty keys are those at the time of opening; their values those at the time of reading.
 */
#include <stdlib.h>

#include "framework/store/internal.h"

struct weir__rows {
    struct weir__store *store;
    struct weir__iter  *iter;
    enum weir_order     order;
    bool                by_index; /* weir__store_due */
    struct weir_bytes  *dirty;    /* row keys in the order of reading */
    size_t              dirty_count, dirty_at;
    struct weir_arena   arena;
    bool                has_engine, engine_done;
    struct weir_bytes   engine_key; /* row key */
    struct weir__value  engine_value;
    struct weir__buf    row_key, fetched, scratch;
    struct weir_bytes   from, to;             /* plain keys, inclusive; data NULL = open */
    int64_t             start_from, start_to; /* inclusive */
};

/* ---- order ---- */

static int compare_index(struct weir_bytes a, struct weir_bytes b)
{
    int64_t start_a = weir__row_start(a), start_b = weir__row_start(b);
    int     order;

    if (start_a != start_b)
        return start_a < start_b ? -1 : 1;
    order = weir__bytes_compare(weir__row_plain(a), weir__row_plain(b));
    return order != 0 ? order : weir__bytes_compare(a, b);
}

static int by_key(const void *a, const void *b)
{
    return weir__bytes_compare(*(const struct weir_bytes *)a, *(const struct weir_bytes *)b);
}

static int by_start(const void *a, const void *b)
{
    return compare_index(*(const struct weir_bytes *)a, *(const struct weir_bytes *)b);
}

static int compare(const struct weir__rows *rows, struct weir_bytes a, struct weir_bytes b)
{
    int order = rows->by_index ? compare_index(a, b) : weir__bytes_compare(a, b);

    return rows->order == WEIR_ASCENDING ? order : -order;
}

/* ---- which rows ---- */

static bool wanted(const struct weir__rows *rows, struct weir_bytes key)
{
    struct weir_bytes plain = key;

    if (rows->store->spec->kind == WEIR__STORE_WINDOWS) {
        int64_t start;

        if (key.size < WINDOW_SUFFIX)
            return false;
        start = weir__row_start(key);
        if (start < rows->start_from || start > rows->start_to)
            return false;
        plain = weir__row_plain(key);
    }
    return (rows->from.data == NULL || weir__bytes_compare(plain, rows->from) >= 0) &&
           (rows->to.data == NULL || weir__bytes_compare(plain, rows->to) <= 0);
}

static int add_dirty(struct weir__rows *rows)
{
    struct weir__store *store = rows->store;
    struct entry       *entry;
    size_t              capacity = 0;

    TAILQ_FOREACH(entry, &store->dirty, life) {
        struct weir_bytes key = BYTES(entry->key, entry->key_size);
        void             *copy;

        if (!wanted(rows, key))
            continue;
        copy = weir__arena_copy(&rows->arena, key.data, key.size);
        if (copy == NULL || GROW(rows->dirty, capacity, rows->dirty_count) < 0)
            return WEIR_NO_MEMORY;
        rows->dirty[rows->dirty_count++] = BYTES(copy, key.size);
    }
    if (rows->dirty_count > 1)
        qsort(rows->dirty, rows->dirty_count, sizeof(*rows->dirty), rows->by_index ? by_start : by_key);
    for (size_t i = 0; rows->order == WEIR_DESCENDING && i < rows->dirty_count / 2; i++) {
        struct weir_bytes swap = rows->dirty[i];

        rows->dirty[i] = rows->dirty[rows->dirty_count - 1 - i];
        rows->dirty[rows->dirty_count - 1 - i] = swap;
    }
    return WEIR_OK;
}

/* ---- the engine's side ---- */

static int index_to_row(struct weir__rows *rows, struct weir_bytes key)
{
    const char *at = (const char *)key.data + 1;
    size_t      plain;

    if (key.size < 1 + WINDOW_SUFFIX)
        return WEIR_CORRUPT;
    plain = key.size - 1 - WINDOW_SUFFIX;
    weir__buf_reset(&rows->row_key);
    weir__buf_add(&rows->row_key, at + sizeof(int64_t), plain);
    weir__buf_add(&rows->row_key, at, sizeof(int64_t));
    weir__buf_add(&rows->row_key, at + sizeof(int64_t) + plain, sizeof(int32_t));
    return weir__buf_ok(&rows->row_key) ? WEIR_OK : WEIR_NO_MEMORY;
}

/* The engine's next wanted row that is not dirty, into engine_key and (by key) engine_value. */
static int advance_engine(struct weir__rows *rows)
{
    struct weir__store *store = rows->store;
    struct weir_bytes   key, value;
    int                 err;

    while ((err = store->engine->next(rows->iter, &key, &value)) == WEIR_OK) {
        const struct entry *entry;

        if (rows->by_index) {
            err = index_to_row(rows, key);
            if (err < 0)
                return err;
            key = BYTES(rows->row_key.data, rows->row_key.size);
        } else {
            key = BYTES((const char *)key.data + 1, key.size - 1);
        }
        if (!wanted(rows, key))
            continue;
        entry = weir__entry_find(store, key);
        if (entry != NULL && entry->dirty)
            continue;
        rows->engine_key = key;
        rows->has_engine = true;
        return rows->by_index ? WEIR_OK : weir__engine_value(store, value, &rows->engine_value);
    }
    rows->engine_done = true;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* By index the value is a second read; it is copied, as the engine lends it only until its next call. */
static int fetch_value(struct weir__rows *rows)
{
    struct weir__store *store = rows->store;
    struct weir_bytes   bytes;
    int                 err = store->engine->get(store->db, store->family,
                                                 weir__engine_key(&rows->scratch, DATA_ROW, rows->engine_key, NO_BYTES), &bytes);

    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_CORRUPT : err;
    weir__buf_reset(&rows->fetched);
    weir__buf_add(&rows->fetched, bytes.data, bytes.size);
    if (!weir__buf_ok(&rows->fetched))
        return WEIR_NO_MEMORY;
    return weir__engine_value(store, BYTES(rows->fetched.data, rows->fetched.size), &rows->engine_value);
}

/* ---- the merge ---- */

static void show(const struct weir__rows *rows, struct weir_bytes key, struct weir__value value,
                 struct weir__row *ret)
{
    *ret = (struct weir__row){ .key = key, .value = value };
    if (rows->store->spec->kind == WEIR__STORE_WINDOWS) {
        ret->key = weir__row_plain(key);
        ret->start = weir__row_start(key);
    }
}

int weir__rows_next(struct weir__rows *rows, struct weir__row *ret)
{
    for (;;) {
        const struct entry *entry;
        struct weir_bytes   key;
        int                 err = WEIR_OK;

        if (!rows->has_engine && !rows->engine_done)
            err = advance_engine(rows);
        if (err < 0)
            return err;
        if (rows->has_engine && (rows->dirty_at == rows->dirty_count ||
                                 compare(rows, rows->engine_key, rows->dirty[rows->dirty_at]) < 0)) {
            rows->has_engine = false;
            if (rows->by_index && (err = fetch_value(rows)) < 0)
                return err;
            show(rows, rows->engine_key, rows->engine_value, ret);
            return WEIR_OK;
        }
        if (rows->dirty_at == rows->dirty_count)
            return WEIR_NOTFOUND;
        key = rows->dirty[rows->dirty_at++];
        entry = weir__entry_find(rows->store, key);
        if (entry == NULL || !entry->now.exists)
            continue;
        show(rows, key, weir__version_value(rows->store, &entry->now), ret);
        return WEIR_OK;
    }
}

void weir__rows_close(struct weir__rows *rows)
{
    if (rows == NULL)
        return;
    if (rows->iter != NULL)
        rows->store->engine->iter_close(rows->iter);
    weir__free(rows->dirty);
    weir__buf_fini(&rows->row_key);
    weir__buf_fini(&rows->fetched);
    weir__buf_fini(&rows->scratch);
    weir__arena_fini(&rows->arena);
    weir__free(rows);
}

/* ---- opening ---- */

static struct weir__rows *rows_new(struct weir__store *store, enum weir_order order)
{
    struct weir__rows *rows = weir__zalloc(sizeof(*rows));

    if (rows == NULL)
        return NULL;
    rows->store = store;
    rows->order = order;
    rows->start_to = INT64_MAX;
    return rows;
}

static int keep_ends(struct weir__rows *rows, struct weir_bytes from, struct weir_bytes to)
{
    rows->from = BYTES(weir__arena_copy(&rows->arena, from.data, from.size), from.size);
    rows->to = BYTES(weir__arena_copy(&rows->arena, to.data, to.size), to.size);
    if (from.data == NULL)
        rows->from = NO_BYTES;
    if (to.data == NULL)
        rows->to = NO_BYTES;
    return (from.data != NULL && rows->from.data == NULL) || (to.data != NULL && rows->to.data == NULL)
               ? WEIR_NO_MEMORY
               : WEIR_OK;
}

static int start_rows(struct weir__rows *rows, struct weir_bytes from, struct weir_bytes to, struct weir__rows **ret)
{
    struct weir__store *store = rows->store;
    int                 err = add_dirty(rows);

    if (err == WEIR_OK)
        err = store->engine->iterate(store->db, store->family, from, to, rows->order, &rows->iter);
    if (err < 0) {
        weir__rows_close(rows);
        return err;
    }
    *ret = rows;
    return WEIR_OK;
}

/* Engine bounds of all rows whose plain key lies in rows->from..to: a little wide, `wanted` does the rest. */
static int start_keys(struct weir__rows *rows, struct weir__rows **ret)
{
    struct weir__buf  low = { 0 }, high = { 0 };
    struct weir_bytes to = rows->to;
    int               err;

    weir__engine_key(&low, DATA_ROW, rows->from, NO_BYTES);
    if (to.data != NULL && rows->store->spec->kind != WEIR__STORE_WINDOWS) {
        weir__engine_key(&high, DATA_ROW, to, BYTES("\0", 1)); /* the first key after `to` */
    } else if (to.data != NULL) {
        /* a shorter key's window start may sort behind `to`: every key up to `to` begins with at most its first byte,
         * an empty one with a start, whose first byte is at most 0x7f */
        unsigned char first = to.size > 0 ? *(const unsigned char *)to.data : 0;
        unsigned char last = MAX(first, 0x7f);

        if (last < 0xff) {
            last++;
            weir__engine_key(&high, DATA_ROW, BYTES(&last, 1), NO_BYTES);
        }
    }
    if (high.size == 0)
        weir__engine_key(&high, INDEX_ROW, NO_BYTES, NO_BYTES);
    err = start_rows(rows, BYTES(low.data, low.size), BYTES(high.data, high.size), ret);
    weir__buf_fini(&low);
    weir__buf_fini(&high);
    return err;
}

int weir__store_range(struct weir__store *store, struct weir_bytes from, struct weir_bytes to, enum weir_order order,
                      struct weir__rows **ret)
{
    struct weir__rows *rows = rows_new(store, order);

    if (rows == NULL)
        return WEIR_NO_MEMORY;
    if (keep_ends(rows, from, to) < 0) {
        weir__rows_close(rows);
        return WEIR_NO_MEMORY;
    }
    return start_keys(rows, ret);
}

int weir__store_prefix(struct weir__store *store, struct weir_bytes prefix, struct weir__rows **ret)
{
    char              high[256];
    struct weir_bytes to = NO_BYTES;
    size_t            size = MIN(prefix.size, sizeof(high));

    /* the last key that begins with the prefix: no key is 0xff all through its first 256 bytes after it */
    if (prefix.size + 1 < sizeof(high)) {
        memset(high, 0xff, sizeof(high));
        if (size > 0)
            memcpy(high, prefix.data, size);
        to = BYTES(high, sizeof(high));
    }
    return weir__store_range(store, prefix, to, WEIR_ASCENDING, ret);
}

/* One key's windows: exact engine bounds, the hot case. */
static int start_key(struct weir__rows *rows, struct weir__rows **ret)
{
    struct weir__buf low = { 0 }, high = { 0 };
    char             from[sizeof(int64_t)], to[WINDOW_SUFFIX + 1];
    int              err;

    weir__put_be64(from, (uint64_t)rows->start_from);
    weir__put_be64(to, (uint64_t)rows->start_to);
    memset(to + sizeof(int64_t), 0xff, sizeof(int32_t) + 1);
    weir__engine_key(&low, DATA_ROW, rows->from, BYTES(from, sizeof(from)));
    weir__engine_key(&high, DATA_ROW, rows->from, BYTES(to, sizeof(to)));
    err = start_rows(rows, BYTES(low.data, low.size), BYTES(high.data, high.size), ret);
    weir__buf_fini(&low);
    weir__buf_fini(&high);
    return err;
}

/* All rows in (start, key) order between the starts wanted. */
static int start_index(struct weir__rows *rows, struct weir__rows **ret)
{
    char low[1 + sizeof(int64_t)] = { INDEX_ROW }, high[1 + sizeof(int64_t)] = { INDEX_ROW };

    rows->by_index = true;
    weir__put_be64(low + 1, (uint64_t)rows->start_from);
    weir__put_be64(high + 1, (uint64_t)rows->start_to + 1);
    return start_rows(rows, BYTES(low, sizeof(low)), BYTES(high, sizeof(high)), ret);
}

int weir__store_fetch(struct weir__store *store, struct weir_bytes key_from, struct weir_bytes key_to, int64_t from,
                      int64_t to, enum weir_order order, struct weir__rows **ret)
{
    struct weir__rows *rows = rows_new(store, order);

    if (rows == NULL)
        return WEIR_NO_MEMORY;
    rows->start_from = MAX(MAX(from, 0), weir__oldest_shown(store));
    rows->start_to = to;
    if (keep_ends(rows, key_from, key_to) < 0) {
        weir__rows_close(rows);
        return WEIR_NO_MEMORY;
    }
    if (key_from.data != NULL && key_to.data != NULL && weir__bytes_equal(key_from, key_to))
        return start_key(rows, ret);
    if (store->spec->in_memory) /* upstream's in-memory store keeps time before key */
        return start_index(rows, ret);
    return start_keys(rows, ret);
}

int weir__store_due(struct weir__store *store, int64_t from, int64_t to, struct weir__rows **ret)
{
    struct weir__rows *rows = rows_new(store, WEIR_ASCENDING);

    if (rows == NULL)
        return WEIR_NO_MEMORY;
    rows->start_from = MAX(from, 0);
    rows->start_to = MAX(to, 0) - 1;
    return start_index(rows, ret);
}
