/* test_log_markers.c: what is awkward about transactions: markers take offsets and land later than the decision, and open
 * transactions hold up those that end before them.
 */
#include "test/log/held.h"
#include "test/log/suite.h"

START_TEST(each_transaction_leaves_a_marker_in_each_partition_that_it_wrote_to)
{
    struct weir__producer *producer;
    struct weir__consumer *reader;
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("gaps");
    make_topic(name, 2);
    producer = new_producer(name_of("id"));
    send(producer, name, 0, "a", "1");
    send(producer, name, 0, "b", "1");
    commit(producer);
    send(producer, name, 0, "c", "1");
    send(producer, name, 1, "x", "1");
    commit(producer);
    commit(producer); /* of nothing: none */
    ck_assert_int_eq(commit_offset(producer, name_of("group"), name, 0, 1),
                     WEIR_OK); /* of offsets alone: none here */
    await_stable(name, 0);
    await_stable(name, 1);
    expect_ends(name, 0, 5, 5);
    expect_ends(name, 1, 2, 2);
    reader = new_tail(name, 0, 0);
    ck_assert_int_eq(read_until(reader, 5, &text), 5);
    expect_text(&text, "a@0 b@1 c@3 ");
    leave(reader);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(an_aborted_transaction_leaves_a_gap)
{
    struct weir__producer *producer;
    struct weir__consumer *reader;
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("aborted");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    send(producer, name, 0, "a", "1");
    send(producer, name, 0, "b", "1");
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    await_stable(name, 0);
    expect_ends(name, 0, 3, 3);
    send(producer, name, 0, "c", "1");
    commit(producer);
    ck_assert_int_eq(engine->sent(producer, (struct weir__tp){ name, 0 }), 4);
    await_stable(name, 0);
    expect_ends(name, 0, 5, 5);
    reader = new_tail(name, 0, 0);
    ck_assert_int_eq(read_until(reader, 5, &text), 5);
    expect_text(&text, "c@3 ");
    leave(reader);
    engine->producer_close(producer);
    if (subjects[_i].durable) { /* and is there again when the log is opened again */
        suite_close();
        suite_open();
        expect_ends(name, 0, 5, 5);
    }
    suite_end();
}
END_TEST

START_TEST(without_an_id_nothing_is_marked)
{
    const char *name;

    suite_begin(_i);
    name = name_of("plain");
    make_topic(name, 1);
    put(name, 0, "a=1 b=2");
    put(name, 0, "c=3");
    await_stable(name, 0);
    expect_ends(name, 0, 3, 3);
    suite_end();
}
END_TEST

/* Waits until a record that was sent, or a marker, can be seen at the end. */
static void await_end(const char *topic, int32_t partition, int64_t end)
{
    while (ends_of(topic, partition).end < end)
        continue;
}

START_TEST(an_open_transaction_holds_up_those_that_end_before_it)
{
    struct weir__producer *first, *second;
    struct weir__consumer *reader;
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("held");
    make_topic(name, 2);
    first = new_producer(name_of("id1"));
    second = new_producer(name_of("id2"));
    send(first, name, 0, "a", "1");
    await_end(name, 0, 1);
    expect_ends(name, 0, 0, 1);
    send(second, name, 0, "b", "1");
    send(second, name, 1, "x", "1");
    commit(second);
    await_stable(name, 1); /* where nobody holds it up it is there */
    await_end(name, 0, 3);
    expect_ends(name, 0, 0, 3);
    reader = new_tail(name, 0, 0);
    ck_assert_int_eq(read_until(reader, 0, &text), 0); /* the end is told at the last stable offset */
    expect_text(&text, "");
    commit(first);
    await_stable(name, 0);
    expect_ends(name, 0, 4, 4);
    ck_assert_int_eq(read_until(reader, 4, &text), 4);
    /* the embedded log gives offsets at the end of a transaction, a broker as records come */
    expect_text(&text, subjects[_i].distant ? "a@0 b@1 " : "b@0 a@2 ");
    leave(reader);
    engine->producer_close(first);
    engine->producer_close(second);
    suite_end();
}
END_TEST

START_TEST(an_abort_frees_what_was_held_up)
{
    struct weir__producer *first, *second;
    const char            *name;

    suite_begin(_i);
    name = name_of("held");
    make_topic(name, 1);
    first = new_producer(name_of("id1"));
    second = new_producer(name_of("id2"));
    send(first, name, 0, "a", "1");
    await_end(name, 0, 1);
    send(second, name, 0, "b", "1");
    commit(second);
    await_end(name, 0, 3);
    expect_ends(name, 0, 0, 3);
    ck_assert_int_eq(engine->abort(first, soon()), WEIR_OK);
    await_stable(name, 0);
    expect_ends(name, 0, 4, 4);
    expect_partition(name, 0, "b=1 ");
    engine->producer_close(first);
    engine->producer_close(second);
    suite_end();
}
END_TEST

/* What the fenced one had open is aborted by whoever takes its id. */
START_TEST(who_takes_the_id_ends_what_was_open)
{
    struct weir__producer *first, *second;
    const char            *name, *id;

    suite_begin(_i);
    name = name_of("taken");
    id = name_of("id");
    make_topic(name, 1);
    first = new_producer(id);
    send(first, name, 0, "a", "1");
    send(first, name, 0, "b", "1");
    await_end(name, 0, 2);
    expect_ends(name, 0, 0, 2);
    second = new_producer(id);
    expect_ends(name, 0, 3, 3); /* before it may do anything */
    ck_assert_int_eq(engine->abort(first, soon()), WEIR_FENCED);
    engine->producer_close(first);
    send(second, name, 0, "c", "1");
    commit(second);
    await_stable(name, 0);
    expect_ends(name, 0, 5, 5);
    expect_partition(name, 0, "c=1 ");
    engine->producer_close(second);
    suite_end();
}
END_TEST

START_TEST(who_takes_the_id_finds_the_last_commit_known_everywhere)
{
    struct weir__producer *producer;
    struct weir__offset    at;
    struct weir_arena      arena = { 0 };
    const char            *name, *group, *id;

    suite_begin(_i);
    name = name_of("taken");
    group = name_of("group");
    id = name_of("id");
    make_topic(name, 4);
    producer = new_producer(id);
    for (int32_t i = 0; i < 4; i++)
        send(producer, name, i, "a", "1");
    ck_assert_int_eq(commit_offset(producer, group, name, 0, 7), WEIR_OK);
    engine->producer_close(producer);
    producer = new_producer(id);
    for (int32_t i = 0; i < 4; i++)
        expect_ends(name, i, 2, 2);
    at = (struct weir__offset){ .tp = { name, 0 } };
    ck_assert_int_eq(engine->committed(logs, group, &at, 1, &arena, soon()), WEIR_OK);
    ck_assert_int_eq(at.offset, 7);
    weir__arena_fini(&arena);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

/* A group's offset of a topic, asked for together with one of a topic that is not there. */
static int ask_beside_absent(const char *group, const char *topic, const char *absent, int absent_at, int64_t wait_ms,
                             int64_t *ret)
{
    struct weir_arena   arena = { 0 };
    struct weir__offset at[2] = { { .tp = { topic, 0 } }, { .tp = { topic, 0 } } };
    int                 err;

    at[absent_at].tp.topic = absent;
    err = engine->committed(logs, group, at, 2, &arena, engine->now(logs) + wait_ms);
    if (err == WEIR_OK)
        ck_assert_int_eq(at[absent_at].offset, -1);
    *ret = at[1 - absent_at].offset;
    weir__arena_fini(&arena);
    return err;
}

/* A topic that is not there has no offsets, and says nothing of another one whose offsets are not known yet. */
START_TEST(offsets_are_unstable_beside_a_topic_that_is_absent)
{
    struct weir__producer *producer;
    const char            *name, *group, *absent;
    bool                   distant = subjects[_i].distant;
    int64_t                offset;

    suite_marker_delay = -1; /* the embedded log's land by hand */
    suite_begin(_i);
    suite_marker_delay = 0;
    name = name_of("unstable");
    absent = name_of("absent");
    group = name_of("group");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ask_beside_absent(group, name, absent, i, 60000, &offset), WEIR_OK);
        ck_assert_int_eq(offset, -1);
    }
    if (distant)
        must(hold_offset(producer, group, &(struct weir__offset){ .tp = { name, 0 }, .offset = 5 }));
    else
        ck_assert_int_eq(commit_offset(producer, group, name, 0, 5), WEIR_OK);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ask_beside_absent(group, name, absent, i, distant ? 1000 : 0, &offset), WEIR_AGAIN);
    if (distant)
        commit(producer);
    else
        weir__embedded_land(logs, (struct weir__tp){ NULL, 0 });
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ask_beside_absent(group, name, absent, i, 60000, &offset), WEIR_OK);
        ck_assert_int_eq(offset, 5);
    }
    engine->producer_close(producer);
    suite_end();
}
END_TEST

