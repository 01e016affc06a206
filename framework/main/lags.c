/* lags.c: how far an application is behind its inputs, as the log knows it: no membership, no service is asked.
 *
 * (1) The committed offset is the group's; a partition without one begins where its source says.
 * (2) A committed offset lies before the marks that ended the last transaction: where few offsets are left, what is
 *     there is read, and only records count.
 */
#include "framework/main/commands.h"

#include <stdlib.h>

#define CALL_MS 5000
/* So many offsets may be marks alone: they are looked at. */
#define FEW 100

struct reading {
    const struct weir__looked *looked;
    struct weir__lags         *lags;
};

static int64_t call_by(const struct reading *reading)
{
    return reading->looked->engine->now(reading->looked->log) + CALL_MS;
}

static int fail(const char *topic, int code, struct weir_error *reterr)
{
    return weir__fail(reterr, code, topic, "the log does not tell how far it is read: %s", weir_code_text(code));
}

static int add(struct reading *reading, const struct weir__lag *lag)
{
    struct weir__lags *lags = reading->lags;

    if (GROW(lags->items, lags->capacity, lags->count) < 0)
        return WEIR_NO_MEMORY;
    lags->items[lags->count++] = *lag;
    return WEIR_OK;
}

/* ---- one partition ---- */

static int64_t begin_of(const struct weir__node *source, const struct weir__ends *ends, int64_t committed)
{
    if (committed >= 0)
        return MAX(committed, ends->low);
    return source->reset == WEIR_LATEST ? ends->stable : ends->low;
}

static int add_partition(struct reading *reading, const struct weir__node *source, const struct weir__offset *offset)
{
    struct weir__ends ends;
    int               err = reading->looked->engine->ends(reading->looked->log, offset->tp, call_by(reading), &ends);

    if (err < 0)
        return err;
    return add(reading,
               &(struct weir__lag){ .topic = offset->tp.topic,
                                    .partition = offset->tp.partition,
                                    .committed = offset->offset,
                                    .end = ends.stable,
                                    .open = ends.end - ends.stable,
                                    .records = MAX(ends.stable - begin_of(source, &ends, offset->offset), 0) });
}

/* ---- topics ---- */

/* What is committed is asked before the ends: it is never beyond them. */
static int add_partitions(struct reading *reading, const struct weir__node *source, const char *topic, size_t count)
{
    struct weir__lags   *lags = reading->lags;
    struct weir__offset *offsets = weir_arena_alloc(&lags->arena, sizeof(*offsets) * (count + 1));
    int                  err;

    if (offsets == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        offsets[i] = (struct weir__offset){ .tp = { topic, (int32_t)i }, .offset = -1 };
    err = reading->looked->engine->committed(reading->looked->log, lags->plan->application, offsets, count,
                                             &lags->arena, call_by(reading));
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = add_partition(reading, source, &offsets[i]);
    return err;
}

static int add_topic(struct reading *reading, const struct weir__node *source, const char *topic)
{
    int32_t count;
    int     err = reading->looked->engine->partitions(reading->looked->log, topic, call_by(reading), &count);

    if (err == WEIR_NOTFOUND)
        return add(reading, &(struct weir__lag){ .topic = topic, .partition = -1, .committed = -1, .end = -1 });
    return err < 0 ? err : add_partitions(reading, source, topic, (size_t)count);
}

static int add_source(struct reading *reading, const struct weir__node *source, struct weir_error *reterr)
{
    struct weir__lags *lags = reading->lags;
    int                err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < source->topic_count; i++) {
        const char *topic =
            source->internal ? weir__arena_printf(&lags->arena, "%s-%s", lags->plan->application, source->topics[i])
                             : source->topics[i];

        err = topic != NULL ? add_topic(reading, source, topic) : WEIR_NO_MEMORY;
        if (err < 0)
            return fail(source->topics[i], err, reterr);
    }
    return err;
}

static bool is_input(const struct weir__plan *plan, const struct weir__node *node)
{
    return node->op == WEIR__SOURCE && !plan->subs[node->subtopology].global;
}

