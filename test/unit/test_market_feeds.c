/* test_market_feeds.c: raw events of every shape and market into ticks, and every refusal by its name. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "framework/record/record.h"
#include "test/fuzz/market_check.h"
#include "test/run.h"

static struct weir_arena     arena;
static struct market_reading reading;
static struct weir_error     error;

static struct market_raw_options raw_options;

static const struct market_origin origin = {
    .topic = "raw", .partition = 3, .offset = 17, .timestamp = 1700000000000
};

static void begin(void) { weir__arena_init(&arena, 0); }

static void finish(void) { weir__arena_fini(&arena); }

/* From a copy with nothing behind it: a look past the end is found by the address sanitizer. */
static int read_bytes(const void *bytes, size_t size)
{
    const void *copy = weir__arena_copy(&arena, bytes, size);

    error = (struct weir_error){ 0 };
    return market_read_raw(&arena, BYTES(copy, size), &origin, &raw_options, &reading, &error);
}

static int read_text(const char *text) { return read_bytes(text, strlen(text)); }

static void put_tick(struct weir__buf *buf, const struct market_tick *tick)
{
    char time[MARKET_TIME_ROOM], number[MARKET_DECIMAL_ROOM] = "-";

    market_time_write(tick->event_time, time);
    if (tick->price.given)
        market_decimal_write(tick->price.units, number);
    weir__buf_printf(buf, "%.*s %s %s", (int)tick->instrument_id.size, tick->instrument_id.data, time, number);
    if (tick->volume.given) {
        market_decimal_write(tick->volume.units, number);
        weir__buf_printf(buf, " x%s", number);
    }
    if (tick->revision != 1)
        weir__buf_printf(buf, " r%" PRId64, tick->revision);
    if (tick->sequence)
        weir__buf_printf(buf, " #%" PRId64, tick->sequence);
    for (int bit = 0; bit < MARKET_FLAG_COUNT; bit++)
        if (tick->quality_flags >> bit & 1)
            weir__buf_printf(buf, " %s", market_flag_label(bit));
}

/* All ticks of the event, one after the other, then what was absent. */
static const char *ticks_of(const char *text)
{
    struct weir__buf buf = { 0 };
    const char      *kept;

    ck_assert_msg(read_text(text) == WEIR_OK, "%s: %s", text, error.text);
    for (size_t i = 0; i < reading.count; i++) {
        weir__buf_puts(&buf, i ? "; " : "");
        put_tick(&buf, &reading.ticks[i]);
    }
    if (reading.components_absent)
        weir__buf_printf(&buf, "; %zu absent", reading.components_absent);
    if (reading.prices_awaited)
        weir__buf_printf(&buf, "; %zu awaited", reading.prices_awaited);
    weir__buf_putc(&buf, '\0');
    kept = weir__arena_copy(&arena, buf.data, buf.size);
    weir__buf_fini(&buf);
    return kept;
}

/* A flat payload in its envelope. */
static const char *flat(const char *payload)
{
    return weir__arena_printf(
        &arena,
        "{\"event_id\":\"e\",\"trace_id\":\"t\",\"schema_version\":\"1.0.0\",\"tenant_id\":\"acme\","
        "\"producer\":\"p@1\",\"occurred_at\":1696089600000000,\"ingested_at\":1696089601000000,"
        "\"payload\":%s}",
        payload);
}

/* A tick document in its envelope. */
static const char *tick(const char *market, const char *rest)
{
    return flat(weir__arena_printf(&arena, "{\"source_system\":\"s\",\"market\":\"%s\",\"symbol\":\"SYM\",%s}",
                                   market, rest));
}

#define IS(text, wanted) ck_assert_str_eq(ticks_of(text), wanted)

static void refuses(const char *text, const char *reason, const char *where)
{
    int code = read_text(text);

    ck_assert_msg(code < 0, "%s is taken", text);
    ck_assert_str_eq(market_reason_name(code), reason);
    ck_assert_msg(strstr(error.text, where) || strstr(error.where, where), "%s: %s: %s", text, error.where,
                  error.text);
}

/* Gives the new size. */
static size_t damage(char *bytes, size_t size, size_t room, unsigned *seed)
{
    size_t at = size ? (size_t)rand_r(seed) % size : 0, length = (size_t)rand_r(seed) % 16;

    switch (size ? rand_r(seed) % 5 : 4) {
    case 0: bytes[at] = (char)rand_r(seed); return size;
    case 1: bytes[at] = "\"{}[],:0-.eT \\"[rand_r(seed) % 15]; return size;
    case 2:
        length = MIN(length, size - at);
        memmove(bytes + at, bytes + at + length, size - at - length);
        return size - length;
    case 3:
        length = MIN(MIN(length, size - at), room - size);
        memmove(bytes + at + length, bytes + at, size - at);
        return size + length;
    default: return at;
    }
}

/* ---- electricity ---- */

