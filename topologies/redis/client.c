/* client.c: requests find their node, and go on where it sends them.
 *
 * (1) One host is a server, until it sends a key elsewhere: then, as with several hosts, it is a node of a cluster.
 * (2) In a cluster nothing is sent before the map of slots is known. The map is asked for anew when a node sends a key
 *     elsewhere, when one is lost, and each second while one does not answer.
 * (3) What a node cannot do now is asked again 50 ms later, for as long as it takes.
 */
#include <event2/event.h>

#include "topologies/redis/internal.h"

#include <stdlib.h>

#define LATER_US     INT64_C(50000)
#define MAP_PAUSE_US INT64_C(100000)
#define MAP_AGAIN_US INT64_C(1000000)
#define RECONNECT_US INT64_C(1000000)
enum { MOST_MOVES = 8, MOST_NODES = 1024 };

struct redis_client {
    struct redis_setup  setup;
    struct event_base  *base;
    struct event       *alarm;
    struct ssl_ctx_st  *tls;
    struct redis_link **links;
    size_t              link_count, link_capacity;
    bool                cluster;
    struct redis_link **slots;     /* of a cluster; REDIS_SLOTS of them */
    struct redis_link  *map_link;  /* who is asked for the map; NULL = nobody */
    int64_t             map_at;    /* when it is to be asked for, us; INT64_MAX = it is good */
    int64_t             map_asked; /* us */
    size_t              map_turn;  /* who is asked next */
    int64_t             turned_at; /* us */
    struct redis_queue  ready, later;
    size_t              bytes, count; /* of what somebody waits for */
    struct weir_error   fault;        /* code 0 = none */
    char                trouble[640]; /* what a node does not do now; "" = nothing */
    char                words[768];   /* of redis_client_up */
};

struct redis_surroundings redis_client_surroundings(const struct redis_client *client)
{
    return (struct redis_surroundings){ &client->setup, client->base, client->tls };
}

/* ---- nodes ---- */

static struct redis_link *find_link(const struct redis_client *client, const struct redis_host *host)
{
    for (size_t i = 0; i < client->link_count; i++)
        if (client->links[i]->port == host->port && strcmp(client->links[i]->host, host->name) == 0)
            return client->links[i];
    return NULL;
}

/* The node at host, new where it is not known; NULL = out of memory, or too many. */
static struct redis_link *get_link(struct redis_client *client, const struct redis_host *host)
{
    struct redis_link *link = find_link(client, host);

    if (link != NULL)
        return link;
    if (client->link_count == MOST_NODES || GROW(client->links, client->link_capacity, client->link_count) < 0)
        return NULL;
    link = redis_link_new(client, host);
    if (link != NULL)
        client->links[client->link_count++] = link;
    return link;
}

static bool any_mapped_up(const struct redis_client *client)
{
    for (size_t i = 0; i < client->link_count; i++)
        if (client->links[i]->mapped && client->links[i]->state == REDIS_UP)
            return true;
    return false;
}

static bool is_wanted(const struct redis_client *client, const struct redis_link *link)
{
    return link->mapped || link->waiting.count > 0 || (link->seed && (!client->cluster || !any_mapped_up(client)));
}

/* Nodes that the cluster no longer has, once nothing is asked of them. */
static void prune(struct redis_client *client)
{
    for (size_t i = client->link_count; i-- > 0;) {
        struct redis_link *link = client->links[i];

        if (link->seed || link->mapped || link->waiting.count > 0 || link->sent.count > 0)
            continue;
        redis_link_free(link);
        client->links[i] = client->links[--client->link_count];
    }
}

/* ---- requests ---- */

/* What only matters while somebody waits. */
static void settle_accounts(struct redis_client *client, const struct redis_request *request)
{
    client->bytes -= redis_request_bytes(request);
    client->count--;
}

static void end(struct redis_client *client, struct redis_request *request, const redisReply *reply)
{
    if (request->answer != NULL) {
        settle_accounts(client, request);
        request->answer(request->arg, reply);
    }
    redis_request_free(request);
}

