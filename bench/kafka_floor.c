/* kafka_floor.c: what a bare program on librdkafka needs for the work of bench/kafka_bars.c: the same hops, records, bytes
 * and commits on one thread, the bars in memory. And what its benches need around it.
 *
 *     kafka_floor fill SERVERS COUNT          makes the topic "ticks", 4 partitions, and fills it
 *     kafka_floor rows SERVERS FROM COUNT     the topic "facts": as many keys, from a number on, 100 bytes each
 *     kafka_floor bars SERVERS COUNT [KEY=VALUE...]     reads "ticks", writes "floor-bars" and "floor-changelog"; one
 *                                             KEY=VALUE may be delivery=at_least_once, the others are librdkafka's
 *     kafka_floor count SERVERS TOPIC         the offsets of its partitions, marks of transactions included
 *     kafka_floor watch SERVERS TOPIC         waits for the first record that is committed to it from now on
 *
 * Nothing is recovered here: what fails ends the program.
 */
#define _GNU_SOURCE
#include "bench/kafka_bare.h"
#include "bench/ticks.h"

#define PARTITIONS 4
#define COMMIT_MS  100
#define GRACE_MS   5000
#define MINUTE_MS  60000
#define AT_ONCE    1000

/* ---- filling ---- */

static rd_kafka_t *filler(const char *servers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "bootstrap.servers", servers);
    set(conf, "compression.codec", "lz4");
    set(conf, "linger.ms", "50");
    set(conf, "queue.buffering.max.messages", "1000000");
    return client(RD_KAFKA_PRODUCER, conf);
}

static void send_to(rd_kafka_t *rk, const char *topic, int32_t partition, struct weir_bytes key,
                    struct weir_bytes value, int64_t time)
{
    rd_kafka_resp_err_t err;

    while (
        (err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY((void *)key.data, key.size),
                                 RD_KAFKA_V_VALUE((void *)value.data, value.size), RD_KAFKA_V_TIMESTAMP(time),
                                 RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(rk, 10);
    check("produce", err);
}

static void fill(const char *servers, uint64_t count)
{
    rd_kafka_t *rk = filler(servers);

    make_topic(rk, "ticks", PARTITIONS);
    for (uint64_t n = 0; n < count; n++) {
        char             key[32], value[256];
        struct weir__raw raw;

        make_record(n, 2000, key, value, &raw);
        send_to(rk, "ticks", weir__partition_of(raw.key, PARTITIONS), raw.key, raw.value, raw.timestamp);
    }
    check("flush", rd_kafka_flush(rk, 120000));
    rd_kafka_destroy(rk);
}

/* Values that do not compress. */
static void fill_rows(const char *servers, uint64_t from, uint64_t count)
{
    rd_kafka_t *rk = filler(servers);
    uint64_t    state = from * 2654435761u + 88172645463325252u;

    make_topic(rk, "facts", PARTITIONS);
    for (uint64_t n = from; n < from + count; n++) {
        char     key[32];
        uint64_t value[13];
        int      size = snprintf(key, sizeof(key), "ROW.%012" PRIu64, n);

        for (size_t i = 0; i < ARRAY_SIZE(value); i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            value[i] = state;
        }
        send_to(rk, "facts", weir__partition_of(BYTES(key, (size_t)size), PARTITIONS), BYTES(key, (size_t)size),
                BYTES(value, 100), INT64_C(1735689600000) + (int64_t)n);
    }
    check("flush", rd_kafka_flush(rk, 120000));
    rd_kafka_destroy(rk);
}

/* ---- bars in memory ---- */

/* An open window of an instrument; chained by hash, and in the order of windows. */
struct window {
    struct window *chain, *later, *next_dirty;
    char           key[16];
    int32_t        partition;
    int64_t        start;
    bool           dirty;
    struct bar     bar;
};
#define SLOTS (1 << 16)

struct bars {
    rd_kafka_t                      *producer, *consumer;
    rd_kafka_topic_t                *out, *changelog;
    bool                             transactions;
    struct window                   *slots[SLOTS], *dirty, *spare;
    struct window                   *oldest[PARTITIONS], *newest[PARTITIONS];
    int64_t                          time[PARTITIONS];
    rd_kafka_topic_partition_list_t *offsets;
    uint64_t                         sent, read;
    int64_t                          last_commit;
    bool                             begun;
};

static uint32_t slot_of(const char *key, size_t size, int64_t start)
{
    uint32_t hash = 2166136261u ^ (uint32_t)(start / MINUTE_MS) * 2654435761u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)key[i]) * 16777619u;
    return (hash ^ hash >> 16) & (SLOTS - 1);
}

