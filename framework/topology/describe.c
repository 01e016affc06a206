/* describe.c: the plan as the text of Kafka's Topology.describe().
 *
 * (1) Stores and a source's topics come in the order of a Java HashSet of strings, copied once.
 */
#include "framework/topology/describe.h"

/* ---- the order of a HashSet ---- */

uint32_t weir__bucket(const char *name, size_t size)
{
    uint32_t hash = 0;

    for (const char *at = name; *at != '\0'; at++)
        hash = 31 * hash + (unsigned char)*at;
    return (hash ^ hash >> 16) & (uint32_t)(size - 1);
}

/* By bucket, and in a bucket as they were added. */
static void print_set(struct weir__buf *ret, const char *(*name)(const void *of, size_t n), const void *of,
                      size_t count)
{
    bool   first = true;
    size_t size = 16;

    while (size < count * 4 / 3 + 1)
        size *= 2;
    weir__buf_putc(ret, '[');
    for (uint64_t bucket = 0, next; count > 0 && bucket <= UINT32_MAX; bucket = next) {
        next = UINT64_MAX;
        for (size_t i = 0; i < count; i++) {
            uint64_t found = weir__bucket(name(of, i), size);

            if (found == bucket) {
                weir__buf_printf(ret, "%s%s", first ? "" : ", ", name(of, i));
                first = false;
            } else if (found > bucket) {
                next = MIN(next, found);
            }
        }
    }
    weir__buf_putc(ret, ']');
}

static const char *store_name(const void *of, size_t n) { return ((const struct weir__node *)of)->stores[n]->name; }

static const char *topic_name(const void *of, size_t n) { return ((const struct weir__node *)of)->topics[n]; }

/* ---- nodes ---- */

static void print_sink(struct weir__buf *ret, const struct weir__plan *plan, const struct weir__node *node)
{
    if (!node->internal && node->spec->route != NULL)
        weir__buf_printf(ret, "    Sink: %s (extractor class: %s)", node->name,
                         plan->topology->kafka_names ? "topic_fn" : node->spec->name);
    else
        weir__buf_printf(ret, "    Sink: %s (topic: %s)", node->name, node->topics[0]);
}

static void print_names(struct weir__buf *ret, const struct weir__link *links)
{
    const struct weir__link *link = weir__first_link(links);

    if (link == NULL)
        weir__buf_puts(ret, "none");
    for (; link != NULL; link = weir__next_link(link))
        weir__buf_printf(ret, "%s%s", link->view->node->name, weir__next_link(link) != NULL ? ", " : "");
}

static void print_links(struct weir__buf *ret, const struct weir__view *view)
{
    if (view->node->op != WEIR__SINK) {
        weir__buf_puts(ret, "\n      --> ");
        print_names(ret, view->children);
    }
    if (view->node->op != WEIR__SOURCE) {
        weir__buf_puts(ret, "\n      <-- ");
        print_names(ret, view->parents);
    }
    weir__buf_putc(ret, '\n');
}

static void print_node(struct weir__buf *ret, const struct weir__plan *plan, const struct weir__view *view)
{
    const struct weir__node *node = view->node;

    if (node->op == WEIR__SINK) {
        print_sink(ret, plan, node);
    } else if (node->op == WEIR__SOURCE) {
        weir__buf_printf(ret, "    Source: %s (topics: ", node->name);
        print_set(ret, topic_name, node, node->topic_count);
        weir__buf_putc(ret, ')');
    } else {
        weir__buf_printf(ret, "    Processor: %s (stores: ", node->name);
        print_set(ret, store_name, node, node->store_count);
        weir__buf_putc(ret, ')');
    }
    print_links(ret, view);
}

static int print_sub(struct weir__buf *ret, const struct weir__plan *plan, size_t n, struct weir_arena *arena)
{
    const struct weir__subtopology *sub = &plan->subs[n];
    struct weir__view             **views;
    int                             err = weir__views(plan, sub, arena, &views);

    if (err < 0)
        return err;
    weir__buf_printf(ret, "  Sub-topology: %zu%s\n", n,
                     sub->global ? " for global store (will not generate tasks)" : "");
    for (size_t i = 0; i < sub->node_count; i++)
        print_node(ret, plan, views[i]);
    if (!sub->global)
        weir__buf_putc(ret, '\n');
    return WEIR_OK;
}

int weir__plan_describe(const struct weir__plan *plan, struct weir__buf *ret)
{
    struct weir_arena arena;
    int               err = WEIR_OK;

    weir__arena_init(&arena, 0);
    weir__buf_puts(ret, "Topologies:\n ");
    for (size_t i = 0; err == WEIR_OK && i < plan->sub_count; i++)
        err = print_sub(ret, plan, i, &arena);
    weir__arena_fini(&arena);
    if (err == WEIR_OK && !weir__buf_ok(ret))
        err = WEIR_NO_MEMORY;
    return err;
}
