/* test_runtime.c: applications on the embedded log in memory, and on one whose commits fail as told. */
#define _GNU_SOURCE
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "framework/declare.h"
#include "framework/runtime/runtime.h"
#include "statestores/engines.h"
#include "statestores/statestores.h"
#include "test/run.h"

/* ---- topologies ---- */

static int word_of(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    (void)ctx;
    *ret_key = rec->value;
    return WEIR_OK;
}

static int one_key(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    static const struct weir_text all_of_them = { .data = "all", .size = 3 };

    (void)ctx;
    (void)rec;
    *ret_key = &all_of_them;
    return WEIR_OK;
}

static int pick_left(struct weir_context *ctx, const void *key, const void *left, const void *right, void *ret)
{
    const struct weir_text *text = right != NULL ? right : left;

    (void)ctx;
    (void)key;
    *(struct weir_text *)ret = *text;
    return WEIR_OK;
}

static int seen(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    (void)ctx;
    (void)rec;
    ++*(int64_t *)state;
    return WEIR_OK;
}

static int zero(struct weir_context *ctx, void *ret)
{
    (void)ctx;
    *(int64_t *)ret = 0;
    return WEIR_OK;
}

static int refuse(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *text = rec->value;

    return text->size == 3 && memcmp(text->data, "bad", 3) == 0 ? WEIR_REJECTED
                                                                : weir_forward(ctx, rec->key, rec->value);
}

/* clang-format off */
SOURCE(words,   "words", weir_string, weir_string);
REKEY (by_word, word_of, weir_string);
KEYS  (tally_s, weir_string, weir_int64);
COUNT (tally,   tally_s);
SINK  (out,     "out", weir_string, weir_int64);
static TOPOLOGY(counting, .paths = PATHS(PATH(words, by_word, tally, out)));

SOURCE(left,   "left", weir_string, weir_string);
TABLE (right,  "right", NULL, .key = weir_string, .value = weir_string);
JOIN  (joined, INNER, right, pick_left, weir_string);
SINK  (pairs,  "pairs", weir_string, weir_string);
static TOPOLOGY(joining, .paths = PATHS(PATH(left, joined, pairs), PATH(right)));

SOURCE   (ticks,    "ticks", weir_string, weir_string);
WINDOWS  (minute_s, weir_string, weir_int64, TUMBLING(MINUTES(1), 0));
AGGREGATE(minute,   minute_s, zero, seen, .emit = WEIR_ON_CLOSE);
SINK     (minutes,  "minutes", WINDOWED(weir_string, MINUTES(1)), weir_int64);
static TOPOLOGY(closing, .paths = PATHS(PATH(ticks, minute, minutes)));

SOURCE   (closed, "minutes", WINDOWED(weir_string, MINUTES(1)), weir_int64);
REKEY    (all,    one_key, weir_string);
WINDOWS  (hour_s, weir_string, weir_int64, TUMBLING(HOURS(1), 0));
AGGREGATE(hour,   hour_s, zero, seen, .emit = WEIR_ON_CLOSE);
SINK     (hours,  "hours", WINDOWED(weir_string, HOURS(1)), weir_int64);
static TOPOLOGY(downstream, .paths = PATHS(PATH(closed, all, hour, hours)));

SOURCE   (events,  "ticks", weir_string, weir_string);
WINDOWS  (own_s,   weir_string, weir_int64, TUMBLING(MINUTES(1), 0, .time = WEIR_PER_KEY, .idle = 1));
AGGREGATE(own,     own_s, zero, seen, .emit = WEIR_ON_CLOSE);
SINK     (quiet,   "quiet", WINDOWED(weir_string, MINUTES(1)), weir_int64);
static TOPOLOGY(idling, .paths = PATHS(PATH(events, own, quiet)));

SOURCE(picky_in,  "words", weir_string, weir_string);
STEP  (picky_do,  refuse, .key = weir_string, .value = weir_string);
SINK  (picky_out, "out", weir_string, weir_string);
static TOPOLOGY(picky, .paths = PATHS(PATH(picky_in, picky_do, picky_out)));
/* clang-format on */

/* ---- a log whose commits fail as told ---- */

static struct weir__log_engine engine;           /* the embedded one, commit replaced */
static atomic_int              fault_at, faults; /* from which commit on, and how many */
static int                     fault;            /* code; of commits with offsets */
static bool                    fault_after;      /* the commit is done, but we say it is not */
static atomic_int              commits;

static const char *refused[4]; /* what a record must not hold; NULL-ended. One thread alone */
static atomic_bool spoilt, told;

static bool holds(struct weir_bytes value, const char *word)
{
    return value.size > 0 && memmem(value.data, value.size, word, strlen(word)) != NULL;
}

/* As a broker does: the record is taken, and its refusal told later, of all that goes with it. */
static int spoiling_send(struct weir__producer *producer, const struct weir__raw *raw, uint64_t cookie)
{
    bool output = strcmp(raw->topic, "out") == 0 || strcmp(raw->topic, "letters") == 0;

    for (size_t i = 0; output && refused[i] != NULL; i++)
        spoilt = spoilt || holds(raw->value, refused[i]);
    return weir__embedded_engine.send(producer, raw, cookie);
}

static int spoilt_failed(struct weir__producer *producer, uint64_t *ret_cookie, int *ret_code)
{
    if (!spoilt || told)
        return weir__embedded_engine.failed(producer, ret_cookie, ret_code);
    told = true;
    *ret_code = WEIR_TOO_LARGE;
    return WEIR_OK;
}

