/* report.c: an error for people, and the exit code it makes. */
#include "framework/main/commands.h"

#include <poll.h>
#include <unistd.h>

int weir__exit_of(int code)
{
    switch (code) {
    case WEIR_OK: return WEIR__EXIT_OK;
    case WEIR_NOTFOUND: return WEIR__EXIT_MISSING;
    case WEIR_BUSY: return WEIR__EXIT_BUSY;
    case WEIR_FENCED: return WEIR__EXIT_TWIN;
    case WEIR_BAD_TOPOLOGY:
    case WEIR_BAD_CONFIG:
    case WEIR_BAD_ARGUMENT:
    case WEIR_BAD_NAME:
    case WEIR_BAD_TYPE:
    case WEIR_FORBIDDEN:
    case WEIR_UNSUPPORTED: return WEIR__EXIT_USAGE;
    default:
        return weir_code_scope(code) == WEIR_SCOPE_RECORD || code == WEIR_AGAIN ? WEIR__EXIT_FAILED
                                                                                : WEIR__EXIT_FATAL;
    }
}

int weir__report(const struct weir_error *err)
{
    fflush(stdout);
    weir__show(NULL);
    fprintf(stderr, "error: %s%s%s (%s)\n", err->where, err->where[0] != '\0' ? ": " : "",
            err->text[0] != '\0' ? err->text : weir_code_text(err->code), weir_code_name(err->code));
    return weir__exit_of(err->code);
}

static bool is_reader_gone(void)
{
    struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };

    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int weir__end_output(int code)
{
    struct weir_error err;
    int               said;

    if ((fflush(stdout) == 0 && !ferror(stdout)) || is_reader_gone())
        return code;
    weir__fail(&err, WEIR_IO, "standard output", "not all of it could be written: give it room, or another place");
    said = weir__report(&err);
    return code == WEIR__EXIT_OK ? said : code;
}

void weir__report_faults(const char *topology, const struct weir__buf *faults, struct weir_error *reterr)
{
    const char *at = faults->data, *end = faults->data + faults->size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        int         size = (int)((newline != NULL ? newline : end) - at);

        if (at + size + 1 < end)
            fprintf(stderr, "error: %s: %.*s\n", topology, size, at);
        else
            weir__fail(reterr, reterr->code, topology, "%.*s", size, at);
        at += size + 1;
    }
}
