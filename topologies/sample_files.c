/* sample_files.c: the rows of a sample as the files that venues and markets publish, and as raw events. */
#include "framework/json/json.h"
#include "topologies/sample.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define SECOND INT64_C(1000000)

void market_sample_number(int64_t units, struct weir__buf *ret)
{
    uint64_t size = units < 0 ? 0 - (uint64_t)units : (uint64_t)units, part = size % 100000000;
    char     text[16];
    int      digits = 8;

    weir__buf_printf(ret, "%s%" PRIu64, units < 0 ? "-" : "", size / 100000000);
    snprintf(text, sizeof(text), "%08" PRIu64, part);
    while (digits > 0 && text[digits - 1] == '0')
        digits--;
    if (digits > 0)
        weir__buf_printf(ret, ".%.*s", digits, text);
}

static void date_of(int64_t seconds, struct tm *ret)
{
    time_t at = (time_t)seconds;

    gmtime_r(&at, ret);
}

static void put_price(const struct market_sample_row *row, int part, struct weir__buf *ret)
{
    if (row->fault == SAMPLE_NO_NUMBER)
        weir__buf_puts(ret, "NaN");
    else if (row->fault != SAMPLE_NO_PRICE)
        market_sample_number(row->prices[part], ret);
}

/* ---- one form for each kind ---- */

static void put_trade(const struct market_sample_row *row, struct weir__buf *ret)
{
    char      name[16];
    struct tm date;

    date_of(row->time / SECOND, &date);
    weir__buf_printf(ret, "%s,", market_sample_name(row->instrument, name));
    if (row->fault == SAMPLE_NO_TIME)
        weir__buf_puts(ret, "never");
    else
        weir__buf_printf(ret, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", date.tm_year + 1900, date.tm_mon + 1,
                         date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec, (int)(row->time % SECOND / 1000));
    if (row->fault == SAMPLE_CUT)
        return;
    weir__buf_printf(ret, ",%s,%" PRId64 ",", market_sample_venue(row->instrument),
                     row->sequence < 0 ? -row->sequence : row->sequence);
    put_price(row, 0, ret);
    weir__buf_putc(ret, ',');
    if (row->volume >= 0)
        market_sample_number(row->volume, ret);
    weir__buf_puts(ret, ",USD,lot");
}

static void put_pjm(const struct market_sample_row *row, struct weir__buf *ret)
{
    char      name[16];
    struct tm date;

    date_of(row->time / SECOND, &date);
    if (row->fault == SAMPLE_NO_TIME)
        weir__buf_puts(ret, "never");
    else
        weir__buf_printf(ret, "%d/%d/%d %d:%02d:%02d %s", date.tm_mon + 1, date.tm_mday, date.tm_year + 1900,
                         date.tm_hour % 12 > 0 ? date.tm_hour % 12 : 12, date.tm_min, date.tm_sec,
                         date.tm_hour < 12 ? "AM" : "PM");
    weir__buf_printf(ret, ",%" PRId64 ",%s", 50000 + row->instrument, market_sample_name(row->instrument, name));
    if (row->fault == SAMPLE_CUT)
        return;
    for (int i = 0; i < SAMPLE_PARTS; i++) {
        weir__buf_putc(ret, ',');
        put_price(row, i, ret);
    }
    weir__buf_printf(ret, ",%" PRId64, row->revision);
}

static void put_ercot(const struct market_sample_row *row, struct weir__buf *ret)
{
    int64_t   utc = row->time / SECOND, offset = market_sample_offset(CLOCK_CENTRAL, utc);
    bool      again = market_sample_offset(CLOCK_CENTRAL, utc - 3600) == offset + 3600;
    char      name[16];
    struct tm date;

    date_of(utc + offset, &date);
    if (row->fault == SAMPLE_NO_TIME)
        weir__buf_puts(ret, "never");
    else
        weir__buf_printf(ret, "%02d/%02d/%04d", date.tm_mon + 1, date.tm_mday, date.tm_year + 1900);
    weir__buf_printf(ret, ",%d,%d,%s", date.tm_hour + 1, date.tm_min / 15 + 1,
                     market_sample_name(row->instrument, name));
    if (row->fault == SAMPLE_CUT)
        return;
    weir__buf_puts(ret, ",HU,");
    put_price(row, 0, ret);
    weir__buf_puts(ret, again ? ",Y" : ",N");
}

