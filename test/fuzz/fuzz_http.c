/* fuzz_http.c: request heads and targets of any bytes: read within their bounds, refused with a status and words, or taken
 * whole. From the top of the tree:
 *   clang-14 -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -I. test/fuzz/fuzz_http.c framework/http/head.c \
 *       framework/http/target.c $(find framework/base -name '*.c') -lxxhash -lm -o /tmp/fuzz_http && /tmp/fuzz_http -max_len=600
 * Built without libFuzzer it takes the files it is given, as the fuzzer leaves them. */
#include <stdlib.h>

#include "framework/http/internal.h"
#include "test/fuzz/fuzz.h"

static void expect(bool good)
{
    if (!good)
        abort();
}

static bool is_inside(struct weir_text part, const char *begin, size_t size)
{
    return part.size > 0 && part.data >= begin && part.data + part.size <= begin + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena   arena = { 0 };
    char               *text = weir__memdup(data, size); /* of exactly this size, for the sanitizer */
    const char         *words = NULL;
    struct weir__head   head;
    struct weir__target target;
    int                 status = weir__head_parse((struct weir_text){ text, size }, &head, &words);

    expect(status == WEIR_OK || (status >= 400 && status < 600 && words != NULL));
    if (status == WEIR_OK) {
        expect(is_inside(head.method, text, size) && is_inside(head.target, text, size) && head.body >= 0);
        status = weir__target_parse(head.target, &arena, &target, &words);
        expect(status == WEIR_OK || (status >= 400 && status < 600));
        expect(status != WEIR_OK || target.path[0] == '/');
    }
    weir__arena_fini(&arena);
    weir__free(text);
    return 0;
}
