/* threads.c: threads and their conditions, made. */
#include "framework/base/threads.h"
#include "framework/base/base.h"

#include <signal.h>

int weir__thread_start(void *(*run)(void *), void *arg, pthread_t *ret)
{
    sigset_t all, before;
    int      number;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    number = pthread_create(ret, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number == 0 ? WEIR_OK : WEIR_NO_MEMORY;
}

void weir__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}
