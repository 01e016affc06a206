/* sort.c: events of a file that is not in order, sorted by time, row and part.
 *
 * (1) Up to a bound they stay in memory. What is more goes, sorted, into an unlinked temporary file, run by run, and the
 *     runs are merged: a file of any size is sorted in that memory and one file on disk of its size.
 * (2) No two events of a file have the same row and part: the order is total.
 */
#define _GNU_SOURCE /* mkstemp, pread */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "schemas/feeds/files.h"

/* An event as it is kept. */
struct item {
    int64_t  time;
    uint64_t row;
    uint32_t part, id_size, value_size;
    bool     timed, ordinal;
};

/* Sorted items, one after the other in the file from begin to end; in memory they are the sorter's own. */
struct run {
    long         at, end; /* in the file */
    struct item *head;    /* the next item; NULL = at its end */
    size_t       capacity;
};

struct market__sorter {
    struct weir_arena arena;
    struct item     **items;
    size_t            count, capacity, next;
    size_t            memory;
    const char       *temp;
    FILE             *file;
    struct run       *runs;
    size_t            run_count, run_capacity;
    struct run       *last; /* whose head was given out */
};

struct market__sorter *market__sorter_new(size_t memory, const char *temp)
{
    struct market__sorter *sorter = weir__zalloc(sizeof(*sorter));

    if (!sorter)
        return NULL;
    weir__arena_init(&sorter->arena, 0);
    sorter->memory = memory;
    sorter->temp = temp;
    return sorter;
}

void market__sorter_free(struct market__sorter *sorter)
{
    if (!sorter)
        return;
    weir__arena_fini(&sorter->arena);
    weir__free(sorter->items);
    for (size_t i = 0; i < sorter->run_count; i++)
        weir__free(sorter->runs[i].head);
    weir__free(sorter->runs);
    if (sorter->file)
        fclose(sorter->file);
    weir__free(sorter);
}

static int no_memory(struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, "sort", "out of memory");
}

static int compare(const struct item *a, const struct item *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return a->part < b->part ? -1 : a->part > b->part;
}

static int compare_pointers(const void *a, const void *b)
{
    return compare(*(struct item *const *)a, *(struct item *const *)b);
}

static size_t size_of(const struct item *item) { return sizeof(*item) + item->id_size + item->value_size; }

/* ---- runs ---- */

static int fail_file(const struct market__sorter *sorter, const char *what, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_IO, sorter->temp,
                      "rows out of order are sorted in a temporary file there, which cannot be %s: %s", what,
                      strerror(errno));
}

static int open_file(struct market__sorter *sorter, struct weir_error *reterr)
{
    char path[512];
    int  fd;

    if (sorter->file)
        return WEIR_OK;
    if ((size_t)snprintf(path, sizeof(path), "%s/weir-load-XXXXXX", sorter->temp) >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return fail_file(sorter, "made", reterr);
    }
    fd = mkstemp(path);
    if (fd < 0)
        return fail_file(sorter, "made", reterr);
    unlink(path);
    sorter->file = fdopen(fd, "w+b");
    if (!sorter->file) {
        close(fd);
        return fail_file(sorter, "opened", reterr);
    }
    return WEIR_OK;
}

static int spill(struct market__sorter *sorter, struct weir_error *reterr)
{
    struct run *run;
    int         err = open_file(sorter, reterr);

    if (err < 0)
        return err;
    if (GROW(sorter->runs, sorter->run_capacity, sorter->run_count) < 0)
        return no_memory(reterr);
    run = &sorter->runs[sorter->run_count];
    *run = (struct run){ .at = ftell(sorter->file) };
    qsort(sorter->items, sorter->count, sizeof(*sorter->items), compare_pointers);
    for (size_t i = 0; i < sorter->count; i++)
        if (fwrite(sorter->items[i], size_of(sorter->items[i]), 1, sorter->file) != 1)
            return fail_file(sorter, "written", reterr);
    run->end = ftell(sorter->file);
    sorter->run_count++;
    sorter->count = 0;
    weir__arena_reset(&sorter->arena);
    return WEIR_OK;
}

