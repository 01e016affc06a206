/* test_market_load.c: market files into raw events: kinds, settings, order, repeated hours, and loads that go on. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "schemas/feeds/load.h"
#include "schemas/market.h"
#include "test/run.h"

static char                       folder[64];
static struct weir_arena          arena;
static struct market_load_options options;
static struct weir_error          error;

static void begin(void)
{
    weir__arena_init(&arena, 0);
    options = (struct market_load_options){ 0 };
    strcpy(folder, "/tmp/weir-load-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void finish(void)
{
    weir__arena_fini(&arena);
    ck_assert_int_eq(weir__remove_tree(folder, NULL), WEIR_OK);
}

#define TEXTF(...) weir__arena_printf(&arena, __VA_ARGS__)

static const char *path_of(const char *name) { return TEXTF("%s/%s", folder, name); }

/* Makes a file, or makes it longer; gives its path. */
static const char *write_file(const char *name, const char *text, const char *mode)
{
    const char *path = path_of(name);
    FILE       *file = fopen(path, mode);

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static const char *make(const char *name, const char *text) { return write_file(name, text, "w"); }
static const char *extend(const char *name, const char *text) { return write_file(name, text, "a"); }

/* ---- one call ---- */

struct call {
    struct market_load *load;
    size_t              refused, files;
};

static struct call call(const char *const *paths, const char *const *known)
{
    struct call call = { 0 };

    for (call.files = 0; paths[call.files]; call.files++) {
    }
    ck_assert_msg(market_load_new(&options, &call.load, &error) == WEIR_OK, "%s", error.text);
    for (; known && *known; known++)
        ck_assert_int_eq(market_load_known(call.load, BYTES(*known, strlen(*known))), WEIR_OK);
    ck_assert_int_eq(market_load_open(call.load, paths, call.files, &call.refused, &error), WEIR_OK);
    return call;
}

static struct market_load_file file_of(const struct call *call, size_t n)
{
    struct market_load_file file;

    market_load_file(call->load, n, &file);
    return file;
}

static const char *progress_of(const struct call *call, size_t n)
{
    struct weir__buf key = { 0 }, value = { 0 };
    const char      *text;

    ck_assert_int_eq(market_load_progress(call->load, n, &key, &value), WEIR_OK);
    text = TEXTF("%.*s", (int)value.size, value.data);
    weir__buf_fini(&key);
    weir__buf_fini(&value);
    return text;
}

/* What the event holds: instrument, time of day, price, and what sets it apart. */
static const char *tick_of(const struct market_raw *raw)
{
    struct market_origin      origin = { .topic = raw->topic, .timestamp = raw->timestamp };
    struct market_raw_options all = { 0 };
    struct market_reading     reading;
    const struct market_tick *tick;
    char                      time[MARKET_TIME_ROOM], price[MARKET_DECIMAL_ROOM];
    const char               *text;
    int                       err = market_read_raw(&arena, raw->value, &origin, &all, &reading, &error);

    if (err < 0)
        return TEXTF("!%s", market_reason_name(err));
    tick = reading.ticks;
    ck_assert_int_eq(tick->event_time, raw->event_time);
    market_time_write(tick->event_time, time);
    market_decimal_write(tick->price.units, price);
    text = TEXTF("%.*s %.*s %s", (int)tick->instrument_id.size, tick->instrument_id.data, 15, time + 5,
                 tick->price.given ? price : "quote");
    if (tick->quality_flags & MARKET_RECEIVE_TIME)
        text = TEXTF("%s received", text);
    if (tick->ingested_at != tick->event_time) {
        market_time_write(tick->ingested_at, time);
        text = TEXTF("%s made %s", text, time);
    }
    if (tick->sequence)
        text = TEXTF("%s #%" PRId64, text, tick->sequence);
    return tick->quality_flags & MARKET_AMBIGUOUS_TIME ? TEXTF("%s ambiguous", text) : text;
}

/* Up to `most` events, a line each. */
static const char *take(struct call *call, size_t most)
{
    struct weir__buf  buf = { 0 };
    struct market_raw raw;
    const char       *text;
    int               err = WEIR_OK;

    for (size_t i = 0; i < most && (err = market_load_next(call->load, &raw, &error)) == WEIR_OK; i++)
        weir__buf_printf(&buf, "%s\n", tick_of(&raw));
    ck_assert_msg(err == WEIR_OK || err == WEIR_NOTFOUND, "%s", error.text);
    text = TEXTF("%.*s", (int)buf.size, buf.data ? buf.data : "");
    weir__buf_fini(&buf);
    return text;
}

static const char *take_all(const char *const *paths)
{
    struct call call_ = call(paths, NULL);
    const char *text = take(&call_, SIZE_MAX);

    ck_assert_uint_eq(call_.refused, 0);
    market_load_free(call_.load);
    return text;
}

static const char *all_of(const char *path) { return take_all((const char *const[]){ path, NULL }); }

/* The words of a file that is refused. */
static void refuses(const char *path, const char *reason, const char *words)
{
    struct call             call_ = call((const char *const[]){ path, NULL }, NULL);
    struct market_load_file file = file_of(&call_, 0);

    ck_assert_msg(call_.refused == 1, "%s is taken", path);
    ck_assert_str_eq(market_reason_name(file.refusal->code), reason);
    ck_assert_msg(strstr(file.refusal->text, words), "%s", file.refusal->text);
    market_load_free(call_.load);
}

/* ---- files to load ---- */

#define PJM_HEADING                                                                                  \
    "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,voltage,equipment,type,zone," \
    "system_energy_price_rt,total_lmp_rt,congestion_price_rt,marginal_loss_price_rt,row_is_current,version_nbr\r\n"
#define PJM_ROW(hour, name, price) "5/1/2025 " hour ",x,1," name ",,,HUB,,1,\"" price "\",2,3,True,1\r\n"

#define LEAN "trades_spy_tick_20131007.csv"

#define NYISO_HEADING                                                                       \
    "\"Time Stamp\",\"Name\",\"PTID\",\"LBMP ($/MWHr)\",\"Marginal Cost Losses ($/MWHr)\"," \
    "\"Marginal Cost Congestion ($/MWHr)\"\n"
#define NYISO_ROW(stamp, price) "\"" stamp "\",\"WEST\",61752," price ",0.10,-0.20\n"

#define EIA_HEADING                                                                              \
    "MISO Hourly Real-Time Locational Marginal Prices ($/megawatt) for Hubs\nHourly real-time\n" \
    "Source: EIA collected from MISO\nUTC Timestamp (Interval Ending),Local Date,Hour Number,"

/* ---- kinds and settings ---- */

START_TEST(what_is_no_market_file)
{
    refuses(path_of("none.csv"), "WEIR_NOTFOUND", "no such file");
    refuses(make("empty.csv", ""), "malformed", "empty");
    refuses(make("a.csv", "a,b,c\n1,2,3\n"), "unknown_shape", "a,b,c");
    refuses(make("a.json", "{\"a\":"), "malformed", "at byte");
    refuses(make("b.json", "{\"a\":1}"), "unknown_shape", "no document");
    refuses(make("bars.csv", "0,1.5,1.5,1.5,1.5,10\n"), "published_bars", "its trades");
    refuses(make("ohlc.json", "{\"error\":[],\"result\":{\"XBT\":[[1,\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",3]]}}"),
            "published_bars", "its trades");
    refuses(make("two.csv", "datetime_beginning_utc,pnode_name,total_lmp_da,total_lmp_da\n"), "malformed",
            "two columns");
}
END_TEST

