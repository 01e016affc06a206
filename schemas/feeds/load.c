/* load.c: the files of one call, read twice: learnt, then sent in one order.
 *
 * (1) What an earlier call sent of a file is known by content: the hash of what it had read, for the same tenant and
 *     settings. A file that was sent in part goes on within the bytes that call had seen; then what was added follows.
 * (2) Progress is (bytes, hash, rows) of what was read, and of the rows after `begin` how many events were sent of how
 *     many. Sorting is by content alone, so the first n events are the same ones in every call.
 * (3) The second pass ends at the row where the first one ended, even if the file grows meanwhile.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "schemas/feeds/files.h"

enum { SEGMENTS = 2 }; /* what an earlier call began, and what was added since */

#define MEMORY_DEFAULT ((size_t)64 << 20)
#define RAW_TOPIC      "ingestion.market.ticks.raw.v1"

/* What a record of the progress topic says. Texts live in the load's arena. */
struct progress {
    struct weir_text id, context;
    int64_t          bytes;
    uint64_t         hash, rows, begin, events, sent, before;
};

/* Rows after begin up to end, and their events. */
struct segment {
    uint64_t begin, end; /* rows */
    uint64_t events, skip, passed;
    int64_t  bytes;
    uint64_t hash;
};

/* How often each instrument had a trade at the present time. */
struct equals {
    int64_t time;
    struct {
        struct market_id id;
        uint64_t         count;
    } * items;
    size_t count, capacity;
};

struct source {
    const char            *path;
    struct market__file   *file;
    struct market__writer  writer;
    struct market__turns  *turns;
    struct market__sorter *sorter; /* of the present segment; NULL = streamed */
    struct weir__buf       context;
    struct weir_text       id; /* of its progress */
    struct progress        known;
    struct segment         segments[SEGMENTS];
    size_t                 segment_count, segment;
    uint64_t               rows, sent, before;
    int64_t                done; /* bytes on disk, as told */
    struct equals          equals;
    struct market__event   head;
    bool                   has_head, ordered, refused, begun;
    bool                   given; /* the head was handed out */
    struct weir__buf       value; /* a head whose number among its equals was put in */
    struct weir_error      refusal;
};

struct market_load {
    struct market_load_options options;
    struct weir_text           tenant;
    struct market__said        said;
    struct weir_arena          arena;
    struct progress           *known;
    size_t                     known_count, known_capacity;
    struct source             *sources;
    size_t                     count;
    int64_t                    done, total;
    struct weir_header         headers[2];
    size_t                     header_count;
};

/* ---- new, free ---- */

static const char *keep(struct market_load *load, const char *text, bool *ok)
{
    const char *kept = text ? weir__arena_printf(&load->arena, "%s", text) : NULL;

    *ok = *ok && (kept || !text);
    return kept;
}

static bool keep_options(struct market_load *load, const struct market_load_options *options)
{
    bool        ok = true;
    const char *of[SAID_COUNT] = { options->market,     options->product, options->day,
                                   options->instrument, options->zone,    options->scale };

    load->options = *options;
    load->tenant = market__text(keep(load, options->tenant ? options->tenant : "default", &ok));
    for (size_t i = 0; i < SAID_COUNT; i++)
        load->said.of[i] = market__text(keep(load, of[i], &ok));
    load->options.temp = options->temp ? options->temp : getenv("TMPDIR");
    load->options.temp = keep(load, load->options.temp ? load->options.temp : "/tmp", &ok);
    load->options.memory = options->memory ? options->memory : MEMORY_DEFAULT;
    return ok;
}

int market_load_new(const struct market_load_options *options, struct market_load **ret, struct weir_error *reterr)
{
    struct market_load *load = weir__zalloc(sizeof(*load));

    if (load)
        weir__arena_init(&load->arena, 0);
    if (!load || !keep_options(load, options)) {
        market_load_free(load);
        return weir__fail(reterr, WEIR_NO_MEMORY, "load", "out of memory");
    }
    if (!market_tenant_legal(load->tenant)) {
        market_load_free(load);
        return weir__fail(reterr, MARKET_BAD_NAME, "tenant", "\"%s\" is no tenant: letters, digits and . _ - only",
                          options->tenant);
    }
    load->headers[load->header_count++] =
        (struct weir_header){ .name = MARKET_HEADER_REPLAY, .value = BYTES("1", 1) };
    if (options->backfill)
        load->headers[load->header_count++] =
            (struct weir_header){ .name = MARKET_HEADER_BACKFILL, .value = BYTES("1", 1) };
    *ret = load;
    return WEIR_OK;
}

