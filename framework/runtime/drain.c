/* drain.c: the end of a bounded run: when is everything done?
 *
 * (1) Two rounds of questions with no activity between them: at the end of the first every thread had done all it
 *     knew of and sent nothing since; in the second each looked at the log again. So nothing is on its way.
 * (2) Windows are closed sub-topology by sub-topology, upstream first, over all applications: what a closing sends on
 *     must arrive before those that read it close.
 * (3) On a terminal a bar shows how much of what the inputs hold now is done; it may go back, since topologies send to
 *     each other.
 */
#include "framework/logging/logging.h"
#include "framework/runtime/internal.h"

#include <time.h>

struct drain {
    struct weir__app *const *apps;
    size_t                   count;
    bool (*goes_on)(void *arg);
    void    *arg;
    int64_t *told; /* when the bar was drawn last, us */
};

/* ---- the bar ---- */

#define SHOW_EVERY_US 100000

static void add_inputs(struct weir__app *app, int64_t *done, int64_t *all)
{
    pthread_rwlock_rdlock(&app->shown_lock);
    for (size_t i = 0; i < app->shown_count; i++)
        for (size_t j = 0; j < app->shown[i]->input_count; j++) {
            int64_t settled = atomic_load(&app->shown[i]->inputs[j].settled);
            int64_t end = weir__shown_end(app, &app->shown[i]->inputs[j]);

            *done += MAX(settled, 0);
            *all += MAX(end, MAX(settled, 0));
        }
    pthread_rwlock_unlock(&app->shown_lock);
}

static void show_progress(const struct drain *drain)
{
    int64_t now = weir__monotonic_us(), done = 0, all = 0;
    char    line[160], bar[WEIR__BAR_BYTES];

    if (!weir__shows() || now - *drain->told < SHOW_EVERY_US)
        return;
    *drain->told = now;
    for (size_t i = 0; i < drain->count; i++)
        add_inputs(drain->apps[i], &done, &all);
    snprintf(line, sizeof(line), "process %s  %lld of %lld records", weir__bar(done, all, bar), (long long)done,
             (long long)all);
    weir__show(line);
}

static uint64_t activity(const struct drain *drain)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < drain->count; i++)
        for (size_t j = 0; j < drain->apps[i]->thread_count; j++)
            sum += atomic_load(&drain->apps[i]->threads[j].activity);
    return sum;
}

static int look_around(const struct drain *drain, struct weir_error *reterr)
{
    show_progress(drain);
    for (size_t i = 0; i < drain->count; i++)
        if (weir__app_failed(drain->apps[i]))
            return weir__fail(reterr, WEIR_BAD_STATE, drain->apps[i]->plan->topology->name,
                              "the application has failed");
    if (drain->goes_on != NULL && !drain->goes_on(drain->arg))
        return weir__fail(reterr, WEIR_AGAIN, "stop", "stopped before the end of the input");
    return WEIR_OK;
}

/* ---- asking ---- */

static void ask(struct weir__app *app, enum weir__request_kind kind, int sub)
{
    pthread_mutex_lock(&app->mutex);
    app->request_kind = kind;
    app->request_sub = sub;
    atomic_fetch_add(&app->request, 1);
    pthread_mutex_unlock(&app->mutex);
    weir__app_wake(app);
}

/* Whether all threads have answered the present request; *ret_quiet: and all are quiet. Mutex held. */
static bool all_answered(struct weir__app *app, bool *ret_quiet)
{
    *ret_quiet = true;
    for (size_t i = 0; i < app->thread_count; i++) {
        if (app->threads[i].answer != atomic_load(&app->request))
            return false;
        *ret_quiet = *ret_quiet && app->threads[i].quiet;
    }
    return true;
}

static void wait_a_little(struct weir__app *app)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&app->answered, &app->mutex, &until);
}

static int await(const struct drain *drain, struct weir__app *app, bool *ret_quiet, struct weir_error *reterr)
{
    int  err = WEIR_OK;
    bool done = false;

    while (err == WEIR_OK && !done) {
        pthread_mutex_lock(&app->mutex);
        done = all_answered(app, ret_quiet);
        if (!done)
            wait_a_little(app);
        pthread_mutex_unlock(&app->mutex);
        err = look_around(drain, reterr);
    }
    return err;
}

static int check_all(const struct drain *drain, bool *ret_quiet, struct weir_error *reterr)
{
    *ret_quiet = true;
    for (size_t i = 0; i < drain->count; i++)
        ask(drain->apps[i], WEIR__CHECK_QUIET, -1);
    for (size_t i = 0; i < drain->count; i++) {
        bool quiet;
        int  err = await(drain, drain->apps[i], &quiet, reterr);

        if (err < 0)
            return err;
        *ret_quiet = *ret_quiet && quiet;
    }
    return WEIR_OK;
}

