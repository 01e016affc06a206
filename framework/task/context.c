/* context.c: the calls of weir.h that forward, reject, and tell a verb about itself. */
#include "framework/task/internal.h"

static struct weir__event as_event(const struct weir_context *ctx, const struct weir_record *rec)
{
    struct weir__event event = { .rec = *rec, .closed = ctx->event->closed };

    event.rec.topic = ctx->event->rec.topic;
    event.rec.partition = ctx->event->rec.partition;
    event.rec.offset = ctx->event->rec.offset;
    return event;
}

static int check_time(struct weir_context *ctx, const struct weir_record *rec)
{
    if (rec->timestamp >= 0)
        return WEIR_OK;
    return weir__fail_here(ctx->live, WEIR_BAD_TIME,
                           "a record was forwarded with timestamp %lld: it may not be negative",
                           (long long)rec->timestamp);
}

int weir_forward(struct weir_context *ctx, const void *key, const void *value)
{
    struct weir__event event = *ctx->event;

    event.rec.key = key;
    event.rec.value = value;
    event.old = NULL;
    return weir__emit(ctx->live, &event);
}

int weir_forward_record(struct weir_context *ctx, const struct weir_record *rec)
{
    struct weir__event event = as_event(ctx, rec);
    int                err = check_time(ctx, rec);

    return err < 0 ? err : weir__emit(ctx->live, &event);
}

int weir_forward_to(struct weir_context *ctx, const struct weir_node *node, const struct weir_record *rec)
{
    struct weir__event event = as_event(ctx, rec);
    int                err = check_time(ctx, rec);

    if (err < 0)
        return err;
    for (size_t i = 0; i < ctx->live->child_count; i++)
        if (ctx->live->children[i]->node->spec == node)
            return weir__visit(ctx->live->children[i], &event);
    return weir__fail_here(ctx->live, WEIR_BAD_ARGUMENT, "node \"%s\" does not follow this one on any path",
                           node != NULL ? node->name : "(null)");
}

static int reject(struct weir_context *ctx, int code, const char *reason, const char *text)
{
    struct weir__task *task = ctx->task;
    int                err;

    if (weir__starved(task))
        return weir__fail_here(ctx->live, WEIR_NO_MEMORY, "%s", weir_code_text(WEIR_NO_MEMORY));
    weir__fail_here(ctx->live, code, "%s", text != NULL ? text : weir_code_text(code));
    err = weir__dead_letter(task, ctx->live->node->name, code, reason, task->error.text);
    if (err < 0)
        return err;
    weir__drop_record(task, reason);
    task->error.code = WEIR_OK; /* its words are used up */
    return WEIR_OK;
}

int weir_reject(struct weir_context *ctx, int code, const char *text)
{
    CHECK(code < 0);
    return reject(ctx, code, weir_code_name(code), text);
}

int weir_refuse(struct weir_context *ctx, const char *reason, const char *text)
{
    return reject(ctx, WEIR_REJECTED, reason, text);
}

void weir_drop(struct weir_context *ctx, const char *reason) { weir__drop_record(ctx->task, reason); }

void weir_note(struct weir_context *ctx, const char *what) { weir__note_record(ctx->task, what); }

const void *weir_arg(struct weir_context *ctx) { return ctx->arg != NULL ? ctx->arg : ctx->live->node->spec->arg; }

static const struct weir__option *find_option(struct weir_context *ctx, const char *name)
{
    const struct weir__option *option = ctx->live->node->options;

    while (option != NULL && option->name != NULL && strcmp(option->name, name) != 0)
        option++;
    CHECK(option != NULL && option->name != NULL);
    return option;
}

int64_t weir_option(struct weir_context *ctx, const char *name) { return find_option(ctx, name)->number; }

const char *weir_option_text(struct weir_context *ctx, const char *name) { return find_option(ctx, name)->text; }

const struct weir_settings *weir_settings_of(struct weir_context *ctx)
{
    CHECK(ctx->task->config.settings != NULL);
    return weir__config_public(ctx->task->config.settings);
}

void *weir_state(struct weir_context *ctx) { return ctx->live->state; }

void *weir_alloc(struct weir_context *ctx, size_t size) { return weir_arena_alloc(&ctx->task->record, size); }

struct weir_arena *weir_record_arena(struct weir_context *ctx) { return &ctx->task->record; }

bool weir_absent(struct weir_context *ctx) { return ctx->absent; }

bool weir_closed(struct weir_context *ctx) { return ctx->closed; }

int64_t weir_stream_time(struct weir_context *ctx) { return ctx->task->stream_time; }

int64_t weir_wall_time(struct weir_context *ctx) { return ctx->task->config.now(ctx->task->config.now_arg); }

bool weir_replayed(struct weir_context *ctx) { return ctx->task->replayed; }

int64_t weir_epoch(struct weir_context *ctx) { return MAX(ctx->task->config.epoch, 1); }

int64_t weir_partition_time(struct weir_context *ctx) { return ctx->partition_time; }

void weir_commit(struct weir_context *ctx) { ctx->task->commit_asked = true; }
