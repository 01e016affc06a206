/* text.c: pieces of text compared and cut. ASCII only: what is not ASCII is equal to itself. */
#define _GNU_SOURCE /* strchrnul */
#include "schemas/feeds/internal.h"

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

struct weir_text market__trim(struct weir_text text)
{
    while (text.size && is_blank(*text.data)) {
        text.data++;
        text.size--;
    }
    while (text.size && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

bool market__same(struct weir_text a, struct weir_text b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

bool market__begins(struct weir_text text, const char *prefix)
{
    size_t size = strlen(prefix);

    return text.size >= size &&
           market__same((struct weir_text){ .data = text.data, .size = size }, market__text(prefix));
}

struct weir_text market__cut(const char **names)
{
    const char      *bar = strchrnul(*names, '|');
    struct weir_text name = { .data = *names, .size = (size_t)(bar - *names) };

    *names = *bar ? bar + 1 : bar;
    return name;
}

int market__one_of(struct weir_text text, const char *names)
{
    for (int n = 0; names && *names; n++)
        if (market__same(text, market__cut(&names)))
            return n;
    return -1;
}

bool market__whole(struct weir_text text, int64_t *ret)
{
    int64_t value = 0;

    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return false;
    *ret = value;
    return text.size > 0;
}

uint32_t market__hash(struct weir_text text)
{
    uint32_t value = 2166136261u;

    for (size_t i = 0; i < text.size; i++)
        value = (value ^ ((uint8_t)text.data[i] | 0x20)) * 16777619u;
    return value ^ value >> 15;
}
