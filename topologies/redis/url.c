/* url.c: the address of a Redis server or cluster, as one writes it.
 *
 * (1) User and password may be percent-encoded; a refusal never repeats them, so it names the part, not the text.
 */
#define _GNU_SOURCE
#include "topologies/redis/internal.h"

#include <stdlib.h>

#define FORM "write redis://[user[:password]@]host[:port][,host[:port]...][/db], or rediss:// for TLS"

static int refuse(struct weir_error *reterr, const char *what)
{
    return weir__fail(reterr, WEIR_BAD_CONFIG, "redis.url", "%s: " FORM, what);
}

static int no_memory(struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, "redis.url", "%s", weir_code_text(WEIR_NO_MEMORY));
}

static char *copy_text(struct weir_text text)
{
    char *copy = weir__alloc(text.size + 1);

    if (copy != NULL) {
        memcpy(copy, text.data, text.size);
        copy[text.size] = '\0';
    }
    return copy;
}

/* The text before the first `mark`, and what is behind it; false: there is no mark, all of it is before. */
static bool part_at(struct weir_text text, char mark, struct weir_text *before, struct weir_text *behind)
{
    const char *at = text.size > 0 ? memchr(text.data, mark, text.size) : NULL;

    *before = text;
    *behind = (struct weir_text){ NULL, 0 };
    if (at == NULL)
        return false;
    *before = (struct weir_text){ text.data, (size_t)(at - text.data) };
    *behind = (struct weir_text){ at + 1, text.size - before->size - 1 };
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent-encoding in place. false: a percent sign without two digits, or a zero byte. */
static bool decode(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++, to++) {
        *to = *text;
        if (*text != '%')
            continue;
        if (hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0)
            return false;
        *to = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
        if (*to == '\0')
            return false;
        text += 2;
    }
    *to = '\0';
    return true;
}

static bool read_port(struct weir_text text, int *ret)
{
    int port = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || (port = port * 10 + (text.data[i] - '0')) > 65535)
            return false;
    }
    *ret = port;
    return port > 0;
}

bool redis_host_read(struct weir_text text, struct redis_host *ret)
{
    const char      *colon = text.size > 0 ? memrchr(text.data, ':', text.size) : NULL;
    struct weir_text host = text;

    if (colon == NULL)
        return false;
    host.size = (size_t)(colon - text.data);
    if (!read_port((struct weir_text){ colon + 1, text.size - host.size - 1 }, &ret->port))
        return false;
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = (struct weir_text){ host.data + 1, host.size - 2 };
    ret->name = copy_text(host);
    return ret->name != NULL;
}

/* host, host:port, [v6] or [v6]:port */
static int add_host(struct redis_target *target, struct weir_text text, struct weir_error *reterr)
{
    struct redis_host host = { .port = 6379 };
    struct weir_text  name, port;
    bool              bracketed = text.size > 0 && text.data[0] == '[';

    if (bracketed) {
        if (!part_at((struct weir_text){ text.data + 1, text.size - 1 }, ']', &name, &port))
            return refuse(reterr, "an address has [ without ]");
        if (port.size > 0 && (port.data[0] != ':' || port.size == 1))
            return refuse(reterr, "behind ] there is no :port");
        port = port.size > 0 ? (struct weir_text){ port.data + 1, port.size - 1 } : (struct weir_text){ NULL, 0 };
    } else if (part_at(text, ':', &name, &port) && port.size == 0) {
        return refuse(reterr, "behind a colon there is no port");
    }
    if (name.size == 0)
        return refuse(reterr, "a host is missing");
    if (port.data != NULL && !read_port(port, &host.port))
        return refuse(reterr, "a port is no number from 1 to 65535");
    if (GROW(target->hosts, target->host_capacity, target->host_count) < 0)
        return no_memory(reterr);
    host.name = copy_text(name);
    if (host.name == NULL)
        return no_memory(reterr);
    target->hosts[target->host_count++] = host;
    return WEIR_OK;
}

