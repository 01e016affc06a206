/* test_embedded_reader.c: one process reads a log's folder while another writes to it; a silent member's time is up. */
#include "test/log/suite.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMITS 300
#define EACH    100
#define GROWS   10 /* partitions of "table" at the end */

static void open_reader(void)
{
    struct weir__log_config config = { .dir = log_dir, .quirks = true, .read_only = true };

    must(engine->open(&config, &logs, &words));
}

/* ---- the writer: says nothing to libcheck ---- */

static void send_number(struct weir__producer *producer, const char *topic, int64_t key, int64_t number)
{
    char text[2][32];

    snprintf(text[0], sizeof(text[0]), "%lld", (long long)key);
    snprintf(text[1], sizeof(text[1]), "%lld", (long long)number);
    need(try_send(producer, topic, 0, text[0], text[1], 1));
}

/* Waits for a byte after the first commit, so that the reader is there for the rest. */
static _Noreturn void write_all(void)
{
    struct weir__log_config config = { .dir = log_dir, .quirks = true };
    struct weir__producer  *producer;
    char                    byte = 0;

    need(engine->open(&config, &logs, NULL));
    need(engine->producer(logs, NULL, soon(), &producer, NULL));
    for (int64_t i = 0; i < COMMITS; i++) {
        for (int64_t j = 0; j < EACH; j++) {
            send_number(producer, "in", j, i * EACH + j);
            send_number(producer, "table", (i * EACH + j) % 20, i * EACH + j);
        }
        need(engine->commit(producer, NULL, NULL, -1, NULL, 0, soon()));
        if (i == 0)
            need(write(role_out, &byte, 1) == 1 && read(role_in, &byte, 1) == 1 ? WEIR_OK : WEIR_IO);
        if (i % 100 == 99)
            need(engine->trim(logs, (struct weir__tp){ "trimmed", 0 }, i, soon()));
        if (i % (COMMITS / GROWS) == 0)
            need(engine->grow(logs, "table", 1 + (int32_t)i / (COMMITS / GROWS), soon(), NULL));
    }
    engine->producer_close(producer);
    engine->close(logs);
    _exit(0);
}

static pid_t start_writer(int *ret_done, int *ret_go)
{
    int   done[2], go[2];
    pid_t child;

    ck_assert_int_eq(pipe(done), 0);
    ck_assert_int_eq(pipe(go), 0);
    child = suite_spawn("writer", go[0], done[1]);
    close(done[1]);
    close(go[0]);
    *ret_done = done[0];
    *ret_go = go[1];
    return child;
}

/* ---- the reader ---- */

/* Takes what a poll gives: numbers follow each other in "in" and rise in "table". */
static void check_polled(const struct weir__polled *polled, int64_t *next_in, int64_t *next_table)
{
    for (size_t i = 0; i < polled->count; i++) {
        const struct weir__raw *raw = &polled->records[i];
        char                    text[32] = "";

        memcpy(text, raw->value.data, raw->value.size);
        ck_assert_int_eq(atoll(text), raw->offset);
        if (strcmp(raw->topic, "in") == 0) {
            ck_assert_int_eq(raw->offset, (*next_in)++);
        } else {
            ck_assert_int_ge(raw->offset, *next_table);
            *next_table = raw->offset + 1;
        }
    }
}

