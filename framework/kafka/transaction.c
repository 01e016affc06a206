/* transaction.c: the producer's thread, which does what may block: init, commit, abort; and what its outcomes mean.
 *
 *     retriable   the same call again, by the thread itself, until it is known; the caller hears AGAIN meanwhile
 *     abortable   ABORT; LOST where the group no longer knows the member; where another one has its instance.id what the
 *                 member makes of it
 *     fatal       FENCED: the outcome is unknown, and this producer is at its end
 *
 * (1) A job that has begun ends: whoever asks for another one waits for it first.
 * (2) Order of a commit: all records are delivered, offsets with the membership's copy, the transaction. Without an id:
 *     records, then offsets.
 * (3) An offset of no partition, or a failed record, spoils the whole commit before anything is decided.
 */
#include "framework/kafka/internal.h"
#include "framework/logging/logging.h"

/* How long one call of the library may take before we look whether to stop, ms. */
#define STEP_MS 1000

/* ---- outcomes ---- */

static bool ends_membership(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
}

static int outcome_of(const rd_kafka_error_t *error)
{
    int code = weir__kafka_code(rd_kafka_error_code(error));

    if (code == WEIR_FORBIDDEN)
        return code;
    if (rd_kafka_error_is_fatal(error))
        return code == WEIR_BAD_CONFIG || code == WEIR_UNSUPPORTED ? code : WEIR_FENCED;
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS) /* which waits for the member's poll */
        return WEIR_ABORT;
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        return code;
    if (rd_kafka_error_txn_requires_abort(error))
        return ends_membership(rd_kafka_error_code(error)) ? WEIR_LOST : WEIR_ABORT;
    if (rd_kafka_error_is_retriable(error))
        return WEIR_AGAIN;
    return code == WEIR_IO ? WEIR_FENCED : code;
}

int weir__kafka_outcome(rd_kafka_error_t *error)
{
    int code;

    if (error == NULL)
        return WEIR_OK;
    code = outcome_of(error);
    if (code != WEIR_AGAIN)
        weir__say(WEIR__DEBUG, "kafka-outcome", "code", "s", weir_code_name(code), "why", "s",
                  rd_kafka_error_string(error), NULL);
    rd_kafka_error_destroy(error);
    return code;
}

/* ---- the thread's side ---- */

static bool must_stop(struct weir__producer *producer)
{
    bool stop;

    pthread_mutex_lock(&producer->mutex);
    stop = producer->stop;
    pthread_mutex_unlock(&producer->mutex);
    return stop;
}

