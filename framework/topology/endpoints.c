/* endpoints.c: what a topology asks of the HTTP port: checked, and the port laid over by "<topology>.http.port". */
#include "framework/topology/internal.h"

static void check_endpoint(struct weir__compiler *compiler, const struct weir_endpoint *endpoint)
{
    if (endpoint->path[0] != '/' || strpbrk(endpoint->path, "?# ") != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, endpoint->path,
                    "an endpoint's path begins with / and has no blank, ? or #");
    if (endpoint->answer == NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, endpoint->path, "an endpoint needs a handler: give .answer");
    for (const struct weir_endpoint *other = compiler->topology->endpoints; other != endpoint; other++)
        if (strcmp(other->path, endpoint->path) == 0)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, endpoint->path, "two endpoints have this path");
}

void weir__check_endpoints(struct weir__compiler *compiler)
{
    const struct weir_topology *topology = compiler->topology;
    const char                 *text = NULL;
    int64_t                     port = topology->port > 0 ? topology->port : -1;

    if (port > UINT16_MAX)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, topology->name, ".port is %d: give one up to 65535", topology->port);
    if (compiler->config->config != NULL)
        text = weir__config_override(compiler->config->config, topology->name, "http", "port");
    if (text != NULL && (weir__parse_int64(text, &port) < 0 || port < -1 || port > UINT16_MAX))
        weir__fault(compiler, WEIR_BAD_CONFIG, "http",
                    "setting %s.http.port is \"%s\": give a number from -1 to 65535", topology->name, text);
    compiler->plan->port = (int)port;
    compiler->plan->port_given = text != NULL;
    for (const struct weir_endpoint *at = topology->endpoints; at != NULL && at->path != NULL; at++)
        check_endpoint(compiler, at);
}
