/* meaning.c: what an answer means: by the engine's code, else by the HTTP status, else by libcurl.
 *
 * (1) What nobody knows is tried again: nothing is lost while people look.
 * (2) Who says 200 and is no ClickHouse has taken nothing.
 */
#define _GNU_SOURCE /* memmem */
#include "topologies/clickhouse/client.h"

/* Codes of the engine's table of errors. */
static const struct known {
    short code, meaning;
} known[] = {
    { 16, CLICKHOUSE_MISSING },  /* NO_SUCH_COLUMN_IN_TABLE */
    { 47, CLICKHOUSE_MISSING },  /* UNKNOWN_IDENTIFIER */
    { 60, CLICKHOUSE_MISSING },  /* UNKNOWN_TABLE */
    { 81, CLICKHOUSE_MISSING },  /* UNKNOWN_DATABASE */
    { 6, CLICKHOUSE_ROW },       /* CANNOT_PARSE_TEXT */
    { 26, CLICKHOUSE_ROW },      /* CANNOT_PARSE_QUOTED_STRING */
    { 27, CLICKHOUSE_ROW },      /* CANNOT_PARSE_INPUT_ASSERTION_FAILED */
    { 38, CLICKHOUSE_ROW },      /* CANNOT_PARSE_DATE */
    { 41, CLICKHOUSE_ROW },      /* CANNOT_PARSE_DATETIME */
    { 53, CLICKHOUSE_ROW },      /* TYPE_MISMATCH */
    { 69, CLICKHOUSE_ROW },      /* ARGUMENT_OUT_OF_BOUND */
    { 70, CLICKHOUSE_ROW },      /* CANNOT_CONVERT_TYPE */
    { 72, CLICKHOUSE_ROW },      /* CANNOT_PARSE_NUMBER */
    { 117, CLICKHOUSE_ROW },     /* INCORRECT_DATA */
    { 130, CLICKHOUSE_ROW },     /* CANNOT_READ_ARRAY_FROM_TEXT */
    { 131, CLICKHOUSE_ROW },     /* TOO_LARGE_STRING_SIZE */
    { 321, CLICKHOUSE_ROW },     /* VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE */
    { 349, CLICKHOUSE_ROW },     /* CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN */
    { 407, CLICKHOUSE_ROW },     /* DECIMAL_OVERFLOW */
    { 469, CLICKHOUSE_ROW },     /* VIOLATED_CONSTRAINT */
    { 691, CLICKHOUSE_ROW },     /* UNKNOWN_ELEMENT_OF_ENUM */
    { 62, CLICKHOUSE_REFUSED },  /* SYNTAX_ERROR: an engine that is too old for what is asked */
    { 73, CLICKHOUSE_REFUSED },  /* UNKNOWN_FORMAT */
    { 115, CLICKHOUSE_REFUSED }, /* UNKNOWN_SETTING */
    { 164, CLICKHOUSE_REFUSED }, /* READONLY */
    { 192, CLICKHOUSE_REFUSED }, /* UNKNOWN_USER */
    { 193, CLICKHOUSE_REFUSED }, /* WRONG_PASSWORD */
    { 194, CLICKHOUSE_REFUSED }, /* REQUIRED_PASSWORD */
    { 497, CLICKHOUSE_REFUSED }, /* ACCESS_DENIED */
    { 516, CLICKHOUSE_REFUSED }, /* AUTHENTICATION_FAILED */
};

/* A column that a row has and the table has not: the engine says so as of wrong data. */
static bool is_unknown_field(const struct clickhouse_request *request)
{
    return request->exception == 117 &&
           memmem(request->answer.data, request->answer.size, "Unknown field", 13) != NULL;
}

static enum clickhouse_meaning by_exception(const struct clickhouse_request *request)
{
    if (is_unknown_field(request))
        return CLICKHOUSE_MISSING;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (known[i].code == request->exception)
            return (enum clickhouse_meaning)known[i].meaning;
    return CLICKHOUSE_LATER; /* too many parts, too little memory, too many queries, read only, a time-out... */
}

