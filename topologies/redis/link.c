/* link.c: a connection to a node: its name, its socket, TLS, the greeting, what is sent and what is answered.
 *
 * (1) Answers come in the order of what was sent: the first request of `sent` is the one that an answer belongs to.
 * (2) Callbacks of libevent mark a broken connection; it is taken down at the next step, outside of them.
 * (3) A node that says nothing for as long as the time-out while something is asked of it is broken.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "topologies/redis/internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>

enum { MOST_SENT = 4096 };
#define MOST_OUTPUT   ((size_t)256 << 10)
#define MOST_REPLY    ((size_t)16 << 20) /* in one piece: a value, a map of slots */
#define BACKOFF_FIRST INT64_C(50000)
#define BACKOFF_MOST  INT64_C(2000000)
#define BACKOFF_WRONG INT64_C(1000000) /* where the node will hardly change its mind */

struct redis_link *redis_link_new(struct redis_client *client, const struct redis_host *host)
{
    struct redis_link *link = weir__zalloc(sizeof(*link));
    size_t             size = strlen(host->name) + 16;

    if (link == NULL)
        return NULL;
    link->client = client;
    link->port = host->port;
    link->backoff = BACKOFF_FIRST;
    link->host = weir__strdup(host->name);
    link->name = weir__alloc(size);
    if (link->host == NULL || link->name == NULL) {
        redis_link_free(link);
        return NULL;
    }
    snprintf(link->name, size, strchr(link->host, ':') != NULL ? "[%s]:%d" : "%s:%d", link->host, link->port);
    return link;
}

/* Ends what belongs to the connection, not what was asked. */
static void hang_up(struct redis_link *link)
{
    redis_lookup_end(link->lookup);
    link->lookup = NULL;
    if (link->bev != NULL)
        bufferevent_free(link->bev);
    link->bev = NULL;
    if (link->reader != NULL)
        redisReaderFree(link->reader);
    link->reader = NULL;
}

void redis_link_free(struct redis_link *link)
{
    if (link == NULL)
        return;
    hang_up(link);
    weir__free(link->host);
    weir__free(link->name);
    weir__free(link);
}

void redis_link_break(struct redis_link *link, const char *format, ...)
{
    va_list args;

    if (link->broken)
        return;
    link->broken = true;
    va_start(args, format);
    vsnprintf(link->why, sizeof(link->why), format, args);
    va_end(args);
}

static void enter(struct redis_link *link, enum redis_state state)
{
    link->state = state;
    link->since = weir__monotonic_us();
}

/* ---- down ---- */

/* Requests of the connection's own end with it. */
static void end_own(struct redis_link *link)
{
    struct redis_queue    kept = { 0 };
    struct redis_request *request;

    while ((request = redis_queue_take(&link->sent)) != NULL) {
        if (request->slot != REDIS_NO_SLOT) {
            redis_queue_add(&kept, request);
            continue;
        }
        if (request->answer != NULL)
            request->answer(request->arg, NULL);
        redis_request_free(request);
    }
    link->sent = kept;
}

static void take_down(struct redis_link *link, int64_t now)
{
    hang_up(link);
    link->broken = false;
    end_own(link);
    enter(link, REDIS_DOWN);
    link->retry_at = now + link->backoff + now % (link->backoff / 4 + 1); /* not all at once */
    link->backoff = MIN(2 * link->backoff, BACKOFF_MOST);
    link->turn++;
    redis_client_lost(link->client, link);
}

/* ---- sending ---- */

static void send_bytes(struct redis_link *link, struct redis_request *request)
{
    if (bufferevent_write(link->bev, request->bytes, request->size) < 0)
        redis_link_break(link, "%s", weir_code_text(WEIR_NO_MEMORY));
    if (link->sent.count == 0)
        link->since = weir__monotonic_us();
    redis_queue_add(&link->sent, request);
}

int redis_link_ask(struct redis_link *link, const struct redis_word *words, int count, redis_answer *answer)
{
    struct redis_request *request = redis_request_new(REDIS_NO_SLOT, words, count, answer, link);

    if (request == NULL)
        return WEIR_NO_MEMORY;
    send_bytes(link, request);
    return WEIR_OK;
}

static void send_own(struct redis_link *link, const struct redis_word *words, int count, redis_answer *answer)
{
    if (redis_link_ask(link, words, count, answer) < 0)
        redis_link_break(link, "%s", weir_code_text(WEIR_NO_MEMORY));
}

#define WORD(text)           \
    {                        \
        (text), strlen(text) \
    }

