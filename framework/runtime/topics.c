/* topics.c: which topics an application uses, how many partitions each has, and that they exist.
 *
 * (1) A user's topic keeps the count it has; absent, it is made with its node's .partitions, else topics.partitions; one
 *     that a global table is read from is compacted: the table is read from its beginning at each start.
 *     A sink's own .settings go before all of that.
 * (2) A repartition topic takes its declared count, else that of the other inputs of its reader where that one has
 *     state, else the greatest of its writer's inputs. (Source: CopartitionedTopicsEnforcer, RepartitionTopics.)
 * (3) A changelog has as many partitions as its sub-topology has tasks.
 * (4) The inputs of a sub-topology with state have equal counts, or the start is refused by name.
 */
#include "framework/runtime/internal.h"

#define LONGEST "9223372036854775807"
/* All topics are looked at in one call, one after the other; a stop waits for it. */
#define MAKE_MS (5 * WEIR__CALL_MS)

/* Records carry event times, of any year: no topic of ours may refuse or delete them for their age. */
const char *const        weir__user_topic_settings[] = { "message.timestamp.type=CreateTime",
                                                         "message.timestamp.before.max.ms=" LONGEST,
                                                         "message.timestamp.after.max.ms=" LONGEST, "retention.ms=-1",
                                                         NULL };
const char *const        weir__table_topic_settings[] = { "cleanup.policy=compact",
                                                          "message.timestamp.type=CreateTime",
                                                          "message.timestamp.before.max.ms=" LONGEST,
                                                          "message.timestamp.after.max.ms=" LONGEST,
                                                          "retention.ms=-1",
                                                          NULL };
static const char *const repartition_settings[] = { "cleanup.policy=delete",
                                                    "message.timestamp.type=CreateTime",
                                                    "message.timestamp.before.max.ms=" LONGEST,
                                                    "message.timestamp.after.max.ms=" LONGEST,
                                                    "retention.ms=-1",
                                                    "retention.bytes=-1",
                                                    "segment.bytes=52428800",
                                                    NULL };

const struct weir__topic_use *weir__topics_find(const struct weir__topics *topics, const char *name)
{
    for (size_t i = 0; i < topics->count; i++)
        if (strcmp(topics->items[i].name, name) == 0)
            return &topics->items[i];
    return NULL;
}

const char *weir__topic_name(struct weir__app *app, const struct weir__node *node, const char *topic)
{
    return node->internal ? weir__arena_printf(&app->arena, "%s-%s", app->plan->application, topic) : topic;
}

/* ---- gathering ---- */

static struct weir__topic_use *use_topic(struct weir__app *app, const char *name)
{
    struct weir__topics    *topics = &app->topics;
    struct weir__topic_use *use = name != NULL ? (struct weir__topic_use *)weir__topics_find(topics, name) : NULL;

    if (use != NULL || name == NULL || GROW(topics->items, topics->capacity, topics->count) < 0)
        return use;
    use = &topics->items[topics->count++];
    *use = (struct weir__topic_use){ .name = name, .reader = -1, .writer = -1, .deletions_kept = DAYS(1) };
    return use;
}

static bool is_declared(const char *const *settings, const char *setting)
{
    size_t name = strcspn(setting, "=") + 1;

    for (size_t i = 0; settings[i] != NULL; i++)
        if (strncmp(settings[i], setting, name) == 0)
            return true;
    return false;
}

/* Those that a sink declares, and of the usual ones the rest. NULL: out of memory. */
static const char *const *declared_settings(struct weir__app *app, const char *const *declared)
{
    const char **settings;
    size_t       count = 0, most = ARRAY_SIZE(weir__user_topic_settings);

    while (declared[count] != NULL)
        count++;
    settings = weir_arena_alloc(&app->arena, sizeof(*settings) * (count + most));
    if (settings == NULL)
        return NULL;
    memcpy(settings, declared, sizeof(*settings) * count);
    for (size_t i = 0; weir__user_topic_settings[i] != NULL; i++)
        if (!is_declared(declared, weir__user_topic_settings[i]))
            settings[count++] = weir__user_topic_settings[i];
    settings[count] = NULL;
    return settings;
}

static const char *const *settings_of(struct weir__app *app, const struct weir__node *node)
{
    if (node->internal)
        return repartition_settings;
    if (node->op == WEIR__SOURCE && app->plan->subs[node->subtopology].global)
        return weir__table_topic_settings;
    if (node->op == WEIR__SINK && node->spec->settings != NULL)
        return declared_settings(app, node->spec->settings);
    return weir__user_topic_settings;
}

