/* embedded_producer.c: producers, and the records that wait in them for a commit.
 *
 * (1) A record is packed once, at send, into the chunk that will be its row; no lock is taken for a topic that is known.
 * (2) Chunks and lists stay with the producer from commit to commit.
 */
#include "statestores/embedded.h"

#define CHUNKS_KEPT 8 /* of a partition, after a transaction */

/* ---- open and close ---- */

static struct weir__producer *find_other(const struct weir__log *log, const char *id)
{
    struct weir__producer *other = log->producers;

    while (other != NULL && (other->id == NULL || other->fenced || strcmp(other->id, id) != 0))
        other = other->next;
    return other;
}

/* By the writer. */
static void fence_others(struct weir__log *log, const char *id)
{
    struct weir__producer *other;

    while ((other = find_other(log, id)) != NULL) {
        other->fenced = true;
        if (weir__embedded_marks(other))
            weir__embedded_lapse(other);
    }
}

/* The predecessor commits nothing more, and what it did is known everywhere. */
static int succeed(struct weir__log *log, const char *id, int64_t deadline)
{
    int err;

    do {
        err = weir__embedded_begin(log, deadline);
        if (err < 0)
            return err;
        fence_others(log, id);
        weir__embedded_end(log);
        err = weir__embedded_resolve(log, id, deadline);
    } while (err == WEIR_OK && find_other(log, id) != NULL);
    return err;
}

