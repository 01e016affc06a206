/* base64.c: RFC 4648, section 4: padded, and one text only for any bytes. */
#include "framework/record/record.h"

void weir__base64_encode(struct weir_bytes bytes, struct weir__buf *ret)
{
    static const char    letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = bytes.data;

    if (!weir__buf_room(ret, bytes.size / 3 * 4 + 4))
        return;
    for (size_t left = bytes.size; left; at += MIN(left, 3), left -= MIN(left, 3)) {
        uint32_t three = (uint32_t)at[0] << 16 | (left > 1 ? (uint32_t)at[1] << 8 : 0) | (left > 2 ? at[2] : 0u);

        ret->data[ret->size++] = letters[three >> 18];
        ret->data[ret->size++] = letters[three >> 12 & 63];
        ret->data[ret->size++] = left > 1 ? letters[three >> 6 & 63] : '=';
        ret->data[ret->size++] = left > 2 ? letters[three & 63] : '=';
    }
}

/* The six bits that a letter stands for; -1 = none. */
static int bits_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

/* Four letters, the last `padding` of them padding, to three bytes. */
static bool decode_four(const char *letters, size_t padding, unsigned char *to)
{
    uint32_t three = 0;

    for (size_t i = 0; i < 4; i++) {
        int bits = i < 4 - padding ? bits_of(letters[i]) : 0;

        if (bits < 0)
            return false;
        three = three << 6 | (uint32_t)bits;
    }
    to[0] = (unsigned char)(three >> 16);
    to[1] = (unsigned char)(three >> 8);
    to[2] = (unsigned char)three;
    /* Bits that belong to no byte must be 0. */
    return !(padding > 0 && to[2]) && !(padding > 1 && to[1]);
}

int weir__base64_decode(struct weir_text text, struct weir_arena *arena, struct weir_bytes *ret)
{
    size_t         padding = 0;
    unsigned char *bytes;

    if (text.size % 4)
        return WEIR_UNREADABLE;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    bytes = weir__arena_take(arena, text.size / 4 * 3);
    if (!bytes)
        return WEIR_LIMIT;
    for (size_t i = 0; i < text.size; i += 4)
        if (!decode_four(text.data + i, i + 4 == text.size ? padding : 0, bytes + i / 4 * 3))
            return WEIR_UNREADABLE;
    *ret = BYTES(bytes, text.size / 4 * 3 - padding);
    return WEIR_OK;
}
