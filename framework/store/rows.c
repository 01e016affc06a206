/* rows.c: reading many rows: the engine's and the dirty map's, merged in order.
 *
 * (1) A key that is in the view of unwritten entries is read from there alone; the engine's row of it is passed over.
 * (2) Puts while rows are being read are fine: each key comes once, with its value at that time; one that is new to the
 *     engine may be missed.
 */
#include "framework/store/internal.h"

struct weir__rows {
    struct weir__store *store;
    struct weir__iter  *iter;
    enum weir_order     order;
    int                 which;                /* BY_KEY, BY_START: the order */
    struct weir_bytes   low, high;            /* by key: low <= row key < high; data NULL = open */
    struct weir_bytes   from, to;             /* windows: plain keys, inclusive; data NULL = open */
    int64_t             start_from, start_to; /* windows, inclusive */
    bool                has_engine, engine_done;
    struct weir_bytes   engine_key, engine_value; /* row key; the value as the engine has it */
    struct place        at;      /* in the view: before the next item, or behind it when descending */
    uint64_t            changes; /* of the view when `at` was found */
    bool                begun;
    struct weir__buf    last; /* the row key shown last */
    struct weir__buf    row_key, value, scratch;
    struct weir_arena   arena;
};

static bool forward(const struct weir__rows *rows) { return rows->order == WEIR_ASCENDING; }

static const struct view *view_of(const struct weir__rows *rows) { return &rows->store->views[rows->which]; }

static int compare(const struct weir__rows *rows, struct weir_bytes a, struct weir_bytes b)
{
    int order = weir__row_compare(rows->which, a, b);

    return forward(rows) ? order : -order;
}

/* Whether a window's row is wanted. The bounds of keys are a little wide, those of starts do not hold for all keys. */
static bool wanted(const struct weir__rows *rows, struct weir_bytes key)
{
    struct weir_bytes plain;
    int64_t           start;

    if (rows->store->spec->kind != WEIR__STORE_WINDOWS)
        return true;
    if (key.size < WINDOW_SUFFIX)
        return false;
    start = weir__row_start(key);
    plain = weir__row_plain(key);
    return start >= rows->start_from && start <= rows->start_to &&
           (rows->from.data == NULL || weir__bytes_compare(plain, rows->from) >= 0) &&
           (rows->to.data == NULL || weir__bytes_compare(plain, rows->to) <= 0);
}

/* ---- the side of what is unwritten ---- */

static bool inside(const struct weir__rows *rows, struct weir_bytes key)
{
    if (rows->which == BY_START)
        return forward(rows) ? weir__row_start(key) <= rows->start_to : weir__row_start(key) >= rows->start_from;
    if (forward(rows))
        return rows->high.data == NULL || weir__bytes_compare(key, rows->high) < 0;
    return rows->low.data == NULL || weir__bytes_compare(key, rows->low) >= 0;
}

/* Before all of a start: none of a lesser start comes after its least key. */
static struct place before_start(const struct weir__rows *rows, int64_t start)
{
    char least[WINDOW_SUFFIX] = { 0 };

    if (start < 0)
        return (struct place){ 0 };
    weir__put_be64(least, (uint64_t)start);
    return weir__view_seek(view_of(rows), BY_START, BYTES(least, sizeof(least)), false);
}

static struct place begin(const struct weir__rows *rows)
{
    const struct view *view = view_of(rows);
    struct weir_bytes  bound = forward(rows) ? rows->low : rows->high;

    if (rows->which == BY_START && forward(rows))
        return before_start(rows, rows->start_from);
    if (rows->which == BY_START)
        return rows->start_to == INT64_MAX ? weir__view_end(view) : before_start(rows, rows->start_to + 1);
    if (bound.data != NULL)
        return weir__view_seek(view, BY_KEY, bound, false);
    return forward(rows) ? (struct place){ 0 } : weir__view_end(view);
}

static void seek(struct weir__rows *rows)
{
    rows->changes = view_of(rows)->changes;
    if (rows->begun)
        rows->at =
            weir__view_seek(view_of(rows), rows->which, BYTES(rows->last.data, rows->last.size), forward(rows));
    else
        rows->at = begin(rows);
}

static void step_over(struct weir__rows *rows) { rows->at.item += forward(rows) ? (size_t)1 : (size_t)-1; }

/* The next unwritten entry that has a row, or NULL. It stays the next one. */
static struct entry *next_unwritten(struct weir__rows *rows)
{
    const struct view *view = view_of(rows);
    struct entry      *entry;

    if (rows->changes != view->changes)
        seek(rows);
    while ((entry = (forward(rows) ? weir__view_next : weir__view_previous)(view, &rows->at)) != NULL) {
        if (!inside(rows, weir__entry_key(entry)))
            return NULL;
        if (entry->now.exists && wanted(rows, weir__entry_key(entry)))
            return entry;
        step_over(rows);
    }
    return NULL;
}

