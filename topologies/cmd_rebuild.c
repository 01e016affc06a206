/* cmd_rebuild.c: `rebuild projection`: what is served is made anew: the whole of it, or named entries.
 *
 * (1) The whole: projection is stopped, and begins anew (`reset`), or reads again from a time (`replay --supersede`). Both raise the
 *     epoch, so what is made now goes before what was made earlier.
 * (2) Entries: projection runs, and is asked by a record for each of them to serve it once more, or to drop it.
 */
#include "topologies/commands.h"

#include <inttypes.h>
#include <stdlib.h>

#define PRODUCER_ID "market-rebuild"
#define CALL_MS     10000

/* What can be rebuilt by entry, and the nodes of projection in whose topics the keys of its entries are. */
static const struct kind {
    const char             *name;
    enum market_projection  type;
    const char             *nodes[3];
    enum market_custom_type custom; /* one of custom ones: where it is named */
} kinds[] = {
    { "latest_price", MARKET_LATEST_PRICE, { "prices" }, MARKET_CUSTOM_ANY },
    { "curve_snapshot", MARKET_CURVE_SNAPSHOT, { "updates" }, MARKET_CUSTOM_ANY },
    { "custom", MARKET_CUSTOM, { "stats", "spreads" }, MARKET_CUSTOM_ANY },
    { "spread", MARKET_CUSTOM, { "spreads" }, MARKET_CUSTOM_SPREAD },
    { "basis", MARKET_CUSTOM, { "spreads" }, MARKET_CUSTOM_BASIS },
    { "bid_ask", MARKET_CUSTOM, { "spreads" }, MARKET_CUSTOM_BID_ASK },
    { "rolling_stat", MARKET_CUSTOM, { "stats" }, MARKET_CUSTOM_ROLLING_STAT },
    { "bars", MARKET_BARS, { "prices" }, MARKET_CUSTOM_ANY },
};

struct rebuild {
    const struct weir__program *program;
    const struct weir__args    *args;
    struct weir__looked         looked;
    struct weir__plans          plans; /* projection's */
    const char                 *topic; /* of invalidations */
    const char                 *tenant, *instrument;
    int64_t                     since; /* us; 0 = all */
    int64_t                     epoch; /* of projection now */
    bool                        dry, drop;
    struct weir__producer      *producer; /* NULL: a dry run */
    const struct kind          *kind;     /* at work */
    struct weir__map            keys;     /* that it was asked for: key text to itself */
    uint64_t                    asked;
};

static int64_t call_by(const struct rebuild *rebuild)
{
    return rebuild->looked.engine->now(rebuild->looked.log) + CALL_MS;
}

/* ---- one entry ---- */

static struct market_invalidation invalidation_of(const struct rebuild *rebuild, const struct market_key *key)
{
    const char *by = getenv("USER");

    return (struct market_invalidation){ .tenant_id = key->tenant,
                                         .instrument_id = key->instrument,
                                         .projection_type = rebuild->kind->type,
                                         .custom_type = rebuild->kind->custom,
                                         .action = rebuild->drop ? MARKET_INVALIDATE_DROP : MARKET_INVALIDATE_REFRESH,
                                         .since = rebuild->since,
                                         .reason = { "rebuild", strlen("rebuild") },
                                         .requested_by = { by, by != NULL ? strlen(by) : 0 },
                                         .requested_at = weir__wall_ms() * 1000,
                                         .epoch = rebuild->epoch };
}

static int send_entry(struct rebuild *rebuild, const struct market_key *key, struct weir_error *reterr)
{
    struct weir_arena          arena = { 0 };
    struct market_invalidation asked = invalidation_of(rebuild, key);
    struct weir__raw raw = { .topic = rebuild->topic, .partition = -1, .timestamp = asked.requested_at / 1000 };
    int              err = weir__encode(market_key, &arena, key, &raw.key);

    if (err == WEIR_OK)
        err = weir__encode(market_invalidation, &arena, &asked, &raw.value);
    if (err == WEIR_OK && !rebuild->dry)
        err = rebuild->looked.engine->send(rebuild->producer, &raw, 0);
    rebuild->asked += err == WEIR_OK;
    weir__arena_fini(&arena);
    return err < 0 ? weir__fail(reterr, err, rebuild->topic, "the log refuses the record: %s", weir_code_text(err))
                   : WEIR_OK;
}

