/* json.h: JSON as codecs and topologies read and write it.
 *
 * (1) The reader is strict (RFC 8259, valid UTF-8, no duplicate keys, depth at most 64) and keeps
 *     numbers as their text, so that decimals pass through exactly.
 * (2) A parsed value lives in the arena it was parsed into and borrows from the text: both must outlive it.
 * (3) The writer gives one line, keys in the order written. A failed write is kept until the end.
 */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

enum weir_json_type {
    WEIR_JSON_NULL,
    WEIR_JSON_FALSE,
    WEIR_JSON_TRUE,
    WEIR_JSON_NUMBER,
    WEIR_JSON_STRING,
    WEIR_JSON_ARRAY,
    WEIR_JSON_OBJECT
};

struct weir_json {
    enum weir_json_type     type;
    struct weir_text        text;  /* STRING: unescaped UTF-8; NUMBER: as written; else empty */
    struct weir_text        name;  /* as a member of an object: its key */
    const struct weir_json *child; /* first element or member; NULL = none */
    const struct weir_json *next;  /* next sibling */
    struct weir_arena      *arena; /* where it lives: parse verbs of codecs allocate here */
};

/* Parses all of text. WEIR_UNREADABLE: reterr (may be NULL) says what and at which byte; WEIR_LIMIT. */
WEIR_API int weir_json_parse(struct weir_arena *arena, struct weir_text text, const struct weir_json **ret,
                             struct weir_error *reterr);
/* Member of an object, or NULL (also when json is NULL or no object). */
WEIR_API const struct weir_json *weir_json_get(const struct weir_json *json, const char *name);
/* WEIR_UNREADABLE: another type or no whole number; WEIR_OVERFLOW. json may be NULL (unreadable). */
WEIR_API int weir_json_int64(const struct weir_json *json, int64_t *ret);
WEIR_API int weir_json_double(const struct weir_json *json, double *ret);
WEIR_API int weir_json_text(const struct weir_json *json, struct weir_text *ret);

/* The writer. Objects: begin, (name, value)..., end. */
WEIR_API void weir_json_begin_object(struct weir_json_out *json);
WEIR_API void weir_json_end_object(struct weir_json_out *json);
WEIR_API void weir_json_begin_array(struct weir_json_out *json);
WEIR_API void weir_json_end_array(struct weir_json_out *json);
WEIR_API void weir_json_name(struct weir_json_out *json, const char *name);
WEIR_API void weir_json_put_null(struct weir_json_out *json);
WEIR_API void weir_json_put_bool(struct weir_json_out *json, bool value);
WEIR_API void weir_json_put_int64(struct weir_json_out *json, int64_t value);
/* 15 digits where they read back as the same double, else 16 or 17; NaN and infinities become null. */
WEIR_API void weir_json_put_double(struct weir_json_out *json, double value);
/* As it is: must be a JSON number. */
WEIR_API void weir_json_put_number(struct weir_json_out *json, struct weir_text text);
/* Bytes that are no UTF-8 become U+FFFD. */
WEIR_API void weir_json_put_text(struct weir_json_out *json, struct weir_text text);
WEIR_API void weir_json_put_string(struct weir_json_out *json, const char *text); /* NULL = null */
/* A parsed value, numbers as they were written. */
WEIR_API void weir_json_put(struct weir_json_out *json, const struct weir_json *value);

#ifdef __cplusplus
}
#endif

#endif
