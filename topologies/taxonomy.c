/* taxonomy.c: reference row first, then rules on the words of the instrument's id, then what its market trades. */
#include "topologies/taxonomy.h"

#include <stdlib.h>

/* clang-format off */
static const struct built_in {
    enum market_rule_kind kind;
    const char           *answer, *keywords; /* with commas between */
} built_ins[] = { /* of one kind, the first that applies counts */
    { MARKET_RULE_COMMODITY, "refined_products", "GASOLINE,RBOB,DIESEL,HEATING,ULSD,HO" },
    { MARKET_RULE_COMMODITY, "natural_gas",      "NG,GAS,NATURAL,HENRY" },
    { MARKET_RULE_COMMODITY, "crude_oil",        "CRUDE,OIL,WTI,BRENT,CL" },
    { MARKET_RULE_COMMODITY, "coal",             "COAL,THERMAL" },
    { MARKET_RULE_COMMODITY, "electricity",      "ELEC,POWER,MW,MWH,LMP" },
    { MARKET_RULE_COMMODITY, "metals",           "GC,SI,HG,PL,GOLD,SILVER,COPPER" },
    { MARKET_RULE_COMMODITY, "crypto",           "BTC,XBT,ETH,XBTUSDT,BTCUSDT,ETHUSDT" },
    { MARKET_RULE_REGION,    "northeast",        "NY,NE,NYISO,ISONE,ISO-NE,PJM,NORTHEAST" },
    { MARKET_RULE_REGION,    "southeast",        "SE,SOUTH,SERC,SOUTHEAST,FLORIDA" },
    { MARKET_RULE_REGION,    "midwest",          "MIDWEST,MISO,ILLINOIS" },
    { MARKET_RULE_REGION,    "west",             "WEST,CAISO,CALIFORNIA" },
    { MARKET_RULE_REGION,    "texas",            "TEXAS,ERCOT,TX" },
    { MARKET_RULE_REGION,    "alberta",          "AESO,ALBERTA" },
    { MARKET_RULE_TIER,      "premium",          "BALMO,PROMO,PREM,PREMIUM" },
};

/* Where an operator's market is. */
static const struct {
    const char *market, *region;
} markets[] = {
    { "NYISO", "northeast" }, { "ISONE", "northeast" }, { "PJM", "northeast" }, { "MISO", "midwest" },
    { "CAISO", "west" },      { "ERCOT", "texas" },     { "AESO", "alberta" },
};
/* clang-format on */

/* Words of ids that stand for more than one node. */
static const char *const wide[] = { "HUB", "HB", "ZONE", "LZ", "TH" };

/* An id has no more words than every second byte of it. */
enum { WORDS_MOST = MARKET_INSTRUMENT_MAX / 2 + 1 };

struct words {
    struct weir_text items[WORDS_MOST];
    size_t           count;
};

/* Words that follow each other. */
struct keyword {
    const struct weir_text *items;
    size_t                  count;
};

struct rule {
    enum market_rule_kind kind;
    bool                  built_in;
    int64_t               priority;
    size_t                order;
    struct weir_text      answer;
    struct keyword       *keywords;
    size_t                keyword_count;
};

struct market_rulebook {
    struct weir_arena arena;
    struct rule      *rules; /* the first one counts */
    size_t            count;
};

#define TEXT(s) ((struct weir_text){ (s), strlen(s) })

/* ---- words ---- */

static bool parts_words(char c) { return strchr(".,_-/ \t", c) != NULL; }

/* What lies between dots, dashes and their like; those beyond the room are left out. */
static struct words split(struct weir_text text)
{
    struct words words = { .count = 0 };

    for (size_t at = 0; at < text.size && words.count < WORDS_MOST;) {
        size_t begin = at;

        while (at < text.size && !parts_words(text.data[at]))
            at++;
        if (at > begin)
            words.items[words.count++] = (struct weir_text){ text.data + begin, at - begin };
        at++;
    }
    return words;
}

static bool begins(const struct words *words, size_t at, const struct keyword *keyword)
{
    for (size_t i = 0; i < keyword->count; i++)
        if (!market_text_same(words->items[at + i], keyword->items[i]))
            return false;
    return true;
}

