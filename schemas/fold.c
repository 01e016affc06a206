/* fold.c: ticks folded into what a bar is made from, and the orders that make it the same for everybody.
 *
 * (1) Every part of a fold is a minimum, a maximum or an exact sum: so neither order nor grouping shows in it.
 * (2) A failure changes nothing.
 */
#include "schemas/records.h"

/* ---- orders ---- */

static int compare_numbers(int64_t a, int64_t b) { return (a > b) - (a < b); }

int market_order_compare(const struct market_order *a, const struct market_order *b)
{
    int by = compare_numbers(a->event_time, b->event_time);

    if (!by)
        by = compare_numbers(a->sequence, b->sequence);
    return by ? by : memcmp(a->tick_id, b->tick_id, MARKET_TICK_ID_BYTES);
}

struct market_order market_order_of(const struct market_tick *tick)
{
    struct market_order order = { .event_time = tick->event_time, .sequence = tick->sequence };

    memcpy(order.tick_id, tick->tick_id, sizeof(order.tick_id));
    return order;
}

static int compare_decimals(struct market_decimal a, struct market_decimal b)
{
    return a.given != b.given ? (a.given ? 1 : -1) : compare_numbers(a.units, b.units);
}

static int compare_texts(struct weir_text a, struct weir_text b)
{
    return weir__bytes_compare(BYTES(a.data, a.size), BYTES(b.data, b.size));
}

/* What the tick itself is flagged with, whatever came before it and whatever is known of its instrument. */
static uint32_t own_flags(const struct market_content *content)
{
    return content->quality_flags & ~(uint32_t)(MARKET_VALID | MARKET_FLAGS_FROM_STATE | MARKET_FLAGS_OF_REFERENCE);
}

struct market_content market_content_of(const struct market_tick *tick)
{
    return (struct market_content){ .price = tick->price,
                                    .volume = tick->volume,
                                    .revision = tick->revision,
                                    .ingested_at = tick->ingested_at,
                                    .quality_flags = tick->quality_flags,
                                    .currency = tick->currency,
                                    .unit = tick->unit,
                                    .bid_price = tick->bid_price,
                                    .ask_price = tick->ask_price };
}

/* By all but revision and ingestion time. */
static int compare_said(const struct market_content *a, const struct market_content *b)
{
    int by = compare_decimals(a->price, b->price);

    if (!by)
        by = compare_decimals(a->volume, b->volume);
    if (!by)
        by = compare_decimals(a->bid_price, b->bid_price);
    if (!by)
        by = compare_decimals(a->ask_price, b->ask_price);
    if (!by)
        by = compare_numbers(own_flags(a), own_flags(b));
    if (!by)
        by = compare_texts(a->currency, b->currency);
    return by ? by : compare_texts(a->unit, b->unit);
}

int market_content_compare(const struct market_content *a, const struct market_content *b)
{
    int by = compare_numbers(a->revision, b->revision);

    if (!by)
        by = compare_numbers(a->ingested_at, b->ingested_at);
    return by ? by : compare_said(a, b);
}

bool market_content_same(const struct market_content *a, const struct market_content *b)
{
    return a->revision == b->revision && compare_said(a, b) == 0;
}

enum market_verdict market_content_judge(const struct market_content *content, const struct market_content *known)
{
    if (market_content_same(content, known))
        return content->ingested_at > known->ingested_at ? MARKET_AGAIN_LATER : MARKET_AGAIN;
    return market_content_compare(content, known) > 0 ? MARKET_GREATER : MARKET_LESS;
}

/* ---- folds ---- */

bool market_in_bars(const struct market_tick *tick)
{
    return tick->kind != MARKET_KIND_QUOTE && tick->price.given && !(tick->quality_flags & MARKET_FALLBACK);
}

bool market_text_same(struct weir_text a, struct weir_text b)
{
    return weir__bytes_equal(BYTES(a.data, a.size), BYTES(b.data, b.size));
}

static bool same_edge(const struct market_edge *a, const struct market_edge *b)
{
    return market_order_compare(&a->order, &b->order) == 0 && a->price == b->price;
}

