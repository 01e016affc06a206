/* fuzz_market_records.c: looks for bytes that a record's reader answers wrongly; the first byte chooses the record. From
 * the top of the tree:
 *   clang-14 -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -I. test/fuzz/fuzz_market_records.c \
 *       $(find framework/base framework/json framework/record -name '*.c') schemas/[a-z]*.c \
 *       -lxxhash -lm -lcrypto -lmsgpackc -o /tmp/fuzz && /tmp/fuzz -max_len=1000
 * Built without libFuzzer it takes the files it is given, as the fuzzer leaves them. */
#include <stdlib.h>

#include "test/fuzz/fuzz.h"
#include "test/fuzz/record_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena arena;
    const char       *fault;
    bool              taken;

    if (size == 0)
        return 0;
    weir__arena_init(&arena, (size_t)8 << 20);
    fault =
        record_fault(&record_forms[data[0] % ARRAY_SIZE(record_forms)], &arena, BYTES(data + 1, size - 1), &taken);
    weir__arena_fini(&arena);
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        abort();
    }
    return 0;
}
