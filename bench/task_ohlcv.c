/* task_ohlcv.c: records per CPU-second of one task: parse JSON, fold one-minute OHLCV, forward; no log.
 *
 * Each stage adds one part, so the differences say where the time goes. Prints a table; compare lines of one run only.
 * task_ohlcv [TEXT]: only stages whose name holds it.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/ticks.h"
#include "framework/task/task.h"
#include "statestores/engines.h"

#define RECORDS   2000000
#define FEW_KEYS  2000
#define MANY_KEYS 1000000
#define INTERVAL  20000 /* records between commits: 100 ms at 200,000 records/s */
#define HOLD      ((size_t)16 << 20)

static weir_process drop;

/* clang-format off */
SOURCE (ticks,  "ticks", weir_string, tick_codec);
FOREACH(nothing, drop);
static TOPOLOGY(parse_only, .paths = PATHS(PATH(ticks, nothing)));

WINDOWS  (minutes_s, weir_string, bar_codec, TUMBLING(MINUTES(1), SECONDS(5)));
AGGREGATE(minute, minutes_s, NULL, fold);
SINK     (bars, "bars", WINDOWED(weir_string, MINUTES(1)), bar_codec);
static TOPOLOGY(ohlcv, .paths = PATHS(PATH(ticks, minute, bars)));

WINDOWS  (days_s, weir_string, bar_codec, TUMBLING(MINUTES(1), SECONDS(5), .retention = HOURS(48)));
AGGREGATE(kept, days_s, NULL, fold);
static TOPOLOGY(ohlcv_kept, .paths = PATHS(PATH(ticks, kept, bars)));
WINDOWS(own_s, weir_string, bar_codec, TUMBLING(MINUTES(1), MINUTES(5), .time = WEIR_PER_KEY));
AGGREGATE(own, own_s, NULL, fold, .emit = WEIR_ON_CLOSE);
static TOPOLOGY(ohlcv_by_key, .paths = PATHS(PATH(ticks, own, bars)));
WINDOWS(own_days_s, weir_string, bar_codec,
        TUMBLING(MINUTES(1), MINUTES(5), .time = WEIR_PER_KEY, .retention = HOURS(48)));
AGGREGATE(own_kept, own_days_s, NULL, fold, .emit = WEIR_ON_CLOSE);
static TOPOLOGY(ohlcv_by_key_kept, .paths = PATHS(PATH(ticks, own_kept, bars)));

AGGREGATE(each, minutes_s, NULL, fold, .emit = WEIR_EACH);
static TOPOLOGY(ohlcv_each, .paths = PATHS(PATH(ticks, each, bars)));
/* clang-format on */

static int drop(struct weir_context *ctx, const struct weir_record *rec)
{
    (void)ctx;
    (void)rec;
    return WEIR_OK;
}

static uint64_t sent[4];

static int count_sent(void *arg, const struct weir__raw *raw, enum weir__sent_as as)
{
    (void)arg;
    (void)raw;
    sent[as]++;
    return WEIR_OK;
}

static int64_t wall(void *arg)
{
    (void)arg;
    return 1;
}

static int64_t next_of(void *arg, struct weir__tp tp)
{
    (void)arg;
    (void)tp;
    return (int64_t)sent[WEIR__TO_CHANGELOG];
}

static void die(int err, const struct weir_error *error)
{
    if (err >= 0)
        return;
    fprintf(stderr, "%s: %s: %s\n", weir_code_name(err), error->where, error->text);
    exit(1);
}

static void commit(struct weir__task *task, struct weir_error *error)
{
    die(weir__task_flush(task, error), error);
    die(weir__task_committed(task, next_of, NULL, false, error), error);
}

