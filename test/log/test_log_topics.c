/* test_log_topics.c: topics: made, compared, grown, trimmed, removed; ends and offsets of times. */
#include "test/log/suite.h"

static struct weir__buf told;

/* A mark behind those that lose records. */
static int tell(void *arg, const char *topic, const char *setting, bool loses, const char *wanted, const char *found)
{
    (void)topic;
    ck_assert_ptr_eq(arg, &told);
    weir__buf_printf(&told, "%s %s/%s%s;", setting, wanted, found, loses ? "!" : "");
    return WEIR_OK;
}

static int ensure(const char *name, int32_t partitions, const char *const *settings)
{
    struct weir__topic topic = { .name = name, .partitions = partitions, .settings = settings };

    return engine->ensure(logs, &topic, 1, soon(), tell, &told, &words);
}

static int32_t count_of(const char *name)
{
    int32_t count = -1;
    int     err = engine->partitions(logs, name, soon(), &count);

    ck_assert(err == WEIR_OK || err == WEIR_NOTFOUND);
    return count;
}

START_TEST(an_unknown_topic_has_no_partitions)
{
    suite_begin(_i);
    ck_assert_int_eq(count_of(name_of("never-made")), -1);
    suite_end();
}
END_TEST

START_TEST(topics_are_made_with_their_partitions)
{
    const char        *a = name_of("a"), *b = name_of("b");
    struct weir__topic topics[2];

    suite_begin(_i);
    a = name_of("a");
    b = name_of("b");
    topics[0] = (struct weir__topic){ .name = a, .partitions = 1 };
    topics[1] = (struct weir__topic){ .name = b, .partitions = 12 };
    must(engine->ensure(logs, topics, 2, soon(), tell, &told, &words));
    ck_assert_int_eq(count_of(a), 1);
    ck_assert_int_eq(count_of(b), 12);
    expect_text(&told, "");
    suite_end();
}
END_TEST

START_TEST(differences_are_listed_and_nothing_is_changed)
{
    const char *const made[] = { "cleanup.policy=compact", "retention.ms=1000", NULL };
    const char *const wanted[] = { "cleanup.policy=delete", "retention.ms=1000", "retention.bytes=5000", NULL };
    const char       *name;

    suite_begin(_i);
    name = name_of("compared");
    must(ensure(name, 3, made));
    must(ensure(name, 3, made));
    expect_text(&told, "");
    must(ensure(name, 4, wanted));
    expect_text(&told, "partitions 4/3;cleanup.policy delete/compact!;retention.bytes 5000/-1;");
    ck_assert_int_eq(count_of(name), 3);
    must(ensure(name, 4, wanted));
    expect_text(&told, "partitions 4/3;cleanup.policy delete/compact!;retention.bytes 5000/-1;");
    suite_end();
}
END_TEST

/* What a topic is, what it is wanted to be, and what is told. */
static const struct {
    const char *made[4], *wanted[4], *told;
} differences[] = {
    { { "cleanup.policy=compact", "retention.ms=1000" },
      { "cleanup.policy=compact", "retention.ms=-1" },
      "retention.ms -1/1000;" }, /* what is compacted alone goes by no bound */
    { { "cleanup.policy=delete", "retention.ms=1000" }, { "retention.ms=-1" }, "retention.ms -1/1000!;" },
    { { "cleanup.policy=delete", "retention.ms=-1" }, { "retention.ms=1000" }, "retention.ms 1000/-1;" },
    { { "cleanup.policy=delete", "retention.ms=-1" },
      { "cleanup.policy=compact" },
      "cleanup.policy compact/delete;" },
    { { "cleanup.policy=delete", "retention.ms=1000" },
      { "cleanup.policy=compact" },
      "cleanup.policy compact/delete!;" },
    { { "retention.ms=-1", "retention.bytes=1000" },
      { "cleanup.policy=compact" },
      "cleanup.policy compact/delete!;" },
    { { "cleanup.policy=compact" }, { "cleanup.policy=delete" }, "cleanup.policy delete/compact!;" },
    { { "retention.ms=-1", "retention.bytes=1000" }, { "retention.bytes=-1" }, "retention.bytes -1/1000!;" },
    { { "message.timestamp.after.max.ms=1000" },
      { "message.timestamp.after.max.ms=2000" },
      "message.timestamp.after.max.ms 2000/1000!;" },
    { { "message.timestamp.after.max.ms=2000" },
      { "message.timestamp.after.max.ms=1000" },
      "message.timestamp.after.max.ms 1000/2000;" },
};

