/* queue.c: a task's input: a queue for each topic, and the heap that takes them in timestamp order.
 *
 * (1) The head of a queue is decoded and stamped when it becomes the head; what cannot be is dropped there.
 * (2) Queues are taken by their heads' times, equal ones as java.util.PriorityQueue would (heap.c).
 * Source: RecordQueue, PartitionGroup.
 */
#include "framework/task/internal.h"

/* Before each packed record in a queue. */
struct entry {
    uint32_t size;
    int64_t  offset;
};

/* ---- one queue ---- */

void weir__queue_clear(struct weir__queue *queue)
{
    weir__buf_reset(&queue->waiting);
    queue->at = queue->count = 0;
    queue->has_head = queue->fresh = false;
    queue->next = queue->lag = WEIR__UNKNOWN;
    queue->partition_time = queue->replayed = queue->begun = WEIR__UNKNOWN;
    queue->moved = false;
}

static int push(struct weir__queue *queue, const struct weir__raw *raw)
{
    struct entry entry = { .offset = raw->offset };
    size_t       begin;
    int          err;

    if (queue->at > 0 && queue->at >= queue->waiting.size / 2) { /* moves half of it at most once per half read */
        memmove(queue->waiting.data, queue->waiting.data + queue->at, queue->waiting.size - queue->at);
        queue->waiting.size -= queue->at;
        queue->at = 0;
    }
    begin = queue->waiting.size;
    weir__buf_add(&queue->waiting, &entry, sizeof(entry));
    err = weir__raw_pack(raw, &queue->waiting);
    if (err < 0 || !weir__buf_ok(&queue->waiting)) {
        queue->waiting.size = begin;
        queue->waiting.failed = false;
        return err < 0 ? err : WEIR_NO_MEMORY;
    }
    entry.size = (uint32_t)(queue->waiting.size - begin - sizeof(entry));
    memcpy(queue->waiting.data + begin, &entry, sizeof(entry));
    queue->count++;
    return WEIR_OK;
}

/* Takes the next waiting record out, into the head's arena. WEIR_LIMIT: it is larger than that; the head is then lent
 * by the queue until the next record is added. */
static int pop(struct weir__task *task, struct weir__queue *queue)
{
    struct entry entry;
    const char  *waiting, *copy;
    int          err;

    memcpy(&entry, queue->waiting.data + queue->at, sizeof(entry));
    waiting = queue->waiting.data + queue->at + sizeof(entry);
    weir__arena_reset(&queue->arena);
    copy = weir__arena_copy(&queue->arena, waiting, entry.size);
    if (queue->arena.starved)
        return weir__fail_here(queue->source, WEIR_NO_MEMORY, "no memory for a record");
    queue->at += sizeof(entry) + entry.size;
    queue->count--;
    queue->head = (struct weir__raw){ 0 };
    err = weir__raw_unpack(BYTES(copy != NULL ? copy : waiting, entry.size), &queue->arena, &queue->head);
    queue->head.topic = queue->topic;
    queue->head.partition = task->config.partition;
    queue->head.offset = entry.offset;
    return err == WEIR_OK && copy == NULL ? WEIR_LIMIT : err;
}

/* Fails in the codec's own words where it has some. */
static int unreadable(struct weir__queue *queue, const char *what, const struct weir_codec *codec,
                      struct weir_bytes bytes, int err)
{
    struct weir_error why = { 0 };

    if (codec->explain != NULL)
        codec->explain(codec, &queue->arena, bytes, &why);
    return weir__fail_here(queue->source, err, "the %s of a record cannot be read as %s%s%s", what, codec->name,
                           why.text[0] != '\0' ? ": " : "", why.text);
}

static int decode(struct weir__queue *queue)
{
    const struct weir__node *node = queue->source->node;
    struct weir_record      *rec = &queue->event.rec;
    int                      err;

    queue->event = (struct weir__event){ .rec = { .timestamp = queue->head.timestamp,
                                                  .headers = queue->head.headers,
                                                  .header_count = queue->head.header_count,
                                                  .topic = queue->topic,
                                                  .partition = queue->head.partition,
                                                  .offset = queue->head.offset } };
    err = weir__decode(node->key_out, &queue->arena, queue->head.key, &rec->key);
    if (err < 0)
        return unreadable(queue, "key", node->key_out, queue->head.key, err);
    err = weir__decode(node->value_out, &queue->arena, queue->head.value, &rec->value);
    if (err < 0)
        return unreadable(queue, "value", node->value_out, queue->head.value, err);
    return WEIR_OK;
}

static weir_extract *extractor(struct weir__task *task, struct weir__queue *queue, const void **ret_arg)
{
    const struct weir__node *node = queue->source->node;

    *ret_arg = NULL;
    if (node->internal)
        return NULL;
    if (node->spec->extract != NULL)
        return node->spec->extract;
    *ret_arg = task->config.extract_arg;
    return task->config.extract;
}

