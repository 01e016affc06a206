/* link.c: libpq without blocking: each wait is one on its socket and on the one that says stop. */
#include "topologies/postgres/link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

static int64_t now_ms(void) { return weir__monotonic_us() / 1000; }

/* Its first line: those behind it are hints for people at a terminal. */
static int fail(int code, const char *message, struct weir_error *reterr)
{
    return weir__fail(reterr, code, "postgres.dsn", "%.*s", (int)strcspn(message, "\n"), message);
}

/* Until the socket is ready for what is wanted. 1: ready; 0: the time is up; WEIR_AGAIN: stopped. */
static int await(const struct postgres_link *link, short wanted, int64_t until)
{
    struct pollfd fds[2] = { { .fd = PQsocket(link->conn), .events = wanted },
                             { .fd = link->stop, .events = POLLIN } };
    int           ready;

    do
        ready = poll(fds, 2, (int)MIN(MAX(until - now_ms(), 0), INT_MAX));
    while (ready < 0 && errno == EINTR);
    if (ready > 0 && fds[1].revents != 0)
        return WEIR_AGAIN;
    return ready > 0;
}

/* ---- opening ---- */

static bool is_ports(const char *text) { return text == NULL || text[strspn(text, "0123456789,")] == '\0'; }

/* Nor one that would be taken apart at the wrong place: then a piece of the password would be told as a host. */
static bool is_usable(const char *dsn, const PQconninfoOption *options)
{
    const char *slashes = strstr(dsn, "://"), *at = slashes != NULL ? strchr(slashes, '@') : NULL;

    for (; options->keyword != NULL; options++)
        if (strcmp(options->keyword, "port") == 0 && !is_ports(options->val))
            return false;
    return at == NULL || strcspn(at + 1, "@") >= strcspn(at + 1, "/?");
}

/* What to call by, to be wiped. */
struct login {
    struct weir__buf dsn, password; /* password empty: the string's, or libpq finds one */
};

static void login_fini(struct login *login)
{
    weir__secret_fini(&login->dsn);
    weir__secret_fini(&login->password);
}

static int read_password(const struct weir__config *settings, struct weir__buf *ret, struct weir_error *reterr)
{
    int err = weir__config_secret(settings, "postgres.password", ret, reterr);

    return err == WEIR_NOTHING ? WEIR_OK : err;
}

/* Where both say another one, nobody can tell which is meant. */
static bool contradict(const PQconninfoOption *options, const struct weir__buf *password)
{
    for (; options->keyword != NULL; options++)
        if (strcmp(options->keyword, "password") == 0 && options->val != NULL)
            return password->size > 0 && strcmp(options->val, password->data) != 0;
    return false;
}

static int check(const struct login *login, struct weir_error *reterr)
{
    PQconninfoOption *options = PQconninfoParse(login->dsn.data, NULL);
    const bool        good = options != NULL && is_usable(login->dsn.data, options);
    const bool        twice = good && contradict(options, &login->password);

    PQconninfoFree(options);
    if (twice)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "postgres.password",
                          "postgres.dsn has another password: give it in one place");
    if (good)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_CONFIG, "postgres.dsn",
                      "it is no connection string: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, an @ of the "
                      "password as %%40, or \"host=HOST port=PORT user=USER password=PASSWORD dbname=DATABASE\"");
}

static int login_read(const struct weir__config *settings, struct login *ret, struct weir_error *reterr)
{
    int err = weir__config_secret(settings, "postgres.dsn", &ret->dsn, reterr);

    if (err == WEIR_OK)
        err = read_password(settings, &ret->password, reterr);
    return err == WEIR_OK ? check(ret, reterr) : err;
}

int postgres_login_check(const struct weir__config *settings, struct weir_error *reterr)
{
    AUTO(login_fini) struct login login = { 0 };

    return login_read(settings, &login, reterr);
}

/* A server that says no has answered; all else may be well the next time. */
static int fail_open(const struct postgres_link *link, struct weir_error *reterr)
{
    const char *message = PQerrorMessage(link->conn);

    if (strstr(message, "certificate verify failed") != NULL) /* libpq does not tell why */
        return weir__fail(reterr, WEIR_AGAIN, "postgres.dsn",
                          "%.*s: it has expired, or its authority is not in sslrootcert", (int)strcspn(message, "\n"),
                          message);
    return fail(strstr(message, "FATAL:") != NULL ? WEIR_BAD_CONFIG : WEIR_AGAIN, message, reterr);
}

static int connect_by(struct postgres_link *link, int64_t until, struct weir_error *reterr)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status != PGRES_POLLING_OK) {
        int ready = await(link, status == PGRES_POLLING_WRITING ? POLLOUT : POLLIN, until);

        if (ready <= 0)
            return fail(WEIR_AGAIN, ready < 0 ? "stopped" : "the server does not answer", reterr);
        status = PQconnectPoll(link->conn);
        if (status == PGRES_POLLING_FAILED)
            return fail_open(link, reterr);
    }
    return PQsetnonblocking(link->conn, 1) == 0 ? WEIR_OK : fail_open(link, reterr);
}

static void say_nothing(void *arg, const char *message) { (void)arg, (void)message; }

