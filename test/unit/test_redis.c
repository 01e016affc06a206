/* test_redis.c: the Redis client, its outlet and its cache, against a server that answers by rules on a socket.
 *
 * (1) The server is looked after between two turns of the client, on the same thread: nothing here depends on who is faster.
 */
#define _GNU_SOURCE
#include "schemas/market.h"
#include "test/run.h"
#include "topologies/redis/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a server that answers by rules ---- */

struct rule {
    const char *begin; /* of the command, words between spaces */
    const char *reply; /* NULL: none; "": the connection is closed */
    int         times; /* how often; -1 = always */
};

enum { CONNECTIONS = 8, RULES = 16 };
static const struct rule usual[] = { { "AUTH", "+OK\r\n", -1 },       { "SELECT", "+OK\r\n", -1 },
                                     { "SCRIPT", "$1\r\nx\r\n", -1 }, { "PING", "+PONG\r\n", -1 },
                                     { "ASKING", "+OK\r\n", -1 },     { "EVAL", ":1\r\n", -1 },
                                     { "GET", "$1\r\nv\r\n", -1 },    { "PTTL", ":100000\r\n", -1 },
                                     { "SET", "+OK\r\n", -1 } };

struct fake {
    int              fd, port;
    int              connections[CONNECTIONS];
    redisReader     *readers[CONNECTIONS];
    size_t           count; /* of connections so far */
    struct rule      rules[RULES];
    size_t           rule_count;
    struct weir__buf log;    /* a line for each command */
    bool             floods; /* it sends on and on */
};

static void fake_open(struct fake *fake)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          size = sizeof(address);

    *fake = (struct fake){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) };
    ck_assert_int_eq(bind(fake->fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fake->fd, CONNECTIONS), 0);
    ck_assert_int_eq(getsockname(fake->fd, (struct sockaddr *)&address, &size), 0);
    fake->port = ntohs(address.sin_port);
}

static void hang_up(struct fake *fake, size_t i)
{
    if (fake->readers[i] == NULL)
        return;
    close(fake->connections[i]);
    redisReaderFree(fake->readers[i]);
    fake->readers[i] = NULL;
}

static void fake_close(struct fake *fake)
{
    for (size_t i = 0; i < fake->count; i++)
        hang_up(fake, i);
    close(fake->fd);
    weir__buf_fini(&fake->log);
}

/* A rule before those there are. */
static void rule(struct fake *fake, const char *begin, const char *reply, int times)
{
    ck_assert_uint_lt(fake->rule_count, RULES);
    memmove(fake->rules + 1, fake->rules, fake->rule_count++ * sizeof(struct rule));
    fake->rules[0] = (struct rule){ begin, reply, times };
}

static const char *reply_to(struct fake *fake, const char *command)
{
    for (size_t i = 0; i < fake->rule_count; i++) {
        struct rule *at = &fake->rules[i];

        if (at->times == 0 || strncmp(command, at->begin, strlen(at->begin)) != 0)
            continue;
        at->times -= at->times > 0;
        return at->reply;
    }
    for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
        if (strncmp(command, usual[i].begin, strlen(usual[i].begin)) == 0)
            return usual[i].reply;
    return "-ERR unknown command\r\n";
}

static void fake_answer(struct fake *fake, size_t i, const redisReply *command)
{
    struct weir__buf text = { 0 };
    const char      *reply;

    for (size_t word = 0; word < command->elements; word++) {
        bool script = strncmp(command->element[word]->str, "local ", 6) == 0;

        weir__buf_printf(&text, "%s%s", word > 0 ? " " : "", script ? "(script)" : command->element[word]->str);
    }
    weir__buf_putc(&text, '\0');
    weir__buf_printf(&fake->log, "%s\n", text.data);
    reply = reply_to(fake, text.data);
    weir__buf_fini(&text);
    if (reply != NULL && reply[0] == '\0')
        hang_up(fake, i);
    else if (reply != NULL)
        ck_assert_int_eq(write(fake->connections[i], reply, strlen(reply)), (ssize_t)strlen(reply));
}

static void fake_read(struct fake *fake, size_t i)
{
    char    bytes[4096];
    ssize_t size = read(fake->connections[i], bytes, sizeof(bytes));
    void   *command;

    if (size == 0)
        hang_up(fake, i);
    if (size <= 0)
        return;
    ck_assert_int_eq(redisReaderFeed(fake->readers[i], bytes, (size_t)size), REDIS_OK);
    while (fake->readers[i] != NULL && redisReaderGetReply(fake->readers[i], &command) == REDIS_OK &&
           command != NULL) {
        fake_answer(fake, i, command);
        freeReplyObject(command);
    }
}