static int read_at(struct market__sorter *sorter, struct run *run, void *to, size_t size, struct weir_error *reterr)
{
    if (pread(fileno(sorter->file), to, size, run->at) != (ssize_t)size)
        return fail_file(sorter, "read", reterr);
    run->at += (long)size;
    return WEIR_OK;
}

/* The run's next item becomes its head. */
static int advance(struct market__sorter *sorter, struct run *run, struct weir_error *reterr)
{
    struct item item;
    int         err;

    if (run->at == run->end) {
        weir__free(run->head);
        run->head = NULL;
        return WEIR_OK;
    }
    err = read_at(sorter, run, &item, sizeof(item), reterr);
    if (err == WEIR_OK && size_of(&item) > run->capacity) {
        struct item *head = weir__realloc(run->head, size_of(&item) * 2);

        if (!head)
            return no_memory(reterr);
        run->head = head;
        run->capacity = size_of(&item) * 2;
    }
    if (err == WEIR_OK) {
        *run->head = item;
        err = read_at(sorter, run, run->head + 1, item.id_size + item.value_size, reterr);
    }
    return err;
}

/* ---- in and out ---- */

int market__sorter_add(struct market__sorter *sorter, const struct market__event *event, struct weir_error *reterr)
{
    struct item  item = { .time = event->time,
                          .row = event->row,
                          .part = event->part,
                          .id_size = (uint32_t)event->id.size,
                          .value_size = (uint32_t)event->value.size,
                          .timed = event->timed,
                          .ordinal = event->ordinal };
    struct item *kept;

    if (sorter->count && sorter->arena.used + size_of(&item) + sorter->count * sizeof(kept) > sorter->memory) {
        int err = spill(sorter, reterr);

        if (err < 0)
            return err;
    }
    if (GROW(sorter->items, sorter->capacity, sorter->count) < 0)
        return no_memory(reterr);
    kept = weir__arena_take(&sorter->arena, size_of(&item));
    if (!kept)
        return no_memory(reterr);
    *kept = item;
    memcpy((char *)(kept + 1), event->id.text, event->id.size);
    memcpy((char *)(kept + 1) + event->id.size, event->value.data, event->value.size);
    sorter->items[sorter->count++] = kept;
    return WEIR_OK;
}

int market__sorter_ready(struct market__sorter *sorter, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (sorter->count)
        qsort(sorter->items, sorter->count, sizeof(*sorter->items), compare_pointers);
    if (sorter->file && fflush(sorter->file) != 0)
        return fail_file(sorter, "written", reterr);
    for (size_t i = 0; i < sorter->run_count && err == WEIR_OK; i++)
        err = advance(sorter, &sorter->runs[i], reterr);
    return err;
}

static void give(const struct item *item, struct market__event *ret)
{
    const char *bytes = (const char *)(item + 1);

    *ret = (struct market__event){
        .time = item->time, .timed = item->timed, .ordinal = item->ordinal, .row = item->row, .part = item->part
    };
    memcpy(ret->id.text, bytes, item->id_size);
    ret->id.size = item->id_size;
    ret->id.text[ret->id.size] = '\0';
    ret->value = (struct weir_text){ .data = bytes + item->id_size, .size = item->value_size };
}

static struct run *first_run(struct market__sorter *sorter)
{
    struct run *first = NULL;

    for (size_t i = 0; i < sorter->run_count; i++)
        if (sorter->runs[i].head && (!first || compare(sorter->runs[i].head, first->head) < 0))
            first = &sorter->runs[i];
    return first;
}

int market__sorter_next(struct market__sorter *sorter, struct market__event *ret, struct weir_error *reterr)
{
    struct run  *run;
    struct item *item = sorter->next < sorter->count ? sorter->items[sorter->next] : NULL;
    int          err = sorter->last ? advance(sorter, sorter->last, reterr) : WEIR_OK;

    sorter->last = NULL;
    if (err < 0)
        return err;
    run = first_run(sorter);
    if (run && (!item || compare(run->head, item) < 0)) {
        sorter->last = run;
        give(run->head, ret);
        return WEIR_OK;
    }
    if (!item)
        return WEIR_NOTFOUND;
    sorter->next++;
    give(item, ret);
    return WEIR_OK;
}
