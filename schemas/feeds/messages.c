/* messages.c: files of one trade or quote a line, and what looks like them but is bars.
 *
 * (1) The line is sent as it is, in raw_payload; what says how to read it goes beside it, in metadata.
 * (2) Bars that somebody made of trades are no ticks: the file is refused.
 */
#include "schemas/feeds/files.h"

/* ---- tables without a heading: six numbers are a bar, a letter in the fourth cell is an exchange ---- */

struct shape {
    size_t count;
    bool   number[8]; /* whether the cell is one */
};

static struct shape shape_of(struct weir_text line)
{
    struct market__cells cells = { 0 };
    struct shape         shape = { 0 };
    int64_t              units;

    if (market__cells_split(&cells, line) == WEIR_OK && cells.count <= ARRAY_SIZE(shape.number)) {
        shape.count = cells.count;
        for (size_t i = 0; i < cells.count; i++)
            shape.number[i] = market_decimal_read(cells.items[i], &units) == WEIR_OK;
    }
    market__cells_fini(&cells);
    return shape;
}

bool market__knows_bars(const struct market__file *file)
{
    struct shape shape = shape_of(file->head[0]);

    for (size_t i = 0; i < shape.count; i++)
        if (!shape.number[i])
            return false;
    return shape.count == 6;
}

int market__begin_bars(struct market__file *file, struct weir_error *reterr)
{
    return market__file_refuse(file, MARKET_PUBLISHED_BARS, reterr, "load its trades instead");
}

bool market__knows_lean(const struct market__file *file)
{
    struct shape shape = shape_of(file->head[0]);

    return shape.count == 6 && shape.number[0] && shape.number[1] && shape.number[2] && !shape.number[3];
}

int market__begin_lean(struct market__file *file, struct weir_error *reterr)
{
    static const enum market__what needed[] = { SAID_MARKET, SAID_INSTRUMENT, SAID_DAY, SAID_ZONE, SAID_SCALE };

    market__file_named(file);
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        market__file_needs(file, needed[i]);
    file->rules = market_rules_find(file->said.of[SAID_MARKET]);
    file->feed = market__feed(file->rules, TEXT("lean_trades"));
    return file->rules->power
               ? market__file_refuse(file, MARKET_UNKNOWN_MARKET, reterr, "%s has no trades", file->rules->name)
               : WEIR_OK;
}

static void put_line(struct market__file *file, struct market__row *ret)
{
    ret->raw = market__trim((struct weir_text){ .data = file->line.data, .size = file->line.size });
    ret->number = file->rows;
}

int market__next_of_lean(struct market__file *file, struct market__row *ret, struct weir_error *reterr)
{
    int err = market__file_line(file, reterr);

    if (err < 0)
        return err;
    put_line(file, ret);
    ret->encoding = "csv-line";
    ret->symbol = file->said.of[SAID_INSTRUMENT];
    err = market__cells_split(&file->cells, ret->raw);
    if (err == WEIR_OK)
        err = market__fields_of_cells(file->cells.items, file->cells.count, file->feed->columns, &file->row_arena,
                                      &ret->fields);
    /* A broken line is sent like the rest, and refused by whoever reads it. */
    return err == WEIR_NO_MEMORY || err == WEIR_LIMIT ? market__file_no_memory(file, reterr) : WEIR_OK;
}

/* ---- a table of ticks: columns as the connectors' ---- */

/* The market is a column of the table, or the same for all rows. */
int market__begin_ticks(struct market__file *file, struct weir_error *reterr)
{
    bool column = false;

    (void)reterr;
    for (size_t i = 0; i < file->column_count; i++)
        column |= market__same(file->columns[i], TEXT("market"));
    market__file_named(file);
    if (!column)
        market__file_needs(file, SAID_MARKET);
    file->feed = market__tick;
    file->rules = market_rules_find((struct weir_text){ 0 });
    return WEIR_OK;
}

/* The cell of a column; size 0 = there is none. */
static struct weir_text cell_of(const struct market__file *file, const char *names)
{
    for (size_t i = 0; i < MIN(file->column_count, file->cells.count); i++)
        if (market__one_of(file->columns[i], names) >= 0)
            return market__trim(file->cells.items[i]);
    return (struct weir_text){ 0 };
}

