/* records.h: the pipeline's records as they are in memory. Each has one schema table (tables.c), which gives its codec.
 *
 * (1) Texts are borrowed: from the bytes decoded, or from whoever filled the record in. data NULL is null.
 * (2) Times are us since 1970; 0 where a field that may be null has none is said by its own flag or comment.
 * (3) A codec reads MessagePack and JSON, told apart by the first byte, and writes the form in its name.
 */
#ifndef MARKET_RECORDS_H
#define MARKET_RECORDS_H

#include "schemas/decimal.h"
#include "schemas/instrument.h"

/* ---- quality flags: a set of bits in memory and in MessagePack, a list of labels in JSON ---- */

/* Name, label. Only added to, at the end: the number of a flag is its bit. FROM_STATE below lists those that depend on
 * what came before, or on when. */
#define MARKET_FLAGS(X)                            \
    X(MARKET_VALID, "valid")                       \
    X(MARKET_PRICE_NEGATIVE, "price_negative")     \
    X(MARKET_OUT_OF_RANGE, "out_of_range")         \
    X(MARKET_PRICE_SPIKE, "price_spike")           \
    X(MARKET_VOLUME_SPIKE, "volume_spike")         \
    X(MARKET_LATE_ARRIVAL, "late_arrival")         \
    X(MARKET_MISSING_METADATA, "missing_metadata") \
    X(MARKET_MISSING_VOLUME, "missing_volume")     \
    X(MARKET_DUPLICATE, "duplicate")               \
    X(MARKET_UNVERIFIED, "unverified")             \
    X(MARKET_CORRECTION, "correction")             \
    X(MARKET_FALLBACK, "fallback")                 \
    X(MARKET_STALE, "stale")                       \
    X(MARKET_AMBIGUOUS_TIME, "ambiguous_time")     \
    X(MARKET_RECEIVE_TIME, "receive_time")         \
    X(MARKET_SUSPICIOUS, "suspicious")             \
    X(MARKET_LOW_CONFIDENCE, "low_confidence")     \
    X(MARKET_NO_REFERENCE, "no_reference")

#define MARKET__BIT(name, label) name##_BIT,
enum market_flag_bit { MARKET_FLAGS(MARKET__BIT) MARKET_FLAG_COUNT };
#undef MARKET__BIT
#define MARKET__FLAG(name, label) name = 1 << name##_BIT,
enum market_flag { MARKET_FLAGS(MARKET__FLAG) };
#undef MARKET__FLAG

#define MARKET_FLAGS_FROM_STATE                                                                              \
    (MARKET_PRICE_SPIKE | MARKET_VOLUME_SPIKE | MARKET_LATE_ARRIVAL | MARKET_DUPLICATE | MARKET_UNVERIFIED | \
     MARKET_CORRECTION | MARKET_STALE)
/* Set by enrichment: they say something of the reference data, and nothing of the tick. */
#define MARKET_FLAGS_OF_REFERENCE (MARKET_LOW_CONFIDENCE | MARKET_NO_REFERENCE)

const char *market_flag_label(enum market_flag_bit bit);
/* The flag of a label, 0 = there is none such. */
uint32_t market_flag_of(struct weir_text label);
/* With another one: what has a flag is not valid any more. */
static inline uint32_t market_flagged(uint32_t flags, uint32_t flag)
{
    return (flags & ~(uint32_t)MARKET_VALID) | flag;
}

/* ---- small parts ---- */

bool market_text_same(struct weir_text a, struct weir_text b);

struct market_entry {
    struct weir_text name, value;
};

/* text to text, in the order given, each name once */
struct market_map {
    const struct market_entry *pairs;
    size_t                     count;
};

struct market_list {
    const struct weir_text *texts;
    size_t                  count;
};

/* Structs of one kind, which the field's comment names. */
struct market_records {
    const void *rows;
    size_t      count;
};

/* ---- the tick ---- */

