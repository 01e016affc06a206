/* explain.h: what the files of `explain` share: the key that is asked about, and where its answers go.
 *
 * (1) Everything is read from the log: inputs, committed offsets, changelogs, dead letters. So it is what the last commit
 *     held, whoever runs, and nothing is opened for writing.
 */
#ifndef WEIR_MAIN_EXPLAIN_H
#define WEIR_MAIN_EXPLAIN_H

#include "framework/json/json.h"
#include "framework/main/commands.h"
#include "framework/task/left.h"

struct weir__explain {
    const struct weir__program    *program;
    const struct weir__explaining *words; /* the program's, or one that says nothing */
    const struct weir__log_engine *engine;
    struct weir__log              *log;
    const char                    *key;   /* as people write it */
    struct weir_arena              arena; /* of one part */
    struct weir__buf               out;
    size_t                         found; /* things that are of the key */
};

/* A sub-topology's task that the key belongs to. */
struct weir__explain_task {
    const struct weir__plan        *plan;
    const struct weir__subtopology *sub;
    const struct weir_codec        *codec; /* of its keys */
    struct weir_bytes               key;
    int32_t                         partition;
    const struct weir__offset      *offsets; /* committed, of its inputs */
    size_t                          offset_count;
};

int64_t weir__explain_call_by(const struct weir__explain *explain);
/* "2025-03-09T05:59:00Z", with ".123" where the second is not whole. */
void weir__explain_time(int64_t ms, struct weir__buf *ret);
/* Of a key's or value's bytes, cut where it is long. */
void weir__explain_value(struct weir__explain *explain, const struct weir_codec *codec, struct weir_bytes bytes,
                         struct weir__buf *ret);

/* explain_rows.c: what a store holds of the key. */
int weir__explain_store(struct weir__explain *explain, const struct weir__explain_task *task,
                        const struct weir__store_plan *plan, struct weir_error *reterr);
/* A global store: key as its source has it. */
int weir__explain_global(struct weir__explain *explain, const struct weir__plan *of,
                         const struct weir__store_plan *plan, struct weir_error *reterr);

/* explain_letters.c: dead letters of a topic that are about the key. keys: the forms that it has there. */
int weir__explain_letters(struct weir__explain *explain, const char *topic, const struct weir_bytes *keys,
                          size_t count, struct weir_error *reterr);

/* The key by a codec, in explain's arena. WEIR_UNREADABLE: it is none. */
int weir__explain_key(struct weir__explain *explain, const struct weir_codec *codec, struct weir_bytes *ret);

#endif
