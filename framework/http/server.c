/* server.c: ports, connections and their clocks, over libevent's bufferevents; all on one thread.
 *
 * (1) A connection answers one request after the other, in order; while more than MOST_WAITING bytes of answers are not
 *     taken, nothing more is read from it.
 * (2) A client has a time for all of a request and one for taking the answer, however it trickles.
 * (3) Who is refused is told why before the connection closes: what it still sends is read and forgotten for a while,
 *     or its reset would eat the answer.
 * (4) Over TLS a connection has the time of a request for its handshake; nothing is told to one that has not ended it.
 * (5) Only the pipe of `weir__http_stop` crosses threads, so libevent needs no locks.
 */
#define _GNU_SOURCE
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>

#include "framework/base/threads.h"
#include "framework/http/internal.h"
#include "framework/metrics/families.h"
#include "framework/tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_WAITING ((size_t)256 << 10)
#define LINGER_MS    1000
/* What an answer may allocate of the request's arena. */
#define MOST_MEMORY ((size_t)256 << 20)

/* So many more than the most are told that there are too many; others are closed at once, for descriptors are the process's. */
#define MOST_TOLD 32

/* What one waits for room may be taken from whom has been sending his request for so long. */
#define SLOW_US 1000000

enum stage { IDLE, READING, ROUTING, WRITING, LINGERING, SHAKING };

struct connection {
    struct weir__door      *door;
    struct bufferevent     *bev;
    struct event           *clock;
    struct ssl_st          *tls; /* NULL: not spoken; belongs to bev */
    enum stage              stage;
    int64_t                 since;      /* in this stage, monotonic us */
    size_t                  need;       /* bytes of the next request, body included; 0 = not known yet */
    bool                    closes;     /* WRITING: then the connection ends */
    bool                    ended;      /* nothing more will come */
    struct weir__routed    *routed;     /* ROUTING: the question that was passed on */
    char                    asked[300]; /* whom */
    bool                    with_body;
    const char             *path; /* for metrics */
    int64_t                 began;
    char                    address[INET6_ADDRSTRLEN]; /* of the client */
    TAILQ_ENTRY(connection) link;
};
TAILQ_HEAD(connections, connection);

struct weir__http {
    struct weir__http_config   config;
    struct weir__http_settings settings;
    struct event_base         *base;
    struct event              *stopping;
    int                        pipe[2];
    struct weir__door         *doors;
    size_t                     door_count;
    struct connections         connections; /* longest in its stage first */
    size_t                     connection_count;
    struct weir_arena          arena; /* of the request being answered */
    pthread_t                  thread;
    bool                       started;
    struct weir__members     **members; /* of each application; NULL = it is alone */
    struct weir__http_tls     *tls;
    struct weir__token        *token;
    struct weir__strangers     strangers;
};

const struct weir__http_config *weir__http_config_of(const struct weir__http *http) { return &http->config; }

const struct weir__http_settings *weir__http_settings_of(const struct weir__http *http) { return &http->settings; }

struct weir__token *weir__http_token_of(const struct weir__http *http) { return http->token; }

struct weir__strangers *weir__http_strangers_of(struct weir__http *http) { return &http->strangers; }

/* ---- a connection's life ---- */

static void connection_close(struct connection *connection)
{
    struct weir__http *http = connection->door->http;

    weir__routed_cancel(connection->routed);
    TAILQ_REMOVE(&http->connections, connection, link);
    http->connection_count--;
    if (connection->clock != NULL)
        event_free(connection->clock);
    bufferevent_free(connection->bev);
    weir__free(connection);
}

static int64_t time_of(const struct connection *connection)
{
    const struct weir__http_settings *settings = &connection->door->http->settings;

    if (connection->stage == IDLE)
        return settings->idle;
    return connection->stage == LINGERING ? LINGER_MS : settings->request;
}

static void enter(struct connection *connection, enum stage stage)
{
    struct weir__http *http = connection->door->http;
    struct timeval     time;
    int64_t            ms;

    connection->stage = stage;
    connection->since = weir__monotonic_us();
    TAILQ_REMOVE(&http->connections, connection, link);
    TAILQ_INSERT_TAIL(&http->connections, connection, link);
    ms = time_of(connection);
    time = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    evtimer_add(connection->clock, &time);
}

