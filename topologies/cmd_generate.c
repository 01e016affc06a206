/* cmd_generate.c: `generate`: made-up market files for `load`, and the bars that must come of them. */
#include "schemas/market.h"
#include "topologies/commands.h"
#include "topologies/sample.h"

#include <inttypes.h>

static int fail_flag(const char *name, const char *text, const char *wanted, struct weir_error *reterr)
{
    char flag[32];

    snprintf(flag, sizeof(flag), "--%s", name);
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, flag, "\"%.60s\" is not %s", text, wanted);
}

static int read_count(const struct weir__args *args, const char *name, int64_t most, int64_t *ret,
                      struct weir_error *reterr)
{
    const char *text = weir__args_value(args, name, NULL);
    char        wanted[60];

    if (text == NULL || (weir__parse_int64(text, ret) == WEIR_OK && *ret >= 1 && *ret <= most))
        return WEIR_OK;
    snprintf(wanted, sizeof(wanted), "a whole number from 1 to %" PRId64, most);
    return fail_flag(name, text, wanted, reterr);
}

static int read_share(const struct weir__args *args, const char *name, int64_t *ret, struct weir_error *reterr)
{
    const char *text = weir__args_value(args, name, "0");

    if (market_decimal_read((struct weir_text){ text, strlen(text) }, ret) == WEIR_OK && *ret >= 0 &&
        *ret <= 100 * MARKET_UNIT)
        return WEIR_OK;
    return fail_flag(name, text, "a per cent from 0 to 100", reterr);
}

/* The clocks of the United States have gone as they go now since 2007. */
static int read_start(const struct weir__args *args, int64_t *ret, struct weir_error *reterr)
{
    const char         *text = weir__args_value(args, "start", "2025-03-08T00:00:00Z");
    struct market_stamp stamp;

    if (market_stamp_read((struct weir_text){ text, strlen(text) }, &stamp) < 0 || stamp.us % MARKET_HOURS(1) != 0 ||
        stamp.us < MARKET_DAYS(13880) || stamp.us > MARKET_DAYS(40000))
        return fail_flag("start", text, "a whole hour such as 2025-03-08T00:00:00Z, from 2008 to 2079", reterr);
    *ret = stamp.us;
    return WEIR_OK;
}

static int read_shuffle(const struct weir__args *args, int64_t *ret, struct weir_error *reterr)
{
    const char *text = weir__args_value(args, "shuffle", "0");

    if (weir__parse_duration(text, ret) < 0 || *ret < 0)
        return fail_flag("shuffle", text, "a time such as 5m", reterr);
    *ret *= 1000;
    return WEIR_OK;
}

static int read_seed(const struct weir__args *args, uint64_t *ret, struct weir_error *reterr)
{
    const char *text = weir__args_value(args, "seed", "1");
    int64_t     seed;

    if (weir__parse_int64(text, &seed) < 0)
        return fail_flag("seed", text, "a whole number", reterr);
    *ret = (uint64_t)seed;
    return WEIR_OK;
}

static int read_plan(const struct weir__args *args, struct market_sample_plan *ret, struct weir_error *reterr)
{
    int err = read_seed(args, &ret->seed, reterr);

    *ret = (struct market_sample_plan){ .seed = ret->seed, .rows = 20000, .instruments = 9, .hours = 30 };
    if (err == WEIR_OK)
        err = read_count(args, "rows", 50000000, &ret->rows, reterr);
    if (err == WEIR_OK)
        err = read_count(args, "instruments", 10000, &ret->instruments, reterr);
    if (err == WEIR_OK)
        err = read_count(args, "hours", 24 * 366, &ret->hours, reterr);
    if (err == WEIR_OK)
        err = read_start(args, &ret->start, reterr);
    if (err == WEIR_OK)
        err = read_shuffle(args, &ret->shuffle, reterr);
    if (err == WEIR_OK)
        err = read_share(args, "duplicates", &ret->duplicates, reterr);
    if (err == WEIR_OK)
        err = read_share(args, "corrections", &ret->corrections, reterr);
    if (err == WEIR_OK)
        err = read_share(args, "late", &ret->late, reterr);
    return err == WEIR_OK ? read_share(args, "malformed", &ret->malformed, reterr) : err;
}

static int write_bars(const struct market_sample *sample, const char *path, size_t *ret_count,
                      struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    int                                   err = market_sample_bars(sample, &text, ret_count);

    if (err < 0)
        return weir__fail(reterr, err, path, "out of memory");
    return weir__write_file(path, BYTES(text.data, text.size), reterr);
}

static int generate(const struct weir__args *args, struct market_sample *sample, struct weir_error *reterr)
{
    const char               *dir = weir__args_value(args, "out", NULL), *bars = weir__args_value(args, "bars", NULL);
    struct market_sample_plan plan;
    size_t                    bar_count = 0;
    int                       err = read_plan(args, &plan, reterr);

    if (err < 0)
        return err;
    if (args->word_count > 0 || dir == NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "name a folder for the files: --out DIR");
    if (market_sample_make(&plan, sample) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, "generate", "out of memory: ask for fewer --rows");
    err = market_sample_write(sample, dir, reterr);
    if (err == WEIR_OK && bars != NULL)
        err = write_bars(sample, bars, &bar_count, reterr);
    if (err == WEIR_OK)
        printf("%zu rows: %zu late, %zu duplicates, %zu corrections, %zu malformed; %zu bars\n", sample->count,
               sample->late, sample->duplicates, sample->corrections, sample->malformed, bar_count);
    return err;
}

static int run_generate(struct weir__program *program, const struct weir__args *args)
{
    struct market_sample sample = { 0 };
    struct weir_error    words = { 0 };
    int                  err = generate(args, &sample, &words);

    (void)program;
    market_sample_fini(&sample);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "out", .value = "DIR", .meaning = "folder for the files; late rows go to DIR/late" },
    { .name = "bars", .value = "FILE", .meaning = "writes the exact bars of all rows, for \"diff\"" },
    { .name = "seed", .value = "N", .meaning = "the same seed gives the same files (default 1)" },
    { .name = "rows", .value = "N", .meaning = "rows before duplicates and the like (default 20000)" },
    { .name = "instruments", .value = "N", .meaning = "trades, PJM and ERCOT in turn (default 9)" },
    { .name = "start", .value = "TIME", .meaning = "of the first row (default 2025-03-08T00:00:00Z)" },
    { .name = "hours", .value = "N", .meaning = "that the rows are spread over (default 30)" },
    { .name = "shuffle", .value = "TIME", .meaning = "rows stand up to that much out of order (default 0)" },
    { .name = "duplicates", .value = "PERCENT", .meaning = "of the rows come twice (default 0)" },
    { .name = "corrections",
      .value = "PERCENT",
      .meaning = "of the prices come again with another price (default 0)" },
    { .name = "late",
      .value = "PERCENT",
      .meaning = "of the rows of the last 47 hours stand in DIR/late (default 0)" },
    { .name = "malformed", .value = "PERCENT", .meaning = "of the rows are followed by a broken one (default 0)" },
    { .name = NULL },
};
const struct weir__command market_command_generate = {
    .name = "generate",
    .usage = "generate --out DIR [--bars FILE] [--seed N] [--rows N] [--instruments N] [--late PERCENT ...]",
    .meaning = "Writes made-up market files that \"load\" takes, and the bars that must come of them.",
    .flags = flags,
    .run = run_generate,
};
