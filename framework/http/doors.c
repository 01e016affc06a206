/* doors.c: ports, and which applications each of them serves. */
#include <event2/event.h>
#include <event2/listener.h>

#include "framework/http/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>

/* ---- ports ---- */

static void accept_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(arg);
}

/* No descriptors left, most likely: trying at once again would only be busy. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct weir__door *door = arg;

    weir__say(WEIR__WARN, "http-accept-failed", "port", "i", (int64_t)door->port, "why", "s",
              evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()), NULL);
    if (event_base_once(door->http->base, -1, EV_TIMEOUT, accept_again, listener, &(struct timeval){ .tv_sec = 1 }) ==
        0)
        evconnlistener_disable(listener);
}

static int fail_port(const char *address, int port, int number, struct weir_error *reterr)
{
    char where[sizeof(reterr->where)];

    snprintf(where, sizeof(where), "%.120s:%d", address, port);
    if (number == EADDRINUSE)
        return weir__fail(reterr, WEIR_BUSY, where, "the port is taken: give another http.port, or 0 for a free one");
    return weir__fail(reterr, WEIR_BAD_CONFIG, where,
                      "the port cannot be opened (%s): set http.address and http.port", strerror(number));
}

static int port_of(evutil_socket_t fd)
{
    struct sockaddr_storage address;
    socklen_t               size = sizeof(address);
    char                    service[16];

    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
        getnameinfo((struct sockaddr *)&address, size, NULL, 0, service, sizeof(service), NI_NUMERICSERV) != 0)
        return 0;
    return atoi(service);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
                      void *arg)
{
    (void)listener;
    weir__connection_take(arg, fd, address, (socklen_t)size);
}

static int listen_at(struct weir__door *door, const char *address, int port, struct weir_error *reterr)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found = NULL;
    char            service[16];
    int             number;

    snprintf(service, sizeof(service), "%d", port);
    number = getaddrinfo(address, service, &hints, &found);
    if (number != 0)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "http.address", "\"%.100s\" is no address: %s", address,
                          gai_strerror(number));
    door->listener = evconnlistener_new_bind(door->http->base, on_accept, door,
                                             LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, 128,
                                             found->ai_addr, (int)found->ai_addrlen);
    number = errno;
    freeaddrinfo(found);
    if (door->listener == NULL)
        return fail_port(address, port, number, reterr);
    evconnlistener_set_error_cb(door->listener, on_accept_error);
    door->port = port_of(evconnlistener_get_fd(door->listener));
    return WEIR_OK;
}

/* ---- who is behind them ---- */

/* Where a topology is served: as set for it, as set for all, as declared; -1 = nowhere. */
static int port_for(const struct weir__http_config *config, const struct weir__plan *plan, bool *ret_declared)
{
    *ret_declared = false;
    if (plan->port_given)
        return plan->port;
    if (weir__config_text(config->settings, "http.port") != NULL)
        return (int)weir__config_int(config->settings, "http.port");
    *ret_declared = true;
    return config->declared ? plan->port : -1;
}

static int add_app(struct weir__http *http, struct weir__app *app, int port, bool declared)
{
    struct weir__door *door = http->doors;

    while (door < http->doors + http->door_count && door->port != port)
        door++;
    if (door == http->doors + http->door_count) {
        door->apps = weir__zalloc(sizeof(struct weir__app *) * http->config.count);
        if (door->apps == NULL)
            return WEIR_NO_MEMORY;
        door->http = http;
        door->port = port;
        door->declared = declared;
        http->door_count++;
    }
    door->apps[door->count++] = app;
    return WEIR_OK;
}

int weir__doors_make(struct weir__http *http, struct weir_error *reterr)
{
    http->doors = weir__zalloc(sizeof(*http->doors) * (http->config.count + 1));
    for (size_t i = 0; i < http->config.count; i++) {
        bool declared;
        int  port = port_for(&http->config, weir__app_plan(http->config.apps[i]), &declared);

        if (port >= 0 && (http->doors == NULL || add_app(http, http->config.apps[i], port, declared) < 0))
            return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    }
    return WEIR_OK;
}

static void say_door(const struct weir__door *door, const char *address)
{
    AUTO(weir__buf_fini) struct weir__buf names = { 0 };

    for (size_t i = 0; i < door->count; i++)
        weir__buf_printf(&names, "%s%s", i > 0 ? "," : "", weir__app_plan(door->apps[i])->topology->name);
    weir__buf_putc(&names, '\0');
    if (weir__buf_ok(&names))
        weir__say(WEIR__INFO, "http-open", "address", "s", address, "port", "i", (int64_t)door->port, "topologies",
                  "s", names.data, NULL);
}

int weir__doors_open(struct weir__http *http, struct weir_error *reterr)
{
    const char *address = weir__config_text(http->config.settings, "http.address");

    for (size_t i = 0; i < http->door_count; i++) {
        struct weir__door *door = &http->doors[i];
        int                err = listen_at(door, address, door->port, reterr);

        if (err == WEIR_BUSY && door->declared) {
            weir__say(WEIR__WARN, "http-port-taken", "port", "i", (int64_t)door->port, "instead", "s", "a free one",
                      NULL);
            err = listen_at(door, address, 0, reterr);
        }
        if (err < 0)
            return err;
        say_door(&http->doors[i], address);
    }
    return WEIR_OK;
}

int weir__http_port(const struct weir__http *http, const char *topology)
{
    for (size_t i = 0; http != NULL && i < http->door_count; i++)
        for (size_t j = 0; j < http->doors[i].count; j++)
            if (strcmp(weir__app_plan(http->doors[i].apps[j])->topology->name, topology) == 0)
                return http->doors[i].port;
    return 0;
}

void weir__doors_close(struct weir__http *http)
{
    for (size_t i = 0; i < http->door_count; i++) {
        if (http->doors[i].listener != NULL)
            evconnlistener_free(http->doors[i].listener);
        weir__free(http->doors[i].apps);
    }
    weir__free(http->doors);
}
