/* word_count.c: lines in; out, the count of each word they hold. */
#include <ctype.h>
#include <weir/engines.h>
#include <weir/main.h>

static int split(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *line = rec->value;
    int                     err = WEIR_OK;

    for (size_t at = 0, end; err == WEIR_OK && line != NULL && at < line->size; at = end + 1) {
        for (end = at; end < line->size && isalnum((unsigned char)line->data[end]);)
            end++;
        struct weir_text word = { line->data + at, end - at };
        err = word.size > 0 ? weir_forward(ctx, &word, &word) : WEIR_OK;
    }
    return err;
}
/* clang-format off */
SOURCE  (lines,   "lines", weir_string, weir_string);
FLAT_MAP(words,   split, .key = weir_string, .value = weir_string);
KEYS    (counts,  weir_string, weir_int64);
COUNT   (counted, counts);
SINK    (out,     "counts", weir_string, weir_int64);
TOPOLOGY(word_count, .paths = PATHS(PATH(lines, words, counted, out)));
/* clang-format on */
int main(int argc, char **argv)
{
    return weir_main(argc, argv, (const struct weir_topology *const[]){ &word_count, NULL }, weir_engines);
}