START_TEST(a_damaged_gzip_file_is_refused)
{
    const char *path = path_of("trades_spy_tick_20131007.csv.gz");
    gzFile      file = gzopen(path, "wb");
    FILE       *raw;

    for (int i = 0; i < 1000; i++)
        gzprintf(file, "%d,1674100,100,P,%d,0\n", i, rand());
    gzclose(file);
    raw = fopen(path, "r+");
    ck_assert_int_eq(ftruncate(fileno(raw), 2000), 0);
    fclose(raw);
    refuses(path, "WEIR_IO", "damaged");
}
END_TEST

START_TEST(all_that_is_missing_is_said_at_once)
{
    const char *path = make("t.csv", "374,1323.4,1,usa,,0\n");

    refuses(path, "not_said",
            "market (--market), instrument (--instrument), day (--day), zone (--zone), scale (--scale)");
    options.market = "CME";
    options.zone = "UTC";
    refuses(path, "not_said", "instrument (--instrument), day (--day), scale (--scale)");
    options.scale = "0.01";
    options.day = "2013-10-08";
    options.instrument = "es.201312";
    ck_assert_str_eq(all_of(path), "ES.201312 10-08T00:00:00. 13.234\n");
    options.market = "PJM";
    refuses(path, "unknown_market", "PJM has no trades");
}
END_TEST

START_TEST(names_say_what_files_do_not)
{
    ck_assert_str_eq(all_of(make(LEAN, "14400464,1674100,100,P,2000,0\n")), "SPY 10-07T08:00:00. 167.41\n");
    ck_assert_str_eq(all_of(make("trades_gc_201312_tick_20131008.csv", "374,1323.4,1,usa,,0")),
                     "GC.201312 10-08T00:00:00. 1323.4\n");
    ck_assert_str_eq(all_of(make("20220718damlbmp_zone.csv", NYISO_HEADING NYISO_ROW("07/18/2022 00:00", "5"))),
                     "NYISO.WEST.DA 07-18T04:00:00Z 5\n");
    ck_assert_str_eq(all_of(make("20220718realtime_zone.csv", NYISO_HEADING NYISO_ROW("07/18/2022 00:05:00", "5"))),
                     "NYISO.WEST 07-18T04:00:00Z 5 #300\n");
    refuses(make("xdamlbmpx.csv", NYISO_HEADING NYISO_ROW("07/18/2022 00:00", "5")), "not_said",
            "product (--product)");
    options.product = "rtlbmp_zone";
    ck_assert_str_eq(all_of(path_of("xdamlbmpx.csv")), "NYISO.WEST.RT1H 07-18T04:00:00Z 5\n");
    options.product = "nix";
    refuses(path_of("xdamlbmpx.csv"), "unknown_feed", "\"nix\" of NYISO, which has ");
}
END_TEST

START_TEST(load_conf_beside_the_file)
{
    const char *path = make("t_1.csv", "374,1323.4,1,usa,,0\n");

    make("load.conf", "# trades\nmarket = CME\nscale=1\n\n[t_*.csv]\nday = 2013-10-08\nzone = UTC\n"
                      "instrument = A.B\n[other*]\ninstrument = C\nscale = 7\n");
    ck_assert_str_eq(all_of(path), "A.B 10-08T00:00:00. 1323.4\n");
    options.instrument = "Z";
    ck_assert_str_eq(all_of(path), "Z 10-08T00:00:00. 1323.4\n");
    make("load.conf", "market = CME\ncolour = blue\n");
    refuses(path, "WEIR_UNREADABLE", "colour = blue");
    make("load.conf", "market\n");
    refuses(path, "WEIR_UNREADABLE", "no =");
    make("load.conf", "day = 2013-13-08\n");
    refuses(path, "WEIR_UNREADABLE", "\"2013-13-08\" is not a day");
    make("load.conf", "zone = Mars/North\n");
    refuses(path, "WEIR_UNREADABLE", "\"Mars/North\" is not a time zone");
    make("load.conf", "scale = -1\n");
    refuses(path, "WEIR_UNREADABLE", "\"-1\" is not a positive number");
    make("load.conf", "[t_*\n");
    refuses(path, "WEIR_UNREADABLE", "not closed");
}
END_TEST

START_TEST(pjm_tables_of_hours_and_of_five_minutes)
{
    ck_assert_str_eq(all_of(make("h.csv", PJM_HEADING PJM_ROW("4:00:00 AM", "A", "1.5")
                                              PJM_ROW("4:00:00 AM", "B", "2") PJM_ROW("5:00:00 AM", "A", "3"))),
                     "PJM.A.RT1H 05-01T04:00:00Z 1.5\nPJM.B.RT1H 05-01T04:00:00Z 2\nPJM.A.RT1H 05-01T05:00:00Z 3\n");
    ck_assert_str_eq(
        all_of(make("f.csv", PJM_HEADING PJM_ROW("4:00:00 AM", "A", "1") PJM_ROW("4:05:00 AM", "A", "2"))),
        "PJM.A 05-01T04:00:00Z 1\nPJM.A 05-01T04:05:00Z 2\n");
    refuses(make("o.csv", PJM_HEADING PJM_ROW("4:00:00 AM", "A", "1")), "not_said", "product (--product)");
    ck_assert_str_eq(all_of(make("pjm_rt_hrl_lmps.csv", PJM_HEADING PJM_ROW("4:00:00 AM", "A", "1"))),
                     "PJM.A.RT1H 05-01T04:00:00Z 1\n");
}
END_TEST

