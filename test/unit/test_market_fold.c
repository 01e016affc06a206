/* test_market_fold.c: folds against a plain computation, in any order and grouping; orders of ticks; keys of rows. */
#include <check.h>
#include <stdlib.h>

#include "framework/json/json.h"
#include "framework/record/record.h"
#include "schemas/market.h"
#include "test/run.h"

enum { TICKS = 60 };

struct given {
    struct market_order   order;
    struct market_content content;
};

static uint64_t seed = 0xf01d;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static struct weir_text text_of(const char *text) { return (struct weir_text){ text, strlen(text) }; }

/* Many with the same time, some with the same sequence too. */
static struct given make_given(void)
{
    struct given given = { .order = { .event_time = (int64_t)(next_random() % 5),
                                      .sequence = (int64_t)(next_random() % 3) },
                           .content = { .price = MARKET_DECIMAL((int64_t)next_random() >> 20), .revision = 1 } };

    for (int i = 0; i < MARKET_TICK_ID_BYTES; i++)
        given.order.tick_id[i] = (uint8_t)next_random();
    if (next_random() % 4)
        given.content.volume = MARKET_DECIMAL((int64_t)(next_random() >> 25));
    given.content.quality_flags =
        next_random() % 2 ? MARKET_VALID : (uint32_t)next_random() % (1 << MARKET_FLAG_COUNT);
    given.content.currency = next_random() % 2 ? text_of("USD") : text_of("CAD");
    return given;
}

static void shuffle(struct given *given, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t       j = next_random() % i;
        struct given kept = given[i - 1];

        given[i - 1] = given[j];
        given[j] = kept;
    }
}

static void add(struct market_fold *fold, const struct given *given, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(market_fold_add(fold, &given[i].order, &given[i].content), WEIR_OK);
}

/* Folds groups of random size, and merges these in whatever order. */
static struct market_fold fold_in_groups(const struct given *given, size_t count)
{
    struct market_fold groups[TICKS], whole = { 0 };
    size_t             made = 0;

    for (size_t at = 0; at < count;) {
        size_t size = next_random() % MIN(9, count - at + 1);

        groups[made] = (struct market_fold){ 0 };
        add(&groups[made], given + at, size);
        at += size;
        made += size > 0;
    }
    while (made) {
        size_t i = next_random() % made;

        ck_assert_int_eq(market_fold_merge(&whole, &groups[i]), WEIR_OK);
        groups[i] = groups[--made];
    }
    return whole;
}

static const char *text_of_fold(const struct market_fold *fold)
{
    static char          texts[2][1024];
    static int           turn;
    struct weir_json_out out = { 0 };

    ck_assert_int_eq(market_fold->print(market_fold, fold, &out), WEIR_OK);
    turn = !turn;
    snprintf(texts[turn], sizeof(texts[turn]), "%.*s", (int)out.buf.size, out.buf.data);
    weir__json_out_fini(&out);
    return texts[turn];
}

static int by_order(const void *a, const void *b)
{
    const struct given *x = a, *y = b;

    if (x->order.event_time != y->order.event_time)
        return x->order.event_time < y->order.event_time ? -1 : 1;
    if (x->order.sequence != y->order.sequence)
        return x->order.sequence < y->order.sequence ? -1 : 1;
    return memcmp(x->order.tick_id, y->order.tick_id, MARKET_TICK_ID_BYTES);
}

/* The plain computation: sort, then look. */
static void check_plain(const struct market_bar *bar, struct given *given, size_t count)
{
    market_sum_units volume = 0, notional = 0;
    int64_t          high = INT64_MIN, low = INT64_MAX, flagged = 0;
    uint32_t         flags = 0, own;
    bool             any = false;

    qsort(given, count, sizeof(*given), by_order);
    for (size_t i = 0; i < count; i++) {
        const struct market_content *content = &given[i].content;

        high = MAX(high, content->price.units);
        low = MIN(low, content->price.units);
        own =
            content->quality_flags & ~(uint32_t)(MARKET_VALID | MARKET_FLAGS_FROM_STATE | MARKET_FLAGS_OF_REFERENCE);
        flags |= (content->quality_flags & MARKET_FLAGS_FROM_STATE) | (own ? own : MARKET_VALID);
        flagged += own != 0;
        any = any || content->volume.given;
        volume += content->volume.units;
        notional += (market_sum_units)content->price.units * content->volume.units;
    }
    ck_assert(bar->open == given[0].content.price.units && bar->close == given[count - 1].content.price.units);
    ck_assert(bar->high == high && bar->low == low && bar->trade_count == (int64_t)count);
    ck_assert(bar->volume.given == any && bar->volume.units == volume);
    ck_assert(bar->vwap.given == (volume != 0));
    if (volume)
        ck_assert(bar->vwap.value == market_vwap(notional, volume));
    ck_assert(bar->first_event_time == given[0].order.event_time);
    ck_assert(bar->last_event_time == given[count - 1].order.event_time);
    ck_assert(bar->quality_flags == flags && bar->flagged_count == flagged);
    ck_assert(memcmp(bar->currency.data, given[count - 1].content.currency.data, 3) == 0);
}

