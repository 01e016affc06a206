/* sample_files.c: the rows of a sample as the files that venues and markets publish. */
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

static const struct form {
    const char *file, *heading;
    void (*put)(const struct market_sample_row *row, struct weir__buf *ret);
} forms[SAMPLE_KINDS] = {
    [SAMPLE_TRADES] = { "ticks.csv", "symbol,timestamp,market,sequence,price,volume,currency,unit\n", put_trade },
    [SAMPLE_PJM] = { "pjm_rt_fivemin_hrl_lmps.csv",
                     "datetime_beginning_utc,pnode_id,pnode_name,total_lmp_rt,system_energy_price_rt,"
                     "congestion_price_rt,marginal_loss_price_rt,version_nbr\n",
                     put_pjm },
    [SAMPLE_ERCOT] = { "ercot_np6-905-cd.csv",
                       "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,"
                       "SettlementPointPrice,DSTFlag\n",
                       put_ercot },
};

/* ---- files ---- */

static int by_arrival(const void *a, const void *b)
{
    const struct market_sample_row *const *x = a, *const *y = b;

    if ((*x)->arrival != (*y)->arrival)
        return (*x)->arrival < (*y)->arrival ? -1 : 1;
    return *x < *y ? -1 : 1; /* as they were made */
}

/* No file where there are no rows. */
static int write_file(const struct market_sample_row *const *rows, size_t count, enum market_sample_kind kind,
                      bool late, const char *dir, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 }, path = { 0 };
    size_t                                written = 0;

    weir__buf_printf(&path, "%s/%s%c", dir, forms[kind].file, '\0');
    weir__buf_puts(&text, forms[kind].heading);
    for (size_t i = 0; i < count; i++) {
        if (rows[i]->late != late || market_sample_kind_of(rows[i]->instrument) != kind)
            continue;
        forms[kind].put(rows[i], &text);
        weir__buf_putc(&text, '\n');
        written++;
    }
    if (!weir__buf_ok(&text) || !weir__buf_ok(&path))
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "out of memory");
    return written > 0 ? weir__write_file(path.data, BYTES(text.data, text.size), reterr) : WEIR_OK;
}

/* The loader tells five-minute tables by the first two stamps, which here may be an hour apart. */
static int write_conf(const char *dir, struct weir_error *reterr)
{
    static const char                     conf[] = "[pjm_*]\nproduct = rt_fivemin_hrl_lmps\n";
    AUTO(weir__buf_fini) struct weir__buf path = { 0 };

    weir__buf_printf(&path, "%s/load.conf%c", dir, '\0');
    if (!weir__buf_ok(&path))
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "out of memory");
    return weir__write_file(path.data, BYTES(conf, strlen(conf)), reterr);
}

static int write_files(const struct market_sample_row *const *rows, size_t count, bool late, const char *dir,
                       struct weir_error *reterr)
{
    int err = weir__make_dirs(dir, reterr);

    if (err == WEIR_OK)
        err = write_conf(dir, reterr);
    for (size_t i = 0; err == WEIR_OK && i < SAMPLE_KINDS; i++)
        err = write_file(rows, count, (enum market_sample_kind)i, late, dir, reterr);
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
    err = write_files(rows, sample->count, false, dir, reterr);
    if (err == WEIR_OK && sample->plan.late > 0)
        err = write_files(rows, sample->count, true, late.data, reterr);
    weir__free(rows);
    return err;
}
