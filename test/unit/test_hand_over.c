/* test_hand_over.c: a task goes from member to member, at the moments that lose or double records where a rule is broken:
 * a marker has not landed yet, a membership is gone while its owner commits, a zombie writes behind the new owner.
 *
 * Members are applications in this process, over one log in memory. One thread can be stopped at a place that it passes.
 */
#include "test/unit/hand_over.h"

#include <pthread.h>

/* ---- what goes on, and who is stopped ---- */

enum place { NOWHERE, SENDING, COMMITTING, POLLING };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  moved = PTHREAD_COND_INITIALIZER;
static enum place      stop_at; /* whoever passes first */
static bool            stopped, may_go_on;
static int             asked, commits, joins, unstable, ends_told, polls_after;
static int             sent, assigned, losses, polls_after_loss, control_asked;
static int             silent;     /* the input does not tell where it ends */
static bool            landing;    /* what is committed is known at once */
static bool            lsos_count; /* the broken rule: a partition ends where committed reading does */

static void tell(int *count)
{
    pthread_mutex_lock(&gate);
    ++*count;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&gate);
}

static void await(const int *count, int want)
{
    pthread_mutex_lock(&gate);
    while (*count < want)
        pthread_cond_wait(&moved, &gate);
    pthread_mutex_unlock(&gate);
}

static int seen(const int *count)
{
    int value;

    pthread_mutex_lock(&gate);
    value = *count;
    pthread_mutex_unlock(&gate);
    return value;
}

static void pass(enum place place)
{
    pthread_mutex_lock(&gate);
    if (stop_at == place) {
        stop_at = NOWHERE;
        stopped = true;
        pthread_cond_broadcast(&moved);
        while (!may_go_on)
            pthread_cond_wait(&moved, &gate);
        stopped = may_go_on = false;
    }
    pthread_mutex_unlock(&gate);
}

static void stop_next(enum place place)
{
    pthread_mutex_lock(&gate);
    stop_at = place;
    pthread_mutex_unlock(&gate);
}

static void await_stopped(void)
{
    pthread_mutex_lock(&gate);
    while (!stopped)
        pthread_cond_wait(&moved, &gate);
    pthread_mutex_unlock(&gate);
}

static void let_go_on(void)
{
    pthread_mutex_lock(&gate);
    may_go_on = true;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&gate);
}

static void land_all(void) { weir__embedded_land(logs, (struct weir__tp){ NULL, -1 }); }

static void set_landing(bool on)
{
    pthread_mutex_lock(&gate);
    landing = on;
    pthread_mutex_unlock(&gate);
    if (on)
        land_all();
}

static bool is_landing(void)
{
    bool on;

    pthread_mutex_lock(&gate);
    on = landing;
    pthread_mutex_unlock(&gate);
    return on;
}

/* ---- the engine ---- */

static int watched_send(struct weir__producer *producer, const struct weir__raw *raw, uint64_t cookie)
{
    int code;

    pass(SENDING);
    code = weir__embedded_engine.send(producer, raw, cookie);
    tell(&sent);
    return code;
}

static int watched_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                          int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    int code;

    tell(&asked);
    pass(COMMITTING);
    code = weir__embedded_engine.commit(producer, group, consumer, token, offsets, count, deadline);
    if (is_landing())
        land_all();
    if (code == WEIR_OK)
        tell(&commits);
    return code;
}

static int watched_join(struct weir__log *log, const char *group, const char *instance, const char *const *topics,
                        size_t count, struct weir__consumer **ret, struct weir_error *reterr)
{
    int code = weir__embedded_engine.join(log, group, instance, topics, count, ret, reterr);

    tell(&joins);
    return code;
}

/* Without waiting for what lands by hand. */
static int watched_committed(struct weir__log *log, const char *group, struct weir__offset *offsets, size_t count,
                             struct weir_arena *arena, int64_t deadline)
{
    int code = weir__embedded_engine.committed(log, group, offsets, count, arena, engine.now(log));

    (void)deadline;
    if (code == WEIR_AGAIN)
        tell(&unstable);
    return code;
}

static void note_event(const struct weir__log_event *event)
{
    if (event->kind == WEIR__END && strcmp(event->tps[0].topic, CHANGELOG) == 0)
        tell(&ends_told);
    if (event->kind == WEIR__ASSIGNED)
        tell(&assigned);
    if (event->kind == WEIR__LOST_TPS)
        tell(&losses);
}

/* Notes what was told, and who came around after that. */
static int watched_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    int code;

    if (seen(&ends_told) > 0)
        tell(&polls_after);
    if (seen(&losses) > 0)
        tell(&polls_after_loss);
    pass(POLLING);
    code = weir__embedded_engine.poll(consumer, deadline, ret);
    if (code == WEIR_OK && ret->event != NULL)
        note_event(ret->event);
    return code;
}

