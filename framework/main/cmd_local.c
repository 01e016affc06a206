/* cmd_local.c: `local` and `run`: topologies in this process, on the embedded log or on Kafka, with files loaded beside them.
 *
 * (1) SIGTERM and SIGINT are taken by this thread alone; a second one ends the process at once.
 * (2) Order of the end: loader, applications, HTTP port, log, folder.
 * (3) `run` has no folder but for its state; before anything else it waits for a broker to answer.
 */
#include "framework/http/http.h"
#include "framework/main/commands.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* How often we look whether anything has ended, ms. */
#define LOOK_MS 20

struct local {
    struct weir__program          *program;
    const struct weir__args       *args;
    const char                    *command; /* "local", "run" */
    bool                           broker;
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    struct weir__metrics          *metrics;
    struct weir__data_dir          dir;
    const struct weir_topology   **topologies;
    size_t                         count;
    struct weir__app             **apps;
    char (*ids)[256]; /* of the applications */
    struct weir__http  *http;
    struct weir__plans  plans;
    struct weir__inputs inputs;
    const char        **names, **files; /* the words: topologies, and what the program loads */
    size_t              name_count, file_count;
    sigset_t            signals;
    bool                signalled, stuck;

    /* the loader, a thread of its own */
    pthread_t         loader;
    bool              loading; /* the thread was started */
    atomic_bool       stop_loading, loaded;
    int               load_code;
    struct weir_error load_error;
};

/* ---- the loader ---- */

static struct weir__load_config load_config(struct local *local)
{
    return (struct weir__load_config){
        .engine = local->engine,
        .log = local->log,
        .metrics = local->metrics,
        .stop = &local->stop_loading,
        .transaction_us = weir__transaction_us(local->program->settings),
    };
}

static int prepare_log(struct local *local, struct weir_error *reterr)
{
    struct weir__load_config config = load_config(local);

    return local->program->prepare != NULL ? local->program->prepare(local->program, &config, local->args, reterr)
                                           : WEIR_OK;
}

static void *load_files(void *arg)
{
    struct local            *local = arg;
    struct weir__load_config config = load_config(local);
    int                      err = WEIR_OK;

    if (local->file_count > 0)
        err = local->program->load_files(local->program, &config, local->args, local->files, local->file_count,
                                         &local->load_error);
    for (size_t i = 0; err == WEIR_OK && i < local->inputs.count; i++) {
        const struct weir__load *load = &local->inputs.items[i];
        uint64_t                 rows = 0;

        err = weir__load_file(&config, load, &rows, &local->load_error);
        weir__say(err < 0 && err != WEIR_AGAIN ? WEIR__WARN : WEIR__INFO,
                  err < 0 && err != WEIR_AGAIN ? "file-not-loaded" : "file-loaded", "file", "s", load->path, "topic",
                  "s", load->topic, "rows", "u", rows, "whole", "b", err == WEIR_OK, NULL);
    }
    local->load_code = err;
    atomic_store(&local->loaded, true);
    return NULL;
}

static int start_loader(struct local *local, struct weir_error *reterr)
{
    if (local->inputs.count + local->file_count == 0) {
        atomic_store(&local->loaded, true);
        return WEIR_OK;
    }
    if (pthread_create(&local->loader, NULL, load_files, local) != 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, local->command, "the system gives no thread for loading");
    local->loading = true;
    return WEIR_OK;
}

/* WEIR_AGAIN, a load that we stopped, is no failure of its own. */
static int stop_loader(struct local *local, struct weir_error *reterr)
{
    atomic_store(&local->stop_loading, true);
    if (local->loading)
        pthread_join(local->loader, NULL);
    local->loading = false;
    if (local->load_code < 0 && local->load_code != WEIR_AGAIN) {
        *reterr = local->load_error;
        reterr->code = local->load_code;
        return local->load_code;
    }
    return WEIR_OK;
}

/* ---- waiting ---- */

static bool look_for_signal(struct local *local, int64_t ms)
{
    struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    int             number = sigtimedwait(&local->signals, NULL, &wait);

    if (number < 0)
        return false;
    local->signalled = true;
    weir__say(WEIR__INFO, "stopping", "signal", "s", number == SIGINT ? "SIGINT" : "SIGTERM", NULL);
    pthread_sigmask(SIG_UNBLOCK, &local->signals, NULL); /* the next one does what signals do */
    return true;
}

