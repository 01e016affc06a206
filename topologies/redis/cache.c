/* cache.c: what was looked up of late, in this process and, for all processes, in Redis.
 *
 * (1) A lookup waits for Redis for PATIENCE at most. After one that was in vain Redis is left alone, first for a tenth of a second,
 *     then for longer; while it is not connected nobody waits.
 * (2) What comes too late is still remembered. What was asked when the connection broke is given up.
 * (3) A thread has one cache of a kind and one connection for it, however many of its tasks open it under the same settings.
 * (4) An answer lives as long as it does in Redis, wherever it is. That there is none is an answer too: "null".
 */
#include "topologies/redis/internal.h"

#include <sys/queue.h>

#define PATIENCE_US    INT64_C(3000)
#define PAUSE_FIRST_US INT64_C(100000)
#define PAUSE_MOST_US  INT64_C(10000000)
#define TURN_EVERY_US  INT64_C(1000) /* while nothing is asked of it */
#define MOST_ASKED     ((size_t)256 << 10)
static const struct weir_text none = { "null", 4 };

struct entry {
    TAILQ_ENTRY(entry) place; /* the one that was used last is first */
    int64_t            until; /* us */
    size_t             key_size, value_size;
    char               bytes[];
};
TAILQ_HEAD(entries, entry);

/* A question that is on its way. */
struct lookup {
    TAILQ_ENTRY(lookup)  place;
    struct market_cache *cache;
    int64_t              ttl_ms; /* what is left of it */
    size_t               key_size;
    char                 key[];
};
TAILQ_HEAD(lookups, lookup);

struct market_cache {
    struct market_cache        *next;     /* of the thread's */
    const struct weir_settings *settings; /* under which it is shared; NULL: it is one user's own */
    size_t                      users;    /* besides the first */
    const char                 *kind;
    struct redis_client        *client; /* NULL: redis.url is not set */
    int64_t                     ttl_ms;
    char                        ttl[24];
    size_t                      bytes, most;
    struct weir__map            map; /* key to entry */
    struct entries              entries;
    struct lookups              lookups;
    struct weir__buf            key;
    int64_t                     pause, quiet_until, turned_at; /* us */
    struct market_cache_counts  counts;
};

/* ---- in this process ---- */

static size_t entry_bytes(const struct entry *entry)
{
    return sizeof(*entry) + entry->key_size + entry->value_size + 2 * sizeof(struct weir__map_slot);
}

static struct weir_bytes entry_key(const struct entry *entry) { return BYTES(entry->bytes, entry->key_size); }

static void forget_entry(struct market_cache *cache, struct entry *entry)
{
    (void)weir__map_remove(&cache->map, entry_key(entry));
    TAILQ_REMOVE(&cache->entries, entry, place);
    cache->bytes -= entry_bytes(entry);
    weir__free(entry);
}

static void remember(struct market_cache *cache, struct weir_bytes key, struct weir_text value, int64_t ttl_ms)
{
    struct entry *entry = weir__map_get(&cache->map, key);

    if (entry != NULL)
        forget_entry(cache, entry);
    entry = weir__alloc(sizeof(*entry) + key.size + value.size);
    if (entry == NULL)
        return;
    *entry = (struct entry){ .until = weir__monotonic_us() + ttl_ms * 1000 };
    entry->key_size = key.size;
    entry->value_size = value.size;
    memcpy(entry->bytes, key.data, key.size);
    memcpy(entry->bytes + key.size, value.data, value.size);
    if (entry_bytes(entry) > cache->most || weir__map_put(&cache->map, entry_key(entry), entry) < 0) {
        weir__free(entry);
        return;
    }
    TAILQ_INSERT_HEAD(&cache->entries, entry, place);
    for (cache->bytes += entry_bytes(entry); cache->bytes > cache->most; cache->counts.dropped++)
        forget_entry(cache, TAILQ_LAST(&cache->entries, entries));
}

static enum market_cached recall(struct market_cache *cache, struct weir_bytes key, struct weir_text *ret)
{
    struct entry    *entry = weir__map_get(&cache->map, key);
    struct weir_text value;

    if (entry != NULL && entry->until <= weir__monotonic_us()) {
        forget_entry(cache, entry);
        entry = NULL;
    }
    if (entry == NULL)
        return MARKET_CACHE_UNKNOWN;
    TAILQ_REMOVE(&cache->entries, entry, place);
    TAILQ_INSERT_HEAD(&cache->entries, entry, place);
    value = (struct weir_text){ entry->bytes + entry->key_size, entry->value_size };
    if (value.size == none.size && memcmp(value.data, none.data, none.size) == 0)
        return MARKET_CACHE_NONE;
    *ret = value;
    return MARKET_CACHE_FOUND;
}

