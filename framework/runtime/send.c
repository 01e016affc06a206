/* send.c: where the records of a thread's tasks go: into its producer's transaction. */
#include "framework/metrics/families.h"
#include "framework/runtime/internal.h"

#include <time.h>

/* How long a full queue of the producer is waited for before the transaction is given up. */
#define PATIENCE_US INT64_C(30000000)

/* Asks for delivery reports, which makes room. A failure, which is told once, is kept for the recovery. */
static void serve(struct weir__thread *thread)
{
    uint64_t cookie;
    int      code;

    weir__thread_beat(thread);
    if (thread->app->config.engine->failed(thread->producer, &cookie, &code) == WEIR_OK)
        weir__refused_note(thread, code);
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* The place of a topic among the app's; their number: not one of them. */
static size_t place_of(struct weir__thread *thread, const char *topic)
{
    const struct weir__topics *topics = &thread->app->topics;
    size_t                     i = thread->sent_last;

    if (i < topics->count && strcmp(topics->items[i].name, topic) == 0)
        return i;
    for (i = 0; i < topics->count; i++)
        if (strcmp(topics->items[i].name, topic) == 0)
            return thread->sent_last = i;
    return i;
}

static void count_one(struct weir__thread *thread, const char *topic, size_t bytes)
{
    size_t place = place_of(thread, topic);

    thread->sends++;
    thread->sent_bytes += bytes;
    if (place < thread->app->topics.count)
        thread->sent[place].count++;
}

void weir__thread_count_sent(struct weir__thread *thread)
{
    struct weir__app *app = thread->app;

    for (size_t i = 0; i < app->topics.count; i++) {
        struct weir__sent *sent = &thread->sent[i];
        const char        *labels[] = { app->plan->topology->name, app->topics.items[i].name };

        if (sent->count == 0)
            continue;
        if (sent->series == NULL)
            sent->series = weir__metric_of(app->config.metrics, WEIR__PRODUCED_FAMILY, labels);
        weir__metric_add(sent->series, (double)sent->count);
        sent->count = 0;
    }
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
        if (weir__monotonic_us() - began > PATIENCE_US || weir__app_must_end(thread->app))
            return WEIR_ABORT;
        serve(thread);
        err = engine->send(thread->producer, raw, 0);
    }
    if (err == WEIR_OK)
        count_one(thread, raw->topic, raw->key.size + raw->value.size);
    return err;
}

int64_t weir__thread_sent(void *arg, struct weir__tp tp)
{
    struct weir__thread *thread = arg;

    return thread->app->config.engine->sent(thread->producer, tp);
}
