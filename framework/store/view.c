/* view.c: the unwritten entries in order: chunks of sorted entries that take in newcomers when a range is read.
 *
 * (1) An entry is in a view from the refresh after it became unwritten until it is written, dropped or buried.
 * (2) Puts do not touch a view: an entry says itself whether it has a row.
 * (3) No chunk is empty; a newcomer moves at most one chunk's items, however many there are.
 */
#include <stdlib.h>

#include "framework/store/internal.h"

static int compare_by_start(struct weir_bytes a, struct weir_bytes b)
{
    int64_t start_a = weir__row_start(a), start_b = weir__row_start(b);
    int     order;

    if (start_a != start_b)
        return start_a < start_b ? -1 : 1;
    order = weir__bytes_compare(weir__row_plain(a), weir__row_plain(b));
    return order != 0 ? order : weir__bytes_compare(a, b);
}

int weir__row_compare(int which, struct weir_bytes a, struct weir_bytes b)
{
    return which == BY_KEY ? weir__bytes_compare(a, b) : compare_by_start(a, b);
}

static int sort_by_key(const void *a, const void *b)
{
    return weir__bytes_compare(weir__entry_key(*(struct entry *const *)a),
                               weir__entry_key(*(struct entry *const *)b));
}

static int sort_by_start(const void *a, const void *b)
{
    return compare_by_start(weir__entry_key(*(struct entry *const *)a), weir__entry_key(*(struct entry *const *)b));
}

/* ---- places ---- */

/* Whether an item lies before the place that is looked for: before key, or at it when `at` is set. */
static bool lies_before(const struct entry *item, int which, struct weir_bytes key, bool at)
{
    return weir__row_compare(which, weir__entry_key(item), key) < (at ? 1 : 0);
}

static size_t seek_item(const struct chunk *chunk, int which, struct weir_bytes key, bool at)
{
    size_t low = 0, high = chunk->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (lies_before(chunk->items[middle], which, key, at))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The last chunk whose first item lies before the place: the place is in it or at its end. */
static size_t seek_chunk(const struct view *view, int which, struct weir_bytes key, bool at)
{
    size_t low = 0, high = view->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (lies_before(view->chunks[middle]->items[0], which, key, at))
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : 0;
}

struct place weir__view_seek(const struct view *view, int which, struct weir_bytes key, bool at)
{
    struct place place = { .chunk = seek_chunk(view, which, key, at) };

    if (view->count > 0)
        place.item = seek_item(view->chunks[place.chunk], which, key, at);
    return place;
}

struct place weir__view_end(const struct view *view) { return (struct place){ .chunk = view->count }; }

/* A place at the end of a chunk is that before the next one's first item. */
struct entry *weir__view_next(const struct view *view, struct place *place)
{
    if (place->chunk < view->count && place->item == view->chunks[place->chunk]->count)
        *place = (struct place){ .chunk = place->chunk + 1 };
    return place->chunk < view->count ? view->chunks[place->chunk]->items[place->item] : NULL;
}

struct entry *weir__view_previous(const struct view *view, struct place *place)
{
    if (place->item == 0) {
        if (place->chunk == 0)
            return NULL;
        place->chunk--;
        place->item = view->chunks[place->chunk]->count;
    }
    return view->chunks[place->chunk]->items[place->item - 1];
}

bool weir__view_has(const struct view *view, const struct entry *entry)
{
    return entry->unwritten && entry->serial <= view->serial;
}

/* ---- newcomers ---- */

/* What became unwritten since the last refresh: the end of the list. */
static int gather(const struct weir__store *store, struct view *view, size_t *ret)
{
    struct entry *entry;
    size_t        count = 0;

    TAILQ_FOREACH_REVERSE(entry, &store->unwritten, entries, life)
    {
        if (entry->serial <= view->serial)
            break;
        if (GROW(view->fresh, view->fresh_capacity, count) < 0)
            return WEIR_NO_MEMORY;
        view->fresh[count++] = entry;
    }
    *ret = count;
    return WEIR_OK;
}

/* An empty chunk at position n; the others make room. */
static struct chunk *add_chunk(struct view *view, size_t n)
{
    struct chunk *chunk = weir__alloc(sizeof(*chunk));

    if (chunk == NULL || GROW(view->chunks, view->capacity, view->count) < 0) {
        weir__free(chunk);
        return NULL;
    }
    chunk->count = 0;
    memmove(&view->chunks[n + 1], &view->chunks[n], (view->count - n) * sizeof(struct chunk *));
    view->chunks[n] = chunk;
    view->count++;
    return chunk;
}

/* Moves the upper half of a full chunk into one of its own. */
static int split(struct view *view, size_t n)
{
    struct chunk *chunk = view->chunks[n], *upper = add_chunk(view, n + 1);

    if (upper == NULL)
        return WEIR_NO_MEMORY;
    chunk->count /= 2;
    upper->count = CHUNK_ITEMS - chunk->count;
    memcpy(upper->items, &chunk->items[chunk->count], upper->count * sizeof(struct entry *));
    return WEIR_OK;
}

static int insert(struct view *view, int which, struct entry *entry)
{
    size_t        n = seek_chunk(view, which, weir__entry_key(entry), false), at;
    struct chunk *chunk;

    if (view->count == 0 && add_chunk(view, 0) == NULL)
        return WEIR_NO_MEMORY;
    if (view->chunks[n]->count == CHUNK_ITEMS) {
        if (split(view, n) < 0)
            return WEIR_NO_MEMORY;
        n = seek_chunk(view, which, weir__entry_key(entry), false);
    }
    chunk = view->chunks[n];
    at = seek_item(chunk, which, weir__entry_key(entry), false);
    memmove(&chunk->items[at + 1], &chunk->items[at], (chunk->count - at) * sizeof(struct entry *));
    chunk->items[at] = entry;
    chunk->count++;
    return WEIR_OK;
}

/* Sorted newcomers into an empty view, with room for more in each chunk. */
static int fill(struct view *view, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct chunk *chunk = view->count > 0 ? view->chunks[view->count - 1] : NULL;

        if (chunk == NULL || chunk->count >= CHUNK_ITEMS / 4 * 3)
            chunk = add_chunk(view, view->count);
        if (chunk == NULL)
            return WEIR_NO_MEMORY;
        chunk->items[chunk->count++] = view->fresh[i];
    }
    return WEIR_OK;
}

