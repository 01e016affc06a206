/* engine.c: the Kafka engine's table, and a log opened and closed. */
#include "framework/kafka/internal.h"

#define MESSAGE_MAX ((int64_t)1 << 20)

static char **copy_settings(const char *const *settings)
{
    size_t count = 0;
    char **copy;

    while (settings != NULL && settings[count] != NULL)
        count++;
    copy = weir__zalloc(sizeof(*copy) * (count + 1));
    for (size_t i = 0; copy != NULL && i < count; i++)
        copy[i] = weir__strdup(settings[i]);
    return copy;
}

static void close_log(struct weir__log *log)
{
    if (log == NULL)
        return;
    weir__kafka_opening_close(log);
    weir__kafka_askers_close(log);
    if (log->any != NULL)
        weir__kafka_client_close(log, log->any, 0);
    if (log->stable != NULL)
        weir__kafka_client_close(log, log->stable, 0);
    weir__kafka_secrets_close(log);
    weir__free(log->clients);
    for (size_t i = 0; log->settings != NULL && log->settings[i] != NULL; i++)
        weir__free(log->settings[i]);
    weir__free(log->settings);
    for (size_t i = 0; i < log->known_count; i++)
        weir__free(log->known[i].name);
    weir__free(log->known);
    pthread_mutex_destroy(&log->client_mutex);
    pthread_mutex_destroy(&log->mutex);
    weir__free(log);
}

static int make_clients(struct weir__log *log, struct weir_error *reterr)
{
    /* librdkafka 2.0.2 takes the group of its own handle for that of any answer about committed offsets which says that the
     * coordinator has moved: without one it crashes. Nobody joins this one. */
    static const struct pair uncommitted[] = { { "isolation.level", "read_uncommitted" },
                                               { "group.id", "weir" },
                                               { NULL, NULL } };
    static const struct pair committed[] = { { "isolation.level", "read_committed" }, { NULL, NULL } };
    int                      err =
        weir__kafka_client(log, CLIENT_LOOKING, NULL, uncommitted, weir__kafka_refusal_heed, log, &log->any, reterr);

    return err == WEIR_OK ? weir__kafka_client(log, CLIENT_LOOKING, NULL, committed, NULL, NULL, &log->stable, reterr)
                          : err;
}

/* Asks nobody: a broker that is not there shows in the first call. */
static int open_log(const struct weir__log_config *config, struct weir__log **ret, struct weir_error *reterr)
{
    struct weir__log *log;
    int               err = weir__kafka_check_settings(config->settings, reterr);

    if (err < 0)
        return err;
    log = weir__zalloc(sizeof(*log));
    if (log == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "no memory for a log");
    pthread_mutex_init(&log->mutex, NULL);
    pthread_mutex_init(&log->client_mutex, NULL);
    log->clock = config->clock;
    log->clock_arg = config->clock_arg;
    log->max_bytes = config->message_max_bytes > 0 ? config->message_max_bytes : MESSAGE_MAX;
    log->memory = config->memory;
    log->replication = config->replication;
    log->retention = config->retention_bytes;
    log->settings = copy_settings(config->settings);
    err = log->settings != NULL ? weir__kafka_secrets_open(log, reterr)
                                : weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "no memory for a log");
    if (err == WEIR_OK)
        err = make_clients(log, reterr);
    if (err < 0)
        close_log(log);
    else
        *ret = log;
    return err;
}

static char library_name[64];

static void name_library(void)
{
    snprintf(library_name, sizeof(library_name), "librdkafka %s", rd_kafka_version_str());
}

static const char *library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, name_library);
    return library_name;
}

static bool marks(struct weir__log *log)
{
    (void)log;
    return true;
}

const struct weir__log_engine weir__kafka_engine = { .name = "kafka",
                                                     .usual_partitions = 12,
                                                     .marks = marks,
                                                     .library = library,
                                                     .open = open_log,
                                                     .close = close_log,
                                                     .partitions = weir__kafka_partitions,
                                                     .ensure = weir__kafka_ensure,
                                                     .grow = weir__kafka_grow,
                                                     .trim = weir__kafka_trim,
                                                     .ends = weir__kafka_ends,
                                                     .offset_at = weir__kafka_offset_at,
                                                     .committed = weir__kafka_committed,
                                                     .group_members = weir__kafka_group_members,
                                                     .set_committed = weir__kafka_set_committed,
                                                     .remove = weir__kafka_remove,
                                                     .settings = weir__kafka_settings,
                                                     .topics = weir__kafka_topics,
                                                     .clients = weir__kafka_clients,
                                                     .refused = weir__kafka_refused,
                                                     .now = weir__kafka_now,
                                                     .expect = weir__kafka_expect,
                                                     .join = weir__kafka_join,
                                                     .tail = weir__kafka_tail,
                                                     .members = weir__kafka_members,
                                                     .poll = weir__kafka_poll,
                                                     .release = weir__kafka_release,
                                                     .take = weir__kafka_take,
                                                     .hold = weir__kafka_hold,
                                                     .valid = weir__kafka_valid,
                                                     .over = weir__kafka_over,
                                                     .leave = weir__kafka_leave,
                                                     .wake = weir__kafka_wake,
                                                     .producer = weir__kafka_producer,
                                                     .producer_close = weir__kafka_producer_close,
                                                     .send = weir__kafka_send,
                                                     .commit = weir__kafka_commit,
                                                     .abort = weir__kafka_abort,
                                                     .failed = weir__kafka_failed,
                                                     .sent = weir__kafka_sent };