enum market_kind {
    MARKET_KIND_PRICE, /* of electricity: one per interval, may be corrected */
    MARKET_KIND_TRADE,
    MARKET_KIND_QUOTE, /* bid and ask, no price: in no bar, no latest price */
};

struct market_tick {
    uint8_t               tick_id[MARKET_TICK_ID_BYTES];
    struct weir_text      tenant_id, instrument_id;
    struct weir_text      market; /* capitals */
    enum market_kind      kind;
    int64_t               event_time; /* start of the delivery interval; of a trade, its instant */
    int64_t               sequence;   /* of ticks with one event time: NYISO's seconds, a trade's id or ordinal */
    int64_t               interval;   /* length, us; 0 = none (trades) */
    int64_t               revision;   /* 1, 2, ... */
    int64_t               ingested_at;
    int64_t               normalized_at; /* clock of normalization */
    struct market_decimal price, volume, bid_price, ask_price;
    struct weir_text      currency, unit; /* NULL = not known */
    struct weir_text      symbol;         /* as the feed says */
    struct weir_text      source;         /* of trades: the feed's name; of prices: empty */
    struct weir_text      source_system;
    struct weir_text      source_event_id;
    uint32_t              quality_flags; /* of enum market_flag */
    struct market_map     metadata;
    struct market_list    tags;
};

/* ---- the enriched tick ---- */

struct market_taxonomy {
    struct weir_text      commodity, region, product_tier; /* NULL = not known */
    struct market_decimal confidence;
    struct weir_text      method; /* "database", "rule_based", "market_default" */
};

struct market_enriched {
    struct market_tick     tick;
    struct market_taxonomy taxonomy;
    struct market_decimal  contract_size, tick_size;
    int64_t                reference_version; /* of the reference row; 0 = there was none */
};

/* ---- what bars are made from ---- */

/* The place of a tick among those of its instrument: time, then sequence, then tick id; never its offset. */
struct market_order {
    int64_t event_time, sequence;
    uint8_t tick_id[MARKET_TICK_ID_BYTES];
};
int                 market_order_compare(const struct market_order *a, const struct market_order *b);
struct market_order market_order_of(const struct market_tick *tick);

/* What a tick says: kept as a row while its window can change. */
struct market_content {
    struct market_decimal price, volume;
    int64_t               revision, ingested_at;
    uint32_t              quality_flags;
    struct weir_text      currency, unit;
    struct market_decimal bid_price, ask_price;
};
struct market_content market_content_of(const struct market_tick *tick);
/* Of two contents of one tick the greater counts: by revision, ingestion time, price, volume; where these are the same,
 * by bid, ask, the flags that say something of the tick itself, currency, unit. Null is least. */
int market_content_compare(const struct market_content *a, const struct market_content *b);
/* All is the same but for the ingestion time and flags from state or reference: a duplicate, whenever it came. */
bool market_content_same(const struct market_content *a, const struct market_content *b);
/* What a content is beside the greatest one of its tick so far. Whoever keeps the greatest, and of one content the
 * latest ingestion time, ends with the same one whatever order they come in. */
enum market_verdict {
    MARKET_AGAIN,       /* the same */
    MARKET_AGAIN_LATER, /* the same at a later ingestion time: it now stands before what was ingested in between */
    MARKET_LESS,
    MARKET_GREATER,
};
enum market_verdict market_content_judge(const struct market_content *content, const struct market_content *known);

/* Key of such a row: its bytes sort by line, event time, sequence, tick id; those of one line share the line's bytes and
 * a zero byte as their beginning. */
struct market_row_key {
    struct market_line  line;
    struct market_order order;
};
extern const struct weir_codec market_row_key[1];

/* A price and its place. */
struct market_edge {
    struct market_order order;
    int64_t             price; /* units of 1e-8 */
};