bool market_fold_same(const struct market_fold *a, const struct market_fold *b)
{
    return a->count == b->count && same_edge(&a->open, &b->open) && same_edge(&a->close, &b->close) &&
           a->high == b->high && a->low == b->low && a->volume.given == b->volume.given &&
           a->volume.units == b->volume.units && a->notional == b->notional && a->quality_flags == b->quality_flags &&
           a->flagged_count == b->flagged_count && market_text_same(a->currency, b->currency) &&
           market_text_same(a->unit, b->unit);
}

/* A fold of one tick. What reference data says of it is left out: bars do not depend on that. Valid is a tick without
 * flags of its own. */
static int fold_of(const struct market_order *order, const struct market_content *content, struct market_fold *ret)
{
    uint32_t           own = own_flags(content), state = content->quality_flags & MARKET_FLAGS_FROM_STATE;
    struct market_edge edge = { .order = *order, .price = content->price.units };

    if (!content->price.given)
        return MARKET_MISSING;
    *ret = (struct market_fold){ .count = 1,
                                 .open = edge,
                                 .close = edge,
                                 .high = edge.price,
                                 .low = edge.price,
                                 .prices = { .units = edge.price, .given = true },
                                 .squares = (market_sum_units)edge.price * edge.price,
                                 .quality_flags = state | (own != 0 ? own : MARKET_VALID),
                                 .flagged_count = own != 0,
                                 .currency = content->currency,
                                 .unit = content->unit };
    if (!content->volume.given)
        return WEIR_OK;
    ret->volume = (struct market_sum){ .units = content->volume.units, .given = true };
    return market_notional_add(&ret->notional, edge.price, content->volume.units);
}

/* Statistics can do without the squares: so they refuse no tick. */
static void add_squares(struct market_fold *fold, const struct market_fold *other)
{
    if (other->vast || market_sum_add(&fold->squares, other->squares) < 0)
        fold->vast = true;
    if (fold->vast)
        fold->squares = 0;
}

static int add_sums(struct market_fold *fold, const struct market_fold *other)
{
    struct market_sum prices = { .units = fold->prices.units, .given = fold->prices.given && other->prices.given };
    struct market_sum volume = { .units = fold->volume.units, .given = fold->volume.given || other->volume.given };
    market_sum_units  notional = fold->notional;
    int64_t           count = 0;
    int               err = market_sum_add(&volume.units, other->volume.units);

    if (err == WEIR_OK)
        err = market_sum_add(&notional, other->notional);
    if (err == WEIR_OK)
        err = market_sum_add(&prices.units, other->prices.units);
    if (err == WEIR_OK && __builtin_add_overflow(fold->count, other->count, &count))
        err = MARKET_OVERFLOW;
    if (err < 0)
        return err;
    fold->volume = volume;
    fold->prices = prices;
    fold->notional = notional;
    fold->count = count;
    fold->flagged_count += other->flagged_count; /* at most count */
    add_squares(fold, other);
    return WEIR_OK;
}

static void widen(struct market_fold *fold, const struct market_fold *other)
{
    if (market_order_compare(&other->open.order, &fold->open.order) < 0)
        fold->open = other->open;
    if (market_order_compare(&other->close.order, &fold->close.order) > 0) {
        fold->close = other->close;
        fold->currency = other->currency;
        fold->unit = other->unit;
    }
    fold->high = MAX(fold->high, other->high);
    fold->low = MIN(fold->low, other->low);
    fold->quality_flags |= other->quality_flags;
}

int market_fold_merge(struct market_fold *fold, const struct market_fold *other)
{
    int err;

    if (!other->count)
        return WEIR_OK;
    if (!fold->count) {
        *fold = *other;
        return WEIR_OK;
    }
    err = add_sums(fold, other);
    if (err == WEIR_OK)
        widen(fold, other);
    return err;
}

int market_fold_add(struct market_fold *fold, const struct market_order *order, const struct market_content *content)
{
    struct market_fold one;
    int                err = fold_of(order, content, &one);

    return err < 0 ? err : market_fold_merge(fold, &one);
}

/* ---- what is served ---- */