static void ask_again(struct redis_client *client, struct redis_request *request, bool later)
{
    if (request->answer == NULL) {
        redis_request_free(request);
        return;
    }
    request->asking = false;
    request->due = weir__monotonic_us() + LATER_US;
    redis_queue_add(later ? &client->later : &client->ready, request);
}

static void want_map(struct redis_client *client, int64_t pause)
{
    int64_t at = weir__monotonic_us() + pause;

    if (client->cluster)
        client->map_at = MIN(client->map_at, MAX(at, client->map_asked + MAP_PAUSE_US));
}

static void route(struct redis_client *client, struct redis_request *request)
{
    struct redis_link *link = client->cluster ? client->slots[request->slot] : client->links[0];

    if (link != NULL) {
        redis_queue_add(&link->waiting, request);
        return;
    }
    want_map(client, 0);
    ask_again(client, request, true);
}

static void route_all(struct redis_client *client, int64_t now)
{
    struct redis_queue    ready = client->ready;
    struct redis_request *request;

    client->ready = (struct redis_queue){ 0 };
    while ((request = redis_queue_take(&ready)) != NULL)
        route(client, request);
    while (client->later.count > 0 && client->later.first->due <= now)
        route(client, redis_queue_take(&client->later));
}

/* ---- the map of slots ---- */

static int become_cluster(struct redis_client *client)
{
    if (client->cluster)
        return WEIR_OK;
    client->slots = weir__zalloc(REDIS_SLOTS * sizeof(struct redis_link *));
    if (client->slots == NULL)
        return WEIR_NO_MEMORY;
    client->cluster = true;
    client->map_at = 0;
    return WEIR_OK;
}

/* A node that does not know its own address is where it was asked. */
static bool knows_itself(const redisReply *address)
{
    return address->type == REDIS_REPLY_STRING && address->len > 0 && strcmp(address->str, "?") != 0;
}

/* [first slot, last slot, [address, port, ...], replicas...] */
static void map_range(struct redis_client *client, const redisReply *range)
{
    const redisReply  *node;
    struct redis_host  host;
    struct redis_link *link;

    if (range->type != REDIS_REPLY_ARRAY || range->elements < 3 || range->element[0]->type != REDIS_REPLY_INTEGER ||
        range->element[1]->type != REDIS_REPLY_INTEGER || range->element[0]->integer < 0 ||
        range->element[1]->integer >= REDIS_SLOTS)
        return;
    node = range->element[2];
    if (node->type != REDIS_REPLY_ARRAY || node->elements < 2 || node->element[1]->type != REDIS_REPLY_INTEGER)
        return;
    host.name = knows_itself(node->element[0]) ? node->element[0]->str : client->map_link->host;
    host.port = (int)node->element[1]->integer;
    link = get_link(client, &host);
    if (link == NULL)
        return;
    link->mapped = true;
    for (long long slot = range->element[0]->integer; slot <= range->element[1]->integer; slot++)
        client->slots[slot] = link;
}

static void take_map(struct redis_client *client, const redisReply *reply)
{
    client->map_at = INT64_MAX;
    memset(client->slots, 0, REDIS_SLOTS * sizeof(struct redis_link *));
    for (size_t i = 0; i < client->link_count; i++)
        client->links[i]->mapped = false;
    for (size_t i = 0; i < reply->elements; i++)
        map_range(client, reply->element[i]);
    for (size_t i = 0; i < client->link_count; i++) /* what waits for a node may be another's now */
        redis_queue_move(&client->links[i]->waiting, &client->ready);
}

static void refuse(struct redis_client *client, const struct redis_link *link, const char *words, const char *remedy)
{
    (void)weir__fail(&client->fault, WEIR_BAD_CONFIG, link->name, "%.300s: %s", words, remedy);
}

static void trouble(struct redis_client *client, const struct redis_link *link, const char *words, const char *remedy)
{
    snprintf(client->trouble, sizeof(client->trouble), "%.128s: %.300s: %s", link->name, words, remedy);
}

