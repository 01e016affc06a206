/* load.h: published market files as raw events: what the command `load` sends.
 *
 * (1) A file's kind is told by its content. What it does not say comes from the tokens of its name, from load.conf
 *     beside it, or from options, later ones winning over earlier ones; nothing is guessed. What is then unknown
 *     refuses the whole file, with the list of what is missing.
 * (2) Every row is one raw event per instrument, text verbatim. A row that cannot be read is an event too:
 *     normalization refuses it by name. Events depend on content, name and options only: no clock, nothing random.
 * (3) Events of one call come in order of event time over all its files, then of file, then of row. A file in order is
 *     streamed; one that is not is sorted in at most options.memory bytes, the rest in an unlinked file of options.temp.
 * (4) Each file is read twice: once to learn its order, its length and its hash, once to send it.
 */
#ifndef MARKET_LOAD_H
#define MARKET_LOAD_H

#include "framework/record/record.h"
#include "schemas/feeds/feeds.h"

#define MARKET_LOAD_PROGRESS_TOPIC "ingestion.load.progress.v1"
#define MARKET_LOAD_CONF           "load.conf"

/* On every loaded record: no bound ahead of the clock, and what is too late goes as backfill. On those of `load --backfill`:
 * all goes as backfill, accepted whatever its age. Both hold the call's number, which is made of its files: one that was killed
 * goes on under its number when it is repeated; with --again each call has another. */
#define MARKET_HEADER_REPLAY   "market.replay"
#define MARKET_HEADER_BACKFILL "market.backfill"

struct market_load_options {
    const char *tenant; /* NULL = "default" */
    /* NULL = from the file, its name, load.conf. */
    const char *market, *product, *day, *instrument, *zone, *scale;
    bool        again;    /* whatever was loaded before */
    bool        backfill; /* sets the header */
    size_t      memory;   /* for sorting, all files together; 0 = 64 MiB */
    const char *temp;     /* folder for what does not fit; NULL = TMPDIR, else /tmp */
    /* Told now and then how many bytes on disk of all files are read, in both passes together. May be NULL. */
    void (*progress)(void *arg, int64_t done, int64_t total);
    void *arg;
};

/* One raw event. All is borrowed until the next call. */
struct market_raw {
    const char               *topic;
    struct weir_bytes         key; /* instrument id, a component's is its price's; size 0 where the row gives none */
    struct weir_bytes         value; /* JSON */
    const struct weir_header *headers;
    size_t                    header_count;
    int64_t                   event_time; /* us; of a row without one that of the row before it */
    int64_t                   timestamp;  /* ms */
    size_t                    file;       /* number in the call */
    uint64_t                  row;        /* number in the file, from 1 */
};

struct market_load;

/* Copies what it needs of options. WEIR_NO_MEMORY, MARKET_BAD_NAME (tenant). */
int  market_load_new(const struct market_load_options *options, struct market_load **ret, struct weir_error *reterr);
void market_load_free(struct market_load *load); /* NULL is fine */

/* Before open, also where all is sent again: a record of the progress topic, as read. Unreadable ones are WEIR_UNREADABLE. */
int market_load_known(struct market_load *load, struct weir_bytes value);

/* Reads all files once. Files that are refused, or cannot be read, are left out of what follows: their number is in
 * *ret_refused, their words in market_load_file. WEIR_NO_MEMORY. */
int market_load_open(struct market_load *load, const char *const *paths, size_t count, size_t *ret_refused,
                     struct weir_error *reterr);

/* The next event. WEIR_NOTFOUND: that was all. WEIR_IO, WEIR_NO_MEMORY. */
int market_load_next(struct market_load *load, struct market_raw *ret, struct weir_error *reterr);

struct market_load_file {
    const char              *path, *kind, *market, *data_type;
    uint64_t                 rows;    /* in the file */
    uint64_t                 events;  /* to be sent by this call */
    uint64_t                 sent;    /* of them, so far */
    uint64_t                 before;  /* events that earlier calls sent */
    bool                     ordered; /* false = sorted */
    bool                     refused;
    const struct weir_error *refusal; /* where refused; its code is of reasons.h */
};
/* n < count of open. */
void market_load_file(const struct market_load *load, size_t n, struct market_load_file *ret);

/* The record of the progress topic that stands for what was handed out of a file so far: to be committed with those
 * events. Added to ret_key and ret_value. WEIR_NO_MEMORY. */
int market_load_progress(const struct market_load *load, size_t n, struct weir__buf *ret_key,
                         struct weir__buf *ret_value);

#endif
