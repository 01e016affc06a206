/* redis.h: Redis for the pipeline: an outlet that serves what is latest, and a cache for what is looked up.
 *
 * (1) What is served is JSON under a key of its own, and begins with its version: an older version never takes the place of a
 *     newer one, whoever writes, in whatever order; nor does it come back after a newer one was taken away: for a moment by a value
 *     under the key that says so, then by who puts, which is to remember what it has taken away.
 * (2) Parts of keys are escaped, so two tenants, or two instruments, never share a key.
 * (3) The cache never waits longer than a few ms, and not at all while Redis does not answer; its failures are no errors.
 */
#ifndef MARKET_REDIS_H
#define MARKET_REDIS_H

#include "framework/outlet.h"

/* ---- the outlet: settings redis.url, redis.password, redis.ca.file, redis.ttl.ms, redis.timeout.ms ---- */

extern const struct weir_outlet market_redis[1];

/* How often this process has found that Redis has lost what was put: what is served is to be put again. Any thread. */
uint64_t market_redis_losses(void);

enum { MARKET_SERVED_PARTS = 4, MARKET_VERSION_BYTES = 256 };

/* A place in an order of our own: whole numbers and hex digits between commas, "1,1746057600000000,0,00ff". The first element
 * that differs decides: a negative one is less, then the longer, then by its digits; what ends first is less. */
struct market_version {
    char   text[MARKET_VERSION_BYTES];
    size_t size;
};
void market_version_begin(struct market_version *version);
void market_version_number(struct market_version *version, int64_t number);
/* Two as one element, by the first, then the second, of which what is negative counts as 0: greater than any number of one. first > 0. */
void market_version_numbers(struct market_version *version, int64_t first, int64_t second);
void market_version_bytes(struct market_version *version, const uint8_t *bytes, size_t size);
int  market_version_compare(const struct market_version *a, const struct market_version *b);

/* What a record is in Redis: the parts of its key behind "served:<projection>:", and its version. */
struct market_served {
    struct weir_text      parts[MARKET_SERVED_PARTS];
    size_t                part_count;
    struct market_version version;
    bool                  gone; /* the key is taken away, with all that is not newer */
};

/* The .arg of an outlet's node: how its records are served. describe fills *ret, which is zeroed; what it borrows is of the
 * record or of weir_alloc. The value is the record's JSON by the codec, an object, with "version" before it. WEIR_NOTHING: it is not served. A code of record
 * scope refuses the record. */
struct market_served_form {
    const char              *projection; /* "latest_price" */
    const struct weir_codec *value;      /* of the records' values in memory */
    int (*describe)(struct weir_context *ctx, const struct weir_record *rec, struct market_served *ret);
};

/* served:latest_price:<tenant>:<instrument>, of market_latest. */
extern const struct market_served_form market_served_latest[1];
/* served:curve_snapshot:<tenant>:<curve>:<horizon>, of market_curve_snapshot. */
extern const struct market_served_form market_served_curve[1];
/* served:custom:<type>:<tenant>:<pair or instrument>, of market_spread; type: spread, basis (spot_future), bid_ask. */
extern const struct market_served_form market_served_spread[1];
/* served:custom:rolling_stat:<tenant>:<instrument>:<window>, of market_stats. */
extern const struct market_served_form market_served_stats[1];

/* ---- the cache: tables looked up by tenant and id ---- */

struct market_cache; /* of one thread */

/* An answer of the cache. */
enum market_cached {
    MARKET_CACHE_UNKNOWN, /* nobody has asked of late: look it up, then put it */
    MARKET_CACHE_AWAY, /* the same, as far as this process knows: Redis does not answer now. Ask again with the next need */
    MARKET_CACHE_NONE, /* there is none such: that was looked up */
    MARKET_CACHE_FOUND,
};

/* kind: the first part of its keys, "metadata" for metadata:<tenant>:<id>; constant. bytes: of memory for answers that are kept
 * in this process, too. Without redis.url these are all there is. Where the thread has the kind open under the same settings already it
 * is that one; each closes it in the thread that opened it. WEIR_BAD_CONFIG, WEIR_NO_MEMORY. */
int  market_cache_open(const struct weir_settings *settings, const char *kind, int64_t ttl_ms, size_t bytes,
                       struct market_cache **ret, struct weir_error *reterr);
void market_cache_close(struct market_cache *cache);
/* *ret: the value, until the next call. */
enum market_cached market_cache_get(struct market_cache *cache, struct weir_text tenant, struct weir_text id,
                                    struct weir_text *ret);
/* What was looked up; data NULL: there is none such. Does not wait. */
void market_cache_put(struct market_cache *cache, struct weir_text tenant, struct weir_text id,
                      struct weir_text value);
/* Answered from this process, from Redis, not at all; Redis as it stands. */
struct market_cache_counts {
    int64_t     local, remote, unknown, dropped; /* dropped: answers taken out of memory for newer ones */
    bool        up;
    const char *why; /* not up; until the next call */
};
void market_cache_look(struct market_cache *cache, struct market_cache_counts *ret);

#endif
