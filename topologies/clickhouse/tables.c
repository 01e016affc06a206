/* tables.c: which records go to which table; schemas/migrations/clickhouse makes these. */
#include "topologies/clickhouse/clickhouse.h"

#include "schemas/market.h"

/* clang-format off */
#define TABLE(id, called, ...) const struct market_clickhouse_table market_clickhouse_##id[1] = {{ .name = called, __VA_ARGS__ }}

TABLE(ticks,   "enriched_ticks", .value = market_enriched_json, .epoch = true);
TABLE(bars_1m, "bars_1m",        .value = market_bar);
TABLE(bars_5m, "bars_5m",        .value = market_bar);
TABLE(bars_1h, "bars_1h",        .value = market_bar);
TABLE(bars_1d, "bars_1d",        .value = market_bar);
TABLE(bars_other, "bars_other",  .value = market_bar);
TABLE(stats,   "rolling_stats",  .value = market_stats);
TABLE(spreads, "spreads",        .value = market_spread);
TABLE(curves,  "curves",         .value = market_curve_update);
TABLE(latest,  "served_latest",  .value = market_latest,         .ordered = true);
TABLE(curve_snapshots, "served_curve_snapshots", .value = market_curve_snapshot, .ordered = true);
/* clang-format on */
