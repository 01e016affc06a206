/* outlets.c: the stores outside of the log that a topology writes to: framework/outlet.h.
 *
 * (1) Nothing that was put is behind the log: a commit waits until outlets have acknowledged all of it, and is aborted where they
 *     do not in time.
 * (2) While an outlet does not answer, its thread takes no records. It keeps polling, so it stays in its group, for as long as it
 *     takes; it goes on by itself. That is no failure of the thread.
 * (3) One that answers and is too slow for a commit gets fewer records at a time (refused.c).
 */
#include "framework/json/json.h"
#include "framework/metrics/families.h"
#include "framework/runtime/internal.h"

/* One wait for an acknowledgement before we look around, ms. */
#define WAIT_MS 100
/* How long an outlet may take to connect before it is said to be down, us: while it is served, not while its thread is busy. */
#define CONNECT_US INT64_C(1000000)
/* The least time between two words of why, us. */
#define TELL_AGAIN_US INT64_C(5000000)

/* ---- making ---- */

/* Of one that is configured: another one is not down. */
static void make_series(struct weir__thread *thread, struct weir__opened *opened)
{
    struct weir__app     *app = thread->app;
    struct weir__metrics *metrics = app->config.metrics;
    char                  number[24];
    const char           *labels[] = { app->plan->topology->name, opened->outlet->name, number };

    snprintf(number, sizeof(number), "%zu", thread->index);
    opened->metric_up = weir__metric_of(metrics, WEIR__OUTLET_UP_FAMILY, labels);
    opened->metric_bytes = weir__metric_of(metrics, WEIR__OUTLET_BYTES_FAMILY, labels);
    opened->metric_puts = weir__metric_of(metrics, WEIR__OUTLET_PUTS_FAMILY, labels);
    opened->metric_seconds = weir__metric_of(metrics, WEIR__OUTLET_SECONDS_FAMILY, labels);
    opened->metric_outages = weir__metric_of(metrics, WEIR__OUTLET_OUTAGES_FAMILY, labels);
}

int weir__outlets_prepare(struct weir__app *app, struct weir_error *reterr)
{
    size_t count = weir__count_outlets(app->plan);

    for (size_t i = 0; count > 0 && i < app->thread_count; i++) {
        struct weir__thread *thread = &app->threads[i];

        thread->outlets = weir_arena_alloc(&app->arena, sizeof(*thread->outlets) * count);
        if (thread->outlets == NULL)
            return weir__fail(reterr, WEIR_NO_MEMORY, app->plan->topology->name, "no memory for outlets");
        thread->outlet_count = count;
        for (size_t n = 0; n < count; n++)
            thread->outlets[n].outlet = weir__plan_outlet(app->plan, n);
    }
    return WEIR_OK;
}

/* A transaction that is older than the broker's limit is ended by it, whatever we wait for. */
static int check_times(const struct weir__thread *thread, struct weir_error *reterr)
{
    const struct weir__app_settings *settings = &thread->app->settings;
    int64_t                          limit = settings->transaction_us / 1000;

    if (!settings->exactly_once || thread->commit_interval + settings->outlet_timeout < limit)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_CONFIG, "outlet.timeout.ms",
                      "%lld ms, and %lld ms between commits, are more than a transaction may take (%lld ms): lower "
                      "outlet.timeout.ms or commit.interval.ms, or what an outlet asks for between commits, or raise "
                      "kafka.transaction.timeout.ms",
                      (long long)settings->outlet_timeout, (long long)thread->commit_interval, (long long)limit);
}

static int open_outlet(struct weir__thread *thread, struct weir__opened *opened, struct weir_error *reterr)
{
    struct weir__app         *app = thread->app;
    const struct weir_outlet *outlet = opened->outlet;
    int                       err =
        outlet->open(outlet, weir__config_public(app->config.settings), app->memory.outlet, &opened->open, reterr);

    if (err < 0)
        return err;
    if (err == WEIR_NOTHING) {
        opened->open = NULL;
        return WEIR_OK;
    }
    make_series(thread, opened);
    if (outlet->commit_every != NULL)
        thread->commit_interval = MAX(thread->commit_interval, outlet->commit_every(opened->open));
    atomic_store(&opened->standing, WEIR__OUTLET_DOWN);
    return WEIR_OK;
}

