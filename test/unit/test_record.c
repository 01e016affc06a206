/* test_record.c: records as bytes and as text: codecs, base64, packing, printed records, dead letters. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "framework/json/json.h"
#include "framework/record/record.h"
#include "test/run.h"

static struct weir_arena    arena;
static struct weir_json_out json;
static struct weir_error    error;

static void begin(void)
{
    weir__arena_init(&arena, 0);
    json = (struct weir_json_out){ 0 };
    error = (struct weir_error){ 0 };
}

static void end(void)
{
    weir__arena_fini(&arena);
    weir__json_out_fini(&json);
}

static struct weir_bytes text_bytes(const char *text) { return BYTES(text, strlen(text)); }

static const char *printed(void)
{
    weir__buf_putc(&json.buf, '\0');
    ck_assert(weir__buf_ok(&json.buf));
    return json.buf.data;
}

static const struct weir_json *parse(const char *text)
{
    const struct weir_json *parsed;

    ck_assert_msg(weir_json_parse(&arena, (struct weir_text){ text, strlen(text) }, &parsed, &error) == WEIR_OK,
                  "%s: %s", text, error.text);
    return parsed;
}

/* ---- codecs ---- */

static const char *print_bytes(const struct weir_codec *codec, struct weir_bytes bytes)
{
    weir__json_out_reset(&json);
    ck_assert_int_eq(weir__bytes_print(codec, bytes, &arena, &json), WEIR_OK);
    return printed();
}

/* These bytes are this text, in both directions. */
static void both_ways(const struct weir_codec *codec, struct weir_bytes bytes, const char *text)
{
    struct weir_bytes back;
    const void       *value;

    ck_assert_str_eq(print_bytes(codec, bytes), text);
    ck_assert_msg(weir__bytes_parse("value", parse(text), codec, &arena, &back, &error) == WEIR_OK, "%s", error.text);
    ck_assert(weir__bytes_equal(back, bytes));
    ck_assert_int_eq(weir__decode(codec, &arena, bytes, &value), WEIR_OK);
    ck_assert_int_eq(weir__encode(codec, &arena, value, &back), WEIR_OK);
    ck_assert(weir__bytes_equal(back, bytes));
}

/* The codec cannot read the bytes: they are printed as they are, and read back. */
static void as_base64(const struct weir_codec *codec, struct weir_bytes bytes, const char *text)
{
    struct weir_bytes back;

    ck_assert_str_eq(print_bytes(codec, bytes), text);
    ck_assert_int_eq(weir__bytes_parse("value", parse(text), codec, &arena, &back, &error), WEIR_OK);
    ck_assert(back.data != NULL && weir__bytes_equal(back, bytes));
}

static void unreadable(const struct weir_codec *codec, struct weir_bytes bytes)
{
    const void *value;

    ck_assert_int_eq(weir__decode(codec, &arena, bytes, &value), WEIR_UNREADABLE);
}

static void refused(const struct weir_codec *codec, const char *text, int code)
{
    struct weir_bytes bytes;

    ck_assert_int_eq(weir__bytes_parse("value", parse(text), codec, &arena, &bytes, &error), code);
    ck_assert_str_eq(error.where, "value");
    ck_assert_ptr_nonnull(strstr(error.text, codec->name));
}

START_TEST(texts)
{
    both_ways(weir_string, text_bytes("tick"), "\"tick\"");
    both_ways(weir_string, BYTES("", 0), "\"\"");
    both_ways(weir_string, text_bytes("\"\\\n\x01\xc3\xa9\xf0\x9f\x98\x80"),
              "\"\\\"\\\\\\n\\u0001\xc3\xa9\xf0\x9f\x98\x80\"");
    both_ways(weir_string, BYTES("a\0b", 3), "\"a\\u0000b\"");
    both_ways(weir_string, text_bytes("\xef\xbf\xbd"), "\"\xef\xbf\xbd\""); /* U+FFFD itself is text */
    as_base64(weir_string, BYTES("\xff", 1), "{\"base64\":\"/w==\"}");
    as_base64(weir_string, BYTES("\xef\xbf\xbd\xff", 4), "{\"base64\":\"77+9/w==\"}");
    refused(weir_string, "1", WEIR_UNREADABLE);
    refused(weir_string, "[\"a\"]", WEIR_UNREADABLE);
}
END_TEST

