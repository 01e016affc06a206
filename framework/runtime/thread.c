/* thread.c: a stream thread: its loop, its input, its end.
 *
 * A round: answer who asks, poll, restore, process, punctuate, commit when due. Only this thread touches its consumer
 * (but for wake), its producer and its tasks.
 */
#include "framework/runtime/internal.h"

/* Records of one task before we look at the others, at the clock and whether to stop: at most, and fewer where verbs are
 * slow. */
#define AT_ONCE 256
#define SLOW_US INT64_C(100000)
/* Longest wait for records when there is nothing else to do, ms; wall-clock punctuation is as fine as this. */
#define IDLE_MS 100
/* What a thread keeps of the time to stop for its last steps, ms. */
#define LAST_MS 200

int weir__thread_join(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir__app              *app = thread->app;
    const struct weir__log_engine *engine = app->config.engine;
    struct weir__consumer         *consumer = NULL, *former;
    char                           instance[128];
    int                            err;

    snprintf(instance, sizeof(instance), "%s-%04zu", app->state.instance, thread->index);
    pthread_mutex_lock(&app->mutex);
    former = thread->consumer;
    thread->consumer = NULL;
    pthread_mutex_unlock(&app->mutex);
    if (former != NULL)
        (void)engine->leave(former, weir__app_now(app) + WEIR__CALL_MS);
    err = engine->join(app->config.log, app->plan->application, app->settings.instance != NULL ? instance : NULL,
                       app->inputs, app->input_count, &consumer, reterr);
    if (err < 0)
        return err;
    pthread_mutex_lock(&app->mutex);
    thread->consumer = consumer;
    pthread_mutex_unlock(&app->mutex);
    return WEIR_OK;
}

/* Why it ends, or has, the poll tells: a rebalance, a loss, a twin. */
bool weir__thread_hears_end(struct weir__thread *thread)
{
    if (!thread->has_token || !thread->app->config.engine->over(thread->consumer, thread->token))
        return false;
    thread->must_poll = true;
    return true;
}

/* Whether a call is to be made again. Not where the generation is over: others may have the partitions by now, and whoever waits on
 * would keep folders that they wait for. Then *err is WEIR_LOST. */
bool weir__thread_again(struct weir__thread *thread, int *err)
{
    weir__thread_beat(thread);
    if (*err == WEIR_AGAIN && weir__thread_hears_end(thread))
        *err = WEIR_LOST;
    return *err == WEIR_AGAIN && !weir__app_must_end(thread->app);
}

/* What is committed, from offsets on, by a reader of its own; however long no broker answers. */
int weir__thread_tail(struct weir__thread *thread, const struct weir__offset *from, size_t count,
                      struct weir__consumer **ret, struct weir_error *reterr)
{
    struct weir__app *app = thread->app;
    int               err;

    do
        err = app->config.engine->tail(app->config.log, from, count, WEIR__READ_COMMITTED, ret, reterr);
    while (weir__thread_again(thread, &err));
    return err;
}

/* ---- events ---- */

/* A rebalance takes everything, and nothing is opened again of what was: a recovery would work for a generation that is over. */
static void give_up(struct weir__thread *thread)
{
    thread->has_token = false;
    thread->assigned_count = 0;
    weir__seats_close(thread);
}

/* Revoked: all is committed while it still counts, then the tasks go. */
static int on_revoked(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = weir__commit(thread, true, true, reterr);

    weir__crash_at(WEIR__AT_REVOKE);
    give_up(thread);
    atomic_fetch_add(&thread->activity, 1);
    return err;
}

static int on_lost(struct weir__thread *thread, struct weir_error *reterr)
{
    give_up(thread);
    return weir__fail(reterr, WEIR_ABORT, thread->app->plan->application,
                      "partitions were taken away before they could be committed");
}

static void on_end(struct weir__thread *thread, const struct weir__log_event *event)
{
    struct weir__seat  *seat;
    struct weir__input *input = weir__seats_input(thread, event->tps[0].topic, event->tps[0].partition, &seat);

    if (input == NULL || !seat->running)
        return;
    input->position = MAX(input->position, event->next);
    weir__task_lag(seat->task, input->tp.topic, 0);
    weir__seat_tell(seat);
}

