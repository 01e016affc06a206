/* commit.c: the commit cycle of a thread: all its tasks, one transaction.
 *
 * (1) Flush, outlets, offsets, the log's commit, and only when it is known to stand the stores' batches: a batch written
 *     before could hold state of a record that is processed again.
 * (2) No record is taken between the first flush and the last batch.
 * (3) The generation's token is the one that came with the assignment; without a valid one nothing is committed.
 */
#include "framework/runtime/internal.h"

static bool takes_part(const struct weir__seat *seat, bool all)
{
    return seat->running && (all || weir__task_has_work(seat->task));
}

static bool any_work(const struct weir__thread *thread)
{
    for (size_t i = 0; i < thread->seat_count; i++)
        if (takes_part(thread->seats[i], false))
            return true;
    return thread->sends > 0;
}

bool weir__commit_due(struct weir__thread *thread, int64_t now)
{
    for (size_t i = 0; i < thread->seat_count; i++)
        if (thread->seats[i]->running && weir__task_wants_commit(thread->seats[i]->task))
            return true;
    return thread->sent_bytes > thread->app->memory.unsent || weir__refused_room(thread) == 0 ||
           weir__outlets_full(thread) || now - thread->last_commit >= thread->commit_interval;
}

static int flush_tasks(struct weir__thread *thread, bool all, struct weir_error *reterr)
{
    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];
        int                err = WEIR_OK;

        if (!takes_part(seat, all))
            continue;
        atomic_store(&seat->shown->uncommitted, (int64_t)weir__task_dirty_bytes(seat->task));
        err = weir__task_flush(seat->task, reterr);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static struct weir__offset *gather_offsets(struct weir__thread *thread, bool all, size_t *ret_count)
{
    struct weir__offset *offsets;
    size_t               most = 0;

    weir__arena_reset(&thread->commit_arena);
    for (size_t i = 0; i < thread->seat_count; i++)
        most += thread->seats[i]->input_count;
    offsets = weir_arena_alloc(&thread->commit_arena, sizeof(*offsets) * (most + 1));
    *ret_count = 0;
    for (size_t i = 0; offsets != NULL && i < thread->seat_count; i++) {
        size_t count = 0;

        if (takes_part(thread->seats[i], all) &&
            weir__task_offsets(thread->seats[i]->task, &thread->commit_arena, offsets + *ret_count, &count) < 0)
            return NULL;
        *ret_count += count;
    }
    return offsets;
}

/* The same call until it has an outcome; our time being up leaves it unknown. */
static int commit_log(struct weir__thread *thread, const struct weir__offset *offsets, size_t count)
{
    struct weir__app *app = thread->app;
    int               err;

    atomic_store(&thread->committing, weir__monotonic_us());
    do {
        weir__thread_beat(thread);
        err = app->config.engine->commit(thread->producer, app->plan->application, thread->consumer, thread->token,
                                         offsets, count, weir__app_now(app) + WEIR__CALL_MS);
    } while (err == WEIR_AGAIN && !weir__app_must_end(app));
    atomic_store(&thread->committing, 0);
    return err == WEIR_AGAIN ? WEIR_FENCED : err;
}

static void note_committed(struct weir__seat *seat, const struct weir__offset *offsets, size_t count)
{
    for (size_t i = 0; i < seat->input_count; i++)
        for (size_t j = 0; j < count; j++)
            if (offsets[j].tp.partition == seat->inputs[i].tp.partition &&
                strcmp(offsets[j].tp.topic, seat->inputs[i].tp.topic) == 0)
                seat->inputs[i].committed = offsets[j].offset;
}

static int write_states(struct weir__thread *thread, bool all, bool durable, const struct weir__offset *offsets,
                        size_t count, struct weir_error *reterr)
{
    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];
        int                err;

        if (!takes_part(seat, all))
            continue;
        err = weir__task_committed(seat->task, weir__thread_sent, thread, durable, reterr);
        if (err < 0)
            return err;
        seat->unflushed = !durable;
        atomic_fetch_add(&seat->shown->commits, 1);
        note_committed(seat, offsets, count);
        weir__seat_written(seat);
        weir__seat_tell(seat);
    }
    return WEIR_OK;
}