START_TEST(a_reader_follows_a_writing_process)
{
    static const char *const compacted[] = { "cleanup.policy=compact", NULL };
    struct weir__offset      from[] = { { .tp = { "in", 0 } }, { .tp = { "table", 0 } } };
    struct weir__consumer   *reader;
    int64_t                  next_in = 0, next_table = 0;
    int                      done, go, status;
    int32_t                  partitions;
    char                     byte;
    pid_t                    child;

    suite_begin(DURABLE);
    make_topic("in", 1);
    make_topic("trimmed", 1);
    make_topic_with("table", 1, compacted);
    suite_close();
    child = start_writer(&done, &go);
    ck_assert_int_eq(read(done, &byte, 1), 1);
    open_reader();
    must(engine->tail(logs, from, 2, WEIR__READ_COMMITTED, &reader, &words));
    ck_assert_int_eq(write(go, &byte, 1), 1);
    while (next_in < COMMITS * EACH || next_table < COMMITS * EACH) {
        struct weir__polled polled;

        ck_assert_int_eq(engine->poll(reader, soon(), &polled), WEIR_OK);
        check_polled(&polled, &next_in, &next_table);
        engine->release(reader, polled.lease);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(engine->partitions(logs, "table", soon(), &partitions), WEIR_OK);
    ck_assert_int_eq(partitions, GROWS);
    leave(reader);
    suite_close();
    suite_open();
    suite_end();
}
END_TEST

START_TEST(a_reader_changes_nothing)
{
    struct weir__topic     topic = { .name = "new", .partitions = 1 };
    struct weir__offset    offset = { .tp = { "in", 0 }, .offset = 1 };
    struct weir__producer *producer;
    const char            *name = "in";

    suite_begin(DURABLE);
    make_topic("in", 1);
    put("in", 0, "a=1");
    suite_close();
    open_reader();
    ck_assert_int_eq(engine->ensure(logs, &topic, 1, soon(), NULL, NULL, &words), WEIR_BAD_STATE);
    ck_assert_str_eq(words.where, "new");
    ck_assert_int_eq(engine->grow(logs, "in", 2, soon(), &words), WEIR_BAD_STATE);
    ck_assert_int_eq(engine->remove(logs, &name, 1, soon()), WEIR_BAD_STATE);
    ck_assert_int_eq(engine->trim(logs, (struct weir__tp){ "in", 0 }, 1, soon()), WEIR_BAD_STATE);
    ck_assert_int_eq(engine->set_committed(logs, "group", &offset, 1, soon()), WEIR_BAD_STATE);
    ck_assert_int_eq(engine->producer(logs, "id", soon(), &producer, &words), WEIR_BAD_STATE);
    expect_partition("in", 0, "a=1 ");
    suite_end();
}
END_TEST

/* ---- members on a clock of ours ---- */

static int64_t virtual_now = INT64_C(1735689600000);

static int64_t virtual_clock(void *arg)
{
    (void)arg;
    return virtual_now;
}

static struct weir__consumer *join_group(void)
{
    const char            *topic = "in";
    struct weir__consumer *consumer;

    must(engine->join(logs, "group", NULL, &topic, 1, &consumer, &words));
    return consumer;
}

static int poll_event(struct weir__consumer *consumer, struct weir__log_event *ret)
{
    struct weir__polled polled;
    int                 err = engine->poll(consumer, virtual_now, &polled);

    if (err == WEIR_OK)
        *ret = *polled.event;
    return err;
}

START_TEST(a_silent_member_loses_its_partitions)
{
    struct weir__consumer *silent, *other;
    struct weir__producer *producer;
    struct weir__log_event event = { 0 }, lost = { 0 };
    struct weir__offset    offset = { .tp = { "in", 0 }, .offset = 1 };

    suite_clock = virtual_clock;
    suite_begin(IN_MEMORY);
    make_topic("in", 2);
    silent = join_group();
    ck_assert_int_eq(poll_event(silent, &event), WEIR_OK);
    ck_assert_int_eq(event.kind, WEIR__ASSIGNED);
    other = join_group();
    ck_assert_int_eq(poll_event(other, &lost), WEIR_AGAIN);
    virtual_now += 10000;
    ck_assert_int_eq(poll_event(other, &lost), WEIR_AGAIN); /* not yet */
    virtual_now += 1;
    ck_assert_int_eq(poll_event(other, &lost), WEIR_OK);
    ck_assert_int_eq(lost.kind, WEIR__ASSIGNED);
    ck_assert_uint_eq(lost.count, 2);
    ck_assert(!engine->valid(silent, event.token));
    producer = new_producer("id");
    send(producer, "in", 0, "a", "1");
    ck_assert_int_eq(engine->commit(producer, "group", silent, event.token, &offset, 1, soon()), WEIR_LOST);
    ck_assert_int_eq(engine->abort(producer, soon()), WEIR_OK);
    ck_assert_int_eq(engine->commit(producer, "group", other, lost.token, &offset, 1, soon()), WEIR_OK);
    ck_assert_int_eq(poll_event(silent, &event), WEIR_OK);
    ck_assert_int_eq(event.kind, WEIR__LOST_TPS);
    ck_assert_uint_eq(event.count, 2);
    expect_partition("in", 0, "");
    engine->producer_close(producer);
    leave(silent);
    leave(other);
    suite_end();
}
END_TEST

/* Nobody waits for it, and nobody looks but itself: its time is up all the same. */
static void play_silence(int64_t session_ms, int64_t patience)
{
    struct weir__consumer *member;
    struct weir__producer *producer;
    struct weir__log_event event = { 0 };
    struct weir__offset    offset = { .tp = { "in", 0 }, .offset = 1 };
    int64_t                token;

    suite_clock = virtual_clock;
    suite_session_ms = session_ms;
    suite_begin(IN_MEMORY);
    make_topic("in", 1);
    producer = new_producer("id");
    member = join_group();
    ck_assert_int_eq(poll_event(member, &event), WEIR_OK);
    token = event.token;
    virtual_now += patience;
    ck_assert_int_eq(engine->commit(producer, NULL, member, token, &offset, 1, soon()), WEIR_OK);
    ck_assert(engine->valid(member, token));
    virtual_now += 1;
    ck_assert_int_eq(engine->commit(producer, NULL, member, token, &offset, 1, soon()), WEIR_LOST);
    ck_assert(!engine->valid(member, token));
    ck_assert_int_eq(poll_event(member, &event), WEIR_OK);
    ck_assert_int_eq(event.kind, WEIR__LOST_TPS);
    ck_assert_int_eq(poll_event(member, &event), WEIR_OK);
    ck_assert_int_eq(event.kind, WEIR__ASSIGNED);
    ck_assert_int_gt(event.token, token);
    ck_assert_int_eq(engine->commit(producer, NULL, member, event.token, &offset, 1, soon()), WEIR_OK);
    engine->producer_close(producer);
    leave(member);
    suite_end();
}

START_TEST(a_member_that_does_not_poll_in_time_loses_its_membership)
{
    play_silence(500, 500);
    play_silence(0, 300000);
}
END_TEST

int main(int argc, char **argv)
{
    const struct test tests[] = { { a_reader_follows_a_writing_process },
                                  { a_reader_changes_nothing },
                                  { a_silent_member_loses_its_partitions },
                                  { a_member_that_does_not_poll_in_time_loses_its_membership } };

    suite_role(argc, argv);
    if (role != NULL)
        write_all();
    return suite_main("embedded reader", false, tests, ARRAY_SIZE(tests));
}