static int use_node(struct weir__app *app, const struct weir__node *node)
{
    for (size_t i = 0; i < node->topic_count; i++) {
        struct weir__topic_use *use = use_topic(app, weir__topic_name(app, node, node->topics[i]));

        if (use == NULL)
            return WEIR_NO_MEMORY;
        use->user = !node->internal;
        if (use->settings != weir__table_topic_settings) /* a global table's topic stays one, whoever writes it */
            use->settings = settings_of(app, node);
        if (use->settings == NULL)
            return WEIR_NO_MEMORY;
        use->written = use->written || node->op == WEIR__SINK;
        if (node->op == WEIR__SINK)
            use->writer = node->subtopology;
        else
            use->reader = node->subtopology;
        use->declared = MAX(use->declared, node->partitions);
    }
    return WEIR_OK;
}

static int use_dead_letters(struct weir__app *app)
{
    struct weir__topic_use *use;

    if (app->plan->dead_letters == NULL)
        return WEIR_OK;
    use = use_topic(app, app->plan->dead_letters);
    if (use == NULL)
        return WEIR_NO_MEMORY;
    use->user = use->written = true;
    use->settings = weir__user_topic_settings;
    return WEIR_OK;
}

static int gather(struct weir__app *app)
{
    const struct weir__plan *plan = app->plan;

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct weir__node *node = plan->nodes[i];

        if ((node->op == WEIR__SOURCE || node->op == WEIR__SINK) && use_node(app, node) < 0)
            return WEIR_NO_MEMORY;
    }
    for (size_t i = 0; i < plan->repartition_count; i++) {
        struct weir__topic_use *use = use_topic(app, plan->repartitions[i].topic);

        if (use == NULL)
            return WEIR_NO_MEMORY;
        if (plan->repartitions[i].partitions > 0)
            use->declared = plan->repartitions[i].partitions;
        use->writer = plan->repartitions[i].writer;
        use->reader = plan->repartitions[i].reader;
    }
    return use_dead_letters(app);
}

/* ---- counting ---- */

static int look_up(struct weir__app *app, const char *topic, int32_t *ret, struct weir_error *reterr)
{
    const struct weir__log_engine *engine = app->config.engine;
    int                            err;

    do
        err = engine->partitions(app->config.log, topic, weir__app_now(app) + WEIR__CALL_MS, ret);
    while (err == WEIR_AGAIN && !weir__app_must_end(app));
    if (err == WEIR_NOTFOUND) {
        *ret = 0;
        return WEIR_OK;
    }
    return err < 0 ? weir__fail(reterr, err, topic, "the log does not tell its partitions: %s",
                                err == WEIR_AGAIN ? "stopped before a broker answered" : weir_code_text(err))
                   : WEIR_OK;
}

static int count_user_topics(struct weir__app *app, struct weir_error *reterr)
{
    for (size_t i = 0; i < app->topics.count; i++) {
        struct weir__topic_use *use = &app->topics.items[i];
        int                     err = WEIR_OK;

        if (!use->user)
            continue;
        err = look_up(app, use->name, &use->partitions, reterr);
        if (err < 0)
            return err;
        if (use->partitions > 0 && use->declared > 0 && use->partitions != use->declared)
            return weir__fail(
                reterr, WEIR_BAD_CONFIG, use->name,
                "the topic has %d partitions, its node's .partitions says %d: say %d, or take another topic",
                use->partitions, use->declared, use->partitions);
        if (use->partitions == 0)
            use->partitions = use->declared > 0 ? use->declared : app->settings.partitions;
    }
    return WEIR_OK;
}

/* The greatest count among inputs of a sub-topology; 0 when one of them is not known yet. */
static int32_t greatest_input(const struct weir__app *app, int sub)
{
    int32_t most = 0;

    for (size_t i = 0; i < app->topics.count; i++) {
        const struct weir__topic_use *use = &app->topics.items[i];

        if (use->reader != sub)
            continue;
        if (use->partitions == 0)
            return 0;
        most = MAX(most, use->partitions);
    }
    return most;
}

/* The count that others impose on a derived input of a sub-topology with state: a user's topic, else a declared
 * one. */
static int32_t imposed(const struct weir__app *app, int sub)
{
    int32_t declared = 0;

    if (sub < 0 || !app->plan->subs[sub].stateful)
        return 0;
    for (size_t i = 0; i < app->topics.count; i++) {
        const struct weir__topic_use *use = &app->topics.items[i];

        if (use->reader == sub && use->user)
            return use->partitions;
        if (use->reader == sub && use->declared > 0)
            declared = use->declared;
    }
    return declared;
}