static int watched_ends(struct weir__log *log, struct weir__tp tp, int64_t deadline, struct weir__ends *ret)
{
    int code;

    if (strcmp(tp.topic, "tallying-weir-control") == 0 && seen(&assigned) > 0)
        tell(&control_asked);
    code = seen(&silent) > 0 && strcmp(tp.topic, "words") == 0 ? WEIR_AGAIN
                                                               : weir__embedded_engine.ends(log, tp, deadline, ret);

    if (code == WEIR_OK && lsos_count)
        ret->end = ret->stable;
    return code;
}

static void set_up(void)
{
    set_up_hand_over();
    engine.send = watched_send;
    engine.commit = watched_commit;
    engine.join = watched_join;
    engine.committed = watched_committed;
    engine.poll = watched_poll;
    engine.ends = watched_ends;
    stop_at = NOWHERE;
    stopped = may_go_on = lsos_count = false;
    landing = true;
    asked = commits = joins = unstable = ends_told = polls_after = 0;
    sent = assigned = losses = polls_after_loss = silent = control_asked = 0;
}

static void tear_down(void)
{
    weir__embedded_engine.close(logs);
    tear_down_hand_over();
}

/* Until the application has committed that much of its input. */
static void await_committed(int64_t offset)
{
    int count = seen(&commits);

    while (committed_words() < offset)
        await(&commits, ++count);
}

static void expect_exact(const char *key, int64_t count)
{
    struct tally tally = tally_of("out", key);

    ck_assert_int_eq(tally.last, count);
    ck_assert_int_eq(tally.count, count);
    ck_assert(tally.exact);
}

/* ---- T4: the marker is on the offsets, none yet on the changelog ---- */

static bool is_restoring(struct weir__app *app)
{
    struct weir__app_state state;

    weir__app_state(app, &state);
    return state.restoring > 0;
}

/* The first member counts five records, then a sixth, and goes: that it is committed is known nowhere yet. */
static void leave_half_known(void)
{
    struct weir__app *first = start_member("first");
    int               before;

    send_words("k", 5);
    await_committed(5);
    set_landing(false);
    before = seen(&commits);
    send_words("k", 1);
    await(&commits, before + 1);
    stop_member(first);
}

/* The next member takes the task over while marker after marker lands. Whether it waited for the changelog's. */
static bool take_over(void)
{
    struct weir__app *second = start_member("second");
    bool              waited;

    await(&unstable, 2);
    ck_assert_int_eq(seen(&ends_told), 0); /* nothing is read back before the offsets are known */
    weir__embedded_land(logs, (struct weir__tp){ NULL, 0 });
    await(&ends_told, 1);
    await(&polls_after, 2);
    waited = is_restoring(second);
    set_landing(true);
    send_words("k", 1);
    await_committed(7);
    stop_member(second);
    return waited;
}

START_TEST(a_take_over_waits_for_the_position)
{
    struct weir__log_config config = { .quirks = true, .marker_delay = -1 };

    open_log(&config);
    leave_half_known();
    ck_assert(take_over());
    expect_exact("k", 7);
    ck_assert_int_eq(tally_of(CHANGELOG, "k").last, 7);
}
END_TEST

/* The same with the rule broken: the sixth record is not in the state, though its offset is committed. */
START_TEST(ending_at_the_last_stable_offset_would_lose_a_record)
{
    struct weir__log_config config = { .quirks = true, .marker_delay = -1 };

    open_log(&config);
    leave_half_known();
    lsos_count = true;
    ck_assert(!take_over());
    ck_assert_int_eq(tally_of("out", "k").last, 6);
    ck_assert(!tally_of("out", "k").exact);
}
END_TEST

/* ---- T32: committed, aborted and open transactions at a restore ---- */

static struct weir__producer *send_as(const char *id, const char *topic)
{
    static const char      row[16] = { 0 }; /* of the changelog: a timestamp and a count */
    struct weir__raw       raw = { .topic = topic, .timestamp = 1000, .key = BYTES("k", 1), .value = BYTES(row, 16) };
    struct weir__producer *producer;

    must(weir__embedded_engine.producer(logs, id, in_time(), &producer, &err) == WEIR_OK);
    must(weir__embedded_engine.send(producer, &raw, 0) == WEIR_OK);
    return producer;
}

