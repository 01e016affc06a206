/* restore.c: stores are brought to the end of their changelogs before their task runs.
 *
 * (1) The end is the uncommitted end, taken after the assignment; records are read committed. Ending earlier can lose
 *     the last transaction of the former owner, reading uncommitted can bring back an aborted one.
 * (2) The position decides, not the last record: markers and aborted records take offsets.
 * (3) A store whose offset its changelog no longer covers is emptied and read from the start. An unclean stop alone
 *     never empties a store: it is never ahead of the committed changelog.
 * (4) A deletion leaves a compacted changelog delete.retention.ms after it was written: a store that was last in step
 *     longer ago than half of that, clocks differ, may never hear of it. It is emptied too, whether it is that old when
 *     its reading begins or when it ends. One that has nothing to read is good at any age.
 * (5) Tasks that run go on meanwhile.
 */
#include "framework/runtime/internal.h"

/* A shorter tail is written as the task itself writes: entering and leaving restore mode costs the engine two files each. */
#define MANY_OFFSETS 10000

bool weir__restore_pending(const struct weir__thread *thread) { return thread->restorer != NULL; }

void weir__restore_stop(struct weir__thread *thread)
{
    if (thread->restorer != NULL)
        (void)thread->app->config.engine->leave(thread->restorer, weir__app_now(thread->app) + WEIR__CALL_MS);
    thread->restorer = NULL;
}

static bool is_old(const struct weir__app *app, const struct weir__restore *restore)
{
    return weir__app_now(app) - weir__store_standing(restore->store).synced >= restore->trusted;
}

/* An unchanged changelog, but for the marker of the store's own last commit. */
static bool has_all(const struct weir__restore *restore, const struct weir__ends *ends)
{
    struct weir__standing standing = weir__store_standing(restore->store);

    return ends->end <= standing.offset + standing.marked;
}

/* Why a store is no use as it is; NULL: it is. */
static const char *unfit(const struct weir__app *app, const struct weir__restore *restore,
                         const struct weir__ends *ends)
{
    struct weir__standing standing = weir__store_standing(restore->store);

    if (standing.offset < ends->low)
        return "the changelog begins after it";
    if (standing.offset > ends->end)
        return "the changelog ends before it";
    if (!has_all(restore, ends) && is_old(app, restore))
        return "it may have missed deletions";
    return NULL;
}

static void say_wiped(const struct weir__restore *restore, const struct weir__ends *ends, const char *why)
{
    struct weir__standing standing = weir__store_standing(restore->store);

    if (standing.offset >= 0)
        weir__say(WEIR__WARN, "store-restored-from-start", "store", "s", weir__store_spec(restore->store)->name,
                  "partition", "i", (int64_t)restore->tp.partition, "why", "s", why, "offset", "i", standing.offset,
                  "low", "i", ends->low, "end", "i", ends->end, "in-step", "i", standing.synced, NULL);
}

static int ask_ends(struct weir__thread *thread, struct weir__restore *restore, struct weir__ends *ret,
                    struct weir_error *reterr)
{
    int64_t now = weir__app_now(thread->app);
    int     err = weir__app_ends(thread->app, thread, restore->tp, ret);

    if (err < 0)
        return weir__fail(reterr, err, restore->tp.topic, "the changelog does not tell its ends: %s",
                          weir_code_text(err));
    restore->asked = now;
    restore->target = ret->end;
    return WEIR_OK;
}

/* A store that begins anew is in step with what its changelog was when the reading began. */
static int begin_anew(struct weir__restore *restore, const struct weir__ends *ends, const char *why,
                      struct weir_error *reterr)
{
    int err;

    say_wiped(restore, ends, why);
    err = weir__store_wipe(restore->store);
    if (err < 0)
        return weir__fail(reterr, err, restore->tp.topic, "the store cannot be emptied: %s", weir_code_text(err));
    weir__store_sync(restore->store, restore->asked);
    restore->begin = restore->next = ends->low;
    restore->whole = true;
    return WEIR_OK;
}

