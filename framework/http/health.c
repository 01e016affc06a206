/* health.c: /health, /health/ready, /health/live.
 *
 * (1) Live: every stream thread comes around, or waits for the log; a probe that kills must not fail for what others
 *     lack. Ready: assigned and restored. Health: all of it, the log and the age of the last commit too.
 * (2) A check that is not critical makes the whole degraded, not unhealthy.
 */
#include "framework/http/internal.h"

/* How long the log may take to say that it is there, ms. */
#define LOG_MS 500

struct probe {
    const struct weir_request *request;
    struct weir__app          *app;
    char                       error[300]; /* empty = healthy */
};

struct check {
    const char *name, *description;
    bool        critical;
    void (*look)(struct probe *probe); /* NULL: the probe has looked */
};

static const struct weir__http_settings *settings_of(const struct probe *probe)
{
    return weir__http_settings_of(probe->request->http);
}

WEIR_PRINTF(2, 3)
static void fail(struct probe *probe, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(probe->error, sizeof(probe->error), format, args);
    va_end(args);
}

/* ---- checks ---- */

static void look_at_log(struct probe *probe)
{
    int err = weir__app_ask_log(probe->app, LOG_MS);

    if (err == WEIR_AGAIN)
        fail(probe, "the log does not answer within %d ms", LOG_MS);
    else if (err < 0)
        fail(probe, "the log does not answer: %s", weir_code_text(err));
}

static void look_at_threads(struct probe *probe)
{
    struct weir__thread_state state;
    int64_t                   now = weir__monotonic_us();

    for (size_t i = 0; weir__app_thread(probe->app, i, &state); i++) {
        int64_t ms = (now - state.last_beat) / 1000;

        if (!state.alive)
            fail(probe, "stream thread %zu has ended", i);
        else if (ms > settings_of(probe)->stall)
            fail(probe, "stream thread %zu has not come around for %lld ms", i, (long long)ms);
    }
}

static void look_at_assignment(struct probe *probe)
{
    struct weir__app_state state;

    weir__app_state(probe->app, &state);
    if (state.parted)
        fail(probe,
             "a task's inputs were given to two members: let all processes have an instance.id, or none of them");
    else if (!state.assigned)
        fail(probe, "not all stream threads have their partitions");
}

static void look_at_restore(struct probe *probe)
{
    struct weir__app_state state;

    weir__app_state(probe->app, &state);
    if (state.restoring > 0)
        fail(probe, "%zu of %zu tasks are being restored", state.restoring, state.tasks);
}

static void look_at_commits(struct probe *probe)
{
    struct weir__thread_state state;
    int64_t                   now = weir__monotonic_us();

    for (size_t i = 0; weir__app_thread(probe->app, i, &state); i++) {
        int64_t ms = (now - state.last_commit) / 1000;

        if (ms > settings_of(probe)->commit_age)
            fail(probe, "stream thread %zu has not committed for %lld ms", i, (long long)ms);
    }
}

static const struct check checks[] = {
    { "log", "The log answers.", true, look_at_log },
    { "threads", "All stream threads make progress.", true, look_at_threads },
    { "assignment", "All stream threads have their partitions.", true, look_at_assignment },
    { "restore", "All stores are restored.", false, look_at_restore },
    { "commit", "What was processed is committed.", true, look_at_commits },
};

/* ---- bodies ---- */

static void put_timestamp(struct weir_json_out *json)
{
    weir_json_name(json, "timestamp");
    weir_json_put_double(json, (double)weir__wall_ms() / 1000);
}

/* One check of one application, under "<topology>.<check>". Whether it is healthy. */
static bool put_check(struct weir_json_out *json, const struct check *check, struct probe *probe)
{
    int64_t began = weir__monotonic_us();
    char    name[160];

    if (check->look != NULL) {
        probe->error[0] = '\0';
        check->look(probe);
    }
    snprintf(name, sizeof(name), "%s.%s", weir__app_plan(probe->app)->topology->name, check->name);
    weir_json_name(json, name);
    weir_json_begin_object(json);
    weir__json_member_text(json, "status", probe->error[0] == '\0' ? "healthy" : "unhealthy");
    weir__json_member_text(json, "description", check->description);
    weir__json_member_bool(json, "critical", check->critical);
    weir_json_name(json, "duration_ms");
    weir_json_put_double(json, (double)(weir__monotonic_us() - began) / 1000);
    if (probe->error[0] != '\0')
        weir__json_member_text(json, "error", probe->error);
    weir_json_end_object(json);
    return probe->error[0] == '\0';
}

struct sums {
    int64_t total, critical, others; /* of checks; of these failed */
};

static void put_and_count(struct weir_json_out *json, const struct check *check, struct probe *probe,
                          struct sums *sums)
{
    bool good = put_check(json, check, probe);

    sums->total++;
    sums->critical += !good && check->critical;
    sums->others += !good && !check->critical;
}