START_TEST(blobs)
{
    both_ways(weir_blob, BYTES("\x00\xff\x10", 3), "\"00ff10\"");
    both_ways(weir_blob, BYTES("", 0), "\"\"");
    both_ways(weir_blob, BYTES("{\"price\":1.50}", 14), "{\"price\":1.50}");
    both_ways(weir_blob, BYTES("[1,\"a\"]", 7), "[1,\"a\"]");
    both_ways(weir_blob, BYTES("{ }", 3), "\"7b207d\""); /* it would not read back as it is */
    both_ways(weir_blob, BYTES("{}}", 3), "\"7b7d7d\"");
    both_ways(weir_blob, BYTES("17", 2), "\"3137\"");
    both_ways(weir_blob, BYTES("{\"base64\":1}", 12), "\"7b22626173653634223a317d\"");
    refused(weir_blob, "\"00F0\"", WEIR_UNREADABLE); /* one text for any bytes */
    refused(weir_blob, "\"0\"", WEIR_UNREADABLE);
    refused(weir_blob, "\"0g\"", WEIR_UNREADABLE);
    refused(weir_blob, "17", WEIR_UNREADABLE);
}
END_TEST

START_TEST(whole_numbers)
{
    both_ways(weir_int64, BYTES("\0\0\0\0\0\0\0\0", 8), "0");
    both_ways(weir_int64, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff", 8), "9223372036854775807");
    both_ways(weir_int64, BYTES("\x80\0\0\0\0\0\0\0", 8), "-9223372036854775808");
    unreadable(weir_int64, BYTES("\0\0\0\0\0\0\0", 7));
    unreadable(weir_int64, BYTES("\0\0\0\0\0\0\0\0\0", 9));
    unreadable(weir_int64, BYTES("", 0));
    refused(weir_int64, "9223372036854775808", WEIR_OVERFLOW);
    refused(weir_int64, "1.5", WEIR_UNREADABLE);
    refused(weir_int64, "\"1\"", WEIR_UNREADABLE);
    refused(weir_int64, "true", WEIR_UNREADABLE);
}
END_TEST

START_TEST(fractions)
{
    both_ways(weir_double, BYTES("\x3f\xb9\x99\x99\x99\x99\x99\x9a", 8), "0.1");
    both_ways(weir_double, BYTES("\xc0\x04\0\0\0\0\0\0", 8), "-2.5");
    as_base64(weir_double, BYTES("\x7f\xf8\0\0\0\0\0\0", 8), "{\"base64\":\"f/gAAAAAAAA=\"}"); /* NaN */
    as_base64(weir_double, BYTES("\x7f\xf0\0\0\0\0\0\0", 8), "{\"base64\":\"f/AAAAAAAAA=\"}"); /* infinity */
    unreadable(weir_double, BYTES("\0\0\0\0", 4));
    refused(weir_double, "\"0.1\"", WEIR_UNREADABLE);
    refused(weir_double, "1e999", WEIR_OVERFLOW);
}
END_TEST

START_TEST(windowed_keys)
{
    const struct weir_codec *minute = WINDOWED(weir_string, 60000), *ever = WINDOWED(weir_string, INT64_MAX);
    struct weir_bytes        bytes;

    both_ways(minute, BYTES("a\0\0\0\0\0\0\xea\x60", 9), "{\"key\":\"a\",\"start\":60000,\"end\":120000}");
    both_ways(minute, BYTES("\0\0\0\0\0\0\0\0", 8), "{\"key\":\"\",\"start\":0,\"end\":60000}");
    both_ways(ever, BYTES("a\0\0\0\0\0\0\0\x05", 9), "{\"key\":\"a\",\"start\":5,\"end\":9223372036854775807}");
    /* The end is the width's business: it may be left out. */
    ck_assert_int_eq(
        weir__bytes_parse("key", parse("{\"key\":\"a\",\"start\":60000}"), minute, &arena, &bytes, &error), WEIR_OK);
    ck_assert(weir__bytes_equal(bytes, BYTES("a\0\0\0\0\0\0\xea\x60", 9)));
    unreadable(minute, BYTES("\0\0\0\0\0\0\0", 7));
    refused(minute, "{\"key\":\"a\"}", WEIR_UNREADABLE);
    refused(minute, "{\"start\":1}", WEIR_UNREADABLE);
    refused(minute, "{\"key\":1,\"start\":1}", WEIR_UNREADABLE);
    refused(minute, "{\"key\":\"a\",\"start\":2,\"end\":1}", WEIR_UNREADABLE);
    refused(minute, "\"a\"", WEIR_UNREADABLE);
}
END_TEST

START_TEST(session_keys)
{
    const struct weir_codec *session = SESSIONED(weir_string);

    both_ways(session, BYTES("a\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x05", 17), "{\"key\":\"a\",\"start\":5,\"end\":9}");
    both_ways(session, BYTES("a\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x05", 17), "{\"key\":\"a\",\"start\":5,\"end\":5}");
    unreadable(session, BYTES("a\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x05", 17)); /* ends before it starts */
    unreadable(session, BYTES("\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0", 15));
    refused(session, "{\"key\":\"a\",\"start\":5}", WEIR_UNREADABLE); /* an end that nothing else tells */
}
END_TEST

START_TEST(windowed_numbers)
{
    const struct weir_codec *hour = WINDOWED(weir_int64, 3600000);

    both_ways(hour, BYTES("\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0", 16), "{\"key\":7,\"start\":0,\"end\":3600000}");
    unreadable(hour, BYTES("\0\0\0\x07\0\0\0\0\0\0\0\0", 12));
}
END_TEST

START_TEST(a_windowed_key_without_a_key_is_not_written)
{
    struct weir_windowed windowed = { .start = 1, .end = 2 };
    struct weir_bytes    bytes;

    ck_assert_int_eq(weir__encode(WINDOWED(weir_string, 1), &arena, &windowed, &bytes), WEIR_NULL_GIVEN);
    ck_assert_int_eq(weir__encode(SESSIONED(weir_string), &arena, &windowed, &bytes), WEIR_NULL_GIVEN);
}
END_TEST

START_TEST(null_is_null_and_empty_is_empty)
{
    const struct weir_codec *codecs[] = { weir_string, weir_blob, weir_int64, weir_double, WINDOWED(weir_string, 1) };

    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
        struct weir_bytes bytes = BYTES("x", 1);
        const void       *value = &bytes;

        ck_assert_int_eq(weir__decode(codecs[i], &arena, NO_BYTES, &value), WEIR_OK);
        ck_assert_ptr_null(value);
        ck_assert_int_eq(weir__encode(codecs[i], &arena, NULL, &bytes), WEIR_OK);
        ck_assert_ptr_null(bytes.data);
        ck_assert_str_eq(print_bytes(codecs[i], NO_BYTES), "null");
        ck_assert_int_eq(weir__bytes_parse("key", parse("null"), codecs[i], &arena, &bytes, &error), WEIR_OK);
        ck_assert_ptr_null(bytes.data);
    }
}
END_TEST

