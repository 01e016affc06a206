/* test_json.c: what the JSON reader accepts, refuses and says, and what the writer writes. */
#include "framework/json/json.h"
#include "test/run.h"

#include <check.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#define OK(text)                               \
    {                                          \
        text, sizeof(text) - 1, WEIR_OK, 0, "" \
    }
#define BAD(text, at, what)                               \
    {                                                     \
        text, sizeof(text) - 1, WEIR_UNREADABLE, at, what \
    }

static struct weir_arena    arena;
static struct weir_json_out out;

static void begin(void) { weir__arena_init(&arena, 0); }

static void finish(void)
{
    weir__arena_fini(&arena);
    weir__json_out_fini(&out);
}

/* From a copy with nothing behind it: a look past the end is found by the address sanitizer. */
static int parse_bytes(const char *text, size_t size, const struct weir_json **ret, struct weir_error *reterr)
{
    const char *copy = weir__arena_copy(&arena, text, size);

    ck_assert_ptr_nonnull(copy);
    return weir_json_parse(&arena, (struct weir_text){ .data = copy, .size = size }, ret, reterr);
}

static const struct weir_json *parse(const char *text)
{
    const struct weir_json *json = NULL;
    struct weir_error       err = { 0 };

    ck_assert_msg(parse_bytes(text, strlen(text), &json, &err) == WEIR_OK, "%s: %s", text, err.text);
    return json;
}

static void assert_text(const struct weir_json *json, const char *text, size_t size)
{
    struct weir_text got;

    ck_assert_int_eq(weir_json_text(json, &got), WEIR_OK);
    ck_assert_uint_eq(got.size, size);
    if (size > 0)
        ck_assert_mem_eq(got.data, text, size);
}

static const char *written(void)
{
    ck_assert(weir__buf_ok(&out.buf));
    weir__buf_putc(&out.buf, '\0');
    return out.buf.data;
}

/* ---- reading ---- */

