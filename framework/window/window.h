/* window.h: the arithmetic of windows. Times are ms; a window is [start, end), end cut at INT64_MAX. */
#ifndef WEIR_WINDOW_H
#define WEIR_WINDOW_H

#include "framework/base/base.h"
#include "framework/declare.h"

/* The windows of a TUMBLING, HOPPING or UNLIMITED kind that hold time, ascending by start. Returns how many were
 * written; *ret_first lets the caller go on where max cut off. Source: TimeWindows.windowsFor, UnlimitedWindows.windowsFor. */
struct weir__spans {
    const struct weir_windows *windows;
    int64_t                    time, start; /* next start */
};
void weir__spans_init(struct weir__spans *spans, const struct weir_windows *windows, int64_t time);
bool weir__spans_next(struct weir__spans *spans, struct weir_span *ret);

/* Width of the keys' codec: size, or INT64_MAX for UNLIMITED. */
int64_t weir__windows_width(const struct weir_windows *windows);
/* Between the starts of TUMBLING and HOPPING windows; 0 = of another kind. */
int64_t weir__windows_step(const struct weir_windows *windows);
/* Retention of the store: as declared; else until windows close: size + grace from their start, by key time the grace
 * from their end; UNLIMITED: for ever. */
int64_t weir__windows_retention(const struct weir_windows *windows);
/* Wall time after which a key without records leaves. */
int64_t weir__windows_ttl(const struct weir_windows *windows);
/* Segment width for a retention: max(retention / 2, 60000). Source: Stores.defaultSegmentInterval. */
int64_t weir__segment_width(int64_t retention);
/* What is wrong with windows, as text for the load check; NULL = nothing. *ret_code: BAD_ARGUMENT or UNSUPPORTED. */
const char *weir__windows_check(const struct weir_windows *windows, int *ret_code);

/* Adds and subtracts with the result cut at the ends of int64. */
int64_t weir__time_add(int64_t a, int64_t b);
int64_t weir__time_sub(int64_t a, int64_t b);

#endif
