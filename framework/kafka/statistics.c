/* statistics.c: what librdkafka tells of its handles every few seconds, kept as it came, read when somebody asks.
 *
 * (1) The thread that is handed a text only keeps it: reading it is up to who asks.
 * (2) The list is the process's, not a log's: a handle that is left behind may outlive its log.
 * (3) Counters are as old as the text; a handle that is gone has no numbers.
 */
#include "framework/json/json.h"
#include "framework/kafka/internal.h"

#include <stdlib.h>

/* Most memory that the reading of one text may take. */
#define READ_BYTES ((size_t)64 << 20)

static pthread_mutex_t    mutex = PTHREAD_MUTEX_INITIALIZER;
static struct statistics *all;

int weir__kafka_statistics_keep(struct weir__log *log, struct statistics *statistics, char *text, size_t size)
{
    pthread_mutex_lock(&mutex);
    if (statistics->log == NULL) {
        statistics->log = log;
        statistics->next = all;
        all = statistics;
    }
    free(statistics->text);
    statistics->text = text;
    statistics->size = size;
    pthread_mutex_unlock(&mutex);
    return 1; /* the library does not free it */
}

void weir__kafka_statistics_drop(struct statistics *statistics)
{
    struct statistics **link = &all;

    pthread_mutex_lock(&mutex);
    while (*link != NULL && *link != statistics)
        link = &(*link)->next;
    if (*link != NULL)
        *link = statistics->next;
    free(statistics->text);
    *statistics = (struct statistics){ 0 };
    pthread_mutex_unlock(&mutex);
}

/* ---- reading ---- */

struct reading {
    weir__take_client *take;
    void              *arg;
    const char        *client;
};

static double number_of(const struct weir_json *json, const char *name)
{
    double value;

    return weir_json_double(weir_json_get(json, name), &value) == WEIR_OK ? value : 0;
}

static void tell(const struct reading *reading, enum weir__family_id family, const char *broker, const char *at,
                 double value)
{
    reading->take(reading->arg, family, (const char *[]){ reading->client, broker, at }, value);
}

static const struct {
    const char          *names[2];
    enum weir__family_id family;
} of_brokers[] = {
    { { "tx", NULL }, WEIR__KAFKA_REQUESTS_FAMILY },
    { { "rx", NULL }, WEIR__KAFKA_RESPONSES_FAMILY },
    { { "txbytes", NULL }, WEIR__KAFKA_SENT_FAMILY },
    { { "rxbytes", NULL }, WEIR__KAFKA_RECEIVED_FAMILY },
    { { "txerrs", "rxerrs" }, WEIR__KAFKA_ERRORS_FAMILY },
    { { "txretries", NULL }, WEIR__KAFKA_RETRIES_FAMILY },
    { { "req_timeouts", NULL }, WEIR__KAFKA_TIMEOUTS_FAMILY },
    { { "disconnects", NULL }, WEIR__KAFKA_DISCONNECTS_FAMILY },
    { { "outbuf_cnt", "waitresp_cnt" }, WEIR__KAFKA_WAITING_FAMILY },
};

/* The library's round trips are in us, its throttling in ms. */
static void read_times(const struct reading *reading, const char *name, const struct weir_json *broker)
{
    static const char *const ats[] = { "p50", "p99", "max" };
    const struct weir_json  *rtt = weir_json_get(broker, "rtt"), *throttle = weir_json_get(broker, "throttle");

    for (size_t i = 0; i < ARRAY_SIZE(ats); i++)
        tell(reading, WEIR__KAFKA_RTT_FAMILY, name, ats[i], number_of(rtt, ats[i]) / 1e6);
    tell(reading, WEIR__KAFKA_THROTTLE_FAMILY, name, NULL, number_of(throttle, "avg") / 1e3);
}

