/* spread.c: what statistics and spreads come to. */
#include <math.h>

#include "schemas/derived.h"

/* n times the sum of squares less the square of the sum, about the whole part of the mean, so that little is multiplied. All but
 * the last step is true modulo 2^128, and what it is of fits. false = it does not. */
static bool spread_of(const struct market_fold *fold, market_sum_units *ret)
{
    typedef unsigned __int128 wide;
    market_sum_units mean = fold->prices.units / fold->count, rest = fold->prices.units % fold->count, product;
    wide             squares =
        (wide)fold->squares - 2 * (wide)mean * (wide)fold->prices.units + (wide)fold->count * (wide)mean * (wide)mean;

    if (fold->vast || !fold->prices.given ||
        __builtin_mul_overflow((market_sum_units)squares, (market_sum_units)fold->count, &product))
        return false;
    *ret = product - rest * rest;
    return true;
}

static struct market_double deviation_of(const struct market_fold *fold)
{
    market_sum_units spread, by;

    if (!spread_of(fold, &spread) ||
        __builtin_mul_overflow((market_sum_units)fold->count * fold->count, (market_sum_units)MARKET_UNIT, &by))
        return (struct market_double){ 0 };
    return (struct market_double){ .value = sqrt(market_vwap(spread, by)), .given = true };
}

void market_stats_fill(struct market_stats *stats, const struct market_fold *fold)
{
    CHECK(fold->count > 0);
    stats->count = fold->count;
    stats->mean = (struct market_double){ 0 };
    if (fold->prices.given)
        stats->mean = (struct market_double){ .value = market_vwap(fold->prices.units, fold->count), .given = true };
    stats->min = fold->low;
    stats->max = fold->high;
    stats->range = (struct market_sum){ .units = (market_sum_units)fold->high - fold->low, .given = true };
    stats->standard_deviation = deviation_of(fold);
    stats->volume = fold->volume;
    stats->first_event_time = fold->open.order.event_time;
    stats->last_event_time = fold->close.order.event_time;
    stats->quality_flags = fold->quality_flags;
    stats->currency = fold->currency;
    stats->unit = fold->unit;
}

/* To the nearest unit, half to even. */
static market_sum_units rounded(market_sum_units sum)
{
    market_sum_units whole = sum / MARKET_UNIT, rest = sum % MARKET_UNIT;

    if (rest < 0) {
        whole--;
        rest += MARKET_UNIT;
    }
    return whole + (2 * rest > MARKET_UNIT || (2 * rest == MARKET_UNIT && whole % 2 != 0));
}

int market_spread_value(const struct market_leg_price *legs, size_t count, struct market_sum *ret)
{
    market_sum_units sum = 0;
    int              err = WEIR_OK;

    for (size_t i = 0; i < count && err == WEIR_OK; i++)
        err = market_notional_add(&sum, legs[i].price, legs[i].weight);
    *ret = (struct market_sum){ .units = rounded(sum), .given = true };
    return err;
}

enum market_custom_type market_custom_type_of(enum market_spread_kind kind)
{
    return kind == MARKET_BID_ASK       ? MARKET_CUSTOM_BID_ASK
           : kind == MARKET_SPOT_FUTURE ? MARKET_CUSTOM_BASIS
                                        : MARKET_CUSTOM_SPREAD;
}
