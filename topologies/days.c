/* days.c: the operating day of each market, by its zone. */
#include "topologies/aggregation.h"

static const struct market_zone *zone_of(struct weir_text market)
{
    const struct market_zone *zone;

    /* market_days_check has seen that it is there */
    return market_zone_get(market_rules_find(market)->day_zone, &zone, NULL) == WEIR_OK ? zone : NULL;
}

int market_days_check(void)
{
    const struct market_zone *zone;
    int                       err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && market_rules_at(i) != NULL; i++)
        err = market_zone_get(market_rules_at(i)->day_zone, &zone, NULL);
    return err;
}

struct weir_span market_day_of(struct weir_text market, int64_t time)
{
    int64_t start, end;

    market_day(zone_of(market), 0, time * 1000, &start, &end);
    return (struct weir_span){ .start = start / 1000, .end = end / 1000 };
}

int market_days(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *ret_spans, size_t max)
{
    const struct market_enriched *enriched = rec->value;

    (void)ctx;
    if (max > 0)
        ret_spans[0] = market_day_of(enriched->tick.market, enriched->tick.event_time / 1000);
    return 1;
}
