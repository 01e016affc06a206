/* test_embedded_memory.c: every allocation of every operation fails once: WEIR_NO_MEMORY, nothing half done, and the same
 * call succeeds when there is memory. */
#include "test/log/suite.h"

#include <stdlib.h>

static struct weir__consumer *consumer;
static struct weir__producer *producer;
static struct weir__polled    polled;
static struct weir_arena      arena;
static int32_t                count;
static int64_t                offset;

/* ---- the operations ---- */

static int op_open(void)
{
    struct weir__log_config config = { .dir = log_dir, .quirks = true };

    return engine->open(&config, &logs, &words);
}

static const char *const settings[] = { "cleanup.policy=compact", "retention.ms=5", NULL };

static int op_ensure(void)
{
    const struct weir__topic topics[] = { { .name = "one", .partitions = 20, .settings = settings },
                                          { .name = "two", .partitions = 1 },
                                          { .name = "topic", .partitions = 2 } };

    return engine->ensure(logs, topics, 3, soon(), NULL, NULL, &words);
}

static int op_grow(void) { return engine->grow(logs, "topic", 30, soon(), &words); }

static int op_remove(void)
{
    const char *const names[] = { "one" };

    return engine->remove(logs, names, 1, soon());
}

static int op_producer(void) { return engine->producer(logs, "id", soon(), &producer, &words); }

static int op_send(void)
{
    static char              value[100000];
    const struct weir_header headers[] = { { "name", { "value", 5 } } };
    struct weir__raw         raw = { .topic = "topic",
                                     .partition = 1,
                                     .timestamp = 1,
                                     .value = { value, sizeof(value) },
                                     .headers = headers,
                                     .header_count = 1 };

    return engine->send(producer, &raw, 0);
}

static int op_commit(void)
{
    struct weir__offset at = { .tp = { "topic", 0 }, .offset = 7, .metadata = { "metadata", 8 } };

    return engine->commit(producer, "group", NULL, -1, &at, 1, soon());
}

static int op_set_committed(void)
{
    struct weir__offset at = { .tp = { "topic", 1 }, .offset = 8 };

    return engine->set_committed(logs, "other", &at, 1, soon());
}

static int op_committed(void)
{
    struct weir__offset at = { .tp = { "topic", 0 } };
    int                 err = engine->committed(logs, "group", &at, 1, &arena, soon());

    if (err == WEIR_OK)
        ck_assert_int_eq(at.offset, 7);
    return err;
}

static int op_join(void)
{
    const char *const topics[] = { "topic", "two" };

    return engine->join(logs, "group", "instance", topics, 2, &consumer, &words);
}

static int op_poll(void) { return engine->poll(consumer, engine->now(logs), &polled); }

static int op_take(void)
{
    struct weir__offset from[] = { { .tp = { "topic", 1 } }, { .tp = { "topic", 0 } } };

    return engine->take(consumer, from, 2);
}

static int op_tail(void)
{
    struct weir__offset from = { .tp = { "topic", 1 } };

    return engine->tail(logs, &from, 1, WEIR__READ_COMMITTED, &consumer, &words);
}

static int op_trim(void) { return engine->trim(logs, (struct weir__tp){ "topic", 1 }, 10, soon()); }

static int op_offset_at(void) { return engine->offset_at(logs, (struct weir__tp){ "topic", 1 }, 1, soon(), &offset); }

/* Each allocation of the operation fails; then it is done once, well. */
static void torture(int (*op)(void), void (*check_undone)(void))
{
    int err = WEIR_NO_MEMORY;

    for (uint64_t n = 1; err == WEIR_NO_MEMORY; n++) {
        weir__fail_allocation(n);
        err = op();
        weir__fail_allocation(0);
        ck_assert_msg(err == WEIR_OK || err == WEIR_NO_MEMORY, "allocation %lu: %s", (unsigned long)n,
                      weir_code_name(err));
        if (err < 0 && check_undone != NULL)
            check_undone();
        ck_assert_uint_lt(n, 1000);
    }
}

/* ---- nothing is half done ---- */

/* What is on the disk counts, not what is remembered. */
static void look_again(void)
{
    if (log_dir == NULL)
        return;
    suite_close();
    suite_open();
}

static void nothing_made(void)
{
    look_again();
    ck_assert_int_eq(engine->partitions(logs, "one", soon(), &count), WEIR_NOTFOUND);
    ck_assert_int_eq(engine->partitions(logs, "two", soon(), &count), WEIR_NOTFOUND);
}

