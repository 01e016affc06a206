/* map.c: the fields of a row become ticks: its price, trade or quote, and each component as a tick of its own.
 *
 * (1) Null, empty and zero are three things. An empty price is refused, an empty component is counted, a field that
 *     the feed does not have at all is neither.
 * (2) LMP = MCE + MCC + MLC: where the feed turns the congestion's sign it is turned back here.
 * (3) Ticks of one row differ in instrument and price only.
 */
#include "schemas/feeds/internal.h"

enum {
    METADATA_MAX = 32,
    TAGS_MAX = 64,
    TICKS_MAX = 6, /* of one row: price, four components, forecast */
};

/* A row being read. */
struct row {
    const struct market_feed    *feed;
    const struct market_rules   *rules; /* of its market: those of the feed, where that is of one */
    const struct market__roles  *roles;
    const struct market__source *source;
    struct market__run           product;
    enum market_component        component; /* that an envelope's own instrument is */
    struct weir_error           *reterr;

    const struct market_raw_options *options;
};

static int bad(const struct row *row, enum market__role role, int code)
{
    return market__role_bad(row->roles, role, code, market_reason_text(code), row->reterr);
}

/* ---- product and instrument ---- */

int market__product(const struct market_feed *feed, const struct market__roles *roles, struct market__run *ret,
                    struct weir_error *reterr)
{
    struct weir_text text;
    int              err = market__role_text(roles, ROLE_RUN, &text, reterr);

    *ret = (struct market__run){ .basis = feed->basis, .stage = feed->stage, .interval = feed->interval };
    if (err == WEIR_OK && !text.size && feed->run_needed)
        err = weir__fail(reterr, MARKET_UNKNOWN_PRODUCT, feed->names[ROLE_RUN], "%s: no field %s",
                         market_reason_text(MARKET_UNKNOWN_PRODUCT), feed->names[ROLE_RUN]);
    if (err < 0)
        return err;
    if (text.size && feed->runs) {
        const struct market__run *run = feed->runs;

        while (run->names && market__one_of(text, run->names) < 0)
            run++;
        if (!run->names)
            return market__role_bad(roles, ROLE_RUN, MARKET_UNKNOWN_PRODUCT,
                                    "a product that its data type does not have", reterr);
        *ret = *run;
        ret->interval = run->interval ? run->interval : feed->interval;
    }
    err = market__role_text(roles, ROLE_CLASS, &text, reterr);
    if (err == WEIR_OK && market__one_of(text, feed->energy_weighted) >= 0)
        ret->basis = MARKET_EW;
    return err;
}

static const char *const items[] = {
    [MARKET_PRICE] = "LMP|LMP_PRC",        [MARKET_MCE] = "MCE|LMP_ENE_PRC",   [MARKET_MCC] = "MCC|LMP_CONG_PRC",
    [MARKET_MLC] = "MLC|MCL|LMP_LOSS_PRC", [MARKET_MGHG] = "MGHG|LMP_GHG_PRC",
};

/* Which price a row of one price holds. */
static int read_item(const struct market_feed *feed, const struct market__roles *roles, enum market_component *ret,
                     struct weir_error *reterr)
{
    struct weir_text text;
    int              err = market__role_text(roles, ROLE_ITEM, &text, reterr);

    if (err < 0)
        return err;
    if (!text.size)
        return market__role_missing(feed, ROLE_ITEM, reterr);
    for (size_t i = 0; i < ARRAY_SIZE(items); i++)
        if (market__one_of(text, items[i]) >= 0) {
            *ret = (enum market_component)i;
            return WEIR_OK;
        }
    return market__role_bad(roles, ROLE_ITEM, MARKET_UNKNOWN_PRODUCT, "neither a price nor a component of one",
                            reterr);
}

