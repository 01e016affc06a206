/* faulty.h: store engines whose n-th call fails. */
#ifndef WEIR_TEST_FAULTY_H
#define WEIR_TEST_FAULTY_H

#include "framework/task/engines.h"

/* In memory, or on RocksDB (stores that live in memory then do not fail). */
const struct weir_engines *faulty_in_memory(void);
const struct weir_engines *faulty_on_rocksdb(void);

/* From now on the n-th call fails (0 = none). Returns what was left of the last order: 0 when it was carried out. */
uint64_t faulty_order(uint64_t n);

#endif
