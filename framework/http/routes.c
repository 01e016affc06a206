/* routes.c: who answers a path: one of our own, or an endpoint of a topology of this port. */
#include "framework/http/internal.h"

static const struct weir_endpoint own[] = {
    { "/health", weir__answer_health, NULL },    { "/health/ready", weir__answer_ready, NULL },
    { "/health/live", weir__answer_live, NULL }, { "/metrics", weir__answer_metrics, NULL },
    { "/status", weir__answer_status, NULL },    { "/topology", weir__answer_topology, NULL },
};

static const struct weir_endpoint *find(struct weir_request *request)
{
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (strcmp(own[i].path, request->target.path) == 0)
            return &own[i];
    for (size_t i = 0; i < request->door->count; i++) {
        const struct weir_endpoint *endpoint = weir__app_plan(request->door->apps[i])->topology->endpoints;

        for (; endpoint != NULL && endpoint->path != NULL; endpoint++)
            if (strcmp(endpoint->path, request->target.path) == 0) {
                request->app = request->door->apps[i];
                return endpoint;
            }
    }
    return NULL;
}

static bool is(struct weir_text text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

void weir__answer(struct weir_request *request, struct weir_text method, struct weir_reply *reply,
                  const char **ret_path)
{
    request->endpoint = find(request);
    *ret_path = request->endpoint != NULL ? request->endpoint->path : "other";
    if (!weir__token_lets(weir__http_token_of(request->http), request->target.path, request->shown)) {
        (void)weir_reply_fail(reply, 401, "the token is %s: show it as \"Authorization: Bearer TOKEN\"",
                              request->shown.size > 0 ? "wrong" : "missing");
    } else if (request->endpoint == NULL) {
        (void)weir_reply_fail(reply, 404, "there is nothing at %.200s", request->target.path);
    } else if (!is(method, "GET") && !is(method, "HEAD")) {
        reply->allow = "GET, HEAD";
        (void)weir_reply_fail(reply, 405, "%.200s takes GET and HEAD only", request->target.path);
    } else {
        int code = request->endpoint->answer(request, reply);

        reply->elsewhere = code == WEIR_ELSEWHERE && request->elsewhere.app != NULL && reply->status < 400;
        weir__reply_code(reply, code);
    }
    if (!weir__buf_ok(&reply->json.buf)) {
        weir__json_out_fini(&reply->json);
        (void)weir_reply_fail(reply, 500, "out of memory");
    }
}
