/* app.c: an application's making, start and end. */
#include "framework/base/threads.h"
#include "framework/metrics/families.h"
#include "framework/runtime/internal.h"

/* The parts of memory.max that cannot be smaller take this much. */
#define LEAST_MEMORY ((int64_t)96 << 20)

#include <time.h>

static int fail_memory(const char *where, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, where, "out of memory");
}

/* The last quarter of the time is for what ending takes. */
bool weir__app_must_end(struct weir__app *app)
{
    if (!app->made && app->config.goes_on != NULL && !app->config.goes_on(app->config.goes_on_arg))
        return true;
    return atomic_load(&app->closing) &&
           weir__app_now(app) >= atomic_load(&app->close_by) - app->settings.shutdown_timeout / 4;
}

/* Three questions, one after the other. */
int weir__app_ends(struct weir__app *app, struct weir__thread *thread, struct weir__tp tp, struct weir__ends *ret)
{
    int err;

    do
        err = app->config.engine->ends(app->config.log, tp, weir__app_now(app) + 3 * WEIR__CALL_MS, ret);
    while (thread != NULL ? weir__thread_again(thread, &err) : err == WEIR_AGAIN && !weir__app_must_end(app));
    return err;
}

const struct weir__plan *weir__app_plan(const struct weir__app *app) { return app->plan; }

/* ---- making ---- */

static int make_plan(struct weir__app *app, struct weir_error *reterr)
{
    const struct weir__config *settings = app->config.settings;
    struct weir__plan_config   config = {
          .application = app->config.application,
          .cache = app->settings.cache_bytes > 0,
          .upstream_cleanup = strcmp(weir__config_text(settings, "changelog.cleanup"), "kafka-streams") == 0,
          .explicit_names = weir__config_bool(settings, "ensure.explicit.names"),
          .config = settings,
    };
    int err = weir__plan_new(app->config.topology, &config, &app->plan, NULL, reterr);

    if (err < 0)
        return err;
    if (app->plan->dead_letters == NULL)
        app->plan->dead_letters = weir__config_text(settings, "dead.letters.topic");
    return weir__plan_check_runnable(app->plan, reterr);
}

static int list_inputs(struct weir__app *app)
{
    size_t most = app->topics.count + 1;

    app->inputs = weir_arena_alloc(&app->arena, sizeof(*app->inputs) * most);
    app->input_subs = weir_arena_alloc(&app->arena, sizeof(*app->input_subs) * most);
    if (app->inputs == NULL || app->input_subs == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < app->topics.count; i++) {
        const struct weir__topic_use *use = &app->topics.items[i];

        if (use->reader < 0 || app->plan->subs[use->reader].global)
            continue;
        app->inputs[app->input_count] = use->name;
        app->input_subs[app->input_count++] = use->reader;
    }
    return WEIR_OK;
}

/* No more threads than one topic has partitions: a further one would get nothing. */
static size_t useful_threads(const struct weir__app *app)
{
    size_t most = 1;

    for (size_t i = 0; i < app->input_count; i++)
        most = MAX(most, (size_t)weir__topics_find(&app->topics, app->inputs[i])->partitions);
    return MIN(app->settings.threads, most);
}

static void init_thread(struct weir__app *app, size_t index)
{
    static const char *const works[] = { [WEIR__POLLING] = "poll",
                                         [WEIR__RESTORING] = "restore",
                                         [WEIR__WORKING] = "process",
                                         [WEIR__COMMITTING] = "commit" };

    struct weir__thread  *thread = &app->threads[index];
    struct weir__metrics *metrics = app->config.metrics;
    char                  number[24];
    const char           *labels[] = { app->plan->topology->name, number, NULL };

    snprintf(number, sizeof(number), "%zu", index);
    thread->app = app;
    thread->index = index;
    weir__arena_init(&thread->commit_arena, 0);
    thread->metric_records = weir__metric_of(metrics, WEIR__PROCESSED_FAMILY, labels);
    thread->metric_commits = weir__metric_of(metrics, WEIR__COMMITS_FAMILY, labels);
    thread->metric_commit_seconds = weir__metric_of(metrics, WEIR__COMMIT_SECONDS_FAMILY, labels);
    thread->metric_waits = weir__metric_of(metrics, WEIR__WAIT_SECONDS_FAMILY, labels);
    thread->metric_restore_seconds = weir__metric_of(metrics, WEIR__RESTORE_SECONDS_FAMILY, labels);
    thread->metric_restored = weir__metric_of(metrics, WEIR__RESTORED_FAMILY, labels);
    thread->metric_remaining = weir__metric_of(metrics, WEIR__RESTORE_LEFT_FAMILY, labels);
    thread->metric_failures = weir__metric_of(metrics, WEIR__RECOVERIES_FAMILY, labels);
    for (size_t i = 0; i < WEIR__WORKS; i++) {
        labels[2] = works[i];
        thread->metric_work[i] = weir__metric_of(metrics, WEIR__THREAD_SECONDS_FAMILY, labels);
    }
    weir__thread_beat(thread);
    atomic_store(&thread->committed, weir__monotonic_us());
}

