/* settings.c: the settings of an application, read once. */
#include "framework/runtime/internal.h"

#include <unistd.h>

static size_t thread_count(int64_t configured)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (configured > 0)
        return (size_t)configured;
    return cores > 0 ? (size_t)cores : 1;
}

int32_t weir__topics_partitions(const struct weir__config *config, const struct weir__log_engine *engine)
{
    int64_t configured = weir__config_int(config, "topics.partitions");

    return configured > 0 ? (int32_t)configured : engine->usual_partitions;
}

int64_t weir__transaction_us(const struct weir__config *config)
{
    static const char name[] = "transaction.timeout.ms=";
    int64_t           ms = WEIR__TRANSACTION_MS;

    for (const char *const *pair = weir__config_kafka(config); *pair != NULL; pair++)
        if (strncmp(*pair, name, strlen(name)) == 0)
            (void)weir__parse_int64(*pair + strlen(name), &ms); /* what is no number the client refuses */
    return ms * 1000;
}

void weir__app_settings_read(const struct weir__config *config, const struct weir__log_engine *engine,
                             struct weir__app_settings *ret)
{
    *ret = (struct weir__app_settings){
        .threads = thread_count(weir__config_int(config, "threads")),
        .exactly_once = strcmp(weir__config_text(config, "delivery"), "exactly_once") == 0,
        .commit_interval = weir__config_int(config, "commit.interval.ms"),
        .flush_interval = weir__config_int(config, "state.flush.interval.ms"),
        .purge_interval = weir__config_int(config, "repartition.purge.interval.ms"),
        .shutdown_timeout = weir__config_int(config, "shutdown.timeout.ms"),
        .task_idle = weir__config_int(config, "max.task.idle.ms"),
        .close_interval = weir__config_int(config, "window.close.interval.ms"),
        .buffered = (size_t)weir__config_int(config, "buffered.records.per.partition"),
        .cache_bytes = (size_t)weir__config_int(config, "statestore.cache.max.bytes"),
        .memory = weir__memory_total(weir__config_int(config, "memory.max")),
        .record_memory = (size_t)weir__config_int(config, "record.memory.max"),
        .max_record_bytes = weir__config_int(config, "max.record.bytes"),
        .transaction_us = weir__transaction_us(config),
        .checks_topics = strcmp(weir__config_text(config, "topics.check"), "error") == 0,
        .outlet_timeout = weir__config_int(config, "outlet.timeout.ms"),
        .least_time = strcmp(weir__config_text(config, "log.quirks"), "on") == 0,
        .letters_per_second = weir__config_int(config, "dead.letters.per.second"),
        .on_unreadable = weir__handler_of(weir__config_text(config, "deserialization.handler")),
        .on_failure = weir__handler_of(weir__config_text(config, "processing.handler")),
        .on_refused = weir__handler_of(weir__config_text(config, "production.handler")),
        .partitions = weir__topics_partitions(config, engine),
        .instance = weir__config_text(config, "instance.id"),
    };
}
