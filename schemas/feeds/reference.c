/* reference.c: the rows of a reference file, each made into the JSON form of its record and read by the record's codec. */
#include "schemas/feeds/reference.h"
#include "framework/json/json.h"
#include "framework/runtime/runtime.h"
#include "schemas/feeds/internal.h"
#include "schemas/schema.h"

#define METADATA "metadata."

/* A column of a table. */
struct column {
    struct weir_text           name;
    const struct market_field *field;    /* NULL = passed over, or a pair of metadata */
    struct weir_text           metadata; /* size > 0: the pair's name */
};

struct reading {
    const char                         *path, *tenant;
    const struct market_reference_kind *kind; /* NULL = the first line has not been read */
    const struct market_schema         *schema;
    struct weir_arena                  *arena, scratch;
    struct weir__lines                 *lines;
    struct weir__buf                    line;
    struct market__cells                cells;
    struct column                      *columns; /* of a table; NULL = JSON lines */
    size_t                              column_count;
    struct market_reference_row        *rows;
    size_t                              count, capacity;
    struct weir__map                    keys; /* to the row's number + 1 */
    struct weir_json_out                json;
    struct weir_error                  *reterr;
};

static int fail(const struct reading *reading, const char *format, ...) WEIR_PRINTF(2, 3);
static int fail(const struct reading *reading, const char *format, ...)
{
    char    where[200], text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(where, sizeof(where), "%.150s:%llu", reading->path,
             (unsigned long long)weir__lines_place(reading->lines).lines);
    return weir__fail(reading->reterr, WEIR_REJECTED, where, "%s; nothing of the file was taken: mend it", text);
}

static int no_memory(const struct reading *reading)
{
    return weir__fail(reading->reterr, WEIR_NO_MEMORY, reading->path, "out of memory");
}

static bool starved(int err) { return err == WEIR_NO_MEMORY || err == WEIR_LIMIT; }

/* ---- kinds ---- */

#define KIND(of, in, named)                                                                      \
    {                                                                                            \
        {                                                                                        \
            .topic = in, .id = #named, .codec = of, .tenant_at = offsetof(struct of, tenant_id), \
            .id_at = offsetof(struct of, named), .version_at = offsetof(struct of, version)      \
        }                                                                                        \
    }

const struct market_reference_kind market_reference_instruments[1] =
    KIND(market_instrument, "reference.instruments.v1", instrument_id);
const struct market_reference_kind market_reference_pairs[1] = KIND(market_pair, "reference.pairs.v1", pair_id);
const struct market_reference_kind market_reference_curves[1] = KIND(market_curve, "reference.curves.v1", curve_id);
const struct market_reference_kind market_reference_rules[1] =
    KIND(market_taxonomy_rules, "reference.taxonomy.v1", rules_id);

static const struct market_reference_kind *const told_by_name[] = { market_reference_pairs, market_reference_curves,
                                                                    market_reference_rules };

/* The first line says what the rows are: one of its names does. */
static void settle_kind(struct reading *reading, struct weir_text name)
{
    for (size_t i = 0; i < ARRAY_SIZE(told_by_name); i++)
        if (market__same(name, market__text(told_by_name[i]->id)))
            reading->kind = told_by_name[i];
    if (reading->kind == NULL)
        reading->kind = market_reference_instruments;
    reading->schema = reading->kind->codec->arg;
}

/* ---- names ---- */

static bool passed_over(struct weir_text name)
{
    return name.size == 0 || market__one_of(name, "schema_version|id|created_at|updated_at") >= 0;
}

static int fail_name(const struct reading *reading, struct weir_text name)
{
    const char *names[64], *near;
    char        wrong[80];
    size_t      count = reading->schema->count;

    for (size_t i = 0; i < count; i++)
        names[i] = reading->schema->fields[i].name;
    snprintf(wrong, sizeof(wrong), "%.*s", (int)MIN(name.size, 79), name.data);
    near = weir__suggest(wrong, names, count);
    if (near != NULL)
        return fail(reading, "\"%s\" is no field of a reference row: did you mean \"%s\"?", wrong, near);
    return fail(reading, "\"%s\" is no field of a reference row: \"schemas\" prints them, under %s", wrong,
                reading->schema->name);
}

