/* take_files.c: the main of a fuzzer that is built without libFuzzer: it takes the files it is given. */
#include <stdlib.h>

#include "framework/base/base.h"
#include "test/fuzz/fuzz.h"

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
