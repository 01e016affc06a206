/* nodes.c: what each stateless node does with a record, and how records go from node to node. */
#include "framework/task/internal.h"

int weir__visit(struct weir__live *live, const struct weir__event *event)
{
    struct weir__task  *task = live->task;
    struct weir_context saved = task->ctx;
    int                 err;

    task->ctx.live = live;
    task->ctx.event = event;
    task->ctx.arg = NULL;
    task->ctx.closed = event->closed;
    task->depth++;
    err = live->process(live, event);
    task->depth--;
    if (task->ctx.rows != saved.rows)
        weir__close_rows(&task->ctx, saved.rows);
    task->ctx = saved;
    return err >= 0 ? WEIR_OK : weir__handle_failure(live, err, task->config.on_failure);
}

int weir__emit(struct weir__live *live, const struct weir__event *event)
{
    for (size_t i = 0; i < live->child_count; i++) {
        int err = weir__visit(live->children[i], event);

        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static int run_process(struct weir__live *live, const struct weir__event *event)
{
    int err = live->node->spec->process(&live->task->ctx, &event->rec);

    if (err < 0)
        return err;
    return live->node->spec->kind == WEIR_PEEK ? weir__emit(live, event) : WEIR_OK;
}

static int run_filter(struct weir__live *live, const struct weir__event *event)
{
    int pass = live->node->spec->test(&live->task->ctx, &event->rec);

    if (pass < 0)
        return pass;
    return (pass != 0) != (live->node->spec->kind == WEIR_DROP) ? weir__emit(live, event) : WEIR_OK;
}

static int run_map(struct weir__live *live, const struct weir__event *event)
{
    struct weir_record ret = event->rec;
    struct weir__event out = *event;
    int                err = live->node->spec->map(&live->task->ctx, &event->rec, &ret);

    if (err < 0)
        return err;
    if (live->node->spec->kind == WEIR_MAP)
        out.rec.key = ret.key;
    out.rec.value = err == WEIR_NOTHING ? NULL : ret.value;
    return weir__emit(live, &out);
}

static int run_select(struct weir__live *live, const struct weir__event *event)
{
    struct weir__event out = *event;
    int                err;

    out.rec.key = NULL;
    err = live->node->spec->select(&live->task->ctx, &event->rec, &out.rec.key);
    if (err < 0)
        return err;
    if (err == WEIR_NOTHING)
        out.rec.key = NULL;
    return weir__emit(live, &out);
}

static int run_branch(struct weir__live *live, const struct weir__event *event)
{
    for (size_t i = 0; i < live->child_count; i++) {
        struct weir__live      *leg = live->children[i];
        const struct weir_node *spec = leg->node->spec;
        int                     pass = 1;

        if (spec->test != NULL) {
            live->task->ctx.arg = spec->arg;
            pass = spec->test(&live->task->ctx, &event->rec);
        }
        if (pass < 0)
            return pass;
        if (pass != 0)
            return weir__visit(leg, event);
    }
    return WEIR_OK;
}

static int run_not_null(struct weir__live *live, const struct weir__event *event)
{
    if (event->rec.key != NULL)
        return weir__emit(live, event);
    weir__drop_record(live->task, WEIR__NO_KEY);
    return WEIR_OK;
}

static int run_to_stream(struct weir__live *live, const struct weir__event *event)
{
    struct weir__event out = { .rec = event->rec, .closed = event->closed };

    return weir__emit(live, &out);
}

static int route(struct weir__live *live, const struct weir_record *rec, struct weir__raw *raw)
{
    const struct weir__node *node = live->node;
    int                      err;

    raw->topic = live->topic;
    raw->partition = -1;
    if (node->internal || node->spec->route == NULL)
        return WEIR_OK;
    raw->topic = NULL;
    err = node->spec->route(&live->task->ctx, rec, &raw->topic, &raw->partition);
    if (err < 0)
        return err;
    for (size_t i = 0; raw->topic != NULL && i < node->topic_count; i++)
        if (strcmp(raw->topic, node->topics[i]) == 0)
            return WEIR_OK;
    return weir__fail_here(live, WEIR_REJECTED, "topic \"%s\" is not among .topics of the sink: add it there",
                           raw->topic != NULL ? raw->topic : "(null)");
}

int weir__send_off(struct weir__task *task, const struct weir__raw *raw, enum weir__sent_as as)
{
    task->sent = true;
    return task->closing ? WEIR_BAD_STATE : task->config.send(task->config.send_arg, raw, as);
}

static int run_sink(struct weir__live *live, const struct weir__event *event)
{
    const struct weir__node  *node = live->node;
    struct weir__task        *task = live->task;
    const struct weir_record *rec = &event->rec;
    struct weir__raw          raw = { .timestamp = rec->timestamp,
                                      .headers = rec->headers,
                                      .header_count = rec->header_count };
    int                       err = route(live, rec, &raw);

    if (err < 0)
        return err;
    err = weir__encode(node->key_out, &task->record, rec->key, &raw.key);
    if (err == WEIR_OK)
        err = weir__encode(node->value_out, &task->record, rec->value, &raw.value);
    if (err < 0)
        return weir__fail_here(live, err, "the key or value cannot be written by the sink's codec");
    err = weir__send_off(task, &raw, node->internal ? WEIR__TO_REPARTITION : WEIR__TO_USER);
    if (err < 0 && weir_code_scope(err) == WEIR_SCOPE_RECORD) {
        weir__fail(&task->error, err, node->name, "topic %s refused the record: %s", raw.topic, weir_code_text(err));
        return weir__handle_failure(live, err, task->config.on_refused);
    }
    return err;
}

/* A record goes into what is outside of the log, where that is configured. */
static int run_outlet(struct weir__live *live, const struct weir__event *event)
{
    struct weir__task *task = live->task;
    int                err = task->closing ? WEIR_BAD_STATE : WEIR_OK;

    task->sent = task->sent || task->config.put != NULL; /* it is to be acknowledged */
    if (err == WEIR_OK && task->config.put != NULL)
        err = task->config.put(task->config.put_arg, &task->ctx, live->node->spec, &event->rec);
    return err < 0 ? weir__handle_failure(live, err, task->config.on_refused) : WEIR_OK;
}

/* A global store's source: the record's bytes become the row. */
static int run_global(struct weir__live *live, const struct weir__event *event)
{
    if (event->rec.key == NULL) {
        weir__drop_record(live->task, "null key");
        return WEIR_OK;
    }
    live->taken++;
    return weir__store_value(live->stores[0], event->rec.key, event->rec.value, event->rec.timestamp, &event->rec);
}

static int run_global_process(struct weir__live *live, const struct weir__event *event)
{
    live->taken++;
    return run_process(live, event);
}

weir__process_event *weir__process_of(const struct weir__node *node)
{
    switch (node->op) {
    case WEIR__SOURCE:
    case WEIR__PASS: return weir__emit;
    case WEIR__SINK: return run_sink;
    case WEIR__OUTLET: return run_outlet;
    case WEIR__PROCESS: return run_process;
    case WEIR__GLOBAL_PROCESS: return run_global_process;
    case WEIR__FILTER: return run_filter;
    case WEIR__MAP: return run_map;
    case WEIR__SELECT: return run_select;
    case WEIR__BRANCH: return run_branch;
    case WEIR__NOT_NULL: return run_not_null;
    case WEIR__TABLE_SOURCE: return weir__run_table_source;
    case WEIR__TABLE_FILTER: return weir__run_table_filter;
    case WEIR__TABLE_MAP: return weir__run_table_map;
    case WEIR__TO_STREAM: return run_to_stream;
    case WEIR__FOLD: return weir__run_fold;
    case WEIR__FOLD_WINDOWS:
        return node->windows->time == WEIR_PER_KEY ? weir__run_fold_keyed : weir__run_fold_windows;
    case WEIR__JOIN_TABLE: return weir__run_join_table;
    case WEIR__JOIN_GLOBAL: return weir__run_join_global;
    case WEIR__GLOBAL: return run_global;
    case WEIR__REFUSED: break;
    }
    return NULL;
}
