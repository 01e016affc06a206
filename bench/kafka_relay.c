/* kafka_relay.c: what a bare program on librdkafka needs to move what a topology has moved: it reads the topology's inputs, and
 * writes as many records, with the same keys, values, headers and times, as the topology has written, to topics of its own; what
 * went through a repartition topic it reads back. One thread, a transaction every 100 ms. Nothing is decoded, nothing kept.
 *
 *     kafka_relay run SERVERS GROUP [KEY=VALUE...] [in:TOPIC...] [hop:TOPIC...] [out:TOPIC...]
 *                         hop, out: what the topology has written; it goes to GROUP.TOPIC. One KEY=VALUE may be
 *                         delivery=at_least_once, the others are librdkafka's. Prints CPU seconds without reading hop and out.
 *     kafka_relay topics SERVERS PREFIX     names of topics that begin so
 */
#define _GNU_SOURCE
#include "bench/kafka_bare.h"

#include <stdbool.h>
#include <sys/resource.h>

#define COMMIT_MS 100
#define AT_ONCE   1000
#define MOST      64

/* What one partition was written, in order. */
struct pool {
    const char          *source;
    rd_kafka_topic_t    *topic; /* where it goes */
    int32_t              partition;
    bool                 hop;
    rd_kafka_message_t **messages;
    size_t               count, capacity, sent;
};

struct relay {
    rd_kafka_t                      *producer, *consumer;
    const char                      *servers, *group;
    char                            *inputs[MOST], *hops[MOST], *outs[MOST];
    size_t                           input_count, hop_count, out_count;
    struct pool                     *pools;
    size_t                           pool_count, pool_capacity;
    rd_kafka_topic_partition_list_t *offsets, *ends; /* of all that is read; ends: inputs that are not read whole */
    uint64_t                         expected, hops_expected, read, hops_read, sent, commits;
    bool                             transactions, begun;
};

static double cpu_seconds(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int partitions_of(rd_kafka_t *rk, const char *topic)
{
    rd_kafka_topic_t               *handle = rd_kafka_topic_new(rk, topic, NULL);
    const struct rd_kafka_metadata *metadata;
    int                             count;

    check(topic, rd_kafka_metadata(rk, 0, handle, &metadata, 10000));
    count = metadata->topics[0].partition_cnt;
    if (count == 0)
        die(topic, "there is no such topic");
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return count;
}

static rd_kafka_conf_t *reader_conf(const struct relay *relay, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "bootstrap.servers", relay->servers);
    set(conf, "group.id", group);
    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.auto.commit", "false");
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "enable.partition.eof", "true");
    return conf;
}

/* ---- what the topology has written ---- */

static void keep(struct pool *pool, rd_kafka_message_t *message)
{
    if (pool->count == pool->capacity) {
        pool->capacity = pool->capacity * 2 + 1024;
        pool->messages = realloc(pool->messages, pool->capacity * sizeof(rd_kafka_message_t *));
        if (pool->messages == NULL)
            die("messages", "no memory");
    }
    pool->messages[pool->count++] = message;
}

static const char *own_name(const struct relay *relay, const char *topic)
{
    static char name[512];

    snprintf(name, sizeof(name), "%s.%s", relay->group, topic);
    return name;
}

static void read_topic(struct relay *relay, rd_kafka_t *rk, const char *topic, bool hop)
{
    int count = partitions_of(rk, topic);

    make_topic(relay->producer, own_name(relay, topic), count);
    for (int32_t i = 0; i < count; i++) {
        struct pool *pool;

        if (relay->pool_count == relay->pool_capacity) {
            relay->pool_capacity = relay->pool_capacity * 2 + 64;
            relay->pools = realloc(relay->pools, relay->pool_capacity * sizeof(*relay->pools));
            if (relay->pools == NULL)
                die(topic, "no memory");
        }
        pool = &relay->pools[relay->pool_count++];
        *pool = (struct pool){ .source = topic,
                               .topic = rd_kafka_topic_new(relay->producer, own_name(relay, topic), NULL),
                               .partition = i,
                               .hop = hop };
    }
}