/* One that was never connected to is only a name. */
static void read_broker(const struct reading *reading, struct weir_arena *arena, const struct weir_json *broker)
{
    struct weir_text state = { 0 };
    const char      *name;

    if (number_of(broker, "connects") + number_of(broker, "disconnects") == 0)
        return;
    name = weir__arena_printf(arena, "%.*s", (int)broker->name.size, broker->name.data);
    if (name == NULL)
        return;
    (void)weir_json_text(weir_json_get(broker, "state"), &state);
    tell(reading, WEIR__KAFKA_UP_FAMILY, name, NULL, state.size == 2 && memcmp(state.data, "UP", 2) == 0);
    for (size_t i = 0; i < ARRAY_SIZE(of_brokers); i++) {
        double value = number_of(broker, of_brokers[i].names[0]);

        if (of_brokers[i].names[1] != NULL)
            value += number_of(broker, of_brokers[i].names[1]);
        tell(reading, of_brokers[i].family, name, NULL, value);
    }
    read_times(reading, name, broker);
}

static double sum_partitions(const struct weir_json *root, const char *name)
{
    const struct weir_json *topics = weir_json_get(root, "topics");
    double                  sum = 0;

    for (const struct weir_json *topic = topics != NULL ? topics->child : NULL; topic != NULL; topic = topic->next) {
        const struct weir_json *parts = weir_json_get(topic, "partitions");

        for (const struct weir_json *part = parts != NULL ? parts->child : NULL; part != NULL; part = part->next)
            sum += number_of(part, name);
    }
    return sum;
}

static void read_client(const struct reading *reading, enum client kind, const struct weir_json *root)
{
    switch (kind) {
    case CLIENT_PRODUCER:
        tell(reading, WEIR__KAFKA_UNSENT_FAMILY, NULL, NULL, number_of(root, "msg_cnt"));
        tell(reading, WEIR__KAFKA_UNSENT_BYTES_FAMILY, NULL, NULL, number_of(root, "msg_size"));
        break;
    case CLIENT_READER:
        tell(reading, WEIR__KAFKA_FETCHED_FAMILY, NULL, NULL, sum_partitions(root, "fetchq_cnt"));
        tell(reading, WEIR__KAFKA_FETCHED_BYTES_FAMILY, NULL, NULL, sum_partitions(root, "fetchq_size"));
        break;
    case CLIENT_MEMBER:
        tell(reading, WEIR__KAFKA_REBALANCES_FAMILY, NULL, NULL,
             number_of(weir_json_get(root, "cgrp"), "rebalance_cnt"));
        break;
    case CLIENT_LOOKING: break;
    }
}

static void read_text(struct reading *reading, struct weir_arena *arena, enum client kind, struct weir_text text)
{
    const struct weir_json *root, *brokers;
    struct weir_text        name;

    if (weir_json_parse(arena, text, &root, NULL) < 0 || weir_json_text(weir_json_get(root, "name"), &name) < 0)
        return;
    reading->client = weir__arena_printf(arena, "%.*s", (int)name.size, name.data);
    if (reading->client == NULL)
        return;
    read_client(reading, kind, root);
    brokers = weir_json_get(root, "brokers");
    for (const struct weir_json *broker = brokers != NULL ? brokers->child : NULL; broker != NULL;
         broker = broker->next)
        read_broker(reading, arena, broker);
}

/* A copy of the n-th text of the log. data NULL: there are no more, or there is no memory. */
static struct weir_text copy_text(const struct weir__log *log, size_t n, struct weir_arena *arena,
                                  enum client *ret_kind)
{
    struct weir_text text = { 0 };

    pthread_mutex_lock(&mutex);
    for (const struct statistics *at = all; at != NULL; at = at->next) {
        if (at->log != log || n-- > 0)
            continue;
        text = (struct weir_text){ weir__arena_copy(arena, at->text, at->size), at->size };
        *ret_kind = at->kind;
        break;
    }
    pthread_mutex_unlock(&mutex);
    return text;
}

void weir__kafka_clients(struct weir__log *log, weir__take_client *take, void *arg)
{
    struct reading    reading = { .take = take, .arg = arg };
    struct weir_arena arena;
    struct weir_text  text;
    enum client       kind;

    weir__arena_init(&arena, READ_BYTES);
    for (size_t i = 0; (text = copy_text(log, i, &arena, &kind)).data != NULL; i++) {
        read_text(&reading, &arena, kind, text);
        weir__arena_reset(&arena);
    }
    weir__arena_fini(&arena);
}
