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

static uint32_t judge_price(const struct market_rules *rules, int64_t price)
{
    uint32_t flags = price < 0 ? MARKET_PRICE_NEGATIVE : 0;

    return price < rules->price_min || price > rules->price_max ? flags | MARKET_OUT_OF_RANGE : flags;
}

uint32_t market__quality(const struct market_feed *feed, const struct market_rules *rules,
                         const struct market_tick *tick)
{
    uint32_t flags = tick->price.given ? judge_price(rules, tick->price.units) : 0;

    if (tick->kind != MARKET_KIND_QUOTE && feed->names[ROLE_VOLUME] && !tick->volume.given)
        flags |= MARKET_MISSING_VOLUME;
    if (feed == market__nested && rules->power && !says_place(&tick->metadata))
        flags |= MARKET_MISSING_METADATA;
    return flags;
}