START_TEST(the_grammar_is_rfc_8259)
{
    static const struct {
        const char *text;
        size_t      size;
        int         code;
        size_t      at;
        const char *what;
    } cases[] = {
        OK("{}"),
        OK(" [ ] "),
        OK("\t\r\n null \n"),
        OK("true"),
        OK("false"),
        OK("0"),
        OK("-0"),
        OK("-0.5e-10"),
        OK("1E+2"),
        OK("[1,2,[3],{\"a\":[]}]"),
        OK("\"\""),
        OK("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\""),
        OK("\"\x7f\""),
        OK("\"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\""),
        OK("{\"\":1,\"a\":2,\"A\":3}"),
        BAD("", 0, "text ends where a value is expected"),
        BAD("   ", 3, "text ends where a value is expected"),
        BAD("nul", 0, "a value is expected"),
        BAD("nulL", 0, "a value is expected"),
        BAD("True", 0, "a value is expected"),
        BAD("NaN", 0, "a value is expected"),
        BAD("Infinity", 0, "a value is expected"),
        BAD("'a'", 0, "a value is expected"),
        BAD("\xef\xbb\xbf{}", 0, "a value is expected"),
        BAD("\f1", 0, "a value is expected"),
        BAD("\0", 0, "a value is expected"),
        BAD("// no\n1", 0, "a value is expected"),
        BAD("1 2", 2, "something follows"),
        BAD("{} }", 3, "something follows"),
        BAD("nullx", 4, "something follows"),
        BAD("1\0", 1, "something follows"),
        BAD("+1", 0, "a value is expected"),
        BAD(".5", 0, "a value is expected"),
        BAD("-", 0, "lacks digits"),
        BAD("-a", 0, "lacks digits"),
        BAD("1.", 0, "lacks digits"),
        BAD("1.e5", 0, "lacks digits"),
        BAD("1e", 0, "lacks digits"),
        BAD("1e+", 0, "lacks digits"),
        BAD("01", 0, "begins with 0"),
        BAD("-01.5", 0, "begins with 0"),
        BAD("00", 0, "begins with 0"),
        BAD("0x10", 1, "something follows"),
        BAD("1_000", 1, "something follows"),
        BAD("[", 1, "text ends where a value is expected"),
        BAD("[1", 2, "ends inside an array or object"),
        BAD("[1,", 3, "text ends where a value is expected"),
        BAD("[1,]", 3, "a value is expected"),
        BAD("[,1]", 1, "a value is expected"),
        BAD("[1 2]", 3, "a comma or ] is expected"),
        BAD("[1}", 2, "a comma or ] is expected"),
        BAD("]", 0, "a value is expected"),
        BAD("{", 1, "a key in quotes is expected"),
        BAD("{a:1}", 1, "a key in quotes is expected"),
        BAD("{1:1}", 1, "a key in quotes is expected"),
        BAD("{\"a\"}", 4, "a colon is expected"),
        BAD("{\"a\":}", 5, "a value is expected"),
        BAD("{\"a\":1,}", 7, "a key in quotes is expected"),
        BAD("{\"a\":1]", 6, "a comma or } is expected"),
        BAD("{\"a\":1 \"b\":2}", 7, "a comma or } is expected"),
        BAD("{\"a\":1", 6, "ends inside an array or object"),
        BAD("\"", 1, "ends inside a string"),
        BAD("\"abc", 4, "ends inside a string"),
        BAD("\"abcdefghijkl", 13, "ends inside a string"),
        BAD("\"a\\", 2, "ends inside a string"),
        BAD("\"a\\\"", 4, "ends inside a string"),
        BAD("\"a\\nb", 5, "ends inside a string"),
        BAD("\"\\x41\"", 1, "an unknown escape"),
        BAD("\"\\\0\"", 1, "an unknown escape"),
        BAD("\"\\u12\"", 1, "four hexadecimal digits"),
        BAD("\"\\u12g4\"", 1, "four hexadecimal digits"),
        BAD("\"\\u", 1, "four hexadecimal digits"),
        BAD("\"ab\ncd\"", 3, "a control character"),
        BAD("\"abcdefgh\x1f\"", 9, "a control character"),
        BAD("\"\\n\x01\"", 3, "a control character"),
        BAD("\"a\0b\"", 2, "a control character"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct weir_json *json = NULL;
        struct weir_error       err = { 0 };
        char                    at[40];
        int                     code = parse_bytes(cases[i].text, cases[i].size, &json, &err);

        ck_assert_msg(code == cases[i].code, "%s: %d %s", cases[i].text, code, err.text);
        ck_assert_msg((code == WEIR_OK) == (json != NULL), "%s", cases[i].text);
        if (code == WEIR_OK)
            continue;
        snprintf(at, sizeof(at), "at byte %zu: ", cases[i].at);
        ck_assert_msg(strncmp(err.text, at, strlen(at)) == 0 && strstr(err.text, cases[i].what), "%s: %s, not %s%s",
                      cases[i].text, err.text, at, cases[i].what);
        ck_assert_int_eq(err.code, WEIR_UNREADABLE);
    }
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_refused)
{
    static const char *const before[] = { "\"", "\"ten plain ", "\"\\n", "{\"" };
    static const char *const after[] = { "\"", "\"", "\"", "\":1}" };
    static const char *const bad[] = {
        "\x80",         "\xbf",         "\xc0\xaf",         "\xc1\xbf",         "\xc3",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82",         "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80",
        "\xf5\x80\x80", "\xff",         "\xc3\xa9\xc3\x28", "\xe2\x28\xa1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(before); j++) {
            const char             *text = weir__arena_printf(&arena, "%s%s%s", before[j], bad[i], after[j]);
            const struct weir_json *json;
            struct weir_error       err;

            ck_assert_int_eq(parse_bytes(text, strlen(text), &json, &err), WEIR_UNREADABLE);
            ck_assert_ptr_nonnull(strstr(err.text, "no UTF-8"));
        }
    }
}
END_TEST

START_TEST(a_character_cut_off_by_the_end_is_refused)
{
    const struct weir_json *json;

    ck_assert_int_eq(parse_bytes("\"\xe2\x82", 3, &json, NULL), WEIR_UNREADABLE);
    ck_assert_int_eq(parse_bytes("\"\xf0\x9f\x98", 4, &json, NULL), WEIR_UNREADABLE);
}
END_TEST

START_TEST(no_text_is_refused)
{
    const struct weir_json *json;

    ck_assert_int_eq(weir_json_parse(&arena, (struct weir_text){ 0 }, &json, NULL), WEIR_UNREADABLE);
}
END_TEST

