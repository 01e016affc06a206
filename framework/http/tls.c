/* tls.c: TLS of the HTTP ports, and of questions to others' ports.
 *
 * (1) The certificate and its key are read again when one of the files has changed, which is looked for at each new
 *     connection; what cannot be used is said once, and the former pair goes on.
 * (2) Others are believed by a certificate of an authority that we trust, made out to the host that was called.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "framework/http/internal.h"

#include <sys/stat.h>

/* What tells that a file is another one; of none all is 0. */
struct mark {
    struct timespec changed;
    ino_t           inode;
    off_t           size;
};

struct weir__tls {
    const char *certificate, *key; /* NULL: we show none */
    SSL_CTX    *shown, *calling;   /* NULL: not spoken */
    struct mark marks[2];
};

static struct mark mark_of(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return (struct mark){ 0 };
    return (struct mark){ status.st_ctim, status.st_ino, status.st_size };
}

static bool is_same(const struct mark *a, const struct mark *b)
{
    return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
           a->inode == b->inode && a->size == b->size;
}

static const char *reason(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_last_error());

    return words != NULL ? words : "it cannot be read";
}

/* ---- what we show ---- */

/* A key with a password would have us ask at a terminal. */
static int no_password(char *buffer, int size, int writing, void *arg)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);

    if (context == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* requests and answers have their length: an end without a farewell is one */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    return context;
}

static int load_pair(const struct weir__tls *tls, SSL_CTX *context, struct weir_error *reterr)
{
    if (SSL_CTX_use_certificate_chain_file(context, tls->certificate) != 1)
        return weir__fail(reterr, WEIR_BAD_CONFIG, "http.tls.certificate.file",
                          "%.200s holds no certificate that can be used (%s): name a PEM file", tls->certificate,
                          reason());
    if (SSL_CTX_use_PrivateKey_file(context, tls->key, SSL_FILETYPE_PEM) != 1)
        return weir__fail(
            reterr, WEIR_BAD_CONFIG, "http.tls.key.file",
            "%.200s is not the key of the certificate %.100s (%s): name its PEM file, without a password", tls->key,
            tls->certificate, reason());
    return WEIR_OK;
}

static int load_shown(struct weir__tls *tls, struct weir_error *reterr)
{
    SSL_CTX *context = new_context(TLS_server_method());
    int      err = context != NULL ? load_pair(tls, context, reterr)
                                   : weir__fail(reterr, WEIR_NO_MEMORY, "http", "no memory for TLS");

    ERR_clear_error();
    if (err < 0) {
        SSL_CTX_free(context);
        return err;
    }
    SSL_CTX_free(tls->shown);
    tls->shown = context;
    return WEIR_OK;
}

static void load_again(struct weir__tls *tls)
{
    struct mark       now[] = { mark_of(tls->certificate), mark_of(tls->key) };
    struct weir_error error;

    if (is_same(&now[0], &tls->marks[0]) && is_same(&now[1], &tls->marks[1]))
        return;
    memcpy(tls->marks, now, sizeof(now));
    if (load_shown(tls, &error) == WEIR_OK)
        weir__say(WEIR__INFO, "http-certificate-read", "file", "s", tls->certificate, NULL);
    else
        weir__say(WEIR__WARN, "http-certificate-refused", "setting", "s", error.where, "why", "s", error.text,
                  "instead", "s", "the former one", NULL);
}

struct ssl_st *weir__tls_accept(struct weir__tls *tls)
{
    load_again(tls);
    return SSL_new(tls->shown);
}

/* ---- whom we call ---- */

static int load_trust(SSL_CTX *context, const char *ca, struct weir_error *reterr)
{
    if (ca == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1
                   ? WEIR_OK
                   : weir__fail(reterr, WEIR_BAD_CONFIG, "http.tls.ca.file",
                                "the system's certificates cannot be read: install ca-certificates, or name a file");
    if (SSL_CTX_load_verify_locations(context, ca, NULL) == 1)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_CONFIG, "http.tls.ca.file",
                      "%.200s holds no certificate that can be used (%s): name a PEM file of the authority", ca,
                      reason());
}

static int load_calling(struct weir__tls *tls, const char *ca, struct weir_error *reterr)
{
    int err;

    tls->calling = new_context(TLS_client_method());
    if (tls->calling == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "no memory for TLS");
    SSL_CTX_set_verify(tls->calling, SSL_VERIFY_PEER, NULL);
    err = load_trust(tls->calling, ca, reterr);
    ERR_clear_error();
    return err;
}

/* A host given as an address has to stand in the certificate as an address. */
static bool expect(SSL *session, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(session);

    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

struct ssl_st *weir__tls_call(struct weir__tls *tls, const char *at)
{
    char host[256], port[16];
    SSL *session = weir__host_split(at, host, port) ? SSL_new(tls->calling) : NULL;

    if (session == NULL || expect(session, host))
        return session;
    SSL_free(session);
    return NULL;
}

void weir__tls_why(struct ssl_st *session, unsigned long fault, char *ret, size_t size)
{
    long        verdict = SSL_get_verify_result(session);
    const char *words = ERR_reason_error_string(fault);

    if (verdict == X509_V_OK)
        snprintf(ret, size, "TLS: %s: does it speak TLS there?",
                 words != NULL ? words : "the connection ended in the handshake");
    else if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        snprintf(ret, size, "its certificate is made out to others: call it by a name in it, see http.advertised");
    else
        snprintf(ret, size, "its certificate is refused (%s): name its authority in http.tls.ca.file",
                 X509_verify_cert_error_string(verdict));
}

/* ---- opening ---- */

static int check_settings(const struct weir__config *settings, struct weir_error *reterr)
{
    static const char *const names[] = { "http.tls.certificate.file", "http.tls.key.file" };

    for (size_t i = 0; i < 2; i++)
        if (weir__config_text(settings, names[i]) == NULL && weir__config_text(settings, names[!i]) != NULL)
            return weir__fail(reterr, WEIR_BAD_CONFIG, names[i], "it is missing beside %s: name both", names[!i]);
    return WEIR_OK;
}

int weir__tls_open(const struct weir__config *settings, struct weir__tls **ret, struct weir_error *reterr)
{
    struct weir__tls *tls;
    int               err = check_settings(settings, reterr);

    *ret = NULL;
    if (err < 0)
        return err;
    tls = weir__zalloc(sizeof(*tls));
    if (tls == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    tls->certificate = weir__config_text(settings, "http.tls.certificate.file");
    tls->key = weir__config_text(settings, "http.tls.key.file");
    err = load_calling(tls, weir__config_text(settings, "http.tls.ca.file"), reterr);
    if (err == WEIR_OK && tls->certificate != NULL) {
        tls->marks[0] = mark_of(tls->certificate);
        tls->marks[1] = mark_of(tls->key);
        err = load_shown(tls, reterr);
    }
    if (err < 0)
        weir__tls_close(tls);
    else
        *ret = tls;
    return err;
}

bool weir__tls_shows(const struct weir__tls *tls) { return tls->shown != NULL; }

void weir__tls_close(struct weir__tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->shown);
    SSL_CTX_free(tls->calling);
    weir__free(tls);
}