static int location_of(const struct market_feed *feed, const struct market__roles *roles,
                       const struct market__source *source, struct weir_text *ret, struct weir_error *reterr)
{
    int err = market__role_text(roles, ROLE_LOCATION, ret, reterr);

    if (err < 0)
        return err;
    if (!ret->size)
        *ret = feed->location ? market__text(feed->location) : source->symbol;
    return ret->size ? WEIR_OK : market__role_missing(feed, ROLE_LOCATION, reterr);
}

static int trade_id(const struct market_feed *feed, struct weir_text symbol, struct market_id *ret,
                    struct weir_error *reterr)
{
    struct weir_text venue = market__text(feed->rules->name);

    if (*feed->rules->name == '*')
        return market_location(symbol, ret, reterr);
    return market_trade_id(venue, symbol, feed->perpetual, ret, reterr);
}

static int power_id(const struct row *row, struct weir_text location, enum market_stage stage,
                    enum market_component component, struct market_id *ret)
{
    struct market_power power = { .market = row->feed->rules->name,
                                  .location = location,
                                  .basis = row->product.basis,
                                  .stage = stage,
                                  .component = component };

    return market_power_id(&power, ret, row->reterr);
}

/* The id that the sender made; size 0 = none. */
static int given_id(const struct market__roles *roles, const struct market__source *source, struct weir_text *ret,
                    struct weir_error *reterr)
{
    *ret = source->id;
    return ret->size ? WEIR_OK : market__role_text(roles, ROLE_ID, ret, reterr);
}

int market__instrument(const struct market_feed *feed, const struct market__roles *roles,
                       const struct market__run *product, const struct market__source *source, struct market_id *ret,
                       struct weir_error *reterr)
{
    struct row row = { .feed = feed, .roles = roles, .source = source, .product = *product, .reterr = reterr };
    enum market_component component = MARKET_PRICE;
    struct weir_text      text;
    int                   err = given_id(roles, source, &text, reterr);

    if (err == WEIR_OK && text.size)
        return market_location(text, ret, reterr);
    if (err == WEIR_OK)
        err = location_of(feed, roles, source, &text, reterr);
    if (err == WEIR_OK && feed->names[ROLE_ITEM])
        err = read_item(feed, roles, &component, reterr);
    if (err < 0)
        return err;
    return feed->trade ? trade_id(feed, text, ret, reterr) : power_id(&row, text, product->stage, component, ret);
}

/* ---- numbers ---- */

enum held { HELD_NOT, HELD_EMPTY, HELD_GIVEN };

static int multiply(int64_t units, int64_t scale, int64_t *ret)
{
    __int128 product = (__int128)units * scale;

    if (product % MARKET_UNIT != 0)
        return MARKET_PRECISION;
    product /= MARKET_UNIT;
    if (product > INT64_MAX || product < INT64_MIN)
        return MARKET_OVERFLOW;
    *ret = (int64_t)product;
    return WEIR_OK;
}

static int scaled(const struct row *row, enum market__role role, int64_t units, int64_t *ret)
{
    struct weir_text text = row->source->setting.scale;
    int64_t          scale;
    int              err;

    *ret = units;
    if (!text.size)
        return WEIR_OK;
    if (market_decimal_read(text, &scale) < 0 || scale <= 0)
        return weir__fail(row->reterr, MARKET_BAD_NUMBER, "scale", "scale: no positive number: \"%.*s\"",
                          (int)MIN(text.size, 40), text.data);
    err = multiply(units, scale, ret);
    return err < 0 ? bad(row, role, err) : WEIR_OK;
}

static int read_number(const struct row *row, enum market__role role, enum held *ret_held, int64_t *ret)
{
    const struct market__field *field = row->roles->of[role];
    struct weir_text            text;
    int                         err;

    *ret_held = !field ? HELD_NOT : HELD_EMPTY;
    if (field && field->type == MARKET_BOOL)
        return bad(row, role, MARKET_BAD_TYPE);
    err = market__role_text(row->roles, role, &text, row->reterr);
    if (err < 0 || !text.size || (text.size == 1 && *text.data == '-')) /* reports print a dash where there is none */
        return err;
    *ret_held = HELD_GIVEN;
    err = market_decimal_read(text, ret);
    return err < 0 ? bad(row, role, err) : WEIR_OK;
}

