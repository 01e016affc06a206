/* token.c: the bearer tokens that callers must show.
 *
 * (1) The time of a comparison tells nothing of the token but its length.
 * (2) A file is read again when it has changed, looked at once a second at most; what it says is kept while it cannot be
 *     used. It may hold several tokens, one a line, so that callers and processes change over one after the other.
 * (3) Nobody without the token learns which paths there are: only those of probes are open.
 */
#include "framework/http/internal.h"

#include <strings.h>
#include <sys/stat.h>

enum { SHORTEST = 16 };

#define LOOK_US 1000000

struct weir__token {
    const struct weir__config *settings;
    struct weir__buf           text; /* lines; empty = none is wanted */
    const char                *file; /* NULL = it is no file */
    struct timespec            changed;
    ino_t                      inode;
    int64_t                    looked;
    bool                       metrics_open;
};

/* The next line that is not empty, without blanks around it. */
static bool next_token(const char **at, struct weir_text *ret)
{
    *at += strspn(*at, " \t\r\n");
    *ret = (struct weir_text){ *at, strcspn(*at, "\r\n") };
    *at += ret->size;
    while (ret->size > 0 && (ret->data[ret->size - 1] == ' ' || ret->data[ret->size - 1] == '\t'))
        ret->size--;
    return ret->size > 0;
}

static bool is_sendable(struct weir_text token)
{
    for (size_t i = 0; i < token.size; i++)
        if (token.data[i] <= ' ' || token.data[i] > '~')
            return false;
    return token.size >= SHORTEST;
}

static int check(const char *text, struct weir_error *reterr)
{
    struct weir_text token;
    size_t           count = 0;

    for (const char *at = text; next_token(&at, &token); count++)
        if (!is_sendable(token))
            return weir__fail(
                reterr, WEIR_BAD_CONFIG, "http.token",
                "a token has at least %d characters of ASCII without blanks: make one with \"openssl rand "
                "-hex 32\"",
                SHORTEST);
    return count > 0 ? WEIR_OK : weir__fail(reterr, WEIR_BAD_CONFIG, "http.token", "it is empty");
}

static int read_text(struct weir__token *token, struct weir_error *reterr)
{
    AUTO(weir__secret_fini) struct weir__buf text = { 0 };
    struct weir__buf                         old;
    int                                      err = weir__config_secret(token->settings, "http.token", &text, reterr);

    if (err == WEIR_OK)
        err = check(text.data, reterr);
    if (err < 0)
        return err;
    old = token->text;
    token->text = text;
    text = old;
    return WEIR_OK;
}

/* Whether the file is another one than at the last look. */
static bool has_changed(struct weir__token *token)
{
    struct stat status;
    bool        changed;

    if (stat(token->file, &status) < 0)
        return false;
    changed = status.st_ctim.tv_sec != token->changed.tv_sec || status.st_ctim.tv_nsec != token->changed.tv_nsec ||
              status.st_ino != token->inode;
    token->changed = status.st_ctim;
    token->inode = status.st_ino;
    return changed;
}

static void read_again(struct weir__token *token)
{
    struct weir_error error;
    int64_t           now = weir__monotonic_us();

    if (token->file == NULL || now - token->looked < LOOK_US)
        return;
    token->looked = now;
    if (!has_changed(token))
        return;
    if (read_text(token, &error) == WEIR_OK)
        weir__say(WEIR__INFO, "http-token-read", "file", "s", token->file, NULL);
    else
        weir__say(WEIR__WARN, "http-token-refused", "file", "s", token->file, "why", "s", error.text, "instead", "s",
                  "the former one", NULL);
}

int weir__token_open(const struct weir__config *settings, struct weir__token **ret, struct weir_error *reterr)
{
    struct weir__token *token = weir__zalloc(sizeof(*token));
    int                 err = WEIR_OK;

    *ret = NULL;
    if (token == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    token->settings = settings;
    token->metrics_open = weir__config_bool(settings, "http.metrics.open");
    token->file = weir__config_file(settings, "http.token");
    if (token->file != NULL)
        (void)has_changed(token);
    if (weir__config_text(settings, "http.token") != NULL)
        err = read_text(token, reterr);
    if (err < 0)
        weir__token_close(token);
    else
        *ret = token;
    return err;
}

void weir__token_close(struct weir__token *token)
{
    if (token == NULL)
        return;
    weir__secret_fini(&token->text);
    weir__free(token);
}

/* ---- asking and being asked ---- */

static bool is_equal(struct weir_text a, struct weir_text b)
{
    unsigned char difference = 0;

    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        difference |= (unsigned char)a.data[i] ^ (unsigned char)b.data[i];
    return difference == 0;
}

static bool is_open(const struct weir__token *token, const char *path)
{
    return strcmp(path, "/health") == 0 || strcmp(path, "/health/ready") == 0 || strcmp(path, "/health/live") == 0 ||
           (strcmp(path, "/metrics") == 0 && token->metrics_open);
}

bool weir__token_lets(struct weir__token *token, const char *path, struct weir_text shown)
{
    struct weir_text good;
    bool             lets = false;

    read_again(token);
    if (token->text.size == 0 || is_open(token, path))
        return true;
    if (shown.size < 7 || strncasecmp(shown.data, "Bearer ", 7) != 0)
        return false;
    shown = (struct weir_text){ shown.data + 7, shown.size - 7 };
    for (const char *at = token->text.data; next_token(&at, &good);)
        lets = is_equal(good, shown) || lets;
    return lets;
}

void weir__token_show(struct weir__token *token, struct weir__buf *ret)
{
    struct weir_text first;
    const char      *at;

    read_again(token);
    at = token->text.data;
    if (token->text.size > 0 && next_token(&at, &first))
        weir__buf_printf(ret, "Authorization: Bearer %.*s\r\n", (int)first.size, first.data);
}
