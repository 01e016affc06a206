/* commit.c: what a task does around a commit: flush, offsets, the stores' batch, or taking it all back.
 *
 * (1) Flush forwards first: nodes with .flush, then stores: a store's flush may write to the stores after it, never the other way round.
 * (2) After the log has committed, stores that may hold their rows in memory do, up to hold_bytes; what is written is
 *     one batch of all stores, each with its changelog's offset.
 */
#include "framework/task/internal.h"

/* How many expired rows a flush deletes of one store at most: bounds the pause. */
#define EXPIRE_AT_ONCE 10000

/* Rows of an ON_CLOSE node may only go once they were looked at. */
static bool may_expire(const struct weir__binding *binding)
{
    const struct weir__live *owner = binding->owner;

    if (binding->plan->store.kind != WEIR__STORE_WINDOWS || binding->spec->uncut || binding->keyed != NULL)
        return false;
    if (owner == NULL || owner->node->emit != WEIR_ON_CLOSE)
        return true;
    return owner->last_close >= weir__time_sub(owner->observed, owner->node->windows->grace);
}

static int flush_store(struct weir__binding *binding)
{
    int err = weir__store_flush(binding->store);

    if (err == WEIR_OK && may_expire(binding))
        err = weir__store_expire(binding->store, EXPIRE_AT_ONCE);
    if (err == WEIR_OK)
        err = weir__store_flush(binding->store);
    return err;
}

/* The last of a transaction's letters may come with the flush of the stores. */
static int send_folds(struct weir__task *task, struct weir_error *reterr)
{
    int err = weir__folds_send(task);

    return err < 0 ? weir__fail(reterr, err, task->config.plan->dead_letters,
                                "folded dead letters could not be sent: %s", weir_code_text(err))
                   : WEIR_OK;
}

/* From now on others may write to the changelog, if it is not ours any more: what the commit proves it proves of this time. */
int weir__task_flush(struct weir__task *task, struct weir_error *reterr)
{
    int err = weir__flush_nodes(task);

    task->flushed = task->config.now(task->config.now_arg);
    if (err < 0)
        return weir__tell_failure(task, err, reterr);
    for (size_t i = 0; i < task->binding_count; i++) {
        err = flush_store(&task->bindings[i]);
        weir__arena_reset(&task->record);
        if (err == WEIR_OK)
            continue;
        if (task->error.code != err)
            weir__fail(&task->error, err, task->bindings[i].plan->name, "%s", weir_code_text(err));
        return weir__tell_failure(task, err, reterr);
    }
    task->commit_asked = false;
    return send_folds(task, reterr);
}

int weir__task_offsets(struct weir__task *task, struct weir_arena *arena, struct weir__offset *ret, size_t *ret_count)
{
    size_t count = 0;

    *ret_count = 0;
    for (size_t i = 0; i < task->queue_count; i++) {
        struct weir__queue  *queue = &task->queues[i];
        struct weir__offset *offset = &ret[count];

        if (weir__next_offset(queue) < 0)
            continue;
        offset->tp = (struct weir__tp){ .topic = queue->topic, .partition = task->config.partition };
        offset->offset = weir__next_offset(queue);
        if (weir__metadata_encode(task, queue, arena, &offset->metadata) < 0)
            return WEIR_NO_MEMORY;
        count++;
    }
    *ret_count = count;
    return WEIR_OK;
}

/* How a store stands to its changelog after a commit; NULL: there was none. */
static const struct weir__standing *stand(const struct weir__binding *binding,
                                          int64_t (*sent)(void *arg, struct weir__tp tp), void *arg,
                                          struct weir__standing *ret)
{
    const struct weir__task_config *config = &binding->task->config;

    if (sent == NULL || binding->plan->changelog == NULL)
        return NULL;
    *ret = (struct weir__standing){ .offset = sent(arg, (struct weir__tp){ .topic = binding->plan->changelog,
                                                                           .partition = config->partition }),
                                    .synced = binding->task->flushed,
                                    .marked = config->transactional };
    return ret;
}

/* Whether all is written now, and not held back. */
static bool writes_all(const struct weir__task *task, bool durable)
{
    return durable || weir__task_held_bytes(task) + weir__task_dirty_bytes(task) > task->config.hold_bytes;
}

static int collect(struct weir__task *task, bool all, int64_t (*sent)(void *arg, struct weir__tp tp), void *arg)
{
    for (size_t i = 0; i < task->binding_count; i++) {
        struct weir__binding *binding = &task->bindings[i];
        struct weir__standing now;
        int                   err;

        binding->holds = !all && weir__store_may_hold(binding->store);
        if (binding->holds)
            continue;
        err = weir__store_collect(binding->store, stand(binding, sent, arg, &now), &task->batch);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static void settle(struct weir__task *task, int64_t (*sent)(void *arg, struct weir__tp tp), void *arg)
{
    for (size_t i = 0; i < task->binding_count; i++) {
        struct weir__binding *binding = &task->bindings[i];
        struct weir__standing now;

        if (binding->holds)
            weir__store_hold(binding->store, stand(binding, sent, arg, &now));
        else
            weir__store_committed(binding->store);
    }
}

static int write_batch(struct weir__task *task, bool durable)
{
    int err = WEIR_OK;

    if (task->batch.count > 0)
        err = task->engine->write(task->db, task->batch.writes, task->batch.count);
    if (err == WEIR_OK && durable && task->db != NULL)
        err = task->engine->flush(task->db);
    return err;
}

int weir__task_committed(struct weir__task *task, int64_t (*sent)(void *arg, struct weir__tp tp), void *arg,
                         bool durable, struct weir_error *reterr)
{
    int err = collect(task, writes_all(task, durable), sent, arg);

    if (err == WEIR_OK)
        err = write_batch(task, durable);
    task->batch.count = 0;
    weir__arena_reset(&task->batch.arena);
    if (err < 0)
        return weir__fail(reterr, err, task->config.dir != NULL ? task->config.dir : "memory",
                          "the state of the task could not be written: %s", weir_code_text(err));
    settle(task, sent, arg);
    for (size_t i = 0; i < task->queue_count; i++)
        task->queues[i].moved = false;
    task->dirty = false;
    task->taken = 0;
    return WEIR_OK;
}

/* As in a new process, but for what is committed in the stores. */
static void forget_live(struct weir__live *live)
{
    live->observed = live->last_close = WEIR__UNKNOWN;
    live->next_look = 0;
    if (live->state != NULL)
        memset(live->state, 0, live->node->spec->state);
}

void weir__task_drop(struct weir__task *task)
{
    weir__close_nodes(task);
    weir__folds_drop(task);
    weir__schedules_fini(task);
    for (size_t i = 0; i < task->binding_count; i++) {
        weir__store_drop(task->bindings[i].store);
        if (task->bindings[i].keyed != NULL)
            task->bindings[i].keyed->scanned = false;
    }
    for (size_t i = 0; i < task->queue_count; i++)
        weir__queue_clear(&task->queues[i]);
    for (size_t i = 0; i < task->live_count; i++)
        forget_live(&task->lives[i]);
    task->heads.count = task->fresh_count = 0;
    task->stream_time = task->idle_since = WEIR__UNKNOWN;
    task->dirty = task->commit_asked = task->failing = false;
    task->error = (struct weir_error){ 0 };
    task->taken = 0;
    weir__arena_reset(&task->record);
}