START_TEST(who_would_lose_records_is_marked)
{
    suite_begin(_i);
    for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
        char        text[32];
        const char *name;

        snprintf(text, sizeof(text), "marked-%zu", i);
        name = name_of(text);
        must(ensure(name, 1, differences[i].made));
        must(ensure(name, 1, differences[i].wanted));
        expect_text(&told, differences[i].told);
    }
    suite_end();
}
END_TEST

static int refuse(void *arg, const char *topic, const char *setting, bool loses, const char *wanted,
                  const char *found)
{
    (void)tell(arg, topic, setting, loses, wanted, found);
    return WEIR_BAD_CONFIG;
}

START_TEST(a_difference_that_is_refused_ends_the_comparison)
{
    const char *const  wanted[] = { "cleanup.policy=compact", "retention.ms=5", NULL };
    const char *const  bounded[] = { "retention.ms=1000", NULL };
    struct weir__topic topics[2];

    suite_begin(_i);
    topics[0] = (struct weir__topic){ .name = name_of("a"), .partitions = 1, .settings = wanted };
    topics[1] = (struct weir__topic){ .name = name_of("b"), .partitions = 1 };
    must(ensure(topics[0].name, 1, bounded));
    ck_assert_int_eq(engine->ensure(logs, topics, 2, soon(), refuse, &told, &words), WEIR_BAD_CONFIG);
    expect_text(&told, "cleanup.policy compact/delete!;");
    ck_assert_int_eq(count_of(topics[1].name), -1);
    suite_end();
}
END_TEST

START_TEST(what_cannot_be_a_topic_is_refused_by_name)
{
    const char *const bad_number[] = { "retention.ms=soon", NULL };
    const char *const no_value[] = { "retention.ms", NULL };
    const char       *name;

    suite_begin(_i);
    name = name_of("refused");
    ck_assert_int_eq(ensure("no good", 1, NULL), WEIR_BAD_NAME);
    ck_assert_str_eq(words.where, "no good");
    ck_assert_int_eq(ensure(name, 0, NULL), WEIR_BAD_ARGUMENT);
    ck_assert_str_eq(words.where, name);
    ck_assert_int_eq(ensure(name, 1, bad_number), WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(words.text, "retention.ms=soon"));
    ck_assert_int_eq(ensure(name, 1, no_value), WEIR_BAD_CONFIG);
    ck_assert_int_eq(count_of(name), -1);
    suite_end();
}
END_TEST

START_TEST(one_bad_topic_and_none_of_the_call_is_made)
{
    struct weir__topic topics[2];

    suite_begin(_i);
    topics[0] = (struct weir__topic){ .name = name_of("good"), .partitions = 1 };
    topics[1] = (struct weir__topic){ .name = "no good", .partitions = 1 };
    ck_assert_int_eq(engine->ensure(logs, topics, 2, soon(), NULL, NULL, &words), WEIR_BAD_NAME);
    ck_assert_int_eq(count_of(topics[0].name), -1);
    suite_end();
}
END_TEST

static void tell_setting(void *arg, const char *name, const char *value)
{
    if (strcmp(name, "retention.ms") == 0 || strcmp(name, "cleanup.policy") == 0)
        weir__buf_printf(arg, "%s=%s;", name, value);
}

static void tell_bound(void *arg, const char *name, const char *value)
{
    if (strcmp(name, "retention.bytes") == 0)
        weir__buf_printf(arg, "%s;", value);
}

/* The embedded log has no such bound: what a folder may hold is seen there. */
START_TEST(topics_that_do_not_say_are_bounded_and_compacted_ones_never)
{
    const char *const says[] = { "retention.bytes=77", NULL }, *const compacted[] = { "cleanup.policy=compact",
                                                                                      NULL };
    const char *open, *own, *kept;

    suite_retention = 1 << 30;
    suite_begin(_i);
    open = name_of("open");
    own = name_of("own");
    kept = name_of("kept");
    make_topic_with(open, 1, NULL);
    make_topic_with(own, 1, says);
    make_topic_with(kept, 1, compacted);
    ck_assert_int_eq(engine->settings(logs, open, soon(), tell_bound, &told), WEIR_OK);
    ck_assert_int_eq(engine->settings(logs, own, soon(), tell_bound, &told), WEIR_OK);
    ck_assert_int_eq(engine->settings(logs, kept, soon(), tell_bound, &told), WEIR_OK);
    expect_text(&told, subjects[_i].distant ? "1073741824;77;-1;" : "-1;77;-1;");
    suite_retention = 0;
    suite_end();
}
END_TEST

