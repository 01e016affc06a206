/* test_metrics.c: series and their numbers, caps, threads, and the printed text. */
#include "framework/metrics/page.h"
#include "test/run.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

static const struct weir__family plain = { "weir_lag", WEIR__GAUGE, "How far\nbehind \\ \"it\" is.", { NULL } };
static const struct weir__family drops = {
    "weir_dropped_total", WEIR__COUNTER, "Dropped.", { "topology", "reason", NULL }
};
static const struct weir__family seconds = { "weir_commit_seconds", WEIR__HISTOGRAM, "Commits.", { "task", NULL } };

#define VALUES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct weir__metrics *metrics;
static struct weir__buf      text;

static void set_up(void) { ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK); }

static void tear_down(void)
{
    weir__metrics_free(metrics);
    weir__buf_fini(&text);
}

static const char *print(void)
{
    weir__buf_reset(&text);
    weir__metrics_print(metrics, &text);
    weir__buf_putc(&text, '\0');
    ck_assert(weir__buf_ok(&text));
    return text.data;
}

START_TEST(the_same_labels_are_the_same_series)
{
    struct weir__series *late = weir__metric(metrics, &drops, VALUES("bars", "late"));

    weir__metric_add(late, 2);
    weir__metric_add(weir__metric(metrics, &drops, VALUES("bars", "late")), 1);
    weir__metric_add(weir__metric(metrics, &drops, VALUES("bars", "null")), 5);
    /* The same letters, cut elsewhere. */
    weir__metric_add(weir__metric(metrics, &drops, VALUES("barsl", "ate")), 7);
    ck_assert(weir__metric_value(late) == 3);
    ck_assert(weir__metrics_sum(metrics, "weir_dropped_total", NULL, NULL) == 15);
    ck_assert(weir__metrics_sum(metrics, "unknown", NULL, NULL) == 0);
}
END_TEST

static void add_up(void *arg, const char *const *labels, double value)
{
    if (strcmp(labels[0], "bars") == 0 && labels[2] == NULL)
        *(double *)arg += strcmp(labels[1], "late") == 0 ? value : 10 * value;
}

START_TEST(each_series_is_told_with_its_labels)
{
    double sum = 0;

    weir__metric_add(weir__metric(metrics, &drops, VALUES("bars", "late")), 3);
    weir__metric_add(weir__metric(metrics, &drops, VALUES("bars", "null")), 5);
    weir__metric_add(weir__metric(metrics, &drops, VALUES("lines", "late")), 7);
    weir__metrics_each(metrics, drops.name, add_up, &sum);
    weir__metrics_each(metrics, "unknown", add_up, &sum);
    ck_assert(sum == 53);
}
END_TEST

START_TEST(text_is_prometheus)
{
    weir__metric_set(weir__metric(metrics, &plain, VALUES(NULL)), -0.1);
    weir__metric_add(weir__metric(metrics, &drops, VALUES("a\\b", "say \"no\"\n\xff")), 1e9);
    ck_assert_str_eq(print(), "# HELP weir_lag How far\\nbehind \\\\ \"it\" is.\n"
                              "# TYPE weir_lag gauge\n"
                              "weir_lag -0.1\n"
                              "# HELP weir_dropped_total Dropped.\n"
                              "# TYPE weir_dropped_total counter\n"
                              "weir_dropped_total{topology=\"a\\\\b\",reason=\"say \\\"no\\\"\\n\xef\xbf\xbd\"} "
                              "1000000000\n");
}
END_TEST

START_TEST(numbers_come_back_as_they_were)
{
    static const double  numbers[] = { 0, 0.1, 1.0 / 3, 1e-9, 123456789012345678.0, -2.5 };
    struct weir__series *lag = weir__metric(metrics, &plain, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        weir__metric_set(lag, numbers[i]);
        ck_assert(strtod(strstr(print(), "\nweir_lag ") + 10, NULL) == numbers[i]);
    }
    weir__metric_set(lag, HUGE_VAL);
    ck_assert_ptr_nonnull(strstr(print(), "\nweir_lag +Inf\n"));
    weir__metric_set(lag, -HUGE_VAL);
    ck_assert_ptr_nonnull(strstr(print(), "\nweir_lag -Inf\n"));
    weir__metric_set(lag, NAN);
    ck_assert_ptr_nonnull(strstr(print(), "\nweir_lag NaN\n"));
}
END_TEST

