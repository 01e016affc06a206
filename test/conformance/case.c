/* case.c: one file of a case, read and held. */
#include "test/conformance/conformance.h"

void *conf_new(struct weir_arena *arena, size_t size)
{
    void *memory = weir_arena_alloc(arena, size);

    CHECK(memory != NULL);
    return memory;
}

const char *conf_string(const json_t *object, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : otherwise;
}

int64_t conf_number(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *json = json_object_get(object, name);

    return json_is_integer(json) ? json_integer_value(json) : otherwise;
}

bool conf_has(const json_t *object, const char *name)
{
    const json_t *json = json_object_get(object, name);

    return json && !json_is_null(json);
}

void conf_add(struct conf_list *list, const void *item)
{
    if (list->count + 1 >= list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->items = weir__realloc(list->items, list->capacity * sizeof(*list->items));
        CHECK(list->items != NULL);
    }
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

int conf_case_init(struct conf_case *c, const char *path, struct weir_error *reterr)
{
    json_error_t error;

    *c = (struct conf_case){ 0 };
    weir__arena_init(&c->arena, 0);
    c->json = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!c->json)
        return weir__fail(reterr, WEIR_UNREADABLE, path, "line %d: %s", error.line, error.text);
    c->category = conf_string(c->json, "category", "?");
    c->id = conf_string(c->json, "id", "?");
    c->config = json_object_get(c->json, "config");
    c->topics = json_object_get(c->json, "topics");
    c->types = json_object_get(c->json, "types");
    c->expect = json_object_get(c->json, "expect");
    if (!json_is_array(json_object_get(c->json, "topology")) || !json_is_object(c->expect))
        return weir__fail(reterr, WEIR_UNREADABLE, path, "no case: \"topology\" or \"expect\" is missing");
    return WEIR_OK;
}

void conf_case_fini(struct conf_case *c)
{
    weir__arena_fini(&c->arena);
    json_decref(c->json);
    *c = (struct conf_case){ 0 };
}
