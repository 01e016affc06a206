/* task.c: a task's life, its input and its loop. */
#include "framework/task/internal.h"

/* ---- making ---- */

static size_t count_nodes(const struct weir__task_config *config)
{
    size_t count = 0;

    for (size_t i = 0; i < config->sub_count; i++)
        count += config->plan->subs[config->subs[i]].node_count;
    return count;
}

static int make_lives(struct weir__task *task)
{
    const struct weir__task_config *config = &task->config;

    task->lives = weir_arena_alloc(&task->arena, sizeof(*task->lives) * (count_nodes(config) + 1));
    task->by_index = weir_arena_alloc(&task->arena, sizeof(struct weir__live *) * (config->plan->node_count + 1));
    if (task->lives == NULL || task->by_index == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < config->sub_count; i++) {
        const struct weir__subtopology *sub = &config->plan->subs[config->subs[i]];

        for (size_t j = 0; j < sub->node_count; j++) {
            struct weir__live *live = &task->lives[task->live_count++];

            *live = (struct weir__live){ .task = task,
                                         .node = sub->nodes[j],
                                         .process = weir__process_of(sub->nodes[j]),
                                         .observed = WEIR__UNKNOWN,
                                         .last_close = WEIR__UNKNOWN };
            task->by_index[sub->nodes[j]->index] = live;
        }
    }
    return WEIR_OK;
}

static int link_children(struct weir__live *live)
{
    const struct weir__node *node = live->node;

    live->children = weir_arena_alloc(&live->task->arena, sizeof(struct weir__live *) * (node->child_count + 1));
    if (live->children == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < node->child_count; i++)
        live->children[live->child_count++] = live->task->by_index[node->children[i]->index];
    return WEIR_OK;
}

static bool has_final(const struct weir__node *node)
{
    return node->op == WEIR__PROCESS && node->spec->final != NULL;
}

static int link_stores(struct weir__live *live)
{
    const struct weir__node *node = live->node;
    struct weir__task       *task = live->task;

    live->stores = weir_arena_alloc(&task->arena, sizeof(struct weir__binding *) * (node->store_count + 1));
    if (live->stores == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < node->store_count; i++)
        live->stores[live->store_count++] = weir__binding_of(task, node->stores[i]);
    if (node->materialized) {
        struct weir__binding *binding = live->stores[0];

        binding->owner = live;
        if (binding->keyed != NULL && node->emit == WEIR_ON_CLOSE)
            binding->keyed->closer = live;
        binding->spec->closes =
            node->emit == WEIR_ON_CLOSE && !binding->spec->in_memory && binding->spec->timestamped;
        binding->forwards = node->emit == WEIR_ON_COMMIT && weir__store_spec(binding->store)->cached;
        binding->spec->unseen = !binding->forwards;
    }
    for (size_t i = 0; has_final(node) && i < live->store_count; i++)
        if (live->stores[i]->keyed != NULL)
            live->stores[i]->keyed->closer = live;
    if (node->op == WEIR__JOIN_GLOBAL && weir__globals_view(task, node->global, &live->global) < 0)
        return WEIR_NO_MEMORY;
    if (node->op == WEIR__JOIN_TABLE)
        live->with = task->by_index[node->with->index];
    return WEIR_OK;
}

static int link_live(struct weir__live *live)
{
    const struct weir__node *node = live->node;
    struct weir__task       *task = live->task;
    int                      err = link_children(live);

    if (err == WEIR_OK)
        err = link_stores(live);
    if (err == WEIR_OK && node->spec != NULL && node->spec->state > 0) {
        live->state = weir_arena_alloc(&task->arena, node->spec->state);
        if (live->state == NULL)
            return WEIR_NO_MEMORY;
    }
    if (err == WEIR_OK && node->op == WEIR__SINK && node->topic_count > 0)
        live->topic = node->internal
                          ? weir__arena_printf(&task->arena, "%s-%s", task->config.plan->application, node->topics[0])
                          : node->topics[0];
    return err;
}

static int open_db(struct weir__task *task, struct weir_error *reterr)
{
    const struct weir__task_config *config = &task->config;

    task->engine = config->dir != NULL ? config->engines->state : config->engines->memory;
    for (size_t i = 0; i < config->sub_count; i++)
        if (config->plan->subs[config->subs[i]].store_count > 0)
            return task->engine->open(config->dir, config->db_memory, &task->db, reterr);
    return WEIR_OK;
}

