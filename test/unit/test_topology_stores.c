/* test_topology_stores.c: what the runtime is told about stores, and what the configuration lays over. */
#include "framework/topology/topology.h"
#include "test/run.h"

#include <check.h>
#include <stdlib.h>

static int process(struct weir_context *ctx, const struct weir_record *rec)
{
    (void)ctx, (void)rec;
    return WEIR_OK;
}

static int key(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    (void)ret_key;
    return process(ctx, rec);
}

static int check_word(const char *text, struct weir_error *reterr)
{
    return strlen(text) < 5 ? WEIR_OK : weir__fail(reterr, WEIR_BAD_CONFIG, "word", "it is long");
}

/* clang-format off */
SOURCE (in,      "in", weir_string, weir_string);
WINDOWS(minutes, weir_string, weir_int64, TUMBLING(MINUTES(1), MINUTES(5)));
COUNT  (minute,  minutes);
SINK   (bars,    "bars", NULL, NULL);
WINDOWS(quarters, weir_string, weir_int64, TUMBLING(MINUTES(15), 0, .time = WEIR_PER_KEY));
COUNT  (quarter, quarters);
KEYS   (seen,    weir_string, weir_string);
KEYS   (fast,    weir_string, weir_string, .cache = WEIR_ON, .in_memory = WEIR_ON);
STEP   (step,    process, .uses = STORES(seen, fast),
        .options = OPTIONS({ "wait", WEIR_OPTION_DURATION, "5m", NULL }, { "eager", WEIR_OPTION_SWITCH, "off", NULL },
                           { "word", WEIR_OPTION_TEXT, "any", check_word }));
REKEY  (rekey,   key, weir_string);
KEYS   (total_s, weir_string, weir_int64, .cache = WEIR_OFF, .log = WEIR_OFF);
COUNT  (total,   total_s);
KEYS   (last_s,  weir_string, weir_string, .plain = true,
        .settings = LIST(char, "retention.ms=5", "segment.ms=7"));
TABLE  (last,    "last", last_s);
SINK   (copy,    "copy", NULL, NULL);
SINK   (letters, "letters", weir_blob, weir_blob);
TOPOLOGY(stores, .paths = PATHS(PATH(in, minute, bars), PATH(in, quarter), PATH(in, step), PATH(in, rekey, total), PATH(last, copy)),
         .dead_letters = letters);
WINDOWS(hours,   weir_string, weir_int64, UNLIMITED());
COUNT  (forever, hours);
TOPOLOGY(unlimited, .paths = PATHS(PATH(in, forever)));
/* clang-format on */

static struct weir__plan *compile(const struct weir_topology *topology, const struct weir__plan_config *config)
{
    struct weir__plan *plan = NULL;
    struct weir_error  err = { 0 };

    ck_assert_msg(weir__plan_new(topology, config, &plan, NULL, &err) == WEIR_OK, "%s", err.text);
    return plan;
}

static bool has_setting(const struct weir__store_plan *store, const char *setting)
{
    for (size_t i = 0; store->settings[i] != NULL; i++)
        if (strcmp(store->settings[i], setting) == 0)
            return true;
    return false;
}

START_TEST(stores_of_tables_are_cached_those_of_steps_when_told)
{
    struct weir__plan_config config = { .cache = true };
    struct weir__plan       *plan = compile(&stores, &config);

    ck_assert(weir__plan_store(plan, "minutes")->store.cached);
    ck_assert(weir__plan_store(plan, "last_s")->store.cached);
    ck_assert(!weir__plan_store(plan, "total_s")->store.cached);
    ck_assert(!weir__plan_store(plan, "seen")->store.cached);
    ck_assert(weir__plan_store(plan, "fast")->store.cached);
    ck_assert(weir__plan_store(plan, "fast")->store.in_memory);
    weir__plan_free(plan);
    config.cache = false;
    plan = compile(&stores, &config);
    ck_assert(!weir__plan_store(plan, "minutes")->store.cached);
    weir__plan_free(plan);
}
END_TEST

START_TEST(rows_are_timestamped_unless_plain)
{
    struct weir__plan_config config = { 0 };
    struct weir__plan       *plan = compile(&stores, &config);

    ck_assert(weir__plan_store(plan, "minutes")->store.timestamped);
    ck_assert_str_eq(weir__plan_store(plan, "minutes")->type, "timestamped_window");
    ck_assert(!weir__plan_store(plan, "last_s")->store.timestamped);
    ck_assert_str_eq(weir__plan_store(plan, "last_s")->type, "timestamped_key_value");
    weir__plan_free(plan);
}
END_TEST