START_TEST(connectors_payloads_of_each_market)
{
    IS(flat(
           "{\"market\":\"miso\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"ALTW.WELLS1\","
           "\"market_run\":null,\"lmp_usd_per_mwh\":25.5,\"congestion_usd_per_mwh\":-1.25,\"loss_usd_per_mwh\":0.5,"
           "\"energy_usd_per_mwh\":26.25}"),
       "MISO.ALTW.WELLS1 2025-05-01T04:00:00Z 25.5; MISO.ALTW.WELLS1.MCE 2025-05-01T04:00:00Z 26.25; "
       "MISO.ALTW.WELLS1.MCC 2025-05-01T04:00:00Z -1.25; MISO.ALTW.WELLS1.MLC 2025-05-01T04:00:00Z 0.5");
    IS(flat(
           "{\"market\":\"PJM\",\"data_type\":\"rtm_lmp\",\"timestamp\":\"2025-05-01T04:00:00\",\"node\":\"WESTERN HUB\","
           "\"market_run\":\"RT\",\"lmp_usd_per_mwh\":1e1,\"congestion_usd_per_mwh\":null,\"loss_usd_per_mwh\":\"\"}"),
       "PJM.WESTERN.HUB.RT1H 2025-05-01T04:00:00Z 10; 2 absent");
    IS(flat(
           "{\"market\":\"pjm\",\"data_type\":\"lmp\",\"datetime_beginning_ept\":\"5/1/2025 12:00:00 AM\",\"pnode_name\":\"AEP\","
           "\"total_lmp_da\":\"24.966949\"}"),
       "PJM.AEP.DA 2025-05-01T04:00:00Z 24.966949");
    IS(flat(
           "{\"market\":\"ercot\",\"data_type\":\"dam\",\"timestamp\":\"2025-05-01T04:00:00-05:00\",\"node\":\"HB_HUBAVG\","
           "\"lmp_usd_per_mwh\":-3.5,\"mcc_usd_per_mwh\":0,\"mlc_usd_per_mwh\":null}"),
       "ERCOT.HB_HUBAVG.DA 2025-05-01T09:00:00Z -3.5 price_negative; ERCOT.HB_HUBAVG.DA.MCC 2025-05-01T09:00:00Z 0; 1 absent");
    IS(flat("{\"market\":\"nyiso\",\"data_type\":\"lbmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"N.Y.C.\","
            "\"lbmp_usd_per_mwh\":80,\"congestion_usd_per_mwh\":-12.5,\"loss_usd_per_mwh\":2}"),
       "NYISO.N.Y.C.DA 2025-05-01T04:00:00Z 80; NYISO.N.Y.C.DA.MCC 2025-05-01T04:00:00Z 12.5; "
       "NYISO.N.Y.C.DA.MLC 2025-05-01T04:00:00Z 2");
    IS(flat("{\"market\":\"ISO-NE\",\"data_type\":\"rt_lmp\",\"timestamp\":1746072000,\"node\":\".H.INTERNAL_HUB\","
            "\"lmp_usd_per_mwh\":31.5}"),
       "ISONE.H.INTERNAL_HUB.RT1H 2025-05-01T04:00:00Z 31.5");
    IS(flat("{\"market\":\"aeso\",\"data_type\":\"pool_price\",\"begin_datetime_utc\":\"2024-04-14 06:00\","
            "\"pool_price_cad_per_mwh\":28.89,\"forecast_pool_price_cad_per_mwh\":28.77}"),
       "AESO.AB.RT1H 2024-04-14T06:00:00Z 28.89; AESO.AB.RT1H.FORECAST 2024-04-14T06:00:00Z 28.77");
    ck_assert_int_eq(memcmp(reading.ticks[0].currency.data, "CAD", 3), 0);
    ck_assert_int_eq(reading.ahead, INT64_C(300000000));
    IS(flat("{\"market\":\"AESO\",\"data_type\":\"pool_price\",\"timestamp\":\"2024-04-14T00:00:00-06:00\","
            "\"Price\":\"28.89\",\"forecast\":28.77}"),
       "AESO.AB.RT1H 2024-04-14T06:00:00Z 28.89; AESO.AB.RT1H.FORECAST 2024-04-14T06:00:00Z 28.77");
#define AESO_AHEAD(more)                                                                                      \
    flat("{\"market\":\"aeso\",\"data_type\":\"pool_price\",\"begin_datetime_utc\":\"2024-04-14 06:00\"" more \
         ",\"forecast_pool_price\":\"28.77\"}")
    IS(AESO_AHEAD(",\"pool_price\":\"\""), "AESO.AB.RT1H.FORECAST 2024-04-14T06:00:00Z 28.77; 1 awaited");
    ck_assert_int_eq(reading.ahead, INT64_C(72) * 3600000000);
    IS(AESO_AHEAD(""), "AESO.AB.RT1H.FORECAST 2024-04-14T06:00:00Z 28.77; 1 awaited");
    raw_options.components_off = raw_options.fallback = true;
    IS(AESO_AHEAD(",\"pool_price\":\"\""), "AESO.AB.RT1H.FORECAST 2024-04-14T06:00:00Z 28.77; 1 awaited");
    IS(AESO_AHEAD(",\"pool_price\":\"1\""),
       "AESO.AB.RT1H 2024-04-14T06:00:00Z 1; AESO.AB.RT1H.FORECAST 2024-04-14T06:00:00Z 28.77");
    raw_options.components_off = raw_options.fallback = false;
#define AESO_SMP(more)                                                                                                   \
    flat(                                                                                                                \
        "{\"market\":\"aeso\",\"data_type\":\"system_marginal_price\",\"begin_datetime_utc\":\"2024-04-14 06:01\"," more \
        "\"system_marginal_price_cad_per_mwh\":28.89}")
    IS(AESO_SMP("\"volume_mwh\":55,"), "AESO.AB 2024-04-14T06:01:00Z 28.89 x55");
    IS(AESO_SMP("\"volume_mwh\":null,"), "AESO.AB 2024-04-14T06:01:00Z 28.89 missing_volume");
    IS(AESO_SMP(""), "AESO.AB 2024-04-14T06:01:00Z 28.89");
}
END_TEST

START_TEST(a_flat_event_needs_no_payload_around_it)
{
    IS("{\"event_id\":\"u\",\"occurred_at\":1,\"tenant_id\":\"default\",\"producer\":\"caiso-connector\",\"market\":\"CAISO\","
       "\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"market_run_id\":\"RTPD\",\"node\":\"NP15\","
       "\"lmp_usd_per_mwh\":\"41.57641\"}",
       "CAISO.NP15.RT15M 2025-05-01T04:00:00Z 41.57641");
}
END_TEST

/* What the OASIS connectors of CAISO send: rows made one, with the end of the interval, and the rows beside it. */
START_TEST(connectors_of_caiso)
{
#define CAISO_MADE(type, rows)                                                                                                \
    "{\"event_id\":\"u\",\"occurred_at\":1746075600000000,\"tenant_id\":\"default\",\"producer\":\"caiso-connector\","        \
    "\"market\":\"CAISO\",\"market_id\":\"CAISO\",\"data_type\":\"" type                                                      \
    "\",\"source\":\"caiso-oasis\",\"delivery_location\":"                                                                    \
    "\"TH_NP15_GEN-APND\",\"price\":-1.5,\"clearing_price\":4,\"congestion_price\":-5,\"loss_price\":-0.5,\"quantity\":null," \
    "\"timestamp\":\"2025-05-01T05:00:00-00:00\",\"raw_data\":\"" rows "\"}"
#define CAISO_ROWS(run) \
    "[{\\\"MARKET_RUN_ID\\\":\\\"" run "\\\",\\\"LMP_TYPE\\\":\\\"LMP\\\",\\\"MW\\\":\\\"-1.5\\\"},{}]"
#define NP15 "CAISO.TH_NP15_GEN-APND"
    IS(CAISO_MADE("market_price", CAISO_ROWS("DAM")),
       NP15 ".DA 2025-05-01T04:00:00Z -1.5 price_negative; " NP15 ".DA.MCE 2025-05-01T04:00:00Z 4; " NP15
            ".DA.MCC 2025-05-01T04:00:00Z -5; " NP15 ".DA.MLC 2025-05-01T04:00:00Z -0.5");
    ck_assert_int_eq(memcmp(reading.ticks[0].unit.data, "MWh", 3), 0);
    IS(CAISO_MADE("edam_lmp", CAISO_ROWS("RTM")),
       NP15 " 2025-05-01T04:55:00Z -1.5 price_negative; " NP15 ".MCE 2025-05-01T04:55:00Z 4; " NP15
            ".MCC 2025-05-01T04:55:00Z -5; " NP15 ".MLC 2025-05-01T04:55:00Z -0.5");
    refuses(CAISO_MADE("market_price", "[]"), "unknown_product", "MARKET_RUN_ID");
    refuses(CAISO_MADE("market_price", "[{"), "malformed", "raw_data");
    refuses(CAISO_MADE("market_price", CAISO_ROWS("XYZ")), "unknown_product", "XYZ");
    refuses(CAISO_MADE("as_dam", "[]"), "not_a_price", "as_dam");
#define CAISO_LMP(type, run)                                                                            \
    flat("{\"market\":\"CAISO\",\"data_type\":\"" type "\",\"timestamp\":\"2025-05-01T04:00:00Z\"," run \
         "\"node\":\"X\",\"lmp_usd_per_mwh\":1}")
    IS(CAISO_LMP("lmp_rtm", ""), "CAISO.X 2025-05-01T04:00:00Z 1");
    IS(CAISO_LMP("lmp_fmm", "\"market_run_id\":\"FMM\","), "CAISO.X.RT15M 2025-05-01T04:00:00Z 1");
    IS(CAISO_LMP("lmp_hasp", ""), "CAISO.X.HASP 2025-05-01T04:00:00Z 1");
    IS(CAISO_LMP("lmp_dam", ""), "CAISO.X.DA 2025-05-01T04:00:00Z 1");
    refuses(CAISO_LMP("lmp_rtm", "\"market_run_id\":\"DAM\","), "unknown_product", "market_run_id");
    refuses(CAISO_LMP("lmp", ""), "unknown_product", "market_run_id");
    refuses(flat("{\"market\":\"CAISO\",\"data_type\":\"PRC_LMP\",\"INTERVALSTARTTIME_GMT\":\"2025-05-01T04:00:00Z\","
                 "\"NODE\":\"X\",\"LMP_TYPE\":\"LMP\",\"MW\":\"1\"}"),
            "unknown_product", "MARKET_RUN_ID");
}
END_TEST

