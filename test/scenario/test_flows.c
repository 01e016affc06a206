/* test_flows.c: tells every story of this folder, each a check named after its file.
 *
 *     build/test/scenario/test_flows                        all of them
 *     build/test/scenario/test_flows FILE.flow...           these, and what is wrong with them
 */
#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "statestores/engines.h"
#include "test/scenario/flow.h"

static glob_t files;

/* Tells one story in one way. */
static bool tell(const struct flow *flow, const char *name, bool disk, bool crashes, struct weir__buf *complaint)
{
    char             dir[64] = "";
    struct flow_mode mode = { .name = name, .engines = weir_engines, .crashes = crashes };
    bool             good;

    if (disk) {
        snprintf(dir, sizeof(dir), "%s/weir-flow-%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
                 (long)getpid());
        mode.dir = dir;
        CHECK(weir__remove_tree(dir, NULL) == WEIR_OK);
    }
    good = flow_play(flow, &mode, complaint);
    if (disk)
        CHECK(weir__remove_tree(dir, NULL) == WEIR_OK);
    return good;
}

static bool tell_all_ways(const char *path, struct weir__buf *complaint)
{
    struct flow flow;
    bool        good = flow_read(path, &flow, complaint) && tell(&flow, "in memory", false, false, complaint);

    if (good && flow_crashes(&flow))
        good = tell(&flow, "with crashes", false, true, complaint);
    good = good && tell(&flow, "on RocksDB", true, false, complaint);
    if (good && flow_crashes(&flow))
        good = tell(&flow, "on RocksDB, with crashes", true, true, complaint);
    flow_free(&flow);
    return good;
}

static bool check_file(const char *path, struct weir__buf *complaint)
{
    bool good = tell_all_ways(path, complaint);

    weir__buf_putc(complaint, '\0');
    return good;
}

START_TEST(story)
{
    struct weir__buf complaint = { 0 };

    ck_assert_msg(check_file(files.gl_pathv[_i], &complaint), "%s", complaint.data);
    weir__buf_fini(&complaint);
}
END_TEST

static int tell_named(char **paths)
{
    int bad = 0;

    for (; *paths != NULL; paths++) {
        struct weir__buf complaint = { 0 };
        bool             good = check_file(*paths, &complaint);

        printf("%s %s%s%s\n", good ? "ok    " : "FAILED", *paths, good ? "" : "\n", good ? "" : complaint.data);
        bad += !good;
        weir__buf_fini(&complaint);
    }
    return bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static Suite *stories(void)
{
    Suite *suite = suite_create("flows");

    for (size_t i = 0; i < files.gl_pathc; i++) {
        TCase *tcase = tcase_create(files.gl_pathv[i]);

        tcase_add_loop_test(tcase, story, (int)i, (int)i + 1);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

int main(int argc, char **argv)
{
    SRunner *runner;
    int      failed;

    if (argc > 1)
        return tell_named(argv + 1);
    if (glob("test/scenario/*.flow", 0, NULL, &files) != 0) {
        fprintf(stderr, "no stories in test/scenario: run it at the top of the tree\n");
        return EXIT_FAILURE;
    }
    runner = srunner_create(stories());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    globfree(&files);
    return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
