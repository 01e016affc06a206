/* producer.c: producers: opened, written to, closed; what became of their records.
 *
 * (1) Always idempotent. One with an id has transactions; it is opened when its predecessor's transaction is resolved.
 * (2) Delivery reports come by callback, on whichever thread asks for them.
 * (3) What the broker would refuse for its size, its time or its place is refused here, at once.
 */
#include "framework/kafka/internal.h"

/* How long a send may look for its topic, ms; how many sends may pass before delivery reports are asked for. */
#define LOOK_MS     1000
#define SERVE_EVERY 1024
/* How long closing waits for an open transaction to be aborted, ms. */
#define CLOSE_MS 1000
/* How long a record without a transaction may be on its way, ms. */
#define ALONE_MS 300000

/* ---- delivery reports ---- */

static void add_failure(struct weir__producer *producer, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        return; /* by our own abort */
    if (GROW(producer->failures, producer->failure_capacity, producer->failure_count) < 0) {
        producer->forgot = true;
        return;
    }
    producer->failures[producer->failure_count++] =
        (struct failure){ .cookie = (uint64_t)(uintptr_t)message->_private, .code = weir__kafka_code(message->err) };
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg)
{
    struct weir__producer *producer = arg;
    struct destination    *to = rd_kafka_topic_opaque(message->rkt);

    (void)rk;
    pthread_mutex_lock(&producer->mutex);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        add_failure(producer, message);
    else if (message->partition < to->count)
        to->delivered[message->partition] = MAX(to->delivered[message->partition], message->offset + 1);
    pthread_mutex_unlock(&producer->mutex);
}

int weir__kafka_failed(struct weir__producer *producer, uint64_t *ret_cookie, int *ret_code)
{
    int err = WEIR_NOTFOUND;

    (void)rd_kafka_poll(producer->rk, 0);
    pthread_mutex_lock(&producer->mutex);
    if (producer->told < producer->failure_count) {
        *ret_cookie = producer->failures[producer->told].cookie;
        *ret_code = producer->failures[producer->told++].code;
        err = WEIR_OK;
    }
    pthread_mutex_unlock(&producer->mutex);
    return err;
}

int64_t weir__kafka_sent(struct weir__producer *producer, struct weir__tp tp)
{
    for (size_t i = 0; i < producer->destination_count; i++) {
        const struct destination *to = producer->destinations[i];

        if (strcmp(to->name, tp.topic) == 0 && tp.partition >= 0 && tp.partition < to->count)
            return to->sent[tp.partition];
    }
    return -1;
}

/* ---- destinations ---- */

static void destination_free(struct destination *to)
{
    if (to == NULL)
        return;
    if (to->topic != NULL)
        rd_kafka_topic_destroy(to->topic);
    weir__free(to->name);
    weir__free(to->delivered);
    weir__free(to->sent);
    weir__free(to);
}

static int widen(int64_t **offsets, int32_t before, int32_t count)
{
    int64_t *wider = weir__realloc(*offsets, sizeof(*wider) * (size_t)count);

    if (wider == NULL)
        return WEIR_NO_MEMORY;
    for (int32_t i = before; i < count; i++)
        wider[i] = -1;
    *offsets = wider;
    return WEIR_OK;
}

static int set_count(struct weir__producer *producer, struct destination *to, int32_t count)
{
    int err = WEIR_OK;

    pthread_mutex_lock(&producer->mutex);
    if (count > to->count) {
        err = widen(&to->delivered, to->count, count);
        if (err == WEIR_OK)
            err = widen(&to->sent, to->count, count);
        if (err == WEIR_OK)
            to->count = count;
    }
    pthread_mutex_unlock(&producer->mutex);
    return err;
}

static int add_destination(struct weir__producer *producer, const char *name, struct destination **ret)
{
    rd_kafka_topic_conf_t *conf;
    struct destination    *to;

    if (GROW(producer->destinations, producer->destination_capacity, producer->destination_count) < 0 ||
        (to = weir__zalloc(sizeof(*to))) == NULL)
        return WEIR_NO_MEMORY;
    to->name = weir__strdup(name);
    conf = rd_kafka_default_topic_conf_dup(producer->rk);
    rd_kafka_topic_conf_set_opaque(conf, to);
    to->topic = to->name != NULL ? rd_kafka_topic_new(producer->rk, name, conf) : NULL;
    if (to->topic == NULL) {
        rd_kafka_topic_conf_destroy(conf);
        destination_free(to);
        return WEIR_NO_MEMORY;
    }
    producer->last = producer->destination_count;
    producer->destinations[producer->destination_count++] = *ret = to;
    return WEIR_OK;
}

static struct destination *find_destination(struct weir__producer *producer, const char *name)
{
    if (producer->last < producer->destination_count &&
        strcmp(producer->destinations[producer->last]->name, name) == 0)
        return producer->destinations[producer->last];
    for (size_t i = 0; i < producer->destination_count; i++)
        if (strcmp(producer->destinations[i]->name, name) == 0) {
            producer->last = i;
            return producer->destinations[i];
        }
    return NULL;
}