/* A data type of another kind than prices of energy has a reason of its own, whatever it holds. */
START_TEST(what_is_no_price_of_energy)
{
    static const char *const types[] = {
        "MISO as",
        "MISO pra",
        "MISO arr",
        "MISO tcr",
        "CAISO as_dam",
        "CAISO as_fmm",
        "CAISO as_rtm",
        "CAISO crr",
        "CAISO trade",
        "CAISO curve",
        "CAISO system_status",
        "ERCOT ordc",
        "ERCOT as",
        "ERCOT crr",
        "ERCOT outages",
        "PJM rpm",
        "PJM tcr",
        "PJM outages",
        "NYISO icap",
        "NYISO tcc",
        "NYISO outages",
        "ISONE fcm",
        "ISONE ftr",
        "ISONE outages",
        "AESO alberta_internal_load",
        "AESO current_supply_demand_summary",
        "AESO current_supply_demand_assets",
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        const char *blank = strchr(types[i], ' ');

        refuses(flat(weir__arena_printf(&arena,
                                        "{\"market\":\"%.*s\",\"data_type\":\"%s\",\"price\":1,\"node\":\"X\","
                                        "\"timestamp\":\"2025-05-01T04:00:00Z\"}",
                                        (int)(blank - types[i]), types[i], blank + 1)),
                "not_a_price", blank + 1);
    }
}
END_TEST

START_TEST(products_go_by_run_and_class)
{
#define MISO_RUN(run)                                                                                                 \
    flat(                                                                                                             \
        "{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"X\",\"lmp\":1," \
        "\"marketRunId\":\"" run "\"}")
    IS(MISO_RUN("DA"), "MISO.X.DA 2025-05-01T04:00:00Z 1");
    IS(MISO_RUN("rt"), "MISO.X 2025-05-01T04:00:00Z 1");
    IS(MISO_RUN("RT_HOURLY"), "MISO.X.RT1H 2025-05-01T04:00:00Z 1");
    refuses(MISO_RUN("EIM"), "unknown_product", "marketRunId");
    refuses(flat("{\"market\":\"ERCOT\",\"data_type\":\"dam\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"X\","
                 "\"lmp\":1,\"market_run\":\"RTM\"}"),
            "unknown_product", "market_run");
}
END_TEST

START_TEST(ercot_intervals_and_the_repeated_hour)
{
#define ERCOT(hour, quarter, class, flag)                                                                            \
    flat("{\"market\":\"ERCOT\",\"data_type\":\"NP6-905-CD\",\"deliveryDate\":\"2025-11-02\",\"deliveryHour\":" hour \
         ",\"deliveryInterval\":" quarter ",\"settlementPoint\":\"LZ_HOUSTON\",\"settlementPointType\":\"" class     \
         "\",\"settlementPointPrice\":44.26,\"DSTFlag\":" flag "}")
    IS(ERCOT("1", "1", "LZ", "false"), "ERCOT.LZ_HOUSTON 2025-11-02T05:00:00Z 44.26");
    IS(ERCOT("2", "4", "LZ", "false"), "ERCOT.LZ_HOUSTON 2025-11-02T06:45:00Z 44.26");
    IS(ERCOT("2", "4", "LZEW", "true"), "ERCOT.LZ_HOUSTON.EW 2025-11-02T07:45:00Z 44.26");
    IS(ERCOT("24", "4", "LZ", "false"), "ERCOT.LZ_HOUSTON 2025-11-03T05:45:00Z 44.26");
    refuses(ERCOT("25", "5", "LZ", "false"), "bad_time", "deliveryInterval");
    refuses(ERCOT("0", "1", "LZ", "false"), "bad_time", "deliveryHour");
    IS(flat(
           "{\"market\":\"ERCOT\",\"data_type\":\"NP4-190-CD\",\"deliveryDate\":\"2026-09-23\",\"hourEnding\":\"24:00\","
           "\"settlementPoint\":\"HB_HUBAVG\",\"settlementPointPrice\":37.9,\"DSTFlag\":false}"),
       "ERCOT.HB_HUBAVG.DA 2026-09-24T04:00:00Z 37.9");
}
END_TEST

START_TEST(a_repeated_hour_without_a_flag_is_the_earlier_and_says_so)
{
#define PAYLOAD(more)                                                                                                                        \
    weir__arena_printf(                                                                                                                      \
        &arena,                                                                                                                              \
        "{\"market\":\"NYISO\",\"data_type\":\"damlbmp_zone\",\"Time Stamp\":\"11/02/2025 01:00\",\"Name\":\"WEST\",\"LBMP ($/MWHr)\":1%s}", \
        more)

    IS(flat(PAYLOAD("")), "NYISO.WEST.DA 2025-11-02T05:00:00Z 1 ambiguous_time");
    IS(flat(PAYLOAD(",\"repeated_hour\":\"later\"")), "NYISO.WEST.DA 2025-11-02T06:00:00Z 1");
    IS(flat(PAYLOAD(",\"repeated_hour\":\"earlier\"")), "NYISO.WEST.DA 2025-11-02T05:00:00Z 1");
    refuses(flat(PAYLOAD(",\"repeated_hour\":\"maybe\"")), "wrong_type", "repeated_hour");
}
END_TEST

