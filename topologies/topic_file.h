/* topic_file.h: the records of one partition in a file: lines as `cat` prints records, all bytes as base64, in blocks with checksums.
 *
 * (1) A block ends with a line {"block":N,"records":N,"next":OFFSET,"sha256":"..."}: the SHA-256 of the one before it (64 zeros first)
 *     and of its own lines. So a file that was changed, cut in a block's middle or put together shows where.
 * (2) What follows the last such line was cut short while it was written: the next backup takes it away and goes on from there.
 */
#ifndef TOPOLOGIES_TOPIC_FILE_H
#define TOPOLOGIES_TOPIC_FILE_H

#include "framework/record/record.h"
#include "schemas/digest.h"

struct market_topic_file {
    char             *path;
    int64_t           good; /* bytes up to the end of the last whole block */
    int64_t           next; /* offset behind the last record; -1 = nothing was saved */
    uint64_t          records, blocks;
    char              digest[MARKET_DIGEST_ROOM]; /* of the last block */
    struct weir__buf  block;                      /* the one that is read or written */
    uint64_t          pending;                    /* its records */
    FILE             *out;
    struct weir_arena arena;
};

/* A record of a whole block; it lives until take returns. */
typedef int market_take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr);

void market_topic_file_init(struct market_topic_file *file, char *path); /* the path is taken over */
void market_topic_file_fini(struct market_topic_file *file);
/* Reads all of it, from its start; take may be NULL. A file that is not there is empty. WEIR_CORRUPT names path and block. */
int market_topic_file_read(struct market_topic_file *file, market_take_record *take, void *arg,
                           struct weir_error *reterr);
/* After a reading: goes on behind the last whole block. */
int market_topic_file_begin(struct market_topic_file *file, struct weir_error *reterr);
int market_topic_file_add(struct market_topic_file *file, const struct weir__raw *raw, struct weir_error *reterr);
/* The last block too; on disk when it returns. */
int market_topic_file_end(struct market_topic_file *file, struct weir_error *reterr);

#endif
