/* processors.c: steps with stores and schedules of their own. */
#include "test/scenario/flow.h"
#include "test/scenario/topologies/verbs.h"

#include <stdio.h>

static weir_process   put_and_tell, remember, put_window, count_up, start_three, gather;
static weir_flush     tell_gathered;
static weir_open      every_ten_seconds_of_stream, every_minute_of_wall;
static weir_punctuate tell_counts, tell_time;

struct ticking {
    int64_t handle, left;
};

/* Words since the last commit. */
struct gathering {
    int64_t count, told;
};

/* clang-format off */
SOURCE(lines, "lines", weir_string, weir_string);
SINK  (out,   "out",   weir_string, weir_string);
SINK  (counts_out, "counts", weir_string, weir_int64);

KEYS(notes_s, weir_string, weir_string, .plain = true);
STEP(notes,   put_and_tell, .uses = STORES(notes_s), .value = weir_string);
static TOPOLOGY(notebook, .paths = PATHS(PATH(lines, notes, out)));

STORE(recent_s, .kind = WEIR_LRU, .key = weir_string, .value = weir_string, .max = 2);
STEP (recent,   remember, .uses = STORES(recent_s), .value = weir_string);
static TOPOLOGY(recently, .paths = PATHS(PATH(lines, recent, out)));

WINDOWS(seen_s, weir_string, weir_string, WINDOW(.size = MINUTES(1), .retention = MINUTES(10)), .plain = true);
STEP   (seen,   put_window, .uses = STORES(seen_s), .value = weir_string);
static TOPOLOGY(window_store, .paths = PATHS(PATH(lines, seen, out)));

KEYS(tallies_s, weir_string, weir_int64);
STEP(by_stream, count_up, .uses = STORES(tallies_s), .open = every_ten_seconds_of_stream, .value = weir_int64);
static TOPOLOGY(stream_clock, .paths = PATHS(PATH(lines, by_stream, counts_out)));

STEP(by_wall, count_up, .uses = STORES(tallies_s), .open = every_minute_of_wall, .value = weir_int64);
static TOPOLOGY(wall_clock, .paths = PATHS(PATH(lines, by_wall, counts_out)));

STEP(ticking, start_three, .state = sizeof(struct ticking), .value = weir_string);
static TOPOLOGY(cancelling, .paths = PATHS(PATH(lines, ticking, out)));

FLAT_MAP(words, flow_words, .key = weir_string, .value = weir_string);
STEP(gathered, gather, .flush = tell_gathered, .state = sizeof(struct gathering), .uses = STORES(tallies_s), .key = weir_string,
     .value = weir_int64);
static TOPOLOGY(gathering, .paths = PATHS(PATH(lines, words, gathered, counts_out)));
/* clang-format on */

FLOW(notebook);
FLOW(recently);
FLOW(window_store);
FLOW(stream_clock);
FLOW(wall_clock);
FLOW(cancelling);
FLOW(gathering);

/* Forwards "key=value" of a row. */
static int tell_row(struct weir_context *ctx, const struct weir_row *row)
{
    struct weir_text text;
    int              err =
        flow_join_texts(ctx, *(const struct weir_text *)row->key, "=", *(const struct weir_text *)row->value, &text);

    return err < 0 ? err : weir_forward(ctx, row->key, &text);
}

