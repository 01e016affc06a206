/* guess.c: how bytes are shown of which no topology says what they are: a JSON object or array as such, other text as
 * text, the rest as base64. Dead letters are JSON. */
#include "framework/json/json.h"
#include "framework/main/commands.h"

static int decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    (void)codec;
    (void)arena;
    for (struct weir_bytes rest = in; rest.size > 0;) {
        uint32_t c;
        size_t   size = weir__utf8_take(rest, &c);

        if (size == 0)
            return WEIR_UNREADABLE;
        rest = BYTES((const char *)rest.data + size, rest.size - size);
    }
    *(struct weir_text *)ret = (struct weir_text){ .data = in.data, .size = in.size };
    return WEIR_OK;
}

/* An object or array, on one line. */
static bool is_json(struct weir_text text)
{
    const struct weir_json *json = NULL;
    struct weir_arena       arena;
    bool                    nested;

    if (memchr(text.data, '\n', text.size) != NULL)
        return false;
    weir__arena_init(&arena, 0);
    nested = weir_json_parse(&arena, text, &json, NULL) == WEIR_OK &&
             (json->type == WEIR_JSON_OBJECT || json->type == WEIR_JSON_ARRAY);
    weir__arena_fini(&arena);
    return nested;
}

static int print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct weir_text *text = value;

    (void)codec;
    if (is_json(*text))
        weir__buf_add(weir__json_put_raw(json), text->data, text->size);
    else
        weir_json_put_text(json, *text);
    return WEIR_OK;
}

const struct weir_codec weir__guess[1] = {
    { .name = "guess", .bytes = sizeof(struct weir_text), .decode = decode, .print = print }
};