static void fake_turn(struct fake *fake)
{
    static const char much[65536];
    int               fd;

    while ((fd = accept4(fake->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        ck_assert_uint_lt(fake->count, CONNECTIONS);
        fake->connections[fake->count] = fd;
        fake->readers[fake->count++] = redisReaderCreate();
    }
    for (size_t i = 0; i < fake->count; i++) {
        if (fake->readers[i] != NULL && fake->floods)
            (void)!send(fake->connections[i], much, sizeof(much), MSG_NOSIGNAL);
        if (fake->readers[i] != NULL)
            fake_read(fake, i);
    }
}

/* How often the server heard a line that begins so. */
static int heard(const struct fake *fake, const char *begin)
{
    int count = 0;

    if (fake->log.data == NULL)
        return 0;
    for (const char *at = fake->log.data, *end = at + fake->log.size; at != NULL && at < end;
         at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1)
        count += strncmp(at, begin, strlen(begin)) == 0;
    return count;
}

static bool said(const struct fake *fake, const char *text)
{
    return memmem(fake->log.data, fake->log.size, text, strlen(text)) != NULL;
}

/* ---- both sides ---- */

static struct fake          one, two;
static struct redis_outlet *outlet;
static struct weir_error    err;

static struct redis_setup setup_of(const char *url, int64_t timeout_ms)
{
    struct redis_setup setup = { .timeout_ms = timeout_ms };
    int                code = redis_target_read(&setup.target, url, NULL, &err);

    ck_assert_msg(code == WEIR_OK, "%s", err.text);
    return setup;
}

static WEIR_PRINTF(2, 3) void start_for(int64_t timeout_ms, const char *form, ...)
{
    char               url[128];
    struct redis_setup setup;
    va_list            args;

    va_start(args, form);
    vsnprintf(url, sizeof(url), form, args);
    va_end(args);
    setup = setup_of(url, timeout_ms);
    ck_assert_int_eq(redis_outlet_open(&setup, 60000, &outlet, &err), WEIR_OK);
}

static void put(const char *key, const char *version_text, const char *json)
{
    struct market_version version = { .size = strlen(version_text) };

    memcpy(version.text, version_text, version.size);
    ck_assert_int_eq(redis_outlet_put(outlet, BYTES(key, strlen(key)), &version,
                                      (struct weir_text){ json, json != NULL ? strlen(json) : 0 }),
                     WEIR_OK);
}

/* What settle comes to, 20 s at most. */
static int settle(void)
{
    int64_t until = weir__monotonic_us() + 20000000;
    int     code;

    do {
        code = redis_outlet_settle(outlet, 1, &err);
        fake_turn(&one);
        fake_turn(&two);
    } while (code == WEIR_AGAIN && weir__monotonic_us() < until);
    return code;
}

/* Until the server has heard it as often. */
static void await(const struct fake *fake, const char *begin, int count)
{
    int64_t until = weir__monotonic_us() + 20000000;

    while (heard(fake, begin) < count && weir__monotonic_us() < until) {
        (void)redis_outlet_settle(outlet, 1, &err);
        fake_turn(&one);
        fake_turn(&two);
    }
    ck_assert_int_ge(heard(fake, begin), count);
}

static const char *why(void)
{
    static struct weir_outlet_standing standing;

    redis_outlet_look(outlet, &standing);
    return standing.up ? "" : standing.why;
}

static void set_up(void)
{
    fake_open(&one);
    fake_open(&two);
}

static void tear_down(void)
{
    redis_outlet_close(outlet);
    outlet = NULL;
    fake_close(&one);
    fake_close(&two);
}

/* ---- addresses ---- */

START_TEST(an_address_has_user_password_hosts_and_database)
{
    struct redis_setup setup = setup_of("rediss://us%40er:p%3Aw@redis.example:7000/3", 1);

    ck_assert(setup.target.tls);
    ck_assert_str_eq(setup.target.user, "us@er");
    ck_assert_str_eq(setup.target.password, "p:w");
    ck_assert_str_eq(setup.target.hosts[0].name, "redis.example");
    ck_assert_int_eq(setup.target.hosts[0].port, 7000);
    ck_assert_int_eq(setup.target.db, 3);
    redis_target_fini(&setup.target);

    setup = setup_of("redis://:only@a,[::1]:7001,b:7002/", 1);
    ck_assert_ptr_null(setup.target.user);
    ck_assert_str_eq(setup.target.password, "only");
    ck_assert_uint_eq(setup.target.host_count, 3);
    ck_assert_int_eq(setup.target.hosts[0].port, 6379);
    ck_assert_str_eq(setup.target.hosts[1].name, "::1");
    ck_assert_int_eq(setup.target.hosts[1].port, 7001);
    redis_target_fini(&setup.target);
}
END_TEST

static const struct {
    const char *url, *password, *words;
} wrong_addresses[] = {
    { "http://h", NULL, "begins otherwise" },
    { "redis://", NULL, "host is missing" },
    { "redis://a,", NULL, "host is missing" },
    { "redis://h:", NULL, "no port" },
    { "redis://h:0", NULL, "1 to 65535" },
    { "redis://h:65536", NULL, "1 to 65535" },
    { "redis://h:12x", NULL, "1 to 65535" },
    { "redis://h/x", NULL, "database is no number" },
    { "redis://h/-1", NULL, "database is no number" },
    { "redis://h,i/1", NULL, "no other database than 0" },
    { "redis://[::1", NULL, "[ without ]" },
    { "redis://[::1]7", NULL, "no :port" },
    { "redis://secret:%zz@h", NULL, "%XX" },
    { "redis://:secret%00@h", NULL, "%XX" },
    { "redis://secret:@h", NULL, "no password" },
    { "redis://secret@h", NULL, "no password" },
    { "redis://:secret@h", "secret", "one place" },
};

START_TEST(a_wrong_address_is_refused_without_its_secrets)
{
    struct redis_target target = { 0 };

    ck_assert_int_eq(redis_target_read(&target, wrong_addresses[_i].url, wrong_addresses[_i].password, &err),
                     WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, wrong_addresses[_i].words));
    ck_assert_ptr_null(strstr(err.text, "secret"));
    redis_target_fini(&target);
}
END_TEST

/* ---- slots, versions, keys ---- */

START_TEST(slots_are_those_of_redis)
{
    static const struct {
        const char *key;
        unsigned    slot;
    } known[] = { /* by "redis-cli cluster keyslot" */
                  { "123456789", 12739 }, { "foo", 12182 },  { "foo{hash_tag}", 2515 }, { "bar{hash_tag}x", 2515 },
                  { "hash_tag", 2515 },   { "{}foo", 9500 }, { "foo{", 7673 },          { "", 0 }
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        ck_assert_msg(redis_slot(BYTES(known[i].key, strlen(known[i].key))) == known[i].slot, "%s: %u", known[i].key,
                      redis_slot(BYTES(known[i].key, strlen(known[i].key))));
}
END_TEST

static struct market_version version_of(const char *text)
{
    struct market_version version = { .size = strlen(text) };

    memcpy(version.text, text, version.size);
    return version;
}

START_TEST(versions_order_by_their_first_difference)
{
    static const char *const rising[] = { "-10",
                                          "-9",
                                          "-1,5",
                                          "-1,6",
                                          "0",
                                          "0,-1",
                                          "0,0",
                                          "0,9",
                                          "0,10",
                                          "0,10,0a",
                                          "0,10,0b",
                                          "1",
                                          "9007199254740992",
                                          "9007199254740993" };

    for (size_t i = 0; i < ARRAY_SIZE(rising); i++)
        for (size_t j = 0; j < ARRAY_SIZE(rising); j++) {
            struct market_version a = version_of(rising[i]), b = version_of(rising[j]);
            int                   way = market_version_compare(&a, &b);

            ck_assert_msg((way > 0) - (way < 0) == (i > j) - (i < j), "%s and %s", rising[i], rising[j]);
        }
}
END_TEST

START_TEST(a_version_is_made_of_numbers_and_bytes)
{
    struct market_version version;

    market_version_begin(&version);
    market_version_number(&version, INT64_MIN);
    market_version_bytes(&version, (const uint8_t[]){ 0, 0xaf }, 2);
    market_version_number(&version, INT64_MAX);
    ck_assert_uint_eq(version.size, strlen("-9223372036854775808,00af,9223372036854775807"));
    ck_assert_int_eq(memcmp(version.text, "-9223372036854775808,00af,9223372036854775807", version.size), 0);
}
END_TEST

START_TEST(parts_of_keys_never_run_into_each_other)
{
    struct weir__buf key = { 0 };

    redis_key_part(&key, (struct weir_text){ "a:b", 3 });
    redis_key_part(&key, (struct weir_text){ "c{d}%\n", 6 });
    weir__buf_putc(&key, '\0');
    ck_assert_str_eq(key.data, ":a%3Ab:c%7Bd%7D%25%0A");
    weir__buf_fini(&key);
}
END_TEST

/* Few values, so that many are alike. */
static struct market_latest random_latest(unsigned *seed)
{
    struct market_latest latest = { .tenant_id = { "t", 1 }, .instrument_id = { "A.B", 3 } };

    latest.epoch = 1 + rand_r(seed) % 2;
    latest.event_time = 999999 + rand_r(seed) % 2;
    latest.sequence = -1 + rand_r(seed) % 3;
    latest.tick_id[0] = (uint8_t)(9 + rand_r(seed) % 2);
    latest.quality_flags = rand_r(seed) % 2 ? MARKET_VALID : MARKET_FALLBACK;
    latest.revision = 9 + rand_r(seed) % 2;
    latest.ingested_at = 99 + rand_r(seed) % 2;
    return latest;
}

static struct market_version served_version(const struct market_latest *latest)
{
    struct market_served served = { 0 };

    ck_assert_int_eq(market_served_latest->describe(NULL, &(struct weir_record){ .value = latest }, &served),
                     WEIR_OK);
    ck_assert_uint_eq(served.part_count, 2);
    ck_assert_int_eq(strncmp(served.parts[1].data, "A.B", served.parts[1].size), 0);
    return served.version;
}

START_TEST(redis_and_the_store_agree_on_the_latest_price)
{
    unsigned seed = 1;

    for (int i = 0; i < 20000; i++) {
        struct market_latest  a = random_latest(&seed), b = random_latest(&seed);
        struct market_version first = served_version(&a), second = served_version(&b);
        int                   want = market_latest_compare(&a, &b), have = market_version_compare(&first, &second);

        ck_assert_int_eq((want > 0) - (want < 0), (have > 0) - (have < 0));
    }
}
END_TEST

START_TEST(spreads_statistics_and_curves_have_keys_and_versions)
{
    static const struct market_spread basis = { .tenant_id = { "t", 1 },
                                                .pair_id = { "P", 1 },
                                                .epoch = 2,
                                                .kind = MARKET_SPOT_FUTURE,
                                                .window_start = 60,
                                                .revision = 3 };
    static const struct market_stats  stats = {
         .tenant_id = { "t", 1 }, .instrument_id = { "A", 1 }, .window = { "last_10", 7 }, .window_end = 9, .epoch = 1
    };
    static const struct market_curve_snapshot curve = {
        .tenant_id = { "t", 1 }, .curve_id = { "C", 1 }, .horizon = { "3m", 2 }, .window_start = 5
    };
    struct market_served served = { 0 };

    ck_assert_int_eq(market_served_spread->describe(NULL, &(struct weir_record){ .value = &basis }, &served),
                     WEIR_OK);
    ck_assert_uint_eq(served.part_count, 3);
    ck_assert_int_eq(memcmp(served.parts[0].data, "basis", 6), 0);
    ck_assert_int_eq(memcmp(served.version.text, "2,60,3", served.version.size), 0);
    ck_assert_int_eq(market_served_stats->describe(NULL, &(struct weir_record){ .value = &stats }, &served), WEIR_OK);
    ck_assert_uint_eq(served.part_count, 4);
    ck_assert_int_eq(memcmp(served.parts[0].data, "rolling_stat", 13), 0);
    ck_assert_int_eq(memcmp(served.version.text, "1,9,0", served.version.size), 0);
    ck_assert_int_eq(market_served_curve->describe(NULL, &(struct weir_record){ .value = &curve }, &served), WEIR_OK);
    ck_assert_int_eq(memcmp(served.parts[2].data, "3m", 3), 0);
    ck_assert_int_eq(market_served_curve->describe(NULL, &(struct weir_record){ 0 }, &served), WEIR_NULL_GIVEN);
    ck_assert(!served.gone);
}
END_TEST

START_TEST(a_deletion_has_the_version_of_what_it_takes_away)
{
    static const struct market_latest latest = { .tenant_id = { "t", 1 },
                                                 .instrument_id = { "A", 1 },
                                                 .deleted = true };
    static const struct market_stats  stats = {
         .tenant_id = { "t", 1 }, .instrument_id = { "A", 1 }, .window = { "5m", 2 }, .window_end = 9, .deleted = true
    };
    struct market_served served = { 0 };

    ck_assert_int_eq(market_served_latest->describe(NULL, &(struct weir_record){ .value = &latest }, &served),
                     WEIR_OK);
    ck_assert(served.gone);
    served = (struct market_served){ 0 };
    ck_assert_int_eq(market_served_stats->describe(NULL, &(struct weir_record){ .value = &stats }, &served), WEIR_OK);
    ck_assert(served.gone);
    ck_assert_int_eq(memcmp(served.version.text, "0,9,0", served.version.size), 0);
}
END_TEST

/* Whatever epochs records have: in the range of int64, and more. */
START_TEST(versions_go_by_rebuild_then_epoch_time_revision)
{
    static const int64_t rising[][4] = { { 0, INT64_MIN, 0, 0 },
                                         { 0, -1, 9, 9 },
                                         { 0, 1, 5, 2 },
                                         { 0, 1, 6, 1 },
                                         { 0, 1000001, 1, 1 },
                                         { 0, INT64_MAX, 9, 9 },
                                         { 1, 0, 1, 1 },
                                         { 1, 1, 1, 1 },
                                         { 1, 1, 1, 2 },
                                         { 1, 1000001, 0, 1 },
                                         { 2, 1, 0, 1 },
                                         { 10, 1, 0, 1 },
                                         { INT64_MAX, INT64_MAX, 0, 1 } };
    struct market_served before = { 0 }, now = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(rising); i++, before = now) {
        struct market_spread spread = { .tenant_id = { "t", 1 },
                                        .pair_id = { "P", 1 },
                                        .rebuild = rising[i][0],
                                        .epoch = rising[i][1],
                                        .window_start = rising[i][2],
                                        .revision = rising[i][3] };

        ck_assert_int_eq(market_served_spread->describe(NULL, &(struct weir_record){ .value = &spread }, &now),
                         WEIR_OK);
        ck_assert_msg(i == 0 || market_version_compare(&before.version, &now.version) < 0, "%zu: %.*s %.*s", i,
                      (int)before.version.size, before.version.text, (int)now.version.size, now.version.text);
    }
}
END_TEST

/* ---- the greeting ---- */

START_TEST(the_greeting_says_who_and_where_and_brings_the_script)
{
    start_for(5000, "redis://me:pw@127.0.0.1:%d/2", one.port);
    put("k", "1,2", "{\"a\":1}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert(said(&one, "AUTH me pw\nSELECT 2\nSCRIPT LOAD (script)\nPING\nEVALSHA "));
    ck_assert(said(&one, " 1 k 1,2 {\"version\":\"1,2\",\"a\":1} 60000 0\n"));
    ck_assert_str_eq(why(), "");
}
END_TEST

static const struct {
    const char *command, *reply, *words;
} refusals[] = {
    { "AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n", "redis.password" },
    { "AUTH", "-ERR AUTH <password> called without any password configured\r\n", "take it away" },
    { "PING", "-NOAUTH Authentication required.\r\n", "set redis.password" },
    { "SELECT", "-ERR DB index is out of range\r\n", "no such database" },
    { "EVALSHA", "-NOPERM this user has no permissions\r\n", "+@scripting" },
};

START_TEST(what_will_never_be_taken_is_a_wrong_configuration)
{
    rule(&one, refusals[_i].command, refusals[_i].reply, -1);
    start_for(5000, "redis://me:pw@127.0.0.1:%d/2", one.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, refusals[_i].words));
    ck_assert_ptr_nonnull(strstr(err.where, "127.0.0.1:"));
    ck_assert_ptr_null(strstr(err.text, "pw@"));
}
END_TEST

static const struct {
    const char *command, *reply;
} hindrances[] = {
    { "PING", "-LOADING Redis is loading the dataset in memory\r\n" },
    { "AUTH", "-ERR max number of clients reached\r\n" },
    { "PING", "" },
    { "PING", "?nonsense\r\n" },
    { "EVALSHA", "" },
    { "EVALSHA", "-LOADING Redis is loading the dataset in memory\r\n" },
    { "EVALSHA", "-OOM command not allowed when used memory > 'maxmemory'.\r\n" },
    { "EVALSHA", "-TRYAGAIN Multiple keys request during rehashing of slot\r\n" },
    { "EVALSHA", "-READONLY You can't write against a read only replica.\r\n" },
    { "EVALSHA", "-ERR Error running script (call to f_4e1): @user_script:23: @user_script: 23: "
                 "-OOM command not allowed when used memory > 'maxmemory'.\r\n" }, /* before Redis 7 */
    { "EVALSHA", "-ERR Error running script (call to f_4e1): @user_script:23: @user_script: 23: "
                 "-READONLY You can't write against a read only replica.\r\n" },
    { "EVALSHA", "-NOSCRIPT No matching script. Please use EVAL.\r\n" },
    { "EVALSHA", ":0\r\n:0\r\n" }, /* more than was asked */
};

START_TEST(what_passes_is_waited_out)
{
    rule(&one, hindrances[_i].command, hindrances[_i].reply, 1);
    start_for(5000, "redis://:pw@127.0.0.1:%d", one.port);
    put("k", "1", "{}");
    put("l", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    put("m", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_str_eq(why(), "");
}
END_TEST

START_TEST(a_script_that_is_not_known_is_sent_whole)
{
    rule(&one, "EVALSHA", "-NOSCRIPT No matching script. Please use EVAL.\r\n", 1);
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_int_eq(heard(&one, "EVAL (script) 1 k "), 1);
}
END_TEST

START_TEST(a_silent_server_is_called_again)
{
    rule(&one, "EVALSHA", NULL, 1);
    start_for(1000, "redis://127.0.0.1:%d", one.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_uint_eq(one.count, 2);
}
END_TEST

START_TEST(who_was_away_reads_before_he_blames)
{
    start_for(2000, "redis://127.0.0.1:%d", one.port);
    put("k", "1", "{}");
    await(&one, "EVALSHA", 1); /* it has answered, and nobody has read */
    usleep(2100000);
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_uint_eq(one.count, 1);
}
END_TEST

START_TEST(an_answer_without_end_is_cut_off)
{
    rule(&one, "EVALSHA", "$100000000\r\n", 1);
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    put("k", "1", "{}");
    await(&one, "EVALSHA", 1);
    one.floods = true;
    for (int i = 0; i < 20000 && why()[0] == '\0'; i++) {
        fake_turn(&one);
        ck_assert_int_eq(redis_outlet_settle(outlet, 0, &err), WEIR_AGAIN);
    }
    ck_assert_ptr_nonnull(strstr(why(), "its answer is larger than"));
    one.floods = false;
    ck_assert_int_eq(settle(), WEIR_OK);
}
END_TEST

START_TEST(no_server_is_said_by_name)
{
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    close(one.fd);
    put("k", "1", "{}");
    for (int i = 0; i < 2000 && strstr(why(), "refused") == NULL; i++)
        ck_assert_int_eq(redis_outlet_settle(outlet, 1, &err), WEIR_AGAIN);
    ck_assert_ptr_nonnull(strstr(why(), "cannot connect: Connection refused"));
    one.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}
END_TEST

/* ---- the outlet ---- */

START_TEST(of_several_puts_the_newest_is_sent)
{
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    put("k", "1,1", "{\"a\":1}");
    put("k", "1,3", "{\"a\":3}");
    put("k", "1,2", "{\"a\":2}");
    put("gone", "5", NULL);
    put("gone", "5", "{}");
    put("same", "5", "{\"first\":1}");
    put("same", "5", "{\"second\":1}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_int_eq(heard(&one, "EVALSHA"), 3);
    ck_assert(said(&one, "\"a\":3"));
    ck_assert(said(&one, " 1 gone 5 {\"version\":\"5\",\"deleted\":true} 60000 1\n"));
    ck_assert(said(&one, "second"));
}
END_TEST

START_TEST(nothing_is_settled_at_once)
{
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    ck_assert_int_eq(redis_outlet_settle(outlet, 600000, &err), WEIR_OK);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_int_eq(redis_outlet_settle(outlet, 600000, &err), WEIR_OK);
}
END_TEST

START_TEST(a_refused_record_is_told_until_it_is_given_up)
{
    rule(&one, "EVALSHA", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", 1);
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    put("the:key", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_REJECTED);
    ck_assert_ptr_nonnull(strstr(err.text, "the:key is refused: WRONGTYPE"));
    ck_assert_int_eq(settle(), WEIR_REJECTED);
    redis_outlet_forget(outlet);
    put("other", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
}
END_TEST

START_TEST(what_is_forgotten_is_not_waited_for_nor_sent_again)
{
    struct weir_outlet_standing standing;

    rule(&one, "EVALSHA", NULL, 1);
    start_for(50, "redis://127.0.0.1:%d", one.port);
    put("k", "1", "{}");
    await(&one, "EVALSHA", 1);
    put("l", "1", "{}");
    redis_outlet_forget(outlet);
    redis_outlet_look(outlet, &standing);
    ck_assert_uint_eq(standing.bytes, 0);
    put("m", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_int_ge(heard(&one, "EVALSHA"), 2);
    ck_assert_int_le(heard(&one, "EVALSHA"), 1 + (int)one.count); /* k; and m once on each connection */
    ck_assert(!said(&one, " 1 l "));
}
END_TEST

START_TEST(what_a_broken_connection_took_with_it_is_sent_again)
{
    rule(&one, "EVALSHA", "", 1);
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    put("k", "1", "{}");
    put("l", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_uint_eq(one.count, 2);
    ck_assert_int_ge(heard(&one, "EVALSHA"), 3);
}
END_TEST

START_TEST(without_memory_nothing_is_lost_or_leaked)
{
    for (uint64_t n = 1; n < 60; n++) {
        struct redis_setup setup;
        char               url[64];
        bool               opened;

        snprintf(url, sizeof(url), "redis://127.0.0.1:%d", one.port);
        setup = setup_of(url, 5000);
        weir__fail_allocation(n);
        opened = redis_outlet_open(&setup, 0, &outlet, &err) == WEIR_OK;
        if (opened) {
            struct market_version version = version_of("1");

            (void)redis_outlet_put(outlet, BYTES("k", 1), &version, (struct weir_text){ "{}", 2 });
            (void)redis_outlet_settle(outlet, 0, &err);
        }
        weir__fail_allocation(0);
        if (opened) {
            put("k", "2", "{}");
            for (int i = 0; i < 100 && redis_outlet_settle(outlet, 0, &err) == WEIR_NO_MEMORY; i++)
                ;
            ck_assert_int_eq(settle(), WEIR_OK);
        }
        redis_outlet_close(outlet);
        outlet = NULL;
        fake_close(&one);
        fake_open(&one);
    }
}
END_TEST

/* ---- clusters ---- */

/* All slots are the fake's. */
static const char *map_of(int port)
{
    static char replies[4][128];
    static int  turn;
    char       *reply = replies[turn++ % 4];

    snprintf(reply, sizeof(replies[0]), "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n", port);
    return reply;
}

static void owns_all(struct fake *fake, int port) { rule(fake, "CLUSTER SLOTS", map_of(port), -1); }

static char redirects[2][64];

static const char *redirect(int i, const char *how, int port)
{
    snprintf(redirects[i], sizeof(redirects[i]), "-%s 7629 127.0.0.1:%d\r\n", how, port); /* the slot of "k" */
    return redirects[i];
}

START_TEST(several_hosts_are_asked_for_the_map)
{
    owns_all(&one, two.port);
    owns_all(&two, two.port);
    start_for(5000, "redis://127.0.0.1:%d,127.0.0.1:%d", one.port, two.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_int_eq(heard(&one, "EVALSHA"), 0);
    ck_assert_int_eq(heard(&two, "EVALSHA"), 1);
    ck_assert_str_eq(why(), "");
}
END_TEST

START_TEST(a_key_that_moved_is_followed_and_the_map_renewed)
{
    owns_all(&one, two.port);
    owns_all(&two, two.port);
    rule(&one, "EVALSHA", redirect(0, "MOVED", two.port), -1);
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    put("k", "2", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_int_eq(heard(&one, "EVALSHA"), 1);
    ck_assert_int_eq(heard(&two, "EVALSHA"), 2);
    await(&one, "CLUSTER SLOTS", heard(&two, "CLUSTER SLOTS") > 0 ? 0 : 1);
}
END_TEST

/* A replica that was promoted a moment ago: it is asked again before the next map comes. */
START_TEST(a_node_that_the_map_does_not_have_stays_while_keys_are_there)
{
    rule(&one, "EVALSHA", redirect(0, "MOVED", two.port), -1);
    start_for(5000, "redis://127.0.0.1:%d", one.port);
    rule(&one, "CLUSTER SLOTS", NULL, -1); /* nor says it a word after the first map */
    rule(&two, "CLUSTER SLOTS", NULL, -1);
    rule(&one, "CLUSTER SLOTS", map_of(one.port), 1);
    for (int i = 1; i <= 3; i++) {
        put("k", "1", "{}");
        ck_assert_int_eq(settle(), WEIR_OK);
        ck_assert_int_ge(heard(&two, "EVALSHA"), i);
    }
}
END_TEST

START_TEST(a_key_that_is_moving_is_asked_for_once_elsewhere)
{
    owns_all(&one, one.port);
    owns_all(&two, one.port);
    rule(&one, "EVALSHA", redirect(0, "ASK", two.port), 1);
    start_for(5000, "redis://127.0.0.1:%d,127.0.0.1:%d", one.port, two.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert(said(&two, "ASKING\nEVALSHA "));
    put("k", "2", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_int_eq(heard(&one, "EVALSHA"), 2);
    ck_assert_int_eq(heard(&two, "ASKING"), 1);
}
END_TEST

START_TEST(two_nodes_that_send_to_each_other_are_left_alone_for_a_while)
{
    owns_all(&one, one.port);
    owns_all(&two, one.port);
    rule(&one, "EVALSHA", redirect(0, "MOVED", two.port), 20);
    rule(&two, "EVALSHA", redirect(1, "MOVED", one.port), 20);
    start_for(5000, "redis://127.0.0.1:%d,127.0.0.1:%d", one.port, two.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
}
END_TEST

START_TEST(a_node_that_is_gone_loses_its_slots)
{
    owns_all(&one, two.port);
    owns_all(&two, two.port);
    start_for(5000, "redis://127.0.0.1:%d,127.0.0.1:%d", one.port, two.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    rule(&two, "EVALSHA", "", -1);
    put("k", "2", "{}");
    await(&two, "EVALSHA", 2);
    owns_all(&one, one.port); /* the other has taken over */
    owns_all(&two, one.port);
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_int_eq(heard(&one, "EVALSHA"), 1);
}
END_TEST

START_TEST(a_cluster_without_all_slots_is_waited_for)
{
    owns_all(&one, one.port);
    rule(&one, "EVALSHA", "-CLUSTERDOWN Hash slot not served\r\n", 2);
    rule(&one, "CLUSTER SLOTS", "*0\r\n", 2);
    start_for(5000, "redis://127.0.0.1:%d,127.0.0.1:%d", one.port, two.port);
    owns_all(&two, one.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_OK);
    ck_assert_str_eq(why(), "");
}
END_TEST

START_TEST(servers_that_are_no_cluster_are_a_wrong_configuration)
{
    rule(&one, "CLUSTER SLOTS", "-ERR This instance has cluster support disabled\r\n", -1);
    rule(&two, "CLUSTER SLOTS", "-ERR This instance has cluster support disabled\r\n", -1);
    start_for(5000, "redis://127.0.0.1:%d,127.0.0.1:%d", one.port, two.port);
    put("k", "1", "{}");
    ck_assert_int_eq(settle(), WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "name one host"));
}
END_TEST

/* ---- the cache ---- */

static struct market_cache *cache;
#define TEXT(word) ((struct weir_text){ (word), strlen(word) })

static void open_cache(bool with_redis, size_t bytes)
{
    struct redis_setup setup = { 0 };
    char               url[64];

    snprintf(url, sizeof(url), "redis://127.0.0.1:%d", one.port);
    if (with_redis)
        setup = setup_of(url, 5000);
    ck_assert_int_eq(redis_cache_open(&setup, "metadata", 300000, bytes, &cache, &err), WEIR_OK);
}

static struct market_cache_counts counts(void)
{
    struct market_cache_counts now;

    market_cache_look(cache, &now);
    return now;
}

static void connect_cache(void)
{
    int64_t until = weir__monotonic_us() + 20000000;

    while (heard(&one, "PING") == 0 && weir__monotonic_us() < until) {
        ck_assert(counts().up); /* nothing is wrong meanwhile */
        fake_turn(&one);
    }
    ck_assert(counts().up);
}

START_TEST(a_cache_remembers_what_there_is_and_what_there_is_not)
{
    struct weir_text value;

    open_cache(false, 1 << 20);
    ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("a"), &value), MARKET_CACHE_UNKNOWN);
    market_cache_put(cache, TEXT("t"), TEXT("a"), TEXT("{\"x\":1}"));
    market_cache_put(cache, TEXT("t"), TEXT("b"), (struct weir_text){ NULL, 0 });
    ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("a"), &value), MARKET_CACHE_FOUND);
    ck_assert_int_eq(strncmp(value.data, "{\"x\":1}", value.size), 0);
    ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("b"), &value), MARKET_CACHE_NONE);
    ck_assert_int_eq(market_cache_get(cache, TEXT("t:a"), TEXT(""), &value), MARKET_CACHE_UNKNOWN);
    ck_assert_int_eq(market_cache_get(cache, TEXT("other"), TEXT("a"), &value), MARKET_CACHE_UNKNOWN);
    market_cache_close(cache);
}
END_TEST

START_TEST(a_cache_drops_what_was_not_used_for_the_longest_time)
{
    struct weir_text value;
    char             id[16];

    open_cache(false, 20000);
    market_cache_put(cache, TEXT("t"), TEXT("used"), TEXT("v"));
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "%d", i);
        market_cache_put(cache, TEXT("t"), TEXT(id), TEXT("v"));
        ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("used"), &value), MARKET_CACHE_FOUND);
    }
    ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("0"), &value), MARKET_CACHE_UNKNOWN);
    ck_assert_int_gt(counts().dropped, 700);
    market_cache_close(cache);
}
END_TEST

/* The server is another thread's work here: it has to answer while a lookup waits. */
static void *serve_one(void *stop)
{
    while (!__atomic_load_n((bool *)stop, __ATOMIC_ACQUIRE)) {
        fake_turn(&one);
        usleep(100);
    }
    return NULL;
}

START_TEST(what_another_process_looked_up_comes_from_redis)
{
    struct weir_text value = { NULL, 0 };
    bool             stop = false;
    pthread_t        thread;

    rule(&one, "GET metadata:t:none", "$4\r\nnull\r\n", -1);
    rule(&one, "GET metadata:t:away", "$-1\r\n", -1);
    open_cache(true, 1 << 20);
    connect_cache();
    ck_assert_int_eq(pthread_create(&thread, NULL, serve_one, &stop), 0);
    /* A lookup that came too late on a busy machine is remembered all the same. */
    for (int i = 0; i < 20000 && market_cache_get(cache, TEXT("t"), TEXT("a"), &value) != MARKET_CACHE_FOUND; i++)
        usleep(1000);
    ck_assert_uint_eq(value.size, 1);
    for (int i = 0; i < 20000 && market_cache_get(cache, TEXT("t"), TEXT("none"), &value) != MARKET_CACHE_NONE; i++)
        usleep(1000);
    for (int i = 0; i < 20000 && market_cache_get(cache, TEXT("t"), TEXT("away"), &value) != MARKET_CACHE_UNKNOWN;
         i++)
        usleep(1000);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    ck_assert_int_ge(heard(&one, "GET metadata:t:a\n"), 1);
    ck_assert_int_ge(heard(&one, "GET metadata:t:away\n"), 1);
    ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("a"), &value),
                     MARKET_CACHE_FOUND); /* nobody serves now */
    ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("none"), &value), MARKET_CACHE_NONE);
    market_cache_close(cache);
}
END_TEST

