/* build_api.c: the operators of the processor API: every node has the name it is given. */
#include "test/conformance/conformance.h"

/* Paths from all parents; a parent that nothing is called cannot be pointed to. */
static int add_parents(struct conf_build *build, const json_t *op, const struct weir_node *node,
                       struct conf_handle **ret)
{
    const json_t *parents = json_object_get(op, "parents");

    *ret = NULL;
    for (size_t i = 0; i < json_array_size(parents); i++) {
        const char         *name = json_string_value(json_array_get(parents, i));
        bool                self = name && node->called && strcmp(name, node->called) == 0;
        struct conf_handle *parent = self ? NULL : conf_handle(build, name);

        if (!self && (!parent || !parent->node))
            return weir__fail(&build->error, WEIR_BAD_TOPOLOGY, node->name, "there is no parent \"%s\"",
                              name ? name : "");
        conf_path(build, self ? node : parent->node, node);
        if (!*ret)
            *ret = parent;
    }
    return WEIR_OK;
}

static struct weir_node *api_node(struct conf_build *build, const json_t *op, int kind, struct conf_handle *ret)
{
    struct weir_node *node = conf_node(build, op, kind);

    node->called = conf_string(op, "name", NULL);
    ret->node = node;
    return node;
}

/* The DSL reads a topic once for all that want it, the processor API takes it as a mistake. */
static bool reads(const struct conf_build *build, const char *topic)
{
    for (size_t i = 0; i < build->nodes.count; i++) {
        const struct weir_node *node = build->nodes.items[i];

        for (size_t n = 0; node->kind != WEIR_SINK && node->topics && node->topics[n]; n++)
            if (strcmp(node->topics[n], topic) == 0)
                return true;
    }
    return false;
}

static int named_source(struct conf_build *build, const json_t *op, const char *member, struct conf_handle *ret)
{
    const char *const *topics = conf_topics(build, op);
    int                err;

    for (size_t i = 0; topics[i]; i++)
        for (size_t n = 0; n <= i; n++)
            if (reads(build, topics[i]) || (n < i && strcmp(topics[n], topics[i]) == 0))
                return weir__fail(&build->error, WEIR_BAD_TOPOLOGY, topics[i], "the topic is read already");
    err = conf_build_source(build, op, NULL, ret);
    ret->node->called = conf_string(op, member, NULL);
    return err;
}

int conf_build_api_source(struct conf_build *build, const json_t *op, struct conf_handle *from,
                          struct conf_handle *ret)
{
    (void)from;
    return named_source(build, op, "name", ret);
}

/* The type that a processor's values have after it. */
static const struct weir_codec *result_type(const json_t *json, const struct weir_codec *value)
{
    const struct conf_processor *processor = conf_processor_find(json);

    if (!processor || processor->result == CONF_SAME)
        return value;
    return processor->result == CONF_LONG ? weir_int64 : weir_string;
}

int conf_build_api_processor(struct conf_build *build, const json_t *op, struct conf_handle *from,
                             struct conf_handle *ret)
{
    struct weir_node   *node = api_node(build, op, WEIR_STEP, ret);
    struct conf_handle *parent;
    int                 err = add_parents(build, op, node, &parent);

    (void)from;
    if (err < 0)
        return err;
    if (parent) {
        ret->key = parent->key;
        ret->value = result_type(json_object_get(op, "processor"), parent->value);
    }
    node->key = ret->key;
    node->value = ret->value;
    err = conf_use_all(build, node, json_object_get(op, "stores"));
    return err < 0 ? err : conf_process_into(build, op, node, parent);
}

int conf_build_api_sink(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct weir_node   *node = api_node(build, op, WEIR_SINK, ret);
    struct conf_handle *parent;

    (void)from;
    node->topics = conf_topics(build, op);
    conf_topic_types(build->c, node->topics[0], &node->key, &node->value);
    return add_parents(build, op, node, &parent);
}

/* Connects stores to the nodes that a member lists. */
static int connect(struct conf_build *build, const json_t *names, const char *store)
{
    int err = WEIR_OK;

    for (size_t i = 0; err >= 0 && i < json_array_size(names); i++) {
        const char         *name = json_string_value(json_array_get(names, i));
        struct conf_handle *handle = conf_handle(build, name);

        if (!handle || !handle->node)
            return weir__fail(&build->error, WEIR_BAD_TOPOLOGY, store, "there is no processor \"%s\"",
                              name ? name : "");
        err = conf_use(build, handle->node, store);
    }
    return err;
}

int conf_build_add_store(struct conf_build *build, const json_t *op, struct conf_handle *from,
                         struct conf_handle *ret)
{
    const struct weir_store *store = conf_declared(build, json_object_get(op, "store"));

    (void)from, (void)ret;
    return connect(build, json_object_get(op, "processors"), store->called);
}

int conf_build_api_connect(struct conf_build *build, const json_t *op, struct conf_handle *from,
                           struct conf_handle *ret)
{
    const json_t       *stores = json_object_get(op, "stores");
    struct conf_handle *processor;
    int                 err = conf_reference(build, op, "processor", &processor);

    (void)from, (void)ret;
    if (err >= 0 && json_array_size(stores) == 0)
        return weir__fail(&build->error, WEIR_BAD_TOPOLOGY, processor->name, "no store is named");
    return err < 0 ? err : conf_use_all(build, processor->node, stores);
}

int conf_build_api_global(struct conf_build *build, const json_t *op, struct conf_handle *from,
                          struct conf_handle *ret)
{
    int err = conf_build_global_store(build, op, from, ret);

    ret->node->called = conf_string(op, "name", NULL);
    ret->node->grouped = conf_string(op, "source", NULL);
    return err;
}

/* A source and a step that has the store: what it is filled from is its changelog. */
int conf_build_api_read_only(struct conf_build *build, const json_t *op, struct conf_handle *from,
                             struct conf_handle *ret)
{
    struct weir_store  *store = conf_declared(build, json_object_get(op, "store"));
    struct conf_handle *source = conf_new(&build->c->arena, sizeof(*source));
    struct weir_node   *node;
    int                 err = named_source(build, op, "source", source);

    (void)from;
    if (err < 0)
        return err;
    store->log = WEIR_OFF;
    node = api_node(build, op, WEIR_STEP, ret);
    conf_path(build, source->node, node);
    node->key = ret->key = source->key;
    node->value = ret->value = result_type(json_object_get(op, "processor"), source->value);
    err = conf_use(build, node, store->called);
    return err < 0 ? err : conf_process_into(build, op, node, source);
}
