/* names.c: names, and numbers written by people. */
#include "framework/base/base.h"

#include <ctype.h>

enum { LONGEST_WORD = 127 };

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b; case does not count. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t  rows[3][LONGEST_WORD + 1], a_size = strlen(a), b_size = strlen(b);
    size_t *two_back = rows[0], *back = rows[1], *row = rows[2], *spare;

    if (a_size > LONGEST_WORD || b_size > LONGEST_WORD)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_size; j++)
        back[j] = two_back[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            int    x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            size_t best = MIN(back[j - 1] + (x != y), MIN(back[j], row[j - 1]) + 1);

            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]))
                best = MIN(best, two_back[j - 2] + 1);
            row[j] = best;
        }
        spare = two_back;
        two_back = back;
        back = row;
        row = spare;
    }
    return back[b_size];
}

const char *weir__suggest(const char *word, const char *const *candidates, size_t count)
{
    size_t      least = MAX(strlen(word) / 3, 1) + 1;
    const char *best = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, candidates[i]);

        if (distance < least && distance < strlen(candidates[i])) {
            least = distance;
            best = candidates[i];
        }
    }
    return best;
}

bool weir__legal_name(const char *name)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t            size = strlen(name);

    return size >= 1 && size <= 249 && strspn(name, legal) == size && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* Reads a decimal number; what follows it is *ret_rest. */
static int read_number(const char *text, int64_t *ret, const char **ret_rest)
{
    bool        negative = *text == '-';
    const char *at = text + negative;
    int64_t     value = 0;

    if (!isdigit((unsigned char)*at))
        return WEIR_BAD_ARGUMENT;
    for (; isdigit((unsigned char)*at); at++) {
        int digit = *at - '0';

        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return WEIR_OVERFLOW;
    }
    *ret = value;
    *ret_rest = at;
    return WEIR_OK;
}

struct unit {
    const char *name;
    int64_t     factor;
};

/* ".5" of a unit, if that is a whole number; *text moves behind it. */
static int read_fraction(const char **text, int64_t factor, int64_t *ret)
{
    const char *at = *text + 1;
    int64_t     value = 0, whole = 1;

    for (; isdigit((unsigned char)*at); at++)
        if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value))
            return WEIR_BAD_ARGUMENT;
    if (whole == 1 || __builtin_mul_overflow(value, factor, &value) || value % whole != 0)
        return WEIR_BAD_ARGUMENT;
    *ret = value / whole;
    *text = at;
    return WEIR_OK;
}

static int parse_with_unit(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
    const char *rest, *name;
    int64_t     value, more = 0;

    if (read_number(text, &value, &rest) < 0)
        return WEIR_BAD_ARGUMENT;
    name = *rest == '.' ? rest + 1 + strspn(rest + 1, "0123456789") : rest;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, units[i].name) != 0)
            continue;
        if ((*rest == '.' && (*text == '-' || read_fraction(&rest, units[i].factor, &more) < 0)) ||
            __builtin_mul_overflow(value, units[i].factor, &value) || __builtin_add_overflow(value, more, &value))
            return WEIR_BAD_ARGUMENT;
        *ret = value;
        return WEIR_OK;
    }
    return WEIR_BAD_ARGUMENT;
}

int weir__parse_duration(const char *text, int64_t *ret_ms)
{
    static const struct unit units[] = { { "", 1 },      { "ms", 1 },      { "s", 1000 },
                                         { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

    return parse_with_unit(text, units, ARRAY_SIZE(units), ret_ms);
}

void weir__print_duration(int64_t ms, struct weir__buf *ret)
{
    static const struct unit units[] = {
        { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
    };

    for (size_t i = 0; i < ARRAY_SIZE(units) && ms > 0; i++) {
        if (ms % units[i].factor)
            continue;
        weir__buf_printf(ret, "%lld%s", (long long)(ms / units[i].factor), units[i].name);
        return;
    }
    weir__buf_printf(ret, "%lld", (long long)ms);
}

int weir__parse_size(const char *text, int64_t *ret_bytes)
{
    static const struct unit units[] = { { "", 1 },        { "k", 1 << 10 }, { "K", 1 << 10 }, { "m", 1 << 20 },
                                         { "M", 1 << 20 }, { "g", 1 << 30 }, { "G", 1 << 30 } };

    return parse_with_unit(text, units, ARRAY_SIZE(units), ret_bytes);
}

int weir__parse_int64(const char *text, int64_t *ret)
{
    const char *rest;
    int64_t     value;
    int         err;

    err = read_number(text, &value, &rest);
    if (err < 0)
        return err;
    if (*rest)
        return WEIR_BAD_ARGUMENT;
    *ret = value;
    return WEIR_OK;
}
