/* cmd_diff.c: `diff A B`: the converged records of two runs: bars, statistics, spreads, curves.
 *
 * (1) What depends on how a run went is not compared: revisions, states, open updates, flags judged from state; nor what bars of
 *     a file do not say: a plain computation has no flags.
 * (2) Without --of, a kind that one of the two has no topic or line of is left out by name, unless that one has nothing at all.
 */
#include "topologies/converged.h"

enum { SHOWN_MOST = 20 };
enum { ALL = (1u << MARKET_RUN_KINDS) - 1 };

struct comparing {
    struct market_run        a, b;
    enum market_outcome_kind kind; /* at work, and what is said of it: */
    size_t                   shown, only_a, only_b, differ;
    bool                     some, unequal; /* of any kind */
    struct weir_arena        scratch;       /* of the two records that are compared */
};

/* ---- comparing ---- */

static void show(struct comparing *comparing, struct weir_bytes name, const char *what, const char *where)
{
    if (comparing->shown++ < SHOWN_MOST)
        printf("%.*s: %s%s\n", (int)name.size, (const char *)name.data, what, where);
}

/* Fields that are not compared: the last of them may be missing in files. */
static const char *const *left_out(const struct comparing *comparing)
{
    static const char *const uncounted[] = { "state", "epoch", "revision", "flagged_count", NULL };

    return comparing->kind == MARKET_RUN_BARS && (comparing->a.uncounted || comparing->b.uncounted)
               ? uncounted
               : market_converged[comparing->kind].how;
}

static int differ(struct comparing *comparing, const struct market_kept *kept, const struct market_kept *other,
                  const char **ret, struct weir_error *reterr)
{
    const struct market_converged *kind = &market_converged[comparing->kind];
    const bool  unflagged = kind->codec == market_bar && (comparing->a.unflagged || comparing->b.unflagged);
    const void *a, *b;
    int         err;

    weir__arena_reset(&comparing->scratch);
    err = market_kept_read(kept, comparing->kind, &comparing->scratch, &a, reterr);
    if (err == WEIR_OK)
        err = market_kept_read(other, comparing->kind, &comparing->scratch, &b, reterr);
    if (err == WEIR_OK)
        *ret = market_difference(kind->codec, a, b, left_out(comparing), unflagged ? 0 : kind->judged);
    return err;
}

static int compare_one(struct comparing *comparing, const struct weir__map_slot *slot, struct weir_error *reterr)
{
    const struct market_kept *other = weir__map_get(&comparing->b.of[comparing->kind], slot->key);
    const char               *field = NULL;
    int                       err = other != NULL ? differ(comparing, slot->value, other, &field, reterr) : WEIR_OK;

    comparing->only_a += other == NULL;
    comparing->differ += field != NULL;
    if (other == NULL)
        show(comparing, slot->key, "only in ", comparing->a.path);
    else if (field != NULL)
        show(comparing, slot->key, field, " differs");
    return err;
}

static void sum_up(const struct comparing *comparing)
{
    const struct market_run *a = &comparing->a, *b = &comparing->b;
    const size_t             count = a->of[comparing->kind].count;

    if (comparing->shown > SHOWN_MOST)
        printf("... and %zu more\n", comparing->shown - SHOWN_MOST);
    printf("%zu %s in %s, %zu in %s: %zu equal, %zu differ, %zu only in the first, %zu only in the second\n", count,
           market_converged[comparing->kind].words, a->path, b->of[comparing->kind].count, b->path,
           count - comparing->only_a - comparing->differ, comparing->differ, comparing->only_a, comparing->only_b);
}

/* A kind that neither has a record of needs no line. */
static int compare_kind(struct comparing *comparing, enum market_outcome_kind kind, struct weir_error *reterr)
{
    const struct weir__map *a = &comparing->a.of[kind], *b = &comparing->b.of[kind];
    struct weir__map_slot  *slot;
    int                     err = WEIR_OK;

    if (a->count + b->count == 0)
        return WEIR_OK;
    comparing->kind = kind;
    comparing->shown = comparing->only_a = comparing->only_b = comparing->differ = 0;
    for (size_t position = 0; err == WEIR_OK && (slot = weir__map_next(a, &position)) != NULL;)
        err = compare_one(comparing, slot, reterr);
    for (size_t position = 0; err == WEIR_OK && (slot = weir__map_next(b, &position)) != NULL;)
        if (weir__map_get(a, slot->key) == NULL) {
            comparing->only_b++;
            show(comparing, slot->key, "only in ", comparing->b.path);
        }
    if (err == WEIR_OK)
        sum_up(comparing);
    comparing->some = true;
    comparing->unequal = comparing->unequal || comparing->shown > 0;
    return err;
}