START_TEST(nyiso_stamps_end_an_interval_of_the_grid)
{
#define NYISO(stamp)                                                                                               \
    flat("{\"market\":\"NYISO\",\"data_type\":\"realtime_zone\",\"Time Stamp\":\"" stamp "\",\"Name\":\"HUD VL\"," \
         "\"LBMP ($/MWHr)\":\"-2.10\",\"Marginal Cost Congestion ($/MWHr)\":\"0.00\"}")
    IS(NYISO("07/18/2022 00:05:00"),
       "NYISO.HUD.VL 2022-07-18T04:00:00Z -2.1 #300 price_negative; NYISO.HUD.VL.MCC 2022-07-18T04:00:00Z 0 #300");
    IS(NYISO("07/18/2022 00:15:12"),
       "NYISO.HUD.VL 2022-07-18T04:15:00Z -2.1 #12 price_negative; NYISO.HUD.VL.MCC 2022-07-18T04:15:00Z 0 #12");
}
END_TEST

START_TEST(miso_labels_start_and_hours_end)
{
    IS(flat("{\"market\":\"MISO\",\"data_type\":\"FiveMinLMP\",\"RefId\":\"02-Oct-2026 - Interval 16:50 EST\","
            "\"HourAndMin\":\"16:50\",\"name\":\"AECI\",\"LMP\":\"34.04\",\"MLC\":\"-0.94\",\"MCC\":\".48\"}"),
       "MISO.AECI 2026-10-02T21:50:00Z 34.04; MISO.AECI.MCC 2026-10-02T21:50:00Z 0.48; MISO.AECI.MLC 2026-10-02T21:50:00Z -0.94");
    IS(flat("{\"market\":\"MISO\",\"data_type\":\"DayAheadExPostLMP\",\"RefId\":\"02-Oct-2026 - Interval 16:50 EST\","
            "\"HourAndMin\":\"HE 17\",\"name\":\"AECI\",\"LMP\":\"36.72\"}"),
       "MISO.AECI.DA 2026-10-02T21:00:00Z 36.72");
    IS(flat("{\"market\":\"MISO\",\"data_type\":\"da_expost_lmp\",\"operating_day\":\"09/23/2026\",\"HE\":\"HE 24\","
            "\"Node\":\"ALTW\",\"Value\":\"MCC\",\"price\":\"-.37\"}"),
       "MISO.ALTW.DA.MCC 2026-09-24T04:00:00Z -0.37");
    IS(flat(
           "{\"market\":\"MISO\",\"data_type\":\"ExAnteLMP\",\"RefId\":\"02-Oct-2026 - Interval 16:50 EST\",\"name\":\"AECI\",\"LMP\":\"1\"}"),
       "MISO.AECI.EXANTE 2026-10-02T21:50:00Z 1");
    refuses(
        flat(
            "{\"market\":\"MISO\",\"data_type\":\"ExAnteLMP\",\"RefId\":\"02-Oct-2026\",\"name\":\"AECI\",\"LMP\":\"1\"}"),
        "missing_field", "HourAndMin");
    IS(flat("{\"market\":\"MISO\",\"data_type\":\"da_expost_lmp\",\"operating_day\":\"09/23/2026\",\"HE\":\"1\","
            "\"Node\":\"ALTW\",\"Value\":\"MLC\",\"price\":\"\"}"),
       "; 1 absent");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"da_expost_lmp\",\"operating_day\":\"09/23/2026\",\"HE\":\"1\","
                 "\"Node\":\"ALTW\",\"Value\":\"LMP\",\"price\":\"\"}"),
            "no_price", "price");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"da_expost_lmp\",\"operating_day\":\"09/23/2026\",\"HE\":\"1\","
                 "\"Node\":\"ALTW\",\"Value\":\"VOL\",\"price\":\"1\"}"),
            "unknown_product", "Value");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"da_expost_lmp\",\"operating_day\":\"09/23/2026\",\"HE\":\"1\","
                 "\"Node\":\"ALTW\",\"price\":\"1\"}"),
            "missing_field", "Value");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"da_expost_lmp\",\"operating_day\":\"09/23/2026\",\"HE\":\"1\","
                 "\"Node\":\"ALTW\",\"Value\":\"LMP\"}"),
            "missing_field", "price");
}
END_TEST

START_TEST(revisions_of_pjm)
{
#define PJM(version)                                                                                             \
    flat("{\"market\":\"PJM\",\"data_type\":\"rt_hrl_lmps\",\"datetime_beginning_utc\":\"5/1/2025 4:00:00 AM\"," \
         "\"datetime_beginning_ept\":\"5/1/2025 12:00:00 AM\",\"pnode_name\":\"N ILLINOIS HUB\","                \
         "\"total_lmp_rt\":\"23.710000\",\"version_nbr\":" version "}")
    IS(PJM("\"3\""), "PJM.N.ILLINOIS.HUB.RT1H 2025-05-01T04:00:00Z 23.71 r3");
    IS(PJM("\"\""), "PJM.N.ILLINOIS.HUB.RT1H 2025-05-01T04:00:00Z 23.71");
    refuses(PJM("\"0\""), "bad_number", "version_nbr");
    refuses(PJM("-1"), "bad_number", "version_nbr");
    refuses(PJM("1.5"), "bad_number", "version_nbr");
    refuses(PJM("[1]"), "wrong_type", "version_nbr");
}
END_TEST

/* ---- envelope A ---- */

#define NESTED(envelope, payload) "{\"envelope\":{" envelope "},\"payload\":{" payload "}}"

START_TEST(envelope_a_holds_a_tick_of_any_market)
{
    IS(NESTED(
           "\"event_type\":\"ingestion.market.raw.v1\",\"event_id\":\"e\",\"timestamp\":\"2025-05-01T04:00:01\","
           "\"tenant_id\":\"acme\",\"source\":\"ingestion.miso\"",
           "\"market\":\"MISO\",\"instrument_id\":\"MISO.HUB.INDIANA\",\"raw_data\":{\"timestamp\":"
           "\"2025-05-01T04:00:00+02:00\",\"price\":\"-12.5\",\"volume\":0,\"bid\":-13,\"ask\":-12,\"node\":\"N1\","
           "\"zone\":\"Z\",\"market_status\":\"open\",\"tags\":[\"t\"]}"),
       "MISO.HUB.INDIANA 2025-05-01T02:00:00Z -12.5 x0 price_negative");
    ck_assert_int_eq(reading.ticks[0].ingested_at, INT64_C(1746072001000000));
    ck_assert_int_eq(reading.ticks[0].bid_price.units, -13 * MARKET_UNIT);
    ck_assert_uint_eq(reading.ticks[0].metadata.count, 3);
    ck_assert_uint_eq(reading.ticks[0].tags.count, 1);
    ck_assert_int_eq(memcmp(reading.tenant.data, "acme", 4), 0);
}
END_TEST

