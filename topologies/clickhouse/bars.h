/* bars.h: bars as ClickHouse has them. */
#ifndef MARKET_CLICKHOUSE_BARS_H
#define MARKET_CLICKHOUSE_BARS_H

#include "topologies/clickhouse/clickhouse.h"
#include "topologies/clickhouse/client.h"
#include "topologies/converged.h"

const struct market_clickhouse_table *clickhouse_table_of(struct weir_text interval);
/* Those of the run's window, into the run. Codes of clickhouse_ask, of market_run_add. */
int clickhouse_read_bars(const struct clickhouse_client *client, struct market_run *run, struct weir_error *reterr);

#endif