START_TEST(wide_tables_with_headings_that_cannot_be)
{
    refuses(make("a.csv", EIA_HEADING "A-B LMP,A - B LMP,A B LMP\n"), "name_clash", "A.B");
    refuses(make("b.csv", EIA_HEADING "A LMP,B (Loss)\n"), "no_price", "\"B\"");
    refuses(make("a.csv", EIA_HEADING "A LMP,a LMP\n"), "name_clash", "A");
    refuses(make("b.csv", EIA_HEADING "x\n"), "no_price", "no column");
    refuses(make("c.csv", EIA_HEADING "A LMP,A (Greenhouse)\n"), "malformed", "A (Greenhouse)");
    refuses(make("d.csv", EIA_HEADING "A.DA LMP\n"), "name_clash", "A.DA");
    refuses(make("e.csv", "x\nUTC Timestamp (Interval Ending),Local Date,Hour Number,A LMP\n"), "not_said",
            "market (--market)");
    refuses(make("e.csv",
                 "Source: EIA collected from MISO\nUTC Timestamp (Interval Ending),Local Date,Hour Number,A LMP\n"),
            "not_said", "product (--product)");
    ck_assert_str_eq(
        all_of(make("f.csv", EIA_HEADING "A LMP,\"B, C LMP\",A (Loss)\n2023-01-01 06:00:00,2023-01-01,1,1,2,3\n")),
        "MISO.A.RT1H 01-01T05:00:00Z 1\nMISO.B.C.RT1H 01-01T05:00:00Z 2\n");
}
END_TEST

START_TEST(columns_in_any_order_and_others_among_them)
{
    ck_assert_str_eq(
        all_of(make(
            "a.csv",
            "\xef\xbb\xbfMISO Hourly Real-Time Prices\r\n\r\nSource: EIA collected from MISO\r\n"
            "A LMP,location,note,\"UTC Timestamp (Interval Ending)\",B (Loss),Local Date,Hour Number,\"B LMP\"\r\n"
            "7,Q,\"x, \"\"y\"\"\",2023-01-01 06:00:00,0.5,2023-01-01,1,-8\r\n"
            "\r\n"
            "7,Q,,2023-01-01 07:00:00,,2023-01-01,1,\r\n")),
        "MISO.A.RT1H 01-01T05:00:00Z 7\nMISO.B.RT1H 01-01T05:00:00Z -8\n"
        "MISO.A.RT1H 01-01T06:00:00Z 7\n!no_price\n");
    ck_assert_str_eq(all_of(make("20220718damlbmp_zone.csv",
                                 "Name,more,\"LBMP ($/MWHr)\",time stamp,PTID\nWEST,,5,07/18/2022 00:00,1\n")),
                     "NYISO.WEST.DA 07-18T04:00:00Z 5\n");
}
END_TEST

#define MIDNIGHT(label)                                                   \
    "{\"LMPData\":{\"RefId\":\"01-Jan-2026 - Interval 00:05 EST\"," label \
    ",\"PricingNode\":[{\"name\":\"A\",\"LMP\":\"1\"}]}}}"
#define SPOT(t)                                                  \
    "{\"e\":\"trade\",\"E\":1700000000001,\"s\":\"AB\",\"t\":" t \
    ",\"p\":\"5\",\"q\":\"1\",\"T\":1700000000001,\"m\":true,\"M\":true}\n"