static int spoilt_abort(struct weir__producer *producer, int64_t deadline)
{
    spoilt = told = false;
    return weir__embedded_engine.abort(producer, deadline);
}

static void spoilt_close(struct weir__producer *producer)
{
    spoilt = told = false;
    weir__embedded_engine.producer_close(producer);
}

static int faulty_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                         int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    bool now = group != NULL && atomic_fetch_add(&commits, 1) + 1 >= atomic_load(&fault_at) &&
               atomic_fetch_sub(&faults, 1) > 0;
    int err = WEIR_OK;

    if (spoilt)
        return WEIR_ABORT;
    if (!now || fault_after)
        err = weir__embedded_engine.commit(producer, group, consumer, token, offsets, count, deadline);
    return now && err == WEIR_OK ? fault : err;
}

static atomic_int lazy; /* so many polls give nothing */

static int lazy_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    if (atomic_fetch_sub(&lazy, 1) > 0)
        return WEIR_AGAIN;
    return weir__embedded_engine.poll(consumer, deadline, ret);
}

/* A reader that meets a topic that is not what it was: told once, after which it gives nothing any more. */
static struct weir__consumer *_Atomic first_tail;
static atomic_int                     tails, breaks;
static atomic_bool                    breaking, losing; /* the next one to be made ends with the membership */

static int breaking_tail(struct weir__log *log, const struct weir__offset *from, size_t count,
                         enum weir__isolation isolation, struct weir__consumer **ret, struct weir_error *reterr)
{
    int code;

    if (atomic_load(&breaks) > 0 && atomic_exchange(&losing, false))
        return weir__fail(reterr, WEIR_LOST, "group", "lost");
    code = weir__embedded_engine.tail(log, from, count, isolation, ret, reterr);

    if (code == WEIR_OK && atomic_fetch_add(&tails, 1) == 0)
        atomic_store(&first_tail, *ret);
    else if (code == WEIR_OK && *ret == atomic_load(&first_tail)) /* its memory, used again */
        atomic_store(&first_tail, NULL);
    return code;
}

static int breaking_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    if (atomic_load(&breaking) && consumer == atomic_load(&first_tail))
        return atomic_fetch_add(&breaks, 1) == 0 ? WEIR_CORRUPT : WEIR_AGAIN;
    return weir__embedded_engine.poll(consumer, deadline, ret);
}

static void plan_fault(int code, int at, int how_many, bool after)
{
    fault = code;
    fault_after = after;
    atomic_store(&commits, 0);
    atomic_store(&fault_at, at);
    atomic_store(&faults, how_many);
}

/* ---- the bench ---- */

static struct weir__config  *settings;
static struct weir__metrics *metrics;
static struct weir__log     *logs;
static struct weir_error     err;
static char                  dir[64];
static const char           *state_dir;

static void set(const char *key, const char *value)
{
    ck_assert_msg(weir__config_set(settings, key, value, "test", &err) == WEIR_OK, "%s", err.text);
}

static void set_up(void)
{
    const char             *names[] = { "counting", "joining", "closing", "downstream", "picky", "idling", NULL };
    struct weir__log_config config = { .quirks = true };

    err = (struct weir_error){ 0 };
    engine = weir__embedded_engine;
    engine.commit = faulty_commit;
    engine.poll = lazy_poll;
    engine.send = spoiling_send;
    engine.failed = spoilt_failed;
    engine.abort = spoilt_abort;
    engine.producer_close = spoilt_close;
    spoilt = told = false;
    refused[0] = NULL;
    atomic_store(&tails, 0);
    atomic_store(&breaks, 0);
    atomic_store(&breaking, false);
    atomic_store(&losing, false);
    atomic_store(&lazy, 0);
    plan_fault(WEIR_OK, 0, 0, false);
    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    ck_assert_int_eq(weir__config_new(names, NULL, &settings, NULL), WEIR_OK);
    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    ck_assert_int_eq(engine.open(&config, &logs, &err), WEIR_OK);
    set("commit.interval.ms", "1");
    set("threads", "2");
    snprintf(dir, sizeof(dir), "/tmp/test_runtime.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    state_dir = dir;
}

static void tear_down(void)
{
    engine.close(logs);
    weir__metrics_free(metrics);
    weir__config_free(settings);
    ck_assert_int_eq(weir__remove_tree(dir, &err), WEIR_OK);
}

static void make_topic(const char *name, int32_t partitions)
{
    struct weir__topic topic = { .name = name, .partitions = partitions };

    ck_assert_msg(engine.ensure(logs, &topic, 1, engine.now(logs) + 1000, NULL, NULL, &err) == WEIR_OK, "%s",
                  err.text);
}

/* The same row some times over, in one transaction. */
static void send_to(const char *topic, const char *key, const char *value, int64_t time, int count)
{
    struct weir__raw       raw = { .topic = topic,
                                   .partition = -1,
                                   .timestamp = time,
                                   .key = BYTES(key, strlen(key)),
                                   .value = BYTES(value, strlen(value)) };
    struct weir__producer *producer;

    ck_assert_int_eq(engine.producer(logs, "test", engine.now(logs) + 1000, &producer, &err), WEIR_OK);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(engine.send(producer, &raw, 0), WEIR_OK);
    ck_assert_int_eq(weir__embedded_engine.commit(producer, NULL, NULL, 0, NULL, 0, engine.now(logs) + 1000),
                     WEIR_OK);
    engine.producer_close(producer);
}

static void send(const char *topic, const char *key, const char *value, int64_t time, int count)
{
    int32_t partitions;

    if (engine.partitions(logs, topic, engine.now(logs) + 1000, &partitions) == WEIR_NOTFOUND)
        make_topic(topic, 4);
    send_to(topic, key, value, time, count);
}

static int make(const struct weir_topology *topology, struct weir__app **ret)
{
    struct weir__app_config config = { .topology = topology,
                                       .settings = settings,
                                       .engines = weir_engines,
                                       .engine = &engine,
                                       .log = logs,
                                       .metrics = metrics,
                                       .state_dir = state_dir };

    return weir__app_new(&config, ret, &err);
}

/* Runs applications over what is there, to the end; the code of the first that failed. */
static int run_all(const struct weir_topology *const *topologies, size_t count)
{
    struct weir__app *apps[4] = { NULL };
    int               code = WEIR_OK;

    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(make(topologies[i], &apps[i]) == WEIR_OK, "%s: %s", err.where, err.text);
        ck_assert_int_eq(weir__app_start(apps[i], &err), WEIR_OK);
    }
    (void)weir__apps_drain(apps, count, NULL, NULL, &err);
    for (size_t i = 0; i < count; i++) {
        int one = weir__app_stop(apps[i], &err);

        code = code < 0 ? code : one;
        weir__app_free(apps[i]);
    }
    return code;
}

