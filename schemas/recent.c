/* recent.c: an instrument's recent values, which of its ticks stand out from them, and what its feeds call it.
 *
 * (1) Doubles: nothing but flags is made of them, and these are left out where runs are compared.
 * (2) Names of different feeds may differ; of one feed only one may be the instrument's.
 * (3) An instrument is of one market of the table, and has one day: what another market calls so is another instrument, and is refused.
 *     Venues that the table does not name share a row: trades of one symbol from several of them are of one instrument.
 */
#include "schemas/records.h"

enum { LEAST = 10, MEMORY = 50 };

#define DEVIATIONS   4.0
#define PRICE_SHARE  0.1
#define VOLUME_SHARE 0.5

static double magnitude(double value) { return value < 0 ? -value : value; }

static bool stands_out(double distance, double mean, double variance, double share)
{
    return distance * distance > DEVIATIONS * DEVIATIONS * variance && magnitude(distance) > share * magnitude(mean);
}

uint32_t market_recent_judge(const struct market_recent *recent, const struct market_tick *tick)
{
    double   price = (double)tick->price.units - recent->price_mean.value;
    double   volume = (double)tick->volume.units - recent->volume_mean.value;
    uint32_t flags = 0;

    if (tick->price.given && recent->count >= LEAST &&
        stands_out(price, recent->price_mean.value, recent->price_variance.value, PRICE_SHARE))
        flags |= MARKET_PRICE_SPIKE;
    if (tick->volume.given && recent->volume_count >= LEAST && volume > 0 &&
        stands_out(volume, recent->volume_mean.value, recent->volume_variance.value, VOLUME_SHARE))
        flags |= MARKET_VOLUME_SPIKE;
    return flags;
}

/* The plain mean and variance of up to MEMORY values, from then on with that weight for each new one. */
static void add(int64_t *count, struct market_double *mean, struct market_double *variance, double value)
{
    double distance = value - mean->value, weight;

    ++*count;
    weight = 1.0 / (double)MIN(*count, MEMORY);
    mean->value += weight * distance;
    variance->value = (1.0 - weight) * (variance->value + weight * distance * distance);
    mean->given = variance->given = true;
}

void market_recent_add(struct market_recent *recent, const struct market_tick *tick)
{
    if (tick->price.given)
        add(&recent->count, &recent->price_mean, &recent->price_variance, (double)tick->price.units);
    if (tick->volume.given)
        add(&recent->volume_count, &recent->volume_mean, &recent->volume_variance, (double)tick->volume.units);
    if (tick->price.given && (!recent->last_price.given || tick->event_time >= recent->last_time)) {
        recent->last_price = tick->price;
        recent->last_time = tick->event_time;
    }
}

/* ---- names ---- */

enum { NAMES_MAX = 64 };

static bool is_feed(struct weir_text name) { return market_text_same(name, (struct weir_text){ "feed", 4 }); }

/* Which feed a tick is of: its data type says it, else its source, but for where that was read. */
static struct weir_text feed_of(const struct market_tick *tick)
{
    struct weir_text source = tick->source;
    const char      *at = source.size > 0 ? memchr(source.data, '@', source.size) : NULL;

    for (size_t i = 0; i < tick->metadata.count; i++)
        if (is_feed(tick->metadata.pairs[i].name))
            return tick->metadata.pairs[i].value;
    return at != NULL ? (struct weir_text){ source.data, (size_t)(at - source.data) } : source;
}

static int add_name(struct market_recent *recent, struct weir_arena *arena, struct weir_text feed,
                    struct weir_text name)
{
    size_t               count = recent->names.count;
    struct market_entry *pairs;

    if (count == NAMES_MAX)
        return 0;
    pairs = weir__arena_take(arena, (count + 1) * sizeof(*pairs));
    if (pairs == NULL)
        return WEIR_LIMIT;
    if (count > 0)
        memcpy(pairs, recent->names.pairs, count * sizeof(*pairs));
    pairs[count] = (struct market_entry){ .name = { feed.size > 0 ? feed.data : "", feed.size }, .value = name };
    recent->names = (struct market_map){ .pairs = pairs, .count = count + 1 };
    return 1;
}

int market_recent_name(struct market_recent *recent, struct weir_arena *arena, const struct market_tick *tick,
                       struct weir_error *reterr)
{
    struct weir_text feed = feed_of(tick), name = tick->symbol;

    if (name.size == 0)
        return 0;
    for (size_t i = 0; i < recent->names.count; i++) {
        const struct market_entry *pair = &recent->names.pairs[i];

        if (!market_text_same(pair->name, feed))
            continue;
        if (market_text_same(pair->value, name))
            return 0;
        return weir__fail(reterr, MARKET_NAME_CLASH, "symbol",
                          "the feed's names '%.*s' and '%.*s' would both be %.*s: rename one in the feed",
                          (int)pair->value.size, pair->value.data, (int)name.size, name.data,
                          (int)tick->instrument_id.size, tick->instrument_id.data);
    }
    return add_name(recent, arena, feed, name);
}

int market_recent_market(struct market_recent *recent, struct weir_text rules, struct weir_text zone,
                         const struct market_tick *tick, struct weir_error *reterr)
{
    bool is_new = recent->rules.size == 0 || recent->day_zone.size == 0;

    if ((recent->rules.size > 0 && !market_text_same(recent->rules, rules)) ||
        (recent->day_zone.size > 0 && !market_text_same(recent->day_zone, zone)))
        return weir__fail(
            reterr, MARKET_NAME_CLASH, "market",
            "%.*s is an instrument of another market already, %.*s (days of %.*s), and %.*s's is another one: put "
            "the market before its name",
            (int)tick->instrument_id.size, tick->instrument_id.data, (int)recent->rules.size,
            recent->rules.size > 0 ? recent->rules.data : "", (int)recent->day_zone.size, recent->day_zone.data,
            (int)tick->market.size, tick->market.data);
    recent->rules = rules;
    recent->day_zone = zone;
    return is_new;
}
