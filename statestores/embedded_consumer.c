/* embedded_consumer.c: readers of the embedded log, members of a group or not: made, given partitions, freed. */
#include "statestores/embedded.h"

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
    weir__embedded_lease_free(consumer->spare);
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

    if (err < 0) {
        consumer_free(consumer);
        return weir__fail(reterr, err, count > 0 ? from[bad].tp.topic : "log", "partition %d cannot be read: %s",
                          count > 0 ? from[bad].tp.partition : 0, weir_code_text(err));
    }
    consumer->uncommitted = isolation == WEIR__READ_UNCOMMITTED;
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
