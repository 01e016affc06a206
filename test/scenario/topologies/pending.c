/* pending.c: what has no runtime yet: it loads, is described, and is refused by name when it is to start. */
#include "test/scenario/flow.h"
#include "test/scenario/topologies/verbs.h"

static weir_unite  add_sums;
static weir_init   from_zero;
static weir_assign by_day;

/* clang-format off */
SOURCE(clicks, "clicks", weir_string, weir_string);
SOURCE(buys,   "buys",   weir_string, weir_string);
SINK  (out,    "out",    weir_string, weir_string);

JOIN(matched, LEFT, buys, flow_pair, weir_string, .before = MINUTES(5), .after = MINUTES(10), .grace = SECONDS(30));
static TOPOLOGY(stream_join, .paths = PATHS(PATH(clicks, matched, out), PATH(buys)));

KEYS (left_s,  weir_string, weir_string);
KEYS (right_s, weir_string, weir_string);
TABLE(lefts,   "lefts",  left_s);
TABLE(rights,  "rights", right_s);
JOIN (joined,  OUTER, rights, flow_pair, weir_string);
static TOPOLOGY(tables_join, .paths = PATHS(PATH(lefts, joined, out), PATH(rights)));

JOIN(placed, INNER, rights, flow_pair, weir_string, .foreign = flow_by_value);
static TOPOLOGY(foreign_join, .paths = PATHS(PATH(lefts, placed, out), PATH(rights)));

WINDOWS(visits_s, weir_string, weir_int64, SESSION(MINUTES(30), MINUTES(5)));
AGGREGATE(visits, visits_s, from_zero, flow_add, .unite = add_sums);
SINK(visits_out,  "visits", SESSIONED(weir_string), weir_int64);
static TOPOLOGY(sessions, .paths = PATHS(PATH(clicks, visits, visits_out)));

WINDOWS(near_s, weir_string, weir_int64, SLIDING(MINUTES(5), 0));
COUNT  (near,   near_s);
SINK   (near_out, "near", WINDOWED(weir_string, MINUTES(5)), weir_int64);
static TOPOLOGY(sliding, .paths = PATHS(PATH(clicks, near, near_out)));

KEYS   (both_s, weir_string, weir_int64);
COGROUP(both,   both_s, from_zero, ARMS(ARM(clicks, flow_add), ARM(buys, flow_add)));
SINK   (both_out, "both", weir_string, weir_int64);
static TOPOLOGY(cogroup, .paths = PATHS(PATH(clicks, both, both_out), PATH(buys, both)));

WINDOWS (minutes_s, weir_string, weir_int64, TUMBLING(MINUTES(1), 0));
COUNT   (minutes,   minutes_s);
SUPPRESS(final,     .until = UNTIL_CLOSE, .max_bytes = 1 << 20, .when_full = WEIR_SHUT_DOWN);
SINK    (final_out, "final", WINDOWED(weir_string, MINUTES(1)), weir_int64);
static TOPOLOGY(suppression, .paths = PATHS(PATH(clicks, minutes, final, final_out)));

WINDOWS(days_s, weir_string, weir_int64, CALENDAR(by_day, DAYS(1), 0, .retention = DAYS(2)));
COUNT  (days,   days_s);
SINK   (days_out, "days", WINDOWED(weir_string, DAYS(1)), weir_int64);
static TOPOLOGY(calendar, .paths = PATHS(PATH(clicks, days, days_out)));

VERSIONED(history_s, weir_string, weir_string, .history = HOURS(1));
TABLE    (history,   "rights", history_s);
static TOPOLOGY(versions, .paths = PATHS(PATH(history, out)));

COUNT(per_value, both_s);
REGROUP(by_value, flow_swap, weir_string, weir_string);
static TOPOLOGY(table_group, .paths = PATHS(PATH(lefts, by_value, per_value, both_out)));
/* clang-format on */

FLOW(stream_join);
FLOW(tables_join);
FLOW(foreign_join);
FLOW(sessions);
FLOW(sliding);
FLOW(cogroup);
FLOW(suppression);
FLOW(calendar);
FLOW(versions);
FLOW(table_group);

static int from_zero(struct weir_context *ctx, void *ret)
{
    (void)ctx;
    *(int64_t *)ret = 0;
    return WEIR_OK;
}

static int add_sums(struct weir_context *ctx, const void *key, const void *other, void *state)
{
    (void)ctx, (void)key;
    *(int64_t *)state += *(const int64_t *)other;
    return WEIR_OK;
}

static int by_day(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *ret_spans, size_t max)
{
    int64_t start = rec->timestamp - rec->timestamp % DAYS(1);

    (void)ctx;
    if (max > 0)
        ret_spans[0] = (struct weir_span){ .start = start, .end = start + DAYS(1) };
    return 1;
}
