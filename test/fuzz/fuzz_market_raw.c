/* fuzz_market_raw.c: looks for bytes that a raw event's reader answers wrongly. From the top of the tree:
 *   clang-14 -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -I. test/fuzz/fuzz_market_raw.c \
 *       $(find framework/base framework/json framework/record schemas -name '*.c') \
 *       framework/runtime/lines.c -lxxhash -lz -lm -lcrypto -lmsgpackc -o /tmp/fuzz && /tmp/fuzz -max_len=2000
 * Built without libFuzzer it takes the files it is given, as the fuzzer leaves them. */
#include <stdlib.h>

#include "test/fuzz/fuzz.h"
#include "test/fuzz/market_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *fault = raw_event_fault(data, size);

    if (fault) {
        fprintf(stderr, "%s\n%.*s\n", fault, (int)size, (const char *)data);
        abort();
    }
    return 0;
}
