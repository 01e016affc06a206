/* outlet.c: the outlet: rows gathered by table, inserted in batches, several at a time.
 *
 * (1) A batch is sent when it is large, or when all is to be settled. While ClickHouse is away one is tried, again and again,
 *     at distances that grow to BACKOFF_MOST; what that one did is not known, and does not matter.
 * (2) Where nothing waits to be sent, a question finds out whether ClickHouse answers: at the start, and every IDLE_MOST.
 * (3) What is put is kept until its insert is acknowledged: more than `memory` is never taken, the runtime sees to it.
 */
#include "topologies/clickhouse/batches.h"

#include <sys/random.h>

#include "schemas/market.h"

enum {
    FLIGHTS = 4,                /* inserts at a time */
    BATCH_MOST = 4 << 20,       /* bytes; a few thousand rows */
    BACKOFF_LEAST = 100 * 1000, /* us */
    BACKOFF_MOST = 2000 * 1000,
    IDLE_MOST = 5000 * 1000, /* us without a word, after which it is asked whether it is there */
    LOOK_MS = 100,           /* between looks while something is waited for */
};

struct outlet {
    struct clickhouse_client  client;
    CURLM                    *multi;
    struct clickhouse_batches filling, ready, sent;
    struct clickhouse_request probe; /* easy != NULL: it is on its way */
    size_t                    bytes, batch_most, flights;
    uint64_t                  origin, number;              /* of tokens */
    int64_t                   flush_ms, backoff, again_at; /* us, by the monotonic clock */
    bool                      up;
    struct weir_error         words; /* why it is not up */
    char              why[sizeof(((struct weir_error *)0)->where) + sizeof(((struct weir_error *)0)->text) + 2];
    int               refused; /* until forget: what settle says */
    struct weir_error refusal;
};

static void say_why(struct outlet *outlet, const struct weir_error *words)
{
    outlet->words = *words;
    snprintf(outlet->words.where, sizeof(outlet->words.where), "%s", outlet->client.url);
    snprintf(outlet->why, sizeof(outlet->why), "%s: %s", outlet->words.where, outlet->words.text);
}

/* ---- open and close ---- */

static int open_outlet(const struct weir_outlet *about, const struct weir_settings *settings, size_t memory,
                       void **ret, struct weir_error *reterr)
{
    struct outlet *outlet = weir__zalloc(sizeof(*outlet));
    int            err;

    (void)about;
    if (outlet == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "clickhouse", "out of memory");
    err = clickhouse_client_open(settings, &outlet->client, reterr);
    if (err != WEIR_OK) {
        weir__free(outlet);
        return err;
    }
    outlet->multi = curl_multi_init();
    if (outlet->multi == NULL || getrandom(&outlet->origin, sizeof(outlet->origin), 0) != sizeof(outlet->origin)) {
        clickhouse_client_close(&outlet->client);
        weir__free(outlet);
        return weir__fail(reterr, WEIR_NO_MEMORY, "clickhouse", "out of memory");
    }
    clickhouse_batches_init(&outlet->filling);
    clickhouse_batches_init(&outlet->ready);
    clickhouse_batches_init(&outlet->sent);
    outlet->batch_most = MIN(memory / (2 * FLIGHTS), (size_t)BATCH_MOST);
    outlet->flush_ms = weir_settings_number(settings, "clickhouse.flush.ms");
    say_why(outlet, &(struct weir_error){ .code = WEIR_AGAIN, .text = "it has not answered yet" });
    *ret = outlet;
    return WEIR_OK;
}

static void drop_all(struct outlet *outlet, struct clickhouse_batches *batches)
{
    struct clickhouse_batch *batch;

    while ((batch = batches->first) != NULL) {
        clickhouse_batches_take(batches, batch);
        if (batch->request.easy != NULL)
            curl_multi_remove_handle(outlet->multi, batch->request.easy);
        clickhouse_batch_free(batch);
    }
}

static void forget(void *open)
{
    struct outlet *outlet = open;

    drop_all(outlet, &outlet->filling);
    drop_all(outlet, &outlet->ready);
    drop_all(outlet, &outlet->sent);
    outlet->bytes = outlet->flights = 0;
    outlet->refused = WEIR_OK;
}

static void end_probe(struct outlet *outlet)
{
    if (outlet->probe.easy != NULL)
        curl_multi_remove_handle(outlet->multi, outlet->probe.easy);
    clickhouse_request_close(&outlet->probe);
}

static void close_outlet(void *open)
{
    struct outlet *outlet = open;

    forget(outlet);
    end_probe(outlet);
    curl_multi_cleanup(outlet->multi);
    clickhouse_client_close(&outlet->client);
    weir__free(outlet);
}

/* ---- put ---- */

