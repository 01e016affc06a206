/* test_market_instrument.c: the examples of the id rule, what it refuses, ids read again, tick ids, keys. */
#include "framework/json/json.h"
#include "framework/record/record.h"
#include "schemas/instrument.h"
#include "test/run.h"

#include <check.h>
#include <stdlib.h>

static struct weir_text text_of(const char *text) { return (struct weir_text){ text, strlen(text) }; }

static bool text_is(struct weir_text text, const char *wanted)
{
    return text.size == strlen(wanted) && (!text.size || memcmp(text.data, wanted, text.size) == 0);
}

/* ---- the rule ---- */

START_TEST(locations_become_capitals_and_dots)
{
    static const char *const cases[][2] = {
        { "Illinois Hub", "ILLINOIS.HUB" },
        { "ILLINOIS.HUB", "ILLINOIS.HUB" },
        { "N.Y.C.", "N.Y.C" },
        { "H Q", "H.Q" },
        { "HUD VL", "HUD.VL" },
        { "J - New York City", "J.NEW.YORK.CITY" },
        { "American Electric Power Co., Inc - Dayton", "AMERICAN.ELECTRIC.POWER.CO.INC.DAYTON" },
        { "NP-15", "NP-15" },
        { "PJM-RTO", "PJM-RTO" },
        { "HB_HUBAVG", "HB_HUBAVG" },
        { ".H.INTERNAL_HUB", "H.INTERNAL_HUB" },
        { "AR.BERLN_NH22  BRLBD", "AR.BERLN_NH22.BRLBD" },
        { "Minnesota Hub", "MINNESOTA.HUB" },
        { "MINN.HUB", "MINN.HUB" },
        { "0096WD_7_N001", "0096WD_7_N001" },
        { "  x  ", "X" },
        { "a--b", "A--B" },
        { "a- b", "A.B" },
        { "a -b", "A.B" },
        { "-a-", "-A-" },
        { "a -", "A" },
        { "Qu\xc3\xa9"
          "bec/1",
          "QU.BEC.1" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct market_id id;

        ck_assert_int_eq(market_location(text_of(cases[i][0]), &id, NULL), WEIR_OK);
        ck_assert_str_eq(id.text, cases[i][1]);
        ck_assert_uint_eq(id.size, strlen(cases[i][1]));
    }
}
END_TEST

static const struct power {
    const char           *market, *location;
    enum market_basis     basis;
    enum market_stage     stage;
    enum market_component component;
    const char           *id;
} powers[] = {
    { "MISO", "Illinois Hub", MARKET_RT1H, 0, 0, "MISO.ILLINOIS.HUB.RT1H" },
    { "MISO", "Illinois Hub", MARKET_RT1H, 0, MARKET_MCC, "MISO.ILLINOIS.HUB.RT1H.MCC" },
    { "MISO", "Illinois Hub", MARKET_RT1H, 0, MARKET_MLC, "MISO.ILLINOIS.HUB.RT1H.MLC" },
    { "MISO", "ILLINOIS.HUB", MARKET_DA, 0, 0, "MISO.ILLINOIS.HUB.DA" },
    { "MISO", "ILLINOIS.HUB", 0, 0, 0, "MISO.ILLINOIS.HUB" },
    { "MISO", "ILLINOIS.HUB", 0, MARKET_EXANTE, 0, "MISO.ILLINOIS.HUB.EXANTE" },
    { "MISO", "ILLINOIS.HUB", MARKET_DA, MARKET_EXANTE, MARKET_MCC, "MISO.ILLINOIS.HUB.DA.EXANTE.MCC" },
    { "CAISO", "NP15SLAK_5_N001", MARKET_DA, 0, 0, "CAISO.NP15SLAK_5_N001.DA" },
    { "CAISO", "NP15SLAK_5_N001", MARKET_DA, 0, MARKET_MGHG, "CAISO.NP15SLAK_5_N001.DA.MGHG" },
    { "CAISO", "NP-15", MARKET_RT15M, 0, 0, "CAISO.NP-15.RT15M" },
    { "CAISO", "NP-15", MARKET_HASP, 0, 0, "CAISO.NP-15.HASP" },
    { "ERCOT", "HB_HUBAVG", MARKET_DA, 0, 0, "ERCOT.HB_HUBAVG.DA" },
    { "ERCOT", "LZ_HOUSTON", 0, 0, 0, "ERCOT.LZ_HOUSTON" },
    { "ERCOT", "LZ_HOUSTON", MARKET_EW, 0, 0, "ERCOT.LZ_HOUSTON.EW" },
    { "ERCOT", "Hub Average", 0, 0, 0, "ERCOT.HUB.AVERAGE" },
    { "PJM", "WESTERN HUB", MARKET_RT1H, 0, 0, "PJM.WESTERN.HUB.RT1H" },
    { "PJM", "WESTERN HUB", 0, 0, MARKET_MCE, "PJM.WESTERN.HUB.MCE" },
    { "NYISO", "N.Y.C.", 0, 0, 0, "NYISO.N.Y.C" },
    { "NYISO", "N.Y.C.", MARKET_DA, 0, 0, "NYISO.N.Y.C.DA" },
    { "NYISO", "N.Y.C.", MARKET_RTC, 0, 0, "NYISO.N.Y.C.RTC" },
    { "NYISO", "J - New York City", MARKET_RT1H, 0, 0, "NYISO.J.NEW.YORK.CITY.RT1H" },
    { "ISONE", ".H.INTERNAL_HUB", MARKET_RT1H, MARKET_PRELIM, 0, "ISONE.H.INTERNAL_HUB.RT1H.PRELIM" },
    { "ISONE", "Internal Hub", MARKET_RT1H, 0, 0, "ISONE.INTERNAL.HUB.RT1H" },
    { "AESO", "AB", MARKET_RT1H, 0, 0, "AESO.AB.RT1H" },
    { "AESO", "AB", 0, 0, 0, "AESO.AB" },
    { "AESO", "AB", MARKET_RT1H, MARKET_FORECAST, 0, "AESO.AB.RT1H.FORECAST" },
};

START_TEST(electricity_ids_are_made_and_read_again)
{
    for (size_t i = 0; i < ARRAY_SIZE(powers); i++) {
        const struct power    *wanted = &powers[i];
        struct market_power    power = { .market = wanted->market,
                                         .location = text_of(wanted->location),
                                         .basis = wanted->basis,
                                         .stage = wanted->stage,
                                         .component = wanted->component };
        struct market_id       id, location;
        struct market_id_parts parts;

        ck_assert_int_eq(market_power_id(&power, &id, NULL), WEIR_OK);
        ck_assert_str_eq(id.text, wanted->id);
        ck_assert_uint_eq(id.size, strlen(wanted->id));
        ck_assert_int_eq(market_id_split(text_of(id.text), &parts), WEIR_OK);
        ck_assert_int_eq(market_location(power.location, &location, NULL), WEIR_OK);
        ck_assert(text_is(parts.market, wanted->market) && text_is(parts.location, location.text));
        ck_assert(parts.basis == wanted->basis && parts.stage == wanted->stage);
        ck_assert(parts.component == wanted->component && !parts.perpetual);
    }
}
END_TEST

START_TEST(trades_ids_are_made_and_read_again)
{
    static const struct {
        const char *first, *second;
        bool        perpetual;
        const char *id, *market, *location;
    } cases[] = {
        { "GC", "201312", false, "GC.201312", "GC", "201312" },
        { "SPY", NULL, false, "SPY", "SPY", "" },
        { "Kraken", "XBTUSDT", false, "KRAKEN.XBTUSDT", "KRAKEN", "XBTUSDT" },
        { "BINANCE", "ETHUSDT", true, "BINANCE.ETHUSDT.PERP", "BINANCE", "ETHUSDT" },
        { "BINANCE", "BTCUSDT", false, "BINANCE.BTCUSDT", "BINANCE", "BTCUSDT" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct weir_text       second = cases[i].second ? text_of(cases[i].second) : (struct weir_text){ 0 };
        struct market_id       id;
        struct market_id_parts parts;

        ck_assert_int_eq(market_trade_id(text_of(cases[i].first), second, cases[i].perpetual, &id, NULL), WEIR_OK);
        ck_assert_str_eq(id.text, cases[i].id);
        ck_assert_int_eq(market_id_split(text_of(id.text), &parts), WEIR_OK);
        ck_assert(text_is(parts.market, cases[i].market) && text_is(parts.location, cases[i].location));
        ck_assert(parts.perpetual == cases[i].perpetual && !parts.basis && !parts.stage && !parts.component);
    }
}
END_TEST

START_TEST(a_name_that_ends_in_a_suffix_is_a_clash)
{
    static const char *const names[] = { "HUB.DA",   "hub rt1h", "X.RT15M",    "X RTC",   "X.HASP",     "X-Y EW",
                                         "X.PRELIM", "X EXANTE", "X.FORECAST", "X (MCE)", "X.MCC",      "X.MLC",
                                         "X.MGHG",   "X PERP",   "DA",         "x.da.",   "X.DA.EXANTE" };
    static const char *const good[] = { "HUB.DAY", "HUBDA", "HUB-DA", "HUB_DA", "DA HUB", "MCC.1" };
    struct market_id         id = { .text = "kept" };
    struct weir_error        err;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct market_power power = { .market = "MISO", .location = text_of(names[i]) };

        memset(&err, 0, sizeof(err));
        ck_assert_msg(market_power_id(&power, &id, &err) == MARKET_NAME_CLASH, "%s gives %s", names[i], id.text);
        ck_assert(err.code == MARKET_NAME_CLASH && strstr(err.text, names[i]));
        ck_assert_str_eq(id.text, "kept");
    }
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct market_power power = { .market = "MISO", .location = text_of(good[i]) };

        ck_assert_int_eq(market_power_id(&power, &id, NULL), WEIR_OK);
    }
}
END_TEST