static struct window *new_window(struct bars *bars, const char *key, size_t size, int32_t partition, int64_t start)
{
    struct window *window = bars->spare;

    if (window != NULL)
        bars->spare = window->chain;
    else
        window = malloc(sizeof(*window));
    if (window == NULL || size >= sizeof(window->key))
        die("window", "no memory for it");
    *window = (struct window){ .partition = partition, .start = start };
    memcpy(window->key, key, size);
    if (bars->newest[partition] != NULL)
        bars->newest[partition]->later = window;
    else
        bars->oldest[partition] = window;
    return bars->newest[partition] = window;
}

static struct window *find_window(struct bars *bars, const char *key, size_t size, int32_t partition, int64_t start)
{
    struct window **link = &bars->slots[slot_of(key, size, start)], *window;

    for (window = *link; window != NULL; window = window->chain)
        if (window->start == start && memcmp(window->key, key, size) == 0 && window->key[size] == '\0')
            return window;
    window = new_window(bars, key, size, partition, start);
    window->chain = *link;
    return *link = window;
}

/* The value of a member that is there, in a record that is known to be good. */
static const char *member(const char *text, const char *end, const char *name, size_t size)
{
    const char *at = memmem(text, (size_t)(end - text), name, size);

    if (at == NULL)
        die("tick", name);
    return at + size;
}
#define MEMBER(text, end, name) member(text, end, "\"" name "\":", sizeof("\"" name "\":") - 1)

static int64_t number(const char *text, int64_t unit)
{
    int64_t value = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (*text - '0');
    value *= unit;
    if (*text++ == '.')
        for (unit /= 10; *text >= '0' && *text <= '9'; text++, unit /= 10)
            value += (*text - '0') * unit;
    return value;
}

static void add(struct bars *bars, const rd_kafka_message_t *message)
{
    const char *text = message->payload, *end = text + message->len;
    const char *price_at = MEMBER(text, end, "price"), *volume_at = MEMBER(price_at, end, "volume");
    const char *time_at = MEMBER(volume_at, end, "event_time");
    int64_t     price = number(price_at, INT64_C(100000000)), volume = number(volume_at, 1), at = number(time_at, 1);
    int64_t     time = rd_kafka_message_timestamp(message, NULL), start = time - time % MINUTE_MS;
    struct window *window;
    struct bar    *bar;

    bars->time[message->partition] = MAX(bars->time[message->partition], time);
    if (start + MINUTE_MS + GRACE_MS <= bars->time[message->partition])
        return; /* late */
    window = find_window(bars, message->key, message->key_len, message->partition, start);
    bar = &window->bar;
    if (bar->count == 0)
        *bar = (struct bar){ .open = price, .high = price, .low = price, .first = at, .last = at };
    if (at < bar->first) {
        bar->first = at;
        bar->open = price;
    }
    if (at >= bar->last) {
        bar->last = at;
        bar->close = price;
    }
    bar->high = MAX(bar->high, price);
    bar->low = MIN(bar->low, price);
    bar->volume += volume;
    bar->count++;
    if (!window->dirty) {
        window->dirty = true;
        window->next_dirty = bars->dirty;
        bars->dirty = window;
    }
}

/* ---- commits ---- */

