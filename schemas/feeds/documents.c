/* documents.c: JSON documents of operators' and exchanges' interfaces: one event for each price in them.
 *
 * (1) A document is read as a whole, so it may be 64 MiB at most: theirs are pages of thousands of rows.
 * (2) What the document says once for all its rows (interval, report, day) goes into each event under its own name.
 */
#include "schemas/feeds/files.h"

#define LARGEST ((size_t)64 << 20)

/* ---- reading ---- */

bool market__knows_document(const struct market__file *file)
{
    struct weir_text first = market__trim(file->head[0]);

    return first.size && (*first.data == '{' || *first.data == '[');
}

static int read_text(struct market__file *file, struct weir__buf *text, struct weir_error *reterr)
{
    int err = weir__lines_seek(file->lines, &(struct weir__place){ 0 }, reterr);

    while (err == WEIR_OK) {
        err = weir__lines_next(file->lines, &file->line, reterr);
        if (err < 0)
            break;
        weir__buf_add(text, file->line.data, file->line.size);
        weir__buf_putc(text, '\n');
        if (text->size > LARGEST)
            return market__file_refuse(file, WEIR_TOO_LARGE, reterr,
                                       "a document of more than 64 MiB: load it in parts");
    }
    if (err == WEIR_NOTFOUND)
        err = weir__buf_ok(text) ? WEIR_OK : market__file_no_memory(file, reterr);
    return err;
}

static int parse(struct market__file *file, struct weir_error *reterr)
{
    struct weir__buf  buf = { 0 };
    struct weir_text  text;
    struct weir_error bad = { 0 };
    int               err = read_text(file, &buf, reterr);

    if (err == WEIR_OK) {
        text = (struct weir_text){ .data = weir__arena_copy(&file->arena, buf.data, buf.size), .size = buf.size };
        err = text.data ? weir_json_parse(&file->arena, text, &file->document, &bad) : WEIR_NO_MEMORY;
        if (err == WEIR_UNREADABLE)
            err = market__file_refuse(file, MARKET_MALFORMED, reterr, "%s", bad.text);
        else if (err < 0)
            err = market__file_no_memory(file, reterr);
    }
    weir__buf_fini(&buf);
    return err;
}

/* ---- rows of a document ---- */

/* A row to come: its feed, its element, and what it belongs to. */
static int note(struct market__file *file, const struct market_feed *feed, const struct weir_json *element,
                const struct weir_json *parent, struct weir_error *reterr)
{
    if (GROW(file->elements, file->element_capacity, file->element_count) < 0)
        return market__file_no_memory(file, reterr);
    file->elements[file->element_count++] =
        (struct market__element){ .feed = feed, .json = element, .parent = parent };
    return WEIR_OK;
}

/* One row alone may stand without the array around it. */
static int note_all(struct market__file *file, const struct market_feed *feed, const struct weir_json *array,
                    const struct weir_json *parent, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (array->type == WEIR_JSON_OBJECT)
        return note(file, feed, array, parent, reterr);
    for (const struct weir_json *element = array->child; element && err == WEIR_OK; element = element->next)
        err = note(file, feed, element, parent, reterr);
    return err;
}

static const struct weir_json *get(const struct weir_json *json, const char *first, const char *second)
{
    return weir_json_get(weir_json_get(json, first), second);
}

static bool is(const struct weir_json *json, enum weir_json_type type) { return json && json->type == type; }

/* ---- rows by position, with names in a row of their own ---- */

/* A row that has not the document's columns goes as its text, which is refused. */
static int fill_broken(struct market__file *file, const struct weir_json *cells, struct market__row *ret)
{
    struct weir_json_out out = { 0 };
    struct weir_json     line = { .type = WEIR_JSON_STRING, .name = TEXT(MARKET_ROW_BROKEN) };
    bool                 ok;

    weir_json_put(&out, cells);
    ok = weir__buf_ok(&out.buf);
    line.text.data = ok ? weir__arena_copy(&file->row_arena, out.buf.data, out.buf.size) : NULL;
    line.text.size = out.buf.size;
    weir__json_out_fini(&out);
    ret->fields.count = 0;
    return line.text.data ? market__fields_add(&ret->fields, &line, &file->row_arena) : WEIR_NO_MEMORY;
}

