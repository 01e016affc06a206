/* test_embedded_markers.c: the embedded log's markers, which land by hand or by its clock, one by one: what each of them makes
 * known, and what is not known before.
 */
#include <pthread.h>
#include <stdlib.h>

#include "test/log/suite.h"

static int64_t virtual_now;

static int64_t virtual_clock(void *arg)
{
    (void)arg;
    return virtual_now;
}

/* A transaction over two partitions of `name` and an offset of its group, decided, all its markers on their way. */
static struct weir__producer *decide(const char *name, const char *group)
{
    struct weir__producer *producer;

    make_topic(name, 2);
    producer = new_producer(name_of("id"));
    send(producer, name, 0, "a", "1");
    send(producer, name, 1, "b", "1");
    ck_assert_int_eq(commit_offset(producer, group, name, 0, 5), WEIR_OK);
    return producer;
}

static int ask_committed(const char *group, const char *topic, int32_t partition, int64_t *ret)
{
    struct weir__offset at = { .tp = { topic, partition } };
    struct weir_arena   arena = { 0 };
    int                 err = engine->committed(logs, group, &at, 1, &arena, engine->now(logs));

    *ret = at.offset;
    weir__arena_fini(&arena);
    return err;
}

static void begin_by_hand(int subject)
{
    suite_marker_delay = -1;
    suite_begin(subject);
}

