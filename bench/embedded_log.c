/* embedded_log.c: records per CPU-second of the embedded log: sent and committed, and read back; in memory and on disk.
 *
 * Each line is one log, filled and then read by a group-less reader. Prints a table; compare lines of one run only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "framework/base/base.h"
#include "statestores/statestores.h"

#define RECORDS    1000000
#define PARTITIONS 4
#define KEY_COUNT  2000

static const struct weir__log_engine *const engine = &weir__embedded_engine;

static void die(int err, const struct weir_error *error)
{
    if (err >= 0)
        return;
    fprintf(stderr, "%s: %s: %s\n", weir_code_name(err), error->where, error->text);
    exit(1);
}

/* A key of 13 bytes and a value of 120. */
static void make_record(uint64_t n, char *key, char *value, struct weir__raw *ret)
{
    int key_size = snprintf(key, 32, "ERCOT.HB_%04u", (unsigned)((n * 2654435761u) % KEY_COUNT));

    memset(value, 'v', 120);
    memcpy(value, &n, sizeof(n));
    *ret = (struct weir__raw){ .topic = "ticks",
                               .partition = -1,
                               .timestamp = INT64_C(1735689600000) + (int64_t)n,
                               .key = { key, (size_t)key_size },
                               .value = { value, 120 } };
}

static void fill(struct weir__log *log, int at_once)
{
    struct weir__producer *producer;
    struct weir_error      error = { 0 };
    struct weir__offset    input = { .tp = { "in", 0 }, .metadata = { "metadata", 8 } };

    die(engine->producer(log, "bench", engine->now(log) + 1000, &producer, &error), &error);
    for (uint64_t n = 0; n < RECORDS; n++) {
        char             key[32], value[120];
        struct weir__raw raw;

        make_record(n, key, value, &raw);
        die(engine->send(producer, &raw, 0), &error);
        if ((n + 1) % (uint64_t)at_once == 0) {
            input.offset = (int64_t)n;
            die(engine->commit(producer, "group", NULL, 0, &input, 1, engine->now(log) + 1000), &error);
        }
    }
    engine->producer_close(producer);
}

static uint64_t read_all(struct weir__log *log)
{
    struct weir__offset    from[PARTITIONS];
    struct weir__consumer *reader;
    struct weir_error      error = { 0 };
    uint64_t               count = 0, bytes = 0;

    for (int i = 0; i < PARTITIONS; i++)
        from[i] = (struct weir__offset){ .tp = { "ticks", i } };
    die(engine->tail(log, from, PARTITIONS, WEIR__READ_COMMITTED, &reader, &error), &error);
    while (count < RECORDS) {
        struct weir__polled polled;

        die(engine->poll(reader, engine->now(log) + 1000, &polled), &error);
        for (size_t i = 0; i < polled.count; i++)
            bytes += polled.records[i].value.size;
        count += polled.count;
        engine->release(reader, polled.lease);
    }
    (void)engine->leave(reader, 0);
    return bytes;
}

/* Bytes of the files in dir. */
static int64_t disk_bytes(const char *dir)
{
    char    command[256];
    FILE   *pipe;
    int64_t bytes = 0;

    snprintf(command, sizeof(command), "du -sb %s | cut -f1", dir);
    pipe = popen(command, "r");
    if (pipe == NULL || fscanf(pipe, "%" SCNd64, &bytes) != 1)
        bytes = -1;
    if (pipe != NULL)
        pclose(pipe);
    return bytes;
}

static void run(const char *name, const char *dir, int at_once, bool compact)
{
    const char *const       settings[] = { compact ? "cleanup.policy=compact" : "cleanup.policy=delete", NULL };
    struct weir__topic      topics[] = { { "ticks", PARTITIONS, settings }, { "in", 1, NULL } };
    struct weir__log_config config = { .dir = dir, .quirks = true };
    struct weir__log       *log;
    struct weir_error       error = { 0 };
    int64_t                 begin, filled, wall = weir__monotonic_us(), read = 0;

    die(engine->open(&config, &log, &error), &error);
    die(engine->ensure(log, topics, 2, engine->now(log) + 1000, NULL, NULL, &error), &error);
    begin = weir__cpu_us();
    fill(log, at_once);
    filled = weir__cpu_us();
    wall = weir__monotonic_us() - wall;
    if (!compact) {
        read_all(log);
        read = weir__cpu_us() - filled;
    }
    engine->close(log);
    printf("%-34s %9.0f written/CPU-s %9.0f /s", name, RECORDS * 1e6 / (double)(filled - begin),
           RECORDS * 1e6 / (double)wall);
    if (!compact)
        printf(" %9.0f read/CPU-s", RECORDS * 1e6 / (double)read);
    if (dir != NULL)
        printf("  %5.1f bytes on disk each", (double)disk_bytes(dir) / RECORDS);
    printf("\n");
}

static void run_durable(const char *name, int at_once, bool compact)
{
    char dir[] = "/var/tmp/weir-bench-XXXXXX";

    if (mkdtemp(dir) == NULL)
        exit(1);
    run(name, dir, at_once, compact);
    (void)weir__remove_tree(dir, NULL);
}

int main(void)
{
    printf("%d records of 13 + 120 bytes over %d partitions\n", RECORDS, PARTITIONS);
    run("memory, commit of 20,000", NULL, 20000, false);
    run("memory, commit of 1,000", NULL, 1000, false);
    run_durable("durable, commit of 20,000", 20000, false);
    run_durable("durable, commit of 1,000", 1000, false);
    run("memory, compacted, 1,000", NULL, 1000, true);
    run_durable("durable, compacted, 1,000", 1000, true);
    return 0;
}