static int run(const struct weir_topology *topology) { return run_all(&topology, 1); }

/* ---- reading back ---- */

struct seen {
    int     count;
    int64_t last, sum; /* big-endian int64 values */
    bool    rising;    /* each value greater than the one before of its key */
};

/* Records of a topic with a key (NULL = all), their values as int64. */
static struct seen look(const char *topic, const char *key)
{
    struct seen seen = { .rising = true };
    int32_t     partitions;

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
                const struct weir__raw *raw = &polled.records[j];
                int64_t                 value;

                next = raw->offset + 1;
                if (key != NULL && (raw->key.size != strlen(key) || memcmp(raw->key.data, key, raw->key.size) != 0))
                    continue;
                value = raw->value.size == 8 ? (int64_t)weir__get_be64(raw->value.data) : 0;
                seen.rising = seen.rising && value > seen.last;
                seen.last = value;
                seen.sum += value;
                seen.count++;
            }
            engine.release(reader, polled.lease);
        }
        ck_assert_int_eq(engine.leave(reader, engine.now(logs) + 1000), WEIR_OK);
    }
    return seen;
}

static int32_t partitions_of(const char *topic)
{
    int32_t count = 0;

    ck_assert_int_eq(engine.partitions(logs, topic, engine.now(logs) + 1000, &count), WEIR_OK);
    return count;
}

static void expect_counts(int64_t a, int64_t b)
{
    struct seen of_a = look("out", "a"), of_b = look("out", "b");

    ck_assert_int_eq(of_a.last, a);
    ck_assert_int_eq(of_b.last, b);
    ck_assert(of_a.rising && of_b.rising);
}

/* ---- tests ---- */

START_TEST(counts_and_goes_on)
{
    send("words", "k", "a", 1000, 3);
    send("words", "l", "b", 1000, 2);
    ck_assert_msg(run(&counting) == WEIR_OK, "%s", err.text);
    expect_counts(3, 2);
    send("words", "k", "a", 1000, 4);
    if (_i == 1)
        ck_assert_int_eq(weir__remove_tree(dir, &err), WEIR_OK);
    if (_i == 2)
        state_dir = NULL;
    ck_assert_msg(run(&counting) == WEIR_OK, "%s", err.text);
    expect_counts(7, 2);
}
END_TEST

/* Each outcome of a commit, at the first and at later commits; the counts come out as if nothing had happened. */
static const struct {
    int  code, at, how_many;
    bool after;
} outcomes[] = {
    { WEIR_AGAIN, 1, 3, false },  { WEIR_ABORT, 1, 1, false }, { WEIR_ABORT, 2, 3, false },
    { WEIR_FENCED, 1, 1, false }, { WEIR_FENCED, 1, 1, true }, { WEIR_FENCED, 2, 1, false },
    { WEIR_FENCED, 2, 1, true },  { WEIR_LOST, 1, 1, false },  { WEIR_LOST, 2, 2, false },
};

START_TEST(commit_outcomes)
{
    set("threads", "1"); /* a second fence within a minute would be a twin */
    for (int i = 0; i < 50; i++) {
        send("words", "k", "a", 1000, 2);
        send("words", "l", "b", 1000, 1);
    }
    plan_fault(outcomes[_i].code, outcomes[_i].at, outcomes[_i].how_many, outcomes[_i].after);
    ck_assert_msg(run(&counting) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_le(atomic_load(&faults), 0);
    expect_counts(100, 50);
    plan_fault(WEIR_OK, 0, 0, false);
    send("words", "k", "a", 1000, 1);
    ck_assert_msg(run(&counting) == WEIR_OK, "%s", err.text);
    expect_counts(101, 50);
}
END_TEST

static bool wake_up_late(void *arg)
{
    static int asked;

    (void)arg;
    if (++asked == 20)
        atomic_store(&lazy, 0);
    return true;
}

/* Records that a slow log has not handed out yet are waited for. */
START_TEST(nothing_is_left_behind)
{
    struct weir__app *app;

    send("words", "k", "a", 1000, 3);
    ck_assert_int_eq(make(&counting, &app), WEIR_OK);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    ck_assert_int_eq(weir__apps_drain(&app, 1, NULL, NULL, &err), WEIR_OK);
    atomic_store(&lazy, INT_MAX);
    send("words", "k", "a", 1000, 4);
    ck_assert_int_eq(weir__apps_drain(&app, 1, wake_up_late, NULL, &err), WEIR_OK);
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_OK);
    weir__app_free(app);
    expect_counts(7, 0);
}
END_TEST

