/* build.c: a case's operators, one after the other, into a topology of declare.h's structs.
 *
 * (1) Nodes are made in the order of the operators: that is .order. Every edge is a path of two nodes.
 * (2) group_by_key, window and cogroup make no node: what they say waits in their handle for the aggregation.
 * (3) Children are named, not pointed to, in a case: they are looked up when all is built.
 */
#include <ctype.h>

#include "test/conformance/conformance.h"

int conf_refuse(struct conf_build *build, const json_t *op, const char *format, ...)
{
    char    text[sizeof(build->error.text)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return weir__fail(&build->error, WEIR_FATAL, conf_string(op, "name", conf_string(op, "op", "?")), "%s", text);
}

void conf_need(struct conf_build *build, const char *kind)
{
    if (!build->need)
        build->need = kind;
}

/* ---- nodes, paths, handles ---- */

static bool name_taken(const struct conf_build *build, const char *name)
{
    for (size_t i = 0; i < build->nodes.count; i++)
        if (strcmp(((const struct weir_node *)build->nodes.items[i])->name, name) == 0)
            return true;
    return false;
}

/* A word that no other node has, made of the operator's name. */
static const char *node_word(struct conf_build *build, const char *name)
{
    char *word = weir__arena_printf(&build->c->arena, "%s%s", isalpha((unsigned char)name[0]) ? "" : "n_", name);

    CHECK(word != NULL);
    for (char *at = word; *at; at++)
        if (!isalnum((unsigned char)*at))
            *at = '_';
    return name_taken(build, word) ? weir__arena_printf(&build->c->arena, "%s_%zu", word, build->nodes.count) : word;
}

struct weir_node *conf_node(struct conf_build *build, const json_t *op, int kind)
{
    struct weir_node *node = conf_new(&build->c->arena, sizeof(*node));

    node->name = node_word(build, conf_string(op, "name", conf_string(op, "op", "node")));
    node->called = conf_string(op, "named", NULL);
    node->kind = kind;
    conf_add(&build->nodes, node);
    return node;
}

struct conf_verbs *conf_verbs(struct conf_build *build, struct weir_node *node, const struct conf_handle *from)
{
    struct conf_verbs *verbs = conf_new(&build->c->arena, sizeof(*verbs));

    verbs->c = build->c;
    if (from) {
        verbs->key = from->key;
        verbs->value = from->value;
    }
    node->arg = verbs;
    return verbs;
}

void conf_path(struct conf_build *build, const struct weir_node *from, const struct weir_node *to)
{
    const struct weir_node **path = conf_new(&build->c->arena, 3 * sizeof(*path));

    path[0] = from;
    path[1] = to;
    conf_add(&build->paths, path);
}

struct conf_handle *conf_handle(struct conf_build *build, const char *name)
{
    for (size_t i = build->handles.count; name && i-- > 0;) {
        struct conf_handle *handle = (struct conf_handle *)build->handles.items[i];

        if (strcmp(handle->name, name) == 0)
            return handle;
    }
    return NULL;
}

int conf_reference(struct conf_build *build, const json_t *op, const char *member, struct conf_handle **ret)
{
    const char *name = conf_string(op, member, NULL);

    *ret = conf_handle(build, name);
    if (*ret && ((*ret)->node || (*ret)->arms))
        return WEIR_OK;
    return weir__fail(&build->error, WEIR_BAD_TOPOLOGY, conf_string(op, "name", "?"), "there is no \"%s\"",
                      name ? name : "");
}

/* What the case says about the operator's types goes before what was derived. */
void conf_result(struct conf_build *build, const json_t *op, struct weir_node *node, const struct weir_codec *key,
                 const struct weir_codec *value, struct conf_handle *ret)
{
    ret->node = node;
    ret->key = key;
    ret->value = value;
    conf_node_types(build->c, conf_string(op, "name", NULL), &ret->key, &ret->value);
}

int conf_function(struct conf_build *build, enum conf_family family, const json_t *op, const char *member,
                  struct conf_function *ret)
{
    const json_t *json = json_object_get(op, member);
    char         *text;
    int           err;

    if (conf_function_find(family, json, ret))
        return WEIR_OK;
    text = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;
    err = conf_refuse(build, op, "the runner knows no function %s for \"%s\"", text ? text : "(absent)", member);
    free(text);
    return err;
}

const char *const *conf_topics(struct conf_build *build, const json_t *op)
{
    const json_t *list = json_object_get(op, "topics");
    size_t        count = json_array_size(list);
    const char  **topics = conf_new(&build->c->arena, (count + 2) * sizeof(*topics));

    for (size_t i = 0; i < count; i++)
        topics[i] = json_string_value(json_array_get(list, i));
    if (!count)
        topics[0] = conf_string(op, "topic", NULL);
    return topics;
}

int conf_set_extractor(struct conf_build *build, const json_t *op, struct weir_node *node)
{
    struct conf_verbs *verbs;

    if (!conf_has(op, "extractor"))
        return WEIR_OK;
    verbs = conf_verbs(build, node, NULL);
    node->extract = conf_extract;
    return conf_function(build, CONF_EXTRACTOR, op, "extractor", &verbs->extractor);
}

/* ---- stores and children by name ---- */

static size_t count_uses(const struct weir_node *node)
{
    size_t count = 0;

    while (node->uses && node->uses[count])
        count++;
    return count;
}

/* Adds a store to what the node uses, once. */
static void add_use(struct conf_build *build, struct weir_node *node, const struct weir_store *store)
{
    size_t                    count = count_uses(node);
    const struct weir_store **uses = conf_new(&build->c->arena, (count + 2) * sizeof(*uses));

    for (size_t i = 0; i < count; i++) {
        if (node->uses[i] == store)
            return;
        uses[i] = node->uses[i];
    }
    uses[count] = store;
    node->uses = uses;
}

static const struct weir_node *global_of(const struct conf_build *build, const char *store)
{
    for (size_t i = 0; i < build->nodes.count; i++) {
        const struct weir_node *node = build->nodes.items[i];

        if (node->kind == WEIR_GLOBAL && node->into && node->into->called && store &&
            strcmp(node->into->called, store) == 0)
            return node;
    }
    return NULL;
}

/* As upstream: of stores that are there already, and not of global ones, which every processor may read. */
int conf_use(struct conf_build *build, struct weir_node *node, const char *name)
{
    const struct weir_store *store = conf_store_named(build, name);

    if (!store)
        return weir__fail(&build->error, WEIR_BAD_TOPOLOGY, node->name, "there is no store \"%s\" yet", name);
    if (global_of(build, name))
        return weir__fail(&build->error, WEIR_BAD_TOPOLOGY, node->name, "store \"%s\" is global", name);
    add_use(build, node, store);
    return WEIR_OK;
}

int conf_use_all(struct conf_build *build, struct weir_node *node, const json_t *names)
{
    int err = WEIR_OK;

    for (size_t i = 0; err >= 0 && i < json_array_size(names); i++)
        err = conf_use(build, node, json_string_value(json_array_get(names, i)));
    return err;
}

static const struct weir_node *child_named(const struct conf_build *build, const char *name)
{
    for (size_t i = 0; i < build->nodes.count; i++) {
        const struct weir_node *node = build->nodes.items[i];

        if (name && node->called && strcmp(node->called, name) == 0)
            return node;
    }
    return NULL;
}

static bool uses(const struct weir_node *node, const struct weir_store *store)
{
    for (size_t i = 0; node->uses && node->uses[i]; i++)
        if (node->uses[i] == store)
            return true;
    return node->into == store;
}

/* Gives a processor's verbs the stores, tables and children that its parameters name. */
static void resolve_processor(struct conf_build *build, struct weir_node *node)
{
    struct conf_verbs           *verbs = (struct conf_verbs *)node->arg;
    const struct conf_processor *processor = conf_processor_find(verbs->processor);
    const char                  *first = conf_arg_text(verbs->processor, 1).data;
    const struct weir_node     **looks;

    if (processor->store) {
        verbs->store = conf_store_named(build, first);
        verbs->connected = verbs->store && uses(node, verbs->store);
    }
    if (strcmp(processor->name, "global_lookup") == 0 && (verbs->global = global_of(build, first))) {
        looks = conf_new(&build->c->arena, 2 * sizeof(*looks));
        looks[0] = verbs->global;
        node->looks_up = looks;
    }
    if (strcmp(processor->name, "to_child") == 0) {
        verbs->children[0] = child_named(build, first);
        verbs->children[1] = child_named(build, conf_arg_text(verbs->processor, 3).data);
    }
}

static bool is_processor(const struct weir_node *node)
{
    const struct conf_verbs *verbs = node->arg;

    return verbs && verbs->processor;
}

int conf_process_into(struct conf_build *build, const json_t *op, struct weir_node *node,
                      const struct conf_handle *from)
{
    const json_t                *json = json_object_get(op, "processor"), *predicate;
    const struct conf_processor *processor = conf_processor_find(json);
    struct conf_verbs           *verbs = conf_verbs(build, node, from);

    if (!processor)
        return conf_refuse(build, op, "the runner knows no such processor");
    if (processor->missing) {
        build->lack = processor->missing;
        conf_need(build, processor->missing);
    }
    verbs->processor = json;
    node->process = processor->process ? processor->process : conf_nothing;
    node->open = processor->open;
    node->state = processor->state;
    if (strcmp(processor->name, "to_child") != 0)
        return WEIR_OK;
    predicate = json_array_get(json, 2);
    if (!conf_function_find(CONF_PREDICATE, predicate, &verbs->fn))
        return conf_refuse(build, op, "the runner knows no such predicate");
    return WEIR_OK;
}

/* ---- all operators ---- */

static const struct {
    const char    *op;
    conf_operator *build;
    const char    *from; /* the member that names the input; NULL = none */
} operators[] = {
    { "stream", conf_build_source, NULL },
    { "table", conf_build_table, NULL },
    { "global_table", conf_build_global_table, NULL },
    { "global_store", conf_build_global_store, NULL },
    { "add_store", conf_build_add_store, NULL },
    { "filter", conf_build_filter, "from" },
    { "filter_not", conf_build_filter, "from" },
    { "map", conf_build_map, "from" },
    { "map_values", conf_build_map, "from" },
    { "select_key", conf_build_select_key, "from" },
    { "flat_map", conf_build_flat, "from" },
    { "flat_map_values", conf_build_flat, "from" },
    { "peek", conf_build_watch, "from" },
    { "foreach", conf_build_watch, "from" },
    { "merge", conf_build_merge, "from" },
    { "split", conf_build_split, "from" },
    { "to", conf_build_sink, "from" },
    { "repartition", conf_build_repartition, "from" },
    { "to_table", conf_build_to_table, "from" },
    { "to_stream", conf_build_to_stream, "from" },
    { "group_by_key", conf_build_group_by_key, "from" },
    { "group_by", conf_build_group_by, "from" },
    { "window", conf_build_window, "from" },
    { "cogroup", conf_build_cogroup, "from" },
    { "count", conf_build_count, "from" },
    { "reduce", conf_build_reduce, "from" },
    { "aggregate", conf_build_aggregate, "from" },
    { "process", conf_build_process, "from" },
    { "process_values", conf_build_process, "from" },
    { "join", conf_build_join, "from" },
    { "left_join", conf_build_join, "from" },
    { "outer_join", conf_build_join, "from" },
    { "suppress", conf_build_suppress, "from" },
    { "add_source", conf_build_api_source, NULL },
    { "add_processor", conf_build_api_processor, NULL },
    { "add_sink", conf_build_api_sink, NULL },
    { "connect_stores", conf_build_api_connect, NULL },
    { "add_global_store", conf_build_api_global, NULL },
    { "add_read_only_store", conf_build_api_read_only, NULL },
};

static int build_operator(struct conf_build *build, const json_t *op)
{
    const char         *word = conf_string(op, "op", "");
    struct conf_handle *from = NULL, *handle = conf_new(&build->c->arena, sizeof(*handle));
    int                 err;

    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if (strcmp(operators[i].op, word) != 0)
            continue;
        err = operators[i].from ? conf_reference(build, op, operators[i].from, &from) : WEIR_OK;
        if (err < 0)
            return err;
        handle->name = conf_string(op, "name", "");
        err = operators[i].build(build, op, from, handle);
        conf_add(&build->handles, handle);
        return err;
    }
    return conf_refuse(build, op, "the runner knows no operator \"%s\"", word);
}

