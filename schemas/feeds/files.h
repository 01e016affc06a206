/* files.h: what the parts of the loader share: a market file, its rows, and the order they are sent in. */
#ifndef MARKET_FEEDS_FILES_H
#define MARKET_FEEDS_FILES_H

#include "framework/runtime/runtime.h"
#include "schemas/feeds/internal.h"
#include "schemas/feeds/load.h"

/* ---- what is said of a file besides its rows (said.c) ---- */

enum market__what { SAID_MARKET, SAID_PRODUCT, SAID_DAY, SAID_INSTRUMENT, SAID_ZONE, SAID_SCALE, SAID_COUNT };

struct market__said {
    struct weir_text of[SAID_COUNT]; /* size 0 = not said */
};
/* "market", as in load.conf and, behind "--", as an option. */
const char *market__said_name(enum market__what what);
/* What the value of a setting must be, where it is not; NULL = it fits. */
const char *market__said_wanted(enum market__what what, struct weir_text value);
/* Takes from more what said lacks. */
void market__said_add(struct market__said *said, const struct market__said *more);
/* By the tokens of a file's base name. Lives in the arena. WEIR_NO_MEMORY. */
int market__said_by_name(struct weir_text name, struct weir_arena *arena, struct market__said *ret);
/* A data type of the market as a token of text; size 0 = none. */
struct weir_text market__product_in(const struct market_rules *rules, struct weir_text text);
/* By load.conf in the file's folder; nothing where there is none. WEIR_UNREADABLE: a line of it, named. */
int market__said_by_conf(const char *path, struct weir_text name, struct weir_arena *arena, struct market__said *ret,
                         struct weir_error *reterr);

/* ---- a file (file.c) ---- */

enum { HEAD_LINES = 16 };

/* One raw event to be. Lives until the next one of its file. */
struct market__row {
    const struct market_feed *feed;   /* NULL = not known: sent as it is */
    struct market__fields     fields; /* payload, in order */
    struct weir_text          raw;    /* of trades: the line or document, which is then the payload */
    const char               *encoding;
    struct weir_text          symbol;
    struct weir_text          system, market; /* where the row says them; else those of feed and file */
    int64_t                   received;       /* us; 0 = not said */
    uint64_t                  number;         /* of the row, from 1 */
    uint32_t                  part;           /* of the row */
};

struct market__file;

/* A kind of file. */
struct market__form {
    const char *name;
    const char *columns;                            /* of tables: what its heading must hold, "first|second" */
    bool (*knows)(const struct market__file *file); /* of others: by the first lines; NULL for tables */
    /* Settles feed and settings, and notes what is missing. */
    int (*begin)(struct market__file *file, struct weir_error *reterr);
    /* WEIR_NOTFOUND at the end. */
    int (*next)(struct market__file *file, struct market__row *ret, struct weir_error *reterr);
    /* Of tables: parts of a row, and one of them as fields. */
    size_t (*parts)(const struct market__file *file);
    int (*fill)(struct market__file *file, size_t part, struct market__fields *ret);
    const char *market;    /* where the form says it */
    const char *data_type; /* likewise */
};

/* A location of a wide table: where its cells are. */
struct market__place {
    struct weir_text name;
    size_t           cell[4]; /* LMP, Congestion, Energy, Loss: number of the column from 1; 0 = none */
};

/* A row of a document: its feed, its element, and what it belongs to. */
struct market__element {
    const struct market_feed *feed;
    const struct weir_json   *json, *parent;
};
struct market__document_form;

struct market__file {
    const char         *path;
    struct weir_text    name; /* base name without .gz */
    struct weir__lines *lines;
    struct weir__buf    line;
    struct weir_arena   arena, row_arena;
    int64_t             size; /* on disk */
    struct weir_text    head[HEAD_LINES];
    size_t              head_count;
    size_t              skip; /* lines before the first row */
    uint64_t            rows; /* read so far */

