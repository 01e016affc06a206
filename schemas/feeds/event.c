/* event.c: rows of market files as raw events.
 *
 * (1) Prices of energy go as a connector's flat payload, fields under their published names; trades go in raw_payload,
 *     as the line or document they are.
 * (2) ingested_at is when the feed made the row or the file, where that is said, else the event's time: a load repeated
 *     makes the same bytes.
 * (3) A row that the mapping table cannot place in time goes out all the same: who normalizes it refuses it by name. So does
 *     a row that no event can hold, as its size alone: it stops no load.
 */
#include "schemas/feeds/files.h"

#define LARGEST ((size_t)512 << 10) /* half of what normalization reads, and of what brokers take */

#define PRODUCER "load@1.0.0"

void market__writer_fini(struct market__writer *writer) { weir__json_out_fini(&writer->json); }

/* ---- when and which instrument ---- */

static struct market__source source_of(const struct market__writer *writer, const struct market__row *row)
{
    const struct market__said *said = &writer->file->said;

    return (struct market__source){ .symbol = row->symbol,
                                    .received_at = row->received,
                                    .setting = { .zone = said->of[SAID_ZONE], .day = said->of[SAID_DAY] } };
}

static int place(struct market__writer *writer, const struct market__row *row, struct market__roles *roles,
                 struct market__event *event, struct market__moment *moment)
{
    struct market__source source = source_of(writer, row);
    struct market__run    product;
    struct weir_error     error;
    int                   err;

    market__roles_find(row->feed, &row->fields, roles);
    err = market__product(row->feed, roles, &product, &error);
    if (err == WEIR_OK)
        err = market__instrument(row->feed, roles, &product, &source, &event->id, &error);
    event->received = err == WEIR_OK && row->feed->trade && !roles->of[ROLE_INSTANT] && row->received;
    if (event->received)
        *moment = (struct market__moment){ .time = row->received };
    else if (err == WEIR_OK)
        err = market__when(row->feed, roles, product.interval, &source.setting, moment, &error);
    return err;
}

/* What names the row's hour: its local stamp, or day and hour. */
static struct weir_text label_of(const struct market__roles *roles, struct weir_arena *arena)
{
    struct weir_text local, day, hour;
    const char      *label;

    if (market__role_text(roles, ROLE_LOCAL, &local, NULL) < 0 ||
        market__role_text(roles, ROLE_DAY, &day, NULL) < 0 || market__role_text(roles, ROLE_HOUR, &hour, NULL) < 0)
        return (struct weir_text){ 0 };
    label = weir__arena_printf(arena, "%.*s %.*s %.*s", (int)local.size, local.data ? local.data : "", (int)day.size,
                               day.data ? day.data : "", (int)hour.size, hour.data ? hour.data : "");
    return market__text(label);
}

static bool tells_turn(const struct market_feed *feed)
{
    return market__one_of(TEXT("repeated_hour"), feed->names[ROLE_TURN]) >= 0;
}

/* Says which one of a repeated hour the row means, or notes that the hour repeats. */
static int settle_turn(struct market__writer *writer, struct market__row *row, struct market__roles *roles,
                       struct market__event *event, struct market__moment *moment)
{
    struct weir_text label = label_of(roles, &writer->file->row_arena);
    struct weir_text id = { .data = event->id.text, .size = event->id.size };
    struct weir_json said = { .type = WEIR_JSON_STRING, .name = TEXT("repeated_hour") };
    int64_t          at = moment->time + MARKET_SECONDS(moment->sequence);

    if (!label.data)
        return WEIR_NO_MEMORY;
    if (writer->learning)
        return market__turns_learn(writer->turns, id, label, at);
    said.text = market__text(market__turns_tell(writer->turns, id, label, at));
    if (market__fields_add(&row->fields, &said, &writer->file->row_arena) < 0)
        return WEIR_NO_MEMORY;
    return place(writer, row, roles, event, moment);
}

static int note_later(struct market__writer *writer, const struct market__event *event,
                      const struct market__moment *moment)
{
    struct weir_text id = { .data = event->id.text, .size = event->id.size };

    return market__turns_mark(writer->turns, id, moment->time - MARKET_HOURS(1));
}

/* ---- the envelope ---- */