void market_bar_fill(struct market_bar *bar, const struct market_fold *fold)
{
    CHECK(fold->count > 0);
    bar->open = fold->open.price;
    bar->high = fold->high;
    bar->low = fold->low;
    bar->close = fold->close.price;
    bar->volume = fold->volume;
    bar->vwap = (struct market_double){ 0 };
    if (fold->volume.units)
        bar->vwap = (struct market_double){ .value = market_vwap(fold->notional, fold->volume.units), .given = true };
    bar->trade_count = fold->count;
    bar->first_event_time = fold->open.order.event_time;
    bar->last_event_time = fold->close.order.event_time;
    bar->quality_flags = fold->quality_flags;
    bar->flagged_count = fold->flagged_count;
    bar->currency = fold->currency;
    bar->unit = fold->unit;
}

struct market_latest market_latest_of(const struct market_tick *tick, int64_t epoch)
{
    struct market_latest latest = { .tenant_id = tick->tenant_id,
                                    .instrument_id = tick->instrument_id,
                                    .market = tick->market,
                                    .price = tick->price.units,
                                    .volume = tick->volume,
                                    .bid_price = tick->bid_price,
                                    .ask_price = tick->ask_price,
                                    .currency = tick->currency,
                                    .unit = tick->unit,
                                    .epoch = epoch,
                                    .event_time = tick->event_time,
                                    .sequence = tick->sequence,
                                    .revision = tick->revision,
                                    .ingested_at = tick->ingested_at,
                                    .quality_flags = tick->quality_flags,
                                    .source_system = tick->source_system };

    CHECK(tick->price.given);
    memcpy(latest.tick_id, tick->tick_id, sizeof(latest.tick_id));
    return latest;
}

int market_bar_compare(const struct market_bar *a, const struct market_bar *b)
{
    int by = compare_numbers(a->epoch, b->epoch);

    return by ? by : compare_numbers(a->revision, b->revision);
}

#define COMPARE_SAID(a, b, time)                          \
    int by = compare_numbers((a)->rebuild, (b)->rebuild); \
                                                          \
    if (!by)                                              \
        by = compare_numbers((a)->epoch, (b)->epoch);     \
    if (!by)                                              \
        by = compare_numbers((a)->time, (b)->time);       \
    return by ? by : compare_numbers((a)->revision, (b)->revision)

int market_stats_compare(const struct market_stats *a, const struct market_stats *b)
{
    COMPARE_SAID(a, b, window_end);
}

int market_spread_compare(const struct market_spread *a, const struct market_spread *b)
{
    COMPARE_SAID(a, b, window_start);
}

int market_curve_update_compare(const struct market_curve_update *a, const struct market_curve_update *b)
{
    COMPARE_SAID(a, b, window_start);
}

static struct market_content content_of_latest(const struct market_latest *latest)
{
    return (struct market_content){ .price = MARKET_DECIMAL(latest->price),
                                    .volume = latest->volume,
                                    .revision = latest->revision,
                                    .ingested_at = latest->ingested_at,
                                    .quality_flags = latest->quality_flags,
                                    .currency = latest->currency,
                                    .unit = latest->unit,
                                    .bid_price = latest->bid_price,
                                    .ask_price = latest->ask_price };
}

/* Not one that was taken over from before. */
static int is_own(const struct market_latest *latest) { return !(latest->quality_flags & MARKET_FALLBACK); }

int market_latest_compare(const struct market_latest *a, const struct market_latest *b)
{
    struct market_order   order_a = { .event_time = a->event_time, .sequence = a->sequence };
    struct market_order   order_b = { .event_time = b->event_time, .sequence = b->sequence };
    struct market_content content_a = content_of_latest(a), content_b = content_of_latest(b);
    int                   by = compare_numbers(a->epoch, b->epoch);

    memcpy(order_a.tick_id, a->tick_id, sizeof(order_a.tick_id));
    memcpy(order_b.tick_id, b->tick_id, sizeof(order_b.tick_id));
    if (!by)
        by = market_order_compare(&order_a, &order_b);
    if (!by)
        by = is_own(a) - is_own(b);
    return by ? by : market_content_compare(&content_a, &content_b);
}
