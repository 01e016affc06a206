/* open_log.c: the log that a command looks at: the broker where one is named, unless a folder is. Only read. */
#include "framework/main/commands.h"

static bool is_broker(const struct weir__program *program, const struct weir__args *args)
{
    return program->engines->kafka != NULL && !weir__args_has(args, "dir") &&
           weir__config_kafka(program->settings)[0] != NULL;
}

int weir__looked_open(const struct weir__program *program, const struct weir__args *args, struct weir__looked *ret,
                      struct weir_error *reterr)
{
    *ret = (struct weir__looked){ .engine = program->engines->embedded, .dir = { .lock = -1 } };
    if (!is_broker(program, args))
        return weir__data_log_open(program, weir__args_value(args, "dir", WEIR__DEFAULT_DIR), false, &ret->dir,
                                   &ret->log, reterr);
    ret->engine = program->engines->kafka;
    return weir__broker_open(program, &ret->log, reterr);
}

void weir__looked_close(struct weir__looked *looked)
{
    if (looked->engine != NULL)
        looked->engine->close(looked->log);
    weir__data_dir_close(&looked->dir);
    *looked = (struct weir__looked){ .dir = { .lock = -1 } };
}
