/* marks.c: whether Redis still has what was put: marks that never expire, each with a number that whoever finds it missing makes up.
 *
 * (1) One for the process: its outlets have the same Redis. A mark that is missing, or has another number than it had, is a loss.
 * (2) Several, so that each node of a cluster has one or more.
 * (3) The first look of a process finds a loss only where it finds no mark: Redis is empty, whoever was to fill it.
 */
#include "topologies/redis/internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>

#define LOOK_EVERY_US INT64_C(2000000)
enum { NUMBER_BYTES = 17 };

static pthread_mutex_t      mutex = PTHREAD_MUTEX_INITIALIZER;
static char                 seen[REDIS_MARKS][NUMBER_BYTES]; /* under the mutex; "" = not yet */
static atomic_uint_fast64_t losses;

uint64_t market_redis_losses(void) { return atomic_load(&losses); }

static void note(size_t n, const char *number, size_t size, bool made)
{
    size = MIN(size, NUMBER_BYTES - 1);
    pthread_mutex_lock(&mutex);
    if (strlen(seen[n]) != size || memcmp(seen[n], number, size) != 0) {
        if (made || seen[n][0] != '\0')
            atomic_fetch_add(&losses, 1);
        memcpy(seen[n], number, size);
        seen[n][size] = '\0';
    }
    pthread_mutex_unlock(&mutex);
}

/* Of GET: whoever made it. */
static void on_number(void *arg, const redisReply *reply)
{
    struct redis_mark *mark = arg;

    mark->pending--;
    if (reply != NULL && reply->type == REDIS_REPLY_STRING)
        note(mark->n, reply->str, reply->len, mark->made);
    mark->made = false;
}

/* Of SET with NX: OK where there was none. */
static void on_set(void *arg, const redisReply *reply)
{
    struct redis_mark *mark = arg;

    mark->pending--;
    mark->made = reply != NULL && reply->type == REDIS_REPLY_STATUS;
}

static void look_at(struct redis_client *client, struct redis_mark *mark, const char *number)
{
    char              key[32];
    int               size = snprintf(key, sizeof(key), "served:mark:%zu", mark->n);
    struct weir_bytes name = BYTES(key, (size_t)size);
    struct redis_word set[] = { { "SET", 3 }, { key, (size_t)size }, { number, strlen(number) }, { "NX", 2 } };
    struct redis_word get[] = { { "GET", 3 }, { key, (size_t)size } };

    if (redis_client_ask(client, name, set, ARRAY_SIZE(set), on_set, mark) < 0)
        return;
    mark->pending++;
    if (redis_client_ask(client, name, get, ARRAY_SIZE(get), on_number, mark) == WEIR_OK)
        mark->pending++;
}

void redis_marks_forget(struct redis_marks *marks)
{
    for (size_t i = 0; i < REDIS_MARKS; i++)
        marks->items[i].pending = 0;
}

void redis_marks_look(struct redis_marks *marks, struct redis_client *client)
{
    int64_t  now = weir__monotonic_us();
    uint64_t number;
    char     text[NUMBER_BYTES];

    if (now < marks->at || !redis_client_connected(client) || getrandom(&number, sizeof(number), 0) != sizeof(number))
        return;
    marks->at = now + LOOK_EVERY_US;
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)number);
    for (size_t i = 0; i < REDIS_MARKS; i++) {
        marks->items[i].n = i;
        if (marks->items[i].pending == 0) /* a server that refuses for an hour is not asked more and more */
            look_at(client, &marks->items[i], text);
    }
}
