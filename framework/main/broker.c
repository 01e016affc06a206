/* broker.c: the log that is Apache Kafka, opened by the program's settings. */
#include "framework/main/commands.h"

#define ASK_MS 1000

static bool names_servers(const char *setting)
{
    return strncmp(setting, "bootstrap.servers=", strlen("bootstrap.servers=")) == 0 ||
           strncmp(setting, "metadata.broker.list=", strlen("metadata.broker.list=")) == 0;
}

const char *weir__broker_servers(const struct weir__program *program)
{
    for (const char *const *setting = weir__config_kafka(program->settings); *setting != NULL; setting++)
        if (names_servers(*setting))
            return strchr(*setting, '=') + 1;
    return "kafka.bootstrap.servers";
}

/* The settings with other brokers. Names belong to settings but for the first one, which is at's. NULL: out of memory. */
static const char **at_servers(const char *const *settings, const char *at)
{
    size_t       count = 0, kept = 1;
    const char **list;

    while (settings[count] != NULL)
        count++;
    list = weir__zalloc(sizeof(*list) * (count + 2));
    if (list == NULL)
        return NULL;
    list[0] = at;
    for (size_t i = 0; i < count; i++)
        if (!names_servers(settings[i]))
            list[kept++] = settings[i];
    return list;
}

/* -1, no bound, is what the log's 0 says. */
static int64_t retention_of(const struct weir__program *program)
{
    int64_t configured = weir__config_int(program->settings, "topics.retention.bytes");

    return MAX(configured != 0 ? configured : program->retention_bytes, 0);
}

static int open_with(const struct weir__program *program, const char *const *settings, struct weir__log **ret,
                     struct weir_error *reterr)
{
    int64_t                 total = weir__memory_total(weir__config_int(program->settings, "memory.max"));
    struct weir__log_config config = { .settings = settings,
                                       .memory = weir__memory_of_log(total),
                                       .message_max_bytes = weir__config_int(program->settings, "max.record.bytes"),
                                       .replication = (int)weir__config_int(program->settings, "topics.replication"),
                                       .retention_bytes = retention_of(program) };

    return program->engines->kafka->open(&config, ret, reterr);
}

int weir__broker_open(const struct weir__program *program, const char *servers, struct weir__log **ret,
                      struct weir_error *reterr)
{
    const char *const *settings = weir__config_kafka(program->settings);
    const char       **list;
    char               at[1024];
    int                err;

    if (servers == NULL)
        return open_with(program, settings, ret, reterr);
    snprintf(at, sizeof(at), "bootstrap.servers=%s", servers);
    list = at_servers(settings, at);
    if (list == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "out of memory");
    err = open_with(program, list, ret, reterr);
    weir__free(list);
    return err;
}

static void pass_over(void *arg, const char *name)
{
    (void)arg;
    (void)name;
}

int weir__broker_ask(const struct weir__log_engine *engine, struct weir__log *log)
{
    return engine->topics(log, engine->now(log) + ASK_MS, pass_over, NULL);
}
