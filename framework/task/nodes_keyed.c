/* nodes_keyed.c: count, reduce and aggregate over windows by key time.
 *
 * (1) What is folded is stored, then the key's time moves, then results go on, then windows close and rows go: what a
 *     later node asks about the key already holds.
 * (2) A record that no window takes changes nothing; it is counted, and goes to the dead letters where there are any.
 * (3) A result of a closed window goes on at once, whatever .emit says of open ones, but for ON_COMMIT's gathering.
 */
#include "framework/task/internal.h"

/* One window that a record is folded into. */
struct share {
    struct weir_windowed window;
    bool                 closed;
    struct weir__folding folding;
    struct share        *next;
};

/* One record on its way through the node. */
struct taking {
    struct weir__live        *live;
    const struct weir_record *rec;
    struct weir_bytes         key;
    struct weir__key_head     before, head;
    struct share             *first, **last;
    const char               *refused; /* why a window did not take it */
    struct weir_span          span;    /* of that window */
};

static struct weir__keyed *keyed_of(const struct weir__live *live) { return live->stores[0]->keyed; }

static int fold_share(struct taking *taking, const struct weir_span *span, bool closed)
{
    struct weir__live *live = taking->live;
    struct share      *share = weir_arena_alloc(&live->task->record, sizeof(*share));
    int                err;

    if (share == NULL)
        return WEIR_LIMIT;
    share->window = (struct weir_windowed){ .key = taking->rec->key, .start = span->start, .end = span->end };
    share->closed = closed;
    live->task->ctx.closed = closed;
    err = weir__fold_into(live, taking->rec, &share->window, &share->folding);
    if (err < 0)
        return err;
    weir__keyed_put(keyed_of(live), &taking->head, span->end);
    *taking->last = share;
    taking->last = &share->next;
    if (closed)
        weir__metric_add(keyed_of(live)->corrected, 1);
    return WEIR_OK;
}

static int take_span(struct taking *taking, const struct weir_span *span)
{
    struct weir__keyed *keyed = keyed_of(taking->live);
    enum weir_standing  standing = weir__keyed_standing(keyed, &taking->head, span->end);

    if (standing == WEIR_OPEN || (standing == WEIR_CLOSED && !keyed->refuses))
        return fold_share(taking, span, standing == WEIR_CLOSED);
    taking->refused = standing == WEIR_PAST ? "past retention" : "window closed";
    taking->span = *span;
    weir__drop_record(taking->live->task, taking->refused);
    return WEIR_OK;
}

/* ---- calendar windows ---- */

/* Asks the user's function, again where it has more windows than there was room for. */
static int assign(struct taking *taking, struct weir_span **ret, size_t *ret_count)
{
    struct weir__live *live = taking->live;
    size_t             room = 4;
    int                count;

    for (;;) {
        *ret = weir_arena_alloc(&live->task->record, sizeof(**ret) * room);
        if (*ret == NULL)
            return WEIR_LIMIT;
        count = live->node->windows->assign(&live->task->ctx, taking->rec, *ret, room);
        if (count < 0)
            return count;
        *ret_count = (size_t)count;
        if (*ret_count <= room)
            return WEIR_OK;
        room = *ret_count;
    }
}

static int check_span(const struct taking *taking, const struct weir_span *span)
{
    int64_t longest = taking->live->node->windows->size;

    if (span->start < 0 || span->end <= span->start)
        return weir__fail_here(
            taking->live, WEIR_VERB_FAILED,
            "the calendar gave the window [%lld, %lld): it must begin at 0 or later and end after that",
            (long long)span->start, (long long)span->end);
    if (span->end - span->start > longest)
        return weir__fail_here(
            taking->live, WEIR_VERB_FAILED,
            "the calendar gave the window [%lld, %lld), longer than its longest of %lld ms: declare more",
            (long long)span->start, (long long)span->end, (long long)longest);
    return WEIR_OK;
}

/* A row keeps the end that it was made with. */
static int take_calendar_span(struct taking *taking, struct weir_span span)
{
    struct weir__value value;
    int                err = check_span(taking, &span);

    if (err < 0)
        return err;
    err = weir__store_get_window(taking->live->stores[0]->store, taking->key, span.start, &value);
    if (err == WEIR_OK)
        span.end = value.end;
    return err < 0 && err != WEIR_NOTFOUND ? err : take_span(taking, &span);
}

static int take_calendar(struct taking *taking)
{
    struct weir_span *spans;
    size_t            count = 0;
    int               err = assign(taking, &spans, &count);

    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = take_calendar_span(taking, spans[i]);
    if (err == WEIR_OK && count == 0)
        weir__drop_record(taking->live->task, "no window");
    return err;
}

/* ---- all windows ---- */

static int take_spans(struct taking *taking)
{
    const struct weir_windows *windows = taking->live->node->windows;
    struct weir__spans         spans;
    struct weir_span           span;
    int                        err = WEIR_OK;

    if (windows->kind == WEIR_CALENDAR)
        return take_calendar(taking);
    weir__spans_init(&spans, windows, taking->rec->timestamp);
    while (err == WEIR_OK && weir__spans_next(&spans, &span))
        err = take_span(taking, &span);
    return err;
}

static int refuse(const struct taking *taking)
{
    if (taking->refused == NULL)
        return WEIR_OK;
    return weir__keyed_refuse(
        taking->live, "%s: the window [%lld, %lld) has ended, and its key's time is %lld, more than its %s later",
        taking->refused, (long long)taking->span.start, (long long)taking->span.end, (long long)taking->head.time,
        strcmp(taking->refused, "past retention") == 0 ? "retention" : "grace");
}

/* The record was judged by the time before it: it makes no window late for itself. Even where a later window failed,
 * what was folded is there. */
static int save(struct taking *taking)
{
    const struct weir__task *task = taking->live->task;

    taking->head.time = MAX(taking->head.time, taking->rec->timestamp);
    taking->head.touched = task->config.now(task->config.now_arg);
    return weir__keyed_save(keyed_of(taking->live), taking->key, &taking->before, &taking->head);
}

static int forward(const struct taking *taking)
{
    int err = WEIR_OK;

    for (struct share *share = taking->first; err == WEIR_OK && share != NULL; share = share->next)
        err = weir__forward_folded(taking->live, taking->rec, &share->window, &share->folding, share->closed);
    return err;
}

int weir__run_fold_keyed(struct weir__live *live, const struct weir__event *event)
{
    struct taking taking = { .live = live, .rec = &event->rec };
    int           err, saved;

    if (event->rec.key == NULL) {
        weir__drop_record(live->task, "null key");
        return WEIR_OK;
    }
    taking.last = &taking.first;
    err = weir__encode(live->stores[0]->plan->key, &live->task->record, event->rec.key, &taking.key);
    if (err == WEIR_OK)
        err = weir__keyed_head(keyed_of(live), taking.key, &taking.head);
    if (err < 0)
        return err;
    taking.before = taking.head;
    err = take_spans(&taking);
    if (taking.first == NULL)
        return err < 0 ? err : refuse(&taking);
    saved = save(&taking);
    if (err == WEIR_OK)
        err = saved;
    if (err == WEIR_OK)
        err = forward(&taking);
    return err < 0 ? err : weir__keyed_look(keyed_of(live), taking.key, taking.head);
}
