/* file.c: a market file: opened, its kind told, its rows one after the other.
 *
 * (1) The kind is told by the first lines: tables by a heading line that holds the kind's columns, the rest by what
 *     stands in the first line. Of several kinds that would fit, the first of the table of forms counts.
 * (2) A line that cannot be read is a row too. Lines without anything on them are no rows.
 */
#include "schemas/feeds/files.h"

#include <sys/stat.h>

/* clang-format off */
const struct market__form market__forms[] = {
    { .name = "published bars", .knows = market__knows_bars, .begin = market__begin_bars },
    { .name = "trades of a day", .knows = market__knows_lean, .begin = market__begin_lean,
      .next = market__next_of_lean },
    { .name = "Binance messages", .knows = market__knows_binance, .begin = market__begin_binance,
      .next = market__next_of_binance, .market = "BINANCE" },
    { .name = "JSON document", .knows = market__knows_document, .begin = market__begin_document,
      .next = market__next_of_document },
    { .name = "EIA table", .columns = "UTC Timestamp (Interval Ending)|Local Date|Hour Number",
      .begin = market__begin_eia, .next = market__next_of_table, .parts = market__parts_eia, .fill = market__fill_eia },
    { .name = "MISO report", .columns = "Node|Type|Value|HE 1|HE 24", .begin = market__begin_matrix,
      .next = market__next_of_table, .parts = market__parts_matrix, .fill = market__fill_matrix, .market = "MISO" },
    { .name = "PJM Data Miner", .columns = "datetime_beginning_utc|pnode_name|total_lmp_rt",
      .begin = market__begin_miner, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "PJM" },
    { .name = "PJM Data Miner", .columns = "datetime_beginning_utc|pnode_name|total_lmp_da",
      .begin = market__begin_table, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "PJM", .data_type = "da_hrl_lmps" },
    { .name = "PJM Data Miner", .columns = "datetime_beginning_ept|pnode_name|total_lmp_rt",
      .begin = market__begin_miner, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "PJM" },
    { .name = "PJM Data Miner", .columns = "datetime_beginning_ept|pnode_name|total_lmp_da",
      .begin = market__begin_table, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "PJM", .data_type = "da_hrl_lmps" },
    { .name = "ERCOT report", .columns = "DeliveryDate|DeliveryHour|DeliveryInterval|SettlementPointPrice",
      .begin = market__begin_table, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "ERCOT", .data_type = "NP6-905-CD" },
    { .name = "ERCOT report", .columns = "DeliveryDate|HourEnding|SettlementPointPrice",
      .begin = market__begin_table, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "ERCOT", .data_type = "NP4-190-CD" },
    { .name = "ERCOT report", .columns = "Delivery Date|Delivery Hour|Delivery Interval|Settlement Point Price",
      .begin = market__begin_table, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "ERCOT", .data_type = "NP6-905-CD" },
    { .name = "ERCOT report", .columns = "Delivery Date|Hour Ending|Settlement Point Price",
      .begin = market__begin_table, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "ERCOT", .data_type = "NP4-190-CD" },
    { .name = "CAISO OASIS", .columns = "INTERVALSTARTTIME_GMT|NODE|MARKET_RUN_ID|LMP_TYPE",
      .begin = market__begin_table, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "CAISO", .data_type = "PRC_LMP" },
    { .name = "NYISO report", .columns = "Time Stamp|Name|LBMP ($/MWHr)", .begin = market__begin_nyiso,
      .next = market__next_of_table, .parts = market__parts_one, .fill = market__fill_table, .market = "NYISO" },
    { .name = "NYISO OASIS", .columns = "Eastern Date Hour|DAM Zonal LBMP", .begin = market__begin_table,
      .next = market__next_of_table, .parts = market__parts_one, .fill = market__fill_table, .market = "NYISO",
      .data_type = "oasis_dam" },
    { .name = "NYISO OASIS", .columns = "RTD End Time Stamp|RTD Zonal LBMP", .begin = market__begin_table,
      .next = market__next_of_table, .parts = market__parts_one, .fill = market__fill_table, .market = "NYISO",
      .data_type = "oasis_rtd" },
    { .name = "NYISO OASIS", .columns = "RTC End Time Stamp|RTC Zonal LBMP", .begin = market__begin_table,
      .next = market__next_of_table, .parts = market__parts_one, .fill = market__fill_table, .market = "NYISO",
      .data_type = "oasis_rtc" },
    { .name = "ISO-NE report", .columns = "Date|Hour Ending|Location Name|Locational Marginal Price",
      .begin = market__begin_isone, .next = market__next_of_table, .parts = market__parts_one,
      .fill = market__fill_table, .market = "ISONE" },
    { .name = "AESO report", .columns = "Date (HE)|Time|Price ($)", .begin = market__begin_table,
      .next = market__next_of_table, .parts = market__parts_one, .fill = market__fill_table, .market = "AESO",
      .data_type = "historical_smp" },
    { .name = "AESO report", .columns = "Date (HE)|Price ($)", .begin = market__begin_table,
      .next = market__next_of_table, .parts = market__parts_one, .fill = market__fill_table, .market = "AESO",
      .data_type = "historical_pool_price" },
    { .name = "table of ticks", .columns = "symbol|timestamp|price", .begin = market__begin_ticks,
      .next = market__next_of_ticks },
    { .name = "AESO extract", .columns = "Date/Time|Price", .begin = market__begin_aeso, .next = market__next_of_table,
      .parts = market__parts_one, .fill = market__fill_table, .market = "AESO" },
    { .name = "AESO extract", .knows = market__knows_smp, .begin = market__begin_smp, .next = market__next_of_table,
      .parts = market__parts_one, .fill = market__fill_table },
};
const size_t market__form_count = ARRAY_SIZE(market__forms);
/* clang-format on */

