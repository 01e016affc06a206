/* embedded_commit.c: the commit that makes the waiting records of a producer be, with offsets of a group. By the writer. */
#include "statestores/embedded.h"

/* Calls fn for every partition that records wait for. */
static int for_outgoing(struct weir__producer *producer,
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

/* Gives the waiting records their offsets, in rows. */
static int put_outgoing(struct weir__producer *producer, struct topic *topic, int32_t partition, struct outgoing *out)
{
    struct weir__log *log = producer->log;
    struct partition  ends = topic->partitions[partition];
    int64_t           now = weir__embedded_now(log);
    struct row_key    key;
    int               err = topic->removed ? WEIR_ABORT : WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < out->count; i++) {
        struct chunk     *chunk = &out->chunks[i];
        struct weir_bytes value;

        chunk->base = ends.end;
        chunk->written = now;
        value = weir__chunk_seal(chunk);
        ends.end += chunk->width;
        ends.bytes += (int64_t)value.size;
        err = weir__embedded_put(log, &producer->batch,
                                 weir__embedded_key(&key, 'R', NULL, topic->name, partition, chunk->base), value);
    }
    ends.records += out->records;
    return err == WEIR_OK ? weir__embedded_put_ends(log, &producer->batch, topic, partition, &ends) : err;
}

static int apply_outgoing(struct weir__producer *producer, struct topic *topic, int32_t partition,
                          struct outgoing *out)
{
    struct partition *ends = &topic->partitions[partition];

    (void)producer;
    for (size_t i = 0; i < out->count; i++) {
        ends->end += out->chunks[i].width;
        ends->bytes += (int64_t)out->chunks[i].bytes.size;
    }
    ends->records += out->records;
    return WEIR_OK;
}

static int put_offsets(struct weir__producer *producer, const char *group, const struct weir__offset *offsets,
                       size_t count)
{
    struct weir__log *log = producer->log;
    int               err = count == 0 || weir__embedded_legal_group(group) ? WEIR_OK : WEIR_BAD_NAME;

    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = weir__embedded_topic_of(log, offsets[i].tp) != NULL
                  ? weir__embedded_put_offset(log, &producer->batch, group, &offsets[i])
                  : WEIR_ABORT;
    return err;
}

/* By the writer. All that fails before the write leaves everything as it was. */
static int write_all(struct weir__producer *producer, const char *group, const struct weir__offset *offsets,
                     size_t count)
{
    int err;

    weir__embedded_batch_reset(&producer->batch);
    err = for_outgoing(producer, put_outgoing);
    if (err == WEIR_OK)
        err = put_offsets(producer, group, offsets, count);
    if (err == WEIR_OK)
        err = weir__embedded_write(producer->log, &producer->batch);
    if (err < 0)
        return err;
    (void)for_outgoing(producer, apply_outgoing);
    return WEIR_OK;
}

/* May this producer commit for that member now? */
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

static int commit_as_writer(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                            int64_t token, const struct weir__offset *offsets, size_t count)
{
    struct weir__log *log = producer->log;
    int64_t           records = producer->pending;
    int               err = check_commit(producer, consumer, token);

    if (err == WEIR_OK)
        err = write_all(producer, group, offsets, count);
    if (err < 0)
        return err;
    weir__embedded_reset(producer, true);
    pthread_cond_broadcast(&log->changed);
    weir__embedded_upkeep(log, 4 * records + 1000);
    return WEIR_OK;
}

int weir__embedded_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                          int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    struct weir__log *log = producer->log;
    int               err;

    if (group == NULL && consumer != NULL && consumer->group != NULL)
        group = consumer->group->name;
    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_begin(log, deadline);
    if (err == WEIR_OK) {
        err = commit_as_writer(producer, group, consumer, token, offsets, count);
        weir__embedded_end(log);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}
