/* embedded_log.c: the embedded log opened and closed, its clock, whose turn it is to write; the engine's table. */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "framework/base/threads.h"
#include "statestores/embedded.h"

#define FORMAT "weir log 2\n"

/* ---- time and turns ---- */

int64_t weir__embedded_now(struct weir__log *log)
{
    return log->clock != NULL ? log->clock(log->clock_arg) : weir__wall_ms();
}

int64_t weir__embedded_ticks(struct weir__log *log)
{
    return log->clock != NULL ? log->clock(log->clock_arg) : weir__monotonic_us() / 1000;
}

/* A deadline as the conditions want it. A step of the wall clock while somebody waits makes no difference. */
struct timespec weir__embedded_until(struct weir__log *log, int64_t deadline)
{
    int64_t         left = MIN(MAX(deadline - weir__embedded_now(log), 0), INT32_MAX);
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += left / 1000;
    until.tv_nsec += left % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

/* The disk's time is real, also where the clock is not. */
int weir__embedded_settled(struct weir__log *log, int64_t deadline)
{
    struct timespec until = weir__embedded_until(log, deadline);

    while (log->writing) {
        if (log->clock != NULL)
            pthread_cond_wait(&log->written, &log->mutex);
        else if (pthread_cond_timedwait(&log->written, &log->mutex, &until) != 0 && log->writing)
            return WEIR_AGAIN;
    }
    return WEIR_OK;
}

int weir__embedded_begin(struct weir__log *log, int64_t deadline)
{
    int err = log->read_only ? WEIR_BAD_STATE : weir__embedded_settled(log, deadline);

    log->writing = log->writing || err == WEIR_OK;
    return err;
}

void weir__embedded_end(struct weir__log *log)
{
    log->writing = false;
    pthread_cond_broadcast(&log->written);
}

int weir__embedded_write_held(struct weir__log *log, const struct weir__batch *batch)
{
    int err = batch->count > 0 ? log->engine->write(log->db, batch->writes, batch->count) : WEIR_OK;

    if (err == WEIR_STORE_FAILED)
        return log->engine->durable ? WEIR_IO : WEIR_NO_MEMORY;
    return err;
}

int weir__embedded_write(struct weir__log *log, const struct weir__batch *batch)
{
    int err;

    CHECK(log->writing);
    if (!log->engine->durable) /* memory is not read while it is written */
        return weir__embedded_write_held(log, batch);
    pthread_mutex_unlock(&log->mutex);
    err = weir__embedded_write_held(log, batch);
    pthread_mutex_lock(&log->mutex);
    return err;
}

/* ---- open and close ---- */

static size_t line_size(const struct weir__buf *buf)
{
    const char *end = buf->size > 0 ? memchr(buf->data, '\n', buf->size) : NULL;

    return end != NULL ? (size_t)(end - buf->data) : buf->size;
}

/* FORMAT tells later versions what lies here, and older ones to keep off. It comes last into a new folder, so where it is
 * the rest must be. */
static int check_format(const char *path, bool *ret_there, struct weir_error *reterr)
{
    struct weir__buf found = { 0 };
    int              err;

    *ret_there = access(path, F_OK) == 0;
    if (!*ret_there)
        return WEIR_OK;
    err = weir__read_file(path, &found, reterr);
    if (err == WEIR_OK && !weir__bytes_equal(BYTES(found.data, found.size), BYTES(FORMAT, strlen(FORMAT))))
        err = weir__fail(reterr, WEIR_UNSUPPORTED, path,
                         "it says \"%.*s\", this program knows \"%.*s\": use the version that made the folder",
                         (int)MIN(line_size(&found), 40), found.data, (int)strlen(FORMAT) - 1, FORMAT);
    weir__buf_fini(&found);
    return err;
}

static int open_db(struct weir__log *log, const char *dir, bool there, struct weir_error *reterr)
{
    struct weir_error words = { 0 };
    int               err = there ? weir__rocksdb_folder_check(dir, &words) : WEIR_OK;

    if (err == WEIR_OK && there && !log->read_only)
        err = weir__rocksdb_folder_enter(dir, &words);
    if (err == WEIR_OK)
        err = log->engine->open(dir, log->memory, &log->db, &words);
    if (err == WEIR_CORRUPT)
        return weir__fail(reterr, err, dir,
                          "the log is damaged: %.400s; put back a copy of the folder, or remove it and "
                          "load the input again",
                          words.text);
    return err < 0 ? weir__fail(reterr, err, words.where, "%s", words.text) : WEIR_OK;
}

static int open_writer(struct weir__log *log, const char *dir, struct weir_error *reterr)
{
    char lock[4096], format[4096];
    bool there = false;
    int  err = weir__make_dirs(dir, reterr);

    log->dir = weir__strdup(dir);
    if (log->dir == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "no memory for the log");
    snprintf(lock, sizeof(lock), "%s/LOCK.writer", dir);
    snprintf(format, sizeof(format), "%s/FORMAT", dir);
    log->engine = &weir__rocksdb_log_engine;
    if (err == WEIR_OK)
        err = weir__lock_file(lock, &log->lock_fd, reterr);
    if (err == WEIR_OK)
        err = check_format(format, &there, reterr);
    if (err == WEIR_OK)
        err = open_db(log, dir, there, reterr);
    if (err == WEIR_OK && !there)
        err = weir__write_file(format, BYTES(FORMAT, strlen(FORMAT)), reterr);
    return err;
}

static int open_reader(struct weir__log *log, const char *dir, struct weir_error *reterr)
{
    char format[4096];
    bool there = false;
    int  err;

    snprintf(format, sizeof(format), "%s/FORMAT", dir);
    log->engine = &weir__rocksdb_reader_engine;
    err = check_format(format, &there, reterr);
    if (err == WEIR_OK && !there)
        err = weir__fail(reterr, WEIR_NOTFOUND, dir, "there is no log in this folder: check --dir");
    return err == WEIR_OK ? open_db(log, dir, there, reterr) : err;
}

static void init_sync(struct weir__log *log)
{
    pthread_mutex_init(&log->mutex, NULL);
    weir__cond_init(&log->changed);
    weir__cond_init(&log->written);
}

static void free_topics(struct topic **topics, size_t count)
{
    for (size_t i = 0; i < count; i++)
        weir__embedded_topic_free(topics[i]);
    weir__free(topics);
}

static void embedded_close(struct weir__log *log)
{
    if (log == NULL)
        return;
    if (log->db != NULL)
        log->engine->close(log->db);
    if (log->db != NULL && log->dir != NULL)
        weir__rocksdb_folder_leave(log->dir);
    weir__free(log->dir);
    if (log->lock_fd >= 0)
        weir__unlock_file(log->lock_fd);
    weir__embedded_give_up(log);
    weir__embedded_decisions_free(log);
    free_topics(log->topics, log->topic_count);
    free_topics(log->removed, log->removed_count);
    weir__embedded_groups_free(log);
    pthread_cond_destroy(&log->written);
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->mutex);
    weir__free(log);
}

