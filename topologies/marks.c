/* marks.c: trades that were seen, each as the first bytes of its id and a hash of what it said.
 *
 * (1) Marks are stored: bytes of the id, which is a SHA-256, and murmur2 of the content, both stable.
 */
#include "topologies/topologies.h"

enum { ID_BYTES = 8 };
_Static_assert(MARKET_MARK_BYTES == ID_BYTES + 4, "a mark is id and hash");

static uint32_t content_hash(const struct market_content *content)
{
    char bytes[44];

    weir__put_be64(bytes, (uint64_t)content->price.units);
    weir__put_be64(bytes + 8, (uint64_t)content->volume.units);
    weir__put_be64(bytes + 16, (uint64_t)content->bid_price.units);
    weir__put_be64(bytes + 24, (uint64_t)content->ask_price.units);
    weir__put_be64(bytes + 32, (uint64_t)content->revision);
    bytes[40] = (char)content->price.given;
    bytes[41] = (char)content->volume.given;
    bytes[42] = (char)content->bid_price.given;
    bytes[43] = (char)content->ask_price.given;
    return weir__murmur2(BYTES(bytes, sizeof(bytes)));
}

void market_mark(const struct market_order *order, const struct market_content *content, char ret[MARKET_MARK_BYTES])
{
    memcpy(ret, order->tick_id, ID_BYTES);
    weir__put_be32(ret + ID_BYTES, content_hash(content));
}

enum market_known market_mark_find(struct weir_text marks, const char mark[MARKET_MARK_BYTES])
{
    enum market_known known = MARKET_NEW;

    for (size_t at = 0; at + MARKET_MARK_BYTES <= marks.size; at += MARKET_MARK_BYTES) {
        if (memcmp(marks.data + at, mark, MARKET_MARK_BYTES) == 0)
            return MARKET_SAME;
        if (memcmp(marks.data + at, mark, ID_BYTES) == 0)
            known = MARKET_OTHERWISE;
    }
    return known;
}

int market_mark_add(struct weir_context *ctx, struct weir_text marks, const char mark[MARKET_MARK_BYTES], size_t most,
                    struct weir_text *ret)
{
    size_t kept = MIN(marks.size / MARKET_MARK_BYTES, most - 1) * MARKET_MARK_BYTES;
    char  *bytes = weir_alloc(ctx, kept + MARKET_MARK_BYTES);

    if (bytes == NULL)
        return WEIR_LIMIT;
    if (kept > 0)
        memcpy(bytes, marks.data + marks.size - kept, kept);
    memcpy(bytes + kept, mark, MARKET_MARK_BYTES);
    *ret = (struct weir_text){ .data = bytes, .size = kept + MARKET_MARK_BYTES };
    return WEIR_OK;
}
