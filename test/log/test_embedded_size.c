/* test_embedded_size.c: compaction and retention: what goes, what stays, and what readers see meanwhile. */
#include "test/log/suite.h"

#include <stdlib.h>

static int64_t virtual_now;

static int64_t virtual_clock(void *arg)
{
    (void)arg;
    return virtual_now;
}

#define NOW     INT64_C(1735689600000)
#define A_DAY   INT64_C(86400000)
#define UPDATES 100000

/* A log whose clock is ours. */
static void begin(int subject)
{
    suite_begin(subject);
    suite_close();
    virtual_now = NOW;
    suite_clock = virtual_clock;
    suite_open();
}

static void open_again(void)
{
    suite_close();
    suite_open();
}

static void make_compacted(const char *name)
{
    static const char *const settings[] = { "cleanup.policy=compact", NULL };

    make_topic_with(name, 1, settings);
}

static void send_key(struct weir__producer *producer, const char *name, int64_t key, const char *value)
{
    char text[32];

    snprintf(text, sizeof(text), "key %lld", (long long)key);
    send(producer, name, 0, text, value);
}

/* So many updates of so many keys, in commits of 2000; the value is the number of the update. */
static void update(const char *name, int64_t from, int64_t to, int64_t keys)
{
    struct weir__producer *producer = new_producer(NULL);
    char                   value[32];

    for (int64_t i = from; i < to; i++) {
        snprintf(value, sizeof(value), "%lld", (long long)i);
        send_key(producer, name, i % keys, value);
        if (i % 2000 == 1999)
            commit(producer);
    }
    commit(producer);
    engine->producer_close(producer);
}

#define KEYS_MOST 30000

struct seen {
    int64_t records, nulls, keyless, once, last[KEYS_MOST]; /* per key */
};

static void note(const struct weir__raw *raw, struct seen *seen)
{
    char text[64] = "";

    seen->records++;
    seen->nulls += raw->value.data == NULL;
    seen->keyless += raw->key.data == NULL;
    if (raw->key.data == NULL)
        return;
    memcpy(text, raw->key.data, MIN(raw->key.size, sizeof(text) - 1));
    seen->once += strncmp(text, "once ", 5) == 0;
    if (strncmp(text, "key ", 4) == 0)
        seen->last[atoll(text + 4)] = raw->value.data != NULL ? atoll(raw->value.data) : -1;
}

/* Reads on to the end; offsets rise. */
static void read_on(struct weir__consumer *reader, int64_t *next, struct seen *ret)
{
    for (;;) {
        struct weir__polled polled;
        int                 err = engine->poll(reader, soon(), &polled);

        if (err == WEIR_AGAIN || polled.event != NULL)
            return;
        ck_assert_int_eq(err, WEIR_OK);
        for (size_t i = 0; i < polled.count; i++) {
            ck_assert_int_ge(polled.records[i].offset, *next);
            *next = polled.records[i].offset + 1;
            note(&polled.records[i], ret);
        }
        engine->release(reader, polled.lease);
    }
}

static struct seen read_all(const char *name)
{
    struct weir__consumer *reader = new_tail(name, 0, 0);
    struct seen            seen = { 0 };
    int64_t                next = 0;

    read_on(reader, &next, &seen);
    leave(reader);
    return seen;
}

static void expect_last(const struct seen *seen, int64_t updates, int64_t keys)
{
    for (int64_t key = 0; key < keys; key++)
        ck_assert_int_eq(seen->last[key], (updates - 1 - key) / keys * keys + key);
}

START_TEST(many_updates_of_few_keys_leave_few_records)
{
    struct seen seen;

    begin(_i);
    make_compacted("table");
    update("table", 0, UPDATES, 100);
    seen = read_all("table");
    expect_last(&seen, UPDATES, 100);
    ck_assert_int_lt(seen.records, 22000); /* it may begin after 10,000, and goes on while 10,000 more come */
    ck_assert_int_eq(ends_of("table", 0).end, UPDATES);
    if (subjects[_i].durable) {
        open_again();
        seen = read_all("table");
        expect_last(&seen, UPDATES, 100);
        ck_assert_int_eq(seen.records, 100);
        ck_assert_int_eq(ends_of("table", 0).end, UPDATES);
        open_again();
        ck_assert_int_eq(read_all("table").records, 100);
    }
    suite_end();
}
END_TEST