static void put_pair(struct weir_json_out *json, const char *name, struct weir_text text)
{
    weir_json_name(json, name);
    weir_json_put_text(json, text);
}

static void put_time(struct weir_json_out *json, const char *name, int64_t time, bool timed)
{
    weir_json_name(json, name);
    if (timed)
        weir_json_put_int64(json, time);
    else
        weir_json_put_null(json);
}

static struct weir_text type_of(const struct market__row *row)
{
    return row->feed ? market__data_type(row->feed) : TEXT("unknown");
}

static void put_header(struct market__writer *writer, const struct market__row *row,
                       const struct market__event *event, int64_t made)
{
    struct weir_json_out *json = &writer->json;
    struct weir_text      name = writer->file->name, type = type_of(row);
    char                  text[320];
    int                   size;

    size = snprintf(text, sizeof(text), row->part ? "%.*s#%llu.%u" : "%.*s#%llu", (int)MIN(name.size, 255), name.data,
                    (unsigned long long)row->number, row->part);
    put_pair(json, "event_id", (struct weir_text){ .data = text, .size = (size_t)size });
    size = snprintf(text, sizeof(text), "load:%.*s", (int)type.size, type.data);
    put_pair(json, "trace_id", (struct weir_text){ .data = text, .size = (size_t)size });
    put_pair(json, "schema_version", TEXT("1.0.0"));
    put_pair(json, "tenant_id", writer->tenant);
    put_pair(json, "producer", TEXT(PRODUCER));
    put_time(json, "occurred_at", event->time, event->timed && !event->received);
    put_time(json, "ingested_at", made, event->timed || made);
}

/* ---- payloads ---- */