/* ---- all entries of a kind ---- */

static bool is_meant(const struct rebuild *rebuild, const struct market_key *key)
{
    return rebuild->tenant == NULL ||
           market_text_same(key->tenant, (struct weir_text){ rebuild->tenant, strlen(rebuild->tenant) });
}

static int take_key(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct rebuild   *rebuild = arg;
    struct market_key key;
    char             *copy;

    if (raw->key.data == NULL ||
        market_key_split((struct weir_text){ raw->key.data, raw->key.size }, &key) != WEIR_OK ||
        !is_meant(rebuild, &key) || weir__map_get(&rebuild->keys, raw->key) != NULL)
        return WEIR_OK;
    copy = weir__memdup(raw->key.data, raw->key.size);
    if (copy == NULL || weir__map_put(&rebuild->keys, BYTES(copy, raw->key.size), copy) < 0) {
        weir__free(copy);
        return weir__fail(reterr, WEIR_NO_MEMORY, "rebuild", "out of memory");
    }
    return send_entry(rebuild, &key, reterr);
}

static void forget_keys(struct rebuild *rebuild)
{
    struct weir__map_slot *slot;

    for (size_t i = 0; (slot = weir__map_next(&rebuild->keys, &i)) != NULL;)
        weir__free(slot->value);
    weir__map_fini(&rebuild->keys);
    rebuild->keys = (struct weir__map){ 0 };
}

static int send_topic(struct rebuild *rebuild, const char *topic, struct weir_error *reterr)
{
    int32_t count;
    int     err = rebuild->looked.engine->partitions(rebuild->looked.log, topic, call_by(rebuild), &count);

    if (err == WEIR_NOTFOUND)
        return WEIR_OK; /* nothing was served yet */
    if (err < 0)
        return weir__fail(reterr, err, topic, "its partitions are not told: %s", weir_code_text(err));
    return weir__read_topic(rebuild->looked.engine, rebuild->looked.log, topic, count, take_key, rebuild, reterr);
}

static int send_kind(struct rebuild *rebuild, struct weir_error *reterr)
{
    const char       *instrument = rebuild->instrument;
    struct market_key key = { .tenant = { rebuild->tenant, rebuild->tenant != NULL ? strlen(rebuild->tenant) : 0 },
                              .instrument = { instrument, instrument != NULL ? strlen(instrument) : 0 } };
    uint64_t          before = rebuild->asked;
    int               err = WEIR_OK;

    if (instrument != NULL)
        err = send_entry(rebuild, &key, reterr);
    for (size_t i = 0; instrument == NULL && err == WEIR_OK && rebuild->kind->nodes[i] != NULL; i++)
        err = send_topic(rebuild, market_topic_of(&rebuild->plans, rebuild->kind->nodes[i]), reterr);
    forget_keys(rebuild);
    if (err == WEIR_OK)
        printf("%s: %" PRIu64 " entries %s%s\n", rebuild->kind->name, rebuild->asked - before,
               rebuild->dry ? "would be asked to be " : "asked to be ", rebuild->drop ? "dropped" : "served again");
    return err;
}

/* ---- all that is asked for ---- */

