/* wide.c: a line and the width of windows: where windows of several widths share a store, each width has a time of its own.
 *
 * (1) The line's bytes, a byte 2, and the minutes big-endian.
 */
#include "framework/json.h"
#include "schemas/instrument.h"

enum { TAIL = 1 + 4, MARK = 2, MINUTE = 60000 };

static int decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct market_wide *wide = ret;
    const char         *mark = (const char *)in.data + in.size - TAIL;

    (void)codec;
    if (in.size < TAIL || *mark != MARK)
        return WEIR_UNREADABLE;
    wide->width = (int64_t)weir__get_be32(mark + 1) * MINUTE;
    return market_line->decode(market_line, arena, BYTES(in.data, in.size - TAIL), &wide->line);
}

static int encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value, struct weir_bytes *ret)
{
    const struct market_wide *wide = value;
    struct weir_bytes         line;
    char                     *bytes;
    int                       err = market_line->encode(market_line, arena, &wide->line, &line);

    (void)codec;
    if (err < 0)
        return err;
    bytes = weir__arena_take(arena, line.size + TAIL);
    if (!bytes)
        return WEIR_LIMIT;
    memcpy(bytes, line.data, line.size);
    bytes[line.size] = MARK;
    weir__put_be32(bytes + line.size + 1, (uint32_t)(wide->width / MINUTE));
    *ret = BYTES(bytes, line.size + TAIL);
    return WEIR_OK;
}

static int print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct market_wide *wide = value;
    int                       err;

    (void)codec;
    weir_json_begin_object(json);
    weir_json_name(json, "line");
    err = market_line->print(market_line, &wide->line, json);
    weir_json_name(json, "width");
    weir_json_put_int64(json, wide->width);
    weir_json_end_object(json);
    return err;
}

static int parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct market_wide     *wide = ret;
    const struct weir_json *line = weir_json_get(json, "line"), *width = weir_json_get(json, "width");

    (void)codec;
    if (!line || !width || weir_json_int64(width, &wide->width) < 0)
        return WEIR_UNREADABLE;
    return market_line->parse(market_line, line, &wide->line);
}

const struct weir_codec market_wide[1] = { {
    .name = "market_wide",
    .bytes = sizeof(struct market_wide),
    .decode = decode,
    .encode = encode,
    .print = print,
    .parse = parse,
} };