int weir__outlets_open(struct weir__thread *thread, struct weir_error *reterr)
{
    bool any = false;
    int  err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < thread->outlet_count; i++) {
        err = open_outlet(thread, &thread->outlets[i], reterr);
        any = any || thread->outlets[i].open != NULL;
    }
    return err == WEIR_OK && any ? check_times(thread, reterr) : err;
}

void weir__outlets_close(struct weir__thread *thread)
{
    for (size_t i = 0; i < thread->outlet_count; i++) {
        struct weir__opened *opened = &thread->outlets[i];

        if (opened->open != NULL)
            opened->outlet->close(opened->open);
        opened->open = NULL;
        atomic_store(&opened->standing, WEIR__OUTLET_OFF);
    }
}

/* ---- standing ---- */

/* The first time, and when it says otherwise: a table that lacks behind a server that came back. */
static bool is_to_be_told(const struct weir__opened *opened, int64_t now)
{
    if (!opened->told)
        return opened->served_at - opened->since - opened->unserved >= CONNECT_US;
    return strcmp(opened->told_why, opened->why) != 0 && now - opened->told_at >= TELL_AGAIN_US;
}

static void note_down(struct weir__thread *thread, struct weir__opened *opened, const char *why)
{
    int64_t now = weir__monotonic_us();

    if (atomic_exchange(&opened->standing, WEIR__OUTLET_DOWN) == WEIR__OUTLET_UP || opened->since == 0) {
        opened->since = opened->served_at = now;
        opened->unserved = 0;
    }
    pthread_mutex_lock(&thread->app->mutex);
    snprintf(opened->why, sizeof(opened->why), "%s", why != NULL ? why : "it does not answer");
    pthread_mutex_unlock(&thread->app->mutex);
    if (!is_to_be_told(opened, now))
        return;
    if (!opened->told) {
        atomic_fetch_add(&opened->outages, 1);
        weir__metric_add(opened->metric_outages, 1);
    }
    opened->told = true;
    opened->told_at = now;
    memcpy(opened->told_why, opened->why, sizeof(opened->told_why));
    weir__say(WEIR__WARN, "outlet-down", "topology", "s", thread->app->plan->topology->name, "outlet", "s",
              opened->outlet->name, "thread", "u", (uint64_t)thread->index, "why", "s", opened->why, NULL);
}

static void note_up(struct weir__thread *thread, struct weir__opened *opened)
{
    atomic_store(&opened->standing, WEIR__OUTLET_UP);
    if (opened->told)
        weir__say(WEIR__INFO, "outlet-up", "topology", "s", thread->app->plan->topology->name, "outlet", "s",
                  opened->outlet->name, "thread", "u", (uint64_t)thread->index, "seconds", "f",
                  (double)(weir__monotonic_us() - opened->since) / 1e6, NULL);
    opened->told = false;
}

static bool look(struct weir__thread *thread, struct weir__opened *opened)
{
    struct weir_outlet_standing standing = { 0 };

    opened->outlet->look(opened->open, &standing);
    opened->bytes = standing.bytes;
    atomic_store(&opened->waiting, standing.bytes);
    weir__metric_set(opened->metric_bytes, (double)standing.bytes);
    weir__metric_set(opened->metric_up, standing.up);
    if (standing.up)
        note_up(thread, opened);
    else
        note_down(thread, opened, standing.why);
    return standing.up;
}

/* One that waits for nothing else may have to say that it will never answer. */
static int ask_why(struct weir__opened *opened, struct weir_error *reterr)
{
    struct weir_error words = { 0 };
    int               err = opened->puts == 0 ? opened->outlet->settle(opened->open, 0, &words) : WEIR_OK;

    if (err >= 0 || weir_code_scope(err) != WEIR_SCOPE_FATAL)
        return WEIR_OK;
    if (reterr != NULL)
        *reterr = words;
    return err;
}

