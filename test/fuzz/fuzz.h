/* fuzz.h: what a fuzzer is: one function that takes any bytes and ends the process when they find a fault. */
#ifndef WEIR_TEST_FUZZ_H
#define WEIR_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's; take_files.c calls it where that is not linked. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
