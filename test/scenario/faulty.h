/* faulty.h: a store engine in memory whose n-th call fails. */
#ifndef WEIR_TEST_FAULTY_H
#define WEIR_TEST_FAULTY_H

#include "framework/task/engines.h"

extern const struct weir_engines faulty_engines[1];

/* From now on the n-th call fails (0 = none). Returns what was left of the last order: 0 when it was carried out. */
uint64_t faulty_order(uint64_t n);

#endif
