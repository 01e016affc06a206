/* migrator.c: migrations of PostgreSQL: each in a transaction of its own, together with its row in the ledger.
 *
 * (1) Two processes at once: the second waits for the first (an advisory lock of the transaction), then finds it done.
 */
#include <stdlib.h>

#include "framework/config/config.h"
#include "framework/main/commands.h"
#include "topologies/migrations.h"
#include "topologies/postgres/link.h"

#define WAIT_MS 60000

static const char ledger_made[] =
    "begin; select pg_advisory_xact_lock(hashtext('schema_migrations'));"
    "create table if not exists schema_migrations (version integer primary key, name text not null, checksum text not null, "
    "applied_at timestamptz not null default now()); commit";
static const char locked[] = "begin; select pg_advisory_xact_lock(hashtext('schema_migrations'))";

static void close_migrator(void *open)
{
    if (open != NULL)
        postgres_link_close(open);
    weir__free(open);
}

/* A command does not wait for it. */
static int fail_away(struct weir_error *reterr)
{
    char words[sizeof(reterr->text)];

    snprintf(words, sizeof(words), "%s", reterr->text);
    return weir__fail(reterr, WEIR_NOTFOUND, "postgres.dsn", "%.300s: is it up, and is postgres.dsn right?", words);
}

static int open_migrator(const struct weir__program *program, bool dry, void **ret, struct weir_error *reterr)
{
    struct postgres_link *link = weir__zalloc(sizeof(*link));
    int                   err;

    (void)dry;
    *ret = link;
    if (link == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "postgres", "out of memory");
    link->stop = -1;
    if (weir__config_text(program->settings, "postgres.dsn") == NULL)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "postgres.dsn",
                          "it is not set: write --postgres.dsn postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
    err = postgres_link_open(link, program->settings, WAIT_MS, reterr);
    return err == WEIR_AGAIN ? fail_away(reterr) : err;
}

static int has_ledger(struct postgres_link *link, bool *ret, struct weir_error *reterr)
{
    PGresult *result;
    int       err =
        postgres_ask(link, "select to_regclass('schema_migrations') is not null", NULL, 0, WAIT_MS, &result, reterr);

    if (err < 0)
        return err;
    *ret = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
    PQclear(result);
    return WEIR_OK;
}

static int read_ledger(void *open, bool dry, market_take_applied *take, void *arg, struct weir_error *reterr)
{
    PGresult *rows = NULL;
    bool      there = true;
    int       err =
        dry ? has_ledger(open, &there, reterr) : postgres_ask(open, ledger_made, NULL, 0, WAIT_MS, NULL, reterr);

    if (err < 0 || !there)
        return err;
    err = postgres_ask(open, "select version, name, checksum from schema_migrations order by 1", NULL, 0, WAIT_MS,
                       &rows, reterr);
    for (int i = 0; err == WEIR_OK && i < PQntuples(rows); i++) {
        struct market_applied row = { .version = strtoll(PQgetvalue(rows, i, 0), NULL, 10) };

        snprintf(row.name, sizeof(row.name), "%s", PQgetvalue(rows, i, 1));
        snprintf(row.checksum, sizeof(row.checksum), "%s", PQgetvalue(rows, i, 2));
        err = take(arg, &row, reterr);
    }
    PQclear(rows);
    return err;
}

/* WEIR_NOTHING: it stands in the ledger by now. */
static int note(struct postgres_link *link, const struct market_migration *migration, const char *checksum,
                struct weir_error *reterr)
{
    char              version[16];
    const char *const values[] = { version, migration->name, checksum };
    PGresult         *result;
    int               err;

    snprintf(version, sizeof(version), "%d", migration->version);
    err = postgres_ask(
        link,
        "insert into schema_migrations (version, name, checksum) values ($1::integer, $2, $3) on conflict do nothing",
        values, 3, WAIT_MS, &result, reterr);
    if (err < 0)
        return err;
    err = strcmp(PQcmdTuples(result), "1") == 0 ? WEIR_OK : WEIR_NOTHING;
    PQclear(result);
    return err;
}

static int fail_in(const struct market_migration *migration, struct weir_error *reterr)
{
    char words[sizeof(reterr->text)];

    snprintf(words, sizeof(words), "%s", reterr->text);
    return weir__fail(reterr, reterr->code, migration->name, "it was not applied: %.400s", words);
}

static int apply(void *open, const struct market_migration *migration, const char *checksum,
                 struct weir_error *reterr)
{
    int err = postgres_ask(open, locked, NULL, 0, WAIT_MS, NULL, reterr);

    if (err == WEIR_OK)
        err = note(open, migration, checksum, reterr);
    if (err == WEIR_OK)
        err = postgres_ask(open, migration->text, NULL, 0, WAIT_MS, NULL, reterr);
    if (err == WEIR_OK)
        return postgres_ask(open, "commit", NULL, 0, WAIT_MS, NULL, reterr);
    (void)postgres_ask(open, "rollback", NULL, 0, WAIT_MS, NULL, NULL);
    return err < 0 ? fail_in(migration, reterr) : err;
}

const struct market_migrator market_postgres_migrator = {
    .name = "postgres",
    .migrations = market_migrations_postgres,
    .open = open_migrator,
    .ledger = read_ledger,
    .apply = apply,
    .close = close_migrator,
};
