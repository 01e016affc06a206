/* lines.c: lines of a file, plain or gzip, and how far it was read as bytes and their hash; or of a pipe.
 *
 * (1) A pipe never blocks its reader for longer than WAIT_MS.
 * (2) The byte order mark that some programs put before UTF-8 is part of no line.
 */
#include "framework/runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define LONGEST    ((size_t)64 << 20)
#define HASH_BEGIN UINT64_C(14695981039346656037) /* FNV-1a */
#define HASH_PRIME UINT64_C(1099511628211)
#define WAIT_MS    100

struct weir__lines {
    gzFile             file; /* NULL: fd is read as it is */
    int                fd;   /* of a pipe; -1 = none */
    char              *path;
    struct weir__place place;
    bool               waiting; /* within a line, for the pipe */
    char               last;    /* byte taken; 0 = none */
    size_t             at, end; /* of the chunk: read, not yet taken */
    char               chunk[1 << 16];
};

static int fail_open(const char *path, int code, struct weir_error *reterr)
{
    return code == ENOENT ? weir__fail(reterr, WEIR_NOTFOUND, path, "there is no such file")
                          : weir__fail(reterr, WEIR_IO, path, "the file cannot be opened: %s", strerror(code));
}

/* What the descriptor is decides how it is read; it is ours. */
static int adopt(struct weir__lines *lines, int fd, struct weir_error *reterr)
{
    struct stat stat;

    lines->fd = fd;
    if (fd < 0 || fstat(fd, &stat) < 0)
        return fail_open(lines->path, errno, reterr);
    if (S_ISDIR(stat.st_mode))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, lines->path, "it is a folder: name a file in it");
    if (!S_ISREG(stat.st_mode))
        return WEIR_OK;
    lines->file = gzdopen(fd, "rb");
    if (lines->file == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, lines->path, "out of memory");
    lines->fd = -1;
    gzbuffer(lines->file, 1 << 18);
    return WEIR_OK;
}

int weir__lines_open(const char *path, struct weir__lines **ret, struct weir_error *reterr)
{
    struct weir__lines *lines = weir__zalloc(sizeof(*lines));
    bool                standard = strcmp(path, "-") == 0;
    int                 err;

    if (lines == NULL || (lines->path = weir__strdup(standard ? "standard input" : path)) == NULL) {
        weir__free(lines);
        return weir__fail(reterr, WEIR_NO_MEMORY, path, "out of memory");
    }
    lines->place.hash = HASH_BEGIN;
    err = adopt(lines, standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC), reterr);
    if (err < 0) {
        weir__lines_close(lines);
        return err;
    }
    *ret = lines;
    return WEIR_OK;
}

bool weir__lines_piped(const struct weir__lines *lines) { return lines->file == NULL; }

const char *weir__lines_name(const struct weir__lines *lines) { return lines->path; }

void weir__lines_close(struct weir__lines *lines)
{
    if (lines == NULL)
        return;
    if (lines->file != NULL)
        gzclose(lines->file);
    if (lines->fd >= 0)
        close(lines->fd);
    weir__free(lines->path);
    weir__free(lines);
}

static int read_failed(struct weir__lines *lines, struct weir_error *reterr)
{
    int         code;
    const char *text = gzerror(lines->file, &code);

    if (code == Z_ERRNO)
        return weir__fail(reterr, WEIR_IO, lines->path, "the file cannot be read: %s", strerror(errno));
    return weir__fail(reterr, WEIR_IO, lines->path,
                      "the compressed file is damaged or cut short (%s): fetch it again", text);
}

static bool is_gzip(const struct weir__lines *lines)
{
    return lines->place.bytes == 0 && lines->end >= 2 && memcmp(lines->chunk, "\x1f\x8b", 2) == 0;
}

static int fill_from_pipe(struct weir__lines *lines, struct weir_error *reterr)
{
    struct pollfd ready = { .fd = lines->fd, .events = POLLIN };
    ssize_t       size;

    if (poll(&ready, 1, WAIT_MS) == 0)
        return WEIR_AGAIN;
    size = read(lines->fd, lines->chunk, sizeof(lines->chunk));
    if (size < 0)
        return errno == EINTR || errno == EAGAIN
                   ? WEIR_AGAIN
                   : weir__fail(reterr, WEIR_IO, lines->path, "it cannot be read: %s", strerror(errno));
    lines->at = 0;
    lines->end = (size_t)size;
    if (is_gzip(lines))
        return weir__fail(reterr, WEIR_UNREADABLE, lines->path,
                          "it is compressed: name the file, or unpack it first with gzip -dc");
    return size > 0 ? WEIR_OK : WEIR_NOTFOUND;
}