/* ---- words ---- */

int market__file_no_memory(const struct market__file *file, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, file->path, "out of memory");
}

int market__file_refuse(const struct market__file *file, int code, struct weir_error *reterr, const char *format, ...)
{
    char    text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return weir__fail(reterr, code, file->path, "%s: %s", market_reason_text(code), text);
}

/* ---- settings ---- */

void market__file_says(struct market__file *file, enum market__what what, struct weir_text value)
{
    if (!file->said.of[what].size)
        file->said.of[what] = value;
}

void market__file_needs(struct market__file *file, enum market__what what)
{
    const char *name = market__said_name(what);

    if (!file->said.of[what].size)
        weir__buf_printf(&file->missing, "%s%s (--%s)", file->missing.size ? ", " : "", name, name);
}

static int settle_feed(struct market__file *file, struct weir_error *reterr)
{
    struct weir_text                      product = file->said.of[SAID_PRODUCT];
    AUTO(weir__buf_fini) struct weir__buf known = { 0 };

    file->feed = market__feed(file->rules, product);
    if (file->feed)
        return WEIR_OK;
    for (size_t i = 0; i < market__feed_count(); i++)
        if (market__feed_at(i)->rules == file->rules)
            weir__buf_printf(&known, "%s%s", known.size ? "|" : "", market__feed_at(i)->data_type);
    return market__file_refuse(file, MARKET_UNKNOWN_FEED, reterr, "\"%.*s\" of %s, which has %.*s", (int)product.size,
                               product.data, file->rules->name, (int)known.size, known.data);
}

void market__file_named(struct market__file *file) { market__said_add(&file->said, &file->by_name); }

int market__file_settle(struct market__file *file, struct weir_error *reterr)
{
    if (file->form->market)
        market__file_says(file, SAID_MARKET, market__text(file->form->market));
    market__file_named(file);
    market__file_needs(file, SAID_MARKET);
    if (!file->said.of[SAID_MARKET].size)
        return WEIR_OK;
    file->rules = market_rules_find(file->said.of[SAID_MARKET]);
    if (!file->rules->power)
        return market__file_refuse(file, MARKET_UNKNOWN_MARKET, reterr, "\"%.*s\" has no prices of energy",
                                   (int)file->said.of[SAID_MARKET].size, file->said.of[SAID_MARKET].data);
    if (file->form->data_type)
        market__file_says(file, SAID_PRODUCT, market__text(file->form->data_type));
    market__file_says(file, SAID_PRODUCT, market__product_in(file->rules, file->name));
    market__file_needs(file, SAID_PRODUCT);
    return file->said.of[SAID_PRODUCT].size ? settle_feed(file, reterr) : WEIR_OK;
}

/* ---- lines ---- */

static bool is_blank(const struct weir__buf *line)
{
    return market__trim((struct weir_text){ .data = line->data, .size = line->size }).size == 0;
}

