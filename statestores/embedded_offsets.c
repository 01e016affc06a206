/* embedded_offsets.c: committed offsets of groups, asked for and set by hand. */
#include "statestores/embedded.h"

static int read_offset(struct weir__log *log, const char *group, struct weir_arena *arena, struct weir__offset *ret)
{
    struct row_key    key;
    struct weir_bytes value;
    const char       *metadata;
    int               err;

    ret->offset = -1;
    ret->metadata = NO_BYTES;
    if (weir__embedded_topic_of(log, ret->tp) == NULL)
        return WEIR_OK;
    err = log->engine->get(log->db, log->family,
                           weir__embedded_key(&key, 'O', group, ret->tp.topic, ret->tp.partition, -1), &value);
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err < 0 || value.size < sizeof(int64_t))
        return err < 0 ? err : WEIR_CORRUPT;
    metadata = (const char *)value.data + sizeof(int64_t);
    ret->metadata.size = value.size - sizeof(int64_t);
    ret->metadata.data = weir__arena_copy(arena, metadata, ret->metadata.size);
    if (ret->metadata.data == NULL)
        return WEIR_NO_MEMORY;
    ret->offset = (int64_t)weir__get_be64(value.data);
    return WEIR_OK;
}

int weir__embedded_committed(struct weir__log *log, const char *group, struct weir__offset *offsets, size_t count,
                             struct weir_arena *arena, int64_t deadline)
{
    int err;

    if (!weir__embedded_legal_group(group))
        return WEIR_BAD_NAME;
    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_await_offsets(log, group, offsets, count, deadline);
    if (err == WEIR_OK)
        err = weir__embedded_refresh(log);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = read_offset(log, group, arena, &offsets[i]);
    pthread_mutex_unlock(&log->mutex);
    return err;
}

static int set_offsets(struct weir__log *log, const char *group, const struct weir__offset *offsets, size_t count)
{
    struct weir__batch batch = { 0 };
    int                err = weir__embedded_has_members(log, group) ? WEIR_BUSY : WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = weir__embedded_topic_of(log, offsets[i].tp) != NULL
                  ? weir__embedded_put_offset(log, &batch, group, &offsets[i])
                  : WEIR_NOTFOUND;
    if (err == WEIR_OK)
        err = weir__embedded_write(log, &batch);
    weir__embedded_batch_fini(&batch);
    return err;
}

int weir__embedded_set_committed(struct weir__log *log, const char *group, const struct weir__offset *offsets,
                                 size_t count, int64_t deadline)
{
    int err;

    if (!weir__embedded_legal_group(group))
        return WEIR_BAD_NAME;
    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_await_offsets(log, group, offsets, count, deadline);
    if (err == WEIR_OK)
        err = weir__embedded_begin(log, deadline);
    if (err == WEIR_OK) {
        err = set_offsets(log, group, offsets, count);
        weir__embedded_end(log);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}
