/* sample_bars.c: the bars of a sample by plain computation.
 *
 * (1) Of several rows of one instrument, time and sequence the greatest by (revision, price, volume) counts.
 * (2) A tick after the other in order of time, each window is one run of them.
 */
#include "topologies/sample.h"

#include <inttypes.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000)

struct tick {
    int64_t instrument, part, time, sequence, revision, price, volume;
};

struct bar {
    int64_t           start, end; /* s */
    int64_t           open, high, low, close, count, first, last;
    bool              has_volume, valid, lacks_volume; /* of any of its ticks */
    unsigned __int128 volume, notional;
};

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int by_instrument_and_time(const void *a, const void *b)
{
    const struct tick *x = a, *y = b;
    int                by = compare(x->instrument, y->instrument);

    if (by == 0)
        by = compare(x->part, y->part);
    if (by == 0)
        by = compare(x->time, y->time);
    if (by == 0)
        by = compare(x->sequence, y->sequence);
    if (by == 0)
        by = compare(x->revision, y->revision);
    if (by == 0)
        by = compare(x->price, y->price);
    return by != 0 ? by : compare(x->volume, y->volume);
}

static bool same_tick(const struct tick *a, const struct tick *b)
{
    return a->instrument == b->instrument && a->part == b->part && a->time == b->time && a->sequence == b->sequence;
}

/* Sorted, each tick once. */
static size_t list_ticks(const struct market_sample *sample, struct tick *ret)
{
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < sample->count; i++) {
        const struct market_sample_row *row = &sample->rows[i];
        unsigned                        parts = market_sample_feeds[market_sample_kind_of(row->instrument)].parts;

        for (int part = 0; row->fault == SAMPLE_SOUND && part < SAMPLE_PARTS; part++)
            if (parts >> part & 1)
                ret[count++] = (struct tick){ row->instrument,   part,       row->time, row->sequence, row->revision,
                                              row->prices[part], row->volume };
    }
    qsort(ret, count, sizeof(*ret), by_instrument_and_time);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || !same_tick(&ret[i], &ret[i + 1]))
            ret[kept++] = ret[i];
    return kept;
}

/* ---- windows ---- */

/* So many of a unit, of which a day is made; "1d". */
static int read_interval(const char *text, size_t size, struct market_sample_interval *ret)
{
    int64_t number = 0;

    if (size < 2 || size >= sizeof(ret->name))
        return WEIR_BAD_ARGUMENT;
    *ret = (struct market_sample_interval){ .seconds = 0 };
    memcpy(ret->name, text, size);
    for (size_t i = 0; i + 1 < size; i++) {
        if (text[i] < '0' + (i == 0) || text[i] > '9')
            return WEIR_BAD_ARGUMENT;
        number = 10 * number + (text[i] - '0');
    }
    if (text[size - 1] == 'd')
        return number == 1 ? WEIR_OK : WEIR_BAD_ARGUMENT;
    ret->seconds = number * (text[size - 1] == 'h' ? 3600 : 60);
    return (text[size - 1] == 'h' || text[size - 1] == 'm') && ret->seconds <= 43200 && 86400 % ret->seconds == 0
               ? WEIR_OK
               : WEIR_BAD_ARGUMENT;
}

int market_sample_intervals_read(const char *text, struct market_sample_intervals *ret)
{
    const char *at = text != NULL ? text : "1m,5m,1h,1d";

    *ret = (struct market_sample_intervals){ .count = 0 };
    for (; *at != '\0'; ret->count++) {
        size_t size = strcspn(at, ",");

        if (ret->count == SAMPLE_INTERVALS_MOST || read_interval(at, size, &ret->items[ret->count]) < 0)
            return WEIR_BAD_ARGUMENT;
        at += size + (at[size] == ',');
    }
    return ret->count > 0 ? WEIR_OK : WEIR_BAD_ARGUMENT;
}

static enum market_sample_clock clock_of(int64_t instrument)
{
    enum market_sample_kind kind = market_sample_kind_of(instrument);

    if (kind == SAMPLE_TRADES)
        return strcmp(market_sample_venue(instrument), "NYSE") == 0 ? CLOCK_EASTERN : CLOCK_UTC;
    return market_sample_feeds[kind].clock;
}

static struct bar window_of(const struct tick *tick, const struct market_sample_interval *interval)
{
    int64_t    second = tick->time / SECOND;
    struct bar bar = { .open = tick->price, .high = tick->price, .low = tick->price, .first = tick->time };

    if (interval->seconds == 0) {
        market_sample_day(clock_of(tick->instrument), second, &bar.start, &bar.end);
    } else {
        bar.start = second - second % interval->seconds;
        bar.end = bar.start + interval->seconds;
    }
    return bar;
}

static void fold(struct bar *bar, const struct tick *tick)
{
    bar->high = MAX(bar->high, tick->price);
    bar->low = MIN(bar->low, tick->price);
    bar->close = tick->price;
    bar->last = tick->time;
    bar->count++;
    if (tick->volume < 0 && market_sample_kind_of(tick->instrument) == SAMPLE_TRADES)
        bar->lacks_volume = true;
    else
        bar->valid = true;
    if (tick->volume < 0)
        return;
    bar->has_volume = true;
    bar->volume += (unsigned __int128)tick->volume;
    bar->notional += (unsigned __int128)tick->price * (unsigned __int128)tick->volume;
}

