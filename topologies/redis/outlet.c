/* outlet.c: what is put waits for company, is sent in amounts, and stays until Redis has taken it.
 *
 * (1) Of several puts of a key that are not sent yet only the one of the greatest version is sent.
 * (2) An answer of 0 is an acknowledgement too: what is there is newer.
 * (3) What Redis refuses for good is told by settle until the transaction is given up.
 */
#include "topologies/redis/internal.h"

#include <sys/queue.h>

#define SEND_AT ((size_t)256 << 10)
/* How long a key that was taken away keeps older versions away, ms: those that a server which hung, or a process that was replaced,
 * still has in hand. What is put later comes from who remembers the deletion. */
#define GONE_MS "60000"

struct item {
    TAILQ_ENTRY(item)     place; /* among those that are sent */
    struct redis_outlet  *outlet;
    struct market_version version;
    bool                  gone;
    size_t                key_size, value_size;
    char                  bytes[]; /* key, value */
};
TAILQ_HEAD(items, item);

struct redis_outlet {
    struct redis_client *client;
    struct weir__map     unsent; /* key to item */
    struct items         sent;
    size_t               unsent_bytes, sent_bytes;
    struct weir_error    refusal; /* code 0 = none */
    char                 sha[REDIS_SHA_BYTES], ttl[24];
    bool                 starved; /* a request could not be made */
    bool                 marked;
    struct redis_marks   marks;
};

static size_t item_size(const struct item *item) { return sizeof(*item) + item->key_size + item->value_size; }

static struct weir_bytes item_key(const struct item *item) { return BYTES(item->bytes, item->key_size); }

static char *append(char *to, const void *data, size_t size)
{
    memcpy(to, data, size);
    return to + size;
}

/* {"version":"..." before the members that json has. */
static struct item *item_new(struct weir_bytes key, const struct market_version *version, struct weir_text json)
{
    static const char begin[] = "{\"version\":\"", gone[] = "{\"deleted\":true}";
    struct weir_text  value = json.data != NULL ? json : (struct weir_text){ gone, sizeof(gone) - 1 };
    size_t            more = sizeof(begin) - 1 + version->size + 2; /* a quote and a comma behind it */
    struct item      *item = weir__alloc(sizeof(*item) + key.size + more + value.size);
    char             *at;

    if (item == NULL)
        return NULL;
    CHECK(value.size >= 2 && value.data[0] == '{');
    *item = (struct item){ .version = *version, .gone = json.data == NULL, .key_size = key.size };
    at = append(item->bytes, key.data, key.size);
    at = append(at, begin, sizeof(begin) - 1);
    at = append(at, version->text, version->size);
    at = append(at, "\",", value.size > 2 ? 2 : 1);
    at = append(at, value.data + 1, value.size - 1);
    item->value_size = (size_t)(at - item->bytes) - key.size;
    return item;
}

/* Whether an item that is not sent yet makes another of its key needless; of two alike the last is kept, but a deletion. */
static bool stands_before(const struct item *item, const struct market_version *version, bool gone)
{
    int way = market_version_compare(&item->version, version);

    return way > 0 || (way == 0 && item->gone && !gone);
}

int redis_outlet_put(struct redis_outlet *outlet, struct weir_bytes key, const struct market_version *version,
                     struct weir_text json)
{
    struct item *old = weir__map_get(&outlet->unsent, key), *item;

    if (old != NULL && stands_before(old, version, json.data == NULL))
        return WEIR_OK;
    item = item_new(key, version, json);
    if (item == NULL)
        return WEIR_NO_MEMORY;
    item->outlet = outlet;
    if (old != NULL) {
        outlet->unsent_bytes -= item_size(old);
        (void)weir__map_remove(&outlet->unsent, key);
        weir__free(old);
    }
    if (weir__map_put(&outlet->unsent, item_key(item), item) < 0) {
        weir__free(item);
        return WEIR_NO_MEMORY;
    }
    outlet->unsent_bytes += item_size(item);
    return WEIR_OK;
}

/* ---- sending ---- */

static void on_answer(void *arg, const redisReply *reply);

/* script: its digest, or where that is not known, itself. WEIR_NO_MEMORY. */
static int send_item(struct item *item, const char *command, const char *script)
{
    struct redis_outlet    *outlet = item->outlet;
    const char             *ttl = item->gone ? GONE_MS : outlet->ttl;
    const struct redis_word words[] = {
        { command, strlen(command) },
        { script, strlen(script) },
        { "1", 1 },
        { item->bytes, item->key_size },
        { item->version.text, item->version.size },
        { item->bytes + item->key_size, item->value_size },
        { ttl, strlen(ttl) },
        { item->gone ? "1" : "0", 1 },
    };

    return redis_client_ask(outlet->client, item_key(item), words, ARRAY_SIZE(words), on_answer, item);
}

