/* data_dir.c: the folder of the embedded log and the state: its form and its one writer. */
#include "framework/main/commands.h"

#define FORMAT_TEXT "weir 1\n"

static void free_path(char **path) { weir__free(*path); }

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char  *path = weir__alloc(size);

    if (path != NULL)
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

/* WEIR_NOTFOUND: there is no FORMAT. */
static int check_format(const char *dir, const char *path, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    int                                   err = weir__read_file(path, &text, reterr);

    if (err < 0)
        return err;
    if (text.size == strlen(FORMAT_TEXT) && memcmp(text.data, FORMAT_TEXT, text.size) == 0)
        return WEIR_OK;
    return weir__fail(reterr, WEIR_UNSUPPORTED, dir,
                      "the folder's FORMAT is \"%.*s\", this program knows \"weir 1\": use the version that made it",
                      (int)MIN(strcspn(text.size > 0 ? text.data : "", "\n"), MIN(text.size, (size_t)40)),
                      text.size > 0 ? text.data : "");
}

static int lock_dir(const char *dir, struct weir__data_dir *data, struct weir_error *reterr)
{
    AUTO(free_path) char *path = join(dir, "LOCK");
    int                   err = weir__make_dirs(dir, reterr);

    if (path == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "out of memory");
    return err == WEIR_OK ? weir__lock_file(path, &data->lock, reterr) : err;
}

static int open_dir(const char *dir, bool write, struct weir__data_dir *data, struct weir_error *reterr)
{
    AUTO(free_path) char *format = join(dir, "FORMAT");
    int                   err = write ? lock_dir(dir, data, reterr) : WEIR_OK;

    data->log = join(dir, "log");
    data->state = join(dir, "state");
    if (format == NULL || data->log == NULL || data->state == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "out of memory");
    if (err == WEIR_OK)
        err = check_format(dir, format, reterr);
    if (err != WEIR_NOTFOUND)
        return err;
    if (!write)
        return weir__fail(reterr, WEIR_NOTFOUND, dir,
                          "there is no data here: name the folder that \"local\" was run on with --dir");
    return weir__write_file(format, BYTES(FORMAT_TEXT, strlen(FORMAT_TEXT)), reterr);
}

int weir__data_dir_open(const char *path, bool write, struct weir__data_dir *ret, struct weir_error *reterr)
{
    int err;

    *ret = (struct weir__data_dir){ .lock = -1 };
    if (path[0] == '\0')
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--dir", "the folder has no name: give one");
    err = open_dir(path, write, ret, reterr);
    if (err < 0)
        weir__data_dir_close(ret);
    return err;
}

void weir__data_dir_close(struct weir__data_dir *dir)
{
    if (dir->lock >= 0)
        weir__unlock_file(dir->lock);
    weir__free(dir->log);
    weir__free(dir->state);
    *dir = (struct weir__data_dir){ .lock = -1 };
}

const char *weir__state_root(const struct weir__program *program, const struct weir__data_dir *dir)
{
    const char *configured = weir__config_text(program->settings, "state.dir");

    return dir->state != NULL && strcmp(configured, "state") == 0 ? dir->state : configured;
}

int weir__data_log_open(const struct weir__program *program, const char *path, bool write, struct weir__data_dir *dir,
                        struct weir__log **ret, struct weir_error *reterr)
{
    struct weir__log_config config = { .read_only = !write };
    int                     err = weir__data_dir_open(path, write, dir, reterr);

    *ret = NULL;
    if (err < 0)
        return err;
    config.dir = dir->log;
    if (write) {
        config.quirks = strcmp(weir__config_text(program->settings, "log.quirks"), "on") == 0;
        config.memory = weir__memory_of_log(weir__memory_total(weir__config_int(program->settings, "memory.max")));
        config.message_max_bytes = weir__config_int(program->settings, "max.record.bytes");
    }
    return program->engines->embedded->open(&config, ret, reterr);
}
