/* suite.c: what the tests of logs share. */
#include "test/log/suite.h"
#include "test/run.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

const struct subject subjects[] = {
    { .name = "embedded, in memory", .engine = &weir__embedded_engine },
    { .name = "embedded, durable", .engine = &weir__embedded_engine, .durable = true },
    { .name = "kafka", .engine = &weir__kafka_engine, .durable = true, .distant = true },
};

const struct weir__log_engine *engine;
struct weir__log              *logs;
const char                    *log_dir;
struct weir_error              words;
int64_t (*suite_clock)(void *arg);
size_t  suite_memory;
int64_t suite_marker_delay, suite_session_ms, suite_transaction_ms, suite_retention;
bool    suite_plain;

static char dir[64];
static int  tests_begun;

void suite_open(void)
{
    char                    servers[256], session[48];
    const char *const       settings[] = { servers, "topic.metadata.refresh.interval.ms=200",
                                     suite_session_ms > 0 ? session : NULL, "heartbeat.interval.ms=300", NULL };
    struct weir__log_config config = { .dir = log_dir,
                                       .quirks = !suite_plain,
                                       .clock = suite_clock,
                                       .memory = suite_memory,
                                       .settings = settings,
                                       .retention_bytes = suite_retention,
                                       .marker_delay = suite_marker_delay,
                                       .session_ms = suite_session_ms,
                                       .transaction_ms = suite_transaction_ms };

    snprintf(session, sizeof(session), "session.timeout.ms=%lld", (long long)suite_session_ms);
    snprintf(servers, sizeof(servers), "bootstrap.servers=%s", getenv("KAFKA") != NULL ? getenv("KAFKA") : "");
    must(engine->open(&config, &logs, &words));
}

void suite_close(void)
{
    engine->close(logs);
    logs = NULL;
}

/* Where syncing costs nothing, if there is such a place: a test may commit a thousand times. */
static const char *scratch(void)
{
    struct statvfs memory;

    if (statvfs("/dev/shm", &memory) == 0 && memory.f_bavail * memory.f_frsize > (uint64_t)1 << 30)
        return "/dev/shm/weir-log-XXXXXX";
    return "/tmp/weir-log-XXXXXX";
}

void suite_begin(int subject)
{
    engine = subjects[subject].engine;
    log_dir = NULL;
    tests_begun++;
    if (subjects[subject].durable && !subjects[subject].distant) {
        strcpy(dir, scratch());
        ck_assert_ptr_nonnull(mkdtemp(dir));
        log_dir = dir;
    }
    suite_open();
}

void suite_end(void)
{
    suite_close();
    if (log_dir != NULL)
        must(weir__remove_tree(log_dir, &words));
}

int suite_main(const char *name, bool each, const struct test *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    int first = each && getenv("KAFKA") != NULL ? BROKER : IN_MEMORY, last = each ? first + (first < BROKER) : first;

    for (size_t i = 0; i < count; i++)
        tcase_add_loop_test(tcase, tests[i].test, first, last + 1);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* ---- other processes ---- */

const char *role;
int         role_in = -1, role_out = -1;

/* A forked process with threads is none: it begins anew. */
pid_t suite_spawn(const char *as, int pipe_in, int pipe_out)
{
    char  in[16], out[16];
    pid_t child;

    snprintf(in, sizeof(in), "%d", pipe_in);
    snprintf(out, sizeof(out), "%d", pipe_out);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        execl("/proc/self/exe", as, log_dir, in, out, (char *)NULL);
        _exit(127);
    }
    return child;
}

void suite_role(int argc, char **argv)
{
    if (argc != 4)
        return;
    role = argv[0];
    log_dir = argv[1];
    role_in = atoi(argv[2]);
    role_out = atoi(argv[3]);
    engine = subjects[DURABLE].engine;
}

void need(int err)
{
    if (err != WEIR_OK)
        _exit(1);
}

int64_t soon(void) { return engine->now(logs) + 60000; }

bool long_form(void)
{
    const char *form = getenv("FORM");

    return form != NULL && strcmp(form, "long") == 0;
}

const char *name_of(const char *name)
{
    static char names[8][64];
    static int  turn;
    char       *mine = names[turn++ % 8];

    snprintf(mine, sizeof(names[0]), "t%ld-%d-%s", (long)getpid(), tests_begun, name);
    return mine;
}

void must(int err) { ck_assert_msg(err == WEIR_OK, "%s: %s: %s", weir_code_name(err), words.where, words.text); }

struct weir_bytes bytes_of(const char *text) { return text != NULL ? BYTES(text, strlen(text)) : NO_BYTES; }

/* ---- writing ---- */

void make_topic_with(const char *name, int32_t partitions, const char *const *settings)
{
    struct weir__topic topic = { .name = name, .partitions = partitions, .settings = settings };

    must(engine->ensure(logs, &topic, 1, soon(), NULL, NULL, &words));
}

/* As applications make them: records of any time pass and stay. */
void make_topic(const char *name, int32_t partitions)
{
    static const char *const settings[] = { "message.timestamp.type=CreateTime",
                                            "message.timestamp.before.max.ms=9223372036854775807",
                                            "message.timestamp.after.max.ms=9223372036854775807", "retention.ms=-1",
                                            NULL };

    make_topic_with(name, partitions, settings);
}

struct weir__producer *new_producer(const char *id)
{
    struct weir__producer *producer;

    must(engine->producer(logs, id, soon(), &producer, &words));
    return producer;
}

int try_send(struct weir__producer *producer, const char *topic, int32_t partition, const char *key,
             const char *value, int64_t time)
{
    struct weir__raw raw = {
        .topic = topic, .partition = partition, .timestamp = time, .key = bytes_of(key), .value = bytes_of(value)
    };

    return engine->send(producer, &raw, 0);
}

