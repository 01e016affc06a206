/* embedded_topics.c: topics of the embedded log ensured, grown, removed, listed. */
#include "statestores/embedded.h"

static int put_topic(struct weir__log *log, struct weir__batch *batch, const struct topic *topic, int32_t partitions)
{
    size_t         size = sizeof(int32_t);
    struct row_key key;
    char          *value;

    for (size_t i = 0; topic->settings[i] != NULL; i++)
        size += strlen(topic->settings[i]) + 1;
    value = weir__arena_take(&batch->arena, size);
    if (value == NULL)
        return WEIR_NO_MEMORY;
    weir__put_be32(value, (uint32_t)partitions);
    size = sizeof(int32_t);
    for (size_t i = 0; topic->settings[i] != NULL; i++) {
        strcpy(value + size, topic->settings[i]);
        size += strlen(topic->settings[i]) + 1;
    }
    return weir__embedded_put(log, batch, weir__embedded_key(&key, 'T', NULL, topic->name, -1, -1),
                              BYTES(value, size));
}

/* ---- ensure ---- */

/* What an ensure makes; all of it or none. */
struct making {
    struct topic     **topics;
    size_t             count, capacity;
    struct weir__batch batch;
};

static bool is_made(const struct making *making, const char *name)
{
    for (size_t i = 0; i < making->count; i++)
        if (strcmp(making->topics[i]->name, name) == 0)
            return true;
    return false;
}

static int make(struct weir__log *log, struct making *making, const struct weir__topic *as, struct weir_error *reterr)
{
    struct weir_error words = { 0 };
    struct topic     *topic;

    if (is_made(making, as->name))
        return WEIR_OK;
    topic = weir__embedded_topic_new(as, &words);
    if (topic == NULL)
        return weir__fail(reterr, words.code, words.where, "%s", words.text);
    if (GROW(making->topics, making->capacity, making->count) < 0) {
        weir__embedded_topic_free(topic);
        return weir__fail(reterr, WEIR_NO_MEMORY, as->name, "no memory for a topic");
    }
    making->topics[making->count++] = topic;
    return put_topic(log, &making->batch, topic, topic->count) < 0
               ? weir__fail(reterr, WEIR_NO_MEMORY, as->name, "no memory for a topic")
               : WEIR_OK;
}

/* Room beforehand, so that what was written is also known. */
static int make_room(struct weir__log *log, size_t more)
{
    while (log->topic_capacity < log->topic_count + more)
        if (GROW(log->topics, log->topic_capacity, log->topic_capacity) < 0)
            return WEIR_NO_MEMORY;
    return WEIR_OK;
}

static int write_made(struct weir__log *log, struct making *making, struct weir_error *reterr)
{
    int err;

    if (making->count == 0)
        return WEIR_OK;
    err = make_room(log, making->count);
    if (err == WEIR_OK)
        err = weir__embedded_write(log, &making->batch);
    if (err < 0)
        return weir__fail(reterr, err, making->topics[0]->name, "the topic cannot be made: %s", weir_code_text(err));
    for (size_t i = 0; i < making->count; i++) {
        log->topics[log->topic_count++] = making->topics[i];
        weir__embedded_redeal(log, making->topics[i]->name);
    }
    making->count = 0;
    return WEIR_OK;
}

static void making_fini(struct making *making)
{
    for (size_t i = 0; i < making->count; i++)
        weir__embedded_topic_free(making->topics[i]);
    weir__free(making->topics);
    weir__embedded_batch_fini(&making->batch);
}

static int ensure_all(struct weir__log *log, const struct weir__topic *topics, size_t count,
                      weir__on_difference *on_difference, void *arg, struct weir_error *reterr)
{
    struct making making = { 0 };
    int           err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        const struct topic *topic = weir__embedded_topic(log, topics[i].name);

        if (topic == NULL)
            err = make(log, &making, &topics[i], reterr);
        else if (on_difference != NULL)
            err = weir__embedded_compare(topic, &topics[i], on_difference, arg);
    }
    if (err == WEIR_OK)
        err = write_made(log, &making, reterr);
    making_fini(&making);
    return err;
}

static int fail_turn(int err, const char *where, struct weir_error *reterr)
{
    return weir__fail(reterr, err, where, "the log cannot be changed now: %s", weir_code_text(err));
}

