/* consumer.c: members of groups and readers without one: made, given partitions, closed.
 *
 * (1) The reader uses librdkafka's consumption by partition, which knows no group: stopping one waits until its fetcher
 *     has stopped, and what it had fetched lies in a queue that dies with it.
 * (2) An offset that is no longer there is an error to us (auto.offset.reset=error), answered in poll.c: the library
 *     would go to the first record also where the offset lies behind the end.
 */
#include "framework/kafka/internal.h"

/* How long a look at a topic's partitions may take, ms; taking has no deadline of its own. */
#define TAKE_MS 10000

void weir__kafka_stir(rd_kafka_t *rk, void *arg)
{
    struct weir__consumer *consumer = arg;

    (void)rk;
    pthread_mutex_lock(&consumer->mutex);
    consumer->stirred = true;
    pthread_cond_signal(&consumer->changed);
    pthread_mutex_unlock(&consumer->mutex);
}

/* ---- partitions ---- */

static void drop_part(struct part *part)
{
    if (part->queue != NULL) {
        rd_kafka_queue_cb_event_enable(part->queue, NULL, NULL);
        (void)rd_kafka_consume_stop(part->topic, part->partition);
        rd_kafka_queue_destroy(part->queue);
    }
    if (part->topic != NULL)
        rd_kafka_topic_destroy(part->topic);
}

static void drop_parts(struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        drop_part(&parts[i]);
    weir__free(parts);
}

void weir__kafka_drop_parts(struct weir__consumer *consumer)
{
    drop_parts(consumer->parts, consumer->part_count);
    consumer->parts = NULL;
    consumer->part_count = consumer->turn = 0;
    consumer->unread = WEIR_OK;
}

static int start_part(struct weir__consumer *consumer, struct part *part, int64_t from)
{
    part->queue = rd_kafka_queue_new(consumer->reader);
    rd_kafka_queue_cb_event_enable(part->queue, weir__kafka_stir, consumer);
    part->ended = part->asleep = false;
    part->records = part->bytes = 0;
    part->next = MAX(from, 0);
    if (rd_kafka_consume_start_queue(part->topic, part->partition, from >= 0 ? from : RD_KAFKA_OFFSET_BEGINNING,
                                     part->queue) == 0)
        return WEIR_OK;
    rd_kafka_queue_cb_event_enable(part->queue, NULL, NULL);
    rd_kafka_queue_destroy(part->queue);
    part->queue = NULL;
    return weir__kafka_code(rd_kafka_last_error());
}

int weir__kafka_restart_part(struct weir__consumer *consumer, struct part *part, int64_t from)
{
    rd_kafka_queue_cb_event_enable(part->queue, NULL, NULL);
    (void)rd_kafka_consume_stop(part->topic, part->partition);
    rd_kafka_queue_destroy(part->queue);
    return start_part(consumer, part, from);
}

static int start_parts(struct weir__consumer *consumer, const struct weir__offset *from, size_t count)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        struct part *part = &consumer->parts[consumer->part_count];

        *part = (struct part){ .partition = from[i].tp.partition };
        part->topic = rd_kafka_topic_new(consumer->reader, from[i].tp.topic, NULL);
        if (part->topic == NULL)
            return weir__kafka_code(rd_kafka_last_error());
        consumer->part_count++;
        err = start_part(consumer, part, from[i].offset);
    }
    return err;
}

