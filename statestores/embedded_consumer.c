/* embedded_consumer.c: members of groups, and readers without one. */
#include <stdlib.h>
#include <time.h>

#include "statestores/embedded.h"

/* ---- waiting ---- */

/* Waits for a change until deadline (ms of the log's clock). false: time is up. A virtual clock never waits. */
static bool wait_until(struct weir__log *log, int64_t deadline)
{
    int64_t         left = deadline - weir__embedded_now(log);
    struct timespec until;

    if (left <= 0 || log->clock != NULL)
        return false;
    if (log->read_only)
        left = MIN(left, 100); /* another process writes: look again */
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += left / 1000;
    until.tv_nsec += left % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(&log->changed, &log->mutex, &until) == 0;
}

/* ---- groups ---- */

static struct group *find_group(struct weir__log *log, const char *name)
{
    for (size_t i = 0; i < log->group_count; i++)
        if (strcmp(log->groups[i]->name, name) == 0)
            return log->groups[i];
    return NULL;
}

static struct group *make_group(struct weir__log *log, const char *name)
{
    struct group *group = find_group(log, name);

    if (group != NULL || GROW(log->groups, log->group_capacity, log->group_count) < 0)
        return group;
    group = weir__zalloc(sizeof(*group));
    if (group == NULL || (group->name = weir__strdup(name)) == NULL) {
        weir__free(group);
        return NULL;
    }
    return log->groups[log->group_count++] = group;
}

static void rebalance(struct group *group)
{
    group->generation++;
    group->dealt = false;
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct weir__consumer *const *)a)->id, (*(struct weir__consumer *const *)b)->id);
}

static int assign(struct weir__consumer *member, const char *topic, int32_t partition)
{
    struct weir__tp *grown = weir__realloc(member->assigned, sizeof(*grown) * (member->assigned_count + 1));

    if (grown == NULL)
        return WEIR_NO_MEMORY;
    member->assigned = grown;
    grown[member->assigned_count++] = (struct weir__tp){ .topic = topic, .partition = partition };
    return WEIR_OK;
}

/* Kafka's range assignor: per topic, consecutive partitions to members in order of their ids. */
static int deal(struct weir__log *log, struct group *group)
{
    qsort(group->members, group->count, sizeof(struct weir__consumer *), by_id);
    for (size_t i = 0; i < group->count; i++)
        group->members[i]->assigned_count = 0;
    for (size_t i = 0; group->members[0]->topics[i] != NULL; i++) {
        const struct topic *topic = weir__embedded_topic(log, group->members[0]->topics[i]);
        int32_t             members = (int32_t)group->count, next = 0;

        if (topic == NULL)
            continue;
        for (int32_t m = 0; m < members; m++) {
            int32_t share = topic->count / members + (m < topic->count % members);

            for (int32_t n = 0; n < share; n++)
                if (assign(group->members[m], topic->name, next++) < 0)
                    return WEIR_NO_MEMORY;
        }
    }
    group->dealt = true;
    pthread_cond_broadcast(&log->changed);
    return WEIR_OK;
}

static void throw_out(struct group *group, struct weir__consumer *member)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->members[i] == member)
            group->members[i] = group->members[--group->count];
    member->state = MEMBER_OUT;
    rebalance(group);
}

/* All members stand ready for the generation; the silent are thrown out. */
static bool all_ready(struct weir__log *log, struct group *group)
{
    int64_t now = weir__embedded_now(log);

    for (size_t i = 0; i < group->count; i++) {
        struct weir__consumer *member = group->members[i];

        if (member->state == MEMBER_READY)
            continue;
        if (now - member->last_poll <= SESSION_MS)
            return false;
        throw_out(group, member);
        i = (size_t)-1;
    }
    return true;
}

static void set_event(struct weir__consumer *consumer, enum weir__event_kind kind, struct weir__polled *ret)
{
    consumer->event = (struct weir__log_event){
        .kind = kind, .token = consumer->token, .tps = consumer->assigned, .count = consumer->assigned_count
    };
    ret->event = &consumer->event;
}

