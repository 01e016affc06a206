/* ensure.c: topics made as they are wanted, and those that are there compared.
 *
 * (1) All or none: the broker is asked first whether it would make them all, and only then to make them. It makes each by
 *     itself, so a broker that fails between two leaves the first.
 * (2) A topic that we make takes the records that our producers let pass, whatever the broker's own limit.
 * (3) Brokers before 3.6 know one bound of time, to either side, and refuse topics with the two of later ones (KIP-937).
 */
#include <stdlib.h>

#include "framework/kafka/internal.h"

#define FRAME_BYTES 65536

/* ---- settings ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(rd_kafka_ConfigEntry_name(*(const rd_kafka_ConfigEntry_t *const *)a),
                  rd_kafka_ConfigEntry_name(*(const rd_kafka_ConfigEntry_t *const *)b));
}

/* In the order of names. */
static int tell_entries(const rd_kafka_ConfigResource_t *resource, weir__on_entry *on_setting, void *arg)
{
    const rd_kafka_ConfigEntry_t **entries, **sorted;
    size_t                         count;
    int                            err = WEIR_OK;

    entries = rd_kafka_ConfigResource_configs(resource, &count);
    sorted = weir__memdup(entries, sizeof(*entries) * count);
    if (sorted == NULL)
        return WEIR_NO_MEMORY;
    qsort(sorted, count, sizeof(*sorted), by_name);
    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(sorted[i]);

        err = on_setting(arg, rd_kafka_ConfigEntry_name(sorted[i]), value != NULL ? value : "");
    }
    weir__free(sorted);
    return err;
}

static int take_described(struct call *call, weir__on_entry *on_setting, void *arg)
{
    const rd_kafka_ConfigResource_t **resources;
    size_t                            count;
    int                               code = weir__kafka_call_wait(call);

    if (code < 0)
        return code;
    resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(call->event), &count);
    code = count == 1 ? weir__kafka_code(rd_kafka_ConfigResource_error(resources[0])) : WEIR_IO;
    return code == WEIR_OK ? tell_entries(resources[0], on_setting, arg) : code;
}

int weir__kafka_describe(struct weir__log *log, rd_kafka_ResourceType_t kind, const char *name, int64_t deadline,
                         weir__on_entry *on_setting, void *arg)
{
    rd_kafka_ConfigResource_t *resource;
    struct call                call;
    int                        err = weir__kafka_call(&call, log, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, deadline);

    if (err == WEIR_OK) {
        resource = rd_kafka_ConfigResource_new(kind, name);
        rd_kafka_DescribeConfigs(log->any, &resource, 1, call.options, call.queue);
        err = take_described(&call, on_setting, arg);
        rd_kafka_ConfigResource_destroy(resource);
    }
    weir__kafka_call_end(&call);
    return err;
}

struct telling {
    void (*on_setting)(void *arg, const char *name, const char *value);
    void *arg;
};

static int tell(void *arg, const char *name, const char *value)
{
    struct telling *telling = arg;

    telling->on_setting(telling->arg, name, value);
    return WEIR_OK;
}

int weir__kafka_settings(struct weir__log *log, const char *topic, int64_t deadline,
                         void (*on_setting)(void *arg, const char *name, const char *value), void *arg)
{
    struct telling telling = { on_setting, arg };
    int32_t        count;
    int            err = weir__kafka_partitions(log, topic, deadline, &count);

    return err == WEIR_OK ? weir__kafka_describe(log, RD_KAFKA_RESOURCE_TOPIC, topic, deadline, tell, &telling) : err;
}

/* ---- comparing ---- */

static bool names(const char *setting, const char *name)
{
    size_t size = strlen(name);

    return strncmp(setting, name, size) == 0 && setting[size] == '=';
}

#define EARLIEST "message.timestamp.before.max.ms"
#define LATEST   "message.timestamp.after.max.ms"
#define EITHER   "message.timestamp.difference.max.ms"
#define MOST     "max.message.bytes"

