/* embedded_walk.c: reading the chunks of a partition: from an offset on, its ends, the offset of a time. */
#include "statestores/embedded.h"

#define STEPS_AT_ONCE 256 /* chunks looked at before others may have the mutex */

static int64_t offset_in(struct weir_bytes key)
{
    return (int64_t)weir__get_be64((const char *)key.data + key.size - sizeof(int64_t));
}

static int walk(struct weir__log *log, const struct topic *topic, int32_t partition, int64_t from, int64_t to,
                enum weir_order order, struct weir__iter **ret)
{
    struct row_key low, high;

    return log->engine->iterate(log->db, log->family,
                                weir__embedded_key(&low, 'R', NULL, topic->name, partition, from),
                                weir__embedded_key(&high, 'R', NULL, topic->name, partition, to), order, ret);
}

int weir__embedded_walk(struct weir__log *log, const struct topic *topic, int32_t partition, int64_t from, int64_t to,
                        struct weir__iter **ret)
{
    return walk(log, topic, partition, from, to, WEIR_ASCENDING, ret);
}

int weir__embedded_step(struct weir__log *log, struct weir__iter *iter, struct chunk_reader *ret)
{
    struct weir_bytes key, value;
    int               err = log->engine->next(iter, &key, &value);

    return err == WEIR_OK ? weir__chunk_open(value, offset_in(key), ret) : err;
}

int weir__embedded_chunk_of(struct weir__log *log, const struct topic *topic, int32_t partition, int64_t offset,
                            int64_t *ret)
{
    struct chunk_reader chunk;
    struct weir__iter  *iter;
    int                 err = walk(log, topic, partition, 0, offset + 1, WEIR_DESCENDING, &iter);

    if (err < 0)
        return err;
    err = weir__embedded_step(log, iter, &chunk);
    log->engine->iter_close(iter);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    *ret = err == WEIR_OK && weir__chunk_end(&chunk) > offset ? chunk.base : offset;
    return WEIR_OK;
}

int weir__embedded_ends(struct weir__log *log, struct weir__tp tp, int64_t deadline, struct weir__ends *ret)
{
    struct topic *topic = NULL;
    int           err;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_refresh(log);
    weir__embedded_look(log);
    if (err == WEIR_OK && (topic = weir__embedded_topic_of(log, tp)) != NULL) {
        const struct partition *ends = &topic->partitions[tp.partition];

        *ret = (struct weir__ends){ .low = ends->low,
                                    .stable = weir__embedded_stable(ends),
                                    .end = ends->end + weir__embedded_open_records(log, topic, tp.partition) };
    }
    pthread_mutex_unlock(&log->mutex);
    return err == WEIR_OK && topic == NULL ? WEIR_NOTFOUND : err;
}

/* ---- the offset of a time ---- */

struct search {
    int64_t           time;
    int64_t           low, at; /* first offset that counts; next chunk to look at */
    bool              found;
    int64_t           offset;
    struct weir_arena arena;
};

static int search_chunk(struct search *search, struct chunk_reader *chunk)
{
    struct weir_bytes packed;
    struct weir__raw  raw;
    int64_t           offset;
    int               err;

    search->at = weir__chunk_end(chunk);
    if (chunk->newest < search->time)
        return WEIR_OK;
    while ((err = weir__chunk_next(chunk, &offset, &packed)) == WEIR_OK) {
        weir__arena_reset(&search->arena);
        err = weir__chunk_unpack(packed, &search->arena, &raw);
        if (err < 0)
            return err;
        if (raw.timestamp < search->time || offset < search->low)
            continue;
        search->found = true;
        search->offset = offset;
        return WEIR_OK;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* Looks at the next chunks. WEIR_NOTFOUND: there are no more. */
static int search_some(struct weir__log *log, const struct topic *topic, int32_t partition, struct search *search)
{
    struct chunk_reader chunk;
    struct weir__iter  *iter;
    int err = weir__embedded_walk(log, topic, partition, search->at, topic->partitions[partition].end, &iter);

    if (err < 0)
        return err;
    for (int i = 0; i < STEPS_AT_ONCE && err == WEIR_OK && !search->found; i++) {
        err = weir__embedded_step(log, iter, &chunk);
        if (err == WEIR_OK)
            err = search_chunk(search, &chunk);
    }
    log->engine->iter_close(iter);
    return err;
}

/* With the mutex held, which others may have between two looks. */
static int find_time(struct weir__log *log, const struct topic *topic, int32_t partition, int64_t time,
                     int64_t deadline, int64_t *ret)
{
    struct search search = { .time = time, .low = topic->partitions[partition].low };
    int           err = weir__embedded_chunk_of(log, topic, partition, search.low, &search.at);

    while (err == WEIR_OK && !search.found) {
        err = search_some(log, topic, partition, &search);
        if (err != WEIR_OK || search.found)
            break;
        pthread_mutex_unlock(&log->mutex);
        pthread_mutex_lock(&log->mutex);
        if (log->clock == NULL && weir__embedded_now(log) > deadline)
            err = WEIR_AGAIN;
    }
    weir__arena_fini(&search.arena);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    *ret = search.found ? search.offset
                        : topic->partitions[partition].end + weir__embedded_open_records(log, topic, partition);
    return WEIR_OK;
}

int weir__embedded_offset_at(struct weir__log *log, struct weir__tp tp, int64_t time, int64_t deadline, int64_t *ret)
{
    struct topic *topic;
    int           err;

    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_refresh(log);
    if (err == WEIR_OK) {
        topic = weir__embedded_topic_of(log, tp);
        err = topic != NULL ? find_time(log, topic, tp.partition, time, deadline, ret) : WEIR_NOTFOUND;
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}
