/* error.c: the table of codes as text, errors in words, and the end of a program that believed something wrong. */
#include "framework/base/base.h"

#include <stdlib.h>

static const struct code {
    int             code;
    enum weir_scope scope;
    const char     *name, *text;
} codes[] = {
#define ROW(name, value, scope, text) { value, WEIR_SCOPE_##scope, #name, text },
    WEIR_ERRORS(ROW)
#undef ROW
};

static const struct code *find_code(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (codes[i].code == code)
            return &codes[i];
    return NULL;
}

const char *weir_code_name(int code)
{
    const struct code *row = find_code(code);

    return row ? row->name : "unknown";
}

const char *weir_code_text(int code)
{
    const struct code *row = find_code(code);

    return row ? row->text : "a code that is not in the table";
}

enum weir_scope weir_code_scope(int code)
{
    const struct code *row = find_code(code);

    return row ? row->scope : WEIR_SCOPE_FATAL;
}

int weir__fail(struct weir_error *reterr, int code, const char *where, const char *format, ...)
{
    struct weir_error err = { .code = code };
    va_list           args;

    if (!reterr)
        return code;
    /* Made aside: where and the arguments may be reterr's own words, being wrapped. */
    snprintf(err.where, sizeof(err.where), "%s", where ? where : "");
    va_start(args, format);
    vsnprintf(err.text, sizeof(err.text), format, args);
    va_end(args);
    *reterr = err;
    return code;
}

void weir__check_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "weir: check failed at %s:%d: %s\n", file, line, what);
    abort();
}
