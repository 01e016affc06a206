/* cmd_replay.c: `replay`: an application reads again what it has read, from a time or from offsets on; its state stays.
 *
 * (1) Only backwards: what was not read yet is never passed over.
 * (2) What the offsets carry (times that windows have seen) stays: state goes on from where it is. Beside it stands up to where
 *     records were processed before.
 * (3) The epoch rises before the offsets are set: killed in between, nothing is read again under the old one.
 */
#include "framework/main/commands.h"
#include "framework/task/left.h"

/* One input partition: where the application stands, and where it goes. */
struct place {
    const struct weir__node *source;
    struct weir__tp          tp;
    bool                     begun; /* an offset is committed */
    struct weir_bytes        metadata;
    struct weir__ends        ends;
    int64_t                  floor; /* its first record of this life of the application */
    int64_t                  stands, to;
};

struct replay {
    const struct weir__program *program;
    const struct weir__args    *args;
    struct weir__looked         looked;
    struct weir__plans          plans; /* one */
    struct weir__plans          all;
    struct weir__stopped        stopped;
    struct place               *places;
    size_t                      count, capacity;
    bool                        dry, supersede;
};

/* ---- where it stands ---- */

static int read_place(struct replay *replay, struct place *place, struct weir_error *reterr)
{
    struct weir__stopped *stopped = &replay->stopped;
    struct weir__offset   offset;
    int64_t               begun;
    int                   err = weir__stopped_committed(stopped, place->tp, &offset, &begun, reterr);

    if (err < 0)
        return err;
    err = replay->looked.engine->ends(replay->looked.log, place->tp, weir__stopped_call(stopped), &place->ends);
    if (err < 0)
        return weir__fail(reterr, err, place->tp.topic, "the topic does not tell its ends: %s", weir_code_text(err));
    place->begun = offset.offset >= 0;
    place->metadata = offset.metadata;
    place->floor = MAX(place->ends.low, begun);
    if (place->begun)
        place->stands = MAX(offset.offset, place->ends.low);
    else
        place->stands = place->source->reset == WEIR_LATEST ? place->ends.stable : place->ends.low;
    place->to = place->stands;
    return WEIR_OK;
}

static int add_topic(struct replay *replay, const struct weir__node *source, const char *topic,
                     struct weir_error *reterr)
{
    int32_t count;
    int     err = weir__stopped_count(&replay->stopped, topic, &count, reterr);

    for (int32_t i = 0; err == WEIR_OK && i < count; i++) {
        struct place place = { .source = source, .tp = { topic, i } };

        err = read_place(replay, &place, reterr);
        if (err == WEIR_OK && GROW(replay->places, replay->capacity, replay->count) < 0)
            err = weir__fail(reterr, WEIR_NO_MEMORY, topic, "out of memory");
        if (err == WEIR_OK)
            replay->places[replay->count++] = place;
    }
    return err;
}

static int read_places(struct replay *replay, struct weir_error *reterr)
{
    const struct weir__plan *plan = replay->stopped.plan;
    int                      err = WEIR_OK;

    for (size_t i = 0; i < plan->node_count; i++)
        for (size_t j = 0; err == WEIR_OK && weir__is_input(plan, plan->nodes[i]) && j < plan->nodes[i]->topic_count;
             j++)
            err = add_topic(replay, plan->nodes[i], plan->nodes[i]->topics[j], reterr);
    return err;
}

/* ---- from a time ---- */

static int from_time(struct replay *replay, const char *text, int64_t time, struct weir_error *reterr)
{
    bool later = true; /* than all that is there */

    for (size_t i = 0; i < replay->count; i++) {
        struct place *place = &replay->places[i];
        int64_t       offset;
        int           err = replay->looked.engine->offset_at(replay->looked.log, place->tp, time,
                                                             weir__stopped_call(&replay->stopped), &offset);

        if (err < 0)
            return weir__fail(reterr, err, place->tp.topic, "the offset of a time cannot be found: %s",
                              weir_code_text(err));
        later = later && offset >= place->ends.stable;
        place->to = MIN(MAX(offset, place->floor), place->stands);
    }
    if (!later)
        return WEIR_OK;
    return weir__fail(
        reterr, WEIR_BAD_ARGUMENT, "--from",
        "no record of any input has an event time of %.60s or later: there is nothing to replay; take an "
        "earlier time",
        text);
}

