/* cmd_reconcile.c: `reconcile --from T --to T`: ClickHouse's bars beside the converged bars of the log, over a window.
 *
 * (1) The log is right: what ClickHouse lacks, has more, or has otherwise is named. Rows are copies, so all is compared,
 *     epochs and revisions too.
 * (2) --repair sends what is lacking or different once more. A row of the same version that comes later takes the place of the former;
 *     one of a greater version stays, and is named.
 */
#include "topologies/clickhouse/bars.h"
#include "topologies/converged.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SHOWN_MOST = 20, SEND_MOST = 64 << 20 /* bytes */ };

struct reconciling {
    struct market_run log, clickhouse;
    bool              repair, dry, all; /* all: each is named */
    int64_t           timeout_ms;
    void             *outlet; /* NULL = nothing is sent */
    size_t            shown, missing, extra, differ, sent, stuck;
    struct weir_arena scratch; /* of the two bars that are compared */
};

static int settle(struct reconciling *reconciling, struct weir_error *reterr)
{
    return market_clickhouse->settle(reconciling->outlet, reconciling->timeout_ms, reterr);
}

/* ---- comparing ---- */

static void show(struct reconciling *reconciling, struct weir_bytes name, const char *what)
{
    if (reconciling->shown++ < SHOWN_MOST || reconciling->all)
        printf("%.*s: %s\n", (int)name.size, (const char *)name.data, what);
}

/* What is said of two bars of one window; NULL = they are the same. */
static const char *compare(const struct market_bar *log, const struct market_bar *row, char *buf, size_t size)
{
    static const char *const version[] = { "state", "epoch", "revision", NULL };
    const char              *field = market_difference(market_bar, log, row, version, ~UINT32_C(0));

    if (market_bar_compare(log, row) != 0)
        snprintf(buf, size,
                 "differs: epoch %" PRId64 " revision %" PRId64 " in the log, %" PRId64 " and %" PRId64
                 " in ClickHouse",
                 log->epoch, log->revision, row->epoch, row->revision);
    else if (field != NULL)
        snprintf(buf, size, "%s differs", field);
    else
        return NULL;
    return buf;
}

/* Sends what waits, before it is too much. */
static int settle_some(struct reconciling *reconciling, struct weir_error *reterr)
{
    struct weir_outlet_standing standing;

    market_clickhouse->look(reconciling->outlet, &standing);
    return standing.bytes < SEND_MOST / 2 ? WEIR_OK : settle(reconciling, reterr);
}

static int send_again(struct reconciling *reconciling, const struct market_clickhouse_table *table,
                      const struct market_bar *bar, struct weir_error *reterr)
{
    int err;

    reconciling->sent++;
    if (reconciling->outlet == NULL)
        return WEIR_OK;
    err = market_clickhouse_add(reconciling->outlet, table, bar, 0);
    return err < 0 ? weir__fail(reterr, err, "reconcile", "a bar cannot be sent: %s", weir_code_text(err))
                   : settle_some(reconciling, reterr);
}

static int repair(struct reconciling *reconciling, struct weir_bytes name, const struct market_bar *log,
                  const struct market_bar *row, struct weir_error *reterr)
{
    if (row == NULL || market_bar_compare(log, row) >= 0)
        return send_again(reconciling, clickhouse_table_of(log->interval), log, reterr);
    reconciling->stuck++;
    show(reconciling, name, "cannot be repaired: the row's version is greater");
    return WEIR_OK;
}

static int by_key(const void *a, const void *b)
{
    return weir__bytes_compare((*(struct weir__map_slot *const *)a)->key, (*(struct weir__map_slot *const *)b)->key);
}

/* A run's bars in the order of their names; NULL = no memory. To be freed. */
static struct weir__map_slot **sorted(const struct market_run *run)
{
    const struct weir__map *bars = &run->of[MARKET_RUN_BARS];
    struct weir__map_slot **slots = weir__alloc((bars->count + 1) * sizeof(*slots)), *slot;
    size_t                  position = 0, count = 0;

    while (slots != NULL && (slot = weir__map_next(bars, &position)) != NULL)
        slots[count++] = slot;
    if (slots != NULL)
        qsort(slots, count, sizeof(*slots), by_key);
    return slots;
}

