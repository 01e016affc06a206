/* drops.c: what is counted out of a key, and why: a row for each key, beside the metrics that count for all of them. */
#include "topologies/topologies.h"

/* The row with some more under a reason, in the record's memory. */
static int add(struct weir_context *ctx, const struct market_dropped *known, const char *reason, int64_t time,
               int64_t more, struct market_dropped *ret)
{
    const size_t        count = known != NULL ? known->drops.count : 0;
    struct market_drop *drops = weir_alloc(ctx, sizeof(*drops) * (count + 1));
    struct weir_text    word = { reason, strlen(reason) };
    size_t              n = 0;

    if (drops == NULL)
        return WEIR_LIMIT;
    if (count > 0)
        memcpy(drops, known->drops.rows, sizeof(*drops) * count);
    while (n < count && !market_text_same(drops[n].reason, word))
        n++;
    if (n == count)
        drops[n] = (struct market_drop){ .reason = word };
    drops[n].count += more;
    drops[n].last = time;
    ret->drops = (struct market_records){ drops, MAX(count, n + 1) };
    return WEIR_OK;
}

int market_drop_many(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                     const char *reason, int64_t time, int64_t count)
{
    const struct market_dropped *known;
    struct market_dropped        now;
    int                          err = count > 0 ? weir_get(ctx, store, key, (const void **)&known) : WEIR_OK;

    for (int64_t i = 0; i < count; i++)
        weir_drop(ctx, reason);
    if (count <= 0)
        return WEIR_OK;
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    err = add(ctx, err == WEIR_OK ? known : NULL, reason, time, count, &now);
    return err < 0 ? err : weir_put(ctx, store, key, &now);
}

int market_drop(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                const char *reason, int64_t time)
{
    return market_drop_many(ctx, store, key, reason, time, 1);
}
