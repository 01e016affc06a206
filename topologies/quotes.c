/* quotes.c: bid and ask: of each minute, those of the greatest tick that has both.
 *
 * (1) The greatest is a function of the ticks: by order, then by content. So nothing is summed, and nothing taken back.
 */
#include "topologies/aggregation.h"

#define MINUTE MINUTES(1)

static int send(struct weir_context *ctx, const struct market_quoting *quoting, const struct market_key *key,
                int64_t start, const struct market_quote *quote)
{
    const struct market_content *content = &quote->content;
    struct market_spread         spread = {
                .tenant_id = key->tenant,
                .pair_id = key->instrument,
                .kind = MARKET_BID_ASK,
                .interval = { "1m", 2 },
                .window_start = start * 1000,
                .window_end = (start + MINUTE) * 1000,
                .value = { .units = (market_sum_units)content->ask_price.units - content->bid_price.units, .given = true },
                .bid_price = content->bid_price,
                .ask_price = content->ask_price,
                .quality_flags = content->quality_flags & ~(uint32_t)MARKET_FLAGS_OF_REFERENCE,
                .state = quote->revision == 1 ? MARKET_BAR_FINAL : MARKET_BAR_CORRECTION,
                .epoch = quote->epoch,
                .revision = quote->revision,
                .currency = content->currency,
                .unit = content->unit
    };
    struct weir_record rec = { .key = key, .value = &spread, .timestamp = start };

    if (spread.quality_flags == 0)
        spread.quality_flags = MARKET_VALID;
    return weir_forward_to(ctx, quoting->node, &rec);
}

/* The next revision; the first where the epoch has risen. */
static int send_next(struct weir_context *ctx, const struct market_quoting *quoting, const struct market_key *key,
                     int64_t start, struct market_quote *quote)
{
    int64_t epoch = market_first_epoch(weir_epoch(ctx));
    int     err;

    quote->revision = quote->epoch < epoch ? 1 : quote->revision + 1;
    quote->epoch = MAX(quote->epoch, epoch);
    err = weir_put_window(ctx, quoting->minutes, key, quote, start);
    return err < 0 ? err : send(ctx, quoting, key, start, quote);
}

static bool says_the_same(const struct market_content *a, const struct market_content *b)
{
    return a->bid_price.units == b->bid_price.units && a->ask_price.units == b->ask_price.units &&
           a->quality_flags == b->quality_flags && market_text_same(a->currency, b->currency) &&
           market_text_same(a->unit, b->unit);
}

/* Behind what is known of its minute, beside it (0: the same again), or before it. */
static int compare(const struct market_quote *a, const struct market_quote *b)
{
    int by = market_order_compare(&a->order, &b->order);

    return by ? by : market_content_compare(&a->content, &b->content);
}

static int keep(struct weir_context *ctx, const struct market_quoting *quoting, const struct market_key *key,
                int64_t start, int standing, struct market_quote *quote)
{
    const struct market_quote *known;
    int                        err = weir_get_window(ctx, quoting->minutes, key, start, (const void **)&known);
    bool                       said;

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK) {
        if (compare(quote, known) < 0)
            return WEIR_OK;
        quote->epoch = known->epoch;
        quote->revision = known->revision;
    }
    said = err == WEIR_OK && known->revision > 0 && known->epoch >= market_first_epoch(weir_epoch(ctx)) &&
           says_the_same(&quote->content, &known->content);
    if (standing == WEIR_OPEN || said)
        return weir_put_window(ctx, quoting->minutes, key, quote, start);
    return send_next(ctx, quoting, key, start, quote);
}

int market_quote_take(struct weir_context *ctx, const struct market_quoting *quoting, const struct market_key *key,
                      const struct market_tick *tick)
{
    struct market_quote quote = { .order = market_order_of(tick), .content = market_content_of(tick) };
    int64_t             time = tick->event_time / 1000, start = time - time % MINUTE;
    int                 standing, err;

    if (!tick->bid_price.given || !tick->ask_price.given || tick->quality_flags & MARKET_FALLBACK)
        return WEIR_OK;
    standing = weir_window_standing(ctx, quoting->minutes, key, start + MINUTE);
    if (standing < 0)
        return standing;
    if (standing == WEIR_PAST)
        return market_drop(ctx, quoting->drops, key, "late_quote", tick->event_time);
    err = keep(ctx, quoting, key, start, standing, &quote);
    return err < 0 ? err : weir_advance(ctx, quoting->minutes, key, start);
}

int market_quote_closed(struct weir_context *ctx, const struct market_quoting *quoting, const struct weir_row *row)
{
    struct market_quote quote = *(const struct market_quote *)row->value;

    return send_next(ctx, quoting, row->key, row->start, &quote);
}
