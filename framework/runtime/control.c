/* control.c: what all processes of an application agree on, kept in a topic of its own.
 *
 *     <application.id>-weir-control: one partition, compacted. Key "control", value {"epoch":1,"identity":"5f0c..."}, and
 *     "unfinished":true while a reset is on its way.
 *
 * (1) The last record counts. It is changed under a producer of one name: who changes it fences everyone else who is about to,
 *     and reads again before it writes. So processes that start at once agree.
 * (2) The epoch counts rebuilds, from 1, and never falls. The identity is the state's: state kept under another one is not to be
 *     gone on with.
 * (3) A change may be repeated: an attempt whose outcome is not known is followed by one that reads first.
 */
#include "framework/json/json.h"
#include "framework/runtime/internal.h"

#include <sys/random.h>
#include <time.h>

#define KEY "control"
/* How long brokers may keep us waiting, us. */
#define PATIENCE (60 * INT64_C(1000000))
/* When a start that waits says so. */
#define TELL_US (10 * INT64_C(1000000))

int weir__random_name(char *ret, size_t size, const char *what, struct weir_error *reterr)
{
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return weir__fail(reterr, WEIR_IO, what, "the system gives no random bytes");
    snprintf(ret, size, "%016llx", (unsigned long long)random);
    return WEIR_OK;
}

void weir__control_topic(const char *application, char *ret, size_t size)
{
    snprintf(ret, size, "%s-weir-control", application);
}

static int64_t call_by(const struct weir__control_at *at) { return at->engine->now(at->log) + WEIR__CALL_MS; }

/* ---- reading ---- */

struct reading {
    const char           *topic;
    struct weir__control *control;
    bool                  found;
};

static int parse(struct weir_text text, struct weir_arena *arena, struct weir__control *ret)
{
    const struct weir_json *json, *unfinished;
    struct weir_text        identity;
    int                     err = weir_json_parse(arena, text, &json, NULL);

    *ret = (struct weir__control){ 0 };
    if (err == WEIR_OK)
        err = weir_json_int64(weir_json_get(json, "epoch"), &ret->epoch);
    if (err == WEIR_OK)
        err = weir_json_text(weir_json_get(json, "identity"), &identity);
    if (err < 0 || ret->epoch < 1 || identity.size == 0 || identity.size >= sizeof(ret->identity))
        return WEIR_CORRUPT;
    memcpy(ret->identity, identity.data, identity.size);
    unfinished = weir_json_get(json, "unfinished");
    ret->unfinished = unfinished != NULL && unfinished->type == WEIR_JSON_TRUE;
    return WEIR_OK;
}

static int take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct reading   *reading = arg;
    struct weir_arena arena;
    int               err;

    weir__arena_init(&arena, 0);
    err = parse((struct weir_text){ raw->value.data, raw->value.size }, &arena, reading->control);
    weir__arena_fini(&arena);
    reading->found = true;
    return err < 0 ? weir__fail(reterr, err, reading->topic,
                                "the record at offset %lld is none of ours: \"%.*s\"; remove the topic and run "
                                "\"reset\"",
                                (long long)raw->offset, (int)MIN(raw->value.size, (size_t)80),
                                raw->value.data != NULL ? (const char *)raw->value.data : "")
                   : WEIR_OK;
}

static int read_topic(const struct weir__control_at *at, const char *topic, struct weir__control *ret,
                      struct weir_error *reterr)
{
    struct reading reading = { .topic = topic, .control = ret };
    int err = weir__read_partition(at->engine, at->log, (struct weir__tp){ .topic = topic }, 0, take_record, &reading,
                                   reterr);

    return err == WEIR_OK && !reading.found ? WEIR_NOTFOUND : err;
}

/* ---- trying again ---- */

static bool may_pass(int err)
{
    return err == WEIR_AGAIN || err == WEIR_IO || err == WEIR_FENCED || err == WEIR_ABORT;
}

static void nap(void) { nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL); }

