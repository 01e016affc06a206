/* print.c: the settings for people: --help, the manual's page, and what is in force. */
#define _GNU_SOURCE
#include "framework/config/internal.h"

#define HIDDEN "********"

/* The default as it is printed, in the largest unit that fits; nothing when there is none. */
static void print_standard(const struct weir_setting *setting, struct weir__buf *ret)
{
    int64_t number = 0;

    if (!setting->standard)
        return;
    if (setting->type == WEIR_SETTING_TEXT || setting->type == WEIR_SETTING_CHOICE ||
        setting->type == WEIR_SETTING_BOOL) {
        weir__buf_puts(ret, setting->standard);
        return;
    }
    CHECK(weir__setting_parse(setting, setting->standard, &number, "", NULL) == WEIR_OK);
    weir__setting_number(setting, number, ret);
}

static void print_wrapped(struct weir__buf *ret, const char *text)
{
    enum { INDENT = 6, WIDTH = 96 };
    size_t column = 0;

    while (*text) {
        size_t word = strcspn(text, " ");

        if (!column || column + 1 + word > WIDTH) {
            weir__buf_printf(ret, "%s%*s", column ? "\n" : "", INDENT, "");
            column = INDENT;
        } else {
            weir__buf_putc(ret, ' ');
            column++;
        }
        weir__buf_add(ret, text, word);
        column += word;
        text += word;
        text += *text == ' ';
    }
    weir__buf_putc(ret, '\n');
}

static void help_setting(const struct weir_setting *setting, struct weir__buf *ret)
{
    weir__buf_printf(ret, "  --%s=", setting->name);
    weir__setting_range(setting, ret);
    if (setting->standard) {
        weir__buf_puts(ret, " (default ");
        print_standard(setting, ret);
        weir__buf_putc(ret, ')');
    }
    weir__buf_putc(ret, '\n');
    print_wrapped(ret, setting->meaning);
}

void weir__config_help(const struct weir__config *config, struct weir__buf *ret)
{
    weir__buf_puts(
        ret, "Settings, as --key=value, as key = value in a file, or as the variable WEIR_KEY (upper case, dots\n"
             "to underscores); a flag is stronger than a variable, a variable than a file.\n"
             "Durations: 250ms, 5s, 1.5s, 10m, 2h, 7d, or plain ms. Sizes: 64k, 16m, 2g, or plain bytes.\n\n");
    for (size_t i = 0; i < config->setting_count; i++)
        help_setting(config->settings[i], ret);
    weir__buf_puts(ret, "  --kafka.PROPERTY=VALUE\n");
    print_wrapped(
        ret, "Hands a property of librdkafka on to its clients, as in --kafka.bootstrap.servers=localhost:9092.");
    weir__buf_puts(ret, "  --TOPOLOGY.NODE_OR_STORE.FIELD=VALUE\n");
    print_wrapped(ret,
                  "Overrides a declared field, as in --aggregation.minute_s.grace=10m; flags and files only, not "
                  "variables. Fields:");
    for (const struct weir__field *field = weir__fields; field->name; field++) {
        weir__buf_printf(ret, "      %-11s%s\n", field->name, field->value);
    }
}

static void print_row(const struct weir_setting *setting, struct weir__buf *ret)
{
    weir__buf_printf(ret, "| `%s` | ", setting->name);
    if (setting->standard) {
        weir__buf_putc(ret, '`');
        print_standard(setting, ret);
        weir__buf_puts(ret, "` | ");
    } else {
        weir__buf_puts(ret, "none | ");
    }
    weir__setting_range(setting, ret);
    weir__buf_puts(ret, " | `");
    weir__setting_variable(setting->name, ret);
    weir__buf_printf(ret, "` | %s |\n", setting->meaning);
}

#define HEADING "| key | default | value | variable | meaning |\n|---|---|---|---|---|\n"

/* The program's own settings, where it has any. */
static void print_own(const struct weir__config *config, size_t from, struct weir__buf *ret)
{
    if (from < config->setting_count)
        weir__buf_puts(ret,
                       "\n## Settings of the pipeline\n\nOf `data-processing`, given in the same ways.\n\n" HEADING);
    for (size_t i = from; i < config->setting_count; i++)
        print_row(config->settings[i], ret);
}