/* Ticks folded exactly: the same whatever order they came in, and however they were parted and merged. All zero: none. */
struct market_fold {
    int64_t            count;
    struct market_edge open, close;
    int64_t            high, low;
    struct market_sum  volume;   /* of ticks that have one */
    market_sum_units   notional; /* of the same, units of 1e-16 */
    uint32_t           quality_flags;
    int64_t            flagged_count;
    struct weir_text   currency, unit; /* of the closing tick; borrowed */
    struct market_sum  prices;
    market_sum_units   squares; /* of prices, units of 1e-16 */
    bool               vast;    /* the squares do not fit */
};

/* Whether a tick counts in bars, statistics, spreads and curves: it has a price of its own. */
bool market_in_bars(const struct market_tick *tick);
/* MARKET_OVERFLOW, MARKET_MISSING (no price): the fold is as it was. */
int market_fold_add(struct market_fold *fold, const struct market_order *order, const struct market_content *content);
bool market_fold_same(const struct market_fold *a, const struct market_fold *b);
/* Children into a parent. Errors as above. */
int market_fold_merge(struct market_fold *fold, const struct market_fold *other);

/* What is known of an instrument: what its feeds call it, and its values of late: means and variances in which the last 50
 * weigh most. All zero: nothing. */
struct market_recent {
    int64_t               count, volume_count; /* of values so far */
    struct market_double  price_mean, price_variance, volume_mean, volume_variance;
    struct market_decimal last_price; /* the one of the greatest event time */
    int64_t               last_time;
    struct market_map     names;    /* feed to name */
    struct weir_text      day_zone; /* of its market's day; size 0 = not known */
    struct weir_text      rules;    /* the row of the table of markets that it is of; size 0 = not known */
};
/* 1: the name that the tick's feed has for its instrument is new, and remembered, in the arena. 0: it is known.
 * MARKET_NAME_CLASH: the feed called it otherwise before. WEIR_LIMIT. */
int market_recent_name(struct market_recent *recent, struct weir_arena *arena, const struct market_tick *tick,
                       struct weir_error *reterr);
/* 1: the row of the table of markets that the instrument is of, and the zone of its day, are new, and remembered. 0: they are known.
 * MARKET_NAME_CLASH: a market of another row had the instrument before, or the same with other days: two instruments, one name. */
int market_recent_market(struct market_recent *recent, struct weir_text rules, struct weir_text zone,
                         const struct market_tick *tick, struct weir_error *reterr);
/* MARKET_PRICE_SPIKE, MARKET_VOLUME_SPIKE: where there were 10 values or more, one that lies further from their mean than
 * four standard deviations, and than a tenth of the mean (a volume: above it, and than half of it). */
uint32_t market_recent_judge(const struct market_recent *recent, const struct market_tick *tick);
void     market_recent_add(struct market_recent *recent, const struct market_tick *tick);

/* The last backfill of an instrument: its number, and the epoch of what began anew from it. */
struct market_backfilled {
    int64_t number, epoch;
};

/* A window of bars as aggregation keeps it. */
struct market_window {
    struct market_fold fold;
    int64_t            epoch;
    int64_t            revision; /* of the last bar sent of it; 0 = it has not closed */
};

/* ---- what bid-ask spreads are made from ---- */

/* The greatest tick of a minute that has both bid and ask. */
struct market_quote {
    struct market_order   order;
    struct market_content content;
    int64_t               epoch;
    int64_t               revision; /* of the last record sent of it; 0 = the minute has not closed */
};

/* ---- what spreads and curves are made from ---- */

/* What a global table of definitions holds under tenant/id: the definition of that id, and the ids of those that the instrument
 * of that id is a member of. */
struct market_defined {
    struct market_list    used_by;
    struct market_records pair;  /* of struct market_pair, one or none */
    struct market_records curve; /* of struct market_curve, one or none */
};

/* What became of records of a key that were counted out, by reason. */
struct market_drop {
    struct weir_text reason;
    int64_t          count;
    int64_t          last; /* event time of the last one, us */
};
struct market_dropped {
    struct market_records drops; /* of struct market_drop */
};