START_TEST(what_was_looked_up_is_there_for_others)
{
    open_cache(true, 1 << 20);
    for (int i = 0; i < 20000 && heard(&one, "SET metadata:t:b") == 0; i++) {
        market_cache_put(cache, TEXT("t"), TEXT("a"), TEXT("{\"x\":1}"));
        market_cache_put(cache, TEXT("t"), TEXT("b"), (struct weir_text){ NULL, 0 });
        (void)counts();
        fake_turn(&one);
    }
    ck_assert(said(&one, "SET metadata:t:a {\"x\":1} PX 300000\n"));
    ck_assert(said(&one, "SET metadata:t:b null PX 300000 NX\n")); /* what somebody found stays */
    market_cache_close(cache);
}
END_TEST

START_TEST(a_redis_that_does_not_answer_is_left_alone)
{
    struct weir_text value;

    rule(&one, "GET", NULL, -1);
    open_cache(true, 1 << 20);
    connect_cache();
    for (int i = 0; i < 20000 && heard(&one, "GET") == 0; i++) {
        ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("a"), &value), MARKET_CACHE_AWAY);
        fake_turn(&one);
    }
    ck_assert_int_ge(heard(&one, "GET"), 1);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(market_cache_get(cache, TEXT("t"), TEXT("a"), &value), MARKET_CACHE_AWAY);
    fake_turn(&one);
    ck_assert_int_le(heard(&one, "GET"), 8); /* the pauses double: a ninth comes after 25 s */
    market_cache_close(cache);
}
END_TEST

