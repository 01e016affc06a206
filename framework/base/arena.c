/* arena.c: chunks that are filled from front to back and emptied at once.
 *
 * (1) Chunks double up to 1 MiB. The chain is: chunks of big requests and full ones, the current one, empty ones.
 * (2) A big request gets a chunk of its own in front of the chain, so the room of the current chunk is not lost.
 * (3) at..end never reaches past the ceiling: the fast path needs no look at it.
 * (4) Under AddressSanitizer at..end is empty and all memory not handed out is poisoned: what outlives a reset is found.
 */
#include "framework/base/base.h"

#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif
#ifdef POISONED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define POISONED                              0
#endif

enum {
    FIRST_CHUNK = 4 << 10,
    LAST_CHUNK = 1 << 20,
    BIG = LAST_CHUNK / 4, /* a request above it gets its own chunk */
    KEPT = 8 << 20,       /* bytes of chunks that outlive a reset */
};

struct weir__block {
    struct weir__block *next;
    size_t              size; /* of data */
    char                data[] __attribute__((aligned(16)));
};

static size_t room_to_ceiling(const struct weir_arena *arena)
{
    return arena->ceiling ? arena->ceiling - arena->used : SIZE_MAX;
}

static size_t room_in_current(const struct weir_arena *arena)
{
    return arena->current ? (size_t)(arena->current->data + arena->current->size - arena->at) : 0;
}

/* Sets end from the current chunk and the ceiling. */
static void set_end(struct weir_arena *arena)
{
    size_t room = MIN(room_in_current(arena), room_to_ceiling(arena)) & ~(size_t)15;

    arena->end = room && !POISONED ? arena->at + room : arena->at;
}

static void set_current(struct weir_arena *arena, struct weir__block *block)
{
    arena->current = block;
    arena->at = block ? block->data : NULL;
    if (block)
        ASAN_POISON_MEMORY_REGION(block->data, block->size);
    set_end(arena);
}

static void free_block(struct weir__block *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
    weir__free(block);
}

static struct weir__block *new_block(size_t size)
{
    struct weir__block *block;

    if (size > SIZE_MAX - sizeof(*block))
        return NULL;
    block = weir__alloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    block->next = NULL;
    block->size = size;
    return block;
}

/* Makes a chunk with room for size the current one: one kept from earlier, or a new one. */
static bool next_chunk(struct weir_arena *arena, size_t size)
{
    struct weir__block *current = arena->current, *block;
    size_t              usual = FIRST_CHUNK;

    for (block = current ? current->next : NULL; block; block = block->next) {
        if (block->size < size)
            continue;
        set_current(arena, block);
        return true;
    }
    if (current)
        usual = MIN(MAX(current->size, FIRST_CHUNK) * 2, LAST_CHUNK);
    block = new_block(MAX(usual, size));
    arena->starved |= !block;
    if (!block)
        return false;
    block->next = current ? current->next : arena->first;
    if (current)
        current->next = block;
    else
        arena->first = block;
    set_current(arena, block);
    return true;
}

static void *take_own_chunk(struct weir_arena *arena, size_t size)
{
    struct weir__block *block = new_block(size);

    arena->starved |= !block;
    if (!block)
        return NULL;
    block->next = arena->first;
    arena->first = block;
    arena->used += size;
    set_end(arena);
    return block->data;
}

void weir__arena_init(struct weir_arena *arena, size_t ceiling)
{
    *arena = (struct weir_arena){ .ceiling = ceiling };
}

void weir__arena_fini(struct weir_arena *arena)
{
    struct weir__block *block = arena->first, *next;

    for (; block; block = next) {
        next = block->next;
        free_block(block);
    }
    weir__arena_init(arena, arena->ceiling);
}

/* Frees the chunks with which the arena holds more than it may keep. */
static void trim(struct weir_arena *arena)
{
    size_t kept = 0;

    for (struct weir__block **link = &arena->first, *block; (block = *link);) {
        if (kept + block->size <= KEPT) {
            kept += block->size;
            ASAN_POISON_MEMORY_REGION(block->data, block->size);
            link = &block->next;
        } else {
            *link = block->next;
            free_block(block);
        }
    }
}

void weir__arena_reset(struct weir_arena *arena)
{
    arena->used = 0;
    arena->starved = false;
    if (arena->current != arena->first || (arena->first && arena->first->size > KEPT))
        trim(arena);
    set_current(arena, arena->first);
}

void *weir__arena_more(struct weir_arena *arena, size_t size)
{
    size_t rounded = (size + !size + 15) & ~(size_t)15;
    void  *memory;

    if (rounded < size || rounded > room_to_ceiling(arena))
        return NULL;
    if (rounded > room_in_current(arena)) {
        if (rounded > BIG && arena->current)
            return take_own_chunk(arena, rounded);
        if (!next_chunk(arena, rounded))
            return NULL;
    }
    memory = arena->at;
    arena->at += rounded;
    arena->used += rounded;
    set_end(arena);
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return memory;
}

void *weir_arena_alloc(struct weir_arena *arena, size_t size)
{
    void *memory = weir__arena_take(arena, size);

    return memory ? memset(memory, 0, size) : NULL;
}

void *weir__arena_copy(struct weir_arena *arena, const void *data, size_t size)
{
    void *memory = weir__arena_take(arena, size);

    if (memory && size)
        memcpy(memory, data, size);
    return memory;
}

char *weir__arena_printf(struct weir_arena *arena, const char *format, ...)
{
    va_list args;
    char   *text = NULL;
    int     size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size >= 0)
        text = weir__arena_take(arena, (size_t)size + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return text;
}
