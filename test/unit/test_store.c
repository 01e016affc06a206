/* test_store.c: one suite of what a store promises, run on the memory and the RocksDB engine. */
#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "statestores/statestores.h"
#include "test/run.h"

static const struct weir__engine *const engines[] = { &weir__memory_engine, &weir__rocksdb_engine };

static char                       dir[64];
static const struct weir__engine *engine;
static struct weir__db           *db;
static struct weir__store        *store;
static struct weir__store_spec    spec;
static struct weir__buf           told; /* "key=value;" of each change told, "key;" of a deletion */

static struct weir_bytes text(const char *s) { return BYTES(s, strlen(s)); }

static int tell(void *arg, const struct weir__change *change)
{
    size_t suffix = spec.kind == WEIR__STORE_WINDOWS ? 12 : 0;

    (void)arg;
    weir__buf_add(&told, change->key.data, change->key.size - suffix);
    if (suffix > 0)
        weir__buf_printf(&told, "@%lld", (long long)change->start);
    if (change->now.bytes.data != NULL)
        weir__buf_printf(&told, "=%.*s", (int)change->now.bytes.size, (const char *)change->now.bytes.data);
    weir__buf_putc(&told, ';');
    return WEIR_OK;
}

static void expect_told(const char *want)
{
    weir__buf_putc(&told, '\0');
    ck_assert_str_eq(told.data, want);
    weir__buf_reset(&told);
}

static void open_again(void)
{
    struct weir_error error;

    ck_assert_int_eq(engine->open(dir, 0, &db, &error), WEIR_OK);
    ck_assert_int_eq(weir__store_open(&spec, engine, db, &store, &error), WEIR_OK);
    weir__store_listen(store, tell, NULL);
}

