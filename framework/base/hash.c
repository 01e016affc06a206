/* hash.c: a fast hash for our own maps, and Kafka's for partitions. The only file that knows xxhash. */
#include "framework/base/base.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t weir__hash(struct weir_bytes bytes) { return XXH3_64bits(bytes.size ? bytes.data : "", bytes.size); }

uint32_t weir__murmur2(struct weir_bytes bytes)
{
    const uint32_t       seed = 0x9747b28c, factor = 0x5bd1e995;
    const unsigned char *at = bytes.data;
    size_t               left = bytes.size;
    uint32_t             hash = seed ^ (uint32_t)left;

    for (; left >= 4; at += 4, left -= 4) {
        uint32_t word = __builtin_bswap32(weir__get_be32(at)) * factor;

        hash = (hash * factor) ^ ((word ^ (word >> 24)) * factor);
    }
    if (left == 3)
        hash ^= (uint32_t)at[2] << 16;
    if (left >= 2)
        hash ^= (uint32_t)at[1] << 8;
    if (left >= 1)
        hash = (hash ^ at[0]) * factor;
    hash = (hash ^ (hash >> 13)) * factor;
    return hash ^ (hash >> 15);
}

int32_t weir__partition_of(struct weir_bytes key, int32_t count)
{
    CHECK(count > 0);
    return (int32_t)(weir__murmur2(key) & 0x7fffffff) % count;
}
