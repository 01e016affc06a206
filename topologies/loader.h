/* loader.h: reference data from PostgreSQL into its topics, and what ticks wait for before they meet it.
 *
 * (1) The task of partition 0 loads, and no other: what it writes is of its transaction, as its offsets are, so whoever is no
 *     longer its owner writes nothing that counts.
 * (2) It writes differences alone, against what the topics hold once they are read to their end; at the end of each load that
 *     changed something, a record in reference.loads.v1 in the same transaction as the last rows, or a later one.
 * (3) Where postgres.dsn is set, a task takes no tick before it has read such a record and all that came before it: so the
 *     first tick of all meets whole tables. postgres.wait.ms bounds that.
 */
#ifndef TOPOLOGIES_LOADER_H
#define TOPOLOGIES_LOADER_H

#include "topologies/postgres/postgres.h"
#include "topologies/topologies.h"

#define MARKET_LOADS_TOPIC "reference.loads.v1"

/* The .arg of the loading STEP: the tables it reads, and its sinks, which follow it; of bytes. Kinds as market_references. */
struct market_loading {
    const struct weir_node *tables[MARKET_REFERENCES], *sinks[MARKET_REFERENCES];
    const struct weir_node *loads, *loads_sink; /* weir_string to weir_blob */
};
/* .process, .open, .close, .state of that STEP; its .looks_up are the tables and loads. */
weir_process market_loading_pass;
weir_open    market_loading_open;
weir_close   market_loading_close;
#define MARKET_LOADING_STATE sizeof(void *)

#endif
