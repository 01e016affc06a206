/* metadata.c: the times a task must not forget, carried in the metadata of committed offsets.
 *
 * Base64 of: byte 2, int64 partition time, int32 n, n x (int32 size, key, int64 value), all big-endian. A key is a
 * store's name for its last close time, "<store>#observed" for the time its windows have seen, "#replayed" for the offset
 * before which records are read again by `replay`, "#begun" for the one that `reset` has let it begin at.
 * Source: TopicPartitionMetadata, ProcessorMetadata (all kinds of key but the first are ours).
 */
#include "framework/task/internal.h"
#include "framework/task/left.h"

#define MAGIC 2

static void put_entry(struct weir__buf *buf, const char *store, const char *suffix, int64_t value, uint32_t *count)
{
    if (value == WEIR__UNKNOWN)
        return;
    weir__buf_be32(buf, (uint32_t)(strlen(store) + strlen(suffix)));
    weir__buf_puts(buf, store);
    weir__buf_puts(buf, suffix);
    weir__buf_be64(buf, (uint64_t)value);
    ++*count;
}

static uint32_t put_entries(struct weir__task *task, struct weir__buf *buf)
{
    uint32_t count = 0;

    for (size_t i = 0; i < task->live_count; i++) {
        const struct weir__live *live = &task->lives[i];

        if (live->node->op != WEIR__FOLD_WINDOWS)
            continue;
        put_entry(buf, live->stores[0]->plan->name, "", live->last_close, &count);
        put_entry(buf, live->stores[0]->plan->name, WEIR__OBSERVED, live->observed, &count);
    }
    return count;
}

int weir__metadata_encode(struct weir__task *task, const struct weir__queue *queue, struct weir_arena *arena,
                          struct weir_bytes *ret)
{
    struct weir__buf buf = { 0 }, text = { 0 };
    uint32_t         count;

