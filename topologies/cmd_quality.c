/* cmd_quality.c: `quality --from T --to T`: what ClickHouse's rows of a window say of the data: gaps, values that cannot be, limits,
 * duplicates, how old the newest is.
 *
 * (1) Each check is one question that gives a line for each finding: place and words. All read with FINAL.
 * (2) The usual distance of an instrument's bars is the median of those in the window, so hourly prices have no gaps in bars of
 *     a minute; a gap is more than one and a half of it, so days of 23 and 25 hours are none.
 */
#include "topologies/clickhouse/client.h"
#include "topologies/commands.h"

#include <stdlib.h>

enum { SHOWN_MOST = 20 };

/* ---- the checks: $WORD is filled in ---- */

static const char *const bar_tables[] = { "bars_1m", "bars_5m", "bars_1h", "bars_1d", "bars_other", NULL };
static const char *const filled_tables[] = { "bars_1m", "bars_5m", "bars_1h", "bars_1d", NULL }; /* in any case */
static const char *const tick_tables[] = { "enriched_ticks", NULL };

static const struct check {
    const char        *name, *plural;
    const char *const *tables;
    const char        *sql; /* asked of each */
} checks[] = {
    { "gap", "gaps", bar_tables,
      "SELECT concat(tenant_id, '/', instrument_id, ' ', kind), "
      "concat('nothing from ', toString(fromUnixTimestamp64Micro(starts[i] + usual, 'UTC')), ' to ', "
      "toString(fromUnixTimestamp64Micro(starts[i + 1], 'UTC')), ', usually every ', toString(intDiv(usual, 1000000)), ' s') "
      "FROM (SELECT tenant_id, instrument_id, `interval` AS kind, "
      "arraySort(groupArray(toUnixTimestamp64Micro(window_start))) AS starts, "
      "arraySort(arrayPopFront(arrayDifference(starts))) AS steps, steps[intDiv(length(steps) + 1, 2)] AS usual "
      "FROM $TABLE FINAL WHERE window_start >= $FROM AND window_start < $TO AND state != 'open' AND $TENANT "
      "GROUP BY tenant_id, instrument_id, kind HAVING length(starts) > 2) "
      "ARRAY JOIN arrayEnumerate(arrayPopBack(starts)) AS i "
      "WHERE (starts[i + 1] - starts[i]) * 2 > usual * 3 AND starts[i + 1] - starts[i] - usual >= $GAP "
      "ORDER BY tenant_id, instrument_id, kind, i" },
    { "value", "values that cannot be", bar_tables,
      "SELECT concat(tenant_id, '/', instrument_id, ' ', `interval`, ' ', toString(window_start)), arrayStringConcat(wrong, ', ') "
      "FROM (SELECT *, arrayFilter(x -> x != '', ["
      "if(low > high OR open < low OR open > high OR close < low OR close > high, 'open, high, low and close do not fit', ''), "
      "if(NOT isFinite(ifNull(vwap, 0)), 'vwap is no number', ''), "
      "if(volume > 0 AND (vwap < toFloat64(low) OR vwap > toFloat64(high)), 'vwap is outside of low and high', ''), "
      "if(volume < 0, 'volume is negative', ''), if(trade_count < 1, 'it has no trades', ''), "
      "if(first_event_time < window_start OR last_event_time >= window_end OR first_event_time > last_event_time, "
      "'its times are outside of its window', '')]) AS wrong "
      "FROM $TABLE FINAL WHERE window_start >= $FROM AND window_start < $TO AND $TENANT) "
      "WHERE notEmpty(wrong) ORDER BY tenant_id, instrument_id, window_start" },
    { "limit", "instruments beyond limits", tick_tables,
      "SELECT concat(tenant_id, '/', instrument_id), concat(toString(count()), ' prices out of the range of ', any(market), ', ', "
      "toString(min(price)), ' to ', toString(max(price))) "
      "FROM $TABLE FINAL WHERE event_time >= $FROM AND event_time < $TO AND has(quality_flags, 'out_of_range') AND $TENANT "
      "GROUP BY tenant_id, instrument_id ORDER BY tenant_id, instrument_id" },
    { "duplicate", "duplicates", bar_tables,
      "SELECT concat(tenant_id, '/', instrument_id, ' ', `interval`, ' ', toString(window_start)), concat(toString(count()), ' rows') "
      "FROM $TABLE FINAL WHERE window_start >= $FROM AND window_start < $TO AND $TENANT "
      "GROUP BY tenant_id, instrument_id, `interval`, window_start HAVING count() > 1 ORDER BY 1" },
    { "duplicate", NULL, tick_tables,
      "SELECT concat(tenant_id, '/', any(instrument_id), ' tick ', tick_id), concat(toString(count()), ' rows') "
      "FROM $TABLE FINAL WHERE event_time >= $FROM AND event_time < $TO AND $TENANT "
      "GROUP BY tenant_id, tick_id HAVING count() > 1 ORDER BY 1" },
    { "stale", "markets out of date", tick_tables,
      "SELECT concat(tenant_id, '/', market), concat('the newest tick is of ', toString(max(event_time))) "
      "FROM $TABLE FINAL WHERE event_time >= $FROM AND event_time < $TO AND $TENANT "
      "GROUP BY tenant_id, market HAVING max(event_time) < $NEWEST ORDER BY 1" },
    { "empty", "empty tables", filled_tables,
      "SELECT '$TABLE', 'no row of the window' FROM (SELECT count() AS rows FROM $TABLE FINAL "
      "WHERE window_start >= $FROM AND window_start < $TO AND $TENANT) WHERE rows = 0" },
};