/* ---- from offsets ---- */

static int fail_input(const struct replay *replay, const char *topic, struct weir_error *reterr)
{
    const char *near = weir__plans_suggest(&replay->plans, topic);

    if (near != NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from", "%.100s is no input of %s: did you mean \"%s\"?",
                          topic, replay->stopped.plan->topology->name, near);
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from", "%.100s is no input of %s: \"describe\" shows its sources",
                      topic, replay->stopped.plan->topology->name);
}

static int fail_partition(const struct replay *replay, const char *topic, int64_t partition,
                          struct weir_error *reterr)
{
    int32_t count;
    int     err = weir__stopped_count(&replay->stopped, topic, &count, reterr);

    if (err < 0)
        return err;
    if (count == 0)
        return weir__fail(reterr, WEIR_NOTFOUND, topic, "there is no such topic yet");
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from", "%s has no partition %lld: they go from 0 to %d", topic,
                      (long long)partition, count - 1);
}

static int find_place(struct replay *replay, const char *topic, int64_t partition, struct place **ret,
                      struct weir_error *reterr)
{
    if (!weir__plan_takes(replay->stopped.plan, topic))
        return fail_input(replay, topic, reterr);
    for (size_t i = 0; i < replay->count; i++)
        if (strcmp(replay->places[i].tp.topic, topic) == 0 && replay->places[i].tp.partition == partition) {
            *ret = &replay->places[i];
            return WEIR_OK;
        }
    return fail_partition(replay, topic, partition, reterr);
}

static int check_offset(const struct place *place, int64_t offset, struct weir_error *reterr)
{
    if (offset < place->ends.low)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from",
                          "%s:%d has no offset %lld any more, its first is %lld: take that or a later one",
                          place->tp.topic, place->tp.partition, (long long)offset, (long long)place->ends.low);
    if (offset < place->floor)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from",
                          "%s:%d is read from %lld on since a reset: what stands before that was made anew behind it",
                          place->tp.topic, place->tp.partition, (long long)place->floor);
    if (offset > place->ends.stable)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from", "%s:%d has no offset %lld, it ends at %lld",
                          place->tp.topic, place->tp.partition, (long long)offset, (long long)place->ends.stable);
    if (offset > place->stands)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from",
                          "%s:%d is read up to %lld only: from %lld on, what lies between would be left out",
                          place->tp.topic, place->tp.partition, (long long)place->stands, (long long)offset);
    return WEIR_OK;
}

static int fail_form(const char *text, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from",
                      "\"%.100s\" is no place: write a time such as 2025-01-02T14:30:00Z, an epoch, or "
                      "TOPIC:PARTITION=OFFSET",
                      text);
}

/* "TOPIC:PARTITION=OFFSET" */
static int from_offset(struct replay *replay, const char *text, struct weir_error *reterr)
{
    char         *topic = weir__arena_printf(&replay->stopped.arena, "%s", text), *equals, *colon;
    struct place *place = NULL;
    int64_t       partition, offset;
    int           err;

    if (topic == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "--from", "out of memory");
    equals = strrchr(topic, '=');
    *equals = '\0';
    colon = strrchr(topic, ':');
    if (colon == NULL || colon == topic)
        return fail_form(text, reterr);
    *colon = '\0';
    if (weir__parse_int64(colon + 1, &partition) < 0 || weir__parse_int64(equals + 1, &offset) < 0)
        return fail_form(text, reterr);
    err = find_place(replay, topic, partition, &place, reterr);
    if (err == WEIR_OK)
        err = check_offset(place, offset, reterr);
    if (err == WEIR_OK)
        place->to = offset;
    return err;
}

/* ---- both ---- */

