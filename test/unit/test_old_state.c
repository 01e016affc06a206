/* test_old_state.c: a state folder that comes back after others have worked on its changelog: on the embedded log, whose
 * clock the test moves. One instance keeps its state in `first`, another in `second`; they never run at once. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "framework/declare.h"
#include "framework/runtime/runtime.h"
#include "statestores/engines.h"
#include "statestores/statestores.h"
#include "test/run.h"

#define CHANGELOG "keeping-kept_s-changelog"
#define DAY       INT64_C(86400000) /* a jump of the clock is no silence */
#define FILLERS   12000             /* so many records make a compaction worth while */

/* ---- the topology: a value is kept, nothing is forgotten, "?" asks ---- */

static bool is_question(const struct weir_text *text) { return text->size == 1 && text->data[0] == '?'; }

KEYS(kept_s, weir_string, weir_string);

static int keep(struct weir_context *ctx, const struct weir_record *rec)
{
    static const struct weir_text none = { .data = "none", .size = 4 };
    const struct weir_text       *found;
    int                           err;

    if (rec->value == NULL)
        return weir_delete(ctx, kept_s, rec->key);
    if (!is_question(rec->value))
        return weir_put(ctx, kept_s, rec->key, rec->value);
    err = weir_get(ctx, kept_s, rec->key, (const void **)&found);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    return weir_forward(ctx, rec->key, err == WEIR_OK ? found : &none);
}

/* clang-format off */
SOURCE(items,   "items", weir_string, weir_string);
STEP  (keeper,  keep, .key = weir_string, .value = weir_string, .uses = STORES(kept_s));
SINK  (answers, "answers", weir_string, weir_string);
static TOPOLOGY(keeping, .paths = PATHS(PATH(items, keeper, answers)));
/* clang-format on */

/* ---- the log: its clock is ours, and while a changelog is read something may happen ---- */

static struct weir__log_engine engine;
static atomic_int_fast64_t     skew; /* ms before the true clock */
static void (*meanwhile)(void);      /* at the first records of the next restore */

static int64_t moved_clock(void *arg)
{
    (void)arg;
    return weir__wall_ms() + atomic_load(&skew);
}

static int watched_poll(struct weir__consumer *consumer, int64_t deadline, struct weir__polled *ret)
{
    int err = weir__embedded_engine.poll(consumer, deadline, ret);

    if (err == WEIR_OK && meanwhile != NULL && ret->count > 0 && strcmp(ret->records[0].topic, CHANGELOG) == 0) {
        void (*happens)(void) = meanwhile;

        meanwhile = NULL;
        happens();
    }
    return err;
}

static struct weir__config  *settings;
static struct weir__metrics *metrics;
static struct weir__log     *logs;
static struct weir_error     err;
static char                  dir[64], first[80], second[80];