static struct pool *pool_of(const struct relay *relay, const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);

    for (size_t i = 0; i < relay->pool_count; i++)
        if (relay->pools[i].partition == message->partition && strcmp(relay->pools[i].source, topic) == 0)
            return &relay->pools[i];
    die(topic, "nobody has asked for it");
    return NULL;
}

/* Of all partitions at once: the end of each takes the broker a while to tell. */
static void read_pools(struct relay *relay, rd_kafka_t *rk)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new((int)relay->pool_count);
    size_t                           ends = 0;

    for (size_t i = 0; i < relay->pool_count; i++)
        rd_kafka_topic_partition_list_add(all, relay->pools[i].source, relay->pools[i].partition)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    check("assign", rd_kafka_assign(rk, all));
    while (ends < relay->pool_count) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 10000);

        if (message == NULL)
            die("what was written", "nothing comes");
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            struct pool *pool = pool_of(relay, message);

            keep(pool, message);
            relay->hops_expected += pool->hop ? 1 : 0;
            continue;
        }
        if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            die("what was written", rd_kafka_message_errstr(message));
        ends++;
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(all);
}

/* The handle stays: messages are its. */
static rd_kafka_t *read_written(struct relay *relay)
{
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, reader_conf(relay, "relay-reads"));

    rd_kafka_poll_set_consumer(rk);
    for (size_t i = 0; i < relay->hop_count; i++)
        read_topic(relay, rk, relay->hops[i], true);
    for (size_t i = 0; i < relay->out_count; i++)
        read_topic(relay, rk, relay->outs[i], false);
    if (relay->pool_count > 0)
        read_pools(relay, rk);
    check("assign", rd_kafka_assign(rk, NULL));
    return rk;
}

/* ---- writing ---- */

static void begin(struct relay *relay)
{
    if (relay->transactions && !relay->begun)
        check_error("begin", rd_kafka_begin_transaction(relay->producer));
    relay->begun = true;
}

