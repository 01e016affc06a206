/* topic_readers.c: what an application has of a topic: offsets that it has committed, and changelogs that hold something. */
#include "topologies/topic_readers.h"

/* An offset that a reset has set is where it begins. */
static int has_read(struct weir__stopped *stopped, const char *topic, bool *ret, struct weir_error *reterr)
{
    int32_t count;
    int     err = weir__stopped_count(stopped, topic, &count, reterr);

    for (int32_t i = 0; err == WEIR_OK && !*ret && i < count; i++) {
        struct weir__offset committed;
        int64_t             begun;

        err = weir__stopped_committed(stopped, (struct weir__tp){ topic, i }, &committed, &begun, reterr);
        *ret = err == WEIR_OK && committed.offset >= 0 && committed.offset != begun;
    }
    return err;
}

static int holds_any(const struct weir__stopped *stopped, const char *topic, bool *ret, struct weir_error *reterr)
{
    const struct weir__looked *looked = stopped->looked;
    int32_t                    count;
    int                        err = weir__stopped_count(stopped, topic, &count, reterr);

    for (int32_t i = 0; err == WEIR_OK && !*ret && i < count; i++) {
        struct weir__ends ends;

        err = looked->engine->ends(looked->log, (struct weir__tp){ topic, i }, weir__stopped_call(stopped), &ends);
        if (err < 0)
            return weir__fail(reterr, err, topic, "the log does not tell its ends: %s", weir_code_text(err));
        *ret = ends.stable > ends.low;
    }
    return err;
}

static int has_state(const struct weir__stopped *stopped, bool *ret, struct weir_error *reterr)
{
    const struct weir__plan *plan = stopped->plan;
    int                      err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && !*ret && i < plan->store_count; i++) {
        const struct weir__store_plan *store = plan->stores[i];

        if (store->changelog != NULL && !store->global && !weir__plan_takes(plan, store->changelog))
            err = holds_any(stopped, store->changelog, ret, reterr);
    }
    return err;
}

static int look_at(const struct weir__program *program, const struct weir__looked *looked,
                   const struct weir__plan *plan, const char *topic, bool *ret, struct weir_error *reterr)
{
    struct weir__stopped stopped;
    int                  err = weir__stopped_open(program, looked, plan, &stopped, reterr);

    if (err == WEIR_OK)
        err = has_read(&stopped, topic, ret, reterr);
    if (err == WEIR_OK && !*ret)
        err = has_state(&stopped, ret, reterr);
    weir__stopped_close(&stopped);
    return err;
}

int market_topic_reader(const struct weir__program *program, const struct weir__looked *looked,
                        const struct weir__plans *plans, const char *topic, const struct weir__plan **ret,
                        struct weir_error *reterr)
{
    bool found = false;
    int  err = WEIR_OK;

    *ret = NULL;
    for (size_t i = 0; err == WEIR_OK && !found && i < plans->count; i++) {
        if (!weir__plan_takes(plans->items[i], topic))
            continue;
        err = look_at(program, looked, plans->items[i], topic, &found, reterr);
        if (err == WEIR_OK && found)
            *ret = plans->items[i];
    }
    return err;
}
