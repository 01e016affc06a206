/* groups.c: what the brokers tell of a group as a whole. */
#include "framework/kafka/internal.h"

static int take_described(struct call *call, int32_t *ret)
{
    const rd_kafka_ConsumerGroupDescription_t **groups;
    const rd_kafka_error_t                     *error;
    size_t                                      count;
    int                                         err = weir__kafka_call_wait(call);

    if (err < 0)
        return err;
    groups = rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(call->event),
                                                           &count);
    if (count != 1)
        return WEIR_IO;
    error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
    err = error != NULL ? weir__kafka_code(rd_kafka_error_code(error)) : WEIR_OK;
    *ret = err == WEIR_OK ? (int32_t)rd_kafka_ConsumerGroupDescription_member_count(groups[0]) : 0;
    return err == WEIR_NOTFOUND ? WEIR_OK : err; /* nobody has heard of it */
}

static int describe(struct weir__log *log, const char *group, int64_t deadline, int32_t *ret)
{
    struct call call;
    int         err = weir__kafka_call(&call, log, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, deadline);

    if (err == WEIR_OK) {
        rd_kafka_DescribeConsumerGroups(log->any, &group, 1, call.options, call.queue);
        err = take_described(&call, ret);
    }
    weir__kafka_call_end(&call);
    return err;
}

int weir__kafka_group_members(struct weir__log *log, const char *group, int64_t deadline, int32_t *ret)
{
    int err;

    do
        err = describe(log, group, deadline, ret);
    while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
    return err;
}