    const struct market__form *form;
    struct market__said        said, by_name;
    const struct market_rules *rules;
    const struct market_feed  *feed;
    struct weir__buf           missing; /* settings not said, for the refusal */
    int64_t                    made;    /* when the feed made the file, us; 0 = not said */

    /* tables */
    struct market__cells  cells;
    struct weir_text     *columns;
    size_t                column_count, part, part_count;
    struct market__place *places;
    size_t                place_count, fixed_count; /* fixed: columns that are of no hour */
    bool                 *fixed;                    /* of a wide table: which columns are of no location */
    bool                  typed;                    /* the first cell says what a line is: D is data */
    bool                  broken;                   /* the present row has not the columns of its table */

    /* documents */
    const struct weir_json             *document;
    const struct market__document_form *document_form;
    struct weir__place                  document_end;
    struct market__element             *elements;
    size_t                              element_count, element_capacity;
};

/* Opens a file and tells its kind. Settings: options win over load.conf, this over content, this over the name.
 * Codes of reasons.h: the file is refused. WEIR_NOTFOUND, WEIR_IO, WEIR_NO_MEMORY. */
int     market__file_open(const char *path, const struct market__said *options, struct market__file **ret,
                          struct weir_error *reterr);
void    market__file_close(struct market__file *file);
int64_t market__size_on_disk(const char *path); /* 0 where there is no such file */
/* How far the file was read; of a document, its end. */
struct weir__place market__file_place(const struct market__file *file);
/* Back to the first row. */
int market__file_rewind(struct market__file *file, struct weir_error *reterr);
int market__file_next(struct market__file *file, struct market__row *ret, struct weir_error *reterr);

/* For forms. The next line with something on it, in file->line; it is counted as a row. WEIR_NOTFOUND. */
int market__file_line(struct market__file *file, struct weir_error *reterr);
/* Whether the cells of the present line are those of the table: others at the end must be blank, missing ones nameless. */
bool market__file_fits(const struct market__file *file);
/* Takes what content says where options and load.conf are silent. */
void market__file_says(struct market__file *file, enum market__what what, struct weir_text value);
/* Notes a setting as missing unless it is said. */
void market__file_needs(struct market__file *file, enum market__what what);
/* Where neither options, load.conf nor content have spoken, the name does. */
void market__file_named(struct market__file *file);
/* market__file_named; then finds the feed by market and product; what is not known is noted as missing. MARKET_UNKNOWN_MARKET, _FEED. */
int market__file_settle(struct market__file *file, struct weir_error *reterr);
int market__file_refuse(const struct market__file *file, int code, struct weir_error *reterr, const char *format, ...)
    WEIR_PRINTF(4, 5);
int  market__file_no_memory(const struct market__file *file, struct weir_error *reterr);
bool market__head_has(const struct market__file *file, const char *word);

extern const struct market__form market__forms[];
extern const size_t              market__form_count;
/* forms of tables.c, documents.c, messages.c */
int    market__begin_eia(struct market__file *file, struct weir_error *reterr);
size_t market__parts_eia(const struct market__file *file);
int    market__fill_eia(struct market__file *file, size_t part, struct market__fields *ret);
int    market__begin_matrix(struct market__file *file, struct weir_error *reterr);
size_t market__parts_matrix(const struct market__file *file);
int    market__fill_matrix(struct market__file *file, size_t part, struct market__fields *ret);
int    market__begin_table(struct market__file *file, struct weir_error *reterr);
int    market__begin_nyiso(struct market__file *file, struct weir_error *reterr);
int    market__begin_miner(struct market__file *file, struct weir_error *reterr);
int    market__begin_isone(struct market__file *file, struct weir_error *reterr);
int    market__begin_aeso(struct market__file *file, struct weir_error *reterr);
size_t market__parts_one(const struct market__file *file);
int    market__fill_table(struct market__file *file, size_t part, struct market__fields *ret);
int    market__next_of_table(struct market__file *file, struct market__row *ret, struct weir_error *reterr);
int    market__begin_ticks(struct market__file *file, struct weir_error *reterr);
int    market__next_of_ticks(struct market__file *file, struct market__row *ret, struct weir_error *reterr);
bool   market__knows_document(const struct market__file *file);
int    market__begin_document(struct market__file *file, struct weir_error *reterr);
int    market__next_of_document(struct market__file *file, struct market__row *ret, struct weir_error *reterr);
bool   market__knows_bars(const struct market__file *file);
int    market__begin_bars(struct market__file *file, struct weir_error *reterr);
bool   market__knows_lean(const struct market__file *file);
int    market__begin_lean(struct market__file *file, struct weir_error *reterr);
int    market__next_of_lean(struct market__file *file, struct market__row *ret, struct weir_error *reterr);
bool   market__knows_binance(const struct market__file *file);
int    market__begin_binance(struct market__file *file, struct weir_error *reterr);
int    market__next_of_binance(struct market__file *file, struct market__row *ret, struct weir_error *reterr);
bool   market__knows_smp(const struct market__file *file);
int    market__begin_smp(struct market__file *file, struct weir_error *reterr);

