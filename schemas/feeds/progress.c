/* progress.c: how far files were sent, as records of a topic. */
#include <inttypes.h>
#include <stdlib.h>

#include "schemas/feeds/call.h"

/* ---- reading ---- */

static int read_count(const struct weir_json *json, const char *name, uint64_t *ret)
{
    int64_t value;

    if (weir_json_int64(weir_json_get(json, name), &value) < 0 || value < 0)
        return WEIR_UNREADABLE;
    *ret = (uint64_t)value;
    return WEIR_OK;
}

/* Of records that were written before it was counted: 0. */
static int read_again(const struct weir_json *json, struct market__progress *ret)
{
    ret->again = 0;
    return weir_json_get(json, "again") ? read_count(json, "again", &ret->again) : WEIR_OK;
}

static int read_hash(const struct weir_json *json, uint64_t *ret)
{
    struct weir_text text;
    char             hex[17] = "", *end;

    if (weir_json_text(weir_json_get(json, "hash"), &text) < 0 || text.size != 16)
        return WEIR_UNREADABLE;
    memcpy(hex, text.data, 16);
    *ret = strtoull(hex, &end, 16);
    return *end ? WEIR_UNREADABLE : WEIR_OK;
}

static int read_progress(const struct weir_json *json, struct market__progress *ret)
{
    const struct {
        const char *name;
        uint64_t   *count;
    } counts[] = { { "rows", &ret->rows },
                   { "begin", &ret->begin },
                   { "events", &ret->events },
                   { "sent", &ret->sent },
                   { "before", &ret->before } };
    uint64_t bytes;

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        if (read_count(json, counts[i].name, counts[i].count) < 0)
            return WEIR_UNREADABLE;
    if (weir_json_text(weir_json_get(json, "id"), &ret->id) < 0 ||
        weir_json_text(weir_json_get(json, "context"), &ret->context) < 0 || read_hash(json, &ret->hash) < 0 ||
        read_again(json, ret) < 0 || read_count(json, "bytes", &bytes) < 0 || ret->sent > ret->events ||
        ret->begin > ret->rows)
        return WEIR_UNREADABLE;
    ret->bytes = (int64_t)bytes;
    return WEIR_OK;
}

/* The record with that id so far; a new one where there is none. NULL = out of memory. */
static struct market__progress *find_known(struct market_load *load, struct weir_text id)
{
    struct weir_bytes        key = BYTES(id.data, id.size);
    struct market__progress *known = weir__map_get(&load->known_ids, key);

    if (known || GROW(load->known, load->known_capacity, load->known_count) < 0)
        return known;
    known = weir__arena_take(&load->arena, sizeof(*known));
    if (!known || weir__map_put(&load->known_ids, key, known) < 0)
        return NULL;
    load->known[load->known_count++] = known;
    return known;
}

int market_load_known(struct market_load *load, struct weir_bytes value)
{
    struct weir_text text = { .data = weir__arena_copy(&load->arena, value.data, value.size), .size = value.size };
    const struct weir_json *json;
    struct market__progress progress, *known;
    int                     err = text.data ? weir_json_parse(&load->arena, text, &json, NULL) : WEIR_NO_MEMORY;

    if (err == WEIR_OK)
        err = read_progress(json, &progress);
    if (err < 0)
        return err;
    known = find_known(load, progress.id);
    if (!known)
        return WEIR_NO_MEMORY;
    *known = progress;
    load->again = MAX(load->again, progress.again);
    return WEIR_OK;
}

/* ---- writing ---- */

static void put_count(struct weir_json_out *json, const char *name, uint64_t value)
{
    weir_json_name(json, name);
    weir_json_put_int64(json, (int64_t)value);
}

static void put_text(struct weir_json_out *json, const char *name, struct weir_text text)
{
    weir_json_name(json, name);
    weir_json_put_text(json, text);
}

static const struct market__segment *present(const struct market__input *input)
{
    return &input->segments[MIN(input->segment, input->segment_count - 1)];
}

static void put_id(const struct market__input *input, struct weir__buf *ret)
{
    weir__buf_printf(ret, "%016" PRIx64 "-%" PRId64 "-%.*s", present(input)->hash, present(input)->bytes,
                     (int)input->context.size, input->context.data);
}

static void put_progress(const struct market_load *load, const struct market__input *input, struct weir_text id,
                         struct weir_json_out *json)
{
    const struct market__segment *segment = present(input);
    char                          hash[17];

    snprintf(hash, sizeof(hash), "%016" PRIx64, segment->hash);
    weir_json_begin_object(json);
    put_text(json, "id", id);
    put_text(json, "context", (struct weir_text){ .data = input->context.data, .size = input->context.size });
    put_text(json, "file", market__text(input->path));
    put_count(json, "bytes", (uint64_t)segment->bytes);
    put_text(json, "hash", market__text(hash));
    put_count(json, "rows", segment->end);
    put_count(json, "begin", segment->begin);
    put_count(json, "events", segment->events);
    put_count(json, "sent", segment->passed);
    put_count(json, "before", input->before + input->sent);
    put_count(json, "again", load->again);
    weir_json_end_object(json);
}

int market_load_progress(const struct market_load *load, size_t n, struct weir__buf *ret_key,
                         struct weir__buf *ret_value)
{
    const struct market__input *input = &load->inputs[n];
    struct weir_json_out        json = { 0 };
    size_t                      begin = ret_key->size;
    int                         err;

    put_id(input, ret_key);
    put_progress(load, input, (struct weir_text){ .data = ret_key->data + begin, .size = ret_key->size - begin },
                 &json);
    weir__buf_add(ret_value, json.buf.data, json.buf.size);
    err = weir__buf_ok(&json.buf) && weir__buf_ok(ret_key) && weir__buf_ok(ret_value) ? WEIR_OK : WEIR_NO_MEMORY;
    weir__json_out_fini(&json);
    return err;
}
