/* queues.c: what librdkafka's queues may take: the log's memory, divided among partitions that are read and producers.
 *
 * (1) A half is for what was fetched and not taken yet, a quarter for what is to be sent; a quarter for a restore, which reads
 *     beside the tasks that run.
 * (2) librdkafka counts the bytes of records. Each takes RECORD_BYTES besides, so records are counted too, and bytes by
 *     half of the share.
 * (3) librdkafka sends a request for each partition, and a request costs the broker more than its records. What is written in
 *     a transaction is read when that ends, and its end sends what is left: it may gather that long.
 * (4) Above a limit fetching stops for up to a second, unless it is woken (poll.c): larger queues are not faster.
 */
#include "framework/kafka/internal.h"

#define RECORD_BYTES 600
#define HANDLE_BYTES (INT64_C(8) << 20)  /* of handles, threads and connections, whatever they hold */
#define MOST_FETCHED (INT64_C(4) << 20)  /* of a partition */
#define MOST_AT_ONCE (INT64_C(1) << 20)  /* of a partition, by one fetch */
#define MOST_UNSENT  (INT64_C(64) << 20) /* of a producer */
#define GATHER_MS    200                 /* records of a transaction that take long to end are sent this often */

void weir__kafka_expect(struct weir__log *log, size_t partitions, size_t producers)
{
    pthread_mutex_lock(&log->mutex);
    log->partitions += partitions;
    log->producers += producers;
    pthread_mutex_unlock(&log->mutex);
}

static void add(struct queues *queues, const char *name, int64_t value)
{
    size_t n = queues->count++;

    snprintf(queues->values[n], sizeof(queues->values[n]), "%lld", (long long)value);
    queues->pairs[n] = (struct pair){ name, queues->values[n] };
    queues->pairs[n + 1] = (struct pair){ NULL, NULL };
}

static int64_t within(int64_t value, int64_t least, int64_t most) { return MIN(MAX(value, least), most); }

/* What is there for queues. */
static int64_t memory_of(const struct weir__log *log)
{
    int64_t memory = (int64_t)log->memory;

    return memory > 0 ? MAX(memory - HANDLE_BYTES, memory / 4) : INT64_MAX / 2;
}

/* partitions: of a reader beside the tasks, on each thread; 0 = those of tasks, over all threads. */
void weir__kafka_reader_queues(struct weir__log *log, size_t partitions, struct queues *ret)
{
    int64_t memory = memory_of(log), all, each;

    pthread_mutex_lock(&log->mutex);
    all = partitions == 0 ? memory / 2 : memory / 4 / (int64_t)MAX(log->producers, 1u);
    each = all / (int64_t)MAX(partitions == 0 ? log->partitions : partitions, 1u);
    pthread_mutex_unlock(&log->mutex);
    *ret = (struct queues){ .count = 0 };
    add(ret, "queued.max.messages.kbytes", within(each / 2, INT64_C(64) << 10, MOST_FETCHED) / 1024);
    add(ret, "queued.min.messages", within(each / RECORD_BYTES, 100, 100000));
    add(ret, "fetch.message.max.bytes", within(each / 4, INT64_C(64) << 10, MOST_AT_ONCE));
    add(ret, "fetch.max.bytes", within(all / 4, INT64_C(1) << 20, INT64_C(50) << 20));
}

/* A record that is allowed must find room. */
void weir__kafka_producer_queues(struct weir__log *log, bool transactions, struct queues *ret)
{
    int64_t memory = memory_of(log), each;

    pthread_mutex_lock(&log->mutex);
    each = memory / 4 / (int64_t)MAX(log->producers, 1u);
    pthread_mutex_unlock(&log->mutex);
    *ret = (struct queues){ .count = 0 };
    add(ret, "queue.buffering.max.kbytes",
        MAX(within(each / 2, INT64_C(1) << 20, MOST_UNSENT), 2 * log->max_bytes) / 1024);
    add(ret, "queue.buffering.max.messages", within(each / RECORD_BYTES, 2000, 500000));
    add(ret, "batch.size", within(each / 8, INT64_C(64) << 10, 1000000));
    if (transactions)
        add(ret, "linger.ms", GATHER_MS);
}