/* A column's name is the text that it is, or its member of that name. */
static int fill_positions(struct market__file *file, const struct market__element *element, struct market__row *ret)
{
    const struct weir_json *cell = element->json->child, *column = element->parent->child;
    int                     err = WEIR_OK;

    for (; cell && column && err == WEIR_OK; cell = cell->next, column = column->next) {
        struct weir_json        named = *cell;
        const struct weir_json *name = column->type == WEIR_JSON_OBJECT ? weir_json_get(column, "name") : column;

        if (name && weir_json_text(name, &named.name) == WEIR_OK)
            err = market__fields_add(&ret->fields, &named, &file->row_arena);
    }
    return err == WEIR_OK && (cell || column) ? fill_broken(file, element->json, ret) : err;
}

/* ---- MISO: sections of nodes ---- */

/* The section's nodes; NULL = it has none. */
static const struct weir_json *nodes_of(const struct weir_json *section)
{
    static const char *const names[] = { "PricingNode", "Hub" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct weir_json *nodes = weir_json_get(section, names[i]);

        if (is(nodes, WEIR_JSON_ARRAY) || is(nodes, WEIR_JSON_OBJECT))
            return nodes;
    }
    return NULL;
}

/* Rows under a name that is not known are not passed over. */
static int refuse_other_nodes(const struct market__file *file, const struct weir_json *section,
                              struct weir_error *reterr)
{
    for (const struct weir_json *member = is(section, WEIR_JSON_OBJECT) ? section->child : NULL; member;
         member = member->next)
        if (member->type == WEIR_JSON_ARRAY)
            return market__file_refuse(file, MARKET_UNKNOWN_FEED, reterr, "\"%.*s\" of section \"%.*s\"",
                                       (int)member->name.size, member->name.data, (int)section->name.size,
                                       section->name.data);
    return WEIR_OK;
}

static int begin_miso(struct market__file *file, struct weir_error *reterr)
{
    const struct weir_json *sections = weir_json_get(file->document, "LMPData");
    int                     err = WEIR_OK;

    market__file_says(file, SAID_MARKET, TEXT("MISO"));
    file->rules = market_rules_find(TEXT("MISO"));
    for (const struct weir_json *section = sections->child; section && err == WEIR_OK; section = section->next) {
        const struct weir_json   *nodes = nodes_of(section);
        const struct market_feed *feed = market__feed(file->rules, section->name);

        if (!nodes)
            err = refuse_other_nodes(file, section, reterr);
        else if (!feed)
            err = market__file_refuse(file, MARKET_UNKNOWN_FEED, reterr, "section \"%.*s\"", (int)section->name.size,
                                      section->name.data);
        else
            err = note_all(file, feed, nodes, section, reterr);
    }
    return err;
}

static int fill_miso(struct market__file *file, const struct market__element *element, struct market__row *ret)
{
    int err = market__fields_of(element->json, &file->row_arena, &ret->fields);

    if (err == WEIR_OK)
        err = market__fields_add(&ret->fields, get(file->document, "LMPData", "RefId"), &file->row_arena);
    if (err == WEIR_OK)
        err = market__fields_add(&ret->fields, weir_json_get(element->parent, "HourAndMin"), &file->row_arena);
    return err;
}

/* The five-minute report. */
static int begin_miso_rows(struct market__file *file, struct weir_error *reterr)
{
    market__file_says(file, SAID_MARKET, TEXT("MISO"));
    market__file_says(file, SAID_PRODUCT, TEXT("RealTimeFiveMinExPost"));
    if (market__file_settle(file, reterr) < 0)
        return reterr ? reterr->code : MARKET_UNKNOWN_FEED;
    return note_all(file, file->feed, weir_json_get(file->document, "data"), weir_json_get(file->document, "headers"),
                    reterr);
}

/* ---- ERCOT ---- */