static bool any_failed(const struct local *local)
{
    for (size_t i = 0; i < local->count; i++)
        if (weir__app_failed(local->apps[i]))
            return true;
    return false;
}

static bool load_failed(struct local *local) { return atomic_load(&local->loaded) && local->load_code < 0; }

static bool goes_on(void *arg)
{
    struct local *local = arg;

    return !local->signalled && !look_for_signal(local, 0);
}

/* Until a signal or a failure; with --once until the files are loaded. */
static void wait_for_end(struct local *local, bool once)
{
    while (!local->signalled && !any_failed(local) && !load_failed(local)) {
        if (once && atomic_load(&local->loaded))
            return;
        look_for_signal(local, LOOK_MS);
    }
}

static int run_to_end(struct local *local, struct weir_error *reterr)
{
    bool once = weir__args_has(local->args, "once");
    int  err;

    wait_for_end(local, once);
    if (!once || any_failed(local) || load_failed(local))
        return WEIR_OK;
    if (local->signalled)
        return weir__fail(reterr, WEIR_AGAIN, local->command, "stopped before all was read: run it again to go on");
    err = weir__apps_drain(local->apps, local->count, goes_on, local, reterr);
    return err == WEIR_BAD_STATE ? WEIR_OK : err; /* a failed application has better words */
}

/* ---- applications ---- */

static int make_apps(struct local *local, struct weir_error *reterr)
{
    for (size_t i = 0; i < local->count; i++) {
        struct weir__app_config config = { .topology = local->topologies[i],
                                           .application = weir__application_id(local->program, local->topologies[i],
                                                                               local->ids[i], sizeof(local->ids[i])),
                                           .settings = local->program->settings,
                                           .engines = local->program->engines,
                                           .engine = local->engine,
                                           .log = local->log,
                                           .metrics = local->metrics,
                                           .state_dir = weir__state_root(local->program, &local->dir),
                                           .neighbours = local->count,
                                           .goes_on = goes_on,
                                           .goes_on_arg = local };
        int                     err = weir__app_new(&config, &local->apps[i], reterr);

        if (err < 0)
            return err;
    }
    return WEIR_OK;
}

static int start_http(struct local *local, struct weir_error *reterr)
{
    struct weir__http_config config = { .apps = local->apps,
                                        .count = local->count,
                                        .settings = local->program->settings,
                                        .metrics = local->metrics,
                                        .audit = local->program->audit,
                                        .declared = !weir__args_has(local->args, "once") };

    return weir__http_start(&config, &local->http, reterr);
}

static int start_apps(struct local *local, struct weir_error *reterr)
{
    int err = start_http(local, reterr);

    for (size_t i = 0; err == WEIR_OK && i < local->count; i++)
        err = weir__app_start(local->apps[i], reterr);
    for (size_t i = 0; err == WEIR_OK && i < local->count; i++) {
        const char *service = local->topologies[i]->name, *instance = weir__app_instance(local->apps[i]);

        weir__trail_service(local->program, service, instance, "service_start", WEIR__EXIT_OK, NULL);
        weir__trail_settings(local->program, service, instance);
    }
    return err;
}

static void note_stops(const struct local *local, int err, const struct weir_error *words)
{
    for (size_t i = 0; local->apps != NULL && i < local->count; i++)
        if (local->apps[i] != NULL)
            weir__trail_service(local->program, local->topologies[i]->name, weir__app_instance(local->apps[i]),
                                "service_stop", err < 0 ? weir__exit_of(err) : WEIR__EXIT_OK,
                                err < 0 ? words->text : NULL);
}

/* A record's failure that no handler took ends the run: that is fatal to it. */
static int fatal_code(int code) { return weir_code_scope(code) == WEIR_SCOPE_RECORD ? WEIR_FATAL : code; }

/* To the next application that there is; false: there is none. */
static bool next_app(const struct local *local, size_t *at, struct weir__app **ret)
{
    while (local->apps != NULL && *at < local->count)
        if ((*ret = local->apps[(*at)++]) != NULL)
            return true;
    return false;
}

static bool have_ended(const struct local *local)
{
    struct weir__app *app;

    for (size_t at = 0; next_app(local, &at, &app);)
        if (!weir__app_ended(app))
            return false;
    return true;
}

/* What has read all writes its state in its own time, until a signal comes: the time-out is of who is told to stop. */
static void let_finish(struct local *local)
{
    struct weir__app *app;

    for (size_t at = 0; next_app(local, &at, &app);)
        weir__app_finish(app);
    while (!have_ended(local) && !local->signalled)
        look_for_signal(local, LOOK_MS);
}

