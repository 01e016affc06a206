/* test_task.c: a task through its interface: what it takes first, when it waits, what it keeps with its offsets, what a
 * drop takes back, and what becomes of failures. What a topology gives is told by test/scenario. */
#include <check.h>
#include <stdlib.h>

#include "framework/driver.h"
#include "framework/task/task.h"
#include "statestores/engines.h"
#include "test/run.h"

/* ---- topologies ---- */

static int          opened, closed, fired, asked;
static weir_process pass_on, count_in_state, ask_for_commit, refuse_all;
static weir_open    count_opened, schedule, schedule_own;
static weir_close   count_closed;
static weir_extract partition_time;
static weir_select  same_key;
static weir_join    just_left;

static int punctuate(struct weir_context *ctx, int64_t time)
{
    struct weir_text word = { .data = "fired", .size = 5 };

    (void)time;
    fired++;
    return weir_forward(ctx, &word, &word);
}

/* clang-format off */
SOURCE(left,  "left",  weir_string, weir_string);
SOURCE(right, "right", weir_string, weir_string);
SINK  (out,   "out",   weir_string, weir_string);
SINK  (dead,  "dead",  NULL, NULL);
MERGE (both);
static TOPOLOGY(merging, .paths = PATHS(PATH(left, both, out), PATH(right, both)), .dead_letters = dead);

STEP(passed, pass_on);
STEP(refusing, refuse_all);
static TOPOLOGY(refuses, .paths = PATHS(PATH(left, refusing, out)), .dead_letters = dead);

static TOPOLOGY(alone, .paths = PATHS(PATH(left, passed, out)), .dead_letters = dead);

SOURCE(timed, "timed", weir_string, weir_string, .extract = partition_time);
static TOPOLOGY(by_partition, .paths = PATHS(PATH(timed, out)));

WINDOWS(minutes_s, weir_string, weir_int64, TUMBLING(MINUTES(1), 0));
COUNT  (minutes,   minutes_s, .emit = WEIR_ON_CLOSE);
SINK   (closes,    "closes", WINDOWED(weir_string, MINUTES(1)), weir_int64);
static TOPOLOGY(windows, .paths = PATHS(PATH(left, minutes, closes)));

KEYS (counts_s, weir_string, weir_int64);
COUNT(counts,   counts_s);
SINK (counted,  "counted", weir_string, weir_int64);
static TOPOLOGY(counting, .paths = PATHS(PATH(left, counts, counted)));

STEP(living, count_in_state, .open = count_opened, .close = count_closed, .state = sizeof(int64_t));
static TOPOLOGY(alive, .paths = PATHS(PATH(left, living, out)));

STEP(ticking, pass_on, .open = schedule);
static TOPOLOGY(scheduled, .paths = PATHS(PATH(left, ticking, out)));

/* Four that are due at one moment. */
STEP(first,  pass_on, .open = schedule_own, .arg = "1");
STEP(second, pass_on, .open = schedule_own, .arg = "2");
STEP(third,  pass_on, .open = schedule_own, .arg = "3");
STEP(fourth, pass_on, .open = schedule_own, .arg = "4");
static TOPOLOGY(due_at_once, .paths = PATHS(PATH(left, first, second, third, fourth, out)));

STEP(asking, ask_for_commit);
static TOPOLOGY(committing, .paths = PATHS(PATH(left, asking, out)));

KEYS  (big_s, weir_string, weir_string);
GLOBAL(big,   "big", big_s);
JOIN  (looked_up, INNER, big, just_left, weir_string, .select = same_key);
static TOPOLOGY(looking, .paths = PATHS(PATH(big), PATH(left, looked_up, out)), .dead_letters = dead);
/* clang-format on */

static int pass_on(struct weir_context *ctx, const struct weir_record *rec) { return weir_forward_record(ctx, rec); }

/* Twice each, under the record's key. */
static int refuse_all(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *key = rec->key;
    char                    reason[8];
    int                     err;

    snprintf(reason, sizeof(reason), "%.*s", (int)key->size, key->data);
    err = weir_refuse(ctx, reason, "one");
    return err < 0 ? err : weir_refuse(ctx, reason, "two");
}

