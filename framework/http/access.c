/* access.c: questions to topologies' endpoints, as events of the audit trail.
 *
 * (1) Probes, metrics and status are no access to data, but whoever is refused for want of the token is noted there too. A question that came from another process is noted by both.
 * (2) Who has no token cannot fill the trail, nor push out of a queue what others did: of such refusals some a minute are noted, the
 *     next one says how many were not. What a stranger gave as parameters is not kept.
 * (3) A parameter that is named as secrets are keeps its value to itself.
 */
#include "framework/http/internal.h"

/* Without the text's NUL it is cut where the trail cuts. */
static const char *as_string(struct weir_arena *arena, struct weir_text text)
{
    const char *copy = weir__arena_printf(arena, "%.*s", (int)text.size, text.data != NULL ? text.data : "");

    return copy != NULL ? copy : "";
}

#define MINUTE_US (60 * INT64_C(1000000))
enum { MOST_STRANGERS = 30 }; /* a minute */

static bool is_enough(struct weir__strangers *strangers)
{
    const int64_t now = weir__monotonic_us();

    if (strangers->since == 0 || now - strangers->since >= MINUTE_US) {
        strangers->since = now;
        strangers->noted = 0;
    }
    if (strangers->noted < MOST_STRANGERS) {
        strangers->noted++;
        return false;
    }
    strangers->unsaid++;
    return true;
}

static const char *shown_of(const struct weir__param *param)
{
    return weir__config_hides(param->name, param->value) ? "********" : param->value;
}

static const char *details_of(const struct weir_request *request, const struct weir__head *head,
                              const struct weir_reply *reply, struct weir__strangers *strangers,
                              struct weir_json_out *json)
{
    weir_json_begin_object(json);
    weir_json_name(json, "query");
    weir_json_begin_object(json);
    for (size_t i = 0; reply->status != 401 && i < request->target.count; i++) {
        weir__json_member_text(json, request->target.params[i].name, shown_of(&request->target.params[i]));
    }
    weir_json_end_object(json);
    weir__json_member_int(json, "status", reply->status);
    if (strangers->unsaid > 0) {
        weir__json_member_int(json, "others_not_noted", (int64_t)strangers->unsaid);
        strangers->unsaid = 0;
    }
    if (head->routed) {
        weir__json_member_bool(json, "routed", true);
    }
    weir_json_end_object(json);
    weir__buf_putc(&json->buf, '\0');
    return weir__buf_ok(&json->buf) ? json->buf.data : NULL;
}

/* Whose endpoint it is; of our own pages, who is behind the port. */
static const char *service_of(const struct weir_request *request)
{
    return weir__app_plan(request->app != NULL ? request->app : request->door->apps[0])->topology->name;
}

void weir__note_access(const struct weir_request *request, const struct weir__head *head,
                       const struct weir_reply *reply, const char *address, bool passed_on)
{
    struct weir__audit     *audit = weir__http_config_of(request->http)->audit;
    struct weir_json_out    json = { 0 };
    struct weir__strangers *strangers = weir__http_strangers_of(request->http);
    const bool              stranger = reply->status == 401;

    if (audit == NULL || (request->app == NULL && !stranger) || (stranger && is_enough(strangers)))
        return;
    weir__audit_note(audit, (const char *const[WEIR__AUDIT_TEXT_COUNT]){
                                [WEIR__AUDIT_SERVICE] = service_of(request),
                                [WEIR__AUDIT_TYPE] = stranger ? "security" : "data_access",
                                [WEIR__AUDIT_ACTION] = stranger ? "http_refused" : "http_query",
                                [WEIR__AUDIT_OUTCOME] = passed_on             ? "passed_on"
                                                        : reply->status < 400 ? "done"
                                                                              : "refused",
                                [WEIR__AUDIT_ACTOR_TYPE] = "external",
                                [WEIR__AUDIT_TENANT] = weir_request_query(request, "tenant_id"),
                                [WEIR__AUDIT_RESOURCE_TYPE] = "endpoint",
                                [WEIR__AUDIT_RESOURCE] = request->target.path,
                                [WEIR__AUDIT_REQUEST] = as_string(request->arena, head->id),
                                [WEIR__AUDIT_ADDRESS] = address,
                                [WEIR__AUDIT_DETAILS] = details_of(request, head, reply, strangers, &json),
                            });
    weir__json_out_fini(&json);
}
