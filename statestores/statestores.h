/* statestores.h: the engines of this folder, for engines.c and for tests. */
#ifndef WEIR_STATESTORES_H
#define WEIR_STATESTORES_H

#include "framework/log/log.h"
#include "framework/store/store.h"

extern const struct weir__engine weir__rocksdb_engine, weir__memory_engine;
/* For the embedded log: RocksDB with a write-ahead log, synced at each write; and a reader beside a writing process. */
extern const struct weir__engine     weir__rocksdb_log_engine, weir__rocksdb_reader_engine;
extern const struct weir__log_engine weir__embedded_engine;
/* Of an embedded log: markers that are on their way to a partition land; topic NULL: those of committed offsets; partition
 * below 0: all there are. */
void weir__embedded_land(struct weir__log *log, struct weir__tp tp);

/* A log's folder (rocksdb_folder.c): are the database's files there, and as they were left? WEIR_CORRUPT names one that is
 * not. Leave: the database is closed. Enter: it will be written to. */
int  weir__rocksdb_folder_check(const char *dir, struct weir_error *reterr);
int  weir__rocksdb_folder_enter(const char *dir, struct weir_error *reterr);
void weir__rocksdb_folder_leave(const char *dir);

#endif
