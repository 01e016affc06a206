/* fuzz_market_file.c: looks for market files that the loader does not stand. The first byte chooses what is said of the
 * file, the rest is its content. Each event it gives must be read as a raw event, to ticks or a refusal. Built and run
 * as fuzz_market_raw.c. */
#define _GNU_SOURCE /* memfd_create */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "schemas/feeds/load.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/market_check.h"

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/* The events of a file; those behind `known` where it is not NULL. Gives their number. */
static size_t load_all(const char *path, const struct market_load_options *options, struct weir__buf *known)
{
    struct market_load *load;
    struct weir_error   error;
    struct market_raw   raw;
    struct weir__buf    key = { 0 };
    size_t              refused, count = 0;
    int                 err = market_load_new(options, &load, &error);

    if (err == WEIR_OK && known->size)
        err = market_load_known(load, BYTES(known->data, known->size));
    if (err == WEIR_OK)
        err = market_load_open(load, &path, 1, &refused, &error);
    if (err < 0)
        fail(error.text);
    while ((err = market_load_next(load, &raw, &error)) == WEIR_OK) {
        const char *fault = raw_event_fault(raw.value.data, raw.value.size);

        count++;
        if (fault)
            fail(fault);
    }
    if (err != WEIR_NOTFOUND)
        fail(error.text);
    weir__buf_reset(known);
    if (!refused && market_load_progress(load, 0, &key, known) < 0)
        fail("no progress");
    weir__buf_fini(&key);
    market_load_free(load);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct market_load_options options = { .memory = 1000 };
    struct weir__buf           known = { 0 };
    char                       path[64];
    int                        fd = memfd_create("market", 0);

    if (size && data[0] & 1)
        options.market = data[0] & 2 ? "AESO" : "NYISO";
    if (size && data[0] & 4)
        options.product = data[0] & 2 ? "smp_1min" : "damlbmp";
    if (size && data[0] & 8)
        options = (struct market_load_options){
            .market = "USA", .day = "2013-10-07", .zone = "America/New_York", .instrument = "SPY", .scale = "0.0001"
        };
    if (fd < 0 || (size > 1 && write(fd, data + 1, size - 1) != (ssize_t)size - 1))
        fail("no file");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    load_all(path, &options, &known);
    if (known.size && load_all(path, &options, &known) != 0)
        fail("loaded twice");
    weir__buf_fini(&known);
    close(fd);
    return 0;
}
