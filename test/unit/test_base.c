/* test_base.c: memory, arenas, buffers, bytes, hashes, maps, names and numbers. */
#include "framework/base/base.h"
#include "test/run.h"

#include <check.h>
#include <stdlib.h>

#define TEXT(t) BYTES(t, strlen(t))

/* ---- errors ---- */

START_TEST(codes_have_name_text_and_scope)
{
    ck_assert_str_eq(weir_code_name(WEIR_BAD_TIME), "WEIR_BAD_TIME");
    ck_assert_str_eq(weir_code_text(WEIR_OK), "success");
    ck_assert_int_eq(weir_code_scope(WEIR_BAD_TIME), WEIR_SCOPE_RECORD);
    ck_assert_int_eq(weir_code_scope(WEIR_AGAIN), WEIR_SCOPE_RETRIABLE);
    ck_assert_int_eq(weir_code_scope(WEIR_FENCED), WEIR_SCOPE_TASK);
    ck_assert_int_eq(weir_code_scope(-9999), WEIR_SCOPE_FATAL);
    ck_assert_ptr_nonnull(weir_code_name(-9999));
}
END_TEST

START_TEST(fail_fills_the_error_and_may_wrap_its_own_words)
{
    struct weir_error err = { 0 };

    ck_assert_int_eq(weir__fail(NULL, WEIR_IO, "here", "text"), WEIR_IO);
    ck_assert_int_eq(weir__fail(&err, WEIR_IO, "here", "%d apples", 3), WEIR_IO);
    ck_assert_int_eq(weir__fail(&err, WEIR_BUSY, err.where, "store: %s", err.text), WEIR_BUSY);
    ck_assert_int_eq(err.code, WEIR_BUSY);
    ck_assert_str_eq(err.where, "here");
    ck_assert_str_eq(err.text, "store: 3 apples");
}
END_TEST

START_TEST(fail_cuts_long_words)
{
    struct weir_error err;
    char              text[2000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    weir__fail(&err, WEIR_IO, text, "%s", text);
    ck_assert_uint_eq(strlen(err.where), sizeof(err.where) - 1);
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
}
END_TEST

/* ---- memory ---- */

START_TEST(the_nth_allocation_fails_once)
{
    void *first, *third;

    weir__fail_allocation(2);
    first = weir__alloc(1);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(weir__zalloc(1));
    third = weir__strdup("again");
    ck_assert_ptr_nonnull(third);
    weir__free(first);
    weir__free(third);
}
END_TEST

START_TEST(nothing_is_allocated_as_something)
{
    void *empty = weir__memdup(NULL, 0);

    ck_assert_ptr_nonnull(empty);
    weir__free(empty);
    weir__free(NULL);
}
END_TEST

START_TEST(grow_keeps_items_and_survives_failure)
{
    int   *numbers = NULL;
    size_t capacity = 0, before;

    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(GROW(numbers, capacity, (size_t)i), WEIR_OK);
        numbers[i] = i;
    }
    before = capacity;
    weir__fail_allocation(1);
    ck_assert_int_eq(GROW(numbers, capacity, capacity), WEIR_NO_MEMORY);
    ck_assert_uint_eq(capacity, before);
    ck_assert_int_eq(numbers[99], 99);
    weir__free(numbers);
}
END_TEST

/* ---- arenas ---- */

START_TEST(arena_memory_is_aligned_and_apart)
{
    struct weir_arena arena;
    unsigned char    *pieces[500];

    weir__arena_init(&arena, 0);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
            pieces[i] = weir__arena_take(&arena, i * 7);
            ck_assert_ptr_nonnull(pieces[i]);
            ck_assert_uint_eq((uintptr_t)pieces[i] % 16, 0);
            memset(pieces[i], (int)(i & 0xff), i * 7);
        }
        for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
            for (size_t j = 0; j < i * 7; j++)
                ck_assert_uint_eq(pieces[i][j], i & 0xff);
        weir__arena_reset(&arena);
        ck_assert_uint_eq(arena.used, 0);
    }
    weir__arena_fini(&arena);
}
END_TEST

