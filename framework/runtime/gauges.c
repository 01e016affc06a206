/* gauges.c: what is looked up when somebody asks: how threads, tasks, stores, inputs and the log's clients stand.
 *
 * (1) No record and no commit waits for it, but where the engine of a store lets nobody read beside its writer.
 * (2) Tasks that have left have no lines any more.
 * (3) Of a sub-topology with many tasks here the lines are of all of them together.
 */
#include "framework/metrics/page.h"
#include "framework/runtime/internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* More tasks of a sub-topology than these share their lines. */
#define MOST_TASKS 100

/* One look at an application; the list of what it shows is held. */
struct look {
    struct weir__page *page;
    struct weir__app  *app;
    const char        *topology;
    size_t            *tasks; /* tasks: of each sub-topology; NULL = no memory for it: each has its own lines */
};

static void put(const struct look *look, enum weir__family_id id, double value, const char *a, const char *b,
                const char *c)
{
    weir__page_add(look->page, id, (const char *[]){ look->topology, a, b, c }, value);
}

/* ---- threads ---- */

static void put_threads(const struct look *look)
{
    struct weir__app_state state;
    size_t                 alive = 0;

    for (size_t i = 0; i < look->app->thread_count; i++)
        alive += !atomic_load(&look->app->threads[i].ended);
    put(look, WEIR__THREADS_FAMILY, (double)alive, "alive", NULL, NULL);
    put(look, WEIR__THREADS_FAMILY, (double)(look->app->thread_count - alive), "ended", NULL, NULL);
    weir__app_state(look->app, &state);
    put(look, WEIR__TASKS_FAMILY, (double)(state.tasks - MIN(state.restoring, state.tasks)), "running", NULL, NULL);
    put(look, WEIR__TASKS_FAMILY, (double)state.restoring, "restoring", NULL, NULL);
}

static void put_ages(const struct look *look)
{
    struct weir__thread_state state;
    int64_t                   now = weir__monotonic_us();

    for (size_t i = 0; weir__app_thread(look->app, i, &state); i++) {
        char number[24];

        snprintf(number, sizeof(number), "%zu", i);
        put(look, WEIR__BEAT_AGE_FAMILY, (double)MAX(now - state.last_beat, 0) / 1e6, number, NULL, NULL);
        put(look, WEIR__COMMIT_AGE_FAMILY, (double)MAX(now - state.last_commit, 0) / 1e6, number, NULL, NULL);
    }
}

/* ---- tasks ---- */

static bool crowded(const struct look *look, const struct weir__shown *shown)
{
    return look->tasks != NULL && shown->sub >= 0 && look->tasks[shown->sub] > MOST_TASKS;
}

static const char *task_of(const struct look *look, const struct weir__shown *shown)
{
    return crowded(look, shown) ? look->app->plan->subs[shown->sub].folder : shown->name;
}

static void put_task(const struct look *look, const struct weir__shown *shown)
{
    const char *task = task_of(look, shown);
    int64_t     time = atomic_load(&shown->stream_time);

    if (shown->sub < 0) /* the global stores have no task */
        return;
    if (time >= 0)
        weir__page_least(look->page, WEIR__STREAM_TIME_FAMILY, (const char *[]){ look->topology, task },
                         (double)time / 1e3);
    put(look, WEIR__TASK_RECORDS_FAMILY, (double)atomic_load(&shown->records), task, NULL, NULL);
    put(look, WEIR__TASK_COMMITS_FAMILY, (double)atomic_load(&shown->commits), task, NULL, NULL);
    put(look, WEIR__TASK_QUEUED_FAMILY, (double)atomic_load(&shown->queued), task, NULL, NULL);
    if (shown->store_count == 0)
        return;
    put(look, WEIR__TASK_RESTORED_FAMILY, (double)atomic_load(&shown->restore_read), task, NULL, NULL);
    put(look, WEIR__TASK_RESTORE_LEFT_FAMILY,
        atomic_load(&shown->running) ? 0 : (double)atomic_load(&shown->restore_left), task, NULL, NULL);
    put(look, WEIR__UNCOMMITTED_FAMILY, (double)atomic_load(&shown->uncommitted), task, NULL, NULL);
    put(look, WEIR__HELD_FAMILY, (double)atomic_load(&shown->held), task, NULL, NULL);
}

static void put_tasks(const struct look *look)
{
    for (size_t i = 0; i < look->app->shown_count; i++)
        put_task(look, look->app->shown[i]);
}

static void put_store(const struct look *look, const char *task, const struct weir__shown_store *store)
{
    const char          *name = store->plan->name;
    struct weir__figures figures;

    weir__peek_figures(&store->peek, &figures);
    put(look, WEIR__STORE_ROWS_FAMILY, (double)figures.rows, task, name, NULL);
    put(look, WEIR__STORE_BYTES_FAMILY, (double)figures.disk, task, name, "disk");
    put(look, WEIR__STORE_BYTES_FAMILY, (double)figures.memory, task, name, "memory");
    if (!figures.compacts)
        return;
    put(look, WEIR__STORE_BYTES_FAMILY, (double)figures.index, task, name, "index");
    put(look, WEIR__STORE_PENDING_FAMILY, (double)figures.pending, task, name, NULL);
    put(look, WEIR__STORE_FILES_FAMILY, (double)figures.files, task, name, NULL);
    put(look, WEIR__STORE_TABLES_FAMILY, (double)figures.tables, task, name, NULL);
    put(look, WEIR__STORE_COMPACTIONS_FAMILY, (double)figures.compactions, task, name, NULL);
    put(look, WEIR__STORE_STALLED_FAMILY, figures.stalled, task, name, NULL);
    put(look, WEIR__STORE_ERRORS_FAMILY, (double)figures.errors, task, name, NULL);
}

