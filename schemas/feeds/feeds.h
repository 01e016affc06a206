/* feeds.h: what markets publish and send, and how it becomes ticks: the mapping table and raw events.
 *
 * (1) A feed is a row of one table (table.c): market, data type, product, clock, and the names its fields go by.
 *     Another market is another row, not another parser.
 * (2) Any bytes may be given to market_read_raw: it gives ticks, or one code of reasons.h with words that name the field.
 * (3) Numbers go from text to decimals; no double is on the way.
 */
#ifndef MARKET_FEEDS_H
#define MARKET_FEEDS_H

#include "schemas/decimal.h"
#include "schemas/instrument.h"
#include "schemas/records.h"

/* What holds for all feeds of one market. Defaults: all of it can be configured. */
struct market_rules {
    const char *name;      /* "MISO" */
    const char *spellings; /* "ISO-NE|ISO_NE": what senders call it besides, in any case */
    const char *topic;     /* of its raw events */
    const char *zone;      /* of its naive local times */
    const char *day_zone;  /* of its operating day */
    const char *currency;  /* NULL = each tick's own definition, else null */
    const char *unit;
    int64_t     price_min; /* units of 1e-8; beyond them: flag out_of_range */
    int64_t     price_max;
    int         interval; /* s, the finest its real-time price has; 0 = of trades */
    bool        corrects; /* prices are corrected: aggregation keeps rows */
    bool        power;    /* identity of a price; else of a trade */
};

/* Prices beyond are flagged, units of 1e-8. */
struct market_limits {
    int64_t least, greatest;
};
/* Limits of all markets, by market_rules_at's numbers: those of the table, and what a text says instead of some of them:
 * "ERCOT=-100..10000, AESO=0..1000". *ret is an array of MARKET_RULES_MAX. MARKET_BAD_NUMBER, MARKET_UNKNOWN_MARKET. */
enum { MARKET_RULES_MAX = 32 };
int market_limits_read(const char *text, struct market_limits *ret, struct weir_error *reterr);

/* By name or spelling, in any case. Names that are in no row are those of trading venues: the rules of row "*". */
const struct market_rules *market_rules_find(struct weir_text market);
/* The n-th row, NULL behind the last: for printing the table. */
const struct market_rules *market_rules_at(size_t n);

/* How far ahead of ingestion a price may begin, us; -1 = no bound. */
int64_t market_ahead(enum market_basis basis, enum market_stage stage);

/* Where a raw event was read. */
struct market_origin {
    const char *topic;
    int32_t     partition;
    int64_t     offset, timestamp; /* ms */
};

struct market_raw_options {
    bool                        components_off; /* the price alone */
    bool                        fallback;       /* an event without its price is a tick without one, flagged */
    const struct market_limits *limits;         /* NULL = those of the table */
};

/* What one raw event holds. */
struct market_reading {
    struct market_tick *ticks; /* the price, or the trade or quote, then its components; in the arena */
    size_t              count; /* 0: all that it holds is counted as absent, or awaited */
    size_t              components_absent;
    size_t              prices_awaited; /* the hour has a forecast, and no price yet */
    int64_t             ahead;          /* of ingestion time the ticks may be, us; -1 = no bound */
    struct weir_text    tenant;         /* data NULL = it could not be read; also set when the event is refused */
};

/* Reads a raw event of any of the three shapes, JSON or MessagePack: envelope A (payload.raw_data), envelope B with a
 * document or line inside (payload.raw_payload), a connector's or load's flat payload. Ticks borrow from value.
 * A code of reasons.h: refused, reterr says which field and why. WEIR_LIMIT, WEIR_TOO_LARGE, WEIR_NO_MEMORY. */
int market_read_raw(struct weir_arena *arena, struct weir_bytes value, const struct market_origin *origin,
                    const struct market_raw_options *options, struct market_reading *ret, struct weir_error *reterr);

#endif