/* In any case of letters. */
static const struct market_field *field_of(const struct reading *reading, struct weir_text name)
{
    for (size_t i = 0; i < reading->schema->count; i++)
        if (market__same(name, market__text(reading->schema->fields[i].name)))
            return &reading->schema->fields[i];
    return NULL;
}

/* ---- rows ---- */

static int keep_row(struct reading *reading, void *record, bool versioned)
{
    struct market_key key = market_reference_key(reading->kind, record);
    struct weir_bytes name;
    void             *known;
    int               err = market_key->encode(market_key, reading->arena, &key, &name);

    if (err < 0)
        return starved(err) ? no_memory(reading)
                            : fail(reading, "\"%.*s\" of tenant \"%.*s\" is no instrument id",
                                   (int)MIN(key.instrument.size, 80), key.instrument.data,
                                   (int)MIN(key.tenant.size, 60), key.tenant.data);
    known = weir__map_get(&reading->keys, name);
    if (known != NULL)
        return fail(reading, "%.*s stands in line %llu already", (int)name.size, (const char *)name.data,
                    (unsigned long long)reading->rows[(intptr_t)known - 1].line);
    if (GROW(reading->rows, reading->capacity, reading->count) < 0)
        return no_memory(reading);
    reading->rows[reading->count++] = (struct market_reference_row){
        .record = record, .versioned = versioned, .line = weir__lines_place(reading->lines).lines
    };
    return weir__map_put(&reading->keys, name, (void *)(intptr_t)reading->count) < 0 ? no_memory(reading) : WEIR_OK;
}

/* What reading->json holds now. */
static int take_row(struct reading *reading, bool versioned)
{
    const struct weir_codec *codec = reading->kind->codec;
    void                    *record = weir_arena_alloc(reading->arena, codec->bytes);
    struct weir_error        words = { 0 };
    struct weir_bytes        bytes = BYTES(NULL, reading->json.buf.size);
    int                      err;

    if (weir__buf_ok(&reading->json.buf))
        bytes.data = weir__arena_copy(reading->arena, reading->json.buf.data, bytes.size);
    if (bytes.data == NULL || record == NULL)
        return no_memory(reading);
    err = market_explain(codec, reading->arena, bytes, record, &words);
    if (starved(err))
        return no_memory(reading);
    return err < 0 ? fail(reading, "%s", words.text) : keep_row(reading, record, versioned);
}

static void begin_row(struct reading *reading, bool has_tenant)
{
    weir__json_out_reset(&reading->json);
    weir_json_begin_object(&reading->json);
    if (has_tenant)
        return;
    weir_json_name(&reading->json, "tenant_id");
    weir_json_put_string(&reading->json, reading->tenant);
}

/* ---- JSON lines ---- */

static int read_object(struct reading *reading, struct weir_text line)
{
    const struct weir_json *document, *value;
    struct weir_error       words = { 0 };
    int                     err;

    weir__arena_reset(&reading->scratch);
    err = weir_json_parse(&reading->scratch, line, &document, &words);
    if (err < 0)
        return starved(err) ? no_memory(reading) : fail(reading, "the line is no JSON object: %s", words.text);
    value = weir_json_get(document, "value");
    value = value != NULL ? value : document;
    if (value->type != WEIR_JSON_OBJECT)
        return fail(reading, "the line is no JSON object");
    for (const struct weir_json *member = value->child; reading->count == 0 && member != NULL; member = member->next)
        settle_kind(reading, member->name);
    if (reading->kind == NULL)
        return fail(reading, "the object is empty");
    begin_row(reading, weir_json_get(value, "tenant_id") != NULL);
    for (const struct weir_json *member = value->child; member != NULL; member = member->next) {
        if (passed_over(member->name))
            continue;
        if (field_of(reading, member->name) == NULL)
            return fail_name(reading, member->name);
        weir_json_name(&reading->json, field_of(reading, member->name)->name);
        weir_json_put(&reading->json, member);
    }
    weir_json_end_object(&reading->json);
    return take_row(reading, weir_json_get(value, "version") != NULL);
}

/* ---- tables ---- */

