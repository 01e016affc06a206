/* test_outlets.c: applications that put into an outlet which is down, slow, full, or refuses what it is told to refuse. */
#define _GNU_SOURCE
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>

#include "framework/declare.h"
#include "framework/driver.h"
#include "framework/outlet.h"
#include "framework/runtime/runtime.h"
#include "statestores/engines.h"
#include "statestores/statestores.h"
#include "test/run.h"

enum { MOST = 20000 };

/* ---- the server outside: what has reached it, and how it behaves ---- */

static struct {
    pthread_mutex_t mutex;
    int             keys[MOST]; /* in the order of their coming, those that come again too */
    atomic_size_t   count;
    atomic_bool     up, off, wrong;
    atomic_int      down_at;   /* it goes down when so many have come; 0 = never */
    atomic_int      at_once;   /* more than so many it does not take in time; 0 = any number, -1 = none */
    atomic_int      weight;    /* bytes that each counts for */
    atomic_int      forgotten; /* calls of forget */
    atomic_int      opens_in;  /* it goes up when it has been served so often; 0 = by itself never */
    atomic_size_t   most, waiting, memory;
    atomic_llong    every;
    atomic_bool     unsettled; /* a commit went to the log while something was waiting */
} server = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* A thread's connection. */
struct line {
    int    keys[MOST];
    size_t count;
    bool   bad; /* one of them is refused */
};

static int open_line(const struct weir_outlet *outlet, const struct weir_settings *settings, size_t memory,
                     void **ret, struct weir_error *reterr)
{
    (void)outlet;
    (void)reterr;
    ck_assert_ptr_nonnull(weir_settings_text(settings, "delivery"));
    server.memory = memory;
    if (atomic_load(&server.off))
        return WEIR_NOTHING;
    *ret = weir__zalloc(sizeof(struct line));
    return *ret != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

static int number_of(const struct weir_record *rec)
{
    const struct weir_text *value = rec->value;
    char                    digits[16];

    snprintf(digits, sizeof(digits), "%.*s", (int)MIN(value->size, sizeof(digits) - 1), value->data);
    return atoi(digits);
}

static bool says(const struct weir_record *rec, const char *word)
{
    const struct weir_text *value = rec->value;

    return memmem(value->data, value->size, word, strlen(word)) != NULL;
}

static int put(void *open, struct weir_context *ctx, const struct weir_record *rec)
{
    struct line *line = open;

    ck_assert_str_eq(weir_arg(ctx), "of the node");
    if (says(rec, "never"))
        return WEIR_REJECTED;
    line->bad = line->bad || says(rec, "bad");
    line->keys[line->count++] = number_of(rec);
    server.waiting = line->count;
    server.most = MAX(atomic_load(&server.most), line->count);
    return WEIR_OK;
}

static void serve(void *open)
{
    (void)open;
    if (server.opens_in > 0 && atomic_fetch_sub(&server.opens_in, 1) == 1)
        server.up = true;
}

static void take(struct line *line, size_t count)
{
    pthread_mutex_lock(&server.mutex);
    for (size_t i = 0; i < count && server.count < MOST; i++)
        server.keys[server.count++] = line->keys[i];
    if (server.down_at > 0 && server.count >= (size_t)server.down_at) {
        server.down_at = 0;
        server.up = false;
    }
    pthread_mutex_unlock(&server.mutex);
}

static int wait_in_vain(int64_t ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = MIN(ms, INT64_C(2)) * 1000000 }, NULL);
    return WEIR_AGAIN;
}

static int settle(void *open, int64_t wait_ms, struct weir_error *reterr)
{
    struct line *line = open;

    if (server.wrong)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "cellar", "the password is wrong");
    if (line->bad)
        return weir__fail(reterr, WEIR_REJECTED, "cellar", "a number that is bad");
    if (!server.up || (server.at_once != 0 && (int)line->count > server.at_once))
        return wait_in_vain(wait_ms);
    take(line, line->count);
    line->count = 0;
    server.waiting = 0;
    return WEIR_OK;
}

/* Half of it arrives all the same. */
static void forget(void *open)
{
    struct line *line = open;

    if (server.up)
        take(line, line->count / 2);
    line->count = 0;
    server.waiting = 0;
    line->bad = false;
    server.forgotten++;
}

static void look(void *open, struct weir_outlet_standing *ret)
{
    *ret = (struct weir_outlet_standing){ .bytes = ((struct line *)open)->count * (size_t)server.weight,
                                          .up = server.up,
                                          .why = "the cellar is locked" };
}

