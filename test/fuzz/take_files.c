/* take_files.c: the main of a fuzzer that is built without libFuzzer: it takes the files it is given, or what it makes of them.
 *     fuzz_X FILE...
 *     fuzz_X --made COUNT FILE...    each file, then COUNT inputs made of them, the same ones each time
 */
#include <stdlib.h>

#include "framework/base/base.h"
#include "test/fuzz/fuzz.h"

#define MOST 4096

static uint64_t state = 1;

/* splitmix64: below a bound. */
static size_t below(size_t bound)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (size_t)((z ^ (z >> 31)) % bound);
}

static void put_byte(struct weir__buf *made)
{
    static const char odd[] = "\0\r\n\t :=/%@\"\\{}[],.-+#&?\x7f\x80\xff\xc0\xf4";

    if (made->size > 0)
        made->data[below(made->size)] = below(2) ? odd[below(sizeof(odd))] : (char)below(256);
}

/* A piece of another one, or of itself, at the end; or the end cut off; or a piece taken out. */
static void splice(struct weir__buf *made, const struct weir__buf *other)
{
    size_t from = below(other->size + 1), size = below(other->size - from + 1);

    switch (below(3)) {
    case 0: weir__buf_add(made, other->data + from, MIN(size, MOST)); break;
    case 1: made->size = below(made->size + 1); break;
    default:
        from = below(made->size + 1);
        size = below(made->size - from + 1);
        if (size > 0)
            memmove(made->data + from, made->data + from + size, made->size - from - size);
        made->size -= size;
    }
}

static void make_one(const struct weir__buf *files, size_t count)
{
    AUTO(weir__buf_fini) struct weir__buf made = { 0 };
    const struct weir__buf               *file = &files[below(count)];

    weir__buf_add(&made, file->data, MIN(file->size, MOST));
    for (size_t changes = 1 + below(6); changes > 0; changes--) {
        put_byte(&made);
        if (below(3) == 0)
            splice(&made, &files[below(count)]);
    }
    LLVMFuzzerTestOneInput((const uint8_t *)made.data, made.size);
}

static int run(long wanted, char **paths, size_t count)
{
    struct weir__buf *files = weir__zalloc(sizeof(*files) * (count + 1));
    struct weir_error error = { 0 };

    for (size_t i = 0; files != NULL && i < count; i++) {
        if (weir__read_file(paths[i], &files[i], &error) < 0) {
            fprintf(stderr, "%s: %s\n", error.where, error.text);
            return EXIT_FAILURE;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)files[i].data, files[i].size);
    }
    for (; files != NULL && count > 0 && wanted > 0; wanted--)
        make_one(files, count);
    for (size_t i = 0; files != NULL && i < count; i++)
        weir__buf_fini(&files[i]);
    weir__free(files);
    return files != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    bool made = argc > 2 && strcmp(argv[1], "--made") == 0;
    int  first = made ? 3 : 1;

    return run(made ? strtol(argv[2], NULL, 10) : 0, argv + first, (size_t)(argc - first));
}