static int make_threads(struct weir__app *app)
{
    size_t count = useful_threads(app);

    app->threads = weir__zalloc(sizeof(*app->threads) * count);
    if (app->threads == NULL)
        return WEIR_NO_MEMORY;
    app->thread_count = count;
    for (size_t i = 0; i < count; i++) {
        init_thread(app, i);
        app->threads[i].commit_interval = app->settings.commit_interval;
        app->threads[i].sent = weir_arena_alloc(&app->arena, sizeof(*app->threads[i].sent) * (app->topics.count + 1));
        if (app->threads[i].sent == NULL)
            return WEIR_NO_MEMORY;
    }
    return WEIR_OK;
}

static int check_memory(struct weir__app *app, struct weir_error *reterr)
{
    int64_t configured = weir__config_int(app->config.settings, "memory.max");

    if (configured == 0 || configured >= LEAST_MEMORY)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_CONFIG, "memory.max",
                      "%lld bytes are too few for a process: give at least 96m", (long long)configured);
}

static struct weir__control_at control_at(const struct weir__app *app)
{
    return (struct weir__control_at){ .engine = app->config.engine,
                                      .log = app->config.log,
                                      .application = app->plan->application };
}

/* Where the control record's topic ends: it has not changed while that stays. */
static int read_control_end(struct weir__app *app, struct weir__thread *thread, int64_t *ret,
                            struct weir_error *reterr)
{
    char              topic[WEIR__CONTROL_NAME_MAX];
    struct weir__ends ends;
    int               err;

    weir__control_topic(app->plan->application, topic, sizeof(topic));
    err = weir__app_ends(app, thread, (struct weir__tp){ .topic = topic }, &ends);
    *ret = err == WEIR_OK ? ends.end : 0;
    return err == WEIR_OK || err == WEIR_NOTFOUND
               ? WEIR_OK
               : weir__fail(reterr, err, topic, "the topic does not tell its ends: %s", weir_code_text(err));
}

/* Before topics are made: a reset that has not ended has left some, and not others. */
static int agree(struct weir__app *app, struct weir_error *reterr)
{
    struct weir__control_at at = control_at(app);
    int64_t                 end;
    int err = read_control_end(app, NULL, &end, reterr); /* before the record: what comes later is seen */

    at.goes_on = app->config.goes_on; /* by whoever makes it alone: later, others ask */
    at.goes_on_arg = app->config.goes_on_arg;
    atomic_store(&app->control_end, end);
    if (err == WEIR_OK)
        err = weir__control_make(&at, &app->control, reterr);
    if (err == WEIR_OK && app->control.unfinished)
        return weir__fail(reterr, WEIR_BAD_STATE, app->plan->application,
                          "a reset of it has not ended: run \"reset %s\" again before it is started",
                          app->plan->topology->name);
    return err == WEIR_OK ? weir__state_dir_identify(&app->state, &app->control, reterr) : err;
}

static bool goes_on(void *arg)
{
    struct weir__thread *thread = arg;

    weir__thread_beat(thread);
    return !weir__app_must_end(thread->app) && !weir__thread_hears_end(thread);
}

int weir__thread_check_control(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir__app       *app = thread->app;
    struct weir__control_at at = control_at(app);
    struct weir__control    now;
    int64_t                 end;
    int                     err = read_control_end(app, thread, &end, reterr);

    if (err < 0 || end == atomic_load(&app->control_end))
        return err;
    at.goes_on = goes_on;
    at.goes_on_arg = thread;
    err = weir__control_read(&at, &now, reterr);
    if ((err == WEIR_AGAIN || err == WEIR_IO) && weir__thread_hears_end(thread))
        return weir__fail(reterr, WEIR_LOST, app->plan->application,
                          "the generation ended before the control record was read");
    if (err == WEIR_CORRUPT) /* nothing but hands mends that */
        return reterr->code = WEIR_BAD_STATE;
    if (err == WEIR_NOTFOUND || (err == WEIR_OK && memcmp(&now, &app->control, sizeof(now)) != 0))
        return weir__fail(
            reterr, WEIR_BAD_STATE, app->plan->application,
            "it was reset, or replayed under another epoch, while this process was away: start it again");
    if (err == WEIR_OK)
        atomic_store(&app->control_end, end);
    return err;
}

