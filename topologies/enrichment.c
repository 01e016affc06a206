/* enrichment.c: ticks meet what is known of their instrument: reference data, else rules on its name.
 *
 * (1) The reference table is read to its end before the first tick, and joined without regard to time: ticks may be years
 *     older than their rows. The tick says which version of the row it met.
 * (2) What the table has not is asked of the cache in Redis, which others may fill: never for longer than a moment, and not at
 *     all while it is down.
 */
#include <time.h>

#include "framework/logging/logging.h"
#include "topologies/loader.h"
#include "topologies/redis/redis.h"
#include "topologies/taxonomy.h"

/* clang-format off */

static weir_process attach;
static weir_open    open_attaching;
static weir_close   close_attaching;
static int          check_threshold(const char *text, struct weir_error *reterr);

/* How long an answer of the cache stands, also that there is none; memory for answers, of a thread. */
#define CACHE_MS    INT64_C(300000)
#define CACHE_BYTES ((size_t)1 << 20)

struct attaching {
    struct market_rulebook *standard; /* of tenants without rules */
    struct weir__map        books;    /* by tenant */
    struct market_cache    *cache;
    int64_t                 threshold; /* of confidence, units of 1e-8 */
    uint64_t                taken;     /* of the table of rules, when they were made ready */
};

SOURCE(ticks,         "normalized.market.ticks.v1", market_key, market_tick);
SINK  (enriched,      "enriched.market.ticks.v1", market_key, market_enriched);
SINK  (rejects,       "processing.deadletter.enrichment.v1", weir_blob, weir_blob);

KEYS  (instruments_s, market_key, market_instrument);
GLOBAL(instruments,   "reference.instruments.v1", instruments_s);
KEYS  (rules_s,       market_key, market_taxonomy_rules);
GLOBAL(rules,         "reference.taxonomy.v1", rules_s);
STEP  (attached,      attach, .open = open_attaching, .close = close_attaching, .state = sizeof(struct attaching),
    .looks_up = NODES(instruments, rules), .key = market_key, .value = market_enriched,
    .options = OPTIONS({ "threshold", WEIR_OPTION_TEXT, "0.8", check_threshold }));

/* From PostgreSQL: only what loads reads pairs and curves here. */
KEYS  (pairs_s,       market_key, market_pair);
GLOBAL(pairs,         "reference.pairs.v1", pairs_s);
KEYS  (curves_s,      market_key, market_curve);
GLOBAL(curves,        "reference.curves.v1", curves_s);
KEYS  (loads_s,       weir_string, weir_blob);
GLOBAL(loads,         MARKET_LOADS_TOPIC, loads_s);
SINK  (to_instruments, "reference.instruments.v1", weir_blob, weir_blob);
SINK  (to_rules,      "reference.taxonomy.v1", weir_blob, weir_blob);
SINK  (to_pairs,      "reference.pairs.v1", weir_blob, weir_blob);
SINK  (to_curves,     "reference.curves.v1", weir_blob, weir_blob);
SINK  (to_loads,      MARKET_LOADS_TOPIC, weir_blob, weir_blob);
STEP  (loaded,        market_loading_pass, .open = market_loading_open, .close = market_loading_close,
    .state = MARKET_LOADING_STATE, .looks_up = NODES(instruments, rules, pairs, curves, loads),
    .key = weir_blob, .value = weir_blob,
    .arg = ARG(struct market_loading, .tables = { instruments, rules, pairs, curves },
        .sinks = { to_instruments, to_rules, to_pairs, to_curves }, .loads = loads, .loads_sink = to_loads));

TOPOLOGY(enrichment, .dead_letters = rejects, .tenant = market_tenant_of_key, .port = 8081, .settings = market_settings,
    .paths = PATHS(
        PATH(ticks, attached, enriched),
        PATH(ticks, loaded, to_instruments),
        PATH(       loaded, to_rules),
        PATH(       loaded, to_pairs),
        PATH(       loaded, to_curves),
        PATH(       loaded, to_loads),
        PATH(instruments), PATH(rules), PATH(pairs), PATH(curves), PATH(loads)));

