/* sample.c: the rows of a sample: prices that wander, then what goes wrong with them.
 *
 * (1) All comes from one generator of numbers and the plan: no clock, no floating point.
 * (2) A stream's rows depend on the times that it is asked for, too.
 * (3) A late row is within 47 hours of the end, so that what was loaded before it still takes it.
 */
#include "topologies/sample.h"

#define UNIT   INT64_C(100000000)
#define CENT   (UNIT / 100)
#define MINUTE INT64_C(60000000)
#define HOUR   (60 * MINUTE)

struct maker {
    struct market_sample *sample;
    uint64_t              state;
};

/* splitmix64 */
static uint64_t next_number(struct maker *maker)
{
    uint64_t z = maker->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* From 0 to most - 1. */
static int64_t below(struct maker *maker, int64_t most) { return (int64_t)(next_number(maker) % (uint64_t)most); }

static bool by_chance(struct maker *maker, int64_t share) { return below(maker, 100 * UNIT) < share; }

/* clang-format off */
const struct market_sample_feed market_sample_feeds[SAMPLE_KINDS] = {
    /*                         word            market   suffix    cur.  min. parts             versions clock */
    [SAMPLE_TRADES]       = { "trades",       "",       "",      "USD", 0,  SAMPLE_PRICE,     false, CLOCK_UTC,      false, NULL, false },
    [SAMPLE_PJM]          = { "pjm",          "PJM.",   "",      "USD", 5,  SAMPLE_ALL,       true,  CLOCK_EASTERN,  false, NULL, false },
    [SAMPLE_ERCOT]        = { "ercot",        "ERCOT.", "",      "USD", 15, SAMPLE_PRICE,     false, CLOCK_CENTRAL,  false, NULL, false },
    [SAMPLE_PJM_HOURLY]   = { "pjm-hourly",   "PJM.",   ".RT1H", "USD", 60, SAMPLE_ALL,       true,  CLOCK_EASTERN,  false, NULL, false },
    [SAMPLE_PJM_DA]       = { "pjm-da",       "PJM.",   ".DA",   "USD", 60, SAMPLE_ALL,       true,  CLOCK_EASTERN,  false, NULL, false },
    [SAMPLE_ERCOT_DA]     = { "ercot-da",     "ERCOT.", ".DA",   "USD", 60, SAMPLE_PRICE,     false, CLOCK_CENTRAL,  false, NULL, false },
    [SAMPLE_CAISO_DA]     = { "caiso-da",     "CAISO.", ".DA",   "USD", 60, SAMPLE_PRICE,     false, CLOCK_PACIFIC,  false, NULL, false },
    [SAMPLE_MISO_HOURLY]  = { "miso-hourly",  "MISO.",  ".RT1H", "USD", 60, SAMPLE_NO_ENERGY, false, CLOCK_EST,      false, NULL, false },
    [SAMPLE_NYISO]        = { "nyiso",        "NYISO.", "",      "USD", 5,  SAMPLE_NO_ENERGY, false, CLOCK_EASTERN,  true,  NULL, false },
    [SAMPLE_NYISO_DA]     = { "nyiso-da",     "NYISO.", ".DA",   "USD", 60, SAMPLE_NO_ENERGY, false, CLOCK_EASTERN,  true,  NULL, false },
    [SAMPLE_ISONE_HOURLY] = { "isone-hourly", "ISONE.", ".RT1H", "USD", 60, SAMPLE_ALL,       false, CLOCK_EASTERN,  true , NULL, false },
    [SAMPLE_AESO]         = { "aeso",         "AESO.",  "",      "CAD", 1,  SAMPLE_PRICE,     false, CLOCK_MOUNTAIN, true,  "AB", true },
    [SAMPLE_AESO_HOURLY]  = { "aeso-hourly",  "AESO.",  ".RT1H", "CAD", 60, SAMPLE_PRICE,     false, CLOCK_MOUNTAIN, true,  "AB", false },
};
/* clang-format on */

int market_sample_kinds_read(const char *text, struct market_sample_plan *ret)
{
    bool all = strcmp(text, "all") == 0;

    ret->kind_count = 0;
    for (int kind = 0; all && kind < SAMPLE_KINDS; kind++)
        ret->kinds[ret->kind_count++] = (enum market_sample_kind)kind;
    while (!all && *text != '\0') {
        size_t size = strcspn(text, ",");
        int    kind = 0;

        while (kind < SAMPLE_KINDS && (strlen(market_sample_feeds[kind].word) != size ||
                                       memcmp(market_sample_feeds[kind].word, text, size) != 0))
            kind++;
        if (kind == SAMPLE_KINDS || ret->kind_count == SAMPLE_KINDS)
            return WEIR_BAD_ARGUMENT;
        ret->kinds[ret->kind_count++] = (enum market_sample_kind)kind;
        text += size + (text[size] == ',');
    }
    return ret->kind_count > 0 ? WEIR_OK : WEIR_BAD_ARGUMENT;
}

/* An instrument's number says its kind. */
static int64_t instrument_at(const struct market_sample_plan *plan, int64_t turn)
{
    return plan->kinds[turn % plan->kind_count] + turn / plan->kind_count * SAMPLE_KINDS;
}

static const struct market_sample_feed *feed_of(int64_t instrument)
{
    return &market_sample_feeds[market_sample_kind_of(instrument)];
}

enum market_sample_kind market_sample_kind_of(int64_t instrument)
{
    return (enum market_sample_kind)(instrument % SAMPLE_KINDS);
}

static const char *const venues[] = { "ICE", "NYSE", "CME" };

const char *market_sample_venue(int64_t instrument)
{
    return venues[instrument / SAMPLE_KINDS % (int64_t)ARRAY_SIZE(venues)];
}

const char *market_sample_name(int64_t instrument, char ret[16])
{
    const char *only = feed_of(instrument)->only;
    bool        trades = market_sample_kind_of(instrument) == SAMPLE_TRADES;

    if (only != NULL)
        snprintf(ret, 16, "%s", only);
    else
        snprintf(ret, 16, trades ? "SYM%02d" : "HUB %02d", (int)(instrument / SAMPLE_KINDS));
    return ret;
}

static int add(struct maker *maker, const struct market_sample_row *row)
{
    struct market_sample *sample = maker->sample;

    if (GROW(sample->rows, sample->capacity, sample->count) < 0)
        return WEIR_NO_MEMORY;
    sample->rows[sample->count] = *row;
    sample->rows[sample->count++].arrival =
        row->time + (sample->plan.shuffle > 0 ? below(maker, sample->plan.shuffle) : 0);
    return WEIR_OK;
}

/* ---- what goes wrong ---- */

static int64_t end_of(const struct market_sample_plan *plan) { return plan->start + plan->hours * HOUR; }

static bool may_be_late(struct maker *maker, const struct market_sample_row *row)
{
    const struct market_sample_plan *plan = &maker->sample->plan;

    return row->time >= end_of(plan) - 47 * HOUR && by_chance(maker, plan->late);
}

/* Another price of the same interval: the next version where the feed has versions, else a price alone. */
static struct market_sample_row corrected(struct maker *maker, const struct market_sample_row *row)
{
    struct market_sample_row other = *row;
    int64_t                  by = (below(maker, 1000) + 1) * CENT;

    other.revision += feed_of(row->instrument)->versions;
    other.prices[0] += by;
    other.prices[1] += by;
    other.late = row->late || may_be_late(maker, row);
    return other;
}

static int add_troubled(struct maker *maker, struct market_sample_row *row)
{
    struct market_sample *sample = maker->sample;
    int                   err;

    row->late = may_be_late(maker, row);
    sample->late += row->late;
    err = add(maker, row);
    if (err == WEIR_OK && by_chance(maker, sample->plan.duplicates)) {
        sample->duplicates++;
        err = add(maker, row);
    }
    if (err == WEIR_OK && market_sample_kind_of(row->instrument) != SAMPLE_TRADES &&
        by_chance(maker, sample->plan.corrections)) {
        struct market_sample_row other = corrected(maker, row);

        sample->corrections++;
        err = add(maker, &other);
    }
    if (err == WEIR_OK && by_chance(maker, sample->plan.malformed) && !feed_of(row->instrument)->bare) {
        struct market_sample_row broken = *row;

        broken.fault = (enum market_sample_fault)(1 + below(maker, SAMPLE_FAULTS - 1));
        broken.sequence = -broken.sequence - 1; /* none that is sound */
        sample->malformed++;
        err = add(maker, &broken);
    }
    return err;
}

/* ---- rows ---- */

/* A step of a wandering price that stays positive. */
static int64_t wander(struct maker *maker, int64_t price, int64_t step)
{
    int64_t next = price + (below(maker, 2 * step + 1) - step);

    return next > 5 * UNIT ? next : 5 * UNIT;
}

static int64_t volume_of(struct maker *maker)
{
    int64_t kind = below(maker, 50);

    return kind == 0 ? -1 : kind == 1 ? 0 : (below(maker, 4000) + 1) * (UNIT / 400);
}

static int64_t first_price(struct maker *maker, enum market_sample_kind kind)
{
    return (20 + below(maker, kind == SAMPLE_TRADES ? 200 : 40)) * UNIT;
}

/* price: the last one; the next. */
static void fill_trade(struct maker *maker, int64_t *price, struct market_sample_row *row)
{
    *price = wander(maker, *price, 3 * CENT) / (CENT / 20) * (CENT / 20);
    row->prices[0] = *price;
    row->volume = volume_of(maker);
}

static void fill_price(struct maker *maker, int64_t *energy, struct market_sample_row *row)
{
    bool    parts = feed_of(row->instrument)->parts != SAMPLE_PRICE;
    int64_t digit = parts ? UNIT / 1000000 : CENT;

    *energy = wander(maker, *energy, 150 * CENT);
    row->volume = -1;
    row->prices[1] = *energy / digit * digit;
    row->prices[2] = parts ? (below(maker, 4001) - 2000) * 10000 : 0;
    row->prices[3] = parts ? (below(maker, 2001) - 1000) * 100 : 0;
    row->prices[0] = row->prices[1] + row->prices[2] + row->prices[3];
}

static int make_trades(struct maker *maker, int64_t instrument, int64_t count)
{
    const struct market_sample_plan *plan = &maker->sample->plan;
    int64_t                          price = first_price(maker, SAMPLE_TRADES), span = plan->hours * HOUR / 1000;
    int                              err = WEIR_OK;

    for (int64_t i = 0; err == WEIR_OK && i < count; i++) {
        struct market_sample_row row = { .instrument = instrument, .sequence = i + 1, .revision = 1 };

        row.time = plan->start + (span / count * i + below(maker, span / count + 1)) * 1000;
        fill_trade(maker, &price, &row);
        err = add_troubled(maker, &row);
    }
    return err;
}

static int64_t interval_of(enum market_sample_kind kind) { return market_sample_feeds[kind].minutes * MINUTE; }

/* Whether a label of the feed can stand for the interval alone. */
static bool is_plain(const struct market_sample_feed *feed, int64_t time)
{
    int64_t start = time / 1000000, end = start + feed->minutes * 60;

    return !feed->unflagged ||
           (!market_sample_repeats(feed->clock, start) && !market_sample_repeats(feed->clock, end) &&
            market_sample_offset(feed->clock, start) == market_sample_offset(feed->clock, end));
}

static int make_prices(struct maker *maker, int64_t instrument, int64_t interval, int64_t count)
{
    const struct market_sample_plan *plan = &maker->sample->plan;
    int64_t                          energy = first_price(maker, market_sample_kind_of(instrument));
    int                              err = WEIR_OK;

    for (int64_t i = 0; err == WEIR_OK && i < count; i++) {
        struct market_sample_row row = { .instrument = instrument, .revision = 1 };

        row.time = plan->start + i * interval;
        fill_price(maker, &energy, &row);
        if (is_plain(feed_of(instrument), row.time))
            err = add_troubled(maker, &row);
    }
    return err;
}

/* Rows of an instrument: prices at most one an interval, none of a second one of the same name; trades take what is left. */
static int64_t rows_of(const struct market_sample_plan *plan, int64_t instrument)
{
    enum market_sample_kind kind = market_sample_kind_of(instrument);
    int64_t                 share = plan->rows / plan->instruments, left = plan->rows, trading = 0;

    if (feed_of(instrument)->only != NULL && instrument >= SAMPLE_KINDS)
        return 0;
    if (kind != SAMPLE_TRADES)
        return MIN(share, plan->hours * HOUR / interval_of(kind));
    for (int64_t i = 0; i < plan->instruments; i++)
        if (plan->kinds[i % plan->kind_count] == SAMPLE_TRADES)
            trading++;
        else
            left -= rows_of(plan, instrument_at(plan, i));
    return left / trading + (instrument / SAMPLE_KINDS < left % trading);
}

int market_sample_make(const struct market_sample_plan *plan, struct market_sample *ret)
{
    struct maker maker = { .sample = ret, .state = plan->seed };
    int          err = WEIR_OK;

    *ret = (struct market_sample){ .plan = *plan };
    for (int64_t i = 0; err == WEIR_OK && i < plan->instruments; i++) {
        int64_t                 instrument = instrument_at(plan, i), count = rows_of(plan, instrument);
        enum market_sample_kind kind = market_sample_kind_of(instrument);

        if (kind == SAMPLE_TRADES)
            err = make_trades(&maker, instrument, count);
        else
            err = make_prices(&maker, instrument, interval_of(kind), count);
    }
    return err;
}

void market_sample_fini(struct market_sample *sample)
{
    weir__free(sample->rows);
    *sample = (struct market_sample){ 0 };
}

/* ---- one after the other ---- */

struct market_sample_stream {
    struct maker         maker;
    struct market_sample sample;                     /* the rows of now */
    int64_t             *prices, *sequences, *slots; /* of each instrument: the last ones */
    int64_t              turn;
};

int market_sample_stream_new(const struct market_sample_plan *plan, struct market_sample_stream **ret)
{
    struct market_sample_stream *stream = weir__zalloc(sizeof(*stream));
    size_t                       count = (size_t)plan->instruments;

    *ret = stream;
    if (stream == NULL)
        return WEIR_NO_MEMORY;
    stream->maker = (struct maker){ .sample = &stream->sample, .state = plan->seed };
    stream->sample.plan = *plan;
    stream->sample.plan.start = stream->sample.plan.hours = 0;
    stream->prices = weir__zalloc(sizeof(*stream->prices) * count);
    stream->sequences = weir__zalloc(sizeof(*stream->sequences) * count);
    stream->slots = weir__zalloc(sizeof(*stream->slots) * count);
    if (stream->prices == NULL || stream->sequences == NULL || stream->slots == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        stream->prices[i] = first_price(&stream->maker, market_sample_kind_of(instrument_at(plan, (int64_t)i)));
    return WEIR_OK;
}

void market_sample_stream_free(struct market_sample_stream *stream)
{
    if (stream == NULL)
        return;
    market_sample_fini(&stream->sample);
    weir__free(stream->prices);
    weir__free(stream->sequences);
    weir__free(stream->slots);
    weir__free(stream);
}

/* Whether an instrument of prices, of that turn, has one now: each of its intervals has one. */
static bool takes_slot(struct market_sample_stream *stream, int64_t at, int64_t instrument, int64_t time)
{
    int64_t slot = time / interval_of(market_sample_kind_of(instrument));

    if (slot <= stream->slots[at] || (feed_of(instrument)->only != NULL && instrument >= SAMPLE_KINDS) ||
        !is_plain(feed_of(instrument), slot * interval_of(market_sample_kind_of(instrument))))
        return false;
    stream->slots[at] = slot;
    return true;
}

/* Whose turn it is; of trades there is one whenever it is asked. The first one is of trades: kinds without them have none to say. */
static int64_t take_turn(struct market_sample_stream *stream, int64_t time)
{
    for (;;) {
        int64_t at = stream->turn++ % stream->sample.plan.instruments,
                instrument = instrument_at(&stream->sample.plan, at);

        if (market_sample_kind_of(instrument) == SAMPLE_TRADES || takes_slot(stream, at, instrument, time))
            return at;
    }
}

/* Late ones are of up to two days before, all copies of one at the same time. */
static void set_back(struct market_sample_stream *stream)
{
    int64_t by = (1 + below(&stream->maker, 46 * 60)) * MINUTE;

    for (size_t i = 0; i < stream->sample.count; i++)
        stream->sample.rows[i].time -= stream->sample.rows[i].late ? by : 0;
}

int market_sample_stream_next(struct market_sample_stream *stream, int64_t time, const struct market_sample **ret)
{
    int64_t                  at = take_turn(stream, time), late = stream->sample.plan.late;
    int64_t                  instrument = instrument_at(&stream->sample.plan, at);
    enum market_sample_kind  kind = market_sample_kind_of(instrument);
    struct market_sample_row row = { .instrument = instrument, .revision = 1 };
    int                      err;

    if (kind == SAMPLE_TRADES) {
        row.time = time / 1000 * 1000;
        row.sequence = ++stream->sequences[at];
        fill_trade(&stream->maker, &stream->prices[at], &row);
    } else {
        row.time = stream->slots[at] * interval_of(kind);
        fill_price(&stream->maker, &stream->prices[at], &row);
        stream->sample.plan.late = 0; /* the interval before has its price */
    }
    stream->sample.count = 0;
    err = add_troubled(&stream->maker, &row);
    stream->sample.plan.late = late;
    set_back(stream);
    *ret = &stream->sample;
    return err;
}

void market_sample_stream_counts(const struct market_sample_stream *stream, struct market_sample *ret)
{
    *ret = stream->sample;
    ret->rows = NULL;
    ret->count = ret->capacity = 0;
}
