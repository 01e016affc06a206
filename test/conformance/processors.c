/* processors.c: the processors of a case, and the table of all of them. */
#include <inttypes.h>

#include "test/conformance/conformance.h"

static struct value value_of(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return (struct value){ verbs->value, rec->value };
}

static int forward_value(struct weir_context *ctx, const struct weir_record *rec, const void *value)
{
    struct weir_record out = *rec;

    out.value = value;
    return weir_forward_record(ctx, &out);
}

int conf_forward_text(struct weir_context *ctx, const struct weir_record *rec, struct weir__buf *buf)
{
    struct value text;
    int          err = conf_give_buf(ctx, buf, &text);

    return err < 0 ? err : forward_value(ctx, rec, text.at);
}

static int forward_number(struct weir_context *ctx, const struct weir_record *rec, int64_t number)
{
    struct weir__buf buf = { 0 };

    weir__buf_printf(&buf, "%" PRId64, number);
    return conf_forward_text(ctx, rec, &buf);
}

static int process_pass(struct weir_context *ctx, const struct weir_record *rec)
{
    return weir_forward_record(ctx, rec);
}

static int process_twice(struct weir_context *ctx, const struct weir_record *rec)
{
    int err = weir_forward_record(ctx, rec);

    return err < 0 ? err : weir_forward_record(ctx, rec);
}

static int process_recurse(struct weir_context *ctx, const struct weir_record *rec)
{
    static const char word[] = "recurse-";
    struct weir__buf  buf = { 0 };

    weir__buf_puts(&buf, word);
    conf_print(&buf, value_of(ctx, rec));
    if (weir__bytes_starts(BYTES(buf.data + sizeof(word) - 1, buf.size - (sizeof(word) - 1)),
                           BYTES(word, sizeof(word) - 1))) {
        weir__buf_fini(&buf);
        return WEIR_OK;
    }
    return conf_forward_text(ctx, rec, &buf);
}

static int process_header_add(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct weir_text         value = conf_arg_text(verbs->processor, 2);
    struct weir_record       out = *rec;
    struct weir_header      *headers = weir_alloc(ctx, (rec->header_count + 1) * sizeof(*headers));

    if (!headers)
        return WEIR_LIMIT;
    if (rec->header_count)
        memcpy(headers, rec->headers, rec->header_count * sizeof(*headers));
    headers[out.header_count++] = (struct weir_header){ .name = conf_arg_text(verbs->processor, 1).data,
                                                        .value = BYTES(value.data, value.size) };
    out.headers = headers;
    return weir_forward_record(ctx, &out);
}

static int process_header_remove(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    const char              *name = conf_arg_text(verbs->processor, 1).data;
    struct weir_record       out = *rec;
    struct weir_header      *headers = weir_alloc(ctx, (rec->header_count + 1) * sizeof(*headers));

    if (!headers)
        return WEIR_LIMIT;
    out.header_count = 0;
    for (size_t i = 0; i < rec->header_count; i++)
        if (strcmp(rec->headers[i].name, name) != 0)
            headers[out.header_count++] = rec->headers[i];
    out.headers = headers;
    return weir_forward_record(ctx, &out);
}

static int process_headers_text(struct weir_context *ctx, const struct weir_record *rec)
{
    struct weir__buf buf = { 0 };

    for (size_t i = 0; i < rec->header_count; i++) {
        weir__buf_printf(&buf, "%s=", rec->headers[i].name);
        if (rec->headers[i].value.data)
            weir__buf_add(&buf, rec->headers[i].value.data, rec->headers[i].value.size);
        else
            weir__buf_puts(&buf, "null");
        weir__buf_putc(&buf, ';');
    }
    return conf_forward_text(ctx, rec, &buf);
}

static int process_shift(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct weir_record       out = *rec;

    out.timestamp = (int64_t)((uint64_t)out.timestamp + (uint64_t)conf_arg_number(verbs->processor, 1));
    return weir_forward_record(ctx, &out);
}

static int process_rekey(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct weir_text         name = conf_arg_text(verbs->processor, 1);
    struct weir_record       out = *rec;
    struct value             key;
    int                      err = conf_give_text(ctx, name.data, name.size, &key);

    if (err < 0)
        return err;
    out.key = key.at;
    return weir_forward_record(ctx, &out);
}

static int process_to_child(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    const struct weir_node  *child;
    int                      holds = conf_test(ctx, rec);

    if (holds < 0)
        return holds;
    child = verbs->children[holds ? 0 : 1];
    return child ? weir_forward_to(ctx, child, rec) : WEIR_FATAL;
}

static int process_stream_time(struct weir_context *ctx, const struct weir_record *rec)
{
    return forward_number(ctx, rec, weir_stream_time(ctx));
}

static int process_wall_time(struct weir_context *ctx, const struct weir_record *rec)
{
    return forward_number(ctx, rec, weir_wall_time(ctx));
}

static int process_ts_text(struct weir_context *ctx, const struct weir_record *rec)
{
    return forward_number(ctx, rec, rec->timestamp);
}