/* Inputs that are all derived take the greatest of them. */
static void level(struct weir__app *app, int sub)
{
    int32_t most = sub >= 0 && app->plan->subs[sub].stateful ? greatest_input(app, sub) : 0;

    for (size_t i = 0; most > 0 && i < app->topics.count; i++) {
        struct weir__topic_use *use = &app->topics.items[i];

        if (use->reader == sub && !use->user && use->declared == 0)
            use->partitions = most;
    }
}

static int32_t derive(const struct weir__app *app, const struct weir__topic_use *use)
{
    int32_t count = use->declared > 0 ? use->declared : imposed(app, use->reader);

    if (count > 0)
        return count;
    return use->writer >= 0 ? greatest_input(app, use->writer) : 0;
}

static void count_repartitions(struct weir__app *app)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (size_t i = 0; i < app->topics.count; i++) {
            struct weir__topic_use *use = &app->topics.items[i];

            if (use->partitions > 0)
                continue;
            use->partitions = derive(app, use);
            changed = changed || use->partitions > 0;
        }
    }
    for (size_t i = 0; i < app->topics.count; i++) /* a topic that only feeds itself */
        if (app->topics.items[i].partitions == 0)
            app->topics.items[i].partitions = app->settings.partitions;
    for (size_t i = 0; i < app->plan->sub_count; i++)
        level(app, (int)i);
}

static int check_equal(const struct weir__app *app, int sub, struct weir_error *reterr)
{
    const struct weir__topic_use *first = NULL;

    for (size_t i = 0; i < app->topics.count; i++) {
        const struct weir__topic_use *use = &app->topics.items[i];

        if (use->reader != sub)
            continue;
        if (first == NULL)
            first = use;
        if (use->partitions != first->partitions)
            return weir__fail(
                reterr, WEIR_BAD_TOPOLOGY, app->plan->subs[sub].folder,
                "topics that meet here must have equal partition counts: %s has %d, %s has %d; give them "
                "the same count, or put a REPARTITION before one of them",
                first->name, first->partitions, use->name, use->partitions);
    }
    return WEIR_OK;
}

/* ---- changelogs ---- */

static int add_changelogs(struct weir__app *app)
{
    for (size_t i = 0; i < app->plan->store_count; i++) {
        const struct weir__store_plan *store = app->plan->stores[i];
        struct weir__topic_use        *use;
        bool                           known;

        if (store->changelog == NULL || store->global)
            continue;
        known = weir__topics_find(&app->topics, store->changelog) != NULL;
        use = use_topic(app, store->changelog);
        if (use == NULL)
            return WEIR_NO_MEMORY;
        if (known) /* an input that is its own changelog */
            continue;
        use->settings = store->settings;
        use->writer = store->subtopology;
        use->partitions = MAX(greatest_input(app, store->subtopology), 1);
    }
    return WEIR_OK;
}

/* It is there: here its settings are compared. */
static int add_control(struct weir__app *app)
{
    char                    name[WEIR__CONTROL_NAME_MAX];
    const char             *kept;
    struct weir__topic_use *use;

    weir__control_topic(app->plan->application, name, sizeof(name));
    kept = weir__arena_printf(&app->arena, "%s", name);
    use = use_topic(app, kept);
    if (use == NULL)
        return WEIR_NO_MEMORY;
    use->settings = weir__table_topic_settings;
    use->partitions = 1;
    return WEIR_OK;
}

/* ---- making ---- */

struct differences {
    struct weir__app *app;
    struct weir_error words; /* of the first that loses records */
};

int weir__topic_fail_losing(const char *topic, const char *setting, const char *wanted, const char *found, bool may,
                            struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_BAD_CONFIG, topic,
                      "the topic has %s=%s and would lose or refuse our records: set %s=%s on it%s", setting, found,
                      setting, wanted, may ? ", or topics.check=warn if it shall" : "");
}

void weir__topic_say_differs(const char *topic, const char *setting, const char *wanted, const char *found)
{
    weir__say(WEIR__WARN, "topic-differs", "topic", "s", topic, "setting", "s", setting, "wanted", "s", wanted,
              "found", "s", found, NULL);
}

/* Whether the topic has to be other than it is: one of ours; or one that our records go to, where that is checked. */
static bool must_differ(const struct weir__app *app, const struct weir__topic_use *use)
{
    return use == NULL || !use->user || (use->written && app->settings.checks_topics);
}

