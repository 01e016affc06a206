/* cmd_cat.c: `cat`: the records of a topic, decoded, one JSON object a line. Another process may be writing. */
#include "framework/json/json.h"
#include "framework/main/commands.h"

#define CALL_MS 5000

struct cat {
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    const char                    *topic;
    struct weir__topic_codecs      codecs;
    struct weir_arena              arena;
    struct weir_json_out           json;
    bool                           gone; /* nobody reads our output any more */
};

static int64_t call_by(const struct cat *cat) { return cat->engine->now(cat->log) + CALL_MS; }

/* ---- from where ---- */

static int find_begin(const struct cat *cat, struct weir__tp tp, const char *from, const struct weir__ends *ends,
                      int64_t *ret, struct weir_error *reterr)
{
    int64_t number;
    int     err = WEIR_OK;

    if (strcmp(from, "beginning") == 0)
        *ret = ends->low;
    else if (strcmp(from, "end") == 0)
        *ret = ends->stable;
    else if (weir__parse_int64(from, &number) == WEIR_OK && number >= 0)
        *ret = MAX(number, ends->low);
    else if (weir__read_time(from, &number))
        err = cat->engine->offset_at(cat->log, tp, number, call_by(cat), ret);
    else
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--from",
                          "\"%.60s\" is no place: beginning, end, an offset, or a time such as 2025-01-02T14:30:00Z",
                          from);
    return err < 0
               ? weir__fail(reterr, err, tp.topic, "the offset of a time cannot be found: %s", weir_code_text(err))
               : WEIR_OK;
}

/* ---- printing ---- */

/* Ends the reading when nobody reads us any more, or there is no room; weir__end_output says which. */
static int print_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct cat      *cat = arg;
    struct weir__raw copy = *raw;
    int              err;

    if (cat->codecs.tail > 0 && copy.key.size >= cat->codecs.tail)
        copy.key.size -= cat->codecs.tail;
    weir__json_out_reset(&cat->json);
    weir__arena_reset(&cat->arena);
    err = weir__raw_print(&copy, cat->codecs.key, cat->codecs.value, &cat->arena, &cat->json);
    weir__buf_putc(&cat->json.buf, '\n');
    if (err < 0 || !weir__buf_ok(&cat->json.buf))
        return weir__fail(reterr, err < 0 ? err : WEIR_NO_MEMORY, cat->topic,
                          "the record at offset %lld cannot be printed", (long long)raw->offset);
    cat->gone = fwrite(cat->json.buf.data, 1, cat->json.buf.size, stdout) < cat->json.buf.size;
    return cat->gone ? WEIR_AGAIN : WEIR_OK;
}

static int fail_read(const struct cat *cat, int code, struct weir_error *reterr)
{
    return weir__fail(reterr, code, cat->topic, "the topic cannot be read: %s", weir_code_text(code));
}

static int print_partition(struct cat *cat, int32_t partition, const char *from, struct weir_error *reterr)
{
    struct weir__tp   tp = { .topic = cat->topic, .partition = partition };
    struct weir__ends ends;
    int64_t           begin;
    int               err = cat->engine->ends(cat->log, tp, call_by(cat), &ends);

    if (err < 0)
        return fail_read(cat, err, reterr);
    err = find_begin(cat, tp, from, &ends, &begin, reterr);
    if (err < 0)
        return err;
    err = weir__read_partition(cat->engine, cat->log, tp, begin, print_record, cat, reterr);
    return cat->gone ? WEIR_OK : err;
}

/* ---- the topic ---- */

struct names {
    const char *wanted;
    char        nearest[256];
};

static void on_topic(void *arg, const char *name)
{
    struct names *names = arg;
    const char   *pair[] = { name, names->nearest };
    const char   *near = weir__suggest(names->wanted, pair, names->nearest[0] != '\0' ? 2 : 1);

    if (near != NULL && near != names->nearest)
        snprintf(names->nearest, sizeof(names->nearest), "%s", near);
}

static int fail_topic(const struct cat *cat, struct weir_error *reterr)
{
    struct names names = { .wanted = cat->topic };

    (void)cat->engine->topics(cat->log, call_by(cat), on_topic, &names);
    if (names.nearest[0] != '\0')
        return weir__fail(reterr, WEIR_NOTFOUND, cat->topic, "there is no such topic: did you mean \"%s\"?",
                          names.nearest);
    return weir__fail(reterr, WEIR_NOTFOUND, cat->topic, "there is no such topic in this folder");
}

static int print_topic(struct cat *cat, const struct weir__args *args, struct weir_error *reterr)
{
    const char *from = weir__args_value(args, "from", "beginning"), *only = weir__args_value(args, "partition", NULL);
    int64_t     partition = -1;
    int32_t     count;
    int         err = cat->engine->partitions(cat->log, cat->topic, call_by(cat), &count);

    if (err == WEIR_NOTFOUND)
        return fail_topic(cat, reterr);
    if (err < 0)
        return fail_read(cat, err, reterr);
    if (only != NULL && (weir__parse_int64(only, &partition) < 0 || partition < 0 || partition >= count))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--partition", "\"%.40s\" is none of %s: they go from 0 to %d",
                          only, cat->topic, count - 1);
    for (int32_t i = 0; err == WEIR_OK && !cat->gone && i < count; i++)
        if (only == NULL || i == partition)
            err = print_partition(cat, i, from, reterr);
    return err;
}

static int open_and_print(struct cat *cat, const struct weir__program *program, const struct weir__args *args,
                          struct weir_error *reterr)
{
    struct weir__looked looked;
    int                 err = weir__looked_open(program, args, &looked, reterr);

    cat->engine = looked.engine;
    cat->log = looked.log;
    if (err == WEIR_OK)
        err = print_topic(cat, args, reterr);
    weir__looked_close(&looked);
    return err;
}

static int run_with(struct weir__program *program, const struct weir__args *args, struct weir_error *reterr)
{
    struct cat                   cat = { 0 };
    const struct weir_topology **topologies = NULL;
    struct weir__plans           plans = { 0 };
    size_t                       count;
    int                          err;

    if (args->word_count != 1)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "cat", "name one topic: cat TOPIC");
    cat.topic = args->words[0];
    err = weir__choose_topologies(program, NULL, 0, &topologies, &count, reterr);
    if (err == WEIR_OK)
        err = weir__plans_make(program, topologies, count, &plans, reterr);
    if (err == WEIR_OK) {
        (void)weir__plans_codecs(&plans, cat.topic, &cat.codecs);
        err = open_and_print(&cat, program, args, reterr);
    }
    weir__json_out_fini(&cat.json);
    weir__arena_fini(&cat.arena);
    weir__plans_fini(&plans);
    weir__free(topologies);
    return err;
}

static int run_cat(struct weir__program *program, const struct weir__args *args)
{
    struct weir_error words = { 0 };
    int               err = run_with(program, args, &words);

    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = "from", .value = "PLACE", .meaning = "beginning (default), end, an offset, or a time (UTC)" },
    { .name = "partition", .value = "N", .meaning = "this partition only" },
    { .name = NULL },
};
const struct weir__command weir__command_cat = {
    .name = "cat",
    .usage = "cat TOPIC [--dir DIR] [--from PLACE] [--partition N]",
    .meaning =
        "Prints a topic's records, decoded, one JSON object a line; from Kafka where kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_cat,
    .audited = "data_access",
};
