/* cmd_reset.c: `reset`: an application begins anew: its offsets, internal topics and state go, its epoch rises.
 *
 * (1) All that is named is checked before anything is changed.
 * (2) Then each control record says that a reset has begun: none of the applications starts until it has ended. Killed in between
 *     it is repeated, and does what is left.
 * (3) An input that is made anew by what is reset too begins at its end: what stands in it comes once more.
 */
#include "framework/main/commands.h"
#include "framework/task/left.h"

struct reset {
    const struct weir__program *program;
    struct weir__looked         looked;
    struct weir__plans          plans; /* of the topologies that are reset */
    struct weir__plans          all;   /* of the program */
    struct weir__stopped       *stopped;
    bool                        dry;
    size_t                      inputs, topics, folders; /* so far */
};

/* Where an input is read from afterwards. */
enum beginning { AT_FIRST, AT_RESET, AT_END };

static const char *would(const struct reset *reset) { return reset->dry ? "would be " : ""; }

/* ---- offsets ---- */

/* The offset it will begin at stays known: what stands before is of another life, and maybe of other partitions. */
static int begin_at(struct weir__stopped *stopped, struct weir__offset *offset, int64_t at, struct weir_error *reterr)
{
    offset->offset = at;
    if (weir__metadata_with(NO_BYTES, WEIR__BEGUN, at, &stopped->arena, &offset->metadata) == WEIR_OK)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_NO_MEMORY, offset->tp.topic, "out of memory");
}

static int begin_at_end(struct weir__stopped *stopped, struct weir__offset *offset, struct weir_error *reterr)
{
    struct weir__ends ends;
    int err = stopped->looked->engine->ends(stopped->looked->log, offset->tp, weir__stopped_call(stopped), &ends);

    if (err < 0)
        return weir__fail(reterr, err, offset->tp.topic, "the topic does not tell its ends: %s", weir_code_text(err));
    return begin_at(stopped, offset, ends.end, reterr);
}

/* At the end; else at the first record, or where an earlier reset has let it begin. What is committed is asked for in any case:
 * the answer waits for transactions that were decided and whose marks are not there yet. */
static int begin(struct weir__stopped *stopped, struct weir__offset *offset, enum beginning *beginning,
                 struct weir_error *reterr)
{
    struct weir__tp tp = offset->tp;
    int64_t         begun;
    int             err = weir__stopped_committed(stopped, tp, offset, &begun, reterr);

    *offset = (struct weir__offset){ .tp = tp, .offset = -1 };
    if (err == WEIR_OK && *beginning == AT_END)
        return begin_at_end(stopped, offset, reterr);
    if (err < 0 || begun < 0)
        return err;
    *beginning = AT_RESET;
    return begin_at(stopped, offset, begun, reterr);
}

static int set_topic(struct reset *reset, struct weir__stopped *stopped, const char *topic, enum beginning *beginning,
                     struct weir_error *reterr)
{
    struct weir__offset *offsets;
    int32_t              count;
    int                  err = weir__stopped_count(stopped, topic, &count, reterr);

    if (err < 0 || count == 0)
        return err;
    offsets = weir_arena_alloc(&stopped->arena, sizeof(*offsets) * (size_t)count);
    if (offsets == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, topic, "out of memory");
    for (int32_t i = 0; err == WEIR_OK && i < count; i++) {
        offsets[i] = (struct weir__offset){ .tp = { topic, i }, .offset = -1 };
        err = begin(stopped, &offsets[i], beginning, reterr);
    }
    if (err < 0)
        return err;
    return reset->dry ? WEIR_OK : weir__stopped_set(stopped, offsets, (size_t)count, reterr);
}

static int set_input(struct reset *reset, struct weir__stopped *stopped, const struct weir__node *source,
                     const char *topic, struct weir_error *reterr)
{
    const struct weir__anew  anew = { .all = &reset->all, .named = &reset->plans };
    const struct weir__plan *maker = weir__maker_of(&anew, topic);
    enum beginning           beginning = maker != NULL ? AT_END : AT_FIRST;
    int                      err = set_topic(reset, stopped, topic, &beginning, reterr);

    if (err < 0)
        return err;
    reset->inputs++;
    if (beginning == AT_RESET)
        printf("  input    %s: %sread from where an earlier reset began\n", topic, would(reset));
    else if (maker != NULL)
        printf("  input    %s: %sread from its end, %s makes it anew\n", topic, would(reset), maker->topology->name);
    else
        printf("  input    %s: %sread from its %s\n", topic, would(reset),
               source->reset == WEIR_LATEST ? "end, as its source says" : "beginning");
    return WEIR_OK;
}

static int set_inputs(struct reset *reset, struct weir__stopped *stopped, struct weir_error *reterr)
{
    const struct weir__plan *plan = stopped->plan;
    int                      err = WEIR_OK;

    for (size_t i = 0; i < plan->node_count; i++)
        for (size_t j = 0; err == WEIR_OK && weir__is_input(plan, plan->nodes[i]) && j < plan->nodes[i]->topic_count;
             j++)
            err = set_input(reset, stopped, plan->nodes[i], plan->nodes[i]->topics[j], reterr);
    return err;
}

