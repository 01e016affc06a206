/* csv.c: lines of comma-separated values into cells. Source: RFC 4180, as the operators' reports use it.
 *
 * (1) A cell without quotes is borrowed from the line; a quoted one is copied, doubled quotes made one.
 * (2) Text behind a closing quote is kept. A quote that is not closed on its line makes the line malformed.
 * (3) A carriage return at the line's end is no part of it.
 */
#include "schemas/feeds/internal.h"

void market__cells_fini(struct market__cells *cells)
{
    weir__free(cells->items);
    weir__buf_fini(&cells->unquoted);
    *cells = (struct market__cells){ 0 };
}

/* Copies what a quoted cell means from at, behind its opening quote. Gives the byte behind the cell; NULL = open quote. */
static const char *unquote(const char *at, const char *end, char **to)
{
    for (; at < end; at++) {
        if (*at == '"' && (at + 1 == end || at[1] != '"'))
            break;
        at += *at == '"';
        *(*to)++ = *at;
    }
    if (at >= end)
        return NULL;
    for (at++; at < end && *at != ','; at++)
        *(*to)++ = *at;
    return at;
}

static const char *find_comma(const char *at, const char *end)
{
    const char *comma = memchr(at, ',', (size_t)(end - at));

    return comma ? comma : end;
}

/* The cell that begins at `at`; *to grows by what had quotes. Gives the byte behind it; NULL = open quote. */
static const char *take_cell(const char *at, const char *end, char **to, struct weir_text *ret)
{
    bool        quoted = at < end && *at == '"';
    const char *begin = quoted ? *to : at;

    at = quoted ? unquote(at + 1, end, to) : find_comma(at, end);
    if (at)
        *ret = (struct weir_text){ .data = begin, .size = (size_t)((quoted ? *to : at) - begin) };
    return at;
}

int market__cells_split(struct market__cells *cells, struct weir_text line)
{
    const char *at = line.data, *end = line.data + line.size;
    char       *to;

    if (at < end && end[-1] == '\r')
        end--;
    weir__buf_reset(&cells->unquoted);
    if (!weir__buf_room(&cells->unquoted, line.size + 1))
        return WEIR_NO_MEMORY;
    to = cells->unquoted.data;
    for (cells->count = 0;; at++) {
        if (GROW(cells->items, cells->capacity, cells->count) < 0)
            return WEIR_NO_MEMORY;
        at = take_cell(at, end, &to, &cells->items[cells->count]);
        if (!at)
            return MARKET_MALFORMED;
        cells->count++;
        if (at == end)
            return WEIR_OK;
    }
}