static void close_line(void *open) { weir__free(open); }

static int64_t every(void *open)
{
    (void)open;
    return server.every;
}

static const struct weir_outlet cellar[1] = { { .name = "cellar",
                                                .open = open_line,
                                                .put = put,
                                                .serve = serve,
                                                .settle = settle,
                                                .forget = forget,
                                                .look = look,
                                                .close = close_line,
                                                .commit_every = every } };
static const struct weir_outlet other[1] = { { .name = "cellar", .open = open_line, .put = put } };

/* ---- topologies ---- */

static int pass(struct weir_context *ctx, const struct weir_record *rec)
{
    return weir_forward(ctx, rec->key, rec->value);
}

/* clang-format off */
SOURCE(lines,   "lines", weir_string, weir_string);
STEP  (passed,  pass, .key = weir_string, .value = weir_string);
OUTLET(stored,  cellar, weir_string, weir_string, .arg = "of the node");
SINK  (out,     "out", weir_string, weir_string);
SINK  (letters, "letters", weir_blob, weir_blob);
static TOPOLOGY(storing, .dead_letters = letters, .paths = PATHS(PATH(lines, passed, stored), PATH(passed, out)));

OUTLET(again, other, weir_string, weir_string);
static TOPOLOGY(twice, .paths = PATHS(PATH(lines, passed, stored), PATH(passed, again)));
OUTLET(wrongly, cellar, weir_string, weir_int64);
static TOPOLOGY(mistyped, .paths = PATHS(PATH(lines, wrongly)));
NODE  (nowhere, .kind = WEIR_OUTLET, .key = weir_string, .value = weir_string);
static TOPOLOGY(absent, .paths = PATHS(PATH(lines, nowhere)));
/* clang-format on */

/* ---- the bench ---- */

static struct weir__log_engine engine; /* the embedded one, commit watched and spoilt */
static struct weir__config    *settings;
static struct weir__metrics   *metrics;
static struct weir__log       *logs;
static struct weir_error       err;
static atomic_int              busy;   /* polls that take longer than an outlet may take to connect */
static atomic_int              faults; /* commits that fail from now on, with this code */
static int                     fault;

static int watched_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                          int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    if (group != NULL && server.waiting > 0)
        server.unsettled = true;
    if (group != NULL && atomic_fetch_sub(&faults, 1) > 0)
        return fault;
    return weir__embedded_engine.commit(producer, group, consumer, token, offsets, count, deadline);
}

static int watched_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    if (atomic_load(&busy) > 0 && atomic_fetch_sub(&busy, 1) > 0)
        nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 200000000 }, NULL);
    return weir__embedded_engine.poll(consumer, deadline, ret);
}

static void set(const char *key, const char *value)
{
    ck_assert_msg(weir__config_set(settings, key, value, "test", &err) == WEIR_OK, "%s", err.text);
}

static void set_up(void)
{
    const char             *names[] = { "storing", NULL };
    struct weir__log_config config = { .quirks = true };

    err = (struct weir_error){ 0 };
    engine = weir__embedded_engine;
    engine.commit = watched_commit;
    engine.poll = watched_poll;
    server.count = 0;
    server.up = true;
    server.off = server.wrong = server.unsettled = false;
    server.down_at = server.at_once = server.forgotten = server.opens_in = 0;
    server.weight = 1;
    server.most = server.waiting = 0;
    server.every = 0;
    faults = busy = 0;
    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    ck_assert_int_eq(weir__config_new(names, NULL, &settings, NULL), WEIR_OK);
    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    ck_assert_int_eq(engine.open(&config, &logs, &err), WEIR_OK);
    set("commit.interval.ms", "1");
    set("outlet.timeout.ms", "10");
    set("threads", "1");
}

static void tear_down(void)
{
    engine.close(logs);
    weir__metrics_free(metrics);
    weir__config_free(settings);
}

/* Rows "1" to "n" in two partitions, each behind those before it, with words after the number of one of them. */
static void send_rows(int from, int to, int special, const char *words)
{
    struct weir__topic     topic = { .name = "lines", .partitions = 2 };
    struct weir__producer *producer;

    (void)engine.ensure(logs, &topic, 1, engine.now(logs) + 1000, NULL, NULL, &err);
    ck_assert_int_eq(engine.producer(logs, "test", engine.now(logs) + 1000, &producer, &err), WEIR_OK);
    for (int i = from; i <= to; i++) {
        char             value[64];
        struct weir__raw raw = { .topic = "lines", .partition = i % 2, .timestamp = i };

        snprintf(value, sizeof(value), "%d%s%s", i, i == special ? " " : "", i == special ? words : "");
        raw.key = raw.value = BYTES(value, strlen(value));
        ck_assert_int_eq(engine.send(producer, &raw, 0), WEIR_OK);
    }
    ck_assert_int_eq(engine.commit(producer, NULL, NULL, 0, NULL, 0, engine.now(logs) + 1000), WEIR_OK);
    engine.producer_close(producer);
}

