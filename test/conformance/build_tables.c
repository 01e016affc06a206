/* build_tables.c: groups, windows, aggregations, tables, joins, suppression. */
#include "test/conformance/conformance.h"

int conf_build_to_table(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct weir_node *node = conf_node(build, op, WEIR_AS_TABLE);

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    ret->table = true;
    if (conf_has(op, "store"))
        node->into = conf_materialized(build, op, ret->key, ret->value, NULL);
    return WEIR_OK;
}

int conf_build_to_stream(struct conf_build *build, const json_t *op, struct conf_handle *from,
                         struct conf_handle *ret)
{
    struct weir_node  *node = conf_node(build, op, WEIR_AS_STREAM);
    struct conf_verbs *verbs;

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    if (!conf_has(op, "key_fn"))
        return WEIR_OK;
    verbs = conf_verbs(build, node, from);
    node->select = conf_select;
    node->key = ret->key;
    verbs->out_key = ret->key;
    return conf_function(build, CONF_MAPPER, op, "key_fn", &verbs->fn);
}

/* ---- groups: handles that wait for their aggregation ---- */

int conf_build_group_by_key(struct conf_build *build, const json_t *op, struct conf_handle *from,
                            struct conf_handle *ret)
{
    (void)build;
    ret->node = from->node;
    ret->key = from->key;
    ret->value = from->value;
    ret->group = conf_string(op, "named", NULL);
    return WEIR_OK;
}

static int regroup(struct conf_build *build, const json_t *op, struct weir_node *node, struct conf_verbs *verbs)
{
    int err = conf_function(build, CONF_MAPPER, op, "key_fn", &verbs->key_fn);

    conf_need(build, "table aggregation");
    node->map = conf_regroup;
    node->value = verbs->out_value;
    return err < 0 ? err : conf_function(build, CONF_MAPPER, op, "value_fn", &verbs->value_fn);
}

int conf_build_group_by(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct weir_node  *node = conf_node(build, op, WEIR_REKEY);
    struct conf_verbs *verbs = conf_verbs(build, node, from);

    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    ret->group = conf_string(op, "named", NULL);
    ret->grouped_table = from->table;
    node->key = ret->key;
    verbs->out_key = ret->key;
    verbs->out_value = ret->value;
    if (from->table)
        return regroup(build, op, node, verbs);
    node->select = conf_select;
    return conf_function(build, CONF_MAPPER, op, "fn", &verbs->fn);
}

int conf_build_window(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    const json_t *window = json_object_get(op, "window");
    const char   *type = conf_string(window, "type", "");

    *ret = (struct conf_handle){ .name = ret->name,
                                 .node = from->node,
                                 .key = from->key,
                                 .value = from->value,
                                 .group = from->group,
                                 .arms = from->arms,
                                 .arm_count = from->arm_count,
                                 .state = from->state,
                                 .window = window };
    if (strcmp(conf_string(op, "emit", ""), "close") == 0)
        ret->emit = WEIR_ON_CLOSE;
    if (strcmp(type, "session") == 0)
        conf_need(build, "session windows");
    if (strcmp(type, "sliding") == 0)
        conf_need(build, "sliding windows");
    return WEIR_OK;
}

/* The input of one more arm: a cogroup has no node of its own yet. */
static int add_arm(struct conf_build *build, const json_t *op, const struct conf_handle *input,
                   struct conf_handle *ret)
{
    struct conf_verbs *verbs = conf_new(&build->c->arena, sizeof(*verbs));
    struct weir_arm   *arms = conf_new(&build->c->arena, (ret->arm_count + 2) * sizeof(*arms));

    if (ret->arm_count)
        memcpy(arms, ret->arms, ret->arm_count * sizeof(*arms));
    *verbs = (struct conf_verbs){ .c = build->c, .key = input->key, .value = input->value, .state = ret->state };
    arms[ret->arm_count++] = (struct weir_arm){ input->node, conf_fold, verbs };
    ret->arms = arms;
    return conf_function(build, CONF_AGGREGATOR, op, "fn", &verbs->fn);
}

int conf_build_cogroup(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct conf_handle *with = from;
    int                 err = WEIR_OK;

    conf_need(build, "cogroup");
    *ret = (struct conf_handle){ .name = ret->name,
                                 .key = from->key,
                                 .value = from->value,
                                 .group = from->group,
                                 .arms = from->arms,
                                 .arm_count = from->arm_count,
                                 .state = from->state };
    if (from->arms)
        err = conf_reference(build, op, "with", &with);
    else
        ret->state = conf_codec(&build->c->arena, conf_string(op, "value", "string"));
    return err < 0 ? err : add_arm(build, op, with, ret);
}

