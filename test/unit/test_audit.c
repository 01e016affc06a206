/* test_audit.c: the audit trail with writers that fail, wait and forget when told to. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "framework/audit/audit.h"
#include "framework/logging/logging.h"
#include "schemas/digest.h"
#include "test/run.h"
#include "topologies/audit_chains.h"

/* A writer that keeps what it gets as a reader of the trail would find it. */
struct kept_by {
    const char         *name;
    pthread_mutex_t     mutex;
    pthread_cond_t      changed;
    bool                away;   /* writes fail */
    bool                stuck;  /* a write waits until it is not */
    bool                inside; /* a write is waiting */
    size_t              calls, most;
    struct market_trail trail;
};

static int write_kept(void *arg, const struct weir__audit_event *const *events, size_t count, int64_t ms,
                      struct weir_error *reterr)
{
    struct kept_by *kept = arg;
    int             err = WEIR_OK;

    (void)ms;
    pthread_mutex_lock(&kept->mutex);
    kept->calls++;
    kept->inside = true;
    pthread_cond_broadcast(&kept->changed);
    while (kept->stuck)
        pthread_cond_wait(&kept->changed, &kept->mutex);
    kept->inside = false;
    if (kept->away)
        err = weir__fail(reterr, WEIR_AGAIN, kept->name, "away");
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = market_trail_take(&kept->trail, events[i], reterr);
    kept->most = MAX(kept->most, count);
    pthread_mutex_unlock(&kept->mutex);
    return err;
}

static void close_kept(void *arg) { (void)arg; }

static struct kept_by      one, two;
static struct weir__audit *audit;

static void set(struct kept_by *kept, bool *flag, bool value)
{
    pthread_mutex_lock(&kept->mutex);
    *flag = value;
    pthread_cond_broadcast(&kept->changed);
    pthread_mutex_unlock(&kept->mutex);
}

static void await_inside(struct kept_by *kept)
{
    pthread_mutex_lock(&kept->mutex);
    while (!kept->inside)
        pthread_cond_wait(&kept->changed, &kept->mutex);
    pthread_mutex_unlock(&kept->mutex);
}

static const char *key; /* that the chain is sealed with; NULL = none */

static int digest(void *arg, struct weir_text text, char ret[WEIR__AUDIT_HASH_ROOM])
{
    (void)arg;
    return key != NULL ? market_seal((struct weir_text){ key, strlen(key) }, text, ret) : market_digest(text, ret);
}

static bool not_b(void *arg, const char *service)
{
    (void)arg;
    return strcmp(service, "b") != 0;
}

static void open_trail(size_t queue, size_t batch, int64_t write_ms)
{
    const struct weir__audit_config config = { .environment = "test",
                                               .queue = queue,
                                               .batch = batch,
                                               .write_ms = write_ms,
                                               .sealed = key != NULL,
                                               .digest = digest,
                                               .audits = not_b };
    struct weir__audit_writer       writers[] = {
              { .name = "one", .arg = &one, .write = write_kept, .close = close_kept },
              { .name = "two", .arg = &two, .write = write_kept, .close = close_kept },
    };
    struct weir_error err;

    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    one = (struct kept_by){ .name = "one", .trail = { .name = "one", .writer = "one" } };
    two = (struct kept_by){ .name = "two", .trail = { .name = "two", .writer = "two" } };
    for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
        struct kept_by *kept = writers[i].arg;

        pthread_mutex_init(&kept->mutex, NULL);
        pthread_cond_init(&kept->changed, NULL);
    }
    ck_assert_int_eq(weir__audit_open(&config, writers, ARRAY_SIZE(writers), &audit, &err), WEIR_OK);
}

static void note(const char *service, const char *resource)
{
    weir__audit_note(audit, (const char *const[WEIR__AUDIT_TEXT_COUNT]){
                                [WEIR__AUDIT_SERVICE] = service, [WEIR__AUDIT_RESOURCE] = resource });
}

static void note_many(size_t count)
{
    for (size_t i = 0; i < count; i++)
        note("a", "x");
}

struct found {
    uint64_t number;
    size_t   count;
};