static bool has(const struct words *words, const struct keyword *keyword)
{
    for (size_t i = 0; i + keyword->count <= words->count; i++)
        if (begins(words, i, keyword))
            return true;
    return false;
}

/* ---- making a book ---- */

/* A keyword in capitals, as ids are. One without a word applies to nothing, and is left out. */
static int add_keyword(struct market_rulebook *book, struct rule *rule, struct weir_text text)
{
    char           *copy = weir__arena_copy(&book->arena, text.data, text.size);
    struct keyword *keyword = &rule->keywords[rule->keyword_count];
    struct words    words;

    if (copy == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < text.size; i++)
        copy[i] = copy[i] >= 'a' && copy[i] <= 'z' ? (char)(copy[i] - 'a' + 'A') : copy[i];
    words = split((struct weir_text){ copy, text.size });
    if (words.count == 0)
        return WEIR_OK;
    keyword->items = weir__arena_copy(&book->arena, words.items, sizeof(*words.items) * words.count);
    keyword->count = words.count;
    rule->keyword_count++;
    return keyword->items != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

static int add_rule(struct market_rulebook *book, const struct rule *rule, const struct weir_text *keywords,
                    size_t count)
{
    struct rule *to = &book->rules[book->count];
    int          err = WEIR_OK;

    *to = *rule;
    to->order = book->count++;
    to->keywords = weir_arena_alloc(&book->arena, sizeof(*to->keywords) * (count + 1));
    to->answer.data = weir__arena_copy(&book->arena, rule->answer.data, rule->answer.size);
    if (to->keywords == NULL || to->answer.data == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = add_keyword(book, to, keywords[i]);
    return err;
}

/* Whether a row of the tenant's stands in the place of a rule that is built in. */
static bool is_replaced(const struct market_rulebook *book, const struct built_in *rule)
{
    for (size_t i = 0; i < book->count; i++)
        if (!book->rules[i].built_in && book->rules[i].kind == rule->kind &&
            market_text_same(book->rules[i].answer, TEXT(rule->answer)))
            return true;
    return false;
}

static int add_built_in(struct market_rulebook *book, const struct built_in *from)
{
    struct rule      rule = { .kind = from->kind, .built_in = true, .answer = TEXT(from->answer) };
    struct weir_text keywords[16];
    size_t           count = 0;

    if (is_replaced(book, from))
        return WEIR_OK;
    for (const char *at = from->keywords; *at != '\0'; at += keywords[count - 1].size, at += *at == ',') {
        CHECK(count < ARRAY_SIZE(keywords));
        keywords[count++] = (struct weir_text){ at, strcspn(at, ",") };
    }
    return add_rule(book, &rule, keywords, count);
}

/* The greatest priority first; of equal ones the tenant's, then as they came. */
static int by_priority(const void *a, const void *b)
{
    const struct rule *x = a, *y = b;

    if (x->priority != y->priority)
        return x->priority < y->priority ? 1 : -1;
    return x->order < y->order ? -1 : 1;
}

static int fill(struct market_rulebook *book, const struct market_taxonomy_rules *row)
{
    const struct market_taxonomy_rule *rows = row != NULL ? row->rules.rows : NULL;
    size_t                             count = row != NULL ? row->rules.count : 0;
    int                                err = WEIR_OK;

    book->rules = weir_arena_alloc(&book->arena, sizeof(*book->rules) * (count + ARRAY_SIZE(built_ins)));
    if (book->rules == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        struct rule rule = { .kind = rows[i].kind, .priority = rows[i].priority, .answer = rows[i].answer };

        err = add_rule(book, &rule, rows[i].keywords.texts, rows[i].keywords.count);
    }
    for (size_t i = 0; err == WEIR_OK && i < ARRAY_SIZE(built_ins); i++)
        err = add_built_in(book, &built_ins[i]);
    qsort(book->rules, book->count, sizeof(*book->rules), by_priority);
    return err;
}

int market_rulebook_new(const struct market_taxonomy_rules *row, struct market_rulebook **ret)
{
    struct market_rulebook *book = weir__zalloc(sizeof(*book));
    int                     err = book != NULL ? fill(book, row) : WEIR_NO_MEMORY;

    if (err < 0) {
        market_rulebook_free(book);
        return err;
    }
    *ret = book;
    return WEIR_OK;
}

void market_rulebook_free(struct market_rulebook *book)
{
    if (book != NULL)
        weir__arena_fini(&book->arena);
    weir__free(book);
}

/* ---- classifying ---- */

/* data NULL: no rule applies. */
static struct weir_text apply(const struct market_rulebook *book, enum market_rule_kind kind,
                              const struct words *words, bool own_alone)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct rule *rule = &book->rules[i];

        if (rule->kind != kind || (own_alone && rule->built_in))
            continue;
        for (size_t j = 0; j < rule->keyword_count; j++)
            if (has(words, &rule->keywords[j]))
                return rule->answer;
    }
    return (struct weir_text){ 0 };
}