/* What the group has for this member. WEIR_OK: an event; WEIR_NOTFOUND: nothing, records may flow; WEIR_AGAIN: wait. */
static int group_event(struct weir__consumer *consumer, struct weir__polled *ret)
{
    struct group *group = consumer->group;

    if (consumer->state == MEMBER_OUT) {
        set_event(consumer, WEIR__LOST_TPS, ret);
        consumer->state = MEMBER_JOINING;
        consumer->position_count = 0;
        if (GROW(group->members, group->capacity, group->count) < 0)
            return WEIR_NO_MEMORY;
        group->members[group->count++] = consumer;
        rebalance(group);
        return WEIR_OK;
    }
    if (consumer->state == MEMBER_ASSIGNED && consumer->token == group->generation)
        return WEIR_NOTFOUND;
    if (consumer->state == MEMBER_ASSIGNED) {
        consumer->state = MEMBER_REVOKING;
        set_event(consumer, WEIR__REVOKED, ret);
        return WEIR_OK;
    }
    if (consumer->state != MEMBER_READY) {
        consumer->state = MEMBER_READY;
        consumer->position_count = 0;
        pthread_cond_broadcast(&consumer->log->changed);
    }
    if (!group->dealt && all_ready(consumer->log, group) && deal(consumer->log, group) < 0)
        return WEIR_NO_MEMORY;
    if (!group->dealt)
        return WEIR_AGAIN;
    consumer->state = MEMBER_ASSIGNED;
    consumer->token = group->generation;
    set_event(consumer, WEIR__ASSIGNED, ret);
    return WEIR_OK;
}

/* ---- records ---- */

/* One batch: the records and all they point to. */
struct lease {
    struct weir_arena arena;
    struct weir__raw *records;
    size_t            count, capacity, bytes;
};

static int read_row(struct lease *lease, const struct position *position, struct weir_bytes key,
                    struct weir_bytes value)
{
    const void       *copy = weir__arena_copy(&lease->arena, value.data, value.size);
    struct weir__raw *raw;
    int               err;

    if (copy == NULL || GROW(lease->records, lease->capacity, lease->count) < 0)
        return WEIR_NO_MEMORY;
    raw = &lease->records[lease->count];
    err = weir__raw_unpack(BYTES(copy, value.size), &lease->arena, raw);
    if (err < 0)
        return err;
    raw->topic = position->topic->name;
    raw->partition = position->partition;
    raw->offset = (int64_t)weir__get_be64((const char *)key.data + key.size - sizeof(int64_t));
    lease->count++;
    lease->bytes += value.size;
    return WEIR_OK;
}

