/* peek.c: reads of a store by other threads than its task's: what is written, never what is dirty.
 *
 * (1) A read makes a store of its own over the same rows, with nothing dirty: order, expiry and the forms of rows are
 *     those of the task's own reads.
 * (2) Many rows are read in pages, each one moment's, so that nobody holds up a task for longer than a page takes.
 */
#include "framework/store/internal.h"

/* What a page is about as large as. */
#define PAGE_BYTES ((size_t)1 << 20)

void weir__store_peek(const struct weir__store *store, struct weir__peek *ret)
{
    *ret = (struct weir__peek){
        .spec = *store->spec, .engine = store->engine, .db = store->db, .family = store->family
    };
    ret->spec.in_memory = false; /* by key, whatever order the task's own reads have */
}

/* Expiry as far as it is written. The engine is entered. */
static int open_copy(const struct weir__peek *peek, struct weir_arena *arena, struct weir__store *ret)
{
    char              type = META_ROW;
    struct weir_bytes meta;
    int               err;

    *ret = (struct weir__store){ .db = peek->db, .family = peek->family };
    weir__store_init(ret, &peek->spec, peek->engine);
    err = peek->engine->copy(peek->db, peek->family, BYTES(&type, 1), arena, &meta);
    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    return weir__meta_take(ret, meta, NULL);
}

/* ---- one row ---- */

static struct weir_bytes engine_key(struct weir__store *store, struct weir_bytes key, int64_t start)
{
    char suffix[WINDOW_SUFFIX] = { 0 };

    if (store->spec->kind != WEIR__STORE_WINDOWS)
        return weir__engine_key(&store->key, DATA_ROW, key, NO_BYTES);
    weir__put_be64(suffix, (uint64_t)start);
    return weir__engine_key(&store->key, DATA_ROW, key, BYTES(suffix, sizeof(suffix)));
}

static int get(struct weir__store *store, struct weir_bytes key, int64_t start, struct weir_arena *arena,
               struct weir__value *ret)
{
    struct weir_bytes row, bytes;
    int               err;

    if (store->spec->kind == WEIR__STORE_WINDOWS && (start < 0 || start < weir__oldest_shown(store)))
        return WEIR_NOTFOUND;
    row = engine_key(store, key, start);
    if (row.data == NULL)
        return WEIR_NO_MEMORY;
    err = store->engine->copy(store->db, store->family, row, arena, &bytes);
    return err < 0 ? err : weir__engine_value(store, bytes, ret);
}

int weir__peek_get(const struct weir__peek *peek, struct weir_bytes key, int64_t start, struct weir_arena *arena,
                   struct weir__value *ret)
{
    struct weir__store store;
    int                err;

    peek->engine->enter(peek->db);
    err = open_copy(peek, arena, &store);
    if (err == WEIR_OK)
        err = get(&store, key, start, arena, ret);
    peek->engine->leave(peek->db);
    weir__store_fini(&store);
    return err;
}

/* ---- many ---- */

static int open_rows(struct weir__store *store, const struct weir__peek_range *range, struct weir__rows **ret)
{
    if (store->spec->kind == WEIR__STORE_WINDOWS)
        return weir__store_fetch(store, range->from, range->to, range->start_from, range->start_to, range->order,
                                 ret);
    return weir__store_range(store, range->from, range->to, range->order, ret);
}

static int keep(struct weir_arena *arena, struct weir_bytes *bytes)
{
    bytes->data = weir__arena_copy(arena, bytes->data, bytes->size);
    return bytes->data != NULL ? WEIR_OK : WEIR_LIMIT;
}

static int read_page(struct weir__rows *rows, struct weir_arena *arena, struct weir__peeked *page, size_t max,
                     size_t *ret_count)
{
    size_t bytes = 0;
    int    err = WEIR_OK;

    while (err == WEIR_OK && *ret_count < max && bytes < PAGE_BYTES) {
        struct weir__peeked *at = &page[*ret_count];

        err = weir__rows_next(rows, &at->row);
        if (err < 0)
            break;
        at->place = weir__rows_place(rows);
        err = keep(arena, &at->place);
        if (err == WEIR_OK)
            err = keep(arena, &at->row.value.bytes);
        at->row.key.data = at->place.data; /* a row's place begins with its key */
        bytes += at->place.size + at->row.value.bytes.size;
        *ret_count += err == WEIR_OK;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int read_rows(const struct weir__peek *peek, const struct weir__peek_range *range, struct weir_bytes after,
                     struct weir_arena *arena, struct weir__store *store, struct weir__rows **ret)
{
    int err = open_copy(peek, arena, store);

    store->after = after;
    return err < 0 ? err : open_rows(store, range, ret);
}

int weir__peek_page(const struct weir__peek *peek, const struct weir__peek_range *range, struct weir_bytes after,
                    struct weir_arena *arena, struct weir__peeked *rows, size_t max, size_t *ret_count)
{
    struct weir__store store;
    struct weir__rows *reader = NULL;
    int                err;

    *ret_count = 0;
    peek->engine->enter(peek->db);
    err = read_rows(peek, range, after, arena, &store, &reader);
    if (err == WEIR_OK)
        err = read_page(reader, arena, rows, max, ret_count);
    weir__rows_close(reader);
    peek->engine->leave(peek->db);
    weir__store_fini(&store);
    return err;
}

/* The engine's rows are also the store's own one, and those of the index. */
void weir__peek_figures(const struct weir__peek *peek, struct weir__figures *ret)
{
    bool indexed = peek->spec.kind == WEIR__STORE_WINDOWS && !peek->spec.keyed;

    peek->engine->enter(peek->db);
    peek->engine->figures(peek->db, peek->family, ret);
    peek->engine->leave(peek->db);
    ret->rows = (ret->rows - MIN(ret->rows, 1)) / (indexed ? 2 : 1);
}
