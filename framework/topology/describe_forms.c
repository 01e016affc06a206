/* describe_forms.c: the plan for people beyond Kafka's text: what configuration changed, all types and stores, and
 * pictures for Graphviz and Mermaid.
 *
 * (1) In a picture a thin arrow carries a stream, a thick one a table's changes; dashed lines are what a node reads.
 */
#include "framework/outlet.h"
#include "framework/record/record.h"
#include "framework/topology/describe.h"
#include "framework/window/window.h"

/* ---- what is known of a store ---- */

static void put_duration(struct weir__buf *ret, const char *comma, const char *name, int64_t ms)
{
    weir__buf_printf(ret, "%s%s ", comma, name);
    if (ms == INT64_MAX)
        weir__buf_puts(ret, "without end");
    else
        weir__print_duration(ms, ret);
}

static void put_windows(struct weir__buf *ret, const char *comma, const struct weir_windows *windows,
                        int64_t retention)
{
#define WORD(kind, word) [kind] = word,
    static const char *const words[] = { WEIR_WINDOW_KINDS(WORD) };
#undef WORD
    bool declared = windows->kind > WEIR__NO_WINDOW && (size_t)windows->kind < ARRAY_SIZE(words);

    weir__buf_printf(ret, "%s%s", comma, declared ? words[windows->kind] : "WINDOWS");
    put_duration(ret, comma, "size", weir__windows_width(windows));
    if (windows->kind == WEIR_HOPPING)
        put_duration(ret, comma, "advance", windows->advance);
    if (declared)
        put_duration(ret, comma, "grace", windows->grace);
    put_duration(ret, comma, "retention", retention);
    if (windows->time != WEIR_PER_KEY)
        return;
    weir__buf_printf(ret, "%stime per key%slate records %s", comma, comma,
                     windows->late == WEIR_REFUSE ? "refused" : "correct");
    if (windows->idle > 0)
        put_duration(ret, comma, "idle", windows->idle);
    if (windows->ttl > 0)
        put_duration(ret, comma, "ttl", windows->ttl);
}

static void put_types(struct weir__buf *ret, const struct weir_codec *key, const struct weir_codec *value)
{
    if (key != NULL)
        weir__codec_describe(key, ret);
    weir__buf_puts(ret, " to ");
    if (value != NULL)
        weir__codec_describe(value, ret);
}

static void put_store(struct weir__buf *ret, const char *comma, const struct weir__store_plan *store)
{
    put_types(ret, store->key, store->value);
    if (store->windows != NULL)
        put_windows(ret, comma, store->windows, store->store.retention);
    if (store->store.kind == WEIR__STORE_LRU)
        weir__buf_printf(ret, "%sat most %lld rows", comma, (long long)store->store.max);
    weir__buf_printf(ret, "%s%s", comma, store->store.in_memory ? "in memory" : "on disk");
    if (store->store.cached)
        weir__buf_printf(ret, "%scached", comma);
    if (store->global)
        weir__buf_printf(ret, "%sall of %s", comma, store->source_topic);
    else if (store->changelog != NULL)
        weir__buf_printf(ret, "%schangelog %s", comma, store->changelog);
    else
        weir__buf_printf(ret, "%sno changelog", comma);
}

/* A step writes it, so its keys are the step's own, and nothing says which record key a row belongs to. */
static bool cannot_move(const struct weir__plan *plan, const struct weir__store_plan *store)
{
    bool step = false;

    if (store->global || store->spec == NULL || store->spec->routed_by != NULL)
        return false;
    for (size_t i = 0; i < plan->node_count; i++)
        for (size_t j = 0; j < plan->nodes[i]->store_count; j++) {
            if (plan->nodes[i]->stores[j] != store)
                continue;
            if (plan->nodes[i]->op != WEIR__PROCESS)
                return false;
            step = true;
        }
    return step;
}

/* ---- notes and the full form ---- */

static void put_outlets(struct weir__buf *ret, const struct weir__plan *plan)
{
    bool any = false;

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct weir__node *node = plan->nodes[i];

        if (node->op != WEIR__OUTLET)
            continue;
        weir__buf_printf(ret, "%s   %s: %s\n", any ? "" : "Puts into, where it is configured:\n", node->name,
                         node->spec->outlet->name);
        any = true;
    }
}