/* Gives the head its event time. Sets *ret_drop for a time that an extractor made negative. */
static int stamp(struct weir__task *task, struct weir__queue *queue, bool *ret_drop)
{
    struct weir_record *rec = &queue->event.rec;
    struct weir_context saved = task->ctx;
    const void         *arg;
    weir_extract       *extract = extractor(task, queue, &arg);
    int64_t             time = rec->timestamp;
    int                 err = WEIR_OK;

    if (extract == NULL && time < 0)
        return weir__fail_here(queue->source, WEIR_BAD_TIME,
                               "the record's timestamp %lld is negative: give the source an extractor",
                               (long long)time);
    if (extract != NULL) {
        task->ctx = (struct weir_context){ .task = task,
                                           .live = queue->source,
                                           .event = &queue->event,
                                           .arg = arg,
                                           .partition_time = queue->partition_time };
        err = extract(&task->ctx, rec, &time);
        task->ctx = saved;
    }
    rec->timestamp = time;
    *ret_drop = err >= 0 && time < 0;
    return err < 0 ? err : WEIR_OK;
}

/* One attempt at a head. *ret_good tells whether it stands. */
static int take_head(struct weir__task *task, struct weir__queue *queue, bool *ret_good)
{
    bool drop = false;
    int  err = pop(task, queue);

    *ret_good = false;
    if (err < 0 && weir_code_scope(err) != WEIR_SCOPE_RECORD)
        return err;
    queue->next = queue->head.offset + 1;
    queue->moved = true;
    task->current = &queue->head;
    if (err == WEIR_OK)
        err = decode(queue);
    if (err == WEIR_OK)
        err = stamp(task, queue, &drop);
    if (drop)
        weir__drop_record(task, "negative timestamp");
    if (err < 0)
        err = weir__handle_failure(queue->source, err, task->config.on_unreadable);
    else
        *ret_good = !drop;
    task->current = NULL;
    return err;
}

int weir__queue_refill(struct weir__task *task, struct weir__queue *queue)
{
    while (!queue->has_head && queue->count > 0) {
        bool good;
        int  err = take_head(task, queue, &good);

        if (err < 0)
            return err;
        if (good) {
            queue->has_head = true;
            err = weir__heap_offer(&task->heads,
                                   (struct weir__timed){ .time = queue->event.rec.timestamp, .item = queue });
            if (err < 0)
                return err;
        }
    }
    return WEIR_OK;
}

int weir__queue_add(struct weir__task *task, struct weir__queue *queue, const struct weir__raw *raw)
{
    int err = push(queue, raw);

    if (err == WEIR_OK && !queue->has_head && !queue->fresh) {
        task->fresh[task->fresh_count++] = queue;
        queue->fresh = true;
    }
    return err;
}

/* ---- all of them ---- */

static const char *real_name(struct weir__task *task, const struct weir__node *node, const char *topic)
{
    if (!node->internal)
        return topic;
    return weir__arena_printf(&task->arena, "%s-%s", task->config.plan->application, topic);
}

static bool has_partition(const struct weir__task *task, const char *topic)
{
    if (task->config.topics == NULL)
        return true;
    for (size_t i = 0; task->config.topics[i] != NULL; i++)
        if (strcmp(task->config.topics[i], topic) == 0)
            return true;
    return false;
}

static int add_queue(struct weir__task *task, struct weir__live *source, const char *topic)
{
    struct weir__queue *queue = &task->queues[task->queue_count];

    if (topic == NULL)
        return WEIR_NO_MEMORY;
    if (!has_partition(task, topic))
        return WEIR_OK;
    *queue = (struct weir__queue){ .source = source, .topic = topic };
    weir__arena_init(&queue->arena, task->config.record_memory);
    weir__queue_clear(queue);
    task->queue_count++;
    return WEIR_OK;
}

int weir__queues_init(struct weir__task *task)
{
    size_t count = 0;

    for (size_t i = 0; i < task->live_count; i++)
        if (task->lives[i].node->op == WEIR__SOURCE)
            count += task->lives[i].node->topic_count;
    task->queues = weir_arena_alloc(&task->arena, sizeof(*task->queues) * (count + 1));
    task->fresh = weir_arena_alloc(&task->arena, sizeof(struct weir__queue *) * (count + 1));
    if (task->queues == NULL || task->fresh == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < task->live_count; i++) {
        struct weir__live *live = &task->lives[i];

        for (size_t j = 0; live->node->op == WEIR__SOURCE && j < live->node->topic_count; j++) {
            int err = add_queue(task, live, real_name(task, live->node, live->node->topics[j]));

            if (err < 0)
                return err;
        }
    }
    return WEIR_OK;
}

void weir__queues_fini(struct weir__task *task)
{
    for (size_t i = 0; i < task->queue_count; i++) {
        weir__buf_fini(&task->queues[i].waiting);
        weir__arena_fini(&task->queues[i].arena);
    }
    weir__heap_fini(&task->heads);
}
