/* main.c: the Redis outlet and cache without a topology: does what lines of standard input say, and answers each with a line.
 *
 *     build/test/redis/redis URL [CA-FILE [TIMEOUT-MS [TTL-MS]]]    REDIS_CERT, REDIS_KEY: files of our own certificate
 *
 *     put KEY VERSION JSON     settled later: "ok"
 *     gone KEY VERSION         takes a key away
 *     many PREFIX FROM TO VERSION   puts PREFIX0 ... of {"n":0} ...
 *     shuffle PREFIX KEYS VERSIONS SEED   each version of each key once, in an order of the seed's, settled after each 50
 *     settle MS                "settled", "not yet", or the refusal in words
 *     serve MS                 as the runtime does while nothing comes
 *     look                     "up" or "down", bytes, and why
 *     forget
 *     watch PREFIX KEYS MS     reads all keys again and again: how often a version went back
 *     bench UPDATES KEYS       put and settled each 5,000: updates a second, CPU of each
 */
#include "topologies/redis/internal.h"

#include <signal.h>
#include <stdlib.h>

static struct redis_outlet *outlet;
static struct redis_setup   setup; /* but for the target */
static const char          *url;

static void stop(const struct weir_error *err)
{
    printf("refused %s: %s: %s\n", weir_code_name(err->code), err->where, err->text);
    exit(1);
}

static struct redis_setup make_setup(void)
{
    struct redis_setup made = setup;
    struct weir_error  err;

    if (redis_target_read(&made.target, url, NULL, &err) < 0)
        stop(&err);
    return made;
}

static struct market_version version_of(const char *text)
{
    struct market_version version = { .size = strlen(text) };

    CHECK(version.size < sizeof(version.text));
    memcpy(version.text, text, version.size);
    return version;
}

static void put(const char *key, const char *version, const char *json)
{
    struct market_version put_version = version_of(version);
    struct weir_text      value = { json, json != NULL ? strlen(json) : 0 };

    CHECK(redis_outlet_put(outlet, BYTES(key, strlen(key)), &put_version, value) == WEIR_OK);
}

static const char *settled(int64_t wait_ms, char *words, size_t size)
{
    struct weir_error err;
    int               code = redis_outlet_settle(outlet, wait_ms, &err);

    if (code == WEIR_OK)
        return "settled";
    if (code == WEIR_AGAIN)
        return "not yet";
    snprintf(words, size, "%s: %s: %s", weir_code_name(code), err.where, err.text);
    return words;
}

static void serve(int64_t ms)
{
    for (int64_t until = weir__monotonic_us() + ms * 1000; weir__monotonic_us() < until;) {
        struct weir_error err;

        redis_outlet_serve(outlet);
        (void)redis_outlet_settle(outlet, 1, &err);
    }
}

static void look(void)
{
    struct weir_outlet_standing standing;

    redis_outlet_serve(outlet);
    redis_outlet_look(outlet, &standing);
    printf("%s %zu %s\n", standing.up ? "up" : "down", standing.bytes, standing.up ? "" : standing.why);
}

static void many(const char *prefix, long from, long to, const char *version)
{
    char key[200], json[64];

    for (long n = from; n < to; n++) {
        snprintf(key, sizeof(key), "%s%ld", prefix, n);
        snprintf(json, sizeof(json), "{\"n\":%ld}", n);
        put(key, version, json);
    }
}

static void shuffle(const char *prefix, long keys, long versions, unsigned seed)
{
    long *order = calloc((size_t)(keys * versions), sizeof(*order)), count = keys * versions;
    char  key[200], version[32], words[900];

    CHECK(order != NULL);
    for (long i = 0; i < count; i++)
        order[i] = i;
    for (long i = count - 1; i > 0; i--) {
        long other = rand_r(&seed) % (i + 1), kept = order[i];

        order[i] = order[other];
        order[other] = kept;
    }
    for (long i = 0; i < count; i++) {
        snprintf(key, sizeof(key), "%s%ld", prefix, order[i] % keys);
        snprintf(version, sizeof(version), "1,%ld", order[i] / keys);
        put(key, version, "{}");
        if (i % 50 == 49)
            CHECK(strcmp(settled(60000, words, sizeof(words)), "settled") == 0);
    }
    free(order);
    printf("%s\n", settled(60000, words, sizeof(words)));
}

/* ---- reading ---- */

struct watched {
    struct market_version version;
    long                 *back;
};

static void on_value(void *arg, const redisReply *reply)
{
    static const char     begin[] = "{\"version\":\"";
    struct watched       *watched = arg;
    struct market_version now = { .size = 0 };

    if (reply != NULL && reply->type == REDIS_REPLY_STRING && strncmp(reply->str, begin, strlen(begin)) == 0) {
        now.size = strcspn(reply->str + strlen(begin), "\"");
        memcpy(now.text, reply->str + strlen(begin), now.size);
    }
    *watched->back += market_version_compare(&now, &watched->version) < 0;
    watched->version = now;
}

