/* tls/tls.h: TLS: contexts, whose certificate is believed, sessions, and why a handshake failed, in words. The one door to OpenSSL's.
 *
 * (1) TLS 1.2 and 1.3; of 1.2 those ciphers alone that keep what was said secret when a key is lost later, and notice a change.
 * (2) A session that calls goes on only with a certificate of an authority that we trust, made out to the host that was called.
 * (3) Nobody is asked for the password of a key.
 */
#ifndef WEIR_TLS_TLS_H
#define WEIR_TLS_TLS_H

#include "framework/base/base.h"

struct ssl_ctx_st; /* OpenSSL's: a context, and a session */
struct ssl_st;

/* ca: whom we trust; certificate and key: what we show. NULL or empty: the system's; nothing. */
struct weir__tls_files {
    const char *ca, *certificate, *key;
};
/* names: the settings that these files are given by, for words. WEIR_BAD_CONFIG, WEIR_NO_MEMORY. */
int  weir__tls_client(const struct weir__tls_files *files, const struct weir__tls_files *names,
                      struct ssl_ctx_st **ret, struct weir_error *reterr);
int  weir__tls_server(const struct weir__tls_files *files, const struct weir__tls_files *names,
                      struct ssl_ctx_st **ret, struct weir_error *reterr);
void weir__tls_free(struct ssl_ctx_st *context); /* NULL is fine */
/* WEIR_BAD_CONFIG: a certificate without its key, or the other way round. */
int weir__tls_check_pair(const struct weir__tls_files *files, const struct weir__tls_files *names,
                         struct weir_error *reterr);

/* ---- sessions ---- */

/* For one who calls us; for a host that we call. NULL: out of memory. */
struct ssl_st *weir__tls_accepting(struct ssl_ctx_st *context);
struct ssl_st *weir__tls_calling(struct ssl_ctx_st *context, const char *host);
void           weir__tls_session_free(struct ssl_st *session); /* NULL is fine */
bool           weir__tls_shaken(const struct ssl_st *session); /* the handshake has ended well */
void           weir__tls_farewell(struct ssl_st *session);

/* Over a socket that does not block. How many bytes; 0: when the socket is ready for *ret_wants (of poll) the call is to be made
 * again, or with 0 there: the other side has said all. WEIR_UNREADABLE: the connection is of no more use. */
int     weir__tls_shake(struct ssl_st *session, int fd, short *ret_wants); /* 1: done */
ssize_t weir__tls_read(struct ssl_st *session, void *to, size_t room, short *ret_wants);
ssize_t weir__tls_write(struct ssl_st *session, const void *from, size_t size, short *ret_wants);

/* ---- what went wrong ---- */

unsigned long weir__tls_fault(void); /* of the last call on this thread, by OpenSSL's number; 0 = none */
/* Why a handshake with host failed. true: it will not have us see its certificate as good, for what time alone does not heal. */
bool weir__tls_why(const struct ssl_st *session, unsigned long fault, const char *host,
                   const struct weir__tls_files *names, char *ret, size_t size);
/* Whether the other side will not have our certificate, or wants one; in words. By TLS 1.3 it says so after the handshake, with its
 * first answer. */
bool weir__tls_unwanted(unsigned long fault, const struct weir__tls_files *names, char *ret, size_t size);

#endif
