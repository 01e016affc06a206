/* embedded_commit.c: the commit that makes the waiting records of a producer be, with offsets of a group; the abort that leaves
 * a gap. By the writer.
 *
 * (1) With an id, records, markers and offsets are one batch. Without one there is no transaction: records first, which no
 *     membership guards, then the offsets. (Without quirks one batch in either case.)
 */
#include "statestores/embedded.h"

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
    ends.end += weir__embedded_marks(producer);
    ends.records += out->records;
    return err == WEIR_OK ? weir__embedded_put_ends(log, &producer->batch, topic, partition, &ends) : err;
}

static int apply_outgoing(struct weir__producer *producer, struct topic *topic, int32_t partition,
                          struct outgoing *out)
{
    struct partition *ends = &topic->partitions[partition];

    weir__embedded_hold_up(producer, topic, partition);
    for (size_t i = 0; i < out->count; i++) {
        ends->end += out->chunks[i].width;
        ends->bytes += (int64_t)out->chunks[i].bytes.size;
    }
    ends->records += out->records;
    out->sent = ends->end;
    ends->end += weir__embedded_marks(producer);
    return WEIR_OK;
}

static int check_offsets(struct weir__log *log, const char *group, const struct weir__offset *offsets, size_t count)
{
    if (count > 0 && !weir__embedded_legal_group(group))
        return WEIR_BAD_NAME;
    for (size_t i = 0; i < count; i++)
        if (weir__embedded_topic_of(log, offsets[i].tp) == NULL)
            return WEIR_ABORT;
    return WEIR_OK;
}

static int put_offsets(struct weir__producer *producer, const char *group, const struct weir__offset *offsets,
                       size_t count)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = weir__embedded_put_offset(producer->log, &producer->batch, group, &offsets[i]);
    return err;
}

/* May this producer commit for that member now? A membership that was reset commits nothing, whatever its token says. */
static int check_member(struct weir__consumer *consumer, int64_t token)
{
    if (consumer == NULL || consumer->group == NULL)
        return WEIR_OK;
    weir__embedded_expire(consumer->log, consumer->group);
    if (token < 0 || token != consumer->token ||
        (consumer->state != MEMBER_ASSIGNED && consumer->state != MEMBER_REVOKING))
        return WEIR_LOST;
    return WEIR_OK;
}

/* What a commit is about. */
struct commit {
    const char                *group;
    struct weir__consumer     *consumer;
    int64_t                    token;
    const struct weir__offset *offsets;
    size_t                     count;
};

static int write_records(struct weir__producer *producer, const struct commit *commit, bool with_offsets)
{
    int err;

    weir__embedded_batch_reset(&producer->batch);
    err = weir__embedded_for_outgoing(producer, put_outgoing);
    if (err == WEIR_OK && with_offsets)
        err = put_offsets(producer, commit->group, commit->offsets, commit->count);
    if (err == WEIR_OK)
        err = weir__embedded_write(producer->log, &producer->batch);
    if (err < 0)
        return err;
    (void)weir__embedded_for_outgoing(producer, apply_outgoing);
    weir__embedded_reset(producer, true);
    pthread_cond_broadcast(&producer->log->changed);
    return WEIR_OK;
}

static int commit_at_once(struct weir__producer *producer, const struct commit *commit)
{
    struct decision *decision = NULL;
    bool             any = producer->pending > 0 || commit->count > 0;
    int              err = check_member(commit->consumer, commit->token);

    if (err == WEIR_OK && any && weir__embedded_marks(producer))
        err = weir__embedded_prepare(producer, commit->group, commit->offsets, commit->count, &decision);
    if (err == WEIR_OK)
        err = write_records(producer, commit, true);
    if (err < 0) {
        weir__embedded_decision_free(decision);
        return err;
    }
    weir__embedded_decide(producer->log, decision);
    return WEIR_OK;
}