/* What one attempt does; any of its parts may find the log away for a while. */
typedef int attempt_at(const struct weir__control_at *at, const char *topic, void *arg, struct weir__control *ret,
                       struct weir_error *reterr);

/* Whoever has somebody to ask waits for brokers as long as they are away. */
static bool tries_again(const struct weir__control_at *at, int err, int64_t give_up)
{
    if (!may_pass(err) || (at->goes_on != NULL && !at->goes_on(at->goes_on_arg)))
        return false;
    return (err == WEIR_AGAIN && at->goes_on != NULL) || weir__monotonic_us() < give_up;
}

/* Servers that speak Kafka without all of its transactions are asked for ever, without a word of the library. */
static void tell(const char *topic, const struct weir_error *words)
{
    weir__say(WEIR__WARN, "control-waits", "topic", "s", topic, "why", "s",
              words != NULL && words->text[0] != '\0' ? words->text : weir_code_text(WEIR_AGAIN), "remedy", "s",
              "look whether the brokers are there, and have all of transactions: AddPartitionsToTxn, EndTxn", NULL);
}

static int keep_trying(const struct weir__control_at *at, attempt_at *attempt, void *arg, struct weir__control *ret,
                       struct weir_error *reterr)
{
    char    topic[WEIR__CONTROL_NAME_MAX];
    int64_t give_up = weir__monotonic_us() + PATIENCE, tell_at = weir__monotonic_us() + TELL_US;
    bool    waits = at->goes_on != NULL;
    int     err;

    weir__control_topic(at->application, topic, sizeof(topic));
    while (tries_again(at, err = attempt(at, topic, arg, ret, reterr), give_up)) {
        if (weir__monotonic_us() >= tell_at) {
            tell(topic, reterr);
            tell_at = INT64_MAX;
        }
        if (err == WEIR_AGAIN && waits) /* they are away: what they say when they are back is not worn out by that */
            give_up = weir__monotonic_us() + PATIENCE;
        nap();
    }
    return (err == WEIR_AGAIN || err == WEIR_IO) && waits && !at->goes_on(at->goes_on_arg)
               ? weir__fail(reterr, WEIR_AGAIN, topic, "stopped before a broker answered")
               : err;
}

static int fail(int err, const char *topic, const char *what, struct weir_error *reterr)
{
    return weir__fail(reterr, err, topic, "%s: %s", what, weir_code_text(err));
}

/* What is not there may be in a transaction whose end has not reached the topic. */
static int check_stable(const struct weir__control_at *at, const char *topic, struct weir_error *reterr)
{
    struct weir__ends ends;
    int               err = at->engine->ends(at->log, (struct weir__tp){ .topic = topic }, call_by(at), &ends);

    if (err == WEIR_OK)
        err = ends.stable < ends.end ? WEIR_AGAIN : WEIR_NOTFOUND; /* NOTFOUND: nor is the topic there */
    return err == WEIR_NOTFOUND ? err : fail(err, topic, "the control record cannot be read yet", reterr);
}

static int read_once(const struct weir__control_at *at, const char *topic, void *arg, struct weir__control *ret,
                     struct weir_error *reterr)
{
    int32_t count;
    int     err = at->engine->partitions(at->log, topic, call_by(at), &count);

    (void)arg;
    *ret = (struct weir__control){ 0 };
    if (err == WEIR_OK)
        return read_topic(at, topic, ret, reterr);
    return err == WEIR_NOTFOUND ? err : fail(err, topic, "the control record cannot be read", reterr);
}

static int read_settled(const struct weir__control_at *at, const char *topic, void *arg, struct weir__control *ret,
                        struct weir_error *reterr)
{
    int err = read_once(at, topic, arg, ret, reterr);

    return err == WEIR_NOTFOUND ? check_stable(at, topic, reterr) : err;
}

int weir__control_read(const struct weir__control_at *at, struct weir__control *ret, struct weir_error *reterr)
{
    return keep_trying(at, read_settled, NULL, ret, reterr);
}

/* ---- changing ---- */