int market__file_line(struct market__file *file, struct weir_error *reterr)
{
    int err;

    do
        err = weir__lines_next(file->lines, &file->line, reterr);
    while (err == WEIR_OK && is_blank(&file->line));
    if (err == WEIR_OK)
        file->rows++;
    return err;
}

static int read_head(struct market__file *file, struct weir_error *reterr)
{
    while (file->head_count < HEAD_LINES) {
        struct weir_text *line = &file->head[file->head_count];
        int               err = weir__lines_next(file->lines, &file->line, reterr);

        if (err == WEIR_NOTFOUND)
            break;
        if (err < 0)
            return err;
        /* The size of a document on one line is not what the head is for. */
        line->size = MIN(file->line.size, 64 << 10);
        line->data = weir__arena_copy(&file->arena, file->line.data, line->size);
        if (!line->data)
            return market__file_no_memory(file, reterr);
        file->head_count++;
    }
    return file->head_count ? WEIR_OK
                            : weir__fail(reterr, MARKET_MALFORMED, file->path, "the file is empty: fetch it again");
}

bool market__head_has(const struct market__file *file, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i < file->head_count; i++)
        for (size_t at = 0; at + size <= file->head[i].size; at++)
            if (market__same((struct weir_text){ .data = file->head[i].data + at, .size = size }, market__text(word)))
                return true;
    return false;
}

bool market__file_fits(const struct market__file *file)
{
    size_t have = file->cells.count;

    while (have > file->column_count && market__trim(file->cells.items[have - 1]).size == 0)
        have--;
    for (size_t i = have; i < file->column_count; i++)
        if (file->columns[i].size)
            return false;
    return have <= file->column_count;
}

/* ---- kinds ---- */

static bool has_column(const struct market__cells *cells, struct weir_text name)
{
    for (size_t i = 0; i < cells->count; i++)
        if (market__same(market__trim(cells->items[i]), name))
            return true;
    return false;
}

static bool has_columns(const struct market__cells *cells, const char *names)
{
    while (*names)
        if (!has_column(cells, market__cut(&names)))
            return false;
    return true;
}

/* The heading of a table: its line's number from 0; -1 = there is none. The cells are then those of the heading. */
static int find_heading(struct market__file *file, const char *columns)
{
    for (size_t i = 0; i < file->head_count; i++)
        if (market__cells_split(&file->cells, file->head[i]) == WEIR_OK && has_columns(&file->cells, columns))
            return (int)i;
    return -1;
}

