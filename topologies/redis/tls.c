/* tls.c: TLS for the client's connections: who is trusted, whose name is expected, and why a handshake failed.
 *
 * (1) A connection goes on only with a certificate of an authority that we trust, made out to the host that we called.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "topologies/redis/internal.h"

static int trust(SSL_CTX *tls, const char *ca_file, struct weir_error *reterr)
{
    if (ca_file == NULL || ca_file[0] == '\0')
        return SSL_CTX_set_default_verify_paths(tls) == 1
                   ? WEIR_OK
                   : weir__fail(reterr, WEIR_BAD_CONFIG, "redis.ca.file",
                                "the system's certificates cannot be read: install ca-certificates, or name a file");
    if (SSL_CTX_load_verify_locations(tls, ca_file, NULL) == 1)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_CONFIG, "redis.ca.file",
                      "%.200s holds no certificate that can be read (%s): name a PEM file of the authority", ca_file,
                      ERR_reason_error_string(ERR_peek_last_error()));
}

int redis_tls_open(const char *ca_file, struct ssl_ctx_st **ret, struct weir_error *reterr)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    int      err;

    if (tls == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "redis.url", "TLS: %s", weir_code_text(WEIR_NO_MEMORY));
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    err = trust(tls, ca_file, reterr);
    ERR_clear_error();
    if (err < 0) {
        SSL_CTX_free(tls);
        return err;
    }
    *ret = tls;
    return WEIR_OK;
}

void redis_tls_close(struct ssl_ctx_st *tls) { SSL_CTX_free(tls); }

/* A host given as an address has to stand in the certificate as an address. */
static bool expect(SSL *session, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(session);

    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

struct ssl_st *redis_tls_session(struct ssl_ctx_st *tls, const char *host)
{
    SSL *session = SSL_new(tls);

    if (session != NULL && !expect(session, host)) {
        SSL_free(session);
        return NULL;
    }
    return session;
}

bool redis_tls_why(struct ssl_st *session, unsigned long fault, const char *host, char *ret, size_t size)
{
    long        verdict = SSL_get_verify_result(session);
    const char *reason = ERR_reason_error_string(fault);

    if (verdict == X509_V_OK) {
        snprintf(ret, size, "TLS: %s: does the server speak TLS at this port?",
                 reason != NULL ? reason : "the connection ended in the handshake");
        return false;
    }
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        snprintf(ret, size,
                 "its certificate is refused: it is made out to others than %s: call the server by a name in it",
                 host);
    else
        snprintf(ret, size, "its certificate is refused: %s: name its authority in redis.ca.file",
                 X509_verify_cert_error_string(verdict));
    return verdict != X509_V_ERR_CERT_HAS_EXPIRED && verdict != X509_V_ERR_CERT_NOT_YET_VALID;
}
