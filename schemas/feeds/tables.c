/* tables.c: tables of comma-separated values: one row one event, or one for each location or hour in it.
 *
 * (1) Cells go by the names of their columns, text as published. A wide table's cells go by what the heading says
 *     of them besides the location, which becomes a field of its own.
 * (2) A row that has not the columns of its table goes as it is, in the field "broken_row": who normalizes it refuses it.
 */
#include "schemas/feeds/files.h"

static struct market__field *add(struct market__file *file, struct market__fields *fields)
{
    if (fields->count == fields->capacity) {
        size_t                capacity = MAX(file->column_count + 8, fields->capacity * 2);
        struct market__field *items = weir__arena_take(&file->row_arena, capacity * sizeof(*items));

        if (!items)
            return NULL;
        if (fields->count)
            memcpy(items, fields->items, fields->count * sizeof(*items));
        *fields = (struct market__fields){ .items = items, .count = fields->count, .capacity = capacity };
    }
    return &fields->items[fields->count++];
}

static int put(struct market__file *file, struct market__fields *fields, struct weir_text name, struct weir_text text)
{
    struct market__field *field = add(file, fields);

    if (!field)
        return WEIR_NO_MEMORY;
    *field = (struct market__field){ .name = name, .text = text, .type = MARKET_TEXT };
    return WEIR_OK;
}

/* ---- any table ---- */

static int fill_broken(struct market__file *file, struct market__row *ret)
{
    struct weir_text line = { .data = file->line.data, .size = file->line.size };

    return put(file, &ret->fields, TEXT(MARKET_ROW_BROKEN), line);
}

static bool is_data(const struct market__file *file)
{
    return !file->typed || market__same(file->cells.items[0], TEXT("D"));
}

static int next_line(struct market__file *file, struct weir_error *reterr)
{
    for (;;) {
        int err = market__file_line(file, reterr);

        if (err < 0)
            return err;
        err =
            market__cells_split(&file->cells, (struct weir_text){ .data = file->line.data, .size = file->line.size });
        if (err == WEIR_NO_MEMORY)
            return market__file_no_memory(file, reterr);
        file->broken = err < 0 || !market__file_fits(file);
        if (err < 0 || is_data(file))
            break;
        file->rows--;
    }
    file->part = 0;
    file->part_count = file->broken ? 1 : file->form->parts(file);
    return WEIR_OK;
}

int market__next_of_table(struct market__file *file, struct market__row *ret, struct weir_error *reterr)
{
    int err = WEIR_OK;

    if (file->part == file->part_count)
        err = next_line(file, reterr);
    if (err < 0)
        return err;
    ret->number = file->rows;
    ret->part = (uint32_t)file->part;
    err = file->broken ? fill_broken(file, ret) : file->form->fill(file, file->part, &ret->fields);
    file->part++;
    return err < 0 ? market__file_no_memory(file, reterr) : WEIR_OK;
}

size_t market__parts_one(const struct market__file *file)
{
    (void)file;
    return 1;
}

int market__fill_table(struct market__file *file, size_t part, struct market__fields *ret)
{
    int err = WEIR_OK;

    (void)part;
    for (size_t i = 0; i < file->column_count && err == WEIR_OK; i++)
        if (file->columns[i].size)
            err = put(file, ret, file->columns[i], file->cells.items[i]);
    return err;
}

int market__begin_table(struct market__file *file, struct weir_error *reterr)
{
    return market__file_settle(file, reterr);
}

/* ---- EIA: a column for each location and price ---- */

static const char *const eia_names[] = { "LMP", "Congestion", "Energy", "Loss" };

/* "Illinois Hub LMP", "Illinois Hub (Loss)": the location, and which price. */
static bool cut_column(struct weir_text column, struct weir_text *ret_place, size_t *ret_price)
{
    for (size_t i = 0; i < ARRAY_SIZE(eia_names); i++) {
        char             ending[32];
        struct weir_text end;

        end.data = ending;
        end.size = (size_t)snprintf(ending, sizeof(ending), i ? " (%s)" : " %s", eia_names[i]);
        if (column.size <= end.size ||
            !market__same((struct weir_text){ .data = column.data + column.size - end.size, .size = end.size }, end))
            continue;
        *ret_place = (struct weir_text){ .data = column.data, .size = column.size - end.size };
        *ret_price = i;
        return true;
    }
    return false;
}

static struct market__place *find_place(struct market__file *file, struct weir_text name)
{
    for (size_t i = 0; i < file->place_count; i++)
        if (file->places[i].name.size == name.size && memcmp(file->places[i].name.data, name.data, name.size) == 0)
            return &file->places[i];
    file->places[file->place_count] = (struct market__place){ .name = name };
    return &file->places[file->place_count++];
}

