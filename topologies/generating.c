/* generating.c: a sample's rows as raw events, one after the other: at a rate until it is stopped, or as fast as the log takes them.
 *
 * (1) The n-th row is of the time start + n * spacing, whatever the clock says meanwhile: the same seed and start give the same events.
 * (2) A process that is stopped by a signal has sent all that it says it has.
 */
#define _GNU_SOURCE
#include "topologies/generating.h"

#include <inttypes.h>
#include <signal.h>
#include <time.h>

#define AT_ONCE 2000 /* rows in a commit */
#define LOOK_MS 50
#define CALL_MS 10000

struct generating {
    const struct weir__program     *program;
    const struct market_generating *asked;
    struct weir__looked             looked;
    struct weir__producer          *producer; /* NULL: a dry run */
    struct market_sample_stream    *stream;
    struct market_sample           *all; /* the rows so far, where the bars are wanted */
    const char                     *tenant;
    sigset_t                        signals;
    bool                            stopped;
    int64_t                         rows; /* of the plan, so far */
    uint64_t                        events;
    struct weir__buf                key, value;
};

static int64_t call_by(const struct generating *generating)
{
    return generating->looked.engine->now(generating->looked.log) + CALL_MS;
}

/* ---- the log ---- */

/* Each once. */
static size_t list_topics(const struct generating *generating, struct weir__topic *ret)
{
    const struct market_sample_plan *plan = &generating->asked->plan;
    int32_t partitions = weir__topics_partitions(generating->program->settings, generating->looked.engine);
    size_t  count = 0;

    for (size_t i = 0; market_sample_topic(plan, i) != NULL; i++) {
        bool known = false;

        for (size_t j = 0; j < count; j++)
            known = known || strcmp(ret[j].name, market_sample_topic(plan, i)) == 0;
        if (!known)
            ret[count++] = (struct weir__topic){ .name = market_sample_topic(plan, i),
                                                 .partitions = partitions,
                                                 .settings = weir__user_topic_settings };
    }
    return count;
}

static int open_log(struct generating *generating, const struct weir__args *args, struct weir_error *reterr)
{
    struct weir__topic topics[SAMPLE_KINDS];
    size_t             count;
    int                err = weir__looked_open_to_write(generating->program, args, &generating->looked, reterr);

    if (err < 0)
        return err;
    count = list_topics(generating, topics);
    err = generating->looked.engine->ensure(generating->looked.log, topics, count, call_by(generating), NULL, NULL,
                                            reterr);
    while (err == WEIR_OK) {
        err = generating->looked.engine->producer(generating->looked.log, NULL, call_by(generating),
                                                  &generating->producer, reterr);
        if (err != WEIR_AGAIN)
            break;
        err = WEIR_OK;
    }
    return err;
}

static int commit(struct generating *generating, struct weir_error *reterr)
{
    int err;

    if (generating->producer == NULL)
        return WEIR_OK;
    do
        err = generating->looked.engine->commit(generating->producer, NULL, NULL, 0, NULL, 0, call_by(generating));
    while (err == WEIR_AGAIN);
    return err < 0 ? weir__fail(reterr, err, "generate", "the events cannot be sent: %s", weir_code_text(err))
                   : WEIR_OK;
}

/* ---- rows ---- */

static int send_event(struct generating *generating, const struct market_sample_row *row, struct weir_error *reterr)
{
    struct weir__raw raw = { .partition = -1, .timestamp = row->time / 1000 };
    int              err;

    weir__buf_reset(&generating->key);
    weir__buf_reset(&generating->value);
    err = market_sample_event(row, ++generating->events, generating->tenant, &raw.topic, &generating->key,
                              &generating->value);
    raw.key = BYTES(generating->key.data, generating->key.size);
    raw.value = BYTES(generating->value.data, generating->value.size);
    if (err == WEIR_OK && generating->producer != NULL)
        err = generating->looked.engine->send(generating->producer, &raw, 0);
    return err < 0 ? weir__fail(reterr, err, raw.topic, "the event cannot be sent: %s", weir_code_text(err))
                   : WEIR_OK;
}

