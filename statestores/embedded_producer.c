/* embedded_producer.c: sends that wait, and the commit that makes them be. */
#include "statestores/embedded.h"

int weir__embedded_producer(struct weir__log *log, const char *id, int64_t deadline, struct weir__producer **ret,
                            struct weir_error *reterr)
{
    struct weir__producer *producer = weir__zalloc(sizeof(*producer));

    (void)deadline;
    if (producer == NULL || (id != NULL && (producer->id = weir__strdup(id)) == NULL)) {
        weir__free(producer);
        return weir__fail(reterr, WEIR_NO_MEMORY, id != NULL ? id : "producer", "no memory for a producer");
    }
    producer->log = log;
    pthread_mutex_lock(&log->mutex);
    for (struct weir__producer *other = log->producers; other != NULL; other = other->next)
        if (id != NULL && other->id != NULL && strcmp(other->id, id) == 0)
            other->fenced = true;
    producer->next = log->producers;
    log->producers = producer;
    pthread_mutex_unlock(&log->mutex);
    *ret = producer;
    return WEIR_OK;
}

static void forget_pending(struct weir__producer *producer)
{
    producer->count = 0;
    weir__arena_reset(&producer->arena);
}

void weir__embedded_producer_close(struct weir__producer *producer)
{
    struct weir__producer **link;

    if (producer == NULL)
        return;
    pthread_mutex_lock(&producer->log->mutex);
    for (link = &producer->log->producers; *link != producer; link = &(*link)->next)
        continue;
    *link = producer->next;
    pthread_mutex_unlock(&producer->log->mutex);
    weir__arena_fini(&producer->arena);
    weir__free(producer->pending);
    weir__free(producer->sent);
    weir__free(producer->id);
    weir__free(producer);
}

static int64_t record_bytes(const struct weir__raw *raw)
{
    size_t size = raw->key.size + raw->value.size;

    for (size_t i = 0; i < raw->header_count; i++)
        size += strlen(raw->headers[i].name) + raw->headers[i].value.size;
    return (int64_t)size;
}

int weir__embedded_send(struct weir__producer *producer, const struct weir__raw *raw, uint64_t cookie)
{
    struct weir__log *log = producer->log;
    struct pending   *pending;
    struct topic     *topic;
    int32_t           partition = raw->partition;

    (void)cookie;
    if (raw->timestamp < (log->quirks ? 1 : 0))
        return WEIR_BAD_TIME;
    if (record_bytes(raw) > log->max_bytes)
        return WEIR_TOO_LARGE;
    pthread_mutex_lock(&log->mutex);
    topic = weir__embedded_topic(log, raw->topic);
    pthread_mutex_unlock(&log->mutex);
    if (topic == NULL || partition >= topic->count)
        return WEIR_NOTFOUND;
    if (partition < 0)
        partition = raw->key.data != NULL ? weir__partition_of(raw->key, topic->count)
                                          : (int32_t)(producer->count % (size_t)topic->count);
    if (GROW(producer->pending, producer->capacity, producer->count) < 0)
        return WEIR_NO_MEMORY;
    pending = &producer->pending[producer->count];
    if (weir__raw_copy(raw, &producer->arena, &pending->raw) < 0)
        return WEIR_NO_MEMORY;
    pending->topic = topic;
    pending->raw.partition = partition;
    producer->count++;
    return WEIR_OK;
}

/* ---- commit ---- */

static struct sent_to *sent_entry(struct weir__producer *producer, struct topic *topic, int32_t partition)
{
    struct sent_to *entry;

    for (size_t i = 0; i < producer->sent_count; i++)
        if (producer->sent[i].topic == topic && producer->sent[i].partition == partition)
            return &producer->sent[i];
    if (GROW(producer->sent, producer->sent_capacity, producer->sent_count) < 0)
        return NULL;
    entry = &producer->sent[producer->sent_count++];
    *entry = (struct sent_to){ .topic = topic, .partition = partition, .next = topic->partitions[partition].end };
    return entry;
}

static int add_write(struct weir__producer *producer, struct weir__batch *batch, struct weir_bytes key,
                     struct weir_bytes value)
{
    struct weir__write *write;

    if (GROW(batch->writes, batch->capacity, batch->count) < 0)
        return WEIR_NO_MEMORY;
    write = &batch->writes[batch->count];
    *write = (struct weir__write){ .family = producer->log->family };
    write->key = BYTES(weir__arena_copy(&batch->arena, key.data, key.size), key.size);
    write->value = BYTES(weir__arena_copy(&batch->arena, value.data, value.size), value.size);
    if (write->key.data == NULL || write->value.data == NULL)
        return WEIR_NO_MEMORY;
    batch->count++;
    return WEIR_OK;
}