static int process_metadata(struct weir_context *ctx, const struct weir_record *rec)
{
    struct weir__buf buf = { 0 };

    weir__buf_printf(&buf, "%s/%" PRId32 "/%" PRId64, rec->topic ? rec->topic : "null", rec->partition, rec->offset);
    return conf_forward_text(ctx, rec, &buf);
}

/* ---- with a store ---- */

/* A store must have been connected before the processor starts. */
static int open_store(struct weir_context *ctx)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return verbs->store && verbs->connected ? WEIR_OK : WEIR_FATAL;
}

static int open_global(struct weir_context *ctx)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return verbs->global ? WEIR_OK : WEIR_FATAL;
}

static int put(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    if ((rec->key && verbs->key != verbs->store->key) || (rec->value && verbs->value != verbs->store->value))
        return WEIR_BAD_TYPE;
    return weir_put(ctx, verbs->store, rec->key, rec->value);
}

/* The value under the record's key; NULL when there is none. */
static int get(struct weir_context *ctx, const struct weir_record *rec, struct value *ret)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    int                      err;

    *ret = (struct value){ verbs->store->value, NULL };
    err = weir_get(ctx, verbs->store, rec->key, &ret->at);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int process_put(struct weir_context *ctx, const struct weir_record *rec)
{
    int err = put(ctx, rec);

    return err < 0 ? err : weir_forward_record(ctx, rec);
}

static int process_put_quiet(struct weir_context *ctx, const struct weir_record *rec) { return put(ctx, rec); }

static int process_delete_old(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct weir__buf         buf = { 0 };
    struct value             old;
    int                      err = get(ctx, rec, &old);

    if (err < 0)
        return err;
    conf_print(&buf, old);
    err = weir_delete(ctx, verbs->store, rec->key);
    if (err < 0 && err != WEIR_NOTFOUND) {
        weir__buf_fini(&buf);
        return err;
    }
    return conf_forward_text(ctx, rec, &buf);
}

static int process_dedup(struct weir_context *ctx, const struct weir_record *rec)
{
    struct value old;
    int          err = get(ctx, rec, &old);

    if (err < 0)
        return err;
    return conf_same(old, value_of(ctx, rec)) ? WEIR_OK : process_put(ctx, rec);
}

/* Adds 1 to the long of the record's key. */
static int count(struct weir_context *ctx, const struct weir_record *rec, struct value *ret)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct value             old;
    int                      err = get(ctx, rec, &old);

    if (err < 0)
        return err;
    if (verbs->store->value != weir_int64)
        return WEIR_BAD_TYPE;
    err = conf_give_long(ctx, conf_long(old) + 1, ret);
    return err < 0 ? err : weir_put(ctx, verbs->store, rec->key, ret->at);
}

static int process_running_count(struct weir_context *ctx, const struct weir_record *rec)
{
    struct value now;
    int          err = count(ctx, rec, &now);

    return err < 0 ? err : forward_value(ctx, rec, now.at);
}

/* A key of the store given as an argument; null = open. */
static int key_arg(struct weir_context *ctx, size_t n, const void **ret)
{
    const struct conf_verbs *verbs = weir_arg(ctx);

    return conf_from_json(&verbs->c->arena, verbs->store->key, json_array_get(verbs->processor, n), ret);
}

static int forward_row(struct weir_context *ctx, const struct weir_record *rec, const struct weir_row *row)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct weir_record       out = *rec;
    struct weir__buf         buf = { 0 };

    conf_print(&buf, (struct value){ verbs->store->value, row->value });
    out.key = row->key;
    return conf_forward_text(ctx, &out, &buf);
}

