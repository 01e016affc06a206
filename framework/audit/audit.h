/* audit/audit.h: a trail of what was done, by whom: events in a chain of hashes, carried to writers that the program plugs in.
 *
 * (1) weir__audit_note waits for nobody: it chains the event, queues it and returns. Each writer has a thread and a bounded queue
 *     of its own, so one that is away stops neither who notes nor another writer.
 * (2) The chain is of one life of the process: event n carries the hash of event n - 1, its own hash is of all else that it says.
 * (3) A queue that is full loses its oldest event. Each loss is counted, and said by later events of the chain (AUDIT_LOST): what
 *     is missing and not said to be lost was taken away.
 * (4) An event may be written twice, as the same bytes.
 */
#ifndef WEIR_AUDIT_H
#define WEIR_AUDIT_H

#include "framework/base/base.h"
#include "framework/json/json.h"

struct weir__audit; /* NULL where there is no trail: then nothing is noted */

#define WEIR__AUDIT_HASH_ROOM 65        /* 64 hexadecimal digits and NUL */
#define WEIR__AUDIT_SEALED    "sealed-" /* so begin the names of chains whose hashes are made with a key */

/* X(id, name): the texts of an event, in the order in which its hash takes them; NULL is empty. */
#define WEIR__AUDIT_TEXTS(X)                                                              \
    X(CHAIN, "chain_id")       /* of this life of the process */                          \
    X(SERVICE, "service_name") /* a topology, or the program */                           \
    X(ENVIRONMENT, "environment")                                                         \
    X(TYPE, "event_type")       /* system, configuration, data_access, data_processing */ \
    X(ACTION, "action")         /* service_start, http_query, reset... */                 \
    X(OUTCOME, "outcome")       /* begun, done, failed... */                              \
    X(ACTOR_TYPE, "actor_type") /* service, user, external */                             \
    X(ACTOR, "actor_id")                                                                  \
    X(TENANT, "tenant_id")                                                                \
    X(RESOURCE_TYPE, "resource_type")                                                     \
    X(RESOURCE, "resource_id")                                                            \
    X(REQUEST, "request_id") /* that the client gave */                                   \
    X(ADDRESS, "ip_address")                                                              \
    X(DETAILS, "details")        /* a JSON object, or nothing */                          \
    X(PREVIOUS, "previous_hash") /* of the event before; 64 zeros: it is the first */
#define WEIR__AUDIT_ID(id, name) WEIR__AUDIT_##id,
enum weir__audit_text { WEIR__AUDIT_TEXTS(WEIR__AUDIT_ID) WEIR__AUDIT_TEXT_COUNT };
#undef WEIR__AUDIT_ID
extern const char *const weir__audit_names[WEIR__AUDIT_TEXT_COUNT];

struct weir__audit_event {
    uint64_t    number;      /* in its chain, from 1 */
    int64_t     began, time; /* of the chain, of the event: us since 1970 */
    const char *texts[WEIR__AUDIT_TEXT_COUNT];
    char        hash[WEIR__AUDIT_HASH_ROOM];
};
/* What the hash is made of: "name=SIZE:value" a line for sequence, chain_started, event_time and the texts. */
void weir__audit_hashed(const struct weir__audit_event *event, struct weir__buf *ret);
/* As a JSON object of one line. */
void weir__audit_print(const struct weir__audit_event *event, struct weir_json_out *json);

/* ---- losses ---- */

#define WEIR__AUDIT_LOST       "audit_lost" /* the action of an event that says losses */
#define WEIR__AUDIT_RANGE_MOST 256
struct weir__audit_range {
    uint64_t first, last; /* numbers in the chain */
};

/* ---- writers ---- */

struct weir__audit_writer {
    const char *name; /* "clickhouse" */
    void       *arg;
    /* On its own thread; may wait up to ms. WEIR_OK: all are kept. Any other code, in words: the same events come again. */
    int (*write)(void *arg, const struct weir__audit_event *const *events, size_t count, int64_t ms,
                 struct weir_error *reterr);
    void (*close)(void *arg); /* after the last write */
};

/* How a writer stands. */
struct weir__audit_standing {
    const char *name;
    bool        up;
    size_t      waiting;                /* events in its queue, or on their way */
    uint64_t    written, lost, outages; /* since the start */
};

/* ---- the trail ---- */

struct weir__audit_config {
    const char *environment;
    size_t      queue;    /* events that may wait for a writer */
    size_t      batch;    /* most events of a write */
    int64_t     flush_ms; /* how long an event waits for others */
    int64_t     write_ms; /* what a write may take; at the close, all that is left */
    bool        sealed;   /* the digest has a key: it shows in the chain's name */
    int (*digest)(void *arg, struct weir_text text, char ret[WEIR__AUDIT_HASH_ROOM]);
    /* Whether events of a service are noted. NULL: all. */
    bool (*audits)(void *arg, const char *service);
    void *arg;
};

#define WEIR__AUDIT_WRITERS_MOST 4

/* The writers are taken over, also after a failure. WEIR_NO_MEMORY, WEIR_IO. */
int weir__audit_open(const struct weir__audit_config *config, const struct weir__audit_writer *writers, size_t count,
                     struct weir__audit **ret, struct weir_error *reterr);
/* Writes what is left, for as long as a write may take; what is left then is lost, counted and said in the log. NULL is fine. */
void weir__audit_close(struct weir__audit *audit);
/* Any thread. texts: CHAIN, ENVIRONMENT and PREVIOUS are not read. What is too long is cut, bytes that are no UTF-8 become '?'. */
void weir__audit_note(struct weir__audit *audit, const char *const texts[WEIR__AUDIT_TEXT_COUNT]);
/* The n-th writer's; false behind the last. */
bool weir__audit_look(struct weir__audit *audit, size_t n, struct weir__audit_standing *ret);
/* Events that were noted, and those that could not be for want of memory. */
void weir__audit_counts(struct weir__audit *audit, uint64_t *ret_noted, uint64_t *ret_failed);

#endif