static int batch_of(struct outlet *outlet, const struct market_clickhouse_table *table, struct clickhouse_batch **ret)
{
    char token[40];
    int  err;

    for (struct clickhouse_batch *batch = outlet->filling.first; batch != NULL; batch = batch->next)
        if (batch->table == table) {
            *ret = batch;
            return WEIR_OK;
        }
    snprintf(token, sizeof(token), "%016llx-%llu", (unsigned long long)outlet->origin,
             (unsigned long long)outlet->number++);
    err = clickhouse_batch_new(table, token, ret);
    if (err == WEIR_OK)
        clickhouse_batches_add(&outlet->filling, *ret);
    return err;
}

static void make_ready(struct outlet *outlet, struct clickhouse_batch *batch)
{
    clickhouse_batches_take(&outlet->filling, batch);
    clickhouse_batches_add(&outlet->ready, batch);
}

int market_clickhouse_add(void *open, const struct market_clickhouse_table *table, const void *value, int64_t epoch)
{
    struct outlet           *outlet = open;
    struct clickhouse_batch *batch;
    size_t                   before;
    int                      err = batch_of(outlet, table, &batch);

    if (err < 0)
        return err;
    before = batch->rows.buf.size;
    err = clickhouse_batch_add(batch, value, epoch);
    outlet->bytes += batch->rows.buf.size - before;
    if (batch->rows.buf.size >= outlet->batch_most)
        make_ready(outlet, batch);
    return err;
}

static int put(void *open, struct weir_context *ctx, const struct weir_record *rec)
{
    if (rec->value == NULL) {
        weir_drop(ctx, "gone");
        return WEIR_OK;
    }
    return market_clickhouse_add(open, weir_arg(ctx), rec->value, market_first_epoch(weir_epoch(ctx)));
}

/* ---- sending ---- */

static void send_batch(struct outlet *outlet, struct clickhouse_batch *batch)
{
    if (clickhouse_batch_ask(batch, &outlet->client) < 0 ||
        curl_multi_add_handle(outlet->multi, batch->request.easy) != CURLM_OK) {
        clickhouse_request_close(&batch->request); /* out of memory: tried again with the next look */
        return;
    }
    clickhouse_batches_take(&outlet->ready, batch);
    clickhouse_batches_add(&outlet->sent, batch);
    outlet->flights++;
}

/* The ledger of migrations is there where the tables are. */
static void send_probe(struct outlet *outlet)
{
    static const char sql[] = "SELECT max(version) FROM schema_migrations";
    struct weir__buf  parameters = { 0 };

    clickhouse_parameter("database", outlet->client.database, &parameters);
    weir__buf_putc(&parameters, '\0');
    if (!weir__buf_ok(&parameters) ||
        clickhouse_request_open(&outlet->probe, &outlet->client, parameters.data,
                                (struct weir_text){ sql, strlen(sql) }) < 0 ||
        curl_multi_add_handle(outlet->multi, outlet->probe.easy) != CURLM_OK)
        clickhouse_request_close(&outlet->probe); /* out of memory: tried again with the next look */
    weir__buf_fini(&parameters);
}

/* NULL = none may be sent now. */
static struct clickhouse_batch *next_batch(const struct outlet *outlet)
{
    struct clickhouse_batch *batch = outlet->ready.first, *sent;

    for (; batch != NULL; batch = batch->next) {
        for (sent = outlet->sent.first; sent != NULL && sent->table != batch->table; sent = sent->next)
            ;
        if (sent == NULL || !batch->table->ordered)
            return batch;
    }
    return NULL;
}

static void send_some(struct outlet *outlet)
{
    const size_t             most = outlet->up ? FLIGHTS : 1;
    const bool               due = weir__monotonic_us() >= outlet->again_at;
    struct clickhouse_batch *batch;
    size_t                   before;

    if (outlet->refused < 0 || outlet->probe.easy != NULL || (!outlet->up && !due))
        return;
    if (due && outlet->ready.first == NULL && outlet->flights == 0)
        send_probe(outlet);
    do {
        before = outlet->flights;
        batch = outlet->flights < most ? next_batch(outlet) : NULL;
        if (batch != NULL)
            send_batch(outlet, batch);
    } while (outlet->flights > before);
}

/* ---- answers ---- */

static void came(struct outlet *outlet)
{
    outlet->up = true;
    outlet->backoff = 0;
    outlet->again_at = weir__monotonic_us() + IDLE_MOST;
}

static void wait_for_it(struct outlet *outlet, const struct weir_error *words)
{
    outlet->up = false;
    say_why(outlet, words);
    outlet->backoff = outlet->backoff == 0 ? BACKOFF_LEAST : MIN(2 * outlet->backoff, BACKOFF_MOST);
    outlet->again_at = weir__monotonic_us() + outlet->backoff;
}

