/* cmd_try.c: `try`: a topology over files by the test driver, without log or server; prints its outputs as `cat` does. */
#include "framework/driver/open.h"
#include "framework/json/json.h"
#include "framework/main/commands.h"

/* One input file and its next record. */
struct feed {
    const struct weir__load *load;
    struct weir__lines      *lines;
    struct weir__buf         line;
    struct weir_arena        arena;
    struct weir__raw         head;
    bool                     has_head;
};
struct trial {
    struct weir_driver  *driver;
    struct weir__plans   plans;
    struct weir__inputs  inputs;
    struct feed         *feeds;
    struct weir_arena    arena;
    struct weir_json_out json;
    bool                 gone; /* nobody reads our output any more */
};

/* ---- input ---- */

static int fail_line(const struct feed *feed, int code, const struct weir_error *words, struct weir_error *reterr)
{
    char where[160];

    snprintf(where, sizeof(where), "%.120s:%llu", weir__lines_name(feed->lines),
             (unsigned long long)weir__lines_place(feed->lines).lines);
    return weir__fail(reterr, code, where, "the line is no record: %.120s%s%.300s", words->where,
                      words->where[0] != '\0' ? ": " : "",
                      words->text[0] != '\0' ? words->text : weir_code_text(code));
}

static int parse(struct feed *feed, struct weir_error *reterr)
{
    const struct weir__load *load = feed->load;
    const struct weir_json  *json;
    struct weir_error        words = { 0 };
    int                      err = WEIR_OK;

    weir__arena_reset(&feed->arena);
    if (load->lines) {
        feed->head =
            (struct weir__raw){ .timestamp = weir__wall_ms(), .value = BYTES(feed->line.data, feed->line.size) };
        if (feed->line.size == 0)
            feed->head.value.data = "";
        return WEIR_OK;
    }
    err = weir_json_parse(&feed->arena, (struct weir_text){ feed->line.data, feed->line.size }, &json, &words);
    if (err == WEIR_OK)
        err = weir__raw_parse(json, load->key, load->value, &feed->arena, weir__wall_ms(), &feed->head, &words);
    return err < 0 ? fail_line(feed, err, &words, reterr) : WEIR_OK;
}

/* Reads the feed's next record, blank lines of JSON passed over. */
static int advance(struct feed *feed, struct weir_error *reterr)
{
    int err;

    feed->has_head = false;
    do
        err = weir__lines_next(feed->lines, &feed->line, reterr);
    while (err == WEIR_AGAIN || (err == WEIR_OK && !feed->load->lines && feed->line.size == 0));
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err == WEIR_OK)
        err = parse(feed, reterr);
    feed->has_head = err == WEIR_OK;
    return err;
}

/* The feed with the earliest record, the first of them where times are equal. */
static struct feed *earliest(struct trial *trial)
{
    struct feed *best = NULL;

    for (size_t i = 0; i < trial->inputs.count; i++) {
        struct feed *feed = &trial->feeds[i];

        if (feed->has_head && (best == NULL || feed->head.timestamp < best->head.timestamp))
            best = feed;
    }
    return best;
}

/* ---- output ---- */

static int print_output(struct trial *trial, const struct weir_output *output, int64_t offset,
                        struct weir_error *reterr)
{
    struct weir__raw          raw = { .topic = output->topic,
                                      .partition = output->partition,
                                      .offset = offset,
                                      .timestamp = output->timestamp,
                                      .key = output->key,
                                      .value = output->value,
                                      .headers = output->headers,
                                      .header_count = output->header_count };
    struct weir__topic_codecs codecs;
    int                       err;

    (void)weir__plans_codecs(&trial->plans, output->topic, &codecs);
    weir__json_out_reset(&trial->json);
    weir__arena_reset(&trial->arena);
    err = weir__raw_print(&raw, codecs.key, codecs.value, &trial->arena, &trial->json);
    weir__buf_putc(&trial->json.buf, '\n');
    if (err < 0 || !weir__buf_ok(&trial->json.buf))
        return weir__fail(reterr, err < 0 ? err : WEIR_NO_MEMORY, output->topic, "an output cannot be printed");
    trial->gone = fwrite(trial->json.buf.data, 1, trial->json.buf.size, stdout) < trial->json.buf.size;
    return WEIR_OK;
}

static int print_outputs(struct trial *trial, int64_t *offset, struct weir_error *reterr)
{
    struct weir_output output;
    int                err = WEIR_OK;

    while (err == WEIR_OK && !trial->gone && weir_driver_read(trial->driver, &output) == WEIR_OK)
        err = print_output(trial, &output, (*offset)++, reterr);
    return err;
}

/* ---- the trial ---- */