/* What was read is all there is: the store is in step with its changelog as it was when its end was asked for. */
static void note_end(struct weir__restore *restore)
{
    restore->done = restore->next >= restore->target;
    if (restore->done)
        weir__store_sync(restore->store, restore->asked);
}

/* Where a store's restore begins and ends. */
static int plan_store(struct weir__thread *thread, struct weir__restore *restore, struct weir_error *reterr)
{
    struct weir__app *app = thread->app;
    struct weir__ends ends;
    const char       *why;
    int               err = ask_ends(thread, restore, &ends, reterr);

    if (err < 0)
        return err;
    restore->trusted = weir__topics_find(&app->topics, restore->tp.topic)->deletions_kept / 2;
    restore->begin = restore->next = weir__store_standing(restore->store).offset;
    why = unfit(app, restore, &ends);
    if (why != NULL)
        err = begin_anew(restore, &ends, why, reterr);
    else if (has_all(restore, &ends))
        weir__store_sync(restore->store, restore->asked);
    note_end(restore);
    return err;
}

/* Once more, since it took so long, or its beginning went away meanwhile. */
static int read_again(struct weir__thread *thread, struct weir__restore *restore, const char *why,
                      struct weir_error *reterr)
{
    struct weir__ends ends;
    int               err = ask_ends(thread, restore, &ends, reterr);

    thread->read_anew = true;
    if (err == WEIR_OK)
        err = begin_anew(restore, &ends, why, reterr);
    if (err == WEIR_OK) /* there may be nothing left to read */
        note_end(restore);
    return err;
}

/* At the target: what was read may have changed under the reader. */
static int end_reading(struct weir__thread *thread, struct weir__restore *restore, struct weir_error *reterr)
{
    struct weir__app *app = thread->app;
    struct weir__ends ends;
    int               err = weir__app_ends(app, thread, restore->tp, &ends);

    if (err < 0)
        return weir__fail(reterr, err, restore->tp.topic, "the changelog does not tell its ends: %s",
                          weir_code_text(err));
    if (ends.low > restore->begin)
        return read_again(thread, restore, "the changelog's beginning went while it was read", reterr);
    if (is_old(app, restore) && restore->whole)
        return weir__fail(reterr, WEIR_BAD_CONFIG, restore->tp.topic,
                          "reading it took longer than deletions are sure to stay in it: set delete.retention.ms of "
                          "the topic to more than twice as long");
    if (is_old(app, restore))
        return read_again(thread, restore, "it may have missed deletions while it was read", reterr);
    note_end(restore);
    return WEIR_OK;
}

static bool all_done(const struct weir__seat *seat)
{
    for (size_t i = 0; i < seat->restore_count; i++)
        if (!seat->restores[i].done)
            return false;
    return true;
}

static int64_t offsets_ahead(const struct weir__seat *seat)
{
    int64_t offsets = 0;

    for (size_t i = 0; i < seat->restore_count; i++)
        offsets += MAX(seat->restores[i].target - seat->restores[i].begin, 0);
    return offsets;
}

static void say_begins(const struct weir__thread *thread, const struct weir__seat *seat, int64_t offsets)
{
    weir__say(WEIR__INFO, "restore-begins", "topology", "s", thread->app->plan->topology->name, "task", "s",
              thread->app->plan->subs[seat->sub].folder, "partition", "i", (int64_t)seat->partition, "offsets", "i",
              offsets, NULL);
}

static void say_done(const struct weir__thread *thread, const struct weir__seat *seat)
{
    weir__say(seat->restored > 0 ? WEIR__INFO : WEIR__DEBUG, "restore-done", "topology", "s",
              thread->app->plan->topology->name, "task", "s", thread->app->plan->subs[seat->sub].folder, "partition",
              "i", (int64_t)seat->partition, "records", "u", seat->restored, "seconds", "f",
              (double)(weir__monotonic_us() - seat->restore_began) / 1e6, NULL);
}