START_TEST(dead_letters_read_as_json)
{
    both_ways(weir__json_text, text_bytes("{\"a\":[1,2.50,true,null,\"x\\n\"],\"b\":{}}"),
              "{\"a\":[1,2.50,true,null,\"x\\n\"],\"b\":{}}");
    /* What would not come back as the same bytes is not shown as JSON. */
    as_base64(weir__json_text, text_bytes("{ }"), "{\"base64\":\"eyB9\"}");
    as_base64(weir__json_text, text_bytes("{"), "{\"base64\":\"ew==\"}");
    as_base64(weir__json_text, text_bytes(""), "{\"base64\":\"\"}");
    as_base64(weir__json_text, text_bytes("{\"base64\":\"eA==\"}"), "{\"base64\":\"eyJiYXNlNjQiOiJlQT09In0=\"}");
}
END_TEST

START_TEST(codecs_of_the_same_type)
{
    struct weir__buf buf = { 0 };

    ck_assert(weir__codec_same(WINDOWED(weir_string, 5), WINDOWED(weir_string, 5)));
    ck_assert(!weir__codec_same(WINDOWED(weir_string, 5), WINDOWED(weir_string, 6)));
    ck_assert(!weir__codec_same(WINDOWED(weir_string, 5), WINDOWED(weir_blob, 5)));
    ck_assert(!weir__codec_same(weir_string, weir_blob));
    ck_assert(!weir__codec_same(weir_string, NULL));
    ck_assert(weir__codec_same(NULL, NULL));
    weir__codec_describe(WINDOWED(weir_string, 60000), &buf);
    weir__buf_putc(&buf, ' ');
    weir__codec_describe(SESSIONED(weir_int64), &buf);
    weir__buf_putc(&buf, ' ');
    weir__codec_describe(NULL, &buf);
    weir__buf_putc(&buf, '\0');
    ck_assert_str_eq(buf.data, "windowed(string,60000) sessioned(int64) unknown");
    weir__buf_fini(&buf);
}
END_TEST

