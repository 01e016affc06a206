/* trail.c: what commands and services leave in the audit trail, where the program keeps one.
 *
 * (1) A command is noted before it does anything and after it has ended; a service when it starts, with the settings in force
 *     (secrets masked), and when it ends.
 */
#include "framework/main/commands.h"

#include <pwd.h>
#include <unistd.h>

int weir__trail_open(struct weir__program *program, struct weir_error *reterr)
{
    return program->open_audit != NULL ? program->open_audit(program, &program->audit, reterr) : WEIR_OK;
}

void weir__trail_close(struct weir__program *program)
{
    weir__audit_close(program->audit);
    program->audit = NULL;
}

/* ---- details ---- */

static void put_settings(const struct weir__program *program, struct weir_json_out *json)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };

    weir__config_print(program->settings, &text);
    weir_json_name(json, "settings");
    weir_json_put_text(json, (struct weir_text){ weir__buf_ok(&text) ? text.data : "", text.size });
}

static void put_words(const struct weir__args *args, struct weir_json_out *json)
{
    weir_json_name(json, "words");
    weir_json_begin_array(json);
    for (size_t i = 0; i < args->word_count; i++)
        weir_json_put_string(json, args->words[i]);
    weir_json_end_array(json);
    weir_json_name(json, "flags");
    weir_json_begin_array(json);
    for (size_t i = 0; i < args->given_count; i++) {
        char text[512];

        snprintf(text, sizeof(text), "--%s%s%s", args->given[i].flag->name, args->given[i].value != NULL ? "=" : "",
                 args->given[i].value != NULL ? args->given[i].value : "");
        weir_json_put_string(json, text);
    }
    weir_json_end_array(json);
}

/* NULL: out of memory. */
static const char *end_details(struct weir_json_out *json)
{
    weir_json_end_object(json);
    weir__buf_putc(&json->buf, '\0');
    return weir__buf_ok(&json->buf) ? json->buf.data : NULL;
}

static const char *outcome_of(int code) { return code == WEIR__EXIT_OK ? "done" : "failed"; }

/* ---- commands ---- */

/* Who has called us: the name of the user, or its number. */
static const char *user(char *buf, size_t size)
{
    struct passwd entry, *found = NULL;
    char          room[1024];

    if (getpwuid_r(getuid(), &entry, room, sizeof(room), &found) == 0 && found != NULL)
        snprintf(buf, size, "%s", entry.pw_name);
    else
        snprintf(buf, size, "%u", (unsigned)getuid());
    return buf;
}

static void note_command(const struct weir__program *program, const struct weir__command *command,
                         const struct weir__args *args, const char *outcome, const char *details)
{
    char        name[128], host[256] = "";
    const char *texts[WEIR__AUDIT_TEXT_COUNT] = {
        [WEIR__AUDIT_SERVICE] = program->application != NULL ? program->application : program->name,
        [WEIR__AUDIT_TYPE] = command->audited,
        [WEIR__AUDIT_ACTION] = command->name,
        [WEIR__AUDIT_OUTCOME] = outcome,
        [WEIR__AUDIT_ACTOR_TYPE] = "user",
        [WEIR__AUDIT_ACTOR] = user(name, sizeof(name)),
        [WEIR__AUDIT_RESOURCE_TYPE] = "command",
        [WEIR__AUDIT_RESOURCE] = args->word_count > 0 ? args->words[0] : "",
        [WEIR__AUDIT_ADDRESS] = gethostname(host, sizeof(host) - 1) == 0 ? host : "",
        [WEIR__AUDIT_DETAILS] = details,
    };

    weir__audit_note(program->audit, texts);
}

void weir__trail_command_begins(const struct weir__program *program, const struct weir__command *command,
                                const struct weir__args *args)
{
    struct weir_json_out json = { 0 };

    if (program->audit == NULL)
        return;
    weir_json_begin_object(&json);
    put_words(args, &json);
    put_settings(program, &json);
    note_command(program, command, args, "begun", end_details(&json));
    weir__json_out_fini(&json);
}

void weir__trail_command_ended(const struct weir__program *program, const struct weir__command *command,
                               const struct weir__args *args, int code)
{
    char details[64];

    if (program->audit == NULL)
        return;
    snprintf(details, sizeof(details), "{\"exit_code\":%d}", code);
    note_command(program, command, args, outcome_of(code), details);
}

/* ---- services ---- */

void weir__trail_service(const struct weir__program *program, const char *service, const char *instance,
                         const char *action, int code, const char *words)
{
    struct weir_json_out json = { 0 };
    const char          *texts[WEIR__AUDIT_TEXT_COUNT] = {
                 [WEIR__AUDIT_SERVICE] = service,         [WEIR__AUDIT_TYPE] = "system",
                 [WEIR__AUDIT_ACTION] = action,           [WEIR__AUDIT_OUTCOME] = outcome_of(code),
                 [WEIR__AUDIT_ACTOR_TYPE] = "service",    [WEIR__AUDIT_ACTOR] = instance,
                 [WEIR__AUDIT_RESOURCE_TYPE] = "service", [WEIR__AUDIT_RESOURCE] = service,
    };

    if (program->audit == NULL)
        return;
    weir_json_begin_object(&json);
    weir__json_member_text(&json, "version", WEIR_VERSION);
    weir__json_member_int(&json, "exit_code", code);
    if (words != NULL && *words != '\0') {
        weir__json_member_text(&json, "why", words);
    }
    texts[WEIR__AUDIT_DETAILS] = end_details(&json);
    weir__audit_note(program->audit, texts);
    weir__json_out_fini(&json);
}

void weir__trail_settings(const struct weir__program *program, const char *service, const char *instance)
{
    struct weir_json_out json = { 0 };
    const char          *texts[WEIR__AUDIT_TEXT_COUNT] = {
                 [WEIR__AUDIT_SERVICE] = service,
                 [WEIR__AUDIT_TYPE] = "configuration",
                 [WEIR__AUDIT_ACTION] = "settings_in_force",
                 [WEIR__AUDIT_OUTCOME] = "done",
                 [WEIR__AUDIT_ACTOR_TYPE] = "service",
                 [WEIR__AUDIT_ACTOR] = instance,
                 [WEIR__AUDIT_RESOURCE_TYPE] = "service",
                 [WEIR__AUDIT_RESOURCE] = service,
    };

    if (program->audit == NULL)
        return;
    weir_json_begin_object(&json);
    put_settings(program, &json);
    texts[WEIR__AUDIT_DETAILS] = end_details(&json);
    weir__audit_note(program->audit, texts);
    weir__json_out_fini(&json);
}
