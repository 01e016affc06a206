/* collect.c: the declared nodes, what each takes from, and the order in which they are built.
 *
 * (1) A node is known when a path, .order, .with, .looks_up, an arm or a split names it.
 * (2) Without .order: paths from the first to the last, each from its head; a node after all that it takes from or
 *     names.
 */
#include "framework/topology/internal.h"

struct weir__made *weir__made_of(const struct weir__compiler *compiler, const struct weir_node *spec)
{
    return weir__map_get(&compiler->by_spec, BYTES(&spec, sizeof(spec)));
}

static struct weir__made *know(struct weir__compiler *compiler, const struct weir_node *spec)
{
    struct weir__made *made = weir__made_of(compiler, spec);

    if (made != NULL)
        return made;
    made = weir__take(compiler, sizeof(*made));
    made->spec = spec;
    made->eff = *spec;
    if (spec->name == NULL) {
        made->eff.name = "(a node without a name)";
        weir__broken(compiler, compiler->topology->name, "a %s has no .name: give it one",
                     weir__kind_word(spec->kind));
    }
    if (weir__map_put(&compiler->by_spec, BYTES(&made->spec, sizeof(made->spec)), made) < 0)
        longjmp(compiler->out_of_memory, 1);
    ADD(compiler, compiler->made, compiler->made_count, made);
    return made;
}

/* ---- edges ---- */

static bool begins(const struct weir__made *made)
{
    return made->spec->kind == WEIR_SOURCE || made->spec->kind == WEIR_TABLE || made->spec->kind == WEIR_GLOBAL;
}

static bool ends(const struct weir__made *made)
{
    return made->spec->kind == WEIR_SINK || made->spec->kind == WEIR_FOREACH || made->spec->kind == WEIR_GLOBAL ||
           made->spec->kind == WEIR_SPLIT || made->spec->kind == WEIR_OUTLET;
}

static void refuse_edge(struct weir__compiler *compiler, const struct weir__made *from, const struct weir__made *to)
{
    const char *name = to->eff.name;

    if (from == to)
        weir__broken(compiler, name, "takes from itself: take the second mention out of the path");
    if (to->spec->kind == WEIR_LEG)
        weir__broken(compiler, name, "a LEG is the first node of its own path: begin a new one with it");
    else if (begins(to))
        weir__broken(compiler, name, "a %s takes from a topic, not from %s: begin a path with it",
                     weir__kind_word(to->spec->kind), from->eff.name);
    if (from->spec->kind == WEIR_SPLIT)
        weir__broken(compiler, from->eff.name,
                     "a SPLIT is the last node of its path: begin paths with its legs, not %s", name);
    else if (ends(from))
        weir__broken(compiler, from->eff.name, "nothing comes out of a %s: %s cannot take from it",
                     weir__kind_word(from->spec->kind), name);
}

static void add_edge(struct weir__compiler *compiler, struct weir__made *from, struct weir__made *to)
{
    for (size_t i = 0; i < to->input_count; i++)
        if (to->inputs[i] == from)
            return;
    refuse_edge(compiler, from, to);
    ADD(compiler, to->inputs, to->input_count, from);
    from->output_count++;
}

static void collect_path(struct weir__compiler *compiler, const struct weir_node *const *path)
{
    struct weir__made *from = NULL;

    for (; *path != NULL; path++) {
        struct weir__made *made = know(compiler, *path);

        made->in_path = true;
        if (from != NULL)
            add_edge(compiler, from, made);
        from = made;
    }
}

/* ---- what nodes name ---- */

static struct weir__made *named_by(struct weir__compiler *compiler, const struct weir__made *made, const char *field,
                                   const struct weir_node *spec)
{
    struct weir__made *named = know(compiler, spec);

    if (!named->in_path && !begins(named) && spec->kind != WEIR_LEG)
        weir__broken(compiler, made->eff.name, "%s names %s, which is in no path", field, named->eff.name);
    return named;
}

static void collect_legs(struct weir__compiler *compiler, struct weir__made *split)
{
    for (size_t i = 0; split->spec->legs[i] != NULL; i++) {
        struct weir__made *leg = know(compiler, split->spec->legs[i]);

        if (leg->spec->kind != WEIR_LEG)
            weir__broken(compiler, split->eff.name, ".legs names %s, which is no LEG", leg->eff.name);
        else if (leg->split != NULL)
            weir__broken(compiler, leg->eff.name, "is a leg of %s and again of %s: declare one for each",
                         leg->split->eff.name, split->eff.name);
        leg->split = split;
    }
}

static void collect_arms(struct weir__compiler *compiler, struct weir__made *made)
{
    for (const struct weir_arm *arm = made->spec->arms; arm->from != NULL; arm++) {
        struct weir__made *from = named_by(compiler, made, "an arm", arm->from);
        bool               found = false;

        for (size_t i = 0; i < made->input_count; i++)
            found = found || made->inputs[i] == from;
        if (!found)
            weir__broken(compiler, made->eff.name,
                         "its arm from %s is not in a path: let a path lead from there to it", from->eff.name);
    }
}

