/* cmd_generate.c: `generate`: made-up market files for `load`, and the bars that must come of them. */
#include "schemas/market.h"
#include "topologies/generating.h"

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
static int read_hour(const struct weir__args *args, const char *name, const char *otherwise, int64_t *ret,
                     struct weir_error *reterr)
{
    const char         *text = weir__args_value(args, name, otherwise);
    struct market_stamp stamp;

    if (market_stamp_read((struct weir_text){ text, strlen(text) }, &stamp) < 0 || stamp.us % MARKET_HOURS(1) != 0 ||
        stamp.us < MARKET_DAYS(13880) || stamp.us > MARKET_DAYS(40000))
        return fail_flag(name, text, "a whole hour such as 2025-03-08T00:00:00Z, from 2008 to 2079", reterr);
    *ret = stamp.us;
    return WEIR_OK;
}

/* From --start for --hours, or --days up to --until. */
static int read_span(const struct weir__args *args, struct market_sample_plan *ret, struct weir_error *reterr)
{
    int64_t days = 0, until = weir__wall_ms() * 1000 / MARKET_HOURS(1) * MARKET_HOURS(1);
    int     err = read_count(args, "days", 366, &days, reterr);

    if (err == WEIR_OK && days == 0 && weir__args_has(args, "until"))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--until", "say how many days before that: --days N");
    if (err < 0 || days == 0) {
        err = err == WEIR_OK ? read_count(args, "hours", 24 * 366, &ret->hours, reterr) : err;
        return err == WEIR_OK ? read_hour(args, "start", "2025-03-08T00:00:00Z", &ret->start, reterr) : err;
    }
    if (weir__args_has(args, "start") || weir__args_has(args, "hours"))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--days",
                          "it says where it begins: leave --start and --hours out");
    if (weir__args_has(args, "until"))
        err = read_hour(args, "until", NULL, &until, reterr);
    ret->hours = days * 24;
    ret->start = until - MARKET_DAYS(days);
    return err;
}

/* us */
static int read_duration(const struct weir__args *args, const char *name, const char *otherwise, int64_t *ret,
                         struct weir_error *reterr)
{
    const char *text = weir__args_value(args, name, otherwise);

    if (weir__parse_duration(text, ret) < 0 || *ret < 0 || *ret > INT64_C(86400000))
        return fail_flag(name, text, "a time such as 5m, up to a day", reterr);
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

static int read_feeds(const struct weir__args *args, struct market_sample_plan *ret, struct weir_error *reterr)
{
    const char *text = weir__args_value(args, "feeds", "trades,pjm,ercot");

    if (market_sample_kinds_read(text, ret) == WEIR_OK)
        return WEIR_OK;
    return fail_flag(
        "feeds", text,
        "all, nor a list of trades, pjm, pjm-hourly, pjm-da, ercot, ercot-da, caiso-da, miso-hourly, nyiso, "
        "nyiso-da, isone-hourly, aeso, aeso-hourly",
        reterr);
}

static int read_plan(const struct weir__args *args, struct market_sample_plan *ret, struct weir_error *reterr)
{
    int err = read_seed(args, &ret->seed, reterr);

    *ret = (struct market_sample_plan){ .seed = ret->seed, .rows = 20000, .instruments = 9, .hours = 30 };
    if (err == WEIR_OK)
        err = read_feeds(args, ret, reterr);
    if (err == WEIR_OK)
        err = read_count(args, "rows", 50000000, &ret->rows, reterr);
    if (err == WEIR_OK)
        err = read_count(args, "instruments", 10000, &ret->instruments, reterr);
    if (err == WEIR_OK)
        err = read_span(args, ret, reterr);
    if (err == WEIR_OK)
        err = read_duration(args, "shuffle", "0", &ret->shuffle, reterr);
    if (err == WEIR_OK)
        err = read_share(args, "duplicates", &ret->duplicates, reterr);
    if (err == WEIR_OK)
        err = read_share(args, "corrections", &ret->corrections, reterr);
    if (err == WEIR_OK)
        err = read_share(args, "late", &ret->late, reterr);
    return err == WEIR_OK ? read_share(args, "malformed", &ret->malformed, reterr) : err;
}

/* ---- files ---- */

static int read_intervals(const struct weir__args *args, struct market_sample_intervals *ret,
                          struct weir_error *reterr)
{
    const char *text = weir__args_value(args, "intervals", NULL);

