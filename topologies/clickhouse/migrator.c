/* migrator.c: migrations of ClickHouse, statement by statement: it has no transactions.
 *
 * (1) So each statement of a migration changes nothing where it was carried out before (IF NOT EXISTS, IF EXISTS): one that was
 *     cut short begins anew, and two processes at once do the same twice: where one finds a table missing that the other replaces
 *     just then, it tries again. Rows of the ledger are one for each version.
 * (2) A comment "-- where: QUERY" before a statement: it is carried out where the query's answer is no 0. So a table whose engine is
 *     another one than that of our own, such as a replicated one, is left alone.
 */
#include "framework/config/config.h"
#include "framework/main/commands.h"
#include "topologies/clickhouse/client.h"
#include "topologies/migrations.h"

#include <stdlib.h>

static const char ledger_made[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version UInt32, name String, checksum FixedString(64), "
    "applied_at DateTime64(6, 'UTC') DEFAULT now64(6)) ENGINE = ReplacingMergeTree(applied_at) ORDER BY version";
static const char ledger_read[] = "SELECT version, name, checksum FROM schema_migrations FINAL ORDER BY version";

static int make_database(const struct clickhouse_client *client, struct weir_error *reterr)
{
    struct weir__buf sql = { 0 };
    int              err = WEIR_NO_MEMORY;

    weir__buf_printf(&sql, "CREATE DATABASE IF NOT EXISTS `%s`%c", client->database, '\0');
    if (weir__buf_ok(&sql))
        err = clickhouse_ask(client, sql.data, false, NULL, NULL, reterr);
    weir__buf_fini(&sql);
    return err;
}

static void close_migrator(void *open)
{
    if (open != NULL)
        clickhouse_client_close(open);
    weir__free(open);
}

static int open_migrator(const struct weir__program *program, bool dry, void **ret, struct weir_error *reterr)
{
    struct clickhouse_client *client = weir__zalloc(sizeof(*client));
    int                       err;

    *ret = client;
    if (client == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "clickhouse", "out of memory");
    err = clickhouse_client_open(weir__config_public(program->settings), client, reterr);
    if (err == WEIR_NOTHING)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "clickhouse.url",
                          "it is not set: write --clickhouse.url http://HOST:8123");
    return err < 0 || dry ? err : make_database(client, reterr);
}

struct reading {
    market_take_applied *take;
    void                *arg;
};

static int take_row(void *arg, struct weir_text line, struct weir_error *reterr)
{
    struct reading       *reading = arg;
    struct weir_text      fields[3];
    struct market_applied row = { 0 };

    if (clickhouse_fields((char *)line.data, line.size, fields, 3) != 3)
        return weir__fail(reterr, WEIR_CORRUPT, "schema_migrations", "a row has not three fields");
    snprintf(row.name, sizeof(row.name), "%.*s", (int)fields[1].size, fields[1].data);
    snprintf(row.checksum, sizeof(row.checksum), "%.*s", (int)fields[2].size, fields[2].data);
    row.version = strtoll(fields[0].data, NULL, 10);
    return reading->take(reading->arg, &row, reterr);
}

static int take_flag(void *arg, struct weir_text line, struct weir_error *reterr)
{
    (void)reterr;
    *(bool *)arg = line.size > 0 && line.data[0] != '0';
    return WEIR_OK;
}

/* Whether there is a ledger. */
static int find_ledger(const struct clickhouse_client *client, bool *ret, struct weir_error *reterr)
{
    struct weir__buf sql = { 0 };
    int              err = WEIR_NO_MEMORY;

    weir__buf_puts(&sql, "SELECT count() FROM system.tables WHERE name = 'schema_migrations' AND database = ");
    clickhouse_quote((struct weir_text){ client->database, strlen(client->database) }, &sql);
    weir__buf_putc(&sql, '\0');
    if (weir__buf_ok(&sql))
        err = clickhouse_ask(client, sql.data, false, take_flag, ret, reterr);
    weir__buf_fini(&sql);
    return err;
}