START_TEST(settings_are_told)
{
    const char *const settings[] = { "cleanup.policy=compact,delete", "retention.ms=86400000", NULL };
    const char       *name;

    suite_begin(_i);
    name = name_of("told");
    make_topic_with(name, 1, settings);
    ck_assert_int_eq(engine->settings(logs, name, soon(), tell_setting, &told), WEIR_OK);
    expect_text(&told, "cleanup.policy=compact,delete;retention.ms=86400000;");
    ck_assert_int_eq(engine->settings(logs, name_of("absent"), soon(), tell_setting, &told), WEIR_NOTFOUND);
    suite_end();
}
END_TEST

static void count_name(void *arg, const char *name)
{
    const char **wanted = arg;

    if (*wanted != NULL && strcmp(name, *wanted) == 0)
        *wanted = NULL;
}

START_TEST(topics_are_listed)
{
    const char *name, *wanted;

    suite_begin(_i);
    name = wanted = name_of("listed");
    ck_assert_int_eq(engine->topics(logs, soon(), count_name, &wanted), WEIR_OK);
    ck_assert_ptr_nonnull(wanted);
    make_topic(name, 1);
    ck_assert_int_eq(engine->topics(logs, soon(), count_name, &wanted), WEIR_OK);
    ck_assert_ptr_null(wanted);
    suite_end();
}
END_TEST

START_TEST(a_topic_grows_and_never_shrinks)
{
    const char *name;

    suite_begin(_i);
    name = name_of("grown");
    make_topic(name, 2);
    put(name, 1, "a=1");
    must(engine->grow(logs, name, 5, soon(), &words));
    ck_assert_int_eq(count_of(name), 5);
    put(name, 4, "b=2");
    expect_partition(name, 1, "a=1 ");
    expect_partition(name, 4, "b=2 ");
    expect_partition(name, 3, "");
    must(engine->grow(logs, name, 5, soon(), &words));
    ck_assert_int_eq(engine->grow(logs, name, 4, soon(), &words), WEIR_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(words.text, "5"));
    ck_assert_int_eq(count_of(name), 5);
    ck_assert_int_eq(engine->grow(logs, name_of("absent"), 4, soon(), &words), WEIR_NOTFOUND);
    suite_end();
}
END_TEST

START_TEST(an_empty_partition_begins_and_ends_at_nothing)
{
    struct weir__ends ends;
    const char       *name;

    suite_begin(_i);
    name = name_of("empty");
    make_topic(name, 1);
    ends = ends_of(name, 0);
    ck_assert_int_eq(ends.low, 0);
    ck_assert_int_eq(ends.stable, 0);
    ck_assert_int_eq(ends.end, 0);
    put(name, 0, "a=1 b=2 c=3");
    ends = ends_of(name, 0);
    ck_assert_int_eq(ends.low, 0);
    ck_assert_int_ge(ends.stable, 3);
    ck_assert_int_eq(ends.end, ends.stable);
    suite_end();
}
END_TEST

START_TEST(partitions_that_are_not_there_are_not_found)
{
    struct weir__ends ends;
    struct weir__tp   tps[3];
    int64_t           offset;
    const char       *name;

    suite_begin(_i);
    name = name_of("one");
    make_topic(name, 1);
    tps[0] = (struct weir__tp){ name, 1 };
    tps[1] = (struct weir__tp){ name, -1 };
    tps[2] = (struct weir__tp){ name_of("absent"), 0 };
    for (size_t i = 0; i < ARRAY_SIZE(tps); i++) {
        struct weir__offset    at = { .tp = tps[i] };
        struct weir__consumer *consumer;

        ck_assert_int_eq(engine->ends(logs, tps[i], soon(), &ends), WEIR_NOTFOUND);
        ck_assert_int_eq(engine->trim(logs, tps[i], 1, soon()), WEIR_NOTFOUND);
        ck_assert_int_eq(engine->offset_at(logs, tps[i], 1, soon(), &offset), WEIR_NOTFOUND);
        ck_assert_int_eq(engine->tail(logs, &at, 1, WEIR__READ_COMMITTED, &consumer, &words), WEIR_NOTFOUND);
        ck_assert_str_eq(words.where, tps[i].topic);
    }
    suite_end();
}
END_TEST

