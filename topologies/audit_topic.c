/* audit_topic.c: the audit trail's topic in Kafka: events sent by a writer's thread, and all of them read again.
 *
 * (1) The writer has a client of its own, opened when there is something to write: it depends on nothing that the pipeline does.
 * (2) The key is the chain, so a chain is in one partition, in order; after an outage some of it may be there twice.
 */
#include "topologies/audit.h"
#include "topologies/commands.h"

#define CALL_MS 10000

struct topic {
    const struct weir__program    *program;
    const char                    *name;
    const struct weir__log_engine *engine;
    struct weir__log              *log;      /* NULL = not open */
    struct weir__producer         *producer; /* NULL = none */
    bool                           sent;     /* the events in hand: their commit is asked for again */
};

/* ---- writing ---- */

static void close_producer(struct topic *topic)
{
    topic->engine->producer_close(topic->producer);
    topic->producer = NULL;
    topic->sent = false;
}

static void close_topic(void *arg)
{
    struct topic *topic = arg;

    close_producer(topic);
    topic->engine->close(topic->log);
    weir__free(topic);
}

static int open_topic(struct topic *topic, int64_t deadline, struct weir_error *reterr)
{
    static const char *const settings[] = { "message.timestamp.type=CreateTime", "cleanup.policy=delete",
                                            "retention.ms=31536000000", "retention.bytes=-1", NULL };
    const struct weir__topic made = { .name = topic->name,
                                      .partitions = weir__topics_partitions(topic->program->settings, topic->engine),
                                      .settings = settings };
    int                      err = topic->engine->ensure(topic->log, &made, 1, deadline, NULL, NULL, reterr);

    return err == WEIR_OK ? topic->engine->producer(topic->log, NULL, deadline, &topic->producer, reterr) : err;
}

static int send_event(struct topic *topic, const struct weir__audit_event *event)
{
    const char          *chain = event->texts[WEIR__AUDIT_CHAIN];
    struct weir_json_out json = { 0 };
    struct weir__raw     raw = { .topic = topic->name, .partition = -1, .timestamp = event->time / 1000 };
    int                  err = WEIR_NO_MEMORY;

    weir__audit_print(event, &json);
    raw.key = BYTES(chain, strlen(chain));
    raw.value = BYTES(json.buf.data, json.buf.size);
    if (weir__buf_ok(&json.buf))
        err = topic->engine->send(topic->producer, &raw, 0);
    weir__json_out_fini(&json);
    return err;
}

static int send_all(struct topic *topic, const struct weir__audit_event *const *events, size_t count)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && !topic->sent && i < count; i++)
        err = send_event(topic, events[i]);
    topic->sent = err == WEIR_OK;
    return err;
}

static int write_events(void *arg, const struct weir__audit_event *const *events, size_t count, int64_t ms,
                        struct weir_error *reterr)
{
    struct topic *topic = arg;
    int64_t       deadline;
    int           err = WEIR_OK;

    if (topic->log == NULL)
        err = weir__broker_open(topic->program, NULL, &topic->log, reterr);
    if (err < 0)
        return err;
    deadline = topic->engine->now(topic->log) + ms;
    if (topic->producer == NULL)
        err = open_topic(topic, deadline, reterr);
    if (err < 0)
        return err;
    err = send_all(topic, events, count);
    if (err == WEIR_OK)
        err = topic->engine->commit(topic->producer, NULL, NULL, 0, NULL, 0, deadline);
    if (err < 0)
        weir__fail(reterr, err, topic->name, "the brokers do not take it: %s", weir_code_text(err));
    topic->sent = topic->sent && err == WEIR_AGAIN;
    if (err < 0 && err != WEIR_AGAIN) /* another one sends them all once more */
        close_producer(topic);
    return err;
}