START_TEST(escapes_mean_what_they_say)
{
    assert_text(parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t", 8);
    assert_text(parse("\"a\\u0000b\""), "a\0b", 3);
    assert_text(parse("\"\\u0041\\u00e9\\u20AC\\uffff\""), "A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf", 9);
    assert_text(parse("\"\\u007f\\u0080\\u07ff\\u0800\""), "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", 8);
    assert_text(parse("\"<\\uD83D\\ude00>\""), "<\xf0\x9f\x98\x80>", 6);
    assert_text(parse("\"\\ud800\\udc00\\udbff\\udfff\""), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8);
    assert_text(parse("\"plain before \\t and \xc3\xa9 after\""), "plain before \t and \xc3\xa9 after", 27);
}
END_TEST

START_TEST(half_surrogate_pairs_are_refused)
{
    static const char *const bad[] = { "\"\\ud800\"",       "\"\\udc00\"",        "\"\\ud800x\"",
                                       "\"\\ud800\\n\"",    "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
                                       "\"\\ud800\\udc0\"", "\"\\udfff\\ud800\"", "\"\\ud800\\" };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const struct weir_json *json;
        struct weir_error       err;

        ck_assert_int_eq(parse_bytes(bad[i], strlen(bad[i]), &json, &err), WEIR_UNREADABLE);
        ck_assert_str_eq(err.text, "at byte 1: half of a surrogate pair");
    }
}
END_TEST

START_TEST(strings_without_escapes_are_borrowed)
{
    static const char       text[] = "{\"name\":\"value \xc3\xa9\",\"n\":12}";
    const struct weir_json *json;

    ck_assert_int_eq(weir_json_parse(&arena, (struct weir_text){ text, sizeof(text) - 1 }, &json, NULL), WEIR_OK);
    ck_assert_ptr_eq(json->child->name.data, text + 2);
    ck_assert_ptr_eq(json->child->text.data, text + 9);
    ck_assert_ptr_eq(json->child->next->text.data, text + 23);
}
END_TEST

START_TEST(the_tree_has_names_children_and_siblings)
{
    const struct weir_json *json = parse("{\"a\":[1,\"x\",null],\"b\":{\"c\":true},\"d\":false,\"e\":-1.50}");
    const struct weir_json *list = weir_json_get(json, "a");

    ck_assert_int_eq(json->type, WEIR_JSON_OBJECT);
    ck_assert_ptr_eq(json->arena, &arena);
    ck_assert_ptr_null(json->next);
    ck_assert_int_eq(list->type, WEIR_JSON_ARRAY);
    ck_assert_int_eq(list->child->type, WEIR_JSON_NUMBER);
    ck_assert_int_eq(list->child->next->type, WEIR_JSON_STRING);
    ck_assert_int_eq(list->child->next->next->type, WEIR_JSON_NULL);
    ck_assert_ptr_null(list->child->next->next->next);
    ck_assert_int_eq(weir_json_get(weir_json_get(json, "b"), "c")->type, WEIR_JSON_TRUE);
    ck_assert_int_eq(weir_json_get(json, "d")->type, WEIR_JSON_FALSE);
    ck_assert_uint_eq(weir_json_get(json, "e")->text.size, 5);
    ck_assert_mem_eq(weir_json_get(json, "e")->text.data, "-1.50", 5);
    ck_assert_ptr_null(weir_json_get(json, "c"));
    ck_assert_ptr_null(weir_json_get(list, "a"));
    ck_assert_ptr_null(weir_json_get(NULL, "a"));
    ck_assert_ptr_null(parse("[]")->child);
}
END_TEST

START_TEST(keys_that_stand_twice_are_refused_at_their_place)
{
    const struct weir_json *json;
    struct weir_error       err;

    ck_assert_int_eq(parse_bytes("{\"a\":1, \"b\":2, \"a\":3}", 21, &json, &err), WEIR_UNREADABLE);
    ck_assert_str_eq(err.text, "at byte 15: a key that its object already has");
    ck_assert_int_eq(parse_bytes("{\"\":1,\"\":2}", 11, &json, NULL), WEIR_UNREADABLE);
    ck_assert_int_eq(parse_bytes("{\"a\":1,\"\\u0061\":2}", 18, &json, NULL), WEIR_UNREADABLE);
    parse("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}");
}
END_TEST

/* Object of `count` members whose names n0, n1, ...; the last one named n<last>. */
static struct weir_text many_members(size_t count, size_t last)
{
    struct weir__buf buf = { 0 };
    struct weir_text text;

