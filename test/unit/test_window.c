/* test_window.c: which windows hold a time. */
#include <check.h>
#include <stdlib.h>

#include "framework/window/window.h"
#include "test/run.h"

static void expect(const struct weir_windows *windows, int64_t time, const int64_t *starts, size_t count)
{
    struct weir__spans spans;
    struct weir_span   span;

    weir__spans_init(&spans, windows, time);
    for (size_t i = 0; i < count; i++) {
        ck_assert(weir__spans_next(&spans, &span));
        ck_assert_int_eq(span.start, starts[i]);
        ck_assert_int_eq(span.end, weir__time_add(starts[i], weir__windows_width(windows)));
    }
    ck_assert(!weir__spans_next(&spans, &span));
}

START_TEST(tumbling)
{
    expect(TUMBLING(10, 0), 0, (int64_t[]){ 0 }, 1);
    expect(TUMBLING(10, 0), 9, (int64_t[]){ 0 }, 1);
    expect(TUMBLING(10, 0), 10, (int64_t[]){ 10 }, 1);
    expect(TUMBLING(10, 0), INT64_MAX - 1, (int64_t[]){ (INT64_MAX - 1) / 10 * 10 }, 1);
}
END_TEST

START_TEST(hopping)
{
    expect(HOPPING(10, 5, 0), 3, (int64_t[]){ 0 }, 1);
    expect(HOPPING(10, 5, 0), 12, (int64_t[]){ 5, 10 }, 2);
    expect(HOPPING(10, 3, 0), 10, (int64_t[]){ 3, 6, 9 }, 3);
    expect(HOPPING(10, 10, 0), 25, (int64_t[]){ 20 }, 1);
}
END_TEST

START_TEST(unlimited)
{
    expect(UNLIMITED(.start = 5), 4, NULL, 0);
    expect(UNLIMITED(.start = 5), 5, (int64_t[]){ 5 }, 1);
    expect(UNLIMITED(.start = 5), 5000, (int64_t[]){ 5 }, 1);
}
END_TEST

START_TEST(faults)
{
    int code;

    ck_assert_ptr_null(weir__windows_check(HOPPING(10, 5, 0), &code));
    ck_assert_ptr_nonnull(weir__windows_check(HOPPING(10, 11, 0), &code));
    ck_assert_ptr_nonnull(weir__windows_check(HOPPING(10, 0, 0), &code));
    ck_assert_ptr_nonnull(weir__windows_check(TUMBLING(0, 0), &code));
    ck_assert_ptr_nonnull(weir__windows_check(TUMBLING(10, -1), &code));
    ck_assert_ptr_nonnull(weir__windows_check(TUMBLING(10, 5, .retention = 14), &code));
    ck_assert_int_eq(code, WEIR_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(weir__windows_check(TUMBLING(10, 5, .idle = 1), &code));
    ck_assert_ptr_nonnull(weir__windows_check(TUMBLING(10, 5, .time = WEIR_PER_KEY, .retention = 4), &code));
    ck_assert_ptr_null(weir__windows_check(TUMBLING(10, 5, .time = WEIR_PER_KEY, .retention = 5, .idle = 1), &code));
    ck_assert_ptr_nonnull(weir__windows_check(UNLIMITED(.time = WEIR_PER_KEY, .idle = 1), &code));
}
END_TEST

START_TEST(retention)
{
    ck_assert_int_eq(weir__windows_retention(TUMBLING(10, 5)), 15);
    ck_assert_int_eq(weir__windows_retention(TUMBLING(10, 5, .retention = 20)), 20);
    ck_assert_int_eq(weir__windows_retention(TUMBLING(10, 5, .time = WEIR_PER_KEY)), 5);
    ck_assert_int_eq(weir__windows_retention(UNLIMITED()), INT64_MAX);
    ck_assert_int_eq(weir__windows_ttl(TUMBLING(10, 5, .time = WEIR_PER_KEY)), DAYS(7));
}
END_TEST

START_TEST(time_is_cut)
{
    ck_assert_int_eq(weir__time_add(INT64_MAX, 1), INT64_MAX);
    ck_assert_int_eq(weir__time_sub(INT64_MIN, 1), INT64_MIN);
    ck_assert_int_eq(weir__time_sub(5, 7), -2);
    ck_assert_int_eq(weir__segment_width(1000), 60000);
    ck_assert_int_eq(weir__segment_width(1000000), 500000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("window");
    TCase *tests = tcase_create("window");

    tcase_add_test(tests, tumbling);
    tcase_add_test(tests, hopping);
    tcase_add_test(tests, unlimited);
    tcase_add_test(tests, faults);
    tcase_add_test(tests, retention);
    tcase_add_test(tests, time_is_cut);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