/* 1 where projection has not run yet. */
static int read_epoch(struct rebuild *rebuild, struct weir_error *reterr)
{
    struct weir__control    control = { .epoch = 1 };
    struct weir__control_at at = { .engine = rebuild->looked.engine,
                                   .log = rebuild->looked.log,
                                   .application = rebuild->plans.items[0]->application };
    int                     err = weir__control_read(&at, &control, reterr);

    rebuild->epoch = MAX(control.epoch, 1);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int read_topics(struct rebuild *rebuild, struct weir_error *reterr)
{
    int err = market_topics_open(rebuild->program, &projection, &rebuild->plans, reterr);

    if (err == WEIR_OK)
        rebuild->topic = market_topic_of(&rebuild->plans, "invalid");
    return err;
}

static int open_topic(struct rebuild *rebuild, struct weir_error *reterr)
{
    const struct weir__topic topic = { .name = rebuild->topic,
                                       .partitions = weir__topics_partitions(rebuild->program->settings,
                                                                             rebuild->looked.engine),
                                       .settings = weir__user_topic_settings };
    int                      err;

    if (rebuild->dry)
        return WEIR_OK;
    err = rebuild->looked.engine->ensure(rebuild->looked.log, &topic, 1, call_by(rebuild), NULL, NULL, reterr);
    while (err == WEIR_OK) {
        err = rebuild->looked.engine->producer(rebuild->looked.log, PRODUCER_ID, call_by(rebuild), &rebuild->producer,
                                               reterr);
        if (err != WEIR_AGAIN)
            break;
        err = WEIR_OK;
    }
    return err;
}

static int commit(struct rebuild *rebuild, struct weir_error *reterr)
{
    int err;

    if (rebuild->dry || rebuild->asked == 0)
        return WEIR_OK;
    do
        err = rebuild->looked.engine->commit(rebuild->producer, PRODUCER_ID, NULL, 0, NULL, 0, call_by(rebuild));
    while (err == WEIR_AGAIN);
    return err < 0 ? weir__fail(reterr, err, rebuild->topic,
                                "the records cannot be committed: %s; nothing was asked for, try again",
                                weir_code_text(err))
                   : WEIR_OK;
}

static int send_kinds(struct rebuild *rebuild, const struct kind *only, struct weir_error *reterr)
{
    int err = open_topic(rebuild, reterr);

    for (size_t i = 0; err == WEIR_OK && i < ARRAY_SIZE(kinds); i++) {
        rebuild->kind = &kinds[i];
        if (only != NULL ? only == rebuild->kind : rebuild->kind->custom == MARKET_CUSTOM_ANY)
            err = send_kind(rebuild, reterr);
    }
    return err == WEIR_OK ? commit(rebuild, reterr) : err;
}

/* ---- the command line ---- */

static int find_kind(const char *name, const struct kind **ret, struct weir_error *reterr)
{
    const char *names[ARRAY_SIZE(kinds)], *near;

    *ret = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        names[i] = kinds[i].name;
        if (name == NULL || strcmp(kinds[i].name, name) == 0) {
            *ret = name != NULL ? &kinds[i] : NULL;
            return WEIR_OK;
        }
    }
    near = weir__suggest(name, names, ARRAY_SIZE(kinds));
    return weir__fail(
        reterr, WEIR_BAD_ARGUMENT, "--name",
        "\"%.60s\" is none of latest_price, curve_snapshot, custom (spread, basis, bid_ask, rolling_stat), bars%s%s%s",
        name, near != NULL ? ": did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static int read_since(const char *text, int64_t *ret, struct weir_error *reterr)
{
    if (text == NULL)
        return WEIR_OK;
    if (!weir__read_time(text, ret) && !weir__read_epoch(text, ret))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--since",
                          "\"%.60s\" is no time: write 2025-01-02T14:30:00Z or an epoch", text);
    *ret *= 1000;
    return WEIR_OK;
}

static int check_key(struct rebuild *rebuild, struct weir_error *reterr)
{
    const char *tenant = rebuild->tenant, *instrument = rebuild->instrument;

    if (instrument != NULL && tenant == NULL)
        tenant = rebuild->tenant = weir__config_text(rebuild->program->settings, "tenant");
    if (tenant != NULL && !market_tenant_legal((struct weir_text){ tenant, strlen(tenant) }))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--tenant", "\"%.60s\" is no tenant: docs/schemas.md", tenant);
    if (instrument != NULL && !market_instrument_legal((struct weir_text){ instrument, strlen(instrument) }))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--instrument",
                          "\"%.100s\" is no instrument id: docs/schemas.md", instrument);
    return WEIR_OK;
}

