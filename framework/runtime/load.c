/* load.c: files into topics, each row once.
 *
 * (1) How far a file is loaded is committed with its rows, in one transaction: a kill leaves both or neither.
 * (2) A file is known by its content: the hash of what was read of it. The name does not matter, a file that has
 *     grown goes on where it ended, a file loaded twice adds nothing.
 * (3) A pipe cannot be read again: its rows are committed as they come, and nothing is remembered of it.
 * (4) A row that is refused ends the load at its line; rows before it stay, and a repeat begins there.
 * (5) Several processes may load at once. Which slot a file has is settled under one producer id, so two never take the
 *     same one by chance; rows are sent under the slot's own id, so a second loader of the same file fences the first and
 *     goes on from what that one has committed, and loaders of different files do not meet.
 *
 * Progress lives in the committed offsets of the groups "weir-load-0", "weir-load-1", ... for partition 0 of the
 * topic, a slot for each file: offset = bytes read (unpacked), metadata = "hash rows lines whole head-bytes head-hash". A
 * slot whose offset is 0 was taken and has no rows yet: the file is known by its head. A file that was loaded whole keeps
 * its slot when it grows, so that its shorter form is still known.
 */
#include "framework/json/json.h"
#include "framework/runtime/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define TAKING_ID     "weir-load" /* producer of those who take a slot; "weir-load-N" of slot N */
#define HEAD_BYTES    INT64_C(65536)
#define ROWS_AT_ONCE  2000
#define BYTES_AT_ONCE ((size_t)4 << 20)
#define MOST_TRIES    5 /* that bring nothing */
/* Taking a slot is short: who is fenced meanwhile tries again, a little later. */
#define MOST_TAKES   50
#define TAKE_MOST_MS 100

struct progress {
    struct weir__place at;
    uint64_t           rows;
    uint32_t           slot;  /* group's number */
    int                whole; /* the file ended here */
    struct weir__place head;  /* what the file began with when the slot was taken; bytes 0: not known */
};

struct loader {
    const struct weir__load_config *config;
    const struct weir__load        *load;
    struct weir__producer          *producer;
    struct weir__lines             *file;
    struct weir__buf                line;
    struct weir_arena               arena;
    struct weir__place              head;              /* of the file: its first bytes */
    struct progress                 now;               /* as read */
    bool                            inside;            /* the earlier load ended within a line */
    uint64_t                        uncommitted, sent; /* rows */
    size_t                          uncommitted_bytes;
    int64_t                         committed; /* monotonic us: the last commit, or the beginning */
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
    char                group[32], text[160];
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
    if (sscanf(text, "%" SCNx64 " %" SCNu64 " %" SCNu64 " %d %" SCNd64 " %" SCNx64, &ret->at.hash, &ret->rows,
               &ret->at.lines, &ret->whole, &ret->head.bytes, &ret->head.hash) < 4)
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

/* What a slot's file is known by: what was read of it, or its head. */
static const struct weir__place *mark_of(const struct progress *slot)
{
    return slot->at.bytes > 0 ? &slot->at : &slot->head;
}

static int by_mark(const void *a, const void *b)
{
    int64_t x = mark_of(a)->bytes, y = mark_of(b)->bytes;

    return x < y ? -1 : x > y;
}

/* Whether a slot is nearer than the best so far: more was read of it; where as much, the file that has grown since. */
static bool is_nearer(const struct progress *slot, const struct progress *best, bool found)
{
    return !found || slot->at.bytes > best->at.bytes || (slot->at.bytes == best->at.bytes && !slot->whole);
}

/* Finds the longest load of the same content. */
static int find_slot(struct loader *loader, struct slots *slots, struct progress *ret, bool *ret_found,
                     struct weir_error *reterr)
{
    int err = weir__lines_seek(loader->file, &(struct weir__place){ 0 }, reterr);

