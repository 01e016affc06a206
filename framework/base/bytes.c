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
