/* topologies.h: the four topologies of the pipeline, and what they share. */
#ifndef TOPOLOGIES_H
#define TOPOLOGIES_H

#include "framework/declare.h"
#include "schemas/feeds/feeds.h"
#include "schemas/market.h"

extern const struct weir_topology normalization, enrichment, aggregation, projection;

/* Headers that records of the pipeline may bear; their values do not matter. */
#define MARKET_REPLAY_HEADER   "market-replay"   /* loaded or replayed: no bound ahead of the clock */
#define MARKET_BACKFILL_HEADER "market-backfill" /* taken whatever its age */
bool market_has_header(const struct weir_record *rec, const char *name);

/* Whose a record downstream of normalization is: its key says. */
weir_tenant market_tenant_of_key;

#endif