static int rebuild_entries(struct rebuild *rebuild, struct weir_error *reterr)
{
    const struct kind *only;
    int                err = find_kind(weir__args_value(rebuild->args, "name", NULL), &only, reterr);

    if (err == WEIR_OK)
        err = read_since(weir__args_value(rebuild->args, "since", NULL), &rebuild->since, reterr);
    if (err == WEIR_OK)
        err = check_key(rebuild, reterr);
    if (err == WEIR_OK)
        err = read_topics(rebuild, reterr);
    if (err == WEIR_OK)
        err = rebuild->dry ? weir__looked_open(rebuild->program, rebuild->args, &rebuild->looked, reterr)
                           : weir__looked_open_stopped(rebuild->program, rebuild->args, &rebuild->looked, reterr);
    if (err == WEIR_OK)
        err = read_epoch(rebuild, reterr);
    if (err == WEIR_OK)
        err = send_kinds(rebuild, only, reterr);
    if (rebuild->producer != NULL)
        rebuild->looked.engine->producer_close(rebuild->producer);
    weir__looked_close(&rebuild->looked);
    weir__plans_fini(&rebuild->plans);
    if (err == WEIR_OK)
        printf("%" PRIu64 " entries in all\n", rebuild->asked);
    return err;
}

/* `reset projection`, or `replay projection --supersede --from SINCE`, with our --dir and --dry-run. */
static int rebuild_whole(struct weir__program *program, const struct weir__args *args)
{
    static const struct weir__flag from = { .name = "from" }, supersede = { .name = "supersede" };
    const char                    *since = weir__args_value(args, "since", NULL), *names[] = { projection.name };
    struct weir__given             given[8] = { 0 };
    struct weir__args              same = { .words = names, .word_count = 1, .given = given };
    struct weir_error              words;
    int64_t                        time;

    for (size_t i = 0; i < args->given_count; i++)
        if (same.given_count + 2 < ARRAY_SIZE(given) &&
            (strcmp(args->given[i].flag->name, "dir") == 0 || strcmp(args->given[i].flag->name, "dry-run") == 0))
            given[same.given_count++] = args->given[i];
    if (since == NULL)
        return weir__command_reset.run(program, &same);
    if (read_since(since, &time, &words) < 0)
        return weir__report(&words);
    given[same.given_count++] = (struct weir__given){ .flag = &from, .value = since };
    given[same.given_count++] = (struct weir__given){ .flag = &supersede };
    return weir__command_replay.run(program, &same);
}

static int run_rebuild(struct weir__program *program, const struct weir__args *args)
{
    struct rebuild    rebuild = { .program = program,
                                  .args = args,
                                  .looked = { .dir = { .lock = -1 } },
                                  .tenant = weir__args_value(args, "tenant", NULL),
                                  .instrument = weir__args_value(args, "instrument", NULL),
                                  .dry = weir__args_has(args, "dry-run"),
                                  .drop = weir__args_has(args, "drop") };
    struct weir_error words = { 0 };
    int               err;

    if (args->word_count != 1 || strcmp(args->words[0], projection.name) != 0)
        err = weir__fail(&words, WEIR_BAD_ARGUMENT, "rebuild", "say what: \"rebuild projection\"");
    else if (rebuild.instrument == NULL && rebuild.tenant == NULL && !rebuild.drop && !weir__args_has(args, "name"))
        return rebuild_whole(program, args);
    else
        err = rebuild_entries(&rebuild, &words);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "name",
      .value = "NAME",
      .meaning =
          "only latest_price, curve_snapshot, custom (or spread, basis, bid_ask, rolling_stat alone) or bars" },
    { .name = "instrument", .value = "ID", .meaning = "only of that instrument, curve or pair" },
    { .name = "tenant", .value = "NAME", .meaning = "only of that tenant" },
    { .name = "since", .value = "TIME", .meaning = "only what is of that event time or later" },
    { .name = "drop", .meaning = "entries go, until something new comes for them" },
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = "dry-run", .meaning = "prints what would be done, and does nothing" },
    { .name = NULL },
};
const struct weir__command market_command_rebuild = {
    .name = "rebuild",
    .usage = "rebuild projection [--name NAME] [--instrument ID] [--tenant NAME] [--since TIME] [--drop] [--dry-run]",
    .meaning =
        "Makes what is served anew: all of it, while projection is stopped; or entries, while it runs (on a folder: when it "
        "is run again).",
    .flags = flags,
    .run = run_rebuild,
    .audited = "data_processing",
};
