/* left.h: what tasks left in the log, for who reads it without a task. */
#ifndef WEIR_TASK_LEFT_H
#define WEIR_TASK_LEFT_H

#include "framework/store/store.h"

/* How a window of a key stands, by what the key's head says. */
enum weir_standing weir__standing_of(const struct weir__key_head *head, int64_t grace, int64_t retention,
                                     int64_t end);
/* What the metadata of a committed offset says: the partition's time, and by on_time the names of stores with their last
 * close time ("minute") and the time that their windows have seen ("minute#observed"). WEIR_NOTFOUND: nothing that is
 * ours; WEIR_NO_MEMORY. */
int weir__metadata_read(struct weir_bytes metadata, struct weir_arena *arena, int64_t *ret_partition_time,
                        void (*on_time)(void *arg, struct weir_bytes name, int64_t time), void *arg);
#define WEIR__OBSERVED "#observed"
/* The other names: of the offset before which records are read once more by `replay`, and of the one that a reset has let the
 * application begin at: what stands before it is of another life. */
#define WEIR__REPLAYED "#replayed"
#define WEIR__BEGUN    "#begun"
/* The same metadata with a value under one of these names, the greater where there is one. In arena. WEIR_NO_MEMORY. */
int weir__metadata_with(struct weir_bytes metadata, const char *name, int64_t value, struct weir_arena *arena,
                        struct weir_bytes *ret);

#endif
