/* embedded_rows.c: topics, their ends and their upkeep, as rows of the embedded log. */
#include <stdlib.h>

#include "statestores/embedded.h"

int64_t weir__embedded_now(struct weir__log *log)
{
    return log->clock != NULL ? log->clock(log->clock_arg) : weir__wall_ms();
}

/* Absent parts: group NULL, partition < 0, offset < 0. */
struct weir_bytes weir__embedded_key(struct weir__buf *buf, char type, const char *group, const char *topic,
                                     int32_t partition, int64_t offset)
{
    weir__buf_reset(buf);
    weir__buf_putc(buf, type);
    if (group != NULL)
        weir__buf_add(buf, group, strlen(group) + 1);
    weir__buf_add(buf, topic, strlen(topic) + 1);
    if (partition >= 0)
        weir__buf_be32(buf, (uint32_t)partition);
    if (offset >= 0)
        weir__buf_be64(buf, (uint64_t)offset);
    CHECK(weir__buf_ok(buf));
    return BYTES(buf->data, buf->size);
}

struct topic *weir__embedded_topic(struct weir__log *log, const char *name)
{
    for (size_t i = 0; i < log->topic_count; i++)
        if (strcmp(log->topics[i]->name, name) == 0)
            return log->topics[i];
    return NULL;
}

void weir__embedded_free_topic(struct topic *topic)
{
    if (topic == NULL)
        return;
    for (size_t i = 0; topic->settings != NULL && topic->settings[i] != NULL; i++)
        weir__free(topic->settings[i]);
    weir__free(topic->settings);
    weir__free(topic->partitions);
    weir__free(topic->name);
    weir__free(topic);
}

static const char *setting(const struct topic *topic, const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; topic->settings[i] != NULL; i++)
        if (strncmp(topic->settings[i], name, size) == 0 && topic->settings[i][size] == '=')
            return topic->settings[i] + size + 1;
    return NULL;
}

static int64_t number(const struct topic *topic, const char *name)
{
    const char *text = setting(topic, name);
    int64_t     value;

    return text != NULL && weir__parse_int64(text, &value) == WEIR_OK ? value : -1;
}

static void understand(struct topic *topic)
{
    const char *policy = setting(topic, "cleanup.policy");

    topic->compact = policy != NULL && strstr(policy, "compact") != NULL;
    topic->retention_ms = topic->retention_bytes = -1;
    if (policy == NULL || strstr(policy, "delete") != NULL) {
        topic->retention_ms = number(topic, "retention.ms");
        topic->retention_bytes = number(topic, "retention.bytes");
    }
}