/* The last bar of a member's window. */
struct market_member_bar {
    int64_t           close; /* units of 1e-8 */
    struct market_sum volume;
    uint32_t          quality_flags;
    int64_t           epoch, revision;
    struct weir_text  currency, unit;
    int64_t           touched; /* wall clock, ms: when it came */
};

/* What was last said of a window in which members' bars meet. */
struct market_told {
    int64_t          window_end; /* us */
    int64_t          members;    /* that have a bar of the window itself */
    int64_t          epoch;
    int64_t          revision; /* 0 = nothing was */
    market_sum_units digest;   /* of what was said */
    int64_t          touched;  /* wall clock, ms */
};

/* Key of both: their bytes sort by id, member, start. member NULL: the window itself. */
struct market_member_key {
    struct market_key key; /* of the pair or curve */
    struct weir_text  member;
    int64_t           start; /* ms */
};
extern const struct weir_codec market_member_key[1];

/* ---- the bar ---- */

/* WITHDRAWN: what was said of a window of spreads or curves does not hold any more, and nothing stands in its place. */
enum market_bar_state { MARKET_BAR_OPEN, MARKET_BAR_FINAL, MARKET_BAR_CORRECTION, MARKET_BAR_WITHDRAWN };

struct market_bar {
    struct weir_text      tenant_id, instrument_id;
    struct weir_text      interval; /* "1m", "5m", "1h", "1d" */
    int64_t               window_start, window_end;
    int64_t               open, high, low, close; /* units of 1e-8 */
    struct market_sum     volume;
    struct market_double  vwap; /* null where volume is null or 0 */
    int64_t               trade_count;
    int64_t               first_event_time, last_event_time;
    uint32_t              quality_flags; /* of all its ticks */
    int64_t               flagged_count; /* ticks with a flag other than valid that does not come from state */
    enum market_bar_state state;
    int64_t               epoch, revision;
    struct weir_text      currency, unit; /* of the closing tick; NULL = not known */
};

/* Of several bars of a window the greatest counts: by epoch, revision. */
int market_bar_compare(const struct market_bar *a, const struct market_bar *b);
/* Fills in what the fold says; names, window, state, epoch and revision are the caller's. The fold holds a tick. */
void market_bar_fill(struct market_bar *bar, const struct market_fold *fold);

/* ---- the latest price ---- */

struct market_latest {
    struct weir_text      tenant_id, instrument_id, market;
    int64_t               price; /* units of 1e-8 */
    struct market_decimal volume, bid_price, ask_price;
    struct weir_text      currency, unit;
    int64_t               epoch, event_time, sequence;
    uint8_t               tick_id[MARKET_TICK_ID_BYTES];
    int64_t               revision;
    int64_t               ingested_at;
    uint32_t              quality_flags;
    struct weir_text      source_system;
    bool                  deleted; /* it was taken away: what is not greater does not come back */
};

/* Which of two prices of one instrument is served: > 0 = a. By epoch, event time, sequence, tick id; then one that
 * is no fallback; then as contents of one tick go. */
int market_latest_compare(const struct market_latest *a, const struct market_latest *b);
/* The tick's texts are borrowed. The tick has a price. */
struct market_latest market_latest_of(const struct market_tick *tick, int64_t epoch);

/* ---- statistics, spreads, curves: docs/statistics.md says what each number is ---- */

/* Each of them is served under (rebuild, epoch, event time, revision). rebuild: how often projection had been rebuilt when it came; 0 in what
 * aggregation sends. deleted: as of latest prices. */

/* Of the ticks of one window. For a window by count, window_start and window_end are the event times of its first and last
 * tick, both included. */