/* Those that both have; what has nothing at all lacks everything. */
static unsigned shared_kinds(const struct comparing *comparing)
{
    const unsigned a = comparing->a.said, b = comparing->b.said;

    return a == 0 || b == 0 ? a | b : a & b;
}

static void say_left_out(unsigned kinds)
{
    const char *before = "not compared, as only one of the two has any: ";

    for (size_t i = 0; i < MARKET_RUN_KINDS; i++)
        if (kinds & 1u << i) {
            printf("%s%s", before, market_converged[i].words);
            before = ", ";
        }
    if (kinds != 0)
        putchar('\n');
}

static int compare(struct comparing *comparing, bool chosen, struct weir_error *reterr)
{
    const unsigned said = comparing->a.said | comparing->b.said;
    const unsigned kinds = chosen ? said : shared_kinds(comparing);
    int            err = WEIR_OK;

    say_left_out(said & ~kinds);
    for (size_t i = 0; err == WEIR_OK && i < MARKET_RUN_KINDS; i++)
        if (kinds & 1u << i)
            err = compare_kind(comparing, i, reterr);
    if (err == WEIR_OK && !comparing->some)
        err = weir__fail(reterr, WEIR_NOTFOUND, "diff", "neither %s nor %s has a record to compare",
                         comparing->a.path, comparing->b.path);
    return err;
}

/* ---- the command ---- */

static int read_kind(const char *name, size_t size, unsigned *ret, struct weir_error *reterr)
{
    const char *names[MARKET_RUN_KINDS], *near;
    char        word[32];

    snprintf(word, sizeof(word), "%.*s", (int)size, name);
    for (size_t i = 0; i < MARKET_RUN_KINDS; i++) {
        names[i] = market_converged[i].name;
        if (strcmp(names[i], word) == 0) {
            *ret |= 1u << i;
            return WEIR_OK;
        }
    }
    near = weir__suggest(word, names, MARKET_RUN_KINDS);
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--of", "\"%s\" is none of bars, stats, spreads, curves%s%s%s", word,
                      near != NULL ? ": did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* "bars,stats"; NULL: all. */
static int read_kinds(const char *text, unsigned *ret, struct weir_error *reterr)
{
    int err = WEIR_OK;

    *ret = text == NULL ? ALL : 0;
    while (err == WEIR_OK && text != NULL) {
        size_t size = strcspn(text, ",");

        err = read_kind(text, size, ret, reterr);
        text = text[size] == ',' ? text + size + 1 : NULL;
    }
    return err;
}

static int diff(struct comparing *comparing, const struct weir__program *program, const struct weir__args *args,
                struct weir_error *reterr)
{
    const char *of = weir__args_value(args, "of", NULL);
    int         err = read_kinds(of, &comparing->a.wanted, reterr);

    if (err == WEIR_OK && args->word_count != 2)
        err = weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line",
                         "name two runs: folders, files of records, or brokers as HOST:PORT");
    if (err < 0)
        return err;
    comparing->a.path = args->words[0];
    comparing->b.path = args->words[1];
    comparing->b.wanted = comparing->a.wanted;
    err = market_run_read(&comparing->a, program, reterr);
    if (err == WEIR_OK)
        err = market_run_read(&comparing->b, program, reterr);
    return err == WEIR_OK ? compare(comparing, of != NULL, reterr) : err;
}

static int run_diff(struct weir__program *program, const struct weir__args *args)
{
    struct comparing  comparing = { .some = false };
    struct weir_error words = { 0 };
    int               code;

    if (diff(&comparing, program, args, &words) < 0) {
        (void)weir__report(&words);
        code = WEIR__EXIT_USAGE;
    } else {
        code = comparing.unequal ? WEIR__EXIT_FAILED : WEIR__EXIT_OK;
    }
    market_run_fini(&comparing.a);
    market_run_fini(&comparing.b);
    weir__arena_fini(&comparing.scratch);
    return code;
}

static const struct weir__flag flags[] = {
    { .name = "of", .value = "KIND,...", .meaning = "these alone: bars (of all intervals), stats, spreads, curves" },
    { .name = NULL },
};
const struct weir__command market_command_diff = {
    .name = "diff",
    .usage = "diff A B [--of KIND,...]",
    .meaning =
        "Compares the converged bars, statistics, spreads and curves of two folders, files or clusters (HOST:PORT): exit 0 "
        "equal, 1 different, 2 error, nothing to compare.",
    .flags = flags,
    .run = run_diff,
};