static int read_partition(struct weir__log *log, struct position *position, struct lease *lease)
{
    struct partition  *ends = &position->topic->partitions[position->partition];
    struct weir__buf   high = { 0 };
    struct weir__iter *iter;
    struct weir_bytes  key, value;
    int                err;

    position->next = MAX(position->next, ends->low);
    if (position->next >= ends->end)
        return WEIR_OK;
    err = log->engine->iterate(
        log->db, log->family,
        weir__embedded_key(&log->key, 'R', NULL, position->topic->name, position->partition, position->next),
        weir__embedded_key(&high, 'R', NULL, position->topic->name, position->partition, ends->end), WEIR_ASCENDING,
        &iter);
    if (err == WEIR_OK) {
        size_t first = lease->count;

        while (lease->count - first < POLL_RECORDS && lease->bytes < POLL_BYTES &&
               (err = log->engine->next(iter, &key, &value)) == WEIR_OK)
            if ((err = read_row(lease, position, key, value)) < 0)
                break;
        log->engine->iter_close(iter);
        if (err == WEIR_OK)
            position->next = lease->records[lease->count - 1].offset + 1;
        else if (err == WEIR_NOTFOUND)
            position->next = ends->end; /* what is missing was compacted away */
    }
    weir__buf_fini(&high);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static bool tell_end(struct weir__consumer *consumer, struct weir__polled *ret)
{
    for (size_t i = 0; i < consumer->position_count; i++) {
        struct position *position = &consumer->positions[i];
        int64_t          end = position->topic->partitions[position->partition].end;

        if (position->next < end)
            position->told_end = false;
        if (position->told_end || position->next < end)
            continue;
        position->told_end = true;
        consumer->end_tp = (struct weir__tp){ .topic = position->topic->name, .partition = position->partition };
        consumer->event =
            (struct weir__log_event){ .kind = WEIR__END, .tps = &consumer->end_tp, .count = 1, .next = end };
        ret->event = &consumer->event;
        return true;
    }
    return false;
}

static int read_some(struct weir__consumer *consumer, struct weir__polled *ret)
{
    struct lease *lease = weir__zalloc(sizeof(*lease));
    int           err = lease != NULL ? WEIR_OK : WEIR_NO_MEMORY;

    for (size_t n = 0; err == WEIR_OK && n < consumer->position_count; n++) {
        struct position *position = &consumer->positions[(consumer->turn + n) % consumer->position_count];

        if (lease->bytes >= POLL_BYTES)
            break;
        if (!position->held)
            err = read_partition(consumer->log, position, lease);
    }
    if (consumer->position_count > 0)
        consumer->turn = (consumer->turn + 1) % consumer->position_count;
    if (err < 0 || lease->count == 0) {
        weir__embedded_release(consumer, lease);
        return err < 0 ? err : WEIR_NOTFOUND;
    }
    for (size_t i = 0; i < consumer->position_count; i++)
        if (consumer->positions[i].next <
            consumer->positions[i].topic->partitions[consumer->positions[i].partition].end)
            consumer->positions[i].told_end = false;
    *ret = (struct weir__polled){ .records = lease->records, .count = lease->count, .lease = lease };
    return WEIR_OK;
}

void weir__embedded_release(struct weir__consumer *consumer, void *arg)
{
    struct lease *lease = arg;

    (void)consumer;
    if (lease == NULL)
        return;
    weir__free(lease->records);
    weir__arena_fini(&lease->arena);
    weir__free(lease);
}

static int poll_once(struct weir__consumer *consumer, struct weir__polled *ret)
{
    int err;

    if (consumer->group != NULL) {
        err = group_event(consumer, ret);
        if (err != WEIR_NOTFOUND)
            return err;
    }
    err = read_some(consumer, ret);
    if (err != WEIR_NOTFOUND)
        return err;
    return tell_end(consumer, ret) ? WEIR_OK : WEIR_AGAIN;
}

int weir__embedded_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    struct weir__log *log = consumer->log;
    int               err;

    *ret = (struct weir__polled){ 0 };
    pthread_mutex_lock(&log->mutex);
    do {
        consumer->last_poll = weir__embedded_now(log);
        if (log->read_only)
            (void)weir__embedded_load(log, NULL);
        err = poll_once(consumer, ret);
    } while (err == WEIR_AGAIN && !consumer->woken &&
             (wait_until(log, deadline) || weir__embedded_now(log) < deadline) && log->clock == NULL);
    consumer->woken = false;
    pthread_mutex_unlock(&log->mutex);
    return err;
}

/* ---- making and steering ---- */

static struct weir__consumer *consumer_new(struct weir__log *log)
{
    struct weir__consumer *consumer = weir__zalloc(sizeof(*consumer));

    if (consumer != NULL) {
        consumer->log = log;
        consumer->token = -1;
        consumer->last_poll = weir__embedded_now(log);
    }
    return consumer;
}

