/* test_market_decimal.c: decimals from text and to text, sums, and the quotient against exact fractions in Python. */
#include "schemas/decimal.h"
#include "test/run.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

static struct weir_text text_of(const char *text) { return (struct weir_text){ text, strlen(text) }; }

/* From a copy with nothing behind it: a look past the end is found by the address sanitizer. */
static int read(const char *text, int64_t *ret)
{
    size_t size = strlen(text);
    char  *copy = malloc(size + !size);
    int    err;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, size);
    err = market_decimal_read((struct weir_text){ copy, size }, ret);
    free(copy);
    return err;
}

START_TEST(decimals_are_read_from_their_text)
{
    static const struct {
        const char *text;
        int64_t     units;
    } cases[] = {
        { "0", 0 },
        { "-0", 0 },
        { "-0.000", 0 },
        { "0e99999999999", 0 },
        { "23.710000", 2371000000 },
        { "+1", 100000000 },
        { "007", 700000000 },
        { ".6", 60000000 },
        { "-.37", -37000000 },
        { "7.", 700000000 },
        { "6e-05", 6000 },
        { "6E-5", 6000 },
        { "1.5e+3", 150000000000 },
        { "1e-8", 1 },
        { "0.00000001", 1 },
        { "0.0000000100000", 1 },
        { "100e-10", 1 },
        { "105433.60000", 10543360000000 },
        { "92233720368.54775807", INT64_MAX },
        { "-92233720368.54775808", INT64_MIN },
        { "9223372036854775807e-8", INT64_MAX },
        { "0000000000000000000000000000000000000000000000001", 100000000 },
        { "1000000000000000000000000000000000000000000000e-45", 100000000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t units = -1;

        ck_assert_msg(read(cases[i].text, &units) == WEIR_OK, "%s is refused", cases[i].text);
        ck_assert_msg(units == cases[i].units, "%s gives %" PRId64, cases[i].text, units);
    }
}
END_TEST

START_TEST(what_is_no_exact_decimal_is_refused_by_its_reason)
{
    static const struct {
        const char *text;
        int         code;
    } cases[] = {
        { "", MARKET_BAD_NUMBER },
        { "-", MARKET_BAD_NUMBER },
        { ".", MARKET_BAD_NUMBER },
        { "-.", MARKET_BAD_NUMBER },
        { "e5", MARKET_BAD_NUMBER },
        { "1e", MARKET_BAD_NUMBER },
        { "1e+", MARKET_BAD_NUMBER },
        { "1.2.3", MARKET_BAD_NUMBER },
        { "1,5", MARKET_BAD_NUMBER },
        { " 1", MARKET_BAD_NUMBER },
        { "1 ", MARKET_BAD_NUMBER },
        { "--1", MARKET_BAD_NUMBER },
        { "0x10", MARKET_BAD_NUMBER },
        { "NaN", MARKET_BAD_NUMBER },
        { "nan", MARKET_BAD_NUMBER },
        { "Infinity", MARKET_BAD_NUMBER },
        { "-inf", MARKET_BAD_NUMBER },
        { "0.000000001", MARKET_PRECISION },
        { "1.123456789", MARKET_PRECISION },
        { "1e-9", MARKET_PRECISION },
        { "1e-99999999999", MARKET_PRECISION },
        { "0.33333333333333333333333333333333333333333333333333", MARKET_PRECISION },
        { "92233720368.54775808", MARKET_OVERFLOW },
        { "-92233720368.54775809", MARKET_OVERFLOW },
        { "1e11", MARKET_OVERFLOW },
        { "1e99999999999", MARKET_OVERFLOW },
        { "99999999999999999999999999999999999999999999999999999", MARKET_OVERFLOW },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t units = 17;
        int     err = read(cases[i].text, &units);

        ck_assert_msg(err == cases[i].code, "'%s': %s", cases[i].text, market_reason_name(err));
        ck_assert_int_eq(units, 17);
    }
}
END_TEST

START_TEST(decimals_are_written_as_short_as_can_be)
{
    static const struct {
        int64_t     units;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 1, "0.00000001" },
        { -1, "-0.00000001" },
        { 2371000000, "23.71" },
        { -37000000, "-0.37" },
        { 100000000, "1" },
        { -1000000000, "-10" },
        { 100000001, "1.00000001" },
        { INT64_MAX, "92233720368.54775807" },
        { INT64_MIN, "-92233720368.54775808" },
    };
    char text[MARKET_DECIMAL_ROOM];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ck_assert_uint_eq(market_decimal_write(cases[i].units, text), strlen(cases[i].text));
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Of all sizes alike. */
static int64_t random_units(uint64_t *seed)
{
    int64_t units = (int64_t)(next_random(seed) >> (next_random(seed) % 63 + 1));

    return next_random(seed) & 1 ? units : -units;
}

START_TEST(what_is_written_reads_back)
{
    uint64_t seed = 0x5eed;

    for (int i = 0; i < 200000; i++) {
        market_sum_units sum = (market_sum_units)random_units(&seed) * random_units(&seed), again;
        int64_t          units = random_units(&seed), back;
        char             text[MARKET_DECIMAL_ROOM], sum_text[MARKET_SUM_ROOM];

        market_decimal_write(units, text);
        ck_assert_msg(market_decimal_read(text_of(text), &back) == WEIR_OK && back == units, "%s", text);
        market_sum_write(sum, sum_text);
        ck_assert_msg(market_sum_read(text_of(sum_text), &again) == WEIR_OK && again == sum, "%s", sum_text);
    }
}
END_TEST

START_TEST(the_greatest_sums_read_back)
{
    static const market_sum_units most = (market_sum_units)(~(unsigned __int128)0 >> 1);
    market_sum_units              back;
    char                          text[MARKET_SUM_ROOM];

    market_sum_write(most, text);
    ck_assert_str_eq(text, "1701411834604692317316873037158.84105727");
    ck_assert(market_sum_read(text_of(text), &back) == WEIR_OK && back == most);
    market_sum_write(-most - 1, text);
    ck_assert_str_eq(text, "-1701411834604692317316873037158.84105728");
    ck_assert(market_sum_read(text_of(text), &back) == WEIR_OK && back == -most - 1);
    ck_assert_int_eq(market_sum_read(text_of("1701411834604692317316873037158.84105728"), &back), MARKET_OVERFLOW);
    ck_assert_int_eq(market_sum_read(text_of("3402823669209384634633746074317.68211456"), &back), MARKET_OVERFLOW);
}
END_TEST

START_TEST(sums_that_overflow_say_so_and_stay)
{
    market_sum_units sum = 0, before;

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(market_notional_add(&sum, INT64_MIN, INT64_MIN), i ? MARKET_OVERFLOW : WEIR_OK);
    before = sum;
    ck_assert(sum == (market_sum_units)1 << 126);
    ck_assert_int_eq(market_sum_add(&sum, before), MARKET_OVERFLOW);
    ck_assert(sum == before);
    ck_assert_int_eq(market_notional_add(&sum, INT64_MIN, INT64_MAX), WEIR_OK);
    ck_assert(sum == (market_sum_units)1 << 63);
}
END_TEST

/* Python divides integers to the nearest double, ties to even. Its script prints N, V, and the quotient's bits. */
static const char quotients[] =
    "python3 -c '\n"
    "import random, struct\n"
    "random.seed(7)\n"
    "for i in range(20000):\n"
    "    n = random.getrandbits(random.randint(1, 126)) * random.choice((1, -1))\n"
    "    v = random.getrandbits(random.randint(1, 126)) + 1\n"
    "    if i % 4 == 0:\n"
    "        v = 10 ** random.randint(0, 12)\n"
    "    if i % 8 == 0:\n" /* exactly between two doubles, and a hair off */
    "        v, n = 1, (2 * random.getrandbits(53) + 1) * 10**8 + random.choice((-1, 0, 1))\n"
    "    q = n / (v * 10**8)\n"
    "    print(n >> 64, n & (1 << 64) - 1, v >> 64, v & (1 << 64) - 1, struct.unpack(\"<Q\", struct.pack(\"<d\", q))[0])\n"
    "'";

START_TEST(vwap_is_the_nearest_double)
{
    FILE    *script = popen(quotients, "r");
    int64_t  high, volume_high;
    uint64_t low, volume_low, bits;
    int      count = 0;

    ck_assert_ptr_nonnull(script);
    while (fscanf(script, "%" SCNd64 " %" SCNu64 " %" SCNd64 " %" SCNu64 " %" SCNu64, &high, &low, &volume_high,
                  &volume_low, &bits) == 5) {
        market_sum_units notional = (market_sum_units)((unsigned __int128)(uint64_t)high << 64 | low);
        market_sum_units volume = (market_sum_units)((unsigned __int128)(uint64_t)volume_high << 64 | volume_low);
        double           wanted, got = market_vwap(notional, volume);

        memcpy(&wanted, &bits, sizeof(wanted));
        ck_assert_msg(got == wanted, "line %d: %a, not %a", count, got, wanted);
        ck_assert(market_vwap(-notional, volume) == -wanted && market_vwap(-notional, -volume) == wanted);
        count++;
    }
    ck_assert_int_eq(pclose(script), 0);
    ck_assert_int_eq(count, 20000);
    ck_assert(market_vwap(0, 5) == 0);
}
END_TEST

START_TEST(reasons_have_names_and_codes_of_the_framework)
{
    ck_assert_str_eq(market_reason_name(MARKET_PRECISION), "precision");
    ck_assert_str_eq(market_reason_name(MARKET_NAME_CLASH), "name_clash");
    ck_assert_str_eq(market_reason_name(WEIR_NO_MEMORY), "WEIR_NO_MEMORY");
    ck_assert_str_eq(market_reason_text(WEIR_NO_MEMORY), weir_code_text(WEIR_NO_MEMORY));
    ck_assert_int_eq(market_weir_code(MARKET_OVERFLOW), WEIR_OVERFLOW);
    ck_assert_int_eq(market_weir_code(WEIR_LIMIT), WEIR_LIMIT);
#define ROW(code, value, weir, name, text) \
    ck_assert_int_eq(weir_code_scope(market_weir_code(code)), WEIR_SCOPE_RECORD);
    MARKET_REASONS(ROW)
#undef ROW
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_decimal");
    TCase *tcase = tcase_create("decimal");

    tcase_add_test(tcase, decimals_are_read_from_their_text);
    tcase_add_test(tcase, what_is_no_exact_decimal_is_refused_by_its_reason);
    tcase_add_test(tcase, decimals_are_written_as_short_as_can_be);
    tcase_add_test(tcase, what_is_written_reads_back);
    tcase_add_test(tcase, the_greatest_sums_read_back);
    tcase_add_test(tcase, sums_that_overflow_say_so_and_stay);
    tcase_add_test(tcase, vwap_is_the_nearest_double);
    tcase_add_test(tcase, reasons_have_names_and_codes_of_the_framework);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