/* *ret NULL: it is not there. */
static int read_bar(struct reconciling *reconciling, const struct market_run *run, struct weir_bytes name,
                    const struct market_bar **ret, struct weir_error *reterr)
{
    const struct market_kept *kept = weir__map_get(&run->of[MARKET_RUN_BARS], name);
    const void               *bar = NULL;
    int                       err = WEIR_OK;

    if (kept != NULL)
        err = market_kept_read(kept, MARKET_RUN_BARS, &reconciling->scratch, &bar, reterr);
    *ret = bar;
    return err;
}

static int compare_one(struct reconciling *reconciling, struct weir_bytes name, struct weir_error *reterr)
{
    const struct market_bar *bar, *row = NULL;
    char                     words[160];
    const char              *what;
    int                      err;

    weir__arena_reset(&reconciling->scratch);
    err = read_bar(reconciling, &reconciling->log, name, &bar, reterr);
    if (err == WEIR_OK)
        err = read_bar(reconciling, &reconciling->clickhouse, name, &row, reterr);
    if (err < 0)
        return err;
    what = row != NULL ? compare(bar, row, words, sizeof(words)) : "missing in ClickHouse";
    if (what == NULL)
        return WEIR_OK;
    reconciling->missing += row == NULL;
    reconciling->differ += row != NULL;
    show(reconciling, name, what);
    return reconciling->repair ? repair(reconciling, name, bar, row, reterr) : WEIR_OK;
}

static int compare_all(struct reconciling *reconciling, struct weir_error *reterr)
{
    const struct weir__map *bars = &reconciling->log.of[MARKET_RUN_BARS];
    const struct weir__map *others = &reconciling->clickhouse.of[MARKET_RUN_BARS];
    struct weir__map_slot **log = sorted(&reconciling->log), **rows = sorted(&reconciling->clickhouse);
    int                     err =
        log != NULL && rows != NULL ? WEIR_OK : weir__fail(reterr, WEIR_NO_MEMORY, "reconcile", "out of memory");

    for (size_t i = 0; err == WEIR_OK && i < bars->count; i++)
        err = compare_one(reconciling, log[i]->key, reterr);
    for (size_t i = 0; err == WEIR_OK && i < others->count; i++)
        if (weir__map_get(bars, rows[i]->key) == NULL) {
            reconciling->extra++;
            show(reconciling, rows[i]->key, "extra in ClickHouse");
        }
    weir__free(log);
    weir__free(rows);
    return err;
}

/* Whether all is well now. */
static bool sum_up(const struct reconciling *reconciling)
{
    const size_t bars = reconciling->log.of[MARKET_RUN_BARS].count;
    const size_t wrong = reconciling->missing + reconciling->differ;

    if (reconciling->shown > SHOWN_MOST && !reconciling->all)
        printf("... and %zu more\n", reconciling->shown - SHOWN_MOST);
    printf("%zu bars in the log, %zu in ClickHouse: %zu equal, %zu missing, %zu extra, %zu different", bars,
           reconciling->clickhouse.of[MARKET_RUN_BARS].count, bars - wrong, reconciling->missing, reconciling->extra,
           reconciling->differ);
    if (reconciling->repair)
        printf("; %zu %s, %zu cannot be", reconciling->sent, reconciling->dry ? "to be sent again" : "sent again",
               reconciling->stuck);
    putchar('\n');
    return reconciling->extra == 0 &&
           (wrong == 0 || (reconciling->repair && !reconciling->dry && reconciling->stuck == 0));
}

/* ---- sending ---- */

static int open_outlet(struct reconciling *reconciling, const struct weir_settings *settings,
                       struct weir_error *reterr)
{
    if (!reconciling->repair || reconciling->dry)
        return WEIR_OK;
    return market_clickhouse->open(market_clickhouse, settings, SEND_MOST, &reconciling->outlet, reterr);
}

/* ---- the command ---- */

static int read_both(struct reconciling *reconciling, const struct weir__program *program,
                     const struct weir__args *args, struct weir_error *reterr)
{
    struct clickhouse_client client;
    struct weir__looked      looked;
    int                      err = clickhouse_client_open(weir__config_public(program->settings), &client, reterr);

    if (err == WEIR_NOTHING)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "clickhouse.url",
                          "it is not set: write --clickhouse.url http://HOST:8123");
    if (err < 0)
        return err;
    err = clickhouse_read_bars(&client, &reconciling->clickhouse, reterr);
    clickhouse_client_close(&client);
    if (err == WEIR_OK)
        err = market_run_read_log(&reconciling->log, program, &looked,
                                  weir__looked_open(program, args, &looked, reterr), reterr);
    return err;
}

