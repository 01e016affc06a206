/* hold.c: what nodes wait for, and what they tell of it. */
#include "framework/task/internal.h"

void weir__let_go(struct weir__live *live)
{
    live->task->holders -= live->holds;
    live->holds = false;
}

void weir_hold(struct weir_context *ctx, bool hold)
{
    weir__let_go(ctx->live);
    ctx->live->holds = hold;
    ctx->task->holders += hold;
}

bool weir__task_holds(const struct weir__task *task) { return task->holders > 0; }

int32_t weir_partition(struct weir_context *ctx) { return ctx->task->config.partition; }

void weir_refresh(struct weir_context *ctx)
{
    const struct weir__task_config *config = &ctx->task->config;

    if (config->refresh != NULL)
        config->refresh(config->waits_arg);
}

bool weir_fresh(struct weir_context *ctx)
{
    const struct weir__task_config *config = &ctx->task->config;

    return config->fresh == NULL || config->fresh(config->waits_arg);
}

void weir_tell(struct weir_context *ctx, const char *name, const char *words)
{
    const struct weir__task_config *config = &ctx->task->config;

    if (config->tell != NULL)
        config->tell(config->waits_arg, ctx->task, name, words);
}