/* ---- text ---- */

static void put_name(const struct tick *tick, struct weir__buf *ret)
{
    static const char *const         parts[SAMPLE_PARTS] = { "", ".MCE", ".MCC", ".MLC" };
    const struct market_sample_feed *feed = &market_sample_feeds[market_sample_kind_of(tick->instrument)];
    char                             name[16];

    market_sample_name(tick->instrument, name);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == ' ' ? '.' : *at;
    weir__buf_printf(ret, "%s%s%s%s", feed->market, name, feed->suffix, parts[tick->part]);
}

/* numerator / denominator to 40 digits behind the whole, and a last one that says that there are more: so the nearest
 * double to the text is the nearest to the quotient. */
static void put_quotient(unsigned __int128 numerator, unsigned __int128 denominator, struct weir__buf *ret)
{
    unsigned __int128 rest = numerator % denominator;

    weir__buf_printf(ret, "%" PRIu64 ".", (uint64_t)(numerator / denominator));
    for (int i = 0; i < 40; i++) {
        rest *= 10;
        weir__buf_putc(ret, (char)('0' + (int)(rest / denominator)));
        rest %= denominator;
    }
    weir__buf_putc(ret, rest > 0 ? '1' : '0');
}

static void put_decimal(const char *name, int64_t units, struct weir__buf *ret)
{
    weir__buf_printf(ret, ",\"%s\":", name);
    market_sample_number(units, ret);
}

static void put_volume(const struct bar *bar, struct weir__buf *ret)
{
    if (!bar->has_volume) {
        weir__buf_puts(ret, ",\"volume\":null,\"vwap\":null");
        return;
    }
    put_decimal("volume", (int64_t)bar->volume, ret);
    weir__buf_puts(ret, ",\"vwap\":");
    if (bar->volume > 0)
        put_quotient(bar->notional, bar->volume * 100000000, ret);
    else
        weir__buf_puts(ret, "null");
}

/* Those that do not depend on what came before. All prices are positive and within limits. */
static void put_flags(const struct bar *bar, struct weir__buf *ret)
{
    weir__buf_printf(ret, ",\"quality_flags\":[%s%s%s]", bar->valid ? "\"valid\"" : "",
                     bar->valid && bar->lacks_volume ? "," : "", bar->lacks_volume ? "\"missing_volume\"" : "");
}

static void put_bar(const struct tick *tick, const struct market_sample_interval *interval, const struct bar *bar,
                    struct weir__buf *ret)
{
    weir__buf_puts(ret, "{\"tenant_id\":\"default\",\"instrument_id\":\"");
    put_name(tick, ret);
    weir__buf_printf(ret, "\",\"interval\":\"%s\",\"window_start\":%" PRId64 ",\"window_end\":%" PRId64,
                     interval->name, bar->start * SECOND, bar->end * SECOND);
    put_decimal("open", bar->open, ret);
    put_decimal("high", bar->high, ret);
    put_decimal("low", bar->low, ret);
    put_decimal("close", bar->close, ret);
    put_volume(bar, ret);
    put_flags(bar, ret);
    weir__buf_printf(ret,
                     ",\"trade_count\":%" PRId64 ",\"first_event_time\":%" PRId64 ",\"last_event_time\":%" PRId64
                     ",\"state\":\"final\",\"epoch\":1,\"revision\":1,\"currency\":\"%s\",\"unit\":\"%s\"}\n",
                     bar->count, bar->first, bar->last,
                     market_sample_feeds[market_sample_kind_of(tick->instrument)].currency,
                     market_sample_kind_of(tick->instrument) == SAMPLE_TRADES ? "lot" : "MWh");
}

static size_t put_interval(const struct tick *ticks, size_t count, const struct market_sample_interval *interval,
                           struct weir__buf *ret)
{
    size_t bars = 0;

    for (size_t i = 0; i < count; bars++) {
        const struct tick *first = &ticks[i];
        struct bar         bar = window_of(first, interval);

        while (i < count && ticks[i].instrument == first->instrument && ticks[i].part == first->part &&
               ticks[i].time < bar.end * SECOND)
            fold(&bar, &ticks[i++]);
        put_bar(first, interval, &bar, ret);
    }
    return bars;
}

int market_sample_bars(const struct market_sample *sample, const struct market_sample_intervals *intervals,
                       struct weir__buf *ret, size_t *ret_count)
{
    struct tick *ticks = weir__alloc(sizeof(*ticks) * (sample->count * SAMPLE_PARTS + 1));
    size_t       count;

    if (ticks == NULL)
        return WEIR_NO_MEMORY;
    count = list_ticks(sample, ticks);
    *ret_count = 0;
    for (size_t i = 0; i < intervals->count; i++)
        *ret_count += put_interval(ticks, count, &intervals->items[i], ret);
    weir__free(ticks);
    return weir__buf_ok(ret) ? WEIR_OK : WEIR_NO_MEMORY;
}
