/* test_taxonomy.c: how instruments are classified, and what has to be written of reference rows. */
#include <check.h>

#include "test/run.h"
#include "topologies/differences.h"
#include "topologies/taxonomy.h"

#define TEXT(s) ((struct weir_text){ (s), strlen(s) })

/* ---- taxonomy ---- */

static struct weir_arena arena;

static struct market_taxonomy classify(const char *rules, const char *market, const char *id)
{
    static struct market_taxonomy_rules row;
    static struct market_rulebook      *book;
    struct market_tick                  tick = { .market = TEXT(market), .instrument_id = TEXT(id) };
    struct market_taxonomy              ret;
    struct weir_bytes                   bytes = NO_BYTES;

    if (rules != NULL) {
        char *text = weir__arena_printf(&arena, "{\"tenant_id\":\"t\",\"rules_id\":\"RULES\",\"rules\":[%s]}", rules);

        bytes = BYTES(text, strlen(text));
        ck_assert_int_eq(market_taxonomy_rules->decode(market_taxonomy_rules, &arena, bytes, &row), WEIR_OK);
    }
    market_rulebook_free(book); /* answers are the book's: it lives until the next call */
    ck_assert_int_eq(market_rulebook_new(rules != NULL ? &row : NULL, &book), WEIR_OK);
    ret = market_classify(book, &tick, NULL);
    return ret;
}

static void expect(struct weir_text have, const char *want)
{
    ck_assert_msg(have.size == strlen(want) && memcmp(have.data, want, have.size) == 0, "%.*s instead of %s",
                  (int)have.size, have.data, want);
}

static void is_commodity(const char *rules, const char *market, const char *id, const char *want, const char *method)
{
    struct market_taxonomy is = classify(rules, market, id);

    expect(is.commodity, want);
    expect(is.method, method);
}

START_TEST(words_of_ids_say_what_is_traded)
{
    is_commodity(NULL, "CME", "NG.201312", "natural_gas", "rule_based");
    is_commodity(NULL, "CME", "WTI.CRUDE", "crude_oil", "rule_based");
    is_commodity(NULL, "CME", "THERMAL-COAL", "coal", "rule_based");
    is_commodity(NULL, "CME", "FR.POWER", "electricity", "rule_based");
    is_commodity(NULL, "CME", "XYZ", "unknown", "fallback");
    is_commodity(NULL, "PJM", "PJM.WESTERN.HUB", "electricity", "market_default");
}
END_TEST

/* What looking for keywords anywhere in an id would make of these. */
START_TEST(parts_of_words_say_nothing)
{
    is_commodity(NULL, "CME", "RBOB_GASOLINE", "refined_products", "rule_based");
    is_commodity(NULL, "CME", "HEATING_OIL", "refined_products", "rule_based");
    is_commodity(NULL, "CME", "SPRING.WHEAT", "unknown", "fallback"); /* NG */
    is_commodity(NULL, "CME", "SOIL.INDEX", "unknown", "fallback");   /* OIL */
    expect(classify(NULL, "CME", "LINE.SEVEN").region, "unknown");    /* NE, SE */
    expect(classify(NULL, "CME", "ANYTHING").region, "unknown");      /* NY */
    expect(classify(NULL, "CME", "TXT.SOUTHERN").region, "unknown");
    expect(classify(NULL, "CME", "NY.HARBOR").region, "northeast");
    expect(classify(NULL, "CME", "ISO-NE.FUTURE").region, "northeast"); /* two words in a row */
    expect(classify(NULL, "CME", "ISO.X.NE").region, "northeast");      /* NE alone */
    expect(classify(NULL, "CME", "PREMIER").product_tier, "standard");
    expect(classify(NULL, "CME", "GC.BALMO").product_tier, "premium");
}
END_TEST

START_TEST(names_of_places_in_an_operators_market_say_nothing_else)
{
    expect(classify(NULL, "ERCOT", "ERCOT.HB_WEST").region, "texas");
    expect(classify(NULL, "NYISO", "NYISO.WEST").region, "northeast");
    is_commodity(NULL, "MISO", "MISO.COAL.CREEK", "electricity", "market_default");
    is_commodity(NULL, "PJM", "PJM.GAS.CITY", "electricity", "market_default");
    is_commodity("{\"kind\":\"commodity\",\"answer\":\"steam\",\"keywords\":[\"gas city\"]}", "PJM", "PJM.GAS.CITY",
                 "steam", "rule_based");
}
END_TEST

