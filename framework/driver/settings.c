/* settings.c: an application's configuration, as far as it is about one task. */
#include "framework/driver/internal.h"

static int read_pairs(struct weir_driver *driver, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (const char *const *pair = driver->config.settings; err == WEIR_OK && pair != NULL && *pair != NULL; pair++) {
        const char *equals = strchr(*pair, '=');
        char       *key = weir__strdup(*pair);

        if (key == NULL)
            return weir__fail(reterr, WEIR_NO_MEMORY, *pair, "no memory for a setting");
        key[equals != NULL ? equals - *pair : 0] = '\0';
        if (equals == NULL)
            err = weir__fail(reterr, WEIR_BAD_CONFIG, *pair, "write a setting as key=value");
        else
            err = weir__config_set(driver->own_settings, key, equals + 1, key, reterr);
        weir__free(key);
    }
    return err;
}

static bool given(const struct weir_driver *driver, const char *key)
{
    return weir__config_given(driver->settings, key);
}

static bool is(const struct weir_driver *driver, const char *key, const char *word)
{
    return strcmp(weir__config_text(driver->settings, key), word) == 0;
}

static void take_number(const struct weir_driver *driver, const char *key, int64_t *into)
{
    if (given(driver, key))
        *into = weir__config_int(driver->settings, key);
}

/* What the plan depends on. */
static void take_early(struct weir_driver *driver)
{
    struct weir_driver_config *config = &driver->config;

    if (given(driver, "application.id"))
        config->application = weir__config_text(driver->settings, "application.id");
    if (given(driver, "delivery"))
        config->exactly_once = is(driver, "delivery", "exactly_once");
    if (given(driver, "changelog.cleanup"))
        config->upstream_cleanup = is(driver, "changelog.cleanup", "kafka-streams");
    if (given(driver, "ensure.explicit.names"))
        config->explicit_names = weir__config_bool(driver->settings, "ensure.explicit.names");
    take_number(driver, "statestore.cache.max.bytes", &config->cache_bytes);
    take_number(driver, "window.close.interval.ms", &config->close_emit_interval);
    take_number(driver, "join.emit.interval.ms", &config->join_emit_interval);
}

static int read_own(struct weir_driver *driver, const struct weir_topology *topology, struct weir_error *reterr)
{
    const char                *names[] = { topology->name, NULL };
    const struct weir_setting *own[] = { topology->settings, NULL };
    int                        err = weir__config_new(names, own, &driver->own_settings, reterr);

    driver->settings = driver->own_settings;
    if (err == WEIR_OK && driver->config.config_file != NULL)
        err = weir__config_read_file(driver->own_settings, driver->config.config_file, reterr);
    return err == WEIR_OK ? read_pairs(driver, reterr) : err;
}

int weir__driver_read_settings(struct weir_driver *driver, const struct weir_topology *topology,
                               struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (driver->settings == NULL)
        err = read_own(driver, topology, reterr);
    if (err == WEIR_OK)
        take_early(driver);
    return err;
}

/* Dead letters, where there are any, are the default. */
static enum weir__handler handler(const struct weir_driver *driver, const char *key, int on_failure)
{
    enum weir__handler handler = on_failure == WEIR_CONTINUE ? WEIR__CONTINUE : WEIR__DEAD_LETTER;

    if (given(driver, key))
        handler = weir__handler_of(weir__config_text(driver->settings, key));
    return handler == WEIR__DEAD_LETTER && driver->plan->dead_letters == NULL ? WEIR__FAIL : handler;
}

void weir__driver_take_settings(struct weir_driver *driver)
{
    const struct weir_driver_config *config = &driver->config;

    driver->on_unreadable = handler(driver, "deserialization.handler", config->on_unreadable);
    driver->on_failure = handler(driver, "processing.handler", config->on_verb_failure);
    driver->on_refused = handler(driver, "production.handler", config->on_verb_failure);
    driver->record_memory = (size_t)256 << 20;
    if (given(driver, "record.memory.max"))
        driver->record_memory = (size_t)weir__config_int(driver->settings, "record.memory.max");
    driver->max_record_bytes = weir__config_int(driver->settings, "max.record.bytes");
    driver->least_time = given(driver, "log.quirks") && is(driver, "log.quirks", "on") ? 1 : 0;
}