/* A price in the currency: read_number times the scale. */
static int read_price(const struct row *row, enum market__role role, enum held *ret_held, struct market_decimal *ret)
{
    int64_t units = 0;
    int     err = read_number(row, role, ret_held, &units);

    *ret = MARKET_NULL_DECIMAL;
    if (err < 0 || *ret_held != HELD_GIVEN)
        return err;
    err = scaled(row, role, units, &units);
    if (err == WEIR_OK)
        *ret = MARKET_DECIMAL(units);
    return err;
}

static int read_volume(const struct row *row, struct market_decimal *ret)
{
    enum held held;
    int64_t   units = 0;
    int       err = read_number(row, ROLE_VOLUME, &held, &units);

    if (err < 0)
        return err;
    if (units < 0)
        return market__role_bad(row->roles, ROLE_VOLUME, MARKET_BAD_NUMBER, "a volume is not negative", row->reterr);
    *ret = held == HELD_GIVEN ? MARKET_DECIMAL(units) : MARKET_NULL_DECIMAL;
    return WEIR_OK;
}

static int read_whole(const struct row *row, enum market__role role, int64_t *ret)
{
    struct weir_text text;
    int              err = market__role_text(row->roles, role, &text, row->reterr);

    if (err < 0 || !text.size)
        return err;
    if (!market__whole(text, ret))
        return market__role_bad(row->roles, role, MARKET_BAD_NUMBER, "no whole number from 0 on", row->reterr);
    return WEIR_OK;
}

static int read_revision(const struct row *row, int64_t *ret)
{
    int err;

    *ret = 1;
    err = read_whole(row, ROLE_REVISION, ret);
    if (err == WEIR_OK && *ret < 1)
        return market__role_bad(row->roles, ROLE_REVISION, MARKET_BAD_NUMBER, "revisions count from 1", row->reterr);
    return err;
}

/* ---- metadata ---- */

static bool has_pair(const struct market_entry *pairs, size_t count, struct weir_text name)
{
    for (size_t i = 0; i < count; i++)
        if (pairs[i].name.size == name.size && memcmp(pairs[i].name.data, name.data, name.size) == 0)
            return true;
    return false;
}

/* A bit for each field that has a role; fields beyond the 64th have none. */
static uint64_t fields_with_role(const struct market__roles *roles, const struct market__fields *fields)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (roles->of[i] && roles->of[i] - fields->items < 64)
            bits |= UINT64_C(1) << (roles->of[i] - fields->items);
    return bits;
}

static bool is_text(const struct market__field *field)
{
    return field->type != MARKET_NULL && field->type != MARKET_OTHER && field->text.size;
}

static void add_pair(struct market_entry *pairs, size_t *count, struct weir_text name, struct weir_text value)
{
    if (*count < METADATA_MAX && !has_pair(pairs, *count, name))
        pairs[(*count)++] = (struct market_entry){ .name = name, .value = value };
}

/* What the envelope says, then what the row has besides its roles: of trades and of envelope A. Rows of power feeds
 * say their data type. */
static int read_metadata(const struct row *row, const struct market__fields *fields, struct weir_arena *arena,
                         struct market_map *ret)
{
    struct market_entry *pairs = weir__arena_take(arena, METADATA_MAX * sizeof(*pairs));
    bool                 rest = row->feed->trade || row->feed == market__nested;
    uint64_t             taken = rest ? fields_with_role(row->roles, fields) : 0;
    size_t               count = 0;

    if (!pairs)
        return WEIR_LIMIT;
    if (!rest)
        add_pair(pairs, &count, TEXT("feed"), market__data_type(row->feed));
    for (const struct weir_json *member = row->source->metadata ? row->source->metadata->child : NULL; member;
         member = member->next)
        if (member->type == WEIR_JSON_STRING && market__one_of(member->name, "feed|day|zone|scale|instrument_id") < 0)
            add_pair(pairs, &count, member->name, member->text);
    for (size_t i = 0; rest && i < MIN(fields->count, 64); i++)
        if (is_text(&fields->items[i]) && !(taken >> i & 1))
            add_pair(pairs, &count, fields->items[i].name, fields->items[i].text);
    *ret = (struct market_map){ .pairs = pairs, .count = count };
    return WEIR_OK;
}

