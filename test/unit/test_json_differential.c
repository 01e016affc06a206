/* test_json_differential.c: texts made from a seed, whole and damaged, that our reader and jansson's must take alike. */
#include "test/fuzz/json_difference.h"
#include "test/run.h"

#include <check.h>

#define TEXTS 60000

static uint64_t         seed;
static struct weir__buf text;

static uint32_t below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * limit >> 32);
}

#define ONE_OF(list) (list)[below(ARRAY_SIZE(list))]

static const char *const pieces[] = {
    "a",
    "b",
    "price",
    "tenant_id",
    " ",
    "\\n",
    "\\\"",
    "\\\\",
    "\\/",
    "\\b\\f",
    "\\u0041",
    "\\u0000",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\xc3\xa9",
    "\xe2\x82\xac",
    "\xf0\x9f\x98\x80",
    "\x7f",
    "longer than eight bytes",
    "\\u007F\\uFFFF",
    "",
};
static const char *const numbers[] = {
    "0",
    "-0",
    "7",
    "-12",
    "31.57",
    "1e3",
    "1E-7",
    "0.1",
    "-0.0",
    "9223372036854775807",
    "9223372036854775808",
    "1e308",
    "1e309",
    "5e-324",
    "1e-400",
    "123456789012345678901234567890",
    "0.30000000000000004",
    "1735828200000000",
};
static const char *const damage[] = {
    "\"",       "\\",
    "{",        "}",
    "[",        "]",
    ",",        ":",
    "0",        "-",
    ".",        "e",
    "E+",       "\\u",
    "\\ud800",  "\\udc00",
    "\\x",      "\x01",
    "\n",       "\t",
    "\x1f",     " ",
    "\xff",     "\x80",
    "\xc0\x80", "\xed\xa0\x80",
    "\xe2\x82", "\xf4\x90\x80\x80",
    "null",     "tru",
    "01",       "1.",
    "\"a\":1,", "\xef\xbb\xbf",
    "/**/",     "NaN",
    "'",
};

static void put_space(void)
{
    static const char *const spaces[] = { " ", "\n", "\t", "\r\n", "" };

    if (below(8) == 0)
        weir__buf_puts(&text, ONE_OF(spaces));
}

static void put_string(void)
{
    weir__buf_putc(&text, '"');
    for (uint32_t n = below(4); n > 0; n--)
        weir__buf_puts(&text, ONE_OF(pieces));
    weir__buf_putc(&text, '"');
}

static void put_value(uint32_t depth);

static void put_nested(uint32_t depth, bool is_object)
{
    weir__buf_putc(&text, is_object ? '{' : '[');
    for (uint32_t n = below(200) == 0 ? 70 : below(6), i = 0; i < n; i++) {
        if (i)
            weir__buf_putc(&text, ',');
        put_space();
        if (is_object && below(3) == 0)
            put_string();
        else if (is_object)
            weir__buf_printf(&text, "\"%u\"", below(20) ? i : below(n));
        if (is_object) {
            put_space();
            weir__buf_putc(&text, ':');
        }
        put_value(n > 6 ? 0 : depth);
    }
    put_space();
    weir__buf_putc(&text, is_object ? '}' : ']');
}

static void put_value(uint32_t depth)
{
    static const char *const words[] = { "true", "false", "null" };
    uint32_t                 kind = below(depth ? 7 : 4);

    put_space();
    if (kind == 0)
        weir__buf_puts(&text, ONE_OF(words));
    else if (kind == 1)
        weir__buf_puts(&text, ONE_OF(numbers));
    else if (kind < 4)
        put_string();
    else
        put_nested(depth - 1, kind > 4);
    put_space();
}

/* Takes `gone` bytes out at `at` and puts others in. */
static void splice(size_t at, size_t gone, const char *bytes, size_t size)
{
    struct weir__buf whole = { 0 };

    gone = MIN(gone, text.size - at);
    weir__buf_room(&whole, 1); /* never without data, also when nothing is left */
    weir__buf_add(&whole, text.data, at);
    weir__buf_add(&whole, bytes, size);
    weir__buf_add(&whole, text.data + at + gone, text.size - at - gone);
    weir__buf_fini(&text);
    text = whole;
}

static void harm(void)
{
    size_t      at = below((uint32_t)text.size + 1);
    const char *bytes = ONE_OF(damage);
    char        byte = (char)below(256), copy[64];
    size_t      size = below(sizeof(copy));

    switch (below(6)) {
    case 0: splice(at, 1, &byte, 1); break;
    case 1: splice(at, 1 + below(3), "", 0); break;
    case 2: splice(at, 0, bytes, strlen(bytes)); break;
    case 3: splice(at, strlen(bytes), bytes, strlen(bytes)); break;
    case 4: text.size = at; break;
    default: /* a part of it once more, elsewhere */
        size = MIN(size, text.size - at);
        memcpy(copy, text.data + at, size);
        splice(below((uint32_t)text.size + 1), 0, copy, size);
        break;
    }
}

static void make_text(void)
{
    weir__buf_reset(&text);
    put_value(4);
    for (uint32_t n = below(4); n > 0; n--)
        harm();
}

START_TEST(texts_are_taken_as_jansson_takes_them)
{
    size_t accepted = 0;

    seed = 0x2545f4914f6cdd1d;
    for (size_t i = 0; i < TEXTS; i++) {
        char        said[512];
        const char *difference;
        json_t     *json;

        make_text();
        ck_assert(weir__buf_ok(&text));
        difference = json_difference(text.data, text.size, said);
        ck_assert_msg(!difference, "text %zu: %s\n%.*s", i, difference, (int)text.size, text.data);
        json = json_loadb(text.data, text.size, JANSSON_STRICT, NULL);
        accepted += json != NULL;
        json_decref(json);
    }
    weir__buf_fini(&text);
    /* The corpus is worth something: neither kind of text is rare. */
    ck_assert_uint_gt(accepted, TEXTS / 5);
    ck_assert_uint_lt(accepted, TEXTS / 5 * 4);
}
END_TEST

START_TEST(the_differences_that_are_meant_are_no_more_than_those)
{
    static const char *const texts[] = {
        "1e309",
        "[0,99999999999999999999]",
        "{\"a\\u0000b\":1}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{\"\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct weir_arena       arena;
        const struct weir_json *json;
        char                    said[512];
        json_t                 *theirs = json_loads(texts[i], JANSSON_STRICT, NULL);
        bool                    ours;

        weir__arena_init(&arena, 0);
        ours = weir_json_parse(&arena, (struct weir_text){ texts[i], strlen(texts[i]) }, &json, NULL) == WEIR_OK;
        ck_assert(ours != (theirs != NULL));
        ck_assert_ptr_null(json_difference(texts[i], strlen(texts[i]), said));
        weir__arena_fini(&arena);
        json_decref(theirs);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_differential");
    TCase *tcase = tcase_create("json_differential");

    tcase_set_timeout(tcase, 100);
    tcase_add_test(tcase, texts_are_taken_as_jansson_takes_them);
    tcase_add_test(tcase, the_differences_that_are_meant_are_no_more_than_those);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
