/* derived.h: what is computed from ticks and bars: statistics, spreads, forward curves. docs/statistics.md has the formulas.
 *
 * (1) Sums are exact; a double is computed once, from them. So the same ticks give the same bits, in whatever order they come.
 * (2) Nothing is made up: what the members do not say is null, with a reason.
 */
#ifndef MARKET_DERIVED_H
#define MARKET_DERIVED_H

#include "schemas/records.h"

/* Minutes of an interval of bars as it is named, "15m", "4h"; 0 = it is none of at most MARKET_MINUTES_MOST that divides a day. */
enum { MARKET_MINUTES_MOST = 720 };
int64_t market_minutes_of(struct weir_text interval);

/* ---- statistics ---- */

/* Fills in what the fold says of a window's ticks; names, window, state, epoch and revision are the caller's. The fold holds a
 * tick. */
void market_stats_fill(struct market_stats *stats, const struct market_fold *fold);

/* ---- spreads ---- */

/* The sum of weight x price over legs, rounded once. MARKET_OVERFLOW. */
int market_spread_value(const struct market_leg_price *legs, size_t count, struct market_sum *ret);

/* ---- curves ---- */

/* Where a member delivers, seen from a day: fills in month or tenor, delivery and days. 1; 0: its month has ended. */
int market_point_place(const struct market_member *member, enum market_day_count count, int64_t as_of,
                       struct weir_arena *arena, struct market_point *ret);
/* By days, then id: the order that a curve has its points in. */
int    market_point_compare(const struct market_point *a, const struct market_point *b);
double market_confidence(int64_t age, int64_t max_age);
/* The curve's horizons from its points, which are in order. WEIR_LIMIT. */
int market_curve_horizons(const struct market_curve *curve, int64_t as_of, struct market_records points,
                          struct weir_arena *arena, struct market_records *ret);

/* ---- definitions: NULL, or what is wrong with one, in words ---- */

const char *market_pair_wrong(const struct market_pair *pair);
const char *market_curve_wrong(const struct market_curve *curve);

/* ---- dates: us of a day's midnight UTC ---- */

/* "2013-12" or "201312": the month's first day. MARKET_BAD_TIME. */
int market_month_read(struct weir_text text, int64_t *ret);
/* The contract month that an instrument id ends in: "GC.201312". MARKET_BAD_TIME: it ends otherwise. */
int market_month_of(struct weir_text instrument, int64_t *ret);
/* "10d", "2w", "3m", "1y" from a day on: months and years by the calendar, the day no later than the month's last.
 * MARKET_BAD_TIME. */
int market_tenor_add(struct weir_text tenor, int64_t day, int64_t *ret);
/* Days between two dates, by a day count. */
int64_t market_days_between(enum market_day_count count, int64_t from, int64_t to);

#endif
