/* engines.c: the engines as one piece, for weir_main and the test driver. */
#include "statestores/engines.h"

#include "framework/kafka/kafka.h"
#include "framework/task/engines.h"
#include "statestores/statestores.h"

static const struct weir_engines all = { .state = &weir__rocksdb_engine,
                                         .memory = &weir__memory_engine,
                                         .embedded = &weir__embedded_engine,
                                         .kafka = &weir__kafka_engine };

const struct weir_engines *const weir_engines = &all;
