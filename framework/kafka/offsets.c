/* offsets.c: committed offsets with their metadata, asked for and set by hand.
 *
 * (1) Asked for with "require stable": while a transaction that may change them is not resolved, the answer is AGAIN.
 * (2) Metadata is text on the wire. Bytes that are none travel as base64 behind a byte 1; text, which is what tasks write,
 *     as it is, so that others can read it.
 */
#include "framework/kafka/internal.h"
#include "framework/logging/logging.h"

#define MARK '\1'

/* ---- metadata ---- */

static bool is_text(struct weir_bytes bytes)
{
    struct weir_bytes rest = bytes;

    if (bytes.size > 0 && *(const char *)bytes.data == MARK)
        return false;
    while (rest.size > 0) {
        uint32_t character;
        size_t   size = weir__utf8_take(rest, &character);

        if (size == 0 || character == 0)
            return false;
        rest = BYTES((const char *)rest.data + size, rest.size - size);
    }
    return true;
}

static void pack_metadata(struct weir_bytes bytes, struct weir__buf *ret)
{
    weir__buf_reset(ret);
    if (is_text(bytes)) {
        weir__buf_add(ret, bytes.data, bytes.size);
        return;
    }
    weir__buf_putc(ret, MARK);
    weir__base64_encode(bytes, ret);
}

static int unpack_metadata(struct weir_bytes packed, struct weir_arena *arena, struct weir_bytes *ret)
{
    struct weir_text text = { packed.data, packed.size };
    void            *copy;

    *ret = NO_BYTES;
    if (packed.size == 0)
        return WEIR_OK;
    if (text.data[0] == MARK)
        return weir__base64_decode((struct weir_text){ text.data + 1, text.size - 1 }, arena, ret) < 0 ? WEIR_CORRUPT
                                                                                                       : WEIR_OK;
    copy = weir__arena_copy(arena, packed.data, packed.size);
    if (copy == NULL)
        return WEIR_NO_MEMORY;
    *ret = BYTES(copy, packed.size);
    return WEIR_OK;
}

/* ---- lists ---- */

/* librdkafka frees the metadata with free(). */
static bool set_metadata(rd_kafka_topic_partition_t *at, struct weir_bytes metadata)
{
    AUTO(weir__buf_fini) struct weir__buf packed = { 0 };

    if (metadata.size == 0)
        return true;
    pack_metadata(metadata, &packed);
    if (!weir__buf_ok(&packed))
        return false;
    at->metadata = rd_kafka_mem_malloc(NULL, packed.size);
    if (at->metadata == NULL)
        return false;
    memcpy(at->metadata, packed.data, packed.size);
    at->metadata_size = packed.size;
    return true;
}

rd_kafka_topic_partition_list_t *weir__kafka_offset_list(const struct weir__offset *offsets, size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    for (size_t i = 0; list != NULL && i < count; i++) {
        rd_kafka_topic_partition_t *at =
            rd_kafka_topic_partition_list_add(list, offsets[i].tp.topic, offsets[i].tp.partition);

        at->offset = offsets[i].offset;
        if (!set_metadata(at, offsets[i].metadata)) {
            rd_kafka_topic_partition_list_destroy(list);
            return NULL;
        }
    }
    return list;
}

int weir__kafka_check_offsets(struct weir__log *log, const struct weir__offset *offsets, size_t count,
                              int64_t deadline)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = weir__kafka_check_tp(log, offsets[i].tp, deadline);
    return err;
}

static int first_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return weir__kafka_code(list->elems[i].err);
    return WEIR_OK;
}

static int group_error(const rd_kafka_group_result_t *result)
{
    const rd_kafka_error_t *error = rd_kafka_group_result_error(result);

    return error != NULL ? weir__kafka_code(rd_kafka_error_code(error)) : WEIR_OK;
}

/* The partitions of the one group that was asked about. */
static int only_group(const rd_kafka_group_result_t **groups, size_t count,
                      const rd_kafka_topic_partition_list_t **ret)
{
    int err = count == 1 ? group_error(groups[0]) : WEIR_IO;

    *ret = err == WEIR_OK ? rd_kafka_group_result_partitions(groups[0]) : NULL;
    return err == WEIR_OK && *ret == NULL ? WEIR_IO : err;
}