/* The product of an instrument that the sender names is in its id. */
START_TEST(envelope_a_has_the_product_of_its_instrument)
{
#define NESTED_ID(market, id)                                                                           \
    NESTED("\"event_id\":\"e\"", "\"market\":\"" market "\",\"instrument_id\":\"" id "\",\"raw_data\":" \
                                 "{\"time\":\"2025-05-01T04:00:00Z\",\"price\":-1e6,\"volume\":0,\"hub\":\"X\"}")
    IS(NESTED_ID("PJM", "PJM.X.DA"), "PJM.X.DA 2025-05-01T04:00:00Z -1000000 x0 price_negative out_of_range");
    ck_assert_int_eq(reading.ahead, MARKET_HOURS(72));
    ck_assert_int_eq(reading.ticks[0].interval, MARKET_HOURS(1));
    IS(NESTED_ID("ercot", "ERCOT.X"), "ERCOT.X 2025-05-01T04:00:00Z -1000000 x0 price_negative out_of_range");
    ck_assert_int_eq(reading.ahead, MARKET_MINUTES(5));
    ck_assert_int_eq(reading.ticks[0].interval, MARKET_MINUTES(15));
    IS(NESTED_ID("NYISO", "nyiso.x.rtc.mcc"), "NYISO.X.RTC.MCC 2025-05-01T04:00:00Z -1000000 x0");
    ck_assert_int_eq(reading.ticks[0].interval, MARKET_MINUTES(15));
    IS(NESTED_ID("AESO", "X.DA"), "X.DA 2025-05-01T04:00:00Z -1000000 x0 price_negative out_of_range");
    ck_assert_int_eq(reading.ahead, MARKET_MINUTES(5));
}
END_TEST

START_TEST(envelope_a_refusals)
{
    refuses(NESTED("\"event_id\":\"e\"", "\"instrument_id\":\"T\",\"raw_data\":{}"), "missing_field", "market");
    refuses(NESTED("\"event_id\":\"e\"", "\"market\":\"MISO\",\"raw_data\":{}"), "missing_field", "instrument_id");
    refuses(NESTED("\"event_id\":\"e\"", "\"market\":\"MISO\",\"instrument_id\":5,\"raw_data\":{}"), "wrong_type",
            "instrument_id");
    refuses(NESTED("\"event_id\":\"e\"", "\"market\":\"MOON\",\"instrument_id\":\"T\",\"raw_data\":{}"),
            "unknown_market", "MOON");
    refuses(NESTED("\"event_id\":\"e\"", "\"market\":\"MISO\",\"instrument_id\":\"T\",\"raw_data\":7"), "wrong_type",
            "raw_data");
    refuses(NESTED("\"event_id\":\"e\"", "\"market\":\"MISO\",\"instrument_id\":\"T\",\"raw_data\":{\"price\":1}"),
            "missing_field", "timestamp");
    refuses(NESTED("\"event_id\":\"e\"",
                   "\"market\":\"MISO\",\"instrument_id\":\"T\",\"raw_data\":{\"time\":\"2025-05-01T04:00:00Z\"}"),
            "missing_field", "price");
    refuses(NESTED("\"event_id\":\"e\"", "\"market\":\"MISO\",\"instrument_id\":\"T\",\"raw_data\":{\"time\":"
                                         "\"2025-05-01T04:00:00Z\",\"price\":null}"),
            "no_price", "price");
    refuses(NESTED("\"event_id\":\"e\"", "\"market\":\"MISO\",\"instrument_id\":\"T\",\"raw_data\":{\"time\":"
                                         "\"2025-05-01T04:00:00Z\",\"price\":1,\"volume\":-5}"),
            "bad_number", "volume");
    refuses(NESTED("\"event_id\":\"\"", "\"market\":\"MISO\""), "missing_field", "event_id");
    refuses(NESTED("\"event_id\":\"e\",\"tenant_id\":\"a/b\"", "\"market\":\"MISO\""), "bad_name", "tenant_id");
    refuses("{\"envelope\":{\"event_id\":\"e\"}}", "missing_field", "payload");
    refuses("{\"envelope\":7,\"payload\":{}}", "wrong_type", "envelope");
    refuses("{\"envelope\":{\"event_id\":\"e\"},\"payload\":[]}", "wrong_type", "payload");
}
END_TEST

/* ---- envelope B with something inside ---- */

START_TEST(ticks_in_all_encodings)
{
    IS(tick("CME", "\"sequence\":9,\"raw_payload\":\"{\\\"last_price\\\":0,\\\"volume\\\":\\\"2\\\"}\""),
       "SYM 2023-09-30T16:00:00Z 0 x2 #9");
    IS(tick("CME",
            "\"encoding\":\"csv-line\",\"raw_payload\":\"AB/C,2025-05-01T04:00:00Z,src,CME,7,1.5,,\\\"a, b\\\"\""),
       "AB.C 2025-05-01T04:00:00Z 1.5 #7 missing_volume");
    IS(tick(
           "CME",
           "\"encoding\":\"csv-line\",\"sequence\":1,\"raw_payload\":\"{\\\"symbol\\\":\\\"X\\\",\\\"price\\\":1}\""),
       "X 2023-09-30T16:00:00Z 1 #1 missing_volume");
    /* {"price": 2.5, "sequence": 3} */
    IS(tick("CME", "\"encoding\":\"msgpack\",\"raw_payload\":\"gqVwcmljZctABAAAAAAAAKhzZXF1ZW5jZQM=\""),
       "SYM 2023-09-30T16:00:00Z 2.5 #3 missing_volume");
    IS(tick("CME", "\"sequence\":1,\"metadata\":{\"instrument_id\":\"es.202512\",\"note\":\"n\"},"
                   "\"raw_payload\":\"{\\\"price\\\":1,\\\"currency\\\":\\\"EUR\\\"}\""),
       "ES.202512 2023-09-30T16:00:00Z 1 #1 missing_volume");
    ck_assert_int_eq(memcmp(reading.ticks[0].currency.data, "EUR", 3), 0);
    ck_assert_ptr_null(reading.ticks[0].unit.data);
    IS(tick(
           "CME",
           "\"sequence\":1,\"metadata\":{\"currency\":\"EUR\",\"unit\":\" therm \"},"
           "\"raw_payload\":\"{\\\"price\\\":1,\\\"currency\\\":\\\"GBP\\\",\\\"tags\\\":[\\\"a\\\",1,\\\"b\\\"]}\""),
       "SYM 2023-09-30T16:00:00Z 1 #1 missing_volume");
    ck_assert_int_eq(memcmp(reading.ticks[0].currency.data, "GBP", 3), 0); /* what the document says goes first */
    ck_assert_uint_eq(reading.ticks[0].unit.size, 5);
    ck_assert_int_eq(memcmp(reading.ticks[0].unit.data, "therm", 5), 0);
    ck_assert_uint_eq(reading.ticks[0].tags.count, 2);
    ck_assert_int_eq(memcmp(reading.ticks[0].tags.texts[1].data, "b", 1), 0);
    IS(tick("CME", "\"sequence\":1,\"raw_payload\":\"{\\\"price\\\":1,\\\"tags\\\":\\\"none\\\"}\""),
       "SYM 2023-09-30T16:00:00Z 1 #1 missing_volume");
    ck_assert_uint_eq(reading.ticks[0].tags.count, 0);
    /* A trade at a power market is no price of its energy: MWh would be a guess. */
    IS(tick("MISO", "\"sequence\":1,\"raw_payload\":\"{\\\"price\\\":2.45,\\\"volume\\\":5}\""),
       "SYM 2023-09-30T16:00:00Z 2.45 x5 #1");
    ck_assert_ptr_null(reading.ticks[0].currency.data);
    ck_assert_ptr_null(reading.ticks[0].unit.data);
}
END_TEST