/* What is sent by way of an operator's topic under a name of the sender's own. */
START_TEST(names_that_are_no_places_of_the_market_go_by_their_words)
{
    is_commodity(NULL, "MISO", "NG_HH_BALMO", "natural_gas", "rule_based");
    is_commodity(NULL, "MISO", "RBOB_GASOLINE", "refined_products", "rule_based");
    is_commodity(NULL, "CAISO", "POWER_PEAK_DAY_AHEAD", "electricity", "rule_based");
    is_commodity(NULL, "CAISO", "SENECA_LINE", "electricity", "market_default");
    expect(classify(NULL, "MISO", "NG_HH_BALMO").product_tier, "premium");
    expect(classify(NULL, "MISO", "NG_HH_M1").region, "midwest");
    expect(classify(NULL, "PJM", "FLORIDA_POWER").region, "southeast");
}
END_TEST

START_TEST(rules_go_by_priority)
{
    static const char two[] = "{\"kind\":\"commodity\",\"answer\":\"x\",\"keywords\":[\"AB\"],\"priority\":1},"
                              "{\"kind\":\"commodity\",\"answer\":\"y\",\"keywords\":[\"CD\"],\"priority\":9}";
    static const char late[] =
        "{\"kind\":\"commodity\",\"answer\":\"x\",\"keywords\":[\"NG\",\"AB\"],\"priority\":-1}";
    static const char instead[] = "{\"kind\":\"commodity\",\"answer\":\"natural_gas\",\"keywords\":[\"ttf\"]}";
    static const char none[] = "{\"kind\":\"commodity\",\"answer\":\"natural_gas\",\"keywords\":[]}";

    is_commodity(two, "ICE", "AB.CD", "y", "rule_based");
    is_commodity(two, "ICE", "AB.CE", "x", "rule_based");
    is_commodity(two, "ICE", "NG.CD", "y", "rule_based");         /* before those built in, */
    is_commodity(late, "ICE", "NG", "natural_gas", "rule_based"); /* or behind them */
    is_commodity(late, "ICE", "AB", "x", "rule_based");
    is_commodity(instead, "ICE", "TTF", "natural_gas", "rule_based");
    is_commodity(instead, "ICE", "NG", "unknown", "fallback"); /* in the place of the one built in */
    is_commodity(none, "ICE", "NG", "unknown", "fallback");
    is_commodity(none, "ICE", "WTI", "crude_oil", "rule_based");
    expect(classify("{\"kind\":\"region\",\"answer\":\"alps\",\"keywords\":[\"AB\"]}", "PJM", "PJM.AB").region,
           "alps");
    expect(classify("{\"kind\":\"product_tier\",\"answer\":\"balmo\",\"keywords\":[\"BALMO\"]}", "ICE", "X.BALMO")
               .product_tier,
           "balmo");
}
END_TEST

