/* test_logging.c: lines as they arrive at the descriptor. */
#include "framework/logging/logging.h"
#include "test/run.h"

#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static int  ends[2];
static char got[8192];

static void set_up(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
}

static void tear_down(void)
{
    weir__log_setup(WEIR__INFO, false, STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
}

/* What was written since the last look. */
static const char *read_lines(void)
{
    ssize_t size = read(ends[0], got, sizeof(got) - 1);

    got[size < 0 ? 0 : size] = '\0';
    return got;
}

START_TEST(logfmt_quotes_only_what_needs_it)
{
    const char *line;

    weir__log_setup(WEIR__INFO, false, ends[1]);
    weir__say(WEIR__INFO, "restore-done", "store", "s", "counts_s", "records", "i", INT64_C(-5), "bytes", "u",
              UINT64_MAX, "seconds", "f", 1.5, "bulk", "b", 1, "note", "s", "two words", "empty", "s", "", "none",
              "s", NULL, NULL);
    line = read_lines();
    ck_assert_int_eq(strncmp(line, "time=20", 7), 0);
    ck_assert_uint_eq(strcspn(line, "Z"), strlen("time=2026-01-02T03:04:05.678"));
    ck_assert_str_eq(line + strcspn(line, " "),
                     " level=info id=restore-done store=counts_s records=-5 bytes=18446744073709551615 seconds=1.5 "
                     "bulk=true note=\"two words\" empty=\"\" none=null\n");
}
END_TEST

START_TEST(json_is_one_object)
{
    const char *line;

    weir__log_setup(WEIR__INFO, true, ends[1]);
    weir__say(WEIR__WARN, "x", "text", "s", "a\"b\\c", "none", "s", NULL, "n", "i", INT64_C(3), "inf", "f", HUGE_VAL,
              "off", "b", 0, NULL);
    line = read_lines();
    ck_assert_int_eq(strncmp(line, "{\"time\":\"20", 11), 0);
    ck_assert_str_eq(strchr(line, ','),
                     ",\"level\":\"warn\",\"id\":\"x\",\"text\":\"a\\\"b\\\\c\",\"none\":null,\"n\":3,"
                     "\"inf\":null,\"off\":false}\n");
}
END_TEST

START_TEST(outside_text_cannot_forge_a_line)
{
    for (int json = 0; json < 2; json++) {
        const char *line;

        weir__log_setup(WEIR__INFO, json, ends[1]);
        weir__say(WEIR__INFO, "x", "t", "s", "a\nb\t\r\x1b[2J\x7f\xc2\x9b\xff\xc3\xa9", NULL);
        line = read_lines();
        ck_assert_ptr_nonnull(strstr(line, "\"a\\nb\\t\\u000d\\u001b[2J\\u007f\\u009b\xef\xbf\xbd\xc3\xa9\""));
        ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    }
}
END_TEST

START_TEST(lower_levels_are_silent)
{
    weir__log_setup(WEIR__WARN, false, ends[1]);
    weir__say(WEIR__INFO, "quiet", NULL);
    weir__say(WEIR__DEBUG, "quiet", NULL);
    ck_assert_str_eq(read_lines(), "");
    weir__say(WEIR__ERROR, "loud", NULL);
    ck_assert_ptr_nonnull(strstr(read_lines(), " level=error id=loud\n"));
}
END_TEST

START_TEST(an_error_has_code_place_and_words)
{
    struct weir_error err;

    weir__log_setup(WEIR__INFO, false, ends[1]);
    weir__fail(&err, WEIR_BUSY, "state/LOCK", "process 7 holds it");
    weir__say_error(WEIR__ERROR, "start-failed", &err);
    ck_assert_ptr_nonnull(
        strstr(read_lines(), " id=start-failed code=WEIR_BUSY where=state/LOCK text=\"process 7 holds it\"\n"));
}
END_TEST

START_TEST(a_line_without_memory_is_told)
{
    weir__log_setup(WEIR__INFO, false, ends[1]);
    weir__fail_allocation(1);
    weir__say(WEIR__INFO, "x", NULL);
    ck_assert_str_eq(read_lines(), "level=error id=log-line-lost text=\"out of memory\"\n");
}
END_TEST

static void *say_often(void *text)
{
    for (int i = 0; i < 50; i++)
        weir__say(WEIR__INFO, "x", "t", "s", (const char *)text, NULL);
    return NULL;
}

START_TEST(lines_of_threads_do_not_mix)
{
    static char letters[2][101];
    pthread_t   threads[2];
    char       *line, *rest;
    size_t      count = 0;
    static char all[1 << 16];
    ssize_t     size;

    weir__log_setup(WEIR__INFO, false, ends[1]);
    for (size_t i = 0; i < 2; i++) {
        memset(letters[i], (int)('a' + i), 100);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, say_often, letters[i]), 0);
    }
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    size = read(ends[0], all, sizeof(all) - 1);
    ck_assert_int_gt(size, 0);
    all[size] = '\0';
    for (line = strtok_r(all, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), count++) {
        const char *text = strstr(line, " t=") + 3;

        ck_assert_uint_eq(strlen(text), 100);
        ck_assert_uint_eq(strspn(text, *text == 'a' ? "a" : "b"), 100);
    }
    ck_assert_uint_eq(count, 100);
}
END_TEST

int main(void)
{
    const TTest *const all_tests[] = {
        logfmt_quotes_only_what_needs_it,  json_is_one_object,
        outside_text_cannot_forge_a_line,  lower_levels_are_silent,
        an_error_has_code_place_and_words, a_line_without_memory_is_told,
        lines_of_threads_do_not_mix,
    };
    Suite *suite = suite_create("logging");
    TCase *tcase = tcase_create("logging");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < ARRAY_SIZE(all_tests); i++)
        tcase_add_test(tcase, all_tests[i]);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
