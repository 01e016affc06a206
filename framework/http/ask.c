/* ask.c: one question to an HTTP port: GET, and the answer to its end, within a time; over TLS to "https://".
 *
 * The connection is closed with the answer, so that its end is the answer's, or the Content-Length before it.
 */
#define _GNU_SOURCE
#include "framework/http/internal.h"
#include "framework/tls/tls.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_BYTES ((size_t)64 << 20)

#define SECURE "https://"
#define PLAIN  "http://"

struct weir__http_caller {
    struct weir__http_tls *tls;
    struct weir__token    *token;
};

struct asking {
    const char       *at;    /* "host:port" */
    int64_t           until; /* monotonic us */
    int               fd;
    struct ssl_st    *tls; /* NULL: not spoken */
    struct weir__buf *answer;
};

/* Until the socket can be read or written. WEIR_AGAIN: not in time. */
static int await(const struct asking *asking, short events)
{
    struct pollfd ready = { .fd = asking->fd, .events = events };
    int64_t       left = asking->until - weir__monotonic_us();
    int           got = left > 0 ? poll(&ready, 1, (int)((left + 999) / 1000)) : 0;

    if (got < 0 && errno != EINTR)
        return WEIR_IO;
    return got > 0 ? WEIR_OK : WEIR_AGAIN;
}

/* ---- connecting ---- */

static int connect_to(struct asking *asking, const struct addrinfo *address)
{
    int       err, number = 0;
    socklen_t size = sizeof(number);

    asking->fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (asking->fd < 0)
        return WEIR_IO;
    if (connect(asking->fd, address->ai_addr, address->ai_addrlen) == 0)
        return WEIR_OK;
    err = errno == EINPROGRESS ? await(asking, POLLOUT) : WEIR_NOTFOUND;
    if (err == WEIR_OK && (getsockopt(asking->fd, SOL_SOCKET, SO_ERROR, &number, &size) < 0 || number != 0))
        err = WEIR_NOTFOUND;
    if (err == WEIR_OK)
        return WEIR_OK;
    close(asking->fd);
    asking->fd = -1;
    return err;
}

bool weir__host_split(const char *at, char host[static 256], char port[static 16])
{
    const char *colon = strrchr(at, ':');
    size_t      size = colon != NULL ? (size_t)(colon - at) : 0;

    if (size == 0 || size >= 256 || strlen(colon + 1) == 0 || strlen(colon + 1) >= 16)
        return false;
    if (at[0] == '[' && at[size - 1] == ']') {
        at++;
        size -= 2;
    }
    snprintf(host, 256, "%.*s", (int)size, at);
    snprintf(port, 16, "%s", colon + 1);
    return size > 0;
}

static int open_socket(struct asking *asking, struct weir_error *reterr)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found = NULL;
    char            host[256], port[16];
    int             err = WEIR_NOTFOUND;

    if (!weir__host_split(asking->at, host, port) || getaddrinfo(host, port, &hints, &found) != 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, asking->at, "it is no address: write HOST:PORT");
    for (const struct addrinfo *address = found; address != NULL && asking->fd < 0; address = address->ai_next)
        err = connect_to(asking, address);
    freeaddrinfo(found);
    return err < 0 ? weir__fail(reterr, err, asking->at, err == WEIR_AGAIN ? "no answer in time" : "nobody listens")
                   : WEIR_OK;
}

/* ---- bytes, plain or over TLS ---- */

static int shake_hands(struct asking *asking, struct weir__http_tls *tls, struct weir_error *reterr)
{
    int   err = WEIR_OK, done = 0;
    short wants;
    char  why[400];

    asking->tls = weir__http_tls_call(tls, asking->at);
    if (asking->tls == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, asking->at, "no memory for TLS");
    while (err == WEIR_OK && (done = weir__tls_shake(asking->tls, asking->fd, &wants)) == 0)
        err = wants != 0 ? await(asking, wants) : WEIR_UNREADABLE;
    if (err == WEIR_AGAIN)
        return weir__fail(reterr, err, asking->at, "no answer in time");
    if (done > 0)
        return WEIR_OK;
    weir__http_tls_why(asking->tls, weir__tls_fault(), asking->at, why, sizeof(why));
    return weir__fail(reterr, WEIR_REJECTED, asking->at, "%s", why);
}

/* How many bytes were sent; 0: make the call again. */
static ssize_t send_some(const struct asking *asking, const char *data, size_t size)
{
    ssize_t sent;

    if (asking->tls != NULL) {
        short wants;

        sent = weir__tls_write(asking->tls, data, size, &wants);
        return sent != 0 ? sent : wants != 0 ? await(asking, wants) : WEIR_UNREADABLE;
    }
    sent = send(asking->fd, data, size, MSG_NOSIGNAL);
    if (sent > 0)
        return sent;
    return errno == EAGAIN || errno == EINTR ? await(asking, POLLOUT) : WEIR_NOTFOUND;
}

/* The same of receiving; *ret_over: nothing more will come. */
static ssize_t receive_some(const struct asking *asking, char *chunk, size_t room, bool *ret_over)
{
    ssize_t size;

    if (asking->tls != NULL) {
        short wants;

        size = weir__tls_read(asking->tls, chunk, room, &wants);
        *ret_over = size == 0 && wants == 0;
        return wants != 0 ? await(asking, wants) : size;
    }
    size = recv(asking->fd, chunk, room, 0);
    *ret_over = size == 0;
    if (size >= 0)
        return size;
    return errno == EAGAIN || errno == EINTR ? await(asking, POLLIN) : WEIR_UNREADABLE;
}

/* ---- question and answer ---- */