static int by_place(const void *a, const void *b)
{
    const struct weir__lag *x = a, *y = b;
    int                     order = strcmp(x->topic, y->topic);

    return order != 0 ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

/* ---- marks ---- */

static bool is_doubtful(const struct weir__lag *lag) { return lag->records > 0 && lag->records <= FEW; }

static struct weir__lag *find(struct weir__lags *lags, const char *topic, int32_t partition)
{
    struct weir__lag wanted = { .topic = topic, .partition = partition };

    return bsearch(&wanted, lags->items, lags->count, sizeof(wanted), by_place);
}

/* What was polled: records before the ends are counted. Returns how many partitions have come to theirs. */
static size_t take_polled(struct weir__lags *lags, const struct weir__polled *polled, int64_t *counted, bool *ended)
{
    size_t done = 0;

    for (size_t i = 0; i < polled->count; i++) {
        struct weir__lag *lag = find(lags, polled->records[i].topic, polled->records[i].partition);

        if (lag == NULL || ended[lag - lags->items])
            continue;
        counted[lag - lags->items] += polled->records[i].offset < lag->end;
        if (polled->records[i].offset + 1 >= lag->end)
            done += ended[lag - lags->items] = true;
    }
    if (polled->event != NULL && polled->event->kind == WEIR__END) {
        struct weir__lag *lag = find(lags, polled->event->tps[0].topic, polled->event->tps[0].partition);

        if (lag != NULL && polled->event->next >= lag->end && !ended[lag - lags->items])
            done += ended[lag - lags->items] = true;
    }
    return done;
}

static int count_records(struct reading *reading, const struct weir__offset *from, size_t count, int64_t *counted,
                         bool *ended)
{
    const struct weir__log_engine *engine = reading->looked->engine;
    struct weir__consumer         *consumer;
    struct weir_error              words;
    int err = engine->tail(reading->looked->log, from, count, WEIR__READ_COMMITTED, &consumer, &words);

    if (err < 0)
        return err;
    for (size_t done = 0; err == WEIR_OK && done < count;) {
        struct weir__polled polled;

        err = engine->poll(consumer, call_by(reading), &polled);
        if (err < 0)
            break;
        done += take_polled(reading->lags, &polled, counted, ended);
        engine->release(consumer, polled.lease);
    }
    (void)engine->leave(consumer, call_by(reading));
    return err;
}

/* Where a partition cannot be read, its offsets stay what is known. */
static int look_at_few(struct reading *reading)
{
    struct weir__lags   *lags = reading->lags;
    struct weir__offset *from = weir_arena_alloc(&lags->arena, sizeof(*from) * (lags->count + 1));
    int64_t             *counted = weir_arena_alloc(&lags->arena, sizeof(*counted) * (lags->count + 1));
    bool                *ended = weir_arena_alloc(&lags->arena, sizeof(*ended) * (lags->count + 1));
    size_t               count = 0;

    if (from == NULL || counted == NULL || ended == NULL)
        return WEIR_NO_MEMORY;
    memset(counted, 0, sizeof(*counted) * lags->count);
    memset(ended, 0, sizeof(*ended) * lags->count);
    for (size_t i = 0; i < lags->count; i++)
        if (is_doubtful(&lags->items[i]))
            from[count++] = (struct weir__offset){ .tp = { lags->items[i].topic, lags->items[i].partition },
                                                   .offset = lags->items[i].end - lags->items[i].records };
    if (count > 0)
        (void)count_records(reading, from, count, counted, ended);
    for (size_t i = 0; i < lags->count; i++)
        if (ended[i])
            lags->items[i].records = counted[i];
    return WEIR_OK;
}

/* ---- an application ---- */

int weir__lags_read(const struct weir__looked *looked, const struct weir__plan *plan, struct weir__lags *ret,
                    struct weir_error *reterr)
{
    struct reading reading = { .looked = looked, .lags = ret };
    int            err = WEIR_OK;

    *ret = (struct weir__lags){ .plan = plan };
    for (size_t i = 0; err == WEIR_OK && i < plan->node_count; i++)
        if (is_input(plan, plan->nodes[i]))
            err = add_source(&reading, plan->nodes[i], reterr);
    if (err < 0)
        return err;
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof(*ret->items), by_place);
    err = look_at_few(&reading);
    if (err < 0)
        return weir__fail(reterr, err, plan->application, "out of memory");
    for (size_t i = 0; i < ret->count; i++)
        ret->records += ret->items[i].records;
    return WEIR_OK;
}

void weir__lags_fini(struct weir__lags *lags)
{
    weir__free(lags->items);
    weir__arena_fini(&lags->arena);
    *lags = (struct weir__lags){ 0 };
}
