/* embedded_rows.c: the rows of the embedded log: their keys, the batches they are written in, and how they are loaded. */
#include "statestores/embedded.h"

/* ---- keys ---- */

static void add_name(struct row_key *key, const char *name)
{
    size_t size = strlen(name) + 1;

    CHECK(size <= NAME_MOST + 1);
    memcpy(key->data + key->size, name, size);
    key->size += size;
}

struct weir_bytes weir__embedded_key(struct row_key *key, char type, const char *group, const char *topic,
                                     int32_t partition, int64_t offset)
{
    key->data[0] = type;
    key->size = 1;
    if (group != NULL)
        add_name(key, group);
    if (topic != NULL)
        add_name(key, topic);
    if (partition >= 0) {
        weir__put_be32(key->data + key->size, (uint32_t)partition);
        key->size += sizeof(int32_t);
    }
    if (offset >= 0) {
        weir__put_be64(key->data + key->size, (uint64_t)offset);
        key->size += sizeof(int64_t);
    }
    return BYTES(key->data, key->size);
}

/* No key here ends with 0xff. */
struct weir_bytes weir__embedded_key_after(struct row_key *key)
{
    key->data[key->size - 1]++;
    return BYTES(key->data, key->size);
}

bool weir__embedded_legal_group(const char *name)
{
    return name != NULL && name[0] != '\0' && strnlen(name, NAME_MOST + 1) <= NAME_MOST;
}

/* ---- batches ---- */

static int add_write(struct weir__log *log, struct weir__batch *batch, const struct weir__write *as)
{
    struct weir__write *write;

    if (GROW(batch->writes, batch->capacity, batch->count) < 0)
        return WEIR_NO_MEMORY;
    write = &batch->writes[batch->count];
    *write = *as;
    write->family = log->family;
    write->key.data = weir__arena_copy(&batch->arena, as->key.data, as->key.size);
    if (write->key.data == NULL)
        return WEIR_NO_MEMORY;
    batch->count++;
    return WEIR_OK;
}

int weir__embedded_put(struct weir__log *log, struct weir__batch *batch, struct weir_bytes key,
                       struct weir_bytes value)
{
    return add_write(log, batch, &(struct weir__write){ .key = key, .value = value });
}

int weir__embedded_erase(struct weir__log *log, struct weir__batch *batch, struct weir_bytes from,
                         struct weir_bytes to)
{
    const void *end = weir__arena_copy(&batch->arena, to.data, to.size);

    if (end == NULL)
        return WEIR_NO_MEMORY;
    return add_write(log, batch, &(struct weir__write){ .key = from, .value = BYTES(end, to.size), .range = true });
}

#define END_FIELDS 5

int weir__embedded_put_ends(struct weir__log *log, struct weir__batch *batch, const struct topic *topic,
                            int32_t partition, const struct partition *ends)
{
    const int64_t  fields[END_FIELDS] = { ends->low, ends->end, ends->records, ends->bytes, ends->clean };
    char          *value = weir__arena_take(&batch->arena, sizeof(fields));
    struct row_key key;

    if (value == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < END_FIELDS; i++)
        weir__put_be64(value + 8 * i, (uint64_t)fields[i]);
    return weir__embedded_put(log, batch, weir__embedded_key(&key, 'E', NULL, topic->name, partition, -1),
                              BYTES(value, sizeof(fields)));
}

/* An offset below 0 takes back what was committed. */
int weir__embedded_put_offset(struct weir__log *log, struct weir__batch *batch, const char *group,
                              const struct weir__offset *offset)
{
    size_t            size = sizeof(int64_t) + offset->metadata.size;
    char             *value = weir__arena_take(&batch->arena, size);
    struct row_key    key;
    struct weir_bytes row = weir__embedded_key(&key, 'O', group, offset->tp.topic, offset->tp.partition, -1);

    if (value == NULL)
        return WEIR_NO_MEMORY;
    if (offset->offset < 0)
        return weir__embedded_put(log, batch, row, NO_BYTES);
    weir__put_be64(value, (uint64_t)offset->offset);
    if (offset->metadata.size > 0)
        memcpy(value + sizeof(int64_t), offset->metadata.data, offset->metadata.size);
    return weir__embedded_put(log, batch, row, BYTES(value, size));
}

void weir__embedded_batch_reset(struct weir__batch *batch)
{
    batch->count = 0;
    weir__arena_reset(&batch->arena);
}

void weir__embedded_batch_fini(struct weir__batch *batch)
{
    weir__free(batch->writes);
    weir__arena_fini(&batch->arena);
    *batch = (struct weir__batch){ 0 };
}

