/* describe_order.c: the order in which Topology.describe() prints nodes and links.
 *
 * (1) Most descendants first, equal ones by name. Upstream counts while it links, and puts links into a TreeSet on
 *     the way, so a link stands where the counts of that moment put it: the same steps are taken here in the same
 *     order, which is that of a HashMap of the nodes' names.
 * (2) Counting visits every path. Where there are too many, the final counts are taken from the start.
 * Source: InternalTopologyBuilder.describeSubtopology.
 */
#include <stdlib.h>

#include "framework/topology/describe.h"

enum { MANY_PATHS = 100000 };

static int compare(const struct weir__view *one, const struct weir__view *other)
{
    if (one->size != other->size)
        return one->size > other->size ? -1 : 1;
    return strcmp(one->node->name, other->node->name);
}

/* ---- a TreeSet: red and black ---- */

static bool is_red(const struct weir__link *link) { return link != NULL && link->red; }

static void replace(struct weir__link **root, struct weir__link *old, struct weir__link *link)
{
    link->up = old->up;
    if (old->up == NULL)
        *root = link;
    else if (old->up->left == old)
        old->up->left = link;
    else
        old->up->right = link;
    old->up = link;
}

static void rotate_left(struct weir__link **root, struct weir__link *link)
{
    struct weir__link *right = link->right;

    link->right = right->left;
    if (right->left != NULL)
        right->left->up = link;
    replace(root, link, right);
    right->left = link;
}

static void rotate_right(struct weir__link **root, struct weir__link *link)
{
    struct weir__link *left = link->left;

    link->left = left->right;
    if (left->right != NULL)
        left->right->up = link;
    replace(root, link, left);
    left->right = link;
}

/* The parent of link is red, and so is link. Gives the link to look at next. */
static struct weir__link *repair(struct weir__link **root, struct weir__link *link)
{
    struct weir__link *up = link->up, *top = up->up;
    bool               left = top->left == up;
    struct weir__link *uncle = left ? top->right : top->left;

    if (is_red(uncle)) {
        up->red = uncle->red = false;
        top->red = true;
        return top;
    }
    if (link == (left ? up->right : up->left)) {
        (left ? rotate_left : rotate_right)(root, up);
        up = link;
    }
    up->red = false;
    top->red = true;
    (left ? rotate_right : rotate_left)(root, top);
    return *root;
}

static void insert(struct weir__link **root, struct weir__link *link)
{
    struct weir__link **place = root;

    while (*place != NULL) {
        link->up = *place;
        place = compare(link->view, link->up->view) < 0 ? &link->up->left : &link->up->right;
    }
    *place = link;
    link->red = true;
    while (link->up != NULL && link->up->red)
        link = repair(root, link);
    (*root)->red = false;
}

const struct weir__link *weir__first_link(const struct weir__link *root)
{
    while (root != NULL && root->left != NULL)
        root = root->left;
    return root;
}

const struct weir__link *weir__next_link(const struct weir__link *link)
{
    if (link->right != NULL)
        return weir__first_link(link->right);
    while (link->up != NULL && link->up->right == link)
        link = link->up;
    return link->up;
}

/* ---- linking ---- */

struct linking {
    struct weir_arena  *arena;
    struct weir__view **by_index; /* of all nodes of the plan */
    bool                counted;  /* sizes are final */
};

static int add_link(struct linking *linking, struct weir__link **root, struct weir__view *view)
{
    struct weir__link *link = weir_arena_alloc(linking->arena, sizeof(*link));

    if (link == NULL)
        return WEIR_NO_MEMORY;
    link->view = view;
    insert(root, link);
    return WEIR_OK;
}

static void grow(struct weir__view *view, int64_t more)
{
    view->size += more;
    for (const struct weir__link *link = weir__first_link(view->parents); link != NULL; link = weir__next_link(link))
        grow(link->view, more);
}

static int link_parents(struct linking *linking, struct weir__view *view)
{
    for (size_t i = 0; i < view->node->parent_count; i++) {
        struct weir__view *parent = linking->by_index[view->node->parents[i]->index];
        int                err = add_link(linking, &view->parents, parent);

        if (err == WEIR_OK)
            err = add_link(linking, &parent->children, view);
        if (err < 0)
            return err;
        if (!linking->counted)
            grow(parent, view->size);
    }
    return WEIR_OK;
}

/* In the order of a HashMap that grew as the nodes were put into it. */
static int link_all(struct linking *linking, struct weir__view *const *views, size_t count)
{
    size_t size = 16;

    while (size / 4 * 3 < count)
        size *= 2;
    for (size_t bucket = 0; bucket < size; bucket++) {
        for (size_t i = 0; i < count; i++) {
            int err = WEIR_OK;

            if (weir__bucket(views[i]->node->name, size) == bucket)
                err = link_parents(linking, views[i]);
            if (err < 0)
                return err;
        }
    }
    return WEIR_OK;
}

static int make_views(struct linking *linking, const struct weir__subtopology *sub, struct weir__view **views)
{
    linking->counted = false;
    for (size_t i = 0; i < sub->node_count; i++)
        linking->counted = linking->counted || sub->nodes[i]->descendants > MANY_PATHS;
    for (size_t i = 0; i < sub->node_count; i++) {
        views[i] = weir_arena_alloc(linking->arena, sizeof(*views[i]));
        if (views[i] == NULL)
            return WEIR_NO_MEMORY;
        views[i]->node = sub->nodes[i];
        views[i]->size = linking->counted ? (int64_t)MIN(sub->nodes[i]->descendants, (size_t)INT64_MAX) : 1;
        linking->by_index[sub->nodes[i]->index] = views[i];
    }
    return WEIR_OK;
}

static int compare_pointers(const void *a, const void *b)
{
    return compare(*(struct weir__view *const *)a, *(struct weir__view *const *)b);
}

int weir__views(const struct weir__plan *plan, const struct weir__subtopology *sub, struct weir_arena *arena,
                struct weir__view ***ret)
{
    struct linking      linking = { .arena = arena };
    struct weir__view **views = weir_arena_alloc(arena, (sub->node_count + 1) * sizeof(struct weir__view *));
    int                 err;

    linking.by_index = weir_arena_alloc(arena, (plan->node_count + 1) * sizeof(struct weir__view *));
    if (views == NULL || linking.by_index == NULL)
        return WEIR_NO_MEMORY;
    err = make_views(&linking, sub, views);
    if (err == WEIR_OK)
        err = link_all(&linking, views, sub->node_count);
    if (err < 0)
        return err;
    qsort(views, sub->node_count, sizeof(struct weir__view *), compare_pointers);
    *ret = views;
    return WEIR_OK;
}