/* ---- events (event.c) ---- */

/* A row as the raw event it is sent as. Lives until the next one of its writer. */
struct market__event {
    int64_t          time;     /* us */
    bool             timed;    /* false: the row says no time that can be read; time is that of the row before */
    bool             received; /* time is when the row was received: it says none of its own */
    bool             ordinal;  /* its number among its equals is still to be put at the end of value */
    uint64_t         row;
    uint32_t         part;
    struct market_id id; /* size 0 = none */
    struct weir_text value;
};

/* Which one of a repeated hour the rows of a file mean: asked for rows that are ambiguous. */
struct market__turns;

struct market__writer {
    struct market__file  *file;
    struct weir_text      tenant;
    struct market__turns *turns;
    bool                  learning; /* first pass: which hours repeat; events have no value */
    int64_t               time;     /* of the last row that had one */
    struct weir_json_out  json;
};
void market__writer_fini(struct market__writer *writer);
/* The next row of the file as an event. WEIR_NOTFOUND at the end. */
int market__event_next(struct market__writer *writer, struct market__event *ret, struct weir_error *reterr);
/* What distinguishes one load of the same bytes from another: tenant, market, product, settings. */
int market__context(const struct market__file *file, struct weir_text tenant, struct weir__buf *ret);

/* ---- repeated hours (turns.c) ---- */

struct market__turns *market__turns_new(void); /* NULL = out of memory */
void                  market__turns_free(struct market__turns *turns);
/* First pass: a row with an ambiguous label, and its place in the hour; then which way the file runs. */
int market__turns_learn(struct market__turns *turns, struct weir_text id, struct weir_text label, int64_t place);
/* First pass: a row whose label says that it is of the later hour, so that the label without it is the earlier one. */
int  market__turns_mark(struct market__turns *turns, struct weir_text id, int64_t place);
void market__turns_ready(struct market__turns *turns, bool backward);
void market__turns_rewind(struct market__turns *turns); /* before each reading of the file's rows */
/* Second pass: what to say of the next row with that label: "once", "earlier", "later". */
const char *market__turns_tell(struct market__turns *turns, struct weir_text id, struct weir_text label,
                               int64_t place);

/* ---- sorting (sort.c) ---- */

struct market__sorter;

/* Sorts what does not fit into memory bytes by way of an unlinked file in the folder temp. */
struct market__sorter *market__sorter_new(size_t memory, const char *temp);
void                   market__sorter_free(struct market__sorter *sorter);
int market__sorter_add(struct market__sorter *sorter, const struct market__event *event, struct weir_error *reterr);
int market__sorter_ready(struct market__sorter *sorter, struct weir_error *reterr);
/* In order of time, row, part. Lives until the next call. WEIR_NOTFOUND at the end. */
int market__sorter_next(struct market__sorter *sorter, struct market__event *ret, struct weir_error *reterr);

#endif
