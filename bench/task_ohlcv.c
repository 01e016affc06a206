/* task_ohlcv.c: records per CPU-second of one task: parse JSON, fold one-minute OHLCV, forward; no log.
 *
 * Each stage adds one part, so the differences say where the time goes. Prints a table; compare lines of one run only.
 * task_ohlcv [TEXT]: only stages whose name holds it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/declare.h"
#include "framework/json.h"
#include "framework/task/task.h"
#include "statestores/engines.h"

#define RECORDS   2000000
#define FEW_KEYS  2000
#define MANY_KEYS 1000000
#define INTERVAL  20000 /* records between commits: 100 ms at 200,000 records/s */
#define HOLD      ((size_t)16 << 20)

struct tick {
    int64_t price, volume, time, sequence;
};

struct bar {
    int64_t open, high, low, close, volume, count, first, last;
};

static int decimal(struct weir_text text, int64_t *ret)
{
    int64_t value = 0, scale = INT64_C(100000000);
    bool    point = false;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '.') {
            point = true;
            continue;
        }
        if (text.data[i] < '0' || text.data[i] > '9')
            return WEIR_UNREADABLE;
        value = value * 10 + (text.data[i] - '0');
        if (point)
            scale /= 10;
    }
    *ret = value * scale;
    return WEIR_OK;
}

static int tick_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct tick            *tick = ret;
    const struct weir_json *json, *member;
    int err = weir_json_parse(arena, (struct weir_text){ .data = in.data, .size = in.size }, &json, NULL);

    (void)codec;
    if (err < 0)
        return err;
    member = weir_json_get(json, "price");
    err = member != NULL ? decimal(member->text, &tick->price) : WEIR_UNREADABLE;
    if (err == WEIR_OK)
        err = weir_json_int64(weir_json_get(json, "volume"), &tick->volume);
    if (err == WEIR_OK)
        err = weir_json_int64(weir_json_get(json, "event_time"), &tick->time);
    if (err == WEIR_OK)
        err = weir_json_int64(weir_json_get(json, "sequence"), &tick->sequence);
    return err;
}

static int raw_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    (void)arena;
    if (in.size != codec->bytes)
        return WEIR_UNREADABLE;
    memcpy(ret, in.data, in.size);
    return WEIR_OK;
}

static int raw_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                      struct weir_bytes *ret)
{
    (void)arena;
    *ret = (struct weir_bytes){ .data = value, .size = codec->bytes };
    return WEIR_OK;
}

static const struct weir_codec tick_codec[1] = {
    { .name = "tick", .bytes = sizeof(struct tick), .decode = tick_decode, .encode = raw_encode }
};
static const struct weir_codec bar_codec[1] = {
    { .name = "bar", .bytes = sizeof(struct bar), .decode = raw_decode, .encode = raw_encode }
};

static weir_fold    fold;
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

static int fold(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    const struct tick *in = rec->value;
    struct bar        *out = state;

    if (weir_absent(ctx))
        *out = (struct bar){
            .open = in->price, .high = in->price, .low = in->price, .first = in->time, .last = in->time
        };
    if (in->time < out->first) {
        out->first = in->time;
        out->open = in->price;
    }
    if (in->time >= out->last) {
        out->last = in->time;
        out->close = in->price;
    }
    if (in->price > out->high)
        out->high = in->price;
    if (in->price < out->low)
        out->low = in->price;
    out->volume += in->volume;
    out->count++;
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

static void make_record(uint64_t n, unsigned keys, char *key, char *value, struct weir__raw *ret)
{
    int64_t time = INT64_C(1735689600000) + (int64_t)n * 10 - (int64_t)(n % 5 == 0 ? n % 2000 : 0);
    int     key_size = snprintf(key, 32, "ERCOT.HB_%04u", (unsigned)((n * 2654435761u) % keys));
    int     size = snprintf(value, 256,
                            "{\"tenant_id\":\"default\",\"instrument_id\":\"%s\",\"market\":\"ERCOT\",\"price\":%u.%02u,"
                                "\"volume\":%u,\"currency\":\"USD\",\"event_time\":%" PRId64 "000,\"sequence\":%" PRIu64
                            ",\"source\":\"bench\",\"unit\":\"MWh\"}",
                            key, (unsigned)(20 + n % 37), (unsigned)(n % 100), (unsigned)(1 + n % 500), time, n);

    *ret = (struct weir__raw){ .topic = "ticks",
                               .offset = (int64_t)n,
                               .timestamp = time,
                               .key = { key, (size_t)key_size },
                               .value = { value, (size_t)size } };
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