START_TEST(twin_is_told)
{
    set("threads", "1");
    send("words", "k", "a", 1000, 2);
    plan_fault(WEIR_FENCED, 1, 1000, false);
    ck_assert_int_eq(run(&counting), WEIR_FENCED);
    ck_assert_ptr_nonnull(strstr(err.text, "instance.id"));
}
END_TEST

START_TEST(aborts_without_end_are_fatal)
{
    send("words", "k", "a", 1000, 2);
    plan_fault(WEIR_ABORT, 1, 1000, false);
    ck_assert_int_eq(run(&counting), WEIR_ABORT);
}
END_TEST

START_TEST(a_failing_record_ends_the_run_by_name)
{
    send("words", "k", "good", 1000, 1);
    send("words", "k", "bad", 1000, 1);
    ck_assert_int_eq(run(&picky), WEIR_REJECTED);
    ck_assert_str_eq(err.where, "picky_do");
    ck_assert_ptr_nonnull(strstr(err.text, "words-"));
}
END_TEST

START_TEST(a_failing_record_can_be_passed_over)
{
    set("processing.handler", "continue");
    send("words", "k", "bad", 1000, 1);
    send("words", "k", "good", 1000, 1);
    ck_assert_msg(run(&picky) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(look("out", NULL).count, 1);
}
END_TEST

START_TEST(a_failing_record_goes_to_the_dead_letters_of_the_settings)
{
    set("dead.letters.topic", "letters");
    send("words", "k", "bad", 1000, 2);
    send("words", "k", "good", 1000, 1);
    ck_assert_msg(run(&picky) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(look("out", NULL).count, 1);
    ck_assert_int_eq(look("letters", NULL).count, 2);
}
END_TEST

/* Among others, over several partitions; the second letter is the one that has no bytes ("aHVnZQ==" are those of "huge"). */
START_TEST(what_the_log_refuses_at_the_commit_becomes_a_dead_letter)
{
    set("dead.letters.topic", "letters");
    set("threads", "1");
    refused[0] = "huge";
    refused[1] = _i > 0 ? "aHVnZQ==" : NULL;
    refused[2] = NULL;
    for (int i = 0; i < 100; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        send("words", key, i == 30 || i == 77 ? "huge" : "good", 1000, 3);
    }
    ck_assert_msg(run(&picky) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(look("out", NULL).count, 98 * 3);
    ck_assert_int_eq(look("letters", NULL).count, 2 * 3);
}
END_TEST

START_TEST(what_the_log_refuses_as_a_dead_letter_too_ends_the_run)
{
    set("dead.letters.topic", "letters");
    set("threads", "1");
    refused[0] = "huge";
    refused[1] = "source_topic";
    refused[2] = NULL;
    send("words", "k", "huge", 1000, 1);
    ck_assert_int_eq(run(&picky), WEIR_ABORT);
}
END_TEST

START_TEST(what_the_log_refuses_can_be_passed_over)
{
    set("production.handler", "continue");
    set("threads", "1");
    refused[0] = "huge";
    refused[1] = NULL;
    send("words", "k", "huge", 1000, 2);
    send("words", "k", "good", 1000, 2);
    ck_assert_msg(run(&picky) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(look("out", NULL).count, 2);
}
END_TEST

/* The state that came of it is not kept either. */
START_TEST(what_the_log_refuses_leaves_no_state)
{
    set("dead.letters.topic", "letters");
    set("threads", "1");
    refused[0] = NULL;
    send("words", "k", "a", 1000, 3);
    ck_assert_msg(run(&counting) == WEIR_OK, "%s", err.text);
    refused[0] = "\4"; /* the fourth count */
    refused[1] = NULL;
    send("words", "k", "a", 1000, 1);
    ck_assert_msg(run(&counting) == WEIR_OK, "%s: %s", err.where, err.text);
    refused[0] = NULL;
    send("words", "k", "a", 1000, 1);
    ck_assert_msg(run(&counting) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(look("out", "a").last, 4);
    ck_assert_int_eq(look("letters", NULL).count, 1);
}
END_TEST

START_TEST(partition_counts_are_derived)
{
    struct weir__app *app;

    make_topic("words", 3);
    ck_assert_int_eq(make(&counting, &app), WEIR_OK);
    weir__app_free(app);
    ck_assert_int_eq(partitions_of("counting-tally_s-repartition"), 3);
    ck_assert_int_eq(partitions_of("counting-tally_s-changelog"), 3);
    ck_assert_int_eq(partitions_of("out"), 4); /* topics.partitions */
}
END_TEST

static void note_setting(void *arg, const char *name, const char *value)
{
    char *said = arg;

    if (strcmp(name, "cleanup.policy") == 0 || strcmp(name, "retention.ms") == 0) {
        strcat(said, strcmp(name, "retention.ms") == 0 ? "r " : "c ");
        strcat(said, value);
        strcat(said, ";");
    }
}

static void expect_settings(const char *topic, const char *cleanup, const char *retention)
{
    char said[200] = "", want[100];

    ck_assert_int_eq(engine.settings(logs, topic, engine.now(logs) + 1000, note_setting, said), WEIR_OK);
    snprintf(want, sizeof(want), "c %s;", cleanup);
    ck_assert_msg(strstr(said, want) != NULL, "%s: %s", topic, said);
    snprintf(want, sizeof(want), "r %s;", retention);
    ck_assert_msg(strstr(said, want) != NULL, "%s: %s", topic, said);
}

/* clang-format off */
SOURCE(plain_in, "plain-in", weir_string, weir_string);
KEYS  (known_s,  weir_string, weir_string);
GLOBAL(known,    "known-in", known_s);
SINK  (latest,   "latest", weir_string, weir_string, .settings = LIST(char, "cleanup.policy=compact"));
SINK  (aged,     "aged", weir_string, weir_string, .settings = LIST(char, "retention.ms=60000"));
SINK  (plain,    "all", weir_string, weir_string);
static TOPOLOGY(made, .paths = PATHS(PATH(plain_in, latest), PATH(plain_in, aged), PATH(plain_in, plain), PATH(known)));
/* clang-format on */

START_TEST(topics_are_made_with_what_their_nodes_say)
{
    struct weir__app *app;

    ck_assert_msg(make(&made, &app) == WEIR_OK, "%s", err.text);
    weir__app_free(app);
    expect_settings("latest", "compact", "-1");
    expect_settings("aged", "delete", "60000");
    expect_settings("all", "delete", "-1");
    expect_settings("known-in", "compact", "-1"); /* a global table is read from its beginning */
    expect_settings("plain-in", "delete", "-1");
}
END_TEST

/* Also where the reading anew is cut short by a lost membership. */
START_TEST(a_global_table_whose_topic_broke_is_read_anew)
{
    struct weir__app *app;

    atomic_store(&losing, _i == 1);

    engine.tail = breaking_tail;
    engine.poll = breaking_poll;
    set("threads", "1");
    ck_assert_msg(make(&made, &app) == WEIR_OK, "%s", err.text);
    send("known-in", "k", "before", 1, 1);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    ck_assert_int_eq(weir__apps_drain(&app, 1, NULL, NULL, &err), WEIR_OK);
    atomic_store(&breaking, true);
    send("known-in", "k", "after", 2, 1);
    ck_assert_int_eq(weir__apps_drain(&app, 1, NULL, NULL, &err), WEIR_OK); /* to the end of that topic, too */
    ck_assert_int_eq(atomic_load(&breaks), 1);
    ck_assert_int_eq(atomic_load(&tails), 3); /* with that of the control record; what was lost is none */
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_OK);
    weir__app_free(app);
}
END_TEST

START_TEST(unequal_counts_are_refused_by_name)
{
    struct weir__app *app;

    make_topic("left", 2);
    make_topic("right", 3);
    ck_assert_int_eq(make(&joining, &app), WEIR_BAD_TOPOLOGY);
    ck_assert_ptr_nonnull(strstr(err.text, "left has 2"));
    ck_assert_ptr_nonnull(strstr(err.text, "right has 3"));
}
END_TEST

static void make_app_once(const struct weir_topology *topology)
{
    struct weir__app *app;

    ck_assert_msg(make(topology, &app) == WEIR_OK, "%s: %s", err.where, err.text);
    weir__app_free(app);
}

static int raise_epoch(void *arg, struct weir__control *control, struct weir_error *reterr)
{
    (void)arg;
    return weir__control_raise(control, "counting", reterr);
}

/* Between an application's making and its first assignment nobody is in its group. */
START_TEST(a_reset_before_the_first_assignment_is_seen)
{
    struct weir__control_at at = { .engine = &engine, .log = logs, .application = "counting" };
    struct weir__control    now;
    struct weir__app       *app;

    send("words", "k", "x", 1, 1);
    ck_assert_msg(make(&counting, &app) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir__control_change_by(&at, raise_epoch, NULL, &now, &err), WEIR_OK);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    (void)weir__apps_drain(&app, 1, NULL, NULL, &err);
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_BAD_STATE);
    weir__app_free(app);
    ck_assert_int_eq(look("out", NULL).count, 0);
}
END_TEST

static void grow_topic(const char *name, int32_t partitions)
{
    ck_assert_msg(engine.grow(logs, name, partitions, engine.now(logs) + 1000, &err) == WEIR_OK, "%s", err.text);
}

static void expect_count_refused(const struct weir_topology *topology, const char *topic)
{
    struct weir__app *app;

    ck_assert_int_eq(make(topology, &app), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.where, topic);
    ck_assert_ptr_nonnull(strstr(err.text, "has 5 partitions"));
    ck_assert_ptr_nonnull(strstr(err.text, "made with 3"));
    ck_assert_ptr_nonnull(strstr(err.text, "\"reset "));
}

/* The input is named whose count has changed, not the internal topic that shows it. */
START_TEST(another_count_than_the_states_is_refused)
{
    make_topic("words", 3);
    make_app_once(&counting);
    grow_topic("words", 5);
    expect_count_refused(&counting, "words");
    ck_assert_int_eq(weir__remove_tree(dir, &err), WEIR_OK); /* on an empty disk the log's own topics tell */
    expect_count_refused(&counting, "words");
}
END_TEST

/* Without a repartition topic between: the changelog tells. */
START_TEST(another_count_than_the_changelogs_is_refused)
{
    make_topic("ticks", 3);
    make_app_once(&closing);
    ck_assert_int_eq(weir__remove_tree(dir, &err), WEIR_OK);
    grow_topic("ticks", 5);
    expect_count_refused(&closing, "ticks");
}
END_TEST

/* ---- identity ---- */

static void await_assigned(struct weir__app *app)
{
    struct weir__app_state state = { 0 };

    while (!state.assigned && !state.failed) {
        usleep(1000);
        weir__app_state(app, &state);
    }
}

static bool is_there(const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/counting/%s", dir, name);
    return access(path, F_OK) == 0;
}

static void write_kept(const char *name, const char *text)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/counting/%s", dir, name);
    ck_assert_int_eq(weir__write_file(path, BYTES(text, strlen(text)), &err), WEIR_OK);
}

static int say_unfinished(void *arg, struct weir__control *control, struct weir_error *reterr)
{
    (void)reterr;
    control->unfinished = *(const bool *)arg;
    return WEIR_OK;
}

static struct weir__control_at control_at(void)
{
    return (struct weir__control_at){ .engine = &engine, .log = logs, .application = "counting" };
}

START_TEST(state_of_another_identity_is_removed_and_its_own_is_kept)
{
    make_topic("words", 2);
    make_app_once(&counting);
    write_kept("task_0", "state");
    write_kept("task_1.discarded", "left by a crash");
    make_app_once(&counting);
    ck_assert(is_there("task_0") && !is_there("task_1.discarded"));
    write_kept("IDENTITY", "0123456789abcdef");
    make_app_once(&counting);
    ck_assert(!is_there("task_0") && is_there("LOCK") && is_there("INSTANCE"));
}
END_TEST

START_TEST(a_folder_from_before_identities_is_kept_until_a_reset)
{
    struct weir__control_at at = control_at();
    struct weir__control    now;
    char                    path[200];

    make_topic("words", 2);
    make_app_once(&counting);
    snprintf(path, sizeof(path), "%s/counting/IDENTITY", dir);
    write_kept("task_0", "state");
    ck_assert_int_eq(unlink(path), 0);
    make_app_once(&counting);
    ck_assert(is_there("task_0"));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(weir__control_change_by(&at, raise_epoch, NULL, &now, &err), WEIR_OK);
    ck_assert_int_eq(now.epoch, 2);
    make_app_once(&counting);
    ck_assert(!is_there("task_0"));
}
END_TEST

START_TEST(a_reset_that_has_not_ended_is_named_at_the_start)
{
    struct weir__control_at at = control_at();
    struct weir__control    now;
    struct weir__app       *app;
    bool                    yes = true, no = false;

    make_topic("words", 2);
    make_app_once(&counting);
    ck_assert_int_eq(weir__control_change_by(&at, say_unfinished, &yes, &now, &err), WEIR_OK);
    ck_assert_int_eq(make(&counting, &app), WEIR_BAD_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "\"reset counting\""));
    ck_assert_int_eq(weir__control_change_by(&at, say_unfinished, &no, &now, &err), WEIR_OK);
    make_app_once(&counting);
}
END_TEST

static void *make_control(void *arg)
{
    struct weir__control_at at = control_at();
    struct weir_error       why;

    return weir__control_make(&at, arg, &why) == WEIR_OK ? arg : NULL;
}

START_TEST(processes_that_start_at_once_agree)
{
    enum { PROCESSES = 8 };
    struct weir__control records[PROCESSES];
    pthread_t            threads[PROCESSES];
    void                *done;

    for (size_t i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_control, &records[i]), 0);
    for (size_t i = 0; i < PROCESSES; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &done), 0);
        ck_assert_ptr_nonnull(done);
        ck_assert_str_eq(records[i].identity, records[0].identity);
    }
}
END_TEST

