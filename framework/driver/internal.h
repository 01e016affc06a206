/* internal.h: the inside of the test driver, shared by the files of this folder. */
#ifndef WEIR_DRIVER_INTERNAL_H
#define WEIR_DRIVER_INTERNAL_H

#include "framework/driver/open.h"
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
    int64_t                    now;
    struct weir_arena          arena; /* all that was sent, for the driver's life */
    struct weir__driver_topic *topics;
    size_t                     topic_count, topic_capacity;
    struct weir__sent        **sent; /* everything, in order */
    size_t                     sent_count, sent_capacity;
    size_t                     entered; /* how many of sent were looked at for re-entry */
    size_t                     visible; /* how many of sent are committed */
    size_t                     read;    /* user outputs handed out, as an index into sent */
    struct weir__offset       *offsets; /* as last committed */
    size_t                     offset_count;
    struct weir_arena          offset_arena;
    bool                       closed, failed;
};

/* send.c */
weir__send                 weir__driver_send;
struct weir__driver_topic *weir__driver_topic_of(struct weir_driver *driver, const char *name, bool internal,
                                                 bool make);
void                       weir__driver_forget_uncommitted(struct weir_driver *driver);

/* open.c */
int weir__driver_make_task(struct weir_driver *driver, struct weir_error *reterr);

/* read.c: restores the task's stores from the changelogs sent so far. */
int weir__driver_restore(struct weir_driver *driver, struct weir_error *reterr);

#endif
