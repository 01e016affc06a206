/* kafka_hop.c: a service that does nothing: what comes to one topic goes to another as it is, by librdkafka alone, with a commit
 * every so often. A chain of such hops is what the broker and the library allow.
 *
 *     kafka_hop SERVERS GROUP DELIVERY COMMIT_MS PARTITIONS FROM:TO [FROM:TO...] [KEY=VALUE...]     until SIGTERM
 *         DELIVERY: at_least_once or exactly_once; KEY=VALUE: librdkafka's. Topics that are not there are made.
 */
#define _GNU_SOURCE
#include "bench/kafka_bare.h"

#include <signal.h>
#include <stdbool.h>

#define AT_ONCE 1000
#define MOST    8

struct hop {
    const char       *from;
    rd_kafka_topic_t *to;
};

static struct hop                       hops[MOST];
static size_t                           hop_count;
static rd_kafka_t                      *producer, *consumer;
static rd_kafka_topic_partition_list_t *offsets;
static bool                             transactions, begun;
static volatile sig_atomic_t            ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
}

static void begin(void)
{
    if (transactions && !begun)
        check_error("begin", rd_kafka_begin_transaction(producer));
    begun = true;
}

static void note(const rd_kafka_message_t *message)
{
    const char                 *topic = rd_kafka_topic_name(message->rkt);
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find(offsets, topic, message->partition);

    if (at == NULL)
        at = rd_kafka_topic_partition_list_add(offsets, topic, message->partition);
    at->offset = message->offset + 1;
}

static void pass(const rd_kafka_message_t *message)
{
    size_t              i = 0;
    rd_kafka_resp_err_t err;

    if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) /* it was just made */
        return;
    check("consume", message->err);
    while (strcmp(hops[i].from, rd_kafka_topic_name(message->rkt)) != 0)
        i++;
    begin();
    while ((err = rd_kafka_producev(producer, RD_KAFKA_V_RKT(hops[i].to), RD_KAFKA_V_PARTITION(message->partition),
                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                    RD_KAFKA_V_KEY(message->key, message->key_len),
                                    RD_KAFKA_V_VALUE(message->payload, message->len),
                                    RD_KAFKA_V_TIMESTAMP(rd_kafka_message_timestamp(message, NULL)),
                                    RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(producer, 1);
    check("produce", err);
    note(message);
}

static void commit(void)
{
    rd_kafka_consumer_group_metadata_t *group;

    if (!begun)
        return;
    begun = false;
    check("flush", rd_kafka_flush(producer, 60000));
    if (!transactions) {
        check("commit", rd_kafka_commit(consumer, offsets, 0));
        return;
    }
    group = rd_kafka_consumer_group_metadata(consumer);
    check_error("offsets", rd_kafka_send_offsets_to_transaction(producer, offsets, group, 60000));
    rd_kafka_consumer_group_metadata_destroy(group);
    check_error("commit", rd_kafka_commit_transaction(producer, 60000));
}

/* The batch call waits for a whole batch until its time-out: after the first message it takes what is there. */
static void loop(int64_t interval)
{
    rd_kafka_queue_t   *queue = rd_kafka_queue_get_consumer(consumer);
    rd_kafka_message_t *messages[AT_ONCE];
    int64_t             last = now_ms();

    while (!ended) {
        int64_t left = last + interval - now_ms();
        ssize_t got = rd_kafka_consume_batch_queue(queue, left > 0 ? (int)left : 0, messages, 1);

        if (got == 1)
            got += rd_kafka_consume_batch_queue(queue, 0, messages + 1, AT_ONCE - 1);
        for (ssize_t i = 0; i < got; i++) {
            pass(messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
        if (now_ms() - last < interval)
            continue;
        commit();
        last = now_ms();
    }
    commit();
    rd_kafka_queue_destroy(queue);
}

/* ---- clients ---- */

static void open_clients(const char *servers, const char *group, char **words)
{
    rd_kafka_conf_t *reads = rd_kafka_conf_new(), *writes = rd_kafka_conf_new();

    set(reads, "bootstrap.servers", servers);
    set(writes, "bootstrap.servers", servers);
    set(reads, "group.id", group);
    set(reads, "isolation.level", "read_committed");
    set(reads, "enable.auto.commit", "false");
    set(reads, "auto.offset.reset", "earliest");
    set(reads, "fetch.wait.max.ms", "100");
    set(reads, "topic.metadata.refresh.interval.ms", "1000");
    set(writes, "enable.idempotence", "true");
    set(writes, "queue.buffering.max.messages", "1000000");
    if (transactions) {
        set(writes, "transactional.id", group);
        set(writes, "linger.ms", "200");
    }
    for (; *words != NULL; words++) {
        char *equals = strchr(*words, '=');

        if (equals == NULL)
            continue;
        *equals = '\0';
        set(reads, *words, equals + 1);
        set(writes, *words, equals + 1);
    }
    producer = client(RD_KAFKA_PRODUCER, writes);
    consumer = client(RD_KAFKA_CONSUMER, reads);
    rd_kafka_poll_set_consumer(consumer);
    offsets = rd_kafka_topic_partition_list_new(MOST);
    if (transactions)
        check_error("init", rd_kafka_init_transactions(producer, 60000));
}

static void add_hop(char *word, int partitions, rd_kafka_topic_partition_list_t *topics)
{
    char *colon = strchr(word, ':');

    if (colon == NULL || hop_count == MOST)
        die(word, "write FROM:TO");
    *colon = '\0';
    make_topic(producer, word, partitions);
    make_topic(producer, colon + 1, partitions);
    hops[hop_count++] = (struct hop){ .from = word, .to = rd_kafka_topic_new(producer, colon + 1, NULL) };
    rd_kafka_topic_partition_list_add(topics, word, RD_KAFKA_PARTITION_UA);
}

static void subscribe(char **words, int partitions)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(MOST);

    for (; *words != NULL; words++)
        if (strchr(*words, ':') != NULL)
            add_hop(*words, partitions, topics);
    check("subscribe", rd_kafka_subscribe(consumer, topics));
    rd_kafka_topic_partition_list_destroy(topics);
}

static void close_clients(void)
{
    for (size_t i = 0; i < hop_count; i++)
        rd_kafka_topic_destroy(hops[i].to);
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    rd_kafka_destroy(producer);
}

int main(int argc, char **argv)
{
    if (argc < 7)
        die("usage", "SERVERS GROUP DELIVERY COMMIT_MS PARTITIONS FROM:TO [FROM:TO...] [KEY=VALUE...]");
    signal(SIGTERM, on_signal);
    transactions = strcmp(argv[3], "exactly_once") == 0;
    open_clients(argv[1], argv[2], argv + 6);
    subscribe(argv + 6, atoi(argv[5]));
    loop(atoi(argv[4]));
    close_clients();
    return 0;
}