static void clear(struct view *view)
{
    while (view->count > 0)
        weir__free(view->chunks[--view->count]);
    view->serial = 0;
    view->changes++;
}

int weir__view_refresh(struct weir__store *store, int which)
{
    struct view *view = &store->views[which];
    size_t       count;
    int          err = gather(store, view, &count);

    if (err < 0 || count == 0)
        return err;
    if (view->count == 0) {
        qsort(view->fresh, count, sizeof(*view->fresh), which == BY_KEY ? sort_by_key : sort_by_start);
        err = fill(view, count);
    } else {
        for (size_t i = 0; err == WEIR_OK && i < count; i++)
            err = insert(view, which, view->fresh[i]);
    }
    if (err < 0) {
        clear(view);
        return err;
    }
    view->serial = TAILQ_LAST(&store->unwritten, entries)->serial;
    view->changes++;
    return WEIR_OK;
}

/* ---- leaving ---- */

void weir__views_reset(struct weir__store *store)
{
    for (size_t i = 0; i < VIEWS; i++)
        clear(&store->views[i]);
}

static void bury_in(struct chunk *chunk)
{
    size_t count = 0;

    for (size_t i = 0; i < chunk->count; i++)
        if (chunk->items[i]->unwritten)
            chunk->items[count++] = chunk->items[i];
    chunk->count = count;
}

void weir__views_bury(struct weir__store *store)
{
    for (size_t i = 0; i < VIEWS; i++) {
        struct view *view = &store->views[i];
        size_t       count = 0;

        for (size_t j = 0; j < view->count; j++) {
            bury_in(view->chunks[j]);
            if (view->chunks[j]->count > 0)
                view->chunks[count++] = view->chunks[j];
            else
                weir__free(view->chunks[j]);
        }
        view->count = count;
        view->changes++;
    }
}

void weir__views_fini(struct weir__store *store)
{
    for (size_t i = 0; i < VIEWS; i++) {
        clear(&store->views[i]);
        weir__free(store->views[i].chunks);
        weir__free(store->views[i].fresh);
        store->views[i] = (struct view){ 0 };
    }
}
