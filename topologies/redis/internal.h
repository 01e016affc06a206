/* internal.h: the Redis client, as its own files, the outlet and the cache see it.
 *
 * (1) A client belongs to one thread and does everything within its caller's turns: no thread of its own but for looking up names.
 * (2) A request is in one queue at a time: ready or later (of the client), waiting or sent (of a connection to a node).
 * (3) A request stays until it is answered or given up: what a broken connection took with it is sent again.
 * (4) No words that leave here hold a password, nor the URL, which may hold one.
 */
#ifndef MARKET_REDIS_INTERNAL_H
#define MARKET_REDIS_INTERNAL_H

#include <hiredis/hiredis.h>

#include "framework/tls/tls.h"
#include "topologies/redis/redis.h"

/* ---- where to (url.c) ---- */

struct redis_host {
    char *name;
    int   port;
};

struct redis_target {
    struct redis_host *hosts; /* several: nodes of a cluster */
    size_t             host_count, host_capacity;
    char              *user, *password; /* NULL = none */
    int64_t            db;
    bool               tls;
};

/* redis://[user[:password]@]host[:port][,host[:port]...][/db], rediss:// for TLS. password: given apart; NULL = not.
 * WEIR_BAD_CONFIG, WEIR_NO_MEMORY; after either, too, target is for fini. */
int  redis_target_read(struct redis_target *target, const char *url, const char *password, struct weir_error *reterr);
void redis_target_fini(struct redis_target *target);
/* "host:port" as a cluster says it: the last colon parts them; an IPv6 address may stand in brackets. false: it is none. */
bool redis_host_read(struct weir_text text, struct redis_host *ret);

/* ---- slots (slots.c) ---- */

enum { REDIS_SLOTS = 16384, REDIS_NO_SLOT = REDIS_SLOTS };
unsigned redis_slot(struct weir_bytes key);

/* ---- TLS ---- */

extern const struct weir__tls_files redis_tls_names; /* the settings that its files are given by */

/* ---- names (resolve.c): looked up by a thread that may be left behind ---- */

struct event_base;
struct addrinfo;
struct redis_lookup;
/* done is called in a turn of base, once, unless it is given up before. NULL = out of memory or threads. */
struct redis_lookup *redis_lookup_begin(struct event_base *base, const char *host, int port, void (*done)(void *arg),
                                        void *arg);
/* 0 and addresses that live as long as the lookup; or getaddrinfo's code. After done. */
int  redis_lookup_result(const struct redis_lookup *lookup, const struct addrinfo **ret);
void redis_lookup_end(struct redis_lookup *lookup);

/* ---- requests ---- */

/* reply NULL: there will be none. The reply is freed afterwards. */
typedef void redis_answer(void *arg, const redisReply *reply);

struct redis_request {
    struct redis_request *next;
    char                 *bytes; /* of the command, by hiredis */
    size_t                size;
    redis_answer         *answer; /* NULL: nobody waits for it */
    void                 *arg;
    unsigned              slot;  /* REDIS_NO_SLOT: of a connection's own, never sent again */
    unsigned              moves; /* how often a node sent it on */
    bool                  asking;
    int64_t               due; /* in the queue of those for later, us */
};

struct redis_queue {
    struct redis_request *first, *last;
    size_t                count;
};
void                  redis_queue_add(struct redis_queue *queue, struct redis_request *request);
struct redis_request *redis_queue_take(struct redis_queue *queue); /* NULL = empty */
void                  redis_queue_move(struct redis_queue *from, struct redis_queue *to);

struct redis_word {
    const void *data;
    size_t      size;
};
struct redis_request *redis_request_new(unsigned slot, const struct redis_word *words, int count,
                                        redis_answer *answer, void *arg);
void                  redis_request_free(struct redis_request *request);
size_t                redis_request_bytes(const struct redis_request *request);

/* ---- a connection to a node (link.c) ---- */

struct bufferevent;
enum redis_state { REDIS_DOWN, REDIS_NAMING, REDIS_CONNECTING, REDIS_GREETING, REDIS_UP };

struct redis_link {
    struct redis_client *client;
    char                *host, *name; /* name: "host:port", for words */
    int                  port;
    bool                 seed, mapped; /* of the configuration; of the map of slots */
    enum redis_state     state;
    struct redis_lookup *lookup;
    size_t               turn; /* which of the host's addresses is tried */
    struct bufferevent  *bev;
    redisReader         *reader;
    struct redis_queue   waiting, sent;
    int64_t              since;    /* in this state, or the last sign of life while requests are sent, us */
    int64_t              retry_at; /* DOWN, us */
    int64_t              backoff;  /* us */
    bool                 broken;   /* to be taken down at the next step */
    char                 why[512]; /* not UP; "" = nothing has gone wrong yet */
};

struct redis_link *redis_link_new(struct redis_client *client, const struct redis_host *host);
/* Its queues are empty. */
void redis_link_free(struct redis_link *link);
/* Does what is due: connects where it is wanted, gives up, sends. Returns when it needs the next step, us. */
int64_t redis_link_step(struct redis_link *link, bool wanted, int64_t now);
/* Sends a command of the client's own on a link that is UP: answer's arg is the link. WEIR_NO_MEMORY. */
int redis_link_ask(struct redis_link *link, const struct redis_word *words, int count, redis_answer *answer);
/* Marks it broken, in words. */
void redis_link_break(struct redis_link *link, const char *format, ...) WEIR_PRINTF(2, 3);

/* ---- the client (client.c) ---- */

