/* commands.h: the command line's inside: its commands, their flags, what they share. */
#ifndef WEIR_MAIN_COMMANDS_H
#define WEIR_MAIN_COMMANDS_H

#include "framework/audit/audit.h"
#include "framework/config/config.h"
#include "framework/main.h"
#include "framework/runtime/runtime.h"

/* X(name, number, meaning): the exit codes; docs/exit-codes.md says the same. */
#define WEIR__EXITS(X)                                                                                                \
    X(OK, 0, "done, or stopped as asked")                                                                             \
    X(FAILED, 1, "the answer is no: an input was refused, a bounded run was stopped before its end")                  \
    X(USAGE, 2,                                                                                                       \
      "the command line, the configuration or the topology is not valid, or the brokers let us not in, or not do it") \
    X(MISSING, 3, "something needed is not there: a file, a folder, a topic")                                         \
    X(BUSY, 4, "another process holds the folder or the port")                                                        \
    X(FATAL, 5, "the run ended by a failure")                                                                         \
    X(TWIN, 6, "another process runs under the same name")
#define WEIR__EXIT(name, number, meaning) WEIR__EXIT_##name = number,
enum weir__exit { WEIR__EXITS(WEIR__EXIT) };
#undef WEIR__EXIT

struct weir__command;
struct weir__args;

/* What `explain` says in a program's own words; any of them may be NULL. */
struct weir__explaining {
    /* The key as stores have it, from what people write. In buf, or the word itself. */
    const char *(*key)(const char *word, char *buf, size_t size);
    /* Whether a row of a store with keys of its own is the key's. */
    bool (*owns)(const char *key, const struct weir_codec *codec, const void *row_key);
    /* Whether a dead letter of a record with another form of key is about the key. tenant: data NULL = not known. */
    bool (*about)(const char *key, struct weir_bytes letter_key, struct weir_text tenant);
    /* A key or value of a row, shorter than as JSON; false: as JSON. */
    bool (*value)(const struct weir_codec *codec, const void *value, struct weir__buf *ret);
};

/* What a binary's main says of it; name and settings are weir__main's. */
struct weir__program {
    const char                        *name; /* as called */
    const struct weir_topology *const *topologies;
    const struct weir_engines         *engines;
    struct weir__config               *settings;
    const char                        *application; /* "<it>-<topology>" is the application id; NULL = the topology */
    const struct weir__command *const *commands;    /* its own, before those of weir__commands; NULL = none */
    const struct weir__explaining     *explaining;  /* NULL = none */
    const struct weir__variables      *variables;   /* of other names than WEIR_...; NULL = none */
    int64_t
        retention_bytes; /* of a partition of topics that it makes on Kafka, where settings do not say; 0 = no bound */
    /* What applications must find in the log when they start: `local` has it written before. NULL = nothing. */
    int (*prepare)(const struct weir__program *program, const struct weir__load_config *config,
                   const struct weir__args *args, struct weir_error *reterr);
    /* Loads files that `local` is given as words into topics, each row once. WEIR_AGAIN: config->stop was set. NULL:
     * words name topologies only. */
    int (*load_files)(const struct weir__program *program, const struct weir__load_config *config,
                      const struct weir__args *args, const char *const *paths, size_t count,
                      struct weir_error *reterr);
    /* Its audit trail, by its settings; *ret stays NULL where they want none. NULL: it keeps none. */
    int (*open_audit)(const struct weir__program *program, struct weir__audit **ret, struct weir_error *reterr);
    struct weir__audit *audit; /* of the command that runs; weir__main's */
};

/* weir_main for a program that says more. Gives the exit code. */
int weir__main(int argc, char **argv, struct weir__program *program);
/* A message for each of the program's variables that is given and means nothing. */
void weir__say_variables(const struct weir__program *program);

/* ---- flags.c ---- */

struct weir__flag {
    const char *name;
    const char *value; /* what it takes, for people; NULL = nothing */
    bool        many;  /* may be given several times */
    const char *meaning;
};
struct weir__given {
    const struct weir__flag *flag;
    const char              *value;
};
struct weir__args {
    const char        **words; /* what is no flag */
    size_t              word_count;
    struct weir__given *given; /* in order */
    size_t              given_count;
    bool                help;
    const char         *config_file; /* --config */
};
/* flags: the command's own, ended by a NULL name. What is none of them is a setting and goes to config; --config FILE
 * is read into it. WEIR_BAD_ARGUMENT, or the configuration's codes. */