struct market_stats {
    struct weir_text      tenant_id, instrument_id;
    struct weir_text      window; /* "last_10", "last_50", "last_100", "5m" */
    int64_t               window_start, window_end;
    int64_t               count;
    struct market_double  mean;
    int64_t               min, max; /* units of 1e-8 */
    struct market_sum     range;
    struct market_double  standard_deviation; /* of the whole population; null where its exact sums do not fit */
    struct market_sum     volume;             /* of ticks that have one */
    int64_t               first_event_time, last_event_time;
    uint32_t              quality_flags;
    enum market_bar_state state;
    int64_t               epoch, revision;
    struct weir_text      currency, unit;
    int64_t               rebuild;
    bool                  deleted;
};
/* Which of two of one window is served: > 0 = a. */
int market_stats_compare(const struct market_stats *a, const struct market_stats *b);

/* The last statistics of an instrument, one of each window. */
struct market_rolling_stats {
    struct market_records windows; /* of struct market_stats */
};

#define MARKET_SPREAD_KINDS(X)     \
    X(MARKET_CALENDAR, "calendar") \
    X(MARKET_INTER_MARKET, "inter_market") X(MARKET_SPOT_FUTURE, "spot_future") X(MARKET_BID_ASK, "bid_ask")
#define MARKET__KIND(name, word) name,
enum market_spread_kind { MARKET_SPREAD_KINDS(MARKET__KIND) };
#undef MARKET__KIND

/* A member's close as it entered a spread or curve. */
struct market_leg_price {
    struct weir_text instrument_id;
    int64_t          weight, price; /* units of 1e-8 */
    int64_t          window_start;  /* of its bar */
    int64_t          age;           /* from there to the spread's window, us */
    bool             stale;         /* it is of an earlier window */
};

struct market_spread {
    struct weir_text        tenant_id, pair_id; /* of a bid_ask: the instrument */
    enum market_spread_kind kind;
    struct weir_text        interval;
    int64_t                 window_start, window_end;
    struct market_sum     value; /* the sum of weight x price, rounded once, half to even; of a bid_ask: ask - bid */
    struct market_decimal bid_price, ask_price;
    struct market_records legs; /* of struct market_leg_price */
    bool                  stale;
    uint32_t              quality_flags;
    enum market_bar_state state;
    int64_t               epoch, revision;
    struct weir_text      currency, unit;
    int64_t               rebuild;
    bool                  deleted;
};
int market_spread_compare(const struct market_spread *a, const struct market_spread *b);

enum market_method { MARKET_LINEAR, MARKET_LOG_LINEAR, MARKET_CUBIC };
enum market_day_count { MARKET_ACT_365, MARKET_ACT_360, MARKET_30_360 };

/* What a member of a curve says. */
struct market_point {
    struct weir_text     instrument_id;
    struct weir_text     contract_month; /* "2013-12"; NULL = it is by tenor */
    struct weir_text     tenor;          /* "3m"; NULL = it is by contract month */
    int64_t              delivery;       /* midnight UTC of the day it delivers from, us */
    int64_t              days;           /* from the as-of date, by the day count */
    int64_t              price;          /* units of 1e-8 */
    struct market_sum    volume;         /* of its bar */
    int64_t              window_start;   /* of its bar */
    int64_t              age;            /* us */
    bool                 stale;
    struct market_double confidence; /* 1 of a bar of the window, falling to 0 at max_age */
};

/* The curve's value at a tenor from the as-of date. */
struct market_horizon {
    struct weir_text     horizon; /* "3m" */
    int64_t              date, days;
    struct market_double price; /* null: reason says why */
    struct market_double confidence;
    struct weir_text     reason; /* "outside_points", "not_positive", "too_few_points"; NULL where there is a price */
};

struct market_curve_update {
    struct weir_text      tenant_id, curve_id;
    struct weir_text      interval;
    int64_t               window_start, window_end;
    struct weir_text      as_of; /* "2013-10-07": the UTC date of window_start */
    enum market_method    method;
    enum market_day_count day_count;
    struct market_records points;   /* of struct market_point, by delivery */
    struct market_records horizons; /* of struct market_horizon, as the definition lists them */
    bool                  stale;    /* one of the points is */
    uint32_t              quality_flags;
    enum market_bar_state state;
    int64_t               epoch, revision;
    struct weir_text      currency, unit;
    int64_t               rebuild;
    bool                  deleted;
};
int market_curve_update_compare(const struct market_curve_update *a, const struct market_curve_update *b);

