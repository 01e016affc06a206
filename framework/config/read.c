/* read.c: settings from a file's lines and from the environment. */
#include "framework/config/internal.h"

#include <ctype.h>

/* Cuts white space off both ends. */
static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* A line is not quoted in errors: it may hold a secret. */
static int read_line(struct weir__config *config, char *line, const char *where, struct weir_error *reterr)
{
    char *equals;

    line = trim(line);
    if (!*line || *line == '#')
        return WEIR_OK;
    equals = strchr(line, '=');
    if (!equals)
        return weir__fail(reterr, WEIR_BAD_CONFIG, where, "no \"=\" in the line: write \"key = value\"");
    *equals = '\0';
    return weir__config_set_as(config, WEIR__BY_FILE, trim(line), trim(equals + 1), where, reterr);
}

static void format_where(char *ret, size_t size, const char *path, int line)
{
    int room = (int)size - 16, length = (int)strlen(path);

    /* Of a long path the end is what tells files apart. */
    snprintf(ret, size, "%s%s:%d", length > room ? "..." : "", length > room ? path + length - room : path, line);
}

int weir__config_read_file(struct weir__config *config, const char *path, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf file = { 0 };
    char                                 *line, *next, where[sizeof(reterr->where)];
    int                                   number = 0, err;

    err = weir__read_file(path, &file, reterr);
    if (err < 0)
        return err;
    if (memchr(file.data, '\0', file.size))
        return weir__fail(reterr, WEIR_BAD_CONFIG, path, "a zero byte in the file: it is not text");
    weir__buf_putc(&file, '\0');
    if (!weir__buf_ok(&file))
        return weir__fail(reterr, WEIR_NO_MEMORY, path, "out of memory");
    for (line = file.data; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        format_where(where, sizeof(where), path, ++number);
        err = read_line(config, line, where, reterr);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

/* "COMMIT_INTERVAL_MS" to "commit.interval.ms". No setting's name has an underscore. */
static char *key_of_variable(const char *name, size_t size)
{
    char *key = weir__alloc(size + 1);

    for (size_t i = 0; key && i < size; i++)
        key[i] = (char)(name[i] == '_' ? '.' : tolower((unsigned char)name[i]));
    if (key)
        key[size] = '\0';
    return key;
}

static int fail_unknown_variable(const struct weir__config *config, const char *key, const char *variable,
                                 struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf near = { 0 };
    const char                           *name = weir__setting_nearest(config, key);

    if (!name)
        return weir__fail(reterr, WEIR_BAD_CONFIG, variable,
                          "no setting has this variable: unset it (overrides cannot be given in the environment)");
    weir__setting_variable(name, &near);
    weir__buf_putc(&near, '\0');
    return weir__fail(reterr, WEIR_BAD_CONFIG, variable, "no setting has this variable: did you mean \"%s\"?",
                      weir__buf_ok(&near) ? near.data : name);
}

static int read_variable(struct weir__config *config, const char *variable, const char *key, const char *value,
                         struct weir_error *reterr)
{
    bool lower_case = false;

    for (const char *at = variable; *at; at++)
        lower_case |= islower((unsigned char)*at) != 0;
    if (lower_case || (!weir__config_takes(config, key) && strncmp(key, WEIR__KAFKA, strlen(WEIR__KAFKA)) != 0))
        return fail_unknown_variable(config, key, variable, reterr);
    return weir__config_set_as(config, WEIR__BY_ENV, key, value, variable, reterr);
}

static void free_text(char **text) { weir__free(*text); }

int weir__config_read_env(struct weir__config *config, char *const *env, struct weir_error *reterr)
{
    static const char prefix[] = "WEIR_";
    int               err;

    for (; *env; env++) {
        const char *equals = strchr(*env, '=');

        if (strncmp(*env, prefix, strlen(prefix)) != 0 || !equals)
            continue;
        AUTO(free_text) char *variable = weir__strdup(*env);
        AUTO(free_text) char *key = key_of_variable(*env + strlen(prefix), (size_t)(equals - *env) - strlen(prefix));
        if (!variable || !key)
            return weir__fail(reterr, WEIR_NO_MEMORY, "environment", "out of memory");
        variable[equals - *env] = '\0';
        err = read_variable(config, variable, key, equals + 1, reterr);
        if (err < 0)
            return err;
    }
    return WEIR_OK;
}