static int build(struct weir__task *task, struct weir_error *reterr)
{
    int err = make_lives(task);

    if (err == WEIR_OK) {
        err = open_db(task, reterr);
        if (err == WEIR_OK)
            err = weir__bind_stores(task, reterr);
        if (err < 0)
            return err;
    }
    for (size_t i = 0; err == WEIR_OK && i < task->live_count; i++)
        err = link_live(&task->lives[i]);
    if (err == WEIR_OK)
        err = weir__queues_init(task);
    return err < 0 ? weir__fail(reterr, err, task->config.plan->topology->name, "%s", weir_code_text(err)) : WEIR_OK;
}

void weir__record_aside(struct weir__task *task, struct weir_arena *ret_kept)
{
    *ret_kept = task->record;
    weir__arena_init(&task->record, task->config.record_memory);
}

void weir__record_back(struct weir__task *task, const struct weir_arena *kept)
{
    bool starved = task->record.starved || kept->starved;

    weir__arena_fini(&task->record);
    task->record = *kept;
    task->record.starved = starved;
}

int weir__task_make(const struct weir__task_config *config, struct weir__task **ret, struct weir_error *reterr)
{
    struct weir__task *task = weir__zalloc(sizeof(*task));
    int                err;

    if (task == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, config->plan->topology->name, "no memory for a task");
    task->config = *config;
    task->ctx = (struct weir_context){ .task = task, .partition_time = WEIR__UNKNOWN };
    task->stream_time = task->idle_since = WEIR__UNKNOWN;
    weir__arena_init(&task->arena, 0);
    weir__arena_init(&task->record, config->record_memory);
    weir__arena_init(&task->batch.arena, 0);
    err = build(task, reterr);
    if (err < 0) {
        weir__task_close(task);
        return err;
    }
    *ret = task;
    return WEIR_OK;
}

int weir__task_new(const struct weir__task_config *config, struct weir__task **ret, struct weir_error *reterr)
{
    int err = weir__plan_check_runnable(config->plan, reterr);

    return err < 0 ? err : weir__task_make(config, ret, reterr);
}

/* ---- start and close ---- */

/* Runs a node's open or close verb in the node's place; what it writes has the stream's time, or the clock's. */
static int run_hook(struct weir__live *live, int (*hook)(struct weir_context *ctx))
{
    struct weir__task *task = live->task;
    struct weir__event event = { .rec = { .timestamp = task->stream_time, .partition = -1, .offset = -1 } };
    int                err;

    if (event.rec.timestamp == WEIR__UNKNOWN)
        event.rec.timestamp = task->config.now(task->config.now_arg);
    task->ctx = (struct weir_context){ .task = task, .live = live, .event = &event, .partition_time = WEIR__UNKNOWN };
    err = hook(&task->ctx);
    weir__close_rows(&task->ctx, NULL);
    task->ctx = (struct weir_context){ .task = task, .partition_time = WEIR__UNKNOWN };
    weir__arena_reset(&task->record);
    return err;
}

/* A verb belongs to one physical node of its declared one: that which processes. */
static bool has_hooks(const struct weir__live *live)
{
    return live->node->spec != NULL && (live->node->op == WEIR__PROCESS || live->node->op == WEIR__GLOBAL_PROCESS);
}

int weir__task_start(struct weir__task *task, struct weir_error *reterr)
{
    for (size_t i = 0; i < task->live_count; i++) {
        struct weir__live *live = &task->lives[i];
        int                err = WEIR_OK;

        if (has_hooks(live) && live->node->spec->open != NULL)
            err = run_hook(live, live->node->spec->open);
        if (err < 0)
            return weir__fail(reterr, err, live->node->name, "the node's open verb failed: %s", weir_code_text(err));
        live->opened = true;
    }
    return WEIR_OK;
}

void weir__close_nodes(struct weir__task *task)
{
    task->closing = true;
    for (size_t i = 0; i < task->live_count; i++) {
        struct weir__live *live = &task->lives[i];

        if (live->opened && has_hooks(live) && live->node->spec->close != NULL)
            (void)run_hook(live, live->node->spec->close);
        live->opened = false;
        weir__let_go(live);
    }
    task->closing = false;
    if (task->config.tell != NULL)
        task->config.tell(task->config.waits_arg, task, NULL, NULL);
}

