/* internal.h: the inside of the test driver, shared by the files of this folder.
 *
 * (1) What was sent is kept for the driver's life: it is the log that a crash restores from.
 * (2) Between two calls all that was piped or sent again has been processed and committed, or the driver has failed:
 *     so the last piped record is the only one that a crash may have to read again.
 */
#ifndef WEIR_DRIVER_INTERNAL_H
#define WEIR_DRIVER_INTERNAL_H

#include "framework/driver/open.h"
#include "framework/json/json.h"
#include "framework/task/task.h"

/* One record that was sent. */
struct weir__sent {
    struct weir__raw   raw; /* offset: in its topic */
    enum weir__sent_as as;
};

struct weir__driver_topic {
    const char         *name;
    bool                internal;
    struct weir__sent **records;
    size_t              count, capacity, read;
    int64_t             next_offset; /* piped and sent records alike */
};

/* Offsets of the inputs as they were committed. */
struct weir__kept {
    struct weir_arena    arena;
    struct weir__offset *items;
    size_t               count;
};

struct weir_driver {
    struct weir_driver_config  config;
    const struct weir_engines *engines;
    const struct weir__config *settings; /* own_settings, or the caller's */
    struct weir__config       *own_settings;
    struct weir__plan         *plan;
    struct weir__metrics      *metrics;
    struct weir__globals      *globals;
    struct weir__task         *task;
    int                       *subs;
    size_t                     sub_count;
    char                      *dir; /* of durable stores; NULL = memory */
    enum weir__handler         on_unreadable, on_failure, on_refused;
    size_t                     record_memory;
    int64_t                    max_record_bytes, least_time; /* of what is sent; more, or less, is refused */
    int64_t                    now;
    int64_t                    epoch; /* of rebuilds; 0 = the first */
    bool                       replaying;
    struct weir_arena          arena; /* all that was sent, for the driver's life */
    struct weir__driver_topic *topics;
    size_t                     topic_count, topic_capacity;
    struct weir__sent        **sent; /* everything, in order */
    size_t                     sent_count, sent_capacity;
    size_t                     entered;  /* how many of sent were looked at for re-entry */
    size_t                     visible;  /* how many of sent are committed */
    size_t                     read;     /* user outputs handed out, as an index into sent */
    struct weir__raw         **followed; /* records of global tables' topics */
    size_t                     followed_count, followed_capacity;
    struct weir__raw           piped; /* the last one; topic NULL = none */
    struct weir_arena          piped_arena;
    struct weir__kept          kept[2]; /* offsets: kept[now_kept] counts, the other is being made */
    int                        now_kept;
    struct weir_json_out       text; /* as last printed */
    struct weir_arena          text_arena;
    bool                       closed, failed;
};

/* settings.c */
int  weir__driver_read_settings(struct weir_driver *driver, const struct weir_topology *topology,
                                struct weir_error *reterr);
void weir__driver_take_settings(struct weir_driver *driver); /* once the plan is there */

/* send.c */
weir__send                 weir__driver_send;
struct weir__driver_topic *weir__driver_topic_of(struct weir_driver *driver, const char *name, bool internal,
                                                 bool make);
void                       weir__driver_forget_uncommitted(struct weir_driver *driver);

/* open.c */
int weir__driver_make_globals(struct weir_driver *driver, struct weir_error *reterr);
int weir__driver_make_task(struct weir_driver *driver, struct weir_error *reterr);

/* pipe.c */
bool weir__driver_is_input(const struct weir_driver *driver, const char *topic);
bool weir__driver_is_global(const struct weir_driver *driver, const char *topic);
/* Lets a record in that was piped or sent. */
int weir__driver_enter(struct weir_driver *driver, const struct weir__raw *raw, struct weir_error *reterr);
/* Processes, commits and lets in what was sent, until nothing is left to do. */
int weir__driver_run(struct weir_driver *driver, struct weir_error *reterr);
int weir__driver_apply_global(struct weir_driver *driver, const struct weir__raw *raw, struct weir_error *reterr);
/* Keeps that a call has failed. */
int weir__driver_end(struct weir_driver *driver, int err);

#endif
