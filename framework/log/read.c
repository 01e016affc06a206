/* read.c: partitions from an offset to their ends as they are now, over any engine. */
#include "framework/log/log.h"

#define CALL_MS 5000

struct part {
    struct weir__tp tp;
    int64_t         next, end;
};

struct reading {
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    struct part                   *parts;
    size_t                         count, left; /* left: those that are not at their ends */
    weir__take_record             *take;
    void                          *arg;
};

static int64_t call_by(const struct reading *reading) { return reading->engine->now(reading->log) + CALL_MS; }

static int fail(const struct part *part, int code, struct weir_error *reterr)
{
    return weir__fail(reterr, code, part->tp.topic, "partition %d cannot be read at offset %lld: %s",
                      part->tp.partition, (long long)part->next, weir_code_text(code));
}

/* The first one that is not at its end. */
static const struct part *first_left(const struct reading *reading)
{
    size_t i = 0;

    while (i + 1 < reading->count && reading->parts[i].next >= reading->parts[i].end)
        i++;
    return &reading->parts[i];
}

static struct part *part_of(struct reading *reading, int32_t partition)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->parts[i].tp.partition == partition)
            return &reading->parts[i];
    return NULL;
}

static void move(struct reading *reading, struct part *part, int64_t next)
{
    bool before = part->next < part->end;

    part->next = MAX(part->next, next);
    reading->left -= before && part->next >= part->end;
}

static int take_polled(struct reading *reading, const struct weir__polled *polled, struct weir_error *reterr)
{
    struct part *part;
    int          err = WEIR_OK;

    if (polled->event != NULL && polled->event->kind == WEIR__END &&
        (part = part_of(reading, polled->event->tps[0].partition)) != NULL)
        move(reading, part, polled->event->next);
    for (size_t i = 0; err == WEIR_OK && i < polled->count; i++) {
        part = part_of(reading, polled->records[i].partition);
        if (part == NULL)
            continue;
        if (polled->records[i].offset < part->end)
            err = reading->take(reading->arg, &polled->records[i], reterr);
        move(reading, part, polled->records[i].offset + 1);
    }
    return err;
}

static int read_to_ends(struct reading *reading, struct weir__consumer *consumer, struct weir_error *reterr)
{
    int err = WEIR_OK;

    while (err == WEIR_OK && reading->left > 0) {
        struct weir__polled polled;

        err = reading->engine->poll(consumer, call_by(reading), &polled);
        if (err < 0)
            return fail(first_left(reading), err == WEIR_AGAIN ? WEIR_IO : err, reterr);
        err = take_polled(reading, &polled, reterr);
        reading->engine->release(consumer, polled.lease);
    }
    return err;
}

/* Where each begins and ends. */
static int find_ends(struct reading *reading, struct weir__offset *ret_from, struct weir_error *reterr)
{
    for (size_t i = 0; i < reading->count; i++) {
        struct part      *part = &reading->parts[i];
        struct weir__ends ends;
        int               err = reading->engine->ends(reading->log, part->tp, call_by(reading), &ends);

        if (err < 0)
            return fail(part, err, reterr);
        part->next = MAX(part->next, ends.low);
        part->end = ends.stable;
        if (part->next < part->end)
            ret_from[reading->left++] = (struct weir__offset){ .tp = part->tp, .offset = part->next };
    }
    return WEIR_OK;
}

static int read_parts(struct reading *reading, struct weir__offset *from, struct weir_error *reterr)
{
    struct weir__consumer *consumer;
    int                    err = find_ends(reading, from, reterr);

    if (err < 0 || reading->left == 0)
        return err;
    err = reading->engine->tail(reading->log, from, reading->left, WEIR__READ_COMMITTED, &consumer, reterr);
    if (err < 0)
        return err;
    err = read_to_ends(reading, consumer, reterr);
    (void)reading->engine->leave(consumer, call_by(reading));
    return err;
}

int weir__read_partition(const struct weir__log_engine *engine, struct weir__log *log, struct weir__tp tp,
                         int64_t from, weir__take_record *take, void *arg, struct weir_error *reterr)
{
    struct weir__offset at;
    struct part         part = { .tp = tp, .next = from };
    struct reading reading = { .engine = engine, .log = log, .parts = &part, .count = 1, .take = take, .arg = arg };

    return read_parts(&reading, &at, reterr);
}

int weir__read_topic(const struct weir__log_engine *engine, struct weir__log *log, const char *topic,
                     int32_t partitions, weir__take_record *take, void *arg, struct weir_error *reterr)
{
    size_t               count = (size_t)MAX(partitions, 0);
    struct weir__offset *from = weir__zalloc(sizeof(*from) * (count + 1));
    struct part         *parts = weir__zalloc(sizeof(*parts) * (count + 1));
    struct reading       reading = {
              .engine = engine, .log = log, .parts = parts, .count = count, .take = take, .arg = arg
    };
    int err = WEIR_OK;

    if (from == NULL || parts == NULL)
        err = weir__fail(reterr, WEIR_NO_MEMORY, topic, "no memory for its partitions");
    for (size_t i = 0; parts != NULL && i < count; i++)
        parts[i].tp = (struct weir__tp){ .topic = topic, .partition = (int32_t)i };
    if (err == WEIR_OK)
        err = read_parts(&reading, from, reterr);
    weir__free(from);
    weir__free(parts);
    return err;
}
