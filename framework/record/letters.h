/* letters.h: dead letters as they are written and read: of one record each, or folded: counted, with the offsets they are of.
 *
 * (1) docs/dead-letters.md has both shapes. A folded one is told by its "offsets".
 * (2) Offsets are runs: ascending, apart from each other. What is folded names each record, and no other.
 */
#ifndef WEIR_RECORD_LETTERS_H
#define WEIR_RECORD_LETTERS_H

#include "framework/record/record.h"

/* ---- runs.c ---- */

struct weir__run {
    int64_t first, last;
};
struct weir__runs {
    struct weir__run *items;
    size_t            count, capacity;
};
void weir__runs_fini(struct weir__runs *runs);
/* WEIR_NO_MEMORY: the runs are as they were. */
int     weir__runs_add(struct weir__runs *runs, int64_t first, int64_t last);
bool    weir__runs_has(const struct weir__runs *runs, int64_t offset);
int64_t weir__runs_total(const struct weir__runs *runs); /* offsets in all of them */
/* "100-105,107" */
void weir__runs_print(const struct weir__runs *runs, struct weir__buf *ret);
/* Adds what is printed. WEIR_UNREADABLE, WEIR_NO_MEMORY. */
int weir__runs_parse(struct weir_text text, struct weir__runs *ret);

/* ---- letters.c, text.c ---- */

/* Dead letters of one stage, code, source partition and tenant, folded into one. */
struct weir__folded_letter {
    struct weir__tp   source;
    struct weir__runs offsets;
    int64_t           count; /* letters: a record may have several */
    const char       *topology, *node;
    const char       *code, *message; /* message: the last one's */
    struct weir_text  tenant;
    int64_t           first_failed, last_failed;
};
int weir__folded_letter_print(const struct weir__folded_letter *letter, struct weir_json_out *json);

/* A dead letter as read; texts and bytes borrow from the arena and the value it was read from. */
struct weir__read_letter {
    struct weir__raw
         source; /* topic, partition, offset (of a folded one the first), timestamp, key, value, headers */
    bool none;   /* of no record: of a schedule */
    bool bare;   /* the record's bytes are not in it: they are where it was read, if anywhere */
    bool folded; /* so are those of these */
    struct weir__runs offsets;                      /* of a folded one; else the one offset, unless `none` */
    int64_t           count;                        /* letters */
    struct weir_text  stage, code, message, tenant; /* tenant: data NULL = not known */
    int64_t           first_failed, last_failed;
};
/* WEIR_UNREADABLE: it is no dead letter. WEIR_LIMIT, WEIR_NO_MEMORY. To be closed after success. */
int  weir__letter_read(struct weir_bytes value, struct weir_arena *arena, struct weir__read_letter *ret);
void weir__read_letter_fini(struct weir__read_letter *letter);

#endif
