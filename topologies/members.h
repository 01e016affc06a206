/* members.h: windows in which the bars of several instruments meet: of the legs of a pair, of the members of a curve. */
#ifndef TOPOLOGIES_MEMBERS_H
#define TOPOLOGIES_MEMBERS_H

#include "topologies/topologies.h"

/* ---- definitions (definitions.c) ---- */

/* Verbs of the global tables: a row for each definition, and for each instrument the ids that it is a member of. The node's .into
 * is their store, its .arg a struct market_defining. */
struct market_defining {
    const struct weir_store *store;
    bool                     curves; /* else pairs */
};
weir_process market_define;

/* A definition at work. */
struct market_meeting {
    struct market_key          key;
    const struct market_pair  *pair;  /* or */
    const struct market_curve *curve; /* the other is NULL */
    struct weir_text           interval;
    int64_t                    max_age; /* ms */
    size_t                     count;   /* of members */
};
/* WEIR_NOTFOUND: there is none of that id, or it is not active. */
int              market_meeting_of(struct weir_context *ctx, const struct weir_node *global, bool curves,
                                   const struct market_key *key, struct market_meeting *ret);
struct weir_text market_meeting_member(const struct market_meeting *meeting, size_t n);

/* ---- windows (members.c) ---- */

/* A member's bar as a window sees it. */
struct market_found {
    struct market_member_bar bar;
    int64_t                  start; /* ms */
    bool                     given;
};

/* What a window comes to. */
struct market_outcome {
    const void *value; /* of the board's codec, state, epoch and revision 0 */
    bool        none;  /* it comes to nothing: value says so of a window that something was told of */
    const char *why;   /* none: for what it is counted; NULL: it was refused */
    int64_t     epoch; /* unless none */
};

struct market_board;
/* found: one for each member, in the definition's order. */
typedef int market_make(struct weir_context *ctx, const struct market_meeting *meeting, const struct weir_span *span,
                        const struct market_found *found, struct market_outcome *ret);
/* Sends it on, under state, epoch and revision. */
typedef int market_tell(struct weir_context *ctx, const struct market_meeting *meeting, const struct weir_span *span,
                        const void *value, enum market_bar_state state, int64_t epoch, int64_t revision);

struct market_board {
    const struct weir_node  *global;
    bool                     curves;
    const struct weir_store *bars;  /* market_member_key to market_member_bar: the last bar of each member's window */
    const struct weir_store *told;  /* market_member_key without member to market_told */
    const struct weir_store *drops; /* market_key to market_dropped */
    const struct weir_store *opens; /* windows that are to close; market_key to weir_int64, nothing of use */
    const struct weir_store *after; /* a member's bars that came behind others' */
    const struct weir_codec *codec; /* of what it comes to */
    market_make             *make;
    market_tell             *tell;
};

/* A member's bar has come to the definition of the record's key. */
int market_board_take(struct weir_context *ctx, const struct market_board *board, const struct weir_record *rec);
/* A window of opens or after has closed. */
int market_board_closed(struct weir_context *ctx, const struct market_board *board, const struct weir_store *store,
                        const struct weir_row *row);
/* Deletes what nobody has touched for long and no window will look at. */
int market_board_sweep(struct weir_context *ctx, const struct market_board *board);

/* ---- what both say of their members (members.c) ---- */

/* Currency and unit of all, which must agree; what is not known agrees with all. unit: the definition's own, or NULL. Epoch and
 * flags of all. 1; 0: they do not, and the window is refused by name. */
struct market_agreement {
    struct weir_text currency, unit;
    int64_t          epoch;
    uint32_t         flags;
    bool             stale;
};
int market_agree(struct weir_context *ctx, const struct market_meeting *meeting, int64_t start,
                 const struct market_found *found, struct weir_text unit, struct market_agreement *ret);

/* spreads.c, curves.c */
market_make market_make_spread, market_make_curve;

#endif