static void produce(struct bars *bars, rd_kafka_topic_t *topic, int32_t partition, const void *key, size_t key_size,
                    const void *value, size_t size, int64_t time)
{
    rd_kafka_resp_err_t err;

    if (bars->transactions && !bars->begun)
        check_error("begin", rd_kafka_begin_transaction(bars->producer));
    bars->begun = true;
    while ((err = rd_kafka_producev(bars->producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY((void *)key, key_size),
                                    RD_KAFKA_V_VALUE((void *)value, size), RD_KAFKA_V_TIMESTAMP(time),
                                    RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(bars->producer, 1);
    check("produce", err);
    bars->sent++;
}

/* A key as Kafka Streams writes it to the changelog; without its last 4 bytes, to the topic. */
static size_t windowed_key(const struct window *window, char key[static 32])
{
    size_t size = strlen(window->key);

    memcpy(key, window->key, size);
    weir__put_be64(key + size, (uint64_t)window->start);
    weir__put_be32(key + size + 8, 0);
    return size + 12;
}

static void send_dirty(struct bars *bars)
{
    while (bars->dirty != NULL) {
        struct window *window = bars->dirty;
        char           key[32];
        size_t         size = windowed_key(window, key);

        bars->dirty = window->next_dirty;
        window->dirty = false;
        produce(bars, bars->changelog, window->partition, key, size, &window->bar, sizeof(window->bar),
                window->bar.last / 1000);
        produce(bars, bars->out, weir__partition_of(BYTES(key, size - 4), PARTITIONS), key, size - 4, &window->bar,
                sizeof(window->bar), window->bar.last / 1000);
    }
}

static void forget(struct bars *bars, struct window *window)
{
    struct window **link = &bars->slots[slot_of(window->key, strlen(window->key), window->start)];
    char            key[32];
    size_t          size = windowed_key(window, key);

    produce(bars, bars->changelog, window->partition, key, size, NULL, 0, bars->time[window->partition]);
    while (*link != window)
        link = &(*link)->chain;
    *link = window->chain;
    window->chain = bars->spare;
    bars->spare = window;
}

/* Windows are made about in the order of time: one that is out of order goes a little later. */
static void forget_closed(struct bars *bars, int32_t partition)
{
    struct window *window;

    while ((window = bars->oldest[partition]) != NULL && !window->dirty &&
           window->start + MINUTE_MS + GRACE_MS <= bars->time[partition]) {
        bars->oldest[partition] = window->later;
        if (window->later == NULL)
            bars->newest[partition] = NULL;
        forget(bars, window);
    }
}

static void commit(struct bars *bars)
{
    rd_kafka_consumer_group_metadata_t *group;

    send_dirty(bars);
    for (int32_t i = 0; i < PARTITIONS; i++)
        forget_closed(bars, i);
    if (!bars->begun)
        return;
    check("flush", rd_kafka_flush(bars->producer, 60000));
    if (!bars->transactions) {
        check("commit", rd_kafka_commit(bars->consumer, bars->offsets, 0));
        bars->begun = false;
        return;
    }
    group = rd_kafka_consumer_group_metadata(bars->consumer);
    check_error("offsets", rd_kafka_send_offsets_to_transaction(bars->producer, bars->offsets, group, 60000));
    rd_kafka_consumer_group_metadata_destroy(group);
    check_error("commit", rd_kafka_commit_transaction(bars->producer, 60000));
    bars->begun = false;
}

/* ---- the loop ---- */

static void take(struct bars *bars, rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        add(bars, message);
        bars->offsets->elems[message->partition].offset = message->offset + 1;
        bars->read++;
    } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        die("consume", rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
}

static uint64_t loop(struct bars *bars, uint64_t count)
{
    rd_kafka_queue_t   *queue = rd_kafka_queue_get_consumer(bars->consumer);
    rd_kafka_message_t *messages[AT_ONCE];
    uint64_t            commits = 0;

    bars->last_commit = now_ms();
    while (bars->read < count) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, 10, messages, AT_ONCE);

        for (ssize_t i = 0; i < got; i++)
            take(bars, messages[i]);
        if (now_ms() - bars->last_commit < COMMIT_MS && bars->read < count)
            continue;
        commit(bars);
        commits++;
        bars->last_commit = now_ms();
    }
    rd_kafka_queue_destroy(queue);
    return commits;
}

static void setup(struct bars *bars, const char *servers, char **pairs)
{
    rd_kafka_conf_t                 *consumer = rd_kafka_conf_new(), *producer = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

    set(consumer, "group.id", "floor");
    set(consumer, "isolation.level", "read_committed");
    set(consumer, "enable.auto.commit", "false");
    set(consumer, "auto.offset.reset", "earliest");
    set(producer, "enable.idempotence", "true");
    set(consumer, "bootstrap.servers", servers);
    set(producer, "bootstrap.servers", servers);
    bars->transactions = true;
    for (; *pairs != NULL; pairs++) {
        char *equals = strchr(*pairs, '=');

        if (equals == NULL)
            die(*pairs, "write KEY=VALUE");
        *equals = '\0';
        if (strcmp(*pairs, "delivery") == 0) {
            bars->transactions = strcmp(equals + 1, "at_least_once") != 0;
            continue;
        }
        set(consumer, *pairs, equals + 1);
        set(producer, *pairs, equals + 1);
    }
    if (bars->transactions)
        set(producer, "transactional.id", "floor");
    bars->consumer = client(RD_KAFKA_CONSUMER, consumer);
    bars->producer = client(RD_KAFKA_PRODUCER, producer);
    make_topic(bars->producer, "floor-bars", PARTITIONS);
    make_topic(bars->producer, "floor-changelog", PARTITIONS);
    bars->out = rd_kafka_topic_new(bars->producer, "floor-bars", NULL);
    bars->changelog = rd_kafka_topic_new(bars->producer, "floor-changelog", NULL);
    if (bars->transactions)
        check_error("init", rd_kafka_init_transactions(bars->producer, 60000));
    rd_kafka_poll_set_consumer(bars->consumer);
    rd_kafka_topic_partition_list_add(topics, "ticks", -1);
    check("subscribe", rd_kafka_subscribe(bars->consumer, topics));
    rd_kafka_topic_partition_list_destroy(topics);
    bars->offsets = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(bars->offsets, "ticks", i);
}

static void make_bars(const char *servers, uint64_t count, char **pairs)
{
    static struct bars bars;
    uint64_t           commits;

    setup(&bars, servers, pairs);
    commits = loop(&bars, count);
    printf("%" PRIu64 " read, %" PRIu64 " sent, %" PRIu64 " commits\n", bars.read, bars.sent, commits);
    rd_kafka_topic_destroy(bars.out);
    rd_kafka_topic_destroy(bars.changelog);
    rd_kafka_topic_partition_list_destroy(bars.offsets);
    rd_kafka_consumer_close(bars.consumer);
    rd_kafka_destroy(bars.consumer);
    rd_kafka_destroy(bars.producer);
}

/* ---- looking ---- */

static void count_offsets(const char *servers, const char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t      *rk;
    int64_t          sum = 0;

    set(conf, "bootstrap.servers", servers);
    rk = client(RD_KAFKA_CONSUMER, conf);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        int64_t low, high;

        check(topic, rd_kafka_query_watermark_offsets(rk, topic, i, &low, &high, 10000));
        sum += high;
    }
    printf("%" PRId64 "\n", sum);
    rd_kafka_destroy(rk);
}