static int count_records(struct weir__buf *text)
{
    int count = 0;

    weir__buf_putc(text, '\0');
    for (const char *at = text->data; (at = strchr(at, '@')) != NULL; at++)
        count++;
    weir__buf_fini(text);
    return count;
}

/* However the markers land, whoever waits for the position sees all of the transactions before. */
START_TEST(the_position_reaches_the_end_and_nothing_is_missing)
{
    struct weir__producer *producers[3];
    const char            *name;

    suite_begin(_i);
    name = name_of("position");
    make_topic(name, 1);
    for (int i = 0; i < 3; i++)
        producers[i] = new_producer(name_of(i == 0 ? "id0" : i == 1 ? "id1" : "id2"));
    for (int round = 0; round < 10; round++) {
        struct weir__consumer *reader;
        struct weir__buf       text = { 0 };

        for (int i = 0; i < 3; i++)
            send(producers[i], name, 0, "k", "1");
        for (int i = 0; i < 3; i++)
            if (round % 3 == i)
                ck_assert_int_eq(engine->abort(producers[i], soon()), WEIR_OK);
            else
                commit(producers[i]);
        reader = new_tail(name, 0, 0);
        (void)read_until(reader, ends_of(name, 0).end, &text);
        ck_assert_int_eq(count_records(&text), (round + 1) * 2);
        leave(reader);
    }
    for (int i = 0; i < 3; i++)
        engine->producer_close(producers[i]);
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { each_transaction_leaves_a_marker_in_each_partition_that_it_wrote_to },
                                  { an_aborted_transaction_leaves_a_gap },
                                  { without_an_id_nothing_is_marked },
                                  { an_open_transaction_holds_up_those_that_end_before_it },
                                  { an_abort_frees_what_was_held_up },
                                  { who_takes_the_id_ends_what_was_open },
                                  { who_takes_the_id_finds_the_last_commit_known_everywhere },
                                  { offsets_are_unstable_beside_a_topic_that_is_absent },
                                  { the_position_reaches_the_end_and_nothing_is_missing } };

    return suite_main("log markers", true, tests, ARRAY_SIZE(tests));
}
