/* page.c: looked-up values by family and labels. */
#include "framework/metrics/page.h"

#include <stdlib.h>

enum { MOST_VALUES = 1000 };

struct weir__paged {
    enum weir__family_id id;
    const char          *labels[ARRAY_SIZE(weir__families[0].labels)];
    double               value;
};

void weir__page_init(struct weir__page *page)
{
    *page = (struct weir__page){ 0 };
    weir__arena_init(&page->arena, 0);
}

void weir__page_fini(struct weir__page *page)
{
    weir__free(page->values);
    weir__map_fini(&page->by_key);
    weir__arena_fini(&page->arena);
}

/* "<family's number>\0label\0label\0", in the arena. size 0: no memory. */
static struct weir_bytes make_key(struct weir__page *page, enum weir__family_id id, const char *const *labels)
{
    const struct weir__family *family = &weir__families[id];
    size_t                     size = 1, at = 1;
    char                      *key;

    for (size_t i = 0; family->labels[i] != NULL; i++)
        size += strlen(labels[i]) + 1;
    key = weir_arena_alloc(&page->arena, size);
    if (key == NULL)
        return BYTES(NULL, 0);
    key[0] = (char)id;
    for (size_t i = 0; family->labels[i] != NULL; i++) {
        memcpy(key + at, labels[i], strlen(labels[i]) + 1);
        at += strlen(labels[i]) + 1;
    }
    return BYTES(key, size);
}

static struct weir__paged *add_value(struct weir__page *page, enum weir__family_id id, struct weir_bytes key)
{
    struct weir__paged *paged = weir_arena_alloc(&page->arena, sizeof(*paged));
    const char         *at = (const char *)key.data + 1;

    if (paged == NULL || GROW(page->values, page->capacity, page->count) < 0 ||
        weir__map_put(&page->by_key, key, paged) < 0)
        return NULL;
    paged->id = id;
    for (size_t i = 0; weir__families[id].labels[i] != NULL; i++, at += strlen(at) + 1)
        paged->labels[i] = at;
    page->counts[id]++;
    return page->values[page->count++] = paged;
}

/* *ret_new: nothing has been put there. NULL: no memory. */
static struct weir__paged *find_value(struct weir__page *page, enum weir__family_id id, const char *const *labels,
                                      bool *ret_new)
{
    static const char *const others[] = { "other", "other", "other", "other" };
    struct weir_bytes        key = make_key(page, id, labels);
    struct weir__paged      *paged = key.size > 0 ? weir__map_get(&page->by_key, key) : NULL;

    *ret_new = false;
    if (paged == NULL && key.size > 0 && page->counts[id] >= MOST_VALUES) {
        key = make_key(page, id, others);
        paged = key.size > 0 ? weir__map_get(&page->by_key, key) : NULL;
    }
    if (paged == NULL && key.size > 0) {
        paged = add_value(page, id, key);
        *ret_new = true;
    }
    page->failed = page->failed || paged == NULL;
    return paged;
}

void weir__page_add(struct weir__page *page, enum weir__family_id id, const char *const *labels, double value)
{
    bool                is_new;
    struct weir__paged *paged = find_value(page, id, labels, &is_new);

    if (paged != NULL)
        paged->value += value;
}

void weir__page_least(struct weir__page *page, enum weir__family_id id, const char *const *labels, double value)
{
    bool                is_new;
    struct weir__paged *paged = find_value(page, id, labels, &is_new);

    if (paged != NULL && (is_new || value < paged->value))
        paged->value = value;
}

void weir__page_print(const struct weir__page *page, struct weir__buf *ret)
{
    for (size_t id = 0; id < WEIR__FAMILY_COUNT; id++) {
        if (page->counts[id] > 0)
            weir__family_print((enum weir__family_id)id, ret);
        for (size_t i = 0; page->counts[id] > 0 && i < page->count; i++)
            if (page->values[i]->id == id)
                weir__value_print((enum weir__family_id)id, page->values[i]->labels, page->values[i]->value, ret);
    }
    ret->failed = ret->failed || page->failed;
}
