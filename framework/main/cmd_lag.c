/* cmd_lag.c: `lag`: how far applications are behind, by input partition. They may run or not: the log is asked. */
#include "framework/json/json.h"
#include "framework/main/commands.h"

/* ---- JSON ---- */

static void put_lag(struct weir_json_out *json, const struct weir__lag *lag)
{
    weir_json_begin_object(json);
    weir__json_member_text(json, "topic", lag->topic);
    weir__json_member_known(json, "partition", lag->partition);
    weir__json_member_known(json, "committed", lag->committed);
    weir__json_member_known(json, "end", lag->end);
    weir__json_member_int(json, "open", lag->open);
    weir__json_member_int(json, "lag", lag->records);
    weir_json_end_object(json);
}

static void put_application(struct weir_json_out *json, const struct weir__lags *lags)
{
    weir_json_begin_object(json);
    weir__json_member_text(json, "topology", lags->plan->topology->name);
    weir__json_member_text(json, "application", lags->plan->application);
    weir__json_member_int(json, "lag", lags->records);
    weir_json_name(json, "inputs");
    weir_json_begin_array(json);
    for (size_t i = 0; i < lags->count; i++)
        put_lag(json, &lags->items[i]);
    weir_json_end_array(json);
    weir_json_end_object(json);
}

static int print_json(const struct weir__lags *all, size_t count, struct weir_error *reterr)
{
    struct weir_json_out json = { 0 };
    int64_t              records = 0;
    bool                 good;

    weir_json_begin_object(&json);
    weir_json_name(&json, "applications");
    weir_json_begin_array(&json);
    for (size_t i = 0; i < count; i++) {
        put_application(&json, &all[i]);
        records += all[i].records;
    }
    weir_json_end_array(&json);
    weir__json_member_int(&json, "lag", records);
    weir_json_end_object(&json);
    weir__buf_putc(&json.buf, '\n');
    good = weir__buf_ok(&json.buf);
    if (good)
        fwrite(json.buf.data, 1, json.buf.size, stdout);
    weir__json_out_fini(&json);
    return good ? WEIR_OK : weir__fail(reterr, WEIR_NO_MEMORY, "lag", "out of memory");
}

/* ---- a table ---- */

/* An offset in a column; unknown is "-". */
static const char *offset_text(int64_t offset, char to[static 24])
{
    snprintf(to, 24, offset < 0 ? "-" : "%lld", (long long)offset);
    return to;
}

static int topic_width(const struct weir__lags *all, size_t count)
{
    size_t width = strlen("topic");

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < all[i].count; j++)
            width = MAX(width, strlen(all[i].items[j].topic));
    return (int)width;
}

static void print_line(const struct weir__lag *lag, int width)
{
    char committed[24], end[24];

    if (lag->partition < 0) {
        printf("  %-*s  there is no such topic\n", width, lag->topic);
        return;
    }
    printf("  %-*s %9d %14s %14s %14lld", width, lag->topic, lag->partition, offset_text(lag->committed, committed),
           offset_text(lag->end, end), (long long)lag->records);
    if (lag->open > 0)
        printf("  and %lld in open transactions", (long long)lag->open);
    printf("\n");
}

static void print_table(const struct weir__lags *all, size_t count)
{
    int     width = topic_width(all, count);
    int64_t records = 0;

    printf("  %-*s partition      committed            end            lag\n", width, "topic");
    for (size_t i = 0; i < count; i++) {
        printf("%s (application %s)\n", all[i].plan->topology->name, all[i].plan->application);
        for (size_t j = 0; j < all[i].count; j++)
            print_line(&all[i].items[j], width);
        printf("  %-*s %9s %14s %14s %14lld\n", width, "all", "", "", "", (long long)all[i].records);
        records += all[i].records;
    }
    if (count > 1)
        printf("%-*s %9s %14s %14s %14lld\n", width + 2, "all applications", "", "", "", (long long)records);
}

/* ---- the command ---- */

static int read_and_print(const struct weir__looked *looked, const struct weir__plans *plans,
                          const struct weir__args *args, struct weir_error *reterr)
{
    struct weir__lags *all = weir__zalloc(sizeof(*all) * (plans->count + 1));
    int                err = all != NULL ? WEIR_OK : weir__fail(reterr, WEIR_NO_MEMORY, "lag", "out of memory");

    for (size_t i = 0; err == WEIR_OK && i < plans->count; i++)
        err = weir__lags_read(looked, plans->items[i], &all[i], reterr);
    if (err == WEIR_OK && weir__args_has(args, "json"))
        err = print_json(all, plans->count, reterr);
    else if (err == WEIR_OK)
        print_table(all, plans->count);
    for (size_t i = 0; all != NULL && i < plans->count; i++)
        weir__lags_fini(&all[i]);
    weir__free(all);
    return err;
}

static int run_with(const struct weir__program *program, const struct weir__args *args, struct weir_error *reterr)
{
    const struct weir_topology **topologies = NULL;
    struct weir__plans           plans = { 0 };
    struct weir__looked          looked = { .dir = { .lock = -1 } };
    size_t                       count;
    int err = weir__choose_topologies(program, args->words, args->word_count, &topologies, &count, reterr);

    if (err == WEIR_OK)
        err = weir__plans_make(program, topologies, count, &plans, reterr);
    if (err == WEIR_OK)
        err = weir__looked_open(program, args, &looked, reterr);
    if (err == WEIR_OK)
        err = read_and_print(&looked, &plans, args, reterr);
    weir__looked_close(&looked);
    weir__plans_fini(&plans);
    weir__free(topologies);
    return err;
}

static int run_lag(struct weir__program *program, const struct weir__args *args)
{
    struct weir_error words = { 0 };
    int               err = run_with(program, args, &words);

    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = "json", .meaning = "prints one JSON object" },
    { .name = NULL },
};
const struct weir__command weir__command_lag = {
    .name = "lag",
    .usage = "lag [TOPOLOGY...] [--dir DIR] [--json]",
    .meaning =
        "Prints how far topologies are behind, by input partition: committed offset, end, records between them; from "
        "Kafka where kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_lag
};