START_TEST(arena_alloc_zeroes_used_memory)
{
    struct weir_arena arena;
    unsigned char    *memory;

    weir__arena_init(&arena, 0);
    memory = weir_arena_alloc(&arena, 100);
    memset(memory, 0xff, 100);
    weir__arena_reset(&arena);
    memory = weir_arena_alloc(&arena, 100);
    for (size_t i = 0; i < 100; i++)
        ck_assert_uint_eq(memory[i], 0);
    weir__arena_fini(&arena);
}
END_TEST

START_TEST(arena_stops_at_its_ceiling)
{
    struct weir_arena arena;
    size_t            taken = 0;

    weir__arena_init(&arena, 100000);
    for (int round = 0; round < 2; round++) {
        for (taken = 0; weir__arena_take(&arena, 16); taken += 16)
            ck_assert_uint_le(taken, 100000);
        ck_assert_uint_eq(taken, 100000);
        ck_assert_uint_eq(arena.used, 100000);
        weir__arena_reset(&arena);
    }
    ck_assert_ptr_null(weir__arena_take(&arena, 100001));
    ck_assert_ptr_null(weir__arena_take(&arena, SIZE_MAX));
    ck_assert_ptr_null(weir__arena_take(&arena, SIZE_MAX - 15));
    ck_assert_ptr_nonnull(weir__arena_take(&arena, 100000));
    ck_assert_ptr_null(weir__arena_take(&arena, 1));
    weir__arena_fini(&arena);
}
END_TEST

START_TEST(big_requests_count_toward_the_ceiling)
{
    struct weir_arena arena;

    weir__arena_init(&arena, 1 << 20);
    ck_assert_ptr_nonnull(weir__arena_take(&arena, 16));
    ck_assert_ptr_nonnull(weir__arena_take(&arena, (1 << 20) - 64));
    ck_assert_ptr_nonnull(weir__arena_take(&arena, 48));
    ck_assert_ptr_null(weir__arena_take(&arena, 1));
    weir__arena_fini(&arena);
}
END_TEST

START_TEST(big_requests_leave_the_current_chunk_in_use)
{
    struct weir_arena arena;
    char             *before, *after;

    weir__arena_init(&arena, 0);
    before = weir__arena_take(&arena, 16);
    ck_assert_ptr_nonnull(weir__arena_take(&arena, 2 << 20));
    after = weir__arena_take(&arena, 16);
    ck_assert_ptr_eq(after, before + 16);
    weir__arena_fini(&arena);
}
END_TEST

/* What one reset after another allocates: counted by ordering a failure. */
START_TEST(reset_keeps_small_chunks_and_gives_big_ones_back)
{
    struct weir_arena arena;

    weir__arena_init(&arena, 0);
    for (int i = 0; i < 100; i++)
        ck_assert_ptr_nonnull(weir__arena_take(&arena, 1000));
    ck_assert_ptr_nonnull(weir__arena_take(&arena, 100 << 20));
    weir__arena_reset(&arena);
    weir__fail_allocation(1);
    ck_assert_ptr_null(weir__arena_take(&arena, 100 << 20));
    weir__fail_allocation(1);
    for (int i = 0; i < 100; i++)
        ck_assert_ptr_nonnull(weir__arena_take(&arena, 1000));
    weir__fail_allocation(0);
    weir__arena_fini(&arena);
}
END_TEST

START_TEST(arena_survives_a_failed_allocation)
{
    struct weir_arena arena;

    weir__arena_init(&arena, 0);
    weir__fail_allocation(1);
    ck_assert_ptr_null(weir__arena_take(&arena, 10));
    ck_assert_ptr_nonnull(weir__arena_take(&arena, 10));
    weir__arena_fini(&arena);
    weir__arena_reset(&arena);
    weir__arena_fini(&arena);
}
END_TEST

