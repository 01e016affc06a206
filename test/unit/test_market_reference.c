/* test_market_reference.c: reference files into rows; and the generator's own clock and numbers, held against the pipeline's. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "schemas/feeds/reference.h"
#include "schemas/market.h"
#include "test/run.h"
#include "topologies/sample.h"

static char                         path[] = "/tmp/weir-reference-test-XXXXXX";
static struct weir_arena            arena;
static struct weir_error            error;
static struct market_reference_rows read_rows;
static struct market_reference_row *rows;
static size_t                       count;

static int read_text(const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    ck_assert_int_eq(fclose(file), 0);
    weir__arena_reset(&arena);
    read_rows = (struct market_reference_rows){ 0 };
    int err = market_reference_read(path, "acme", &arena, &read_rows, &error);
    rows = read_rows.rows;
    count = read_rows.count;
    return err;
}

static void begin(void)
{
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void finish(void)
{
    weir__arena_fini(&arena);
    unlink(path);
}

static void expect_text(struct weir_text have, const char *want)
{
    ck_assert_uint_eq(have.size, strlen(want));
    ck_assert(memcmp(have.data, want, have.size) == 0);
}

static const char table[] = "Instrument_ID, commodity ,aliases,tick_size,active,version,metadata,tenant_id,id\n"
                            "\n"
                            "GC.201312,\"gold, fine\", XAU||AU ,-.5,no,7,\"{\"\"desk\"\":\"\"metals\"\"}\",other,1\n"
                            "PJM.WESTERN.HUB,,,,,,,,\n";

START_TEST(a_table_has_its_cells_by_name)
{
    const struct market_instrument *row;

    begin();
    ck_assert_int_eq(read_text(table), WEIR_OK);
    ck_assert_uint_eq(count, 2);
    row = rows[0].record;
    expect_text(row->tenant_id, "other");
    expect_text(row->instrument_id, "GC.201312");
    expect_text(row->commodity, "gold, fine");
    ck_assert_uint_eq(row->aliases.count, 2);
    expect_text(row->aliases.texts[0], "XAU");
    expect_text(row->aliases.texts[1], "AU");
    ck_assert(row->tick_size.given && row->tick_size.units == -MARKET_UNIT / 2);
    ck_assert(!row->active && row->version == 7 && rows[0].versioned && rows[0].line == 3);
    ck_assert_uint_eq(row->metadata.count, 1);
    expect_text(row->metadata.pairs[0].name, "desk");
    expect_text(row->metadata.pairs[0].value, "metals");
    row = rows[1].record;
    expect_text(row->tenant_id, "acme");
    ck_assert(row->commodity.data == NULL && row->aliases.count == 0 && !row->tick_size.given);
    ck_assert(row->active && row->version == 1 && !rows[1].versioned);
    finish();
}
END_TEST

START_TEST(definitions_are_told_by_their_ids)
{
    const struct market_pair  *pair;
    const struct market_curve *curve;

    begin();
    ck_assert_int_eq(read_text("{\"pair_id\":\"P\",\"kind\":\"calendar\",\"legs\":[{\"instrument_id\":\"A.1\","
                               "\"weight\":1},{\"instrument_id\":\"B\",\"weight\":-7.5}]}"),
                     WEIR_OK);
    ck_assert_ptr_eq(read_rows.kind, market_reference_pairs);
    pair = rows[0].record;
    expect_text(pair->tenant_id, "acme");
    ck_assert(pair->kind == MARKET_CALENDAR && pair->legs.count == 2 && pair->max_age_ms == 3600000 && pair->active);
    ck_assert(((const struct market_leg *)pair->legs.rows)[1].weight == -75 * MARKET_UNIT / 10);
    ck_assert_int_eq(read_text("curve_id,method,horizons,members\n"
                               "C,cubic,1m|1y,\"[{\"\"instrument_id\"\":\"\"GC.201312\"\"}]\"\n"),
                     WEIR_OK);
    ck_assert_ptr_eq(read_rows.kind, market_reference_curves);
    curve = rows[0].record;
    ck_assert(curve->method == MARKET_CUBIC && curve->horizons.count == 2 && curve->members.count == 1);
    finish();
}
END_TEST

START_TEST(definitions_that_cannot_be_computed_by_are_refused)
{
    static const char *const wrong[][2] = {
        { "\"kind\":\"calendar\",\"legs\":[{\"instrument_id\":\"A\",\"weight\":1}]", "two or more" },
        { "\"kind\":\"bid_ask\",\"legs\":[]", "bid_ask" },
        { "\"kind\":\"calendar\",\"legs\":[{\"instrument_id\":\"A\",\"weight\":1},{\"instrument_id\":\"A\",\"weight\":-1}]",
          "twice" },
        { "\"kind\":\"calendar\",\"legs\":[{\"instrument_id\":\"A\",\"weight\":1},{\"instrument_id\":\"B\",\"weight\":0}]",
          "weight is 0" },
        { "\"kind\":\"calendar\",\"legs\":[{\"instrument_id\":\"A\",\"weight\":1},{\"instrument_id\":\"B\",\"weight\":1}],"
          "\"interval\":\"5 minutes\"",
          "interval" },
        { "\"kind\":\"calendar\",\"legs\":[{\"instrument_id\":\"A\",\"weight\":1},{\"instrument_id\":\"B\",\"weight\":1}],"
          "\"interval\":\"7m\"",
          "so many minutes (15m)" },
    };
    char text[400];

    begin();
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        snprintf(text, sizeof(text), "{\"pair_id\":\"P\",%s}", wrong[i][0]);
        ck_assert_int_eq(read_text(text), WEIR_REJECTED);
        ck_assert_ptr_nonnull(strstr(error.text, wrong[i][1]));
    }
    ck_assert_int_eq(read_text("{\"curve_id\":\"C\",\"members\":[{\"instrument_id\":\"SPY\"}]}"), WEIR_REJECTED);
    ck_assert_ptr_nonnull(strstr(error.text, "does not end in a month"));
    ck_assert_int_eq(read_text("{\"curve_id\":\"C\",\"members\":[{\"instrument_id\":\"SPY\",\"tenor\":\"3q\"}]}"),
                     WEIR_REJECTED);
    ck_assert_ptr_nonnull(strstr(error.text, "tenor"));
    finish();
}
END_TEST

START_TEST(lines_are_objects_or_records)
{
    begin();
    ck_assert_int_eq(read_text("{\"instrument_id\":\"A\",\"metadata\":{\"x\":\"y\"},\"created_at\":1}\n"
                               "{\"topic\":\"t\",\"key\":\"b/A\",\"value\":{\"schema_version\":1,\"tenant_id\":\"b\","
                               "\"instrument_id\":\"A\",\"version\":3}}\n"),
                     WEIR_OK);
    ck_assert_uint_eq(count, 2);
    expect_text(((struct market_instrument *)rows[0].record)->tenant_id, "acme");
    ck_assert(!rows[0].versioned && rows[1].versioned && ((struct market_instrument *)rows[1].record)->version == 3);
    expect_text(((struct market_instrument *)rows[1].record)->tenant_id, "b");
    ck_assert_int_eq(read_text("instrument_id\n"), WEIR_OK);
    ck_assert_uint_eq(count, 0);
    finish();
}
END_TEST

START_TEST(memory_that_runs_out_anywhere_is_said)
{
    int err = WEIR_NO_MEMORY;

    begin();
    ck_assert_int_eq(read_text(table), WEIR_OK);
    for (uint64_t n = 1; err != WEIR_OK; n++) {
        weir__arena_fini(&arena);
        weir__fail_allocation(n);
        err = market_reference_read(path, "acme", &arena, &read_rows, &error);
        weir__fail_allocation(0);
        if (err != WEIR_OK && err != WEIR_NO_MEMORY)
            ck_abort_msg("allocation %llu: %d %s: %s", (unsigned long long)n, err, error.where, error.text);
        ck_assert_uint_lt(n, 500);
    }
    ck_assert_uint_eq(count, 2);
    finish();
}
END_TEST

/* ---- the generator ---- */

