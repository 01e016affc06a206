/* embedded_chunk.c: chunks of records, filled and read. */
#include "statestores/embedded_chunk.h"

#define HEAD_BYTES   (2 * sizeof(int64_t) + 2 * sizeof(int32_t))
#define RECORD_BYTES (2 * sizeof(int32_t))

void weir__chunk_fini(struct chunk *chunk) { weir__buf_fini(&chunk->bytes); }

void weir__chunk_reset(struct chunk *chunk)
{
    weir__buf_reset(&chunk->bytes);
    chunk->newest = INT64_MIN;
    chunk->written = 0;
    chunk->count = chunk->width = 0;
}

bool weir__chunk_full(const struct chunk *chunk)
{
    return chunk->count >= CHUNK_RECORDS || chunk->bytes.size >= CHUNK_BYTES;
}

/* Room for the head of a chunk and of one more record; where the record begins. */
static int make_room(struct chunk *chunk, size_t *ret_at)
{
    size_t head = chunk->count == 0 ? HEAD_BYTES : 0;

    if (!weir__buf_room(&chunk->bytes, head + RECORD_BYTES)) {
        chunk->bytes.failed = false;
        return WEIR_NO_MEMORY;
    }
    *ret_at = chunk->bytes.size + head;
    chunk->bytes.size += head + RECORD_BYTES;
    return WEIR_OK;
}

static int undo(struct chunk *chunk, size_t at, int err)
{
    chunk->bytes.size = chunk->count == 0 ? 0 : at;
    chunk->bytes.failed = false;
    return err;
}

static void note_record(struct chunk *chunk, size_t at, int32_t step, int64_t timestamp)
{
    weir__put_be32(chunk->bytes.data + at, (uint32_t)step);
    weir__put_be32(chunk->bytes.data + at + sizeof(int32_t), (uint32_t)(chunk->bytes.size - at - RECORD_BYTES));
    chunk->newest = MAX(chunk->newest, timestamp);
    chunk->count++;
    chunk->width = step + 1;
}

int weir__chunk_add(struct chunk *chunk, int32_t step, const struct weir__raw *raw)
{
    size_t at;
    int    err = make_room(chunk, &at);

    if (err < 0)
        return err;
    err = weir__raw_pack(raw, &chunk->bytes);
    if (err < 0)
        return undo(chunk, at, err);
    note_record(chunk, at, step, raw->timestamp);
    return WEIR_OK;
}

int weir__chunk_add_packed(struct chunk *chunk, int32_t step, int64_t timestamp, struct weir_bytes packed)
{
    size_t at;
    int    err = make_room(chunk, &at);

    if (err < 0)
        return err;
    weir__buf_add(&chunk->bytes, packed.data, packed.size);
    if (!weir__buf_ok(&chunk->bytes))
        return undo(chunk, at, WEIR_NO_MEMORY);
    note_record(chunk, at, step, timestamp);
    return WEIR_OK;
}

struct weir_bytes weir__chunk_seal(struct chunk *chunk)
{
    char *head = chunk->bytes.data;

    CHECK(chunk->count > 0);
    weir__put_be64(head, (uint64_t)chunk->written);
    weir__put_be64(head + 8, (uint64_t)chunk->newest);
    weir__put_be32(head + 16, (uint32_t)chunk->count);
    weir__put_be32(head + 20, (uint32_t)chunk->width);
    return BYTES(head, chunk->bytes.size);
}

int weir__chunk_open(struct weir_bytes value, int64_t base, struct chunk_reader *ret)
{
    const char *head = value.data;

    if (value.size < HEAD_BYTES)
        return WEIR_CORRUPT;
    *ret = (struct chunk_reader){ .base = base,
                                  .written = (int64_t)weir__get_be64(head),
                                  .newest = (int64_t)weir__get_be64(head + 8),
                                  .count = (int32_t)weir__get_be32(head + 16),
                                  .width = (int32_t)weir__get_be32(head + 20),
                                  .size = value.size,
                                  .at = head + HEAD_BYTES,
                                  .left = value.size - HEAD_BYTES };
    return ret->count > 0 && ret->width >= ret->count && base >= 0 && base <= INT64_MAX - ret->width ? WEIR_OK
                                                                                                     : WEIR_CORRUPT;
}

int weir__chunk_next(struct chunk_reader *chunk, int64_t *ret_offset, struct weir_bytes *ret_packed)
{
    int32_t step;
    size_t  size;

    if (chunk->left == 0)
        return WEIR_NOTFOUND;
    if (chunk->left < RECORD_BYTES)
        return WEIR_CORRUPT;
    step = (int32_t)weir__get_be32(chunk->at);
    size = weir__get_be32(chunk->at + sizeof(int32_t));
    if (step < 0 || step >= chunk->width || size > chunk->left - RECORD_BYTES)
        return WEIR_CORRUPT;
    *ret_offset = chunk->base + step;
    *ret_packed = BYTES(chunk->at + RECORD_BYTES, size);
    chunk->at += RECORD_BYTES + size;
    chunk->left -= RECORD_BYTES + size;
    return WEIR_OK;
}

int weir__chunk_unpack(struct weir_bytes packed, struct weir_arena *arena, struct weir__raw *ret)
{
    int err = weir__raw_unpack(packed, arena, ret);

    return err == WEIR_LIMIT ? WEIR_NO_MEMORY : err; /* our arenas have no other */
}