START_TEST(a_fold_is_the_same_in_any_order_and_grouping)
{
    for (int round = 0; round < 300; round++) {
        struct given       given[TICKS];
        size_t             count = next_random() % TICKS + 1;
        struct market_fold first = { 0 };
        struct market_bar  bar = { 0 };

        for (size_t i = 0; i < count; i++)
            given[i] = make_given();
        add(&first, given, count);
        for (int again = 0; again < 10; again++) {
            struct market_fold other;

            shuffle(given, count);
            other = fold_in_groups(given, count);
            ck_assert_str_eq(text_of_fold(&other), text_of_fold(&first));
        }
        market_bar_fill(&bar, &first);
        check_plain(&bar, given, count);
    }
}
END_TEST

START_TEST(an_empty_fold_changes_nothing)
{
    struct given       given = make_given();
    struct market_fold empty = { 0 }, one = { 0 }, both = { 0 };

    add(&one, &given, 1);
    ck_assert_int_eq(market_fold_merge(&both, &empty), WEIR_OK);
    ck_assert_int_eq(both.count, 0);
    ck_assert_int_eq(market_fold_merge(&both, &one), WEIR_OK);
    ck_assert_int_eq(market_fold_merge(&both, &empty), WEIR_OK);
    ck_assert_str_eq(text_of_fold(&both), text_of_fold(&one));
}
END_TEST

START_TEST(null_and_zero_volume_give_no_vwap)
{
    struct market_fold    fold = { 0 };
    struct market_order   order = { .event_time = 1 };
    struct market_content content = { .price = MARKET_DECIMAL(-5) };
    struct market_bar     bar = { .vwap = { 1, true } };

    ck_assert_int_eq(market_fold_add(&fold, &order, &content), WEIR_OK);
    market_bar_fill(&bar, &fold);
    ck_assert(!bar.volume.given && !bar.vwap.given && bar.open == -5 && bar.high == -5);
    content.volume = MARKET_DECIMAL(0);
    ck_assert_int_eq(market_fold_add(&fold, &order, &content), WEIR_OK);
    market_bar_fill(&bar, &fold);
    ck_assert(bar.volume.given && bar.volume.units == 0 && !bar.vwap.given && bar.trade_count == 2);
    content.volume = MARKET_DECIMAL(MARKET_UNIT);
    content.price = MARKET_DECIMAL(3 * MARKET_UNIT / 2);
    ck_assert_int_eq(market_fold_add(&fold, &order, &content), WEIR_OK);
    market_bar_fill(&bar, &fold);
    ck_assert(bar.vwap.given && bar.vwap.value == 1.5);
}
END_TEST

START_TEST(a_fold_that_overflows_stays_as_it_was)
{
    struct market_fold    fold = { 0 }, other;
    struct market_order   order = { .event_time = 1 };
    struct market_content content = { .price = MARKET_DECIMAL(INT64_MIN), .volume = MARKET_DECIMAL(INT64_MIN) };
    char                  before[1024];

    ck_assert_int_eq(market_fold_add(&fold, &order, &content), WEIR_OK);
    snprintf(before, sizeof(before), "%s", text_of_fold(&fold));
    ck_assert_int_eq(market_fold_add(&fold, &order, &content), MARKET_OVERFLOW);
    ck_assert_str_eq(text_of_fold(&fold), before);
    other = fold;
    other.notional = 0;
    other.count = INT64_MAX;
    ck_assert_int_eq(market_fold_merge(&fold, &other), MARKET_OVERFLOW);
    ck_assert_str_eq(text_of_fold(&fold), before);
    content.price = MARKET_NULL_DECIMAL;
    ck_assert_int_eq(market_fold_add(&fold, &order, &content), MARKET_MISSING);
    ck_assert_str_eq(text_of_fold(&fold), before);
}
END_TEST

