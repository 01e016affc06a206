/* connection.c: connections and their clocks, over libevent's bufferevents: requests come in, answers go out.
 *
 * (1) A connection answers one request after the other, in order; while more than MOST_WAITING bytes of answers are not
 *     taken, nothing more is read from it.
 * (2) A client has a time for all of a request and one for taking the answer, however it trickles.
 * (3) Who is refused is told why before the connection closes: what it still sends is read and forgotten for a while,
 *     or its reset would eat the answer.
 * (4) Over TLS a connection has the time of a request for its handshake; nothing is told to one that has not ended it.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "framework/http/server.h"
#include "framework/metrics/families.h"
#include "framework/tls/tls.h"

#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#define MOST_WAITING ((size_t)256 << 10)
#define LINGER_MS    1000

/* So many more than the most are told that there are too many; others are closed at once, for descriptors are the process's. */
#define MOST_TOLD 32

/* What one waits for room may be taken from whom has been sending his request for so long. */
#define SLOW_US 1000000

enum stage { IDLE, READING, ROUTING, WRITING, LINGERING, SHAKING };

struct weir__connection {
    struct weir__door            *door;
    struct bufferevent           *bev;
    struct event                 *clock;
    struct ssl_st                *tls; /* NULL: not spoken; belongs to bev */
    enum stage                    stage;
    int64_t                       since;      /* in this stage, monotonic us */
    size_t                        need;       /* bytes of the next request, body included; 0 = not known yet */
    bool                          closes;     /* WRITING: then the connection ends */
    bool                          ended;      /* nothing more will come */
    struct weir__routed          *routed;     /* ROUTING: the question that was passed on */
    char                          asked[300]; /* whom */
    bool                          with_body;
    const char                   *path; /* for metrics */
    int64_t                       began;
    char                          address[INET6_ADDRSTRLEN]; /* of the client */
    TAILQ_ENTRY(weir__connection) link;
};

/* ---- a connection's life ---- */

static void connection_close(struct weir__connection *connection)
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

static int64_t time_of(const struct weir__connection *connection)
{
    const struct weir__http_settings *settings = &connection->door->http->settings;

    if (connection->stage == IDLE)
        return settings->idle;
    return connection->stage == LINGERING ? LINGER_MS : settings->request;
}

static void enter(struct weir__connection *connection, enum stage stage)
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
static void linger(struct weir__connection *connection)
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

static void send_reply(struct weir__connection *connection, const struct weir_reply *reply, bool with_body)
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

static void refuse(struct weir__connection *connection, int status, const char *words)
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

static void read_requests(struct weir__connection *connection);

/* What the process that has the key's task says is the answer; but not that it has it no more. */
static void take_answer(const struct weir__connection *connection, const struct weir__answered *answer,
                        const char *words, struct weir_reply *reply)
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
    struct weir__connection *connection = arg;
    struct weir_reply        reply = { .status = 200, .type = "application/json" };
    char                     type[100];

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
static bool pass_on(struct weir__connection *connection, const struct weir__head *head,
                    const struct weir_request *request, struct weir_reply *reply)
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

static void answer(struct weir__connection *connection, const struct weir__head *head)
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
static void wait_for_head(struct weir__connection *connection, const char *text, size_t size)
{
    if (size < connection->door->http->settings.head)
        return;
    if (memchr(text, '\n', size) == NULL)
        refuse(connection, 414, "the request line is too long");
    else
        refuse(connection, 431, "the headers are too long");
}

/* Whether a request was there and answered. */
static bool take_request(struct weir__connection *connection, const char *text, size_t size)
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

static bool read_request(struct weir__connection *connection, struct evbuffer *input)
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

static void read_requests(struct weir__connection *connection)
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
    struct weir__connection *connection = arg;

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
    struct weir__connection *connection = arg;

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
    struct weir__connection *connection = arg;

    (void)fd;
    (void)what;
    if (connection->stage != READING) {
        connection_close(connection);
        return;
    }
    refuse(connection, 408, "the request took too long to come");
    bufferevent_disable(connection->bev, EV_READ);
}

/* ---- taking connections ---- */

static bool is_slow(const struct weir__connection *connection)
{
    return (connection->stage == READING || connection->stage == SHAKING) &&
           weir__monotonic_us() - connection->since >= SLOW_US;
}

/* At the limit the one that has been idle longest goes, else the slowest: nobody may fill all places by not asking. */
static void make_room(struct weir__http *http)
{
    struct weir__connection *connection, *idle = NULL, *slow = NULL;

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

void weir__connection_take(struct weir__door *door, evutil_socket_t fd, const struct sockaddr *address,
                           socklen_t size)
{
    struct weir__http       *http = door->http;
    struct weir__connection *connection;
    struct ssl_st           *tls;
    struct bufferevent      *bev;

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
    (void)getnameinfo(address, size, connection->address, sizeof(connection->address), NULL, 0, NI_NUMERICHOST);
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

/* What is in the sockets' buffers by then still arrives. */
void weir__connections_close(struct weir__http *http)
{
    while (!TAILQ_EMPTY(&http->connections))
        connection_close(TAILQ_FIRST(&http->connections));
}
