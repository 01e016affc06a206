/* pipeline.c: the pipeline's own topologies. */
#include "test/scenario/flow.h"
#include "topologies/topologies.h"

FLOW(normalization);
FLOW(enrichment);
FLOW(aggregation);
FLOW(projection);
