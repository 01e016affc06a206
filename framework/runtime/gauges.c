/* gauges.c: what is looked up when somebody asks: how threads, tasks, stores and inputs stand.
 *
 * (1) A family's lines come together, so each family goes over all applications.
 * (2) Tasks that have left have no lines any more.
 */
#include "framework/metrics/families.h"
#include "framework/runtime/internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

struct gauge {
    enum weir__family_id id;
    void (*print)(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret);
};

static void print(const struct gauge *gauge, double value, struct weir__buf *ret, const char *a, const char *b,
                  const char *c, const char *d)
{
    weir__value_print(gauge->id, (const char *[]){ a, b, c, d }, value, ret);
}

static const char *name_of(const struct weir__app *app) { return app->plan->topology->name; }

/* ---- threads ---- */

static void print_threads(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret)
{
    size_t alive = 0;

    for (size_t i = 0; i < app->thread_count; i++)
        alive += !atomic_load(&app->threads[i].ended);
    print(gauge, (double)alive, ret, name_of(app), "alive", NULL, NULL);
    print(gauge, (double)(app->thread_count - alive), ret, name_of(app), "ended", NULL, NULL);
}

static void print_tasks(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret)
{
    struct weir__app_state state;

    weir__app_state(app, &state);
    print(gauge, (double)(state.tasks - MIN(state.restoring, state.tasks)), ret, name_of(app), "running", NULL, NULL);
    print(gauge, (double)state.restoring, ret, name_of(app), "restoring", NULL, NULL);
}

static void print_age(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret)
{
    struct weir__thread_state state;
    int64_t                   now = weir__monotonic_us();

    for (size_t i = 0; weir__app_thread(app, i, &state); i++) {
        int64_t then = gauge->id == WEIR__BEAT_AGE_FAMILY ? state.last_beat : state.last_commit;
        char    number[24];

        snprintf(number, sizeof(number), "%zu", i);
        print(gauge, (double)MAX(now - then, 0) / 1e6, ret, name_of(app), number, NULL, NULL);
    }
}

/* ---- tasks: shown lock held ---- */

static void print_stream_time(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret)
{
    for (size_t i = 0; i < app->shown_count; i++) {
        int64_t time = atomic_load(&app->shown[i]->stream_time);

        if (app->shown[i]->sub >= 0 && time >= 0)
            print(gauge, (double)time / 1e3, ret, name_of(app), app->shown[i]->name, NULL, NULL);
    }
}

static void print_bytes(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret)
{
    for (size_t i = 0; i < app->shown_count; i++) {
        const struct weir__shown *shown = app->shown[i];
        int64_t bytes = gauge->id == WEIR__HELD_FAMILY ? atomic_load(&shown->held) : atomic_load(&shown->uncommitted);

        if (shown->sub >= 0 && shown->store_count > 0)
            print(gauge, (double)bytes, ret, name_of(app), shown->name, NULL, NULL);
    }
}

static void print_stores(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret)
{
    for (size_t i = 0; i < app->shown_count; i++)
        for (size_t j = 0; j < app->shown[i]->store_count; j++) {
            const struct weir__shown_store *store = &app->shown[i]->stores[j];
            const char                     *task = app->shown[i]->name;
            struct weir__figures            figures;

            weir__peek_figures(&store->peek, &figures);
            if (gauge->id == WEIR__STORE_ROWS_FAMILY) {
                print(gauge, (double)figures.rows, ret, name_of(app), task, store->plan->name, NULL);
                continue;
            }
            print(gauge, (double)figures.disk, ret, name_of(app), task, store->plan->name, "disk");
            print(gauge, (double)figures.memory, ret, name_of(app), task, store->plan->name, "memory");
        }
}

static void print_lag(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret)
{
    for (size_t i = 0; i < app->shown_count; i++)
        for (size_t j = 0; j < app->shown[i]->input_count; j++) {
            const struct weir__shown_input *input = &app->shown[i]->inputs[j];
            int64_t                         end = weir__shown_end(app, input);
            char                            number[16];

            if (end < 0) /* the log does not answer in time: nor would it for the others */
                return;
            snprintf(number, sizeof(number), "%d", input->tp.partition);
            print(gauge, (double)MAX(end - atomic_load(&input->settled), 0), ret, name_of(app), input->tp.topic,
                  number, NULL);
        }
}

