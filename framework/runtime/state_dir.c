/* state_dir.c: the folder of an application's state: its lock, the instance's name, the counts state was made with.
 *
 *     <state_dir>/<topology>/LOCK  INSTANCE  PARTITIONS  <sub-topology>_<partition>/
 */
#include "framework/runtime/internal.h"

#include <stdlib.h>
#include <sys/random.h>
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

static int make_instance(char *ret, size_t size, struct weir_error *reterr)
{
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return weir__fail(reterr, WEIR_IO, "instance.id", "the system gives no random bytes: set instance.id");
    snprintf(ret, size, "%016llx", (unsigned long long)random);
    return WEIR_OK;
}

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
    err = make_instance(state->instance, sizeof(state->instance), reterr);
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
                               : make_instance(state->instance, sizeof(state->instance), reterr);
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
    return weir__fail(reterr, WEIR_BAD_CONFIG, use->name,
                      "the topic has %d partitions, the state in %s was made with %d: give the topic %d again, or "
                      "stop, remove that folder and the changelogs and start over, so that each key finds its state",
                      use->partitions, app->state.path, before, before);
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
