/* aggregation.h: the parts of aggregation: the ledger of ticks, and the ladder of windows above each other. */
#ifndef TOPOLOGIES_AGGREGATION_H
#define TOPOLOGIES_AGGREGATION_H

#include <sys/queue.h>

#include "topologies/topologies.h"

/* A tick that counts in bars, on its way in. */
struct market_arrival {
    struct market_line        line;     /* where it is kept */
    int64_t                   load;     /* number of the call of load that brought it; 0 = none */
    int64_t                   backfill; /* number of its backfill; 0 = of none */
    int64_t                   epoch;    /* of what begins anew from it */
    const struct market_tick *tick;
    struct market_order       order;
    struct market_content     content;
    int64_t                   time;     /* of the event, ms */
    bool                      corrects; /* its market's prices are corrected */
    bool                      replayed; /* it was taken, or refused, before, and state is kept */
    bool                      replaces; /* the ledger had another content of it */
};
/* On the live line. epoch: of what begins now. */
struct market_arrival market_arrival_of(const struct weir_record *rec, const struct market_tick *tick, int64_t epoch);

/* ---- the ledger (ledger.c): which ticks are known, and what they say ---- */

struct market_ledger {
    const struct weir_store *ticks;  /* a row for each tick that may still be corrected */
    const struct weir_store *recent; /* where nothing is corrected: the last ticks, told apart by hashes */
    const struct weir_store *drops;  /* market_key to market_dropped */
};
/* 1: the tick is new, or says something else that counts more. 0: counted as duplicate or superseded, or refused as
 * uncorrectable. */
int market_ledger_enter(struct weir_context *ctx, const struct market_ledger *ledger, struct market_arrival *arrival);
/* Brings the fold of the tick's window up to date. */
int market_ledger_fold(struct weir_context *ctx, const struct market_ledger *ledger,
                       const struct market_arrival *arrival, const struct weir_span *span, struct market_fold *fold);
/* Deletes the line's ticks before a time, ms. */
int market_ledger_forget(struct weir_context *ctx, const struct market_ledger *ledger, const struct market_line *line,
                         int64_t before);
/* Deletes what is known of ticks of lines that `windows` knows no more: they have left. */
int market_ledger_sweep(struct weir_context *ctx, const struct market_ledger *ledger,
                        const struct weir_store *windows);

/* ---- the ladder (ladder.c): windows of one interval, folded into the next longer ---- */

struct market_level {
    const char              *interval;
    const struct weir_store *store;
    const struct weir_node  *sink;
    int64_t                  width; /* ms; 0 = the market's operating day */
};
struct market_ladder {
    const struct market_level *levels; /* the shortest first */
    size_t                     count;
    const struct weir_node    *led;    /* where all bars go too */
    const struct weir_node    *others; /* where bars of other intervals go */
};

/* The window of a level that holds a tick. The step's state is struct market_days. */
struct weir_span market_span(struct weir_context *ctx, const struct market_level *level,
                             const struct market_tick *tick);
/* 1 = there is a row; 0 = *ret is a new window. */
int market_window_read(struct weir_context *ctx, const struct market_level *level, const struct market_line *line,
                       int64_t start, struct market_window *ret);
/* A first tick has come to the shortest window: the longer ones around it get rows, so that they close. */
int market_open_parents(struct weir_context *ctx, const struct market_ladder *ladder,
                        const struct market_arrival *arrival);
/* The epoch of what begins anew on a line now. */
int64_t market_line_epoch(struct weir_context *ctx, const struct market_line *line);
/* The shortest window has another fold: it is kept, and where it has closed it is sent, and so are its parents. */
int market_window_changed(struct weir_context *ctx, const struct market_ladder *ladder,
                          const struct market_arrival *arrival, struct market_window *window);
/* A window of one of the levels has closed: its bar is final. */
int market_window_closed(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                         const struct weir_row *row);

/* A fold of the windows of one of the levels that start in a span. */
int               market_ladder_fold(struct weir_context *ctx, const struct market_ladder *ladder, size_t n,
                                     const struct market_line *line, const struct weir_span *span, struct market_fold *ret);
struct market_bar market_bar_of(const char *interval, const struct market_line *line, const struct weir_span *span,
                                const struct market_window *window);
/* A bar of a window, as it says. to NULL: for pairs and curves alone. */
int market_bar_send(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_node *to,
                    const char *interval, const struct market_line *line, const struct weir_span *span,
                    const struct market_window *window);
/* A fold of the shortest windows of a line that start in [from, to). count 0: there are none. */
int market_windows_fold(struct weir_context *ctx, const struct weir_store *store, const struct market_line *line,
                        int64_t from, int64_t to, struct market_fold *ret);

/* ---- rolling statistics (rolling.c) ---- */

struct market_rolling {
    const struct weir_store *last;    /* market_key to weir_blob: the greatest ticks of an instrument */
    const struct weir_store *minutes; /* the shortest windows */
    const struct weir_store *hops;    /* market_line to market_window: those of several minutes */
    const struct weir_node  *node;
    int64_t                  width, step; /* of hops, ms */
    const char              *window;      /* their name */
};
/* Of the instruments that had ticks since the last commit. All zero: none. */
struct lately;
struct market_lately {
    struct weir__map by_key;
    struct lately   *first, *last;
};
/* A tick that counts has come. */
int market_rolling_enter(struct weir_context *ctx, const struct market_rolling *rolling, struct market_lately *all,
                         const struct market_arrival *arrival);
