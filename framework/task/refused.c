/* refused.c: a record of which the log or an outlet, at the commit, would not take what came of it.
 *
 * (1) It leaves nothing but its dead letter: it is not processed again.
 * (2) The first letter has its bytes; if that one is refused too, the second has not. Then there is no help.
 */
#include "framework/task/internal.h"

enum { TIMES_MOST = 2 };

size_t weir__task_taken(const struct weir__task *task) { return task->taken; }

bool weir__task_refuse_last(struct weir__task *task, int code, const char *words)
{
    bool again = task->refused.queue == task->last && task->refused.offset == task->last_offset;

    if (task->taken == 0 || (again && task->refused.times == TIMES_MOST))
        return false;
    task->refused.times = again ? task->refused.times + 1 : 1;
    task->refused.queue = task->last;
    task->refused.offset = task->last_offset;
    task->refused.code = code;
    snprintf(task->refused.words, sizeof(task->refused.words), "%s", words);
    return true;
}

int weir__refuse_head(struct weir__task *task, struct weir__queue *queue, bool *ret_done)
{
    int err;

    *ret_done = task->refused.queue == queue && task->refused.offset == queue->head.offset;
    if (!*ret_done)
        return WEIR_OK;
    (void)weir__fail_here(queue->source, task->refused.code, "%s", task->refused.words);
    task->bare_letter = task->refused.times == TIMES_MOST;
    err = weir__handle_failure(queue->source, task->refused.code, task->config.on_refused);
    task->bare_letter = false;
    return err;
}
