/* cmd_diff.c: `diff A B`: the converged bars of two runs.
 *
 * (1) What depends on how a run went is not compared: revisions, open updates, flags judged from state; nor flags of
 *     bars that say none: a plain computation has none.
 */
#include "topologies/converged.h"

enum { SHOWN_MOST = 20 };

/* ---- comparing ---- */

static void show(size_t *shown, struct weir_bytes name, const char *what, const char *where)
{
    if ((*shown)++ < SHOWN_MOST)
        printf("%.*s: %s%s\n", (int)name.size, (const char *)name.data, what, where);
}

/* Whether the runs are equal. */
static bool compare(const struct market_run *a, const struct market_run *b)
{
    const uint32_t         judged = a->unflagged || b->unflagged ? 0 : ~(uint32_t)MARKET_FLAGS_FROM_STATE;
    size_t                 shown = 0, position = 0, only_a = 0, only_b = 0, differ = 0;
    struct weir__map_slot *slot;

    while ((slot = weir__map_next(&a->bars, &position)) != NULL) {
        const struct market_bar *other = weir__map_get(&b->bars, slot->key);
        const char              *what = other != NULL ? market_bar_difference(slot->value, other, judged) : NULL;

        only_a += other == NULL;
        differ += what != NULL;
        if (other == NULL)
            show(&shown, slot->key, "only in ", a->path);
        else if (what != NULL)
            show(&shown, slot->key, what, " differs");
    }
    position = 0;
    while ((slot = weir__map_next(&b->bars, &position)) != NULL)
        if (weir__map_get(&a->bars, slot->key) == NULL) {
            only_b++;
            show(&shown, slot->key, "only in ", b->path);
        }
    if (shown > SHOWN_MOST)
        printf("... and %zu more\n", shown - SHOWN_MOST);
    printf("%zu bars in %s, %zu in %s: %zu equal, %zu differ, %zu only in the first, %zu only in the second\n",
           a->bars.count, a->path, b->bars.count, b->path, a->bars.count - only_a - differ, differ, only_a, only_b);
    return shown == 0;
}

/* ---- the command ---- */

static int run_diff(struct weir__program *program, const struct weir__args *args)
{
    struct market_run runs[2] = { 0 };
    struct weir_error words = { 0 };
    int               err = WEIR_OK, code;

    if (args->word_count != 2)
        err = weir__fail(&words, WEIR_BAD_ARGUMENT, "command line",
                         "name two runs: folders, files of bars, or brokers as HOST:PORT");
    for (size_t i = 0; err == WEIR_OK && i < 2; i++) {
        runs[i].path = args->words[i];
        err = market_run_read(&runs[i], program, &words);
    }
    if (err < 0) {
        (void)weir__report(&words);
        code = WEIR__EXIT_USAGE;
    } else {
        code = compare(&runs[0], &runs[1]) ? WEIR__EXIT_OK : WEIR__EXIT_FAILED;
    }
    market_run_fini(&runs[0]);
    market_run_fini(&runs[1]);
    return code;
}

static const struct weir__flag flags[] = { { .name = NULL } };
const struct weir__command     market_command_diff = {
        .name = "diff",
        .usage = "diff A B",
        .meaning =
            "Compares the converged bars of two folders, files or clusters (HOST:PORT): exit 0 equal, 1 different, 2 error.",
        .flags = flags,
        .run = run_diff,
};