START_TEST(an_arena_at_its_ceiling)
{
    struct weir_arena small;
    struct weir_bytes bytes;
    const void       *value;
    int64_t           number = 1;

    weir__arena_init(&small, 16);
    ck_assert_ptr_nonnull(weir_arena_alloc(&small, 16));
    ck_assert_int_eq(weir__decode(weir_int64, &small, BYTES("\0\0\0\0\0\0\0\0", 8), &value), WEIR_LIMIT);
    ck_assert_int_eq(weir__encode(weir_int64, &small, &number, &bytes), WEIR_LIMIT);
    weir__arena_fini(&small);
}
END_TEST

/* ---- base64 ---- */

START_TEST(base64_of_rfc_4648)
{
    static const char *const pairs[][2] = { { "", "" },
                                            { "f", "Zg==" },
                                            { "fo", "Zm8=" },
                                            { "foo", "Zm9v" },
                                            { "foob", "Zm9vYg==" },
                                            { "fooba", "Zm9vYmE=" },
                                            { "foobar", "Zm9vYmFy" } };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct weir__buf  buf = { 0 };
        struct weir_bytes back;

        weir__base64_encode(text_bytes(pairs[i][0]), &buf);
        ck_assert(weir__bytes_equal(BYTES(buf.data, buf.size), text_bytes(pairs[i][1])));
        ck_assert_int_eq(weir__base64_decode((struct weir_text){ buf.data, buf.size }, &arena, &back), WEIR_OK);
        ck_assert(weir__bytes_equal(back, text_bytes(pairs[i][0])));
        ck_assert_ptr_nonnull(back.data); /* empty is no null */
        weir__buf_fini(&buf);
    }
}
END_TEST

START_TEST(base64_of_all_bytes)
{
    unsigned char all[256];

    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (unsigned char)i;
    for (size_t size = 0; size <= sizeof(all); size++) {
        struct weir__buf  buf = { 0 };
        struct weir_bytes back;

        weir__base64_encode(BYTES(all, size), &buf);
        ck_assert_int_eq(weir__base64_decode((struct weir_text){ buf.data, buf.size }, &arena, &back), WEIR_OK);
        ck_assert(weir__bytes_equal(back, BYTES(all, size)));
        weir__buf_fini(&buf);
    }
}
END_TEST

START_TEST(what_is_no_base64)
{
    static const char *const bad[] = { "Z",
                                       "Zg",
                                       "Zg=",
                                       "Zg=a",
                                       "====",
                                       "Z===",
                                       "Zm9v!",
                                       "Zm 9",
                                       "Zm9\n",
                                       "Zh==",
                                       /* bits that belong to no byte */ "Zm9=",
                                       "Zg==Zg==",
                                       "Zm9vZm9-" };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct weir_bytes bytes;

        ck_assert_msg(weir__base64_decode((struct weir_text){ bad[i], strlen(bad[i]) }, &arena, &bytes) ==
                          WEIR_UNREADABLE,
                      "\"%s\" was taken", bad[i]);
    }
}
END_TEST

