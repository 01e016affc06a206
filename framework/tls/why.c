/* why.c: what OpenSSL says of a handshake, as words that name the remedy. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "framework/tls/tls.h"

unsigned long weir__tls_fault(void) { return ERR_peek_last_error(); }

/* What stands in a certificate, but for its authority: that is named by its setting. NULL: something else. */
static const char *meaning_of(long verdict)
{
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "it has expired: renew it there";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "it is not valid yet: look at both clocks";
    default: return NULL;
    }
}

bool weir__tls_why(const struct ssl_st *session, unsigned long fault, const char *host,
                   const struct weir__tls_files *names, char *ret, size_t size)
{
    const long  verdict = SSL_get_verify_result(session);
    const char *reason = ERR_reason_error_string(fault), *meaning = meaning_of(verdict);

    if (verdict == X509_V_OK)
        snprintf(ret, size, "TLS: %s: does it speak TLS at this port?",
                 reason != NULL ? reason : "the connection ended in the handshake");
    else if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        snprintf(ret, size, "its certificate is refused: it is made out to others than %s: call it by a name in it",
                 host);
    else if (meaning != NULL)
        snprintf(ret, size, "its certificate is refused: %s", meaning);
    else
        snprintf(ret, size, "its certificate is refused: %s: name its authority in %s",
                 X509_verify_cert_error_string(verdict), names->ca);
    return verdict != X509_V_OK && meaning == NULL;
}

bool weir__tls_unwanted(unsigned long fault, const struct weir__tls_files *names, char *ret, size_t size)
{
    static const int alerts[] = { SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
                                  SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,       SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
                                  SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,   SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
                                  SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN };

    for (size_t i = 0; i < ARRAY_SIZE(alerts); i++)
        if (fault != 0 && ERR_GET_REASON(fault) == alerts[i]) {
            snprintf(ret, size, "it refuses what we show of ourselves (%s): set %s and %s",
                     ERR_reason_error_string(fault), names->certificate, names->key);
            return true;
        }
    return false;
}
