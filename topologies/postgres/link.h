/* link.h: a connection to PostgreSQL: nothing waits for longer than it is told, nor when it is to stop. */
#ifndef MARKET_POSTGRES_LINK_H
#define MARKET_POSTGRES_LINK_H

#include <libpq-fe.h>

#include "framework/base/base.h"

struct postgres_link {
    PGconn *conn;
    int     stop; /* readable: whoever waits gives up; -1 = nobody says stop */
};

/* WEIR_BAD_CONFIG: dsn is no connection string; it is not repeated in the words. */
int postgres_dsn_check(const char *dsn, struct weir_error *reterr);
/* WEIR_AGAIN: it does not answer, or was stopped. WEIR_BAD_CONFIG: it says no. */
int  postgres_link_open(struct postgres_link *link, const char *dsn, int64_t wait_ms, struct weir_error *reterr);
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
