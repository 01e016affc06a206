/* explain_rows.c: what a store holds of a key, read from its changelog: rows, windows and where they stand.
 *
 * (1) Of each row the changelog's last record counts; a null one says that it is gone.
 * (2) A store whose keys have another codec than its task's holds rows under keys that begin with the task's. Each of
 *     these has windows of its own, and a time.
 */
#include <stdlib.h>

#include "framework/main/explain.h"

enum { SUFFIX = 12, SHOWN_MOST = 12 }; /* start and number after a window's key; rows shown of each standing */

struct row {
    struct weir_bytes key, value; /* plain key; value.data NULL: gone */
    int64_t           start, end, timestamp;
};

struct rows {
    struct weir__explain          *explain;
    const struct weir__store_plan *plan;
    const struct weir_codec       *codec; /* of the task's keys */
    const struct weir_codec       *value; /* of what is read */
    struct weir_bytes              key;
    struct weir__map               map;  /* by the changelog's key */
    struct row                   **list; /* by key, then start: a head is the first of its key */
    size_t                         count;
    struct weir__key_head          head; /* of the key whose windows are shown */
    bool                           has_head;
    int64_t                        observed; /* windows by the partition's time; -1 = not known */
    enum { NOTHING, FOLD, CLOSE } use; /* who has to do with windows: a fold, or one that waits for their close */
};

/* ---- gathering ---- */

static bool is_windows(const struct weir__store_plan *plan) { return plan->store.kind == WEIR__STORE_WINDOWS; }

/* Whether a row that begins with the key's bytes is one of it. */
static bool is_of_key(const struct rows *rows, struct weir_bytes key)
{
    const struct weir__explaining           *words = rows->explain->words;
    AUTO(weir__arena_fini) struct weir_arena arena = { 0 };
    const void                              *value;

    if (rows->plan->global || weir__codec_same(rows->plan->key, rows->codec))
        return weir__bytes_equal(key, rows->key);
    if (!weir__bytes_starts(key, rows->key))
        return false;
    return words->owns == NULL || weir__decode(rows->plan->key, &arena, key, &value) < 0 || value == NULL ||
           words->owns(rows->explain->key, rows->plan->key, value);
}

static int keep(struct rows *rows, const struct weir__raw *raw, struct weir_bytes plain, int64_t start)
{
    struct weir_arena *arena = &rows->explain->arena;
    struct row        *row = weir__map_get(&rows->map, raw->key);
    struct weir_bytes  value = raw->value;

    if (row == NULL) {
        struct weir_bytes key = BYTES(weir__arena_copy(arena, raw->key.data, raw->key.size), raw->key.size);

        row = weir_arena_alloc(arena, sizeof(*row));
        if (row == NULL || key.data == NULL || weir__map_put(&rows->map, key, row) < 0)
            return WEIR_NO_MEMORY;
        row->key = BYTES(key.data, plain.size);
        row->start = start;
    }
    row->value = NO_BYTES;
    if (value.data == NULL)
        return WEIR_OK;
    row->end = weir__time_add(start, rows->plan->store.window_size);
    if (rows->plan->store.ends && value.size >= sizeof(int64_t)) {
        row->end = (int64_t)weir__get_be64(value.data);
        value = BYTES((const char *)value.data + sizeof(int64_t), value.size - sizeof(int64_t));
    }
    row->timestamp = raw->timestamp;
    row->value = BYTES(weir__arena_copy(arena, value.data, value.size), value.size);
    return row->value.data != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

static int take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct rows      *rows = arg;
    struct weir_bytes plain = raw->key;
    int64_t           start = 0;
    int               err;

    if (plain.data == NULL || (is_windows(rows->plan) && plain.size < SUFFIX))
        return WEIR_OK;
    if (is_windows(rows->plan)) {
        plain.size -= SUFFIX;
        start = (int64_t)weir__get_be64((const char *)plain.data + plain.size);
    }
    if (!is_of_key(rows, plain))
        return WEIR_OK;
    err = keep(rows, raw, plain, start);
    return err < 0 ? weir__fail(reterr, err, raw->topic, "out of memory") : WEIR_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct row *const *x = a, *const *y = b;
    int                      by = weir__bytes_compare((*x)->key, (*y)->key);

    return by != 0 ? by : ((*x)->start > (*y)->start) - ((*x)->start < (*y)->start);
}

