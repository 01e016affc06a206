/* dlq_done.c: what was sent again, as notes in a topic of its own. */
#include "framework/main/dlq.h"

const char *weir__dlq_done_topic(const char *topic, struct weir_arena *arena)
{
    return weir__arena_printf(arena, "%s.redriven", topic);
}

static void fini_sent(struct weir__dlq_sent *sent)
{
    weir__free(sent->source_topic);
    weir__free(sent->to);
    weir__free(sent->read);
    weir__runs_fini(&sent->offsets);
}

void weir__dlq_done_fini(struct weir__dlq_done *done)
{
    for (size_t i = 0; i < done->count; i++)
        fini_sent(&done->items[i]);
    weir__free(done->items);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_from(const struct weir__dlq_sent *sent, struct weir__tp source)
{
    return sent->source.partition == source.partition && strcmp(sent->source.topic, source.topic) == 0;
}

/* ---- asked ---- */

bool weir__dlq_done_has(const struct weir__dlq_done *done, const struct weir__raw *at, struct weir__tp source,
                        int64_t offset, bool any, const char *to)
{
    for (size_t i = 0; i < done->count; i++) {
        const struct weir__dlq_sent *sent = &done->items[i];

        if (is_from(sent, source) && (any || same_text(sent->to, to)) && (size_t)at->partition < sent->read_count &&
            at->offset < sent->read[at->partition] && weir__runs_has(&sent->offsets, offset))
            return true;
    }
    return false;
}

/* ---- added ---- */

static bool same_read(const struct weir__dlq_sent *sent, const int64_t *read, size_t count)
{
    return sent->read_count == count && (count == 0 || memcmp(sent->read, read, sizeof(*read) * count) == 0);
}

/* The one that such offsets belong to: of the same call, from and to the same. */
static int find(struct weir__dlq_done *done, struct weir__tp source, const char *to, const int64_t *read,
                size_t read_count, struct weir__dlq_sent **ret)
{
    struct weir__dlq_sent *sent;

    for (size_t i = done->count; i-- > 0;) {
        sent = &done->items[i];
        if (is_from(sent, source) && same_text(sent->to, to) && same_read(sent, read, read_count)) {
            *ret = sent;
            return WEIR_OK;
        }
    }
    if (GROW(done->items, done->capacity, done->count) < 0)
        return WEIR_NO_MEMORY;
    sent = &done->items[done->count++];
    *sent = (struct weir__dlq_sent){ .source_topic = weir__strdup(source.topic),
                                     .to = to != NULL ? weir__strdup(to) : NULL,
                                     .read = weir__memdup(read, sizeof(*read) * read_count),
                                     .read_count = read_count };
    sent->source = (struct weir__tp){ sent->source_topic, source.partition };
    *ret = sent;
    return sent->source_topic != NULL && sent->read != NULL && (to == NULL || sent->to != NULL) ? WEIR_OK
                                                                                                : WEIR_NO_MEMORY;
}

int weir__dlq_done_add(struct weir__dlq_done *done, struct weir__tp source, const char *to, struct weir__runs offsets,
                       const int64_t *read, size_t read_count)
{
    struct weir__dlq_sent *sent;
    int                    err = find(done, source, to, read, read_count, &sent);

    for (size_t i = 0; err == WEIR_OK && i < offsets.count; i++)
        err = weir__runs_add(&sent->offsets, offsets.items[i].first, offsets.items[i].last);
    return err;
}

/* ---- notes ---- */

int weir__dlq_done_print(const struct weir__dlq_sent *sent, int64_t now, struct weir__buf *ret)
{
    struct weir_json_out json = { 0 };
    struct weir__buf    *raw;

    weir_json_begin_object(&json);
    weir__json_member_text(&json, "source_topic", sent->source.topic);
    weir__json_member_int(&json, "partition", sent->source.partition);
    weir_json_name(&json, "offsets");
    raw = weir__json_put_raw(&json);
    weir__buf_putc(raw, '"');
    weir__runs_print(&sent->offsets, raw);
    weir__buf_putc(raw, '"');
    weir__json_member_text(&json, "to", sent->to);
    weir_json_name(&json, "read");
    weir_json_begin_array(&json);
    for (size_t i = 0; i < sent->read_count; i++)
        weir_json_put_int64(&json, sent->read[i]);
    weir_json_end_array(&json);
    weir__json_member_int(&json, "at", now);
    weir_json_end_object(&json);
    weir__buf_add(ret, json.buf.data, json.buf.size);
    ret->failed |= !weir__buf_ok(&json.buf);
    weir__json_out_fini(&json);
    return weir__buf_ok(ret) ? WEIR_OK : WEIR_NO_MEMORY;
}

struct notes {
    struct weir__dlq_done *done;
    struct weir_arena      arena;
};

static int read_ends(const struct weir_json *list, struct weir_arena *arena, int64_t **ret, size_t *ret_count)
{
    size_t count = 0;

    if (list == NULL || list->type != WEIR_JSON_ARRAY)
        return WEIR_UNREADABLE;
    for (const struct weir_json *at = list->child; at != NULL; at = at->next)
        count++;
    *ret = weir_arena_alloc(arena, sizeof(**ret) * (count + 1));
    *ret_count = 0;
    if (*ret == NULL)
        return WEIR_NO_MEMORY;
    for (const struct weir_json *at = list->child; at != NULL; at = at->next)
        if (weir_json_int64(at, &(*ret)[(*ret_count)++]) < 0)
            return WEIR_UNREADABLE;
    return WEIR_OK;
}

/* A text in the arena; NULL where it is null. */
static const char *text_of(const struct weir_json *json, const char *name, struct weir_arena *arena)
{
    struct weir_text text;

    if (weir_json_text(weir_json_get(json, name), &text) < 0)
        return NULL;
    return weir__arena_printf(arena, "%.*s", (int)text.size, text.data);
}

static int read_note(struct notes *notes, const struct weir__raw *raw)
{
    const struct weir_json *json;
    struct weir__runs       runs = { 0 };
    struct weir__tp         source;
    struct weir_text        offsets = { 0 };
    int64_t                *read = NULL, partition = 0;
    size_t                  count = 0;
    int err = weir_json_parse(&notes->arena, (struct weir_text){ raw->value.data, raw->value.size }, &json, NULL);

    if (err == WEIR_OK)
        err = weir_json_int64(weir_json_get(json, "partition"), &partition);
    if (err == WEIR_OK)
        err = weir_json_text(weir_json_get(json, "offsets"), &offsets);
    if (err == WEIR_OK)
        err = read_ends(weir_json_get(json, "read"), &notes->arena, &read, &count);
    if (err == WEIR_OK)
        err = weir__runs_parse(offsets, &runs);
    if (err == WEIR_OK) {
        source = (struct weir__tp){ text_of(json, "source_topic", &notes->arena), (int32_t)partition };
        err = source.topic == NULL
                  ? WEIR_UNREADABLE
                  : weir__dlq_done_add(notes->done, source, text_of(json, "to", &notes->arena), runs, read, count);
    }
    weir__runs_fini(&runs);
    return err;
}

static int take_note(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct notes *notes = arg;
    int           err = raw->value.data != NULL ? read_note(notes, raw) : WEIR_UNREADABLE;

    weir__arena_reset(&notes->arena);
    if (err == WEIR_OK)
        return WEIR_OK;
    return weir__fail(reterr, err, raw->topic, "what was sent again before cannot be read at offset %lld: %s",
                      (long long)raw->offset, weir_code_text(err));
}

int weir__dlq_done_read(const struct weir__dlq *dlq, const char *topic, struct weir__dlq_done *ret,
                        struct weir_error *reterr)
{
    struct notes      notes = { .done = ret };
    struct weir_arena arena = { 0 };
    const char       *name = weir__dlq_done_topic(topic, &arena);
    int32_t           count = 0;
    int               err = name != NULL ? weir__dlq_partitions(dlq, name, &count, reterr)
                                         : weir__fail(reterr, WEIR_NO_MEMORY, topic, "out of memory");

    if (err == WEIR_OK && count > 0)
        err = weir__read_topic(dlq->looked.engine, dlq->looked.log, name, count, take_note, &notes, reterr);
    weir__arena_fini(&notes.arena);
    weir__arena_fini(&arena);
    return err;
}
