/* member.c: a membership: what the group gives and takes, and what of it counts for commits.
 *
 * (1) The membership is copied once, in the assign callback, and every commit of the generation uses that copy: read
 *     later, it may have been reset behind our back to one that the broker does not check.
 * (2) What is revoked stays ours to commit until the next poll, which gives it back; what is lost is gone at once.
 * (3) The callback gives the member nothing to read (an empty assignment, not none: that would not end the rebalance).
 */
#include "framework/kafka/internal.h"
#include "framework/logging/logging.h"

/* How librdkafka 2 writes a membership down: this word, the generation (int32), group, member, both with their zero. */
static const char form[] = "CGMDv2:";
#define FORM_BYTES (sizeof(form) - 1)

/* For so long after its connection failed a member may have fenced itself. */
#define BROKEN_US INT64_C(60000000)

static void free_assigned(struct weir__consumer *consumer)
{
    for (size_t i = 0; i < consumer->assigned_count; i++)
        weir__free((char *)consumer->assigned[i].topic);
    weir__free(consumer->assigned);
    consumer->assigned = NULL;
    consumer->assigned_count = 0;
}

void weir__kafka_member_fini(struct weir__consumer *consumer)
{
    if (consumer->member != NULL)
        weir__kafka_client_close(consumer->log, consumer->member, 0);
    free_assigned(consumer);
    rd_kafka_mem_free(NULL, consumer->membership);
}

/* ---- the callback ---- */

static int keep_assigned(struct weir__consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    free_assigned(consumer);
    consumer->assigned = weir__zalloc(sizeof(*consumer->assigned) * (size_t)(list->cnt + 1));
    if (consumer->assigned == NULL)
        return WEIR_NO_MEMORY;
    for (int i = 0; i < list->cnt; i++) {
        char *topic = weir__strdup(list->elems[i].topic);

        if (topic == NULL)
            return WEIR_NO_MEMORY;
        consumer->assigned[consumer->assigned_count++] =
            (struct weir__tp){ .topic = topic, .partition = list->elems[i].partition };
    }
    return WEIR_OK;
}

/* The generation of a membership as it is written down; -1: it has none, or no member. */
static int64_t generation_of(const void *written, size_t size)
{
    const char *group = (const char *)written + FORM_BYTES + sizeof(int32_t), *end = (const char *)written + size;
    int32_t     generation;
    size_t      length;

    if (size < FORM_BYTES + sizeof(generation) || memcmp(written, form, FORM_BYTES) != 0)
        return -1;
    memcpy(&generation, (const char *)written + FORM_BYTES, sizeof(generation));
    length = strnlen(group, (size_t)(end - group));
    return group + length + 1 < end && group[length + 1] != '\0' ? generation : -1;
}

static int keep_membership(struct weir__consumer *consumer)
{
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(consumer->member);
    int                                 err;

    rd_kafka_mem_free(NULL, consumer->membership);
    consumer->membership = NULL;
    if (metadata == NULL)
        return WEIR_LOST;
    err = weir__kafka_outcome(
        rd_kafka_consumer_group_metadata_write(metadata, &consumer->membership, &consumer->membership_size));
    rd_kafka_consumer_group_metadata_destroy(metadata);
    if (err < 0)
        return err;
    if (consumer->membership_size < FORM_BYTES || memcmp(consumer->membership, form, FORM_BYTES) != 0) {
        weir__say(WEIR__ERROR, "kafka-member-refused", "group", "s", consumer->group, "why", "s",
                  "this librdkafka writes memberships down in a form that we do not know: take 2.0.2", "library", "s",
                  rd_kafka_version_str(), NULL);
        return WEIR_UNSUPPORTED;
    }
    consumer->token = generation_of(consumer->membership, consumer->membership_size);
    return consumer->token >= 0 ? WEIR_OK : WEIR_LOST;
}

static void tell(struct weir__consumer *consumer, enum weir__event_kind kind)
{
    consumer->has_event = true;
    consumer->event = (struct weir__log_event){
        .kind = kind, .token = consumer->token, .tps = consumer->assigned, .count = consumer->assigned_count
    };
}

static int assign_nothing(struct weir__consumer *consumer)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(1);
    int                              err = weir__kafka_code(rd_kafka_assign(consumer->member, none));

    rd_kafka_topic_partition_list_destroy(none);
    return err;
}

static int give_back(struct weir__consumer *consumer)
{
    consumer->state = MEMBER_OUT;
    weir__kafka_drop_parts(consumer);
    return weir__kafka_code(rd_kafka_assign(consumer->member, NULL));
}

static int on_assigned(struct weir__consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    int err;

    rd_kafka_topic_partition_list_sort(list, NULL, NULL);
    err = keep_assigned(consumer, list);
    if (err == WEIR_OK)
        err = keep_membership(consumer);
    if (err == WEIR_OK)
        err = assign_nothing(consumer);
    if (err < 0)
        return err;
    consumer->state = MEMBER_ASSIGNED;
    tell(consumer, WEIR__ASSIGNED);
    return WEIR_OK;
}

