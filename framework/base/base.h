/* base.h: what every folder leans on: errors, memory, bytes, a hash map, clocks, names.
 *
 * (1) Nothing here knows records, topologies or logs. Only libc (and xxhash, behind hash.c).
 * (2) Memory comes in lifetimes: an arena dies as a whole; all else is new/free or init/fini.
 * (3) A function that cannot get memory returns WEIR_NO_MEMORY (or NULL) and leaves its object usable.
 */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "framework/weir.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

/* AUTO(free_fn): calls free_fn(&variable) when the variable leaves its scope. */
#define AUTO(fn) __attribute__((cleanup(fn)))

/* Belief that stays on in production: a wrong one stops the program at its cause. */
#define CHECK(what) ((what) ? (void)0 : weir__check_failed(#what, __FILE__, __LINE__))
_Noreturn void weir__check_failed(const char *what, const char *file, int line);

/* ---- errors (error.c) ---- */

/* Fills reterr (may be NULL) and returns code: `return weir__fail(reterr, WEIR_IO, path, "...", ...)`. */
int weir__fail(struct weir_error *reterr, int code, const char *where, const char *format, ...) WEIR_PRINTF(4, 5);

/* ---- memory (memory.c) ---- */

/* malloc, calloc and realloc of this project; tests make the n-th of them fail. NULL when out of memory. */
void *weir__alloc(size_t size);
void *weir__zalloc(size_t size);
void *weir__realloc(void *memory, size_t size);
char *weir__strdup(const char *text);
void *weir__memdup(const void *data, size_t size); /* size 0 gives a non-NULL pointer */
void  weir__free(void *memory);
/* From now on the n-th allocation of this thread fails (0 = none). Returns what was left of the last order: 0 when it
 * was carried out. For tests. */
uint64_t weir__fail_allocation(uint64_t n);

/* A growable array's capacity: makes room for one more of `size` bytes; WEIR_NO_MEMORY. */
int weir__grow(void **items, size_t *capacity, size_t count, size_t size);
#define GROW(array, capacity, count) weir__grow((void **)&(array), &(capacity), (count), sizeof(*(array)))

/* ---- arena (arena.c): allocations that die together ---- */

struct weir__block; /* one chunk */
struct weir_arena {
    struct weir__block *first, *current;
    char               *at, *end;
    size_t              used, ceiling; /* bytes; ceiling 0 = none */
    bool                starved;       /* since the last reset it was refused memory below the ceiling */
};
void  weir__arena_init(struct weir_arena *arena, size_t ceiling);
void  weir__arena_fini(struct weir_arena *arena);
void  weir__arena_reset(struct weir_arena *arena);             /* keeps its chunks for the next round */
void *weir__arena_more(struct weir_arena *arena, size_t size); /* slow path; unzeroed */

/* Unzeroed memory aligned to 16; NULL at the ceiling. */
static inline void *weir__arena_take(struct weir_arena *arena, size_t size)
{
    size_t rounded = (size + !size + 15) & ~(size_t)15;

    if (__builtin_expect((size_t)(arena->end - arena->at) < rounded || rounded < size, 0))
        return weir__arena_more(arena, size);
    void *memory = arena->at;
    arena->at += rounded;
    arena->used += rounded;
    return memory;
}
void *weir__arena_copy(struct weir_arena *arena, const void *data, size_t size); /* NULL at the ceiling */
char *weir__arena_printf(struct weir_arena *arena, const char *format, ...) WEIR_PRINTF(2, 3);

/* ---- buffer (buffer.c): bytes that grow. A failed growth is kept: check weir__buf_ok once at the end ---- */

struct weir__buf {
    char  *data;
    size_t size, capacity;
    bool   failed;
};
void               weir__buf_fini(struct weir__buf *buf); /* also makes it an empty one again */
void               weir__buf_reset(struct weir__buf *buf);
bool               weir__buf_room(struct weir__buf *buf, size_t more); /* false (and failed) when out of memory */
void               weir__buf_add(struct weir__buf *buf, const void *data, size_t size);
void               weir__buf_puts(struct weir__buf *buf, const char *text);
void               weir__buf_putc(struct weir__buf *buf, char c);
void               weir__buf_printf(struct weir__buf *buf, const char *format, ...) WEIR_PRINTF(2, 3);
void               weir__buf_be32(struct weir__buf *buf, uint32_t value);
void               weir__buf_be64(struct weir__buf *buf, uint64_t value);
static inline bool weir__buf_ok(const struct weir__buf *buf) { return !buf->failed; }

/* ---- bytes (bytes.c) ---- */

