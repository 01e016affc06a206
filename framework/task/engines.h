/* engines.h: what a process runs on; statestores fills it in. */
#ifndef WEIR_TASK_ENGINES_H
#define WEIR_TASK_ENGINES_H

#include "framework/log/log.h"
#include "framework/store/store.h"

struct weir_engines {
    const struct weir__engine     *state;  /* durable stores */
    const struct weir__engine     *memory; /* in-memory stores, and all stores where there is no folder */
    const struct weir__log_engine *embedded;
    const struct weir__log_engine *kafka; /* NULL: not built in */
};

#endif
