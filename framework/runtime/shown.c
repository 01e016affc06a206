/* shown.c: what seats show to other threads: their stores for reading, their positions, how they stand.
 *
 * (1) The list is changed by stream threads when a task comes or goes, under the lock; whoever reads holds it for reading,
 *     so a task's stores stay open meanwhile. No record and no commit takes it.
 * (2) A store is open to readers once all that is committed is written to its engine, at each commit from then on. Who
 *     wants a store asks, and its task's thread sees to it in its next round.
 */
#define _GNU_SOURCE
#include "framework/runtime/internal.h"

/* How long who looks waits for the end of a partition. */
#define END_MS 100

void weir__shown_init(struct weir__app *app)
{
    pthread_rwlockattr_t attributes;

    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&app->shown_lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

void weir__shown_fini(struct weir__app *app)
{
    CHECK(app->shown_count == 0);
    weir__free(app->shown);
    pthread_rwlock_destroy(&app->shown_lock);
}

int weir__shown_prepare(struct weir__app *app)
{
    const struct weir__plan *plan = app->plan;

    app->wanted = weir_arena_alloc(&app->arena, sizeof(*app->wanted) * (plan->store_count + 1));
    if (app->wanted == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < plan->store_count; i++)
        atomic_store(&app->wanted[i], plan->stores[i]->spec != NULL && plan->stores[i]->spec->served);
    return WEIR_OK;
}

/* ---- showing ---- */

static size_t index_of(const struct weir__app *app, const struct weir__store_plan *plan)
{
    size_t i = 0;

    while (app->plan->stores[i] != plan)
        i++;
    return i;
}

static void show_store(struct weir__app *app, struct weir__shown *shown, struct weir__store *store)
{
    struct weir__shown_store *at = &shown->stores[shown->store_count++];

    at->plan = weir__plan_store(app->plan, weir__store_spec(store)->name);
    at->index = index_of(app, at->plan);
    at->store = store;
    weir__store_peek(store, &at->peek);
}

static int add(struct weir__app *app, struct weir__shown *shown)
{
    int err;

    pthread_rwlock_wrlock(&app->shown_lock);
    err = GROW(app->shown, app->shown_capacity, app->shown_count);
    if (err == WEIR_OK)
        app->shown[app->shown_count++] = shown;
    pthread_rwlock_unlock(&app->shown_lock);
    return err;
}

static size_t count_stores(struct weir__task *task)
{
    const char *changelog;
    size_t      count = 0;

    while (weir__task_store(task, count, &changelog) != NULL)
        count++;
    return count;
}

int weir__seat_show(struct weir__thread *thread, struct weir__seat *seat)
{
    struct weir__shown *shown = weir_arena_alloc(&seat->arena, sizeof(*shown));
    size_t              count = count_stores(seat->task);
    const char         *changelog;

    if (shown == NULL)
        return WEIR_NO_MEMORY;
    *shown = (struct weir__shown){ .sub = seat->sub, .partition = seat->partition, .thread = thread->index };
    shown->name = weir__arena_printf(&seat->arena, "%s_%d",
                                     seat->topic != NULL ? seat->topic : thread->app->plan->subs[seat->sub].folder,
                                     seat->partition);
    shown->stores = weir_arena_alloc(&seat->arena, sizeof(*shown->stores) * (count + 1));
    shown->inputs = weir_arena_alloc(&seat->arena, sizeof(*shown->inputs) * (seat->input_count + 1));
    if (shown->name == NULL || shown->stores == NULL || shown->inputs == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        show_store(thread->app, shown, weir__task_store(seat->task, i, &changelog));
    for (size_t i = 0; i < seat->input_count; i++) {
        atomic_store(&shown->inputs[shown->input_count].oldest, -1);
        shown->inputs[shown->input_count++].tp = seat->inputs[i].tp;
    }
    if (add(thread->app, shown) < 0)
        return WEIR_NO_MEMORY;
    seat->shown = shown;
    weir__seat_tell(seat);
    return WEIR_OK;
}

/* A thread's copy of the global stores: each commit of theirs writes. */
int weir__globals_show(struct weir__thread *thread)
{
    struct weir__app *app = thread->app;

    if (thread->index > 0) /* one copy is enough */
        return WEIR_OK;
    thread->shown = (struct weir__shown){ .name = "global", .sub = -1, .partition = -1 };
    thread->shown.stores =
        weir_arena_alloc(&app->arena, sizeof(*thread->shown.stores) * (app->plan->store_count + 1));
    if (thread->shown.stores == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < app->plan->store_count; i++)
        if (app->plan->stores[i]->global)
            show_store(app, &thread->shown, weir__globals_store(thread->globals, app->plan->stores[i]->name));
    for (size_t i = 0; i < thread->shown.store_count; i++)
        atomic_store(&thread->shown.stores[i].open, true);
    atomic_store(&thread->shown.running, true);
    return add(app, &thread->shown);
}

void weir__hide(struct weir__app *app, const struct weir__shown *shown)
{
    size_t kept = 0;

    pthread_rwlock_wrlock(&app->shown_lock);
    for (size_t i = 0; i < app->shown_count; i++)
        if (app->shown[i] != shown)
            app->shown[kept++] = app->shown[i];
    app->shown_count = kept;
    pthread_rwlock_unlock(&app->shown_lock);
}

/* Up to where nothing is left to do: markers behind the last record are not waited for. */
static int64_t settled(const struct weir__seat *seat, const struct weir__input *input)
{
    bool idle = !weir__task_has_work(seat->task) && weir__task_buffered(seat->task, input->tp.topic) == 0;

    if (idle)
        return input->position;
    return input->committed < 0 ? input->begin : input->committed;
}

void weir__seat_tell(struct weir__seat *seat)
{
    struct weir__shown *shown = seat->shown;
    int64_t             left = 0;
    size_t              queued = 0;

    for (size_t i = 0; i < seat->input_count; i++) {
        atomic_store(&shown->inputs[i].position, seat->inputs[i].position);
        atomic_store(&shown->inputs[i].settled, settled(seat, &seat->inputs[i]));
        queued += weir__task_buffered(seat->task, seat->inputs[i].tp.topic);
    }
    for (size_t i = 0; i < seat->restore_count; i++)
        left += MAX(seat->restores[i].target - seat->restores[i].next, 0);
    atomic_store(&shown->stream_time, weir__task_stream_time(seat->task));
    atomic_store(&shown->held, (int64_t)weir__task_held_bytes(seat->task));
    atomic_store(&shown->queued, queued);
    atomic_store(&shown->restore_left, left);
    atomic_store(&shown->restore_read, (int64_t)seat->restored);
}

int64_t weir__shown_end(struct weir__app *app, const struct weir__shown_input *input)
{
    struct weir__ends ends;
    int               err = app->config.engine->ends(app->config.log, input->tp, weir__app_now(app) + END_MS, &ends);

    return err < 0 ? -1 : ends.stable;
}

/* ---- sharing ---- */

bool weir__want_store(struct weir__app *app, size_t store)
{
    if (atomic_exchange(&app->wanted[store], true))
        return false;
    atomic_fetch_add(&app->wants, 1);
    return true;
}

/* Marks what is wanted. Whether there is any that is not open yet. */
static bool share(struct weir__app *app, struct weir__shown *shown)
{
    bool any = false;

    for (size_t i = 0; i < shown->store_count; i++) {
        struct weir__shown_store *store = &shown->stores[i];

        if (!atomic_load(&app->wanted[store->index]) || atomic_load(&store->open))
            continue;
        weir__store_share(store->store);
        store->shared = any = true;
    }
    return any;
}

void weir__seat_written(struct weir__seat *seat)
{
    for (size_t i = 0; i < seat->shown->store_count; i++)
        if (seat->shown->stores[i].shared)
            atomic_store(&seat->shown->stores[i].open, true);
}

void weir__seat_runs(struct weir__app *app, struct weir__seat *seat)
{
    share(app, seat->shown);
    weir__seat_written(seat); /* nothing has been committed yet that is not written */
    atomic_store(&seat->shown->running, true);
}

/* Where nothing is dirty all that is held can be written at once; else the next commit does it. */
static int share_seat(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    int err;

    if (!seat->running || !share(thread->app, seat->shown))
        return WEIR_OK;
    if (weir__task_has_work(seat->task)) {
        thread->last_commit = 0;
        return WEIR_OK;
    }
    err = weir__task_committed(seat->task, NULL, NULL, false, reterr);
    if (err == WEIR_OK)
        weir__seat_written(seat);
    return err;
}

int weir__share_wanted(struct weir__thread *thread, struct weir_error *reterr)
{
    unsigned wants = atomic_load(&thread->app->wants);
    int      err = WEIR_OK;

    if (wants == thread->wants)
        return WEIR_OK;
    thread->wants = wants;
    for (size_t i = 0; err == WEIR_OK && i < thread->seat_count; i++)
        err = share_seat(thread, thread->seats[i], reterr);
    return err;
}
