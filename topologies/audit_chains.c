/* audit_chains.c: events gathered by chain; each chain judged, two places compared. */
#include "topologies/audit_chains.h"

#include <stdlib.h>

#include "schemas/digest.h"

/* ---- taking ---- */

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* false: it is none. */
static bool read_hash(const char *text, unsigned char ret[MARKET_HASH_BYTES])
{
    if (strlen(text) != 2 * MARKET_HASH_BYTES)
        return false;
    for (size_t i = 0; i < MARKET_HASH_BYTES; i++) {
        const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static struct market_chain *chain_of(struct market_trail *trail, const struct weir__audit_event *event)
{
    const char          *id = event->texts[WEIR__AUDIT_CHAIN];
    struct market_chain *chain = weir__map_get(&trail->chains, BYTES(id, strlen(id)));

    if (chain != NULL)
        return chain;
    chain = weir__zalloc(sizeof(*chain));
    if (chain == NULL)
        return NULL;
    snprintf(chain->id, sizeof(chain->id), "%s", id);
    chain->began = event->began;
    chain->sealed = strncmp(id, WEIR__AUDIT_SEALED, strlen(WEIR__AUDIT_SEALED)) == 0;
    if (weir__map_put(&trail->chains, BYTES(chain->id, strlen(chain->id)), chain) == WEIR_OK)
        return chain;
    weir__free(chain);
    return NULL;
}

static int add_range(struct market_chain *chain, const struct weir_json *pair)
{
    int64_t first, last;

    if (pair->child == NULL || weir_json_int64(pair->child, &first) < 0 ||
        weir_json_int64(pair->child->next, &last) < 0)
        return WEIR_OK;
    if (GROW(chain->lost, chain->lost_capacity, chain->lost_count) < 0)
        return WEIR_NO_MEMORY;
    chain->lost[chain->lost_count++] = (struct weir__audit_range){ (uint64_t)first, (uint64_t)last };
    return WEIR_OK;
}

/* What the chain says that this place has lost. */
static int take_losses(const struct market_trail *trail, struct market_chain *chain, const char *details)
{
    struct weir_arena       arena = { 0 };
    const struct weir_json *json, *ranges;
    struct weir_text        writer;
    int                     err = WEIR_OK;

    if (weir_json_parse(&arena, (struct weir_text){ details, strlen(details) }, &json, NULL) == WEIR_OK &&
        weir_json_text(weir_json_get(json, "writer"), &writer) == WEIR_OK && writer.size == strlen(trail->writer) &&
        memcmp(writer.data, trail->writer, writer.size) == 0 && (ranges = weir_json_get(json, "ranges")) != NULL)
        for (const struct weir_json *pair = ranges->child; err == WEIR_OK && pair != NULL; pair = pair->next)
            err = add_range(chain, pair);
    weir__arena_fini(&arena);
    return err;
}

/* Whether the hash is that of the text: with one of the keys where the chain is sealed. */
static int is_hash(const char *hash, struct weir_text text, bool sealed, const char *keys, bool *ret)
{
    char             digest[MARKET_DIGEST_ROOM];
    struct weir_text key;
    int              err = WEIR_OK;

    *ret = false;
    if (!sealed) {
        err = market_digest(text, digest);
        *ret = err == WEIR_OK && strcmp(digest, hash) == 0;
    }
    for (const char *at = keys;
         sealed && err == WEIR_OK && !*ret && at != NULL && market_audit_next_key(&at, &key);) {
        err = market_seal(key, text, digest);
        *ret = err == WEIR_OK && strcmp(digest, hash) == 0;
    }
    return err;
}

static int make_link(const struct weir__audit_event *event, bool sealed, const char *keys, struct market_link *ret)
{
    AUTO(weir__buf_fini) struct weir__buf hashed = { 0 };
    bool                                  good;

    *ret = (struct market_link){ .number = event->number, .time = event->time };
    weir__audit_hashed(event, &hashed);
    if (!weir__buf_ok(&hashed))
        return WEIR_NO_MEMORY;
    if (is_hash(event->hash, (struct weir_text){ hashed.data, hashed.size }, sealed, keys, &good) < 0)
        return WEIR_FATAL;
    ret->edited =
        !good || !read_hash(event->hash, ret->hash) || !read_hash(event->texts[WEIR__AUDIT_PREVIOUS], ret->previous);
    return WEIR_OK;
}

int market_trail_take(void *arg, const struct weir__audit_event *event, struct weir_error *reterr)
{
    struct market_trail *trail = arg;
    struct market_chain *chain = chain_of(trail, event);
    struct market_link   link;
    int                  err = chain != NULL ? make_link(event, chain->sealed, trail->keys, &link) : WEIR_NO_MEMORY;

    if (err == WEIR_OK)
        err = GROW(chain->links, chain->capacity, chain->count);
    if (err == WEIR_OK) {
        chain->links[chain->count++] = link;
        trail->events++;
        if (chain->service[0] == '\0' && strcmp(event->texts[WEIR__AUDIT_SERVICE], "audit") != 0)
            snprintf(chain->service, sizeof(chain->service), "%s", event->texts[WEIR__AUDIT_SERVICE]);
        if (!link.edited && strcmp(event->texts[WEIR__AUDIT_ACTION], WEIR__AUDIT_LOST) == 0)
            err = take_losses(trail, chain, event->texts[WEIR__AUDIT_DETAILS]);
    }
    return err < 0 ? weir__fail(reterr, err, trail->name, "the events cannot be gathered: %s", weir_code_text(err))
                   : WEIR_OK;
}

static int by_number(const void *a, const void *b)
{
    const struct market_link *one = a, *two = b;

    if (one->number != two->number)
        return one->number < two->number ? -1 : 1;
    if (one->edited != two->edited)
        return one->edited - two->edited;
    return memcmp(one->hash, two->hash, sizeof(one->hash));
}

static bool same(const struct market_link *a, const struct market_link *b)
{
    return a->number == b->number && a->edited == b->edited && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

void market_trail_sort(struct market_trail *trail)
{
    struct weir__map_slot *slot;

    for (size_t i = 0; (slot = weir__map_next(&trail->chains, &i)) != NULL;) {
        struct market_chain *chain = slot->value;
        size_t               kept = 0;

        qsort(chain->links, chain->count, sizeof(*chain->links), by_number);
        for (size_t j = 0; j < chain->count; j++)
            if (kept == 0 || !same(&chain->links[kept - 1], &chain->links[j]))
                chain->links[kept++] = chain->links[j];
        trail->doubled += chain->count - kept;
        chain->count = kept;
    }
}

void market_trail_fini(struct market_trail *trail)
{
    struct weir__map_slot *slot;

    for (size_t i = 0; (slot = weir__map_next(&trail->chains, &i)) != NULL;) {
        struct market_chain *chain = slot->value;

        weir__free(chain->links);
        weir__free(chain->lost);
        weir__free(chain);
    }
    weir__map_fini(&trail->chains);
}

/* ---- judging ---- */

static bool is_lost(const struct market_chain *chain, uint64_t number)
{
    for (size_t i = 0; i < chain->lost_count; i++)
        if (number >= chain->lost[i].first && number <= chain->lost[i].last)
            return true;
    return false;
}

/* The first of first..last that is not said to be lost; 0 = all are. */
static uint64_t first_missing(const struct market_chain *chain, uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++)
        if (!is_lost(chain, number))
            return number;
    return 0;
}

struct judged {
    uint64_t    number; /* 0 = all is well */
    const char *why;
};

static struct judged judge_link(const struct market_chain *chain, const struct market_link *before,
                                const struct market_link *link, bool aged)
{
    static const unsigned char none[MARKET_HASH_BYTES];
    const uint64_t             expected = before != NULL ? before->number + 1 : 1;
    uint64_t                   missing;

    if (link->edited)
        return (struct judged){ link->number,
                                chain->sealed ? "it was edited, or is sealed with another key than those of audit.key"
                                              : "it was edited: its hash is not that of what it says" };
    if (link->number < expected)
        return (struct judged){ link->number, "two events bear this number" };
    if (link->number == 1 && memcmp(link->previous, none, sizeof(none)) != 0)
        return (struct judged){ 1, "it is the first of its chain, and names one before it" };
    if (before != NULL && link->number == expected && memcmp(link->previous, before->hash, sizeof(before->hash)) != 0)
        return (struct judged){ link->number, "it does not follow the event before it: one of them was replaced" };
    missing =
        link->number > expected && !(before == NULL && aged) ? first_missing(chain, expected, link->number - 1) : 0;
    return (struct judged){ missing,
                            "it was removed: the chain goes on behind it, and does not say that it was lost" };
}

/* When the first chain with a good seal began; INT64_MAX = there is none. */
static int64_t sealed_since(const struct market_trail *trail)
{
    struct weir__map_slot *slot;
    int64_t                since = INT64_MAX;

    for (size_t i = 0; (slot = weir__map_next(&trail->chains, &i)) != NULL;) {
        const struct market_chain *chain = slot->value;

        if (chain->sealed && chain->count > 0 && !chain->links[0].edited)
            since = MIN(since, chain->began);
    }
    return since;
}

static struct judged judge_chain(const struct market_chain *chain, bool aged, int64_t since)
{
    struct judged judged = { 0 };

    if (!chain->sealed && chain->began > since && chain->count > 0)
        return (
            struct judged){ chain->links[0].number,
                            "it is not sealed, and chains from before it are: who wrote it does not have audit.key" };
    for (size_t i = 0; judged.number == 0 && i < chain->count; i++)
        judged = judge_link(chain, i > 0 ? &chain->links[i - 1] : NULL, &chain->links[i], aged);
    return judged;
}

size_t market_trail_judge(const struct market_trail *trail, int64_t now, int64_t retention_us,
                          market_bad_event *found, void *arg)
{
    const int64_t          since = sealed_since(trail);
    struct weir__map_slot *slot;
    size_t                 bad = 0;

    for (size_t i = 0; (slot = weir__map_next(&trail->chains, &i)) != NULL;) {
        const struct market_chain *chain = slot->value;
        const struct judged        judged = judge_chain(chain, chain->began + retention_us < now, since);

        if (judged.number == 0)
            continue;
        bad++;
        found(arg, trail, chain, judged.number, judged.why);
    }
    return bad;
}

/* ---- comparing ---- */

static const struct market_link *find_link(const struct market_chain *chain, uint64_t number)
{
    const struct market_link wanted = { .number = number };
    size_t                   low = 0, high = chain->count;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (chain->links[middle].number < wanted.number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < chain->count && chain->links[low].number == number ? &chain->links[low] : NULL;
}

static struct judged compare_chain(const struct market_chain *chain, const struct market_chain *other, int64_t until,
                                   int64_t since)
{
    for (size_t i = 0; i < other->count; i++) {
        const struct market_link *theirs = &other->links[i];
        const struct market_link *ours = chain != NULL ? find_link(chain, theirs->number) : NULL;

        if (theirs->edited || theirs->time > until || theirs->time < since)
            continue;
        if (ours == NULL && (chain == NULL || !is_lost(chain, theirs->number)))
            return (struct judged){ theirs->number, "it is missing here, and the other place has it" };
        if (ours != NULL && !ours->edited && memcmp(ours->hash, theirs->hash, sizeof(ours->hash)) != 0)
            return (struct judged){ theirs->number, "the other place has another event of this number" };
    }
    return (struct judged){ 0 };
}

size_t market_trails_compare(const struct market_trail *trail, const struct market_trail *other, int64_t until,
                             int64_t since, market_bad_event *found, void *arg)
{
    struct weir__map_slot *slot;
    size_t                 bad = 0;

    for (size_t i = 0; (slot = weir__map_next(&other->chains, &i)) != NULL;) {
        const struct market_chain *chain = weir__map_get(&trail->chains, slot->key);
        const struct judged        judged = compare_chain(chain, slot->value, until, since);

        if (judged.number == 0)
            continue;
        bad++;
        found(arg, trail, chain != NULL ? chain : slot->value, judged.number, judged.why);
    }
    return bad;
}