/* A thread that takes partitions, restores or works comes back late, and finds an answer that has waited for it. */
static void serve(struct weir__opened *opened)
{
    int64_t now = weir__monotonic_us();

    opened->unserved += MAX(now - opened->served_at - WAIT_MS * 1000, 0);
    opened->served_at = now;
    opened->outlet->serve(opened->open);
}

int weir__outlets_serve(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < thread->outlet_count; i++) {
        struct weir__opened *opened = &thread->outlets[i];

        if (opened->open == NULL)
            continue;
        serve(opened);
        if (!look(thread, opened))
            err = ask_why(opened, reterr);
    }
    return err;
}

bool weir__outlets_take(struct weir__thread *thread)
{
    for (size_t i = 0; i < thread->outlet_count; i++)
        if (thread->outlets[i].open != NULL && !look(thread, &thread->outlets[i]))
            return false;
    return !weir__outlets_full(thread);
}

bool weir__outlets_full(const struct weir__thread *thread)
{
    for (size_t i = 0; i < thread->outlet_count; i++)
        if (thread->outlets[i].bytes > thread->app->memory.outlet)
            return true;
    return false;
}

/* ---- records ---- */

/* The first record of a partition since all was acknowledged. */
static void note_oldest(struct weir__thread *thread, const struct weir_record *rec)
{
    struct weir__seat  *seat;
    struct weir__input *input =
        rec->topic != NULL ? weir__seats_input(thread, rec->topic, rec->partition, &seat) : NULL;

    if (input == NULL || input->put)
        return;
    input->put = true;
    atomic_store(&seat->shown->inputs[input - seat->inputs].oldest, rec->offset);
}

static struct weir__opened *find(struct weir__thread *thread, const struct weir_outlet *outlet)
{
    size_t i = 0;

    while (thread->outlets[i].outlet != outlet)
        i++;
    return &thread->outlets[i];
}

int weir__outlets_put(void *arg, struct weir_context *ctx, const struct weir_node *node,
                      const struct weir_record *rec)
{
    struct weir__thread *thread = arg;
    struct weir__opened *opened = find(thread, node->outlet);
    int                  err;

    if (opened->open == NULL)
        return WEIR_OK;
    err = opened->outlet->put(opened->open, ctx, rec);
    if (err < 0)
        return err;
    opened->puts++;
    weir__metric_add(opened->metric_puts, 1);
    note_oldest(thread, rec);
    return WEIR_OK;
}

static void clear_oldest(struct weir__thread *thread)
{
    for (size_t i = 0; i < thread->seat_count; i++)
        for (size_t j = 0; j < thread->seats[i]->input_count; j++) {
            thread->seats[i]->inputs[j].put = false;
            atomic_store(&thread->seats[i]->shown->inputs[j].oldest, -1);
        }
}

void weir__outlets_forget(struct weir__thread *thread)
{
    for (size_t i = 0; i < thread->outlet_count; i++) {
        struct weir__opened *opened = &thread->outlets[i];

        if (opened->open == NULL || opened->puts == 0)
            continue;
        opened->outlet->forget(opened->open);
        opened->puts = 0;
        opened->bytes = 0;
    }
    if (thread->outlet_count > 0)
        clear_oldest(thread);
}

/* ---- settling ---- */

/* Until it has acknowledged, refuses, or the time is up. */
static int settle_one(struct weir__thread *thread, struct weir__opened *opened, int64_t until,
                      struct weir_error *reterr)
{
    int64_t began = weir__monotonic_us(), left;
    int     err;

    do {
        weir__thread_beat(thread);
        left = MAX(until - weir__monotonic_us() / 1000, 0);
        err = opened->outlet->settle(opened->open, MIN(left, WAIT_MS), reterr);
    } while (err == WEIR_AGAIN && left > 0 && !weir__app_must_end(thread->app));
    opened->served_at = weir__monotonic_us();
    weir__metric_observe(opened->metric_seconds, (double)(opened->served_at - began) / 1e6);
    return err;
}

