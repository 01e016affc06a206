/* fuzz_json.c: looks for texts that our JSON reader and jansson's take differently. From the top of the tree:
 *   clang-14 -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -DLIBFUZZER -I. test/fuzz/fuzz_json.c -ljansson \
 *       $(find framework/base framework/json -name '*.c') -lxxhash -lm -o /tmp/fuzz_json && /tmp/fuzz_json -max_len=400
 * Built without libFuzzer it takes the files it is given, as the fuzzer leaves them. */
#include "test/fuzz/json_difference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

#ifndef LIBFUZZER
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct weir__buf  buf = { 0 };
        struct weir_error err;

        if (weir__read_file(argv[i], &buf, &err) < 0) {
            fprintf(stderr, "%s: %s\n", err.where, err.text);
            return EXIT_FAILURE;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)buf.data, buf.size);
        weir__buf_fini(&buf);
    }
    return EXIT_SUCCESS;
}
#endif
