/* test_log_threads.c: many threads on one log: producers, members of a group that come and go, and others who ask. */
#include "test/log/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PRODUCERS  3
#define MEMBERS    3
#define PARTITIONS 6
#define AT_ONCE    50

static char       in[64], out[64], group[64];
static int        each; /* records of a producer */
static atomic_int arrived, finished;

/* Threads check by themselves: libcheck's asserts belong to the test's own thread. */
static void want(int err)
{
    if (err == WEIR_OK)
        return;
    fprintf(stderr, "a thread was answered %s\n", weir_code_name(err));
    abort();
}

static int64_t deadline(void) { return engine->now(logs) + 120000; }

/* ---- producers: each writes its numbers in order ---- */

static void *produce(void *arg)
{
    struct weir__producer *producer;
    int                    me = (int)(intptr_t)arg;
    char                   id[32];

    snprintf(id, sizeof(id), "producer-%d", me);
    want(engine->producer(logs, id, deadline(), &producer, NULL));
    for (int i = 0; i < each; i++) {
        int              numbers[2] = { me, i };
        struct weir__raw raw = { .topic = in,
                                 .partition = -1,
                                 .timestamp = 1,
                                 .key = { &numbers[1], sizeof(int) },
                                 .value = { numbers, sizeof(numbers) } };

        want(engine->send(producer, &raw, 0));
        if (i % AT_ONCE == AT_ONCE - 1 || i == each - 1)
            want(engine->commit(producer, NULL, NULL, -1, NULL, 0, deadline()));
    }
    engine->producer_close(producer);
    return NULL;
}

/* ---- members: copy exactly once what they are given, until all has arrived ---- */

struct worker {
    struct weir__consumer *consumer;
    struct weir__producer *producer;
    int64_t                token;
    bool                   holds;
    int64_t                next[PARTITIONS]; /* of what is held; -1 = not ours */
    int                    copied;           /* since the last commit */
};

static void take_assigned(struct worker *worker, const struct weir__log_event *event)
{
    struct weir__offset offsets[PARTITIONS];
    struct weir_arena   arena = { 0 };

    for (size_t i = 0; i < event->count; i++)
        offsets[i] = (struct weir__offset){ .tp = event->tps[i] };
    want(engine->committed(logs, group, offsets, event->count, &arena, deadline()));
    memset(worker->next, -1, sizeof(worker->next));
    for (size_t i = 0; i < event->count; i++)
        worker->next[offsets[i].tp.partition] = MAX(offsets[i].offset, 0);
    want(engine->take(worker->consumer, offsets, event->count));
    weir__arena_fini(&arena);
    worker->token = event->token;
    worker->holds = true;
}

static void drop(struct worker *worker)
{
    want(engine->abort(worker->producer, deadline()));
    worker->copied = 0;
    worker->holds = false;
}

static void commit_copied(struct worker *worker)
{
    struct weir__offset offsets[PARTITIONS];
    size_t              count = 0;
    int                 err;

    if (worker->copied == 0)
        return;
    for (int32_t i = 0; i < PARTITIONS; i++)
        if (worker->next[i] >= 0)
            offsets[count++] = (struct weir__offset){ .tp = { in, i }, .offset = worker->next[i] };
    err = engine->commit(worker->producer, group, worker->consumer, worker->token, offsets, count, deadline());
    if (err == WEIR_ABORT || err == WEIR_LOST) { /* the generation has ended: another member does it again */
        drop(worker);
        return;
    }
    want(err);
    atomic_fetch_add(&arrived, worker->copied);
    worker->copied = 0;
}

static void on_event(struct worker *worker, const struct weir__log_event *event)
{
    if (event->kind == WEIR__ASSIGNED)
        take_assigned(worker, event);
    else if (event->kind == WEIR__REVOKED)
        commit_copied(worker);
    if (event->kind == WEIR__LOST_TPS)
        drop(worker);
}

static void copy_records(struct worker *worker, const struct weir__polled *polled)
{
    for (size_t i = 0; i < polled->count; i++) {
        struct weir__raw raw = polled->records[i];

        worker->next[raw.partition] = raw.offset + 1;
        raw.topic = out;
        want(engine->send(worker->producer, &raw, 0));
        worker->copied++;
    }
}