static int read_from(struct replay *replay, const char *text, bool only, struct weir_error *reterr)
{
    int64_t time;

    if (strchr(text, '=') != NULL)
        return from_offset(replay, text, reterr);
    if (!weir__read_time(text, &time) && !weir__read_epoch(text, &time))
        return fail_form(text, reterr);
    if (!only)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from",
                          "a time is for all partitions: give it alone, or TOPIC:PARTITION=OFFSET several times");
    return from_time(replay, text, time, reterr);
}

static size_t count_replayed(const struct replay *replay)
{
    size_t count = 0;

    for (size_t i = 0; i < replay->count; i++)
        count += replay->places[i].to < replay->places[i].stands;
    return count;
}

static int find_to(struct replay *replay, struct weir_error *reterr)
{
    size_t given = 0;
    int    err = WEIR_OK;

    for (size_t i = 0; i < replay->args->given_count; i++)
        given += strcmp(replay->args->given[i].flag->name, "from") == 0;
    if (given == 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "replay",
                          "say from where: --from TIME or --from TOPIC:PARTITION=OFFSET");
    for (size_t i = 0; err == WEIR_OK && i < replay->args->given_count; i++)
        if (strcmp(replay->args->given[i].flag->name, "from") == 0)
            err = read_from(replay, replay->args->given[i].value, given == 1, reterr);
    if (err == WEIR_OK && count_replayed(replay) == 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from",
                          "nothing from there on was read yet: %s reads it when it is started",
                          replay->stopped.plan->topology->name);
    return err;
}

/* ---- doing it ---- */

static void print_all(const struct replay *replay)
{
    const struct weir__stopped *stopped = &replay->stopped;
    const char                 *would = replay->dry ? "would be " : "";
    int64_t                     before = MAX(stopped->control.epoch, 1);

    printf("%s (application %s)\n", stopped->plan->topology->name, stopped->plan->application);
    if (replay->supersede)
        printf("  epoch    %lld, %sraised to %lld\n", (long long)before, would, (long long)before + 1);
    for (size_t i = 0; i < replay->count; i++) {
        const struct place *place = &replay->places[i];

        printf("  input    %s:%d stands at %lld", place->tp.topic, place->tp.partition, (long long)place->stands);
        if (place->to < place->stands)
            printf(", %sread again from %lld\n", would, (long long)place->to);
        else
            printf("\n");
    }
    if (stopped->plan->stateful)
        printf("note: its state stays: a fold that does not know a record again takes it once more (\"reset\" begins "
               "anew)\n");
    weir__print_readers(&(struct weir__anew){ .all = &replay->all, .named = &replay->plans });
}

static void sum_up(const struct replay *replay)
{
    int64_t offsets = 0;

    for (size_t i = 0; i < replay->count; i++)
        offsets += MAX(replay->places[i].stands - replay->places[i].to, 0);
    printf("%s: %zu of %zu partitions, %lld offsets %sread again%s\n", replay->stopped.plan->topology->name,
           count_replayed(replay), replay->count, (long long)offsets, replay->dry ? "would be " : "",
           replay->supersede ? ", under a greater epoch" : "");
}

static int raise_epoch(void *arg, struct weir__control *control, struct weir_error *reterr)
{
    const struct weir__stopped *stopped = arg;

    if (control->epoch == 0 &&
        weir__random_name(control->identity, sizeof(control->identity), stopped->plan->application, reterr) < 0)
        return reterr->code;
    return weir__control_raise(control, stopped->plan->application, reterr);
}

static int supersede(struct replay *replay, struct weir_error *reterr)
{
    struct weir__control_at at = weir__stopped_control(&replay->stopped);
    struct weir__control    after;

    if (!replay->supersede)
        return WEIR_OK;
    return weir__control_change_by(&at, raise_epoch, &replay->stopped, &after, reterr);
}

