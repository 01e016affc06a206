/* window.c: the arithmetic of windows. */
#include "framework/window/window.h"

int64_t weir__time_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b > 0 ? INT64_MAX : INT64_MIN;
}

int64_t weir__time_sub(int64_t a, int64_t b)
{
    int64_t difference;

    if (!__builtin_sub_overflow(a, b, &difference))
        return difference;
    return b < 0 ? INT64_MAX : INT64_MIN;
}

int64_t weir__windows_step(const struct weir_windows *windows)
{
    switch (windows->kind) {
    case WEIR_TUMBLING: return windows->size;
    case WEIR_HOPPING: return windows->advance;
    default: return 0;
    }
}

void weir__spans_init(struct weir__spans *spans, const struct weir_windows *windows, int64_t time)
{
    spans->windows = windows;
    spans->time = time;
    if (windows->kind == WEIR_UNLIMITED)
        spans->start = windows->start;
    else
        spans->start = MAX(0, time - windows->size + weir__windows_step(windows)) / weir__windows_step(windows) *
                       weir__windows_step(windows);
}

bool weir__spans_next(struct weir__spans *spans, struct weir_span *ret)
{
    const struct weir_windows *windows = spans->windows;

    if (spans->start < 0 || spans->start > spans->time)
        return false;
    ret->start = spans->start;
    if (windows->kind == WEIR_UNLIMITED) {
        ret->end = INT64_MAX;
        spans->start = -1; /* there is no other */
        return true;
    }
    ret->end = weir__time_add(spans->start, windows->size);
    if (__builtin_add_overflow(spans->start, weir__windows_step(windows), &spans->start))
        spans->start = -1;
    return true;
}

int64_t weir__windows_width(const struct weir_windows *windows)
{
    return windows->kind == WEIR_UNLIMITED ? INT64_MAX : windows->size;
}

int64_t weir__windows_retention(const struct weir_windows *windows)
{
    if (windows->retention > 0)
        return windows->retention;
    if (windows->kind == WEIR_UNLIMITED)
        return INT64_MAX;
    return windows->time == WEIR_PER_KEY ? windows->grace : weir__time_add(windows->size, windows->grace);
}

int64_t weir__windows_ttl(const struct weir_windows *windows) { return windows->ttl > 0 ? windows->ttl : DAYS(7); }

int64_t weir__segment_width(int64_t retention) { return MAX(retention / 2, 60000); }

static const char *check_time(const struct weir_windows *windows)
{
    bool per_key = windows->time == WEIR_PER_KEY;

    if (windows->time != WEIR_PER_PARTITION && !per_key)
        return ".time is none of its values: WEIR_PER_PARTITION or WEIR_PER_KEY";
    if (windows->late != WEIR_CORRECT && windows->late != WEIR_REFUSE)
        return ".late is none of its values: WEIR_CORRECT or WEIR_REFUSE";
    if (windows->idle < 0 || windows->ttl < 0)
        return ".idle or .ttl is negative: leave it out or give ms";
    if (!per_key && (windows->idle != 0 || windows->ttl != 0 || windows->late != WEIR_CORRECT))
        return ".idle, .ttl and .late are for windows by key time: give .time = WEIR_PER_KEY";
    if (windows->kind == WEIR_UNLIMITED && windows->idle != 0)
        return ".idle means nothing for UNLIMITED windows: they never close";
    return NULL;
}

static const char *check_retention(const struct weir_windows *windows)
{
    if (windows->retention == 0)
        return NULL;
    if (windows->time == WEIR_PER_KEY && windows->retention < windows->grace)
        return "the retention is shorter than the grace: windows would go before they close";
    if (windows->time != WEIR_PER_KEY && windows->retention < weir__time_add(windows->size, windows->grace))
        return "the retention is shorter than size + grace: windows would go before they close";
    return NULL;
}

const char *weir__windows_check(const struct weir_windows *windows, int *ret_code)
{
    const char *what;

    *ret_code = WEIR_BAD_ARGUMENT;
    if (windows->kind <= WEIR__NO_WINDOW || windows->kind > WEIR_CALENDAR)
        return "the windows have no kind: use TUMBLING, HOPPING, SLIDING, SESSION, UNLIMITED or CALENDAR";
    if (windows->grace < 0)
        return "the grace is negative: give 0 or more ms";
    if (windows->retention < 0)
        return "the retention is negative: leave it out or give ms";
    what = check_time(windows);
    if (what != NULL)
        return what;
    if (windows->kind == WEIR_UNLIMITED)
        return windows->start < 0       ? "the start of UNLIMITED windows is negative"
               : windows->retention > 0 ? "UNLIMITED windows never close: leave the retention out"
                                        : NULL;
    if (windows->size <= 0 &&
        !(windows->size == 0 && (windows->kind == WEIR_SLIDING || windows->kind == WEIR_SESSION)))
        return "the size is not above 0 ms";
    if (windows->kind == WEIR_HOPPING && (windows->advance <= 0 || windows->advance > windows->size))
        return "the step of hopping windows must be above 0 and at most the size";
    return check_retention(windows);
}
