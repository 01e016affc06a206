/* schema.c: reading a record by its table, whichever form it is in; what both readers share. */
#include "schemas/schema.h"

/* ---- words of a refusal ---- */

int market_bad_field(struct market_reader *reader, const struct market_schema *schema,
                     const struct market_field *field, int code, const char *what)
{
    return weir__fail(reader->reterr, code, schema->name, "%s: field '%s': %s", market_reason_name(code), field->name,
                      what);
}

/* ---- fields by name ---- */

static bool is_name(const struct market_field *field, struct weir_text name)
{
    return field->name_size == name.size && memcmp(field->name, name.data, name.size) == 0;
}

const struct market_field *market_find_field(const struct market_schema *schema, struct weir_text name, size_t from)
{
    for (size_t i = from; i < schema->count; i++)
        if (is_name(&schema->fields[i], name))
            return &schema->fields[i];
    for (size_t i = 0; i < MIN(from, schema->count); i++)
        if (is_name(&schema->fields[i], name))
            return &schema->fields[i];
    return NULL;
}

/* ---- what was not sent ---- */

static void set_fallback(const struct market_field *field, void *record)
{
    switch (field->type) {
    case MARKET_TYPE_INT: *MARKET_AT(int64_t, record, field) = field->fallback; break;
    case MARKET_TYPE_WORD: *MARKET_AT(int, record, field) = (int)field->fallback; break;
    case MARKET_TYPE_BOOL: *MARKET_AT(bool, record, field) = field->fallback != 0; break;
    default: break;
    }
}

static int check_whole(struct market_reader *reader, const struct market_schema *schema, const void *record)
{
    const char *missing = schema->missing ? schema->missing(record) : NULL;

    const char *wrong = !missing && schema->wrong ? schema->wrong(record) : NULL;

    if (missing)
        return weir__fail(reader->reterr, MARKET_MISSING, schema->name, "missing_field: field '%s' is needed here",
                          missing);
    return wrong ? weir__fail(reader->reterr, MARKET_BAD_TYPE, schema->name, "bad_type: %s", wrong) : WEIR_OK;
}

int market_finish(struct market_reader *reader, const struct market_schema *schema, uint64_t seen, void *record)
{
    uint64_t all = schema->count < 64 ? (UINT64_C(1) << schema->count) - 1 : ~UINT64_C(0);

    for (uint64_t left = all & ~seen; left; left &= left - 1) {
        const struct market_field *field = &schema->fields[__builtin_ctzll(left)];

        if (field->required)
            return market_bad_field(reader, schema, field, MARKET_MISSING, "it is required, and missing or null");
        set_fallback(field, record);
    }
    return check_whole(reader, schema, record);
}

/* ---- texts ---- */

static uint64_t eight_bytes(const char *at)
{
    uint64_t bytes;

    memcpy(&bytes, at, sizeof(bytes));
    return bytes;
}

static bool is_ascii(struct weir_text text)
{
    const char *at = text.data, *end = at + text.size;
    uint64_t    all = 0;

    for (; end - at >= 8; at += 8)
        all |= eight_bytes(at);
    if (text.size >= 8)
        all |= eight_bytes(end - 8);
    else
        for (; at < end; at++)
            all |= (unsigned char)*at;
    return !(all & UINT64_C(0x8080808080808080));
}

static bool is_utf8(struct weir_text text)
{
    uint32_t c;
    size_t   size;

    if (is_ascii(text))
        return true;
    for (; text.size; text.data += size, text.size -= size) {
        size = weir__utf8_take(BYTES(text.data, text.size), &c);
        if (!size)
            return false;
    }
    return true;
}

static int check_text(struct market_reader *reader, const struct market_schema *schema,
                      const struct market_field *field, struct weir_text text)
{
    if (text.size > field->max)
        return market_bad_field(reader, schema, field, MARKET_TOO_LONG, "the text is longer than it may be");
    if (field->type == MARKET_TYPE_TEXT && !reader->utf8 && !is_utf8(text))
        return market_bad_field(reader, schema, field, MARKET_BAD_TYPE, "the text is no UTF-8");
    if ((field->type == MARKET_TYPE_TENANT && !market_tenant_legal(text)) ||
        (field->type == MARKET_TYPE_INSTRUMENT && !market_instrument_legal(text)))
        return market_bad_field(reader, schema, field, MARKET_BAD_NAME, "it is not legal as one");
    return WEIR_OK;
}

int market_set_text(struct market_reader *reader, const struct market_schema *schema,
                    const struct market_field *field, struct weir_text text, void *record)
{
    int err = check_text(reader, schema, field, text);

    if (err == WEIR_OK)
        *MARKET_AT(struct weir_text, record, field) = text;
    return err;
}

