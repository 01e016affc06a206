/* topics.c: topics looked up, listed, grown, removed; what is known of them between two looks. */
#include "framework/kafka/internal.h"

#define MISSED_MS 10000

/* ---- what is known ---- */

static struct known *find(struct weir__log *log, const char *topic)
{
    for (size_t i = 0; i < log->known_count; i++)
        if (strcmp(log->known[i].name, topic) == 0)
            return &log->known[i];
    return NULL;
}

/* Without memory for it the next question asks the broker again. */
static void remember(struct weir__log *log, const char *topic, int32_t count)
{
    struct known *known;

    pthread_mutex_lock(&log->mutex);
    known = find(log, topic);
    if (known == NULL && GROW(log->known, log->known_capacity, log->known_count) == WEIR_OK) {
        char *name = weir__strdup(topic);

        if (name != NULL) {
            known = &log->known[log->known_count++];
            *known = (struct known){ .name = name };
        }
    }
    if (known != NULL) {
        known->count = count;
        known->doubted = false;
        known->missed_since = 0;
    }
    pthread_mutex_unlock(&log->mutex);
}

static void forget(struct weir__log *log, const char *topic)
{
    struct known *known;

    pthread_mutex_lock(&log->mutex);
    known = find(log, topic);
    if (known != NULL) {
        weir__free(known->name);
        *known = log->known[--log->known_count];
    }
    pthread_mutex_unlock(&log->mutex);
}

void weir__kafka_doubt(struct weir__log *log, const char *topic)
{
    struct known *known;

    pthread_mutex_lock(&log->mutex);
    known = find(log, topic);
    if (known != NULL)
        known->doubted = true;
    pthread_mutex_unlock(&log->mutex);
}

/* A broker that has just come back may not know its topics yet: what was there is missed for a while before it is gone. */
static bool is_gone(struct weir__log *log, const char *topic)
{
    int64_t       now = weir__kafka_now(log);
    struct known *known;
    bool          gone;

    pthread_mutex_lock(&log->mutex);
    known = find(log, topic);
    if (known != NULL && known->missed_since == 0)
        known->missed_since = now;
    gone = known == NULL || now - known->missed_since > MISSED_MS;
    if (known != NULL)
        known->doubted = true;
    pthread_mutex_unlock(&log->mutex);
    return gone;
}

static int32_t recall(struct weir__log *log, const char *topic)
{
    struct known *known;
    int32_t       count;

    pthread_mutex_lock(&log->mutex);
    known = find(log, topic);
    count = known != NULL && !known->doubted ? known->count : 0;
    pthread_mutex_unlock(&log->mutex);
    return count;
}

/* ---- looking up ---- */

static int count_told(const struct rd_kafka_metadata *told, int32_t *ret)
{
    int code;

    if (told->topic_cnt != 1)
        return WEIR_NOTFOUND;
    code = weir__kafka_code(told->topics[0].err);
    if (code == WEIR_BAD_NAME)
        return WEIR_NOTFOUND;
    if (code < 0)
        return code;
    *ret = told->topics[0].partition_cnt;
    return *ret > 0 ? WEIR_OK : WEIR_AGAIN;
}

int weir__kafka_look_up(struct weir__log *log, const char *topic, int64_t deadline, int32_t *ret)
{
    const struct rd_kafka_metadata *told;
    rd_kafka_topic_t               *handle;
    int                             code;

    if (!weir__legal_name(topic))
        return WEIR_NOTFOUND;
    handle = rd_kafka_topic_new(log->any, topic, NULL);
    if (handle == NULL)
        return weir__kafka_code(rd_kafka_last_error());
    code = weir__kafka_code(rd_kafka_metadata(log->any, 0, handle, &told, weir__kafka_left(log, deadline)));
    rd_kafka_topic_destroy(handle);
    if (code < 0) {
        weir__kafka_refusal_look(log);
        return code;
    }
    weir__kafka_refusal_forget(log);
    code = count_told(told, ret);
    rd_kafka_metadata_destroy(told);
    if (code == WEIR_OK)
        remember(log, topic, *ret);
    else if (code == WEIR_NOTFOUND && !is_gone(log, topic))
        return WEIR_AGAIN;
    else if (code == WEIR_NOTFOUND)
        forget(log, topic);
    return code;
}

int weir__kafka_count(struct weir__log *log, const char *topic, int32_t partition, int64_t deadline, int32_t *ret)
{
    int32_t count = recall(log, topic);

    if (count <= MAX(partition, 0))
        return weir__kafka_look_up(log, topic, deadline, ret);
    *ret = count;
    return WEIR_OK;
}

int weir__kafka_check_tp(struct weir__log *log, struct weir__tp tp, int64_t deadline)
{
    int32_t count;
    int err = tp.partition >= 0 ? weir__kafka_count(log, tp.topic, tp.partition, deadline, &count) : WEIR_NOTFOUND;

    return err == WEIR_OK && tp.partition >= count ? WEIR_NOTFOUND : err;
}

int weir__kafka_partitions(struct weir__log *log, const char *topic, int64_t deadline, int32_t *ret)
{
    int err;

    do
        err = weir__kafka_look_up(log, topic, deadline, ret);
    while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
    return err;
}

int weir__kafka_topics(struct weir__log *log, int64_t deadline, void (*on_topic)(void *arg, const char *name),
                       void *arg)
{
    const struct rd_kafka_metadata *told;
    int code = weir__kafka_code(rd_kafka_metadata(log->any, 1, NULL, &told, weir__kafka_left(log, deadline)));

    if (code < 0) {
        weir__kafka_refusal_look(log);
        return code;
    }
    weir__kafka_refusal_forget(log);
    for (int i = 0; i < told->topic_cnt; i++)
        on_topic(arg, told->topics[i].topic);
    rd_kafka_metadata_destroy(told);
    return WEIR_OK;
}