/* ---- aggregations ---- */

static const struct weir_codec *windowed_key(struct conf_build *build, const struct conf_handle *from)
{
    struct weir_codec *codec = conf_new(&build->c->arena, sizeof(*codec));
    const char        *type = conf_string(from->window, "type", "");

    if (strcmp(type, "session") == 0) {
        *codec = *SESSIONED(from->key);
        return codec;
    }
    *codec = *WINDOWED(from->key, INT64_MAX);
    if (strcmp(type, "unlimited") != 0)
        codec->width = conf_number(from->window, "size", conf_number(from->window, "diff", 0));
    return codec;
}

static void add_inputs(struct conf_build *build, const struct conf_handle *from, const struct weir_node *node)
{
    for (size_t i = 0; i < from->arm_count; i++)
        conf_path(build, from->arms[i].from, node);
    if (!from->arm_count)
        conf_path(build, from->node, node);
}

/* What all aggregations share: inputs, store, result. value: type of the aggregate. */
static struct conf_verbs *aggregate(struct conf_build *build, const json_t *op, const struct conf_handle *from,
                                    struct weir_node *node, const struct weir_codec *value, struct conf_handle *ret)
{
    struct conf_verbs *verbs = conf_verbs(build, node, from);

    add_inputs(build, from, node);
    conf_result(build, op, node, from->window ? windowed_key(build, from) : from->key, value, ret);
    ret->table = true;
    verbs->state = ret->value;
    node->grouped = from->group;
    node->emit = from->emit;
    node->into = conf_materialized(build, op, from->key, ret->value, from->window);
    return verbs;
}

int conf_build_count(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct weir_node *node = conf_node(build, op, WEIR_COUNT);

    aggregate(build, op, from, node, weir_int64, ret);
    node->arg = NULL;
    return WEIR_OK;
}

/* adder and subtractor of a grouped table, or fn of a grouped stream. */
static int fold_functions(struct conf_build *build, const json_t *op, const struct conf_handle *from,
                          struct weir_node *node, struct conf_verbs *verbs, enum conf_family family)
{
    int err;

    node->fold = conf_fold;
    if (!from->grouped_table)
        return conf_function(build, family, op, "fn", &verbs->fn);
    node->subtract = conf_subtract;
    err = conf_function(build, family, op, "adder", &verbs->fn);
    return err < 0 ? err : conf_function(build, family, op, "subtractor", &verbs->subtract);
}

int conf_build_reduce(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct weir_node  *node = conf_node(build, op, WEIR_REDUCE);
    struct conf_verbs *verbs = aggregate(build, op, from, node, from->value, ret);

    return fold_functions(build, op, from, node, verbs, CONF_REDUCER);
}

int conf_build_aggregate(struct conf_build *build, const json_t *op, struct conf_handle *from,
                         struct conf_handle *ret)
{
    const char              *type = conf_string(op, "value", NULL);
    const struct weir_codec *value = type ? conf_codec(&build->c->arena, type) : from->state;
    struct weir_node        *node = conf_node(build, op, from->arms ? WEIR_COGROUP : WEIR_AGGREGATE);
    struct conf_verbs       *verbs = aggregate(build, op, from, node, value, ret);
    int                      err = WEIR_OK;

    node->init = conf_begin;
    verbs->init = json_object_get(op, "init");
    if (from->arms)
        node->arms = from->arms;
    else
        err = fold_functions(build, op, from, node, verbs, CONF_AGGREGATOR);
    if (err < 0 || !conf_has(op, "merger"))
        return err;
    node->unite = conf_unite;
    return conf_function(build, CONF_MERGER, op, "merger", &verbs->merger);
}

/* ---- joins ---- */

static int side_of(const json_t *op)
{
    const char *word = conf_string(op, "op", "");

    return strcmp(word, "join") == 0 ? WEIR_INNER : strcmp(word, "left_join") == 0 ? WEIR_LEFT : WEIR_OUTER;
}

