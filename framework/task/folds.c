/* folds.c: dead letters beyond a rate: counted, with the offsets of their records, and sent as one with the commit.
 *
 * (1) A fold lives as long as what is uncommitted: it is in the transaction of its records' offsets, or is forgotten and those are
 *     read again. So nothing is uncounted, whatever ends the task.
 * (2) It names its records one by one. They stay where they were read; so records of internal topics, which are trimmed behind their
 *     reader, are never folded, nor letters of no record.
 * (3) The rate is of one second, of this task, for each stage and code.
 */
#include "framework/json/json.h"
#include "framework/task/internal.h"

enum {
    FOLDS_MOST = 64,  /* open at once */
    RUNS_MOST = 1000, /* in one of them: some 20 KB of JSON */
};

struct fold {
    struct weir__folded_letter letter;
    char                      *code, *message, *tenant;
};

struct rate {
    const char *node;
    char       *code;
    int64_t     second, count;
};

struct weir__folds {
    struct fold  folds[FOLDS_MOST];
    size_t       count;
    struct rate *rates;
    size_t       rate_count, rate_capacity;
};

static void forget(struct weir__folds *folds)
{
    for (size_t i = 0; i < folds->count; i++) {
        weir__runs_fini(&folds->folds[i].letter.offsets);
        weir__free(folds->folds[i].code);
        weir__free(folds->folds[i].message);
        weir__free(folds->folds[i].tenant);
        folds->folds[i] = (struct fold){ 0 };
    }
    folds->count = 0;
}

void weir__folds_drop(struct weir__task *task)
{
    if (task->folds != NULL)
        forget(task->folds);
}

void weir__folds_fini(struct weir__task *task)
{
    if (task->folds == NULL)
        return;
    forget(task->folds);
    for (size_t i = 0; i < task->folds->rate_count; i++)
        weir__free(task->folds->rates[i].code);
    weir__free(task->folds->rates);
    weir__free(task->folds);
    task->folds = NULL;
}

/* ---- the rate ---- */

static struct rate *rate_of(struct weir__folds *folds, const char *node, const char *code)
{
    struct rate *rate;

    for (size_t i = 0; i < folds->rate_count; i++)
        if (strcmp(folds->rates[i].node, node) == 0 && strcmp(folds->rates[i].code, code) == 0)
            return &folds->rates[i];
    if (GROW(folds->rates, folds->rate_capacity, folds->rate_count) < 0)
        return NULL;
    rate = &folds->rates[folds->rate_count];
    *rate = (struct rate){ .node = node, .code = weir__strdup(code) };
    if (rate->code == NULL)
        return NULL;
    folds->rate_count++;
    return rate;
}

/* The queue of the record at work, where it may be folded; else NULL. */
static const struct weir__queue *queue_of(const struct weir__task *task)
{
    for (size_t i = 0; task->current != NULL && !task->bare_letter && i < task->queue_count; i++)
        if (task->current == &task->queues[i].head)
            return task->queues[i].source->node->internal ? NULL : &task->queues[i];
    return NULL;
}

/* 1: it is one too many; 0; WEIR_NO_MEMORY. */
static int exceeds(struct weir__task *task, const struct weir__dead_letter *letter)
{
    struct rate *rate;
    int64_t      second = letter->last_failed / 1000;

    if (task->config.letters_per_second <= 0 || queue_of(task) == NULL)
        return 0;
    if (task->folds == NULL && (task->folds = weir__zalloc(sizeof(*task->folds))) == NULL)
        return WEIR_NO_MEMORY;
    rate = rate_of(task->folds, letter->node, letter->code);
    if (rate == NULL)
        return WEIR_NO_MEMORY;
    rate->count = rate->second == second ? rate->count + 1 : 1;
    rate->second = second;
    return rate->count > task->config.letters_per_second;
}

/* ---- folds ---- */