/* ---- what their labels are made of ---- */

static const struct market_sample_feed *feed_of(const struct market_sample_row *row)
{
    return &market_sample_feeds[market_sample_kind_of(row->instrument)];
}

/* The local date and time of an instant, s. */
static void local_of(const struct market_sample_row *row, int64_t utc, struct tm *ret)
{
    date_of(utc + market_sample_offset(feed_of(row)->clock, utc), ret);
}

static bool is_again(const struct market_sample_row *row)
{
    int64_t utc = row->time / SECOND, offset = market_sample_offset(feed_of(row)->clock, utc);

    return market_sample_offset(feed_of(row)->clock, utc - 3600) == offset + 3600;
}

/* "03/09/2025". */
static void put_date(const struct market_sample_row *row, const struct tm *date, struct weir__buf *ret)
{
    if (row->fault == SAMPLE_NO_TIME)
        weir__buf_puts(ret, "never");
    else
        weir__buf_printf(ret, "%02d/%02d/%04d", date->tm_mon + 1, date->tm_mday, date->tm_year + 1900);
}

/* "2025-03-09T07:00:00", or with a blank in the middle. */
static void put_utc(const struct market_sample_row *row, int64_t utc, char between, struct weir__buf *ret)
{
    struct tm date;

    date_of(utc, &date);
    if (row->fault == SAMPLE_NO_TIME)
        weir__buf_puts(ret, "never");
    else
        weir__buf_printf(ret, "%04d-%02d-%02d%c%02d:%02d:%02d", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
                         between, date.tm_hour, date.tm_min, date.tm_sec);
}

/* ---- one form for each of the other kinds ---- */

static void put_ercot_da(const struct market_sample_row *row, struct weir__buf *ret)
{
    char      name[16];
    struct tm date;

    local_of(row, row->time / SECOND, &date);
    put_date(row, &date, ret);
    weir__buf_printf(ret, ",%02d:00,%s", date.tm_hour + 1, market_sample_name(row->instrument, name));
    if (row->fault == SAMPLE_CUT)
        return;
    weir__buf_putc(ret, ',');
    put_price(row, 0, ret);
    weir__buf_puts(ret, is_again(row) ? ",Y" : ",N");
}

static void put_caiso(const struct market_sample_row *row, struct weir__buf *ret)
{
    char name[16];

    put_utc(row, row->time / SECOND, 'T', ret);
    weir__buf_puts(ret, row->fault == SAMPLE_NO_TIME ? "," : "-00:00,");
    put_utc(row, row->time / SECOND + 3600, 'T', ret);
    weir__buf_printf(ret, "%s%s", row->fault == SAMPLE_NO_TIME ? "," : "-00:00,",
                     market_sample_name(row->instrument, name));
    if (row->fault == SAMPLE_CUT)
        return;
    weir__buf_puts(ret, ",DAM,LMP,");
    put_price(row, 0, ret);
}

static void put_miso(const struct market_sample_row *row, struct weir__buf *ret)
{
    put_utc(row, row->time / SECOND + 3600, ' ', ret);
    weir__buf_puts(ret, ",,,,");
    if (row->fault == SAMPLE_CUT)
        return;
    weir__buf_putc(ret, ',');
    put_price(row, 0, ret);
    weir__buf_putc(ret, ',');
    put_price(row, 2, ret);
    weir__buf_putc(ret, ',');
    put_price(row, 3, ret);
}

/* Congestion has the other sign. */
static void put_nyiso_prices(const struct market_sample_row *row, struct weir__buf *ret)
{
    struct market_sample_row turned = *row;
    char                     name[16];

    turned.prices[2] = -row->prices[2];
    weir__buf_printf(ret, ",%s", market_sample_name(row->instrument, name));
    if (row->fault == SAMPLE_CUT)
        return;
    weir__buf_printf(ret, ",%" PRId64 ",", 60000 + row->instrument);
    put_price(&turned, 0, ret);
    weir__buf_putc(ret, ',');
    put_price(&turned, 3, ret);
    weir__buf_putc(ret, ',');
    put_price(&turned, 2, ret);
}

