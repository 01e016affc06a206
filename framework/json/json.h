/* json/json.h: the writer's inside, for our own folders. */
#ifndef WEIR_JSON_JSON_H
#define WEIR_JSON_JSON_H

#include "framework/base/base.h"
#include "framework/json.h"

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

#endif