START_TEST(arena_copies_and_prints)
{
    struct weir_arena arena;
    char             *text;

    weir__arena_init(&arena, 0);
    ck_assert_ptr_nonnull(weir__arena_copy(&arena, NULL, 0));
    ck_assert_mem_eq(weir__arena_copy(&arena, "abc", 3), "abc", 3);
    text = weir__arena_printf(&arena, "%s-%05d", "n", 42);
    ck_assert_str_eq(text, "n-00042");
    weir__arena_fini(&arena);
}
END_TEST

/* ---- buffers and bytes ---- */

START_TEST(buffer_grows_and_takes_numbers_big_endian)
{
    AUTO(weir__buf_fini) struct weir__buf buf = { 0 };

    weir__buf_puts(&buf, "ab");
    weir__buf_putc(&buf, 'c');
    weir__buf_printf(&buf, "%0200d", 7);
    weir__buf_be32(&buf, 0x01020304);
    weir__buf_be64(&buf, 0x0102030405060708);
    ck_assert(weir__buf_ok(&buf));
    ck_assert_uint_eq(buf.size, 3 + 200 + 12);
    ck_assert_mem_eq(buf.data, "abc000", 6);
    ck_assert_mem_eq(buf.data + 203, "\1\2\3\4\1\2\3\4\5\6\7\10", 12);
    ck_assert_uint_eq(weir__get_be64(buf.data + 207), 0x0102030405060708);
}
END_TEST

START_TEST(buffer_remembers_a_failed_growth)
{
    AUTO(weir__buf_fini) struct weir__buf buf = { 0 };

    weir__buf_puts(&buf, "kept");
    weir__fail_allocation(1);
    weir__buf_printf(&buf, "%01000d", 1);
    weir__buf_puts(&buf, "x");
    ck_assert(!weir__buf_ok(&buf));
    ck_assert_uint_eq(buf.size, 4);
    ck_assert(!weir__buf_room(&buf, 1));
    weir__buf_reset(&buf);
    ck_assert(weir__buf_room(&buf, 100));
    ck_assert(!weir__buf_room(&buf, SIZE_MAX));
}
END_TEST

START_TEST(bytes_compare_unsigned_with_prefixes_first)
{
    ck_assert_int_lt(weir__bytes_compare(TEXT("a"), TEXT("b")), 0);
    ck_assert_int_gt(weir__bytes_compare(TEXT("\xff"), TEXT("a")), 0);
    ck_assert_int_lt(weir__bytes_compare(TEXT("ab"), TEXT("abc")), 0);
    ck_assert_int_gt(weir__bytes_compare(TEXT("b"), TEXT("abc")), 0);
    ck_assert_int_eq(weir__bytes_compare(NO_BYTES, TEXT("")), 0);
    ck_assert(weir__bytes_equal(TEXT("ab"), TEXT("ab")));
    ck_assert(!weir__bytes_equal(TEXT("ab"), TEXT("ac")));
    ck_assert(!weir__bytes_equal(TEXT("ab"), TEXT("a")));
    ck_assert(weir__bytes_starts(TEXT("abc"), TEXT("ab")));
    ck_assert(weir__bytes_starts(TEXT("abc"), NO_BYTES));
    ck_assert(!weir__bytes_starts(TEXT("a"), TEXT("ab")));
}
END_TEST

START_TEST(utf8_is_taken_strictly)
{
    static const char *const wrong[] = { "\x80",         "\xc0\x80",         "\xc3",         "\xc3(", "\xe0\x80\x80",
                                         "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x80\x80", "\xff" };
    uint32_t                 c;

    ck_assert_uint_eq(weir__utf8_take(TEXT("a\xc3"), &c), 1);
    ck_assert_uint_eq(weir__utf8_take(TEXT("\xc3\xa9x"), &c), 2);
    ck_assert_uint_eq(c, 0xe9);
    ck_assert_uint_eq(weir__utf8_take(TEXT("\xe2\x82\xac"), &c), 3);
    ck_assert_uint_eq(c, 0x20ac);
    ck_assert_uint_eq(weir__utf8_take(TEXT("\xf0\x9f\x98\x80"), &c), 4);
    ck_assert_uint_eq(c, 0x1f600);
    ck_assert_uint_eq(weir__utf8_take(NO_BYTES, &c), 0);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        ck_assert_uint_eq(weir__utf8_take(TEXT(wrong[i]), &c), 0);
}
END_TEST