/* Texts of a list; what is none of them is passed over. */
static int read_tags(const struct row *row, struct weir_arena *arena, struct market_list *ret)
{
    const struct weir_json *tags = row->source->tags;
    struct weir_text       *texts;

    if (tags == NULL || tags->type != WEIR_JSON_ARRAY || tags->child == NULL)
        return WEIR_OK;
    texts = weir__arena_take(arena, TAGS_MAX * sizeof(*texts));
    if (!texts)
        return WEIR_LIMIT;
    *ret = (struct market_list){ .texts = texts };
    for (const struct weir_json *tag = tags->child; tag && ret->count < TAGS_MAX; tag = tag->next)
        if (tag->type == WEIR_JSON_STRING)
            texts[ret->count++] = tag->text;
    return WEIR_OK;
}

/* ---- ticks ---- */

/* The text in the arena; data NULL = at its ceiling. */
static struct weir_text keep(struct weir_arena *arena, struct weir_text text)
{
    return (struct weir_text){ .data = weir__arena_copy(arena, text.data, text.size), .size = text.size };
}

/* A tick like the first one, of another instrument. */
static int add_tick(const struct row *row, struct weir_arena *arena, struct market_reading *reading,
                    const struct market_tick *like, const struct market_id *id, struct market_decimal price)
{
    struct market_tick         *tick = &reading->ticks[reading->count];
    struct market_tick_identity identity;
    int                         err;

    *tick = *like;
    tick->price = price;
    tick->instrument_id = keep(arena, (struct weir_text){ .data = id->text, .size = id->size });
    if (!tick->instrument_id.data)
        return WEIR_LIMIT;
    identity = (struct market_tick_identity){ .tenant = tick->tenant_id,
                                              .market = tick->market,
                                              .instrument = tick->instrument_id,
                                              .event_time = tick->event_time,
                                              .source = tick->source,
                                              .sequence = tick->sequence };
    err = market_tick_id(&identity, tick->tick_id);
    if (err < 0)
        return weir__fail(row->reterr, err, "tick_id", "out of memory");
    reading->count++;
    return WEIR_OK;
}

static int turned(const struct row *row, enum market__role role, struct market_decimal *price)
{
    if (!price->given || role != ROLE_MCC || !row->feed->negated)
        return WEIR_OK;
    if (price->units == INT64_MIN)
        return bad(row, role, MARKET_OVERFLOW);
    price->units = -price->units;
    return WEIR_OK;
}

/* The whole price, trade or quote of a row. */
static int add_whole(const struct row *row, struct weir_arena *arena, struct market_reading *reading,
                     struct market_tick *tick, const struct market_id *id)
{
    struct market_tick whole = *tick;

    if (row->component == MARKET_PRICE)
        whole.quality_flags |= market__quality(row->feed, row->roles, row->rules, row->options->limits, tick);
    return add_tick(row, arena, reading, &whole, id, tick->price);
}

/* One component, or the forecast: a tick, a count, or nothing where the feed has none. */
static int add_component(const struct row *row, struct weir_arena *arena, struct market_reading *reading,
                         const struct market_tick *like, enum market__role role, enum market_component component)
{
    enum market_stage     stage = role == ROLE_FORECAST ? MARKET_FORECAST : row->product.stage;
    struct market_tick    own = *like;
    struct market_id      id;
    struct weir_text      location;
    struct market_decimal price;
    enum held             held;
    int                   err = read_price(row, role, &held, &price);

    if (err == WEIR_OK)
        err = turned(row, role, &price);
    if (err < 0 || held == HELD_NOT)
        return err;
    if (held == HELD_EMPTY) {
        reading->components_absent++;
        return WEIR_OK;
    }
    err = location_of(row->feed, row->roles, row->source, &location, row->reterr);
    if (err == WEIR_OK)
        err = power_id(row, location, stage, component, &id);
    own.volume = MARKET_NULL_DECIMAL;
    own.quality_flags &= ~(uint32_t)MARKET_FALLBACK;
    return err == WEIR_OK ? add_tick(row, arena, reading, &own, &id, price) : err;
}

