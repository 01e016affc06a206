/* pages.c: /metrics, /topology, /status. */
#include "framework/http/internal.h"
#include "framework/metrics/families.h"

#include <strings.h>

/* A family of the trail's writers. */
static void put_writers(struct weir__audit *audit, enum weir__family_id                           id,
                        uint64_t (*value)(const struct weir__audit_standing *), struct weir__buf *ret)
{
    struct weir__audit_standing standing;

    weir__family_print(id, ret);
    for (size_t i = 0; weir__audit_look(audit, i, &standing); i++)
        weir__value_print(id, &standing.name, (double)value(&standing), ret);
}

static uint64_t up_of(const struct weir__audit_standing *standing) { return standing->up; }
static uint64_t waiting_of(const struct weir__audit_standing *standing) { return standing->waiting; }
static uint64_t written_of(const struct weir__audit_standing *standing) { return standing->written; }
static uint64_t lost_of(const struct weir__audit_standing *standing) { return standing->lost; }
static uint64_t outages_of(const struct weir__audit_standing *standing) { return standing->outages; }

static void put_audit(struct weir__audit *audit, struct weir__buf *ret)
{
    uint64_t noted, failed;

    if (audit == NULL)
        return;
    weir__audit_counts(audit, &noted, &failed);
    weir__family_print(WEIR__AUDIT_NOTED_FAMILY, ret);
    weir__value_print(WEIR__AUDIT_NOTED_FAMILY, (const char *const[]){ "kept" }, (double)noted, ret);
    weir__value_print(WEIR__AUDIT_NOTED_FAMILY, (const char *const[]){ "failed" }, (double)failed, ret);
    put_writers(audit, WEIR__AUDIT_UP_FAMILY, up_of, ret);
    put_writers(audit, WEIR__AUDIT_QUEUE_FAMILY, waiting_of, ret);
    put_writers(audit, WEIR__AUDIT_WRITTEN_FAMILY, written_of, ret);
    put_writers(audit, WEIR__AUDIT_LOST_FAMILY, lost_of, ret);
    put_writers(audit, WEIR__AUDIT_OUTAGES_FAMILY, outages_of, ret);
}

int weir__answer_metrics(struct weir_request *request, struct weir_reply *reply)
{
    const struct weir__http_config *config = weir__http_config_of(request->http);

    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    weir__metrics_print(config->metrics, &reply->json.buf);
    weir__apps_gauges(config->apps, config->count, &reply->json.buf);
    put_audit(config->audit, &reply->json.buf);
    return WEIR_OK;
}

/* ---- topology ---- */

static bool is_asked_for(const struct weir_request *request, const struct weir__app *app)
{
    const char *name = weir_request_query(request, "topology");

    return name == NULL || strcmp(weir__app_plan(app)->topology->name, name) == 0;
}

/* Forms that a client accepts by their type. */
static const struct {
    const char     *type;
    enum weir__form form;
} types[] = {
    { "application/json", WEIR__AS_JSON },
    { "text/vnd.graphviz", WEIR__AS_DOT },
    { "text/vnd.mermaid", WEIR__AS_MERMAID },
    { "text/plain", WEIR__AS_TEXT },
};

/* The first type of Accept that we have; weights are not looked at. */
static enum weir__form accepted_form(struct weir_text accept)
{
    for (size_t at = 0, end; at < accept.size; at = end + 1) {
        for (end = at; end < accept.size && accept.data[end] != ',';)
            end++;
        while (at < end && accept.data[at] == ' ')
            at++;
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
            const size_t size = strlen(types[i].type);

            if (end - at >= size && strncasecmp(accept.data + at, types[i].type, size) == 0 &&
                (end - at == size || accept.data[at + size] == ';' || accept.data[at + size] == ' '))
                return types[i].form;
        }
    }
    return WEIR__AS_TEXT;
}

static bool choose_form(const struct weir_request *request, enum weir__form *ret)
{
    const char *wanted = weir_request_query(request, "format");

    *ret = accepted_form(request->accept);
    return wanted == NULL || weir__form_read(wanted, ret);
}

static int print_plan(const struct weir__plan *plan, enum weir__form form, bool first, struct weir__buf *ret)
{
    if (form == WEIR__AS_TEXT || form == WEIR__AS_FULL)
        weir__buf_printf(ret, "# %s\n", plan->topology->name);
    if (form == WEIR__AS_JSON)
        weir__buf_puts(ret, first ? "{\"topologies\":[" : ",");
    return weir__plan_print(plan, form, ret);
}