/* It would go on with state and an epoch that have passed. */
START_TEST(a_process_that_was_away_during_a_reset_ends)
{
    struct weir__control_at at = control_at();
    struct weir__control    now;
    struct weir__app       *app;

    make_topic("words", 2);
    ck_assert_msg(make(&counting, &app) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    await_assigned(app);
    grow_topic("words", 3); /* another generation; nothing has changed: it goes on */
    await_assigned(app);
    ck_assert(!weir__app_failed(app));
    ck_assert_int_eq(weir__control_change_by(&at, raise_epoch, NULL, &now, &err), WEIR_OK);
    grow_topic("words", 4);
    while (!weir__app_failed(app))
        usleep(1000);
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_BAD_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "while this process was away"));
    weir__app_free(app);
}
END_TEST

START_TEST(an_epoch_cannot_rise_without_end)
{
    struct weir__control control = { .epoch = WEIR__EPOCH_MOST };

    ck_assert_int_eq(weir__control_raise(&control, "counting", &err), WEIR_OVERFLOW);
    ck_assert_int_eq(control.epoch, WEIR__EPOCH_MOST);
}
END_TEST

START_TEST(the_state_folder_has_one_owner)
{
    struct weir__app *first, *second;

    ck_assert_int_eq(make(&counting, &first), WEIR_OK);
    ck_assert_int_eq(make(&counting, &second), WEIR_BUSY);
    weir__app_free(first);
    ck_assert_int_eq(make(&counting, &second), WEIR_OK);
    weir__app_free(second);
}
END_TEST