/* What the string says is stronger than what stands before it, and weaker than what stands behind. */
static PGconn *begin(const struct login *login)
{
    static const char *const names[] = { "fallback_application_name",
                                         "tcp_user_timeout",
                                         "keepalives_idle",
                                         "dbname",
                                         "client_encoding",
                                         "password",
                                         NULL };
    const char *const        values[] = { "data-processing",    "30000", "30", login->dsn.data, "UTF8",
                                          login->password.data, NULL };

    return PQconnectStartParams(names, values, 1);
}

int postgres_link_open(struct postgres_link *link, const struct weir__config *settings, int64_t wait_ms,
                       struct weir_error *reterr)
{
    AUTO(login_fini) struct login login = { 0 };
    int                           err = login_read(settings, &login, reterr);

    if (err < 0)
        return err;
    link->conn = begin(&login);
    if (link->conn == NULL)
        return fail(WEIR_NO_MEMORY, "out of memory", reterr);
    if (PQstatus(link->conn) == CONNECTION_BAD)
        return fail_open(link, reterr);
    (void)PQsetNoticeProcessor(link->conn, say_nothing, NULL);
    return connect_by(link, now_ms() + wait_ms, reterr);
}

void postgres_link_close(struct postgres_link *link)
{
    PQfinish(link->conn);
    link->conn = NULL;
}

bool postgres_link_lost(const struct postgres_link *link)
{
    return link->conn == NULL || PQstatus(link->conn) == CONNECTION_BAD;
}

/* ---- asking ---- */

static int code_of(const char *state)
{
    static const char *const absent[] = { "42P01", "42703", "42883", "3F000" };

    for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
        if (strcmp(state, absent[i]) == 0)
            return WEIR_NOTFOUND;
    return strcmp(state, "42501") == 0 ? WEIR_BAD_CONFIG : WEIR_REJECTED;
}

static int fail_ask(const struct postgres_link *link, const PGresult *result, struct weir_error *reterr)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    int         code = state != NULL ? code_of(state) : WEIR_AGAIN;

    if (state == NULL || text == NULL)
        return fail(WEIR_AGAIN, PQerrorMessage(link->conn), reterr);
    return weir__fail(reterr, code, "postgres.dsn", "%s%s", text,
                      code == WEIR_NOTFOUND         ? ": make the tables by \"data-processing migrate postgres\""
                      : strcmp(state, "42501") == 0 ? ": grant it to the user"
                                                    : "");
}

/* Sends what is left to send, and takes what came, until the result is there. */
static int await_result(struct postgres_link *link, int64_t until, struct weir_error *reterr)
{
    int unsent = PQflush(link->conn);

    while (unsent > 0 || (unsent == 0 && PQisBusy(link->conn))) {
        int ready = await(link, (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN), until);

        if (ready <= 0)
            return fail(WEIR_AGAIN, ready < 0 ? "stopped" : "the server does not answer", reterr);
        if (PQconsumeInput(link->conn) == 0)
            return fail(WEIR_AGAIN, PQerrorMessage(link->conn), reterr);
        unsent = PQflush(link->conn);
    }
    return unsent < 0 ? fail(WEIR_AGAIN, PQerrorMessage(link->conn), reterr) : WEIR_OK;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

int postgres_ask(struct postgres_link *link, const char *sql, const char *const *parameters, int count,
                 int64_t wait_ms, PGresult **ret, struct weir_error *reterr)
{
    int64_t   until = now_ms() + wait_ms;
    PGresult *last = NULL, *result;
    int       err = WEIR_OK, sent;

    sent = count == 0 ? PQsendQuery(link->conn, sql)
                      : PQsendQueryParams(link->conn, sql, count, NULL, parameters, NULL, NULL, 0);
    if (sent == 0)
        return fail(WEIR_AGAIN, PQerrorMessage(link->conn), reterr);
    while ((err = await_result(link, until, err == WEIR_OK ? reterr : NULL)) == WEIR_OK &&
           (result = PQgetResult(link->conn)) != NULL) {
        if (last != NULL && !is_good(last)) { /* the first one that failed counts */
            PQclear(result);
            continue;
        }
        PQclear(last);
        last = result;
    }
    if (err == WEIR_OK && last != NULL && !is_good(last))
        err = fail_ask(link, last, reterr);
    if (err == WEIR_OK && ret != NULL)
        *ret = last;
    else
        PQclear(last);
    return err;
}

/* ---- notifications ---- */

void postgres_forget_notes(struct postgres_link *link)
{
    PGnotify *note;

    while ((note = PQnotifies(link->conn)) != NULL)
        PQfreemem(note);
}

int postgres_listen(struct postgres_link *link, int64_t wait_ms)
{
    int64_t until = now_ms() + wait_ms;

    for (;;) {
        PGnotify *note = PQnotifies(link->conn);
        int       ready;

        if (note != NULL) {
            PQfreemem(note);
            return 1;
        }
        ready = await(link, POLLIN, until);
        if (ready <= 0)
            return ready;
        if (PQconsumeInput(link->conn) == 0)
            return WEIR_AGAIN;
    }
}