    weir__buf_putc(&buf, '{');
    for (size_t i = 0; i < count; i++)
        weir__buf_printf(&buf, "%s\"n%zu\":{\"n%zu\":%zu}", i ? "," : "", i + 1 < count ? i : last, i, i);
    weir__buf_putc(&buf, '}');
    text = (struct weir_text){ weir__arena_copy(&arena, buf.data, buf.size), buf.size };
    weir__buf_fini(&buf);
    return text;
}

START_TEST(keys_that_stand_twice_are_found_in_objects_of_any_size)
{
    static const size_t counts[] = { 2, 3, 15, 16, 17, 18, 31, 32, 33, 34, 64, 65, 129, 3000 };

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        const struct weir_json *json;
        size_t                  count = counts[i], seen = 0;

        ck_assert_int_eq(weir_json_parse(&arena, many_members(count, count - 1), &json, NULL), WEIR_OK);
        for (const struct weir_json *member = json->child; member; member = member->next)
            seen++;
        ck_assert_uint_eq(seen, count);
        for (size_t twice = 0; twice + 1 < count; twice += count > 200 ? 97 : 1)
            ck_assert_int_eq(weir_json_parse(&arena, many_members(count, twice), &json, NULL), WEIR_UNREADABLE);
    }
}
END_TEST

START_TEST(arrays_and_objects_nest_64_deep)
{
    char                    text[65 * 6] = "";
    const struct weir_json *json;
    struct weir_error       err;

    for (int i = 0; i < 64; i++)
        strcat(text, i % 2 ? "[" : "{\"a\":");
    for (int i = 64; i-- > 0;)
        strcat(text, i % 2 ? "]" : "}");
    ck_assert_int_eq(parse_bytes(text, strlen(text), &json, NULL), WEIR_OK);

    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    ck_assert_int_eq(parse_bytes(text, 130, &json, &err), WEIR_UNREADABLE);
    ck_assert_str_eq(err.text, "at byte 64: arrays and objects are nested deeper than 64");
    ck_assert_int_eq(parse_bytes(text + 1, 128, &json, NULL), WEIR_OK);
    parse("[[[]],[[]],{\"a\":{}}]");
}
END_TEST

START_TEST(depth_is_left_again)
{
    char   text[3 * 100 + 3] = "[";
    size_t size = 1;

    for (int i = 0; i < 100; i++)
        size += (size_t)sprintf(text + size, "%s[]", i ? "," : "");
    strcpy(text + size, "]");
    parse(text);
}
END_TEST

START_TEST(the_arenas_ceiling_is_an_error)
{
    static const char *const texts[] = { "[1,2,3]", "{\"a\":1}", "\"a\\n\"",
                                         "{\"a\":\"\\u0041\\u0042\",\"\\u0043\":[null,true]}" };
    struct weir_text         many = many_members(40, 39);
    const struct weir_json  *json;
    struct weir_error        err;

    for (size_t i = 0; i <= ARRAY_SIZE(texts); i++) {
        struct weir_text text = i < ARRAY_SIZE(texts) ? (struct weir_text){ texts[i], strlen(texts[i]) } : many;
        int              code = WEIR_LIMIT;

        for (size_t ceiling = 16; code != WEIR_OK; ceiling += 16) {
            struct weir_arena small;

            weir__arena_init(&small, ceiling);
            code = weir_json_parse(&small, text, &json, &err);
            weir__arena_fini(&small);
            ck_assert(code == WEIR_OK || (code == WEIR_LIMIT && err.code == WEIR_LIMIT));
            ck_assert_uint_lt(ceiling, 20000);
        }
    }
}
END_TEST

/* ---- numbers ---- */

START_TEST(whole_numbers_are_read_as_written)
{
    static const struct {
        const char *text;
        int         code;
        int64_t     value;
    } cases[] = {
        { "0", WEIR_OK, 0 },
        { "-0", WEIR_OK, 0 },
        { "-17", WEIR_OK, -17 },
        { "9223372036854775807", WEIR_OK, INT64_MAX },
        { "-9223372036854775808", WEIR_OK, INT64_MIN },
        { "9223372036854775808", WEIR_OVERFLOW, 0 },
        { "-9223372036854775809", WEIR_OVERFLOW, 0 },
        { "99999999999999999999999", WEIR_OVERFLOW, 0 },
        { "99999999999999999999999.5", WEIR_UNREADABLE, 0 },
        { "1e3", WEIR_UNREADABLE, 0 },
        { "1.0", WEIR_UNREADABLE, 0 },
        { "\"1\"", WEIR_UNREADABLE, 0 },
        { "null", WEIR_UNREADABLE, 0 },
        { "[1]", WEIR_UNREADABLE, 0 },
    };
    int64_t value = 4711;

    ck_assert_int_eq(weir_json_int64(NULL, &value), WEIR_UNREADABLE);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        value = 4711;
        ck_assert_msg(weir_json_int64(parse(cases[i].text), &value) == cases[i].code, "%s", cases[i].text);
        ck_assert_int_eq(value, cases[i].code == WEIR_OK ? cases[i].value : 4711);
    }
}
END_TEST