static void put_nyiso(const struct market_sample_row *row, struct weir__buf *ret)
{
    struct tm date;

    local_of(row, row->time / SECOND + 300, &date);
    put_date(row, &date, ret);
    weir__buf_printf(ret, " %02d:%02d:%02d", date.tm_hour, date.tm_min, date.tm_sec);
    put_nyiso_prices(row, ret);
}

static void put_nyiso_da(const struct market_sample_row *row, struct weir__buf *ret)
{
    struct tm date;

    local_of(row, row->time / SECOND, &date);
    put_date(row, &date, ret);
    weir__buf_printf(ret, " %02d:%02d", date.tm_hour, date.tm_min);
    put_nyiso_prices(row, ret);
}

static void put_isone(const struct market_sample_row *row, struct weir__buf *ret)
{
    char      name[16];
    struct tm date;

    local_of(row, row->time / SECOND, &date);
    weir__buf_puts(ret, "D,");
    put_date(row, &date, ret);
    weir__buf_printf(ret, ",%02d%s,%" PRId64 ",%s,HUB", date.tm_hour + 1, is_again(row) ? "X" : "",
                     4000 + row->instrument, market_sample_name(row->instrument, name));
    if (row->fault == SAMPLE_CUT)
        return;
    for (int i = 0; i < SAMPLE_PARTS; i++) {
        weir__buf_putc(ret, ',');
        put_price(row, i, ret);
    }
}

static void put_aeso(const struct market_sample_row *row, struct weir__buf *ret)
{
    struct tm date;

    local_of(row, row->time / SECOND, &date);
    put_date(row, &date, ret);
    weir__buf_printf(ret, " %02d:%02d,", date.tm_hour, date.tm_min);
    put_price(row, 0, ret);
}

static void put_aeso_hourly(const struct market_sample_row *row, struct weir__buf *ret)
{
    struct tm date;

    local_of(row, row->time / SECOND + 3600, &date);
    put_date(row, &date, ret);
    weir__buf_printf(ret, " %d:00", date.tm_hour);
    if (row->fault == SAMPLE_CUT)
        return;
    weir__buf_putc(ret, ',');
    put_price(row, 0, ret);
}