static int keep(struct market_sample *all, const struct market_sample_row *row, struct weir_error *reterr)
{
    if (GROW(all->rows, all->capacity, all->count) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, "generate",
                          "out of memory: ask for fewer --rows, or for no --bars");
    all->rows[all->count++] = *row;
    return WEIR_OK;
}

static int send_row(struct generating *generating, struct weir_error *reterr)
{
    const struct market_generating *asked = generating->asked;
    int64_t time = asked->plan.start + (asked->rate > 0 ? generating->rows * INT64_C(1000000) / asked->rate
                                                        : generating->rows * asked->spacing);
    const struct market_sample *now;
    int                         err = market_sample_stream_next(generating->stream, time, &now);

    if (err < 0)
        return weir__fail(reterr, err, "generate", "out of memory");
    generating->rows++;
    for (size_t i = 0; err == WEIR_OK && i < now->count; i++) {
        err = send_event(generating, &now->rows[i], reterr);
        if (err == WEIR_OK && generating->all != NULL)
            err = keep(generating->all, &now->rows[i], reterr);
    }
    return err;
}

/* ---- pace ---- */

static bool stops(struct generating *generating, int64_t ms)
{
    struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    if (sigtimedwait(&generating->signals, NULL, &wait) < 0)
        return false;
    generating->stopped = true;
    pthread_sigmask(SIG_UNBLOCK, &generating->signals, NULL); /* the next one does what signals do */
    return true;
}

/* How many rows are due, us after the beginning. */
static int64_t due(const struct generating *generating, int64_t elapsed)
{
    const struct market_generating *asked = generating->asked;
    int64_t                         rows = generating->rows + AT_ONCE;

    if (asked->rate > 0 && generating->producer != NULL)
        rows = MIN(rows, elapsed / 1000000 * asked->rate + elapsed % 1000000 * asked->rate / 1000000 + 1);
    return asked->rows > 0 ? MIN(rows, asked->rows) : rows;
}

static int send_all(struct generating *generating, int64_t began, struct weir_error *reterr)
{
    const struct market_generating *asked = generating->asked;
    int                             err = WEIR_OK;

    while (err == WEIR_OK && !generating->stopped && (asked->rows == 0 || generating->rows < asked->rows)) {
        int64_t until = due(generating, weir__monotonic_us() - began);
        bool    behind = until == generating->rows + AT_ONCE;

        while (err == WEIR_OK && generating->rows < until)
            err = send_row(generating, reterr);
        if (err == WEIR_OK)
            err = commit(generating, reterr);
        if (err == WEIR_OK)
            (void)stops(generating, behind ? 0 : LOOK_MS);
    }
    return err;
}

int market_generate(const struct weir__program *program, const struct weir__args *args,
                    const struct market_generating *asked, struct market_sample *all, struct market_generated *ret,
                    struct weir_error *reterr)
{
    struct generating generating = { .program = program,
                                     .asked = asked,
                                     .looked = { .dir = { .lock = -1 } },
                                     .all = all,
                                     .tenant = weir__config_text(program->settings, "tenant") };
    int64_t           began;
    int               err = WEIR_OK;

    sigemptyset(&generating.signals);
    sigaddset(&generating.signals, SIGINT);
    sigaddset(&generating.signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &generating.signals, NULL);
    if (market_sample_stream_new(&asked->plan, &generating.stream) < 0)
        err = weir__fail(reterr, WEIR_NO_MEMORY, "generate", "out of memory");
    if (err == WEIR_OK && !asked->dry)
        err = open_log(&generating, args, reterr);
    began = weir__monotonic_us();
    if (err == WEIR_OK)
        err = send_all(&generating, began, reterr);
    *ret = (struct market_generated){ .rows = generating.rows,
                                      .events = generating.events,
                                      .us = weir__monotonic_us() - began };
    if (err == WEIR_OK)
        market_sample_stream_counts(generating.stream, &ret->counts);
    if (generating.producer != NULL)
        generating.looked.engine->producer_close(generating.producer);
    weir__looked_close(&generating.looked);
    market_sample_stream_free(generating.stream);
    weir__buf_fini(&generating.key);
    weir__buf_fini(&generating.value);
    return err;
}