/* Values that no cache holds all of, and that do not pack: what is noted of a key outlives the bytes it was read from. */
START_TEST(keys_are_known_when_their_chunks_have_left_memory)
{
    enum { KEYS_OF_ALL = 500, FAT = 4000, FAT_UPDATES = 22000 };
    struct weir__producer *producer;
    char                   fat[FAT];
    unsigned               state = 1;

    begin(_i);
    make_compacted("table");
    producer = new_producer(NULL);
    for (int64_t i = 0; i < FAT_UPDATES; i++) {
        int at = snprintf(fat, sizeof(fat), "%lld ", (long long)i);

        for (; at < FAT - 1; at++)
            fat[at] = (char)('0' + (state = state * 1103515245 + 12345) / 65536 % 64);
        fat[at] = '\0';
        send_key(producer, "table", i % KEYS_OF_ALL, fat);
        if (i % 500 == 499)
            commit(producer);
    }
    engine->producer_close(producer);
    if (subjects[_i].durable)
        open_again();
    struct seen seen = read_all("table");
    expect_last(&seen, FAT_UPDATES, KEYS_OF_ALL);
    ck_assert_int_le(seen.records, subjects[_i].durable ? KEYS_OF_ALL : FAT_UPDATES);
    suite_end();
}
END_TEST

/* More keys than a pass has room to note. */
START_TEST(many_keys_are_compacted_in_several_passes)
{
    enum { ROUNDS = 3 };
    struct seen seen;

    suite_memory = 1; /* the least there is: room for about 10,000 keys */
    begin(_i);
    make_compacted("table");
    update("table", 0, ROUNDS * KEYS_MOST, KEYS_MOST);
    seen = read_all("table");
    expect_last(&seen, ROUNDS * KEYS_MOST, KEYS_MOST);
    ck_assert_int_lt(seen.records, ROUNDS * KEYS_MOST);
    if (subjects[_i].durable) {
        open_again();
        seen = read_all("table");
        expect_last(&seen, ROUNDS * KEYS_MOST, KEYS_MOST);
        ck_assert_int_eq(seen.records, KEYS_MOST);
    }
    suite_end();
    suite_memory = 0;
}
END_TEST

START_TEST(keys_without_garbage_all_stay)
{
    struct seen seen;

    begin(_i);
    make_compacted("table");
    update("table", 0, 1000, 1000);
    for (int i = 0; i < 30; i++)
        put("table", 0, "x=1");
    seen = read_all("table");
    expect_last(&seen, 1000, 1000);
    ck_assert_int_eq(seen.records, 1030);
    suite_end();
}
END_TEST

#define ONCE_EACH 8 /* every so many records there is one whose key never comes again */

static void mixed_update(const char *name, int64_t from, int64_t to)
{
    struct weir__producer *producer = new_producer(NULL);
    char                   key[32], value[32];

    for (int64_t i = from; i < to; i++) {
        snprintf(value, sizeof(value), "%lld", (long long)i);
        snprintf(key, sizeof(key), i % ONCE_EACH == 0 ? "once %lld" : "key %lld",
                 (long long)(i % ONCE_EACH == 0 ? i : i % 63));
        send(producer, name, 0, key, value);
    }
    commit(producer);
    engine->producer_close(producer);
}

static int64_t once_from(int64_t from) { return (UPDATES - from + ONCE_EACH - 1) / ONCE_EACH; }

static void start_at(struct weir__consumer *reader, int64_t offset, int64_t *next, struct seen *seen)
{
    struct weir__offset at = { .tp = { "table", 0 }, .offset = offset };

    ck_assert_int_eq(engine->take(reader, &at, 1), WEIR_OK);
    *next = offset;
    *seen = (struct seen){ 0 };
}

/* Readers that poll now and then, and one that begins in the middle, while chunks are rewritten under them. */
START_TEST(readers_beside_compactions_miss_nothing_that_stays)
{
    static const int64_t   polls[3] = { 1000, 13000, 29000 };
    struct weir__consumer *readers[3];
    struct seen            seen[3] = { 0 };
    int64_t                next[3] = { 0 }, from[3] = { 0 };

    begin(_i);
    make_compacted("table");
    for (int i = 0; i < 3; i++)
        readers[i] = new_tail("table", 0, 0);
    for (int64_t i = 0; i < UPDATES; i += 1000) {
        mixed_update("table", i, i + 1000);
        for (int j = 0; j < 3; j++)
            if (i % polls[j] == 0)
                read_on(readers[j], &next[j], &seen[j]);
        if (i == 58000) {
            from[2] = i / 2 + ONCE_EACH;
            start_at(readers[2], from[2], &next[2], &seen[2]);
        }
    }
    for (int i = 0; i < 3; i++) {
        read_on(readers[i], &next[i], &seen[i]);
        ck_assert_int_eq(seen[i].once, once_from(from[i]));
        for (int64_t key = 0; key < 63; key++)
            ck_assert_int_gt(seen[i].last[key], UPDATES - 64 - ONCE_EACH * 10);
        leave(readers[i]);
    }
    ck_assert_int_lt(read_all("table").records, once_from(0) * 3 + 12000);
    suite_end();
}
END_TEST