START_TEST(doubles_are_the_nearest)
{
    static const struct {
        const char *text;
        double      value;
    } cases[] = {
        { "0.1", 0.1 },
        { "-12.5e-3", -0.0125 },
        { "1e3", 1000 },
        { "9007199254740993", 9007199254740992.0 },
        { "1.7976931348623157e308", DBL_MAX },
        { "5e-324", 0x1p-1074 },
        { "1e-400", 0 },
        { "0.30000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001", 0.3 },
    };
    double value = 47;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ck_assert_int_eq(weir_json_double(parse(cases[i].text), &value), WEIR_OK);
        ck_assert_msg(value == cases[i].value, "%s: %.17g", cases[i].text, value);
    }
    ck_assert_int_eq(weir_json_double(parse("-0"), &value), WEIR_OK);
    ck_assert(value == 0 && signbit(value));
    value = 47;
    ck_assert_int_eq(weir_json_double(parse("1e400"), &value), WEIR_OVERFLOW);
    ck_assert_int_eq(weir_json_double(parse("-1e400"), &value), WEIR_OVERFLOW);
    ck_assert_int_eq(weir_json_double(parse("\"1\""), &value), WEIR_UNREADABLE);
    ck_assert_int_eq(weir_json_double(NULL, &value), WEIR_UNREADABLE);
    ck_assert(value == 47);
}
END_TEST

START_TEST(long_numbers_need_memory_and_say_so)
{
    char                    text[101];
    const struct weir_json *json;
    struct weir_arena       small;
    double                  value;

    memset(text, '7', 100);
    weir__arena_init(&small, sizeof(struct weir_json));
    ck_assert_int_eq(weir_json_parse(&small, (struct weir_text){ text, 100 }, &json, NULL), WEIR_OK);
    ck_assert_int_eq(weir_json_double(json, &value), WEIR_LIMIT);
    weir__arena_fini(&small);
}
END_TEST

START_TEST(text_is_of_strings_only)
{
    struct weir_text text = { 0 };

    ck_assert_int_eq(weir_json_text(parse("1"), &text), WEIR_UNREADABLE);
    ck_assert_int_eq(weir_json_text(NULL, &text), WEIR_UNREADABLE);
    ck_assert_ptr_null(text.data);
}
END_TEST

/* ---- writing ---- */

START_TEST(the_writer_puts_commas_and_colons)
{
    weir_json_begin_object(&out);
    weir_json_name(&out, "a");
    weir_json_put_int64(&out, 1);
    weir_json_name(&out, "b");
    weir_json_begin_array(&out);
    weir_json_put_null(&out);
    weir_json_put_bool(&out, true);
    weir_json_put_bool(&out, false);
    weir_json_begin_object(&out);
    weir_json_end_object(&out);
    weir_json_begin_array(&out);
    weir_json_end_array(&out);
    weir_json_put_string(&out, NULL);
    weir_json_end_array(&out);
    weir_json_name(&out, "c\"");
    weir_json_put_number(&out, (struct weir_text){ "1.50", 4 });
    weir_json_end_object(&out);
    ck_assert_str_eq(written(), "{\"a\":1,\"b\":[null,true,false,{},[],null],\"c\\\"\":1.50}");
}
END_TEST

START_TEST(the_writer_starts_afresh_after_a_reset)
{
    weir_json_begin_array(&out);
    weir_json_put_int64(&out, 1);
    weir__json_out_reset(&out);
    weir_json_begin_array(&out);
    weir_json_put_int64(&out, 2);
    weir_json_end_array(&out);
    ck_assert_str_eq(written(), "[2]");
}
END_TEST

START_TEST(the_writer_nests_as_deep_as_it_is_told)
{
    for (int i = 0; i < 200; i++)
        weir_json_begin_array(&out);
    for (int i = 0; i < 200; i++)
        weir_json_end_array(&out);
    ck_assert_uint_eq(strlen(written()), 400);
}
END_TEST

