/* embedded_upkeep.c: trimming and retention: what goes from the front of a partition. By the writer.
 *
 * (1) Chunks go by a range delete. One that is trimmed in its middle stays; its first records are passed over.
 */
#include "statestores/embedded.h"

#define SLICE_CHUNKS      256   /* of a trim, in one batch */
#define RETENTION_EACH_MS 30000 /* between two looks at the ages of records */

/* ---- the front of a partition ---- */

/* Which chunks at the front are to go. */
struct front {
    int64_t before;   /* those that end there, or earlier */
    int64_t oldest;   /* those whose records are all older */
    int64_t spare;    /* so many bytes of them */
    int64_t seen;     /* bytes */
    bool    complete; /* there are no more */
};

static bool must_go(struct front *front, const struct chunk_reader *chunk)
{
    front->seen += (int64_t)chunk->size;
    return weir__chunk_end(chunk) <= front->before || chunk->newest < front->oldest || front->seen <= front->spare;
}

/* Takes the first chunks that are to go out of `ends`. */
static int count_front(struct weir__log *log, struct topic *topic, int32_t partition, struct front *front,
                       struct partition *ends)
{
    struct chunk_reader chunk;
    struct weir__iter  *iter;
    int64_t             from;
    int                 err = weir__embedded_chunk_of(log, topic, partition, ends->low, &from);

    if (err == WEIR_OK)
        err = weir__embedded_walk(log, topic, partition, from, ends->end, &iter);
    if (err < 0)
        return err;
    for (int i = 0; i < SLICE_CHUNKS && (err = weir__embedded_step(log, iter, &chunk)) == WEIR_OK; i++) {
        if (!must_go(front, &chunk)) {
            front->complete = true;
            break;
        }
        ends->low = weir__chunk_end(&chunk);
        ends->records -= chunk.count;
        ends->bytes -= (int64_t)chunk.size;
    }
    log->engine->iter_close(iter);
    front->complete = front->complete || err == WEIR_NOTFOUND;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int write_front(struct weir__log *log, struct topic *topic, int32_t partition, const struct partition *ends,
                       int64_t gone)
{
    struct weir__batch batch = { 0 };
    struct row_key     from, to;
    int err = weir__embedded_erase(log, &batch, weir__embedded_key(&from, 'R', NULL, topic->name, partition, 0),
                                   weir__embedded_key(&to, 'R', NULL, topic->name, partition, gone));

    if (err == WEIR_OK)
        err = weir__embedded_put_ends(log, &batch, topic, partition, ends);
    if (err == WEIR_OK)
        err = weir__embedded_write(log, &batch);
    weir__embedded_batch_fini(&batch);
    return err;
}

static int drop_some(struct weir__log *log, struct topic *topic, int32_t partition, struct front *front)
{
    struct partition ends = topic->partitions[partition];
    int64_t          gone;
    int              err = count_front(log, topic, partition, front, &ends);

    if (err < 0)
        return err;
    gone = ends.low;
    if (front->complete)
        ends.low = MAX(ends.low, MIN(front->before, ends.end));
    ends.records = MAX(ends.records, 0);
    ends.bytes = MAX(ends.bytes, 0);
    ends.clean = MIN(ends.clean, ends.records);
    if (ends.low == topic->partitions[partition].low)
        return WEIR_OK;
    err = write_front(log, topic, partition, &ends, gone);
    if (err == WEIR_OK)
        topic->partitions[partition] = ends;
    return err;
}

static int drop_front(struct weir__log *log, struct topic *topic, int32_t partition, struct front *front)
{
    int err = WEIR_OK;

    while (err == WEIR_OK && !front->complete)
        err = drop_some(log, topic, partition, front);
    return err;
}

int weir__embedded_trim(struct weir__log *log, struct weir__tp tp, int64_t before, int64_t deadline)
{
    struct front  front = { .before = before, .oldest = INT64_MIN };
    struct topic *topic;
    int           err;

    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_begin(log, deadline);
    if (err == WEIR_OK) {
        topic = weir__embedded_topic_of(log, tp);
        err = topic != NULL ? WEIR_OK : WEIR_NOTFOUND;
        if (topic != NULL && before > topic->partitions[tp.partition].low)
            err = drop_front(log, topic, tp.partition, &front);
        weir__embedded_end(log);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

/* ---- retention ---- */

/* What cannot be dropped now is dropped at the next look. */
static void retain(struct weir__log *log, struct topic *topic, int32_t partition)
{
    const struct partition *ends = &topic->partitions[partition];
    struct front            front = { .before = ends->low, .oldest = INT64_MIN };

    if (topic->retention_ms >= 0)
        front.oldest = weir__embedded_now(log) - topic->retention_ms;
    if (topic->retention_bytes >= 0)
        front.spare = ends->bytes - topic->retention_bytes;
    (void)drop_front(log, topic, partition, &front);
}

static bool too_big(const struct topic *topic, int32_t partition)
{
    return topic->retention_bytes >= 0 &&
           topic->partitions[partition].bytes > topic->retention_bytes + (int64_t)CHUNK_BYTES;
}

static void retain_all(struct weir__log *log)
{
    bool by_age = weir__embedded_now(log) >= log->next_retention;

    for (size_t i = 0; i < log->topic_count; i++)
        for (int32_t j = 0; j < log->topics[i]->count; j++)
            if (too_big(log->topics[i], j) || (by_age && log->topics[i]->retention_ms >= 0))
                retain(log, log->topics[i], j);
    if (by_age)
        log->next_retention = weir__embedded_now(log) + RETENTION_EACH_MS;
}

void weir__embedded_upkeep(struct weir__log *log, int64_t budget)
{
    retain_all(log);
    weir__embedded_compact(log, budget);
}

void weir__embedded_tidy(struct weir__log *log)
{
    retain_all(log);
    weir__embedded_compact_all(log);
}
