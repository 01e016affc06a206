/* test_keyed_task.c: windows by key time in a task of its own: several records to a commit, aborts, input that is not at
 * its end, timers. */
#include <check.h>
#include <stdlib.h>

#include "framework/task/internal.h"
#include "statestores/engines.h"
#include "test/run.h"

static int add(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    (void)ctx;
    *(int64_t *)state += *(const int64_t *)rec->value;
    return WEIR_OK;
}

static int64_t length; /* of the calendar's windows, which begin at multiples of 100 */

static int calendar(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *spans, size_t max)
{
    (void)ctx;
    (void)max;
    spans->start = rec->timestamp / 100 * 100;
    spans->end = spans->start + length;
    return 1;
}

static struct weir_windows windows;
static struct weir_store   sums_s[1] = {
      { .name = "sums_s", .kind = WEIR_WINDOWS, .key = weir_string, .value = weir_int64, .windows = &windows }
};
static struct weir_node sums[1] = { { .name = "sums", .kind = WEIR_AGGREGATE, .into = sums_s, .fold = add } };

SOURCE(in, "in", weir_string, weir_int64);
SINK(out, "out", WINDOWED(weir_string, 100), weir_int64);
static TOPOLOGY(keyed, .paths = PATHS(PATH(in, sums, out)));

static struct weir__plan    *plan;
static struct weir__metrics *metrics;
static struct weir__task    *task;
static struct weir_error     error;
static struct weir__buf      sent; /* "a0=5 " of each result */
static int64_t               clock_ms, next;

static int send(void *arg, const struct weir__raw *raw, enum weir__sent_as as)
{
    (void)arg;
    if (as == WEIR__TO_USER)
        weir__buf_printf(&sent, "%.1s%lld=%lld ", (const char *)raw->key.data,
                         (long long)weir__get_be64((const char *)raw->key.data + 1),
                         (long long)weir__get_be64(raw->value.data));
    return WEIR_OK;
}

static int64_t now(void *arg)
{
    (void)arg;
    return clock_ms;
}

static void open_with(struct weir_windows as, int emit)
{
    static const int         subs[] = { 0 };
    struct weir__plan_config plan_config = { .cache = true };
    struct weir__task_config config = { .subs = subs,
                                        .sub_count = 1,
                                        .engines = weir_engines,
                                        .send = send,
                                        .now = now,
                                        .cache_bytes = 1 << 20,
                                        .hold_bytes = 1 << 20,
                                        .record_memory = 1 << 20,
                                        .idle = -1 };

    windows = as;
    sums->emit = emit;
    clock_ms = 1000;
    next = 0;
    ck_assert_int_eq(weir__plan_new(&keyed, &plan_config, &plan, NULL, &error), WEIR_OK);
    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    config.plan = plan;
    config.metrics = metrics;
    ck_assert_int_eq(weir__task_new(&config, &task, &error), WEIR_OK);
    ck_assert_int_eq(weir__task_start(task, &error), WEIR_OK);
}

static void finish(void)
{
    weir__task_close(task);
    weir__plan_free(plan);
    weir__metrics_free(metrics);
    weir__buf_fini(&sent);
}

static void put(const char *key, int64_t time, int64_t value)
{
    char             bytes[8];
    struct weir__raw raw = { .topic = "in", .offset = next++, .timestamp = time, .key = BYTES(key, 1) };
    size_t           done;

    weir__put_be64(bytes, (uint64_t)value);
    raw.value = BYTES(bytes, sizeof(bytes));
    ck_assert_int_eq(weir__task_add(task, &raw, 1), WEIR_OK);
    ck_assert_int_eq(weir__task_process(task, 1, &done, &error), WEIR_OK);
    ck_assert_uint_eq(done, 1);
}

static void commit(void)
{
    ck_assert_int_eq(weir__task_flush(task, &error), WEIR_OK);
    ck_assert_int_eq(weir__task_committed(task, NULL, NULL, false, &error), WEIR_OK);
}

static void drop(void)
{
    weir__task_drop(task);
    ck_assert_int_eq(weir__task_start(task, &error), WEIR_OK);
}

static void tick(void) { ck_assert_int_eq(weir__task_punctuate(task, &error), WEIR_OK); }

static void expect(const char *want)
{
    weir__buf_putc(&sent, '\0');
    ck_assert_str_eq(sent.data, want);
    weir__buf_reset(&sent);
}

START_TEST(what_goes_before_the_commit_is_sent_on_all_the_same)
{
    open_with(*TUMBLING(100, 0, .time = WEIR_PER_KEY), WEIR_ON_COMMIT);
    put("a", 1, 1);
    put("a", 2, 2);
    put("a", 1000, 4); /* [0, 100) is past retention before anybody heard of it */
    commit();
    expect("a0=3 a1000=4 ");
    finish();
}
END_TEST