/* ---- topics ---- */

static int remove_topic(struct reset *reset, struct weir__stopped *stopped, const char *topic,
                        struct weir_error *reterr)
{
    int32_t count;
    int     err = weir__stopped_count(stopped, topic, &count, reterr);

    if (err < 0 || count == 0)
        return err;
    if (!reset->dry)
        err = stopped->looked->engine->remove(stopped->looked->log, &topic, 1, weir__stopped_call(stopped));
    if (err < 0 && err != WEIR_NOTFOUND)
        return weir__fail(reterr, err, topic, "the topic cannot be removed: %s; do this again", weir_code_text(err));
    printf("  topic    %s: %sremoved\n", topic, would(reset));
    reset->topics++;
    weir__crash_at(WEIR__AT_RESET);
    return WEIR_OK;
}

static int remove_topics(struct reset *reset, struct weir__stopped *stopped, struct weir_error *reterr)
{
    const struct weir__plan *plan = stopped->plan;
    int                      err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < plan->repartition_count; i++) {
        enum beginning beginning = AT_FIRST;

        err = set_topic(reset, stopped, plan->repartitions[i].topic, &beginning, reterr);
        if (err == WEIR_OK)
            err = remove_topic(reset, stopped, plan->repartitions[i].topic, reterr);
    }
    for (size_t i = 0; err == WEIR_OK && i < plan->store_count; i++) {
        const struct weir__store_plan *store = plan->stores[i];

        if (store->changelog != NULL && !store->global && !weir__plan_takes(plan, store->changelog))
            err = remove_topic(reset, stopped, store->changelog, reterr);
    }
    return err;
}

/* Those of an earlier shape of the topology are not known by name, and another application's may begin alike: people decide. */
struct leftovers {
    const struct weir__plans *all;
    const char               *application;
};

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), most = strlen(end);

    return size >= most && strcmp(text + size - most, end) == 0;
}

static bool knows(const struct weir__plan *plan, const char *topic)
{
    for (size_t i = 0; i < plan->repartition_count; i++)
        if (strcmp(plan->repartitions[i].topic, topic) == 0)
            return true;
    for (size_t i = 0; i < plan->store_count; i++)
        if (plan->stores[i]->changelog != NULL && strcmp(plan->stores[i]->changelog, topic) == 0)
            return true;
    return false;
}

static bool is_known(const struct weir__plans *all, const char *topic)
{
    for (size_t i = 0; i < all->count; i++)
        if (knows(all->items[i], topic))
            return true;
    return false;
}

static void note_leftover(void *arg, const char *topic)
{
    const struct leftovers *leftovers = arg;
    size_t                  size = strlen(leftovers->application);

    if (strncmp(topic, leftovers->application, size) == 0 && topic[size] == '-' &&
        (ends_with(topic, "-changelog") || ends_with(topic, "-repartition")) && !is_known(leftovers->all, topic))
        printf("note: %s is no internal topic of this shape of the topology: if it is of an earlier one, remove it\n",
               topic);
}

static int note_leftovers(const struct reset *reset, const struct weir__stopped *stopped, struct weir_error *reterr)
{
    struct leftovers leftovers = { .all = &reset->all, .application = stopped->plan->application };
    int              err =
        stopped->looked->engine->topics(stopped->looked->log, weir__stopped_call(stopped), note_leftover, &leftovers);

    return err < 0 ? weir__fail(reterr, err, "reset", "the log does not tell its topics: %s", weir_code_text(err))
                   : WEIR_OK;
}

/* ---- state ---- */

static int remove_state(struct reset *reset, struct weir__stopped *stopped, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (stopped->state == NULL)
        return WEIR_OK;
    if (!reset->dry)
        err = weir__state_dir_wipe(stopped->state, reterr);
    if (err < 0)
        return err;
    printf("  state    %s: %semptied\n", stopped->state, would(reset));
    reset->folders++;
    return WEIR_OK;
}

/* ---- the control record ---- */

static int mark_begun(void *arg, struct weir__control *control, struct weir_error *reterr)
{
    const struct weir__stopped *stopped = arg;

    if (control->unfinished) /* of a reset that was cut short */
        return WEIR_OK;
    control->unfinished = true;
    if (weir__control_raise(control, stopped->plan->application, reterr) < 0)
        return reterr->code;
    return weir__random_name(control->identity, sizeof(control->identity), stopped->plan->application, reterr);
}

static int mark_ended(void *arg, struct weir__control *control, struct weir_error *reterr)
{
    (void)arg, (void)reterr;
    control->unfinished = false;
    return WEIR_OK;
}

static int mark(struct weir__stopped *stopped, weir__control_change *change, struct weir_error *reterr)
{
    struct weir__control_at at = weir__stopped_control(stopped);
    struct weir__control    now;
    int                     err = weir__control_change_by(&at, change, stopped, &now, reterr);

    weir__crash_at(WEIR__AT_RESET);
    return err;
}

