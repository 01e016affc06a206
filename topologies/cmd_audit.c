/* cmd_audit.c: `audit verify [clickhouse|topic]`: whether the audit trail is whole, in each place that has it, and in both alike. */
#include "topologies/audit_chains.h"
#include "topologies/commands.h"

#include <inttypes.h>

#define MINUTE    (60 * INT64_C(1000000))
#define RETENTION (365 * 24 * 60 * MINUTE)

static const struct place {
    const char *name, *title, *writer;
    int (*read)(const struct weir__program *program, market_take_event *take, void *arg, struct weir_error *reterr);
    const char *wanted; /* the setting */
} places[] = {
    { "clickhouse", "ClickHouse", "clickhouse", market_audit_read_table, "clickhouse.url" },
    { "topic", "the topic", "kafka", market_audit_read_topic, "audit.topic" },
};
enum { PLACES = ARRAY_SIZE(places) };

struct verifying {
    const struct weir__program *program;
    const struct place         *only;
    const char                 *keys;
    struct market_trail         trails[PLACES];
    bool                        there[PLACES];
    size_t                      bad;
};

static void print_bad(void *arg, const struct market_trail *trail, const struct market_chain *chain, uint64_t number,
                      const char *why)
{
    (void)arg;
    printf("%s: first bad event of chain %s (%s): event %s-%" PRIu64 ": %s\n", trail->name, chain->id,
           chain->service[0] != '\0' ? chain->service : "unknown", chain->id, number, why);
}

/* Whether it is to be read. */
static bool is_wanted(const struct verifying *verifying, const struct place *place)
{
    return verifying->only == NULL || verifying->only == place;
}

static int read_place(struct verifying *verifying, size_t at, struct weir_error *reterr)
{
    const struct place  *place = &places[at];
    struct market_trail *trail = &verifying->trails[at];
    int                  err;

    *trail = (struct market_trail){ .name = place->title, .writer = place->writer, .keys = verifying->keys };
    if (!is_wanted(verifying, place))
        return WEIR_OK;
    err = place->read(verifying->program, market_trail_take, trail, reterr);
    if (err == WEIR_NOTHING && verifying->only != NULL)
        return weir__fail(reterr, WEIR_BAD_CONFIG, place->wanted, "it is not set: %s has no trail", place->title);
    if (err == WEIR_OK)
        market_trail_sort(trail);
    verifying->there[at] = err == WEIR_OK;
    return MIN(err, WEIR_OK);
}

static int read_all(struct verifying *verifying, struct weir_error *reterr)
{
    bool any = false;
    int  err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < PLACES; i++) {
        err = read_place(verifying, i, reterr);
        any = any || verifying->there[i];
    }
    if (err == WEIR_OK && !any)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "audit", "there is no trail: set clickhouse.url or audit.topic");
    return err;
}

static uint64_t count_lost(const struct market_trail *trail)
{
    struct weir__map_slot *slot;
    uint64_t               lost = 0;

    for (size_t i = 0; (slot = weir__map_next(&trail->chains, &i)) != NULL;) {
        const struct market_chain *chain = slot->value;

        for (size_t j = 1; j < chain->count; j++)
            lost += chain->links[j].number - chain->links[j - 1].number - 1;
    }
    return lost;
}

static void judge_all(struct verifying *verifying)
{
    const int64_t now = weir__wall_ms() * 1000;

    for (size_t i = 0; i < PLACES; i++) {
        const struct market_trail *trail = &verifying->trails[i];
        size_t                     bad;

        if (!verifying->there[i])
            continue;
        bad = market_trail_judge(trail, now, RETENTION, print_bad, NULL);
        verifying->bad += bad;
        printf("%s: %" PRIu64 " events in %zu chains, %zu of them bad; %" PRIu64 " written twice, %" PRIu64
               " not there\n",
               trail->name, trail->events - trail->doubled, trail->chains.count, bad, trail->doubled,
               count_lost(trail));
    }
    for (size_t i = 0; verifying->there[0] && verifying->there[1] && i < PLACES; i++)
        verifying->bad += market_trails_compare(&verifying->trails[i], &verifying->trails[1 - i], now - MINUTE,
                                                now - RETENTION + 24 * 60 * MINUTE, print_bad, NULL);
}

static int choose(struct verifying *verifying, const struct weir__args *args, struct weir_error *reterr)
{
    if (args->word_count < 1 || args->word_count > 2 || strcmp(args->words[0], "verify") != 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "audit", "say what to do: \"audit verify [clickhouse|topic]\"");
    for (size_t i = 0; args->word_count == 2 && i < PLACES; i++)
        if (strcmp(args->words[1], places[i].name) == 0)
            verifying->only = &places[i];
    if (args->word_count == 2 && verifying->only == NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "audit", "\"%.60s\" is no place of the trail: clickhouse, topic",
                          args->words[1]);
    return WEIR_OK;
}

static int run_audit(struct weir__program *program, const struct weir__args *args)
{
    struct verifying  verifying = { .program = program };
    struct weir_error words = { 0 };
    int               err = choose(&verifying, args, &words);

    if (err == WEIR_OK)
        err = market_audit_keys(program->settings, &verifying.keys, &words);
    if (err == WEIR_OK)
        err = read_all(&verifying, &words);
    if (err == WEIR_OK)
        judge_all(&verifying);
    for (size_t i = 0; i < PLACES; i++)
        market_trail_fini(&verifying.trails[i]);
    if (err < 0)
        return weir__report(&words);
    return verifying.bad > 0 ? WEIR__EXIT_FAILED : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = { { .name = NULL } };
const struct weir__command     market_command_audit = {
        .name = "audit",
        .usage = "audit verify [clickhouse|topic]",
        .meaning =
            "Checks the audit trail in the table and in the topic: exit 1 names the first bad event of each chain.",
        .flags = flags,
        .run = run_audit,
        .audited = "security",
};
