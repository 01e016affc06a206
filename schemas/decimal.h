/* decimal.h: prices and volumes: exact decimals in units of 1e-8, and what is computed from them.
 *
 * (1) A decimal is an int64 of units; no double is on its way in or out.
 * (2) Sums of decimals are __int128 in units of 1e-8, sums of price x volume __int128 in units of 1e-16.
 * (3) What does not fit is MARKET_OVERFLOW, what has digits beyond the eighth place MARKET_PRECISION: nothing is rounded.
 */
#ifndef MARKET_DECIMAL_H
#define MARKET_DECIMAL_H

#include "schemas/reasons.h"

#define MARKET_UNIT         INT64_C(100000000) /* 1 */
#define MARKET_DECIMAL_ROOM 24                 /* bytes of any decimal's text, NUL included */
#define MARKET_SUM_ROOM     48                 /* of any sum's */

typedef __int128 market_sum_units;

/* Null, zero and negative are three things. units is 0 where there is none. */
struct market_decimal {
    int64_t units;
    bool    given;
};

struct market_sum {
    market_sum_units units;
    bool             given;
};

/* Derived, never summed: vwap. */
struct market_double {
    double value;
    bool   given;
};

#define MARKET_NULL_DECIMAL ((struct market_decimal){ 0 })
#define MARKET_DECIMAL(u)   ((struct market_decimal){ .units = (u), .given = true })

/* All of text: sign, digits with or without a point ("6.5", ".6", "-.37", "7."), exponent ("6e-05"). No blanks, no NaN.
 * MARKET_BAD_NUMBER, MARKET_PRECISION, MARKET_OVERFLOW. */
int market_decimal_read(struct weir_text text, int64_t *ret_units);
int market_sum_read(struct weir_text text, market_sum_units *ret_units);

/* A sum of other units as a whole number. */
int market_whole_read(struct weir_text text, market_sum_units *ret);

/* The shortest decimal text, "23.71" or "-0.00000001", never with an exponent; NUL-ended. Gives its size. */
size_t market_decimal_write(int64_t units, char to[MARKET_DECIMAL_ROOM]);
size_t market_sum_write(market_sum_units units, char to[MARKET_SUM_ROOM]);
size_t market_whole_write(market_sum_units units, char to[MARKET_SUM_ROOM]);

/* MARKET_OVERFLOW leaves the sum as it was. */
int market_sum_add(market_sum_units *sum, market_sum_units more);
/* Adds price x volume to a sum in units of 1e-16. */
int market_notional_add(market_sum_units *sum, int64_t price, int64_t volume);
/* The double nearest to notional (1e-16) / volume (1e-8), ties to even. volume is not 0. */
double market_vwap(market_sum_units notional, market_sum_units volume);

#endif