static bool is_head(const struct rows *rows, const struct row *row)
{
    return rows->plan->store.keyed && row->start == WEIR__HEAD_START;
}

/* What is there, in order. */
static int list_rows(struct rows *rows)
{
    struct weir__map_slot *slot;
    size_t                 position = 0;

    rows->list = weir_arena_alloc(&rows->explain->arena, sizeof(*rows->list) * (rows->map.count + 1));
    if (rows->list == NULL)
        return WEIR_NO_MEMORY;
    while ((slot = weir__map_next(&rows->map, &position)) != NULL) {
        struct row *row = slot->value;

        if (row->value.data != NULL)
            rows->list[rows->count++] = row;
    }
    qsort(rows->list, rows->count, sizeof(*rows->list), by_place);
    rows->explain->found += rows->count;
    return WEIR_OK;
}

/* partition < 0: all. A topic that is not there has no rows. */
static int gather(struct rows *rows, const char *topic, int32_t partition, struct weir_error *reterr)
{
    struct weir__explain *explain = rows->explain;
    int32_t               count = 0;
    int err = explain->engine->partitions(explain->log, topic, weir__explain_call_by(explain), &count);

    if (err < 0 && err != WEIR_NOTFOUND)
        return weir__fail(reterr, err, topic, "the topic cannot be read: %s", weir_code_text(err));
    err = WEIR_OK;
    if (partition < 0)
        err = weir__read_topic(explain->engine, explain->log, topic, count, take_record, rows, reterr);
    else if (partition < count)
        err = weir__read_partition(explain->engine, explain->log, (struct weir__tp){ topic, partition }, 0,
                                   take_record, rows, reterr);
    if (err == WEIR_OK && list_rows(rows) < 0)
        err = weir__fail(reterr, WEIR_NO_MEMORY, topic, "out of memory");
    return err;
}

/* ---- windows ---- */

static void put_span(const struct row *row, struct weir__buf *out)
{
    weir__explain_time(row->start, out);
    weir__buf_puts(out, " to ");
    if (row->end == INT64_MAX)
        weir__buf_puts(out, "the end of time");
    else
        weir__explain_time(row->end, out);
}

static enum weir_standing standing_of(const struct rows *rows, const struct row *row)
{
    const struct weir_windows *windows = rows->plan->windows;
    int64_t                    retention = rows->plan->store.retention;

    if (rows->plan->store.keyed)
        return rows->has_head ? weir__standing_of(&rows->head, windows->grace, retention, row->end) : WEIR_OPEN;
    if (rows->observed < 0)
        return WEIR_OPEN;
    if (row->start <= weir__time_sub(rows->observed, retention))
        return WEIR_PAST;
    return weir__time_add(row->end, windows->grace) <= rows->observed ? WEIR_CLOSED : WEIR_OPEN;
}

static void put_wait(const struct rows *rows, const struct row *row, struct weir__buf *out)
{
    const struct weir_windows *windows = rows->plan->windows;
    int64_t                    due = weir__time_add(row->end, windows->grace);

    if (due == INT64_MAX) {
        weir__buf_puts(out, "never closes");
        return;
    }
    weir__buf_printf(out, "%s a record of %s from ", rows->use == CLOSE ? "waits for" : "takes what comes before",
                     rows->plan->store.keyed ? "the key" : "the partition");
    weir__explain_time(due, out);
    weir__buf_puts(out, " on");
    if (rows->plan->store.keyed && windows->idle > 0) {
        weir__buf_puts(out, ", or for the clock to pass ");
        weir__explain_time(weir__time_add(MAX(due, rows->head.touched), windows->idle), out);
        weir__buf_puts(out, " without one");
    }
}

static void put_window(const struct rows *rows, const struct row *row, enum weir_standing standing)
{
    static const char *const names[] = { [WEIR_OPEN] = "open", [WEIR_CLOSED] = "closed", [WEIR_PAST] = "past" };
    struct weir__buf        *out = &rows->explain->out;

    weir__buf_puts(out, "      ");
    put_span(row, out);
    weir__buf_printf(out, ", %s: ", names[standing]);
    if (standing == WEIR_OPEN)
        put_wait(rows, row, out);
    else if (standing == WEIR_PAST)
        weir__buf_puts(out, "takes nothing any more");
    else if (row->end <= rows->head.closed_to && rows->has_head &&
             weir__time_add(row->end, rows->plan->windows->grace) > rows->head.time)
        weir__buf_puts(out, "by the clock, or the end of a run; a record of it is a correction");
    else
        weir__buf_puts(out, "a record of it is a correction");
    weir__buf_puts(out, "\n        ");
    weir__explain_value(rows->explain, rows->value, row->value, out);
    weir__buf_putc(out, '\n');
}