static struct weir__app *start(void)
{
    struct weir__app_config config = { .topology = &storing,
                                       .settings = settings,
                                       .engines = weir_engines,
                                       .engine = &engine,
                                       .log = logs,
                                       .metrics = metrics };
    struct weir__app       *app;

    ck_assert_msg(weir__app_new(&config, &app, &err) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    return app;
}

static int stop(struct weir__app *app)
{
    int code = weir__app_stop(app, &err);

    weir__app_free(app);
    return code;
}

/* To the end of what is there. */
static int run(void)
{
    struct weir__app *app = start();

    (void)weir__apps_drain(&app, 1, NULL, NULL, &err);
    return stop(app);
}

static void nap(void) { nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); }

/* Values of a topic, as sorted numbers in `ret`; their count. */
static size_t read_topic(const char *topic, int *ret)
{
    int32_t partitions;
    size_t  count = 0;

    ck_assert_int_eq(engine.partitions(logs, topic, engine.now(logs) + 1000, &partitions), WEIR_OK);
    for (int32_t i = 0; i < partitions; i++) {
        struct weir__offset    from = { .tp = { topic, i } };
        struct weir__consumer *reader;
        struct weir__ends      ends;
        int64_t                next = 0;

        ck_assert_int_eq(engine.ends(logs, from.tp, engine.now(logs) + 1000, &ends), WEIR_OK);
        from.offset = next = ends.low;
        ck_assert_int_eq(engine.tail(logs, &from, 1, WEIR__READ_COMMITTED, &reader, &err), WEIR_OK);
        while (next < ends.end) {
            struct weir__polled polled;

            ck_assert_int_eq(engine.poll(reader, engine.now(logs) + 1000, &polled), WEIR_OK);
            if (polled.event != NULL && polled.event->kind == WEIR__END)
                next = polled.event->next;
            for (size_t j = 0; j < polled.count; j++) {
                char text[600];

                next = polled.records[j].offset + 1;
                snprintf(text, sizeof(text), "%.*s", (int)MIN(polled.records[j].value.size, sizeof(text) - 1),
                         polled.records[j].value.data != NULL ? (const char *)polled.records[j].value.data : "");
                ret[count++] = atoi(text);
            }
            engine.release(reader, polled.lease);
        }
        ck_assert_int_eq(engine.leave(reader, engine.now(logs) + 1000), WEIR_OK);
    }
    return count;
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* Rows 1 to n are in the topic, each once but `without`. */
static void expect_out(int n, int without)
{
    static int rows[MOST];
    size_t     count = read_topic("out", rows);
    int        next = 1;

    qsort(rows, count, sizeof(rows[0]), compare);
    for (size_t i = 0; i < count; i++, next++) {
        next += next == without;
        ck_assert_int_eq(rows[i], next);
    }
    ck_assert_int_eq(next + (next == without), n + 1);
}

/* They have all reached the server, some of them more than once, and what a partition brings again is in its order. */
static void expect_stored(int n, int without)
{
    static int times[MOST];
    int        last[2] = { 0, 0 };

    memset(times, 0, sizeof(times));
    for (size_t i = 0; i < server.count; i++) {
        int key = server.keys[i];

        times[key]++;
        ck_assert_msg(key <= last[key % 2] || key == last[key % 2] + 2 || last[key % 2] == 0 || key == without + 2,
                      "%d came after %d", key, last[key % 2]);
        last[key % 2] = key;
    }
    for (int i = 1; i <= n; i++)
        ck_assert_msg((times[i] > 0) == (i != without), "%d came %d times", i, times[i]);
    ck_assert(!server.unsettled);
}

/* ---- tests ---- */

static const char *const deliveries[] = { "exactly_once", "at_least_once" };

START_TEST(all_is_acknowledged_before_it_is_committed)
{
    set("delivery", deliveries[_i]);
    send_rows(1, 3000, 0, "");
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    expect_out(3000, 0);
    expect_stored(3000, 0);
    ck_assert_uint_eq(server.count, 3000);
    ck_assert_int_eq((int)weir__metrics_sum(metrics, "weir_outlet_records_total", "outlet", "cellar"), 3000);
    ck_assert_int_eq((int)weir__metrics_sum(metrics, "weir_outlet_waiting_bytes", NULL, NULL), 0);
}
END_TEST

START_TEST(what_is_not_configured_has_no_effect)
{
    server.off = true;
    server.up = false;
    send_rows(1, 100, 0, "");
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    expect_out(100, 0);
    ck_assert_uint_eq(server.count, 0);
}
END_TEST

/* It connects while the thread has other things to do, and nobody says that it is down. */
START_TEST(a_thread_that_is_busy_is_no_outage)
{
    struct weir__app       *app;
    struct weir__app_outlet outlet;

    server.up = false;
    server.opens_in = 3;
    busy = 3;
    send_rows(1, 100, 0, "");
    app = start();
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s", err.text);
    ck_assert(weir__app_outlet(app, 0, &outlet) && outlet.up);
    ck_assert_int_eq(busy, 0);
    ck_assert_uint_eq(outlet.outages, 0);
    ck_assert_msg(stop(app) == WEIR_OK, "%s", err.text);
    expect_stored(100, 0);
}
END_TEST

START_TEST(one_that_is_down_at_the_start_is_waited_for)
{
    struct weir__app       *app;
    struct weir__app_outlet outlet;
    struct weir__app_state  state;

    server.up = false;
    send_rows(1, 100, 0, "");
    app = start();
    while (!weir__app_outlet(app, 0, &outlet) || strcmp(outlet.why, "the cellar is locked") != 0)
        nap();
    ck_assert(!outlet.up);
    ck_assert(!weir__app_outlet(app, 1, &outlet));
    do
        weir__app_state(app, &state);
    while (!state.assigned && (nap(), true));
    for (int i = 0; i < 50; i++) /* rounds, in each of which it could take records */
        nap();
    weir__app_state(app, &state);
    ck_assert(!state.failed);
    ck_assert_uint_eq(state.records, 0);
    server.up = true;
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s", err.text);
    ck_assert(weir__app_outlet(app, 0, &outlet) && outlet.up);
    ck_assert_msg(stop(app) == WEIR_OK, "%s", err.text);
    expect_out(100, 0);
    expect_stored(100, 0);
}
END_TEST

/* Each time longer than a commit waits, more often than failures in a row may come. */
START_TEST(outages_are_no_failures)
{
    struct weir__app *app;

    set("delivery", deliveries[_i]);
    send_rows(1, 100, 0, "");
    app = start();
    for (int i = 1; i <= 9; i++) {
        int before = server.forgotten;

        server.down_at = (int)server.count + 1;
        send_rows(i * 100 + 1, i * 100 + 50, 0, "");
        while (server.up)
            nap();
        send_rows(i * 100 + 51, i * 100 + 100, 0, "");
        while (server.waiting > 0 &&
               server.forgotten == before) /* where it went down with nothing waiting, nothing is given up */
            nap();
        server.up = true;
    }
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s", err.text);
    ck_assert_msg(stop(app) == WEIR_OK, "%s", err.text);
    if (_i == 0)
        expect_out(1000, 0);
    expect_stored(1000, 0);
}
END_TEST

/* It goes down while what was put waits: every such commit is aborted, and none goes to the log. */
START_TEST(a_commit_that_is_not_acknowledged_is_aborted)
{
    struct weir__app *app;

    server.at_once = -1;
    send_rows(1, 100, 0, "");
    app = start();
    while (server.forgotten < 8)
        nap();
    server.at_once = 0;
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s", err.text);
    ck_assert_msg(stop(app) == WEIR_OK, "%s", err.text);
    expect_out(100, 0);
    expect_stored(100, 0);
    ck_assert_uint_gt(server.count, 100); /* what had arrived unasked came again */
}
END_TEST

START_TEST(one_that_is_slow_gets_fewer_at_a_time)
{
    server.at_once = 3;
    send_rows(1, 400, 0, "");
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    expect_out(400, 0);
    expect_stored(400, 0);
    ck_assert_int_gt(server.forgotten, 0);
}
END_TEST

START_TEST(a_refused_record_becomes_a_dead_letter)
{
    static int rows[MOST];

    set("delivery", deliveries[_i]);
    send_rows(1, 200, 77, "bad");
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    if (_i == 0)
        expect_out(200, 77);
    ck_assert_int_eq(read_topic("letters", rows), 1);
    ck_assert_int_eq((int)weir__metrics_sum(metrics, "weir_dead_letters_total", NULL, NULL), 1);
    ck_assert(!server.unsettled);
}
END_TEST

START_TEST(a_record_that_is_not_taken_becomes_a_dead_letter)
{
    static int rows[MOST];

    send_rows(1, 200, 77, "never");
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    expect_out(200, 0);
    expect_stored(200, 77);
    ck_assert_int_eq(read_topic("letters", rows), 1);
}
END_TEST

/* Acknowledged, and then the transaction does not stand: it is put again. */
START_TEST(what_was_acknowledged_in_vain_comes_again)
{
    static const int codes[] = { WEIR_ABORT, WEIR_FENCED, WEIR_LOST };

    fault = codes[_i];
    faults = 1;
    send_rows(1, 100, 0, "");
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    expect_out(100, 0);
    expect_stored(100, 0);
    ck_assert_uint_gt(server.count, 100);
}
END_TEST

START_TEST(a_stop_does_not_wait_for_one_that_is_down)
{
    static int        rows[MOST];
    struct weir__app *app;
    size_t            committed;

    set("outlet.timeout.ms", "9s");
    set("shutdown.timeout.ms", "500ms");
    send_rows(1, 50, 0, "");
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    server.at_once = -1; /* it answers and does not acknowledge: records are under way */
    app = start();
    send_rows(51, 100, 0, "");
    while (server.waiting == 0)
        nap();
    server.up = false;
    ck_assert_msg(stop(app) == WEIR_OK, "%s", err.text);
    committed = read_topic("out", rows);
    ck_assert_uint_eq(committed, 50);
    server.at_once = 0;
    server.up = true;
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    expect_out(100, 0);
    expect_stored(100, 0);
}
END_TEST

START_TEST(one_that_will_never_answer_ends_the_application)
{
    server.up = _i == 0;
    server.wrong = true;
    send_rows(1, 10, 0, "");
    ck_assert_int_eq(run(), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.text, "the password is wrong");
    expect_out(0, 0);
}
END_TEST

START_TEST(what_waits_is_bounded)
{
    set("commit.interval.ms", "9s");
    set("memory.max", "96m");
    send_rows(1, 6000, 0, "");
    server.weight = 1 << 20;
    ck_assert_msg(run() == WEIR_OK, "%s", err.text);
    expect_out(6000, 0);
    expect_stored(6000, 0);
    ck_assert_uint_gt(server.memory, 0);
    ck_assert_uint_le(server.most, server.memory / (1 << 20) + 1 + 256);
}
END_TEST

START_TEST(a_transaction_has_time_for_it)
{
    struct weir__app *app;

    server.every = 7000;
    set("outlet.timeout.ms", "4s");
    ck_assert_int_eq(run(), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.where, "outlet.timeout.ms");
    set("kafka.transaction.timeout.ms", "20000");
    send_rows(1, 10, 0, "");
    app = start();
    while (server.waiting < 10) /* nothing is committed before its time */
        nap();
    ck_assert_uint_eq(server.count, 0);
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s", err.text);
    ck_assert_msg(stop(app) == WEIR_OK, "%s", err.text);
    expect_stored(10, 0);
}
END_TEST

START_TEST(the_oldest_offset_that_waits_is_shown)
{
    struct weir__buf  text = { 0 };
    struct weir__app *app;

    server.every = 1000;
    send_rows(1, 10, 0, "");
    app = start();
    while (server.waiting < 10)
        nap();
    weir__apps_gauges(&app, 1, &text);
    weir__buf_putc(&text, '\0');
    ck_assert_ptr_nonnull(
        strstr(text.data, "weir_outlet_oldest_offset{topology=\"storing\",topic=\"lines\",partition=\"0\"} 0"));
    weir__buf_reset(&text);
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s", err.text);
    weir__apps_gauges(&app, 1, &text);
    weir__buf_putc(&text, '\0');
    ck_assert_ptr_null(strstr(text.data, "weir_outlet_oldest_offset{"));
    weir__buf_fini(&text);
    ck_assert_msg(stop(app) == WEIR_OK, "%s", err.text);
}
END_TEST

/* ---- declared, and in a driver ---- */

static void expect_fault(const struct weir_topology *topology, int code, const char *words)
{
    char *text;

    ck_assert_int_eq(weir_describe(topology, NULL, &text, &err), code);
    ck_assert_msg(strstr(err.text, words) != NULL, "\"%s\" is not in: %s", words, err.text);
}

START_TEST(outlets_are_checked)
{
    expect_fault(&twice, WEIR_BAD_NAME, "has another outlet of the name \"cellar\"");
    expect_fault(&mistyped, WEIR_BAD_TYPE, "the value that it takes");
    expect_fault(&absent, WEIR_BAD_TOPOLOGY, "a OUTLET needs .outlet");
}
END_TEST

START_TEST(outlets_are_described)
{
    static const char *const words[] = { "Puts into, where it is configured:\n   stored: cellar\n", "into cellar",
                                         "OUTLET cellar", "OUTLET cellar" };
    struct weir__plan_config config = { 0 };
    struct weir__plan       *plan;

    ck_assert_int_eq(weir__plan_new(&storing, &config, &plan, NULL, &err), WEIR_OK);
    for (int form = WEIR__AS_TEXT; form <= WEIR__AS_MERMAID; form++) {
        struct weir__buf text = { 0 };

        ck_assert_int_eq(weir__plan_print(plan, form, &text), WEIR_OK);
        weir__buf_putc(&text, '\0');
        ck_assert_msg(strstr(text.data, words[form]) != NULL, "\"%s\" is not in:\n%s", words[form], text.data);
        weir__buf_fini(&text);
    }
    weir__plan_free(plan);
}
END_TEST

static int note(void *arg, const struct weir_node *node, const struct weir_record *rec)
{
    ck_assert_ptr_eq(node->outlet, cellar);
    ++*(int *)arg;
    return says(rec, "bad") ? WEIR_REJECTED : WEIR_OK;
}

START_TEST(a_driver_hands_out_what_is_put)
{
    int                       count = 0;
    struct weir_driver_config config = { .put = note, .put_arg = &count };
    struct weir_driver       *driver;

    ck_assert_msg(weir_driver_open(&storing, &config, weir_engines, &driver, &err) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir_driver_pipe_json(driver, "lines", "\"k\"", "\"1\"", 1, NULL, 0, &err), WEIR_OK);
    ck_assert_int_eq(weir_driver_pipe_json(driver, "lines", "\"k\"", "\"bad\"", 1, NULL, 0, &err), WEIR_OK);
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq((int)weir_driver_metric(driver, "weir_dead_letters_total", "node", "stored"), 1);
    weir_driver_free(driver);
    ck_assert_msg(weir_driver_open(&storing, NULL, weir_engines, &driver, &err) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir_driver_pipe_json(driver, "lines", "\"k\"", "\"bad\"", 1, NULL, 0, &err), WEIR_OK);
    ck_assert_int_eq((int)weir_driver_metric(driver, "weir_dead_letters_total", NULL, NULL), 0);
    weir_driver_free(driver);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outlets");
    TCase *test = tcase_create("outlets");

    tcase_add_checked_fixture(test, set_up, tear_down);
    tcase_set_timeout(test, 60);
    tcase_add_loop_test(test, all_is_acknowledged_before_it_is_committed, 0, 2);
    tcase_add_test(test, what_is_not_configured_has_no_effect);
    tcase_add_test(test, a_thread_that_is_busy_is_no_outage);
    tcase_add_test(test, one_that_is_down_at_the_start_is_waited_for);
    tcase_add_loop_test(test, outages_are_no_failures, 0, 2);
    tcase_add_test(test, a_commit_that_is_not_acknowledged_is_aborted);
    tcase_add_test(test, one_that_is_slow_gets_fewer_at_a_time);
    tcase_add_loop_test(test, a_refused_record_becomes_a_dead_letter, 0, 2);
    tcase_add_test(test, a_record_that_is_not_taken_becomes_a_dead_letter);
    tcase_add_loop_test(test, what_was_acknowledged_in_vain_comes_again, 0, 3);
    tcase_add_test(test, a_stop_does_not_wait_for_one_that_is_down);
    tcase_add_loop_test(test, one_that_will_never_answer_ends_the_application, 0, 2);
    tcase_add_test(test, what_waits_is_bounded);
    tcase_add_test(test, a_transaction_has_time_for_it);
    tcase_add_test(test, the_oldest_offset_that_waits_is_shown);
    tcase_add_test(test, outlets_are_checked);
    tcase_add_test(test, outlets_are_described);
    tcase_add_test(test, a_driver_hands_out_what_is_put);
    suite_add_tcase(suite, test);
    return run_suite(suite);
}
