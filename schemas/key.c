/* key.c: tenant and instrument as one key: "tenant/instrument", in topics, stores and as text. */
#include "framework/json.h"
#include "schemas/instrument.h"

enum { KEY_MAX = MARKET_TENANT_MAX + 1 + MARKET_INSTRUMENT_MAX };

static bool is_tenant_sign(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

bool market_tenant_legal(struct weir_text tenant)
{
    if (tenant.size < 1 || tenant.size > MARKET_TENANT_MAX)
        return false;
    for (size_t i = 0; i < tenant.size; i++)
        if (!is_tenant_sign(tenant.data[i]))
            return false;
    return true;
}

static bool is_legal(const struct market_key *key)
{
    return market_tenant_legal(key->tenant) && market_instrument_legal(key->instrument);
}

int market_key_split(struct weir_text text, struct market_key *ret)
{
    const char       *slash = text.size ? memchr(text.data, '/', text.size) : NULL;
    struct market_key key;

    if (!slash)
        return MARKET_BAD_NAME;
    key.tenant = (struct weir_text){ text.data, (size_t)(slash - text.data) };
    key.instrument = (struct weir_text){ slash + 1, text.size - key.tenant.size - 1 };
    if (!is_legal(&key))
        return MARKET_BAD_NAME;
    *ret = key;
    return WEIR_OK;
}

static size_t put_key(const struct market_key *key, char to[KEY_MAX])
{
    memcpy(to, key->tenant.data, key->tenant.size);
    to[key->tenant.size] = '/';
    memcpy(to + key->tenant.size + 1, key->instrument.data, key->instrument.size);
    return key->tenant.size + 1 + key->instrument.size;
}

static int decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    (void)codec, (void)arena;
    return market_weir_code(market_key_split((struct weir_text){ in.data, in.size }, ret));
}

static int encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value, struct weir_bytes *ret)
{
    const struct market_key *key = value;
    char                    *bytes;

    (void)codec;
    if (!is_legal(key))
        return market_weir_code(MARKET_BAD_NAME);
    bytes = weir__arena_take(arena, key->tenant.size + 1 + key->instrument.size);
    if (!bytes)
        return WEIR_LIMIT;
    *ret = BYTES(bytes, put_key(key, bytes));
    return WEIR_OK;
}

static int print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    char text[KEY_MAX];

    (void)codec;
    if (!is_legal(value))
        return market_weir_code(MARKET_BAD_NAME);
    weir_json_put_text(json, (struct weir_text){ text, put_key(value, text) });
    return WEIR_OK;
}

static int parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct weir_text text;
    int              err = weir_json_text(json, &text);

    (void)codec;
    return err < 0 ? err : market_weir_code(market_key_split(text, ret));
}

const struct weir_codec market_key[1] = { {
    .name = "market_key",
    .bytes = sizeof(struct market_key),
    .decode = decode,
    .encode = encode,
    .print = print,
    .parse = parse,
} };