/* WEIR_NOTFOUND at the end of the file. */
static int fill(struct weir__lines *lines, struct weir_error *reterr)
{
    int size, code;

    if (lines->at < lines->end)
        return WEIR_OK;
    if (lines->file == NULL)
        return fill_from_pipe(lines, reterr);
    size = gzread(lines->file, lines->chunk, sizeof(lines->chunk));
    if (size < 0)
        return read_failed(lines, reterr);
    (void)gzerror(lines->file, &code);
    if (size == 0 && code != Z_OK && code != Z_STREAM_END)
        return read_failed(lines, reterr);
    lines->at = 0;
    lines->end = (size_t)size;
    return size > 0 ? WEIR_OK : WEIR_NOTFOUND;
}

/* Takes bytes of the chunk, at least one. */
static void take(struct weir__lines *lines, size_t size)
{
    uint64_t hash = lines->place.hash;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)lines->chunk[lines->at + i]) * HASH_PRIME;
    lines->place.hash = hash;
    lines->place.bytes += (int64_t)size;
    lines->at += size;
    lines->last = lines->chunk[lines->at - 1];
}

static void pass_mark(struct weir__lines *lines)
{
    if (lines->place.bytes == 0 && lines->end - lines->at >= 3 &&
        memcmp(lines->chunk + lines->at, "\xef\xbb\xbf", 3) == 0)
        take(lines, 3);
}

int weir__lines_next(struct weir__lines *lines, struct weir__buf *ret, struct weir_error *reterr)
{
    const char *newline = NULL;

    if (!lines->waiting)
        weir__buf_reset(ret);
    while (newline == NULL) {
        const char *from;
        size_t      size;
        int         err = fill(lines, reterr);

        lines->waiting = err == WEIR_AGAIN;
        if (err == WEIR_NOTFOUND && ret->size > 0)
            break;
        if (err < 0)
            return err;
        pass_mark(lines);
        from = lines->chunk + lines->at;
        newline = memchr(from, '\n', lines->end - lines->at);
        size = newline != NULL ? (size_t)(newline - from) : lines->end - lines->at;
        weir__buf_add(ret, from, size);
        take(lines, size + (newline != NULL));
        if (!weir__buf_ok(ret))
            return weir__fail(reterr, WEIR_NO_MEMORY, lines->path, "out of memory");
        if (ret->size > LONGEST)
            return weir__fail(reterr, WEIR_UNREADABLE, lines->path,
                              "line %llu is longer than 64 MiB, the lines before it are loaded: cut it",
                              (unsigned long long)lines->place.lines + 1);
    }
    lines->place.lines++;
    return WEIR_OK;
}

int weir__lines_pass(struct weir__lines *lines, int64_t bytes, struct weir_error *reterr)
{
    int err = WEIR_OK;

    while (err == WEIR_OK && lines->place.bytes < bytes) {
        err = fill(lines, reterr);
        if (err == WEIR_OK)
            take(lines, (size_t)MIN((int64_t)(lines->end - lines->at), bytes - lines->place.bytes));
    }
    return err;
}

int weir__lines_seek(struct weir__lines *lines, const struct weir__place *place, struct weir_error *reterr)
{
    if (place->bytes == lines->place.bytes) {
        lines->place.lines = place->lines;
        return WEIR_OK;
    }
    if (gzrewind(lines->file) < 0 || (place->bytes > 0 && gzseek(lines->file, place->bytes, SEEK_SET) < 0))
        return weir__fail(reterr, WEIR_IO, lines->path, "it cannot be read from byte %lld on: give a file, no pipe",
                          (long long)place->bytes);
    lines->place = *place;
    if (place->bytes == 0)
        lines->place.hash = HASH_BEGIN;
    lines->at = lines->end = 0;
    lines->last = '\0';
    return WEIR_OK;
}

void weir__lines_count(struct weir__lines *lines, uint64_t count) { lines->place.lines = count; }

bool weir__lines_inside(const struct weir__lines *lines) { return lines->last != '\0' && lines->last != '\n'; }

struct weir__place weir__lines_place(const struct weir__lines *lines) { return lines->place; }

int64_t weir__lines_packed(const struct weir__lines *lines)
{
    z_off_t offset = gzoffset(lines->file);

    return offset < 0 ? 0 : (int64_t)offset;
}