static int commit_in_steps(struct weir__producer *producer, const struct commit *commit)
{
    int err = write_records(producer, commit, false);

    if (err == WEIR_OK)
        err = check_member(commit->consumer, commit->token);
    if (err < 0)
        return err;
    weir__embedded_batch_reset(&producer->batch);
    err = put_offsets(producer, commit->group, commit->offsets, commit->count);
    return err == WEIR_OK ? weir__embedded_write(producer->log, &producer->batch) : err;
}

static int commit_as_writer(struct weir__producer *producer, const struct commit *commit)
{
    struct weir__log *log = producer->log;
    int64_t           records = producer->pending;
    int               err = producer->fenced ? WEIR_FENCED : WEIR_OK;

    if (err == WEIR_OK)
        err = check_offsets(log, commit->group, commit->offsets, commit->count);
    if (err == WEIR_OK)
        err = (producer->id != NULL || !log->quirks ? commit_at_once : commit_in_steps)(producer, commit);
    if (err == WEIR_OK)
        weir__embedded_upkeep(log, 4 * records + 1000);
    return err;
}

/* The producer's last transaction must be known everywhere. */
static int begin(struct weir__producer *producer, int64_t deadline)
{
    int err =
        weir__embedded_marks(producer) ? weir__embedded_resolve(producer->log, producer->id, deadline) : WEIR_OK;

    return err == WEIR_OK ? weir__embedded_begin(producer->log, deadline) : err;
}

int weir__embedded_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                          int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    struct weir__log *log = producer->log;
    struct commit     commit = { group, consumer, token, offsets, count };
    int               err;

    if (group == NULL && consumer != NULL && consumer->group != NULL)
        commit.group = consumer->group->name;
    pthread_mutex_lock(&log->mutex);
    err = begin(producer, deadline);
    if (err == WEIR_OK) {
        err = commit_as_writer(producer, &commit);
        weir__embedded_end(log);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

/* ---- abort ---- */

static int put_gap(struct weir__producer *producer, struct topic *topic, int32_t partition, struct outgoing *out)
{
    struct partition ends = topic->partitions[partition];

    ends.end += out->records + 1;
    return topic->removed ? WEIR_OK
                          : weir__embedded_put_ends(producer->log, &producer->batch, topic, partition, &ends);
}

static int apply_gap(struct weir__producer *producer, struct topic *topic, int32_t partition, struct outgoing *out)
{
    if (topic->removed)
        return WEIR_OK;
    weir__embedded_hold_up(producer, topic, partition);
    topic->partitions[partition].end += out->records + 1;
    return WEIR_OK;
}

/* A gap that cannot be written is there all the same: a later commit of the partition writes its end. Of a producer that is
 * fenced only its counts are looked at: what waits is its owner's. */
void weir__embedded_lapse(struct weir__producer *producer)
{
    struct weir__log   *log = producer->log;
    struct decision    *decision = NULL;
    struct weir__batch *batch = &producer->batch;

    weir__embedded_batch_reset(batch);
    if (weir__embedded_for_outgoing(producer, put_gap) == WEIR_OK)
        (void)weir__embedded_write(log, batch);
    (void)weir__embedded_prepare(producer, NULL, NULL, 0, &decision);
    (void)weir__embedded_for_outgoing(producer, apply_gap);
    if (!producer->fenced)
        weir__embedded_reset(producer, false);
    weir__embedded_unhold(producer);
    weir__embedded_decide(log, decision);
    pthread_cond_broadcast(&log->changed);
}

int weir__embedded_abort(struct weir__producer *producer, int64_t deadline)
{
    struct weir__log *log = producer->log;
    bool              leaves_gap = producer->pending > 0 && weir__embedded_marks(producer);
    int               err;

    pthread_mutex_lock(&log->mutex);
    err = leaves_gap ? weir__embedded_begin(log, deadline) : WEIR_OK;
    if (err == WEIR_OK && leaves_gap && !producer->fenced)
        weir__embedded_lapse(producer);
    if (err == WEIR_OK)
        weir__embedded_reset(producer, false);
    if (err == WEIR_OK && leaves_gap)
        weir__embedded_end(log);
    pthread_mutex_unlock(&log->mutex);
    return err == WEIR_OK && producer->fenced ? WEIR_FENCED : err;
}
