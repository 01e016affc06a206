/* client.c: handles of librdkafka: their settings, its words in our log, its codes as ours; waiting.
 *
 * (1) Order of strength: our own settings, which nobody may change, the user's, those of the queues, the defaults of the
 *     kind.
 * (2) message.timeout.ms < transaction.timeout.ms: no record outlives its transaction. By default transactions end before
 *     the membership of who is gone; where the user says otherwise, who takes its partitions over waits for the longer one.
 */
#include "framework/config/config.h"
#include "framework/kafka/internal.h"
#include "framework/logging/logging.h"

#include <strings.h>
#include <time.h>

#define SERVERS         "bootstrap.servers"
#define TEXT(number)    #number
#define TEXT_OF(number) TEXT(number)
/* What a record's own frame may add to key, value and headers. */
#define FRAME_BYTES 65536

/* What the engine stands on. */
static const char *const ours[] = { "auto.offset.reset",   "enable.auto.commit",   "enable.auto.offset.store",
                                    "enable.idempotence",  "enable.partition.eof", "group.id",
                                    "group.instance.id",   "isolation.level",      "message.timeout.ms",
                                    "delivery.timeout.ms", "message.max.bytes",    "partition.assignment.strategy",
                                    "transactional.id" };

static const struct pair for_all[] = { { "client.id", "weir" },
                                       { "socket.nagle.disable", "true" },
                                       { "reconnect.backoff.max.ms", "1000" },
                                       { NULL, NULL } };
static const struct pair for_telling[] = { { "statistics.interval.ms", TEXT_OF(STATISTICS_MS) }, { NULL, NULL } };
static const struct pair for_reading[] = { { "fetch.error.backoff.ms", "100" },
                                           /* the end of what is read, behind a marker, is told by an empty answer */
                                           { "fetch.wait.max.ms", "100" },
#if RD_KAFKA_VERSION >= 0x020200ff /* before it this is a second: poll.c (3) */
                                           { "fetch.queue.backoff.ms", "3" },
#endif
                                           { NULL, NULL } };
static const struct pair for_member[] = { { "session.timeout.ms", "10000" },
                                          { "heartbeat.interval.ms", "3000" },
                                          { "topic.metadata.refresh.interval.ms", "30000" },
                                          { NULL, NULL } };
static const struct pair for_producer[] = { { "transaction.timeout.ms", TEXT_OF(TRANSACTION_MS) }, { NULL, NULL } };

/* ---- settings ---- */

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct weir_error *reterr)
{
    char where[160], words[320];

    if (rd_kafka_conf_set(conf, name, value, words, sizeof(words)) == RD_KAFKA_CONF_OK)
        return WEIR_OK;
    snprintf(where, sizeof(where), "kafka.%s", name);
    return weir__fail(reterr, WEIR_BAD_CONFIG, where, "librdkafka does not take it: %s", words);
}

static int set_all(rd_kafka_conf_t *conf, const struct pair *pairs, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (; err == WEIR_OK && pairs->name != NULL; pairs++)
        err = set(conf, pairs->name, pairs->value, reterr);
    return err;
}

/* "sasl.password.file" and the like: the file has the value. */
static int set_one(rd_kafka_conf_t *conf, char *name, const char *value, struct weir_error *reterr)
{
    AUTO(weir__secret_fini) struct weir__buf secret = { 0 };
    char                                    *ending = strrchr(name, '.');
    int                                      err;

    if (ending == NULL || strcmp(ending, ".file") != 0)
        return set(conf, name, value, reterr);
    *ending = '\0';
    if (value[0] == '\0')
        return weir__fail(reterr, WEIR_BAD_CONFIG, name, "kafka.%s.file names no file", name);
    err = weir__secret_read(value, &secret, reterr);
    return err == WEIR_OK ? set(conf, name, secret.data, reterr) : err;
}

static int set_given(rd_kafka_conf_t *conf, const char *const *settings, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (; err == WEIR_OK && settings != NULL && *settings != NULL; settings++) {
        const char *equals = strchr(*settings, '=');
        char        name[128];

        if (equals == NULL || (size_t)(equals - *settings) >= sizeof(name))
            return weir__fail(reterr, WEIR_BAD_CONFIG, *settings, "write kafka.NAME = VALUE");
        memcpy(name, *settings, (size_t)(equals - *settings));
        name[equals - *settings] = '\0';
        err = set_one(conf, name, equals + 1, reterr);
    }
    return err;
}

const char *weir__kafka_value_of(const char *const *settings, const char *name)
{
    size_t size = strlen(name);

    for (; settings != NULL && *settings != NULL; settings++)
        if (strncmp(*settings, name, size) == 0 && (*settings)[size] == '=')
            return *settings + size + 1;
    return NULL;
}

