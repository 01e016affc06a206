/* word_count.c: counts words: lines in, one count per word out. */
#include <ctype.h>
#include <weir/declare.h>
#include <weir/engines.h>
#include <weir/main.h>

/* A line becomes its words; each word is key and value. */
static int split(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *line = rec->value;

    for (size_t at = 0, end; line != NULL && at < line->size; at = end + 1) {
        for (end = at; end < line->size && isalnum((unsigned char)line->data[end]);)
            end++;
        struct weir_text word = { line->data + at, end - at };
        int              err = word.size > 0 ? weir_forward(ctx, &word, &word) : WEIR_OK;
        if (err < 0)
            return err;
    }
    return WEIR_OK;
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
