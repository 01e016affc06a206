/* contents.c: of some ticks the greatest content so far, each behind the first bytes of its tick's id.
 *
 * (1) An entry is stored: 8 bytes of the id, which is a SHA-256, the content's length in 4 bytes, the content in MessagePack.
 * (2) Of one content the latest ingestion time is kept: what comes to stand before another depends on no order of arrival.
 */
#include "topologies/topologies.h"

enum { ID_BYTES = 8, HEAD_BYTES = ID_BYTES + 4 };

/* The entry of a tick; of one that has none, the end of all, size 0. WEIR_UNREADABLE. */
static int find(struct weir_text contents, const struct market_order *order, struct weir_text *ret)
{
    size_t at = 0, size;

    *ret = (struct weir_text){ 0 };
    for (; at < contents.size; at += size) {
        if (contents.size - at < HEAD_BYTES)
            return WEIR_UNREADABLE;
        size = HEAD_BYTES + (size_t)weir__get_be32(contents.data + at + ID_BYTES);
        if (size > contents.size - at)
            return WEIR_UNREADABLE;
        *ret = (struct weir_text){ contents.data + at, size };
        if (memcmp(ret->data, order->tick_id, ID_BYTES) == 0)
            return WEIR_OK;
    }
    if (contents.size > 0)
        *ret = (struct weir_text){ contents.data + contents.size, 0 };
    return WEIR_OK;
}

/* Another entry in an entry's place. */
static int put(struct weir_context *ctx, struct weir_text contents, struct weir_text entry,
               const struct market_order *order, const struct market_content *content, struct weir_text *ret)
{
    size_t            before = contents.size > 0 ? (size_t)(entry.data - contents.data) : 0;
    size_t            after = contents.size - before - entry.size;
    struct weir_bytes packed;
    char             *bytes;
    int               err = market_content->encode(market_content, weir_record_arena(ctx), content, &packed);

    if (err < 0)
        return err;
    bytes = weir_alloc(ctx, contents.size - entry.size + HEAD_BYTES + packed.size);
    if (bytes == NULL)
        return WEIR_LIMIT;
    *ret = (struct weir_text){ bytes, contents.size - entry.size + HEAD_BYTES + packed.size };
    if (before > 0)
        memcpy(bytes, contents.data, before);
    bytes += before;
    memcpy(bytes, order->tick_id, ID_BYTES);
    weir__put_be32(bytes + ID_BYTES, (uint32_t)packed.size);
    memcpy(bytes + HEAD_BYTES, packed.data, packed.size);
    if (after > 0)
        memcpy(bytes + HEAD_BYTES + packed.size, entry.data + entry.size, after);
    return WEIR_OK;
}

static int read_content(struct weir_context *ctx, struct weir_text entry, struct market_content *ret)
{
    struct weir_bytes packed = { entry.data + HEAD_BYTES, entry.size - HEAD_BYTES };

    return market_content->decode(market_content, weir_record_arena(ctx), packed, ret);
}

int market_contents_enter(struct weir_context *ctx, struct weir_text contents, const struct market_order *order,
                          const struct market_content *content, struct weir_text *ret)
{
    struct market_content known = { 0 };
    struct weir_text      entry;
    int                   err = find(contents, order, &entry);

    *ret = contents;
    if (err < 0)
        return err;
    if (entry.size == 0) {
        err = put(ctx, contents, entry, order, content, ret);
        return err < 0 ? err : MARKET_NEW;
    }
    err = read_content(ctx, entry, &known);
    if (err < 0)
        return err;
    switch (market_content_judge(content, &known)) {
    case MARKET_AGAIN: return MARKET_SAME;
    case MARKET_LESS: return MARKET_SUPERSEDED;
    case MARKET_AGAIN_LATER:
        known.ingested_at = content->ingested_at;
        err = put(ctx, contents, entry, order, &known, ret);
        return err < 0 ? err : MARKET_SAME;
    case MARKET_GREATER: err = put(ctx, contents, entry, order, content, ret); break;
    }
    return err < 0 ? err : MARKET_OTHERWISE;
}
