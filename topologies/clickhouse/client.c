/* client.c: where ClickHouse is, by the settings, and one request to it. */
#include "topologies/clickhouse/client.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void begin_curl(void) { CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); }

/* ---- the settings ---- */

/* What a URL must not have, or must; NULL = it is good. */
static const char *fault_of(CURLU *parts, const char *url)
{
    char       *scheme = NULL, *other = NULL;
    const char *fault = NULL;

    if (curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return "it is no URL: write http://HOST:8123 or https://HOST:8443";
    if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        fault = "it is not of http or https: ClickHouse is spoken to by HTTP, port 8123 or 8443";
    else if (curl_url_get(parts, CURLUPART_USER, &other, 0) == CURLUE_OK)
        fault = "it names a user: take that out, and set clickhouse.user and clickhouse.password";
    else if (curl_url_get(parts, CURLUPART_QUERY, &other, 0) == CURLUE_OK)
        fault = "it ends with parameters: take them out";
    curl_free(scheme);
    curl_free(other);
    return fault;
}

static int check_url(const char *url, struct weir_error *reterr)
{
    CURLU      *parts = curl_url();
    const char *fault;

    if (parts == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "clickhouse.url", "out of memory");
    fault = fault_of(parts, url);
    curl_url_cleanup(parts);
    return fault != NULL ? weir__fail(reterr, WEIR_BAD_CONFIG, "clickhouse.url", "%s", fault) : WEIR_OK;
}

static bool has_controls(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return true;
    return false;
}

/* The name goes into statements, user and password into headers. */
static int check_words(const char *database, const char *user, const char *password, struct weir_error *reterr)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

    if (*database == '\0' || database[strspn(database, legal)] != '\0')
        return weir__fail(reterr, WEIR_BAD_CONFIG, "clickhouse.database",
                          "\"%.60s\" is no name of a database: letters, digits and underscores", database);
    if (has_controls(user))
        return weir__fail(reterr, WEIR_BAD_CONFIG, "clickhouse.user", "it has a control character");
    if (has_controls(password))
        return weir__fail(reterr, WEIR_BAD_CONFIG, "clickhouse.password", "it has a control character");
    return WEIR_OK;
}

static bool add_header(struct clickhouse_client *client, const char *name, const char *value)
{
    struct weir__buf   line = { 0 };
    struct curl_slist *longer = NULL;

    weir__buf_printf(&line, "%s%s%s", name, *value != '\0' ? " " : "", value);
    weir__buf_putc(&line, '\0');
    if (weir__buf_ok(&line))
        longer = curl_slist_append(client->headers, line.data);
    weir__buf_fini(&line);
    client->headers = longer != NULL ? longer : client->headers;
    return longer != NULL;
}

static bool add_headers(struct clickhouse_client *client, const char *user, const char *password)
{
    return add_header(client, "Expect:", "") /* 417 and a second of silence are not worth it */
           && add_header(client, "Content-Type:", "application/octet-stream") &&
           (user == NULL || add_header(client, "X-ClickHouse-User:", user)) &&
           (password == NULL || add_header(client, "X-ClickHouse-Key:", password));
}

static char *base_of(const char *url)
{
    size_t           size = strlen(url);
    struct weir__buf base = { 0 };

    while (size > 0 && url[size - 1] == '/')
        size--;
    weir__buf_add(&base, url, size);
    weir__buf_add(&base, "/?", 3);
    if (weir__buf_ok(&base))
        return base.data;
    weir__buf_fini(&base);
    return NULL;
}

int clickhouse_client_open(const struct weir_settings *settings, struct clickhouse_client *ret,
                           struct weir_error *reterr)
{
    struct clickhouse_client client = { .url = weir_settings_text(settings, "clickhouse.url"),
                                        .database = weir_settings_text(settings, "clickhouse.database"),
                                        .ca_file = weir_settings_text(settings, "clickhouse.ca.file"),
                                        .cert_file = weir_settings_text(settings, "clickhouse.cert.file"),
                                        .key_file = weir_settings_text(settings, "clickhouse.key.file"),
                                        .timeout_ms = weir_settings_number(settings, "clickhouse.timeout.ms") };
    const char              *user = weir_settings_text(settings, "clickhouse.user");
    const char              *password = weir_settings_text(settings, "clickhouse.password");
    int                      err;