static int add_components(const struct row *row, struct weir_arena *arena, struct market_reading *reading,
                          const struct market_tick *like)
{
    int err = add_component(row, arena, reading, like, ROLE_MCE, MARKET_MCE);

    if (err == WEIR_OK)
        err = add_component(row, arena, reading, like, ROLE_MCC, MARKET_MCC);
    if (err == WEIR_OK)
        err = add_component(row, arena, reading, like, ROLE_MLC, MARKET_MLC);
    if (err == WEIR_OK)
        err = add_component(row, arena, reading, like, ROLE_MGHG, MARKET_MGHG);
    return err;
}

static int add_forecast(const struct row *row, struct weir_arena *arena, struct market_reading *reading,
                        const struct market_tick *like)
{
    return add_component(row, arena, reading, like, ROLE_FORECAST, MARKET_PRICE);
}

/* A row of an hour that has a forecast, and no price yet. 1, 0 or a code. */
static int awaits_price(const struct row *row)
{
    struct market_decimal price, forecast;
    enum held             held, foreseen;
    int                   err;

    if (row->feed->names[ROLE_FORECAST] == NULL)
        return 0;
    err = read_price(row, ROLE_PRICE, &held, &price);
    if (err == WEIR_OK)
        err = read_price(row, ROLE_FORECAST, &foreseen, &forecast);
    return err < 0 ? err : held != HELD_GIVEN && foreseen == HELD_GIVEN;
}

/* Whether the tick may do without a price: it says so. */
static bool falls_back(const struct row *row, struct market_tick *tick)
{
    tick->quality_flags |= row->options->fallback ? MARKET_FALLBACK : 0;
    return row->options->fallback;
}

/* A row of one price: the price itself, or one component of it. */
static int add_item(const struct row *row, struct weir_arena *arena, const struct market_raw_options *options,
                    struct market_reading *reading, struct market_tick *tick, const struct market_id *id)
{
    enum market_component component;
    struct market_decimal price;
    enum held             held;
    int                   err = read_item(row->feed, row->roles, &component, row->reterr);

    if (err == WEIR_OK)
        err = read_price(row, ROLE_VALUE, &held, &price);
    if (err < 0)
        return err;
    if (held == HELD_NOT)
        return market__role_missing(row->feed, ROLE_VALUE, row->reterr);
    if (component == MARKET_PRICE && held == HELD_EMPTY && !falls_back(row, tick))
        return bad(row, ROLE_VALUE, MARKET_NO_PRICE);
    if (component != MARKET_PRICE && (held == HELD_EMPTY || options->components_off)) {
        reading->components_absent += held == HELD_EMPTY;
        return WEIR_OK;
    }
    tick->price = price;
    return component == MARKET_PRICE ? add_whole(row, arena, reading, tick, id)
                                     : add_tick(row, arena, reading, tick, id, price);
}

/* The price, and what it must be in its feed. */
static int read_main_price(const struct row *row, struct market_tick *tick)
{
    enum held price, side;
    int       err = read_price(row, ROLE_PRICE, &price, &tick->price);

    if (err == WEIR_OK)
        err = read_price(row, ROLE_BID, &side, &tick->bid_price);
    if (err == WEIR_OK)
        err = read_price(row, ROLE_ASK, &side, &tick->ask_price);
    if (err < 0)
        return err;
    if (price == HELD_GIVEN)
        return WEIR_OK;
    if (tick->bid_price.given || tick->ask_price.given) {
        tick->kind = MARKET_KIND_QUOTE;
        return WEIR_OK;
    }
    if (!row->feed->quote && falls_back(row, tick))
        return WEIR_OK;
    if (price == HELD_EMPTY)
        return bad(row, ROLE_PRICE, MARKET_NO_PRICE);
    return market__role_missing(row->feed, row->feed->quote ? ROLE_BID : ROLE_PRICE, row->reterr);
}

