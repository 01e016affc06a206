/* puts.c: what reached the nodes of outlets that a story watches, in the order it came to each.
 *
 * (1) Failures that a mode orders spare it: it stands for somebody outside of the process.
 */
#include "test/scenario/flow.h"

#include "framework/json/json.h"

void flow_puts_watch(struct flow_puts *puts, const char *node)
{
    CHECK(GROW(puts->nodes, puts->node_capacity, puts->node_count) == WEIR_OK);
    puts->nodes[puts->node_count++] = node;
}

static bool is_watched(const struct flow_puts *puts, const char *node)
{
    size_t i = 0;

    while (i < puts->node_count && strcmp(puts->nodes[i], node) != 0)
        i++;
    return i < puts->node_count;
}

static const char *print(struct flow_puts *puts, const struct weir_codec *codec, const void *value)
{
    struct weir_json_out json = { 0 };
    const char          *text;

    if (value == NULL)
        return "null";
    CHECK(codec->print(codec, value, &json) == WEIR_OK);
    weir__buf_putc(&json.buf, '\0');
    CHECK(weir__buf_ok(&json.buf));
    text = weir__arena_copy(&puts->arena, json.buf.data, json.buf.size);
    weir__json_out_fini(&json);
    return text;
}

int flow_puts_take(void *arg, const struct weir_node *node, const struct weir_record *rec)
{
    struct flow_puts *puts = arg;
    uint64_t          ordered;

    if (!is_watched(puts, node->name))
        return WEIR_OK;
    ordered = weir__fail_allocation(0);
    CHECK(GROW(puts->items, puts->capacity, puts->count) == WEIR_OK);
    puts->items[puts->count++] = (struct flow_put){ .node = node->name,
                                                    .key = print(puts, node->key, rec->key),
                                                    .value = print(puts, node->value, rec->value),
                                                    .time = rec->timestamp };
    (void)weir__fail_allocation(ordered);
    return WEIR_OK;
}

const struct flow_put *flow_puts_next(struct flow_puts *puts, const char *node)
{
    for (size_t i = 0; i < puts->count; i++) {
        struct flow_put *put = &puts->items[i];

        if (put->told || (node != NULL && strcmp(put->node, node) != 0))
            continue;
        put->told = true;
        return put;
    }
    return NULL;
}

void flow_puts_fini(struct flow_puts *puts)
{
    weir__free(puts->nodes);
    weir__free(puts->items);
    weir__arena_fini(&puts->arena);
}
