/* test_log_records.c: records as they were sent: bytes, headers, times, order, partitions, bounds. */
#include "test/log/suite.h"

#include <stdlib.h>

/* One record sent and read back; released by the caller. */
static const struct weir__raw *round_trip(struct weir__raw *raw, struct weir__consumer **ret_reader,
                                          struct weir__polled *ret)
{
    struct weir__producer *producer = new_producer(NULL);

    ck_assert_int_eq(engine->send(producer, raw, 0), WEIR_OK);
    commit(producer);
    engine->producer_close(producer);
    *ret_reader = new_tail(raw->topic, raw->partition, ends_of(raw->topic, raw->partition).low);
    ck_assert_int_eq(engine->poll(*ret_reader, soon(), ret), WEIR_OK);
    ck_assert_uint_eq(ret->count, 1);
    return ret->records;
}

static void expect_same(struct weir_bytes a, struct weir_bytes b)
{
    ck_assert_int_eq(a.data == NULL, b.data == NULL);
    ck_assert(weir__bytes_equal(a, b));
}

static const struct weir_bytes bodies[] = { { NULL, 0 }, { "", 0 }, { "x", 1 }, { "a\0b\xff\n", 5 } };

START_TEST(null_and_empty_and_any_bytes_stay_what_they_are)
{
    suite_begin(_i);
    for (size_t i = 0; i < ARRAY_SIZE(bodies) * ARRAY_SIZE(bodies); i++) {
        struct weir__raw        raw = { .topic = name_of("bodies"),
                                        .timestamp = 123456789012345 + (int64_t)i,
                                        .key = bodies[i / ARRAY_SIZE(bodies)],
                                        .value = bodies[i % ARRAY_SIZE(bodies)] };
        struct weir__consumer  *reader;
        struct weir__polled     polled;
        const struct weir__raw *got;

        make_topic(raw.topic, 1);
        got = round_trip(&raw, &reader, &polled);
        expect_same(got->key, raw.key);
        expect_same(got->value, raw.value);
        ck_assert_int_eq(got->timestamp, raw.timestamp);
        ck_assert_str_eq(got->topic, raw.topic);
        ck_assert_int_eq(got->partition, 0);
        ck_assert_int_eq(got->offset, ends_of(raw.topic, 0).low);
        ck_assert_uint_eq(got->header_count, 0);
        engine->release(reader, polled.lease);
        leave(reader);
        ck_assert_int_eq(engine->trim(logs, (struct weir__tp){ raw.topic, 0 }, ends_of(raw.topic, 0).end, soon()),
                         WEIR_OK);
    }
    suite_end();
}
END_TEST