/* What was aborted is passed over, what is open is waited for: the position decides. */
START_TEST(a_restore_passes_transactions_of_every_kind)
{
    struct weir__log_config config = { .quirks = true };
    struct weir__producer  *aborted, *open_one, *other;
    struct weir__app       *second;

    open_log(&config);
    second = start_member("first");
    send_words("k", 3);
    await_committed(3);
    stop_member(second);
    aborted = send_as("aborted", CHANGELOG);
    ck_assert_int_eq(weir__embedded_engine.abort(aborted, in_time()), WEIR_OK);
    open_one = send_as("open", CHANGELOG);
    other = send_as("other", "words");
    ck_assert_int_eq(weir__embedded_engine.commit(other, NULL, NULL, 0, NULL, 0, in_time()), WEIR_OK);
    second = start_member("second");
    await(&ends_told, 1);
    await(&polls_after, 2);
    ck_assert(is_restoring(second));
    ck_assert_int_eq(weir__embedded_engine.abort(open_one, in_time()), WEIR_OK);
    await_committed(4);
    stop_member(second);
    expect_exact("k", 4);
    ck_assert_int_eq(tally_of(CHANGELOG, "k").last, 4);
    weir__embedded_engine.producer_close(aborted);
    weir__embedded_engine.producer_close(open_one);
    weir__embedded_engine.producer_close(other);
}
END_TEST

/* ---- T7: the membership is reset while its owner commits ---- */

static struct weir__consumer *take_the_group(int64_t *ret_token)
{
    const char            *topic = "words";
    struct weir__consumer *other;
    struct weir__polled    polled;

    ck_assert_int_eq(weir__embedded_engine.join(logs, "tallying", NULL, &topic, 1, &other, &err), WEIR_OK);
    ck_assert_int_eq(weir__embedded_engine.poll(other, in_time(), &polled), WEIR_OK);
    ck_assert_int_eq(polled.event->kind, WEIR__ASSIGNED);
    ck_assert_uint_eq(polled.event->count, 1);
    *ret_token = polled.event->token;
    return other;
}

/* Before our own check: no commit is asked for. Behind it: the log refuses. Exact in either case. */
START_TEST(a_membership_that_is_gone_commits_nothing)
{
    struct weir__log_config config = { .quirks = true, .session_ms = 1000 };
    struct weir__consumer  *other;
    struct weir__app       *app;
    int                     before, done;
    int64_t                 token;

    open_log(&config);
    app = start_member("first");
    send_words("k", 3);
    await_committed(3);
    stop_next(_i == 0 ? SENDING : COMMITTING);
    send_words("k", 1);
    await_stopped();
    other = take_the_group(&token);
    before = seen(&asked);
    done = seen(&commits);
    let_go_on();
    await(&joins, 2); /* it has given up and joins anew */
    ck_assert_int_eq(seen(&asked), before);
    ck_assert_int_eq(seen(&commits), done);
    ck_assert_int_eq(committed_words(), 3);
    ck_assert_int_eq(weir__embedded_engine.leave(other, in_time()), WEIR_OK);
    await_committed(4);
    stop_member(app);
    expect_exact("k", 4);
}
END_TEST

/* ---- a generation that was missed ---- */

static void commit_words(struct weir__consumer *consumer, int64_t token, int64_t offset)
{
    struct weir__offset    at = { .tp = { "words", 0 }, .offset = offset };
    struct weir__producer *producer;

    must(weir__embedded_engine.producer(logs, "another", in_time(), &producer, &err) == WEIR_OK);
    ck_assert_int_eq(weir__embedded_engine.commit(producer, "tallying", consumer, token, &at, 1, in_time()), WEIR_OK);
    weir__embedded_engine.producer_close(producer);
}

/* Stays a member until the application has recovered from its loss and comes around again. */
static void stay_meanwhile(struct weir__consumer *consumer)
{
    struct weir__polled polled = { 0 };

    while (polled.event == NULL) /* the application has joined again */
        ck_assert_int_ge(weir__embedded_engine.poll(consumer, engine.now(logs) + 10, &polled), WEIR_AGAIN);
    ck_assert_int_eq(polled.event->kind, WEIR__REVOKED);
    await(&polls_after_loss, 1);
}

/* A member that was away so long that its transaction has ended, too, begins where others have committed meanwhile, and not
 * where it looked when it came back. */
START_TEST(a_task_does_not_go_on_in_a_later_generation)
{
    struct weir__log_config config = { .quirks = true, .session_ms = 2000, .transaction_ms = 1000 };
    struct weir__consumer  *other;
    struct weir__app       *app;
    int64_t                 token;

    open_log(&config);
    set("commit.interval.ms", "60000");
    app = start_member("first");
    send_words("k", 1);
    await(&sent, 2); /* the output and the changelog's */
    stop_next(POLLING);
    await_stopped();
    other = take_the_group(&token);
    let_go_on();
    stay_meanwhile(other);
    commit_words(other, token, 1);
    ck_assert_int_eq(weir__embedded_engine.leave(other, in_time()), WEIR_OK);
    await(&assigned, 2);
    send_words("k", 3);
    await(&sent, 8);
    stop_member(app);
    ck_assert_int_eq(committed_words(), 4);
    expect_exact("k", 3);
}
END_TEST