static bool is_fenced(struct weir__producer *producer)
{
    return rd_kafka_fatal_error(producer->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool any_failed(struct weir__producer *producer)
{
    bool any;

    pthread_mutex_lock(&producer->mutex);
    any = producer->failure_count > 0 || producer->forgot;
    pthread_mutex_unlock(&producer->mutex);
    return any;
}

static int init(struct weir__producer *producer)
{
    int err;

    do
        err = weir__kafka_outcome(rd_kafka_init_transactions(producer->rk, STEP_MS));
    while (err == WEIR_AGAIN && !must_stop(producer));
    return err;
}

static int deliver_all(struct weir__producer *producer)
{
    while (rd_kafka_flush(producer->rk, STEP_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (is_fenced(producer) || must_stop(producer))
            return WEIR_FENCED;
        if (any_failed(producer)) /* librdkafka 2.0.2 holds the others back until they time out */
            return WEIR_ABORT;
    }
    if (is_fenced(producer))
        return WEIR_FENCED;
    return any_failed(producer) ? WEIR_ABORT : WEIR_OK;
}

static int send_offsets(struct weir__producer *producer)
{
    int err;

    if (producer->offsets == NULL)
        return WEIR_OK;
    do
        err = weir__kafka_outcome(
            rd_kafka_send_offsets_to_transaction(producer->rk, producer->offsets, producer->membership, STEP_MS));
    while (err == WEIR_AGAIN && !must_stop(producer));
    return err;
}

static int commit(struct weir__producer *producer)
{
    int err = deliver_all(producer);

    if (err < 0 || producer->id == NULL)
        return err;
    err = send_offsets(producer);
    if (err < 0)
        return err;
    do
        err = weir__kafka_outcome(rd_kafka_commit_transaction(producer->rk, STEP_MS));
    while (err == WEIR_AGAIN && !must_stop(producer));
    return err;
}

/* Without an id what is on its way cannot be called back. With one, what is on its way arrives first: librdkafka 2.0.2
 * ends a transaction that the broker has not heard of yet, whose refusal is then fatal. */
static int abort_all(struct weir__producer *producer)
{
    int err;

    if (producer->id == NULL) {
        (void)rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE);
        (void)rd_kafka_poll(producer->rk, 0);
        return is_fenced(producer) ? WEIR_FENCED : WEIR_OK;
    }
    (void)rd_kafka_flush(producer->rk, STEP_MS);
    do
        err = weir__kafka_outcome(rd_kafka_abort_transaction(producer->rk, STEP_MS));
    while (err == WEIR_AGAIN && !must_stop(producer));
    return err;
}

/* One try: the predecessor's transaction is resolved anyway by whoever takes the id next. */
static int close_down(struct weir__producer *producer)
{
    if (producer->id != NULL && producer->open && !is_fenced(producer) && !any_failed(producer) &&
        rd_kafka_flush(producer->rk, STEP_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)weir__kafka_outcome(rd_kafka_abort_transaction(producer->rk, STEP_MS));
    else
        (void)rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    (void)rd_kafka_flush(producer->rk, STEP_MS);
    return WEIR_OK;
}

static int run_job(struct weir__producer *producer, enum job job)
{
    switch (job) {
    case JOB_INIT: return init(producer);
    case JOB_COMMIT: return commit(producer);
    case JOB_ABORT: return abort_all(producer);
    case JOB_CLOSE: return close_down(producer);
    case JOB_NONE: break;
    }
    return WEIR_OK;
}

/* Meanwhile what the library has to tell is heard, so that it does not pile up with a producer that nobody uses. */
static enum job await_job(struct weir__producer *producer)
{
    enum job job;

    pthread_mutex_lock(&producer->mutex);
    while (producer->job == JOB_NONE || producer->done) {
        struct timespec until = weir__kafka_until(producer->log, weir__kafka_now(producer->log) + STATISTICS_MS);

        if (pthread_cond_timedwait(&producer->changed, &producer->mutex, &until) == 0)
            continue;
        pthread_mutex_unlock(&producer->mutex);
        (void)rd_kafka_poll(producer->rk, 0);
        pthread_mutex_lock(&producer->mutex);
    }
    job = producer->job;
    pthread_mutex_unlock(&producer->mutex);
    return job;
}

void *weir__kafka_work(void *arg)
{
    struct weir__producer *producer = arg;
    enum job               job = JOB_NONE;

    while (job != JOB_CLOSE) {
        int err;

        job = await_job(producer);
        err = run_job(producer, job);
        pthread_mutex_lock(&producer->mutex);
        producer->result = err;
        producer->done = true;
        if (producer->stop && job != JOB_CLOSE) { /* nobody may be waiting for it any more */
            producer->job = JOB_CLOSE;
            producer->done = false;
        }
        producer->ended = job == JOB_CLOSE;
        pthread_cond_broadcast(&producer->changed);
        pthread_mutex_unlock(&producer->mutex);
    }
    weir__kafka_producer_unuse(producer);
    return NULL;
}

/* ---- the owner's side ---- */

/* Under the mutex. false: the deadline has come. */
static bool await_done(struct weir__producer *producer, const struct timespec *until)
{
    while (producer->job != JOB_NONE && !producer->done)
        if (pthread_cond_timedwait(&producer->changed, &producer->mutex, until) != 0)
            return producer->done;
    return true;
}

int weir__kafka_job(struct weir__producer *producer, enum job job, int64_t deadline)
{
    struct timespec until = weir__kafka_until(producer->log, deadline);
    bool            mine;
    int             err;

    pthread_mutex_lock(&producer->mutex);
    do {
        err = WEIR_AGAIN;
        mine = producer->job == JOB_NONE || producer->job == job;
        if (producer->job == JOB_NONE) {
            producer->job = job;
            producer->done = false;
            pthread_cond_broadcast(&producer->changed);
        }
        if (!await_done(producer, &until)) /* of another one, too, it is not known yet */
            break;
        err = producer->result;
        producer->job = JOB_NONE;
        producer->done = false;
    } while (!mine);
    pthread_mutex_unlock(&producer->mutex);
    return err;
}

static bool is_running(struct weir__producer *producer, enum job job)
{
    bool running;

    pthread_mutex_lock(&producer->mutex);
    running = producer->job == job;
    pthread_mutex_unlock(&producer->mutex);
    return running;
}

/* What was delivered counts as sent, or as never sent; failures are forgotten. */
static void settle(struct weir__producer *producer, bool committed)
{
    pthread_mutex_lock(&producer->mutex);
    for (size_t i = 0; i < producer->destination_count; i++) {
        struct destination *to = producer->destinations[i];

        for (int32_t j = 0; j < to->count; j++) {
            to->sent[j] = committed ? to->delivered[j] : -1;
            to->delivered[j] = -1;
        }
    }
    producer->failure_count = producer->told = 0;
    producer->forgot = false;
    pthread_mutex_unlock(&producer->mutex);
    producer->open = false;
}

/* Asks the thread to close down; one that is in a call which does not return is left behind with the producer. */
void weir__kafka_job_close(struct weir__producer *producer, int64_t deadline)
{
    struct timespec until = weir__kafka_until(producer->log, deadline);

    pthread_mutex_lock(&producer->mutex);
    producer->stop = true;
    if (producer->job == JOB_NONE || producer->done) {
        producer->job = JOB_CLOSE;
        producer->done = false;
    }
    pthread_cond_broadcast(&producer->changed);
    while (!producer->ended && pthread_cond_timedwait(&producer->changed, &producer->mutex, &until) == 0)
        continue;
    pthread_mutex_unlock(&producer->mutex);
}

/* ---- commit ---- */

static rd_kafka_consumer_group_metadata_t *read_membership(const char *group, const struct weir__consumer *consumer)
{
    rd_kafka_consumer_group_metadata_t *metadata = NULL;

    if (consumer == NULL || consumer->member == NULL)
        return rd_kafka_consumer_group_metadata_new(group);
    (void)weir__kafka_outcome(
        rd_kafka_consumer_group_metadata_read(&metadata, consumer->membership, consumer->membership_size));
    return metadata;
}

static void drop_offsets(struct weir__producer *producer)
{
    if (producer->offsets != NULL)
        rd_kafka_topic_partition_list_destroy(producer->offsets);
    if (producer->membership != NULL)
        rd_kafka_consumer_group_metadata_destroy(producer->membership);
    producer->offsets = NULL;
    producer->membership = NULL;
}

/* Hands the offsets over to the thread, in a transaction that is open. */
static int prepare(struct weir__producer *producer, const char *group, const struct weir__consumer *consumer,
                   const struct weir__offset *offsets, size_t count)
{
    int err = producer->open ? WEIR_OK : weir__kafka_outcome(rd_kafka_begin_transaction(producer->rk));

    if (err < 0)
        return err;
    producer->open = true;
    drop_offsets(producer);
    if (count == 0)
        return WEIR_OK;
    producer->offsets = weir__kafka_offset_list(offsets, count);
    producer->membership = read_membership(group, consumer);
    return producer->offsets != NULL && producer->membership != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

/* May this membership commit now? */
static int check_member(struct weir__consumer *consumer, int64_t token)
{
    if (consumer == NULL || consumer->member == NULL)
        return WEIR_OK;
    if (rd_kafka_assignment_lost(consumer->member))
        return WEIR_LOST;
    return weir__kafka_valid(consumer, token) ? WEIR_OK : WEIR_ABORT;
}

/* What waits for the member's next poll is not worth the same call again. */
static int member_code(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ? WEIR_ABORT : weir__kafka_code(err);
}

/* By the member itself: this call takes no copy of a membership. One that was reset behind our back commits nothing
 * while the group has others. */
static int commit_as_member(struct weir__consumer *consumer, const struct weir__offset *offsets, size_t count,
                            int64_t deadline)
{
    rd_kafka_topic_partition_list_t *list = weir__kafka_offset_list(offsets, count);
    rd_kafka_queue_t                *queue = rd_kafka_queue_new(consumer->member);
    rd_kafka_event_t                *event = NULL;
    int                              err = list != NULL ? WEIR_OK : WEIR_NO_MEMORY;

    if (err == WEIR_OK)
        err = weir__kafka_code(rd_kafka_commit_queue(consumer->member, list, queue, NULL, NULL));
    if (err == WEIR_OK) {
        event = rd_kafka_queue_poll(queue, weir__kafka_left(consumer->log, deadline));
        err = event != NULL ? member_code(rd_kafka_event_error(event)) : WEIR_AGAIN;
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    if (list != NULL)
        rd_kafka_topic_partition_list_destroy(list);
    return err;
}

static int commit_plain(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                        const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    int err = weir__kafka_job(producer, JOB_COMMIT, deadline);

    if (err < 0 || count == 0)
        return err;
    if (consumer != NULL && consumer->member != NULL)
        return commit_as_member(consumer, offsets, count, deadline);
    return weir__kafka_set_committed(producer->log, group, offsets, count, deadline);
}

static int commit_transaction(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                              const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    int err = WEIR_OK;

    if (!producer->open && count == 0)
        return is_fenced(producer) ? WEIR_FENCED : WEIR_OK;
    if (!is_running(producer, JOB_COMMIT))
        err = prepare(producer, group, consumer, offsets, count);
    return err == WEIR_OK ? weir__kafka_job(producer, JOB_COMMIT, deadline) : err;
}

int weir__kafka_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                       int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    bool again = is_running(producer, JOB_COMMIT);
    int  err = again ? WEIR_OK : check_member(consumer, token);

    if (group == NULL && consumer != NULL)
        group = consumer->group;
    if (err == WEIR_OK && count > 0 && group == NULL)
        return WEIR_BAD_NAME;
    if (err == WEIR_OK && !again)
        err = weir__kafka_check_offsets(producer->log, offsets, count, deadline);
    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_ABORT : err;
    if (producer->id == NULL)
        err = commit_plain(producer, group, consumer, offsets, count, deadline);
    else
        err = commit_transaction(producer, group, consumer, offsets, count, deadline);
    if (err == WEIR_BUSY && consumer != NULL && consumer->member != NULL)
        err = weir__kafka_member_fenced(consumer);
    if (err == WEIR_OK)
        settle(producer, true);
    return err;
}

int weir__kafka_abort(struct weir__producer *producer, int64_t deadline)
{
    int err = WEIR_OK;

    if (producer->open || producer->id == NULL || !is_running(producer, JOB_NONE))
        err = weir__kafka_job(producer, JOB_ABORT, deadline);
    else if (is_fenced(producer))
        err = WEIR_FENCED;
    if (err == WEIR_OK)
        settle(producer, false);
    return err;
}
