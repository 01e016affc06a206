/* json_in.c: records from JSON, by the names of their fields. */
#include "schemas/schema.h"

/* ---- numbers ---- */

static int set_int(const struct market_place *place, const struct weir_json *json, int64_t *to)
{
    int err = weir_json_int64(json, to);

    if (err == WEIR_OVERFLOW)
        return market_bad(place, MARKET_OVERFLOW, "a number that does not fit");
    return err < 0 ? market_bad(place, MARKET_BAD_TYPE, "a whole number is expected") : WEIR_OK;
}

static int number_code(const struct market_place *place, int err)
{
    return err < 0 ? market_bad(place, err, market_reason_text(err)) : WEIR_OK;
}

static int set_units(const struct market_place *place, const struct weir_json *json, int64_t *to)
{
    if (json->type != WEIR_JSON_NUMBER)
        return market_bad(place, MARKET_BAD_TYPE, "a number is expected");
    return number_code(place, market_decimal_read(json->text, to));
}

static int set_decimal(const struct market_place *place, const struct weir_json *json, struct market_decimal *to)
{
    to->given = true;
    return set_units(place, json, &to->units);
}

static int set_sum(const struct market_place *place, const struct weir_json *json, market_sum_units *to)
{
    if (json->type != WEIR_JSON_NUMBER)
        return market_bad(place, MARKET_BAD_TYPE, "a number is expected");
    return number_code(place, market_sum_read(json->text, to));
}

/* Written as a whole number of the sum's own units. */
static int set_raw_sum(const struct market_place *place, const struct weir_json *json, market_sum_units *to)
{
    if (json->type != WEIR_JSON_NUMBER)
        return market_bad(place, MARKET_BAD_TYPE, "a number is expected");
    return number_code(place, market_whole_read(json->text, to));
}

static int set_double(const struct market_place *place, const struct weir_json *json, struct market_double *to)
{
    to->given = true;
    return weir_json_double(json, &to->value) < 0 ? market_bad(place, MARKET_BAD_TYPE, "a number is expected")
                                                  : WEIR_OK;
}

/* ---- texts ---- */

static int set_text(const struct market_place *place, const struct weir_json *json, void *record)
{
    if (json->type != WEIR_JSON_STRING)
        return market_bad(place, MARKET_BAD_TYPE, "a text is expected");
    return market_set_text(place->reader, place->schema, place->field, json->text, record);
}

