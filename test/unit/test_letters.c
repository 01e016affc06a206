/* test_letters.c: offsets as runs, against a plain set of them; dead letters in both shapes, written and read. */
#include <check.h>
#include <stdlib.h>

#include "framework/json/json.h"
#include "framework/record/letters.h"
#include "test/run.h"

static struct weir_arena arena;

static void set_up(void) { weir__arena_init(&arena, 0); }
static void tear_down(void) { weir__arena_fini(&arena); }

/* ---- runs ---- */

enum { OFFSETS = 60 };

static void check_same(const struct weir__runs *runs, const bool *set)
{
    int64_t total = 0;

    for (int64_t i = 0; i < OFFSETS; i++) {
        ck_assert_int_eq(weir__runs_has(runs, i), set[i]);
        total += set[i];
    }
    ck_assert_int_eq(weir__runs_total(runs), total);
    for (size_t i = 1; i < runs->count; i++)
        ck_assert_int_gt(runs->items[i].first, runs->items[i - 1].last + 1);
}

static void check_printed(const struct weir__runs *runs, const bool *set)
{
    struct weir__buf  text = { 0 };
    struct weir__runs again = { 0 };

    weir__runs_print(runs, &text);
    ck_assert_int_eq(weir__runs_parse((struct weir_text){ text.data, text.size }, &again), WEIR_OK);
    check_same(&again, set);
    weir__runs_fini(&again);
    weir__buf_fini(&text);
}

START_TEST(runs_are_a_set)
{
    unsigned seed = 7;

    for (int round = 0; round < 300; round++) {
        struct weir__runs runs = { 0 };
        bool              set[OFFSETS] = { false };

        for (int i = 0; i < 25; i++) {
            int64_t first = rand_r(&seed) % OFFSETS, last = first + rand_r(&seed) % 5;

            last = MIN(last, OFFSETS - 1);
            ck_assert_int_eq(weir__runs_add(&runs, first, last), WEIR_OK);
            memset(&set[first], true, (size_t)(last - first + 1));
            check_same(&runs, set);
        }
        check_printed(&runs, set);
        weir__runs_fini(&runs);
    }
}
END_TEST

START_TEST(what_is_no_runs)
{
    static const char *const texts[] = {
        "", ",", "1,", "1-", "-1", "3-2", "1 2", "a", "1-2-3", "9223372036854775808", "9223372036854775807"
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct weir__runs runs = { 0 };

        ck_assert_msg(weir__runs_parse((struct weir_text){ texts[i], strlen(texts[i]) }, &runs) == WEIR_UNREADABLE,
                      "\"%s\" is read", texts[i]);
        weir__runs_fini(&runs);
    }
}
END_TEST

/* ---- letters ---- */

static struct weir_bytes printed(struct weir_json_out *json)
{
    struct weir_bytes bytes = BYTES(weir__arena_copy(&arena, json->buf.data, json->buf.size), json->buf.size);

    weir__json_out_fini(json);
    return bytes;
}

static void is_text(const char *want, struct weir_text have)
{
    ck_assert_uint_eq(strlen(want), have.size);
    ck_assert_mem_eq(want, have.data, have.size);
}

START_TEST(a_plain_letter_is_read_as_it_was_written)
{
    const struct weir_header headers[] = { { "h", BYTES("\0x", 2) }, { "null", NO_BYTES } };
    const struct weir__raw   raw = { "in", 3, 17, 5000, BYTES("k", 1), BYTES("\xff", 1), headers, 2 };
    struct weir__dead_letter letter = { &raw, "top", "node", "WEIR_UNREADABLE", "words", { "acme", 4 }, 1,
                                        6000, 7000,  false };
    struct weir__read_letter read;
    struct weir_json_out     json = { 0 };

    ck_assert_int_eq(weir__dead_letter_print(&letter, &json), WEIR_OK);
    ck_assert_int_eq(weir__letter_read(printed(&json), &arena, &read), WEIR_OK);
    ck_assert(!read.none && !read.bare && !read.folded);
    ck_assert_str_eq(read.source.topic, "in");
    ck_assert_int_eq(read.source.partition, 3);
    ck_assert(read.offsets.count == 1 && read.offsets.items[0].first == 17 && read.offsets.items[0].last == 17);
    ck_assert_int_eq(read.source.timestamp, 5000);
    ck_assert(weir__bytes_equal(read.source.key, raw.key) && weir__bytes_equal(read.source.value, raw.value));
    ck_assert_uint_eq(read.source.header_count, 2);
    ck_assert(weir__bytes_equal(read.source.headers[0].value, headers[0].value));
    ck_assert_ptr_null(read.source.headers[1].value.data);
    is_text("top/node", read.stage);
    is_text("WEIR_UNREADABLE", read.code);
    is_text("words", read.message);
    is_text("acme", read.tenant);
    ck_assert(read.first_failed == 6000 && read.last_failed == 7000);
    weir__read_letter_fini(&read);
    letter.bare = true;
    ck_assert_int_eq(weir__dead_letter_print(&letter, &json), WEIR_OK);
    ck_assert_int_eq(weir__letter_read(printed(&json), &arena, &read), WEIR_OK);
    ck_assert(read.bare);
    weir__read_letter_fini(&read);
}
END_TEST

START_TEST(a_letter_of_no_record)
{
    const struct weir__raw         raw = { .partition = -1, .offset = -1, .timestamp = -1 };
    const struct weir__dead_letter letter = {
        .source = &raw, .topology = "t", .node = "n", .code = "c", .message = "m"
    };
    struct weir__read_letter read;
    struct weir_json_out     json = { 0 };

    ck_assert_int_eq(weir__dead_letter_print(&letter, &json), WEIR_OK);
    ck_assert_int_eq(weir__letter_read(printed(&json), &arena, &read), WEIR_OK);
    ck_assert(read.none && read.offsets.count == 0 && read.tenant.data == NULL);
    weir__read_letter_fini(&read);
}
END_TEST

START_TEST(what_is_no_letter)
{
#define REST ",\"stage\":\"t/n\",\"code\":\"c\",\"first_failed\":1,\"last_failed\":1}"
    static const char *const texts[] = {
        "null",
        "[]",
        "{}",
        "no",
        "{\"source_topic\":\"t\",\"partition\":0,\"offset\":1}",
        "{\"source_topic\":\"t\",\"partition\":0,\"first_offset\":1,\"offsets\":\"1-5\",\"count\":4" REST,
        "{\"source_topic\":\"t\",\"partition\":0,\"first_offset\":0,\"offsets\":\"0-999999999999\",\"count\":1000000000000" REST,
        "{\"source_topic\":\"t\",\"partition\":9999999999,\"offset\":1,\"timestamp\":1" REST,
    };
#undef REST
    struct weir__read_letter read;

    ck_assert_int_eq(weir__letter_read(NO_BYTES, &arena, &read), WEIR_UNREADABLE);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        ck_assert_msg(weir__letter_read(BYTES(texts[i], strlen(texts[i])), &arena, &read) == WEIR_UNREADABLE,
                      "%s is read", texts[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        runs_are_a_set,        what_is_no_runs,   a_plain_letter_is_read_as_it_was_written,
        a_letter_of_no_record, what_is_no_letter,
    };
    Suite *suite = suite_create("letters");
    TCase *tcase = tcase_create("letters");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(tcase, tests[i]);
    return run_suite(suite);
}
