/* numbers.c: numbers to text and back, whatever the locale.
 *
 * (1) Doubles go through libc, whose answer is the nearest double, in the C locale of this thread's moment.
 * (2) What is written reads back as the same double. Where 15 digits suffice there are no more.
 */
#define _GNU_SOURCE /* uselocale */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "framework/json/json.h"

enum {
    SHORT = 64,      /* bytes of a number that is read without memory of the arena */
    INT_DIGITS = 20, /* of an int64, with its sign */
};

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    CHECK(c_locale);
}

/* Gives the locale to go back to. */
static locale_t enter_c_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    CHECK(pthread_once(&once, make_c_locale) == 0);
    return uselocale(c_locale);
}

/* ---- reading ---- */

int weir_json_int64(const struct weir_json *json, int64_t *ret)
{
    const char *at, *end;
    bool        negative;
    uint64_t    value = 0;

    if (!json || json->type != WEIR_JSON_NUMBER)
        return WEIR_UNREADABLE;
    end = json->text.data + json->text.size;
    negative = json->text.data[0] == '-';
    at = json->text.data + negative;
    for (const char *digit = at; digit < end; digit++) {
        if (*digit < '0' || *digit > '9')
            return WEIR_UNREADABLE;
        value = value * 10 + (uint64_t)(*digit - '0');
    }
    /* The reader gives no zeros in front: 19 digits always fit into 64 bits, 20 never into an int64. */
    if (end - at >= INT_DIGITS || value > (uint64_t)INT64_MAX + negative)
        return WEIR_OVERFLOW;
    *ret = (int64_t)(negative ? -value : value);
    return WEIR_OK;
}

static double to_double(const char *text)
{
    locale_t before = enter_c_locale();
    double   value = strtod(text, NULL);

    uselocale(before);
    return value;
}

int weir_json_double(const struct weir_json *json, double *ret)
{
    char   near[SHORT], *text = near;
    double value;

    if (!json || json->type != WEIR_JSON_NUMBER)
        return WEIR_UNREADABLE;
    if (json->text.size >= sizeof(near))
        text = weir__arena_take(json->arena, json->text.size + 1);
    if (!text)
        return WEIR_LIMIT;
    memcpy(text, json->text.data, json->text.size);
    text[json->text.size] = '\0';
    value = to_double(text);
    if (!isfinite(value))
        return WEIR_OVERFLOW;
    *ret = value;
    return WEIR_OK;
}

/* ---- writing ---- */

void weir_json_put_int64(struct weir_json_out *json, int64_t value)
{
    char     digits[INT_DIGITS], *at = digits + sizeof(digits);
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    weir__buf_add(weir__json_put_raw(json), at, (size_t)(digits + sizeof(digits) - at));
}

void weir_json_put_double(struct weir_json_out *json, double value)
{
    char     text[40];
    int      precision = fabs(value) < DBL_MIN ? 1 : 15; /* denormals have few digits, down to one */
    locale_t before;

    if (!isfinite(value)) {
        weir_json_put_null(json);
        return;
    }
    before = enter_c_locale();
    do
        snprintf(text, sizeof(text), "%.*g", precision, value);
    while (strtod(text, NULL) != value && ++precision <= DBL_DECIMAL_DIG);
    uselocale(before);
    weir__buf_puts(weir__json_put_raw(json), text);
}