static void on_map(void *arg, const redisReply *reply)
{
    struct redis_link   *link = arg;
    struct redis_client *client = link->client;
    const char          *remedy = "it does not say which slots its cluster has";

    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
        take_map(client, reply);
    else
        want_map(client, MAP_PAUSE_US);
    client->map_link = NULL;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR && redis_error_cure(reply, &remedy) == REDIS_NEVER)
        refuse(client, link, reply->str, remedy);
    else if (reply != NULL && client->map_at != INT64_MAX)
        trouble(client, link, reply->type == REDIS_REPLY_ERROR ? reply->str : "no slots", remedy);
}

static void ask_map(struct redis_client *client, int64_t now)
{
    static const struct redis_word words[] = { { "CLUSTER", 7 }, { "SLOTS", 5 } };

    for (size_t i = 0; i < client->link_count && client->map_link == NULL; i++) {
        struct redis_link *link = client->links[client->map_turn++ % client->link_count];

        if (link->state == REDIS_UP && !link->broken &&
            redis_link_ask(link, words, ARRAY_SIZE(words), on_map) == WEIR_OK)
            client->map_link = link;
    }
    client->map_asked = now;
    client->map_at = client->map_link != NULL ? INT64_MAX : now + MAP_PAUSE_US;
}

/* While a node of the map does not answer, the cluster may give its slots to others. */
static void look_after_map(struct redis_client *client, int64_t now)
{
    if (!client->cluster || client->map_link != NULL)
        return;
    for (size_t i = 0; i < client->link_count && client->map_at == INT64_MAX; i++)
        if (client->links[i]->mapped && client->links[i]->state == REDIS_DOWN)
            want_map(client, MAP_AGAIN_US);
    if (now >= client->map_at)
        ask_map(client, now);
}

/* ---- answers ---- */

/* "MOVED 3999 127.0.0.1:6381", "ASK ...": the node, NULL = it cannot be told. */
static struct redis_link *read_redirect(struct redis_client *client, const struct redis_link *from, const char *text,
                                        unsigned *ret_slot)
{
    char              *behind;
    struct redis_host  host;
    struct redis_link *link;
    unsigned long      slot = strtoul(strchr(text, ' '), &behind, 10);

    if (slot >= REDIS_SLOTS || *behind != ' ' ||
        !redis_host_read((struct weir_text){ behind + 1, strlen(behind + 1) }, &host))
        return NULL;
    *ret_slot = (unsigned)slot;
    link = get_link(client, host.name[0] != '\0' ? &host : &(struct redis_host){ from->host, host.port });
    weir__free(host.name);
    return link;
}

static void redirect(struct redis_client *client, struct redis_link *from, struct redis_request *request,
                     const char *text, bool moved)
{
    unsigned           slot = 0;
    struct redis_link *to = become_cluster(client) == WEIR_OK ? read_redirect(client, from, text, &slot) : NULL;

    if (moved)
        want_map(client, 0);
    if (to == NULL || ++request->moves > MOST_MOVES) { /* two nodes that send it to each other */
        request->moves = 0;
        ask_again(client, request, true);
        return;
    }
    if (moved) { /* until the next map, which may have it or not */
        client->slots[slot] = to;
        to->mapped = true;
    }
    request->asking = !moved;
    redis_queue_add(&to->waiting, request);
}

static void cure(struct redis_client *client, struct redis_link *link, struct redis_request *request,
                 const redisReply *reply, enum redis_cure cure, const char *remedy)
{
    if (cure == REDIS_NEVER)
        refuse(client, link, reply->str, remedy);
    else
        trouble(client, link, reply->str, remedy);
    if (cure == REDIS_REMAP)
        want_map(client, 0);
    if (cure == REDIS_RECONNECT) {
        link->backoff = MAX(link->backoff, RECONNECT_US);
        redis_link_break(link, "%.200s: %s", reply->str, remedy);
    }
    ask_again(client, request, true);
}

