/* bytes.c: comparing borrowed bytes. */
#include "framework/base/base.h"

int weir__bytes_compare(struct weir_bytes a, struct weir_bytes b)
{
    size_t size = MIN(a.size, b.size);
    int    order = size ? memcmp(a.data, b.data, size) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

bool weir__bytes_equal(struct weir_bytes a, struct weir_bytes b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

bool weir__bytes_starts(struct weir_bytes bytes, struct weir_bytes prefix)
{
    return prefix.size <= bytes.size && (!prefix.size || memcmp(bytes.data, prefix.data, prefix.size) == 0);
}

size_t weir__utf8_take(struct weir_bytes bytes, uint32_t *ret)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char  *at = bytes.data;
    size_t                size;
    uint32_t              c;

    if (!bytes.size)
        return 0;
    size = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf8 ? 4 : 0;
    if (!size || size > bytes.size)
        return 0;
    c = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (at[i] & 0x3fu);
    }
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return size;
}
