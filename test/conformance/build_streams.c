/* build_streams.c: sources, sinks and the operators that keep no state. */
#include "test/conformance/conformance.h"

int conf_build_source(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    const char       *reset = conf_string(op, "offset_reset", "earliest");
    struct weir_node *node = conf_node(build, op, WEIR_SOURCE);

    (void)from;
    node->topics = conf_topics(build, op);
    conf_topic_types(build->c, node->topics[0], &ret->key, &ret->value);
    conf_result(build, op, node, ret->key, ret->value, ret);
    node->key = ret->key;
    node->value = ret->value;
    node->reset = strcmp(reset, "latest") == 0 ? WEIR_LATEST : strcmp(reset, "none") == 0 ? WEIR_NONE : WEIR_EARLIEST;
    return conf_set_extractor(build, op, node);
}

int conf_build_table(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct weir_node *node = conf_node(build, op, WEIR_TABLE);

    (void)from;
    node->topics = conf_topics(build, op);
    conf_topic_types(build->c, node->topics[0], &ret->key, &ret->value);
    conf_result(build, op, node, ret->key, ret->value, ret);
    ret->table = true;
    if (conf_has(op, "store")) {
        node->into = conf_materialized(build, op, ret->key, ret->value, NULL);
    } else {
        node->key = ret->key;
        node->value = ret->value;
    }
    return conf_set_extractor(build, op, node);
}

int conf_build_global_table(struct conf_build *build, const json_t *op, struct conf_handle *from,
                            struct conf_handle *ret)
{
    struct weir_node *node = conf_node(build, op, WEIR_GLOBAL);

    (void)from;
    node->topics = conf_topics(build, op);
    conf_topic_types(build->c, node->topics[0], &ret->key, &ret->value);
    conf_result(build, op, node, ret->key, ret->value, ret);
    ret->global = true;
    node->into = conf_materialized(build, op, ret->key, ret->value, NULL);
    return WEIR_OK;
}

int conf_build_global_store(struct conf_build *build, const json_t *op, struct conf_handle *from,
                            struct conf_handle *ret)
{
    struct weir_node *node = conf_node(build, op, WEIR_GLOBAL);

    (void)from;
    node->topics = conf_topics(build, op);
    node->into = conf_declared(build, json_object_get(op, "store"));
    conf_topic_types(build->c, node->topics[0], &ret->key, &ret->value);
    ret->node = node;
    ret->global = true;
    return conf_process_into(build, op, node, ret);
}

int conf_build_filter(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    bool not = strcmp(conf_string(op, "op", ""), "filter_not") == 0;
    struct weir_node  *node = conf_node(build, op, not ? WEIR_DROP : WEIR_KEEP);
    struct conf_verbs *verbs = conf_verbs(build, node, from);

    node->test = conf_test;
    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    ret->table = from->table;
    if (conf_has(op, "store"))
        node->into = conf_materialized(build, op, ret->key, ret->value, NULL);
    return conf_function(build, CONF_PREDICATE, op, "fn", &verbs->fn);
}

static int map_functions(struct conf_build *build, const json_t *op, struct conf_verbs *verbs)
{
    int err = conf_function(build, CONF_MAPPER, op, "key_fn", &verbs->key_fn);

    return err < 0 ? err : conf_function(build, CONF_MAPPER, op, "value_fn", &verbs->value_fn);
}

int conf_build_map(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    bool               values = strcmp(conf_string(op, "op", ""), "map_values") == 0;
    struct weir_node  *node = conf_node(build, op, values ? WEIR_MAP_VALUES : WEIR_MAP);
    struct conf_verbs *verbs = conf_verbs(build, node, from);

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    ret->table = from->table;
    node->map = values ? conf_map_values : conf_map;
    node->key = values ? NULL : ret->key;
    node->value = ret->value;
    verbs->out_key = ret->key;
    verbs->out_value = ret->value;
    if (conf_has(op, "store"))
        node->into = conf_materialized(build, op, ret->key, ret->value, NULL);
    return values ? conf_function(build, CONF_MAPPER, op, "fn", &verbs->fn) : map_functions(build, op, verbs);
}

int conf_build_select_key(struct conf_build *build, const json_t *op, struct conf_handle *from,
                          struct conf_handle *ret)
{
    struct weir_node  *node = conf_node(build, op, WEIR_REKEY);
    struct conf_verbs *verbs = conf_verbs(build, node, from);

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    node->select = conf_select;
    node->key = ret->key;
    verbs->out_key = ret->key;
    return conf_function(build, CONF_MAPPER, op, "fn", &verbs->fn);
}

