/* client.h: ClickHouse's HTTP interface, through libcurl. Inside this folder and for commands.
 *
 * (1) A client belongs to one thread. User and password travel in headers, and are in no message.
 * (2) What an answer means goes by the engine's own code where it gives one, by the HTTP status else.
 */
#ifndef MARKET_CLICKHOUSE_CLIENT_H
#define MARKET_CLICKHOUSE_CLIENT_H

#include <curl/curl.h>

#include "framework/base/base.h"
#include "framework/outlet.h"

struct clickhouse_client {
    const char        *url, *database; /* the settings' */
    char              *base;           /* "http://host:8123/?database=..." */
    struct curl_slist *headers;
    const char        *ca_file;              /* NULL = the system's */
    const char        *cert_file, *key_file; /* what we show of ourselves; NULL = nothing */
    int64_t            timeout_ms;
};
/* WEIR_NOTHING: no clickhouse.url. WEIR_BAD_CONFIG, WEIR_NO_MEMORY. ret is to be closed after WEIR_OK. */
int  clickhouse_client_open(const struct weir_settings *settings, struct clickhouse_client *ret,
                            struct weir_error *reterr);
void clickhouse_client_close(struct clickhouse_client *client);

/* ---- one request ---- */

struct clickhouse_request {
    const struct clickhouse_client *client;
    CURL                           *easy;
    struct weir__buf answer;    /* whole; where lines are taken, what is not yet a line, or the words of a refusal */
    bool             known;     /* what answers is ClickHouse */
    long             exception; /* the engine's code, 0 = none */
    char             words[CURL_ERROR_SIZE];                                  /* libcurl's */
    int (*take)(void *arg, struct weir_text line, struct weir_error *reterr); /* NULL = the answer is kept */
    void              *arg;
    int                taken; /* what take said */
    struct weir_error *taken_words;
};
/* parameters: "&name=value", escaped. body is borrowed until the end. WEIR_NO_MEMORY. */
int  clickhouse_request_open(struct clickhouse_request *request, const struct clickhouse_client *client,
                             const char *parameters, struct weir_text body);
void clickhouse_request_close(struct clickhouse_request *request); /* an unopened one too, all zero */
/* "&name=value" at the end of ret, the value escaped. */
void clickhouse_parameter(const char *name, const char *value, struct weir__buf *ret);

/* ---- what became of it (meaning.c) ---- */

enum clickhouse_meaning {
    CLICKHOUSE_DONE,
    CLICKHOUSE_LATER,   /* no answer, or one that time heals: what it did is not known */
    CLICKHOUSE_MISSING, /* a table, column or database is not there: to be migrated */
    CLICKHOUSE_ROW,     /* a row is not to be had so */
    CLICKHOUSE_LARGE,   /* the body is larger than somebody on the way allows */
    CLICKHOUSE_REFUSED, /* user, password, rights; or what answers is no ClickHouse */
};
/* words: what the engine says, its first line, or what libcurl says. */
enum clickhouse_meaning clickhouse_meaning(CURLcode result, const struct clickhouse_request *request,
                                           struct weir_error *ret_words);

/* ---- ask.c: questions of commands ---- */

/* Sends sql and waits; take gets each line of the answer (may be NULL). database false: of none, before it is made.
 * WEIR_NOTFOUND: nobody answers, or a table is not there; WEIR_BAD_CONFIG, WEIR_REJECTED (a refusal of another kind), WEIR_AGAIN; codes of take. */
int clickhouse_ask(const struct clickhouse_client *client, const char *sql, bool database,
                   int (*take)(void *arg, struct weir_text line, struct weir_error *reterr), void *arg,
                   struct weir_error *reterr);
/* The line's fields, parted by tabs, escapes taken back in place. How many there are; at most most are given. */
size_t clickhouse_fields(char *line, size_t size, struct weir_text *ret, size_t most);
/* A text as a literal of SQL, with its quotes, at the end of ret. */
void clickhouse_quote(struct weir_text text, struct weir__buf *ret);

#endif
