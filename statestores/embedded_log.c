/* embedded_log.c: the embedded log's opening and what any thread may ask of it. */
#include <sys/stat.h>
#include <unistd.h>

#include "statestores/embedded.h"

#define FORMAT "weir log 1\n"

/* ---- open and close ---- */

/* FORMAT tells later versions what lies here, and older ones to keep off. */
static int check_format(const char *dir, bool read_only, struct weir_error *reterr)
{
    char             path[4096];
    struct weir__buf found = { 0 };
    int              err;

    snprintf(path, sizeof(path), "%s/FORMAT", dir);
    if (access(path, F_OK) != 0)
        return read_only ? weir__fail(reterr, WEIR_NOTFOUND, dir, "there is no log in this folder: check --dir")
                         : weir__write_file(path, BYTES(FORMAT, strlen(FORMAT)), reterr);
    err = weir__read_file(path, &found, reterr);
    if (err == WEIR_OK && !weir__bytes_equal(BYTES(found.data, found.size), BYTES(FORMAT, strlen(FORMAT))))
        err = weir__fail(reterr, WEIR_UNSUPPORTED, path, "the log was written by another version: \"%.*s\"",
                         (int)MIN(found.size, 40), found.data);
    weir__buf_fini(&found);
    return err;
}

static int open_durable(struct weir__log *log, const struct weir__log_config *config, struct weir_error *reterr)
{
    char path[4096];
    int  err = config->read_only ? WEIR_OK : weir__make_dirs(config->dir, reterr);

    if (err == WEIR_OK && !config->read_only) {
        snprintf(path, sizeof(path), "%s/LOCK.writer", config->dir);
        err = weir__lock_file(path, &log->lock_fd, reterr);
    }
    if (err == WEIR_OK)
        err = check_format(config->dir, config->read_only, reterr);
    log->engine = config->read_only ? &weir__rocksdb_reader_engine : &weir__rocksdb_log_engine;
    return err == WEIR_OK ? log->engine->open(config->dir, 0, &log->db, reterr) : err;
}

static void init_sync(struct weir__log *log)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&log->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void embedded_close(struct weir__log *log);

static void tidy_all(struct weir__log *log)
{
    for (size_t i = 0; i < log->topic_count; i++)
        for (int32_t j = 0; j < log->topics[i]->count; j++)
            weir__embedded_tidy(log, log->topics[i], j);
}

static int embedded_open(const struct weir__log_config *config, struct weir__log **ret, struct weir_error *reterr)
{
    struct weir__log *log = weir__zalloc(sizeof(*log));
    int               err;

    if (log == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "log", "no memory for the log");
    init_sync(log);
    log->lock_fd = -1;
    log->quirks = config->quirks;
    log->read_only = config->read_only;
    log->clock = config->clock;
    log->clock_arg = config->clock_arg;
    log->max_bytes = config->message_max_bytes > 0 ? config->message_max_bytes : 1 << 20;
    log->engine = &weir__memory_engine;
    err = config->dir != NULL ? open_durable(log, config, reterr) : log->engine->open(NULL, 0, &log->db, reterr);
    if (err == WEIR_OK)
        err = log->engine->family(log->db, "default", &log->family, reterr);
    if (err == WEIR_OK)
        err = weir__embedded_load(log, reterr);
    if (err < 0) {
        embedded_close(log);
        return err;
    }
    if (!log->read_only)
        tidy_all(log);
    *ret = log;
    return WEIR_OK;
}

static void embedded_close(struct weir__log *log)
{
    if (log == NULL)
        return;
    if (log->db != NULL)
        log->engine->close(log->db);
    if (log->lock_fd >= 0)
        weir__unlock_file(log->lock_fd);
    for (size_t i = 0; i < log->topic_count; i++)
        weir__embedded_free_topic(log->topics[i]);
    for (size_t i = 0; i < log->group_count; i++) {
        weir__free(log->groups[i]->members);
        weir__free(log->groups[i]->name);
        weir__free(log->groups[i]);
    }
    weir__free(log->topics);
    weir__free(log->groups);
    weir__buf_fini(&log->key);
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->mutex);
    weir__free(log);
}