static inline void weir__put_be32(void *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof(value));
}
static inline void weir__put_be64(void *to, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(to, &value, sizeof(value));
}
static inline uint32_t weir__get_be32(const void *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof(value));
    return __builtin_bswap32(value);
}
static inline uint64_t weir__get_be64(const void *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof(value));
    return __builtin_bswap64(value);
}
/* memcmp order, a prefix before what it begins. */
int  weir__bytes_compare(struct weir_bytes a, struct weir_bytes b);
bool weir__bytes_equal(struct weir_bytes a, struct weir_bytes b);
bool weir__bytes_starts(struct weir_bytes bytes, struct weir_bytes prefix);
/* The UTF-8 character that bytes begin with: its size, 1 to 4; 0 where there is none (overlong, surrogate, cut off). */
size_t weir__utf8_take(struct weir_bytes bytes, uint32_t *ret);
#define BYTES(d, n) ((struct weir_bytes){ .data = (d), .size = (n) })
#define NO_BYTES    ((struct weir_bytes){ 0 })

/* ---- hash (hash.c) ---- */

uint64_t weir__hash(struct weir_bytes bytes);    /* fast, not stable between versions: never store it */
uint32_t weir__murmur2(struct weir_bytes bytes); /* Kafka's: Utils.murmur2 */
int32_t  weir__partition_of(struct weir_bytes key, int32_t count); /* as a Java producer: toPositive(murmur2) % n */

/* ---- map (map.c): byte keys to pointers, open addressing ---- */

struct weir__map_slot {
    uint64_t          hash;
    struct weir_bytes key; /* owned by the value or by the caller; must outlive the entry */
    void             *value;
};
struct weir__map {
    struct weir__map_slot *slots;
    size_t                 capacity, count, graves; /* capacity: a power of two or 0 */
};
void  weir__map_fini(struct weir__map *map);
void *weir__map_get(const struct weir__map *map, struct weir_bytes key);        /* NULL = absent */
int   weir__map_put(struct weir__map *map, struct weir_bytes key, void *value); /* replaces; WEIR_NO_MEMORY */
void *weir__map_remove(struct weir__map *map, struct weir_bytes key);           /* the old value */
void  weir__map_clear(struct weir__map *map);
/* Iterates in no order: `for (size_t i = 0; (slot = weir__map_next(map, &i));)`. */
struct weir__map_slot *weir__map_next(const struct weir__map *map, size_t *position);

/* ---- clocks (clock.c) ---- */

int64_t weir__wall_ms(void);      /* ms since 1970 */
int64_t weir__monotonic_us(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps */
int64_t weir__cpu_us(void);       /* of this process */

/* ---- names (names.c) ---- */

/* The candidate nearest to word by edit distance, or NULL when none is near enough to be meant. */
const char *weir__suggest(const char *word, const char *const *candidates, size_t count);
/* Kafka's rule for topic and store names: [a-zA-Z0-9._-], 1 to 249, not "." or "..". */
bool weir__legal_name(const char *name);
/* "100", "5s", "10m", "2h", "7d", "250ms", "1.5h", "-1" to ms. WEIR_BAD_ARGUMENT: no such, or no whole number of ms. */
int weir__parse_duration(const char *text, int64_t *ret_ms);
/* The same backwards: in the largest unit that leaves no rest; 0 is "0". */
void weir__print_duration(int64_t ms, struct weir__buf *ret);
/* "100", "64k", "16m", "2g" (powers of 1024) to bytes. WEIR_BAD_ARGUMENT. */
int weir__parse_size(const char *text, int64_t *ret_bytes);
int weir__parse_int64(const char *text, int64_t *ret); /* whole text; WEIR_BAD_ARGUMENT, WEIR_OVERFLOW */

/* ---- files (files.c) ---- */

int weir__make_dirs(const char *path, struct weir_error *reterr);   /* mkdir -p, mode 0750 */
int weir__remove_tree(const char *path, struct weir_error *reterr); /* rm -r; absent = fine */
/* The same for what must never be found half there: it gets another name first. */
#define WEIR__DISCARDED ".discarded" /* behind the path */
int weir__discard_tree(const char *path, struct weir_error *reterr);
/* Holds an exclusive lock on path for the life of the returned descriptor, our pid in the file.
 * WEIR_BUSY: text names the holder's pid. */
int  weir__lock_file(const char *path, int *ret_fd, struct weir_error *reterr);
void weir__unlock_file(int fd);
/* Adds the whole file to ret. WEIR_NOTFOUND, WEIR_IO, WEIR_NO_MEMORY. */
int weir__read_file(const char *path, struct weir__buf *ret, struct weir_error *reterr);
/* Writes beside path, syncs, renames over it. */
int weir__write_file(const char *path, struct weir_bytes bytes, struct weir_error *reterr);

#endif
