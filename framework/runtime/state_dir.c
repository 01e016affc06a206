/* state_dir.c: the folder of an application's state: its lock, the instance's name, the counts state was made with.
 *
 *     <state_dir>/<topology>/LOCK  INSTANCE  IDENTITY  PARTITIONS  <sub-topology>_<partition>/
 *
 * (1) State that is to go is renamed first, then removed: a crash in between leaves no half store, and what it leaves is removed
 *     at the next start.
 * (2) IDENTITY is written last: until then the next start removes what is still there.
 */
#include "framework/runtime/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void free_path(char **path) { weir__free(*path); }

static char *join_path(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char  *path = weir__alloc(size);

    if (path != NULL)
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

static int fail_memory(const char *where, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, where, "out of memory");
}

/* ---- instance ---- */

static int keep_instance(struct weir__state_dir *state, struct weir_error *reterr)
{
    AUTO(free_path) char                 *path = join_path(state->path, "INSTANCE");
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    int                                   err;

    if (path == NULL)
        return fail_memory(state->path, reterr);
    err = weir__read_file(path, &text, reterr);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK && text.size < sizeof(state->instance)) {
        snprintf(state->instance, sizeof(state->instance), "%.*s", (int)text.size, text.data);
        if (weir__legal_name(state->instance))
            return WEIR_OK;
    }
    err = weir__random_name(state->instance, sizeof(state->instance), "instance.id", reterr);
    return err < 0 ? err : weir__write_file(path, BYTES(state->instance, strlen(state->instance)), reterr);
}

static int name_instance(struct weir__app *app, struct weir_error *reterr)
{
    struct weir__state_dir *state = &app->state;
    const char             *configured = app->settings.instance;

    if (configured != NULL && (!weir__legal_name(configured) || strlen(configured) >= sizeof(state->instance)))
        return weir__fail(reterr, WEIR_BAD_CONFIG, "instance.id",
                          "\"%.80s\" is not legal: letters, digits, \".\", \"_\" and \"-\", at most %zu", configured,
                          sizeof(state->instance) - 1);
    if (configured != NULL) {
        snprintf(state->instance, sizeof(state->instance), "%s", configured);
        return WEIR_OK;
    }
    return state->path != NULL ? keep_instance(state, reterr)
                               : weir__random_name(state->instance, sizeof(state->instance), "instance.id", reterr);
}

int weir__state_dir_open(struct weir__app *app, struct weir_error *reterr)
{
    struct weir__state_dir *state = &app->state;
    AUTO(free_path) char   *lock = NULL;
    int                     err;

    if (app->config.state_dir == NULL)
        return name_instance(app, reterr);
    state->path = join_path(app->config.state_dir, app->plan->topology->name);
    lock = state->path != NULL ? join_path(state->path, "LOCK") : NULL;
    if (lock == NULL)
        return fail_memory(app->config.state_dir, reterr);
    err = weir__make_dirs(state->path, reterr);
    if (err == WEIR_OK)
        err = weir__lock_file(lock, &state->lock, reterr);
    return err == WEIR_OK ? name_instance(app, reterr) : err;
}

void weir__state_dir_close(struct weir__state_dir *state)
{
    if (state->lock >= 0)
        weir__unlock_file(state->lock);
    state->lock = -1;
    weir__free(state->path);
    state->path = NULL;
}

/* ---- removing ---- */

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static bool is_gone(const char *name)
{
    size_t size = strlen(name);

    return size > strlen(WEIR__DISCARDED) && strcmp(name + size - strlen(WEIR__DISCARDED), WEIR__DISCARDED) == 0;
}

/* What belongs to the folder itself stays. */
static bool is_state(const char *name)
{
    static const char *const kept[] = { ".", "..", "LOCK", "INSTANCE", "IDENTITY" };

    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        if (strcmp(name, kept[i]) == 0)
            return false;
    return !is_gone(name);
}

typedef int visit_path(const char *path, struct weir_error *reterr);

static int visit_entry(const char *dir, const char *name, visit_path *visit, struct weir_error *reterr)
{
    AUTO(free_path) char *path = join_path(dir, name);

    return path != NULL ? visit(path, reterr) : fail_memory(dir, reterr);
}

static int each_entry(const char *dir, bool (*wanted)(const char *name), visit_path *visit, size_t *ret_count,
                      struct weir_error *reterr)
{
    AUTO(close_dir) DIR *open = opendir(dir);
    struct dirent       *entry;
    int                  err = WEIR_OK;

    if (open == NULL)
        return weir__fail(reterr, WEIR_IO, dir, "the folder cannot be read: %s", strerror(errno));
    while (err == WEIR_OK && (entry = readdir(open)) != NULL)
        if (wanted(entry->d_name)) {
            ++*ret_count;
            err = visit_entry(dir, entry->d_name, visit, reterr);
        }
    return err;
}