static int count_opened(struct weir_context *ctx)
{
    opened += *(int64_t *)weir_state(ctx) == 0; /* only with fresh memory */
    return WEIR_OK;
}

static int count_closed(struct weir_context *ctx)
{
    struct weir_text word = { .data = "bye", .size = 3 };

    closed++;
    return weir_forward(ctx, &word, &word);
}

static int count_in_state(struct weir_context *ctx, const struct weir_record *rec)
{
    ++*(int64_t *)weir_state(ctx);
    return weir_forward_record(ctx, rec);
}

static int schedule(struct weir_context *ctx)
{
    int64_t handle = weir_schedule(ctx, 10, WEIR_STREAM_TIME, punctuate);

    return handle < 0 ? (int)handle : WEIR_OK;
}

static char   turns[64];
static size_t turn_count;

static int take_turn(struct weir_context *ctx, int64_t time)
{
    (void)time;
    turns[turn_count++] = *(const char *)weir_arg(ctx);
    turns[turn_count] = '\0';
    return WEIR_OK;
}

static int schedule_own(struct weir_context *ctx)
{
    int64_t handle = weir_schedule(ctx, 10, WEIR_STREAM_TIME, take_turn);

    return handle < 0 ? (int)handle : WEIR_OK;
}

static int ask_for_commit(struct weir_context *ctx, const struct weir_record *rec)
{
    asked++;
    weir_commit(ctx);
    return weir_forward_record(ctx, rec);
}

static int partition_time(struct weir_context *ctx, const struct weir_record *rec, int64_t *ret_ms)
{
    *ret_ms = rec->timestamp >= 0 ? rec->timestamp : weir_partition_time(ctx);
    return WEIR_OK;
}

static int same_key(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    (void)ctx;
    *ret_key = rec->key;
    return WEIR_OK;
}

static int just_left(struct weir_context *ctx, const void *key, const void *one, const void *other, void *ret)
{
    (void)ctx, (void)key, (void)other;
    memcpy(ret, one, sizeof(struct weir_text));
    return WEIR_OK;
}

/* ---- the bench ---- */

static struct weir__plan       *plan;
static struct weir__metrics    *metrics;
static struct weir__task       *task;
static struct weir__task_config config;
static struct weir_error        error;
static struct weir__buf         sent; /* "topic key=value@time;" */
static int64_t                  clock_ms;
static int64_t                  last_count; /* of topic counted */
static int                      subs[8];
static int                      refuse; /* code that the next send to refuse_topic gives */
static const char              *refuse_topic;

static int collect(void *arg, const struct weir__raw *raw, enum weir__sent_as as)
{
    (void)arg, (void)as;
    if (refuse != WEIR_OK && strcmp(raw->topic, refuse_topic) == 0)
        return refuse;
    if (strcmp(raw->topic, "counted") == 0)
        last_count = (int64_t)weir__get_be64(raw->value.data);
    weir__buf_printf(&sent, "%s %.*s=%.*s@%lld;", raw->topic, (int)raw->key.size,
                     raw->key.data != NULL ? (const char *)raw->key.data : "",
                     as == WEIR__TO_USER ? (int)raw->value.size : 0, (const char *)raw->value.data,
                     (long long)raw->timestamp);
    return WEIR_OK;
}

/* Who gets what is sent. */
static weir__send *collector;

static int send_on(void *arg, const struct weir__raw *raw, enum weir__sent_as as) { return collector(arg, raw, as); }

static int64_t now(void *arg)
{
    (void)arg;
    return clock_ms;
}

static void set_up(void)
{
    error = (struct weir_error){ 0 };
    opened = closed = fired = asked = 0;
    clock_ms = 1000;
    refuse = WEIR_OK;
    collector = collect;
}

static void open_task(void) { ck_assert_msg(weir__task_new(&config, &task, &error) == WEIR_OK, "%s", error.text); }

static void start(void) { ck_assert_msg(weir__task_start(task, &error) == WEIR_OK, "%s", error.text); }

