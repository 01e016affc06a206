/* derived.h: what is computed from ticks and bars: statistics, spreads, forward curves. docs/statistics.md has the formulas.
 *
 * (1) Sums are exact; a double is computed once, from them. So the same ticks give the same bits, in whatever order they come.
 * (2) Nothing is made up: what the members do not say is null, with a reason.
 */
#ifndef MARKET_DERIVED_H
#define MARKET_DERIVED_H

#include "schemas/records.h"

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
