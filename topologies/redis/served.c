/* served.c: what records of the pipeline are in Redis: their keys and versions.
 *
 * (1) A version orders as the projection's own store does, so that Redis and HTTP never differ for long.
 * (2) Who is served stands in the record itself, as in its key.
 */
#include "schemas/market.h"
#include "topologies/redis/internal.h"

void redis_key_part(struct weir__buf *key, struct weir_text part)
{
    weir__buf_putc(key, ':');
    for (size_t i = 0; i < part.size; i++) {
        unsigned char c = (unsigned char)part.data[i];

        if (c <= ' ' || c == 0x7f || strchr("%:{}", c) != NULL)
            weir__buf_printf(key, "%%%02X", c);
        else
            weir__buf_putc(key, (char)c);
    }
}

/* As market_latest_compare, but for contents of one tick that differ in more than revision and ingestion time. */
static void latest_version(const struct market_latest *latest, struct market_version *ret)
{
    market_version_begin(ret);
    market_version_number(ret, latest->epoch);
    market_version_number(ret, latest->event_time);
    market_version_number(ret, latest->sequence);
    market_version_bytes(ret, latest->tick_id, sizeof(latest->tick_id));
    market_version_number(ret, (latest->quality_flags & MARKET_FALLBACK) == 0);
    market_version_number(ret, latest->revision);
    market_version_number(ret, latest->ingested_at);
}

static int describe_latest(struct weir_context *ctx, const struct weir_record *rec, struct market_served *ret)
{
    const struct market_latest *latest = rec->value;

    (void)ctx;
    if (latest == NULL)
        return WEIR_NULL_GIVEN;
    ret->parts[0] = latest->tenant_id;
    ret->parts[1] = latest->instrument_id;
    ret->part_count = 2;
    latest_version(latest, &ret->version);
    return WEIR_OK;
}

/* As statistics, spreads and curves compare. */
static void said_at(int64_t epoch, int64_t time, int64_t revision, struct market_version *ret)
{
    market_version_begin(ret);
    market_version_number(ret, epoch);
    market_version_number(ret, time);
    market_version_number(ret, revision);
}

static int describe_curve(struct weir_context *ctx, const struct weir_record *rec, struct market_served *ret)
{
    const struct market_curve_snapshot *curve = rec->value;

    (void)ctx;
    if (curve == NULL)
        return WEIR_NULL_GIVEN;
    ret->parts[0] = curve->tenant_id;
    ret->parts[1] = curve->curve_id;
    ret->parts[2] = curve->horizon;
    ret->part_count = 3;
    said_at(curve->epoch, curve->window_start, curve->revision, &ret->version);
    return WEIR_OK;
}

#define TEXT(word) ((struct weir_text){ (word), sizeof(word) - 1 })

static struct weir_text spread_type(enum market_spread_kind kind)
{
    return kind == MARKET_BID_ASK ? TEXT("bid_ask") : kind == MARKET_SPOT_FUTURE ? TEXT("basis") : TEXT("spread");
}

static int describe_spread(struct weir_context *ctx, const struct weir_record *rec, struct market_served *ret)
{
    const struct market_spread *spread = rec->value;

    (void)ctx;
    if (spread == NULL)
        return WEIR_NULL_GIVEN;
    ret->parts[0] = spread_type(spread->kind);
    ret->parts[1] = spread->tenant_id;
    ret->parts[2] = spread->pair_id;
    ret->part_count = 3;
    said_at(spread->epoch, spread->window_start, spread->revision, &ret->version);
    return WEIR_OK;
}

static int describe_stats(struct weir_context *ctx, const struct weir_record *rec, struct market_served *ret)
{
    const struct market_stats *stats = rec->value;

    (void)ctx;
    if (stats == NULL)
        return WEIR_NULL_GIVEN;
    ret->parts[0] = TEXT("rolling_stat");
    ret->parts[1] = stats->tenant_id;
    ret->parts[2] = stats->instrument_id;
    ret->parts[3] = stats->window;
    ret->part_count = 4;
    said_at(stats->epoch, stats->window_end, stats->revision, &ret->version);
    return WEIR_OK;
}

#define FORM(id, name, codec, describe)                                           \
    const struct market_served_form id[1] = { { name, codec, false, describe } }, \
                                    id##_gone[1] = { { name, codec, true, describe } }
FORM(market_served_latest, "latest_price", market_latest, describe_latest);
FORM(market_served_curve, "curve_snapshot", market_curve_snapshot, describe_curve);
FORM(market_served_spread, "custom", market_spread, describe_spread);
FORM(market_served_stats, "custom", market_stats, describe_stats);