static void print_oldest(const struct gauge *gauge, struct weir__app *app, struct weir__buf *ret)
{
    for (size_t i = 0; i < app->shown_count; i++)
        for (size_t j = 0; j < app->shown[i]->input_count; j++) {
            const struct weir__shown_input *input = &app->shown[i]->inputs[j];
            int64_t                         oldest = atomic_load(&input->oldest);
            char                            number[16];

            snprintf(number, sizeof(number), "%d", input->tp.partition);
            if (oldest >= 0)
                print(gauge, (double)oldest, ret, name_of(app), input->tp.topic, number, NULL);
        }
}

static const struct gauge gauges[] = {
    { WEIR__THREADS_FAMILY, print_threads },
    { WEIR__TASKS_FAMILY, print_tasks },
    { WEIR__BEAT_AGE_FAMILY, print_age },
    { WEIR__COMMIT_AGE_FAMILY, print_age },
    { WEIR__STREAM_TIME_FAMILY, print_stream_time },
    { WEIR__LAG_FAMILY, print_lag },
    { WEIR__STORE_ROWS_FAMILY, print_stores },
    { WEIR__STORE_BYTES_FAMILY, print_stores },
    { WEIR__UNCOMMITTED_FAMILY, print_bytes },
    { WEIR__HELD_FAMILY, print_bytes },
    { WEIR__OUTLET_OLDEST_FAMILY, print_oldest },
};

/* ---- the process ---- */

/* The n-th number of a file of /proc/self; of stat those after the name. */
static double proc_number(const char *path, int n)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    char                                 *at;

    if (weir__read_file(path, &text, NULL) < 0)
        return 0;
    weir__buf_putc(&text, '\0');
    if (!weir__buf_ok(&text))
        return 0;
    at = strrchr(text.data, ')') != NULL ? strrchr(text.data, ')') + 2 : text.data;
    for (; n > 0 && at != NULL; n--) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? strtod(at, NULL) : 0;
}

static double count_files(void)
{
    DIR   *dir = opendir("/proc/self/fd");
    double count = -3; /* ".", "..", and this one */

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* Seconds since 1970: now, less the time since boot, and the start since boot. */
static double started(void)
{
    enum { START = 19 }; /* field 22 of stat, of which two come before the state */
    double since_boot = proc_number("/proc/self/stat", START) / (double)sysconf(_SC_CLK_TCK);

    return (double)weir__wall_ms() / 1e3 - (double)weir__monotonic_us() / 1e6 + since_boot;
}

static void print_one(enum weir__family_id id, const char *label, double value, struct weir__buf *ret)
{
    weir__family_print(id, ret);
    weir__value_print(id, &label, value, ret);
}

double weir__resident(void) { return proc_number("/proc/self/statm", 1) * (double)sysconf(_SC_PAGESIZE); }

static void print_process(struct weir__buf *ret)
{
    print_one(WEIR__BUILD_FAMILY, WEIR_VERSION, 1, ret);
    print_one(WEIR__RESIDENT_FAMILY, NULL, weir__resident(), ret);
    print_one(WEIR__CPU_FAMILY, NULL, (double)weir__cpu_us() / 1e6, ret);
    print_one(WEIR__STARTED_FAMILY, NULL, started(), ret);
    print_one(WEIR__FILES_FAMILY, NULL, count_files(), ret);
}

void weir__apps_gauges(struct weir__app *const *apps, size_t count, struct weir__buf *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(gauges); i++) {
        weir__family_print(gauges[i].id, ret);
        for (size_t j = 0; j < count; j++) {
            pthread_rwlock_rdlock(&apps[j]->shown_lock);
            gauges[i].print(&gauges[i], apps[j], ret);
            pthread_rwlock_unlock(&apps[j]->shown_lock);
        }
    }
    print_process(ret);
}