/* The statistics of the instrument's greatest ticks are to be sent at the commit, where they have changed. */
int market_rolling_due(struct weir_context *ctx, const struct market_rolling *rolling, struct market_lately *all,
                       const struct market_key *key);
/* Before a commit: sends what is due, and puts what has changed. WEIR_AGAIN: not all of it yet. */
int  market_rolling_flush(struct weir_context *ctx, const struct market_rolling *rolling, struct market_lately *all);
void market_rolling_forget(struct market_lately *all);
/* A minute's fold has changed: windows that hold it are opened, and corrected where they have closed. */
int market_rolling_changed(struct weir_context *ctx, const struct market_rolling *rolling,
                           const struct market_line *line, int64_t minute, int64_t count, int64_t least);
/* A window of hops has closed. */
int market_rolling_closed(struct weir_context *ctx, const struct market_rolling *rolling, const struct weir_row *row,
                          int64_t least);

/* ---- bid and ask (quotes.c) ---- */

struct market_quoting {
    const struct weir_store *minutes; /* market_key to market_quote */
    const struct weir_store *drops;   /* market_key to market_dropped */
    const struct weir_node  *node;
};
/* Any tick; those without both are passed over. */
int market_quote_take(struct weir_context *ctx, const struct market_quoting *quoting, const struct market_key *key,
                      const struct market_tick *tick);
int market_quote_closed(struct weir_context *ctx, const struct market_quoting *quoting, const struct weir_row *row);

/* ---- operating days (days.c) ---- */

/* By market_rules_at's numbers. */
struct market_days {
    struct {
        const struct market_zone *zone;
        int64_t                   start; /* ms after midnight */
    } of[MARKET_RULES_MAX];
};
/* The mapping table's days, and what a text says instead of some: "MISO=America/Chicago, PJM=America/New_York+06:00". WEIR_BAD_CONFIG;
 * a zone of the table that is not on this machine: WEIR_NOTFOUND, WEIR_CORRUPT, WEIR_IO. */
int              market_days_read(const char *text, struct market_days *ret, struct weir_error *reterr);
struct weir_span market_day_of(const struct market_days *days, struct weir_text market, int64_t time); /* ms */
weir_assign      market_days; /* for steps whose state is struct market_days */

/* ---- intervals (others.c) ---- */

/* Products are those of the suffixes of ids, as enum market_basis; trades come behind them. */
enum { MARKET_OTHERS_MOST = 16, MARKET_TRADE = MARKET_EW + 1, MARKET_PRODUCTS };
struct market_intervals {
    unsigned
           sent[MARKET_PRODUCTS]; /* bits of what bars are sent of: the ladder's levels, and behind them the others */
    bool   differ;                /* not the same of all products */
    size_t count;                 /* of all products together */
    struct market_other {
        int64_t width; /* ms */
        char    name[8];
    } others[MARKET_OTHERS_MOST];
};
/* "1m,5m,15m,1h,4h,1d", for some products others: "1m,5m,1h,1d; DA,RT1H=1h,1d; TRADE=1m". WEIR_BAD_CONFIG. */
int market_intervals_read(const char *text, const struct market_ladder *ladder, struct market_intervals *ret,
                          struct weir_error *reterr);
/* Those of an instrument, as its id says what it is. */
unsigned market_intervals_of(const struct market_intervals *intervals, struct weir_text instrument);

/* ---- bars of open windows (early.c) ---- */

struct market_early_window;
struct market_early {
    struct weir__map windows; /* that have changed since they were told */
    STAILQ_HEAD(, market_early_window) in_order;
};
void market_early_begin(struct market_early *early);
void market_early_end(struct market_early *early); /* one that has not begun, too */
/* A tick that counts has come, and its minute is folded. */
int market_early_changed(struct weir_context *ctx, const struct market_ladder *ladder, struct market_early *early,
                         const struct market_arrival *arrival);
/* Sends the bars of those that are open; others: the store of other intervals. */
int market_early_tell(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *others,
                      struct market_early *early);

/* ---- definitions that nothing will come of (unmet.c) ---- */

struct market_unmet {
    const struct weir_node *pairs, *curves; /* global tables */
    uint64_t                taken;          /* of them, when they were looked at */
};
/* Names definitions whose interval no bars are made of. For a step whose .looks_up has both tables. */
int market_unmet_look(struct weir_context *ctx, struct market_unmet *unmet, const struct market_ladder *ladder,
                      const struct market_intervals *intervals);

/* The state of aggregation's step. */
struct market_setup {
    struct market_days      days; /* the first: market_days finds it there */
    struct market_intervals intervals;
    struct market_early     early;
    int64_t accepts; /* how long after its minute's end a tick is taken, by the instrument's own time, ms */
    struct market_lately lately;
    struct market_unmet  unmet;
};
/* store: market_wide to market_window. A tick that counts has come, and its minute is folded. */
int market_others_changed(struct weir_context *ctx, const struct market_ladder *ladder,
                          const struct weir_store *store, const struct market_arrival *arrival);
/* A window of the ladder has closed: those around it that closed before it say so. */
int market_others_look(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                       const struct weir_row *row);
int market_others_advance(struct weir_context *ctx, const struct weir_store *store,
                          const struct market_arrival *arrival);
int market_others_closed(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                         const struct weir_row *row);

#endif
