/* run.h: how each test program ends: its suite is run, and its exit status says how that went. */
#ifndef WEIR_TEST_RUN_H
#define WEIR_TEST_RUN_H

#include <check.h>
#include <signal.h>
#include <stdlib.h>

/* Frees the suite. Its output is as CK_VERBOSITY says, else check's normal one, which the runner of all tests counts. */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int      failed;

    signal(SIGPIPE, SIG_IGN); /* as weir_main does: a peer that has gone is an error of the write */
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
