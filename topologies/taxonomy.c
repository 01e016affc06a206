/* taxonomy.c: reference row first, then rules on the tokens of the instrument's id, then what its market trades.
 *
 * (1) Rules look at whole tokens, never at parts of words: GASOLINE is no GAS, and NE in LINE no region.
 * (2) The rules go by priority: of several that apply the first counts.
 */
#include "topologies/taxonomy.h"

/* clang-format off */
static const struct rule {
    const char *answer, *tokens; /* tokens with blanks around them */
} commodities[] = {
    { "refined_products", " GASOLINE RBOB DIESEL HEATING ULSD HO " },
    { "natural_gas",      " NG GAS NATURAL HENRY " },
    { "crude_oil",        " CRUDE OIL WTI BRENT CL " },
    { "coal",             " COAL THERMAL " },
    { "electricity",      " ELEC POWER MW MWH LMP " },
    { "metals",           " GC SI HG PL GOLD SILVER COPPER " },
    { "crypto",           " BTC XBT ETH XBTUSDT BTCUSDT ETHUSDT " },
}, regions[] = {
    { "northeast", " NYISO ISONE ISO-NE PJM NORTHEAST " },
    { "midwest",   " MISO MIDWEST ILLINOIS " },
    { "west",      " CAISO CALIFORNIA WEST " },
    { "texas",     " ERCOT TEXAS TX " },
    { "alberta",   " AESO ALBERTA " },
    { "southeast", " SERC SOUTHEAST FLORIDA " },
}, tiers[] = {
    { "premium", " BALMO PROMO PREM PREMIUM " },
}, of_market[] = { /* what an operator's market trades, and where */
    { "northeast", " NYISO ISONE PJM " },
    { "midwest",   " MISO " },
    { "west",      " CAISO " },
    { "texas",     " ERCOT " },
    { "alberta",   " AESO " },
};
/* clang-format on */

#define TEXT(s) ((struct weir_text){ (s), strlen(s) })

static bool has_token(const char *tokens, struct weir_text token)
{
    for (const char *at = tokens + 1; *at != '\0'; at = strchr(at, ' ') + 1)
        if (strncmp(at, token.data, token.size) == 0 && at[token.size] == ' ')
            return true;
    return false;
}

/* The next token of an id, from *at on: what lies between dots, underscores and dashes. Size 0: none is left. */
static struct weir_text next_token(struct weir_text id, size_t *at)
{
    size_t begin;

    while (*at < id.size && strchr("._-", id.data[*at]) != NULL)
        (*at)++;
    begin = *at;
    while (*at < id.size && strchr("._-", id.data[*at]) == NULL)
        (*at)++;
    return (struct weir_text){ id.data + begin, *at - begin };
}

static const char *apply(const struct rule *rules, size_t count, struct weir_text id)
{
    for (size_t i = 0; i < count; i++) {
        size_t           at = 0;
        struct weir_text token;

        while ((token = next_token(id, &at)).size > 0)
            if (has_token(rules[i].tokens, token))
                return rules[i].answer;
    }
    return NULL;
}

/* Half sure of a rule; more where the market is known, and where the id names a place in it. */
static struct market_decimal confidence(const struct market_tick *tick, bool power, bool by_rule)
{
    struct market_id_parts parts;
    int                    tenths = by_rule ? 5 : 4;

    if (power)
        tenths += 3;
    if (market_id_split(tick->instrument_id, &parts) == WEIR_OK && parts.location.size > 0)
        tenths += 1;
    return MARKET_DECIMAL(MARKET_UNIT / 10 * tenths);
}

static struct market_taxonomy by_rules(const struct market_tick *tick)
{
    bool        power = market_rules_find(tick->market)->power;
    const char *region = apply(of_market, ARRAY_SIZE(of_market), tick->market);
    const char *commodity = power ? "electricity" : apply(commodities, ARRAY_SIZE(commodities), tick->instrument_id);
    const char *tier = apply(tiers, ARRAY_SIZE(tiers), tick->instrument_id);

    if (region == NULL)
        region = apply(regions, ARRAY_SIZE(regions), tick->instrument_id);
    return (struct market_taxonomy){ .commodity = TEXT(commodity != NULL ? commodity : "unknown"),
                                     .region = TEXT(region != NULL ? region : "unknown"),
                                     .product_tier = TEXT(tier != NULL ? tier : "standard"),
                                     .confidence = confidence(tick, power, commodity != NULL),
                                     .method = TEXT(commodity != NULL ? "rule_based" : "market_default") };
}

struct market_taxonomy market_classify(const struct market_tick *tick, const struct market_instrument *row)
{
    struct market_taxonomy ruled = by_rules(tick);

    if (row == NULL || row->commodity.data == NULL)
        return ruled;
    return (struct market_taxonomy){ .commodity = row->commodity,
                                     .region = row->region.data != NULL ? row->region : ruled.region,
                                     .product_tier =
                                         row->product_tier.data != NULL ? row->product_tier : ruled.product_tier,
                                     .confidence = MARKET_DECIMAL(MARKET_UNIT / 100 * 95),
                                     .method = TEXT("database") };
}
