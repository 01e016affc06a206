/* seats.c: the tasks of a thread, made and closed as partitions come and go.
 *
 * (1) Placement: exactly the partitions of the last ASSIGNED. A sub-topology with state has a task per partition
 *     number; one without has a task per topic partition.
 *     A task with state opens only where all its inputs were given to the same thread.
 * (2) Order of taking a task: the producer has resolved its predecessor, committed offsets, ends of the changelogs
 *     read uncommitted, restore, process. Any other order can lose updates.
 */
#include "framework/metrics/families.h"
#include "framework/runtime/internal.h"

#include <time.h>

static const struct weir__subtopology *sub_of(const struct weir__thread *thread, const struct weir__seat *seat)
{
    return &thread->app->plan->subs[seat->sub];
}

static int fail_memory(const struct weir__thread *thread, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, thread->app->plan->topology->name, "no memory for a task");
}

static bool same_tp(struct weir__tp a, const char *topic, int32_t partition)
{
    return a.partition == partition && (a.topic == topic || strcmp(a.topic, topic) == 0);
}

struct weir__input *weir__seats_input(struct weir__thread *thread, const char *topic, int32_t partition,
                                      struct weir__seat **ret_seat)
{
    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];

        for (size_t j = 0; seat->partition == partition && j < seat->input_count; j++) {
            if (!same_tp(seat->inputs[j].tp, topic, partition))
                continue;
            *ret_seat = seat;
            return &seat->inputs[j];
        }
    }
    return NULL;
}

static bool is_assigned(const struct weir__thread *thread, struct weir__tp tp)
{
    for (size_t i = 0; i < thread->assigned_count; i++)
        if (same_tp(thread->assigned[i], tp.topic, tp.partition))
            return true;
    return false;
}

/* ---- closing ---- */

static void free_seat(struct weir__app *app, struct weir__seat *seat)
{
    if (seat->shown != NULL)
        weir__hide(app, seat->shown);
    weir__task_close(seat->task);
    weir__arena_fini(&seat->arena);
    weir__free(seat->dir);
    weir__free(seat);
}

static void count_seats(struct weir__thread *thread)
{
    size_t restoring = 0;

    for (size_t i = 0; i < thread->seat_count; i++)
        restoring += !thread->seats[i]->running;
    atomic_store(&thread->tasks, thread->seat_count);
    atomic_store(&thread->restoring, restoring);
}

void weir__seats_close(struct weir__thread *thread)
{
    atomic_store(&thread->holds_assignment, false);
    weir__restore_stop(thread);
    for (size_t i = 0; i < thread->seat_count; i++)
        free_seat(thread->app, thread->seats[i]);
    thread->seat_count = 0;
    count_seats(thread);
    weir__waits_anew(thread);
}

/* ---- offsets ---- */

static int reset_of(const struct weir__app *app, const struct weir__seat *seat, const char *topic)
{
    const struct weir__subtopology *sub = &app->plan->subs[seat->sub];

    for (size_t i = 0; i < sub->node_count; i++)
        for (size_t j = 0; sub->nodes[i]->op == WEIR__SOURCE && j < sub->nodes[i]->topic_count; j++)
            if (!sub->nodes[i]->internal && strcmp(sub->nodes[i]->topics[j], topic) == 0)
                return sub->nodes[i]->reset;
    return WEIR_EARLIEST;
}

/* Where an input without a usable committed offset begins. */
static int reset_input(struct weir__thread *thread, struct weir__seat *seat, struct weir__input *input,
                       struct weir_error *reterr)
{
    struct weir__ends ends;
    int               reset = reset_of(thread->app, seat, input->tp.topic);
    int               err = weir__app_ends(thread->app, thread, input->tp, &ends);

    if (err < 0)
        return weir__fail(reterr, err, input->tp.topic,
                          "the log does not tell where partition %d begins and ends: %s", input->tp.partition,
                          weir_code_text(err));
    if (input->position >= ends.low && input->position <= ends.end)
        return WEIR_OK;
    if (input->position >= 0)
        weir__say(WEIR__WARN, "offset-out-of-range", "topic", "s", input->tp.topic, "partition", "i",
                  (int64_t)input->tp.partition, "committed", "i", input->position, "low", "i", ends.low, "end", "i",
                  ends.end, NULL);
    if (reset == WEIR_NONE)
        return weir__fail(reterr, WEIR_BAD_STATE, input->tp.topic,
                          "partition %d has no usable committed offset and the source says WEIR_NONE: set the offset",
                          input->tp.partition);
    input->position = reset == WEIR_LATEST ? ends.stable : ends.low;
    return WEIR_OK;
}

