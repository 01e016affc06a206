/* resolve.c: names become addresses without holding up the caller: a thread asks, and an eventfd tells.
 *
 * (1) Whoever comes last, the thread with its answer or the caller who has given up, frees the lookup.
 */
#include <event2/event.h>

#include "topologies/redis/internal.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct redis_lookup {
    atomic_int       holders;
    char            *host, port[8];
    int              fd, code;
    struct addrinfo *addresses;
    struct event    *told;
    void (*done)(void *arg);
    void *arg;
};

static void release(struct redis_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->holders, 1) > 1)
        return;
    if (lookup->addresses != NULL)
        freeaddrinfo(lookup->addresses);
    if (lookup->fd >= 0)
        close(lookup->fd);
    weir__free(lookup->host);
    weir__free(lookup);
}

static void *ask(void *arg)
{
    struct redis_lookup  *lookup = arg;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    uint64_t              one = 1;

    lookup->code = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses);
    (void)!write(lookup->fd, &one, sizeof(one));
    release(lookup);
    return NULL;
}

static void on_told(evutil_socket_t fd, short what, void *arg)
{
    struct redis_lookup *lookup = arg;
    uint64_t             count;

    (void)what;
    (void)!read(fd, &count, sizeof(count));
    lookup->done(lookup->arg);
}

static bool start(struct redis_lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_t      thread;
    bool           ok;

    if (pthread_attr_init(&attributes) != 0)
        return false;
    atomic_fetch_add(&lookup->holders, 1);
    ok = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
         pthread_create(&thread, &attributes, ask, lookup) == 0;
    if (!ok)
        atomic_fetch_sub(&lookup->holders, 1);
    pthread_attr_destroy(&attributes);
    return ok;
}

struct redis_lookup *redis_lookup_begin(struct event_base *base, const char *host, int port, void (*done)(void *arg),
                                        void *arg)
{
    struct redis_lookup *lookup = weir__zalloc(sizeof(*lookup));

    if (lookup == NULL)
        return NULL;
    atomic_init(&lookup->holders, 1);
    lookup->done = done;
    lookup->arg = arg;
    lookup->host = weir__strdup(host);
    snprintf(lookup->port, sizeof(lookup->port), "%d", port);
    lookup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lookup->told = lookup->fd >= 0 ? event_new(base, lookup->fd, EV_READ, on_told, lookup) : NULL;
    if (lookup->host == NULL || lookup->told == NULL || event_add(lookup->told, NULL) < 0 || !start(lookup)) {
        redis_lookup_end(lookup);
        return NULL;
    }
    return lookup;
}

int redis_lookup_result(const struct redis_lookup *lookup, const struct addrinfo **ret)
{
    *ret = lookup->addresses;
    return lookup->code;
}

void redis_lookup_end(struct redis_lookup *lookup)
{
    if (lookup == NULL)
        return;
    if (lookup->told != NULL)
        event_free(lookup->told);
    lookup->told = NULL;
    release(lookup);
}