static bool sets(const struct weir__topic *topic, const char *name)
{
    for (size_t i = 0; topic->settings != NULL && topic->settings[i] != NULL; i++)
        if (names(topic->settings[i], name))
            return true;
    return false;
}

/* What was found for each of the settings wanted; NULL = the broker knows no such one. And for some more. */
struct found {
    const char *const *wanted;
    char             **values;
    char               either[32], most[32], policy[32], retention_ms[32], retention_bytes[32];
};

/* Those of a topic that are looked at, whatever is wanted. */
static void keep_more(struct found *found, const char *name, const char *value)
{
    const struct {
        const char *name;
        char       *to;
    } more[] = {
        { EITHER, found->either },
        { MOST, found->most },
        { "cleanup.policy", found->policy },
        { "retention.ms", found->retention_ms },
        { "retention.bytes", found->retention_bytes },
    };

    for (size_t i = 0; i < ARRAY_SIZE(more); i++)
        if (strcmp(name, more[i].name) == 0)
            snprintf(more[i].to, sizeof(found->most), "%s", value);
}

static int keep_found(void *arg, const char *name, const char *value)
{
    struct found *found = arg;

    keep_more(found, name, value);
    for (size_t i = 0; found->wanted[i] != NULL; i++)
        if (names(found->wanted[i], name)) {
            weir__free(found->values[i]);
            found->values[i] = weir__strdup(value);
            if (found->values[i] == NULL)
                return WEIR_NO_MEMORY;
        }
    return WEIR_OK;
}

static bool is_of_time(const char *setting) { return names(setting, EARLIEST) || names(setting, LATEST); }

/* Whether a bound of time is that of both sides: before 3.6 always, and up to 3.9 where its own has the default, which is none. */
static bool goes_by_either(const char *either, const char *wanted, const char *found)
{
    int64_t bound, want;

    if (found == NULL || weir__parse_int64(either, &bound) < 0 || weir__parse_int64(wanted, &want) < 0)
        return either[0] != '\0';
    return strcmp(found, wanted) == 0 && want == INT64_MAX && bound < want;
}

static int tell_difference(const struct weir__topic *topic, const char *wanted, const char *value,
                           const struct found *found, weir__on_difference *on_difference, void *arg)
{
    const struct weir__cleanup kept = { found->policy, found->retention_ms, found->retention_bytes };
    const char                *want = strchr(wanted, '=') + 1;
    char                       name[128];

    snprintf(name, sizeof(name), "%.*s", (int)(want - 1 - wanted), wanted);
    if (is_of_time(wanted) && goes_by_either(found->either, want, value)) {
        snprintf(name, sizeof(name), EITHER);
        value = found->either;
    }
    if (value != NULL && strcmp(value, want) == 0)
        return WEIR_OK;
    if (value == NULL)
        value = "nothing: this broker has no such setting";
    return on_difference(arg, topic->name, name, weir__loses(name, want, value, &kept), want, value);
}

/* What is too large for a topic is a dead letter: this says so before the first one. */
static int compare_most(const struct weir__log *log, const struct weir__topic *topic, const struct found *found,
                        weir__on_difference *on_difference, void *arg)
{
    char    wanted[32];
    int64_t most;

    if (sets(topic, MOST) || weir__parse_int64(found->most, &most) < 0 || most >= log->max_bytes)
        return WEIR_OK;
    snprintf(wanted, sizeof(wanted), "%lld", (long long)log->max_bytes + FRAME_BYTES);
    return on_difference(arg, topic->name, MOST, false, wanted, found->most);
}