static void prepare(const struct weir_topology *topology)
{
    struct weir__plan_config plan_config = { .application = "app" };

    ck_assert_msg(weir__plan_new(topology, &plan_config, &plan, NULL, &error) == WEIR_OK, "%s", error.text);
    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    config = (struct weir__task_config){ .plan = plan,
                                         .subs = subs,
                                         .partition = 3,
                                         .engines = weir_engines,
                                         .metrics = metrics,
                                         .send = send_on,
                                         .now = now,
                                         .record_memory = 1 << 20,
                                         .idle = -1 };
    for (size_t i = 0; i < plan->sub_count; i++)
        subs[config.sub_count++] = (int)i;
}

static void begin(const struct weir_topology *topology)
{
    prepare(topology);
    open_task();
    start();
}

static void tear_down(void)
{
    weir__task_close(task);
    weir__plan_free(plan);
    weir__metrics_free(metrics);
    weir__buf_fini(&sent);
    task = NULL;
    plan = NULL;
    metrics = NULL;
}

static void add(const char *topic, const char *key, int64_t time, int64_t offset)
{
    struct weir__raw raw = { .topic = topic,
                             .partition = 3,
                             .offset = offset,
                             .timestamp = time,
                             .key = BYTES(key, strlen(key)),
                             .value = BYTES("v", 1) };

    ck_assert_int_eq(weir__task_add(task, &raw, 1), WEIR_OK);
}

static int process(size_t max)
{
    size_t done;

    return weir__task_process(task, max, &done, &error);
}

static void expect_sent(const char *text)
{
    weir__buf_putc(&sent, '\0');
    ck_assert_str_eq(sent.data, text);
    weir__buf_reset(&sent);
}

static int64_t sent_nothing(void *arg, struct weir__tp tp)
{
    (void)arg, (void)tp;
    return -1;
}

static void commit(void)
{
    ck_assert_msg(weir__task_flush(task, &error) == WEIR_OK, "%s", error.text);
    ck_assert_msg(weir__task_committed(task, sent_nothing, NULL, false, &error) == WEIR_OK, "%s", error.text);
}

static int64_t offset_of(const char *topic, struct weir_arena *arena, struct weir_bytes *ret_metadata)
{
    struct weir__offset offsets[8];
    size_t              count;

    ck_assert_int_eq(weir__task_offsets(task, arena, offsets, &count), WEIR_OK);
    for (size_t i = 0; i < count; i++)
        if (strcmp(offsets[i].tp.topic, topic) == 0) {
            ck_assert_int_eq(offsets[i].tp.partition, 3);
            *ret_metadata = offsets[i].metadata;
            return offsets[i].offset;
        }
    return -1;
}

/* ---- order ---- */

START_TEST(records_are_taken_by_time_over_partitions)
{
    begin(&merging);
    add("left", "l5", 5, 0);
    add("left", "l10", 10, 1);
    add("left", "l2", 2, 2); /* within a partition: by offset */
    add("right", "r1", 1, 0);
    add("right", "r7", 7, 1);
    ck_assert_int_eq(process(100), WEIR_OK);
    expect_sent("out r1=v@1;out l5=v@5;out r7=v@7;out l10=v@10;out l2=v@2;");
    ck_assert_int_eq(weir__task_stream_time(task), 10);
}
END_TEST

START_TEST(at_most_as_many_as_asked)
{
    size_t done;

    begin(&merging);
    for (int64_t i = 0; i < 5; i++)
        add("left", "l", i, i);
    ck_assert_int_eq(weir__task_process(task, 3, &done, &error), WEIR_OK);
    ck_assert_uint_eq(done, 3);
    ck_assert_uint_eq(weir__task_buffered(task, "left"), 2);
    ck_assert_int_eq(weir__task_process(task, 3, &done, &error), WEIR_OK);
    ck_assert_uint_eq(done, 2);
    ck_assert_uint_eq(weir__task_buffered_bytes(task, "left"), 0);
}
END_TEST

START_TEST(a_topic_that_is_no_input)
{
    struct weir__raw raw = { .topic = "other" };

    begin(&merging);
    ck_assert_int_eq(weir__task_add(task, &raw, 1), WEIR_NOTFOUND);
    ck_assert_int_eq(weir__task_seek(task, "other", 0, NO_BYTES), WEIR_NOTFOUND);
}
END_TEST