static int read_heading(struct reading *reading, struct weir_text line)
{
    int err = market__cells_split(&reading->cells, line);

    if (err < 0)
        return starved(err) ? no_memory(reading)
                            : fail(reading, "the line is neither a JSON object nor a heading of a table");
    for (size_t i = 0; i < reading->cells.count; i++)
        settle_kind(reading, market__trim(reading->cells.items[i]));
    reading->column_count = reading->cells.count;
    reading->columns = weir_arena_alloc(reading->arena, sizeof(*reading->columns) * reading->column_count);
    if (reading->columns == NULL)
        return no_memory(reading);
    for (size_t i = 0; i < reading->column_count; i++) {
        struct column   *column = &reading->columns[i];
        struct weir_text name = market__trim(reading->cells.items[i]);

        column->name =
            (struct weir_text){ weir__arena_printf(reading->arena, "%.*s", (int)name.size, name.data), name.size };
        if (column->name.data == NULL)
            return no_memory(reading);
        if (market__begins(column->name, METADATA))
            column->metadata =
                (struct weir_text){ column->name.data + strlen(METADATA), name.size - strlen(METADATA) };
        else if (!passed_over(name))
            column->field = field_of(reading, column->name);
        if (column->field == NULL && column->metadata.size == 0 && !passed_over(name))
            return fail_name(reading, name);
        for (size_t j = 0; j < i; j++)
            if (name.size > 0 && market__same(reading->columns[j].name, name))
                return fail(reading, "two columns are named \"%.*s\"", (int)MIN(name.size, 80), name.data);
    }
    return WEIR_OK;
}

static void put_list(struct weir_json_out *json, struct weir_text cell)
{
    const char *at = cell.data, *end = cell.data + cell.size;

    weir_json_begin_array(json);
    while (at < end) {
        const char      *bar = memchr(at, '|', (size_t)(end - at));
        struct weir_text item = market__trim((struct weir_text){ at, (size_t)((bar != NULL ? bar : end) - at) });

        if (item.size > 0)
            weir_json_put_text(json, item);
        at = bar != NULL ? bar + 1 : end;
    }
    weir_json_end_array(json);
}

static int fail_cell(const struct reading *reading, const struct column *column, struct weir_text cell,
                     const char *wanted)
{
    return fail(reading, "%.*s: \"%.*s\" is no %s", (int)column->name.size, column->name.data,
                (int)MIN(cell.size, 80), cell.data, wanted);
}

static int put_number(struct reading *reading, const struct column *column, struct weir_text cell)
{
    char    text[MARKET_DECIMAL_ROOM];
    int64_t number;

    if (column->field->type == MARKET_TYPE_DECIMAL) {
        if (market_decimal_read(cell, &number) < 0)
            return fail_cell(reading, column, cell, "decimal number");
        weir_json_put_number(&reading->json, (struct weir_text){ text, market_decimal_write(number, text) });
        return WEIR_OK;
    }
    if (!market__whole(cell, &number))
        return fail_cell(reading, column, cell, "whole number from 0 on");
    weir_json_put_int64(&reading->json, number);
    return WEIR_OK;
}

static int put_json(struct reading *reading, const struct column *column, struct weir_text cell, int type,
                    const char *wanted)
{
    const struct weir_json *object;
    int                     err;

    weir__arena_reset(&reading->scratch);
    err = weir_json_parse(&reading->scratch, cell, &object, NULL);
    if (starved(err))
        return no_memory(reading);
    if (err < 0 || (int)object->type != type)
        return fail_cell(reading, column, cell, wanted);
    weir_json_put(&reading->json, object);
    return WEIR_OK;
}

static int put_cell(struct reading *reading, const struct column *column, struct weir_text cell)
{
    weir_json_name(&reading->json, column->field->name);
    switch (column->field->type) {
    case MARKET_TYPE_DECIMAL:
    case MARKET_TYPE_INT: return put_number(reading, column, cell);
    case MARKET_TYPE_BOOL:
        if (market__one_of(cell, "true|t|yes|y|1") < 0 && market__one_of(cell, "false|f|no|n|0") < 0)
            return fail_cell(reading, column, cell, "truth value: write true or false");
        weir_json_put_bool(&reading->json, market__one_of(cell, "true|t|yes|y|1") >= 0);
        return WEIR_OK;
    case MARKET_TYPE_LIST: put_list(&reading->json, cell); return WEIR_OK;
    case MARKET_TYPE_MAP: return put_json(reading, column, cell, WEIR_JSON_OBJECT, "JSON object");
    case MARKET_TYPE_RECORDS: return put_json(reading, column, cell, WEIR_JSON_ARRAY, "JSON list");
    default: weir_json_put_text(&reading->json, cell); return WEIR_OK;
    }
}

