/* test_store_model.c: long random lives of a store, step by step the same as a plain table would answer.
 *
 * (1) Puts, deletions, reads, commits that hold or write, aborts, expiry, and crashes with the changelog replayed.
 * (2) A failure names the seed and the step: WEIR_SEED runs that life alone.
 */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "statestores/statestores.h"
#include "test/run.h"

#define KEY_COUNT   12
#define START_COUNT 400
#define STEPS       2000
#define GAP         10 /* ms from one start to the next */
#define RETENTION   300
#define SEGMENT     60

static const struct weir__engine *const engines[] = { &weir__memory_engine, &weir__rocksdb_engine };

struct table {
    int     rows[KEY_COUNT][START_COUNT]; /* the value; 0 = no row */
    int64_t observed;
};

/* One record of the changelog. */
struct change {
    int key, start, value;
};

static char                       dir[64];
static const struct weir__engine *engine;
static struct weir__db           *db;
static struct weir__store        *store;
static struct weir__store_spec    spec;
static struct table               now, committed;
static struct change             *changes;
static size_t                     change_count, change_capacity, committed_count;
static unsigned                   seed;
static int                        step;
static uint64_t                   random_state;

#define MUST(what) ck_assert_msg(what, "seed %u, step %d: %s", seed, step, #what)

static int dice(int sides)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (int)(random_state >> 33) % sides;
}

static bool windows(void) { return spec.kind == WEIR__STORE_WINDOWS; }

/* Keys of which some begin others. */
static struct weir_bytes key_of(int n) { return BYTES("abababababababababab", (size_t)n + 1); }

static int find_start(int64_t start) { return (int)(start / GAP); }

/* Some are past the retention. */
static int some_start(int64_t stream_time)
{
    int back = dice(50), latest = find_start(stream_time);

    return windows() && latest > back ? latest - back : 0;
}

static int listen(void *arg, const struct weir__change *change)
{
    size_t suffix = windows() ? 12 : 0;
    int    value = 0;

    (void)arg;
    if (change->now.bytes.data != NULL)
        memcpy(&value, change->now.bytes.data, sizeof(value));
    ck_assert_int_eq(GROW(changes, change_capacity, change_count), WEIR_OK);
    changes[change_count++] = (struct change){ .key = (int)(change->key.size - suffix) - 1,
                                               .start = windows() ? find_start(change->start) : 0,
                                               .value = value };
    return WEIR_OK;
}

static void open_store(void)
{
    struct weir_error error;

    ck_assert_int_eq(engine->open(dir, 0, &db, &error), WEIR_OK);
    ck_assert_int_eq(weir__store_open(&spec, engine, db, &store, &error), WEIR_OK);
    weir__store_listen(store, listen, NULL);
    weir__store_keep(store, 2000);
}

static int64_t bound(void)
{
    int64_t oldest = now.observed - RETENTION;

    return oldest < 0 ? 0 : oldest / SEGMENT * SEGMENT;
}

/* ---- steps ---- */

static void do_put(int64_t stream_time)
{
    int                key = dice(KEY_COUNT), value = dice(4) == 0 ? 0 : dice(1000000) + 1;
    int                start = some_start(stream_time);
    struct weir__value row = { .timestamp = step };
    int                err;

    if (value != 0)
        row.bytes = BYTES(&value, sizeof(value));
    if (!windows()) {
        MUST(weir__store_put(store, key_of(key), &row) == WEIR_OK);
        now.rows[key][0] = value;
        return;
    }
    now.observed = MAX(now.observed, (int64_t)start * GAP);
    err = weir__store_put_window(store, key_of(key), (int64_t)start * GAP, &row);
    if ((int64_t)start * GAP < bound()) {
        MUST(err == WEIR_NOTFOUND);
        return;
    }
    MUST(err == WEIR_OK);
    now.rows[key][start] = value;
}

static bool shown(int start) { return !windows() || (int64_t)start * GAP >= now.observed - RETENTION + 1; }