static void set_up(void)
{
    const char             *names[] = { "keeping", NULL };
    struct weir__log_config config = {
        .quirks = true, .clock = moved_clock, .session_ms = DAY, .transaction_ms = DAY
    };

    err = (struct weir_error){ 0 };
    engine = weir__embedded_engine;
    engine.poll = watched_poll;
    meanwhile = NULL;
    atomic_store(&skew, 0);
    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    ck_assert_int_eq(weir__config_new(names, NULL, &settings, NULL), WEIR_OK);
    ck_assert_int_eq(weir__config_set(settings, "topics.partitions", "1", "test", &err), WEIR_OK);
    ck_assert_int_eq(weir__config_set(settings, "threads", "1", "test", &err), WEIR_OK);
    ck_assert_int_eq(engine.open(&config, &logs, &err), WEIR_OK);
    snprintf(dir, sizeof(dir), "/tmp/test_old_state.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(first, sizeof(first), "%s/first", dir);
    snprintf(second, sizeof(second), "%s/second", dir);
}

static void tear_down(void)
{
    engine.close(logs);
    weir__config_free(settings);
    ck_assert_int_eq(weir__remove_tree(dir, &err), WEIR_OK);
}

static int64_t soon(void) { return engine.now(logs) + 1000; }

static struct weir__producer *begin_sending(void)
{
    struct weir__topic     topic = { .name = "items", .partitions = 1 };
    struct weir__producer *producer;

    ck_assert_int_eq(engine.ensure(logs, &topic, 1, soon(), NULL, NULL, &err), WEIR_OK);
    ck_assert_int_eq(engine.producer(logs, "test", soon(), &producer, &err), WEIR_OK);
    return producer;
}

static void add(struct weir__producer *producer, const char *key, const char *value)
{
    struct weir__raw raw = { .topic = "items",
                             .partition = 0,
                             .timestamp = 1000,
                             .key = BYTES(key, strlen(key)),
                             .value = value != NULL ? BYTES(value, strlen(value)) : NO_BYTES };

    ck_assert_int_eq(engine.send(producer, &raw, 0), WEIR_OK);
}

static void end_sending(struct weir__producer *producer)
{
    ck_assert_int_eq(engine.commit(producer, NULL, NULL, 0, NULL, 0, soon()), WEIR_OK);
    engine.producer_close(producer);
}

/* value NULL: to be forgotten. */
static void send(const char *key, const char *value)
{
    struct weir__producer *producer = begin_sending();

    add(producer, key, value);
    end_sending(producer);
}

static void send_fillers(void)
{
    struct weir__producer *producer = begin_sending();

    for (int i = 0; i < FILLERS; i++)
        add(producer, i % 2 == 0 ? "filler" : "other", "x");
    end_sending(producer);
}

/* Runs over what is there, to the end. How many records of the changelog it read back. */
static int64_t run_in(const char *state_dir)
{
    struct weir__app_config config = { .topology = &keeping,
                                       .settings = settings,
                                       .engines = weir_engines,
                                       .engine = &engine,
                                       .log = logs,
                                       .state_dir = state_dir };
    struct weir__app       *app;
    double                  restored;

    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    config.metrics = metrics;
    ck_assert_msg(weir__app_new(&config, &app, &err) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    ck_assert_msg(weir__apps_drain(&app, 1, NULL, NULL, &err) == WEIR_OK, "%s: %s", err.where, err.text);
    ck_assert_msg(weir__app_stop(app, &err) == WEIR_OK, "%s: %s", err.where, err.text);
    restored = weir__metrics_sum(metrics, "weir_restore_records_total", NULL, NULL);
    weir__app_free(app);
    weir__metrics_free(metrics);
    return (int64_t)restored;
}

/* ---- reading back ---- */

struct found {
    struct weir_bytes key;
    char              last[16];
    int               count;
    int64_t           offset; /* of the last */
};

static int look_at(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct found *found = arg;

    (void)reterr;
    if (!weir__bytes_equal(raw->key, found->key))
        return WEIR_OK;
    found->count++;
    found->offset = raw->offset;
    snprintf(found->last, sizeof(found->last), "%.*s", (int)raw->value.size, (const char *)raw->value.data);
    return WEIR_OK;
}

static struct found look(const char *topic, const char *key)
{
    struct found    found = { .key = BYTES(key, strlen(key)) };
    struct weir__tp tp = { .topic = topic };

    ck_assert_msg(weir__read_partition(&engine, logs, tp, 0, look_at, &found, &err) == WEIR_OK, "%s", err.text);
    return found;
}

static int64_t ask_in(const char *state_dir, const char *key, const char *want)
{
    int64_t restored;

    send(key, "?");
    restored = run_in(state_dir);
    ck_assert_str_eq(look("answers", key).last, want);
    return restored;
}

static void wait_hours(int64_t hours) { atomic_fetch_add(&skew, hours * 3600000); }

/* `first` knows k=1 and r=1; `second` then forgets k. */
static void part_ways(void)
{
    send("k", "1");
    send("r", "1");
    (void)run_in(first);
    send("k", NULL);
    (void)run_in(second);
}

/* The changelog is compacted until k is in it no more. */
static void let_deletions_go(void)
{
    wait_hours(30);
    for (int i = 0; i < 5 && look(CHANGELOG, "k").count > 0; i++) {
        send_fillers();
        (void)run_in(second);
    }
    ck_assert_int_eq(look(CHANGELOG, "k").count, 0);
}

/* ---- tests ---- */

START_TEST(a_deletion_that_was_compacted_away_is_heard_of)
{
    part_ways();
    let_deletions_go();
    (void)ask_in(first, "k", "none");
    (void)ask_in(first, "r", "1");
}
END_TEST

START_TEST(a_young_folder_reads_the_tail_alone)
{
    part_ways();
    wait_hours(1);
    ck_assert_int_eq(ask_in(first, "k", "none"), 1);
}
END_TEST

static void take_half_a_day(void) { wait_hours(13); }

START_TEST(a_reading_that_took_too_long_begins_anew)
{
    part_ways();
    wait_hours(1);
    meanwhile = take_half_a_day;
    ck_assert_int_gt(ask_in(first, "k", "none"), 1);
    (void)ask_in(first, "r", "1");
}
END_TEST

/* From the start it cannot be done better: the operator must help. */
START_TEST(a_whole_reading_that_took_too_long_names_the_setting)
{
    struct weir__app_config config = { .topology = &keeping,
                                       .settings = settings,
                                       .engines = weir_engines,
                                       .engine = &engine,
                                       .log = logs,
                                       .state_dir = second };
    struct weir__app       *app;

    send("k", "1");
    (void)run_in(first);
    meanwhile = take_half_a_day;
    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    config.metrics = metrics;
    ck_assert_int_eq(weir__app_new(&config, &app, &err), WEIR_OK);
    ck_assert_int_eq(weir__app_start(app, &err), WEIR_OK);
    (void)weir__apps_drain(&app, 1, NULL, NULL, &err);
    ck_assert_int_eq(weir__app_stop(app, &err), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.where, CHANGELOG);
    ck_assert_ptr_nonnull(strstr(err.text, "delete.retention.ms"));
    weir__app_free(app);
    weir__metrics_free(metrics);
}
END_TEST

START_TEST(an_unchanged_changelog_is_good_at_any_age)
{
    send("k", "1");
    (void)run_in(first);
    wait_hours(30 * 24);
    ck_assert_int_eq(ask_in(first, "k", "1"), 0);
}
END_TEST

static void cut_beginning(void)
{
    int64_t last = look(CHANGELOG, "z").offset;

    ck_assert_int_eq(engine.trim(logs, (struct weir__tp){ .topic = CHANGELOG }, last, soon()), WEIR_OK);
}

START_TEST(a_changelog_that_begins_later_is_read_from_there)
{
    part_ways();
    send("z", "1");
    (void)run_in(second);
    cut_beginning();
    (void)ask_in(first, "r", "none"); /* as the log has it */
    (void)ask_in(first, "z", "1");
}
END_TEST

START_TEST(a_beginning_that_goes_meanwhile_is_noticed)
{
    part_ways();
    send_fillers();
    send("z", "1");
    (void)run_in(second);
    meanwhile = cut_beginning;
    (void)ask_in(first, "r", "none");
}
END_TEST

static void cut_all(void)
{
    struct weir__tp   tp = { .topic = CHANGELOG };
    struct weir__ends ends;

    ck_assert_int_eq(engine.ends(logs, tp, soon(), &ends), WEIR_OK);
    ck_assert_int_eq(engine.trim(logs, tp, ends.end, soon()), WEIR_OK);
}

START_TEST(a_changelog_that_is_emptied_meanwhile_ends_the_reading)
{
    part_ways();
    send_fillers();
    (void)run_in(second);
    meanwhile = cut_all;
    (void)ask_in(first, "r", "none");
}
END_TEST

START_TEST(a_changelog_that_was_made_anew_is_read_from_its_start)
{
    const char *name = CHANGELOG;

    part_ways();
    ck_assert_int_eq(engine.remove(logs, &name, 1, soon()), WEIR_OK);
    (void)ask_in(first, "r", "none");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("old state");
    TCase *tests = tcase_create("old state");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_deletion_that_was_compacted_away_is_heard_of);
    tcase_add_test(tests, a_young_folder_reads_the_tail_alone);
    tcase_add_test(tests, a_reading_that_took_too_long_begins_anew);
    tcase_add_test(tests, a_whole_reading_that_took_too_long_names_the_setting);
    tcase_add_test(tests, an_unchanged_changelog_is_good_at_any_age);
    tcase_add_test(tests, a_changelog_that_begins_later_is_read_from_there);
    tcase_add_test(tests, a_beginning_that_goes_meanwhile_is_noticed);
    tcase_add_test(tests, a_changelog_that_is_emptied_meanwhile_ends_the_reading);
    tcase_add_test(tests, a_changelog_that_was_made_anew_is_read_from_its_start);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