void redis_client_answered(struct redis_client *client, struct redis_link *link, struct redis_request *request,
                           const redisReply *reply)
{
    const char     *remedy = "";
    enum redis_cure what = reply->type == REDIS_REPLY_ERROR ? redis_error_cure(reply, &remedy) : REDIS_NONE;

    if (request->answer == NULL) {
        redis_request_free(request);
    } else if (what == REDIS_MOVED || what == REDIS_ASK) {
        redirect(client, link, request, reply->str, what == REDIS_MOVED);
    } else if (what != REDIS_NONE) {
        cure(client, link, request, reply, what, remedy);
    } else {
        if (client->later.count == 0) /* it answers some, and not others */
            client->trouble[0] = '\0';
        client->fault.code = 0;
        end(client, request, reply);
    }
}

void redis_client_lost(struct redis_client *client, struct redis_link *link)
{
    struct redis_request *request;

    while ((request = redis_queue_take(&link->sent)) != NULL)
        ask_again(client, request, false);
    redis_queue_move(&link->waiting, &client->ready);
    want_map(client, 0);
}

void redis_client_refused(struct redis_client *client, const struct redis_link *link)
{
    (void)weir__fail(&client->fault, WEIR_BAD_CONFIG, link->name, "%s", link->why);
}

void redis_client_greeted(struct redis_client *client)
{
    client->fault.code = 0;
    client->trouble[0] = '\0';
    if (client->map_at != INT64_MAX) /* it waits for a node that can be asked */
        client->map_at = 0;
}

int redis_client_ask(struct redis_client *client, struct weir_bytes key, const struct redis_word *words, int count,
                     redis_answer *answer, void *arg)
{
    struct redis_request *request = redis_request_new(redis_slot(key), words, count, answer, arg);

    if (request == NULL)
        return WEIR_NO_MEMORY;
    client->bytes += redis_request_bytes(request);
    client->count++;
    redis_queue_add(&client->ready, request);
    return WEIR_OK;
}

static void forget_queue(struct redis_client *client, struct redis_queue *queue)
{
    struct redis_request *request;

    while ((request = redis_queue_take(queue)) != NULL) {
        settle_accounts(client, request);
        redis_request_free(request);
    }
}

/* What is sent keeps its place among the answers. */
static void forget_sent(struct redis_client *client, struct redis_queue *sent)
{
    for (struct redis_request *request = sent->first; request != NULL; request = request->next) {
        if (request->slot == REDIS_NO_SLOT || request->answer == NULL)
            continue;
        settle_accounts(client, request);
        request->answer = NULL;
    }
}

void redis_client_forget(struct redis_client *client)
{
    forget_queue(client, &client->ready);
    forget_queue(client, &client->later);
    for (size_t i = 0; i < client->link_count; i++) {
        forget_queue(client, &client->links[i]->waiting);
        forget_sent(client, &client->links[i]->sent);
    }
}

/* ---- turns ---- */