START_TEST(a_topic_without_this_partition_holds_nobody_back)
{
    static const char *const topics[] = { "left", NULL };

    prepare(&merging);
    config.topics = topics;
    config.idle = 0;
    open_task();
    start();
    ck_assert_uint_eq(weir__task_inputs(task), 1);
    ck_assert_str_eq(weir__task_input(task, 0), "left");
    add("left", "l", 1, 0);
    ck_assert_int_eq(process(1), WEIR_OK);
    expect_sent("out l=v@1;");
}
END_TEST

/* ---- waiting: max.task.idle.ms ---- */

static void begin_idle(int64_t idle)
{
    prepare(&merging);
    config.idle = idle;
    open_task();
    start();
    add("left", "l", 5, 0);
}

START_TEST(an_empty_partition_that_may_have_records_is_waited_for)
{
    begin_idle(0);
    ck_assert_int_eq(process(10), WEIR_AGAIN); /* lag not known */
    weir__task_lag(task, "right", 2);
    ck_assert_int_eq(process(10), WEIR_AGAIN);
    clock_ms += 1000000; /* however long it takes */
    ck_assert_int_eq(process(10), WEIR_AGAIN);
    add("right", "r", 3, 0);
    weir__task_lag(task, "right", 1);
    weir__task_lag(task, "left", 0);
    ck_assert_int_eq(process(10), WEIR_AGAIN); /* after r it waits again */
    expect_sent("out r=v@3;");
    weir__task_lag(task, "right", 0);
    ck_assert_int_eq(process(10), WEIR_OK);
    expect_sent("out l=v@5;");
}
END_TEST

START_TEST(a_partition_read_to_its_end_is_waited_for_as_long_as_is_set)
{
    begin_idle(100);
    weir__task_lag(task, "right", 0);
    ck_assert_int_eq(process(10), WEIR_AGAIN);
    clock_ms += 99;
    ck_assert_int_eq(process(10), WEIR_AGAIN);
    clock_ms += 1;
    ck_assert_int_eq(process(10), WEIR_OK);
    expect_sent("out l=v@5;");
}
END_TEST

START_TEST(a_record_ends_the_wait_and_the_next_one_is_as_long)
{
    begin_idle(100);
    weir__task_lag(task, "right", 0);
    ck_assert_int_eq(process(10), WEIR_AGAIN);
    clock_ms += 99;
    add("right", "r", 3, 0);
    ck_assert_int_eq(process(1), WEIR_OK);
    expect_sent("out r=v@3;");
    clock_ms += 50;
    ck_assert_int_eq(process(10), WEIR_AGAIN);
    clock_ms += 100;
    ck_assert_int_eq(process(10), WEIR_OK);
    expect_sent("out l=v@5;");
}
END_TEST

START_TEST(minus_one_never_waits)
{
    begin_idle(-1);
    weir__task_lag(task, "right", 7);
    ck_assert_int_eq(process(10), WEIR_OK);
    expect_sent("out l=v@5;");
}
END_TEST

START_TEST(one_partition_waits_for_nobody)
{
    prepare(&alone);
    config.idle = 100;
    open_task();
    start();
    add("left", "l", 5, 0);
    ck_assert_int_eq(process(10), WEIR_OK);
    expect_sent("out l=v@5;");
}
END_TEST

/* ---- offsets and what goes with them ---- */

START_TEST(the_offset_is_that_of_the_next_record)
{
    struct weir_arena arena = { 0 };
    struct weir_bytes metadata;

    begin(&merging);
    ck_assert_int_eq(offset_of("left", &arena, &metadata), -1); /* nothing read yet */
    add("left", "l", 1, 40);
    add("left", "l", 2, 42); /* 41: a marker */
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_int_eq(offset_of("left", &arena, &metadata), 42);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_int_eq(offset_of("left", &arena, &metadata), 43);
    ck_assert_int_eq(offset_of("right", &arena, &metadata), -1);
    weir__arena_fini(&arena);
}
END_TEST

/* Ends the task and begins another from its offset and metadata of a topic. */
static void go_on(const char *topic)
{
    struct weir_arena arena = { 0 };
    struct weir_bytes metadata;
    int64_t           offset = offset_of(topic, &arena, &metadata);

    weir__task_close(task);
    open_task();
    ck_assert_int_eq(weir__task_seek(task, topic, offset, metadata), WEIR_OK);
    start();
    weir__arena_fini(&arena);
}