/* Once for a wait: from outside, an unresolved transaction and a broker that is away look alike. */
static void say_waits(const struct weir__thread *thread, const struct weir__seat *seat)
{
    weir__say(WEIR__INFO, "waiting-for-offsets", "topology", "s", thread->app->plan->topology->name, "task", "s",
              sub_of(thread, seat)->folder, "partition", "i", (int64_t)seat->partition, "why", "s",
              "a transaction of the former owner is not resolved yet, or no broker answers", NULL);
}

static int ask_committed(struct weir__thread *thread, struct weir__seat *seat, struct weir__offset *offsets)
{
    struct weir__app *app = thread->app;
    int               err, tries = 0;

    do {
        if (tries++ == 1)
            say_waits(thread, seat);
        err = app->config.engine->committed(app->config.log, app->plan->application, offsets, seat->input_count,
                                            &seat->arena, weir__app_now(app) + WEIR__CALL_MS);
    } while (weir__thread_again(thread, &err));
    return err;
}

/* Positions and metadata as committed. */
static int fetch_offsets(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    struct weir__offset *offsets = weir_arena_alloc(&seat->arena, sizeof(*offsets) * (seat->input_count + 1));
    int                  err;

    if (offsets == NULL)
        return fail_memory(thread, reterr);
    for (size_t i = 0; i < seat->input_count; i++)
        offsets[i] = (struct weir__offset){ .tp = seat->inputs[i].tp, .offset = -1 };
    err = ask_committed(thread, seat, offsets);
    if (err < 0)
        return weir__fail(reterr, err, thread->app->plan->application, "the committed offsets cannot be read: %s",
                          weir_code_text(err));
    for (size_t i = 0; err == WEIR_OK && i < seat->input_count; i++) {
        struct weir__input *input = &seat->inputs[i];

        input->position = input->committed = offsets[i].offset;
        input->metadata = offsets[i].metadata;
        input->held = false;
        err = reset_input(thread, seat, input, reterr);
        input->begin = input->position;
    }
    return err;
}

int weir__seat_seek(struct weir__seat *seat, struct weir_error *reterr)
{
    for (size_t i = 0; i < seat->input_count; i++) {
        struct weir__input *input = &seat->inputs[i];
        int                 err = weir__task_seek(seat->task, input->tp.topic, input->position, input->metadata);

        if (err < 0)
            return weir__fail(reterr, err, input->tp.topic, "the task of partition %d cannot take this input: %s",
                              seat->partition, weir_code_text(err));
        weir__task_lag(seat->task, input->tp.topic, -1);
    }
    return WEIR_OK;
}

int weir__seats_rewind(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];

        if (!seat->running)
            continue;
        weir__task_drop(seat->task);
        err = fetch_offsets(thread, seat, reterr);
        if (err == WEIR_OK)
            err = weir__seat_seek(seat, reterr);
        if (err == WEIR_OK)
            err = weir__task_start(seat->task, reterr);
    }
    return err == WEIR_OK ? weir__seats_take(thread, reterr) : err;
}

int weir__seats_take(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir__app    *app = thread->app;
    struct weir__offset *from;
    size_t               count = 0;
    int                  err;

    weir__arena_reset(&thread->commit_arena);
    from = weir_arena_alloc(&thread->commit_arena, sizeof(*from) * (thread->assigned_count + 1));
    if (from == NULL)
        return fail_memory(thread, reterr);
    for (size_t i = 0; i < thread->seat_count; i++) {
        struct weir__seat *seat = thread->seats[i];

        for (size_t j = 0; seat->running && j < seat->input_count; j++) {
            if (seat->inputs[j].held)
                (void)app->config.engine->hold(thread->consumer, seat->inputs[j].tp, false);
            seat->inputs[j].held = false;
            weir__task_lag(seat->task, seat->inputs[j].tp.topic, -1);
            from[count++] = (struct weir__offset){ .tp = seat->inputs[j].tp, .offset = seat->inputs[j].position };
        }
    }
    do
        err = app->config.engine->take(thread->consumer, from, count);
    while (weir__thread_again(thread, &err));
    return err < 0 ? weir__fail(reterr, err, app->plan->application, "the consumer does not take its partitions: %s",
                                weir_code_text(err))
                   : WEIR_OK;
}

