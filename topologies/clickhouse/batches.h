/* batches.h: rows of one table that are inserted by one request. Inside this folder.
 *
 * (1) A batch keeps its token for as long as it is sent: an insert whose answer was lost is not done twice, where the engine
 *     still knows the token; where it does not, the rows' identities see to it.
 */
#ifndef MARKET_CLICKHOUSE_BATCHES_H
#define MARKET_CLICKHOUSE_BATCHES_H

#include "framework/json/json.h"
#include "topologies/clickhouse/clickhouse.h"
#include "topologies/clickhouse/client.h"

struct clickhouse_batch {
    struct clickhouse_batch              *next;
    const struct market_clickhouse_table *table;
    struct weir_json_out                  rows; /* a line each */
    size_t                                count;
    char                                  token[40];
    struct clickhouse_request             request; /* easy != NULL: it is on its way */
};
struct clickhouse_batches { /* in order; last points to the last one's next */
    struct clickhouse_batch *first, **last;
};

int  clickhouse_batch_new(const struct market_clickhouse_table *table, const char *token,
                          struct clickhouse_batch **ret);
void clickhouse_batch_free(struct clickhouse_batch *batch);
/* The row of a value, codec's codes: then the batch is as it was. epoch: where the table wants one. */
int clickhouse_batch_add(struct clickhouse_batch *batch, const void *value, int64_t epoch);
/* Makes the request that inserts it; WEIR_NO_MEMORY. */
int clickhouse_batch_ask(struct clickhouse_batch *batch, const struct clickhouse_client *client);

void clickhouse_batches_init(struct clickhouse_batches *batches);
void clickhouse_batches_add(struct clickhouse_batches *batches, struct clickhouse_batch *batch);
void clickhouse_batches_put_first(struct clickhouse_batches *batches, struct clickhouse_batch *batch);
void clickhouse_batches_take(struct clickhouse_batches *batches, struct clickhouse_batch *batch);

#endif