static int mark_all(struct reset *reset, weir__control_change *change, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && !reset->dry && i < reset->plans.count; i++)
        err = mark(&reset->stopped[i], change, reterr);
    return err;
}

/* ---- applications ---- */

static void print_head(const struct reset *reset, const struct weir__stopped *stopped)
{
    int64_t before = MAX(stopped->control.epoch, 1), after = before + 1;

    printf("%s (application %s)\n", stopped->plan->topology->name, stopped->plan->application);
    if (stopped->control.unfinished)
        printf("  epoch    %lld: of a reset that has not ended\n", (long long)before);
    else
        printf("  epoch    %lld, %sraised to %lld\n", (long long)before, would(reset), (long long)after);
}

static int reset_one(struct reset *reset, struct weir__stopped *stopped, struct weir_error *reterr)
{
    int err;

    print_head(reset, stopped);
    err = set_inputs(reset, stopped, reterr);
    if (err < 0)
        return err;
    weir__crash_at(WEIR__AT_RESET);
    err = remove_topics(reset, stopped, reterr);
    if (err == WEIR_OK)
        err = remove_state(reset, stopped, reterr);
    if (err == WEIR_OK)
        err = note_leftovers(reset, stopped, reterr);
    weir__crash_at(WEIR__AT_RESET);
    return err;
}

static void sum_up(const struct reset *reset)
{
    printf("%zu topologies %sreset: %zu inputs read again, %zu topics removed, %zu state folders emptied\n",
           reset->plans.count, would(reset), reset->inputs, reset->topics, reset->folders);
}

static int open_all(struct reset *reset, struct weir_error *reterr)
{
    int err = WEIR_OK;

    reset->stopped = weir__zalloc(sizeof(*reset->stopped) * (reset->plans.count + 1));
    if (reset->stopped == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "reset", "out of memory");
    for (size_t i = 0; i < reset->plans.count; i++)
        reset->stopped[i].lock = -1;
    for (size_t i = 0; err == WEIR_OK && i < reset->plans.count; i++)
        err = weir__stopped_open(reset->program, &reset->looked, reset->plans.items[i], &reset->stopped[i], reterr);
    return err;
}

static int reset_all(struct reset *reset, struct weir_error *reterr)
{
    int err = open_all(reset, reterr);

    if (err == WEIR_OK)
        err = mark_all(reset, mark_begun, reterr);
    for (size_t i = 0; err == WEIR_OK && i < reset->plans.count; i++)
        err = reset_one(reset, &reset->stopped[i], reterr);
    if (err == WEIR_OK)
        err = mark_all(reset, mark_ended, reterr);
    if (err < 0)
        return err;
    weir__print_readers(&(struct weir__anew){ .all = &reset->all, .named = &reset->plans });
    sum_up(reset);
    return WEIR_OK;
}

/* ---- the command ---- */

static int make_plans(struct reset *reset, const struct weir__args *args, struct weir_error *reterr)
{
    const struct weir_topology **named = NULL, **every = NULL;
    size_t                       count;
    int                          err;

    if (args->word_count == 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "reset", "name what is to begin anew: reset TOPOLOGY...");
    err = weir__choose_topologies(reset->program, args->words, args->word_count, &named, &count, reterr);
    if (err == WEIR_OK)
        err = weir__plans_make(reset->program, named, count, &reset->plans, reterr);
    if (err == WEIR_OK)
        err = weir__choose_topologies(reset->program, NULL, 0, &every, &count, reterr);
    if (err == WEIR_OK)
        err = weir__plans_make(reset->program, every, count, &reset->all, reterr);
    weir__free(named);
    weir__free(every);
    return err;
}

static int run_reset(struct weir__program *program, const struct weir__args *args)
{
    struct reset      reset = { .program = program, .dry = weir__args_has(args, "dry-run") };
    struct weir_error words = { 0 };
    int               err = make_plans(&reset, args, &words);

    reset.looked.dir.lock = -1;
    if (err == WEIR_OK)
        err = weir__looked_open_stopped(program, args, &reset.looked, &words);
    if (err == WEIR_OK)
        err = reset_all(&reset, &words);
    for (size_t i = 0; reset.stopped != NULL && i < reset.plans.count; i++)
        weir__stopped_close(&reset.stopped[i]);
    weir__free(reset.stopped);
    weir__looked_close(&reset.looked);
    weir__plans_fini(&reset.plans);
    weir__plans_fini(&reset.all);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = "dry-run", .meaning = "prints what would be done, and does nothing" },
    { .name = NULL },
};
const struct weir__command weir__command_reset = {
    .name = "reset",
    .usage = "reset TOPOLOGY... [--dir DIR] [--dry-run]",
    .meaning =
        "Lets topologies begin anew, while they are stopped: committed offsets, internal topics and state go, the epoch rises; "
        "on Kafka where kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_reset,
    .audited = "data_processing",
};
