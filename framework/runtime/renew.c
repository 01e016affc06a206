/* renew.c: a store that nobody writes to stays known as one in step with its changelog.
 *
 * (1) A commit proves that the changelog is ours, so what has commits needs nothing. Without one, only the changelog's
 *     end tells: a member that was asleep and lost its partitions must not take its own clock for proof.
 */
#include "framework/runtime/internal.h"

/* Whether it was in step an hour ago and still is. */
static bool renew_store(struct weir__app *app, struct weir__store *store, struct weir__tp changelog)
{
    struct weir__standing standing = weir__store_standing(store);
    int64_t               now = weir__app_now(app);
    struct weir__ends     ends;

    if (standing.offset < 0 || now - standing.synced < WEIR__RENEW_MS)
        return false;
    if (app->config.engine->ends(app->config.log, changelog, now + WEIR__CALL_MS, &ends) < 0 ||
        ends.end > standing.offset + standing.marked)
        return false;
    weir__store_sync(store, now);
    return true;
}

bool weir__renew(struct weir__thread *thread, struct weir__seat *seat)
{
    struct weir__store *store;
    const char         *changelog;
    bool                any = false;

    for (size_t i = 0; (store = weir__task_store(seat->task, i, &changelog)) != NULL; i++)
        if (changelog != NULL)
            any |= renew_store(thread->app, store,
                               (struct weir__tp){ .topic = changelog, .partition = seat->partition });
    return any;
}