/* The answer has left: ours is said, theirs may still be coming. */
static void linger(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->bev);

    if (connection->ended) {
        connection_close(connection);
        return;
    }
    if (connection->tls != NULL)
        weir__tls_farewell(connection->tls);
    shutdown(bufferevent_getfd(connection->bev), SHUT_WR);
    evbuffer_drain(input, evbuffer_get_length(input));
    enter(connection, LINGERING);
    bufferevent_enable(connection->bev, EV_READ);
}

/* ---- answering ---- */

static void send_reply(struct connection *connection, const struct weir_reply *reply, bool with_body)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    struct evbuffer                      *output = bufferevent_get_output(connection->bev);

    weir__reply_print(reply, !connection->closes, with_body, &text);
    if (!weir__buf_ok(&text) || evbuffer_add(output, text.data, text.size) < 0)
        connection->closes = true; /* cut short, which the length tells */
    if (connection->closes || evbuffer_get_length(output) > MOST_WAITING)
        enter(connection, WRITING);
    else
        enter(connection, IDLE);
}

static void refuse(struct connection *connection, int status, const char *words)
{
    struct weir_reply reply = { 0 };
    char              number[16];
    const char       *labels[] = { "other", number };

    snprintf(number, sizeof(number), "%d", status);
    weir__metric_add(weir__metric_of(connection->door->http->config.metrics, WEIR__HTTP_REQUESTS_FAMILY, labels), 1);
    (void)weir_reply_fail(&reply, status, "%s", words);
    connection->closes = true;
    send_reply(connection, &reply, true);
    weir__json_out_fini(&reply.json);
}

static void count(struct weir__http *http, const char *path, int status, int64_t began)
{
    char        number[16];
    const char *labels[] = { path, number };

    snprintf(number, sizeof(number), "%d", status);
    weir__metric_add(weir__metric_of(http->config.metrics, WEIR__HTTP_REQUESTS_FAMILY, labels), 1);
    weir__metric_observe(weir__metric_of(http->config.metrics, WEIR__HTTP_SECONDS_FAMILY, labels),
                         (double)(weir__monotonic_us() - began) / 1e6);
}

/* ---- questions that are passed on ---- */

static void read_requests(struct connection *connection);

/* What the process that has the key's task says is the answer; but not that it has it no more. */
static void take_answer(const struct connection *connection, const struct weir__answered *answer, const char *words,
                        struct weir_reply *reply)
{
    struct weir__buf *body;

    if (answer == NULL || answer->status == 421) {
        (void)weir_reply_fail(reply, 503, "%.200s, which has the key, does not answer for it: %.150s; try again",
                              connection->asked, answer == NULL ? words : "the key is being moved");
        return;
    }
    reply->status = answer->status;
    body = weir__json_put_raw(&reply->json);
    weir__buf_add(body, answer->body.data, answer->body.size);
    if (!weir__buf_ok(body)) {
        weir__json_out_fini(&reply->json);
        (void)weir_reply_fail(reply, 500, "out of memory");
    }
}

static void on_routed(void *arg, const struct weir__answered *answer, const char *words)
{
    struct connection *connection = arg;
    struct weir_reply  reply = { .status = 200, .type = "application/json" };
    char               type[100];

    connection->routed = NULL;
    if (answer != NULL && answer->type.data != NULL) {
        snprintf(type, sizeof(type), "%.*s", (int)answer->type.size, answer->type.data);
        reply.type = type;
    }
    take_answer(connection, answer, words, &reply);
    count(connection->door->http, connection->path, reply.status, connection->began);
    send_reply(connection, &reply, connection->with_body);
    weir__json_out_fini(&reply.json);
    if (connection->stage != IDLE)
        return;
    bufferevent_enable(connection->bev, EV_READ);
    read_requests(connection); /* what came meanwhile */
}

static struct weir__members *members_of(const struct weir__http *http, const struct weir__app *app)
{
    for (size_t i = 0; http->members != NULL && i < http->config.count; i++)
        if (http->config.apps[i] == app)
            return http->members[i];
    return NULL;
}