START_TEST(names_that_give_no_id_are_refused)
{
    char                longest[MARKET_INSTRUMENT_MAX + 2];
    struct market_id    id;
    struct weir_error   err;
    struct market_power power = { .market = "PJM",
                                  .location = { longest, MARKET_INSTRUMENT_MAX },
                                  .basis = MARKET_RT1H };

    ck_assert_int_eq(market_location(text_of(""), &id, &err), MARKET_BAD_NAME);
    ck_assert_int_eq(market_location(text_of(" .,; "), &id, &err), MARKET_BAD_NAME);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert_int_eq(market_location(text_of(longest), &id, &err), MARKET_TOO_LONG);
    longest[MARKET_INSTRUMENT_MAX] = '\0';
    ck_assert_int_eq(market_location(text_of(longest), &id, &err), WEIR_OK);
    ck_assert_int_eq(market_power_id(&power, &id, &err), MARKET_TOO_LONG);
    power.location.size = MARKET_INSTRUMENT_MAX - strlen("PJM..RT1H") + 1;
    ck_assert_int_eq(market_power_id(&power, &id, &err), MARKET_TOO_LONG);
    power.location.size--;
    ck_assert_int_eq(market_power_id(&power, &id, &err), WEIR_OK);
    ck_assert_uint_eq(id.size, MARKET_INSTRUMENT_MAX);
}
END_TEST

