/* server.c: the HTTP server's start and stop; all of it runs on one thread.
 *
 * Only the pipe of `weir__http_stop` crosses threads, so libevent needs no locks.
 */
#define _GNU_SOURCE
#include <event2/event.h>

#include "framework/http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What an answer may allocate of the request's arena. */
#define MOST_MEMORY ((size_t)256 << 20)

const struct weir__http_config *weir__http_config_of(const struct weir__http *http) { return &http->config; }

const struct weir__http_settings *weir__http_settings_of(const struct weir__http *http) { return &http->settings; }

struct weir__token *weir__http_token_of(const struct weir__http *http) { return http->token; }

struct weir__strangers *weir__http_strangers_of(struct weir__http *http) { return &http->strangers; }

/* ---- other processes ---- */

/* Where others reach a port: as told, or as we know it; an address that means all of them has the machine's name. */
static void address_of(const struct weir__http *http, int port, char *ret, size_t size)
{
    const char *told = weir__config_text(http->config.settings, "http.advertised");
    const char *address = weir__config_text(http->config.settings, "http.address");
    char        name[200] = "";

    if (told == NULL && (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0) &&
        gethostname(name, sizeof(name) - 1) == 0)
        address = name;
    if (told != NULL)
        address = told;
    if (strchr(address, ':') != NULL &&
        (address[0] == '[' ? strstr(address, "]:") != NULL : strchr(address, ':') == strrchr(address, ':')))
        snprintf(ret, size, "%s", address); /* with a port */
    else if (strchr(address, ':') != NULL && address[0] != '[')
        snprintf(ret, size, "[%s]:%d", address, port);
    else
        snprintf(ret, size, "%s:%d", address, port);
}

static int open_members(struct weir__http *http, struct weir_error *reterr)
{
    int err = WEIR_OK;

    http->members = weir__zalloc(sizeof(*http->members) * (http->config.count + 1));
    if (http->members == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    for (size_t i = 0; err == WEIR_OK && i < http->config.count; i++) {
        const struct weir_topology *topology = weir__app_plan(http->config.apps[i])->topology;
        char                        address[300];

        if (topology->endpoints == NULL || weir__http_port(http, topology->name) == 0)
            continue;
        address_of(http, weir__http_port(http, topology->name), address, sizeof(address));
        err = weir__members_open(http->config.apps[i], address, &http->members[i], reterr);
    }
    return err;
}

/* ---- start and stop ---- */

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct weir__http *http = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(http->base);
}

static void *run(void *arg)
{
    struct weir__http *http = arg;

    event_base_dispatch(http->base);
    return NULL;
}

static int start_thread(struct weir__http *http, struct weir_error *reterr)
{
    if (weir__thread_start(run, http, &http->thread) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "the system gives no thread for the HTTP port");
    http->started = true;
    return WEIR_OK;
}

static int build(struct weir__http *http, struct weir_error *reterr)
{
    int err;

    if (pipe2(http->pipe, O_CLOEXEC) < 0)
        return weir__fail(reterr, WEIR_IO, "http", "no pipe: %s", strerror(errno));
    http->base = event_base_new();
    if (http->base != NULL)
        http->stopping = event_new(http->base, http->pipe[0], EV_READ, on_stop, http);
    if (http->stopping == NULL || event_add(http->stopping, NULL) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    err = weir__doors_open(http, reterr);
    if (err == WEIR_OK)
        err = open_members(http, reterr);
    return err < 0 ? err : start_thread(http, reterr);
}

static void read_settings(struct weir__http *http)
{
    const struct weir__config *config = http->config.settings;

    http->settings = (struct weir__http_settings){
        .connections = (size_t)weir__config_int(config, "http.max.connections"),
        .head = (size_t)weir__config_int(config, "http.max.head.bytes"),
        .body = (size_t)weir__config_int(config, "http.max.body.bytes"),
        .request = weir__config_int(config, "http.request.timeout.ms"),
        .idle = weir__config_int(config, "http.idle.timeout.ms"),
        .route = weir__config_int(config, "http.route.timeout.ms"),
        .stall = weir__config_int(config, "health.stall.ms"),
        .commit_age = weir__config_int(config, "health.commit.age.ms"),
        .commit_wait = weir__config_int(config, "health.commit.wait.ms"),
    };
}

int weir__http_start(const struct weir__http_config *config, struct weir__http **ret, struct weir_error *reterr)
{
    struct weir__http *http = weir__zalloc(sizeof(*http));
    int                err;

    *ret = NULL;
    if (http == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    http->config = *config;
    http->pipe[0] = http->pipe[1] = -1;
    TAILQ_INIT(&http->connections);
    weir__arena_init(&http->arena, MOST_MEMORY);
    read_settings(http);
    err = weir__doors_make(http, reterr);
    if (err == WEIR_OK && http->door_count > 0)
        err = weir__http_tls_open(config->settings, &http->tls, reterr);
    if (err == WEIR_OK && http->door_count > 0)
        err = weir__token_open(config->settings, &http->token, reterr);
    if (err == WEIR_OK && http->door_count > 0)
        err = build(http, reterr);
    if (err < 0 || http->door_count == 0)
        weir__http_stop(http);
    else
        *ret = http;
    return err;
}

void weir__http_stop(struct weir__http *http)
{
    if (http == NULL)
        return;
    if (http->started) {
        while (write(http->pipe[1], "", 1) < 0 && errno == EINTR)
            ;
        pthread_join(http->thread, NULL);
    }
    weir__connections_close(http);
    weir__doors_close(http);
    for (size_t i = 0; http->members != NULL && i < http->config.count; i++)
        weir__members_close(http->members[i]);
    weir__free(http->members);
    if (http->stopping != NULL)
        event_free(http->stopping);
    if (http->base != NULL)
        event_base_free(http->base);
    for (size_t i = 0; i < ARRAY_SIZE(http->pipe); i++)
        if (http->pipe[i] >= 0)
            close(http->pipe[i]);
    weir__http_tls_close(http->tls);
    weir__token_close(http->token);
    weir__arena_fini(&http->arena);
    weir__free(http);
}
