/* call.h: what a call of load is made of: its files, what earlier calls sent of them, and the order of all.
 *
 * (1) First pass (learn.c): each file is opened, read once and closed. Second pass (load.c): it is opened again when
 *     its first event is due and closed behind its last, so that a call of many files holds few of them open.
 * (2) Progress (progress.c) is (bytes, hash, rows) of what was read, and of the rows after `begin` how many events were
 *     sent of how many. Sorting is by content alone, so the first n events are the same ones in every call.
 */
#ifndef MARKET_FEEDS_CALL_H
#define MARKET_FEEDS_CALL_H

#include "schemas/feeds/files.h"

enum { MARKET_SEGMENTS = 2 }; /* what an earlier call began, and what was added since */

/* What a record of the progress topic says. Its key, id, is made of context, bytes and hash: a file that has grown gets
 * a record of its own, so that its shorter form is still known. Texts live in the load's arena. */
struct market__progress {
    struct weir_text id, context;
    int64_t          bytes;
    uint64_t         hash, rows, begin, events, sent, before;
    uint64_t         again; /* calls so far that sent all again */
};

/* Rows after begin up to end, and their events. */
struct market__segment {
    uint64_t begin, end; /* rows */
    uint64_t events, skip, passed;
    int64_t  bytes; /* of the file up to its end, and their hash */
    uint64_t hash;
    int64_t  first; /* least time of its events */
};

/* How often each instrument had a trade at the present time. */
struct market__equals {
    int64_t time;
    struct {
        struct market_id id;
        uint64_t         count;
    } * items;
    size_t count, capacity;
};

/* A file of the call. */
struct market__input {
    const char                *path;
    int64_t                    size; /* on disk */
    const struct market__form *form;
    const struct market_rules *rules;
    const struct market_feed  *feed;
    struct weir__buf           context; /* tenant and settings */
    struct market__progress    known;   /* bytes 0 = nothing was sent before */
    struct market__segment     segments[MARKET_SEGMENTS];
    size_t                     segment_count, segment;
    uint64_t                   rows, sent, before;
    int64_t                    done; /* bytes on disk, as told in the present pass */
    bool                       ordered, refused;
    struct weir_error          refusal;

    /* while it is open */
    struct market__file   *file;
    struct market__writer  writer;
    struct market__turns  *turns;
    struct market__sorter *sorter; /* of the present segment; NULL = streamed */
    size_t                 memory; /* the sorter's share */
    struct market__equals  equals;
    struct market__event   head; /* its next event */
    bool                   begun, has_head, given;
    struct weir__buf       value; /* of a head whose number among its equals was put in */
};

struct market_load {
    struct market_load_options options;
    struct weir_text           tenant;
    struct market__said        said;
    struct weir_arena          arena;
    struct weir__map           known_ids; /* id to known: of records with one id the last counts */
    struct market__progress  **known;     /* by bytes, once files are learnt */
    size_t                     known_count, known_capacity;
    struct market__input      *inputs;
    size_t                     count;
    size_t                    *heap; /* inputs that have events to come, the one with the least time first */
    size_t                     heap_count;
    size_t                     memory_left; /* for sorters yet to be made */
    int64_t                    done, total;
    uint64_t                   again; /* calls so far that sent all again, this one too */
    struct weir_header         headers[2];
    char                       number[24]; /* of the call: what the headers say */
};

/* Reads the file once; closes it. Codes of reasons.h and others: it is refused. WEIR_NO_MEMORY. */
int  market__learn(struct market_load *load, struct market__input *input, struct weir_error *reterr);
void market__input_close(struct market__input *input); /* its file and what belongs to it */
/* Tells whoever asked how far the input's file is read. */
void market__input_tell(struct market_load *load, struct market__input *input, bool all);

#endif