START_TEST(two_names_of_one_feed_do_not_share_an_id)
{
    struct market_names *names = market_names_new();
    struct weir_error    err = { 0 };

    ck_assert_ptr_nonnull(names);
    ck_assert_int_eq(market_names_check(names, text_of("H.Q"), text_of("H Q"), &err), WEIR_OK);
    ck_assert_int_eq(market_names_check(names, text_of("H.Q"), text_of("H Q"), &err), WEIR_OK);
    ck_assert_int_eq(market_names_check(names, text_of("HUD.VL"), text_of("HUD VL"), &err), WEIR_OK);
    ck_assert_int_eq(market_names_check(names, text_of("H.Q"), text_of("H.Q"), &err), MARKET_NAME_CLASH);
    ck_assert(strstr(err.text, "'H Q'") && strstr(err.text, "'H.Q'"));
    ck_assert_int_eq(market_names_check(names, text_of("H.Q"), text_of("H Q"), &err), WEIR_OK);
    market_names_free(names);
    market_names_free(NULL);
}
END_TEST

START_TEST(without_memory_names_are_not_taken_for_known)
{
    for (uint64_t n = 1;; n++) {
        struct market_names *names;
        int                  err = WEIR_NO_MEMORY;

        weir__fail_allocation(n);
        names = market_names_new();
        if (names)
            err = market_names_check(names, text_of("H.Q"), text_of("H Q"), NULL);
        weir__fail_allocation(0);
        ck_assert(err == WEIR_OK || err == WEIR_NO_MEMORY);
        if (names)
            ck_assert_int_eq(market_names_check(names, text_of("H.Q"), text_of("H Q"), NULL), WEIR_OK);
        market_names_free(names);
        if (err == WEIR_OK)
            break;
    }
}
END_TEST

