/* globals.c: global stores: a task without partitions that only fills them, one for each thread, so that reads
 * need no lock. */
#include "framework/task/internal.h"

struct weir__globals {
    struct weir__task *task;
    int               *subs;
};

static int no_send(void *arg, const struct weir__raw *raw, enum weir__sent_as as)
{
    (void)arg;
    (void)raw;
    (void)as;
    return WEIR_UNSUPPORTED;
}

static int64_t no_clock(void *arg)
{
    (void)arg;
    return weir__wall_ms();
}

static size_t global_subs(const struct weir__plan *plan, int *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->sub_count; i++)
        if (plan->subs[i].global)
            ret[count++] = (int)i;
    return count;
}

static int open_globals(struct weir__globals *globals, struct weir__task_config *config, struct weir_error *reterr)
{
    int err;

    globals->subs = weir__alloc(sizeof(*globals->subs) * (config->plan->sub_count + 1));
    if (globals->subs == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "global stores", "no memory");
    config->subs = globals->subs;
    config->sub_count = global_subs(config->plan, globals->subs);
    err = weir__task_make(config, &globals->task, reterr);
    return err < 0 ? err : weir__task_start(globals->task, reterr);
}

int weir__globals_new(const struct weir__plan *plan, const struct weir_engines *engines,
                      struct weir__metrics *metrics, struct weir__globals **ret, struct weir_error *reterr)
{
    struct weir__task_config config = { .plan = plan,
                                        .partition = -1,
                                        .engines = engines,
                                        .metrics = metrics,
                                        .send = no_send,
                                        .now = no_clock,
                                        .idle = -1,
                                        .record_memory = (size_t)64 << 20,
                                        .on_unreadable = WEIR__CONTINUE,
                                        .on_failure = WEIR__FAIL,
                                        .on_refused = WEIR__FAIL };
    struct weir__globals    *globals = weir__zalloc(sizeof(*globals));
    int                      err;

    if (globals == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "global stores", "no memory");
    err = open_globals(globals, &config, reterr);
    if (err < 0) {
        weir__globals_free(globals);
        return err;
    }
    *ret = globals;
    return WEIR_OK;
}

void weir__globals_free(struct weir__globals *globals)
{
    if (globals == NULL)
        return;
    weir__task_close(globals->task);
    weir__free(globals->subs);
    weir__free(globals);
}

int weir__globals_apply(struct weir__globals *globals, const struct weir__raw *raw, enum weir__handler on_unreadable,
                        struct weir_error *reterr)
{
    struct weir__task *task = globals->task;
    size_t             done;
    int                err;

    task->config.on_unreadable = on_unreadable == WEIR__FAIL ? WEIR__FAIL : WEIR__CONTINUE;
    err = weir__task_add(task, raw, 1);
    if (err < 0)
        return weir__tell_failure(task, err, reterr);
    err = weir__task_process(task, 1, &done, reterr);
    return err == WEIR_OK ? weir__task_committed(task, NULL, NULL, false, reterr) : err;
}

struct weir__store *weir__globals_store(const struct weir__globals *globals, const char *name)
{
    for (size_t i = 0; i < globals->task->binding_count; i++)
        if (strcmp(globals->task->bindings[i].plan->name, name) == 0)
            return globals->task->bindings[i].store;
    return NULL;
}

const char *weir__globals_topic(const struct weir__globals *globals, size_t n)
{
    return weir__task_input(globals->task, n);
}

int weir__globals_view(struct weir__task *asking, const struct weir__store_plan *plan, struct weir__binding **ret)
{
    const struct weir__binding *binding = weir__binding_of(asking->config.globals->task, plan);
    struct weir__binding       *view = weir__arena_copy(&asking->arena, binding, sizeof(*binding));

    if (view == NULL)
        return WEIR_NO_MEMORY;
    view->task = asking;
    *ret = view;
    return WEIR_OK;
}

/* NULL: it is not one of ours. */
static const struct weir__live *live_of(const struct weir__globals *globals, const struct weir_node *global)
{
    for (size_t i = 0; i < globals->task->live_count; i++)
        if (globals->task->lives[i].node->spec == global && globals->task->lives[i].store_count > 0)
            return &globals->task->lives[i];
    return NULL;
}

static struct weir__binding *binding_of_node(const struct weir__globals *globals, const struct weir_node *global)
{
    const struct weir__live *live = live_of(globals, global);

    return live != NULL ? live->stores[0] : NULL;
}

uint64_t weir__globals_taken(const struct weir__globals *globals, const struct weir_node *global)
{
    const struct weir__live *live = live_of(globals, global);

    return live != NULL ? live->taken : 0;
}

int weir__globals_rows(struct weir__task *asking, const struct weir_node *global, struct weir__binding **ret)
{
    const struct weir__binding *binding = binding_of_node(asking->config.globals, global);
    struct weir__binding       *view;

    if (binding == NULL)
        return WEIR_NOTFOUND;
    view = weir__arena_copy(&asking->record, binding, sizeof(*binding));
    if (view == NULL)
        return WEIR_LIMIT;
    view->task = asking;
    *ret = view;
    return WEIR_OK;
}

int weir__globals_fetch(struct weir__globals *globals, struct weir__task *asking, const struct weir_node *global,
                        const void *key, const void **ret_value)
{
    struct weir__binding *binding = binding_of_node(globals, global);
    struct weir__binding  view;

    if (binding == NULL)
        return WEIR_NOTFOUND;
    view = *binding;
    view.task = asking; /* decoded values live as long as the asking task's record */
    return weir__fetch_value(&view, key, ret_value, NULL);
}
