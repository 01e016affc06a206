/* secrets.c: all handles, and the password of SASL where it is given as a file.
 *
 * (1) The file is looked at each second. When it has changed, every handle gets what it says for the connections that it makes from
 *     then on; those that are there stay.
 * (2) What cannot be read is said, and the former password stays.
 */
#include "framework/config/config.h"
#include "framework/kafka/internal.h"
#include "framework/logging/logging.h"

#include <sys/stat.h>
#include <time.h>

#define LOOK_S 1

struct secrets {
    const char     *user, *user_file, *password, *password_file; /* settings; one of each two is NULL */
    struct timespec changed[2];
    ino_t           inode[2];
    pthread_t       thread;
    pthread_cond_t  ending; /* under client_mutex */
    bool            ends;
};

/* ---- handles ---- */

int weir__kafka_secrets_add(struct weir__log *log, rd_kafka_t **rk, struct weir_error *reterr)
{
    int err;

    pthread_mutex_lock(&log->client_mutex);
    err = GROW(log->clients, log->client_capacity, log->client_count);
    if (err == WEIR_OK)
        log->clients[log->client_count++] = *rk;
    pthread_mutex_unlock(&log->client_mutex);
    if (err == WEIR_OK)
        return WEIR_OK;
    rd_kafka_destroy(*rk);
    *rk = NULL;
    return weir__fail(reterr, err, "kafka", "no memory for a client");
}

void weir__kafka_client_forget(struct weir__log *log, const rd_kafka_t *rk)
{
    pthread_mutex_lock(&log->client_mutex);
    for (size_t i = 0; i < log->client_count; i++)
        if (log->clients[i] == rk)
            log->clients[i] = log->clients[--log->client_count];
    pthread_mutex_unlock(&log->client_mutex);
}

void weir__kafka_client_close(struct weir__log *log, rd_kafka_t *rk, int flags)
{
    weir__kafka_client_forget(log, rk);
    rd_kafka_destroy_flags(rk, flags);
}

/* ---- a password that changes ---- */

static int value_of(const char *value, const char *file, struct weir__buf *ret, struct weir_error *reterr)
{
    if (file != NULL)
        return weir__secret_read(file, ret, reterr);
    weir__buf_puts(ret, value != NULL ? value : "");
    weir__buf_putc(ret, '\0');
    return weir__buf_ok(ret) ? WEIR_OK : WEIR_NO_MEMORY;
}

static void hand_out(struct weir__log *log, const char *user, const char *password)
{
    for (size_t i = 0; i < log->client_count; i++) {
        rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(log->clients[i], user, password);

        if (error != NULL)
            rd_kafka_error_destroy(error);
    }
}

static void read_again(struct weir__log *log)
{
    AUTO(weir__secret_fini) struct weir__buf user = { 0 };
    AUTO(weir__secret_fini) struct weir__buf password = { 0 };
    struct secrets                          *secrets = log->secrets;
    struct weir_error                        error = { 0 };
    int                                      err = value_of(secrets->user, secrets->user_file, &user, &error);

    if (err == WEIR_OK)
        err = value_of(secrets->password, secrets->password_file, &password, &error);
    if (err == WEIR_OK)
        hand_out(log, user.data, password.data);
    weir__say(err == WEIR_OK ? WEIR__INFO : WEIR__WARN,
              err == WEIR_OK ? "kafka-password-read" : "kafka-password-refused", "file", "s",
              secrets->password_file != NULL ? secrets->password_file : secrets->user_file, "why", "s", error.text,
              NULL);
}

static bool file_changed(struct secrets *secrets, int which, const char *file)
{
    struct stat status;
    bool        changed;

    if (file == NULL || stat(file, &status) < 0)
        return false;
    changed = status.st_ctim.tv_sec != secrets->changed[which].tv_sec ||
              status.st_ctim.tv_nsec != secrets->changed[which].tv_nsec || status.st_ino != secrets->inode[which];
    secrets->changed[which] = status.st_ctim;
    secrets->inode[which] = status.st_ino;
    return changed;
}

static bool has_changed(struct secrets *secrets)
{
    bool user = file_changed(secrets, 0, secrets->user_file);

    return file_changed(secrets, 1, secrets->password_file) || user;
}

static void *watch(void *arg)
{
    struct weir__log *log = arg;
    struct timespec   until;

    pthread_mutex_lock(&log->client_mutex);
    while (!log->secrets->ends) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_S;
        (void)pthread_cond_timedwait(&log->secrets->ending, &log->client_mutex, &until);
        if (!log->secrets->ends && has_changed(log->secrets))
            read_again(log);
    }
    pthread_mutex_unlock(&log->client_mutex);
    return NULL;
}

int weir__kafka_secrets_open(struct weir__log *log, struct weir_error *reterr)
{
    const char *const *settings = (const char *const *)log->settings;
    struct secrets    *secrets;

    if (weir__kafka_value_of(settings, "sasl.password.file") == NULL &&
        weir__kafka_value_of(settings, "sasl.username.file") == NULL)
        return WEIR_OK;
    secrets = weir__zalloc(sizeof(*secrets));
    if (secrets == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "no memory for a log");
    secrets->user = weir__kafka_value_of(settings, "sasl.username");
    secrets->user_file = weir__kafka_value_of(settings, "sasl.username.file");
    secrets->password = weir__kafka_value_of(settings, "sasl.password");
    secrets->password_file = weir__kafka_value_of(settings, "sasl.password.file");
    (void)has_changed(secrets);
    pthread_cond_init(&secrets->ending, NULL);
    log->secrets = secrets;
    if (pthread_create(&secrets->thread, NULL, watch, log) == 0)
        return WEIR_OK;
    log->secrets = NULL;
    pthread_cond_destroy(&secrets->ending);
    weir__free(secrets);
    return weir__fail(reterr, WEIR_NO_MEMORY, "kafka", "the system gives no thread for the file of the password");
}

void weir__kafka_secrets_close(struct weir__log *log)
{
    if (log->secrets == NULL)
        return;
    pthread_mutex_lock(&log->client_mutex);
    log->secrets->ends = true;
    pthread_cond_signal(&log->secrets->ending);
    pthread_mutex_unlock(&log->client_mutex);
    pthread_join(log->secrets->thread, NULL);
    pthread_cond_destroy(&log->secrets->ending);
    weir__free(log->secrets);
    log->secrets = NULL;
}
