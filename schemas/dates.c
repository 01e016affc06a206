/* dates.c: contract months, tenors, day counts. */
#include "schemas/derived.h"
#include "schemas/times.h"

struct day {
    int year, month, day;
};

static struct day day_of(int64_t us)
{
    char       text[MARKET_TIME_ROOM];
    struct day day = { 0 };

    market_time_write(us, text);
    for (int i = 0; i < 4; i++)
        day.year = 10 * day.year + (text[i] - '0');
    day.month = 10 * (text[5] - '0') + (text[6] - '0');
    day.day = 10 * (text[8] - '0') + (text[9] - '0');
    return day;
}

static int number_in(const char *at, size_t size)
{
    int number = 0;

    for (size_t i = 0; i < size; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        number = 10 * number + (at[i] - '0');
    }
    return number;
}

int market_month_read(struct weir_text text, int64_t *ret)
{
    bool dash = text.size == 7 && text.data[4] == '-';
    int  year, month;

    if (!dash && text.size != 6)
        return MARKET_BAD_TIME;
    year = number_in(text.data, 4);
    month = number_in(text.data + 4 + dash, 2);
    return year < 1 || month < 1 ? MARKET_BAD_TIME : market_date(year, month, 1, ret);
}

int market_month_of(struct weir_text instrument, int64_t *ret)
{
    if (instrument.size < 8 || instrument.data[instrument.size - 7] != '.')
        return MARKET_BAD_TIME;
    return market_month_read((struct weir_text){ instrument.data + instrument.size - 6, 6 }, ret);
}

static int add_months(int64_t from, int months, int64_t *ret)
{
    struct day day = day_of(from);
    int        month = 12 * day.year + day.month - 1 + months, err = MARKET_BAD_TIME;

    for (int d = day.day; err < 0 && d > 27; d--)
        err = market_date(month / 12, month % 12 + 1, d, ret);
    return err == WEIR_OK ? err : market_date(month / 12, month % 12 + 1, MIN(day.day, 28), ret);
}

int market_tenor_add(struct weir_text tenor, int64_t day, int64_t *ret)
{
    int number = tenor.size >= 2 && tenor.size <= 5 ? number_in(tenor.data, tenor.size - 1) : -1;

    if (number < 1)
        return MARKET_BAD_TIME;
    switch (tenor.data[tenor.size - 1]) {
    case 'd': *ret = day + MARKET_DAYS(number); return WEIR_OK;
    case 'w': *ret = day + MARKET_DAYS(7 * number); return WEIR_OK;
    case 'm': return add_months(day, number, ret);
    case 'y': return add_months(day, 12 * number, ret);
    default: return MARKET_BAD_TIME;
    }
}

int64_t market_days_between(enum market_day_count count, int64_t from, int64_t to)
{
    struct day a = day_of(from), b = day_of(to);

    if (count != MARKET_30_360)
        return (to - from) / MARKET_DAYS(1);
    return 360 * (b.year - a.year) + 30 * (b.month - a.month) + (MIN(b.day, 30) - MIN(a.day, 30));
}
