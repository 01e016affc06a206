/* fields.c: rows and documents as lists of named texts.
 *
 * (1) Numbers keep their text. Objects inside objects give "name.member" one level down; arrays and what is deeper
 *     keep their place, as MARKET_OTHER, so that they are not taken for missing.
 */
#include "schemas/feeds/internal.h"

static struct market__field *add(struct market__fields *fields, struct weir_arena *arena)
{
    if (fields->count == fields->capacity) {
        size_t                capacity = MAX(fields->capacity * 2, 32);
        struct market__field *items = weir__arena_take(arena, capacity * sizeof(*items));

        if (!items)
            return NULL;
        if (fields->count)
            memcpy(items, fields->items, fields->count * sizeof(*items));
        fields->items = items;
        fields->capacity = capacity;
    }
    return &fields->items[fields->count++];
}

static struct market__field field_of(const struct weir_json *json, struct weir_text name)
{
    struct market__field field = { .name = name, .text = json->text };

    switch (json->type) {
    case WEIR_JSON_STRING: field.type = MARKET_TEXT; break;
    case WEIR_JSON_NUMBER: field.type = MARKET_NUMBER; break;
    case WEIR_JSON_NULL: field.type = MARKET_NULL; break;
    case WEIR_JSON_TRUE:
    case WEIR_JSON_FALSE:
        field.type = MARKET_BOOL;
        field.text = json->type == WEIR_JSON_TRUE ? TEXT("true") : TEXT("false");
        break;
    default: field.type = MARKET_OTHER;
    }
    return field;
}

void market__field_write(const struct market__field *field, struct weir_json_out *json)
{
    switch (field->type) {
    case MARKET_TEXT: weir_json_put_text(json, field->text); return;
    case MARKET_NUMBER: weir_json_put_number(json, field->text); return;
    case MARKET_BOOL: weir_json_put_bool(json, *field->text.data == 't'); return;
    default: weir_json_put_null(json);
    }
}

void market__field_put(const struct market__field *field, struct weir_json_out *json)
{
    weir_json_put_text(json, field->name);
    weir__buf_putc(&json->buf, ':');
    json->comma = false;
    market__field_write(field, json);
}

int market__fields_add(struct market__fields *fields, const struct weir_json *json, struct weir_arena *arena)
{
    struct market__field *field = json ? add(fields, arena) : NULL;

    if (field)
        *field = field_of(json, json->name);
    return !json || field ? WEIR_OK : WEIR_LIMIT;
}

/* "outer.inner"; data NULL = the arena is at its ceiling. */
static struct weir_text join(struct weir_text outer, struct weir_text inner, struct weir_arena *arena)
{
    char *name = weir__arena_take(arena, outer.size + 1 + inner.size);

    if (!name)
        return (struct weir_text){ 0 };
    memcpy(name, outer.data, outer.size);
    name[outer.size] = '.';
    memcpy(name + outer.size + 1, inner.data, inner.size);
    return (struct weir_text){ .data = name, .size = outer.size + 1 + inner.size };
}

static int add_inner(const struct weir_json *object, struct weir_arena *arena, struct market__fields *ret)
{
    for (const struct weir_json *member = object->child; member; member = member->next) {
        struct weir_text      name = join(object->name, member->name, arena);
        struct market__field *field = name.data ? add(ret, arena) : NULL;

        if (!field)
            return WEIR_LIMIT;
        *field = field_of(member, name);
    }
    return WEIR_OK;
}

int market__fields_of(const struct weir_json *json, struct weir_arena *arena, struct market__fields *ret)
{
    int err = WEIR_OK;

    *ret = (struct market__fields){ 0 };
    for (const struct weir_json *member = json->child; member && err == WEIR_OK; member = member->next) {
        struct market__field *field = add(ret, arena);

        if (!field)
            return WEIR_LIMIT;
        *field = field_of(member, member->name);
        if (member->type == WEIR_JSON_OBJECT)
            err = add_inner(member, arena, ret);
    }
    return err;
}

int market__fields_of_array(const struct weir_json *json, const char *names, struct weir_arena *arena,
                            struct market__fields *ret)
{
    const struct weir_json *element = json->child;

    *ret = (struct market__fields){ 0 };
    for (; element && *names; element = element->next) {
        struct market__field *field = add(ret, arena);

        if (!field)
            return WEIR_LIMIT;
        names += *names == '?';
        *field = field_of(element, market__cut(&names));
    }
    return element || (*names && *names != '?') ? MARKET_MALFORMED : WEIR_OK;
}

int market__fields_of_cells(const struct weir_text *cells, size_t count, const char *names, struct weir_arena *arena,
                            struct market__fields *ret)
{
    size_t n = 0;

    *ret = (struct market__fields){ 0 };
    for (; n < count && *names; n++) {
        struct market__field *field = add(ret, arena);

        if (!field)
            return WEIR_LIMIT;
        *field = (struct market__field){ .name = market__cut(&names), .text = cells[n], .type = MARKET_TEXT };
    }
    return n < count || *names ? MARKET_MALFORMED : WEIR_OK;
}