static int add_ticks(const struct row *row, struct weir_arena *arena, const struct market_raw_options *options,
                     struct market_reading *reading, struct market_tick *tick)
{
    struct market_id id;
    int              err = market__instrument(row->feed, row->roles, &row->product, row->source, &id, row->reterr);

    if (err < 0)
        return err;
    if (row->feed->names[ROLE_ITEM])
        return add_item(row, arena, options, reading, tick, &id);
    reading->prices_awaited = (size_t)MAX(err = awaits_price(row), 0);
    if (err != 0)
        return err < 0 ? err : add_forecast(row, arena, reading, tick);
    err = read_main_price(row, tick);
    if (err == WEIR_OK)
        err = add_whole(row, arena, reading, tick, &id);
    if (err < 0 || row->feed->trade || row->feed == market__nested)
        return err;
    if (!options->components_off)
        err = add_components(row, arena, reading, tick);
    return err == WEIR_OK ? add_forecast(row, arena, reading, tick) : err;
}

/* ---- what ticks of a row share ---- */

/* A trade or quote without a time of its own: the envelope's. False = that has none either. */
static bool take_time(const struct market__source *source, struct market_tick *tick)
{
    tick->event_time = source->occurred_at ? source->occurred_at : source->received_at;
    if (!source->occurred_at && source->received_at)
        tick->quality_flags |= MARKET_RECEIVE_TIME;
    return tick->event_time != 0;
}

static int read_when(const struct row *row, struct market_tick *tick)
{
    const struct market__source *source = row->source;
    struct market__moment        moment;
    struct weir_text             text;
    int                          err = market__role_text(row->roles, ROLE_INSTANT, &text, row->reterr);

    if (err < 0)
        return err;
    if (row->feed->trade && row->feed->when == WHEN_START && !text.size && take_time(source, tick))
        return WEIR_OK;
    err = market__when(row->feed, row->roles, row->product.interval, &source->setting, &moment, row->reterr);
    if (err < 0)
        return err;
    tick->event_time = moment.time;
    tick->sequence = moment.sequence;
    tick->quality_flags |= moment.ambiguous ? MARKET_AMBIGUOUS_TIME : 0;
    return WEIR_OK;
}

/* A trade without number is known by where it was read, and says so. */
static int number_by_origin(const struct row *row, struct weir_arena *arena, struct market_tick *tick)
{
    const struct market_origin *origin = row->source->origin;
    char *source = weir__arena_printf(arena, "%.*s@%s/%d", (int)tick->source.size, tick->source.data,
                                      origin->topic ? origin->topic : "", (int)origin->partition);

    if (!source)
        return WEIR_LIMIT;
    tick->source = market__text(source);
    tick->sequence = origin->offset;
    return WEIR_OK;
}

static int read_sequence(const struct row *row, struct weir_arena *arena, struct market_tick *tick)
{
    struct weir_text text;
    int              err = market__role_text(row->roles, ROLE_SEQUENCE, &text, row->reterr);

    if (err < 0)
        return err;
    tick->source = row->feed->source ? market__text(row->feed->source) : row->source->system;
    if (text.size)
        return read_whole(row, ROLE_SEQUENCE, &tick->sequence);
    if (row->source->sequence < 0)
        return number_by_origin(row, arena, tick);
    tick->sequence = row->source->sequence;
    return WEIR_OK;
}

static int read_suspect(const struct row *row, struct market_tick *tick)
{
    struct weir_text text;
    int              err = market__role_text(row->roles, ROLE_SUSPECT, &text, row->reterr);

    if (err == WEIR_OK && text.size && market__one_of(text, "0|false|n|no") < 0)
        tick->quality_flags |= MARKET_SUSPICIOUS;
    return err;
}