/* Keeps why, for the way back (recover.c, refused.c). */
static int unsettled(struct weir__thread *thread, struct weir__opened *opened, int err, struct weir_error *reterr)
{
    struct weir_error *kept = &thread->unsettled;
    bool               up = look(thread, opened);

    if (weir_code_scope(err) == WEIR_SCOPE_FATAL) {
        if (reterr != NULL)
            *reterr = *kept;
        return err;
    }
    if (err == WEIR_AGAIN) {
        weir__fail(kept, err, opened->outlet->name,
                   "%s has not acknowledged within %lld ms%s%.300s: what was put goes again", opened->outlet->name,
                   (long long)thread->app->settings.outlet_timeout, up ? "" : ": ", up ? "" : opened->why);
        if (up)
            weir__refused_shrink(thread);
    }
    kept->code = err;
    if (kept->where[0] == '\0')
        snprintf(kept->where, sizeof(kept->where), "%s", opened->outlet->name);
    return weir__fail(reterr, WEIR_ABORT, kept->where, "%s", kept->text);
}

int weir__outlets_settle(struct weir__thread *thread, struct weir_error *reterr)
{
    int64_t until = weir__monotonic_us() / 1000 + thread->app->settings.outlet_timeout;

    thread->unsettled = (struct weir_error){ 0 };
    for (size_t i = 0; i < thread->outlet_count; i++) /* all begin before the first is waited for */
        if (thread->outlets[i].puts > 0)
            thread->outlets[i].outlet->serve(thread->outlets[i].open);
    for (size_t i = 0; i < thread->outlet_count; i++) {
        struct weir__opened *opened = &thread->outlets[i];
        int                  err = opened->puts > 0 ? settle_one(thread, opened, until, &thread->unsettled) : WEIR_OK;

        if (err < 0)
            return unsettled(thread, opened, err, reterr);
        opened->puts = 0;
        opened->bytes = 0;
    }
    if (thread->outlet_count > 0)
        clear_oldest(thread);
    return WEIR_OK;
}

/* ---- for others ---- */

bool weir__app_outlet(struct weir__app *app, size_t n, struct weir__app_outlet *ret)
{
    for (size_t i = 0; i < app->thread_count; i++)
        for (size_t j = 0; j < app->threads[i].outlet_count; j++) {
            struct weir__opened *opened = &app->threads[i].outlets[j];
            int                  standing = atomic_load(&opened->standing);

            if (standing == WEIR__OUTLET_OFF || n-- > 0)
                continue;
            *ret = (struct weir__app_outlet){ .name = opened->outlet->name,
                                              .thread = i,
                                              .up = standing == WEIR__OUTLET_UP,
                                              .bytes = atomic_load(&opened->waiting),
                                              .outages = atomic_load(&opened->outages) };
            pthread_mutex_lock(&app->mutex);
            if (!ret->up)
                snprintf(ret->why, sizeof(ret->why), "%s",
                         opened->why[0] != '\0' ? opened->why : "it has not answered yet");
            pthread_mutex_unlock(&app->mutex);
            return true;
        }
    return false;
}

void weir__app_put_outlets(struct weir__app *app, struct weir_json_out *json)
{
    struct weir__app_outlet outlet;

    weir_json_begin_array(json);
    for (size_t i = 0; weir__app_outlet(app, i, &outlet); i++) {
        weir_json_begin_object(json);
        weir__json_member_text(json, "outlet", outlet.name);
        weir__json_member_int(json, "thread", (int64_t)outlet.thread);
        weir__json_member_bool(json, "up", outlet.up);
        weir__json_member_int(json, "waiting_bytes", (int64_t)outlet.bytes);
        weir__json_member_int(json, "outages", (int64_t)outlet.outages);
        weir__json_member_text(json, "why", outlet.up ? NULL : outlet.why);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}
