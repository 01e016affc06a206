/* recover.c: what a thread does after a failure that does not end the application.
 *
 *     ABORT          abort, forget what is uncommitted, rewind to the committed offsets; where the log refused a record, with a
 *                    new producer
 *     FENCED         outcome unknown: forget, a new producer under the same id, tasks anew from what stands; joins again
 *                    where it was the member
 *     LOST           the membership is gone: forget, close the tasks, join again; where the group only waits for our poll: poll
 *     a store's      abort, tasks and global tables anew
 *     outlets        what they have not acknowledged is given up; one that is down is waited for, in the loop
 *
 * More than five in a row, each soon after the other and without a commit between, end the application, so that nothing
 * loops for ever. Those of brokers that come and go lie seconds apart: they are waited out.
 */
#include "framework/runtime/internal.h"

#define MOST_FAILURES 5
#define SOON_US       INT64_C(5000000)
#define TWIN_US       INT64_C(60000000)

static int abort_all(struct weir__thread *thread)
{
    struct weir__app *app = thread->app;
    int               err = WEIR_OK, tries = 0;

    if (thread->producer == NULL)
        return WEIR_OK;
    do { /* the first transaction after an abort may fail once more: abort again */
        weir__thread_beat(thread);
        err = app->config.engine->abort(thread->producer, weir__app_now(app) + WEIR__CALL_MS);
    } while ((err == WEIR_AGAIN || (err == WEIR_ABORT && ++tries < 3)) && !weir__app_must_end(app));
    thread->sends = thread->sent_bytes = 0;
    return err;
}

int weir__open_producer(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir__app *app = thread->app;
    char              id[512];
    int               err;

    snprintf(id, sizeof(id), "%s-%s-%zu", app->plan->application, app->state.instance, thread->index);
    do {
        weir__thread_beat(thread);
        err = app->config.engine->producer(app->config.log, app->settings.exactly_once ? id : NULL,
                                           weir__app_now(app) + WEIR__CALL_MS, &thread->producer, reterr);
    } while (err == WEIR_AGAIN && !atomic_load(&app->closing));
    return err == WEIR_AGAIN
               ? weir__fail(reterr, err, app->plan->application,
                            "stopped before a broker answered: thread %zu has no producer", thread->index)
               : err;
}

static int reopen_producer(struct weir__thread *thread, struct weir_error *reterr)
{
    thread->app->config.engine->producer_close(thread->producer);
    thread->producer = NULL;
    thread->sends = thread->sent_bytes = 0;
    return weir__open_producer(thread, reterr);
}

/* Tasks anew from what the log and the stores have. */
static int reopen_tasks(struct weir__thread *thread, struct weir_error *reterr)
{
    weir__seats_close(thread);
    return weir__seats_open(thread, reterr);
}

/* And what they look up: it may be the topic of a global table that is not what it was. */
static int reopen_all(struct weir__thread *thread, struct weir_error *reterr)
{
    int err;

    weir__seats_close(thread);
    weir__follow_close(thread);
    err = weir__follow_open(thread, reterr);
    return err == WEIR_OK ? weir__seats_open(thread, reterr) : err;
}

/* Where some tasks could not be opened those that are there are not enough. */
static int go_back(struct weir__thread *thread, struct weir_error *reterr)
{
    return atomic_load(&thread->holds_assignment) ? weir__seats_rewind(thread, reterr) : reopen_tasks(thread, reterr);
}

static int on_abort(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = abort_all(thread);

    if (err == WEIR_OK)
        return go_back(thread, reterr);
    err = reopen_producer(thread, reterr);
    return err == WEIR_OK ? reopen_tasks(thread, reterr) : err;
}

/* librdkafka 2.0.2 has lost count of its sequence numbers then: the next transaction would fail, after 9 s. */
static int on_refused(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = reopen_producer(thread, reterr);

    return err == WEIR_OK ? go_back(thread, reterr) : err;
}