static int wait_quiet(const struct drain *drain, struct weir_error *reterr)
{
    for (;;) {
        uint64_t before;
        bool     quiet;
        int      err = check_all(drain, &quiet, reterr);

        before = activity(drain);
        if (err == WEIR_OK && quiet)
            err = check_all(drain, &quiet, reterr);
        if (err < 0 || (quiet && activity(drain) == before))
            return err;
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    }
}

/* ---- closing windows, upstream first ---- */

/* A sub-topology in the order of closing. */
struct part {
    struct weir__app *app;
    int               sub;
    bool              closes; /* has a node that waits for windows to close */
    bool              placed;
};

static bool waits_for_close(const struct weir__subtopology *sub)
{
    for (size_t i = 0; i < sub->node_count; i++) {
        const struct weir__node *node = sub->nodes[i];

        if (node->op == WEIR__FOLD_WINDOWS ? node->emit == WEIR_ON_CLOSE
                                           : node->op == WEIR__PROCESS && node->spec->final != NULL)
            return true;
    }
    return false;
}

static bool writes(struct weir__app *app, int sub, const char *topic)
{
    const struct weir__topic_use *use = weir__topics_find(&app->topics, topic);
    const struct weir__plan      *plan = app->plan;

    if (use == NULL)
        return false;
    for (size_t i = 0; i < plan->subs[sub].node_count; i++) {
        const struct weir__node *node = plan->subs[sub].nodes[i];

        for (size_t j = 0; node->op == WEIR__SINK && j < node->topic_count; j++)
            if (node->internal ? use->writer == sub && !use->user : strcmp(node->topics[j], topic) == 0)
                return true;
    }
    return false;
}

static bool feeds(const struct part *from, const struct part *to)
{
    for (size_t i = 0; i < to->app->topics.count; i++) {
        const struct weir__topic_use *use = &to->app->topics.items[i];

        if (use->reader == to->sub && writes(from->app, from->sub, use->name))
            return true;
    }
    return false;
}

static bool waits_for_another(const struct part *parts, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++)
        if (i != at && !parts[i].placed && feeds(&parts[i], &parts[at]))
            return true;
    return false;
}

/* The next one that nothing unplaced feeds; in a cycle, simply the next. */
static size_t next_part(const struct part *parts, size_t count)
{
    size_t first = count;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].placed)
            continue;
        if (!waits_for_another(parts, count, i))
            return i;
        first = MIN(first, i);
    }
    return first;
}

static struct part *list_parts(const struct drain *drain, size_t *ret_count)
{
    struct part *parts;
    size_t       most = 1, count = 0;

    for (size_t i = 0; i < drain->count; i++)
        most += drain->apps[i]->plan->sub_count;
    parts = weir__zalloc(sizeof(*parts) * most);
    for (size_t i = 0; parts != NULL && i < drain->count; i++)
        for (size_t j = 0; j < drain->apps[i]->plan->sub_count; j++)
            if (!drain->apps[i]->plan->subs[j].global)
                parts[count++] = (struct part){ .app = drain->apps[i],
                                                .sub = (int)j,
                                                .closes = waits_for_close(&drain->apps[i]->plan->subs[j]) };
    *ret_count = count;
    return parts;
}

static int close_part(const struct drain *drain, const struct part *part, struct weir_error *reterr)
{
    bool quiet;
    int  err;

    ask(part->app, WEIR__CLOSE_WINDOWS, part->sub);
    err = await(drain, part->app, &quiet, reterr);
    return err < 0 ? err : wait_quiet(drain, reterr);
}

static int close_all(const struct drain *drain, struct weir_error *reterr)
{
    size_t       count;
    struct part *parts = list_parts(drain, &count);
    int          err = WEIR_OK;

    if (parts == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "drain", "out of memory");
    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        struct part *part = &parts[next_part(parts, count)];

        part->placed = true;
        if (part->closes)
            err = close_part(drain, part, reterr);
    }
    weir__free(parts);
    return err;
}

int weir__apps_drain(struct weir__app *const *apps, size_t count, bool (*goes_on)(void *arg), void *arg,
                     struct weir_error *reterr)
{
    int64_t      told = 0;
    struct drain drain = { .apps = apps, .count = count, .goes_on = goes_on, .arg = arg, .told = &told };
    uint64_t     before;
    int          err = wait_quiet(&drain, reterr);

    do { /* a cycle may open windows again */
        before = activity(&drain);
        if (err == WEIR_OK)
            err = close_all(&drain, reterr);
    } while (err == WEIR_OK && activity(&drain) != before);
    weir__show(NULL);
    return err;
}
