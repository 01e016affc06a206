/* test_embedded_crash.c: a process that is killed at any moment leaves each of its commits whole, or nothing of it.
 *
 * A child commits transaction after transaction, each over four partitions, one of them of a compacted topic, and an offset.
 * It says B before a commit and C after it. It is killed; what is there then must be all that it said C of, and at most one
 * more. The next child goes on in the same folder.
 */
#include "test/log/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EACH      7    /* records to each partition of "in" */
#define UPDATES   2000 /* of "table", in one commit: a compaction is due every few of them */
#define KEY_COUNT 50
#define GROUP     "group"

/* ---- what must be there ---- */

static int64_t number_of(struct weir_bytes bytes)
{
    char text[32] = "";

    ck_assert_uint_lt(bytes.size, sizeof(text));
    memcpy(text, bytes.data, bytes.size);
    return atoll(text);
}

/* The number of whole transactions in a partition of "in": after the records of each comes a marker. */
static int64_t count_whole(int32_t partition)
{
    struct weir__consumer *reader = new_tail("in", partition, 0);
    struct weir__polled    polled = { 0 };
    int64_t                next = 0;

    while (engine->poll(reader, soon(), &polled) == WEIR_OK && polled.event == NULL) {
        for (size_t i = 0; i < polled.count; i++, next++) {
            ck_assert_int_eq(polled.records[i].offset, next + next / EACH);
            ck_assert_int_eq(number_of(polled.records[i].key), next % EACH);
            ck_assert_int_eq(number_of(polled.records[i].value), next / EACH);
        }
        engine->release(reader, polled.lease);
    }
    leave(reader);
    ck_assert_int_eq(ends_of("in", partition).end, next + next / EACH);
    ck_assert_int_eq(next % EACH, 0);
    return next / EACH;
}

/* The last value of each key is that of the last transaction, and the order was kept. */
static void check_table(int64_t transactions)
{
    struct weir__consumer *reader = new_tail("table", 0, 0);
    struct weir__polled    polled = { 0 };
    int64_t                last[KEY_COUNT], before = -1;

    memset(last, -1, sizeof(last));
    while (engine->poll(reader, soon(), &polled) == WEIR_OK && polled.event == NULL) {
        for (size_t i = 0; i < polled.count; i++) {
            ck_assert_int_gt(polled.records[i].offset, before);
            before = polled.records[i].offset;
            last[number_of(polled.records[i].key)] = number_of(polled.records[i].value);
        }
        engine->release(reader, polled.lease);
    }
    leave(reader);
    for (int i = 0; i < KEY_COUNT; i++)
        ck_assert_int_eq(last[i], transactions - 1);
    ck_assert_int_eq(ends_of("table", 0).end, transactions * (UPDATES + 1));
}

static int64_t check_all(void)
{
    int64_t             transactions = count_whole(0);
    struct weir__offset found = { .tp = { "in", 0 } };
    struct weir_arena   arena = { 0 };

    ck_assert_int_eq(count_whole(1), transactions);
    ck_assert_int_eq(count_whole(2), transactions);
    check_table(transactions);
    ck_assert_int_eq(engine->committed(logs, GROUP, &found, 1, &arena, soon()), WEIR_OK);
    ck_assert_int_eq(found.offset, transactions > 0 ? transactions : -1);
    if (transactions > 0)
        ck_assert_int_eq(number_of(found.metadata), transactions);
    weir__arena_fini(&arena);
    return transactions;
}

/* ---- the child: checks nothing by libcheck, whose messages would be cut off with it ---- */

static void say(char what) { need(write(role_out, &what, 1) == 1 ? WEIR_OK : WEIR_IO); }

static void open_log(void)
{
    static const char *const compacted[] = { "cleanup.policy=compact", NULL };
    const struct weir__topic topics[] = { { .name = "in", .partitions = 3 },
                                          { .name = "table", .partitions = 1, .settings = compacted } };
    struct weir__log_config  config = { .dir = log_dir, .quirks = true };

    need(engine->open(&config, &logs, NULL));
    need(engine->ensure(logs, topics, 2, soon(), NULL, NULL, NULL));
}

static void send_number(struct weir__producer *producer, const char *topic, int32_t partition, int key,
                        int64_t number)
{
    char text[2][32];

    snprintf(text[0], sizeof(text[0]), "%d", key);
    snprintf(text[1], sizeof(text[1]), "%lld", (long long)number);
    need(try_send(producer, topic, partition, text[0], text[1], 1));
}

static void send_transaction(struct weir__producer *producer, int64_t number)
{
    for (int i = 0; i < EACH; i++)
        for (int32_t partition = 0; partition < 3; partition++)
            send_number(producer, "in", partition, i, number);
    for (int i = 0; i < UPDATES; i++)
        send_number(producer, "table", 0, i % KEY_COUNT, number);
}

static _Noreturn void work(void)
{
    struct weir__producer *producer;
    struct weir__ends      ends;

    open_log();
    need(engine->ends(logs, (struct weir__tp){ "in", 0 }, soon(), &ends));
    need(engine->producer(logs, "worker", soon(), &producer, NULL));
    for (int64_t number = ends.end / (EACH + 1);; number++) {
        char                text[32];
        struct weir__offset offset = { .tp = { "in", 0 }, .offset = number + 1, .metadata = { text, 0 } };

        offset.metadata.size = (size_t)snprintf(text, sizeof(text), "%lld", (long long)number + 1);
        send_transaction(producer, number);
        say('B');
        need(engine->commit(producer, GROUP, NULL, -1, &offset, 1, soon()));
        say('C');
    }
}

/* Kills the child some time after its n-th word; gives the number of commits it was sure of. */
static int64_t run_and_kill(int words_before, long nanoseconds)
{
    int64_t committed = 0;
    int     fds[2], status, heard = 0;
    char    what;
    pid_t   child;

    ck_assert_int_eq(pipe(fds), 0);
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    child = suite_spawn("worker", -1, fds[1]);
    close(fds[1]);
    for (; heard < words_before && read(fds[0], &what, 1) == 1; heard++)
        committed += what == 'C';
    nanosleep(&(struct timespec){ .tv_nsec = nanoseconds }, NULL); /* any moment will do */
    kill(child, SIGKILL);
    while (read(fds[0], &what, 1) == 1)
        committed += what == 'C';
    close(fds[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_int_eq(heard, words_before);
    return committed;
}

START_TEST(each_commit_is_there_whole_or_not_at_all)
{
    int      rounds = long_form() ? 300 : 12;
    unsigned seed = 20131008;
    int64_t  before = 0;

    suite_begin(DURABLE);
    suite_close();
    for (int i = 0; i < rounds; i++) {
        int64_t sure = before + run_and_kill(1 + rand_r(&seed) % 14, rand_r(&seed) % 4000000), now;

        suite_open();
        now = check_all();
        ck_assert_int_ge(now, sure);
        ck_assert_int_le(now, sure + 1);
        suite_close();
        before = now;
    }
    suite_open();
    suite_end();
}
END_TEST

int main(int argc, char **argv)
{
    const struct test tests[] = { { each_commit_is_there_whole_or_not_at_all } };

    suite_role(argc, argv);
    if (role != NULL)
        work();
    return suite_main("embedded crash", false, tests, ARRAY_SIZE(tests));
}