START_TEST(what_is_trimmed_is_not_read_again)
{
    struct weir__tp tp;
    const char     *name;

    suite_begin(_i);
    name = name_of("trimmed");
    tp = (struct weir__tp){ name, 0 };
    make_topic(name, 2);
    put(name, 0, "a=1 b=2 c=3 d=4");
    put(name, 1, "z=1");
    ck_assert_int_eq(engine->trim(logs, tp, 2, soon()), WEIR_OK);
    ck_assert_int_eq(ends_of(name, 0).low, 2);
    expect_partition(name, 0, "c=3 d=4 ");
    ck_assert_int_eq(engine->trim(logs, tp, 1, soon()), WEIR_OK);
    ck_assert_int_eq(ends_of(name, 0).low, 2);
    put(name, 0, "e=5");
    expect_partition(name, 0, "c=3 d=4 e=5 ");
    ck_assert_int_eq(engine->trim(logs, tp, ends_of(name, 0).end, soon()), WEIR_OK);
    expect_partition(name, 0, "");
    ck_assert_int_eq(ends_of(name, 0).low, ends_of(name, 0).end);
    put(name, 0, "f=6");
    expect_partition(name, 0, "f=6 ");
    expect_partition(name, 1, "z=1 ");
    suite_end();
}
END_TEST

START_TEST(a_reader_overtaken_by_a_trim_goes_on_at_the_first_offset)
{
    struct weir__consumer *consumer;
    struct weir__buf       text = { 0 };
    const char            *name;

    suite_begin(_i);
    name = name_of("overtaken");
    make_topic(name, 1);
    put(name, 0, "a=1 b=2 c=3");
    consumer = new_tail(name, 0, 0);
    ck_assert_int_eq(engine->trim(logs, (struct weir__tp){ name, 0 }, 2, soon()), WEIR_OK);
    if (subjects[_i].distant) /* it may have fetched them before: what is trimmed is overtaken when it is asked for */
        ck_assert_int_eq(engine->take(consumer, &(struct weir__offset){ .tp = { name, 0 }, .offset = 1 }, 1),
                         WEIR_OK);
    gather(consumer, 1, &text);
    expect_text(&text, "c=3 ");
    leave(consumer);
    suite_end();
}
END_TEST

static int64_t at(const char *topic, int64_t time)
{
    int64_t offset;

    ck_assert_int_eq(engine->offset_at(logs, (struct weir__tp){ topic, 0 }, time, soon(), &offset), WEIR_OK);
    return offset;
}

START_TEST(the_offset_of_a_time_is_the_first_that_is_not_before_it)
{
    static const int64_t   times[] = { 1000, 3000, 2000, 5000 };
    struct weir__producer *producer;
    const char            *name;

    suite_begin(_i);
    name = name_of("timed");
    make_topic(name, 1);
    ck_assert_int_eq(at(name, 1), 0);
    producer = new_producer(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(times); i++)
        ck_assert_int_eq(try_send(producer, name, 0, "k", "v", times[i]), WEIR_OK);
    commit(producer);
    engine->producer_close(producer);
    ck_assert_int_eq(at(name, 1), 0);
    ck_assert_int_eq(at(name, 1000), 0);
    ck_assert_int_eq(at(name, 1001), 1);
    ck_assert_int_eq(at(name, 2500), 1);
    ck_assert_int_eq(at(name, 3001), 3);
    ck_assert_int_eq(at(name, 5000), 3);
    ck_assert_int_eq(at(name, 5001), ends_of(name, 0).end);
    ck_assert_int_eq(engine->trim(logs, (struct weir__tp){ name, 0 }, 2, soon()), WEIR_OK);
    ck_assert_int_eq(at(name, 1000), 2);
    suite_end();
}
END_TEST

START_TEST(a_removed_topic_is_gone_with_its_offsets)
{
    const char            *name, *group, *names[2];
    struct weir__producer *producer;
    struct weir__offset    offset;

    suite_begin(_i);
    name = name_of("removed");
    group = name_of("group");
    names[0] = name_of("absent");
    names[1] = name;
    make_topic(name, 2);
    put(name, 0, "a=1 b=2");
    offset = (struct weir__offset){ .tp = { name, 0 }, .offset = 2 };
    ck_assert_int_eq(engine->set_committed(logs, group, &offset, 1, soon()), WEIR_OK);
    ck_assert_int_eq(engine->remove(logs, names, 2, soon()),
                     WEIR_NOTFOUND); /* of the absent one; the other is gone */
    ck_assert_int_eq(count_of(name), -1);
    producer = new_producer(NULL);
    ck_assert_int_eq(try_send(producer, name, 0, "k", "v", 1), WEIR_NOTFOUND);
    make_topic(name, 1);
    ck_assert_int_eq(count_of(name), 1);
    ck_assert_int_eq(ends_of(name, 0).end, 0);
    expect_partition(name, 0, "");
    ck_assert_int_eq(committed_of(group, name, 0), -1);
    send(producer, name, 0, "c", "3");
    commit(producer);
    engine->producer_close(producer);
    expect_partition(name, 0, "c=3 ");
    ck_assert_int_eq(engine->remove(logs, &name, 1, soon()), WEIR_OK);
    suite_end();
}
END_TEST