static void watch(const char *servers, const char *topic)
{
    rd_kafka_conf_t                 *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(PARTITIONS);
    rd_kafka_message_t              *message = NULL;
    rd_kafka_t                      *rk;
    struct timespec                  now;

    set(conf, "bootstrap.servers", servers);
    set(conf, "group.id", "watch");
    set(conf, "isolation.level", "read_committed");
    set(conf, "fetch.wait.max.ms", "5");
    rk = client(RD_KAFKA_CONSUMER, conf);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        int64_t low, high;

        check(topic, rd_kafka_query_watermark_offsets(rk, topic, i, &low, &high, 10000));
        rd_kafka_topic_partition_list_add(parts, topic, i)->offset = high;
    }
    check(topic, rd_kafka_assign(rk, parts));
    printf("ready\n");
    fflush(stdout);
    while (message == NULL || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message != NULL)
            rd_kafka_message_destroy(message);
        message = rd_kafka_consumer_poll(rk, 1000);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    printf("%lld.%03ld\n", (long long)now.tv_sec, now.tv_nsec / 1000000);
    rd_kafka_message_destroy(message);
    rd_kafka_topic_partition_list_destroy(parts);
    rd_kafka_destroy(rk);
}

int main(int argc, char **argv)
{
    const char *what = argc > 3 ? argv[1] : "";

    if (strcmp(what, "fill") == 0 && argc == 4)
        fill(argv[2], strtoull(argv[3], NULL, 10));
    else if (strcmp(what, "rows") == 0 && argc == 5)
        fill_rows(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
    else if (strcmp(what, "bars") == 0)
        make_bars(argv[2], strtoull(argv[3], NULL, 10), argv + 4);
    else if (strcmp(what, "count") == 0 && argc == 4)
        count_offsets(argv[2], argv[3]);
    else if (strcmp(what, "watch") == 0 && argc == 4)
        watch(argv[2], argv[3]);
    else
        die("usage", "fill SERVERS COUNT, rows SERVERS FROM COUNT, bars SERVERS COUNT [KEY=VALUE...], "
                     "count SERVERS TOPIC, watch SERVERS TOPIC");
    return 0;
}