START_TEST(nothing_closes_by_the_clock_before_the_end_of_the_input)
{
    open_with(*TUMBLING(100, 0, .time = WEIR_PER_KEY, .idle = 10), WEIR_ON_CLOSE);
    put("a", 1, 1);
    commit();
    clock_ms += 10;
    weir__task_lag(task, "in", 3);
    tick();
    expect("");
    weir__task_lag(task, "in", 0);
    tick();
    expect("a0=1 ");
    finish();
}
END_TEST

START_TEST(an_abort_takes_a_closing_back)
{
    open_with(*TUMBLING(100, 0, .time = WEIR_PER_KEY, .idle = 10), WEIR_ON_CLOSE);
    put("a", 1, 1);
    commit();
    clock_ms += 10;
    for (int i = 0; i < 2; i++) {
        weir__task_lag(task, "in", 0);
        tick();
        expect("a0=1 ");
        drop();
    }
    finish();
}
END_TEST

START_TEST(an_abort_gives_a_calendar_window_its_end_back)
{
    length = 50;
    open_with(*CALENDAR(calendar, 100, 0, .time = WEIR_PER_KEY), WEIR_ON_CLOSE);
    put("a", 1, 1);
    commit();
    put("a", 2, 2);
    drop();
    length = 80;
    put("a", 49, 4);
    put("a", 150, 8);
    expect("a0=5 ");
    finish();
}
END_TEST

/* More at once than a record's memory has room for: their rows, and what is made of each. */
START_TEST(a_key_closes_any_number_of_windows_at_once)
{
    enum { WINDOWS = 20000 };
    struct weir__buf want = { 0 };

    open_with(*TUMBLING(100, 100LL * (WINDOWS + 1), .time = WEIR_PER_KEY), WEIR_ON_CLOSE);
    for (int64_t i = 0; i < WINDOWS; i += _i == 0 ? 1 : 7) { /* with gaps the range is read */
        put("a", i * 100, i);
        weir__buf_printf(&want, "a%lld=%lld ", (long long)i * 100, (long long)i);
    }
    put("a", 300LL * WINDOWS, 1);
    weir__buf_putc(&want, '\0');
    expect(want.data);
    weir__buf_fini(&want);
    finish();
}
END_TEST

/* The last of them is the key's last window, at any count. */
START_TEST(the_clock_closes_each_window_once)
{
    static const int counts[] = { 1, 63, 64, 65, 128, 1000 };
    struct weir__buf want = { 0 };

    open_with(*TUMBLING(100, 1000000, .time = WEIR_PER_KEY, .idle = 10), WEIR_ON_CLOSE);
    for (int64_t i = 0; i < counts[_i]; i++) {
        put("a", i * 100, i);
        weir__buf_printf(&want, "a%lld=%lld ", (long long)i * 100, (long long)i);
    }
    commit();
    expect("");
    clock_ms += 2000000;
    weir__task_lag(task, "in", 0);
    tick();
    weir__buf_putc(&want, '\0');
    expect(want.data);
    weir__buf_fini(&want);
    finish();
}
END_TEST

/* The least of many due times, moved and removed at random, against a plain array. */
START_TEST(the_first_timer_is_due_first)
{
    enum { KEYS = 100 };
    struct weir__timers timers = { 0 };
    int64_t             due[KEYS];

    for (int i = 0; i < KEYS; i++)
        due[i] = -1;
    srandom(1);
    for (int i = 0; i < 20000; i++) {
        int     key = (int)(random() % KEYS);
        char    name = (char)key;
        int64_t least = -1;
        size_t  count = 0;

        due[key] = random() % 3 == 0 ? -1 : random() % 1000;
        if (due[key] < 0)
            weir__timers_remove(&timers, BYTES(&name, 1));
        else
            ck_assert_int_eq(weir__timers_set(&timers, BYTES(&name, 1), due[key]), WEIR_OK);
        for (int j = 0; j < KEYS; j++) {
            count += due[j] >= 0;
            if (due[j] >= 0 && (least < 0 || due[j] < least))
                least = due[j];
        }
        ck_assert_uint_eq(timers.count, count);
        if (count > 0)
            ck_assert_int_eq(timers.heap[0]->due, least);
    }
    weir__timers_fini(&timers);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keyed_task");
    TCase *tests = tcase_create("keyed_task");

    tcase_add_test(tests, what_goes_before_the_commit_is_sent_on_all_the_same);
    tcase_add_test(tests, nothing_closes_by_the_clock_before_the_end_of_the_input);
    tcase_add_test(tests, an_abort_takes_a_closing_back);
    tcase_add_test(tests, an_abort_gives_a_calendar_window_its_end_back);
    tcase_add_loop_test(tests, a_key_closes_any_number_of_windows_at_once, 0, 2);
    tcase_add_loop_test(tests, the_clock_closes_each_window_once, 0, 6);
    tcase_add_test(tests, the_first_timer_is_due_first);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