static void put_head(const struct rows *rows)
{
    struct weir__buf *out = &rows->explain->out;

    if (!rows->has_head) {
        weir__buf_puts(out, "    no time of the key is known\n");
        return;
    }
    if (rows->head.time >= 0) {
        weir__buf_puts(out, "    the key's time is ");
        weir__explain_time(rows->head.time, out);
    } else {
        weir__buf_puts(out, "    the key has no time yet");
    }
    weir__buf_puts(out, "; the last record came at ");
    weir__explain_time(rows->head.touched, out);
    if (rows->head.closed_to > 0) {
        weir__buf_puts(out, "; the clock has closed what ends by ");
        weir__explain_time(rows->head.closed_to, out);
    }
    if (rows->head.gone_to > 0) {
        weir__buf_puts(out, "; the key had left with what ends by ");
        weir__explain_time(rows->head.gone_to, out);
    }
    weir__buf_putc(out, '\n');
}

/* Windows that nobody folds and nobody waits for are rows with a time. */
static void put_kept(const struct rows *rows)
{
    struct weir__buf *out = &rows->explain->out;
    const struct row *newest;

    if (rows->count == 0)
        return;
    newest = rows->list[rows->count - 1];
    weir__buf_puts(out, "    nothing waits for them to close; the newest, from ");
    weir__explain_time(newest->start, out);
    weir__buf_puts(out, "\n        ");
    weir__explain_value(rows->explain, rows->value, newest->value, out);
    weir__buf_putc(out, '\n');
}

/* The newest of each standing; open ones first. */
static void put_standings(const struct rows *rows)
{
    static const char *const words[] = {
        [WEIR_OPEN] = "open", [WEIR_CLOSED] = "closed", [WEIR_PAST] = "past retention"
    };
    size_t            counts[3] = { 0 }, most[3] = { SHOWN_MOST, 1, 1 };
    struct weir__buf *out = &rows->explain->out;

    for (size_t i = 0; i < rows->count; i++)
        counts[standing_of(rows, rows->list[i])]++;
    for (int standing = WEIR_OPEN; standing <= WEIR_PAST; standing++) {
        size_t shown = 0;

        if (counts[standing] == 0)
            continue;
        weir__buf_printf(out, "    %zu %s%s\n", counts[standing], words[standing],
                         counts[standing] > most[standing] ? "; the newest:" : "");
        for (size_t i = rows->count; i > 0 && shown < most[standing]; i--)
            if ((int)standing_of(rows, rows->list[i - 1]) == standing) {
                put_window(rows, rows->list[i - 1], (enum weir_standing)standing);
                shown++;
            }
    }
}

/* ---- other rows ---- */

static void put_rows(const struct rows *rows)
{
    struct weir__buf *out = &rows->explain->out;
    bool              same = rows->plan->global || weir__codec_same(rows->plan->key, rows->codec);

    for (size_t i = rows->count > 3 ? rows->count - 3 : 0; i < rows->count; i++) {
        weir__buf_puts(out, "    ");
        if (!same) {
            weir__explain_value(rows->explain, rows->plan->key, rows->list[i]->key, out);
            weir__buf_puts(out, ": ");
        }
        weir__explain_value(rows->explain, rows->value, rows->list[i]->value, out);
        weir__buf_putc(out, '\n');
    }
}

/* The windows of one of the keys. */
static void put_windows(const struct rows *rows)
{
    struct rows one = *rows;

    if (is_head(rows, rows->list[0])) {
        one.has_head = weir__key_head_read(rows->list[0]->value, &one.head) == WEIR_OK;
        one.list++;
        one.count--;
    }
    if (!weir__bytes_equal(rows->list[0]->key, rows->key)) {
        weir__buf_puts(&rows->explain->out, "    of ");
        weir__explain_value(rows->explain, rows->plan->key, rows->list[0]->key, &rows->explain->out);
        weir__buf_puts(&rows->explain->out, ":\n");
    }
    if (rows->plan->store.keyed)
        put_head(&one);
    if (rows->use != NOTHING)
        put_standings(&one);
    else
        put_kept(&one);
}

