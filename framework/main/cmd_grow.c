/* cmd_grow.c: `grow`: topics get more partitions. */
#include "framework/main/commands.h"

#define CALL_MS 10000

struct growing {
    char    topic[256];
    int64_t partitions;
};

/* What all words come to. */
struct grown {
    bool    dry;
    size_t  topics; /* that get more */
    int64_t partitions;
};

static int read_word(const char *word, struct growing *ret, struct weir_error *reterr)
{
    const char *equals = strchr(word, '=');
    size_t      size = equals != NULL ? (size_t)(equals - word) : 0;

    if (size == 0 || size >= sizeof(ret->topic) || weir__parse_int64(equals + 1, &ret->partitions) < 0 ||
        ret->partitions < 1 || ret->partitions > INT32_MAX)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "grow", "\"%.100s\": write TOPIC=PARTITIONS, as in lines=12",
                          word);
    memcpy(ret->topic, word, size);
    ret->topic[size] = '\0';
    return WEIR_OK;
}

/* What the log would say: a dry run asks it for nothing. */
static int check(const struct growing *growing, int32_t before, struct weir_error *reterr)
{
    if (before == 0)
        return weir__fail(reterr, WEIR_NOTFOUND, growing->topic, "there is no such topic");
    if (growing->partitions < before)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, growing->topic, "partitions cannot be taken away: it has %d",
                          before);
    return WEIR_OK;
}

static int grow(const struct weir__looked *looked, const char *word, struct grown *grown, struct weir_error *reterr)
{
    int64_t        deadline = looked->engine->now(looked->log) + CALL_MS;
    struct growing growing;
    int32_t        before = 0;
    int            err = read_word(word, &growing, reterr);

    if (err < 0)
        return err;
    err = looked->engine->partitions(looked->log, growing.topic, deadline, &before);
    if (err < 0 && err != WEIR_NOTFOUND)
        return weir__fail(reterr, err, growing.topic, "the log does not tell its partitions: %s",
                          weir_code_text(err));
    err = check(&growing, before, reterr);
    if (err == WEIR_OK && !grown->dry)
        err = looked->engine->grow(looked->log, growing.topic, (int32_t)growing.partitions, deadline, reterr);
    if (err < 0)
        return err;
    printf("%s: %d partitions, %s %lld\n", growing.topic, before, grown->dry ? "would be" : "now",
           (long long)growing.partitions);
    grown->topics += growing.partitions > before;
    grown->partitions += growing.partitions - before;
    return WEIR_OK;
}

static int grow_all(const struct weir__program *program, const struct weir__args *args, struct weir__looked *looked,
                    struct weir_error *reterr)
{
    struct grown   grown = { .dry = weir__args_has(args, "dry-run") };
    struct growing checked;
    int            err = args->word_count > 0
                             ? WEIR_OK
                             : weir__fail(reterr, WEIR_BAD_ARGUMENT, "grow", "name topics: grow TOPIC=PARTITIONS...");

    for (size_t i = 0; err == WEIR_OK && i < args->word_count; i++) /* before anything is changed */
        err = read_word(args->words[i], &checked, reterr);
    if (err == WEIR_OK)
        err = weir__looked_open_stopped(program, args, looked, reterr);
    for (size_t i = 0; err == WEIR_OK && i < args->word_count; i++)
        err = grow(looked, args->words[i], &grown, reterr);
    if (err == WEIR_OK)
        printf("%zu topics %s %lld partitions more\n", grown.topics, grown.dry ? "would have" : "have",
               (long long)grown.partitions);
    return err;
}

static int run_grow(struct weir__program *program, const struct weir__args *args)
{
    struct weir__looked looked = { .dir = { .lock = -1 } };
    struct weir_error   words = { 0 };
    int                 err = grow_all(program, args, &looked, &words);

    weir__looked_close(&looked);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = "dry-run", .meaning = "prints what would be done, and does nothing" },
    { .name = NULL },
};
const struct weir__command weir__command_grow = {
    .name = "grow",
    .usage = "grow TOPIC=PARTITIONS... [--dir DIR] [--dry-run]",
    .meaning = "Gives topics more partitions, while what reads them is stopped: \"reset\" it then; on Kafka where "
               "kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_grow,
    .audited = "data_processing",
};
