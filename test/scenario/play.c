/* play.c: a story on the test driver, step by step.
 *
 * (1) A failure that the mode orders is made good as an application would: the call again where nothing was done, else
 *     a crash. The story then goes on, and what comes out must be what it tells.
 */
#include "test/scenario/flow.h"

#include <inttypes.h>

struct play {
    const struct flow          *flow;
    const struct flow_mode     *mode;
    struct weir__buf           *complaint;
    struct weir_arena           arena;
    const struct weir_topology *topology;
    struct weir_driver_config   config;
    const char                **settings; /* NULL-ended */
    size_t                      setting_count;
    struct weir_driver         *driver;      /* NULL = not open yet */
    const char                 *key, *value; /* of the record that is piped, as JSON, and what goes with it */
    struct flow_extras          extras;
    const struct flow_step     *cause; /* the last step that could make outputs */
    int                         code;  /* of a failure that no step has told yet */
    struct weir_error           error;
    bool                        faulted; /* an ordered failure was carried out */
    bool                        ended;   /* by one that the story does not bear */
    struct flow_puts            puts;
};

typedef int call(struct play *play, const struct flow_step *step);

/* ---- complaints ---- */

static bool complain(struct play *play, const struct flow_step *step, const char *format, ...) WEIR_PRINTF(3, 4);
static bool complain(struct play *play, const struct flow_step *step, const char *format, ...)
{
    char    text[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    weir__buf_printf(play->complaint, "%s:%zu: (%s) %s", play->flow->path, step->line, play->mode->name, text);
    return false;
}

static void print_headers(const struct weir_output *output, struct weir__buf *ret)
{
    for (size_t i = 0; i < output->header_count; i++) {
        const struct weir_header *header = &output->headers[i];

        weir__buf_printf(ret, "%s%s", i == 0 ? " with " : " ", header->name);
        if (header->value.data != NULL)
            weir__buf_printf(ret, "=%.*s", (int)header->value.size, (const char *)header->value.data);
    }
}

/* An output as a story tells it. */
static const char *tell(struct play *play, const char *verb, const struct weir_output *output)
{
    struct weir__buf text = { 0 };
    const char      *key, *value;

    CHECK(weir_driver_print(play->driver, output, &key, &value) == WEIR_OK);
    weir__buf_printf(&text, "    %s %s ", verb, output->topic);
    flow_print_word(key, &text);
    weir__buf_putc(&text, ' ');
    flow_print_word(value, &text);
    weir__buf_puts(&text, " at ");
    flow_print_time(output->timestamp, &text);
    print_headers(output, &text);
    key = weir__arena_copy(&play->arena, text.data, text.size + 1);
    ((char *)key)[text.size] = '\0';
    weir__buf_fini(&text);
    return key;
}

static const char *tell_put(struct play *play, const struct flow_put *put)
{
    struct weir__buf text = { 0 };
    const char      *told;

    weir__buf_printf(&text, "    put %s ", put->node);
    flow_print_word(put->key, &text);
    weir__buf_putc(&text, ' ');
    flow_print_word(put->value, &text);
    weir__buf_puts(&text, " at ");
    flow_print_time(put->time, &text);
    weir__buf_putc(&text, '\0');
    told = weir__arena_copy(&play->arena, text.data, text.size);
    weir__buf_fini(&text);
    return told;
}

/* ---- calls of the driver ---- */

static int open_driver(struct play *play, const struct flow_step *step)
{
    (void)step;
    play->config.settings = play->settings;
    play->config.dir = play->mode->dir;
    play->config.put = flow_puts_take;
    play->config.put_arg = &play->puts;
    return weir_driver_open(play->topology, &play->config, play->mode->engines, &play->driver, &play->error);
}

static int crash(struct play *play, const struct flow_step *step)
{
    (void)step;
    return weir_driver_crash(play->driver, true, &play->error);
}

static int crash_keeping_dir(struct play *play, const struct flow_step *step)
{
    (void)step;
    return weir_driver_crash(play->driver, false, &play->error);
}

static int pipe_in(struct play *play, const struct flow_step *step)
{
    const struct flow_extras *extras = &play->extras;

    return weir_driver_pipe_json(play->driver, step->words[0], play->key, play->value, extras->time, extras->headers,
                                 extras->header_count, &play->error);
}

static int pass(struct play *play, const struct flow_step *step)
{
    int64_t ms = 0;

    CHECK(flow_time(step->words[0], &ms));
    return weir_driver_advance(play->driver, ms, &play->error);
}

/* The clock has moved already. */
static int look_at_clock(struct play *play, const struct flow_step *step)
{
    (void)step;
    return weir_driver_advance(play->driver, 0, &play->error);
}

static int finish(struct play *play, const struct flow_step *step)
{
    (void)step;
    return weir_driver_finish(play->driver, &play->error);
}

static int close_driver(struct play *play, const struct flow_step *step)
{
    (void)step;
    return weir_driver_close(play->driver, &play->error);
}

static int attempt(struct play *play, const struct flow_step *step, call *fn);

/* A failure was ordered and has come: it must be told well, and may cost nothing. */
static int make_good(struct play *play, const struct flow_step *step, call *fn, int err)
{
    play->faulted = true;
    if (play->error.code != err || play->error.text[0] == '\0' || play->error.where[0] == '\0') {
        complain(play, step, "an ordered failure (%s) came without words: code %s, where \"%s\", text \"%s\"",
                 weir_code_name(err), weir_code_name(play->error.code), play->error.where, play->error.text);
        return err;
    }
    if (play->driver == NULL || !weir_driver_failed(play->driver))
        return attempt(play, step, fn);
    play->ended = !flow_crashes(play->flow);
    if (play->ended)
        return WEIR_OK;
    err = attempt(play, step, play->mode->dir != NULL ? crash_keeping_dir : crash);
    if (err == WEIR_OK && fn == pass)
        return attempt(play, step, look_at_clock);
    return err == WEIR_OK && (fn == finish || fn == close_driver || fn == look_at_clock) ? attempt(play, step, fn)
                                                                                         : err;
}

static int attempt(struct play *play, const struct flow_step *step, call *fn)
{
    bool hit;
    int  err;

    if (play->mode->before == NULL)
        return fn(play, step);
    memset(&play->error, 0, sizeof(play->error));
    play->mode->before();
    err = fn(play, step);
    hit = play->mode->after();
    play->faulted |= hit;
    return hit && err < 0 ? make_good(play, step, fn, err) : err;
}

/* ---- what a story asks before it goes on ---- */

static bool no_failure(struct play *play)
{
    if (play->code == WEIR_OK)
        return true;
    return complain(play, play->cause, "failed, and no line tells it:\n    fails %s\n    %s: %s",
                    weir_code_name(play->code), play->error.where, play->error.text);
}

static bool no_output(struct play *play)
{
    struct weir_output output;

    if (play->driver == NULL || weir_driver_read(play->driver, &output) != WEIR_OK)
        return true;
    return complain(play, play->cause, "came out, and no line tells it:\n%s", tell(play, "out", &output));
}

static bool no_put(struct play *play)
{
    const struct flow_put *put;

    do
        put = flow_puts_next(&play->puts, NULL);
    while (put != NULL && play->faulted);
    return put == NULL ||
           complain(play, play->cause, "came to an outlet, and no line tells it:\n%s", tell_put(play, put));
}

static bool is_open(struct play *play, const struct flow_step *step)
{
    if (play->driver != NULL)
        return true;
    if (play->topology == NULL)
        return complain(play, step, "name the topology first");
    play->cause = step;
    play->code = attempt(play, step, open_driver);
    return true;
}

/* ---- steps that do something ---- */

static bool act(struct play *play, const struct flow_step *step, call *fn)
{
    if (!is_open(play, step) || !no_failure(play) || !no_output(play) || !no_put(play))
        return false;
    play->cause = step;
    play->code = attempt(play, step, fn);
    if (play->complaint->size > 0)
        return false;
    if (play->mode->crashes && play->code == WEIR_OK && (fn == pipe_in || fn == pass || fn == finish))
        play->code = attempt(play, step, play->mode->dir != NULL ? crash_keeping_dir : crash);
    return true;
}

static bool do_in(struct play *play, const struct flow_step *step)
{
    if (!flow_extras(step->rest, &play->arena, &play->extras))
        return complain(play, step, "write what follows a record as: at TIME with NAME=TEXT ...");
    if (!play->extras.timed)
        play->extras.time = play->config.wall_clock;
    play->key = flow_json(step->words[1], &play->arena);
    play->value = flow_json(step->words[2], &play->arena);
    return act(play, step, pipe_in);
}

static bool do_pass(struct play *play, const struct flow_step *step)
{
    int64_t ms;

    if (!flow_time(step->words[0], &ms))
        return complain(play, step, "\"%s\" is no duration", step->words[0]);
    if (!act(play, step, pass))
        return false;
    play->config.wall_clock += ms;
    return true;
}

static bool do_crash(struct play *play, const struct flow_step *step) { return act(play, step, crash); }

static int rebuild(struct play *play, const struct flow_step *step)
{
    int64_t epoch;

    if (weir__parse_int64(step->words[0], &epoch) < 0)
        epoch = 0; /* is refused */
    return weir_driver_rebuild(play->driver, epoch, false, &play->error);
}

static bool do_epoch(struct play *play, const struct flow_step *step) { return act(play, step, rebuild); }

static bool do_finish(struct play *play, const struct flow_step *step) { return act(play, step, finish); }

static bool do_close(struct play *play, const struct flow_step *step) { return act(play, step, close_driver); }

/* ---- steps before it begins ---- */

static bool do_topology(struct play *play, const struct flow_step *step)
{
    const char *near;

    play->topology = flow_topology(step->words[0], &near);
    if (play->topology != NULL)
        return true;
    return complain(play, step, "no topology \"%s\"%s%s", step->words[0], near != NULL ? ": did you mean " : "",
                    near != NULL ? near : "");
}

static bool do_clock(struct play *play, const struct flow_step *step)
{
    return flow_time(step->words[0], &play->config.wall_clock) ||
           complain(play, step, "\"%s\" is no time", step->words[0]);
}

/* "KEY = VALUE" as "KEY=VALUE". */
static bool do_set(struct play *play, const struct flow_step *step)
{
    size_t size = strcspn(step->rest, "=");
    int    key = (int)size;

    if (play->driver != NULL || step->rest[size] == '\0')
        return complain(play, step, "write KEY = VALUE, before the first step");
    while (key > 0 && step->rest[key - 1] == ' ')
        key--;
    size += 1 + strspn(step->rest + size + 1, " ");
    play->settings[play->setting_count++] =
        weir__arena_printf(&play->arena, "%.*s=%s", key, step->rest, step->rest + size);
    return true;
}

static bool do_no_crash(struct play *play, const struct flow_step *step)
{
    return step->rest[0] != '\0' || complain(play, step, "say why");
}

static bool do_watch(struct play *play, const struct flow_step *step)
{
    flow_puts_watch(&play->puts, step->words[0]);
    return play->driver == NULL || complain(play, step, "write it before the first step");
}

/* ---- steps that look ---- */

static bool do_fails(struct play *play, const struct flow_step *step)
{
    if (!is_open(play, step))
        return false;
    if (play->code == WEIR_OK)
        return complain(play, step, "expected %s, but nothing failed", step->words[0]);
    if (strcmp(weir_code_name(play->code), step->words[0]) != 0 ||
        (strstr(play->error.text, step->rest) == NULL && strstr(play->error.where, step->rest) == NULL))
        return complain(play, step, "expected\n    fails %s %s\nbut came\n    fails %s\n    %s: %s", step->words[0],
                        step->rest, weir_code_name(play->code), play->error.where, play->error.text);
    play->code = WEIR_OK;
    return no_output(play);
}

static bool same_headers(const struct flow_extras *extras, const struct weir_output *output)
{
    if (!extras->headed)
        return true;
    for (size_t i = 0; i < MIN(extras->header_count, output->header_count); i++)
        if (strcmp(extras->headers[i].name, output->headers[i].name) != 0 ||
            (extras->headers[i].value.data == NULL) != (output->headers[i].value.data == NULL) ||
            !weir__bytes_equal(extras->headers[i].value, output->headers[i].value))
            return false;
    return extras->header_count == output->header_count;
}

static bool is_told(struct play *play, const struct flow_step *step, const struct weir_output *output)
{
    struct flow_extras extras;
    const char        *key, *value;

    CHECK(flow_extras(step->rest, &play->arena, &extras));
    CHECK(weir_driver_print(play->driver, output, &key, &value) == WEIR_OK);
    return strcmp(step->words[0], output->topic) == 0 && flow_matches(step->words[1], key, output->key) &&
           flow_matches(step->words[2], value, output->value) &&
           (!extras.timed || extras.time == output->timestamp) && same_headers(&extras, output);
}

static bool look(struct play *play, const struct flow_step *step, int found, const struct weir_output *output)
{
    struct flow_extras extras;

    if (!flow_extras(step->rest, &play->arena, &extras))
        return complain(play, step, "write what follows a record as: at TIME with NAME=TEXT ...");
    if (found == WEIR_OK && is_told(play, step, output))
        return true;
    return complain(play, step, "expected\n    %s %s %s %s %s\nbut %s%s", step->verb, step->words[0], step->words[1],
                    step->words[2], step->rest, found == WEIR_OK ? "came\n" : "nothing came",
                    found == WEIR_OK ? tell(play, step->verb, output) : "");
}

static bool do_out(struct play *play, const struct flow_step *step)
{
    struct weir_output output;

    if (!is_open(play, step) || !no_failure(play))
        return false;
    return look(play, step, weir_driver_read(play->driver, &output), &output);
}

static bool do_sent(struct play *play, const struct flow_step *step)
{
    struct weir_output output;

    if (!is_open(play, step) || !no_failure(play))
        return false;
    return look(play, step, weir_driver_read_topic(play->driver, step->words[0], &output), &output);
}

static bool is_put(const struct flow_step *step, const struct flow_extras *extras, const struct flow_put *put)
{
    return flow_matches(step->words[1], put->key, NO_BYTES) && flow_matches(step->words[2], put->value, NO_BYTES) &&
           (!extras->timed || extras->time == put->time);
}

static bool do_put(struct play *play, const struct flow_step *step)
{
    struct flow_extras     extras;
    const struct flow_put *put;

    if (!flow_extras(step->rest, &play->arena, &extras) || extras.headed)
        return complain(play, step, "write what follows a put as: at TIME");
    if (!is_open(play, step) || !no_failure(play))
        return false;
    do
        put = flow_puts_next(&play->puts, step->words[0]);
    while (put != NULL && play->faulted && !is_put(step, &extras, put));
    if (put != NULL && is_put(step, &extras, put))
        return true;
    return complain(play, step, "expected\n    put %s %s %s %s\nbut %s%s", step->words[0], step->words[1],
                    step->words[2], step->rest, put != NULL ? "came\n" : "nothing came",
                    put != NULL ? tell_put(play, put) : "");
}

static bool do_nothing(struct play *play, const struct flow_step *step)
{
    return is_open(play, step) && no_failure(play) && no_output(play) && no_put(play);
}

/* ---- stores ---- */

struct search {
    struct play     *play;
    const char      *store, *key, *value;
    bool             timed, found, good;
    int64_t          time;
    size_t           count;
    struct weir__buf seen;
};

/* "key@start" for rows of windows. */
static bool is_row(struct search *search, const struct weir_stored *row, const char *key)
{
    const char *at = row->start >= 0 ? strrchr(search->key, '@') : NULL;
    int64_t     start;

    if (at == NULL)
        return flow_matches(search->key, key, row->key);
    return flow_time(at + 1, &start) && start == row->start &&
           flow_matches(weir__arena_printf(&search->play->arena, "%.*s", (int)(at - search->key), search->key), key,
                        row->key);
}

static void note_row(struct search *search, const struct weir_stored *row, const char *key, const char *value)
{
    weir__buf_printf(&search->seen, "    store %s ", search->store);
    flow_print_word(key, &search->seen);
    if (row->start >= 0) {
        weir__buf_putc(&search->seen, '@');
        flow_print_time(row->start, &search->seen);
    }
    weir__buf_putc(&search->seen, ' ');
    flow_print_word(value, &search->seen);
    if (row->timestamp >= 0) {
        weir__buf_puts(&search->seen, " at ");
        flow_print_time(row->timestamp, &search->seen);
    }
    weir__buf_putc(&search->seen, '\n');
}

static int on_row(void *arg, const struct weir_stored *row)
{
    struct search *search = arg;
    const char    *key, *value;

    CHECK(weir_driver_print_row(search->play->driver, search->store, row, &key, &value) == WEIR_OK);
    search->count++;
    note_row(search, row, key, value);
    if (search->key == NULL || !is_row(search, row, key))
        return WEIR_OK;
    search->found = true;
    search->good =
        flow_matches(search->value, value, row->value) && (!search->timed || search->time == row->timestamp);
    return WEIR_OK;
}

static bool visit(struct play *play, const struct flow_step *step, struct search *search)
{
    int err;

    if (!is_open(play, step) || !no_failure(play))
        return false;
    err = weir_driver_visit(play->driver, search->store, on_row, search);
    weir__buf_putc(&search->seen, '\0');
    return err == WEIR_OK || complain(play, step, "store %s: %s", search->store, weir_code_text(err));
}

static bool do_store(struct play *play, const struct flow_step *step)
{
    struct search search = { .play = play, .store = step->words[0], .key = step->words[1], .value = step->words[2] };
    struct flow_extras extras;
    bool               good;

    if (!flow_extras(step->rest, &play->arena, &extras) || extras.headed)
        return complain(play, step, "write what follows a row as: at TIME");
    search.timed = extras.timed;
    search.time = extras.time;
    good = visit(play, step, &search);
    if (good && !(search.found ? search.good : strcmp(search.value, "null") == 0))
        good = complain(play, step, "expected\n    store %s %s %s %s\nbut it holds\n%s", search.store, search.key,
                        search.value, step->rest, search.seen.data);
    weir__buf_fini(&search.seen);
    return good;
}

static bool do_rows(struct play *play, const struct flow_step *step)
{
    struct search search = { .play = play, .store = step->words[0] };
    int64_t       count;
    bool          good = visit(play, step, &search);

    if (good && (weir__parse_int64(step->words[1], &count) < 0 || (size_t)count != search.count))
        good = complain(play, step, "expected %s rows, but store %s holds %zu:\n%s", step->words[1], search.store,
                        search.count, search.seen.data);
    weir__buf_fini(&search.seen);
    return good;
}

/* ---- counters and descriptions ---- */

/* METRIC{label="value"} == N */
static bool do_expect(struct play *play, const struct flow_step *step)
{
    char        name[128], label[64] = "", value[128] = "";
    double      expected, actual;
    const char *equals = strstr(step->rest, "==");

    if (equals == NULL || sscanf(equals + 2, "%lf", &expected) != 1 ||
        sscanf(step->rest, "%127[a-z_]{%63[a-z_]=\"%127[^\"]", name, label, value) < 1)
        return complain(play, step, "write METRIC == N or METRIC{label=\"value\"} == N");
    if (!is_open(play, step) || !no_failure(play))
        return false;
    actual = weir_driver_metric(play->driver, name, label[0] != '\0' ? label : NULL, value);
    return play->faulted || actual == expected || complain(play, step, "expected %g, but it is %g", expected, actual);
}

static bool do_describe(struct play *play, const struct flow_step *step)
{
    char *text = NULL;
    bool  good;

    if (play->topology == NULL)
        return complain(play, step, "name the topology first");
    play->config.settings = play->settings;
    if (weir_describe(play->topology, &play->config, &text, &play->error) < 0)
        return complain(play, step, "%s: %s", play->error.where, play->error.text);
    while (strlen(text) > 1 && strcmp(text + strlen(text) - 2, "\n\n") == 0)
        text[strlen(text) - 1] = '\0';
    good = strcmp(text, step->rest) == 0;
    if (!good)
        weir__buf_printf(play->complaint, "%s:%zu: the topology is described otherwise:\n%s", play->flow->path,
                         step->line, text);
    weir_text_free(text);
    return good;
}

/* ---- all of it ---- */

static bool play_step(struct play *play, const struct flow_step *step)
{
    static const struct {
        const char *verb;
        bool (*run)(struct play *play, const struct flow_step *step);
    } verbs[] = {
        { "topology", do_topology }, { "clock", do_clock },   { "set", do_set },
        { "no-crash", do_no_crash }, { "in", do_in },         { "pass", do_pass },
        { "crash", do_crash },       { "epoch", do_epoch },   { "finish", do_finish },
        { "close", do_close },       { "fails", do_fails },   { "out", do_out },
        { "nothing", do_nothing },   { "sent", do_sent },     { "store", do_store },
        { "rows", do_rows },         { "expect", do_expect }, { "describe", do_describe },
        { "watch", do_watch },       { "put", do_put },
    };
    size_t i = 0;

    while (strcmp(verbs[i].verb, step->verb) != 0)
        i++;
    return verbs[i].run(play, step);
}

static bool play_steps(struct play *play)
{
    for (size_t i = 0; i < play->flow->count && !play->ended; i++)
        if (!play_step(play, &play->flow->steps[i]))
            return false;
    return play->ended || (no_failure(play) && no_output(play) && no_put(play));
}

bool flow_play(const struct flow *flow, const struct flow_mode *mode, struct weir__buf *complaint)
{
    struct play play = { .flow = flow, .mode = mode, .complaint = complaint };
    bool        good;

    play.settings = weir_arena_alloc(&play.arena, sizeof(*play.settings) * (flow->count + 2));
    if (mode->setting != NULL)
        play.settings[play.setting_count++] = mode->setting;
    good = play_steps(&play);
    weir_driver_free(play.driver);
    flow_puts_fini(&play.puts);
    weir__arena_fini(&play.arena);
    return good && complaint->size == 0;
}