static void put_stores(const struct look *look)
{
    for (size_t i = 0; i < look->app->shown_count; i++)
        for (size_t j = 0; j < look->app->shown[i]->store_count; j++)
            put_store(look, task_of(look, look->app->shown[i]), &look->app->shown[i]->stores[j]);
}

/* ---- inputs ---- */

static const char *partition_of(const struct look *look, const struct weir__shown *shown, int32_t partition,
                                char number[16])
{
    snprintf(number, 16, "%d", partition);
    return crowded(look, shown) ? "all" : number;
}

static void put_lag(const struct look *look)
{
    for (size_t i = 0; i < look->app->shown_count; i++)
        for (size_t j = 0; j < look->app->shown[i]->input_count; j++) {
            const struct weir__shown       *shown = look->app->shown[i];
            const struct weir__shown_input *input = &shown->inputs[j];
            int64_t                         end = weir__shown_end(look->app, input);
            char                            number[16];

            if (end < 0) /* the log does not answer in time: nor would it for the others */
                return;
            put(look, WEIR__LAG_FAMILY, (double)MAX(end - atomic_load(&input->settled), 0), task_of(look, shown),
                input->tp.topic, partition_of(look, shown, input->tp.partition, number));
        }
}

/* Each partition's own: offsets have no sum. */
static void put_oldest(const struct look *look)
{
    for (size_t i = 0; i < look->app->shown_count; i++)
        for (size_t j = 0; j < look->app->shown[i]->input_count; j++) {
            const struct weir__shown_input *input = &look->app->shown[i]->inputs[j];
            int64_t                         oldest = atomic_load(&input->oldest);
            char                            number[16];

            snprintf(number, sizeof(number), "%d", input->tp.partition);
            if (oldest >= 0)
                put(look, WEIR__OUTLET_OLDEST_FAMILY, (double)oldest, input->tp.topic, number, NULL);
        }
}

/* ---- an application ---- */

static size_t *count_tasks(const struct weir__app *app)
{
    size_t *tasks = weir__zalloc(sizeof(*tasks) * (app->plan->sub_count + 1));

    for (size_t i = 0; tasks != NULL && i < app->shown_count; i++)
        if (app->shown[i]->sub >= 0)
            tasks[app->shown[i]->sub]++;
    return tasks;
}

static void put_app(struct weir__app *app, struct weir__page *page)
{
    struct look look = { .page = page, .app = app, .topology = app->plan->topology->name };

    if (app->settings.memory > 0)
        weir__page_least(page, WEIR__MEMORY_MAX_FAMILY, NULL, (double)app->settings.memory);
    put_threads(&look);
    put_ages(&look);
    pthread_rwlock_rdlock(&app->shown_lock);
    look.tasks = count_tasks(app);
    put_tasks(&look);
    put_stores(&look);
    put_lag(&look);
    put_oldest(&look);
    pthread_rwlock_unlock(&app->shown_lock);
    weir__free(look.tasks);
}

/* ---- the log's clients ---- */

static void put_client(void *page, enum weir__family_id id, const char *const *labels, double value)
{
    weir__page_add(page, id, labels, value);
}

/* Applications may share a log. */
static void put_clients(struct weir__app *const *apps, size_t count, struct weir__page *page)
{
    for (size_t i = 0; i < count; i++) {
        bool seen = false;

        for (size_t j = 0; j < i; j++)
            seen = seen || apps[j]->config.log == apps[i]->config.log;
        if (!seen && apps[i]->config.engine->clients != NULL)
            apps[i]->config.engine->clients(apps[i]->config.log, put_client, page);
    }
}

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

static double most_files(void)
{
    struct rlimit most;

    return getrlimit(RLIMIT_NOFILE, &most) == 0 ? (double)most.rlim_cur : 0;
}

double weir__resident(void) { return proc_number("/proc/self/statm", 1) * (double)sysconf(_SC_PAGESIZE); }

static void put_process(struct weir__page *page)
{
    static const char *const version = WEIR_VERSION;
    double                   bytes = (double)sysconf(_SC_PAGESIZE);

    weir__page_add(page, WEIR__BUILD_FAMILY, &version, 1);
    weir__page_add(page, WEIR__RESIDENT_FAMILY, NULL, weir__resident());
    weir__page_add(page, WEIR__VIRTUAL_FAMILY, NULL, proc_number("/proc/self/statm", 0) * bytes);
    weir__page_add(page, WEIR__CPU_FAMILY, NULL, (double)weir__cpu_us() / 1e6);
    weir__page_add(page, WEIR__STARTED_FAMILY, NULL, started());
    weir__page_add(page, WEIR__FILES_FAMILY, NULL, count_files());
    weir__page_add(page, WEIR__MAX_FILES_FAMILY, NULL, most_files());
}

void weir__apps_gauges(struct weir__app *const *apps, size_t count, struct weir__buf *ret)
{
    AUTO(weir__page_fini) struct weir__page page;

    weir__page_init(&page);
    for (size_t i = 0; i < count; i++)
        put_app(apps[i], &page);
    put_clients(apps, count, &page);
    put_process(&page);
    weir__page_print(&page, ret);
}