/* ---- topics ---- */

/* The topic, with what another process wrote meanwhile where we only read. */
static struct topic *lookup(struct weir__log *log, const char *name)
{
    if (log->read_only)
        (void)weir__embedded_load(log, NULL);
    return weir__embedded_topic(log, name);
}

static int embedded_partitions(struct weir__log *log, const char *name, int64_t deadline, int32_t *ret)
{
    struct topic *topic;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    topic = lookup(log, name);
    if (topic != NULL)
        *ret = topic->count;
    pthread_mutex_unlock(&log->mutex);
    return topic != NULL ? WEIR_OK : WEIR_NOTFOUND;
}

static void compare_settings(const struct topic *topic, const struct weir__topic *wanted,
                             weir__on_difference *on_difference, void *arg)
{
    char count[2][16];

    if (topic->count != wanted->partitions && wanted->partitions > 0) {
        snprintf(count[0], sizeof(count[0]), "%d", wanted->partitions);
        snprintf(count[1], sizeof(count[1]), "%d", topic->count);
        (void)on_difference(arg, topic->name, "partitions", count[0], count[1]);
    }
    for (size_t i = 0; wanted->settings != NULL && wanted->settings[i] != NULL; i++) {
        size_t      size = strcspn(wanted->settings[i], "=");
        const char *found = "";
        char        name[200];

        for (size_t j = 0; topic->settings[j] != NULL; j++)
            if (strncmp(topic->settings[j], wanted->settings[i], size + 1) == 0)
                found = topic->settings[j] + size + 1;
        snprintf(name, sizeof(name), "%.*s", (int)size, wanted->settings[i]);
        if (strcmp(found, wanted->settings[i] + size + 1) != 0)
            (void)on_difference(arg, topic->name, name, wanted->settings[i] + size + 1, found);
    }
}

