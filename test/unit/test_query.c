/* test_query.c: stores of running applications read by other threads, on memory and on RocksDB. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "framework/declare.h"
#include "framework/query.h"
#include "framework/runtime/runtime.h"
#include "statestores/engines.h"
#include "statestores/statestores.h"
#include "test/run.h"

/* ---- topologies ---- */

static int zero(struct weir_context *ctx, void *ret)
{
    (void)ctx;
    *(int64_t *)ret = 0;
    return WEIR_OK;
}

static int add_one(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    (void)ctx;
    (void)rec;
    ++*(int64_t *)state;
    return WEIR_OK;
}

/* Windows that keep their own end: the first of 11 hours, those after of 13. */
static int half_day(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *ret_spans, size_t max)
{
    int64_t at = rec->timestamp - HOURS(11), start = HOURS(11) + at / HOURS(13) * HOURS(13);

    (void)ctx;
    (void)max;
    *ret_spans = at < 0 ? (struct weir_span){ 0, HOURS(11) } : (struct weir_span){ start, start + HOURS(13) };
    return 1;
}

/* clang-format off */
SOURCE   (words,    "words", weir_string, weir_string);
KEYS     (tally_s,  weir_string, weir_int64, .served = true);
COUNT    (tally,    tally_s);
SINK     (out,      "out", weir_string, weir_int64);
WINDOWS  (minute_s, weir_string, weir_int64, TUMBLING(MINUTES(1), MINUTES(1), .retention = MINUTES(10)));
AGGREGATE(minute,   minute_s, zero, add_one);
SINK     (minutes,  "minutes", WINDOWED(weir_string, MINUTES(1)), weir_int64);
KEYS     (small_s,  weir_string, weir_int64, .in_memory = WEIR_ON);
COUNT    (small,    small_s);
SINK     (smalls,   "smalls", weir_string, weir_int64);
WINDOWS  (keyed_s,  weir_string, weir_int64, TUMBLING(MINUTES(1), MINUTES(1), .time = WEIR_PER_KEY, .retention = MINUTES(10)));
AGGREGATE(keyed,    keyed_s, zero, add_one);
SINK     (keyed_to, "keyed", WINDOWED(weir_string, MINUTES(1)), weir_int64);
WINDOWS  (day_s,    weir_string, weir_int64, CALENDAR(half_day, HOURS(13), MINUTES(1), .time = WEIR_PER_KEY, .retention = HOURS(30)));
AGGREGATE(day,      day_s, zero, add_one);
SINK     (days,     "days", WINDOWED(weir_string, HOURS(13)), weir_int64);
static TOPOLOGY(counting, .paths = PATHS(PATH(words, tally, out), PATH(words, minute, minutes), PATH(words, small, smalls),
    PATH(words, keyed, keyed_to), PATH(words, day, days)));

KEYS  (names_s, weir_string, weir_string);
GLOBAL(names,   "names", names_s);
SOURCE(hello,   "hello", weir_string, weir_string);
SINK  (bye,     "bye", weir_string, weir_string);
static TOPOLOGY(naming, .paths = PATHS(PATH(names), PATH(hello, bye)));
/* clang-format on */

/* ---- the bench ---- */

static const struct weir__log_engine *const engine = &weir__embedded_engine;

static struct weir__config  *settings;
static struct weir__metrics *metrics;
static struct weir__log     *logs;
static struct weir_error     err;
static char                  dir[64];
static struct weir__app     *app;
static struct weir_apps      apps = { .items = &app, .count = 1 };
static struct weir_arena    *arena;

static void set(const char *key, const char *value)
{
    ck_assert_msg(weir__config_set(settings, key, value, "test", &err) == WEIR_OK, "%s", err.text);
}

