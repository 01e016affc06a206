/* reader.c: the thread that reads the tables whenever they have changed. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "framework/logging/logging.h"
#include "topologies/postgres/tables.h"

#define OPEN_MS   10000
#define ASK_MS    60000
#define GATHER_MS 200 /* after a notification, for others that come with it */
#define LEAST_MS  500 /* between two tries; twice as long after each failure */
#define MOST_MS   10000

struct market_postgres {
    const struct weir__config *settings;
    int64_t                    poll_ms;
    int                        stop; /* readable once the thread is to end */
    pthread_t                  thread;
    struct postgres_link       link; /* the thread's */
    int64_t                    pause_ms;

    pthread_mutex_t         mutex;
    struct market_snapshot *newest;
    char                    words[300];
};

static void say(struct market_postgres *postgres, const char *words)
{
    bool news;

    pthread_mutex_lock(&postgres->mutex);
    news = strcmp(postgres->words, words) != 0;
    snprintf(postgres->words, sizeof(postgres->words), "%s", words);
    pthread_mutex_unlock(&postgres->mutex);
    if (news && words[0] != '\0')
        weir__say(WEIR__WARN, "reference-unreadable", "why", "s", words, NULL);
    else if (news)
        weir__say(WEIR__INFO, "reference-readable", NULL);
}

static void hand_over(struct market_postgres *postgres, struct market_snapshot *snapshot)
{
    struct market_snapshot *former;

    pthread_mutex_lock(&postgres->mutex);
    former = postgres->newest;
    postgres->newest = snapshot;
    pthread_mutex_unlock(&postgres->mutex);
    market_snapshot_free(former);
}

/* false: it is time to end. */
static bool pause_for(const struct market_postgres *postgres, int64_t ms)
{
    struct pollfd fd = { .fd = postgres->stop, .events = POLLIN };

    return poll(&fd, 1, (int)ms) <= 0;
}

/* ---- the thread ---- */

static int read_once(struct market_postgres *postgres, struct weir_error *reterr)
{
    struct market_snapshot *snapshot = NULL;
    int                     err;

    postgres_forget_notes(&postgres->link); /* what they tell of is read now */
    err = postgres_read_tables(&postgres->link, &snapshot, reterr);
    if (err < 0)
        return err;
    hand_over(postgres, snapshot);
    say(postgres, "");
    postgres->pause_ms = LEAST_MS;
    return WEIR_OK;
}

/* Until the next reading is due. WEIR_AGAIN: the connection is gone, or it is time to end. */
static int wait_for_change(struct market_postgres *postgres, struct weir_error *reterr)
{
    int heard = postgres_listen(&postgres->link, postgres->poll_ms);

    if (heard > 0)
        return pause_for(postgres, GATHER_MS) ? WEIR_OK : WEIR_AGAIN;
    return heard == 0 ? WEIR_OK
                      : weir__fail(reterr, WEIR_AGAIN, "postgres.dsn", "the server has closed the connection");
}

/* As long as all goes well. */
static int follow(struct market_postgres *postgres, struct weir_error *reterr)
{
    int err = postgres_link_open(&postgres->link, postgres->settings, OPEN_MS, reterr);

    if (err == WEIR_OK)
        err = postgres_ask(&postgres->link, "listen reference_changed", NULL, 0, ASK_MS, NULL, reterr);
    while (err == WEIR_OK) {
        err = read_once(postgres, reterr);
        if (err == WEIR_OK)
            err = wait_for_change(postgres, reterr);
    }
    return err;
}

static void *run(void *arg)
{
    struct market_postgres *postgres = arg;

    do {
        struct weir_error words = { 0 };

        (void)follow(postgres, &words);
        postgres_link_close(&postgres->link);
        if (!pause_for(postgres, 0))
            break;
        say(postgres, words.text);
        postgres->pause_ms = MIN(2 * postgres->pause_ms, MOST_MS);
    } while (pause_for(postgres, postgres->pause_ms));
    return NULL;
}

/* ---- its owner ---- */

static int begin(struct market_postgres *postgres)
{
    postgres->stop = eventfd(0, EFD_CLOEXEC);
    postgres->link.stop = postgres->stop;
    if (postgres->stop < 0)
        return WEIR_NO_MEMORY;
    return pthread_create(&postgres->thread, NULL, run, postgres) == 0 ? WEIR_OK : WEIR_NO_MEMORY;
}

static void free_all(struct market_postgres *postgres)
{
    if (postgres->stop >= 0)
        close(postgres->stop);
    pthread_mutex_destroy(&postgres->mutex);
    market_snapshot_free(postgres->newest);
    weir__free(postgres);
}

int market_postgres_open(const struct weir__config *settings, struct market_postgres **ret, struct weir_error *reterr)
{
    struct market_postgres *postgres;
    int                     err = postgres_login_check(settings, reterr);

    if (err < 0)
        return err;
    postgres = weir__zalloc(sizeof(*postgres));
    if (postgres == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "postgres.dsn", "out of memory");
    postgres->settings = settings;
    postgres->poll_ms = weir__config_int(settings, "postgres.poll.ms");
    postgres->pause_ms = LEAST_MS;
    pthread_mutex_init(&postgres->mutex, NULL);
    err = begin(postgres);
    if (err < 0) {
        free_all(postgres);
        return weir__fail(reterr, err, "postgres.dsn", "a thread cannot be started");
    }
    *ret = postgres;
    return WEIR_OK;
}

void market_postgres_close(struct market_postgres *postgres)
{
    if (postgres == NULL)
        return;
    (void)!write(postgres->stop, &(uint64_t){ 1 }, sizeof(uint64_t));
    pthread_join(postgres->thread, NULL);
    free_all(postgres);
}

struct market_snapshot *market_postgres_take(struct market_postgres *postgres)
{
    struct market_snapshot *snapshot;

    pthread_mutex_lock(&postgres->mutex);
    snapshot = postgres->newest;
    postgres->newest = NULL;
    pthread_mutex_unlock(&postgres->mutex);
    return snapshot;
}

void market_postgres_look(struct market_postgres *postgres, char ret[300])
{
    pthread_mutex_lock(&postgres->mutex);
    memcpy(ret, postgres->words, sizeof(postgres->words));
    pthread_mutex_unlock(&postgres->mutex);
}
