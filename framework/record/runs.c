/* runs.c: a set of offsets as runs.
 *
 * (1) Runs ascend, and between two of them is at least one offset that is in neither.
 * (2) What comes in ascending order costs nothing but the look at the last run.
 */
#include "framework/record/letters.h"

#include <inttypes.h>

void weir__runs_fini(struct weir__runs *runs)
{
    weir__free(runs->items);
    *runs = (struct weir__runs){ 0 };
}

/* The first run that ends at the offset or behind it. */
static size_t find(const struct weir__runs *runs, int64_t offset)
{
    size_t low = 0, high = runs->count;

    if (runs->count > 0 && runs->items[runs->count - 1].last < offset)
        return runs->count;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (runs->items[middle].last < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool weir__runs_has(const struct weir__runs *runs, int64_t offset)
{
    size_t at = find(runs, offset);

    return at < runs->count && runs->items[at].first <= offset;
}

static void move(struct weir__runs *runs, size_t to, size_t from)
{
    if (to != from && runs->count > from)
        memmove(&runs->items[to], &runs->items[from], sizeof(*runs->items) * (runs->count - from));
    runs->count = runs->count - from + to;
}

int weir__runs_add(struct weir__runs *runs, int64_t first, int64_t last)
{
    size_t begin = find(runs, first > 0 ? first - 1 : first), end = begin;

    while (end < runs->count && runs->items[end].first <= last + (last < INT64_MAX)) {
        first = MIN(first, runs->items[end].first);
        last = MAX(last, runs->items[end].last);
        end++;
    }
    if (begin == end && GROW(runs->items, runs->capacity, runs->count) < 0)
        return WEIR_NO_MEMORY;
    move(runs, begin + 1, end);
    runs->items[begin] = (struct weir__run){ first, last };
    return WEIR_OK;
}

int64_t weir__runs_total(const struct weir__runs *runs)
{
    int64_t total = 0;

    for (size_t i = 0; i < runs->count; i++)
        total += runs->items[i].last - runs->items[i].first + 1;
    return total;
}

void weir__runs_print(const struct weir__runs *runs, struct weir__buf *ret)
{
    for (size_t i = 0; i < runs->count; i++) {
        weir__buf_printf(ret, "%s%" PRId64, i > 0 ? "," : "", runs->items[i].first);
        if (runs->items[i].last > runs->items[i].first)
            weir__buf_printf(ret, "-%" PRId64, runs->items[i].last);
    }
}

/* The digits that text begins with, taken from it. */
static bool take_number(struct weir_text *text, int64_t *ret)
{
    size_t size = 0;

    *ret = 0;
    while (size < text->size && text->data[size] >= '0' && text->data[size] <= '9')
        if (__builtin_mul_overflow(*ret, 10, ret) || __builtin_add_overflow(*ret, text->data[size++] - '0', ret))
            return false;
    text->data += size;
    text->size -= size;
    return size > 0;
}

static bool take_char(struct weir_text *text, char c)
{
    if (text->size == 0 || text->data[0] != c)
        return false;
    text->data++;
    text->size--;
    return true;
}

int weir__runs_parse(struct weir_text text, struct weir__runs *ret)
{
    int err = WEIR_OK;

    do {
        int64_t first, last;

        if (!take_number(&text, &first) || first == INT64_MAX)
            return WEIR_UNREADABLE;
        last = first;
        if (take_char(&text, '-') && (!take_number(&text, &last) || last < first || last == INT64_MAX))
            return WEIR_UNREADABLE;
        err = weir__runs_add(ret, first, last);
    } while (err == WEIR_OK && take_char(&text, ','));
    return err < 0 || text.size == 0 ? err : WEIR_UNREADABLE;
}
