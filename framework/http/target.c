/* target.c: what a request asks for: the path and the parameters of its query, percent-decoded. */
#include "framework/http/internal.h"

enum { MOST_PARAMS = 100 };

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that "%41" stands for; -1: none, or NUL, which no text of ours holds. */
static int escaped(struct weir_text text, size_t at)
{
    int high = at + 2 < text.size ? digit(text.data[at + 1]) : -1, low = high >= 0 ? digit(text.data[at + 2]) : -1;

    return low < 0 || high * 16 + low == 0 ? -1 : high * 16 + low;
}

/* WEIR_OK, or a status. blanks: a blank is written as plus. */
static int decode(struct weir_text text, bool blanks, struct weir_arena *arena, const char **ret)
{
    char  *decoded = weir__arena_take(arena, text.size + 1);
    size_t size = 0;

    if (decoded == NULL)
        return 431;
    for (size_t i = 0; i < text.size; i++) {
        int c = text.data[i];

        if (c == '%') {
            c = escaped(text, i);
            if (c < 0)
                return 400;
            i += 2;
        } else if (c == '+' && blanks) {
            c = ' ';
        }
        decoded[size++] = (char)c;
    }
    decoded[size] = '\0';
    *ret = decoded;
    return WEIR_OK;
}

/* "http://host/path" is a target too, for those who take us for a proxy. */
static struct weir_text without_host(struct weir_text target)
{
    const char *slash;

    if (target.size < 7 || strncmp(target.data, "http://", 7) != 0)
        return target;
    slash = memchr(target.data + 7, '/', target.size - 7);
    if (slash == NULL)
        return (struct weir_text){ "/", 1 };
    return (struct weir_text){ slash, target.size - (size_t)(slash - target.data) };
}

static int add_param(struct weir__target *target, struct weir_text text, struct weir_arena *arena)
{
    const char         *equals = memchr(text.data, '=', text.size);
    struct weir_text    name = { text.data, equals != NULL ? (size_t)(equals - text.data) : text.size };
    struct weir_text    value = { text.data + text.size, 0 };
    struct weir__param *param = &target->params[target->count];
    int                 status;

    if (equals != NULL)
        value = (struct weir_text){ equals + 1, text.size - name.size - 1 };
    status = decode(name, true, arena, &param->name);
    if (status == WEIR_OK)
        status = decode(value, true, arena, &param->value);
    if (status == WEIR_OK)
        target->count++;
    return status;
}

static int take_params(struct weir__target *target, struct weir_text query, struct weir_arena *arena)
{
    target->params = weir__arena_take(arena, sizeof(*target->params) * MOST_PARAMS);
    if (target->params == NULL)
        return 431;
    while (query.size > 0) {
        const char *next = memchr(query.data, '&', query.size);
        size_t      size = next != NULL ? (size_t)(next - query.data) : query.size;
        int         status = WEIR_OK;

        if (target->count == MOST_PARAMS)
            return 400;
        if (size > 0)
            status = add_param(target, (struct weir_text){ query.data, size }, arena);
        if (status != WEIR_OK)
            return status;
        size += next != NULL;
        query = (struct weir_text){ query.data + size, query.size - size };
    }
    return WEIR_OK;
}

int weir__target_parse(struct weir_text text, struct weir_arena *arena, struct weir__target *ret,
                       const char **ret_words)
{
    struct weir_text path = without_host(text), query = { 0 };
    const char      *mark = memchr(path.data, '?', path.size);
    int              status;

    *ret = (struct weir__target){ 0 };
    *ret_words = "the target is a path that begins with /, and a query of at most 100 parameters, percent-encoded";
    if (path.size == 0 || path.data[0] != '/')
        return 400;
    if (mark != NULL) {
        query = (struct weir_text){ mark + 1, path.size - (size_t)(mark - path.data) - 1 };
        path.size = (size_t)(mark - path.data);
    }
    status = decode(path, false, arena, &ret->path);
    return status == WEIR_OK ? take_params(ret, query, arena) : status;
}