/* Of who stands between, or is no ClickHouse. */
static enum clickhouse_meaning by_status(long status)
{
    switch (status) {
    case 401:
    case 403:
    case 407: return CLICKHOUSE_REFUSED;
    case 413: return CLICKHOUSE_LARGE;
    default: return CLICKHOUSE_LATER;
    }
}

/* The first line of what the engine says, without each "Code: N. DB::Exception: " before it. */
static struct weir_text words_of(const struct weir__buf *answer)
{
    static const char mark[] = "DB::Exception: ";
    struct weir_text  line = { answer->data, answer->size };
    const char       *found = line.size > 0 ? memchr(line.data, '\n', line.size) : NULL;

    if (found != NULL)
        line.size = (size_t)(found - line.data);
    while (line.size > 0 && (found = memmem(line.data, line.size, mark, sizeof(mark) - 1)) != NULL) {
        line.size -= (size_t)(found - line.data) + sizeof(mark) - 1;
        line.data = found + sizeof(mark) - 1;
    }
    return line;
}

static void say_answer(const struct clickhouse_request *request, long status, struct weir_error *ret)
{
    const struct weir_text line = words_of(&request->answer);
    const int              size = (int)MIN(line.size, 240);

    if (request->exception != 0)
        weir__fail(ret, WEIR_OK, request->client->url, "%.*s (code %ld)", size, line.data, request->exception);
    else
        weir__fail(ret, WEIR_OK, request->client->url, "HTTP status %ld%s%.*s", status, size > 0 ? ": " : "", size,
                   size > 0 ? line.data : "");
}

/* It ended before it answered. By TLS 1.3 so does a server that will not have our certificate; its words for that may get lost. */
static bool is_cut(CURLcode result, const struct clickhouse_request *request)
{
    return strncmp(request->client->url, "https", 5) == 0 &&
           (result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR || result == CURLE_SSL_CONNECT_ERROR ||
            result == CURLE_GOT_NOTHING);
}

static bool is_unwanted(const char *words)
{
    return strstr(words, "alert unknown ca") != NULL || strstr(words, "certificate required") != NULL ||
           strstr(words, "alert bad certificate") != NULL || strstr(words, "certificate expired") != NULL ||
           strstr(words, "certificate revoked") != NULL || strstr(words, "certificate unknown") != NULL;
}

static enum clickhouse_meaning by_result(CURLcode result, const struct clickhouse_request *request,
                                         struct weir_error *ret_words)
{
    if (is_cut(result, request)) {
        weir__fail(
            ret_words, WEIR_OK, request->client->url,
            "it does not answer: %.160s: does it want another certificate of its clients (clickhouse.cert.file)?",
            request->words[0] != '\0' ? request->words : curl_easy_strerror(result));
        return is_unwanted(request->words) ? CLICKHOUSE_REFUSED : CLICKHOUSE_LATER;
    }
    if (result == CURLE_SSL_CERTPROBLEM) {
        weir__fail(ret_words, WEIR_OK, request->client->url, "clickhouse.cert.file, clickhouse.key.file: %.200s",
                   request->words);
        return CLICKHOUSE_REFUSED;
    }
    weir__fail(ret_words, WEIR_OK, request->client->url, "it does not answer: %s",
               result == CURLE_PEER_FAILED_VERIFICATION ? request->words : curl_easy_strerror(result));
    return result == CURLE_SSL_CACERT_BADFILE ? CLICKHOUSE_REFUSED : CLICKHOUSE_LATER;
}

enum clickhouse_meaning clickhouse_meaning(CURLcode result, const struct clickhouse_request *request,
                                           struct weir_error *ret_words)
{
    long status = 0;

    if (result != CURLE_OK)
        return by_result(result, request, ret_words);
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200 && !request->known) {
        weir__fail(ret_words, WEIR_OK, request->client->url,
                   "what answers is no ClickHouse: is clickhouse.url right?");
        return CLICKHOUSE_REFUSED;
    }
    if (status == 200 && request->exception == 0)
        return CLICKHOUSE_DONE;
    say_answer(request, status, ret_words);
    return request->exception != 0 ? by_exception(request) : by_status(status);
}
