/* tls.c: TLS of the HTTP ports, and of questions to others' ports.
 *
 * (1) The certificate and its key are read again when one of the files has changed, which is looked for at each new
 *     connection; what cannot be used is said once, and the former pair goes on.
 */
#include "framework/tls/tls.h"
#include "framework/http/internal.h"

#include <sys/stat.h>

/* What tells that a file is another one; of none all is 0. */
struct mark {
    struct timespec changed;
    ino_t           inode;
    off_t           size;
};

struct weir__http_tls {
    struct weir__tls_files files;
    struct ssl_ctx_st     *shown, *calling; /* NULL: not spoken */
    struct mark            marks[2];
};

static const struct weir__tls_files names = { "http.tls.ca.file", "http.tls.certificate.file", "http.tls.key.file" };

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

static int load_shown(struct weir__http_tls *tls, struct weir_error *reterr)
{
    struct ssl_ctx_st *context;
    int                err = weir__tls_server(&tls->files, &names, &context, reterr);

    if (err < 0)
        return err;
    weir__tls_free(tls->shown);
    tls->shown = context;
    return WEIR_OK;
}

static void load_again(struct weir__http_tls *tls)
{
    struct mark       now[] = { mark_of(tls->files.certificate), mark_of(tls->files.key) };
    struct weir_error error;

    if (is_same(&now[0], &tls->marks[0]) && is_same(&now[1], &tls->marks[1]))
        return;
    memcpy(tls->marks, now, sizeof(now));
    if (load_shown(tls, &error) == WEIR_OK)
        weir__say(WEIR__INFO, "http-certificate-read", "file", "s", tls->files.certificate, NULL);
    else
        weir__say(WEIR__WARN, "http-certificate-refused", "setting", "s", error.where, "why", "s", error.text,
                  "instead", "s", "the former one", NULL);
}

struct ssl_st *weir__http_tls_accept(struct weir__http_tls *tls)
{
    load_again(tls);
    return weir__tls_accepting(tls->shown);
}

struct ssl_st *weir__http_tls_call(struct weir__http_tls *tls, const char *at)
{
    char host[256], port[16];

    return weir__host_split(at, host, port) ? weir__tls_calling(tls->calling, host) : NULL;
}

void weir__http_tls_why(const struct ssl_st *session, unsigned long fault, const char *at, char *ret, size_t size)
{
    char host[256] = "", port[16];

    (void)weir__host_split(at, host, port);
    (void)weir__tls_why(session, fault, host, &names, ret, size);
}

/* ---- opening ---- */

static int load_calling(struct weir__http_tls *tls, struct weir_error *reterr)
{
    const struct weir__tls_files trusted = { .ca = tls->files.ca };

    return weir__tls_client(&trusted, &names, &tls->calling, reterr);
}

static int load_both(struct weir__http_tls *tls, struct weir_error *reterr)
{
    int err = weir__tls_check_pair(&tls->files, &names, reterr);

    if (err == WEIR_OK)
        err = load_calling(tls, reterr);
    if (err < 0 || tls->files.certificate == NULL)
        return err;
    tls->marks[0] = mark_of(tls->files.certificate);
    tls->marks[1] = mark_of(tls->files.key);
    return load_shown(tls, reterr);
}

int weir__http_tls_open(const struct weir__config *settings, struct weir__http_tls **ret, struct weir_error *reterr)
{
    struct weir__http_tls *tls = weir__zalloc(sizeof(*tls));
    int                    err;

    *ret = NULL;
    if (tls == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    tls->files = (struct weir__tls_files){ .ca = weir__config_text(settings, names.ca),
                                           .certificate = weir__config_text(settings, names.certificate),
                                           .key = weir__config_text(settings, names.key) };
    err = load_both(tls, reterr);
    if (err < 0)
        weir__http_tls_close(tls);
    else
        *ret = tls;
    return err;
}

bool weir__http_tls_shows(const struct weir__http_tls *tls) { return tls->shown != NULL; }

void weir__http_tls_close(struct weir__http_tls *tls)
{
    if (tls == NULL)
        return;
    weir__tls_free(tls->shown);
    weir__tls_free(tls->calling);
    weir__free(tls);
}