void weir__config_markdown(const struct weir__config *config, struct weir__buf *ret)
{
    size_t i = 0;

    weir__buf_puts(
        ret,
        "# Configuration\n\n"
        "Made from the tables in `framework/config/settings.c` and `topologies/`: change it there.\n\n"
        "A setting is given as a flag (`--commit.interval.ms=50`), as an environment variable\n"
        "(`WEIR_COMMIT_INTERVAL_MS=50`) or as a line of a file (`commit.interval.ms = 50`; lines that begin with\n"
        "`#` are comments). A flag is stronger than a variable, a variable is stronger than a file; of two equals\n"
        "the last one counts. An unknown key, and an unknown variable that begins with `WEIR_`, is an error.\n"
        "Kubernetes sets such variables for a service named `weir`: `enableServiceLinks: false` stops it.\n\n"
        "Durations are written `250ms`, `5s`, `1.5s`, `10m`, `2h`, `7d`, or as plain milliseconds; sizes `64k`, `16m`,\n"
        "`2g` (powers of 1024), or as plain bytes.\n\n" HEADING);
    for (; i < config->setting_count && weir__settings[i].name; i++)
        print_row(config->settings[i], ret);
    print_own(config, i, ret);
    weir__buf_puts(
        ret,
        "\n## Properties of Kafka's client\n\n"
        "`kafka.<property>` hands a property of librdkafka on, as in `kafka.bootstrap.servers = localhost:9092`;\n"
        "as a variable `WEIR_KAFKA_BOOTSTRAP_SERVERS`. The embedded log takes none.\n\n"
        "`memory.max` sizes the client's queues: `queued.max.messages.kbytes`, `queued.min.messages`,\n"
        "`fetch.message.max.bytes`, `fetch.max.bytes`, `queue.buffering.max.kbytes`, `queue.buffering.max.messages`,\n"
        "`batch.size`. One that is given as `kafka.<property>` goes before that, for each partition or producer.\n\n"
        "## Overrides of a topology\n\n"
        "`<topology>.<node or store>.<field>` replaces a declared field, as in `aggregation.minute_s.grace = 10m`.\n"
        "It is checked when the topology is compiled, and `describe` prints the result; one that nothing asks for\n"
        "is an error. Overrides are given as flags or in a file, not in the environment.\n\n"
        "| field | of | value | meaning |\n|---|---|---|---|\n");
    for (const struct weir__field *field = weir__fields; field->name; field++)
        weir__buf_printf(ret, "| `%s` | %s | %s | %s |\n", field->name, field->of, field->value, field->meaning);
    weir__buf_puts(
        ret,
        "\n## Secrets\n\n"
        "Values of keys that end in `password`, `secret`, `token`, `.key`, `.key.pem` or `oauthbearer.config` are not printed, nor is a password\n"
        "inside another value: `redis://user:password@host`, `password=word`.\n\n"
        "Such a setting, and one that ends in `.url` or `.dsn`, may be given as a file: `<key>.file`\n"
        "(`--redis.password.file=PATH`, `WEIR_REDIS_PASSWORD_FILE`; of the variables below with `_FILE` behind them).\n"
        "The text of the file without the end of its last line is the value. `docs/security.md` says when it is read again.\n");
}

/* Between "//user:" and the last @, or from "//" on where there is no colon: a password may have any of / @ and :. */
static const char *password_of_url(const char *value, size_t *ret_size)
{
    const char *user = strstr(value, "//") + 2;
    const char *at = memrchr(user, '@', strcspn(user, " ")),
               *colon = at != NULL ? memchr(user, ':', (size_t)(at - user)) : NULL;
    const char *password = colon != NULL ? colon + 1 : user;

    if (at == NULL)
        return NULL;
    *ret_size = (size_t)(at - password);
    return password;
}

/* Behind "password=", or "password = ". */
static const char *password_of_words(const char *value, size_t *ret_size)
{
    const char *at = value;

    while ((at = strstr(at, "password")) != NULL) {
        at += strlen("password");
        at += strspn(at, " ");
        if (*at != '=')
            continue;
        at += 1 + strspn(at + 1, " ");
        *ret_size = *at == '\'' || *at == '"' ? strlen(at) : strcspn(at, " &");
        return at;
    }
    return NULL;
}

