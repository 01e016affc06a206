/* tls.c: TLS for the client's connections: who is trusted, whose name is expected, and why a handshake failed.
 *
 * (1) A connection goes on only with a certificate of an authority that we trust, made out to the host that we called.
 * (2) A server may want one of ours. By TLS 1.3 it says that it will not have it after the handshake: with its first answer.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "topologies/redis/internal.h"

static bool is_set(const char *text) { return text != NULL && text[0] != '\0'; }

static int trust(SSL_CTX *tls, const char *ca_file, struct weir_error *reterr)
{
    if (!is_set(ca_file))
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

static int show_ours(SSL_CTX *tls, const struct redis_trust *trust, struct weir_error *reterr)
{
    if (!is_set(trust->cert_file) && !is_set(trust->key_file))
        return WEIR_OK;
    if (!is_set(trust->cert_file) || !is_set(trust->key_file))
        return weir__fail(reterr, WEIR_BAD_CONFIG, is_set(trust->cert_file) ? "redis.key.file" : "redis.cert.file",
                          "it is not set: a certificate and its key belong together");
    if (SSL_CTX_use_certificate_chain_file(tls, trust->cert_file) != 1)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "redis.cert.file",
                          "%.200s holds no certificate that can be read (%s): name a PEM file", trust->cert_file,
                          ERR_reason_error_string(ERR_peek_last_error()));
    if (SSL_CTX_use_PrivateKey_file(tls, trust->key_file, SSL_FILETYPE_PEM) != 1)
        return weir__fail(
            reterr, WEIR_BAD_CONFIG, "redis.key.file",
            "%.200s holds no key of the certificate in redis.cert.file (%s): name its PEM file, without "
            "a password",
            trust->key_file, ERR_reason_error_string(ERR_peek_last_error()));
    return WEIR_OK;
}

/* A key with a password has none that could be asked for. */
static int no_password(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return 0;
}

int redis_tls_open(const struct redis_trust *trusted, struct ssl_ctx_st **ret, struct weir_error *reterr)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    int      err;

    if (tls == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "redis.url", "TLS: %s", weir_code_text(WEIR_NO_MEMORY));
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_passwd_cb(tls, no_password);
    err = trust(tls, trusted->ca_file, reterr);
    if (err == WEIR_OK)
        err = show_ours(tls, trusted, reterr);
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

bool redis_tls_unwanted(unsigned long fault, char *ret, size_t size)
{
    static const int alerts[] = { SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
                                  SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,       SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
                                  SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,   SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
                                  SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN };

    for (size_t i = 0; i < ARRAY_SIZE(alerts); i++)
        if (fault != 0 && ERR_GET_REASON(fault) == alerts[i]) {
            snprintf(ret, size, "it refuses what we show of ourselves (%s): set redis.cert.file and redis.key.file",
                     ERR_reason_error_string(fault));
            return true;
        }
    return false;
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
