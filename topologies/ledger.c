/* ledger.c: which ticks aggregation knows, and what they say.
 *
 * (1) Where a market corrects, each tick is a row until its window can change no more, and a corrected window is folded
 *     from its rows anew: nothing can be taken out of a high.
 * (2) Elsewhere the fold is all that is kept, with the last ticks of the instrument to know a repeated one by.
 */
#include "topologies/aggregation.h"

/* A tick that is not corrected, as remembered: the first bytes of its id, and a hash of what it said. */
enum { RECENT_MOST = 100, ID_BYTES = 8, RECENT_BYTES = ID_BYTES + 4 };

struct market_arrival market_arrival_of(const struct market_key *key, const struct market_tick *tick)
{
    return (struct market_arrival){ .key = key,
                                    .tick = tick,
                                    .order = market_order_of(tick),
                                    .content = market_content_of(tick),
                                    .time = tick->event_time / 1000,
                                    .corrects = market_rules_find(tick->market)->corrects };
}

static int count_out(struct weir_context *ctx, const char *reason)
{
    weir_drop(ctx, reason);
    return 0;
}

/* ---- ticks that can be corrected ---- */

static int enter_row(struct weir_context *ctx, const struct market_ledger *ledger, struct market_arrival *arrival)
{
    struct market_row_key        row = { .key = *arrival->key, .order = arrival->order };
    const struct market_content *known;
    int                          err = weir_get(ctx, ledger->ticks, &row, (const void **)&known);

    if (err == WEIR_OK && market_content_same(&arrival->content, known))
        return count_out(ctx, "duplicate");
    if (err == WEIR_OK && market_content_compare(&arrival->content, known) < 0)
        return count_out(ctx, "superseded");
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    arrival->replaces = err == WEIR_OK;
    err = weir_put(ctx, ledger->ticks, &row, &arrival->content);
    return err < 0 ? err : 1;
}

static int fold_rows(struct weir_context *ctx, const struct market_ledger *ledger, const struct market_key *key,
                     const struct weir_span *span, struct market_fold *ret)
{
    struct market_row_key from = { .key = *key,
                                   .order = { .event_time = span->start * 1000, .sequence = INT64_MIN } };
    struct market_row_key to = { .key = *key, .order = { .event_time = span->end * 1000, .sequence = INT64_MIN } };
    struct weir_rows     *rows;
    struct weir_row       row;
    int                   err = weir_range(ctx, ledger->ticks, &from, &to, WEIR_ASCENDING, &rows);

    *ret = (struct market_fold){ 0 };
    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK) {
        const struct market_row_key *at = row.key;

        err = market_fold_add(ret, &at->order, row.value);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* ---- ticks that cannot ---- */

/* What a tick says, in four bytes: enough to tell a repetition from a correction. */
static uint32_t content_hash(const struct market_content *content)
{
    char bytes[26];

    weir__put_be64(bytes, (uint64_t)content->price.units);
    weir__put_be64(bytes + 8, (uint64_t)content->volume.units);
    weir__put_be64(bytes + 16, (uint64_t)content->revision);
    bytes[24] = (char)content->price.given;
    bytes[25] = (char)content->volume.given;
    return weir__murmur2(BYTES(bytes, sizeof(bytes)));
}

static void remembered(const struct market_arrival *arrival, char to[RECENT_BYTES])
{
    memcpy(to, arrival->order.tick_id, ID_BYTES);
    weir__put_be32(to + ID_BYTES, content_hash(&arrival->content));
}

static const char *find_recent(const struct weir_text *recent, const char *tick)
{
    for (size_t at = 0; at + RECENT_BYTES <= recent->size; at += RECENT_BYTES)
        if (memcmp(recent->data + at, tick, ID_BYTES) == 0)
            return recent->data + at;
    return NULL;
}

/* The last ones, this one behind them. */
static int remember(struct weir_context *ctx, const struct market_ledger *ledger,
                    const struct market_arrival *arrival, struct weir_text recent, const char *tick)
{
    size_t           kept = MIN(recent.size / RECENT_BYTES, RECENT_MOST - 1) * RECENT_BYTES;
    char            *bytes = weir_alloc(ctx, kept + RECENT_BYTES);
    struct weir_text now = { .data = bytes, .size = kept + RECENT_BYTES };

    if (bytes == NULL)
        return WEIR_LIMIT;
    if (kept > 0)
        memcpy(bytes, recent.data + recent.size - kept, kept);
    memcpy(bytes + kept, tick, RECENT_BYTES);
    return weir_put(ctx, ledger->recent, arrival->key, &now);
}

static int enter_recent(struct weir_context *ctx, const struct market_ledger *ledger,
                        const struct market_arrival *arrival)
{
    const struct weir_text *recent = NULL;
    char                    tick[RECENT_BYTES];
    const char             *known;
    int                     err = weir_get(ctx, ledger->recent, arrival->key, (const void **)&recent);

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    remembered(arrival, tick);
    known = recent != NULL ? find_recent(recent, tick) : NULL;
    if (known != NULL && memcmp(known, tick, RECENT_BYTES) == 0)
        return count_out(ctx, "duplicate");
    if (known != NULL)
        return weir_refuse(ctx, "uncorrectable",
                           "the tick is folded into its window already and its market keeps no rows: load the window "
                           "again as backfill");
    err = remember(ctx, ledger, arrival, recent != NULL ? *recent : (struct weir_text){ 0 }, tick);
    return err < 0 ? err : 1;
}

/* ---- both ---- */

int market_ledger_enter(struct weir_context *ctx, const struct market_ledger *ledger, struct market_arrival *arrival)
{
    return arrival->corrects ? enter_row(ctx, ledger, arrival) : enter_recent(ctx, ledger, arrival);
}

int market_ledger_fold(struct weir_context *ctx, const struct market_ledger *ledger,
                       const struct market_arrival *arrival, const struct weir_span *span, struct market_fold *fold)
{
    if (arrival->replaces)
        return market_weir_code(fold_rows(ctx, ledger, arrival->key, span, fold));
    return market_weir_code(market_fold_add(fold, &arrival->order, &arrival->content));
}

/* ---- forgetting ---- */

static int delete_rows(struct weir_context *ctx, const struct market_ledger *ledger,
                       const struct market_row_key *from, const struct market_row_key *to)
{
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_range(ctx, ledger->ticks, from, to, WEIR_ASCENDING, &rows);

    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK)
        err = weir_delete(ctx, ledger->ticks, row.key);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_ledger_forget(struct weir_context *ctx, const struct market_ledger *ledger, const struct market_key *key,
                         int64_t before)
{
    struct market_row_key from = { .key = *key, .order = { .event_time = INT64_MIN, .sequence = INT64_MIN } };
    struct market_row_key to = { .key = *key, .order = { .event_time = before * 1000, .sequence = INT64_MIN } };

    return delete_rows(ctx, ledger, &from, &to);
}

int market_ledger_sweep(struct weir_context *ctx, const struct market_ledger *ledger,
                        const struct weir_store *windows)
{
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_range(ctx, ledger->ticks, NULL, NULL, WEIR_ASCENDING, &rows);

    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK) {
        const struct market_row_key *at = row.key;
        int64_t                      time = weir_key_time(ctx, windows, &at->key);

        if (time == WEIR_NOTFOUND)
            err = weir_delete(ctx, ledger->ticks, row.key);
        else if (time < 0)
            err = (int)time;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}
