/* shared.c: what more than one topology does. */
#include "topologies/topologies.h"

static const struct weir_header *find_header(const struct weir_record *rec, const char *name)
{
    for (size_t i = 0; i < rec->header_count; i++)
        if (strcmp(rec->headers[i].name, name) == 0)
            return &rec->headers[i];
    return NULL;
}

/* A number from 1 on; of a header that holds none 1. */
static int64_t number_of(struct weir_bytes value)
{
    int64_t     number = 0;
    const char *digits = value.data;

    for (size_t i = 0; i < MIN(value.size, 18); i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return 1;
        number = 10 * number + (digits[i] - '0');
    }
    return MAX(number, 1);
}

static int64_t number_in(const struct weir_record *rec, const char *name)
{
    const struct weir_header *header = find_header(rec, name);

    return header != NULL ? number_of(header->value) : 0;
}

int64_t market_load_of(const struct weir_record *rec) { return number_in(rec, MARKET_HEADER_REPLAY); }

int64_t market_backfill_of(const struct weir_record *rec) { return number_in(rec, MARKET_HEADER_BACKFILL); }

int market_pass(struct weir_context *ctx, const struct weir_record *rec) { return weir_forward_record(ctx, rec); }

int market_reject_null(struct weir_context *ctx, const struct weir_record *rec)
{
    return weir_reject(ctx, WEIR_NULL_GIVEN, rec->key == NULL ? "the record has no key" : "the record is null");
}

/* By the clock where it is read once more; else all that is there has come before it, day-ahead prices of tomorrow too. */
bool market_is_meant(struct weir_context *ctx, const struct market_invalidation *asked, int64_t event_time,
                     int64_t came)
{
    bool again = weir_replayed(ctx) || asked->epoch < weir_epoch(ctx);

    return event_time >= asked->since && (!again || came <= asked->requested_at);
}

void market_tenant_of_key(struct weir_arena *arena, const char *topic, struct weir_bytes key, struct weir_bytes value,
                          struct weir_text *ret)
{
    struct market_key parts;

    (void)arena, (void)topic, (void)value;
    if (key.data != NULL && market_key_split((struct weir_text){ key.data, key.size }, &parts) == WEIR_OK)
        *ret = parts.tenant;
}
