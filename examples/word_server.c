/* word_server.c: counts words like word_count.c, and answers for them over HTTP:
 *     word_server local --dir DIR --lines --in lines=FILE
 *     curl 'localhost:8080/count?word=the'; curl localhost:8080/counts */
#include <ctype.h>
#include <string.h>
#include <weir/engines.h>
#include <weir/http.h>
#include <weir/main.h>

static weir_process split;
static weir_answer  answer_count, answer_counts;

/* clang-format off */
SOURCE  (lines,   "lines", weir_string, weir_string);
FLAT_MAP(words,   split, .key = weir_string, .value = weir_string);
KEYS    (counts,  weir_string, weir_int64, .served = true);
COUNT   (counted, counts);
SINK    (out,     "counts", weir_string, weir_int64);
TOPOLOGY(word_server, .port = 8080,
    .endpoints = ENDPOINTS(ENDPOINT("/count", answer_count), ENDPOINT("/counts", answer_counts)),
    .paths = PATHS(PATH(lines, words, counted, out)));
/* clang-format on */

static int split(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *line = rec->value;
    int                     err = WEIR_OK;

    for (size_t at = 0, end; err == WEIR_OK && line != NULL && at < line->size; at = end + 1) {
        for (end = at; end < line->size && isalnum((unsigned char)line->data[end]);)
            end++;
        struct weir_text word = { line->data + at, end - at };
        err = word.size > 0 ? weir_forward(ctx, &word, &word) : WEIR_OK;
    }
    return err;
}

static void put_count(struct weir_reply *reply, const struct weir_row *row)
{
    struct weir_json_out *json = weir_reply_json(reply);

    weir_json_begin_object(json);
    weir_json_name(json, "word");
    weir_json_put_text(json, *(const struct weir_text *)row->key);
    weir_json_name(json, "count");
    weir_json_put_int64(json, *(const int64_t *)row->value);
    weir_json_end_object(json);
}

static int answer_count(struct weir_request *request, struct weir_reply *reply)
{
    struct weir_view *view;
    struct weir_text  word = { 0 };
    struct weir_row   row;
    int               err = weir_request_need(request, reply, "word", &word.data);

    if (err == WEIR_OK)
        err = weir_request_view(request, "counts", &view);
    if (err < 0)
        return err;
    word.size = strlen(word.data);
    err = weir_view_get(view, weir_request_arena(request), &word, &row);
    if (err == WEIR_OK)
        put_count(reply, &row);
    return err;
}

static int answer_counts(struct weir_request *request, struct weir_reply *reply)
{
    struct weir_view      *view;
    struct weir_view_rows *rows;
    struct weir_row        row;
    int                    err = weir_request_view(request, "counts", &view);

    if (err == WEIR_OK)
        err = weir_view_range(view, weir_request_arena(request), NULL, NULL, WEIR_ASCENDING, &rows);
    if (err < 0)
        return err;
    weir_json_begin_array(weir_reply_json(reply));
    while ((err = weir_view_next(rows, &row)) == WEIR_OK)
        put_count(reply, &row);
    weir_json_end_array(weir_reply_json(reply));
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int main(int argc, char **argv)
{
    return weir_main(argc, argv, (const struct weir_topology *const[]){ &word_server, NULL }, weir_engines);
}