START_TEST(a_quote_has_no_price)
{
    IS(tick("CME", "\"sequence\":1,\"raw_payload\":\"{\\\"bid\\\":1,\\\"ask\\\":2}\""),
       "SYM 2023-09-30T16:00:00Z - #1");
    ck_assert_int_eq(reading.ticks[0].kind, MARKET_KIND_QUOTE);
}
END_TEST

/* Neither the quote nor its envelope says when: when it was received. */
START_TEST(without_a_time_it_is_when_it_was_received)
{
    IS("{\"event_id\":\"e\",\"ingested_at\":1696089601000000,\"payload\":{\"source_system\":\"s\",\"market\":\"BINANCE\",\"symbol\":\"SYM\","
       "\"received_at\":1696089600500000,\"raw_payload\":\"{\\\"u\\\":5,\\\"s\\\":\\\"BTCUSDT\\\",\\\"b\\\":\\\"1\\\","
       "\\\"a\\\":\\\"3\\\"}\"}}",
       "BINANCE.BTCUSDT 2023-09-30T16:00:00.500000Z - #5 receive_time");
}
END_TEST

START_TEST(a_trade_without_number_is_known_by_its_place)
{
    IS(tick("CME", "\"raw_payload\":\"{\\\"price\\\":1}\""), "SYM 2023-09-30T16:00:00Z 1 #17 missing_volume");
    ck_assert_int_eq(memcmp(reading.ticks[0].source.data, "s@raw/3", 7), 0);
}
END_TEST

START_TEST(exchanges_by_content)
{
    IS(tick("KRAKEN",
            "\"raw_payload\":\"[\\\"105433.60000\\\",\\\"0.00027625\\\",1762795433.9717445,\\\"b\\\",\\\"l\\\","
            "\\\"\\\",10218208]\""),
       "KRAKEN.SYM 2025-11-10T17:23:53.971744Z 105433.6 x0.00027625 #10218208");
    IS(tick("BINANCE",
            "\"raw_payload\":\"{\\\"stream\\\":\\\"ethusdt@trade\\\",\\\"data\\\":{\\\"e\\\":\\\"trade\\\","
            "\\\"T\\\":1723161256560,\\\"s\\\":\\\"ETHUSDT\\\",\\\"t\\\":43,\\\"p\\\":\\\"2681.62\\\","
            "\\\"q\\\":\\\"1.000\\\",\\\"X\\\":\\\"MARKET\\\"}}\""),
       "BINANCE.ETHUSDT.PERP 2024-08-08T23:54:16.560000Z 2681.62 x1 #43");
    IS(tick("BINANCE", "\"raw_payload\":\"{\\\"e\\\":\\\"trade\\\",\\\"T\\\":1723161256560,\\\"s\\\":\\\"BTCUSDT\\\","
                       "\\\"t\\\":43,\\\"p\\\":\\\"6e4\\\",\\\"q\\\":\\\"1\\\",\\\"M\\\":true}\""),
       "BINANCE.BTCUSDT 2024-08-08T23:54:16.560000Z 60000 x1 #43");
    IS(tick("BINANCE",
            "\"raw_payload\":\"{\\\"u\\\":5,\\\"s\\\":\\\"BTCUSDT\\\",\\\"b\\\":\\\"1\\\",\\\"B\\\":\\\"2\\\","
            "\\\"a\\\":\\\"3\\\",\\\"A\\\":\\\"4\\\"}\""),
       "BINANCE.BTCUSDT 2023-09-30T16:00:00Z - #5");
}
END_TEST

START_TEST(lines_of_a_file_of_trades)
{
#define LINE(flag, day, zone, scale)                                                                            \
    tick("USA",                                                                                                 \
         weir__arena_printf(                                                                                    \
             &arena,                                                                                            \
             "\"encoding\":\"csv-line\",\"sequence\":2,\"raw_payload\":\"14400464,1674100,100,P,20002000,%s\"," \
             "\"metadata\":{\"feed\":\"lean_trades\",\"day\":\"%s\",\"zone\":\"%s\",\"scale\":\"%s\"}",         \
             flag, day, zone, scale))

    IS(LINE("0", "2013-10-07", "America/New_York", "0.0001"), "SYM 2013-10-07T08:00:00.464000Z 167.41 x100 #2");
    IS(LINE("1", "2013-10-07", "UTC", "1"), "SYM 2013-10-07T04:00:00.464000Z 1674100 x100 #2 suspicious");
    refuses(LINE("0", "2013-10-07", "America/New_York", "1e-9"), "bad_number", "scale");
    refuses(LINE("0", "2013-10-07", "America/New_York", "0"), "bad_number", "scale");
    refuses(LINE("0", "tomorrow", "UTC", "1"), "bad_time", "day");
    refuses(LINE("0", "2013-10-07", "Moon/Base", "1"), "bad_time", "Moon/Base");
    refuses(
        tick("USA", "\"encoding\":\"csv-line\",\"raw_payload\":\"1,2,3\",\"metadata\":{\"feed\":\"lean_trades\"}"),
        "malformed", "raw_payload");
}
END_TEST

