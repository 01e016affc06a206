/* context.c: contexts, made of files; sessions, and what is asked of them. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "framework/tls/tls.h"

#include <limits.h>
#include <poll.h>

#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

static bool is_set(const char *text) { return text != NULL && text[0] != '\0'; }

static const char *reason(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_last_error());

    return words != NULL ? words : "it cannot be read";
}

/* ---- making ---- */

/* A key with a password would have us ask at a terminal. */
static int no_password(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return -1;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);

    if (context == NULL)
        return NULL;
    CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
          SSL_CTX_set_cipher_list(context, CIPHERS) == 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* what is said in it tells its length: an end without a farewell is one */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    return context;
}

static int trust(SSL_CTX *context, const char *ca, const char *name, struct weir_error *reterr)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (!is_set(ca))
        return SSL_CTX_set_default_verify_paths(context) == 1
                   ? WEIR_OK
                   : weir__fail(reterr, WEIR_BAD_CONFIG, name,
                                "the system's certificates cannot be read: install ca-certificates, or name a file");
    if (SSL_CTX_load_verify_locations(context, ca, NULL) == 1)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_CONFIG, name,
                      "%.200s holds no certificate that can be read (%s): name a PEM file of the authority", ca,
                      reason());
}

int weir__tls_check_pair(const struct weir__tls_files *files, const struct weir__tls_files *names,
                         struct weir_error *reterr)
{
    if (is_set(files->certificate) == is_set(files->key))
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_CONFIG, is_set(files->certificate) ? names->key : names->certificate,
                      "it is not set: a certificate and its key belong together");
}

static int show(SSL_CTX *context, const struct weir__tls_files *files, const struct weir__tls_files *names,
                struct weir_error *reterr)
{
    if (weir__tls_check_pair(files, names, reterr) < 0)
        return WEIR_BAD_CONFIG;
    if (!is_set(files->certificate))
        return WEIR_OK;
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
        return weir__fail(reterr, WEIR_BAD_CONFIG, names->certificate,
                          "%.200s holds no certificate that can be read (%s): name a PEM file", files->certificate,
                          reason());
    if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1)
        return weir__fail(reterr, WEIR_BAD_CONFIG, names->key,
                          "%.200s holds no key of the certificate in %s (%s): name its PEM file, without a password",
                          files->key, names->certificate, reason());
    return WEIR_OK;
}

static int make(const SSL_METHOD *method, bool trusts, const struct weir__tls_files *files,
                const struct weir__tls_files *names, struct ssl_ctx_st **ret, struct weir_error *reterr)
{
    SSL_CTX *context = new_context(method);
    int      err = WEIR_OK;

    if (context == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "TLS", "out of memory");
    if (trusts)
        err = trust(context, files->ca, names->ca, reterr);
    if (err == WEIR_OK)
        err = show(context, files, names, reterr);
    ERR_clear_error();
    if (err < 0)
        SSL_CTX_free(context);
    else
        *ret = context;
    return err;
}

int weir__tls_client(const struct weir__tls_files *files, const struct weir__tls_files *names,
                     struct ssl_ctx_st **ret, struct weir_error *reterr)
{
    return make(TLS_client_method(), true, files, names, ret, reterr);
}

int weir__tls_server(const struct weir__tls_files *files, const struct weir__tls_files *names,
                     struct ssl_ctx_st **ret, struct weir_error *reterr)
{
    return make(TLS_server_method(), false, files, names, ret, reterr);
}

void weir__tls_free(struct ssl_ctx_st *context) { SSL_CTX_free(context); }

/* ---- sessions ---- */

struct ssl_st *weir__tls_accepting(struct ssl_ctx_st *context) { return SSL_new(context); }

/* A host given as an address has to stand in the certificate as an address. */
static bool expect(SSL *session, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(session);

    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

struct ssl_st *weir__tls_calling(struct ssl_ctx_st *context, const char *host)
{
    SSL *session = SSL_new(context);

    if (session == NULL || expect(session, host))
        return session;
    SSL_free(session);
    return NULL;
}

void weir__tls_session_free(struct ssl_st *session) { SSL_free(session); }

bool weir__tls_shaken(const struct ssl_st *session) { return SSL_is_init_finished(session); }

void weir__tls_farewell(struct ssl_st *session) { (void)SSL_shutdown(session); }

/* ---- bytes ---- */

static int outcome(const SSL *session, int result, short *ret_wants)
{
    *ret_wants = 0;
    if (result > 0)
        return result;
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ: *ret_wants = POLLIN; return 0;
    case SSL_ERROR_WANT_WRITE: *ret_wants = POLLOUT; return 0;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: return WEIR_UNREADABLE;
    }
}

int weir__tls_shake(struct ssl_st *session, int fd, short *ret_wants)
{
    *ret_wants = 0;
    if (SSL_get_fd(session) < 0 && SSL_set_fd(session, fd) != 1)
        return WEIR_NO_MEMORY;
    ERR_clear_error();
    return outcome(session, SSL_connect(session), ret_wants);
}

ssize_t weir__tls_read(struct ssl_st *session, void *to, size_t room, short *ret_wants)
{
    ERR_clear_error();
    return outcome(session, SSL_read(session, to, (int)MIN(room, (size_t)INT_MAX)), ret_wants);
}

ssize_t weir__tls_write(struct ssl_st *session, const void *from, size_t size, short *ret_wants)
{
    ERR_clear_error();
    return outcome(session, SSL_write(session, from, (int)MIN(size, (size_t)INT_MAX)), ret_wants);
}