/* "Illinois Hub (Greenhouse)": a price of a location that is none of ours. */
static bool is_of_place(const struct market__file *file, struct weir_text column)
{
    for (size_t i = 0; i < file->place_count; i++) {
        struct weir_text name = file->places[i].name;

        if (column.size > name.size + 2 && memcmp(column.data, name.data, name.size) == 0 &&
            memcmp(column.data + name.size, " (", 2) == 0)
            return true;
    }
    return false;
}

/* Other columns, wherever they stand, go into each event under their own names. */
static int check_fixed(struct market__file *file, struct weir_error *reterr)
{
    for (size_t i = 0; i < file->column_count; i++)
        if (file->fixed[i] && is_of_place(file, file->columns[i]))
            return market__file_refuse(file, MARKET_MALFORMED, reterr,
                                       "column \"%.*s\" is a price of a location that is not known",
                                       (int)file->columns[i].size, file->columns[i].data);
    return WEIR_OK;
}

static int read_places(struct market__file *file, struct weir_error *reterr)
{
    file->places = weir__arena_take(&file->arena, file->column_count * sizeof(*file->places));
    file->fixed = weir__arena_take(&file->arena, file->column_count * sizeof(*file->fixed));
    if (!file->places || !file->fixed)
        return market__file_no_memory(file, reterr);
    for (size_t i = 0; i < file->column_count; i++) {
        struct weir_text name;
        size_t           price;

        file->fixed[i] = !cut_column(file->columns[i], &name, &price);
        if (!file->fixed[i])
            find_place(file, name)->cell[price] = i + 1;
    }
    if (!file->place_count)
        return market__file_refuse(file, MARKET_NO_PRICE, reterr, "no column is the LMP of a location");
    return check_fixed(file, reterr);
}

/* All that is wrong with the locations of the heading at once. */
static int check_places(struct market__file *file, struct weir_error *reterr)
{
    struct market_names *names = market_names_new();
    int                  err = names ? WEIR_OK : market__file_no_memory(file, reterr);

    for (size_t i = 0; i < file->place_count && err == WEIR_OK; i++) {
        struct market__place *place = &file->places[i];
        struct market_power   power = { .market = file->rules->name, .location = place->name };
        struct market_id      id;

        if (!place->cell[0])
            err = market__file_refuse(file, MARKET_NO_PRICE, reterr, "\"%.*s\" has components and no LMP column",
                                      (int)place->name.size, place->name.data);
        if (err == WEIR_OK)
            err = market_power_id(&power, &id, reterr);
        if (err == WEIR_OK)
            err = market_names_check(names, (struct weir_text){ .data = id.text, .size = id.size }, place->name,
                                     reterr);
    }
    market_names_free(names);
    return err;
}

/* "eia_rt_15min" from the titles. */
static struct weir_text eia_type(const struct market__file *file)
{
    static const struct {
        const char *word, *type[2]; /* real-time, day-ahead */
    } types[] = {
        { "5-Minute", { "eia_rt_5min", "" } },
        { "15-Minute", { "eia_rt_15min", "" } },
        { "Hourly", { "eia_rt_hourly", "eia_da_hourly" } },
    };
    bool        ahead = market__head_has(file, "Day-Ahead");
    const char *type = "";

    if (ahead || market__head_has(file, "Real-Time"))
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
            if (market__head_has(file, types[i].word))
                type = types[i].type[ahead]; /* "15-Minute" holds "5-Minute" and comes later */
    return market__text(type);
}

/* "Source: EIA collected from MISO". */
static struct weir_text eia_operator(const struct market__file *file)
{
    static const char words[] = "Source: EIA collected from ";

    for (size_t i = 0; i < file->skip; i++)
        if (market__begins(file->head[i], words))
            return market__trim((struct weir_text){ .data = file->head[i].data + sizeof(words) - 1,
                                                    .size = file->head[i].size - (sizeof(words) - 1) });
    return (struct weir_text){ 0 };
}

int market__begin_eia(struct market__file *file, struct weir_error *reterr)
{
    struct weir_text type = eia_type(file), from = eia_operator(file);
    int              err;

    market__file_says(file, SAID_MARKET, from);
    market__file_says(file, SAID_PRODUCT, type);
    err = market__file_settle(file, reterr);
    if (err < 0 || file->missing.size)
        return err;
    err = read_places(file, reterr);
    return err == WEIR_OK ? check_places(file, reterr) : err;
}

size_t market__parts_eia(const struct market__file *file) { return file->place_count; }