/* *ret_bad: the one that is not there. */
static int check_all(struct weir__log *log, const struct weir__offset *from, size_t count, size_t *ret_bad)
{
    int64_t deadline = weir__kafka_now(log) + TAKE_MS;

    for (size_t i = 0; i < count; i++) {
        int err;

        *ret_bad = i;
        do
            err = weir__kafka_check_tp(log, from[i].tp, deadline);
        while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static int take(struct weir__consumer *consumer, const struct weir__offset *from, size_t count, size_t *ret_bad)
{
    int          err = check_all(consumer->log, from, count, ret_bad);
    struct part *parts = err == WEIR_OK ? weir__zalloc(sizeof(*parts) * (count + 1)) : NULL;

    if (err == WEIR_OK && parts == NULL)
        err = WEIR_NO_MEMORY;
    if (err < 0)
        return err;
    weir__kafka_drop_parts(consumer);
    consumer->parts = parts;
    return start_parts(consumer, from, count);
}

int weir__kafka_take(struct weir__consumer *consumer, const struct weir__offset *from, size_t count)
{
    size_t bad;

    return take(consumer, from, count, &bad);
}

int weir__kafka_hold(struct weir__consumer *consumer, struct weir__tp tp, bool on)
{
    for (size_t i = 0; i < consumer->part_count; i++) {
        struct part *part = &consumer->parts[i];

        if (part->partition != tp.partition || strcmp(rd_kafka_topic_name(part->topic), tp.topic) != 0)
            continue;
        part->held = on;
        part->dry_since = weir__kafka_now(consumer->log); /* what has come meanwhile is seen before it is roused */
        weir__kafka_stir(NULL, consumer);
        return WEIR_OK;
    }
    return WEIR_NOTFOUND;
}

/* ---- life ---- */

static void consumer_free(struct weir__consumer *consumer)
{
    weir__kafka_leases_fini(consumer);
    weir__kafka_drop_parts(consumer);
    if (consumer->reader != NULL)
        weir__kafka_client_close(consumer->log, consumer->reader, 0);
    weir__kafka_member_fini(consumer);
    weir__kafka_statistics_drop(&consumer->reads);
    weir__kafka_statistics_drop(&consumer->groups);
    pthread_cond_destroy(&consumer->changed);
    pthread_mutex_destroy(&consumer->mutex);
    weir__free(consumer->group);
    weir__free(consumer);
}

static int on_reader_tells(rd_kafka_t *rk, char *text, size_t size, void *arg)
{
    struct weir__consumer *consumer = arg;

    (void)rk;
    return weir__kafka_statistics_keep(consumer->log, &consumer->reads, text, size);
}

static int on_member_tells(rd_kafka_t *rk, char *text, size_t size, void *arg)
{
    struct weir__consumer *consumer = arg;

    (void)rk;
    return weir__kafka_statistics_keep(consumer->log, &consumer->groups, text, size);
}

static void prepare_reader(rd_kafka_conf_t *conf, void *consumer)
{
    rd_kafka_conf_set_stats_cb(conf, on_reader_tells);
    rd_kafka_conf_set_opaque(conf, consumer);
}

/* As it is in force: the user may have set it. */
static int64_t limit_of(rd_kafka_t *rk, const char *name)
{
    char    text[32];
    size_t  size = sizeof(text);
    int64_t limit;

    return rd_kafka_conf_get(rd_kafka_conf(rk), name, text, &size) == RD_KAFKA_CONF_OK &&
                   weir__parse_int64(text, &limit) == WEIR_OK
               ? limit
               : INT64_MAX / 1024;
}

static int make_reader(struct weir__consumer *consumer, enum weir__isolation isolation, size_t partitions,
                       struct weir_error *reterr)
{
    const struct pair own[] = { { "isolation.level",
                                  isolation == WEIR__READ_COMMITTED ? "read_committed" : "read_uncommitted" },
                                { "enable.partition.eof", "true" },
                                { "auto.offset.reset", "error" },
                                { "enable.auto.commit", "false" },
                                { NULL, NULL } };

    struct queues queues;
    int           err;

    weir__kafka_reader_queues(consumer->log, partitions, &queues);
    err = weir__kafka_client(consumer->log, CLIENT_READER, queues.pairs, own, prepare_reader, consumer,
                             &consumer->reader, reterr);
    if (err < 0)
        return err;
    consumer->most_records = limit_of(consumer->reader, "queued.min.messages");
    consumer->most_bytes =
        limit_of(consumer->reader, "queued.max.messages.kbytes") * 1000; /* as the library counts */
    return WEIR_OK;
}

/* partitions: how many it will read; 0 = those of tasks. */
static int consumer_new(struct weir__log *log, enum weir__isolation isolation, size_t partitions,
                        struct weir__consumer **ret, struct weir_error *reterr)
{
    struct weir__consumer *consumer = weir__zalloc(sizeof(*consumer));
    int                    err;

    if (consumer == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "no memory for a consumer");
    consumer->log = log;
    consumer->token = -1;
    consumer->reads.kind = CLIENT_READER;
    consumer->groups.kind = CLIENT_MEMBER;
    pthread_mutex_init(&consumer->mutex, NULL);
    pthread_cond_init(&consumer->changed, NULL);
    err = make_reader(consumer, isolation, partitions, reterr);
    if (err < 0)
        consumer_free(consumer);
    else
        *ret = consumer;
    return err;
}

int weir__kafka_tail(struct weir__log *log, const struct weir__offset *from, size_t count,
                     enum weir__isolation isolation, struct weir__consumer **ret, struct weir_error *reterr)
{
    struct weir__consumer *consumer;
    size_t                 bad = 0;
    int                    err = consumer_new(log, isolation, MAX(count, 1u), &consumer, reterr);

    if (err < 0)
        return err;
    err = take(consumer, from, count, &bad);
    if (err < 0) {
        consumer_free(consumer);
        return weir__fail(reterr, err, count > 0 ? from[bad].tp.topic : "log", "partition %d cannot be read: %s",
                          count > 0 ? from[bad].tp.partition : 0, weir_code_text(err));
    }
    *ret = consumer;
    return WEIR_OK;
}

/* ---- members ---- */

static void add_callback(rd_kafka_conf_t *conf, void *consumer)
{
    rd_kafka_conf_set_rebalance_cb(conf, weir__kafka_on_rebalance);
    rd_kafka_conf_set_error_cb(conf, weir__kafka_on_error);
    rd_kafka_conf_set_stats_cb(conf, on_member_tells);
    rd_kafka_conf_set_opaque(conf, consumer);
}

static int make_member(struct weir__consumer *consumer, const char *instance, struct weir_error *reterr)
{
    const struct pair own[] = { { "group.id", consumer->group },
                                { "isolation.level", "read_committed" },
                                { "partition.assignment.strategy", "range" },
                                { "enable.auto.commit", "false" },
                                { "enable.auto.offset.store", "false" },
                                { instance != NULL ? "group.instance.id" : NULL, instance },
                                { NULL, NULL } };

    return weir__kafka_client(consumer->log, CLIENT_MEMBER, NULL, own, add_callback, consumer, &consumer->member,
                              reterr);
}

static int subscribe(struct weir__consumer *consumer, const char *const *topics, size_t count,
                     struct weir_error *reterr)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_queue_t                *queue;
    rd_kafka_resp_err_t              err;

    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_poll_set_consumer(consumer->member);
    queue = rd_kafka_queue_get_consumer(consumer->member);
    rd_kafka_queue_cb_event_enable(queue, weir__kafka_stir, consumer);
    rd_kafka_queue_destroy(queue);
    err = rd_kafka_subscribe(consumer->member, list);
    rd_kafka_topic_partition_list_destroy(list);
    return err == RD_KAFKA_RESP_ERR_NO_ERROR
               ? WEIR_OK
               : weir__fail(reterr, weir__kafka_code(err), consumer->group, "the topics cannot be subscribed to: %s",
                            rd_kafka_err2str(err));
}

int weir__kafka_join(struct weir__log *log, const char *group, const char *instance, const char *const *topics,
                     size_t count, struct weir__consumer **ret, struct weir_error *reterr)
{
    struct weir__consumer *consumer;
    int                    err = consumer_new(log, WEIR__READ_COMMITTED, 0, &consumer, reterr);

    if (err < 0)
        return err;
    consumer->group = weir__strdup(group);
    if (consumer->group == NULL)
        err = weir__fail(reterr, WEIR_NO_MEMORY, group, "no memory for a member");
    if (err == WEIR_OK)
        err = make_member(consumer, instance, reterr);
    if (err == WEIR_OK)
        err = subscribe(consumer, topics, count, reterr);
    if (err < 0)
        consumer_free(consumer);
    else
        *ret = consumer;
    return err;
}

/* Tells the group, unless the membership is static; asks for the last rebalance's callback, which gives all back. */
static void shut(void *arg)
{
    struct weir__consumer *consumer = arg;

    if (consumer->member != NULL)
        (void)rd_kafka_consumer_close(consumer->member);
    consumer_free(consumer);
}

int weir__kafka_leave(struct weir__consumer *consumer, int64_t deadline)
{
    consumer->closing = true;
    weir__kafka_leases_fini(consumer);
    weir__kafka_drop_parts(consumer);
    return weir__kafka_aside(consumer->log, shut, consumer, deadline);
}