static int begin_ercot(struct market__file *file, struct weir_error *reterr)
{
    const struct weir_json *data = weir_json_get(file->document, "data");
    struct weir_text        id = { 0 };

    market__file_says(file, SAID_MARKET, TEXT("ERCOT"));
    (void)weir_json_text(get(file->document, "report", "reportEMIL"), &id);
    if (market__feed(market_rules_find(TEXT("ERCOT")), id))
        market__file_says(file, SAID_PRODUCT, id);
    else if (id.size)
        return market__file_refuse(file, MARKET_UNKNOWN_FEED, reterr, "report %.*s", (int)id.size, id.data);
    if (market__file_settle(file, reterr) < 0)
        return reterr ? reterr->code : MARKET_UNKNOWN_FEED;
    return note_all(file, file->feed, data, weir_json_get(file->document, "fields"), reterr);
}

/* ---- ISO-NE and AESO: rows as objects ---- */

static int fill_object(struct market__file *file, const struct market__element *element, struct market__row *ret)
{
    return market__fields_of(element->json, &file->row_arena, &ret->fields);
}

static int begin_isone(struct market__file *file, struct weir_error *reterr)
{
    const struct weir_json *rows = get(file->document, "HourlyLmps", "HourlyLmp");
    int                     err;

    market__file_says(file, SAID_MARKET, TEXT("ISONE"));
    if (!rows) {
        rows = get(file->document, "FiveMinLmps", "FiveMinLmp");
        market__file_says(file, SAID_PRODUCT, TEXT("fiveminutelmp"));
    }
    err = market__file_settle(file, reterr);
    return err == WEIR_OK ? note_all(file, file->feed, rows, NULL, reterr) : err;
}

static int begin_aeso(struct market__file *file, struct weir_error *reterr)
{
    const struct weir_json *rows = get(file->document, "return", "Pool Price Report");
    const struct weir_json *made = weir_json_get(file->document, "timestamp");
    struct market_stamp     stamp;
    int                     err;

    market__file_says(file, SAID_MARKET, TEXT("AESO"));
    market__file_says(file, SAID_PRODUCT, rows ? TEXT("pool_price") : TEXT("system_marginal_price"));
    if (!rows)
        rows = get(file->document, "return", "System Marginal Price Report");
    if (is(made, WEIR_JSON_STRING) && market_stamp_read(made->text, &stamp) == WEIR_OK)
        file->made = stamp.us;
    err = market__file_settle(file, reterr);
    return err == WEIR_OK ? note_all(file, file->feed, rows, NULL, reterr) : err;
}

/* ---- Kraken: arrays of trades by pair ---- */

static bool is_bar(const struct weir_json *row)
{
    size_t count = 0;

    for (const struct weir_json *cell = row->child; cell; cell = cell->next)
        count++;
    return is(row, WEIR_JSON_ARRAY) && count == 8 && row->child->type == WEIR_JSON_NUMBER;
}

static int begin_kraken(struct market__file *file, struct weir_error *reterr)
{
    const struct weir_json *pairs = weir_json_get(file->document, "result");
    int                     err = WEIR_OK;

    market__file_says(file, SAID_MARKET, TEXT("KRAKEN"));
    file->rules = market_rules_find(TEXT("KRAKEN"));
    file->feed = market__feed(file->rules, TEXT("kraken_trades"));
    for (const struct weir_json *pair = pairs->child; pair && err == WEIR_OK; pair = pair->next) {
        if (!is(pair, WEIR_JSON_ARRAY))
            continue;
        if (pair->child && is_bar(pair->child))
            return market__file_refuse(file, MARKET_PUBLISHED_BARS, reterr, "load its trades instead");
        err = note_all(file, file->feed, pair, pair, reterr);
    }
    return err;
}

