/* topics.c: how the records of a topology's topics are read. */
#include "framework/topology/topology.h"

static bool node_has(const struct weir__plan *plan, const struct weir__node *node, const char *topic)
{
    size_t size = strlen(plan->application);

    if (node->op != WEIR__SOURCE && node->op != WEIR__SINK)
        return false;
    if (node->internal) {
        if (strncmp(topic, plan->application, size) != 0 || topic[size] != '-')
            return false;
        topic += size + 1;
    }
    for (size_t i = 0; i < node->topic_count; i++)
        if (strcmp(node->topics[i], topic) == 0)
            return true;
    return false;
}

static const struct weir_codec *window_key(const struct weir__store_plan *store, struct weir__topic_codecs *ret)
{
    bool session = store->windows != NULL && store->windows->kind == WEIR_SESSION;

    if (session)
        ret->made = *SESSIONED(store->key);
    else
        ret->made = *WINDOWED(store->key, store->store.window_size);
    ret->tail = session ? 0 : 4;
    return &ret->made;
}

static bool store_codecs(const struct weir__plan *plan, const char *topic, struct weir__topic_codecs *ret)
{
    for (size_t i = 0; i < plan->store_count; i++) {
        const struct weir__store_plan *store = plan->stores[i];

        if (store->changelog == NULL || strcmp(store->changelog, topic) != 0)
            continue;
        ret->key = store->store.kind == WEIR__STORE_WINDOWS ? window_key(store, ret) : store->key;
        ret->value = store->store.ends ? weir_blob : store->value; /* the window's end stands before the value */
        return true;
    }
    return false;
}

static bool node_codecs(const struct weir__plan *plan, const char *topic, struct weir__topic_codecs *ret)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        if (!node_has(plan, plan->nodes[i], topic))
            continue;
        ret->key = plan->nodes[i]->key_out;
        ret->value = plan->nodes[i]->value_out;
        return true;
    }
    return false;
}

int weir__plan_codecs(const struct weir__plan *plan, const char *topic, struct weir__topic_codecs *ret)
{
    *ret = (struct weir__topic_codecs){ 0 };
    if (node_codecs(plan, topic, ret) || store_codecs(plan, topic, ret))
        return WEIR_OK;
    if (plan->dead_letters == NULL || strcmp(plan->dead_letters, topic) != 0)
        return WEIR_NOTFOUND;
    ret->value = weir__json_text;
    return WEIR_OK;
}
