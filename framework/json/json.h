/* json/json.h: the writer's inside, for our own folders. */
#ifndef WEIR_JSON_JSON_H
#define WEIR_JSON_JSON_H

#include "framework/base/base.h"
#include "framework/json.h"

/* A text being read. */
struct weir__reader {
    struct weir_arena *arena;
    const char        *begin, *at, *end;
    const char        *fault; /* what is wrong at `at`; NULL = nothing yet */
    int                code;  /* of the fault */
    unsigned           depth;
};

/* The members of an object one after the other, without the tree: for whoever knows where each of them goes. As strict
 * as weir_json_parse but for keys that stand twice, which only the caller can see. */
struct weir__walk {
    struct weir__reader reader;
    bool                begun;
};
void weir__walk_init(struct weir__walk *walk, struct weir_arena *arena, struct weir_text text);
/* Fills in the next member; arrays and objects in it live in the arena. False = the object and the text end here, or
 * there was a fault: weir__walk_end tells. likely: the key that is expected, with quotes and colon: if it is there it
 * need not be read, and the member's name points into it. size 0 = none is. */
bool weir__walk_next(struct weir__walk *walk, struct weir_text likely, struct weir_json *ret);
/* WEIR_OK, or what weir_json_parse says: WEIR_UNREADABLE, WEIR_LIMIT. */
int weir__walk_end(const struct weir__walk *walk, struct weir_error *reterr);

struct weir_json_out {
    struct weir__buf buf;   /* the text so far; failure is in buf.failed */
    unsigned         depth; /* arrays and objects not ended yet */
    bool             comma; /* one is due before the next name or value */
};

/* Ready for the next document, memory kept; fini frees it. A zeroed struct is ready too. */
void weir__json_out_reset(struct weir_json_out *json);
void weir__json_out_fini(struct weir_json_out *json);
/* The place of the next value: the caller adds its JSON text to the buffer itself. */
struct weir__buf *weir__json_put_raw(struct weir_json_out *json);

/* A member of the object that is open: its name and value. */
void weir__json_member_text(struct weir_json_out *json, const char *name, const char *value); /* NULL = null */
void weir__json_member_int(struct weir_json_out *json, const char *name, int64_t value);
void weir__json_member_known(struct weir_json_out *json, const char *name, int64_t value); /* below 0 = null */
void weir__json_member_bool(struct weir_json_out *json, const char *name, bool value);

#endif