static int compare_settings(struct weir__log *log, const struct weir__topic *topic, int64_t deadline,
                            weir__on_difference *on_difference, void *arg)
{
    struct found found = { .wanted = topic->settings };
    size_t       count = 0;
    int          err;

    while (topic->settings[count] != NULL)
        count++;
    found.values = weir__zalloc(sizeof(*found.values) * (count + 1));
    if (found.values == NULL)
        return WEIR_NO_MEMORY;
    err = weir__kafka_describe(log, RD_KAFKA_RESOURCE_TOPIC, topic->name, deadline, keep_found, &found);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = tell_difference(topic, topic->settings[i], found.values[i], &found, on_difference, arg);
    if (err == WEIR_OK)
        err = compare_most(log, topic, &found, on_difference, arg);
    for (size_t i = 0; i < count; i++)
        weir__free(found.values[i]);
    weir__free(found.values);
    return err;
}

static int compare(struct weir__log *log, const struct weir__topic *topic, int32_t partitions, int64_t deadline,
                   weir__on_difference *on_difference, void *arg)
{
    char wanted[16], found[16];
    int  err = WEIR_OK;

    snprintf(wanted, sizeof(wanted), "%d", topic->partitions);
    snprintf(found, sizeof(found), "%d", partitions);
    if (partitions != topic->partitions)
        err = on_difference(arg, topic->name, "partitions", false, wanted, found);
    if (err == WEIR_OK && topic->settings != NULL && topic->settings[0] != NULL)
        err = compare_settings(log, topic, deadline, on_difference, arg);
    return err == WEIR_OK ? weir__kafka_compare_copies(log, topic->name, deadline, on_difference, arg) : err;
}

/* ---- making ---- */

struct making {
    const struct weir__topic **topics; /* those that are absent */
    rd_kafka_NewTopic_t      **wanted;
    size_t                     count;
    bool                       needs_two; /* asked before the first */
};

static int check_settings(const struct weir__topic *topic, struct weir_error *reterr)
{
    for (size_t i = 0; topic->settings != NULL && topic->settings[i] != NULL; i++)
        if (strchr(topic->settings[i], '=') == NULL)
            return weir__fail(reterr, WEIR_BAD_CONFIG, topic->name, "setting \"%.200s\": write name=value",
                              topic->settings[i]);
    return WEIR_OK;
}

static int check_topic(const struct weir__topic *topic, struct weir_error *reterr)
{
    if (!weir__legal_name(topic->name))
        return weir__fail(reterr, WEIR_BAD_NAME, topic->name,
                          "a topic's name has 1 to 249 of a-z, A-Z, 0-9, dot, underscore and hyphen");
    if (topic->partitions < 1)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, topic->name, "a topic has at least one partition, not %d",
                          topic->partitions);
    return check_settings(topic, reterr);
}

/* The wider of a topic's two bounds of time; NULL: it has none. */
static const char *widest(const struct weir__topic *topic)
{
    const char *widest = NULL;
    int64_t     most = -1, value;

    for (size_t i = 0; topic->settings != NULL && topic->settings[i] != NULL; i++) {
        const char *text = strchr(topic->settings[i], '=') + 1;

        if (!is_of_time(topic->settings[i]) || weir__parse_int64(text, &value) < 0 || value <= most)
            continue;
        most = value;
        widest = text;
    }
    return widest;
}

/* What the topic's own settings leave open. */
static void set_rest(const struct weir__log *log, const struct weir__topic *topic, bool needs_two,
                     rd_kafka_NewTopic_t *wanted)
{
    char most[32], bound[32];

    snprintf(most, sizeof(most), "%lld", (long long)log->max_bytes + FRAME_BYTES);
    snprintf(bound, sizeof(bound), "%lld", (long long)log->retention);
    if (!sets(topic, MOST))
        (void)rd_kafka_NewTopic_set_config(wanted, MOST, most);
    if (log->retention > 0 && !sets(topic, "retention.bytes") && !sets(topic, "cleanup.policy"))
        (void)rd_kafka_NewTopic_set_config(wanted, "retention.bytes", bound);
    if (needs_two && !sets(topic, "min.insync.replicas"))
        (void)rd_kafka_NewTopic_set_config(wanted, "min.insync.replicas", "2");
}