START_TEST(the_next_task_knows_the_time)
{
    begin(&by_partition);
    add("timed", "a", 50, 0);
    ck_assert_int_eq(process(1), WEIR_OK);
    go_on("timed");
    ck_assert_int_eq(weir__task_stream_time(task), 50);
    add("timed", "b", -1, 1);
    ck_assert_int_eq(process(1), WEIR_OK);
    expect_sent("out a=v@50;out b=v@50;");
}
END_TEST

static int results;

static int count_results(void *arg, const struct weir__raw *raw, enum weir__sent_as as)
{
    (void)arg, (void)as;
    results += strcmp(raw->topic, "closes") == 0;
    return WEIR_OK;
}

/* A record's memory is for one of them, not for all. */
START_TEST(any_number_of_windows_closes_at_once)
{
    const int many = 30000;

    begin(&windows);
    collector = count_results;
    results = 0;
    for (int i = 0; i < many; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        add("left", key, 1, i);
        ck_assert_int_eq(process(1), WEIR_OK);
    }
    clock_ms += 60000; /* it looks again */
    add("left", "late", 120000, many);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_int_eq(results, many);
    clock_ms += 60000;
    add("left", "later", 120001, many + 1);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_int_eq(results, many);
}
END_TEST

START_TEST(the_next_task_knows_which_windows_have_closed)
{
    begin(&windows);
    add("left", "a", 10, 0);
    add("left", "a", 70000, 1);
    ck_assert_int_eq(process(2), WEIR_OK);
    ck_assert_ptr_nonnull(strstr(sent.data, "closes a"));
    weir__buf_reset(&sent);
    go_on("left");
    add("left", "a", 20, 2); /* its window has closed */
    add("left", "a", 71000, 3);
    ck_assert_int_eq(process(2), WEIR_OK);
    weir__buf_putc(&sent, '\0');
    ck_assert_ptr_null(strstr(sent.data, "closes"));
    ck_assert(weir__metrics_sum(metrics, "weir_records_dropped_total", "reason", "late for its window") == 1);
}
END_TEST

START_TEST(metadata_that_is_not_ours_harms_nothing)
{
    static const char *const texts[] = { "",
                                         "?",
                                         "AA==",
                                         "AgAAAAAAAAA=",         /* cut short */
                                         "CQAAAAAAAAAyAAAAAA==", /* an unknown version */
                                         "AgAAAAAAAAAyAAAAAv////8=",
                                         "AgAAAAAAAAAyf////wAAAAFh" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        begin(&windows);
        ck_assert_int_eq(weir__task_seek(task, "left", 7, BYTES(texts[i], strlen(texts[i]))), WEIR_OK);
        ck_assert_int_eq(weir__task_stream_time(task), i < 5 ? -1 : 50);
        add("left", "a", 60, 7);
        ck_assert_int_eq(process(1), WEIR_OK);
        tear_down();
    }
    begin(&windows);
    /* version 1: the time alone */
    ck_assert_int_eq(weir__task_seek(task, "left", 7, BYTES("AQAAAAAAAAAy", 12)), WEIR_OK);
    ck_assert_int_eq(weir__task_stream_time(task), 50);
}
END_TEST

START_TEST(metadata_without_memory_is_a_failure)
{
    struct weir__offset offsets[2];
    struct weir_arena   arena = { 0 };
    struct weir_bytes   metadata;
    size_t              count;

    begin(&windows);
    add("left", "a", 10, 0);
    ck_assert_int_eq(process(1), WEIR_OK);
    (void)offset_of("left", &arena, &metadata);
    for (uint64_t n = 1; n < 3; n++) {
        struct weir_arena empty = { 0 };

        weir__fail_allocation(n);
        ck_assert_int_eq(weir__task_offsets(task, &empty, offsets, &count), WEIR_NO_MEMORY);
        weir__fail_allocation(0);
        weir__arena_fini(&empty);
    }
    weir__task_close(task);
    open_task();
    weir__fail_allocation(1);
    ck_assert_int_eq(weir__task_seek(task, "left", 1, metadata), WEIR_NO_MEMORY);
    weir__fail_allocation(0);
    weir__arena_fini(&arena);
}
END_TEST