/* The first password inside a value; NULL = there is none. */
static const char *find_password(const char *value, size_t *ret_size)
{
    const char *found = strstr(value, "//") != NULL ? password_of_url(value, ret_size) : NULL;

    return found != NULL ? found : password_of_words(value, ret_size);
}

/* What may have one inside is hidden also where it is not written as it should be, as print_mixed does. */
bool weir__config_hides(const char *key, const char *value)
{
    size_t size;

    return weir__setting_is_secret(key) || find_password(value, &size) != NULL ||
           (weir__setting_may_be_file(key) && strpbrk(value, "@=") != NULL);
}

static bool any_hidden(const struct weir__pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (weir__config_hides(pairs->items[i].key, pairs->items[i].value))
            return true;
    return false;
}

bool weir__config_has_secrets(const struct weir__config *config)
{
    for (size_t i = 0; i < config->setting_count; i++)
        if (config->values[i].text != NULL &&
            (config->values[i].file != NULL || weir__config_hides(config->settings[i]->name, config->values[i].text)))
            return true;
    return any_hidden(&config->kafka) || any_hidden(&config->overrides);
}

static void print_open(struct weir__buf *ret, const char *value)
{
    const char *password;
    size_t      size;

    while ((password = find_password(value, &size)) != NULL) {
        weir__buf_printf(ret, "%.*s" HIDDEN, (int)(password - value), value);
        value = password + size;
    }
    weir__buf_puts(ret, value);
}

/* Of "name=value name=value", where a name may be misspelt: those alone that are known to be no secret. */
static bool is_open_word(const char *word, size_t size)
{
    static const char *const open[] = { "host",    "hostaddr",    "port",    "user",   "dbname",
                                        "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout" };

    for (size_t i = 0; i < ARRAY_SIZE(open); i++)
        if (strlen(open[i]) == size && strncmp(open[i], word, size) == 0)
            return true;
    return false;
}

static void print_words(struct weir__buf *ret, const char *value)
{
    for (const char *at = value; *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " "), name = strcspn(at, "= ");

        weir__buf_puts(ret, at > value ? " " : "");
        if (is_open_word(at, name))
            weir__buf_add(ret, at, size);
        else
            weir__buf_printf(ret, "%.*s=" HIDDEN, at[name] == '=' ? (int)name : 0, at);
        at += size;
    }
}

/* What people write where a secret may be inside: also where it is not written as it should be. */
static void print_mixed(struct weir__buf *ret, const char *value)
{
    const char *host = strrchr(value, '@');

    if (strstr(value, "://") != NULL)
        print_open(ret, value);
    else if (strchr(value, '=') != NULL)
        print_words(ret, value);
    else
        weir__buf_printf(ret, "%s%s", host != NULL ? HIDDEN : "", host != NULL ? host : value);
}

static void print_value(struct weir__buf *ret, const char *before, const char *key, const char *value, bool secret)
{
    weir__buf_printf(ret, "%s%s%s=", ret->size ? ", " : "", before, key);
    if (secret)
        weir__buf_puts(ret, HIDDEN);
    else if (weir__setting_may_be_file(key))
        print_mixed(ret, value);
    else
        print_open(ret, value);
}

static void print_pair(struct weir__buf *ret, const char *before, const struct weir__pair *pair)
{
    print_value(ret, before, pair->key, pair->value, weir__setting_is_secret(pair->key));
}

void weir__config_print(const struct weir__config *config, struct weir__buf *ret)
{
    for (size_t i = 0; i < config->setting_count; i++) {
        const struct weir_setting *setting = config->settings[i];
        const char                *text = config->values[i].text;

        if (text && (!setting->standard || strcmp(text, setting->standard) != 0))
            print_value(ret, "", setting->name, text,
                        config->values[i].file != NULL || weir__setting_is_secret(setting->name));
    }
    for (size_t i = 0; i < config->kafka.count; i++)
        print_pair(ret, WEIR__KAFKA, &config->kafka.items[i]);
    for (size_t i = 0; i < config->overrides.count; i++)
        print_pair(ret, "", &config->overrides.items[i]);
}
