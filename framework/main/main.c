/* main.c: the command line of any program with topologies: finds the command and runs it. */
#include "framework/main/commands.h"
#include "framework/metrics/families.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

const struct weir__command *const weir__commands[] = { &weir__command_local,
                                                       &weir__command_try,
                                                       &weir__command_cat,
                                                       &weir__command_describe,
                                                       &weir__command_explain,
                                                       &weir__command_dlq,
                                                       &weir__command_lag,
                                                       &weir__command_top,
                                                       &weir__command_state,
                                                       &weir__command_probe,
                                                       &weir__command_reset,
                                                       &weir__command_replay,
                                                       &weir__command_grow,
                                                       &weir__command_run,
                                                       &weir__command_version,
                                                       &weir__command_help,
                                                       NULL };

static const struct weir__command *find_in(const struct weir__command *const *commands, const char *name)
{
    for (; commands != NULL && *commands != NULL; commands++)
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    return NULL;
}

/* The program's own come first: they may stand for ours. */
static const struct weir__command *find_command(const struct weir__program *program, const char *name)
{
    const struct weir__command *own = find_in(program->commands, name);

    return own != NULL ? own : find_in(weir__commands, name);
}

/* The n-th of all, each name once; NULL behind the last. */
static const struct weir__command *nth_command(const struct weir__program *program, size_t n)
{
    size_t own = 0;

    while (program->commands != NULL && program->commands[own] != NULL)
        if (own++ == n)
            return program->commands[n];
    for (const struct weir__command *const *at = weir__commands; *at != NULL; at++)
        if (find_in(program->commands, (*at)->name) == NULL && own++ == n)
            return *at;
    return NULL;
}

static int no_command(const struct weir__program *program)
{
    struct weir_error err;

    weir__fail(&err, WEIR_BAD_ARGUMENT, "command line", "name a command: \"%s help\" lists them", program->name);
    return weir__report(&err);
}

static int unknown_command(const struct weir__program *program, const char *name)
{
    const char       *names[64], *near;
    struct weir_error err;
    size_t            count = 0;

    for (; count < ARRAY_SIZE(names) && nth_command(program, count) != NULL; count++)
        names[count] = nth_command(program, count)->name;
    near = weir__suggest(name, names, count);
    if (near != NULL)
        weir__fail(&err, WEIR_BAD_ARGUMENT, "command line", "unknown command \"%.80s\": did you mean \"%s\"?", name,
                   near);
    else
        weir__fail(&err, WEIR_BAD_ARGUMENT, "command line", "unknown command \"%.80s\": \"help\" lists them", name);
    return weir__report(&err);
}

/* ---- help ---- */

static int print(struct weir__buf *text)
{
    bool good = weir__buf_ok(text);

    if (good)
        fwrite(text->data, 1, text->size, stdout);

    weir__buf_fini(text);
    return good ? WEIR__EXIT_OK : WEIR__EXIT_FATAL;
}

static void help_flags(const struct weir__command *command, struct weir__buf *ret)
{
    for (const struct weir__flag *flag = command->flags; flag->name != NULL; flag++) {
        char form[80];

        snprintf(form, sizeof(form), "--%s%s%s", flag->name, flag->value != NULL ? " " : "",
                 flag->value != NULL ? flag->value : "");
        weir__buf_printf(ret, "  %-22s %s%s\n", form, flag->meaning, flag->many ? " (may be repeated)" : "");
    }
}

static int help_command(const struct weir__program *program, const struct weir__command *command)
{
    struct weir__buf text = { 0 };

    weir__buf_printf(&text, "usage: %s %s\n\n%s\n\n", program->name, command->usage, command->meaning);
    help_flags(command, &text);
    weir__buf_puts(&text, "  --config FILE          reads settings, \"key = value\" lines\n"
                          "  --KEY VALUE            a setting or an override; \"help\" lists them\n");
    return print(&text);
}

static void help_exits(struct weir__buf *ret)
{
#define WEIR__LINE(name, number, meaning) weir__buf_printf(ret, "  %d  %s\n", number, meaning);
    weir__buf_puts(ret, "\nExit codes:\n");
    WEIR__EXITS(WEIR__LINE)
#undef WEIR__LINE
}