/* What its tasks tell of things outside of the log. */
static void put_told(struct weir_json_out *json, struct probe *probe, struct sums *sums)
{
    struct weir__app_told told;

    for (size_t i = 0; weir__app_told(probe->app, i, &told); i++) {
        const struct check check = { .name = told.name,
                                     .description = "What the topology depends on beside the log." };

        snprintf(probe->error, sizeof(probe->error), "%s", told.words);
        put_and_count(json, &check, probe, sums);
    }
}

/* What it writes to outside of the log. While one is down nothing goes on: that is critical. */
static void put_outlets(struct weir_json_out *json, struct probe *probe, struct sums *sums)
{
    struct weir__app_outlet outlet, other;

    for (size_t i = 0; weir__app_outlet(probe->app, i, &outlet) && outlet.thread == 0; i++) {
        char               name[96];
        const struct check check = { .name = name,
                                     .description = "What the topology writes to outside of the log answers.",
                                     .critical = true };

        snprintf(name, sizeof(name), "outlet.%s", outlet.name);
        for (size_t j = i; outlet.up && weir__app_outlet(probe->app, j, &other); j++)
            if (strcmp(other.name, outlet.name) == 0)
                outlet = other;
        snprintf(probe->error, sizeof(probe->error), "%s", outlet.why);
        put_and_count(json, &check, probe, sums);
    }
}

/* The object of /health. Whether it is healthy or at worst degraded. */
static bool put_health(struct weir_request *request, struct weir_json_out *json)
{
    struct sums sums = { 0 };

    weir_json_begin_object(json);
    weir_json_name(json, "checks");
    weir_json_begin_object(json);
    for (size_t i = 0; i < request->door->count; i++) {
        struct probe probe = { .request = request, .app = request->door->apps[i] };

        for (size_t j = 0; j < ARRAY_SIZE(checks); j++)
            put_and_count(json, &checks[j], &probe, &sums);
        put_told(json, &probe, &sums);
        put_outlets(json, &probe, &sums);
    }
    weir_json_end_object(json);
    weir__json_member_bool(json, "healthy", sums.critical == 0);
    weir__json_member_text(json, "status",
                           sums.critical > 0 ? "unhealthy"
                           : sums.others > 0 ? "degraded"
                                             : "healthy");
    weir__json_member_int(json, "critical_failures", sums.critical);
    weir__json_member_int(json, "total_checks", sums.total);
    put_timestamp(json);
    weir_json_end_object(json);
    return sums.critical == 0;
}

int weir__answer_health(struct weir_request *request, struct weir_reply *reply)
{
    if (!put_health(request, weir_reply_json(reply)))
        weir_reply_status(reply, 503);
    return WEIR_OK;
}

/* The log has not said for so long whether a thread's work is committed that somebody else may have it by now. */
static bool waits_in_commit(const struct weir_request *request, struct weir__app *app)
{
    const int64_t             most = weir__http_settings_of(request->http)->commit_wait;
    struct weir__thread_state state;

    for (size_t i = 0; weir__app_thread(app, i, &state); i++)
        if (state.committing != 0 && (weir__monotonic_us() - state.committing) / 1000 > most)
            return true;
    return false;
}

static bool is_ready(const struct weir_request *request)
{
    for (size_t i = 0; i < request->door->count; i++) {
        struct weir__app_state state;

        weir__app_state(request->door->apps[i], &state);
        if (!state.assigned || state.restoring > 0 || state.failed || state.closing ||
            waits_in_commit(request, request->door->apps[i]))
            return false;
    }
    return true;
}

int weir__answer_ready(struct weir_request *request, struct weir_reply *reply)
{
    struct weir_json_out *json = weir_reply_json(reply);
    bool                  ready = is_ready(request);

    weir_reply_status(reply, ready ? 200 : 503);
    weir_json_begin_object(json);
    weir__json_member_bool(json, "ready", ready);
    weir__json_member_text(json, "status", ready ? "ready" : "not_ready");
    weir_json_name(json, "health");
    put_health(request, json);
    put_timestamp(json);
    weir_json_end_object(json);
    return WEIR_OK;
}

int weir__answer_live(struct weir_request *request, struct weir_reply *reply)
{
    struct weir_json_out *json = weir_reply_json(reply);
    struct probe          probe = { .request = request };

    for (size_t i = 0; probe.error[0] == '\0' && i < request->door->count; i++) {
        probe.app = request->door->apps[i];
        look_at_threads(&probe);
    }
    weir_reply_status(reply, probe.error[0] == '\0' ? 200 : 503);
    weir_json_begin_object(json);
    weir__json_member_bool(json, "alive", probe.error[0] == '\0');
    if (probe.error[0] != '\0') {
        weir__json_member_text(json, "topology", weir__app_plan(probe.app)->topology->name);
        weir__json_member_text(json, "error", probe.error);
    }
    weir_json_end_object(json);
    return WEIR_OK;
}
