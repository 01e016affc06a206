/* choose.c: topologies by name, and what is known of the topics they use. */
#include "framework/main/commands.h"

#include <sys/stat.h>

/* ---- topologies ---- */

const struct weir_topology *weir__find_topology(const struct weir__program *program, const char *name)
{
    for (const struct weir_topology *const *at = program->topologies; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

static size_t count_topologies(const struct weir__program *program)
{
    size_t count = 0;

    while (program->topologies[count] != NULL)
        count++;
    return count;
}

const char *weir__near_topology(const struct weir__program *program, const char *name)
{
    const char *names[64];
    size_t      count = MIN(count_topologies(program), ARRAY_SIZE(names));

    for (size_t i = 0; i < count; i++)
        names[i] = program->topologies[i]->name;
    return weir__suggest(name, names, count);
}

static int fail_unknown(const struct weir__program *program, const char *name, struct weir_error *reterr)
{
    struct weir__buf list = { 0 };
    const char      *near = weir__near_topology(program, name);

    for (size_t i = 0; program->topologies[i] != NULL; i++)
        weir__buf_printf(&list, "%s%s", i > 0 ? ", " : "", program->topologies[i]->name);
    weir__buf_putc(&list, '\0');
    if (near != NULL)
        weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "unknown topology \"%.80s\": did you mean \"%s\"?",
                   name, near);
    else
        weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "unknown topology \"%.80s\": there is %.300s", name,
                   weir__buf_ok(&list) ? list.data : "none");
    weir__buf_fini(&list);
    return WEIR_BAD_ARGUMENT;
}

int weir__choose_topologies(const struct weir__program *program, const char *const *names, size_t count,
                            const struct weir_topology ***ret, size_t *ret_count, struct weir_error *reterr)
{
    size_t                       most = count > 0 ? count : count_topologies(program);
    const struct weir_topology **chosen = weir__zalloc(sizeof(struct weir_topology *) * (most + 1));

    if (chosen == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "command line", "out of memory");
    for (size_t i = 0; i < most; i++) {
        chosen[i] = count > 0 ? weir__find_topology(program, names[i]) : program->topologies[i];
        if (chosen[i] == NULL) {
            weir__free(chosen);
            return fail_unknown(program, names[i], reterr);
        }
        for (size_t j = 0; j < i; j++)
            if (chosen[j] == chosen[i]) {
                weir__free(chosen);
                return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "topology %.80s is named twice",
                                  names[i]);
            }
    }
    *ret = chosen;
    *ret_count = most;
    return WEIR_OK;
}

const char *weir__letters_topic(const struct weir__program *program, const struct weir__plan *plan)
{
    return plan->dead_letters != NULL ? plan->dead_letters
                                      : weir__config_text(program->settings, "dead.letters.topic");
}

const char *weir__application_id(const struct weir__program *program, const struct weir_topology *topology, char *buf,
                                 size_t size)
{
    const char *id = weir__config_text(program->settings, "application.id");

    if (id == NULL || id[0] == '\0')
        id = program->application;
    if (id == NULL)
        return NULL;
    if (count_topologies(program) > 1)
        snprintf(buf, size, "%s-%s", id, topology->name);
    else
        snprintf(buf, size, "%s", id);
    return buf;
}

/* ---- plans ---- */

static int make_plan(const struct weir__program *program, const struct weir_topology *topology,
                     struct weir__plan **ret, struct weir_error *reterr)
{
    struct weir__config     *settings = program->settings;
    char                     id[256];
    struct weir__plan_config config = {
        .application = weir__application_id(program, topology, id, sizeof(id)),
        .cache = weir__config_int(settings, "statestore.cache.max.bytes") > 0,
        .upstream_cleanup = strcmp(weir__config_text(settings, "changelog.cleanup"), "kafka-streams") == 0,
        .explicit_names = weir__config_bool(settings, "ensure.explicit.names"),
        .config = settings,
    };
    AUTO(weir__buf_fini) struct weir__buf faults = { 0 };
    int                                   err = weir__plan_new(topology, &config, ret, &faults, reterr);

    if (err < 0 && faults.size > 0)
        weir__report_faults(topology->name, &faults, reterr);
    return err;
}