START_TEST(what_is_no_id_does_not_split)
{
    static const char *const texts[] = { "", ".", "A.", ".A", "A..B", "a", "A B", "A/B", "A\x80" };
    struct market_id_parts   parts;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        ck_assert_msg(market_id_split(text_of(texts[i]), &parts) == MARKET_BAD_NAME, "'%s'", texts[i]);
    ck_assert_int_eq(market_id_split(text_of("DA"), &parts), WEIR_OK);
    ck_assert(text_is(parts.market, "DA") && parts.basis == MARKET_REAL_TIME);
}
END_TEST

/* ---- tick ids ---- */

static const char *hex(const uint8_t bytes[MARKET_TICK_ID_BYTES])
{
    static char text[2 * MARKET_TICK_ID_BYTES + 1];

    for (size_t i = 0; i < MARKET_TICK_ID_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

START_TEST(a_tick_id_is_the_hash_of_its_identity)
{
    struct market_tick_identity price = { .tenant = text_of("default"),
                                          .market = text_of("PJM"),
                                          .instrument = text_of("PJM.WESTERN.HUB.RT1H"),
                                          .event_time = INT64_C(1746072000000000) };
    struct market_tick_identity trade = { .tenant = text_of("t-1"),
                                          .market = text_of("KRAKEN"),
                                          .instrument = text_of("KRAKEN.XBTUSDT"),
                                          .event_time = -1,
                                          .source = text_of("kraken"),
                                          .sequence = INT64_MIN };
    uint8_t                     id[MARKET_TICK_ID_BYTES];

    /* printf %s 'default|PJM|PJM.WESTERN.HUB.RT1H|1746072000000000||0' | sha256sum */
    ck_assert_int_eq(market_tick_id(&price, id), WEIR_OK);
    ck_assert_str_eq(hex(id), "455f595b60e2a9f8b4d7196b8a742d00bfdcf95bdedb150203ebda534e923754");
    /* printf %s 't-1|KRAKEN|KRAKEN.XBTUSDT|-1|kraken|-9223372036854775808' | sha256sum */
    ck_assert_int_eq(market_tick_id(&trade, id), WEIR_OK);
    ck_assert_str_eq(hex(id), "55e7d18c4893881e53536902d86c30627d35851588ab0b85a66be78309bc757d");
}
END_TEST

START_TEST(without_memory_there_is_no_tick_id)
{
    struct market_tick_identity identity = { .tenant = text_of("t"),
                                             .market = text_of("A"),
                                             .instrument = text_of("A") };
    uint8_t                     id[MARKET_TICK_ID_BYTES];

    weir__fail_allocation(1); /* of the thread's own context: only the first call needs one */
    ck_assert_int_eq(market_tick_id(&identity, id), WEIR_NO_MEMORY);
    weir__fail_allocation(0);
    ck_assert_int_eq(market_tick_id(&identity, id), WEIR_OK);
    weir__fail_allocation(1);
    ck_assert_int_eq(market_tick_id(&identity, id), WEIR_OK);
    weir__fail_allocation(0);
}
END_TEST

/* ---- keys ---- */

START_TEST(a_key_is_tenant_slash_instrument)
{
    static const char       bytes[] = "acme-1/PJM.WESTERN.HUB.RT1H";
    struct weir_arena       arena = { 0 };
    const void             *value;
    struct weir_bytes       out;
    struct weir_json_out    json = { 0 };
    const struct weir_json *parsed;
    struct market_key       key;

    ck_assert_int_eq(weir__decode(market_key, &arena, BYTES(bytes, strlen(bytes)), &value), WEIR_OK);
    key = *(const struct market_key *)value;
    ck_assert(text_is(key.tenant, "acme-1") && text_is(key.instrument, "PJM.WESTERN.HUB.RT1H"));
    ck_assert_int_eq(weir__encode(market_key, &arena, &key, &out), WEIR_OK);
    ck_assert(weir__bytes_equal(out, BYTES(bytes, strlen(bytes))));
    ck_assert_int_eq(market_key->print(market_key, &key, &json), WEIR_OK);
    ck_assert_int_eq(weir_json_parse(&arena, (struct weir_text){ json.buf.data, json.buf.size }, &parsed, NULL),
                     WEIR_OK);
    ck_assert_int_eq(market_key->parse(market_key, parsed, &key), WEIR_OK);
    ck_assert(text_is(key.tenant, "acme-1") && text_is(key.instrument, "PJM.WESTERN.HUB.RT1H"));
    weir__json_out_fini(&json);
    weir__arena_fini(&arena);
}
END_TEST

START_TEST(keys_that_could_be_read_two_ways_are_refused)
{
    static const char *const texts[] = { "", "/", "a", "a/", "/A", "a/b", "a/B/C", "a b/C", "a/B..C", "\xc3\xa9/A" };
    struct market_key        key = { text_of("a/b"), text_of("C") };
    struct weir_arena        arena = { 0 };
    struct weir_bytes        out;
    char                     longest[MARKET_TENANT_MAX + 4];

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        ck_assert_msg(market_key_split(text_of(texts[i]), &key) == MARKET_BAD_NAME, "'%s'", texts[i]);
    ck_assert_int_eq(weir__encode(market_key, &arena, &key, &out), WEIR_UNREADABLE);
    memset(longest, 't', sizeof(longest));
    memcpy(longest + MARKET_TENANT_MAX + 1, "/A", 3);
    ck_assert_int_eq(market_key_split(text_of(longest), &key), MARKET_BAD_NAME);
    ck_assert_int_eq(market_key_split(text_of(longest + 1), &key), WEIR_OK);
    weir__arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_instrument");
    TCase *tcase = tcase_create("instrument");

    tcase_add_test(tcase, locations_become_capitals_and_dots);
    tcase_add_test(tcase, electricity_ids_are_made_and_read_again);
    tcase_add_test(tcase, trades_ids_are_made_and_read_again);
    tcase_add_test(tcase, a_name_that_ends_in_a_suffix_is_a_clash);
    tcase_add_test(tcase, names_that_give_no_id_are_refused);
    tcase_add_test(tcase, two_names_of_one_feed_do_not_share_an_id);
    tcase_add_test(tcase, without_memory_names_are_not_taken_for_known);
    tcase_add_test(tcase, what_is_no_id_does_not_split);
    tcase_add_test(tcase, a_tick_id_is_the_hash_of_its_identity);
    tcase_add_test(tcase, without_memory_there_is_no_tick_id);
    tcase_add_test(tcase, a_key_is_tenant_slash_instrument);
    tcase_add_test(tcase, keys_that_could_be_read_two_ways_are_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