static const char *type_of(enum weir__form form)
{
    switch (form) {
    case WEIR__AS_JSON: return "application/json";
    case WEIR__AS_DOT: return "text/vnd.graphviz; charset=utf-8";
    case WEIR__AS_MERMAID: return "text/vnd.mermaid; charset=utf-8";
    default: return "text/plain; charset=utf-8";
    }
}

int weir__answer_topology(struct weir_request *request, struct weir_reply *reply)
{
    enum weir__form form;
    bool            any = false;
    int             err = WEIR_OK;

    if (!choose_form(request, &form))
        return weir_reply_fail(reply, 400, "format is one of: " WEIR__FORMS);
    for (size_t i = 0; err == WEIR_OK && i < request->door->count; i++) {
        if (!is_asked_for(request, request->door->apps[i]))
            continue;
        err = print_plan(weir__app_plan(request->door->apps[i]), form, !any, &reply->json.buf);
        any = true;
    }
    if (err < 0)
        return err;
    if (!any)
        return weir_reply_fail(reply, 404, "no topology %.100s runs here", weir_request_query(request, "topology"));
    if (form == WEIR__AS_JSON)
        weir__buf_puts(&reply->json.buf, "]}");
    reply->type = type_of(form);
    return WEIR_OK;
}

/* ---- status ---- */

static void put_threads(struct weir_json_out *json, struct weir__app *app)
{
    struct weir__thread_state state;
    int64_t                   now = weir__monotonic_us();

    weir_json_name(json, "threads");
    weir_json_begin_array(json);
    for (size_t i = 0; weir__app_thread(app, i, &state); i++) {
        weir_json_begin_object(json);
        weir__json_member_bool(json, "alive", state.alive);
        weir__json_member_bool(json, "assigned", state.assigned);
        weir__json_member_int(json, "tasks", (int64_t)state.tasks);
        weir__json_member_int(json, "restoring", (int64_t)state.restoring);
        weir__json_member_int(json, "records", (int64_t)state.records);
        weir__json_member_int(json, "commits", (int64_t)state.commits);
        weir__json_member_int(json, "ms_since_progress", (now - state.last_beat) / 1000);
        weir__json_member_int(json, "ms_since_commit", (now - state.last_commit) / 1000);
        weir__json_member_int(json, "ms_in_commit", state.committing != 0 ? (now - state.committing) / 1000 : 0);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

static void put_app(struct weir_json_out *json, struct weir__app *app)
{
    const struct weir__plan *plan = weir__app_plan(app);

    weir_json_begin_object(json);
    weir__json_member_text(json, "topology", plan->topology->name);
    weir__json_member_text(json, "application", plan->application);
    weir__json_member_text(json, "instance", weir__app_instance(app));
    weir__json_member_int(json, "epoch", weir__app_epoch(app));
    put_threads(json, app);
    weir_json_name(json, "tasks");
    weir__app_put_tasks(app, json);
    weir_json_name(json, "outlets");
    weir__app_put_outlets(app, json);
    weir_json_end_object(json);
}

/* Of the audit trail; none where there is none. */
static void put_writers_standing(struct weir_json_out *json, struct weir__audit *audit)
{
    struct weir__audit_standing standing;

    weir_json_name(json, "audit");
    weir_json_begin_array(json);
    for (size_t i = 0; weir__audit_look(audit, i, &standing); i++) {
        weir_json_begin_object(json);
        weir__json_member_text(json, "writer", standing.name);
        weir__json_member_bool(json, "up", standing.up);
        weir__json_member_int(json, "waiting", (int64_t)standing.waiting);
        weir__json_member_int(json, "written", (int64_t)standing.written);
        weir__json_member_int(json, "dropped", (int64_t)standing.lost);
        weir__json_member_int(json, "outages", (int64_t)standing.outages);
        weir_json_end_object(json);
    }
    weir_json_end_array(json);
}

int weir__answer_status(struct weir_request *request, struct weir_reply *reply)
{
    struct weir_json_out *json = weir_reply_json(reply);

    weir_json_begin_object(json);
    weir__json_member_text(json, "version", WEIR_VERSION);
    weir_json_name(json, "topologies");
    weir_json_begin_array(json);
    for (size_t i = 0; i < request->door->count; i++)
        put_app(json, request->door->apps[i]);
    weir_json_end_array(json);
    put_writers_standing(json, weir__http_config_of(request->http)->audit);
    weir_json_end_object(json);
    return WEIR_OK;
}
