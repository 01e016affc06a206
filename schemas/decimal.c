/* decimal.c: decimals from text and to text, sums, and the one division.
 *
 * (1) A number is read as significand x 10^exponent, the significand without zeros at its end: so 1.10e1 and 11 are one.
 * (2) The quotient is divided out bit by bit in integers and rounded once.
 */
#include "schemas/decimal.h"

#include <math.h>

typedef unsigned __int128 u128;

enum {
    PLACES = 8,
    EASY_DIGITS = 18,      /* of any 64-bit number */
    MOST_DIGITS = 39,      /* of a u128 */
    FAR_EXPONENT = 100000, /* more than any text has digits: what is beyond changes nothing */
};

static const uint64_t powers[] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
};

/* ---- from text ---- */

struct number {
    bool negative, too_long;
    u128 significand;
    int  digits; /* of the significand */
    int  exponent;
};

/* Puts so many zeros behind the significand. False = it does not fit. */
static bool shift(struct number *number, int zeros)
{
    if (number->digits + zeros > MOST_DIGITS)
        return false;
    for (int left = zeros; left > 0; left -= 18)
        if (__builtin_mul_overflow(number->significand, (u128)powers[MIN(left, 18)], &number->significand))
            return false;
    number->digits += zeros;
    return true;
}

static void push(struct number *number, int zeros, int digit)
{
    if (number->digits == 0)
        zeros = 0;
    if (number->digits + zeros < EASY_DIGITS) {
        number->significand = (uint64_t)number->significand * powers[zeros + 1] + (unsigned)digit;
        number->digits += zeros + 1;
        return;
    }
    if (number->too_long || !shift(number, zeros + 1) ||
        __builtin_add_overflow(number->significand, (u128)(unsigned)digit, &number->significand)) {
        number->too_long = true;
        number->digits += zeros + 1;
    }
}

/* Digits with at most one point. NULL = there is no digit. */
static const char *scan_mantissa(const char *at, const char *end, struct number *number)
{
    const char *begin = at, *point = NULL;
    int         zeros = 0;

    for (; at < end; at++) {
        if (*at == '.' && !point) {
            point = at;
        } else if (*at == '0') {
            zeros++;
        } else if (*at >= '1' && *at <= '9') {
            push(number, zeros, *at - '0');
            zeros = 0;
        } else {
            break;
        }
    }
    number->exponent = zeros - (point ? (int)(at - point - 1) : 0);
    return at - begin > (point ? 1 : 0) ? at : NULL;
}

/* `at` stands behind the e. NULL = there is no digit. */
static const char *scan_exponent(const char *at, const char *end, struct number *number)
{
    bool        negative = at < end && *at == '-';
    int         exponent = 0;
    const char *begin;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (begin = at; at < end && *at >= '0' && *at <= '9'; at++)
        exponent = MIN(exponent * 10 + (*at - '0'), FAR_EXPONENT);
    number->exponent += negative ? -exponent : exponent;
    return at > begin ? at : NULL;
}

static bool scan(struct weir_text text, struct number *number)
{
    const char *at = text.data, *end = text.data + text.size;

    if (text.size == 0 || text.size > INT16_MAX)
        return false;
    number->negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    at = scan_mantissa(at, end, number);
    if (at && at < end && (*at == 'e' || *at == 'E'))
        at = scan_exponent(at + 1, end, number);
    return at == end;
}

/* In units of so many decimal places, without the sign. */
static int read_units(struct weir_text text, int unit, u128 most, bool *ret_negative, u128 *ret)
{
    struct number number = { 0 };
    int           places;

    if (!scan(text, &number))
        return MARKET_BAD_NUMBER;
    places = number.exponent + unit;
    if (number.digits && places < 0)
        return number.digits + places > MOST_DIGITS ? MARKET_OVERFLOW : MARKET_PRECISION;
    if (number.digits && (number.too_long || !shift(&number, places)))
        return MARKET_OVERFLOW;
    if (number.significand > most + number.negative)
        return MARKET_OVERFLOW;
    *ret_negative = number.negative;
    *ret = number.significand;
    return WEIR_OK;
}

int market_decimal_read(struct weir_text text, int64_t *ret_units)
{
    bool negative;
    u128 units;
    int  err = read_units(text, PLACES, INT64_MAX, &negative, &units);

    if (err == WEIR_OK)
        *ret_units = (int64_t)(negative ? -(uint64_t)units : (uint64_t)units);
    return err;
}

static int read_sum(struct weir_text text, int unit, market_sum_units *ret)
{
    bool negative;
    u128 units;
    int  err = read_units(text, unit, ~(u128)0 >> 1, &negative, &units);

    if (err == WEIR_OK)
        *ret = (market_sum_units)(negative ? -units : units);
    return err;
}

int market_sum_read(struct weir_text text, market_sum_units *ret_units) { return read_sum(text, PLACES, ret_units); }

int market_whole_read(struct weir_text text, market_sum_units *ret) { return read_sum(text, 0, ret); }