/* ---- hashes ---- */

START_TEST(murmur2_is_kafkas)
{
    static const struct {
        const char *key;
        int32_t     hash;
    } facts[] = {
        { "21", -973932308 },
        { "foobar", -790332482 },
        { "a-little-bit-long-string", -985981536 },
        { "a-little-bit-longer-string", -1486304829 },
        { "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 },
        { "abc", 479470107 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        uint32_t hash = (uint32_t)facts[i].hash;

        ck_assert_uint_eq(weir__murmur2(TEXT(facts[i].key)), hash);
        ck_assert_int_eq(weir__partition_of(TEXT(facts[i].key), 12), (int32_t)((hash & 0x7fffffff) % 12));
    }
    ck_assert_int_eq(weir__partition_of(NO_BYTES, 1), 0);
}
END_TEST

START_TEST(hash_depends_on_all_bytes)
{
    ck_assert_uint_eq(weir__hash(TEXT("abc")), weir__hash(TEXT("abc")));
    ck_assert_uint_ne(weir__hash(TEXT("abc")), weir__hash(TEXT("abd")));
    ck_assert_uint_eq(weir__hash(NO_BYTES), weir__hash(TEXT("")));
}
END_TEST

/* ---- maps ---- */

static char names[5000][8];

static void name_all(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        snprintf(names[i], sizeof(names[i]), "k%zu", i);
}

START_TEST(map_finds_what_was_put_and_not_removed)
{
    struct weir__map map = { 0 };

    name_all();
    ck_assert_ptr_null(weir__map_get(&map, TEXT("k1")));
    ck_assert_ptr_null(weir__map_remove(&map, TEXT("k1")));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        ck_assert_int_eq(weir__map_put(&map, TEXT(names[i]), names[i]), WEIR_OK);
    for (size_t i = 0; i < ARRAY_SIZE(names); i += 2)
        ck_assert_ptr_eq(weir__map_remove(&map, TEXT(names[i])), names[i]);
    ck_assert_uint_eq(map.count, ARRAY_SIZE(names) / 2);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        ck_assert_ptr_eq(weir__map_get(&map, TEXT(names[i])), i % 2 ? names[i] : NULL);
    weir__map_clear(&map);
    ck_assert_uint_eq(map.count, 0);
    ck_assert_ptr_null(weir__map_get(&map, TEXT("k1")));
    weir__map_fini(&map);
}
END_TEST

START_TEST(map_stays_small_when_keys_come_and_go)
{
    struct weir__map map = { 0 };

    name_all();
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            ck_assert_int_eq(weir__map_put(&map, TEXT(names[i]), names[i]), WEIR_OK);
            if (i >= 10)
                ck_assert_ptr_eq(weir__map_remove(&map, TEXT(names[i - 10])), names[i - 10]);
        }
        weir__map_clear(&map);
    }
    ck_assert_uint_le(map.capacity, 64);
    weir__map_fini(&map);
}
END_TEST

START_TEST(map_put_replaces_key_and_value)
{
    struct weir__map map = { 0 };
    char             old[] = "key", fresh[] = "key";
    size_t           at = 0;

    ck_assert_int_eq(weir__map_put(&map, TEXT(old), old), WEIR_OK);
    ck_assert_int_eq(weir__map_put(&map, TEXT(fresh), fresh), WEIR_OK);
    old[0] = '?';
    ck_assert_uint_eq(map.count, 1);
    ck_assert_ptr_eq(weir__map_get(&map, TEXT("key")), fresh);
    ck_assert_ptr_eq(weir__map_next(&map, &at)->key.data, fresh);
    weir__map_fini(&map);
}
END_TEST

