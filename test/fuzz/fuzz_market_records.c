/* fuzz_market_records.c: looks for bytes that a record's reader answers wrongly; the first byte chooses the record. From
 * the top of the tree:
 *   clang-14 -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -DLIBFUZZER -I. test/fuzz/fuzz_market_records.c \
 *       $(find framework/base framework/json framework/record -name '*.c') schemas/[a-z]*.c \
 *       -lxxhash -lm -lcrypto -lmsgpackc -o /tmp/fuzz && /tmp/fuzz -max_len=1000
 * Built without libFuzzer it takes the files it is given, as the fuzzer leaves them. */
#include <stdlib.h>

#include "test/fuzz/record_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

#ifndef LIBFUZZER
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct weir__buf  buf = { 0 };
        struct weir_error error;

        if (weir__read_file(argv[i], &buf, &error) < 0) {
            fprintf(stderr, "%s: %s\n", error.where, error.text);
            return EXIT_FAILURE;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)buf.data, buf.size);
        weir__buf_fini(&buf);
    }
    return EXIT_SUCCESS;
}
#endif