    if (client.url == NULL)
        return WEIR_NOTHING;
    pthread_once(&once, begin_curl);
    err = check_url(client.url, reterr);
    if (err == WEIR_OK)
        err = check_words(client.database, user, password, reterr);
    if (err == WEIR_OK && (client.cert_file == NULL) != (client.key_file == NULL))
        err = weir__fail(reterr, WEIR_BAD_CONFIG,
                         client.key_file == NULL ? "clickhouse.key.file" : "clickhouse.cert.file",
                         "it is not set: a certificate and its key belong together");
    if (err < 0)
        return err;
    client.base = base_of(client.url);
    if (client.base == NULL || !add_headers(&client, user, password)) {
        clickhouse_client_close(&client);
        return weir__fail(reterr, WEIR_NO_MEMORY, "clickhouse.url", "out of memory");
    }
    *ret = client;
    return WEIR_OK;
}

void clickhouse_client_close(struct clickhouse_client *client)
{
    curl_slist_free_all(client->headers);
    weir__free(client->base);
    *client = (struct clickhouse_client){ 0 };
}

/* ---- one request ---- */

void clickhouse_parameter(const char *name, const char *value, struct weir__buf *ret)
{
    weir__buf_printf(ret, "&%s=", name);
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;

        if ((c | 32) >= 'a' && (c | 32) <= 'z')
            weir__buf_putc(ret, (char)c);
        else if ((c >= '0' && c <= '9') || c == '_')
            weir__buf_putc(ret, (char)c);
        else
            weir__buf_printf(ret, "%%%02X", c);
    }
}

/* Whole lines go to take, what is left stays. */
static void take_lines(struct clickhouse_request *request)
{
    struct weir__buf *answer = &request->answer;
    size_t            from = 0;
    char             *end;

    while (request->taken >= 0 && (end = memchr(answer->data + from, '\n', answer->size - from)) != NULL) {
        struct weir_text line = { answer->data + from, (size_t)(end - answer->data) - from };

        request->taken = request->take(request->arg, line, request->taken_words);
        from += line.size + 1;
    }
    memmove(answer->data, answer->data + from, answer->size - from);
    answer->size -= from;
}

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
    struct clickhouse_request *request = arg;
    long                       status = 0;

    weir__buf_add(&request->answer, data, one * size);
    if (!weir__buf_ok(&request->answer))
        return 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if (request->take != NULL && status == 200 && request->exception == 0)
        take_lines(request);
    return request->taken < 0 ? 0 : size;
}

/* The rest of a header line that begins so; data NULL = it does not. */
static struct weir_text header_value(const char *data, size_t size, const char *name)
{
    const size_t length = strlen(name);

    if (size < length || strncasecmp(data, name, length) != 0)
        return (struct weir_text){ 0 };
    return (struct weir_text){ data + length, size - length };
}

static size_t on_header(char *data, size_t one, size_t size, void *arg)
{
    struct clickhouse_request *request = arg;
    struct weir_text           value = header_value(data, one * size, "X-ClickHouse-Exception-Code:");

    request->known = request->known || header_value(data, one * size, "X-ClickHouse-").data != NULL;
    if (value.data != NULL) {
        char number[16];

        snprintf(number, sizeof(number), "%.*s", (int)MIN(value.size, sizeof(number) - 1), value.data);
        request->exception = strtol(number, NULL, 10);
    }
    return size;
}

static void set(struct clickhouse_request *request, const char *url, struct weir_text body)
{
    const struct clickhouse_client *client = request->client;
    CURL                           *easy = request->easy;

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)client->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)client->timeout_ms);
    if (client->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
    if (client->cert_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, client->cert_file);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, client->key_file);
        curl_easy_setopt(easy, CURLOPT_KEYPASSWD, ""); /* nobody is asked for one */
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->words);
}

int clickhouse_request_open(struct clickhouse_request *request, const struct clickhouse_client *client,
                            const char *parameters, struct weir_text body)
{
    struct weir__buf url = { 0 };
    bool             good;

    request->client = client;
    request->easy = curl_easy_init();
    weir__buf_puts(&url, client->base);
    weir__buf_puts(&url, "wait_end_of_query=1"); /* a failure shows in the status, not behind a part of the answer */
    weir__buf_puts(&url, parameters);
    weir__buf_putc(&url, '\0');
    good = request->easy != NULL && weir__buf_ok(&url);
    if (good)
        set(request, url.data, body);
    weir__buf_fini(&url);
    return good ? WEIR_OK : WEIR_NO_MEMORY;
}

void clickhouse_request_close(struct clickhouse_request *request)
{
    if (request->easy != NULL)
        curl_easy_cleanup(request->easy);
    request->easy = NULL;
    weir__buf_fini(&request->answer);
    request->exception = 0;
    request->known = false;
}