/* ---- packing ---- */

static const struct weir_header headers[] = { { .name = "trace", .value = { .data = "17", .size = 2 } },
                                              { .name = "", .value = { .data = NULL } },
                                              { .name = "empty", .value = { .data = "", .size = 0 } } };

static void same_record(const struct weir__raw *a, const struct weir__raw *b)
{
    ck_assert_int_eq(a->timestamp, b->timestamp);
    ck_assert_int_eq(a->key.data == NULL, b->key.data == NULL);
    ck_assert(weir__bytes_equal(a->key, b->key));
    ck_assert_int_eq(a->value.data == NULL, b->value.data == NULL);
    ck_assert(weir__bytes_equal(a->value, b->value));
    ck_assert_uint_eq(a->header_count, b->header_count);
    for (size_t i = 0; i < a->header_count; i++) {
        ck_assert_str_eq(a->headers[i].name, b->headers[i].name);
        ck_assert_int_eq(a->headers[i].value.data == NULL, b->headers[i].value.data == NULL);
        ck_assert(weir__bytes_equal(a->headers[i].value, b->headers[i].value));
    }
}

static const struct weir__raw records[] = {
    { .timestamp = INT64_MIN },
    { .timestamp = 5, .key = { .data = "", .size = 0 } },
    { .timestamp = 5, .key = { .data = "k", .size = 1 }, .value = { .data = "", .size = 0 } },
    { .timestamp = INT64_MAX,
      .key = { .data = "k\0k", .size = 3 },
      .value = { .data = "value", .size = 5 },
      .headers = headers,
      .header_count = ARRAY_SIZE(headers) },
};

START_TEST(packed_and_unpacked)
{
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        struct weir__buf buf = { 0 };
        struct weir__raw back;

        ck_assert_int_eq(weir__raw_pack(&records[i], &buf), WEIR_OK);
        ck_assert_int_eq(weir__raw_unpack(BYTES(buf.data, buf.size), &arena, &back), WEIR_OK);
        same_record(&records[i], &back);
        weir__buf_fini(&buf);
    }
}
END_TEST

START_TEST(bytes_that_were_cut_or_added_to_are_corrupt)
{
    struct weir__buf buf = { 0 };
    struct weir__raw back;

    ck_assert_int_eq(weir__raw_pack(&records[3], &buf), WEIR_OK);
    for (size_t size = 0; size < buf.size; size++) {
        char *exact = malloc(size + 1); /* nothing may be read past it */

        memcpy(exact, buf.data, size);
        ck_assert_int_eq(weir__raw_unpack(BYTES(exact, size), &arena, &back), WEIR_CORRUPT);
        free(exact);
    }
    weir__buf_putc(&buf, 'x');
    ck_assert_int_eq(weir__raw_unpack(BYTES(buf.data, buf.size), &arena, &back), WEIR_CORRUPT);
    ck_assert_int_eq(weir__raw_unpack(NO_BYTES, &arena, &back), WEIR_CORRUPT);
    weir__buf_fini(&buf);
}
END_TEST

/* Whatever the bytes say, they are refused or read; the memory taken is in proportion to them. */
START_TEST(any_bytes_may_be_unpacked)
{
    struct weir__buf buf = { 0 };
    struct weir__raw back;
    unsigned         seed = 7;

    ck_assert_int_eq(weir__raw_pack(&records[3], &buf), WEIR_OK);
    for (int i = 0; i < 20000; i++) {
        size_t at = (size_t)rand_r(&seed) % buf.size;
        char   was = buf.data[at];
        int    err;

        buf.data[at] = (char)rand_r(&seed);
        weir__arena_reset(&arena);
        err = weir__raw_unpack(BYTES(buf.data, buf.size), &arena, &back);
        ck_assert_msg(err == WEIR_OK || err == WEIR_CORRUPT, "%s", weir_code_name(err));
        ck_assert_uint_lt(arena.used, 64 * buf.size);
        buf.data[at] = was;
    }
    weir__buf_fini(&buf);
}
END_TEST