    weir__buf_putc(&buf, MAGIC);
    weir__buf_be64(&buf, (uint64_t)queue->partition_time);
    weir__buf_be32(&buf, 0);
    count = put_entries(task, &buf);
    if (weir__next_offset(queue) < queue->replayed)
        put_entry(&buf, "", WEIR__REPLAYED, queue->replayed, &count);
    put_entry(&buf, "", WEIR__BEGUN, queue->begun, &count);
    if (weir__buf_ok(&buf)) {
        weir__put_be32(buf.data + 1 + sizeof(int64_t), count);
        weir__base64_encode(BYTES(buf.data, buf.size), &text);
    }
    *ret = weir__buf_ok(&buf) && weir__buf_ok(&text) ? BYTES(weir__arena_copy(arena, text.data, text.size), text.size)
                                                     : NO_BYTES;
    weir__buf_fini(&buf);
    weir__buf_fini(&text);
    return ret->data != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

/* ---- reading ---- */

static void read_entries(const char *at, const char                                             *end,
                         void (*on_time)(void *arg, struct weir_bytes name, int64_t time), void *arg)
{
    uint32_t count;

    if (end - at < (ptrdiff_t)sizeof(count))
        return;
    count = weir__get_be32(at);
    at += sizeof(count);
    while (count-- > 0 && end - at >= (ptrdiff_t)sizeof(uint32_t)) {
        uint32_t size = weir__get_be32(at);

        at += sizeof(size);
        if ((size_t)(end - at) < (size_t)size + sizeof(int64_t))
            return;
        on_time(arg, BYTES(at, size), (int64_t)weir__get_be64(at + size));
        at += size + sizeof(int64_t);
    }
}

int weir__metadata_read(struct weir_bytes metadata, struct weir_arena *arena, int64_t *ret_partition_time,
                        void (*on_time)(void *arg, struct weir_bytes name, int64_t time), void *arg)
{
    struct weir_text  text = { .data = metadata.data, .size = metadata.size };
    struct weir_bytes bytes;
    const char       *at;
    int               err = metadata.size > 0 ? weir__base64_decode(text, arena, &bytes) : WEIR_UNREADABLE;

    if (err == WEIR_LIMIT)
        return WEIR_NO_MEMORY;
    if (err < 0 || bytes.size < 1 + sizeof(int64_t))
        return WEIR_NOTFOUND;
    at = bytes.data;
    if (*at != 1 && *at != MAGIC)
        return WEIR_NOTFOUND;
    *ret_partition_time = (int64_t)weir__get_be64(at + 1);
    if (*at == MAGIC)
        read_entries(at + 1 + sizeof(int64_t), at + bytes.size, on_time, arg);
    return WEIR_OK;
}

struct applying {
    struct weir__task  *task;
    struct weir__queue *queue;
};

static bool is_named(struct weir_bytes key, const char *name)
{
    return weir__bytes_equal(key, BYTES(name, strlen(name)));
}

static void apply_entry(void *arg, struct weir_bytes key, int64_t value)
{
    const struct applying *applying = arg;
    struct weir__task     *task = applying->task;

    if (is_named(key, WEIR__REPLAYED))
        applying->queue->replayed = value;
    if (is_named(key, WEIR__BEGUN))
        applying->queue->begun = value;
    for (size_t i = 0; i < task->live_count; i++) {
        struct weir__live *live = &task->lives[i];
        struct weir_bytes  name;

        if (live->node->op != WEIR__FOLD_WINDOWS)
            continue;
        name = BYTES(live->stores[0]->plan->name, strlen(live->stores[0]->plan->name));
        if (weir__bytes_equal(key, name))
            live->last_close = MAX(live->last_close, value);
        else if (key.size == name.size + strlen(WEIR__OBSERVED) && weir__bytes_starts(key, name) &&
                 memcmp((const char *)key.data + name.size, WEIR__OBSERVED, strlen(WEIR__OBSERVED)) == 0)
            live->observed = MAX(live->observed, value);
    }
}

/* Metadata that is not ours, or cut short, tells nothing and harms nothing. */
int weir__metadata_apply(struct weir__task *task, struct weir__queue *queue, struct weir_bytes metadata)
{
    struct applying applying = { .task = task, .queue = queue };
    int64_t         time;
    int             err = weir__metadata_read(metadata, &queue->arena, &time, apply_entry, &applying);

    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    queue->partition_time = time;
    task->stream_time = MAX(task->stream_time, time);
    return WEIR_OK;
}

/* ---- changing ---- */

struct copying {
    struct weir__buf buf;
    uint32_t         count;
    const char      *name;
    int64_t          value;
};

static void copy_entry(void *arg, struct weir_bytes key, int64_t value)
{
    struct copying *copying = arg;

    if (is_named(key, copying->name)) {
        copying->value = MAX(copying->value, value);
        return;
    }
    weir__buf_be32(&copying->buf, (uint32_t)key.size);
    weir__buf_add(&copying->buf, key.data, key.size);
    weir__buf_be64(&copying->buf, (uint64_t)value);
    copying->count++;
}

int weir__metadata_with(struct weir_bytes metadata, const char *name, int64_t value, struct weir_arena *arena,
                        struct weir_bytes *ret)
{
    struct copying   copying = { .name = name, .value = value };
    struct weir__buf text = { 0 };
    int64_t          time = WEIR__UNKNOWN;
    int              err;

    weir__buf_putc(&copying.buf, MAGIC);
    weir__buf_be64(&copying.buf, 0);
    weir__buf_be32(&copying.buf, 0);
    err = weir__metadata_read(metadata, arena, &time, copy_entry, &copying);
    put_entry(&copying.buf, "", name, copying.value, &copying.count);
    if (weir__buf_ok(&copying.buf)) {
        weir__put_be64(copying.buf.data + 1, (uint64_t)time);
        weir__put_be32(copying.buf.data + 1 + sizeof(int64_t), copying.count);
        weir__base64_encode(BYTES(copying.buf.data, copying.buf.size), &text);
    }
    *ret = weir__buf_ok(&copying.buf) && weir__buf_ok(&text)
               ? BYTES(weir__arena_copy(arena, text.data, text.size), text.size)
               : NO_BYTES;
    weir__buf_fini(&copying.buf);
    weir__buf_fini(&text);
    return err == WEIR_NO_MEMORY || ret->data == NULL ? WEIR_NO_MEMORY : WEIR_OK;
}