/* How many copies there are of a topic that others own is their business. */
static bool is_of_copies(const char *setting)
{
    return strcmp(setting, "replication") == 0 || strcmp(setting, "min.insync.replicas") == 0 ||
           strcmp(setting, "unclean.leader.election.enable") == 0;
}

static int on_difference(void *arg, const char *topic, const char *setting, bool loses, const char *wanted,
                         const char *found)
{
    struct differences     *differences = arg;
    struct weir__topic_use *use = (struct weir__topic_use *)weir__topics_find(&differences->app->topics, topic);

    if (use != NULL && strcmp(setting, "delete.retention.ms") == 0)
        (void)weir__parse_int64(found, &use->deletions_kept);
    if (loses && must_differ(differences->app, use) && differences->words.code == WEIR_OK)
        (void)weir__topic_fail_losing(topic, setting, wanted, found, use != NULL && use->user, &differences->words);
    else if (use == NULL || !use->user || !is_of_copies(setting))
        weir__topic_say_differs(topic, setting, wanted, found);
    return WEIR_OK;
}

static int make_topics(struct weir__app *app, struct weir_error *reterr)
{
    struct differences  differences = { .app = app };
    struct weir__topic *topics = weir_arena_alloc(&app->arena, sizeof(*topics) * (app->topics.count + 1));
    int                 err;

    if (topics == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, app->plan->topology->name, "out of memory");
    for (size_t i = 0; i < app->topics.count; i++) {
        const struct weir__topic_use *use = &app->topics.items[i];

        topics[i] =
            (struct weir__topic){ .name = use->name, .partitions = use->partitions, .settings = use->settings };
    }
    do
        err = app->config.engine->ensure(app->config.log, topics, app->topics.count, weir__app_now(app) + MAKE_MS,
                                         on_difference, &differences, reterr);
    while (err == WEIR_AGAIN && !weir__app_must_end(app));
    if (err == WEIR_AGAIN)
        return weir__fail(reterr, err, app->plan->application, "stopped before a broker had made its topics");
    if (err == WEIR_OK && differences.words.code < 0)
        *reterr = differences.words;
    return err < 0 ? err : differences.words.code;
}

/* The input that decides how many partitions a topic has, its writer's greatest; itself where none does. */
static const struct weir__topic_use *cause_of(const struct weir__app *app, const struct weir__topic_use *use)
{
    for (size_t hops = 0; !use->user && use->declared == 0 && use->writer >= 0 && hops < app->topics.count; hops++)
        for (size_t i = 0; i < app->topics.count; i++)
            if (app->topics.items[i].reader == use->writer && app->topics.items[i].partitions == use->partitions) {
                use = &app->topics.items[i];
                break;
            }
    return use;
}

int weir__topics_fail_count(const struct weir__app *app, const struct weir__topic_use *use, int32_t before,
                            const char *kept, struct weir_error *reterr)
{
    return weir__fail(
        reterr, WEIR_BAD_CONFIG, cause_of(app, use)->name,
        "the topic has %d partitions now, the state in %s was made with %d: stop all processes of %s, run "
        "\"reset %s\" and start again, so that each key finds its state",
        use->partitions, kept, before, app->plan->application, app->plan->topology->name);
}

/* A topic that is there with another count than ours: an internal one, of other inputs or another shape of the topology. */
static int check_made(struct weir__app *app, struct weir_error *reterr)
{
    for (size_t i = 0; i < app->topics.count; i++) {
        const struct weir__topic_use *use = &app->topics.items[i];
        int32_t                       count;
        int                           err = look_up(app, use->name, &count, reterr);

        if (err < 0)
            return err;
        if (count != use->partitions)
            return weir__topics_fail_count(app, use, count, use->name, reterr);
    }
    return WEIR_OK;
}

int weir__topics_ensure(struct weir__app *app, struct weir_error *reterr)
{
    int err;

    if (gather(app) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, app->plan->topology->name, "out of memory");
    err = count_user_topics(app, reterr);
    if (err < 0)
        return err;
    count_repartitions(app);
    for (size_t i = 0; err == WEIR_OK && i < app->plan->sub_count; i++)
        if (app->plan->subs[i].stateful && !app->plan->subs[i].global)
            err = check_equal(app, (int)i, reterr);
    if (err == WEIR_OK && (add_changelogs(app) < 0 || add_control(app) < 0))
        err = weir__fail(reterr, WEIR_NO_MEMORY, app->plan->topology->name, "out of memory");
    if (err == WEIR_OK)
        err = weir__state_dir_check_counts(app, reterr);
    if (err == WEIR_OK)
        err = make_topics(app, reterr);
    return err == WEIR_OK ? check_made(app, reterr) : err;
}