int market_audit_topic(const struct weir__program *program, struct weir__audit_writer *ret, struct weir_error *reterr)
{
    const char   *name = weir__config_text(program->settings, "audit.topic");
    struct topic *topic;

    if (name == NULL)
        return WEIR_NOTHING;
    if (!weir__legal_name(name))
        return weir__fail(reterr, WEIR_BAD_CONFIG, "audit.topic", "\"%.100s\" is no name of a topic", name);
    if (program->engines->kafka == NULL || weir__config_kafka(program->settings)[0] == NULL)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "audit.topic",
                          "it is a topic of Kafka: set kafka.bootstrap.servers");
    topic = weir__zalloc(sizeof(*topic));
    if (topic == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "audit", "out of memory");
    *topic = (struct topic){ .program = program, .name = name, .engine = program->engines->kafka };
    *ret = (struct weir__audit_writer){ .name = "kafka", .arg = topic, .write = write_events, .close = close_topic };
    return WEIR_OK;
}

/* ---- reading ---- */

struct reading {
    const char        *topic;
    market_take_event *take;
    void              *arg;
    struct weir_arena  arena;
};

static const char *text_of(struct weir_arena *arena, const struct weir_json *json, const char *name)
{
    struct weir_text text;

    if (weir_json_text(weir_json_get(json, name), &text) < 0)
        return NULL;
    return weir__arena_printf(arena, "%.*s", (int)text.size, text.data);
}

static bool parse_event(const struct weir__raw *raw, struct weir_arena *arena, struct weir__audit_event *ret)
{
    const struct weir_json *json;
    const char             *hash;
    int64_t                 number;

    *ret = (struct weir__audit_event){ 0 };
    if (raw->value.data == NULL ||
        weir_json_parse(arena, (struct weir_text){ raw->value.data, raw->value.size }, &json, NULL) < 0 ||
        weir_json_int64(weir_json_get(json, "sequence"), &number) < 0 ||
        weir_json_int64(weir_json_get(json, "chain_started"), &ret->began) < 0 ||
        weir_json_int64(weir_json_get(json, "event_time"), &ret->time) < 0)
        return false;
    ret->number = (uint64_t)number;
    hash = text_of(arena, json, "event_hash");
    if (hash == NULL || strlen(hash) >= sizeof(ret->hash))
        return false;
    strcpy(ret->hash, hash);
    for (size_t i = 0; i < WEIR__AUDIT_TEXT_COUNT; i++)
        if ((ret->texts[i] = text_of(arena, json, weir__audit_names[i])) == NULL)
            return false;
    return true;
}

static int take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct reading          *reading = arg;
    struct weir__audit_event event;

    weir__arena_reset(&reading->arena);
    if (!parse_event(raw, &reading->arena, &event))
        return weir__fail(reterr, WEIR_REJECTED, reading->topic, "the record at %d:%lld is no event of the trail",
                          raw->partition, (long long)raw->offset);
    return reading->take(reading->arg, &event, reterr);
}

int market_audit_read_topic(const struct weir__program *program, market_take_event *take, void *arg,
                            struct weir_error *reterr)
{
    struct reading      reading = { .topic = weir__config_text(program->settings, "audit.topic"),
                                    .take = take,
                                    .arg = arg };
    struct weir__looked looked;
    int32_t             count = 0;
    int                 err;

    if (reading.topic == NULL)
        return WEIR_NOTHING;
    err = weir__looked_at_broker(program, NULL, &looked, reterr);
    if (err == WEIR_OK) {
        err = looked.engine->partitions(looked.log, reading.topic, looked.engine->now(looked.log) + CALL_MS, &count);
        if (err < 0)
            weir__fail(reterr, err, reading.topic, "the topic cannot be read: %s", weir_code_text(err));
    }
    if (err == WEIR_OK)
        err = weir__read_topic(looked.engine, looked.log, reading.topic, count, take_record, &reading, reterr);
    weir__arena_fini(&reading.arena);
    weir__looked_close(&looked);
    return err;
}
