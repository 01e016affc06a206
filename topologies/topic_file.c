/* topic_file.c: reads and writes the records of one partition in a file. */
#include "topologies/topic_file.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "framework/json/json.h"
#include "framework/runtime/runtime.h"

enum { BLOCK_RECORDS = 1000, BLOCK_BYTES = 4 << 20 };

static const char mark[] = "{\"block\":";

void market_topic_file_init(struct market_topic_file *file, char *path)
{
    *file = (struct market_topic_file){ .path = path, .next = -1 };
    memset(file->digest, '0', sizeof(file->digest) - 1);
}

void market_topic_file_fini(struct market_topic_file *file)
{
    if (file->out != NULL)
        fclose(file->out);
    weir__buf_fini(&file->block);
    weir__arena_fini(&file->arena);
    weir__free(file->path);
}

/* Of the digest before and the block's lines. */
static int digest_block(struct market_topic_file *file, char ret[MARKET_DIGEST_ROOM])
{
    AUTO(weir__buf_fini) struct weir__buf all = { 0 };

    weir__buf_puts(&all, file->digest);
    weir__buf_add(&all, file->block.data, file->block.size);
    return weir__buf_ok(&all) ? market_digest((struct weir_text){ all.data, all.size }, ret) : WEIR_NO_MEMORY;
}

static int fail_memory(const struct market_topic_file *file, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, file->path, "out of memory");
}

/* ---- reading ---- */

static int fail_block(const struct market_topic_file *file, const char *why, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_CORRUPT, file->path, "block %" PRIu64 ": %s: take the file from another backup",
                      file->blocks + 1, why);
}

static int take_line(struct market_topic_file *file, const char *line, size_t size, market_take_record *take,
                     void *arg, struct weir_error *reterr)
{
    const struct weir_json *json;
    struct weir__raw        raw = { 0 };
    int64_t                 partition = 0;

    weir__arena_reset(&file->arena);
    if (weir_json_parse(&file->arena, (struct weir_text){ line, size }, &json, NULL) < 0 ||
        weir__raw_parse(json, NULL, NULL, &file->arena, 0, &raw, NULL) < 0 ||
        weir_json_int64(weir_json_get(json, "offset"), &raw.offset) < 0 ||
        weir_json_int64(weir_json_get(json, "partition"), &partition) < 0)
        return fail_block(file, "a line is no record", reterr);
    raw.partition = (int32_t)partition;
    return take(arg, &raw, reterr);
}

static int take_lines(struct market_topic_file *file, market_take_record *take, void *arg, struct weir_error *reterr)
{
    const char *at = file->block.data, *end = at + file->block.size;
    int         err = WEIR_OK;

    while (take != NULL && err == WEIR_OK && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        err = take_line(file, at, (size_t)(stop - at), take, arg, reterr);
        at = stop + 1;
    }
    return err;
}

struct block {
    int64_t          records, next;
    struct weir_text digest;
};

static bool parse_block(struct market_topic_file *file, const struct weir__buf *line, struct block *ret)
{
    const struct weir_json *json;

    weir__arena_reset(&file->arena);
    return weir_json_parse(&file->arena, (struct weir_text){ line->data, line->size }, &json, NULL) == WEIR_OK &&
           weir_json_int64(weir_json_get(json, "records"), &ret->records) == WEIR_OK &&
           weir_json_int64(weir_json_get(json, "next"), &ret->next) == WEIR_OK &&
           weir_json_text(weir_json_get(json, "sha256"), &ret->digest) == WEIR_OK &&
           ret->digest.size == MARKET_DIGEST_ROOM - 1;
}

static int end_block(struct market_topic_file *file, const struct weir__buf *line, market_take_record *take,
                     void *arg, struct weir_error *reterr)
{
    char         digest[MARKET_DIGEST_ROOM];
    struct block block;
    int          err;

    if (!parse_block(file, line, &block))
        return fail_block(file, "its end cannot be read", reterr);
    err = digest_block(file, digest);
    if (err < 0)
        return fail_memory(file, reterr);
    if ((uint64_t)block.records != file->pending || memcmp(digest, block.digest.data, sizeof(digest) - 1) != 0)
        return fail_block(file, "its checksum is not that of its lines and of the blocks before", reterr);
    err = take_lines(file, take, arg, reterr);
    memcpy(file->digest, digest, sizeof(digest));
    file->records += file->pending;
    file->next = block.next;
    file->blocks++;
    file->pending = 0;
    weir__buf_reset(&file->block);
    return err;
}