int         weir__args_parse(int argc, char **argv, const struct weir__flag *flags, struct weir__config *config,
                             struct weir__args *ret, struct weir_error *reterr);
void        weir__args_fini(struct weir__args *args);
bool        weir__args_has(const struct weir__args *args, const char *name);
const char *weir__args_value(const struct weir__args *args, const char *name,
                             const char *otherwise); /* the last one */

/* ---- commands ---- */

struct weir__command {
    const char              *name, *usage, *meaning;
    const struct weir__flag *flags;
    int (*run)(struct weir__program *program, const struct weir__args *args); /* an exit code */
    const char *audited; /* the type of its events in the audit trail; NULL: it leaves none, or its own */
};
extern const struct weir__command weir__command_local, weir__command_try, weir__command_cat, weir__command_describe,
    weir__command_explain, weir__command_dlq, weir__command_reset, weir__command_replay, weir__command_grow,
    weir__command_lag, weir__command_top, weir__command_state, weir__command_probe, weir__command_version,
    weir__command_run, weir__command_help;
extern const struct weir__command *const weir__commands[]; /* NULL-ended */

/* `local` and `run` for a program with more flags of its own. */
int weir__run_local(struct weir__program *program, const struct weir__args *args);
int weir__run_broker(struct weir__program *program, const struct weir__args *args);
#define WEIR__RUN_FLAGS                                                                                                   \
    { .name = "once", .meaning = "ends when all is read, processed and all windows are closed" },                         \
        { .name = "in",                                                                                                   \
          .value = "TOPIC=FILE",                                                                                          \
          .many = true,                                                                                                   \
          .meaning =                                                                                                      \
              "loads a file, plain or gzip: JSON lines as \"cat\" prints them; each row once (- and pipes: each time)" }, \
    {                                                                                                                     \
        .name = "lines", .meaning = "each line of the files is a value, without key; its time is now"                     \
    }
#define WEIR__LOCAL_FLAGS                                                                                    \
    { .name = "dir", .value = "DIR", .meaning = "folder of log and state (default " WEIR__DEFAULT_DIR ")" }, \
        WEIR__RUN_FLAGS

/* "weir 0.1.0, glibc 2.36, librocksdb 7.8.3, ...": what this process has loaded. */
void weir__libraries(const struct weir__program *program, struct weir__buf *ret);

/* ---- trail.c: the audit trail; without one nothing is noted ---- */

int  weir__trail_open(struct weir__program *program, struct weir_error *reterr);
void weir__trail_close(struct weir__program *program);
void weir__trail_command_begins(const struct weir__program *program, const struct weir__command *command,
                                const struct weir__args *args);
void weir__trail_command_ended(const struct weir__program *program, const struct weir__command *command,
                               const struct weir__args *args, int code);
/* action: service_start, service_stop. words: why it ended so, or NULL. */
void weir__trail_service(const struct weir__program *program, const char *service, const char *instance,
                         const char *action, int code, const char *words);
void weir__trail_settings(const struct weir__program *program, const char *service, const char *instance);

/* ---- report.c: errors for people, once ---- */

int weir__exit_of(int code);
/* Prints the error and gives its exit code. */
int weir__report(const struct weir_error *err);
/* The exit code of a command that ended with code: another where what it printed could not be written. A reader that has
 * gone away is no error. */
int weir__end_output(int code);
/* Prints all of a topology's faults (a line each) but the last, which reterr then says. */
void weir__report_faults(const char *topology, const struct weir__buf *faults, struct weir_error *reterr);

/* ---- choose.c: topologies by name, and the codecs of their topics ---- */

/* NULL = none is called so. */
const struct weir_topology *weir__find_topology(const struct weir__program *program, const char *name);
/* The topology that a misspelt name may mean; NULL = none. */
const char *weir__near_topology(const struct weir__program *program, const char *name);
/* The topologies named, or all when none is; NULL-ended, to be freed. WEIR_BAD_ARGUMENT names the nearest. */
int weir__choose_topologies(const struct weir__program *program, const char *const *names, size_t count,
                            const struct weir_topology ***ret, size_t *ret_count, struct weir_error *reterr);
/* The topic of a topology's dead letters: its own, or the setting's; NULL = it has none. */
const char *weir__letters_topic(const struct weir__program *program, const struct weir__plan *plan);
/* The application id of a topology: application.id, with the topology's name after it where the program has several;
 * *ret NULL = the topology's own name. Kept in buf. */
