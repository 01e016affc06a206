/* send.c: what becomes of records that leave the driver's task. */
#include "framework/driver/internal.h"

struct weir__driver_topic *weir__driver_topic_of(struct weir_driver *driver, const char *name, bool internal,
                                                 bool make)
{
    struct weir__driver_topic *topic;

    for (size_t i = 0; i < driver->topic_count; i++)
        if (strcmp(driver->topics[i].name, name) == 0)
            return &driver->topics[i];
    if (!make || GROW(driver->topics, driver->topic_capacity, driver->topic_count) < 0)
        return NULL;
    topic = &driver->topics[driver->topic_count];
    *topic =
        (struct weir__driver_topic){ .name = weir__arena_printf(&driver->arena, "%s", name), .internal = internal };
    if (topic->name == NULL)
        return NULL;
    driver->topic_count++;
    return topic;
}

static int keep(struct weir_driver *driver, struct weir__driver_topic *topic, struct weir__sent *sent)
{
    if (GROW(topic->records, topic->capacity, topic->count) < 0 ||
        GROW(driver->sent, driver->sent_capacity, driver->sent_count) < 0)
        return WEIR_NO_MEMORY;
    topic->records[topic->count++] = sent;
    driver->sent[driver->sent_count++] = sent;
    return WEIR_OK;
}

static size_t bytes_of(const struct weir__raw *raw)
{
    size_t size = raw->key.size + raw->value.size;

    for (size_t i = 0; i < raw->header_count; i++)
        size += strlen(raw->headers[i].name) + raw->headers[i].value.size;
    return size;
}

int weir__driver_send(void *arg, const struct weir__raw *raw, enum weir__sent_as as)
{
    struct weir_driver        *driver = arg;
    bool                       internal = as == WEIR__TO_CHANGELOG || as == WEIR__TO_REPARTITION;
    struct weir__driver_topic *topic = weir__driver_topic_of(driver, raw->topic, internal, true);
    struct weir__sent         *sent = weir_arena_alloc(&driver->arena, sizeof(*sent));

    if (raw->timestamp < driver->least_time)
        return WEIR_BAD_TIME;
    if (bytes_of(raw) > (size_t)driver->max_record_bytes)
        return WEIR_TOO_LARGE;
    if (topic == NULL || sent == NULL || weir__raw_copy(raw, &driver->arena, &sent->raw) < 0)
        return WEIR_NO_MEMORY;
    sent->as = as;
    sent->raw.topic = topic->name;
    sent->raw.partition = 0;
    sent->raw.offset = topic->next_offset++;
    return keep(driver, topic, sent);
}

/* Exactly once: what a failed processing sent is never seen. */
void weir__driver_forget_uncommitted(struct weir_driver *driver)
{
    while (driver->sent_count > driver->visible) {
        struct weir__sent         *sent = driver->sent[--driver->sent_count];
        struct weir__driver_topic *topic = weir__driver_topic_of(driver, sent->raw.topic, false, false);

        topic->count--;
        topic->next_offset--;
    }
    driver->entered = MIN(driver->entered, driver->sent_count);
}
