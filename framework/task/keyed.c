/* keyed.c: windows by key time: what is known of a key, what its time makes due, and what the wall clock does.
 *
 * (1) A key's time is the greatest event time of its records. Its head keeps it, beside the rows and in the changelog, so
 *     neither neighbours nor partitions nor restarts show in it.
 * (2) A window takes records while its end + retention lies after the key's time, unless it has left with its key. It has
 *     closed once its end + grace is reached by that time, or when the clock closed it. The clock never decides what a
 *     window takes, but for keys that left.
 * (3) Only the key whose time moves is looked at; the bounds in its head say when there is something to see.
 * (4) A timer of a key is never later than what is due. What is due is worked out from the head: a timer only asks.
 */
#include "framework/metrics/families.h"
#include "framework/task/internal.h"
#include "framework/task/left.h"

/* How long the time of a key that has left is kept, wall time. */
#define REMEMBERED DAYS(90)
/* Absent rows that are asked for one by one before a range is read, which costs as much as many of these. */
#define MOST_GAPS 4
/* Rows of a range that are asked for one by one at most. */
#define MOST_STEPS 32
/* Rows of a key that are kept at once, so that its windows fit a record's memory, however many they are. */
#define MOST_FOUND 64

/* ---- making and end ---- */

static struct weir__series *count_of(const struct weir__binding *binding, const char *event)
{
    const struct weir__task *task = binding->task;
    const char              *labels[] = { task->config.plan->topology->name, binding->plan->name, event };

    return weir__metric_of(task->config.metrics, WEIR__WINDOWS_FAMILY, labels);
}

int weir__keyed_open(struct weir__binding *binding)
{
    const struct weir_windows *windows = binding->plan->windows;
    struct weir__keyed        *keyed = weir_arena_alloc(&binding->task->arena, sizeof(*keyed));

    if (keyed == NULL)
        return WEIR_NO_MEMORY;
    *keyed = (struct weir__keyed){ .binding = binding,
                                   .grace = windows->grace,
                                   .retention = binding->spec->retention,
                                   .longest = binding->spec->window_size,
                                   .even = weir__windows_step(windows) > 0,
                                   .idle = windows->idle,
                                   .ttl = windows->kind == WEIR_UNLIMITED ? INT64_MAX : weir__windows_ttl(windows),
                                   .refuses = windows->late == WEIR_REFUSE,
                                   .closed = count_of(binding, "closed"),
                                   .closed_idle = count_of(binding, "closed_by_clock"),
                                   .corrected = count_of(binding, "corrected"),
                                   .left = count_of(binding, "key_left") };
    binding->keyed = keyed;
    return WEIR_OK;
}

void weir__keyed_close(struct weir__keyed *keyed)
{
    if (keyed != NULL)
        weir__timers_fini(&keyed->timers);
}

/* ---- heads ---- */

int weir__keyed_head(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head *ret)
{
    int err = weir__store_head(keyed->binding->store, key, ret);

    if (err != WEIR_NOTFOUND)
        return err;
    *ret = (struct weir__key_head){
        .time = WEIR__UNKNOWN, .touched = WEIR__UNKNOWN, .open_end = WEIR__NO_END, .rows_end = WEIR__NO_END
    };
    return WEIR_OK;
}

static int64_t closed_before(const struct weir__keyed *keyed, const struct weir__key_head *head)
{
    return MAX(weir__time_sub(head->time, keyed->grace), head->closed_to);
}

enum weir_standing weir__standing_of(const struct weir__key_head *head, int64_t grace, int64_t retention, int64_t end)
{
    if (weir__time_add(end, retention) <= head->time || end <= head->gone_to)
        return WEIR_PAST;
    return end <= MAX(weir__time_sub(head->time, grace), head->closed_to) ? WEIR_CLOSED : WEIR_OPEN;
}

