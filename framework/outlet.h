/* outlet.h: a store outside of the log, such as a cache or a database, that a topology writes to as it writes to topics.
 *
 * (1) Each stream thread has an outlet of its own, opened when the thread begins; all calls come from that thread.
 * (2) What is put is acknowledged before the transaction that it is of commits. So after an abort or a crash the outside is
 *     ahead of the log, never behind: the same identities are put again, and each carries a version of its own.
 * (3) No call waits longer than it is told. While an outlet is down its thread takes no records, and stays in its group.
 * (4) An outlet that is not configured leaves its nodes without effect: records that reach them end there.
 */
#ifndef WEIR_OUTLET_H
#define WEIR_OUTLET_H

#include "settings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How an outlet stands. */
struct weir_outlet_standing {
    size_t      bytes; /* put, and not acknowledged */
    bool        up;    /* it answers, as far as is known */
    const char *why;   /* not up: in words for people, with the server's name; until the next call */
};

struct weir_outlet {
    const char *name; /* "redis": of its check in /health, of its metrics, of its settings */
    /* memory: bytes that may wait for their acknowledgement; the runtime takes no records above it. Connects to nobody yet.
     * WEIR_NOTHING: it is not configured. WEIR_BAD_CONFIG, WEIR_NO_MEMORY. */
    int (*open)(const struct weir_outlet *outlet, const struct weir_settings *settings, size_t memory, void **ret,
                struct weir_error *reterr);
    /* Takes a record that reached a node of this outlet (weir_arg: the node's); what it needs later is copied. Does not wait.
     * A code of record scope refuses the record: it becomes a dead letter. */
    int (*put)(void *open, struct weir_context *ctx, const struct weir_record *rec);
    /* Sends and receives what is possible at once; connects again where it must. Called each round, down or not: one that is down
     * is put into no more, and finds out by itself when it answers again. */
    void (*serve)(void *open);
    /* Sends all that was put and waits, up to wait_ms, for the answers. WEIR_OK: all is acknowledged. WEIR_AGAIN: not yet: the
     * same call again. A code of record scope, in words: it refuses a record among these; after forget they come again, fewer
     * at a time, until it is alone and becomes a dead letter. WEIR_BAD_CONFIG: it will never take it so (a wrong password). */
    int (*settle)(void *open, int64_t wait_ms, struct weir_error *reterr);
    /* The transaction was aborted: what is not acknowledged is given up. Some of it may arrive all the same. */
    void (*forget)(void *open);
    void (*look)(void *open, struct weir_outlet_standing *ret);
    void (*close)(void *open);
    /* The least time between commits that it wants, ms, so that what is put comes in useful amounts; 0 = any. NULL = 0. */
    int64_t (*commit_every)(void *open);
};

/* In declare.h: OUTLET(id, outlet, key codec, value codec, .arg = ...): the end of a path. Nodes may share an outlet; outlets of
 * a topology have names of their own. */

#ifdef __cplusplus
}
#endif

#endif