START_TEST(a_histogram_counts_up_to_each_bound)
{
    struct weir__series *series = weir__metric(metrics, &seconds, VALUES("0_1"));
    static const double  observed[] = { 0, 0.0001, 0.00011, 0.03, 100, 100.5 };
    double               sum = 0;

    for (size_t i = 0; i < ARRAY_SIZE(observed); i++) {
        weir__metric_observe(series, observed[i]);
        sum += observed[i];
    }
    print();
    ck_assert_ptr_nonnull(strstr(text.data, "weir_commit_seconds_bucket{task=\"0_1\",le=\"0.0001\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "weir_commit_seconds_bucket{task=\"0_1\",le=\"0.0002\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "weir_commit_seconds_bucket{task=\"0_1\",le=\"0.02\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "weir_commit_seconds_bucket{task=\"0_1\",le=\"0.05\"} 4\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "weir_commit_seconds_bucket{task=\"0_1\",le=\"100\"} 5\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "weir_commit_seconds_bucket{task=\"0_1\",le=\"+Inf\"} 6\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "weir_commit_seconds_count{task=\"0_1\"} 6\n"));
    ck_assert(fabs(strtod(strstr(text.data, "_sum{task=\"0_1\"} ") + 17, NULL) - sum) < 1e-9);
    ck_assert(weir__metric_value(series) == 6);
}
END_TEST

START_TEST(past_the_cap_all_are_other)
{
    struct weir__series *first = NULL, *series;
    char                 reason[16];

    for (int i = 0; i < 1200; i++) {
        snprintf(reason, sizeof(reason), "r%d", i);
        series = weir__metric(metrics, &drops, VALUES("bars", reason));
        weir__metric_add(series, 1);
        first = first ? first : series;
        if (i >= 1000)
            ck_assert_ptr_eq(series, weir__metric(metrics, &drops, VALUES("x", "y")));
    }
    ck_assert(weir__metric_value(first) == 1);
    ck_assert_ptr_eq(weir__metric(metrics, &drops, VALUES("bars", "r0")), first);
    ck_assert_ptr_nonnull(strstr(print(), "weir_dropped_total{topology=\"other\",reason=\"other\"} 200\n"));
    ck_assert(weir__metrics_sum(metrics, drops.name, NULL, NULL) == 1200);
    /* Other families are not affected. */
    ck_assert(weir__metric_value(weir__metric(metrics, &seconds, VALUES("t"))) == 0);
}
END_TEST

/* Every allocation on the way fails once: what is handed out can be used, and the next call works. */
START_TEST(without_memory_there_is_scrap)
{
    for (uint64_t n = 1; n <= 12; n++) {
        tear_down();
        text = (struct weir__buf){ 0 };
        set_up();
        weir__fail_allocation(n);
        weir__metric_observe(weir__metric(metrics, &seconds, VALUES("t")), 1);
        weir__metric_add(weir__metric(metrics, &drops, VALUES("a", "b")), 1);
        weir__fail_allocation(0);
        weir__metric_add(weir__metric(metrics, &drops, VALUES("a", "b")), 1);
        ck_assert(weir__metric_value(weir__metric(metrics, &drops, VALUES("a", "b"))) >= 1);
        print();
    }
}
END_TEST

static pthread_barrier_t start;

static void *add_often(void *arg)
{
    struct weir__series *own = weir__metric(metrics, &seconds, VALUES(arg));
    struct weir__series *other = weir__metric(metrics, &drops, VALUES("past", "cap"));
    struct weir__series *lag = weir__metric(metrics, &plain, NULL);

    pthread_barrier_wait(&start);
    for (int i = 0; i < 1000000; i++) {
        weir__metric_add(other, 1);
        weir__metric_add(lag, 1);
        weir__metric_observe(own, 0.001);
    }
    return NULL;
}

START_TEST(threads_lose_nothing_in_what_they_share)
{
    static char names[2][2] = { "a", "b" };
    pthread_t   threads[2];
    char        reason[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(reason, sizeof(reason), "r%d", i);
        weir__metric(metrics, &drops, VALUES("bars", reason));
    }
    weir__metric(metrics, &plain, NULL);
    ck_assert_int_eq(pthread_barrier_init(&start, NULL, 2), 0);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_often, names[i]), 0);
    for (int i = 0; i < 20; i++)
        print();
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&start);
    ck_assert(weir__metrics_sum(metrics, drops.name, NULL, NULL) == 2000000);
    ck_assert(weir__metrics_sum(metrics, plain.name, NULL, NULL) == 2000000);
    ck_assert(weir__metrics_sum(metrics, seconds.name, NULL, NULL) == 2000000);
}
END_TEST

START_TEST(a_page_adds_up_what_has_the_same_labels)
{
    struct weir__page page;

    weir__page_init(&page);
    weir__page_add(&page, WEIR__TASK_QUEUED_FAMILY, VALUES("bars", "t_0"), 2);
    weir__page_least(&page, WEIR__STREAM_TIME_FAMILY, VALUES("bars", "t_0"), 7);
    weir__page_add(&page, WEIR__TASK_QUEUED_FAMILY, VALUES("bars", "t_1"), 4);
    weir__page_add(&page, WEIR__TASK_QUEUED_FAMILY, VALUES("bars", "t_0"), 3);
    weir__page_least(&page, WEIR__STREAM_TIME_FAMILY, VALUES("bars", "t_0"), 5);
    weir__page_least(&page, WEIR__STREAM_TIME_FAMILY, VALUES("bars", "t_0"), 6);
    weir__page_print(&page, &text);
    weir__buf_putc(&text, '\0');
    ck_assert_ptr_nonnull(strstr(text.data, "weir_task_queued_records gauge\n"
                                            "weir_task_queued_records{topology=\"bars\",task=\"t_0\"} 5\n"
                                            "weir_task_queued_records{topology=\"bars\",task=\"t_1\"} 4\n"));
    ck_assert_ptr_nonnull(strstr(text.data, "weir_task_stream_time_seconds{topology=\"bars\",task=\"t_0\"} 5\n"));
    ck_assert_ptr_null(strstr(text.data, "weir_threads"));
    weir__page_fini(&page);
}
END_TEST

START_TEST(past_the_cap_all_of_a_page_are_other)
{
    struct weir__page page;
    char              task[16];

    weir__page_init(&page);
    for (int i = 0; i < 1200; i++) {
        snprintf(task, sizeof(task), "t_%d", i);
        weir__page_add(&page, WEIR__TASK_QUEUED_FAMILY, VALUES("bars", task), 1);
    }
    weir__page_print(&page, &text);
    weir__buf_putc(&text, '\0');
    ck_assert_ptr_nonnull(strstr(text.data, "task=\"t_999\"} 1\n"));
    ck_assert_ptr_null(strstr(text.data, "task=\"t_1000\"}"));
    ck_assert_ptr_nonnull(strstr(text.data, "weir_task_queued_records{topology=\"other\",task=\"other\"} 200\n"));
    weir__page_fini(&page);
}
END_TEST

START_TEST(a_page_without_memory_is_no_page)
{
    for (uint64_t n = 1; n <= 4; n++) {
        struct weir__page page;
        struct weir__buf  out = { 0 };

        weir__page_init(&page);
        weir__fail_allocation(n);
        weir__page_add(&page, WEIR__TASK_QUEUED_FAMILY, VALUES("bars", "t"), 1);
        if (weir__fail_allocation(0) == 0) {
            weir__page_print(&page, &out);
            ck_assert(!weir__buf_ok(&out));
        }
        weir__page_fini(&page);
        weir__buf_fini(&out);
    }
}
END_TEST

int main(void)
{
    const TTest *const all_tests[] = {
        the_same_labels_are_the_same_series,
        each_series_is_told_with_its_labels,
        text_is_prometheus,
        numbers_come_back_as_they_were,
        a_histogram_counts_up_to_each_bound,
        past_the_cap_all_are_other,
        without_memory_there_is_scrap,
        threads_lose_nothing_in_what_they_share,
        a_page_adds_up_what_has_the_same_labels,
        past_the_cap_all_of_a_page_are_other,
        a_page_without_memory_is_no_page,
    };
    Suite *suite = suite_create("metrics");
    TCase *tcase = tcase_create("metrics");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < ARRAY_SIZE(all_tests); i++)
        tcase_add_test(tcase, all_tests[i]);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