/* Files as their markets publish them at other times, each with the ticks that are in it. */
START_TEST(other_forms_of_files_that_are_known)
{
    static const struct {
        const char *name, *text, *ticks;
    } files[] = {
        { "caiso.csv",
          "INTERVALSTARTTIME_GMT,NODE,MARKET_RUN_ID,LMP_TYPE,VALUE,,\n2025-03-01T17:05:00-00:00,N,RTM,LMP,-1.50\n"
          "2025-03-01T17:05:00-00:00,N,RTM,MGHG,0,,,\n2025-03-01T17:05:00-00:00,N,RTM,MCL,0,x\n"
          "2025-03-01T17:00:00-00:00,N,HASP,LMP,2, ,\n2025-03-01T17:05:00-00:00,N,RTM,MCL\n",
          "CAISO.N.HASP 03-01T17:00:00Z 2\n!malformed\nCAISO.N 03-01T17:05:00Z -1.5\nCAISO.N.MGHG 03-01T17:05:00Z 0\n"
          "CAISO.N.MLC 03-01T17:05:00Z 0\n" },
        { "kraken.json",
          "{\"error\":[],\"result\":{\"XXBTZUSD\":[[\"5\",\"1\",1700000000.5,\"b\",\"m\",\"\"],[\"6\",\"1\",1700000000.5,\"b\",\"m\",\"\"],"
          "[\"7\",\"1\",1700000000.6,\"b\",\"m\",\"\",9],[\"8\",\"1\",1700000000.7,\"b\"]],\"last\":\"1\"}}",
          "KRAKEN.XXBTZUSD 11-14T22:13:20. 5\nKRAKEN.XXBTZUSD 11-14T22:13:20. 6 #1\n"
          "KRAKEN.XXBTZUSD 11-14T22:13:20. 7 #9\n!malformed\n" },
        { "stream.jsonl", "{\"result\":null,\"id\":1}\n" SPOT("7") SPOT("8"),
          "!missing_field\nBINANCE.AB 11-14T22:13:20. 5 #7\nBINANCE.AB 11-14T22:13:20. 5 #8\n" },
        { "hour.json", MIDNIGHT("\"HourlyIntegratedLMP\":{\"HourAndMin\":\"HE 24\""),
          "MISO.A.RT1H 01-01T04:00:00Z 1\n" },
        { "hour.json", MIDNIGHT("\"HourlyIntegratedLMP\":{\"HourAndMin\":\"HE 1\""),
          "MISO.A.RT1H 01-01T05:00:00Z 1\n" },
        { "five.json", MIDNIGHT("\"FiveMinLMP\":{\"HourAndMin\":\"23:55\""), "MISO.A 01-01T04:55:00Z 1\n" },
        { "ahead.json", MIDNIGHT("\"DayAheadExPostLMP\":{\"HourAndMin\":\"HE 24\""),
          "MISO.A.DA 01-02T04:00:00Z 1\n" },
        { "exante.json",
          "{\"LMPData\":{\"RefId\":\"02-Oct-2026 - Interval 16:50 EST\",\"ExAnteLMP\":{\"HourAndMin\":\"16:50\",\"Hub\":["
          "{\"name\":\"A\",\"LMP\":\"3\",\"loss\":\"0.02\",\"congestion\":\"-\"},{\"name\":\"A\",\"LMP\":\"-\"}]}}}",
          "MISO.A.EXANTE 10-02T21:50:00Z 3\n!no_price\n" },
        { "now.json",
          "{\"headers\":[\"INTERVAL\",\"CPNODE\",\"LMP\",\"MLC\",\"MCC\"],\"data\":[[\"2026-10-02T16:50:00\",\"A\",\"-3\",\"0\",\"1\"],"
          "[\"2026-10-02T16:50:00\",\"A\",\"1\"],[\"2026-10-02T16:50:00\",\"A\",\"1\",\"0\",\"0\",\"0\"]]}",
          "MISO.A 10-02T21:50:00Z -3\n!malformed\n!malformed\n" },
        { "miso_rt_lmp_prelim.csv",
          "Realtime Market LMPs,,\n10/1/2026,,\n,,,All Hours-Ending are Eastern Standard Time (EST)\n"
          "Node,Type,Value,HE 1,HE 24\nA,Hub,LMP,-.5,\n",
          "MISO.A.RT1H.PRELIM 10-01T05:00:00Z -0.5\n!no_price\n" },
        { "oasis.csv",
          "\"RTC End Time Stamp\",\"Zone Name\",\"RTC Zonal LBMP\",\"RTC Zonal Price Version\"\n\"2024/06/01 00:15:00\",\"N.Y.C.\",\"1\",\"2\"\n",
          "NYISO.N.Y.C.RTC 06-01T04:00:00Z 1\n" },
        { "oasis.csv",
          "Eastern Date Hour,Eastern Date Hour Time Zone,Zone Name,DAM Zonal LBMP\n11/3/24 1:00,EST,A,1\n",
          "NYISO.A.DA 11-03T06:00:00Z 1\n" },
        { "pjm.csv",
          "datetime_beginning_utc,pnode_name,total_lmp_rt\n5/1/2025 4:00:00 AM,A,1\n5/1/2025 5:00:00 am,A,2\n5/1/2025 5:05:00 AM,A,3\n",
          "PJM.A 05-01T04:00:00Z 1\nPJM.A 05-01T05:00:00Z 2\nPJM.A 05-01T05:05:00Z 3\n" },
        { "nyiso_damlbmp.csv", NYISO_HEADING NYISO_ROW("07/18/2022 00:05:00", "1"),
          "NYISO.WEST 07-18T04:00:00Z 1 #300\n" },
        { "20220718realtime.csv", NYISO_HEADING NYISO_ROW("07/18/2022 01:00:00", "1"),
          "NYISO.WEST 07-18T04:55:00Z 1 #300\n" },
        { "aeso.csv",
          "Historical System Marginal Price\nDate (HE),Time,Price ($)\n\"01/09/2010 24\",\"24:00\",\"42\"\n\"01/09/2010 24\",\"23:51\",\"41\"\n"
          "\"01/09/2010 24\",\"24:01\",\"1\"\n\"01/09/2010\",\"1:00\",\"1,000.00\"\n",
          "!bad_number\nAESO.AB 01-10T06:51:00Z 41\n!bad_time\nAESO.AB 01-10T07:00:00Z 42\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        ck_assert_str_eq(all_of(make(files[i].name, files[i].text)), files[i].ticks);
}
END_TEST

START_TEST(files_that_are_refused_by_their_first_bytes_or_heading)
{
    refuses(make("a.csv", "PK\3\4\n"), "unknown_shape", "zip archive");
    refuses(make("b.csv", "\xff\xfeN\n"), "unknown_shape", "UTF-16");
    refuses(make("d.json", "{\"LMPData\":{\"RefId\":\"x\",\"ExAnteLMP\":{\"Zone\":[]}}}"), "unknown_feed",
            "\"Zone\" of section \"ExAnteLMP\"");
    refuses(make("c.csv", "symbol,timestamp,price,market,PRICE\n"), "malformed", "two columns are named \"PRICE\"");
}
END_TEST

START_TEST(a_row_too_long_for_an_event_stops_no_load)
{
    struct weir__buf buf = { 0 };
    const char      *name = "trades_spy_tick_20131007.csv";

    weir__buf_puts(&buf, PJM_HEADING PJM_ROW("4:00:00 AM", "A", "1"));
    weir__buf_printf(&buf, "5/1/2025 4:00:00 AM,x,1,%0*d,,,HUB,,1,2,2,3,True,1\n", 3 << 20, 7);
    weir__buf_puts(&buf, PJM_ROW("5:00:00 AM", "A", "2"));
    weir__buf_putc(&buf, '\0');
    ck_assert_str_eq(all_of(make("pjm_rt_hrl_lmps.csv", buf.data)),
                     "PJM.A.RT1H 05-01T04:00:00Z 1\n!too_long\nPJM.A.RT1H 05-01T05:00:00Z 2\n");
    weir__buf_reset(&buf);
    weir__buf_printf(&buf, "1,1,1,P,,0\n1,1,1,%0*d,,0\n1,2,1,P,,0\n", 3 << 20, 7);
    weir__buf_putc(&buf, '\0');
    ck_assert_str_eq(all_of(make(name, buf.data)),
                     "SPY 10-07T04:00:00. 0.0001\n!too_long\nSPY 10-07T04:00:00. 0.0002 #1\n");
    weir__buf_fini(&buf);
}
END_TEST

START_TEST(quotes_without_a_time_have_the_receipts)
{
    ck_assert_str_eq(all_of(make("q.jsonl", "1723161256560123456 {\"u\":5,\"s\":\"A\",\"b\":\"1\",\"a\":\"3\"}\n")),
                     "BINANCE.A 08-08T23:54:16. quote received #5\n");
}
END_TEST

/* Ingestion time is when the feed made the file or the row, where it says so. */
START_TEST(files_that_say_when_they_were_made)
{
    ck_assert_str_eq(
        all_of(make("lmp_rt_final_20260602.csv",
                    "\"C\",\"Filename: x\"\n\"C\",\"Report generated: 06/09/2026 10:11:12 EDT\"\n"
                    "\"H\",\"Date\",\"Hour Ending\",\"Location Name\",\"Locational Marginal Price\"\n"
                    "\"H\",\"Date\",\"Text\",\"Text\",\"Number\"\n\"D\",\"06/02/2026\",01,\"A\",5\n\"T\",5\n")),
        "ISONE.A.RT1H 06-02T04:00:00Z 5 made 2026-06-09T14:11:12Z\n");
    ck_assert_str_eq(
        all_of(make("a.json", "{\"timestamp\":\"2024-04-14 08:00:00.000+00:00\",\"return\":{\"Pool Price Report\":"
                              "[{\"begin_datetime_utc\":\"2024-04-14 06:00\",\"pool_price\":\"28.89\"}]}}")),
        "AESO.AB.RT1H 04-14T06:00:00Z 28.89 made 2024-04-14T08:00:00Z\n");
    ck_assert_str_eq(
        all_of(make("x.csv", "\"C\",\"Filename: WW_DALMP_ISO_20260602.csv\"\n"
                             "\"H\",\"Date\",\"Hour Ending\",\"Location Name\",\"Locational Marginal Price\"\n"
                             "\"D\",\"06/02/2026\",24,\"A\",5\n")),
        "ISONE.A.DA 06-03T03:00:00Z 5\n");
}
END_TEST

START_TEST(documents_of_isone)
{
    ck_assert_str_eq(all_of(make("a.json", "{\"FiveMinLmps\":{\"FiveMinLmp\":["
                                           "{\"BeginDate\":\"2026-09-23T00:05:00.000-04:00\","
                                           "\"Location\":{\"$\":\".H.INTERNAL_HUB\"},\"LmpTotal\":5}]}}")),
                     "ISONE.H.INTERNAL_HUB 09-23T04:05:00Z 5\n");
    ck_assert_str_eq(all_of(make("hourlylmp_da_final_1.json",
                                 "{\"HourlyLmps\":{\"HourlyLmp\":{\"BeginDate\":\"2026-09-23T01:00:00.000-04:00\","
                                 "\"Location\":{\"$\":\".H.INTERNAL_HUB\"},\"LmpTotal\":6}}}")),
                     "ISONE.H.INTERNAL_HUB.DA 09-23T05:00:00Z 6\n");
}
END_TEST

START_TEST(rows_that_cannot_be_read_are_events_too)
{
    ck_assert_str_eq(
        all_of(make("pjm_rt_hrl_lmps.csv",
                    PJM_HEADING PJM_ROW("4:00:00 AM", "A", "1") "5/1/2025\n"
                                                                "\"open,quote\n" PJM_ROW("25:00:00 AM", "A", "2")
                                                                    PJM_ROW("6:00:00 AM", "A", "")
                                                                        PJM_ROW("6:00:00 AM", "A", "x"))),
        "PJM.A.RT1H 05-01T04:00:00Z 1\n!malformed\n!malformed\n!bad_time\n!no_price\n!bad_number\n");
    ck_assert_str_eq(all_of(make(LEAN, "374,1,1,P,,0\nnix\n375,x,1,P,,0\n")),
                     "SPY 10-07T04:00:00. 0.0001\n!malformed\n!bad_number\n");
    ck_assert_str_eq(
        all_of(make("b.jsonl", "1 {\"e\":\"trade\",\"s\":\"A\",\"T\":1723161256560,\"t\":1,\"p\":\"2\",\"q\":\"1\","
                               "\"X\":\"M\"}\n2 {\"e\":\"depth\",\"s\":\"A\"}\n3 {\n")),
        "BINANCE.A.PERP 08-08T23:54:16. 2 #1\n!missing_field\n!malformed\n");
}
END_TEST

/* ---- order ---- */

START_TEST(events_come_in_order_over_all_files)
{
    const char *backward =
        make("pjm_rt_hrl_lmps_a.csv", PJM_HEADING PJM_ROW("6:00:00 AM", "A", "6") PJM_ROW("4:00:00 AM", "A", "4"));
    const char *forward =
        make("pjm_rt_hrl_lmps_b.csv", PJM_HEADING PJM_ROW("5:00:00 AM", "A", "5") PJM_ROW("6:00:00 AM", "A", "6.5"));
    const char *wanted = "PJM.A.RT1H 05-01T04:00:00Z 4\nPJM.A.RT1H 05-01T05:00:00Z 5\n"
                         "PJM.A.RT1H 05-01T06:00:00Z 6\nPJM.A.RT1H 05-01T06:00:00Z 6.5\n";

    ck_assert_str_eq(take_all((const char *const[]){ backward, forward, NULL }), wanted);
}
END_TEST

START_TEST(more_files_than_may_be_open)
{
    const char   *paths[61] = { 0 };
    struct rlimit limit = { 24, 24 };
    struct call   call_;
    const char   *all;

    for (int day = 0; day < 60; day++)
        paths[day] =
            make(TEXTF("trades_spy_tick_2013%02d%02d.csv", 1 + day / 28, 1 + day % 28), "1,1,1,P,,0\n2,2,1,P,,0\n");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    call_ = call(paths, NULL);
    ck_assert_uint_eq(call_.refused, 0);
    all = take(&call_, SIZE_MAX);
    ck_assert_uint_eq(strlen(all), 120 * strlen("SPY 01-01T05:00:00. 0.0001\n"));
    market_load_free(call_.load);
}
END_TEST

static const char *shuffled(size_t rows)
{
    struct weir__buf buf = { 0 };
    const char      *text;

    weir__buf_puts(&buf, PJM_HEADING);
    for (size_t i = 0; i < rows; i++) {
        size_t n = i * 7919 % rows;

        weir__buf_printf(&buf, "5/%zu/2025 %zu:00:00 AM,x,1,N%zu,,,HUB,,1,%zu,2,3,True,1\n", 1 + n / 11 % 28,
                         1 + n % 11, n / 308, n);
    }
    text = TEXTF("%.*s", (int)buf.size, buf.data);
    weir__buf_fini(&buf);
    return text;
}

START_TEST(sorting_on_disk_gives_the_same_order)
{
    const char *path = make("pjm_rt_hrl_lmps.csv", shuffled(2003));
    const char *in_memory = all_of(path);

    options.temp = folder;
    options.memory = 20000;
    ck_assert_str_eq(all_of(path), in_memory);
    options.memory = 1;
    ck_assert_str_eq(all_of(path), in_memory);
    options.temp = "/nowhere";
    {
        struct call       call_ = call((const char *const[]){ path, NULL }, NULL);
        struct market_raw raw;

        ck_assert_int_eq(market_load_next(call_.load, &raw, &error), WEIR_IO);
        ck_assert_str_eq(error.where, "/nowhere");
        market_load_free(call_.load);
    }
}
END_TEST

START_TEST(equal_trades_are_numbered_in_row_order)
{
    ck_assert_str_eq(all_of(make(LEAN, "1,1,1,P,,0\n1,1,1,P,,0\n2,1,1,P,,0\n1,3,1,P,,0\n")),
                     "SPY 10-07T04:00:00. 0.0001\nSPY 10-07T04:00:00. 0.0001 #1\nSPY 10-07T04:00:00. 0.0003 #2\n"
                     "SPY 10-07T04:00:00. 0.0001\n");
}
END_TEST

/* ---- repeated hours ---- */

#define DAM "20251102damlbmp_zone.csv"

START_TEST(row_order_tells_the_repeated_hour)
{
    ck_assert_str_eq(
        all_of(make(DAM, NYISO_HEADING NYISO_ROW("11/02/2025 00:00", "0") NYISO_ROW("11/02/2025 01:00", "1")
                             NYISO_ROW("11/02/2025 01:00", "2") NYISO_ROW("11/02/2025 02:00", "3"))),
        "NYISO.WEST.DA 11-02T04:00:00Z 0\nNYISO.WEST.DA 11-02T05:00:00Z 1\n"
        "NYISO.WEST.DA 11-02T06:00:00Z 2\nNYISO.WEST.DA 11-02T07:00:00Z 3\n");
}
END_TEST

START_TEST(in_a_file_that_runs_backward_the_later_hour_comes_first)
{
    ck_assert_str_eq(
        all_of(make(DAM, NYISO_HEADING NYISO_ROW("11/02/2025 02:00", "3") NYISO_ROW("11/02/2025 01:00", "2")
                             NYISO_ROW("11/02/2025 01:00", "1") NYISO_ROW("11/02/2025 00:00", "0"))),
        "NYISO.WEST.DA 11-02T04:00:00Z 0\nNYISO.WEST.DA 11-02T05:00:00Z 1\n"
        "NYISO.WEST.DA 11-02T06:00:00Z 2\nNYISO.WEST.DA 11-02T07:00:00Z 3\n");
}
END_TEST

#define RT         "20251102realtime_zone.csv"
#define WEST(rest) "NYISO.WEST 11-02T" rest "\n"

/* Reruns between grid points come once in a repeated hour that is there twice. */
START_TEST(reruns_of_a_repeated_hour_go_by_the_rows_around_them)
{
    ck_assert_str_eq(
        all_of(make(RT, NYISO_HEADING NYISO_ROW("11/02/2025 01:00:00", "1") NYISO_ROW("11/02/2025 01:03:10", "2")
                            NYISO_ROW("11/02/2025 01:05:00", "3") NYISO_ROW("11/02/2025 01:57:36", "4")
                                NYISO_ROW("11/02/2025 01:00:00", "5") NYISO_ROW("11/02/2025 01:01:12", "6")
                                    NYISO_ROW("11/02/2025 01:05:00", "7") NYISO_ROW("11/02/2025 01:58:00", "8")
                                        NYISO_ROW("11/02/2025 02:00:00", "9"))),
        WEST("04:55:00Z 1 #300") WEST("05:00:00Z 2 #190") WEST("05:00:00Z 3 #300") WEST("05:55:00Z 4 #156")
            WEST("05:55:00Z 5 #300") WEST("06:00:00Z 6 #72") WEST("06:00:00Z 7 #300") WEST("06:55:00Z 8 #180")
                WEST("06:55:00Z 9 #300"));
    ck_assert_str_eq(
        all_of(make(RT, NYISO_HEADING NYISO_ROW("11/02/2025 02:00:00", "9") NYISO_ROW("11/02/2025 01:58:00", "8")
                            NYISO_ROW("11/02/2025 01:05:00", "7") NYISO_ROW("11/02/2025 01:01:12", "6")
                                NYISO_ROW("11/02/2025 01:00:00", "5") NYISO_ROW("11/02/2025 01:57:36", "4")
                                    NYISO_ROW("11/02/2025 01:05:00", "3") NYISO_ROW("11/02/2025 01:00:00", "1"))),
        WEST("04:55:00Z 1 #300") WEST("05:00:00Z 3 #300") WEST("05:55:00Z 5 #300") WEST("05:55:00Z 4 #156")
            WEST("06:00:00Z 7 #300") WEST("06:00:00Z 6 #72") WEST("06:55:00Z 9 #300") WEST("06:55:00Z 8 #180"));
}
END_TEST

START_TEST(an_hour_that_is_there_once_stays_ambiguous)
{
    ck_assert_str_eq(
        all_of(make(RT, NYISO_HEADING NYISO_ROW("11/02/2025 00:55:00", "0") NYISO_ROW("11/02/2025 01:05:00", "1")
                            NYISO_ROW("11/02/2025 01:05:00", "1") NYISO_ROW("11/02/2025 01:10:00", "2")
                                NYISO_ROW("11/02/2025 01:15:00", "3") NYISO_ROW("11/02/2025 02:05:00", "4"))),
        WEST("04:50:00Z 0 #300") WEST("05:00:00Z 1 #300") WEST("06:00:00Z 1 #300") WEST("05:05:00Z 2 #300 ambiguous")
            WEST("05:10:00Z 3 #300 ambiguous") WEST("07:00:00Z 4 #300"));
}
END_TEST

START_TEST(a_repeated_hour_that_comes_once_is_the_earlier)
{
    ck_assert_str_eq(all_of(make(DAM, NYISO_HEADING NYISO_ROW("11/02/2025 00:00", "0")
                                          NYISO_ROW("11/02/2025 01:00", "1") NYISO_ROW("11/02/2025 02:00", "3"))),
                     "NYISO.WEST.DA 11-02T04:00:00Z 0\nNYISO.WEST.DA 11-02T05:00:00Z 1 ambiguous\n"
                     "NYISO.WEST.DA 11-02T07:00:00Z 3\n");
}
END_TEST

START_TEST(a_skipped_hour_is_refused)
{
    ck_assert_str_eq(all_of(make("20250309damlbmp.csv",
                                 NYISO_HEADING NYISO_ROW("03/09/2025 01:00", "1") NYISO_ROW("03/09/2025 02:00", "2")
                                     NYISO_ROW("03/09/2025 03:00", "3"))),
                     "NYISO.WEST.DA 03-09T06:00:00Z 1\n!no_such_time\nNYISO.WEST.DA 03-09T07:00:00Z 3\n");
}
END_TEST

/* ---- loads that go on ---- */

/* Loads n events, then the rest in another call that knows how far the first one came: together they are all. */
static void goes_on(const char *path, size_t n, const char *all)
{
    const char *const paths[] = { path, NULL };
    struct call       first = call(paths, NULL), second;
    const char       *begun = take(&first, n), *known = progress_of(&first, 0), *rest;

    market_load_free(first.load);
    second = call(paths, (const char *const[]){ known, NULL });
    ck_assert_uint_eq(file_of(&second, 0).before, n);
    rest = take(&second, SIZE_MAX);
    ck_assert_str_eq(TEXTF("%s%s", begun, rest), all);
    market_load_free(second.load);
}

START_TEST(a_load_goes_on_where_it_was)
{
    const char *sorted = make("pjm_rt_hrl_lmps.csv", shuffled(60));
    const char *streamed = make(LEAN, "1,1,1,P,,0\n1,1,1,P,,0\n1,1,1,P,,0\n2,1,1,P,,0\nnix\n2,5,1,P,,0");

    for (size_t n = 0; n <= 60; n++)
        goes_on(sorted, n, all_of(sorted));
    for (size_t n = 0; n <= 6; n++)
        goes_on(streamed, n, all_of(streamed));
}
END_TEST

/* All of a file, and how far that is. */
static const char *load_all(const char *path, const char *known, const char **ret_progress)
{
    struct call call_ = call((const char *const[]){ path, NULL }, (const char *const[]){ known, NULL });
    const char *text = take(&call_, SIZE_MAX);

    ck_assert_msg(call_.refused == 0, "%s", call_.refused ? file_of(&call_, 0).refusal->text : "");
    *ret_progress = progress_of(&call_, 0);
    market_load_free(call_.load);
    return text;
}

START_TEST(a_file_that_has_grown_sends_its_new_rows)
{
    const char *known = NULL, *path = make(LEAN, "1,1,1,P,,0\n1,2,1,P,,0");

    load_all(path, NULL, &known);
    ck_assert_str_eq(load_all(path, known, &known), "");
    extend(LEAN, "\n1,3,1,P,,0\n5,4,1,P,,0\n");
    ck_assert_str_eq(load_all(path, known, &known), "SPY 10-07T04:00:00. 0.0003 #2\nSPY 10-07T04:00:00. 0.0004\n");
    ck_assert_str_eq(load_all(path, known, &known), "");
    extend(LEAN, "0,9,1,P,,0\n1,5,1,P,,0\n");
    ck_assert_str_eq(load_all(path, known, &known), "SPY 10-07T04:00:00Z 0.0009\nSPY 10-07T04:00:00. 0.0005 #3\n");
    options.again = true;
    ck_assert_str_eq(load_all(path, known, &known),
                     "SPY 10-07T04:00:00Z 0.0009\nSPY 10-07T04:00:00. 0.0001\nSPY 10-07T04:00:00. 0.0002 #1\n"
                     "SPY 10-07T04:00:00. 0.0003 #2\nSPY 10-07T04:00:00. 0.0005 #3\nSPY 10-07T04:00:00. 0.0004\n");
}
END_TEST

START_TEST(a_file_that_grew_while_its_load_was_broken_off)
{
    const char *const paths[] = { make(LEAN, "3,1,1,P,,0\n1,2,1,P,,0\n2,3,1,P,,0\n"), NULL };
    struct call       first = call(paths, NULL);
    const char       *known, *again;

    ck_assert_str_eq(take(&first, 1), "SPY 10-07T04:00:00. 0.0002\n");
    known = progress_of(&first, 0);
    market_load_free(first.load);
    extend(LEAN, "2,4,1,P,,0\n");
    ck_assert_str_eq(load_all(*paths, known, &again),
                     "SPY 10-07T04:00:00. 0.0003\nSPY 10-07T04:00:00. 0.0001\nSPY 10-07T04:00:00. 0.0004 #1\n");
    ck_assert_str_eq(load_all(*paths, again, &again), "");
}
END_TEST

START_TEST(a_row_that_was_cut_is_not_sent_again_by_halves)
{
    const char *known, *path = make(LEAN, "1,1,1,P,,0\n1,2,1,P");
    struct call call_;

    load_all(path, NULL, &known);
    extend(LEAN, ",,0\n2,3,1,P,,0\n");
    call_ = call((const char *const[]){ path, NULL }, (const char *const[]){ known, NULL });
    ck_assert_uint_eq(call_.refused, 1);
    ck_assert_ptr_nonnull(strstr(file_of(&call_, 0).refusal->text, "--again"));
    market_load_free(call_.load);
}
END_TEST

START_TEST(a_file_is_known_by_its_content_not_by_its_name)
{
    const char *known, *text = "1,1,1,P,,0\n2,2,1,P,,0\n";
    const char *path = make(LEAN, text), *other = TEXTF("%s.gz", path_of(LEAN));
    gzFile      packed = gzopen(other, "wb");
    struct call twice;

    gzputs(packed, text);
    gzclose(packed);
    load_all(path, NULL, &known);
    ck_assert_str_eq(load_all(other, known, &known), "");
    twice = call((const char *const[]){ path, other, NULL }, NULL);
    ck_assert_str_eq(take(&twice, SIZE_MAX), "SPY 10-07T04:00:00. 0.0001\nSPY 10-07T04:00:00. 0.0002\n");
    market_load_free(twice.load);
    options.tenant = "acme";
    ck_assert_str_ne(load_all(path, known, &known), "");
}
END_TEST

START_TEST(of_records_with_one_key_the_last_counts)
{
    const char *const paths[] = { make(LEAN, "1,1,1,P,,0\n2,2,1,P,,0\n3,3,1,P,,0\n"), NULL };
    struct call       first = call(paths, NULL), second;
    const char       *known[40] = { 0 };

    take(&first, 1);
    for (int i = 0; i < 38; i++)
        known[i] = progress_of(&first, 0);
    take(&first, 1);
    known[38] = progress_of(&first, 0);
    market_load_free(first.load);
    second = call(paths, known);
    ck_assert_str_eq(take(&second, SIZE_MAX), "SPY 10-07T04:00:00. 0.0003\n");
    market_load_free(second.load);
}
END_TEST

START_TEST(the_shorter_form_of_a_file_is_still_known)
{
    const char *whole, *grown, *short_text = "1,1,1,P,,0\n", *path = make(LEAN, short_text);
    struct call call_;

    load_all(path, NULL, &whole);
    extend(LEAN, "2,2,1,P,,0\n");
    load_all(path, whole, &grown);
    make(LEAN, short_text);
    call_ = call((const char *const[]){ path, NULL }, (const char *const[]){ whole, grown, NULL });
    ck_assert_str_eq(take(&call_, SIZE_MAX), "");
    market_load_free(call_.load);
}
END_TEST

START_TEST(progress_that_cannot_be_read)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"id\":\"a\",\"context\":\"b\",\"hash\":\"zz\"}",
        "{\"id\":\"a\",\"context\":\"b\",\"hash\":\"00000000000000zz\",\"bytes\":1,\"rows\":1,"
        "\"begin\":0,\"events\":1,\"sent\":1,\"before\":0}",
        "{\"id\":\"a\",\"context\":\"b\",\"hash\":\"0000000000000000\",\"bytes\":1,\"rows\":1,"
        "\"begin\":0,\"events\":1,\"sent\":2,\"before\":0}",
        "{\"id\":\"a\",\"context\":\"b\",\"hash\":\"0000000000000000\",\"bytes\":1,\"rows\":1,"
        "\"begin\":0,\"events\":1,\"sent\":1,\"before\":0,\"again\":-1}",
        "{\"id\":\"a\",\"context\":\"b\",\"hash\":\"0000000000000000\",\"bytes\":-1,\"rows\":1,"
        "\"begin\":0,\"events\":1,\"sent\":1,\"before\":0}"
    };
    struct market_load *load;

    ck_assert_int_eq(market_load_new(&options, &load, &error), WEIR_OK);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_int_eq(market_load_known(load, BYTES(bad[i], strlen(bad[i]))), WEIR_UNREADABLE);
    market_load_free(load);
    options.tenant = "a b";
    ck_assert_int_eq(market_load_new(&options, &load, &error), WEIR_BAD_ARGUMENT);
    options = (struct market_load_options){ .zone = "Mars/North" };
    ck_assert_int_eq(market_load_new(&options, &load, &error), WEIR_BAD_ARGUMENT);
    ck_assert_str_eq(error.where, "--zone");
}
END_TEST

