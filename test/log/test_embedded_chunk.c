/* test_embedded_chunk.c: chunks give back what they were given, and any bytes at all do no harm. */
#include <check.h>
#include <stdlib.h>

#include "statestores/embedded_chunk.h"
#include "test/log/suite.h"

static struct chunk chunk;

static void add(int32_t step, const char *value, int64_t timestamp)
{
    struct weir__raw raw = { .timestamp = timestamp, .key = { "k", 1 }, .value = bytes_of(value) };

    ck_assert_int_eq(weir__chunk_add(&chunk, step, &raw), WEIR_OK);
}

static struct weir_bytes make_chunk(void)
{
    weir__chunk_reset(&chunk);
    chunk.written = 77;
    add(0, "zero", 5);
    add(3, NULL, 9);
    add(4, "four", 7);
    return weir__chunk_seal(&chunk);
}

START_TEST(a_chunk_gives_back_its_records)
{
    static const int64_t offsets[] = { 100, 103, 104 };
    struct weir_arena    arena = { 0 };
    struct chunk_reader  reader;
    struct weir_bytes    packed;
    struct weir__raw     raw;
    int64_t              offset;

    ck_assert_int_eq(weir__chunk_open(make_chunk(), 100, &reader), WEIR_OK);
    ck_assert_int_eq(reader.count, 3);
    ck_assert_int_eq(reader.newest, 9);
    ck_assert_int_eq(reader.written, 77);
    ck_assert_int_eq(weir__chunk_end(&reader), 105);
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        ck_assert_int_eq(weir__chunk_next(&reader, &offset, &packed), WEIR_OK);
        ck_assert_int_eq(offset, offsets[i]);
        ck_assert_int_eq(weir__chunk_unpack(packed, &arena, &raw), WEIR_OK);
        ck_assert(weir__bytes_equal(raw.key, bytes_of("k")));
    }
    ck_assert_int_eq(weir__chunk_next(&reader, &offset, &packed), WEIR_NOTFOUND);
    weir__arena_fini(&arena);
    weir__chunk_fini(&chunk);
}
END_TEST

START_TEST(a_record_for_which_there_is_no_memory_leaves_the_chunk_as_it_was)
{
    static char      large[100000];
    struct weir__raw raw = { .timestamp = 1, .value = { large, sizeof(large) } };
    size_t           before;

    (void)make_chunk();
    before = chunk.bytes.size;
    weir__fail_allocation(1);
    ck_assert_int_eq(weir__chunk_add(&chunk, 5, &raw), WEIR_NO_MEMORY);
    weir__fail_allocation(0);
    ck_assert_uint_eq(chunk.bytes.size, before);
    ck_assert_int_eq(chunk.count, 3);
    ck_assert_int_eq(weir__chunk_add(&chunk, 5, &raw), WEIR_OK);
    ck_assert_int_eq(chunk.count, 4);
    weir__chunk_fini(&chunk);
}
END_TEST

/* Offsets lie in the chunk, and it ends. */
static void read_any(struct weir_bytes bytes)
{
    struct weir_arena   arena = { 0 };
    struct chunk_reader reader;
    struct weir_bytes   packed;
    struct weir__raw    raw;
    int64_t             offset;
    int                 err = weir__chunk_open(bytes, 100, &reader), count = 0;

    while (err == WEIR_OK && (err = weir__chunk_next(&reader, &offset, &packed)) == WEIR_OK) {
        ck_assert_int_ge(offset, 100);
        ck_assert_int_lt(offset, weir__chunk_end(&reader));
        (void)weir__chunk_unpack(packed, &arena, &raw);
        ck_assert_int_lt(count++, 100);
    }
    ck_assert(err == WEIR_NOTFOUND || err == WEIR_CORRUPT);
    weir__arena_fini(&arena);
}

START_TEST(any_bytes_do_no_harm)
{
    unsigned seed = 7;

    for (int i = 0; i < 20000; i++) {
        struct weir_bytes whole = make_chunk();
        size_t            size = (size_t)rand_r(&seed) % (whole.size + 1);
        char             *bytes = malloc(size + 1); /* its own block: a sanitizer sees what is read beyond */

        memcpy(bytes, whole.data, size);
        for (int flips = rand_r(&seed) % 4; flips > 0 && size > 0; flips--)
            bytes[(size_t)rand_r(&seed) % size] = (char)(rand_r(&seed) % 3 == 0 ? 0xff : rand_r(&seed));
        read_any(BYTES(bytes, size));
        free(bytes);
    }
    weir__chunk_fini(&chunk);
}
END_TEST

int main(void)
{
    const struct test tests[] = { { a_chunk_gives_back_its_records },
                                  { a_record_for_which_there_is_no_memory_leaves_the_chunk_as_it_was },
                                  { any_bytes_do_no_harm } };

    return suite_main("embedded chunk", false, tests, ARRAY_SIZE(tests));
}