START_TEST(copied_whole)
{
    struct weir__raw raw = records[3], copy;
    char             topic[] = "ticks", key[] = "key";

    raw.topic = topic;
    raw.partition = 3;
    raw.offset = 9;
    raw.key = BYTES(key, 3);
    ck_assert_int_eq(weir__raw_copy(&raw, &arena, &copy), WEIR_OK);
    topic[0] = key[0] = '?';
    ck_assert_str_eq(copy.topic, "ticks");
    ck_assert(weir__bytes_equal(copy.key, text_bytes("key")));
    ck_assert_int_eq(copy.partition, 3);
    ck_assert_int_eq(copy.offset, 9);
    raw.key = copy.key;
    same_record(&raw, &copy);
}
END_TEST

START_TEST(no_memory_packs_nothing)
{
    struct weir__buf buf = { 0 };

    weir__buf_puts(&buf, "before");
    weir__buf_room(&buf, 8); /* room for the timestamp only */
    while (buf.capacity - buf.size >= 16)
        weir__buf_putc(&buf, '.');
    size_t before = buf.size;
    weir__fail_allocation(1);
    ck_assert_int_eq(weir__raw_pack(&records[3], &buf), WEIR_NO_MEMORY);
    weir__fail_allocation(0);
    ck_assert_uint_eq(buf.size, before);
    weir__buf_fini(&buf);
}
END_TEST

/* ---- records as text ---- */

START_TEST(a_record_on_one_line)
{
    struct weir__raw raw = records[3], back;
    const char      *line =
        "{\"topic\":\"ticks\",\"partition\":2,\"offset\":7,\"key\":\"k\",\"timestamp\":5,"
        "\"headers\":[[\"trace\",\"MTc=\"],[\"\",null],[\"empty\",\"\"]],\"value\":{\"base64\":\"dmFsdWU=\"}}";

    raw.topic = "ticks";
    raw.partition = 2;
    raw.offset = 7;
    raw.timestamp = 5;
    raw.key = BYTES("k", 1);
    ck_assert_int_eq(weir__raw_print(&raw, weir_string, weir_int64, &arena, &json), WEIR_OK);
    ck_assert_str_eq(printed(), line);
    ck_assert_int_eq(weir__raw_parse(parse(line), weir_string, weir_int64, &arena, 99, &back, &error), WEIR_OK);
    same_record(&raw, &back);
}
END_TEST

START_TEST(a_codec_without_words)
{
    struct weir_codec        mute = *weir_int64;
    const struct weir_codec *windowed = WINDOWED(&mute, 60000);
    struct weir_bytes        bytes = BYTES("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2", 16);

    mute.print = NULL;
    mute.parse = NULL;
    as_base64(&mute, BYTES(bytes.data, 8), "{\"base64\":\"AAAAAAAAAAE=\"}");
    refused(&mute, "1", WEIR_UNREADABLE);
    as_base64(windowed, bytes, "{\"base64\":\"AAAAAAAAAAEAAAAAAAAAAg==\"}");
    refused(windowed, "{\"key\":1,\"start\":2}", WEIR_UNREADABLE);
}
END_TEST

START_TEST(what_a_line_may_leave_out)
{
    struct weir__raw raw;

    ck_assert_int_eq(weir__raw_parse(parse("{\"value\":3,\"more\":[]}"), NULL, weir_int64, &arena, 99, &raw, &error),
                     WEIR_OK);
    ck_assert_int_eq(raw.timestamp, 99);
    ck_assert_ptr_null(raw.key.data);
    ck_assert_uint_eq(raw.header_count, 0);
    ck_assert(weir__bytes_equal(raw.value, BYTES("\0\0\0\0\0\0\0\x03", 8)));
}
END_TEST

