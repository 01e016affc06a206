/* quiet.c: a thread's answers to the one who waits for the end of a bounded run.
 *
 * A thread is quiet when it has its assignment, has restored, has committed all it did, buffers nothing, and the log
 * holds nothing beyond what it read, not even uncommitted.
 */
#include "framework/runtime/internal.h"

static bool input_at_end(struct weir__thread *thread, const struct weir__seat *seat, const struct weir__input *input)
{
    struct weir__ends ends;

    if (weir__task_buffered(seat->task, input->tp.topic) > 0)
        return false;
    return weir__app_ends(thread->app, thread, input->tp, &ends) == WEIR_OK && input->position >= ends.end;
}

static bool seat_quiet(struct weir__thread *thread, const struct weir__seat *seat)
{
    if (!seat->running || weir__task_has_work(seat->task) || weir__task_holds(seat->task))
        return false;
    for (size_t i = 0; i < seat->input_count; i++)
        if (!input_at_end(thread, seat, &seat->inputs[i]))
            return false;
    return true;
}

static bool is_quiet(struct weir__thread *thread)
{
    if (!atomic_load(&thread->holds_assignment) || thread->sends > 0)
        return false;
    for (size_t i = 0; i < thread->seat_count; i++)
        if (!seat_quiet(thread, thread->seats[i]))
            return false;
    return weir__follow_at_end(thread);
}

static int close_windows(struct weir__thread *thread, int sub, struct weir_error *reterr)
{
    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];
        int                err = WEIR_OK;

        if (seat->running && seat->sub == sub)
            err = weir__task_close_windows(seat->task, reterr);
        if (err < 0)
            return err;
    }
    return weir__commit(thread, true, false, reterr);
}

int weir__answer_request(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir__app       *app = thread->app;
    uint64_t                number = atomic_load(&app->request);
    enum weir__request_kind kind;
    int                     sub, err = WEIR_OK;
    bool                    quiet;

    if (number == thread->answered)
        return WEIR_OK;
    pthread_mutex_lock(&app->mutex);
    number = atomic_load(&app->request);
    kind = app->request_kind;
    sub = app->request_sub;
    pthread_mutex_unlock(&app->mutex);
    if (kind == WEIR__CLOSE_WINDOWS)
        err = close_windows(thread, sub, reterr);
    if (err < 0)
        return err;
    quiet = is_quiet(thread);
    if (!quiet && !thread->worked)
        thread->last_commit = 0; /* nothing more to do: who waits should not wait for the interval too */
    thread->answered = number;
    pthread_mutex_lock(&app->mutex);
    thread->answer = number;
    thread->quiet = quiet;
    pthread_cond_broadcast(&app->answered);
    pthread_mutex_unlock(&app->mutex);
    return WEIR_OK;
}