static int help_all(const struct weir__program *program)
{
    struct weir__buf text = { 0 };

    weir__buf_printf(&text, "usage: %s COMMAND ...\n\n", program->name);
    for (size_t i = 0; nth_command(program, i) != NULL; i++)
        weir__buf_printf(&text, "  %s\n      %s\n", nth_command(program, i)->usage, nth_command(program, i)->meaning);
    weir__buf_puts(&text, "\nTopologies:");
    for (const struct weir_topology *const *at = program->topologies; *at != NULL; at++)
        weir__buf_printf(&text, " %s", (*at)->name);
    weir__buf_puts(&text, "\n\n");
    weir__config_help(program->settings, &text);
    help_exits(&text);
    return print(&text);
}

/* Pages of docs/, made from tables. */
static int help_configuration(const struct weir__program *program)
{
    struct weir__buf text = { 0 };

    weir__config_markdown(program->settings, &text);
    if (program->variables != NULL) {
        weir__buf_puts(
            &text,
            "\n## Variables of other names\n\n"
            "Read where no `WEIR_` variable says otherwise, and stronger than a file; empty is not given. One\n"
            "without a setting, or that the table has not, is named when topologies start\n"
            "(`variable-without-meaning`). `{}` is its value, `{NAME\\|otherwise}` that of another variable.\n\n");
        weir__variables_markdown(program->variables, &text);
    }
    return print(&text);
}

static int help_metrics(void)
{
    struct weir__buf text = { 0 };

    weir__families_markdown(&text);
    return print(&text);
}

static int run_help(struct weir__program *program, const struct weir__args *args)
{
    const struct weir__command *command;

    if (weir__args_has(args, "markdown"))
        return help_configuration(program);
    if (weir__args_has(args, "metrics"))
        return help_metrics();
    if (args->word_count == 0)
        return help_all(program);
    command = find_command(program, args->words[0]);
    return command != NULL ? help_command(program, command) : unknown_command(program, args->words[0]);
}

static const struct weir__flag help_command_flags[] = {
    { .name = "markdown", .meaning = "prints the settings as the page docs/configuration.md" },
    { .name = "metrics", .meaning = "prints the metrics as the page docs/metrics.md" },
    { .name = NULL }
};

const struct weir__command weir__command_help = { .name = "help",
                                                  .usage = "help [COMMAND] [--markdown] [--metrics]",
                                                  .meaning = "Lists commands and settings.",
                                                  .flags = help_command_flags,
                                                  .run = run_help };

/* ---- a command ---- */

extern char **environ;

/* The environment without the door for tests, which is no setting. */
static int read_env(struct weir__config *config, struct weir_error *reterr)
{
    size_t count = 0, kept = 0, size = strlen(WEIR__CRASH_VARIABLE);
    char **copy;
    int    err;

    while (environ != NULL && environ[count] != NULL)
        count++;
    copy = weir__zalloc(sizeof(*copy) * (count + 1));
    if (copy == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "environment", "out of memory");
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], WEIR__CRASH_VARIABLE "=", size + 1) != 0)
            copy[kept++] = environ[i];
    err = weir__config_read_env(config, copy, reterr);
    weir__free(copy);
    return err;
}

static int read_variables(struct weir__program *program, struct weir_error *reterr)
{
    return program->variables != NULL
               ? weir__config_read_variables(program->settings, environ, program->variables, reterr)
               : WEIR_OK;
}

void weir__say_variables(const struct weir__program *program)
{
    struct weir__idle_variable idle;
    size_t                     at = 0;

    while (program->variables != NULL && weir__variables_idle(program->variables, environ, &at, &idle)) {
        char name[96];

        snprintf(name, sizeof(name), "%.*s", (int)MIN(idle.size, sizeof(name) - 1), idle.name);
        weir__say(WEIR__WARN, "variable-without-meaning", "variable", "s", name, "why", "s", idle.why, NULL);
    }
}

static void setup_logging(const struct weir__config *config)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    const char              *level = weir__config_text(config, "log.level");

    for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
        if (strcmp(levels[i], level) == 0)
            weir__log_setup((enum weir__level)i, strcmp(weir__config_text(config, "log.format"), "json") == 0,
                            STDERR_FILENO);
}

