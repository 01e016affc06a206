/* broker.c: the log that is Apache Kafka, opened by the program's settings. */
#include "framework/main/commands.h"

#define ASK_MS 1000

int weir__broker_open(const struct weir__program *program, struct weir__log **ret, struct weir_error *reterr)
{
    struct weir__log_config config = { .settings = weir__config_kafka(program->settings),
                                       .message_max_bytes = weir__config_int(program->settings, "max.record.bytes") };

    return program->engines->kafka->open(&config, ret, reterr);
}

static void pass_over(void *arg, const char *name)
{
    (void)arg;
    (void)name;
}

int weir__broker_ask(const struct weir__log_engine *engine, struct weir__log *log)
{
    return engine->topics(log, engine->now(log) + ASK_MS, pass_over, NULL);
}
