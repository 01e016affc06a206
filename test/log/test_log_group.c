/* test_log_group.c: members of groups and group-less readers: events, tokens, take, hold, wake. */
#include "test/log/suite.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct weir__consumer *join_as(const char *group, const char *topic)
{
    struct weir__consumer *consumer;

    must(engine->join(logs, group, NULL, &topic, 1, &consumer, &words));
    return consumer;
}

/* A member as a test drives it: polled in turns with others. */
struct member {
    struct weir__consumer *consumer;
    enum weir__event_kind  last;
    int                    events[4];
    int64_t                token;
    int32_t                partitions[16];
    size_t                 count; /* of partitions held */
};

static void take_event(struct member *member, const struct weir__log_event *event)
{
    member->last = event->kind;
    member->events[event->kind]++;
    if (event->kind == WEIR__END)
        return;
    member->count = 0;
    member->token = event->token;
    for (size_t i = 0; event->kind == WEIR__ASSIGNED && i < event->count; i++)
        member->partitions[member->count++] = event->tps[i].partition;
}

static void poll_in_turns(struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct weir__polled polled;
        int                 err = engine->poll(members[i].consumer, engine->now(logs), &polled);

        ck_assert(err == WEIR_OK || err == WEIR_AGAIN);
        if (err == WEIR_OK && polled.event != NULL)
            take_event(&members[i], polled.event);
        if (err == WEIR_OK)
            engine->release(members[i].consumer, polled.lease);
    }
}

static bool all_assigned(const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].events[WEIR__ASSIGNED] == 0)
            return false;
    return true;
}

/* Until each has been assigned what is dealt now. */
static void settle(struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        members[i].events[WEIR__ASSIGNED] = 0;
    do
        poll_in_turns(members, count);
    while (!all_assigned(members, count));
}

/* Two that join at once may be dealt to one after the other: until both are in the same generation. */
static void settle_two(struct member *members)
{
    do
        poll_in_turns(members, 2);
    while (!all_assigned(members, 2) || members[0].token != members[1].token);
}

START_TEST(one_member_gets_all_partitions_in_order)
{
    struct member member = { 0 };
    const char   *name;
    int32_t       members = 0;

    suite_begin(_i);
    name = name_of("input");
    make_topic(name, 3);
    member.consumer = join_as(name_of("group"), name);
    settle(&member, 1);
    ck_assert_uint_eq(member.count, 3);
    for (int32_t i = 0; i < 3; i++)
        ck_assert_int_eq(member.partitions[i], i);
    ck_assert(engine->valid(member.consumer, member.token));
    ck_assert(!engine->valid(member.consumer, member.token + 1));
    ck_assert_int_eq(engine->members(member.consumer, &members), WEIR_OK);
    ck_assert_int_eq(members, 1);
    leave(member.consumer);
    suite_end();
}
END_TEST

START_TEST(two_members_share_and_the_last_one_has_all_again)
{
    struct member members[2] = { 0 };
    const char   *name, *group;
    int64_t       first_token;
    int           seen[5] = { 0 };

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 5);
    members[0].consumer = join_as(group, name);
    settle(members, 1);
    first_token = members[0].token;
    members[1].consumer = join_as(group, name);
    settle(members, 2);
    ck_assert_int_gt(members[0].token, first_token);
    ck_assert_int_eq(members[0].token, members[1].token);
    ck_assert_int_eq(members[0].events[WEIR__REVOKED], 1);
    ck_assert(!engine->valid(members[0].consumer, first_token));
    ck_assert(engine->valid(members[0].consumer, members[0].token));
    ck_assert(engine->valid(members[1].consumer, members[1].token));
    ck_assert_uint_eq(members[0].count + members[1].count, 5);
    ck_assert_uint_ge(members[0].count, 2);
    ck_assert_uint_ge(members[1].count, 2);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < members[i].count; j++)
            ck_assert_int_eq(seen[members[i].partitions[j]]++, 0);
    first_token = members[1].token;
    leave(members[0].consumer);
    settle(&members[1], 1);
    ck_assert_int_gt(members[1].token, first_token);
    ck_assert_uint_eq(members[1].count, 5);
    leave(members[1].consumer);
    suite_end();
}
END_TEST

