/* crash.c: a door for tests: SIGKILL, or SIGSTOP, to ourselves at the n-th passage of a named point. Closed, it costs one
 * load. */
#include "framework/runtime/internal.h"

#include <signal.h>

static const char *const names[WEIR__CRASH_POINTS] = {
    [WEIR__AT_RECORD] = "record",
    [WEIR__BEFORE_COMMIT] = "before-commit",
    [WEIR__AFTER_FLUSH] = "after-flush",
    [WEIR__AFTER_SETTLE] = "after-settle",
    [WEIR__MID_COMMIT] = "mid-commit",
    [WEIR__AFTER_COMMIT] = "after-commit",
    [WEIR__MID_RESTORE] = "mid-restore",
    [WEIR__BEFORE_LOAD] = "before-load",
    [WEIR__AFTER_LOAD] = "after-load",
    [WEIR__AT_REVOKE] = "revoke",
    [WEIR__AT_STOP] = "stop",
    [WEIR__AT_RESET] = "reset",
};

static int                 armed = -1; /* set before threads are started */
static bool                stops;      /* stopped instead of killed; the same */
static atomic_int_fast64_t left;       /* passages until the end */

static int find_point(const char *text, size_t size)
{
    for (int i = 0; i < WEIR__CRASH_POINTS; i++)
        if (strlen(names[i]) == size && strncmp(names[i], text, size) == 0)
            return i;
    return -1;
}

/* "n" or "n:stop" */
static int parse_passages(const char *text, int64_t *ret, bool *ret_stops)
{
    size_t size = strcspn(text, ":");
    char   number[24];

    snprintf(number, sizeof(number), "%.*s", (int)size, text);
    *ret_stops = strcmp(text + size, ":stop") == 0;
    if ((text[size] != '\0' && !*ret_stops) || weir__parse_int64(number, ret) < 0 || *ret < 1)
        return WEIR_BAD_CONFIG;
    return WEIR_OK;
}

int weir__crash_setup(const char *text, struct weir_error *reterr)
{
    size_t  size = text != NULL ? strcspn(text, ":") : 0;
    int64_t passages;
    int     point;

    armed = -1;
    if (text == NULL || text[0] == '\0')
        return WEIR_OK;
    point = find_point(text, size);
    if (point < 0 || text[size] != ':' || parse_passages(text + size + 1, &passages, &stops) < 0)
        return weir__fail(reterr, WEIR_BAD_CONFIG, WEIR__CRASH_VARIABLE,
                          "\"%.60s\" is no crash point: it is written point:n or point:n:stop, as in before-commit:3",
                          text);
    atomic_store(&left, passages);
    armed = point;
    return WEIR_OK;
}

static void pass(int64_t passages)
{
    if (atomic_fetch_sub(&left, passages) > passages)
        return;
    atomic_store(&left, INT64_MAX);
    raise(stops ? SIGSTOP : SIGKILL);
}

void weir__crash_at(enum weir__crash_point point)
{
    if (__builtin_expect(armed == (int)point, 0))
        pass(1);
}

size_t weir__crash_room(size_t max)
{
    int64_t passages;

    if (__builtin_expect(armed != WEIR__AT_RECORD, 1))
        return max;
    passages = atomic_load(&left);
    return passages > 0 ? MIN(max, (size_t)passages) : max;
}

void weir__crash_records(size_t done)
{
    if (__builtin_expect(armed == WEIR__AT_RECORD, 0) && done > 0)
        pass((int64_t)done);
}