static int remove_left(const char *dir, struct weir_error *reterr)
{
    size_t count = 0;

    return each_entry(dir, is_gone, weir__remove_tree, &count, reterr);
}

int weir__state_dir_wipe(const char *dir, struct weir_error *reterr)
{
    size_t count = 0;
    int    err = each_entry(dir, is_state, weir__discard_tree, &count, reterr);

    return err == WEIR_OK ? remove_left(dir, reterr) : err;
}

/* ---- identity ---- */

static int look_on(const char *path, struct weir_error *reterr)
{
    (void)path, (void)reterr;
    return WEIR_OK;
}

/* Whether what is in the folder is the control record's. A folder from before there were identities is, until a reset. */
static int is_ours(const struct weir__state_dir *state, const char *path, const struct weir__control *control,
                   bool *ret, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf kept = { 0 };
    int                                   err = weir__read_file(path, &kept, reterr);
    size_t                                count = 0;

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    *ret = err == WEIR_OK
               ? weir__bytes_equal(BYTES(kept.data, kept.size), BYTES(control->identity, strlen(control->identity)))
               : control->epoch == 1;
    if (*ret)
        return WEIR_OK;
    err = each_entry(state->path, is_state, look_on, &count, reterr);
    if (err == WEIR_OK && count > 0)
        weir__say(WEIR__WARN, "state-removed", "folder", "s", state->path, "why", "s",
                  "it was made before a reset, or over another log: only what the changelogs have counts", NULL);
    return err;
}

int weir__state_dir_identify(struct weir__state_dir *state, const struct weir__control *control,
                             struct weir_error *reterr)
{
    AUTO(free_path) char *path = NULL;
    bool                  ours = false;
    int                   err;

    if (state->path == NULL)
        return WEIR_OK;
    path = join_path(state->path, "IDENTITY");
    if (path == NULL)
        return fail_memory(state->path, reterr);
    err = remove_left(state->path, reterr);
    if (err == WEIR_OK)
        err = is_ours(state, path, control, &ours, reterr);
    if (err == WEIR_OK && !ours)
        err = weir__state_dir_wipe(state->path, reterr);
    return err == WEIR_OK ? weir__write_file(path, BYTES(control->identity, strlen(control->identity)), reterr) : err;
}

/* ---- counts ---- */

/* The count kept for a topic in "topic count\n" lines; 0 = none. */
static int32_t kept_count(const struct weir__buf *text, const char *topic)
{
    size_t      size = strlen(topic);
    const char *at = text->size > 0 ? text->data : "", *end = at + text->size;

    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));

        if (line_end == NULL)
            return 0;
        if ((size_t)(line_end - at) > size && memcmp(at, topic, size) == 0 && at[size] == ' ')
            return (int32_t)strtol(at + size, NULL, 10);
        at = line_end + 1;
    }
    return 0;
}

static bool feeds_state(const struct weir__app *app, const struct weir__topic_use *use)
{
    return use->reader >= 0 && app->plan->subs[use->reader].stateful && !app->plan->subs[use->reader].global;
}

static int check_count(const struct weir__app *app, const struct weir__topic_use *use, const struct weir__buf *kept,
                       struct weir_error *reterr)
{
    int32_t before = kept_count(kept, use->name);

    if (before == 0 || before == use->partitions)
        return WEIR_OK;
    return weir__topics_fail_count(app, use, before, app->state.path, reterr);
}

static int keep_counts(const struct weir__app *app, const char *path, const struct weir__buf *kept,
                       struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };

    for (size_t i = 0; i < app->topics.count; i++)
        if (feeds_state(app, &app->topics.items[i]))
            weir__buf_printf(&text, "%s %d\n", app->topics.items[i].name, app->topics.items[i].partitions);
    if (!weir__buf_ok(&text))
        return fail_memory(path, reterr);
    if (weir__bytes_equal(BYTES(text.data, text.size), BYTES(kept->data, kept->size)))
        return WEIR_OK;
    return weir__write_file(path, BYTES(text.data, text.size), reterr);
}

int weir__state_dir_check_counts(struct weir__app *app, struct weir_error *reterr)
{
    AUTO(free_path) char                 *path = NULL;
    AUTO(weir__buf_fini) struct weir__buf kept = { 0 };
    int                                   err;

    if (app->state.path == NULL)
        return WEIR_OK;
    path = join_path(app->state.path, "PARTITIONS");
    if (path == NULL)
        return fail_memory(app->state.path, reterr);
    err = weir__read_file(path, &kept, reterr);
    if (err == WEIR_NOTFOUND)
        err = WEIR_OK;
    for (size_t i = 0; err == WEIR_OK && i < app->topics.count; i++)
        if (feeds_state(app, &app->topics.items[i]))
            err = check_count(app, &app->topics.items[i], &kept, reterr);
    return err == WEIR_OK ? keep_counts(app, path, &kept, reterr) : err;
}