static int read_line(struct market_topic_file *file, struct weir__lines *lines, const struct weir__buf *line,
                     market_take_record *take, void *arg, struct weir_error *reterr)
{
    int err;

    if (line->size < sizeof(mark) - 1 || memcmp(line->data, mark, sizeof(mark) - 1) != 0) {
        weir__buf_add(&file->block, line->data, line->size);
        weir__buf_putc(&file->block, '\n');
        file->pending++;
        return weir__buf_ok(&file->block) ? WEIR_OK : fail_memory(file, reterr);
    }
    err = end_block(file, line, take, arg, reterr);
    file->good = weir__lines_place(lines).bytes;
    return err;
}

int market_topic_file_read(struct market_topic_file *file, market_take_record *take, void *arg,
                           struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf line = { 0 };
    struct weir__lines                   *lines;
    int                                   err;

    if (access(file->path, F_OK) != 0 && errno == ENOENT)
        return WEIR_OK;
    err = weir__lines_open(file->path, &lines, reterr);
    while (err == WEIR_OK && (err = weir__lines_next(lines, &line, reterr)) == WEIR_OK &&
           !weir__lines_inside(lines)) /* a line without its end was cut short */
        err = read_line(file, lines, &line, take, arg, reterr);
    weir__lines_close(lines);
    weir__buf_reset(&file->block);
    file->pending = 0;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* ---- writing ---- */

static int fail_write(const struct market_topic_file *file, struct weir_error *reterr)
{
    return weir__fail(reterr, errno == ENOSPC ? WEIR_DISK_FULL : WEIR_IO, file->path, "it cannot be written: %s",
                      strerror(errno));
}

int market_topic_file_begin(struct market_topic_file *file, struct weir_error *reterr)
{
    file->out = fopen(file->path, "ae");
    if (file->out == NULL || ftruncate(fileno(file->out), file->good) != 0)
        return fail_write(file, reterr);
    return WEIR_OK;
}

static int write_block(struct market_topic_file *file, struct weir_error *reterr)
{
    char line[200];
    int  size;

    if (file->pending == 0)
        return WEIR_OK;
    if (digest_block(file, line) < 0)
        return fail_memory(file, reterr);
    memcpy(file->digest, line, sizeof(file->digest));
    size = snprintf(line, sizeof(line),
                    "%s%" PRIu64 ",\"records\":%" PRIu64 ",\"next\":%" PRId64 ",\"sha256\":\"%s\"}\n", mark,
                    ++file->blocks, file->pending, file->next, file->digest);
    if (fwrite(file->block.data, 1, file->block.size, file->out) < file->block.size ||
        fwrite(line, 1, (size_t)size, file->out) < (size_t)size || fflush(file->out) != 0)
        return fail_write(file, reterr);
    file->records += file->pending;
    file->pending = 0;
    weir__buf_reset(&file->block);
    return WEIR_OK;
}

int market_topic_file_add(struct market_topic_file *file, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct weir_json_out json = { .buf = file->block };
    int                  err;

    weir__arena_reset(&file->arena);
    err = weir__raw_print(raw, NULL, NULL, &file->arena, &json);
    weir__buf_putc(&json.buf, '\n');
    file->block = json.buf;
    if (err < 0 || !weir__buf_ok(&file->block))
        return fail_memory(file, reterr);
    file->pending++;
    file->next = raw->offset + 1;
    return file->pending < BLOCK_RECORDS && file->block.size < BLOCK_BYTES ? WEIR_OK : write_block(file, reterr);
}

int market_topic_file_end(struct market_topic_file *file, struct weir_error *reterr)
{
    int err = write_block(file, reterr);

    if (err == WEIR_OK && fsync(fileno(file->out)) != 0)
        err = fail_write(file, reterr);
    return err;
}
