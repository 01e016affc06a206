/* times.h: instants, local times and zones. All times are int64 microseconds since 1970.
 *
 * (1) An instant is UTC. A local time is what a clock on the wall shows, counted as if it were UTC.
 * (2) Zones are read from the system's TZif files, once per process, and never change or go away afterwards: any thread.
 * (3) The process's own TZ and locale play no part.
 */
#ifndef MARKET_TIMES_H
#define MARKET_TIMES_H

#include "schemas/reasons.h"

#define MARKET_SECONDS(n) (INT64_C(1000000) * (n))
#define MARKET_MINUTES(n) (MARKET_SECONDS(60) * (n))
#define MARKET_HOURS(n)   (MARKET_MINUTES(60) * (n))
#define MARKET_DAYS(n)    (MARKET_HOURS(24) * (n))
#define MARKET_TIME_ROOM  32 /* bytes of an instant's text, NUL included */

/* ---- text ---- */

/* Midnight of a day of the Gregorian calendar. The day must exist: MARKET_BAD_TIME. Years 1 to 9999. */
int market_date(int year, int month, int day, int64_t *ret);

struct market_stamp {
    int64_t us;
    bool    local; /* no zone was said: us is a local time */
};

/* All of text, one of: ISO 8601 "2025-05-01T04:00:00[.123456][Z|-05:00]", also with a blank for T, and without time of
 * day (midnight); "2024/06/01 00:15:00"; "5/1/2025 4:00:00 AM", "07/18/2022 00:05[:00]", "6/1/24 0:00" (month first); an epoch in s, ms or us, told apart by
 * magnitude (market_epoch). 24:00 is the next day's midnight. Digits beyond the microsecond are cut. MARKET_BAD_TIME. */
int market_stamp_read(struct weir_text text, struct market_stamp *ret);

/* An epoch below 1e11 counts seconds, below 1e14 ms, below 1e17 us (each to the year 5138); a fraction is of that unit.
 * MARKET_BAD_TIME. */
int market_epoch_read(struct weir_text text, int64_t *ret);
int market_epoch(int64_t number, int64_t *ret);

/* "2025-05-01T04:00:00Z", with ".123456" where the second is not whole. Gives its size. */
size_t market_time_write(int64_t us, char to[MARKET_TIME_ROOM]);

/* ---- zones ---- */

struct market_zone;

/* By its name in the zone database ("America/Chicago", "EST", "UTC"). WEIR_NOTFOUND, WEIR_CORRUPT, WEIR_IO,
 * WEIR_NO_MEMORY. */
int         market_zone_get(const char *name, const struct market_zone **ret, struct weir_error *reterr);
const char *market_zone_name(const struct market_zone *zone);

/* Local time minus UTC at that instant. */
int64_t market_zone_offset(const struct market_zone *zone, int64_t instant);

/* The instants at which the clocks of a zone show one local time. */
struct market_instants {
    int     count; /* 1; 2: an hour that repeats; 0: a clock change leaves it out */
    int64_t first,
        second; /* count 1: the same; 2: in order; 0: by the clock before the change, by the one after it */
};
struct market_instants market_local(const struct market_zone *zone, int64_t local);

enum market_turn { MARKET_EARLIER, MARKET_LATER }; /* of a repeated hour */

/* A stamp that is an instant. MARKET_NO_SUCH_TIME. */
int market_local_instant(const struct market_zone *zone, int64_t local, enum market_turn turn, int64_t *ret);

/* Start of the hour that a day's label "hour ending n" means, n 1 to 24; day is its local midnight. If the local time
 * n - 1 does not exist, the hour that ends at n o'clock. 25: the later one of the day's repeated hour.
 * *ret_repeated (may be NULL): whether the label stands for two hours. MARKET_BAD_TIME, MARKET_NO_SUCH_TIME. */
int market_hour_ending(const struct market_zone *zone, int64_t day, int n, enum market_turn turn, int64_t *ret,
                       bool *ret_repeated);

/* The operating day that holds the instant: from `start` after local midnight to the same of the next day. 23, 24 or 25 h. */
void market_day(const struct market_zone *zone, int64_t start, int64_t instant, int64_t *ret_start, int64_t *ret_end);

#endif