static void set_up(void)
{
    const char             *names_of[] = { "counting", "naming", NULL };
    struct weir__log_config config = { .quirks = true };

    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    ck_assert_int_eq(weir__config_new(names_of, NULL, &settings, NULL), WEIR_OK);
    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    ck_assert_int_eq(engine->open(&config, &logs, &err), WEIR_OK);
    set("commit.interval.ms", "1");
    set("threads", "2");
    snprintf(dir, sizeof(dir), "/tmp/test_query.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    arena = weir_arena_new(0);
    app = NULL;
}

static void stop(void)
{
    if (app != NULL)
        ck_assert_msg(weir__app_stop(app, &err) == WEIR_OK, "%s", err.text);
    weir__app_free(app);
    app = NULL;
}

static void tear_down(void)
{
    stop();
    weir_arena_free(arena);
    engine->close(logs);
    weir__metrics_free(metrics);
    weir__config_free(settings);
    ck_assert_int_eq(weir__remove_tree(dir, &err), WEIR_OK);
}

/* On RocksDB, or all in memory. */
static void start(const struct weir_topology *topology, bool durable)
{
    struct weir__app_config config = { .topology = topology,
                                       .settings = settings,
                                       .engines = weir_engines,
                                       .engine = engine,
                                       .log = logs,
                                       .metrics = metrics,
                                       .state_dir = durable ? dir : NULL };

    ck_assert_msg(weir__app_new(&config, &app, &err) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
}

static void send_one(const char *topic, const char *key, const char *value, int64_t time)
{
    struct weir__raw       raw = { .topic = topic,
                                   .partition = -1,
                                   .timestamp = time,
                                   .key = BYTES(key, strlen(key)),
                                   .value = BYTES(value, strlen(value)) };
    struct weir__producer *producer;

    ck_assert_int_eq(engine->producer(logs, "test", engine->now(logs) + 1000, &producer, &err), WEIR_OK);
    ck_assert_int_eq(engine->send(producer, &raw, 0), WEIR_OK);
    ck_assert_int_eq(engine->commit(producer, NULL, NULL, 0, NULL, 0, engine->now(logs) + 1000), WEIR_OK);
    engine->producer_close(producer);
}

/* All is done, committed too. Windows are closed as well, which changes nothing here. */
static void settle(void) { ck_assert_int_eq(weir__apps_drain(&app, 1, NULL, NULL, &err), WEIR_OK); }

static struct weir_view *view_of(const char *store)
{
    struct weir_view *view;

    ck_assert_msg(weir_view_open(&apps, app != NULL ? weir__app_plan(app)->topology->name : "", store, arena, &view,
                                 &err) == WEIR_OK,
                  "%s", err.text);
    return view;
}

static struct weir_text text(const char *bytes) { return (struct weir_text){ bytes, strlen(bytes) }; }

/* The row once the store is ready; WEIR_NOTFOUND. */
static int look(const struct weir_view *view, const char *key, int64_t *ret)
{
    struct weir_text name = text(key);
    struct weir_row  row;
    int              code;

    do
        code = weir_view_get(view, arena, &name, &row);
    while (code == WEIR_AGAIN);
    if (code == WEIR_OK)
        *ret = *(const int64_t *)row.value;
    return code;
}

static void expect(const struct weir_view *view, const char *key, int64_t want)
{
    int64_t have;

    ck_assert_int_eq(look(view, key, &have), WEIR_OK);
    ck_assert_int_eq(have, want);
}

/* ---- tests ---- */

START_TEST(sees_what_is_committed)
{
    struct weir_view *tally_view, *small_view;
    int64_t           none;

    start(&counting, _i == 1);
    tally_view = view_of("tally_s");
    small_view = view_of("small_s");
    send_one("words", "a", "x", 1000);
    send_one("words", "a", "x", 1000);
    send_one("words", "b", "x", 1000);
    settle();
    expect(tally_view, "a", 2);
    expect(tally_view, "b", 1);
    expect(small_view, "a", 2);
    ck_assert_int_eq(look(tally_view, "c", &none), WEIR_NOTFOUND);
    weir_view_everywhere(tally_view);
    expect(tally_view, "a", 2);
    ck_assert_int_eq(look(tally_view, "c", &none), WEIR_NOTFOUND);
    send_one("words", "a", "x", 1000);
    settle();
    expect(tally_view, "a", 3);
    stop();
    if (_i == 1)
        set("threads", "1");
    start(&counting, _i == 1); /* from the folder, or from the changelog */
    expect(view_of("tally_s"), "a", 3);
    expect(view_of("small_s"), "b", 1);
}
END_TEST

/* A row is found where its record's key is, and nowhere else. */
START_TEST(a_view_is_routed_by_the_key_of_records)
{
    struct weir_view *view;
    size_t            found = 0, missing = 0;
    int64_t           have;

    start(&counting, _i == 1);
    view = view_of("tally_s");
    for (char letter[] = "a"; letter[0] <= 'z'; letter[0]++)
        send_one("words", letter, "x", 1000);
    settle();
    for (char letter[] = "a"; letter[0] <= 'z'; letter[0]++) {
        struct weir_text key = text(letter);
        int              code;

        ck_assert_int_eq(weir_view_routed(view, arena, weir_string, &key), WEIR_OK);
        expect(view, letter, 1);
        code = look(view, "a", &have);
        ck_assert(code == WEIR_OK || code == WEIR_NOTFOUND);
        found += code == WEIR_OK;
        missing += code == WEIR_NOTFOUND;
    }
    ck_assert_uint_gt(found, 0);
    ck_assert_uint_gt(missing, 0);
    ck_assert_int_eq(weir_view_routed(view, arena, weir_string, NULL), WEIR_NULL_GIVEN);
}
END_TEST

START_TEST(ranges_are_ordered_over_all_tasks)
{
    enum { KEYS_SENT = 1000 };
    struct weir_view      *view;
    struct weir_view_rows *rows;
    struct weir_row        row;
    struct weir_text       from = text("k0100"), to = text("k0899");
    int                    seen = 0, first = _i & 2 ? 100 : 0, last = _i & 2 ? 899 : KEYS_SENT - 1;
    enum weir_order        order = _i & 1 ? WEIR_DESCENDING : WEIR_ASCENDING;

    start(&counting, _i >= 4);
    view = view_of("tally_s");
    for (int i = 0; i < KEYS_SENT; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%04d", i * 7 % KEYS_SENT);
        send_one("words", key, "x", 1000);
    }
    settle();
    ck_assert_int_eq(weir_view_range(view, arena, _i & 2 ? &from : NULL, _i & 2 ? &to : NULL, order, &rows), WEIR_OK);
    for (; weir_view_next(rows, &row) == WEIR_OK; seen++) {
        const struct weir_text *key = row.key;
        char                    want[16];

        snprintf(want, sizeof(want), "k%04d", order == WEIR_ASCENDING ? first + seen : last - seen);
        ck_assert_uint_eq(key->size, 5);
        ck_assert_int_eq(memcmp(key->data, want, 5), 0);
        ck_assert_int_eq(*(const int64_t *)row.value, 1);
        ck_assert_int_eq(row.timestamp, 1000);
    }
    ck_assert_int_eq(seen, last - first + 1);
    ck_assert_int_eq(weir_view_next(rows, &row), WEIR_NOTFOUND);
}
END_TEST

/* How many windows of a key (NULL: of all) start in [from, to]; each must count `each` records. */
static int windows(const struct weir_view *view, const char *key, int64_t from, int64_t to, int64_t each)
{
    struct weir_text       name = text(key != NULL ? key : "");
    struct weir_view_rows *rows;
    struct weir_row        row;
    int                    count = 0, code;
    int64_t                before = -1;

    do
        code = key != NULL ? weir_view_fetch(view, arena, &name, from, to, WEIR_ASCENDING, &rows)
                           : weir_view_fetch_keys(view, arena, NULL, NULL, from, to, WEIR_ASCENDING, &rows);
    while (code == WEIR_AGAIN);
    ck_assert_int_eq(code, WEIR_OK);
    while (weir_view_next(rows, &row) == WEIR_OK) {
        ck_assert_int_eq(*(const int64_t *)row.value, each);
        ck_assert_int_eq(row.end, row.start + MINUTES(1));
        ck_assert(key == NULL || row.start > before);
        before = row.start;
        count++;
    }
    return count;
}

START_TEST(windows_by_key_and_time)
{
    struct weir_view *view;
    struct weir_text  a = text("a");
    struct weir_row   row;

    start(&counting, _i == 1);
    view = view_of("minute_s");
    for (int i = 0; i < 5; i++) {
        send_one("words", "a", "x", MINUTES(i + 1));
        send_one("words", "ab", "x", MINUTES(i + 1) + 1);
    }
    settle();
    ck_assert_int_eq(windows(view, "a", 0, INT64_MAX, 1), 5);
    ck_assert_int_eq(windows(view, "a", MINUTES(2), MINUTES(4), 1), 3);
    ck_assert_int_eq(windows(view, NULL, MINUTES(2), MINUTES(4), 1), 6);
    ck_assert_int_eq(windows(view, "b", 0, INT64_MAX, 1), 0);
    ck_assert_int_eq(weir_view_get_window(view, arena, &a, MINUTES(2), &row), WEIR_OK);
    ck_assert_int_eq(*(const int64_t *)row.value, 1);
    ck_assert_int_eq(weir_view_get_window(view, arena, &a, MINUTES(2) + 1, &row), WEIR_NOTFOUND);
    send_one("words", "a", "x", MINUTES(14)); /* of a: 5 minutes and later are within the retention */
    settle();
    ck_assert_int_eq(windows(view, "a", 0, INT64_MAX, 1), 2);
    ck_assert_int_eq(weir_view_get_window(view, arena, &a, MINUTES(2), &row), WEIR_NOTFOUND);
}
END_TEST

START_TEST(windows_by_key_time_go_with_their_key)
{
    struct weir_view *view;
    struct weir_text  a = text("a");
    struct weir_row   row;
    int               code;

    start(&counting, _i == 1);
    view = view_of("keyed_s");
    for (int i = 0; i < 5; i++) {
        send_one("words", "a", "x", MINUTES(i + 1));
        send_one("words", "b", "x", MINUTES(i + 1));
    }
    send_one("words", "a", "x", MINUTES(15));
    settle();
    ck_assert_int_eq(windows(view, "b", 0, INT64_MAX, 1), 5);
    ck_assert_int_eq(windows(view, NULL, MINUTES(15), MINUTES(15), 1), 1);
    ck_assert_int_lt(windows(view, "a", 0, INT64_MAX, 1), 6);
    view = view_of("day_s");
    do
        code = weir_view_get_window(view, arena, &a, 0, &row);
    while (code == WEIR_AGAIN);
    ck_assert_int_eq(code, WEIR_OK);
    ck_assert_int_eq(row.end, HOURS(11));
    ck_assert_int_eq(*(const int64_t *)row.value, 6);
}
END_TEST

START_TEST(calls_that_do_not_fit_are_refused)
{
    struct weir_view      *view;
    struct weir_view_rows *rows;
    struct weir_row        row;
    struct weir_text       a = text("a");
    struct weir_arena     *tiny = weir_arena_new(64);

    start(&counting, false);
    ck_assert_int_eq(weir_view_open(&apps, "nope", "tally_s", arena, &view, &err), WEIR_NOTFOUND);
    ck_assert_int_eq(weir_view_open(&apps, "counting", "nope", arena, &view, &err), WEIR_NOTFOUND);
    ck_assert_str_eq(err.where, "nope");
    view = view_of("minute_s");
    ck_assert_int_eq(weir_view_get(view, arena, &a, &row), WEIR_BAD_ARGUMENT);
    ck_assert_int_eq(weir_view_range(view, arena, NULL, NULL, WEIR_ASCENDING, &rows), WEIR_BAD_ARGUMENT);
    view = view_of("tally_s");
    ck_assert_int_eq(weir_view_get_window(view, arena, &a, 0, &row), WEIR_BAD_ARGUMENT);
    ck_assert_int_eq(weir_view_fetch(view, arena, &a, 0, 1, WEIR_ASCENDING, &rows), WEIR_BAD_ARGUMENT);
    ck_assert_int_eq(weir_view_get(view, arena, NULL, &row), WEIR_NULL_GIVEN);
    send_one("words", "a", "x", 1000);
    settle();
    ck_assert_int_eq(weir_view_get(view, tiny, &a, &row), WEIR_LIMIT);
    weir_arena_free(tiny);
}
END_TEST

/* Declared with .served: never a moment in which rows that are committed cannot be read. */
START_TEST(a_served_store_is_ready_when_its_task_is)
{
    struct weir_text a = text("a");
    struct weir_row  row;

    start(&counting, true);
    send_one("words", "a", "x", 1000);
    settle();
    ck_assert_int_eq(weir_view_get(view_of("tally_s"), arena, &a, &row), WEIR_OK);
}
END_TEST

START_TEST(global_tables_are_read_too)
{
    struct weir_view       *view;
    struct weir_text        key = text("de");
    struct weir_row         row;
    struct weir_view_rows  *rows;
    const struct weir_text *value;
    int                     code;

    start(&naming, false);
    stop(); /* the topics are there now */
    send_one("names", "de", "Germany", 1000);
    send_one("names", "fr", "France", 1000);
    start(&naming, _i == 1);
    view = view_of("names_s");
    do
        code = weir_view_get(view, arena, &key, &row);
    while (code == WEIR_AGAIN);
    ck_assert_int_eq(code, WEIR_OK);
    value = row.value;
    ck_assert(value->size == 7 && memcmp(value->data, "Germany", 7) == 0);
    ck_assert_int_eq(weir_view_range(view, arena, NULL, NULL, WEIR_ASCENDING, &rows), WEIR_OK);
    ck_assert_int_eq(weir_view_next(rows, &row), WEIR_OK);
    ck_assert_int_eq(weir_view_next(rows, &row), WEIR_OK);
    ck_assert_int_eq(weir_view_next(rows, &row), WEIR_NOTFOUND);
}
END_TEST

/* ---- readers while tasks come and go ---- */

static atomic_bool enough;
static atomic_int  rounds;

/* Counts only rise, and what is in a range is what was asked for. */
static void *keep_reading(void *arg)
{
    struct weir_arena *own = weir_arena_new(0);
    int64_t            last = 0;

    for (; !atomic_load(&enough); atomic_fetch_add(&rounds, 1)) {
        struct weir_text       a = text("a"), to = text("k9");
        struct weir_view      *view;
        struct weir_view_rows *rows;
        struct weir_row        row;
        int                    code = weir_view_open(&apps, "counting", arg, own, &view, NULL);

        ck_assert_int_eq(code, WEIR_OK);
        code = weir_view_get(view, own, &a, &row);
        ck_assert(code == WEIR_OK || code == WEIR_NOTFOUND || code == WEIR_AGAIN || code == WEIR_ELSEWHERE);
        if (code == WEIR_OK) {
            ck_assert_int_ge(*(const int64_t *)row.value, last);
            last = *(const int64_t *)row.value;
        }
        code = weir_view_range(view, own, NULL, &to, WEIR_ASCENDING, &rows);
        while (code == WEIR_OK && (code = weir_view_next(rows, &row)) == WEIR_OK)
            ck_assert_int_gt(*(const int64_t *)row.value, 0);
        ck_assert(code == WEIR_NOTFOUND || code == WEIR_AGAIN);
        weir_arena_reset(own);
    }
    weir_arena_free(own);
    return NULL;
}

START_TEST(readers_meet_commits_and_closing_tasks)
{
    static char            tally_name[] = "tally_s", small_name[] = "small_s";
    pthread_t              threads[3];
    char                  *stores[] = { tally_name, small_name, tally_name };
    struct weir__consumer *intruder;
    const char            *topic = "words";

    start(&counting, _i == 1);
    atomic_store(&enough, false);
    atomic_store(&rounds, 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_reading, stores[i]), 0);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 60; i++) {
            char key[16];

            snprintf(key, sizeof(key), "k%d", i % 20);
            send_one("words", i % 2 ? key : "a", "x", 1000);
        }
        settle();
        /* another member takes some of the partitions, and gives them back */
        ck_assert_int_eq(engine->join(logs, "counting", NULL, &topic, 1, &intruder, &err), WEIR_OK);
        for (int i = 0; i < 20; i++) {
            struct weir__polled polled;

            if (engine->poll(intruder, engine->now(logs) + 5, &polled) == WEIR_OK)
                engine->release(intruder, polled.lease);
        }
        ck_assert_int_eq(engine->leave(intruder, engine->now(logs) + 1000), WEIR_OK);
        settle();
    }
    while (atomic_load(&rounds) < 30)
        ;
    expect(view_of("tally_s"), "a", 150);
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_OK); /* under their eyes */
    atomic_store(&enough, true);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query");
    TCase *tests = tcase_create("query");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, sees_what_is_committed, 0, 2);
    tcase_add_loop_test(tests, a_view_is_routed_by_the_key_of_records, 0, 2);
    tcase_add_loop_test(tests, ranges_are_ordered_over_all_tasks, 0, 8);
    tcase_add_loop_test(tests, windows_by_key_and_time, 0, 2);
    tcase_add_loop_test(tests, windows_by_key_time_go_with_their_key, 0, 2);
    tcase_add_test(tests, calls_that_do_not_fit_are_refused);
    tcase_add_test(tests, a_served_store_is_ready_when_its_task_is);
    tcase_add_loop_test(tests, global_tables_are_read_too, 0, 2);
    tcase_add_loop_test(tests, readers_meet_commits_and_closing_tasks, 0, 2);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
