/* poll.c: what a poll gives: the group's events, records by partition, ends.
 *
 * (1) A lease holds the library's own messages: what is handed out is not copied, and dies when the lease is released.
 * (2) The end of a partition is told after the records before it, as an event of its own.
 * (3) With full queues the library (before 2.2) stops fetching and looks again after a second, however soon they are empty. A seek
 *     has it look at once: it is sought to where we are, what it brings twice is passed over.
 */
#include "framework/kafka/internal.h"
#include "framework/logging/logging.h"

#define POLL_RECORDS 1000
#define SERVE_EVERY  16
#define POLL_BYTES   ((size_t)1 << 20)
/* Longest wait before the group is looked after again, ms. */
#define LOOK_MS 100
/* So long a fetch that is on its way may take before we think that there is none, ms. */
#define ROUSE_MS 3
/* How long a look at a partition's ends may take, ms. */
#define ENDS_MS 5000

/* ---- leases ---- */

struct lease {
    struct lease        *next; /* in consumer->leases */
    rd_kafka_message_t **messages;
    struct weir__raw    *records;
    struct weir_arena    arena; /* of headers */
    size_t               count, message_capacity, record_capacity, bytes;
};

static struct lease *lease_new(struct weir__consumer *consumer)
{
    struct lease *lease = consumer->spare;

    consumer->spare = NULL;
    return lease != NULL ? lease : weir__zalloc(sizeof(*lease));
}

static void lease_reset(struct lease *lease)
{
    for (size_t i = 0; i < lease->count; i++)
        rd_kafka_message_destroy(lease->messages[i]);
    lease->count = lease->bytes = 0;
    weir__arena_reset(&lease->arena);
}

static void lease_free(struct lease *lease)
{
    if (lease == NULL)
        return;
    lease_reset(lease);
    weir__free(lease->messages);
    weir__free(lease->records);
    weir__arena_fini(&lease->arena);
    weir__free(lease);
}

void weir__kafka_release(struct weir__consumer *consumer, void *arg)
{
    struct lease  *lease = arg;
    struct lease **link = &consumer->leases;

    if (lease == NULL)
        return;
    while (*link != lease)
        link = &(*link)->next;
    *link = lease->next;
    lease_reset(lease);
    if (consumer->spare == NULL)
        consumer->spare = lease;
    else
        lease_free(lease);
}

/* The library waits for its messages when it is closed. */
void weir__kafka_leases_fini(struct weir__consumer *consumer)
{
    while (consumer->leases != NULL) {
        struct lease *lease = consumer->leases;

        consumer->leases = lease->next;
        lease_free(lease);
    }
    lease_free(consumer->spare);
    consumer->spare = NULL;
}

/* ---- records ---- */

static int take_headers(rd_kafka_message_t *message, struct weir_arena *arena, struct weir__raw *ret)
{
    rd_kafka_headers_t *headers;
    struct weir_header *copy;
    size_t              count;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return WEIR_OK;
    count = rd_kafka_header_cnt(headers);
    copy = weir__arena_take(arena, sizeof(*copy) * count);
    if (copy == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const void *value;
        size_t      size;

        (void)rd_kafka_header_get_all(headers, i, &copy[i].name, &value, &size);
        copy[i].value = BYTES(value, size);
    }
    ret->headers = copy;
    ret->header_count = count;
    return WEIR_OK;
}

static int take_message(struct lease *lease, rd_kafka_message_t *message)
{
    struct weir__raw raw = { .topic = rd_kafka_topic_name(message->rkt),
                             .partition = message->partition,
                             .offset = message->offset,
                             .timestamp = rd_kafka_message_timestamp(message, NULL),
                             .key = BYTES(message->key, message->key_len),
                             .value = BYTES(message->payload, message->len) };

    if (GROW(lease->messages, lease->message_capacity, lease->count) < 0 ||
        GROW(lease->records, lease->record_capacity, lease->count) < 0 ||
        take_headers(message, &lease->arena, &raw) < 0)
        return WEIR_NO_MEMORY;
    lease->messages[lease->count] = message;
    lease->records[lease->count++] = raw;
    lease->bytes += raw.key.size + raw.value.size;
    return WEIR_OK;
}