static int stop_apps(struct local *local, bool in_time, struct weir_error *reterr)
{
    struct weir__app *app;
    int               err = WEIR_OK;

    if (!in_time)
        let_finish(local);
    for (size_t at = 0; next_app(local, &at, &app);)
        weir__app_close(app);
    for (size_t at = 0; next_app(local, &at, &app);) {
        struct weir_error words;
        int               code = weir__app_stop(app, &words);

        local->stuck = local->stuck || weir__app_stuck(app);
        if (code < 0 && err == WEIR_OK) {
            err = fatal_code(code);
            *reterr = words;
            reterr->code = err;
        }
    }
    return err;
}

/* ---- the run ---- */

/* Until a broker answers, or a signal comes. */
static int await_broker(struct local *local, struct weir_error *reterr)
{
    bool said = false;
    int  err;

    while ((err = weir__broker_ask(local->engine, local->log)) == WEIR_AGAIN) {
        if (local->engine->refused != NULL && local->engine->refused(local->log, reterr))
            return reterr->code;
        if (!said)
            weir__say(WEIR__WARN, "waiting-for-brokers", "servers", "s", weir__broker_servers(local->program), "why",
                      "s", "none answers: are they up, and is kafka.bootstrap.servers right?", NULL);
        said = true;
        if (!goes_on(local))
            return weir__fail(reterr, WEIR_AGAIN, local->command, "stopped before a broker answered at %.200s",
                              weir__broker_servers(local->program));
    }
    return err < 0 ? weir__fail(reterr, err, "kafka", "the brokers do not answer: %s", weir_code_text(err)) : WEIR_OK;
}

static int open_log(struct local *local, struct weir_error *reterr)
{
    int err;

    if (local->broker) {
        err = weir__broker_open(local->program, NULL, &local->log, reterr);
        return err == WEIR_OK ? await_broker(local, reterr) : err;
    }
    return weir__data_log_open(local->program, weir__args_value(local->args, "dir", WEIR__DEFAULT_DIR), true,
                               &local->dir, &local->log, reterr);
}

/* A word that is no topology is a file, where the program loads files; one that is not there may be a misspelt topology. */
static bool is_file(const struct local *local, const char *word)
{
    if (local->program->load_files == NULL || weir__find_topology(local->program, word) != NULL)
        return false;
    return access(word, F_OK) == 0 || weir__near_topology(local->program, word) == NULL;
}

static int sort_words(struct local *local, struct weir_error *reterr)
{
    const struct weir__args *args = local->args;

    local->names = weir__zalloc(sizeof(*local->names) * (args->word_count + 1));
    local->files = weir__zalloc(sizeof(*local->files) * (args->word_count + 1));
    if (local->names == NULL || local->files == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, local->command, "out of memory");
    for (size_t i = 0; i < args->word_count; i++)
        if (is_file(local, args->words[i]))
            local->files[local->file_count++] = args->words[i];
        else
            local->names[local->name_count++] = args->words[i];
    return WEIR_OK;
}

static int prepare(struct local *local, struct weir_error *reterr)
{
    int err = sort_words(local, reterr);

    if (err == WEIR_OK)
        err = weir__choose_topologies(local->program, local->names, local->name_count, &local->topologies,
                                      &local->count, reterr);
    if (err == WEIR_OK)
        err = weir__plans_make(local->program, local->topologies, local->count, &local->plans, reterr);
    if (err == WEIR_OK)
        err = weir__inputs_read(local->args, &local->plans, &local->inputs, reterr);
    if (err < 0)
        return err;
    local->apps = weir__zalloc(sizeof(struct weir__app *) * (local->count + 1));
    local->ids = weir__zalloc(sizeof(*local->ids) * (local->count + 1));
    if (local->apps == NULL || local->ids == NULL || weir__metrics_new(&local->metrics) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, local->command, "out of memory");
    return WEIR_OK;
}

static void say_settings(const struct local *local)
{
    struct weir__buf text = { 0 };

    weir__config_print(local->program->settings, &text);
    weir__buf_putc(&text, '\0');
    if (weir__buf_ok(&text) && text.size > 1)
        weir__say(WEIR__INFO, "settings", "changed", "s", text.data, NULL);
    weir__buf_fini(&text);
    if (!local->broker && weir__config_kafka(local->program->settings)[0] != NULL)
        weir__say(WEIR__WARN, "settings-unused", "which", "s", "kafka.*", "why", "s",
                  "the embedded log has no use for them", NULL);
}