/* Columns go by their names in any case; of a wide table they name locations, which have a check of their own. */
static bool is_same_column(const struct market__file *file, struct weir_text a, struct weir_text b)
{
    if (file->form->fill != market__fill_eia)
        return market__same(a, b);
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static int keep_columns(struct market__file *file, struct weir_error *reterr)
{
    struct weir_text *columns = weir__arena_take(&file->arena, file->cells.count * sizeof(*columns));

    if (!columns)
        return market__file_no_memory(file, reterr);
    for (size_t i = 0; i < file->cells.count; i++) {
        struct weir_text cell = market__trim(file->cells.items[i]);

        columns[i] =
            (struct weir_text){ .data = weir__arena_copy(&file->arena, cell.data, cell.size), .size = cell.size };
        if (!columns[i].data)
            return market__file_no_memory(file, reterr);
        for (size_t j = 0; j < i; j++)
            if (cell.size && is_same_column(file, columns[j], cell))
                return market__file_refuse(file, MARKET_MALFORMED, reterr, "two columns are named \"%.*s\"",
                                           (int)cell.size, cell.data);
    }
    file->columns = columns;
    file->column_count = file->cells.count;
    return WEIR_OK;
}

/* What was not unpacked, or is in another alphabet, says so; else its first line is shown. */
static int refuse_unknown(const struct market__file *file, struct weir_error *reterr)
{
    struct weir_text line = file->head[0];

    if (line.size >= 4 && memcmp(line.data, "PK\3\4", 4) == 0)
        return market__file_refuse(file, MARKET_UNKNOWN_SHAPE, reterr,
                                   "a zip archive, or a workbook: load the text that is in it (unzip -p FILE)");
    if (line.size >= 2 && (memcmp(line.data, "\xff\xfe", 2) == 0 || memcmp(line.data, "\xfe\xff", 2) == 0))
        return market__file_refuse(file, MARKET_UNKNOWN_SHAPE, reterr,
                                   "its text is UTF-16: make it UTF-8 (iconv -f UTF-16 -t UTF-8)");
    return weir__fail(
        reterr, MARKET_UNKNOWN_SHAPE, file->path,
        "no kind of market file begins with \"%.*s\": files are taken as their market publishes them, with "
        "their headings",
        (int)MIN(line.size, 100), line.data);
}

static int tell_kind(struct market__file *file, struct weir_error *reterr)
{
    for (size_t i = 0; i < market__form_count; i++) {
        const struct market__form *form = &market__forms[i];
        int                        heading = form->columns ? find_heading(file, form->columns) : -1;

        if (heading < 0 && !(form->knows && form->knows(file)))
            continue;
        file->form = form;
        file->skip = (size_t)(heading + 1);
        return heading < 0 ? WEIR_OK : keep_columns(file, reterr);
    }
    return refuse_unknown(file, reterr);
}

/* ---- opening ---- */

static struct weir_text base_name(const char *path)
{
    const char      *slash = strrchr(path, '/');
    struct weir_text name = market__text(slash ? slash + 1 : path);

    if (name.size > 3 && memcmp(name.data + name.size - 3, ".gz", 3) == 0)
        name.size -= 3;
    return name;
}

static int read_said(struct market__file *file, const struct market__said *options, struct weir_error *reterr)
{
    struct market__said conf;
    int                 err = market__said_by_conf(file->path, file->name, &file->arena, &conf, reterr);

    if (err < 0)
        return err;
    file->said = *options;
    market__said_add(&file->said, &conf);
    return market__said_by_name(file->name, &file->arena, &file->by_name);
}

static int begin(struct market__file *file, const struct market__said *options, struct weir_error *reterr)
{
    int err = read_head(file, reterr);

    if (err == WEIR_OK)
        err = read_said(file, options, reterr);
    if (err == WEIR_OK)
        err = tell_kind(file, reterr);
    if (err == WEIR_OK)
        err = file->form->begin(file, reterr);
    if (err == WEIR_OK && file->missing.size)
        err = market__file_refuse(file, MARKET_NOT_SAID, reterr,
                                  "%.*s; say it by the option, or in " MARKET_LOAD_CONF " beside the file",
                                  (int)file->missing.size, file->missing.data);
    return err == WEIR_OK ? market__file_rewind(file, reterr) : err;
}

int64_t market__size_on_disk(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? status.st_size : 0;
}

int market__file_open(const char *path, const struct market__said *options, struct market__file **ret,
                      struct weir_error *reterr)
{
    struct market__file *file = weir__zalloc(sizeof(*file));
    int                  err;

    if (!file)
        return weir__fail(reterr, WEIR_NO_MEMORY, path, "out of memory");
    weir__arena_init(&file->arena, 0);
    weir__arena_init(&file->row_arena, 0);
    file->path = path;
    file->name = base_name(path);
    err = weir__lines_open(path, &file->lines, reterr);
    if (err == WEIR_OK)
        err = begin(file, options, reterr);
    if (err < 0) {
        market__file_close(file);
        return err;
    }
    file->size = market__size_on_disk(path);
    *ret = file;
    return WEIR_OK;
}

void market__file_close(struct market__file *file)
{
    if (!file)
        return;
    weir__lines_close(file->lines);
    market__cells_fini(&file->cells);
    weir__buf_fini(&file->line);
    weir__buf_fini(&file->missing);
    weir__free(file->elements);
    weir__arena_fini(&file->arena);
    weir__arena_fini(&file->row_arena);
    weir__free(file);
}

struct weir__place market__file_place(const struct market__file *file)
{
    return file->document ? file->document_end : weir__lines_place(file->lines);
}

int market__file_rewind(struct market__file *file, struct weir_error *reterr)
{
    int err;

    file->rows = 0;
    file->part = file->part_count = 0;
    if (file->document)
        return WEIR_OK;
    err = weir__lines_seek(file->lines, &(struct weir__place){ 0 }, reterr);
    for (size_t i = 0; i < file->skip && err == WEIR_OK; i++)
        err = weir__lines_next(file->lines, &file->line, reterr);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market__file_next(struct market__file *file, struct market__row *ret, struct weir_error *reterr)
{
    weir__arena_reset(&file->row_arena);
    *ret = (struct market__row){ .feed = file->feed };
    return file->form->next(file, ret, reterr);
}
