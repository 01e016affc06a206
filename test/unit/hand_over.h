/* hand_over.h: an application that counts the records of each key, and what tests of its members' hand-overs share.
 *
 * (1) One partition: so one member at a time has the task, and the order of records is known.
 * (2) The n-th record of a key gives the output n: outputs 1 to n, each once, mean that all was exact.
 */
#ifndef WEIR_TEST_HAND_OVER_H
#define WEIR_TEST_HAND_OVER_H

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "framework/declare.h"
#include "framework/runtime/runtime.h"
#include "statestores/engines.h"
#include "statestores/statestores.h"
#include "test/run.h"

#define CHANGELOG "tallying-counts-changelog"

/* clang-format off */
SOURCE(words,   "words", weir_string, weir_string);
KEYS  (counts,  weir_string, weir_int64);
COUNT (counted, counts);
SINK  (out,     "out", weir_string, weir_int64);
static TOPOLOGY(tallying, .paths = PATHS(PATH(words, counted, out)));
/* clang-format on */

static struct weir__log_engine engine; /* the embedded one, parts of it replaced */
static struct weir__config    *settings;
static struct weir__metrics   *metrics;
static struct weir__log       *logs;
static struct weir_error       err;
static char                    dir[64];

/* Not libcheck's: a member may be a process of its own, which has no runner. */
static void must(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "%s: %s\n", err.where, err.text);
    abort();
}

static void set(const char *key, const char *value)
{
    must(weir__config_set(settings, key, value, "test", &err) == WEIR_OK);
}

/* What a member needs in a process of its own. */
static void set_up_member(void)
{
    const char *names[] = { "tallying", NULL };

    err = (struct weir_error){ 0 };
    engine = weir__embedded_engine;
    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    must(weir__config_new(names, NULL, &settings, NULL) == WEIR_OK);
    must(weir__metrics_new(&metrics) == WEIR_OK);
    set("commit.interval.ms", "1");
    set("threads", "1");
    set("statestore.cache.max.bytes", "0"); /* an output for each record, when it is processed */
}

static void set_up_hand_over(void)
{
    set_up_member();
    strcpy(dir, "/tmp/test_hand_over.XXXXXX");
    must(mkdtemp(dir) != NULL);
}

static void tear_down_hand_over(void)
{
    weir__metrics_free(metrics);
    weir__config_free(settings);
    must(weir__remove_tree(dir, &err) == WEIR_OK);
}

static void open_log(const struct weir__log_config *config)
{
    const struct weir__topic topics[] = { { .name = "words", .partitions = 1 }, { .name = "out", .partitions = 1 } };

    must(weir__embedded_engine.open(config, &logs, &err) == WEIR_OK);
    must(weir__embedded_engine.ensure(logs, topics, 2, engine.now(logs) + 1000, NULL, NULL, &err) == WEIR_OK);
}

static int64_t in_time(void) { return engine.now(logs) + 30000; }

/* Without an id: there is no marker to wait for. */
static void send_words(const char *key, int count)
{
    struct weir__raw raw = {
        .topic = "words", .timestamp = 1000, .key = BYTES(key, strlen(key)), .value = { "", 0 }
    };
    struct weir__producer *producer;

    ck_assert_int_eq(weir__embedded_engine.producer(logs, NULL, in_time(), &producer, &err), WEIR_OK);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(weir__embedded_engine.send(producer, &raw, 0), WEIR_OK);
    ck_assert_int_eq(weir__embedded_engine.commit(producer, NULL, NULL, 0, NULL, 0, in_time()), WEIR_OK);
    weir__embedded_engine.producer_close(producer);
}

/* A member with a state folder, and so an instance, of its own. */
static struct weir__app *make_member(const char *name)
{
    static char             state[8][128];
    static size_t           turn;
    char                   *path = state[turn++ % ARRAY_SIZE(state)];
    struct weir__app_config config = { .topology = &tallying,
                                       .settings = settings,
                                       .engines = weir_engines,
                                       .engine = &engine,
                                       .log = logs,
                                       .metrics = metrics,
                                       .state_dir = path };
    struct weir__app       *app;

    snprintf(path, sizeof(state[0]), "%s/%s", dir, name);
    must(weir__app_new(&config, &app, &err) == WEIR_OK);
    return app;
}

static struct weir__app *start_member(const char *name)
{
    struct weir__app *app = make_member(name);

    must(weir__app_start(app, &err) == WEIR_OK);
    return app;
}

static void stop_member(struct weir__app *app)
{
    must(weir__app_stop(app, &err) == WEIR_OK);
    weir__app_free(app);
}

/* What a topic has of a key. */
struct tally {
    int64_t count, last;
    bool    exact; /* 1, 2, 3, ... each once */
};
struct tallied {
    const char  *key;
    struct tally tally;
};

static int add_to_tally(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct tallied *tallied = arg;

    (void)reterr;
    if (!weir__bytes_equal(raw->key, BYTES(tallied->key, strlen(tallied->key))))
        return WEIR_OK;
    tallied->tally.count++;
    if (raw->value.size >= 8) /* a changelog's comes behind its timestamp */
        tallied->tally.last = (int64_t)weir__get_be64((const char *)raw->value.data + raw->value.size - 8);
    tallied->tally.exact = tallied->tally.exact && tallied->tally.last == tallied->tally.count;
    return WEIR_OK;
}

static struct tally tally_of(const char *topic, const char *key)
{
    struct tallied tallied = { .key = key, .tally = { .exact = true } };

    ck_assert_msg(weir__read_partition(&weir__embedded_engine, logs, (struct weir__tp){ topic, 0 }, 0, add_to_tally,
                                       &tallied, &err) == WEIR_OK,
                  "%s: %s", err.where, err.text);
    return tallied.tally;
}

/* The application's committed offset; -1 where it is not known now. */
static int64_t committed_words(void)
{
    struct weir__offset offset = { .tp = { "words", 0 }, .offset = -1 };
    struct weir_arena   arena = { 0 };
    int code = weir__embedded_engine.committed(logs, "tallying", &offset, 1, &arena, engine.now(logs) + 1000);

    weir__arena_fini(&arena);
    return code == WEIR_OK ? offset.offset : -1;
}

#endif