/* A curve as far as one of its horizons: what is served. */
struct market_curve_snapshot {
    struct weir_text      tenant_id, curve_id, horizon;
    int64_t               window_start, window_end;
    struct weir_text      as_of;
    enum market_method    method;
    struct market_double  price, confidence; /* at the horizon */
    struct weir_text      reason;
    struct market_records points; /* that deliver no later than the horizon */
    bool                  stale;
    uint32_t              quality_flags;
    enum market_bar_state state;
    int64_t               epoch, revision;
    struct weir_text      currency, unit;
    int64_t               rebuild;
    bool                  deleted;
};
/* The update as far as its n-th horizon, which it has. Points are borrowed. */
struct market_curve_snapshot market_curve_snapshot_of(const struct market_curve_update *update, size_t n);

/* ---- definitions of pairs and curves: reference data ---- */

struct market_leg {
    struct weir_text instrument_id;
    int64_t          weight; /* units of 1e-8, not 0 */
};

struct market_pair {
    struct weir_text        tenant_id, pair_id; /* legal as an instrument id */
    enum market_spread_kind kind;               /* no bid_ask */
    struct market_records   legs;               /* of struct market_leg, two or more */
    struct weir_text        interval;           /* of the bars; NULL = "1m" */
    int64_t                 max_age_ms;
    struct weir_text        unit; /* of the value, where weights convert; NULL: all legs have one unit */
    bool                    active;
    int64_t                 version;
};

struct market_member {
    struct weir_text instrument_id;
    struct weir_text contract_month; /* "2013-12"; NULL: as the tenor or the instrument id says */
    struct weir_text tenor;          /* "3m" */
};

struct market_curve {
    struct weir_text      tenant_id, curve_id;
    struct market_records members; /* of struct market_member */
    enum market_method    method;
    enum market_day_count day_count;
    struct market_list    horizons; /* none: 1m, 3m, 6m, 1y */
    struct weir_text      interval; /* NULL = "1m" */
    int64_t               max_age_ms;
    bool                  active;
    int64_t               version;
};

/* ---- rules of classification: reference data ---- */

enum market_rule_kind { MARKET_RULE_COMMODITY, MARKET_RULE_REGION, MARKET_RULE_TIER };

/* An instrument that no row describes, whose id has one of the keywords among its words, is of this commodity, region or tier. */
struct market_taxonomy_rule {
    enum market_rule_kind kind;
    struct weir_text      answer;   /* "natural_gas" */
    struct market_list    keywords; /* none: the rule that is built in for the answer is taken away */
    int64_t               priority; /* the greatest goes first; rules that are built in have 0 */
};

struct market_taxonomy_rules {
    struct weir_text      tenant_id, rules_id; /* "RULES": a tenant has one such row */
    struct market_records rules;               /* of struct market_taxonomy_rule */
    int64_t               version;
};

/* ---- reference data ---- */

struct market_instrument {
    struct weir_text      tenant_id, instrument_id;
    struct weir_text      commodity, region, product_tier;
    struct weir_text      unit, currency;
    struct market_decimal contract_size, tick_size;
    struct market_list    aliases;
    struct market_map     metadata;
    bool                  active;
    int64_t               version; /* rises with each change of the row */
};

/* ---- what is served is to be dropped, or served anew ---- */

enum market_projection { MARKET_LATEST_PRICE, MARKET_CURVE_SNAPSHOT, MARKET_CUSTOM, MARKET_BARS };
extern const char *const market_projection_words[];
/* Of custom ones: an id may have one of each. */
#define MARKET_CUSTOM_TYPES(X)        \
    X(MARKET_CUSTOM_ANY, "any")       \
    X(MARKET_CUSTOM_SPREAD, "spread") \
    X(MARKET_CUSTOM_BASIS, "basis") X(MARKET_CUSTOM_BID_ASK, "bid_ask") X(MARKET_CUSTOM_ROLLING_STAT, "rolling_stat")