/* A marker before it counts in the library's queue, too. */
static int take_record(struct part *part, struct lease *lease, rd_kafka_message_t *message)
{
    int err = take_message(lease, message);

    if (err < 0)
        return err;
    part->records += MIN(message->offset + 1 - part->next, 2);
    part->next = message->offset + 1;
    part->asleep = false;
    part->bytes += (int64_t)(message->key_len + message->len);
    return WEIR_OK;
}

/* Its offset is not there: what was removed before it is passed over; behind the end nothing can be read, and whoever
 * reads must look again at what was committed. */
static int on_no_offset(struct weir__consumer *consumer, struct part *part)
{
    struct weir__log *log = consumer->log;
    struct weir__tp   tp = { rd_kafka_topic_name(part->topic), part->partition };
    int64_t           low, end;
    int               err = weir__kafka_low(log, tp, weir__kafka_now(log) + ENDS_MS, &low, &end);

    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : weir__kafka_restart_part(consumer, part, part->next);
    if (part->next > end)
        return WEIR_CORRUPT;
    return weir__kafka_restart_part(consumer, part, MAX(part->next, low));
}

/* What comes through a partition's queue and is no record. */
static int take_notice(struct weir__consumer *consumer, struct part *part, const rd_kafka_message_t *message)
{
    int code = weir__kafka_code(message->err);

    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        part->ended = true;
        part->asleep = false;
        part->records++; /* it had a place in the queue, too */
        part->next = MAX(part->next, message->offset);
        return WEIR_OK;
    }
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        return on_no_offset(consumer, part);
    if (code == WEIR_NOTFOUND || code == WEIR_AGAIN || message->err == RD_KAFKA_RESP_ERR_UNKNOWN)
        return WEIR_OK; /* the topic was removed, or it passes by itself */
    weir__say(WEIR__ERROR, "kafka-read-failed", "topic", "s", rd_kafka_topic_name(part->topic), "partition", "i",
              (int64_t)part->partition, "why", "s", rd_kafka_message_errstr(message), NULL);
    return code;
}

/* What came through its queue without a break may have filled it: then nothing is being fetched. */
static void on_empty(const struct weir__consumer *consumer, struct part *part)
{
    if (part->records >= consumer->most_records || part->bytes >= consumer->most_bytes) {
        part->asleep = true;
        part->dry_since = weir__kafka_now(consumer->log);
    }
    part->records = part->bytes = 0;
}

/* Until its end, or until the lease is full. */
static int read_part(struct weir__consumer *consumer, struct part *part, struct lease *lease)
{
    size_t most = lease->count + POLL_RECORDS;
    int    err = WEIR_OK;

    while (err == WEIR_OK && !part->ended && lease->count < most && lease->bytes < POLL_BYTES) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(part->queue, 0);

        if (message == NULL) {
            on_empty(consumer, part);
            break;
        }
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            err = take_notice(consumer, part, message);
        else if (message->offset >= part->next && (err = take_record(part, lease, message)) == WEIR_OK)
            continue;
        rd_kafka_message_destroy(message);
    }
    return err;
}

static int read_parts(struct weir__consumer *consumer, struct lease *lease)
{
    int err = WEIR_OK;

    for (size_t n = 0; err == WEIR_OK && n < consumer->part_count && lease->bytes < POLL_BYTES; n++) {
        struct part *part = &consumer->parts[(consumer->turn + n) % consumer->part_count];

        if (!part->held && part->queue != NULL)
            err = read_part(consumer, part, lease);
    }
    if (consumer->part_count > 0)
        consumer->turn = (consumer->turn + 1) % consumer->part_count;
    if (lease->count == 0)
        return err;
    consumer->unread = err;
    return WEIR_OK;
}

/* What ended the reading behind records that were handed out: the library tells it once. */
static int take_failure(struct weir__consumer *consumer)
{
    int err = consumer->unread;

    consumer->unread = WEIR_OK;
    return err;
}

