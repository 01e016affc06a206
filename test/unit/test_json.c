/* test_json.c: what the reader takes and refuses, beside jansson's strict reader; what the writer gives. */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "framework/json/json.h"

static struct weir_arena arena;
static char             *kept; /* the last text that was taken: its values borrow from it */

static int parse(const char *data, size_t size, const struct weir_json **ret)
{
    char *exact = weir__memdup(data, size); /* no byte after the text: a read past it shows under ASan */
    int   err;

    ck_assert_ptr_nonnull(exact);
    err = weir_json_parse(&arena, (struct weir_text){ .data = exact, .size = size }, ret, NULL);
    weir__free(err < 0 ? exact : kept);
    if (err == WEIR_OK)
        kept = exact;
    return err;
}

static bool takes(const char *text)
{
    const struct weir_json *json;

    return parse(text, strlen(text), &json) == WEIR_OK;
}

static void forget(void)
{
    weir__free(kept);
    kept = NULL;
    weir__arena_fini(&arena);
}

START_TEST(strictness)
{
    static const char *const good[] = { "{}",          "[]",        " [ 1 , 2 ] ", "\"\"",
                                        "0",           "-0",        "1.5e-3",      "true",
                                        "null",        "{\"a\":1}", "[[[]]]",      "\"\\ud83d\\ude00\"",
                                        "\"\\u0000\"", "1E+2" };
    static const char *const bad[] = { "",
                                       "{\"a\":1,}",
                                       "[1,]",
                                       "01",
                                       "1.",
                                       ".5",
                                       "+1",
                                       "1e",
                                       "nul",
                                       "{\"a\":1} x",
                                       "{a:1}",
                                       "{\"a\" 1}",
                                       "\"a",
                                       "\"\n\"",
                                       "[1 2]",
                                       "-",
                                       "\"\\x\"",
                                       "\"\\ud800\"",
                                       "\"\\udc00\"",
                                       "{\"a\":1,\"a\":2}",
                                       "\"\xff\"",
                                       "\"\xc0\x80\"",
                                       "\"\xed\xa0\x80\"",
                                       "NaN",
                                       "[",
                                       "{\"a\":",
                                       "\"\\u12\"" };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(takes(good[i]), "refused: %s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!takes(bad[i]), "taken: %s", bad[i]);
}
END_TEST

START_TEST(depth_is_bounded)
{
    char text[200];

    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';
    ck_assert(takes(text));
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    text[130] = '\0';
    ck_assert(!takes(text));
}
END_TEST

START_TEST(values)
{
    const char *text =
        "{\"n\":-9223372036854775808,\"big\":9223372036854775808,\"d\":0.1,\"s\":\"a\\n\\u00e9\\ud83d\\ude00\"}";
    const struct weir_json *json;
    struct weir_text        s;
    int64_t                 n;
    double                  d;

    ck_assert_int_eq(parse(text, strlen(text), &json), WEIR_OK);
    ck_assert_int_eq(weir_json_int64(weir_json_get(json, "n"), &n), WEIR_OK);
    ck_assert(n == INT64_MIN);
    ck_assert_int_eq(weir_json_int64(weir_json_get(json, "big"), &n), WEIR_OVERFLOW);
    ck_assert_int_eq(weir_json_int64(weir_json_get(json, "d"), &n), WEIR_UNREADABLE);
    ck_assert_int_eq(weir_json_int64(weir_json_get(json, "absent"), &n), WEIR_UNREADABLE);
    ck_assert_int_eq(weir_json_double(weir_json_get(json, "d"), &d), WEIR_OK);
    ck_assert(d == 0.1);
    ck_assert_int_eq(weir_json_text(weir_json_get(json, "s"), &s), WEIR_OK);
    ck_assert_uint_eq(s.size, 8);
    ck_assert_mem_eq(s.data, "a\n\xc3\xa9\xf0\x9f\x98\x80", 8);
}
END_TEST

START_TEST(many_keys_are_checked_too)
{
    struct weir__buf text = { 0 };

    weir__buf_putc(&text, '{');
    for (int i = 0; i < 100; i++)
        weir__buf_printf(&text, "\"k%d\":%d,", i, i);
    weir__buf_puts(&text, "\"last\":1}");
    weir__buf_putc(&text, '\0');
    ck_assert(takes(text.data));
    memcpy(strstr(text.data, "\"last\""), "\"k57\": ", 6);
    ck_assert(!takes(text.data));
    weir__buf_fini(&text);
}
END_TEST

START_TEST(ceiling_is_a_limit)
{
    struct weir_arena       small;
    const struct weir_json *json;
    const char             *text = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]";

    weir__arena_init(&small, 256);
    ck_assert_int_eq(weir_json_parse(&small, (struct weir_text){ .data = text, .size = strlen(text) }, &json, NULL),
                     WEIR_LIMIT);
    weir__arena_fini(&small);
}
END_TEST

