/* test_clickhouse.c: what of ClickHouse's client needs no ClickHouse: texts, settings, migrations; the rest is test/scripts/clickhouse.sh. */
#define _GNU_SOURCE /* memmem */
#include "framework/config/config.h"
#include "test/run.h"
#include "topologies/clickhouse/client.h"
#include "topologies/migrations.h"
#include "topologies/topologies.h"

#define TEXT(s) ((struct weir_text){ s, sizeof(s) - 1 })

static void check_field(struct weir_text field, const char *want, size_t size)
{
    ck_assert_uint_eq(field.size, size);
    ck_assert_mem_eq(field.data, want, size);
}

START_TEST(fields_are_parted_by_tabs_and_unescaped)
{
    char             line[] = "a\t\\t\\n\\\\\\'\t\t\\0z";
    struct weir_text fields[4];

    ck_assert_uint_eq(clickhouse_fields(line, sizeof(line) - 1, fields, 4), 4);
    check_field(fields[0], "a", 1);
    check_field(fields[1], "\t\n\\'", 4);
    check_field(fields[2], "", 0);
    check_field(fields[3], "\0z", 2);
}
END_TEST

START_TEST(fields_beyond_the_most_are_counted)
{
    char             line[] = "a\tb\tc";
    struct weir_text fields[1];

    ck_assert_uint_eq(clickhouse_fields(line, sizeof(line) - 1, fields, 1), 3);
    check_field(fields[0], "a", 1);
}
END_TEST

START_TEST(texts_are_quoted_and_parameters_escaped)
{
    struct weir__buf buf = { 0 };

    clickhouse_quote(TEXT("it's a \\"), &buf);
    clickhouse_parameter("query", "a b&c=\xc3\xa9_1", &buf);
    weir__buf_putc(&buf, '\0');
    ck_assert_str_eq(buf.data, "'it\\'s a \\\\'&query=a%20b%26c%3D%C3%A9_1");
    weir__buf_fini(&buf);
}
END_TEST

/* What opening a client says of one setting beside a good URL; "" = nothing. */
static const char *opened_with(const char *name, const char *value)
{
    static const struct weir_setting *const own[] = { market_settings, NULL };
    static const char *const                names[] = { NULL };
    static struct weir_error                words;
    struct weir__config                    *config;
    struct clickhouse_client                client;

    words = (struct weir_error){ 0 };
    ck_assert_int_eq(weir__config_new(names, own, &config, &words), WEIR_OK);
    ck_assert_int_eq(weir__config_set(config, "clickhouse.url", "http://h:8123/", "test", &words), WEIR_OK);
    ck_assert_int_eq(weir__config_set(config, name, value, "test", &words), WEIR_OK);
    if (clickhouse_client_open(weir__config_public(config), &client, &words) == WEIR_OK) {
        ck_assert_str_eq(client.base, "http://h:8123/?");
        clickhouse_client_close(&client);
    } else {
        ck_assert_int_eq(words.code, WEIR_BAD_CONFIG);
        ck_assert_str_eq(words.where, name);
    }
    weir__config_free(config);
    return words.text;
}

START_TEST(settings_that_cannot_be_are_named)
{
    ck_assert_str_eq(opened_with("clickhouse.url", "http://h:8123"), "");
    ck_assert_str_eq(opened_with("clickhouse.url", "http://h:8123//"), "");
    ck_assert_ptr_nonnull(strstr(opened_with("clickhouse.url", "tcp://h:9000"), "not of http or https"));
    ck_assert_ptr_nonnull(strstr(opened_with("clickhouse.url", "http://u:p@h:8123"), "clickhouse.user"));
    ck_assert_ptr_nonnull(strstr(opened_with("clickhouse.url", "http://h:8123/?a=b"), "parameters"));
    ck_assert_ptr_nonnull(strstr(opened_with("clickhouse.url", "h 8123"), "no URL"));
    ck_assert_ptr_nonnull(strstr(opened_with("clickhouse.database", "a`; DROP"), "no name of a database"));
    ck_assert_ptr_nonnull(strstr(opened_with("clickhouse.password", "a\r\nX: y"), "control character"));
}
END_TEST

/* A migration that was cut short begins anew, and two run at once: topologies/clickhouse/migrator.c. */
START_TEST(each_statement_of_a_migration_changes_nothing_the_second_time)
{
    const struct market_migration *list = market_migrations_clickhouse;
    int                            before = 0, statements = 0;
    bool                           where;

    for (; list->name != NULL; before = list->version, list++) {
        const char *at = list->text, *end;

        ck_assert_int_gt(list->version, before);
        while ((end = strstr(at, ";\n")) != NULL) {
            for (where = false; *at == '\n' || strncmp(at, "--", 2) == 0;) {
                where = where || strncmp(at, "-- where: ", 10) == 0;
                at += *at == '\n' ? 1 : strcspn(at, "\n");
            }
            ck_assert_msg(
                strncmp(at, "CREATE TABLE IF NOT EXISTS ", 27) == 0 ||
                    (strncmp(at, "CREATE OR REPLACE TABLE ", 24) == 0 && where) ||
                    (strncmp(at, "ALTER TABLE ", 12) == 0 && (memmem(at, (size_t)(end - at), " IF ", 4) != NULL ||
                                                              memmem(at, (size_t)(end - at), " MODIFY ", 8) != NULL)),
                "%s: %.60s", list->name, at);
            statements++;
            at = end + 2;
        }
        ck_assert_str_eq(at, "");
    }
    ck_assert_int_ge(statements, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clickhouse");
    TCase *texts = tcase_create("clickhouse");

    tcase_add_test(texts, fields_are_parted_by_tabs_and_unescaped);
    tcase_add_test(texts, fields_beyond_the_most_are_counted);
    tcase_add_test(texts, texts_are_quoted_and_parameters_escaped);
    tcase_add_test(texts, settings_that_cannot_be_are_named);
    tcase_add_test(texts, each_statement_of_a_migration_changes_nothing_the_second_time);
    suite_add_tcase(suite, texts);
    return run_suite(suite);
}
