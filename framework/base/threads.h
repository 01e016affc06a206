/* base/threads.h: what all our own threads need when they are made. */
#ifndef WEIR_BASE_THREADS_H
#define WEIR_BASE_THREADS_H

#include <pthread.h>

/* A thread that takes no signals: these are others' business. WEIR_NO_MEMORY: the system gives none. */
int weir__thread_start(void *(*run)(void *), void *arg, pthread_t *ret);
/* A condition whose waits go by the monotonic clock. */
void weir__cond_init(pthread_cond_t *cond);

#endif