START_TEST(markers_land_one_by_one)
{
    struct weir__producer *producer;
    const char            *name, *group;
    int64_t                offset;

    begin_by_hand(_i);
    name = name_of("by-hand");
    group = name_of("group");
    producer = decide(name, group);
    expect_ends(name, 0, 0, 2);
    expect_ends(name, 1, 0, 2);
    ck_assert_int_eq(ask_committed(group, name, 0, &offset), WEIR_AGAIN);
    ck_assert_int_eq(ask_committed(group, name, 1, &offset), WEIR_OK); /* nothing of it is on its way */
    ck_assert_int_eq(ask_committed(name_of("other"), name, 0, &offset), WEIR_OK);
    weir__embedded_land(logs, (struct weir__tp){ NULL, 0 });
    ck_assert_int_eq(ask_committed(group, name, 0, &offset), WEIR_OK);
    ck_assert_int_eq(offset, 5);
    expect_ends(name, 0, 0, 2);
    weir__embedded_land(logs, (struct weir__tp){ name, 1 });
    expect_ends(name, 0, 0, 2);
    expect_ends(name, 1, 2, 2);
    weir__embedded_land(logs, (struct weir__tp){ name, 0 });
    expect_ends(name, 0, 2, 2);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(a_reader_is_told_the_end_where_committed_reading_ends)
{
    struct weir__producer *producer;
    struct weir__consumer *committed, *uncommitted;
    struct weir__buf       text = { 0 };
    struct weir__offset    from;
    struct weir__polled    polled;
    const char            *name;

    begin_by_hand(_i);
    name = name_of("by-hand");
    producer = decide(name, name_of("group"));
    committed = new_tail(name, 0, 0);
    from = (struct weir__offset){ .tp = { name, 0 } };
    must(engine->tail(logs, &from, 1, WEIR__READ_UNCOMMITTED, &uncommitted, &words));
    ck_assert_int_eq(read_until(committed, 0, &text), 0);
    expect_text(&text, "");
    ck_assert_int_eq(engine->poll(committed, engine->now(logs), &polled), WEIR_AGAIN);
    ck_assert_int_eq(read_until(uncommitted, 2, &text), 2);
    expect_text(&text, "a@0 ");
    weir__embedded_land(logs, from.tp);
    ck_assert_int_eq(read_until(committed, 2, &text), 2);
    expect_text(&text, "a@0 ");
    leave(committed);
    leave(uncommitted);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(the_next_transaction_ends_after_the_one_before_is_known)
{
    struct weir__producer *producer, *other;
    struct weir_error      ignored;
    const char            *name;

    begin_by_hand(_i);
    name = name_of("by-hand");
    producer = decide(name, name_of("group"));
    send(producer, name, 0, "c", "1");
    ck_assert_int_eq(engine->commit(producer, NULL, NULL, -1, NULL, 0, engine->now(logs)), WEIR_AGAIN);
    weir__embedded_land(logs, (struct weir__tp){ name, 0 });
    weir__embedded_land(logs, (struct weir__tp){ name, 1 });
    weir__embedded_land(logs, (struct weir__tp){ NULL, 0 });
    commit(producer);
    ck_assert_int_eq(engine->producer(logs, name_of("else"), engine->now(logs), &other, &ignored), WEIR_OK);
    engine->producer_close(other);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

/* A crash between the decision and its markers: the next one who opens the log finds it decided. */
START_TEST(what_was_decided_is_known_when_the_log_is_opened_again)
{
    struct weir__producer *producer;
    const char            *name, *group;
    int64_t                offset;

    begin_by_hand(DURABLE);
    name = name_of("by-hand");
    group = name_of("group");
    producer = decide(name, group);
    send(producer, name, 0, "open", "1");
    engine->producer_close(producer); /* aborted: two offsets more */
    suite_close();
    suite_open();
    ck_assert_int_eq(ask_committed(group, name, 0, &offset), WEIR_OK);
    ck_assert_int_eq(offset, 5);
    expect_ends(name, 0, 4, 4);
    expect_ends(name, 1, 2, 2);
    expect_partition(name, 0, "a=1 ");
    suite_end();
}
END_TEST

START_TEST(a_removed_topic_waits_for_no_marker)
{
    struct weir__producer *producer;
    const char            *name;

    begin_by_hand(_i);
    name = name_of("by-hand");
    producer = decide(name, name_of("group"));
    ck_assert_int_eq(engine->remove(logs, &name, 1, soon()), WEIR_OK);
    weir__embedded_land(logs, (struct weir__tp){ NULL, 0 });
    commit(producer);
    make_topic(name, 1);
    expect_ends(name, 0, 0, 0);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

/* ---- without quirks ---- */

/* As one would wish it; and so are the folders that were made before there were any markers. */
START_TEST(a_folder_without_markers_is_gone_on_with)
{
    struct weir__producer *first, *second;
    const char            *name, *group;
    int64_t                offset;

    suite_plain = true;
    suite_begin(DURABLE);
    name = name_of("plain");
    group = name_of("group");
    make_topic(name, 1);
    first = new_producer(name_of("id1"));
    second = new_producer(name_of("id2"));
    send(first, name, 0, "a", "1");
    ck_assert_int_eq(commit_offset(first, group, name, 0, 5), WEIR_OK);
    ck_assert_int_eq(ask_committed(group, name, 0, &offset), WEIR_OK);
    expect_ends(name, 0, 1, 1);
    send(first, name, 0, "open", "1");
    send(second, name, 0, "b", "1");
    commit(second);
    expect_ends(name, 0, 2, 2); /* nobody is held up */
    ck_assert_int_eq(engine->abort(first, soon()), WEIR_OK);
    expect_ends(name, 0, 2, 2); /* no gap */
    engine->producer_close(first);
    engine->producer_close(second);
    suite_close();
    suite_plain = false;
    suite_open();
    ck_assert_int_eq(committed_of(group, name, 0), 5);
    first = new_producer(name_of("id1"));
    send(first, name, 0, "c", "1");
    commit(first);
    await_stable(name, 0);
    expect_ends(name, 0, 4, 4);
    expect_partition(name, 0, "a=1 b=1 c=1 ");
    engine->producer_close(first);
    suite_end();
}
END_TEST

/* ---- by the clock ---- */

START_TEST(markers_land_as_time_passes)
{
    struct weir__producer *producer;
    const char            *name, *group;
    int                    known[4] = { 0 };
    int64_t                offset;

    suite_clock = virtual_clock;
    virtual_now = 1000000;
    suite_marker_delay = 30;
    suite_begin(_i);
    name = name_of("by-clock");
    group = name_of("group");
    producer = decide(name, group);
    for (int tenth = 0; tenth < 4; tenth++) {
        known[tenth] = (ends_of(name, 0).stable == 2) + (ends_of(name, 1).stable == 2) +
                       (ask_committed(group, name, 0, &offset) == WEIR_OK);
        virtual_now += 10;
    }
    for (int tenth = 0; tenth < 4; tenth++)
        ck_assert_int_eq(known[tenth], tenth);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(a_transaction_that_is_open_for_too_long_is_aborted)
{
    struct weir__producer *slow, *other;
    const char            *name;

    suite_clock = virtual_clock;
    virtual_now = 1000000;
    suite_transaction_ms = 10000;
    suite_begin(_i);
    name = name_of("overdue");
    make_topic(name, 1);
    slow = new_producer(name_of("slow"));
    other = new_producer(name_of("other"));
    send(slow, name, 0, "a", "1");
    send(other, name, 0, "b", "1");
    commit(other);
    virtual_now += 10000;
    expect_ends(name, 0, 0, 3);
    virtual_now += 1;
    await_stable(name, 0);
    expect_ends(name, 0, 4, 4);
    expect_partition(name, 0, "b=1 ");
    ck_assert_int_eq(engine->commit(slow, NULL, NULL, -1, NULL, 0, soon()), WEIR_FENCED);
    engine->producer_close(slow);
    send(other, name, 0, "c", "1"); /* a transaction's time begins with its first record */
    commit(other);
    expect_partition(name, 0, "b=1 c=1 ");
    engine->producer_close(other);
    suite_end();
}
END_TEST

START_TEST(who_waits_for_a_marker_is_woken_by_time)
{
    struct weir__producer *producer;
    struct weir__consumer *reader;
    struct weir__buf       text = { 0 };
    const char            *name, *group;

    suite_marker_delay = 20;
    suite_begin(_i);
    name = name_of("by-clock");
    group = name_of("group");
    producer = decide(name, group);
    ck_assert_int_eq(committed_of(group, name, 0), 5);
    reader = new_tail(name, 0, 0);
    ck_assert_int_eq(read_until(reader, 2, &text), 2);
    expect_text(&text, "a@0 ");
    leave(reader);
    engine->producer_close(producer);
    producer = new_producer(name_of("id"));
    engine->producer_close(producer);
    suite_end();
}
END_TEST

/* ---- an id that changes hands while its producers are at work ---- */

#define HEIRS   3
#define REIGNS  30 /* times that each takes the id */
#define AT_ONCE 5

static char              kingdom[64];
static pthread_barrier_t together;        /* all take the id at about the same time */
static long long         recorded[HEIRS]; /* records that are committed, of each */

/* Threads check by themselves: libcheck's asserts belong to the test's own thread. */
static void need_one_of(int err, int other)
{
    if (err == WEIR_OK || err == other)
        return;
    fprintf(stderr, "an heir was answered %s\n", weir_code_name(err));
    abort();
}

/* Until it is fenced, for a while at most; every other transaction is aborted. */
static void reign(struct weir__producer *producer, long long *records)
{
    struct weir__raw raw = { .topic = kingdom, .timestamp = 1, .key = BYTES("k", 1), .value = BYTES("v", 1) };
    int              err = WEIR_OK;

    for (int i = 0; err == WEIR_OK && i < 1000; i++) {
        for (int j = 0; err == WEIR_OK && j < AT_ONCE; j++)
            err = engine->send(producer, &raw, 0);
        if (err == WEIR_OK)
            err = i % 2 == 0 ? engine->commit(producer, NULL, NULL, -1, NULL, 0, soon())
                             : engine->abort(producer, soon());
        need_one_of(err, WEIR_FENCED);
        *records += err == WEIR_OK && i % 2 == 0 ? AT_ONCE : 0;
    }
}

static void *inherit(void *arg)
{
    long long *records = arg;

    for (int i = 0; i < REIGNS; i++) {
        struct weir__producer *producer;

        pthread_barrier_wait(&together);
        need_one_of(engine->producer(logs, "heir", soon(), &producer, NULL), WEIR_OK);
        reign(producer, records);
        engine->producer_close(producer);
    }
    return NULL;
}

START_TEST(an_id_changes_hands_while_records_are_sent)
{
    pthread_t              threads[HEIRS];
    struct weir__consumer *reader;
    struct weir__buf       text = { 0 };
    long long              wanted = 0, found = 0;

    suite_begin(_i);
    strcpy(kingdom, name_of("kingdom"));
    make_topic(kingdom, 1);
    memset(recorded, 0, sizeof(recorded));
    ck_assert_int_eq(pthread_barrier_init(&together, NULL, HEIRS), 0);
    for (int i = 0; i < HEIRS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, inherit, &recorded[i]), 0);
    for (int i = 0; i < HEIRS; i++) {
        pthread_join(threads[i], NULL);
        wanted += recorded[i];
    }
    pthread_barrier_destroy(&together);
    await_stable(kingdom, 0);
    reader = new_tail(kingdom, 0, 0);
    (void)read_until(reader, ends_of(kingdom, 0).end, &text);
    weir__buf_putc(&text, '\0');
    for (const char *at = text.data; (at = strchr(at, '@')) != NULL; at++)
        found++;
    ck_assert_int_eq(found, wanted);
    weir__buf_fini(&text);
    leave(reader);
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { markers_land_one_by_one },
                                  { a_reader_is_told_the_end_where_committed_reading_ends },
                                  { the_next_transaction_ends_after_the_one_before_is_known },
                                  { what_was_decided_is_known_when_the_log_is_opened_again },
                                  { a_removed_topic_waits_for_no_marker },
                                  { a_folder_without_markers_is_gone_on_with },
                                  { markers_land_as_time_passes },
                                  { a_transaction_that_is_open_for_too_long_is_aborted },
                                  { an_id_changes_hands_while_records_are_sent },
                                  { who_waits_for_a_marker_is_woken_by_time } };

    return suite_main("embedded markers", true, tests, ARRAY_SIZE(tests));
}
