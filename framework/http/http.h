/* http/http.h: the process's HTTP door: health, metrics, status and the routes of its topologies.
 *
 * (1) One thread answers all ports. It reads what applications show to others (runtime.h) and waits for none of them.
 * (2) A port serves one topology or several: what it says of health is about those.
 * (3) It opens before the applications start and closes after they have stopped, before they are freed: a probe sees
 *     all of a life.
 */
#ifndef WEIR_HTTP_HTTP_H
#define WEIR_HTTP_HTTP_H

#include "framework/audit/audit.h"
#include "framework/http.h"
#include "framework/runtime/runtime.h"

struct weir__http;

/* Borrowed until weir__http_stop. */
struct weir__http_config {
    struct weir__app *const   *apps;
    size_t                     count;
    const struct weir__config *settings;
    struct weir__metrics      *metrics;
    struct weir__audit        *audit;    /* what is asked of topologies' endpoints is noted there; may be NULL */
    bool                       declared; /* opens the ports that topologies declare, where settings say nothing */
};

/* Opens the ports asked for; *ret NULL: none was. WEIR_BAD_CONFIG, WEIR_BUSY: the port is taken. */
int weir__http_start(const struct weir__http_config *config, struct weir__http **ret, struct weir_error *reterr);
/* The port that a topology is served at; 0 = none. */
int weir__http_port(const struct weir__http *http, const char *topology);
/* Finishes the answers under way and joins the thread. NULL is fine. */
void weir__http_stop(struct weir__http *http);

/* ---- ask.c: a question to another process's port ---- */

/* Whom others see: our token, and whom we trust. WEIR_BAD_CONFIG. */
struct weir__http_caller;
int  weir__http_caller_new(const struct weir__config *settings, struct weir__http_caller **ret,
                           struct weir_error *reterr);
void weir__http_caller_free(struct weir__http_caller *caller); /* NULL is fine */
/* GET path at "host:port", or "https://host:port"; the body in ret. Any thread; takes ms at most. WEIR_BAD_ARGUMENT: no host:port; WEIR_NOTFOUND:
 * nobody listens there; WEIR_AGAIN: no whole answer in time; WEIR_UNREADABLE: no HTTP; WEIR_REJECTED: another status than 200,
 * which reterr says, or its certificate is refused. */
int weir__http_ask(const struct weir__http_caller *caller, const char *url, const char *path, int64_t ms,
                   struct weir__buf *ret, struct weir_error *reterr);

#endif