START_TEST(quotes_and_fallbacks_are_in_no_bar)
{
    struct market_tick tick = { .kind = MARKET_KIND_PRICE,
                                .price = MARKET_DECIMAL(0),
                                .quality_flags = MARKET_OUT_OF_RANGE };

    ck_assert(market_in_bars(&tick));
    tick.quality_flags |= MARKET_FALLBACK;
    ck_assert(!market_in_bars(&tick));
    tick.quality_flags = ~(uint32_t)MARKET_FALLBACK;
    ck_assert(market_in_bars(&tick));
    tick.price = MARKET_NULL_DECIMAL;
    ck_assert(!market_in_bars(&tick));
    tick.price = MARKET_DECIMAL(1);
    tick.kind = MARKET_KIND_QUOTE;
    ck_assert(!market_in_bars(&tick));
}
END_TEST

/* ---- orders ---- */

START_TEST(of_two_contents_the_later_by_revision_time_price_and_volume_counts)
{
    static const struct market_content rising[] = {
        { .revision = 1, .ingested_at = 5, .price = MARKET_DECIMAL(9), .volume = MARKET_DECIMAL(9) },
        { .revision = 1, .ingested_at = 6, .volume = MARKET_DECIMAL(9) },
        { .revision = 1, .ingested_at = 6, .price = MARKET_DECIMAL(-1) },
        { .revision = 1, .ingested_at = 6, .price = MARKET_DECIMAL(0) },
        { .revision = 1, .ingested_at = 6, .price = MARKET_DECIMAL(0), .volume = MARKET_DECIMAL(-1) },
        { .revision = 1, .ingested_at = 6, .price = MARKET_DECIMAL(0), .volume = MARKET_DECIMAL(0) },
        { .revision = 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rising); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(rising); j++) {
            int by = market_content_compare(&rising[i], &rising[j]);

            ck_assert_int_eq((by > 0) - (by < 0), (i > j) - (i < j));
            ck_assert(market_content_same(&rising[i], &rising[j]) == (i == j));
        }
    }
}
END_TEST

START_TEST(the_same_content_later_is_a_duplicate)
{
    struct market_content content = { .revision = 1, .price = MARKET_DECIMAL(0) }, other = content;

    other.ingested_at = 99;
    other.quality_flags = MARKET_LATE_ARRIVAL;
    ck_assert(market_content_same(&content, &other));
    other.revision = 2;
    ck_assert(!market_content_same(&content, &other));
    other = content;
    other.price = MARKET_NULL_DECIMAL;
    ck_assert(!market_content_same(&content, &other));
    other = content;
    other.volume = MARKET_DECIMAL(0);
    ck_assert(!market_content_same(&content, &other));
}
END_TEST

START_TEST(the_latest_price_is_by_epoch_time_sequence_tick_and_revision)
{
    static const struct market_latest rising[] = {
        { .epoch = 0, .event_time = 9, .sequence = 9, .tick_id = { 9 }, .revision = 9, .price = 9 },
        { .epoch = 1, .event_time = 1, .sequence = 9, .tick_id = { 9 }, .revision = 9, .price = 9 },
        { .epoch = 1, .event_time = 2, .sequence = 1, .tick_id = { 9 }, .revision = 9, .price = 9 },
        { .epoch = 1, .event_time = 2, .sequence = 2, .tick_id = { 1 }, .revision = 9, .price = 9 },
        { .epoch = 1, .event_time = 2, .sequence = 2, .tick_id = { 0xff }, .revision = 1, .price = 9 },
        { .epoch = 1,
          .event_time = 2,
          .sequence = 2,
          .tick_id = { 0xff },
          .revision = 2,
          .ingested_at = 1,
          .price = 9 },
        { .epoch = 1,
          .event_time = 2,
          .sequence = 2,
          .tick_id = { 0xff },
          .revision = 2,
          .ingested_at = 2,
          .price = -9 },
        { .epoch = 1,
          .event_time = 2,
          .sequence = 2,
          .tick_id = { 0xff },
          .revision = 2,
          .ingested_at = 2,
          .price = 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rising); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(rising); j++) {
            int by = market_latest_compare(&rising[i], &rising[j]);

            ck_assert_int_eq((by > 0) - (by < 0), (i > j) - (i < j));
        }
    }
}
END_TEST