static int tell_rows(struct weir_context *ctx, struct weir_rows *rows)
{
    struct weir_row row;
    int             err;

    while ((err = weir_next(rows, &row)) == WEIR_OK && (err = tell_row(ctx, &row)) == WEIR_OK)
        ;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* Values are commands: "?" the value of the key, "all", "back", "from" rows from the key on, "with" those whose key
 * begins so; null deletes, anything else is put. */
static int put_and_tell(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *key = rec->key;
    struct weir_rows       *rows;
    const void             *value;
    int                     err;

    if (flow_is(rec->value, "?")) {
        err = weir_get(ctx, notes_s, key, &value);
        return err == WEIR_NOTFOUND ? weir_forward(ctx, key, NULL) : err < 0 ? err : weir_forward(ctx, key, value);
    }
    if (flow_is(rec->value, "all"))
        err = weir_range(ctx, notes_s, NULL, NULL, WEIR_ASCENDING, &rows);
    else if (flow_is(rec->value, "back"))
        err = weir_range(ctx, notes_s, NULL, NULL, WEIR_DESCENDING, &rows);
    else if (flow_is(rec->value, "from"))
        err = weir_range(ctx, notes_s, key, NULL, WEIR_ASCENDING, &rows);
    else if (flow_is(rec->value, "with"))
        err = weir_prefix(ctx, notes_s, (struct weir_bytes){ .data = key->data, .size = key->size }, &rows);
    else
        return rec->value != NULL ? weir_put(ctx, notes_s, key, rec->value) : weir_delete(ctx, notes_s, key);
    return err < 0 ? err : tell_rows(ctx, rows);
}

/* Forwards what is remembered of the key (null: nothing), and remembers the value, if there is one. */
static int remember(struct weir_context *ctx, const struct weir_record *rec)
{
    const void *value = NULL;
    int         err;

    if (rec->value != NULL)
        return weir_put(ctx, recent_s, rec->key, rec->value);
    err = weir_get(ctx, recent_s, rec->key, &value);
    return err < 0 && err != WEIR_NOTFOUND ? err : weir_forward(ctx, rec->key, value);
}

/* "?": the key's rows of the last two minutes, each with its start; "every": all rows; else put into its minute. */
static int put_window(struct weir_context *ctx, const struct weir_record *rec)
{
    int64_t           minute = rec->timestamp - rec->timestamp % MINUTES(1);
    struct weir_rows *rows;
    struct weir_row   row;
    struct weir_text  text;
    char              start[32];
    int               err;

    if (flow_is(rec->value, "?"))
        err = weir_fetch(ctx, seen_s, rec->key, minute - MINUTES(2), minute, WEIR_DESCENDING, &rows);
    else if (flow_is(rec->value, "every"))
        err = weir_fetch_keys(ctx, seen_s, NULL, NULL, 0, INT64_MAX, WEIR_ASCENDING, &rows);
    else
        return weir_put_window(ctx, seen_s, rec->key, rec->value, minute);
    if (err < 0)
        return err;
    while ((err = weir_next(rows, &row)) == WEIR_OK) {
        snprintf(start, sizeof(start), "%lld-%lld:", (long long)row.start, (long long)row.end);
        err = flow_join_texts(ctx, (struct weir_text){ .data = start, .size = strlen(start) }, "",
                              *(const struct weir_text *)row.value, &text);
        if (err == WEIR_OK)
            err = weir_forward(ctx, row.key, &text);
        if (err < 0)
            return err;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int count_up(struct weir_context *ctx, const struct weir_record *rec)
{
    const void *old;
    int64_t     count = 1;
    int         err = weir_get(ctx, tallies_s, rec->key, &old);

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK)
        count += *(const int64_t *)old;
    return weir_put(ctx, tallies_s, rec->key, &count);
}

static int tell_counts(struct weir_context *ctx, int64_t time)
{
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_range(ctx, tallies_s, NULL, NULL, WEIR_ASCENDING, &rows);

    (void)time;
    if (err < 0)
        return err;
    while ((err = weir_next(rows, &row)) == WEIR_OK)
        if ((err = weir_forward(ctx, row.key, row.value)) < 0)
            return err;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int every_ten_seconds_of_stream(struct weir_context *ctx)
{
    int64_t handle = weir_schedule(ctx, SECONDS(10), WEIR_STREAM_TIME, tell_counts);

    return handle < 0 ? (int)handle : WEIR_OK;
}

static int every_minute_of_wall(struct weir_context *ctx)
{
    int64_t handle = weir_schedule(ctx, MINUTES(1), WEIR_WALL_TIME, tell_counts);

    return handle < 0 ? (int)handle : WEIR_OK;
}

/* A record begins a schedule of seconds of wall time that ends itself after three. */
static int start_three(struct weir_context *ctx, const struct weir_record *rec)
{
    struct ticking *state = weir_state(ctx);

    (void)rec;
    state->left = 3;
    state->handle = weir_schedule(ctx, SECONDS(1), WEIR_WALL_TIME, tell_time);
    return state->handle < 0 ? (int)state->handle : WEIR_OK;
}

static int tell_time(struct weir_context *ctx, int64_t time)
{
    struct ticking  *state = weir_state(ctx);
    struct weir_text key = { .data = "tick", .size = 4 }, text;
    char             left[24];
    int              size = snprintf(left, sizeof(left), "%lld left", (long long)--state->left);

    (void)time;
    text = (struct weir_text){ .data = left, .size = (size_t)size };
    if (state->left == 0)
        weir_cancel(ctx, state->handle);
    return weir_forward(ctx, &key, &text);
}

static int gather(struct weir_context *ctx, const struct weir_record *rec)
{
    struct gathering *state = weir_state(ctx);

    (void)rec;
    state->count++;
    return WEIR_OK;
}

/* What came before a commit, and of all commits so far; in two goes. */
static int tell_gathered(struct weir_context *ctx)
{
    struct gathering *state = weir_state(ctx);
    struct weir_text  now = { "now", 3 }, all = { "all", 3 };
    const int64_t    *known;
    int64_t           sum;
    int               err = WEIR_OK;

    if (state->count == 0)
        return WEIR_OK;
    if (state->told++ % 2 == 0) {
        err = weir_forward(ctx, &now, &state->count);
        return err < 0 ? err : WEIR_AGAIN;
    }
    err = weir_get(ctx, tallies_s, &all, (const void **)&known);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    sum = state->count + (err == WEIR_OK ? *known : 0);
    state->count = 0;
    err = weir_put(ctx, tallies_s, &all, &sum);
    return err < 0 ? err : weir_forward(ctx, &all, &sum);
}