static int set_places(struct replay *replay, struct weir_error *reterr)
{
    struct weir__offset *offsets = weir_arena_alloc(&replay->stopped.arena, sizeof(*offsets) * (replay->count + 1));
    size_t               count = 0;
    int                  err = offsets != NULL ? WEIR_OK : WEIR_NO_MEMORY;

    for (size_t i = 0; err == WEIR_OK && i < replay->count; i++) {
        const struct place *place = &replay->places[i];

        if (place->to >= place->stands)
            continue;
        offsets[count] = (struct weir__offset){ .tp = place->tp, .offset = place->to, .metadata = place->metadata };
        if (place->begun)
            err = weir__metadata_with(place->metadata, WEIR__REPLAYED, place->stands, &replay->stopped.arena,
                                      &offsets[count].metadata);
        count++;
    }
    if (err < 0)
        return weir__fail(reterr, err, "replay", "out of memory");
    return weir__stopped_set(&replay->stopped, offsets, count, reterr);
}

static int check_finished(const struct replay *replay, struct weir_error *reterr)
{
    if (!replay->stopped.control.unfinished)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_STATE, replay->stopped.plan->application,
                      "a reset of it has not ended: run \"reset %s\" again", replay->stopped.plan->topology->name);
}

static int replay_it(struct replay *replay, struct weir_error *reterr)
{
    int err = weir__stopped_open(replay->program, &replay->looked, replay->plans.items[0], &replay->stopped, reterr);

    if (err == WEIR_OK)
        err = check_finished(replay, reterr);
    if (err == WEIR_OK)
        err = read_places(replay, reterr);
    if (err == WEIR_OK)
        err = find_to(replay, reterr);
    if (err == WEIR_OK && !replay->dry)
        err = supersede(replay, reterr);
    if (err == WEIR_OK && !replay->dry) {
        weir__crash_at(WEIR__AT_RESET);
        err = set_places(replay, reterr);
    }
    if (err < 0)
        return err;
    print_all(replay);
    sum_up(replay);
    return WEIR_OK;
}

/* ---- the command ---- */

static int make_plans(struct replay *replay, struct weir_error *reterr)
{
    const struct weir_topology **chosen = NULL, **every = NULL;
    size_t                       count;
    int                          err;

    if (replay->args->word_count != 1)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "replay", "name one topology: replay TOPOLOGY --from PLACE");
    err = weir__choose_topologies(replay->program, replay->args->words, 1, &chosen, &count, reterr);
    if (err == WEIR_OK)
        err = weir__plans_make(replay->program, chosen, count, &replay->plans, reterr);
    if (err == WEIR_OK)
        err = weir__choose_topologies(replay->program, NULL, 0, &every, &count, reterr);
    if (err == WEIR_OK)
        err = weir__plans_make(replay->program, every, count, &replay->all, reterr);
    weir__free(chosen);
    weir__free(every);
    return err;
}

static int run_replay(struct weir__program *program, const struct weir__args *args)
{
    struct replay     replay = { .program = program,
                                 .args = args,
                                 .stopped = { .lock = -1 },
                                 .dry = weir__args_has(args, "dry-run"),
                                 .supersede = weir__args_has(args, "supersede") };
    struct weir_error words = { 0 };
    int               err = make_plans(&replay, &words);

    replay.looked.dir.lock = -1;
    if (err == WEIR_OK)
        err = weir__looked_open_stopped(program, args, &replay.looked, &words);
    if (err == WEIR_OK)
        err = replay_it(&replay, &words);
    weir__stopped_close(&replay.stopped);
    weir__free(replay.places);
    weir__looked_close(&replay.looked);
    weir__plans_fini(&replay.plans);
    weir__plans_fini(&replay.all);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "from",
      .value = "PLACE",
      .many = true,
      .meaning = "an event time (2025-01-02T14:30:00Z or an epoch), for all inputs; or TOPIC:PARTITION=OFFSET" },
    { .name = "supersede", .meaning = "raises the epoch: what is made goes before what was made earlier" },
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = "dry-run", .meaning = "prints what would be done, and does nothing" },
    { .name = NULL },
};
const struct weir__command weir__command_replay = {
    .name = "replay",
    .usage = "replay TOPOLOGY --from PLACE... [--supersede] [--dir DIR] [--dry-run]",
    .meaning = "Lets a topology read again what it has read, while it is stopped; its state stays; on Kafka where "
               "kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_replay,
    .audited = "data_processing",
};
