/* view.c: the unwritten entries in order: a sorted array that takes in newcomers when a range is read.
 *
 * (1) An entry is in a view from the refresh after it became unwritten until it is written, dropped or buried.
 * (2) Puts do not touch a view: an entry says itself whether it has a row.
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

static size_t before_in(struct entry *const *items, size_t count, int which, struct weir_bytes key, bool at)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (weir__row_compare(which, weir__entry_key(items[middle]), key) < (at ? 1 : 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t weir__view_before(const struct view *view, int which, struct weir_bytes key, bool at)
{
    return before_in(view->items, view->count, which, key, at);
}

bool weir__view_has(const struct view *view, const struct entry *entry)
{
    return entry->unwritten && entry->serial <= view->serial;
}

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

/* Moves the sorted newcomers in, from the greatest to the least. */
static void merge(struct view *view, int which, size_t count)
{
    size_t left = view->count;

    for (size_t i = count; i-- > 0;) {
        size_t at = before_in(view->items, left, which, weir__entry_key(view->fresh[i]), false);

        memmove(&view->items[at + i + 1], &view->items[at], (left - at) * sizeof(*view->items));
        view->items[at + i] = view->fresh[i];
        left = at;
    }
    view->count += count;
}

int weir__view_refresh(struct weir__store *store, int which)
{
    struct view *view = &store->views[which];
    size_t       count;

    if (gather(store, view, &count) < 0)
        return WEIR_NO_MEMORY;
    if (count == 0)
        return WEIR_OK;
    while (view->capacity < view->count + count)
        if (GROW(view->items, view->capacity, view->capacity) < 0)
            return WEIR_NO_MEMORY;
    if (count > 1)
        qsort(view->fresh, count, sizeof(*view->fresh), which == BY_KEY ? sort_by_key : sort_by_start);
    merge(view, which, count);
    view->serial = TAILQ_LAST(&store->unwritten, entries)->serial;
    view->changes++;
    return WEIR_OK;
}

void weir__views_reset(struct weir__store *store)
{
    for (size_t i = 0; i < VIEWS; i++) {
        store->views[i].count = 0;
        store->views[i].serial = 0;
        store->views[i].changes++;
    }
}

void weir__views_bury(struct weir__store *store)
{
    for (size_t i = 0; i < VIEWS; i++) {
        struct view *view = &store->views[i];
        size_t       count = 0;

        for (size_t j = 0; j < view->count; j++)
            if (view->items[j]->unwritten)
                view->items[count++] = view->items[j];
        view->count = count;
        view->changes++;
    }
}

void weir__views_fini(struct weir__store *store)
{
    for (size_t i = 0; i < VIEWS; i++) {
        weir__free(store->views[i].items);
        weir__free(store->views[i].fresh);
        store->views[i] = (struct view){ 0 };
    }
}