/* The first thing that is wrong in a group's answer. */
static int answer_error(const rd_kafka_group_result_t **groups, size_t count)
{
    const rd_kafka_topic_partition_list_t *list;
    int                                    err = only_group(groups, count, &list);

    return err == WEIR_OK ? first_error(list) : err;
}

/* ---- asking ---- */

static int take_offset(const rd_kafka_topic_partition_list_t *list, struct weir__offset *offset,
                       struct weir_arena *arena)
{
    const rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)list,
                                                                              offset->tp.topic, offset->tp.partition);

    offset->offset = at != NULL && at->offset >= 0 ? at->offset : -1;
    offset->metadata = NO_BYTES;
    return offset->offset >= 0 ? unpack_metadata(BYTES(at->metadata, at->metadata_size), arena, &offset->metadata)
                               : WEIR_OK;
}

/* A topic that is not there has no offsets; what is wrong with another one counts. */
static int offsets_error(const rd_kafka_topic_partition_list_t *list)
{
    int err = WEIR_OK;

    for (int i = 0; err == WEIR_OK && i < list->cnt; i++) {
        err = weir__kafka_code(list->elems[i].err);
        err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    return err;
}

static struct asker *find_asker(const struct weir__log *log, const char *group)
{
    for (struct asker *asker = log->askers; asker != NULL; asker = asker->next)
        if (strcmp(asker->group, group) == 0)
            return asker;
    return NULL;
}

static int add_asker(struct weir__log *log, const char *group, struct asker **ret)
{
    const struct pair own[] = { { "group.id", group }, { "isolation.level", "read_committed" }, { NULL, NULL } };
    struct asker     *asker = weir__zalloc(sizeof(*asker) + strlen(group) + 1);
    struct weir_error words;
    int               err = asker != NULL ? WEIR_OK : WEIR_NO_MEMORY;

    if (err == WEIR_OK)
        err = weir__kafka_client(log, CLIENT_LOOKING, NULL, own, NULL, NULL, &asker->rk, &words);
    if (err < 0) {
        weir__free(asker);
        return err;
    }
    strcpy(asker->group, group);
    asker->next = log->askers;
    log->askers = asker;
    *ret = asker;
    return WEIR_OK;
}

/* The administration's request would do without, but librdkafka 2.0.2 ends the process when one is over before it has
 * found the group's broker, which then is found. */
static int asker_of(struct weir__log *log, const char *group, struct asker **ret)
{
    int err = WEIR_OK;

    pthread_mutex_lock(&log->mutex);
    *ret = find_asker(log, group);
    if (*ret == NULL)
        err = add_asker(log, group, ret);
    pthread_mutex_unlock(&log->mutex);
    return err;
}

void weir__kafka_askers_close(struct weir__log *log)
{
    struct asker *asker;

    while ((asker = log->askers) != NULL) {
        log->askers = asker->next;
        weir__kafka_client_close(log, asker->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        weir__free(asker);
    }
}

/* A group's broker that is not told to us, for want of rights: the handle says that to its reader, when it begins. */
static int why_unanswered(struct asker *asker)
{
    rd_kafka_message_t *message;

    while ((message = rd_kafka_consumer_poll(asker->rk, 0)) != NULL) {
        if (weir__kafka_code(message->err) == WEIR_FORBIDDEN && !atomic_exchange(&asker->forbidden, true))
            weir__say(WEIR__ERROR, "kafka-group-refused", "group", "s", asker->group, "why", "s",
                      "our user may not read its offsets: grant it READ to the group", NULL);
        rd_kafka_message_destroy(message);
    }
    return atomic_load(&asker->forbidden) ? WEIR_FORBIDDEN : WEIR_AGAIN;
}

static int ask_committed(struct weir__log *log, const char *group, struct weir__offset *offsets, size_t count,
                         struct weir_arena *arena, int64_t deadline)
{
    rd_kafka_topic_partition_list_t *list;
    struct asker                    *asker;
    int                              err = asker_of(log, group, &asker);

    if (err < 0)
        return err;
    list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, offsets[i].tp.topic, offsets[i].tp.partition);
    err = weir__kafka_code(rd_kafka_committed(asker->rk, list, weir__kafka_left(log, deadline)));
    if (err == WEIR_AGAIN)
        err = why_unanswered(asker);
    else
        atomic_store(&asker->forbidden, false);
    if (err == WEIR_OK)
        err = offsets_error(list);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = take_offset(list, &offsets[i], arena);
    rd_kafka_topic_partition_list_destroy(list);
    return err;
}

int weir__kafka_committed(struct weir__log *log, const char *group, struct weir__offset *offsets, size_t count,
                          struct weir_arena *arena, int64_t deadline)
{
    int err = WEIR_OK;

    if (count == 0)
        return WEIR_OK;
    do
        err = ask_committed(log, group, offsets, count, arena, deadline);
    while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
    return err;
}

/* ---- setting ---- */

static int take_set(struct call *call)
{
    const rd_kafka_group_result_t **groups;
    size_t                          count;
    int                             err = weir__kafka_call_wait(call);

    if (err < 0)
        return err;
    groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(call->event), &count);
    return answer_error(groups, count);
}

