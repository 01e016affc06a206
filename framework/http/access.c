/* access.c: questions to topologies' endpoints, as events of the audit trail.
 *
 * (1) Probes, metrics and status are no access to data, but whoever is refused for want of the token is noted there too. A question that came from another process is noted by both.
 */
#include "framework/http/internal.h"

/* Without the text's NUL it is cut where the trail cuts. */
static const char *as_string(struct weir_arena *arena, struct weir_text text)
{
    const char *copy = weir__arena_printf(arena, "%.*s", (int)text.size, text.data != NULL ? text.data : "");

    return copy != NULL ? copy : "";
}

static const char *details_of(const struct weir_request *request, const struct weir__head *head,
                              const struct weir_reply *reply, struct weir_json_out *json)
{
    weir_json_begin_object(json);
    weir_json_name(json, "query");
    weir_json_begin_object(json);
    for (size_t i = 0; i < request->target.count; i++) {
        weir__json_member_text(json, request->target.params[i].name, request->target.params[i].value);
    }
    weir_json_end_object(json);
    weir__json_member_int(json, "status", reply->status);
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
    struct weir__audit  *audit = weir__http_config_of(request->http)->audit;
    struct weir_json_out json = { 0 };
    const bool           stranger = reply->status == 401;

    if (audit == NULL || (request->app == NULL && !stranger))
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
                                [WEIR__AUDIT_DETAILS] = details_of(request, head, reply, &json),
                            });
    weir__json_out_fini(&json);
}
