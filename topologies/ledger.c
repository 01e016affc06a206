/* ledger.c: which ticks aggregation knows, and what they say.
 *
 * (1) Where a market corrects, each tick is a row until its window can change no more, and a corrected window is folded
 *     from its rows anew: nothing can be taken out of a high. A row keeps the latest ingestion time of its content, so
 *     that what was ingested in between stays behind it whenever it comes.
 * (2) Elsewhere the fold is all that is kept, with the last ticks of the instrument to know a repeated one by.
 */
#include "topologies/aggregation.h"

enum { RECENT_MOST = 100 };

struct market_arrival market_arrival_of(const struct weir_record *rec, const struct market_tick *tick, int64_t epoch)
{
    const struct market_key *key = rec->key;

    return (struct market_arrival){ .line = { .key = *key, .epoch = MARKET_LIVE },
                                    .load = market_load_of(rec),
                                    .backfill = market_backfill_of(rec),
                                    .epoch = epoch,
                                    .tick = tick,
                                    .order = market_order_of(tick),
                                    .content = market_content_of(tick),
                                    .time = tick->event_time / 1000,
                                    .corrects = market_rules_find(tick->market)->corrects };
}

static int count_out(struct weir_context *ctx, const struct market_ledger *ledger,
                     const struct market_arrival *arrival, const char *reason)
{
    return market_drop(ctx, ledger->drops, &arrival->line.key, reason, arrival->order.event_time);
}

/* ---- ticks that can be corrected ---- */

/* The content that counts for a tick from now on. */
static int put_row(struct weir_context *ctx, const struct market_ledger *ledger, const struct market_row_key *row,
                   const struct market_content *content)
{
    int err = weir_put(ctx, ledger->ticks, row, content);

    return err < 0 ? err : 1;
}

static int enter_row(struct weir_context *ctx, const struct market_ledger *ledger, struct market_arrival *arrival)
{
    struct market_row_key        row = { .line = arrival->line, .order = arrival->order };
    const struct market_content *known;
    struct market_content        later;
    int                          err = weir_get(ctx, ledger->ticks, &row, (const void **)&known);

    if (err == WEIR_NOTFOUND)
        return put_row(ctx, ledger, &row, &arrival->content);
    if (err < 0)
        return err;
    switch (market_content_judge(&arrival->content, known)) {
    case MARKET_AGAIN: return count_out(ctx, ledger, arrival, "duplicate");
    case MARKET_AGAIN_LATER:
        later = *known;
        later.ingested_at = arrival->content.ingested_at;
        err = put_row(ctx, ledger, &row, &later);
        return err < 0 ? err : count_out(ctx, ledger, arrival, "duplicate");
    case MARKET_LESS: return count_out(ctx, ledger, arrival, "superseded");
    case MARKET_GREATER: break;
    }
    arrival->replaces = true;
    err = count_out(ctx, ledger, arrival, "superseded"); /* the one that counted before */
    return err < 0 ? err : put_row(ctx, ledger, &row, &arrival->content);
}

static int fold_rows(struct weir_context *ctx, const struct market_ledger *ledger, const struct market_line *line,
                     const struct weir_span *span, struct market_fold *ret)
{
    struct market_row_key from = { .line = *line,
                                   .order = { .event_time = span->start * 1000, .sequence = INT64_MIN } };
    struct market_row_key to = { .line = *line, .order = { .event_time = span->end * 1000, .sequence = INT64_MIN } };
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

/* Normalization remembers further back than the ledger. */
static bool is_correction(const struct market_arrival *arrival)
{
    return arrival->backfill == 0 && arrival->tick->quality_flags & MARKET_CORRECTION;
}

/* A backfill has its own: what it brings is known already, and is to be folded anew. Of what is replayed the fold holds all, and
 * the marks only the last. */
static int enter_recent(struct weir_context *ctx, const struct market_ledger *ledger,
                        const struct market_arrival *arrival)
{
    const struct market_line line = { .key = arrival->line.key,
                                      .epoch = arrival->backfill > 0 ? arrival->epoch : MARKET_LIVE };
    const struct weir_text  *recent;
    struct weir_text         marks = { 0 };
    char                     mark[MARKET_MARK_BYTES];
    enum market_known        known;
    int                      err;

    if (arrival->replayed && arrival->line.epoch == MARKET_LIVE)
        return count_out(ctx, ledger, arrival, "duplicate");
    err = weir_get(ctx, ledger->recent, &line, (const void **)&recent);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK)
        marks = *recent;
    market_mark(&arrival->order, &arrival->content, mark);
    known = market_mark_find(marks, mark);
    if (known == MARKET_SAME)
        return count_out(ctx, ledger, arrival, "duplicate");
    if (known == MARKET_OTHERWISE || is_correction(arrival))
        return weir_refuse(ctx, "uncorrectable",
                           "the tick is folded into its window already and its market keeps no rows: load the window "
                           "again as backfill");
    err = market_mark_add(ctx, marks, mark, RECENT_MOST, &marks);
    if (err == WEIR_OK)
        err = weir_put(ctx, ledger->recent, &line, &marks);
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
        return market_weir_code(fold_rows(ctx, ledger, &arrival->line, span, fold));
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

int market_ledger_forget(struct weir_context *ctx, const struct market_ledger *ledger, const struct market_line *line,
                         int64_t before)
{
    struct market_row_key from = { .line = *line, .order = { .event_time = INT64_MIN, .sequence = INT64_MIN } };
    struct market_row_key to = { .line = *line, .order = { .event_time = before * 1000, .sequence = INT64_MIN } };

    return delete_rows(ctx, ledger, &from, &to);
}

/* Whether a line has left: `windows` does not know its time. 1, 0 or a code. */
static int has_left(struct weir_context *ctx, const struct weir_store *windows, const struct market_line *line)
{
    int64_t time = weir_key_time(ctx, windows, line);

    return time < 0 && time != WEIR_NOTFOUND ? (int)time : time == WEIR_NOTFOUND;
}

static int sweep_ticks(struct weir_context *ctx, const struct market_ledger *ledger, const struct weir_store *windows)
{
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_range(ctx, ledger->ticks, NULL, NULL, WEIR_ASCENDING, &rows);

    while (err >= 0 && (err = weir_next(rows, &row)) == WEIR_OK) {
        const struct market_row_key *at = row.key;

        err = has_left(ctx, windows, &at->line);
        if (err == 1)
            err = weir_delete(ctx, ledger->ticks, row.key);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int sweep_recent(struct weir_context *ctx, const struct market_ledger *ledger,
                        const struct weir_store *windows)
{
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_range(ctx, ledger->recent, NULL, NULL, WEIR_ASCENDING, &rows);

    while (err >= 0 && (err = weir_next(rows, &row)) == WEIR_OK) {
        err = has_left(ctx, windows, row.key);
        if (err == 1)
            err = weir_delete(ctx, ledger->recent, row.key);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_ledger_sweep(struct weir_context *ctx, const struct market_ledger *ledger,
                        const struct weir_store *windows)
{
    int err = sweep_ticks(ctx, ledger, windows);

    return err < 0 ? err : sweep_recent(ctx, ledger, windows);
}