/* ---- the engine's side ---- */

/* The engine's next wanted row, into engine_key and engine_value. */
static int advance_engine(struct weir__rows *rows)
{
    const struct weir__engine *engine = rows->store->engine;
    struct weir_bytes          key;
    int                        err;

    while ((err = engine->next(rows->iter, &key, &rows->engine_value)) == WEIR_OK) {
        if (rows->which == BY_START)
            err = weir__index_to_row(&rows->row_key, key, &key);
        else
            key = BYTES((const char *)key.data + 1, key.size - 1);
        if (err < 0)
            return err;
        if (!wanted(rows, key))
            continue;
        rows->engine_key = key;
        rows->has_engine = true;
        return WEIR_OK;
    }
    rows->engine_done = true;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* The value of the engine's row: by start it takes a second read, copied as the engine lends it until its next call. */
static int engine_value(struct weir__rows *rows, struct weir__value *ret)
{
    struct weir__store *store = rows->store;
    struct weir_bytes   row, bytes;
    int                 err;

    if (rows->which == BY_KEY)
        return weir__engine_value(store, rows->engine_value, ret);
    row = weir__engine_key(&rows->scratch, DATA_ROW, rows->engine_key, NO_BYTES); /* no heads by start */
    if (row.data == NULL)
        return WEIR_NO_MEMORY;
    err = store->engine->get(store->db, store->family, row, &bytes);
    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_CORRUPT : err;
    weir__buf_reset(&rows->value);
    weir__buf_add(&rows->value, bytes.data, bytes.size);
    weir__buf_putc(&rows->value, '\0'); /* never without memory, however empty */
    if (!weir__buf_ok(&rows->value))
        return WEIR_NO_MEMORY;
    return weir__engine_value(store, BYTES(rows->value.data, bytes.size), ret);
}

/* A copy of the entry's value: a put of the same key must not pull it away. */
static int entry_value(struct weir__rows *rows, const struct entry *entry, struct weir__value *ret)
{
    struct weir__value value = weir__version_value(rows->store, &entry->now);

    weir__buf_reset(&rows->value);
    weir__buf_add(&rows->value, value.bytes.data, value.bytes.size);
    weir__buf_putc(&rows->value, '\0');
    if (!weir__buf_ok(&rows->value))
        return WEIR_NO_MEMORY;
    value.bytes.data = rows->value.data;
    *ret = value;
    return WEIR_OK;
}

/* ---- the merge ---- */

static int show(struct weir__rows *rows, struct weir_bytes key, struct weir__value value, struct weir__row *ret)
{
    weir__buf_reset(&rows->last);
    weir__buf_add(&rows->last, key.data, key.size);
    weir__buf_putc(&rows->last, '\0');
    if (!weir__buf_ok(&rows->last))
        return WEIR_NO_MEMORY;
    rows->last.size = key.size;
    rows->begun = true;
    key = BYTES(rows->last.data, key.size);
    *ret = (struct weir__row){ .key = key, .value = value };
    if (rows->store->spec->kind == WEIR__STORE_WINDOWS) {
        ret->key = weir__row_plain(key);
        ret->start = weir__row_start(key);
    }
    return WEIR_OK;
}

static int show_entry(struct weir__rows *rows, const struct entry *entry, struct weir__row *ret)
{
    struct weir__value value;
    int                err = entry_value(rows, entry, &value);

    return err < 0 ? err : show(rows, weir__entry_key(entry), value, ret);
}

/* WEIR_AGAIN: the engine's row is hidden by one that is unwritten. */
static int show_engine(struct weir__rows *rows, struct weir__row *ret)
{
    const struct entry *entry = NULL;
    struct weir__value  value;
    int                 err;

    if (!TAILQ_EMPTY(&rows->store->unwritten))
        entry = weir__entry_find(rows->store, rows->engine_key);
    if (entry != NULL && entry->unwritten) {
        if (weir__view_has(view_of(rows), entry) || !entry->now.exists)
            return WEIR_AGAIN;
        return show_entry(rows, entry, ret); /* written after the rows were opened */
    }
    err = engine_value(rows, &value);
    return err < 0 ? err : show(rows, rows->engine_key, value, ret);
}

int weir__rows_next(struct weir__rows *rows, struct weir__row *ret)
{
    int err = WEIR_AGAIN;

    while (err == WEIR_AGAIN) {
        struct entry *entry = next_unwritten(rows);
        int           order;

        if (!rows->has_engine && !rows->engine_done && (err = advance_engine(rows)) < 0)
            return err;
        if (!rows->has_engine && entry == NULL)
            return WEIR_NOTFOUND;
        order = !rows->has_engine ? 1 : entry == NULL ? -1 : compare(rows, rows->engine_key, weir__entry_key(entry));
        if (order <= 0)
            rows->has_engine = false;
        err = order < 0 ? show_engine(rows, ret) : show_entry(rows, entry, ret);
        if (order >= 0)
            step_over(rows);
    }
    return err;
}

struct weir_bytes weir__rows_place(const struct weir__rows *rows) { return BYTES(rows->last.data, rows->last.size); }

void weir__rows_close(struct weir__rows *rows)
{
    if (rows == NULL)
        return;
    if (rows->iter != NULL)
        rows->store->engine->iter_close(rows->iter);
    weir__buf_fini(&rows->last);
    weir__buf_fini(&rows->row_key);
    weir__buf_fini(&rows->value);
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

/* Keeps a copy of bytes; data NULL stays so. */
static int keep(struct weir__rows *rows, struct weir_bytes bytes, struct weir_bytes *ret)
{
    if (bytes.data == NULL)
        return WEIR_OK;
    *ret = BYTES(weir__arena_copy(&rows->arena, bytes.data, bytes.size), bytes.size);
    return ret->data != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

/* Whether the engine has no rows as new as the windows that are asked for. */
static bool newer_than_engine(const struct weir__rows *rows)
{
    return rows->store->spec->kind == WEIR__STORE_WINDOWS && rows->start_from > rows->store->written_observed;
}

/* Opens the engine's side between two engine keys; closes rows on failure. */
static int start_rows(struct weir__rows *rows, struct weir_bytes from, struct weir_bytes to, struct weir__rows **ret)
{
    struct weir__store *store = rows->store;
    int                 err = WEIR_NO_MEMORY;

    if (from.data != NULL && to.data != NULL)
        err = weir__view_refresh(store, rows->which);
    if (err == WEIR_OK)
        seek(rows);
    rows->engine_done = newer_than_engine(rows);
    if (err == WEIR_OK && !rows->engine_done)
        err = store->engine->iterate(store->db, store->family, from, to, rows->order, &rows->iter);
    if (err < 0) {
        weir__rows_close(rows);
        return err;
    }
    *ret = rows;
    return WEIR_OK;
}

/* Rows that are none. */
static int start_none(struct weir__rows *rows, struct weir__rows **ret)
{
    rows->engine_done = true;
    rows->high = BYTES("", 0);
    seek(rows);
    *ret = rows;
    return WEIR_OK;
}

/* Leaves out what comes up to and with store->after. */
static int begin_after(struct weir__rows *rows)
{
    struct weir_bytes after = rows->store->after;
    char             *next;

    if (after.data == NULL)
        return WEIR_OK;
    next = weir__arena_take(&rows->arena, after.size + 1);
    if (next == NULL)
        return WEIR_NO_MEMORY;
    memcpy(next, after.data, after.size);
    next[after.size] = '\0'; /* the first key after it */
    if (forward(rows))
        rows->low = BYTES(next, after.size + 1);
    else
        rows->high = BYTES(next, after.size);
    return WEIR_OK;
}

/* By key between rows->low and rows->high. */
static int start_keys(struct weir__rows *rows, struct weir__rows **ret)
{
    struct weir__buf  low = { 0 }, high = { 0 };
    struct weir_bytes from, to;
    int               err;

    if (begin_after(rows) < 0) {
        weir__rows_close(rows);
        return WEIR_NO_MEMORY;
    }
    from = weir__engine_key(&low, DATA_ROW, rows->low, NO_BYTES);

    if (rows->high.data != NULL)
        to = weir__engine_key(&high, DATA_ROW, rows->high, NO_BYTES);
    else
        to = weir__engine_key(&high, INDEX_ROW, NO_BYTES, NO_BYTES);
    err = start_rows(rows, from, to, ret);
    weir__buf_fini(&low);
    weir__buf_fini(&high);
    return err;
}

int weir__store_range(struct weir__store *store, struct weir_bytes from, struct weir_bytes to, enum weir_order order,
                      struct weir__rows **ret)
{
    struct weir__rows *rows = rows_new(store, order);
    char              *after = NULL;

    if (rows == NULL)
        return WEIR_NO_MEMORY;
    if (to.data != NULL && (after = weir__arena_take(&rows->arena, to.size + 1)) != NULL) {
        if (to.size > 0)
            memcpy(after, to.data, to.size);
        after[to.size] = '\0'; /* the first key after `to` */
        rows->high = BYTES(after, to.size + 1);
    }
    if (keep(rows, from, &rows->low) < 0 || (to.data != NULL && after == NULL)) {
        weir__rows_close(rows);
        return WEIR_NO_MEMORY;
    }
    return start_keys(rows, ret);
}

int weir__store_prefix(struct weir__store *store, struct weir_bytes prefix, struct weir__rows **ret)
{
    struct weir__rows *rows = rows_new(store, WEIR_ASCENDING);
    size_t             size = prefix.size;
    unsigned char     *after;

    if (rows == NULL)
        return WEIR_NO_MEMORY;
    after = weir__arena_copy(&rows->arena, prefix.data, prefix.size);
    if (after == NULL || keep(rows, prefix, &rows->low) < 0) {
        weir__rows_close(rows);
        return WEIR_NO_MEMORY;
    }
    /* the first key that begins with more: the prefix with its last byte that can grow grown by one */
    while (size > 0 && after[size - 1] == 0xff)
        size--;
    if (size > 0) {
        after[size - 1]++;
        rows->high = BYTES(after, size);
    }
    return start_keys(rows, ret);
}

/* One key's windows: exact bounds, the hot case. */
static int start_key(struct weir__rows *rows, struct weir__rows **ret)
{
    size_t size = rows->from.size;
    char  *low = weir__arena_take(&rows->arena, size + sizeof(int64_t));
    char  *high = weir__arena_take(&rows->arena, size + WINDOW_SUFFIX + 1);

    if (low == NULL || high == NULL) {
        weir__rows_close(rows);
        return WEIR_NO_MEMORY;
    }
    if (size > 0) {
        memcpy(low, rows->from.data, size);
        memcpy(high, rows->from.data, size);
    }
    weir__put_be64(low + size, (uint64_t)rows->start_from);
    weir__put_be64(high + size, (uint64_t)rows->start_to);
    memset(high + size + sizeof(int64_t), 0xff, sizeof(int32_t) + 1);
    rows->low = BYTES(low, size + sizeof(int64_t));
    rows->high = BYTES(high, size + WINDOW_SUFFIX + 1);
    return start_keys(rows, ret);
}

/* The windows of many keys by key. A row's start may put a shorter key's row behind `to`: every key up to `to` begins
 * with at most its first byte, and a row of the empty key with that of a start, at most 0x7f. */
static int start_windows(struct weir__rows *rows, struct weir__rows **ret)
{
    unsigned char  first = rows->to.size > 0 ? *(const unsigned char *)rows->to.data : 0;
    unsigned char *high;

    rows->low = rows->from;
    if (rows->to.data == NULL || first == 0xff)
        return start_keys(rows, ret);
    high = weir__arena_take(&rows->arena, 1);
    if (high == NULL) {
        weir__rows_close(rows);
        return WEIR_NO_MEMORY;
    }
    *high = (unsigned char)(MAX(first, 0x7f) + 1);
    rows->high = BYTES(high, 1);
    return start_keys(rows, ret);
}

/* All windows by (start, key). */
static int start_index(struct weir__rows *rows, struct weir__rows **ret)
{
    char low[1 + sizeof(int64_t)] = { INDEX_ROW }, high[1 + sizeof(int64_t)] = { INDEX_ROW };

    rows->which = BY_START;
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
    if (rows->start_from > to)
        return start_none(rows, ret);
    if (keep(rows, key_from, &rows->from) < 0 || keep(rows, key_to, &rows->to) < 0) {
        weir__rows_close(rows);
        return WEIR_NO_MEMORY;
    }
    if (key_from.data != NULL && key_to.data != NULL && weir__bytes_equal(key_from, key_to))
        return start_key(rows, ret);
    if (store->spec->in_memory && !store->spec->keyed) /* upstream's in-memory store keeps time before key */
        return start_index(rows, ret);
    return start_windows(rows, ret);
}

int weir__store_due(struct weir__store *store, int64_t from, int64_t to, struct weir__rows **ret)
{
    struct weir__rows *rows = rows_new(store, WEIR_ASCENDING);

    if (rows == NULL)
        return WEIR_NO_MEMORY;
    rows->start_from = MAX(from, 0);
    rows->start_to = MAX(to, 0) - 1;
    return rows->start_from > rows->start_to ? start_none(rows, ret) : start_index(rows, ret);
}

/* The view of dirty entries has heads among the rows; `wanted` takes no others. */
int weir__store_heads(struct weir__store *store, struct weir__rows **ret)
{
    struct weir__rows *rows = rows_new(store, WEIR_ASCENDING);
    char               low = HEAD_ROW, high = HEAD_ROW + 1;

    if (rows == NULL)
        return WEIR_NO_MEMORY;
    rows->start_from = rows->start_to = WEIR__HEAD_START;
    return start_rows(rows, BYTES(&low, 1), BYTES(&high, 1), ret);
}
