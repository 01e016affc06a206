/* learn.c: the first pass over a file: what an earlier call sent of it, how long it is, whether it is in order.
 *
 * (1) What was sent is known by content: the hash of what was read, for the same tenant and settings. The name plays no
 *     part. A load that was broken off goes on within the bytes it had seen; what was added since is a segment of its own.
 */
#include "schemas/feeds/call.h"

enum { ROWS_BETWEEN_TELLING = 4096 };

/* ---- what was sent before ---- */

static bool same_context(const struct market__input *input, struct weir_text context)
{
    return context.size == input->context.size && memcmp(context.data, input->context.data, context.size) == 0;
}

/* A row that was cut when it was sent cannot be sent again as a whole. The file stands where that load ended. */
static int check_cut(struct market__input *input, struct weir_error *reterr)
{
    struct market__file *file = input->file;
    int                  err;

    if (!weir__lines_inside(file->lines))
        return WEIR_OK;
    err = weir__lines_next(file->lines, &file->line, reterr);
    if (err < 0 || market__trim((struct weir_text){ file->line.data, file->line.size }).size == 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    return market__file_refuse(file, MARKET_MALFORMED, reterr,
                               "its last row was not finished when it was loaded before: load all of it --again");
}

/* Reads the file up to byte n of it. */
static int pass(struct market__input *input, int64_t bytes, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (weir__lines_place(input->file->lines).bytes > bytes)
        err = weir__lines_seek(input->file->lines, &(struct weir__place){ 0 }, reterr);
    return err == WEIR_OK ? weir__lines_pass(input->file->lines, bytes, reterr) : err;
}

/* The longest earlier load of what the file begins with. */
static int find_known(const struct market_load *load, struct market__input *input, struct weir_error *reterr)
{
    int err = weir__lines_seek(input->file->lines, &(struct weir__place){ 0 }, reterr);

    for (size_t i = 0; i < load->known_count && err == WEIR_OK; i++) {
        const struct market__progress *known = load->known[i];

        if (!same_context(input, known->context) || known->bytes <= 0)
            continue;
        err = pass(input, known->bytes, reterr);
        if (err == WEIR_OK && weir__lines_place(input->file->lines).hash == known->hash)
            input->known = *known;
    }
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (!input->known.bytes || input->file->document)
        return WEIR_OK;
    err = pass(input, input->known.bytes, reterr);
    return err == WEIR_OK ? check_cut(input, reterr) : err;
}

static void make_segments(struct market__input *input)
{
    const struct market__progress *known = &input->known;

    if (known->bytes && known->sent < known->events)
        input->segments[input->segment_count++] = (struct market__segment){ .begin = known->begin,
                                                                            .end = known->rows,
                                                                            .skip = known->sent,
                                                                            .passed = known->sent,
                                                                            .bytes = known->bytes,
                                                                            .hash = known->hash,
                                                                            .first = INT64_MAX };
    input->segments[input->segment_count++] =
        (struct market__segment){ .begin = known->bytes ? known->rows : 0, .end = UINT64_MAX, .first = INT64_MAX };
    input->before = known->before;
}

/* ---- rows ---- */

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

static void note_event(struct market__input *input, const struct market__event *event)
{
    for (size_t i = 0; i < input->segment_count; i++) {
        struct market__segment *segment = &input->segments[i];

        if (event->row > segment->begin && event->row <= segment->end) {
            segment->events++;
            segment->first = MIN(segment->first, event->time);
        }
    }
}

static int learn_rows(struct market_load *load, struct market__input *input, struct weir_error *reterr)
{
    struct steps         steps = { 0 };
    struct market__event event;
    int                  err = market__file_rewind(input->file, reterr);

    input->writer.learning = true;
    while (err == WEIR_OK && (err = market__event_next(&input->writer, &event, reterr)) == WEIR_OK) {
        note_event(input, &event);
        note_step(&steps, event.time);
        if (event.row % ROWS_BETWEEN_TELLING == 0 && event.part == 0)
            market__input_tell(load, input, false);
    }
    if (err != WEIR_NOTFOUND)
        return err;
    input->ordered = steps.backward == 0;
    market__turns_ready(input->turns, steps.backward > steps.forward);
    input->rows = input->file->rows;
    return WEIR_OK;
}

/* ---- the file as a whole ---- */

static void note_end(struct market__input *input)
{
    struct market__segment *last = &input->segments[input->segment_count - 1];
    struct weir__place      place = market__file_place(input->file);

    last->end = input->rows;
    last->bytes = place.bytes;
    last->hash = place.hash;
}

static bool is_twin(const struct market__input *a, const struct market__input *b)
{
    const struct market__segment *x = &a->segments[a->segment_count - 1], *y = &b->segments[b->segment_count - 1];

    return !a->refused && x->hash == y->hash && x->bytes == y->bytes &&
           same_context(a, (struct weir_text){ .data = b->context.data, .size = b->context.size });
}

/* The same bytes for the same tenant and settings twice in one call are sent once. */
static void skip_twin(struct market_load *load, struct market__input *input)
{
    for (struct market__input *other = load->inputs; other < input; other++) {
        if (!is_twin(other, input))
            continue;
        input->segments[0] = input->segments[input->segment_count - 1];
        input->segments[0].events = input->segments[0].passed = input->segments[0].skip = 0;
        input->segment_count = 1;
        return;
    }
}

static int learn(struct market_load *load, struct market__input *input, struct weir_error *reterr)
{
    int err = market__file_open(input->path, &load->said, &input->file, reterr);

    if (err < 0)
        return err;
    input->form = input->file->form;
    input->rules = input->file->rules;
    input->feed = input->file->feed;
    input->turns = market__turns_new();
    input->writer = (struct market__writer){ .file = input->file, .tenant = load->tenant, .turns = input->turns };
    if (!input->turns || market__context(input->file, load->tenant, &input->context) < 0)
        return market__file_no_memory(input->file, reterr);
    if (!load->options.again)
        err = find_known(load, input, reterr);
    if (err < 0)
        return err;
    make_segments(input);
    err = learn_rows(load, input, reterr);
    if (err == WEIR_OK)
        note_end(input);
    return err;
}

int market__learn(struct market_load *load, struct market__input *input, struct weir_error *reterr)
{
    int err = learn(load, input, reterr);

    if (err == WEIR_OK) {
        skip_twin(load, input);
        market__input_tell(load, input, true);
    }
    input->done = 0;
    market__file_close(input->file);
    input->file = NULL;
    market__writer_fini(&input->writer);
    return err;
}
