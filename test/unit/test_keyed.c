/* test_keyed.c: windows by key time through the test driver: what they take, when they close and go, and that neither
 * neighbours, order, crashes nor engines show in it. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "framework/base/base.h"
#include "framework/driver.h"
#include "statestores/engines.h"
#include "test/run.h"

/* ---- a topology whose windows each test sets ---- */

static int add(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    (void)ctx;
    if (*(const int64_t *)rec->value < 0)
        return WEIR_VERB_FAILED;
    *(int64_t *)state += *(const int64_t *)rec->value;
    return WEIR_OK;
}

/* "a[0,10)=5@7", with "!" where the window has closed. */
static int show(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_windowed *window = rec->key;
    const struct weir_text     *key = window->key;
    struct weir_text            line = { .data = weir_alloc(ctx, 128) };

    line.size = (size_t)snprintf((char *)line.data, 128, "%.*s[%lld,%lld)=%lld@%lld%s", (int)key->size, key->data,
                                 (long long)window->start, (long long)window->end,
                                 rec->value != NULL ? (long long)*(const int64_t *)rec->value : -1,
                                 (long long)rec->timestamp, weir_closed(ctx) ? "!" : "");
    return weir_forward(ctx, key, &line);
}

static struct weir_windows windows;
static struct weir_store   sums_s[1] = {
      { .name = "sums_s", .kind = WEIR_WINDOWS, .key = weir_string, .value = weir_int64, .windows = &windows }
};
static struct weir_node sums[1] = { { .name = "sums", .kind = WEIR_AGGREGATE, .into = sums_s, .fold = add } };

SOURCE(in, "in", weir_string, weir_int64);
NODE(changes, .kind = WEIR_AS_STREAM);
STEP(shown, show, .key = weir_string, .value = weir_string);
SINK(out, "out", weir_string, weir_string);
SINK(dead, "dead", weir_blob, weir_blob);
static TOPOLOGY(keyed, .paths = PATHS(PATH(in, sums, changes, shown, out)), .dead_letters = dead);

#define CHANGELOG "keyed-sums_s-changelog"

/* ---- the bench ---- */

static struct weir_driver *driver;
static struct weir_error   error;
static char                dir[64];
static struct weir__buf    lines;
static struct weir__map    logged; /* the changelog's last value of each key */

#define OK(call) ck_assert_msg((call) == WEIR_OK, "%s: %s", error.where, error.text)