static void work(struct worker *worker, int turns)
{
    for (int i = 0; i < turns && atomic_load(&arrived) < each * PRODUCERS; i++) {
        struct weir__polled polled;
        int                 err = engine->poll(worker->consumer, engine->now(logs) + 2, &polled);

        if (err == WEIR_AGAIN)
            continue;
        want(err);
        if (polled.event != NULL)
            on_event(worker, polled.event);
        copy_records(worker, &polled);
        engine->release(worker->consumer, polled.lease);
        commit_copied(worker);
    }
}

/* Comes and goes: each life is a membership of its own. */
static void *consume(void *arg)
{
    const char *topic = in;
    char        id[32];

    snprintf(id, sizeof(id), "member-%d", (int)(intptr_t)arg);
    while (atomic_load(&arrived) < each * PRODUCERS) {
        struct worker worker = { 0 };

        memset(worker.next, -1, sizeof(worker.next));
        want(engine->producer(logs, id, deadline(), &worker.producer, NULL));
        want(engine->join(logs, group, NULL, &topic, 1, &worker.consumer, NULL));
        work(&worker, 150 + 100 * (int)(intptr_t)arg);
        engine->producer_close(worker.producer);
        want(engine->leave(worker.consumer, deadline()));
    }
    return NULL;
}

/* ---- others ---- */

static void *ask(void *arg)
{
    (void)arg;
    while (!atomic_load(&finished)) {
        struct weir__topic     topic = { .name = out, .partitions = PARTITIONS };
        struct weir__offset    from = { .tp = { in, 1 } };
        struct weir__ends      ends;
        struct weir__consumer *reader;
        struct weir__polled    polled;
        int64_t                offset;

        want(engine->ensure(logs, &topic, 1, deadline(), NULL, NULL, NULL));
        want(engine->ends(logs, from.tp, deadline(), &ends));
        want(engine->offset_at(logs, from.tp, 1, deadline(), &offset));
        want(engine->trim(logs, (struct weir__tp){ "scratch", 0 }, 1000000000, deadline()));
        want(engine->tail(logs, &from, 1, WEIR__READ_COMMITTED, &reader, NULL));
        engine->wake(reader);
        if (engine->poll(reader, engine->now(logs) + 1, &polled) == WEIR_OK)
            engine->release(reader, polled.lease);
        want(engine->leave(reader, deadline()));
    }
    return NULL;
}

/* ---- the outcome ---- */

/* Of each producer all numbers, each once. */
static void check_out(void)
{
    char *seen = calloc(PRODUCERS, (size_t)each);

    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        struct weir__consumer *reader = new_tail(out, partition, 0);
        struct weir__polled    polled = { 0 };

        while (engine->poll(reader, soon(), &polled) == WEIR_OK && polled.event == NULL) {
            for (size_t i = 0; i < polled.count; i++) {
                int numbers[2];

                memcpy(numbers, polled.records[i].value.data, sizeof(numbers));
                ck_assert_int_eq(seen[numbers[0] * each + numbers[1]]++, 0);
            }
            engine->release(reader, polled.lease);
        }
        leave(reader);
    }
    for (int i = 0; i < each * PRODUCERS; i++)
        ck_assert_int_eq(seen[i], 1);
    free(seen);
}

START_TEST(all_is_copied_exactly_once_whoever_comes_and_goes)
{
    pthread_t threads[PRODUCERS + MEMBERS], asker;

    suite_begin(_i);
    each = long_form() ? 100000 : 4000;
    strcpy(in, name_of("in"));
    strcpy(out, name_of("out"));
    strcpy(group, name_of("group"));
    make_topic(in, PARTITIONS);
    make_topic(out, PARTITIONS);
    make_topic("scratch", 1);
    ck_assert_int_eq(pthread_create(&asker, NULL, ask, NULL), 0);
    for (int i = 0; i < PRODUCERS + MEMBERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume, (void *)(intptr_t)i),
                         0);
    for (int i = 0; i < PRODUCERS + MEMBERS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    atomic_store(&finished, 1);
    ck_assert_int_eq(pthread_join(asker, NULL), 0);
    check_out();
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { all_is_copied_exactly_once_whoever_comes_and_goes } };

    return suite_main("log threads", true, tests, ARRAY_SIZE(tests));
}
