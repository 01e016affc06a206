/* follow.c: global stores: filled to the end of their topics before the thread's first record, followed after. */
#include "framework/runtime/internal.h"

static bool has_globals(const struct weir__plan *plan)
{
    for (size_t i = 0; i < plan->sub_count; i++)
        if (plan->subs[i].global)
            return true;
    return false;
}

static int fail_read(const struct weir__thread *thread, int code, struct weir_error *reterr)
{
    return weir__fail(reterr, code, thread->app->plan->topology->name, "a global table's topic cannot be read: %s",
                      weir_code_text(code));
}

static int add_topic(struct weir__thread *thread, const char *topic, struct weir_error *reterr)
{
    const struct weir__topic_use *use = weir__topics_find(&thread->app->topics, topic);

    for (int32_t i = 0; use != NULL && i < use->partitions; i++) {
        struct weir__followed *followed;
        struct weir__ends      ends;
        int                    err = weir__app_ends(thread->app, thread, (struct weir__tp){ topic, i }, &ends);

        if (err < 0)
            return fail_read(thread, err, reterr);
        if (GROW(thread->followed, thread->followed_capacity, thread->followed_count) < 0)
            return fail_read(thread, WEIR_NO_MEMORY, reterr);
        followed = &thread->followed[thread->followed_count++];
        *followed = (struct weir__followed){ .tp = { topic, i }, .next = ends.low, .target = ends.end };
    }
    return WEIR_OK;
}

static int open_tail(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir__offset *from;

    weir__arena_reset(&thread->commit_arena);
    from = weir_arena_alloc(&thread->commit_arena, sizeof(*from) * (thread->followed_count + 1));
    if (from == NULL)
        return fail_read(thread, WEIR_NO_MEMORY, reterr);
    for (size_t i = 0; i < thread->followed_count; i++)
        from[i] = (struct weir__offset){ .tp = thread->followed[i].tp, .offset = thread->followed[i].next };
    return weir__thread_tail(thread, from, thread->followed_count, &thread->follower, reterr);
}

static void move_to(struct weir__thread *thread, const char *topic, int32_t partition, int64_t next)
{
    for (size_t i = 0; i < thread->followed_count; i++) {
        struct weir__followed *followed = &thread->followed[i];

        if (followed->tp.partition == partition && strcmp(followed->tp.topic, topic) == 0)
            followed->next = MAX(followed->next, next);
    }
}

static int apply(struct weir__thread *thread, const struct weir__polled *polled, struct weir_error *reterr)
{
    if (polled->event != NULL && polled->event->kind == WEIR__END)
        move_to(thread, polled->event->tps[0].topic, polled->event->tps[0].partition, polled->event->next);
    for (size_t i = 0; i < polled->count; i++) {
        const struct weir__raw *raw = &polled->records[i];
        int err = weir__globals_apply(thread->globals, raw, thread->app->settings.on_unreadable, reterr);

        if (err < 0)
            return err;
        move_to(thread, raw->topic, raw->partition, raw->offset + 1);
        atomic_fetch_add(&thread->activity, 1);
    }
    return WEIR_OK;
}

static int read_once(struct weir__thread *thread, int64_t deadline, struct weir_error *reterr)
{
    const struct weir__log_engine *engine = thread->app->config.engine;
    struct weir__polled            polled;
    int                            err = engine->poll(thread->follower, deadline, &polled);

    if (err == WEIR_AGAIN)
        return WEIR_OK;
    if (err < 0)
        return fail_read(thread, err, reterr);
    err = apply(thread, &polled, reterr);
    engine->release(thread->follower, polled.lease);
    return err;
}

static bool reached(const struct weir__thread *thread)
{
    for (size_t i = 0; i < thread->followed_count; i++)
        if (thread->followed[i].next < thread->followed[i].target)
            return false;
    return true;
}

static int open_all(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir__app *app = thread->app;
    const char       *topic;
    int               err;

    err = weir__globals_new(app->plan, app->config.engines, app->config.metrics, &thread->globals, reterr);
    for (size_t i = 0; err == WEIR_OK && (topic = weir__globals_topic(thread->globals, i)) != NULL; i++)
        err = add_topic(thread, topic, reterr);
    if (err == WEIR_OK)
        err = open_tail(thread, reterr);
    while (err == WEIR_OK && !reached(thread) && !atomic_load(&app->closing)) {
        weir__thread_beat(thread);
        err = read_once(thread, weir__app_now(app) + 100, reterr);
        if (err == WEIR_OK && weir__thread_hears_end(thread))
            err = fail_read(thread, WEIR_LOST, reterr);
    }
    if (err == WEIR_OK && weir__globals_show(thread) < 0)
        return fail_read(thread, WEIR_NO_MEMORY, reterr);
    return err;
}

/* All or nothing: tables that are not filled would be looked up like others. */
int weir__follow_open(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = has_globals(thread->app->plan) ? open_all(thread, reterr) : WEIR_OK;

    if (err < 0)
        weir__follow_close(thread);
    return err;
}

void weir__follow_anew(void *arg)
{
    struct weir__thread *thread = arg;

    thread->follows_anew = true;
}

bool weir__follow_fresh(void *arg)
{
    struct weir__thread *thread = arg;

    for (size_t i = 0; thread->follows_anew && i < thread->followed_count; i++) {
        struct weir__ends ends;

        if (weir__app_ends(thread->app, thread, thread->followed[i].tp, &ends) < 0)
            return false;
        thread->followed[i].target = ends.end;
    }
    thread->follows_anew = false;
    return reached(thread);
}

int weir__follow_step(struct weir__thread *thread, struct weir_error *reterr)
{
    return thread->follower != NULL ? read_once(thread, 0, reterr) : WEIR_OK;
}

bool weir__follow_at_end(struct weir__thread *thread)
{
    for (size_t i = 0; i < thread->followed_count; i++) {
        struct weir__ends ends;

        if (weir__app_ends(thread->app, thread, thread->followed[i].tp, &ends) < 0 ||
            thread->followed[i].next < ends.end)
            return false;
    }
    return true;
}

void weir__follow_close(struct weir__thread *thread)
{
    if (thread->follower != NULL)
        (void)thread->app->config.engine->leave(thread->follower, weir__app_now(thread->app) + WEIR__CALL_MS);
    thread->follower = NULL;
    weir__hide(thread->app, &thread->shown);
    weir__globals_free(thread->globals);
    thread->globals = NULL;
    weir__free(thread->followed);
    thread->followed = NULL;
    thread->followed_count = thread->followed_capacity = 0;
}
