/* codecs.c: the types that travel along edges, and where they do not meet. */
#include "framework/record/record.h"
#include "framework/topology/internal.h"

void weir__types(struct weir__node *node, const struct weir__made *from, const struct weir_codec *key,
                 const struct weir_codec *value)
{
    node->key_in = from->key;
    node->value_in = from->value;
    node->key_out = key;
    node->value_out = value;
}

bool weir__same_type(struct weir__compiler *compiler, const struct weir__made *made, const char *what,
                     const struct weir_codec *expected, const struct weir_codec *found)
{
    if (expected == NULL || found == NULL || weir__codec_same(expected, found))
        return true;
    weir__fault(compiler, WEIR_BAD_TYPE, made->eff.name, "%s is %s, but %s is needed: change one of them", what,
                weir__type_word(compiler, found), weir__type_word(compiler, expected));
    return false;
}

void weir__same_inputs(struct weir__compiler *compiler, const struct weir__made *made)
{
    const struct weir__made *first = made->inputs[0];

    for (size_t i = 1; i < made->input_count; i++) {
        const struct weir__made *input = made->inputs[i];

        weir__same_type(compiler, made, weir__phrase(compiler, "the key from %s", input->eff.name), first->key,
                        input->key);
        weir__same_type(compiler, made, weir__phrase(compiler, "the value from %s", input->eff.name), first->value,
                        input->value);
    }
}

const struct weir_codec *weir__windowed_key(struct weir__compiler *compiler, const struct weir_windows *windows,
                                            const struct weir_codec *key)
{
    struct weir_codec *codec = weir__take(compiler, sizeof(*codec));

    if (windows->kind == WEIR_SESSION)
        *codec = *SESSIONED(key);
    else
        *codec = *WINDOWED(key, weir__windows_width(windows));
    return codec;
}