static int set_offsets(struct weir__log *log, const char *group, const struct weir__offset *offsets, size_t count,
                       int64_t deadline)
{
    rd_kafka_topic_partition_list_t      *list = weir__kafka_offset_list(offsets, count);
    rd_kafka_AlterConsumerGroupOffsets_t *wanted;
    struct call                           call;
    int                                   err;

    if (list == NULL)
        return WEIR_NO_MEMORY;
    err = weir__kafka_call(&call, log, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, deadline);
    if (err == WEIR_OK) {
        wanted = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
        rd_kafka_AlterConsumerGroupOffsets(log->any, &wanted, 1, call.options, call.queue);
        err = take_set(&call);
        rd_kafka_AlterConsumerGroupOffsets_destroy(wanted);
    }
    rd_kafka_topic_partition_list_destroy(list);
    weir__kafka_call_end(&call);
    return err == WEIR_LOST ? WEIR_BUSY : err; /* the broker asks a group with members for one of them */
}

static int take_erased(struct call *call)
{
    const rd_kafka_group_result_t **groups;
    size_t                          count;
    int                             err = weir__kafka_call_wait(call);

    if (err < 0)
        return err;
    groups = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
        rd_kafka_event_DeleteConsumerGroupOffsets_result(call->event), &count);
    return answer_error(groups, count);
}

/* A group that was never heard of has nothing to take back. */
static int erase_offsets(struct weir__log *log, const char *group, const struct weir__offset *offsets, size_t count,
                         int64_t deadline)
{
    rd_kafka_topic_partition_list_t       *list = weir__kafka_offset_list(offsets, count);
    rd_kafka_DeleteConsumerGroupOffsets_t *wanted;
    struct call                            call;
    int                                    err;

    if (list == NULL)
        return WEIR_NO_MEMORY;
    err = weir__kafka_call(&call, log, RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS, deadline);
    if (err == WEIR_OK) {
        wanted = rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
        rd_kafka_DeleteConsumerGroupOffsets(log->any, &wanted, 1, call.options, call.queue);
        err = take_erased(&call);
        rd_kafka_DeleteConsumerGroupOffsets_destroy(wanted);
    }
    rd_kafka_topic_partition_list_destroy(list);
    weir__kafka_call_end(&call);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* Those that are set (or taken back) among the offsets, in ret. */
static size_t choose(const struct weir__offset *offsets, size_t count, bool set, struct weir__offset *ret)
{
    size_t chosen = 0;

    for (size_t i = 0; i < count; i++)
        if ((offsets[i].offset >= 0) == set)
            ret[chosen++] = offsets[i];
    return chosen;
}

static int set_and_erase(struct weir__log *log, const char *group, const struct weir__offset *offsets, size_t count,
                         struct weir__offset *room, int64_t deadline)
{
    size_t chosen = choose(offsets, count, true, room);
    int    err = chosen > 0 ? set_offsets(log, group, room, chosen, deadline) : WEIR_OK;

    chosen = choose(offsets, count, false, room);
    return err == WEIR_OK && chosen > 0 ? erase_offsets(log, group, room, chosen, deadline) : err;
}

int weir__kafka_set_committed(struct weir__log *log, const char *group, const struct weir__offset *offsets,
                              size_t count, int64_t deadline)
{
    struct weir__offset *room = weir__zalloc(sizeof(*room) * (count + 1));
    int err = room != NULL ? weir__kafka_check_offsets(log, offsets, count, deadline) : WEIR_NO_MEMORY;

    if (err == WEIR_OK)
        do
            err = set_and_erase(log, group, offsets, count, room, deadline);
        while (err == WEIR_AGAIN && weir__kafka_later(log, deadline));
    weir__free(room);
    return err;
}
