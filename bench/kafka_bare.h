/* kafka_bare.h: what bare programs on librdkafka share. What fails ends the program. */
#ifndef BENCH_KAFKA_BARE_H
#define BENCH_KAFKA_BARE_H

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static inline void check(const char *what, rd_kafka_resp_err_t err)
{
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        die(what, rd_kafka_err2str(err));
}

static inline void check_error(const char *what, rd_kafka_error_t *error)
{
    if (error != NULL)
        die(what, rd_kafka_error_string(error));
}

static inline int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char words[256];

    if (rd_kafka_conf_set(conf, name, value, words, sizeof(words)) != RD_KAFKA_CONF_OK)
        die(name, words);
}

static inline rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char        words[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, words, sizeof(words));

    if (rk == NULL)
        die("client", words);
    return rk;
}

/* ---- topics ---- */

static inline void make_topic(rd_kafka_t *rk, const char *name, int partitions)
{
    char                 words[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, words, sizeof(words));
    rd_kafka_queue_t    *queue = rd_kafka_queue_new(rk);
    rd_kafka_event_t    *event;

    rd_kafka_NewTopic_set_config(topic, "retention.ms", "-1");
    rd_kafka_NewTopic_set_config(topic, "message.timestamp.before.max.ms", "9223372036854775807");
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, 30000);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die(name, "it cannot be made");
    rd_kafka_event_destroy(event); /* one that is there is as good */
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
}

#endif
