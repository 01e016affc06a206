/* load.c: the files of one call, learnt and then sent in one order.
 *
 * (1) Inputs wait in a heap by the time of their next event; of one that is not open yet, by the least time it has.
 * (2) The second pass ends at the row where the first one ended, even if the file grows meanwhile.
 */
#include <stdlib.h>

#include "schemas/feeds/call.h"

#define MEMORY_DEFAULT ((size_t)64 << 20)
#define RAW_TOPIC      "ingestion.market.ticks.raw.v1"

enum { ROWS_BETWEEN_TELLING = 4096 };

#define NUMBERS UINT64_C(100000000000000000) /* of calls */

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
    load->memory_left = options->memory ? options->memory : MEMORY_DEFAULT;
    return ok;
}

static int check_options(const struct market_load *load, struct weir_error *reterr)
{
    if (!market_tenant_legal(load->tenant))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--tenant",
                          "\"%.*s\" is no tenant: letters, digits and . _ - only, %d at most",
                          (int)MIN(load->tenant.size, 80), load->tenant.data, MARKET_TENANT_MAX);
    for (enum market__what i = 0; i < SAID_COUNT; i++) {
        struct weir_text value = load->said.of[i];
        const char      *wanted = value.size ? market__said_wanted(i, value) : NULL;
        char             flag[32];

        snprintf(flag, sizeof(flag), "--%s", market__said_name(i));
        if (wanted)
            return weir__fail(reterr, WEIR_BAD_ARGUMENT, flag, "\"%.*s\" is not %s", (int)MIN(value.size, 80),
                              value.data, wanted);
    }
    return WEIR_OK;
}

int market_load_new(const struct market_load_options *options, struct market_load **ret, struct weir_error *reterr)
{
    struct market_load *load = weir__zalloc(sizeof(*load));
    int                 err;

    if (load)
        weir__arena_init(&load->arena, 0);
    if (!load || !keep_options(load, options)) {
        market_load_free(load);
        return weir__fail(reterr, WEIR_NO_MEMORY, "load", "out of memory");
    }
    err = check_options(load, reterr);
    if (err < 0) {
        market_load_free(load);
        return err;
    }
    load->headers[0] = (struct weir_header){ .name = MARKET_HEADER_REPLAY };
    load->headers[1] = (struct weir_header){ .name = MARKET_HEADER_BACKFILL };
    *ret = load;
    return WEIR_OK;
}

void market__input_close(struct market__input *input)
{
    market__sorter_free(input->sorter);
    market__turns_free(input->turns);
    market__writer_fini(&input->writer);
    market__file_close(input->file);
    weir__buf_fini(&input->value);
    weir__free(input->equals.items);
    input->sorter = NULL;
    input->turns = NULL;
    input->file = NULL;
    input->equals = (struct market__equals){ 0 };
}

void market_load_free(struct market_load *load)
{
    if (!load)
        return;
    for (size_t i = 0; i < load->count; i++) {
        market__input_close(&load->inputs[i]);
        weir__buf_fini(&load->inputs[i].context);
    }
    weir__free(load->inputs);
    weir__free(load->heap);
    weir__map_fini(&load->known_ids);
    weir__free(load->known);
    weir__arena_fini(&load->arena);
    weir__free(load);
}

/* ---- order of inputs ---- */

static int64_t due(const struct market__input *input)
{
    return input->has_head ? input->head.time : input->segments[input->segment].first;
}

static bool comes_before(const struct market_load *load, size_t a, size_t b)
{
    int64_t x = due(&load->inputs[a]), y = due(&load->inputs[b]);

    return x != y ? x < y : a < b;
}

/* The input at `at` may have become later: it sinks to its place. */
static void sink(struct market_load *load, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1, moved = load->heap[at];

        if (child >= load->heap_count)
            return;
        if (child + 1 < load->heap_count && comes_before(load, load->heap[child + 1], load->heap[child]))
            child++;
        if (!comes_before(load, load->heap[child], moved))
            return;
        load->heap[at] = load->heap[child];
        load->heap[child] = moved;
        at = child;
    }
}

static void build_heap(struct market_load *load)
{
    for (size_t i = 0; i < load->count; i++)
        if (!load->inputs[i].refused)
            load->heap[load->heap_count++] = i;
    for (size_t i = load->heap_count / 2; i-- > 0;)
        sink(load, i);
}

/* ---- opening ---- */

void market__input_tell(struct market_load *load, struct market__input *input, bool all)
{
    int64_t done = all ? input->size : MIN(weir__lines_packed(input->file->lines), input->size);

    load->done += MAX(done - input->done, 0);
    input->done = MAX(done, input->done);
    if (load->options.progress)
        load->options.progress(load->options.arg, load->done, load->total);
}