static int read_ledger(void *open, bool dry, market_take_applied *take, void *arg, struct weir_error *reterr)
{
    struct reading reading = { take, arg };
    bool           there = true;
    int err = dry ? find_ledger(open, &there, reterr) : clickhouse_ask(open, ledger_made, true, NULL, NULL, reterr);

    return err < 0 || !there ? err : clickhouse_ask(open, ledger_read, true, take_row, &reading, reterr);
}

/* The statement that begins at *at and ends with a semicolon at a line's end; size 0: there is no more. *ret_where: its condition,
 * size 0 = none. */
static struct weir_text next_statement(const char **at, struct weir_text *ret_where)
{
    static const char where[] = "-- where: ";
    const char       *begin = *at, *end;

    *ret_where = (struct weir_text){ NULL, 0 };
    while (*begin == '\n' || strncmp(begin, "--", 2) == 0) {
        size_t size = strcspn(begin, "\n");

        if (strncmp(begin, where, sizeof(where) - 1) == 0)
            *ret_where = (struct weir_text){ begin + sizeof(where) - 1, size - (sizeof(where) - 1) };
        begin += *begin == '\n' ? 1 : size;
    }
    end = strstr(begin, ";\n");
    *at = end != NULL ? end + 2 : begin + strlen(begin);
    return (struct weir_text){ begin, (size_t)((end != NULL ? end : *at) - begin) };
}

static int ask_text(const struct clickhouse_client *client, struct weir_text                        text,
                    int (*take)(void *arg, struct weir_text line, struct weir_error *reterr), void *arg,
                    struct weir_error *reterr)
{
    struct weir__buf sql = { 0 };
    int              err;

    weir__buf_printf(&sql, "%.*s%c", (int)text.size, text.data, '\0');
    err = weir__buf_ok(&sql) ? clickhouse_ask(client, sql.data, true, take, arg, reterr)
                             : weir__fail(reterr, WEIR_NO_MEMORY, "clickhouse", "out of memory");
    weir__buf_fini(&sql);
    return err;
}

static int apply_all(const struct clickhouse_client *client, const struct market_migration *migration,
                     struct weir_error *reterr)
{
    const char       *at = migration->text;
    struct weir_error words = { 0 };
    struct weir_text  statement, where;
    int               err = WEIR_OK;

    while (err == WEIR_OK && (statement = next_statement(&at, &where)).size > 0) {
        bool holds = true;

        if (where.size > 0)
            err = ask_text(client, where, take_flag, &holds, &words);
        if (err == WEIR_OK && holds)
            err = ask_text(client, statement, NULL, NULL, &words);
    }
    return err < 0 ? weir__fail(reterr, err, migration->name, "%s", words.text) : WEIR_OK;
}

static int note(const struct clickhouse_client *client, const struct market_migration *migration,
                const char *checksum, struct weir_error *reterr)
{
    char sql[512];

    snprintf(sql, sizeof(sql), "INSERT INTO schema_migrations (version, name, checksum) VALUES (%d, '%s', '%s')",
             migration->version, migration->name, checksum);
    return clickhouse_ask(client, sql, true, NULL, NULL, reterr);
}

static int apply(void *open, const struct market_migration *migration, const char *checksum,
                 struct weir_error *reterr)
{
    int err = WEIR_NOTFOUND;

    for (int tries = 0; err == WEIR_NOTFOUND && tries < 3; tries++)
        err = apply_all(open, migration, reterr);

    return err < 0 ? err : note(open, migration, checksum, reterr);
}

const struct market_migrator market_clickhouse_migrator = {
    .name = "clickhouse",
    .migrations = market_migrations_clickhouse,
    .open = open_migrator,
    .ledger = read_ledger,
    .apply = apply,
    .close = close_migrator,
};
