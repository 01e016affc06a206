/* copies.c: how many brokers keep a topic's records.
 *
 * (1) All that the engine promises stands on records that stay once they were acknowledged: three copies, two of which must
 *     have a record before it counts, so that one broker may go at any time; and none that lags may lead.
 *     A broker's default number of copies counts like one that was asked for.
 * (2) A cluster of fewer than three brokers cannot do that, and is not blamed for it.
 */
#include <stdlib.h>

#include "framework/kafka/internal.h"

#define ENOUGH 3

int weir__kafka_copies(const struct weir__log *log) { return log->replication > 0 ? log->replication : -1; }

/* What a topic gets that does not say. */
struct usual {
    int copies, insync; /* -1: not told */
};

static int keep_usual(void *arg, const char *name, const char *value)
{
    struct usual *usual = arg;

    if (strcmp(name, "default.replication.factor") == 0)
        usual->copies = atoi(value);
    if (strcmp(name, "min.insync.replicas") == 0)
        usual->insync = atoi(value);
    return WEIR_OK;
}

/* Any broker's word. We may not have the right to ask: then nothing is told. */
static int ask_usual(struct weir__log *log, int64_t deadline, struct usual *ret)
{
    const struct rd_kafka_metadata *told;
    char                            broker[16];
    int                             err;

    err = weir__kafka_code(rd_kafka_metadata(log->any, 0, NULL, &told, weir__kafka_left(log, deadline)));
    if (err < 0)
        return err;
    snprintf(broker, sizeof(broker), "%d", told->broker_cnt > 0 ? told->brokers[0].id : 0);
    rd_kafka_metadata_destroy(told);
    err = weir__kafka_describe(log, RD_KAFKA_RESOURCE_BROKER, broker, deadline, keep_usual, ret);
    return err == WEIR_AGAIN ? err : WEIR_OK;
}

/* Of three copies two must have a record, where the brokers do not see to that themselves. WEIR_AGAIN. */
int weir__kafka_needs_two(struct weir__log *log, int64_t deadline, bool *ret)
{
    struct usual usual = { -1, -1 };
    int          err = WEIR_OK;

    if (log->replication == 0 || log->replication >= ENOUGH)
        err = ask_usual(log, deadline, &usual);
    *ret = MAX(log->replication, usual.copies) >= ENOUGH && usual.insync < 2;
    return err;
}

struct copies {
    int brokers, fewest; /* of the cluster; copies of the partition that has the fewest */
};

static int count_copies(struct weir__log *log, const char *topic, int64_t deadline, struct copies *ret)
{
    const struct rd_kafka_metadata *told;
    rd_kafka_topic_t               *handle = rd_kafka_topic_new(log->any, topic, NULL);
    int                             code;

    if (handle == NULL)
        return weir__kafka_code(rd_kafka_last_error());
    code = weir__kafka_code(rd_kafka_metadata(log->any, 0, handle, &told, weir__kafka_left(log, deadline)));
    rd_kafka_topic_destroy(handle);
    if (code < 0)
        return code;
    *ret = (struct copies){ .brokers = told->broker_cnt, .fewest = INT32_MAX };
    for (int i = 0; told->topic_cnt == 1 && i < told->topics[0].partition_cnt; i++)
        ret->fewest = MIN(ret->fewest, told->topics[0].partitions[i].replica_cnt);
    rd_kafka_metadata_destroy(told);
    return WEIR_OK;
}

/* What a topic of several copies has; empty: not told. */
struct promises {
    char insync[16], unclean[8];
};

static int keep_promise(void *arg, const char *name, const char *value)
{
    struct promises *promises = arg;

    if (strcmp(name, "min.insync.replicas") == 0)
        snprintf(promises->insync, sizeof(promises->insync), "%s", value);
    if (strcmp(name, "unclean.leader.election.enable") == 0)
        snprintf(promises->unclean, sizeof(promises->unclean), "%s", value);
    return WEIR_OK;
}

static int compare_promises(struct weir__log *log, const char *topic, int64_t deadline,
                            weir__on_difference *on_difference, void *arg)
{
    struct promises promises = { "", "" };
    int err = weir__kafka_describe(log, RD_KAFKA_RESOURCE_TOPIC, topic, deadline, keep_promise, &promises);

    if (err == WEIR_OK && promises.insync[0] != '\0' && atoi(promises.insync) < 2)
        err = on_difference(arg, topic, "min.insync.replicas", false, "2", promises.insync);
    if (err == WEIR_OK && strcmp(promises.unclean, "true") == 0)
        err = on_difference(arg, topic, "unclean.leader.election.enable", false, "false", promises.unclean);
    return err;
}

int weir__kafka_compare_copies(struct weir__log *log, const char *topic, int64_t deadline,
                               weir__on_difference *on_difference, void *arg)
{
    struct copies copies = { 0 };
    char          wanted[16], found[16];
    int           err = count_copies(log, topic, deadline, &copies), most;

    if (err < 0)
        return err;
    most = log->replication > 0 ? log->replication : copies.brokers < ENOUGH ? 1 : ENOUGH;
    if (copies.fewest >= ENOUGH)
        return compare_promises(log, topic, deadline, on_difference, arg);
    if (copies.fewest >= most)
        return WEIR_OK;
    snprintf(wanted, sizeof(wanted), "%d", most);
    snprintf(found, sizeof(found), "%d", copies.fewest);
    return on_difference(arg, topic, "replication", false, wanted, found);
}