static int copy_settings(struct topic *topic, const char *const *settings)
{
    size_t count = 0;

    while (settings != NULL && settings[count] != NULL)
        count++;
    topic->settings = weir__zalloc(sizeof(char *) * (count + 1));
    if (topic->settings == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if ((topic->settings[i] = weir__strdup(settings[i])) == NULL)
            return WEIR_NO_MEMORY;
    return WEIR_OK;
}

static int keep_topic(struct weir__log *log, const struct weir__topic *as, struct topic **ret)
{
    struct topic *topic = weir__zalloc(sizeof(*topic));

    if (topic == NULL || GROW(log->topics, log->topic_capacity, log->topic_count) < 0) {
        weir__free(topic);
        return WEIR_NO_MEMORY;
    }
    topic->name = weir__strdup(as->name);
    topic->count = as->partitions;
    topic->partitions = weir__zalloc(sizeof(*topic->partitions) * (size_t)MAX(as->partitions, 1));
    if (topic->name == NULL || topic->partitions == NULL || copy_settings(topic, as->settings) < 0) {
        weir__embedded_free_topic(topic);
        return WEIR_NO_MEMORY;
    }
    understand(topic);
    log->topics[log->topic_count++] = topic;
    *ret = topic;
    return WEIR_OK;
}

int weir__embedded_save_topic(struct weir__log *log, const struct topic *topic)
{
    struct weir__buf   value = { 0 };
    struct weir__write write = { .family = log->family };
    int                err = WEIR_NO_MEMORY;

    weir__buf_be32(&value, (uint32_t)topic->count);
    for (size_t i = 0; topic->settings[i] != NULL; i++)
        weir__buf_printf(&value, "%s\n", topic->settings[i]);
    if (weir__buf_ok(&value)) {
        write.key = weir__embedded_key(&log->key, 'T', NULL, topic->name, -1, -1);
        write.value = BYTES(value.data, value.size);
        err = log->engine->write(log->db, &write, 1);
    }
    weir__buf_fini(&value);
    return err;
}

int weir__embedded_create(struct weir__log *log, const struct weir__topic *as)
{
    struct topic *topic;
    int           err = keep_topic(log, as, &topic);

    return err < 0 ? err : weir__embedded_save_topic(log, topic);
}

/* ---- loading ---- */

static int load_topic(struct weir__log *log, struct weir_bytes key, struct weir_bytes value)
{
    struct weir__topic as = { .name = (const char *)key.data + 1 };
    char               text[4096], *settings[64] = { 0 }, *save = NULL;
    size_t             count = 0;
    struct topic      *topic;

    if (value.size < sizeof(int32_t) || value.size - sizeof(int32_t) >= sizeof(text))
        return WEIR_CORRUPT;
    memcpy(text, (const char *)value.data + sizeof(int32_t), value.size - sizeof(int32_t));
    text[value.size - sizeof(int32_t)] = '\0';
    for (char *line = strtok_r(text, "\n", &save); line != NULL && count < 63; line = strtok_r(NULL, "\n", &save))
        settings[count++] = line;
    as.partitions = (int32_t)weir__get_be32(value.data);
    as.settings = (const char *const *)settings;
    if (weir__embedded_topic(log, as.name) != NULL)
        return WEIR_OK;
    return keep_topic(log, &as, &topic);
}

static int load_ends(struct weir__log *log, struct topic *topic)
{
    for (int32_t i = 0; i < topic->count; i++) {
        struct weir_bytes value;
        int err = log->engine->get(log->db, log->family, weir__embedded_key(&log->key, 'E', NULL, topic->name, i, -1),
                                   &value);

        if (err == WEIR_NOTFOUND)
            continue;
        if (err < 0 || value.size != 2 * sizeof(int64_t))
            return err < 0 ? err : WEIR_CORRUPT;
        topic->partitions[i].low = (int64_t)weir__get_be64(value.data);
        topic->partitions[i].end = (int64_t)weir__get_be64((const char *)value.data + sizeof(int64_t));
    }
    return WEIR_OK;
}

int weir__embedded_load(struct weir__log *log, struct weir_error *reterr)
{
    struct weir__iter *iter;
    struct weir_bytes  key, value;
    int err = log->engine->iterate(log->db, log->family, BYTES("T", 1), BYTES("U", 1), WEIR_ASCENDING, &iter);

    if (err == WEIR_OK) {
        while ((err = log->engine->next(iter, &key, &value)) == WEIR_OK)
            if ((err = load_topic(log, key, value)) < 0)
                break;
        log->engine->iter_close(iter);
    }
    if (err == WEIR_NOTFOUND)
        err = WEIR_OK;
    for (size_t i = 0; err == WEIR_OK && i < log->topic_count; i++)
        err = load_ends(log, log->topics[i]);
    return err < 0 ? weir__fail(reterr, err, "log", "its topics cannot be read: %s", weir_code_text(err)) : WEIR_OK;
}

/* ---- upkeep ---- */

/* Deletes the rows that `doomed` picks of [from, to) of a partition. */
static int sweep(struct weir__log *log, struct topic *topic, int32_t partition, int64_t from, int64_t to,
                 bool (*doomed)(void *arg, int64_t offset, struct weir_bytes packed), void *arg)
{
    struct weir__buf    low = { 0 }, high = { 0 };
    struct weir_arena   arena = { 0 };
    struct weir__write *writes = NULL;
    size_t              count = 0, capacity = 0;
    struct weir__iter  *iter;
    struct weir_bytes   key, value;
    int                 err =
        log->engine->iterate(log->db, log->family, weir__embedded_key(&low, 'R', NULL, topic->name, partition, from),
                             weir__embedded_key(&high, 'R', NULL, topic->name, partition, to), WEIR_ASCENDING, &iter);

    if (err == WEIR_OK) {
        while ((err = log->engine->next(iter, &key, &value)) == WEIR_OK) {
            int64_t offset = (int64_t)weir__get_be64((const char *)key.data + key.size - sizeof(int64_t));

            if (doomed != NULL && !doomed(arg, offset, value))
                continue;
            if (GROW(writes, capacity, count) < 0) {
                err = WEIR_NO_MEMORY;
                break;
            }
            writes[count] = (struct weir__write){ .family = log->family };
            writes[count].key = BYTES(weir__arena_copy(&arena, key.data, key.size), key.size);
            if (writes[count++].key.data == NULL) {
                err = WEIR_NO_MEMORY;
                break;
            }
        }
        log->engine->iter_close(iter);
    }
    if (err == WEIR_NOTFOUND)
        err = count > 0 ? log->engine->write(log->db, writes, count) : WEIR_OK;
    weir__free(writes);
    weir__arena_fini(&arena);
    weir__buf_fini(&low);
    weir__buf_fini(&high);
    return err;
}

static int save_ends(struct weir__log *log, const struct topic *topic, int32_t partition)
{
    char               ends[2 * sizeof(int64_t)];
    struct weir__write write = { .family = log->family, .value = BYTES(ends, sizeof(ends)) };

    weir__put_be64(ends, (uint64_t)topic->partitions[partition].low);
    weir__put_be64(ends + sizeof(int64_t), (uint64_t)topic->partitions[partition].end);
    write.key = weir__embedded_key(&log->key, 'E', NULL, topic->name, partition, -1);
    return log->engine->write(log->db, &write, 1);
}

int weir__embedded_trim(struct weir__log *log, struct topic *topic, int32_t partition, int64_t before)
{
    struct partition *ends = &topic->partitions[partition];
    int64_t           low = MIN(before, ends->end);
    int               err;

    if (low <= ends->low)
        return WEIR_OK;
    err = sweep(log, topic, partition, ends->low, low, NULL, NULL);
    if (err < 0)
        return err;
    ends->low = low;
    return save_ends(log, topic, partition);
}

int weir__embedded_forget(struct weir__log *log, struct topic *topic)
{
    struct weir__write write = { .family = log->family };
    int                err = WEIR_OK;

    for (int32_t i = 0; err == WEIR_OK && i < topic->count; i++) {
        err = sweep(log, topic, i, 0, INT64_MAX, NULL, NULL);
        write.key = weir__embedded_key(&log->key, 'E', NULL, topic->name, i, -1);
        if (err == WEIR_OK)
            err = log->engine->write(log->db, &write, 1);
    }
    write.key = weir__embedded_key(&log->key, 'T', NULL, topic->name, -1, -1);
    return err == WEIR_OK ? log->engine->write(log->db, &write, 1) : err;
}

/* ---- compaction: the last record of each key stays ---- */

struct latest {
    struct weir__map  map; /* key to struct seen */
    struct weir_arena arena, scratch;
    size_t            records;
    bool              failed;
};

struct seen {
    int64_t offset;
};

static bool key_of(struct latest *latest, struct weir_bytes packed, struct weir__raw *ret)
{
    weir__arena_reset(&latest->scratch);
    return weir__raw_unpack(packed, &latest->scratch, ret) == WEIR_OK && ret->key.data != NULL;
}

static bool note_latest(void *arg, int64_t offset, struct weir_bytes packed)
{
    struct latest   *latest = arg;
    struct weir__raw raw;
    struct seen     *seen;

    if (!key_of(latest, packed, &raw))
        return false;
    latest->records++;
    seen = weir__map_get(&latest->map, raw.key);
    if (seen == NULL) {
        const void *key = weir__arena_copy(&latest->arena, raw.key.data, raw.key.size);

        seen = weir_arena_alloc(&latest->arena, sizeof(*seen));
        if (key == NULL || seen == NULL || weir__map_put(&latest->map, BYTES(key, raw.key.size), seen) < 0) {
            latest->failed = true;
            return false;
        }
    }
    seen->offset = offset;
    return false;
}

static bool is_outdated(void *arg, int64_t offset, struct weir_bytes packed)
{
    struct latest   *latest = arg;
    struct weir__raw raw;

    if (!key_of(latest, packed, &raw))
        return false;
    return ((struct seen *)weir__map_get(&latest->map, raw.key))->offset > offset;
}

static void compact(struct weir__log *log, struct topic *topic, int32_t partition)
{
    struct latest     latest = { 0 };
    struct partition *ends = &topic->partitions[partition];
    int               err = sweep(log, topic, partition, ends->low, ends->end, note_latest, &latest);

    if (err == WEIR_OK && !latest.failed && latest.records > 2 * latest.map.count)
        (void)sweep(log, topic, partition, ends->low, ends->end, is_outdated, &latest);
    weir__map_fini(&latest.map);
    weir__arena_fini(&latest.arena);
    weir__arena_fini(&latest.scratch);
}

/* ---- retention ---- */

struct kept {
    struct weir_arena scratch;
    int64_t           oldest, before; /* time that stays; first offset that stays */
    int64_t           bytes, spare;   /* size seen; how much of it must go */
};

static bool measure(void *arg, int64_t offset, struct weir_bytes packed)
{
    (void)offset;
    ((struct kept *)arg)->bytes += (int64_t)packed.size;
    return false;
}

/* From the front: the run of records that are too old or too many. */
static bool find_before(void *arg, int64_t offset, struct weir_bytes packed)
{
    struct kept     *kept = arg;
    struct weir__raw raw;

    weir__arena_reset(&kept->scratch);
    if (kept->before != offset || weir__raw_unpack(packed, &kept->scratch, &raw) < 0)
        return false;
    if (raw.timestamp < kept->oldest || kept->spare > 0) {
        kept->before = offset + 1;
        kept->spare -= (int64_t)packed.size;
    }
    return false;
}

static void retain(struct weir__log *log, struct topic *topic, int32_t partition)
{
    struct partition *ends = &topic->partitions[partition];
    struct kept       kept = { .oldest = INT64_MIN, .before = ends->low };

    if (topic->retention_ms >= 0)
        kept.oldest = weir__embedded_now(log) - topic->retention_ms;
    if (topic->retention_bytes >= 0 && sweep(log, topic, partition, ends->low, ends->end, measure, &kept) == WEIR_OK)
        kept.spare = kept.bytes - topic->retention_bytes;
    if (sweep(log, topic, partition, ends->low, ends->end, find_before, &kept) == WEIR_OK)
        (void)weir__embedded_trim(log, topic, partition, kept.before);
    weir__arena_fini(&kept.scratch);
}

void weir__embedded_tidy(struct weir__log *log, struct topic *topic, int32_t partition)
{
    if (topic->compact)
        compact(log, topic, partition);
    if (topic->retention_ms >= 0 || topic->retention_bytes >= 0)
        retain(log, topic, partition);
    topic->partitions[partition].since_compaction = 0;
}