static void take_bad(void *arg, const struct market_trail *trail, const struct market_chain *chain, uint64_t number,
                     const char *why)
{
    struct found *found = arg;

    (void)trail, (void)chain, (void)why;
    found->number = number;
    found->count++;
}

/* The number of the first bad event; 0 = all are good. */
static uint64_t bad_in(struct kept_by *kept)
{
    struct found found = { 0 };

    market_trail_sort(&kept->trail);
    (void)market_trail_judge(&kept->trail, 0, INT64_MAX / 4, take_bad, &found);
    return found.number;
}

static struct market_chain *chain_in(struct kept_by *kept)
{
    size_t                 at = 0;
    struct weir__map_slot *slot = weir__map_next(&kept->trail.chains, &at);

    return slot != NULL ? slot->value : NULL;
}

static void forget(void)
{
    market_trail_fini(&one.trail);
    market_trail_fini(&two.trail);
}

START_TEST(both_have_all_in_one_chain)
{
    open_trail(100, 7, 10000);
    note_many(30);
    note("b", "switched off");
    note("a", "bytes \xff that are \x01 no text, and \xe2\x82\xac");
    weir__audit_close(audit);
    ck_assert_uint_eq(one.trail.events, 31);
    ck_assert_uint_eq(two.trail.events, 31);
    ck_assert_uint_le(one.most, 7);
    ck_assert_uint_eq(bad_in(&one), 0);
    ck_assert_uint_eq(bad_in(&two), 0);
    ck_assert_mem_eq(chain_in(&one)->links[30].hash, chain_in(&two)->links[30].hash, MARKET_HASH_BYTES);
    forget();
}
END_TEST

