/* routed.c: a question passed on to the process that has the key's task, and its answer handed back.
 *
 * (1) All on the thread of the doors, waiting for nothing: others are answered meanwhile.
 * (2) It is passed on once: the header WEIR__ROUTED_HEADER says so, and who gets it with that answers by himself.
 * (3) It ends within http.route.timeout.ms, whatever the other one does.
 */
#define _GNU_SOURCE
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "framework/http/internal.h"
#include "framework/tls/tls.h"

#include <errno.h>

#define MOST_BYTES ((size_t)64 << 20)

struct weir__routed {
    struct bufferevent *bev;
    struct ssl_st      *tls; /* NULL: not spoken; belongs to bev */
    struct event       *clock;
    char                at[300]; /* whom */
    weir__routed_done  *done;
    void               *arg;
};

static void end(struct weir__routed *routed, const struct weir__answered *answer, const char *words)
{
    weir__routed_done *done = routed->done;
    void              *arg = routed->arg;

    done(arg, answer, words); /* the answer borrows from the buffer */
    weir__routed_cancel(routed);
}

static void fail(struct weir__routed *routed)
{
    int  number = EVUTIL_SOCKET_ERROR();
    char why[200];

    if (routed->tls != NULL && !weir__tls_shaken(routed->tls)) {
        weir__http_tls_why(routed->tls, bufferevent_get_openssl_error(routed->bev), routed->at, why, sizeof(why));
        end(routed, NULL, why);
    } else {
        end(routed, NULL, evutil_socket_error_to_string(number));
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct weir__routed  *routed = arg;
    struct evbuffer      *input = bufferevent_get_input(bev);
    size_t                size = evbuffer_get_length(input);
    struct weir__answered answer;
    const char           *words, *text;

    if (what & BEV_EVENT_CONNECTED)
        return;
    if (!(what & BEV_EVENT_EOF)) {
        fail(routed);
        return;
    }
    text = size > 0 ? (const char *)evbuffer_pullup(input, -1) : "";
    if (text == NULL)
        end(routed, NULL, "out of memory");
    else if (weir__answered_parse(BYTES(text, size), &answer, &words) < 0)
        end(routed, NULL, words);
    else
        end(routed, &answer, NULL);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    if (evbuffer_get_length(bufferevent_get_input(bev)) > MOST_BYTES)
        end(arg, NULL, "its answer is too long");
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end(arg, NULL, "no answer in time");
}

static bool ask(const struct weir__routing *routing, struct weir__routed *routed, const struct weir__member_at *at,
                struct weir_text target)
{
    AUTO(weir__secret_fini) struct weir__buf text = { 0 };

    weir__buf_printf(&text, "GET %.*s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n" WEIR__ROUTED_HEADER ": 1\r\n",
                     (int)target.size, target.data, at->name);
    weir__token_show(routing->token, &text);
    weir__buf_puts(&text, "\r\n");
    return weir__buf_ok(&text) && bufferevent_write(routed->bev, text.data, text.size) == 0 &&
           bufferevent_socket_connect(routed->bev, (const void *)at->address, (int)at->size) == 0;
}

static bool open_stream(const struct weir__routing *routing, struct weir__routed *routed, const char *at)
{
    const int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;

    if (routing->tls == NULL) {
        routed->bev = bufferevent_socket_new(routing->base, -1, options);
        return routed->bev != NULL;
    }
    routed->tls = weir__http_tls_call(routing->tls, at);
    if (routed->tls == NULL)
        return false;
    routed->bev = bufferevent_openssl_socket_new(routing->base, -1, routed->tls, BUFFEREVENT_SSL_CONNECTING, options);
    if (routed->bev == NULL) {
        weir__tls_session_free(routed->tls);
        return false;
    }
    bufferevent_openssl_set_allow_dirty_shutdown(routed->bev, 1); /* an answer has its length */
    return true;
}

struct weir__routed *weir__routed_start(const struct weir__routing *routing, const struct weir__member_at *at,
                                        struct weir_text target, weir__routed_done *done, void *arg)
{
    struct weir__routed *routed = weir__zalloc(sizeof(*routed));
    struct timeval       time = { .tv_sec = routing->ms / 1000, .tv_usec = routing->ms % 1000 * 1000 };

    if (routed == NULL)
        return NULL;
    routed->done = done;
    routed->arg = arg;
    snprintf(routed->at, sizeof(routed->at), "%s", at->name);
    routed->clock = evtimer_new(routing->base, on_time, routed);
    if (open_stream(routing, routed, at->name) && routed->clock != NULL && evtimer_add(routed->clock, &time) == 0) {
        bufferevent_setcb(routed->bev, on_read, NULL, on_event, routed);
        bufferevent_enable(routed->bev, EV_READ | EV_WRITE);
        if (ask(routing, routed, at, target))
            return routed;
    }
    weir__routed_cancel(routed);
    return NULL;
}

void weir__routed_cancel(struct weir__routed *routed)
{
    if (routed == NULL)
        return;
    if (routed->clock != NULL)
        event_free(routed->clock);
    if (routed->bev != NULL)
        bufferevent_free(routed->bev);
    weir__free(routed);
}
