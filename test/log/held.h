/* held.h: a broker's transaction that has an offset of a group and has not ended: no call of the engine leaves that behind. Beside
 * suite.h, since librdkafka's header brings the system's send(). */
#ifndef WEIR_TEST_LOG_HELD_H
#define WEIR_TEST_LOG_HELD_H

#include "framework/log/log.h"

/* Of the Kafka engine. The producer's commit or abort ends it. */
int hold_offset(struct weir__producer *producer, const char *group, const struct weir__offset *offset);

#endif
