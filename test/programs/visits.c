/* visits.c: two topics of the same keys in one task, with a state of each: a visit meets the table's name for its key, and visits of a
 * key are counted. Each one says so, and takes VISIT_MS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weir/engines.h>
#include <weir/main.h>

static int say(struct weir_context *ctx, const struct weir_record *rec)
{
    const char     *text = getenv("VISIT_MS");
    long            ms = text != NULL ? atol(text) : 0;
    struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    (void)ctx, (void)rec;
    fputs("visit\n", stderr);
    nanosleep(&wait, NULL);
    return WEIR_OK;
}

/* "visit/name" */
static int name(struct weir_context *ctx, const void *key, const void *left, const void *right, void *ret)
{
    const struct weir_text *visit = left, *town = right;
    char                   *data = weir_alloc(ctx, visit->size + 1 + town->size);

    (void)key;
    if (data == NULL)
        return WEIR_LIMIT;
    memcpy(data, visit->data, visit->size);
    data[visit->size] = '/';
    memcpy(data + visit->size + 1, town->data, town->size);
    *(struct weir_text *)ret = (struct weir_text){ .data = data, .size = visit->size + 1 + town->size };
    return WEIR_OK;
}

KEYS(towns_s, weir_string, weir_string);
TABLE(towns, "towns", towns_s);
SOURCE(visits, "visits", weir_string, weir_string);
PEEK(said, say);
JOIN(named, INNER, towns, name, weir_string);
SINK(out, "named", weir_string, weir_string);
KEYS(counts, weir_string, weir_int64);
COUNT(counted, counts);
SINK(sums, "sums", weir_string, weir_int64);
static TOPOLOGY(visiting, .paths = PATHS(PATH(towns), PATH(visits, said, named, out), PATH(named, counted, sums)));

int main(int argc, char **argv)
{
    return weir_main(argc, argv, (const struct weir_topology *const[]){ &visiting, NULL }, weir_engines);
}