    return market_sample_intervals_read(text, ret) == WEIR_OK
               ? WEIR_OK
               : fail_flag("intervals", text, "a list of intervals such as 1m,15m,2h,1d, of which days are made",
                           reterr);
}

static int write_bars(const struct weir__args *args, const struct market_sample *sample, const char *path, bool dry,
                      size_t *ret_count, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    struct market_sample_intervals        intervals;
    int                                   err = read_intervals(args, &intervals, reterr);

    if (err < 0)
        return err;
    err = market_sample_bars(sample, &intervals, &text, ret_count);
    if (err < 0)
        return weir__fail(reterr, err, path, "out of memory");
    return dry ? WEIR_OK : weir__write_file(path, BYTES(text.data, text.size), reterr);
}

static void print_counts(const struct market_sample *sample, size_t bars)
{
    printf("%zu late, %zu duplicates, %zu corrections, %zu malformed; %zu bars\n", sample->late, sample->duplicates,
           sample->corrections, sample->malformed, bars);
}

static int generate_files(const struct weir__args *args, const struct market_sample_plan *plan,
                          struct market_sample *sample, struct weir_error *reterr)
{
    const char *dir = weir__args_value(args, "out", NULL), *bars = weir__args_value(args, "bars", NULL);
    bool        dry = weir__args_has(args, "dry-run");
    size_t      bar_count = 0;
    int         err = WEIR_OK;

    if (market_sample_make(plan, sample) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, "generate", "out of memory: ask for fewer --rows");
    if (!dry)
        err = market_sample_write(sample, dir, reterr);
    if (err == WEIR_OK && bars != NULL)
        err = write_bars(args, sample, bars, dry, &bar_count, reterr);
    if (err == WEIR_OK) {
        printf("%zu rows%s: ", sample->count, dry ? " would be written" : "");
        print_counts(sample, bar_count);
    }
    return err;
}

/* ---- events ---- */

static int check_live(const struct weir__args *args, struct market_generating *asked, struct weir_error *reterr)
{
    static const char *const of_files[] = { "out", "hours", "days", "until", "shuffle" };

    for (size_t i = 0; i < ARRAY_SIZE(of_files); i++)
        if (weir__args_has(args, of_files[i]))
            return weir__fail(reterr, WEIR_BAD_ARGUMENT, "generate",
                              "--%s is of files, --rate of events: leave one out", of_files[i]);
    if (asked->plan.kinds[0] != SAMPLE_TRADES)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--feeds",
                          "events come one after the other, and prices only once an interval: begin with trades");
    if (!weir__args_has(args, "rows"))
        asked->rows = 0;
    if (asked->rows == 0 && (asked->dry || weir__args_has(args, "bars")))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "generate",
                          "without --rows there is no end: say how many, for %s",
                          asked->dry ? "a dry run" : "--bars");
    if (!weir__args_has(args, "start"))
        asked->plan.start = weir__wall_ms() * 1000;
    return WEIR_OK;
}

static int read_rate(const struct weir__args *args, int64_t *ret, struct weir_error *reterr)
{
    *ret = 0;
    return strcmp(weir__args_value(args, "rate", "max"), "max") == 0
               ? WEIR_OK
               : read_count(args, "rate", 10000000, ret, reterr);
}

static int generate_events(const struct weir__program *program, const struct weir__args *args,
                           const struct market_sample_plan *plan, struct market_sample *sample,
                           struct weir_error *reterr)
{
    struct market_generating asked = { .plan = *plan, .rows = plan->rows, .dry = weir__args_has(args, "dry-run") };
    struct market_generated  done;
    const char              *bars = weir__args_value(args, "bars", NULL);
    size_t                   bar_count = 0;
    int                      err = read_rate(args, &asked.rate, reterr);