START_TEST(confidence_says_how_much_is_known)
{
    static const struct {
        const char *market, *id;
        int         hundredths;
    } cases[] = { { "PJM", "PJM.WESTERN.HUB", 90 },
                  { "ERCOT", "ERCOT.LZ_NORTH", 90 },
                  { "PJM", "PJM.NODE1", 80 },
                  { "AESO", "AESO", 70 },
                  { "CME", "NG.201312", 60 },
                  { "CME", "NG", 50 },
                  { "CME", "XYZ", 10 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_int_eq(classify(NULL, cases[i].market, cases[i].id).confidence.units,
                         MARKET_UNIT / 100 * cases[i].hundredths);
}
END_TEST

START_TEST(places_that_the_sender_names_count)
{
    static const struct market_entry places[] = { { { "node", 4 }, { "001", 3 } }, { { "zone", 4 }, { "A", 1 } } };
    struct market_rulebook          *book;
    struct market_tick               tick = { .market = TEXT("MISO"), .instrument_id = TEXT("NG_HH_BALMO") };

    ck_assert_int_eq(market_rulebook_new(NULL, &book), WEIR_OK);
    for (size_t count = 0; count <= ARRAY_SIZE(places); count++) {
        tick.metadata = (struct market_map){ places, count };
        ck_assert_int_eq(market_classify(book, &tick, NULL).confidence.units, MARKET_UNIT / 10 * (7 + (int)count));
    }
    market_rulebook_free(book);
}
END_TEST

START_TEST(rows_go_before_rules)
{
    struct market_rulebook  *book;
    struct market_instrument row = { .commodity = TEXT("gold") };
    struct market_tick       tick = { .market = TEXT("PJM"), .instrument_id = TEXT("PJM.HUB") };
    struct market_taxonomy   is;

    ck_assert_int_eq(market_rulebook_new(NULL, &book), WEIR_OK);
    is = market_classify(book, &tick, &row);
    expect(is.commodity, "gold");
    expect(is.region, "northeast"); /* what the row does not say */
    expect(is.method, "database");
    ck_assert_int_eq(is.confidence.units, MARKET_UNIT / 100 * 95);
    row.commodity = (struct weir_text){ 0 };
    expect(market_classify(book, &tick, &row).method, "market_default");
    market_rulebook_free(book);
}
END_TEST

/* ---- differences ---- */

static struct market_held *held;

static struct market_row row_of(const char *id, const char *commodity, int64_t version)
{
    struct market_instrument row = {
        .tenant_id = TEXT("t"), .instrument_id = TEXT(id), .commodity = TEXT(commodity), .active = true
    };
    struct market_key key = { row.tenant_id, row.instrument_id };
    struct market_row ret = { .version = version };

    ck_assert_int_eq(market_key->encode(market_key, &arena, &key, &ret.key), WEIR_OK);
    ck_assert_int_eq(market_content_bytes(market_reference_instruments, &arena, &row, &ret.content), WEIR_OK);
    return ret;
}

/* What the row is; *ret_version: of what is to be written, 0 = nothing. */
static int differ(const char *id, const char *commodity, int64_t version, int64_t *ret_version)
{
    struct market_row        row = row_of(id, commodity, version);
    struct market_instrument written;
    struct weir_bytes        value;
    int                      found = market_held_differ(held, &arena, &row, &value);

    *ret_version = 0;
    if (found == MARKET_AS_IT_IS)
        return found;
    ck_assert_int_eq(market_instrument->decode(market_instrument, &arena, value, &written), WEIR_OK);
    expect(written.commodity, commodity);
    *ret_version = written.version;
    return found;
}

static void expect_differ(const char *id, const char *commodity, int64_t said, int want, int64_t want_version)
{
    int64_t version;

    ck_assert_int_eq(differ(id, commodity, said, &version), want);
    ck_assert_int_eq(version, want_version);
}

static size_t vanished(void)
{
    struct weir_bytes key;
    size_t            count = 0;

    while (market_held_vanished(held, &arena, &key) > 0)
        count++;
    return count;
}

START_TEST(what_differs_is_written_once)
{
    struct market_row old = row_of("OLD", "x", 0);
    static const char topic[] = "{\"tenant_id\":\"t\",\"instrument_id\":\"C\",\"version\":7,\"commodity\":\"oil\"}";
    const struct weir_bytes c = BYTES("t/C", 3), broken = BYTES("t/D", 3);

    ck_assert_int_eq(market_held_new(market_reference_instruments, &held), WEIR_OK);
    ck_assert_int_eq(market_held_take(held, c, BYTES(topic, strlen(topic))), WEIR_OK);
    ck_assert_int_eq(market_held_take(held, broken, BYTES("{", 1)), WEIR_OK);
    ck_assert_int_eq(market_held_take(held, old.key, old.content), WEIR_OK);
    market_held_begin(held);
    expect_differ("A", "gold", 0, MARKET_ADDED, 1);
    expect_differ("B", "gold", 40, MARKET_ADDED, 40);
    expect_differ("C", "oil", 0, MARKET_AS_IT_IS, 0); /* in whatever order its members stand */
    expect_differ("D", "gold", 0, MARKET_CHANGED, 1); /* what cannot be read is no row of that */
    ck_assert_uint_eq(vanished(), 1);
    ck_assert_uint_eq(market_held_count(held), 4);
    market_held_begin(held);
    expect_differ("A", "gold", 0, MARKET_AS_IT_IS, 0);
    expect_differ("B", "gold", 41, MARKET_CHANGED, 41); /* a version alone */
    expect_differ("C", "gas", 0, MARKET_CHANGED, 8);
    market_held_keep(held, broken);
    ck_assert_uint_eq(vanished(), 0);
    market_held_begin(held);
    ck_assert_uint_eq(vanished(), 4);
    market_held_begin(held);
    expect_differ("A", "gold", 0, MARKET_ADDED, 1); /* anew */
    ck_assert_int_eq(market_held_take(held, BYTES("t/A", 3), NO_BYTES), WEIR_OK);
    ck_assert_uint_eq(market_held_count(held), 0);
    market_held_free(held);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("taxonomy");
    TCase *test = tcase_create("taxonomy");

    tcase_add_test(test, words_of_ids_say_what_is_traded);
    tcase_add_test(test, parts_of_words_say_nothing);
    tcase_add_test(test, names_of_places_in_an_operators_market_say_nothing_else);
    tcase_add_test(test, names_that_are_no_places_of_the_market_go_by_their_words);
    tcase_add_test(test, rules_go_by_priority);
    tcase_add_test(test, confidence_says_how_much_is_known);
    tcase_add_test(test, places_that_the_sender_names_count);
    tcase_add_test(test, rows_go_before_rules);
    tcase_add_test(test, what_differs_is_written_once);
    suite_add_tcase(suite, test);
    return run_suite(suite);
}