static void note_progress(void *arg, int64_t done, int64_t total)
{
    int64_t *last = arg;

    ck_assert_int_le(*last, done);
    ck_assert_int_le(done, total);
    *last = done;
}

START_TEST(progress_headers_and_topics)
{
    const char       *path = make("pjm_rt_hrl_lmps.csv", shuffled(9000));
    int64_t           last = 0;
    struct call       call_;
    struct market_raw raw;

    options.progress = note_progress;
    options.arg = &last;
    options.backfill = true;
    call_ = call((const char *const[]){ path, NULL }, NULL);
    ck_assert_int_eq(last, (int64_t)strlen(shuffled(9000)));
    ck_assert_int_eq(market_load_next(call_.load, &raw, &error), WEIR_OK);
    ck_assert_str_eq(raw.topic, "ingestion.pjm.raw.v1");
    ck_assert_int_eq(memcmp(raw.key.data, "PJM.N0.RT1H", raw.key.size), 0);
    ck_assert_int_eq(raw.timestamp, raw.event_time / 1000);
    ck_assert_uint_eq(raw.header_count, 2);
    ck_assert_str_eq(raw.headers[0].name, MARKET_HEADER_REPLAY);
    ck_assert_str_eq(raw.headers[1].name, MARKET_HEADER_BACKFILL);
    take(&call_, SIZE_MAX);
    ck_assert_uint_eq(file_of(&call_, 0).sent, 9000);
    ck_assert(!file_of(&call_, 0).ordered);
    market_load_free(call_.load);
}
END_TEST