/* Returns when the next step is due, us. */
static int64_t step(struct redis_client *client)
{
    int64_t now = weir__monotonic_us(), next = INT64_MAX;

    route_all(client, now);
    look_after_map(client, now);
    for (size_t i = 0; i < client->link_count; i++)
        next = MIN(next, redis_link_step(client->links[i], is_wanted(client, client->links[i]), now));
    if (client->cluster)
        prune(client);
    if (client->ready.count > 0) /* a connection was lost */
        next = now;
    if (client->later.count > 0)
        next = MIN(next, client->later.first->due);
    return client->map_link == NULL ? MIN(next, client->map_at) : next;
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* What came while nobody looked is read before anybody is found silent. */
static void catch_up(struct redis_client *client)
{
    if (weir__monotonic_us() > client->turned_at + LATER_US)
        CHECK(event_base_loop(client->base, EVLOOP_NONBLOCK) >= 0);
}

void redis_client_turn(struct redis_client *client, int64_t until)
{
    int64_t wait;

    catch_up(client);
    wait = MIN(step(client), until) - weir__monotonic_us();
    if (wait > 0) {
        struct timeval time = { wait / 1000000, wait % 1000000 };

        CHECK(event_add(client->alarm, &time) == 0);
    }
    CHECK(event_base_loop(client->base, wait > 0 ? EVLOOP_ONCE : EVLOOP_NONBLOCK) >= 0);
    (void)event_del(client->alarm);
    (void)step(client);
    client->turned_at = weir__monotonic_us();
}

size_t redis_client_bytes(const struct redis_client *client) { return client->bytes; }

size_t redis_client_count(const struct redis_client *client) { return client->count; }

int redis_client_fault(const struct redis_client *client, struct weir_error *reterr)
{
    if (client->fault.code != 0)
        *reterr = client->fault;
    return client->fault.code;
}

bool redis_client_connected(const struct redis_client *client)
{
    return client->cluster ? any_mapped_up(client) : client->links[0]->state == REDIS_UP;
}

/* A node without which something is not served; NULL = none. */
static const struct redis_link *find_down(const struct redis_client *client)
{
    for (size_t i = 0; i < client->link_count; i++) {
        const struct redis_link *link = client->links[i];

        if (link->state != REDIS_UP && link->why[0] != '\0' && is_wanted(client, link))
            return link;
    }
    return NULL;
}

bool redis_client_up(struct redis_client *client, const char **why)
{
    const struct redis_link *down = find_down(client);

    *why = client->trouble;
    if (down != NULL) {
        snprintf(client->words, sizeof(client->words), "%.128s: %s", down->name, down->why);
        *why = client->words;
    } else if (client->fault.code != 0) {
        *why = client->fault.text;
    }
    return down == NULL && (*why)[0] == '\0';
}

/* ---- its life ---- */

static int add_seeds(struct redis_client *client)
{
    const struct redis_target *target = &client->setup.target;

    for (size_t i = 0; i < target->host_count; i++) {
        struct redis_link *link = get_link(client, &target->hosts[i]);

        if (link == NULL)
            return WEIR_NO_MEMORY;
        link->seed = true;
    }
    return target->host_count > 1 ? become_cluster(client) : WEIR_OK;
}

int redis_client_open(struct redis_setup *setup, struct redis_client **ret, struct weir_error *reterr)
{
    struct redis_client *client = weir__zalloc(sizeof(*client));
    int                  err = WEIR_OK;

    if (client == NULL) {
        redis_target_fini(&setup->target);
        return weir__fail(reterr, WEIR_NO_MEMORY, "redis", "%s", weir_code_text(WEIR_NO_MEMORY));
    }
    client->setup = *setup;
    setup->target = (struct redis_target){ 0 };
    client->map_at = INT64_MAX;
    client->base = event_base_new();
    client->alarm = client->base != NULL ? evtimer_new(client->base, on_alarm, NULL) : NULL;
    if (client->alarm == NULL || add_seeds(client) < 0)
        err = weir__fail(reterr, WEIR_NO_MEMORY, "redis", "%s", weir_code_text(WEIR_NO_MEMORY));
    if (err == WEIR_OK && client->setup.target.tls)
        err = weir__tls_client(&client->setup.trust, &redis_tls_names, &client->tls, reterr);
    if (err < 0) {
        redis_client_close(client);
        return err;
    }
    *ret = client;
    return WEIR_OK;
}

static void end_all(struct redis_client *client, struct redis_queue *queue)
{
    struct redis_request *request;

    while ((request = redis_queue_take(queue)) != NULL) {
        if (request->slot == REDIS_NO_SLOT)
            redis_request_free(request);
        else
            end(client, request, NULL);
    }
}

void redis_client_close(struct redis_client *client)
{
    if (client == NULL)
        return;
    end_all(client, &client->ready);
    end_all(client, &client->later);
    for (size_t i = 0; i < client->link_count; i++) {
        end_all(client, &client->links[i]->waiting);
        end_all(client, &client->links[i]->sent);
        redis_link_free(client->links[i]);
    }
    weir__free(client->links);
    weir__free(client->slots);
    weir__tls_free(client->tls);
    if (client->alarm != NULL)
        event_free(client->alarm);
    if (client->base != NULL)
        event_base_free(client->base);
    redis_target_fini(&client->setup.target);
    weir__free(client);
}
