/* refused.c: records that the log or an outlet refuses at the commit, when it is too late to say which one they came of.
 *
 * (1) The transaction is aborted; the next ones take an eighth of its records, down to one. The room doubles with each commit.
 * (2) A record whose own transaction is refused is not processed again (task/refused.c): never a loop.
 * (3) What no record is to blame for, a window that the clock closes, is a failure like others.
 */
#include "framework/runtime/internal.h"

/* From any size down to one record, and that one's letters. */
#define MOST_REFUSALS 30
#define NO_LIMIT      ((size_t)1 << 40)

static size_t count_taken(const struct weir__thread *thread)
{
    size_t count = 0;

    for (size_t i = 0; i < thread->seat_count; i++)
        count += weir__task_taken(thread->seats[i]->task);
    return count;
}

void weir__refused_note(struct weir__thread *thread, int code)
{
    if (thread->refusal == WEIR_OK && weir_code_scope(code) == WEIR_SCOPE_RECORD)
        thread->refusal = code;
}

/* The first failure that a record is to blame for; WEIR_OK: none. They are told once. */
static int refusal(struct weir__thread *thread)
{
    uint64_t cookie;
    int      code;

    while (thread->producer != NULL &&
           thread->app->config.engine->failed(thread->producer, &cookie, &code) == WEIR_OK)
        weir__refused_note(thread, code);
    return thread->refusal;
}

static bool refuse_last(struct weir__thread *thread, int code)
{
    char words[512];

    if (thread->unsettled.code == code)
        snprintf(words, sizeof(words), "%s: %.340s", thread->unsettled.where, thread->unsettled.text);
    else
        snprintf(words, sizeof(words), "the log refuses what comes of the record: %s", weir_code_name(code));
    for (size_t i = 0; i < thread->seat_count; i++)
        if (weir__task_taken(thread->seats[i]->task) > 0)
            return weir__task_refuse_last(thread->seats[i]->task, code, words);
    return false;
}

void weir__refused_shrink(struct weir__thread *thread) { thread->room = MAX(count_taken(thread) / 8, (size_t)1); }

bool weir__refused(struct weir__thread *thread, bool *ret_by_log)
{
    int    by_log = thread->unsettled.code != WEIR_OK ? WEIR_OK : refusal(thread);
    int    code = thread->unsettled.code != WEIR_OK ? thread->unsettled.code : by_log;
    size_t count = count_taken(thread);

    *ret_by_log = by_log != WEIR_OK;
    if (code == WEIR_OK || count == 0 || ++thread->refusals > MOST_REFUSALS)
        return false;
    weir__say(WEIR__WARN, thread->unsettled.code != WEIR_OK ? "outlet-refuses" : "log-refuses", "topology", "s",
              thread->app->plan->topology->name, "why", "s", weir_code_text(code), "records", "u", (uint64_t)count,
              NULL);
    thread->failures = 0;
    weir__refused_shrink(thread);
    return count > 1 || refuse_last(thread, code);
}

size_t weir__refused_room(const struct weir__thread *thread)
{
    size_t taken;

    if (thread->room == 0)
        return NO_LIMIT;
    taken = count_taken(thread);
    return thread->room > taken ? thread->room - taken : 0;
}

void weir__refused_passed(struct weir__thread *thread)
{
    thread->refusals = 0;
    thread->room = thread->room < NO_LIMIT ? thread->room * 2 : 0;
}
