/* generating.h: made-up raw events into Kafka or a folder, one after the other. */
#ifndef TOPOLOGIES_GENERATING_H
#define TOPOLOGIES_GENERATING_H

#include "topologies/commands.h"
#include "topologies/sample.h"

struct market_generating {
    struct market_sample_plan plan;    /* seed, instruments, shares, start */
    int64_t                   rate;    /* rows a second; 0 = as fast as the log takes them */
    int64_t                   spacing; /* us between rows where there is no rate */
    int64_t                   rows;    /* 0 = until a signal */
    bool                      dry;
};
struct market_generated {
    int64_t              rows, us;
    uint64_t             events;
    struct market_sample counts; /* without rows */
};
/* args: --dir, or Kafka as set. all: gets every row, for the bars; NULL = nobody wants them. Codes of the log, WEIR_NO_MEMORY. */
int market_generate(const struct weir__program *program, const struct weir__args *args,
                    const struct market_generating *asked, struct market_sample *all, struct market_generated *ret,
                    struct weir_error *reterr);

#endif