const char *weir__application_id(const struct weir__program *program, const struct weir_topology *topology, char *buf,
                                 size_t size);
/* Where a process of the topology answers on this machine, "host:port", by settings and declaration; false: at no port that
 * is known. */
bool weir__service_at(const struct weir__program *program, const struct weir__plan *plan, char to[static 300]);

struct weir__plans {
    struct weir__plan **items;
    size_t              count;
};
int weir__plans_make(const struct weir__program *program, const struct weir_topology *const *topologies, size_t count,
                     struct weir__plans *ret, struct weir_error *reterr);
void weir__plans_fini(struct weir__plans *plans);
/* guess.c: for bytes whose codec nobody knows; prints only. */
extern const struct weir_codec weir__guess[1];
/* As the topology's source, sink or store of that topic has them. WEIR_NOTFOUND: none knows the topic, or it has dead
 * letters; ret then guesses. */
int weir__plans_codecs(const struct weir__plans *plans, const char *topic, struct weir__topic_codecs *ret);
/* A topic that a source reads and whose name is near; NULL. */
const char *weir__plans_suggest(const struct weir__plans *plans, const char *topic);
bool        weir__plans_reads(const struct weir__plans *plans, const char *topic);

/* "TOPIC=FILE" of --in, for all of args. To be freed with weir__inputs_free; names are args' or own copies. */
struct weir__inputs {
    struct weir__load         *items;
    struct weir__topic_codecs *codecs;
    char                     **topics;
    size_t                     count;
};
int  weir__inputs_read(const struct weir__args *args, const struct weir__plans *plans, struct weir__inputs *ret,
                       struct weir_error *reterr);
void weir__inputs_fini(struct weir__inputs *inputs);

/* ---- data_dir.c: DIR with FORMAT, LOCK, log/, state/ ---- */

#define WEIR__DEFAULT_DIR "weir-data"

struct weir__data_dir {
    char *log, *state; /* DIR/log, DIR/state */
    int   lock;        /* -1 = only read */
};
/* write: made when absent, and locked: WEIR_BUSY names the holder. Else WEIR_NOTFOUND where there is none. */
int  weir__data_dir_open(const char *path, bool write, struct weir__data_dir *ret, struct weir_error *reterr);
void weir__data_dir_close(struct weir__data_dir *dir);
/* Of all states: DIR/state, unless state.dir names another folder. dir without a path: state.dir. */
const char *weir__state_root(const struct weir__program *program, const struct weir__data_dir *dir);
/* The folder and its log together: to write by the program's settings, or to read beside whoever writes. A failure leaves
 * what is open to be closed as after success: first the log, then the folder. Codes of weir__data_dir_open, the log's. */
int weir__data_log_open(const struct weir__program *program, const char *path, bool write, struct weir__data_dir *dir,
                        struct weir__log **ret, struct weir_error *reterr);

/* ---- broker.c: the log that is Apache Kafka ---- */

/* By the program's kafka.* settings; servers, if not NULL, go before bootstrap.servers of them. Codes of the engine's open. */
int weir__broker_open(const struct weir__program *program, const char *servers, struct weir__log **ret,
                      struct weir_error *reterr);
/* Whether a broker answers, asked now. WEIR_AGAIN: not within a second. */
const char *weir__broker_servers(const struct weir__program *program); /* as set, for people */
int         weir__broker_ask(const struct weir__log_engine *engine, struct weir__log *log);

/* ---- open_log.c: the log that a command looks at ---- */

struct weir__looked {
    const struct weir__log_engine *engine;
    struct weir__log              *log; /* NULL = not open */
    struct weir__data_dir          dir;
};
/* The broker of kafka.*, unless there is --dir: then, or without a broker, the folder's log beside whoever writes. Close it
 * after a failure too. WEIR_NOTFOUND: no broker answers; codes of weir__broker_open, weir__data_log_open. */
int weir__looked_open(const struct weir__program *program, const struct weir__args *args, struct weir__looked *ret,
                      struct weir_error *reterr);
int weir__looked_open_to_write(const struct weir__program *program, const struct weir__args *args,
                               struct weir__looked *ret, struct weir_error *reterr);
/* servers NULL: as set. */
int weir__looked_at_broker(const struct weir__program *program, const char *servers, struct weir__looked *ret,
                           struct weir_error *reterr);
int weir__looked_at_folder(const struct weir__program *program, const char *path, bool write,
                           struct weir__looked *ret, struct weir_error *reterr);