/* Whether the question is on its way to who has the task; else the reply says why not. */
static bool pass_on(struct connection *connection, const struct weir__head *head, const struct weir_request *request,
                    struct weir_reply *reply)
{
    struct weir__http            *http = connection->door->http;
    const struct weir__elsewhere *task = &request->elsewhere;
    struct weir__members         *members = members_of(http, task->app);
    const struct weir__routing    routing = { .base = http->base,
                                              .tls = weir__http_tls_shows(http->tls) ? http->tls : NULL,
                                              .token = http->token,
                                              .ms = http->settings.route };
    struct weir__member_at        at;

    if (!reply->elsewhere || head->routed)
        return false;
    if (members == NULL || weir__members_owner(members, task->sub, task->partition, &at) < 0) {
        (void)weir_reply_fail(reply, 503,
                              "the key belongs to another process, and it is not known yet which: try again");
        return false;
    }
    snprintf(connection->asked, sizeof(connection->asked), "%s", at.name);
    connection->routed = weir__routed_start(&routing, &at, head->target, on_routed, connection);
    if (connection->routed == NULL)
        (void)weir_reply_fail(reply, 503, "%.200s, which has the key, cannot be asked", at.name);
    return connection->routed != NULL;
}

static bool is_head(const struct weir__head *head)
{
    return head->method.size == 4 && memcmp(head->method.data, "HEAD", 4) == 0;
}

static void answer(struct connection *connection, const struct weir__head *head)
{
    struct weir__http  *http = connection->door->http;
    struct weir_request request = { .http = http,
                                    .door = connection->door,
                                    .arena = &http->arena,
                                    .shown = head->authorization,
                                    .accept = head->accept,
                                    .apps = { http->config.apps, http->config.count, NULL } };
    struct weir_reply   reply = { .status = 200, .type = "application/json" };
    const char         *words;
    int                 status = weir__target_parse(head->target, &http->arena, &request.target, &words);
    bool                passed_on;

    request.apps.elsewhere = &request.elsewhere;
    connection->path = "other";
    connection->began = weir__monotonic_us();
    connection->with_body = !is_head(head);
    connection->closes = !head->keeps;
    if (status == WEIR_OK)
        weir__answer(&request, head->method, &reply, &connection->path);
    else
        (void)weir_reply_fail(&reply, status, "%s", words);
    passed_on = pass_on(connection, head, &request, &reply);
    weir__note_access(&request, head, &reply, connection->address, passed_on);
    if (passed_on) {
        enter(connection, ROUTING);
    } else {
        count(http, connection->path, reply.status, connection->began);
        send_reply(connection, &reply, connection->with_body);
    }
    weir__json_out_fini(&reply.json);
    weir__arena_reset(&http->arena);
}

/* ---- reading ---- */

/* Bytes up to and with the empty line; 0 = not there yet. *ret_bare: a line ends without CR. */
static size_t find_end(const char *text, size_t size, bool *ret_bare)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '\n')
            continue;
        *ret_bare = i == 0 || text[i - 1] != '\r';
        if (*ret_bare)
            return 0;
        if (i >= 3 && text[i - 2] == '\n')
            return i + 1;
    }
    return 0;
}

/* The head is not all there. */
static void wait_for_head(struct connection *connection, const char *text, size_t size)
{
    if (size < connection->door->http->settings.head)
        return;
    if (memchr(text, '\n', size) == NULL)
        refuse(connection, 414, "the request line is too long");
    else
        refuse(connection, 431, "the headers are too long");
}

/* Whether a request was there and answered. */
static bool take_request(struct connection *connection, const char *text, size_t size)
{
    const struct weir__http_settings *settings = &connection->door->http->settings;
    bool                              bare = false;
    size_t                            end = find_end(text, size, &bare);
    struct weir__head                 head;
    const char                       *words = "lines end with CR LF";
    int                               status = bare ? 400 : WEIR_OK;

    if (end > settings->head || (end == 0 && !bare)) {
        wait_for_head(connection, text, end > 0 ? end : size);
        return false;
    }
    if (status == WEIR_OK)
        status = weir__head_parse((struct weir_text){ text, end }, &head, &words);
    if (status == WEIR_OK && head.body > (int64_t)settings->body) {
        status = 413;
        words = "the body is too long";
    }
    if (status != WEIR_OK) {
        refuse(connection, status, words);
        return false;
    }
    connection->need = end + (size_t)head.body;
    if (size < connection->need)
        return false;
    answer(connection, &head);
    return true;
}

