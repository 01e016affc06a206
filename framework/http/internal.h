/* internal.h: the inside of the HTTP door, shared by the files of this folder. */
#ifndef WEIR_HTTP_INTERNAL_H
#define WEIR_HTTP_INTERNAL_H

#include "framework/http/http.h"
#include "framework/json/json.h"

/* ---- head.c: a request's first line and headers ---- */

#define WEIR__ROUTED_HEADER "X-Weir-Routed"

struct weir__head {
    struct weir_text method, target;
    struct weir_text authorization; /* size 0 = none */
    struct weir_text id;            /* X-Request-Id; size 0 = none */
    struct weir_text accept;        /* the last Accept; size 0 = none */
    int64_t          body;          /* Content-Length; 0 = none */
    bool             keeps;         /* the connection stays open after the answer */
    bool             routed;        /* another process has passed the question on to us */
};
/* text: all up to and with the empty line. WEIR_OK, else an HTTP status with its words. */
int weir__head_parse(struct weir_text text, struct weir__head *ret, const char **ret_words);
/* What Content-Length says; -1: it is no number that can be used. */
int64_t weir__length_of(struct weir_text text);

/* ---- target.c: path and query ---- */

struct weir__param {
    const char *name, *value;
};
struct weir__target {
    const char         *path; /* decoded */
    struct weir__param *params;
    size_t              count;
};
/* WEIR_OK, else an HTTP status with its words. */
int weir__target_parse(struct weir_text target, struct weir_arena *arena, struct weir__target *ret,
                       const char **ret_words);

/* ---- requests and replies ---- */

struct weir__door; /* a port with the applications it serves */

struct weir_request {
    struct weir__http          *http;
    const struct weir__door    *door;
    struct weir__target         target;
    struct weir_arena          *arena;
    struct weir_apps            apps; /* all of the process */
    struct weir__app           *app;  /* of the endpoint; NULL = one of our own */
    const struct weir_endpoint *endpoint;
    struct weir__elsewhere      elsewhere; /* what a view of it said */
    struct weir_text            shown;     /* the caller's Authorization */
    struct weir_text            accept;    /* ... and Accept */
};

struct weir_reply {
    int                  status;
    const char          *type; /* of the body */
    const char          *allow;
    struct weir_json_out json;      /* the body, also where it is no JSON */
    bool                 elsewhere; /* another process may have the answer */
};

/* reply.c */
const char *weir__status_words(int status);
/* Head and body of an answer, ready to be sent. */
void weir__reply_print(const struct weir_reply *reply, bool keeps, bool with_body, struct weir__buf *ret);
/* What a handler's code means. */
void weir__reply_code(struct weir_reply *reply, int code);

/* routes.c: finds who answers, and has it answer. *ret_path: for metrics, "other" where there is none. */
void weir__answer(struct weir_request *request, struct weir_text method, struct weir_reply *reply,
                  const char **ret_path);

/* access.c: what was asked of an endpoint, by whom, into the audit trail. passed_on: another process answers. */
void weir__note_access(const struct weir_request *request, const struct weir__head *head,
                       const struct weir_reply *reply, const char *address, bool passed_on);

/* health.c, pages.c: our own answers */
weir_answer weir__answer_health, weir__answer_ready, weir__answer_live, weir__answer_metrics, weir__answer_status,
    weir__answer_topology;

/* ---- tls.c ---- */

struct ssl_st; /* a session */
struct weir__http_tls;
int  weir__http_tls_open(const struct weir__config *settings, struct weir__http_tls **ret, struct weir_error *reterr);
void weir__http_tls_close(struct weir__http_tls *tls);       /* NULL is fine */
bool weir__http_tls_shows(const struct weir__http_tls *tls); /* whether our ports speak it */
/* A session for one who calls us, or for "host:port" that we call. NULL: out of memory. */
struct ssl_st *weir__http_tls_accept(struct weir__http_tls *tls);
struct ssl_st *weir__http_tls_call(struct weir__http_tls *tls, const char *at);
/* What a handshake of ours with "host:port" failed for; fault: OpenSSL's code, 0 = none. */
void weir__http_tls_why(const struct ssl_st *session, unsigned long fault, const char *at, char *ret, size_t size);

/* ---- token.c ---- */

struct weir__token;
int  weir__token_open(const struct weir__config *settings, struct weir__token **ret, struct weir_error *reterr);
void weir__token_close(struct weir__token *token); /* NULL is fine */
/* Whether one who shows this is answered at a path. */
bool weir__token_lets(struct weir__token *token, const char *path, struct weir_text shown);
/* Adds the header line that shows ours to others; nothing where there is none. */
void weir__token_show(struct weir__token *token, struct weir__buf *ret);

/* ---- ask.c ---- */

/* "host:port" in two; an address of IPv6 in brackets. */
bool weir__host_split(const char *at, char host[static 256], char port[static 16]);

/* An answer as it came; all is borrowed. */
struct weir__answered {
    int               status;
    struct weir_text  type; /* data NULL = not said */
    struct weir_bytes body;
};
/* WEIR_UNREADABLE, with words. */
int weir__answered_parse(struct weir_bytes answer, struct weir__answered *ret, const char **ret_words);

/* ---- routed.c ---- */

struct event_base;
struct weir__routed;
/* answer NULL: there is none, and words say why. Called once, but for a cancelled one. */
typedef void weir__routed_done(void *arg, const struct weir__answered *answer, const char *words);
struct weir__routing {
    struct event_base     *base;
    struct weir__http_tls *tls; /* NULL: others do not speak it */
    struct weir__token    *token;
    int64_t                ms;
};
/* NULL: out of memory. done is never called before it returns. */
struct weir__routed *weir__routed_start(const struct weir__routing *routing, const struct weir__member_at *at,
                                        struct weir_text target, weir__routed_done *done, void *arg);
void                 weir__routed_cancel(struct weir__routed *routed); /* NULL is fine */

/* ---- the server: doors.c, server.c ---- */

struct weir__door {
    struct weir__http     *http;
    struct evconnlistener *listener;
    struct weir__app     **apps;
    size_t                 count;
    int                    port;
    bool                   declared; /* by a topology: nobody insists on it */
};

struct weir__http_settings {
    size_t  connections, head, body;
    int64_t request, idle, route;           /* ms */
    int64_t stall, commit_age, commit_wait; /* ms */
};

const struct weir__http_config   *weir__http_config_of(const struct weir__http *http);
const struct weir__http_settings *weir__http_settings_of(const struct weir__http *http);
struct weir__token               *weir__http_token_of(const struct weir__http *http);

/* Those who were refused for want of the token, as the trail has heard of them. */
struct weir__strangers {
    int64_t  since; /* monotonic us */
    uint64_t noted; /* in this minute */
    uint64_t unsaid;
};
struct weir__strangers *weir__http_strangers_of(struct weir__http *http);

#endif
