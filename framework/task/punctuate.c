/* punctuate.c: calls of verbs by time. Source: PunctuationQueue, PunctuationSchedule.
 *
 * (1) Stream time's grid starts at 0, and a schedule is due as soon as stream time is known; wall time's starts now.
 * (2) Slots that were missed are one firing; the grid is kept.
 * (3) A firing that sends and puts nothing leaves nothing to commit.
 * (4) What is due at one moment fires in the order in which it was asked for, that of the nodes; with Kafka Streams' names, as its
 *     queue has it, where three or more change places each time.
 */
#include "framework/task/internal.h"

static struct weir__heap *heap_of(struct weir__task *task, enum weir_time kind)
{
    return &task->due[kind == WEIR_WALL_TIME];
}

static int enqueue(struct weir__schedule *schedule)
{
    struct weir__task *task = schedule->live->task;
    bool               upstream = task->config.plan->topology->kafka_names;

    return weir__heap_offer(
        heap_of(task, schedule->kind),
        (struct weir__timed){ .time = schedule->time, .rank = upstream ? 0 : schedule->handle, .item = schedule });
}

int64_t weir_schedule(struct weir_context *ctx, int64_t every, enum weir_time kind, weir_punctuate *fn)
{
    struct weir__task     *task = ctx->task;
    struct weir__schedule *schedule;

    if (every <= 0 || fn == NULL || (kind != WEIR_STREAM_TIME && kind != WEIR_WALL_TIME))
        return weir__fail_here(ctx->live, WEIR_BAD_ARGUMENT,
                               "a schedule needs a function and an interval above 0 ms");
    if (GROW(task->schedules, task->schedule_capacity, task->schedule_count) < 0)
        return WEIR_NO_MEMORY;
    schedule = weir_arena_alloc(&task->arena, sizeof(*schedule));
    if (schedule == NULL)
        return WEIR_NO_MEMORY;
    *schedule = (struct weir__schedule){
        .handle = ++task->next_handle, .every = every, .kind = kind, .fn = fn, .live = ctx->live
    };
    schedule->time = kind == WEIR_STREAM_TIME ? 0 : task->config.now(task->config.now_arg) + every;
    if (enqueue(schedule) < 0)
        return WEIR_NO_MEMORY;
    task->schedules[task->schedule_count++] = schedule;
    return schedule->handle;
}

void weir_cancel(struct weir_context *ctx, int64_t handle)
{
    struct weir__task *task = ctx->task;

    for (size_t i = 0; i < task->schedule_count; i++)
        if (task->schedules[i]->handle == handle)
            task->schedules[i]->cancelled = true;
}

void weir__schedules_fini(struct weir__task *task)
{
    weir__heap_fini(&task->due[0]);
    weir__heap_fini(&task->due[1]);
    weir__free(task->schedules);
    task->schedules = NULL;
    task->schedule_count = task->schedule_capacity = 0;
}

/* Runs fn in a node's place, so that forwards and stores are the node's. */
static int run_at(struct weir__live *live, weir_punctuate *fn, int64_t now)
{
    struct weir__task  *task = live->task;
    struct weir__event  event = { .rec = { .timestamp = now, .partition = -1, .offset = -1 } };
    struct weir_context saved = task->ctx;
    int                 err;

    task->ctx = (struct weir_context){ .task = task, .live = live, .event = &event, .partition_time = WEIR__UNKNOWN };
    task->depth++;
    err = fn(&task->ctx, now);
    task->depth--;
    weir__close_rows(&task->ctx, NULL);
    task->ctx = saved;
    return err;
}

static int fire(struct weir__schedule *schedule, int64_t now)
{
    int err = run_at(schedule->live, schedule->fn, now);

    return err >= 0 ? WEIR_OK : weir__handle_failure(schedule->live, err, schedule->live->task->config.on_failure);
}

static int flush_now(struct weir_context *ctx, int64_t now)
{
    (void)now;
    return ctx->live->node->spec->flush(ctx);
}

static int flush_node(struct weir__live *live, int64_t now)
{
    int err;

    do {
        err = run_at(live, flush_now, now);
        weir__arena_reset(&live->task->record);
    } while (err == WEIR_AGAIN);
    return err >= 0 ? WEIR_OK : weir__handle_failure(live, err, live->task->config.on_failure);
}

/* What they write has the stream's time, or the clock's. */
int weir__flush_nodes(struct weir__task *task)
{
    int64_t now = task->stream_time != WEIR__UNKNOWN ? task->stream_time : task->config.now(task->config.now_arg);
    int     err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < task->live_count; i++) {
        struct weir__live *live = &task->lives[i];

        if (live->opened && live->node->op == WEIR__PROCESS && live->node->spec->flush != NULL)
            err = flush_node(live, now);
    }
    return err;
}

static void forget_cancelled(struct weir__task *task)
{
    size_t kept = 0;

    for (size_t i = 0; i < task->schedule_count; i++)
        if (!task->schedules[i]->cancelled)
            task->schedules[kept++] = task->schedules[i];
    task->schedule_count = kept;
}

/* To its next slot after now; one beyond the end of time never comes. */
static void advance(struct weir__schedule *schedule, int64_t now)
{
    int64_t slots = (now - schedule->time) / schedule->every;

    if (slots >= (INT64_MAX - schedule->time) / schedule->every)
        schedule->cancelled = true;
    else
        schedule->time += (slots + 1) * schedule->every;
}

/* Fires a schedule and puts it back with its next time, after a failure with the same. */
static int fire_due(struct weir__schedule *schedule, int64_t now)
{
    int err = fire(schedule, now), kept;

    if (err == WEIR_OK && !schedule->cancelled)
        advance(schedule, now);
    if (schedule->cancelled)
        return err;
    kept = enqueue(schedule);
    return err < 0 ? err : kept;
}

static int punctuate(struct weir__task *task, enum weir_time kind, int64_t now)
{
    struct weir__heap *heap = heap_of(task, kind);

    while (heap->count > 0 && heap->items[0].time <= now) {
        struct weir__schedule *schedule = weir__heap_poll(heap);
        int                    err;

        task->sent = false;
        err = schedule->cancelled ? WEIR_OK : fire_due(schedule, now);
        if (err < 0)
            return err;
        task->dirty = task->dirty || task->sent || weir__task_dirty_bytes(task) > 0;
        weir__count_punctuation(task, kind);
    }
    forget_cancelled(task);
    return WEIR_OK;
}

int weir__punctuate_stream(struct weir__task *task)
{
    if (task->schedule_count == 0 || task->stream_time == WEIR__UNKNOWN)
        return WEIR_OK;
    return punctuate(task, WEIR_STREAM_TIME, task->stream_time);
}

int weir__task_punctuate(struct weir__task *task, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (task->schedule_count > 0)
        err = punctuate(task, WEIR_WALL_TIME, task->config.now(task->config.now_arg));
    if (err == WEIR_OK)
        err = weir__keyed_tick(task);
    if (task->depth == 0)
        weir__arena_reset(&task->record);
    return err < 0 ? weir__tell_failure(task, err, reterr) : WEIR_OK;
}
