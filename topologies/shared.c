/* shared.c: what more than one topology does. */
#include "topologies/topologies.h"

bool market_has_header(const struct weir_record *rec, const char *name)
{
    for (size_t i = 0; i < rec->header_count; i++)
        if (strcmp(rec->headers[i].name, name) == 0)
            return true;
    return false;
}

int market_reject_null(struct weir_context *ctx, const struct weir_record *rec)
{
    return weir_reject(ctx, WEIR_NULL_GIVEN, rec->key == NULL ? "the record has no key" : "the record is null");
}

void market_tenant_of_key(struct weir_arena *arena, const char *topic, struct weir_bytes key, struct weir_bytes value,
                          struct weir_text *ret)
{
    struct market_key parts;

    (void)arena, (void)topic, (void)value;
    if (key.data != NULL && market_key_split((struct weir_text){ key.data, key.size }, &parts) == WEIR_OK)
        *ret = parts.tenant;
}