/* ---- drop ---- */

START_TEST(a_drop_takes_back_to_the_last_commit)
{
    begin(&counting);
    add("left", "a", 1, 0);
    ck_assert_int_eq(process(1), WEIR_OK);
    commit();
    weir__buf_reset(&sent);
    add("left", "a", 9, 1);
    add("left", "a", 10, 2);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert(weir__task_has_work(task));
    weir__task_drop(task);
    ck_assert(!weir__task_has_work(task));
    ck_assert_uint_eq(weir__task_buffered(task, "left"), 0);
    ck_assert_int_eq(weir__task_stream_time(task), -1);
    weir__buf_reset(&sent);
    ck_assert_int_eq(weir__task_seek(task, "left", 1, NO_BYTES), WEIR_OK);
    start();
    add("left", "a", 9, 1);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_int_eq(last_count, 2); /* again the second of its key */
}
END_TEST

START_TEST(a_drop_closes_the_nodes_and_a_start_opens_them_anew)
{
    begin(&alive);
    add("left", "a", 1, 0);
    ck_assert_int_eq(process(1), WEIR_OK);
    weir__buf_reset(&sent);
    weir__task_drop(task);
    ck_assert_int_eq(closed, 1);
    ck_assert_uint_eq(sent.size, 0); /* what a close verb forwards goes nowhere */
    start();
    ck_assert_int_eq(opened, 2); /* with memory as new */
    weir__task_close(task);
    task = NULL;
    ck_assert_int_eq(closed, 2);
    ck_assert_uint_eq(sent.size, 0);
}
END_TEST

START_TEST(a_task_that_never_started_closes_nothing)
{
    prepare(&alive);
    open_task();
    weir__task_close(task);
    task = NULL;
    ck_assert_int_eq(closed, 0);
}
END_TEST

START_TEST(what_a_schedule_did_before_a_drop_is_done_again)
{
    begin(&scheduled);
    add("left", "a", 25, 0);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_int_eq(fired, 1);
    weir__task_drop(task);
    ck_assert_int_eq(weir__task_seek(task, "left", 0, NO_BYTES), WEIR_OK);
    start();
    weir__buf_reset(&sent);
    add("left", "a", 25, 0);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_int_eq(fired, 2);
    expect_sent("out a=v@25;out fired=fired@25;");
    add("left", "a", 35, 1);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_int_eq(fired, 3); /* the schedule of before is gone */
}
END_TEST

START_TEST(what_is_due_at_one_moment_goes_by_the_order_of_nodes)
{
    begin(&due_at_once);
    for (int64_t n = 0; n < 3; n++)
        add("left", "a", n * 10, n);
    ck_assert_int_eq(process(3), WEIR_OK);
    ck_assert_str_eq(turns, "123412341234");
}
END_TEST

START_TEST(a_verb_may_ask_for_a_commit)
{
    begin(&committing);
    add("left", "a", 1, 0);
    add("left", "b", 2, 1);
    ck_assert_int_eq(process(10), WEIR_OK);
    ck_assert_int_eq(asked, 1); /* it is given before the next record */
    ck_assert(weir__task_wants_commit(task));
    commit();
    ck_assert(!weir__task_wants_commit(task));
    ck_assert_int_eq(process(10), WEIR_OK);
    ck_assert_int_eq(asked, 2);
}
END_TEST

/* ---- failures of the log ---- */

static void begin_refused(int code, const char *topic, enum weir__handler handler)
{
    prepare(&alone);
    config.on_refused = handler;
    open_task();
    start();
    refuse = code;
    refuse_topic = topic;
    add("left", "a", 1, 0);
}

START_TEST(what_a_log_refuses_is_the_handlers)
{
    begin_refused(WEIR_TOO_LARGE, "out", WEIR__DEAD_LETTER);
    ck_assert_int_eq(process(1), WEIR_OK);
    expect_sent("dead a=@1000;");
    tear_down();

    begin_refused(WEIR_TOO_LARGE, "out", WEIR__CONTINUE);
    ck_assert_int_eq(process(1), WEIR_OK);
    ck_assert_uint_eq(sent.size, 0);
    tear_down();

    begin_refused(WEIR_TOO_LARGE, "out", WEIR__FAIL);
    ck_assert_int_eq(process(1), WEIR_TOO_LARGE);
    ck_assert_int_eq(error.code, WEIR_TOO_LARGE);
    ck_assert_str_eq(error.where, "out");
}
END_TEST