START_TEST(map_iterates_while_entries_are_removed)
{
    struct weir__map       map = { 0 };
    struct weir__map_slot *slot;
    size_t                 seen = 0;

    name_all();
    for (size_t i = 0; i < 1000; i++)
        ck_assert_int_eq(weir__map_put(&map, TEXT(names[i]), names[i]), WEIR_OK);
    for (size_t i = 0; (slot = weir__map_next(&map, &i)); seen++)
        ck_assert_ptr_nonnull(weir__map_remove(&map, slot->key));
    ck_assert_uint_eq(seen, 1000);
    ck_assert_uint_eq(map.count, 0);
    weir__map_fini(&map);
}
END_TEST

START_TEST(map_survives_a_failed_growth)
{
    struct weir__map map = { 0 };
    size_t           i = 0;

    name_all();
    weir__fail_allocation(2);
    while (weir__map_put(&map, TEXT(names[i]), names[i]) == WEIR_OK)
        i++;
    ck_assert_uint_eq(map.count, i);
    ck_assert_int_eq(weir__map_put(&map, TEXT(names[i]), names[i]), WEIR_OK);
    for (size_t j = 0; j <= i; j++)
        ck_assert_ptr_eq(weir__map_get(&map, TEXT(names[j])), names[j]);
    weir__map_fini(&map);
}
END_TEST

/* ---- clocks ---- */

START_TEST(clocks_tell_plausible_times)
{
    int64_t before = weir__monotonic_us(), cpu = weir__cpu_us();

    ck_assert_int_gt(weir__wall_ms(), INT64_C(1600000000000));
    ck_assert_int_ge(weir__monotonic_us(), before);
    ck_assert_int_ge(weir__cpu_us(), cpu);
}
END_TEST

/* ---- names and numbers ---- */

START_TEST(suggests_what_was_meant_or_nothing)
{
    static const char *const words[] = { "commit.interval.ms", "state.dir", "threads", "size" };

    ck_assert_str_eq(weir__suggest("szie", words, 4), "size");
    ck_assert_str_eq(weir__suggest("comit.interval.ms", words, 3), "commit.interval.ms");
    ck_assert_str_eq(weir__suggest("COMMIT.INTERVAL", words, 3), "commit.interval.ms");
    ck_assert_str_eq(weir__suggest("thraeds", words, 3), "threads");
    ck_assert_ptr_null(weir__suggest("bootstrap.servers", words, 3));
    ck_assert_ptr_null(weir__suggest("", words, 3));
    ck_assert_ptr_null(weir__suggest("x", NULL, 0));
}
END_TEST