/* Sends up to `most` events of a file; the number that the last one bears, 0 = nothing was sent. */
static int64_t number_of(const char *path, const char **known, size_t most)
{
    struct call call_ = call((const char *const[]){ path, NULL }, (const char *const[]){ *known, NULL });
    int64_t     number = 0;

    for (struct market_raw raw; most-- > 0 && market_load_next(call_.load, &raw, &error) == WEIR_OK;) {
        ck_assert_uint_eq(raw.header_count, options.backfill ? 2 : 1);
        for (size_t i = 0; i < raw.header_count; i++)
            number = atoll(raw.headers[i].value.data);
    }
    *known = progress_of(&call_, 0);
    market_load_free(call_.load);
    return number;
}

START_TEST(a_call_has_a_number_of_its_own)
{
    const char *known = NULL, *broken = NULL, *path = make(LEAN, "1,1,1,P,,0\n2,2,1,P,,0\n3,3,1,P,,0\n");
    int64_t     first = number_of(path, &known, SIZE_MAX), numbers[4];

    ck_assert_int_gt(first, 0);
    ck_assert_int_eq(number_of(path, &broken, 1), first);
    ck_assert_int_eq(number_of(path, &broken, SIZE_MAX), first); /* the broken off one goes on */
    ck_assert_int_eq(number_of(path, &broken, SIZE_MAX), 0);
    for (int i = 0; i < 4; i++) { /* by turns as backfill: each is another one */
        options.again = true;
        options.backfill = i % 2;
        numbers[i] = number_of(path, &known, SIZE_MAX);
        ck_assert_int_ne(numbers[i], first);
        for (int j = 0; j < i; j++)
            ck_assert_int_ne(numbers[i], numbers[j]);
    }
}
END_TEST

