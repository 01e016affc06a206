/* serving.h: what projection serves of aggregation's outputs: bars, curves, spreads, statistics. */
#ifndef TOPOLOGIES_SERVING_H
#define TOPOLOGIES_SERVING_H

#include "framework/http.h"
#include "topologies/topologies.h"

/* One sort of entries. In the verbs of nodes and endpoints the .arg. */
struct market_shelf {
    const struct weir_store        *store;  /* by market_key: what is served, the whole of it */
    const struct weir_node         *served; /* a record for each part of an entry, to be served by its version */
    const struct market_shelf_kind *kind;
    const struct weir_store        *drops; /* market_key to market_dropped */
};

/* What of an entry is served by itself: a horizon, a window. Its record is first. */
struct market_part {
    union {
        struct market_curve_snapshot snapshot;
        struct market_spread         spread;
        struct market_stats          stats;
    };
    int64_t time; /* of the event, us */
    bool    deleted;
};

/* What sorts differ in. An entry has one or several parts. */
struct market_shelf_kind {
    enum market_projection projection; /* which invalidations are meant */
    size_t                 record;     /* bytes of what comes */
    int64_t (*time)(const void *record);
    void (*stamp)(void *record, int64_t rebuild, bool deleted);
    size_t (*parts)(const void *entry);
    void (*part)(const void *entry, size_t n, struct market_part *ret);
    /* Whether something of it is there that is of that type; of what time. */
    bool (*has)(const void *entry, enum market_custom_type asked, int64_t *ret_time);
    bool (*withdrawn)(const void *entry); /* it says that there is nothing any more; NULL: none does */
    /* What is kept once a record has come; *ret NULL: it is not newer. *ret_n: the part that is new; ALL: each. */
    int (*enter)(struct weir_context *ctx, const void *entry, const void *record, const void **ret, size_t *ret_n);
    /* The entry under that rebuild, at least; deleted: all parts are. NULL = no memory. */
    const void *(*mark)(struct weir_context *ctx, const void *entry, int64_t rebuild, bool deleted);
};
enum { MARKET_ALL_PARTS = 1000 };
extern const struct market_shelf_kind market_shelf_curve[1], market_shelf_spread[1], market_shelf_stats[1];

/* A record has come. */
weir_process market_shelf_keep;
/* An invalidation has come: the entry of its key goes, or is served once more, where it is meant: then *hit is set. */
int market_shelf_invalidate(struct weir_context *ctx, const struct market_shelf *shelf, const struct weir_record *rec,
                            bool *hit);
/* The entry of a key once more, if there is one. */
int market_shelf_serve(struct weir_context *ctx, const struct market_shelf *shelf, const void *key);
/* Rows of a store that are served once more bit by bit: each so often, and where Redis has lost what it had. The .state of the node. */
struct market_again {
    uint64_t          losses; /* that were seen to */
    bool              at_work;
    struct market_key behind; /* which is done; its texts are in bytes; no tenant = from the first */
    char              bytes[MARKET_TENANT_MAX + MARKET_INSTRUMENT_MAX];
};
typedef int market_serve_row(struct weir_context *ctx, const struct weir_row *row);
/* Begins with all rows of a store, unless it is at that already; and, once a second, the next MARKET_AGAIN_MOST where that is due. */
enum { MARKET_AGAIN_MOST = 2000 };
int market_serve_rows(struct weir_context *ctx, const struct weir_store *store, market_serve_row *serve);
int market_serve_again(struct weir_context *ctx, const struct weir_store *store, market_serve_row *serve);

/* Serves all entries once more, every `refresh` (an option of the node) of wall time: so that none of them gets old where others
 * keep it. */
weir_open market_shelf_open;
/* How often projection was rebuilt before. */
static inline int64_t market_rebuild_of(struct weir_context *ctx) { return weir_epoch(ctx) - 1; }
/* Calls all as often as the node's option `refresh` says, 0 = never; again each second. */
int market_refresh_every(struct weir_context *ctx, weir_punctuate *all, weir_punctuate *again);

/* The two endpoints of them. .arg: see each. */
weir_answer market_answer_curve;  /* a struct market_shelf */
weir_answer market_answer_custom; /* a struct market_custom */
struct market_custom {
    const struct market_shelf *pairs, *bid_asks, *stats;
};

/* ---- bars (bars.c) ---- */

/* A bar has come: .arg is its store, by market_key; of others, by market_wide. */
weir_process market_bars_keep, market_bars_keep_other;
weir_answer  market_answer_bars; /* a struct market_bars_shelf */
enum { MARKET_BARS_USUAL = 4 };
struct market_bars_shelf {
    struct {
        const char              *name;
        const struct weir_store *store;
    } usual[MARKET_BARS_USUAL];
    const struct weir_store *others;
};

/* The key that a request is about; names: the parameters that it may have. */
int market_request_key(const struct weir_request *request, struct weir_reply *reply, const char *names,
                       struct market_key *ret);

#endif
