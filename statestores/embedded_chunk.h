/* embedded_chunk.h: a chunk: records of one partition in one row of the embedded log.
 *
 *     int64 written (wall clock of the commit, ms), int64 greatest timestamp, int32 count, int32 width, then of each record
 *     int32 step, int32 size and its packed form (framework/record). A record's offset is the chunk's plus its step; steps
 *     rise and are below the width. All big-endian.
 */
#ifndef WEIR_EMBEDDED_CHUNK_H
#define WEIR_EMBEDDED_CHUNK_H

#include "framework/record/record.h"

#define CHUNK_RECORDS 500
#define CHUNK_BYTES   ((size_t)64 << 10) /* with more, the next record begins another */

/* A chunk that is being filled. */
struct chunk {
    struct weir__buf bytes;
    int64_t          base; /* offset, where known while it is filled */
    int64_t          newest, written;
    int32_t          count, width;
};
void weir__chunk_fini(struct chunk *chunk);
void weir__chunk_reset(struct chunk *chunk);
bool weir__chunk_full(const struct chunk *chunk);
/* WEIR_NO_MEMORY, WEIR_TOO_LARGE: nothing was added. */
int weir__chunk_add(struct chunk *chunk, int32_t step, const struct weir__raw *raw);
int weir__chunk_add_packed(struct chunk *chunk, int32_t step, int64_t timestamp, struct weir_bytes packed);
struct weir_bytes weir__chunk_seal(struct chunk *chunk); /* its row's value; borrowed */

/* A chunk that is being read. */
struct chunk_reader {
    int64_t     base, written, newest;
    int32_t     count, width;
    size_t      size;
    const char *at;
    size_t      left;
};
int weir__chunk_open(struct weir_bytes value, int64_t base, struct chunk_reader *ret); /* WEIR_CORRUPT */
/* WEIR_NOTFOUND at the end; WEIR_CORRUPT. */
int weir__chunk_next(struct chunk_reader *chunk, int64_t *ret_offset, struct weir_bytes *ret_packed);
int weir__chunk_unpack(struct weir_bytes packed, struct weir_arena *arena, struct weir__raw *ret);
static inline int64_t weir__chunk_end(const struct chunk_reader *chunk) { return chunk->base + chunk->width; }

#endif
