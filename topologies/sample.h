/* sample.h: made-up market data, the same for the same seed, and the bars that must come of it.
 *
 * (1) Trades of several venues, and prices of each market in a form that it publishes, in files that `load` takes.
 * (2) The bars are computed plainly from the rows: sorted, grouped, folded in integers of 1e-8. Nothing of it is the
 *     pipeline's: not its time zones, its windows, its folds, its numbers.
 */
#ifndef TOPOLOGIES_SAMPLE_H
#define TOPOLOGIES_SAMPLE_H

#include "framework/base/base.h"

enum market_sample_kind {
    SAMPLE_TRADES,
    SAMPLE_PJM,
    SAMPLE_ERCOT,
    SAMPLE_PJM_HOURLY,
    SAMPLE_PJM_DA,
    SAMPLE_ERCOT_DA,
    SAMPLE_CAISO_DA,
    SAMPLE_MISO_HOURLY,
    SAMPLE_NYISO,
    SAMPLE_NYISO_DA,
    SAMPLE_ISONE_HOURLY,
    SAMPLE_AESO,
    SAMPLE_AESO_HOURLY,
    SAMPLE_KINDS
};

struct market_sample_plan {
    uint64_t                seed;
    enum market_sample_kind kinds[SAMPLE_KINDS]; /* that instruments are of, in turn */
    int64_t                 kind_count;
    int64_t                 rows, instruments, hours;
    int64_t                 start;   /* us, a whole hour from 2008 on */
    int64_t                 shuffle; /* rows stand in their file up to that much later than in order, us */
    /* Shares of the rows, units of 1e-8 of a percent. */
    int64_t duplicates, corrections, late, malformed;
};

/* How a row is broken. */
enum market_sample_fault {
    SAMPLE_SOUND,
    SAMPLE_NO_NUMBER,
    SAMPLE_NO_PRICE,
    SAMPLE_NO_TIME,
    SAMPLE_CUT,
    SAMPLE_FAULTS
};

enum { SAMPLE_PARTS = 4 };                                         /* price, energy, congestion, loss */
enum { SAMPLE_PRICE = 1, SAMPLE_NO_ENERGY = 13, SAMPLE_ALL = 15 }; /* bits of parts */

/* ---- the clocks of North America since 2007 (sample_clock.c) ---- */

enum market_sample_clock { CLOCK_UTC, CLOCK_EST, CLOCK_EASTERN, CLOCK_CENTRAL, CLOCK_MOUNTAIN, CLOCK_PACIFIC };

/* Local time minus UTC, s. */
int64_t market_sample_offset(enum market_sample_clock clock, int64_t utc);
/* Whether the clock shows that time twice. */
bool market_sample_repeats(enum market_sample_clock clock, int64_t utc);
/* The first second of the local day that holds an instant, and of the next. */
void market_sample_day(enum market_sample_clock clock, int64_t utc, int64_t *ret_start, int64_t *ret_end);

/* ---- feeds ---- */

/* What kinds differ in. */
struct market_sample_feed {
    const char              *word, *market, *suffix, *currency;
    int64_t                  minutes; /* of an interval; 0 = trades */
    unsigned                 parts;   /* bits of those that the feed gives */
    bool                     versions;
    enum market_sample_clock clock;     /* of its days */
    bool                     unflagged; /* its labels do not tell a repeated hour: rows around it are left out */
    const char              *only;      /* its one location; NULL = any */
    bool                     bare;      /* its file has no heading, and no broken row */
};
extern const struct market_sample_feed market_sample_feeds[SAMPLE_KINDS];
/* "trades,pjm,nyiso-da", or "all". WEIR_BAD_ARGUMENT. */
int market_sample_kinds_read(const char *text, struct market_sample_plan *ret);

struct market_sample_row {
    int64_t                  instrument;
    int64_t                  time;    /* us: of the trade, or the start of the interval */
    int64_t                  arrival; /* its place in the file */
    int64_t                  sequence, revision;
    int64_t                  prices[SAMPLE_PARTS]; /* units of 1e-8 */
    int64_t                  volume;               /* units of 1e-8; -1 = none */
    bool                     late;
    enum market_sample_fault fault;
};

struct market_sample {
    struct market_sample_plan plan;
    struct market_sample_row *rows;
    size_t                    count, capacity;
    size_t                    duplicates, corrections, late, malformed;
};

/* Instruments take turns: one of each of the plan's kinds. WEIR_NO_MEMORY. */
int                     market_sample_make(const struct market_sample_plan *plan, struct market_sample *ret);
void                    market_sample_fini(struct market_sample *sample);
enum market_sample_kind market_sample_kind_of(int64_t instrument);
/* "HUB 07", "SYM04"; as the files say. */
const char *market_sample_name(int64_t instrument, char ret[16]);
/* The venue of a trade. */
const char *market_sample_venue(int64_t instrument);

/* A file for each kind in dir, those of late rows in dir/late. */
int market_sample_write(const struct market_sample *sample, const char *dir, struct weir_error *reterr);
/* Of what bars: "1m", "15m", "2h", "1d". */
struct market_sample_interval {
    char    name[8];
    int64_t seconds; /* 0 = the market's day */
};
enum { SAMPLE_INTERVALS_MOST = 20 };
struct market_sample_intervals {
    struct market_sample_interval items[SAMPLE_INTERVALS_MOST];
    size_t                        count;
};
/* "1m,15m,1d"; NULL: those that bars usually have. WEIR_BAD_ARGUMENT. */
int market_sample_intervals_read(const char *text, struct market_sample_intervals *ret);
/* The bars, a JSON object a line, by interval, instrument, time. */
int market_sample_bars(const struct market_sample *sample, const struct market_sample_intervals *intervals,
                       struct weir__buf *ret, size_t *ret_count);

/* The row as a raw event, as `load` and live feeds have it: topic, key, JSON. number: of the event. */
int market_sample_event(const struct market_sample_row *row, uint64_t number, const char *tenant,
                        const char **ret_topic, struct weir__buf *ret_key, struct weir__buf *ret_value);
/* The topics that such events go to; NULL past the end. */
const char *market_sample_topic(const struct market_sample_plan *plan, size_t n);

/* ---- rows one after the other, without end ---- */

struct market_sample_stream;

/* Of the plan seed, instruments and shares count. Free it after a failure too. WEIR_NO_MEMORY. */
int  market_sample_stream_new(const struct market_sample_plan *plan, struct market_sample_stream **ret);
void market_sample_stream_free(struct market_sample_stream *stream); /* NULL is fine */
/* The row that comes at `time`, us, which does not fall, with what goes wrong with it behind it; until the next call.
 * WEIR_NO_MEMORY. */
int market_sample_stream_next(struct market_sample_stream *stream, int64_t time, const struct market_sample **ret);

/* How much of what was in all rows so far: the counts of *ret, which has no rows. */
void market_sample_stream_counts(const struct market_sample_stream *stream, struct market_sample *ret);

/* A price or volume as text. */
void market_sample_number(int64_t units, struct weir__buf *ret);

#endif
