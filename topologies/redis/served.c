/* served.c: what records of the pipeline are in Redis: their keys and versions.
 *
 * (1) A version orders as the projection's own store does, so that Redis and HTTP never differ for long.
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

/* A deletion is of everything up to its time, to the ms. */
static void gone_version(struct weir_context *ctx, const struct weir_record *rec, struct market_version *ret)
{
    market_version_begin(ret);
    market_version_number(ret, market_first_epoch(weir_epoch(ctx)));
    market_version_number(ret, rec->timestamp * 1000 + 999);
    market_version_number(ret, INT64_MAX);
}

static int describe_latest(struct weir_context *ctx, const struct weir_record *rec, struct market_served *ret)
{
    const struct market_key *key = rec->key;

    if (key == NULL)
        return WEIR_NULL_GIVEN;
    ret->parts[0] = key->tenant;
    ret->parts[1] = key->instrument;
    ret->part_count = 2;
    ret->gone = rec->value == NULL;
    if (ret->gone)
        gone_version(ctx, rec, &ret->version);
    else
        latest_version(rec->value, &ret->version);
    return WEIR_OK;
}

const struct market_served_form market_served_latest[1] = { { "latest_price", market_latest, describe_latest } };