static int open_rows(struct weir__log *log, const struct weir__log_config *config, struct weir_error *reterr)
{
    int err;

    log->engine = &weir__memory_engine;
    if (config->dir == NULL)
        err = log->engine->open(NULL, 0, &log->db, reterr);
    else
        err = (config->read_only ? open_reader : open_writer)(log, config->dir, reterr);
    if (err == WEIR_OK)
        err = log->engine->family(log->db, "default", &log->family, reterr);
    return err == WEIR_OK ? weir__embedded_load(log, reterr) : err;
}

static void tidy(struct weir__log *log)
{
    pthread_mutex_lock(&log->mutex);
    if (weir__embedded_begin(log, weir__embedded_now(log)) == WEIR_OK) {
        weir__embedded_tidy(log);
        weir__embedded_end(log);
    }
    pthread_mutex_unlock(&log->mutex);
}

static int embedded_open(const struct weir__log_config *config, struct weir__log **ret, struct weir_error *reterr)
{
    struct weir__log *log = weir__zalloc(sizeof(*log));
    int               err;

    if (log == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "log", "no memory for the log");
    init_sync(log);
    log->lock_fd = -1;
    log->quirks = config->quirks;
    log->read_only = config->read_only;
    log->clock = config->clock;
    log->memory = config->memory;
    log->marker_delay = config->marker_delay;
    log->session_ms = config->session_ms;
    log->transaction_ms = config->transaction_ms > 0 ? config->transaction_ms : SILENT_MS;
    log->clock_arg = config->clock_arg;
    log->max_bytes = config->message_max_bytes > 0 ? config->message_max_bytes : 1 << 20;
    err = open_rows(log, config, reterr);
    if (err < 0) {
        embedded_close(log);
        return err;
    }
    log->opened = weir__embedded_now(log);
    tidy(log);
    *ret = log;
    return WEIR_OK;
}

static bool embedded_marks(struct weir__log *log) { return log->quirks; }

const struct weir__log_engine weir__embedded_engine = { .name = "embedded",
                                                        .usual_partitions = 4,
                                                        .marks = embedded_marks,
                                                        .open = embedded_open,
                                                        .close = embedded_close,
                                                        .partitions = weir__embedded_partitions,
                                                        .ensure = weir__embedded_ensure,
                                                        .grow = weir__embedded_grow,
                                                        .trim = weir__embedded_trim,
                                                        .ends = weir__embedded_ends,
                                                        .offset_at = weir__embedded_offset_at,
                                                        .committed = weir__embedded_committed,
                                                        .group_members = weir__embedded_group_members,
                                                        .set_committed = weir__embedded_set_committed,
                                                        .remove = weir__embedded_remove,
                                                        .settings = weir__embedded_settings,
                                                        .topics = weir__embedded_topics,
                                                        .now = weir__embedded_now,
                                                        .join = weir__embedded_join,
                                                        .tail = weir__embedded_tail,
                                                        .members = weir__embedded_members,
                                                        .poll = weir__embedded_poll,
                                                        .release = weir__embedded_release,
                                                        .take = weir__embedded_take,
                                                        .hold = weir__embedded_hold,
                                                        .valid = weir__embedded_valid,
                                                        .over = weir__embedded_over,
                                                        .leave = weir__embedded_leave,
                                                        .wake = weir__embedded_wake,
                                                        .producer = weir__embedded_producer,
                                                        .producer_close = weir__embedded_producer_close,
                                                        .send = weir__embedded_send,
                                                        .commit = weir__embedded_commit,
                                                        .abort = weir__embedded_abort,
                                                        .failed = weir__embedded_failed,
                                                        .sent = weir__embedded_sent };