START_TEST(a_deletion_outlives_its_retention_and_then_goes)
{
    struct weir__producer *producer;
    struct seen            seen;

    begin(_i);
    make_compacted("table");
    update("table", 0, 1000, 1000);
    producer = new_producer(NULL);
    for (int64_t i = 0; i < 1000; i += 2)
        send_key(producer, "table", i, NULL);
    commit(producer);
    engine->producer_close(producer);
    update("table", 20000, 40000, 10); /* keys 0 to 9 come back; makes a compaction due */
    seen = read_all("table");
    ck_assert_int_eq(seen.nulls, 495);
    ck_assert_int_eq(seen.last[500], -1);
    virtual_now += A_DAY + 1;
    update("table", 40000, 80000, 10);
    seen = read_all("table");
    ck_assert_int_eq(seen.nulls, 0);
    ck_assert_int_eq(seen.last[500], 0); /* not there at all */
    ck_assert_int_eq(seen.last[501], 501);
    suite_end();
}
END_TEST

/* A chunk that is written anew is as old as before. */
START_TEST(a_deletion_does_not_age_by_being_moved)
{
    struct weir__producer *producer;

    begin(_i);
    make_compacted("table");
    virtual_now += A_DAY - 1000;
    producer = new_producer(NULL);
    send_key(producer, "table", 500, "1");
    send_key(producer, "table", 500, NULL);
    commit(producer);
    engine->producer_close(producer);
    update("table", 0, 40000, 10);
    ck_assert_int_eq(read_all("table").nulls, 1);
    virtual_now += A_DAY - 1000;
    update("table", 0, 40000, 10);
    ck_assert_int_eq(read_all("table").nulls, 1);
    virtual_now += 2000;
    update("table", 0, 40000, 10);
    ck_assert_int_eq(read_all("table").nulls, 0);
    suite_end();
}
END_TEST

/* A store that was left behind for days must still meet it. */
START_TEST(the_retention_of_a_deletion_begins_anew_at_open)
{
    struct weir__producer *producer;

    begin(DURABLE);
    make_compacted("table");
    producer = new_producer(NULL);
    send_key(producer, "table", 500, "1");
    send_key(producer, "table", 500, NULL);
    commit(producer);
    engine->producer_close(producer);
    virtual_now += 5 * A_DAY;
    open_again();
    ck_assert_int_eq(read_all("table").nulls, 1);
    ck_assert_int_eq(read_all("table").records, 1);
    update("table", 0, 40000, 10);
    ck_assert_int_eq(read_all("table").nulls, 1);
    virtual_now += A_DAY + 1;
    update("table", 0, 40000, 10);
    ck_assert_int_eq(read_all("table").nulls, 0);
    suite_end();
}
END_TEST

START_TEST(records_without_keys_are_never_outdated)
{
    struct weir__producer *producer;
    struct seen            seen;

    begin(_i);
    make_compacted("table");
    producer = new_producer(NULL);
    for (int i = 0; i < 50; i++)
        send(producer, "table", 0, NULL, "keyless");
    commit(producer);
    engine->producer_close(producer);
    update("table", 0, 40000, 10);
    seen = read_all("table");
    expect_last(&seen, 40000, 10);
    ck_assert_int_lt(seen.records, 22050);
    ck_assert_int_eq(seen.keyless, 50);
    suite_end();
}
END_TEST

START_TEST(a_trim_in_a_compacted_topic_holds)
{
    struct seen seen;

    begin(_i);
    make_compacted("table");
    update("table", 0, 30000, 10);
    ck_assert_int_eq(engine->trim(logs, (struct weir__tp){ "table", 0 }, 29995, soon()), WEIR_OK);
    ck_assert_int_eq(read_all("table").records, 5);
    update("table", 30000, 60000, 10);
    seen = read_all("table");
    expect_last(&seen, 60000, 10);
    suite_end();
}
END_TEST

/* ---- retention ---- */

static void put_at(const char *name, const char *key, int64_t time)
{
    struct weir__producer *producer = new_producer(NULL);

    ck_assert_int_eq(try_send(producer, name, 0, key, "v", time), WEIR_OK);
    commit(producer);
    engine->producer_close(producer);
}