/* Empty lines before a request are forgiven. */
static void drop_empty_lines(struct evbuffer *input)
{
    char start[2];

    while (evbuffer_copyout(input, start, 2) == 2 && start[0] == '\r' && start[1] == '\n')
        evbuffer_drain(input, 2);
}

static bool read_request(struct connection *connection, struct evbuffer *input)
{
    size_t      size;
    const char *text;

    drop_empty_lines(input);
    size = evbuffer_get_length(input);
    if (size == 0)
        return false;
    if (connection->stage == IDLE)
        enter(connection, READING);
    if (size < connection->need)
        return false;
    text = (const char *)evbuffer_pullup(input, -1);
    if (text == NULL) {
        refuse(connection, 503, "out of memory");
        return false;
    }
    if (!take_request(connection, text, size))
        return false;
    evbuffer_drain(input, connection->need);
    connection->need = 0;
    return true;
}

static void read_requests(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->bev);

    while (connection->stage < ROUTING && read_request(connection, input))
        ;
    if (connection->stage == ROUTING || connection->stage == WRITING)
        bufferevent_disable(connection->bev, EV_READ);
    if (connection->stage == LINGERING)
        evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    read_requests(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct connection *connection = arg;

    if (connection->stage == WRITING && connection->closes) {
        linger(connection);
        return;
    }
    if (connection->stage == WRITING) {
        enter(connection, IDLE);
        bufferevent_enable(bev, EV_READ);
        read_requests(connection); /* what came meanwhile */
    }
    if (connection->ended && evbuffer_get_length(bufferevent_get_output(bev)) == 0)
        connection_close(connection);
}

/* Who has said all may still be reading. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct connection *connection = arg;

    if (what & BEV_EVENT_CONNECTED) {
        enter(connection, IDLE);
        return;
    }
    connection->ended = true;
    if (!(what & BEV_EVENT_EOF) || connection->tls != NULL || connection->stage == LINGERING ||
        evbuffer_get_length(bufferevent_get_output(bev)) == 0)
        connection_close(connection);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;

    (void)fd;
    (void)what;
    if (connection->stage != READING) {
        connection_close(connection);
        return;
    }
    refuse(connection, 408, "the request took too long to come");
    bufferevent_disable(connection->bev, EV_READ);
}

/* ---- ports ---- */

static bool is_slow(const struct connection *connection)
{
    return (connection->stage == READING || connection->stage == SHAKING) &&
           weir__monotonic_us() - connection->since >= SLOW_US;
}

/* At the limit the one that has been idle longest goes, else the slowest: nobody may fill all places by not asking. */
static void make_room(struct weir__http *http)
{
    struct connection *connection, *idle = NULL, *slow = NULL;

    if (http->connection_count < http->settings.connections)
        return;
    TAILQ_FOREACH(connection, &http->connections, link) {
        if (connection->stage == IDLE && idle == NULL)
            idle = connection;
        if (slow == NULL && is_slow(connection))
            slow = connection;
    }
    if (idle != NULL || slow != NULL)
        connection_close(idle != NULL ? idle : slow);
}

static struct bufferevent *new_stream(struct weir__http *http, evutil_socket_t fd, struct ssl_st **ret_tls)
{
    struct bufferevent *bev;

