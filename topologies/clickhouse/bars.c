/* bars.c: bars as ClickHouse has them: FINAL, in the form that the log has them in. */
#include "topologies/clickhouse/bars.h"

#include "framework/json/json.h"

static const struct interval {
    const char                           *name;
    const struct market_clickhouse_table *table;
} intervals[] = {
    { "1m", market_clickhouse_bars_1m },
    { "5m", market_clickhouse_bars_5m },
    { "1h", market_clickhouse_bars_1h },
    { "1d", market_clickhouse_bars_1d },
};

const struct market_clickhouse_table *clickhouse_table_of(struct weir_text interval)
{
    for (size_t i = 0; i < ARRAY_SIZE(intervals); i++)
        if (strlen(intervals[i].name) == interval.size &&
            memcmp(intervals[i].name, interval.data, interval.size) == 0)
            return intervals[i].table;
    return market_clickhouse_bars_other;
}

static int take_bar(void *arg, struct weir_text line, struct weir_error *reterr)
{
    struct market_run *run = arg;
    struct market_bar  bar = { 0 };
    int                err;

    weir__arena_reset(&run->scratch);
    err = market_explain(market_bar, &run->scratch, BYTES(line.data, line.size), &bar, reterr);
    return err < 0 ? err : market_run_add(run, MARKET_RUN_BARS, &bar, reterr);
}

/* The rows are chosen inside, where window_start is the column and not what it is written as. */
static int read_table(const struct clickhouse_client *client, const char *table, struct market_run *run,
                      struct weir_error *reterr)
{
    static const char form[] =
        "SELECT * EXCEPT inserted_at REPLACE ("
        "toUnixTimestamp64Micro(window_start) AS window_start, toUnixTimestamp64Micro(window_end) AS window_end, "
        "toUnixTimestamp64Micro(first_event_time) AS first_event_time, "
        "toUnixTimestamp64Micro(last_event_time) AS last_event_time) "
        "FROM (SELECT * FROM %s FINAL WHERE state != 'open' AND window_start >= fromUnixTimestamp64Micro(%lld) "
        "AND window_start < fromUnixTimestamp64Micro(%lld)) FORMAT JSONEachRow "
        "SETTINGS output_format_json_quote_64bit_integers = 0, output_format_json_quote_decimals = 0";
    char sql[1024];

    snprintf(sql, sizeof(sql), form, table, (long long)run->from, (long long)run->to);
    return clickhouse_ask(client, sql, true, take_bar, run, reterr);
}

int clickhouse_read_bars(const struct clickhouse_client *client, struct market_run *run, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < ARRAY_SIZE(intervals); i++)
        err = read_table(client, intervals[i].table->name, run, reterr);
    return err == WEIR_OK ? read_table(client, market_clickhouse_bars_other->name, run, reterr) : err;
}