static void bad_line(const char *text, const char *where)
{
    struct weir__raw raw;

    ck_assert_msg(weir__raw_parse(parse(text), weir_string, NULL, &arena, 99, &raw, &error) == WEIR_UNREADABLE,
                  "%s was taken", text);
    ck_assert_str_eq(error.where, where);
}

START_TEST(lines_that_are_no_records)
{
    bad_line("[]", "record");
    bad_line("{\"timestamp\":1.5}", "timestamp");
    bad_line("{\"timestamp\":null}", "timestamp");
    bad_line("{\"key\":1}", "key");
    bad_line("{\"key\":{\"base64\":\"?\"}}", "key");
    bad_line("{\"value\":1}", "value"); /* of which no codec is known */
    bad_line("{\"headers\":{}}", "headers");
    bad_line("{\"headers\":[[\"a\"]]}", "headers");
    bad_line("{\"headers\":[[\"a\",\"MTc=\",1]]}", "headers");
    bad_line("{\"headers\":[[\"a\\u0000b\",null]]}", "headers");
    bad_line("{\"headers\":[[\"a\",\"?\"]]}", "headers");
}
END_TEST

START_TEST(the_shape_of_dead_letters)
{
    struct weir__raw         source = records[3];
    struct weir__dead_letter letter = { .source = &source,
                                        .topology = "bars",
                                        .node = "minute",
                                        .code = "too_late",
                                        .message = "it is \"late\"",
                                        .tenant = { .data = "acme", .size = 4 },
                                        .attempts = 2,
                                        .first_failed = 10,
                                        .last_failed = 20 };

    source.topic = "ticks";
    source.partition = 1;
    source.offset = 42;
    source.timestamp = 5;
    source.key = NO_BYTES;
    ck_assert_int_eq(weir__dead_letter_print(&letter, &json), WEIR_OK);
    ck_assert_str_eq(printed(),
                     "{\"source_topic\":\"ticks\",\"partition\":1,\"offset\":42,\"timestamp\":5,\"key_base64\":null,"
                     "\"value_base64\":\"dmFsdWU=\",\"headers\":[[\"trace\",\"MTc=\"],[\"\",null],[\"empty\",\"\"]],"
                     "\"stage\":\"bars/minute\",\"code\":\"too_late\",\"message\":\"it is \\\"late\\\"\","
                     "\"attempts\":2,\"tenant\":\"acme\",\"first_failed\":10,\"last_failed\":20}");
}
END_TEST

START_TEST(every_failed_allocation_is_told)
{
    struct weir__raw         source = { .topic = "ticks", .value = { .data = "value", .size = 5 } };
    struct weir__dead_letter letter = {
        .source = &source, .topology = "t", .node = "n", .code = "c", .message = "m"
    };
    int err = WEIR_NO_MEMORY;

    for (uint64_t n = 1; err == WEIR_NO_MEMORY; n++) {
        weir__json_out_fini(&json);
        weir__fail_allocation(n);
        err = weir__dead_letter_print(&letter, &json);
        ck_assert_msg(weir__fail_allocation(0) == 0 || err == WEIR_OK, "allocation %d", (int)n);
    }
    ck_assert_int_eq(err, WEIR_OK);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        texts,
        blobs,
        whole_numbers,
        fractions,
        windowed_keys,
        session_keys,
        windowed_numbers,
        a_windowed_key_without_a_key_is_not_written,
        null_is_null_and_empty_is_empty,
        dead_letters_read_as_json,
        codecs_of_the_same_type,
        an_arena_at_its_ceiling,
        base64_of_rfc_4648,
        base64_of_all_bytes,
        what_is_no_base64,
        packed_and_unpacked,
        bytes_that_were_cut_or_added_to_are_corrupt,
        any_bytes_may_be_unpacked,
        copied_whole,
        no_memory_packs_nothing,
        a_record_on_one_line,
        a_codec_without_words,
        what_a_line_may_leave_out,
        lines_that_are_no_records,
        the_shape_of_dead_letters,
        every_failed_allocation_is_told,
    };
    Suite *suite = suite_create("record");
    TCase *tcase = tcase_create("record");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, begin, end);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(tcase, tests[i]);
    return run_suite(suite);
}