/* What the envelope's metadata says by a name, where the row says nothing. */
static void take_said(const struct row *row, const char *name, struct weir_text *text)
{
    const struct weir_json *said = row->source->metadata ? weir_json_get(row->source->metadata, name) : NULL;

    if (!text->size && said && said->type == WEIR_JSON_STRING)
        *text = market__trim(said->text);
    if (!text->size)
        *text = (struct weir_text){ 0 };
}

/* The mapping table's for a price of energy, unless the sender says another; of a trade its own. NULL = not known. */
static int read_units(const struct row *row, const struct market_rules *rules, struct market_tick *tick)
{
    int err = market__role_text(row->roles, ROLE_CURRENCY, &tick->currency, row->reterr);

    if (err == WEIR_OK)
        err = market__role_text(row->roles, ROLE_UNIT, &tick->unit, row->reterr);
    take_said(row, "currency", &tick->currency);
    take_said(row, "unit", &tick->unit);
    if (tick->kind != MARKET_KIND_PRICE)
        return err;
    if (!tick->currency.size)
        tick->currency = market__text(rules->currency);
    if (!tick->unit.size)
        tick->unit = market__text(rules->unit);
    return err;
}

/* Canonical name of a market of the table; else the sender's in capitals. */
static int read_market(const struct row *row, const struct market_rules *rules, struct weir_arena *arena,
                       struct market_tick *tick)
{
    struct market_id id;
    int              err;

    tick->market = market__text(rules->name);
    if (rules->power || row->feed->rules == rules)
        if (*rules->name != '*')
            return WEIR_OK;
    if (!row->source->market.size)
        return weir__fail(row->reterr, MARKET_MISSING, "payload.market", "%s: payload.market",
                          market_reason_text(MARKET_MISSING));
    err = market_location(row->source->market, &id, row->reterr);
    if (err < 0)
        return err;
    tick->market = keep(arena, (struct weir_text){ .data = id.text, .size = id.size });
    return tick->market.data ? WEIR_OK : WEIR_LIMIT;
}

/* How long an interval of a product is in its market, s. */
static int length_of(const struct market_rules *rules, enum market_basis basis)
{
    switch (basis) {
    case MARKET_DA:
    case MARKET_RT1H: return 3600;
    case MARKET_RT15M:
    case MARKET_RTC:
    case MARKET_HASP: return 900;
    case MARKET_EW:
    case MARKET_REAL_TIME: break;
    }
    return rules->interval;
}

/* What an id that the sender made says of its product. */
static void product_of_id(struct row *row)
{
    struct market_id       id;
    struct market_id_parts parts;

    if (row->feed != market__nested || !row->rules->power || market_location(row->source->id, &id, NULL) < 0 ||
        market_id_split((struct weir_text){ .data = id.text, .size = id.size }, &parts) < 0 ||
        !market__same(parts.market, market__text(row->rules->name)))
        return;
    row->product = (struct market__run){ .basis = parts.basis,
                                         .stage = parts.stage,
                                         .interval = length_of(row->rules, parts.basis) };
    row->component = parts.component;
}

static int fill(struct row *row, const struct market__fields *fields, struct weir_arena *arena,
                struct market_tick *tick)
{
    const struct market_rules *rules = row->rules;
    bool                       trade = row->feed->trade || (row->feed == market__nested && !rules->power);
    int                        err = market__product(row->feed, row->roles, &row->product, row->reterr);