static void put_notes(struct weir__buf *ret, const struct weir__plan *plan)
{
    bool any = false;

    if (plan->override_count > 0)
        weir__buf_puts(ret, "Set by configuration:\n");
    for (size_t i = 0; i < plan->override_count; i++)
        weir__buf_printf(ret, "   %s.%s = %s\n", plan->overrides[i].element, plan->overrides[i].field,
                         plan->overrides[i].value);
    put_outlets(ret, plan);
    for (size_t i = 0; i < plan->store_count; i++) {
        if (!cannot_move(plan, plan->stores[i]))
            continue;
        if (!any)
            weir__buf_puts(ret, "Cannot move when partitions are added (.routed_by would say whose its rows are):\n");
        weir__buf_printf(ret, "   %s\n", plan->stores[i]->name);
        any = true;
    }
}

/* Nodes that the compiler made say what they are, not whose. */
static const char *word_of(const struct weir__node *node)
{
    if (node->internal || node->op == WEIR__NOT_NULL)
        return weir__kind_word(WEIR_REPARTITION);
    return weir__kind_word(node->op == WEIR__SOURCE ? WEIR_SOURCE : node->spec->kind);
}

static const char *carries(const struct weir__node *node)
{
    if (node->op == WEIR__REFUSED)
        return "no runtime yet";
    if (node->op == WEIR__OUTLET)
        return "put";
    return node->op == WEIR__SINK ? "written" : node->table ? "table" : "stream";
}

static void put_node(struct weir__buf *ret, const struct weir__node *node, int width)
{
    static const char *const emits[] = { [WEIR_EACH] = ", emits each", [WEIR_ON_CLOSE] = ", emits on close" };

    weir__buf_printf(ret, "   %-*s %-15s %-8s", width, node->name, word_of(node), carries(node));
    if (node->key_out != NULL && node->value_out != NULL) {
        weir__buf_putc(ret, ' ');
        put_types(ret, node->key_out, node->value_out);
    }
    if (node->emit == WEIR_EACH || node->emit == WEIR_ON_CLOSE)
        weir__buf_puts(ret, emits[node->emit]);
    if (node->partitions > 0)
        weir__buf_printf(ret, ", %d partitions when made", node->partitions);
    if (node->op == WEIR__OUTLET)
        weir__buf_printf(ret, ", into %s", node->spec->outlet->name);
    weir__buf_putc(ret, '\n');
}

static void put_full(struct weir__buf *ret, const struct weir__plan *plan)
{
    int width = 0;

    for (size_t i = 0; i < plan->node_count; i++)
        width = MAX(width, (int)strlen(plan->nodes[i]->name));
    for (size_t i = 0; i < plan->store_count; i++)
        width = MAX(width, (int)strlen(plan->stores[i]->name));
    weir__buf_puts(ret, "Nodes:\n");
    for (size_t i = 0; i < plan->node_count; i++)
        put_node(ret, plan->nodes[i], width);
    weir__buf_puts(ret, "Stores:\n");
    for (size_t i = 0; i < plan->store_count; i++) {
        weir__buf_printf(ret, "   %-*s ", width, plan->stores[i]->name);
        put_store(ret, ", ", plan->stores[i]);
        weir__buf_putc(ret, '\n');
    }
}

/* ---- pictures ---- */

/* The words of a picture language; a %s of a format is a label. */
struct style {
    const char *quote, *newline; /* for a quotation mark, for a new line in a label */
    const char *begin;           /* the topology's name */
    const char *topic;           /* id, label */
    const char *group;           /* number, title */
    const char *node, *store;    /* id, label */
    const char *group_end, *end;
    const char *thin, *thick, *dashed, *tied; /* between ids; tied: without an arrow */
};

static const struct style dot = {
    .quote = "\\\"",
    .newline = "\\n",
    .begin = "digraph \"%s\" {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n",
    .topic = "    t%zu [label=\"%s\", shape=cds, style=solid];\n",
    .group = "    subgraph cluster_%zu {\n        label=\"%s\";\n",
    .node = "        n%zu [label=\"%s\"];\n",
    .store = "    s%zu [label=\"%s\", shape=cylinder, style=solid];\n",
    .group_end = "    }\n",
    .end = "}\n",
    .thin = "    %c%zu -> %c%zu;\n",
    .thick = "    %c%zu -> %c%zu [style=bold];\n",
    .dashed = "    %c%zu -> %c%zu [style=dashed];\n",
    .tied = "    %c%zu -> %c%zu [style=dashed, dir=none];\n",
};
static const struct style mermaid = {
    .quote = "#quot;",
    .newline = "<br>",
    .begin = "---\ntitle: \"%s\"\n---\nflowchart LR\n",
    .topic = "    t%zu[/\"%s\"/]\n",
    .group = "    subgraph g%zu[\"%s\"]\n",
    .node = "        n%zu[\"%s\"]\n",
    .store = "    s%zu[(\"%s\")]\n",
    .group_end = "    end\n",
    .end = "",
    .thin = "    %c%zu --> %c%zu\n",
    .thick = "    %c%zu ==> %c%zu\n",
    .dashed = "    %c%zu -.-> %c%zu\n",
    .tied = "    %c%zu -.- %c%zu\n",
};

