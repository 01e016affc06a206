/* load.c: files into topics, each row once.
 *
 * (1) How far a file is loaded is committed with its rows, in one transaction: a kill leaves both or neither.
 * (2) A file is known by its content: the hash of what was read of it. The name does not matter, a file that has
 *     grown goes on where it ended, a file loaded twice adds nothing.
 * (3) A pipe cannot be read again: its rows are committed as they come, and nothing is remembered of it.
 * (4) A row that is refused ends the load at its line; rows before it stay, and a repeat begins there.
 *
 * Progress lives in the committed offsets of the groups "weir-load-0", "weir-load-1", ... for partition 0 of the
 * topic, one for each file: offset = bytes read (unpacked), metadata = "hash rows lines whole". A file that was
 * loaded whole keeps its slot when it grows, so that its shorter form is still known.
 */
#include "framework/json/json.h"
#include "framework/runtime/internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define PRODUCER_ID   "weir-load"
#define ROWS_AT_ONCE  2000
#define BYTES_AT_ONCE ((size_t)4 << 20)
#define MOST_TRIES    5

struct progress {
    struct weir__place at;
    uint64_t           rows;
    uint32_t           slot;  /* group's number */
    int                whole; /* the file ended here */
};

struct loader {
    const struct weir__load_config *config;
    const struct weir__load        *load;
    struct weir__producer          *producer;
    struct weir__lines             *file;
    struct weir__buf                line;
    struct weir_arena               arena;
    struct progress                 now;               /* as read */
    bool                            inside;            /* the earlier load ended within a line */
    uint64_t                        uncommitted, sent; /* rows */
    size_t                          uncommitted_bytes;
};

static int64_t call_by(const struct loader *loader)
{
    return loader->config->engine->now(loader->config->log) + WEIR__CALL_MS;
}

static bool must_stop(const struct loader *loader)
{
    return loader->config->stop != NULL && atomic_load(loader->config->stop);
}

static int fail_line(const struct loader *loader, int code, const char *what, struct weir_error *reterr)
{
    char where[160];

    snprintf(where, sizeof(where), "%.120s:%" PRIu64, weir__lines_name(loader->file), loader->now.at.lines + 1);
    return weir__fail(reterr, code, where, "%s; the lines before it are loaded: mend the line and load %s again",
                      what, weir__lines_piped(loader->file) ? "what is left" : "the file");
}

/* ---- progress ---- */

static void name_group(uint32_t slot, char *ret, size_t size) { snprintf(ret, size, "weir-load-%" PRIu32, slot); }

/* What slot n of the topic says; bytes < 0: the slot is free. */
static int read_slot(struct loader *loader, uint32_t slot, struct progress *ret, struct weir_error *reterr)
{
    struct weir__offset offset = { .tp = { .topic = loader->load->topic, .partition = 0 }, .offset = -1 };
    char                group[32], text[96];
    int                 err;

    name_group(slot, group, sizeof(group));
    do
        err = loader->config->engine->committed(loader->config->log, group, &offset, 1, &loader->arena,
                                                call_by(loader));
    while (err == WEIR_AGAIN && !must_stop(loader));
    if (err < 0)
        return weir__fail(reterr, err, loader->load->topic, "it cannot be told what was loaded before: %s",
                          weir_code_text(err));
    *ret = (struct progress){ .at.bytes = offset.offset, .slot = slot };
    if (offset.offset < 0)
        return WEIR_OK;
    snprintf(text, sizeof(text), "%.*s", (int)MIN(offset.metadata.size, sizeof(text) - 1),
             offset.metadata.data != NULL ? (const char *)offset.metadata.data : "");
    if (sscanf(text, "%" SCNx64 " %" SCNu64 " %" SCNu64 " %d", &ret->at.hash, &ret->rows, &ret->at.lines,
               &ret->whole) != 4)
        return weir__fail(reterr, WEIR_CORRUPT, group, "the progress of a load reads \"%.60s\"", text);
    return WEIR_OK;
}

struct slots {
    struct progress *items;
    size_t           count, capacity;
};

static void free_slots(struct slots *slots) { weir__free(slots->items); }

static int read_slots(struct loader *loader, struct slots *ret, struct weir_error *reterr)
{
    for (;;) {
        struct progress progress;
        int             err = read_slot(loader, (uint32_t)ret->count, &progress, reterr);

        if (err < 0 || progress.at.bytes < 0)
            return err;
        if (GROW(ret->items, ret->capacity, ret->count) < 0)
            return weir__fail(reterr, WEIR_NO_MEMORY, loader->load->path, "out of memory");
        ret->items[ret->count++] = progress;
    }
}

static int by_bytes(const void *a, const void *b)
{
    const struct progress *x = a, *y = b;

    return x->at.bytes < y->at.bytes ? -1 : x->at.bytes > y->at.bytes;
}