/* Leaves restore mode and starts the task. The caller tells the consumer. */
static int run_seat(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    int err = weir__task_restore_done(seat->task);

    if (err < 0)
        return weir__fail(reterr, err, seat->dir != NULL ? seat->dir : "memory",
                          "the restored state cannot be used: %s", weir_code_text(err));
    err = weir__task_start(seat->task, reterr);
    if (err < 0) { /* it may be tried again: what some nodes opened is not opened twice */
        weir__task_drop(seat->task);
        (void)weir__seat_seek(seat, NULL); /* as it was taken before */
        return err;
    }
    seat->running = true;
    weir__seat_runs(thread->app, seat);
    seat->unflushed = seat->restored > 0;
    atomic_fetch_add(&thread->activity, 1);
    if (seat->restore_count > 0) {
        weir__metric_observe(thread->metric_restore_seconds,
                             (double)(weir__monotonic_us() - seat->restore_began) / 1e6);
        say_done(thread, seat);
    }
    return WEIR_OK;
}

static size_t count_logged(struct weir__task *task)
{
    const char *changelog;
    size_t      count = 0;

    for (size_t i = 0; weir__task_store(task, i, &changelog) != NULL; i++)
        count += changelog != NULL;
    return count;
}

int weir__restore_begin(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    struct weir__store *store;
    const char         *changelog;
    int64_t             offsets;
    int                 err = WEIR_OK;

    seat->restore_began = weir__monotonic_us();
    seat->restores = weir_arena_alloc(&seat->arena, sizeof(*seat->restores) * (count_logged(seat->task) + 1));
    if (seat->restores == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, thread->app->plan->topology->name, "no memory for a restore");
    for (size_t i = 0; err == WEIR_OK && (store = weir__task_store(seat->task, i, &changelog)) != NULL; i++) {
        if (changelog == NULL)
            continue;
        seat->restores[seat->restore_count] =
            (struct weir__restore){ .store = store, .tp = { .topic = changelog, .partition = seat->partition } };
        err = plan_store(thread, &seat->restores[seat->restore_count++], reterr);
    }
    if (err < 0)
        return err;
    if (all_done(seat))
        return run_seat(thread, seat, reterr);
    offsets = offsets_ahead(seat);
    say_begins(thread, seat, offsets);
    if (offsets >= MANY_OFFSETS)
        err = weir__task_restore_begin(seat->task);
    return err < 0 ? weir__fail(reterr, err, thread->app->plan->topology->name, "restore cannot begin: %s",
                                weir_code_text(err))
                   : WEIR_OK;
}

/* ---- reading ---- */

static size_t list_pending(struct weir__thread *thread, struct weir__offset *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < thread->seat_count; i++)
        for (size_t j = 0; !thread->seats[i]->running && j < thread->seats[i]->restore_count; j++) {
            struct weir__restore *restore = &thread->seats[i]->restores[j];

            if (restore->done)
                continue;
            if (ret != NULL)
                ret[count] = (struct weir__offset){ .tp = restore->tp, .offset = restore->next };
            count++;
        }
    return count;
}

int weir__restore_read(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir__app    *app = thread->app;
    size_t               count = list_pending(thread, NULL);
    struct weir__offset *from;

    thread->read_anew = false;
    weir__restore_stop(thread);
    if (count == 0)
        return WEIR_OK;
    weir__arena_reset(&thread->commit_arena);
    from = weir_arena_alloc(&thread->commit_arena, sizeof(*from) * count);
    if (from == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, app->plan->topology->name, "no memory for a restore");
    list_pending(thread, from);
    weir__progress_tell(thread);
    return weir__thread_tail(thread, from, count, &thread->restorer, reterr);
}

static struct weir__restore *find_restore(struct weir__thread *thread, const char *topic, int32_t partition,
                                          struct weir__seat **ret_seat)
{
    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];

        for (size_t j = 0; !seat->running && seat->partition == partition && j < seat->restore_count; j++) {
            if (strcmp(seat->restores[j].tp.topic, topic) != 0)
                continue;
            *ret_seat = seat;
            return &seat->restores[j];
        }
    }
    return NULL;
}