int market_check_entry(struct market_reader *reader, const struct market_schema *schema,
                       const struct market_field *field, struct weir_text text, struct weir_text *ret)
{
    if (text.size > MARKET_ENTRY_MAX)
        return market_bad_field(reader, schema, field, MARKET_TOO_LONG, "a text in it is longer than 4096 bytes");
    if (!reader->utf8 && !is_utf8(text))
        return market_bad_field(reader, schema, field, MARKET_BAD_TYPE, "a text in it is no UTF-8");
    *ret = text;
    return WEIR_OK;
}

int market_set_word(struct market_reader *reader, const struct market_schema *schema,
                    const struct market_field *field, struct weir_text word, void *record)
{
    for (int i = 0; i < field->max; i++) {
        if (strlen(field->words[i]) == word.size && memcmp(field->words[i], word.data, word.size) == 0) {
            *MARKET_AT(int, record, field) = i;
            return WEIR_OK;
        }
    }
    return market_bad_field(reader, schema, field, MARKET_BAD_TYPE, "a word that is none of its own");
}

/* ---- before writing ---- */

/* What is written must be readable: so what readers refuse is refused here. */
static int check_list(struct market_reader *reader, const struct market_schema *schema,
                      const struct market_field *field, const struct weir_text *texts, size_t count)
{
    struct weir_text text;
    int              err = WEIR_OK;

    for (size_t i = 0; i < count && err == WEIR_OK; i++)
        err = texts[i].data ? market_check_entry(reader, schema, field, texts[i], &text)
                            : market_bad_field(reader, schema, field, MARKET_BAD_TYPE, "a text in it is null");
    return err;
}

static int check_count(struct market_reader *reader, const struct market_schema *schema,
                       const struct market_field *field, const struct weir_text *texts, size_t count, size_t each)
{
    if (count > field->max)
        return market_bad_field(reader, schema, field, MARKET_TOO_LONG, "it has more entries than it may");
    return check_list(reader, schema, field, texts, count * each);
}

static int check_rows(struct market_reader *reader, const struct market_schema *schema,
                      const struct market_field *field, const struct market_records *records)
{
    const char *row = records->rows;
    int         err = WEIR_OK;

    if (records->count > field->max)
        return market_bad_field(reader, schema, field, MARKET_TOO_LONG, "it has more entries than it may");
    for (size_t i = 0; i < records->count && err == WEIR_OK; i++, row += field->inner->bytes)
        err = market_check(reader, field->inner, row);
    return err;
}

static int check_field(struct market_reader *reader, const struct market_schema *schema,
                       const struct market_field *field, const void *from)
{
    const struct weir_text   *text = from;
    const struct market_list *list = from;
    const struct market_map  *map = from;

    switch ((enum market_type)field->type) {
    case MARKET_TYPE_TEXT:
    case MARKET_TYPE_TENANT:
    case MARKET_TYPE_INSTRUMENT:
        if (text->data)
            return check_text(reader, schema, field, *text);
        return field->required ? market_bad_field(reader, schema, field, MARKET_MISSING, "it is required, and null")
                               : WEIR_OK;
    case MARKET_TYPE_WORD:
        if (*(const unsigned *)from < field->max)
            return WEIR_OK;
        return market_bad_field(reader, schema, field, MARKET_BAD_TYPE, "a number that stands for no word");
    case MARKET_TYPE_LIST: return check_count(reader, schema, field, list->texts, list->count, 1);
    case MARKET_TYPE_MAP: return check_count(reader, schema, field, (const void *)map->pairs, map->count, 2);
    case MARKET_TYPE_RECORD: return market_check(reader, field->inner, from);
    case MARKET_TYPE_RECORDS: return check_rows(reader, schema, field, from);
    default: return WEIR_OK;
    }
}

int market_check(struct market_reader *reader, const struct market_schema *schema, const void *record)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct market_field *field = &schema->fields[i];
        int                        err = check_field(reader, schema, field, (const char *)record + field->offset);

        if (err < 0)
            return err;
    }
    return check_whole(reader, schema, record);
}

/* ---- either form ---- */

static bool is_json(struct weir_bytes in)
{
    const char *at = in.data;

    for (size_t i = 0; i < in.size; i++)
        if (at[i] != ' ' && at[i] != '\n' && at[i] != '\t' && at[i] != '\r')
            return at[i] == '{';
    return false;
}

int market_read(const struct market_schema *schema, struct weir_arena *arena, struct weir_bytes in, void *ret,
                struct weir_error *reterr)
{
    struct market_reader reader = { .arena = arena, .reterr = reterr };

    reader.utf8 = is_json(in);
    if (reader.utf8)
        return market_read_text(&reader, schema, (struct weir_text){ in.data, in.size }, ret);
    return market_read_packed(&reader, schema, in, ret);
}
