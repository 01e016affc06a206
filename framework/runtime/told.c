/* told.c: what tasks tell of things outside of the log that they depend on, kept for /health. By the application's mutex. */
#include "framework/runtime/internal.h"

static void forget(struct weir__app *app, const struct weir__task *task)
{
    size_t kept = 0;

    for (size_t i = 0; i < app->told_count; i++)
        if (app->told[i].task != task)
            app->told[kept++] = app->told[i];
    app->told_count = kept;
}

/* NULL: out of memory. */
static struct weir__telling *find(struct weir__app *app, const struct weir__task *task, const char *name)
{
    for (size_t i = 0; i < app->told_count; i++)
        if (app->told[i].task == task && strcmp(app->told[i].name, name) == 0)
            return &app->told[i];
    if (GROW(app->told, app->told_capacity, app->told_count) < 0)
        return NULL;
    app->told[app->told_count] = (struct weir__telling){ .task = task, .name = name };
    return &app->told[app->told_count++];
}

void weir__told(void *arg, const struct weir__task *task, const char *name, const char *words)
{
    struct weir__app     *app = ((struct weir__thread *)arg)->app;
    struct weir__telling *telling = NULL;

    pthread_mutex_lock(&app->mutex);
    if (name == NULL)
        forget(app, task);
    else
        telling = find(app, task, name);
    if (telling != NULL)
        snprintf(telling->words, sizeof(telling->words), "%s", words != NULL ? words : "");
    pthread_mutex_unlock(&app->mutex);
}

static bool is_first(const struct weir__app *app, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(app->told[i].name, app->told[at].name) == 0)
            return false;
    return true;
}

/* Of the tasks that tell of it, the first one that has words. Mutex held. */
static void sum_up(const struct weir__app *app, const char *name, struct weir__app_told *ret)
{
    *ret = (struct weir__app_told){ .name = name };
    for (size_t i = 0; i < app->told_count && ret->words[0] == '\0'; i++)
        if (strcmp(app->told[i].name, name) == 0)
            snprintf(ret->words, sizeof(ret->words), "%s", app->told[i].words);
}

bool weir__app_told(struct weir__app *app, size_t n, struct weir__app_told *ret)
{
    bool found = false;

    pthread_mutex_lock(&app->mutex);
    for (size_t i = 0; !found && i < app->told_count; i++)
        if (is_first(app, i) && n-- == 0) {
            sum_up(app, app->told[i].name, ret);
            found = true;
        }
    pthread_mutex_unlock(&app->mutex);
    return found;
}