/* To write, of what is there: WEIR_NOTFOUND where there is no folder. */
int  weir__looked_open_stopped(const struct weir__program *program, const struct weir__args *args,
                               struct weir__looked *ret, struct weir_error *reterr);
void weir__looked_close(struct weir__looked *looked);

/* ---- made_anew.c: what is made once more when topologies begin anew or read again ---- */

struct weir__anew {
    const struct weir__plans *all, *named; /* of the program; those that do */
};
/* Who makes a topic's records once more; NULL = nobody. */
const struct weir__plan *weir__maker_of(const struct weir__anew *anew, const char *topic);
/* A line for each that keeps state and reads once more what it was made of. */
void weir__print_readers(const struct weir__anew *anew);

/* ---- times.c ---- */

/* "2025-01-02T14:30:00Z", also with a space, a fraction, an offset for Z, without seconds, or the date alone; UTC where nothing
 * is said. ms. */
bool weir__read_time(const char *text, int64_t *ret);
/* A number of s, ms or us since 1970, told apart by magnitude. */
bool weir__read_epoch(const char *text, int64_t *ret);

/* ---- stopped.c: an application that is changed while none of its processes runs ---- */

struct weir__stopped {
    const struct weir__looked *looked;
    const struct weir__plan   *plan;
    const char                *state;   /* its folder here; NULL = there is none */
    int                        lock;    /* of that; -1 = not held */
    struct weir__control       control; /* as it stands; epoch 0: none yet */
    struct weir_arena          arena;
};
/* Close it after a failure too. WEIR_BUSY: a process of it runs. */
int     weir__stopped_open(const struct weir__program *program, const struct weir__looked *looked,
                           const struct weir__plan *plan, struct weir__stopped *ret, struct weir_error *reterr);
void    weir__stopped_close(struct weir__stopped *stopped);
int     weir__stopped_fail_busy(const struct weir__stopped *stopped, int32_t members, struct weir_error *reterr);
int64_t weir__stopped_call(const struct weir__stopped *stopped); /* a deadline */
struct weir__control_at weir__stopped_control(const struct weir__stopped *stopped);
/* A topic's partitions; 0 = there is no such topic. */
int weir__stopped_count(const struct weir__stopped *stopped, const char *topic, int32_t *ret,
                        struct weir_error *reterr);
/* What is committed for a partition (offset -1: nothing), metadata in the arena; *ret_begun: the offset that a reset has let it
 * begin at, -1 = none has. */
int weir__stopped_committed(struct weir__stopped *stopped, struct weir__tp tp, struct weir__offset *ret,
                            int64_t *ret_begun, struct weir_error *reterr);
/* Sets committed offsets, or takes them back (-1): all or none. */
int weir__stopped_set(const struct weir__stopped *stopped, const struct weir__offset *offsets, size_t count,
                      struct weir_error *reterr);
/* Whether a node reads topics that others may write, and has offsets of them committed. */
bool weir__is_input(const struct weir__plan *plan, const struct weir__node *node);
bool weir__plan_takes(const struct weir__plan *plan, const char *topic); /* one of its nodes does */

/* ---- terminal.c: a screen of one's own ---- */

#define WEIR__TERMINAL_ENDED (-1) /* by a signal, or nobody is at the keys any more */
#define WEIR__TERMINAL_AGAIN (-2) /* something passed: look at the time */
void weir__terminal_open(void);
void weir__terminal_close(void);
/* The next key within ms; 0: none came. */
int  weir__terminal_wait(int64_t ms);
void weir__terminal_size(int *ret_rows, int *ret_columns);
void weir__terminal_draw(const struct weir__buf *text);

/* ---- lags.c: how far applications are behind, as the log knows it ---- */

/* One input partition of an application; partition -1: the topic is not there. */
struct weir__lag {
    const char *topic;
    int32_t     partition;
    int64_t     committed; /* offset; -1 = none */
    int64_t     end;       /* offset after what can be read now */
    int64_t     open;      /* offsets behind that, of transactions that are not decided */
    int64_t
        records; /* from the committed offset to the end; marks of transactions are not counted where they are few */
};
struct weir__lags {
    const struct weir__plan *plan;
    struct weir__lag        *items; /* by topic, then partition */
    size_t                   count, capacity;
    int64_t                  records; /* of all */
    struct weir_arena        arena;
};
int  weir__lags_read(const struct weir__looked *looked, const struct weir__plan *plan, struct weir__lags *ret,
                     struct weir_error *reterr);
void weir__lags_fini(struct weir__lags *lags);

#endif