/* By RFC 4231, 4.3. */
START_TEST(a_seal_is_that_of_others)
{
    char seal[MARKET_DIGEST_ROOM];

    ck_assert_int_eq(
        market_seal((struct weir_text){ "Jefe", 4 }, (struct weir_text){ "what do ya want for nothing?", 28 }, seal),
        WEIR_OK);
    ck_assert_str_eq(seal, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

/* The bad event with these keys, of a chain that was made with a key or without one. */
static uint64_t bad_with(const char *made_with, const char *keys)
{
    uint64_t bad;

    key = made_with;
    open_trail(100, 10, 10000);
    one.trail.keys = keys;
    note_many(3);
    weir__audit_close(audit);
    key = NULL;
    bad = bad_in(&one);
    return bad;
}

START_TEST(a_sealed_chain_needs_one_of_its_keys)
{
    ck_assert_uint_eq(bad_with("first key", "first key"), 0);
    ck_assert(chain_in(&one)->sealed);
    forget();
    ck_assert_uint_eq(bad_with("first key", "new key\nfirst key\n"), 0);
    forget();
    ck_assert_uint_eq(bad_with("first key", "new key"), 1);
    forget();
    ck_assert_uint_eq(bad_with("first key", NULL), 1);
    forget();
    ck_assert_uint_eq(bad_with(NULL, "first key"), 0); /* from before there was a key */
    forget();
}
END_TEST

/* Who does not have the key may make a chain that is good in itself. */
START_TEST(a_chain_without_a_seal_behind_one_with_a_seal_is_bad)
{
    struct market_trail sealed;

    ck_assert_uint_eq(bad_with("first key", "first key"), 0);
    sealed = one.trail;
    market_trail_fini(&two.trail);
    open_trail(100, 10, 10000);
    one.trail = sealed;
    note_many(2);
    weir__audit_close(audit);
    ck_assert_uint_eq(bad_in(&one), 1);
    forget();
}
END_TEST

static void await_second(uint64_t events)
{
    pthread_mutex_lock(&two.mutex);
    while (two.trail.events < events)
        pthread_cond_wait(&two.changed, &two.mutex);
    pthread_mutex_unlock(&two.mutex);
}

START_TEST(a_writer_that_waits_holds_up_nobody)
{
    struct weir__audit_standing standing;

    open_trail(100, 10, 10000);
    set(&one, &one.stuck, true);
    note_many(1);
    await_inside(&one);
    note_many(50); /* returns though one is stuck */
    await_second(51);
    ck_assert(weir__audit_look(audit, 0, &standing));
    ck_assert_uint_eq(standing.waiting, 51);
    set(&one, &one.stuck, false);
    weir__audit_close(audit);
    ck_assert_uint_eq(one.trail.events, 51);
    forget();
}
END_TEST

/* The oldest go, the chain says which, and the other writer has them. */
START_TEST(a_full_queue_loses_and_says_so)
{
    struct weir__audit_standing standing;

    open_trail(20, 10, 10000);
    set(&one, &one.stuck, true);
    note_many(1);
    await_inside(&one);
    for (size_t i = 0; i < 6; i++) {
        note_many(10);
        await_second(1 + 10 * (i + 1)); /* its queue is as small */
    }
    ck_assert(weir__audit_look(audit, 0, &standing));
    ck_assert_uint_eq(standing.lost, 40);
    set(&one, &one.away, true);
    set(&one, &one.stuck, false);
    do
        weir__audit_look(audit, 0, &standing);
    while (standing.up);
    ck_assert_uint_eq(standing.outages, 1);
    set(&one, &one.away, false);
    weir__audit_close(audit);
    ck_assert_uint_eq(one.trail.events, 61 - 40 + 1);
    ck_assert_uint_eq(two.trail.events, 61 + 1);
    ck_assert_uint_eq(bad_in(&one), 0);
    ck_assert_uint_eq(bad_in(&two), 0);
    ck_assert_uint_eq(chain_in(&one)->lost[0].first, 2);
    ck_assert_uint_eq(chain_in(&one)->lost[0].last, 41);
    forget();
}
END_TEST

START_TEST(the_close_waits_for_a_while)
{
    open_trail(100, 10, 50);
    set(&one, &one.away, true);
    note_many(5);
    await_second(5);
    weir__audit_close(audit); /* comes back */
    ck_assert_uint_eq(one.trail.events, 0);
    ck_assert_uint_eq(two.trail.events, 5);
    forget();
}
END_TEST

/* What a reader finds after each kind of change. */
START_TEST(changes_show)
{
    struct market_chain *chain;
    struct market_link   link;

    open_trail(100, 10, 10000);
    note_many(9);
    weir__audit_close(audit);
    ck_assert_uint_eq(bad_in(&one), 0);
    chain = chain_in(&one);
    link = chain->links[4];
    chain->links[4].edited = true;
    ck_assert_uint_eq(bad_in(&one), 5);
    chain->links[4] = link;
    memmove(&chain->links[4], &chain->links[5], 4 * sizeof(link));
    chain->count = 8;
    ck_assert_uint_eq(bad_in(&one), 5); /* removed */
    chain->links[8] = link;
    chain->links[8].hash[0] ^= 1; /* replaced by another one that is good in itself */
    chain->count = 9;
    ck_assert_uint_eq(bad_in(&one), 6);
    forget();
}
END_TEST

START_TEST(the_end_is_known_from_the_other_place)
{
    struct found found = { 0 };

    open_trail(100, 10, 10000);
    note_many(9);
    weir__audit_close(audit);
    chain_in(&one)->count = 8;
    ck_assert_uint_eq(bad_in(&one), 0);
    ck_assert_uint_eq(market_trails_compare(&two.trail, &one.trail, INT64_MAX, 0, take_bad, &found), 0);
    ck_assert_uint_eq(market_trails_compare(&one.trail, &two.trail, INT64_MAX, 0, take_bad, &found), 1);
    ck_assert_uint_eq(found.number, 9);
    ck_assert_uint_eq(market_trails_compare(&one.trail, &two.trail, 0, 0, take_bad, &found), 0); /* on its way */
    forget();
}
END_TEST

int main(void)
{
    const TTest *const all_tests[] = {
        both_have_all_in_one_chain,
        a_seal_is_that_of_others,
        a_sealed_chain_needs_one_of_its_keys,
        a_chain_without_a_seal_behind_one_with_a_seal_is_bad,
        a_writer_that_waits_holds_up_nobody,
        a_full_queue_loses_and_says_so,
        the_close_waits_for_a_while,
        changes_show,
        the_end_is_known_from_the_other_place,
    };
    Suite *suite = suite_create("audit");
    TCase *tcase = tcase_create("audit");

    for (size_t i = 0; i < ARRAY_SIZE(all_tests); i++)
        tcase_add_test(tcase, all_tests[i]);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