/* clang-format on */

/* ---- rules ---- */

/* The rules of a tenant; its name stands behind them. */
struct book {
    struct market_rulebook *rules;
    char                    tenant[];
};

static void free_book(struct book *book)
{
    if (book != NULL)
        market_rulebook_free(book->rules);
    weir__free(book);
}

static int add_book(struct attaching *attaching, const struct market_taxonomy_rules *row)
{
    struct book *book = weir__zalloc(sizeof(*book) + row->tenant_id.size);
    int          err = book != NULL ? market_rulebook_new(row, &book->rules) : WEIR_NO_MEMORY;

    if (err == WEIR_OK) {
        memcpy(book->tenant, row->tenant_id.data, row->tenant_id.size);
        err = weir__map_put(&attaching->books, BYTES(book->tenant, row->tenant_id.size), book);
    }
    if (err < 0)
        free_book(book);
    return err;
}

static void free_books(struct attaching *attaching)
{
    struct weir__map_slot *slot;

    for (size_t i = 0; (slot = weir__map_next(&attaching->books, &i)) != NULL;)
        free_book(slot->value);
    weir__map_clear(&attaching->books);
}

/* Where the table has changed. */
static int renew_books(struct weir_context *ctx, struct attaching *attaching)
{
    uint64_t          taken = weir_taken(ctx, rules);
    struct weir_rows *rows;
    struct weir_row   row;
    int               err;

    if (taken == attaching->taken)
        return WEIR_OK;
    free_books(attaching);
    err = weir_scan(ctx, rules, NULL, &rows);
    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK)
        err = add_book(attaching, row.value);
    if (err != WEIR_NOTFOUND)
        return err;
    attaching->taken = taken;
    return WEIR_OK;
}

static const struct market_rulebook *book_of(const struct attaching *attaching, struct weir_text tenant)
{
    const struct book *book = weir__map_get(&attaching->books, BYTES(tenant.data, tenant.size));

    return book != NULL ? book->rules : attaching->standard;
}

/* ---- reference rows ---- */

/* Of the cache, which says no more than the table does where nobody else fills it. One of no use is none. */
static int ask_cache(struct weir_context *ctx, struct attaching *attaching, const struct market_key *key,
                     const struct market_instrument **ret)
{
    struct market_instrument *row = weir_alloc(ctx, sizeof(*row));
    struct weir_text          value;
    struct weir_bytes         bytes;

    *ret = NULL;
    if (row == NULL)
        return WEIR_LIMIT;
    switch (market_cache_get(attaching->cache, key->tenant, key->instrument, &value)) {
    case MARKET_CACHE_UNKNOWN:
        market_cache_put(attaching->cache, key->tenant, key->instrument, (struct weir_text){ 0 });
        return WEIR_OK;
    case MARKET_CACHE_AWAY:
    case MARKET_CACHE_NONE: return WEIR_OK;
    case MARKET_CACHE_FOUND: break;
    }
    bytes = BYTES(weir__arena_copy(weir_record_arena(ctx), value.data, value.size), value.size);
    if (bytes.data == NULL)
        return WEIR_LIMIT;
    if (market_instrument->decode(market_instrument, weir_record_arena(ctx), bytes, row) < 0)
        weir_note(ctx, "unreadable_cached");
    else if (market_text_same(row->tenant_id, key->tenant) && market_text_same(row->instrument_id, key->instrument))
        *ret = row;
    return WEIR_OK;
}

/* *ret: NULL = nothing is known, or it is not active. */
static int find_row(struct weir_context *ctx, struct attaching *attaching, const struct market_key *key,
                    const struct market_instrument **ret)
{
    int err = weir_lookup(ctx, instruments, key, (const void **)ret);

    if (err == WEIR_NOTFOUND)
        err = ask_cache(ctx, attaching, key, ret);
    if (err == WEIR_OK && *ret != NULL && !(*ret)->active)
        *ret = NULL;
    return err;
}