static void end_item(struct item *item)
{
    TAILQ_REMOVE(&item->outlet->sent, item, place);
    item->outlet->sent_bytes -= item_size(item);
    weir__free(item);
}

static void refused(struct item *item, const char *words)
{
    if (item->outlet->refusal.code == 0)
        (void)weir__fail(&item->outlet->refusal, WEIR_REJECTED, "redis", "the key %.*s is refused: %.300s",
                         (int)MIN(item->key_size, 200), item->bytes, words);
}

static void on_answer(void *arg, const redisReply *reply)
{
    struct item *item = arg;

    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        if (strncmp(reply->str, "NOSCRIPT", 8) == 0 && send_item(item, "EVAL", redis_script) == WEIR_OK)
            return;
        refused(item, reply->str);
    }
    end_item(item);
}

/* What cannot be sent for want of memory stays where it is. */
static void send_all(struct redis_outlet *outlet)
{
    struct weir__map_slot *slot;

    for (size_t i = 0; outlet->unsent.count > 0 && (slot = weir__map_next(&outlet->unsent, &i)) != NULL;) {
        struct item *item = slot->value;

        outlet->starved = send_item(item, "EVALSHA", outlet->sha) < 0;
        if (outlet->starved)
            return;
        TAILQ_INSERT_TAIL(&outlet->sent, item, place);
        outlet->sent_bytes += item_size(item);
        outlet->unsent_bytes -= item_size(item);
        (void)weir__map_remove(&outlet->unsent, item_key(item));
    }
}

void redis_outlet_serve(struct redis_outlet *outlet)
{
    if (outlet->unsent_bytes >= SEND_AT)
        send_all(outlet);
    if (outlet->marked)
        redis_marks_look(&outlet->marks, outlet->client);
    redis_client_turn(outlet->client, 0);
}

static int standing(struct redis_outlet *outlet, struct weir_error *reterr)
{
    int err = redis_client_fault(outlet->client, reterr);

    if (err < 0)
        return err;
    if (outlet->refusal.code != 0) {
        *reterr = outlet->refusal;
        return outlet->refusal.code;
    }
    return redis_client_count(outlet->client) + outlet->unsent.count == 0 ? WEIR_OK : WEIR_AGAIN;
}

int redis_outlet_settle(struct redis_outlet *outlet, int64_t wait_ms, struct weir_error *reterr)
{
    int64_t until = weir__monotonic_us() + wait_ms * 1000;
    int     err;

    send_all(outlet);
    redis_client_turn(outlet->client, 0);
    while ((err = standing(outlet, reterr)) == WEIR_AGAIN && !outlet->starved && weir__monotonic_us() < until)
        redis_client_turn(outlet->client, until);
    if (err == WEIR_AGAIN && outlet->starved)
        return weir__fail(reterr, WEIR_NO_MEMORY, "redis", "%s", weir_code_text(WEIR_NO_MEMORY));
    return err;
}

void redis_outlet_forget(struct redis_outlet *outlet)
{
    struct weir__map_slot *slot;

    redis_client_forget(outlet->client);
    redis_marks_forget(&outlet->marks);
    for (size_t i = 0; (slot = weir__map_next(&outlet->unsent, &i)) != NULL;)
        weir__free(slot->value);
    weir__map_clear(&outlet->unsent);
    while (!TAILQ_EMPTY(&outlet->sent))
        end_item(TAILQ_FIRST(&outlet->sent));
    outlet->unsent_bytes = 0;
    outlet->refusal.code = 0;
}

void redis_outlet_look(struct redis_outlet *outlet, struct weir_outlet_standing *ret)
{
    ret->bytes = outlet->unsent_bytes + outlet->sent_bytes + redis_client_bytes(outlet->client);
    ret->up = redis_client_up(outlet->client, &ret->why);
}

int redis_outlet_open(struct redis_setup *setup, int64_t ttl_ms, struct redis_outlet **ret, struct weir_error *reterr)
{
    struct redis_outlet *outlet = weir__zalloc(sizeof(*outlet));
    int                  err;

    if (outlet == NULL) {
        redis_target_fini(&setup->target);
        return weir__fail(reterr, WEIR_NO_MEMORY, "redis", "%s", weir_code_text(WEIR_NO_MEMORY));
    }
    setup->script = redis_script;
    outlet->marked = setup->marked;
    err = redis_client_open(setup, &outlet->client, reterr);
    if (err < 0) {
        weir__free(outlet);
        return err;
    }
    TAILQ_INIT(&outlet->sent);
    redis_script_sha(outlet->sha);
    snprintf(outlet->ttl, sizeof(outlet->ttl), "%lld", (long long)ttl_ms);
    *ret = outlet;
    return WEIR_OK;
}

void redis_outlet_close(struct redis_outlet *outlet)
{
    if (outlet == NULL)
        return;
    redis_outlet_forget(outlet);
    redis_client_close(outlet->client);
    weir__map_fini(&outlet->unsent);
    weir__free(outlet);
}