static void open_with(int n, struct weir__store_spec as)
{
    strcpy(dir, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    engine = engines[n];
    spec = as;
    open_again();
}

static void close_all(void)
{
    weir__store_close(store);
    engine->close(db);
}

static void finish(void)
{
    close_all();
    (void)weir__remove_tree(dir, NULL);
    weir__buf_fini(&told);
}

static void put(const char *key, const char *value, int64_t time)
{
    struct weir__value row = { .timestamp = time };

    if (value != NULL)
        row.bytes = text(value);
    ck_assert_int_eq(weir__store_put(store, text(key), &row), WEIR_OK);
}

static void expect_get(const char *key, const char *want)
{
    struct weir__value value;
    int                err = weir__store_get(store, text(key), &value);

    if (want == NULL) {
        ck_assert_int_eq(err, WEIR_NOTFOUND);
        return;
    }
    ck_assert_int_eq(err, WEIR_OK);
    ck_assert(weir__bytes_equal(value.bytes, text(want)));
}

static int64_t synced; /* of the next commits */

static void commit(int64_t offset)
{
    struct weir__batch    batch = { 0 };
    struct weir__standing now = { .offset = offset, .synced = synced };

    ck_assert_int_eq(weir__store_flush(store), WEIR_OK);
    ck_assert_int_eq(weir__store_collect(store, &now, &batch), WEIR_OK);
    ck_assert_int_eq(engine->write(db, batch.writes, batch.count), WEIR_OK);
    weir__store_committed(store);
    weir__free(batch.writes);
    weir__arena_fini(&batch.arena);
}

static void expect_rows(struct weir__rows *rows, const char *want)
{
    struct weir__buf buf = { 0 };
    struct weir__row row;

    while (weir__rows_next(rows, &row) == WEIR_OK) {
        weir__buf_add(&buf, row.key.data, row.key.size);
        if (spec.kind == WEIR__STORE_WINDOWS)
            weir__buf_printf(&buf, "@%lld", (long long)row.start);
        weir__buf_printf(&buf, "=%.*s;", (int)row.value.bytes.size, (const char *)row.value.bytes.data);
    }
    weir__rows_close(rows);
    weir__buf_putc(&buf, '\0');
    ck_assert_str_eq(buf.data, want);
    weir__buf_fini(&buf);
}

static void expect_range(const char *from, const char *to, enum weir_order order, const char *want)
{
    struct weir__rows *rows;

    ck_assert_int_eq(weir__store_range(store, from != NULL ? text(from) : NO_BYTES, to != NULL ? text(to) : NO_BYTES,
                                       order, &rows),
                     WEIR_OK);
    expect_rows(rows, want);
}

#define KEYS_SPEC    .name = "s", .kind = WEIR__STORE_KEYS, .timestamped = true, .logged = true
#define WINDOWS_SPEC .name = "w", .kind = WEIR__STORE_WINDOWS, .timestamped = true, .logged = true, .window_size = 10

START_TEST(uncached_tells_each_put)
{
    open_with(_i, (struct weir__store_spec){ KEYS_SPEC });
    put("a", "1", 1);
    put("a", "2", 2);
    put("b", "", 3);
    put("a", NULL, 4);
    expect_told("a=1;a=2;b=;a;");
    expect_get("a", NULL);
    expect_get("b", "");
    finish();
}
END_TEST

START_TEST(cached_tells_at_flush_in_order_of_last_update)
{
    open_with(_i, (struct weir__store_spec){ KEYS_SPEC, .cached = true });
    put("a", "1", 1);
    put("b", "1", 2);
    put("a", "2", 3);
    put("c", "1", 4);
    put("c", NULL, 5); /* came and went: nobody hears of it */
    ck_assert_int_eq(weir__store_flush(store), WEIR_OK);
    expect_told("b=1;a=2;");
    commit(2);
    put("a", NULL, 6);
    ck_assert_int_eq(weir__store_flush(store), WEIR_OK);
    expect_told("a;");
    finish();
}
END_TEST

START_TEST(range_merges_dirty_and_engine)
{
    open_with(_i, (struct weir__store_spec){ KEYS_SPEC });
    put("a", "1", 1);
    put("c", "1", 1);
    put("e", "1", 1);
    commit(3);
    put("b", "2", 2);
    put("c", NULL, 2);
    put("e", "2", 2);
    put("f", "2", 2);
    expect_range(NULL, NULL, WEIR_ASCENDING, "a=1;b=2;e=2;f=2;");
    expect_range(NULL, NULL, WEIR_DESCENDING, "f=2;e=2;b=2;a=1;");
    expect_range("b", "e", WEIR_ASCENDING, "b=2;e=2;");
    expect_range("b", "e", WEIR_DESCENDING, "e=2;b=2;");
    expect_range("bb", "d", WEIR_ASCENDING, "");
    finish();
}
END_TEST

START_TEST(drop_takes_back_to_the_commit)
{
    open_with(_i, (struct weir__store_spec){ KEYS_SPEC, .cached = true });
    put("a", "1", 1);
    commit(1);
    put("a", "2", 2);
    put("b", "2", 2);
    weir__store_drop(store);
    expect_get("a", "1");
    expect_get("b", NULL);
    expect_range(NULL, NULL, WEIR_ASCENDING, "a=1;");
    ck_assert_int_eq(weir__store_standing(store).offset, 1);
    finish();
}
END_TEST

/* Runs a step in a process of its own: RocksDB's threads do not outlive a fork, so the parent never opens it. */
static void in_child(void (*step)(int round), int round)
{
    int   status;
    pid_t child = fork();

    if (child == 0) {
        open_again();
        step(round);
        _exit(0); /* closes nothing: a crash */
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

/* Two rows tell the offset of the commit that put them; what is flushed, and when, is anybody's guess. */
static void write_and_crash(int round)
{
    int from = 1000 * round, count;

    srandom((unsigned)round);
    count = 20 + (int)(random() % 200);
    for (int i = 1; i <= count; i++) {
        char value[16];

        snprintf(value, sizeof(value), "%d", from + i);
        put("first", value, i);
        put("last", value, i);
        commit(from + i);
        if (i == 1 || random() % 20 == 0)
            ck_assert_int_eq(engine->flush(db), WEIR_OK);
    }
}

static void check_after_crash(int round)
{
    char value[16];

    ck_assert_int_gt(weir__store_standing(store).offset, 1000 * round);
    snprintf(value, sizeof(value), "%lld", (long long)weir__store_standing(store).offset);
    expect_get("first", value);
    expect_get("last", value);
}

START_TEST(offset_and_rows_survive_together)
{
    strcpy(dir, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    engine = &weir__rocksdb_engine;
    spec = (struct weir__store_spec){ KEYS_SPEC };
    for (int round = 1; round <= 20; round++) {
        in_child(write_and_crash, round);
        in_child(check_after_crash, round);
    }
    (void)weir__remove_tree(dir, NULL);
}
END_TEST

static int put_window(const char *key, int64_t start, const char *value)
{
    struct weir__value row = { .bytes = text(value), .timestamp = start };

    return weir__store_put_window(store, text(key), start, &row);
}

static void expect_fetch(const char *from, const char *to, int64_t start, int64_t end, const char *want)
{
    struct weir__rows *rows;

    ck_assert_int_eq(weir__store_fetch(store, from != NULL ? text(from) : NO_BYTES, to != NULL ? text(to) : NO_BYTES,
                                       start, end, WEIR_ASCENDING, &rows),
                     WEIR_OK);
    expect_rows(rows, want);
}

START_TEST(windows_by_key_and_by_start)
{
    struct weir__rows *rows;

    open_with(_i, (struct weir__store_spec){ WINDOWS_SPEC, .retention = 100000, .segment = 60000 });
    ck_assert_int_eq(put_window("b", 0, "1"), WEIR_OK);
    ck_assert_int_eq(put_window("a", 10, "2"), WEIR_OK);
    commit(2);
    ck_assert_int_eq(put_window("a", 0, "3"), WEIR_OK);
    ck_assert_int_eq(put_window("aa", 10, "4"), WEIR_OK);
    ck_assert_int_eq(put_window("b", 0, "5"), WEIR_OK);
    expect_fetch(NULL, NULL, 0, INT64_MAX, "a@0=3;a@10=2;aa@10=4;b@0=5;");
    expect_fetch("a", "a", 0, INT64_MAX, "a@0=3;a@10=2;");
    expect_fetch("a", "aa", 5, 10, "a@10=2;aa@10=4;");
    ck_assert_int_eq(weir__store_due(store, 0, 11, &rows), WEIR_OK);
    expect_rows(rows, "a@0=3;b@0=5;a@10=2;aa@10=4;");
    ck_assert_int_eq(weir__store_due(store, 0, 10, &rows), WEIR_OK);
    expect_rows(rows, "a@0=3;b@0=5;");
    finish();
}
END_TEST

static unsigned looks; /* of the store into its engine */

static int count_look(struct weir__db *at, uint32_t family, struct weir_bytes key, struct weir_bytes *ret)
{
    looks++;
    return engine->get(at, family, key, ret);
}

static void expect_window(int64_t start, const char *want, unsigned want_looks)
{
    struct weir__value value;
    int                err = weir__store_get_window(store, text("a"), start, &value);

    ck_assert_int_eq(err, want != NULL ? WEIR_OK : WEIR_NOTFOUND);
    ck_assert(want == NULL || weir__bytes_equal(value.bytes, text(want)));
    ck_assert_uint_eq(looks, want_looks);
    looks = 0;
}

/* Another key has a later row, so that the store's newest start says nothing of this one. */
START_TEST(no_look_is_taken_where_the_head_says_that_there_is_no_row)
{
    const struct weir__key_head head = { .time = 60, .open_end = 70, .rows_end = 10, .last_end = 70, .step = 20 };
    struct weir__key_head       known;
    struct weir__engine         counting;
    struct weir_error           error;

    open_with(_i, (struct weir__store_spec){ WINDOWS_SPEC, .retention = 100, .keyed = true });
    ck_assert_int_eq(put_window("a", 0, "1"), WEIR_OK);
    ck_assert_int_eq(put_window("a", 20, "2"), WEIR_OK);
    ck_assert_int_eq(put_window("a", 60, "3"), WEIR_OK);
    ck_assert_int_eq(put_window("b", 1000, "4"), WEIR_OK);
    ck_assert_int_eq(weir__store_put_head(store, text("a"), &head), WEIR_OK);
    commit(2);
    weir__store_close(store);
    counting = *engine;
    counting.get = count_look;
    ck_assert_int_eq(weir__store_open(&spec, &counting, db, &store, &error), WEIR_OK);
    looks = 0;
    expect_window(70, NULL, 1); /* the head is not in memory */
    ck_assert_int_eq(weir__store_head(store, text("a"), &known), WEIR_OK);
    looks = 0;
    expect_window(0, "1", 1);
    expect_window(20, "2", 1);
    expect_window(40, NULL, 1);
    expect_window(60, "3", 1);
    expect_window(50, NULL, 0);
    expect_window(80, NULL, 0);
    finish();
}
END_TEST

START_TEST(windows_expire_by_segment)
{
    struct weir__rows *rows;

    open_with(_i,
              (struct weir__store_spec){ WINDOWS_SPEC, .retention = 100000, .segment = 60000, .tombstones = true });
    ck_assert_int_eq(put_window("a", 0, "1"), WEIR_OK);
    ck_assert_int_eq(put_window("a", 60000, "2"), WEIR_OK);
    commit(2);
    weir__buf_reset(&told);
    ck_assert_int_eq(put_window("b", 160000, "3"), WEIR_OK); /* segment 0 has expired, segment 1 has not */
    ck_assert_int_eq(put_window("a", 10, "late"), WEIR_NOTFOUND);
    expect_fetch(NULL, NULL, 0, INT64_MAX, "b@160000=3;"); /* 60000 is past the retention, though still there */
    expect_told("b@160000=3;");
    ck_assert_int_eq(weir__store_expire(store, 100), WEIR_OK);
    expect_told("a@0;");
    commit(4);
    ck_assert_int_eq(weir__store_due(store, 0, INT64_MAX, &rows), WEIR_OK);
    expect_rows(rows, "a@60000=2;b@160000=3;");
    finish();
}
END_TEST

START_TEST(lru_lets_the_least_used_go)
{
    open_with(
        _i,
        (struct weir__store_spec){
            .name = "l", .kind = WEIR__STORE_LRU, .timestamped = true, .logged = true, .in_memory = true, .max = 2 });
    put("a", "1", 1);
    put("b", "1", 2);
    expect_get("a", "1");
    put("c", "1", 3);
    expect_told("a=1;b=1;c=1;");
    expect_get("b", NULL);
    expect_get("a", "1");
    finish();
}
END_TEST

START_TEST(restore_gives_the_same_rows)
{
    struct weir__raw records[] = { { .key = BYTES("a", 1), .value = BYTES("1", 1), .timestamp = 1 },
                                   { .key = BYTES("b", 1), .value = BYTES("1", 1), .timestamp = 2 },
                                   { .key = BYTES("a", 1), .value = NO_BYTES, .timestamp = 3 },
                                   { .key = BYTES("c", 1), .value = BYTES("", 0), .timestamp = 4 } };

    open_with(_i, (struct weir__store_spec){ KEYS_SPEC });
    ck_assert_int_eq(weir__store_restore(store, records, 4, 9), WEIR_OK);
    expect_range(NULL, NULL, WEIR_ASCENDING, "b=1;c=;");
    ck_assert_int_eq(weir__store_standing(store).offset, 9);
    ck_assert_int_eq(weir__store_wipe(store), WEIR_OK);
    expect_range(NULL, NULL, WEIR_ASCENDING, "");
    ck_assert_int_eq(weir__store_standing(store).offset, -1);
    finish();
}
END_TEST

static struct weir__engine        failing; /* as engines[], its write fails when writes_left is none */
static const struct weir__engine *true_engine;
static int                        writes_left;

static int failing_write(struct weir__db *in, const struct weir__write *writes, size_t count)
{
    return writes_left-- > 0 ? true_engine->write(in, writes, count) : WEIR_STORE_FAILED;
}

/* Whatever a wipe that was cut short has left, the next life reads its changelog from the start. */
START_TEST(a_wipe_that_was_cut_short_leaves_no_half_store)
{
    struct weir_error error;

    open_with(_i, (struct weir__store_spec){ KEYS_SPEC });
    put("a", "1", 1);
    put("b", "1", 1);
    commit(2);
    weir__store_close(store);
    true_engine = engine;
    failing = *engine;
    failing.write = failing_write;
    for (writes_left = 1;; writes_left++) {
        int at_most = writes_left;

        ck_assert_int_eq(weir__store_open(&spec, &failing, db, &store, &error), WEIR_OK);
        if (weir__store_wipe(store) == WEIR_OK)
            break;
        weir__store_close(store);
        ck_assert_int_eq(weir__store_open(&spec, engine, db, &store, &error), WEIR_OK);
        ck_assert_int_eq(weir__store_standing(store).offset, -1);
        weir__store_close(store);
        writes_left = at_most;
    }
    expect_range(NULL, NULL, WEIR_ASCENDING, "");
    finish();
}
END_TEST

/* When a store was in step with its changelog goes with its offset; alone it is written again after an hour. */
START_TEST(the_time_of_being_in_step_is_kept)
{
    open_with(1, (struct weir__store_spec){ KEYS_SPEC });
    put("a", "1", 1);
    synced = 1000;
    commit(7);
    synced = 2000;
    commit(-1);
    ck_assert_int_eq(weir__store_standing(store).synced, 2000);
    close_all();
    open_again();
    ck_assert_int_eq(weir__store_standing(store).offset, 7);
    ck_assert_int_eq(weir__store_standing(store).synced, 1000);
    synced = 1000 + HOURS(1);
    commit(-1);
    ck_assert_int_eq(engine->flush(db), WEIR_OK);
    close_all();
    open_again();
    ck_assert_int_eq(weir__store_standing(store).offset, 7);
    ck_assert_int_eq(weir__store_standing(store).synced, 1000 + HOURS(1));
    synced = 0;
    finish();
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    open_with(0, (struct weir__store_spec){ KEYS_SPEC, .cached = true });
    put("a", "1", 1);
    for (uint64_t n = 1; n < 30; n++) {
        struct weir__value row = { .bytes = text("a longer value than the row had room for before, by far"),
                                   .timestamp = 2 };
        struct weir__value seen;
        int                err;

        weir__fail_allocation(n);
        err = weir__store_put(store, text(n % 2 == 0 ? "a" : "new"), &row);
        weir__fail_allocation(0);
        ck_assert(err == WEIR_OK || err == WEIR_NO_MEMORY);
        ck_assert_int_eq(weir__store_get(store, text("a"), &seen), WEIR_OK);
    }
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, uncached_tells_each_put, 0, 2);
    tcase_add_loop_test(tests, cached_tells_at_flush_in_order_of_last_update, 0, 2);
    tcase_add_loop_test(tests, range_merges_dirty_and_engine, 0, 2);
    tcase_add_loop_test(tests, drop_takes_back_to_the_commit, 0, 2);
    tcase_add_test(tests, offset_and_rows_survive_together);
    tcase_add_loop_test(tests, windows_by_key_and_by_start, 0, 2);
    tcase_add_loop_test(tests, no_look_is_taken_where_the_head_says_that_there_is_no_row, 0, 2);
    tcase_add_loop_test(tests, windows_expire_by_segment, 0, 2);
    tcase_add_loop_test(tests, lru_lets_the_least_used_go, 0, 1);
    tcase_add_loop_test(tests, restore_gives_the_same_rows, 0, 2);
    tcase_add_loop_test(tests, a_wipe_that_was_cut_short_leaves_no_half_store, 0, 2);
    tcase_add_test(tests, the_time_of_being_in_step_is_kept);
    tcase_add_test(tests, without_memory_nothing_is_half_done);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