/* Or it would keep folders, its place in the group, and the group waiting, for as long as no broker answers. It stays a member. */
START_TEST(who_waits_for_an_answer_hears_that_its_generation_ends)
{
    struct weir__log_config config = { .quirks = true, .session_ms = 600000 };
    const char             *topic = "words";
    struct weir__consumer  *other;
    struct weir__app       *app;
    struct weir__polled     polled;

    open_log(&config);
    tell(&silent);
    app = start_member("first");
    await(&assigned, 1);
    ck_assert_int_eq(weir__embedded_engine.join(logs, "tallying", NULL, &topic, 1, &other, &err), WEIR_OK);
    ck_assert_int_eq(weir__embedded_engine.poll(other, in_time(), &polled), WEIR_OK);
    ck_assert_int_eq(polled.event->kind, WEIR__ASSIGNED);
    ck_assert_int_eq(seen(&joins), 1);
    ck_assert_int_eq(weir__embedded_engine.leave(other, in_time()), WEIR_OK);
    pthread_mutex_lock(&gate);
    silent = 0;
    pthread_mutex_unlock(&gate);
    send_words("k", 1);
    await_committed(1);
    stop_member(app);
    expect_exact("k", 1);
}
END_TEST

/* The application's own record is committed and not yet to be read when the first partitions come: that is no reset. */
START_TEST(a_record_whose_marker_is_late_is_waited_for)
{
    struct weir__log_config config = { .quirks = true, .marker_delay = -1 };
    struct weir__app       *app;

    open_log(&config);
    set_landing(false);
    app = start_member("first");
    await(&assigned, 1);
    await(&control_asked, 4);
    set_landing(true);
    send_words("k", 1);
    await_committed(1);
    stop_member(app);
    expect_exact("k", 1);
}
END_TEST

/* ---- T30: a zombie writes behind the new owner ---- */

/* Exactly once nothing is lost. At least once the zombie's changelog record lies behind the new owner's, and who restores
 * from it counts on without what that one had: state is then less than at least once, which is why it is warned of. */
static const struct {
    const char *delivery;
    int64_t     last;
} zombies[] = { { "exactly_once", 3 }, { "at_least_once", 2 } };

START_TEST(a_zombie_behind_the_new_owner)
{
    struct weir__log_config config = { .quirks = true, .session_ms = 1000, .transaction_ms = 1000 };
    struct weir__app       *first, *second, *third;

    open_log(&config);
    set("delivery", zombies[_i].delivery);
    first = start_member("first");
    stop_next(COMMITTING);
    send_words("k", 1);
    await_stopped();
    second = start_member("second");
    await_committed(1);
    send_words("k", 1);
    await_committed(2);
    let_go_on();
    await(&joins, 3); /* refused, it joins anew */
    stop_member(first);
    stop_member(second);
    ck_assert_int_eq(committed_words(), 2);
    third = start_member("third");
    send_words("k", 1);
    await_committed(3);
    stop_member(third);
    ck_assert_int_eq(tally_of("out", "k").last, zombies[_i].last);
    ck_assert(tally_of("out", "k").exact == (_i == 0));
}
END_TEST

START_TEST(state_at_least_once_is_warned_of)
{
    struct weir__log_config config = { .quirks = true };
    char                    path[128];
    struct weir__buf        said = { 0 };

    open_log(&config);
    snprintf(path, sizeof(path), "%s/said", dir);
    weir__log_setup(WEIR__WARN, false, open(path, O_WRONLY | O_CREAT, 0600));
    set("delivery", zombies[_i].delivery);
    stop_member(start_member("first"));
    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    ck_assert_int_eq(weir__read_file(path, &said, &err), WEIR_OK);
    weir__buf_putc(&said, '\0');
    ck_assert((strstr(said.data, "at-least-once-state") != NULL) == (_i == 1));
    weir__buf_fini(&said);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hand over");
    TCase *tests = tcase_create("members");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_take_over_waits_for_the_position);
    tcase_add_test(tests, ending_at_the_last_stable_offset_would_lose_a_record);
    tcase_add_test(tests, a_restore_passes_transactions_of_every_kind);
    tcase_add_loop_test(tests, a_membership_that_is_gone_commits_nothing, 0, 2);
    tcase_add_test(tests, a_task_does_not_go_on_in_a_later_generation);
    tcase_add_test(tests, who_waits_for_an_answer_hears_that_its_generation_ends);
    tcase_add_test(tests, a_record_whose_marker_is_late_is_waited_for);
    tcase_add_loop_test(tests, a_zombie_behind_the_new_owner, 0, (int)ARRAY_SIZE(zombies));
    tcase_add_loop_test(tests, state_at_least_once_is_warned_of, 0, (int)ARRAY_SIZE(zombies));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