/* ---- differential: seeded mutations of good texts, judged by both readers ---- */

static uint64_t state = 20131008;

static uint32_t roll(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static size_t mutate(char *text, size_t size)
{
    static const char pieces[] = "{}[]\",:\\u0123456789eE+-.tfn \n\xc3\xa9\xed\xa0\x80\xff";

    for (uint32_t n = roll(3) + 1; n > 0 && size > 0; n--) {
        uint32_t at = roll((uint32_t)size);

        switch (roll(3)) {
        case 0: text[at] = pieces[roll(sizeof(pieces) - 1)]; break;
        case 1:
            memmove(text + at, text + at + 1, size - at - 1);
            size--;
            break;
        default:
            memmove(text + at + 1, text + at, size - at);
            text[at] = pieces[roll(sizeof(pieces) - 1)];
            size++;
            break;
        }
    }
    return size;
}

/* jansson has no number beyond int64 or double; ours keeps numbers as text. */
static bool number_out_of_range(const json_error_t *error)
{
    return strstr(error->text, "too big") != NULL || strstr(error->text, "overflow") != NULL;
}

START_TEST(agrees_with_jansson)
{
    static const char *const seeds[] = {
        "{\"tenant_id\":\"default\",\"price\":31.5,\"volume\":10,\"event_time\":1735828200000000,\"ok\":true,\"x\":null}",
        "[1,-2.5e3,\"a\\u00e9\\n\",{\"k\":[[],{}]},false]",
        "{\"payload\":{\"raw_data\":{\"lmp\":\"-3.25\",\"he\":24}},\"h\":[\"\\ud83d\\ude00\",\"\xc3\xa9\"]}"
    };

    for (int i = 0; i < 30000; i++) {
        char                    text[400];
        size_t                  size = strlen(seeds[i % 3]);
        const struct weir_json *json;
        json_error_t            error;
        json_t                 *theirs;
        bool                    ours;

        memcpy(text, seeds[i % 3], size);
        size = mutate(text, size);
        theirs = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        ours = parse(text, size, &json) == WEIR_OK;
        if (ours != (theirs != NULL) && !(ours && number_out_of_range(&error)))
            ck_abort_msg("%s by us, jansson: %s: %.*s", ours ? "taken" : "refused", error.text, (int)size, text);
        json_decref(theirs);
        weir__arena_reset(&arena);
    }
}
END_TEST

/* ---- writer ---- */

static void expect_written(struct weir_json_out *json, const char *want)
{
    weir__buf_putc(&json->buf, '\0');
    ck_assert_str_eq(json->buf.data, want);
    weir__json_out_reset(json);
}

START_TEST(writes)
{
    struct weir_json_out json = { 0 };

    weir_json_begin_object(&json);
    weir_json_name(&json, "a");
    weir_json_begin_array(&json);
    weir_json_put_int64(&json, INT64_MIN);
    weir_json_put_bool(&json, true);
    weir_json_put_null(&json);
    weir_json_end_array(&json);
    weir_json_name(&json, "b");
    weir_json_begin_object(&json);
    weir_json_end_object(&json);
    weir_json_name(&json, "c");
    weir_json_put_text(&json, (struct weir_text){ .data = "\"\\\n\x01\xff\xc3\xa9", .size = 7 });
    weir_json_end_object(&json);
    expect_written(
        &json, "{\"a\":[-9223372036854775808,true,null],\"b\":{},\"c\":\"\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\"}");
    weir__json_out_fini(&json);
}
END_TEST

START_TEST(doubles_read_back)
{
    static const double  doubles[] = { 0.1, 1.0 / 3, 1e300, 5e-324, -2.5, 123456789012345680.0, 0.0 };
    struct weir_json_out json = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
        weir_json_put_double(&json, doubles[i]);
        weir__buf_putc(&json.buf, '\0');
        ck_assert(strtod(json.buf.data, NULL) == doubles[i]);
        ck_assert(takes(json.buf.data));
        weir__json_out_reset(&json);
    }
    weir_json_put_double(&json, NAN);
    expect_written(&json, "null");
    weir__json_out_fini(&json);
}
END_TEST

int main(void)
{
    Suite   *suite = suite_create("json");
    TCase   *tests = tcase_create("json");
    SRunner *runner = srunner_create(suite);
    int      failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, NULL, forget);
    tcase_add_test(tests, strictness);
    tcase_add_test(tests, depth_is_bounded);
    tcase_add_test(tests, values);
    tcase_add_test(tests, many_keys_are_checked_too);
    tcase_add_test(tests, ceiling_is_a_limit);
    tcase_add_test(tests, agrees_with_jansson);
    tcase_add_test(tests, writes);
    tcase_add_test(tests, doubles_read_back);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