static int commit_work(struct weir__thread *thread, bool all, bool durable, struct weir_error *reterr)
{
    struct weir__offset *offsets;
    size_t               count;
    int                  err;

    weir__crash_at(WEIR__BEFORE_COMMIT);
    err = flush_tasks(thread, all, reterr);
    if (err < 0)
        return err;
    weir__crash_at(WEIR__AFTER_FLUSH);
    err = weir__outlets_settle(thread, reterr);
    if (err < 0)
        return err;
    weir__crash_at(WEIR__AFTER_SETTLE);
    offsets = gather_offsets(thread, all, &count);
    if (offsets == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, thread->app->plan->application, "no memory for a commit");
    err = commit_log(thread, offsets, count);
    if (err < 0)
        return weir__fail(reterr, err, thread->app->plan->application, "the commit failed: %s", weir_code_text(err));
    weir__crash_at(WEIR__MID_COMMIT);
    err = write_states(thread, all, durable, offsets, count, reterr);
    if (err == WEIR_OK)
        weir__crash_at(WEIR__AFTER_COMMIT);
    return err;
}

int weir__commit(struct weir__thread *thread, bool all, bool durable, struct weir_error *reterr)
{
    struct weir__app *app = thread->app;
    int64_t           began = weir__monotonic_us();
    int               err = WEIR_OK;

    if (thread->has_token && (all || any_work(thread))) {
        if (!app->config.engine->valid(thread->consumer, thread->token))
            return weir__fail(reterr, WEIR_LOST, app->plan->application,
                              "the generation has ended before the commit");
        durable = durable || app->settings.flush_interval == 0;
        err = commit_work(thread, all || thread->sends > 0, durable, reterr);
        if (err < 0)
            return err;
        if (thread->sends > 0) /* counted when it can be read: whoever looked before must look again */
            atomic_fetch_add(&thread->activity, 1);
        thread->sends = thread->sent_bytes = 0;
        thread->failures = 0;
        weir__refused_passed(thread);
        atomic_fetch_add(&thread->commits, 1);
        weir__metric_add(thread->metric_commits, 1);
        weir__metric_observe(thread->metric_commit_seconds, (double)(weir__monotonic_us() - began) / 1e6);
        weir__waits_committed(thread);
        weir__thread_count_sent(thread);
    }
    weir__memory_ease(app);
    atomic_store(&thread->committed, weir__monotonic_us());
    thread->last_commit = weir__app_now(app);
    return durable ? weir__commit_flush_states(thread, reterr) : WEIR_OK;
}

/* A task without work has nothing dirty: committing it once more only flushes. */
int weir__commit_flush_states(struct weir__thread *thread, struct weir_error *reterr)
{
    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];
        int                err;

        if (!seat->running || weir__task_has_work(seat->task) || !(weir__renew(thread, seat) || seat->unflushed))
            continue;
        err = weir__task_committed(seat->task, NULL, NULL, true, reterr);
        if (err < 0)
            return err;
        seat->unflushed = false;
    }
    thread->last_flush = weir__app_now(thread->app);
    return WEIR_OK;
}

static void purge_input(struct weir__app *app, const struct weir__input *input)
{
    int err =
        app->config.engine->trim(app->config.log, input->tp, input->committed, weir__app_now(app) + WEIR__CALL_MS);

    if (err < 0 && err != WEIR_AGAIN)
        weir__say(WEIR__WARN, "repartition-not-trimmed", "topic", "s", input->tp.topic, "partition", "i",
                  (int64_t)input->tp.partition, "why", "s", weir_code_text(err), NULL);
}

void weir__commit_purge(struct weir__thread *thread)
{
    thread->last_purge = weir__app_now(thread->app);
    if (thread->app->settings.purge_interval == 0)
        return;
    for (size_t i = 0; i < thread->seat_count; i++)
        for (size_t j = 0; j < thread->seats[i]->input_count; j++)
            if (thread->seats[i]->inputs[j].internal && thread->seats[i]->inputs[j].committed > 0)
                purge_input(thread->app, &thread->seats[i]->inputs[j]);
}
