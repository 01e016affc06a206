/* cmd_migrate.c: `migrate clickhouse|postgres [--dry-run]`: makes a database's tables what this program writes and reads. */
#include "topologies/commands.h"
#include "topologies/migrations.h"

#include <inttypes.h>

static const struct market_migrator *const migrators[] = { &market_clickhouse_migrator, &market_postgres_migrator,
                                                           NULL };

enum { MIGRATIONS_MOST = 256 };

struct migrating {
    const struct market_migrator *migrator;
    void                         *open;
    bool                          dry;
    char                          checksums[MIGRATIONS_MOST][MARKET_DIGEST_ROOM];
    bool                          applied[MIGRATIONS_MOST];
    size_t                        before, now, unknown; /* applied; of the ledger and not of this program */
};

static int digest_all(struct migrating *migrating, struct weir_error *reterr)
{
    const struct market_migration *list = migrating->migrator->migrations;
    int                            err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && list[i].name != NULL; i++) {
        CHECK(i < MIGRATIONS_MOST);
        err = market_digest((struct weir_text){ list[i].text, strlen(list[i].text) }, migrating->checksums[i]);
    }
    return err < 0 ? weir__fail(reterr, err, migrating->migrator->name, "SHA-256 is not to be had") : WEIR_OK;
}

/* A row of the ledger beside what the program has under its number. */
static int take_applied(void *arg, const struct market_applied *row, struct weir_error *reterr)
{
    struct migrating              *migrating = arg;
    const struct market_migration *list = migrating->migrator->migrations;
    size_t                         i = 0;

    while (list[i].name != NULL && list[i].version != row->version)
        i++;
    if (list[i].name == NULL) {
        migrating->unknown++;
        return WEIR_OK;
    }
    if (strcmp(row->checksum, migrating->checksums[i]) != 0)
        return weir__fail(
            reterr, WEIR_REJECTED, list[i].name,
            "it was changed after it was applied: the ledger has %.12s, this program %.12s; take its text back, "
            "and put the change into a new migration",
            row->checksum, migrating->checksums[i]);
    migrating->applied[i] = true;
    migrating->before++;
    return WEIR_OK;
}

static int apply(struct migrating *migrating, size_t at, struct weir_error *reterr)
{
    const struct market_migration *migration = &migrating->migrator->migrations[at];
    int                            err = WEIR_OK;

    if (!migrating->dry)
        err = migrating->migrator->apply(migrating->open, migration, migrating->checksums[at], reterr);
    if (err == WEIR_OK) {
        printf("%s %s\n", migrating->dry ? "to apply" : "applied", migration->name);
        migrating->now++;
    }
    return err == WEIR_NOTHING ? WEIR_OK : err;
}

static void sum_up(const struct migrating *migrating)
{
    printf("%s: %zu migrations %s, %zu were there", migrating->migrator->name, migrating->now,
           migrating->dry ? "to apply" : "applied", migrating->before);
    if (migrating->unknown > 0)
        printf(", %zu are of a newer program", migrating->unknown);
    putchar('\n');
}

static int migrate(struct migrating *migrating, const struct weir__program *program, struct weir_error *reterr)
{
    const struct market_migrator *migrator = migrating->migrator;
    int                           err = digest_all(migrating, reterr);

    if (err == WEIR_OK)
        err = migrator->open(program, migrating->dry, &migrating->open, reterr);
    if (err == WEIR_OK)
        err = migrator->ledger(migrating->open, migrating->dry, take_applied, migrating, reterr);
    for (size_t i = 0; err == WEIR_OK && migrator->migrations[i].name != NULL; i++)
        if (!migrating->applied[i])
            err = apply(migrating, i, reterr);
    migrator->close(migrating->open);
    if (err == WEIR_OK)
        sum_up(migrating);
    return err;
}

static int choose(const struct weir__args *args, const struct market_migrator **ret, struct weir_error *reterr)
{
    for (size_t i = 0; args->word_count == 1 && migrators[i] != NULL; i++)
        if (strcmp(migrators[i]->name, args->words[0]) == 0) {
            *ret = migrators[i];
            return WEIR_OK;
        }
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "name one database: clickhouse or postgres");
}

static int run_migrate(struct weir__program *program, const struct weir__args *args)
{
    struct migrating  migrating = { .dry = weir__args_has(args, "dry-run") };
    struct weir_error words = { 0 };
    int               err = choose(args, &migrating.migrator, &words);

    if (err == WEIR_OK)
        err = migrate(&migrating, program, &words);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "dry-run", .meaning = "says what would be applied, and changes nothing" },
    { .name = NULL },
};
const struct weir__command market_command_migrate = {
    .name = "migrate",
    .usage = "migrate clickhouse|postgres [--dry-run]",
    .meaning = "Makes the tables of a database what this program writes and reads: each migration once, in order.",
    .flags = flags,
    .run = run_migrate,
    .audited = "system",
};
