/* sample_clock.c: local time by the rule of the law, not by a zone file: summer begins on the second Sunday of March and ends
 * on the first Sunday of November, each at two o'clock by the clock before the change. */
#include "topologies/sample.h"

#include <time.h>

enum { HOUR = 3600, DAY = 86400 };

static int64_t standard_offset(enum market_sample_clock clock)
{
    static const int hours[] = {
        [CLOCK_EST] = -5, [CLOCK_EASTERN] = -5, [CLOCK_CENTRAL] = -6, [CLOCK_MOUNTAIN] = -7, [CLOCK_PACIFIC] = -8
    };

    return hours[clock] * HOUR;
}

/* Midnight of the n-th Sunday of a month, as if local time were UTC. */
static int64_t sunday(int year, int month, int n)
{
    struct tm first = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1 };
    int64_t   at = timegm(&first);

    return at + ((7 - first.tm_wday) % 7 + 7 * (n - 1)) * (int64_t)DAY;
}

int64_t market_sample_offset(enum market_sample_clock clock, int64_t utc)
{
    int64_t   standard = standard_offset(clock), local = utc + standard;
    time_t    at = (time_t)local;
    struct tm date;

    if (clock == CLOCK_UTC || clock == CLOCK_EST)
        return standard;
    gmtime_r(&at, &date);
    if (local >= sunday(date.tm_year + 1900, 3, 2) + 2 * HOUR && local < sunday(date.tm_year + 1900, 11, 1) + HOUR)
        return standard + HOUR;
    return standard;
}

static bool is_later(enum market_sample_clock clock, int64_t utc)
{
    return market_sample_offset(clock, utc - HOUR) == market_sample_offset(clock, utc) + HOUR;
}

bool market_sample_repeats(enum market_sample_clock clock, int64_t utc)
{
    return is_later(clock, utc) || is_later(clock, utc + HOUR);
}

/* Clocks change after midnight. */
static int64_t midnight(enum market_sample_clock clock, int64_t day)
{
    int64_t guess = day * DAY - standard_offset(clock);

    return day * DAY - market_sample_offset(clock, guess);
}

void market_sample_day(enum market_sample_clock clock, int64_t utc, int64_t *ret_start, int64_t *ret_end)
{
    int64_t day = (utc + market_sample_offset(clock, utc)) / DAY;

    *ret_start = midnight(clock, day);
    *ret_end = midnight(clock, day + 1);
}