/* ---- keys of rows ---- */

START_TEST(row_keys_sort_as_their_ticks)
{
    struct weir_arena     arena = { 0 };
    struct market_row_key keys[] = {
        { { { text_of("a"), text_of("B") }, 1 }, { INT64_MIN, 0, { 0 } } },
        { { { text_of("a"), text_of("B") }, 1 }, { -1, INT64_MAX, { 0xff } } },
        { { { text_of("a"), text_of("B") }, 1 }, { 0, -1, { 0xff } } },
        { { { text_of("a"), text_of("B") }, 1 }, { 0, 0, { 0 } } },
        { { { text_of("a"), text_of("B") }, 1 }, { 0, 0, { 1 } } },
        { { { text_of("a"), text_of("B") }, 1 }, { 0, 1, { 0 } } },
        { { { text_of("a"), text_of("B") }, 1 }, { INT64_MAX, INT64_MIN, { 0 } } },
        { { { text_of("a"), text_of("B") }, 2 }, { INT64_MIN, 0, { 0 } } },
        { { { text_of("a"), text_of("B") }, 300 }, { -1, 0, { 0 } } },
        { { { text_of("a"), text_of("B.DA") }, 1 }, { INT64_MIN, 0, { 0 } } },
        { { { text_of("b"), text_of("A") }, 1 }, { INT64_MIN, 0, { 0 } } },
    };
    struct weir_bytes before = NO_BYTES, bytes;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++, before = bytes) {
        const struct market_row_key *back;
        struct weir_json_out         out = { 0 };
        const struct weir_json      *json;
        struct market_row_key        parsed = { 0 };

        ck_assert_int_eq(weir__encode(market_row_key, &arena, &keys[i], &bytes), WEIR_OK);
        ck_assert(i == 0 || weir__bytes_compare(before, bytes) < 0);
        ck_assert_int_eq(weir__decode(market_row_key, &arena, bytes, (const void **)&back), WEIR_OK);
        ck_assert_int_eq(market_order_compare(&back->order, &keys[i].order), 0);
        ck_assert(back->line.key.tenant.size == 1 && back->line.epoch == keys[i].line.epoch);
        ck_assert_uint_eq(back->line.key.instrument.size, keys[i].line.key.instrument.size);
        ck_assert_int_eq(market_row_key->print(market_row_key, back, &out), WEIR_OK);
        ck_assert_int_eq(weir_json_parse(&arena, (struct weir_text){ out.buf.data, out.buf.size }, &json, NULL),
                         WEIR_OK);
        ck_assert_int_eq(market_row_key->parse(market_row_key, json, &parsed), WEIR_OK);
        ck_assert_int_eq(market_order_compare(&parsed.order, &keys[i].order), 0);
        ck_assert_int_eq(parsed.line.epoch, keys[i].line.epoch);
        weir__json_out_fini(&out);
        for (size_t size = 0; size < bytes.size; size++)
            ck_assert_int_eq(weir__decode(market_row_key, &arena, BYTES(bytes.data, size), (const void **)&back),
                             WEIR_UNREADABLE);
    }
    weir__arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_fold");
    TCase *tcase = tcase_create("fold");

    tcase_add_test(tcase, a_fold_is_the_same_in_any_order_and_grouping);
    tcase_add_test(tcase, an_empty_fold_changes_nothing);
    tcase_add_test(tcase, null_and_zero_volume_give_no_vwap);
    tcase_add_test(tcase, a_fold_that_overflows_stays_as_it_was);
    tcase_add_test(tcase, quotes_and_fallbacks_are_in_no_bar);
    tcase_add_test(tcase, of_two_contents_the_later_by_revision_time_price_and_volume_counts);
    tcase_add_test(tcase, the_same_content_later_is_a_duplicate);
    tcase_add_test(tcase, the_latest_price_is_by_epoch_time_sequence_tick_and_revision);
    tcase_add_test(tcase, row_keys_sort_as_their_ticks);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