START_TEST(records_older_than_the_retention_go)
{
    static const char *const settings[] = { "retention.ms=60000", NULL };

    begin(_i);
    make_topic_with("short", 1, settings);
    make_topic("long", 1);
    put_at("long", "old", 1000);
    put_at("short", "a", NOW - 50000);
    put_at("short", "b", NOW);
    put_at("short", "c", NOW - 50000); /* late, behind a younger one */
    expect_partition("short", 0, "a=v b=v c=v ");
    virtual_now = NOW + 31000;
    put_at("long", "new", NOW); /* any commit looks after all */
    expect_partition("short", 0, "b=v c=v ");
    ck_assert_int_eq(ends_of("short", 0).low, 1);
    virtual_now = NOW + 62000;
    put_at("long", "newer", NOW);
    expect_partition("short", 0, "");
    ck_assert_int_eq(ends_of("short", 0).low, 3);
    expect_partition("long", 0, "old=v new=v newer=v ");
    suite_end();
}
END_TEST

START_TEST(bytes_above_the_retention_go)
{
    static const char *const settings[] = { "retention.bytes=1000000", NULL };
    struct weir__producer   *producer;
    char                     value[1000];
    int64_t                  kept;

    begin(_i);
    make_topic_with("bounded", 1, settings);
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    producer = new_producer(NULL);
    for (int i = 0; i < 10000; i++) {
        send(producer, "bounded", 0, "k", value);
        if (i % 100 == 99)
            commit(producer);
    }
    engine->producer_close(producer);
    kept = ends_of("bounded", 0).end - ends_of("bounded", 0).low;
    ck_assert_int_ge(kept, 900);
    ck_assert_int_le(kept, 1200);
    ck_assert_int_eq(read_all("bounded").records, kept);
    suite_end();
}
END_TEST

START_TEST(compact_alone_keeps_what_is_old)
{
    static const char *const both[] = { "cleanup.policy=compact,delete", "retention.ms=60000", NULL };
    static const char *const alone[] = { "cleanup.policy=compact", "retention.ms=60000", NULL };

    begin(_i);
    make_topic_with("both", 1, both);
    make_topic_with("alone", 1, alone);
    put_at("both", "a", 1000);
    put_at("alone", "a", 1000);
    virtual_now = NOW + 31000;
    put_at("both", "b", NOW + 31000);
    expect_partition("both", 0, "b=v ");
    expect_partition("alone", 0, "a=v ");
    suite_end();
}
END_TEST

/* What a compaction took away counts no longer. */
START_TEST(bytes_are_counted_after_compaction)
{
    static const char *const settings[] = { "cleanup.policy=compact,delete", "retention.bytes=2000000", NULL };
    struct seen              seen;

    begin(_i);
    make_topic_with("table", 1, settings);
    update("table", 0, 1000, 1000);
    update("table", 1000, UPDATES, 10);
    seen = read_all("table");
    ck_assert_int_eq(seen.last[500], 500);
    suite_end();
}
END_TEST

START_TEST(retention_is_honoured_at_open)
{
    static const char *const settings[] = { "retention.ms=60000", NULL };

    begin(DURABLE);
    make_topic_with("short", 1, settings);
    put_at("short", "a", NOW);
    virtual_now = NOW + A_DAY;
    open_again();
    expect_partition("short", 0, "");
    ck_assert_int_eq(ends_of("short", 0).low, 1);
    suite_end();
}
END_TEST

int main(void)
{
    const struct test tests[] = { { many_updates_of_few_keys_leave_few_records },
                                  { keys_are_known_when_their_chunks_have_left_memory },
                                  { many_keys_are_compacted_in_several_passes },
                                  { keys_without_garbage_all_stay },
                                  { readers_beside_compactions_miss_nothing_that_stays },
                                  { a_deletion_outlives_its_retention_and_then_goes },
                                  { a_deletion_does_not_age_by_being_moved },
                                  { the_retention_of_a_deletion_begins_anew_at_open },
                                  { records_without_keys_are_never_outdated },
                                  { a_trim_in_a_compacted_topic_holds },
                                  { records_older_than_the_retention_go },
                                  { bytes_above_the_retention_go },
                                  { compact_alone_keeps_what_is_old },
                                  { bytes_are_counted_after_compaction },
                                  { retention_is_honoured_at_open } };

    return suite_main("embedded size", true, tests, ARRAY_SIZE(tests));
}