static void close_source(struct source *source)
{
    market__sorter_free(source->sorter);
    market__turns_free(source->turns);
    market__writer_fini(&source->writer);
    market__file_close(source->file);
    weir__buf_fini(&source->context);
    weir__buf_fini(&source->value);
    weir__free(source->equals.items);
    source->sorter = NULL;
    source->turns = NULL;
    source->file = NULL;
    source->equals.items = NULL;
}

void market_load_free(struct market_load *load)
{
    if (!load)
        return;
    for (size_t i = 0; i < load->count; i++)
        close_source(&load->sources[i]);
    weir__free(load->sources);
    weir__free(load->known);
    weir__arena_fini(&load->arena);
    weir__free(load);
}

/* ---- progress: records of a topic ---- */

static int read_count(const struct weir_json *json, const char *name, uint64_t *ret)
{
    int64_t value;

    if (weir_json_int64(weir_json_get(json, name), &value) < 0 || value < 0)
        return WEIR_UNREADABLE;
    *ret = (uint64_t)value;
    return WEIR_OK;
}

static int read_progress(const struct weir_json *json, struct progress *ret)
{
    struct weir_text hash;
    uint64_t         bytes;
    char             hex[17] = "", *end;

    if (weir_json_text(weir_json_get(json, "id"), &ret->id) < 0 ||
        weir_json_text(weir_json_get(json, "context"), &ret->context) < 0 ||
        weir_json_text(weir_json_get(json, "hash"), &hash) < 0 || hash.size != 16 ||
        read_count(json, "bytes", &bytes) < 0 || read_count(json, "rows", &ret->rows) < 0 ||
        read_count(json, "begin", &ret->begin) < 0 || read_count(json, "events", &ret->events) < 0 ||
        read_count(json, "sent", &ret->sent) < 0 || read_count(json, "before", &ret->before) < 0)
        return WEIR_UNREADABLE;
    memcpy(hex, hash.data, 16);
    ret->hash = strtoull(hex, &end, 16);
    ret->bytes = (int64_t)bytes;
    return *end || ret->sent > ret->events || ret->begin > ret->rows ? WEIR_UNREADABLE : WEIR_OK;
}

int market_load_known(struct market_load *load, struct weir_bytes value)
{
    struct weir_text text = { .data = weir__arena_copy(&load->arena, value.data, value.size), .size = value.size };
    const struct weir_json *json;
    struct progress         progress;
    int                     err = text.data ? weir_json_parse(&load->arena, text, &json, NULL) : WEIR_NO_MEMORY;

    if (err == WEIR_OK)
        err = read_progress(json, &progress);
    if (err == WEIR_OK)
        err = GROW(load->known, load->known_capacity, load->known_count);
    if (err == WEIR_OK)
        load->known[load->known_count++] = progress;
    return err;
}

/* What was handed out of the file so far, as segments count it. */
static void progress_of(const struct source *source, struct progress *ret)
{
    const struct segment *segment = &source->segments[MIN(source->segment, source->segment_count - 1)];

    *ret = (struct progress){ .id = source->id,
                              .context = { .data = source->context.data, .size = source->context.size },
                              .bytes = segment->bytes,
                              .hash = segment->hash,
                              .rows = segment->end,
                              .begin = segment->begin,
                              .events = segment->events,
                              .sent = segment->passed,
                              .before = source->before + source->sent };
}

static void put_count(struct weir_json_out *json, const char *name, uint64_t value)
{
    weir_json_name(json, name);
    weir_json_put_int64(json, (int64_t)value);
}

int market_load_progress(const struct market_load *load, size_t n, struct weir__buf *ret_key,
                         struct weir__buf *ret_value)
{
    const struct source *source = &load->sources[n];
    struct weir_json_out json = { 0 };
    struct progress      progress;
    char                 hash[17];
    int                  err;