static void forget_generation(struct weir__thread *thread)
{
    thread->has_token = false;
    thread->assigned_count = 0;
    atomic_store(&thread->holds_assignment, false);
}

static int join_anew(struct weir__thread *thread, struct weir_error *reterr)
{
    forget_generation(thread);
    return weir__thread_join(thread, reterr);
}

/* Fenced twice within a minute, and not for being slow: somebody else runs under our name, and each of us would fence
 * the other for ever. */
static bool meets_twin(struct weir__thread *thread)
{
    int64_t now = weir__monotonic_us(), before = thread->last_fence;

    if (now - atomic_load(&thread->committed) >= thread->app->settings.transaction_us)
        return false;
    thread->last_fence = now;
    return before != 0 && now - before < TWIN_US;
}

static int on_fenced(struct weir__thread *thread, struct weir_error *reterr)
{
    int err;

    if (meets_twin(thread))
        return weir__fail(
            reterr, WEIR_FENCED, thread->app->state.instance,
            "another process runs as this instance of %s: stop one of them, or give it its own instance.id "
            "and state folder",
            thread->app->plan->application);
    weir__seats_close(thread);
    err = reopen_producer(thread, reterr);
    if (err < 0)
        return err;
    if (!thread->has_token || !thread->app->config.engine->valid(thread->consumer, thread->token))
        return join_anew(thread, reterr); /* it may have been the member that was fenced */
    return weir__seats_open(thread, reterr);
}

/* Who has heard of the end in a wait polls: it takes everything, and another assignment comes, or it tells what else there is. */
static int on_lost(struct weir__thread *thread, bool stays, struct weir_error *reterr)
{
    int err = abort_all(thread);

    weir__seats_close(thread);
    if (err < 0 && err != WEIR_AGAIN)
        err = reopen_producer(thread, reterr);
    else
        err = WEIR_OK;
    if (err < 0)
        return err;
    forget_generation(thread);
    return stays ? WEIR_OK : weir__thread_join(thread, reterr);
}

static int on_store(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = abort_all(thread);

    if (err < 0)
        err = reopen_producer(thread, reterr);
    else
        err = WEIR_OK;
    return err == WEIR_OK ? reopen_all(thread, reterr) : err;
}

static bool too_many(struct weir__thread *thread)
{
    int64_t now = weir__monotonic_us();

    thread->failures = now - thread->last_failure < SOON_US ? thread->failures + 1 : 1;
    thread->last_failure = now;
    return thread->failures > MOST_FAILURES;
}

int weir__recover(struct weir__thread *thread, int code, struct weir_error *reterr)
{
    struct weir_error words = { 0 };
    bool              unsettled = code == WEIR_ABORT && thread->unsettled.code == WEIR_AGAIN;
    bool              outside = thread->unsettled.code != WEIR_OK;
    bool              by_log = false;
    bool              refused = code == WEIR_ABORT && !unsettled && weir__refused(thread, &by_log);
    bool              stays = code == WEIR_LOST && thread->must_poll;
    int               err;

    thread->must_poll = false;
    if (weir_code_scope(code) != WEIR_SCOPE_TASK || (!refused && !unsettled && !stays && too_many(thread)))
        return code;
    weir__outlets_forget(thread);
    if (reterr != NULL)
        weir__say_error(WEIR__WARN, "thread-recovers", reterr);
    weir__metric_add(thread->metric_failures, 1);
    atomic_fetch_add(&thread->activity, 1);
    if ((refused || by_log) && !outside)
        err = on_refused(thread, &words);
    else if (code == WEIR_ABORT)
        err = on_abort(thread, &words);
    else if (code == WEIR_FENCED)
        err = on_fenced(thread, &words);
    else if (code == WEIR_LOST)
        err = on_lost(thread, stays, &words);
    else
        err = on_store(thread, &words);
    thread->unsettled.code = thread->refusal = WEIR_OK;
    weir__waits_anew(thread);
    if (err < 0 && reterr != NULL)
        *reterr = words;
    return err;
}