/* Without a mechanism librdkafka takes Kerberos, and without a way to tokens it waits for ever. */
static int check_mechanism(const char *const *settings, struct weir_error *reterr)
{
    const char *protocol = weir__kafka_value_of(settings, "security.protocol");
    const char *mechanism = weir__kafka_value_of(settings, "sasl.mechanism");
    const char *method = weir__kafka_value_of(settings, "sasl.oauthbearer.method");

    if (mechanism == NULL)
        mechanism = weir__kafka_value_of(settings, "sasl.mechanisms");
    if (mechanism == NULL && protocol != NULL && strncasecmp(protocol, "sasl_", 5) == 0)
        return weir__fail(
            reterr, WEIR_BAD_CONFIG, "kafka.sasl.mechanism",
            "it is missing beside kafka.security.protocol=%.40s: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or "
            "OAUTHBEARER",
            protocol);
    if (mechanism != NULL && strcasecmp(mechanism, "OAUTHBEARER") == 0 && method == NULL)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "kafka.sasl.oauthbearer.method",
                          "it is missing beside OAUTHBEARER: set oidc, and who gives out tokens "
                          "(kafka.sasl.oauthbearer.*)");
    return WEIR_OK;
}

int weir__kafka_check_settings(const char *const *settings, struct weir_error *reterr)
{
    rd_kafka_conf_t *conf;
    int              err;

    if (weir__kafka_value_of(settings, SERVERS) == NULL &&
        weir__kafka_value_of(settings, "metadata.broker.list") == NULL)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "kafka." SERVERS,
                          "where are the brokers? Set kafka." SERVERS " = HOST:PORT,HOST:PORT");
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        if (weir__kafka_value_of(settings, ours[i]) != NULL)
            return weir__fail(reterr, WEIR_BAD_CONFIG, ours[i],
                              "what is committed and read stands on it: take kafka.%s away", ours[i]);
    if (check_mechanism(settings, reterr) < 0)
        return WEIR_BAD_CONFIG;
    conf = rd_kafka_conf_new();
    err = set_given(conf, settings, reterr);
    rd_kafka_conf_destroy(conf);
    return err;
}

int weir__kafka_given(const struct weir__log *log, const char *name, int otherwise)
{
    const char *text = weir__kafka_value_of((const char *const *)log->settings, name);
    int64_t     number;

    return text != NULL && weir__parse_int64(text, &number) == WEIR_OK ? (int)MIN(number, INT32_MAX) : otherwise;
}

/* ---- handles ---- */

/* The library's own words, from any of its threads. What it only tries again is no news. */
static void say(const rd_kafka_t *rk, int level, const char *topic, const char *text)
{
    if (strcmp(topic, "CONFWARN") == 0) /* a producer's setting that a consumer was handed, and the like */
        return;
    weir__say(level <= 3 ? WEIR__WARN : WEIR__DEBUG, "kafka", "client", "s", rk != NULL ? rd_kafka_name(rk) : "",
              "about", "s", topic, "text", "s", text, NULL);
}

static int set_kind(rd_kafka_conf_t *conf, enum client kind, struct weir_error *reterr)
{
    int err = set_all(conf, for_all, reterr);

    if (err == WEIR_OK && kind != CLIENT_LOOKING)
        err = set_all(conf, for_telling, reterr);
    if (err == WEIR_OK && kind == CLIENT_READER)
        err = set_all(conf, for_reading, reterr);
    if (err == WEIR_OK && kind == CLIENT_MEMBER)
        err = set_all(conf, for_member, reterr);
    if (err == WEIR_OK && kind == CLIENT_PRODUCER)
        err = set_all(conf, for_producer, reterr);
    return err;
}

static int set_frame(const struct weir__log *log, rd_kafka_conf_t *conf, struct weir_error *reterr)
{
    char most[32];

    snprintf(most, sizeof(most), "%lld", (long long)MAX(MIN(log->max_bytes, 999000000), 1000) + FRAME_BYTES);
    return set(conf, "message.max.bytes", most, reterr);
}

int weir__kafka_client(struct weir__log *log, enum client kind, const struct pair *queues, const struct pair *own,
                       void (*prepare)(rd_kafka_conf_t *conf, void *arg), void *arg, rd_kafka_t **ret,
                       struct weir_error *reterr)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char             words[512];
    int              err = set_kind(conf, kind, reterr);

    if (err == WEIR_OK && queues != NULL)
        err = set_all(conf, queues, reterr);
    if (err == WEIR_OK)
        err = set_given(conf, (const char *const *)log->settings, reterr);
    if (err == WEIR_OK && kind == CLIENT_PRODUCER)
        err = set_frame(log, conf, reterr);
    if (err == WEIR_OK)
        err = set_all(conf, own, reterr);
    if (err < 0) {
        rd_kafka_conf_destroy(conf);
        return err;
    }
    rd_kafka_conf_set_log_cb(conf, say);
    if (prepare != NULL)
        prepare(conf, arg);
    *ret = rd_kafka_new(kind == CLIENT_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, words, sizeof(words));
    if (*ret != NULL)
        return weir__kafka_secrets_add(log, ret, reterr);
    rd_kafka_conf_destroy(conf);
    return weir__fail(reterr, WEIR_BAD_CONFIG, "kafka", "librdkafka makes no client of these settings: %s", words);
}

/* ---- codes ---- */

