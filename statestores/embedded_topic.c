/* embedded_topic.c: one topic of the embedded log: found, made of what is asked for, its settings told and compared. */
#include "statestores/embedded.h"

/* What holds where a topic does not say otherwise. */
static const char *const defaults[] = { "cleanup.policy=delete",
                                        "retention.ms=-1",
                                        "retention.bytes=-1",
                                        "delete.retention.ms=86400000",
                                        "message.timestamp.type=CreateTime",
                                        "message.timestamp.before.max.ms=9223372036854775807",
                                        "message.timestamp.after.max.ms=9223372036854775807" };

struct topic *weir__embedded_topic(struct weir__log *log, const char *name)
{
    for (size_t i = 0; i < log->topic_count; i++)
        if (strcmp(log->topics[i]->name, name) == 0)
            return log->topics[i];
    return NULL;
}

int weir__embedded_look_up(struct weir__log *log, const char *name, struct topic **ret)
{
    int err = weir__embedded_refresh(log);

    if (err < 0)
        return err;
    *ret = weir__embedded_topic(log, name);
    return *ret != NULL ? WEIR_OK : WEIR_NOTFOUND;
}

struct topic *weir__embedded_topic_of(struct weir__log *log, struct weir__tp tp)
{
    struct topic *topic = weir__embedded_topic(log, tp.topic);

    return topic != NULL && tp.partition >= 0 && tp.partition < topic->count ? topic : NULL;
}

/* ---- settings ---- */

static size_t name_size(const char *setting) { return strcspn(setting, "="); }

static const char *value_of(const char *setting) { return setting + name_size(setting) + 1; }

static bool same_name(const char *a, const char *b)
{
    return name_size(a) == name_size(b) && memcmp(a, b, name_size(a)) == 0;
}

/* The value in force of the setting whose name `like` begins with; "" = it has none. */
static const char *in_force(const struct topic *topic, const char *like)
{
    for (size_t i = 0; topic->settings[i] != NULL; i++)
        if (same_name(topic->settings[i], like))
            return value_of(topic->settings[i]);
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        if (same_name(defaults[i], like))
            return value_of(defaults[i]);
    return "";
}

static const char *const numbers[] = { "retention.ms=", "retention.bytes=", "delete.retention.ms=" };

/* What we act on must be understood; the rest is kept and told. */
static bool understood(const char *setting)
{
    static const char *const policies[] = { "delete", "compact", "compact,delete", "delete,compact" };
    int64_t                  number;
    const char              *value = setting + name_size(setting);

    if (*value++ != '=' || value == setting + 1)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (same_name(setting, numbers[i]))
            return weir__parse_int64(value, &number) == WEIR_OK && number >= -1;
    if (same_name(setting, "message.timestamp.type="))
        return strcmp(value, "CreateTime") == 0;
    if (!same_name(setting, "cleanup.policy="))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
        if (strcmp(value, policies[i]) == 0)
            return true;
    return false;
}

static int64_t number_of(const struct topic *topic, const char *like)
{
    int64_t number = -1;

    (void)weir__parse_int64(in_force(topic, like), &number);
    return number;
}

static void apply_settings(struct topic *topic)
{
    const char *policy = in_force(topic, "cleanup.policy=");
    bool        deletes = strstr(policy, "delete") != NULL;

    topic->compact = strstr(policy, "compact") != NULL;
    topic->retention_ms = deletes ? number_of(topic, "retention.ms=") : -1;
    topic->retention_bytes = deletes ? number_of(topic, "retention.bytes=") : -1;
    topic->delete_retention_ms = number_of(topic, "delete.retention.ms=");
}

/* ---- one topic ---- */