static void watch(const char *prefix, long keys, int64_t ms)
{
    struct redis_setup   made = make_setup();
    struct redis_client *client;
    struct watched      *watched = calloc((size_t)keys, sizeof(*watched));
    long                 back = 0, looks = 0;
    struct weir_error    err;
    char                 key[200];

    CHECK(watched != NULL);
    if (redis_client_open(&made, &client, &err) < 0)
        stop(&err);
    for (int64_t until = weir__monotonic_us() + ms * 1000; weir__monotonic_us() < until; looks++) {
        for (long n = 0; n < keys; n++) {
            size_t size = (size_t)snprintf(key, sizeof(key), "%s%ld", prefix, n);

            watched[n].back = &back;
            CHECK(redis_client_ask(client, BYTES(key, size), (struct redis_word[]){ { "GET", 3 }, { key, size } }, 2,
                                   on_value, &watched[n]) == WEIR_OK);
        }
        while (redis_client_count(client) > 0)
            redis_client_turn(client, weir__monotonic_us() + 100000);
    }
    redis_client_close(client);
    free(watched);
    printf("looks %s back %ld\n", looks > 0 ? "some" : "none", back);
}

static void bench(long updates, long keys)
{
    static const char json[] =
        "{\"tenant_id\":\"default\",\"instrument_id\":\"PJM.WESTERN.HUB\",\"market\":\"PJM\",\"price\":31.25,"
        "\"volume\":null,\"currency\":\"USD\",\"unit\":\"MWh\",\"epoch\":1,\"event_time\":1746057600000000,"
        "\"sequence\":0,\"revision\":1,\"quality_flags\":[\"valid\"],\"source_system\":\"file\"}";
    int64_t begun = weir__monotonic_us(), cpu = weir__cpu_us();
    char    key[200], version[128], words[900];

    for (long n = 0; n < updates; n++) {
        snprintf(key, sizeof(key), "served:latest_price:default:BENCH.%ld", n % keys);
        snprintf(version, sizeof(version), "1,%ld,0,0123456789abcdef0123456789abcdef,1,1,1746057600000000", n);
        put(key, version, json);
        redis_outlet_serve(outlet);
        if (n % 5000 == 4999 || n == updates - 1)
            CHECK(strcmp(settled(60000, words, sizeof(words)), "settled") == 0);
    }
    printf("%.0f updates a second, %.2f us of CPU each\n",
           (double)updates * 1e6 / (double)(weir__monotonic_us() - begun),
           (double)(weir__cpu_us() - cpu) / (double)updates);
}

/* One line; false: it is none. */
static bool take(char *line)
{
    char *word[6] = { NULL }, *rest = line, words[900];
    int   count = 0;

    while (count < 5 && (word[count] = strsep(&rest, " ")) != NULL)
        count++;
    if (strcmp(word[0], "put") == 0 && count >= 4)
        put(word[1], word[2], word[3]);
    else if (strcmp(word[0], "gone") == 0 && count == 3)
        put(word[1], word[2], NULL);
    else if (strcmp(word[0], "many") == 0 && count == 5)
        many(word[1], atol(word[2]), atol(word[3]), word[4]);
    else if (strcmp(word[0], "forget") == 0)
        redis_outlet_forget(outlet);
    else if (strcmp(word[0], "serve") == 0 && count == 2)
        serve(atol(word[1]));
    else if (strcmp(word[0], "settle") == 0 && count == 2)
        return puts(settled(atol(word[1]), words, sizeof(words))) >= 0;
    else if (strcmp(word[0], "shuffle") == 0 && count == 5)
        return shuffle(word[1], atol(word[2]), atol(word[3]), (unsigned)atol(word[4])), true;
    else if (strcmp(word[0], "watch") == 0 && count == 4)
        return watch(word[1], atol(word[2]), atol(word[3])), true;
    else if (strcmp(word[0], "bench") == 0 && count == 3)
        return bench(atol(word[1]), atol(word[2])), true;
    else if (strcmp(word[0], "look") == 0)
        return look(), true;
    else
        return false;
    puts("ok");
    return true;
}

int main(int argc, char **argv)
{
    struct redis_setup made;
    struct weir_error  err;
    char              *line = NULL;
    size_t             room = 0;
    ssize_t            size;

    signal(SIGPIPE, SIG_IGN); /* as weir_main does: a server that is killed is an error of the write */
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK(argc >= 2);
    url = argv[1];
    setup.trust = (struct weir__tls_files){ argc > 2 ? argv[2] : NULL, getenv("REDIS_CERT"), getenv("REDIS_KEY") };
    setup.timeout_ms = argc > 3 ? atol(argv[3]) : 1000;
    made = make_setup();
    if (redis_outlet_open(&made, argc > 4 ? atol(argv[4]) : 3600000, &outlet, &err) < 0)
        stop(&err);
    while ((size = getline(&line, &room, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (!take(line))
            printf("what is \"%s\"?\n", line);
    }
    free(line);
    redis_outlet_close(outlet);
    return 0;
}
