/* nodes_fold.c: count, reduce and aggregate, over nothing and over windows, and windows that close.
 *
 * (1) A fold's result carries the greatest timestamp folded in.
 * (2) A window takes records while its end lies after observed time - grace; later ones are dropped and counted.
 * (3) ON_CLOSE forwards a window once: when its end is reached by observed time - grace, in (start, key) order.
 * Source: KStreamAggregate, KStreamReduce, KStreamWindowAggregate.
 */
#include "framework/task/internal.h"

static int seed(struct weir__live *live, const struct weir_record *rec, struct weir__folding *folding)
{
    const struct weir_node *spec = live->node->spec;
    int                     err;

    folding->time = rec->timestamp;
    live->task->ctx.absent = true;
    if (spec->kind != WEIR_AGGREGATE || spec->init == NULL)
        return WEIR_OK;
    err = spec->init(&live->task->ctx, folding->state);
    if (err == WEIR_NOTHING)
        memset(folding->state, 0, live->stores[0]->plan->value->bytes);
    else if (err == WEIR_OK)
        live->task->ctx.absent = false;
    return err < 0 ? err : WEIR_OK;
}

/* Of a new row. What upstream sends as its old value is the state that it begins with. */
static int begin(struct weir__live *live, const struct weir_record *rec, struct weir__folding *folding)
{
    const struct weir_codec *codec = live->stores[0]->plan->value;
    int                      err = seed(live, rec, folding);

    folding->old = NULL;
    if (err < 0 || !live->node->send_old || (live->node->spec->kind != WEIR_COUNT && live->task->ctx.absent))
        return err;
    folding->old = weir__arena_copy(&live->task->record, folding->state, codec->bytes);
    return folding->old != NULL ? WEIR_OK : WEIR_LIMIT;
}

static int apply(struct weir__live *live, const struct weir_record *rec, struct weir__folding *folding)
{
    const struct weir_node *spec = live->node->spec;
    int                     err;

    if (spec->kind == WEIR_COUNT) {
        *(int64_t *)folding->state += 1;
        return WEIR_OK;
    }
    if (spec->kind == WEIR_REDUCE && live->task->ctx.absent) {
        if (rec->value == NULL)
            return WEIR_NOTHING;
        memcpy(folding->state, rec->value, live->stores[0]->plan->value->bytes);
        return WEIR_OK;
    }
    err = spec->fold(&live->task->ctx, rec, folding->state);
    return err;
}

int weir__fold_into(struct weir__live *live, const struct weir_record *rec, const void *key,
                    struct weir__folding *folding)
{
    struct weir__binding    *binding = live->stores[0];
    const struct weir_codec *codec = binding->plan->value;
    int                      err = weir__fetch_value(binding, key, &folding->old, &folding->time);

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    folding->state = weir_arena_alloc(&live->task->record, codec->bytes);
    if (folding->state == NULL)
        return WEIR_LIMIT;
    if (err == WEIR_NOTFOUND) {
        err = begin(live, rec, folding);
        if (err < 0)
            return err;
    } else {
        live->task->ctx.absent = false;
        memcpy(folding->state, folding->old, codec->bytes);
        folding->time = MAX(folding->time, rec->timestamp);
    }
    err = apply(live, rec, folding);
    if (err < 0)
        return err;
    folding->nothing = err == WEIR_NOTHING;
    return weir__store_value(binding, key, folding->nothing ? NULL : folding->state,
                             folding->nothing ? rec->timestamp : folding->time, rec);
}

int weir__forward_folded(struct weir__live *live, const struct weir_record *rec, const void *key,
                         const struct weir__folding *folding, bool closed)
{
    struct weir__event out = { .rec = *rec, .closed = closed };

    if ((live->node->emit == WEIR_ON_CLOSE && !closed) || live->stores[0]->forwards)
        return WEIR_OK;
    out.rec.key = key;
    out.rec.value = folding->nothing ? NULL : folding->state;
    out.rec.timestamp = folding->time;
    out.old = live->node->send_old ? folding->old : NULL;
    return weir__emit(live, &out);
}

int weir__run_fold(struct weir__live *live, const struct weir__event *event)
{
    struct weir__folding folding = { 0 };
    int                  err;

    if (event->rec.key == NULL || event->rec.value == NULL) {
        weir__drop_record(live->task, "null key or value");
        return WEIR_OK;
    }
    err = weir__fold_into(live, &event->rec, event->rec.key, &folding);
    return err < 0 ? err : weir__forward_folded(live, &event->rec, event->rec.key, &folding, false);
}

/* Time before which every window of this node is closed. */
static int64_t closed_before(const struct weir__live *live)
{
    return MAX(weir__time_sub(live->observed, live->node->windows->grace), live->last_close);
}