static struct weir_text region_of_market(struct weir_text market)
{
    for (size_t i = 0; i < ARRAY_SIZE(markets); i++)
        if (market_text_same(market, TEXT(markets[i].market)))
            return TEXT(markets[i].region);
    return (struct weir_text){ 0 };
}

static bool is_wide(const struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        for (size_t j = 0; j < ARRAY_SIZE(wide); j++)
            if (market_text_same(words->items[i], TEXT(wide[j])))
                return true;
    return false;
}

static bool says(const struct market_tick *tick, const char *name)
{
    for (size_t i = 0; i < tick->metadata.count; i++)
        if (market_text_same(tick->metadata.pairs[i].name, TEXT(name)))
            return tick->metadata.pairs[i].value.size > 0;
    return false;
}

/* Half sure of a rule, or of what a market trades; more where an operator's market is known, and where the id, or who sent it,
 * names a place in it, one for many even more. */
static struct market_decimal confidence(const struct market_tick *tick, const struct words *words, bool power,
                                        bool known)
{
    struct market_id_parts parts;
    bool                   located;
    int                    tenths = 5;

    if (!known)
        return MARKET_DECIMAL(MARKET_UNIT / 10);
    located = market_id_split(tick->instrument_id, &parts) == WEIR_OK && parts.location.size > 0;
    tenths += power ? 2 : 0;
    tenths += located || says(tick, "node") || says(tick, "hub");
    tenths += (located && is_wide(words)) || says(tick, "zone");
    return MARKET_DECIMAL(MARKET_UNIT / 10 * tenths);
}

/* Whether the id is an operator's own, MARKET.LOCATION: its words are names of places, whatever else they mean. */
static bool names_place(const struct market_tick *tick)
{
    struct market_id_parts parts;

    return market_id_split(tick->instrument_id, &parts) == WEIR_OK && parts.location.size > 0 &&
           market_text_same(parts.market, tick->market);
}

static struct weir_text either(struct weir_text first, struct weir_text second)
{
    return first.data != NULL ? first : second;
}

static struct market_taxonomy by_rules(const struct market_rulebook *book, const struct market_tick *tick)
{
    const bool         power = market_rules_find(tick->market)->power;
    const bool         place = power && names_place(tick);
    const struct words words = split(tick->instrument_id);
    struct weir_text   commodity = apply(book, MARKET_RULE_COMMODITY, &words, place);
    struct weir_text   region = apply(book, MARKET_RULE_REGION, &words, place);
    const char        *method = commodity.data != NULL ? "rule_based" : power ? "market_default" : "fallback";

    if (power)
        commodity = either(commodity, TEXT("electricity"));
    return (struct market_taxonomy){
        .commodity = either(commodity, TEXT("unknown")),
        .region = either(either(region, region_of_market(tick->market)), TEXT("unknown")),
        .product_tier = either(apply(book, MARKET_RULE_TIER, &words, false), TEXT("standard")),
        .confidence = confidence(tick, &words, power, commodity.data != NULL),
        .method = TEXT(method),
    };
}

struct market_taxonomy market_classify(const struct market_rulebook *book, const struct market_tick *tick,
                                       const struct market_instrument *row)
{
    struct market_taxonomy ruled = by_rules(book, tick);

    if (row == NULL || row->commodity.data == NULL)
        return ruled;
    return (struct market_taxonomy){ .commodity = row->commodity,
                                     .region = either(row->region, ruled.region),
                                     .product_tier = either(row->product_tier, ruled.product_tier),
                                     .confidence = MARKET_DECIMAL(MARKET_UNIT / 100 * 95),
                                     .method = TEXT("database") };
}