/* ---- growing ---- */

static int fail_grow(const char *topic, int code, const char *words, struct weir_error *reterr)
{
    return weir__fail(reterr, code, topic, "it cannot get partitions: %s",
                      words != NULL ? words : weir_code_text(code));
}

static int take_grown(struct call *call, const char *topic, struct weir_error *reterr)
{
    const rd_kafka_topic_result_t **results;
    size_t                          count;
    int                             code = weir__kafka_call_wait(call);

    if (code < 0)
        return fail_grow(topic, code, NULL, reterr);
    results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(call->event), &count);
    code = count == 1 ? weir__kafka_code(rd_kafka_topic_result_error(results[0])) : WEIR_IO;
    return code < 0
               ? fail_grow(topic, code, count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL, reterr)
               : WEIR_OK;
}

static int ask_to_grow(struct weir__log *log, const char *topic, int32_t partitions, int64_t deadline,
                       struct weir_error *reterr)
{
    rd_kafka_NewPartitions_t *wanted;
    struct call               call;
    char                      words[256];
    int                       err = weir__kafka_call(&call, log, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, deadline);

    wanted = rd_kafka_NewPartitions_new(topic, (size_t)partitions, words, sizeof(words));
    if (err == WEIR_OK && wanted == NULL)
        err = weir__fail(reterr, WEIR_BAD_ARGUMENT, topic, "%s", words);
    if (err == WEIR_OK) {
        rd_kafka_CreatePartitions(log->any, &wanted, 1, call.options, call.queue);
        err = take_grown(&call, topic, reterr);
    }
    if (wanted != NULL)
        rd_kafka_NewPartitions_destroy(wanted);
    weir__kafka_call_end(&call);
    return err;
}

/* Until the brokers tell of them all. */
static int await_count(struct weir__log *log, const char *topic, int32_t partitions, int64_t deadline)
{
    int32_t count = 0;
    int     err;

    do
        err = weir__kafka_look_up(log, topic, deadline, &count);
    while ((err == WEIR_AGAIN || err == WEIR_NOTFOUND || (err == WEIR_OK && count < partitions)) &&
           weir__kafka_later(log, deadline));
    return err == WEIR_NOTFOUND || (err == WEIR_OK && count < partitions) ? WEIR_AGAIN : err;
}

int weir__kafka_grow(struct weir__log *log, const char *topic, int32_t partitions, int64_t deadline,
                     struct weir_error *reterr)
{
    int32_t count;
    int     err = weir__kafka_partitions(log, topic, deadline, &count);

    if (err == WEIR_NOTFOUND)
        return weir__fail(reterr, err, topic, "there is no such topic");
    if (err < 0)
        return fail_grow(topic, err, NULL, reterr);
    if (partitions < count)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, topic, "partitions cannot be taken away: it has %d", count);
    if (partitions == count)
        return WEIR_OK;
    err = ask_to_grow(log, topic, partitions, deadline, reterr);
    if (err < 0)
        return err;
    err = await_count(log, topic, partitions, deadline);
    return err < 0 ? fail_grow(topic, err, NULL, reterr) : WEIR_OK;
}

/* ---- removing ---- */

static int take_removed(struct call *call)
{
    const rd_kafka_topic_result_t **results;
    size_t                          count;
    int                             code = weir__kafka_call_wait(call);

    if (code < 0)
        return code;
    results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(call->event), &count);
    return count == 1 ? weir__kafka_code(rd_kafka_topic_result_error(results[0])) : WEIR_IO;
}

static int await_gone(struct weir__log *log, const char *topic, int64_t deadline)
{
    int32_t count;
    int     err;

    do {
        forget(
            log,
            topic); /* a broker that still tells of it is late, and need not be waited for as one that has come back */
        err = weir__kafka_look_up(log, topic, deadline, &count);
    } while (err != WEIR_NOTFOUND && weir__kafka_later(log, deadline));
    return err == WEIR_NOTFOUND ? WEIR_OK : WEIR_AGAIN;
}

static int remove_one(struct weir__log *log, const char *topic, int64_t deadline)
{
    rd_kafka_DeleteTopic_t *wanted;
    struct call             call;
    int32_t                 count;
    int                     err = weir__kafka_partitions(log, topic, deadline, &count);

    if (err < 0)
        return err;
    err = weir__kafka_call(&call, log, RD_KAFKA_ADMIN_OP_DELETETOPICS, deadline);
    if (err == WEIR_OK) {
        wanted = rd_kafka_DeleteTopic_new(topic);
        rd_kafka_DeleteTopics(log->any, &wanted, 1, call.options, call.queue);
        err = take_removed(&call);
        rd_kafka_DeleteTopic_destroy(wanted);
    }
    weir__kafka_call_end(&call);
    if (err < 0)
        return err;
    return await_gone(log, topic, deadline);
}

/* The broker drops the offsets that were committed for them. */
int weir__kafka_remove(struct weir__log *log, const char *const *topics, size_t count, int64_t deadline)
{
    bool missing = false;
    int  err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        err = remove_one(log, topics[i], deadline);
        missing = missing || err == WEIR_NOTFOUND;
        err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    return err == WEIR_OK && missing ? WEIR_NOTFOUND : err;
}