static void not_grown(void)
{
    look_again();
    ck_assert_int_eq(engine->partitions(logs, "topic", soon(), &count), WEIR_OK);
    ck_assert_int_eq(count, 2);
}

static void not_removed(void)
{
    look_again();
    ck_assert_int_eq(engine->partitions(logs, "one", soon(), &count), WEIR_OK);
}

static void not_committed(void)
{
    ck_assert_int_eq(ends_of("topic", 1).stable, 0);
    ck_assert_int_eq(committed_of("group", "topic", 0), -1);
}

static void not_set(void) { ck_assert_int_eq(committed_of("other", "topic", 1), -1); }

static void not_trimmed(void) { ck_assert_int_eq(ends_of("topic", 1).low, 0); }

/* ---- stories ---- */

static void torture_topics(void)
{
    torture(op_ensure, nothing_made);
    torture(op_grow, not_grown);
    ck_assert_int_eq(engine->partitions(logs, "one", soon(), &count), WEIR_OK);
    ck_assert_int_eq(count, 20);
    torture(op_remove, not_removed);
    ck_assert_int_eq(engine->partitions(logs, "one", soon(), &count), WEIR_NOTFOUND);
    ck_assert_int_eq(engine->partitions(logs, "topic", soon(), &count), WEIR_OK);
    ck_assert_int_eq(count, 30);
}

static void torture_writing(void)
{
    torture(op_producer, NULL);
    for (int i = 0; i < 30; i++)
        torture(op_send, not_committed);
    torture(op_commit, not_committed);
    ck_assert_int_eq(ends_of("topic", 1).end, 31); /* a marker after them */
    torture(op_committed, NULL);
    torture(op_set_committed, not_set);
    ck_assert_int_eq(committed_of("other", "topic", 1), 8);
    engine->producer_close(producer);
    torture(op_offset_at, NULL);
    ck_assert_int_eq(offset, 0);
}

/* Polls to the end, each allocation of each poll failing. */
static size_t torture_polls(void)
{
    size_t records = 0;

    do {
        torture(op_poll, NULL);
        records += polled.count;
        if (polled.count > 0)
            engine->release(consumer, polled.lease);
    } while (polled.event == NULL || polled.event->kind != WEIR__END);
    return records;
}

static void torture_reading(void)
{
    torture(op_tail, NULL);
    ck_assert_uint_eq(torture_polls(), 30);
    leave(consumer);
    torture(op_join, NULL);
    torture(op_poll, NULL);
    ck_assert_int_eq(polled.event->kind, WEIR__ASSIGNED);
    ck_assert_uint_eq(polled.event->count, 31);
    torture(op_take, NULL);
    ck_assert_uint_eq(torture_polls(), 30);
    leave(consumer);
    torture(op_trim, not_trimmed);
    ck_assert_int_eq(ends_of("topic", 1).low, 10);
}

START_TEST(without_memory_nothing_is_half_done)
{
    suite_begin(_i);
    make_topic("topic", 2);
    torture_topics();
    torture_writing();
    torture_reading();
    weir__arena_fini(&arena);
    suite_close();
    torture(op_open, NULL);
    if (subjects[_i].durable) {
        ck_assert_int_eq(ends_of("topic", 1).end, 31); /* a marker after them */
        ck_assert_int_eq(ends_of("topic", 1).low, 10);
    }
    suite_end();
}
END_TEST

/* A compaction that lacks memory is put off; records stay what they are. */
START_TEST(without_memory_a_compaction_waits)
{
    static const char *const compacted[] = { "cleanup.policy=compact", NULL };
    char                     key[16], value[16];

    suite_begin(_i);
    make_topic_with("table", 1, compacted);
    producer = new_producer(NULL);
    for (int i = 0; i < 40000; i++) {
        snprintf(key, sizeof(key), "%d", i % 4);
        snprintf(value, sizeof(value), "%d", i);
        send(producer, "table", 0, key, value);
        if (i % 1000 != 999)
            continue;
        weir__fail_allocation((uint64_t)(i / 1000 % 30 + 20)); /* past those of the commit itself */
        while (engine->commit(producer, NULL, NULL, -1, NULL, 0, soon()) != WEIR_OK)
            weir__fail_allocation(0);
        weir__fail_allocation(0);
    }
    engine->producer_close(producer);
    ck_assert_int_eq(ends_of("table", 0).end, 40000);
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { without_memory_nothing_is_half_done }, { without_memory_a_compaction_waits } };

    return suite_main("embedded memory", true, tests, ARRAY_SIZE(tests));
}
