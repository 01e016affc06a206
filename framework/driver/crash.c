/* crash.c: the death of the driver's process and its next life: stores from changelogs, inputs from committed offsets.
 *
 * (1) What counts is what the log has: records sent (where delivery is exactly once: committed ones) and offsets.
 */
#include "framework/driver/internal.h"

static const struct weir__kept *kept(const struct weir_driver *driver) { return &driver->kept[driver->now_kept]; }

/* ---- stores ---- */

/* The changelog's records from an offset on, as one list. */
static int restore_from(struct weir__store *store, const struct weir__driver_topic *topic, int64_t offset)
{
    struct weir__raw *records;
    size_t            count = 0;
    int               err;

    if (topic->count == 0 || topic->next_offset <= offset)
        return WEIR_OK;
    records = weir__alloc(sizeof(*records) * topic->count);
    if (records == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < topic->count; i++)
        if (topic->records[i]->raw.offset >= offset)
            records[count++] = topic->records[i]->raw;
    err = weir__store_restore(store, records, count, topic->next_offset);
    weir__free(records);
    return err;
}

static int restore_stores(struct weir_driver *driver, struct weir_error *reterr)
{
    struct weir__store *store;
    const char         *changelog;

    for (size_t i = 0; (store = weir__task_store(driver->task, i, &changelog)) != NULL; i++) {
        struct weir__driver_topic *topic = NULL;
        int                        err = WEIR_OK;

        if (changelog != NULL)
            topic = weir__driver_topic_of(driver, changelog, true, false);
        if (topic != NULL)
            err = restore_from(store, topic, weir__store_standing(store).offset);
        if (err < 0)
            return weir__fail(reterr, err, changelog, "the store cannot be restored: %s", weir_code_text(err));
    }
    return WEIR_OK;
}

/* ---- inputs ---- */

static int seek(struct weir_driver *driver, struct weir_error *reterr)
{
    for (size_t i = 0; i < kept(driver)->count; i++) {
        const struct weir__offset *offset = &kept(driver)->items[i];
        int err = weir__task_seek(driver->task, offset->tp.topic, offset->offset, offset->metadata);

        if (err < 0)
            return weir__fail(reterr, err, offset->tp.topic, "its offset cannot be gone back to");
    }
    weir__task_replayed(driver->task, driver->replaying ? INT64_MAX : -1);
    return WEIR_OK;
}

static bool is_done(const struct weir_driver *driver, const struct weir__raw *raw)
{
    for (size_t i = 0; i < kept(driver)->count; i++)
        if (strcmp(kept(driver)->items[i].tp.topic, raw->topic) == 0)
            return raw->offset < kept(driver)->items[i].offset;
    return false;
}

static bool is_followed(const struct weir_driver *driver, const struct weir__raw *raw)
{
    for (size_t i = 0; i < driver->followed_count; i++)
        if (driver->followed[i]->offset == raw->offset && strcmp(driver->followed[i]->topic, raw->topic) == 0)
            return true;
    return false;
}

static int read_one_again(struct weir_driver *driver, const struct weir__raw *raw, struct weir_error *reterr)
{
    bool done = weir__driver_is_global(driver, raw->topic) ? is_followed(driver, raw) : is_done(driver, raw);

    return done ? WEIR_OK : weir__driver_enter(driver, raw, reterr);
}

/* Lets in again what was not committed: the piped record, and those sent to topics that are read. */
static int read_again(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = driver->piped.topic != NULL ? read_one_again(driver, &driver->piped, reterr) : WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < driver->sent_count; i++)
        if (driver->sent[i]->as != WEIR__TO_CHANGELOG)
            err = read_one_again(driver, &driver->sent[i]->raw, reterr);
    if (err == WEIR_OK)
        driver->entered = driver->sent_count;
    return err;
}

/* ---- the next life ---- */

static int follow_globals(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = weir__driver_make_globals(driver, reterr);

    for (size_t i = 0; err == WEIR_OK && i < driver->followed_count; i++)
        err = weir__driver_apply_global(driver, driver->followed[i], reterr);
    return err;
}

static int empty_dir(struct weir_driver *driver, struct weir_error *reterr)
{
    int err;

    if (driver->dir == NULL)
        return WEIR_OK;
    err = weir__remove_tree(driver->dir, reterr);
    return err == WEIR_OK ? weir__make_dirs(driver->dir, reterr) : err;
}

static void die(struct weir_driver *driver)
{
    weir__task_close(driver->task);
    weir__globals_free(driver->globals);
    driver->task = NULL;
    driver->globals = NULL;
}

static int live_again(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = follow_globals(driver, reterr);

    if (err == WEIR_OK)
        err = weir__driver_make_task(driver, reterr);
    if (err == WEIR_OK)
        err = restore_stores(driver, reterr);
    if (err == WEIR_OK)
        err = seek(driver, reterr);
    if (err == WEIR_OK)
        err = weir__task_start(driver->task, reterr);
    if (err == WEIR_OK)
        err = read_again(driver, reterr);
    return err == WEIR_OK ? weir__driver_run(driver, reterr) : err;
}

int weir_driver_rebuild(struct weir_driver *driver, int64_t epoch, bool replaying, struct weir_error *reterr)
{
    if (epoch < 1 || epoch < driver->epoch)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, driver->plan->topology->name,
                          "an epoch is 1 or more and never falls");
    driver->epoch = epoch;
    driver->replaying = replaying;
    return weir_driver_crash(driver, false, reterr);
}

int weir_driver_crash(struct weir_driver *driver, bool lose_dir, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (driver->closed)
        return weir__fail(reterr, WEIR_BAD_STATE, driver->plan->topology->name,
                          "the driver has been closed: open another one");
    die(driver);
    if (lose_dir)
        err = empty_dir(driver, reterr);
    driver->failed = false;
    return weir__driver_end(driver, err == WEIR_OK ? live_again(driver, reterr) : err);
}