START_TEST(headers_keep_their_order_and_their_doubles)
{
    const struct weir_header headers[] = { { "b", { "1", 1 } },    { "a", { NULL, 0 } }, { "b", { "", 0 } },
                                           { "c", { "\0\1", 2 } }, { "", { "x", 1 } },   { "b", { "1", 1 } } };
    struct weir__raw         raw = { .partition = 1, .timestamp = 1, .headers = headers, .header_count = 6 };
    struct weir__consumer   *reader;
    struct weir__polled      polled;
    const struct weir__raw  *got;

    suite_begin(_i);
    raw.topic = name_of("headers");
    make_topic(raw.topic, 2);
    got = round_trip(&raw, &reader, &polled);
    ck_assert_uint_eq(got->header_count, raw.header_count);
    for (size_t i = 0; i < raw.header_count; i++) {
        ck_assert_str_eq(got->headers[i].name, headers[i].name);
        expect_same(got->headers[i].value, headers[i].value);
    }
    engine->release(reader, polled.lease);
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(what_is_sent_is_copied)
{
    char                   key[] = "key", value[] = "value";
    struct weir__producer *producer;
    const char            *name;

    suite_begin(_i);
    name = name_of("copied");
    make_topic(name, 1);
    producer = new_producer(NULL);
    send(producer, name, 0, key, value);
    memset(key, '#', sizeof(key) - 1);
    memset(value, '#', sizeof(value) - 1);
    commit(producer);
    engine->producer_close(producer);
    expect_partition(name, 0, "key=value ");
    suite_end();
}
END_TEST

/* Of a number of records, half in each partition: the next one of each is what comes. */
static void expect_in_turn(struct weir__consumer *reader, int count)
{
    int next[2] = { 0, 1 };

    while (next[0] < count || next[1] < count) {
        struct weir__polled polled;

        ck_assert_int_eq(engine->poll(reader, soon(), &polled), WEIR_OK);
        for (size_t i = 0; i < polled.count; i++) {
            const struct weir__raw *got = &polled.records[i];

            ck_assert_int_eq(atoi(got->key.data), next[got->partition]);
            next[got->partition] += 2;
        }
        engine->release(reader, polled.lease);
    }
}

/* Where the library's queues are full again and again, and it stops fetching. */
START_TEST(through_small_queues_each_record_comes_once)
{
    const int              count = 60000;
    struct weir__producer *producer;
    struct weir__consumer *reader;
    const char            *name;

    suite_memory = 1;
    suite_begin(_i);
    name = name_of("small");
    make_topic(name, 2);
    producer = new_producer(NULL);
    for (int n = 0; n < count; n++) {
        char key[16];

        snprintf(key, sizeof(key), "%08d", n);
        send(producer, name, n % 2, key,
             "a value as long as those of many records are, more or less, in many a topic");
        if (n % 1000 == 999)
            commit(producer);
    }
    engine->producer_close(producer);
    must(engine->tail(logs, (struct weir__offset[]){ { .tp = { name, 0 } }, { .tp = { name, 1 } } }, 2,
                      WEIR__READ_COMMITTED, &reader, &words));
    expect_in_turn(reader, count);
    leave(reader);
    suite_memory = 0;
    suite_end();
}
END_TEST

START_TEST(times_that_no_window_can_hold_are_refused)
{
    struct weir__producer *producer;
    const char            *name;

    suite_begin(_i);
    name = name_of("times");
    make_topic(name, 1);
    producer = new_producer(NULL);
    ck_assert_int_eq(try_send(producer, name, 0, "k", "v", 0), WEIR_BAD_TIME);
    ck_assert_int_eq(try_send(producer, name, 0, "k", "v", -1), WEIR_BAD_TIME);
    ck_assert_int_eq(try_send(producer, name, 0, "k", "v", INT64_MIN), WEIR_BAD_TIME);
    ck_assert_int_eq(try_send(producer, name, 0, "k", "first", 1), WEIR_OK);
    ck_assert_int_eq(try_send(producer, name, 0, "k", "far", INT64_C(253402300799999)), WEIR_OK);
    commit(producer);
    engine->producer_close(producer);
    expect_partition(name, 0, "k=first k=far ");
    suite_end();
}
END_TEST

START_TEST(a_record_as_large_as_allowed_passes_and_a_larger_one_does_not)
{
    size_t                 most = 1 << 20;
    char                  *value = malloc(most + 1);
    struct weir__raw       raw = { .timestamp = 1, .value = { value, most - 1 }, .key = { "k", 1 } };
    struct weir__consumer *reader;
    struct weir__producer *producer;
    struct weir__polled    polled;

    suite_begin(_i);
    raw.topic = name_of("large");
    make_topic(raw.topic, 1);
    for (size_t i = 0; i <= most; i++)
        value[i] = (char)(i * 2654435761u >> 13);
    producer = new_producer(NULL);
    raw.value.size = most;
    ck_assert_int_eq(engine->send(producer, &raw, 0), WEIR_TOO_LARGE);
    raw.value.size = most - 1 - strlen("name") - 1;
    raw.headers = &(const struct weir_header){ "name", { "12", 2 } };
    raw.header_count = 1;
    ck_assert_int_eq(engine->send(producer, &raw, 0), WEIR_TOO_LARGE);
    engine->producer_close(producer);
    raw.headers = &(const struct weir_header){ "name", { "1", 1 } };
    expect_same(round_trip(&raw, &reader, &polled)->value, raw.value);
    engine->release(reader, polled.lease);
    leave(reader);
    free(value);
    suite_end();
}
END_TEST

START_TEST(many_large_records_come_in_order)
{
    enum { COUNT = 40 };
    size_t                 size = 300000, seen = 0;
    char                  *value = calloc(1, size);
    struct weir__raw       raw = { .timestamp = 1, .value = { value, size } };
    struct weir__producer *producer;
    struct weir__consumer *reader;

    suite_begin(_i);
    raw.topic = name_of("larges");
    make_topic(raw.topic, 1);
    producer = new_producer(NULL);
    for (int i = 0; i < COUNT; i++) {
        memcpy(value, &i, sizeof(i));
        ck_assert_int_eq(engine->send(producer, &raw, 0), WEIR_OK);
        if (i % 7 == 0)
            commit(producer);
    }
    commit(producer);
    engine->producer_close(producer);
    reader = new_tail(raw.topic, 0, 0);
    while (seen < COUNT) {
        struct weir__polled polled;

        ck_assert_int_eq(engine->poll(reader, soon(), &polled), WEIR_OK);
        for (size_t i = 0; i < polled.count; i++, seen++) {
            int number = (int)seen;

            memcpy(value, &number, sizeof(number));
            expect_same(polled.records[i].value, raw.value);
        }
        engine->release(reader, polled.lease);
    }
    leave(reader);
    free(value);
    suite_end();
}
END_TEST

/* Kafka's own vectors: UtilsTest.testMurmur2. */
static const struct {
    const char *key;
    int32_t     hash;
} vectors[] = { { "21", -973932308 },
                { "foobar", -790332482 },
                { "a-little-bit-long-string", -985981536 },
                { "a-little-bit-longer-string", -1486304829 },
                { "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 },
                { "abc", 479470107 } };

START_TEST(a_key_goes_where_a_java_producer_sends_it)
{
    const char *name;

    suite_begin(_i);
    name = name_of("hashed");
    make_topic(name, 13);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        struct weir__producer *producer = new_producer(NULL);
        int32_t                partition = (vectors[i].hash & INT32_MAX) % 13;
        struct weir__tp        tp = { name, partition };
        int64_t                before = ends_of(name, partition).end;

        send(producer, name, -1, vectors[i].key, "v");
        commit(producer);
        ck_assert_int_gt(engine->sent(producer, tp), before);
        engine->producer_close(producer);
    }
    suite_end();
}
END_TEST

START_TEST(an_empty_key_is_a_key_and_null_goes_anywhere)
{
    struct weir__producer *producer;
    const char            *name;
    int64_t                count = 0;

    suite_begin(_i);
    name = name_of("keyless");
    make_topic(name, 3);
    producer = new_producer(NULL);
    send(producer, name, -1, "", "v"); /* murmur2 of nothing is 275646681 */
    commit(producer);
    ck_assert_int_gt(engine->sent(producer, (struct weir__tp){ name, 275646681 % 3 }), 0);
    for (int i = 0; i < 30; i++)
        send(producer, name, -1, NULL, "v");
    commit(producer);
    for (int32_t i = 0; i < 3; i++) {
        struct weir__consumer *reader = new_tail(name, i, 0);
        struct weir__polled    polled = { 0 };

        while (engine->poll(reader, soon(), &polled) == WEIR_OK && polled.event == NULL) {
            count += (int64_t)polled.count;
            engine->release(reader, polled.lease);
        }
        engine->release(reader, polled.lease);
        leave(reader);
    }
    ck_assert_int_eq(count, 31);
    engine->producer_close(producer);
    suite_end();
}
END_TEST

START_TEST(a_record_for_no_partition_is_refused)
{
    struct weir__producer *producer;
    const char            *name;

    suite_begin(_i);
    name = name_of("three");
    make_topic(name, 3);
    producer = new_producer(NULL);
    ck_assert_int_eq(try_send(producer, name, 3, "k", "v", 1), WEIR_NOTFOUND);
    ck_assert_int_eq(try_send(producer, name_of("absent"), 0, "k", "v", 1), WEIR_NOTFOUND);
    send(producer, name, 2, "k", "v");
    commit(producer);
    engine->producer_close(producer);
    expect_partition(name, 2, "k=v ");
    suite_end();
}
END_TEST

/* Numbers 0.. of each partition follow each other, whatever the commits and the polls. */
START_TEST(many_records_come_complete_and_in_order)
{
    int                    count = long_form() ? 1000000 : 30000, partitions = 3, left = count;
    int                    next[3] = { 0 };
    struct weir__offset    from[3];
    struct weir__producer *producer;
    struct weir__consumer *reader;
    const char            *name;

    suite_begin(_i);
    name = name_of("many");
    make_topic(name, partitions);
    producer = new_producer(NULL);
    for (int i = 0; i < count; i++) {
        struct weir__raw raw = {
            .topic = name, .partition = i % partitions, .timestamp = i + 1, .value = { &i, sizeof(i) }
        };

        ck_assert_int_eq(engine->send(producer, &raw, 0), WEIR_OK);
        if (i % 2777 == 0)
            commit(producer);
    }
    commit(producer);
    engine->producer_close(producer);
    for (int i = 0; i < partitions; i++)
        from[i] = (struct weir__offset){ .tp = { name, i } };
    must(engine->tail(logs, from, 3, WEIR__READ_COMMITTED, &reader, &words));
    while (left > 0) {
        struct weir__polled polled;

        ck_assert_int_eq(engine->poll(reader, soon(), &polled), WEIR_OK);
        for (size_t i = 0; i < polled.count; i++, left--) {
            const struct weir__raw *raw = &polled.records[i];
            int                     number;

            memcpy(&number, raw->value.data, sizeof(number));
            ck_assert_int_eq(number, next[raw->partition] * partitions + raw->partition);
            ck_assert_int_eq(raw->timestamp, number + 1);
            next[raw->partition]++;
        }
        engine->release(reader, polled.lease);
    }
    ck_assert_int_eq(next_event(reader).kind, WEIR__END);
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(records_live_until_they_are_released)
{
    struct weir__consumer *reader;
    struct weir__polled    first, second;
    const char            *name;

    suite_begin(_i);
    name = name_of("leased");
    make_topic(name, 1);
    put(name, 0, "a=1");
    reader = new_tail(name, 0, 0);
    ck_assert_int_eq(engine->poll(reader, soon(), &first), WEIR_OK);
    put(name, 0, "b=2");
    do
        ck_assert_int_eq(engine->poll(reader, soon(), &second), WEIR_OK);
    while (second.count == 0);
    ck_assert_int_eq(engine->trim(logs, (struct weir__tp){ name, 0 }, ends_of(name, 0).end, soon()), WEIR_OK);
    expect_same(first.records[0].value, bytes_of("1"));
    expect_same(second.records[0].value, bytes_of("2"));
    engine->release(reader, first.lease);
    expect_same(second.records[0].key, bytes_of("b"));
    engine->release(reader, second.lease);
    leave(reader);
    suite_end();
}
END_TEST

START_TEST(reading_begins_at_any_offset)
{
    struct weir__buf text = { 0 };
    const char      *name;

    suite_begin(_i);
    name = name_of("middle");
    make_topic(name, 1);
    put(name, 0, "a=0 b=1 c=2 d=3 e=4");
    for (int64_t from = 0; from < 5; from++) {
        struct weir__consumer *reader = new_tail(name, 0, from);

        gather(reader, (size_t)(5 - from), &text);
        expect_text(&text, &"a=0 b=1 c=2 d=3 e=4 "[4 * from]);
        leave(reader);
    }
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { null_and_empty_and_any_bytes_stay_what_they_are },
                                  { headers_keep_their_order_and_their_doubles },
                                  { what_is_sent_is_copied },
                                  { through_small_queues_each_record_comes_once },
                                  { times_that_no_window_can_hold_are_refused },
                                  { a_record_as_large_as_allowed_passes_and_a_larger_one_does_not },
                                  { many_large_records_come_in_order },
                                  { a_key_goes_where_a_java_producer_sends_it },
                                  { an_empty_key_is_a_key_and_null_goes_anywhere },
                                  { a_record_for_no_partition_is_refused },
                                  { many_records_come_complete_and_in_order },
                                  { records_live_until_they_are_released },
                                  { reading_begins_at_any_offset } };

    return suite_main("log records", true, tests, ARRAY_SIZE(tests));
}
