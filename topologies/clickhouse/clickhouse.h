/* clickhouse.h: ClickHouse for the pipeline: an outlet that inserts rows, and what commands ask.
 *
 * (1) A row's identity is the sorting key of its table, its place among rows of that identity the table's own version: rows
 *     may be sent twice, late, and in any order. So everything reads with FINAL, or argMax by version.
 * (2) A row is the record's JSON: its columns are called as the record's fields are. The tables are made by the migrations.
 */
#ifndef MARKET_CLICKHOUSE_H
#define MARKET_CLICKHOUSE_H

#include "framework/outlet.h"

/* The outlet. Settings: clickhouse.url and others of clickhouse. */
extern const struct weir_outlet market_clickhouse[1];

/* The .arg of an outlet's node: the table that its records go to. Records without a value are dropped. */
struct market_clickhouse_table {
    const char              *name;
    const struct weir_codec *value; /* of JSON */
    bool                     epoch; /* the record has none: that of the application is added */
    bool ordered;                   /* rows of one version: the last counts, so an insert waits for the one before */
};
extern const struct market_clickhouse_table market_clickhouse_ticks[1], /* of market_enriched */
    market_clickhouse_bars_1m[1], market_clickhouse_bars_5m[1], market_clickhouse_bars_1h[1],
    market_clickhouse_bars_1d[1], market_clickhouse_bars_other[1], market_clickhouse_stats[1],
    market_clickhouse_spreads[1], market_clickhouse_curves[1], market_clickhouse_latest[1],
    market_clickhouse_curve_snapshots[1];

/* What put does, for who has no node: commands. Codes of the codec; WEIR_NO_MEMORY. */
int market_clickhouse_add(void *open, const struct market_clickhouse_table *table, const void *value, int64_t epoch);

#endif
