/* times.c: points in time as people write them. */
#define _GNU_SOURCE
#include <ctype.h>
#include <time.h>

#include "framework/main/commands.h"

/* ".25" behind seconds: ms. */
static const char *take_fraction(const char *at, int64_t *ms)
{
    int64_t unit = 100;

    if (at[0] != '.' || !isdigit((unsigned char)at[1]))
        return at;
    for (at++; isdigit((unsigned char)*at); at++, unit /= 10)
        *ms += unit * (*at - '0');
    return at;
}

/* "Z", "+02:00", "-0500" or nothing, which is UTC. */
static bool take_zone(const char *at, int64_t *ms)
{
    int  hours, minutes, used = 0;
    char sign;

    if (at[0] == '\0' || strcmp(at, "Z") == 0)
        return true;
    if (sscanf(at, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 &&
        sscanf(at, "%c%2d%2d%n", &sign, &hours, &minutes, &used) != 3)
        return false;
    if (at[used] != '\0' || (sign != '+' && sign != '-') || hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
        return false;
    *ms -= (sign == '+' ? 1 : -1) * (hours * 60 + minutes) * INT64_C(60000);
    return true;
}

bool weir__read_time(const char *text, int64_t *ret)
{
    static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
                                         "%Y-%m-%d" };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct tm   parts = { 0 };
        const char *end = strptime(text, forms[i], &parts);
        int64_t     ms = 0;

        if (end == NULL || !take_zone(take_fraction(end, &ms), &ms))
            continue;
        *ret = (int64_t)timegm(&parts) * 1000 + ms;
        return true;
    }
    return false;
}

bool weir__read_epoch(const char *text, int64_t *ret)
{
    int64_t number;

    if (weir__parse_int64(text, &number) < 0 || number < 0)
        return false;
    if (number < INT64_C(100000000000))
        *ret = number * 1000;
    else
        *ret = number < INT64_C(100000000000000) ? number : number / 1000;
    return true;
}
