/* enrichment.c: ticks meet what is known of their instrument: reference data, else rules on its name.
 *
 * (1) The reference table is read to its end before the first tick, and joined without regard to time: ticks may be years
 *     older than their rows. The tick says which version of the row it met.
 */
#include "topologies/taxonomy.h"

/* clang-format off */

static weir_process attach;

SOURCE(ticks,         "normalized.market.ticks.v1", market_key, market_tick);
KEYS  (instruments_s, market_key, market_instrument);
GLOBAL(instruments,   "reference.instruments.v1", instruments_s);
SINK  (enriched,      "enriched.market.ticks.v1", market_key, market_enriched);
SINK  (rejects,       "processing.deadletter.enrichment.v1", weir_blob, weir_blob);

STEP  (attached, attach, .looks_up = NODES(instruments), .key = market_key, .value = market_enriched);

TOPOLOGY(enrichment, .dead_letters = rejects, .tenant = market_tenant_of_key, .port = 8081, .settings = market_settings,
    .paths = PATHS(
        PATH(ticks, attached, enriched),
        PATH(instruments)));

/* clang-format on */

/* Below it a classification says that it is a guess. */
#define CONFIDENT (MARKET_UNIT / 10 * 8)

static struct weir_text either(struct weir_text first, struct weir_text second)
{
    return first.data != NULL ? first : second;
}

static void take_reference(struct market_enriched *out, const struct market_instrument *row)
{
    out->contract_size = row->contract_size;
    out->tick_size = row->tick_size;
    out->reference_version = row->version;
    out->tick.unit = either(out->tick.unit, row->unit);
    out->tick.currency = either(out->tick.currency, row->currency);
}

static int attach(struct weir_context *ctx, const struct weir_record *rec)
{
    struct market_enriched         *out;
    const struct market_instrument *row = NULL;
    int                             err;

    if (rec->key == NULL || rec->value == NULL)
        return market_reject_null(ctx, rec);
    err = weir_lookup(ctx, instruments, rec->key, (const void **)&row);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    out = weir_alloc(ctx, sizeof(*out));
    if (out == NULL)
        return WEIR_LIMIT;
    out->tick = *(const struct market_tick *)rec->value;
    if (row != NULL && row->active)
        take_reference(out, row);
    else
        out->tick.quality_flags = market_flagged(out->tick.quality_flags, MARKET_NO_REFERENCE);
    out->taxonomy = market_classify(&out->tick, row != NULL && row->active ? row : NULL);
    if (out->taxonomy.confidence.units < CONFIDENT)
        out->tick.quality_flags = market_flagged(out->tick.quality_flags, MARKET_LOW_CONFIDENCE);
    return weir_forward(ctx, rec->key, out);
}
