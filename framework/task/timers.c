/* timers.c: due times by key: a heap, and a map that finds a key's place in it. */
#include "framework/task/internal.h"

void weir__timers_clear(struct weir__timers *timers)
{
    for (size_t i = 0; i < timers->count; i++)
        weir__free(timers->heap[i]);
    timers->count = 0;
    weir__map_clear(&timers->by_key);
}

void weir__timers_fini(struct weir__timers *timers)
{
    weir__timers_clear(timers);
    weir__map_fini(&timers->by_key);
    weir__free(timers->heap);
    *timers = (struct weir__timers){ 0 };
}

static void place(struct weir__timers *timers, struct weir__timer *timer, size_t at)
{
    timers->heap[at] = timer;
    timer->at = at;
}

static void sift_up(struct weir__timers *timers, struct weir__timer *timer)
{
    size_t at = timer->at;

    for (; at > 0 && timers->heap[(at - 1) / 2]->due > timer->due; at = (at - 1) / 2)
        place(timers, timers->heap[(at - 1) / 2], at);
    place(timers, timer, at);
}

static void sift_down(struct weir__timers *timers, struct weir__timer *timer)
{
    size_t at = timer->at;

    for (size_t child = 2 * at + 1; child < timers->count; child = 2 * at + 1) {
        if (child + 1 < timers->count && timers->heap[child + 1]->due < timers->heap[child]->due)
            child++;
        if (timers->heap[child]->due >= timer->due)
            break;
        place(timers, timers->heap[child], at);
        at = child;
    }
    place(timers, timer, at);
}

static void move(struct weir__timers *timers, struct weir__timer *timer, int64_t due)
{
    bool sooner = due < timer->due;

    timer->due = due;
    if (sooner)
        sift_up(timers, timer);
    else
        sift_down(timers, timer);
}

static int add(struct weir__timers *timers, struct weir_bytes key, int64_t due)
{
    struct weir__timer *timer = weir__alloc(sizeof(*timer) + key.size);

    if (timer == NULL || GROW(timers->heap, timers->capacity, timers->count) < 0) {
        weir__free(timer);
        return WEIR_NO_MEMORY;
    }
    *timer = (struct weir__timer){ .due = due, .at = timers->count, .key_size = key.size };
    if (key.size > 0)
        memcpy(timer->key, key.data, key.size);
    if (weir__map_put(&timers->by_key, BYTES(timer->key, key.size), timer) < 0) {
        weir__free(timer);
        return WEIR_NO_MEMORY;
    }
    timers->count++;
    sift_up(timers, timer);
    return WEIR_OK;
}

int weir__timers_set(struct weir__timers *timers, struct weir_bytes key, int64_t due)
{
    struct weir__timer *timer = weir__map_get(&timers->by_key, key);

    if (timer == NULL)
        return add(timers, key, due);
    move(timers, timer, due);
    return WEIR_OK;
}

void weir__timers_remove(struct weir__timers *timers, struct weir_bytes key)
{
    struct weir__timer *timer = weir__map_remove(&timers->by_key, key), *last;

    if (timer == NULL)
        return;
    last = timers->heap[--timers->count];
    if (last != timer) {
        place(timers, last, timer->at);
        sift_up(timers, last);
        sift_down(timers, last);
    }
    weir__free(timer);
}