static void put_all_windows(const struct rows *rows)
{
    struct rows one = *rows;

    for (size_t i = 0; i < rows->count; i += one.count) {
        one.list = &rows->list[i];
        one.count = 1;
        while (i + one.count < rows->count && weir__bytes_equal(one.list[0]->key, one.list[one.count]->key))
            one.count++;
        put_windows(&one);
    }
}

static void put_store(const struct rows *rows)
{
    bool   windows = is_windows(rows->plan);
    size_t count = rows->count;

    for (size_t i = 0; windows && i < rows->count; i++)
        count -= is_head(rows, rows->list[i]);
    weir__buf_printf(&rows->explain->out, "  %s: %zu %s%s\n", rows->plan->name, count, windows ? "windows" : "rows",
                     count > 3 && !windows ? ", the last three" : "");
    if (windows)
        put_all_windows(rows);
    else
        put_rows(rows);
}

/* ---- a store ---- */

static bool has_store(const struct weir__node *node, const struct weir__store_plan *plan)
{
    for (size_t i = 0; i < node->store_count; i++)
        if (node->stores[i] == plan)
            return true;
    return false;
}

static int use_of(const struct weir__subtopology *sub, const struct weir__store_plan *plan)
{
    int use = NOTHING;

    for (size_t i = 0; i < sub->node_count; i++) {
        const struct weir__node *node = sub->nodes[i];

        if (!has_store(node, plan))
            continue;
        if (node->op == WEIR__FOLD_WINDOWS)
            use = MAX(use, node->emit == WEIR_ON_CLOSE ? CLOSE : FOLD);
        if (node->op == WEIR__PROCESS && node->spec->final != NULL)
            use = CLOSE;
    }
    return use;
}

static void take_time(void *arg, struct weir_bytes name, int64_t time)
{
    struct rows *rows = arg;
    size_t       size = strlen(rows->plan->name);

    if (name.size == size + strlen(WEIR__OBSERVED) && memcmp(name.data, rows->plan->name, size) == 0)
        rows->observed = MAX(rows->observed, time);
}

int weir__explain_store(struct weir__explain *explain, const struct weir__explain_task *task,
                        const struct weir__store_plan *plan, struct weir_error *reterr)
{
    struct rows rows = {
        .explain = explain, .plan = plan, .codec = task->codec, .value = plan->value, .key = task->key, .observed = -1
    };
    int64_t time;
    int     err = WEIR_OK;

    if (plan->changelog == NULL) {
        weir__buf_printf(&explain->out, "  %s: has no changelog: only its task knows\n", plan->name);
        return WEIR_OK;
    }
    rows.use = use_of(task->sub, plan);
    for (size_t i = 0; err == WEIR_OK && i < task->offset_count; i++)
        if (weir__metadata_read(task->offsets[i].metadata, &explain->arena, &time, take_time, &rows) ==
            WEIR_NO_MEMORY)
            err = weir__fail(reterr, WEIR_NO_MEMORY, plan->name, "out of memory");
    if (err == WEIR_OK)
        err = gather(&rows, plan->changelog, task->partition, reterr);
    if (err == WEIR_OK)
        put_store(&rows);
    weir__map_fini(&rows.map);
    return err;
}

/* Of the topic that a global store is filled from: a verb may make other rows of its records. */
static const struct weir_codec *value_of_topic(const struct weir__plan *of, const struct weir__store_plan *plan)
{
    for (size_t i = 0; i < of->node_count; i++)
        for (size_t j = 0; of->nodes[i]->op == WEIR__SOURCE && j < of->nodes[i]->topic_count; j++)
            if (strcmp(of->nodes[i]->topics[j], plan->source_topic) == 0)
                return of->nodes[i]->value_out;
    return plan->value;
}

int weir__explain_global(struct weir__explain *explain, const struct weir__plan *of,
                         const struct weir__store_plan *plan, struct weir_error *reterr)
{
    struct rows rows = { .explain = explain, .plan = plan, .codec = plan->key, .observed = -1 };
    int         err;

    if (plan->source_topic == NULL || weir__explain_key(explain, plan->key, &rows.key) < 0)
        return WEIR_OK;
    rows.value = value_of_topic(of, plan);
    err = gather(&rows, plan->source_topic, -1, reterr);
    if (err == WEIR_OK)
        put_store(&rows);
    weir__map_fini(&rows.map);
    return err;
}
