/* kafka_latency.c: how long a trade takes through the pipeline: it is sent to the raw topic stamped with the clock, and its latest
 * price is waited for at the other end, committed.
 *
 *     kafka_latency SERVERS RATE SECONDS INSTRUMENTS [FROM TO FIELD]
 *         Prints the quantiles of what is sent after the first quarter of the time, and how many were sent and came back. The
 *         consumer is on its own thread, so that neither waits for the other. FIELD of what comes back is when it was sent, us:
 *         event_time of a latest price, occurred_at where bare hops (kafka_hop.c) carry the raw event itself FROM one topic TO
 *         another.
 */
#define _GNU_SOURCE
#include "bench/kafka_bare.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define MOST 20000 /* ms: bins of latencies */

static const char          *servers, *from = "ingestion.market.ticks.raw.v1", *to = "served.market.latest_prices.v1";
static const char          *field = "event_time";
static atomic_bool          ended;
static atomic_uint_fast64_t came;
static atomic_llong         counted_from; /* us */
static uint64_t             bins[MOST + 1], counted;

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the far end ---- */

static int64_t event_time_of(const rd_kafka_message_t *message)
{
    char        name[64];
    size_t      size = (size_t)snprintf(name, sizeof(name), "\"%s\":", field);
    const char *at = memmem(message->payload, message->len, name, size);

    return at != NULL ? strtoll(at + size, NULL, 10) : 0;
}

static void count(const rd_kafka_message_t *message)
{
    int64_t sent = event_time_of(message), ms = (now_us() - sent + 500) / 1000;

    atomic_fetch_add(&came, 1);
    if (sent < atomic_load(&counted_from))
        return;
    bins[ms < 0 ? 0 : ms > MOST ? MOST : ms]++;
    counted++;
}

static void *listen_to(void *arg)
{
    rd_kafka_t *rk = arg;

    while (!atomic_load(&ended)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);

        if (message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            count(message);
        if (message != NULL)
            rd_kafka_message_destroy(message);
    }
    return NULL;
}

static rd_kafka_t *listener(void)
{
    rd_kafka_conf_t                 *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(16);
    const struct rd_kafka_metadata  *metadata;
    rd_kafka_t                      *rk;

    set(conf, "bootstrap.servers", servers);
    set(conf, "group.id", "latency");
    set(conf, "isolation.level", "read_committed");
    set(conf, "fetch.wait.max.ms", "5");
    rk = client(RD_KAFKA_CONSUMER, conf);
    check(to, rd_kafka_metadata(rk, 1, NULL, &metadata, 10000));
    for (int i = 0; i < metadata->topic_cnt; i++)
        for (int j = 0; strcmp(metadata->topics[i].topic, to) == 0 && j < metadata->topics[i].partition_cnt; j++) {
            int64_t low, high;

            check(to, rd_kafka_query_watermark_offsets(rk, to, j, &low, &high, 10000));
            rd_kafka_topic_partition_list_add(parts, to, j)->offset = high;
        }
    rd_kafka_metadata_destroy(metadata);
    if (parts->cnt == 0)
        die(to, "there is no such topic: what writes it has not run");
    check(to, rd_kafka_assign(rk, parts));
    rd_kafka_topic_partition_list_destroy(parts);
    return rk;
}

/* ---- the near end ---- */

static void send_trade(rd_kafka_t *rk, uint64_t n, uint64_t instruments)
{
    char    key[32], value[768];
    int64_t now = now_us();
    int     key_size = snprintf(key, sizeof(key), "SYM%04" PRIu64, n % instruments);
    int     size = snprintf(
            value, sizeof(value),
            "{\"event_id\":\"latency#%" PRIu64 "\",\"trace_id\":\"latency\",\"schema_version\":\"1.0.0\","
                "\"tenant_id\":\"default\",\"producer\":\"latency@1.0.0\",\"occurred_at\":%" PRId64
            ",\"ingested_at\":%" PRId64
            ",\"payload\":{\"source_system\":\"latency\",\"market\":\"ICE\",\"symbol\":\"%s\","
                "\"received_at\":%" PRId64 ",\"encoding\":\"json\",\"raw_payload\":\"{\\\"symbol\\\":\\\"%s\\\","
                "\\\"timestamp\\\":%" PRId64 ",\\\"market\\\":\\\"ICE\\\",\\\"sequence\\\":\\\"%" PRIu64
            "\\\",\\\"price\\\":\\\"%d.%02d\\\",\\\"volume\\\":\\\"%d\\\",\\\"currency\\\":\\\"USD\\\",\\\"unit\\\":\\\"lot\\\"}\"}}",
            n, now, now, key, now, key, now, n, (int)(80 + n % 7), (int)(n % 100), (int)(1 + n % 50));

    check("produce", rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(from), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_KEY(key, (size_t)key_size), RD_KAFKA_V_VALUE(value, (size_t)size),
                                       RD_KAFKA_V_TIMESTAMP(now / 1000), RD_KAFKA_V_END));
}

static uint64_t feed(uint64_t rate, uint64_t seconds, uint64_t instruments)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t      *rk;
    int64_t          began;
    uint64_t         sent = 0;

    set(conf, "bootstrap.servers", servers);
    set(conf, "compression.codec", "lz4");
    set(conf, "linger.ms", "5");
    set(conf, "queue.buffering.max.messages", "1000000");
    set(conf, "partitioner", "murmur2_random");
    rk = client(RD_KAFKA_PRODUCER, conf);
    began = now_us();
    atomic_store(&counted_from, began + (int64_t)seconds * 250000);
    while (sent < rate * seconds) {
        uint64_t due = (uint64_t)(now_us() - began) * rate / 1000000;

        while (sent < due && sent < rate * seconds)
            send_trade(rk, sent++, instruments);
        rd_kafka_poll(rk, 0);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    check("flush", rd_kafka_flush(rk, 60000));
    rd_kafka_destroy(rk);
    return sent;
}

/* ---- the answer ---- */

static int quantile(double share)
{
    uint64_t sum = 0;

    for (int i = 0; i <= MOST; i++)
        if ((double)(sum += bins[i]) >= share * (double)counted)
            return i;
    return MOST;
}

/* All that was sent, or as much as comes within a minute. */
static void await_all(uint64_t sent)
{
    for (int i = 0; i < 600 && atomic_load(&came) < sent; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
}

int main(int argc, char **argv)
{
    uint64_t    rate = argc == 5 || argc == 8 ? strtoull(argv[2], NULL, 10) : 0, sent;
    pthread_t   thread;
    rd_kafka_t *rk;

    if (rate == 0)
        die("usage", "SERVERS RATE SECONDS INSTRUMENTS [FROM TO FIELD]");
    servers = argv[1];
    if (argc == 8) {
        from = argv[5];
        to = argv[6];
        field = argv[7];
    }
    rk = listener();
    if (pthread_create(&thread, NULL, listen_to, rk) != 0)
        die("thread", "it cannot be made");
    sent = feed(rate, strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
    await_all(sent);
    atomic_store(&ended, true);
    pthread_join(thread, NULL);
    printf("p50 %d ms, p95 %d ms, p99 %d ms, most %d ms; %" PRIu64 " sent, %" PRIu64 " came back\n", quantile(0.5),
           quantile(0.95), quantile(0.99), quantile(1), sent, (uint64_t)atomic_load(&came));
    rd_kafka_destroy(rk);
    return atomic_load(&came) < sent;
}