    if (err == WEIR_OK)
        err = read_duration(args, "spacing", "1ms", &asked.spacing, reterr);
    if (err == WEIR_OK)
        err = check_live(args, &asked, reterr);
    if (err == WEIR_OK)
        err = market_generate(program, args, &asked, bars != NULL ? sample : NULL, &done, reterr);
    if (err == WEIR_OK && bars != NULL)
        err = write_bars(args, sample, bars, asked.dry, &bar_count, reterr);
    if (err < 0)
        return err;
    printf("%llu events%s", (unsigned long long)done.events, asked.dry ? " would be sent: " : "");
    if (!asked.dry)
        printf(" in %.1f s, %.0f a second: ", (double)done.us / 1e6,
               (double)done.events * 1e6 / (double)MAX(done.us, 1));
    print_counts(&done.counts, bar_count);
    return WEIR_OK;
}

/* ---- the command ---- */

static int generate(const struct weir__program *program, const struct weir__args *args, struct market_sample *sample,
                    struct weir_error *reterr)
{
    struct market_sample_intervals intervals;
    struct market_sample_plan      plan;
    int                            err = read_plan(args, &plan, reterr);

    if (err == WEIR_OK)
        err = read_intervals(args, &intervals, reterr);
    if (err < 0)
        return err;
    if (args->word_count > 0 || (!weir__args_has(args, "out") && !weir__args_has(args, "rate")))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line",
                          "name a folder for the files: --out DIR, or send events: --rate N");
    return weir__args_has(args, "rate") ? generate_events(program, args, &plan, sample, reterr)
                                        : generate_files(args, &plan, sample, reterr);
}

static int run_generate(struct weir__program *program, const struct weir__args *args)
{
    struct market_sample sample = { 0 };
    struct weir_error    words = { 0 };
    int                  err = generate(program, args, &sample, &words);

    market_sample_fini(&sample);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "out", .value = "DIR", .meaning = "folder for the files; late rows go to DIR/late" },
    { .name = "bars", .value = "FILE", .meaning = "writes the exact bars of all rows, for \"diff\"" },
    { .name = "intervals",
      .value = "LIST",
      .meaning = "... of these intervals, such as 1m,15m,2h,1d (default 1m,5m,1h,1d)" },
    { .name = "seed", .value = "N", .meaning = "the same seed gives the same files (default 1)" },
    { .name = "rows", .value = "N", .meaning = "rows before duplicates and the like (default 20000)" },
    { .name = "instruments", .value = "N", .meaning = "one of each feed in turn (default 9)" },
    { .name = "feeds",
      .value = "LIST",
      .meaning = "of which feeds, or all (default trades,pjm,ercot); an unknown one is answered by the list" },
    { .name = "rate",
      .value = "N|max",
      .meaning =
          "sends events to the raw topics, N rows a second or as fast as it goes, until stopped or for --rows" },
    { .name = "dir",
      .value = "DIR",
      .meaning = "... into the log of that folder; without it to kafka.bootstrap.servers" },
    { .name = "spacing",
      .value = "TIME",
      .meaning = "between the rows of --rate max, in their own time (default 1ms)" },
    { .name = "days", .value = "N", .meaning = "whole days back from --until, instead of --start and --hours" },
    { .name = "until", .value = "TIME", .meaning = "the end of --days (default: the last whole hour)" },
    { .name = "dry-run", .meaning = "prints how much it would be, and writes nothing" },
    { .name = "start",
      .value = "TIME",
      .meaning = "of the first row (default 2025-03-08T00:00:00Z; with --rate now)" },
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
    .usage =
        "generate --out DIR | --rate N|max [--dir DIR] [--bars FILE] [--seed N] [--rows N] [--days N] [--late PERCENT ...]",
    .meaning =
        "Makes up market data, as files that \"load\" takes or as raw events, and the bars that must come of it.",
    .flags = flags,
    .run = run_generate,
    .audited = "data_processing",
};
