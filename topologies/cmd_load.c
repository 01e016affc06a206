/* cmd_load.c: `load FILE...` into Kafka or the log of a folder, and `local` with files among its words; reference rows with both. */
#include "framework/logging/logging.h"
#include "topologies/commands.h"

#define LOAD_FLAGS                                                                                           \
    { .name = "market", .value = "NAME", .meaning = "what a file does not say: its market" },                \
        { .name = "product", .value = "NAME", .meaning = "... its product, as in the mapping table" },       \
        { .name = "day", .value = "YYYY-MM-DD", .meaning = "... the day of its times" },                     \
        { .name = "instrument", .value = "NAME", .meaning = "... what is traded" },                          \
        { .name = "zone", .value = "NAME", .meaning = "... the zone of its local times: America/New_York" }, \
        { .name = "scale", .value = "NUMBER", .meaning = "... what its prices are multiplied by: 0.0001" },  \
        { .name = "backfill", .meaning = "accepted whatever its age: closed windows begin anew" },           \
        { .name = "reference",                                                                               \
          .value = "FILE",                                                                                   \
          .many = true,                                                                                      \
          .meaning = "reference rows, JSON lines or CSV: what differs is written, others are deleted" },     \
    {                                                                                                        \
        .name = "again", .meaning = "sends all rows, whatever was loaded before"                             \
    }

static struct market_load_options options_of(const struct weir__program *program, const struct weir__args *args)
{
    return (struct market_load_options){ .tenant = weir__config_text(program->settings, "tenant"),
                                         .market = weir__args_value(args, "market", NULL),
                                         .product = weir__args_value(args, "product", NULL),
                                         .day = weir__args_value(args, "day", NULL),
                                         .instrument = weir__args_value(args, "instrument", NULL),
                                         .zone = weir__args_value(args, "zone", NULL),
                                         .scale = weir__args_value(args, "scale", NULL),
                                         .again = weir__args_has(args, "again"),
                                         .backfill = weir__args_has(args, "backfill") };
}

int market_load_words(const struct weir__program *program, const struct weir__load_config *config,
                      const struct weir__args *args, const char *const *paths, size_t count,
                      struct weir_error *reterr)
{
    struct market_load_options options = options_of(program, args);
    uint64_t                   sent;

    return market_load_files(config, program->settings, &options, paths, count, false, &sent, reterr);
}

static int load_reference(const struct weir__program *program, const struct weir__load_config *config,
                          const char *path, bool dry, struct market_reference_counts *ret, struct weir_error *reterr)
{
    if (weir__config_text(program->settings, "postgres.dsn") != NULL)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "postgres.dsn",
                          "reference data comes from PostgreSQL, which would undo the file: leave one of them out");
    return market_reference_load(config, program->settings, path, weir__config_text(program->settings, "tenant"), dry,
                                 ret, reterr);
}

static void say_reference(const char *path, bool dry, const struct market_reference_counts *counts)
{
    weir__say(WEIR__INFO, dry ? "reference-to-load" : "reference-loaded", "file", "s", path, "rows", "u",
              (uint64_t)counts->rows, "added", "u", (uint64_t)counts->added, "changed", "u",
              (uint64_t)counts->changed, "removed", "u", (uint64_t)counts->removed, NULL);
}

/* Each file of --reference; *ret: all of them. */
static int load_references(const struct weir__program *program, const struct weir__load_config *config,
                           const struct weir__args *args, bool dry, struct market_reference_counts *ret,
                           struct weir_error *reterr)
{
    struct market_reference_counts counts;
    int                            err = WEIR_OK;

    *ret = (struct market_reference_counts){ 0 };
    for (size_t i = 0; err == WEIR_OK && i < args->given_count; i++) {
        const char *path = args->given[i].value;

        if (strcmp(args->given[i].flag->name, "reference") != 0)
            continue;
        err = load_reference(program, config, path, dry, &counts, reterr);
        if (err < 0)
            return err;
        say_reference(path, dry, &counts);
        ret->rows += counts.rows;
        ret->added += counts.added;
        ret->changed += counts.changed;
        ret->removed += counts.removed;
    }
    return err;
}