/* Applies records of one changelog partition, or only moves its position (count 0). */
static int apply(struct weir__thread *thread, const char *topic, int32_t partition, const struct weir__raw *records,
                 size_t count, int64_t next, struct weir_error *reterr)
{
    struct weir__seat    *seat = NULL;
    struct weir__restore *restore = find_restore(thread, topic, partition, &seat);
    int                   err;

    if (restore == NULL || restore->done || next <= restore->next)
        return WEIR_OK;
    err = weir__store_restore(restore->store, records, count, next);
    if (err < 0)
        return weir__fail(reterr, err, topic, "partition %d cannot be restored at offset %lld: %s", partition,
                          (long long)restore->next, weir_code_text(err));
    restore->next = next;
    seat->restored += count;
    weir__seat_tell(seat);
    weir__metric_add(thread->metric_restored, (double)count);
    weir__crash_at(WEIR__MID_RESTORE);
    return next >= restore->target ? end_reading(thread, restore, reterr) : WEIR_OK;
}

/* All that is stable is read, and the end lies behind: said once for each end that is met. */
static void say_waits(struct weir__thread *thread, const struct weir__log_event *end)
{
    struct weir__seat    *seat;
    struct weir__restore *restore = find_restore(thread, end->tps[0].topic, end->tps[0].partition, &seat);

    if (restore == NULL || restore->done || end->next >= restore->target || restore->waits_at == end->next)
        return;
    restore->waits_at = end->next;
    weir__say(WEIR__INFO, "restore-waits", "topic", "s", restore->tp.topic, "partition", "i",
              (int64_t)restore->tp.partition, "read", "i", end->next, "end", "i", restore->target, "why", "s",
              "a transaction of the former owner is not resolved yet", NULL);
}

static int apply_end(struct weir__thread *thread, const struct weir__log_event *end, struct weir_error *reterr)
{
    int err = apply(thread, end->tps[0].topic, end->tps[0].partition, NULL, 0, end->next, reterr);

    if (err == WEIR_OK)
        say_waits(thread, end);
    return err;
}

static int apply_all(struct weir__thread *thread, const struct weir__polled *polled, struct weir_error *reterr)
{
    const struct weir__raw *at = polled->records, *end = polled->count > 0 ? at + polled->count : at;
    int                     err = WEIR_OK;

    if (polled->event != NULL && polled->event->kind == WEIR__END)
        err = apply_end(thread, polled->event, reterr);
    while (err == WEIR_OK && at < end && !thread->read_anew) {
        const struct weir__raw *first = at;

        while (at < end && at->partition == first->partition && strcmp(at->topic, first->topic) == 0)
            at++;
        err = apply(thread, first->topic, first->partition, first, (size_t)(at - first), at[-1].offset + 1, reterr);
    }
    return err;
}

/* ---- a step ---- */

static int run_restored(struct weir__thread *thread, struct weir_error *reterr)
{
    bool   any = false;
    size_t restoring = 0;

    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];
        int                err;

        restoring += !seat->running;
        if (seat->running || !all_done(seat))
            continue;
        err = run_seat(thread, seat, reterr);
        if (err < 0)
            return err;
        restoring--;
        any = true;
    }
    atomic_store(&thread->restoring, restoring);
    if (restoring == 0)
        weir__restore_stop(thread);
    if (any)
        weir__progress_tell(thread);
    return any ? weir__seats_take(thread, reterr) : WEIR_OK;
}

int weir__restore_step(struct weir__thread *thread, int64_t deadline, struct weir_error *reterr)
{
    const struct weir__log_engine *engine = thread->app->config.engine;
    struct weir__polled            polled;
    int                            err = engine->poll(thread->restorer, deadline, &polled);

    if (err == WEIR_AGAIN)
        return run_restored(thread, reterr); /* what was to run may have failed for a while */
    if (err < 0)
        return weir__fail(reterr, err, thread->app->plan->application, "the changelogs cannot be read: %s",
                          weir_code_text(err));
    err = apply_all(thread, &polled, reterr);
    engine->release(thread->restorer, polled.lease);
    if (err == WEIR_OK && thread->read_anew)
        err = weir__restore_read(thread, reterr);
    weir__progress_tell(thread);
    return err == WEIR_OK ? run_restored(thread, reterr) : err;
}
