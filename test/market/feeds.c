/* feeds.c: what load and normalization's reader make of market files, as lines to compare with a plain computation.
 *
 *     feeds counts FILE...   one line a file: name, rows, raw events, ticks, components, absent, refusals by reason
 *     feeds ticks FILE...    one line a tick: instrument, event time (us), price, volume, bid, ask, revision, sequence
 *     feeds events FILE...   the raw events themselves, a line each
 *
 * MARKET, PRODUCT, DAY, INSTRUMENT, ZONE and SCALE in the environment are load's options of those names.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "schemas/feeds/load.h"
#include "schemas/market.h"

#define REASONS 8

struct counts {
    uint64_t events, ticks, prices, absent, refused;
    struct {
        const char *reason;
        uint64_t    count;
    } reasons[REASONS];
};

static void die(const struct weir_error *error)
{
    fprintf(stderr, "%s: %s\n", error->where, error->text);
    exit(EXIT_FAILURE);
}

static void put_decimal(struct market_decimal decimal)
{
    char text[MARKET_DECIMAL_ROOM] = "-";

    if (decimal.given)
        market_decimal_write(decimal.units, text);
    printf(" %s", text);
}

static void put_tick(const struct market_tick *tick)
{
    printf("%.*s %" PRId64, (int)tick->instrument_id.size, tick->instrument_id.data, tick->event_time);
    put_decimal(tick->price);
    put_decimal(tick->volume);
    put_decimal(tick->bid_price);
    put_decimal(tick->ask_price);
    printf(" %" PRId64 " %" PRId64 "%s\n", tick->revision, tick->sequence,
           tick->quality_flags & MARKET_AMBIGUOUS_TIME ? " ambiguous" : "");
}

static void count_refusal(struct counts *counts, const char *reason)
{
    size_t i = 0;

    while (i + 1 < REASONS && counts->reasons[i].reason && strcmp(counts->reasons[i].reason, reason) != 0)
        i++;
    counts->reasons[i].reason = reason;
    counts->reasons[i].count++;
    counts->refused++;
}

static void read_event(const struct market_raw *raw, bool print, struct weir_arena *arena, struct counts *counts)
{
    struct market_origin      origin = { .topic = raw->topic, .timestamp = raw->timestamp };
    struct market_raw_options options = { 0 };
    struct market_reading     reading;
    struct weir_error         error;
    int                       err;

    weir__arena_reset(arena);
    err = market_read_raw(arena, raw->value, &origin, &options, &reading, &error);
    counts->events++;
    if (err < 0) {
        count_refusal(counts, market_reason_name(err));
        if (print)
            printf("! %s %s\n", market_reason_name(err), error.text);
        return;
    }
    counts->ticks += reading.count;
    counts->absent += reading.components_absent + reading.prices_awaited;
    for (size_t i = 0; i < reading.count; i++) {
        struct market_id_parts parts;

        if (market_id_split(reading.ticks[i].instrument_id, &parts) == WEIR_OK && parts.component == MARKET_PRICE)
            counts->prices++;
        if (print)
            put_tick(&reading.ticks[i]);
    }
}

static struct market_load *open_files(char **paths, size_t count)
{
    struct market_load_options options = { .market = getenv("MARKET"),
                                           .product = getenv("PRODUCT"),
                                           .day = getenv("DAY"),
                                           .zone = getenv("ZONE"),
                                           .instrument = getenv("INSTRUMENT"),
                                           .scale = getenv("SCALE") };
    const char                *memory = getenv("MEMORY");
    struct market_load        *load;
    struct weir_error          error;
    size_t                     refused;

    options.memory = memory ? strtoul(memory, NULL, 10) : 0;
    if (market_load_new(&options, &load, &error) < 0 ||
        market_load_open(load, (const char *const *)paths, count, &refused, &error) < 0)
        die(&error);
    return load;
}

static void put_counts(const struct market_load *load, size_t count, const struct counts *counts)
{
    for (size_t i = 0; i < count; i++) {
        struct market_load_file file;
        const char             *name;

        market_load_file(load, i, &file);
        name = strrchr(file.path, '/') ? strrchr(file.path, '/') + 1 : file.path;
        if (file.refused) {
            printf("%s refused %s: %s\n", name, market_reason_name(file.refusal->code), file.refusal->text);
            continue;
        }
        printf("%s rows %" PRIu64 " events %" PRIu64 " ticks %" PRIu64 " prices %" PRIu64 " absent %" PRIu64, name,
               file.rows, counts[i].events, counts[i].ticks, counts[i].prices, counts[i].absent);
        for (size_t j = 0; j < REASONS && counts[i].reasons[j].reason; j++)
            printf(" %s %" PRIu64, counts[i].reasons[j].reason, counts[i].reasons[j].count);
        printf(" %s\n", file.ordered ? "streamed" : "sorted");
    }
}

static void run(const char *what, char **paths, size_t count)
{
    struct market_load *load = open_files(paths, count);
    struct counts      *counts = calloc(count, sizeof(*counts));
    struct weir_arena   arena;
    struct weir_error   error;
    struct market_raw   raw;
    int                 err;

    weir__arena_init(&arena, 0);
    while ((err = market_load_next(load, &raw, &error)) == WEIR_OK)
        if (strcmp(what, "events") == 0)
            printf("%.*s\t%.*s\n", (int)raw.key.size, (const char *)raw.key.data, (int)raw.value.size,
                   (const char *)raw.value.data);
        else
            read_event(&raw, strcmp(what, "ticks") == 0, &arena, &counts[raw.file]);
    if (err != WEIR_NOTFOUND)
        die(&error);
    if (strcmp(what, "counts") == 0)
        put_counts(load, count, counts);
    weir__arena_fini(&arena);
    market_load_free(load);
    free(counts);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: feeds counts|ticks|events FILE...\n");
        return EXIT_FAILURE;
    }
    run(argv[1], argv + 2, (size_t)argc - 2);
    return EXIT_SUCCESS;
}