static int add_wanted(struct weir__log *log, struct making *making, const struct weir__topic *topic, int64_t deadline,
                      struct weir_error *reterr)
{
    char                 words[256];
    rd_kafka_NewTopic_t *wanted;
    int err = making->count == 0 ? weir__kafka_needs_two(log, deadline, &making->needs_two) : WEIR_OK;

    if (err < 0)
        return weir__fail(reterr, err, topic->name, "the brokers do not tell how many copies it would have");
    wanted = rd_kafka_NewTopic_new(topic->name, topic->partitions, weir__kafka_copies(log), words, sizeof(words));
    if (wanted == NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, topic->name, "%s", words);
    for (size_t i = 0; topic->settings != NULL && topic->settings[i] != NULL; i++) {
        const char *value = strchr(topic->settings[i], '=') + 1;
        char        name[128];

        snprintf(name, sizeof(name), "%.*s", (int)(value - 1 - topic->settings[i]), topic->settings[i]);
        if (!atomic_load(&log->one_bound) || !is_of_time(topic->settings[i]))
            (void)rd_kafka_NewTopic_set_config(wanted, name, value);
    }
    if (atomic_load(&log->one_bound) && widest(topic) != NULL)
        (void)rd_kafka_NewTopic_set_config(wanted, EITHER, widest(topic));
    set_rest(log, topic, making->needs_two, wanted);
    making->topics[making->count] = topic;
    making->wanted[making->count++] = wanted;
    return WEIR_OK;
}

/* The setting that the broker's words are about, "name=value"; NULL = none of them. */
static const char *blamed(const struct weir__topic *topic, const char *words)
{
    for (size_t i = 0; topic->settings != NULL && topic->settings[i] != NULL; i++) {
        char name[128];

        snprintf(name, sizeof(name), "%.*s", (int)strcspn(topic->settings[i], "="), topic->settings[i]);
        if (strstr(words, name) != NULL)
            return topic->settings[i];
    }
    return NULL;
}

static int fail_made(const struct making *making, const rd_kafka_topic_result_t *result, int code,
                     struct weir_error *reterr)
{
    const char *name = rd_kafka_topic_result_name(result), *words = rd_kafka_topic_result_error_string(result);
    const char *setting = NULL;

    if (words == NULL)
        words = rd_kafka_err2str(rd_kafka_topic_result_error(result));
    for (size_t i = 0; i < making->count; i++)
        if (strcmp(making->topics[i]->name, name) == 0)
            setting = blamed(making->topics[i], words);
    if (setting != NULL)
        return weir__fail(reterr, code, name, "setting \"%.200s\": the broker says: %s", setting, words);
    return weir__fail(reterr, code, name, "it cannot be made: the broker says: %s", words);
}

/* Somebody else may have been quicker. */
static int take_made(struct call *call, const struct making *making, struct weir_error *reterr)
{
    const rd_kafka_topic_result_t **results;
    size_t                          count;
    int                             code = weir__kafka_call_wait(call);

    if (code < 0)
        return weir__fail(reterr, code, making->topics[0]->name, "it cannot be made: %s", weir_code_text(code));
    results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(call->event), &count);
    for (size_t i = 0; i < count; i++) {
        code = weir__kafka_code(rd_kafka_topic_result_error(results[i]));
        if (code < 0 && rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return fail_made(making, results[i], code, reterr);
    }
    return WEIR_OK;
}

static int create(struct weir__log *log, struct making *making, bool only_try, int64_t deadline,
                  struct weir_error *reterr)
{
    struct call call;
    char        words[128];
    int         err = weir__kafka_call(&call, log, RD_KAFKA_ADMIN_OP_CREATETOPICS, deadline);

    if (err == WEIR_OK)
        err = weir__kafka_code(rd_kafka_AdminOptions_set_validate_only(call.options, only_try, words, sizeof(words)));
    if (err == WEIR_OK) {
        rd_kafka_CreateTopics(log->any, making->wanted, making->count, call.options, call.queue);
        err = take_made(&call, making, reterr);
    }
    weir__kafka_call_end(&call);
    return err;
}