/* ---- opening ---- */

static int reader_of(const struct weir__app *app, const char *topic)
{
    for (size_t i = 0; i < app->input_count; i++)
        if (strcmp(app->inputs[i], topic) == 0)
            return app->input_subs[i];
    return -1;
}

static bool is_internal(const struct weir__app *app, const char *topic)
{
    const struct weir__topic_use *use = weir__topics_find(&app->topics, topic);

    return use != NULL && !use->user;
}

static struct weir__series *consumed_of(struct weir__thread *thread, const char *topic)
{
    const char *labels[] = { thread->app->plan->topology->name, topic };

    return weir__metric_of(thread->app->config.metrics, WEIR__CONSUMED_FAMILY, labels);
}

static int list_inputs(struct weir__thread *thread, struct weir__seat *seat)
{
    seat->inputs = weir_arena_alloc(&seat->arena, sizeof(*seat->inputs) * (thread->assigned_count + 1));
    if (seat->inputs == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < thread->assigned_count; i++) {
        struct weir__tp tp = thread->assigned[i];

        if (tp.partition != seat->partition || reader_of(thread->app, tp.topic) != seat->sub ||
            (seat->topic != NULL && strcmp(seat->topic, tp.topic) != 0))
            continue;
        seat->inputs[seat->input_count++] = (struct weir__input){ .tp = tp,
                                                                  .position = -1,
                                                                  .committed = -1,
                                                                  .internal = is_internal(thread->app, tp.topic),
                                                                  .consumed = consumed_of(thread, tp.topic) };
    }
    return WEIR_OK;
}

static int name_dir(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    const struct weir__subtopology *sub = sub_of(thread, seat);
    const char                     *parent = thread->app->state.path;
    size_t                          size;

    if (parent == NULL || sub->store_count == 0)
        return WEIR_OK;
    size = strlen(parent) + strlen(sub->folder) + 16;
    seat->dir = weir__alloc(size);
    if (seat->dir == NULL)
        return fail_memory(thread, reterr);
    snprintf(seat->dir, size, "%s/%s_%d", parent, sub->folder, seat->partition);
    return weir__make_dirs(seat->dir, reterr);
}

static int64_t now_of(void *arg) { return weir__app_now(arg); }

static int make_task(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    struct weir__app                *app = thread->app;
    const struct weir__app_settings *settings = &app->settings;
    const char             **topics = weir_arena_alloc(&seat->arena, sizeof(*topics) * (seat->input_count + 1));
    struct weir__task_config config = { .plan = app->plan,
                                        .settings = app->config.settings,
                                        .subs = &seat->sub,
                                        .sub_count = 1,
                                        .partition = seat->partition,
                                        .dir = seat->dir,
                                        .engines = app->config.engines,
                                        .globals = thread->globals,
                                        .metrics = app->config.metrics,
                                        .send = weir__thread_send,
                                        .send_arg = thread,
                                        .put = weir__outlets_put,
                                        .put_arg = thread,
                                        .now = now_of,
                                        .now_arg = app,
                                        .transactional =
                                            settings->exactly_once && app->config.engine->marks(app->config.log),
                                        .on_unreadable = settings->on_unreadable,
                                        .on_failure = settings->on_failure,
                                        .on_refused = settings->on_refused,
                                        .letters_per_second = settings->letters_per_second,
                                        .cache_bytes = app->memory.cache,
                                        .dirty_bytes = app->memory.dirty,
                                        .hold_bytes = app->memory.held,
                                        .record_memory = app->memory.record,
                                        .max_record_bytes = settings->max_record_bytes,
                                        .least_time = settings->least_time,
                                        .db_memory = app->memory.buffers,
                                        .close_interval = settings->close_interval,
                                        .idle = settings->task_idle,
                                        .epoch = app->control.epoch,
                                        .refresh = weir__follow_anew,
                                        .fresh = weir__follow_fresh,
                                        .tell = weir__told,
                                        .waits_arg = thread,
                                        .topics = topics };

    if (topics == NULL)
        return fail_memory(thread, reterr);
    for (size_t i = 0; i < seat->input_count; i++)
        topics[i] = seat->inputs[i].tp.topic;
    return weir__task_new(&config, &seat->task, reterr);
}

