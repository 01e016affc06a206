/* times.c: the calendar, and times as text. */
#include "schemas/times.h"

/* ---- calendar ---- */

enum { FIRST_YEAR = 1, LAST_YEAR = 9999 };

static bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01. Years begin in March here, so that the leap day is their last. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t shifted = year - (month <= 2), era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t of_era = shifted - era * 400, of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t from = days + 719468, era = (from >= 0 ? from : from - 146096) / 146097, of_era = from - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100), shifted = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = years + era * 400 + (*month <= 2);
}

int market_date(int year, int month, int day, int64_t *ret)
{
    if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return MARKET_BAD_TIME;
    *ret = days_from_civil(year, month, day) * MARKET_DAYS(1);
    return WEIR_OK;
}

/* ---- from text ---- */

struct cursor {
    const char *at, *end;
};

static bool skip(struct cursor *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

/* A number of least to most digits; -1 = there is none, or more follow. */
static int digits(struct cursor *text, int least, int most)
{
    const char *begin = text->at;
    int         value = 0;

    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9' && text->at - begin < most; text->at++)
        value = value * 10 + (*text->at - '0');
    if (text->at - begin < least || (text->at < text->end && *text->at >= '0' && *text->at <= '9'))
        return -1;
    return value;
}

/* Behind a point: at least one digit; those beyond the sixth are cut. -1 = none. */
static int micros(struct cursor *text)
{
    const char *begin = text->at;
    int         value = 0, places = 0;

    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        if (places < 6) {
            value = value * 10 + (*text->at - '0');
            places++;
        }
    }
    if (text->at == begin)
        return -1;
    for (; places < 6; places++)
        value *= 10;
    return value;
}

/* "5/1/2025", "5/1/25": years of two digits are those from 1970 to 2069. */
static int month_first(struct cursor *text, int month, int64_t *ret)
{
    int         day = digits(text, 1, 2);
    const char *begin = skip(text, '/') ? text->at : text->end;
    int         year = digits(text, 2, 4);

    if (text->at - begin == 2)
        year += year < 70 ? 2000 : 1900;
    else if (text->at - begin != 4)
        year = -1;
    return market_date(year, month, day, ret);
}

/* "2025-05-01", "2025/5/1" or "5/1/2025", as the first signs say. */
static int read_date(struct cursor *text, int64_t *ret)
{
    const char *begin = text->at;
    int         first = digits(text, 1, 4), month, day;
    bool        year_first = text->at - begin == 4, slashes;

    if (!year_first)
        return text->at - begin <= 2 && skip(text, '/') ? month_first(text, first, ret) : MARKET_BAD_TIME;
    slashes = skip(text, '/');
    if (!slashes && !skip(text, '-'))
        return MARKET_BAD_TIME;
    month = digits(text, slashes ? 1 : 2, 2);
    day = skip(text, slashes ? '/' : '-') ? digits(text, slashes ? 1 : 2, 2) : -1;
    return market_date(first, month, day, ret);
}

/* The hour of a twelve-hour clock in one of twenty-four; -1 = there is no such hour. */
static int read_half(struct cursor *text, int hour)
{
    bool afternoon = skip(text, 'P') || skip(text, 'p');

    if ((!afternoon && !skip(text, 'A') && !skip(text, 'a')) || (!skip(text, 'M') && !skip(text, 'm')) || hour < 1 ||
        hour > 12)
        return -1;
    return hour % 12 + (afternoon ? 12 : 0);
}

/* "4:00", "04:00:00.123456", "4:00:00 AM": us since midnight. */
static int read_clock(struct cursor *text, int64_t *ret)
{
    int hour = digits(text, 1, 2), minute = skip(text, ':') ? digits(text, 2, 2) : -1, second = 0, micro = 0;

    if (minute >= 0 && skip(text, ':')) {
        second = digits(text, 2, 2);
        if (second >= 0 && (skip(text, '.') || skip(text, ',')))
            micro = micros(text);
    }
    if (text->end - text->at == 3 && skip(text, ' '))
        hour = read_half(text, hour);
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 59 || micro < 0 ||
        (hour == 24 && (minute || second || micro)))
        return MARKET_BAD_TIME;
    *ret = MARKET_HOURS(hour) + MARKET_MINUTES(minute) + MARKET_SECONDS(second) + micro;
    return WEIR_OK;
}

