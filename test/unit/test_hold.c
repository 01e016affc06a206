/* test_hold.c: nodes that hold their task, scan a global table, and tell of what they depend on; in a driver, and running. */
#include <check.h>
#include <fcntl.h>
#include <time.h>

#include "framework/declare.h"
#include "framework/driver.h"
#include "framework/runtime/runtime.h"
#include "statestores/engines.h"
#include "statestores/statestores.h"
#include "test/run.h"

#define TEXT(s) ((struct weir_text){ (s), strlen(s) })

static weir_open    hold_on;
static weir_process pass_on;

/* clang-format off */
SOURCE(lines,   "lines", weir_string, weir_string);
KEYS  (names_s, weir_string, weir_string);
GLOBAL(names,   "names", names_s);
STEP  (patient, pass_on, .open = hold_on, .looks_up = NODES(names), .key = weir_string, .value = weir_string);
SINK  (out,     "out", weir_string, weir_string);
static TOPOLOGY(holding, .paths = PATHS(PATH(names), PATH(lines, patient, out)));
/* clang-format on */

static int pass_on(struct weir_context *ctx, const struct weir_record *rec)
{
    return weir_forward(ctx, rec->key, rec->value);
}

/* All names from "b" on, as one record, once there is one that is called "go"; nothing before. */
static int look(struct weir_context *ctx, int64_t time)
{
    struct weir_text  go = TEXT("go"), from = TEXT("b"), sum = { weir_alloc(ctx, 100), 0 };
    const void       *value;
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_lookup(ctx, names, &go, &value);

    (void)time;
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    weir_refresh(ctx);
    if (err < 0 || !weir_fresh(ctx))
        return err;
    err = weir_scan(ctx, names, &from, &rows);
    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK) {
        const struct weir_text *name = row.key, *of = row.value;

        sum.size += (size_t)sprintf((char *)sum.data + sum.size, "%.*s=%.*s ", (int)name->size, name->data,
                                    (int)of->size, of->data);
    }
    if (err != WEIR_NOTFOUND)
        return err;
    weir_tell(ctx, "names", NULL);
    weir_hold(ctx, false);
    return weir_forward(ctx, &go, &sum);
}

static int hold_on(struct weir_context *ctx)
{
    ck_assert_int_ge(weir_partition(ctx), 0);
    weir_hold(ctx, true);
    weir_tell(ctx, "names", "no name is called \"go\"");
    return weir_schedule(ctx, 100, WEIR_WALL_TIME, look) > 0 ? WEIR_OK : WEIR_NO_MEMORY;
}

static struct weir_error err;

/* ---- in a driver ---- */

static struct weir_driver *driver;

static void pipe_in(const char *topic, const char *key, const char *value)
{
    ck_assert_msg(weir_driver_pipe_json(driver, topic, key, value, 1, NULL, 0, &err) == WEIR_OK, "%s", err.text);
}

static void expect(const char *value)
{
    struct weir_output output;
    int                code = weir_driver_read(driver, &output);

    if (value == NULL) {
        ck_assert_int_eq(code, WEIR_NOTFOUND);
        return;
    }
    ck_assert_int_eq(code, WEIR_OK);
    ck_assert_int_eq(output.value.size, strlen(value));
    ck_assert_int_eq(memcmp(output.value.data, value, output.value.size), 0);
}

START_TEST(records_wait_until_the_node_lets_go)
{
    struct weir_driver_config config = { .wall_clock = 1000 };

    ck_assert_msg(weir_driver_open(&holding, &config, weir_engines, &driver, &err) == WEIR_OK, "%s", err.text);
    pipe_in("lines", "\"k\"", "\"1\"");
    pipe_in("lines", "\"k\"", "\"2\"");
    ck_assert_int_eq(weir_driver_advance(driver, 500, &err), WEIR_OK);
    expect(NULL);
    pipe_in("names", "\"a\"", "\"1\"");
    pipe_in("names", "\"c\"", "\"3\"");
    pipe_in("names", "\"b\"", "\"2\"");
    ck_assert_int_eq(weir_driver_advance(driver, 500, &err), WEIR_OK);
    expect(NULL);
    pipe_in("names", "\"go\"", "\"4\"");
    expect(NULL); /* it looks when the clock says so */
    ck_assert_int_eq(weir_driver_advance(driver, 100, &err), WEIR_OK);
    expect("b=2 c=3 go=4 ");
    expect("1");
    expect("2");
    pipe_in("lines", "\"k\"", "\"3\"");
    expect("3");
    ck_assert_int_eq(weir_driver_crash(driver, true, &err), WEIR_OK);
    pipe_in("lines", "\"k\"", "\"4\"");
    expect(NULL); /* a new task holds anew */
    ck_assert_int_eq(weir_driver_advance(driver, 100, &err), WEIR_OK);
    expect("b=2 c=3 go=4 ");
    expect("4");
    weir_driver_free(driver);
}
END_TEST