static int build(struct weir__app *app, struct weir_error *reterr)
{
    const char *name = app->config.topology->name;
    int         err = check_memory(app, reterr);

    if (err == WEIR_OK)
        err = make_plan(app, reterr);
    if (err == WEIR_OK)
        err = weir__state_dir_open(app, reterr);
    if (err == WEIR_OK)
        err = agree(app, reterr);
    if (err == WEIR_OK)
        err = weir__topics_ensure(app, reterr);
    if (err < 0)
        return err;
    weir__memory_divide(app);
    if (list_inputs(app) < 0 || make_threads(app) < 0 || weir__shown_prepare(app) < 0)
        return fail_memory(name, reterr);
    err = weir__outlets_prepare(app, reterr);
    if (err < 0)
        return err;
    if (app->input_count == 0)
        return weir__fail(reterr, WEIR_BAD_TOPOLOGY, name, "the topology reads no topic: give it a SOURCE");
    return WEIR_OK;
}

static void init_sync(struct weir__app *app)
{
    pthread_mutex_init(&app->mutex, NULL);
    weir__cond_init(&app->answered);
}

int weir__app_new(const struct weir__app_config *config, struct weir__app **ret, struct weir_error *reterr)
{
    struct weir__app *app = weir__zalloc(sizeof(*app));
    int               err;

    if (app == NULL)
        return fail_memory(config->topology->name, reterr);
    app->config = *config;
    app->state.lock = -1;
    weir__arena_init(&app->arena, 0);
    init_sync(app);
    weir__shown_init(app);
    weir__app_settings_read(config->settings, config->engine, &app->settings);
    err = build(app, reterr);
    app->made = err == WEIR_OK;
    if (err < 0) {
        weir__app_free(app);
        return err;
    }
    *ret = app;
    return WEIR_OK;
}

static void fini_thread(struct weir__thread *thread)
{
    if (thread->consumer != NULL) /* joined, never started */
        (void)thread->app->config.engine->leave(thread->consumer, 0);
    weir__arena_fini(&thread->commit_arena);
    weir__free(thread->assigned);
    weir__free(thread->seats);
}

void weir__app_free(struct weir__app *app)
{
    if (app == NULL)
        return;
    for (size_t i = 0; i < app->thread_count; i++) {
        CHECK(!app->threads[i].started);
        fini_thread(&app->threads[i]);
    }
    weir__free(app->threads);
    weir__shown_fini(app);
    weir__free(app->topics.items);
    weir__state_dir_close(&app->state);
    weir__plan_free(app->plan);
    weir__arena_fini(&app->arena);
    pthread_cond_destroy(&app->answered);
    weir__free(app->told);
    pthread_mutex_destroy(&app->mutex);
    weir__free(app);
}

/* ---- start and stop ---- */

/* All members join before any of them polls: one generation instead of one per member. */
int weir__app_start(struct weir__app *app, struct weir_error *reterr)
{
    for (size_t i = 0; i < app->thread_count; i++) {
        int err = weir__thread_join(&app->threads[i], reterr);

        if (err < 0)
            return err;
    }
    for (size_t i = 0; i < app->thread_count; i++) {
        struct weir__thread *thread = &app->threads[i];

        if (pthread_create(&thread->id, NULL, weir__thread_main, thread) != 0)
            return weir__fail(reterr, WEIR_NO_MEMORY, app->plan->topology->name,
                              "the system gives no thread %zu: lower \"threads\"", i);
        thread->started = true;
    }
    if (!app->settings.exactly_once && app->plan->stateful)
        weir__say(WEIR__WARN, "at-least-once-state", "topology", "s", app->plan->topology->name, "means", "s",
                  "after a crash or a hand-over, records may be counted twice and state may miss some", NULL);
    weir__say(WEIR__INFO, "started", "topology", "s", app->plan->topology->name, "application", "s",
              app->plan->application, "instance", "s", app->state.instance, "threads", "i",
              (int64_t)app->thread_count, "delivery", "s",
              app->settings.exactly_once ? "exactly_once" : "at_least_once", "epoch", "i", app->control.epoch, NULL);
    return WEIR_OK;
}

void weir__app_wake(struct weir__app *app)
{
    pthread_mutex_lock(&app->mutex);
    for (size_t i = 0; i < app->thread_count; i++)
        if (app->threads[i].consumer != NULL)
            app->config.engine->wake(app->threads[i].consumer);
    pthread_mutex_unlock(&app->mutex);
}

static void close_by(struct weir__app *app, int64_t by)
{
    if (!atomic_load(&app->closing) || by < atomic_load(&app->close_by)) {
        atomic_store(&app->close_by, by);
        atomic_store(&app->closing, true);
    }
    weir__app_wake(app);
}

