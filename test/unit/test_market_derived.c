/* test_market_derived.c: months, tenors, day counts, horizons of curves, statistics and spreads, where there is something to get
 * wrong. */
#include <check.h>
#include <math.h>

#include "schemas/derived.h"
#include "schemas/times.h"
#include "test/run.h"

#define TEXT(s) ((struct weir_text){ (s), strlen(s) })
#define UNIT    MARKET_UNIT

static int64_t day(int year, int month, int d)
{
    int64_t us;

    ck_assert_int_eq(market_date(year, month, d, &us), WEIR_OK);
    return us;
}

static int64_t after(const char *tenor, int64_t from)
{
    int64_t us;

    ck_assert_int_eq(market_tenor_add(TEXT(tenor), from, &us), WEIR_OK);
    return us;
}

START_TEST(months_are_of_the_calendar)
{
    int64_t month;

    ck_assert_int_eq(after("1m", day(2024, 1, 31)), day(2024, 2, 29));
    ck_assert_int_eq(after("1m", day(2023, 1, 31)), day(2023, 2, 28));
    ck_assert_int_eq(after("1y", day(2024, 2, 29)), day(2025, 2, 28));
    ck_assert_int_eq(after("11m", day(2023, 12, 15)), day(2024, 11, 15));
    ck_assert_int_eq(after("2w", day(2023, 12, 25)), day(2024, 1, 8));
    ck_assert_int_eq(market_month_of(TEXT("GC.201312"), &month), WEIR_OK);
    ck_assert_int_eq(month, day(2013, 12, 1));
    ck_assert_int_lt(market_month_of(TEXT("GC.201313"), &month), 0);
    ck_assert_int_lt(market_month_of(TEXT("GC201312"), &month), 0);
    ck_assert_int_lt(market_month_read(TEXT("2013-1x"), &month), 0);
    ck_assert_int_lt(market_tenor_add(TEXT("0m"), 0, &month), 0);
    ck_assert_int_lt(market_tenor_add(TEXT("3"), 0, &month), 0);
}
END_TEST

START_TEST(days_are_counted_as_the_curve_says)
{
    ck_assert_int_eq(market_days_between(MARKET_ACT_365, day(2024, 2, 1), day(2024, 3, 1)), 29);
    ck_assert_int_eq(market_days_between(MARKET_30_360, day(2024, 2, 1), day(2024, 3, 1)), 30);
    ck_assert_int_eq(market_days_between(MARKET_30_360, day(2024, 1, 31), day(2024, 3, 31)), 60);
    ck_assert_int_eq(market_days_between(MARKET_ACT_360, day(2024, 3, 1), day(2024, 2, 1)), -29);
}
END_TEST

START_TEST(a_month_that_has_ended_is_no_point)
{
    struct market_member member = { .instrument_id = TEXT("GC.201312") };
    struct market_point  point = { 0 };
    struct weir_arena    arena;

    weir__arena_init(&arena, 0);
    ck_assert_int_eq(market_point_place(&member, MARKET_ACT_365, day(2013, 12, 31), &arena, &point), 1);
    ck_assert_int_eq(point.days, -30);
    ck_assert(market_text_same(point.contract_month, TEXT("2013-12")));
    ck_assert_int_eq(market_point_place(&member, MARKET_ACT_365, day(2014, 1, 1), &arena, &point), 0);
    weir__arena_fini(&arena);
}
END_TEST

/* ---- horizons: points at 30, 60, 90 and 120 days ---- */

static struct weir_arena     arena;
static struct market_point   points[4];
static struct market_records horizons;

/* The horizon so many days from 1970 on. */
static const struct market_horizon *at(enum market_method method, const int64_t *prices, size_t count,
                                       const char *tenor)
{
    struct weir_text    name = TEXT(tenor);
    struct market_curve curve = { .method = method, .horizons = { &name, 1 } };

    for (size_t i = 0; i < count; i++)
        points[i] = (struct market_point){ .days = 30 * ((int64_t)i + 1),
                                           .price = prices[i],
                                           .confidence = { 1 - (double)i / 10, true } };
    ck_assert_int_eq(market_curve_horizons(&curve, 0, (struct market_records){ points, count }, &arena, &horizons),
                     WEIR_OK);
    return horizons.rows;
}

