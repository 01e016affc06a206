/* json_out.c: records to JSON: every field, in the order of the table. */
#include "schemas/schema.h"

static void put_text(struct weir_json_out *json, struct weir_text text)
{
    if (text.data)
        weir_json_put_text(json, text);
    else
        weir_json_put_null(json);
}

static void put_units(struct weir_json_out *json, int64_t units)
{
    char text[MARKET_DECIMAL_ROOM];

    weir_json_put_number(json, (struct weir_text){ text, market_decimal_write(units, text) });
}

static void put_sum(struct weir_json_out *json, market_sum_units units)
{
    char text[MARKET_SUM_ROOM];

    weir_json_put_number(json, (struct weir_text){ text, market_sum_write(units, text) });
}

static void put_raw_sum(struct weir_json_out *json, market_sum_units units)
{
    char text[MARKET_SUM_ROOM];

    weir_json_put_number(json, (struct weir_text){ text, market_whole_write(units, text) });
}

static void put_tick_id(struct weir_json_out *json, const uint8_t *id)
{
    static const char digits[] = "0123456789abcdef";
    char              text[2 * MARKET_TICK_ID_BYTES];

    for (size_t i = 0; i < MARKET_TICK_ID_BYTES; i++) {
        text[2 * i] = digits[id[i] >> 4];
        text[2 * i + 1] = digits[id[i] & 15];
    }
    weir_json_put_text(json, (struct weir_text){ text, sizeof(text) });
}

static void put_flags(struct weir_json_out *json, uint32_t flags)
{
    weir_json_begin_array(json);
    for (uint32_t left = flags & ((UINT32_C(1) << MARKET_FLAG_COUNT) - 1); left; left &= left - 1)
        weir_json_put_string(json, market_flag_label((enum market_flag_bit)__builtin_ctz(left)));
    weir_json_end_array(json);
}

static void put_list(struct weir_json_out *json, const struct market_list *list)
{
    weir_json_begin_array(json);
    for (size_t i = 0; i < list->count; i++)
        put_text(json, list->texts[i]);
    weir_json_end_array(json);
}

static void put_name(struct weir_json_out *json, struct weir_text name)
{
    weir_json_put_text(json, name);
    weir__buf_putc(&json->buf, ':');
    json->comma = false;
}

static void put_map(struct weir_json_out *json, const struct market_map *map)
{
    weir_json_begin_object(json);
    for (size_t i = 0; i < map->count; i++) {
        put_name(json, map->pairs[i].name);
        put_text(json, map->pairs[i].value);
    }
    weir_json_end_object(json);
}

static void put_fields(struct weir_json_out *json, const struct market_schema *schema, const void *record);

static void put_rows(struct weir_json_out *json, const struct market_schema *inner,
                     const struct market_records *records)
{
    const char *row = records->rows;

    weir_json_begin_array(json);
    for (size_t i = 0; i < records->count; i++, row += inner->bytes)
        put_fields(json, inner, row);
    weir_json_end_array(json);
}

/* Whether the value is null; then nothing is put. */
static bool is_null(const struct market_field *field, const void *from)
{
    switch ((enum market_type)field->type) {
    case MARKET_TYPE_DECIMAL: return !((const struct market_decimal *)from)->given;
    case MARKET_TYPE_SUM: return !((const struct market_sum *)from)->given;
    case MARKET_TYPE_DOUBLE: return !((const struct market_double *)from)->given;
    default: return false;
    }
}

static void put_value(struct weir_json_out *json, const struct market_field *field, const void *from)
{
    switch ((enum market_type)field->type) {
    case MARKET_TYPE_TEXT:
    case MARKET_TYPE_TENANT:
    case MARKET_TYPE_INSTRUMENT: put_text(json, *(const struct weir_text *)from); break;
    case MARKET_TYPE_INT: weir_json_put_int64(json, *(const int64_t *)from); break;
    case MARKET_TYPE_UNITS: put_units(json, *(const int64_t *)from); break;
    case MARKET_TYPE_DECIMAL: put_units(json, ((const struct market_decimal *)from)->units); break;
    case MARKET_TYPE_SUM: put_sum(json, ((const struct market_sum *)from)->units); break;
    case MARKET_TYPE_RAW_SUM: put_raw_sum(json, *(const market_sum_units *)from); break;
    case MARKET_TYPE_DOUBLE: weir_json_put_double(json, ((const struct market_double *)from)->value); break;
    case MARKET_TYPE_TICK_ID: put_tick_id(json, from); break;
    case MARKET_TYPE_FLAGS: put_flags(json, *(const uint32_t *)from); break;
    case MARKET_TYPE_WORD: weir_json_put_string(json, field->words[*(const int *)from]); break;
    case MARKET_TYPE_BOOL: weir_json_put_bool(json, *(const bool *)from); break;
    case MARKET_TYPE_MAP: put_map(json, from); break;
    case MARKET_TYPE_LIST: put_list(json, from); break;
    case MARKET_TYPE_RECORD: put_fields(json, field->inner, from); break;
    case MARKET_TYPE_RECORDS: put_rows(json, field->inner, from); break;
    }
}

/* The name as the table has it, quotes and colon with it: names need no escapes. */
static void put_member(struct weir_json_out *json, const struct market_field *field)
{
    weir__buf_add(weir__json_put_raw(json), field->member, (size_t)field->name_size + 3);
    json->comma = false;
}

static bool is_left_out(const struct market_field *field, const void *from)
{
    return field->sparse &&
           (field->type == MARKET_TYPE_BOOL ? *(const bool *)from : *(const int64_t *)from) == field->fallback;
}

static void put_fields(struct weir_json_out *json, const struct market_schema *schema, const void *record)
{
    weir_json_begin_object(json);
    if (schema->version > 0) {
        weir_json_name(json, "schema_version");
        weir_json_put_int64(json, schema->version);
    }
    for (size_t i = 0; i < schema->count; i++) {
        const struct market_field *field = &schema->fields[i];
        const void                *from = (const char *)record + field->offset;

        if (is_left_out(field, from))
            continue;
        put_member(json, field);
        if (is_null(field, from))
            weir_json_put_null(json);
        else
            put_value(json, field, from);
    }
    if (schema->derive != NULL)
        schema->derive(record, json);
    weir_json_end_object(json);
}

int market_write_json(const struct market_schema *schema, const void *record, struct weir_json_out *json)
{
    put_fields(json, schema, record);
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}