static int reconcile(struct reconciling *reconciling, const struct weir__program *program,
                     const struct weir__args *args, struct weir_error *reterr)
{
    const struct weir_settings *settings = weir__config_public(program->settings);
    int                         err;

    reconciling->timeout_ms = weir_settings_number(settings, "clickhouse.timeout.ms");
    err = read_both(reconciling, program, args, reterr);
    if (err == WEIR_OK)
        err = open_outlet(reconciling, settings, reterr);
    if (err == WEIR_OK)
        err = compare_all(reconciling, reterr);
    if (err == WEIR_OK && reconciling->outlet != NULL)
        err = settle(reconciling, reterr);
    if (reconciling->outlet != NULL)
        market_clickhouse->close(reconciling->outlet);
    return err;
}

static int read_bound(const struct weir__args *args, const char *name, int64_t *ret, struct weir_error *reterr)
{
    const char *text = weir__args_value(args, name, NULL);
    int64_t     ms;

    if (text == NULL || (!weir__read_time(text, &ms) && !weir__read_epoch(text, &ms)))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line",
                          "name a time for --%s, such as 2025-03-01T00:00:00Z or an epoch", name);
    *ret = ms * 1000;
    return WEIR_OK;
}

int market_read_window(const struct weir__args *args, int64_t *ret_from, int64_t *ret_to, struct weir_error *reterr)
{
    int err = read_bound(args, "from", ret_from, reterr);

    if (err == WEIR_OK)
        err = read_bound(args, "to", ret_to, reterr);
    if (err == WEIR_OK && *ret_from >= *ret_to)
        err = weir__fail(reterr, WEIR_BAD_ARGUMENT, "--to", "it is not behind --from");
    return err;
}

static int run_reconcile(struct weir__program *program, const struct weir__args *args)
{
    struct reconciling reconciling = { .log = { .path = "the log", .wanted = 1u << MARKET_RUN_BARS },
                                       .clickhouse = { .path = "ClickHouse", .wanted = 1u << MARKET_RUN_BARS },
                                       .repair = weir__args_has(args, "repair"),
                                       .dry = weir__args_has(args, "dry-run"),
                                       .all = weir__args_has(args, "all") };
    struct weir_error  words = { 0 };
    int                err = market_read_window(args, &reconciling.log.from, &reconciling.log.to, &words), code;

    reconciling.clickhouse.from = reconciling.log.from;
    reconciling.clickhouse.to = reconciling.log.to;
    if (err == WEIR_OK)
        err = reconcile(&reconciling, program, args, &words);
    if (err < 0) {
        (void)weir__report(&words);
        code = WEIR__EXIT_USAGE;
    } else {
        code = sum_up(&reconciling) ? WEIR__EXIT_OK : WEIR__EXIT_FAILED;
    }
    market_run_fini(&reconciling.log);
    market_run_fini(&reconciling.clickhouse);
    weir__arena_fini(&reconciling.scratch);
    return code;
}

static const struct weir__flag flags[] = {
    { .name = "from", .value = "TIME", .meaning = "windows that start at this time or later (UTC)" },
    { .name = "to", .value = "TIME", .meaning = "... and before this one" },
    { .name = "dir", .value = "DIR", .meaning = "folder of the log, where it is not Kafka's" },
    { .name = "all", .meaning = "names each bar, not the first 20 alone" },
    { .name = "repair", .meaning = "sends what is missing or different again" },
    { .name = "dry-run", .meaning = "with --repair: says what would be sent, and sends nothing" },
    { .name = NULL },
};
const struct weir__command market_command_reconcile = {
    .name = "reconcile",
    .usage = "reconcile --from TIME --to TIME [--dir DIR] [--all] [--repair [--dry-run]]",
    .meaning =
        "Compares ClickHouse's bars with the log's converged bars: exit 0 equal (or repaired), 1 different, 2 error.",
    .flags = flags,
    .run = run_reconcile,
    .audited = "data_processing",
};
