/* fuzz_json.c: looks for texts that our JSON reader and jansson's take differently. From the top of the tree:
 *   clang-14 -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -I. test/fuzz/fuzz_json.c -ljansson \
 *       $(find framework/base framework/json -name '*.c') -lxxhash -lm -o /tmp/fuzz_json && /tmp/fuzz_json -max_len=400
 * Built without libFuzzer it takes the files it is given, as the fuzzer leaves them. */
#include "test/fuzz/fuzz.h"
#include "test/fuzz/json_difference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        said[512];
    const char *difference = json_difference((const char *)data, size, said);

    if (difference) {
        fprintf(stderr, "%s\n%.*s\n", difference, (int)size, (const char *)data);
        abort();
    }
    return 0;
}