static int process_range_scan(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    bool                     back = json_array_size(verbs->processor) > 4;
    const void              *from, *to;
    struct weir_rows        *rows;
    struct weir_row          row;
    int                      err = put(ctx, rec);

    if (err >= 0)
        err = key_arg(ctx, 2, &from);
    if (err >= 0)
        err = key_arg(ctx, 3, &to);
    if (err >= 0)
        err = weir_range(ctx, verbs->store, from, to, back ? WEIR_DESCENDING : WEIR_ASCENDING, &rows);
    while (err >= 0) {
        err = weir_next(rows, &row);
        if (err >= 0)
            err = forward_row(ctx, rec, &row);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int process_global_lookup(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct value             found = { verbs->global->into->value, NULL };
    struct weir__buf         buf = { 0 };
    int err = rec->value ? weir_lookup(ctx, verbs->global, rec->value, &found.at) : WEIR_NULL_GIVEN;

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    conf_print(&buf, value_of(ctx, rec));
    weir__buf_putc(&buf, '/');
    conf_print(&buf, found);
    return conf_forward_text(ctx, rec, &buf);
}

/* ---- punctuation ---- */

static int schedule(struct weir_context *ctx, size_t n, weir_punctuate *fn, int64_t *ret_handle)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    const char              *kind = conf_arg_text(verbs->processor, n + 1).data;
    bool                     wall = kind && strcmp(kind, "wall") == 0;
    int64_t                  handle =
        weir_schedule(ctx, conf_arg_number(verbs->processor, n), wall ? WEIR_WALL_TIME : WEIR_STREAM_TIME, fn);

    if (handle < 0)
        return (int)handle;
    if (ret_handle)
        *ret_handle = handle;
    return WEIR_OK;
}

static int punctuate_counts(struct weir_context *ctx, int64_t time)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    struct weir_rows        *rows;
    struct weir_row          row;
    int                      err = weir_range(ctx, verbs->store, NULL, NULL, WEIR_ASCENDING, &rows);

    while (err >= 0) {
        err = weir_next(rows, &row);
        if (err >= 0) {
            struct weir_record out = { .key = row.key, .value = row.value, .timestamp = time };

            err = weir_forward_record(ctx, &out);
        }
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int open_count_punctuate(struct weir_context *ctx)
{
    int err = open_store(ctx);

    return err < 0 ? err : schedule(ctx, 2, punctuate_counts, NULL);
}

static int process_count_quiet(struct weir_context *ctx, const struct weir_record *rec)
{
    struct value now;

    return count(ctx, rec, &now);
}

struct punctuate_state {
    int64_t handle, fired;
};

static int punctuate_time(struct weir_context *ctx, int64_t time)
{
    static const struct weir_text word = { "punctuate", 9 };
    const struct conf_verbs      *verbs = weir_arg(ctx);
    struct punctuate_state       *state = weir_state(ctx);
    struct weir_record            out = { .key = &word, .timestamp = MAX(time, 0) };
    int                           err = forward_number(ctx, &out, time);

    if (err >= 0 && json_array_size(verbs->processor) > 3 && ++state->fired >= conf_arg_number(verbs->processor, 3))
        weir_cancel(ctx, state->handle);
    return err;
}

static int open_punctuate(struct weir_context *ctx)
{
    struct punctuate_state *state = weir_state(ctx);

    return schedule(ctx, 1, punctuate_time, &state->handle);
}

static const struct conf_processor processors[] = {
    { .name = "pass", .process = process_pass },
    { .name = "drop", .process = conf_nothing },
    { .name = "forward_all", .process = process_twice },
    { .name = "recurse", .process = process_recurse, .result = CONF_TEXT },
    { .name = "header_add", .process = process_header_add },
    { .name = "header_remove", .process = process_header_remove },
    { .name = "headers_text", .process = process_headers_text, .result = CONF_TEXT },
    { .name = "shift_ts", .process = process_shift },
    { .name = "rekey_named", .process = process_rekey },
    { .name = "to_child", .process = process_to_child },
    { .name = "stream_time", .process = process_stream_time, .result = CONF_TEXT },
    { .name = "wall_time", .process = process_wall_time, .result = CONF_TEXT },
    { .name = "ts_text", .process = process_ts_text, .result = CONF_TEXT },
    { .name = "metadata", .process = process_metadata, .result = CONF_TEXT },
    { .name = "store_put", .process = process_put, .open = open_store, .store = true },
    { .name = "store_put_quiet", .process = process_put_quiet, .open = open_store, .store = true },
    { .name = "global_put", .process = process_put_quiet, .open = open_store, .store = true },
    { .name = "delete_old", .process = process_delete_old, .open = open_store, .result = CONF_TEXT, .store = true },
    { .name = "dedup", .process = process_dedup, .open = open_store, .store = true },
    { .name = "running_count",
      .process = process_running_count,
      .open = open_store,
      .result = CONF_LONG,
      .store = true },
    { .name = "range_scan", .process = process_range_scan, .open = open_store, .result = CONF_TEXT, .store = true },
    { .name = "global_lookup", .process = process_global_lookup, .open = open_global, .result = CONF_TEXT },
    { .name = "count_punctuate",
      .process = process_count_quiet,
      .open = open_count_punctuate,
      .result = CONF_LONG,
      .store = true },
    { .name = "punctuate",
      .process = conf_nothing,
      .open = open_punctuate,
      .state = sizeof(struct punctuate_state),
      .result = CONF_TEXT },
    { .name = "punctuate_cancel",
      .process = conf_nothing,
      .open = open_punctuate,
      .state = sizeof(struct punctuate_state),
      .result = CONF_TEXT },
    { .name = "kv_cmd", .process = conf_kv_command, .open = open_store, .result = CONF_TEXT, .store = true },
    { .name = "window_cmd", .process = conf_window_command, .open = open_store, .result = CONF_TEXT, .store = true },
    { .name = "session_cmd", .result = CONF_TEXT, .missing = "session stores of processors", .store = true },
    { .name = "versioned_cmd", .result = CONF_TEXT, .missing = "versioned stores of processors", .store = true },
};

const struct conf_processor *conf_processor_find(const json_t *json)
{
    const char *name = json_string_value(json_is_array(json) ? json_array_get(json, 0) : json);

    for (size_t i = 0; name && i < ARRAY_SIZE(processors); i++)
        if (strcmp(processors[i].name, name) == 0)
            return &processors[i];
    return NULL;
}