/* cells: what an event calls the cells of a row, where the heading says more than their names; a name that is empty stands for none. */
static const struct form {
    const char *file, *topic, *market, *data_type, *heading, *cells; /* market NULL: the row says it */
    void (*put)(const struct market_sample_row *row, struct weir__buf *ret);
} forms[SAMPLE_KINDS] = {
#define PJM_HEADING(kind)                                                                         \
    "datetime_beginning_utc,pnode_id,pnode_name,total_lmp_" kind ",system_energy_price_" kind "," \
    "congestion_price_" kind ",marginal_loss_price_" kind ",version_nbr\n"
#define NYISO_HEADING \
    "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"
#define ISONE_CELLS                                                                                        \
    "Date,Hour Ending,Location ID,Location Name,Location Type,Locational Marginal Price,Energy Component," \
    "Congestion Component,Marginal Loss Component\n"
#define EIA_CELLS                                                                        \
    "UTC Timestamp (Interval Ending),Local Timestamp Eastern Time (Interval Beginning)," \
    "Local Timestamp Eastern Time (Interval Ending),Local Date,Hour Number,"
    [SAMPLE_TRADES] = { "ticks.csv", "ingestion.market.ticks.raw.v1", NULL, NULL,
                        "symbol,timestamp,market,sequence,price,volume,currency,unit\n", NULL, put_trade },
    [SAMPLE_PJM] = { "pjm_rt_fivemin_hrl_lmps.csv", "ingestion.pjm.raw.v1", "PJM", "rt_fivemin_hrl_lmps",
                     PJM_HEADING("rt"), NULL, put_pjm },
    [SAMPLE_PJM_HOURLY] = { "pjm_rt_hrl_lmps.csv", "ingestion.pjm.raw.v1", "PJM", "rt_hrl_lmps", PJM_HEADING("rt"),
                            NULL, put_pjm },
    [SAMPLE_PJM_DA] = { "pjm_da_hrl_lmps.csv", "ingestion.pjm.raw.v1", "PJM", "da_hrl_lmps", PJM_HEADING("da"), NULL,
                        put_pjm },
    [SAMPLE_ERCOT] = { "ercot_np6-905-cd.csv", "ingestion.ercot.raw.v1", "ERCOT", "NP6-905-CD",
                       "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,"
                       "SettlementPointPrice,DSTFlag\n",
                       NULL, put_ercot },
    [SAMPLE_ERCOT_DA] = { "ercot_np4-190-cd.csv", "ingestion.ercot.raw.v1", "ERCOT", "NP4-190-CD",
                          "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n", NULL,
                          put_ercot_da },
    [SAMPLE_CAISO_DA] = { "caiso_PRC_LMP_DAM.csv", "ingestion.caiso.raw.v1", "CAISO", "PRC_LMP",
                          "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,NODE,MARKET_RUN_ID,LMP_TYPE,MW\n", NULL,
                          put_caiso },
    [SAMPLE_MISO_HOURLY] = { "miso_rt_hourly_hubs_%s.csv", "ingestion.miso.raw.v1", "MISO", "eia_rt_hourly",
                             "MISO Hourly Real-Time Locational Marginal Prices ($/megawatt) for Hubs\nHourly\n"
                             "Source: EIA collected from MISO\n" EIA_CELLS "%s LMP,%s (Congestion),%s (Loss)\n",
                             EIA_CELLS "LMP,Congestion,Loss\n", put_miso },
    [SAMPLE_NYISO] = { "nyiso_realtime_zone.csv", "ingestion.nyiso.raw.v1", "NYISO", "realtime_zone", NYISO_HEADING,
                       NULL, put_nyiso },
    [SAMPLE_NYISO_DA] = { "nyiso_damlbmp_zone.csv", "ingestion.nyiso.raw.v1", "NYISO", "damlbmp_zone", NYISO_HEADING,
                          NULL, put_nyiso_da },
    [SAMPLE_ISONE_HOURLY] = { "isone_lmp_rt_final.csv", "ingestion.isone.raw.v1", "ISONE", "lmp_rt_final",
                              "C,Real-Time Energy Market Hourly LMP Report\nC,Filename: lmp_rt_final.csv\nH," ISONE_CELLS
                              "H,Date,HE,String,String,String,Number,Number,Number,Number\n",
                              "," ISONE_CELLS, put_isone },
    [SAMPLE_AESO] = { "aeso_smp_1min.csv", "ingestion.aeso.raw.v1", "AESO", "system_marginal_price", "",
                      "Date/Time,Price\n", put_aeso },
    [SAMPLE_AESO_HOURLY] = { "aeso_historical_pool_price.csv", "ingestion.aeso.raw.v1", "AESO",
                             "historical_pool_price", "Date (HE),Price ($)\n", NULL, put_aeso_hourly },
};

/* ---- events ---- */

/* A file for each location, which its heading names. */
static bool is_wide(const struct form *form) { return strchr(form->file, '%') != NULL; }

/* The next cell of a line; false: there is none. */
static bool take_cell(struct weir_text *line, struct weir_text *ret)
{
    const char *comma = line->size > 0 ? memchr(line->data, ',', line->size) : NULL;

    if (line->data == NULL)
        return false;
    ret->data = line->data;
    ret->size = comma != NULL ? (size_t)(comma - line->data) : line->size;
    *line = comma != NULL ? (struct weir_text){ comma + 1, line->size - ret->size - 1 } : (struct weir_text){ 0 };
    return true;
}

/* A member for each cell of the row, by the heading's names. */
static void put_cells(const struct form *form, struct weir_text row, struct weir_json_out *json)
{
    const char      *names = form->cells != NULL ? form->cells : form->heading;
    struct weir_text heading = { names, strlen(names) - 1 }, name, cell;
    char             text[80];

    while (take_cell(&row, &cell) && take_cell(&heading, &name)) {
        if (name.size == 0)
            continue;
        snprintf(text, sizeof(text), "%.*s", (int)name.size, name.data);
        weir_json_name(json, text);
        weir_json_put_text(json, cell);
    }
}

/* A trade's row is a text in its event; one that is cut is cut as a text. */
static void put_trade_payload(const struct market_sample_row *row, const struct weir__buf *line,
                              struct weir_json_out *json)
{
    struct weir_json_out raw = { 0 };
    char                 name[16];