START_TEST(suggests_nothing_for_very_long_words)
{
    static const char *const words[] = { "threads" };
    char                     word[5000];

    memset(word, 't', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    ck_assert_ptr_null(weir__suggest(word, words, 1));
}
END_TEST

START_TEST(names_are_legal_by_kafkas_rule)
{
    char name[251] = "";

    ck_assert(weir__legal_name("a.B_c-9"));
    ck_assert(!weir__legal_name(""));
    ck_assert(!weir__legal_name("."));
    ck_assert(!weir__legal_name(".."));
    ck_assert(weir__legal_name("..."));
    ck_assert(!weir__legal_name("a b"));
    ck_assert(!weir__legal_name("\xc3\xa9"));
    memset(name, 'a', 249);
    ck_assert(weir__legal_name(name));
    name[249] = 'a';
    ck_assert(!weir__legal_name(name));
}
END_TEST

static int64_t duration(const char *text)
{
    int64_t value = -77;

    ck_assert(weir__parse_duration(text, &value) == WEIR_OK || value == -77);
    return value;
}

static int64_t size(const char *text)
{
    int64_t value = -77;

    ck_assert(weir__parse_size(text, &value) == WEIR_OK || value == -77);
    return value;
}

START_TEST(durations_and_sizes_have_units)
{
    static const char *const wrong[] = { "",
                                         "ms",
                                         "5 s",
                                         "5x",
                                         "1.5",
                                         "1.s",
                                         ".5s",
                                         "-1.5s",
                                         "1.0005s",
                                         "1.5.5s",
                                         "1.5 s",
                                         "0.99999999999999999999s",
                                         "5ss",
                                         "+5",
                                         "--1",
                                         "99999999999999999999",
                                         "9223372036854775807d" };

    ck_assert_int_eq(duration("100"), 100);
    ck_assert_int_eq(duration("250ms"), 250);
    ck_assert_int_eq(duration("5s"), 5000);
    ck_assert_int_eq(duration("10m"), 600000);
    ck_assert_int_eq(duration("2h"), 7200000);
    ck_assert_int_eq(duration("7d"), 604800000);
    ck_assert_int_eq(duration("-1"), -1);
    ck_assert_int_eq(duration("1.5s"), 1500);
    ck_assert_int_eq(duration("0.250s"), 250);
    ck_assert_int_eq(duration("2.0"), 2);
    ck_assert_int_eq(duration("0.5h"), 1800000);
    ck_assert_int_eq(size("1.5k"), 1536);
    ck_assert_int_eq(size("100"), 100);
    ck_assert_int_eq(size("64k"), 65536);
    ck_assert_int_eq(size("16M"), 16 << 20);
    ck_assert_int_eq(size("2g"), INT64_C(2) << 30);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        ck_assert_int_eq(duration(wrong[i]), -77);
        ck_assert_int_eq(size(wrong[i]), -77);
    }
}
END_TEST

START_TEST(integers_are_whole_texts)
{
    int64_t value = 0;

    ck_assert_int_eq(weir__parse_int64("-9223372036854775808", &value), WEIR_OK);
    ck_assert(value == INT64_MIN);
    ck_assert_int_eq(weir__parse_int64("9223372036854775807", &value), WEIR_OK);
    ck_assert(value == INT64_MAX);
    ck_assert_int_eq(weir__parse_int64("9223372036854775808", &value), WEIR_OVERFLOW);
    ck_assert_int_eq(weir__parse_int64("1x", &value), WEIR_BAD_ARGUMENT);
    ck_assert_int_eq(weir__parse_int64("-", &value), WEIR_BAD_ARGUMENT);
    ck_assert_int_eq(weir__parse_int64(" 1", &value), WEIR_BAD_ARGUMENT);
    ck_assert(value == INT64_MAX);
}
END_TEST

int main(void)
{
    const TTest *const all_tests[] = {
        codes_have_name_text_and_scope,
        fail_fills_the_error_and_may_wrap_its_own_words,
        fail_cuts_long_words,
        the_nth_allocation_fails_once,
        nothing_is_allocated_as_something,
        grow_keeps_items_and_survives_failure,
        arena_memory_is_aligned_and_apart,
        arena_alloc_zeroes_used_memory,
        arena_stops_at_its_ceiling,
        big_requests_count_toward_the_ceiling,
        big_requests_leave_the_current_chunk_in_use,
        reset_keeps_small_chunks_and_gives_big_ones_back,
        arena_survives_a_failed_allocation,
        arena_copies_and_prints,
        buffer_grows_and_takes_numbers_big_endian,
        buffer_remembers_a_failed_growth,
        bytes_compare_unsigned_with_prefixes_first,
        utf8_is_taken_strictly,
        murmur2_is_kafkas,
        hash_depends_on_all_bytes,
        map_finds_what_was_put_and_not_removed,
        map_stays_small_when_keys_come_and_go,
        map_put_replaces_key_and_value,
        map_iterates_while_entries_are_removed,
        map_survives_a_failed_growth,
        clocks_tell_plausible_times,
        suggests_what_was_meant_or_nothing,
        suggests_nothing_for_very_long_words,
        names_are_legal_by_kafkas_rule,
        durations_and_sizes_have_units,
        integers_are_whole_texts,
    };
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("base");

    for (size_t i = 0; i < ARRAY_SIZE(all_tests); i++)
        tcase_add_test(tcase, all_tests[i]);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