struct picture {
    const struct style      *style;
    const struct weir__plan *plan;
    struct weir__buf        *ret, label;
    const char             **topics; /* real names, in order of the nodes */
    size_t                   topic_count;
    struct weir_arena        arena;
};

/* What stands in a label: no quotation mark, no backslash of its own. */
static const char *escape(struct picture *picture, const char *text)
{
    weir__buf_reset(&picture->label);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            weir__buf_puts(&picture->label, picture->style->quote);
        else if (*text == '\n')
            weir__buf_puts(&picture->label, picture->style->newline);
        else
            weir__buf_putc(&picture->label, *text == '\\' ? '/' : *text);
    }
    weir__buf_putc(&picture->label, '\0');
    return weir__buf_ok(&picture->label) ? picture->label.data : "";
}

static const char *topic_name(struct picture *picture, const struct weir__node *node, const char *topic)
{
    return node->internal ? weir__arena_printf(&picture->arena, "%s-%s", picture->plan->application, topic) : topic;
}

static size_t topic_index(const struct picture *picture, const char *name)
{
    size_t i = 0;

    while (i < picture->topic_count && strcmp(picture->topics[i], name) != 0)
        i++;
    return i;
}

static int list_topics(struct picture *picture)
{
    const struct weir__plan *plan = picture->plan;
    size_t                   most = 1;

    for (size_t i = 0; i < plan->node_count; i++)
        most += plan->nodes[i]->topic_count;
    picture->topics = weir_arena_alloc(&picture->arena, sizeof(*picture->topics) * most);
    for (size_t i = 0; picture->topics != NULL && i < plan->node_count; i++)
        for (size_t j = 0; j < plan->nodes[i]->topic_count; j++) {
            const char *name = topic_name(picture, plan->nodes[i], plan->nodes[i]->topics[j]);

            if (name == NULL)
                return WEIR_NO_MEMORY;
            if (topic_index(picture, name) == picture->topic_count)
                picture->topics[picture->topic_count++] = name;
        }
    return picture->topics != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

static size_t store_index(const struct weir__plan *plan, const struct weir__store_plan *store)
{
    size_t i = 0;

    while (i < plan->store_count && plan->stores[i] != store)
        i++;
    return i;
}

/* The formats are the constants of a style. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void put_labelled(struct picture *picture, const char *format, size_t id, const char *label)
{
    weir__buf_printf(picture->ret, format, id, escape(picture, label));
}

static void put_edge(struct picture *picture, const char *format, char from_kind, size_t from, char to_kind,
                     size_t to)
{
    weir__buf_printf(picture->ret, format, from_kind, from, to_kind, to);
}

static void put_begin(struct picture *picture)
{
    weir__buf_printf(picture->ret, picture->style->begin, escape(picture, picture->plan->topology->name));
}

#pragma GCC diagnostic pop

static void draw_group(struct picture *picture, size_t n)
{
    const struct weir__subtopology *sub = &picture->plan->subs[n];
    char                            text[320];

    snprintf(text, sizeof(text), "sub-topology %zu%s", n, sub->global ? ", global" : "");
    put_labelled(picture, picture->style->group, n, text);
    for (size_t i = 0; i < sub->node_count; i++) {
        const struct weir__node *node = sub->nodes[i];

        snprintf(text, sizeof(text), "%s\n%s%s%s", node->name, word_of(node),
                 node->op == WEIR__REFUSED  ? ", no runtime yet"
                 : node->op == WEIR__OUTLET ? " "
                                            : "",
                 node->op == WEIR__OUTLET ? node->spec->outlet->name : "");
        put_labelled(picture, picture->style->node, (size_t)node->index, text);
    }
    weir__buf_puts(picture->ret, picture->style->group_end);
}

static void draw_store(struct picture *picture, size_t n)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    const struct weir__store_plan        *store = picture->plan->stores[n];

    weir__buf_printf(&text, "%s\n", store->name);
    put_store(&text, "\n", store);
    if (cannot_move(picture->plan, store))
        weir__buf_puts(&text, "\ncannot move when partitions are added");
    weir__buf_putc(&text, '\0');
    if (weir__buf_ok(&text))
        put_labelled(picture, picture->style->store, n, text.data);
}

static void draw_topics(struct picture *picture, const struct weir__node *node)
{
    for (size_t i = 0; i < node->topic_count; i++) {
        const char *name = topic_name(picture, node, node->topics[i]);
        size_t      topic = name != NULL ? topic_index(picture, name) : 0, at = (size_t)node->index;

        if (node->op == WEIR__SINK)
            put_edge(picture, picture->style->thin, 'n', at, 't', topic);
        else
            put_edge(picture, picture->style->thin, 't', topic, 'n', at);
    }
}

/* What a node looks up in global tables. */
static void draw_lookups(struct picture *picture, const struct weir__node *node)
{
    const struct weir__plan       *plan = picture->plan;
    const struct weir_node *const *named = node->spec->looks_up;

    if (node->global != NULL)
        put_edge(picture, picture->style->dashed, 's', store_index(plan, node->global), 'n', (size_t)node->index);
    for (; named != NULL && *named != NULL; named++)
        for (size_t i = 0; i < plan->store_count; i++)
            if (plan->stores[i]->global && plan->stores[i]->spec == (*named)->into)
                put_edge(picture, picture->style->dashed, 's', i, 'n', (size_t)node->index);
}

static void draw_edges(struct picture *picture, const struct weir__node *node)
{
    const struct style *style = picture->style;

    draw_topics(picture, node);
    for (size_t i = 0; i < node->child_count; i++)
        put_edge(picture, node->table ? style->thick : style->thin, 'n', (size_t)node->index, 'n',
                 (size_t)node->children[i]->index);
    for (size_t i = 0; i < node->store_count; i++)
        put_edge(picture, style->tied, 'n', (size_t)node->index, 's', store_index(picture->plan, node->stores[i]));
    if (node->with != NULL)
        put_edge(picture, style->dashed, 'n', (size_t)node->with->index, 'n', (size_t)node->index);
    draw_lookups(picture, node);
}

static int draw(struct picture *picture)
{
    const struct weir__plan *plan = picture->plan;

    if (list_topics(picture) < 0)
        return WEIR_NO_MEMORY;
    put_begin(picture);
    for (size_t i = 0; i < picture->topic_count; i++)
        put_labelled(picture, picture->style->topic, i, picture->topics[i]);
    for (size_t i = 0; i < plan->sub_count; i++)
        draw_group(picture, i);
    for (size_t i = 0; i < plan->store_count; i++)
        draw_store(picture, i);
    for (size_t i = 0; i < plan->node_count; i++)
        draw_edges(picture, plan->nodes[i]);
    weir__buf_puts(picture->ret, picture->style->end);
    return WEIR_OK;
}

static int draw_as(const struct weir__plan *plan, const struct style *style, struct weir__buf *ret)
{
    struct picture picture = { .style = style, .plan = plan, .ret = ret };
    int            err;

    weir__arena_init(&picture.arena, 0);
    err = draw(&picture);
    if (!weir__buf_ok(&picture.label))
        err = WEIR_NO_MEMORY;
    weir__buf_fini(&picture.label);
    weir__arena_fini(&picture.arena);
    return err;
}

/* ---- all forms ---- */

static int print_text(const struct weir__plan *plan, bool full, struct weir__buf *ret)
{
    int err = weir__plan_describe(plan, ret);

    if (err < 0)
        return err;
    if (full)
        put_full(ret, plan);
    put_notes(ret, plan);
    return WEIR_OK;
}

bool weir__form_read(const char *name, enum weir__form *ret)
{
    static const char *const forms[] = { [WEIR__AS_TEXT] = "text",
                                         [WEIR__AS_FULL] = "full",
                                         [WEIR__AS_DOT] = "dot",
                                         [WEIR__AS_MERMAID] = "mermaid",
                                         [WEIR__AS_JSON] = "json" };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (strcmp(forms[i], name) == 0) {
            *ret = (enum weir__form)i;
            return true;
        }
    return false;
}

int weir__plan_print(const struct weir__plan *plan, enum weir__form form, struct weir__buf *ret)
{
    int err = WEIR_OK;

    switch (form) {
    case WEIR__AS_TEXT: err = print_text(plan, false, ret); break;
    case WEIR__AS_FULL: err = print_text(plan, true, ret); break;
    case WEIR__AS_DOT: err = draw_as(plan, &dot, ret); break;
    case WEIR__AS_MERMAID: err = draw_as(plan, &mermaid, ret); break;
    case WEIR__AS_JSON: err = weir__plan_json(plan, ret); break;
    }
    return err == WEIR_OK && !weir__buf_ok(ret) ? WEIR_NO_MEMORY : err;
}
