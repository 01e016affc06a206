/* open_log.c: the log that a command looks at, or writes to: Apache Kafka's, or the embedded one's in a folder.
 *
 * (1) Brokers that are away are an answer: a command does not wait for them.
 */
#include "framework/main/commands.h"

#define ASK_TIMES 5

static int check_broker(const struct weir__log_engine *engine, struct weir__log *log, const char *servers,
                        struct weir_error *reterr)
{
    int err, tries = 0;

    do
        err = weir__broker_ask(engine, log);
    while (err == WEIR_AGAIN && ++tries < ASK_TIMES);
    if (err == WEIR_AGAIN && engine->refused != NULL && engine->refused(log, reterr))
        return reterr->code;
    if (err == WEIR_AGAIN)
        return weir__fail(reterr, WEIR_NOTFOUND, "kafka.bootstrap.servers",
                          "no broker answers at %.200s: are they up, and is this where they are?", servers);
    return err < 0 ? weir__fail(reterr, err, "kafka", "the brokers do not answer: %s", weir_code_text(err)) : WEIR_OK;
}

int weir__looked_at_broker(const struct weir__program *program, const char *servers, struct weir__looked *ret,
                           struct weir_error *reterr)
{
    int err;

    *ret = (struct weir__looked){ .engine = program->engines->kafka, .dir = { .lock = -1 } };
    err = weir__broker_open(program, servers, &ret->log, reterr);
    return err == WEIR_OK ? check_broker(ret->engine, ret->log,
                                         servers != NULL ? servers : weir__broker_servers(program), reterr)
                          : err;
}

int weir__looked_at_folder(const struct weir__program *program, const char *path, bool write,
                           struct weir__looked *ret, struct weir_error *reterr)
{
    *ret = (struct weir__looked){ .engine = program->engines->embedded, .dir = { .lock = -1 } };
    return weir__data_log_open(program, path, write, &ret->dir, &ret->log, reterr);
}

static bool is_broker(const struct weir__program *program, const struct weir__args *args)
{
    return program->engines->kafka != NULL && !weir__args_has(args, "dir") &&
           weir__config_kafka(program->settings)[0] != NULL;
}

static int open_log(const struct weir__program *program, const struct weir__args *args, bool write,
                    struct weir__looked *ret, struct weir_error *reterr)
{
    if (is_broker(program, args))
        return weir__looked_at_broker(program, NULL, ret, reterr);
    return weir__looked_at_folder(program, weir__args_value(args, "dir", WEIR__DEFAULT_DIR), write, ret, reterr);
}

int weir__looked_open(const struct weir__program *program, const struct weir__args *args, struct weir__looked *ret,
                      struct weir_error *reterr)
{
    return open_log(program, args, false, ret, reterr);
}

int weir__looked_open_to_write(const struct weir__program *program, const struct weir__args *args,
                               struct weir__looked *ret, struct weir_error *reterr)
{
    return open_log(program, args, true, ret, reterr);
}

int weir__looked_open_stopped(const struct weir__program *program, const struct weir__args *args,
                              struct weir__looked *ret, struct weir_error *reterr)
{
    struct weir__data_dir dir;
    int                   err = WEIR_OK;

    *ret = (struct weir__looked){ .dir = { .lock = -1 } };
    if (!is_broker(program, args)) {
        err = weir__data_dir_open(weir__args_value(args, "dir", WEIR__DEFAULT_DIR), false, &dir, reterr);
        weir__data_dir_close(&dir);
    }
    return err == WEIR_OK ? open_log(program, args, true, ret, reterr) : err;
}

void weir__looked_close(struct weir__looked *looked)
{
    if (looked->engine != NULL)
        looked->engine->close(looked->log);
    weir__data_dir_close(&looked->dir);
    *looked = (struct weir__looked){ .dir = { .lock = -1 } };
}