START_TEST(windows_keep_their_rows_until_they_close)
{
    struct weir__plan_config       config = { 0 };
    struct weir__plan             *plan = compile(&stores, &config);
    const struct weir__store_spec *store = &weir__plan_store(plan, "minutes")->store;
    const struct weir__node       *node = weir__plan_node(plan, "minute");

    ck_assert_int_eq(store->kind, WEIR__STORE_WINDOWS);
    ck_assert_int_eq(store->window_size, MINUTES(1));
    ck_assert_int_eq(store->retention, MINUTES(6));
    ck_assert_int_eq(store->segment, MINUTES(3));
    ck_assert(store->tombstones);
    ck_assert_int_eq(node->op, WEIR__FOLD_WINDOWS);
    ck_assert_str_eq(node->key_out->name, "windowed");
    ck_assert_int_eq(node->key_out->width, MINUTES(1));
    ck_assert_ptr_eq(node->key_out->inner, weir_string);
    weir__plan_free(plan);
}
END_TEST

START_TEST(windows_by_key_time_go_by_tombstones_whatever_the_cleanup)
{
    struct weir__plan_config       config = { .upstream_cleanup = true };
    struct weir__plan             *plan = compile(&stores, &config);
    const struct weir__store_plan *store = weir__plan_store(plan, "quarters");

    ck_assert(store->store.keyed);
    ck_assert(store->store.tombstones);
    ck_assert_int_eq(store->store.retention, 0);
    ck_assert(has_setting(store, "cleanup.policy=compact"));
    ck_assert(has_setting(store, "retention.ms=-1"));
    weir__plan_free(plan);
}
END_TEST

START_TEST(unlimited_windows_are_kept_for_ever)
{
    struct weir__plan_config config = { .upstream_cleanup = true };
    struct weir__plan       *plan = compile(&unlimited, &config);

    ck_assert_int_eq(weir__plan_store(plan, "hours")->store.retention, INT64_MAX);
    ck_assert(has_setting(weir__plan_store(plan, "hours"), "retention.ms=9223372036854775807"));
    weir__plan_free(plan);
}
END_TEST

START_TEST(changelogs_are_made_for_event_time)
{
    struct weir__plan_config       config = { .application = "app" };
    struct weir__plan             *plan = compile(&stores, &config);
    const struct weir__store_plan *store = weir__plan_store(plan, "minutes");

    ck_assert_str_eq(store->changelog, "app-minutes-changelog");
    ck_assert(has_setting(store, "cleanup.policy=compact"));
    ck_assert(has_setting(store, "message.timestamp.type=CreateTime"));
    ck_assert(has_setting(store, "message.timestamp.before.max.ms=9223372036854775807"));
    ck_assert(has_setting(store, "retention.ms=-1"));
    ck_assert_ptr_null(weir__plan_store(plan, "total_s")->changelog);
    store = weir__plan_store(plan, "last_s");
    ck_assert(has_setting(store, "retention.ms=5"));
    ck_assert(has_setting(store, "segment.ms=7"));
    ck_assert(!has_setting(store, "retention.ms=-1"));
    weir__plan_free(plan);
}
END_TEST

START_TEST(changelogs_may_be_cleaned_as_upstream_does)
{
    struct weir__plan_config       config = { .upstream_cleanup = true };
    struct weir__plan             *plan = compile(&stores, &config);
    const struct weir__store_plan *store = weir__plan_store(plan, "minutes");

    ck_assert(!store->store.tombstones);
    ck_assert(has_setting(store, "cleanup.policy=compact,delete"));
    ck_assert(has_setting(store, "retention.ms=86760000"));
    ck_assert(has_setting(weir__plan_store(plan, "seen"), "cleanup.policy=compact"));
    ck_assert(!has_setting(weir__plan_store(plan, "seen"), "retention.ms=-1"));
    weir__plan_free(plan);
}
END_TEST

/* ---- overrides ---- */

static struct weir__config *configure(const char *name, const char *value)
{
    static const char *const topologies[] = { "stores", NULL };
    struct weir__config     *config = NULL;

    ck_assert_int_eq(weir__config_new(topologies, NULL, &config, NULL), WEIR_OK);
    ck_assert_int_eq(weir__config_set(config, name, value, "here", NULL), WEIR_OK);
    return config;
}

