/* open.c: the driver's making and end. */
#include "framework/driver/internal.h"

static int64_t now_of(void *arg) { return ((struct weir_driver *)arg)->now; }

static enum weir__handler handler(int on_failure, const struct weir__plan *plan)
{
    if (on_failure == WEIR_CONTINUE)
        return WEIR__CONTINUE;
    return plan->dead_letters != NULL ? WEIR__DEAD_LETTER : WEIR__FAIL;
}

int weir__driver_make_task(struct weir_driver *driver, struct weir_error *reterr)
{
    const struct weir_driver_config *config = &driver->config;
    struct weir__task_config         task = { .plan = driver->plan,
                                              .subs = driver->subs,
                                              .sub_count = driver->sub_count,
                                              .dir = driver->dir,
                                              .engines = driver->engines,
                                              .globals = driver->globals,
                                              .metrics = driver->metrics,
                                              .send = weir__driver_send,
                                              .send_arg = driver,
                                              .now = now_of,
                                              .now_arg = driver,
                                              .on_unreadable = handler(config->on_unreadable, driver->plan),
                                              .on_failure = handler(config->on_verb_failure, driver->plan),
                                              .on_refused = handler(config->on_verb_failure, driver->plan),
                                              .extract = config->extract,
                                              .extract_arg = config->extract_arg,
                                              .cache_bytes = (size_t)config->cache_bytes,
                                              .record_memory = (size_t)256 << 20,
                                              .close_interval = config->close_emit_interval,
                                              .upstream_expiry = config->upstream_cleanup,
                                              .idle = -1 };

    return weir__task_new(&task, &driver->task, reterr);
}

static int read_settings(struct weir_driver *driver, const struct weir_topology *topology, struct weir_error *reterr)
{
    const char *names[] = { topology->name, NULL };
    int         err;

    if (driver->settings != NULL)
        return WEIR_OK;
    err = weir__config_new(names, &driver->own_settings);
    driver->settings = driver->own_settings;
    if (err < 0)
        return weir__fail(reterr, err, topology->name, "no memory for the configuration");
    if (driver->config.config_file == NULL)
        return WEIR_OK;
    return weir__config_read_file(driver->own_settings, driver->config.config_file, reterr);
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

static int open_all(struct weir_driver *driver, const struct weir_topology *topology, struct weir_error *reterr)
{
    int err = read_settings(driver, topology, reterr);

    if (err == WEIR_OK)
        err = make_plan(driver, topology, reterr);
    if (err < 0)
        return err;
    if (choose_subs(driver) < 0 || weir__metrics_new(&driver->metrics) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, topology->name, "no memory for the driver");
    err = weir__plan_check_runnable(driver->plan, reterr);
    if (err == WEIR_OK && has_globals(driver->plan))
        err = weir__globals_new(driver->plan, driver->engines, driver->metrics, &driver->globals, reterr);
    if (err == WEIR_OK && driver->config.dir != NULL) {
        driver->dir = weir__strdup(driver->config.dir);
        err = driver->dir != NULL ? weir__make_dirs(driver->dir, reterr) : WEIR_NO_MEMORY;
    }
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
    weir__arena_init(&driver->offset_arena, 0);
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
    weir__free(driver->offsets);
    weir__free(driver->dir);
    weir__arena_fini(&driver->arena);
    weir__arena_fini(&driver->offset_arena);
    weir__free(driver);
}

int weir_describe(const struct weir_topology *topology, const struct weir_driver_config *config, char **ret,
                  struct weir_error *reterr)
{
    struct weir__plan_config plan_config = { .application = config != NULL ? config->application : NULL,
                                             .cache = config != NULL && config->cache_bytes > 0,
                                             .explicit_names = config != NULL && config->explicit_names };
    struct weir__buf         text = { 0 };
    struct weir__plan       *plan;
    int                      err = weir__plan_new(topology, &plan_config, &plan, NULL, reterr);

    if (err < 0)
        return err;
    err = weir__plan_describe(plan, &text);
    weir__buf_putc(&text, '\0');
    weir__plan_free(plan);
    if (err < 0 || !weir__buf_ok(&text)) {
        weir__buf_fini(&text);
        return weir__fail(reterr, err < 0 ? err : WEIR_NO_MEMORY, topology->name, "the topology cannot be printed");
    }
    *ret = text.data;
    return WEIR_OK;
}

void weir_text_free(char *text) { weir__free(text); }