/* WEIR_NOTFOUND: there are none. */
static int read_some(struct weir__consumer *consumer, struct weir__polled *ret)
{
    struct lease *lease = lease_new(consumer);
    int           err;

    if (lease == NULL)
        return WEIR_NO_MEMORY;
    lease->next = consumer->leases;
    consumer->leases = lease;
    err = read_parts(consumer, lease);
    if (err < 0 || lease->count == 0) {
        weir__kafka_release(consumer, lease);
        return err < 0 ? err : WEIR_NOTFOUND;
    }
    *ret = (struct weir__polled){ .records = lease->records, .count = lease->count, .lease = lease };
    return WEIR_OK;
}

static bool tell_end(struct weir__consumer *consumer, struct weir__polled *ret)
{
    for (size_t i = 0; i < consumer->part_count; i++) {
        struct part *part = &consumer->parts[i];

        if (!part->ended || part->held)
            continue;
        part->ended = false;
        consumer->end_tp = (struct weir__tp){ rd_kafka_topic_name(part->topic), part->partition };
        consumer->event =
            (struct weir__log_event){ .kind = WEIR__END, .tps = &consumer->end_tp, .count = 1, .next = part->next };
        ret->event = &consumer->event;
        return true;
    }
    return false;
}

/* ---- poll ---- */

/* The reader's own callbacks: the group's are served with the group. */
static void serve_reader(struct weir__consumer *consumer)
{
    if (++consumer->unserved % SERVE_EVERY == 0)
        (void)rd_kafka_poll(consumer->reader, 0);
}

static int poll_once(struct weir__consumer *consumer, struct weir__polled *ret)
{
    int err = consumer->member != NULL ? weir__kafka_serve_member(consumer) : WEIR_OK;

    if (err < 0)
        return err;
    if (consumer->has_event) {
        consumer->has_event = false;
        ret->event = &consumer->event;
        return WEIR_OK;
    }
    if (tell_end(consumer, ret))
        return WEIR_OK;
    err = take_failure(consumer);
    if (err == WEIR_OK)
        err = read_some(consumer, ret);
    if (err != WEIR_NOTFOUND)
        return err;
    return tell_end(consumer, ret) ? WEIR_OK : WEIR_AGAIN;
}

/* Has fetched again what was not for a while. A fetch that was on its way after all is lost by it, and comes again. true: some
 * may be asleep for less. */
static bool rouse(struct weir__consumer *consumer)
{
    bool any = false;

    for (size_t i = 0; i < consumer->part_count; i++) {
        struct part *part = &consumer->parts[i];

        if (!part->asleep || part->held)
            continue;
        any = true;
        if (weir__kafka_now(consumer->log) - part->dry_since < ROUSE_MS)
            continue;
        (void)rd_kafka_seek(part->topic, part->partition, part->next, 0);
        part->asleep = false;
    }
    return any;
}

/* Waits until a queue has something, for a while. false: the deadline has come, or it was woken. */
static bool wait_a_while(struct weir__consumer *consumer, int64_t deadline)
{
    int64_t         now = weir__kafka_now(consumer->log);
    struct timespec until =
        weir__kafka_until(consumer->log, MIN(deadline, now + (rouse(consumer) ? ROUSE_MS : LOOK_MS)));
    bool woken;

    pthread_mutex_lock(&consumer->mutex);
    if (!consumer->stirred && !consumer->woken && now < deadline)
        (void)pthread_cond_timedwait(&consumer->changed, &consumer->mutex, &until);
    consumer->stirred = false;
    woken = consumer->woken;
    pthread_mutex_unlock(&consumer->mutex);
    return !woken && now < deadline;
}

int weir__kafka_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    int err;

    *ret = (struct weir__polled){ 0 };
    serve_reader(consumer);
    (void)rouse(consumer);
    do
        err = poll_once(consumer, ret);
    while (err == WEIR_AGAIN && wait_a_while(consumer, deadline));
    pthread_mutex_lock(&consumer->mutex);
    consumer->woken = false;
    pthread_mutex_unlock(&consumer->mutex);
    return err;
}

void weir__kafka_wake(struct weir__consumer *consumer)
{
    pthread_mutex_lock(&consumer->mutex);
    consumer->woken = true;
    pthread_cond_signal(&consumer->changed);
    pthread_mutex_unlock(&consumer->mutex);
}