START_TEST(between_points_there_is_a_price_and_nowhere_else)
{
    static const int64_t prices[] = { 10 * UNIT, 12 * UNIT, -3 * UNIT, 7 * UNIT };

    weir__arena_init(&arena, 0);
    ck_assert_double_eq(at(MARKET_LINEAR, prices, 4, "40d")->price.value, 10 + 2.0 / 3);
    ck_assert_double_eq(at(MARKET_LINEAR, prices, 4, "40d")->confidence.value, 0.9);
    ck_assert_double_eq(at(MARKET_LINEAR, prices, 4, "30d")->price.value, 10);
    ck_assert_double_eq(at(MARKET_LINEAR, prices, 4, "120d")->price.value, 7);
    ck_assert(!at(MARKET_LINEAR, prices, 4, "29d")->price.given);
    ck_assert(market_text_same(at(MARKET_LINEAR, prices, 4, "121d")->reason, TEXT("outside_points")));
    ck_assert(market_text_same(at(MARKET_LINEAR, prices, 1, "29d")->reason, TEXT("too_few_points")));
    ck_assert_double_eq(at(MARKET_LINEAR, prices, 1, "30d")->price.value, 10);
    weir__arena_fini(&arena);
}
END_TEST

START_TEST(logarithms_are_of_prices_above_0)
{
    static const int64_t prices[] = { 10 * UNIT, 40 * UNIT, -3 * UNIT, 0 };

    weir__arena_init(&arena, 0);
    ck_assert_double_eq_tol(at(MARKET_LOG_LINEAR, prices, 4, "45d")->price.value, 20, 1e-12);
    ck_assert(market_text_same(at(MARKET_LOG_LINEAR, prices, 4, "70d")->reason, TEXT("not_positive")));
    ck_assert(!at(MARKET_LOG_LINEAR, prices, 4, "70d")->price.given);
    ck_assert_double_eq(at(MARKET_LOG_LINEAR, prices, 4, "90d")->price.value, -3); /* a point is what it is */
    weir__arena_fini(&arena);
}
END_TEST

/* The natural spline through 0, 1, 0, 1: second derivatives 0, -10/3, 10/3, 0 in steps. */
START_TEST(a_spline_is_the_natural_one)
{
    static const int64_t prices[] = { 0, UNIT, 0, UNIT };

    weir__arena_init(&arena, 0);
    ck_assert_double_eq_tol(at(MARKET_CUBIC, prices, 4, "75d")->price.value, 0.5, 1e-12);
    ck_assert_double_eq_tol(at(MARKET_CUBIC, prices, 4, "45d")->price.value, 0.75, 1e-12);
    ck_assert_double_eq(at(MARKET_CUBIC, prices, 2, "45d")->price.value, 0.5);
    weir__arena_fini(&arena);
}
END_TEST

/* ---- statistics and spreads ---- */

static struct market_stats stats_of(const int64_t *prices, size_t count)
{
    struct market_fold  fold = { 0 };
    struct market_stats stats = { 0 };

    for (size_t i = 0; i < count; i++) {
        struct market_order   order = { .event_time = (int64_t)i };
        struct market_content content = { .price = MARKET_DECIMAL(prices[i]) };

        ck_assert_int_eq(market_fold_add(&fold, &order, &content), WEIR_OK);
    }
    market_stats_fill(&stats, &fold);
    return stats;
}

START_TEST(deviations_of_like_prices_are_exact)
{
    static const int64_t near[] = { 100000 * UNIT, 100000 * UNIT + 1, 100000 * UNIT + 2 };
    static const int64_t same[] = { -5 * UNIT, -5 * UNIT };
    static const int64_t vast[] = { INT64_MAX, INT64_MIN, INT64_MAX };

    ck_assert_double_eq(stats_of(near, 3).standard_deviation.value, sqrt(2.0 / 3 * 1e-16));
    ck_assert_double_eq(stats_of(same, 2).standard_deviation.value, 0);
    ck_assert(stats_of(same, 2).standard_deviation.given && stats_of(same, 2).mean.value == -5);
    ck_assert(!stats_of(vast, 3).standard_deviation.given);
    ck_assert(stats_of(vast, 3).range.units == (__int128)INT64_MAX - INT64_MIN);
}
END_TEST

START_TEST(spreads_are_rounded_once_half_to_even)
{
    struct market_leg_price legs[] = { { .price = 1, .weight = UNIT / 2 }, { .price = 0, .weight = UNIT } };
    struct market_sum       value;

    for (int64_t price = -5; price <= 5; price++) {
        legs[0].price = price;
        ck_assert_int_eq(market_spread_value(legs, 2, &value), WEIR_OK);
        ck_assert_int_eq((int64_t)value.units, (int64_t)nearbyint((double)price / 2));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_derived");
    TCase *tcase = tcase_create("derived");

    tcase_add_test(tcase, months_are_of_the_calendar);
    tcase_add_test(tcase, days_are_counted_as_the_curve_says);
    tcase_add_test(tcase, a_month_that_has_ended_is_no_point);
    tcase_add_test(tcase, between_points_there_is_a_price_and_nowhere_else);
    tcase_add_test(tcase, logarithms_are_of_prices_above_0);
    tcase_add_test(tcase, a_spline_is_the_natural_one);
    tcase_add_test(tcase, deviations_of_like_prices_are_exact);
    tcase_add_test(tcase, spreads_are_rounded_once_half_to_even);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
