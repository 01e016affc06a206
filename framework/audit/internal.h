/* internal.h: the inside of the trail, shared by the files of this folder. */
#ifndef WEIR_AUDIT_INTERNAL_H
#define WEIR_AUDIT_INTERNAL_H

#include <pthread.h>

#include "framework/audit/audit.h"

/* An event and its texts, shared by the queues. */
struct weir__audit_kept {
    unsigned                 users;
    struct weir__audit_event event; /* texts point behind it */
};

struct weir__audit_seat {
    struct weir__audit       *audit;
    struct weir__audit_writer writer;
    pthread_t                 thread;
    bool                      started;

    /* under audit->mutex */
    struct weir__audit_kept **queue; /* a ring of config.queue */
    size_t                    first, count;
    struct weir__audit_kept **hand; /* being written */
    size_t                    held;
    bool                      up, unsaid; /* unsaid: losses that no event says yet */
    uint64_t                  written, lost, outages;
    struct weir__audit_range  ranges[WEIR__AUDIT_RANGE_MOST]; /* lost */
    size_t                    range_count;
};

struct weir__audit {
    struct weir__audit_config config;
    char                      chain[40], previous[WEIR__AUDIT_HASH_ROOM];
    int64_t                   began;
    struct weir__audit_seat   seats[WEIR__AUDIT_WRITERS_MOST];
    size_t                    seat_count;

    pthread_mutex_t mutex;
    pthread_cond_t  changed;
    uint64_t        number, failed;
    int64_t         close_by; /* monotonic us; 0 = it is open */
};

/* event.c. NULL: out of memory. */
struct weir__audit_kept *weir__audit_keep(const struct weir__audit *audit,
                                          const char *const         texts[WEIR__AUDIT_TEXT_COUNT]);
void                     weir__audit_let_go(struct weir__audit_kept *kept);

/* audit.c; the mutex is held. */
void weir__audit_add(struct weir__audit *audit, const char *const texts[WEIR__AUDIT_TEXT_COUNT]);

/* writing.c */
void *weir__audit_work(void *seat); /* the thread */
void  weir__audit_push(struct weir__audit_seat *seat, struct weir__audit_kept *kept);

#endif
