/* flags.c: a command's arguments: its own flags, settings, and words.
 *
 * --name value or --name=value; -- ends the flags. A flag that is not the command's own is a setting.
 */
#include "framework/main/commands.h"

struct parser {
    char                   **argv;
    int                      argc, at;
    const struct weir__flag *flags;
    struct weir__config     *config;
    struct weir__args       *args;
};

static const struct weir__flag *find_flag(const struct weir__flag *flags, const char *name, size_t size)
{
    for (; flags->name != NULL; flags++)
        if (strlen(flags->name) == size && strncmp(flags->name, name, size) == 0)
            return flags;
    return NULL;
}

static bool is_setting(const struct weir__config *config, const char *name)
{
    const struct weir_setting *setting;

    for (size_t i = 0; (setting = weir__config_setting(config, i)) != NULL; i++)
        if (strcmp(setting->name, name) == 0)
            return true;
    return strchr(name, '.') != NULL;
}

/* The nearest of the command's flags, --config, --help and the settings. */
static const char *nearest(const struct parser *parser, const char *name)
{
    const char                *names[256] = { "config", "help" };
    size_t                     count = 2;
    const struct weir_setting *setting;

    for (const struct weir__flag *flag = parser->flags; flag->name != NULL && count < ARRAY_SIZE(names); flag++)
        names[count++] = flag->name;
    for (size_t i = 0; (setting = weir__config_setting(parser->config, i)) != NULL && count < ARRAY_SIZE(names); i++)
        names[count++] = setting->name;
    return weir__suggest(name, names, count);
}

static int fail_unknown(const struct parser *parser, const char *name, struct weir_error *reterr)
{
    const char *near = nearest(parser, name);

    if (near != NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "unknown flag --%.80s: did you mean --%s?", name,
                          near);
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "unknown flag --%.80s: \"help\" lists all", name);
}

/* The value after "=", or the next argument. */
static int take_value(struct parser *parser, const char *name, const char *equals, const char **ret,
                      struct weir_error *reterr)
{
    if (equals != NULL)
        *ret = equals + 1;
    else if (parser->at < parser->argc)
        *ret = parser->argv[parser->at++];
    else
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "--%.80s needs a value after it", name);
    return WEIR_OK;
}

static int give(struct parser *parser, const struct weir__flag *flag, const char *equals, struct weir_error *reterr)
{
    struct weir__args *args = parser->args;
    const char        *value = "";
    int                err = WEIR_OK;

    if (flag->value == NULL && equals != NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "--%s takes no value", flag->name);
    if (flag->value != NULL)
        err = take_value(parser, flag->name, equals, &value, reterr);
    if (err < 0)
        return err;
    if (!flag->many && weir__args_has(args, flag->name))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line", "--%s is given twice", flag->name);
    args->given[args->given_count++] = (struct weir__given){ .flag = flag, .value = value };
    return WEIR_OK;
}

/* What the list of processes shows from now on. The configuration has its copy. */
static void hide(const struct parser *parser, const char *name, const char *value)
{
    char *last = parser->argv[parser->at - 1];

    if (weir__config_hides(name, value))
        memset(last + (value - last), '*', strlen(value));
}

static int set(struct parser *parser, const char *name, const char *equals, struct weir_error *reterr)
{
    const char *value = NULL;
    char        where[128];
    int         err = take_value(parser, name, equals, &value, reterr);

    snprintf(where, sizeof(where), "--%.100s", name);
    if (err < 0)
        return err;
    if (strcmp(name, "config") != 0) {
        err = weir__config_set(parser->config, name, value, where, reterr);
        hide(parser, name, value);
        return err;
    }
    parser->args->config_file = value;
    err = weir__config_read_file(parser->config, value, reterr);
    return err;
}

static int take_flag(struct parser *parser, const char *text, struct weir_error *reterr)
{
    const char              *equals = strchr(text, '=');
    size_t                   size = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const struct weir__flag *flag = find_flag(parser->flags, text, size);
    char                     name[256];

    if (flag != NULL)
        return give(parser, flag, equals, reterr);
    snprintf(name, sizeof(name), "%.*s", (int)MIN(size, sizeof(name) - 1), text);
    if (strcmp(name, "help") == 0) {
        parser->args->help = true;
        return WEIR_OK;
    }
    if (strcmp(name, "config") != 0 && !is_setting(parser->config, name))
        return fail_unknown(parser, name, reterr);
    return set(parser, name, equals, reterr);
}

static int take_argument(struct parser *parser, bool *flags_ended, struct weir_error *reterr)
{
    const char *text = parser->argv[parser->at++];

    if (!*flags_ended && strcmp(text, "--") == 0) {
        *flags_ended = true;
        return WEIR_OK;
    }
    if (!*flags_ended && strcmp(text, "-h") == 0) {
        parser->args->help = true;
        return WEIR_OK;
    }
    if (*flags_ended || text[0] != '-' || text[1] == '\0') {
        parser->args->words[parser->args->word_count++] = text;
        return WEIR_OK;
    }
    if (text[1] != '-')
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "command line",
                          "unknown flag %.80s: flags begin with two dashes", text);
    return take_flag(parser, text + 2, reterr);
}

int weir__args_parse(int argc, char **argv, const struct weir__flag *flags, struct weir__config *config,
                     struct weir__args *ret, struct weir_error *reterr)
{
    struct parser parser = { .argv = argv, .argc = argc, .flags = flags, .config = config, .args = ret };
    bool          flags_ended = false;
    int           err = WEIR_OK;

    *ret = (struct weir__args){ .words = weir__zalloc(sizeof(*ret->words) * (size_t)(argc + 1)),
                                .given = weir__zalloc(sizeof(*ret->given) * (size_t)(argc + 1)) };
    if (ret->words == NULL || ret->given == NULL)
        err = weir__fail(reterr, WEIR_NO_MEMORY, "command line", "out of memory");
    while (err == WEIR_OK && parser.at < argc)
        err = take_argument(&parser, &flags_ended, reterr);
    return err;
}

void weir__args_fini(struct weir__args *args)
{
    weir__free(args->words);
    weir__free(args->given);
}

bool weir__args_has(const struct weir__args *args, const char *name)
{
    for (size_t i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i].flag->name, name) == 0)
            return true;
    return false;
}

const char *weir__args_value(const struct weir__args *args, const char *name, const char *otherwise)
{
    for (size_t i = args->given_count; i > 0; i--)
        if (strcmp(args->given[i - 1].flag->name, name) == 0)
            return args->given[i - 1].value;
    return otherwise;
}
