/* roles.c: which field of a row is what to its feed.
 *
 * (1) Names are looked up in a table per feed, made once per process and read-only from then on.
 * (2) Of several fields for a role the one of the feed's first name counts, and one that is not null before one that is.
 */
#include <pthread.h>

#include "schemas/feeds/internal.h"

enum { SEATS = 128 }; /* for each feed's names: more than twice as many as any feed has */

struct seat {
    struct weir_text name; /* data NULL = free */
    uint8_t          role, rank;
};

struct index {
    const struct market_feed *feed;
    struct seat               seats[SEATS];
};

static struct index  *indexes;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void seat_name(struct index *index, struct weir_text name, enum market__role role, uint8_t rank)
{
    uint32_t at = market__hash(name) % SEATS;

    while (index->seats[at].name.data)
        at = (at + 1) % SEATS;
    index->seats[at] = (struct seat){ .name = name, .role = (uint8_t)role, .rank = rank };
}

static void fill_index(struct index *index, const struct market_feed *feed)
{
    index->feed = feed;
    for (enum market__role role = 0; role < ROLE_COUNT; role++) {
        const char *names = feed->names[role];

        for (uint8_t rank = 0; names && *names; rank++)
            seat_name(index, market__cut(&names), role, rank);
    }
}

static void fill_indexes(void)
{
    size_t count = market__feed_count();

    indexes = weir__zalloc((count + 2) * sizeof(*indexes));
    CHECK(indexes);
    for (size_t i = 0; i < count; i++)
        fill_index(&indexes[i], market__feed_at(i));
    fill_index(&indexes[count], market__nested);
    fill_index(&indexes[count + 1], market__tick);
}

static const struct index *index_of(const struct market_feed *feed)
{
    size_t count = market__feed_count();

    CHECK(pthread_once(&once, fill_indexes) == 0);
    if (feed == market__nested)
        return &indexes[count];
    if (feed == market__tick)
        return &indexes[count + 1];
    return &indexes[feed - market__feed_at(0)];
}

static const struct seat *find(const struct index *index, struct weir_text name)
{
    for (uint32_t at = market__hash(name) % SEATS; index->seats[at].name.data; at = (at + 1) % SEATS) {
        const struct seat *seat = &index->seats[at];

        if (market__same(seat->name, name) &&
            (!index->feed->exact || memcmp(seat->name.data, name.data, name.size) == 0))
            return seat;
    }
    return NULL;
}

/* Whether field is to be preferred to the one that has the role so far. */
static bool is_better(const struct market__field *field, uint8_t rank, const struct market__field *held,
                      uint8_t held_rank)
{
    bool null = field->type == MARKET_NULL, held_null = held && held->type == MARKET_NULL;

    return !held || (null == held_null ? rank < held_rank : held_null);
}

void market__roles_find(const struct market_feed *feed, const struct market__fields *fields,
                        struct market__roles *ret)
{
    const struct index *index = index_of(feed);
    uint8_t             ranks[ROLE_COUNT] = { 0 };

    *ret = (struct market__roles){ 0 };
    for (size_t i = 0; i < fields->count; i++) {
        const struct market__field *field = &fields->items[i];
        const struct seat          *seat = find(index, field->name);

        if (!seat || !is_better(field, seat->rank, ret->of[seat->role], ranks[seat->role]))
            continue;
        ret->of[seat->role] = field;
        ranks[seat->role] = seat->rank;
    }
}

int market__role_text(const struct market__roles *roles, enum market__role role, struct weir_text *ret,
                      struct weir_error *reterr)
{
    const struct market__field *field = roles->of[role];

    *ret = (struct weir_text){ 0 };
    if (!field || field->type == MARKET_NULL)
        return WEIR_OK;
    if (field->type == MARKET_OTHER)
        return market__role_bad(roles, role, MARKET_BAD_TYPE, "an array or object where a text or number is expected",
                                reterr);
    *ret = market__trim(field->text);
    return WEIR_OK;
}

int market__role_missing(const struct market_feed *feed, enum market__role role, struct weir_error *reterr)
{
    const char *names = feed->names[role];

    return weir__fail(reterr, MARKET_MISSING, names ? names : "payload", "%s: no field %s",
                      market_reason_text(MARKET_MISSING), names ? names : "for it");
}

int market__role_bad(const struct market__roles *roles, enum market__role role, int code, const char *what,
                     struct weir_error *reterr)
{
    const struct market__field *field = roles->of[role];
    char                        where[64];

    snprintf(where, sizeof(where), "%.*s", (int)MIN(field->name.size, sizeof(where) - 1), field->name.data);
    if (field->type == MARKET_OTHER)
        return weir__fail(reterr, code, where, "%s: %s", where, what);
    return weir__fail(reterr, code, where, "%s: %s: \"%.*s\"", where, what, (int)MIN(field->text.size, 80),
                      field->text.data ? field->text.data : "");
}
