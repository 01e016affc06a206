/* read.c: what the driver shows: records sent, stores, counters. */
#include "framework/driver/internal.h"

static void show(const struct weir__sent *sent, struct weir_output *ret)
{
    *ret = (struct weir_output){ .topic = sent->raw.topic,
                                 .partition = sent->raw.partition,
                                 .key = sent->raw.key,
                                 .value = sent->raw.value,
                                 .timestamp = sent->raw.timestamp,
                                 .headers = sent->raw.headers,
                                 .header_count = sent->raw.header_count };
}

int weir_driver_read(struct weir_driver *driver, struct weir_output *ret)
{
    while (driver->read < driver->sent_count) {
        const struct weir__sent *sent = driver->sent[driver->read++];

        if (sent->as == WEIR__TO_CHANGELOG || sent->as == WEIR__TO_REPARTITION)
            continue;
        show(sent, ret);
        return WEIR_OK;
    }
    return WEIR_NOTFOUND;
}

int weir_driver_read_topic(struct weir_driver *driver, const char *name, struct weir_output *ret)
{
    struct weir__driver_topic *topic = weir__driver_topic_of(driver, name, false, false);

    if (topic == NULL || topic->read >= topic->count)
        return WEIR_NOTFOUND;
    show(topic->records[topic->read++], ret);
    return WEIR_OK;
}

const char *weir_driver_topic(struct weir_driver *driver, size_t n, bool *ret_internal)
{
    for (size_t i = 0; i < driver->topic_count; i++) {
        if (driver->topics[i].count == 0 || n-- > 0)
            continue;
        *ret_internal = driver->topics[i].internal;
        return driver->topics[i].name;
    }
    return NULL;
}

const char *weir_driver_store(struct weir_driver *driver, size_t n, const char **ret_type)
{
    if (n >= driver->plan->store_count)
        return NULL;
    *ret_type = driver->plan->stores[n]->type;
    return driver->plan->stores[n]->name;
}

static struct weir__store *find_store(struct weir_driver *driver, const char *name)
{
    struct weir__store *store;
    const char         *changelog;

    for (size_t i = 0; (store = weir__task_store(driver->task, i, &changelog)) != NULL; i++)
        if (strcmp(weir__store_spec(store)->name, name) == 0)
            return store;
    return driver->globals != NULL ? weir__globals_store(driver->globals, name) : NULL;
}

static int open_rows(struct weir__store *store, struct weir__rows **ret)
{
    if (weir__store_spec(store)->kind == WEIR__STORE_WINDOWS)
        return weir__store_fetch(store, NO_BYTES, NO_BYTES, 0, INT64_MAX, WEIR_ASCENDING, ret);
    return weir__store_range(store, NO_BYTES, NO_BYTES, WEIR_ASCENDING, ret);
}

int weir_driver_visit(struct weir_driver *driver, const char                       *name,
                      int (*visit)(void *arg, const struct weir_stored *row), void *arg)
{
    struct weir__store *store;
    struct weir__rows  *rows = NULL;
    struct weir__row    row;
    int                 err;

    if (driver->task == NULL)
        return WEIR_BAD_STATE;
    store = find_store(driver, name);
    if (store == NULL)
        return WEIR_NOTFOUND;
    err = open_rows(store, &rows);
    while (err == WEIR_OK && (err = weir__rows_next(rows, &row)) == WEIR_OK) {
        const struct weir__store_spec *spec = weir__store_spec(store);
        bool                           windows = spec->kind == WEIR__STORE_WINDOWS;
        struct weir_stored             stored = { .key = row.key,
                                                  .value = row.value.bytes,
                                                  .start = -1,
                                                  .end = -1,
                                                  .timestamp = spec->timestamped ? row.value.timestamp : -1 };

        if (windows) {
            stored.start = row.start;
            stored.end = spec->ends ? row.value.end : weir__time_add(row.start, spec->window_size);
        }
        err = visit(arg, &stored);
    }
    weir__rows_close(rows);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

uint64_t weir_driver_dropped(const struct weir_driver *driver)
{
    return (uint64_t)weir__metrics_sum(driver->metrics, "weir_records_dropped_total", NULL, NULL);
}

double weir_driver_metric(struct weir_driver *driver, const char *name, const char *label, const char *value)
{
    return weir__metrics_sum(driver->metrics, name, label, value);
}