static int read_hosts(struct redis_target *target, struct weir_text text, struct weir_error *reterr)
{
    struct weir_text host, rest;
    bool             more;
    int              err;

    do {
        more = part_at(text, ',', &host, &rest);
        err = add_host(target, host, reterr);
        text = rest;
    } while (more && err == WEIR_OK);
    return err;
}

static int read_user(struct redis_target *target, struct weir_text text, struct weir_error *reterr)
{
    struct weir_text user, password;
    bool             both = part_at(text, ':', &user, &password);

    if (user.size > 0 && (target->user = copy_text(user)) == NULL)
        return no_memory(reterr);
    if (both && (target->password = copy_text(password)) == NULL)
        return no_memory(reterr);
    if ((target->user != NULL && !decode(target->user)) || (target->password != NULL && !decode(target->password)))
        return refuse(reterr, "user or password has a % that is no %XX (a percent sign itself is %25)");
    if (both && password.size == 0)
        return refuse(reterr, "behind the user's colon there is no password");
    return WEIR_OK;
}

static int read_db(struct redis_target *target, struct weir_text text, struct weir_error *reterr)
{
    char digits[8];

    if (text.size == 0)
        return WEIR_OK;
    if (text.size >= sizeof(digits))
        return refuse(reterr, "the database is no number");
    memcpy(digits, text.data, text.size);
    digits[text.size] = '\0';
    if (weir__parse_int64(digits, &target->db) < 0 || target->db < 0)
        return refuse(reterr, "the database is no number");
    if (target->db != 0 && target->host_count > 1)
        return refuse(reterr, "a cluster has no other database than 0");
    return WEIR_OK;
}

static int read_scheme(struct redis_target *target, const char *url, struct weir_text *rest,
                       struct weir_error *reterr)
{
    static const char plain[] = "redis://", secure[] = "rediss://";

    target->tls = strncmp(url, secure, strlen(secure)) == 0;
    if (!target->tls && strncmp(url, plain, strlen(plain)) != 0)
        return refuse(reterr, "it begins otherwise than redis:// and rediss://");
    url += strlen(target->tls ? secure : plain);
    *rest = (struct weir_text){ url, strlen(url) };
    return WEIR_OK;
}

/* Where both say a password, or a user has none, nobody can tell what is meant. */
static int take_password(struct redis_target *target, const char *password, struct weir_error *reterr)
{
    if (password != NULL && password[0] != '\0') {
        if (target->password != NULL)
            return weir__fail(reterr, WEIR_BAD_CONFIG, "redis.password",
                              "redis.url has a password, too: give it in one place");
        if ((target->password = weir__strdup(password)) == NULL)
            return no_memory(reterr);
    }
    if (target->user != NULL && target->password == NULL)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "redis.url",
                          "the user has no password: write user:password@host, or set redis.password");
    return WEIR_OK;
}

int redis_target_read(struct redis_target *target, const char *url, const char *password, struct weir_error *reterr)
{
    struct weir_text rest = { url, 0 }, user, db;
    const char      *at;
    int              err = read_scheme(target, url, &rest, reterr);

    if (err < 0)
        return err;
    at = memrchr(rest.data, '@', rest.size);
    if (at != NULL) {
        user = (struct weir_text){ rest.data, (size_t)(at - rest.data) };
        rest = (struct weir_text){ at + 1, rest.size - user.size - 1 };
        err = read_user(target, user, reterr);
    }
    (void)part_at(rest, '/', &rest, &db);
    if (err == WEIR_OK)
        err = read_hosts(target, rest, reterr);
    if (err == WEIR_OK)
        err = read_db(target, db, reterr);
    return err < 0 ? err : take_password(target, password, reterr);
}

void redis_target_fini(struct redis_target *target)
{
    for (size_t i = 0; i < target->host_count; i++)
        weir__free(target->hosts[i].name);
    weir__free(target->hosts);
    weir__free(target->user);
    weir__free(target->password);
    *target = (struct redis_target){ 0 };
}
