/* instrument.h: instrument ids, tick ids, and the key of everything: tenant and instrument.
 *
 *     MARKET . LOCATION [.BASIS] [.STAGE] [.COMPONENT]      electricity
 *     SYMBOL . CONTRACT | SYMBOL | VENUE . PAIR [.PERP]     trades
 *
 * (1) The suffixes are a closed list, and no location ends in one: an id reads from its end without doubt.
 * (2) Nothing is merged: two names of one feed that would share an id are refused (name_clash).
 * (3) A key's printable form is "tenant/instrument"; a tenant has no slash, an instrument id only A-Z 0-9 _ - and dots.
 */
#ifndef MARKET_INSTRUMENT_H
#define MARKET_INSTRUMENT_H

#include "schemas/reasons.h"

#define MARKET_INSTRUMENT_MAX 100 /* bytes, as the reference tables hold */
#define MARKET_TENANT_MAX     50

/* The closed list: constant, suffix, meaning. */
#define MARKET_BASES(X)                                                                                     \
    X(MARKET_REAL_TIME, "", "real-time price in the finest interval the market publishes for the location") \
    X(MARKET_RT15M, "RT15M", "real-time, 15 minutes, where a finer one is published")                       \
    X(MARKET_RT1H, "RT1H", "real-time, hourly")                                                             \
    X(MARKET_DA, "DA", "day-ahead, as settled")                                                             \
    X(MARKET_RTC, "RTC", "real-time commitment, 15 minutes (NYISO)")                                        \
    X(MARKET_HASP, "HASP", "hour-ahead (CAISO)")                                                            \
    X(MARKET_EW, "EW", "energy-weighted zone (ERCOT)")
#define MARKET_STAGES(X)                                       \
    X(MARKET_SETTLED, "", "as published for settlement")       \
    X(MARKET_PRELIM, "PRELIM", "preliminary report")           \
    X(MARKET_EXANTE, "EXANTE", "computed before the interval") \
    X(MARKET_FORECAST, "FORECAST", "forecast of the price")
#define MARKET_COMPONENTS(X)                                                   \
    X(MARKET_PRICE, "", "the whole price: MCE + MCC + MLC")                    \
    X(MARKET_MCE, "MCE", "energy")                                             \
    X(MARKET_MCC, "MCC", "congestion, signed so that it adds up to the price") \
    X(MARKET_MLC, "MLC", "loss")                                               \
    X(MARKET_MGHG, "MGHG", "greenhouse gas (CAISO)")
#define MARKET_PERPETUAL "PERP" /* a perpetual future, where the same pair is also traded spot */

#define MARKET__CONSTANT(name, suffix, meaning) name,
enum market_basis { MARKET_BASES(MARKET__CONSTANT) };
enum market_stage { MARKET_STAGES(MARKET__CONSTANT) };
enum market_component { MARKET_COMPONENTS(MARKET__CONSTANT) };
#undef MARKET__CONSTANT

struct market_id {
    char   text[MARKET_INSTRUMENT_MAX + 1]; /* NUL-ended */
    size_t size;
};

/* ---- making ids ---- */

/* A feed's own name (location, symbol, venue, pair) in the form it has inside an id: ASCII capitals, each run of other
 * characters one dot, dots at the ends dropped. MARKET_BAD_NAME: nothing is left; MARKET_TOO_LONG. */
int market_location(struct weir_text name, struct market_id *ret, struct weir_error *reterr);

struct market_power {
    const char           *market; /* "MISO" */
    struct weir_text      location;
    enum market_basis     basis;
    enum market_stage     stage;
    enum market_component component;
};
/* MARKET_NAME_CLASH: the location ends in a suffix; MARKET_BAD_NAME, MARKET_TOO_LONG. */
int market_power_id(const struct market_power *power, struct market_id *ret, struct weir_error *reterr);

/* symbol or venue, then contract or pair (data NULL = none), then .PERP where `perpetual`. Errors as above. */
int market_trade_id(struct weir_text first, struct weir_text second, bool perpetual, struct market_id *ret,
                    struct weir_error *reterr);

/* ---- reading ids ---- */

struct market_id_parts {
    struct weir_text      market;   /* up to the first dot */
    struct weir_text      location; /* between market and suffixes; size 0 = none ("SPY") */
    enum market_basis     basis;
    enum market_stage     stage;
    enum market_component component;
    bool                  perpetual;
};
/* MARKET_BAD_NAME: it is no id. */
int market_id_split(struct weir_text id, struct market_id_parts *ret);
/* A legal id of electricity without its component: that of the price. */
struct weir_text market_id_price(struct weir_text id);

/* ---- names of one feed ---- */

struct market_names;
struct market_names *market_names_new(void); /* NULL = out of memory */
void                 market_names_free(struct market_names *names);
/* Remembers that a feed calls the instrument so. MARKET_NAME_CLASH: it called it otherwise before; WEIR_NO_MEMORY. */
int market_names_check(struct market_names *names, struct weir_text id, struct weir_text name,
                       struct weir_error *reterr);

/* ---- tick ids ---- */

#define MARKET_TICK_ID_BYTES 32

struct market_tick_identity {
    struct weir_text tenant, market, instrument;
    int64_t          event_time; /* us */
    struct weir_text source;     /* of trades: the feed's name; of prices: empty */
    int64_t          sequence;
};
/* SHA-256 of "tenant|market|instrument|event_time|source|sequence"; its text form is lower-case hex. WEIR_NO_MEMORY. */
int market_tick_id(const struct market_tick_identity *identity, uint8_t ret[MARKET_TICK_ID_BYTES]);

/* ---- keys ---- */

/* The value in memory of the codec market_key: key of every topic, store and cache downstream of normalization. */
struct market_key {
    struct weir_text tenant, instrument;
};
extern const struct weir_codec market_key[1];

/* 1 to MARKET_TENANT_MAX of a-z A-Z 0-9 . _ -; 1 to MARKET_INSTRUMENT_MAX of A-Z 0-9 _ - in parts between dots. */
bool market_tenant_legal(struct weir_text tenant);
bool market_instrument_legal(struct weir_text instrument);
/* "tenant/instrument", borrowed. MARKET_BAD_NAME. */
int market_key_split(struct weir_text key, struct market_key *ret);

/* ---- lines ---- */

/* Epochs of one rebuild are a million: the first is of all that begins with it, each other one of a backfill of the
 * instrument. rebuild: weir_epoch, from 1. So all epochs of a rebuild go before all of those before it. */
enum { MARKET_EPOCHS = 1000000 };
int64_t market_first_epoch(int64_t rebuild);
bool    market_is_first_epoch(int64_t epoch); /* of its rebuild */

/* Where aggregation keeps what it knows of an instrument, with a time of its own: the live line, whose windows say their epoch
 * themselves, or the line of a backfill, whose windows are of its epoch. The bytes of the live line are those of the key;
 * "tenant/instrument", and "@2" behind it for that of epoch 2. */
enum { MARKET_LIVE = 1 };
struct market_line {
    struct market_key key;
    int64_t           epoch; /* MARKET_LIVE, or the backfill's */
};
extern const struct weir_codec market_line[1];

/* A line's windows of one width, ms, where several widths share a store. */
struct market_wide {
    struct market_line line;
    int64_t            width;
};
extern const struct weir_codec market_wide[1];

#endif