/* ---- in Redis ---- */

static void end_lookup(struct lookup *lookup)
{
    TAILQ_REMOVE(&lookup->cache->lookups, lookup, place);
    weir__free(lookup);
}

static void on_ttl(void *arg, const redisReply *reply)
{
    struct lookup *lookup = arg;

    if (reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0)
        lookup->ttl_ms = MIN(lookup->ttl_ms, reply->integer);
}

static void on_value(void *arg, const redisReply *reply)
{
    struct lookup *lookup = arg;

    if (reply != NULL && reply->type == REDIS_REPLY_STRING)
        remember(lookup->cache, BYTES(lookup->key, lookup->key_size), (struct weir_text){ reply->str, reply->len },
                 lookup->ttl_ms);
    end_lookup(lookup);
}

static void on_stored(void *arg, const redisReply *reply)
{
    (void)arg;
    (void)reply;
}

static void give_up(struct market_cache *cache)
{
    redis_client_forget(cache->client);
    while (!TAILQ_EMPTY(&cache->lookups))
        end_lookup(TAILQ_FIRST(&cache->lookups));
}

/* Whether Redis may be asked now. Lets the client work: it connects here. */
static bool may_ask(struct market_cache *cache, int64_t now)
{
    if (cache->client == NULL)
        return false;
    if (now >= cache->turned_at + TURN_EVERY_US) {
        redis_client_turn(cache->client, 0);
        cache->turned_at = now;
    }
    if (!redis_client_connected(cache->client)) {
        give_up(cache);
        return false;
    }
    return now >= cache->quiet_until && redis_client_bytes(cache->client) < MOST_ASKED;
}

static struct lookup *begin_lookup(struct market_cache *cache, struct weir_bytes key)
{
    struct lookup    *lookup = weir__alloc(sizeof(*lookup) + key.size);
    struct redis_word ttl[] = { { "PTTL", 4 }, { key.data, key.size } };
    struct redis_word get[] = { { "GET", 3 }, { key.data, key.size } };

    if (lookup == NULL)
        return NULL;
    *lookup = (struct lookup){ .cache = cache, .ttl_ms = cache->ttl_ms, .key_size = key.size };
    memcpy(lookup->key, key.data, key.size);
    TAILQ_INSERT_TAIL(&cache->lookups, lookup, place);
    if (redis_client_ask(cache->client, key, ttl, 2, on_ttl, lookup) < 0 ||
        redis_client_ask(cache->client, key, get, 2, on_value, lookup) < 0) {
        give_up(cache);
        return NULL;
    }
    return lookup;
}

static bool is_on_its_way(const struct market_cache *cache, const struct lookup *lookup)
{
    const struct lookup *at;

    TAILQ_FOREACH(at, &cache->lookups, place)
        if (at == lookup)
            return true;
    return false;
}

/* Waits for what Redis says, but not for long: false, it has said nothing. */
static bool look_up(struct market_cache *cache, struct weir_bytes key, int64_t now)
{
    struct lookup *lookup = begin_lookup(cache, key);

    while (lookup != NULL && is_on_its_way(cache, lookup)) {
        if (weir__monotonic_us() >= now + PATIENCE_US) {
            cache->quiet_until = weir__monotonic_us() + cache->pause;
            cache->pause = MIN(2 * cache->pause, PAUSE_MOST_US);
            return false;
        }
        redis_client_turn(cache->client, now + PATIENCE_US);
    }
    cache->pause = PAUSE_FIRST_US;
    return lookup != NULL;
}

static enum market_cached ask_redis(struct market_cache *cache, struct weir_bytes key, int64_t now,
                                    struct weir_text *ret)
{
    enum market_cached cached = MARKET_CACHE_AWAY;

    if (cache->client == NULL)
        cached = MARKET_CACHE_UNKNOWN;
    else if (may_ask(cache, now) && look_up(cache, key, now))
        cached = recall(cache, key, ret);
    if (cached == MARKET_CACHE_FOUND || cached == MARKET_CACHE_NONE)
        cache->counts.remote++;
    else
        cache->counts.unknown++;
    return cached;
}

/* ---- the cache ---- */

static bool make_key(struct market_cache *cache, struct weir_text tenant, struct weir_text id, struct weir_bytes *ret)
{
    weir__buf_reset(&cache->key);
    weir__buf_puts(&cache->key, cache->kind);
    redis_key_part(&cache->key, tenant);
    redis_key_part(&cache->key, id);
    *ret = BYTES(cache->key.data, cache->key.size);
    return weir__buf_ok(&cache->key);
}

