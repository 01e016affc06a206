/* schema.h: one table per record, from which both its codecs come. Inside schemas only; records.h has what others see.
 *
 * (1) MessagePack is an array: schema version, then the fields in the table's order. A new field goes to the end and
 *     raises the version; a field never moves or changes its type. Readers skip what they do not know, and take what an
 *     older writer did not send as null.
 * (2) JSON is an object of the fields' names and "schema_version". Members of other names are ignored; a table may have some that are
 *     made of its fields, for those who read.
 * (3) A reader takes JSON, MessagePack arrays, and MessagePack maps by name. It says which field is wrong, and why.
 */
#ifndef MARKET_SCHEMA_H
#define MARKET_SCHEMA_H

#include <stddef.h>

#include "framework/json/json.h"
#include "schemas/records.h"

/* What a field is in memory, in MessagePack, in JSON. A null is nil and null. */
enum market_type {
    MARKET_TYPE_TEXT,       /* struct weir_text, str, string; UTF-8 of at most max bytes */
    MARKET_TYPE_TENANT,     /* the same, legal as a tenant */
    MARKET_TYPE_INSTRUMENT, /* the same, legal as an instrument id */
    MARKET_TYPE_INT,        /* int64_t, int, number */
    MARKET_TYPE_UNITS,      /* int64_t of 1e-8, int, decimal number */
    MARKET_TYPE_DECIMAL,    /* struct market_decimal, the same, nullable */
    MARKET_TYPE_SUM,        /* struct market_sum, int or 16 bytes big-endian, decimal number; nullable */
    MARKET_TYPE_RAW_SUM,    /* market_sum_units, the same but of units of its own: a whole number in JSON */
    MARKET_TYPE_DOUBLE,     /* struct market_double, float, number; nullable */
    MARKET_TYPE_TICK_ID,    /* 32 bytes, bin, lower-case hex */
    MARKET_TYPE_FLAGS,      /* uint32_t, int, list of labels */
    MARKET_TYPE_WORD,       /* enum, int or str, string: one of words */
    MARKET_TYPE_BOOL,
    MARKET_TYPE_MAP,    /* struct market_map; at most max pairs */
    MARKET_TYPE_LIST,   /* struct market_list; at most max texts */
    MARKET_TYPE_RECORD, /* a struct of its own table, array without version, object */
    MARKET_TYPE_RECORDS /* struct market_records: at most max structs of one table, array of arrays, list of objects */
};

struct market_schema;

struct market_field {
    const char                 *name;
    const char                 *member; /* name, quotes and colon, as it stands in JSON */
    uint8_t                     name_size, type;
    bool                        required;
    bool                        sparse; /* an INT or BOOL that JSON has where it is not its fallback alone */
    uint16_t                    offset, max;
    int64_t                     fallback; /* of an INT, WORD or BOOL that is absent or null */
    const char *const          *words;    /* max of them */
    const struct market_schema *inner;
};

struct market_schema {
    const char                *name;
    int                        version; /* 0: part of another record */
    size_t                     bytes;   /* of the struct */
    const struct market_field *fields;
    size_t                     count; /* at most 64 */
    /* What no field can say alone: NULL, or the field that is missing. */
    const char *(*missing)(const void *record);
    /* Members that JSON has besides; NULL: none. And what they are, as rows of the page of records. */
    void (*derive)(const void *record, struct weir_json_out *json);
    const char *derived;
    /* NULL, or what is wrong with a record whose fields are all as they should be, in words. */
    const char *(*wrong)(const void *record);
};

/* All records, NULL-ended (tables.c). */
extern const struct market_schema *const market_schemas[];

/* The bytes of a text in a map or list. */
#define MARKET_ENTRY_MAX 4096

/* Reads either form. in is borrowed by ret, which is zeroed. reterr (may be NULL): record and field. MARKET_MALFORMED,
 * MARKET_MISSING, MARKET_BAD_TYPE, MARKET_TOO_LONG, reasons of numbers, WEIR_LIMIT. */
int market_read(const struct market_schema *schema, struct weir_arena *arena, struct weir_bytes in, void *ret,
                struct weir_error *reterr);

/* ---- between the files of schemas ---- */

/* What goes on while one record is read. */
struct market_reader {
    struct weir_arena *arena;
    struct weir_error *reterr;
    bool               utf8; /* all texts are known to be */
};

int market_read_packed(struct market_reader *reader, const struct market_schema *schema, struct weir_bytes in,
                       void *record);
int market_read_json(struct market_reader *reader, const struct market_schema *schema, const struct weir_json *json,
                     void *record);

int market_read_text(struct market_reader *reader, const struct market_schema *schema, struct weir_text text,
                     void *record);

/* Whether readers would take the record. The writers below believe it. */
int market_check(struct market_reader *reader, const struct market_schema *schema, const void *record);
/* Packed bytes live in the arena. WEIR_LIMIT. */
int market_write_packed(const struct market_schema *schema, struct weir_arena *arena, const void *record,
                        struct weir_bytes *ret);
/* WEIR_NO_MEMORY. */
int market_write_json(const struct market_schema *schema, const void *record, struct weir_json_out *json);

/* The field of a name, looked for from `from` on, where fields in the table's order find theirs. NULL = unknown. */
const struct market_field *market_find_field(const struct market_schema *schema, struct weir_text name, size_t from);

/* Sets fields that were not seen (bits of seen) to their fallbacks, and says what is missing. */
int market_finish(struct market_reader *reader, const struct market_schema *schema, uint64_t seen, void *record);

/* Texts, whatever form they came in: checks and sets. */
int market_set_text(struct market_reader *reader, const struct market_schema *schema,
                    const struct market_field *field, struct weir_text text, void *record);
int market_set_word(struct market_reader *reader, const struct market_schema *schema,
                    const struct market_field *field, struct weir_text word, void *record);

/* A text in a list or map. */
int market_check_entry(struct market_reader *reader, const struct market_schema *schema,
                       const struct market_field *field, struct weir_text text, struct weir_text *ret);

int market_bad_field(struct market_reader *reader, const struct market_schema *schema,
                     const struct market_field *field, int code, const char *what);

/* A field of a record that is being read. */
struct market_place {
    struct market_reader       *reader;
    const struct market_schema *schema;
    const struct market_field  *field;
};
static inline int market_bad(const struct market_place *place, int code, const char *what)
{
    return market_bad_field(place->reader, place->schema, place->field, code, what);
}

#define MARKET_AT(type, record, field) ((type *)((char *)(record) + (field)->offset))
#define MARKET_OF(type, record, field) ((const type *)((const char *)(record) + (field)->offset))

#endif