void weir__task_close(struct weir__task *task)
{
    if (task == NULL)
        return;
    weir__close_nodes(task);
    for (size_t i = 0; i < task->binding_count; i++) {
        weir__keyed_close(task->bindings[i].keyed);
        weir__store_close(task->bindings[i].store);
    }
    if (task->db != NULL)
        task->engine->close(task->db);
    weir__queues_fini(task);
    weir__schedules_fini(task);
    weir__folds_fini(task);
    weir__free(task->counts);
    weir__free(task->batch.writes);
    weir__arena_fini(&task->batch.arena);
    weir__arena_fini(&task->record);
    weir__arena_fini(&task->arena);
    weir__free(task);
}

/* ---- restore ---- */

struct weir__store *weir__task_store(struct weir__task *task, size_t n, const char **ret_changelog)
{
    if (n >= task->binding_count)
        return NULL;
    *ret_changelog = task->bindings[n].plan->changelog;
    return task->bindings[n].store;
}

int weir__task_restore_begin(struct weir__task *task)
{
    return task->db != NULL ? task->engine->bulk(task->db, true) : WEIR_OK;
}

int weir__task_restore_done(struct weir__task *task)
{
    return task->db != NULL ? task->engine->bulk(task->db, false) : WEIR_OK;
}

/* ---- input ---- */

size_t weir__task_inputs(const struct weir__task *task) { return task->queue_count; }

const char *weir__task_input(const struct weir__task *task, size_t n)
{
    return n < task->queue_count ? task->queues[n].topic : NULL;
}

static struct weir__queue *find_queue(const struct weir__task *task, const char *topic)
{
    for (size_t i = 0; i < task->queue_count; i++)
        if (task->queues[i].topic == topic || strcmp(task->queues[i].topic, topic) == 0)
            return &task->queues[i];
    return NULL;
}