int weir__plans_make(const struct weir__program *program, const struct weir_topology *const *topologies, size_t count,
                     struct weir__plans *ret, struct weir_error *reterr)
{
    *ret = (struct weir__plans){ .items = weir__zalloc(sizeof(struct weir__plan *) * (count + 1)) };
    if (ret->items == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "command line", "out of memory");
    for (size_t i = 0; i < count; i++) {
        int err = make_plan(program, topologies[i], &ret->items[i], reterr);

        ret->count += ret->items[i] != NULL;
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

void weir__plans_fini(struct weir__plans *plans)
{
    for (size_t i = 0; i < plans->count; i++)
        weir__plan_free(plans->items[i]);
    weir__free(plans->items);
}

/* ---- codecs ---- */

int weir__plans_codecs(const struct weir__plans *plans, const char *topic, struct weir__topic_codecs *ret)
{
    bool dead = false;

    *ret = (struct weir__topic_codecs){ 0 };
    for (size_t i = 0; i < plans->count; i++)
        dead = dead || (plans->items[i]->dead_letters != NULL && strcmp(plans->items[i]->dead_letters, topic) == 0);
    for (size_t i = 0; !dead && i < plans->count; i++)
        if (weir__plan_codecs(plans->items[i], topic, ret) == WEIR_OK)
            return WEIR_OK;
    ret->key = ret->value = weir__guess;
    return WEIR_NOTFOUND;
}

bool weir__plans_reads(const struct weir__plans *plans, const char *topic)
{
    for (size_t i = 0; i < plans->count; i++)
        for (size_t j = 0; j < plans->items[i]->node_count; j++) {
            const struct weir__node *node = plans->items[i]->nodes[j];

            for (size_t k = 0; node->op == WEIR__SOURCE && !node->internal && k < node->topic_count; k++)
                if (strcmp(node->topics[k], topic) == 0)
                    return true;
        }
    return false;
}

const char *weir__plans_suggest(const struct weir__plans *plans, const char *topic)
{
    const char *names[256];
    size_t      count = 0;

    for (size_t i = 0; i < plans->count; i++)
        for (size_t j = 0; j < plans->items[i]->node_count; j++) {
            const struct weir__node *node = plans->items[i]->nodes[j];

            for (size_t k = 0; node->op == WEIR__SOURCE && !node->internal && k < node->topic_count; k++)
                if (count < ARRAY_SIZE(names))
                    names[count++] = node->topics[k];
        }
    return weir__suggest(topic, names, count);
}

/* ---- inputs ---- */

/* Before anything is made: the file is there and can be read. */
static int try_file(const char *path, struct weir_error *reterr)
{
    struct weir__lines *lines;
    struct stat         about;

    if (strcmp(path, "-") == 0 || (stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)))
        return WEIR_OK; /* a pipe is opened once */
    if (weir__lines_open(path, &lines, reterr) < 0)
        return reterr->code;
    weir__lines_close(lines);
    return WEIR_OK;
}

static int fail_topic(const struct weir__plans *plans, const char *topic, struct weir_error *reterr)
{
    const char *near = weir__plans_suggest(plans, topic);

    if (near != NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--in", "no source reads topic \"%.100s\": did you mean \"%s\"?",
                          topic, near);
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--in",
                      "no source reads topic \"%.100s\": \"describe\" shows them all", topic);
}

static int read_input(const struct weir__plans *plans, const char *text, bool lines, struct weir__inputs *ret,
                      struct weir_error *reterr)
{
    const char                *equals = strchr(text, '=');
    struct weir__load         *load = &ret->items[ret->count];
    struct weir__topic_codecs *codecs = &ret->codecs[ret->count];
    char                      *topic;

    if (equals == NULL || equals == text || equals[1] == '\0')
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--in", "\"%.100s\": write --in TOPIC=FILE", text);
    topic = ret->topics[ret->count] = weir__strdup(text);
    if (topic == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "--in", "out of memory");
    ret->count++;
    topic[equals - text] = '\0';
    if (!weir__plans_reads(plans, topic))
        return fail_topic(plans, topic, reterr);
    (void)weir__plans_codecs(plans, topic, codecs);
    if (try_file(equals + 1, reterr) < 0)
        return reterr->code;
    *load = (struct weir__load){
        .topic = topic, .path = equals + 1, .key = codecs->key, .value = codecs->value, .lines = lines
    };
    return WEIR_OK;
}

int weir__inputs_read(const struct weir__args *args, const struct weir__plans *plans, struct weir__inputs *ret,
                      struct weir_error *reterr)
{
    size_t most = args->given_count + 1;
    int    err = WEIR_OK;

    *ret = (struct weir__inputs){ .items = weir__zalloc(sizeof(*ret->items) * most),
                                  .codecs = weir__zalloc(sizeof(*ret->codecs) * most),
                                  .topics = weir__zalloc(sizeof(*ret->topics) * most) };
    if (ret->items == NULL || ret->codecs == NULL || ret->topics == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "--in", "out of memory");
    for (size_t i = 0; err == WEIR_OK && i < args->given_count; i++)
        if (strcmp(args->given[i].flag->name, "in") == 0)
            err = read_input(plans, args->given[i].value, weir__args_has(args, "lines"), ret, reterr);
    return err;
}

void weir__inputs_fini(struct weir__inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        weir__free(inputs->topics[i]);
    weir__free(inputs->topics);
    weir__free(inputs->codecs);
    weir__free(inputs->items);
}

bool weir__service_at(const struct weir__program *program, const struct weir__plan *plan, char to[static 300])
{
    const char *address = weir__config_text(program->settings, "http.address");
    bool        one_for_all = !plan->port_given && weir__config_text(program->settings, "http.port") != NULL;
    bool        secure = weir__config_given(program->settings, "http.tls.certificate.file");
    int         port = one_for_all ? (int)weir__config_int(program->settings, "http.port") : plan->port;

    snprintf(to, 300, "%s%.280s:%d", secure ? "https://" : "",
             strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1" : address, port);
    return port > 0;
}
