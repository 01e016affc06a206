/* ends.c: where partitions begin and end, offsets of times, trimming.
 *
 * The last stable offset is what a read committed handle is told, the end what a read uncommitted one is told: a restore
 * that ended at the first could miss a transaction whose markers are still on their way.
 */
#include "framework/kafka/internal.h"

/* librdkafka 2.0.2 asks the leader that it has heard of, also when that one is gone, and hears of a new one for its own
 * topics alone; these handles have none. */
static void ask_for_leader(struct weir__log *log, rd_kafka_t *rk, const char *topic, int64_t deadline)
{
    const struct rd_kafka_metadata *told;
    rd_kafka_topic_t               *handle = rd_kafka_topic_new(rk, topic, NULL);

    if (handle == NULL)
        return;
    if (rd_kafka_metadata(rk, 0, handle, &told, weir__kafka_left(log, deadline)) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(told);
    rd_kafka_topic_destroy(handle);
}

/* One try may take this long of the time that is left, ms: what is left after it is for asking who leads. */
#define TRY_MS 500

/* The offset of a time, of RD_KAFKA_OFFSET_BEGINNING or of RD_KAFKA_OFFSET_END; -1: none. All through this call:
 * librdkafka 2.0.2's query of both ends goes on behind its time-out until the broker answers. */
static int ask(struct weir__log *log, rd_kafka_t *rk, struct weir__tp tp, int64_t time, int64_t deadline,
               int64_t *ret)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int                              err;

    rd_kafka_topic_partition_list_add(list, tp.topic, tp.partition)->offset = time;
    err = weir__kafka_code(rd_kafka_offsets_for_times(rk, list, MIN(weir__kafka_left(log, deadline), TRY_MS)));
    if (err == WEIR_OK)
        err = weir__kafka_code(list->elems[0].err);
    if (err == WEIR_OK)
        *ret = list->elems[0].offset;
    else
        ask_for_leader(log, rk, tp.topic, deadline);
    rd_kafka_topic_partition_list_destroy(list);
    return err;
}

/* Whether a partition that was known is still there is asked again; only the topic's own answer says that it is not. */
static int after(struct weir__log *log, struct weir__tp tp, int err)
{
    if (err == WEIR_NOTFOUND || err == WEIR_AGAIN)
        weir__kafka_doubt(log, tp.topic);
    return err == WEIR_NOTFOUND ? WEIR_AGAIN : err;
}

static int ask_low(struct weir__log *log, struct weir__tp tp, int64_t deadline, int64_t *ret_low, int64_t *ret_end)
{
    int err = weir__kafka_check_tp(log, tp, deadline);

    if (err < 0)
        return err;
    err = ask(log, log->any, tp, RD_KAFKA_OFFSET_BEGINNING, deadline, ret_low);
    if (err == WEIR_OK)
        err = ask(log, log->any, tp, RD_KAFKA_OFFSET_END, deadline, ret_end);
    return after(log, tp, err);
}

/* A partition that was just made, or whose leader has gone, is asked again. */
int weir__kafka_low(struct weir__log *log, struct weir__tp tp, int64_t deadline, int64_t *ret_low, int64_t *ret_end)
{
    int err;

    do
        err = ask_low(log, tp, deadline, ret_low, ret_end);
    while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
    return err;
}

static int ask_ends(struct weir__log *log, struct weir__tp tp, int64_t deadline, struct weir__ends *ret)
{
    struct weir__ends ends;
    int               err = weir__kafka_check_tp(log, tp, deadline);

    if (err < 0)
        return err;
    err = ask(log, log->stable, tp, RD_KAFKA_OFFSET_END, deadline, &ends.stable);
    if (err == WEIR_OK) /* after the stable end: it is never beyond the end */
        err = ask_low(log, tp, deadline, &ends.low, &ends.end);
    if (err == WEIR_OK)
        *ret = ends;
    return after(log, tp, err);
}

int weir__kafka_ends(struct weir__log *log, struct weir__tp tp, int64_t deadline, struct weir__ends *ret)
{
    int err;

    do
        err = ask_ends(log, tp, deadline, ret);
    while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
    return err;
}

int weir__kafka_offset_at(struct weir__log *log, struct weir__tp tp, int64_t time, int64_t deadline, int64_t *ret)
{
    int64_t low, end, offset = -1;
    int     err = weir__kafka_low(log, tp, deadline, &low, &end);

    if (err == WEIR_OK)
        do
            err = ask(log, log->any, tp, MAX(time, 0), deadline, &offset);
        while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
    if (err == WEIR_OK)
        *ret = offset >= 0 ? offset : end;
    return err;
}

/* ---- trimming ---- */

static int take_trimmed(struct call *call)
{
    const rd_kafka_topic_partition_list_t *offsets;
    int                                    code = weir__kafka_call_wait(call);

    if (code < 0)
        return code;
    offsets = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(call->event));
    return offsets->cnt == 1 ? weir__kafka_code(offsets->elems[0].err) : WEIR_IO;
}

static int delete_records(struct weir__log *log, struct weir__tp tp, int64_t before, int64_t deadline)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t        *wanted;
    struct call                      call;
    int                              err = weir__kafka_call(&call, log, RD_KAFKA_ADMIN_OP_DELETERECORDS, deadline);

    rd_kafka_topic_partition_list_add(list, tp.topic, tp.partition)->offset = before;
    if (err == WEIR_OK) {
        wanted = rd_kafka_DeleteRecords_new(list);
        rd_kafka_DeleteRecords(log->any, &wanted, 1, call.options, call.queue);
        err = take_trimmed(&call);
        rd_kafka_DeleteRecords_destroy(wanted);
    }
    rd_kafka_topic_partition_list_destroy(list);
    weir__kafka_call_end(&call);
    return err;
}

int weir__kafka_trim(struct weir__log *log, struct weir__tp tp, int64_t before, int64_t deadline)
{
    int64_t low, end;
    int     err = weir__kafka_low(log, tp, deadline, &low, &end);

    if (err < 0 || before <= low)
        return err;
    do
        err = delete_records(log, tp, MIN(before, end), deadline);
    while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
    return err;
}