static struct weir__plan *compile_with(const char *name, const char *value)
{
    struct weir__config     *settings = configure(name, value);
    struct weir__plan_config config = { .config = settings, .cache = true };
    struct weir__plan       *plan = compile(&stores, &config);

    ck_assert_uint_eq(plan->override_count, 1);
    ck_assert_str_eq(plan->overrides[0].value, value);
    weir__config_free(settings);
    return plan;
}

START_TEST(configuration_overrides_what_is_declared)
{
    struct weir__plan *plan = compile_with("stores.minutes.grace", "10m");

    ck_assert_int_eq(weir__plan_store(plan, "minutes")->store.retention, MINUTES(11));
    ck_assert_int_eq(weir__plan_node(plan, "minute")->windows->grace, MINUTES(10));
    weir__plan_free(plan);
    plan = compile_with("stores.minute.size", "2m");
    ck_assert_int_eq(weir__plan_node(plan, "minute")->key_out->width, MINUTES(2));
    weir__plan_free(plan);
    plan = compile_with("stores.minute.emit", "on_close");
    ck_assert_int_eq(weir__plan_node(plan, "minute")->emit, WEIR_ON_CLOSE);
    weir__plan_free(plan);
    plan = compile_with("stores.in.topics", "a, b");
    ck_assert_uint_eq(weir__plan_node(plan, "in")->topic_count, 2);
    ck_assert_str_eq(weir__plan_node(plan, "in")->topics[1], "b");
    weir__plan_free(plan);
    plan = compile_with("stores.total_s.log", "true");
    ck_assert_str_eq(weir__plan_store(plan, "total_s")->changelog, "stores-total_s-changelog");
    weir__plan_free(plan);
}
END_TEST

static void override_refused(const char *name, const char *value, int code, const char *line)
{
    AUTO(weir__buf_fini) struct weir__buf faults = { 0 };
    struct weir__config                  *settings = configure(name, value);
    struct weir__plan_config              config = { .config = settings };
    struct weir__plan                    *plan = NULL;

    ck_assert_int_eq(weir__plan_new(&stores, &config, &plan, &faults, NULL), code);
    weir__buf_putc(&faults, '\0');
    ck_assert_msg(strstr(faults.data, line) != NULL, "no \"%s\" in:\n%s", line, faults.data);
    weir__config_free(settings);
}

/* Every field of the table is taken by something, and has its effect. */
START_TEST(every_field_can_be_set)
{
    struct weir__plan *plan = compile_with("stores.in.partitions", "7");

    ck_assert_int_eq(weir__plan_node(plan, "in")->partitions, 7);
    weir__plan_free(plan);
    plan = compile_with("stores.in.topic", "a");
    ck_assert_str_eq(weir__plan_node(plan, "in")->topics[0], "a");
    ck_assert_str_eq(plan->dead_letters, "letters");
    weir__plan_free(plan);
    plan = compile_with("stores.letters.topic", "other");
    ck_assert_str_eq(plan->dead_letters, "other");
    weir__plan_free(plan);
    plan = compile_with("stores.minutes.retention", "1h");
    ck_assert_int_eq(weir__plan_store(plan, "minutes")->store.retention, HOURS(1));
    weir__plan_free(plan);
    plan = compile_with("stores.minutes.time", "per_key");
    ck_assert_int_eq(weir__plan_node(plan, "minute")->windows->time, WEIR_PER_KEY);
    ck_assert(weir__plan_store(plan, "minutes")->store.keyed);
    weir__plan_free(plan);
    plan = compile_with("stores.quarters.idle", "2m");
    ck_assert_int_eq(weir__plan_node(plan, "quarter")->windows->idle, MINUTES(2));
    weir__plan_free(plan);
    plan = compile_with("stores.quarter.ttl", "2d");
    ck_assert_int_eq(weir__plan_node(plan, "quarter")->windows->ttl, DAYS(2));
    weir__plan_free(plan);
    plan = compile_with("stores.quarter.late", "refuse");
    ck_assert_int_eq(weir__plan_node(plan, "quarter")->windows->late, WEIR_REFUSE);
    weir__plan_free(plan);
    plan = compile_with("stores.minutes.in_memory", "true");
    ck_assert(weir__plan_store(plan, "minutes")->store.in_memory);
    weir__plan_free(plan);
    plan = compile_with("stores.minutes.cache", "false");
    ck_assert(!weir__plan_store(plan, "minutes")->store.cached);
    weir__plan_free(plan);
}
END_TEST