/* The topic's destination with room for all its partitions; asked for when it is new or has no such partition. */
static int get_destination(struct weir__producer *producer, const struct weir__raw *raw, struct destination **ret)
{
    struct weir__log   *log = producer->log;
    struct destination *to = find_destination(producer, raw->topic);
    int32_t             count;
    int                 err;

    if (to != NULL && raw->partition < to->count) {
        *ret = to;
        return WEIR_OK;
    }
    err = weir__kafka_count(log, raw->topic, raw->partition, weir__kafka_now(log) + LOOK_MS, &count);
    if (err == WEIR_OK && raw->partition >= count)
        err = WEIR_NOTFOUND;
    if (err == WEIR_OK && to == NULL)
        err = add_destination(producer, raw->topic, &to);
    if (err == WEIR_OK)
        err = set_count(producer, to, count);
    *ret = to;
    return err;
}

/* ---- send ---- */

static int64_t record_bytes(const struct weir__raw *raw)
{
    size_t size = raw->key.size + raw->value.size;

    for (size_t i = 0; i < raw->header_count; i++)
        size += strlen(raw->headers[i].name) + raw->headers[i].value.size;
    return (int64_t)size;
}

static rd_kafka_headers_t *make_headers(const struct weir__raw *raw)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(raw->header_count);

    for (size_t i = 0; i < raw->header_count; i++) {
        const struct weir_header *header = &raw->headers[i];

        (void)rd_kafka_header_add(headers, header->name, (ssize_t)strlen(header->name), header->value.data,
                                  (ssize_t)header->value.size);
    }
    return headers;
}

static int32_t pick_partition(struct weir__producer *producer, const struct weir__raw *raw, int32_t count)
{
    if (raw->partition >= 0)
        return raw->partition;
    if (raw->key.data != NULL)
        return weir__partition_of(raw->key, count);
    return (int32_t)(producer->keyless++ % (uint64_t)count);
}

static int produce(struct weir__producer *producer, struct destination *to, const struct weir__raw *raw,
                   uint64_t cookie)
{
    rd_kafka_headers_t *headers = raw->header_count > 0 ? make_headers(raw) : NULL;
    rd_kafka_resp_err_t err;

    err = rd_kafka_producev(
        producer->rk, RD_KAFKA_V_RKT(to->topic), RD_KAFKA_V_PARTITION(pick_partition(producer, raw, to->count)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY((void *)raw->key.data, raw->key.size),
        RD_KAFKA_V_VALUE((void *)raw->value.data, raw->value.size), RD_KAFKA_V_TIMESTAMP(raw->timestamp),
        RD_KAFKA_V_OPAQUE((void *)(uintptr_t)cookie), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR && headers != NULL)
        rd_kafka_headers_destroy(headers);
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) /* what gathers is sent */
        (void)rd_kafka_flush(producer->rk, 1);
    else if (++producer->unserved % SERVE_EVERY == 0)
        (void)rd_kafka_poll(producer->rk, 0);
    return err == RD_KAFKA_RESP_ERR__STATE ? WEIR_ABORT : weir__kafka_code(err);
}

static int begin(struct weir__producer *producer)
{
    int err;

    if (producer->open || producer->id == NULL)
        return WEIR_OK;
    err = weir__kafka_outcome(rd_kafka_begin_transaction(producer->rk));
    producer->open = err == WEIR_OK;
    return err;
}