/* Until the brokers tell of them. */
static int await_made(struct weir__log *log, const struct making *making, int64_t deadline, struct weir_error *reterr)
{
    for (size_t i = 0; i < making->count; i++) {
        int32_t count;
        int     err;

        do
            err = weir__kafka_partitions(log, making->topics[i]->name, deadline, &count);
        while (err == WEIR_NOTFOUND && weir__kafka_later(log, deadline));
        if (err < 0)
            return weir__fail(reterr, err == WEIR_NOTFOUND ? WEIR_AGAIN : err, making->topics[i]->name,
                              "it was made, and the brokers do not tell of it yet");
    }
    return WEIR_OK;
}

/* Whether the brokers have just shown that they know one bound of time alone. */
static bool has_one_bound(const struct weir_error *words)
{
    return words->code == WEIR_BAD_CONFIG && strstr(words->text, "message.timestamp.") != NULL &&
           strstr(words->text, "nknown") != NULL;
}

static int ensure_one(struct weir__log *log, struct making *making, const struct weir__topic *topic, int64_t deadline,
                      weir__on_difference *on_difference, void *arg, struct weir_error *reterr)
{
    int32_t partitions;
    int     err = check_topic(topic, reterr);

    if (err < 0)
        return err;
    err = weir__kafka_partitions(log, topic->name, deadline, &partitions);
    if (err == WEIR_NOTFOUND)
        return add_wanted(log, making, topic, deadline, reterr);
    if (err == WEIR_OK && on_difference != NULL)
        err = compare(log, topic, partitions, deadline, on_difference, arg);
    return err < 0 ? weir__fail(reterr, err, topic->name, "it cannot be compared: %s", weir_code_text(err)) : WEIR_OK;
}

static int make_all(struct weir__log *log, struct making *making, int64_t deadline, struct weir_error *reterr)
{
    int err = making->count > 1 ? create(log, making, true, deadline, reterr) : WEIR_OK;

    if (err == WEIR_OK && making->count > 0)
        err = create(log, making, false, deadline, reterr);
    return err == WEIR_OK ? await_made(log, making, deadline, reterr) : err;
}

static void free_making(struct making *making)
{
    for (size_t i = 0; i < making->count; i++)
        rd_kafka_NewTopic_destroy(making->wanted[i]);
    weir__free(making->topics);
    weir__free(making->wanted);
}

static int ensure(struct weir__log *log, const struct weir__topic *topics, size_t count, int64_t deadline,
                  weir__on_difference *on_difference, void *arg, struct weir_error *reterr)
{
    struct making making = { .topics = weir__zalloc(sizeof(*making.topics) * (count + 1)),
                             .wanted = weir__zalloc(sizeof(*making.wanted) * (count + 1)) };
    int           err = WEIR_OK;

    if (making.topics == NULL || making.wanted == NULL)
        err = weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "no memory for topics");
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = ensure_one(log, &making, &topics[i], deadline, on_difference, arg, reterr);
    if (err == WEIR_OK)
        err = make_all(log, &making, deadline, reterr);
    for (size_t i = 0; err == WEIR_OK && on_difference != NULL && i < making.count;
         i++) /* as the broker chose; the next start looks, too */
        (void)weir__kafka_compare_copies(log, making.topics[i]->name, deadline, on_difference, arg);
    free_making(&making);
    return err;
}

int weir__kafka_ensure(struct weir__log *log, const struct weir__topic *topics, size_t count, int64_t deadline,
                       weir__on_difference *on_difference, void *arg, struct weir_error *reterr)
{
    struct weir_error words = { 0 };
    bool              known = atomic_load(&log->one_bound); /* others may learn it meanwhile */
    int               err = ensure(log, topics, count, deadline, on_difference, arg, &words);

    if (err < 0 && !known && has_one_bound(&words)) {
        atomic_store(&log->one_bound, true);
        err = ensure(log, topics, count, deadline, NULL, NULL, &words); /* differences are told */
    }
    if (err < 0 && reterr != NULL)
        *reterr = words;
    return err;
}