static int send_question(const struct asking *asking, struct weir__token *token, const char *path)
{
    AUTO(weir__secret_fini) struct weir__buf text = { 0 };

    weir__buf_printf(&text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", path, asking->at);
    weir__token_show(token, &text);
    weir__buf_puts(&text, "\r\n");
    if (!weir__buf_ok(&text))
        return WEIR_NO_MEMORY;
    for (size_t sent = 0; sent < text.size;) {
        ssize_t size = send_some(asking, text.data + sent, text.size - sent);

        if (size < 0)
            return (int)size;
        sent += (size_t)size;
    }
    return WEIR_OK;
}

static int read_answer(struct asking *asking)
{
    char chunk[16384];
    bool over = false;

    while (!over) {
        ssize_t size = receive_some(asking, chunk, sizeof(chunk), &over);

        if (size < 0)
            return (int)size;
        weir__buf_add(asking->answer, chunk, (size_t)size);
        if (!weir__buf_ok(asking->answer))
            return WEIR_NO_MEMORY;
        if (asking->answer->size > MOST_BYTES)
            return WEIR_UNREADABLE;
    }
    return WEIR_OK;
}

/* ---- an answer ---- */

/* What follows a header's name, up to its line's end; data NULL: it is not there. */
static struct weir_text header_of(const char *head, size_t size, const char *name)
{
    const char *at = memmem(head, size, name, strlen(name)), *end;

    if (at == NULL)
        return (struct weir_text){ 0 };
    at += strlen(name);
    at += *at == ' ';
    end = memmem(at, size - (size_t)(at - head), "\r\n", 2);
    return (struct weir_text){ at, (size_t)(end - at) };
}

/* "HTTP/1.1 200": 0 = it is something else. The text goes on after that. */
static int status_of(const char *text, size_t size)
{
    int status = 0;

    if (size < 14 || memcmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
        return 0;
    for (size_t i = 9; i < 12; i++) {
        if (!isdigit((unsigned char)text[i]))
            return 0;
        status = status * 10 + text[i] - '0';
    }
    return status;
}

int weir__answered_parse(struct weir_bytes answer, struct weir__answered *ret, const char **ret_words)
{
    const char      *text = answer.data, *end = answer.size > 0 ? memmem(text, answer.size, "\r\n\r\n", 4) : NULL;
    size_t           head = end != NULL ? (size_t)(end - text) + 4 : 0;
    struct weir_text length;

    *ret = (struct weir__answered){ 0 };
    *ret_words = "what answers there is no HTTP";
    ret->status = head > 0 ? status_of(text, head) : 0;
    if (ret->status == 0)
        return WEIR_UNREADABLE;
    ret->body = BYTES(text + head, answer.size - head);
    ret->type = header_of(text, head, "\r\nContent-Type:");
    length = header_of(text, head, "\r\nContent-Length:");
    *ret_words = "the answer was cut short";
    return length.data == NULL || weir__length_of(length) == (int64_t)ret->body.size ? WEIR_OK : WEIR_UNREADABLE;
}

/* Takes the head away. */
static int take_head(const struct asking *asking, struct weir_error *reterr)
{
    struct weir__buf     *answer = asking->answer;
    struct weir__answered parts;
    const char           *words;

    if (weir__answered_parse(BYTES(answer->data, answer->size), &parts, &words) < 0)
        return weir__fail(reterr, WEIR_UNREADABLE, asking->at, "%s", words);
    memmove(answer->data, parts.body.data, parts.body.size);
    answer->size = parts.body.size;
    return parts.status == 200
               ? WEIR_OK
               : weir__fail(reterr, WEIR_REJECTED, asking->at, "it answered with status %d", parts.status);
}

static int ask(const struct weir__http_caller *caller, struct asking *asking, const char *path,
               struct weir_error *reterr)
{
    int err = send_question(asking, caller->token, path);

    if (err == WEIR_OK)
        err = read_answer(asking);
    return err < 0
               ? weir__fail(reterr, err, asking->at, err == WEIR_AGAIN ? "no answer in time" : "the connection broke")
               : take_head(asking, reterr);
}

int weir__http_ask(const struct weir__http_caller *caller, const char *url, const char *path, int64_t ms,
                   struct weir__buf *ret, struct weir_error *reterr)
{
    bool          secure = strncmp(url, SECURE, strlen(SECURE)) == 0;
    size_t        scheme = secure ? strlen(SECURE) : strncmp(url, PLAIN, strlen(PLAIN)) == 0 ? strlen(PLAIN) : 0;
    struct asking asking = { .at = url + scheme, .until = weir__monotonic_us() + ms * 1000, .fd = -1, .answer = ret };
    int           err = open_socket(&asking, reterr);

    if (err < 0)
        return err;
    weir__buf_reset(ret);
    if (secure)
        err = shake_hands(&asking, caller->tls, reterr);
    if (err == WEIR_OK)
        err = ask(caller, &asking, path, reterr);
    weir__tls_session_free(asking.tls);
    close(asking.fd);
    return err;
}

int weir__http_caller_new(const struct weir__config *settings, struct weir__http_caller **ret,
                          struct weir_error *reterr)
{
    struct weir__http_caller *caller = weir__zalloc(sizeof(*caller));
    int                       err;

    *ret = NULL;
    if (caller == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    err = weir__http_tls_open(settings, &caller->tls, reterr);
    if (err == WEIR_OK)
        err = weir__token_open(settings, &caller->token, reterr);
    if (err < 0)
        weir__http_caller_free(caller);
    else
        *ret = caller;
    return err;
}

void weir__http_caller_free(struct weir__http_caller *caller)
{
    if (caller == NULL)
        return;
    weir__http_tls_close(caller->tls);
    weir__token_close(caller->token);
    weir__free(caller);
}