START_TEST(a_transaction_that_fails_is_nobodys_dead_letter)
{
    static const int codes[] = { WEIR_ABORT, WEIR_FENCED, WEIR_LOST, WEIR_FATAL };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        begin_refused(codes[i], "out", WEIR__DEAD_LETTER);
        ck_assert_int_eq(process(1), codes[i]);
        ck_assert_int_eq(error.code, codes[i]);
        ck_assert_str_ne(error.text, "");
        ck_assert_uint_eq(sent.size, 0);
        tear_down();
    }
}
END_TEST

/* The failure is then that of the dead letter, not the record's. */
START_TEST(a_dead_letter_that_cannot_be_sent_fails_the_task)
{
    prepare(&alone);
    open_task();
    start();
    refuse = WEIR_ABORT;
    refuse_topic = "dead";
    ck_assert_int_eq(weir__task_add(task, &(struct weir__raw){ .topic = "left", .partition = 3, .timestamp = -5 }, 1),
                     WEIR_OK);
    ck_assert_int_eq(process(1), WEIR_ABORT);
    ck_assert_int_eq(error.code, WEIR_ABORT);
    ck_assert_str_eq(error.where, "left");
}
END_TEST

/* ---- dead letters that fold ---- */

static char folded[40000]; /* the letters that were sent with a flush, one after the other */

static int collect_letters(void *arg, const struct weir__raw *raw, enum weir__sent_as as)
{
    size_t size = strlen(folded);

    (void)arg;
    ck_assert_int_eq(as, WEIR__TO_DEAD_LETTERS);
    snprintf(folded + size, sizeof(folded) - size, "%.*s;", (int)raw->value.size, (const char *)raw->value.data);
    return WEIR_OK;
}

static void begin_folding(void)
{
    prepare(&refuses);
    config.letters_per_second = 3;
    open_task();
    start();
}

static void flush_folds(void)
{
    folded[0] = '\0';
    collector = collect_letters;
    ck_assert_int_eq(weir__task_flush(task, &error), WEIR_OK);
    collector = collect;
}

START_TEST(beyond_the_rate_letters_fold_by_stage_and_code)
{
    begin_folding();
    for (int64_t i = 10; i < 14; i++)
        add("left", "a", 1, i);
    add("left", "b", 1, 14);
    add("left", "a", 1, 17);
    ck_assert_int_eq(process(100), WEIR_OK);
    expect_sent("dead a=@1000;dead a=@1000;dead a=@1000;dead b=@1000;dead b=@1000;");
    flush_folds();
    ck_assert_str_eq(folded, "{\"source_topic\":\"left\",\"partition\":3,\"first_offset\":11,\"last_offset\":17,"
                             "\"offsets\":\"11-13,17\",\"count\":7,\"stage\":\"refuses/refusing\",\"code\":\"a\","
                             "\"message\":\"two\",\"tenant\":null,\"first_failed\":1000,\"last_failed\":1000};");
    flush_folds();
    ck_assert_str_eq(folded, "");
}
END_TEST

START_TEST(another_second_has_a_rate_of_its_own)
{
    begin_folding();
    add("left", "a", 1, 1);
    add("left", "a", 1, 2);
    ck_assert_int_eq(process(100), WEIR_OK);
    clock_ms = 2000;
    add("left", "a", 1, 3);
    ck_assert_int_eq(process(100), WEIR_OK);
    expect_sent("dead a=@1000;dead a=@1000;dead a=@1000;dead a=@2000;dead a=@2000;");
    flush_folds();
    ck_assert_ptr_nonnull(strstr(folded, "\"offsets\":\"2\",\"count\":1,"));
}
END_TEST

START_TEST(a_drop_forgets_what_was_folded)
{
    begin_folding();
    for (int64_t i = 0; i < 4; i++)
        add("left", "a", 1, i);
    ck_assert_int_eq(process(100), WEIR_OK);
    weir__task_drop(task);
    start();
    weir__buf_reset(&sent);
    flush_folds();
    ck_assert_str_eq(folded, "");
}
END_TEST