    progress_of(source, &progress);
    snprintf(hash, sizeof(hash), "%016" PRIx64, progress.hash);
    weir_json_begin_object(&json);
    weir_json_name(&json, "id");
    weir_json_put_text(&json, progress.id);
    weir_json_name(&json, "context");
    weir_json_put_text(&json, progress.context);
    weir_json_name(&json, "file");
    weir_json_put_string(&json, source->path);
    put_count(&json, "bytes", (uint64_t)progress.bytes);
    weir_json_name(&json, "hash");
    weir_json_put_string(&json, hash);
    put_count(&json, "rows", progress.rows);
    put_count(&json, "begin", progress.begin);
    put_count(&json, "events", progress.events);
    put_count(&json, "sent", progress.sent);
    put_count(&json, "before", progress.before);
    weir_json_end_object(&json);
    weir__buf_add(ret_key, progress.id.data, progress.id.size);
    weir__buf_add(ret_value, json.buf.data, json.buf.size);
    err = weir__buf_ok(&json.buf) && weir__buf_ok(ret_key) && weir__buf_ok(ret_value) ? WEIR_OK : WEIR_NO_MEMORY;
    weir__json_out_fini(&json);
    return err;
}

/* ---- first pass: what was loaded before ---- */

static int by_bytes(const void *a, const void *b)
{
    const struct progress *x = a, *y = b;

    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static bool same_context(const struct source *source, const struct progress *known)
{
    return known->context.size == source->context.size &&
           memcmp(known->context.data, source->context.data, source->context.size) == 0;
}

/* A row that was cut when it was sent cannot be sent again as a whole. */
static int check_cut(struct source *source, struct weir_error *reterr)
{
    struct market__file *file = source->file;
    int                  err;

    if (!weir__lines_inside(file->lines))
        return WEIR_OK;
    err = weir__lines_next(file->lines, &file->line, reterr);
    if (err < 0 || market__trim((struct weir_text){ file->line.data, file->line.size }).size == 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    return market__file_refuse(file, MARKET_MALFORMED, reterr,
                               "its last row was not finished when it was loaded before: load all of it --again");
}

/* Finds the longest earlier load of what the file begins with. */
static int find_known(struct market_load *load, struct source *source, struct weir_error *reterr)
{
    struct market__file *file = source->file;
    int                  err = weir__lines_seek(file->lines, &(struct weir__place){ 0 }, reterr);

    for (size_t i = 0; i < load->known_count && err == WEIR_OK; i++) {
        const struct progress *known = &load->known[i];

        if (!same_context(source, known) || known->bytes <= 0)
            continue;
        err = weir__lines_pass(file->lines, known->bytes, reterr);
        if (err == WEIR_OK && weir__lines_place(file->lines).hash == known->hash)
            source->known = *known;
    }
    if (err == WEIR_NOTFOUND)
        err = WEIR_OK;
    if (err < 0 || !source->known.bytes || file->document)
        return err;
    err = weir__lines_seek(file->lines, &(struct weir__place){ 0 }, reterr);
    if (err == WEIR_OK)
        err = weir__lines_pass(file->lines, source->known.bytes, reterr);
    return err == WEIR_OK ? check_cut(source, reterr) : err;
}

/* ---- first pass: rows ---- */

static void tell_progress(struct market_load *load, struct source *source, bool all)
{
    int64_t done = all ? source->file->size : MIN(weir__lines_packed(source->file->lines), source->file->size);

    if (done > source->done)
        load->done += done - source->done;
    source->done = MAX(done, source->done);
    if (load->options.progress)
        load->options.progress(load->options.arg, load->done, load->total);
}

/* The segments that the rows up to the file's end fall into. */
static void make_segments(struct source *source)
{
    const struct progress *known = &source->known;
    uint64_t               begin = 0;

    if (known->bytes && known->sent < known->events)
        source->segments[source->segment_count++] = (struct segment){
            .begin = known->begin, .end = known->rows, .skip = known->sent, .bytes = known->bytes, .hash = known->hash
        };
    if (known->bytes)
        begin = known->rows;
    source->segments[source->segment_count++] = (struct segment){ .begin = begin, .end = UINT64_MAX };
    source->before = known->before;
}

static struct segment *segment_of(struct source *source, uint64_t row)
{
    for (size_t i = 0; i < source->segment_count; i++)
        if (row > source->segments[i].begin && row <= source->segments[i].end)
            return &source->segments[i];
    return NULL;
}

struct steps {
    int64_t  last;
    uint64_t forward, backward;
};

static void note_step(struct steps *steps, int64_t time)
{
    steps->forward += steps->last && time > steps->last;
    steps->backward += steps->last && time < steps->last;
    steps->last = time;
}

static int learn_rows(struct market_load *load, struct source *source, struct weir_error *reterr)
{
    struct steps         steps = { 0 };
    struct market__event event;
    int                  err = market__file_rewind(source->file, reterr);

    source->writer.learning = true;
    while (err == WEIR_OK && (err = market__event_next(&source->writer, &event, reterr)) == WEIR_OK) {
        struct segment *segment = segment_of(source, event.row);

        if (segment)
            segment->events++;
        note_step(&steps, event.time);
        if (event.row % 4096 == 0 && event.part == 0)
            tell_progress(load, source, false);
    }
    if (err != WEIR_NOTFOUND)
        return err;
    source->ordered = steps.backward == 0;
    market__turns_ready(source->turns, steps.backward > steps.forward);
    source->writer.learning = false;
    source->rows = source->file->rows;
    return WEIR_OK;
}

/* The end of what the first pass has seen. */
static int end_segments(struct market_load *load, struct source *source)
{
    struct segment    *last = &source->segments[source->segment_count - 1];
    struct weir__place place = market__file_place(source->file);

    last->end = source->rows;
    last->bytes = place.bytes;
    last->hash = place.hash;
    for (size_t i = 0; i < source->segment_count; i++)
        source->segments[i].passed = source->segments[i].skip;
    source->id = source->known.id;
    if (!source->id.size)
        source->id = market__text(weir__arena_printf(&load->arena, "%016" PRIx64 "-%" PRId64 "-%.*s", place.hash,
                                                     place.bytes, (int)source->context.size, source->context.data));
    return source->id.data ? WEIR_OK : WEIR_NO_MEMORY;
}

/* The same bytes for the same context twice in one call are sent once. */
static void skip_twin(struct market_load *load, struct source *source)
{
    const struct segment *own = &source->segments[source->segment_count - 1];

    for (struct source *other = load->sources; other < source; other++) {
        const struct segment *theirs = &other->segments[other->segment_count - 1];

        if (other->refused || theirs->hash != own->hash || theirs->bytes != own->bytes ||
            other->context.size != source->context.size ||
            memcmp(other->context.data, source->context.data, source->context.size) != 0)
            continue;
        for (size_t i = 0; i < source->segment_count; i++)
            source->segments[i].events = source->segments[i].skip = source->segments[i].passed = 0;
        source->segments[0] = *own;
        source->segment_count = 1;
        return;
    }
}

static int learn(struct market_load *load, struct source *source, struct weir_error *reterr)
{
    int err = market__file_open(source->path, &load->said, &source->file, reterr);

    if (err < 0)
        return err;
    source->turns = market__turns_new();
    source->writer = (struct market__writer){ .file = source->file, .tenant = load->tenant, .turns = source->turns };
    if (!source->turns || market__context(source->file, load->tenant, &source->context) < 0)
        return market__file_no_memory(source->file, reterr);
    if (!load->options.again)
        err = find_known(load, source, reterr);
    if (err == WEIR_OK) {
        make_segments(source);
        err = learn_rows(load, source, reterr);
    }
    if (err == WEIR_OK && end_segments(load, source) < 0)
        err = market__file_no_memory(source->file, reterr);
    if (err < 0)
        return err;
    skip_twin(load, source);
    tell_progress(load, source, true);
    source->done = 0;
    source->writer.time = 0;
    return WEIR_OK;
}

int market_load_open(struct market_load *load, const char *const *paths, size_t count, size_t *ret_refused,
                     struct weir_error *reterr)
{
    struct weir_error error;

    *ret_refused = 0;
    if (load->known_count)
        qsort(load->known, load->known_count, sizeof(*load->known), by_bytes);
    load->sources = weir__zalloc((count + 1) * sizeof(*load->sources));
    if (!load->sources)
        return weir__fail(reterr, WEIR_NO_MEMORY, "load", "out of memory");
    for (load->count = 0; load->count < count; load->count++) {
        bool ok = true;

        load->sources[load->count].path = keep(load, paths[load->count], &ok);
        if (!ok)
            return weir__fail(reterr, WEIR_NO_MEMORY, "load", "out of memory");
        load->total += 2 * market__size_on_disk(paths[load->count]);
    }
    for (size_t i = 0; i < count; i++) {
        struct source *source = &load->sources[i];
        int            err = learn(load, source, &error);

        if (err == WEIR_OK)
            continue;
        if (err == WEIR_NO_MEMORY) {
            if (reterr)
                *reterr = error;
            return err;
        }
        close_source(source);
        source->refused = true;
        source->refusal = error;
        ++*ret_refused;
    }
    return WEIR_OK;
}

void market_load_file(const struct market_load *load, size_t n, struct market_load_file *ret)
{
    const struct source *source = &load->sources[n];

    *ret = (struct market_load_file){ .path = source->path, .refused = source->refused };
    if (source->refused) {
        ret->refusal = &source->refusal;
        return;
    }
    ret->kind = source->file->form->name;
    ret->market = source->file->rules->name;
    ret->data_type = source->file->feed ? source->file->feed->data_type : NULL;
    ret->rows = source->rows;
    ret->sent = source->sent;
    ret->before = source->before;
    ret->ordered = source->ordered;
    for (size_t i = 0; i < source->segment_count; i++)
        ret->events += source->segments[i].events - source->segments[i].skip;
}

/* ---- second pass ---- */

/* Rows whose number among equals counts from the file's begin must all be seen. */
static uint64_t first_row(const struct source *source)
{
    const struct market_feed *feed = source->file->feed;
    bool                      ordinals = feed && feed->trade && (feed == market__tick || !feed->names[ROLE_SEQUENCE]);

    return ordinals ? 0 : source->segments[source->segment].begin;
}

/* The next event of the present segment in row order; those before `from` are read for nothing. */
static int next_in_file(struct market_load *load, struct source *source, uint64_t from, struct market__event *ret,
                        struct weir_error *reterr)
{
    const struct segment *segment = &source->segments[source->segment];
    int                   err;

    do {
        if (source->file->rows > segment->end)
            return WEIR_NOTFOUND;
        err = market__event_next(&source->writer, ret, reterr);
    } while (err == WEIR_OK && ret->row <= from);
    if (err == WEIR_OK && ret->row % 4096 == 0 && ret->part == 0)
        tell_progress(load, source, false);
    return err == WEIR_OK && ret->row > segment->end ? WEIR_NOTFOUND : err;
}

static int sort_segment(struct market_load *load, struct source *source, struct weir_error *reterr)
{
    struct market__event event;
    int                  err = WEIR_OK;

    source->sorter = market__sorter_new(load->options.memory / load->count, load->options.temp);
    if (!source->sorter)
        return market__file_no_memory(source->file, reterr);
    while ((err = next_in_file(load, source, first_row(source), &event, reterr)) == WEIR_OK) {
        err = market__sorter_add(source->sorter, &event, reterr);
        if (err < 0)
            return err;
    }
    return err == WEIR_NOTFOUND ? market__sorter_ready(source->sorter, reterr) : err;
}

static int begin_segment(struct market_load *load, struct source *source, struct weir_error *reterr)
{
    int err = market__file_rewind(source->file, reterr);

    source->writer.time = 0;
    source->equals.count = 0;
    source->begun = true;
    if (err == WEIR_OK && !source->ordered)
        err = sort_segment(load, source, reterr);
    return err;
}

/* Which one of equal trades this is: counts from 0. */
static int count_equal(struct equals *equals, const struct market__event *event, uint64_t *ret)
{
    size_t i = 0;

    if (event->time != equals->time)
        equals->count = 0;
    equals->time = event->time;
    while (i < equals->count && strcmp(equals->items[i].id.text, event->id.text) != 0)
        i++;
    if (i == equals->count) {
        if (GROW(equals->items, equals->capacity, equals->count) < 0)
            return WEIR_NO_MEMORY;
        equals->items[equals->count].id = event->id;
        equals->items[equals->count++].count = 0;
    }
    *ret = equals->items[i].count++;
    return WEIR_OK;
}

static int finish_value(struct source *source, struct weir_error *reterr)
{
    uint64_t number;

    if (!source->head.ordinal)
        return WEIR_OK;
    if (count_equal(&source->equals, &source->head, &number) < 0)
        return market__file_no_memory(source->file, reterr);
    weir__buf_reset(&source->value);
    weir__buf_add(&source->value, source->head.value.data, source->head.value.size);
    weir__buf_printf(&source->value, "%" PRIu64 "}}", number);
    if (!weir__buf_ok(&source->value))
        return market__file_no_memory(source->file, reterr);
    source->head.value = (struct weir_text){ .data = source->value.data, .size = source->value.size };
    return WEIR_OK;
}

static int next_of_segment(struct market_load *load, struct source *source, struct weir_error *reterr)
{
    int err = source->begun ? WEIR_OK : begin_segment(load, source, reterr);

    if (err == WEIR_OK)
        err = source->sorter ? market__sorter_next(source->sorter, &source->head, reterr)
                             : next_in_file(load, source, first_row(source), &source->head, reterr);
    return err == WEIR_OK ? finish_value(source, reterr) : err;
}

static void end_segment(struct source *source)
{
    market__sorter_free(source->sorter);
    source->sorter = NULL;
    source->begun = false;
    source->segment++;
}

/* Whether the head was sent by an earlier call; such ones are counted as passed already. */
static bool was_sent(struct source *source)
{
    struct segment *segment = &source->segments[source->segment];

    if (source->head.row <= segment->begin)
        return true;
    if (!segment->skip)
        return false;
    segment->skip--;
    return true;
}

/* Fills the head, unless the source is at its end. */
static int fill_head(struct market_load *load, struct source *source, struct weir_error *reterr)
{
    while (!source->has_head && source->segment < source->segment_count) {
        int err;

        if (source->segments[source->segment].passed >= source->segments[source->segment].events) {
            end_segment(source);
            continue;
        }
        err = next_of_segment(load, source, reterr);
        if (err == WEIR_NOTFOUND)
            return market__file_refuse(source->file, WEIR_IO, reterr, "the file has changed while it was read");
        if (err < 0)
            return err;
        source->has_head = !was_sent(source);
    }
    return WEIR_OK;
}

static struct source *first_source(struct market_load *load)
{
    struct source *first = NULL;

    for (size_t i = 0; i < load->count; i++) {
        struct source *source = &load->sources[i];

        if (source->has_head && (!first || source->head.time < first->head.time))
            first = source;
    }
    return first;
}

static void give(const struct market_load *load, struct source *source, struct market_raw *ret)
{
    const struct market__event *event = &source->head;
    const char                 *topic = source->file->rules->power ? source->file->rules->topic : RAW_TOPIC;

    *ret = (struct market_raw){ .topic = topic,
                                .key = BYTES(event->id.text, event->id.size),
                                .value = BYTES(event->value.data, event->value.size),
                                .headers = load->headers,
                                .header_count = load->header_count,
                                .event_time = event->time,
                                .timestamp = MAX(event->time / 1000, 1),
                                .file = (size_t)(source - load->sources),
                                .row = event->row };
    source->segments[source->segment].passed++;
    source->sent++;
    source->given = true;
}

int market_load_next(struct market_load *load, struct market_raw *ret, struct weir_error *reterr)
{
    struct source *source;

    for (size_t i = 0; i < load->count; i++) {
        int err;

        source = &load->sources[i];
        source->has_head = source->has_head && !source->given;
        source->given = false;
        err = source->refused ? WEIR_OK : fill_head(load, source, reterr);
        if (err < 0)
            return err;
    }
    source = first_source(load);
    if (!source)
        return WEIR_NOTFOUND;
    give(load, source, ret);
    return WEIR_OK;
}