START_TEST(the_law_and_the_zone_files_agree_on_days)
{
    static const struct {
        enum market_sample_clock clock;
        const char              *zone;
    } pairs[] = { { CLOCK_UTC, "UTC" }, { CLOCK_CENTRAL, "America/Chicago" }, { CLOCK_EASTERN, "America/New_York" } };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        const struct market_zone *zone;

        ck_assert_int_eq(market_zone_get(pairs[i].zone, &zone, NULL), WEIR_OK);
        for (int64_t second = MARKET_DAYS(13880) / 1000000; second < MARKET_DAYS(24000) / 1000000; second += 1800) {
            int64_t start, end, plain_start, plain_end;

            market_day(zone, 0, second * 1000000, &start, &end);
            market_sample_day(pairs[i].clock, second, &plain_start, &plain_end);
            if (start != plain_start * 1000000 || end != plain_end * 1000000 ||
                market_zone_offset(zone, second * 1000000) != market_sample_offset(pairs[i].clock, second) * 1000000)
                ck_abort_msg("%s at %lld", pairs[i].zone, (long long)second);
        }
    }
}
END_TEST

START_TEST(numbers_are_written_alike)
{
    static const int64_t some[] = { 0, 1, -1, 10, 100000000, -150000000, 2371000000, 123456789012345678, INT64_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
        struct weir__buf text = { 0 };
        char             want[MARKET_DECIMAL_ROOM];

        market_decimal_write(some[i], want);
        market_sample_number(some[i], &text);
        weir__buf_putc(&text, '\0');
        ck_assert_str_eq(text.data, want);
        weir__buf_fini(&text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_reference");
    TCase *tcase = tcase_create("reference");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_table_has_its_cells_by_name);
    tcase_add_test(tcase, definitions_are_told_by_their_ids);
    tcase_add_test(tcase, definitions_that_cannot_be_computed_by_are_refused);
    tcase_add_test(tcase, lines_are_objects_or_records);
    tcase_add_test(tcase, memory_that_runs_out_anywhere_is_said);
    tcase_add_test(tcase, the_law_and_the_zone_files_agree_on_days);
    tcase_add_test(tcase, numbers_are_written_alike);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