int weir__kafka_send(struct weir__producer *producer, const struct weir__raw *raw, uint64_t cookie)
{
    struct destination *to;
    int                 err;

    if (rd_kafka_fatal_error(producer->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return WEIR_FENCED;
    if (raw->timestamp < 1) /* librdkafka would take its own clock for it */
        return WEIR_BAD_TIME;
    if (record_bytes(raw) > producer->log->max_bytes)
        return WEIR_TOO_LARGE;
    err = get_destination(producer, raw, &to);
    if (err == WEIR_OK)
        err = begin(producer);
    return err == WEIR_OK ? produce(producer, to, raw, cookie) : err;
}

/* ---- open ---- */

static int on_tells(rd_kafka_t *rk, char *text, size_t size, void *arg)
{
    struct weir__producer *producer = arg;

    (void)rk;
    return weir__kafka_statistics_keep(producer->log, &producer->statistics, text, size);
}

static void add_callbacks(rd_kafka_conf_t *conf, void *producer)
{
    rd_kafka_conf_set_stats_cb(conf, on_tells);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    rd_kafka_conf_set_opaque(conf, producer);
}

/* A record outlives no transaction; without one it may wait for a broker that is away. */
static int message_timeout(const struct weir__producer *producer)
{
    int transaction = weir__kafka_given(producer->log, "transaction.timeout.ms", TRANSACTION_MS);

    return producer->id != NULL ? transaction - transaction / 10 : ALONE_MS;
}

static int make_client(struct weir__producer *producer, struct weir_error *reterr)
{
    char              timeout[16];
    const struct pair own[] = { { "enable.idempotence", "true" },
                                { "message.timeout.ms", timeout },
                                { producer->id != NULL ? "transactional.id" : NULL, producer->id },
                                { NULL, NULL } };

    snprintf(timeout, sizeof(timeout), "%d", message_timeout(producer));
    struct queues queues;

    weir__kafka_producer_queues(producer->log, producer->id != NULL, &queues);
    return weir__kafka_client(producer->log, CLIENT_PRODUCER, queues.pairs, own, add_callbacks, producer,
                              &producer->rk, reterr);
}

static void producer_free(struct weir__producer *producer)
{
    for (size_t i = 0; i < producer->destination_count; i++)
        destination_free(producer->destinations[i]);
    weir__free(producer->destinations);
    if (producer->rk != NULL)
        rd_kafka_destroy(producer->rk);
    weir__kafka_statistics_drop(&producer->statistics);
    if (producer->offsets != NULL)
        rd_kafka_topic_partition_list_destroy(producer->offsets);
    if (producer->membership != NULL)
        rd_kafka_consumer_group_metadata_destroy(producer->membership);
    weir__free(producer->failures);
    pthread_cond_destroy(&producer->changed);
    pthread_mutex_destroy(&producer->mutex);
    weir__free(producer->id);
    weir__free(producer);
}

void weir__kafka_producer_unuse(struct weir__producer *producer)
{
    int users;

    pthread_mutex_lock(&producer->mutex);
    users = --producer->users;
    pthread_mutex_unlock(&producer->mutex);
    if (users == 0)
        producer_free(producer);
}

static int start_thread(struct weir__producer *producer, struct weir_error *reterr)
{
    pthread_t thread;

    producer->users++;
    if (pthread_create(&thread, NULL, weir__kafka_work, producer) != 0) {
        producer->users--;
        return weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "the system gives no thread for a producer");
    }
    pthread_detach(thread);
    return WEIR_OK;
}

static int producer_new(struct weir__log *log, const char *id, struct weir__producer **ret, struct weir_error *reterr)
{
    struct weir__producer *producer = weir__zalloc(sizeof(*producer));
    int                    err;

    if (producer == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "no memory for a producer");
    producer->log = log;
    producer->users = 1;
    producer->statistics.kind = CLIENT_PRODUCER;
    pthread_mutex_init(&producer->mutex, NULL);
    pthread_cond_init(&producer->changed, NULL);
    producer->id = id != NULL ? weir__strdup(id) : NULL;
    if (id != NULL && producer->id == NULL)
        err = weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "no memory for a producer");
    else
        err = make_client(producer, reterr);
    if (err == WEIR_OK)
        err = start_thread(producer, reterr);
    if (err < 0) {
        weir__kafka_client_forget(log, producer->rk);
        weir__kafka_producer_unuse(producer);
    } else {
        *ret = producer;
    }
    return err;
}

/* One whose opening goes on since an earlier call. */
static struct weir__producer *take_opening(struct weir__log *log, const char *id)
{
    struct weir__producer **link, *producer;

    pthread_mutex_lock(&log->mutex);
    for (link = &log->opening; *link != NULL && strcmp((*link)->id, id) != 0;)
        link = &(*link)->next;
    producer = *link;
    if (producer != NULL)
        *link = producer->next;
    pthread_mutex_unlock(&log->mutex);
    return producer;
}

static void keep_opening(struct weir__log *log, struct weir__producer *producer)
{
    pthread_mutex_lock(&log->mutex);
    producer->next = log->opening;
    log->opening = producer;
    pthread_mutex_unlock(&log->mutex);
}

void weir__kafka_opening_close(struct weir__log *log)
{
    while (log->opening != NULL) {
        struct weir__producer *producer = log->opening;

        log->opening = producer->next;
        weir__kafka_producer_close(producer);
    }
}

int weir__kafka_producer(struct weir__log *log, const char *id, int64_t deadline, struct weir__producer **ret,
                         struct weir_error *reterr)
{
    struct weir__producer *producer = id != NULL ? take_opening(log, id) : NULL;
    int                    err = producer != NULL ? WEIR_OK : producer_new(log, id, &producer, reterr);

    if (err < 0)
        return err;
    if (id != NULL)
        err = weir__kafka_job(producer, JOB_INIT, deadline);
    if (err == WEIR_OK) {
        *ret = producer;
        return WEIR_OK;
    }
    if (err == WEIR_AGAIN)
        keep_opening(log, producer);
    else
        weir__kafka_producer_close(producer);
    if (err == WEIR_UNSUPPORTED)
        return weir__fail(reterr, err, id,
                          "the brokers have no transactions: take brokers, or a tier of the service, that have them");
    return weir__fail(reterr, err, id, "the producer cannot be opened: %s", weir_code_text(err));
}

void weir__kafka_producer_close(struct weir__producer *producer)
{
    if (producer == NULL)
        return;
    weir__kafka_client_forget(producer->log, producer->rk); /* its thread may be left behind */
    weir__kafka_job_close(producer, weir__kafka_now(producer->log) + CLOSE_MS);
    weir__kafka_producer_unuse(producer);
}
