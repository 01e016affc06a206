/* differences.h: what a topic of reference rows holds, and what has to be written so that it holds other ones.
 *
 * (1) Rows are compared by their content: their record without its version. What is the same is not written.
 * (2) A row whose truth says no version has 1 when it is new, and one more with each change.
 * (3) What is held is what the topic holds once all that was given to the caller to write is there.
 */
#ifndef TOPOLOGIES_DIFFERENCES_H
#define TOPOLOGIES_DIFFERENCES_H

#include "framework/base/base.h"
#include "schemas/feeds/reference.h"

/* A row as its truth says it. */
struct market_row {
    struct weir_bytes key, content;
    int64_t           version; /* 0 = it says none */
};
/* The bytes of a record as content, in the arena; the record's version is 0 afterwards. WEIR_LIMIT, WEIR_NO_MEMORY. */
int market_content_bytes(const struct market_reference_kind *kind, struct weir_arena *arena, void *record,
                         struct weir_bytes *ret);

struct market_held;
int    market_held_new(const struct market_reference_kind *kind, struct market_held **ret); /* WEIR_NO_MEMORY */
void   market_held_free(struct market_held *held);
size_t market_held_count(const struct market_held *held);
/* A record of the topic; value NULL deletes. One that cannot be read differs from every row. WEIR_NO_MEMORY. */
int market_held_take(struct market_held *held, struct weir_bytes key, struct weir_bytes value);

/* A comparison: begin, each row of the truth, then what vanished until there is no more. */
enum market_difference { MARKET_AS_IT_IS, MARKET_ADDED, MARKET_CHANGED };
void market_held_begin(struct market_held *held);
/* What the row is; *ret: what is to be written of it, in the arena. WEIR_NO_MEMORY, WEIR_LIMIT. */
int market_held_differ(struct market_held *held, struct weir_arena *arena, const struct market_row *row,
                       struct weir_bytes *ret);
/* The row of this key stays as it is, though its truth cannot be read. */
void market_held_keep(struct market_held *held, struct weir_bytes key);
/* The next key that the truth has not; false: no more. In the arena. WEIR_LIMIT. */
int market_held_vanished(struct market_held *held, struct weir_arena *arena, struct weir_bytes *ret_key);

#endif