    *ret_tls = NULL;
    if (!weir__http_tls_shows(http->tls))
        return bufferevent_socket_new(http->base, fd, BEV_OPT_CLOSE_ON_FREE);
    *ret_tls = weir__http_tls_accept(http->tls);
    if (*ret_tls == NULL)
        return NULL;
    bev = bufferevent_openssl_socket_new(http->base, fd, *ret_tls, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev != NULL)
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1); /* a request has its length */
    else
        weir__tls_session_free(*ret_tls);
    return bev;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
                      void *arg)
{
    struct weir__door  *door = arg;
    struct weir__http  *http = door->http;
    struct connection  *connection;
    struct ssl_st      *tls;
    struct bufferevent *bev;

    (void)listener;
    make_room(http);
    if (http->connection_count >= http->settings.connections + MOST_TOLD) {
        close(fd);
        return;
    }
    connection = weir__zalloc(sizeof(*connection));
    bev = new_stream(http, fd, &tls);
    if (bev == NULL)
        close(fd);
    if (connection != NULL && bev != NULL)
        connection->clock = evtimer_new(http->base, on_time, connection);
    if (connection == NULL || bev == NULL || connection->clock == NULL) {
        if (bev != NULL)
            bufferevent_free(bev);
        weir__free(connection);
        return;
    }
    (void)getnameinfo(address, (socklen_t)size, connection->address, sizeof(connection->address), NULL, 0,
                      NI_NUMERICHOST);
    connection->door = door;
    connection->bev = bev;
    connection->tls = tls;
    TAILQ_INSERT_TAIL(&http->connections, connection, link);
    http->connection_count++;
    enter(connection, tls != NULL ? SHAKING : IDLE);
    bufferevent_setcb(bev, on_read, on_written, on_event, connection);
    bufferevent_setwatermark(bev, EV_READ, 0, http->settings.head + http->settings.body);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    if (http->connection_count > http->settings.connections && tls != NULL) {
        connection_close(connection);
    } else if (http->connection_count > http->settings.connections) {
        refuse(connection, 503, "too many connections");
        bufferevent_disable(bev, EV_READ);
    }
}

static void accept_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(arg);
}

/* No descriptors left, most likely: trying at once again would only be busy. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct weir__door *door = arg;

    weir__say(WEIR__WARN, "http-accept-failed", "port", "i", (int64_t)door->port, "why", "s",
              evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()), NULL);
    if (event_base_once(door->http->base, -1, EV_TIMEOUT, accept_again, listener, &(struct timeval){ .tv_sec = 1 }) ==
        0)
        evconnlistener_disable(listener);
}

static int fail_port(const char *address, int port, int number, struct weir_error *reterr)
{
    char where[sizeof(reterr->where)];

    snprintf(where, sizeof(where), "%.120s:%d", address, port);
    if (number == EADDRINUSE)
        return weir__fail(reterr, WEIR_BUSY, where, "the port is taken: give another http.port, or 0 for a free one");
    return weir__fail(reterr, WEIR_BAD_CONFIG, where,
                      "the port cannot be opened (%s): set http.address and http.port", strerror(number));
}

static int port_of(evutil_socket_t fd)
{
    struct sockaddr_storage address;
    socklen_t               size = sizeof(address);
    char                    service[16];

    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
        getnameinfo((struct sockaddr *)&address, size, NULL, 0, service, sizeof(service), NI_NUMERICSERV) != 0)
        return 0;
    return atoi(service);
}

static int listen_at(struct weir__door *door, const char *address, int port, struct weir_error *reterr)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found = NULL;
    char            service[16];
    int             number;

    snprintf(service, sizeof(service), "%d", port);
    number = getaddrinfo(address, service, &hints, &found);
    if (number != 0)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "http.address", "\"%.100s\" is no address: %s", address,
                          gai_strerror(number));
    door->listener = evconnlistener_new_bind(door->http->base, on_accept, door,
                                             LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, 128,
                                             found->ai_addr, (int)found->ai_addrlen);
    number = errno;
    freeaddrinfo(found);
    if (door->listener == NULL)
        return fail_port(address, port, number, reterr);
    evconnlistener_set_error_cb(door->listener, on_accept_error);
    door->port = port_of(evconnlistener_get_fd(door->listener));
    return WEIR_OK;
}

/* ---- doors: ports and who is behind them ---- */

/* Where a topology is served: as set for it, as set for all, as declared; -1 = nowhere. */
static int port_for(const struct weir__http_config *config, const struct weir__plan *plan, bool *ret_declared)
{
    *ret_declared = false;
    if (plan->port_given)
        return plan->port;
    if (weir__config_text(config->settings, "http.port") != NULL)
        return (int)weir__config_int(config->settings, "http.port");
    *ret_declared = true;
    return config->declared ? plan->port : -1;
}