static void open_on(const struct weir_topology *topology, bool disk, int64_t cache)
{
    struct weir_driver_config config = { .wall_clock = 1000000, .cache_bytes = cache };

    if (disk) {
        strcpy(dir, "/tmp/weir-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
        config.dir = dir;
    }
    OK(weir_driver_open(topology, &config, weir_engines, &driver, &error));
}

static void open_with(struct weir_windows as, int emit)
{
    windows = as;
    sums->emit = emit;
    open_on(&keyed, false, 0);
}

static void finish(void)
{
    weir_driver_free(driver);
    driver = NULL;
    if (dir[0] != '\0')
        (void)weir__remove_tree(dir, NULL);
    dir[0] = '\0';
    weir__buf_fini(&lines);
    weir__map_fini(&logged);
}

static void put(const char *key, int64_t time, int64_t value)
{
    char quoted[32], number[32];

    snprintf(quoted, sizeof(quoted), "\"%s\"", key);
    snprintf(number, sizeof(number), "%lld", (long long)value);
    OK(weir_driver_pipe_json(driver, "in", quoted, number, time, NULL, 0, &error));
}

static void pass(int64_t ms) { OK(weir_driver_advance(driver, ms, &error)); }

static void crash(bool lose_dir) { OK(weir_driver_crash(driver, lose_dir, &error)); }

/* What came out since the last look, with spaces between. */
static const char *output(void)
{
    struct weir_output output;

    weir__buf_reset(&lines);
    while (weir_driver_read_topic(driver, "out", &output) == WEIR_OK)
        weir__buf_printf(&lines, "%s%.*s", lines.size > 0 ? " " : "", (int)output.value.size,
                         (const char *)output.value.data);
    weir__buf_putc(&lines, '\0');
    return lines.data;
}

#define expect(text) ck_assert_str_eq(output(), text)

static int count_row(void *arg, const struct weir_stored *row)
{
    (void)row;
    ++*(size_t *)arg;
    return WEIR_OK;
}

static size_t rows(void)
{
    size_t count = 0;

    ck_assert_int_eq(weir_driver_visit(driver, "sums_s", count_row, &count), WEIR_OK);
    return count;
}

/* How many keys the changelog would hold if it were compacted. */
static size_t changelog_keys(void)
{
    struct weir_output output;

    while (weir_driver_read_topic(driver, CHANGELOG, &output) == WEIR_OK)
        if (output.value.data == NULL)
            (void)weir__map_remove(&logged, output.key);
        else
            ck_assert_int_eq(weir__map_put(&logged, output.key, (void *)output.value.data), WEIR_OK);
    return logged.count;
}

static size_t dead_letters(void)
{
    struct weir_output output;
    size_t             count = 0;

    while (weir_driver_read_topic(driver, "dead", &output) == WEIR_OK)
        count++;
    return count;
}

#define PER_KEY(...) .time = WEIR_PER_KEY, ##__VA_ARGS__

/* ---- what windows take, and when they close ---- */

START_TEST(neighbours_do_not_make_each_other_late)
{
    open_with(*TUMBLING(10, 0, PER_KEY()), WEIR_ON_CLOSE);
    put("ahead", 1000, 1);
    put("behind", 5, 2);
    put("behind", 7, 3);
    expect("");
    put("behind", 10, 4);
    expect("behind[0,10)=5@7!");
    ck_assert_uint_eq(weir_driver_dropped(driver), 0);
    finish();
}
END_TEST

START_TEST(windows_close_at_their_grace_each_once)
{
    open_with(*TUMBLING(10, 5, PER_KEY(.retention = 100)), WEIR_ON_CLOSE);
    put("a", 1, 1);
    put("a", 12, 2);
    put("a", 14, 4);
    expect("");
    put("a", 3, 8); /* late, but within the grace */
    put("a", 15, 16);
    expect("a[0,10)=9@3!");
    put("a", 40, 32);
    expect("a[10,20)=22@15!");
    finish();
}
END_TEST

START_TEST(a_record_of_a_closed_window_corrects_it_at_once)
{
    open_with(*TUMBLING(10, 0, PER_KEY(.retention = 20)), WEIR_ON_CLOSE);
    put("a", 1, 1);
    put("a", 12, 2);
    expect("a[0,10)=1@1!");
    put("a", 5, 4);
    expect("a[0,10)=5@5!");
    put("b", 5, 1);
    put("a", 29, 8);
    expect("a[10,20)=2@12!");
    put("a", 9, 16); /* 10 + 20 > 29: just kept */
    expect("a[0,10)=21@9!");
    put("a", 30, 32); /* no longer */
    put("a", 9, 64);
    expect("a[20,30)=8@29!");
    ck_assert_uint_eq(weir_driver_dropped(driver), 1);
    ck_assert_uint_eq(dead_letters(), 1);
    finish();
}
END_TEST

START_TEST(a_closed_window_without_rows_still_takes_a_record)
{
    open_with(*TUMBLING(10, 0, PER_KEY(.retention = 50)), WEIR_ON_CLOSE);
    put("a", 45, 1);
    put("a", 5, 2);
    expect("a[0,10)=2@5!");
    finish();
}
END_TEST

START_TEST(closed_windows_refuse_when_told_to)
{
    open_with(*TUMBLING(10, 0, PER_KEY(.retention = 50, .late = WEIR_REFUSE)), WEIR_EACH);
    put("a", 15, 1);
    put("a", 5, 2);
    put("a", 16, 4);
    expect("a[10,20)=1@15 a[10,20)=5@16");
    ck_assert_uint_eq(weir_driver_dropped(driver), 1);
    ck_assert_uint_eq(dead_letters(), 1);
    finish();
}
END_TEST

START_TEST(each_update_goes_on_and_says_whether_its_window_has_closed)
{
    open_with(*TUMBLING(10, 0, PER_KEY(.retention = 50)), WEIR_EACH);
    put("a", 5, 1);
    put("a", 15, 2);
    put("a", 6, 4);
    expect("a[0,10)=1@5 a[10,20)=2@15 a[0,10)=5@6!");
    finish();
}
END_TEST

START_TEST(a_cached_store_says_it_at_the_commit)
{
    windows = *TUMBLING(10, 0, PER_KEY(.retention = 50));
    sums->emit = WEIR_ON_COMMIT;
    open_on(&keyed, false, 1 << 20);
    put("a", 5, 1);
    put("a", 15, 2);
    put("a", 6, 4);
    expect("a[0,10)=1@5 a[10,20)=2@15 a[0,10)=5@6!");
    finish();
}
END_TEST

START_TEST(hopping_windows_share_a_record)
{
    open_with(*HOPPING(10, 5, 0, PER_KEY(.retention = 10)), WEIR_ON_CLOSE);
    put("a", 7, 1);
    put("a", 11, 2);
    expect("a[0,10)=1@7!");
    put("a", 21, 4); /* past [0,10): its share is refused, [5,15) takes it */
    expect("a[5,15)=3@11! a[10,20)=2@11!");
    put("a", 9, 8);
    expect("a[5,15)=11@11!");
    ck_assert_uint_eq(weir_driver_dropped(driver), 1);
    ck_assert_uint_eq(dead_letters(), 0);
    finish();
}
END_TEST

START_TEST(a_record_that_fails_moves_no_time)
{
    open_with(*TUMBLING(10, 0, PER_KEY()), WEIR_ON_CLOSE);
    put("a", 5, 1);
    put("a", 1000, -1);
    expect("");
    put("a", 6, 2);
    put("a", 10, 0);
    expect("a[0,10)=3@6!");
    finish();
}
END_TEST

START_TEST(a_jump_closes_before_it_deletes)
{
    for (int emit = WEIR_ON_COMMIT; emit <= WEIR_ON_CLOSE; emit++) {
        windows = *TUMBLING(10, 5, PER_KEY());
        sums->emit = emit;
        open_on(&keyed, false, emit == WEIR_ON_COMMIT ? 1 << 20 : 0);
        put("a", 5, 1);
        put("a", 12, 2);
        put("a", 1000, 4);
        if (emit == WEIR_ON_CLOSE)
            expect("a[0,10)=1@5! a[10,20)=2@12!");
        else
            expect("a[0,10)=1@5 a[10,20)=2@12 a[1000,1010)=4@1000");
        ck_assert_uint_eq(rows(), 1);
        finish();
    }
}
END_TEST

/* ---- the wall clock ---- */

START_TEST(an_idle_key_closes_by_the_clock)
{
    open_with(*TUMBLING(10, 5, PER_KEY(.retention = 100, .idle = 50)), WEIR_ON_CLOSE);
    put("a", 5, 1);
    put("a", 12, 2);
    pass(49);
    expect("");
    put("b", 500, 4);
    pass(1);
    expect("a[0,10)=1@5! a[10,20)=2@12!");
    put("a", 13, 8); /* the clock decides nothing about what is taken */
    expect("a[10,20)=10@13!");
    put("a", 25, 16);
    pass(49);
    expect("b[500,510)=4@500!");
    pass(1);
    expect("a[20,30)=16@25!");
    pass(10000);
    expect("");
    finish();
}
END_TEST

START_TEST(the_clock_waits_for_the_end_of_a_window_in_the_future)
{
    open_with(*TUMBLING(10, 5, PER_KEY(.retention = 100, .idle = 50)), WEIR_ON_CLOSE);
    put("a", 1000205, 1); /* the clock says 1000000 */
    pass(264);            /* end 1000210 + grace 5 + idle 50 */
    expect("");
    pass(1);
    expect("a[1000200,1000210)=1@1000205!");
    finish();
}
END_TEST

START_TEST(timers_are_made_again_after_a_crash)
{
    for (int disk = 0; disk < 3; disk++) {
        windows = *TUMBLING(10, 5, PER_KEY(.retention = 100, .idle = 50));
        sums->emit = WEIR_ON_CLOSE;
        open_on(&keyed, disk > 0, 0);
        put("a", 5, 1);
        pass(30);
        put("b", 7, 2);
        crash(disk < 2);
        pass(20);
        expect("a[0,10)=1@5!");
        crash(disk < 2);
        pass(30);
        expect("b[0,10)=2@7!");
        crash(disk < 2);
        pass(1000);
        expect("");
        finish();
    }
}
END_TEST

START_TEST(a_key_untouched_for_its_ttl_leaves)
{
    open_with(*TUMBLING(10, 5, PER_KEY(.retention = 1000, .idle = 50, .ttl = HOURS(1))), WEIR_ON_CLOSE);
    put("a", 5, 1);
    put("a", 105, 2);
    expect("a[0,10)=1@5!");
    pass(HOURS(1) - 1);
    expect("a[100,110)=2@105!");
    ck_assert_uint_eq(rows(), 2);
    pass(1);
    ck_assert_uint_eq(rows(), 0);
    ck_assert_uint_eq(changelog_keys(), 1); /* its time */
    crash(true);
    put("a", 109, 4); /* left with its key: past retention */
    put("a", 50, 4);
    expect("");
    ck_assert_uint_eq(dead_letters(), 2);
    put("a", 111, 8); /* began anew, and goes on from the key's time */
    put("a", 130, 0);
    expect("a[110,120)=8@111!");
    pass(DAYS(90) + HOURS(1));
    ck_assert_uint_eq(rows(), 0);
    pass(DAYS(90));
    ck_assert_uint_eq(changelog_keys(), 0); /* forgotten */
    finish();
}
END_TEST

START_TEST(a_key_whose_windows_wait_does_not_leave)
{
    open_with(*TUMBLING(10, 5, PER_KEY(.ttl = HOURS(1))), WEIR_ON_CLOSE);
    put("a", 5, 1);
    pass(DAYS(200));
    ck_assert_uint_eq(rows(), 1);
    put("a", 15, 1);
    expect("a[0,10)=1@5!");
    finish();
    open_with(*TUMBLING(10, 5, PER_KEY(.ttl = HOURS(1))), WEIR_EACH); /* nobody waits for the close */
    put("a", 5, 1);
    pass(HOURS(1));
    ck_assert_uint_eq(rows(), 0);
    finish();
}
END_TEST

/* ---- the changelog ---- */

START_TEST(tombstones_bound_the_changelog)
{
    open_with(*TUMBLING(10, 5, PER_KEY(.retention = 30)), WEIR_ON_CLOSE);
    for (int64_t time = 1; time < 10000; time += 3) {
        put("a", time, 1);
        put("b", time / 2, 1);
    }
    /* 10 ms windows that end within 30 ms and the one begun; a head for each key */
    ck_assert_uint_le(rows(), 2 * 4);
    ck_assert_uint_eq(changelog_keys(), rows() + 2);
    finish();
}
END_TEST

START_TEST(a_crash_changes_nothing)
{
    for (int disk = 0; disk < 3; disk++) {
        windows = *TUMBLING(10, 5, PER_KEY(.retention = 30));
        sums->emit = WEIR_ON_CLOSE;
        open_on(&keyed, disk > 0, 0);
        put("a", 5, 1);
        put("a", 12, 2);
        crash(disk < 2);
        expect("");
        put("a", 6, 4);
        put("a", 15, 8);
        expect("a[0,10)=5@6!");
        crash(disk < 2);
        put("a", 16, 16);
        put("a", 7, 32);
        expect("a[0,10)=37@7!");
        crash(disk < 2);
        put("a", 40, 64);
        expect("a[10,20)=26@16!");
        put("a", 8, 128);
        ck_assert_uint_eq(dead_letters(), 1);
        finish();
    }
}
END_TEST

/* ---- the end of a bounded run ---- */

START_TEST(the_end_closes_what_is_open_each_once)
{
    open_with(*TUMBLING(10, 5, PER_KEY(.retention = 100)), WEIR_ON_CLOSE);
    put("b", 25, 1);
    put("b", 32, 2);
    put("a", 5, 4);
    OK(weir_driver_finish(driver, &error));
    expect("a[0,10)=4@5! b[20,30)=1@25! b[30,40)=2@32!");
    OK(weir_driver_finish(driver, &error));
    expect("");
    crash(true);
    OK(weir_driver_finish(driver, &error));
    expect("");
    put("a", 6, 8); /* a run that goes on corrects */
    put("a", 12, 16);
    expect("a[0,10)=12@6!");
    OK(weir_driver_finish(driver, &error));
    expect("a[10,20)=16@12!");
    finish();
}
END_TEST

START_TEST(unlimited_windows_stay_open)
{
    open_with(*UNLIMITED(PER_KEY()), WEIR_EACH);
    put("a", 5, 1);
    put("a", DAYS(20000), 2);
    pass(DAYS(400));
    put("a", 6, 4);
    expect("a[0,9223372036854775807)=1@5 a[0,9223372036854775807)=3@1728000000000 "
           "a[0,9223372036854775807)=7@1728000000000");
    finish();
}
END_TEST

/* ---- calendar windows ---- */

static const int64_t *day_ends; /* of days that begin at 0, in hours, the last one repeated */

static int day_of(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *spans, size_t max)
{
    int64_t start = 0;

    (void)ctx;
    for (const int64_t *end = day_ends; max > 0; end++) {
        if (HOURS(*end) > rec->timestamp) {
            spans[0] = (struct weir_span){ .start = start, .end = HOURS(*end) };
            return 1;
        }
        start = HOURS(*end);
    }
    return 0;
}

static int hours_in(const char *line, int64_t *ret_start, int64_t *ret_end)
{
    long long start, end;
    int       count;

    ck_assert_int_eq(sscanf(line, "a[%lld,%lld)=%d", &start, &end, &count), 3);
    *ret_start = start / HOURS(1);
    *ret_end = end / HOURS(1);
    return count;
}

/* Days around changes of the clock hold 23 and 25 hours. */
START_TEST(calendar_days_have_their_own_lengths)
{
    static const int64_t ends[] = { 24, 47, 71, 96, 120, 144 };

    for (int disk = 0; disk < 2; disk++) {
        int64_t start, end, day = 0;

        day_ends = ends;
        windows = *CALENDAR(day_of, HOURS(25), MINUTES(5), PER_KEY(.retention = HOURS(30)));
        sums->emit = WEIR_ON_CLOSE;
        open_on(&keyed, disk, 0);
        for (int64_t hour = 0; hour < 144; hour++) {
            const char *line;

            put("a", HOURS(hour) + 1, 1);
            if (hour % 10 == 0)
                crash(hour % 20 == 0);
            line = output();
            if (line[0] == '\0')
                continue;
            ck_assert_int_eq(hours_in(line, &start, &end), ends[day] - (day > 0 ? ends[day - 1] : 0));
            ck_assert_int_eq(end, ends[day]);
            ck_assert_int_eq(start, day > 0 ? ends[day - 1] : 0);
            ck_assert_int_eq(hour, ends[day] + 1); /* the next day's first record is within the grace */
            day++;
        }
        ck_assert_int_eq(day, 5);
        finish();
    }
}
END_TEST

START_TEST(a_row_keeps_the_end_that_it_was_made_with)
{
    static const int64_t before[] = { 24, 48, 72, 96 }, after[] = { 25, 49, 73, 97 };

    day_ends = before;
    open_with(*CALENDAR(day_of, HOURS(25), 0, PER_KEY(.retention = HOURS(30))), WEIR_ON_CLOSE);
    put("a", HOURS(1), 1);
    day_ends = after;
    crash(true);
    put("a", HOURS(2), 2);
    put("a", HOURS(24), 4); /* the new rule's day 0: its row ends at 24 */
    expect("a[0,86400000)=7@86400000!");
    put("a", HOURS(26), 8);
    OK(weir_driver_finish(driver, &error));
    expect("a[90000000,176400000)=8@93600000!");
    finish();
}
END_TEST

static int many_spans(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *spans, size_t max)
{
    (void)ctx;
    for (size_t i = 0; i < 6 && i < max; i++)
        spans[i] = (struct weir_span){ .start = (int64_t)i * 10, .end = rec->timestamp + 1 + (int64_t)(6 - i) };
    return 6;
}

START_TEST(a_calendar_may_give_many_windows)
{
    open_with(*CALENDAR(many_spans, 100, 0, PER_KEY(.retention = 100)), WEIR_EACH);
    put("a", 60, 1);
    expect("a[0,67)=1@60 a[10,66)=1@60 a[20,65)=1@60 a[30,64)=1@60 a[40,63)=1@60 a[50,62)=1@60");
    finish();
    open_with(*CALENDAR(many_spans, 100, 0, PER_KEY(.retention = 100)), WEIR_ON_CLOSE);
    put("a", 60, 1);
    put("a", 64, 2); /* rows keep their ends: the three that end by 64 close */
    expect("a[30,64)=3@64! a[40,63)=3@64! a[50,62)=3@64!");
    put("a", 67, 4);
    expect("a[30,64)=7@67! a[40,63)=7@67! a[50,62)=7@67! a[0,67)=7@67! a[10,66)=7@67! a[20,65)=7@67!");
    finish();
}
END_TEST

START_TEST(a_window_longer_than_declared_fails_the_record)
{
    open_with(*CALENDAR(many_spans, 50, 0, PER_KEY()), WEIR_EACH);
    put("a", 60, 1);
    expect("");
    ck_assert_uint_eq(dead_letters(), 1);
    finish();
}
END_TEST

/* ---- steps ---- */

static weir_process fold_tick;
static weir_final   send;

WINDOWS(tens, weir_string, weir_int64, TUMBLING(10, 5, .time = WEIR_PER_KEY, .retention = 40, .idle = 50));
WINDOWS(thirties, weir_string, weir_int64, CALENDAR(NULL, 30, 5, .time = WEIR_PER_KEY, .retention = 60, .idle = 50));
STEP(stepped, fold_tick, .uses = STORES(tens, thirties), .final = send, .key = weir_string, .value = weir_string);
static TOPOLOGY(steps, .paths = PATHS(PATH(in, stepped, out)), .dead_letters = dead);

/* The longer window is the sum of the shorter ones that it holds. */
static int sum_up(struct weir_context *ctx, const void *key, int64_t start)
{
    struct weir_rows *children;
    struct weir_row   row;
    int64_t          *sum = weir_alloc(ctx, sizeof(*sum));
    struct weir_span  span = { .start = start, .end = start + 30 };
    int               err = weir_fetch(ctx, tens, key, start, start + 29, WEIR_ASCENDING, &children);

    while (err == WEIR_OK && (err = weir_next(children, &row)) == WEIR_OK)
        *sum += *(const int64_t *)row.value;
    return err == WEIR_NOTFOUND ? weir_put_span(ctx, thirties, key, sum, &span) : err;
}

static int fold_tick(struct weir_context *ctx, const struct weir_record *rec)
{
    int64_t     start = rec->timestamp / 10 * 10;
    int64_t    *sum = weir_alloc(ctx, sizeof(*sum));
    int         standing = weir_window_standing(ctx, tens, rec->key, start + 10);
    const void *old;
    int         err;

    if (standing == WEIR_PAST)
        return weir_reject(ctx, WEIR_TOO_LATE, NULL);
    err = standing < 0 ? standing : weir_get_window(ctx, tens, rec->key, start, &old);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    *sum = *(const int64_t *)rec->value + (err == WEIR_OK ? *(const int64_t *)old : 0);
    err = weir_put_window(ctx, tens, rec->key, sum, start);
    if (err == WEIR_OK)
        err = sum_up(ctx, rec->key, rec->timestamp / 30 * 30);
    if (err == WEIR_OK)
        err = weir_advance(ctx, tens, rec->key, rec->timestamp);
    if (err == WEIR_OK)
        err = weir_advance(ctx, thirties, rec->key, rec->timestamp);
    return err;
}

static int send(struct weir_context *ctx, const struct weir_store *store, const struct weir_row *row)
{
    const struct weir_text *key = row->key;
    struct weir_text        line = { .data = weir_alloc(ctx, 128) };

    ck_assert(weir_closed(ctx));
    line.size = (size_t)snprintf((char *)line.data, 128, "%s:%.*s[%lld,%lld)=%lld@%lld/%lld",
                                 store == tens ? "10" : "30", (int)key->size, key->data, (long long)row->start,
                                 (long long)row->end, (long long)*(const int64_t *)row->value,
                                 (long long)row->timestamp, (long long)weir_key_time(ctx, store, key));
    return weir_forward(ctx, key, &line);
}

START_TEST(a_step_hears_of_the_windows_that_close)
{
    for (int disk = 0; disk < 2; disk++) {
        open_on(&steps, disk, 0);
        put("a", 3, 1);
        put("a", 14, 2);
        put("b", 100, 64);
        expect("");
        put("a", 15, 4);
        expect("10:a[0,10)=1@3/15");
        crash(true);
        put("a", 7, 8); /* late: the step may change a closed window, and is not told again */
        put("a", 36, 16);
        expect("10:a[10,20)=6@15/36 30:a[0,30)=15@7/36");
        put("a", 55, 32);
        put("a", 4, 1); /* 10 + 40 <= 55 */
        ck_assert_uint_eq(dead_letters(), 1);
        expect("10:a[30,40)=16@36/55");
        finish();
    }
}
END_TEST

START_TEST(a_step_hears_of_the_clock_and_of_the_end)
{
    open_on(&steps, false, 0);
    put("a", 3, 1);
    put("b", 14, 2);
    pass(50);
    expect("10:a[0,10)=1@3/3 10:b[10,20)=2@14/14 30:a[0,30)=1@3/3 30:b[0,30)=2@14/14");
    put("a", 33, 4);
    OK(weir_driver_finish(driver, &error));
    expect("10:a[30,40)=4@33/33 30:a[30,60)=4@33/33");
    finish();
}
END_TEST

static int put_anywhere(struct weir_context *ctx, const struct weir_record *rec)
{
    int err = weir_put_window(ctx, tens, rec->key, rec->value, rec->timestamp);

    return err < 0 ? err : weir_advance(ctx, tens, rec->key, rec->timestamp);
}

STEP(loose, put_anywhere, .uses = STORES(tens), .final = send, .key = weir_string, .value = weir_string);
static TOPOLOGY(anywhere, .paths = PATHS(PATH(in, loose, out)));

START_TEST(rows_of_a_step_may_start_anywhere)
{
    open_on(&anywhere, false, 0);
    put("a", 10, 1); /* as a grid would have it, then not */
    put("a", 13, 2);
    put("a", 14, 4);
    put("a", 28, 8);
    expect("10:a[10,20)=1@10/28 10:a[13,23)=2@13/28");
    put("a", 30, 16);
    expect("10:a[14,24)=4@14/30");
    put("a", 1000, 32);
    expect("10:a[28,38)=8@28/1000 10:a[30,40)=16@30/1000");
    OK(weir_driver_finish(driver, &error));
    expect("10:a[1000,1010)=32@1000/1000");
    finish();
}
END_TEST

/* The rows of a key, read row by row, and as a part of the range of all keys. */
static int read_both_ways(struct weir_context *ctx, const void *key, int64_t from, int64_t to)
{
    struct weir_rows *alone, *among;
    struct weir_row   row, other;
    int               err = weir_fetch(ctx, tens, key, from, to, WEIR_ASCENDING, &alone), err_other;

    if (err == WEIR_OK)
        err = weir_fetch_keys(ctx, tens, key, key, from, to, WEIR_ASCENDING, &among);
    while (err == WEIR_OK) {
        err = weir_next(alone, &row);
        err_other = weir_next(among, &other);
        ck_assert_int_eq(err, err_other);
        if (err != WEIR_OK)
            break;
        ck_assert_int_eq(row.start, other.start);
        ck_assert_int_eq(row.end, other.end);
        ck_assert_int_eq(*(const int64_t *)row.value, *(const int64_t *)other.value);
        ck_assert_int_eq(row.timestamp, other.timestamp);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int put_and_read(struct weir_context *ctx, const struct weir_record *rec)
{
    int err = put_anywhere(ctx, rec);

    for (int i = 0; err == WEIR_OK && i < 4; i++) {
        int64_t from = rec->timestamp - random() % 300, to = i > 0 ? from + random() % 400 : INT64_MAX;

        err = read_both_ways(ctx, rec->key, from, to);
    }
    return err;
}

STEP(both_ways, put_and_read, .uses = STORES(tens), .final = send, .key = weir_string, .value = weir_string);
static TOPOLOGY(reading, .paths = PATHS(PATH(in, both_ways, out)));

/* Starts on a grid of one key and anywhere of the other; early, late, with rows written to disk meanwhile. */
START_TEST(rows_of_a_key_are_the_same_row_by_row)
{
    srandom(7);
    open_on(&reading, true, 0);
    for (int i = 1; i <= 300; i++) {
        put("a", 10 * (i / 2) + 10 * (random() % 4), i);
        put("b", 5 * i + random() % 40, i);
        if (i % 50 == 0)
            crash(i % 100 == 0);
    }
    finish();
}
END_TEST

/* ---- what the load check finds ---- */

static void refused(const struct weir_topology *topology, const char *text)
{
    ck_assert_int_lt(weir_driver_open(topology, NULL, weir_engines, &driver, &error), 0);
    ck_assert_msg(strstr(error.text, text) != NULL, "expected \"%s\" in: %s", text, error.text);
}

KEYS(plain_s, weir_string, weir_string);
STEP(deaf, fold_tick, .uses = STORES(plain_s), .final = send);
static TOPOLOGY(nothing_to_hear, .paths = PATHS(PATH(in, deaf)));
STEP(other, fold_tick, .uses = STORES(tens), .final = send);
static TOPOLOGY(two_hear, .paths = PATHS(PATH(in, stepped), PATH(in, other)));

START_TEST(mistakes_are_found_when_the_topology_is_loaded)
{
    refused(&nothing_to_hear, "deaf: .final means nothing");
    refused(&two_hear, "the windows of its store \"tens\" close in stepped: .final in one node only");
    sums->emit = WEIR_EACH;
    windows = *TUMBLING(10, 0, .idle = 5);
    refused(&keyed, ".idle, .ttl and .late are for windows by key time");
    windows = *TUMBLING(10, 5, PER_KEY(.retention = 4));
    refused(&keyed, "the retention is shorter than the grace");
    windows = *CALENDAR(NULL, 10, 5, PER_KEY());
    refused(&keyed, "CALENDAR windows need a function");
    windows = *CALENDAR(day_of, 10, 5);
    refused(&keyed, "CALENDAR windows by partition time");
}
END_TEST

/* ---- against a plain computation ---- */

/* What the rules say, worked out over arrays: no store, no head, no bounds. */
enum { KEYS = 5, SPAN = 400 };
struct model {
    int64_t time, sum[SPAN], stamp[SPAN];
    bool    row[SPAN], told[SPAN]; /* by start */
};

static void model_say(int key, const struct model *model, int64_t start, bool closed)
{
    weir__buf_printf(&lines, "%s%c[%lld,%lld)=%lld@%lld%s", lines.size > 0 ? " " : "", 'a' + key, (long long)start,
                     (long long)(start + windows.size), (long long)model->sum[start], (long long)model->stamp[start],
                     closed ? "!" : "");
}

static void model_put(struct model *model, int key, int64_t time, int64_t value)
{
    int64_t step = windows.kind == WEIR_HOPPING ? windows.advance : windows.size;
    int64_t now = MAX(model->time, time);
    bool    taken = false;

    for (int64_t start = 0; start <= time; start += step) {
        if (start + windows.size <= time || start + windows.size + windows.retention <= now)
            continue;
        taken = true;
        model->row[start] = true;
        model->sum[start] += value;
        model->stamp[start] = MAX(model->stamp[start], time);
    }
    if (!taken)
        return;
    model->time = now;
    for (int64_t start = 0; start <= time; start += step)
        if (start + windows.size > time && start + windows.size + windows.retention > now &&
            (sums->emit != WEIR_ON_CLOSE || start + windows.size + windows.grace <= now)) {
            model_say(key, model, start, start + windows.size + windows.grace <= now);
            model->told[start] = model->told[start] || start + windows.size + windows.grace <= now;
        }
    for (int64_t start = 0; sums->emit == WEIR_ON_CLOSE && start < SPAN; start++)
        if (model->row[start] && !model->told[start] && start + windows.size + windows.grace <= now) {
            model_say(key, model, start, true);
            model->told[start] = true;
        }
}

static void play_trial(unsigned seed, bool disk)
{
    struct model     models[KEYS];
    struct weir__buf want;

    memset(models, 0, sizeof(models));
    for (int key = 0; key < KEYS; key++)
        models[key].time = -1;
    srandom(seed);
    windows = (struct weir_windows){ .kind = random() % 2 ? WEIR_TUMBLING : WEIR_HOPPING,
                                     .time = WEIR_PER_KEY,
                                     .size = 5 + random() % 20,
                                     .grace = random() % 30 };
    windows.advance = 1 + random() % windows.size;
    windows.retention = windows.grace + 1 + random() % 50;
    sums->emit = (int)(random() % 3);
    open_on(&keyed, disk, random() % 2 ? 1 << 20 : 0);
    for (int i = 0; i < 300; i++) {
        int     key = (int)(random() % KEYS);
        int64_t time = MIN(MAX(models[key].time, 0) + random() % 60 - 45 + i / 60, SPAN - 30);

        time = MAX(time, 0);
        weir__buf_reset(&lines);
        model_put(&models[key], key, time, i);
        weir__buf_putc(&lines, '\0');
        want = lines;
        lines = (struct weir__buf){ 0 };
        put((char[]){ (char)('a' + key), '\0' }, time, i);
        ck_assert_msg(strcmp(output(), want.data) == 0, "seed %u, record %d, emit %d: expected %s, got %s", seed, i,
                      sums->emit, want.data, output());
        weir__buf_fini(&want);
        if (random() % 20 == 0)
            crash(true);
    }
    finish();
}

START_TEST(random_trials_equal_a_plain_computation)
{
    for (unsigned seed = 1; seed <= 40; seed++)
        play_trial(seed, seed % 20 == 0);
}
END_TEST

/* Ticks of a few keys in any order, with crashes and the clock between; whatever the order, the last result of each
 * window is the sum of its ticks, and the first one after its close comes once. */
static void play_shuffled(unsigned seed)
{
    enum { TICKS = 200, WINDOWS = SPAN / 10 };
    int64_t want[KEYS][WINDOWS] = { { 0 } }, last[KEYS][WINDOWS], times[TICKS];
    char   *line, *rest;

    memset(last, -1, sizeof(last));
    srandom(seed);
    windows = *TUMBLING(10, random() % 40, PER_KEY(.retention = SPAN, .idle = random() % 2 ? 50 : 0));
    sums->emit = (int)(random() % 3);
    open_on(&keyed, false, random() % 2 ? 1 << 20 : 0);
    for (int i = 0; i < TICKS; i++)
        times[i] = random() % SPAN;
    for (int i = 0; i < TICKS; i++) {
        put((char[]){ (char)('a' + i % KEYS), '\0' }, times[i], i);
        want[i % KEYS][times[i] / 10] += i;
        if (random() % 10 == 0)
            pass(random() % 100);
        if (random() % 20 == 0)
            crash(true);
    }
    OK(weir_driver_finish(driver, &error));
    rest = (char *)output();
    while ((line = strsep(&rest, " ")) != NULL) {
        long long start, sum;
        char      key;

        ck_assert_int_eq(sscanf(line, "%c[%lld,%*d)=%lld", &key, &start, &sum), 3);
        last[key - 'a'][start / 10] = sum;
    }
    for (int key = 0; key < KEYS; key++)
        for (int window = 0; window < WINDOWS; window++)
            ck_assert_msg(last[key][window] == want[key][window] || (want[key][window] == 0 && last[key][window] < 0),
                          "seed %u, key %d, window %d: %lld, not %lld", seed, key, window,
                          (long long)last[key][window], (long long)want[key][window]);
    ck_assert_uint_eq(weir_driver_dropped(driver), 0);
    finish();
}

START_TEST(any_order_within_the_retention_gives_the_same_results)
{
    for (unsigned seed = 1; seed <= 40; seed++)
        play_shuffled(seed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keyed");
    TCase *tests = tcase_create("keyed");

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, neighbours_do_not_make_each_other_late);
    tcase_add_test(tests, windows_close_at_their_grace_each_once);
    tcase_add_test(tests, a_record_of_a_closed_window_corrects_it_at_once);
    tcase_add_test(tests, a_closed_window_without_rows_still_takes_a_record);
    tcase_add_test(tests, closed_windows_refuse_when_told_to);
    tcase_add_test(tests, each_update_goes_on_and_says_whether_its_window_has_closed);
    tcase_add_test(tests, a_cached_store_says_it_at_the_commit);
    tcase_add_test(tests, hopping_windows_share_a_record);
    tcase_add_test(tests, a_record_that_fails_moves_no_time);
    tcase_add_test(tests, a_jump_closes_before_it_deletes);
    tcase_add_test(tests, an_idle_key_closes_by_the_clock);
    tcase_add_test(tests, the_clock_waits_for_the_end_of_a_window_in_the_future);
    tcase_add_test(tests, timers_are_made_again_after_a_crash);
    tcase_add_test(tests, a_key_untouched_for_its_ttl_leaves);
    tcase_add_test(tests, a_key_whose_windows_wait_does_not_leave);
    tcase_add_test(tests, tombstones_bound_the_changelog);
    tcase_add_test(tests, a_crash_changes_nothing);
    tcase_add_test(tests, the_end_closes_what_is_open_each_once);
    tcase_add_test(tests, unlimited_windows_stay_open);
    tcase_add_test(tests, calendar_days_have_their_own_lengths);
    tcase_add_test(tests, a_row_keeps_the_end_that_it_was_made_with);
    tcase_add_test(tests, a_calendar_may_give_many_windows);
    tcase_add_test(tests, a_window_longer_than_declared_fails_the_record);
    tcase_add_test(tests, a_step_hears_of_the_windows_that_close);
    tcase_add_test(tests, a_step_hears_of_the_clock_and_of_the_end);
    tcase_add_test(tests, rows_of_a_step_may_start_anywhere);
    tcase_add_test(tests, rows_of_a_key_are_the_same_row_by_row);
    tcase_add_test(tests, mistakes_are_found_when_the_topology_is_loaded);
    tcase_add_test(tests, any_order_within_the_retention_gives_the_same_results);
    tcase_add_test(tests, random_trials_equal_a_plain_computation);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