static void do_get(int64_t stream_time)
{
    int                key = dice(KEY_COUNT), start = some_start(stream_time);
    int                want = shown(start) ? now.rows[key][start] : 0, got = 0;
    struct weir__value value;
    int                err = windows() ? weir__store_get_window(store, key_of(key), (int64_t)start * GAP, &value)
                                       : weir__store_get(store, key_of(key), &value);

    if (err == WEIR_OK)
        memcpy(&got, value.bytes.data, sizeof(got));
    MUST(err == (want != 0 ? WEIR_OK : WEIR_NOTFOUND));
    MUST(got == want);
}

/* Reads all rows and strikes them off a copy of the table, minding the order. */
static void expect_all(struct weir__rows *rows, enum weir_order order, bool by_start, bool hidden_too)
{
    static struct table left;
    struct weir__row    row;
    int                 err, key, start = 0, value, last_key = -1, last_start = -1;

    left = now;
    while ((err = weir__rows_next(rows, &row)) == WEIR_OK) {
        int first, before;

        key = (int)row.key.size - 1;
        start = windows() ? find_start(row.start) : 0;
        memcpy(&value, row.value.bytes.data, sizeof(value));
        MUST(left.rows[key][start] == value);
        left.rows[key][start] = 0;
        first = by_start ? start - last_start : key - last_key;
        before = by_start ? key - last_key : start - last_start;
        if (last_key >= 0)
            MUST(order == WEIR_ASCENDING ? first > 0 || (first == 0 && before > 0)
                                         : first < 0 || (first == 0 && before < 0));
        last_key = key;
        last_start = start;
    }
    MUST(err == WEIR_NOTFOUND);
    weir__rows_close(rows);
    for (key = 0; key < KEY_COUNT; key++)
        for (start = 0; start < START_COUNT; start++)
            MUST(left.rows[key][start] == 0 || (!hidden_too && !shown(start)) ||
                 (hidden_too && (int64_t)start * GAP < bound()));
}

static void do_read_all(void)
{
    enum weir_order    order = dice(2) ? WEIR_ASCENDING : WEIR_DESCENDING;
    struct weir__rows *rows;

    if (!windows()) {
        MUST(weir__store_range(store, NO_BYTES, NO_BYTES, order, &rows) == WEIR_OK);
        expect_all(rows, order, false, false);
    } else if (dice(2)) {
        MUST(weir__store_due(store, 0, INT64_MAX, &rows) == WEIR_OK);
        expect_all(rows, WEIR_ASCENDING, true, true);
    } else {
        MUST(weir__store_fetch(store, NO_BYTES, NO_BYTES, 0, INT64_MAX, order, &rows) == WEIR_OK);
        expect_all(rows, order, false, false);
    }
}

static void flush_all(void)
{
    MUST(weir__store_flush(store) == WEIR_OK);
    if (!windows())
        return;
    MUST(weir__store_expire(store, 1000000) == WEIR_OK);
    for (int key = 0; key < KEY_COUNT; key++)
        for (int start = 0; (int64_t)start * GAP < bound(); start++)
            now.rows[key][start] = 0;
}

static void write_all(int64_t offset)
{
    struct weir__batch          batch = { 0 };
    const struct weir__standing standing = { .offset = offset };

    MUST(weir__store_collect(store, &standing, &batch) == WEIR_OK);
    MUST(engine->write(db, batch.writes, batch.count) == WEIR_OK);
    weir__store_committed(store);
    weir__free(batch.writes);
    weir__arena_fini(&batch.arena);
}

static void do_commit(void)
{
    const struct weir__standing standing = { .offset = (int64_t)change_count };

    flush_all();
    if (dice(4) == 0)
        write_all((int64_t)change_count);
    else
        weir__store_hold(store, &standing);
    committed = now;
    committed_count = change_count;
}

static void do_abort(void)
{
    weir__store_drop(store);
    now = committed;
    change_count = committed_count;
}