static void say_libraries(const struct local *local)
{
    struct weir__buf text = { 0 };

    weir__libraries(local->program, &text);
    weir__buf_putc(&text, '\0');
    if (weir__buf_ok(&text))
        weir__say(WEIR__INFO, "versions", "libraries", "s", text.data, NULL);
    weir__buf_fini(&text);
}

static int run(struct local *local, struct weir_error *reterr)
{
    struct weir_error words = { 0 };
    int               err, code;

    weir__memory_be_thrifty(weir__memory_total(weir__config_int(local->program->settings, "memory.max")));
    say_libraries(local);
    say_settings(local);
    weir__say_variables(local->program);
    err = open_log(local, reterr);
    if (err == WEIR_OK)
        err = prepare_log(local, reterr);
    if (err == WEIR_OK)
        err = make_apps(local, reterr);
    if (err == WEIR_OK)
        err = start_apps(local, reterr);
    if (err == WEIR_OK)
        err = start_loader(local, reterr);
    if (err == WEIR_OK)
        err = run_to_end(local, reterr);
    code = stop_loader(local, &words);
    if (code < 0 && err == WEIR_OK) {
        err = code;
        *reterr = words;
    }
    code = stop_apps(local, !weir__args_has(local->args, "once") || local->signalled || err < 0 || any_failed(local),
                     &words);
    if (code < 0) { /* why the run ended, whatever else went wrong after */
        err = code;
        *reterr = words;
    }
    return err;
}

static void end(struct local *local)
{
    for (size_t i = 0; local->apps != NULL && i < local->count; i++)
        weir__app_free(local->apps[i]);
    weir__free(local->apps);
    weir__free(local->ids);
    local->engine->close(local->log);
    weir__data_dir_close(&local->dir);
    weir__metrics_free(local->metrics);
    weir__inputs_fini(&local->inputs);
    weir__plans_fini(&local->plans);
    weir__free(local->topologies);
    weir__free(local->names);
    weir__free(local->files);
}

static int run_command(struct local *local)
{
    struct weir_error words = { 0 };
    int               err;

    sigemptyset(&local->signals);
    sigaddset(&local->signals, SIGTERM);
    sigaddset(&local->signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &local->signals, NULL); /* before any thread is made */
    err = weir__trail_open(local->program, &words);
    if (err == WEIR_OK)
        err = prepare(local, &words);
    if (err == WEIR_OK)
        err = run(local, &words);
    note_stops(local, err, &words);
    weir__http_stop(local->http);
    weir__trail_close(local->program);
    if (local->stuck) /* its memory is still used */
        _exit(weir__report(&words));
    end(local);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

int weir__run_local(struct weir__program *program, const struct weir__args *args)
{
    struct local local = { .program = program,
                           .args = args,
                           .command = "local",
                           .engine = program->engines->embedded,
                           .dir = { .lock = -1 } };

    return run_command(&local);
}

int weir__run_broker(struct weir__program *program, const struct weir__args *args)
{
    struct local      local = { .program = program,
                                .args = args,
                                .command = "run",
                                .broker = true,
                                .engine = program->engines->kafka,
                                .dir = { .lock = -1 } };
    struct weir_error words;

    if (local.engine != NULL)
        return run_command(&local);
    weir__fail(&words, WEIR_UNSUPPORTED, "run",
               "these engines have none for Kafka: \"local\" runs the topologies on the embedded log");
    return weir__report(&words);
}

static const struct weir__flag flags[] = { WEIR__LOCAL_FLAGS, { .name = NULL } };

const struct weir__command weir__command_local = {
    .name = "local",
    .usage = "local [--dir DIR] [--once] [--in TOPIC=FILE]... [--lines] [TOPOLOGY...]",
    .meaning = "Runs topologies (all, unless named) in this process on the embedded log.",
    .flags = flags,
    .run = weir__run_local
};

static const struct weir__flag run_flags[] = { WEIR__RUN_FLAGS, { .name = NULL } };

const struct weir__command weir__command_run = {
    .name = "run",
    .usage = "run --kafka.bootstrap.servers=HOST:PORT [--once] [--in TOPIC=FILE]... [--lines] [TOPOLOGY...]",
    .meaning = "Runs topologies (all, unless named) in this process on Apache Kafka; state is kept in state.dir.",
    .flags = run_flags,
    .run = weir__run_broker
};
