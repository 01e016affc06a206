/* errors.c: what the error replies of servers ask of the client, and what they ask of people. */
#include "topologies/redis/internal.h"

#define RIGHTS \
    "allow its user the keys served:* (the cache: metadata:*) with +@read +@write +@scripting +@connection +cluster|slots"
#define WRAPPED "ERR Error running script"

static const struct row {
    const char     *begin;
    enum redis_cure cure;
    const char     *remedy;
} rows[] = {
    { "MOVED ", REDIS_MOVED, "" },
    { "ASK ", REDIS_ASK, "" },
    { "TRYAGAIN", REDIS_LATER, "it is moving the slot of this key" },
    { "CLUSTERDOWN", REDIS_REMAP, "its cluster does not serve all slots: see \"redis-cli cluster info\"" },
    { "LOADING", REDIS_LATER, "it serves when its data is read" },
    { "MASTERDOWN", REDIS_LATER, "it is a replica without its primary" },
    { "BUSY ", REDIS_LATER, "somebody's script runs: see \"redis-cli script kill\"" },
    { "OOM ", REDIS_LATER, "its maxmemory is reached: raise it, or set maxmemory-policy to allkeys-lru" },
    { "MISCONF", REDIS_LATER, "it cannot write its snapshot: look at its disk and its log" },
    { "NOREPLICAS", REDIS_LATER, "it wants replicas that are not there: see min-replicas-to-write" },
    { "ERR max number of clients", REDIS_RECONNECT, "raise maxclients" },
    { "DENIED", REDIS_RECONNECT, "it takes connections from its own machine alone: give it a password" },
    { "READONLY", REDIS_RECONNECT, "it is a replica: name the primary in redis.url" },
    { "NOAUTH", REDIS_NEVER, "it wants a password: set redis.password, or user and password in redis.url" },
    { "WRONGPASS", REDIS_NEVER, "user or password is wrong: look at redis.password and redis.url" },
    { "ERR invalid password", REDIS_NEVER, "the password is wrong: look at redis.password and redis.url" },
    { "ERR AUTH", REDIS_NEVER, "it has no password: take it away from redis.password and redis.url" },
    { "ERR Client sent AUTH", REDIS_NEVER, "it has no password: take it away from redis.password and redis.url" },
    { "ERR wrong number of arguments for 'auth'", REDIS_NEVER, "it knows no users: give the password alone" },
    { "NOPERM", REDIS_NEVER, RIGHTS },
    { "The user executing the script can't", REDIS_NEVER, RIGHTS },
    { "ERR DB index", REDIS_NEVER, "it has no such database: take another number in redis.url" },
    { "ERR invalid DB index", REDIS_NEVER, "it has no such database: take another number in redis.url" },
    { "ERR SELECT is not allowed in cluster", REDIS_NEVER, "a cluster has no other database than 0: see redis.url" },
    { "ERR This instance has cluster support disabled", REDIS_NEVER,
      "several hosts in redis.url are nodes of one cluster, and this is none: name one host" },
};

/* Servers before 7 wrap what a script met: "ERR Error running script (call to f_4e..): @user_script:23: @user_script: 23:
 * -OOM command not allowed ...", of another user's rights without the dash. */
static const char *words_of(const char *text)
{
    const char *words = text;

    if (strncmp(text, WRAPPED, strlen(WRAPPED)) == 0)
        for (const char *at = text; (at = strstr(at, ": ")) != NULL; at += 2)
            words = at + 2 + (at[2] == '-');
    return words;
}

enum redis_cure redis_error_cure(const redisReply *reply, const char **ret_remedy)
{
    const char *words = words_of(reply->str);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strncmp(words, rows[i].begin, strlen(rows[i].begin)) == 0) {
            *ret_remedy = rows[i].remedy;
            return rows[i].cure;
        }
    }
    return REDIS_NONE;
}
