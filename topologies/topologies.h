/* topologies.h: the four topologies of the pipeline, and what they share. */
#ifndef TOPOLOGIES_H
#define TOPOLOGIES_H

#include "framework/declare.h"
#include "framework/settings.h"
#include "schemas/feeds/load.h"
#include "schemas/market.h"

extern const struct weir_topology normalization, enrichment, aggregation, projection;

#define MARKET_INVALIDATION_TOPIC "projection.invalidate.instrument.v1" /* of market_invalidation */

extern const struct weir_setting market_settings[]; /* settings.c: of the program */

extern const struct weir__command market_command_schemas; /* cmd_schemas.c */

/* Refuses a record without key or value: on our own topics each has both. */
int market_reject_null(struct weir_context *ctx, const struct weir_record *rec);

/* Sends a record on as it is: a node that says its type, behind one that sends several. */
weir_process market_pass;

/* The number of the call of load that brought a record, and of the backfill that it is of; 0 = of none. */
int64_t market_load_of(const struct weir_record *rec);
int64_t market_backfill_of(const struct weir_record *rec);

/* Whether an entry of that event time, which came then (us), is what an invalidation asks for. Nothing that came after it was asked
 * for is: read once more, after a rebuild, it undoes nothing. */
bool market_is_meant(struct weir_context *ctx, const struct market_invalidation *asked, int64_t event_time,
                     int64_t came);

/* Whose a record downstream of normalization is: its key says. */
weir_tenant market_tenant_of_key;

/* Counts a record out, and notes it of its key: store is market_key to market_dropped. time: of the event, us. Codes of stores. */
int market_drop(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                const char *reason, int64_t time);
int market_drop_many(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                     const char *reason, int64_t time, int64_t count);

/* ---- what is known of a tick ---- */

/* SAME: the same content. SUPERSEDED: another one, and a greater one is known. OTHERWISE: another one. */
enum market_known { MARKET_NEW, MARKET_SAME, MARKET_SUPERSEDED, MARKET_OTHERWISE };

/* ---- contents (contents.c): a value of weir_blob that holds the greatest content of each of some ticks ---- */

/* *ret: what is to be kept from now on, in the record's memory; contents itself where nothing changes. enum market_known;
 * WEIR_UNREADABLE, WEIR_LIMIT. */
int market_contents_enter(struct weir_context *ctx, struct weir_text contents, const struct market_order *order,
                          const struct market_content *content, struct weir_text *ret);

/* ---- marks (marks.c): a value of weir_blob that remembers ticks whose first content counts ---- */

enum { MARKET_MARK_BYTES = 12 };

void market_mark(const struct market_order *order, const struct market_content *content, char ret[MARKET_MARK_BYTES]);
enum market_known market_mark_find(struct weir_text marks, const char mark[MARKET_MARK_BYTES]);
/* Behind the last most - 1 of marks, in the record's memory. WEIR_LIMIT. */
int market_mark_add(struct weir_context *ctx, struct weir_text marks, const char mark[MARKET_MARK_BYTES], size_t most,
                    struct weir_text *ret);

#endif