int market_prepare(const struct weir__program *program, const struct weir__load_config *config,
                   const struct weir__args *args, struct weir_error *reterr)
{
    struct market_reference_counts counts;

    return load_references(program, config, args, false, &counts, reterr);
}

/* ---- load ---- */

static void sum_up(uint64_t sent, bool dry, bool reference, const struct market_reference_counts *counts)
{
    printf("%llu events %sloaded", (unsigned long long)sent, dry ? "would be " : "");
    if (reference)
        printf("; %zu reference rows: %zu added, %zu changed, %zu removed", counts->rows, counts->added,
               counts->changed, counts->removed);
    putchar('\n');
}

static int load_into(const struct weir__load_config *config, const struct weir__program *program,
                     const struct weir__args *args, bool dry, struct weir_error *reterr)
{
    struct market_load_options     options = options_of(program, args);
    struct market_reference_counts counts;
    uint64_t                       sent = 0;
    int                            err = load_references(program, config, args, dry, &counts, reterr);

    if (err == WEIR_OK && args->word_count > 0)
        err =
            market_load_files(config, program->settings, &options, args->words, args->word_count, dry, &sent, reterr);
    if (err == WEIR_OK || err == WEIR_REJECTED)
        sum_up(sent, dry, weir__args_has(args, "reference"), &counts);
    return err;
}

/* Of a folder that is not there nothing was loaded before. */
static int open_log(const struct weir__program *program, const struct weir__args *args, bool dry,
                    struct weir__looked *ret, struct weir_error *reterr)
{
    int err =
        dry ? weir__looked_open(program, args, ret, reterr) : weir__looked_open_to_write(program, args, ret, reterr);

    return dry && err == WEIR_NOTFOUND && ret->engine == program->engines->embedded ? WEIR_OK : err;
}

static int load(struct weir__program *program, const struct weir__args *args, struct weir_error *reterr)
{
    const bool               dry = weir__args_has(args, "dry-run");
    struct weir__looked      looked;
    int                      err = open_log(program, args, dry, &looked, reterr);
    struct weir__load_config config = { .engine = looked.engine,
                                        .log = looked.log,
                                        .transaction_us = weir__transaction_us(program->settings) };

    if (err == WEIR_OK)
        err = load_into(&config, program, args, dry, reterr);
    weir__looked_close(&looked);
    return err;
}

static int run_load(struct weir__program *program, const struct weir__args *args)
{
    struct weir_error words = { 0 };
    int               err;

    if (args->word_count == 0 && !weir__args_has(args, "reference"))
        err = weir__fail(&words, WEIR_BAD_ARGUMENT, "command line", "name the files to load");
    else
        err = load(program, args, &words);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag load_flags[] = {
    { .name = "dir", .value = "DIR", .meaning = "folder of log and state (default " WEIR__DEFAULT_DIR ")" },
    LOAD_FLAGS,
    { .name = "dry-run", .meaning = "reads all, says how much would be loaded, and sends nothing" },
    { .name = NULL },
};
const struct weir__command market_command_load = {
    .name = "load",
    .usage =
        "load [--dir DIR] [--tenant NAME] [--market NAME ...] [--reference FILE] [--again] [--backfill] [--dry-run] FILE...",
    .meaning =
        "Turns published market files and tick files, plain or gzip, into raw events, each row once; on Kafka where "
        "kafka.bootstrap.servers is set.",
    .flags = load_flags,
    .run = run_load,
    .audited = "data_processing",
};

/* ---- local ---- */

static const struct weir__flag local_flags[] = { WEIR__LOCAL_FLAGS, LOAD_FLAGS, { .name = NULL } };
const struct weir__command     market_command_local = {
        .name = "local",
        .usage = "local [--dir DIR] [--once] [--reference FILE] [FILE...] [TOPOLOGY...]",
        .meaning = "Loads files and runs the topologies (all, unless named) in this process on the embedded log.",
        .flags = local_flags,
        .run = weir__run_local,
};
