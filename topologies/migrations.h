/* migrations.h: what makes the tables of a database: files schemas/migrations/KIND/NNN_name.sql, built into the program.
 *
 * (1) A migration that was applied never changes: its SHA-256 stands in the database's ledger, schema_migrations, and another
 *     text under its number is refused by name. What a table is to become is a new migration.
 * (2) They are applied in the order of their numbers, each once, and noted one by one: a run that is cut short goes on where
 *     it was.
 */
#ifndef TOPOLOGIES_MIGRATIONS_H
#define TOPOLOGIES_MIGRATIONS_H

#include "framework/base/base.h"
#include "schemas/digest.h"

struct weir__program;

struct market_migration {
    int         version;
    const char *name; /* "001_ticks" */
    const char *text;
};
extern const struct market_migration market_migrations_clickhouse[],
    market_migrations_postgres[]; /* ended by a NULL name */

/* A row of the ledger. */
struct market_applied {
    int64_t version;
    char    name[128], checksum[MARKET_DIGEST_ROOM];
};
typedef int market_take_applied(void *arg, const struct market_applied *row, struct weir_error *reterr);

/* A kind of database as `migrate` needs it. */
struct market_migrator {
    const char                    *name; /* as on the command line: "clickhouse" */
    const struct market_migration *migrations;
    /* WEIR_BAD_CONFIG where it is not configured, with the setting's name. dry: nothing will be changed. */
    int (*open)(const struct weir__program *program, bool dry, void **ret, struct weir_error *reterr);
    /* The ledger's rows by version, none where there is no ledger; made first unless dry. Codes of take. */
    int (*ledger)(void *open, bool dry, market_take_applied *take, void *arg, struct weir_error *reterr);
    /* Carries out a migration and notes it. WEIR_NOTHING: another process did meanwhile. */
    int (*apply)(void *open, const struct market_migration *migration, const char *checksum,
                 struct weir_error *reterr);
    void (*close)(void *open); /* NULL is fine */
};
extern const struct market_migrator market_clickhouse_migrator, market_postgres_migrator;

#endif
