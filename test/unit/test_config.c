/* test_config.c: settings from all sides, their strength, bounds, errors and printed forms. */
#include "framework/config/config.h"
#include "test/run.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static struct weir__config *config;
static struct weir_error    err;
static char                 path[64];
static struct weir__buf     text;

static void set_up(void)
{
    static const char *const topologies[] = { "aggregation", "bars", NULL };
    int                      fd;

    ck_assert_int_eq(weir__config_new(topologies, NULL, &config, NULL), WEIR_OK);
    snprintf(path, sizeof(path), "/tmp/weir-test-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    err = (struct weir_error){ 0 };
}

static void tear_down(void)
{
    weir__config_free(config);
    weir__buf_fini(&text);
    unlink(path);
}

static int read_text(const char *lines)
{
    ck_assert_int_eq(weir__write_file(path, BYTES(lines, strlen(lines)), NULL), WEIR_OK);
    return weir__config_read_file(config, path, &err);
}

static int read_env(const char *variable)
{
    char *env[] = { (char *)(uintptr_t) "HOME=/", (char *)(uintptr_t) "WEIRD=1", (char *)(uintptr_t)variable, NULL };

    return weir__config_read_env(config, env, &err);
}

static int set(const char *key, const char *value) { return weir__config_set(config, key, value, "--flag", &err); }

/* err stands at path:line and says words. */
static void expect_line(int line, const char *words)
{
    char where[80];

    snprintf(where, sizeof(where), "%s:%d", path, line);
    ck_assert_int_eq(err.code, WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.where, where);
    ck_assert_msg(strstr(err.text, words), "\"%s\" is not in: %s", words, err.text);
}

static const char *finish(void)
{
    weir__buf_putc(&text, '\0');
    ck_assert(weir__buf_ok(&text));
    return text.data;
}

START_TEST(defaults_are_in_force)
{
    ck_assert_str_eq(weir__config_text(config, "delivery"), "exactly_once");
    ck_assert_ptr_null(weir__config_text(config, "application.id"));
    ck_assert_int_eq(weir__config_int(config, "commit.interval.ms"), 100);
    ck_assert_int_eq(weir__config_int(config, "state.flush.interval.ms"), 30000);
    ck_assert_int_eq(weir__config_int(config, "statestore.cache.max.bytes"), 10 << 20);
    ck_assert(!weir__config_bool(config, "ensure.explicit.names"));
}
END_TEST

START_TEST(every_setting_is_whole)
{
    for (const struct weir_setting *row = weir__settings; row->name; row++) {
        size_t size = strlen(row->meaning);

        ck_assert_msg(size > 20 && row->meaning[size - 1] == '.', "%s: no sentence", row->name);
        ck_assert_msg(!strpbrk(row->name, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "%s: has no variable", row->name);
        ck_assert_msg((row->type == WEIR_SETTING_CHOICE) == (row->choices != NULL), "%s: choices", row->name);
        if (strcmp(row->name, "http.port") != 0) /* which topologies declare, where nobody sets it */
            ck_assert_msg(row->type == WEIR_SETTING_TEXT || row->standard, "%s: no default", row->name);
    }
}
END_TEST

START_TEST(a_file_is_lines_and_comments)
{
    ck_assert_int_eq(read_text("# comment\n\n  commit.interval.ms =  5s \r\n"
                               "\tdead.letters.topic=a = b # c\nstate.dir =\nensure.explicit.names = true"),
                     WEIR_OK);
    ck_assert_int_eq(weir__config_int(config, "commit.interval.ms"), 5000);
    ck_assert_str_eq(weir__config_text(config, "dead.letters.topic"), "a = b # c");
    ck_assert_str_eq(weir__config_text(config, "state.dir"), "");
    ck_assert(weir__config_bool(config, "ensure.explicit.names"));
}
END_TEST

START_TEST(a_bad_line_is_named)
{
    ck_assert_int_eq(read_text("threads = 2\n\nno equals here\n"), WEIR_BAD_CONFIG);
    expect_line(3, "\"=\"");
    ck_assert_ptr_null(strstr(err.text, "equals here"));
    ck_assert_int_eq(read_text("threads = 2\ncomit.interval.ms = 7"), WEIR_BAD_CONFIG);
    expect_line(2, "did you mean \"commit.interval.ms\"?");
    ck_assert_int_eq(read_text("threads = many"), WEIR_BAD_CONFIG);
    expect_line(1, "threads is \"many\", it must be a number from 0 to 1024");
    ck_assert_int_eq(read_text("= 1"), WEIR_BAD_CONFIG);
    ck_assert_int_eq(weir__config_read_file(config, "/nowhere/weir.conf", &err), WEIR_NOTFOUND);
    ck_assert_str_eq(err.where, "/nowhere/weir.conf");
}
END_TEST

START_TEST(a_file_that_is_not_text_is_refused)
{
    ck_assert_int_eq(weir__write_file(path, BYTES("threads = 2\0\n", 13), NULL), WEIR_OK);
    ck_assert_int_eq(weir__config_read_file(config, path, &err), WEIR_BAD_CONFIG);
}
END_TEST

START_TEST(a_long_path_keeps_its_line)
{
    char long_path[400];

    memset(long_path, 'p', sizeof(long_path));
    memcpy(long_path, "/tmp/weir-test-", 15);
    memset(long_path + 200, '\0', 1);
    ck_assert_int_eq(weir__write_file(long_path, BYTES("\nx", 2), NULL), WEIR_OK);
    ck_assert_int_eq(weir__config_read_file(config, long_path, &err), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.where + strlen(err.where) - 4, "pp:2");
    unlink(long_path);
}
END_TEST

START_TEST(variables_are_upper_case_keys)
{
    ck_assert_int_eq(read_env("WEIR_COMMIT_INTERVAL_MS=250"), WEIR_OK);
    ck_assert_int_eq(weir__config_int(config, "commit.interval.ms"), 250);
    ck_assert_int_eq(read_env("WEIR_KAFKA_BOOTSTRAP_SERVERS=a:1=x"), WEIR_OK);
    ck_assert_str_eq(weir__config_kafka(config)[0], "bootstrap.servers=a:1=x");
}
END_TEST

START_TEST(unknown_variables_are_errors)
{
    ck_assert_int_eq(read_env("WEIR_COMIT_INTERVAL_MS=1"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.where, "WEIR_COMIT_INTERVAL_MS");
    ck_assert_ptr_nonnull(strstr(err.text, "did you mean \"WEIR_COMMIT_INTERVAL_MS\"?"));
    ck_assert_int_eq(read_env("WEIR_commit_interval_ms=1"), WEIR_BAD_CONFIG);
    ck_assert_int_eq(read_env("WEIR_AGGREGATION_MINUTE_GRACE=1m"), WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "overrides"));
    ck_assert_int_eq(read_env("WEIR_THREADS=x"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.where, "WEIR_THREADS");
}
END_TEST

START_TEST(a_flag_beats_a_variable_beats_a_file)
{
    ck_assert_int_eq(set("threads", "3"), WEIR_OK);
    ck_assert_int_eq(read_env("WEIR_THREADS=2"), WEIR_OK);
    ck_assert_int_eq(read_text("threads = 1\nkafka.a = file\naggregation.n.grace = 1m\n"), WEIR_OK);
    ck_assert_int_eq(weir__config_int(config, "threads"), 3);
    ck_assert_int_eq(read_env("WEIR_KAFKA_A=env"), WEIR_OK);
    ck_assert_int_eq(read_text("kafka.a = file"), WEIR_OK);
    ck_assert_str_eq(weir__config_kafka(config)[0], "a=env");
    ck_assert_int_eq(set("aggregation.n.grace", "2m"), WEIR_OK);
    ck_assert_int_eq(read_text("aggregation.n.grace = 3m"), WEIR_OK);
    ck_assert_str_eq(weir__config_override(config, "aggregation", "n", "grace"), "2m");
    /* The weaker one is checked all the same. */
    ck_assert_int_eq(read_text("threads = x"), WEIR_BAD_CONFIG);
    ck_assert_int_eq(set("threads", "4"), WEIR_OK);
    ck_assert_int_eq(weir__config_int(config, "threads"), 4);
}
END_TEST

START_TEST(bounds_are_checked_when_set)
{
    static const char *const wrong[][2] = {
        { "threads", "1025" },
        { "threads", "-1" },
        { "threads", "" },
        { "threads", "1s" },
        { "max.task.idle.ms", "-2" },
        { "commit.interval.ms", "2d" },
        { "record.memory.max", "1" },
        { "max.record.bytes", "2g" },
        { "delivery", "exactly" },
        { "delivery", "exactly_once|at_least_once" },
        { "delivery", "" },
        { "ensure.explicit.names", "yes" },
        { "memory.max", "-1" },
        { "buffered.records.per.partition", "0" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        ck_assert_int_eq(set(wrong[i][0], wrong[i][1]), WEIR_BAD_CONFIG);
        ck_assert_str_eq(err.where, "--flag");
        ck_assert_ptr_nonnull(strstr(err.text, wrong[i][0]));
    }
    ck_assert_int_eq(set("max.task.idle.ms", "-1"), WEIR_OK);
    ck_assert_int_eq(weir__config_int(config, "max.task.idle.ms"), -1);
    ck_assert_int_eq(set("commit.interval.ms", "2d"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.text, "commit.interval.ms is \"2d\", it must be a duration from 0 to 1d");
    ck_assert_int_eq(set("log.level", "loud"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.text, "log.level is \"loud\", it must be debug, info, warn or error");
    ck_assert_int_eq(set("memory.max", "lots"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.text, "memory.max is \"lots\", it must be a size of at least 0");
}
END_TEST

START_TEST(overrides_need_a_topology_and_three_parts)
{
    ck_assert_int_eq(set("aggregation.minute_s.grace", "10m"), WEIR_OK);
    ck_assert_int_eq(set("aggregation.grace", "10m"), WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "three parts"));
    ck_assert_int_eq(set("aggregation.a.b.c", "10m"), WEIR_BAD_CONFIG);
    ck_assert_int_eq(set("aggregation..grace", "10m"), WEIR_BAD_CONFIG);
    ck_assert_int_eq(set("other.minute_s.grace", "10m"), WEIR_BAD_CONFIG);
    ck_assert_int_eq(set("", "10m"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(weir__config_override(config, "aggregation", "minute_s", "grace"), "10m");
    ck_assert_ptr_null(weir__config_override(config, "aggregation", "minute", "grace"));
    ck_assert_ptr_null(weir__config_override(config, "bars", "minute_s", "grace"));
}
END_TEST

/* The next unused override is that one (NULL = none), given on a line that ends so. */
static void expect_unused(const char *topology, size_t *at, const char *key, const char *line)
{
    struct weir__unused unused;

    ck_assert_int_eq(weir__config_unused(config, topology, at, &unused), key != NULL);
    if (key == NULL)
        return;
    ck_assert_str_eq(unused.key, key);
    ck_assert_ptr_nonnull(strstr(unused.where, line));
    ck_assert_ptr_eq(unused.field, strrchr(unused.key, '.') + 1);
    ck_assert_ptr_eq(unused.element + unused.element_size + 1, unused.field);
}

START_TEST(unused_overrides_are_named)
{
    size_t at = 0;

    ck_assert_int_eq(read_text("aggregation.a.grace = 1m\naggregation.b.grase = 1m\naggregation.c.x = 1\n"
                               "bars.a.grace = 2m\n"),
                     WEIR_OK);
    ck_assert_ptr_nonnull(weir__config_override(config, "aggregation", "a", "grace"));
    expect_unused("aggregation", &at, "aggregation.b.grase", ":2");
    expect_unused("aggregation", &at, "aggregation.c.x", ":3");
    expect_unused("aggregation", &at, NULL, NULL);
    at = 0;
    expect_unused("bars", &at, "bars.a.grace", ":4");
    ck_assert_ptr_nonnull(weir__config_override(config, "bars", "a", "grace"));
    at = 0;
    expect_unused("bars", &at, NULL, NULL);
}
END_TEST

START_TEST(kafka_properties_pass_through)
{
    ck_assert_ptr_null(weir__config_kafka(config)[0]);
    ck_assert_int_eq(set("kafka.bootstrap.servers", "a:1"), WEIR_OK);
    ck_assert_int_eq(set("kafka.client.id", "x"), WEIR_OK);
    ck_assert_int_eq(set("kafka.bootstrap.servers", "b:2"), WEIR_OK);
    ck_assert_str_eq(weir__config_kafka(config)[0], "bootstrap.servers=b:2");
    ck_assert_str_eq(weir__config_kafka(config)[1], "client.id=x");
    ck_assert_ptr_null(weir__config_kafka(config)[2]);
    ck_assert_int_eq(set("kafka.", "x"), WEIR_BAD_CONFIG);
    ck_assert_int_eq(set("bootstrap.servers", "x"), WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "kafka."));
}
END_TEST

START_TEST(what_is_in_force_hides_secrets)
{
    ck_assert_int_eq(set("threads", "2"), WEIR_OK);
    ck_assert_int_eq(set("log.level", "info"), WEIR_OK);
    ck_assert_int_eq(set("kafka.sasl.password", "hunter2"), WEIR_OK);
    ck_assert_int_eq(set("kafka.ssl.key", "hunter2"), WEIR_OK);
    ck_assert_int_eq(set("kafka.ssl.key.pem", "hunter2"), WEIR_OK);
    ck_assert_int_eq(set("kafka.sasl.oauthbearer.client.SECRET", "hunter2"), WEIR_OK);
    ck_assert_int_eq(set("aggregation.feed.token", "hunter2"), WEIR_OK);
    ck_assert_int_eq(set("aggregation.feed.grace", "1m"), WEIR_OK);
    ck_assert_int_eq(set("aggregation.feed.from", "redis://me:hunter2@host/0"), WEIR_OK);
    ck_assert_int_eq(set("aggregation.feed.into", "host=h password=hunter2 user=me"), WEIR_OK);
    weir__config_print(config, &text);
    ck_assert_str_eq(finish(), "threads=2, kafka.sasl.password=********, kafka.ssl.key=********, "
                               "kafka.ssl.key.pem=********, kafka.sasl.oauthbearer.client.SECRET=********, "
                               "aggregation.feed.token=********, aggregation.feed.grace=1m, "
                               "aggregation.feed.from=redis://me:********@host/0, "
                               "aggregation.feed.into=host=h password=******** user=me");
}
END_TEST

static const struct {
    const char *given, *shown;
} passwords[] = {
    { "redis://me:hun/ter2@host/0", "redis://me:********@host/0" },
    { "redis://:hun/t@er2@host:6379", "redis://:********@host:6379" },
    { "redis://hunter2@host", "redis://********@host" },
    { "http://host:8123/path", "http://host:8123/path" },
    { "user=me password=\"hun ter2\"", "user=me password=********" },
    { "x password=hun; password = ter2", "x password=******** password = ********" },
};

START_TEST(a_password_inside_a_value_is_hidden)
{
    ck_assert_int_eq(set("aggregation.feed.from", passwords[_i].given), WEIR_OK);
    weir__config_print(config, &text);
    ck_assert(strncmp(finish(), "aggregation.feed.from=", 22) == 0);
    ck_assert_str_eq(text.data + 22, passwords[_i].shown);
    ck_assert_int_eq(weir__config_hides("aggregation.feed.from", passwords[_i].given),
                     strchr(passwords[_i].shown, '*') != NULL);
}
END_TEST

START_TEST(help_and_manual_have_every_setting)
{
    char name[80];

    weir__config_help(config, &text);
    finish();
    for (const struct weir_setting *row = weir__settings; row->name; row++) {
        snprintf(name, sizeof(name), "\n  --%s=", row->name);
        ck_assert_msg(strstr(text.data, name), "--help lacks %s", row->name);
    }
    ck_assert_ptr_nonnull(strstr(text.data, "  --commit.interval.ms=a duration from 0 to 1d (default 100ms)\n"));
    for (const struct weir__field *field = weir__fields; field->name; field++) {
        snprintf(name, sizeof(name), "\n      %-11s%s\n", field->name, field->value);
        ck_assert_msg(strstr(text.data, name), "--help lacks %s", field->name);
    }
    weir__buf_reset(&text);
    weir__config_markdown(config, &text);
    finish();
    for (const struct weir_setting *row = weir__settings; row->name; row++) {
        snprintf(name, sizeof(name), "\n| `%s` | ", row->name);
        ck_assert_msg(strstr(text.data, name), "the manual lacks %s", row->name);
        ck_assert_ptr_nonnull(strstr(text.data, row->meaning));
    }
    ck_assert_ptr_nonnull(strstr(text.data, "| `WEIR_COMMIT_INTERVAL_MS` |"));
}
END_TEST

/* ---- settings of a program's own ---- */

/* clang-format off */
static const struct weir_setting own[] = {
    { "cache.url", WEIR_SETTING_TEXT, NULL, 0, 0, NULL, "Where the cache is, without it there is none." },
    { "cache.ttl.ms", WEIR_SETTING_DURATION, "1h", 0, 86400000, NULL, "How long what is in the cache stays there." },
    { "cache.password", WEIR_SETTING_TEXT, NULL, 0, 0, NULL, "What the cache asks for." },
    { "where", WEIR_SETTING_CHOICE, "here", 0, 0, "here|there", "Which of the two places it is." },
    { .name = NULL },
};
/* clang-format on */

/* In place of the usual one; two topologies name the same table. */
static void with_own(void)
{
    static const char *const                topologies[] = { "aggregation", "bars", NULL };
    static const struct weir_setting *const tables[] = { own, own, NULL };

    weir__config_free(config);
    config = NULL;
    ck_assert_int_eq(weir__config_new(topologies, tables, &config, &err), WEIR_OK);
}

START_TEST(a_programs_own_settings_are_as_ours)
{
    const struct weir_settings *seen;

    with_own();
    seen = weir__config_public(config);
    ck_assert_ptr_null(weir_settings_text(seen, "cache.url"));
    ck_assert_int_eq(weir_settings_number(seen, "cache.ttl.ms"), 3600000);
    ck_assert_str_eq(weir_settings_text(seen, "where"), "here");
    ck_assert_int_eq(read_text("cache.url = file\ncache.ttl.ms = 5m"), WEIR_OK);
    ck_assert_int_eq(read_env("WEIR_CACHE_URL=env"), WEIR_OK);
    ck_assert_int_eq(set("cache.ttl.ms", "7s"), WEIR_OK);
    ck_assert_int_eq(set("cache.password", "hunter2"), WEIR_OK);
    ck_assert_str_eq(weir_settings_text(seen, "cache.url"), "env");
    ck_assert_int_eq(weir_settings_number(seen, "cache.ttl.ms"), 7000);
    ck_assert_str_eq(weir_settings_text(seen, "delivery"), "exactly_once");
    ck_assert_int_eq(set("cache.ttl.ms", "2d"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.text, "cache.ttl.ms is \"2d\", it must be a duration from 0 to 1d");
    ck_assert_int_eq(set("cache.tlt.ms", "2d"), WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "did you mean \"cache.ttl.ms\"?"));
    weir__config_print(config, &text);
    ck_assert_str_eq(finish(), "cache.url=env, cache.ttl.ms=7s, cache.password=********");
    weir__buf_reset(&text);
    weir__config_help(config, &text);
    ck_assert_ptr_nonnull(strstr(finish(), "\n  --cache.ttl.ms=a duration from 0 to 1d (default 1h)\n"));
    weir__buf_reset(&text);
    weir__config_markdown(config, &text);
    ck_assert_ptr_nonnull(strstr(finish(), "| `where` | `here` | here or there | `WEIR_WHERE` | Which of the two"));
}
END_TEST

START_TEST(settings_that_cannot_be_added_are_named)
{
    static const char *const         topologies[] = { NULL };
    static const struct weir_setting rows[][2] = {
        { { .name = "threads", .type = WEIR_SETTING_INT, .max = 1, .meaning = "Weir's own." } },
        { { .name = "Cache", .meaning = "No variable stands for it." } },
        { { .name = "kafka.acks", .meaning = "The client's." } },
        { { .name = "many", .type = WEIR_SETTING_INT, .standard = "2", .max = 1, .meaning = "Out of bounds." } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct weir_setting *const tables[] = { rows[i], NULL };
        struct weir__config             *none;

        ck_assert_int_eq(weir__config_new(topologies, tables, &none, &err), WEIR_BAD_TOPOLOGY);
        ck_assert_str_eq(err.where, rows[i]->name);
    }
}
END_TEST

/* ---- variables of other names ---- */

/* clang-format off */
static const struct weir__variable rows[] = {
    { "OLD_CACHE_URL", "cache.url", NULL, NULL, NULL },
    { "OLD_CACHE_HOST", "cache.url", "tcp://{}:{OLD_CACHE_PORT|1}/{OLD_CACHE_DB}", NULL, NULL },
    { "OLD_TTL_SECONDS", "cache.ttl.ms", "{}s", NULL, NULL },
    { "OLD_PLACE", "where", NULL, "ici=here|LA=there", NULL },
    { "OLD_CACHE_PORT", NULL, NULL, NULL, "part of another" },
    { "OLD_POOL_*", NULL, NULL, NULL, "there are no pools" },
    { .name = NULL },
};
/* clang-format on */
static const char *const            prefixes[] = { "OLD_", NULL };
static const struct weir__variables old = { rows, prefixes };

/* Words: "NAME=value NAME=value". */
static int read_old(const char *words)
{
    static char  copy[256];
    static char *env[8];
    size_t       count = 0;

    snprintf(copy, sizeof(copy), "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        env[count++] = word;
    env[count] = NULL;
    with_own();
    return weir__config_read_variables(config, env, &old, &err);
}

START_TEST(variables_of_other_names_become_settings)
{
    ck_assert_int_eq(read_old("OLD_TTL_SECONDS=90 OLD_PLACE=la OLD_CACHE_URL="), WEIR_OK);
    ck_assert_int_eq(weir__config_int(config, "cache.ttl.ms"), 90000);
    ck_assert_str_eq(weir__config_text(config, "where"), "there");
    ck_assert_ptr_null(weir__config_text(config, "cache.url"));
    ck_assert_int_eq(read_old("OLD_CACHE_PORT=7 OLD_CACHE_HOST=h"), WEIR_OK);
    ck_assert_str_eq(weir__config_text(config, "cache.url"), "tcp://h:7/");
    ck_assert_int_eq(read_old("OLD_CACHE_HOST=h OLD_CACHE_URL=first"), WEIR_OK);
    ck_assert_str_eq(weir__config_text(config, "cache.url"), "first");
    ck_assert_int_eq(read_old("OLD_PLACE=nowhere"), WEIR_BAD_CONFIG);
    ck_assert_str_eq(err.where, "OLD_PLACE");
    ck_assert_str_eq(err.text, "where is \"nowhere\", it must be here or there");
}
END_TEST

START_TEST(they_are_weaker_than_ours_and_stronger_than_a_file)
{
    ck_assert_int_eq(read_old("OLD_CACHE_URL=old OLD_TTL_SECONDS=1"), WEIR_OK);
    ck_assert_int_eq(read_text("cache.url = file\ncache.ttl.ms = 5m"), WEIR_OK);
    ck_assert_str_eq(weir__config_text(config, "cache.url"), "old");
    ck_assert_int_eq(read_env("WEIR_CACHE_URL=env"), WEIR_OK);
    ck_assert_str_eq(weir__config_text(config, "cache.url"), "env");
    ck_assert_int_eq(weir__config_int(config, "cache.ttl.ms"), 1000);
}
END_TEST

START_TEST(those_without_meaning_are_told)
{
    char  env[][32] = { "OLD_POOL_MIN=1", "OLD_PLACE=here", "HOME=/", "OLD_NEW=1", "OLD_CACHE_PORT=1" };
    char *list[] = { env[0], env[1], env[2], env[3], env[4], NULL };
    static const char *const   names[] = { "OLD_POOL_MIN", "OLD_NEW", "OLD_CACHE_PORT" };
    struct weir__idle_variable idle;
    size_t                     at = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ck_assert(weir__variables_idle(&old, list, &at, &idle));
        ck_assert_uint_eq(idle.size, strlen(names[i]));
        ck_assert_int_eq(strncmp(idle.name, names[i], idle.size), 0);
    }
    ck_assert_str_eq(idle.why, "part of another");
    ck_assert(!weir__variables_idle(&old, list, &at, &idle));
}
END_TEST

/* Every allocation on the way fails once; what was in force before is still in force. */
START_TEST(failed_allocations_are_told)
{
    static const char *const topologies[] = { "aggregation", NULL };
    struct weir__config     *other = NULL;
    int                      failures = 0;

    for (uint64_t n = 1; !other; n++, failures++) {
        weir__fail_allocation(n);
        ck_assert(weir__config_new(topologies, NULL, &other, NULL) == WEIR_NO_MEMORY || other);
    }
    weir__fail_allocation(0);
    weir__config_free(other);
    ck_assert_int_ge(failures, 5);
    ck_assert_int_eq(set("threads", "7"), WEIR_OK);
    for (uint64_t n = 1; n < 10; n++) {
        weir__fail_allocation(n);
        if (set("threads", "8") < 0)
            ck_assert_int_eq(weir__config_int(config, "threads"), 7);
        weir__fail_allocation(n);
        ck_assert(set("kafka.a", "b") == WEIR_OK || err.code == WEIR_NO_MEMORY);
        weir__fail_allocation(n);
        ck_assert(set("aggregation.a.b", "c") == WEIR_OK || err.code == WEIR_NO_MEMORY);
        weir__fail_allocation(0);
        ck_assert_int_eq(set("threads", "7"), WEIR_OK);
    }
    ck_assert_str_eq(weir__config_kafka(config)[0], "a=b");
}
END_TEST

int main(void)
{
    const TTest *const all_tests[] = {
        defaults_are_in_force,
        every_setting_is_whole,
        a_file_is_lines_and_comments,
        a_bad_line_is_named,
        a_file_that_is_not_text_is_refused,
        a_long_path_keeps_its_line,
        variables_are_upper_case_keys,
        unknown_variables_are_errors,
        a_flag_beats_a_variable_beats_a_file,
        bounds_are_checked_when_set,
        overrides_need_a_topology_and_three_parts,
        unused_overrides_are_named,
        kafka_properties_pass_through,
        what_is_in_force_hides_secrets,
        help_and_manual_have_every_setting,
        a_programs_own_settings_are_as_ours,
        settings_that_cannot_be_added_are_named,
        variables_of_other_names_become_settings,
        they_are_weaker_than_ours_and_stronger_than_a_file,
        those_without_meaning_are_told,
        failed_allocations_are_told,
    };
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < ARRAY_SIZE(all_tests); i++)
        tcase_add_test(tcase, all_tests[i]);
    tcase_add_loop_test(tcase, a_password_inside_a_value_is_hidden, 0, (int)ARRAY_SIZE(passwords));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
