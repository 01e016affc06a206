/* link.h: a connection to PostgreSQL: nothing waits for longer than it is told, nor when it is to stop. */
#ifndef MARKET_POSTGRES_LINK_H
#define MARKET_POSTGRES_LINK_H

#include <libpq-fe.h>

#include "framework/config/config.h"

struct postgres_link {
    PGconn *conn;
    int     stop; /* readable: whoever waits gives up; -1 = nobody says stop */
};

/* WEIR_BAD_CONFIG: postgres.dsn is no connection string, which is not repeated in the words, or has another password than
 * postgres.password. */
int postgres_login_check(const struct weir__config *settings, struct weir_error *reterr);
/* Goes by the settings as they are now: those that are files are read again. WEIR_AGAIN: it does not answer, or was stopped.
 * WEIR_BAD_CONFIG: it says no, or see above. WEIR_NOTFOUND, WEIR_IO: a file cannot be read. */
int  postgres_link_open(struct postgres_link *link, const struct weir__config *settings, int64_t wait_ms,
                        struct weir_error *reterr);
void postgres_link_close(struct postgres_link *link);
bool postgres_link_lost(const struct postgres_link *link);
/* Runs statements; *ret (may be NULL): the last one's rows. WEIR_AGAIN: no answer in time, or the connection was lost;
 * WEIR_NOTFOUND: a table, column or function is not there; WEIR_BAD_CONFIG: no rights; WEIR_REJECTED: other refusals. */
int postgres_ask(struct postgres_link *link, const char *sql, const char *const *parameters, int count,
                 int64_t wait_ms, PGresult **ret, struct weir_error *reterr);
/* 1: a notification came; 0: the time is up; WEIR_AGAIN: stopped, or the connection was lost. */
int  postgres_listen(struct postgres_link *link, int64_t wait_ms);
void postgres_forget_notes(struct postgres_link *link);

#endif