static void join_streams(struct conf_build *build, const json_t *op, struct weir_node *node,
                         const struct conf_handle *from, const struct conf_handle *with)
{
    const json_t             *window = json_object_get(op, "window");
    int64_t                   diff = conf_number(window, "diff", 0);
    const struct weir_store **stores = conf_new(&build->c->arena, 3 * sizeof(*stores));

    conf_need(build, "stream-stream join");
    node->before = conf_number(window, "before", diff);
    node->after = conf_number(window, "after", diff);
    node->grace = conf_number(window, "grace", 0);
    node->stores_called = conf_string(op, "store_name", NULL);
    if (strcmp(conf_string(op, "store_kind", ""), "in_memory") == 0)
        node->in_memory = WEIR_ON;
    if (json_is_boolean(json_object_get(op, "log")))
        node->log = json_is_true(json_object_get(op, "log")) ? WEIR_ON : WEIR_OFF;
    if (!conf_has(op, "this_store") || !conf_has(op, "other_store"))
        return;
    stores[0] = conf_join_store(build, json_object_get(op, "this_store"), from->key, from->value);
    stores[1] = conf_join_store(build, json_object_get(op, "other_store"), with->key, with->value);
    node->uses = stores;
}

static int join_tables(struct conf_build *build, const json_t *op, struct weir_node *node, struct conf_verbs *verbs,
                       struct conf_handle *ret)
{
    conf_need(build, conf_has(op, "fk") ? "foreign-key join" : "table-table join");
    ret->table = true;
    if (conf_has(op, "store"))
        node->into = conf_materialized(build, op, ret->key, ret->value, NULL);
    if (!conf_has(op, "fk"))
        return WEIR_OK;
    node->foreign = conf_foreign;
    return conf_function(build, CONF_MAPPER, op, "fk", &verbs->foreign);
}

/* Upstream asks for a versioned table as soon as a grace is given, be it 0; weir's 0 is none. */
static int64_t join_grace(const json_t *op, const struct conf_handle *with)
{
    bool versioned = with->node->into && with->node->into->kind == WEIR_VERSIONED;

    return conf_has(op, "grace") && !versioned ? 1 : conf_number(op, "grace", 0);
}

int conf_build_join(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    struct conf_handle *with;
    struct conf_verbs  *verbs;
    struct weir_node   *node;
    int                 err = conf_reference(build, op, "with", &with);

    if (err < 0)
        return err;
    node = conf_node(build, op, WEIR_JOIN);
    verbs = conf_verbs(build, node, from);
    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, weir_string, ret);
    node->side = side_of(op);
    node->with = with->node;
    node->join = conf_join;
    node->value = ret->value;
    verbs->right = with->value;
    verbs->out_value = ret->value;
    err = conf_function(build, CONF_JOINER, op, "joiner", &verbs->fn);
    if (err < 0)
        return err;
    if (with->global) {
        node->select = conf_select_key;
        return conf_function(build, CONF_MAPPER, op, "key_fn", &verbs->key_fn);
    }
    if (from->table && with->table)
        return join_tables(build, op, node, verbs, ret);
    if (with->table)
        node->grace = join_grace(op, with);
    else
        join_streams(build, op, node, from, with);
    return WEIR_OK;
}

int conf_build_suppress(struct conf_build *build, const json_t *op, struct conf_handle *from, struct conf_handle *ret)
{
    const json_t     *buffer = json_object_get(op, "buffer");
    const char       *full = conf_string(buffer, "full", "unbounded");
    struct weir_node *node = conf_node(build, op, WEIR_SUPPRESS);

    conf_need(build, "suppress");
    conf_path(build, from->node, node);
    conf_result(build, op, node, from->key, from->value, ret);
    ret->table = true;
    node->until = UNTIL_CLOSE;
    if (strcmp(conf_string(op, "until", ""), "time_limit") == 0) {
        int64_t ms = conf_number(op, "ms", 0);

        node->until = ms == UNTIL_CLOSE ? UNTIL_CLOSE - 1 : ms; /* any negative limit means the same */
    }
    node->max_records = conf_number(buffer, "max_records", 0);
    node->max_bytes = conf_number(buffer, "max_bytes", 0);
    node->when_full = strcmp(full, "emit_early") == 0 ? WEIR_EMIT_EARLY
                      : strcmp(full, "shutdown") == 0 ? WEIR_SHUT_DOWN
                                                      : WEIR_UNBOUNDED;
    if (json_is_false(json_object_get(buffer, "log")))
        node->log = WEIR_OFF;
    return WEIR_OK;
}