/* No core file, whoever takes them, and no debugger of the same user. Foreign libraries keep copies of passwords where no
 * page of ours could be left out. */
static int hide_memory(const struct weir__config *config, struct weir_error *reterr)
{
    if (!weir__config_has_secrets(config) || weir__config_bool(config, "core.dumps") ||
        prctl(PR_SET_DUMPABLE, 0) == 0)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_UNSUPPORTED, "core.dumps", "dumps cannot be forbidden: %s", strerror(errno));
}

static int prepare(struct weir__program *program, const struct weir__command *command, int argc, char **argv,
                   struct weir__args *args, struct weir_error *reterr)
{
    int err = read_env(program->settings, reterr);

    if (err == WEIR_OK)
        err = read_variables(program, reterr);
    if (err == WEIR_OK)
        err = weir__args_parse(argc, argv, command->flags, program->settings, args, reterr);
    if (err == WEIR_OK)
        err = weir__crash_setup(getenv(WEIR__CRASH_VARIABLE), reterr);
    if (err == WEIR_OK)
        err = hide_memory(program->settings, reterr);
    if (err == WEIR_OK)
        setup_logging(program->settings);
    return err;
}

static int run_audited(struct weir__program *program, const struct weir__command *command,
                       const struct weir__args *args)
{
    struct weir_error err = { 0 };
    int               code;

    if (command->audited == NULL)
        return command->run(program, args);
    if (weir__trail_open(program, &err) < 0)
        return weir__report(&err);
    weir__trail_command_begins(program, command, args);
    code = command->run(program, args);
    weir__trail_command_ended(program, command, args, code);
    weir__trail_close(program);
    return code;
}

static int run_command(struct weir__program *program, const struct weir__command *command, int argc, char **argv)
{
    struct weir__args args = { 0 };
    struct weir_error err = { 0 };
    int               code = prepare(program, command, argc, argv, &args, &err);

    if (code < 0)
        code = weir__report(&err);
    else
        code = args.help ? help_command(program, command) : run_audited(program, command, &args);
    weir__args_fini(&args);
    return weir__end_output(code);
}

static int make_settings(struct weir__program *program, struct weir_error *reterr)
{
    const char                **names;
    const struct weir_setting **own;
    size_t                      count = 0, tables = 0;
    int                         err = WEIR_NO_MEMORY;

    while (program->topologies[count] != NULL)
        count++;
    names = weir__zalloc(sizeof(*names) * (count + 1));
    own = weir__zalloc(sizeof(*own) * (count + 1));
    for (size_t i = 0; names != NULL && own != NULL && i < count; i++) {
        names[i] = program->topologies[i]->name;
        if (program->topologies[i]->settings != NULL)
            own[tables++] = program->topologies[i]->settings;
    }
    if (names == NULL || own == NULL)
        weir__fail(reterr, WEIR_NO_MEMORY, "settings", "out of memory");
    else
        err = weir__config_new(names, own, &program->settings, reterr);
    weir__free(names);
    weir__free(own);
    return err;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* The number of a closed standard stream would go to the next file that is opened, and that file would get what is meant
 * for people. Here reading and writing of it fail. */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int weir__main(int argc, char **argv, struct weir__program *program)
{
    const char                 *name = argc > 1 ? argv[1] : NULL;
    const struct weir__command *command;
    struct weir_error           err;
    int                         code;

    program->name = base_name(argc > 0 ? argv[0] : "weir");
    signal(SIGPIPE, SIG_IGN);
    hold_standard_streams();
    if (name == NULL)
        return no_command(program);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    command = find_command(program, name);
    if (command == NULL)
        return unknown_command(program, name);
    if (make_settings(program, &err) < 0)
        return weir__report(&err);
    code = run_command(program, command, argc > 2 ? argc - 2 : 0, argv + (argc > 2 ? 2 : 0));
    weir__config_free(program->settings);
    return code;
}

int weir_main(int argc, char **argv, const struct weir_topology *const *topologies,
              const struct weir_engines *engines)
{
    struct weir__program program = { .topologies = topologies, .engines = engines };

    return weir__main(argc, argv, &program);
}
