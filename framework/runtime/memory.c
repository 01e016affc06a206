/* memory.c: how much memory the process may use, and how it is divided.
 *
 * (1) A quarter is left to code, threads and what nobody counts, an eighth is the log's, an eighth what databases keep of
 *     what they read. The applications have the other half, in equal parts; where the log has queues and threads of a library
 *     in this process (expect), an eighth less, which is what those take besides; as much less where there is little, of which
 *     what nobody counts is more: a disk that is busy makes tables pile up for a moment.
 * (2) No part is larger than is of use: with much memory most of it stays free.
 * (3) What is freed and kept goes back to the system as soon as three quarters are in use.
 */
#include <malloc.h>
#include <unistd.h>

#include "framework/runtime/internal.h"

#define MOST_BUFFERS ((size_t)16 << 20) /* of a task */
#define MOST_DIRTY   ((size_t)16 << 20) /* of a task; where the cache is larger, the cache's */
#define MOST_HELD    ((size_t)64 << 20) /* of all tasks: rows held longer than a flush interval gain little */
#define MOST_QUEUED  ((size_t)16 << 20) /* of an input partition */
#define MOST_UNSENT  ((size_t)32 << 20) /* of a thread */
#define MOST_OUTLET  ((size_t)32 << 20) /* of an outlet of a thread */
#define LEAST        ((size_t)256 << 10)
#define SCARCE       ((int64_t)1 << 30) /* with less, threads share what they freed */
#define LITTLE       ((int64_t)128 << 20)
#define EASE_US      INT64_C(250000) /* least time between two looks at what the process has */

/* A limit of the container, in bytes; 0 = none. */
static int64_t read_limit(const char *path)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    int64_t                               bytes = 0;

    if (weir__read_file(path, &text, NULL) < 0 || text.size == 0)
        return 0;
    if (text.data[text.size - 1] == '\n')
        text.size--;
    weir__buf_putc(&text, '\0');
    return weir__buf_ok(&text) && weir__parse_int64(text.data, &bytes) == WEIR_OK ? bytes : 0;
}

static int64_t of_machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);

    return pages > 0 && size > 0 ? (int64_t)pages * size : (int64_t)1 << 30;
}

int64_t weir__memory_total(int64_t configured)
{
    static const char *const limits[] = { "/sys/fs/cgroup/memory.max",
                                          "/sys/fs/cgroup/memory/memory.limit_in_bytes" };
    int64_t                  total = of_machine();

    if (configured > 0)
        return configured;
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        int64_t limit = read_limit(limits[i]);

        if (limit > 0)
            total = MIN(total, limit);
    }
    return total / 10 * 6;
}

/* glibc keeps what is freed, for each thread apart: of 50 MB in use that made 95 MB of memory. To give all of it back at
 * once costs page faults, a sixth of all CPU over Kafka (bench/kafka_ohlcv.py): only where memory is scarce. */
void weir__memory_be_thrifty(int64_t total)
{
    bool scarce = total < SCARCE;

    mallopt(M_TRIM_THRESHOLD, scarce ? 1 << 20 : 32 << 20);
    mallopt(M_MMAP_THRESHOLD, scarce ? 128 << 10 : 4 << 20);
    if (scarce)
        mallopt(M_ARENA_MAX, 2);
}

void weir__memory_ease(const struct weir__app *app)
{
    static atomic_int_fast64_t last; /* one process, one memory; us */
    int64_t                    now = weir__monotonic_us(), before = atomic_load(&last);

    if (now - before < EASE_US || !atomic_compare_exchange_strong(&last, &before, now))
        return;
    if (weir__resident() > (double)app->settings.memory / 8 * 6)
        malloc_trim(0);
}

size_t weir__memory_of_log(int64_t total) { return (size_t)total / 8; }

static size_t part(size_t bytes, size_t among, size_t most)
{
    return MAX(MIN(bytes / MAX(among, (size_t)1), most), LEAST);
}

static size_t state_tasks(const struct weir__app *app)
{
    size_t count = 0;

    for (size_t i = 0; i < app->plan->sub_count; i++) {
        int32_t most = 0;

        for (size_t j = 0; app->plan->subs[i].stateful && j < app->topics.count; j++)
            if (app->topics.items[j].reader == (int)i)
                most = MAX(most, app->topics.items[j].partitions);
        count += (size_t)most;
    }
    return count;
}

static size_t input_partitions(const struct weir__app *app)
{
    size_t count = 0;

    for (size_t i = 0; i < app->topics.count; i++)
        if (app->topics.items[i].reader >= 0)
            count += (size_t)app->topics.items[i].partitions;
    return count;
}

void weir__memory_divide(struct weir__app *app)
{
    const struct weir__app_settings *settings = &app->settings;
    bool                             queues = app->config.engine->expect != NULL;
    bool                             less = queues || settings->memory < LITTLE;
    size_t                           apps = (size_t)settings->memory / 8 * (less ? 3 : 4);
    size_t                           outlets = weir__count_outlets(app->plan);
    size_t                           all = apps / MAX(app->config.neighbours, (size_t)1);
    size_t                           ours = outlets > 0 ? all - all / 8 : all;
    size_t                           tasks = state_tasks(app), cache = settings->cache_bytes / MAX(tasks, (size_t)1);
    size_t                           dirty = part(ours / 4, tasks, MAX(MOST_DIRTY, cache));

    app->memory = (struct weir__memory_parts){
        .buffers = part(ours / 4, tasks, MOST_BUFFERS),
        .held = part(MIN(ours / 4, MOST_HELD), tasks, MOST_HELD),
        .dirty = dirty,
        .cache = settings->cache_bytes == 0 ? 0 : MIN(MAX(cache, (size_t)64 << 10), dirty),
        .queued = part(ours / 16, input_partitions(app), MOST_QUEUED),
        .unsent = part(ours / 16, settings->threads, MOST_UNSENT),
        .outlet = part(all / 8, settings->threads * outlets, MOST_OUTLET),
        .record = MIN(MAX(ours / 8, LEAST), settings->record_memory),
    };
    if (queues)
        app->config.engine->expect(app->config.log, input_partitions(app), settings->threads);
    if (app->config.engines->state->cache != NULL)
        app->config.engines->state->cache((size_t)settings->memory / 8);
}
