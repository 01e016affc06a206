/* line.c: a key and an epoch: the live line of an instrument, or a backfill's beside it.
 *
 * (1) The live line's bytes are the key's. Behind those of another stand a byte 1, which no name holds, and the epoch
 *     big-endian: rows of the one are never between rows of the other.
 */
#include <inttypes.h>

#include "framework/json.h"
#include "schemas/instrument.h"

enum { TAIL = 1 + 8, MARK = 1, TEXT_MAX = MARKET_TENANT_MAX + MARKET_INSTRUMENT_MAX + 32 };

int64_t market_first_epoch(int64_t rebuild) { return (rebuild - 1) * MARKET_EPOCHS + 1; }

bool market_is_first_epoch(int64_t epoch) { return epoch % MARKET_EPOCHS == 1; }

static int decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct market_line *line = ret;
    const char         *mark = in.size > TAIL ? (const char *)in.data + in.size - TAIL : NULL;

    (void)codec, (void)arena;
    line->epoch = MARKET_LIVE;
    if (mark && *mark == MARK) {
        line->epoch = (int64_t)weir__get_be64(mark + 1);
        in.size -= TAIL;
        if (line->epoch <= MARKET_LIVE)
            return WEIR_UNREADABLE;
    }
    return market_weir_code(market_key_split((struct weir_text){ in.data, in.size }, &line->key));
}

static int encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value, struct weir_bytes *ret)
{
    const struct market_line *line = value;
    struct weir_bytes         key;
    char                     *bytes;
    int                       err = market_key->encode(market_key, arena, &line->key, &key);

    (void)codec;
    if (err == WEIR_OK && line->epoch <= MARKET_LIVE)
        *ret = key;
    if (err < 0 || line->epoch <= MARKET_LIVE)
        return err;
    bytes = weir__arena_take(arena, key.size + TAIL);
    if (!bytes)
        return WEIR_LIMIT;
    memcpy(bytes, key.data, key.size);
    bytes[key.size] = MARK;
    weir__put_be64(bytes + key.size + 1, (uint64_t)line->epoch);
    *ret = BYTES(bytes, key.size + TAIL);
    return WEIR_OK;
}

static int print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct market_line *line = value;
    char                      text[TEXT_MAX];
    int                       size;

    if (line->epoch <= MARKET_LIVE)
        return market_key->print(market_key, &line->key, json);
    (void)codec;
    size = snprintf(text, sizeof(text), "%.*s/%.*s@%" PRId64, (int)line->key.tenant.size, line->key.tenant.data,
                    (int)line->key.instrument.size, line->key.instrument.data, line->epoch);
    weir_json_put_text(json, (struct weir_text){ text, (size_t)size });
    return WEIR_OK;
}

static int read_epoch(struct weir_text text, int64_t *ret)
{
    int64_t value = 0;

    if (text.size == 0 || text.size > 18)
        return WEIR_UNREADABLE;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return WEIR_UNREADABLE;
        value = 10 * value + (text.data[i] - '0');
    }
    *ret = value;
    return value > MARKET_LIVE ? WEIR_OK : WEIR_UNREADABLE;
}

static int parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct market_line *line = ret;
    struct weir_text    text;
    const char         *at;
    int                 err = weir_json_text(json, &text);

    (void)codec;
    if (err < 0)
        return err;
    line->epoch = MARKET_LIVE;
    at = text.size > 0 ? memchr(text.data, '@', text.size) : NULL;
    if (at) {
        err = read_epoch((struct weir_text){ at + 1, text.size - (size_t)(at + 1 - text.data) }, &line->epoch);
        text.size = (size_t)(at - text.data);
    }
    return err < 0 ? err : market_weir_code(market_key_split(text, &line->key));
}

const struct weir_codec market_line[1] = { {
    .name = "market_line",
    .bytes = sizeof(struct market_line),
    .decode = decode,
    .encode = encode,
    .print = print,
    .parse = parse,
} };
