/* request.c: a command on its way, and the queues it waits in. */
#include "topologies/redis/internal.h"

enum { MOST_WORDS = 10 };

struct redis_request *redis_request_new(unsigned slot, const struct redis_word *words, int count,
                                        redis_answer *answer, void *arg)
{
    struct redis_request *request = weir__zalloc(sizeof(*request));
    const char           *texts[MOST_WORDS];
    size_t                sizes[MOST_WORDS];
    int                   size;

    CHECK(count <= MOST_WORDS);
    if (request == NULL)
        return NULL;
    for (int i = 0; i < count; i++) {
        texts[i] = words[i].data;
        sizes[i] = words[i].size;
    }
    size = redisFormatCommandArgv(&request->bytes, count, texts, sizes);
    if (size < 0) {
        weir__free(request);
        return NULL;
    }
    request->size = (size_t)size;
    request->slot = slot;
    request->answer = answer;
    request->arg = arg;
    return request;
}

void redis_request_free(struct redis_request *request)
{
    redisFreeCommand(request->bytes);
    weir__free(request);
}

size_t redis_request_bytes(const struct redis_request *request) { return request->size + sizeof(*request); }

void redis_queue_add(struct redis_queue *queue, struct redis_request *request)
{
    request->next = NULL;
    if (queue->last != NULL)
        queue->last->next = request;
    else
        queue->first = request;
    queue->last = request;
    queue->count++;
}

struct redis_request *redis_queue_take(struct redis_queue *queue)
{
    struct redis_request *request = queue->first;

    if (request == NULL)
        return NULL;
    queue->first = request->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    return request;
}

void redis_queue_move(struct redis_queue *from, struct redis_queue *to)
{
    struct redis_request *request;

    while ((request = redis_queue_take(from)) != NULL)
        redis_queue_add(to, request);
}
