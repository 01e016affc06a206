/* test_killed_members.c: members that are killed at the steps of a commit, over a log on disk: what RocksDB held in memory is
 * gone each time, and the task goes on elsewhere or with an old folder.
 *
 * A member is a process of its own: this program anew, with what it is told. Which state folder it has says which instance it is.
 */
#include "test/unit/hand_over.h"

#include <signal.h>
#include <sys/wait.h>

static char log_dir[80];

static void name_log(void) { snprintf(log_dir, sizeof(log_dir), "%s/log", dir); }

static void set_up(void)
{
    set_up_hand_over();
    name_log();
}

static void open_durable(void)
{
    struct weir__log_config config = { .dir = log_dir, .quirks = true };

    open_log(&config);
}

static void close_log(void)
{
    weir__embedded_engine.close(logs);
    logs = NULL;
}

static void add_words(int count)
{
    open_durable();
    send_words("k", count);
    close_log();
}

/* ---- a member ---- */

#define BETWEEN "between" /* a crash point of ours: records are there, their offsets are not */

#define RESTORED 10 /* exit: done, after reading something back */

static int die_between(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                       int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    if (consumer == NULL) /* the application's control record */
        return weir__embedded_engine.commit(producer, group, consumer, token, offsets, count, deadline);
    (void)weir__embedded_engine.commit(producer, NULL, NULL, -1, NULL, 0, deadline);
    raise(SIGKILL);
    return WEIR_FATAL;
}

/* Works until all is done, or the crash point comes. As DIR STATE CRASH DELIVERY. */
static void be_member(char **told)
{
    const char       *state = told[1], *crash = told[2];
    struct weir__app *app;

    set_up_member();
    strcpy(dir, told[0]);
    name_log();
    set("delivery", told[3]);
    if (strcmp(crash, BETWEEN) == 0)
        engine.commit = die_between;
    else if (weir__crash_setup(crash, &err) < 0)
        _exit(1);
    open_durable();
    app = start_member(state);
    if (weir__apps_drain(&app, 1, NULL, NULL, &err) < 0)
        _exit(1);
    stop_member(app);
    close_log();
    _exit(weir__metrics_sum(metrics, "weir_restore_records_total", NULL, NULL) > 0 ? RESTORED : 0);
}

/* What became of it: RESTORED, 0, or -SIGKILL. */
static int run_member(const char *state, const char *crash)
{
    pid_t child = fork();
    int   status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        execl("/proc/self/exe", "member", dir, state, crash, weir__config_text(settings, "delivery"), (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- T26: A, B, A again, and what they held in memory is lost each time ---- */

static const struct {
    const char *state, *crash;
    int         words, end;
} legs[] = {
    { "a", "after-commit:1", 300, -SIGKILL },
    { "b", "after-commit:1", 300, -SIGKILL },
    { "a", "mid-commit:1", 300, -SIGKILL },
    { "b", "record:150", 300, -SIGKILL },
    { "a", "after-flush:1", 100, -SIGKILL },
    { "b", "mid-restore:1", 0, -SIGKILL },
    { "a", "after-commit:1", 0, -SIGKILL },
    { "b", "", 100, RESTORED },
    { "a", "", 100, RESTORED },
    { "a", "", 100, 0 },
    { "b", "", 100, RESTORED },
    { "c", "", 100, RESTORED },
};

START_TEST(a_task_goes_to_and_fro_and_stays_exact)
{
    int all = 0;

    for (size_t i = 0; i < ARRAY_SIZE(legs); i++) {
        struct tally outputs, state;
        int64_t      committed;

        add_words(legs[i].words);
        all += legs[i].words;
        ck_assert_int_eq(run_member(legs[i].state, legs[i].crash), legs[i].end);
        open_durable();
        outputs = tally_of("out", "k");
        state = tally_of(CHANGELOG, "k");
        committed = MAX(committed_words(), 0);
        ck_assert(outputs.exact);
        ck_assert_int_eq(outputs.count, committed);
        ck_assert_int_eq(state.last, committed);
        ck_assert(legs[i].end < 0 || committed == all);
        close_log();
    }
}
END_TEST

/* ---- T29: at least once, killed at each step ---- */

static const char *const steps[] = { "record:150", "before-commit:1", "after-flush:1",
                                     BETWEEN,      "mid-commit:1",    "after-commit:1" };

/* No record whose offset is committed is without its output, or missing in the state. */
static void check_least(const char *step)
{
    int64_t committed;

    open_durable();
    committed = MAX(committed_words(), 0);
    ck_assert_int_ge(tally_of("out", "k").count, committed);
    ck_assert_int_ge(tally_of("out", "k").last, committed);
    ck_assert_int_ge(tally_of(CHANGELOG, "k").last, committed);
    if (strcmp(step, BETWEEN) == 0) /* what the point is for */
        ck_assert_int_gt(tally_of("out", "k").count, committed);
    close_log();
}

START_TEST(killed_at_each_step_nothing_committed_is_without_its_output_and_state)
{
    const char *step = steps[_i];

    set("delivery", "at_least_once");
    add_words(300);
    ck_assert_int_eq(run_member("a", step), -SIGKILL);
    check_least(step);
    ck_assert_int_ge(run_member("a", ""), 0);
    check_least("");
    add_words(10);
    ck_assert_int_eq(run_member("b", ""), RESTORED);
    check_least("");
    open_durable();
    ck_assert_int_eq(committed_words(), 310);
    ck_assert_int_ge(tally_of("out", "k").last, 310);
    close_log();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("killed members");
    TCase *tests = tcase_create("members");

    if (argc == 5)
        be_member(argv + 1);
    tcase_add_checked_fixture(tests, set_up, tear_down_hand_over);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_task_goes_to_and_fro_and_stays_exact);
    tcase_add_loop_test(tests, killed_at_each_step_nothing_committed_is_without_its_output_and_state, 0,
                        (int)ARRAY_SIZE(steps));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