/* The location's own fields come first: they count where another column has a name of theirs. */
int market__fill_eia(struct market__file *file, size_t part, struct market__fields *ret)
{
    const struct market__place *place = &file->places[part];
    int                         err = put(file, ret, TEXT("location"), place->name);

    for (size_t i = 0; i < ARRAY_SIZE(eia_names) && err == WEIR_OK; i++)
        if (place->cell[i])
            err = put(file, ret, market__text(eia_names[i]), file->cells.items[place->cell[i] - 1]);
    for (size_t i = 0; i < file->column_count && err == WEIR_OK; i++)
        if (file->fixed[i] && file->columns[i].size)
            err = put(file, ret, file->columns[i], file->cells.items[i]);
    return err;
}

/* ---- MISO: a column for each hour ---- */

static struct weir_text miso_type(const struct market__file *file)
{
    bool ahead = market__head_has(file, "Day Ahead") || market__head_has(file, "Day-Ahead");
    bool real = market__head_has(file, "Real Time") || market__head_has(file, "Real-Time");

    if (ahead && (market__head_has(file, "ExPost") || market__head_has(file, "Ex-Post")))
        return TEXT("da_expost_lmp");
    if (ahead && (market__head_has(file, "ExAnte") || market__head_has(file, "Ex-Ante")))
        return TEXT("da_exante_lmp");
    if (real && market__head_has(file, "Final"))
        return TEXT("rt_lmp_final");
    return real && market__head_has(file, "Prelim") ? TEXT("rt_lmp_prelim") : (struct weir_text){ 0 };
}

/* The line of the heading that is a day, in its first cell. */
static struct weir_text miso_day(const struct market__file *file)
{
    for (size_t i = 0; i < file->skip; i++) {
        const char         *comma = memchr(file->head[i].data, ',', file->head[i].size);
        size_t              size = comma ? (size_t)(comma - file->head[i].data) : file->head[i].size;
        struct weir_text    cell = market__trim((struct weir_text){ .data = file->head[i].data, .size = size });
        struct market_stamp stamp;

        if (market_stamp_read(cell, &stamp) == WEIR_OK && stamp.local)
            return cell;
    }
    return (struct weir_text){ 0 };
}

static bool is_hour(struct weir_text column) { return market__begins(column, "HE "); }

int market__begin_matrix(struct market__file *file, struct weir_error *reterr)
{
    struct weir_text day = miso_day(file);
    int              err;

    market__file_says(file, SAID_DAY, day);
    market__file_says(file, SAID_PRODUCT, miso_type(file));
    err = market__file_settle(file, reterr);
    market__file_needs(file, SAID_DAY);
    file->fixed_count = 0;
    for (size_t i = 0; i < file->column_count; i++)
        file->fixed_count += !is_hour(file->columns[i]);
    return err;
}

size_t market__parts_matrix(const struct market__file *file) { return file->column_count - file->fixed_count; }

int market__fill_matrix(struct market__file *file, size_t part, struct market__fields *ret)
{
    size_t hour = 0;
    int    err = put(file, ret, TEXT("operating_day"), file->said.of[SAID_DAY]);

    for (size_t i = 0; i < file->column_count && err == WEIR_OK; i++) {
        if (!is_hour(file->columns[i])) {
            if (file->columns[i].size)
                err = put(file, ret, file->columns[i], file->cells.items[i]);
            continue;
        }
        if (hour++ != part)
            continue;
        err = put(file, ret, TEXT("HE"), file->columns[i]);
        if (err == WEIR_OK)
            err = put(file, ret, TEXT("price"), file->cells.items[i]);
    }
    return err;
}

/* ---- PJM and NYISO: hourly and five-minute tables have the same columns ---- */

enum stamps { STAMPS_ONE, STAMPS_HOURS, STAMPS_BETWEEN };