START_TEST(a_fold_of_many_parts_is_several)
{
    begin_folding();
    for (int64_t i = 0; i < 1100; i++)
        add("left", "a", 1, 2 * i);
    ck_assert_int_eq(process(2000), WEIR_OK);
    weir__buf_reset(&sent);
    flush_folds();
    ck_assert_ptr_nonnull(strstr(folded, "\"first_offset\":2,\"last_offset\":2000,"));
    ck_assert_ptr_nonnull(strstr(folded, "\"first_offset\":2000,\"last_offset\":2198,"));
}
END_TEST

START_TEST(a_record_larger_than_its_memory_is_a_dead_letter_whole)
{
    static char      bytes[200000];
    struct weir__raw raw = {
        .topic = "left", .partition = 3, .timestamp = 5, .key = BYTES("k", 1), .value = BYTES(bytes, sizeof(bytes))
    };

    memset(bytes, 'x', sizeof(bytes));
    prepare(&alone);
    config.record_memory = 100000;
    open_task();
    start();
    ck_assert_int_eq(weir__task_add(task, &raw, 1), WEIR_OK);
    add("left", "next", 6, 1);
    ck_assert_int_eq(process(2), WEIR_OK);
    expect_sent("dead k=@1000;out next=v@6;");
}
END_TEST

/* ---- global tables ---- */

/* What a lookup decodes belongs to the record that asked: a hundred of them take no more memory than one. */
START_TEST(lookups_do_not_add_up)
{
    struct weir_driver_config driver_config = { .application = "app" };
    struct weir_driver       *driver;
    struct weir_output        output;
    static char               value[1 << 20];
    int                       count = 0;

    ck_assert_int_eq(weir_driver_open(&looking, &driver_config, weir_engines, &driver, &error), WEIR_OK);
    ck_assert_int_eq(
        weir_driver_pipe(driver, "big", BYTES("k", 1), BYTES(value, sizeof(value) - 100), 1, NULL, 0, &error),
        WEIR_OK);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(weir_driver_pipe(driver, "left", BYTES("k", 1), BYTES("v", 1), 1, NULL, 0, &error), WEIR_OK);
    while (weir_driver_read(driver, &output) == WEIR_OK) {
        ck_assert_str_eq(output.topic, "out");
        count++;
    }
    ck_assert_int_eq(count, 100);
    weir_driver_free(driver);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        records_are_taken_by_time_over_partitions,
        at_most_as_many_as_asked,
        a_topic_that_is_no_input,
        a_topic_without_this_partition_holds_nobody_back,
        an_empty_partition_that_may_have_records_is_waited_for,
        a_partition_read_to_its_end_is_waited_for_as_long_as_is_set,
        a_record_ends_the_wait_and_the_next_one_is_as_long,
        minus_one_never_waits,
        one_partition_waits_for_nobody,
        the_offset_is_that_of_the_next_record,
        the_next_task_knows_the_time,
        the_next_task_knows_which_windows_have_closed,
        any_number_of_windows_closes_at_once,
        metadata_that_is_not_ours_harms_nothing,
        metadata_without_memory_is_a_failure,
        a_drop_takes_back_to_the_last_commit,
        a_drop_closes_the_nodes_and_a_start_opens_them_anew,
        a_task_that_never_started_closes_nothing,
        what_a_schedule_did_before_a_drop_is_done_again,
        what_is_due_at_one_moment_goes_by_the_order_of_nodes,
        a_verb_may_ask_for_a_commit,
        what_a_log_refuses_is_the_handlers,
        a_transaction_that_fails_is_nobodys_dead_letter,
        a_dead_letter_that_cannot_be_sent_fails_the_task,
        beyond_the_rate_letters_fold_by_stage_and_code,
        another_second_has_a_rate_of_its_own,
        a_drop_forgets_what_was_folded,
        a_fold_of_many_parts_is_several,
        a_record_larger_than_its_memory_is_a_dead_letter_whole,
        lookups_do_not_add_up,
    };
    Suite *suite = suite_create("task");
    TCase *tcase = tcase_create("task");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(tcase, tests[i]);
    return run_suite(suite);
}
