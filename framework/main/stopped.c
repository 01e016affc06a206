/* stopped.c: an application that is changed from outside, by `reset` and `replay`: none of its processes runs.
 *
 * (1) Its group has no member, and its state folder on this machine is held by us: who starts meanwhile meets the lock, or the
 *     control record.
 * (2) Nothing is made where nothing is.
 */
#include "framework/main/commands.h"
#include "framework/task/left.h"

#include <time.h>
#include <unistd.h>

/* The answer about offsets waits for open transactions: these end with the usual transaction.timeout.ms. */
#define CALL_MS 15000
/* As long as a session lasts, and a little more; us. */
#define PATIENCE (12 * INT64_C(1000000))

int64_t weir__stopped_call(const struct weir__stopped *stopped)
{
    return stopped->looked->engine->now(stopped->looked->log) + CALL_MS;
}

struct weir__control_at weir__stopped_control(const struct weir__stopped *stopped)
{
    return (struct weir__control_at){ .engine = stopped->looked->engine,
                                      .log = stopped->looked->log,
                                      .application = stopped->plan->application };
}

static int lock_state(struct weir__stopped *stopped, const char *root, struct weir_error *reterr)
{
    const char                           *name = stopped->plan->topology->name;
    AUTO(weir__buf_fini) struct weir__buf lock = { 0 };

    stopped->state = weir__arena_printf(&stopped->arena, "%s/%s", root, name);
    weir__buf_printf(&lock, "%s/LOCK", stopped->state);
    if (stopped->state == NULL || !weir__buf_ok(&lock))
        return weir__fail(reterr, WEIR_NO_MEMORY, name, "out of memory");
    if (access(stopped->state, F_OK) != 0) {
        stopped->state = NULL;
        return WEIR_OK;
    }
    return weir__lock_file(lock.data, &stopped->lock, reterr);
}

static int count_members(const struct weir__stopped *stopped, int32_t *ret, struct weir_error *reterr)
{
    const char *group = stopped->plan->application;
    int err = stopped->looked->engine->group_members(stopped->looked->log, group, weir__stopped_call(stopped), ret);

    if (err < 0)
        return weir__fail(reterr, err, group, "the log does not tell the group's members: %s", weir_code_text(err));
    return WEIR_OK;
}

/* A static member that has stopped is in the group for its session still. */
static int check_group(const struct weir__stopped *stopped, struct weir_error *reterr)
{
    int64_t give_up = weir__monotonic_us() + PATIENCE;
    int32_t members, before = 0;
    int     err = count_members(stopped, &members, reterr);

    while (err == WEIR_OK && members > 0 && weir__monotonic_us() < give_up) {
        if (members != before)
            weir__say(WEIR__WARN, "waiting-for-members", "group", "s", stopped->plan->application, "members", "i",
                      (int64_t)members, "why", "s", "those of stopped processes leave with their session.timeout.ms",
                      NULL);
        before = members;
        nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
        err = count_members(stopped, &members, reterr);
    }
    return err < 0 || members == 0 ? err : weir__stopped_fail_busy(stopped, members, reterr);
}

int weir__stopped_fail_busy(const struct weir__stopped *stopped, int32_t members, struct weir_error *reterr)
{
    return weir__fail(
        reterr, WEIR_BUSY, stopped->plan->application,
        "the group of %s has %d member%s: stop all its processes, on all machines, and do this again; one "
        "that was killed, or has an instance.id, leaves the group after its session.timeout.ms",
        stopped->plan->topology->name, members, members == 1 ? "" : "s");
}

int weir__stopped_open(const struct weir__program *program, const struct weir__looked *looked,
                       const struct weir__plan *plan, struct weir__stopped *ret, struct weir_error *reterr)
{
    struct weir__control_at at;
    int                     err;

    *ret = (struct weir__stopped){ .looked = looked, .plan = plan, .lock = -1 };
    weir__arena_init(&ret->arena, 0);
    at = weir__stopped_control(ret);
    err = lock_state(ret, weir__state_root(program, &looked->dir), reterr);
    if (err == WEIR_OK)
        err = check_group(ret, reterr);
    if (err == WEIR_OK)
        err = weir__control_read(&at, &ret->control, reterr);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

void weir__stopped_close(struct weir__stopped *stopped)
{
    if (stopped->lock >= 0)
        weir__unlock_file(stopped->lock);
    weir__arena_fini(&stopped->arena);
    *stopped = (struct weir__stopped){ .lock = -1 };
}

/* ---- inputs ---- */

/* What others may write: no repartition topic, no topic of a global table. */
bool weir__is_input(const struct weir__plan *plan, const struct weir__node *node)
{
    return node->op == WEIR__SOURCE && !node->internal && !plan->subs[node->subtopology].global;
}

bool weir__plan_takes(const struct weir__plan *plan, const char *topic)
{
    for (size_t i = 0; i < plan->node_count; i++)
        for (size_t j = 0; weir__is_input(plan, plan->nodes[i]) && j < plan->nodes[i]->topic_count; j++)
            if (strcmp(plan->nodes[i]->topics[j], topic) == 0)
                return true;
    return false;
}

/* WEIR_OK with *ret 0: there is no such topic. */
int weir__stopped_count(const struct weir__stopped *stopped, const char *topic, int32_t *ret,
                        struct weir_error *reterr)
{
    int err = stopped->looked->engine->partitions(stopped->looked->log, topic, weir__stopped_call(stopped), ret);

    if (err == WEIR_NOTFOUND) {
        *ret = 0;
        return WEIR_OK;
    }
    return err < 0 ? weir__fail(reterr, err, topic, "the log does not tell its partitions: %s", weir_code_text(err))
                   : WEIR_OK;
}

static void take_begun(void *arg, struct weir_bytes name, int64_t offset)
{
    if (weir__bytes_equal(name, BYTES(WEIR__BEGUN, strlen(WEIR__BEGUN))))
        *(int64_t *)arg = offset;
}

int weir__stopped_committed(struct weir__stopped *stopped, struct weir__tp tp, struct weir__offset *ret,
                            int64_t *ret_begun, struct weir_error *reterr)
{
    int64_t time;
    int     err;

    *ret = (struct weir__offset){ .tp = tp, .offset = -1 };
    *ret_begun = -1;
    err = stopped->looked->engine->committed(stopped->looked->log, stopped->plan->application, ret, 1,
                                             &stopped->arena, weir__stopped_call(stopped));
    if (err == WEIR_OK)
        err = weir__metadata_read(ret->metadata, &stopped->arena, &time, take_begun, ret_begun);
    if (err < 0 && err != WEIR_NOTFOUND)
        return weir__fail(reterr, err, tp.topic, "the log does not tell how far it is read: %s", weir_code_text(err));
    return WEIR_OK;
}

int weir__stopped_set(const struct weir__stopped *stopped, const struct weir__offset *offsets, size_t count,
                      struct weir_error *reterr)
{
    const char *group = stopped->plan->application;
    int         err = count > 0 ? stopped->looked->engine->set_committed(stopped->looked->log, group, offsets, count,
                                                                         weir__stopped_call(stopped))
                                : WEIR_OK;

    if (err == WEIR_BUSY)
        return weir__stopped_fail_busy(stopped, 1, reterr);
    return err < 0 ? weir__fail(reterr, err, group, "the group's offsets cannot be set: %s", weir_code_text(err))
                   : WEIR_OK;
}
