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
    ret->gone = latest->deleted;
    return WEIR_OK;
}

/* As statistics, spreads and curves compare. One number of rebuild and epoch: longer, so greater, than any of the rebuild before. */
static void said_at(int64_t rebuild, int64_t epoch, int64_t time, int64_t revision, struct market_version *ret)
{
    market_version_begin(ret);
    if (rebuild > 0)
        market_version_numbers(ret, rebuild, epoch);
    else
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
    said_at(curve->rebuild, curve->epoch, curve->window_start, curve->revision, &ret->version);
    ret->gone = curve->deleted || curve->state == MARKET_BAR_WITHDRAWN;
    return WEIR_OK;
}

static struct weir_text type_text(enum market_custom_type type)
{
    return (struct weir_text){ market_custom_words[type], strlen(market_custom_words[type]) };
}

static int describe_spread(struct weir_context *ctx, const struct weir_record *rec, struct market_served *ret)
{
    const struct market_spread *spread = rec->value;

    (void)ctx;
    if (spread == NULL)
        return WEIR_NULL_GIVEN;
    ret->parts[0] = type_text(market_custom_type_of(spread->kind));
    ret->parts[1] = spread->tenant_id;
    ret->parts[2] = spread->pair_id;
    ret->part_count = 3;
    said_at(spread->rebuild, spread->epoch, spread->window_start, spread->revision, &ret->version);
    ret->gone = spread->deleted || spread->state == MARKET_BAR_WITHDRAWN;
    return WEIR_OK;
}

static int describe_stats(struct weir_context *ctx, const struct weir_record *rec, struct market_served *ret)
{
    const struct market_stats *stats = rec->value;

    (void)ctx;
    if (stats == NULL)
        return WEIR_NULL_GIVEN;
    ret->parts[0] = type_text(MARKET_CUSTOM_ROLLING_STAT);
    ret->parts[1] = stats->tenant_id;
    ret->parts[2] = stats->instrument_id;
    ret->parts[3] = stats->window;
    ret->part_count = 4;
    said_at(stats->rebuild, stats->epoch, stats->window_end, stats->revision, &ret->version);
    ret->gone = stats->deleted;
    return WEIR_OK;
}

const struct market_served_form market_served_latest[1] = { { "latest_price", market_latest, describe_latest } };
const struct market_served_form market_served_curve[1] = { { "curve_snapshot", market_curve_snapshot,
                                                             describe_curve } };
const struct market_served_form market_served_spread[1] = { { "custom", market_spread, describe_spread } };
const struct market_served_form market_served_stats[1] = { { "custom", market_stats, describe_stats } };