START_TEST(windows_close_upstream_first)
{
    const struct weir_topology *both[] = { &downstream, &closing };

    set("window.close.interval.ms", "0");
    for (int i = 0; i < 120; i++)
        send("ticks", "k", "x", 3600000 + i * 30000, 1); /* two a minute, for an hour */
    ck_assert_msg(run_all(both, 2) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(look("minutes", NULL).count, 60);
    ck_assert_int_eq(look("minutes", NULL).sum, 120);
    ck_assert_int_eq(look("hours", NULL).count, 1);
    ck_assert_int_eq(look("hours", NULL).sum, 60);
    ck_assert_msg(run_all(both, 2) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(look("minutes", NULL).count, 60); /* each once, over restarts */
    ck_assert_int_eq(look("hours", NULL).sum, 60);
}
END_TEST

/* Reads a topic as it is written, until so many records came. */
static void await_records(const char *topic, int count)
{
    struct weir__offset    from[4];
    struct weir__consumer *reader;

    for (int32_t i = 0; i < 4; i++)
        from[i] = (struct weir__offset){ .tp = { topic, i } };
    ck_assert_int_eq(engine.tail(logs, from, 4, WEIR__READ_COMMITTED, &reader, &err), WEIR_OK);
    while (count > 0) {
        struct weir__polled polled;

        ck_assert_int_eq(engine.poll(reader, engine.now(logs) + 30000, &polled), WEIR_OK);
        count -= (int)polled.count;
        engine.release(reader, polled.lease);
    }
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(engine.leave(reader, engine.now(logs) + 1000), WEIR_OK);
}

START_TEST(idle_keys_close_while_the_application_runs)
{
    struct weir__app *app;

    make_topic("quiet", 4);
    for (int i = 0; i < 20; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        send("ticks", key, "x", 1000 + i, 2);
    }
    ck_assert_msg(make(&idling, &app) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    await_records("quiet", 20);
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_OK);
    weir__app_free(app);
    ck_assert_int_eq(look("quiet", NULL).sum, 40);
    ck_assert_msg(run(&idling) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(look("quiet", NULL).count, 20); /* each once, over restarts and the end of a run */
}
END_TEST

START_TEST(joins_meet_in_one_task)
{
    for (int i = 0; i < 20; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        send("right", key, "r", 1000, 1);
        send("left", key, "l", 2000, 1);
    }
    ck_assert_msg(run(&joining) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(look("pairs", NULL).count, 20);
}
END_TEST

/* A member of the group that reads one of the two inputs only, as if the group had no order among its members: it is given half of
 * that, and nothing of the other. */
static struct weir__consumer *join_for_left(void)
{
    const char            *topic = "left";
    struct weir__consumer *other;

    ck_assert_int_eq(engine.join(logs, "joining", NULL, &topic, 1, &other, &err), WEIR_OK);
    return other;
}

static bool is_parted(struct weir__app *app)
{
    struct weir__app_state state;

    weir__app_state(app, &state);
    ck_assert(!state.parted || !state.assigned);
    return state.parted;
}

static void await_parted(struct weir__app *app, struct weir__consumer *other)
{
    while (!is_parted(app)) {
        struct weir__polled polled = { 0 };

        if (weir__embedded_engine.poll(other, engine.now(logs) + 1, &polled) == WEIR_OK)
            engine.release(other, polled.lease);
    }
}

/* Two would work on the task's store otherwise, each with half of its input. */
START_TEST(a_task_whose_inputs_are_parted_is_not_worked)
{
    struct weir__consumer *other;
    struct weir__app      *app;

    set("threads", "1");
    for (int i = 0; i < 20; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        send("right", key, "r", 1000, 1);
        send("left", key, "l", 2000, 1);
    }
    other = join_for_left();
    ck_assert_msg(make(&joining, &app) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    await_parted(app, other);
    ck_assert_int_eq(engine.leave(other, engine.now(logs) + 1000), WEIR_OK);
    await_assigned(app);
    ck_assert(!is_parted(app));
    await_records("pairs", 20);
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_OK);
    weir__app_free(app);
    ck_assert_int_eq(look("pairs", NULL).count, 20);
}
END_TEST

START_TEST(at_least_once_loses_nothing)
{
    set("delivery", "at_least_once");
    send("words", "k", "a", 1000, 5);
    ck_assert_msg(run(&counting) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(look("out", "a").last, 5);
}
END_TEST

/* ---- what is shown ---- */

static char *gauges_of(struct weir__app *app, struct weir__buf *ret)
{
    weir__buf_reset(ret);
    weir__apps_gauges(&app, 1, ret);
    weir__buf_putc(ret, '\0');
    ck_assert(weir__buf_ok(ret));
    return ret->data;
}

START_TEST(many_tasks_of_a_sub_topology_share_their_lines)
{
    struct weir__buf  text = { 0 };
    struct weir__app *app;
    bool              crowd = _i == 1;

    make_topic("words", crowd ? 101 : 100);
    for (int i = 0; i < 20; i++)
        send_to("words", (char[2]){ (char)('a' + i), 0 }, "x", 5000, 2);
    send_to("words", "k", "x", 9000, 1);
    ck_assert_msg(make(&picky, &app) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s", err.text);
    gauges_of(app, &text);
    if (crowd) {
        ck_assert_ptr_nonnull(
            strstr(text.data, "\nweir_task_records_total{topology=\"picky\",task=\"picky_in\"} 41\n"));
        ck_assert_ptr_nonnull(
            strstr(text.data, "\nweir_task_stream_time_seconds{topology=\"picky\",task=\"picky_in\"} 5\n"));
        ck_assert_ptr_nonnull(strstr(text.data, "\nweir_topic_lag_records{topology=\"picky\",task=\"picky_in\","
                                                "topic=\"words\",partition=\"all\"} 0\n"));
        ck_assert_ptr_null(strstr(text.data, "words_1"));
    } else {
        ck_assert_ptr_nonnull(strstr(text.data, "\nweir_task_records_total{topology=\"picky\",task=\"words_99\"} "));
        ck_assert_ptr_nonnull(strstr(text.data, "\nweir_topic_lag_records{topology=\"picky\",task=\"words_99\","
                                                "topic=\"words\",partition=\"99\"} 0\n"));
        ck_assert_ptr_null(strstr(text.data, "picky_in"));
    }
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_OK);
    weir__app_free(app);
    weir__buf_fini(&text);
}
END_TEST

START_TEST(a_store_shows_what_its_engine_does)
{
    static const char *const names[] = { "pending_compaction_bytes", "flushed_files",  "immutable_memtables",
                                         "compactions_running",      "writes_stalled", "background_errors_total" };
    struct weir__buf         text = { 0 };
    struct weir__app        *app;
    char                     line[160];

    if (_i == 1)
        state_dir = NULL; /* memory has nothing to flush */
    send("words", "k", "a", 1000, 3);
    ck_assert_msg(make(&counting, &app) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s", err.text);
    gauges_of(app, &text);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(line, sizeof(line), "\nweir_store_%s{topology=\"counting\",task=\"tally_0\",store=\"tally_s\"} 0\n",
                 names[i]);
        ck_assert_msg((strstr(text.data, line) != NULL) == (_i == 0), "%s", line);
    }
    ck_assert_ptr_nonnull(
        strstr(text.data, "weir_task_restore_remaining_records{topology=\"counting\",task=\"tally_0\"} 0\n"));
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_OK);
    weir__app_free(app);
    weir__buf_fini(&text);
}
END_TEST

/* Each record once, also where a commit did not stand and they came again. */
START_TEST(each_record_waits_once_for_its_commit)
{
    set("threads", "1");
    send("words", "k", "a", 1000, 10);
    plan_fault(WEIR_ABORT, 1, _i, false);
    ck_assert_msg(run(&picky) == WEIR_OK, "%s", err.text);
    ck_assert_int_le(atomic_load(&faults), 0);
    ck_assert_double_eq(weir__metrics_sum(metrics, "weir_record_wait_seconds", NULL, NULL), 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("runtime");
    TCase *tests = tcase_create("applications");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, counts_and_goes_on, 0, 3);
    tcase_add_loop_test(tests, commit_outcomes, 0, (int)ARRAY_SIZE(outcomes));
    tcase_add_test(tests, nothing_is_left_behind);
    tcase_add_test(tests, twin_is_told);
    tcase_add_test(tests, aborts_without_end_are_fatal);
    tcase_add_test(tests, a_failing_record_ends_the_run_by_name);
    tcase_add_test(tests, a_failing_record_can_be_passed_over);
    tcase_add_test(tests, a_failing_record_goes_to_the_dead_letters_of_the_settings);
    tcase_add_loop_test(tests, what_the_log_refuses_at_the_commit_becomes_a_dead_letter, 0, 2);
    tcase_add_test(tests, what_the_log_refuses_as_a_dead_letter_too_ends_the_run);
    tcase_add_test(tests, what_the_log_refuses_can_be_passed_over);
    tcase_add_test(tests, what_the_log_refuses_leaves_no_state);
    tcase_add_test(tests, partition_counts_are_derived);
    tcase_add_test(tests, topics_are_made_with_what_their_nodes_say);
    tcase_add_test(tests, a_reset_before_the_first_assignment_is_seen);
    tcase_add_loop_test(tests, a_global_table_whose_topic_broke_is_read_anew, 0, 2);
    tcase_add_test(tests, unequal_counts_are_refused_by_name);
    tcase_add_test(tests, another_count_than_the_states_is_refused);
    tcase_add_test(tests, another_count_than_the_changelogs_is_refused);
    tcase_add_test(tests, state_of_another_identity_is_removed_and_its_own_is_kept);
    tcase_add_test(tests, a_folder_from_before_identities_is_kept_until_a_reset);
    tcase_add_test(tests, a_reset_that_has_not_ended_is_named_at_the_start);
    tcase_add_test(tests, processes_that_start_at_once_agree);
    tcase_add_test(tests, a_process_that_was_away_during_a_reset_ends);
    tcase_add_test(tests, an_epoch_cannot_rise_without_end);
    tcase_add_test(tests, the_state_folder_has_one_owner);
    tcase_add_test(tests, windows_close_upstream_first);
    tcase_add_test(tests, idle_keys_close_while_the_application_runs);
    tcase_add_test(tests, joins_meet_in_one_task);
    tcase_add_test(tests, a_task_whose_inputs_are_parted_is_not_worked);
    tcase_add_test(tests, at_least_once_loses_nothing);
    tcase_add_loop_test(tests, many_tasks_of_a_sub_topology_share_their_lines, 0, 2);
    tcase_add_loop_test(tests, a_store_shows_what_its_engine_does, 0, 2);
    tcase_add_loop_test(tests, each_record_waits_once_for_its_commit, 0, 3);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