static void refuse(struct outlet *outlet, int code, const char *table, const struct weir_error *words)
{
    outlet->refused =
        weir__fail(&outlet->refusal, code, words->where, "%s%s%s", table, *table != '\0' ? ": " : "", words->text);
    if (code == WEIR_BAD_CONFIG)
        wait_for_it(outlet, words);
}

/* Whether it is done; else what was asked is to be asked again, unless something was refused. */
static bool judge(struct outlet *outlet, enum clickhouse_meaning meaning, const char *table, struct weir_error *words)
{
    switch (meaning) {
    case CLICKHOUSE_DONE: came(outlet); return true;
    case CLICKHOUSE_ROW: refuse(outlet, WEIR_REJECTED, table, words); break;
    case CLICKHOUSE_LARGE: refuse(outlet, WEIR_TOO_LARGE, table, words); break;
    case CLICKHOUSE_REFUSED: refuse(outlet, WEIR_BAD_CONFIG, table, words); break;
    case CLICKHOUSE_MISSING:
        strncat(words->text, ": run \"migrate clickhouse\"", sizeof(words->text) - strlen(words->text) - 1);
        wait_for_it(outlet, words);
        break;
    case CLICKHOUSE_LATER: wait_for_it(outlet, words); break;
    }
    return false;
}

static void take_probe(struct outlet *outlet, CURLcode result)
{
    struct weir_error       words = { 0 };
    enum clickhouse_meaning meaning = clickhouse_meaning(result, &outlet->probe, &words);

    end_probe(outlet);
    (void)judge(outlet, meaning, "", &words);
}

static void take_batch(struct outlet *outlet, struct clickhouse_batch *batch, CURLcode result)
{
    struct weir_error       words = { 0 };
    enum clickhouse_meaning meaning = clickhouse_meaning(result, &batch->request, &words);

    curl_multi_remove_handle(outlet->multi, batch->request.easy);
    clickhouse_request_close(&batch->request);
    clickhouse_batches_take(&outlet->sent, batch);
    outlet->flights--;
    if (judge(outlet, meaning, batch->table->name, &words)) {
        outlet->bytes -= batch->rows.buf.size;
        clickhouse_batch_free(batch);
    } else { /* first: while it fails nothing else is tried */
        clickhouse_batches_put_first(&outlet->ready, batch);
    }
}

static void take_answers(struct outlet *outlet)
{
    CURLMsg *message;
    int      left;

    while ((message = curl_multi_info_read(outlet->multi, &left)) != NULL) {
        struct clickhouse_request *request;
        CURLcode                   result = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
        if (request == &outlet->probe)
            take_probe(outlet, result);
        else
            take_batch(outlet,
                       (struct clickhouse_batch *)((char *)request - offsetof(struct clickhouse_batch, request)),
                       result);
    }
}

static void serve(void *open)
{
    struct outlet *outlet = open;
    int            running;

    send_some(outlet);
    curl_multi_perform(outlet->multi, &running);
    take_answers(outlet);
}

/* ---- settle ---- */

static void make_all_ready(struct outlet *outlet)
{
    while (outlet->filling.first != NULL)
        make_ready(outlet, outlet->filling.first);
}

static int fail_away(const struct outlet *outlet, struct weir_error *reterr)
{
    if (outlet->up)
        return weir__fail(reterr, WEIR_AGAIN, outlet->client.url, "it has not answered yet");
    *reterr = outlet->words;
    return reterr->code = WEIR_AGAIN;
}

static int settle(void *open, int64_t wait_ms, struct weir_error *reterr)
{
    struct outlet *outlet = open;
    const int64_t  until = weir__monotonic_us() + wait_ms * 1000;

    make_all_ready(outlet);
    for (;;) {
        int64_t left = (until - weir__monotonic_us()) / 1000;

        serve(outlet);
        if (outlet->refused < 0) {
            *reterr = outlet->refusal;
            return outlet->refused;
        }
        if (outlet->ready.first == NULL && outlet->sent.first == NULL)
            return WEIR_OK;
        if (left <= 0)
            return fail_away(outlet, reterr);
        curl_multi_poll(outlet->multi, NULL, 0, (int)MIN(left, LOOK_MS), NULL);
    }
}

static void look(void *open, struct weir_outlet_standing *ret)
{
    struct outlet *outlet = open;

    ret->bytes = outlet->bytes;
    ret->up = outlet->up;
    ret->why = outlet->why;
}

static int64_t commit_every(void *open) { return ((const struct outlet *)open)->flush_ms; }

const struct weir_outlet market_clickhouse[1] = { {
    .name = "clickhouse",
    .open = open_outlet,
    .put = put,
    .serve = serve,
    .settle = settle,
    .forget = forget,
    .look = look,
    .close = close_outlet,
    .commit_every = commit_every,
} };
