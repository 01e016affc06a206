/* commands.c: processors whose records are commands to a store: all that a store offers, answered as text. */
#include <inttypes.h>

#include "test/conformance/conformance.h"

enum { MOST_WORDS = 64 };

struct command {
    struct weir_context      *ctx;
    const struct weir_record *rec;
    const struct weir_store  *store;
    struct weir_text          words[MOST_WORDS];
    size_t                    count;
    struct weir__buf          answer;
};

/* Cuts the record's value at single spaces. */
static int read_command(struct weir_context *ctx, const struct weir_record *rec, struct command *ret)
{
    const struct conf_verbs *verbs = weir_arg(ctx);
    const struct weir_text  *text = rec->value;
    const char              *at, *end, *space;

    *ret = (struct command){ .ctx = ctx, .rec = rec, .store = verbs->store };
    if (!text || verbs->value != weir_string)
        return WEIR_NULL_GIVEN;
    end = text->data + text->size;
    for (at = text->data; ret->count < MOST_WORDS; at = space + 1) {
        space = memchr(at, ' ', (size_t)(end - at));
        ret->words[ret->count++] = (struct weir_text){ at, (size_t)((space ? space : end) - at) };
        if (!space)
            return WEIR_OK;
    }
    return WEIR_BAD_ARGUMENT;
}

static bool is(const struct command *command, const char *word)
{
    return command->words[0].size == strlen(word) && memcmp(command->words[0].data, word, strlen(word)) == 0;
}

/* The n-th word as a value of codec; "-" is null. */
static int word_value(struct command *command, size_t n, const struct weir_codec *codec, const void **ret)
{
    struct weir_text word = command->words[n];
    struct value     value = { 0 };
    int64_t          number;
    int              err = WEIR_OK;

    if (n >= command->count)
        return WEIR_BAD_ARGUMENT;
    if (word.size == 1 && word.data[0] == '-')
        value.at = NULL;
    else if (codec == weir_int64)
        err = conf_parse_long(word, &number) ? conf_give_long(command->ctx, number, &value) : WEIR_VERB_FAILED;
    else
        err = conf_give_text(command->ctx, word.data, word.size, &value);
    if (err < 0)
        return err;
    *ret = value.at;
    return WEIR_OK;
}

static int word_time(const struct command *command, size_t n, int64_t *ret)
{
    if (n >= command->count || !conf_parse_long(command->words[n], ret))
        return WEIR_VERB_FAILED;
    return WEIR_OK;
}

static void print_value(struct command *command, const struct weir_row *row)
{
    conf_print(&command->answer, (struct value){ command->store->value, row->value });
    if (!command->store->plain && row->value)
        weir__buf_printf(&command->answer, "@%" PRId64, row->timestamp);
}

enum shape { KEY_VALUE, START_VALUE, KEY_WINDOW_VALUE, VALUE_ALONE };

static void print_row(struct command *command, const struct weir_row *row, enum shape shape)
{
    if (shape == KEY_VALUE || shape == KEY_WINDOW_VALUE)
        conf_print(&command->answer, (struct value){ command->store->key, row->key });
    if (shape == KEY_WINDOW_VALUE)
        weir__buf_printf(&command->answer, "@%" PRId64 "-%" PRId64, row->start, row->end);
    if (shape == START_VALUE)
        weir__buf_printf(&command->answer, "%" PRId64, row->start);
    if (shape != VALUE_ALONE)
        weir__buf_putc(&command->answer, '=');
    print_value(command, row);
    if (shape != VALUE_ALONE)
        weir__buf_putc(&command->answer, ';');
}