int conf_build_flat(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    bool               values = strcmp(conf_string(op, "op", ""), "flat_map_values") == 0;
    struct weir_node  *node = conf_node(build, op, values ? WEIR_FLAT_MAP_VALUES : WEIR_FLAT_MAP);
    struct conf_verbs *verbs = conf_verbs(build, node, from);

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    node->process = conf_flat;
    node->key = values ? NULL : ret->key;
    node->value = ret->value;
    return conf_function(build, values ? CONF_FLAT_VALUES : CONF_FLAT, op, "fn", &verbs->fn);
}

int conf_build_watch(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    bool              peek = strcmp(conf_string(op, "op", ""), "peek") == 0;
    struct weir_node *node = conf_node(build, op, peek ? WEIR_PEEK : WEIR_FOREACH);

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    node->process = conf_nothing;
    return WEIR_OK;
}

int conf_build_merge(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct conf_handle *with;
    struct weir_node   *node;
    int                 err = conf_reference(build, op, "with", &with);

    if (err < 0)
        return err;
    node = conf_node(build, op, WEIR_MERGE);
    conf_path(build, from->node, node);
    conf_path(build, with->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    return WEIR_OK;
}

/* A leg, and its handle: "<split>.<prefix><word>"; word NULL = its number. */
static struct weir_node *add_leg(struct conf_build *build, const json_t *op, const struct conf_handle *from,
                                 const char *word, size_t number)
{
    struct weir_arena  *arena = &build->c->arena;
    struct conf_handle *handle = conf_new(arena, sizeof(*handle));
    struct weir_node   *leg = conf_node(build, op, WEIR_LEG);
    const char         *prefix = conf_string(op, "named", "");

    handle->name = word ? weir__arena_printf(arena, "%s.%s%s", conf_string(op, "name", ""), prefix, word)
                        : weir__arena_printf(arena, "%s.%s%zu", conf_string(op, "name", ""), prefix, number);
    handle->node = leg;
    handle->key = from->key;
    handle->value = from->value;
    leg->called = word;
    conf_add(&build->handles, handle);
    return leg;
}

static int add_default(struct conf_build *build, const json_t *op, const struct conf_handle *from,
                       const struct weir_node **ret)
{
    const char *word = conf_string(op, "default", "none");

    if (strcmp(word, "none") != 0)
        *ret = add_leg(build, op, from, strcmp(word, "unnamed") == 0 ? NULL : word, 0);
    return WEIR_OK;
}

int conf_build_split(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    const json_t            *branches = json_object_get(op, "branches");
    size_t                   count = json_array_size(branches);
    struct weir_node        *node = conf_node(build, op, WEIR_SPLIT);
    const struct weir_node **legs = conf_new(&build->c->arena, (count + 2) * sizeof(*legs));
    int                      err = WEIR_OK;

    conf_path(build, from->node, node);
    conf_result(build, op, NULL, from->key, from->value, ret);
    node->legs = legs;
    for (size_t i = 0; i < count && err >= 0; i++) {
        const json_t      *branch = json_array_get(branches, i);
        struct weir_node  *leg = add_leg(build, op, from, conf_string(branch, "as", NULL), i + 1);
        struct conf_verbs *verbs = conf_verbs(build, leg, from);

        leg->test = conf_test;
        legs[i] = leg;
        err = conf_function(build, CONF_PREDICATE, branch, "fn", &verbs->fn);
    }
    return err < 0 ? err : add_default(build, op, from, &legs[count]);
}

int conf_build_sink(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct weir_node  *node = conf_node(build, op, WEIR_SINK);
    struct conf_verbs *verbs;

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    node->key = from->key;
    node->value = from->value;
    node->topics = conf_topics(build, op);
    if (!conf_has(op, "topic_fn"))
        return WEIR_OK;
    verbs = conf_verbs(build, node, from);
    node->route = conf_route;
    return conf_function(build, CONF_MAPPER, op, "topic_fn", &verbs->fn);
}

int conf_build_repartition(struct conf_build *build, const json_t *op, struct conf_handle *from,
                           struct conf_handle *ret)
{
    struct weir_node *node = conf_node(build, op, WEIR_REPARTITION);

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    node->partitions = (int)conf_number(op, "partitions", 0);
    return WEIR_OK;
}

int conf_build_process(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    bool              values = strcmp(conf_string(op, "op", ""), "process_values") == 0;
    struct weir_node *node = conf_node(build, op, values ? WEIR_STEP_VALUES : WEIR_STEP);
    int               err;

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    node->key = values ? NULL : ret->key;
    node->value = ret->value;
    err = conf_use_all(build, node, json_object_get(op, "stores"));
    return err < 0 ? err : conf_process_into(build, op, node, from);
}
