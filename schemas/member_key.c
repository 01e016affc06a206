/* member_key.c: the key of a member's bar: tenant/id, a zero byte, the member, a zero byte, the window's start.
 *
 * (1) The start is big-endian with its sign turned, so that bytes sort as windows do.
 */
#include "schemas/records.h"

#include "framework/json.h"

#define SIGN (UINT64_C(1) << 63)

enum { START = 8 };

static int decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    struct market_member_key *row = ret;
    const char               *at = in.data, *end = at + in.size;
    const char               *zero = in.size > 0 ? memchr(at, '\0', in.size) : NULL;

    (void)codec;
    if (zero == NULL || end - zero < 2 + START || end[-START - 1] != '\0' ||
        market_key->decode(market_key, arena, BYTES(at, (size_t)(zero - at)), &row->key) < 0)
        return WEIR_UNREADABLE;
    row->member = (struct weir_text){ zero + 1, (size_t)(end - START - 1 - (zero + 1)) };
    row->start = (int64_t)(weir__get_be64(end - START) ^ SIGN);
    return row->member.size == 0 || market_instrument_legal(row->member) ? WEIR_OK : WEIR_UNREADABLE;
}

static int encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value, struct weir_bytes *ret)
{
    const struct market_member_key *row = value;
    struct weir_bytes               key;
    char                           *bytes, *at;
    int                             err = market_key->encode(market_key, arena, &row->key, &key);

    (void)codec;
    if (err < 0)
        return err;
    bytes = weir__arena_take(arena, key.size + row->member.size + 2 + START);
    if (!bytes)
        return WEIR_LIMIT;
    memcpy(bytes, key.data, key.size);
    at = bytes + key.size;
    *at++ = '\0';
    if (row->member.size > 0)
        memcpy(at, row->member.data, row->member.size);
    at += row->member.size;
    *at++ = '\0';
    weir__put_be64(at, (uint64_t)row->start ^ SIGN);
    *ret = BYTES(bytes, (size_t)(at + START - bytes));
    return WEIR_OK;
}

static int print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct market_member_key *row = value;
    int                             err;

    (void)codec;
    weir_json_begin_object(json);
    weir_json_name(json, "key");
    err = market_key->print(market_key, &row->key, json);
    weir_json_name(json, "member");
    weir_json_put_text(json, (struct weir_text){ row->member.size > 0 ? row->member.data : "", row->member.size });
    weir_json_name(json, "start");
    weir_json_put_int64(json, row->start);
    weir_json_end_object(json);
    return err;
}

static int parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct market_member_key *row = ret;
    const struct weir_json   *key = weir_json_get(json, "key"), *member = weir_json_get(json, "member"),
                           *start = weir_json_get(json, "start");
    int err;

    (void)codec;
    if (!key || !member || !start || weir_json_int64(start, &row->start) < 0 ||
        weir_json_text(member, &row->member) < 0)
        return WEIR_UNREADABLE;
    err = market_key->parse(market_key, key, &row->key);
    return err < 0 || row->member.size == 0 || market_instrument_legal(row->member) ? err : WEIR_UNREADABLE;
}

const struct weir_codec market_member_key[1] = { {
    .name = "market_member_key",
    .bytes = sizeof(struct market_member_key),
    .decode = decode,
    .encode = encode,
    .print = print,
    .parse = parse,
} };