/* ---- asking ---- */

enum word { TABLE, FROM, TO, TENANT, GAP, NEWEST, WORDS };

struct quality {
    struct clickhouse_client client;
    struct {
        const char *word;
        char        text[200];
    } filled[WORDS];
    size_t found[ARRAY_SIZE(checks)]; /* by the first check of its name */
    size_t at, shown, total, asked;
    bool   dry;
};

static void fill_in(const struct quality *quality, const char *sql, struct weir__buf *ret)
{
    while (*sql != '\0') {
        size_t i = 0;

        while (i < WORDS && strncmp(sql, quality->filled[i].word, strlen(quality->filled[i].word)) != 0)
            i++;
        if (i < WORDS) {
            weir__buf_puts(ret, quality->filled[i].text);
            sql += strlen(quality->filled[i].word);
        } else {
            weir__buf_putc(ret, *sql++);
        }
    }
    weir__buf_putc(ret, '\0');
}

static int take_finding(void *arg, struct weir_text line, struct weir_error *reterr)
{
    struct quality  *quality = arg;
    struct weir_text fields[2];

    if (clickhouse_fields((char *)line.data, line.size, fields, 2) != 2)
        return weir__fail(reterr, WEIR_CORRUPT, checks[quality->at].name, "the answer is no line of two fields");
    quality->total++;
    if (quality->shown++ < SHOWN_MOST)
        printf("%s: %.*s: %.*s\n", checks[quality->at].name, (int)fields[0].size, fields[0].data, (int)fields[1].size,
               fields[1].data);
    return WEIR_OK;
}

static int ask_table(struct quality *quality, const char *table, struct weir_error *reterr)
{
    struct weir__buf sql = { 0 };
    int              err = WEIR_NO_MEMORY;

    snprintf(quality->filled[TABLE].text, sizeof(quality->filled[TABLE].text), "%s", table);
    fill_in(quality, checks[quality->at].sql, &sql);
    quality->asked++;
    if (weir__buf_ok(&sql) && quality->dry)
        err =
            printf("%s: %s would be asked: %s\n", checks[quality->at].name, table, sql.data) < 0 ? WEIR_IO : WEIR_OK;
    else if (weir__buf_ok(&sql))
        err = clickhouse_ask(&quality->client, sql.data, true, take_finding, quality, reterr);
    weir__buf_fini(&sql);
    return err;
}

static int check(struct quality *quality, struct weir_error *reterr)
{
    const char *const *tables = checks[quality->at].tables;
    int                err = WEIR_OK;

    quality->shown = 0;
    for (size_t i = 0; err == WEIR_OK && tables[i] != NULL; i++)
        err = ask_table(quality, tables[i], reterr);
    if (quality->shown > SHOWN_MOST)
        printf("... and %zu more of %s\n", quality->shown - SHOWN_MOST, checks[quality->at].name);
    quality->found[checks[quality->at].plural != NULL ? quality->at : quality->at - 1] += quality->shown;
    return err;
}

static void sum_up(const struct quality *quality)
{
    const char *comma = "";

    for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
        if (checks[i].plural != NULL) {
            printf("%s%zu %s", comma, quality->found[i], checks[i].plural);
            comma = ", ";
        }
    putchar('\n');
}

/* ---- the command ---- */

static void fill_time(struct quality *quality, enum word at, const char *word, int64_t us)
{
    quality->filled[at].word = word;
    snprintf(quality->filled[at].text, sizeof(quality->filled[at].text), "fromUnixTimestamp64Micro(%lld)",
             (long long)us);
}