static int commit_as(struct weir__producer *producer, const struct member *member, const char *group,
                     const char *topic, int64_t offset)
{
    struct weir__offset at = { .tp = { topic, 0 }, .offset = offset };

    return engine->commit(producer, group, member->consumer, member->token, &at, 1, soon());
}

static bool is_refused(int code) { return code == WEIR_ABORT || code == WEIR_LOST; }

START_TEST(a_revoked_member_may_commit_until_it_polls_again)
{
    struct member          members[2] = { 0 };
    struct weir__producer *producer;
    struct weir__polled    polled;
    const char            *name, *group;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    members[0].consumer = join_as(group, name);
    settle(members, 1);
    ck_assert_int_eq(commit_as(producer, &members[0], group, name, 1), WEIR_OK);
    members[1].consumer = join_as(group, name);
    do
        ck_assert_int_ge(engine->poll(members[0].consumer, engine->now(logs), &polled), WEIR_AGAIN);
    while (polled.event == NULL || polled.event->kind != WEIR__REVOKED);
    ck_assert_uint_eq(polled.event->count, 1);
    ck_assert(engine->valid(members[0].consumer, members[0].token));
    ck_assert_int_eq(commit_as(producer, &members[0], group, name, 2), WEIR_OK);
    settle(members, 2);
    ck_assert_int_eq(committed_of(group, name, 0), 2);
    engine->producer_close(producer);
    leave(members[0].consumer);
    leave(members[1].consumer);
    suite_end();
}
END_TEST

START_TEST(an_old_token_commits_nothing)
{
    struct member          members[2] = { 0 };
    struct member          old;
    struct weir__producer *producer;
    const char            *name, *group;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 2);
    producer = new_producer(name_of("id"));
    members[0].consumer = join_as(group, name);
    settle(members, 1);
    old = members[0];
    members[1].consumer = join_as(group, name);
    settle(members, 2);
    send(producer, name, 0, "a", "1");
    ck_assert(is_refused(commit_as(producer, &old, group, name, 1)));
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    expect_partition(name, 0, "");
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    send(producer, name, 0, "b", "2");
    ck_assert_int_eq(commit_as(producer, &members[0], group, name, 1), WEIR_OK);
    expect_partition(name, 0, "b=2 ");
    engine->producer_close(producer);
    leave(members[0].consumer);
    leave(members[1].consumer);
    suite_end();
}
END_TEST

/* Nor one that never was, or that says that there is no membership: such a commit no broker would check. */
START_TEST(a_token_of_no_generation_commits_nothing)
{
    struct member          member = { 0 };
    struct weir__producer *producer;
    const char            *name, *group;
    int64_t                token;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    member.consumer = join_as(group, name);
    ck_assert(!engine->valid(member.consumer, -1)); /* it has none yet */
    member.token = -1;
    ck_assert(is_refused(commit_as(producer, &member, group, name, 1)));
    settle(&member, 1);
    token = member.token;
    member.token = -1;
    ck_assert(is_refused(commit_as(producer, &member, group, name, 1)));
    member.token = token + 1;
    ck_assert(is_refused(commit_as(producer, &member, group, name, 1)));
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    member.token = token;
    ck_assert_int_eq(commit_as(producer, &member, group, name, 1), WEIR_OK);
    engine->producer_close(producer);
    leave(member.consumer);
    suite_end();
}
END_TEST

/* A generation is what is checked, not whose the partition is: whoever deals partitions otherwise stands on that. */
START_TEST(a_partition_of_another_member_may_be_committed_in_the_same_generation)
{
    struct member          members[2] = { 0 };
    struct weir__producer *producer;
    const char            *name, *group;
    int                    other; /* who has not got partition 0 */

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 2);
    producer = new_producer(name_of("id"));
    members[0].consumer = join_as(group, name);
    members[1].consumer = join_as(group, name);
    settle_two(members);
    other = members[0].partitions[0] == 0;
    ck_assert_int_eq(commit_as(producer, &members[other], group, name, 1), WEIR_OK);
    ck_assert_int_eq(committed_of(group, name, 0), 1);
    engine->producer_close(producer);
    leave(members[0].consumer);
    leave(members[1].consumer);
    suite_end();
}
END_TEST