/* Of each byte, plus one; 0 = no lower-case hexadecimal digit. */
static const uint8_t hex_values[256] = { ['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ['a'] = 11, 12, 13, 14, 15, 16 };

static int set_tick_id(const struct market_place *place, const struct weir_json *json, uint8_t *to)
{
    const uint8_t *at = (const uint8_t *)json->text.data;
    bool           good = json->type == WEIR_JSON_STRING && json->text.size == 2 * (size_t)MARKET_TICK_ID_BYTES;

    for (size_t i = 0; good && i < MARKET_TICK_ID_BYTES; i++, at += 2) {
        unsigned high = hex_values[at[0]], low = hex_values[at[1]];

        good = high && low;
        to[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return good ? WEIR_OK : market_bad(place, MARKET_BAD_TYPE, "64 lower-case hexadecimal digits are expected");
}

static int set_word(const struct market_place *place, const struct weir_json *json, void *record)
{
    if (json->type != WEIR_JSON_STRING)
        return market_bad(place, MARKET_BAD_TYPE, "a word is expected");
    return market_set_word(place->reader, place->schema, place->field, json->text, record);
}

static int set_bool(const struct market_place *place, const struct weir_json *json, bool *to)
{
    if (json->type != WEIR_JSON_TRUE && json->type != WEIR_JSON_FALSE)
        return market_bad(place, MARKET_BAD_TYPE, "true or false is expected");
    *to = json->type == WEIR_JSON_TRUE;
    return WEIR_OK;
}

/* ---- lists and maps ---- */

/* Labels that are not known are left out: a later version may have more. */
static int set_flags(const struct market_place *place, const struct weir_json *json, uint32_t *to)
{
    if (json->type != WEIR_JSON_ARRAY)
        return market_bad(place, MARKET_BAD_TYPE, "a list of labels is expected");
    for (const struct weir_json *label = json->child; label; label = label->next) {
        if (label->type != WEIR_JSON_STRING)
            return market_bad(place, MARKET_BAD_TYPE, "a label in it is no text");
        *to |= market_flag_of(label->text);
    }
    return WEIR_OK;
}

static size_t count_children(const struct weir_json *json)
{
    size_t count = 0;

    for (const struct weir_json *child = json->child; child; child = child->next)
        count++;
    return count;
}

static int take_entry(const struct market_place *place, const struct weir_json *json, struct weir_text *ret)
{
    if (json->type != WEIR_JSON_STRING)
        return market_bad(place, MARKET_BAD_TYPE, "a text is expected in it");
    return market_check_entry(place->reader, place->schema, place->field, json->text, ret);
}

static int set_list(const struct market_place *place, const struct weir_json *json, struct market_list *to)
{
    size_t            count = count_children(json), at = 0;
    struct weir_text *texts;

    if (json->type != WEIR_JSON_ARRAY)
        return market_bad(place, MARKET_BAD_TYPE, "a list is expected");
    if (count > place->field->max)
        return market_bad(place, MARKET_TOO_LONG, "it has more entries than it may");
    if (!count)
        return WEIR_OK;
    texts = weir__arena_take(place->reader->arena, sizeof(*texts) * count);
    if (!texts)
        return WEIR_LIMIT;
    for (const struct weir_json *child = json->child; child; child = child->next) {
        int err = take_entry(place, child, &texts[at++]);

        if (err < 0)
            return err;
    }
    *to = (struct market_list){ texts, count };
    return WEIR_OK;
}

static int set_map(const struct market_place *place, const struct weir_json *json, struct market_map *to)
{
    size_t               count = count_children(json), at = 0;
    struct market_entry *pairs;

    if (json->type != WEIR_JSON_OBJECT)
        return market_bad(place, MARKET_BAD_TYPE, "an object is expected");
    if (count > place->field->max)
        return market_bad(place, MARKET_TOO_LONG, "it has more entries than it may");
    if (!count)
        return WEIR_OK;
    pairs = weir__arena_take(place->reader->arena, sizeof(*pairs) * count);
    if (!pairs)
        return WEIR_LIMIT;
    for (const struct weir_json *child = json->child; child; child = child->next, at++) {
        int err = market_check_entry(place->reader, place->schema, place->field, child->name, &pairs[at].name);

        if (err == WEIR_OK)
            err = take_entry(place, child, &pairs[at].value);
        if (err < 0)
            return err;
    }
    *to = (struct market_map){ pairs, count };
    return WEIR_OK;
}

/* ---- records ---- */

static int set_rows(const struct market_place *place, const struct weir_json *json, struct market_records *to)
{
    const struct market_schema *inner = place->field->inner;
    size_t                      count = count_children(json);
    char                       *row;
    int                         err = WEIR_OK;

    if (json->type != WEIR_JSON_ARRAY)
        return market_bad(place, MARKET_BAD_TYPE, "a list is expected");
    if (count > place->field->max)
        return market_bad(place, MARKET_TOO_LONG, "it has more entries than it may");
    if (!count)
        return WEIR_OK;
    row = weir_arena_alloc(place->reader->arena, inner->bytes * count);
    if (!row)
        return WEIR_LIMIT;
    *to = (struct market_records){ row, count };
    for (const struct weir_json *child = json->child; child && err == WEIR_OK; child = child->next) {
        if (child->type != WEIR_JSON_OBJECT)
            return market_bad(place, MARKET_BAD_TYPE, "an object is expected in it");
        err = market_read_json(place->reader, inner, child, row);
        row += inner->bytes;
    }
    return err;
}

static int set_field(const struct market_place *place, const struct weir_json *json, void *record)
{
    const struct market_field *field = place->field;
    void                      *to = (char *)record + field->offset;

    switch ((enum market_type)field->type) {
    case MARKET_TYPE_TEXT:
    case MARKET_TYPE_TENANT:
    case MARKET_TYPE_INSTRUMENT: return set_text(place, json, record);
    case MARKET_TYPE_INT: return set_int(place, json, to);
    case MARKET_TYPE_UNITS: return set_units(place, json, to);
    case MARKET_TYPE_DECIMAL: return set_decimal(place, json, to);
    case MARKET_TYPE_SUM: ((struct market_sum *)to)->given = true; return set_sum(place, json, to);
    case MARKET_TYPE_RAW_SUM: return set_raw_sum(place, json, to);
    case MARKET_TYPE_DOUBLE: return set_double(place, json, to);
    case MARKET_TYPE_TICK_ID: return set_tick_id(place, json, to);
    case MARKET_TYPE_FLAGS: return set_flags(place, json, to);
    case MARKET_TYPE_WORD: return set_word(place, json, record);
    case MARKET_TYPE_BOOL: return set_bool(place, json, to);
    case MARKET_TYPE_MAP: return set_map(place, json, to);
    case MARKET_TYPE_LIST: return set_list(place, json, to);
    case MARKET_TYPE_RECORD:
        if (json->type != WEIR_JSON_OBJECT)
            return market_bad(place, MARKET_BAD_TYPE, "an object is expected");
        return market_read_json(place->reader, field->inner, json, to);
    case MARKET_TYPE_RECORDS: return set_rows(place, json, to);
    }
    return WEIR_UNREADABLE;
}

/* How far an object is read. */
struct progress {
    size_t   next;      /* the field that the table's order has next */
    uint64_t met, seen; /* fields: named so far, and of these not null */
};

/* One member, known or not. */
static int read_member(struct market_place *place, const struct weir_json *member, struct progress *progress,
                       void *record)
{
    const struct market_field *likely = &place->schema->fields[progress->next];
    uint64_t                   bit;

    /* The table's own name: the walk met what was likely. */
    if (progress->next < place->schema->count && member->name.data == likely->member + 1)
        place->field = likely;
    else
        place->field = market_find_field(place->schema, member->name, progress->next);
    if (!place->field)
        return WEIR_OK;
    bit = UINT64_C(1) << (place->field - place->schema->fields);
    if (progress->met & bit)
        return market_bad(place, MARKET_MALFORMED, "it stands twice");
    progress->met |= bit;
    progress->next = (size_t)(place->field - place->schema->fields) + 1;
    if (member->type == WEIR_JSON_NULL)
        return WEIR_OK;
    progress->seen |= bit;
    return set_field(place, member, record);
}

int market_read_json(struct market_reader *reader, const struct market_schema *schema, const struct weir_json *json,
                     void *record)
{
    struct market_place place = { .reader = reader, .schema = schema };
    struct progress     progress = { 0 };
    int                 err = WEIR_OK;

    if (json->type != WEIR_JSON_OBJECT)
        return weir__fail(reader->reterr, MARKET_MALFORMED, schema->name, "malformed: a JSON object is expected");
    for (const struct weir_json *member = json->child; member && err == WEIR_OK; member = member->next)
        err = read_member(&place, member, &progress, record);
    return err < 0 ? err : market_finish(reader, schema, progress.seen, record);
}

/* What the next member begins with if it is the table's next. */
static struct weir_text likely_member(const struct market_schema *schema, const struct progress *progress)
{
    const struct market_field *field = &schema->fields[progress->next];

    if (progress->next == schema->count)
        return (struct weir_text){ 0 };
    return (struct weir_text){ field->member, (size_t)field->name_size + 3 };
}

int market_read_text(struct market_reader *reader, const struct market_schema *schema, struct weir_text text,
                     void *record)
{
    struct market_place place = { .reader = reader, .schema = schema };
    struct progress     progress = { 0 };
    struct weir__walk   walk;
    struct weir_json    member;
    struct weir_error   why;
    int                 err = WEIR_OK;

    weir__walk_init(&walk, reader->arena, text);
    while (err == WEIR_OK && weir__walk_next(&walk, likely_member(schema, &progress), &member))
        err = read_member(&place, &member, &progress, record);
    if (err < 0)
        return err;
    err = weir__walk_end(&walk, &why);
    if (err == WEIR_UNREADABLE)
        return weir__fail(reader->reterr, MARKET_MALFORMED, schema->name, "malformed: JSON %s", why.text);
    return err < 0 ? err : market_finish(reader, schema, progress.seen, record);
}
