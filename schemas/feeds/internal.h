/* internal.h: what the files of feeds share: fields, roles, the mapping table. */
#ifndef MARKET_FEEDS_INTERNAL_H
#define MARKET_FEEDS_INTERNAL_H

#include "framework/json/json.h"
#include "schemas/decimal.h"
#include "schemas/feeds/feeds.h"
#include "schemas/times.h"

#define TEXT(literal) ((struct weir_text){ .data = (literal), .size = sizeof(literal) - 1 })

/* What load sends in place of a row that no event can hold: its size in bytes. */
#define MARKET_ROW_TOO_LONG "row_too_long"
#define MARKET_ROW_BROKEN   "broken_row"

/* ---- text (text.c) ---- */

static inline struct weir_text market__text(const char *text)
{
    return (struct weir_text){ .data = text, .size = text ? strlen(text) : 0 };
}
struct weir_text market__trim(struct weir_text text); /* without blanks at its ends */
/* Equal but for the case of ASCII letters. */
bool market__same(struct weir_text a, struct weir_text b);
/* The same for texts that are market__same. */
uint32_t market__hash(struct weir_text text);
/* Takes the first name off "first|second|third"; *names is empty behind the last. */
struct weir_text market__cut(const char **names);
/* Whether text is one of "first|second|third", in any case; the first one is number 0; -1 = none. */
int  market__one_of(struct weir_text text, const char *names);
bool market__begins(struct weir_text text, const char *prefix);
/* Whole decimal number without sign. False = another text, or it does not fit. */
bool market__whole(struct weir_text text, int64_t *ret);

/* ---- fields: named values of a row or a raw event, text as published (fields.c) ---- */

enum market_field_type { MARKET_TEXT, MARKET_NUMBER, MARKET_BOOL, MARKET_NULL, MARKET_OTHER };

struct market__field {
    struct weir_text       name, text;
    enum market_field_type type;
};
struct market__fields {
    struct market__field *items;
    size_t                count, capacity;
};

/* The value alone, as it was; MARKET_OTHER is written as null. */
void market__field_write(const struct market__field *field, struct weir_json_out *json);
void market__field_put(const struct market__field *field, struct weir_json_out *json); /* with its name */
/* json may be NULL: nothing is added. WEIR_LIMIT. */
int market__fields_add(struct market__fields *fields, const struct weir_json *json, struct weir_arena *arena);
/* Members of an object; those of an object inside it as "name.member". Lives in the arena, borrows from json.
 * WEIR_LIMIT. */
int market__fields_of(const struct weir_json *json, struct weir_arena *arena, struct market__fields *ret);
/* Names for the elements of an array or the cells of a line, from "first|second|third". MARKET_MALFORMED: other count. */
int market__fields_of_array(const struct weir_json *json, const char *names, struct weir_arena *arena,
                            struct market__fields *ret);
int market__fields_of_cells(const struct weir_text *cells, size_t count, const char *names, struct weir_arena *arena,
                            struct market__fields *ret);

/* ---- the mapping table (table.c) ---- */

/* What a field is to a feed. */
enum market__role {
    ROLE_LOCATION,
    ROLE_ID,      /* an instrument id that the sender made */
    ROLE_CLASS,   /* type of location */
    ROLE_VOLTAGE, /* with the equipment: which one of the locations of that name */
    ROLE_EQUIPMENT,
    ROLE_INSTANT, /* a stamp; without zone it is UTC */
    ROLE_LOCAL,   /* a stamp in the feed's zone */
    ROLE_DAY,
    ROLE_HOUR,
    ROLE_QUARTER, /* of the hour, 1 to 4 */
    ROLE_TURN,    /* which one of a repeated hour */
    ROLE_RUN,     /* says the product */
    ROLE_ITEM,    /* says which price ROLE_VALUE is */
    ROLE_VALUE,
    ROLE_PRICE,
    ROLE_MCE,
    ROLE_MCC,
    ROLE_MLC,
    ROLE_MGHG,
    ROLE_FORECAST,
    ROLE_VOLUME,
    ROLE_BID,
    ROLE_ASK,
    ROLE_REVISION,
    ROLE_SEQUENCE,
    ROLE_MADE, /* when the feed made the row */
    ROLE_CURRENCY,
    ROLE_UNIT,
    ROLE_SUSPECT,
    ROLE_COUNT
};

/* How a row says when its interval starts. */
enum market__when {
    WHEN_START,  /* INSTANT or LOCAL is the start */
    WHEN_END,    /* the end: the interval goes off */
    WHEN_HOUR,   /* DAY, HOUR (ending), QUARTER */
    WHEN_LABEL,  /* DAY, HOUR: "16:50" is the start, "HE 17" an hour ending */
    WHEN_GRID,   /* an end between grid points too: the grid point before it; seconds from there are the sequence */
    WHEN_OF_DAY, /* INSTANT is ms since midnight of the event's day in the event's zone */
};

/* A product that a ROLE_RUN may say: names of runs, and what they mean. */
struct market__run {
    const char       *names;
    enum market_basis basis;
    enum market_stage stage;
    int               interval; /* s; 0 = the feed's */
};

