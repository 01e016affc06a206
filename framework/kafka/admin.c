/* admin.c: one request of the administration, and its answer within a deadline. */
#include "framework/kafka/internal.h"

#define LONGEST_MS 3600000

/* What is asked of a group's own broker. librdkafka 2.0.2 ends the process when such a request is over before that broker
 * was found, which then is found: it may take as long as it likes, and who waits goes on without it. */
static bool is_of_group(rd_kafka_admin_op_t op)
{
    return op == RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS || op == RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS ||
           op == RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
}

int weir__kafka_call(struct call *ret, struct weir__log *log, rd_kafka_admin_op_t op, int64_t deadline)
{
    char words[128];

    *ret = (struct call){ .log = log, .deadline = deadline };
    ret->options = rd_kafka_AdminOptions_new(log->any, op);
    ret->queue = rd_kafka_queue_new(log->any);
    if (ret->options == NULL || ret->queue == NULL)
        return WEIR_NO_MEMORY;
    return weir__kafka_code(rd_kafka_AdminOptions_set_request_timeout(
        ret->options, is_of_group(op) ? LONGEST_MS : weir__kafka_left(log, deadline), words, sizeof(words)));
}

int weir__kafka_call_wait(struct call *call)
{
    call->event = rd_kafka_queue_poll(call->queue, weir__kafka_left(call->log, call->deadline));
    return call->event != NULL ? weir__kafka_code(rd_kafka_event_error(call->event)) : WEIR_AGAIN;
}

void weir__kafka_call_end(struct call *call)
{
    if (call->event != NULL)
        rd_kafka_event_destroy(call->event);
    if (call->queue != NULL)
        rd_kafka_queue_destroy(call->queue);
    if (call->options != NULL)
        rd_kafka_AdminOptions_destroy(call->options);
}
