/* audit.c: the audit trail's table: events inserted by a writer's thread, and all of them read again. */
#include "topologies/audit.h"
#include "topologies/clickhouse/client.h"

#include <stdlib.h>

struct table {
    struct clickhouse_client client;
};

/* ---- writing ---- */

static void close_table(void *arg)
{
    struct table *table = arg;

    clickhouse_client_close(&table->client);
    weir__free(table);
}

/* Rows that are inserted twice in a row by one token are inserted once. */
static int make_request(const struct table *table, const struct weir__audit_event *first,
                        const struct weir__buf *rows, struct clickhouse_request *ret)
{
    struct weir__buf parameters = { 0 };
    int              err = WEIR_NO_MEMORY;

    clickhouse_parameter("database", table->client.database, &parameters);
    clickhouse_parameter("query", "INSERT INTO audit_events FORMAT JSONEachRow", &parameters);
    clickhouse_parameter("insert_deduplication_token", first->hash, &parameters);
    weir__buf_puts(&parameters, "&async_insert=0&input_format_skip_unknown_fields=0");
    weir__buf_putc(&parameters, '\0');
    if (weir__buf_ok(&parameters))
        err = clickhouse_request_open(ret, &table->client, parameters.data,
                                      (struct weir_text){ rows->data, rows->size });
    weir__buf_fini(&parameters);
    return err;
}

static int insert(struct clickhouse_request *request, int64_t ms, struct weir_error *reterr)
{
    curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, (long)ms);
    switch (clickhouse_meaning(curl_easy_perform(request->easy), request, reterr)) {
    case CLICKHOUSE_DONE: return WEIR_OK;
    case CLICKHOUSE_MISSING:
        strncat(reterr->text, ": run \"migrate clickhouse\"", sizeof(reterr->text) - strlen(reterr->text) - 1);
        return reterr->code = WEIR_AGAIN;
    default: return reterr->code = WEIR_AGAIN; /* people look meanwhile */
    }
}

static int write_events(void *arg, const struct weir__audit_event *const *events, size_t count, int64_t ms,
                        struct weir_error *reterr)
{
    const struct table       *table = arg;
    struct clickhouse_request request = { 0 };
    struct weir_json_out      rows = { 0 };
    int                       err;

    for (size_t i = 0; i < count; i++) {
        rows.comma = false;
        weir__audit_print(events[i], &rows);
        weir__buf_putc(&rows.buf, '\n');
    }
    err = weir__buf_ok(&rows.buf) ? make_request(table, events[0], &rows.buf, &request) : WEIR_NO_MEMORY;
    err = err == WEIR_OK ? insert(&request, ms, reterr) : weir__fail(reterr, err, table->client.url, "out of memory");
    clickhouse_request_close(&request);
    weir__json_out_fini(&rows);
    return err;
}

int market_audit_table(const struct weir__program *program, struct weir__audit_writer *ret, struct weir_error *reterr)
{
    struct table *table = weir__zalloc(sizeof(*table));
    int           err;

    if (table == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "audit", "out of memory");
    err = clickhouse_client_open(weir__config_public(program->settings), &table->client, reterr);
    if (err != WEIR_OK) {
        weir__free(table);
        return err;
    }
    *ret = (struct weir__audit_writer){
        .name = "clickhouse", .arg = table, .write = write_events, .close = close_table
    };
    return WEIR_OK;
}

/* ---- reading ---- */

struct reading {
    market_take_event *take;
    void              *arg;
};

/* sequence, chain_started, event_time, event_hash, then the texts. */
enum { NUMBERS = 4, FIELDS = NUMBERS + WEIR__AUDIT_TEXT_COUNT };

static int take_row(void *arg, struct weir_text line, struct weir_error *reterr)
{
    const struct reading    *reading = arg;
    struct weir_text         fields[FIELDS];
    struct weir__audit_event event;
    char                    *row = weir__memdup(line.data, line.size + 1); /* the end of the line becomes NUL */
    int                      err;

    if (row == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "audit_events", "out of memory");
    row[line.size] = '\t'; /* so that each field has room for its NUL */
    if (clickhouse_fields(row, line.size, fields, FIELDS) != FIELDS) {
        weir__free(row);
        return weir__fail(reterr, WEIR_CORRUPT, "audit_events", "a row has not %d fields", FIELDS);
    }
    for (size_t i = 0; i < FIELDS; i++)
        ((char *)fields[i].data)[fields[i].size] = '\0';
    event = (struct weir__audit_event){ .number = strtoull(fields[0].data, NULL, 10),
                                        .began = strtoll(fields[1].data, NULL, 10),
                                        .time = strtoll(fields[2].data, NULL, 10) };
    snprintf(event.hash, sizeof(event.hash), "%s", fields[3].data);
    for (size_t i = 0; i < WEIR__AUDIT_TEXT_COUNT; i++)
        event.texts[i] = fields[NUMBERS + i].data;
    err = reading->take(reading->arg, &event, reterr);
    weir__free(row);
    return err;
}

int market_audit_read_table(const struct weir__program *program, market_take_event *take, void *arg,
                            struct weir_error *reterr)
{
    struct clickhouse_client client;
    struct weir__buf         sql = { 0 };
    struct reading           reading = { take, arg };
    int                      err = clickhouse_client_open(weir__config_public(program->settings), &client, reterr);

    if (err != WEIR_OK)
        return err;
    weir__buf_puts(&sql,
                   "SELECT sequence, toUnixTimestamp64Micro(chain_started), toUnixTimestamp64Micro(event_time), "
                   "event_hash");
    for (size_t i = 0; i < WEIR__AUDIT_TEXT_COUNT; i++)
        weir__buf_printf(&sql, ", %s", weir__audit_names[i]);
    weir__buf_puts(
        &sql, " FROM audit_events FORMAT TabSeparated"); /* no FINAL: an edited row may stand beside its first form */
    weir__buf_putc(&sql, '\0');
    err = weir__buf_ok(&sql) ? clickhouse_ask(&client, sql.data, true, take_row, &reading, reterr)
                             : weir__fail(reterr, WEIR_NO_MEMORY, "audit_events", "out of memory");
    weir__buf_fini(&sql);
    clickhouse_client_close(&client);
    return err;
}
