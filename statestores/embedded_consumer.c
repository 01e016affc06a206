/* embedded_consumer.c: readers of the embedded log, members of a group or not: what they hold and what a poll gives.
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

static void lease_free(struct lease *lease)
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
        lease_free(lease);
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

static bool at_end(const struct position *position)
{
    return position->topic->removed || position->next >= ends_of(position)->end;
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

static int read_partition(struct weir__log *log, struct position *position, struct lease *lease)
{
    struct weir__iter *iter;
    int64_t            from, end = ends_of(position)->end;
    int                err = find_begin(log, position, &from);

    if (err < 0 || position->next >= end)
        return err;
    err = weir__embedded_walk(log, position->topic, position->partition, from, end, &iter);
    if (err < 0)
        return err;
    err = read_chunks(log, position, iter, lease);
    log->engine->iter_close(iter);
    if (err == WEIR_NOTFOUND)
        position->next = end; /* what is missing was compacted away */
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

        if (position->held || at_end(position))
            continue;
        position->told_end = false;
        err = read_partition(consumer->log, position, lease);
    }
    if (consumer->position_count > 0)
        consumer->turn = (consumer->turn + 1) % consumer->position_count;
    return lease->count > 0 ? WEIR_OK : err;
}

static bool has_records(const struct weir__consumer *consumer)
{
    for (size_t i = 0; i < consumer->position_count; i++)
        if (!consumer->positions[i].held && !at_end(&consumer->positions[i]))
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

        if (position->told_end || position->topic->removed || !at_end(position))
            continue;
        position->told_end = true;
        consumer->end_tp = (struct weir__tp){ .topic = position->topic->name, .partition = position->partition };
        consumer->event = (struct weir__log_event){
            .kind = WEIR__END, .tps = &consumer->end_tp, .count = 1, .next = ends_of(position)->end
        };
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

#define LOOK_AGAIN_MS 100 /* for what another process writes */

/* Waits for a change. false: the deadline has come. A virtual clock never waits. */
static bool wait_for_change(struct weir__log *log, int64_t deadline, const struct timespec *until)
{
    struct timespec soon = weir__embedded_until(log, weir__embedded_now(log) + LOOK_AGAIN_MS);

    if (log->clock != NULL || weir__embedded_now(log) >= deadline)
        return false;
    if (!log->read_only)
        return pthread_cond_timedwait(&log->changed, &log->mutex, until) == 0;
    (void)pthread_cond_timedwait(&log->changed, &log->mutex, &soon);
    return true;
}

int weir__embedded_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    struct weir__log *log = consumer->log;
    struct timespec   until = weir__embedded_until(log, deadline);
    int               err;

    *ret = (struct weir__polled){ 0 };
    pthread_mutex_lock(&log->mutex);
    do {
        consumer->last_poll = weir__embedded_ticks(log);
        err = poll_once(consumer, ret);
    } while (err == WEIR_AGAIN && !consumer->woken && wait_for_change(log, deadline, &until));
    consumer->woken = false;
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

/* ---- making ---- */

static struct weir__consumer *consumer_new(struct weir__log *log)
{
    struct weir__consumer *consumer = weir__zalloc(sizeof(*consumer));

    if (consumer != NULL) {
        consumer->log = log;
        consumer->token = -1;
        consumer->last_poll = weir__embedded_ticks(log);
    }
    return consumer;
}

static void consumer_free(struct weir__consumer *consumer)
{
    if (consumer == NULL)
        return;
    for (size_t i = 0; consumer->topics != NULL && consumer->topics[i] != NULL; i++)
        weir__free(consumer->topics[i]);
    weir__free(consumer->topics);
    weir__free(consumer->assigned);
    weir__free(consumer->positions);
    weir__free(consumer->id);
    lease_free(consumer->spare);
    weir__free(consumer);
}

static int set_member(struct weir__consumer *consumer, const char *instance, const char *const *topics, size_t count)
{
    char id[300];

    snprintf(id, sizeof(id), "%s-%08lld", instance != NULL ? instance : "member",
             (long long)consumer->log->next_member++);
    consumer->id = weir__strdup(id);
    consumer->topics = weir__zalloc(sizeof(char *) * (count + 1));
    if (consumer->id == NULL || consumer->topics == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if ((consumer->topics[i] = weir__strdup(topics[i])) == NULL)
            return WEIR_NO_MEMORY;
    return WEIR_OK;
}

int weir__embedded_join(struct weir__log *log, const char *group, const char *instance, const char *const *topics,
                        size_t count, struct weir__consumer **ret, struct weir_error *reterr)
{
    struct weir__consumer *consumer;
    int                    err;

    if (!weir__embedded_legal_group(group))
        return weir__fail(reterr, WEIR_BAD_NAME, "group", "a group's name has 1 to %d bytes", NAME_MOST);
    pthread_mutex_lock(&log->mutex);
    consumer = consumer_new(log);
    err = consumer != NULL ? set_member(consumer, instance, topics, count) : WEIR_NO_MEMORY;
    if (err == WEIR_OK)
        err = weir__embedded_enter(consumer, group);
    pthread_mutex_unlock(&log->mutex);
    if (err < 0) {
        consumer_free(consumer);
        return weir__fail(reterr, err, group, "no memory for a member");
    }
    *ret = consumer;
    return WEIR_OK;
}

static int set_position(struct weir__log *log, const struct weir__offset *from, struct position *ret)
{
    struct topic *topic = weir__embedded_topic_of(log, from->tp);

    if (topic == NULL)
        return WEIR_NOTFOUND;
    *ret = (struct position){ .topic = topic, .partition = from->tp.partition, .next = MAX(from->offset, 0) };
    return WEIR_OK;
}

static int set_positions(struct weir__log *log, const struct weir__offset *from, size_t count, struct position *ret,
                         size_t *ret_bad)
{
    int err = weir__embedded_refresh(log);

    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        err = set_position(log, &from[i], &ret[i]);
        *ret_bad = i;
    }
    return err;
}

/* All or nothing; *ret_bad: the one that failed. */
static int take(struct weir__consumer *consumer, const struct weir__offset *from, size_t count, size_t *ret_bad)
{
    struct weir__log *log = consumer->log;
    struct position  *positions = weir__zalloc(sizeof(*positions) * (count + 1));
    int               err;

    if (positions == NULL)
        return WEIR_NO_MEMORY;
    pthread_mutex_lock(&log->mutex);
    err = set_positions(log, from, count, positions, ret_bad);
    if (err == WEIR_OK) {
        weir__free(consumer->positions);
        consumer->positions = positions;
        consumer->position_count = count;
        consumer->turn = 0;
    }
    pthread_mutex_unlock(&log->mutex);
    if (err < 0)
        weir__free(positions);
    return err;
}

int weir__embedded_take(struct weir__consumer *consumer, const struct weir__offset *from, size_t count)
{
    size_t bad;

    return take(consumer, from, count, &bad);
}

int weir__embedded_tail(struct weir__log *log, const struct weir__offset *from, size_t count,
                        enum weir__isolation isolation, struct weir__consumer **ret, struct weir_error *reterr)
{
    struct weir__consumer *consumer = consumer_new(log);
    size_t                 bad = 0;
    int                    err = consumer != NULL ? take(consumer, from, count, &bad) : WEIR_NO_MEMORY;

    (void)isolation; /* what is not committed is in no partition yet */
    if (err < 0) {
        consumer_free(consumer);
        return weir__fail(reterr, err, count > 0 ? from[bad].tp.topic : "log", "partition %d cannot be read: %s",
                          count > 0 ? from[bad].tp.partition : 0, weir_code_text(err));
    }
    *ret = consumer;
    return WEIR_OK;
}

int weir__embedded_hold(struct weir__consumer *consumer, struct weir__tp tp, bool on)
{
    int err = WEIR_NOTFOUND;

    pthread_mutex_lock(&consumer->log->mutex);
    for (size_t i = 0; i < consumer->position_count; i++)
        if (consumer->positions[i].partition == tp.partition &&
            strcmp(consumer->positions[i].topic->name, tp.topic) == 0) {
            consumer->positions[i].held = on;
            err = WEIR_OK;
        }
    pthread_mutex_unlock(&consumer->log->mutex);
    return err;
}

int weir__embedded_leave(struct weir__consumer *consumer, int64_t deadline)
{
    struct weir__log *log = consumer->log;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    weir__embedded_exit(consumer);
    pthread_mutex_unlock(&log->mutex);
    consumer_free(consumer);
    return WEIR_OK;
}