static void flush(struct redis_link *link)
{
    static const struct redis_word asking[] = { { "ASKING", 6 } };
    struct evbuffer               *output = bufferevent_get_output(link->bev);

    while (link->waiting.count > 0 && link->sent.count < MOST_SENT && evbuffer_get_length(output) < MOST_OUTPUT) {
        struct redis_request *request = redis_queue_take(&link->waiting);

        if (request->asking)
            send_own(link, asking, 1, NULL);
        send_bytes(link, request);
    }
}

/* ---- the greeting: who we are, which database, the script; PING's answer ends it ---- */

/* The words of an error reply and what helps, for link->why. */
static void fail_greeting(struct redis_link *link, const redisReply *reply)
{
    const char     *remedy = "";
    enum redis_cure cure = redis_error_cure(reply, &remedy);

    redis_link_break(link, "%.200s%s%s", reply->str, remedy[0] != '\0' ? ": " : "", remedy);
    if (cure != REDIS_NEVER)
        return;
    link->backoff = MAX(link->backoff, BACKOFF_WRONG);
    redis_client_refused(link->client, link);
}

static void on_greeting(void *arg, const redisReply *reply)
{
    struct redis_link *link = arg;

    if (reply != NULL && reply->type == REDIS_REPLY_ERROR && !link->broken)
        fail_greeting(link, reply);
}

/* A user that may not PING may still do what we need. */
static void on_pong(void *arg, const redisReply *reply)
{
    struct redis_link *link = arg;

    if (reply == NULL || link->broken)
        return;
    if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) != 0) {
        fail_greeting(link, reply);
        return;
    }
    link->backoff = BACKOFF_FIRST;
    link->why[0] = '\0';
    enter(link, REDIS_UP);
    redis_client_greeted(link->client);
}

static void greet(struct redis_link *link)
{
    const struct redis_setup  *setup = redis_client_surroundings(link->client).setup;
    const struct redis_target *target = &setup->target;
    char                       db[24];

    enter(link, REDIS_GREETING);
    if (target->password != NULL && target->user != NULL)
        send_own(link, (struct redis_word[]){ WORD("AUTH"), WORD(target->user), WORD(target->password) }, 3,
                 on_greeting);
    else if (target->password != NULL)
        send_own(link, (struct redis_word[]){ WORD("AUTH"), WORD(target->password) }, 2, on_greeting);
    snprintf(db, sizeof(db), "%lld", (long long)target->db);
    if (target->db != 0)
        send_own(link, (struct redis_word[]){ WORD("SELECT"), WORD(db) }, 2, on_greeting);
    if (setup->script != NULL) /* where it is refused, EVAL brings it */
        send_own(link, (struct redis_word[]){ WORD("SCRIPT"), WORD("LOAD"), WORD(setup->script) }, 3, NULL);
    send_own(link, (struct redis_word[]){ WORD("PING") }, 1, on_pong);
}

/* ---- what comes ---- */

static void take_reply(struct redis_link *link, redisReply *reply)
{
    struct redis_request *request = redis_queue_take(&link->sent);

    link->since = weir__monotonic_us();
    if (request == NULL) {
        redis_link_break(link, "it answered what nobody asked");
    } else if (request->slot != REDIS_NO_SLOT) {
        redis_client_answered(link->client, link, request, reply);
    } else {
        if (request->answer != NULL)
            request->answer(request->arg, reply);
        redis_request_free(request);
    }
    freeReplyObject(reply);
}

static void take_replies(struct redis_link *link)
{
    void *reply = NULL;

    while (!link->broken && redisReaderGetReply(link->reader, &reply) == REDIS_OK && reply != NULL) {
        take_reply(link, reply);
        reply = NULL;
    }
    if (link->reader->err != 0)
        redis_link_break(link, "its answer is none of Redis: %s", link->reader->errstr);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct redis_link *link = arg;
    struct evbuffer   *input = bufferevent_get_input(bev);
    size_t             size;

    while (!link->broken && (size = evbuffer_get_contiguous_space(input)) > 0) {
        if (redisReaderFeed(link->reader, (char *)evbuffer_pullup(input, (ev_ssize_t)size), size) != REDIS_OK) {
            redis_link_break(link, "its answer cannot be read: %s", link->reader->errstr);
            return;
        }
        evbuffer_drain(input, size);
        take_replies(link);
        if (link->reader->len > MOST_REPLY)
            redis_link_break(link, "its answer is larger than %zu bytes", MOST_REPLY);
    }
}

/* ---- connecting ---- */

