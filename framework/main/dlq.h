/* dlq.h: what the files of `dlq` share: which dead letters are meant, how they are read, and which were sent again.
 *
 * (1) Letters are read where they are; nothing is taken out of a topic of dead letters.
 * (2) What was sent again is noted in TOPIC.redriven, in the transaction that sent it: for each partition that the records came from
 *     their offsets, and how far the letters were read then. A letter behind that is a new failure, and may be sent once more.
 */
#ifndef WEIR_MAIN_DLQ_H
#define WEIR_MAIN_DLQ_H

#include "framework/json/json.h"
#include "framework/main/commands.h"
#include "framework/record/letters.h"

#define WEIR__REDRIVEN_HEADER "weir.redriven" /* TOPIC:PARTITION:OFFSET of the dead letter */
#define WEIR__DLQ_CALL_MS     10000

/* ---- dlq_filter.c: which letters are meant ---- */

/* Of a source, or of the dead letters themselves. */
struct weir__dlq_place {
    struct weir__tp  tp;
    struct weir__run offsets;
};
struct weir__dlq_filter {
    const char             *stage, *code, *tenant; /* NULL = any. stage: a topology, a node, or both with a slash */
    int64_t                 from, until;           /* failed in [from, until), ms */
    struct weir__dlq_place *places;                /* none = all */
    size_t                  place_count;
    const char             *to; /* a topic to send to; NULL = where they came from */
    struct weir_arena       arena;
};
/* Of --stage, --code, --tenant, --from, --to. redrive: --to may be a topic. Close it after a failure too. */
int  weir__dlq_filter_read(const struct weir__args *args, bool redrive, struct weir__dlq_filter *ret,
                           struct weir_error *reterr);
void weir__dlq_filter_fini(struct weir__dlq_filter *filter);
/* Whether anything is asked for. */
bool weir__dlq_filter_given(const struct weir__dlq_filter *filter);
/* Takes out of the letter's offsets those that are not meant; false: none of it is. at: where the letter is. */
bool weir__dlq_filter_takes(const struct weir__dlq_filter *filter, const struct weir__raw *at,
                            struct weir__read_letter *letter);

/* ---- dlq_read.c ---- */

struct weir__dlq_topics {
    const char **names;
    size_t       count;
};
struct weir__dlq {
    const struct weir__program *program;
    struct weir__plans          plans;
    struct weir__dlq_topics     topics;
    struct weir__looked         looked;
    struct weir__dlq_filter     filter;
    uint64_t                    strange; /* records among them that are no dead letters */
};
/* words: topics, or topologies; none = all topologies'. */
int weir__dlq_choose(struct weir__dlq *dlq, const char *const *words, size_t count, struct weir_error *reterr);
/* WEIR_NOTFOUND: a topic that was named is not there, and no topology's. */
int     weir__dlq_check_topics(const struct weir__dlq *dlq, struct weir_error *reterr);
void    weir__dlq_fini(struct weir__dlq *dlq);
int64_t weir__dlq_call_by(const struct weir__dlq *dlq);
/* Partitions of a topic; 0 = it is not there. */
int weir__dlq_partitions(const struct weir__dlq *dlq, const char *topic, int32_t *ret, struct weir_error *reterr);

typedef int weir__dlq_take(void *arg, const struct weir__raw *at, struct weir__read_letter *letter,
                           struct weir_error *reterr);
/* Hands out the letters of a topic that the filter takes, each partition in its order. */
int weir__dlq_read(struct weir__dlq *dlq, const char *topic, weir__dlq_take *take, void *arg,
                   struct weir_error *reterr);

/* ---- dlq_done.c: what was sent again ---- */

/* Offsets of one partition, sent again by one call to one topic. */
struct weir__dlq_sent {
    struct weir__tp   source;
    char             *source_topic, *to; /* to: NULL = where it came from */
    struct weir__runs offsets;
    int64_t          *read; /* of the dead letters' partitions: up to where they were known */
    size_t            read_count;
};
struct weir__dlq_done {
    struct weir__dlq_sent *items;
    size_t                 count, capacity;
};
/* ".redriven" behind the topic's name; in the arena, NULL = out of memory. */
const char *weir__dlq_done_topic(const char *topic, struct weir_arena *arena);
/* Nothing, where the topic of notes is not there. */
int  weir__dlq_done_read(const struct weir__dlq *dlq, const char *topic, struct weir__dlq_done *ret,
                         struct weir_error *reterr);
void weir__dlq_done_fini(struct weir__dlq_done *done);
/* Whether the record of a letter at `at` was sent again since. any: to wherever; else to `to`. */
bool weir__dlq_done_has(const struct weir__dlq_done *done, const struct weir__raw *at, struct weir__tp source,
                        int64_t offset, bool any, const char *to);
/* read: copied. WEIR_NO_MEMORY. */
int weir__dlq_done_add(struct weir__dlq_done *done, struct weir__tp source, const char *to, struct weir__runs offsets,
                       const int64_t *read, size_t read_count);
/* The note of one of them. WEIR_NO_MEMORY. */
int weir__dlq_done_print(const struct weir__dlq_sent *sent, int64_t now, struct weir__buf *ret);

/* ---- dlq_list.c, dlq_redrive.c ---- */

int weir__dlq_list(struct weir__dlq *dlq, const struct weir__args *args, struct weir_error *reterr);
/* *ret_left: records that were asked for and could not be sent. */
int weir__dlq_redrive(struct weir__dlq *dlq, const struct weir__args *args, uint64_t *ret_left,
                      struct weir_error *reterr);

#endif
