/* statestores.h: the engines of this folder, for engines.c and for tests. */
#ifndef WEIR_STATESTORES_H
#define WEIR_STATESTORES_H

#include "framework/log/log.h"
#include "framework/store/store.h"

extern const struct weir__engine weir__rocksdb_engine, weir__memory_engine;
/* For the embedded log: RocksDB with a write-ahead log, synced at each write; and a reader beside a writing process. */
extern const struct weir__engine     weir__rocksdb_log_engine, weir__rocksdb_reader_engine;
extern const struct weir__log_engine weir__embedded_engine;

#endif