/* The array's text again, without blanks: texts and numbers as they were. */
static int fill_kraken(struct market__file *file, const struct market__element *element, struct market__row *ret)
{
    struct weir_json_out out = { 0 };
    int                  err;

    weir_json_put(&out, element->json);
    ret->raw.data = weir__buf_ok(&out.buf) ? weir__arena_copy(&file->row_arena, out.buf.data, out.buf.size) : NULL;
    ret->raw.size = out.buf.size;
    weir__json_out_fini(&out);
    ret->encoding = "json";
    ret->symbol = element->parent->name;
    err = market__fields_of_array(element->json, ret->feed->columns, &file->row_arena, &ret->fields);
    return ret->raw.data && (err == WEIR_OK || err == MARKET_MALFORMED) ? WEIR_OK : WEIR_NO_MEMORY;
}

/* ---- which document ---- */

/* A kind of document: the members by which it is known. */
static const struct market__document_form {
    const char *outer, *inner;
    bool        text; /* whether the inner one is a text; else it is rows, or one */
    int (*begin)(struct market__file *file, struct weir_error *reterr);
    int (*fill)(struct market__file *file, const struct market__element *element, struct market__row *ret);
} forms[] = {
    { "LMPData", "RefId", true, begin_miso, fill_miso },
    { "HourlyLmps", "HourlyLmp", false, begin_isone, fill_object },
    { "FiveMinLmps", "FiveMinLmp", false, begin_isone, fill_object },
    { "return", "Pool Price Report", false, begin_aeso, fill_object },
    { "return", "System Marginal Price Report", false, begin_aeso, fill_object },
};

static bool fits(const struct market__document_form *form, const struct weir_json *document)
{
    const struct weir_json *inner = get(document, form->outer, form->inner);

    return form->text ? is(inner, WEIR_JSON_STRING) : is(inner, WEIR_JSON_ARRAY) || is(inner, WEIR_JSON_OBJECT);
}

static bool is_ercot(const struct weir_json *document)
{
    return is(weir_json_get(document, "fields"), WEIR_JSON_ARRAY) &&
           is(weir_json_get(document, "data"), WEIR_JSON_ARRAY);
}

static bool is_miso_rows(const struct weir_json *document)
{
    const struct weir_json *headers = weir_json_get(document, "headers");

    for (const struct weir_json *name = is(headers, WEIR_JSON_ARRAY) ? headers->child : NULL; name; name = name->next)
        if (is(name, WEIR_JSON_STRING) && market__same(name->text, TEXT("CPNODE")))
            return is(weir_json_get(document, "data"), WEIR_JSON_ARRAY);
    return false;
}

static bool is_kraken(const struct weir_json *document)
{
    return is(weir_json_get(document, "error"), WEIR_JSON_ARRAY) &&
           is(weir_json_get(document, "result"), WEIR_JSON_OBJECT);
}

static const struct market__document_form ercot[1] = { { .begin = begin_ercot, .fill = fill_positions } };
static const struct market__document_form miso_rows[1] = { { .begin = begin_miso_rows, .fill = fill_positions } };
static const struct market__document_form kraken[1] = { { .begin = begin_kraken, .fill = fill_kraken } };

static const struct market__document_form *tell(const struct weir_json *document)
{
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (fits(&forms[i], document))
            return &forms[i];
    if (is_ercot(document))
        return ercot;
    if (is_miso_rows(document))
        return miso_rows;
    return is_kraken(document) ? kraken : NULL;
}

int market__begin_document(struct market__file *file, struct weir_error *reterr)
{
    int err = parse(file, reterr);

    if (err < 0)
        return err;
    file->document_end = weir__lines_place(file->lines);
    file->document_form = tell(file->document);
    if (!file->document_form)
        return market__file_refuse(file, MARKET_UNKNOWN_SHAPE, reterr, "no document of a market that is known");
    return file->document_form->begin(file, reterr);
}

int market__next_of_document(struct market__file *file, struct market__row *ret, struct weir_error *reterr)
{
    const struct market__element *element;

    if (file->rows == file->element_count)
        return WEIR_NOTFOUND;
    element = &file->elements[file->rows];
    ret->feed = element->feed;
    ret->number = ++file->rows;
    return file->document_form->fill(file, element, ret) < 0 ? market__file_no_memory(file, reterr) : WEIR_OK;
}