int weir__embedded_ensure(struct weir__log *log, const struct weir__topic *topics, size_t count, int64_t deadline,
                          weir__on_difference *on_difference, void *arg, struct weir_error *reterr)
{
    int err;

    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_begin(log, deadline);
    if (err == WEIR_OK) {
        err = ensure_all(log, topics, count, on_difference, arg, reterr);
        weir__embedded_end(log);
    } else {
        fail_turn(err, count > 0 ? topics[0].name : "log", reterr);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

/* ---- grow ---- */

static int grow(struct weir__log *log, const char *name, int32_t partitions, struct weir_error *reterr)
{
    struct topic      *topic = weir__embedded_topic(log, name);
    struct weir__batch batch = { 0 };
    int                err;

    if (topic == NULL)
        return weir__fail(reterr, WEIR_NOTFOUND, name, "there is no such topic");
    if (partitions < topic->count)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, name, "partitions cannot be taken away: it has %d",
                          topic->count);
    if (partitions == topic->count)
        return WEIR_OK;
    err = weir__embedded_topic_room(topic, partitions);
    if (err == WEIR_OK)
        err = put_topic(log, &batch, topic, partitions);
    if (err == WEIR_OK)
        err = weir__embedded_write(log, &batch);
    if (err == WEIR_OK)
        topic->count = partitions;
    weir__embedded_batch_fini(&batch);
    if (err < 0)
        return weir__fail(reterr, err, name, "it cannot get partitions: %s", weir_code_text(err));
    weir__embedded_redeal(log, name);
    return WEIR_OK;
}

int weir__embedded_grow(struct weir__log *log, const char *name, int32_t partitions, int64_t deadline,
                        struct weir_error *reterr)
{
    int err;

    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_begin(log, deadline);
    if (err == WEIR_OK) {
        err = grow(log, name, partitions, reterr);
        weir__embedded_end(log);
    } else {
        fail_turn(err, name, reterr);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

/* ---- remove ---- */

/* The committed offsets of a topic, in all groups. */
static int erase_offsets(struct weir__log *log, struct weir__batch *batch, const char *name)
{
    size_t             tail = strlen(name) + 1 + sizeof(int32_t);
    struct weir__iter *iter;
    struct weir_bytes  key, value;
    int err = log->engine->iterate(log->db, log->family, BYTES("O", 1), BYTES("P", 1), WEIR_ASCENDING, &iter);

    if (err < 0)
        return err;
    while (err == WEIR_OK && (err = log->engine->next(iter, &key, &value)) == WEIR_OK) {
        const char *end = (const char *)key.data + key.size;

        if (key.size > tail + 1 && end[-(ptrdiff_t)tail - 1] == '\0' && strcmp(end - tail, name) == 0)
            err = weir__embedded_put(log, batch, key, NO_BYTES);
    }
    log->engine->iter_close(iter);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int erase_rows(struct weir__log *log, struct weir__batch *batch, char type, const char *name)
{
    struct row_key    from, to;
    struct weir_bytes begin = weir__embedded_key(&from, type, NULL, name, -1, -1);

    (void)weir__embedded_key(&to, type, NULL, name, -1, -1);
    return weir__embedded_erase(log, batch, begin, weir__embedded_key_after(&to));
}

static int erase_topic(struct weir__log *log, struct weir__batch *batch, const char *name)
{
    static const char types[] = "TER";
    int               err = erase_offsets(log, batch, name);

    for (size_t i = 0; err == WEIR_OK && types[i] != '\0'; i++)
        err = erase_rows(log, batch, types[i], name);
    return err;
}

static void retire(struct weir__log *log, struct topic *topic)
{
    size_t at = 0;

    while (log->topics[at] != topic)
        at++;
    log->topics[at] = log->topics[--log->topic_count];
    log->removed[log->removed_count++] = topic;
    topic->removed = true;
    weir__embedded_forget(log, topic);
    weir__embedded_redeal(log, topic->name);
    if (log->compaction.topic == topic)
        weir__embedded_give_up(log);
}

static int remove_one(struct weir__log *log, const char *name)
{
    struct topic      *topic = weir__embedded_topic(log, name);
    struct weir__batch batch = { 0 };
    int                err;

    if (topic == NULL)
        return WEIR_NOTFOUND;
    if (GROW(log->removed, log->removed_capacity, log->removed_count) < 0)
        return WEIR_NO_MEMORY;
    err = erase_topic(log, &batch, name);
    if (err == WEIR_OK)
        err = weir__embedded_write(log, &batch);
    if (err == WEIR_OK)
        retire(log, topic);
    weir__embedded_batch_fini(&batch);
    return err;
}

int weir__embedded_remove(struct weir__log *log, const char *const *names, size_t count, int64_t deadline)
{
    bool missing = false;
    int  err;

    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_begin(log, deadline);
    if (err == WEIR_OK) {
        for (size_t i = 0; err == WEIR_OK && i < count; i++) {
            err = remove_one(log, names[i]);
            missing = missing || err == WEIR_NOTFOUND;
            err = err == WEIR_NOTFOUND ? WEIR_OK : err;
        }
        weir__embedded_end(log);
    }
    pthread_mutex_unlock(&log->mutex);
    return err == WEIR_OK && missing ? WEIR_NOTFOUND : err;
}

/* ---- listing ---- */

int weir__embedded_partitions(struct weir__log *log, const char *name, int64_t deadline, int32_t *ret)
{
    struct topic *topic;
    int           err;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_look_up(log, name, &topic);
    if (err == WEIR_OK)
        *ret = topic->count;
    pthread_mutex_unlock(&log->mutex);
    return err;
}

int weir__embedded_topics(struct weir__log *log, int64_t deadline, void (*on_topic)(void *arg, const char *name),
                          void *arg)
{
    int err;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_refresh(log);
    for (size_t i = 0; err == WEIR_OK && i < log->topic_count; i++)
        on_topic(arg, log->topics[i]->name);
    pthread_mutex_unlock(&log->mutex);
    return err;
}