struct redis_setup {
    struct redis_target    target; /* taken over by open, in success and failure */
    struct weir__tls_files trust;
    const char            *script;     /* made known to each connection; NULL = none */
    int64_t                timeout_ms; /* of a connection, of an answer */
    bool                   marked;     /* the outlet looks whether what was put is still there */
};

int  redis_client_open(struct redis_setup *setup, struct redis_client **ret, struct weir_error *reterr);
void redis_client_close(struct redis_client *client);
/* Sends a command about key, now or when it can be. answer is called once, from a turn: with the reply, which is no error that the
 * client heals by itself; with NULL when the client closes. WEIR_NO_MEMORY. */
int redis_client_ask(struct redis_client *client, struct weir_bytes key, const struct redis_word *words, int count,
                     redis_answer *answer, void *arg);
/* Does what can be done; waits until something has happened or it is that time, monotonic us; a past time: does not wait. */
void redis_client_turn(struct redis_client *client, int64_t until);
/* Gives up everything that was asked: no answer will be called for it. */
void redis_client_forget(struct redis_client *client);
/* Bytes of what is asked and not answered; how many requests. */
size_t redis_client_bytes(const struct redis_client *client);
size_t redis_client_count(const struct redis_client *client);
/* WEIR_OK; WEIR_BAD_CONFIG: it will not be served so, in words. */
int redis_client_fault(const struct redis_client *client, struct weir_error *reterr);
/* Nothing is wrong, as far as is known; else *why, until the next turn. */
bool redis_client_up(struct redis_client *client, const char **why);
/* It is connected: a question may be answered soon. */
bool redis_client_connected(const struct redis_client *client);

/* What connections need of their client, and tell it. */
struct redis_surroundings {
    const struct redis_setup *setup;
    struct event_base        *base;
    struct ssl_ctx_st        *tls; /* NULL = none */
};
struct redis_surroundings redis_client_surroundings(const struct redis_client *client);
/* Takes the request over. */
void redis_client_answered(struct redis_client *client, struct redis_link *link, struct redis_request *request,
                           const redisReply *reply);
/* Takes over what waits for the connection and what was sent on it. */
void redis_client_lost(struct redis_client *client, struct redis_link *link);
/* It will not be served so: link->why. */
void redis_client_refused(struct redis_client *client, const struct redis_link *link);
void redis_client_greeted(struct redis_client *client);

/* ---- what a server's refusal asks for (errors.c) ---- */

enum redis_cure {
    REDIS_NONE,      /* it is the command's own: whoever asked decides */
    REDIS_LATER,     /* the same again, later */
    REDIS_REMAP,     /* the same, and the map of slots is old */
    REDIS_RECONNECT, /* the same, on a new connection */
    REDIS_MOVED,     /* another node has the slot */
    REDIS_ASK,       /* another node has the key already */
    REDIS_NEVER,     /* the configuration is wrong */
};
enum redis_cure redis_error_cure(const redisReply *reply, const char **ret_remedy);

/* ---- a value under a version (script.c) ---- */

/* Lua. KEYS: the value's key. ARGV: version, value, time to live in ms (0 = for ever), "1" where the value says that the key is
 * taken away. Gives 1, or 0 where what is there is newer. */
extern const char redis_script[];
enum { REDIS_SHA_BYTES = 41 };
/* As EVALSHA wants it. */
void redis_script_sha(char ret[REDIS_SHA_BYTES]);

/* ---- what is still there (marks.c) ---- */

enum { REDIS_MARKS = 16 };
struct redis_marks {
    int64_t at; /* of the next look, us */
    struct redis_mark {
        size_t   n;
        bool     made;    /* it was missing */
        unsigned pending; /* requests without an answer */
    } items[REDIS_MARKS];
};
/* Where it is time for that; answers come in turns, until the marks end. */
void redis_marks_look(struct redis_marks *marks, struct redis_client *client);
void redis_marks_forget(struct redis_marks *marks); /* as redis_client_forget has */

/* ---- the outlet without a topology (outlet.c) ---- */

struct redis_outlet;
int  redis_outlet_open(struct redis_setup *setup, int64_t ttl_ms, struct redis_outlet **ret,
                       struct weir_error *reterr);
void redis_outlet_close(struct redis_outlet *outlet);
/* json: an object; "version" is put in front. data NULL: the key is taken away, which {"version":"...","deleted":true} says for a moment. WEIR_NO_MEMORY. */
int  redis_outlet_put(struct redis_outlet *outlet, struct weir_bytes key, const struct market_version *version,
                      struct weir_text json);
void redis_outlet_serve(struct redis_outlet *outlet);
int  redis_outlet_settle(struct redis_outlet *outlet, int64_t wait_ms, struct weir_error *reterr);
void redis_outlet_forget(struct redis_outlet *outlet);
void redis_outlet_look(struct redis_outlet *outlet, struct weir_outlet_standing *ret);

/* ---- the cache without settings (cache.c) ---- */

/* A setup without hosts: this process alone. */
int redis_cache_open(struct redis_setup *setup, const char *kind, int64_t ttl_ms, size_t bytes,
                     struct market_cache **ret, struct weir_error *reterr);

/* ---- keys (served.c) ---- */

/* Adds ":" and the part, percent-encoded where it has a colon, a percent sign, a brace, a space or a control character. */
void redis_key_part(struct weir__buf *key, struct weir_text part);

/* ---- settings (door.c) ---- */

/* WEIR_NOTHING: redis.url is not set. WEIR_BAD_CONFIG, WEIR_NO_MEMORY. */
int redis_setup_read(struct redis_setup *setup, const struct weir_settings *settings, struct weir_error *reterr);

#endif
