/* test_log_commit.c: transactions: records, offsets and metadata all or nothing; aborts, fences, offsets by hand. */
#include "test/log/suite.h"

static int commit_with(struct weir__producer *producer, const char *group, const char *topic, int64_t offset,
                       struct weir_bytes metadata)
{
    struct weir__offset at = { .tp = { topic, 0 }, .offset = offset, .metadata = metadata };

    return engine->commit(producer, group, NULL, -1, &at, 1, soon());
}

START_TEST(what_is_not_committed_is_not_read)
{
    struct weir__producer *producer;
    const char            *name;

    suite_begin(_i);
    name = name_of("open");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    send(producer, name, 0, "a", "1");
    send(producer, name, 0, "b", "2");
    expect_partition(name, 0, "");
    commit(producer);
    expect_partition(name, 0, "a=1 b=2 ");
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(what_is_aborted_never_comes)
{
    struct weir__producer *producer;
    const char            *name, *group;

    suite_begin(_i);
    name = name_of("aborted");
    group = name_of("group");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    send(producer, name, 0, "a", "1");
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    send(producer, name, 0, "b", "2");
    ck_assert_int_eq(commit_with(producer, group, name, 7, NO_BYTES), WEIR_OK);
    send(producer, name, 0, "c", "3");
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    engine->producer_close(producer);
    expect_partition(name, 0, "b=2 ");
    ck_assert_int_eq(committed_of(group, name, 0), 7);
    suite_end();
}
END_TEST

START_TEST(a_producer_that_is_closed_takes_its_open_records_along)
{
    struct weir__producer *producer;
    const char            *name;

    suite_begin(_i);
    name = name_of("closed");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    send(producer, name, 0, "a", "1");
    engine->producer_close(producer);
    engine->producer_close(NULL);
    producer = new_producer(name_of("id"));
    send(producer, name, 0, "b", "2");
    commit(producer);
    engine->producer_close(producer);
    expect_partition(name, 0, "b=2 ");
    suite_end();
}
END_TEST

START_TEST(a_commit_spans_topics_and_partitions)
{
    const char            *a, *b;
    struct weir__producer *producer;

    suite_begin(_i);
    a = name_of("a");
    b = name_of("b");
    make_topic(a, 2);
    make_topic(b, 1);
    producer = new_producer(name_of("id"));
    send(producer, a, 0, "k", "1");
    send(producer, b, 0, "k", "2");
    send(producer, a, 1, "k", "3");
    send(producer, a, 0, "k", "4");
    commit(producer);
    expect_partition(a, 0, "k=1 k=4 ");
    expect_partition(a, 1, "k=3 ");
    expect_partition(b, 0, "k=2 ");
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(sent_is_the_next_offset_of_what_the_commit_delivered)
{
    struct weir__tp        a, b;
    struct weir__producer *producer;

    suite_begin(_i);
    a = (struct weir__tp){ name_of("sent"), 0 };
    b = (struct weir__tp){ a.topic, 1 };
    make_topic(a.topic, 2);
    producer = new_producer(name_of("id"));
    ck_assert_int_eq(engine->sent(producer, a), -1);
    send(producer, a.topic, 0, "k", "1");
    send(producer, a.topic, 0, "k", "2");
    commit(producer);
    ck_assert_int_eq(engine->sent(producer, a), 2);
    ck_assert_int_eq(engine->sent(producer, b), -1);
    ck_assert_int_eq(engine->sent(producer, (struct weir__tp){ name_of("absent"), 0 }), -1);
    send(producer, a.topic, 1, "k", "3");
    commit(producer);
    ck_assert_int_eq(engine->sent(producer, a), -1);
    ck_assert_int_eq(engine->sent(producer, b), 1);
    send(producer, a.topic, 1, "k", "4");
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    ck_assert_int_eq(engine->sent(producer, b), -1);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(a_commit_of_nothing_is_fine)
{
    struct weir__producer *producer;
    uint64_t               cookie;
    int                    code;

    suite_begin(_i);
    producer = new_producer(name_of("id"));
    commit(producer);
    commit(producer);
    ck_assert_int_eq(engine->failed(producer, &cookie, &code), WEIR_NOTFOUND);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

/* ---- offsets ---- */

START_TEST(offsets_come_with_their_metadata)
{
    static const struct weir_bytes metadata[] = { { "", 0 }, { "plain", 5 }, { "a\0b\xff", 4 } };
    struct weir__producer         *producer;
    struct weir_arena              arena = { 0 };
    const char                    *name, *group;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 2);
    put(name, 0, "a=1 b=2 c=3");
    producer = new_producer(name_of("id"));
    for (size_t i = 0; i < ARRAY_SIZE(metadata); i++) {
        struct weir__offset found[2] = { { .tp = { name, 1 } }, { .tp = { name, 0 } } };

        ck_assert_int_eq(commit_with(producer, group, name, (int64_t)i + 1, metadata[i]), WEIR_OK);
        ck_assert_int_eq(engine->committed(logs, group, found, 2, &arena, soon()), WEIR_OK);
        ck_assert_int_eq(found[0].offset, -1);
        ck_assert_uint_eq(found[0].metadata.size, 0);
        ck_assert_int_eq(found[1].offset, (int64_t)i + 1);
        ck_assert(weir__bytes_equal(found[1].metadata, metadata[i]));
    }
    ck_assert_int_eq(committed_of(name_of("stranger"), name, 0), -1);
    ck_assert_int_eq(committed_of(group, name_of("absent"), 0), -1);
    weir__arena_fini(&arena);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(groups_do_not_see_each_other)
{
    struct weir__producer *producer;
    const char            *name, *group, *longer;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("g");
    longer = name_of("g1");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    ck_assert_int_eq(commit_with(producer, group, name, 1, NO_BYTES), WEIR_OK);
    ck_assert_int_eq(commit_with(producer, longer, name, 2, NO_BYTES), WEIR_OK);
    ck_assert_int_eq(committed_of(group, name, 0), 1);
    ck_assert_int_eq(committed_of(longer, name, 0), 2);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(an_idempotent_producer_commits_too)
{
    struct weir__producer *a, *b;
    const char            *name, *group;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 1);
    a = new_producer(NULL);
    b = new_producer(NULL); /* without an id nobody fences anybody */
    send(a, name, 0, "a", "1");
    ck_assert_int_eq(commit_with(a, group, name, 5, NO_BYTES), WEIR_OK);
    send(b, name, 0, "b", "2");
    ck_assert_int_eq(commit_with(b, group, name, 6, NO_BYTES), WEIR_OK);
    expect_partition(name, 0, "a=1 b=2 ");
    ck_assert_int_eq(committed_of(group, name, 0), 6);
    engine->producer_close(a);
    engine->producer_close(b);
    suite_end();
}
END_TEST

START_TEST(an_offset_of_no_partition_spoils_the_whole_commit)
{
    struct weir__producer *producer;
    struct weir__offset    offsets[2];
    const char            *name, *group;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    offsets[0] = (struct weir__offset){ .tp = { name, 0 }, .offset = 4 };
    offsets[1] = (struct weir__offset){ .tp = { name_of("absent"), 0 }, .offset = 4 };
    send(producer, name, 0, "a", "1");
    ck_assert_int_eq(engine->commit(producer, group, NULL, -1, offsets, 2, soon()), WEIR_ABORT);
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    expect_partition(name, 0, "");
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    ck_assert_int_eq(engine->set_committed(logs, group, offsets, 2, soon()), WEIR_NOTFOUND);
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

static int32_t members_of(const char *group)
{
    int32_t count = -1;

    must(engine->group_members(logs, group, soon(), &count));
    return count;
}

START_TEST(a_group_tells_its_members)
{
    struct weir__consumer *consumer;
    const char            *name, *group;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 1);
    ck_assert_int_eq(members_of(group), 0); /* nobody has heard of it */
    must(engine->join(logs, group, NULL, &name, 1, &consumer, &words));
    ck_assert_int_eq(next_event(consumer).kind, WEIR__ASSIGNED);
    ck_assert_int_eq(members_of(group), 1);
    leave(consumer);
    ck_assert_int_eq(members_of(group), 0);
    suite_end();
}
END_TEST

START_TEST(offsets_are_set_by_hand_for_an_empty_group_only)
{
    struct weir__consumer *consumer;
    struct weir__offset    offset;
    const char            *name, *group;

    suite_begin(_i);
    name = name_of("input");
    group = name_of("group");
    make_topic(name, 1);
    offset = (struct weir__offset){ .tp = { name, 0 }, .offset = 3, .metadata = { "by hand", 7 } };
    ck_assert_int_eq(engine->set_committed(logs, group, &offset, 1, soon()), WEIR_OK);
    ck_assert_int_eq(committed_of(group, name, 0), 3);
    must(engine->join(logs, group, NULL, &name, 1, &consumer, &words));
    ck_assert_int_eq(next_event(consumer).kind, WEIR__ASSIGNED);
    offset.offset = 9;
    ck_assert_int_eq(engine->set_committed(logs, group, &offset, 1, soon()), WEIR_BUSY);
    ck_assert_int_eq(committed_of(group, name, 0), 3);
    leave(consumer);
    ck_assert_int_eq(engine->set_committed(logs, group, &offset, 1, soon()), WEIR_OK);
    ck_assert_int_eq(committed_of(group, name, 0), 9);
    offset.offset = -1; /* as if it had never been committed */
    ck_assert_int_eq(engine->set_committed(logs, group, &offset, 1, soon()), WEIR_OK);
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    suite_end();
}
END_TEST

/* ---- fencing ---- */

START_TEST(a_second_producer_of_an_id_fences_the_first)
{
    struct weir__producer *first, *second, *other;
    const char            *name, *group, *id;

    suite_begin(_i);
    name = name_of("fenced");
    group = name_of("group");
    id = name_of("id");
    make_topic(name, 1);
    first = new_producer(id);
    other = new_producer(name_of("id2"));
    send(first, name, 0, "old", "1");
    commit(first);
    send(first, name, 0, "lost", "1");
    send(other, name, 0, "other", "1");
    second = new_producer(id);
    ck_assert_int_eq(commit_with(first, group, name, 5, NO_BYTES), WEIR_FENCED);
    ck_assert_int_eq(engine->abort(first, soon()), WEIR_FENCED);
    ck_assert_int_eq(try_send(first, name, 0, "late", "1", 1), WEIR_FENCED);
    ck_assert_int_eq(engine->commit(first, NULL, NULL, -1, NULL, 0, soon()), WEIR_FENCED);
    engine->producer_close(first);
    commit(other);
    send(second, name, 0, "new", "1");
    commit(second);
    expect_partition(name, 0, "old=1 other=1 new=1 ");
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    engine->producer_close(second);
    engine->producer_close(other);
    suite_end();
}
END_TEST

START_TEST(both_isolations_read_what_is_committed)
{
    struct weir__producer *producer;
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("isolated");
    make_topic(name, 1);
    producer = new_producer(name_of("id"));
    send(producer, name, 0, "a", "1");
    commit(producer);
    for (int isolation = WEIR__READ_COMMITTED; isolation <= WEIR__READ_UNCOMMITTED; isolation++) {
        struct weir__offset    from = { .tp = { name, 0 } };
        struct weir__consumer *reader;

        must(engine->tail(logs, &from, 1, (enum weir__isolation)isolation, &reader, &words));
        gather(reader, 1, &text);
        expect_text(&text, "a=1 ");
        leave(reader);
    }
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(commits_stay_when_the_log_is_opened_again)
{
    struct weir__producer *producer;
    const char            *name, *group, *id;

    suite_begin(_i);
    if (subjects[_i].durable) {
        name = name_of("kept");
        group = name_of("group");
        id = name_of("id");
        make_topic(name, 1);
        producer = new_producer(id);
        send(producer, name, 0, "a", "1");
        ck_assert_int_eq(commit_with(producer, group, name, 5, NO_BYTES), WEIR_OK);
        send(producer, name, 0, "lost", "1");
        engine->producer_close(producer);
        suite_close();
        suite_open();
        ck_assert_int_eq(committed_of(group, name, 0), 5);
        expect_partition(name, 0, "a=1 ");
        producer = new_producer(id);
        send(producer, name, 0, "b", "2");
        commit(producer);
        engine->producer_close(producer);
        expect_partition(name, 0, "a=1 b=2 ");
    }
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { what_is_not_committed_is_not_read },
                                  { what_is_aborted_never_comes },
                                  { a_producer_that_is_closed_takes_its_open_records_along },
                                  { a_commit_spans_topics_and_partitions },
                                  { sent_is_the_next_offset_of_what_the_commit_delivered },
                                  { a_commit_of_nothing_is_fine },
                                  { offsets_come_with_their_metadata },
                                  { groups_do_not_see_each_other },
                                  { an_idempotent_producer_commits_too },
                                  { an_offset_of_no_partition_spoils_the_whole_commit },
                                  { a_group_tells_its_members },
                                  { offsets_are_set_by_hand_for_an_empty_group_only },
                                  { a_second_producer_of_an_id_fences_the_first },
                                  { both_isolations_read_what_is_committed },
                                  { commits_stay_when_the_log_is_opened_again } };

    return suite_main("log commit", true, tests, ARRAY_SIZE(tests));
}
