/* reference.c: the rows of a reference file into their compacted topic, which topologies read as a global table.
 *
 * (1) The file is the whole truth: rows that the topic has and the file has not are deleted.
 * (2) Only differences are written. A version that the file does not say rises by one with each change of its row; it
 *     begins anew where a row had been deleted.
 */
#include "schemas/feeds/reference.h"
#include "topologies/commands.h"
#include "topologies/differences.h"

#define PRODUCER_ID "market-reference"
#define CALL_MS     10000

struct loading {
    const struct weir__load_config     *config;
    const struct market_reference_kind *kind;
    struct weir__producer              *producer;
    struct weir_arena                   rows, scratch;
    struct market_held                 *held;
    bool                                dry;
    struct market_reference_counts     *counts;
};

static int64_t call_by(const struct loading *loading)
{
    return loading->config->engine->now(loading->config->log) + CALL_MS;
}

static bool must_stop(const struct loading *loading)
{
    return loading->config->stop != NULL && atomic_load(loading->config->stop);
}

static int no_memory(struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, "reference rows", "out of memory");
}

/* ---- what the topic holds ---- */

static int take_held(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct loading *loading = arg;

    if (raw->key.data == NULL)
        return WEIR_OK;
    return market_held_take(loading->held, raw->key, raw->value) < 0 ? no_memory(reterr) : WEIR_OK;
}

static int learn_held(struct loading *loading, struct weir_error *reterr)
{
    const struct weir__log_engine *engine = loading->config->engine;
    int32_t                        count = 0;
    int                            err = WEIR_OK;

    if (loading->config->log != NULL)
        err = engine->partitions(loading->config->log, loading->kind->topic, call_by(loading), &count);
    if (err < 0 && !(loading->dry && err == WEIR_NOTFOUND))
        return weir__fail(reterr, err, loading->kind->topic, "the topic cannot be read: %s", weir_code_text(err));
    if (market_held_new(loading->kind, &loading->held) < 0)
        return no_memory(reterr);
    if (count == 0)
        return WEIR_OK;
    return weir__read_topic(engine, loading->config->log, loading->kind->topic, count, take_held, loading, reterr);
}

/* ---- what differs ---- */

static int send(struct loading *loading, struct weir_bytes key, struct weir_bytes value, struct weir_error *reterr)
{
    struct weir__raw raw = { .topic = loading->kind->topic, .partition = -1, .key = key, .value = value };
    int              err;

    if (loading->dry)
        return WEIR_OK;
    raw.timestamp = loading->config->engine->now(loading->config->log);
    err = loading->config->engine->send(loading->producer, &raw, 0);
    if (err < 0)
        return weir__fail(reterr, err, loading->kind->topic, "the log refuses the row of %.*s: %s", (int)key.size,
                          (const char *)key.data, weir_code_text(err));
    return WEIR_OK;
}

static int send_row(struct loading *loading, struct market_reference_row *row, struct weir_error *reterr)
{
    const struct market_key parts = market_reference_key(loading->kind, row->record);
    struct market_row       wanted = { .version =
                                     row->versioned ? *market_reference_version(loading->kind, row->record) : 0 };
    struct weir_bytes       value;
    int                     found;

    weir__arena_reset(&loading->scratch);
    if (market_key->encode(market_key, &loading->scratch, &parts, &wanted.key) < 0 ||
        market_content_bytes(loading->kind, &loading->scratch, row->record, &wanted.content) < 0)
        return no_memory(reterr);
    found = market_held_differ(loading->held, &loading->scratch, &wanted, &value);
    if (found < 0)
        return no_memory(reterr);
    loading->counts->changed += found == MARKET_CHANGED;
    loading->counts->added += found == MARKET_ADDED;
    return found == MARKET_AS_IT_IS ? WEIR_OK : send(loading, wanted.key, value, reterr);
}

static int send_differences(struct loading *loading, struct market_reference_row *rows, size_t count,
                            struct weir_error *reterr)
{
    struct weir_bytes key;
    int               err = WEIR_OK, found = 0;

    market_held_begin(loading->held);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = send_row(loading, &rows[i], reterr);
    while (err == WEIR_OK && (found = market_held_vanished(loading->held, &loading->scratch, &key)) > 0) {
        loading->counts->removed++;
        err = send(loading, key, NO_BYTES, reterr);
    }
    return err == WEIR_OK && found < 0 ? no_memory(reterr) : err;
}

/* ---- the whole ---- */

static int ensure_topic(struct loading *loading, const struct weir__config *settings, struct weir_error *reterr)
{
    const struct weir__topic topic = { .name = loading->kind->topic,
                                       .partitions = weir__topics_partitions(settings, loading->config->engine),
                                       .settings = weir__table_topic_settings };

    return loading->config->engine->ensure(loading->config->log, &topic, 1, call_by(loading), NULL, NULL, reterr);
}

static int open_producer(struct loading *loading, struct weir_error *reterr)
{
    int err;

    do
        err = loading->config->engine->producer(loading->config->log, PRODUCER_ID, call_by(loading),
                                                &loading->producer, reterr);
    while (err == WEIR_AGAIN && !must_stop(loading));
    return err;
}

static int commit(struct loading *loading, struct weir_error *reterr)
{
    int err;

    do
        err = loading->config->engine->commit(loading->producer, PRODUCER_ID, NULL, 0, NULL, 0, call_by(loading));
    while (err == WEIR_AGAIN && !must_stop(loading));
    if (err < 0)
        return weir__fail(reterr, err, loading->kind->topic, "the rows cannot be committed: %s; load them again",
                          weir_code_text(err));
    return WEIR_OK;
}

int market_reference_load(const struct weir__load_config *config, const struct weir__config *settings,
                          const char *path, const char *tenant, bool dry, struct market_reference_counts *ret,
                          struct weir_error *reterr)
{
    struct loading               loading = { .config = config, .counts = ret, .dry = dry };
    struct market_reference_rows rows;
    int                          err;

    *ret = (struct market_reference_counts){ 0 };
    err = market_reference_read(path, tenant, &loading.rows, &rows, reterr);
    if (err == WEIR_OK) {
        ret->rows = rows.count;
        loading.kind = rows.kind;
    }
    if (err == WEIR_OK && !dry)
        err = ensure_topic(&loading, settings, reterr);
    if (err == WEIR_OK && !dry)
        err = open_producer(&loading, reterr);
    if (err == WEIR_OK) /* whoever wrote until now is fenced: it stays as it is read */
        err = learn_held(&loading, reterr);
    if (err == WEIR_OK)
        err = send_differences(&loading, rows.rows, rows.count, reterr);
    if (err == WEIR_OK && !dry && ret->added + ret->changed + ret->removed > 0)
        err = commit(&loading, reterr);
    config->engine->producer_close(loading.producer);
    market_held_free(loading.held);
    weir__arena_fini(&loading.scratch);
    weir__arena_fini(&loading.rows);
    return err;
}