static bool is_name(struct weir_text a, struct weir_text b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* Whether the payload has the name already. */
static bool is_taken(const struct market__fields *fields, size_t n)
{
    struct weir_text name = fields->items[n].name;

    for (size_t i = 0; i < n; i++)
        if (is_name(fields->items[i].name, name))
            return true;
    return is_name(name, TEXT("market")) || is_name(name, TEXT("data_type")) ||
           is_name(name, TEXT(MARKET_ROW_TOO_LONG)) || (n && is_name(name, TEXT(MARKET_ROW_BROKEN)));
}

/* A column that is named as something that the payload says besides keeps its cell under another name. */
static int put_fields(struct market__writer *writer, struct market__row *row)
{
    for (size_t i = 0; i < row->fields.count; i++) {
        struct market__field *field = &row->fields.items[i];

        if (field->type == MARKET_OTHER)
            continue;
        if (is_taken(&row->fields, i)) {
            field->name = market__text(
                weir__arena_printf(&writer->file->row_arena, "column.%.*s", (int)field->name.size, field->name.data));
            if (!field->name.data)
                return WEIR_NO_MEMORY;
        }
        market__field_put(field, &writer->json);
    }
    return WEIR_OK;
}

static void put_metadata(struct market__writer *writer, const struct market__row *row)
{
    const struct market__said *said = &writer->file->said;
    struct weir_json_out      *json = &writer->json;

    weir_json_name(json, "metadata");
    weir_json_begin_object(json);
    put_pair(json, "feed", type_of(row));
    if (row->feed->when == WHEN_OF_DAY) {
        put_pair(json, "day", said->of[SAID_DAY]);
        put_pair(json, "zone", said->of[SAID_ZONE]);
        put_pair(json, "scale", said->of[SAID_SCALE]);
    }
    weir_json_end_object(json);
}

static struct weir_text system_of(const struct market__row *row)
{
    if (row->system.size)
        return row->system;
    return market__text(row->feed && row->feed->source ? row->feed->source : "load");
}

/* Ends with "sequence": where the number among its equals is to follow. */
static void put_raw(struct market__writer *writer, const struct market__row *row, const struct market__event *event)
{
    struct weir_json_out *json = &writer->json;

    put_pair(json, "source_system", system_of(row));
    put_pair(json, "market", row->market.size ? row->market : writer->file->said.of[SAID_MARKET]);
    put_pair(json, "symbol", row->symbol);
    put_time(json, "received_at", row->received ? row->received : event->time, row->received || event->timed);
    put_pair(json, "encoding", market__text(row->encoding));
    put_pair(json, "raw_payload", row->raw);
    if (row->feed && row->feed != market__tick)
        put_metadata(writer, row);
    if (event->ordinal)
        weir_json_name(json, "sequence");
}

static int64_t made_of(const struct market__writer *writer, const struct market__roles *roles,
                       const struct market__event *event)
{
    struct weir_text    text;
    struct market_stamp stamp;

    if (writer->file->made)
        return writer->file->made;
    if (event->timed && market__role_text(roles, ROLE_MADE, &text, NULL) == WEIR_OK && text.size &&
        market_stamp_read(text, &stamp) == WEIR_OK && !stamp.local)
        return stamp.us;
    return event->timed ? event->time : 0;
}

static int put_payload(struct market__writer *writer, struct market__row *row, struct market__event *event,
                       size_t too_long)
{
    struct weir_json_out *json = &writer->json;

    if (!row->raw.data || too_long) {
        put_pair(json, "market", market__text(writer->file->rules->name));
        put_pair(json, "data_type", type_of(row));
    }
    if (too_long) {
        weir_json_name(json, MARKET_ROW_TOO_LONG);
        weir_json_put_int64(json, (int64_t)too_long);
        event->ordinal = false;
    } else if (row->raw.data) {
        put_raw(writer, row, event);
    } else {
        return put_fields(writer, row);
    }
    return WEIR_OK;
}

/* too_long: the row's bytes, where no event can hold them. */
static int write_event(struct market__writer *writer, struct market__row *row, const struct market__roles *roles,
                       struct market__event *event, size_t too_long)
{
    struct weir_json_out *json = &writer->json;

    weir__json_out_reset(json);
    weir_json_begin_object(json);
    put_header(writer, row, event, made_of(writer, roles, event));
    weir_json_name(json, "payload");
    weir_json_begin_object(json);
    if (put_payload(writer, row, event, too_long) < 0)
        return WEIR_NO_MEMORY;
    if (!event->ordinal) {
        weir_json_end_object(json);
        weir_json_end_object(json);
    }
    json->depth = 0;
    if (json->buf.size > LARGEST && !too_long)
        return write_event(writer, row, roles, event, json->buf.size);
    event->value = (struct weir_text){ .data = json->buf.data, .size = json->buf.size };
    return weir__buf_ok(&json->buf) ? WEIR_OK : WEIR_NO_MEMORY;
}

static bool has_number(const struct market__roles *roles)
{
    struct weir_text text;

    return market__role_text(roles, ROLE_SEQUENCE, &text, NULL) < 0 || text.size;
}

int market__event_next(struct market__writer *writer, struct market__event *ret, struct weir_error *reterr)
{
    struct market__roles  roles = { 0 };
    struct market__moment moment = { 0 };
    struct market__row    row;
    int                   err = market__file_next(writer->file, &row, reterr);

    if (err < 0)
        return err;
    *ret = (struct market__event){ .row = row.number, .part = row.part };
    ret->timed = row.feed && place(writer, &row, &roles, ret, &moment) == WEIR_OK;
    if (ret->timed && moment.ambiguous && tells_turn(row.feed) && settle_turn(writer, &row, &roles, ret, &moment) < 0)
        return market__file_no_memory(writer->file, reterr);
    if (ret->timed && moment.later && writer->learning && note_later(writer, ret, &moment) < 0)
        return market__file_no_memory(writer->file, reterr);
    if (ret->timed)
        writer->time = moment.time;
    ret->time = writer->time;
    ret->ordinal = ret->timed && row.feed->trade && !has_number(&roles);
    if (writer->learning)
        return WEIR_OK;
    return write_event(writer, &row, &roles, ret, 0) < 0 ? market__file_no_memory(writer->file, reterr) : WEIR_OK;
}

int market__context(const struct market__file *file, struct weir_text tenant, struct weir__buf *ret)
{
    weir__buf_add(ret, tenant.data, tenant.size);
    for (size_t i = 0; i < SAID_COUNT; i++)
        weir__buf_printf(ret, "|%.*s", (int)file->said.of[i].size,
                         file->said.of[i].data ? file->said.of[i].data : "");
    return weir__buf_ok(ret) ? WEIR_OK : WEIR_NO_MEMORY;
}