START_TEST(memory_that_runs_out_anywhere_is_said)
{
    const char *const paths[] = { make("pjm_rt_hrl_lmps.csv", shuffled(5)), NULL };
    int               err = WEIR_NO_MEMORY;

    for (uint64_t n = 1; err == WEIR_NO_MEMORY; n++) {
        struct market_load *load = NULL;
        struct market_raw   raw;
        size_t              refused;

        weir__fail_allocation(n);
        err = market_load_new(&options, &load, &error);
        if (err == WEIR_OK)
            err = market_load_open(load, paths, 1, &refused, &error);
        while (err == WEIR_OK)
            err = market_load_next(load, &raw, &error);
        weir__fail_allocation(0);
        market_load_free(load);
        ck_assert_uint_lt(n, 1000);
    }
    ck_assert_int_eq(err, WEIR_NOTFOUND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_load");
    TCase *tcase = tcase_create("load");

    tcase_add_checked_fixture(tcase, begin, finish);
    tcase_add_test(tcase, what_is_no_market_file);
    tcase_add_test(tcase, a_damaged_gzip_file_is_refused);
    tcase_add_test(tcase, all_that_is_missing_is_said_at_once);
    tcase_add_test(tcase, names_say_what_files_do_not);
    tcase_add_test(tcase, load_conf_beside_the_file);
    tcase_add_test(tcase, pjm_tables_of_hours_and_of_five_minutes);
    tcase_add_test(tcase, wide_tables_with_headings_that_cannot_be);
    tcase_add_test(tcase, columns_in_any_order_and_others_among_them);
    tcase_add_test(tcase, other_forms_of_files_that_are_known);
    tcase_add_test(tcase, files_that_are_refused_by_their_first_bytes_or_heading);
    tcase_add_test(tcase, a_row_too_long_for_an_event_stops_no_load);
    tcase_add_test(tcase, quotes_without_a_time_have_the_receipts);
    tcase_add_test(tcase, files_that_say_when_they_were_made);
    tcase_add_test(tcase, documents_of_isone);
    tcase_add_test(tcase, rows_that_cannot_be_read_are_events_too);
    tcase_add_test(tcase, events_come_in_order_over_all_files);
    tcase_add_test(tcase, more_files_than_may_be_open);
    tcase_add_test(tcase, sorting_on_disk_gives_the_same_order);
    tcase_add_test(tcase, equal_trades_are_numbered_in_row_order);
    tcase_add_test(tcase, row_order_tells_the_repeated_hour);
    tcase_add_test(tcase, in_a_file_that_runs_backward_the_later_hour_comes_first);
    tcase_add_test(tcase, reruns_of_a_repeated_hour_go_by_the_rows_around_them);
    tcase_add_test(tcase, an_hour_that_is_there_once_stays_ambiguous);
    tcase_add_test(tcase, a_repeated_hour_that_comes_once_is_the_earlier);
    tcase_add_test(tcase, a_skipped_hour_is_refused);
    tcase_add_test(tcase, a_load_goes_on_where_it_was);
    tcase_add_test(tcase, a_file_that_has_grown_sends_its_new_rows);
    tcase_add_test(tcase, a_file_that_grew_while_its_load_was_broken_off);
    tcase_add_test(tcase, a_row_that_was_cut_is_not_sent_again_by_halves);
    tcase_add_test(tcase, a_file_is_known_by_its_content_not_by_its_name);
    tcase_add_test(tcase, of_records_with_one_key_the_last_counts);
    tcase_add_test(tcase, the_shorter_form_of_a_file_is_still_known);
    tcase_add_test(tcase, progress_that_cannot_be_read);
    tcase_add_test(tcase, progress_headers_and_topics);
    tcase_add_test(tcase, a_call_has_a_number_of_its_own);
    tcase_add_test(tcase, memory_that_runs_out_anywhere_is_said);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