static int add_app(struct weir__http *http, struct weir__app *app, int port, bool declared)
{
    struct weir__door *door = http->doors;

    while (door < http->doors + http->door_count && door->port != port)
        door++;
    if (door == http->doors + http->door_count) {
        door->apps = weir__zalloc(sizeof(struct weir__app *) * http->config.count);
        if (door->apps == NULL)
            return WEIR_NO_MEMORY;
        door->http = http;
        door->port = port;
        door->declared = declared;
        http->door_count++;
    }
    door->apps[door->count++] = app;
    return WEIR_OK;
}

static int make_doors(struct weir__http *http, struct weir_error *reterr)
{
    http->doors = weir__zalloc(sizeof(*http->doors) * (http->config.count + 1));
    for (size_t i = 0; i < http->config.count; i++) {
        bool declared;
        int  port = port_for(&http->config, weir__app_plan(http->config.apps[i]), &declared);

        if (port >= 0 && (http->doors == NULL || add_app(http, http->config.apps[i], port, declared) < 0))
            return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    }
    return WEIR_OK;
}

static void say_door(const struct weir__door *door, const char *address)
{
    AUTO(weir__buf_fini) struct weir__buf names = { 0 };

    for (size_t i = 0; i < door->count; i++)
        weir__buf_printf(&names, "%s%s", i > 0 ? "," : "", weir__app_plan(door->apps[i])->topology->name);
    weir__buf_putc(&names, '\0');
    if (weir__buf_ok(&names))
        weir__say(WEIR__INFO, "http-open", "address", "s", address, "port", "i", (int64_t)door->port, "topologies",
                  "s", names.data, NULL);
}

static int open_doors(struct weir__http *http, struct weir_error *reterr)
{
    const char *address = weir__config_text(http->config.settings, "http.address");

    for (size_t i = 0; i < http->door_count; i++) {
        struct weir__door *door = &http->doors[i];
        int                err = listen_at(door, address, door->port, reterr);

        if (err == WEIR_BUSY && door->declared) {
            weir__say(WEIR__WARN, "http-port-taken", "port", "i", (int64_t)door->port, "instead", "s", "a free one",
                      NULL);
            err = listen_at(door, address, 0, reterr);
        }
        if (err < 0)
            return err;
        say_door(&http->doors[i], address);
    }
    return WEIR_OK;
}

/* ---- other processes ---- */

/* Where others reach a port: as told, or as we know it; an address that means all of them has the machine's name. */
static void address_of(const struct weir__http *http, int port, char *ret, size_t size)
{
    const char *told = weir__config_text(http->config.settings, "http.advertised");
    const char *address = weir__config_text(http->config.settings, "http.address");
    char        name[200] = "";

    if (told == NULL && (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0) &&
        gethostname(name, sizeof(name) - 1) == 0)
        address = name;
    if (told != NULL)
        address = told;
    if (strchr(address, ':') != NULL &&
        (address[0] == '[' ? strstr(address, "]:") != NULL : strchr(address, ':') == strrchr(address, ':')))
        snprintf(ret, size, "%s", address); /* with a port */
    else if (strchr(address, ':') != NULL && address[0] != '[')
        snprintf(ret, size, "[%s]:%d", address, port);
    else
        snprintf(ret, size, "%s:%d", address, port);
}

static int open_members(struct weir__http *http, struct weir_error *reterr)
{
    int err = WEIR_OK;

    http->members = weir__zalloc(sizeof(*http->members) * (http->config.count + 1));
    if (http->members == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    for (size_t i = 0; err == WEIR_OK && i < http->config.count; i++) {
        const struct weir_topology *topology = weir__app_plan(http->config.apps[i])->topology;
        char                        address[300];

        if (topology->endpoints == NULL || weir__http_port(http, topology->name) == 0)
            continue;
        address_of(http, weir__http_port(http, topology->name), address, sizeof(address));
        err = weir__members_open(http->config.apps[i], address, &http->members[i], reterr);
    }
    return err;
}

/* ---- start and stop ---- */

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct weir__http *http = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(http->base);
}

static void *run(void *arg)
{
    struct weir__http *http = arg;

    event_base_dispatch(http->base);
    return NULL;
}

