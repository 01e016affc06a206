/* internal.h: what the files of the JSON reader share. */
#ifndef WEIR_JSON_INTERNAL_H
#define WEIR_JSON_INTERNAL_H

#include "framework/json/json.h"

/* Both give false. */
bool weir__reader_fault(struct weir__reader *reader, const char *what);
bool weir__reader_limit(struct weir__reader *reader);

/* strings.c: `at` stands on the opening quote, afterwards behind the closing one. */
bool weir__read_string(struct weir__reader *reader, struct weir_text *ret);
/* The first byte from at that is a quote, a backslash, a control character or not ASCII; end where there is none. */
const char *weir__skip_plain(const char *at, const char *end);

/* names.c: the names that an object has so far. A zeroed struct is the empty set. */
struct weir__names {
    uint64_t                 filter; /* bit of each name: a new bit needs no search */
    size_t                   count, capacity;
    const struct weir_json **seats; /* hash set once there are many; NULL = search the object's list */
};
/* Whether the object has a member of that name. */
bool weir__names_have(const struct weir__names *names, const struct weir_json *object, struct weir_text name);
/* Takes in a member that is already in the object's list. False = the arena is at its ceiling. */
bool weir__names_add(struct weir__names *names, const struct weir_json *object, const struct weir_json *member,
                     struct weir_arena *arena);

static inline bool weir__same_text(struct weir_text a, struct weir_text b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

#endif