int weir__task_add(struct weir__task *task, const struct weir__raw *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct weir__queue *queue = find_queue(task, records[i].topic);
        int                 err = queue != NULL ? weir__queue_add(task, queue, &records[i]) : WEIR_NOTFOUND;

        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

size_t weir__task_buffered(const struct weir__task *task, const char *topic)
{
    const struct weir__queue *queue = find_queue(task, topic);

    return queue != NULL ? queue->count + (queue->has_head ? 1 : 0) : 0;
}

size_t weir__task_buffered_bytes(const struct weir__task *task, const char *topic)
{
    const struct weir__queue *queue = find_queue(task, topic);

    return queue != NULL ? queue->waiting.size - queue->at : 0;
}

void weir__task_lag(struct weir__task *task, const char *topic, int64_t lag)
{
    struct weir__queue *queue = find_queue(task, topic);

    if (queue != NULL)
        queue->lag = lag;
}

int weir__task_seek(struct weir__task *task, const char *topic, int64_t offset, struct weir_bytes metadata)
{
    struct weir__queue *queue = find_queue(task, topic);

    if (queue == NULL)
        return WEIR_NOTFOUND;
    queue->next = offset;
    return weir__metadata_apply(task, queue, metadata);
}

void weir__task_replayed(struct weir__task *task, int64_t until)
{
    for (size_t i = 0; i < task->queue_count; i++)
        if (!task->queues[i].source->node->internal)
            task->queues[i].replayed = until;
}

/* ---- work ---- */

/* In the order in which they came to have records: among equal times it decides. */
static int refill_fresh(struct weir__task *task)
{
    size_t done = 0;
    int    err = WEIR_OK;

    while (done < task->fresh_count && (err = weir__queue_refill(task, task->fresh[done])) == WEIR_OK)
        task->fresh[done++]->fresh = false;
    task->fresh_count -= done;
    memmove(task->fresh, task->fresh + done, sizeof(*task->fresh) * task->fresh_count);
    return err;
}

/* Whether an empty queue holds the task back. Source: PartitionGroup.readyToProcess, KIP-695. */
static bool must_wait(struct weir__task *task)
{
    bool    read_out = false;
    int64_t now;

    if (task->config.idle < 0 || task->queue_count < 2)
        return false;
    for (size_t i = 0; i < task->queue_count; i++) {
        const struct weir__queue *queue = &task->queues[i];

        if (queue->has_head)
            continue;
        if (queue->lag != 0)
            return true;
        read_out = true;
    }
    if (!read_out || task->config.idle == 0) {
        task->idle_since = WEIR__UNKNOWN;
        return false;
    }
    now = task->config.now(task->config.now_arg);
    if (task->idle_since == WEIR__UNKNOWN)
        task->idle_since = now;
    return now - task->idle_since < task->config.idle;
}

static int visit_head(struct weir__task *task, struct weir__queue *queue)
{
    bool done;
    int  err = weir__refuse_head(task, queue, &done);

    return done ? err : weir__visit(queue->source, &queue->event);
}

static int process_head(struct weir__task *task, struct weir__queue *queue)
{
    int err;

    queue->has_head = false;
    queue->moved = true;
    queue->partition_time = MAX(queue->partition_time, queue->event.rec.timestamp);
    task->stream_time = MAX(task->stream_time, queue->event.rec.timestamp);
    task->current = &queue->head;
    task->dirty = true;
    task->taken++;
    task->last = queue;
    task->last_offset = queue->head.offset;
    task->replayed = queue->head.offset < queue->replayed;
    err = visit_head(task, queue);
    task->replayed = false;
    task->current = NULL;
    if (err == WEIR_OK && task->failing) /* a verb kept it to itself: what it stands for would be lost */
        err = task->error.code;
    if (err == WEIR_OK)
        err = weir__punctuate_stream(task);
    weir__arena_reset(&task->record);
    return err;
}

int weir__task_process(struct weir__task *task, size_t max, size_t *ret_done, struct weir_error *reterr)
{
    int err = refill_fresh(task);

    *ret_done = 0;
    while (err == WEIR_OK && *ret_done < max && task->heads.count > 0 && task->holders == 0) {
        struct weir__queue *queue;

        if (must_wait(task))
            return WEIR_AGAIN;
        queue = weir__heap_poll(&task->heads);
        err = process_head(task, queue);
        if (err == WEIR_OK)
            err = weir__queue_refill(task, queue);
        if (err == WEIR_OK)
            ++*ret_done;
        if (task->commit_asked)
            break;
    }
    return err < 0 ? weir__tell_failure(task, err, reterr) : WEIR_OK;
}

size_t weir__task_dirty_bytes(const struct weir__task *task)
{
    size_t bytes = 0;

    for (size_t i = 0; i < task->binding_count; i++)
        bytes += weir__store_dirty_bytes(task->bindings[i].store);
    return bytes;
}

size_t weir__task_held_bytes(const struct weir__task *task)
{
    size_t bytes = 0;

    for (size_t i = 0; i < task->binding_count; i++)
        bytes += weir__store_held_bytes(task->bindings[i].store);
    return bytes;
}

bool weir__task_wants_commit(const struct weir__task *task)
{
    /* without a cache nothing waits in it, but what is uncommitted still takes memory */
    size_t dirty = task->config.dirty_bytes > 0 ? task->config.dirty_bytes : (size_t)16 << 20;
    size_t most = MAX(task->config.cache_bytes, dirty);

    return task->commit_asked || (task->binding_count > 0 && weir__task_dirty_bytes(task) > most);
}

bool weir__task_has_work(const struct weir__task *task)
{
    if (task->dirty)
        return true;
    for (size_t i = 0; i < task->queue_count; i++)
        if (task->queues[i].moved)
            return true;
    return false;
}

/* The windows of a node by partition time. */
static int close_node(struct weir__live *live)
{
    struct weir__task *task = live->task;
    struct weir__event event = { .rec = { .timestamp = MAX(task->stream_time, 0), .partition = -1, .offset = -1 } };
    int64_t            last;

    if (live->node->op != WEIR__FOLD_WINDOWS || live->node->emit != WEIR_ON_CLOSE || live->observed < 0)
        return WEIR_OK;
    last = weir__time_add(live->observed, live->node->windows->size);
    return last > live->last_close ? weir__close_due(live, &event, last) : WEIR_OK;
}

/* Those of a node, or of the stores by key time that tell it. */
static int close_all(struct weir__live *live)
{
    int err = close_node(live);

    for (size_t i = 0; err == WEIR_OK && i < live->store_count; i++)
        if (live->stores[i]->keyed != NULL && live->stores[i]->keyed->closer == live)
            err = weir__keyed_close_all(live->stores[i]->keyed);
    return err;
}

int weir__task_close_windows(struct weir__task *task, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < task->live_count; i++) {
        task->depth++;
        err = close_all(&task->lives[i]);
        task->depth--;
        weir__arena_reset(&task->record);
    }
    return err < 0 ? weir__tell_failure(task, err, reterr) : WEIR_OK;
}

int64_t weir__task_stream_time(const struct weir__task *task) { return task->stream_time; }
