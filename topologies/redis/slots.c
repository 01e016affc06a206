/* slots.c: which of a cluster's 16384 slots a key is in: CRC16 (XMODEM), of the part between the first { and the next }
 * where there is one, of the whole key otherwise.
 */
#include "topologies/redis/internal.h"

static uint16_t crc16(const unsigned char *bytes, size_t size)
{
    uint16_t crc = 0;

    while (size-- > 0) {
        crc = (uint16_t)(crc ^ (uint16_t)(*bytes++ << 8));
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
    return crc;
}

unsigned redis_slot(struct weir_bytes key)
{
    const char *begin = key.data, *end = begin + key.size;
    const char *open = key.size > 0 ? memchr(begin, '{', key.size) : NULL;
    const char *close = open != NULL ? memchr(open, '}', (size_t)(end - open)) : NULL;

    if (close != NULL && close > open + 1) {
        begin = open + 1;
        end = close;
    }
    return crc16((const unsigned char *)begin, (size_t)(end - begin)) % REDIS_SLOTS;
}
