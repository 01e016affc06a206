/* read.c: a partition from an offset to its end as it is now, over any engine. */
#include "framework/log/log.h"

#define CALL_MS 5000

struct reading {
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    struct weir__tp                tp;
    int64_t                        next, end;
    weir__take_record             *take;
    void                          *arg;
};

static int64_t call_by(const struct reading *reading) { return reading->engine->now(reading->log) + CALL_MS; }

static int fail(const struct reading *reading, int code, struct weir_error *reterr)
{
    return weir__fail(reterr, code, reading->tp.topic, "partition %d cannot be read at offset %lld: %s",
                      reading->tp.partition, (long long)reading->next, weir_code_text(code));
}

static int take_polled(struct reading *reading, const struct weir__polled *polled, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (polled->event != NULL && polled->event->kind == WEIR__END)
        reading->next = MAX(reading->next, polled->event->next);
    for (size_t i = 0; err == WEIR_OK && i < polled->count; i++) {
        if (polled->records[i].offset < reading->end)
            err = reading->take(reading->arg, &polled->records[i], reterr);
        reading->next = MAX(reading->next, polled->records[i].offset + 1);
    }
    return err;
}

static int read_to_end(struct reading *reading, struct weir__consumer *consumer, struct weir_error *reterr)
{
    int err = WEIR_OK;

    while (err == WEIR_OK && reading->next < reading->end) {
        struct weir__polled polled;

        err = reading->engine->poll(consumer, call_by(reading), &polled);
        if (err < 0)
            return fail(reading, err == WEIR_AGAIN ? WEIR_IO : err, reterr);
        err = take_polled(reading, &polled, reterr);
        reading->engine->release(consumer, polled.lease);
    }
    return err;
}

int weir__read_partition(const struct weir__log_engine *engine, struct weir__log *log, struct weir__tp tp,
                         int64_t from, weir__take_record *take, void *arg, struct weir_error *reterr)
{
    struct reading         reading = { .engine = engine, .log = log, .tp = tp, .take = take, .arg = arg };
    struct weir__offset    at = { .tp = tp };
    struct weir__consumer *consumer;
    struct weir__ends      ends;
    int                    err = engine->ends(log, tp, call_by(&reading), &ends);

    if (err < 0)
        return fail(&reading, err, reterr);
    reading.next = at.offset = MAX(from, ends.low);
    reading.end = ends.stable;
    if (reading.next >= reading.end)
        return WEIR_OK;
    err = engine->tail(log, &at, 1, WEIR__READ_COMMITTED, &consumer, reterr);
    if (err < 0)
        return err;
    err = read_to_end(&reading, consumer, reterr);
    (void)engine->leave(consumer, call_by(&reading));
    return err;
}