/* Nodes without an edge are paths of one. */
static void add_lonely(struct conf_build *build)
{
    for (size_t i = 0; i < build->nodes.count; i++) {
        const struct weir_node *node = build->nodes.items[i];
        bool                    found = false;

        for (size_t n = 0; n < build->paths.count && !found; n++) {
            const struct weir_node *const *path = build->paths.items[n];

            found = path[0] == node || path[1] == node;
        }
        if (!found)
            conf_path(build, node, NULL);
    }
}

/* Stores that were added and that no node has. */
static void find_idle(struct conf_build *build)
{
    for (size_t i = 0; i < build->stores.count; i++) {
        const struct weir_store *store = build->stores.items[i];
        bool                     found = false;

        for (size_t n = 0; n < build->nodes.count && !found; n++)
            found = uses(build->nodes.items[n], store);
        if (!found)
            conf_add(&build->idle, store);
    }
}

static int finish(struct conf_build *build)
{
    for (size_t i = 0; i < build->nodes.count; i++)
        if (is_processor(build->nodes.items[i]))
            resolve_processor(build, (struct weir_node *)build->nodes.items[i]);
    add_lonely(build);
    find_idle(build);
    build->topology = (struct weir_topology){
        .name = "conformance",
        .paths = (const struct weir_node *const *const *)build->paths.items,
        .order = (const struct weir_node *const *)build->nodes.items,
        .stores = (const struct weir_store *const *)build->idle.items,
        .kafka_names = true,
    };
    return WEIR_OK;
}

