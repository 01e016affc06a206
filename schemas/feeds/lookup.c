/* lookup.c: markets and feeds by name, in any case of letters.
 *
 * (1) The tables are filled once per process and read-only from then on: any thread.
 */
#include <pthread.h>

#include "schemas/feeds/internal.h"

enum { SEATS = 512 }; /* more than twice as many as there are names */

/* A name that means value within scope; name.data NULL = free. */
struct seat {
    struct weir_text name;
    const void      *scope, *value;
};

static struct seat                markets[SEATS], feeds[SEATS];
static const struct market_rules *any;
static pthread_once_t             once = PTHREAD_ONCE_INIT;

static uint32_t hash(const void *scope, struct weir_text name)
{
    return market__hash(name) ^ (uint32_t)((uintptr_t)scope >> 4) * 2654435761u;
}

static void add(struct seat *seats, const void *scope, struct weir_text name, const void *value)
{
    uint32_t at = hash(scope, name) % SEATS;

    while (seats[at].name.data)
        at = (at + 1) % SEATS;
    seats[at] = (struct seat){ .name = name, .scope = scope, .value = value };
}

static const void *find(const struct seat *seats, const void *scope, struct weir_text name)
{
    for (uint32_t at = hash(scope, name) % SEATS; seats[at].name.data; at = (at + 1) % SEATS)
        if (seats[at].scope == scope && market__same(seats[at].name, name))
            return seats[at].value;
    return NULL;
}

static void add_all(struct seat *seats, const void *scope, const char *names, const void *value)
{
    while (names && *names)
        add(seats, scope, market__cut(&names), value);
}

static void fill(void)
{
    const struct market_rules *rules;

    for (size_t i = 0; (rules = market_rules_at(i)); i++) {
        add_all(markets, NULL, rules->name, rules);
        add_all(markets, NULL, rules->spellings, rules);
        any = rules;
    }
    for (size_t i = 0; i < market__feed_count(); i++)
        add_all(feeds, market__feed_at(i)->rules, market__feed_at(i)->data_type, market__feed_at(i));
}

const struct market_rules *market_rules_find(struct weir_text market)
{
    const struct market_rules *rules;

    CHECK(pthread_once(&once, fill) == 0);
    rules = find(markets, NULL, market__trim(market));
    return rules ? rules : any;
}

const struct market_feed *market__feed(const struct market_rules *rules, struct weir_text data_type)
{
    const struct market_feed *feed;

    CHECK(pthread_once(&once, fill) == 0);
    feed = find(feeds, rules, data_type);
    return feed ? feed : find(feeds, any, data_type);
}