    weir_json_begin_object(&raw);
    put_cells(&forms[SAMPLE_TRADES], (struct weir_text){ line->data, line->size }, &raw);
    weir_json_end_object(&raw);
    weir__json_member_text(json, "source_system", "generate");
    weir__json_member_text(json, "market", market_sample_venue(row->instrument));
    weir__json_member_text(json, "symbol", market_sample_name(row->instrument, name));
    weir__json_member_int(json, "received_at", row->time);
    weir__json_member_text(json, "encoding", "json");
    weir_json_name(json, "raw_payload");
    weir_json_put_text(
        json, (struct weir_text){ raw.buf.data, row->fault == SAMPLE_CUT ? raw.buf.size / 2 : raw.buf.size });
    json->buf.failed |= raw.buf.failed;
    weir__json_out_fini(&raw);
}

static void put_event(const struct market_sample_row *row, uint64_t number, const char *tenant,
                      const struct weir__buf *line, struct weir_json_out *json)
{
    const struct form *form = &forms[market_sample_kind_of(row->instrument)];
    char               id[40], name[16];

    snprintf(id, sizeof(id), "generate#%" PRIu64, number);
    weir_json_begin_object(json);
    weir__json_member_text(json, "event_id", id);
    weir__json_member_text(json, "trace_id", "generate");
    weir__json_member_text(json, "schema_version", "1.0.0");
    weir__json_member_text(json, "tenant_id", tenant);
    weir__json_member_text(json, "producer", "generate@1.0.0");
    weir__json_member_int(json, "occurred_at", row->time);
    weir__json_member_int(json, "ingested_at", row->time);
    weir_json_name(json, "payload");
    weir_json_begin_object(json);
    if (form->market == NULL) {
        put_trade_payload(row, line, json);
    } else {
        weir__json_member_text(json, "market", form->market);
        weir__json_member_text(json, "data_type", form->data_type);
        if (is_wide(form))
            weir__json_member_text(json, "location", market_sample_name(row->instrument, name));
        put_cells(form, (struct weir_text){ line->data, line->size }, json);
    }
    weir_json_end_object(json);
    weir_json_end_object(json);
}

/* "SYM00", "PJM.HUB.00" */
static void put_key(const struct market_sample_row *row, struct weir__buf *ret)
{
    const struct form *form = &forms[market_sample_kind_of(row->instrument)];
    char               name[16];

    market_sample_name(row->instrument, name);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == ' ' ? '.' : *at;
    weir__buf_printf(ret, "%s%s%s%s", form->market != NULL ? form->market : "", form->market != NULL ? "." : "", name,
                     market_sample_feeds[market_sample_kind_of(row->instrument)].suffix);
}

int market_sample_event(const struct market_sample_row *row, uint64_t number, const char *tenant,
                        const char **ret_topic, struct weir__buf *ret_key, struct weir__buf *ret_value)
{
    AUTO(weir__buf_fini) struct weir__buf line = { 0 };
    const struct form                    *form = &forms[market_sample_kind_of(row->instrument)];
    struct weir_json_out                  json = { 0 };

    form->put(row, &line);
    put_event(row, number, tenant, &line, &json);
    put_key(row, ret_key);
    weir__buf_add(ret_value, json.buf.data, json.buf.size);
    ret_value->failed |= json.buf.failed || line.failed;
    weir__json_out_fini(&json);
    *ret_topic = form->topic;
    return weir__buf_ok(ret_key) && weir__buf_ok(ret_value) ? WEIR_OK : WEIR_NO_MEMORY;
}

const char *market_sample_topic(const struct market_sample_plan *plan, size_t n)
{
    return n < (size_t)plan->kind_count ? forms[plan->kinds[n]].topic : NULL;
}

/* ---- files ---- */

static int by_arrival(const void *a, const void *b)
{
    const struct market_sample_row *const *x = a, *const *y = b;

    if ((*x)->arrival != (*y)->arrival)
        return (*x)->arrival < (*y)->arrival ? -1 : 1;
    return *x < *y ? -1 : 1; /* as they were made */
}

/* The text of a file's name or heading, with the location in the places that are left for it. */
static void put_named(const char *text, const char *name, struct weir__buf *ret)
{
    for (const char *hole; (hole = strstr(text, "%s")) != NULL; text = hole + 2) {
        weir__buf_add(ret, text, (size_t)(hole - text));
        weir__buf_puts(ret, name);
    }
    weir__buf_puts(ret, text);
}