#define WAITS_SAID 400 /* of 5 ms */

static void nap(void) { nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL); }

/* A folder may still be held by another thread of ours that has not seen its revocation, for as long as no broker answers that
 * one; no other process has it, for the whole state is locked. */
static int await_folder(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *words)
{
    int err = make_task(thread, seat, words), tries = 0;

    while (err == WEIR_BUSY && !atomic_load(&thread->app->closing)) {
        if (++tries == WAITS_SAID)
            weir__say_error(WEIR__WARN, "waiting-for-state", words);
        nap();
        weir__thread_beat(thread);
        if (weir__thread_hears_end(thread))
            return weir__fail(words, WEIR_LOST, seat->dir,
                              "the generation ended while another thread held the folder");
        err = make_task(thread, seat, words);
    }
    return err;
}

/* A damaged folder is made anew from its changelogs. */
static int open_task(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    struct weir_error err_words = { 0 };
    int               err = await_folder(thread, seat, &err_words);

    if (err == WEIR_CORRUPT && seat->dir != NULL) {
        weir__say_error(WEIR__WARN, "state-damaged-restoring", &err_words);
        err = weir__discard_tree(seat->dir, &err_words);
        if (err == WEIR_OK)
            err = weir__make_dirs(seat->dir, &err_words);
        if (err == WEIR_OK)
            err = make_task(thread, seat, &err_words);
    }
    if (err < 0 && reterr != NULL)
        *reterr = err_words;
    return err;
}

static int fill_seat(struct weir__thread *thread, struct weir__seat *seat, struct weir_error *reterr)
{
    int err;

    if (list_inputs(thread, seat) < 0)
        return fail_memory(thread, reterr);
    err = fetch_offsets(thread, seat, reterr);
    if (err == WEIR_OK)
        err = name_dir(thread, seat, reterr);
    if (err == WEIR_OK)
        err = open_task(thread, seat, reterr);
    if (err == WEIR_OK)
        err = weir__seat_seek(seat, reterr);
    if (err == WEIR_OK && weir__seat_show(thread, seat) < 0)
        return fail_memory(thread, reterr);
    return err == WEIR_OK ? weir__restore_begin(thread, seat, reterr) : err;
}

static int open_seat(struct weir__thread *thread, int sub, struct weir__tp tp, struct weir_error *reterr)
{
    struct weir__seat *seat;
    int                err;

    if (GROW(thread->seats, thread->seat_capacity, thread->seat_count) < 0)
        return fail_memory(thread, reterr);
    seat = weir__zalloc(sizeof(*seat));
    if (seat == NULL)
        return fail_memory(thread, reterr);
    seat->sub = sub;
    seat->partition = tp.partition;
    seat->topic = thread->app->plan->subs[sub].stateful ? NULL : tp.topic;
    weir__arena_init(&seat->arena, 0);
    thread->seats[thread->seat_count++] = seat;
    err = fill_seat(thread, seat, reterr);
    if (err < 0) {
        thread->seat_count--;
        free_seat(thread->app, seat);
    }
    return err;
}

/* The input of a task with state that the group has given to somebody else; NULL = there is none. */
static const char *missing_input(const struct weir__thread *thread, int sub, int32_t partition)
{
    const struct weir__app *app = thread->app;

    for (size_t i = 0; app->plan->subs[sub].stateful && i < app->input_count; i++)
        if (app->input_subs[i] == sub &&
            !is_assigned(thread, (struct weir__tp){ .topic = app->inputs[i], .partition = partition }))
            return app->inputs[i];
    return NULL;
}

