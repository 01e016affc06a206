/* quality.c: flags that a tick has by itself, whatever came before it. */
#include "schemas/feeds/internal.h"

static bool has_pair(const struct market_map *map, const char *names)
{
    for (size_t i = 0; i < map->count; i++)
        if (map->pairs[i].value.size && market__one_of(map->pairs[i].name, names) >= 0)
            return true;
    return false;
}

/* Whether an envelope that names its instrument says also where that is: a hub, or node and zone. */
static bool says_place(const struct market_map *map)
{
    return has_pair(map, "hub") || (has_pair(map, "node") && has_pair(map, "zone"));
}

static uint32_t judge_price(struct market_limits limits, int64_t price)
{
    uint32_t flags = price < 0 ? MARKET_PRICE_NEGATIVE : 0;

    return price < limits.least || price > limits.greatest ? flags | MARKET_OUT_OF_RANGE : flags;
}

/* Trades and envelope A have a volume; a price of energy, where its row has a field for it. */
static bool lacks_volume(const struct market_feed *feed, const struct market__roles *roles,
                         const struct market_tick *tick)
{
    bool expected = feed->trade || feed == market__nested || roles->of[ROLE_VOLUME];

    return expected && feed->names[ROLE_VOLUME] && tick->kind != MARKET_KIND_QUOTE && !tick->volume.given;
}

uint32_t market__quality(const struct market_feed *feed, const struct market__roles *roles,
                         const struct market_rules *rules, const struct market_limits *limits,
                         const struct market_tick *tick)
{
    uint32_t flags = tick->price.given ? judge_price(market__limits(rules, limits), tick->price.units) : 0;

    if (lacks_volume(feed, roles, tick))
        flags |= MARKET_MISSING_VOLUME;
    if (feed == market__nested && rules->power && !says_place(&tick->metadata))
        flags |= MARKET_MISSING_METADATA;
    return flags;
}

/* ---- limits that the configuration says ---- */

static int bad_limits(struct weir_text item, int code, struct weir_error *reterr)
{
    return weir__fail(reterr, code, "limits", "\"%.*s\": %s: give MARKET=LEAST..GREATEST, with commas between",
                      (int)MIN(item.size, 60), item.data, market_reason_text(code));
}

static int read_range(struct weir_text text, struct market_limits *ret)
{
    size_t size = 0;

    while (size + 2 <= text.size && memcmp(text.data + size, "..", 2) != 0)
        size++;
    if (size + 2 > text.size ||
        market_decimal_read(market__trim((struct weir_text){ text.data, size }), &ret->least) < 0 ||
        market_decimal_read(market__trim((struct weir_text){ text.data + size + 2, text.size - size - 2 }),
                            &ret->greatest) < 0 ||
        ret->least > ret->greatest)
        return MARKET_BAD_NUMBER;
    return WEIR_OK;
}

static int read_item(struct weir_text item, struct market_limits *ret, struct weir_error *reterr)
{
    const char      *is = memchr(item.data, '=', item.size);
    struct weir_text name = market__trim((struct weir_text){ item.data, is ? (size_t)(is - item.data) : item.size });

    for (size_t i = 0; is && market_rules_at(i); i++) {
        struct weir_text range = { is + 1, item.size - (size_t)(is + 1 - item.data) };

        if (market__same(name, market__text(market_rules_at(i)->name)))
            return read_range(range, &ret[i]) < 0 ? bad_limits(item, MARKET_BAD_NUMBER, reterr) : WEIR_OK;
    }
    return bad_limits(item, is ? MARKET_UNKNOWN_MARKET : MARKET_BAD_NUMBER, reterr);
}

int market_limits_read(const char *text, struct market_limits *ret, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; market_rules_at(i); i++)
        ret[i] = market__limits(market_rules_at(i), NULL);
    while (err == WEIR_OK && *text) {
        struct weir_text item = { text, strcspn(text, ",") };

        text += item.size + (text[item.size] == ',');
        item = market__trim(item);
        if (item.size)
            err = read_item(item, ret, reterr);
    }
    return err;
}
