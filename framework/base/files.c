/* files.c: folders, whole files and lock files.
 *
 * (1) A file is replaced by rename after it was synced: a reader sees the old or the new one, also after a crash.
 * (2) A lock file is never removed: a second opener must meet the same inode.
 */
#include "framework/base/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(struct weir_error *reterr, const char *path, const char *action)
{
    return weir__fail(reterr, WEIR_IO, path, "cannot %s: %s", action, strerror(errno));
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static void free_text(char **text) { weir__free(*text); }

static int fail_memory(struct weir_error *reterr, const char *path)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, path, "out of memory");
}

static int make_dir(const char *path, struct weir_error *reterr)
{
    struct stat status;

    if (mkdir(path, 0750) == 0)
        return WEIR_OK;
    if (errno != EEXIST)
        return fail_errno(reterr, path, "make the folder");
    if (stat(path, &status) < 0)
        return fail_errno(reterr, path, "look at the folder");
    if (!S_ISDIR(status.st_mode))
        return weir__fail(reterr, WEIR_IO, path, "a file is in the way of a folder: move it away");
    return WEIR_OK;
}

int weir__make_dirs(const char *path, struct weir_error *reterr)
{
    AUTO(free_text) char *part = weir__strdup(path);
    int                   err;

    if (!part)
        return fail_memory(reterr, path);
    for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        err = make_dir(part, reterr);
        if (err < 0)
            return err;
        *slash = '/';
    }
    return make_dir(path, reterr);
}

static int remove_entry(int parent, const char *name);

/* Removes what is in the folder that fd is open on, and closes fd. */
static int empty_dir(int fd)
{
    AUTO(close_dir) DIR *dir = fdopendir(fd);
    struct dirent       *entry;

    if (!dir) {
        close(fd);
        return -1;
    }
    while (errno = 0, (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (remove_entry(dirfd(dir), entry->d_name) < 0)
            return -1;
    }
    return errno ? -1 : 0;
}

/* Links are removed, not followed. On failure errno says why. */
static int remove_entry(int parent, const char *name)
{
    int fd;

    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || empty_dir(fd) < 0)
        return -1;
    return unlinkat(parent, name, AT_REMOVEDIR);
}

int weir__remove_tree(const char *path, struct weir_error *reterr)
{
    return remove_entry(AT_FDCWD, path) < 0 ? fail_errno(reterr, path, "remove") : WEIR_OK;
}

int weir__discard_tree(const char *path, struct weir_error *reterr)
{
    char aside[PATH_MAX];
    int  err;

    if (snprintf(aside, sizeof(aside), "%s" WEIR__DISCARDED, path) >= (int)sizeof(aside))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, path, "the path is too long");
    err = weir__remove_tree(aside, reterr); /* of an earlier time that was cut short */
    if (err == WEIR_OK && rename(path, aside) < 0 && errno != ENOENT)
        return fail_errno(reterr, path, "rename");
    return err == WEIR_OK ? weir__remove_tree(aside, reterr) : err;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* The pid in a lock file, 0 when there is none to read. */
static int64_t read_holder(int fd)
{
    char    text[32];
    ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
    int64_t pid;

    text[MAX(size, 0)] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return weir__parse_int64(text, &pid) == WEIR_OK ? pid : 0;
}

static int fail_busy(int fd, const char *path, struct weir_error *reterr)
{
    int64_t pid = read_holder(fd);

    if (pid)
        return weir__fail(reterr, WEIR_BUSY, path, "process %lld holds it: stop that one first", (long long)pid);
    return weir__fail(reterr, WEIR_BUSY, path, "another process holds it: stop that one first");
}

int weir__lock_file(const char *path, int *ret_fd, struct weir_error *reterr)
{
    AUTO(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    char               pid[32];

    if (fd < 0)
        return fail_errno(reterr, path, "open the lock file");
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? fail_busy(fd, path, reterr) : fail_errno(reterr, path, "lock");
    snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || write_all(fd, pid, strlen(pid)) < 0)
        return fail_errno(reterr, path, "write our pid");
    *ret_fd = fd;
    fd = -1;
    return WEIR_OK;
}

void weir__unlock_file(int fd)
{
    if (fd >= 0)
        close(fd);
}

int weir__read_file(const char *path, struct weir__buf *ret, struct weir_error *reterr)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t            size;

    if (fd < 0 && errno == ENOENT)
        return weir__fail(reterr, WEIR_NOTFOUND, path, "there is no such file");
    if (fd < 0)
        return fail_errno(reterr, path, "open");
    do {
        if (!weir__buf_room(ret, 16 << 10))
            return fail_memory(reterr, path);
        size = read(fd, ret->data + ret->size, ret->capacity - ret->size);
        if (size < 0 && errno != EINTR)
            return fail_errno(reterr, path, "read");
        ret->size += (size_t)MAX(size, 0);
    } while (size != 0);
    return WEIR_OK;
}

/* A device, a pipe or a link is not to be replaced by a file. */
static int fail_special(const char *path, struct weir_error *reterr)
{
    struct stat status;

    if (lstat(path, &status) < 0 || S_ISREG(status.st_mode))
        return WEIR_OK;
    return weir__fail(reterr, WEIR_IO, path,
                      "no plain file (a folder, link, device or pipe) is in the way: name another");
}

static int write_synced(const char *path, struct weir_bytes bytes, struct weir_error *reterr)
{
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

    if (fd < 0)
        return fail_errno(reterr, path, "open for writing");
    if (write_all(fd, bytes.data, bytes.size) < 0)
        return fail_errno(reterr, path, "write");
    return fsync(fd) < 0 ? fail_errno(reterr, path, "sync") : WEIR_OK;
}

/* Makes a rename inside the folder of path durable. */
static int sync_folder_of(const char *path, struct weir_error *reterr)
{
    AUTO(free_text) char *folder = weir__strdup(path);
    AUTO(close_fd) int    fd = -1;
    char                 *slash;

    if (!folder)
        return fail_memory(reterr, path);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? fail_errno(reterr, path, "sync the folder of") : WEIR_OK;
}

int weir__write_file(const char *path, struct weir_bytes bytes, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf beside = { 0 };
    int                                   err = fail_special(path, reterr);

    if (err < 0)
        return err;
    weir__buf_printf(&beside, "%s.tmp", path);
    if (!weir__buf_ok(&beside))
        return fail_memory(reterr, path);
    err = write_synced(beside.data, bytes, reterr);
    if (err == WEIR_OK && rename(beside.data, path) < 0)
        err = fail_errno(reterr, path, "rename the new file over");
    if (err < 0) {
        unlink(beside.data);
        return err;
    }
    return sync_folder_of(path, reterr);
}