    *tick = (struct market_tick){ .tenant_id = row->source->tenant,
                                  .kind = trade ? MARKET_KIND_TRADE : MARKET_KIND_PRICE,
                                  .ingested_at = row->source->ingested_at,
                                  .source_system = row->source->system,
                                  .source_event_id = row->source->event_id };
    product_of_id(row);
    if (err == WEIR_OK)
        err = read_when(row, tick);
    if (err == WEIR_OK)
        err = read_revision(row, &tick->revision);
    if (err == WEIR_OK && trade)
        err = read_sequence(row, arena, tick);
    if (err == WEIR_OK)
        err = read_volume(row, &tick->volume);
    if (err == WEIR_OK)
        err = read_suspect(row, tick);
    if (err == WEIR_OK)
        err = read_units(row, rules, tick);
    if (err == WEIR_OK)
        err = read_market(row, rules, arena, tick);
    if (err == WEIR_OK)
        err = read_metadata(row, fields, arena, &tick->metadata);
    return err == WEIR_OK ? read_tags(row, arena, &tick->tags) : err;
}

/* "ALDENE 230 KV T-10": two locations of one name are not taken for one. */
static struct weir_text with_equipment(const struct row *row, struct weir_text name, struct weir_arena *arena)
{
    struct weir_text voltage = { 0 }, equipment = { 0 };
    const char      *text;

    (void)market__role_text(row->roles, ROLE_VOLTAGE, &voltage, NULL);
    (void)market__role_text(row->roles, ROLE_EQUIPMENT, &equipment, NULL);
    if (!voltage.size && !equipment.size)
        return name;
    text = weir__arena_printf(arena, "%.*s %.*s %.*s", (int)name.size, name.data, (int)voltage.size,
                              voltage.size ? voltage.data : "", (int)equipment.size,
                              equipment.size ? equipment.data : "");
    return text ? market__trim(market__text(text)) : name; /* without room the tick itself has none either */
}

static struct weir_text symbol_of(const struct row *row, struct weir_arena *arena)
{
    struct weir_text text;

    if (market__role_text(row->roles, ROLE_LOCATION, &text, NULL) == WEIR_OK && text.size)
        return with_equipment(row, text, arena);
    return row->feed->location        ? market__text(row->feed->location)
           : row->source->symbol.size ? row->source->symbol
                                      : row->source->id;
}

/* "GC.201312", "ES.20251219": a trade of what is delivered then. */
static bool is_future(struct weir_text id)
{
    size_t digits = 0;

    while (digits < id.size && id.data[id.size - 1 - digits] >= '0' && id.data[id.size - 1 - digits] <= '9')
        digits++;
    return (digits == 6 || digits == 8) && id.size > digits + 1 && id.data[id.size - 1 - digits] == '.';
}

/* awaited: it is a forecast alone. */
static int64_t ahead_of(const struct row *row, const struct market_tick *tick, bool awaited)
{
    if (tick->kind == MARKET_KIND_PRICE)
        return market_ahead(row->product.basis, awaited ? MARKET_FORECAST : row->product.stage);
    return is_future(tick->instrument_id) ? -1 : market_ahead(MARKET_REAL_TIME, MARKET_SETTLED);
}

int market__map(const struct market_feed *feed, const struct market__fields *fields,
                const struct market__source *source, const struct market_raw_options *options,
                struct weir_arena *arena, struct market_reading *ret, struct weir_error *reterr)
{
    struct market__roles roles;
    struct row row = { .feed = feed, .roles = &roles, .source = source, .reterr = reterr, .options = options };
    struct market_tick tick;
    int                err;

    row.rules = *feed->rules->name == '*' ? market_rules_find(source->market) : feed->rules;
    market__roles_find(feed, fields, &roles);
    ret->count = ret->components_absent = ret->prices_awaited = 0;
    ret->ticks = weir__arena_take(arena, TICKS_MAX * sizeof(*ret->ticks));
    if (!ret->ticks)
        return WEIR_LIMIT;
    err = fill(&row, fields, arena, &tick);
    if (err < 0)
        return err;
    tick.interval = MARKET_SECONDS(row.product.interval);
    tick.symbol = symbol_of(&row, arena);
    if (tick.ingested_at == 0)
        tick.ingested_at = tick.event_time;
    err = add_ticks(&row, arena, options, ret, &tick);
    ret->ahead = ret->count > 0 ? ahead_of(&row, &ret->ticks[0], ret->prices_awaited > 0) : -1;
    return err;
}