static const struct {
    rd_kafka_resp_err_t err;
    int                 code;
} codes[] = {
    { RD_KAFKA_RESP_ERR_NO_ERROR, WEIR_OK },
    { RD_KAFKA_RESP_ERR__TIMED_OUT, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__TRANSPORT, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__RESOLVE, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__WAIT_COORD, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__WAIT_CACHE, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__IN_PROGRESS, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_NOT_COORDINATOR, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_NOT_CONTROLLER, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, WEIR_AGAIN },
    { RD_KAFKA_RESP_ERR__QUEUE_FULL, WEIR_FULL },
    { RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, WEIR_NOTFOUND },
    { RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, WEIR_NOTFOUND },
    { RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, WEIR_NOTFOUND },
    { RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, WEIR_NOTFOUND },
    { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, WEIR_TOO_LARGE },
    { RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, WEIR_TOO_LARGE },
    { RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, WEIR_BAD_TIME },
    { RD_KAFKA_RESP_ERR_INVALID_RECORD, WEIR_REJECTED },
    { RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, WEIR_LOST },
    { RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, WEIR_LOST },
    { RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, WEIR_BUSY },
    { RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP, WEIR_BUSY },
    { RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC, WEIR_BUSY },
    { RD_KAFKA_RESP_ERR__FENCED, WEIR_FENCED },
    { RD_KAFKA_RESP_ERR__FATAL, WEIR_FENCED },
    { RD_KAFKA_RESP_ERR_PRODUCER_FENCED, WEIR_FENCED },
    { RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, WEIR_FENCED },
    { RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, WEIR_BAD_NAME },
    { RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, WEIR_BAD_ARGUMENT },
    { RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, WEIR_BAD_ARGUMENT },
    { RD_KAFKA_RESP_ERR_INVALID_CONFIG, WEIR_BAD_CONFIG },
    { RD_KAFKA_RESP_ERR_POLICY_VIOLATION, WEIR_BAD_CONFIG },
    { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, WEIR_FORBIDDEN },
    { RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, WEIR_FORBIDDEN },
    { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, WEIR_FORBIDDEN },
    { RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, WEIR_FORBIDDEN },
    { RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, WEIR_BAD_CONFIG },
    { RD_KAFKA_RESP_ERR__AUTHENTICATION, WEIR_BAD_CONFIG },
    { RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, WEIR_UNSUPPORTED },
};

int weir__kafka_code(rd_kafka_resp_err_t err)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (codes[i].err == err)
            return codes[i].code;
    return WEIR_IO;
}

/* ---- time ---- */

int64_t weir__kafka_now(struct weir__log *log)
{
    return log->clock != NULL ? log->clock(log->clock_arg) : weir__wall_ms();
}

int weir__kafka_left(const struct weir__log *log, int64_t deadline)
{
    int64_t now = log->clock != NULL ? log->clock(log->clock_arg) : weir__wall_ms();

    return (int)MIN(MAX(deadline - now, 1), INT32_MAX);
}

bool weir__kafka_later(struct weir__log *log, int64_t deadline)
{
    if (weir__kafka_now(log) >= deadline)
        return false;
    nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    return true;
}

/* ---- aside ---- */

struct aside {
    pthread_mutex_t mutex;
    pthread_cond_t  ended;
    void (*run)(void *arg);
    void *arg;
    bool  done, left;
};

static void aside_free(struct aside *aside)
{
    pthread_cond_destroy(&aside->ended);
    pthread_mutex_destroy(&aside->mutex);
    weir__free(aside);
}

static void *run_aside(void *arg)
{
    struct aside *aside = arg;
    bool          left;

    aside->run(aside->arg);
    pthread_mutex_lock(&aside->mutex);
    aside->done = true;
    left = aside->left;
    pthread_cond_signal(&aside->ended);
    pthread_mutex_unlock(&aside->mutex);
    if (left)
        aside_free(aside);
    return NULL;
}

struct timespec weir__kafka_until(const struct weir__log *log, int64_t deadline)
{
    int             left = weir__kafka_left(log, deadline);
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += left / 1000;
    at.tv_nsec += left % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

int weir__kafka_aside(struct weir__log *log, void (*run)(void *arg), void *arg, int64_t deadline)
{
    struct aside   *aside = weir__zalloc(sizeof(*aside));
    struct timespec end = weir__kafka_until(log, deadline);
    pthread_t       thread;
    bool            done;

    if (aside == NULL)
        return WEIR_NO_MEMORY;
    pthread_mutex_init(&aside->mutex, NULL);
    pthread_cond_init(&aside->ended, NULL);
    aside->run = run;
    aside->arg = arg;
    if (pthread_create(&thread, NULL, run_aside, aside) != 0) {
        aside_free(aside);
        return WEIR_NO_MEMORY;
    }
    pthread_detach(thread);
    pthread_mutex_lock(&aside->mutex);
    while (!aside->done && pthread_cond_timedwait(&aside->ended, &aside->mutex, &end) == 0)
        continue;
    done = aside->done;
    aside->left = !done;
    pthread_mutex_unlock(&aside->mutex);
    if (done)
        aside_free(aside);
    return done ? WEIR_OK : WEIR_AGAIN;
}