/* A group of named and unnamed members has no order among them, and may part a task's inputs: two would have its state. */
static void say_parted(struct weir__thread *thread, struct weir__tp tp, const char *missing)
{
    if (!atomic_exchange(&thread->parted, true))
        weir__say(
            WEIR__ERROR, "task-parted", "topology", "s", thread->app->plan->topology->name, "partition", "i",
            (int64_t)tp.partition, "given", "s", tp.topic, "not", "s", missing, "remedy", "s",
            "the group gave one task's inputs to two members: let all processes of the application have an instance.id, "
            "or none of them",
            NULL);
}

static int open_seat_of(struct weir__thread *thread, struct weir__tp tp, struct weir_error *reterr)
{
    struct weir__seat *seat;
    int                sub = reader_of(thread->app, tp.topic);
    const char        *missing;

    if (sub < 0 || weir__seats_input(thread, tp.topic, tp.partition, &seat) != NULL)
        return WEIR_OK;
    missing = missing_input(thread, sub, tp.partition);
    if (missing == NULL)
        return open_seat(thread, sub, tp, reterr);
    say_parted(thread, tp, missing);
    return WEIR_OK;
}

int weir__seats_open(struct weir__thread *thread, struct weir_error *reterr)
{
    int err = WEIR_OK;

    atomic_store(&thread->holds_assignment, false);
    atomic_store(&thread->parted, false);
    if (thread->globals == NULL) /* a recovery may have failed half way */
        err = weir__follow_open(thread, reterr);
    for (size_t i = 0; err == WEIR_OK && i < thread->assigned_count; i++)
        err = open_seat_of(thread, thread->assigned[i], reterr);
    if (err == WEIR_OK)
        err = weir__restore_read(thread, reterr);
    count_seats(thread);
    if (err == WEIR_OK)
        err = weir__seats_take(thread, reterr);
    atomic_store(&thread->holds_assignment, err == WEIR_OK && thread->has_token && !atomic_load(&thread->parted));
    return err;
}

/* ---- assignment ---- */

/* The app's own copy of a topic's name: events are borrowed. */
static const char *own_name(const struct weir__app *app, const char *topic)
{
    for (size_t i = 0; i < app->input_count; i++)
        if (strcmp(app->inputs[i], topic) == 0)
            return app->inputs[i];
    return NULL;
}

/* The membership is given up with its assignment. */
static int give_membership_up(struct weir__thread *thread, struct weir_error *reterr)
{
    struct weir_error words = *reterr;

    return weir__fail(reterr, WEIR_LOST, thread->app->plan->application, "the control record cannot be read: %.300s",
                      words.text);
}

/* A task that is still there is of an ended generation, whatever became of its partitions meanwhile: others may have committed. */
int weir__seats_assign(struct weir__thread *thread, const struct weir__log_event *event, struct weir_error *reterr)
{
    struct weir__tp *tps;
    int              err;

    thread->token = event->token;
    thread->has_token = true;
    thread->must_poll = false;                        /* of a former wait whose end nobody minded */
    err = weir__thread_check_control(thread, reterr); /* it may have been away, or long in coming */
    if (err < 0)                                      /* by a recovery that went on here the event would be lost */
        return weir_code_scope(err) == WEIR_SCOPE_TASK ? give_membership_up(thread, reterr) : err;
    tps = weir__alloc(sizeof(*tps) * (event->count + 1));
    if (tps == NULL)
        return fail_memory(thread, reterr);
    weir__free(thread->assigned);
    thread->assigned = tps;
    thread->assigned_count = 0;
    for (size_t i = 0; i < event->count; i++) {
        const char *topic = own_name(thread->app, event->tps[i].topic);

        if (topic != NULL)
            tps[thread->assigned_count++] = (struct weir__tp){ .topic = topic, .partition = event->tps[i].partition };
    }
    atomic_fetch_add(&thread->activity, 1);
    weir__say(WEIR__DEBUG, "assigned", "topology", "s", thread->app->plan->topology->name, "thread", "i",
              (int64_t)thread->index, "partitions", "i", (int64_t)thread->assigned_count, NULL);
    weir__seats_close(thread);
    return weir__seats_open(thread, reterr);
}
