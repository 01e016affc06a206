/* keyed.c: windows by the time of each key. */
#include "test/scenario/flow.h"
#include "test/scenario/topologies/verbs.h"

static weir_assign  by_day;
static weir_process note, mark;
static weir_final   tell_note;

/* clang-format off */
SOURCE(lines, "lines", weir_string, weir_string);
SINK  (dead,  "dead",  NULL, NULL);

WINDOWS(minutes_s, weir_string, weir_string,
        TUMBLING(MINUTES(1), SECONDS(30), .time = WEIR_PER_KEY, .retention = MINUTES(10), .idle = MINUTES(2)));
REDUCE   (minutes,   minutes_s, flow_concat, .emit = WEIR_ON_CLOSE);
AS_STREAM(results);
STEP     (marked,      mark, .key = WINDOWED(weir_string, MINUTES(1)), .value = weir_string);
SINK     (minutes_out, "minutes", WINDOWED(weir_string, MINUTES(1)), weir_string);
static TOPOLOGY(key_minutes, .paths = PATHS(PATH(lines, minutes, results, marked, minutes_out)), .dead_letters = dead);

WINDOWS(days_s, weir_string, weir_int64, CALENDAR(by_day, DAYS(2), 0, .time = WEIR_PER_KEY, .retention = DAYS(7)));
COUNT  (days,     days_s, .emit = WEIR_EACH);
SINK   (days_out, "days", WINDOWED(weir_string, DAYS(2)), weir_int64);
static TOPOLOGY(key_days, .paths = PATHS(PATH(lines, days, days_out)), .dead_letters = dead);

WINDOWS(notes_s, weir_string, weir_string, TUMBLING(MINUTES(1), 0, .time = WEIR_PER_KEY, .retention = MINUTES(5)));
STEP   (notes,   note, .uses = STORES(notes_s), .final = tell_note, .value = weir_string);
SINK   (out,     "out", weir_string, weir_string);
static TOPOLOGY(key_notes, .paths = PATHS(PATH(lines, notes, out)), .dead_letters = dead);
/* clang-format on */

FLOW(key_minutes);
FLOW(key_days);
FLOW(key_notes);

/* A result of a window that has closed gets an exclamation mark. */
static int mark(struct weir_context *ctx, const struct weir_record *rec)
{
    static const struct weir_text end = { .data = "!", .size = 1 };
    struct weir_text              text;
    int                           err;

    if (rec->value == NULL || !weir_closed(ctx))
        return weir_forward(ctx, rec->key, rec->value);
    err = flow_join_texts(ctx, *(const struct weir_text *)rec->value, "", end, &text);
    return err < 0 ? err : weir_forward(ctx, rec->key, &text);
}

/* Days; the second is two days long. "none" belongs to no day, "bad" fails. */
static int by_day(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *ret_spans, size_t max)
{
    int64_t start = rec->timestamp - rec->timestamp % DAYS(1), size = DAYS(1);

    (void)ctx;
    if (flow_is(rec->value, "bad"))
        return WEIR_VERB_FAILED;
    if (flow_is(rec->value, "none"))
        return 0;
    if (start == DAYS(1) || start == DAYS(2)) {
        start = DAYS(1);
        size = DAYS(2);
    }
    if (max > 0)
        ret_spans[0] = (struct weir_span){ .start = start, .end = start + size };
    return 1;
}

/* Puts the value into the key's minute, and moves the key's time. */
static int note(struct weir_context *ctx, const struct weir_record *rec)
{
    int64_t start = rec->timestamp - rec->timestamp % MINUTES(1);
    int     standing = weir_window_standing(ctx, notes_s, rec->key, start + MINUTES(1));
    int     err;

    if (standing < 0)
        return standing;
    if (standing == WEIR_PAST)
        return weir_reject(ctx, WEIR_TOO_LATE, "its minute is kept no more");
    err = weir_put_window(ctx, notes_s, rec->key, rec->value, start);
    return err < 0 ? err : weir_advance(ctx, notes_s, rec->key, rec->timestamp);
}

static int tell_note(struct weir_context *ctx, const struct weir_store *store, const struct weir_row *row)
{
    (void)store;
    return weir_forward(ctx, row->key, row->value);
}