START_TEST(whole_numbers_are_written)
{
    static const int64_t values[] = { 0, -1, 10, 1735828200000000, INT64_MAX, INT64_MIN };

    weir_json_begin_array(&out);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        weir_json_put_int64(&out, values[i]);
    weir_json_end_array(&out);
    ck_assert_str_eq(written(), "[0,-1,10,1735828200000000,9223372036854775807,-9223372036854775808]");
}
END_TEST

static void assert_written_double(double value, const char *text)
{
    weir__json_out_reset(&out);
    weir_json_put_double(&out, value);
    ck_assert_str_eq(written(), text);
}

START_TEST(doubles_are_written_short)
{
    assert_written_double(0, "0");
    assert_written_double(-0.0, "-0");
    assert_written_double(31.57, "31.57");
    assert_written_double(0.1 + 0.2, "0.30000000000000004");
    assert_written_double(0.7 + 0.1, "0.7999999999999999");
    assert_written_double(1e15, "1e+15");
    assert_written_double(123456789, "123456789");
    assert_written_double(DBL_MAX, "1.7976931348623157e+308");
    assert_written_double(0x1p-1074, "5e-324");
    assert_written_double(NAN, "null");
    assert_written_double(INFINITY, "null");
    assert_written_double(-INFINITY, "null");
}
END_TEST

START_TEST(any_double_is_read_back_as_it_was_written)
{
    uint64_t bits = 88172645463325252;

    for (int i = 0; i < 20000; i++) {
        double                  value, back;
        const struct weir_json *json;

        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        weir__json_out_reset(&out);
        weir_json_put_double(&out, value);
        weir__arena_reset(&arena);
        ck_assert_int_eq(parse_bytes(out.buf.data, out.buf.size, &json, NULL), WEIR_OK);
        ck_assert_int_eq(weir_json_double(json, &back), WEIR_OK);
        ck_assert_mem_eq(&back, &value, sizeof(back));
    }
}
END_TEST

/* Where no locale with a decimal comma is installed this shows no more than the tests above. */
START_TEST(numbers_have_a_point_in_every_locale)
{
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8", "C" };
    locale_t                 locale = NULL, before;
    double                   value;

    for (size_t i = 0; i < ARRAY_SIZE(names) && !locale; i++)
        locale = newlocale(LC_ALL_MASK, names[i], NULL);
    before = uselocale(locale);
    assert_written_double(2.5, "2.5");
    ck_assert_int_eq(weir_json_double(parse("2.5"), &value), WEIR_OK);
    ck_assert(value == 2.5);
    ck_assert_ptr_eq(uselocale(before), locale);
    freelocale(locale);
}
END_TEST

static void assert_written_text(const char *data, size_t size, const char *json)
{
    weir__json_out_reset(&out);
    weir_json_put_text(&out, (struct weir_text){ data, size });
    ck_assert_str_eq(written(), json);
}

START_TEST(strings_are_escaped)
{
    assert_written_text("", 0, "\"\"");
    assert_written_text(NULL, 0, "\"\"");
    assert_written_text("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    assert_written_text("\n\r\t\b\x01\x1f\0\x7f", 8, "\"\\n\\r\\t\\u0008\\u0001\\u001f\\u0000\x7f\"");
    assert_written_text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_written_as_replacements)
{
#define REPLACED "\xef\xbf\xbd"
    assert_written_text("a\xff"
                        "b",
                        3, "\"a" REPLACED "b\"");
    assert_written_text("\xc0\xaf", 2, "\"" REPLACED REPLACED "\"");
    assert_written_text("\xed\xa0\x80", 3, "\"" REPLACED REPLACED REPLACED "\"");
    assert_written_text("\xe2\x82", 2, "\"" REPLACED REPLACED "\"");
    assert_written_text("\xc3\"", 2, "\"" REPLACED "\\\"\"");
    assert_written_text("\x80\xc3\xa9", 3, "\"" REPLACED "\xc3\xa9\"");
}
END_TEST

START_TEST(a_failed_write_is_kept)
{
    weir__fail_allocation(1);
    weir_json_begin_object(&out);
    weir_json_name(&out, "a");
    weir_json_put_text(&out, (struct weir_text){ "text", 4 });
    weir_json_end_object(&out);
    weir__fail_allocation(0);
    ck_assert(!weir__buf_ok(&out.buf));
}
END_TEST