static int start_thread(struct weir__http *http, struct weir_error *reterr)
{
    if (weir__thread_start(run, http, &http->thread) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "the system gives no thread for the HTTP port");
    http->started = true;
    return WEIR_OK;
}

static int build(struct weir__http *http, struct weir_error *reterr)
{
    int err;

    if (pipe2(http->pipe, O_CLOEXEC) < 0)
        return weir__fail(reterr, WEIR_IO, "http", "no pipe: %s", strerror(errno));
    http->base = event_base_new();
    if (http->base != NULL)
        http->stopping = event_new(http->base, http->pipe[0], EV_READ, on_stop, http);
    if (http->stopping == NULL || event_add(http->stopping, NULL) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    err = open_doors(http, reterr);
    if (err == WEIR_OK)
        err = open_members(http, reterr);
    return err < 0 ? err : start_thread(http, reterr);
}

static void read_settings(struct weir__http *http)
{
    const struct weir__config *config = http->config.settings;

    http->settings = (struct weir__http_settings){
        .connections = (size_t)weir__config_int(config, "http.max.connections"),
        .head = (size_t)weir__config_int(config, "http.max.head.bytes"),
        .body = (size_t)weir__config_int(config, "http.max.body.bytes"),
        .request = weir__config_int(config, "http.request.timeout.ms"),
        .idle = weir__config_int(config, "http.idle.timeout.ms"),
        .route = weir__config_int(config, "http.route.timeout.ms"),
        .stall = weir__config_int(config, "health.stall.ms"),
        .commit_age = weir__config_int(config, "health.commit.age.ms"),
        .commit_wait = weir__config_int(config, "health.commit.wait.ms"),
    };
}

int weir__http_start(const struct weir__http_config *config, struct weir__http **ret, struct weir_error *reterr)
{
    struct weir__http *http = weir__zalloc(sizeof(*http));
    int                err;

    *ret = NULL;
    if (http == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    http->config = *config;
    http->pipe[0] = http->pipe[1] = -1;
    TAILQ_INIT(&http->connections);
    weir__arena_init(&http->arena, MOST_MEMORY);
    read_settings(http);
    err = make_doors(http, reterr);
    if (err == WEIR_OK && http->door_count > 0)
        err = weir__http_tls_open(config->settings, &http->tls, reterr);
    if (err == WEIR_OK && http->door_count > 0)
        err = weir__token_open(config->settings, &http->token, reterr);
    if (err == WEIR_OK && http->door_count > 0)
        err = build(http, reterr);
    if (err < 0 || http->door_count == 0)
        weir__http_stop(http);
    else
        *ret = http;
    return err;
}

int weir__http_port(const struct weir__http *http, const char *topology)
{
    for (size_t i = 0; http != NULL && i < http->door_count; i++)
        for (size_t j = 0; j < http->doors[i].count; j++)
            if (strcmp(weir__app_plan(http->doors[i].apps[j])->topology->name, topology) == 0)
                return http->doors[i].port;
    return 0;
}

/* What is in the sockets' buffers by then still arrives. */
static void close_all(struct weir__http *http)
{
    while (!TAILQ_EMPTY(&http->connections))
        connection_close(TAILQ_FIRST(&http->connections));
    for (size_t i = 0; i < http->door_count; i++) {
        if (http->doors[i].listener != NULL)
            evconnlistener_free(http->doors[i].listener);
        weir__free(http->doors[i].apps);
    }
}

void weir__http_stop(struct weir__http *http)
{
    if (http == NULL)
        return;
    if (http->started) {
        while (write(http->pipe[1], "", 1) < 0 && errno == EINTR)
            ;
        pthread_join(http->thread, NULL);
    }
    close_all(http);
    for (size_t i = 0; http->members != NULL && i < http->config.count; i++)
        weir__members_close(http->members[i]);
    weir__free(http->members);
    if (http->stopping != NULL)
        event_free(http->stopping);
    if (http->base != NULL)
        event_base_free(http->base);
    for (size_t i = 0; i < ARRAY_SIZE(http->pipe); i++)
        if (http->pipe[i] >= 0)
            close(http->pipe[i]);
    weir__http_tls_close(http->tls);
    weir__token_close(http->token);
    weir__arena_fini(&http->arena);
    weir__free(http->doors);
    weir__free(http);
}
