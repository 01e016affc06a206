/* http.h: routes that a topology adds to its process's HTTP port, and what their handlers may do.
 *
 * (1) A route is declared with its topology and is there where that topology runs.
 * (2) Handlers run one at a time on the process's HTTP thread, health and metrics wait meanwhile: read, answer, return.
 * (3) What a handler is handed, and what it takes from the request's arena, lives until the handler returns.
 * (4) GET and HEAD only; the rest is answered by the framework.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include "declare.h"
#include "json.h"
#include "query.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The request. Path and query are percent-decoded. */
WEIR_API const char *weir_request_path(const struct weir_request *request);
WEIR_API const char *weir_request_query(const struct weir_request *request, const char *name); /* NULL = none */
WEIR_API const void *weir_request_arg(const struct weir_request *request);                     /* the route's .arg */
WEIR_API struct weir_arena *weir_request_arena(struct weir_request *request);
/* A store of the topology that declared the endpoint; others are opened by name: framework/query.h. */
WEIR_API int weir_request_view(struct weir_request *request, const char *store, struct weir_view **ret)
    WEIR_MUST_CHECK;
WEIR_API const struct weir_apps *weir_request_apps(const struct weir_request *request);
/* A parameter that must be there and not empty, else the reply becomes a 400 that names it: return the code. */
WEIR_API int weir_request_need(const struct weir_request *request, struct weir_reply *reply, const char *name,
                               const char **ret) WEIR_MUST_CHECK;
/* A parameter that is none of names, "a|b|c", or stands there twice makes the reply a 400 that names it: return the code. */
WEIR_API int weir_request_takes(const struct weir_request *request, struct weir_reply *reply, const char *names)
    WEIR_MUST_CHECK;

/* The reply: 200 and the JSON written here, unless told otherwise. */
WEIR_API struct weir_json_out *weir_reply_json(struct weir_reply *reply);
WEIR_API void                  weir_reply_status(struct weir_reply *reply, int status);
/* Makes it {"error": text, "status": status}, whatever was written, and gives WEIR_OK: `return weir_reply_fail(...)`.
 * A handler that returns a negative code gets the like: 404 for WEIR_NOTFOUND, 503 for WEIR_AGAIN, 400 for WEIR_BAD_ARGUMENT and codes of one record, 500 else. For
 * WEIR_ELSEWHERE the process that has the key's task is asked, and its answer given. */
WEIR_API int weir_reply_fail(struct weir_reply *reply, int status, const char *format, ...) WEIR_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