static int on_event(struct weir__thread *thread, const struct weir__log_event *event, struct weir_error *reterr)
{
    switch (event->kind) {
    case WEIR__ASSIGNED: return weir__seats_assign(thread, event, reterr);
    case WEIR__REVOKED: return on_revoked(thread, reterr);
    case WEIR__LOST_TPS: return on_lost(thread, reterr);
    case WEIR__END: on_end(thread, event); return WEIR_OK;
    }
    return WEIR_OK;
}

/* ---- input ---- */

static int add_run(struct weir__thread *thread, const struct weir__raw *records, size_t count,
                   struct weir_error *reterr)
{
    struct weir__seat  *seat = NULL;
    struct weir__input *input = weir__seats_input(thread, records->topic, records->partition, &seat);
    int                 err;

    while (input != NULL && count > 0 && records->offset < input->position) {
        records++;
        count--;
    }
    if (input == NULL || !seat->running || count == 0)
        return WEIR_OK;
    err = weir__task_add(seat->task, records, count);
    if (err < 0)
        return weir__fail(reterr, err, input->tp.topic, "records of partition %d cannot be buffered: %s",
                          input->tp.partition, weir_code_text(err));
    weir__metric_add(input->consumed, (double)count);
    weir__waits_come(&thread->waits, count, weir__monotonic_us());
    input->position = records[count - 1].offset + 1;
    weir__task_lag(seat->task, input->tp.topic, -1);
    atomic_fetch_add(&thread->activity, 1);
    thread->worked = true;
    return WEIR_OK;
}