START_TEST(refusals_of_ticks)
{
    refuses(tick("CME", "\"raw_payload\":\"\""), "missing_field", "raw_payload");
    refuses(tick("CME", "\"raw_payload\":7"), "wrong_type", "raw_payload");
    refuses(tick("CME", "\"encoding\":\"xml\",\"raw_payload\":\"<a/>\""), "unsupported_encoding", "xml");
    refuses(tick("CME", "\"raw_payload\":\"{\""), "malformed", "raw_payload");
    refuses(tick("CME", "\"raw_payload\":\"3\""), "wrong_type", "raw_payload");
    refuses(tick("CME", "\"raw_payload\":\"[1,2]\""), "unknown_feed", "raw_payload");
    refuses(tick("KRAKEN", "\"raw_payload\":\"[1,2]\""), "malformed", "raw_payload");
    refuses(tick("CME", "\"raw_payload\":\"{}\""), "missing_field", "price");
    refuses(tick("CME", "\"raw_payload\":\"{\\\"price\\\":\\\"\\\"}\""), "no_price", "price");
    refuses(tick("CME", "\"raw_payload\":\"{\\\"price\\\":true}\""), "wrong_type", "price");
    refuses(tick("CME", "\"raw_payload\":\"{\\\"price\\\":\\\"NaN\\\"}\""), "bad_number", "NaN");
    refuses(tick("CME", "\"raw_payload\":\"{\\\"price\\\":NaN}\""), "malformed", "raw_payload");
    refuses(tick("CME", "\"raw_payload\":\"{\\\"price\\\":1.123456789}\""), "precision", "price");
    refuses(tick("CME", "\"raw_payload\":\"{\\\"price\\\":1e12}\""), "overflow", "price");
    refuses(tick("CME", "\"sequence\":-1,\"raw_payload\":\"{\\\"price\\\":1}\""), "bad_number", "sequence");
    refuses(tick("CME", "\"sequence\":{},\"raw_payload\":\"{\\\"price\\\":1}\""), "wrong_type", "sequence");
    refuses(tick("CME", "\"metadata\":[],\"raw_payload\":\"{\\\"price\\\":1}\""), "wrong_type", "metadata");
    refuses(tick("CME", "\"encoding\":\"csv-line\",\"raw_payload\":\"a,b\\\"\""), "malformed", "raw_payload");
    refuses(tick("CME", "\"encoding\":\"csv-line\",\"raw_payload\":\"\\\"a,b\""), "malformed", "raw_payload");
    refuses(tick("CME", "\"encoding\":\"msgpack\",\"raw_payload\":\"gqVwcmlj\""), "malformed", "MessagePack");
    refuses(tick("CME", "\"metadata\":{\"feed\":\"nix\"},\"raw_payload\":\"{}\""), "unknown_feed", "metadata.feed");
    refuses(tick("", "\"raw_payload\":\"{}\""), "missing_field", "market");
    refuses(flat("{\"market\":\"CME\",\"raw_payload\":\"{\\\"price\\\":1}\"}"), "missing_field", "source_system");
    refuses(flat("{\"market\":\"CME\",\"source_system\":\"s\",\"raw_payload\":\"{\\\"price\\\":1}\"}"),
            "missing_field", "symbol");
}
END_TEST

/* ---- all shapes ---- */

START_TEST(refusals_of_flat_payloads)
{
    refuses(flat("{\"market\":\"MOON\",\"data_type\":\"lmp\"}"), "unknown_market", "MOON");
    refuses(flat("{\"data_type\":\"lmp\"}"), "missing_field", "market");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"nix\"}"), "unknown_feed", "nix");
    refuses(flat("{\"market\":\"ERCOT\",\"data_type\":\"outages\"}"), "not_a_price", "outages");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"node\":\"X\",\"lmp\":1}"), "missing_field",
            "timestamp");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"lmp\":1}"),
            "missing_field", "node");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"X\"}"),
            "missing_field", "lmp");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"X\","
                 "\"lmp\":null}"),
            "no_price", "lmp");
    refuses(
        flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"X.DA\","
             "\"lmp\":1}"),
        "name_clash", "X.DA");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"...\","
                 "\"lmp\":1}"),
            "bad_name", "...");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":\"yesterday\",\"node\":\"X\",\"lmp\":1}"),
            "bad_time", "yesterday");
    refuses(
        flat(
            "{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":\"9999-05-01T04:00:00Z\",\"node\":\"X\",\"lmp\":1}"),
        "bad_time", "outside");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":17,\"node\":\"X\",\"lmp\":1}"), "bad_time",
            "outside");
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"lmp\",\"timestamp\":{},\"node\":\"X\",\"lmp\":1}"),
            "wrong_type", "timestamp");
}
END_TEST

START_TEST(what_is_no_event)
{
    struct market_raw_options options = { 0 };

    refuses("", "malformed", "empty");
    refuses(" ", "malformed", "value");
    refuses("{", "malformed", "value");
    refuses("[]", "unknown_shape", "no object");
    refuses("{\"event_id\":\"e\"}", "unknown_shape", "payload");
    refuses("{\"event_id\":7}", "wrong_type", "event_id");
    refuses("{\"payload\":{}}", "missing_field", "event_id");
    refuses("{\"event_id\":\"e\",\"ingested_at\":\"nix\",\"payload\":{}}", "bad_time", "ingested_at");
    refuses("{\"event_id\":\"e\",\"ingested_at\":[],\"payload\":{}}", "wrong_type", "ingested_at");
    ck_assert_int_eq(market_read_raw(&arena, NO_BYTES, &origin, &options, &reading, &error), MARKET_MALFORMED);
    ck_assert_int_eq(read_bytes(weir_arena_alloc(&arena, 2 << 20), 2 << 20), WEIR_TOO_LARGE);
}
END_TEST

START_TEST(an_event_may_be_messagepack)
{
    static const unsigned char whole[] = "\x82\xa8"
                                         "event_id\xa1"
                                         "e\xa7"
                                         "payload\x85"
                                         "\xa6"
                                         "market\xa4"
                                         "MISO\xa9"
                                         "data_type\xa3"
                                         "lmp\xa9"
                                         "timestamp\xce\x68\x12\xf1\x40"
                                         "\xa4"
                                         "node\xa1"
                                         "X\xa3"
                                         "lmp\xca\x41\xcc\xcc\xcd";
    static const char *const   bad[] = { "\x81",
                                         "\x81\x01\x02",
                                         "\x81\xa1",
                                         "\x81\xa1"
                                           "a",
                                         "\x81\xa1"
                                           "a\xc1",
                                         "\x81\xa1"
                                           "a\xdd\xff\xff\xff\xff",
                                         "\x81\xa1"
                                           "a\xdb\xff\xff\xff\xff",
                                         "\x82\xa1"
                                           "a\x01\xa1"
                                           "a\x02",
                                         "\x81\xa1"
                                           "a\xd9\x01\xff",
                                         "\x81\xa1"
                                           "a\x01\x01",
                                         "\x81\xa1"
                                           "a\xc7\x01\x01\x01" };

    ck_assert_int_eq(read_bytes(whole, sizeof(whole) - 1), WEIR_OK);
    ck_assert_int_eq(reading.ticks[0].price.units, INT64_C(2560000000));
    ck_assert_int_eq(reading.ticks[0].event_time, INT64_C(0x6812f140) * 1000000);
    for (size_t size = 0; size < sizeof(whole) - 1; size++)
        ck_assert_int_eq(read_bytes(whole, size), MARKET_MALFORMED);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        refuses(bad[i], "malformed", "MessagePack");
}
END_TEST

START_TEST(components_can_be_left_out)
{
    struct market_raw_options off = { .components_off = true };
    const char               *text =
        flat("{\"market\":\"miso\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"X\","
             "\"lmp\":25.5,\"mcc\":-1.25,\"mlc\":null}");

    ck_assert_int_eq(market_read_raw(&arena, BYTES(text, strlen(text)), &origin, &off, &reading, &error), WEIR_OK);
    ck_assert_uint_eq(reading.count, 1);
}
END_TEST

START_TEST(the_tenant_is_known_when_the_rest_is_refused)
{
    refuses(flat("{\"market\":\"MISO\",\"data_type\":\"nix\"}"), "unknown_feed", "nix");
    ck_assert_int_eq(memcmp(reading.tenant.data, "acme", 4), 0);
    refuses("{", "malformed", "value");
    ck_assert_ptr_null(reading.tenant.data);
}
END_TEST