static int embedded_ensure(struct weir__log *log, const struct weir__topic *topics, size_t count, int64_t deadline,
                           weir__on_difference *on_difference, void *arg, struct weir_error *reterr)
{
    int err = WEIR_OK;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        const struct topic *topic = lookup(log, topics[i].name);

        if (topic != NULL) {
            if (on_difference != NULL)
                compare_settings(topic, &topics[i], on_difference, arg);
        } else if (!weir__legal_name(topics[i].name) || topics[i].partitions <= 0) {
            err = weir__fail(reterr, WEIR_BAD_NAME, topics[i].name, "a topic needs a legal name and partitions");
        } else {
            err = weir__embedded_create(log, &topics[i]);
            if (err < 0)
                weir__fail(reterr, err, topics[i].name, "the topic cannot be created: %s", weir_code_text(err));
        }
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

static int embedded_grow(struct weir__log *log, const char *name, int32_t partitions, int64_t deadline,
                         struct weir_error *reterr)
{
    struct topic     *topic;
    struct partition *grown;
    int               err = WEIR_OK;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    topic = lookup(log, name);
    if (topic == NULL) {
        err = weir__fail(reterr, WEIR_NOTFOUND, name, "there is no such topic");
    } else if (partitions < topic->count) {
        err = weir__fail(reterr, WEIR_BAD_ARGUMENT, name, "partitions cannot be taken away: it has %d", topic->count);
    } else if ((grown = weir__realloc(topic->partitions, sizeof(*grown) * (size_t)partitions)) == NULL) {
        err = weir__fail(reterr, WEIR_NO_MEMORY, name, "no memory for partitions");
    } else {
        memset(grown + topic->count, 0, sizeof(*grown) * (size_t)(partitions - topic->count));
        topic->partitions = grown;
        topic->count = partitions;
        err = weir__embedded_save_topic(log, topic);
    }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

static struct partition *find_partition(struct weir__log *log, struct weir__tp tp, struct topic **ret_topic)
{
    struct topic *topic = lookup(log, tp.topic);

    *ret_topic = topic;
    return topic != NULL && tp.partition >= 0 && tp.partition < topic->count ? &topic->partitions[tp.partition]
                                                                             : NULL;
}

static int embedded_trim(struct weir__log *log, struct weir__tp tp, int64_t before, int64_t deadline)
{
    struct topic *topic;
    int           err = WEIR_NOTFOUND;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    if (find_partition(log, tp, &topic) != NULL)
        err = weir__embedded_trim(log, topic, tp.partition, before);
    pthread_mutex_unlock(&log->mutex);
    return err;
}

static int embedded_ends(struct weir__log *log, struct weir__tp tp, int64_t deadline, struct weir__ends *ret)
{
    struct partition *partition;
    struct topic     *topic;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    partition = find_partition(log, tp, &topic);
    if (partition != NULL)
        *ret = (struct weir__ends){ .low = partition->low, .stable = partition->end, .end = partition->end };
    pthread_mutex_unlock(&log->mutex);
    return partition != NULL ? WEIR_OK : WEIR_NOTFOUND;
}

static int scan_time(struct weir__log *log, const struct topic *topic, int32_t partition, int64_t time, int64_t *ret)
{
    const struct partition *ends = &topic->partitions[partition];
    struct weir__buf        high = { 0 };
    struct weir_arena       arena = { 0 };
    struct weir__iter      *iter;
    struct weir_bytes       key, value;
    struct weir__raw        raw;
    int                     err = log->engine->iterate(
                            log->db, log->family, weir__embedded_key(&log->key, 'R', NULL, topic->name, partition, ends->low),
                            weir__embedded_key(&high, 'R', NULL, topic->name, partition, ends->end), WEIR_ASCENDING, &iter);

    *ret = ends->end;
    while (err == WEIR_OK && (err = log->engine->next(iter, &key, &value)) == WEIR_OK) {
        weir__arena_reset(&arena);
        err = weir__raw_unpack(value, &arena, &raw);
        if (err == WEIR_OK && raw.timestamp >= time) {
            *ret = (int64_t)weir__get_be64((const char *)key.data + key.size - sizeof(int64_t));
            break;
        }
    }
    if (err != WEIR_NO_MEMORY)
        log->engine->iter_close(iter);
    weir__arena_fini(&arena);
    weir__buf_fini(&high);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int embedded_offset_at(struct weir__log *log, struct weir__tp tp, int64_t time, int64_t deadline, int64_t *ret)
{
    struct topic *topic;
    int           err = WEIR_NOTFOUND;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    if (find_partition(log, tp, &topic) != NULL)
        err = scan_time(log, topic, tp.partition, time, ret);
    pthread_mutex_unlock(&log->mutex);
    return err;
}

/* ---- offsets ---- */

static int read_offset(struct weir__log *log, const char *group, struct weir__offset *offset,
                       struct weir_arena *arena)
{
    struct weir_bytes value;
    int               err = log->engine->get(log->db, log->family,
                                             weir__embedded_key(&log->key, 'O', group, offset->tp.topic, offset->tp.partition, -1),
                                             &value);

    offset->offset = -1;
    offset->metadata = NO_BYTES;
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err < 0 || value.size < sizeof(int64_t))
        return err < 0 ? err : WEIR_CORRUPT;
    offset->offset = (int64_t)weir__get_be64(value.data);
    value = BYTES((const char *)value.data + sizeof(int64_t), value.size - sizeof(int64_t));
    offset->metadata = BYTES(weir__arena_copy(arena, value.data, value.size), value.size);
    return offset->metadata.data != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

static int embedded_committed(struct weir__log *log, const char *group, struct weir__offset *offsets, size_t count,
                              struct weir_arena *arena, int64_t deadline)
{
    int err = WEIR_OK;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    if (log->read_only)
        (void)weir__embedded_load(log, NULL);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = read_offset(log, group, &offsets[i], arena);
    pthread_mutex_unlock(&log->mutex);
    return err;
}

static bool has_members(const struct weir__log *log, const char *name)
{
    for (size_t i = 0; i < log->group_count; i++)
        if (strcmp(log->groups[i]->name, name) == 0)
            return log->groups[i]->count > 0;
    return false;
}

static int embedded_set_committed(struct weir__log *log, const char *group, const struct weir__offset *offsets,
                                  size_t count, int64_t deadline)
{
    struct weir__producer *producer;
    bool                   busy;
    int                    err;

    pthread_mutex_lock(&log->mutex);
    busy = has_members(log, group);
    pthread_mutex_unlock(&log->mutex);
    if (busy)
        return WEIR_BUSY;
    err = weir__embedded_producer(log, NULL, deadline, &producer, NULL);
    if (err < 0)
        return err;
    err = weir__embedded_commit(producer, group, NULL, -1, offsets, count, deadline);
    weir__embedded_producer_close(producer);
    return err;
}

static int embedded_remove(struct weir__log *log, const char *const *names, size_t count, int64_t deadline)
{
    int err = WEIR_OK;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        for (size_t j = 0; err == WEIR_OK && j < log->topic_count; j++) {
            struct topic *topic = log->topics[j];

            if (strcmp(topic->name, names[i]) != 0)
                continue;
            err = weir__embedded_forget(log, topic);
            if (err == WEIR_OK) {
                log->topics[j] = log->topics[--log->topic_count];
                weir__embedded_free_topic(topic);
                break;
            }
        }
    pthread_mutex_unlock(&log->mutex);
    return err;
}

static int embedded_settings(struct weir__log *log, const char *name, int64_t deadline,
                             void (*on_setting)(void *arg, const char *name, const char *value), void *arg)
{
    struct topic *topic;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    topic = lookup(log, name);
    for (size_t i = 0; topic != NULL && topic->settings[i] != NULL; i++) {
        char   key[200];
        size_t size = strcspn(topic->settings[i], "=");

        snprintf(key, sizeof(key), "%.*s", (int)size, topic->settings[i]);
        on_setting(arg, key, topic->settings[i] + size + 1);
    }
    pthread_mutex_unlock(&log->mutex);
    return topic != NULL ? WEIR_OK : WEIR_NOTFOUND;
}

static int embedded_topics(struct weir__log *log, int64_t deadline, void (*on_topic)(void *arg, const char *name),
                           void *arg)
{
    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    if (log->read_only)
        (void)weir__embedded_load(log, NULL);
    for (size_t i = 0; i < log->topic_count; i++)
        on_topic(arg, log->topics[i]->name);
    pthread_mutex_unlock(&log->mutex);
    return WEIR_OK;
}

const struct weir__log_engine weir__embedded_engine = { .name = "embedded",
                                                        .open = embedded_open,
                                                        .close = embedded_close,
                                                        .partitions = embedded_partitions,
                                                        .ensure = embedded_ensure,
                                                        .grow = embedded_grow,
                                                        .trim = embedded_trim,
                                                        .ends = embedded_ends,
                                                        .offset_at = embedded_offset_at,
                                                        .committed = embedded_committed,
                                                        .set_committed = embedded_set_committed,
                                                        .remove = embedded_remove,
                                                        .settings = embedded_settings,
                                                        .topics = embedded_topics,
                                                        .now = weir__embedded_now,
                                                        .join = weir__embedded_join,
                                                        .tail = weir__embedded_tail,
                                                        .members = weir__embedded_members,
                                                        .poll = weir__embedded_poll,
                                                        .release = weir__embedded_release,
                                                        .take = weir__embedded_take,
                                                        .hold = weir__embedded_hold,
                                                        .valid = weir__embedded_valid,
                                                        .leave = weir__embedded_leave,
                                                        .wake = weir__embedded_wake,
                                                        .producer = weir__embedded_producer,
                                                        .producer_close = weir__embedded_producer_close,
                                                        .send = weir__embedded_send,
                                                        .commit = weir__embedded_commit,
                                                        .abort = weir__embedded_abort,
                                                        .failed = weir__embedded_failed,
                                                        .sent = weir__embedded_sent };