static struct weir_text either(struct weir_text first, struct weir_text second)
{
    return first.data != NULL ? first : second;
}

static void take_reference(struct market_enriched *out, const struct market_instrument *row)
{
    out->contract_size = row->contract_size;
    out->tick_size = row->tick_size;
    out->reference_version = row->version;
    out->tick.unit = either(out->tick.unit, row->unit);
    out->tick.currency = either(out->tick.currency, row->currency);
}

/* ---- the tick ---- */

static int attach(struct weir_context *ctx, const struct weir_record *rec)
{
    struct attaching               *attaching = weir_state(ctx);
    const struct market_instrument *row = NULL;
    struct market_enriched         *out;
    int                             err;

    if (rec->key == NULL || rec->value == NULL)
        return market_reject_null(ctx, rec);
    err = renew_books(ctx, attaching);
    if (err == WEIR_OK)
        err = find_row(ctx, attaching, rec->key, &row);
    if (err < 0)
        return err;
    out = weir_alloc(ctx, sizeof(*out));
    if (out == NULL)
        return WEIR_LIMIT;
    out->tick = *(const struct market_tick *)rec->value;
    if (row != NULL)
        take_reference(out, row);
    else
        out->tick.quality_flags = market_flagged(out->tick.quality_flags, MARKET_NO_REFERENCE);
    out->taxonomy = market_classify(book_of(attaching, out->tick.tenant_id), &out->tick, row);
    if (out->taxonomy.confidence.units < attaching->threshold)
        out->tick.quality_flags = market_flagged(out->tick.quality_flags, MARKET_LOW_CONFIDENCE);
    return weir_forward(ctx, rec->key, out);
}

/* ---- the node ---- */

static int check_threshold(const char *text, struct weir_error *reterr)
{
    int64_t units;

    if (market_decimal_read((struct weir_text){ text, strlen(text) }, &units) < 0 || units < 0 || units > MARKET_UNIT)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "threshold", "a number from 0 to 1");
    return WEIR_OK;
}

/* So that the first tick, too, finds what Redis has: until it is connected or known to be away, a second at most. */
static void await_cache(struct market_cache *cache)
{
    static const struct weir_text nobody = { "-", 1 };
    struct market_cache_counts    counts = { .up = true };
    struct weir_text              value;
    int64_t                       until = weir__monotonic_us() + 1000000;

    while (counts.up && market_cache_get(cache, nobody, nobody, &value) == MARKET_CACHE_AWAY &&
           weir__monotonic_us() < until) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        market_cache_look(cache, &counts);
    }
}

static int open_attaching(struct weir_context *ctx)
{
    struct attaching *attaching = weir_state(ctx);
    const char       *threshold = weir_option_text(ctx, "threshold");
    struct weir_error words = { 0 };
    int               err;

    CHECK(market_decimal_read((struct weir_text){ threshold, strlen(threshold) }, &attaching->threshold) == WEIR_OK);
    err = market_rulebook_new(NULL, &attaching->standard);
    if (err == WEIR_OK)
        err = market_cache_open(weir_settings_of(ctx), "metadata", CACHE_MS, CACHE_BYTES, &attaching->cache, &words);
    if (err < 0 && words.text[0] != '\0')
        weir__say_error(WEIR__ERROR, "cache-not-opened", &words);
    if (err == WEIR_OK)
        await_cache(attaching->cache);
    else
        (void)close_attaching(ctx);
    return err;
}

static int close_attaching(struct weir_context *ctx)
{
    struct attaching *attaching = weir_state(ctx);

    market_cache_close(attaching->cache);
    market_rulebook_free(attaching->standard);
    free_books(attaching);
    weir__map_fini(&attaching->books);
    *attaching = (struct attaching){ 0 };
    return WEIR_OK;
}