/* ---- all ---- */

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("redis");
    TCase *parts = add_case(suite, "parts"), *talk = add_case(suite, "talk"), *nodes = add_case(suite, "nodes");
    TCase *caches = add_case(suite, "cache");

    tcase_add_test(parts, an_address_has_user_password_hosts_and_database);
    tcase_add_loop_test(parts, a_wrong_address_is_refused_without_its_secrets, 0, ARRAY_SIZE(wrong_addresses));
    tcase_add_test(parts, slots_are_those_of_redis);
    tcase_add_test(parts, versions_order_by_their_first_difference);
    tcase_add_test(parts, a_version_is_made_of_numbers_and_bytes);
    tcase_add_test(parts, parts_of_keys_never_run_into_each_other);
    tcase_add_test(parts, redis_and_the_store_agree_on_the_latest_price);
    tcase_add_test(parts, spreads_statistics_and_curves_have_keys_and_versions);
    tcase_add_test(parts, a_deletion_has_the_version_of_what_it_takes_away);
    tcase_add_test(parts, versions_go_by_rebuild_then_epoch_time_revision);
    tcase_add_test(talk, the_greeting_says_who_and_where_and_brings_the_script);
    tcase_add_loop_test(talk, what_will_never_be_taken_is_a_wrong_configuration, 0, ARRAY_SIZE(refusals));
    tcase_add_loop_test(talk, what_passes_is_waited_out, 0, ARRAY_SIZE(hindrances));
    tcase_add_test(talk, a_script_that_is_not_known_is_sent_whole);
    tcase_add_test(talk, a_silent_server_is_called_again);
    tcase_add_test(talk, who_was_away_reads_before_he_blames);
    tcase_add_test(talk, an_answer_without_end_is_cut_off);
    tcase_add_test(talk, no_server_is_said_by_name);
    tcase_add_test(talk, of_several_puts_the_newest_is_sent);
    tcase_add_test(talk, nothing_is_settled_at_once);
    tcase_add_test(talk, a_refused_record_is_told_until_it_is_given_up);
    tcase_add_test(talk, what_is_forgotten_is_not_waited_for_nor_sent_again);
    tcase_add_test(talk, what_a_broken_connection_took_with_it_is_sent_again);
    tcase_add_test(talk, without_memory_nothing_is_lost_or_leaked);
    tcase_add_test(nodes, several_hosts_are_asked_for_the_map);
    tcase_add_test(nodes, a_key_that_moved_is_followed_and_the_map_renewed);
    tcase_add_test(nodes, a_node_that_the_map_does_not_have_stays_while_keys_are_there);
    tcase_add_test(nodes, a_key_that_is_moving_is_asked_for_once_elsewhere);
    tcase_add_test(nodes, two_nodes_that_send_to_each_other_are_left_alone_for_a_while);
    tcase_add_test(nodes, a_node_that_is_gone_loses_its_slots);
    tcase_add_test(nodes, a_cluster_without_all_slots_is_waited_for);
    tcase_add_test(nodes, servers_that_are_no_cluster_are_a_wrong_configuration);
    tcase_add_test(caches, a_cache_remembers_what_there_is_and_what_there_is_not);
    tcase_add_test(caches, a_cache_drops_what_was_not_used_for_the_longest_time);
    tcase_add_test(caches, what_another_process_looked_up_comes_from_redis);
    tcase_add_test(caches, what_was_looked_up_is_there_for_others);
    tcase_add_test(caches, a_redis_that_does_not_answer_is_left_alone);
    return run_suite(suite);
}
