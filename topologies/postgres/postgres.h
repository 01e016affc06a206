/* postgres.h: PostgreSQL as the truth of reference data: a reader of its tables, in a thread of its own.
 *
 * (1) It listens first, then reads all tables in one snapshot; after a notification it waits a moment for more of them, and reads
 *     all again; also every so often where none came.
 * (2) It hands over whole snapshots: who takes one too late gets the newest.
 * (3) What goes wrong is said in words, without the password, and tried again until it works.
 */
#ifndef MARKET_POSTGRES_H
#define MARKET_POSTGRES_H

#include "framework/config/config.h"
#include "topologies/differences.h"

/* The kinds of rows that there are tables of. */
enum { MARKET_REFERENCES = 4 };
extern const struct market_reference_kind *const market_references[MARKET_REFERENCES];

/* The rows of one kind. */
struct market_snapshot_rows {
    struct market_row *rows;
    size_t             count;
    struct weir_bytes *unreadable; /* keys of rows that are there, and of no use */
    size_t             unreadable_count;
};

/* All tables as they were at one time. */
struct market_snapshot {
    struct weir_arena           arena;
    struct market_snapshot_rows kinds[MARKET_REFERENCES];
    size_t                      refused;  /* rows of no use */
    char                        why[300]; /* the first of them, in words */
};
void market_snapshot_free(struct market_snapshot *snapshot); /* NULL is fine */

struct market_postgres;
/* Connects to nobody yet. The settings are borrowed until the close. WEIR_BAD_CONFIG: postgres.dsn is no connection string, or
 * contradicts postgres.password. WEIR_NO_MEMORY. */
int  market_postgres_open(const struct weir__config *settings, struct market_postgres **ret,
                          struct weir_error *reterr);
void market_postgres_close(struct market_postgres *postgres); /* NULL is fine */
/* The newest snapshot, which is the caller's from now on; NULL: none since the last one. */
struct market_snapshot *market_postgres_take(struct market_postgres *postgres);
/* Why the tables cannot be read now; empty: they can, as far as is known. */
void market_postgres_look(struct market_postgres *postgres, char ret[300]);

#endif
