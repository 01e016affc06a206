/* market_feeds.c: market files per CPU-second: rows loaded as raw events, raw events read as ticks; no log.
 *
 * Files are made up: a day of trades, and hourly prices with their components. Compare lines of one run only.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "schemas/feeds/load.h"
#include "schemas/market.h"

#define ROUNDS 5

static void check(int err, const struct weir_error *error)
{
    if (err >= 0)
        return;
    fprintf(stderr, "%s: %s\n", error->where, error->text);
    exit(EXIT_FAILURE);
}

static void write_trades(FILE *file)
{
    for (int i = 0; i < 200000; i++)
        fprintf(file, "%d,%d.%d,%d,usa,,0\n", i * 400, 1300 + i % 29, i % 10, 1 + i % 7);
}

static void write_prices(FILE *file)
{
    fprintf(file, "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,voltage,equipment,type,zone,"
                  "system_energy_price_rt,total_lmp_rt,congestion_price_rt,marginal_loss_price_rt,row_is_current,"
                  "version_nbr\n");
    for (int i = 0; i < 60000; i++)
        fprintf(file, "%d/%d/2025 %d:00:00 AM,x,%d,HUB %d,,,HUB,,23.710000,2%d.065135,0.147564,-0.206738,True,1\n",
                1 + i / 3080 % 12, 1 + i / 110 % 28, 1 + i / 10 % 11, i % 10, i % 10, i % 9);
}

/* All raw events of the file in one buffer, each behind its size. Gives their number. */
static uint64_t load(const char *path, struct weir__buf *ret)
{
    struct market_load_options options = { .market = strstr(path, "trades") ? "COMEX" : NULL,
                                           .instrument = "GC.201312",
                                           .day = "2013-10-08",
                                           .zone = "UTC",
                                           .scale = "1" };
    struct market_load        *load;
    struct market_raw          raw;
    struct weir_error          error = { 0 };
    size_t                     refused;
    uint64_t                   count = 0;

    check(market_load_new(&options, &load, &error), &error);
    check(market_load_open(load, &path, 1, &refused, &error), &error);
    for (weir__buf_reset(ret); market_load_next(load, &raw, &error) == WEIR_OK; count++) {
        uint32_t size = (uint32_t)raw.value.size;

        weir__buf_add(ret, &size, sizeof(size));
        weir__buf_add(ret, raw.value.data, size);
    }
    market_load_free(load);
    return count;
}

static uint64_t read_all(const struct weir__buf *events)
{
    struct market_origin      origin = { .topic = "bench" };
    struct market_raw_options options = { 0 };
    struct weir_arena         arena;
    uint64_t                  ticks = 0;

    weir__arena_init(&arena, 0);
    for (size_t at = 0; at < events->size;) {
        struct market_reading reading;
        struct weir_error     error;
        uint32_t              size;

        memcpy(&size, events->data + at, sizeof(size));
        at += sizeof(size);
        check(market_read_raw(&arena, BYTES(events->data + at, size), &origin, &options, &reading, &error), &error);
        at += size;
        ticks += reading.count;
        weir__arena_reset(&arena);
    }
    weir__arena_fini(&arena);
    return ticks;
}

static void measure(const char *name, void (*make)(FILE *file))
{
    struct weir__buf events = { 0 };
    char             path[64];
    FILE            *file;
    uint64_t         count = 0, ticks = 0;
    int64_t          loading = 0, reading = 0, begin;

    snprintf(path, sizeof(path), "/tmp/weir-bench-%s-%ld.csv", name, (long)getpid());
    file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    make(file);
    fclose(file);
    for (int i = 0; i < ROUNDS; i++) {
        begin = weir__cpu_us();
        count += load(path, &events);
        loading += weir__cpu_us() - begin;
        begin = weir__cpu_us();
        ticks += read_all(&events);
        reading += weir__cpu_us() - begin;
    }
    unlink(path);
    printf("%-7s %7" PRIu64
           " rows %5zu bytes an event %9.0f loaded/CPU-s %9.0f read/CPU-s %6.0f ns an event, %.0f a tick\n",
           name, count / ROUNDS, events.size * ROUNDS / count - 4, (double)count * 1e6 / (double)loading,
           (double)count * 1e6 / (double)reading, (double)reading * 1e3 / (double)count,
           (double)reading * 1e3 / (double)ticks);
    weir__buf_fini(&events);
}

int main(void)
{
    measure("trades", write_trades);
    measure("prices", write_prices);
    return EXIT_SUCCESS;
}
