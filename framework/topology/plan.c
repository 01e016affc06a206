/* plan.c: a plan's making and end, and what one asks it. */
#include "framework/topology/internal.h"

/* They become names of topics and folders. */
static void check_own_names(struct weir__compiler *compiler)
{
    const struct weir__plan *plan = compiler->plan;

    if (!weir__legal_name(plan->topology->name))
        weir__fault(compiler, WEIR_BAD_NAME, plan->topology->name,
                    "is no legal name of a topology: letters, digits, . _ - and at most 249");
    else if (!weir__legal_name(plan->application))
        weir__fault(compiler, WEIR_BAD_NAME, "application.id",
                    "\"%.80s\" cannot begin the names of topics: letters, digits, . _ - and at most 249",
                    plan->application);
}

static void compile(struct weir__compiler *compiler)
{
    check_own_names(compiler);
    weir__collect(compiler);
    weir__override_nodes(compiler);
    weir__check_nodes(compiler);
    weir__check_endpoints(compiler);
    if (compiler->broken)
        return;
    weir__lower(compiler);
    weir__write(compiler);
    weir__finish_stores(compiler);
    weir__check_uses(compiler);
    weir__cut(compiler);
    weir__check_names(compiler);
    weir__override_rest(compiler);
}

static int result(const struct weir__compiler *compiler, struct weir_error *reterr)
{
    const struct weir__buf *faults = compiler->faults;

    if (!weir__buf_ok(faults))
        return weir__fail(reterr, WEIR_NO_MEMORY, compiler->topology->name, "no memory to say what is wrong");
    if (compiler->code == WEIR_OK)
        return WEIR_OK;
    return weir__fail(reterr, compiler->code, compiler->topology->name, "%.*s", (int)MIN(faults->size - 1, 4096),
                      faults->data);
}

static int run(struct weir__compiler *compiler, struct weir_error *reterr)
{
    int err;

    if (setjmp(compiler->out_of_memory) == 0) {
        compile(compiler);
        err = result(compiler, reterr);
    } else {
        err = weir__fail(reterr, WEIR_NO_MEMORY, compiler->topology->name, "no memory to compile the topology");
    }
    weir__map_fini(&compiler->by_spec);
    return err;
}

int weir__plan_new(const struct weir_topology *topology, const struct weir__plan_config *config,
                   struct weir__plan **ret, struct weir__buf *faults, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf own = { 0 };
    struct weir__compiler                 compiler = { .topology = topology,
                                                       .config = config,
                                                       .faults = faults != NULL ? faults : &own,
                                                       .kafka = topology->kafka_names };
    int                                   err;

    if (topology->name == NULL)
        return weir__fail(reterr, WEIR_BAD_TOPOLOGY, "topology", "it has no name: give it one");
    compiler.plan = weir__zalloc(sizeof(*compiler.plan));
    if (compiler.plan == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, topology->name, "no memory to compile the topology");
    weir__arena_init(&compiler.plan->arena, 0);
    compiler.plan->topology = topology;
    compiler.plan->application = weir__arena_printf(
        &compiler.plan->arena, "%s", config->application != NULL ? config->application : topology->name);
    err = compiler.plan->application != NULL
              ? run(&compiler, reterr)
              : weir__fail(reterr, WEIR_NO_MEMORY, topology->name, "no memory to compile the topology");
    if (err < 0) {
        weir__plan_free(compiler.plan);
        return err;
    }
    *ret = compiler.plan;
    return WEIR_OK;
}

void weir__plan_free(struct weir__plan *plan)
{
    if (plan == NULL)
        return;
    weir__arena_fini(&plan->arena);
    weir__free(plan);
}

int weir__plan_check_runnable(const struct weir__plan *plan, struct weir_error *reterr)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct weir__node *node = plan->nodes[i];

        if (node->op == WEIR__REFUSED)
            return weir__fail(reterr, WEIR_UNSUPPORTED, node->spec->name,
                              "this %s (%s) cannot run: %s has no runtime yet", weir__kind_word(node->spec->kind),
                              node->name, node->refused);
    }
    return WEIR_OK;
}

struct weir__node *weir__plan_node(const struct weir__plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->node_count; i++)
        if (strcmp(plan->nodes[i]->name, name) == 0)
            return plan->nodes[i];
    return NULL;
}

struct weir__store_plan *weir__plan_store(const struct weir__plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->store_count; i++)
        if (strcmp(plan->stores[i]->name, name) == 0)
            return plan->stores[i];
    return NULL;
}

static bool is_first(const struct weir__plan *plan, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (plan->nodes[i]->op == WEIR__OUTLET && plan->nodes[i]->spec->outlet == plan->nodes[at]->spec->outlet)
            return false;
    return true;
}

const struct weir_outlet *weir__plan_outlet(const struct weir__plan *plan, size_t n)
{
    for (size_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i]->op == WEIR__OUTLET && is_first(plan, i) && n-- == 0)
            return plan->nodes[i]->spec->outlet;
    return NULL;
}

const char *weir__kind_word(int kind)
{
#define WORD(value, word) [value] = word,
    static const char *const words[] = { WEIR_NODE_KINDS(WORD) };
#undef WORD

    if (kind <= WEIR__NO_NODE || (size_t)kind >= ARRAY_SIZE(words))
        return "?";
    return words[kind];
}
