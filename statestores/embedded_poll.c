/* embedded_poll.c: what a poll of the embedded log gives: records, ends, and what the group has to say.
 *
 * (1) A position moves only over records that are handed out, or that are no longer there.
 * (2) A batch is a copy: rows may be trimmed or rewritten while it is out.
 */
#include <time.h>

#include "statestores/embedded.h"

/* ---- records ---- */

/* One batch: the records and all they point to. */
struct lease {
    struct weir_arena arena;
    struct weir__raw *records;
    size_t            count, capacity, bytes;
};

static struct lease *lease_new(struct weir__consumer *consumer)
{
    struct lease *lease = consumer->spare;

    consumer->spare = NULL;
    return lease != NULL ? lease : weir__zalloc(sizeof(*lease));
}

void weir__embedded_lease_free(struct lease *lease)
{
    if (lease == NULL)
        return;
    weir__free(lease->records);
    weir__arena_fini(&lease->arena);
    weir__free(lease);
}

void weir__embedded_release(struct weir__consumer *consumer, void *arg)
{
    struct lease *lease = arg;

    if (lease == NULL || consumer->spare != NULL) {
        weir__embedded_lease_free(lease);
        return;
    }
    lease->count = lease->bytes = 0;
    weir__arena_reset(&lease->arena);
    consumer->spare = lease;
}

static int add_record(struct lease *lease, const struct position *position, int64_t offset, struct weir_bytes packed)
{
    struct weir__raw *raw;
    int               err;

    if (GROW(lease->records, lease->capacity, lease->count) < 0)
        return WEIR_NO_MEMORY;
    raw = &lease->records[lease->count];
    err = weir__chunk_unpack(packed, &lease->arena, raw);
    if (err < 0)
        return err;
    raw->topic = position->topic->name;
    raw->partition = position->partition;
    raw->offset = offset;
    lease->count++;
    return WEIR_OK;
}

/* The records of a chunk from the position on. On failure none of them. */
static int add_chunk(struct lease *lease, struct position *position, struct chunk_reader *chunk)
{
    size_t            before = lease->count;
    const void       *copy = weir__arena_copy(&lease->arena, chunk->at, chunk->left);
    struct weir_bytes packed;
    int64_t           offset;
    int               err = copy != NULL ? WEIR_OK : WEIR_NO_MEMORY;

    chunk->at = copy;
    while (err == WEIR_OK && (err = weir__chunk_next(chunk, &offset, &packed)) == WEIR_OK)
        if (offset >= position->next)
            err = add_record(lease, position, offset, packed);
    if (err != WEIR_NOTFOUND) {
        lease->count = before;
        return err;
    }
    lease->bytes += chunk->size;
    position->next = weir__chunk_end(chunk);
    return WEIR_OK;
}

/* ---- partitions ---- */

static struct partition *ends_of(const struct position *position)
{
    return &position->topic->partitions[position->partition];
}

/* Where reading ends. */
static int64_t limit_of(const struct weir__consumer *consumer, const struct position *position)
{
    return consumer->uncommitted ? ends_of(position)->end : weir__embedded_stable(ends_of(position));
}

static bool at_end(const struct weir__consumer *consumer, const struct position *position)
{
    return position->topic->removed || position->next >= limit_of(consumer, position);
}

/* Where to begin reading so that the position is met. Where the last poll ended, a chunk begins, as long as none was
 * rewritten; another process may do that unseen. */
static int find_begin(struct weir__log *log, struct position *position, int64_t *ret)
{
    struct partition *ends = ends_of(position);

    if (position->next < ends->low) {
        position->next = ends->low;
        position->at_chunk = false;
    }
    *ret = position->next;
    if (position->at_chunk && position->rewritten == ends->rewritten && !log->read_only)
        return WEIR_OK;
    return weir__embedded_chunk_of(log, position->topic, position->partition, position->next, ret);
}

static int read_chunks(struct weir__log *log, struct position *position, struct weir__iter *iter, struct lease *lease)
{
    struct chunk_reader chunk;
    size_t              most = lease->count + POLL_RECORDS;
    int                 err = WEIR_OK;

    while (err == WEIR_OK && lease->count < most && lease->bytes < POLL_BYTES) {
        err = weir__embedded_step(log, iter, &chunk);
        if (err == WEIR_OK)
            err = add_chunk(lease, position, &chunk);
    }
    return err;
}

