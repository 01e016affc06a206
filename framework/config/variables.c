/* variables.c: environment variables of another name than WEIR_..., taken as settings by a table.
 *
 * (1) Nothing of their prefixes is passed over: it sets something, or weir__variables_idle tells that it does not.
 */
#include "framework/config/internal.h"

#include <strings.h>

static bool has_prefix(const struct weir__variables *variables, const char *name)
{
    for (const char *const *prefix = variables->prefixes; *prefix; prefix++)
        if (strncmp(name, *prefix, strlen(*prefix)) == 0)
            return true;
    return false;
}

static bool fits(const struct weir__variable *row, const char *name, size_t size)
{
    size_t length = strlen(row->name);

    if (row->name[length - 1] == '*')
        return size >= length - 1 && strncmp(row->name, name, length - 1) == 0;
    return size == length && strncmp(row->name, name, size) == 0;
}

static const struct weir__variable *find_row(const struct weir__variables *variables, const char *name, size_t size)
{
    for (const struct weir__variable *row = variables->items; row->name; row++)
        if (fits(row, name, size))
            return row;
    return NULL;
}

/* The value of a variable, NULL = it is not given, or empty. */
static const char *find_value(char *const *env, const char *name, size_t size)
{
    for (; *env; env++)
        if (strncmp(*env, name, size) == 0 && (*env)[size] == '=')
            return (*env)[size + 1] ? *env + size + 1 : NULL;
    return NULL;
}

/* ---- values ---- */

/* The word of "old=new|old=new" that stands for value, or the value. */
static void add_word(const char *words, const char *value, struct weir__buf *ret)
{
    size_t size = strlen(value);

    for (const char *at = words; at && *at; at += strcspn(at, "|"), at += *at == '|') {
        if (strncasecmp(at, value, size) != 0 || at[size] != '=')
            continue;
        weir__buf_add(ret, at + size + 1, strcspn(at + size + 1, "|"));
        return;
    }
    weir__buf_puts(ret, value);
}

/* What stands in braces: the value itself, or another variable's. */
static void add_part(const char *part, size_t size, const char *value, char *const *env, struct weir__buf *ret)
{
    const char *bar = memchr(part, '|', size), *other;

    if (size == 0) {
        weir__buf_puts(ret, value);
        return;
    }
    other = find_value(env, part, bar ? (size_t)(bar - part) : size);
    if (other)
        weir__buf_puts(ret, other);
    else if (bar)
        weir__buf_add(ret, bar + 1, size - (size_t)(bar + 1 - part));
}

static void add_formed(const char *form, const char *value, char *const *env, struct weir__buf *ret)
{
    while (*form) {
        size_t plain = strcspn(form, "{"), part;

        weir__buf_add(ret, form, plain);
        form += plain;
        if (!*form)
            break;
        part = strcspn(++form, "}");
        add_part(form, part, value, env, ret);
        form += part + 1;
    }
}

static int set_row(struct weir__config *config, const struct weir__variable *row, const char *value, char *const *env,
                   struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf word = { 0 };
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };

    add_word(row->words, value, &word);
    weir__buf_putc(&word, '\0');
    if (weir__buf_ok(&word))
        add_formed(row->form ? row->form : "{}", word.data, env, &text);
    weir__buf_putc(&text, '\0');
    if (!weir__buf_ok(&word) || !weir__buf_ok(&text))
        return weir__fail(reterr, WEIR_NO_MEMORY, row->name, "out of memory");
    return weir__config_set_as(config, WEIR__BY_VARIABLE, row->key, text.data, row->name, reterr);
}

/* "NAME_FILE" of a row whose setting may be given as a file. */
static bool file_name(const struct weir__variable *row, char ret[static 128])
{
    return row->key && !row->form && weir__setting_may_be_file(row->key) &&
           snprintf(ret, 128, "%s_FILE", row->name) < 128;
}

/* The row's own variable goes before the one that names a file. */
static int read_row(struct weir__config *config, const struct weir__variable *row, char *const *env,
                    struct weir_error *reterr)
{
    const char *value = find_value(env, row->name, strlen(row->name));
    char        name[128], key[128];

    if (value)
        return set_row(config, row, value, env, reterr);
    value = file_name(row, name) ? find_value(env, name, strlen(name)) : NULL;
    if (!value)
        return WEIR_OK;
    snprintf(key, sizeof(key), "%s.file", row->key);
    return weir__config_set_as(config, WEIR__BY_VARIABLE, key, value, name, reterr);
}

static size_t count_rows(const struct weir__variables *variables)
{
    size_t count = 0;

    while (variables->items[count].name)
        count++;
    return count;
}

int weir__config_read_variables(struct weir__config *config, char *const *env,
                                const struct weir__variables *variables, struct weir_error *reterr)
{
    int err = WEIR_OK;

    /* From the last: what the first says of a key counts. */
    for (size_t i = count_rows(variables); err == WEIR_OK && i > 0; i--)
        if (variables->items[i - 1].key)
            err = read_row(config, &variables->items[i - 1], env, reterr);
    return err;
}

/* ---- what means nothing ---- */

static bool names_file(const struct weir__variables *variables, const char *name, size_t size)
{
    char file[128];

    for (const struct weir__variable *row = variables->items; row->name; row++)
        if (file_name(row, file) && strlen(file) == size && strncmp(file, name, size) == 0)
            return true;
    return false;
}

bool weir__variables_idle(const struct weir__variables *variables, char *const *env, size_t *at,
                          struct weir__idle_variable *ret)
{
    while (env[*at]) {
        const char                  *name = env[(*at)++];
        size_t                       size = strcspn(name, "=");
        const struct weir__variable *row = find_row(variables, name, size);

        if (!name[size] || !has_prefix(variables, name) || (row && row->key) || names_file(variables, name, size))
            continue;
        *ret = (struct weir__idle_variable){ .name = name,
                                             .size = size,
                                             .why = row ? row->reason
                                                        : "no setting goes by it: docs/configuration.md lists all" };
        return true;
    }
    return false;
}

static void print_form(const char *form, struct weir__buf *ret)
{
    weir__buf_puts(ret, " as `");
    for (; *form; form++)
        weir__buf_printf(ret, "%s%c", *form == '|' ? "\\" : "", *form);
    weir__buf_puts(ret, "`");
}

void weir__variables_markdown(const struct weir__variables *variables, struct weir__buf *ret)
{
    weir__buf_puts(ret, "| variable | setting | |\n|---|---|---|\n");
    for (const struct weir__variable *row = variables->items; row->name; row++) {
        weir__buf_printf(ret, "| `%s` | ", row->name);
        if (row->key)
            weir__buf_printf(ret, "`%s` |", row->key);
        else
            weir__buf_puts(ret, "none |");
        if (row->form)
            print_form(row->form, ret);
        if (row->reason)
            weir__buf_printf(ret, " %s", row->reason);
        weir__buf_puts(ret, " |\n");
    }
}