static int read_duration(const struct weir__args *args, const char *name, const char *standard, int64_t *ret_us,
                         struct weir_error *reterr)
{
    const char *text = weir__args_value(args, name, standard);
    int64_t     ms;

    if (weir__parse_duration(text, &ms) < 0 || ms < 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line",
                          "--%s is \"%.40s\": give a duration, such as 30m", name, text);
    *ret_us = ms * 1000;
    return WEIR_OK;
}

static int fill_tenant(struct quality *quality, const char *tenant, struct weir_error *reterr)
{
    struct weir__buf text = { 0 };
    int              err = WEIR_OK;

    weir__buf_puts(&text, tenant != NULL ? "tenant_id = " : "1");
    if (tenant != NULL)
        clickhouse_quote((struct weir_text){ tenant, strlen(tenant) }, &text);
    weir__buf_putc(&text, '\0');
    if (!weir__buf_ok(&text) || text.size > sizeof(quality->filled[TENANT].text))
        err = weir__fail(reterr, WEIR_BAD_ARGUMENT, "--tenant", "it is too long");
    else
        memcpy(quality->filled[TENANT].text, text.data, text.size);
    quality->filled[TENANT].word = "$TENANT";
    weir__buf_fini(&text);
    return err;
}

static int fill_all(struct quality *quality, const struct weir__args *args, struct weir_error *reterr)
{
    int64_t from, to, gap, fresh;
    int     err = market_read_window(args, &from, &to, reterr);

    if (err == WEIR_OK)
        err = read_duration(args, "gap", "0", &gap, reterr);
    if (err == WEIR_OK)
        err = read_duration(args, "fresh", "2h", &fresh, reterr);
    if (err == WEIR_OK)
        err = fill_tenant(quality, weir__args_value(args, "tenant", NULL), reterr);
    if (err < 0)
        return err;
    quality->filled[TABLE].word = "$TABLE";
    fill_time(quality, FROM, "$FROM", from);
    fill_time(quality, TO, "$TO", to);
    quality->filled[GAP].word = "$GAP";
    snprintf(quality->filled[GAP].text, sizeof(quality->filled[GAP].text), "%lld", (long long)gap);
    fill_time(quality, NEWEST, "$NEWEST", MIN(to, weir__wall_ms() * 1000) - fresh);
    return WEIR_OK;
}

static int look(struct quality *quality, const struct weir__program *program, const struct weir__args *args,
                struct weir_error *reterr)
{
    int err = fill_all(quality, args, reterr);

    if (err == WEIR_OK)
        err = clickhouse_client_open(weir__config_public(program->settings), &quality->client, reterr);
    if (err == WEIR_NOTHING)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "clickhouse.url",
                          "it is not set: write --clickhouse.url http://HOST:8123");
    for (; err == WEIR_OK && quality->at < ARRAY_SIZE(checks); quality->at++)
        err = check(quality, reterr);
    if (err == WEIR_OK && quality->dry)
        printf("%zu questions would be asked of %s\n", quality->asked, quality->client.url);
    clickhouse_client_close(&quality->client);
    return err;
}

static int run_quality(struct weir__program *program, const struct weir__args *args)
{
    struct quality    quality = { .dry = weir__args_has(args, "dry-run") };
    struct weir_error words = { 0 };
    int               err = look(&quality, program, args, &words);

    if (err < 0) {
        (void)weir__report(&words);
        return WEIR__EXIT_USAGE;
    }
    if (!quality.dry)
        sum_up(&quality);
    return quality.total > 0 ? WEIR__EXIT_FAILED : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "from", .value = "TIME", .meaning = "windows and ticks of this time or later (UTC)" },
    { .name = "to", .value = "TIME", .meaning = "... and before this one" },
    { .name = "tenant", .value = "NAME", .meaning = "of one tenant (default: all)" },
    { .name = "gap", .value = "DURATION", .meaning = "gaps of at least this length (default: all)" },
    { .name = "fresh",
      .value = "DURATION",
      .meaning = "how old a market's newest tick may be at the end (default 2h)" },
    { .name = "dry-run", .meaning = "prints the questions, and asks none" },
    { .name = NULL },
};
const struct weir__command market_command_quality = {
    .name = "quality",
    .usage = "quality --from TIME --to TIME [--tenant NAME] [--gap DURATION] [--fresh DURATION] [--dry-run]",
    .meaning =
        "Checks ClickHouse's ticks and bars of a window: gaps, values, limits, duplicates, age: exit 0 none found, 1 some, 2 error.",
    .flags = flags,
    .run = run_quality,
    .audited = "data_access",
};