#define MARKET__CUSTOM(name, word) name,
enum market_custom_type { MARKET_CUSTOM_TYPES(MARKET__CUSTOM) };
#undef MARKET__CUSTOM
extern const char *const market_custom_words[];
enum market_custom_type  market_custom_type_of(enum market_spread_kind kind);
enum market_invalidate {
    MARKET_INVALIDATE_DROP,    /* the entry goes, in the store and outside of it, until something new comes for it */
    MARKET_INVALIDATE_REFRESH, /* what the store has is served again; a latest price under the epoch of now */
};

/* Of exactly one entry: its key is that of the record. */
struct market_invalidation {
    struct weir_text        tenant_id, instrument_id; /* or the id of a curve, a pair */
    enum market_projection  projection_type;
    enum market_invalidate  action;
    int64_t                 since; /* only what is of that event time or later; 0 = all */
    struct weir_text        reason, requested_by;
    int64_t                 requested_at;
    int64_t                 epoch;       /* of rebuilds of projection, when it was asked for */
    enum market_custom_type custom_type; /* of MARKET_CUSTOM */
};

/* Records, flags, ids and reasons as docs/schemas.md says them, from the tables. */
void market_document(struct weir__buf *ret);

/* ---- codecs ---- */

/* Of each record one type in two forms to write; both read both. The first one is the contract's default. */
extern const struct weir_codec market_tick[1], market_tick_json[1];
extern const struct weir_codec market_enriched[1], market_enriched_json[1];
extern const struct weir_codec market_bar[1], market_bar_msgpack[1];                       /* JSON, MessagePack */
extern const struct weir_codec market_latest[1], market_latest_msgpack[1];                 /* JSON, MessagePack */
extern const struct weir_codec market_instrument[1], market_instrument_msgpack[1];         /* JSON, MessagePack */
extern const struct weir_codec market_invalidation[1], market_invalidation_msgpack[1];     /* JSON, MessagePack */
extern const struct weir_codec market_stats[1], market_stats_msgpack[1];                   /* JSON, MessagePack */
extern const struct weir_codec market_spread[1], market_spread_msgpack[1];                 /* JSON, MessagePack */
extern const struct weir_codec market_rolling_stats[1];                                    /* MessagePack */
extern const struct weir_codec market_curve_update[1], market_curve_update_msgpack[1];     /* JSON, MessagePack */
extern const struct weir_codec market_curve_snapshot[1], market_curve_snapshot_msgpack[1]; /* JSON, MessagePack */
extern const struct weir_codec market_pair[1], market_curve[1], market_taxonomy_rules[1];  /* JSON */
extern const struct weir_codec market_defined[1], market_member_bar[1], market_told[1];    /* MessagePack */
extern const struct weir_codec market_dropped[1];                                          /* MessagePack */
extern const struct weir_codec market_quote[1];                                            /* MessagePack */
extern const struct weir_codec market_content[1];                                          /* MessagePack */
extern const struct weir_codec market_order[1];                                            /* MessagePack */
extern const struct weir_codec market_fold[1];                                             /* MessagePack */
extern const struct weir_codec market_window[1];                                           /* MessagePack */
extern const struct weir_codec market_recent[1];                                           /* MessagePack */
extern const struct weir_codec market_backfilled[1];                                       /* MessagePack */

/* Reads as the codec does, and says which field is wrong and why: reterr->code is a market_reason. ret: codec->bytes. */
int market_explain(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret,
                   struct weir_error *reterr);

/* The first field in which two records of the codec differ, but for those left out (NULL-ended); of flags those of judged count.
 * NULL = none does. */
const char *market_difference(const struct weir_codec *codec, const void *a, const void *b,
                              const char *const *left_out, uint32_t judged);

#endif
