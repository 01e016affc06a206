/* batches.c: rows of one table that are inserted by one request. */
#include "topologies/clickhouse/batches.h"

int clickhouse_batch_new(const struct market_clickhouse_table *table, const char *token,
                         struct clickhouse_batch **ret)
{
    struct clickhouse_batch *batch = weir__zalloc(sizeof(*batch));

    if (batch == NULL)
        return WEIR_NO_MEMORY;
    batch->table = table;
    snprintf(batch->token, sizeof(batch->token), "%s", token);
    *ret = batch;
    return WEIR_OK;
}

void clickhouse_batch_free(struct clickhouse_batch *batch)
{
    clickhouse_request_close(&batch->request);
    weir__json_out_fini(&batch->rows);
    weir__free(batch);
}

int clickhouse_batch_add(struct clickhouse_batch *batch, const void *value, int64_t epoch)
{
    struct weir__buf *rows = &batch->rows.buf;
    const size_t      before = rows->size;
    int               err;

    batch->rows.comma = false;
    err = batch->table->value->print(batch->table->value, value, &batch->rows);
    if (err == WEIR_OK && batch->table->epoch) {
        rows->size--; /* the brace that ends it */
        weir__buf_printf(rows, ",\"epoch\":%lld}", (long long)epoch);
    }
    weir__buf_putc(rows, '\n');
    if (err == WEIR_OK && weir__buf_ok(rows)) {
        batch->count++;
        return WEIR_OK;
    }
    rows->size = before;
    rows->failed = false;
    batch->rows.depth = 0;
    return err < 0 ? err : WEIR_NO_MEMORY;
}

int clickhouse_batch_ask(struct clickhouse_batch *batch, const struct clickhouse_client *client)
{
    struct weir__buf parameters = { 0 };
    char             insert[128];
    int              err = WEIR_NO_MEMORY;

    snprintf(insert, sizeof(insert), "INSERT INTO %s FORMAT JSONEachRow", batch->table->name);
    clickhouse_parameter("database", client->database, &parameters);
    clickhouse_parameter("query", insert, &parameters);
    clickhouse_parameter("insert_deduplication_token", batch->token, &parameters);
    /* acknowledged when it is in the table, not before; a null is not to become a zero, nor a field to vanish */
    weir__buf_puts(&parameters, "&async_insert=0&input_format_null_as_default=0&input_format_skip_unknown_fields=0");
    weir__buf_puts(&parameters, "&max_partitions_per_insert_block=0"); /* a batch of a file's years is no mistake */
    weir__buf_putc(&parameters, '\0');
    if (weir__buf_ok(&parameters))
        err = clickhouse_request_open(&batch->request, client, parameters.data,
                                      (struct weir_text){ batch->rows.buf.data, batch->rows.buf.size });
    weir__buf_fini(&parameters);
    return err;
}

void clickhouse_batches_init(struct clickhouse_batches *batches)
{
    batches->first = NULL;
    batches->last = &batches->first;
}

void clickhouse_batches_add(struct clickhouse_batches *batches, struct clickhouse_batch *batch)
{
    batch->next = NULL;
    *batches->last = batch;
    batches->last = &batch->next;
}

void clickhouse_batches_put_first(struct clickhouse_batches *batches, struct clickhouse_batch *batch)
{
    batch->next = batches->first;
    if (batches->first == NULL)
        batches->last = &batch->next;
    batches->first = batch;
}

void clickhouse_batches_take(struct clickhouse_batches *batches, struct clickhouse_batch *batch)
{
    struct clickhouse_batch **at = &batches->first;

    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
    if (batches->last == &batch->next)
        batches->last = at;
}