START_TEST(a_topic_removed_under_its_readers_and_writers_harms_nobody)
{
    struct weir__producer *producer;
    struct weir__consumer *consumer;
    struct weir__polled    polled;
    const char            *name, *other;
    uint64_t               cookie;
    int                    code;

    suite_begin(_i);
    name = name_of("pulled");
    other = name_of("other");
    make_topic(name, 1);
    make_topic(other, 1);
    put(name, 0, "a=1");
    consumer = new_tail(name, 0, 0);
    producer = new_producer(name_of("producer"));
    send(producer, name, 0, "b", "2");
    send(producer, other, 0, "c", "3");
    ck_assert_int_eq(engine->remove(logs, &name, 1, soon()), WEIR_OK);
    if (!subjects[_i].distant) { /* a broker may have had the records of both before one topic went */
        ck_assert_int_eq(engine->poll(consumer, engine->now(logs), &polled), WEIR_AGAIN);
        ck_assert_int_eq(engine->commit(producer, NULL, NULL, -1, NULL, 0, soon()), WEIR_ABORT);
        ck_assert_int_eq(engine->failed(producer, &cookie, &code), WEIR_OK);
        ck_assert_int_eq(code, WEIR_NOTFOUND);
    }
    ck_assert_int_ge(engine->poll(consumer, engine->now(logs), &polled), WEIR_AGAIN);
    leave(consumer);
    while (engine->failed(producer, &cookie, &code) == WEIR_OK)
        ck_assert_int_eq(code, WEIR_NOTFOUND);
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    expect_partition(other, 0, "");
    send(producer, other, 0, "d", "4");
    commit(producer);
    expect_partition(other, 0, "d=4 ");
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(topics_stay_when_the_log_is_opened_again)
{
    const char *const settings[] = { "cleanup.policy=compact,delete", "retention.ms=-1", "delete.retention.ms=77",
                                     NULL };
    const char       *name;

    suite_begin(_i);
    if (subjects[_i].durable) {
        name = name_of("kept");
        make_topic_with(name, 2, settings);
        must(engine->grow(logs, name, 3, soon(), &words));
        put(name, 2, "a=1 b=2");
        ck_assert_int_eq(engine->trim(logs, (struct weir__tp){ name, 2 }, 1, soon()), WEIR_OK);
        suite_close();
        suite_open();
        must(ensure(name, 3, settings));
        expect_text(&told, "");
        expect_partition(name, 2, "b=2 ");
        ck_assert_int_eq(ends_of(name, 2).low, 1);
        put(name, 2, "c=3");
        expect_partition(name, 2, "b=2 c=3 ");
    }
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { an_unknown_topic_has_no_partitions },
                                  { topics_are_made_with_their_partitions },
                                  { differences_are_listed_and_nothing_is_changed },
                                  { who_would_lose_records_is_marked },
                                  { a_difference_that_is_refused_ends_the_comparison },
                                  { what_cannot_be_a_topic_is_refused_by_name },
                                  { one_bad_topic_and_none_of_the_call_is_made },
                                  { settings_are_told },
                                  { topics_that_do_not_say_are_bounded_and_compacted_ones_never },
                                  { topics_are_listed },
                                  { a_topic_grows_and_never_shrinks },
                                  { an_empty_partition_begins_and_ends_at_nothing },
                                  { partitions_that_are_not_there_are_not_found },
                                  { what_is_trimmed_is_not_read_again },
                                  { a_reader_overtaken_by_a_trim_goes_on_at_the_first_offset },
                                  { the_offset_of_a_time_is_the_first_that_is_not_before_it },
                                  { a_removed_topic_is_gone_with_its_offsets },
                                  { a_topic_removed_under_its_readers_and_writers_harms_nobody },
                                  { topics_stay_when_the_log_is_opened_again } };

    return suite_main("log topics", true, tests, ARRAY_SIZE(tests));
}
