/* describe_json.c: the plan as JSON: sub-topologies, nodes with their types and edges, stores, topics, what configuration set. */
#include "framework/topology/describe.h"

#include "framework/json/json.h"
#include "framework/outlet.h"

/* Left out where it has none. */
static void put_codec(struct weir_json_out *json, const char *name, const struct weir_codec *codec)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };

    if (codec == NULL)
        return;
    weir__codec_describe(codec, &text);
    weir__buf_putc(&text, '\0');
    weir__json_member_text(json, name, weir__buf_ok(&text) ? text.data : NULL);
}

static void begin_list(struct weir_json_out *json, const char *name)
{
    weir_json_name(json, name);
    weir_json_begin_array(json);
}

/* ---- nodes ---- */

static const char *role_of(const struct weir__node *node)
{
    switch (node->op) {
    case WEIR__SOURCE: return "source";
    case WEIR__SINK: return "sink";
    case WEIR__OUTLET: return "outlet";
    default: return "processor";
    }
}

static void put_topics(struct weir_json_out *json, const struct weir__plan *plan, const struct weir__node *node)
{
    begin_list(json, "topics");
    for (size_t i = 0; i < node->topic_count; i++) {
        char name[600];

        snprintf(name, sizeof(name), "%s%s%s", node->internal ? plan->application : "", node->internal ? "-" : "",
                 node->topics[i]);
        weir_json_put_string(json, name);
    }
    weir_json_end_array(json);
}

static void put_node(struct weir_json_out *json, const struct weir__plan *plan, const struct weir__node *node)
{
    weir_json_begin_object(json);
    weir__json_member_text(json, "name", node->name);
    weir__json_member_text(json, "role", role_of(node));
    weir__json_member_text(json, "kind", node->spec != NULL ? weir__kind_word(node->spec->kind) : NULL);
    put_codec(json, "key_in", node->key_in);
    put_codec(json, "value_in", node->value_in);
    put_codec(json, "key_out", node->key_out);
    put_codec(json, "value_out", node->value_out);
    if (node->topic_count > 0)
        put_topics(json, plan, node);
    if (node->op == WEIR__OUTLET)
        weir__json_member_text(json, "outlet", node->spec->outlet->name);
    begin_list(json, "stores");
    for (size_t i = 0; i < node->store_count; i++)
        weir_json_put_string(json, node->stores[i]->name);
    weir_json_end_array(json);
    begin_list(json, "to");
    for (size_t i = 0; i < node->child_count; i++)
        weir_json_put_string(json, node->children[i]->name);
    weir_json_end_array(json);
    weir_json_end_object(json);
}

static void put_sub(struct weir_json_out *json, const struct weir__plan *plan, size_t n)
{
    const struct weir__subtopology *sub = &plan->subs[n];

    weir_json_begin_object(json);
    weir__json_member_int(json, "number", (int64_t)n);
    weir__json_member_bool(json, "global", sub->global);
    weir__json_member_bool(json, "stateful", sub->stateful);
    begin_list(json, "nodes");
    for (size_t i = 0; i < sub->node_count; i++)
        put_node(json, plan, sub->nodes[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
}

/* ---- stores, and what was set ---- */

static void put_store(struct weir_json_out *json, const struct weir__store_plan *store)
{
    weir_json_begin_object(json);
    weir__json_member_text(json, "name", store->name);
    weir__json_member_text(json, "type", store->type);
    put_codec(json, "key", store->key);
    put_codec(json, "value", store->value);
    weir__json_member_text(json, "changelog", store->changelog);
    weir__json_member_bool(json, "global", store->global);
    weir__json_member_int(json, "subtopology", store->subtopology);
    weir_json_end_object(json);
}

static void put_override(struct weir_json_out *json, const struct weir__override *override)
{
    weir_json_begin_object(json);
    weir__json_member_text(json, "element", override->element);
    weir__json_member_text(json, "field", override->field);
    weir__json_member_text(json, "value", override->value);
    weir_json_end_object(json);
}

int weir__plan_json(const struct weir__plan *plan, struct weir__buf *ret)
{
    struct weir_json_out json = { .buf = *ret };

    weir_json_begin_object(&json);
    weir__json_member_text(&json, "topology", plan->topology->name);
    weir__json_member_text(&json, "application", plan->application);
    weir__json_member_text(&json, "dead_letters", plan->dead_letters);
    begin_list(&json, "subtopologies");
    for (size_t i = 0; i < plan->sub_count; i++)
        put_sub(&json, plan, i);
    weir_json_end_array(&json);
    begin_list(&json, "stores");
    for (size_t i = 0; i < plan->store_count; i++)
        put_store(&json, plan->stores[i]);
    weir_json_end_array(&json);
    begin_list(&json, "set");
    for (size_t i = 0; i < plan->override_count; i++)
        put_override(&json, &plan->overrides[i]);
    weir_json_end_array(&json);
    weir_json_end_object(&json);
    weir__buf_putc(&json.buf, '\n');
    *ret = json.buf;
    return weir__buf_ok(ret) ? WEIR_OK : WEIR_NO_MEMORY;
}