static int check_config(struct conf_build *build)
{
    const char *guarantee = conf_string(build->c->config, "processing.guarantee", "at_least_once");

    if (strcmp(guarantee, "at_least_once") != 0 && strcmp(guarantee, "exactly_once_v2") != 0)
        return weir__fail(&build->error, WEIR_BAD_CONFIG, "processing.guarantee", "\"%s\" is none", guarantee);
    if (conf_number(build->c->config, "statestore.cache.max.bytes", 0) < 0)
        return weir__fail(&build->error, WEIR_BAD_CONFIG, "statestore.cache.max.bytes", "it is negative");
    return WEIR_OK;
}

static void check_optimization(struct conf_build *build)
{
    const char *optimization = conf_string(build->c->config, "topology.optimization", "none");

    if (strcmp(optimization, "none") != 0) {
        build->lack = "optimization";
        conf_need(build, "optimization");
    }
}

int conf_build_init(struct conf_build *build, struct conf_case *c)
{
    const json_t *topology = json_object_get(c->json, "topology");
    int           err;

    *build = (struct conf_build){ .c = c };
    err = check_config(build);
    check_optimization(build);
    for (size_t i = 0; i < json_array_size(topology) && err >= 0; i++)
        err = build_operator(build, json_array_get(topology, i));
    return err < 0 ? err : finish(build);
}

void conf_build_fini(struct conf_build *build)
{
    struct conf_list *lists[] = { &build->nodes, &build->paths, &build->stores, &build->handles, &build->idle };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        weir__free(lists[i]->items);
    *build = (struct conf_build){ 0 };
}
