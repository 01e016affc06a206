/* reference.h: reference rows from a file: what is known of instruments.
 *
 * (1) JSON lines: an object each with the fields of market_instrument, or a record as `cat` prints it. Else CSV: a heading
 *     with these names, an empty cell for what is not known, aliases between "|", metadata as a JSON object or in columns
 *     metadata.NAME. Plain or gzip; the kind is told by the first line.
 * (2) id, created_at and updated_at, which tables of a database have besides, are passed over. Any other name that is no
 *     field refuses the file, as does a row that cannot be read or comes twice: a file is taken whole or not at all.
 */
#ifndef MARKET_REFERENCE_H
#define MARKET_REFERENCE_H

#include "schemas/records.h"

struct market_reference_row {
    struct market_instrument instrument;
    bool                     versioned; /* the file says its version; else that is 1 */
    uint64_t                 line;
};

/* Reads all rows; they live in the arena. tenant: of rows that name none. WEIR_REJECTED: reterr names the line and what is
 * wrong; WEIR_NOTFOUND, WEIR_IO, WEIR_NO_MEMORY. */
int market_reference_read(const char *path, const char *tenant, struct weir_arena *arena,
                          struct market_reference_row **ret, size_t *ret_count, struct weir_error *reterr);

#endif