/* Whether the column's stamps are one and the same, full hours, or also what lies between these. A file may be in any order. */
static int look_at_stamps(struct market__file *file, const char *columns, enum stamps *ret, struct weir_error *reterr)
{
    struct market_stamp first = { 0 }, stamp;
    size_t              at = 0;
    int                 err = market__file_rewind(file, reterr);

    *ret = STAMPS_ONE;
    while (at + 1 < file->column_count && market__one_of(file->columns[at], columns) < 0)
        at++;
    while (err == WEIR_OK && *ret != STAMPS_BETWEEN) {
        err = next_line(file, reterr);
        if (err < 0 || file->broken || market_stamp_read(market__trim(file->cells.items[at]), &stamp) < 0)
            continue;
        if (stamp.us % MARKET_HOURS(1) != 0)
            *ret = STAMPS_BETWEEN;
        else if (first.us && stamp.us != first.us)
            *ret = STAMPS_HOURS;
        first = stamp;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market__begin_miner(struct market__file *file, struct weir_error *reterr)
{
    enum stamps stamps;
    int         err = look_at_stamps(file, "datetime_beginning_utc|datetime_beginning_ept", &stamps, reterr);

    if (err < 0)
        return err;
    if (stamps == STAMPS_HOURS)
        market__file_says(file, SAID_PRODUCT, TEXT("rt_hrl_lmps"));
    else if (stamps == STAMPS_BETWEEN)
        market__file_says(file, SAID_PRODUCT, TEXT("rt_fivemin_hrl_lmps"));
    return market__file_settle(file, reterr);
}

/* Day-ahead and hourly real-time prices differ in the file's name alone. */
int market__begin_nyiso(struct market__file *file, struct weir_error *reterr)
{
    enum stamps stamps;
    int         err = look_at_stamps(file, "Time Stamp", &stamps, reterr);

    if (err < 0)
        return err;
    if (stamps == STAMPS_BETWEEN)
        market__file_says(file, SAID_PRODUCT, TEXT("realtime_zone"));
    return market__file_settle(file, reterr);
}

/* ---- ISO-NE and AESO: what the heading says ---- */

/* What follows `words` in a line of the heading. */
static struct weir_text after_words(const struct market__file *file, const char *words)
{
    for (size_t i = 0; i < file->skip; i++)
        for (size_t at = 0; at < file->head[i].size; at++) {
            struct weir_text rest = { .data = file->head[i].data + at, .size = file->head[i].size - at };

            if (market__begins(rest, words))
                return (struct weir_text){ .data = rest.data + strlen(words), .size = rest.size - strlen(words) };
        }
    return (struct weir_text){ 0 };
}

/* A time in the market's zone, 19 or 16 characters long, with " EST" or the like behind it or not; 0 = none. */
static int64_t local_time(const char *zone_name, struct weir_text text, bool standard)
{
    static const size_t       sizes[] = { 19, 16 };
    const struct market_zone *zone;
    struct market_stamp       stamp;
    int64_t                   instant;

    if (market_zone_get(zone_name, &zone, NULL) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        if (text.size >= sizes[i] &&
            market_stamp_read((struct weir_text){ .data = text.data, .size = sizes[i] }, &stamp) == WEIR_OK &&
            market_local_instant(zone, stamp.us, standard ? MARKET_LATER : MARKET_EARLIER, &instant) == WEIR_OK)
            return instant;
    return 0;
}

int market__begin_isone(struct market__file *file, struct weir_error *reterr)
{
    struct weir_text made = market__trim(after_words(file, "Report generated:"));
    struct weir_text own_name = after_words(file, "Filename:");

    file->typed = true;
    file->columns[0].size = 0;
    file->made = local_time("America/New_York", made, made.size > 22 && memcmp(made.data + 20, "EST", 3) == 0);
    market__file_says(file, SAID_PRODUCT, market__product_in(market_rules_find(TEXT("ISONE")), own_name));
    return market__file_settle(file, reterr);
}

static struct weir_text aeso_type(const struct market__file *file)
{
    if (market__head_has(file, "Data Interval : 60 minutes"))
        return TEXT("pool_price");
    return market__head_has(file, "Data Interval : 1 minute") ? TEXT("system_marginal_price")
                                                              : (struct weir_text){ 0 };
}

int market__begin_aeso(struct market__file *file, struct weir_error *reterr)
{
    file->made = local_time("America/Edmonton", market__trim(after_words(file, "Generated at :")), false);
    market__file_says(file, SAID_PRODUCT, aeso_type(file));
    return market__file_settle(file, reterr);
}

/* Two cells, a stamp and a number, no heading. */
bool market__knows_smp(const struct market__file *file)
{
    struct market__cells cells = { 0 };
    struct market_stamp  stamp;
    int64_t              units;
    bool                 knows = market__cells_split(&cells, file->head[0]) == WEIR_OK && cells.count == 2 &&
                 market_stamp_read(cells.items[0], &stamp) == WEIR_OK && stamp.local &&
                 market_decimal_read(cells.items[1], &units) == WEIR_OK;

    market__cells_fini(&cells);
    return knows;
}

int market__begin_smp(struct market__file *file, struct weir_error *reterr)
{
    static const struct weir_text columns[] = { { "Date/Time", 9 }, { "Price", 5 } };

    file->columns = weir__arena_copy(&file->arena, columns, sizeof(columns));
    if (!file->columns)
        return market__file_no_memory(file, reterr);
    file->column_count = ARRAY_SIZE(columns);
    return market__file_settle(file, reterr);
}