static int by_bytes(const void *a, const void *b)
{
    const struct market__progress *x = *(struct market__progress *const *)a,
                                  *y = *(struct market__progress *const *)b;

    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static bool make_inputs(struct market_load *load, const char *const *paths, size_t count)
{
    bool ok = true;

    load->inputs = weir__zalloc((count + 1) * sizeof(*load->inputs));
    load->heap = weir__alloc((count + 1) * sizeof(*load->heap));
    if (!load->inputs || !load->heap)
        return false;
    for (load->count = 0; load->count < count; load->count++) {
        struct market__input *input = &load->inputs[load->count];

        input->path = keep(load, paths[load->count], &ok);
        input->size = market__size_on_disk(paths[load->count]);
        load->total += 2 * input->size;
    }
    return ok;
}

/* Of its files' contents, so that a call that was killed has it again when it is repeated; of one that sends all again
 * another one each time. */
static void number_call(struct market_load *load)
{
    uint64_t number = load->options.backfill;
    int      size;

    for (size_t i = 0; i < load->count; i++)
        if (!load->inputs[i].refused)
            number += load->inputs[i].segments[load->inputs[i].segment_count - 1].hash;
    if (load->options.again)
        number = number * 31 + load->again;
    size = snprintf(load->number, sizeof(load->number), "%llu", (unsigned long long)(number % NUMBERS + 1));
    load->headers[0].value = load->headers[1].value = BYTES(load->number, (size_t)size);
}

int market_load_open(struct market_load *load, const char *const *paths, size_t count, size_t *ret_refused,
                     struct weir_error *reterr)
{
    *ret_refused = 0;
    if (load->known_count)
        qsort(load->known, load->known_count, sizeof(*load->known), by_bytes);
    if (!make_inputs(load, paths, count))
        return weir__fail(reterr, WEIR_NO_MEMORY, "load", "out of memory");
    load->again += load->options.again;
    for (size_t i = 0; i < count; i++) {
        struct market__input *input = &load->inputs[i];
        int                   err = market__learn(load, input, &input->refusal);

        if (err == WEIR_NO_MEMORY)
            return weir__fail(reterr, err, input->path, "%s", input->refusal.text);
        input->refused = err < 0;
        *ret_refused += input->refused;
    }
    number_call(load);
    build_heap(load);
    return WEIR_OK;
}

void market_load_file(const struct market_load *load, size_t n, struct market_load_file *ret)
{
    const struct market__input *input = &load->inputs[n];

    *ret = (struct market_load_file){ .path = input->path, .refused = input->refused };
    if (input->refused) {
        ret->refusal = &input->refusal;
        return;
    }
    ret->kind = input->form->name;
    ret->market = input->rules->name;
    ret->data_type = input->feed ? input->feed->data_type : NULL;
    ret->rows = input->rows;
    ret->sent = input->sent;
    ret->before = input->before;
    ret->ordered = input->ordered;
    for (size_t i = 0; i < input->segment_count; i++)
        ret->events += input->segments[i].events - input->segments[i].skip;
}

/* ---- events of a segment ---- */

/* Whether its trades may have no numbers of their own: then those are counted from the file's first row on. */
static bool counts_equals(const struct market_feed *feed) { return feed && feed->trade; }

/* The next event in row order that is of the segment, or is needed to number those that are. */
static int next_row(struct market_load *load, struct market__input *input, struct market__event *ret,
                    struct weir_error *reterr)
{
    const struct market__segment *segment = &input->segments[input->segment];
    uint64_t                      from = counts_equals(input->feed) ? 0 : segment->begin;
    int                           err;

    do {
        if (input->file->rows > segment->end)
            return WEIR_NOTFOUND;
        err = market__event_next(&input->writer, ret, reterr);
    } while (err == WEIR_OK && ret->row <= from);
    if (err == WEIR_OK && ret->row % ROWS_BETWEEN_TELLING == 0 && ret->part == 0)
        market__input_tell(load, input, false);
    return err == WEIR_OK && ret->row > segment->end ? WEIR_NOTFOUND : err;
}

static int sort_segment(struct market_load *load, struct market__input *input, struct weir_error *reterr)
{
    struct market__event event;
    int                  err;

    /* Half of what is left: files that are sorted later, at the same time, find some too. */
    input->memory = load->memory_left / 2;
    input->sorter = market__sorter_new(input->memory, load->options.temp);
    if (!input->sorter)
        return market__file_no_memory(input->file, reterr);
    load->memory_left -= input->memory;
    while ((err = next_row(load, input, &event, reterr)) == WEIR_OK) {
        err = market__sorter_add(input->sorter, &event, reterr);
        if (err < 0)
            return err;
    }
    return err == WEIR_NOTFOUND ? market__sorter_ready(input->sorter, reterr) : err;
}

static int begin_segment(struct market_load *load, struct market__input *input, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (!input->file)
        err = market__file_open(input->path, &load->said, &input->file, reterr);
    if (err == WEIR_OK)
        err = market__file_rewind(input->file, reterr);
    if (err < 0)
        return err;
    input->writer.file = input->file;
    input->writer.learning = false;
    input->writer.time = 0;
    market__turns_rewind(input->turns);
    input->equals.count = 0;
    input->begun = true;
    return input->ordered ? WEIR_OK : sort_segment(load, input, reterr);
}

static void end_segment(struct market_load *load, struct market__input *input)
{
    if (input->sorter)
        load->memory_left += input->memory;
    market__sorter_free(input->sorter);
    input->sorter = NULL;
    input->begun = false;
    if (++input->segment < input->segment_count)
        return;
    if (input->size)
        market__input_tell(load, input, true);
    market__input_close(input);
}

/* Which one of equal trades this is: counts from 0. */
static int count_equal(struct market__equals *equals, const struct market__event *event, uint64_t *ret)
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

static int finish_value(struct market__input *input, struct weir_error *reterr)
{
    uint64_t number;

    if (!input->head.ordinal)
        return WEIR_OK;
    if (count_equal(&input->equals, &input->head, &number) < 0)
        return market__file_no_memory(input->file, reterr);
    weir__buf_reset(&input->value);
    weir__buf_add(&input->value, input->head.value.data, input->head.value.size);
    weir__buf_printf(&input->value, "%llu}}", (unsigned long long)number);
    if (!weir__buf_ok(&input->value))
        return market__file_no_memory(input->file, reterr);
    input->head.value = (struct weir_text){ .data = input->value.data, .size = input->value.size };
    return WEIR_OK;
}

static int next_event(struct market_load *load, struct market__input *input, struct weir_error *reterr)
{
    int err = input->begun ? WEIR_OK : begin_segment(load, input, reterr);

    if (err == WEIR_OK)
        err = input->sorter ? market__sorter_next(input->sorter, &input->head, reterr)
                            : next_row(load, input, &input->head, reterr);
    return err == WEIR_OK ? finish_value(input, reterr) : err;
}

/* Whether the head was sent by an earlier call. */
static bool was_sent(struct market__input *input)
{
    struct market__segment *segment = &input->segments[input->segment];

    if (input->head.row <= segment->begin)
        return true;
    if (!segment->skip)
        return false;
    segment->skip--;
    return true;
}

/* ---- events of all files ---- */

static bool at_end(const struct market__input *input) { return input->segment == input->segment_count; }

/* Fills the head, unless the input is at its end or its next segment is due later than this one. */
static int fill_head(struct market_load *load, struct market__input *input, struct weir_error *reterr)
{
    const struct market__segment *segment = &input->segments[input->segment];
    int                           err;

    if (segment->passed >= segment->events) {
        end_segment(load, input);
        return WEIR_OK;
    }
    err = next_event(load, input, reterr);
    if (err == WEIR_NOTFOUND && input->file)
        return market__file_refuse(input->file, WEIR_IO, reterr, "the file has changed while it was read");
    if (err == WEIR_OK)
        input->has_head = !was_sent(input);
    return err;
}

/* A component and its price share a key, as another feed has both in one event: order holds within a partition only. */
static struct weir_bytes key_of(const struct market__input *input)
{
    struct weir_text id = { .data = input->head.id.text, .size = input->head.id.size };

    if (input->rules->power)
        id = market_id_price(id);
    return BYTES(id.data, id.size);
}

static void give(const struct market_load *load, size_t n, struct market_raw *ret)
{
    struct market__input       *input = &load->inputs[n];
    const struct market__event *event = &input->head;

    *ret = (struct market_raw){ .topic = input->rules->power ? input->rules->topic : RAW_TOPIC,
                                .key = key_of(input),
                                .value = BYTES(event->value.data, event->value.size),
                                .headers = load->headers,
                                .header_count = load->options.backfill ? 2 : 1,
                                .event_time = event->time,
                                .timestamp = MAX(event->time / 1000, 1),
                                .file = n,
                                .row = event->row };
    input->segments[input->segment].passed++;
    input->sent++;
    input->given = true;
}

int market_load_next(struct market_load *load, struct market_raw *ret, struct weir_error *reterr)
{
    while (load->heap_count) {
        struct market__input *first = &load->inputs[load->heap[0]];
        int                   err;

        if (first->has_head && !first->given) {
            give(load, load->heap[0], ret);
            return WEIR_OK;
        }
        first->has_head = first->given = false;
        err = fill_head(load, first, reterr);
        if (err < 0)
            return err;
        if (at_end(first))
            load->heap[0] = load->heap[--load->heap_count];
        sink(load, 0);
    }
    return WEIR_NOTFOUND;
}