static int send_fold(struct weir__task *task, const struct weir__folded_letter *letter)
{
    struct weir_json_out json = { 0 };
    struct weir__buf     key = { 0 };
    struct weir__raw     raw = { .topic = task->config.plan->dead_letters,
                                 .partition = -1,
                                 .timestamp = letter->last_failed };
    int                  err = weir__folded_letter_print(letter, &json);

    weir__buf_printf(&key, "%s:%d", letter->source.topic, letter->source.partition);
    raw.key = BYTES(key.data, key.size);
    raw.value = BYTES(json.buf.data, json.buf.size);
    if (err == WEIR_OK && !weir__buf_ok(&key))
        err = WEIR_NO_MEMORY;
    if (err == WEIR_OK)
        err = weir__send_off(task, &raw, WEIR__TO_DEAD_LETTERS);
    weir__json_out_fini(&json);
    weir__buf_fini(&key);
    return err;
}

int weir__folds_send(struct weir__task *task)
{
    int err = WEIR_OK;

    for (size_t i = 0; task->folds != NULL && err == WEIR_OK && i < task->folds->count; i++)
        err = send_fold(task, &task->folds->folds[i].letter);
    if (err == WEIR_OK)
        weir__folds_drop(task);
    return err;
}

static bool same_text(struct weir_text a, struct weir_text b)
{
    return (a.data == NULL) == (b.data == NULL) && weir__bytes_equal(BYTES(a.data, a.size), BYTES(b.data, b.size));
}

static bool is_of(const struct weir__folded_letter *fold, const struct weir__dead_letter *letter)
{
    return fold->source.partition == letter->source->partition && strcmp(fold->code, letter->code) == 0 &&
           strcmp(fold->node, letter->node) == 0 && strcmp(fold->source.topic, letter->source->topic) == 0 &&
           same_text(fold->tenant, letter->tenant);
}

static int begin_fold(struct weir__task *task, const struct weir__dead_letter *letter, struct fold **ret)
{
    struct fold *fold = &task->folds->folds[task->folds->count];

    *fold = (struct fold){ .code = weir__strdup(letter->code) };
    if (letter->tenant.data != NULL)
        fold->tenant = weir__memdup(letter->tenant.data, letter->tenant.size);
    fold->letter = (struct weir__folded_letter){ .source = { queue_of(task)->topic, letter->source->partition },
                                                 .topology = letter->topology,
                                                 .node = letter->node,
                                                 .code = fold->code,
                                                 .tenant = { fold->tenant, letter->tenant.size },
                                                 .first_failed = letter->first_failed };
    task->folds->count++;
    *ret = fold;
    return fold->code != NULL && (letter->tenant.data == NULL || fold->tenant != NULL) ? WEIR_OK : WEIR_NO_MEMORY;
}

/* The open one that takes the letter, or a new one; where all are open they are sent first. */
static int fold_of(struct weir__task *task, const struct weir__dead_letter *letter, struct fold **ret)
{
    struct weir__folds *folds = task->folds;
    int                 err = WEIR_OK;

    for (size_t i = 0; i < folds->count; i++)
        if (folds->folds[i].letter.offsets.count < RUNS_MOST && is_of(&folds->folds[i].letter, letter)) {
            *ret = &folds->folds[i];
            return WEIR_OK;
        }
    if (folds->count == FOLDS_MOST)
        err = weir__folds_send(task);
    return err == WEIR_OK ? begin_fold(task, letter, ret) : err;
}

static int add(struct fold *fold, const struct weir__dead_letter *letter)
{
    char *message = weir__strdup(letter->message);

    if (message == NULL)
        return WEIR_NO_MEMORY;
    weir__free(fold->message);
    fold->letter.message = fold->message = message;
    fold->letter.count++;
    fold->letter.last_failed = MAX(fold->letter.last_failed, letter->last_failed);
    return weir__runs_add(&fold->letter.offsets, letter->source->offset, letter->source->offset);
}

int weir__fold_letter(struct weir__task *task, const struct weir__dead_letter *letter)
{
    struct fold *fold;
    int          err = exceeds(task, letter);

    if (err <= 0)
        return err;
    err = fold_of(task, letter, &fold);
    if (err == WEIR_OK)
        err = add(fold, letter);
    return err == WEIR_OK ? 1 : err;
}