void send(struct weir__producer *producer, const char *topic, int32_t partition, const char *key, const char *value)
{
    ck_assert_int_eq(try_send(producer, topic, partition, key, value, 1000), WEIR_OK);
}

void commit(struct weir__producer *producer)
{
    ck_assert_int_eq(engine->commit(producer, NULL, NULL, -1, NULL, 0, soon()), WEIR_OK);
}

void put(const char *topic, int32_t partition, const char *pairs)
{
    struct weir__producer *producer = new_producer(NULL);
    char                   text[4096], *save = NULL;

    ck_assert_uint_lt(strlen(pairs), sizeof(text));
    strcpy(text, pairs);
    for (char *pair = strtok_r(text, " ", &save); pair != NULL; pair = strtok_r(NULL, " ", &save)) {
        char *value = strchr(pair, '=');

        *value++ = '\0';
        send(producer, topic, partition, pair, value);
    }
    commit(producer);
    engine->producer_close(producer);
}

/* ---- reading ---- */

struct weir__consumer *new_tail(const char *topic, int32_t partition, int64_t from)
{
    struct weir__offset    at = { .tp = { topic, partition }, .offset = from };
    struct weir__consumer *consumer;

    must(engine->tail(logs, &at, 1, WEIR__READ_COMMITTED, &consumer, &words));
    return consumer;
}

void leave(struct weir__consumer *consumer) { ck_assert_int_eq(engine->leave(consumer, soon()), WEIR_OK); }

static void add_bytes(struct weir__buf *ret, struct weir_bytes bytes)
{
    if (bytes.data == NULL)
        weir__buf_putc(ret, '~');
    else
        weir__buf_add(ret, bytes.data, bytes.size);
}

static void add_polled(const struct weir__polled *polled, struct weir__buf *ret)
{
    for (size_t i = 0; i < polled->count; i++) {
        add_bytes(ret, polled->records[i].key);
        weir__buf_putc(ret, '=');
        add_bytes(ret, polled->records[i].value);
        weir__buf_putc(ret, ' ');
    }
}

void gather(struct weir__consumer *consumer, size_t count, struct weir__buf *ret)
{
    while (count > 0) {
        struct weir__polled polled;

        ck_assert_int_eq(engine->poll(consumer, soon(), &polled), WEIR_OK);
        ck_assert_uint_le(polled.count, count);
        add_polled(&polled, ret);
        count -= polled.count;
        engine->release(consumer, polled.lease);
    }
}

struct weir__log_event next_event(struct weir__consumer *consumer)
{
    struct weir__log_event event;
    struct weir__polled    polled;

    ck_assert_int_eq(engine->poll(consumer, soon(), &polled), WEIR_OK);
    ck_assert_ptr_nonnull(polled.event);
    ck_assert_uint_eq(polled.count, 0);
    event = *polled.event;
    engine->release(consumer, polled.lease);
    return event;
}

void expect_text(struct weir__buf *buf, const char *want)
{
    weir__buf_putc(buf, '\0');
    ck_assert_str_eq(buf->data, want);
    weir__buf_fini(buf);
}

void expect_partition(const char *topic, int32_t partition, const char *want)
{
    struct weir__consumer *consumer = new_tail(topic, partition, ends_of(topic, partition).low);
    struct weir__buf       text = { 0 };
    bool                   done = false;

    while (!done) {
        struct weir__polled polled;

        ck_assert_int_eq(engine->poll(consumer, soon(), &polled), WEIR_OK);
        add_polled(&polled, &text);
        done = polled.event != NULL && polled.event->kind == WEIR__END && text.size >= strlen(want);
        engine->release(consumer, polled.lease);
    }
    leave(consumer);
    expect_text(&text, want);
}

struct weir__ends ends_of(const char *topic, int32_t partition)
{
    struct weir__ends ends;

    ck_assert_int_eq(engine->ends(logs, (struct weir__tp){ topic, partition }, soon(), &ends), WEIR_OK);
    return ends;
}

int64_t committed_of(const char *group, const char *topic, int32_t partition)
{
    struct weir__offset at = { .tp = { topic, partition } };
    struct weir_arena   arena = { 0 };

    ck_assert_int_eq(engine->committed(logs, group, &at, 1, &arena, soon()), WEIR_OK);
    weir__arena_fini(&arena);
    return at.offset;
}

/* ---- transactions ---- */

int commit_offset(struct weir__producer *producer, const char *group, const char *topic, int32_t partition,
                  int64_t offset)
{
    struct weir__offset at = { .tp = { topic, partition }, .offset = offset };

    return engine->commit(producer, group, NULL, -1, &at, 1, soon());
}

void await_stable(const char *topic, int32_t partition)
{
    struct weir__ends ends;

    do
        ends = ends_of(topic, partition);
    while (ends.stable < ends.end);
}

void expect_ends(const char *topic, int32_t partition, int64_t stable, int64_t end)
{
    struct weir__ends ends = ends_of(topic, partition);

    ck_assert_int_eq(ends.stable, stable);
    ck_assert_int_eq(ends.end, end);
}

int64_t read_until(struct weir__consumer *reader, int64_t want, struct weir__buf *ret)
{
    int64_t next = -1;

    while (next < want) {
        struct weir__polled polled;

        ck_assert_int_eq(engine->poll(reader, soon(), &polled), WEIR_OK);
        if (polled.event != NULL && polled.event->kind == WEIR__END)
            next = polled.event->next;
        for (size_t i = 0; i < polled.count; i++) {
            weir__buf_add(ret, polled.records[i].key.data, polled.records[i].key.size);
            weir__buf_printf(ret, "@%lld ", (long long)polled.records[i].offset);
        }
        engine->release(reader, polled.lease);
    }
    return next;
}
