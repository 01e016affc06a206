/* stories.c: a check for each story of this folder, named after its file. */
#include "test/scenario/stories.h"
#include "test/run.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

static glob_t        files;
static stories_tell *tell_story;

bool stories_play_in_dir(const struct flow *flow, struct flow_mode mode, struct weir__buf *complaint)
{
    char dir[64];
    bool good;

    snprintf(dir, sizeof(dir), "%s/weir-flow-%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             (long)getpid());
    mode.dir = dir;
    CHECK(weir__remove_tree(dir, NULL) == WEIR_OK);
    good = flow_play(flow, &mode, complaint);
    CHECK(weir__remove_tree(dir, NULL) == WEIR_OK);
    return good;
}

static bool tell_file(const char *path, struct weir__buf *complaint)
{
    struct flow flow;
    bool        good = flow_read(path, &flow, complaint) && tell_story(&flow, complaint);

    flow_free(&flow);
    weir__buf_putc(complaint, '\0');
    return good;
}

START_TEST(story)
{
    struct weir__buf complaint = { 0 };

    ck_assert_msg(tell_file(files.gl_pathv[_i], &complaint), "%s", complaint.data);
    weir__buf_fini(&complaint);
}
END_TEST

static int tell_named(char **paths)
{
    int bad = 0;

    for (; *paths != NULL; paths++) {
        struct weir__buf complaint = { 0 };
        bool             good = tell_file(*paths, &complaint);

        printf("%s %s%s%s\n", good ? "ok    " : "FAILED", *paths, good ? "" : "\n", good ? "" : complaint.data);
        bad += !good;
        weir__buf_fini(&complaint);
    }
    return bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static Suite *make_suite(const char *name)
{
    Suite *suite = suite_create(name);

    for (size_t i = 0; i < files.gl_pathc; i++) {
        TCase *tcase = tcase_create(files.gl_pathv[i]);

        tcase_set_timeout(tcase, 60); /* it hangs; a busy machine takes its time */
        tcase_add_loop_test(tcase, story, (int)i, (int)i + 1);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

int stories_run(const char *suite, stories_tell *tell, char **argv)
{
    int status;

    tell_story = tell;
    if (argv[1] != NULL)
        return tell_named(argv + 1);
    if (glob("test/scenario/*.flow", 0, NULL, &files) != 0) {
        fprintf(stderr, "no stories in test/scenario: run it at the top of the tree\n");
        return EXIT_FAILURE;
    }
    status = run_suite(make_suite(suite));
    globfree(&files);
    return status;
}