static int add_records(struct weir__producer *producer, struct weir__batch *batch, struct weir__buf *scratch)
{
    struct weir__log *log = producer->log;

    for (size_t i = 0; i < producer->count; i++) {
        struct pending *pending = &producer->pending[i];
        struct sent_to *entry = sent_entry(producer, pending->topic, pending->raw.partition);
        int             err;

        if (entry == NULL)
            return WEIR_NO_MEMORY;
        weir__buf_reset(scratch);
        err = weir__raw_pack(&pending->raw, scratch);
        if (err < 0)
            return err;
        err = add_write(
            producer, batch,
            weir__embedded_key(&log->key, 'R', NULL, pending->topic->name, pending->raw.partition, entry->next),
            BYTES(scratch->data, scratch->size));
        if (err < 0)
            return err;
        entry->next++;
    }
    return WEIR_OK;
}

static int add_ends(struct weir__producer *producer, struct weir__batch *batch)
{
    struct weir__log *log = producer->log;

    for (size_t i = 0; i < producer->sent_count; i++) {
        const struct sent_to *entry = &producer->sent[i];
        char                  ends[2 * sizeof(int64_t)];
        int                   err;

        weir__put_be64(ends, (uint64_t)entry->topic->partitions[entry->partition].low);
        weir__put_be64(ends + sizeof(int64_t), (uint64_t)entry->next);
        err = add_write(producer, batch,
                        weir__embedded_key(&log->key, 'E', NULL, entry->topic->name, entry->partition, -1),
                        BYTES(ends, sizeof(ends)));
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static int add_offsets(struct weir__producer *producer, const char *group, const struct weir__offset *offsets,
                       size_t count, struct weir__batch *batch, struct weir__buf *scratch)
{
    struct weir__log *log = producer->log;

    for (size_t i = 0; i < count; i++) {
        int err;

        weir__buf_reset(scratch);
        weir__buf_be64(scratch, (uint64_t)offsets[i].offset);
        weir__buf_add(scratch, offsets[i].metadata.data, offsets[i].metadata.size);
        if (!weir__buf_ok(scratch))
            return WEIR_NO_MEMORY;
        err = add_write(producer, batch,
                        weir__embedded_key(&log->key, 'O', group, offsets[i].tp.topic, offsets[i].tp.partition, -1),
                        BYTES(scratch->data, scratch->size));
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static void apply_ends(struct weir__producer *producer)
{
    for (size_t i = 0; i < producer->sent_count; i++) {
        struct sent_to   *entry = &producer->sent[i];
        struct partition *partition = &entry->topic->partitions[entry->partition];

        partition->since_compaction += entry->next - partition->end;
        partition->end = entry->next;
        if (partition->since_compaction > MAX(COMPACT_AFTER, (partition->end - partition->low) / 2))
            weir__embedded_tidy(producer->log, entry->topic, entry->partition);
    }
}

static int write_all(struct weir__producer *producer, const char *group, const struct weir__offset *offsets,
                     size_t count)
{
    struct weir__batch batch = { 0 };
    struct weir__buf   scratch = { 0 };
    int                err;

    producer->sent_count = 0;
    err = add_records(producer, &batch, &scratch);
    if (err == WEIR_OK)
        err = add_ends(producer, &batch);
    if (err == WEIR_OK)
        err = add_offsets(producer, group, offsets, count, &batch, &scratch);
    if (err == WEIR_OK && batch.count > 0)
        err = producer->log->engine->write(producer->log->db, batch.writes, batch.count) < 0 ? WEIR_IO : WEIR_OK;
    if (err == WEIR_OK)
        apply_ends(producer);
    weir__free(batch.writes);
    weir__arena_fini(&batch.arena);
    weir__buf_fini(&scratch);
    return err;
}

/* With the mutex held: may this producer commit for that member now? */
static int check_commit(const struct weir__producer *producer, const struct weir__consumer *consumer, int64_t token)
{
    if (producer->fenced)
        return WEIR_FENCED;
    if (consumer == NULL || consumer->group == NULL)
        return WEIR_OK;
    if (consumer->state == MEMBER_OUT)
        return WEIR_LOST;
    if (token != consumer->token || (consumer->state != MEMBER_ASSIGNED && consumer->state != MEMBER_REVOKING))
        return WEIR_ABORT;
    return WEIR_OK;
}

int weir__embedded_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                          int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    struct weir__log *log = producer->log;
    int               err;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    err = check_commit(producer, consumer, token);
    if (err == WEIR_OK)
        err = write_all(producer, group, offsets, count);
    if (err == WEIR_OK) {
        forget_pending(producer);
        pthread_cond_broadcast(&log->changed);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

int weir__embedded_abort(struct weir__producer *producer, int64_t deadline)
{
    (void)deadline;
    forget_pending(producer);
    producer->sent_count = 0;
    return producer->fenced ? WEIR_FENCED : WEIR_OK;
}

int weir__embedded_failed(struct weir__producer *producer, uint64_t *ret_cookie, int *ret_code)
{
    (void)producer; /* a send is refused at once or not at all */
    (void)ret_cookie;
    (void)ret_code;
    return WEIR_NOTFOUND;
}

int64_t weir__embedded_sent(struct weir__producer *producer, struct weir__tp tp)
{
    for (size_t i = 0; i < producer->sent_count; i++)
        if (producer->sent[i].partition == tp.partition && strcmp(producer->sent[i].topic->name, tp.topic) == 0)
            return producer->sent[i].next;
    return -1;
}
