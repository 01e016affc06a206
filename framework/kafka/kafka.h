/* kafka.h: the engine of logs that is Apache Kafka, through librdkafka. Settings: kafka.* of the configuration;
 * bootstrap.servers must be among them. */
#ifndef WEIR_KAFKA_H
#define WEIR_KAFKA_H

#include "framework/log/log.h"

extern const struct weir__log_engine weir__kafka_engine;

#endif