/* "Z", "-05:00", "+0530", "-05", or nothing, which leaves the time a local one. */
static int read_offset(struct cursor *text, struct market_stamp *stamp)
{
    bool east;
    int  hours, minutes = 0;

    stamp->local = text->at == text->end;
    if (stamp->local || skip(text, 'Z') || skip(text, 'z'))
        return WEIR_OK;
    east = skip(text, '+');
    if (!east && !skip(text, '-'))
        return MARKET_BAD_TIME;
    if (text->end - text->at == 4) {
        hours = digits(&(struct cursor){ text->at, text->at + 2 }, 2, 2);
        text->at += 2;
        minutes = digits(text, 2, 2);
    } else {
        hours = digits(text, 2, 2);
        if (text->at < text->end)
            minutes = skip(text, ':') ? digits(text, 2, 2) : -1;
    }
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return MARKET_BAD_TIME;
    stamp->us -= (east ? 1 : -1) * (MARKET_HOURS(hours) + MARKET_MINUTES(minutes));
    return WEIR_OK;
}

static bool is_epoch(struct weir_text text)
{
    size_t i = text.size && text.data[0] == '-';

    while (i < text.size && ((text.data[i] >= '0' && text.data[i] <= '9') || text.data[i] == '.'))
        i++;
    return i == text.size;
}

int market_stamp_read(struct weir_text text, struct market_stamp *ret)
{
    struct cursor       at = { text.data, text.data + text.size };
    struct market_stamp stamp = { 0 };
    int64_t             clock = 0;
    int                 err;

    if (is_epoch(text)) {
        err = market_epoch_read(text, &stamp.us);
        if (err == WEIR_OK)
            *ret = stamp;
        return err;
    }
    err = read_date(&at, &stamp.us);
    if (err == WEIR_OK && at.at < at.end)
        err = skip(&at, 'T') || skip(&at, ' ') ? read_clock(&at, &clock) : MARKET_BAD_TIME;
    stamp.us += clock;
    if (err == WEIR_OK)
        err = read_offset(&at, &stamp);
    if (err < 0 || at.at != at.end)
        return MARKET_BAD_TIME;
    *ret = stamp;
    return WEIR_OK;
}

/* ---- epochs ---- */

/* How many us a unit of an epoch of that magnitude has; 0 = it is none. */
static int64_t epoch_unit(int64_t number)
{
    uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;

    if (size >= UINT64_C(100000000000000000))
        return 0;
    if (size < UINT64_C(100000000000))
        return 1000000;
    return size < UINT64_C(100000000000000) ? 1000 : 1;
}

int market_epoch(int64_t number, int64_t *ret)
{
    int64_t unit = epoch_unit(number);

    if (!unit)
        return MARKET_BAD_TIME;
    *ret = number * unit;
    return WEIR_OK;
}

int market_epoch_read(struct weir_text text, int64_t *ret)
{
    struct cursor at = { text.data, text.data + text.size };
    bool          negative = skip(&at, '-');
    const char   *begin = at.at;
    int64_t       whole = 0, unit;
    int           micro = 0;

    for (; at.at < at.end && *at.at >= '0' && *at.at <= '9'; at.at++)
        if (at.at - begin < 18)
            whole = whole * 10 + (*at.at - '0');
    unit = at.at - begin > 18 || at.at == begin ? 0 : epoch_unit(whole);
    if (unit && skip(&at, '.'))
        micro = micros(&at);
    if (!unit || micro < 0 || at.at != at.end)
        return MARKET_BAD_TIME;
    whole = whole * unit + micro / (1000000 / unit);
    *ret = negative ? -whole : whole;
    return WEIR_OK;
}

/* ---- to text ---- */

size_t market_time_write(int64_t us, char to[MARKET_TIME_ROOM])
{
    int64_t days = us / MARKET_DAYS(1) - (us % MARKET_DAYS(1) < 0), clock = us - days * MARKET_DAYS(1), year;
    int     month, day, seconds = (int)(clock / MARKET_SECONDS(1)), micro = (int)(clock % MARKET_SECONDS(1)), size;

    civil_from_days(days, &year, &month, &day);
    size = snprintf(to, MARKET_TIME_ROOM, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month, day, seconds / 3600,
                    seconds / 60 % 60, seconds % 60);
    if (micro)
        size += snprintf(to + size, MARKET_TIME_ROOM - (size_t)size, ".%06d", micro);
    size += snprintf(to + size, MARKET_TIME_ROOM - (size_t)size, "Z");
    return (size_t)size;
}