static int on_revoked(struct weir__consumer *consumer)
{
    bool lost = consumer->state != MEMBER_ASSIGNED || rd_kafka_assignment_lost(consumer->member);

    if (!lost && !consumer->closing) {
        consumer->state = MEMBER_REVOKING;
        tell(consumer, WEIR__REVOKED);
        return WEIR_OK;
    }
    if (lost && consumer->state == MEMBER_ASSIGNED)
        tell(consumer, WEIR__LOST_TPS);
    return give_back(consumer);
}

void weir__kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                              void *arg)
{
    struct weir__consumer *consumer = arg;
    int                    code;

    (void)rk;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !consumer->closing)
        code = on_assigned(consumer, list);
    else if (err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        code = on_revoked(consumer);
    else
        code = give_back(consumer);
    if (code < 0)
        consumer->failed = code;
}

/* ---- serving ---- */

void weir__kafka_on_error(rd_kafka_t *rk, int err, const char *words, void *arg)
{
    struct weir__consumer *consumer = arg;

    if (weir__kafka_code(err) == WEIR_AGAIN)
        consumer->broken = weir__monotonic_us();
    weir__say(WEIR__WARN, "kafka", "client", "s", rd_kafka_name(rk), "about", "s", "ERROR", "text", "s", words, NULL);
}

static bool was_broken(const struct weir__consumer *consumer)
{
    return consumer->broken != 0 && weir__monotonic_us() - consumer->broken < BROKEN_US;
}

/* Fenced as a static member: by a twin, or, after the connection was lost, by our own second request to join while the
 * first was still on its way. Then the membership is lost and no more: who joins again meets a twin again. */
static int fenced_code(const struct weir__consumer *consumer, const char *words)
{
    bool ours = was_broken(consumer);

    weir__say(ours ? WEIR__WARN : WEIR__ERROR, "kafka-member-failed", "client", "s", rd_kafka_name(consumer->member),
              "why", "s", words, NULL);
    return ours ? WEIR_LOST : WEIR_FENCED;
}

/* A commit was told so before the member itself. */
int weir__kafka_member_fenced(struct weir__consumer *consumer)
{
    return consumer->failed = fenced_code(consumer, rd_kafka_err2str(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID));
}

static int fatal_code(const struct weir__consumer *consumer)
{
    char                words[256];
    rd_kafka_resp_err_t err = rd_kafka_fatal_error(consumer->member, words, sizeof(words));

    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return WEIR_OK;
    if (err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        return fenced_code(consumer, words);
    weir__say(WEIR__ERROR, "kafka-member-failed", "client", "s", rd_kafka_name(consumer->member), "why", "s", words,
              NULL);
    return WEIR_FATAL;
}

/* What the member has to say besides its events. All that passes by itself is no failure. */
static int message_code(struct weir__consumer *consumer, const rd_kafka_message_t *message)
{
    int code = weir__kafka_code(message->err);

    if (message->err == RD_KAFKA_RESP_ERR__FATAL)
        return fatal_code(consumer);
    if (code != WEIR_BAD_CONFIG && code != WEIR_FORBIDDEN)
        return WEIR_OK;
    weir__say(WEIR__ERROR, "kafka-member-refused", "group", "s", consumer->group, "why", "s",
              rd_kafka_message_errstr(message), NULL);
    return code;
}

/* Until there is an event, or nothing more to serve. */
int weir__kafka_serve_member(struct weir__consumer *consumer)
{
    rd_kafka_message_t *message;

    if (consumer->state == MEMBER_REVOKING && !consumer->has_event)
        consumer->failed = give_back(consumer);
    while (consumer->failed == WEIR_OK && !consumer->has_event &&
           (message = rd_kafka_consumer_poll(consumer->member, 0)) != NULL) {
        consumer->failed = message_code(consumer, message);
        rd_kafka_message_destroy(message);
    }
    return consumer->failed;
}

bool weir__kafka_valid(struct weir__consumer *consumer, int64_t token)
{
    if (consumer->member == NULL)
        return true;
    return token == consumer->token && consumer->failed == WEIR_OK && consumer->state != MEMBER_OUT &&
           !rd_kafka_assignment_lost(consumer->member);
}

/* A rebalance waits for whoever does not serve its membership, and with it the whole group. */
bool weir__kafka_over(struct weir__consumer *consumer, int64_t token)
{
    if (consumer->member != NULL && consumer->state == MEMBER_ASSIGNED && !consumer->has_event)
        (void)weir__kafka_serve_member(consumer);
    return !weir__kafka_valid(consumer, token) || (consumer->member != NULL && consumer->state != MEMBER_ASSIGNED);
}

#define MEMBERS_MS 1000

int weir__kafka_members(struct weir__consumer *consumer, int32_t *ret)
{
    const struct rd_kafka_group_list *list;
    int                               code;

    if (consumer->member == NULL)
        return WEIR_NOTFOUND;
    code = weir__kafka_code(rd_kafka_list_groups(consumer->log->any, consumer->group, &list, MEMBERS_MS));
    if (code < 0)
        return code;
    code = list->group_cnt == 1 ? WEIR_OK : WEIR_NOTFOUND;
    if (code == WEIR_OK)
        *ret = list->groups[0].member_cnt;
    rd_kafka_group_list_destroy(list);
    return code;
}