/* Stops this process; another one lets it go on. */
static void freeze(int64_t ms)
{
    pid_t waker = fork();

    ck_assert_int_ge(waker, 0);
    if (waker == 0) {
        nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
        kill(getppid(), SIGCONT);
        _exit(0);
    }
    raise(SIGSTOP);
    waitpid(waker, NULL, 0);
}

static void refuse_a_commit(struct weir__producer *producer, const struct member *member, const char *group,
                            const char *name)
{
    ck_assert(is_refused(commit_as(producer, member, group, name, 1)));
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
}

/* The library forgets its generation behind our back: what it would then commit no broker checks. */
START_TEST(a_member_that_was_frozen_for_too_long_commits_nothing)
{
    struct member          member = { 0 };
    struct weir__producer *producer;
    struct weir__polled    polled;
    const char            *name, *group;

    suite_session_ms = subjects[_i].distant ? 1500 : 200;
    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    member.consumer = join_as(group, name);
    settle(&member, 1);
    send(producer, name, 0, "a", "1");
    freeze(suite_session_ms * 2);
    while (engine->valid(member.consumer, member.token)) /* until it has been told */
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    refuse_a_commit(producer, &member, group, name);
    do
        ck_assert_int_ge(engine->poll(member.consumer, engine->now(logs), &polled), WEIR_AGAIN);
    while (polled.event == NULL);
    ck_assert_int_eq(polled.event->kind, WEIR__LOST_TPS);
    refuse_a_commit(producer, &member, group, name); /* now it has none, and has not joined again */
    settle(&member, 1);
    ck_assert_int_eq(commit_as(producer, &member, group, name, 1), WEIR_OK);
    expect_partition(name, 0, "");
    engine->producer_close(producer);
    leave(member.consumer);
    suite_session_ms = 0;
    suite_end();
}
END_TEST

/* Without transactions nothing guards the records: a member of old leaves them, and no offset. */
START_TEST(without_an_id_an_old_token_leaves_records_and_no_offset)
{
    struct member          members[2] = { 0 };
    struct member          old;
    struct weir__producer *producer;
    const char            *name, *group;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 2);
    producer = new_producer(NULL);
    members[0].consumer = join_as(group, name);
    settle(members, 1);
    old = members[0];
    members[1].consumer = join_as(group, name);
    settle(members, 2);
    send(producer, name, 0, "a", "1");
    ck_assert(is_refused(commit_as(producer, &old, group, name, 1)));
    commit(producer);
    expect_partition(name, 0, "a=1 ");
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    engine->producer_close(producer);
    leave(members[0].consumer);
    leave(members[1].consumer);
    suite_end();
}
END_TEST

START_TEST(a_subscribed_topic_that_grows_is_dealt_anew)
{
    struct member member = { 0 };
    const char   *name;

    suite_begin(_i);
    name = name_of("input");
    member.consumer = join_as(name_of("group"), name);
    if (!subjects[_i].distant) { /* a broker's group deals nothing before there is something */
        settle(&member, 1);
        ck_assert_uint_eq(member.count, 0);
    }
    make_topic(name, 2);
    settle(&member, 1);
    ck_assert_uint_eq(member.count, 2);
    must(engine->grow(logs, name, 3, soon(), &words));
    settle(&member, 1);
    ck_assert_uint_eq(member.count, 3);
    leave(member.consumer);
    suite_end();
}
END_TEST

/* ---- take, hold, end ---- */

static void take(struct weir__consumer *consumer, const char *topic, int32_t partition, int64_t from)
{
    struct weir__offset at = { .tp = { topic, partition }, .offset = from };

    ck_assert_int_eq(engine->take(consumer, &at, 1), WEIR_OK);
}

START_TEST(nothing_flows_before_take_and_then_from_its_offsets)
{
    struct member       member = { 0 };
    struct weir__polled polled;
    struct weir__buf    text = { 0 };
    const char         *name;

    suite_begin(_i);
    name = name_of("input");
    make_topic(name, 1);
    put(name, 0, "a=1 b=2 c=3");
    member.consumer = join_as(name_of("group"), name);
    settle(&member, 1);
    ck_assert_int_eq(engine->poll(member.consumer, engine->now(logs), &polled), WEIR_AGAIN);
    take(member.consumer, name, 0, 1);
    gather(member.consumer, 2, &text);
    expect_text(&text, "b=2 c=3 ");
    leave(member.consumer);
    suite_end();
}
END_TEST