/* ---- running ---- */

static const struct weir__log_engine *const engine = &weir__embedded_engine;
static struct weir__log                    *logs;
static struct weir__config                 *settings;
static struct weir__app                    *app;

static void send_one(const char *topic, const char *key, const char *value)
{
    struct weir__raw       raw = { .topic = topic,
                                   .partition = -1,
                                   .timestamp = 1,
                                   .key = BYTES(key, strlen(key)),
                                   .value = BYTES(value, strlen(value)) };
    struct weir__producer *producer;

    ck_assert_int_eq(engine->producer(logs, "test", engine->now(logs) + 1000, &producer, &err), WEIR_OK);
    ck_assert_int_eq(engine->send(producer, &raw, 0), WEIR_OK);
    ck_assert_int_eq(engine->commit(producer, NULL, NULL, 0, NULL, 0, engine->now(logs) + 1000), WEIR_OK);
    engine->producer_close(producer);
}

static bool lets_go_later(void *arg)
{
    int *rounds = arg;

    if (++*rounds == 3)
        send_one("names", "go", "4");
    return *rounds < 3000;
}

/* The end of the topic, with its markers and gaps. */
static int64_t end_of(const char *topic)
{
    struct weir__ends ends;
    int64_t           sum = 0;

    for (int32_t i = 0; engine->ends(logs, (struct weir__tp){ topic, i }, engine->now(logs) + 1000, &ends) == WEIR_OK;
         i++)
        sum += ends.end;
    return sum;
}

START_TEST(a_bounded_run_waits_for_who_holds)
{
    const char             *names_of[] = { "holding", NULL };
    struct weir__log_config log_config = { .quirks = true };
    struct weir__metrics   *metrics;
    struct weir__app_config config;
    struct weir__app_told   told;
    int                     rounds = 0;

    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    ck_assert_int_eq(weir__config_new(names_of, NULL, &settings, NULL), WEIR_OK);
    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    ck_assert_int_eq(engine->open(&log_config, &logs, &err), WEIR_OK);
    ck_assert_int_eq(weir__config_set(settings, "commit.interval.ms", "1", "test", &err), WEIR_OK);
    config = (struct weir__app_config){ .topology = &holding,
                                        .settings = settings,
                                        .engines = weir_engines,
                                        .engine = engine,
                                        .log = logs,
                                        .metrics = metrics };
    ck_assert_msg(weir__app_new(&config, &app, &err) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    send_one("lines", "k", "1");
    while (!weir__app_told(app, 0, &told))
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    ck_assert_str_eq(told.name, "names");
    ck_assert_str_eq(told.words, "no name is called \"go\"");
    ck_assert(!weir__app_told(app, 1, &told)); /* four tasks, one thing */
    ck_assert_msg(weir__apps_drain(&app, 1, lets_go_later, &rounds, &err) == WEIR_OK, "%s", err.text);
    ck_assert_int_ge(rounds, 3);
    ck_assert(weir__app_told(app, 0, &told));
    ck_assert_str_eq(told.words, "");
    ck_assert_int_ge(end_of("out"), 5); /* the line, and what each of four tasks said */
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_OK);
    weir__app_free(app);
    engine->close(logs);
    weir__metrics_free(metrics);
    weir__config_free(settings);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hold");
    TCase *test = tcase_create("hold");

    tcase_add_test(test, records_wait_until_the_node_lets_go);
    tcase_add_test(test, a_bounded_run_waits_for_who_holds);
    suite_add_tcase(suite, test);
    return run_suite(suite);
}