/* The changelog from the store's offset on, in batches. */
static void replay(void)
{
    static struct weir__raw records[64];
    static char             keys[64][64];
    int64_t                 from = weir__store_standing(store).offset;

    MUST(from <= (int64_t)committed_count);
    for (size_t at = from < 0 ? 0 : (size_t)from; at < committed_count;) {
        size_t count = 0;

        for (; count < ARRAY_SIZE(records) && at < committed_count; at++, count++) {
            struct weir_bytes key = key_of(changes[at].key);

            memcpy(keys[count], key.data, key.size);
            if (windows()) {
                weir__put_be64(keys[count] + key.size, (uint64_t)changes[at].start * GAP);
                weir__put_be32(keys[count] + key.size + 8, 0);
                key.size += 12;
            }
            records[count] = (struct weir__raw){ .key = BYTES(keys[count], key.size), .timestamp = step };
            if (changes[at].value != 0)
                records[count].value = BYTES(&changes[at].value, sizeof(int));
        }
        MUST(weir__store_restore(store, records, count, (int64_t)at) == WEIR_OK);
    }
}

static void do_crash(void)
{
    struct weir_error error;

    weir__store_close(store);
    if (engine->durable) {
        engine->close(db);
        open_store();
    } else { /* memory: what the engine was given is what survives */
        ck_assert_int_eq(weir__store_open(&spec, engine, db, &store, &error), WEIR_OK);
        weir__store_listen(store, listen, NULL);
    }
    now = committed;
    change_count = committed_count;
    replay();
    /* what came and went within a commit is not in the changelog: its time is gone as well */
    MUST(weir__store_observed(store) <= committed.observed);
    now.observed = committed.observed = weir__store_observed(store);
}

static void live(const struct weir__engine *on, struct weir__store_spec as, unsigned with)
{
    strcpy(dir, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    engine = on;
    spec = as;
    seed = with;
    random_state = seed * 977u + 13;
    now = committed = (struct table){ .observed = -1 };
    change_count = committed_count = 0;
    open_store();
    for (step = 0; step < STEPS; step++) {
        int roll = dice(200);

        if (roll < 120)
            do_put((int64_t)step * START_COUNT * GAP / STEPS);
        else if (roll < 170)
            do_get((int64_t)step * START_COUNT * GAP / STEPS);
        else if (roll < 180)
            do_read_all();
        else if (roll < 195)
            do_commit();
        else if (roll < 198)
            do_abort();
        else
            do_crash();
    }
    weir__store_close(store);
    engine->close(db);
    (void)weir__remove_tree(dir, NULL);
}

static void lives(int n, struct weir__store_spec as)
{
    const char *only = getenv("WEIR_SEED"), *form = getenv("FORM");
    unsigned    first = only != NULL ? (unsigned)atoi(only) : 1;
    unsigned    last = only != NULL ? first : form != NULL && strcmp(form, "long") == 0 ? 20 : 3;

    for (unsigned with = first; with <= last; with++)
        live(engines[n], as, with);
}

#define SPEC                                                                                      \
    .name = "s", .timestamped = true, .logged = true, .tombstones = true, .retention = RETENTION, \
    .segment = SEGMENT, .window_size = GAP

START_TEST(keys_uncached) { lives(_i, (struct weir__store_spec){ SPEC, .kind = WEIR__STORE_KEYS }); }
END_TEST

START_TEST(keys_cached) { lives(_i, (struct weir__store_spec){ SPEC, .kind = WEIR__STORE_KEYS, .cached = true }); }
END_TEST

START_TEST(windows_uncached) { lives(_i, (struct weir__store_spec){ SPEC, .kind = WEIR__STORE_WINDOWS }); }
END_TEST

START_TEST(windows_cached)
{
    lives(_i, (struct weir__store_spec){ SPEC, .kind = WEIR__STORE_WINDOWS, .cached = true });
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store model");
    TCase *tests = tcase_create("store model");

    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, keys_uncached, 0, 2);
    tcase_add_loop_test(tests, keys_cached, 0, 2);
    tcase_add_loop_test(tests, windows_uncached, 0, 2);
    tcase_add_loop_test(tests, windows_cached, 0, 2);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