/* CPU microseconds of this run; making the records is measured alone and taken off. */
static double run(const struct weir_topology *topology, unsigned key_count, size_t cache, size_t hold,
                  const char *dir, bool make_only)
{
    struct weir_error        error = { 0 };
    struct weir__plan_config plan_config = { .cache = cache > 0 };
    struct weir__plan       *plan;
    struct weir__metrics    *metrics;
    struct weir__task       *task;
    const int                subs[] = { 0 };
    char                     keys[100][32], values[100][256];
    struct weir__raw         records[100];
    int64_t                  begin;

    die(weir__plan_new(topology, &plan_config, &plan, NULL, &error), &error);
    die(weir__metrics_new(&metrics), &error);
    struct weir__task_config config = { .plan = plan,
                                        .subs = subs,
                                        .sub_count = 1,
                                        .dir = dir,
                                        .engines = weir_engines,
                                        .metrics = metrics,
                                        .send = count_sent,
                                        .now = wall,
                                        .cache_bytes = cache,
                                        .hold_bytes = hold,
                                        .record_memory = 64 << 20,
                                        .on_unreadable = WEIR__FAIL,
                                        .on_failure = WEIR__FAIL,
                                        .on_refused = WEIR__FAIL };
    die(weir__task_new(&config, &task, &error), &error);
    die(weir__task_start(task, &error), &error);
    memset(sent, 0, sizeof(sent));
    begin = weir__cpu_us();
    for (uint64_t n = 0; n < RECORDS; n += 100) {
        size_t done;

        for (int i = 0; i < 100; i++)
            make_record(n + (uint64_t)i, key_count, keys[i], values[i], &records[i]);
        if (make_only)
            continue;
        die(weir__task_add(task, records, 100), &error);
        die(weir__task_process(task, 100, &done, &error), &error);
        if (n % INTERVAL == 0)
            commit(task, &error);
    }
    if (!make_only)
        commit(task, &error);
    int64_t spent = weir__cpu_us() - begin;
    weir__task_close(task);
    weir__plan_free(plan);
    weir__metrics_free(metrics);
    return (double)spent;
}

static void report(const char *name, double spent, double made)
{
    struct rusage usage;
    double        us = (spent - made) / RECORDS;

    getrusage(RUSAGE_SELF, &usage);
    printf("%-66s %8.0f records/CPU-s %7.3f us each  %9" PRIu64 " out %9" PRIu64 " changelog  peak %4ld MB\n", name,
           1e6 / us, us, sent[WEIR__TO_USER], sent[WEIR__TO_CHANGELOG], usage.ru_maxrss / 1024);
    fflush(stdout);
}

static const struct stage {
    const char                 *name;
    const struct weir_topology *topology;
    unsigned                    keys;
    size_t                      hold; /* bytes of committed rows kept in memory before they are written */
    bool                        memory;
} stages[] = {
    { "parse, drop", &parse_only, FEW_KEYS, 0, true },
    { "parse, 1m OHLCV in memory, forward at commit", &ohlcv, FEW_KEYS, HOLD, true },
    { "parse, 1m OHLCV in RocksDB, forward at commit", &ohlcv, FEW_KEYS, HOLD, false },
    { "parse, 1m OHLCV in RocksDB, forward each", &ohlcv_each, FEW_KEYS, HOLD, false },
    { "parse, 1m OHLCV in RocksDB, rows kept for 48 h", &ohlcv_kept, FEW_KEYS, HOLD, false },
    { "parse, 1m OHLCV in RocksDB, by key time, on close", &ohlcv_by_key, FEW_KEYS, HOLD, false },
    { "parse, 1m OHLCV in RocksDB, by key time, kept for 48 h", &ohlcv_by_key_kept, FEW_KEYS, HOLD, false },
    { "parse, 1m OHLCV in RocksDB, written at each commit", &ohlcv, FEW_KEYS, 0, false },
    { "parse, 1m OHLCV in RocksDB, rows kept for 48 h, 10^6 keys", &ohlcv_kept, MANY_KEYS, HOLD, false },
    { "parse, 1m OHLCV in RocksDB, by key time, on close, 10^6 keys", &ohlcv_by_key, MANY_KEYS, HOLD, false }
};

/* In a process of its own: its peak of memory is the stage's. */
static void run_alone(const struct stage *stage)
{
    char   dir[] = "/var/tmp/weir-bench-XXXXXX";
    int    status;
    double made;
    pid_t  child;

    if (mkdtemp(dir) == NULL || (child = fork()) < 0)
        exit(1);
    if (child == 0) {
        made = run(&parse_only, stage->keys, 0, 0, NULL, true);
        report(stage->name,
               run(stage->topology, stage->keys, (size_t)64 << 20, stage->hold, stage->memory ? NULL : dir, false),
               made);
        exit(0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        exit(1);
    (void)weir__remove_tree(dir, NULL);
}

int main(int argc, char **argv)
{
    printf("%d JSON ticks of about 195 bytes, %d keys, commit every %d records, one thread\n", RECORDS, FEW_KEYS,
           INTERVAL);
    fflush(stdout);
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
        if (argc <= 1 || strstr(stages[i].name, argv[1]) != NULL)
            run_alone(&stages[i]);
    return 0;
}
