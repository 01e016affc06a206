/* ask.c: questions of commands: one at a time, waited for. */
#include "topologies/clickhouse/client.h"

/* The code of a command that cannot go on; words are there. */
static int code_of(enum clickhouse_meaning meaning, struct weir_error *words)
{
    switch (meaning) {
    case CLICKHOUSE_DONE: return WEIR_OK;
    case CLICKHOUSE_LATER: return words->code = WEIR_AGAIN;
    case CLICKHOUSE_MISSING: return words->code = WEIR_NOTFOUND;
    case CLICKHOUSE_ROW:
    case CLICKHOUSE_LARGE: return words->code = WEIR_REJECTED;
    case CLICKHOUSE_REFUSED: return words->code = WEIR_BAD_CONFIG;
    }
    return WEIR_FATAL;
}

static int wait(struct clickhouse_request *request, struct weir_error *reterr)
{
    struct weir_error       words = { 0 };
    enum clickhouse_meaning meaning;
    CURLcode                result;

    curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, 0L); /* people who ask for much wait, or press Ctrl-C */
    result = curl_easy_perform(request->easy);
    if (request->taken < 0) /* in the caller's words */
        return request->taken;
    meaning = clickhouse_meaning(result, request, &words);
    if (meaning == CLICKHOUSE_DONE)
        return WEIR_OK;
    if (meaning == CLICKHOUSE_MISSING)
        return weir__fail(reterr, WEIR_NOTFOUND, words.where, "%s: run \"migrate clickhouse\"", words.text);
    if (result != CURLE_OK && meaning == CLICKHOUSE_LATER)
        return weir__fail(reterr, WEIR_NOTFOUND, words.where, "%s: is clickhouse.url right?", words.text);
    return weir__fail(reterr, code_of(meaning, &words), words.where, "%s", words.text);
}

int clickhouse_ask(const struct clickhouse_client *client, const char *sql, bool database,
                   int (*take)(void *arg, struct weir_text line, struct weir_error *reterr), void *arg,
                   struct weir_error *reterr)
{
    struct clickhouse_request request = { .take = take, .arg = arg, .taken_words = reterr };
    struct weir__buf          parameters = { 0 };
    int                       err = WEIR_NO_MEMORY;

    if (database)
        clickhouse_parameter("database", client->database, &parameters);
    weir__buf_putc(&parameters, '\0');
    if (weir__buf_ok(&parameters))
        err = clickhouse_request_open(&request, client, parameters.data, (struct weir_text){ sql, strlen(sql) });
    err = err == WEIR_OK ? wait(&request, reterr) : weir__fail(reterr, err, client->url, "out of memory");
    clickhouse_request_close(&request);
    weir__buf_fini(&parameters);
    return err;
}

static char escaped(char c)
{
    switch (c) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'b': return '\b';
    case 'f': return '\f';
    case '0': return '\0';
    default: return c;
    }
}

size_t clickhouse_fields(char *line, size_t size, struct weir_text *ret, size_t most)
{
    size_t count = 0, to = 0, begin = 0;

    for (size_t from = 0; from <= size; from++) {
        if (from == size || line[from] == '\t') {
            if (count < most)
                ret[count] = (struct weir_text){ line + begin, to - begin };
            count++;
            begin = ++to;
        } else if (line[from] == '\\' && from + 1 < size) {
            line[to++] = escaped(line[++from]);
        } else {
            line[to++] = line[from];
        }
    }
    return count;
}

void clickhouse_quote(struct weir_text text, struct weir__buf *ret)
{
    weir__buf_putc(ret, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\')
            weir__buf_putc(ret, '\\');
        weir__buf_putc(ret, text.data[i]);
    }
    weir__buf_putc(ret, '\'');
}
