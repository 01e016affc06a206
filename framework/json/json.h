/* json/json.h: the writer's inside, for our own folders. */
#ifndef WEIR_JSON_JSON_H
#define WEIR_JSON_JSON_H

#include "framework/base/base.h"
#include "framework/json.h"

struct weir_json_out {
    struct weir__buf buf; /* the text so far; failure is in buf.failed */
    unsigned         depth;
    uint64_t         comma; /* bit d: at depth d a comma is due before the next value */
    bool             named; /* a name was written: the next value belongs to it */
};

/* Ready for the next document, memory kept; fini frees it. A zeroed struct is ready too. */
void weir__json_out_reset(struct weir_json_out *json);
void weir__json_out_fini(struct weir_json_out *json);

#endif