static void produce(struct relay *relay, const struct pool *pool, rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL, *copy = NULL;
    rd_kafka_resp_err_t err;

    begin(relay);
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        copy = rd_kafka_headers_copy(headers);
    while ((err = rd_kafka_producev(relay->producer, RD_KAFKA_V_RKT(pool->topic),
                                    RD_KAFKA_V_PARTITION(pool->partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                    RD_KAFKA_V_KEY(message->key, message->key_len),
                                    RD_KAFKA_V_VALUE(message->payload, message->len), RD_KAFKA_V_HEADERS(copy),
                                    RD_KAFKA_V_TIMESTAMP(rd_kafka_message_timestamp(message, NULL)),
                                    RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(relay->producer, 1);
    check("produce", err);
    relay->sent++;
}

/* The same share of each pool as was read of what it comes from. */
static void keep_pace(struct relay *relay, bool all)
{
    double of_inputs = relay->expected > 0 ? (double)relay->read / (double)relay->expected : 1;
    double of_all = (double)(relay->read + relay->hops_read) / (double)(relay->expected + relay->hops_expected + 1);

    for (size_t i = 0; i < relay->pool_count; i++) {
        struct pool *pool = &relay->pools[i];
        double       share = pool->hop ? of_inputs : of_all;
        size_t       want = all || share >= 1 ? pool->count : (size_t)(share * (double)pool->count);

        while (pool->sent < want)
            produce(relay, pool, pool->messages[pool->sent++]);
    }
}

static void commit(struct relay *relay)
{
    rd_kafka_consumer_group_metadata_t *group;

    if (relay->offsets->cnt == 0)
        return;
    begin(relay);
    relay->commits++;
    relay->begun = false;
    if (!relay->transactions) {
        check("flush", rd_kafka_flush(relay->producer, 60000));
        check("commit", rd_kafka_commit(relay->consumer, relay->offsets, 0));
        return;
    }
    group = rd_kafka_consumer_group_metadata(relay->consumer);
    check_error("offsets", rd_kafka_send_offsets_to_transaction(relay->producer, relay->offsets, group, 60000));
    rd_kafka_consumer_group_metadata_destroy(group);
    check_error("commit", rd_kafka_commit_transaction(relay->producer, 60000));
}

/* ---- reading ---- */

static bool is_hop(const struct relay *relay, const char *topic)
{
    size_t size = strlen(relay->group);

    return strncmp(topic, relay->group, size) == 0 && topic[size] == '.';
}

static void note(struct relay *relay, const rd_kafka_message_t *message)
{
    const char                 *topic = rd_kafka_topic_name(message->rkt);
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find(relay->offsets, topic, message->partition);

    if (at == NULL)
        at = rd_kafka_topic_partition_list_add(relay->offsets, topic, message->partition);
    at->offset = message->offset + 1;
    if (is_hop(relay, topic))
        relay->hops_read++;
    else
        relay->read++;
}

static void take(struct relay *relay, rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        note(relay, message);
    else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        rd_kafka_topic_partition_list_del(relay->ends, rd_kafka_topic_name(message->rkt), message->partition);
    else
        die("consume", rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
}

static bool is_done(const struct relay *relay)
{
    return relay->ends->cnt == 0 && relay->hops_read >= relay->hops_expected;
}

static void loop(struct relay *relay)
{
    rd_kafka_queue_t   *queue = rd_kafka_queue_get_consumer(relay->consumer);
    rd_kafka_message_t *messages[AT_ONCE];
    int64_t             last = now_ms();

    while (!is_done(relay)) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, 10, messages, AT_ONCE);

        for (ssize_t i = 0; i < got; i++)
            take(relay, messages[i]);
        if (relay->ends->cnt == 0)
            relay->expected = relay->read; /* there were marks among the offsets */
        keep_pace(relay, false);
        if (now_ms() - last < COMMIT_MS)
            continue;
        commit(relay);
        last = now_ms();
    }
    keep_pace(relay, true);
    commit(relay);
    rd_kafka_queue_destroy(queue);
}

/* ---- all of it ---- */

static void subscribe(struct relay *relay)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(MOST);

    for (size_t i = 0; i < relay->input_count; i++) {
        int count = partitions_of(relay->consumer, relay->inputs[i]);

        rd_kafka_topic_partition_list_add(topics, relay->inputs[i], -1);
        for (int32_t j = 0; j < count; j++) {
            int64_t low, high;

            check("ends", rd_kafka_query_watermark_offsets(relay->consumer, relay->inputs[i], j, &low, &high, 10000));
            relay->expected += (uint64_t)(high - low);
            rd_kafka_topic_partition_list_add(relay->ends, relay->inputs[i], j);
        }
    }
    for (size_t i = 0; i < relay->hop_count; i++)
        rd_kafka_topic_partition_list_add(topics, own_name(relay, relay->hops[i]), -1);
    check("subscribe", rd_kafka_subscribe(relay->consumer, topics));
    rd_kafka_topic_partition_list_destroy(topics);
}

static bool take_topic(struct relay *relay, char *word)
{
    if (strncmp(word, "in:", 3) == 0 && relay->input_count < MOST)
        relay->inputs[relay->input_count++] = word + 3;
    else if (strncmp(word, "hop:", 4) == 0 && relay->hop_count < MOST)
        relay->hops[relay->hop_count++] = word + 4;
    else if (strncmp(word, "out:", 4) == 0 && relay->out_count < MOST)
        relay->outs[relay->out_count++] = word + 4;
    else
        return false;
    return true;
}

static void take_words(struct relay *relay, char **words, rd_kafka_conf_t *consumer, rd_kafka_conf_t *producer)
{
    relay->transactions = true;
    for (; *words != NULL; words++) {
        char *equals = strchr(*words, '=');

        if (take_topic(relay, *words))
            continue;
        if (equals == NULL)
            die(*words, "write KEY=VALUE, in:TOPIC, hop:TOPIC or out:TOPIC");
        *equals = '\0';
        if (strcmp(*words, "delivery") == 0) {
            relay->transactions = strcmp(equals + 1, "at_least_once") != 0;
            continue;
        }
        set(consumer, *words, equals + 1);
        set(producer, *words, equals + 1);
    }
}

static void open_clients(struct relay *relay, char **words)
{
    rd_kafka_conf_t *consumer = reader_conf(relay, relay->group), *producer = rd_kafka_conf_new();

    set(producer, "enable.idempotence", "true");
    set(producer, "bootstrap.servers", relay->servers);
    set(producer, "queue.buffering.max.messages", "1000000");
    take_words(relay, words, consumer, producer);
    if (relay->transactions)
        set(producer, "transactional.id", relay->group);
    relay->producer = client(RD_KAFKA_PRODUCER, producer);
    relay->consumer = client(RD_KAFKA_CONSUMER, consumer);
    if (relay->transactions)
        check_error("init", rd_kafka_init_transactions(relay->producer, 60000));
    rd_kafka_poll_set_consumer(relay->consumer);
    relay->offsets = rd_kafka_topic_partition_list_new(MOST);
    relay->ends = rd_kafka_topic_partition_list_new(MOST);
}

static void close_clients(struct relay *relay, rd_kafka_t *reader)
{
    for (size_t i = 0; i < relay->pool_count; i++) {
        for (size_t j = 0; j < relay->pools[i].count; j++)
            rd_kafka_message_destroy(relay->pools[i].messages[j]);
        free(relay->pools[i].messages);
        rd_kafka_topic_destroy(relay->pools[i].topic);
    }
    free(relay->pools);
    rd_kafka_topic_partition_list_destroy(relay->offsets);
    rd_kafka_topic_partition_list_destroy(relay->ends);
    rd_kafka_consumer_close(relay->consumer);
    rd_kafka_destroy(relay->consumer);
    rd_kafka_destroy(relay->producer);
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
}

static void run(const char *servers, const char *group, char **words)
{
    static struct relay relay;
    rd_kafka_t         *reader;
    double              before = cpu_seconds(), reading;

    relay.servers = servers;
    relay.group = group;
    open_clients(&relay, words);
    reading = cpu_seconds();
    reader = read_written(&relay);
    reading = cpu_seconds() - reading;
    subscribe(&relay);
    loop(&relay);
    printf("%.3f CPU seconds, %" PRIu64 " read, %" PRIu64 " read back, %" PRIu64 " sent, %" PRIu64 " commits\n",
           cpu_seconds() - before - reading, relay.read, relay.hops_read, relay.sent, relay.commits);
    close_clients(&relay, reader);
}

static void list_topics(const char *servers, const char *prefix)
{
    rd_kafka_conf_t                *conf = rd_kafka_conf_new();
    const struct rd_kafka_metadata *metadata;
    rd_kafka_t                     *rk;

    set(conf, "bootstrap.servers", servers);
    rk = client(RD_KAFKA_PRODUCER, conf);
    check("metadata", rd_kafka_metadata(rk, 1, NULL, &metadata, 10000));
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strncmp(metadata->topics[i].topic, prefix, strlen(prefix)) == 0)
            puts(metadata->topics[i].topic);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_destroy(rk);
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "run") == 0)
        run(argv[2], argv[3], argv + 4);
    else if (argc == 4 && strcmp(argv[1], "topics") == 0)
        list_topics(argv[2], argv[3]);
    else
        die("usage",
            "run SERVERS GROUP [KEY=VALUE...] [in:TOPIC...] [hop:TOPIC...] [out:TOPIC...], topics SERVERS PREFIX");
    return 0;
}
