/* open.c: the driver's making and end. */
#include "framework/driver/internal.h"

static int64_t now_of(void *arg) { return ((struct weir_driver *)arg)->now; }

static int put(void *arg, struct weir_context *ctx, const struct weir_node *node, const struct weir_record *rec)
{
    const struct weir_driver_config *config = &((struct weir_driver *)arg)->config;

    (void)ctx;
    return config->put(config->put_arg, node, rec);
}

int weir__driver_make_task(struct weir_driver *driver, struct weir_error *reterr)
{
    const struct weir_driver_config *config = &driver->config;
    struct weir__task_config         task = { .plan = driver->plan,
                                              .settings = driver->settings,
                                              .subs = driver->subs,
                                              .sub_count = driver->sub_count,
                                              .dir = driver->dir,
                                              .engines = driver->engines,
                                              .globals = driver->globals,
                                              .metrics = driver->metrics,
                                              .send = weir__driver_send,
                                              .send_arg = driver,
                                              .put = config->put != NULL ? put : NULL,
                                              .put_arg = driver,
                                              .now = now_of,
                                              .now_arg = driver,
                                              .on_unreadable = driver->on_unreadable,
                                              .on_failure = driver->on_failure,
                                              .on_refused = driver->on_refused,
                                              .letters_per_second =
                                                  weir__config_int(driver->settings, "dead.letters.per.second"),
                                              .extract = config->extract,
                                              .extract_arg = config->extract_arg,
                                              .cache_bytes = (size_t)config->cache_bytes,
                                              .record_memory = driver->record_memory,
                                              .max_record_bytes = driver->max_record_bytes,
                                              .least_time = driver->least_time,
                                              .close_interval = config->close_emit_interval,
                                              .upstream_expiry = config->upstream_cleanup,
                                              .idle = -1,
                                              .epoch = driver->epoch };

    return weir__task_new(&task, &driver->task, reterr);
}

static int make_plan(struct weir_driver *driver, const struct weir_topology *topology, struct weir_error *reterr)
{
    struct weir__plan_config config = { .application = driver->config.application,
                                        .cache = driver->config.cache_bytes > 0,
                                        .upstream_cleanup = driver->config.upstream_cleanup,
                                        .explicit_names = driver->config.explicit_names,
                                        .config = driver->settings };
    int                      err = weir__plan_new(topology, &config, &driver->plan, NULL, reterr);

    if (err == WEIR_OK && driver->plan->dead_letters == NULL)
        driver->plan->dead_letters = weir__config_text(driver->settings, "dead.letters.topic");
    return err;
}

static int choose_subs(struct weir_driver *driver)
{
    driver->subs = weir__alloc(sizeof(*driver->subs) * (driver->plan->sub_count + 1));
    if (driver->subs == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < driver->plan->sub_count; i++)
        if (!driver->plan->subs[i].global)
            driver->subs[driver->sub_count++] = (int)i;
    return WEIR_OK;
}

static bool has_globals(const struct weir__plan *plan)
{
    for (size_t i = 0; i < plan->sub_count; i++)
        if (plan->subs[i].global)
            return true;
    return false;
}

int weir__driver_make_globals(struct weir_driver *driver, struct weir_error *reterr)
{
    if (!has_globals(driver->plan))
        return WEIR_OK;
    return weir__globals_new(driver->plan, driver->engines, driver->metrics, &driver->globals, reterr);
}

static int make_dir(struct weir_driver *driver, struct weir_error *reterr)
{
    if (driver->config.dir == NULL)
        return WEIR_OK;
    driver->dir = weir__strdup(driver->config.dir);
    if (driver->dir == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, driver->config.dir, "no memory for the folder's name");
    return weir__make_dirs(driver->dir, reterr);
}