static void consumer_free(struct weir__consumer *consumer)
{
    for (size_t i = 0; consumer->topics != NULL && consumer->topics[i] != NULL; i++)
        weir__free(consumer->topics[i]);
    weir__free(consumer->topics);
    weir__free(consumer->assigned);
    weir__free(consumer->positions);
    weir__free(consumer->id);
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

static int enter(struct weir__consumer *consumer, const char *name)
{
    struct group *group = make_group(consumer->log, name);

    if (group == NULL || GROW(group->members, group->capacity, group->count) < 0)
        return WEIR_NO_MEMORY;
    consumer->group = group;
    group->members[group->count++] = consumer;
    rebalance(group);
    pthread_cond_broadcast(&consumer->log->changed);
    return WEIR_OK;
}

int weir__embedded_join(struct weir__log *log, const char *group, const char *instance, const char *const *topics,
                        size_t count, struct weir__consumer **ret, struct weir_error *reterr)
{
    struct weir__consumer *consumer;
    int                    err = WEIR_NO_MEMORY;

    pthread_mutex_lock(&log->mutex);
    consumer = consumer_new(log);
    if (consumer != NULL) {
        err = set_member(consumer, instance, topics, count);
        if (err == WEIR_OK)
            err = enter(consumer, group);
        if (err < 0)
            consumer_free(consumer);
    }
    pthread_mutex_unlock(&log->mutex);
    if (err < 0)
        return weir__fail(reterr, err, group, "no memory for a member");
    *ret = consumer;
    return WEIR_OK;
}

int weir__embedded_tail(struct weir__log *log, const struct weir__offset *from, size_t count,
                        enum weir__isolation isolation, struct weir__consumer **ret, struct weir_error *reterr)
{
    struct weir__consumer *consumer = consumer_new(log);
    int                    err = consumer != NULL ? weir__embedded_take(consumer, from, count) : WEIR_NO_MEMORY;

    (void)isolation; /* what is not committed is in no partition yet */
    if (err < 0) {
        if (consumer != NULL)
            consumer_free(consumer);
        return weir__fail(reterr, err, count > 0 ? from[0].tp.topic : "log", "cannot be read: %s",
                          weir_code_text(err));
    }
    *ret = consumer;
    return WEIR_OK;
}

int weir__embedded_members(struct weir__consumer *consumer, int32_t *ret)
{
    pthread_mutex_lock(&consumer->log->mutex);
    *ret = consumer->group != NULL ? (int32_t)consumer->group->count : 0;
    pthread_mutex_unlock(&consumer->log->mutex);
    return WEIR_OK;
}

static int set_position(struct weir__log *log, const struct weir__offset *from, struct position *ret)
{
    struct topic *topic = weir__embedded_topic(log, from->tp.topic);

    if (topic == NULL || from->tp.partition < 0 || from->tp.partition >= topic->count)
        return WEIR_NOTFOUND;
    *ret = (struct position){ .topic = topic, .partition = from->tp.partition, .next = MAX(from->offset, 0) };
    return WEIR_OK;
}

int weir__embedded_take(struct weir__consumer *consumer, const struct weir__offset *from, size_t count)
{
    struct weir__log *log = consumer->log;
    struct position  *positions = weir__zalloc(sizeof(*positions) * (count + 1));
    int               err = positions != NULL ? WEIR_OK : WEIR_NO_MEMORY;

    pthread_mutex_lock(&log->mutex);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = set_position(log, &from[i], &positions[i]);
    if (err == WEIR_OK) {
        weir__free(consumer->positions);
        consumer->positions = positions;
        consumer->position_count = count;
        consumer->turn = 0;
    } else {
        weir__free(positions);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
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

bool weir__embedded_valid(struct weir__consumer *consumer, int64_t token)
{
    bool valid;

    pthread_mutex_lock(&consumer->log->mutex);
    valid = consumer->group == NULL ||
            (token == consumer->token && (consumer->state == MEMBER_ASSIGNED || consumer->state == MEMBER_REVOKING));
    pthread_mutex_unlock(&consumer->log->mutex);
    return valid;
}

int weir__embedded_leave(struct weir__consumer *consumer, int64_t deadline)
{
    struct weir__log *log = consumer->log;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    if (consumer->group != NULL && consumer->state != MEMBER_OUT)
        throw_out(consumer->group, consumer);
    pthread_cond_broadcast(&log->changed);
    pthread_mutex_unlock(&log->mutex);
    consumer_free(consumer);
    return WEIR_OK;
}

void weir__embedded_wake(struct weir__consumer *consumer)
{
    pthread_mutex_lock(&consumer->log->mutex);
    consumer->woken = true;
    pthread_cond_broadcast(&consumer->log->changed);
    pthread_mutex_unlock(&consumer->log->mutex);
}