enum weir_standing weir__keyed_standing(const struct weir__keyed *keyed, const struct weir__key_head *head,
                                        int64_t end)
{
    return weir__standing_of(head, keyed->grace, keyed->retention, end);
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

void weir__keyed_put(const struct weir__keyed *keyed, struct weir__key_head *head, int64_t end)
{
    if (head->rows_end == WEIR__NO_END)
        head->step = 0;
    if (head->last_end > 0)
        head->step = common_divisor(head->step, head->last_end - end);
    head->last_end = MAX(head->last_end, end);
    head->rows_end = MIN(head->rows_end, end);
    if (end > closed_before(keyed, head))
        head->open_end = MIN(head->open_end, end);
}

/* Whether windows that have not closed keep the key: somebody waits for their close, or the clock will close them. */
static bool waits(const struct weir__keyed *keyed, const struct weir__key_head *head)
{
    return head->open_end != WEIR__NO_END && (keyed->closer != NULL || keyed->idle > 0);
}

/* Wall time at which there is something to do for a key. */
static int64_t due_of(const struct weir__keyed *keyed, const struct weir__key_head *head)
{
    if (keyed->ttl == INT64_MAX)
        return INT64_MAX;
    if (head->rows_end == WEIR__NO_END)
        return weir__time_add(head->touched, MAX(REMEMBERED, keyed->ttl));
    if (!waits(keyed, head))
        return weir__time_add(head->touched, keyed->ttl);
    if (keyed->idle == 0)
        return INT64_MAX;
    return weir__time_add(MAX(weir__time_add(head->open_end, keyed->grace), head->touched), keyed->idle);
}

static int set_timer(struct weir__keyed *keyed, struct weir_bytes key, int64_t due)
{
    if (due != INT64_MAX)
        return weir__timers_set(&keyed->timers, key, due);
    weir__timers_remove(&keyed->timers, key);
    return WEIR_OK;
}

int weir__keyed_save(struct weir__keyed *keyed, struct weir_bytes key, const struct weir__key_head *before,
                     const struct weir__key_head *head)
{
    int64_t due = due_of(keyed, head);
    int     err = WEIR_OK;

    if (before->touched == WEIR__UNKNOWN || due < due_of(keyed, before))
        err = set_timer(keyed, key, due);
    if (err < 0)
        return err;
    keyed->binding->task->dirty = true;
    return weir__store_put_head(keyed->binding->store, key, head);
}

/* ---- rows that are due ---- */

/* A row that was found, in the record arena. */
struct found {
    int64_t           start, end, timestamp;
    struct weir_bytes value;
    struct found     *next;
};
struct finding {
    bool          values; /* wanted too */
    bool          all;    /* rows are counted to the end, also when `most` of them are kept */
    size_t        most;
    int64_t       from; /* starts before it are not looked at */
    struct found *first, **last;
    size_t        count;
    int64_t       kept_to;  /* start of the last row kept */
    int64_t       greatest; /* end found */
    int64_t       next;     /* least end beyond the bound; WEIR__NO_END = none */
};

static int keep_row(struct weir__keyed *keyed, const struct weir__row *row, int64_t end, struct finding *finding)
{
    struct weir_arena *arena = &keyed->binding->task->record;
    struct weir_bytes  value = row->value.bytes;
    struct found      *found = weir_arena_alloc(arena, sizeof(*found));

    if (found == NULL)
        return WEIR_LIMIT;
    *found = (struct found){ .start = row->start, .end = end, .timestamp = row->value.timestamp };
    if (finding->values) {
        found->value = BYTES(weir__arena_copy(arena, value.data, value.size), value.size);
        if (found->value.data == NULL)
            return WEIR_LIMIT;
    }
    *finding->last = found;
    finding->last = &found->next;
    finding->kept_to = row->start;
    return WEIR_OK;
}

static int count_row(struct weir__keyed *keyed, const struct weir__row *row, int64_t end, struct finding *finding)
{
    finding->greatest = MAX(finding->greatest, end);
    return finding->count++ < finding->most ? keep_row(keyed, row, end, finding) : WEIR_OK;
}

static int take_row(struct weir__keyed *keyed, const struct weir__row *row, int64_t least, int64_t bound,
                    struct finding *finding)
{
    int64_t end = weir__row_end(keyed->binding, row->start, &row->value);

    if (end > bound)
        finding->next = MIN(finding->next, end);
    return end >= least && end <= bound ? count_row(keyed, row, end, finding) : WEIR_OK;
}

static bool enough(const struct finding *finding, int64_t start)
{
    return start >= finding->next || (!finding->all && finding->count >= finding->most);
}

/* The first end from `least` on at which a row may lie. */
static int64_t first_end(const struct weir__key_head *head, int64_t least)
{
    int64_t steps = head->step > 0 && least < head->last_end ? (head->last_end - least) / head->step : 0;

    return head->last_end - steps * head->step;
}

/* Asks for row by row at the distances that the key's rows are known to have. WEIR_AGAIN: there are too many gaps. */
static int probe(struct weir__keyed *keyed, struct weir_bytes key, const struct weir__key_head *head, int64_t least,
                 int64_t bound, struct finding *finding)
{
    struct weir__row row = { .key = key };
    int64_t          from = MAX(least, weir__time_add(finding->from, keyed->longest)), end = first_end(head, from);
    int              gaps = 0, err = WEIR_OK;

    if (!keyed->even)
        return WEIR_AGAIN;
    while (err == WEIR_OK && end >= from && end <= head->last_end && !enough(finding, end - keyed->longest)) {
        row.start = end - keyed->longest;
        err = weir__store_get_window(keyed->binding->store, key, row.start, &row.value);
        if (err == WEIR_OK)
            err = take_row(keyed, &row, least, bound, finding);
        else if (err == WEIR_NOTFOUND)
            err = ++gaps > MOST_GAPS ? WEIR_AGAIN : WEIR_OK;
        if (head->step == 0)
            break;
        end += head->step;
    }
    return err;
}

int weir__steps_open(struct weir__keyed *keyed, struct weir_bytes key, int64_t from, int64_t to,
                     struct weir__steps *ret)
{
    struct weir__key_head head;
    int64_t               least;
    int                   err = keyed->even ? weir__keyed_head(keyed, key, &head) : WEIR_AGAIN;

    if (err < 0)
        return err;
    least = MAX(weir__time_add(from, keyed->longest), head.rows_end);
    *ret = (struct weir__steps){ .key = key, .last = -1 };
    if (least > head.last_end)
        return WEIR_OK;
    ret->start = first_end(&head, least) - keyed->longest;
    ret->last = MIN(to, head.last_end - keyed->longest);
    ret->step = head.step > 0 ? head.step : keyed->longest; /* 0: there is one row */
    return (ret->last - ret->start) / ret->step < MOST_STEPS ? WEIR_OK : WEIR_AGAIN;
}

int weir__steps_next(struct weir__keyed *keyed, struct weir__steps *steps, struct weir__row *ret)
{
    int err = WEIR_NOTFOUND;

    while (err == WEIR_NOTFOUND && steps->start <= steps->last) {
        *ret = (struct weir__row){ .key = steps->key, .start = steps->start };
        err = weir__store_get_window(keyed->binding->store, steps->key, steps->start, &ret->value);
        steps->start += steps->step;
    }
    return err;
}

static int read_range(struct weir__keyed *keyed, struct weir_bytes key, int64_t least, int64_t bound,
                      struct finding *finding)
{
    struct weir__rows *rows;
    struct weir__row   row;
    int64_t            from = MAX(weir__time_sub(least, keyed->longest), finding->from);
    int err = weir__store_fetch(keyed->binding->store, key, key, from, INT64_MAX, WEIR_ASCENDING, &rows);

    if (err < 0)
        return err;
    while ((err = weir__rows_next(rows, &row)) == WEIR_OK && !enough(finding, row.start))
        if ((err = take_row(keyed, &row, least, bound, finding)) < 0)
            break;
    weir__rows_close(rows);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* The rows of a key that end in [least, bound], by start, finding->most of them kept; least: of the head. Of the others only
 * those are read that may end next. */
static int find(struct weir__keyed *keyed, struct weir_bytes key, const struct weir__key_head *head, int64_t least,
                int64_t bound, struct finding *finding)
{
    const struct finding empty = { .values = finding->values,
                                   .all = finding->all,
                                   .most = finding->most,
                                   .from = finding->from,
                                   .next = WEIR__NO_END };
    int                  err;

    *finding = empty;
    finding->last = &finding->first;
    err = probe(keyed, key, head, least, bound, finding);
    if (err != WEIR_AGAIN)
        return err;
    *finding = empty;
    finding->last = &finding->first;
    return read_range(keyed, key, least, bound, finding);
}

/* ---- closing ---- */

/* What a closed window forwards has its row's time, and the place of the record that closed it. */
static struct weir__event closed_event(const struct weir__task *task, const struct weir_row *row)
{
    const struct weir_record *cause = task->ctx.event != NULL ? &task->ctx.event->rec : NULL;

    return (struct weir__event){ .closed = true,
                                 .rec = { .timestamp = row->timestamp,
                                          .topic = cause != NULL ? cause->topic : NULL,
                                          .partition = cause != NULL ? cause->partition : -1,
                                          .offset = cause != NULL ? cause->offset : -1 } };
}

/* Runs .final in its node's place: what it forwards has the row's time, and is of a closed window. */
static int call_final(struct weir__keyed *keyed, const struct weir_row *row)
{
    struct weir__live        *live = keyed->closer;
    struct weir__task        *task = live->task;
    const struct weir_context saved = task->ctx;
    struct weir__event        event = closed_event(task, row);
    int                       err;

    task->ctx = (struct weir_context){
        .task = task, .live = live, .event = &event, .closed = true, .partition_time = WEIR__UNKNOWN
    };
    err = live->node->spec->final(&task->ctx, keyed->binding->plan->spec, row);
    weir__close_rows(&task->ctx, NULL);
    task->ctx = saved;
    return err >= 0 ? WEIR_OK : weir__handle_failure(live, err, task->config.on_failure);
}

static int emit_final(struct weir__keyed *keyed, const struct weir_row *row)
{
    struct weir__task    *task = keyed->binding->task;
    struct weir_windowed *key = weir_arena_alloc(&task->record, sizeof(*key));
    struct weir__event    event = closed_event(task, row);

    if (key == NULL)
        return WEIR_LIMIT;
    *key = (struct weir_windowed){ .key = row->key, .start = row->start, .end = row->end };
    event.rec.key = key;
    event.rec.value = row->value;
    return weir__emit(keyed->closer, &event);
}

static int tell_closed(struct weir__keyed *keyed, struct weir_bytes key, const struct found *found)
{
    const struct weir__store_plan *plan = keyed->binding->plan;
    struct weir_arena             *arena = &keyed->binding->task->record;
    struct weir_row                row = { .timestamp = found->timestamp, .start = found->start, .end = found->end };
    int                            err = weir__decode(plan->key, arena, key, &row.key);

    if (err == WEIR_OK)
        err = weir__decode(plan->value, arena, found->value, &row.value);
    if (err < 0)
        return err;
    return keyed->closer->node->materialized ? emit_final(keyed, &row) : call_final(keyed, &row);
}

/* Each with a record's memory of its own: many may close at once. */
static int tell_found(struct weir__keyed *keyed, struct weir_bytes key, const struct finding *finding)
{
    struct weir__task *task = keyed->binding->task;
    struct weir_arena  kept;
    int                err = WEIR_OK;

    weir__record_aside(task, &kept);
    for (const struct found *found = finding->first; err == WEIR_OK && found != NULL; found = found->next) {
        weir__arena_reset(&task->record);
        err = tell_closed(keyed, key, found);
    }
    weir__record_back(task, &kept);
    return err;
}

/* Tells what was found, and of what was not kept as much at a time. The head is as it was before they closed. */
static int tell_all(struct weir__keyed *keyed, struct weir_bytes key, const struct weir__key_head *head,
                    int64_t bound, struct finding *finding)
{
    struct weir__task *task = keyed->binding->task;
    struct weir_arena  kept;
    int                err = tell_found(keyed, key, finding);

    if (err < 0 || finding->count < finding->most)
        return err;
    finding->all = false;
    weir__record_aside(task, &kept);
    do {
        weir__arena_reset(&task->record);
        finding->from = finding->kept_to + 1;
        err = find(keyed, key, head, head->open_end, bound, finding);
        if (err == WEIR_OK)
            err = tell_found(keyed, key, finding);
    } while (err == WEIR_OK && finding->count >= finding->most);
    weir__record_back(task, &kept);
    return err;
}

/* Closes the key's open windows that end by bound. The head is saved first: what is told may read and put. */
static int close_windows(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head *head, int64_t bound,
                         bool by_clock)
{
    const struct weir__key_head before = *head;
    struct finding              finding = { .values = keyed->closer != NULL, .all = true, .most = MOST_FOUND };
    int                         err = find(keyed, key, head, head->open_end, bound, &finding);

    if (err < 0)
        return err;
    head->open_end = finding.next;
    if (by_clock)
        head->closed_to = MAX(head->closed_to, finding.greatest);
    err = weir__keyed_save(keyed, key, &before, head);
    if (err == WEIR_OK)
        weir__metric_add(by_clock ? keyed->closed_idle : keyed->closed, (double)finding.count);
    return err == WEIR_OK && keyed->closer != NULL ? tell_all(keyed, key, &before, bound, &finding) : err;
}

/* Deletes the key's rows that end by bound. */
static int delete_rows(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head *head, int64_t bound)
{
    struct finding finding = { .most = 1000 };
    int            err;

    do {
        err = find(keyed, key, head, head->rows_end, bound, &finding);
        for (struct found *found = finding.first; err == WEIR_OK && found != NULL; found = found->next)
            err = weir__store_forget(keyed->binding->store, key, found->start, head->time);
    } while (err == WEIR_OK && finding.count == finding.most);
    head->rows_end = finding.next;
    return err;
}

static int expire(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head *head, int64_t bound)
{
    const struct weir__key_head before = *head;
    int                         err = delete_rows(keyed, key, head, bound);

    return err < 0 ? err : weir__keyed_save(keyed, key, &before, head);
}

int weir__keyed_look(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head head)
{
    int64_t closed = weir__time_sub(head.time, keyed->grace), kept = weir__time_sub(head.time, keyed->retention);
    int     err = WEIR_OK;

    if (head.open_end <= closed) {
        err = weir__keyed_head(keyed, key, &head);
        if (err == WEIR_OK)
            err = close_windows(keyed, key, &head, closed, false);
    }
    if (err == WEIR_OK && head.rows_end <= kept) {
        err = weir__keyed_head(keyed, key, &head);
        if (err == WEIR_OK)
            err = expire(keyed, key, &head, kept);
    }
    return err;
}

/* ---- the wall clock ---- */

static bool input_at_end(const struct weir__task *task)
{
    for (size_t i = 0; i < task->queue_count; i++)
        if (task->queues[i].has_head || task->queues[i].count > 0 || task->queues[i].lag != 0)
            return false;
    return true;
}

/* A key leaves: its rows go, its time stays. */
static int leave(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head *head)
{
    const struct weir__key_head before = *head;
    int                         err = delete_rows(keyed, key, head, INT64_MAX);

    if (err < 0)
        return err;
    head->gone_to = MAX(head->gone_to, head->last_end);
    head->open_end = WEIR__NO_END;
    weir__metric_add(keyed->left, 1);
    return weir__keyed_save(keyed, key, &before, head);
}

/* Does what the clock makes due for a key; it is less afterwards. */
static int act(struct weir__keyed *keyed, struct weir_bytes key, struct weir__key_head *head, int64_t now)
{
    int64_t bound;

    keyed->binding->task->dirty = true;
    if (head->rows_end == WEIR__NO_END)
        return weir__store_put_head(keyed->binding->store, key, NULL);
    if (!waits(keyed, head))
        return leave(keyed, key, head);
    bound = weir__time_sub(now, weir__time_add(keyed->idle, keyed->grace));
    return close_windows(keyed, key, head, bound, true);
}

static int fire(struct weir__keyed *keyed, int64_t now)
{
    struct weir__timer   *timer = keyed->timers.heap[0];
    struct weir_arena    *arena = &keyed->binding->task->record;
    struct weir_bytes     key = BYTES(weir__arena_copy(arena, timer->key, timer->key_size), timer->key_size);
    struct weir__key_head head;
    int                   err;

    if (key.data == NULL)
        return WEIR_LIMIT;
    err = weir__store_head(keyed->binding->store, key, &head);
    if (err == WEIR_OK && due_of(keyed, &head) <= now) {
        err = act(keyed, key, &head, now);
        if (err == WEIR_OK)
            err = weir__store_head(keyed->binding->store, key, &head);
    }
    if (err == WEIR_OK)
        return set_timer(keyed, key, due_of(keyed, &head));
    if (err == WEIR_NOTFOUND)
        weir__timers_remove(&keyed->timers, key);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int scan(struct weir__keyed *keyed)
{
    struct weir__rows    *rows;
    struct weir__row      row;
    struct weir__key_head head;
    int                   err = weir__store_heads(keyed->binding->store, &rows);

    if (err < 0)
        return err;
    weir__timers_clear(&keyed->timers);
    while ((err = weir__rows_next(rows, &row)) == WEIR_OK) {
        err = weir__key_head_read(row.value.bytes, &head);
        if (err == WEIR_OK)
            err = set_timer(keyed, row.key, due_of(keyed, &head));
        if (err < 0)
            break;
    }
    weir__rows_close(rows);
    keyed->scanned = err == WEIR_NOTFOUND;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static bool is_due(const struct weir__keyed *keyed, int64_t now)
{
    return keyed->timers.count > 0 && keyed->timers.heap[0]->due <= now;
}

static int tick_store(struct weir__keyed *keyed, int64_t now)
{
    struct weir__task *task = keyed->binding->task;
    int                err = keyed->scanned ? WEIR_OK : scan(keyed);

    while (err == WEIR_OK && is_due(keyed, now) && !weir__task_wants_commit(task)) {
        task->depth++;
        err = fire(keyed, now);
        task->depth--;
        if (task->depth == 0)
            weir__arena_reset(&task->record);
    }
    return err;
}

/* Gives a failure its words, where who met it had none. */
static int fail_tick(struct weir__keyed *keyed, int code)
{
    struct weir__task *task = keyed->binding->task;

    if (code < 0 && task->error.code != code)
        weir__fail(&task->error, code, keyed->binding->plan->name, "windows cannot be closed by the clock: %s",
                   weir_code_text(code));
    return code;
}

int weir__keyed_tick(struct weir__task *task)
{
    int64_t now = task->config.now(task->config.now_arg);

    if (!input_at_end(task))
        return WEIR_OK;
    for (size_t i = 0; i < task->binding_count; i++) {
        int err = task->bindings[i].keyed != NULL ? tick_store(task->bindings[i].keyed, now) : WEIR_OK;

        if (err < 0)
            return fail_tick(task->bindings[i].keyed, err);
    }
    return WEIR_OK;
}

bool weir__task_ticks(struct weir__task *task)
{
    int64_t now = task->config.now(task->config.now_arg);

    for (size_t i = 0; i < task->binding_count; i++)
        if (task->bindings[i].keyed != NULL && is_due(task->bindings[i].keyed, now))
            return input_at_end(task);
    return false;
}

/* ---- the end of a bounded run ---- */

int weir__keyed_close_all(struct weir__keyed *keyed)
{
    struct weir__task    *task = keyed->binding->task;
    struct weir__rows    *rows;
    struct weir__row      row;
    struct weir__key_head head;
    int                   err = weir__store_heads(keyed->binding->store, &rows);

    if (err < 0)
        return err;
    while ((err = weir__rows_next(rows, &row)) == WEIR_OK) {
        struct weir_bytes key = BYTES(weir__arena_copy(&task->record, row.key.data, row.key.size), row.key.size);

        err = key.data != NULL ? weir__key_head_read(row.value.bytes, &head) : WEIR_LIMIT;
        if (err == WEIR_OK && head.open_end != WEIR__NO_END)
            err = close_windows(keyed, key, &head, INT64_MAX, true);
        if (err < 0)
            break;
        if (task->depth == 1)
            weir__arena_reset(&task->record);
    }
    weir__rows_close(rows);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}