static int open_all(struct weir_driver *driver, const struct weir_topology *topology, struct weir_error *reterr)
{
    int err = weir__driver_read_settings(driver, topology, reterr);

    if (err == WEIR_OK)
        err = make_plan(driver, topology, reterr);
    if (err < 0)
        return err;
    if (choose_subs(driver) < 0 || weir__metrics_new(&driver->metrics) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, topology->name, "no memory for the driver");
    weir__driver_take_settings(driver);
    err = weir__plan_check_runnable(driver->plan, reterr);
    if (err == WEIR_OK)
        err = make_dir(driver, reterr);
    if (err == WEIR_OK)
        err = weir__driver_make_globals(driver, reterr);
    if (err == WEIR_OK)
        err = weir__driver_make_task(driver, reterr);
    return err == WEIR_OK ? weir__task_start(driver->task, reterr) : err;
}

int weir_driver_open(const struct weir_topology *topology, const struct weir_driver_config *config,
                     const struct weir_engines *engines, struct weir_driver **ret, struct weir_error *reterr)
{
    return weir__driver_open(topology, config, NULL, engines, ret, reterr);
}

int weir__driver_open(const struct weir_topology *topology, const struct weir_driver_config *config,
                      const struct weir__config *settings, const struct weir_engines *engines,
                      struct weir_driver **ret, struct weir_error *reterr)
{
    struct weir_driver *driver;
    int                 err;

    if (topology == NULL || engines == NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "weir_driver_open", "a topology and engines are needed");
    driver = weir__zalloc(sizeof(*driver));
    if (driver == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, topology->name, "no memory for the driver");
    if (config != NULL)
        driver->config = *config;
    driver->engines = engines;
    driver->settings = settings;
    driver->now = driver->config.wall_clock;
    weir__arena_init(&driver->arena, 0);
    err = open_all(driver, topology, reterr);
    if (err < 0) {
        weir_driver_free(driver);
        return err;
    }
    *ret = driver;
    return WEIR_OK;
}

void weir_driver_free(struct weir_driver *driver)
{
    if (driver == NULL)
        return;
    weir__task_close(driver->task);
    weir__globals_free(driver->globals);
    weir__plan_free(driver->plan);
    weir__metrics_free(driver->metrics);
    weir__config_free(driver->own_settings);
    for (size_t i = 0; i < driver->topic_count; i++)
        weir__free(driver->topics[i].records);
    weir__free(driver->topics);
    weir__free(driver->sent);
    weir__free(driver->subs);
    weir__free(driver->followed);
    weir__free(driver->dir);
    weir__json_out_fini(&driver->text);
    weir__arena_fini(&driver->text_arena);
    weir__arena_fini(&driver->kept[0].arena);
    weir__arena_fini(&driver->kept[1].arena);
    weir__arena_fini(&driver->piped_arena);
    weir__arena_fini(&driver->arena);
    weir__free(driver);
}

static int describe(const struct weir_driver *driver, char **ret, struct weir_error *reterr)
{
    struct weir__buf text = { 0 };
    int              err = weir__plan_describe(driver->plan, &text);

    weir__buf_putc(&text, '\0');
    if (err < 0 || !weir__buf_ok(&text)) {
        weir__buf_fini(&text);
        return weir__fail(reterr, err < 0 ? err : WEIR_NO_MEMORY, driver->plan->topology->name,
                          "the topology cannot be printed");
    }
    *ret = text.data;
    return WEIR_OK;
}

int weir_describe(const struct weir_topology *topology, const struct weir_driver_config *config, char **ret,
                  struct weir_error *reterr)
{
    struct weir_driver driver = { 0 }; /* as much of one as a plan needs */
    int                err;

    if (config != NULL)
        driver.config = *config;
    err = weir__driver_read_settings(&driver, topology, reterr);
    if (err == WEIR_OK)
        err = make_plan(&driver, topology, reterr);
    if (err == WEIR_OK)
        err = describe(&driver, ret, reterr);
    weir__plan_free(driver.plan);
    weir__config_free(driver.own_settings);
    return err;
}

void weir_text_free(char *text) { weir__free(text); }
