/* topic_readers.h: whether an application has made something of a topic's records: then these must not come once more. */
#ifndef TOPOLOGIES_TOPIC_READERS_H
#define TOPOLOGIES_TOPIC_READERS_H

#include "framework/main/commands.h"

/* *ret: one of plans that takes the topic, and has read of it, or keeps state; NULL: there is none. A reset application has neither.
 * WEIR_BUSY: one of them runs. */
int market_topic_reader(const struct weir__program *program, const struct weir__looked *looked,
                        const struct weir__plans *plans, const char *topic, const struct weir__plan **ret,
                        struct weir_error *reterr);

#endif