static int enlist(struct weir__producer *producer, int64_t deadline)
{
    struct weir__log *log = producer->log;
    int               err;

    pthread_mutex_lock(&log->mutex);
    err = log->read_only ? WEIR_BAD_STATE : WEIR_OK;
    if (err == WEIR_OK && producer->id != NULL)
        err = succeed(log, producer->id, deadline);
    if (err == WEIR_OK) {
        producer->next = log->producers;
        log->producers = producer;
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

int weir__embedded_producer(struct weir__log *log, const char *id, int64_t deadline, struct weir__producer **ret,
                            struct weir_error *reterr)
{
    struct weir__producer *producer = weir__zalloc(sizeof(*producer));
    int                    err = WEIR_NO_MEMORY;

    if (producer != NULL && (id == NULL || (producer->id = weir__strdup(id)) != NULL)) {
        producer->log = log;
        err = enlist(producer, deadline);
    }
    if (err == WEIR_OK) {
        *ret = producer;
        return WEIR_OK;
    }
    if (producer != NULL)
        weir__free(producer->id);
    weir__free(producer);
    return weir__fail(reterr, err, id != NULL ? id : "producer", "it cannot be opened: %s", weir_code_text(err));
}

static void outgoing_fini(struct outgoing *out)
{
    for (size_t i = 0; i < out->made; i++)
        weir__chunk_fini(&out->chunks[i]);
    weir__free(out->chunks);
    weir__free(out->cookies);
}

static void destination_fini(struct destination *to)
{
    for (int32_t i = 0; i < to->count; i++)
        outgoing_fini(&to->partitions[i]);
    weir__free(to->partitions);
}

/* What is open is aborted; whoever writes now is waited for: it may be about us. */
static void end_open(struct weir__producer *producer)
{
    struct weir__log *log = producer->log;

    if (!weir__embedded_marks(producer))
        return;
    while (weir__embedded_begin(log, weir__embedded_now(log) + 1000) == WEIR_AGAIN)
        continue;
    if (producer->pending > 0 && !producer->fenced)
        weir__embedded_lapse(producer);
    weir__embedded_end(log);
}

void weir__embedded_producer_close(struct weir__producer *producer)
{
    struct weir__producer **link;

    if (producer == NULL)
        return;
    pthread_mutex_lock(&producer->log->mutex);
    end_open(producer);
    for (link = &producer->log->producers; *link != producer; link = &(*link)->next)
        continue;
    *link = producer->next;
    pthread_mutex_unlock(&producer->log->mutex);
    for (size_t i = 0; i < producer->count; i++)
        destination_fini(&producer->destinations[i]);
    weir__free(producer->destinations);
    weir__embedded_batch_fini(&producer->batch);
    weir__free(producer->id);
    weir__free(producer);
}

/* ---- send ---- */

static int64_t record_bytes(const struct weir__raw *raw)
{
    size_t size = raw->key.size + raw->value.size;

    for (size_t i = 0; i < raw->header_count; i++)
        size += strlen(raw->headers[i].name) + raw->headers[i].value.size;
    return (int64_t)size;
}

static bool leads_to(const struct destination *to, const char *topic)
{
    return !to->topic->removed && strcmp(to->topic->name, topic) == 0;
}

static int add_destination(struct weir__producer *producer, const char *name, struct destination **ret)
{
    struct weir__log *log = producer->log;
    struct topic     *topic;
    int               err = WEIR_OK;

    pthread_mutex_lock(&log->mutex);
    topic = weir__embedded_topic(log, name);
    if (topic == NULL)
        err = WEIR_NOTFOUND;
    else if (GROW(producer->destinations, producer->capacity, producer->count) < 0)
        err = WEIR_NO_MEMORY;
    else
        producer->destinations[producer->last = producer->count++] = (struct destination){ .topic = topic };
    pthread_mutex_unlock(&log->mutex);
    if (err == WEIR_OK)
        *ret = &producer->destinations[producer->last];
    return err;
}

static int find_destination(struct weir__producer *producer, const char *topic, struct destination **ret)
{
    if (producer->count > 0 && leads_to(&producer->destinations[producer->last], topic)) {
        *ret = &producer->destinations[producer->last];
        return WEIR_OK;
    }
    for (size_t i = 0; i < producer->count; i++)
        if (leads_to(&producer->destinations[i], topic)) {
            producer->last = i;
            *ret = &producer->destinations[i];
            return WEIR_OK;
        }
    return add_destination(producer, topic, ret);
}

static int widen_to(struct destination *to, int32_t count)
{
    struct outgoing *grown = weir__realloc(to->partitions, sizeof(*grown) * (size_t)count);

    if (grown == NULL)
        return WEIR_NO_MEMORY;
    memset(grown + to->count, 0, sizeof(*grown) * (size_t)(count - to->count));
    for (int32_t i = to->count; i < count; i++)
        grown[i].sent = -1;
    to->partitions = grown;
    to->count = count;
    return WEIR_OK;
}

/* Room for all partitions that the topic has by now. */
static int widen(struct weir__log *log, struct destination *to, int32_t count)
{
    int err;

    if (to->count >= count)
        return WEIR_OK;
    pthread_mutex_lock(&log->mutex);
    err = widen_to(to, count);
    pthread_mutex_unlock(&log->mutex);
    return err;
}

static int pick_partition(struct weir__producer *producer, const struct weir__raw *raw, int32_t count, int32_t *ret)
{
    if (raw->partition >= count)
        return WEIR_NOTFOUND;
    if (raw->partition >= 0)
        *ret = raw->partition;
    else if (raw->key.data != NULL)
        *ret = weir__partition_of(raw->key, count);
    else
        *ret = (int32_t)(producer->keyless++ % count);
    return WEIR_OK;
}

/* The chunk that takes the next record. */
static struct chunk *open_chunk(struct outgoing *out)
{
    if (out->count > 0 && !weir__chunk_full(&out->chunks[out->count - 1]))
        return &out->chunks[out->count - 1];
    if (out->count == out->made) {
        if (GROW(out->chunks, out->capacity, out->made) < 0)
            return NULL;
        memset(&out->chunks[out->made++], 0, sizeof(*out->chunks));
    }
    weir__chunk_reset(&out->chunks[out->count]);
    return &out->chunks[out->count++];
}

static int add_record(struct outgoing *out, const struct weir__raw *raw, uint64_t cookie)
{
    int64_t       records = atomic_load_explicit(&out->records, memory_order_relaxed);
    struct chunk *chunk;
    int           err;

    if (GROW(out->cookies, out->cookie_capacity, (size_t)records) < 0 || (chunk = open_chunk(out)) == NULL)
        return WEIR_NO_MEMORY;
    err = weir__chunk_add(chunk, chunk->count, raw);
    if (err < 0) {
        out->count -= chunk->count == 0;
        return err;
    }
    out->cookies[records] = cookie;
    atomic_store_explicit(&out->records, records + 1, memory_order_release);
    return WEIR_OK;
}

int weir__embedded_send(struct weir__producer *producer, const struct weir__raw *raw, uint64_t cookie)
{
    struct weir__log   *log = producer->log;
    struct destination *to;
    int32_t             count, partition;
    int                 err;

    if (producer->fenced)
        return WEIR_FENCED;
    if (raw->timestamp < (log->quirks ? 1 : 0))
        return WEIR_BAD_TIME;
    if (record_bytes(raw) > log->max_bytes)
        return WEIR_TOO_LARGE;
    err = find_destination(producer, raw->topic, &to);
    if (err < 0)
        return err;
    count = to->topic->count;
    err = pick_partition(producer, raw, count, &partition);
    if (err == WEIR_OK)
        err = widen(log, to, count);
    if (err == WEIR_OK)
        err = add_record(&to->partitions[partition], raw, cookie);
    if (err == WEIR_OK && producer->pending++ == 0)
        atomic_store(&producer->opened, weir__embedded_ticks(log));
    return err;
}

/* ---- at the end of a transaction ---- */

int weir__embedded_for_outgoing(struct weir__producer *producer,
                                int (*fn)(struct weir__producer *producer, struct topic *topic, int32_t partition,
                                          struct outgoing *out))
{
    int err = WEIR_OK;

    for (size_t i = 0; i < producer->count; i++)
        for (int32_t j = 0; err == WEIR_OK && j < producer->destinations[i].count; j++)
            if (producer->destinations[i].partitions[j].records > 0)
                err = fn(producer, producer->destinations[i].topic, j, &producer->destinations[i].partitions[j]);
    return err;
}

static void outgoing_reset(struct outgoing *out, int64_t sent)
{
    while (out->made > CHUNKS_KEPT)
        weir__chunk_fini(&out->chunks[--out->made]);
    out->count = 0;
    atomic_store(&out->records, 0);
    out->told = out->held = 0;
    out->sent = sent;
}

void weir__embedded_reset(struct weir__producer *producer, bool committed)
{
    for (size_t i = 0; i < producer->count; i++)
        for (int32_t j = 0; j < producer->destinations[i].count; j++) {
            struct outgoing *out = &producer->destinations[i].partitions[j];

            outgoing_reset(out, committed && out->records > 0 ? out->sent : -1);
        }
    producer->pending = 0;
    atomic_store(&producer->opened, 0);
}

/* A send fails late only where its topic was removed meanwhile. */
int weir__embedded_failed(struct weir__producer *producer, uint64_t *ret_cookie, int *ret_code)
{
    for (size_t i = 0; i < producer->count; i++) {
        struct destination *to = &producer->destinations[i];

        for (int32_t j = 0; to->topic->removed && j < to->count; j++) {
            struct outgoing *out = &to->partitions[j];

            if (out->told == out->records)
                continue;
            *ret_cookie = out->cookies[out->told++];
            *ret_code = WEIR_NOTFOUND;
            return WEIR_OK;
        }
    }
    return WEIR_NOTFOUND;
}

int64_t weir__embedded_sent(struct weir__producer *producer, struct weir__tp tp)
{
    for (size_t i = 0; i < producer->count; i++) {
        const struct destination *to = &producer->destinations[i];

        if (leads_to(to, tp.topic) && tp.partition >= 0 && tp.partition < to->count)
            return to->partitions[tp.partition].sent;
    }
    return -1;
}
