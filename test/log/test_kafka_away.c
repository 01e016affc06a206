/* test_kafka_away.c: the Kafka engine without a broker: its settings, and calls that end at their deadline. */
#include "test/log/suite.h"

/* Nobody listens there. */
#define AWAY "bootstrap.servers=127.0.0.1:1"

static int open_with(const char *a, const char *b)
{
    const char *const       settings[] = { a, b, NULL };
    struct weir__log_config config = { .settings = settings };

    engine = &weir__kafka_engine;
    return engine->open(&config, &logs, &words);
}

START_TEST(brokers_must_be_named)
{
    (void)_i;
    ck_assert_int_eq(open_with(NULL, NULL), WEIR_BAD_CONFIG);
    ck_assert_str_eq(words.where, "kafka.bootstrap.servers");
}
END_TEST

START_TEST(a_setting_that_the_engine_stands_on_is_refused_by_name)
{
    (void)_i;
    ck_assert_int_eq(open_with(AWAY, "isolation.level=read_uncommitted"), WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(words.text, "kafka.isolation.level"));
}
END_TEST

START_TEST(a_setting_that_librdkafka_does_not_take_is_refused_by_name)
{
    (void)_i;
    ck_assert_int_eq(open_with(AWAY, "no.such.setting=1"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(words.where, "kafka.no.such.setting");
    ck_assert_int_eq(open_with(AWAY, "socket.timeout.ms=soon"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(words.where, "kafka.socket.timeout.ms");
}
END_TEST

static int64_t shortly(void) { return engine->now(logs) + 50; }

START_TEST(questions_end_at_their_deadline)
{
    struct weir__offset at = { .tp = { "topic", 0 } };
    struct weir__topic  topic = { .name = "topic", .partitions = 1 };
    struct weir__ends   ends;
    struct weir_arena   arena = { 0 };
    int64_t             offset;
    int32_t             count;

    (void)_i;
    must(open_with(AWAY, NULL));
    ck_assert_int_eq(engine->partitions(logs, "topic", shortly(), &count), WEIR_AGAIN);
    ck_assert_int_eq(engine->ensure(logs, &topic, 1, shortly(), NULL, NULL, &words), WEIR_AGAIN);
    ck_assert_int_eq(engine->ends(logs, at.tp, shortly(), &ends), WEIR_AGAIN);
    ck_assert_int_eq(engine->offset_at(logs, at.tp, 1, shortly(), &offset), WEIR_AGAIN);
    ck_assert_int_eq(engine->committed(logs, "group", &at, 1, &arena, shortly()), WEIR_AGAIN);
    ck_assert_int_eq(engine->set_committed(logs, "group", &at, 1, shortly()), WEIR_AGAIN);
    weir__arena_fini(&arena);
    suite_close();
}
END_TEST

START_TEST(a_producer_that_cannot_be_opened_yet_is_asked_for_again)
{
    struct weir__producer *producer;

    (void)_i;
    must(open_with(AWAY, NULL));
    ck_assert_int_eq(engine->producer(logs, "id", shortly(), &producer, &words), WEIR_AGAIN);
    ck_assert_int_eq(engine->producer(logs, "id", shortly(), &producer, &words), WEIR_AGAIN);
    suite_close(); /* with what was begun */
}
END_TEST

START_TEST(a_member_of_nobody_polls_and_leaves)
{
    const char            *topic = "topic";
    struct weir__consumer *consumer;
    struct weir__polled    polled;

    (void)_i;
    must(open_with(AWAY, NULL));
    must(engine->join(logs, "group", NULL, &topic, 1, &consumer, &words));
    ck_assert_int_eq(engine->poll(consumer, shortly(), &polled), WEIR_AGAIN);
    ck_assert(!engine->valid(consumer, 1));
    ck_assert_int_ge(engine->leave(consumer, engine->now(logs) + 5000), WEIR_AGAIN);
    suite_close();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { brokers_must_be_named },
                                  { a_setting_that_the_engine_stands_on_is_refused_by_name },
                                  { a_setting_that_librdkafka_does_not_take_is_refused_by_name },
                                  { questions_end_at_their_deadline },
                                  { a_producer_that_cannot_be_opened_yet_is_asked_for_again },
                                  { a_member_of_nobody_polls_and_leaves } };

    return suite_main("kafka away", false, tests, ARRAY_SIZE(tests));
}
