/* spreads.c: what the closes of a pair's legs come to. */
#include "schemas/derived.h"
#include "topologies/members.h"

static void fill_legs(const struct market_meeting *meeting, int64_t start, const struct market_found *found,
                      struct market_leg_price *legs)
{
    const struct market_leg *defined = meeting->pair->legs.rows;

    for (size_t i = 0; i < meeting->count; i++)
        legs[i] = (struct market_leg_price){ .instrument_id = defined[i].instrument_id,
                                             .weight = defined[i].weight,
                                             .price = found[i].bar.close,
                                             .window_start = found[i].start * 1000,
                                             .age = (start - found[i].start) * 1000,
                                             .stale = found[i].start < start };
}

static struct market_spread spread_of(const struct market_meeting *meeting, const struct weir_span *span)
{
    return (struct market_spread){ .tenant_id = meeting->key.tenant,
                                   .pair_id = meeting->key.instrument,
                                   .kind = meeting->pair->kind,
                                   .interval = meeting->interval,
                                   .window_start = span->start * 1000,
                                   .window_end = span->end * 1000 };
}

static bool all_there(const struct market_meeting *meeting, const struct market_found *found)
{
    for (size_t i = 0; i < meeting->count; i++)
        if (!found[i].given)
            return false;
    return true;
}

int market_make_spread(struct weir_context *ctx, const struct market_meeting *meeting, const struct weir_span *span,
                       const struct market_found *found, struct market_outcome *ret)
{
    struct market_agreement  agreement;
    struct market_spread    *spread = weir_alloc(ctx, sizeof(*spread));
    struct market_leg_price *legs = weir_alloc(ctx, sizeof(*legs) * meeting->count);
    int                      err;

    if (spread == NULL || legs == NULL)
        return WEIR_LIMIT;
    *spread = spread_of(meeting, span);
    *ret = (struct market_outcome){ .value = spread, .none = true };
    if (!all_there(meeting, found)) {
        ret->why = "leg_missing";
        return WEIR_OK;
    }
    err = market_agree(ctx, meeting, span->start, found, meeting->pair->unit, &agreement);
    if (err < 1)
        return err;
    fill_legs(meeting, span->start, found, legs);
    spread->legs = (struct market_records){ legs, meeting->count };
    spread->stale = agreement.stale;
    spread->quality_flags = agreement.flags;
    spread->currency = agreement.currency;
    spread->unit = agreement.unit;
    err = market_spread_value(legs, meeting->count, &spread->value);
    *ret = (struct market_outcome){ .value = spread, .epoch = agreement.epoch };
    return market_weir_code(err);
}
