/* top.h: the inside of `top`: what is learnt of services at one moment. */
#ifndef WEIR_MAIN_TOP_H
#define WEIR_MAIN_TOP_H

#include "framework/http/http.h"

struct weir__top_service {
    const char       *at; /* "host:port" */
    bool              answered;
    struct weir_error words;       /* why not */
    double            memory, cpu; /* bytes, seconds; negative: not told */
    int64_t           asked;       /* monotonic us */
};
/* One topology in one service. */
struct weir__top_row {
    size_t      service; /* in services */
    char        topology[128];
    const char *state;
    int64_t     tasks, restoring, records, commits, lag;
    bool        lag_known;
};
struct weir__top_sample {
    struct weir__top_service *services;
    size_t                    service_count;
    struct weir__top_row     *rows; /* by service */
    size_t                    count, capacity;
};
int  weir__top_ask(const struct weir__http_caller *caller, const char *const *urls, size_t count,
                   struct weir__top_sample *ret); /* WEIR_NO_MEMORY */
void weir__top_fini(struct weir__top_sample *sample);

#endif