/* ---- member by member ---- */

/* Walks the text, every second key as expected beforehand, and gives what the walk ends with. */
static int walk_text(const char *text, const struct weir_json *tree, struct weir_error *reterr)
{
    const struct weir_json *wanted = tree ? tree->child : NULL;
    char                   *copy = weir__arena_copy(&arena, text, strlen(text));
    struct weir__walk       walk;
    struct weir_json        member;
    struct weir_text        likely = { .data = "\"a\":", .size = 4 };

    weir__walk_init(&walk, &arena, (struct weir_text){ .data = copy, .size = strlen(text) });
    while (weir__walk_next(&walk, likely, &member)) {
        likely.size = likely.size ? 0 : 4;
        if (!tree)
            continue;
        ck_assert_ptr_nonnull(wanted);
        assert_text(&(struct weir_json){ .type = WEIR_JSON_STRING, .text = member.name }, wanted->name.data,
                    wanted->name.size);
        assert_text(&(struct weir_json){ .type = WEIR_JSON_STRING, .text = member.text }, wanted->text.data,
                    wanted->text.size);
        ck_assert_int_eq(member.type, wanted->type);
        ck_assert((member.child == NULL) == (wanted->child == NULL));
        wanted = wanted->next;
    }
    ck_assert_ptr_null(wanted);
    return weir__walk_end(&walk, reterr);
}

START_TEST(an_object_is_walked_as_it_is_parsed)
{
    static const char *const texts[] = {
        "{}",
        " { } ",
        "{\"a\":1}",
        "{\"a\":1,\"b\":[1,{\"a\":2}],\"c\":\"x\\n\",\"a2\":null}",
        "{ \"a\" : true , \"\":{\"b\":{}} }\n",
        "{\"b\":1,\"a\":-1.5e3,\"ab\":false}",
        "{",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "{\"a\":1 \"b\":2}",
        "{\"a\":01}",
        "{\"a\":nul}",
        "{\"a\":[}",
        "{a:1}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const struct weir_json *tree = NULL;
        struct weir_error       parsed = { 0 }, walked = { 0 };
        int                     code = parse_bytes(texts[i], strlen(texts[i]), &tree, &parsed);

        ck_assert_msg(walk_text(texts[i], code == WEIR_OK ? tree : NULL, &walked) == code, "%s", texts[i]);
        ck_assert_str_eq(walked.text, parsed.text);
    }
    ck_assert_int_eq(walk_text("[1]", NULL, NULL), WEIR_UNREADABLE);
    ck_assert_int_eq(walk_text("", NULL, NULL), WEIR_UNREADABLE);
    ck_assert_int_eq(walk_text("{\"a\":1,\"a\":2}", NULL, NULL), WEIR_OK); /* the caller's to see */
}
END_TEST

int main(void)
{
    const TTest *const all_tests[] = {
        the_grammar_is_rfc_8259,
        bytes_that_are_no_utf8_are_refused,
        a_character_cut_off_by_the_end_is_refused,
        no_text_is_refused,
        escapes_mean_what_they_say,
        half_surrogate_pairs_are_refused,
        strings_without_escapes_are_borrowed,
        the_tree_has_names_children_and_siblings,
        keys_that_stand_twice_are_refused_at_their_place,
        keys_that_stand_twice_are_found_in_objects_of_any_size,
        arrays_and_objects_nest_64_deep,
        depth_is_left_again,
        the_arenas_ceiling_is_an_error,
        whole_numbers_are_read_as_written,
        doubles_are_the_nearest,
        long_numbers_need_memory_and_say_so,
        text_is_of_strings_only,
        the_writer_puts_commas_and_colons,
        the_writer_starts_afresh_after_a_reset,
        the_writer_nests_as_deep_as_it_is_told,
        whole_numbers_are_written,
        doubles_are_written_short,
        any_double_is_read_back_as_it_was_written,
        numbers_have_a_point_in_every_locale,
        strings_are_escaped,
        bytes_that_are_no_utf8_are_written_as_replacements,
        a_failed_write_is_kept,
        an_object_is_walked_as_it_is_parsed,
    };
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");

    tcase_add_checked_fixture(tcase, begin, finish);
    for (size_t i = 0; i < ARRAY_SIZE(all_tests); i++)
        tcase_add_test(tcase, all_tests[i]);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
