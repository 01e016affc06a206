/* cmd_dlq.c: `dlq`: dead letters, listed or sent again. Topologies may run. */
#include "framework/main/dlq.h"

static bool is_word(const struct weir__args *args, const char *word)
{
    return args->word_count > 0 && strcmp(args->words[0], word) == 0;
}

/* Flags of the one that were given to the other. */
static int check_flags(const struct weir__args *args, bool redrive, struct weir_error *reterr)
{
    static const char *const of_list[] = { "json", "summary" }, *const of_redrive[] = { "all", "again", "dry-run" };
    const char *const *foreign = redrive ? of_list : of_redrive;
    size_t             count = redrive ? ARRAY_SIZE(of_list) : ARRAY_SIZE(of_redrive);

    for (size_t i = 0; i < count; i++)
        if (weir__args_has(args, foreign[i]))
            return weir__fail(reterr, WEIR_BAD_ARGUMENT, "dlq", "--%s is of \"dlq %s\": leave it out", foreign[i],
                              redrive ? "list" : "redrive");
    return WEIR_OK;
}

static int check_asked(const struct weir__dlq *dlq, const struct weir__args *args, struct weir_error *reterr)
{
    if (weir__dlq_filter_given(&dlq->filter) || weir__args_has(args, "all"))
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "dlq redrive",
                      "say which letters: by --from, --to, --code, --stage or --tenant, or --all");
}

static int open_log(struct weir__dlq *dlq, const struct weir__args *args, bool write, struct weir_error *reterr)
{
    return write ? weir__looked_open_stopped(dlq->program, args, &dlq->looked, reterr)
                 : weir__looked_open(dlq->program, args, &dlq->looked, reterr);
}

static int do_it(struct weir__dlq *dlq, const struct weir__args *args, bool redrive, uint64_t *ret_left,
                 struct weir_error *reterr)
{
    int err = check_flags(args, redrive, reterr);

    if (err == WEIR_OK)
        err = weir__dlq_choose(dlq, args->words + 1, args->word_count - 1, reterr);
    if (err == WEIR_OK)
        err = weir__dlq_filter_read(args, redrive, &dlq->filter, reterr);
    if (err == WEIR_OK && redrive)
        err = check_asked(dlq, args, reterr);
    if (err == WEIR_OK)
        err = open_log(dlq, args, redrive && !weir__args_has(args, "dry-run"), reterr);
    if (err == WEIR_OK)
        err = weir__dlq_check_topics(dlq, reterr);
    if (err < 0)
        return err;
    return redrive ? weir__dlq_redrive(dlq, args, ret_left, reterr) : weir__dlq_list(dlq, args, reterr);
}

static int run_dlq(struct weir__program *program, const struct weir__args *args)
{
    struct weir__dlq  dlq = { .program = program, .looked = { .dir = { .lock = -1 } } };
    struct weir_error words = { 0 };
    uint64_t          left = 0;
    int               err;

    if (is_word(args, "list") || is_word(args, "redrive"))
        err = do_it(&dlq, args, is_word(args, "redrive"), &left, &words);
    else
        err = weir__fail(&words, WEIR_BAD_ARGUMENT, "dlq", "say what to do: \"dlq list\" or \"dlq redrive\"");
    weir__dlq_fini(&dlq);
    if (err < 0)
        return weir__report(&words);
    return left > 0 ? WEIR__EXIT_FAILED : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "stage", .value = "STAGE", .meaning = "only of a topology, a node, or TOPOLOGY/NODE" },
    { .name = "code", .value = "CODE", .meaning = "only with that code" },
    { .name = "tenant", .value = "TENANT", .meaning = "only of that tenant" },
    { .name = "from",
      .value = "PLACE",
      .many = true,
      .meaning = "TOPIC:PARTITION:OFFSET[-OFFSET] of records or of letters; or a time: failed then or later" },
    { .name = "to",
      .value = "TIME|TOPIC",
      .many = true,
      .meaning =
          "failed before that time; redrive: or the topic to send to, instead of where the records came from" },
    { .name = "json", .meaning = "list: a JSON object a line" },
    { .name = "summary", .meaning = "list: counts alone" },
    { .name = "all", .meaning = "redrive: all letters" },
    { .name = "again", .meaning = "redrive: also what was sent again before" },
    { .name = "dry-run", .meaning = "redrive: counts what would be sent, and sends nothing" },
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = NULL },
};
const struct weir__command weir__command_dlq = {
    .name = "dlq",
    .usage = "dlq list|redrive [TOPIC|TOPOLOGY...] [--from PLACE...] [--to TIME|TOPIC] [--code CODE] [--stage STAGE] "
             "[--tenant TENANT]",
    .meaning = "Lists dead letters, or sends their records to where they came from, each once; on Kafka where "
               "kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_dlq,
    .audited = "data_processing",
};