struct market_feed {
    const struct market_rules *rules;
    const char                *data_type; /* "name|other name": the first one is what load writes */
    enum market_basis          basis;
    enum market_stage          stage;
    int                        interval; /* s; 0 = none: trades */
    enum market__when          when;
    bool                       negated;          /* the congestion is printed with its sign turned */
    bool                       trade, perpetual; /* SYMBOL ids; an id that ends in .PERP */
    bool                       quote;            /* a price is not expected */
    bool                       exact;            /* names differ by case: T is a time, t a number */
    const char                *source;           /* of trades; NULL = the event says */
    const char                *columns;          /* of a line or an array without names; "?name": may be absent */
    const char                *location;         /* where rows name none */
    const char                *energy_weighted;  /* classes of location that are a basis of their own, .EW */
    const struct market__run  *runs;             /* ends with names NULL; NULL = the product is fixed */
    bool                       run_needed;       /* without its run the product of a row cannot be told */
    const char *rows; /* a field that holds published rows as JSON text: the first one's are fields too */
    const char *names[ROLE_COUNT]; /* "first|second": the first that is there and not null */
};

/* By market (canonical or another spelling) and data type, in any case; NULL = none. */
const struct market_feed *market__feed(const struct market_rules *rules, struct weir_text data_type);
/* Data types that are known but are no prices ("ordc", "outages"). */
bool                            market__no_price(const struct market_rules *rules, struct weir_text data_type);
size_t                          market__feed_count(void);
const struct market_feed       *market__feed_at(size_t n);
struct weir_text                market__data_type(const struct market_feed *feed);
extern const struct market_feed market__nested[1], market__tick[1]; /* shapes whose fields are the same everywhere */

/* ---- roles (roles.c) ---- */

struct market__roles {
    const struct market__field *of[ROLE_COUNT]; /* NULL = the row has none */
};
void market__roles_find(const struct market_feed *feed, const struct market__fields *fields,
                        struct market__roles *ret);
/* The role's text without blanks at its ends; size 0 where the row has none, or null. MARKET_BAD_TYPE: an array or object. */
int market__role_text(const struct market__roles *roles, enum market__role role, struct weir_text *ret,
                      struct weir_error *reterr);
/* MARKET_MISSING with the role's names in reterr. */
int market__role_missing(const struct market_feed *feed, enum market__role role, struct weir_error *reterr);
/* Fails for what the role's field holds: its name is `where`, its text is shown. */
int market__role_bad(const struct market__roles *roles, enum market__role role, int code, const char *what,
                     struct weir_error *reterr);

/* ---- when (when.c) ---- */

/* What is the same for all rows of a file or an event. */
struct market__setting {
    struct weir_text zone, day, scale, instrument; /* size 0 = not said */
};
struct market__moment {
    int64_t time; /* us, start of the interval */
    int64_t sequence;
    bool    ambiguous; /* the label stands for two times and nothing says which */
    bool    later;     /* its label is one that only the later of the two has: "02X", 25 */
};
/* MARKET_MISSING, MARKET_BAD_TIME, MARKET_NO_SUCH_TIME, MARKET_BAD_TYPE. */
int market__when(const struct market_feed *feed, const struct market__roles *roles, int interval,
                 const struct market__setting *setting, struct market__moment *ret, struct weir_error *reterr);

/* ---- ticks of a row (map.c) ---- */

/* What is known of a row besides its fields. */
struct market__source {
    struct weir_text            tenant, event_id, system;
    struct weir_text            market; /* as the sender says it */
    struct weir_text            symbol; /* where the row has none; size 0 = not said */
    struct weir_text            id;     /* instrument id the sender made; size 0 = none */
    int64_t                     ingested_at;
    int64_t                     occurred_at; /* where the row has no time; 0 = not said */
    int64_t                     received_at; /* where there is no other time; 0 = not said */
    int64_t                     sequence;    /* -1 = not said */
    struct market__setting      setting;
    const struct weir_json     *metadata; /* NULL = none */
    const struct weir_json     *tags;     /* of a document, whatever it is; NULL = none */
    const struct market_origin *origin;
};

/* The product of a row: what its run says, else the feed's. MARKET_UNKNOWN_PRODUCT. */
int market__product(const struct market_feed *feed, const struct market__roles *roles, struct market__run *ret,
                    struct weir_error *reterr);
/* The instrument of the row's price, or of the component that it holds alone. */
int market__instrument(const struct market_feed *feed, const struct market__roles *roles,
                       const struct market__run *product, const struct market__source *source, struct market_id *ret,
                       struct weir_error *reterr);
int market__map(const struct market_feed *feed, const struct market__fields *fields,
                const struct market__source *source, const struct market_raw_options *options,
                struct weir_arena *arena, struct market_reading *ret, struct weir_error *reterr);

/* Flags of a whole price, trade or quote (quality.c). Components are no prices: they have no limits, and their sign is free. */
uint32_t             market__quality(const struct market_feed *feed, const struct market__roles *roles,
                                     const struct market_rules *rules, const struct market_limits *limits,
                                     const struct market_tick *tick);
struct market_limits market__limits(const struct market_rules *rules, const struct market_limits *limits);

/* Binance: a stream's wrapper taken off, and the data type of a message by its content; NULL = none that is known. */
const struct weir_json *market__unwrap(const struct weir_json *document);
const char             *market__binance_type(const struct weir_json *document);

/* ---- MessagePack (msgpack.c) ---- */

/* A MessagePack document as the same tree a JSON text gives. Bytes that are no UTF-8 are an array without elements
 * whose text is those bytes. MARKET_MALFORMED, WEIR_LIMIT. */
int market__unpack(struct weir_arena *arena, struct weir_bytes bytes, const struct weir_json **ret,
                   struct weir_error *reterr);

/* ---- cells (csv.c) ---- */

struct market__cells {
    struct weir_text *items;
    size_t            count, capacity;
    struct weir__buf  unquoted;
};
/* Cells live until the next call, and as long as the line. MARKET_MALFORMED: a quote is not closed. */
int  market__cells_split(struct market__cells *cells, struct weir_text line);
void market__cells_fini(struct market__cells *cells);

#endif
