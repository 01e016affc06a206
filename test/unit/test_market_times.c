/* test_market_times.c: times as text; zones, hours and days against Python's zoneinfo (market_times.py); broken files. */
#include "schemas/times.h"
#include "schemas/zones.h"
#include "test/run.h"

#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

static struct weir_text text_of(const char *text) { return (struct weir_text){ text, strlen(text) }; }

/* ---- text ---- */

static const char *read_back(const char *text)
{
    static char         said[MARKET_TIME_ROOM + 8];
    size_t              size = strlen(text);
    char               *copy = malloc(size + !size);
    struct market_stamp stamp;
    int                 err;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, size);
    err = market_stamp_read((struct weir_text){ copy, size }, &stamp);
    free(copy);
    if (err < 0)
        return market_reason_name(err);
    strcpy(said + market_time_write(stamp.us, said), stamp.local ? " local" : "");
    return said;
}

START_TEST(stamps_are_read_as_they_are_published)
{
    static const char *const cases[][2] = {
        { "2025-05-01T04:00:00Z", "2025-05-01T04:00:00Z" },
        { "2025-05-01t04:00:00z", "bad_time" },
        { "2020-05-10T12:00:00-00:00", "2020-05-10T12:00:00Z" },
        { "2026-09-23T00:00:00.000-04:00", "2026-09-23T04:00:00Z" },
        { "2025-05-01T04:00:00.123456999+0530", "2025-04-30T22:30:00.123456Z" },
        { "2025-05-01 04:00-05", "2025-05-01T09:00:00Z" },
        { "2025-05-01T04:00:00,5Z", "2025-05-01T04:00:00.500000Z" },
        { "2025-05-01T04:00:00", "2025-05-01T04:00:00Z local" },
        { "2025-05-01", "2025-05-01T00:00:00Z local" },
        { "2024-02-29 23:59:59.9", "2024-02-29T23:59:59.900000Z local" },
        { "5/1/2025 4:00:00 AM", "2025-05-01T04:00:00Z local" },
        { "5/1/2025 12:00:00 AM", "2025-05-01T00:00:00Z local" },
        { "5/1/2025 12:30 PM", "2025-05-01T12:30:00Z local" },
        { "12/31/2025 11:59:59 PM", "2025-12-31T23:59:59Z local" },
        { "07/18/2022 00:05:00", "2022-07-18T00:05:00Z local" },
        { "12/01/2016 0:00", "2016-12-01T00:00:00Z local" },
        { "12/30/2018 24:00", "2018-12-31T00:00:00Z local" },
        { "1762795433.9717445", "2025-11-10T17:23:53.971744Z" },
        { "1762795433", "2025-11-10T17:23:53Z" },
        { "1762795433971", "2025-11-10T17:23:53.971000Z" },
        { "1762795433971.7449", "2025-11-10T17:23:53.971744Z" },
        { "1762795433971744", "2025-11-10T17:23:53.971744Z" },
        { "1762795433971744.9", "2025-11-10T17:23:53.971744Z" },
        { "-1.5", "1969-12-31T23:59:58.500000Z" },
        { "0", "1970-01-01T00:00:00Z" },
        { "99999999999", "5138-11-16T09:46:39Z" },
        { "100000000000", "1973-03-03T09:46:40Z" },
        { "99999999999999", "5138-11-16T09:46:39.999000Z" },
        { "100000000000000", "1973-03-03T09:46:40Z" },
        { "99999999999999999", "5138-11-16T09:46:39.999999Z" },
        { "0001-01-01", "0001-01-01T00:00:00Z local" },
        { "2024/06/01 00:15:00", "2024-06-01T00:15:00Z local" },
        { "2024/6/1", "2024-06-01T00:00:00Z local" },
        { "6/1/24 0:00", "2024-06-01T00:00:00Z local" },
        { "12/31/69 12:00:00 pm", "2069-12-31T12:00:00Z local" },
        { "1/2/70", "1970-01-02T00:00:00Z local" },
        { "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(strcmp(read_back(cases[i][0]), cases[i][1]) == 0, "%s gives %s", cases[i][0],
                      read_back(cases[i][0]));
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
    static const char *const texts[] = {
        "",
        " ",
        "-",
        ".",
        "1.",
        ".5",
        "1.2.3",
        "--1",
        "100000000000000000",
        "99999999999999999999999999999",
        "2025-02-29",
        "2025-13-01",
        "2025-00-01",
        "2025-04-31",
        "0000-01-01",
        "10000-01-01",
        "25-01-01",
        "2025-1-1",
        "2025/01-01",
        "2025-1/1",
        "225/1/1",
        "1/1/225",
        "13/01/2025",
        "1/32/2025",
        "25/1/1",
        "2025-01-01T",
        "2025-01-01T24:01",
        "2025-01-01T25:00",
        "2025-01-01T12:60",
        "2025-01-01T12:00:60",
        "2025-01-01T12",
        "2025-01-01T12:00:00.",
        "2025-01-01T12:00:00+",
        "2025-01-01T12:00:00+24:00",
        "2025-01-01T12:00:00+05:60",
        "2025-01-01T12:00:00+05:3",
        "2025-01-01T12:00:00Zx",
        "2025-01-01T12:00:00 EDT",
        "2025-01-01x12:00",
        "5/1/2025 0:00:00 AM",
        "5/1/2025 13:00:00 PM",
        "5/1/2025 1:00:00 XM",
        "now",
        "NaN",
        "1e9",
        "2025-01-01T12:00:00\xc2\xb5",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        ck_assert_msg(strcmp(read_back(texts[i]), "bad_time") == 0, "'%s' gives %s", texts[i], read_back(texts[i]));
}
END_TEST

START_TEST(epochs_as_numbers_go_by_magnitude)
{
    int64_t us = 17;

    ck_assert(market_epoch(1762795433, &us) == WEIR_OK && us == INT64_C(1762795433000000));
    ck_assert(market_epoch(-1762795433971, &us) == WEIR_OK && us == INT64_C(-1762795433971000));
    ck_assert(market_epoch(INT64_C(1762795433971744), &us) == WEIR_OK && us == INT64_C(1762795433971744));
    us = 17;
    ck_assert_int_eq(market_epoch(INT64_MIN, &us), MARKET_BAD_TIME);
    ck_assert_int_eq(market_epoch(INT64_MAX, &us), MARKET_BAD_TIME);
    ck_assert_int_eq(us, 17);
}
END_TEST

/* ---- zones ---- */

static const struct market_zone *zone_of(const char *name)
{
    const struct market_zone *zone = NULL;
    struct weir_error         err = { 0 };

    ck_assert_msg(market_zone_get(name, &zone, &err) == WEIR_OK, "%s: %s", err.where, err.text);
    return zone;
}

static char line[256]; /* the case at hand */

static int64_t take(char **text) { return strtoll(*text, text, 10); }

static void is_next(int64_t got, char **text) { ck_assert_msg(got == take(text), "%" PRId64 " in: %s", got, line); }

static void check_local(const struct market_zone *zone, char *rest)
{
    int64_t                local = take(&rest);
    struct market_instants got = market_local(zone, local);

    is_next(got.count, &rest);
    is_next(got.first, &rest);
    is_next(got.second, &rest);
}

static void check_day(const struct market_zone *zone, char *rest)
{
    int64_t begin, end, start = take(&rest), instant = take(&rest);

    market_day(zone, start, instant, &begin, &end);
    is_next(begin, &rest);
    is_next(end, &rest);
}

static void check_hour(const struct market_zone *zone, char *rest)
{
    int64_t day = take(&rest), n = take(&rest), later = take(&rest), begin = -1;
    bool    repeated = false;
    int     err = market_hour_ending(zone, day, (int)n, later ? MARKET_LATER : MARKET_EARLIER, &begin,
                                 n == 25 ? NULL : &repeated);

    ck_assert_int_eq(err, begin == -1 ? MARKET_NO_SUCH_TIME : WEIR_OK);
    is_next(begin, &rest);
    is_next(repeated, &rest);
}

static void check_line(void)
{
    char                      kind[16], name[64], numbers[160], *rest = numbers;
    const struct market_zone *zone;

    ck_assert_int_eq(sscanf(line, "%15s %63s %159[^\n]", kind, name, numbers), 3);
    zone = zone_of(name);
    if (strcmp(kind, "offset") == 0) {
        int64_t instant = take(&rest);

        is_next(market_zone_offset(zone, instant), &rest);
    } else if (strcmp(kind, "local") == 0) {
        check_local(zone, rest);
    } else if (strcmp(kind, "day") == 0) {
        check_day(zone, rest);
    } else {
        ck_assert_str_eq(kind, "hour");
        check_hour(zone, rest);
    }
}

START_TEST(zones_agree_with_python)
{
    FILE *script = popen("python3 test/unit/market_times.py", "r");
    long  count = 0;

    ck_assert_ptr_nonnull(script);
    while (fgets(line, sizeof(line), script)) {
        check_line();
        count++;
    }
    ck_assert_int_eq(pclose(script), 0);
    ck_assert_int_gt(count, 150000);
}
END_TEST

START_TEST(clock_changes_by_the_rules_of_the_markets)
{
    const struct market_zone *chicago = zone_of("America/Chicago"), *edmonton = zone_of("America/Edmonton");
    const struct market_zone *miso = zone_of("EST");
    struct market_stamp       at, spring, fall;
    int64_t                   got;
    bool                      repeated;

    ck_assert_int_eq(market_stamp_read(text_of("2024-03-10"), &spring), WEIR_OK);
    ck_assert_int_eq(market_stamp_read(text_of("2024-11-03"), &fall), WEIR_OK);
    /* AESO's label 3:00 in spring is the hour from 1:00 to 2:00 of standard time. */
    ck_assert_int_eq(market_hour_ending(edmonton, spring.us, 3, MARKET_EARLIER, &got, &repeated), WEIR_OK);
    ck_assert_int_eq(market_stamp_read(text_of("2024-03-10T01:00-07:00"), &at), WEIR_OK);
    ck_assert(got == at.us && !repeated);
    /* ERCOT: the flag takes the later one of the hours that end at 2:00 in autumn. */
    ck_assert_int_eq(market_hour_ending(chicago, fall.us, 2, MARKET_LATER, &got, &repeated), WEIR_OK);
    ck_assert_int_eq(market_stamp_read(text_of("2024-11-03T01:00-06:00"), &at), WEIR_OK);
    ck_assert(got == at.us && repeated);
    ck_assert_int_eq(market_hour_ending(chicago, fall.us, 25, MARKET_EARLIER, &got, &repeated), WEIR_OK);
    ck_assert(got == at.us && !repeated);
    /* HE 24 belongs to the same day. */
    ck_assert_int_eq(market_hour_ending(chicago, fall.us, 24, MARKET_EARLIER, &got, NULL), WEIR_OK);
    ck_assert_int_eq(market_stamp_read(text_of("2024-11-03T23:00-06:00"), &at), WEIR_OK);
    ck_assert_int_eq(got, at.us);
    /* MISO keeps standard time. */
    ck_assert_int_eq(market_hour_ending(miso, spring.us, 3, MARKET_EARLIER, &got, &repeated), WEIR_OK);
    ck_assert_int_eq(market_stamp_read(text_of("2024-03-10T02:00-05:00"), &at), WEIR_OK);
    ck_assert(got == at.us && !repeated);
    ck_assert_int_eq(market_hour_ending(chicago, fall.us, 0, MARKET_EARLIER, &got, NULL), MARKET_BAD_TIME);
    ck_assert_int_eq(market_hour_ending(chicago, fall.us, 26, MARKET_EARLIER, &got, NULL), MARKET_BAD_TIME);
    ck_assert_int_eq(market_hour_ending(miso, fall.us, 25, MARKET_EARLIER, &got, NULL), MARKET_NO_SUCH_TIME);
}
END_TEST

START_TEST(a_local_time_that_does_not_exist_is_refused)
{
    const struct market_zone *zone = zone_of("America/New_York");
    struct market_stamp       stamp, early, late;
    int64_t                   got = 17;

    ck_assert_int_eq(market_stamp_read(text_of("2024-03-10 02:30:00"), &stamp), WEIR_OK);
    ck_assert_int_eq(market_local_instant(zone, stamp.us, MARKET_EARLIER, &got), MARKET_NO_SUCH_TIME);
    ck_assert_int_eq(got, 17);
    ck_assert_int_eq(market_stamp_read(text_of("2024-11-03 01:30:00"), &stamp), WEIR_OK);
    ck_assert_int_eq(market_stamp_read(text_of("2024-11-03T01:30-04:00"), &early), WEIR_OK);
    ck_assert_int_eq(market_stamp_read(text_of("2024-11-03T01:30-05:00"), &late), WEIR_OK);
    ck_assert(market_local_instant(zone, stamp.us, MARKET_EARLIER, &got) == WEIR_OK && got == early.us);
    ck_assert(market_local_instant(zone, stamp.us, MARKET_LATER, &got) == WEIR_OK && got == late.us);
}
END_TEST

START_TEST(names_that_are_no_zones_are_refused)
{
    static const char *const  names[] = { "",
                                          "Mars/Olympus",
                                          "../../../etc/passwd",
                                          "/etc/passwd",
                                          "America",
                                          "a b",
                                          "zone.tab",
                                          "A2345678901234567890123456789012345678901234567890123456789012345" };
    const struct market_zone *zone = NULL;
    struct weir_error         err;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        memset(&err, 0, sizeof(err));
        ck_assert_msg(market_zone_get(names[i], &zone, &err) < 0, "'%s' is a zone", names[i]);
        ck_assert(err.text[0] && !zone);
    }
    ck_assert_int_eq(market_zone_get("leapseconds", &zone, &err), WEIR_CORRUPT);
    ck_assert_str_eq(market_zone_name(zone_of("America/Edmonton")), "America/Edmonton");
}
END_TEST

static void *ask_for_zones(void *arg)
{
    static const char *const names[] = { "Europe/Oslo", "Asia/Tokyo", "America/Toronto", "Europe/Paris" };

    for (size_t i = 0; i < 400; i++) {
        const struct market_zone **seen = arg;
        const struct market_zone  *zone;

        if (market_zone_get(names[i % 4], &zone, NULL) < 0 || (i >= 4 && seen[i % 4] != zone))
            return arg; /* it differs */
        seen[i % 4] = zone;
    }
    return NULL;
}

START_TEST(a_zone_is_read_once_whatever_the_thread)
{
    const struct market_zone *seen[4][4];
    pthread_t                 threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_for_zones, seen[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *said;

        ck_assert_int_eq(pthread_join(threads[i], &said), 0);
        ck_assert_ptr_null(said);
        ck_assert_mem_eq(seen[i], seen[0], sizeof(seen[0]));
    }
}
END_TEST

/* ---- files ---- */

static void use(const struct market_zone *zone)
{
    int64_t begin, end;

    for (int64_t year = -100; year < 200; year += 7) {
        market_local(zone, year * MARKET_DAYS(365));
        market_day(zone, 0, year * MARKET_DAYS(365), &begin, &end);
    }
}

START_TEST(broken_files_are_refused_or_used_without_harm)
{
    struct weir__buf file = { 0 };
    uint64_t         seed = 99;
    int              refused = 0;

    ck_assert_int_eq(weir__read_file("/usr/share/zoneinfo/America/New_York", &file, NULL), WEIR_OK);
    for (size_t size = 0; size < file.size; size++) {
        struct market_zone *zone;
        char               *copy = weir__memdup(file.data, size);

        ck_assert_int_eq(market_zone_parse("cut", BYTES(copy, size), &zone, NULL), WEIR_CORRUPT);
        weir__free(copy);
    }
    for (int i = 0; i < 4000; i++) {
        struct market_zone *zone = NULL;
        char               *copy = weir__memdup(file.data, file.size);

        for (int changes = 0; changes < 3; changes++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            copy[(seed >> 33) % (i % 2 ? 100 : file.size)] = (char)(seed >> 25);
        }
        if (market_zone_parse("mutated", BYTES(copy, file.size), &zone, NULL) == WEIR_OK)
            use(zone);
        else
            refused++;
        market_zone_free(zone);
        weir__free(copy);
    }
    ck_assert(refused > 100 && refused < 3990);
    weir__buf_fini(&file);
}
END_TEST

START_TEST(without_memory_no_zone)
{
    struct weir__buf    file = { 0 };
    struct market_zone *zone = NULL;
    int                 err;

    ck_assert_int_eq(weir__read_file("/usr/share/zoneinfo/America/Chicago", &file, NULL), WEIR_OK);
    for (uint64_t n = 1;; n++) {
        weir__fail_allocation(n);
        err = market_zone_parse("x", BYTES(file.data, file.size), &zone, NULL);
        weir__fail_allocation(0);
        if (err == WEIR_OK)
            break;
        ck_assert_int_eq(err, WEIR_NO_MEMORY);
        ck_assert(n < 10 && !zone);
    }
    market_zone_free(zone);
    weir__buf_fini(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_times");
    TCase *tcase = tcase_create("times");

    tcase_add_test(tcase, stamps_are_read_as_they_are_published);
    tcase_add_test(tcase, what_is_no_time_is_refused);
    tcase_add_test(tcase, epochs_as_numbers_go_by_magnitude);
    tcase_add_test(tcase, zones_agree_with_python);
    tcase_add_test(tcase, clock_changes_by_the_rules_of_the_markets);
    tcase_add_test(tcase, a_local_time_that_does_not_exist_is_refused);
    tcase_add_test(tcase, names_that_are_no_zones_are_refused);
    tcase_add_test(tcase, a_zone_is_read_once_whatever_the_thread);
    tcase_add_test(tcase, broken_files_are_refused_or_used_without_harm);
    tcase_add_test(tcase, without_memory_no_zone);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