static int print_rows(struct command *command, int err, struct weir_rows *rows, enum shape shape)
{
    struct weir_row row;

    while (err >= 0) {
        err = weir_next(rows, &row);
        if (err >= 0)
            print_row(command, &row, shape);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* The one row of the record's key, with its timestamp, or null. */
static int print_old(struct command *command)
{
    const void       *key = command->rec->key, *value;
    struct weir_rows *rows = NULL;
    int               err = weir_get(command->ctx, command->store, key, &value);

    if (err == WEIR_NOTFOUND) {
        weir__buf_puts(&command->answer, "null");
        return WEIR_OK;
    }
    if (err < 0)
        return err;
    err = weir_range(command->ctx, command->store, key, key, WEIR_ASCENDING, &rows);
    return print_rows(command, err, rows, VALUE_ALONE);
}

static int put(struct command *command, const void *key, size_t n)
{
    const void *value;
    int         err = word_value(command, n, command->store->value, &value);

    return err < 0 ? err : weir_put(command->ctx, command->store, key, value);
}

static int command_put(struct command *command)
{
    weir__buf_puts(&command->answer, "ok");
    return put(command, command->rec->key, 1);
}

static int command_put_if_absent(struct command *command)
{
    const void *old;
    int         err = print_old(command);

    if (err >= 0)
        err = weir_get(command->ctx, command->store, command->rec->key, &old);
    return err == WEIR_NOTFOUND ? put(command, command->rec->key, 1) : err;
}

static int command_put_all(struct command *command)
{
    const void *key;
    int         err = WEIR_OK;

    weir__buf_puts(&command->answer, "ok");
    for (size_t i = 1; i + 1 < command->count && err >= 0; i += 2) {
        err = word_value(command, i, command->store->key, &key);
        if (err >= 0)
            err = put(command, key, i + 1);
    }
    return err;
}

static int command_delete(struct command *command)
{
    int err = print_old(command);

    if (err >= 0)
        err = weir_delete(command->ctx, command->store, command->rec->key);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int command_range(struct command *command, enum weir_order order)
{
    const void       *from = NULL, *to = NULL;
    struct weir_rows *rows = NULL;
    int               err = WEIR_OK;

    if (command->count > 1)
        err = word_value(command, 1, command->store->key, &from);
    if (err >= 0 && command->count > 1)
        err = word_value(command, 2, command->store->key, &to);
    if (err >= 0)
        err = weir_range(command->ctx, command->store, from, to, order, &rows);
    return print_rows(command, err, rows, KEY_VALUE);
}

static int command_prefix(struct command *command)
{
    struct weir_rows *rows = NULL;
    int               err;

    if (command->count < 2)
        return WEIR_BAD_ARGUMENT;
    err = weir_prefix(command->ctx, command->store, BYTES(command->words[1].data, command->words[1].size), &rows);
    return print_rows(command, err, rows, KEY_VALUE);
}

static int run_kv(struct command *command)
{
    if (is(command, "put"))
        return command_put(command);
    if (is(command, "put-if-absent"))
        return command_put_if_absent(command);
    if (is(command, "put-all"))
        return command_put_all(command);
    if (is(command, "delete"))
        return command_delete(command);
    if (is(command, "get"))
        return print_old(command);
    if (is(command, "range") || is(command, "all"))
        return command_range(command, WEIR_ASCENDING);
    if (is(command, "reverse-range") || is(command, "reverse-all"))
        return command_range(command, WEIR_DESCENDING);
    return is(command, "prefix") ? command_prefix(command) : WEIR_BAD_ARGUMENT;
}

static int answer(struct command *command, int err)
{
    if (err >= 0)
        return conf_forward_text(command->ctx, command->rec, &command->answer);
    weir__buf_fini(&command->answer);
    return err;
}

int conf_kv_command(struct weir_context *ctx, const struct weir_record *rec)
{
    struct command command;
    int            err = read_command(ctx, rec, &command);

    return answer(&command, err < 0 ? err : run_kv(&command));
}

static int command_put_window(struct command *command)
{
    const void *value;
    int64_t     start;
    int         err = word_value(command, 1, command->store->value, &value);

    if (err >= 0)
        err = word_time(command, 2, &start);
    weir__buf_puts(&command->answer, "ok");
    return err < 0 ? err : weir_put_window(command->ctx, command->store, command->rec->key, value, start);
}

static int command_get_window(struct command *command)
{
    struct weir_row   row = { .key = command->rec->key };
    struct weir_rows *rows = NULL;
    int               err = word_time(command, 1, &row.start);

    if (err >= 0)
        err = weir_get_window(command->ctx, command->store, row.key, row.start, &row.value);
    if (err == WEIR_NOTFOUND) {
        weir__buf_puts(&command->answer, "null");
        return WEIR_OK;
    }
    if (err < 0)
        return err;
    if (command->store->plain) {
        print_value(command, &row);
        return WEIR_OK;
    }
    err = weir_fetch(command->ctx, command->store, row.key, row.start, row.start, WEIR_ASCENDING, &rows);
    return print_rows(command, err, rows, VALUE_ALONE);
}

static int command_fetch(struct command *command, enum weir_order order)
{
    struct weir_rows *rows = NULL;
    int64_t           from, to;
    int               err = word_time(command, 1, &from);

    if (err >= 0)
        err = word_time(command, 2, &to);
    if (err >= 0)
        err = weir_fetch(command->ctx, command->store, command->rec->key, from, to, order, &rows);
    return print_rows(command, err, rows, START_VALUE);
}

/* Keys in the words 1 and 2 when there are four, times in the last two; none of them: all rows. */
static int command_fetch_keys(struct command *command, enum weir_order order)
{
    const void       *key_from = NULL, *key_to = NULL;
    int64_t           from = 0, to = INT64_MAX;
    struct weir_rows *rows = NULL;
    int               err = WEIR_OK;

    if (command->count > 3)
        err = word_value(command, 1, command->store->key, &key_from);
    if (err >= 0 && command->count > 3)
        err = word_value(command, 2, command->store->key, &key_to);
    if (err >= 0 && command->count > 2)
        err = word_time(command, command->count - 2, &from);
    if (err >= 0 && command->count > 2)
        err = word_time(command, command->count - 1, &to);
    if (err >= 0)
        err = weir_fetch_keys(command->ctx, command->store, key_from, key_to, from, to, order, &rows);
    return print_rows(command, err, rows, KEY_WINDOW_VALUE);
}

static int run_window(struct command *command)
{
    if (is(command, "put"))
        return command_put_window(command);
    if (is(command, "get"))
        return command_get_window(command);
    if (is(command, "fetch"))
        return command_fetch(command, WEIR_ASCENDING);
    if (is(command, "backward-fetch"))
        return command_fetch(command, WEIR_DESCENDING);
    if (is(command, "fetch-keys") || is(command, "fetch-all") || is(command, "all"))
        return command_fetch_keys(command, WEIR_ASCENDING);
    if (is(command, "backward-fetch-keys") || is(command, "backward-fetch-all") || is(command, "backward-all"))
        return command_fetch_keys(command, WEIR_DESCENDING);
    return WEIR_BAD_ARGUMENT;
}

int conf_window_command(struct weir_context *ctx, const struct weir_record *rec)
{
    struct command command;
    int            err = read_command(ctx, rec, &command);

    return answer(&command, err < 0 ? err : run_window(&command));
}
