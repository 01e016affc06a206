/* send.c: where the records of a thread's tasks go: into its producer's transaction. */
#include "framework/runtime/internal.h"

#include <time.h>

/* How long a full queue of the producer is waited for before the transaction is given up. */
#define PATIENCE_US INT64_C(30000000)

/* Asks for delivery reports, which makes room. A failure shows at the commit. */
static void serve(struct weir__thread *thread)
{
    uint64_t cookie;
    int      code;

    weir__thread_beat(thread);
    (void)thread->app->config.engine->failed(thread->producer, &cookie, &code);
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

int weir__thread_send(void *arg, const struct weir__raw *raw, enum weir__sent_as as)
{
    struct weir__thread           *thread = arg;
    const struct weir__log_engine *engine = thread->app->config.engine;
    int64_t                        began = 0;
    int                            err = engine->send(thread->producer, raw, 0);

    (void)as;
    while (err == WEIR_FULL || err == WEIR_AGAIN) {
        if (began == 0)
            began = weir__monotonic_us();
        if (weir__monotonic_us() - began > PATIENCE_US)
            return WEIR_ABORT;
        serve(thread);
        err = engine->send(thread->producer, raw, 0);
    }
    thread->sends += err == WEIR_OK;
    return err;
}

int64_t weir__thread_sent(void *arg, struct weir__tp tp)
{
    struct weir__thread *thread = arg;

    return thread->app->config.engine->sent(thread->producer, tp);
}
