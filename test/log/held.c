/* held.c: see held.h. */
#include "test/log/held.h"

#include "framework/kafka/internal.h"

#define CALL_MS 60000

int hold_offset(struct weir__producer *producer, const char *group, const struct weir__offset *offset)
{
    rd_kafka_topic_partition_list_t    *list = weir__kafka_offset_list(offset, 1);
    rd_kafka_consumer_group_metadata_t *membership = rd_kafka_consumer_group_metadata_new(group);
    int                                 err = weir__kafka_outcome(rd_kafka_begin_transaction(producer->rk));

    producer->open = err == WEIR_OK;
    if (err == WEIR_OK)
        err = weir__kafka_outcome(rd_kafka_send_offsets_to_transaction(producer->rk, list, membership, CALL_MS));
    rd_kafka_consumer_group_metadata_destroy(membership);
    rd_kafka_topic_partition_list_destroy(list);
    return err;
}