static struct weir_text cell_of(const struct reading *reading, size_t i)
{
    return market__trim(reading->cells.items[i]);
}

/* The columns metadata.NAME of a row. */
static void put_pairs(struct reading *reading)
{
    bool any = false;

    for (size_t i = 0; i < reading->column_count; i++) {
        struct weir_text pair = reading->columns[i].metadata;

        if (pair.size == 0 || cell_of(reading, i).size == 0)
            continue;
        if (!any) {
            weir_json_name(&reading->json, "metadata");
            weir_json_begin_object(&reading->json);
        }
        any = true;
        weir_json_name(&reading->json, pair.data);
        weir_json_put_text(&reading->json, cell_of(reading, i));
    }
    if (any)
        weir_json_end_object(&reading->json);
}

/* Whether the row says something in a column. */
static bool says(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->column_count; i++)
        if (market__same(reading->columns[i].name, market__text(name)))
            return cell_of(reading, i).size > 0;
    return false;
}

static int read_cells(struct reading *reading, struct weir_text line)
{
    int err = market__cells_split(&reading->cells, line);

    if (starved(err))
        return no_memory(reading);
    if (err < 0 || reading->cells.count != reading->column_count)
        return fail(reading, "the row has %zu cells, the heading %zu", err < 0 ? 0 : reading->cells.count,
                    reading->column_count);
    begin_row(reading, says(reading, "tenant_id"));
    for (size_t i = 0; err == WEIR_OK && i < reading->column_count; i++)
        if (reading->columns[i].field != NULL && cell_of(reading, i).size > 0)
            err = put_cell(reading, &reading->columns[i], cell_of(reading, i));
    if (err < 0)
        return err;
    put_pairs(reading);
    weir_json_end_object(&reading->json);
    return take_row(reading, says(reading, "version"));
}

/* ---- the file ---- */

static int read_line(struct reading *reading, bool *first)
{
    struct weir_text line = market__trim((struct weir_text){ reading->line.data, reading->line.size });

    if (line.size == 0)
        return WEIR_OK;
    if (*first && line.data[0] != '{') {
        *first = false;
        return read_heading(reading, line);
    }
    *first = false;
    return reading->columns != NULL ? read_cells(reading, line) : read_object(reading, line);
}

static int read_lines(struct reading *reading)
{
    bool first = true;
    int  err;

    while ((err = weir__lines_next(reading->lines, &reading->line, reading->reterr)) == WEIR_OK) {
        err = read_line(reading, &first);
        if (err < 0)
            return err;
    }
    if (err == WEIR_NOTFOUND && first)
        return fail(reading, "the file is empty; to take all rows away give a heading alone");
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_reference_read(const char *path, const char *tenant, struct weir_arena *arena,
                          struct market_reference_rows *ret, struct weir_error *reterr)
{
    struct reading reading = { .path = path, .tenant = tenant, .arena = arena, .reterr = reterr };
    int            err = weir__lines_open(path, &reading.lines, reterr);

    if (err == WEIR_OK)
        err = read_lines(&reading);
    if (err == WEIR_OK) {
        ret->kind = reading.kind;
        ret->count = reading.count;
        ret->rows = weir__arena_copy(arena, reading.rows, sizeof(*reading.rows) * reading.count);
        if (ret->rows == NULL)
            err = no_memory(&reading);
    }
    weir__lines_close(reading.lines);
    market__cells_fini(&reading.cells);
    weir__json_out_fini(&reading.json);
    weir__buf_fini(&reading.line);
    weir__map_fini(&reading.keys);
    weir__arena_fini(&reading.scratch);
    weir__free(reading.rows);
    return err;
}