static int add_records(struct weir__thread *thread, const struct weir__polled *polled, struct weir_error *reterr)
{
    const struct weir__raw *at = polled->records, *end = polled->count > 0 ? at + polled->count : at;

    while (at < end) {
        const struct weir__raw *first = at;
        int                     err;

        while (at < end && at->partition == first->partition &&
               (at->topic == first->topic || strcmp(at->topic, first->topic) == 0))
            at++;
        err = add_run(thread, first, (size_t)(at - first), reterr);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static int64_t poll_deadline(struct weir__thread *thread)
{
    int64_t now = weir__app_now(thread->app), due = thread->last_commit + thread->commit_interval;

    if (thread->worked || weir__restore_pending(thread))
        return 0;
    return MAX(MIN(now + IDLE_MS, due), now + 1);
}

static int poll_input(struct weir__thread *thread, struct weir_error *reterr)
{
    const struct weir__log_engine *engine = thread->app->config.engine;
    struct weir__polled            polled;
    int                            err = engine->poll(thread->consumer, poll_deadline(thread), &polled);

    thread->worked = false;
    if (err == WEIR_AGAIN)
        return WEIR_OK;
    if (err < 0)
        return weir__fail(reterr, err, thread->app->plan->application, "the input cannot be read: %s",
                          weir_code_text(err));
    if (polled.event != NULL)
        err = on_event(thread, polled.event, reterr);
    if (err == WEIR_OK)
        err = add_records(thread, &polled, reterr);
    engine->release(thread->consumer, polled.lease);
    return err;
}

/* Above the limit a partition waits in the engine's queue; at or below it flows again. */
static int hold_input(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    for (size_t i = 0; i < seat->input_count; i++) {
        struct weir__input *input = &seat->inputs[i];
        const char         *topic = input->tp.topic;
        bool                full = weir__task_buffered(seat->task, topic) > thread->app->settings.buffered ||
                    weir__task_buffered_bytes(seat->task, topic) > thread->app->memory.queued;
        int err;

        if (full == input->held)
            continue;
        err = thread->app->config.engine->hold(thread->consumer, input->tp, full);
        if (err < 0)
            return weir__fail(reterr, err, input->tp.topic, "partition %d cannot be held back: %s",
                              input->tp.partition, weir_code_text(err));
        input->held = full;
    }
    return WEIR_OK;
}

/* ---- work ---- */

/* How many records the next look at a task may take, from how long this one took. */
static void set_pace(struct weir__thread *thread, int64_t us)
{
    if (us > SLOW_US)
        thread->at_once /= 2;
    else if (us < SLOW_US / 4 && thread->at_once < AT_ONCE)
        thread->at_once = thread->at_once * 2 + 1;
}

static int work_seat(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    int64_t began = weir__monotonic_us();
    size_t  done = 0, room = MIN(MIN(thread->at_once + 1, (size_t)AT_ONCE), weir__refused_room(thread));
    int     err = room > 0 ? weir__task_process(seat->task, weir__crash_room(room), &done, reterr) : WEIR_OK;

    if (done > 0)
        set_pace(thread, weir__monotonic_us() - began);
    if (done > 0) {
        thread->worked = true;
        atomic_fetch_add(&thread->activity, 1);
        atomic_fetch_add(&thread->records, done);
        atomic_fetch_add(&seat->shown->records, done);
        weir__metric_add(thread->metric_records, (double)done);
        weir__crash_records(done);
    }
    if (err < 0 && err != WEIR_AGAIN)
        return err;
    err = weir__task_punctuate(seat->task, reterr);
    return err < 0 ? err : hold_input(thread, seat, reterr);
}

/* While an outlet is down its records wait. */
static int work(struct weir__thread *thread, struct weir_error *reterr)
{
    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];
        int                err = WEIR_OK;

        if (seat->running)
            err = weir__outlets_take(thread) ? work_seat(thread, seat, reterr) : hold_input(thread, seat, reterr);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static int commit_if_due(struct weir__thread *thread, struct weir_error *reterr)
{
    const struct weir__app_settings *settings = &thread->app->settings;
    int64_t                          now = weir__app_now(thread->app);
    bool                             durable = now - thread->last_flush >= settings->flush_interval;
    int                              err = WEIR_OK;

    if (weir__commit_due(thread, now))
        err = weir__commit(thread, false, durable, reterr);
    if (err == WEIR_OK && now - thread->last_purge >= settings->purge_interval)
        weir__commit_purge(thread);
    return err;
}

/* Counts the time since *at, which moves on. */
static void lap(struct weir__thread *thread, enum weir__work work_done, int64_t *at)
{
    int64_t now = weir__monotonic_us();

    weir__metric_add(thread->metric_work[work_done], (double)(now - *at) / 1e6);
    *at = now;
}

static int read_back(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (weir__restore_pending(thread))
        err = weir__restore_step(thread, weir__app_now(thread->app) + (thread->worked ? 0 : IDLE_MS), reterr);
    return err == WEIR_OK ? weir__follow_step(thread, reterr) : err;
}

static int turn(struct weir__thread *thread, struct weir_error *reterr)
{
    int64_t at = weir__monotonic_us();
    int     err = weir__answer_request(thread, reterr);

    if (err == WEIR_OK)
        err = weir__share_wanted(thread, reterr);
    lap(thread, WEIR__COMMITTING, &at);
    if (err == WEIR_OK)
        err = poll_input(thread, reterr);
    lap(thread, WEIR__POLLING, &at);
    if (err == WEIR_OK)
        err = weir__outlets_serve(thread, reterr);
    if (err == WEIR_OK)
        err = read_back(thread, reterr);
    lap(thread, WEIR__RESTORING, &at);
    if (err == WEIR_OK)
        err = work(thread, reterr);
    lap(thread, WEIR__WORKING, &at);
    if (err == WEIR_OK)
        err = commit_if_due(thread, reterr);
    lap(thread, WEIR__COMMITTING, &at);
    weir__thread_beat(thread);
    return err;
}

/* ---- life ---- */

static int begin(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = weir__open_producer(thread, reterr);

    thread->last_commit = thread->last_flush = thread->last_purge = weir__app_now(thread->app);
    if (err == WEIR_OK)
        err = weir__outlets_open(thread, reterr);
    return err == WEIR_OK ? weir__follow_open(thread, reterr) : err;
}

/* A topic of ours that is gone: a reset has taken it, and its words are better. */
static int explain_absence(struct weir__thread *thread, int code, struct weir_error *reterr)
{
    struct weir_error words;
    int               err = code == WEIR_NOTFOUND ? weir__thread_check_control(thread, &words) : WEIR_OK;

    if (err != WEIR_BAD_STATE)
        return code;
    if (reterr != NULL)
        *reterr = words;
    return err;
}

static int loop(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = begin(thread, reterr);

    while (err == WEIR_OK && !atomic_load(&thread->app->closing)) {
        err = turn(thread, reterr);
        while (err < 0 && weir_code_scope(err) == WEIR_SCOPE_TASK && !atomic_load(&thread->app->closing)) {
            int code = err;

            err = weir__recover(thread, code, reterr);
            if (err == code)
                break;
        }
    }
    return explain_absence(thread, err, reterr);
}

/* All that was processed is committed and made durable. What cannot be any more is done again at the next start; after a
 * failure that a restart would mend there is nothing to commit. */
static int finish(struct weir__thread *thread, int err, struct weir_error *reterr)
{
    if (err == WEIR_OK) {
        weir__crash_at(WEIR__AT_STOP);
        err = weir__commit(thread, false, true, reterr);
    }
    if (err < 0 && weir_code_scope(err) == WEIR_SCOPE_TASK) {
        if (reterr != NULL)
            weir__say_error(WEIR__WARN, "last-commit-failed", reterr);
        return WEIR_OK;
    }
    if (err == WEIR_OK && !weir__app_must_end(thread->app)) /* a short run leaves no hop's records behind */
        weir__commit_purge(thread);
    return err;
}

/* The group is told while there is time for it; it finds out by itself otherwise. */
static int64_t leave_by(const struct weir__app *app)
{
    int64_t by = weir__app_now(app) + WEIR__CALL_MS;

    return atomic_load(&app->closing) ? MIN(by, atomic_load(&app->close_by) - LAST_MS) : by;
}

static void end(struct weir__thread *thread)
{
    struct weir__app              *app = thread->app;
    const struct weir__log_engine *engine = app->config.engine;
    struct weir__consumer         *consumer;

    weir__seats_close(thread);
    weir__outlets_close(thread);
    weir__follow_close(thread);
    engine->producer_close(thread->producer);
    thread->producer = NULL;
    pthread_mutex_lock(&app->mutex);
    consumer = thread->consumer;
    thread->consumer = NULL;
    pthread_mutex_unlock(&app->mutex);
    if (consumer != NULL)
        (void)engine->leave(consumer, leave_by(app));
}

/* What no handler took ends the run: say how to go on without it. */
static void add_remedy(struct weir_error *err)
{
    size_t size = strlen(err->text);

    snprintf(err->text + size, sizeof(err->text) - size,
             ": mend what writes it, name a dead.letters.topic for such records, or skip them by %s=continue",
             err->code == WEIR_UNREADABLE ? "deserialization.handler" : "processing.handler");
}

static void fail(struct weir__thread *thread, int code, struct weir_error *err)
{
    struct weir__app *app = thread->app;

    if (weir_code_scope(code) == WEIR_SCOPE_RECORD)
        add_remedy(err);
    weir__say_error(WEIR__ERROR, "thread-failed", err);
    pthread_mutex_lock(&app->mutex);
    if (app->code == WEIR_OK) {
        app->code = code;
        app->error = *err;
        app->error.code = code;
    }
    atomic_store(&app->failed, true);
    pthread_cond_broadcast(&app->answered);
    pthread_mutex_unlock(&app->mutex);
}

void *weir__thread_main(void *arg)
{
    struct weir__thread *thread = arg;
    struct weir_error    words = { 0 };
    int                  err = loop(thread, &words);

    if (err == WEIR_OK || (atomic_load(&thread->app->closing) && weir_code_scope(err) == WEIR_SCOPE_TASK))
        err = finish(thread, err, &words);
    if (err < 0)
        fail(thread, err, &words);
    end(thread);
    if (err < 0)
        weir__app_close(thread->app);
    pthread_mutex_lock(&thread->app->mutex);
    atomic_store(&thread->ended, true);
    pthread_cond_broadcast(&thread->app->answered);
    pthread_mutex_unlock(&thread->app->mutex);
    return NULL;
}
