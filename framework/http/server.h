/* server.h: the server itself, shared by the three files that make it: server.c, doors.c, connection.c. */
#ifndef WEIR_HTTP_SERVER_H
#define WEIR_HTTP_SERVER_H

#include "framework/base/threads.h"
#include "framework/http/internal.h"

#include <sys/queue.h>
#include <sys/socket.h>

struct weir__connection;
TAILQ_HEAD(weir__connections, weir__connection);

struct weir__http {
    struct weir__http_config   config;
    struct weir__http_settings settings;
    struct event_base         *base;
    struct event              *stopping;
    int                        pipe[2];
    struct weir__door         *doors;
    size_t                     door_count;
    struct weir__connections   connections; /* longest in its stage first */
    size_t                     connection_count;
    struct weir_arena          arena; /* of the request being answered */
    pthread_t                  thread;
    bool                       started;
    struct weir__members     **members; /* of each application; NULL = it is alone */
    struct weir__http_tls     *tls;
    struct weir__token        *token;
    struct weir__strangers     strangers;
};

/* ---- doors.c ---- */

/* Which ports there are to be, by settings and topologies. WEIR_NO_MEMORY. */
int weir__doors_make(struct weir__http *http, struct weir_error *reterr);
/* They listen, and it is said where. WEIR_BUSY: a port is taken; WEIR_BAD_CONFIG: an address or port that is none. */
int  weir__doors_open(struct weir__http *http, struct weir_error *reterr);
void weir__doors_close(struct weir__http *http);

/* ---- connection.c ---- */

/* fd becomes a connection's, or is closed. */
void weir__connection_take(struct weir__door *door, int fd, const struct sockaddr *address, socklen_t size);
void weir__connections_close(struct weir__http *http);

#endif