static int fold_span(struct weir__live *live, const struct weir__event *event, const struct weir_span *span)
{
    struct weir_windowed *key = weir_arena_alloc(&live->task->record, sizeof(*key));
    struct weir__folding  folding = { 0 };
    int                   err;

    if (key == NULL)
        return WEIR_LIMIT;
    *key = (struct weir_windowed){ .key = event->rec.key, .start = span->start, .end = span->end };
    err = weir__fold_into(live, &event->rec, key, &folding);
    if (err == WEIR_NOTFOUND) { /* the store has let go of that time: counted, forwarded as upstream does */
        weir__drop_record(live->task, "expired window");
        err = WEIR_OK;
    }
    return err < 0 ? err : weir__forward_folded(live, &event->rec, key, &folding, false);
}

static bool same_windows(const struct weir_windows *windows, int64_t a, int64_t b)
{
    struct weir__spans spans[2];
    struct weir_span   span[2];
    bool               more[2];

    weir__spans_init(&spans[0], windows, a);
    weir__spans_init(&spans[1], windows, b);
    do {
        for (int i = 0; i < 2; i++)
            more[i] = weir__spans_next(&spans[i], &span[i]);
        if (more[0] != more[1] || (more[0] && span[0].start != span[1].start))
            return false;
    } while (more[0]);
    return true;
}

static int close_row(struct weir__live *live, const struct weir__event *event, const struct weir__row *row)
{
    struct weir_arena             *arena = &live->task->record;
    const struct weir__store_plan *plan = live->stores[0]->plan;
    struct weir__event             out = { .rec = event->rec };
    struct weir_windowed          *key = weir_arena_alloc(arena, sizeof(*key));
    int                            err;

    if (key == NULL)
        return WEIR_LIMIT;
    *key =
        (struct weir_windowed){ .start = row->start, .end = weir__time_add(row->start, live->node->windows->size) };
    err = weir__decode(plan->key, arena, row->key, &key->key);
    if (err == WEIR_OK)
        err = weir__decode(plan->value, arena, row->value.bytes, &out.rec.value);
    if (err < 0)
        return err;
    out.rec.key = key;
    out.rec.timestamp = row->value.timestamp;
    if (row->value.timestamp < 0)
        return weir__fail_here(live, WEIR_BAD_TIME, "its store is plain: what closes has no timestamp, take another");
    return weir__emit(live, &out);
}

/* Forwards every stored window that ends in (last close, close_time], each with a record's memory of its own. */
int weir__close_due(struct weir__live *live, const struct weir__event *event, int64_t close_time)
{
    struct weir__binding *binding = live->stores[0];
    int64_t               size = live->node->windows->size;
    int64_t               from = live->last_close == WEIR__UNKNOWN ? 0 : MAX(0, live->last_close - size) + 1;
    struct weir__rows    *rows;
    struct weir__row      row;
    struct weir_arena     kept;
    int                   err;

    if (live->task->config.upstream_expiry && !binding->spec->uncut)
        from = MAX(from, weir__time_sub(weir__store_observed(binding->store), binding->spec->retention) +
                             !binding->spec->closes); /* what is no time-ordered store does not give the edge */
    err = weir__store_due(binding->store, from, weir__time_add(close_time - size, 1), &rows);

    if (err < 0)
        return err;
    weir__record_aside(live->task, &kept);
    while ((err = weir__rows_next(rows, &row)) == WEIR_OK && (err = close_row(live, event, &row)) == WEIR_OK)
        weir__arena_reset(&live->task->record);
    weir__record_back(live->task, &kept);
    weir__rows_close(rows);
    if (err != WEIR_NOTFOUND)
        return err;
    live->last_close = close_time;
    live->task->dirty = true;
    return WEIR_OK;
}

static int close_if_due(struct weir__live *live, const struct weir__event *event)
{
    const struct weir_windows *windows = live->node->windows;
    int64_t                    close_time = weir__time_sub(live->observed, windows->grace);
    int64_t                    now = live->task->config.now(live->task->config.now_arg);

    if (now < live->next_look)
        return WEIR_OK;
    live->next_look = now + live->task->config.close_interval;
    if (close_time <= live->last_close || close_time < windows->size)
        return WEIR_OK;
    if (live->last_close != WEIR__UNKNOWN &&
        same_windows(windows, close_time - windows->size, MAX(0, live->last_close - windows->size)))
        return WEIR_OK;
    return weir__close_due(live, event, close_time);
}

int weir__run_fold_windows(struct weir__live *live, const struct weir__event *event)
{
    struct weir__spans spans;
    struct weir_span   span;
    int                err;

    if (event->rec.key == NULL) {
        weir__drop_record(live->task, "null key");
        return WEIR_OK;
    }
    live->observed = MAX(live->observed, event->rec.timestamp);
    weir__spans_init(&spans, live->node->windows, event->rec.timestamp);
    while (weir__spans_next(&spans, &span)) {
        if (span.end <= closed_before(live)) {
            weir__drop_record(live->task, "late for its window");
            continue;
        }
        err = fold_span(live, event, &span);
        if (err < 0)
            return err;
    }
    return live->node->emit == WEIR_ON_CLOSE ? close_if_due(live, event) : WEIR_OK;
}