static void collect_names(struct weir__compiler *compiler, struct weir__made *made)
{
    const struct weir_node *spec = made->spec;

    if (spec->with != NULL)
        made->right = named_by(compiler, made, ".with", spec->with);
    for (size_t i = 0; spec->looks_up != NULL && spec->looks_up[i] != NULL; i++)
        if (named_by(compiler, made, ".looks_up", spec->looks_up[i])->spec->kind != WEIR_GLOBAL)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name, ".looks_up names %s, which is no GLOBAL",
                        spec->looks_up[i]->name);
    if (spec->kind == WEIR_SPLIT && spec->legs != NULL)
        collect_legs(compiler, made);
    if (spec->kind == WEIR_COGROUP && spec->arms != NULL)
        collect_arms(compiler, made);
}

/* ---- order ---- */

static void place(struct weir__compiler *compiler, struct weir__made *made);

static void place_before(struct weir__compiler *compiler, struct weir__made *made)
{
    for (size_t i = 0; i < made->input_count; i++)
        place(compiler, made->inputs[i]);
    if (made->right != NULL)
        place(compiler, made->right);
    if (made->split != NULL)
        place(compiler, made->split);
    for (size_t i = 0; made->spec->looks_up != NULL && made->spec->looks_up[i] != NULL; i++)
        place(compiler, weir__made_of(compiler, made->spec->looks_up[i]));
}

static void place(struct weir__compiler *compiler, struct weir__made *made)
{
    if (made->placed || compiler->broken)
        return;
    if (made->visiting) {
        weir__broken(compiler, made->eff.name, "the paths lead in a circle back to it: end one of them in a topic");
        return;
    }
    made->visiting = true;
    place_before(compiler, made);
    made->visiting = false;
    made->placed = true;
    ADD(compiler, compiler->order, compiler->order_count, made);
}

static void check_before(struct weir__compiler *compiler, const struct weir__made *made,
                         const struct weir__made *before)
{
    if (before != NULL && !before->placed)
        weir__broken(compiler, made->eff.name, "is built before %s, which it needs: put it after that in .order",
                     before->eff.name);
}

static void place_as_built(struct weir__compiler *compiler, const struct weir_node *spec)
{
    struct weir__made *made = weir__made_of(compiler, spec);

    if (made->placed) {
        weir__broken(compiler, made->eff.name, ".order names it twice");
        return;
    }
    for (size_t i = 0; i < made->input_count; i++)
        check_before(compiler, made, made->inputs[i]);
    check_before(compiler, made, made->right);
    check_before(compiler, made, made->split);
    made->placed = true;
    ADD(compiler, compiler->order, compiler->order_count, made);
}

static void order_as_built(struct weir__compiler *compiler)
{
    for (size_t i = 0; compiler->topology->order[i] != NULL; i++)
        place_as_built(compiler, compiler->topology->order[i]);
    for (size_t i = 0; i < compiler->made_count; i++)
        if (!compiler->made[i]->placed)
            weir__broken(compiler, compiler->made[i]->eff.name, "is missing in .order: put all nodes there, or none");
}

static void order_by_paths(struct weir__compiler *compiler)
{
    for (size_t i = 0; compiler->topology->paths != NULL && compiler->topology->paths[i] != NULL; i++)
        for (size_t j = 0; compiler->topology->paths[i][j] != NULL; j++)
            place(compiler, weir__made_of(compiler, compiler->topology->paths[i][j]));
    for (size_t i = 0; i < compiler->made_count; i++)
        place(compiler, compiler->made[i]);
}

/* ---- dead letters ---- */

static void collect_dead_letters(struct weir__compiler *compiler)
{
    const struct weir_node *sink = compiler->topology->dead_letters;
    const char             *where, *topic;

    if (sink == NULL)
        return;
    where = sink->name != NULL ? sink->name : "dead letters";
    if (sink->kind != WEIR_SINK || sink->topics == NULL || sink->topics[0] == NULL || sink->topics[1] != NULL) {
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, where, "dead letters go to one topic: name a SINK with one");
        return;
    }
    topic = weir__override_dead_letters(compiler, sink);
    if (weir__legal_name(topic))
        compiler->plan->dead_letters = topic;
    else
        weir__fault(compiler, WEIR_BAD_NAME, where, "\"%s\" is no legal name of a topic", topic);
}

void weir__collect(struct weir__compiler *compiler)
{
    const struct weir_topology *topology = compiler->topology;

    for (size_t i = 0; topology->paths != NULL && topology->paths[i] != NULL; i++)
        collect_path(compiler, topology->paths[i]);
    for (size_t i = 0; topology->order != NULL && topology->order[i] != NULL; i++)
        know(compiler, topology->order[i]);
    for (size_t i = 0; i < compiler->made_count; i++)
        collect_names(compiler, compiler->made[i]);
    collect_dead_letters(compiler);
    if (compiler->made_count == 0)
        weir__broken(compiler, topology->name, "the topology is empty: give it paths");
    if (compiler->broken)
        return;
    if (topology->order != NULL)
        order_as_built(compiler);
    else
        order_by_paths(compiler);
}