void weir__app_close(struct weir__app *app) { close_by(app, weir__app_now(app) + app->settings.shutdown_timeout); }

void weir__app_finish(struct weir__app *app) { close_by(app, INT64_MAX); }

bool weir__app_ended(const struct weir__app *app)
{
    for (size_t i = 0; i < app->thread_count; i++)
        if (app->threads[i].started && !atomic_load(&app->threads[i].ended))
            return false;
    return true;
}

/* False: the time was up before the thread came back. */
static bool join_by(struct weir__thread *thread, const struct timespec *by)
{
    struct weir__app *app = thread->app;
    int               waited = 0;

    if (!thread->started)
        return true;
    pthread_mutex_lock(&app->mutex);
    while (!atomic_load(&thread->ended) && waited == 0)
        waited = pthread_cond_timedwait(&app->answered, &app->mutex, by);
    pthread_mutex_unlock(&app->mutex);
    if (!atomic_load(&thread->ended))
        return false;
    pthread_join(thread->id, NULL);
    thread->started = false;
    return true;
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void say_dropped(void *arg, const char *const *labels, double value)
{
    const struct weir__app *app = arg;

    if (strcmp(labels[0], app->plan->topology->name) == 0)
        weir__say(WEIR__INFO, "not-used", "topology", "s", labels[0], "reason", "s", labels[1], "records", "u",
                  (uint64_t)value, NULL);
}

int weir__app_stop(struct weir__app *app, struct weir_error *reterr)
{
    struct timespec by;

    weir__app_close(app);
    by = in_ms(MAX(atomic_load(&app->close_by) - weir__app_now(app), 0));
    for (size_t i = 0; i < app->thread_count; i++)
        if (!join_by(&app->threads[i], &by))
            return weir__fail(
                reterr, WEIR_FATAL, app->plan->topology->name,
                "thread %zu is still at work %lld ms after it was told to stop: a verb takes too long; what "
                "is not committed is done again at the next start",
                i, (long long)app->settings.shutdown_timeout);
    if (app->code < 0 && reterr != NULL)
        *reterr = app->error;
    weir__metrics_each(app->config.metrics, "weir_records_dropped_total", say_dropped, app);
    weir__say(WEIR__INFO, "stopped", "topology", "s", app->plan->topology->name, NULL);
    return app->code;
}

bool weir__app_stuck(const struct weir__app *app)
{
    for (size_t i = 0; i < app->thread_count; i++)
        if (app->threads[i].started && atomic_load(&app->closing))
            return true;
    return false;
}

bool weir__app_failed(struct weir__app *app) { return atomic_load(&app->failed); }

void weir__app_state(struct weir__app *app, struct weir__app_state *ret)
{
    *ret = (struct weir__app_state){ .topology = app->plan->topology->name,
                                     .assigned = app->thread_count > 0,
                                     .failed = weir__app_failed(app),
                                     .closing = atomic_load(&app->closing) };
    for (size_t i = 0; i < app->thread_count; i++) {
        struct weir__thread *thread = &app->threads[i];
        bool                 assigned = atomic_load(&thread->holds_assignment);

        ret->threads += assigned;
        ret->parted = ret->parted || atomic_load(&thread->parted);
        ret->assigned = ret->assigned && assigned;
        ret->tasks += atomic_load(&thread->tasks);
        ret->restoring += atomic_load(&thread->restoring);
        ret->records += atomic_load(&thread->records);
        ret->commits += atomic_load(&thread->commits);
    }
}

bool weir__app_thread(struct weir__app *app, size_t n, struct weir__thread_state *ret)
{
    struct weir__thread *thread;

    if (n >= app->thread_count)
        return false;
    thread = &app->threads[n];
    *ret = (struct weir__thread_state){ .alive = !atomic_load(&thread->ended),
                                        .assigned = atomic_load(&thread->holds_assignment),
                                        .tasks = atomic_load(&thread->tasks),
                                        .restoring = atomic_load(&thread->restoring),
                                        .records = atomic_load(&thread->records),
                                        .commits = atomic_load(&thread->commits),
                                        .last_beat = atomic_load(&thread->last_beat),
                                        .last_commit = atomic_load(&thread->committed),
                                        .committing = atomic_load(&thread->committing) };
    return true;
}

int64_t weir__app_epoch(const struct weir__app *app) { return app->control.epoch; }

const char *weir__app_instance(const struct weir__app *app) { return app->state.instance; }

int weir__app_ask_log(struct weir__app *app, int64_t ms)
{
    int32_t count;

    return app->config.engine->partitions(app->config.log, app->inputs[0], weir__app_now(app) + ms, &count);
}