static const struct weir__option *option_of(const struct weir__plan *plan, size_t n)
{
    for (size_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i]->options != NULL)
            return &plan->nodes[i]->options[n];
    return NULL;
}

START_TEST(options_of_a_node_are_in_force)
{
    struct weir__plan_config config = { .cache = true };
    struct weir__plan       *plan = compile(&stores, &config);

    ck_assert_int_eq(option_of(plan, 0)->number, MINUTES(5));
    ck_assert_int_eq(option_of(plan, 1)->number, 0);
    ck_assert_str_eq(option_of(plan, 2)->text, "any");
    ck_assert_ptr_null(option_of(plan, 3)->name);
    weir__plan_free(plan);
    plan = compile_with("stores.step.wait", "2s");
    ck_assert_int_eq(option_of(plan, 0)->number, 2000);
    weir__plan_free(plan);
    plan = compile_with("stores.step.eager", "true");
    ck_assert_int_eq(option_of(plan, 1)->number, 1);
    weir__plan_free(plan);
    plan = compile_with("stores.step.word", "some");
    ck_assert_str_eq(option_of(plan, 2)->text, "some");
    weir__plan_free(plan);
}
END_TEST

START_TEST(overrides_are_checked_like_the_rest)
{
    override_refused("stores.step.wait", "soon", WEIR_BAD_CONFIG, "step: setting stores.step.wait is \"soon\"");
    override_refused("stores.step.eager", "maybe", WEIR_BAD_CONFIG, "give on or off");
    override_refused("stores.step.word", "longer", WEIR_BAD_CONFIG, "give another: it is long");
    override_refused("stores.step.wiat", "5s", WEIR_BAD_CONFIG,
                     "here: step has no field \"wiat\" to set: did you mean \"wait\"?");

    override_refused("stores.minutes.size", "soon", WEIR_BAD_CONFIG,
                     "minutes: setting stores.minutes.size is \"soon\"");
    override_refused("stores.minutes.idle", "1m", WEIR_BAD_ARGUMENT,
                     "minutes: .idle, .ttl and .late are for windows");
    override_refused("stores.minutes.retention", "1m", WEIR_BAD_ARGUMENT, "minutes: the retention is shorter");
    override_refused("stores.in.topic", "no topic!", WEIR_BAD_NAME, "in: \"topic!\" is no legal name of a topic");
    override_refused("stores.letters.topic", "a, b", WEIR_BAD_NAME, "letters: \"a, b\" is no legal name of a topic");
    override_refused("stores.letters.emit", "each", WEIR_BAD_CONFIG, "here: emit means nothing for letters");
    override_refused("stores.leters.topic", "a", WEIR_BAD_CONFIG, "did you mean \"letters\"?");
    override_refused("stores.total.emit", "never", WEIR_BAD_CONFIG, "total: setting stores.total.emit is \"never\"");
    override_refused("stores.minute.emit", "on_clos", WEIR_BAD_CONFIG, "give on_commit, each or on_close");
    override_refused("stores.minuts.grace", "1m", WEIR_BAD_CONFIG,
                     "here: there is no node or store \"minuts\": did you mean \"minute\"?");
    override_refused("stores.minutes.grase", "1m", WEIR_BAD_CONFIG,
                     "here: minutes has no field \"grase\" to set: did you mean \"grace\"?");
    override_refused("stores.total_s.grace", "1m", WEIR_BAD_CONFIG, "here: grace means nothing for total_s");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology_stores");
    TCase *tests = tcase_create("topology_stores");

    tcase_add_test(tests, stores_of_tables_are_cached_those_of_steps_when_told);
    tcase_add_test(tests, rows_are_timestamped_unless_plain);
    tcase_add_test(tests, windows_keep_their_rows_until_they_close);
    tcase_add_test(tests, windows_by_key_time_go_by_tombstones_whatever_the_cleanup);
    tcase_add_test(tests, unlimited_windows_are_kept_for_ever);
    tcase_add_test(tests, changelogs_are_made_for_event_time);
    tcase_add_test(tests, changelogs_may_be_cleaned_as_upstream_does);
    tcase_add_test(tests, configuration_overrides_what_is_declared);
    tcase_add_test(tests, every_field_can_be_set);
    tcase_add_test(tests, options_of_a_node_are_in_force);
    tcase_add_test(tests, overrides_are_checked_like_the_rest);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
