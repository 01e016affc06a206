/* auditing.c: whose audit trail is kept, and where, by the settings. */
#include "schemas/digest.h"
#include "topologies/audit.h"
#include "topologies/commands.h"

enum { SHORTEST_KEY = 32 };

_Static_assert(MARKET_DIGEST_ROOM == WEIR__AUDIT_HASH_ROOM, "SHA-256 in both");

/* "<topology>.audit.enabled", where it is given. */
static bool own_switch(const struct weir__config *config, const char *topology, bool otherwise)
{
    char name[64];

    snprintf(name, sizeof(name), "%s.audit.enabled", topology);
    return weir__config_text(config, name) != NULL ? weir__config_bool(config, name) : otherwise;
}

static bool audits(void *arg, const char *service)
{
    const struct weir__program *program = arg;
    const bool                  all = weir__config_bool(program->settings, "audit.enabled");

    return weir__find_topology(program, service) != NULL ? own_switch(program->settings, service, all) : all;
}

static bool audits_any(const struct weir__program *program)
{
    bool any = weir__config_bool(program->settings, "audit.enabled");

    for (size_t i = 0; program->topologies[i] != NULL; i++)
        any = any || own_switch(program->settings, program->topologies[i]->name, any);
    return any;
}

/* ---- the seal: of several keys the first one seals, all of them are good ---- */

bool market_audit_next_key(const char **at, struct weir_text *ret)
{
    *at += strspn(*at, "\r\n");
    *ret = (struct weir_text){ *at, strcspn(*at, "\r\n") };
    *at += ret->size;
    return ret->size > 0;
}

int market_audit_keys(const struct weir__config *config, const char **ret, struct weir_error *reterr)
{
    struct weir_text key;
    size_t           count = 0;

    *ret = weir__config_text(config, "audit.key");
    for (const char *at = *ret; at != NULL && market_audit_next_key(&at, &key); count++)
        if (key.size < SHORTEST_KEY)
            return weir__fail(reterr, WEIR_BAD_CONFIG, "audit.key",
                              "a key has at least %d characters: make one with \"openssl rand -hex 32\"",
                              SHORTEST_KEY);
    return *ret == NULL || count > 0 ? WEIR_OK : weir__fail(reterr, WEIR_BAD_CONFIG, "audit.key", "it is empty");
}

static int digest(void *arg, struct weir_text text, char ret[WEIR__AUDIT_HASH_ROOM])
{
    const struct weir__program *program = arg;
    const char                 *at = weir__config_text(program->settings, "audit.key");
    struct weir_text            key;

    return at != NULL && market_audit_next_key(&at, &key) ? market_seal(key, text, ret) : market_digest(text, ret);
}

static struct weir__audit_config config_of(const struct weir__program *program)
{
    const struct weir__config *config = program->settings;

    return (struct weir__audit_config){ .environment = weir__config_text(config, "env"),
                                        .queue = (size_t)weir__config_int(config, "audit.queue.size"),
                                        .batch = (size_t)weir__config_int(config, "audit.batch.size"),
                                        .flush_ms = weir__config_int(config, "audit.flush.ms"),
                                        .write_ms = weir__config_int(config, "audit.timeout.ms"),
                                        .sealed = weir__config_text(config, "audit.key") != NULL,
                                        .digest = digest,
                                        .audits = audits,
                                        .arg = (void *)program };
}

/* Where it is configured, at the end of writers. */
static int add_writer(const struct weir__program *program,
                      int (*open)(const struct weir__program *program, struct weir__audit_writer *ret,
                                  struct weir_error *reterr),
                      struct weir__audit_writer *writers, size_t *count, struct weir_error *reterr)
{
    int err = open(program, &writers[*count], reterr);

    *count += err == WEIR_OK;
    return MIN(err, WEIR_OK);
}

int market_audit_open(const struct weir__program *program, struct weir__audit **ret, struct weir_error *reterr)
{
    const struct weir__audit_config config = config_of(program);
    struct weir__audit_writer       writers[2];
    const char                     *keys;
    size_t                          count = 0;
    int                             err;

    *ret = NULL;
    if (!audits_any(program))
        return WEIR_OK;
    err = market_audit_keys(program->settings, &keys, reterr);
    if (err == WEIR_OK)
        err = add_writer(program, market_audit_table, writers, &count, reterr);
    if (err == WEIR_OK)
        err = add_writer(program, market_audit_topic, writers, &count, reterr);
    if (err == WEIR_OK && count == 0)
        err = weir__fail(reterr, WEIR_BAD_CONFIG, "audit.enabled",
                         "an audit trail is wanted, and there is nowhere to write it to: set clickhouse.url, or "
                         "audit.topic with kafka.bootstrap.servers");
    if (err == WEIR_OK)
        return weir__audit_open(&config, writers, count, ret, reterr);
    for (size_t i = 0; i < count; i++)
        writers[i].close(writers[i].arg);
    return err;
}