/* ---- loading ---- */

#define SETTINGS_MOST 256

/* A topic's row as what it was made of; points into the row. */
static int parse_topic(struct weir_bytes key, struct weir_bytes value, const char **settings, struct weir__topic *ret)
{
    const char *name = (const char *)key.data + 1, *at = (const char *)value.data + sizeof(int32_t);
    const char *end = (const char *)value.data + value.size;
    size_t      count = 0;

    if (key.size < 3 || memchr(name, '\0', key.size - 1) != name + key.size - 2 || !weir__legal_name(name))
        return WEIR_CORRUPT;
    if (value.size < sizeof(int32_t) || (value.size > sizeof(int32_t) && end[-1] != '\0'))
        return WEIR_CORRUPT;
    while (at < end && count < SETTINGS_MOST) {
        settings[count++] = at;
        at += strlen(at) + 1;
    }
    settings[count] = NULL;
    *ret =
        (struct weir__topic){ .name = name, .partitions = (int32_t)weir__get_be32(value.data), .settings = settings };
    return at == end && ret->partitions > 0 ? WEIR_OK : WEIR_CORRUPT;
}

static int load_topic(struct weir__log *log, struct weir_bytes key, struct weir_bytes value)
{
    const char        *settings[SETTINGS_MOST + 1];
    struct weir__topic as;
    struct weir_error  words = { 0 };
    struct topic      *topic;
    int                err = parse_topic(key, value, settings, &as);

    if (err < 0)
        return err;
    topic = weir__embedded_topic(log, as.name);
    if (topic != NULL)
        return weir__embedded_topic_widen(topic, as.partitions);
    if (GROW(log->topics, log->topic_capacity, log->topic_count) < 0)
        return WEIR_NO_MEMORY;
    topic = weir__embedded_topic_new(&as, &words);
    if (topic == NULL)
        return words.code == WEIR_NO_MEMORY ? WEIR_NO_MEMORY : WEIR_CORRUPT;
    log->topics[log->topic_count++] = topic;
    return WEIR_OK;
}

static int load_topics(struct weir__log *log)
{
    struct weir__iter *iter;
    struct weir_bytes  key, value;
    int err = log->engine->iterate(log->db, log->family, BYTES("T", 1), BYTES("U", 1), WEIR_ASCENDING, &iter);

    if (err < 0)
        return err;
    while (err == WEIR_OK && (err = log->engine->next(iter, &key, &value)) == WEIR_OK)
        err = load_topic(log, key, value);
    log->engine->iter_close(iter);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int parse_ends(struct weir_bytes value, struct partition *ret)
{
    int64_t fields[END_FIELDS];

    if (value.size != sizeof(fields))
        return WEIR_CORRUPT;
    for (size_t i = 0; i < END_FIELDS; i++)
        if ((fields[i] = (int64_t)weir__get_be64((const char *)value.data + 8 * i)) < 0)
            return WEIR_CORRUPT;
    ret->low = fields[0];
    ret->end = fields[1];
    ret->records = fields[2];
    ret->bytes = fields[3];
    ret->clean = fields[4];
    return ret->low <= ret->end ? WEIR_OK : WEIR_CORRUPT;
}

static int load_ends(struct weir__log *log, struct topic *topic)
{
    for (int32_t i = 0; i < topic->count; i++) {
        struct row_key    key;
        struct weir_bytes value;
        int               err =
            log->engine->get(log->db, log->family, weir__embedded_key(&key, 'E', NULL, topic->name, i, -1), &value);

        if (err == WEIR_OK)
            err = parse_ends(value, &topic->partitions[i]);
        if (err < 0 && err != WEIR_NOTFOUND) /* nothing was written to it yet */
            return err;
    }
    return WEIR_OK;
}

int weir__embedded_load(struct weir__log *log, struct weir_error *reterr)
{
    int err = load_topics(log);

    for (size_t i = 0; err == WEIR_OK && i < log->topic_count; i++)
        err = load_ends(log, log->topics[i]);
    return err < 0 ? weir__fail(reterr, err, "log", "its topics cannot be read: %s", weir_code_text(err)) : WEIR_OK;
}

int weir__embedded_refresh(struct weir__log *log)
{
    int err;

    if (!log->read_only)
        return WEIR_OK;
    err = log->engine->refresh != NULL ? log->engine->refresh(log->db) : WEIR_OK;
    return err == WEIR_OK ? weir__embedded_load(log, NULL) : err;
}