/* The row as a JSON object, which is what raw_payload holds; a broken one as the line it is. */
static int write_row(struct market__file *file, struct market__row *ret)
{
    struct weir_json_out out = { 0 };

    weir_json_begin_object(&out);
    for (size_t i = 0; i < file->column_count; i++) {
        struct market__field field = { .name = file->columns[i], .text = file->cells.items[i], .type = MARKET_TEXT };

        if (field.name.size)
            market__field_put(&field, &out);
    }
    weir_json_end_object(&out);
    ret->raw.data = weir__buf_ok(&out.buf) ? weir__arena_copy(&file->row_arena, out.buf.data, out.buf.size) : NULL;
    ret->raw.size = out.buf.size;
    weir__json_out_fini(&out);
    return ret->raw.data ? WEIR_OK : WEIR_NO_MEMORY;
}

int market__next_of_ticks(struct market__file *file, struct market__row *ret, struct weir_error *reterr)
{
    const struct weir_json *document;
    int                     err = market__file_line(file, reterr);

    if (err < 0)
        return err;
    put_line(file, ret);
    ret->encoding = "json";
    err = market__cells_split(&file->cells, ret->raw);
    if (err == WEIR_NO_MEMORY)
        return market__file_no_memory(file, reterr);
    if (err < 0 || !market__file_fits(file))
        return WEIR_OK;
    ret->symbol = cell_of(file, "symbol|ticker");
    ret->system = cell_of(file, "source_id|source_system|source");
    ret->market = cell_of(file, "market|hub");
    err = write_row(file, ret);
    if (err == WEIR_OK)
        err = weir_json_parse(&file->row_arena, ret->raw, &document, NULL);
    if (err == WEIR_OK)
        err = market__fields_of(document, &file->row_arena, &ret->fields);
    return err < 0 && err != WEIR_UNREADABLE ? market__file_no_memory(file, reterr) : WEIR_OK;
}

/* ---- Binance: receive time in ns, a blank, the message ---- */

/* The message of a line, and when it was received: us, cut. */
static struct weir_text cut_receipt(struct weir_text line, int64_t *ret_received)
{
    const char      *blank = line.size && *line.data != '{' ? memchr(line.data, ' ', line.size) : NULL;
    struct weir_text receipt = { .data = line.data, .size = blank ? (size_t)(blank - line.data) : 0 };
    int64_t          ns;

    *ret_received = 0;
    if (!blank || !market__whole(receipt, &ns))
        return line;
    *ret_received = ns / 1000;
    return (struct weir_text){ .data = blank + 1, .size = (size_t)(line.data + line.size - blank - 1) };
}

/* Where the message is a trade or quote that the table knows: its feed and fields. WEIR_LIMIT. */
static int read_message(struct market__file *file, struct market__row *row)
{
    const struct weir_json *document;
    const char             *type;

    row->feed = NULL;
    if (weir_json_parse(&file->row_arena, row->raw, &document, NULL) < 0)
        return WEIR_OK;
    document = market__unwrap(document);
    type = market__binance_type(document);
    row->feed = type ? market__feed(file->rules, market__text(type)) : NULL;
    if (!row->feed)
        return WEIR_OK;
    (void)weir_json_text(weir_json_get(document, "s"), &row->symbol);
    return market__fields_of(document, &file->row_arena, &row->fields);
}

static bool is_binance(struct weir_text line)
{
    struct weir_arena       arena;
    const struct weir_json *document;
    int64_t                 received;
    struct weir_text        message = cut_receipt(line, &received);
    bool                    is;

    weir__arena_init(&arena, 0);
    is = weir_json_parse(&arena, message, &document, NULL) == WEIR_OK &&
         (market__binance_type(market__unwrap(document)) || market__unwrap(document) != document);
    weir__arena_fini(&arena);
    return is;
}

/* The answer to a subscription, and messages of other kinds, may come first. */
bool market__knows_binance(const struct market__file *file)
{
    for (size_t i = 0; i < file->head_count; i++)
        if (is_binance(market__trim(file->head[i])))
            return true;
    return false;
}

int market__begin_binance(struct market__file *file, struct weir_error *reterr)
{
    (void)reterr;
    market__file_says(file, SAID_MARKET, market__text(file->form->market));
    file->rules = market_rules_find(market__text(file->form->market));
    return WEIR_OK;
}

int market__next_of_binance(struct market__file *file, struct market__row *ret, struct weir_error *reterr)
{
    int err = market__file_line(file, reterr);

    if (err < 0)
        return err;
    put_line(file, ret);
    ret->encoding = "json";
    ret->raw = cut_receipt(ret->raw, &ret->received);
    return read_message(file, ret) < 0 ? market__file_no_memory(file, reterr) : WEIR_OK;
}