enum market_cached market_cache_get(struct market_cache *cache, struct weir_text tenant, struct weir_text id,
                                    struct weir_text *ret)
{
    struct weir_bytes  key;
    enum market_cached cached;
    int64_t            now = weir__monotonic_us();

    if (!make_key(cache, tenant, id, &key))
        return MARKET_CACHE_UNKNOWN;
    cached = recall(cache, key, ret);
    if (cached == MARKET_CACHE_UNKNOWN)
        return ask_redis(cache, key, now, ret);
    cache->counts.local++;
    return cached;
}

void market_cache_put(struct market_cache *cache, struct weir_text tenant, struct weir_text id,
                      struct weir_text value)
{
    bool              is_none = value.data == NULL;
    struct weir_text  kept = is_none ? none : value;
    struct weir_bytes key;

    if (!make_key(cache, tenant, id, &key))
        return;
    remember(cache, key, kept, cache->ttl_ms);
    if (!may_ask(cache, weir__monotonic_us()))
        return;
    (void)redis_client_ask(cache->client, key,
                           (struct redis_word[]){ { "SET", 3 },
                                                  { key.data, key.size },
                                                  { kept.data, kept.size },
                                                  { "PX", 2 },
                                                  { cache->ttl, strlen(cache->ttl) },
                                                  { "NX", 2 } }, /* of none: what somebody found stays */
                           5 + is_none, on_stored, cache);
    redis_client_turn(cache->client, 0); /* it may be long until somebody asks again */
}

void market_cache_look(struct market_cache *cache, struct market_cache_counts *ret)
{
    *ret = cache->counts;
    ret->up = false;
    ret->why = "redis.url is not set";
    if (cache->client == NULL)
        return;
    redis_client_turn(cache->client, 0);
    ret->up = redis_client_up(cache->client, &ret->why);
}

int redis_cache_open(struct redis_setup *setup, const char *kind, int64_t ttl_ms, size_t bytes,
                     struct market_cache **ret, struct weir_error *reterr)
{
    struct market_cache *cache = weir__zalloc(sizeof(*cache));
    int                  err = WEIR_OK;

    if (cache == NULL) {
        redis_target_fini(&setup->target);
        return weir__fail(reterr, WEIR_NO_MEMORY, "redis", "%s", weir_code_text(WEIR_NO_MEMORY));
    }
    if (setup->target.host_count > 0)
        err = redis_client_open(setup, &cache->client, reterr);
    if (err < 0) {
        weir__free(cache);
        return err;
    }
    cache->kind = kind;
    cache->ttl_ms = ttl_ms;
    snprintf(cache->ttl, sizeof(cache->ttl), "%lld", (long long)ttl_ms);
    cache->most = bytes;
    cache->pause = PAUSE_FIRST_US;
    TAILQ_INIT(&cache->entries);
    TAILQ_INIT(&cache->lookups);
    *ret = cache;
    return WEIR_OK;
}

static _Thread_local struct market_cache *shared;

int market_cache_open(const struct weir_settings *settings, const char *kind, int64_t ttl_ms, size_t bytes,
                      struct market_cache **ret, struct weir_error *reterr)
{
    struct redis_setup setup;
    int                err;

    for (struct market_cache *cache = shared; cache != NULL; cache = cache->next)
        if (cache->settings == settings && strcmp(cache->kind, kind) == 0) {
            cache->users++;
            *ret = cache;
            return WEIR_OK;
        }
    err = redis_setup_read(&setup, settings, reterr);
    if (err >= 0)
        err = redis_cache_open(&setup, kind, ttl_ms, bytes, ret, reterr);
    if (err < 0)
        return err;
    (*ret)->settings = settings;
    (*ret)->next = shared;
    shared = *ret;
    return WEIR_OK;
}

static void unshare(const struct market_cache *cache)
{
    struct market_cache **at = &shared;

    while (*at != cache)
        at = &(*at)->next;
    *at = cache->next;
}

void market_cache_close(struct market_cache *cache)
{
    if (cache == NULL)
        return;
    if (cache->users > 0) {
        cache->users--;
        return;
    }
    if (cache->settings != NULL)
        unshare(cache);
    if (cache->client != NULL)
        give_up(cache);
    redis_client_close(cache->client);
    while (!TAILQ_EMPTY(&cache->entries))
        forget_entry(cache, TAILQ_FIRST(&cache->entries));
    weir__map_fini(&cache->map);
    weir__buf_fini(&cache->key);
    weir__free(cache);
}