START_TEST(take_replaces_the_whole_set)
{
    struct weir__consumer *reader;
    struct weir__polled    polled;
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("input");
    make_topic(name, 2);
    put(name, 0, "a=1 b=2");
    put(name, 1, "y=1 z=2");
    reader = new_tail(name, 0, 0);
    gather(reader, 2, &text);
    take(reader, name, 1, 0);
    gather(reader, 2, &text);
    put(name, 0, "c=3"); /* no longer ours */
    put(name, 1, "x=3");
    gather(reader, 1, &text);
    take(reader, name, 0, 1);
    gather(reader, 2, &text);
    expect_text(&text, "a=1 b=2 y=1 z=2 x=3 b=2 c=3 ");
    ck_assert_int_eq(engine->take(reader, NULL, 0), WEIR_OK);
    put(name, 0, "d=4");
    ck_assert_int_eq(engine->poll(reader, engine->now(logs), &polled), WEIR_AGAIN);
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(a_take_that_fails_leaves_the_set_as_it_was)
{
    struct weir__consumer *reader;
    struct weir__offset    from[2];
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("input");
    make_topic(name, 2);
    put(name, 0, "a=1");
    put(name, 1, "b=2");
    reader = new_tail(name, 0, 0);
    from[0] = (struct weir__offset){ .tp = { name, 1 } };
    from[1] = (struct weir__offset){ .tp = { name, 2 } };
    ck_assert_int_eq(engine->take(reader, from, 2), WEIR_NOTFOUND);
    gather(reader, 1, &text);
    expect_text(&text, "a=1 ");
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(what_is_held_waits_and_loses_nothing)
{
    struct weir__consumer *reader;
    struct weir__offset    from[2];
    struct weir__polled    polled;
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("input");
    make_topic(name, 2);
    put(name, 0, "a=1 b=2");
    put(name, 1, "z=1");
    from[0] = (struct weir__offset){ .tp = { name, 0 } };
    from[1] = (struct weir__offset){ .tp = { name, 1 } };
    must(engine->tail(logs, from, 2, WEIR__READ_COMMITTED, &reader, &words));
    ck_assert_int_eq(engine->hold(reader, from[0].tp, true), WEIR_OK);
    gather(reader, 1, &text);
    put(name, 0, "c=3");
    ck_assert_int_eq(next_event(reader).tps[0].partition, 1);
    ck_assert_int_eq(engine->poll(reader, engine->now(logs), &polled), WEIR_AGAIN);
    ck_assert_int_eq(engine->hold(reader, from[0].tp, false), WEIR_OK);
    gather(reader, 3, &text);
    expect_text(&text, "z=1 a=1 b=2 c=3 ");
    ck_assert_int_eq(engine->hold(reader, (struct weir__tp){ name, 2 }, true), WEIR_NOTFOUND);
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(the_end_is_told_when_it_is_reached_and_again_after_more)
{
    struct weir__consumer *reader;
    struct weir__log_event event;
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("input");
    make_topic(name, 1);
    reader = new_tail(name, 0, 0);
    event = next_event(reader);
    ck_assert_int_eq(event.kind, WEIR__END);
    ck_assert_int_eq(event.next, 0);
    put(name, 0, "a=1");
    gather(reader, 1, &text);
    event = next_event(reader);
    ck_assert_int_eq(event.kind, WEIR__END);
    ck_assert_int_eq(event.next, ends_of(name, 0).stable);
    ck_assert_uint_eq(event.count, 1);
    take(reader, name, 0, event.next);
    event = next_event(reader);
    ck_assert_int_eq(event.kind, WEIR__END);
    weir__buf_fini(&text);
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(every_partition_tells_its_end)
{
    struct weir__consumer *reader;
    struct weir__offset    from[3];
    const char            *name;
    int                    seen[3] = { 0 };

    suite_begin(_i);
    name = name_of("input");
    make_topic(name, 3);
    for (int i = 0; i < 3; i++)
        from[i] = (struct weir__offset){ .tp = { name, i } };
    must(engine->tail(logs, from, 3, WEIR__READ_COMMITTED, &reader, &words));
    for (int i = 0; i < 3; i++) {
        struct weir__polled polled;

        ck_assert_int_eq(engine->poll(reader, soon(), &polled), WEIR_OK);
        seen[polled.event->tps[0].partition]++;
        engine->release(reader, polled.lease);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(seen[i], 1);
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(a_reader_without_group_is_always_valid)
{
    struct weir__consumer *reader;
    const char            *name;

    suite_begin(_i);
    name = name_of("input");
    make_topic(name, 1);
    reader = new_tail(name, 0, 0);
    ck_assert(engine->valid(reader, -1));
    leave(reader);
    suite_end();
}
END_TEST

/* ---- wake ---- */

static void *wake(void *consumer)
{
    engine->wake(consumer);
    return NULL;
}

/* A reader that has told its end. */
static struct weir__consumer *quiet_reader(const char *name)
{
    struct weir__consumer *reader;

    make_topic(name, 1);
    reader = new_tail(name, 0, 0);
    ck_assert_int_eq(next_event(reader).kind, WEIR__END);
    return reader;
}

START_TEST(a_waiting_poll_is_woken)
{
    struct weir__consumer *reader;
    struct weir__polled    polled;
    pthread_t              thread;
    int64_t                deadline;

    suite_begin(_i);
    reader = quiet_reader(name_of("input"));
    deadline = soon();
    ck_assert_int_eq(pthread_create(&thread, NULL, wake, reader), 0);
    ck_assert_int_eq(engine->poll(reader, deadline, &polled), WEIR_AGAIN);
    ck_assert_int_lt(engine->now(logs), deadline);
    pthread_join(thread, NULL);
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(a_wake_before_the_poll_counts_once)
{
    struct weir__consumer *reader;
    struct weir__polled    polled;
    int64_t                deadline;

    suite_begin(_i);
    reader = quiet_reader(name_of("input"));
    engine->wake(reader);
    deadline = soon();
    ck_assert_int_eq(engine->poll(reader, deadline, &polled), WEIR_AGAIN);
    ck_assert_int_lt(engine->now(logs), deadline);
    deadline = engine->now(logs) + 5;
    ck_assert_int_eq(engine->poll(reader, deadline, &polled), WEIR_AGAIN);
    ck_assert_int_ge(engine->now(logs), deadline);
    leave(reader);
    suite_end();
}
END_TEST

static void *put_one(void *topic)
{
    put(topic, 0, "a=1");
    return NULL;
}

START_TEST(a_commit_reaches_a_waiting_poll)
{
    struct weir__consumer *reader;
    struct weir__buf       text = { 0 };
    pthread_t              thread;
    char                   name[64];

    suite_begin(_i);
    strcpy(name, name_of("input"));
    reader = quiet_reader(name);
    ck_assert_int_eq(pthread_create(&thread, NULL, put_one, name), 0);
    gather(reader, 1, &text);
    expect_text(&text, "a=1 ");
    pthread_join(thread, NULL);
    leave(reader);
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { one_member_gets_all_partitions_in_order },
                                  { two_members_share_and_the_last_one_has_all_again },
                                  { a_revoked_member_may_commit_until_it_polls_again },
                                  { an_old_token_commits_nothing },
                                  { a_token_of_no_generation_commits_nothing },
                                  { a_partition_of_another_member_may_be_committed_in_the_same_generation },
                                  { a_member_that_was_frozen_for_too_long_commits_nothing },
                                  { without_an_id_an_old_token_leaves_records_and_no_offset },
                                  { a_subscribed_topic_that_grows_is_dealt_anew },
                                  { nothing_flows_before_take_and_then_from_its_offsets },
                                  { take_replaces_the_whole_set },
                                  { a_take_that_fails_leaves_the_set_as_it_was },
                                  { what_is_held_waits_and_loses_nothing },
                                  { the_end_is_told_when_it_is_reached_and_again_after_more },
                                  { every_partition_tells_its_end },
                                  { a_reader_without_group_is_always_valid },
                                  { a_waiting_poll_is_woken },
                                  { a_wake_before_the_poll_counts_once },
                                  { a_commit_reaches_a_waiting_poll } };

    return suite_main("log group", true, tests, ARRAY_SIZE(tests));
}
