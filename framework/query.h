/* query.h: reads the stores of running applications from any thread, an HTTP endpoint's above all.
 *
 * (1) What is seen is committed, and at most a commit interval old. A store that is looked at for the first time is made
 *     ready for it at its task's next round: WEIR_AGAIN until then, unless it was declared with .served.
 * (2) No record waits for a reader. The reads of one call may hold up the closing of a task for as long as they take.
 * (3) A key is asked of the task that its partition number (murmur2, as Java producers have it) belongs to; of all tasks
 *     of the process where the store has .routed_by, or weir_view_everywhere was called; of that of a record's key after
 *     weir_view_routed. Many rows are those of all.
 * (4) Values are decoded into the caller's arena and live as long as it does. Nothing needs closing.
 * (5) Many rows come in the order of their keys' bytes, over all tasks. They are read in pages: rows of one task that
 *     come together are one moment's.
 */
#ifndef WEIR_QUERY_H
#define WEIR_QUERY_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weir_apps;      /* the applications that run in this process */
struct weir_view;      /* one store of one of them */
struct weir_view_rows; /* rows being read; of the thread that reads */

/* By names: topology and store. WEIR_NOTFOUND: no such one runs here. */
WEIR_API int weir_view_open(const struct weir_apps *apps, const char *topology, const char *store,
                            struct weir_arena *arena, struct weir_view **ret, struct weir_error *reterr)
    WEIR_MUST_CHECK;
WEIR_API void weir_view_everywhere(struct weir_view *view);
/* What is asked from now on is asked of the task of this record key: for stores whose rows have longer keys than the records that made
 * them. WEIR_NULL_GIVEN, WEIR_LIMIT. */
WEIR_API int weir_view_routed(struct weir_view *view, struct weir_arena *arena, const struct weir_codec *codec,
                              const void *key) WEIR_MUST_CHECK;

/* All of them: WEIR_AGAIN: the task is being restored or moved, or the store made ready: try again soon;
 * WEIR_ELSEWHERE: the key's task runs in another process; WEIR_BAD_ARGUMENT: not of this kind of store; WEIR_UNREADABLE;
 * WEIR_LIMIT: the arena is full; WEIR_STORE_FAILED; WEIR_CORRUPT. Times are ms. */

/* KEYS and LRU. WEIR_NOTFOUND. */
WEIR_API int weir_view_get(const struct weir_view *view, struct weir_arena *arena, const void *key,
                           struct weir_row *ret) WEIR_MUST_CHECK;
/* from <= key <= to in the order of their bytes; NULL = open. */
WEIR_API int weir_view_range(const struct weir_view *view, struct weir_arena *arena, const void *from, const void *to,
                             enum weir_order order, struct weir_view_rows **ret) WEIR_MUST_CHECK;
/* Window stores: one row; the rows of a key, or of keys from..to (NULL = open), that start in [from, to]. */
WEIR_API int weir_view_get_window(const struct weir_view *view, struct weir_arena *arena, const void *key,
                                  int64_t start, struct weir_row *ret) WEIR_MUST_CHECK;
WEIR_API int weir_view_fetch(const struct weir_view *view, struct weir_arena *arena, const void *key, int64_t from,
                             int64_t to, enum weir_order order, struct weir_view_rows **ret) WEIR_MUST_CHECK;
WEIR_API int weir_view_fetch_keys(const struct weir_view *view, struct weir_arena *arena, const void *key_from,
                                  const void *key_to, int64_t from, int64_t to, enum weir_order order,
                                  struct weir_view_rows **ret) WEIR_MUST_CHECK;
/* WEIR_NOTFOUND at the end. */
WEIR_API int weir_view_next(struct weir_view_rows *rows, struct weir_row *ret) WEIR_MUST_CHECK;

/* An arena of the caller's own, of at most `ceiling` bytes (0 = no limit); one thread at a time. NULL: out of memory.
 * Reset forgets all that is in it. */
WEIR_API struct weir_arena *weir_arena_new(size_t ceiling);
WEIR_API void               weir_arena_reset(struct weir_arena *arena);
WEIR_API void               weir_arena_free(struct weir_arena *arena); /* NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
