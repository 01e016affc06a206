/* reference.h: reference rows from a file: what is known of instruments, definitions of pairs and curves, rules.
 *
 * (1) JSON lines: an object each with the fields of the record, or a record as `cat` prints it. Else CSV: a heading
 *     with these names, an empty cell for what is not known, lists between "|", metadata as a JSON object or in columns
 *     metadata.NAME, legs and members as a JSON list. Plain or gzip; the kind, and what the rows are, is told by the first
 *     line: pair_id and curve_id are definitions'.
 * (2) id, created_at and updated_at, which tables of a database have besides, are passed over. Any other name that is no
 *     field refuses the file, as does a row that cannot be read or comes twice: a file is taken whole or not at all.
 */
#ifndef MARKET_REFERENCE_H
#define MARKET_REFERENCE_H

#include "schemas/records.h"

/* One sort of reference data. */
struct market_reference_kind {
    const char              *topic; /* compacted, keyed tenant/id */
    const char              *id;    /* the field that only its rows have */
    const struct weir_codec *codec; /* of the record, JSON */
    size_t                   tenant_at, id_at, version_at;
};
extern const struct market_reference_kind market_reference_instruments[1], market_reference_pairs[1],
    market_reference_curves[1], market_reference_rules[1];

static inline struct market_key market_reference_key(const struct market_reference_kind *kind, const void *record)
{
    return (struct market_key){ *(const struct weir_text *)((const char *)record + kind->tenant_at),
                                *(const struct weir_text *)((const char *)record + kind->id_at) };
}
static inline int64_t *market_reference_version(const struct market_reference_kind *kind, void *record)
{
    return (int64_t *)((char *)record + kind->version_at);
}

struct market_reference_row {
    void    *record;
    bool     versioned; /* the file says its version; else that is 1 */
    uint64_t line;
};
struct market_reference_rows {
    const struct market_reference_kind *kind;
    struct market_reference_row        *rows;
    size_t                              count;
};

/* Reads all rows; they live in the arena. tenant: of rows that name none. WEIR_REJECTED: reterr names the line and what is
 * wrong; WEIR_NOTFOUND, WEIR_IO, WEIR_NO_MEMORY. */
int market_reference_read(const char *path, const char *tenant, struct weir_arena *arena,
                          struct market_reference_rows *ret, struct weir_error *reterr);

#endif
