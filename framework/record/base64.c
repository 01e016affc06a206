/* base64.c: RFC 4648, section 4, with padding. */
#include "framework/record/record.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void weir__base64_encode(struct weir_bytes bytes, struct weir__buf *ret)
{
    const unsigned char *at = bytes.data;

    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t   left = bytes.size - i;
        unsigned three =
            (unsigned)at[i] << 16 | (left > 1 ? (unsigned)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0u);

        weir__buf_putc(ret, letters[three >> 18]);
        weir__buf_putc(ret, letters[three >> 12 & 63]);
        weir__buf_putc(ret, left > 1 ? letters[three >> 6 & 63] : '=');
        weir__buf_putc(ret, left > 2 ? letters[three & 63] : '=');
    }
}

static int digit(char c)
{
    const char *found = c != '\0' ? strchr(letters, c) : NULL;

    return found != NULL ? (int)(found - letters) : -1;
}

int weir__base64_decode(struct weir_text text, struct weir_arena *arena, struct weir_bytes *ret)
{
    size_t         padding = 0, size = 0;
    unsigned char *bytes;

    if (text.size % 4 != 0)
        return WEIR_UNREADABLE;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    bytes = weir__arena_take(arena, text.size / 4 * 3 + 1);
    if (bytes == NULL)
        return WEIR_LIMIT;
    for (size_t i = 0; i < text.size; i += 4) {
        unsigned four = 0;

        for (size_t j = 0; j < 4; j++) {
            int value = i + j >= text.size - padding ? 0 : digit(text.data[i + j]);

            if (value < 0)
                return WEIR_UNREADABLE;
            four = four << 6 | (unsigned)value;
        }
        bytes[size++] = (unsigned char)(four >> 16);
        bytes[size++] = (unsigned char)(four >> 8);
        bytes[size++] = (unsigned char)four;
    }
    *ret = BYTES(bytes, size - padding);
    return WEIR_OK;
}