struct change {
    weir__control_change *change;
    void                 *arg;
};

static int ensure(const struct weir__control_at *at, const char *topic, struct weir_error *reterr)
{
    struct weir__topic wanted = { .name = topic, .partitions = 1, .settings = weir__table_topic_settings };

    return at->engine->ensure(at->log, &wanted, 1, call_by(at), NULL, NULL, reterr);
}

static int print(const struct weir__control *control, struct weir_json_out *json)
{
    weir_json_begin_object(json);
    weir__json_member_int(json, "epoch", control->epoch);
    weir__json_member_text(json, "identity", control->identity);
    if (control->unfinished) {
        weir__json_member_bool(json, "unfinished", true);
    }
    weir_json_end_object(json);
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}

static int write(const struct weir__control_at *at, struct weir__producer *producer, const char *topic,
                 const struct weir__control *control)
{
    struct weir_json_out json = { 0 };
    struct weir__raw raw = { .topic = topic, .timestamp = at->engine->now(at->log), .key = BYTES(KEY, strlen(KEY)) };
    int              err = print(control, &json);

    raw.value = BYTES(json.buf.data, json.buf.size);
    if (err == WEIR_OK)
        err = at->engine->send(producer, &raw, 0);
    if (err == WEIR_OK)
        err = at->engine->commit(producer, NULL, NULL, 0, NULL, 0, call_by(at));
    weir__json_out_fini(&json);
    return err == WEIR_FULL ? WEIR_AGAIN : err;
}

static int change_held(const struct weir__control_at *at, struct weir__producer *producer, const char *topic,
                       const struct change *change, struct weir__control *ret, struct weir_error *reterr)
{
    struct weir__control before = { 0 };
    int                  err = read_topic(at, topic, &before, reterr);

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    *ret = before;
    err = change->change(change->arg, ret, reterr);
    if (err < 0 || memcmp(&before, ret, sizeof(before)) == 0)
        return err;
    err = write(at, producer, topic, ret);
    return err < 0 ? fail(err, topic, "the control record cannot be written", reterr) : WEIR_OK;
}

static int change_once(const struct weir__control_at *at, const char *topic, void *arg, struct weir__control *ret,
                       struct weir_error *reterr)
{
    struct weir__producer *producer = NULL;
    int                    err = ensure(at, topic, reterr);

    if (err < 0)
        return err;
    err = at->engine->producer(at->log, topic, call_by(at), &producer, reterr);
    if (err < 0)
        return err;
    err = change_held(at, producer, topic, arg, ret, reterr);
    at->engine->producer_close(producer);
    return err;
}

int weir__control_change_by(const struct weir__control_at *at, weir__control_change *change, void *arg,
                            struct weir__control *ret, struct weir_error *reterr)
{
    struct change asked = { .change = change, .arg = arg };

    return keep_trying(at, change_once, &asked, ret, reterr);
}

/* ---- what is changed ---- */

static int make_first(void *arg, struct weir__control *control, struct weir_error *reterr)
{
    if (control->epoch > 0)
        return WEIR_OK;
    control->epoch = 1;
    return weir__random_name(control->identity, sizeof(control->identity), arg, reterr);
}

/* A record that a former start has left in an open transaction is none: the change ends that one. */
int weir__control_make(const struct weir__control_at *at, struct weir__control *ret, struct weir_error *reterr)
{
    int err = keep_trying(at, read_once, NULL, ret, reterr);

    if (err == WEIR_NOTFOUND)
        err = weir__control_change_by(at, make_first, (void *)at->application, ret, reterr);
    return err;
}

int weir__control_raise(struct weir__control *control, const char *application, struct weir_error *reterr)
{
    if (control->epoch >= WEIR__EPOCH_MOST)
        return weir__fail(reterr, WEIR_OVERFLOW, application,
                          "its epoch is %lld and cannot rise: take another "
                          "application.id",
                          (long long)control->epoch);
    control->epoch = MAX(control->epoch, 1) + 1;
    return WEIR_OK;
}
