/* fuzz_market_raw.c: looks for bytes that a raw event's reader answers wrongly. From the top of the tree:
 *   clang-14 -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -DLIBFUZZER -I. test/fuzz/fuzz_market_raw.c \
 *       $(find framework/base framework/json framework/record schemas -name '*.c') \
 *       framework/runtime/lines.c -lxxhash -lz -lm -lcrypto -lmsgpackc -o /tmp/fuzz && /tmp/fuzz -max_len=2000
 * Built without libFuzzer it takes the files it is given, as the fuzzer leaves them. */
#include <stdlib.h>

#include "test/fuzz/market_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *fault = raw_event_fault(data, size);

    if (fault) {
        fprintf(stderr, "%s\n%.*s\n", fault, (int)size, (const char *)data);
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
