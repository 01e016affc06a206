/* rocksdb_folder.c: the files of a log's database, looked at before RocksDB does.
 *
 * (1) RocksDB takes a folder without CURRENT for an empty one, one without its write-ahead log for one where nothing was
 *     written since, and ends a MANIFEST that was cut where it was cut: each loses records without a word.
 * (2) Who closes the database leaves a list of its files and their sizes, CLOSED; who opens it finds them so, or says which
 *     one is not. After a crash there is no list, and the files must only be there.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "statestores/statestores.h"

static void close_folder(DIR **folder)
{
    if (*folder != NULL)
        closedir(*folder);
}

static int fail_errno(struct weir_error *reterr, const char *dir)
{
    return weir__fail(reterr, WEIR_IO, dir, "the folder cannot be read: %s", strerror(errno));
}

/* CURRENT, MANIFEST-000005, 000007.log, 000008.sst: not what is made anew, or told to people. */
static bool is_database_file(const char *name)
{
    size_t digits = strspn(name, "0123456789");

    if (strcmp(name, "CURRENT") == 0 || strncmp(name, "MANIFEST-", 9) == 0)
        return true;
    return digits > 0 && (strcmp(name + digits, ".log") == 0 || strcmp(name + digits, ".sst") == 0);
}

static int64_t file_size(const char *dir, const char *name)
{
    char        path[4400];
    struct stat status;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return stat(path, &status) == 0 ? (int64_t)status.st_size : -1;
}

static void closed_path(const char *dir, char *path, size_t size) { snprintf(path, size, "%s/CLOSED", dir); }

/* ---- the list ---- */

void weir__rocksdb_folder_leave(const char *dir)
{
    AUTO(close_folder) DIR               *folder = opendir(dir);
    AUTO(weir__buf_fini) struct weir__buf list = { 0 };
    struct dirent                        *entry;
    char                                  path[4200];

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (is_database_file(entry->d_name))
            weir__buf_printf(&list, "%s %" PRId64 "\n", entry->d_name, file_size(dir, entry->d_name));
    closed_path(dir, path, sizeof(path));
    if (folder != NULL && weir__buf_ok(&list)) /* without a list, less is looked at: that is all */
        (void)weir__write_file(path, BYTES(list.data, list.size), NULL);
}

int weir__rocksdb_folder_enter(const char *dir, struct weir_error *reterr)
{
    char path[4200];

    closed_path(dir, path, sizeof(path));
    if (unlink(path) == 0 || errno == ENOENT)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_IO, path, "cannot be removed: %s", strerror(errno));
}

static int check_line(const char *dir, char *line, struct weir_error *reterr)
{
    char   *space = strchr(line, ' ');
    int64_t size, found;

    if (space == NULL || weir__parse_int64(space + 1, &size) < 0)
        return weir__fail(reterr, WEIR_CORRUPT, dir, "CLOSED is not as it was written");
    *space = '\0';
    found = file_size(dir, line);
    if (found == size)
        return WEIR_OK;
    if (found < 0)
        return weir__fail(reterr, WEIR_CORRUPT, dir, "%s is missing", line);
    return weir__fail(reterr, WEIR_CORRUPT, dir, "%s has %" PRId64 " bytes, not %" PRId64, line, found, size);
}

static int check_list(const char *dir, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf list = { 0 };
    char                                  path[4200], *save = NULL;
    int                                   err;

    closed_path(dir, path, sizeof(path));
    err = weir__read_file(path, &list, reterr);
    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    weir__buf_putc(&list, '\0');
    if (!weir__buf_ok(&list))
        return weir__fail(reterr, WEIR_NO_MEMORY, path, "out of memory");
    for (char *line = strtok_r(list.data, "\n", &save); line != NULL && err == WEIR_OK;
         line = strtok_r(NULL, "\n", &save))
        err = check_line(dir, line, reterr);
    return err;
}

/* ---- what is always there ---- */

int weir__rocksdb_folder_check(const char *dir, struct weir_error *reterr)
{
    AUTO(close_folder) DIR *folder = opendir(dir);
    struct dirent          *entry;
    bool                    has_current = false, has_log = false;
    int                     err = check_list(dir, reterr);

    if (err < 0)
        return err;
    if (folder == NULL)
        return fail_errno(reterr, dir);
    while ((entry = readdir(folder)) != NULL) {
        size_t digits = strspn(entry->d_name, "0123456789");

        has_current = has_current || strcmp(entry->d_name, "CURRENT") == 0;
        has_log = has_log || (digits > 0 && strcmp(entry->d_name + digits, ".log") == 0);
    }
    if (!has_current || !has_log)
        return weir__fail(reterr, WEIR_CORRUPT, dir, "%s is missing",
                          has_current ? "the write-ahead log" : "CURRENT");
    return check_list(dir, reterr);
}
