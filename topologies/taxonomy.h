/* taxonomy.h: which commodity, region and tier an instrument belongs to, and how sure that is. */
#ifndef TOPOLOGIES_TAXONOMY_H
#define TOPOLOGIES_TAXONOMY_H

#include "topologies/topologies.h"

/* row: the instrument's reference data, NULL = none. Texts are constant, or the row's. */
struct market_taxonomy market_classify(const struct market_tick *tick, const struct market_instrument *row);

#endif