/* Finds the longest load of the same content; a file that nobody loaded takes a free slot. */
static int find_slot(struct loader *loader, struct slots *slots, struct progress *ret, struct weir_error *reterr)
{
    int err = WEIR_OK;

    *ret = loader->now;
    ret->slot = (uint32_t)slots->count;
    if (slots->count > 0)
        qsort(slots->items, slots->count, sizeof(*slots->items), by_bytes);
    for (size_t i = 0; err == WEIR_OK && i < slots->count; i++) {
        err = weir__lines_pass(loader->file, slots->items[i].at.bytes, reterr);
        if (err < 0 || weir__lines_place(loader->file).hash != slots->items[i].at.hash)
            continue;
        *ret = slots->items[i];
        loader->inside = weir__lines_inside(loader->file);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* The last line had no end when it was loaded: what has come since may only be that end. */
static int finish_line(struct loader *loader, struct weir_error *reterr)
{
    int err;

    if (!loader->inside)
        return WEIR_OK;
    err = weir__lines_next(loader->file, &loader->line, reterr);
    if (err == WEIR_OK && loader->line.size > 0)
        return fail_line(loader, WEIR_REJECTED, "the line before this one was loaded when it was shorter", reterr);
    if (err == WEIR_OK) {
        loader->now.at = weir__lines_place(loader->file);
        loader->now.at.lines--; /* it was counted then */
        weir__lines_count(loader->file, loader->now.at.lines);
    }
    return err;
}

/* ---- sending ---- */

static int commit(struct loader *loader, struct weir_error *reterr)
{
    char                group[32], metadata[96];
    struct weir__offset offset = { .tp = { .topic = loader->load->topic, .partition = 0 },
                                   .offset = loader->now.at.bytes };
    int                 err;

    name_group(loader->now.slot, group, sizeof(group));
    snprintf(metadata, sizeof(metadata), "%016" PRIx64 " %" PRIu64 " %" PRIu64 " %d", loader->now.at.hash,
             loader->now.rows, loader->now.at.lines, loader->now.whole);
    offset.metadata = BYTES(metadata, strlen(metadata));
    weir__crash_at(WEIR__BEFORE_LOAD);
    do
        err = loader->config->engine->commit(loader->producer, group, NULL, 0, &offset,
                                             weir__lines_piped(loader->file) ? 0 : 1, call_by(loader));
    while (err == WEIR_AGAIN);
    if (err < 0)
        return weir__fail(reterr, err, loader->load->path, "the rows cannot be committed: %s; load the file again",
                          weir_code_text(err));
    weir__crash_at(WEIR__AFTER_LOAD);
    loader->sent += loader->uncommitted;
    loader->uncommitted = 0;
    loader->uncommitted_bytes = 0;
    return WEIR_OK;
}

static int parse_line(struct loader *loader, struct weir__raw *ret, struct weir_error *reterr)
{
    int64_t                 now = loader->config->engine->now(loader->config->log);
    const struct weir_json *json;
    struct weir_error       words = { 0 };
    char                    text[480];
    int                     err;

    if (loader->load->lines) {
        *ret = (struct weir__raw){ .timestamp = now, .value = BYTES(loader->line.data, loader->line.size) };
        return WEIR_OK;
    }
    err = weir_json_parse(&loader->arena, (struct weir_text){ loader->line.data, loader->line.size }, &json, &words);
    if (err == WEIR_OK)
        err = weir__raw_parse(json, loader->load->key, loader->load->value, &loader->arena, now, ret, &words);
    if (err == WEIR_OK)
        return WEIR_OK;
    snprintf(text, sizeof(text), "the line is no record: %.120s%s%.300s", words.where,
             words.where[0] != '\0' ? ": " : "", words.text[0] != '\0' ? words.text : weir_code_text(err));
    return fail_line(loader, err, text, reterr);
}

static const char *refusal(int err)
{
    switch (err) {
    case WEIR_TOO_LARGE: return "the record is larger than max.record.bytes";
    case WEIR_BAD_TIME: return "the timestamp cannot be used: it is ms since 1970, from 1 on";
    default: return weir_code_text(err);
    }
}

static int send_row(struct loader *loader, struct weir_error *reterr)
{
    struct weir__raw raw;
    int              err = parse_line(loader, &raw, reterr);

    if (err < 0)
        return err;
    raw.topic = loader->load->topic;
    raw.partition = -1;
    err = loader->config->engine->send(loader->producer, &raw, 0);
    if (err == WEIR_FULL) {
        err = commit(loader, reterr);
        if (err == WEIR_OK)
            err = loader->config->engine->send(loader->producer, &raw, 0);
    }
    if (err < 0)
        return fail_line(loader, err, refusal(err), reterr);
    loader->now.rows++;
    loader->uncommitted++;
    loader->uncommitted_bytes += raw.key.size + raw.value.size;
    return WEIR_OK;
}

static bool is_blank(const struct weir__buf *line)
{
    for (size_t i = 0; i < line->size; i++)
        if (line->data[i] != ' ' && line->data[i] != '\t' && line->data[i] != '\r')
            return false;
    return true;
}

/* A pipe that has nothing now: what came so far should not wait for more. */
static int wait_for_pipe(struct loader *loader, struct weir_error *reterr)
{
    int err = loader->uncommitted > 0 ? commit(loader, reterr) : WEIR_OK;

    return err == WEIR_OK && must_stop(loader) ? WEIR_AGAIN : err;
}

/* One line; what fails on it is not part of `now`, so that what was sent before can be committed. */
static int take_line(struct loader *loader, struct weir_error *reterr)
{
    int err = weir__lines_next(loader->file, &loader->line, reterr);

    if (err == WEIR_AGAIN)
        return wait_for_pipe(loader, reterr);
    if (err == WEIR_OK && (loader->load->lines || !is_blank(&loader->line)))
        err = send_row(loader, reterr);
    weir__arena_reset(&loader->arena);
    if (err == WEIR_OK)
        loader->now.at = weir__lines_place(loader->file);
    return err;
}

static bool batch_full(const struct loader *loader)
{
    return loader->uncommitted >= ROWS_AT_ONCE || loader->uncommitted_bytes >= BYTES_AT_ONCE;
}

/* The end of the file, or a line that was refused: what was sent is committed in either case. */
static int end_rows(struct loader *loader, int err, bool whole_before, struct weir_error *reterr)
{
    loader->now.whole = err == WEIR_NOTFOUND;
    if (err == WEIR_NOTFOUND)
        return whole_before && loader->uncommitted == 0 ? WEIR_OK : commit(loader, reterr);
    if (loader->uncommitted > 0) {
        int code = commit(loader, NULL);

        if (code < 0)
            return weir__fail(reterr, code, loader->load->path, "the rows cannot be committed: load the file again");
    }
    return err;
}

static int load_rows(struct loader *loader, bool whole_before, struct weir_error *reterr)
{
    int err = WEIR_OK;

    while (err == WEIR_OK) {
        err = take_line(loader, reterr);
        if (err < 0)
            return end_rows(loader, err, whole_before, reterr);
        if (batch_full(loader))
            err = commit(loader, reterr);
        if (err == WEIR_OK && must_stop(loader)) {
            err = loader->uncommitted > 0 ? commit(loader, reterr) : WEIR_OK;
            return err < 0 ? err : WEIR_AGAIN;
        }
    }
    return err;
}

/* ---- a file ---- */

static int open_all(struct loader *loader, struct weir_error *reterr)
{
    int err = weir__lines_open(loader->load->path, &loader->file, reterr);

    if (err < 0)
        return err;
    do
        err = loader->config->engine->producer(loader->config->log, PRODUCER_ID, call_by(loader), &loader->producer,
                                               reterr);
    while (err == WEIR_AGAIN && !must_stop(loader));
    return err;
}

static int load_from(struct loader *loader, struct weir_error *reterr)
{
    AUTO(free_slots) struct slots slots = { 0 };
    struct progress               from = { 0 };
    int                           err;

    if (weir__lines_piped(loader->file)) {
        loader->now.at = weir__lines_place(loader->file);
        return load_rows(loader, false, reterr);
    }
    err = read_slots(loader, &slots, reterr);
    if (err == WEIR_OK)
        err = find_slot(loader, &slots, &from, reterr);
    if (err == WEIR_OK)
        err = weir__lines_seek(loader->file, &from.at, reterr);
    loader->now = from;
    if (from.whole)
        loader->now.slot = (uint32_t)slots.count;
    loader->now.whole = 0;
    if (err == WEIR_OK)
        err = finish_line(loader, reterr);
    if (err == WEIR_NOTFOUND) /* nothing after a line without its end */
        return WEIR_OK;
    return err == WEIR_OK ? load_rows(loader, from.whole != 0, reterr) : err;
}

static void close_all(struct loader *loader)
{
    loader->config->engine->producer_close(loader->producer);
    weir__lines_close(loader->file);
    weir__buf_fini(&loader->line);
    weir__arena_fini(&loader->arena);
    weir__free(loader);
}

static int load_once(const struct weir__load_config *config, const struct weir__load *load, uint64_t *ret_rows,
                     bool *ret_again, struct weir_error *reterr)
{
    struct loader *loader = weir__zalloc(sizeof(*loader));
    int            err;

    *ret_again = false;
    if (loader == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, load->path, "out of memory");
    loader->config = config;
    loader->load = load;
    weir__arena_init(&loader->arena, (size_t)256 << 20);
    err = open_all(loader, reterr);
    if (err == WEIR_OK)
        err = load_from(loader, reterr);
    *ret_rows += loader->sent;
    *ret_again = weir_code_scope(err) == WEIR_SCOPE_TASK && loader->file != NULL &&
                 !weir__lines_piped(loader->file) && !must_stop(loader);
    close_all(loader);
    return err;
}

/* A transaction that was aborted, by brokers that were away for long, is begun again from what is committed. */
int weir__load_file(const struct weir__load_config *config, const struct weir__load *load, uint64_t *ret_rows,
                    struct weir_error *reterr)
{
    bool again;
    int  err, tries = 0;

    *ret_rows = 0;
    do
        err = load_once(config, load, ret_rows, &again, reterr);
    while (again && ++tries < MOST_TRIES);
    return err;
}
