/* row_key.c: the key of a tick's row: its line, a zero byte, event time, sequence, tick id.
 *
 * (1) Numbers are big-endian with their sign turned, so that bytes sort as the ticks do.
 */
#include "schemas/records.h"

#include "framework/json.h"

enum { TAIL = 1 + 8 + 8 + MARKET_TICK_ID_BYTES };

#define SIGN (UINT64_C(1) << 63)

static int decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct market_row_key *row = ret;
    const char            *tail = (const char *)in.data + in.size - TAIL;

    (void)codec;
    if (in.size < TAIL || tail[0] != '\0' ||
        market_line->decode(market_line, arena, BYTES(in.data, in.size - TAIL), &row->line) < 0)
        return WEIR_UNREADABLE;
    row->order.event_time = (int64_t)(weir__get_be64(tail + 1) ^ SIGN);
    row->order.sequence = (int64_t)(weir__get_be64(tail + 9) ^ SIGN);
    memcpy(row->order.tick_id, tail + 17, MARKET_TICK_ID_BYTES);
    return WEIR_OK;
}

static int encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value, struct weir_bytes *ret)
{
    const struct market_row_key *row = value;
    struct weir_bytes            line;
    char                        *bytes, *tail;
    int                          err = market_line->encode(market_line, arena, &row->line, &line);

    (void)codec;
    if (err < 0)
        return err;
    bytes = weir__arena_take(arena, line.size + TAIL);
    if (!bytes)
        return WEIR_LIMIT;
    tail = bytes + line.size;
    memcpy(bytes, line.data, line.size);
    tail[0] = '\0';
    weir__put_be64(tail + 1, (uint64_t)row->order.event_time ^ SIGN);
    weir__put_be64(tail + 9, (uint64_t)row->order.sequence ^ SIGN);
    memcpy(tail + 17, row->order.tick_id, MARKET_TICK_ID_BYTES);
    *ret = BYTES(bytes, line.size + TAIL);
    return WEIR_OK;
}

static int print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct market_row_key *row = value;
    int                          err;

    (void)codec;
    weir_json_begin_object(json);
    weir_json_name(json, "line");
    err = market_line->print(market_line, &row->line, json);
    weir_json_name(json, "order");
    if (err == WEIR_OK)
        err = market_order->print(market_order, &row->order, json);
    weir_json_end_object(json);
    return err;
}

static int parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct market_row_key  *row = ret;
    const struct weir_json *line = weir_json_get(json, "line"), *order = weir_json_get(json, "order");
    int                     err;

    (void)codec;
    if (!line || !order)
        return WEIR_UNREADABLE;
    err = market_line->parse(market_line, line, &row->line);
    return err < 0 ? err : market_order->parse(market_order, order, &row->order);
}

const struct weir_codec market_row_key[1] = { {
    .name = "market_row_key",
    .bytes = sizeof(struct market_row_key),
    .decode = decode,
    .encode = encode,
    .print = print,
    .parse = parse,
} };
