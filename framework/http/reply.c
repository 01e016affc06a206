/* reply.c: answers: what handlers do with a reply, and how it goes over the wire. Errors have one shape:
 * {"error": words, "status": number}. */
#include "framework/http/internal.h"

#include <stdarg.h>
#include <time.h>

static const struct {
    int         status;
    const char *words;
} statuses[] = {
    { 200, "OK" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 421, "Misdirected Request" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
};

const char *weir__status_words(int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].words;
    return "-"; /* any words will do */
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale. */
static void print_date(struct weir__buf *ret)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t            now = (time_t)(weir__wall_ms() / 1000);
    struct tm         at;

    gmtime_r(&now, &at);
    weir__buf_printf(ret, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n", days + 3 * at.tm_wday, at.tm_mday,
                     months + 3 * at.tm_mon, at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
}

void weir__reply_print(const struct weir_reply *reply, bool keeps, bool with_body, struct weir__buf *ret)
{
    weir__buf_printf(ret,
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                     "X-Content-Type-Options: nosniff\r\n",
                     reply->status, weir__status_words(reply->status), reply->type, reply->json.buf.size);
    print_date(ret);
    if (reply->allow != NULL)
        weir__buf_printf(ret, "Allow: %s\r\n", reply->allow);
    if (reply->status == 401)
        weir__buf_puts(ret, "WWW-Authenticate: Bearer\r\n");
    if (reply->status == 503)
        weir__buf_puts(ret, "Retry-After: 1\r\n");
    weir__buf_printf(ret, "Connection: %s\r\n\r\n", keeps ? "keep-alive" : "close");
    if (with_body)
        weir__buf_add(ret, reply->json.buf.data, reply->json.buf.size);
}

/* ---- what handlers call ---- */

const char *weir_request_path(const struct weir_request *request) { return request->target.path; }

const char *weir_request_query(const struct weir_request *request, const char *name)
{
    for (size_t i = 0; i < request->target.count; i++)
        if (strcmp(request->target.params[i].name, name) == 0)
            return request->target.params[i].value;
    return NULL;
}

const void *weir_request_arg(const struct weir_request *request) { return request->endpoint->arg; }

struct weir_arena *weir_request_arena(struct weir_request *request) { return request->arena; }

const struct weir_apps *weir_request_apps(const struct weir_request *request) { return &request->apps; }

int weir_request_view(struct weir_request *request, const char *store, struct weir_view **ret)
{
    return weir_view_open(&request->apps, weir__app_plan(request->app)->topology->name, store, request->arena, ret,
                          NULL);
}

int weir_request_need(const struct weir_request *request, struct weir_reply *reply, const char *name,
                      const char **ret)
{
    const char *value = weir_request_query(request, name);

    if (value == NULL || value[0] == '\0') {
        (void)weir_reply_fail(reply, 400, "missing %.100s", name);
        return WEIR_BAD_ARGUMENT;
    }
    *ret = value;
    return WEIR_OK;
}

/* Whether name is one of names, "a|b|c". */
static bool is_among(const char *name, const char *names)
{
    size_t size = strlen(name);

    for (const char *at = names; at != NULL; at = strchr(at, '|') != NULL ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, name, size) == 0 && (at[size] == '|' || at[size] == '\0'))
            return true;
    return false;
}

int weir_request_takes(const struct weir_request *request, struct weir_reply *reply, const char *names)
{
    for (size_t i = 0; i < request->target.count; i++) {
        const struct weir__param *param = &request->target.params[i];

        if (!is_among(param->name, names))
            (void)weir_reply_fail(reply, 400, "unknown parameter %.100s: there are %.200s", param->name, names);
        else if (weir_request_query(request, param->name) != param->value)
            (void)weir_reply_fail(reply, 400, "%.100s is given twice", param->name);
        else
            continue;
        return WEIR_BAD_ARGUMENT;
    }
    return WEIR_OK;
}

struct weir_json_out *weir_reply_json(struct weir_reply *reply) { return &reply->json; }

void weir_reply_status(struct weir_reply *reply, int status) { reply->status = status; }

int weir_reply_fail(struct weir_reply *reply, int status, const char *format, ...)
{
    char    words[512];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    reply->status = status;
    reply->type = "application/json";
    weir__json_out_reset(&reply->json);
    weir_json_begin_object(&reply->json);
    weir__json_member_text(&reply->json, "error", words);
    weir__json_member_int(&reply->json, "status", status);
    weir_json_end_object(&reply->json);
    return WEIR_OK;
}

static int status_of(int code)
{
    switch (code) {
    case WEIR_NOTFOUND: return 404;
    case WEIR_AGAIN: return 503;
    case WEIR_ELSEWHERE: return 421;
    case WEIR_BAD_ARGUMENT: return 400;
    default: return weir_code_scope(code) == WEIR_SCOPE_RECORD ? 400 : 500;
    }
}

void weir__reply_code(struct weir_reply *reply, int code)
{
    if (code >= 0 || reply->status >= 400) /* fine, or it has its words already */
        return;
    (void)weir_reply_fail(reply, status_of(code), "%s (%s)", weir_code_text(code), weir_code_name(code));
}
