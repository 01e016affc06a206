/* tables.h: all tables of reference data in one snapshot. */
#ifndef MARKET_POSTGRES_TABLES_H
#define MARKET_POSTGRES_TABLES_H

#include "topologies/postgres/link.h"
#include "topologies/postgres/postgres.h"

/* Codes of postgres_ask; WEIR_NO_MEMORY. */
int postgres_read_tables(struct postgres_link *link, struct market_snapshot **ret, struct weir_error *reterr);

#endif
