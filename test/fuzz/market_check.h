/* market_check.h: what must hold of any bytes given as a raw event, for the fuzzers and the unit test.
 *
 * (1) It gives ticks or a refusal: ticks that every later stage can take as they are, a refusal with a code and words.
 * (2) The same bytes give the same answer.
 */
#ifndef WEIR_TEST_MARKET_CHECK_H
#define WEIR_TEST_MARKET_CHECK_H

#include "schemas/feeds/feeds.h"
#include "schemas/market.h"

static bool tick_holds(const struct market_tick *tick)
{
    bool quote = tick->kind == MARKET_KIND_QUOTE;

    return market_tenant_legal(tick->tenant_id) && market_instrument_legal(tick->instrument_id) &&
           tick->market.size && tick->event_time > 0 && tick->event_time < INT64_C(7258118400000000) &&
           tick->revision >= 1 && tick->sequence >= 0 && (tick->price.given || quote) &&
           (!quote || tick->bid_price.given || tick->ask_price.given) && tick->volume.units >= 0 &&
           tick->source_event_id.size;
}

static bool refusal_holds(int code, const struct weir_error *error)
{
    return code < 0 && *market_reason_name(code) && *error->text && *error->where;
}

/* NULL = all holds. */
static const char *raw_event_fault(const void *data, size_t size)
{
    static const struct market_origin origin = { .topic = "raw", .offset = 5, .timestamp = 1700000000000 };
    struct market_raw_options         options = { 0 };
    struct market_reading             reading, again;
    struct weir_error                 error = { 0 };
    struct weir_arena                 arena;
    const char                       *fault = NULL;
    char                             *copy = weir__memdup(data, size); /* ends where the event ends */
    int                               code;

    weir__arena_init(&arena, (size_t)8 << 20);
    code = market_read_raw(&arena, BYTES(copy, size), &origin, &options, &reading, &error);
    if (code < 0 && !refusal_holds(code, &error))
        fault = "a refusal without code or words";
    for (size_t i = 0; code == WEIR_OK && i < reading.count; i++)
        if (!tick_holds(&reading.ticks[i]))
            fault = "a tick that cannot be";
    if (!fault && market_read_raw(&arena, BYTES(copy, size), &origin, &options, &again, &error) != code)
        fault = "another answer the second time";
    weir__arena_fini(&arena);
    weir__free(copy);
    return fault;
}

#endif