/* ---- to text ---- */

/* The digits of value in front of `end`, at least `least` of them. */
static char *put_digits(uint64_t value, int least, char *end)
{
    char *at = end;

    for (; value || least > 0; value /= 10, least--)
        *--at = (char)('0' + value % 10);
    return at;
}

/* In front of `end`; zeros at the end are left out, the point with them. */
static char *put_fraction(uint32_t fraction, char *end)
{
    int places = PLACES;

    if (fraction == 0)
        return end;
    for (; fraction % 10 == 0; fraction /= 10)
        places--;
    end = put_digits(fraction, places, end);
    *--end = '.';
    return end;
}

static size_t deliver(const char *at, const char *end, char *to)
{
    size_t size = (size_t)(end - at);

    memcpy(to, at, size);
    to[size] = '\0';
    return size;
}

size_t market_decimal_write(int64_t units, char to[MARKET_DECIMAL_ROOM])
{
    char     text[MARKET_DECIMAL_ROOM], *end = text + sizeof(text), *at;
    uint64_t left = units < 0 ? -(uint64_t)units : (uint64_t)units;

    at = put_fraction((uint32_t)(left % MARKET_UNIT), end);
    at = put_digits(left / MARKET_UNIT, 1, at);
    if (units < 0)
        *--at = '-';
    return deliver(at, end, to);
}

static char *put_whole(u128 value, char *end)
{
    const uint64_t limb = powers[18];

    for (; value >= limb; value /= limb)
        end = put_digits((uint64_t)(value % limb), 18, end);
    return put_digits((uint64_t)value, 1, end);
}

size_t market_sum_write(market_sum_units units, char to[MARKET_SUM_ROOM])
{
    char text[MARKET_SUM_ROOM], *end = text + sizeof(text), *at;
    u128 left = units < 0 ? -(u128)units : (u128)units;

    at = put_fraction((uint32_t)(left % MARKET_UNIT), end);
    at = put_whole(left / MARKET_UNIT, at);
    if (units < 0)
        *--at = '-';
    return deliver(at, end, to);
}

size_t market_whole_write(market_sum_units units, char to[MARKET_SUM_ROOM])
{
    char text[MARKET_SUM_ROOM], *end = text + sizeof(text), *at;

    at = put_whole(units < 0 ? -(u128)units : (u128)units, end);
    if (units < 0)
        *--at = '-';
    return deliver(at, end, to);
}

/* ---- sums and the quotient ---- */

int market_sum_add(market_sum_units *sum, market_sum_units more)
{
    market_sum_units total;

    if (__builtin_add_overflow(*sum, more, &total))
        return MARKET_OVERFLOW;
    *sum = total;
    return WEIR_OK;
}

int market_notional_add(market_sum_units *sum, int64_t price, int64_t volume)
{
    return market_sum_add(sum, (market_sum_units)price * volume);
}

/* 192 bits: a u128 times 1e8 fits, and so does one doubled after that. */
struct wide {
    uint64_t high;
    u128     low;
};

static struct wide times_unit(u128 value)
{
    u128 low = (u128)(uint64_t)value * (uint64_t)MARKET_UNIT;
    u128 high = (value >> 64) * (uint64_t)MARKET_UNIT + (low >> 64);

    return (struct wide){ .high = (uint64_t)(high >> 64), .low = high << 64 | (uint64_t)low };
}

static bool less(struct wide a, struct wide b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }

static struct wide twice(struct wide a)
{
    return (struct wide){ .high = a.high << 1 | (uint64_t)(a.low >> 127), .low = a.low << 1 };
}

static struct wide minus(struct wide a, struct wide b)
{
    return (struct wide){ .high = a.high - b.high - (a.low < b.low), .low = a.low - b.low };
}

/* above / below with 55 bits of quotient and whether something is left: enough to round to 53 once. */
static double divide(struct wide above, struct wide below)
{
    uint64_t quotient = 0;
    int      exponent = 0;

    for (; !less(above, below); exponent++)
        below = twice(below);
    for (; less(twice(above), below); exponent--)
        above = twice(above);
    /* Now below/2 <= above < below: the first bit is a one. */
    for (int bits = 0; bits < 55; bits++) {
        above = twice(above);
        quotient <<= 1;
        if (!less(above, below)) {
            above = minus(above, below);
            quotient |= 1;
        }
    }
    quotient = quotient << 1 | (above.high != 0 || above.low != 0);
    return ldexp((double)quotient, exponent - 56);
}

double market_vwap(market_sum_units notional, market_sum_units volume)
{
    u128   above = notional < 0 ? -(u128)notional : (u128)notional;
    u128   below = volume < 0 ? -(u128)volume : (u128)volume;
    double quotient;

    CHECK(volume != 0);
    if (notional == 0)
        return 0;
    quotient = divide((struct wide){ .low = above }, times_unit(below));
    return (notional < 0) != (volume < 0) ? -quotient : quotient;
}