static int copy_settings(struct topic *topic, const char *const *settings)
{
    size_t count = 0;

    while (settings != NULL && settings[count] != NULL)
        count++;
    topic->settings = weir__zalloc(sizeof(char *) * (count + 1));
    if (topic->settings == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if ((topic->settings[i] = weir__strdup(settings[i])) == NULL)
            return WEIR_NO_MEMORY;
    return WEIR_OK;
}

void weir__embedded_topic_free(struct topic *topic)
{
    if (topic == NULL)
        return;
    for (size_t i = 0; topic->settings != NULL && topic->settings[i] != NULL; i++)
        weir__free(topic->settings[i]);
    weir__free(topic->settings);
    weir__free(topic->partitions);
    weir__free(topic->name);
    weir__free(topic);
}

int weir__embedded_topic_room(struct topic *topic, int32_t partitions)
{
    int32_t           count = topic->count;
    struct partition *grown = weir__realloc(topic->partitions, sizeof(*grown) * (size_t)partitions);

    if (grown == NULL)
        return WEIR_NO_MEMORY;
    memset(grown + count, 0, sizeof(*grown) * (size_t)(partitions - count));
    topic->partitions = grown;
    return WEIR_OK;
}

int weir__embedded_topic_widen(struct topic *topic, int32_t partitions)
{
    int err = partitions > topic->count ? weir__embedded_topic_room(topic, partitions) : WEIR_OK;

    if (err == WEIR_OK && partitions > topic->count)
        topic->count = partitions;
    return err;
}

static int check(const struct weir__topic *as, struct weir_error *reterr)
{
    if (!weir__legal_name(as->name))
        return weir__fail(reterr, WEIR_BAD_NAME, as->name,
                          "a topic's name has 1 to 249 letters, digits, dots, underscores and hyphens");
    if (as->partitions <= 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, as->name, "a topic needs partitions, not %d", as->partitions);
    for (size_t i = 0; as->settings != NULL && as->settings[i] != NULL; i++)
        if (!understood(as->settings[i]))
            return weir__fail(reterr, WEIR_BAD_CONFIG, as->name, "the setting \"%s\" cannot be used",
                              as->settings[i]);
    return WEIR_OK;
}

struct topic *weir__embedded_topic_new(const struct weir__topic *as, struct weir_error *reterr)
{
    struct topic *topic;

    if (check(as, reterr) < 0)
        return NULL;
    topic = weir__zalloc(sizeof(*topic));
    if (topic == NULL || (topic->name = weir__strdup(as->name)) == NULL || copy_settings(topic, as->settings) < 0 ||
        weir__embedded_topic_widen(topic, as->partitions) < 0) {
        weir__embedded_topic_free(topic);
        (void)weir__fail(reterr, WEIR_NO_MEMORY, as->name, "no memory for a topic");
        return NULL;
    }
    apply_settings(topic);
    return topic;
}

int weir__embedded_compare(const struct topic *topic, const struct weir__topic *wanted,
                           weir__on_difference *on_difference, void *arg)
{
    const struct weir__cleanup kept = { in_force(topic, "cleanup.policy="), in_force(topic, "retention.ms="),
                                        in_force(topic, "retention.bytes=") };
    char                       count[2][16], name[128];
    int                        err = WEIR_OK;

    if (topic->count != wanted->partitions && wanted->partitions > 0) {
        snprintf(count[0], sizeof(count[0]), "%d", wanted->partitions);
        snprintf(count[1], sizeof(count[1]), "%d", topic->count);
        err = on_difference(arg, topic->name, "partitions", false, count[0], count[1]);
    }
    for (size_t i = 0; err == WEIR_OK && wanted->settings != NULL && wanted->settings[i] != NULL; i++) {
        const char *setting = wanted->settings[i], *found = in_force(topic, setting);

        if (strcmp(found, value_of(setting)) == 0)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)name_size(setting), setting);
        err = on_difference(arg, topic->name, name, weir__loses(name, value_of(setting), found, &kept),
                            value_of(setting), found);
    }
    return err;
}

/* ---- telling ---- */

static void tell(const char *setting, const char                                          *value,
                 void (*on_setting)(void *arg, const char *name, const char *value), void *arg)
{
    char name[128];

    snprintf(name, sizeof(name), "%.*s", (int)name_size(setting), setting);
    on_setting(arg, name, value);
}

static bool is_set(const struct topic *topic, const char *like)
{
    for (size_t i = 0; topic->settings[i] != NULL; i++)
        if (same_name(topic->settings[i], like))
            return true;
    return false;
}

static void tell_all(const struct topic *topic, void (*on_setting)(void *arg, const char *name, const char *value),
                     void               *arg)
{
    for (size_t i = 0; topic->settings[i] != NULL; i++)
        tell(topic->settings[i], value_of(topic->settings[i]), on_setting, arg);
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        if (!is_set(topic, defaults[i]))
            tell(defaults[i], value_of(defaults[i]), on_setting, arg);
}

int weir__embedded_settings(struct weir__log *log, const char *name, int64_t deadline,
                            void (*on_setting)(void *arg, const char *name, const char *value), void *arg)
{
    struct topic *topic;
    int           err;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    err = weir__embedded_look_up(log, name, &topic);
    if (err == WEIR_OK)
        tell_all(topic, on_setting, arg);
    pthread_mutex_unlock(&log->mutex);
    return err;
}
