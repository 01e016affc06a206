/* compiler.c: memory and faults of a compilation. */
#include "framework/topology/internal.h"

#include "framework/record/record.h"

void *weir__take(struct weir__compiler *compiler, size_t size)
{
    void *memory = weir_arena_alloc(&compiler->plan->arena, size);

    if (memory == NULL)
        longjmp(compiler->out_of_memory, 1);
    return memory;
}

char *weir__phrase(struct weir__compiler *compiler, const char *format, ...)
{
    va_list args;
    char    brief[256], *text;
    int     size;

    va_start(args, format);
    size = vsnprintf(brief, sizeof(brief), format, args);
    va_end(args);
    CHECK(size >= 0);
    text = weir__take(compiler, (size_t)size + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return text;
}

void *weir__enlarge(struct weir__compiler *compiler, void *items, size_t count, size_t size)
{
    void *more;

    if (count != 0 && (count & (count - 1)) != 0)
        return items;
    more = weir__take(compiler, (count == 0 ? 1 : 2 * count) * size);
    if (count > 0)
        memcpy(more, items, count * size);
    return more;
}

WEIR_PRINTF(4, 0)
static void add_fault(struct weir__compiler *compiler, int code, const char *where, const char *format, va_list args)
{
    char text[640];

    vsnprintf(text, sizeof(text), format, args);
    weir__buf_printf(compiler->faults, "%s: %s\n", where, text);
    if (compiler->code == WEIR_OK)
        compiler->code = code;
}

void weir__fault(struct weir__compiler *compiler, int code, const char *where, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_fault(compiler, code, where, format, args);
    va_end(args);
}

void weir__broken(struct weir__compiler *compiler, const char *where, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_fault(compiler, WEIR_BAD_TOPOLOGY, where, format, args);
    va_end(args);
    compiler->broken = true;
}

const char *weir__type_word(struct weir__compiler *compiler, const struct weir_codec *codec)
{
    struct weir__buf buf = { 0 };
    char             text[160];

    weir__codec_describe(codec, &buf);
    snprintf(text, sizeof(text), "%.*s", (int)MIN(buf.size, sizeof(text) - 1), buf.data != NULL ? buf.data : "");
    weir__buf_fini(&buf);
    return weir__phrase(compiler, "%s", text);
}

const char *weir__store_label(const struct weir_store *store)
{
    return store->called != NULL ? store->called : store->name != NULL ? store->name : "(a store without a name)";
}
