/* cmd_probe.c: `probe`: whether the processes of topologies on this machine are ready, for health checks of containers, where
 * there may be no other client of HTTP.
 *
 * (1) Exit 0 is all of them, 1 is not: one does not answer 200, and the error says which.
 * (2) Where they answer is what the process itself goes by: the same settings, the same variables.
 */
#include "framework/http/http.h"
#include "framework/main/commands.h"

#define ASK_MS 4000

struct probe {
    const struct weir__program *program;
    const struct weir__args    *args;
    struct weir__http_caller   *caller;
    const char                 *path;
};

static int probe_at(const struct probe *probe, const char *at, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf answer = { 0 };
    int err = weir__http_ask(probe->caller, at, probe->path, ASK_MS, &answer, reterr);

    if (err == WEIR_OK)
        printf("%s%s: 200\n", at, probe->path);
    return err;
}

static int probe_plan(const struct probe *probe, const struct weir__plan *plan, struct weir_error *reterr)
{
    char at[300];

    if (!weir__service_at(probe->program, plan, at))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, plan->topology->name,
                          "its port is not known: set http.port, or name the service, --url HOST:PORT");
    return probe_at(probe, at, reterr);
}

static int probe_named(const struct probe *probe, struct weir_error *reterr)
{
    const struct weir_topology **topologies = NULL;
    struct weir__plans           plans = { 0 };
    size_t                       count;
    int err = weir__choose_topologies(probe->program, probe->args->words, probe->args->word_count, &topologies,
                                      &count, reterr);

    if (err == WEIR_OK)
        err = weir__plans_make(probe->program, topologies, count, &plans, reterr);
    for (size_t i = 0; i < plans.count && err == WEIR_OK; i++)
        err = probe_plan(probe, plans.items[i], reterr);
    weir__plans_fini(&plans);
    weir__free(topologies);
    return err;
}

/* Whatever an answer lacks, the answer is no. */
static int exit_of(const struct weir_error *words)
{
    int code = weir__report(words);

    return code == WEIR__EXIT_USAGE ? code : WEIR__EXIT_FAILED;
}

static int run_probe(struct weir__program *program, const struct weir__args *args)
{
    struct probe      probe = { program, args, NULL, weir__args_value(args, "path", "/health/ready") };
    const char       *url = weir__args_value(args, "url", NULL);
    struct weir_error words = { 0 };
    int               err = weir__http_caller_new(program->settings, &probe.caller, &words);

    if (err == WEIR_OK)
        err = url != NULL ? probe_at(&probe, url, &words) : probe_named(&probe, &words);
    weir__http_caller_free(probe.caller);
    return err < 0 ? exit_of(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "url", .value = "HOST:PORT", .meaning = "asks there instead" },
    { .name = "path", .value = "PATH", .meaning = "what is asked (default /health/ready)" },
    { .name = NULL },
};
const struct weir__command weir__command_probe = {
    .name = "probe",
    .usage = "probe [TOPOLOGY...] [--url HOST:PORT] [--path PATH]",
    .meaning = "Asks the topologies' processes on this machine whether they are ready: exit 0 all are, 1 one is not.",
    .flags = flags,
    .run = run_probe
};
