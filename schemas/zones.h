/* zones.h: a zone from the bytes of a file, for tests and fuzzers; everybody else asks market_zone_get. */
#ifndef MARKET_ZONES_H
#define MARKET_ZONES_H

#include "schemas/times.h"

/* WEIR_CORRUPT, WEIR_NO_MEMORY. */
int  market_zone_parse(const char *name, struct weir_bytes file, struct market_zone **ret, struct weir_error *reterr);
void market_zone_free(struct market_zone *zone);

#endif