static int read_partition(struct weir__consumer *consumer, struct position *position, struct lease *lease)
{
    struct weir__log  *log = consumer->log;
    struct weir__iter *iter;
    int64_t            from, end = limit_of(consumer, position);
    int                err = find_begin(log, position, &from);

    if (err < 0 || position->next >= end)
        return err;
    err = weir__embedded_walk(log, position->topic, position->partition, from, end, &iter);
    if (err < 0)
        return err;
    err = read_chunks(log, position, iter, lease);
    log->engine->iter_close(iter);
    if (err == WEIR_NOTFOUND)
        position->next = end; /* what is missing was compacted away, or is a marker */
    position->at_chunk = err == WEIR_OK || err == WEIR_NOTFOUND;
    position->rewritten = ends_of(position)->rewritten;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* Fills the lease from all partitions in turn. A failure shows when nothing was read before it. */
static int read_all(struct weir__consumer *consumer, struct lease *lease)
{
    int err = WEIR_OK;

    for (size_t n = 0; err == WEIR_OK && n < consumer->position_count && lease->bytes < POLL_BYTES; n++) {
        struct position *position = &consumer->positions[(consumer->turn + n) % consumer->position_count];

        if (position->held || at_end(consumer, position))
            continue;
        position->told_end = false;
        err = read_partition(consumer, position, lease);
    }
    if (consumer->position_count > 0)
        consumer->turn = (consumer->turn + 1) % consumer->position_count;
    return lease->count > 0 ? WEIR_OK : err;
}

static bool has_records(const struct weir__consumer *consumer)
{
    for (size_t i = 0; i < consumer->position_count; i++)
        if (!consumer->positions[i].held && !at_end(consumer, &consumer->positions[i]))
            return true;
    return false;
}

/* WEIR_NOTFOUND: there are none. */
static int read_some(struct weir__consumer *consumer, struct weir__polled *ret)
{
    struct lease *lease;
    int           err;

    if (!has_records(consumer))
        return WEIR_NOTFOUND;
    lease = lease_new(consumer);
    if (lease == NULL)
        return WEIR_NO_MEMORY;
    err = read_all(consumer, lease);
    if (err < 0 || lease->count == 0) {
        weir__embedded_release(consumer, lease);
        return err < 0 ? err : WEIR_NOTFOUND;
    }
    *ret = (struct weir__polled){ .records = lease->records, .count = lease->count, .lease = lease };
    return WEIR_OK;
}

static bool tell_end(struct weir__consumer *consumer, struct weir__polled *ret)
{
    for (size_t i = 0; i < consumer->position_count; i++) {
        struct position *position = &consumer->positions[i];
        int64_t          next = MAX(position->next, limit_of(consumer, position));

        if (position->told_end || position->topic->removed || !at_end(consumer, position))
            continue;
        position->told_end = true;
        consumer->end_tp = (struct weir__tp){ .topic = position->topic->name, .partition = position->partition };
        consumer->event =
            (struct weir__log_event){ .kind = WEIR__END, .tps = &consumer->end_tp, .count = 1, .next = next };
        ret->event = &consumer->event;
        return true;
    }
    return false;
}

/* ---- poll ---- */

static int poll_once(struct weir__consumer *consumer, struct weir__polled *ret)
{
    int err;

    if (consumer->group != NULL) {
        err = weir__embedded_group_event(consumer, ret);
        if (err != WEIR_NOTFOUND)
            return err;
    }
    err = weir__embedded_refresh(consumer->log);
    if (err == WEIR_OK)
        err = read_some(consumer, ret);
    if (err != WEIR_NOTFOUND)
        return err;
    return tell_end(consumer, ret) ? WEIR_OK : WEIR_AGAIN;
}

#define LOOK_AGAIN_MS 100 /* for what another process writes, and whether a member has gone silent */

/* Waits for a change. false: the deadline has come. */
static bool wait_for_change(struct weir__consumer *consumer, int64_t deadline)
{
    struct weir__log *log = consumer->log;
    int64_t           soon = weir__embedded_now(log) + LOOK_AGAIN_MS;

    if (log->read_only || consumer->state == MEMBER_READY)
        deadline = MIN(soon, deadline);
    return weir__embedded_wait(log, deadline);
}

int weir__embedded_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    struct weir__log *log = consumer->log;
    int               err;

    *ret = (struct weir__polled){ 0 };
    pthread_mutex_lock(&log->mutex);
    weir__embedded_expire(log, consumer->group);
    consumer->polling = true;
    do {
        weir__embedded_expire(log, consumer->group);
        weir__embedded_look(log);
        err = poll_once(consumer, ret);
    } while (err == WEIR_AGAIN && !consumer->woken && wait_for_change(consumer, deadline));
    consumer->woken = consumer->polling = false;
    consumer->last_poll = weir__embedded_ticks(log);
    pthread_mutex_unlock(&log->mutex);
    return err;
}

void weir__embedded_wake(struct weir__consumer *consumer)
{
    pthread_mutex_lock(&consumer->log->mutex);
    consumer->woken = true;
    pthread_cond_broadcast(&consumer->log->changed);
    pthread_mutex_unlock(&consumer->log->mutex);
}
