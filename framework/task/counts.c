/* counts.c: what a task counts by words that come with the records: drops, dead letters. Asking the registry takes its
 * lock, so a task remembers the series of the words it has met. */
#include "framework/metrics/families.h"
#include "framework/task/internal.h"

/* Words beyond these are asked for each time; the registry folds them into one in the end. */
#define MOST_WORDS 64

static struct weir__series *find(const struct weir__task *task, enum weir__family_id family,
                                 const char *const *labels)
{
    for (size_t i = 0; i < task->count_count; i++) {
        const struct weir__counted *at = &task->counts[i];

        if (at->family == (int)family && strcmp(at->words[0], labels[1]) == 0 &&
            (at->words[1] == NULL || strcmp(at->words[1], labels[2]) == 0))
            return at->series;
    }
    return NULL;
}

static void remember(struct weir__task *task, enum weir__family_id family, const char *const *labels, bool two,
                     struct weir__series *series)
{
    struct weir__counted at = { .family = (int)family, .series = series };

    if (task->count_count == MOST_WORDS || GROW(task->counts, task->count_capacity, task->count_count) < 0)
        return;
    at.words[0] = weir__arena_copy(&task->arena, labels[1], strlen(labels[1]) + 1);
    if (two)
        at.words[1] = weir__arena_copy(&task->arena, labels[2], strlen(labels[2]) + 1);
    if (at.words[0] != NULL && (!two || at.words[1] != NULL))
        task->counts[task->count_count++] = at;
}

static void count(struct weir__task *task, enum weir__family_id family, const char *first, const char *second)
{
    const char          *labels[] = { task->config.plan->topology->name, first, second };
    struct weir__series *series = find(task, family, labels);

    if (series == NULL) {
        series = weir__metric_of(task->config.metrics, family, labels);
        remember(task, family, labels, second != NULL, series);
    }
    weir__metric_add(series, 1);
}

void weir__drop_record(struct weir__task *task, const char *reason)
{
    count(task, WEIR__DROPPED_FAMILY, reason, NULL);
}

void weir__note_record(struct weir__task *task, const char *what) { count(task, WEIR__NOTED_FAMILY, what, NULL); }

void weir__count_letter(struct weir__task *task, const char *node, const char *code)
{
    count(task, WEIR__DEAD_LETTERS_FAMILY, node, code);
}

void weir__count_punctuation(struct weir__task *task, enum weir_time kind)
{
    count(task, WEIR__PUNCTUATIONS_FAMILY, kind == WEIR_STREAM_TIME ? "stream" : "wall", NULL);
}
