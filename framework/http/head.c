/* head.c: reads the first line and the headers of a request (RFC 9112), strictly: what could be read in two ways is
 * refused, so that nobody before us can have read it otherwise. */
#include "framework/http/internal.h"

#include <ctype.h>
#include <strings.h>

enum { MOST_HEADERS = 100 };

struct head {
    const char        *at, *end;
    struct weir__head *ret;
    const char        *words;
    bool               old; /* HTTP/1.0 */
    bool               closes, stays, has_host, has_length;
};

static int refuse(struct head *head, int status, const char *words)
{
    head->words = words;
    return status;
}

static bool is_token(struct weir_text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!isalnum((unsigned char)text.data[i]) &&
            (text.data[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", text.data[i])))
            return false;
    return text.size > 0;
}

static bool is_plain(struct weir_text text, bool blanks)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == 0x7f || (c < 0x20 && !(blanks && c == '\t')) || (c == ' ' && !blanks))
            return false;
    }
    return true;
}

static bool is_word(struct weir_text text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

static struct weir_text trim(struct weir_text text)
{
    while (text.size > 0 && (*text.data == ' ' || *text.data == '\t'))
        text = (struct weir_text){ text.data + 1, text.size - 1 };
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* The next line, without its end. A line ends with CR LF. */
static bool take_line(struct head *head, struct weir_text *ret)
{
    const char *feed = memchr(head->at, '\n', (size_t)(head->end - head->at));

    if (feed == NULL || feed == head->at || feed[-1] != '\r')
        return false;
    *ret = (struct weir_text){ head->at, (size_t)(feed - 1 - head->at) };
    head->at = feed + 1;
    return true;
}

/* What is before the first `c`; *rest is what comes after it. */
static bool cut(struct weir_text text, char c, struct weir_text *ret, struct weir_text *ret_rest)
{
    const char *at = text.size > 0 ? memchr(text.data, c, text.size) : NULL;

    if (at == NULL)
        return false;
    *ret = (struct weir_text){ text.data, (size_t)(at - text.data) };
    *ret_rest = (struct weir_text){ at + 1, text.size - ret->size - 1 };
    return true;
}

static int take_version(struct head *head, struct weir_text version)
{
    if (version.size != strlen("HTTP/1.1") || strncmp(version.data, "HTTP/", 5) != 0 ||
        !isdigit((unsigned char)version.data[5]) || version.data[6] != '.' ||
        !isdigit((unsigned char)version.data[7]))
        return refuse(head, 400, "the first line does not end with a version of HTTP");
    if (version.data[5] != '1')
        return refuse(head, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    head->old = version.data[7] == '0';
    return WEIR_OK;
}

static int take_first(struct head *head)
{
    struct weir_text line, rest, version;

    if (!take_line(head, &line))
        return refuse(head, 400, "lines end with CR LF");
    if (!cut(line, ' ', &head->ret->method, &rest) || !is_token(head->ret->method) ||
        !cut(rest, ' ', &head->ret->target, &version) || head->ret->target.size == 0 ||
        !is_plain(head->ret->target, false))
        return refuse(head, 400, "the first line is not: method, target, version");
    return take_version(head, version);
}

int64_t weir__length_of(struct weir_text text)
{
    int64_t number = text.size > 0 ? 0 : -1;

    for (size_t i = 0; i < text.size && number >= 0; i++)
        number = isdigit((unsigned char)text.data[i]) && number <= INT64_MAX / 10 - 1
                     ? number * 10 + (text.data[i] - '0')
                     : -1;
    return number;
}

static int take_length(struct head *head, struct weir_text value)
{
    const int64_t number = weir__length_of(value);

    if (number < 0 || (head->has_length && head->ret->body != number))
        return refuse(head, 400, "Content-Length is no number that can be used");
    head->has_length = true;
    head->ret->body = number;
    return WEIR_OK;
}

static void take_connection(struct head *head, struct weir_text value)
{
    struct weir_text word, rest;

    while (cut(value, ',', &word, &rest) || value.size > 0) {
        bool last = memchr(value.data, ',', value.size) == NULL;

        word = trim(last ? value : word);
        head->closes = head->closes || is_word(word, "close");
        head->stays = head->stays || is_word(word, "keep-alive");
        value = last ? (struct weir_text){ value.data, 0 } : rest;
    }
}

static int take_header(struct head *head, struct weir_text line)
{
    struct weir_text name, value;

    if (!cut(line, ':', &name, &value) || !is_token(name))
        return refuse(head, 400, "a header line is not: name, colon, value");
    value = trim(value);
    if (!is_plain(value, true))
        return refuse(head, 400, "a header's value has control characters");
    if (is_word(name, "transfer-encoding"))
        return refuse(head, 501, "bodies are taken with Content-Length only");
    if (is_word(name, "content-length"))
        return take_length(head, value);
    if (is_word(name, WEIR__ROUTED_HEADER))
        head->ret->routed = true;
    if (is_word(name, "authorization")) {
        if (head->ret->authorization.size > 0)
            return refuse(head, 400, "there are two Authorization headers");
        head->ret->authorization = value;
    }
    if (is_word(name, "x-request-id"))
        head->ret->id = value;
    if (is_word(name, "accept"))
        head->ret->accept = value;
    if (is_word(name, "host")) {
        if (head->has_host)
            return refuse(head, 400, "there are two Host headers");
        head->has_host = true;
    } else if (is_word(name, "connection")) {
        take_connection(head, value);
    }
    return WEIR_OK;
}

static int take_headers(struct head *head)
{
    struct weir_text line;

    for (int count = 0;; count++) {
        int status;

        if (!take_line(head, &line))
            return refuse(head, 400, "lines end with CR LF");
        if (line.size == 0)
            return WEIR_OK;
        if (count == MOST_HEADERS)
            return refuse(head, 431, "there are more than 100 headers");
        status = take_header(head, line);
        if (status != WEIR_OK)
            return status;
    }
}

int weir__head_parse(struct weir_text text, struct weir__head *ret, const char **ret_words)
{
    struct head head = { .at = text.data, .end = text.data + text.size, .ret = ret };
    int         status;

    *ret = (struct weir__head){ 0 };
    status = take_first(&head);
    if (status == WEIR_OK)
        status = take_headers(&head);
    if (status == WEIR_OK && !head.old && !head.has_host)
        status = refuse(&head, 400, "a request of HTTP/1.1 needs a Host header");
    ret->keeps = !head.closes && (!head.old || head.stays);
    *ret_words = head.words;
    return status;
}