/* Those of a kind, or of one instrument of it; no file where there are none. */
struct choice {
    enum market_sample_kind kind;
    int64_t                 instrument; /* -1 = all of the kind */
    bool                    late;
};

static bool is_chosen(const struct choice *choice, const struct market_sample_row *row)
{
    return row->late == choice->late && market_sample_kind_of(row->instrument) == choice->kind &&
           (choice->instrument < 0 || row->instrument == choice->instrument);
}

static int write_file(const struct market_sample_row *const *rows, size_t count, const struct choice *choice,
                      const char *dir, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 }, path = { 0 };
    const struct form                    *form = &forms[choice->kind];
    char                                  name[16] = "";
    size_t                                written = 0;

    if (choice->instrument >= 0)
        market_sample_name(choice->instrument, name);
    put_named(form->heading, name, &text);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == ' ' ? '_' : *at;
    weir__buf_printf(&path, "%s/", dir);
    put_named(form->file, name, &path);
    weir__buf_putc(&path, '\0');
    for (size_t i = 0; i < count; i++) {
        if (!is_chosen(choice, rows[i]))
            continue;
        form->put(rows[i], &text);
        weir__buf_putc(&text, '\n');
        written++;
    }
    if (!weir__buf_ok(&text) || !weir__buf_ok(&path))
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "out of memory");
    return written > 0 ? weir__write_file(path.data, BYTES(text.data, text.size), reterr) : WEIR_OK;
}

static int write_kind(const struct market_sample_row *const *rows, size_t count,
                      const struct market_sample_plan *plan, enum market_sample_kind kind, bool late, const char *dir,
                      struct weir_error *reterr)
{
    struct choice choice = { .kind = kind, .instrument = -1, .late = late };
    int           err = WEIR_OK;

    if (!is_wide(&forms[kind]))
        return write_file(rows, count, &choice, dir, reterr);
    for (int64_t n = 0; err == WEIR_OK && n <= plan->instruments / plan->kind_count; n++) {
        choice.instrument = kind + n * SAMPLE_KINDS;
        err = write_file(rows, count, &choice, dir, reterr);
    }
    return err;
}

/* The loader tells five-minute tables by the first two stamps, which here may be others apart. */
static int write_conf(const char *dir, struct weir_error *reterr)
{
    static const char                     conf[] = "[pjm_rt_fivemin*]\nproduct = rt_fivemin_hrl_lmps\n"
                                                   "[pjm_rt_hrl*]\nproduct = rt_hrl_lmps\n";
    AUTO(weir__buf_fini) struct weir__buf path = { 0 };

    weir__buf_printf(&path, "%s/load.conf%c", dir, '\0');
    if (!weir__buf_ok(&path))
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "out of memory");
    return weir__write_file(path.data, BYTES(conf, strlen(conf)), reterr);
}

static int write_files(const struct market_sample_row *const *rows, size_t count,
                       const struct market_sample_plan *plan, bool late, const char *dir, struct weir_error *reterr)
{
    int err = weir__make_dirs(dir, reterr);

    if (err == WEIR_OK)
        err = write_conf(dir, reterr);
    for (size_t i = 0; err == WEIR_OK && i < SAMPLE_KINDS; i++)
        err = write_kind(rows, count, plan, (enum market_sample_kind)i, late, dir, reterr);
    return err;
}

int market_sample_write(const struct market_sample *sample, const char *dir, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf late = { 0 };
    const struct market_sample_row      **rows = weir__alloc(sizeof(*rows) * (sample->count + 1));
    int                                   err;

    weir__buf_printf(&late, "%s/late%c", dir, '\0');
    if (rows == NULL || !weir__buf_ok(&late)) {
        weir__free(rows);
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "out of memory");
    }
    for (size_t i = 0; i < sample->count; i++)
        rows[i] = &sample->rows[i];
    qsort(rows, sample->count, sizeof(*rows), by_arrival);
    err = write_files(rows, sample->count, &sample->plan, false, dir, reterr);
    if (err == WEIR_OK && sample->plan.late > 0)
        err = write_files(rows, sample->count, &sample->plan, true, late.data, reterr);
    weir__free(rows);
    return err;
}
