/* difference.c: the first field in which two records of one table differ. */
#include "schemas/schema.h"

static bool same_records(const struct market_schema *schema, const struct market_records *a,
                         const struct market_records *b);

static bool same_list(const struct market_list *a, const struct market_list *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = market_text_same(a->texts[i], b->texts[i]);
    return same;
}

static bool same_map(const struct market_map *a, const struct market_map *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = market_text_same(a->pairs[i].name, b->pairs[i].name) &&
               market_text_same(a->pairs[i].value, b->pairs[i].value);
    return same;
}

/* Two nulls are the same. */
static bool same_nullable(enum market_type type, const void *a, const void *b)
{
    const struct market_decimal *decimals[] = { a, b };
    const struct market_sum     *sums[] = { a, b };
    const struct market_double  *reals[] = { a, b };

    switch (type) {
    case MARKET_TYPE_DECIMAL:
        return decimals[0]->given == decimals[1]->given &&
               (!decimals[0]->given || decimals[0]->units == decimals[1]->units);
    case MARKET_TYPE_SUM:
        return sums[0]->given == sums[1]->given && (!sums[0]->given || sums[0]->units == sums[1]->units);
    default: return reals[0]->given == reals[1]->given && (!reals[0]->given || reals[0]->value == reals[1]->value);
    }
}

static bool same_field(const struct market_field *field, const void *a, const void *b)
{
    switch ((enum market_type)field->type) {
    case MARKET_TYPE_TEXT:
    case MARKET_TYPE_TENANT:
    case MARKET_TYPE_INSTRUMENT: return market_text_same(*(const struct weir_text *)a, *(const struct weir_text *)b);
    case MARKET_TYPE_INT:
    case MARKET_TYPE_UNITS: return *(const int64_t *)a == *(const int64_t *)b;
    case MARKET_TYPE_DECIMAL:
    case MARKET_TYPE_SUM:
    case MARKET_TYPE_DOUBLE: return same_nullable(field->type, a, b);
    case MARKET_TYPE_RAW_SUM: return *(const market_sum_units *)a == *(const market_sum_units *)b;
    case MARKET_TYPE_TICK_ID: return memcmp(a, b, MARKET_TICK_ID_BYTES) == 0;
    case MARKET_TYPE_FLAGS: return *(const uint32_t *)a == *(const uint32_t *)b;
    case MARKET_TYPE_WORD: return *(const int *)a == *(const int *)b;
    case MARKET_TYPE_BOOL: return *(const bool *)a == *(const bool *)b;
    case MARKET_TYPE_MAP: return same_map(a, b);
    case MARKET_TYPE_LIST: return same_list(a, b);
    case MARKET_TYPE_RECORD:
        return same_records(field->inner, &(struct market_records){ a, 1 }, &(struct market_records){ b, 1 });
    case MARKET_TYPE_RECORDS: return same_records(field->inner, a, b);
    }
    return false;
}

static bool same_records(const struct market_schema *schema, const struct market_records *a,
                         const struct market_records *b)
{
    const char *at = a->rows, *other = b->rows;
    bool        same = a->count == b->count;

    for (size_t row = 0; same && row < a->count; row++, at += schema->bytes, other += schema->bytes)
        for (size_t i = 0; same && i < schema->count; i++)
            same = same_field(&schema->fields[i], at + schema->fields[i].offset, other + schema->fields[i].offset);
    return same;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool same_flags(const struct market_field *field, const void *a, const void *b, uint32_t judged)
{
    return ((*MARKET_OF(uint32_t, a, field) ^ *MARKET_OF(uint32_t, b, field)) & judged) == 0;
}

const char *market_difference(const struct weir_codec *codec, const void *a, const void *b,
                              const char *const *left_out, uint32_t judged)
{
    const struct market_schema *schema = codec->arg;

    for (size_t i = 0; i < schema->count; i++) {
        const struct market_field *field = &schema->fields[i];

        if (is_among(field->name, left_out))
            continue;
        if (field->type == MARKET_TYPE_FLAGS
                ? !same_flags(field, a, b, judged)
                : !same_field(field, (const char *)a + field->offset, (const char *)b + field->offset))
            return field->name;
    }
    return NULL;
}
