/* progress.c: how far restores are: a metric, a bar on a terminal, elsewhere a line of the log every few seconds.
 *
 * (1) Each thread counts its own tasks; what is shown is the sum over the application's threads.
 */
#include "framework/runtime/internal.h"

#define SHOW_EVERY_US INT64_C(100000)
#define SAY_EVERY_US  INT64_C(5000000)

struct sum {
    int64_t all, left; /* offsets */
};

static void count(struct weir__thread *thread)
{
    struct sum sum = { 0 };

    for (size_t i = 0; i < thread->seat_count; i++) {
        const struct weir__seat *seat = thread->seats[i];

        for (size_t j = 0; j < seat->restore_count; j++) {
            sum.all += MAX(seat->restores[j].target - seat->restores[j].begin, 0);
            sum.left += MAX(seat->restores[j].target - seat->restores[j].next, 0);
        }
    }
    atomic_store(&thread->restore_all, sum.all);
    atomic_store(&thread->restore_left, sum.left);
    weir__metric_set(thread->metric_remaining, (double)sum.left);
}

static struct sum sum_up(struct weir__app *app)
{
    struct sum sum = { 0 };

    for (size_t i = 0; i < app->thread_count; i++) {
        sum.all += atomic_load(&app->threads[i].restore_all);
        sum.left += atomic_load(&app->threads[i].restore_left);
    }
    return sum;
}

static double rate(const struct sum *sum, int64_t us)
{
    return us > 0 ? (double)(sum->all - sum->left) * 1e6 / (double)us : 0;
}

/* "restoring word_count [######..............]  30 %  1200 of 4000, 52000/s, 1 s to go" */
static void make_bar(const struct weir__app *app, const struct sum *sum, int64_t us, char *ret, size_t size)
{
    int64_t done = sum->all - sum->left;
    double  each = rate(sum, us);
    char    bar[WEIR__BAR_BYTES];
    int     at = snprintf(ret, size, "restoring %.60s %s  %lld of %lld", app->plan->topology->name,
                          weir__bar(done, sum->all, bar), (long long)done, (long long)sum->all);

    if (each >= 1 && at > 0 && (size_t)at < size)
        snprintf(ret + at, size - (size_t)at, ", %.0f/s, %.0f s to go", each, (double)sum->left / each);
}

static bool is_time(struct weir__app *app, int64_t now)
{
    int_fast64_t before = atomic_load(&app->restore_told);

    return now - before >= (weir__shows() ? SHOW_EVERY_US : SAY_EVERY_US) &&
           atomic_compare_exchange_strong(&app->restore_told, &before, now);
}

static void begin(struct weir__app *app, int64_t now)
{
    int_fast64_t none = 0;

    if (atomic_compare_exchange_strong(&app->restore_began, &none, now) && !weir__shows())
        atomic_store(&app->restore_told, now); /* "restore-begins" was said */
}

static void end(struct weir__app *app)
{
    if (atomic_exchange(&app->restore_began, 0) != 0)
        weir__show(NULL);
    atomic_store(&app->restore_told, 0);
}

static void tell(struct weir__app *app, const struct sum *sum, int64_t us)
{
    char bar[200];

    if (weir__shows()) {
        make_bar(app, sum, us, bar, sizeof(bar));
        weir__show(bar);
        return;
    }
    weir__say(WEIR__INFO, "restore-progress", "topology", "s", app->plan->topology->name, "done", "i",
              sum->all - sum->left, "of", "i", sum->all, "per-second", "f", rate(sum, us), NULL);
}

void weir__progress_tell(struct weir__thread *thread)
{
    struct weir__app *app = thread->app;
    int64_t           now = weir__monotonic_us();
    struct sum        sum;

    count(thread);
    sum = sum_up(app);
    if (sum.left == 0) {
        end(app);
        return;
    }
    begin(app, now);
    if (is_time(app, now))
        tell(app, &sum, now - atomic_load(&app->restore_began));
}