static int open_feeds(struct trial *trial, struct weir_error *reterr)
{
    int err = WEIR_OK;

    trial->feeds = weir__zalloc(sizeof(*trial->feeds) * (trial->inputs.count + 1));
    if (trial->feeds == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "try", "out of memory");
    for (size_t i = 0; err == WEIR_OK && i < trial->inputs.count; i++) {
        trial->feeds[i].load = &trial->inputs.items[i];
        err = weir__lines_open(trial->inputs.items[i].path, &trial->feeds[i].lines, reterr);
        if (err == WEIR_OK)
            err = advance(&trial->feeds[i], reterr);
    }
    return err;
}

static int play(struct trial *trial, struct weir_error *reterr)
{
    struct feed *feed;
    int64_t      offset = 0;
    int          err = WEIR_OK;

    while (err == WEIR_OK && !trial->gone && (feed = earliest(trial)) != NULL) {
        const struct weir__raw *raw = &feed->head;

        err = weir_driver_pipe(trial->driver, feed->load->topic, raw->key, raw->value, raw->timestamp, raw->headers,
                               raw->header_count, reterr);
        if (err == WEIR_OK)
            err = print_outputs(trial, &offset, reterr);
        if (err == WEIR_OK)
            err = advance(feed, reterr);
    }
    if (err == WEIR_OK)
        err = weir_driver_close(trial->driver, reterr);
    return err == WEIR_OK ? print_outputs(trial, &offset, reterr) : err;
}

static int open_driver(const struct weir__program *program, const struct weir_topology *topology, struct trial *trial,
                       struct weir_error *reterr)
{
    const struct weir__config *settings = program->settings;
    char                       id[256];
    struct weir_driver_config  config = {
         .application = weir__application_id(program, topology, id, sizeof(id)),
         .cache_bytes = weir__config_int(settings, "statestore.cache.max.bytes"),
         .wall_clock = weir__wall_ms(),
         .close_emit_interval = weir__config_int(settings, "window.close.interval.ms"),
         .join_emit_interval = weir__config_int(settings, "join.emit.interval.ms"),
    };

    return weir__driver_open(topology, &config, settings, program->engines, &trial->driver, reterr);
}

static void end_trial(struct trial *trial)
{
    for (size_t i = 0; trial->feeds != NULL && i < trial->inputs.count; i++) {
        weir__lines_close(trial->feeds[i].lines);
        weir__buf_fini(&trial->feeds[i].line);
        weir__arena_fini(&trial->feeds[i].arena);
    }
    weir__free(trial->feeds);
    weir_driver_free(trial->driver);
    weir__inputs_fini(&trial->inputs);
    weir__plans_fini(&trial->plans);
    weir__json_out_fini(&trial->json);
    weir__arena_fini(&trial->arena);
}

static int try_topology(const struct weir__program *program, const struct weir_topology *topology,
                        const struct weir__args *args, struct weir_error *reterr)
{
    struct trial trial = { 0 };
    int          err = weir__plans_make(program, &topology, 1, &trial.plans, reterr);

    if (err == WEIR_OK)
        err = weir__inputs_read(args, &trial.plans, &trial.inputs, reterr);
    if (err == WEIR_OK && trial.inputs.count == 0)
        err = weir__fail(reterr, WEIR_BAD_ARGUMENT, "try", "give it input: --in TOPIC=FILE");
    if (err == WEIR_OK)
        err = open_driver(program, topology, &trial, reterr);
    if (err == WEIR_OK)
        err = open_feeds(&trial, reterr);
    if (err == WEIR_OK)
        err = play(&trial, reterr);
    end_trial(&trial);
    return err;
}

static int run_try(struct weir__program *program, const struct weir__args *args)
{
    const struct weir_topology **topologies = NULL;
    struct weir_error            words = { 0 };
    size_t                       count;
    int err = weir__choose_topologies(program, args->words, args->word_count, &topologies, &count, &words);

    if (err == WEIR_OK && count != 1)
        err = weir__fail(&words, WEIR_BAD_ARGUMENT, "try", "name one topology: there are %zu", count);
    if (err == WEIR_OK)
        err = try_topology(program, topologies[0], args, &words);
    weir__free(topologies);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "in",
      .value = "TOPIC=FILE",
      .many = true,
      .meaning = "input, plain or gzip, - is standard input: JSON lines as \"cat\" prints them" },
    { .name = "lines", .meaning = "each line is a value, without key; its time is now" },
    { .name = NULL },
};
const struct weir__command weir__command_try = {
    .name = "try",
    .usage = "try TOPOLOGY --in TOPIC=FILE... [--lines]",
    .meaning = "Runs a topology over files without a log and prints its outputs.",
    .flags = flags,
    .run = run_try
};
