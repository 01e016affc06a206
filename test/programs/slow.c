/* slow.c: a verb that says so and takes SLOW_MS, for tests of the stop. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <weir/engines.h>
#include <weir/main.h>

static int doze(struct weir_context *ctx, const struct weir_record *rec)
{
    long            ms = atol(getenv("SLOW_MS"));
    struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    fputs("dozing\n", stderr);
    nanosleep(&wait, NULL);
    return weir_forward_record(ctx, rec);
}

SOURCE(in, "in", weir_string, weir_string);
STEP(slow, doze);
SINK(out, "out", weir_string, weir_string);
static TOPOLOGY(dozing, .paths = PATHS(PATH(in, slow, out)));

int main(int argc, char **argv)
{
    return weir_main(argc, argv, (const struct weir_topology *const[]){ &dozing, NULL }, weir_engines);
}