static void tell_ended(struct redis_link *link, struct bufferevent *bev, short what)
{
    struct ssl_st *session = bufferevent_openssl_get_ssl(bev);
    unsigned long  fault = session != NULL ? bufferevent_get_openssl_error(bev) : 0;
    int            code = EVUTIL_SOCKET_ERROR();
    char           words[256];

    if (session != NULL && weir__tls_unwanted(fault, &redis_tls_names, words, sizeof(words))) {
        redis_link_break(link, "%s", words);
        redis_client_refused(link->client, link);
    } else if (session != NULL && link->state == REDIS_CONNECTING && (fault != 0 || (what & BEV_EVENT_EOF))) {
        bool never = weir__tls_why(session, fault, link->host, &redis_tls_names, words, sizeof(words));

        redis_link_break(link, "%s", words);
        if (never)
            redis_client_refused(link->client, link);
    } else if (link->state == REDIS_GREETING) {
        redis_link_break(link, "it closed the connection before it answered: %s",
                         session != NULL ? "does it want a certificate of its clients (redis.cert.file)?"
                                         : "is this a TLS port (rediss://)?");
    } else if (what & BEV_EVENT_EOF) {
        redis_link_break(link, "it closed the connection");
    } else {
        redis_link_break(link, "%s: %s", link->state == REDIS_CONNECTING ? "cannot connect" : "the connection broke",
                         evutil_socket_error_to_string(code));
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct redis_link *link = arg;
    int                one = 1;

    if (!(what & BEV_EVENT_CONNECTED)) {
        if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
            tell_ended(link, bev, what);
        return;
    }
    (void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    greet(link);
}

static struct bufferevent *open_socket(struct redis_link *link)
{
    struct redis_surroundings around = redis_client_surroundings(link->client);
    struct ssl_st            *session;
    struct bufferevent       *bev;

    if (around.tls == NULL)
        return bufferevent_socket_new(around.base, -1, BEV_OPT_CLOSE_ON_FREE);
    session = weir__tls_calling(around.tls, link->host);
    if (session == NULL)
        return NULL;
    bev = bufferevent_openssl_socket_new(around.base, -1, session, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev != NULL)
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    else
        weir__tls_session_free(session);
    return bev;
}

static const struct addrinfo *pick_address(const struct addrinfo *all, size_t turn)
{
    size_t count = 0;

    for (const struct addrinfo *at = all; at != NULL; at = at->ai_next)
        count++;
    for (turn %= count; turn > 0; turn--)
        all = all->ai_next;
    return all;
}

static void on_named(void *arg)
{
    struct redis_link     *link = arg;
    const struct addrinfo *address;
    int                    code = redis_lookup_result(link->lookup, &address);

    if (code != 0) {
        redis_link_break(link, "its name is not known: %s", gai_strerror(code));
        return;
    }
    address = pick_address(address, link->turn);
    link->reader = redisReaderCreate();
    link->bev = open_socket(link);
    if (link->reader == NULL || link->bev == NULL) {
        redis_link_break(link, "%s", weir_code_text(WEIR_NO_MEMORY));
        return;
    }
    enter(link, REDIS_CONNECTING);
    bufferevent_setcb(link->bev, on_read, NULL, on_event, link);
    (void)bufferevent_set_max_single_write(link->bev, MOST_OUTPUT);
    if (bufferevent_enable(link->bev, EV_READ | EV_WRITE) < 0 ||
        bufferevent_socket_connect(link->bev, address->ai_addr, (int)address->ai_addrlen) < 0)
        redis_link_break(link, "cannot connect: %s", strerror(errno));
}

static void begin(struct redis_link *link)
{
    enter(link, REDIS_NAMING);
    link->lookup =
        redis_lookup_begin(redis_client_surroundings(link->client).base, link->host, link->port, on_named, link);
    if (link->lookup == NULL)
        redis_link_break(link, "its name cannot be looked up: out of memory or threads");
}

/* ---- steps ---- */

/* When its patience ends, us; INT64_MAX: it waits for nothing. */
static int64_t deadline(const struct redis_link *link)
{
    int64_t timeout = redis_client_surroundings(link->client).setup->timeout_ms * 1000;

    if (link->state == REDIS_DOWN || (link->state == REDIS_UP && link->sent.count == 0))
        return INT64_MAX;
    return link->since + timeout;
}

static void give_up(struct redis_link *link)
{
    struct redis_surroundings around = redis_client_surroundings(link->client);

    redis_link_break(link, "it does not answer (redis.timeout.ms is %lld ms)%s", (long long)around.setup->timeout_ms,
                     around.tls != NULL && link->state == REDIS_CONNECTING ? ": does it speak TLS at this port?"
                                                                           : "");
}

int64_t redis_link_step(struct redis_link *link, bool wanted, int64_t now)
{
    if (!link->broken && now >= deadline(link))
        give_up(link);
    if (link->broken)
        take_down(link, now);
    if (link->state == REDIS_DOWN && wanted && now >= link->retry_at)
        begin(link);
    if (link->state == REDIS_UP && !link->broken)
        flush(link);
    if (link->broken)
        return now;
    return link->state == REDIS_DOWN && wanted ? link->retry_at : deadline(link);
}
