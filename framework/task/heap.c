/* heap.c: things in order of their times, then ranks, ties of both as java.util.PriorityQueue has them: queues by their heads,
 * schedules by their next firing. */
#include "framework/task/internal.h"

static bool later(const struct weir__timed *a, const struct weir__timed *b)
{
    return a->time != b->time ? a->time > b->time : a->rank > b->rank;
}

int weir__heap_offer(struct weir__heap *heap, struct weir__timed item)
{
    size_t at;

    if (GROW(heap->items, heap->capacity, heap->count) < 0)
        return WEIR_NO_MEMORY;
    for (at = heap->count++; at > 0; at = (at - 1) / 2) {
        struct weir__timed parent = heap->items[(at - 1) / 2];

        if (!later(&parent, &item))
            break;
        heap->items[at] = parent;
    }
    heap->items[at] = item;
    return WEIR_OK;
}

static void sift_down(struct weir__heap *heap, struct weir__timed item)
{
    size_t at = 0, half = heap->count / 2;

    while (at < half) {
        size_t child = 2 * at + 1;

        if (child + 1 < heap->count && later(&heap->items[child], &heap->items[child + 1]))
            child++;
        if (!later(&item, &heap->items[child]))
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = item;
}

void *weir__heap_poll(struct weir__heap *heap)
{
    void *top;

    if (heap->count == 0)
        return NULL;
    top = heap->items[0].item;
    heap->count--;
    if (heap->count > 0)
        sift_down(heap, heap->items[heap->count]);
    return top;
}

void weir__heap_fini(struct weir__heap *heap)
{
    weir__free(heap->items);
    *heap = (struct weir__heap){ 0 };
}