START_TEST(a_small_arena_is_a_limit_not_a_crash)
{
    const char *text =
        flat("{\"market\":\"miso\",\"data_type\":\"lmp\",\"timestamp\":\"2025-05-01T04:00:00Z\",\"node\":\"X\","
             "\"lmp\":25.5,\"mcc\":-1.25,\"mlc\":null,\"extra\":{\"a\":1}}");
    struct market_raw_options options = { 0 };
    int                       err = WEIR_LIMIT;

    for (size_t ceiling = 64; err == WEIR_LIMIT; ceiling += 64) {
        struct weir_arena small;

        weir__arena_init(&small, ceiling);
        err = market_read_raw(&small, BYTES(text, strlen(text)), &origin, &options, &reading, &error);
        weir__arena_fini(&small);
        ck_assert_int_lt(ceiling, 1 << 20);
    }
    ck_assert_int_eq(err, WEIR_OK);
}
END_TEST

/* Events of all shapes with bytes changed, left out, doubled and swapped, by a seed. */
START_TEST(events_that_were_damaged)
{
    static const char *const events[] = {
        NESTED("\"event_id\":\"e\",\"timestamp\":\"2025-05-01T04:00:01\"",
               "\"market\":\"MISO\",\"instrument_id\":\"M.A\",\"raw_data\":{\"time\":\"2025-05-01T04:00:00+02:00\","
               "\"price\":\"-12.5\",\"volume\":0,\"bid\":-13}"),
        "{\"event_id\":\"e\",\"payload\":{\"market\":\"PJM\",\"data_type\":\"rt_hrl_lmps\",\"datetime_beginning_utc\":"
        "\"5/1/2025 4:00:00 AM\",\"pnode_name\":\"N\",\"total_lmp_rt\":\"23.71\",\"congestion_price_rt\":\"\",\"version_nbr\":2}}",
        "{\"event_id\":\"e\",\"payload\":{\"market\":\"ERCOT\",\"data_type\":\"NP6-905-CD\",\"deliveryDate\":\"2025-11-02\","
        "\"deliveryHour\":2,\"deliveryInterval\":4,\"settlementPoint\":\"Z\",\"settlementPointPrice\":4.26,\"DSTFlag\":true}}",
        "{\"event_id\":\"e\",\"payload\":{\"market\":\"MISO\",\"data_type\":\"FiveMinLMP\",\"RefId\":\"02-Oct-2026 - x\","
        "\"HourAndMin\":\"16:50\",\"name\":\"A\",\"LMP\":\"1\"}}",
        "{\"event_id\":\"e\",\"occurred_at\":1,\"payload\":{\"source_system\":\"s\",\"market\":\"USA\",\"symbol\":\"S\","
        "\"encoding\":\"csv-line\",\"raw_payload\":\"1,2,3,P,,0\",\"metadata\":{\"feed\":\"lean_trades\",\"day\":"
        "\"2013-10-07\",\"zone\":\"UTC\",\"scale\":\"1\"},\"sequence\":2}}",
        "{\"event_id\":\"e\",\"payload\":{\"source_system\":\"s\",\"market\":\"KRAKEN\",\"symbol\":\"S\",\"raw_payload\":"
        "\"[\\\"1\\\",\\\"2\\\",1762795433.97,\\\"b\\\",\\\"l\\\",\\\"\\\",3]\"}}",
        "\x82\xa8"
        "event_id\xa1"
        "e\xa7"
        "payload\x85\xa6"
        "market\xa4"
        "MISO\xa9"
        "data_type\xa3"
        "lmp\xa9"
        "timestamp\xce\x68\x12\xf1\x40\xa4"
        "node\xa1"
        "X\xa3"
        "lmp\xca\x41\xcc\xcc\xcd",
    };
    unsigned seed = 20251126;

    for (int round = 0; round < 30000; round++) {
        const char *event = events[(unsigned)rand_r(&seed) % ARRAY_SIZE(events)], *fault;
        size_t      size = strlen(event);
        char        bytes[1024];

        memcpy(bytes, event, size);
        for (int changes = rand_r(&seed) % 4; changes >= 0; changes--)
            size = damage(bytes, size, sizeof(bytes), &seed);
        fault = raw_event_fault(bytes, size);
        ck_assert_msg(!fault, "round %d: %s: %.*s", round, fault, (int)size, bytes);
    }
}
END_TEST

START_TEST(rules_of_markets)
{
    ck_assert_str_eq(market_rules_find((struct weir_text){ "iso-ne", 6 })->name, "ISONE");
    ck_assert_str_eq(market_rules_find((struct weir_text){ "Nasdaq", 6 })->day_zone, "America/New_York");
    ck_assert_str_eq(market_rules_find((struct weir_text){ "COMEX", 5 })->name, "*");
    ck_assert_int_eq(market_ahead(MARKET_DA, MARKET_SETTLED), MARKET_HOURS(72));
    ck_assert_int_eq(market_ahead(MARKET_RT1H, MARKET_SETTLED), MARKET_MINUTES(5));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_feeds");
    TCase *tcase = tcase_create("raw");

    tcase_add_checked_fixture(tcase, begin, finish);
    tcase_add_test(tcase, connectors_payloads_of_each_market);
    tcase_add_test(tcase, a_flat_event_needs_no_payload_around_it);
    tcase_add_test(tcase, connectors_of_caiso);
    tcase_add_test(tcase, what_is_no_price_of_energy);
    tcase_add_test(tcase, products_go_by_run_and_class);
    tcase_add_test(tcase, ercot_intervals_and_the_repeated_hour);
    tcase_add_test(tcase, a_repeated_hour_without_a_flag_is_the_earlier_and_says_so);
    tcase_add_test(tcase, nyiso_stamps_end_an_interval_of_the_grid);
    tcase_add_test(tcase, miso_labels_start_and_hours_end);
    tcase_add_test(tcase, revisions_of_pjm);
    tcase_add_test(tcase, envelope_a_holds_a_tick_of_any_market);
    tcase_add_test(tcase, envelope_a_has_the_product_of_its_instrument);
    tcase_add_test(tcase, envelope_a_refusals);
    tcase_add_test(tcase, ticks_in_all_encodings);
    tcase_add_test(tcase, a_quote_has_no_price);
    tcase_add_test(tcase, without_a_time_it_is_when_it_was_received);
    tcase_add_test(tcase, a_trade_without_number_is_known_by_its_place);
    tcase_add_test(tcase, exchanges_by_content);
    tcase_add_test(tcase, lines_of_a_file_of_trades);
    tcase_add_test(tcase, refusals_of_ticks);
    tcase_add_test(tcase, refusals_of_flat_payloads);
    tcase_add_test(tcase, what_is_no_event);
    tcase_add_test(tcase, an_event_may_be_messagepack);
    tcase_add_test(tcase, components_can_be_left_out);
    tcase_add_test(tcase, the_tenant_is_known_when_the_rest_is_refused);
    tcase_add_test(tcase, a_small_arena_is_a_limit_not_a_crash);
    tcase_add_test(tcase, events_that_were_damaged);
    tcase_add_test(tcase, rules_of_markets);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