    *ret = (struct progress){ .at = weir__lines_place(loader->file) };
    *ret_found = loader->inside = false;
    if (slots->count > 0)
        qsort(slots->items, slots->count, sizeof(*slots->items), by_mark);
    for (size_t i = 0; err == WEIR_OK && i < slots->count; i++) {
        const struct weir__place *mark = mark_of(&slots->items[i]);

        err = mark->bytes > 0 ? weir__lines_pass(loader->file, mark->bytes, reterr) : WEIR_OK;
        if (err < 0 || mark->bytes == 0 || weir__lines_place(loader->file).hash != mark->hash ||
            !is_nearer(&slots->items[i], ret, *ret_found))
            continue;
        *ret = slots->items[i];
        *ret_found = true;
        loader->inside = ret->at.bytes > 0 && weir__lines_inside(loader->file);
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

static int fail_commit(const struct loader *loader, int code, struct weir_error *reterr)
{
    if (code == WEIR_FENCED)
        return weir__fail(
            reterr, code, loader->load->path,
            "another process has begun to load the same file into %s and goes on from what is committed: "
            "let it finish",
            loader->load->topic);
    return weir__fail(reterr, code, loader->load->path, "the rows cannot be committed: %s; load the file again",
                      weir_code_text(code));
}

/* With the slot's progress; of a pipe there is none. */
static int commit_progress(struct loader *loader)
{
    const struct progress *now = &loader->now;
    char                   group[32], metadata[160];
    struct weir__offset offset = { .tp = { .topic = loader->load->topic, .partition = 0 }, .offset = now->at.bytes };
    int                 err;

    name_group(now->slot, group, sizeof(group));
    snprintf(metadata, sizeof(metadata), "%016" PRIx64 " %" PRIu64 " %" PRIu64 " %d %" PRId64 " %016" PRIx64,
             now->at.hash, now->rows, now->at.lines, now->whole, now->head.bytes, now->head.hash);
    offset.metadata = BYTES(metadata, strlen(metadata));
    do
        err = loader->config->engine->commit(loader->producer, group, NULL, 0, &offset,
                                             weir__lines_piped(loader->file) ? 0 : 1, call_by(loader));
    while (err == WEIR_AGAIN && !must_stop(loader)); /* given up, its outcome shows when the file is loaded again */
    return err;
}

static int commit(struct loader *loader, struct weir_error *reterr)
{
    int err;

    weir__crash_at(WEIR__BEFORE_LOAD);
    err = commit_progress(loader);
    if (err < 0)
        return fail_commit(loader, err, reterr);
    weir__crash_at(WEIR__AFTER_LOAD);
    loader->sent += loader->uncommitted;
    loader->committed = weir__monotonic_us();
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
        return err == WEIR_FENCED ? fail_commit(loader, err, reterr) : fail_line(loader, err, refusal(err), reterr);
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
static int end_rows(struct loader *loader, int err, struct weir_error *reterr)
{
    loader->now.whole = err == WEIR_NOTFOUND;
    if (err == WEIR_NOTFOUND)
        return commit(loader, reterr);
    if (loader->uncommitted > 0) {
        int code = commit(loader, NULL);

        if (code < 0)
            return fail_commit(loader, code, reterr);
    }
    return err;
}

static int load_rows(struct loader *loader, struct weir_error *reterr)
{
    int err = WEIR_OK;

    while (err == WEIR_OK) {
        err = take_line(loader, reterr);
        if (err < 0)
            return end_rows(loader, err, reterr);
        if (batch_full(loader))
            err = commit(loader, reterr);
        if (err == WEIR_OK && must_stop(loader)) {
            err = loader->uncommitted > 0 ? commit(loader, reterr) : WEIR_OK;
            return err < 0 ? err : WEIR_AGAIN;
        }
    }
    return err;
}

/* ---- taking a slot ---- */

static int open_producer(struct loader *loader, const char *id, struct weir_error *reterr)
{
    int err;

    loader->config->engine->producer_close(loader->producer);
    loader->producer = NULL;
    do
        err = loader->config->engine->producer(loader->config->log, id, call_by(loader), &loader->producer, reterr);
    while (err == WEIR_AGAIN && !must_stop(loader));
    return err;
}

static int read_head(struct loader *loader, struct weir_error *reterr)
{
    int err = weir__lines_pass(loader->file, HEAD_BYTES, reterr);

    loader->head = weir__lines_place(loader->file);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* Of a file that was loaded whole nothing is left to load, unless it has grown. WEIR_NOTFOUND: it has not. */
static int look_behind(struct loader *loader, const struct progress *from, struct weir_error *reterr)
{
    int err = weir__lines_seek(loader->file, &from->at, reterr);

    return err == WEIR_OK ? weir__lines_pass(loader->file, from->at.bytes + 1, reterr) : err;
}

/* The file's slot in now: the one it has, or a free one. WEIR_NOTFOUND: the file is loaded whole. */
static int take_slot(struct loader *loader, struct weir_error *reterr)
{
    AUTO(free_slots) struct slots slots = { 0 };
    bool                          found = false;
    int                           err = open_producer(loader, TAKING_ID, reterr);

    if (err == WEIR_OK)
        err = read_slots(loader, &slots, reterr);
    if (err == WEIR_OK)
        err = find_slot(loader, &slots, &loader->now, &found, reterr);
    if (err == WEIR_OK && found && loader->now.whole)
        err = look_behind(loader, &loader->now, reterr);
    if (err < 0 || (found && !loader->now.whole))
        return err;
    loader->now.slot = (uint32_t)slots.count;
    loader->now.whole = 0;
    loader->now.head = loader->head;
    err = commit_progress(loader);
    return err < 0 ? fail_commit(loader, err, reterr) : WEIR_OK;
}

static int take_slot_at_last(struct loader *loader, struct weir_error *reterr)
{
    unsigned seed = (unsigned)weir__monotonic_us() ^ (unsigned)(uintptr_t)loader;
    int      err, takes = 0;

    while (((err = take_slot(loader, reterr)) == WEIR_FENCED || err == WEIR_ABORT) && ++takes < MOST_TAKES &&
           !must_stop(loader))
        nanosleep(&(struct timespec){ .tv_nsec = rand_r(&seed) % TAKE_MOST_MS * 1000000L }, NULL);
    return err;
}

/* Under the slot's own id; whoever wrote it until now is fenced. WEIR_ABORT: the slot is not what it was when it was
 * taken. */
static int own_slot(struct loader *loader, struct weir_error *reterr)
{
    struct progress now;
    char            id[32];
    int             err;

    name_group(loader->now.slot, id, sizeof(id));
    err = open_producer(loader, id, reterr);
    if (err == WEIR_OK)
        err = read_slot(loader, loader->now.slot, &now, reterr);
    if (err == WEIR_OK && (now.at.bytes != loader->now.at.bytes || now.whole != loader->now.whole))
        err = weir__fail(reterr, WEIR_ABORT, loader->load->path, "another process loads it: load the file again");
    return err;
}

/* ---- a file ---- */

static int load_pipe(struct loader *loader, struct weir_error *reterr)
{
    int err = open_producer(loader, NULL, reterr);

    loader->now.at = weir__lines_place(loader->file);
    return err == WEIR_OK ? load_rows(loader, reterr) : err;
}

static int load_from(struct loader *loader, struct weir_error *reterr)
{
    int err;

    if (weir__lines_piped(loader->file))
        return load_pipe(loader, reterr);
    err = read_head(loader, reterr);
    if (err == WEIR_OK)
        err = loader->head.bytes > 0 ? take_slot_at_last(loader, reterr) : WEIR_NOTFOUND;
    if (err == WEIR_NOTFOUND) /* there is nothing to load */
        return WEIR_OK;
    if (err == WEIR_OK)
        err = own_slot(loader, reterr);
    if (err == WEIR_OK)
        err = weir__lines_seek(loader->file, &loader->now.at, reterr);
    if (err == WEIR_OK)
        err = finish_line(loader, reterr);
    if (err == WEIR_NOTFOUND) /* nothing after a line without its end */
        return WEIR_OK;
    return err == WEIR_OK ? load_rows(loader, reterr) : err;
}

static void close_all(struct loader *loader)
{
    loader->config->engine->producer_close(loader->producer);
    weir__lines_close(loader->file);
    weir__buf_fini(&loader->line);
    weir__arena_fini(&loader->arena);
    weir__free(loader);
}

/* An aborted transaction is worth another try. A fenced one only if it was old: then the brokers ended it, not another
 * process. */
static bool worth_again(const struct loader *loader, int code)
{
    if (weir_code_scope(code) != WEIR_SCOPE_TASK || loader->file == NULL || weir__lines_piped(loader->file))
        return false;
    return (code != WEIR_FENCED || weir__monotonic_us() - loader->committed >= loader->config->transaction_us) &&
           !must_stop(loader);
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
    loader->committed = weir__monotonic_us();
    weir__arena_init(&loader->arena, (size_t)256 << 20);
    err = weir__lines_open(load->path, &loader->file, reterr);
    if (err == WEIR_OK)
        err = load_from(loader, reterr);
    *ret_rows += loader->sent;
    *ret_again = worth_again(loader, err);
    close_all(loader);
    return err;
}

/* A transaction that was aborted, by brokers that were away for long, is begun again from what is committed. */
int weir__load_file(const struct weir__load_config *config, const struct weir__load *load, uint64_t *ret_rows,
                    struct weir_error *reterr)
{
    bool     again;
    int      err, tries = 0;
    uint64_t before;

    *ret_rows = 0;
    do {
        before = *ret_rows;
        err = load_once(config, load, ret_rows, &again, reterr);
        tries = *ret_rows > before ? 0 : tries + 1;
    } while (again && tries < MOST_TRIES);
    return err;
}
